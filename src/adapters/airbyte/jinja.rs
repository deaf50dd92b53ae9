//! The few Jinja expressions that patches are made of: written here, and read back to verify what a patch does.
//!
//! Nothing else of Jinja is understood, and what is not understood is never guessed.

use std::collections::BTreeMap;

/// What an expression makes of the value at a path of the record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    /// The value.
    Copy,
    /// Its lower case.
    Lower,
    /// Its upper case.
    Upper,
    /// The boolean that its word stands for.
    Boolean,
    /// Unix seconds or milliseconds (by number of digits) in a notation.
    FromEpoch { notation: String, millis: bool },
    /// A date and time in another notation.
    Notation(String),
    /// Unix seconds or milliseconds of a date and time.
    ToEpoch { millis: bool },
    /// A multiple, whole or with a fraction.
    Scale { factor: f64, whole: bool },
    /// Another word for some.
    Words(BTreeMap<String, String>),
}

const TRUE_WORDS: &str = "['true', 'yes', 'on', '1']";
const BOOLEAN_WORDS: &str = "['true', 'yes', 'on', '1', 'false', 'no', 'off', '0']";

impl Form {
    /// The value and the condition of an addition.
    pub(super) fn write(&self, path: &[String]) -> (String, String) {
        let at = access(path);
        let get = guarded(path);
        let is_text = format!("{{{{ {get} is string }}}}");
        let is_number = format!("{{{{ {get} is number }}}}");
        match self {
            Self::Copy => (format!("{{{{ {at} }}}}"), format!("{{{{ {get} is not none }}}}")),
            Self::Lower => (format!("{{{{ {at} | lower }}}}"), is_text),
            Self::Upper => (format!("{{{{ {at} | upper }}}}"), is_text),
            Self::Boolean => (
                format!("{{{{ (({get} ~ '') | lower) in {TRUE_WORDS} }}}}"),
                format!("{{{{ (({get} ~ '') | lower) in {BOOLEAN_WORDS} }}}}"),
            ),
            Self::FromEpoch { notation, millis } => {
                let notation = quoted(notation);
                let seconds =
                    if *millis { format!("(({at} | int) / 1000) | int") } else { format!("{at} | int") };
                let test = format!("({get} ~ '').isdigit()");
                (
                    format!("{{{{ format_datetime({seconds}, {notation}) if {test} else '' }}}}"),
                    format!("{{{{ {test} }}}}"),
                )
            }
            Self::Notation(notation) => {
                let notation = quoted(notation);
                let test = format!("({get} ~ '')[4:5] == '-'");
                (
                    format!("{{{{ format_datetime({at}, {notation}) if {test} else '' }}}}"),
                    format!("{{{{ {test} }}}}"),
                )
            }
            Self::ToEpoch { millis } => {
                let notation = if *millis { "'%ms'" } else { "'%s'" };
                let test = format!("({get} ~ '')[4:5] == '-'");
                (
                    format!("{{{{ format_datetime({at}, {notation}) if {test} else '' }}}}"),
                    format!("{{{{ {test} }}}}"),
                )
            }
            Self::Scale { factor, whole } => {
                let round = if *whole { "round | int" } else { "round(10)" };
                (format!("{{{{ ({at} * {factor}) | {round} if {get} is number else '' }}}}"), is_number)
            }
            Self::Words(words) => {
                let pairs: Vec<String> =
                    words.iter().map(|(new, old)| format!("{}: {}", quoted(new), quoted(old))).collect();
                (format!("{{{{ {{{}}}.get({at}, {at}) }}}}", pairs.join(", ")), is_text)
            }
        }
    }
}

/// The value at a path, for where it is known to be there.
fn access(path: &[String]) -> String {
    match path {
        [key] => format!("record[{}]", quoted(key)),
        _ => guarded(path),
    }
}

