//! Splits a body into records without reading them, so that one record that cannot be read costs no other.

use super::{
    scan::{self, Broken},
    stops::Stops,
};
use crate::model::{FieldPath, Step};

/// Why a body holds no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// The place of the records is not there, or holds no array.
    #[error("no records at `{path}`: {why}")]
    NotThere {
        /// Where they should be.
        path: FieldPath,
        /// What is there.
        why: String,
    },
    /// Nested deeper than the limit.
    #[error("nested deeper than {0}")]
    TooDeep(u16),
}

/// The records of a body, each as its own text, in order.
///
/// `records` may go through names, indices and wildcards (`$.data.items[*]`, `$[*]`, `$.pages[*].rows[*]`); a wildcard
/// stands for the elements of an array alone, so that a new envelope is not taken for records. Where the path
/// ends on an array without saying `[*]`, the elements of the array are the records; a single object is one record.
/// An array that is there but empty gives no records and no error; so does `null` in its place.
///
/// The envelope is checked; the records are only delimited (brackets balanced, strings closed): a record with
/// `1e999`, half a surrogate pair or a missing comma inside is handed out as it is, and costs no other record.
/// Depth counts from the body's root and is bounded by `max_depth`, whatever the stack.
///
/// # Errors
/// [`SplitError`] where the body is no JSON or the place is not there.
pub fn split_records<'a>(
    body: &'a str,
    records: &FieldPath,
    max_depth: u16,
) -> Result<Vec<&'a str>, SplitError> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let cursor = Cursor { body, max_depth };
    let whole = cursor.whole()?;
    let mut found = vec![whole];
    for step in records.steps() {
        let mut below = Vec::new();
        for value in &found {
            cursor.descend(value, step, &mut below)?;
        }
        // Nothing in a list that is there is an answer; a list or a name that is not there is none.
        let is_empty_list = |value: &&str| value.starts_with(['[', 'n']);
        if below.is_empty() && !found.is_empty() {
            let why = match step {
                Step::Key(key) => format!("there is no `{key}`"),
                Step::Index(index) => format!("there is no element {index}"),
                Step::Each if found.iter().all(is_empty_list) => return Ok(below),
                Step::Each => "there is no array".to_owned(),
            };
            return Err(SplitError::NotThere { path: records.clone(), why });
        }
        found = below;
    }
    if let [single] = found.as_slice()
        && !matches!(records.steps().last(), Some(Step::Each))
    {
        return match single.as_bytes().first() {
            Some(b'[') => {
                let mut elements = Vec::new();
                cursor.descend(single, &Step::Each, &mut elements)?;
                Ok(elements)
            }
            Some(b'n') => Ok(Vec::new()),
            Some(b'{') => Ok(found),
            _ => Err(SplitError::NotThere {
                path: records.clone(),
                why: "there is a single value, neither array nor object".to_owned(),
            }),
        };
    }
    Ok(found)
}

/// The lines of newline-delimited JSON that hold something, without byte order mark and line ends.
pub fn split_lines(body: &str) -> impl Iterator<Item = &str> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    body.split('\n').map(|line| line.trim_matches([' ', '\t', '\r'])).filter(|line| !line.is_empty())
}

/// Where the records of an unknown envelope are: the array that holds the most objects, the shallowest of equals.
///
/// `None` where there is no array of objects.
#[must_use]
pub fn guess_records_path(body: &str) -> Option<FieldPath> {
    record_lists(body).ok()?.into_iter().next()
}

/// Every list of objects in a body, the one that holds the most first, then the shallowest, in the order of the body.
///
/// Envelopes are objects in objects (`[…]`, `{"data": […]}`, `{"results": {"items": […]}}`), looked through to four
/// levels; arrays are not looked into.
///
/// # Errors
/// [`SplitError`] where the body is no JSON, as far as its values are delimited.
pub fn record_lists(body: &str) -> Result<Vec<FieldPath>, SplitError> {
    const MAX_LEVELS: usize = 4;
    let cursor = Cursor { body: body.strip_prefix('\u{feff}').unwrap_or(body), max_depth: u16::MAX };
    let mut level = vec![(FieldPath::root(), cursor.whole()?)];
    let mut lists: Vec<(usize, FieldPath)> = Vec::new();
    for _ in 0..=MAX_LEVELS {
        let mut below = Vec::new();
        for (path, value) in level {
            if value.starts_with('{') {
                below
                    .extend(cursor.members(value)?.into_iter().map(|(key, value)| (path.child(&key), value)));
            } else if value.starts_with('[') {
                let objects =
                    cursor.elements(value)?.iter().filter(|element| element.starts_with('{')).count();
                if objects > 0 {
                    lists.push((objects, path.each()));
                }
            }
        }
        level = below;
    }
    lists.sort_by_key(|(objects, _)| std::cmp::Reverse(*objects));
    Ok(lists.into_iter().map(|(_, path)| path).collect())
}

/// Finds its way through a body, by the extent of values alone.
struct Cursor<'a> {
    body: &'a str,
    max_depth: u16,
}

