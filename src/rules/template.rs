//! Messages of rules: text with `{fact}` placeholders.
//!
//! `{share}` prints the fact, `{share:percent}` prints it as a percentage, and `[…]` holds a part that is left out
//! where one of its facts is not stated. `{path}` and `{to}` are the paths of the change; names and list brackets of
//! paths come from the values, never from the template, so they cannot be mistaken for parts.

use crate::model::{Change, Fact};

/// What a template is made of.
#[derive(Debug, Clone, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    Slot { name: &'a str, percent: bool },
    Optional(Vec<Self>),
}

/// The facts that a template speaks of.
pub(super) fn slots(template: &str) -> Result<Vec<&str>, String> {
    fn collect<'a>(pieces: &[Piece<'a>], names: &mut Vec<&'a str>) {
        for piece in pieces {
            match piece {
                Piece::Text(_) => {}
                Piece::Slot { name, .. } => names.push(name),
                Piece::Optional(inner) => collect(inner, names),
            }
        }
    }
    let mut names = Vec::new();
    collect(&parse(template)?, &mut names);
    Ok(names)
}

/// The message with the facts of the change filled in; what is not stated outside of `[…]` prints as `unknown`.
pub(super) fn render(template: &str, change: &Change) -> String {
    let mut message = String::with_capacity(template.len() + 32);
    match parse(template) {
        Ok(pieces) => {
            print(&pieces, change, &mut message);
        }
        // Templates are checked when rules are read; text is better than nothing all the same.
        Err(_) => message.push_str(template),
    }
    message
}

fn print(pieces: &[Piece<'_>], change: &Change, message: &mut String) -> bool {
    let mut all_known = true;
    for piece in pieces {
        match piece {
            Piece::Text(text) => message.push_str(text),
            Piece::Slot { name, percent } => match value(name, *percent, change) {
                Some(text) => message.push_str(&text),
                None => {
                    all_known = false;
                    message.push_str("unknown");
                }
            },
            Piece::Optional(inner) => {
                let before = message.len();
                if names_nothing(inner, change) || !print(inner, change, message) {
                    message.truncate(before);
                }
            }
        }
    }
    all_known
}

/// Whether a list of words is empty, as one is whose words may not be told: then what would introduce it is left out.
fn names_nothing(pieces: &[Piece<'_>], change: &Change) -> bool {
    pieces.iter().any(|piece| {
        matches!(piece, Piece::Slot { name, .. }
            if matches!(change.facts.get(name), Some(Fact::Words(words)) if words.is_empty()))
    })
}

fn value(name: &str, percent: bool, change: &Change) -> Option<String> {
    match name {
        "path" if change.path.is_root() => return Some("the stream".to_owned()),
        "path" => return Some(format!("`{}`", change.path)),
        "field" => return change.facts.text("field").map(|field| format!("`{field}`")),
        "to" if change.to.is_empty() => return change.facts.get("to").map(ToString::to_string),
        "to" => {
            let paths: Vec<String> = change.to.iter().map(|path| format!("`{path}`")).collect();
            return Some(paths.join(", "));
        }
        _ => {}
    }
    if percent {
        return change.facts.number(name).map(as_percent);
    }
    match change.facts.get(name)? {
        Fact::Words(words) if words.is_empty() => Some("none".to_owned()),
        Fact::Words(words) if words.len() > 8 => {
            Some(format!("{} and {} more", words[..8].join(", "), words.len() - 8))
        }
        fact => Some(fact.to_string()),
    }
}

/// A share as a percentage that never rounds something to nothing, nor nearly all to all.
fn as_percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "under 0.1 %".to_owned()
    } else if percent > 99.9 && percent < 100.0 {
        "over 99.9 %".to_owned()
    } else {
        let text = format!("{percent:.1}");
        format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

fn parse(template: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut optional: Option<Vec<Piece<'_>>> = None;
    let mut rest = template;
    while !rest.is_empty() {
        let end = rest.find(['{', '}', '[', ']']).unwrap_or(rest.len());
        let target = optional.as_mut().unwrap_or(&mut pieces);
        if end > 0 {
            target.push(Piece::Text(&rest[..end]));
            rest = &rest[end..];
            continue;
        }
        match rest.as_bytes()[0] {
            b'{' => {
                let close = rest.find('}').ok_or("a `{` is never closed")?;
                let inner = &rest[1..close];
                let (name, percent) = match inner.split_once(':') {
                    Some((name, "percent")) => (name, true),
                    Some((_, other)) => {
                        return Err(format!("`:{other}` is no way to print a fact; `:percent` is"));
                    }
                    None => (inner, false),
                };
                if name.is_empty()
                    || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                {
                    return Err(format!("`{{{inner}}}` names no fact"));
                }
                target.push(Piece::Slot { name, percent });
                rest = &rest[close + 1..];
            }
            b'[' if optional.is_none() => {
                optional = Some(Vec::new());
                rest = &rest[1..];
            }
            b']' => {
                pieces.push(Piece::Optional(optional.take().ok_or("a `]` closes nothing")?));
                rest = &rest[1..];
            }
            b'[' => return Err("`[` within `[`".to_owned()),
            _ => return Err("a `}` closes nothing".to_owned()),
        }
    }
    if optional.is_some() {
        return Err("a `[` is never closed".to_owned());
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeKind, Facts, FieldPath};

    #[test]
    fn messages_fill_in_facts_and_leave_out_what_is_unknown() {
        let change = Change {
            kind: ChangeKind::FieldRemoved,
            path: "$.items[*].a".parse().unwrap(),
            to: vec![FieldPath::of_keys(["b"])],
            facts: Facts::new().with("presence", 0.9999).with("n", 3_u64).with("words", Vec::<String>::new()),
        };
        assert_eq!(
            render(
                "{path} to {to}: {presence:percent} of {n}[, unit {unit}][, again {n}][, words {words}]",
                &change
            ),
            "`$.items[*].a` to `$.b`: over 99.9 % of 3, again 3"
        );
        assert_eq!(as_percent(0.0), "0 %");
        assert_eq!(as_percent(0.0004), "under 0.1 %");
        assert_eq!(as_percent(0.125), "12.5 %");
    }

    #[test]
    fn broken_templates_are_refused() {
        for bad in ["{a", "a}", "[a", "a]", "[[a]]", "{a:hex}", "{A b}"] {
            assert!(slots(bad).is_err(), "{bad}");
        }
        assert_eq!(slots("{a} [{b:percent}]").unwrap(), ["a", "b"]);
    }
}