/// The value at a path, none where any part of it is missing.
fn guarded(path: &[String]) -> String {
    let mut text = "record".to_owned();
    for (i, key) in path.iter().enumerate() {
        if i > 0 {
            text = format!("({text} or {{}})");
        }
        text = format!("{text}.get({})", quoted(key));
    }
    text
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// What an addition does, where it is one of ours or reads a field of the record as it is.
pub(super) fn read(value: &str) -> Option<(Vec<String>, Form)> {
    let inner = value.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    if let Some((path, "")) = read_access(inner) {
        return Some((path, Form::Copy));
    }
    // Every form names its path first where `record` first stands; what it is, the same text written again proves.
    let start = inner.find("record")?;
    let open = inner[..start].len() - inner[..start].trim_end_matches('(').len();
    let path = (0..=open).rev().find_map(|back| read_access(&inner[start - back..]).map(|(path, _)| path))?;
    candidates(inner).into_iter().find(|form| form.write(&path).0 == value.trim()).map(|form| (path, form))
}

/// Whether a condition is the guard that goes with a form.
pub(super) fn is_guard(condition: &str, path: &[String], form: &Form) -> bool {
    condition.trim() == form.write(path).1
}

fn candidates(inner: &str) -> Vec<Form> {
    let mut forms = vec![
        Form::Lower,
        Form::Upper,
        Form::Boolean,
        Form::ToEpoch { millis: false },
        Form::ToEpoch { millis: true },
    ];
    if let Some((_, rest)) = inner.split_once(", '%")
        && let Some((notation, _)) = rest.split_once('\'')
    {
        let notation = format!("%{notation}");
        forms.push(Form::FromEpoch { notation: notation.clone(), millis: false });
        forms.push(Form::FromEpoch { notation: notation.clone(), millis: true });
        forms.push(Form::Notation(notation));
    }
    if let Some((_, rest)) = inner.split_once(" * ")
        && let Some((factor, _)) = rest.split_once(')')
        && let Ok(factor) = factor.parse()
    {
        forms.extend([Form::Scale { factor, whole: true }, Form::Scale { factor, whole: false }]);
    }
    if let Some(words) = read_words(inner) {
        forms.push(Form::Words(words));
    }
    forms
}

fn read_words(inner: &str) -> Option<BTreeMap<String, String>> {
    let mut rest = inner.strip_prefix('{')?;
    let mut words = BTreeMap::new();
    loop {
        let (new, after) = read_quoted(rest)?;
        let (old, after) = read_quoted(after.strip_prefix(": ")?)?;
        words.insert(new, old);
        match after.strip_prefix(", ") {
            Some(more) => rest = more,
            None => return after.starts_with('}').then_some(words),
        }
    }
}

/// `record['a']['b']`, `record.a.b`, `record.get('a')`, `(record.get('a') or {}).get('b')`, and what is behind it.
fn read_access(text: &str) -> Option<(Vec<String>, &str)> {
    read_access_within(text, 0)
}

fn read_access_within(text: &str, depth: usize) -> Option<(Vec<String>, &str)> {
    if depth > 32 {
        return None;
    }
    let (mut path, mut rest) = if let Some(inner) = text.strip_prefix('(') {
        let (path, rest) = read_access_within(inner, depth + 1)?;
        (path, rest.strip_prefix(" or {})")?)
    } else {
        (Vec::new(), text.strip_prefix("record")?)
    };
    loop {
        if let Some(after) = rest.strip_prefix(".get(") {
            let (key, after) = read_quoted(after)?;
            path.push(key);
            rest = after.strip_prefix(')')?;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (key, after) = read_quoted(after)?;
            path.push(key);
            rest = after.strip_prefix(']')?;
        } else if let Some(after) = rest.strip_prefix('.') {
            let len = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            // A method such as `record.name.lower()` is not a member.
            if len == 0 || after[len..].starts_with('(') {
                return None;
            }
            path.push(after[..len].to_owned());
            rest = &after[len..];
        } else {
            return (!path.is_empty()).then_some((path, rest));
        }
    }
}

fn read_quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut key = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => key.push(chars.next()?.1),
            c if c == quote => return Some((key, &text[i + 1..])),
            c => key.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn reads_back_what_it_writes() {
        let words =
            BTreeMap::from([("it's".to_owned(), "it is".to_owned()), ("B".to_owned(), "b".to_owned())]);
        for form in [
            Form::Copy,
            Form::Lower,
            Form::Upper,
            Form::Boolean,
            Form::FromEpoch { notation: "%Y-%m-%dT%H:%M:%SZ".into(), millis: false },
            Form::FromEpoch { notation: "%Y-%m-%dT%H:%M:%SZ".into(), millis: true },
            Form::Notation("%Y-%m-%d %H:%M:%S".into()),
            Form::ToEpoch { millis: false },
            Form::Scale { factor: 100.0, whole: true },
            Form::Scale { factor: 0.01, whole: false },
            Form::Words(words),
        ] {
            for path in [path(&["a"]), path(&["a", "b", "it's \\ odd"])] {
                let (value, condition) = form.write(&path);
                assert_eq!(read(&value), Some((path.clone(), form.clone())), "{value}");
                assert!(is_guard(&condition, &path, &form));
            }
        }
    }

    #[test]
    fn reads_what_people_write() {
        for text in [
            "{{ record.a.b }}",
            "{{ record['a'][\"b\"] }}",
            "{{ (record.get('a') or {}).get('b') }}",
            "{{record.a['b']}}",
        ] {
            assert_eq!(read(text), Some((path(&["a", "b"]), Form::Copy)), "{text}");
        }
        for text in [
            "{{ record.a or stream_slice.b }}",
            "{{ record.name.strip() }}",
            "x",
            "{{ records }}",
            "{{ record }}",
            "{{ config['a'] }}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_proven_form() {
        let (value, condition) = Form::Copy.write(&path(&["email_address"]));
        assert_eq!(value, "{{ record['email_address'] }}");
        assert_eq!(condition, "{{ record.get('email_address') is not none }}");
    }
}