impl<'a> Cursor<'a> {
    /// `rest` is a part of the body, so the distance of their starts is the place.
    fn syntax(&self, what: &str, rest: &str) -> SplitError {
        let at = (rest.as_ptr() as usize).saturating_sub(self.body.as_ptr() as usize);
        SplitError::Syntax(format!("{what} at byte {at}"))
    }

    /// The one value that the body is.
    fn whole(&self) -> Result<&'a str, SplitError> {
        let body = self.body.trim_matches([' ', '\t', '\r', '\n']);
        if body.is_empty() {
            return Err(SplitError::Syntax("the body is empty".to_owned()));
        }
        if !body.starts_with(['{', '[']) {
            return match serde_json::from_str::<serde::de::IgnoredAny>(body) {
                Ok(_) => Ok(body),
                Err(_) => Err(SplitError::Syntax("a value is expected at byte 0".to_owned())),
            };
        }
        let end = self.extent(body, 0)?;
        if end == body.len() {
            Ok(body)
        } else {
            Err(self.syntax("something follows the value", &body[end..]))
        }
    }

    /// Where the value that starts at `start` ends.
    ///
    /// Brackets are balanced and strings closed; anything else is left to whoever reads the value.
    fn extent(&self, text: &str, start: usize) -> Result<usize, SplitError> {
        let bytes = text.as_bytes();
        let mut open: Vec<u8> = Vec::new();
        let mut at = start;
        loop {
            match bytes.get(at) {
                None => return Err(SplitError::Syntax("the body ends inside a value".to_owned())),
                Some(b'"') => at = string_extent(bytes, at + 1).ok_or_else(|| self.unclosed(text, at))?,
                Some(bracket @ (b'{' | b'[')) => {
                    if open.len() >= usize::from(self.max_depth) {
                        return Err(SplitError::TooDeep(self.max_depth));
                    }
                    open.push(bracket + 2);
                    at += 1;
                }
                Some(bracket @ (b'}' | b']')) => {
                    if open.pop() != Some(*bracket) {
                        return Err(self.syntax("a bracket closes nothing", &text[at..]));
                    }
                    at += 1;
                }
                Some(_) if open.is_empty() => {
                    let len = bytes[at..].iter().take_while(|b| is_scalar_byte(**b)).count();
                    if len == 0 {
                        return Err(self.syntax("a value is expected", &text[at..]));
                    }
                    at += len;
                }
                Some(_) => {
                    at += bytes[at..].iter().take_while(|b| !is_structural(**b)).count();
                    continue;
                }
            }
            if open.is_empty() {
                return Ok(at);
            }
        }
    }

    fn unclosed(&self, text: &str, at: usize) -> SplitError {
        self.syntax("a string is never closed", &text[at..])
    }

    /// The values one step below `value`.
    fn descend(&self, value: &'a str, step: &Step, below: &mut Vec<&'a str>) -> Result<(), SplitError> {
        match step {
            Step::Key(wanted) if value.starts_with('{') => {
                let members = self.members(value)?;
                // As everywhere: of equal names the last counts.
                below
                    .extend(members.iter().rev().find(|(key, _)| **key == **wanted).map(|(_, value)| *value));
            }
            Step::Each if value.starts_with('[') => below.append(&mut self.elements(value)?),
            Step::Index(index) if value.starts_with('[') => {
                below.extend(self.elements(value)?.get(*index as usize));
            }
            Step::Key(_) | Step::Each | Step::Index(_) => {}
        }
        Ok(())
    }

    fn elements(&self, array: &'a str) -> Result<Vec<&'a str>, SplitError> {
        let mut elements = Vec::new();
        self.items(array, b']', |at| {
            let end = self.extent(array, at)?;
            elements.push(&array[at..end]);
            Ok(end)
        })?;
        Ok(elements)
    }

    fn members(&self, object: &'a str) -> Result<Vec<(String, &'a str)>, SplitError> {
        let bytes = object.as_bytes();
        let mut members = Vec::new();
        self.items(object, b'}', |at| {
            if bytes.get(at) != Some(&b'"') {
                return Err(self.syntax("a name is expected", &object[at..]));
            }
            let end = string_extent(bytes, at + 1).ok_or_else(|| self.unclosed(object, at))?;
            let key = &object[at + 1..end - 1];
            let colon = scan::skip_space(bytes, end);
            if bytes.get(colon) != Some(&b':') {
                return Err(self.syntax("`:` is expected", &object[colon..]));
            }
            let start = scan::skip_space(bytes, colon + 1);
            let end = self.extent(object, start)?;
            members.push((plain_key(key), &object[start..end]));
            Ok(end)
        })?;
        Ok(members)
    }

    /// Calls `item` at the start of each item of an array or object; it returns where the item ends.
    fn items(
        &self,
        container: &'a str,
        close: u8,
        mut item: impl FnMut(usize) -> Result<usize, SplitError>,
    ) -> Result<(), SplitError> {
        let bytes = container.as_bytes();
        let mut at = scan::skip_space(bytes, 1);
        if bytes.get(at) == Some(&close) {
            return Ok(());
        }
        loop {
            at = scan::skip_space(bytes, item(scan::skip_space(bytes, at))?);
            match bytes.get(at) {
                Some(b',') => at += 1,
                Some(byte) if *byte == close => return Ok(()),
                _ => return Err(self.syntax("`,` or the end is expected", &container[at..])),
            }
        }
    }
}

