//! The words by which people who write references tell types: `array of strings`, `integer, required`, `datetime?`.

use std::collections::BTreeSet;

/// Words that are looked at; what comes after them explains.
const MAX_WORDS: usize = 24;
/// Values that a list of them may have.
const MAX_VALUES: usize = 200;

/// What a text of types says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// JSON types; none where no word is known.
    pub(super) types: BTreeSet<&'static str>,
    pub(super) format: Option<&'static str>,
    /// The types of the elements of an array.
    pub(super) items: BTreeSet<&'static str>,
    pub(super) values: Option<BTreeSet<String>>,
    pub(super) nullable: Option<bool>,
    pub(super) required: Option<bool>,
    pub(super) deprecated: Option<bool>,
    /// Where a parameter goes.
    pub(super) place: Option<&'static str>,
    /// The words that mean nothing here.
    pub(super) rest: Vec<String>,
}

/// A type that a word stands for, with its format.
fn type_of(word: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match word {
        "string" | "str" | "text" | "varchar" | "char" => ("string", None),
        "integer" | "int" | "int32" | "int64" | "long" | "bigint" | "short" => ("integer", None),
        "number" | "float" | "double" | "decimal" | "numeric" => ("number", None),
        "boolean" | "bool" => ("boolean", None),
        "object" | "hash" | "dict" | "dictionary" | "map" | "json" | "struct" => ("object", None),
        "array" | "list" => ("array", None),
        "datetime" | "date-time" => ("string", Some("date-time")),
        "date" => ("string", Some("date")),
        "uuid" | "guid" => ("string", Some("uuid")),
        "url" | "uri" => ("string", Some("uri")),
        "email" => ("string", Some("email")),
        "enum" => ("string", None),
        _ => return None,
    })
}

/// The same of several: `array of strings`.
fn type_of_any(word: &str) -> Option<(&'static str, Option<&'static str>)> {
    type_of(word).or_else(|| type_of(word.strip_suffix('s')?))
}

/// Words that only join others, or mark what kind of text follows.
const JOINING: [&str; 9] = ["of", "or", "and", "a", "an", "the", "format", "value", "type"];

impl Words {
    /// Reads a text; what comes after the first words is not looked at.
    pub(super) fn of(text: &str) -> Self {
        let mut words = Self { values: values(text), ..Self::default() };
        let told: Vec<String> = split(text);
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        let listed = words.values.clone().unwrap_or_default();
        let mut at = 0;
        while let Some(word) = told.get(at).copied().filter(|_| at < MAX_WORDS) {
            at += 1 + words.take(word, &told[at + 1..], &listed);
        }
        words.rest.extend(told.iter().skip(at).map(|word| (*word).to_owned()));
        words
    }

    /// Takes a word with what follows it; how many of those belong to it.
    fn take(&mut self, word: &str, next: &[&str], listed: &BTreeSet<String>) -> usize {
        let begins = |words: &[&str]| next.starts_with(words);
        match word {
            "required" | "mandatory" => self.required = Some(true),
            "optional" => self.required = Some(false),
            "not" if begins(&["required"]) => {
                self.required = Some(false);
                return 1;
            }
            "not" if begins(&["null"]) || begins(&["nullable"]) => {
                self.nullable = Some(false);
                return 1;
            }
            "non-null" | "non-nullable" => self.nullable = Some(false),
            "null" | "nullable" | "none" => self.nullable = Some(true),
            "deprecated" => self.deprecated = Some(true),
            "query" => self.place = Some("query"),
            "path" => self.place = Some("path"),
            "header" => self.place = Some("header"),
            "body" => self.place = Some("body"),
            "date" if begins(&["and", "time"]) || begins(&["&", "time"]) => {
                self.add(("string", Some("date-time")));
                return 2;
            }
            "date" if begins(&["time"]) => {
                self.add(("string", Some("date-time")));
                return 1;
            }
            // A point in time is a number or a text: which of them the words around it say.
            "timestamp" if next.iter().any(|word| matches!(*word, "unix" | "epoch" | "seconds")) => {
                self.add(("integer", None));
            }
            "timestamp" if next.iter().any(|word| matches!(*word, "iso" | "iso8601" | "rfc" | "rfc3339")) => {
                self.add(("string", Some("date-time")));
            }
            "unix" | "epoch" if begins(&["timestamp"]) || begins(&["time"]) => {
                self.add(("integer", None));
                return 1;
            }
            "array" | "list" => {
                self.add(("array", None));
                let skip = usize::from(begins(&["of"]));
                if let Some((word, _)) = next.get(skip).and_then(|word| type_of_any(word)) {
                    self.items.insert(word);
                    return skip + 1;
                }
            }
            // `string array`
            word if type_of(word).is_some() && (begins(&["array"]) || begins(&["list"])) => {
                self.add(("array", None));
                self.items.extend(type_of(word).map(|(word, _)| word));
                return 1;
            }
            word if JOINING.contains(&word) => {}
            word if listed.contains(word) => {}
            word => match (word.strip_suffix("[]"), type_of(word)) {
                (Some(of), _) => {
                    self.add(("array", None));
                    self.items.extend(type_of_any(of).map(|(word, _)| word));
                }
                (None, Some(known)) => self.add(known),
                (None, None) => self.rest.push(word.to_owned()),
            },
        }
        0
    }

