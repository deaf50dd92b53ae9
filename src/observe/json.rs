//! Looks into a body without reading it whole: a number beyond f64 or a lone surrogate elsewhere does no harm.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::{FieldPath, Step};

/// The raw value at a path of names and indices; `None` where it is not there.
pub(super) fn value_at<'a>(body: &'a str, path: &FieldPath) -> Option<&'a str> {
    let mut text = body.trim();
    for step in path.steps() {
        text = match step {
            Step::Key(key) => members(text)?.get(&**key)?.get(),
            Step::Index(index) => {
                let index = usize::try_from(*index).ok()?;
                elements(text, index.checked_add(1)?)?.first.get(index)?.get()
            }
            Step::Each => return None,
        };
    }
    Some(text)
}

/// A scalar at a path as text: a string without its quotes, a number as it is written; `None` for null, `false`, the
/// empty string, and whatever is no scalar.
pub(super) fn scalar_at(body: &str, path: &FieldPath) -> Option<String> {
    let raw = value_at(body, path)?;
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(raw).ok().filter(|text| !text.is_empty()),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        b't' => Some("true".to_owned()),
        _ => None,
    }
}

/// What ails a text that should be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ailment {
    /// It begins well and ends early.
    Truncated,
    /// It is no JSON.
    NotJson,
}

/// Whether a text is JSON, whatever its numbers and strings hold.
pub(super) fn ailment(body: &str) -> Option<Ailment> {
    let error = serde_json::from_str::<IgnoredAny>(body).err()?;
    let begins = body.trim_start().starts_with(['{', '[']);
    Some(if error.is_eof() && begins { Ailment::Truncated } else { Ailment::NotJson })
}

/// A place at which a text is no JSON, or none that can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// Counted from 1.
    pub line: usize,
    /// In bytes, counted from 1.
    pub column: usize,
    /// What is wrong, without a value.
    pub why: String,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.why)
    }
}

/// Where a text is no JSON; `None` where it is.
#[must_use]
pub fn fault_of_json(text: &str) -> Option<JsonFault> {
    serde_json::from_str::<IgnoredAny>(text).err().as_ref().map(fault_of)
}

/// Why a record cannot be read in full, though it may be JSON: bytes that are no UTF-8, numbers beyond f64, half
/// surrogate pairs, too deep a nesting. `None` where nothing is wrong.
#[must_use]
pub fn fault_of_record(record: &[u8]) -> Option<JsonFault> {
    if let Err(wrong) = std::str::from_utf8(record) {
        let before = &record[..wrong.valid_up_to()];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        return Some(JsonFault { line, column: before.len() - line_start + 1, why: "no UTF-8".to_owned() });
    }
    let error = serde_json::from_slice::<serde_json::Value>(record).err()?;
    let is_json = serde_json::from_slice::<IgnoredAny>(record).is_ok();
    let fault = fault_of(&error);
    Some(if is_json { JsonFault { why: words_of(&error), ..fault } } else { fault })
}

/// The place and words of the parser.
pub(super) fn fault_of(error: &serde_json::Error) -> JsonFault {
    // Of an empty text the parser says line 1, column 0.
    let column = error.column().max(1);
    JsonFault { line: error.line(), column, why: format!("no JSON: {}", words_of(error)) }
}

/// The parser's words name signs that it expects, never what stands there.
fn words_of(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "it ends early".to_owned();
    }
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Where the records of a body seem to sit; `None` where it is no JSON object or array.
///
/// A list at the top wins; then, going down through objects, the nearest list of objects, a usual name first; an
/// object without one is a record itself. A GraphQL connection (`edges[*].node`) is seen through.
#[must_use]
pub fn guess_records_path(body: &str) -> Option<FieldPath> {
    let body = body.trim();
    if body.starts_with('[') {
        return elements(body, 0).map(|_| FieldPath::root().each());
    }
    let root = members(body)?;
    let mut level: Vec<(FieldPath, BTreeMap<String, &RawValue>)> = vec![(FieldPath::root(), root)];
    let mut own_values = 0;
    // Three levels down reach `data.orders.edges`; what is deeper is the record's own.
    for depth in 0..3 {
        let mut lists = Vec::new();
        let mut below = Vec::new();
        for (path, object) in &level {
            for (name, value) in object {
                let raw = value.get();
                match raw.as_bytes().first() {
                    Some(b'[') => {
                        let Some(items) = elements(raw, LOOKED_AT) else { continue };
                        let of_objects = items.first.iter().all(|item| item.get().starts_with('{'));
                        let usual = USUAL.iter().position(|usual| name.eq_ignore_ascii_case(usual));
                        if of_objects && (items.count > 0 || usual.is_some()) {
                            let rank = usual.unwrap_or(USUAL.len());
                            lists.push((rank, std::cmp::Reverse(items.count), path.child(name), items));
                        }
                    }
                    Some(b'{') => {
                        if let Some(inner) = members(raw) {
                            below.push((path.child(name), inner));
                        }
                    }
                    Some(_) if depth == 0 && !is_about_the_list(name) => own_values += 1,
                    Some(_) | None => {}
                }
            }
        }
        lists.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        // An object with values of its own is a record that happens to hold a list.
        if let Some((rank, _, path, items)) = lists.into_iter().next()
            && (rank < USUAL.len() || own_values <= 2)
        {
            let of_nodes = items.count > 0
                && items
                    .first
                    .iter()
                    .all(|item| members(item.get()).is_some_and(|edge| edge.contains_key("node")));
            return Some(if of_nodes { path.each().child("node") } else { path.each() });
        }
        if own_values > 2 {
            break;
        }
        level = below;
    }
    Some(FieldPath::root())
}

