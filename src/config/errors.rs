//! What is wrong with a config: each mistake with its file, line, caret, reason and next step.
//!
//! No secret is repeated: what stands behind a key that sounds like one is masked in the line that is shown.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use unicode_width::UnicodeWidthChar;

use super::tree::{Seg, Span};

/// One mistake, or one thing worth a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; absent where the mistake has no place in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column, from 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Where it is in the config: `connectors.crm.auth.token`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// What may stand here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub valid: Vec<String>,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip)]
    snippet: Option<Snippet>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Snippet {
    line: String,
    before: usize,
    width: usize,
}

/// Everything that is wrong with a config, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ConfigErrors {
    /// Mistakes; the config is not used.
    pub errors: Vec<ConfigError>,
    /// Things worth a look; the config could be used.
    pub warnings: Vec<ConfigError>,
}

impl ConfigError {
    pub(super) fn new(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            key: String::new(),
            message: message.into(),
            suggestion: None,
            valid: Vec::new(),
            help: None,
            snippet: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names the words that may stand here, and the nearest one to what stands there.
    pub(super) fn nearest(mut self, word: &str, valid: Vec<String>) -> Self {
        self.suggestion = nearest(word, &valid);
        self.valid = valid;
        self
    }

    /// Adds the place, with the line as it is in the file.
    pub(super) fn at(mut self, text: &str, span: Span, path: &[Seg]) -> Self {
        if span.line == 0 {
            return self;
        }
        self.line = Some(span.line);
        self.column = Some(span.column);
        self.key = dotted(path);
        let mut lines = text.lines().skip(span.line.saturating_sub(2));
        let previous = if span.line > 1 { lines.next().unwrap_or("") } else { "" };
        let raw = lines.next().unwrap_or("").trim_start_matches('\u{feff}');
        let names_secret = matches!(path.last(), Some(Seg::Key(key)) if sounds_secret(key));
        let below_secret = previous.trim_end().strip_suffix(':').is_some_and(|key| sounds_secret(key.trim()));
        let hides_value = names_secret && !raw.contains(':');
        self.snippet = Some(if hides_value || below_secret && !raw.contains(": ") {
            let indent = raw.len() - raw.trim_start().len();
            Snippet { line: format!("{}{MASK}", &raw[..indent]), before: indent, width: MASK.len() }
        } else {
            let (line, before, width) = mask(raw, span.column.saturating_sub(1), span.width);
            Snippet { line, before, width }
        });
        self
    }

    /// Adds a place in a file that the config names.
    pub(super) fn in_other_file(mut self, line: u64, column: u64) -> Self {
        self.line = usize::try_from(line).ok();
        self.column = usize::try_from(column).ok();
        self
    }

    /// Where the mistake is, for sorting: the order of the file, and what has no place last.
    fn order(&self) -> (usize, usize, &str) {
        (self.line.unwrap_or(usize::MAX), self.column.unwrap_or(0), &self.message)
    }

    fn write(&self, out: &mut String, label: &str, tone: Style, color: bool) -> fmt::Result {
        let paint = |style: Style| if color { style } else { Style::new() };
        let (tone, bold) = (paint(tone.bold()), paint(Style::new().bold()));
        let rail = paint(AnsiColor::Blue.on_default().bold());
        writeln!(out, "{tone}{label}{tone:#}{bold}: {}{bold:#}", clean(&self.message))?;
        let gutter = self.line.map_or(1, |line| line.to_string().len());
        let place = match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", clean(&self.file)),
            _ => clean(&self.file),
        };
        writeln!(out, "{:gutter$}{rail}-->{rail:#} {place}", "")?;
        let tip = self.suggestion.as_ref().map(|word| format!("did you mean `{}`?", clean(word)));
        if let (Some(line), Some(snippet)) = (self.line, &self.snippet) {
            writeln!(out, "{:gutter$} {rail}|{rail:#}", "")?;
            let (shown, before, width) = window(snippet);
            let shown = clean(&shown);
            // Columns on the terminal: some characters take two, some none.
            let columns = |from: usize, count: usize| -> usize {
                shown.chars().skip(from).take(count).map(|c| c.width().unwrap_or(0)).sum()
            };
            let (before, width) = (columns(0, before), columns(before, width).max(1));
            writeln!(out, "{rail}{line:gutter$} |{rail:#} {shown}")?;
            write!(out, "{:gutter$} {rail}|{rail:#} {:before$}{tone}{}", "", "", "^".repeat(width))?;
            if let Some(tip) = &tip {
                write!(out, " {tip}")?;
            }
            writeln!(out, "{tone:#}")?;
        } else if let Some(tip) = &tip {
            writeln!(out, "{:gutter$} {rail}={rail:#} {tip}", "")?;
        }
        if !self.valid.is_empty() {
            let words: Vec<String> = self.valid.iter().map(|word| clean(word)).collect();
            writeln!(out, "{:gutter$} {rail}={rail:#} {bold}valid{bold:#}: {}", "", words.join(", "))?;
        }
        if let Some(help) = &self.help {
            writeln!(out, "{:gutter$} {rail}={rail:#} {bold}help{bold:#}: {}", "", clean(help))?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    /// One line, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clean(&self.file))?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", clean(&self.message))?;
        if let Some(word) = &self.suggestion {
            write!(f, "; did you mean `{}`?", clean(word))?;
        }
        if let Some(help) = &self.help {
            write!(f, "; {}", clean(help))?;
        }
        Ok(())
    }
}

impl ConfigErrors {
    /// A single mistake.
    pub(super) fn one(error: ConfigError) -> Self {
        Self { errors: vec![error], warnings: Vec::new() }
    }

