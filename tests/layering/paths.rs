//! Every path that a file names, `use` trees unfolded, `self` and `super` resolved.

use crate::lexer::Token;

/// A path as the crate sees it: `crate::store::Store`, `std::fs::write`, or as it stands where it begins with neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedPath {
    /// Its names, `crate` first where it is of this crate.
    pub(crate) names: Vec<String>,
    /// Where it stands.
    pub(crate) line: usize,
}

/// The module that a file below `src/` holds: `store/check.rs` is `store::check`.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let mut names: Vec<String> = stem.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|name| name == "mod") || ["lib", "main"].contains(&stem) {
        names.pop();
    }
    names
}

/// Every path that the tokens of a module name.
pub(crate) fn paths(tokens: &[Token], module: &[String]) -> Vec<NamedPath> {
    let mut found = Vec::new();
    // Inline modules that are open, each with the depth of braces at which it ends.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let (mut depth, mut i) = (0_usize, 0);
    while let Some(token) = tokens.get(i) {
        let here = || [module, &inline.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()].concat();
        let text = |i: usize| tokens.get(i).map_or("", |token: &Token| token.text.as_str());
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|(_, ends)| *ends <= depth);
            }
            "mod" if text(i + 2) == "{" => {
                inline.push((text(i + 1).to_owned(), depth + 1));
                i += 1;
            }
            "use" => {
                let end = (i..tokens.len()).find(|end| text(*end) == ";").unwrap_or(tokens.len());
                unfold(&tokens[i + 1..end], &[], &here(), &mut found);
                i = end;
            }
            _ if token.is_name() && !["::", "."].contains(&text(i.wrapping_sub(1))) => {
                let mut names = vec![token.text.clone()];
                while text(i + 1) == "::" && tokens.get(i + 2).is_some_and(Token::is_name) {
                    names.push(text(i + 2).to_owned());
                    i += 2;
                }
                // `pub(crate)` and `pub(super)` name nothing.
                if names != ["crate"] && names != ["super"] {
                    push(&names, &here(), token.line, &mut found);
                }
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// Unfolds `a::{b, c::d as e, self, *}`.
fn unfold(tree: &[Token], before: &[String], module: &[String], found: &mut Vec<NamedPath>) {
    let mut names = before.to_vec();
    let mut i = 0;
    while let Some(token) = tree.get(i) {
        match token.text.as_str() {
            "{" => {
                let mut depth = 0_usize;
                let mut from = i + 1;
                for (at, inner) in tree.iter().enumerate().skip(i) {
                    match inner.text.as_str() {
                        "{" => depth += 1,
                        "}" => depth -= 1,
                        _ => {}
                    }
                    if (inner.text == "," && depth == 1) || depth == 0 {
                        if from < at {
                            unfold(&tree[from..at], &names, module, found);
                        }
                        from = at + 1;
                    }
                    if depth == 0 {
                        break;
                    }
                }
                return;
            }
            "as" => break,
            "::" => {}
            "self" if !names.is_empty() => {}
            _ => names.push(token.text.clone()),
        }
        i += 1;
    }
    if let Some(first) = tree.first() {
        push(&names, module, first.line, found);
    }
}

fn push(names: &[String], module: &[String], line: usize, found: &mut Vec<NamedPath>) {
    let mut at = module.to_vec();
    let mut rest = names;
    let is_relative = matches!(names.first().map(String::as_str), Some("self" | "super"));
    while let [first, more @ ..] = rest {
        match first.as_str() {
            "super" => drop(at.pop()),
            "self" if is_relative => {}
            _ => break,
        }
        rest = more;
    }
    let names = if is_relative { [&["crate".to_owned()], &at[..], rest].concat() } else { names.to_vec() };
    found.push(NamedPath { names, line });
}