    fn add(&mut self, (word, format): (&'static str, Option<&'static str>)) {
        // `string <date-time>`: the second word says the first one more exactly.
        let refines = format.is_some() && self.types.contains("string");
        if !refines || self.format.is_none() {
            self.types.insert(word);
            self.format = format.or(self.format).filter(|_| self.types.contains("string"));
        }
    }

    /// Whether every word of the text is known, and one of them says something.
    pub(super) fn are_all_known(&self) -> bool {
        self.rest.is_empty() && *self != Self::default()
    }
}

/// A text as words in lower case; `[]` stays with its word, and `string?` says what `optional` does.
fn split(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace("[]", "\u{1}");
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\u{1}' | '&' | '\'');
    let words = lower.split(|c: char| !is_part(c)).map(|word| word.replace('\u{1}', "[]"));
    let words = words.map(|word| word.trim_matches(['-', '\'']).to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// The values of an enumeration, where a text lists them: ``enum: `a`, `b` ``, `one of a | b`.
pub(super) fn values(text: &str) -> Option<BTreeSet<String>> {
    let lower = text.to_ascii_lowercase();
    let start = ["enum", "one of"].iter().find_map(|mark| Some(lower.find(mark)? + mark.len()))?;
    listed(text.get(start..)?)
}

/// The values in a list of them: those in quotes, else those between signs; `None` below two.
pub(super) fn listed(text: &str) -> Option<BTreeSet<String>> {
    let found: BTreeSet<String> =
        match ['`', '"', '\''].into_iter().find(|quote| text.matches(*quote).count() >= 4) {
            Some(quote) => text.split(quote).skip(1).step_by(2).map(str::to_owned).collect(),
            None => {
                let list = text.trim_start_matches([':', ' ', '(', '[', '<']);
                let list = list.split([')', ']', '>', ';', '.']).next().unwrap_or_default();
                list.split([',', '|', '/']).map(|word| word.trim().to_owned()).collect()
            }
        };
    let is_value = |word: &String| !word.is_empty() && word.len() <= 60 && !word.contains(' ');
    (found.len() > 1 && found.len() <= MAX_VALUES && found.iter().all(is_value)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn types(text: &str) -> String {
        let words = Words::of(text);
        let join = |types: &BTreeSet<&str>| types.iter().copied().collect::<Vec<_>>().join("|");
        let mut told = join(&words.types);
        if !words.items.is_empty() {
            told = format!("{told} of {}", join(&words.items));
        }
        for (name, flag) in
            [("nullable", words.nullable), ("required", words.required), ("deprecated", words.deprecated)]
        {
            told.extend(flag.map(|flag| format!(" {}{name}", if flag { "" } else { "not " })));
        }
        format!("{told}{}", words.format.map(|format| format!(" <{format}>")).unwrap_or_default())
    }

    #[test]
    fn words_of_the_trade_are_types() {
        for (text, told) in [
            ("string", "string"),
            ("String(255)", "string"),
            ("integer, required", "integer required"),
            ("`number` or null", "number nullable"),
            ("nullable string", "string nullable"),
            ("array of strings", "array of string"),
            ("List<Order>", "array"),
            ("integer[]", "array of integer"),
            ("string array", "array of string"),
            ("integer/string", "integer|string"),
            ("array[object] (optional)", "array of object not required"),
            ("ISO 8601 datetime", "string <date-time>"),
            ("date and time", "string <date-time>"),
            ("string <date-time>", "string <date-time>"),
            ("unix timestamp", "integer"),
            ("timestamp (ISO 8601)", "string <date-time>"),
            ("timestamp", ""),
            ("string (uuid)", "string <uuid>"),
            ("enum (open, closed)", "string"),
            ("integer | string", "integer|string"),
            ("Money", ""),
            ("boolean deprecated", "boolean deprecated"),
        ] {
            assert_eq!(types(text), told, "{text}");
        }
        let values = Words::of("enum: `open`, `closed`").values.unwrap();
        assert_eq!(values.into_iter().collect::<Vec<_>>(), ["closed", "open"]);
        assert!(Words::of("string, required").are_all_known());
        assert!(!Words::of("string in cents").are_all_known());
    }
}