/// A name as it reads; one with a broken escape stays as it is written.
fn plain_key(raw: &str) -> String {
    let mut quoted = raw.as_bytes().to_vec();
    quoted.push(b'"');
    match scan::string(&quoted, 0, &Stops::of(&quoted)) {
        Ok(token) if token.escaped => scan::unescape(raw),
        Ok(_) | Err(Broken::Syntax | Broken::LoneSurrogate) => raw.to_owned(),
        Err(Broken::Encoding | Broken::NumberOutOfRange | Broken::TooDeep) => raw.to_owned(),
    }
}

/// The place behind a string's closing quote, whatever is in the string.
fn string_extent(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

const fn is_structural(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')
}

const fn is_scalar_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'a>(body: &'a str, path: &str) -> Result<Vec<&'a str>, SplitError> {
        split_records(body, &path.parse().unwrap(), 64)
    }

    #[test]
    fn finds_records_through_an_envelope() {
        let body = r#" {"meta": {"n": 2}, "data": {"items": [ {"id": 1, "x": "]"} , {"id": 2}]}} "#;
        assert_eq!(split(body, "$.data.items[*]").unwrap(), [r#"{"id": 1, "x": "]"}"#, r#"{"id": 2}"#]);
        assert_eq!(split(body, "$.data.items").unwrap().len(), 2, "an array means its elements");
        assert_eq!(split(body, "$").unwrap(), [body.trim()]);
        assert_eq!(split("[1, {\"a\": [2, 3]}]", "$").unwrap(), ["1", "{\"a\": [2, 3]}"]);
        assert_eq!(split("[[{}], [{}, {}]]", "$[*][*]").unwrap().len(), 3);
        assert_eq!(split("[[{}], [{}, {}]]", "$[1][*]").unwrap().len(), 2);
        assert_eq!(split(r#"{"d\u0061ta": [{}]}"#, "$.data").unwrap().len(), 1);
    }

    #[test]
    fn a_broken_record_costs_no_other() {
        let body = r#"[{"a": 1e999}, {"a": "\ud83d"}, {"a" 5}, {"a": 1}]"#;
        assert_eq!(split(body, "$[*]").unwrap().len(), 4);
    }

    #[test]
    fn nothing_there_is_not_nothing_in_it() {
        assert_eq!(split(r#"{"data": []}"#, "$.data[*]").unwrap(), Vec::<&str>::new());
        assert_eq!(split(r#"{"data": null}"#, "$.data").unwrap(), Vec::<&str>::new());
        assert!(matches!(split(r#"{"error": "x"}"#, "$.data[*]"), Err(SplitError::NotThere { .. })));
        assert!(matches!(split(r#"{"data": [{}]}"#, "$[*]"), Err(SplitError::NotThere { .. })));
        assert!(matches!(split("5", "$"), Err(SplitError::NotThere { .. })));
        for text in ["", "  ", "<html>", "{\"a\": 1", "[1, 2", "{} {}", "[}", "\"open"] {
            assert!(matches!(split(text, "$"), Err(SplitError::Syntax(_))), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded_without_the_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(split(&deep, "$"), Err(SplitError::TooDeep(64)));
        let deep = format!("{{\"x\": {}}}", "{\"a\":".repeat(100_000));
        assert_eq!(split(&deep, "$.x"), Err(SplitError::TooDeep(64)));
    }

    #[test]
    fn lines() {
        let lines: Vec<_> = split_lines("\u{feff}{\"a\":1}\r\n\n  \n{\"a\":2}").collect();
        assert_eq!(lines, ["{\"a\":1}", "{\"a\":2}"]);
    }

    #[test]
    fn guesses_the_largest_shallowest_array() {
        let guess = |body| guess_records_path(body).map(|path| path.to_string());
        assert_eq!(guess("[{}, {}]").as_deref(), Some("$[*]"));
        assert_eq!(guess(r#"{"links": [{}], "data": [{}, {}]}"#).as_deref(), Some("$.data[*]"));
        assert_eq!(
            guess(r#"{"results": {"items": [{}]}, "n": [1, 2]}"#).as_deref(),
            Some("$.results.items[*]")
        );
        assert_eq!(guess(r#"{"a": 1}"#), None);
        assert_eq!(guess("[1, 2]"), None);
        let lists = record_lists(r#"{"a": [{}], "b": {"c": [{}, {}]}, "d": [{}, {}], "e": [1]}"#).unwrap();
        assert_eq!(
            lists.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["$.d[*]", "$.b.c[*]", "$.a[*]"]
        );
    }
}
