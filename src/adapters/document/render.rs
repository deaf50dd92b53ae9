//! How values are written into a text: in the habits of the text itself.

use serde_json::Value;

/// How strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoting {
    /// `'` or `"`.
    quote: char,
    /// Also where a string could stand without.
    always: bool,
}

impl Quoting {
    /// As in this piece of text, else as in the whole.
    pub(super) fn like(piece: &str, style: &Style) -> Self {
        match piece.find(['"', '\'']).filter(|_| piece.starts_with(['"', '\'', '[', '{'])) {
            Some(at) => Self { quote: if piece[at..].starts_with('"') { '"' } else { '\'' }, always: true },
            None => style.quoting,
        }
    }
}

/// The habits of a text, which additions follow.
pub(super) struct Style {
    pub(super) newline: &'static str,
    pub(super) quoting: Quoting,
    /// Spaces that a level is indented by.
    step: usize,
    /// Spaces that the items of a list stand behind their key.
    dash: usize,
}

impl Style {
    pub(super) fn of(text: &str) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let single = text.matches(": '").count() + text.matches("- '").count() + text.matches("['").count();
        let double =
            text.matches(": \"").count() + text.matches("- \"").count() + text.matches("[\"").count();
        let always = text.trim_start().starts_with('{');
        let quoting = Quoting { quote: if single > double && !always { '\'' } else { '"' }, always };
        let (mut step, mut inner, mut flush) = (None, 0_usize, 0_usize);
        let mut parent: Option<usize> = None;
        for line in text.lines() {
            let bare = line.trim_start();
            if bare.is_empty() || bare.starts_with('#') {
                continue;
            }
            let indent = line.len() - bare.len();
            if let Some(above) = parent {
                let dash = bare.starts_with("- ");
                if dash && indent == above {
                    flush += 1;
                } else if dash && indent > above {
                    inner += 1;
                }
                if !dash && indent > above && step.is_none() {
                    step = Some(indent - above);
                }
            }
            let opens = bare.split(" #").next().unwrap_or(bare).trim_end().ends_with(':');
            parent = (opens && !bare.starts_with("- ")).then_some(indent);
        }
        let step = step.unwrap_or(2);
        let dash = if flush > inner { 0 } else { step };
        Self { newline, quoting, step, dash }
    }
}

/// A value on one line.
pub(super) fn render_flow(value: &Value, quoting: Quoting) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|value| render_flow(value, quoting)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| {
                    format!("{}: {}", render_string(key, quoting), render_flow(value, quoting))
                })
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::String(text) => render_string(text, quoting),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

pub(super) fn render_string(text: &str, quoting: Quoting) -> String {
    if !quoting.always && is_plain(text) {
        return text.to_owned();
    }
    if quoting.quote == '\'' && text.chars().all(|c| !c.is_control() && c != '\u{feff}') {
        return format!("'{}'", text.replace('\'', "''"));
    }
    // A JSON string is a YAML string too.
    Value::String(text.to_owned()).to_string()
}

/// Whether a string may stand without quotes anywhere, also for readers of YAML 1.1.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$' | '/'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '/' | '.' | '-'))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a string may stand without quotes outside of braces and brackets, where more signs are plain.
pub(super) fn is_plain_in_block(text: &str) -> bool {
    text.starts_with(['$', '/']) && is_plain(&text.replace(['[', ']', '*'], "_"))
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|v| !v.is_array() && !v.is_object()),
        Value::Object(members) => members.is_empty(),
        _ => true,
    }
}

/// A value over several lines, each indented by at least `indent`.
pub(super) fn render_block(value: &Value, indent: usize, style: &Style) -> Vec<String> {
    let mut lines = Vec::new();
    match value {
        Value::Array(items) if !items.is_empty() => {
            for value in items {
                lines.extend(render_item(value, indent, style));
            }
        }
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                block_entry(key, value, indent, style, &mut lines);
            }
        }
        _ => lines.push(format!("{:indent$}{}", "", render_flow(value, style.quoting))),
    }
    lines
}

pub(super) fn render_item(value: &Value, indent: usize, style: &Style) -> Vec<String> {
    if is_short(value) {
        return vec![format!("{:indent$}- {}", "", render_flow(value, style.quoting))];
    }
    let mut lines = render_block(value, indent + 2, style);
    if let Some(first) = lines.first_mut() {
        first.replace_range(indent..indent + 1, "-");
    }
    lines
}

pub(super) fn block_entry(key: &str, value: &Value, indent: usize, style: &Style, lines: &mut Vec<String>) {
    let key = render_string(key, style.quoting);
    if is_short(value) {
        lines.push(format!("{:indent$}{key}: {}", "", render_flow(value, style.quoting)));
        return;
    }
    lines.push(format!("{:indent$}{key}:", ""));
    let inner = indent + if value.is_array() { style.dash } else { style.step };
    lines.extend(render_block(value, inner, style));
}