    /// Puts everything in the order of the file, each once: an alias repeats the mistakes of what it names.
    pub(super) fn sort(&mut self) {
        for list in [&mut self.errors, &mut self.warnings] {
            list.sort_by(|a, b| a.order().cmp(&b.order()));
            list.dedup_by(|a, b| a.line.is_some() && a.order() == b.order());
        }
    }

    /// Everything for a person to read, as compilers print it; colours only where asked.
    #[must_use]
    pub fn to_text(&self, color: bool) -> String {
        let mut out = String::new();
        let red = AnsiColor::Red.on_default();
        let yellow = AnsiColor::Yellow.on_default();
        for error in &self.errors {
            // Writing to a `String` does not fail.
            let _ = error.write(&mut out, "error", red, color);
            out.push('\n');
        }
        for warning in &self.warnings {
            let _ = warning.write(&mut out, "warning", yellow, color);
            out.push('\n');
        }
        let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let mut parts = Vec::new();
        if !self.errors.is_empty() {
            parts.push(plural(self.errors.len(), "error"));
        }
        if !self.warnings.is_empty() {
            parts.push(plural(self.warnings.len(), "warning"));
        }
        if !parts.is_empty() {
            out.push_str(&parts.join(", "));
            out.push('\n');
        }
        out
    }
}

impl fmt::Display for ConfigErrors {
    /// One line a mistake, for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.errors.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// A path as people write it: `connectors.crm.docs[0].url`.
pub(super) fn dotted(path: &[Seg]) -> String {
    let mut out = String::new();
    for seg in path {
        match seg {
            Seg::Key(key) if out.is_empty() => out.push_str(key),
            Seg::Key(key) => {
                out.push('.');
                out.push_str(key);
            }
            Seg::Index(index) => {
                let _ = write!(out, "[{index}]");
            }
        }
    }
    out
}

/// The word that was probably meant, where one is near enough.
pub(super) fn nearest(word: &str, valid: &[String]) -> Option<String> {
    let word = word.to_lowercase().replace('-', "_");
    let score = |candidate: &String| {
        let candidate = candidate.to_lowercase().replace('-', "_");
        let close = strsim::normalized_damerau_levenshtein(&word, &candidate);
        // `token` for `token_file`, `interval` for `min_interval`: a part of it was remembered.
        let part = word.len() > 2 && (candidate.starts_with(&word) || candidate.ends_with(&word));
        if part { close.max(0.75) } else { close }
    };
    valid
        .iter()
        .map(|candidate| (score(candidate), candidate))
        .filter(|(score, _)| *score >= 0.55)
        // The first of equals wins, in the order of the list.
        .fold(None, |best: Option<(f64, &String)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })
        .map(|(_, candidate)| candidate.clone())
}

const MASK: &str = "<secret>";

/// Whether a key sounds as if a secret stood behind it.
pub(super) fn sounds_secret(key: &str) -> bool {
    let key = key.trim_matches(['"', '\'']).to_lowercase().replace(['-', '_'], "");
    let known = ["passw", "passphrase", "secret", "token", "apikey", "credential", "authorization", "cookie"];
    known.iter().any(|word| key.contains(word))
        || matches!(key.as_str(), "auth" | "key" | "pass" | "pwd" | "postgres" | "heartbeat" | "signature" | "xauth")
        // A typing mistake in such a key is still such a key.
        || ["password", "secret", "token", "postgres"]
            .iter()
            .any(|word| strsim::normalized_damerau_levenshtein(&key, word) >= 0.7)
}

/// The line with secrets masked, and where the caret then stands.
fn mask(line: &str, before: usize, width: usize) -> (String, usize, usize) {
    let chars: Vec<char> = line.chars().collect();
    let mut out = String::new();
    let (mut start, mut end) = (None, None);
    let mut at = 0;
    let hidden = secret_ranges(&chars);
    while at <= chars.len() {
        if at == before {
            start = Some(out.chars().count());
        }
        if at == before + width {
            end = Some(out.chars().count());
        }
        if at == chars.len() {
            break;
        }
        if let Some((_, stop)) = hidden.iter().find(|(from, _)| *from == at) {
            if (at + 1..*stop).contains(&before) {
                start = Some(out.chars().count());
            }
            out.push_str(MASK);
            if (at + 1..*stop).contains(&(before + width)) {
                end = Some(out.chars().count());
            }
            at = *stop;
            continue;
        }
        out.push(chars[at]);
        at += 1;
    }
    let total = out.chars().count();
    let start = start.unwrap_or(total);
    (out, start, end.unwrap_or(total).saturating_sub(start).max(1))
}

/// Where secrets stand: values behind keys that sound like one, and the user part of addresses.
fn secret_ranges(chars: &[char]) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let ends_key = chars[at] == ':' && chars.get(at + 1).is_some_and(|c| c.is_whitespace());
        if ends_key {
            let key_from = chars[..at]
                .iter()
                .rposition(|c| matches!(c, '{' | ',' | '[') || c.is_whitespace())
                .map_or(0, |p| p + 1);
            let key: String = chars[key_from..at].iter().collect();
            let from = at + 1 + chars[at + 1..].iter().take_while(|c| c.is_whitespace()).count();
            let stop = value_end(chars, from);
            let value: String = chars[from..stop].iter().collect();
            let inner = value.trim_matches(['"', '\'']);
            let harmless = inner.is_empty()
                || inner.starts_with("${") && inner.ends_with('}')
                || inner.starts_with("{{")
                || inner.starts_with(['$', '[', '{', '|', '>', '&', '*', '#']);
            // A misspelt `token_file` holds a path; but so may a secret look. Only the known ending is shown.
            if sounds_secret(&key) && !key.ends_with("_file") && !key.ends_with("_url") && !harmless {
                ranges.push((from, stop));
                at = stop;
                continue;
            }
        }
        if chars[at..].starts_with(&[':', '/', '/']) {
            let from = at + 3;
            let stop = from
                + chars[from..]
                    .iter()
                    .take_while(|c| !c.is_whitespace() && !matches!(c, '/' | '"' | '\'' | '?' | '#'))
                    .count();
            if let Some(sign) = chars[from..stop].iter().rposition(|c| *c == '@') {
                ranges.push((from, from + sign));
                at = from + sign;
                continue;
            }
        }
        at += 1;
    }
    ranges
}