/// Elements of a list that are looked at to tell what it is a list of.
const LOOKED_AT: usize = 1_000;

/// Names that lists of records usually have, the surest first.
const USUAL: [&str; 18] = [
    "data",
    "items",
    "results",
    "records",
    "value",
    "values",
    "rows",
    "entries",
    "nodes",
    "edges",
    "list",
    "objects",
    "content",
    "hits",
    "elements",
    "resources",
    "documents",
    "features",
];

/// Whether a member of the envelope speaks about the list, and not about a record.
fn is_about_the_list(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "count", "total", "next", "prev", "page", "limit", "offset", "more", "cursor", "status", "success",
        "ok", "message", "size", "took", "object", "url", "self", "first", "last", "version", "time", "code",
        "error", "token",
    ]
    .iter()
    .any(|word| name.contains(word))
}

fn members(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

/// The first elements of an array, and how many there are: a body of millions of zeros must not become a list of
/// millions of places.
struct Elements<'a> {
    first: Vec<&'a RawValue>,
    count: usize,
}

fn elements(text: &str, at_most: usize) -> Option<Elements<'_>> {
    struct Collect(usize);
    impl<'de> Visitor<'de> for Collect {
        type Value = Elements<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut found = Elements { first: Vec::new(), count: 0 };
            while found.first.len() < self.0 {
                let Some(element) = seq.next_element()? else { break };
                found.first.push(element);
            }
            found.count = found.first.len();
            while seq.next_element::<IgnoredAny>()?.is_some() {
                found.count += 1;
            }
            Ok(found)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_seq(Collect(at_most)).ok()?;
    reader.end().ok()?;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_past_what_cannot_be_read() {
        let body =
            r#"{"rows": [{"x": 1e999, "y": "\ud800"}], "next": {"cursor": "a\u00e9"}, "n": 7, "end": null}"#;
        let at = |path: &str| scalar_at(body, &path.parse().unwrap());
        assert_eq!(at("$.next.cursor").as_deref(), Some("aé"));
        assert_eq!(at("$.n").as_deref(), Some("7"));
        assert_eq!(at("$.end"), None);
        assert_eq!(at("$.gone"), None);
        assert_eq!(ailment(body), None);
        assert_eq!(ailment(&body[..40]), Some(Ailment::Truncated));
        assert_eq!(ailment("oops"), Some(Ailment::NotJson));
        assert_eq!(ailment(""), Some(Ailment::NotJson));
        // Depth costs no stack here.
        assert_eq!(ailment(&"[".repeat(1_000_000)), Some(Ailment::Truncated));
    }

    #[test]
    fn guesses_where_records_sit() {
        for (body, path) in [
            (r#"[{"id":1}]"#, "$[*]"),
            ("[]", "$[*]"),
            (r#"{"data":[{"id":1}],"included":[{"id":1},{"id":2}]}"#, "$.data[*]"),
            (r#"{"count":2,"next":null,"customers":[{"id":1},{"id":2}]}"#, "$.customers[*]"),
            (r#"{"results":[]}"#, "$.results[*]"),
            (r#"{"data":{"orders":{"edges":[{"node":{"id":1}}]}}}"#, "$.data.orders.edges[*].node"),
            (r#"{"response":{"status":"ok","docs":[{"id":1}]}}"#, "$.response.docs[*]"),
            (r#"{"id":1,"name":"a","city":"b","tags":[{"t":1}]}"#, "$"),
            (r#"{"rows":[{"x":1e999}]}"#, "$.rows[*]"),
        ] {
            assert_eq!(
                guess_records_path(body).map(|path| path.to_string()).as_deref(),
                Some(path),
                "{body}"
            );
        }
        assert_eq!(guess_records_path("<html>"), None);
        assert_eq!(guess_records_path("12"), None);
    }
}