/// The end of a scalar that begins at `from`, within its line.
fn value_end(chars: &[char], from: usize) -> usize {
    let Some(first) = chars.get(from) else { return from };
    if matches!(first, '"' | '\'') {
        let close = chars[from + 1..].iter().position(|c| c == first);
        return close.map_or(chars.len(), |p| from + p + 2);
    }
    let in_flow = chars[..from].contains(&'{');
    let rest = &chars[from..];
    let stop = rest
        .iter()
        .enumerate()
        .position(|(i, c)| in_flow && matches!(c, ',' | '}') || *c == ' ' && rest.get(i + 1) == Some(&'#'))
        .unwrap_or(rest.len());
    let trailing = rest[..stop].iter().rev().take_while(|c| c.is_whitespace()).count();
    from + stop - trailing
}

/// The part of a long line around the caret.
fn window(snippet: &Snippet) -> (String, usize, usize) {
    const MOST: usize = 110;
    let chars: Vec<char> = snippet.line.trim_end().chars().collect();
    if chars.len() <= MOST {
        return (chars.iter().collect(), snippet.before, snippet.width);
    }
    let from = snippet.before.saturating_sub(MOST / 2).min(chars.len() - MOST);
    let head = if from > 0 { "…" } else { "" };
    let tail = if from + MOST < chars.len() { "…" } else { "" };
    let shown: String = chars[from..from + MOST].iter().collect();
    let before = snippet.before - from + head.chars().count();
    (
        format!("{head}{shown}{tail}"),
        before,
        snippet.width.min(MOST.saturating_sub(snippet.before - from).max(1)),
    )
}

/// Text from a file, fit for a terminal: controls and bidirectional overrides become a visible mark of one column.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_what_sounds_secret() {
        let line = |text| mask(text, 0, 1).0;
        assert_eq!(line("  token: hunter2 # mine"), "  token: <secret> # mine");
        assert_eq!(
            line("auth: {type: bearer, token: \"hun,ter2\", x: 1}"),
            "auth: {type: bearer, token: <secret>, x: 1}"
        );
        assert_eq!(line("  X-Api-Key: abc"), "  X-Api-Key: <secret>");
        assert_eq!(line("  passwrod: abc"), "  passwrod: <secret>");
        assert_eq!(line("  token: ${CRM}"), "  token: ${CRM}");
        assert_eq!(line("  key: [$.id]"), "  key: [$.id]");
        assert_eq!(line("  url: https://me:pw@x.example/a"), "  url: https://<secret>@x.example/a");
        assert_eq!(mask("token: hunter2, x", 7, 7), ("token: <secret>".to_owned(), 7, 8));
    }

    #[test]
    fn finds_what_was_meant() {
        let valid: Vec<String> = ["connectors", "receivers", "routes", "token_file"].map(String::from).into();
        assert_eq!(nearest("conectors", &valid).as_deref(), Some("connectors"));
        assert_eq!(nearest("token", &valid).as_deref(), Some("token_file"));
        assert_eq!(nearest("zebra", &valid), None);
    }
}
