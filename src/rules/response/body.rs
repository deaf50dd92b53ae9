//! What a body is, whatever its headers say, and a view of it that costs little even where it is large.

use std::borrow::Cow;

use serde_json::{Map, Value, value::RawValue};

use crate::model::{FieldPath, Step};

/// What a body looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Media {
    /// One JSON text.
    Json,
    /// Nothing, or white space.
    Empty,
    /// JSON that ends early.
    CutJson,
    /// One JSON text a line.
    JsonLines,
    /// A page for people.
    Html,
    /// XML.
    Xml,
    /// Comma- or semicolon-separated values.
    Csv,
    /// Other text.
    Text,
    /// No text.
    Binary,
}

/// What bytes look like, by themselves.
#[must_use]
pub fn media_of(bytes: &[u8]) -> Media {
    Body::of(bytes, None).media
}

/// Text that is matched against patterns: an error that needs more is none.
const TEXT_LIMIT: usize = 16 * 1024;
/// Members of a top-level object that are looked into; larger ones are data.
const MEMBER_LIMIT: usize = 64 * 1024;

/// What a body of JSON holds that could be records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Holding {
    /// No list of objects, but those in which errors are explained.
    Nothing,
    /// A list of objects, or what is too large to be an error.
    Records,
    /// None but a list that is named as errors are, of things that are told apart by an `id` each.
    NamedErrors,
}

/// A body as rules look at it.
pub(super) struct Body<'a> {
    pub(super) media: Media,
    bytes: &'a [u8],
    /// The first bytes as text, for patterns.
    pub(super) text: Cow<'a, str>,
    /// The top level, without what is too large to be an error.
    pub(super) json: Value,
}

impl<'a> Body<'a> {
    pub(super) fn of(bytes: &'a [u8], content_type: Option<&str>) -> Self {
        let head = &bytes[..bytes.len().min(TEXT_LIMIT)];
        let mut body =
            Self { media: Media::Empty, bytes, text: String::from_utf8_lossy(head), json: Value::Null };
        let start = body.text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        if start.is_empty() && head.len() == bytes.len() {
            return body;
        }
        (body.media, body.json) = match looks_like(start, head, content_type) {
            Some(media) => (media, Value::Null),
            None => read_json(bytes),
        };
        body
    }

    /// What the body holds that could be records.
    pub(super) fn holding(&self) -> Holding {
        holding(&self.json, false)
    }

    /// What the body is, by name, for notes: the declared media type where it fits, else what it looks like.
    pub(super) fn name(&self, content_type: Option<&str>) -> String {
        let looks = match self.media {
            Media::Json => "JSON",
            Media::Empty => "nothing",
            Media::CutJson => "JSON that ends early",
            Media::JsonLines => "JSON lines",
            Media::Html => "HTML",
            Media::Xml => "XML",
            Media::Csv => "CSV",
            Media::Text => "text",
            Media::Binary => magic(self.bytes).unwrap_or("binary data"),
        };
        let declared = content_type.map(essence).filter(|essence| is_media_type(essence));
        match declared {
            Some(essence) => format!("{looks} (declared as {essence})"),
            None => looks.to_owned(),
        }
    }

    /// The values at a path of the top level, wildcards through arrays and objects.
    pub(super) fn values(&self, path: &FieldPath) -> Vec<&Value> {
        let mut values = vec![&self.json];
        for step in path.steps() {
            let mut below = Vec::new();
            for value in values {
                match (step, value) {
                    (Step::Key(key), Value::Object(object)) => below.extend(object.get(&**key)),
                    (Step::Each, Value::Array(array)) => below.extend(array.iter().take(100)),
                    (Step::Each, Value::Object(object)) => below.extend(object.values().take(100)),
                    (Step::Index(index), Value::Array(array)) => below.extend(array.get(*index as usize)),
                    (Step::Key(_) | Step::Each | Step::Index(_), _) => {}
                }
            }
            values = below;
        }
        values
    }
}

/// What lies below a value, on the outside of any list; `explains` where it is about an error by its name.
fn holding(value: &Value, explains: bool) -> Holding {
    match value {
        // What was too large to be kept has one member without a name.
        Value::Object(object) if !explains && object.len() == 1 && object.get("") == Some(&Value::Null) => {
            Holding::Records
        }
        Value::Object(object) => {
            let below =
                object.iter().map(|(name, member)| holding(member, explains || explains_errors(name)));
            below.fold(Holding::Nothing, |all, one| match (all, one) {
                (Holding::Records, _) | (_, Holding::Records) => Holding::Records,
                (Holding::NamedErrors, _) | (_, Holding::NamedErrors) => Holding::NamedErrors,
                (Holding::Nothing, Holding::Nothing) => Holding::Nothing,
            })
        }
        Value::Array(list) if explains => {
            let mut objects = list.iter().filter_map(Value::as_object).peekable();
            let are_things = objects.peek().is_some() && objects.all(is_thing);
            if are_things { Holding::NamedErrors } else { Holding::Nothing }
        }
        // What was too large to be kept is a list of `null`.
        Value::Array(list) if list.iter().any(|element| element.is_object() || element.is_null()) => {
            Holding::Records
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Holding::Nothing
        }
    }
}

/// Whether what a member holds explains an error, by its name: `errors`, `fieldErrors`, and the words of RFC 9457 and of
/// Google's API errors for the parts of one.
fn explains_errors(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("error")
        || ["details", "violations", "fieldviolations", "invalid-params", "invalid_params", "invalidparams"]
            .contains(&name.as_str())
}

/// Whether an element of a list of errors is a thing of its own, such as what a tracker of errors keeps: its `id` is a
/// number, or holds one. An `id` in words is the name of an error. An error object of JSON:API may have an `id` as well,
/// and is known by a `status` that is text, as that format wants it.
fn is_thing(element: &Map<String, Value>) -> bool {
    let has_own_id = match element.get("id") {
        Some(Value::Number(_)) => true,
        Some(Value::String(id)) => id.bytes().any(|b| b.is_ascii_digit()),
        _ => false,
    };
    has_own_id && !element.get("status").is_some_and(Value::is_string)
}

/// `text/html; charset=utf-8` without its parameters.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a header really holds a media type, so that nothing else is ever printed.
fn is_media_type(essence: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty()
            && part.len() <= 64
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
    };
    essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

fn magic(bytes: &[u8]) -> Option<&'static str> {
    let table: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "a ZIP archive (or an office document)"),
        (b"\x1f\x8b", "gzip"),
        (b"%PDF-", "PDF"),
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"PAR1", "Parquet"),
        (b"Obj\x01", "Avro"),
    ];
    table.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, name)| *name)
}

/// What a body is that cannot be JSON.
fn looks_like(start: &str, head: &[u8], content_type: Option<&str>) -> Option<Media> {
    if magic(head).is_some() || memchr::memchr(0, head).is_some() {
        return Some(Media::Binary);
    }
    let first = start.chars().next()?;
    if first == '<' {
        let lower: String = start.chars().take(1024).collect::<String>().to_ascii_lowercase();
        let declared = content_type.map(essence).unwrap_or_default();
        let html = lower.contains("<!doctype html")
            || ["<html", "<head", "<body", "<title", "<h1", "<p>", "<div"]
                .iter()
                .any(|tag| lower.contains(tag))
            || (declared == "text/html" && !lower.starts_with("<?xml"));
        return Some(if html { Media::Html } else { Media::Xml });
    }
    if matches!(first, '{' | '[' | '"' | '-' | '0'..='9' | 't' | 'f' | 'n') {
        return None;
    }
    Some(if is_csv(start) { Media::Csv } else { Media::Text })
}

/// Whether the first lines have the same number, at least one, of the same separator.
fn is_csv(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(4).collect();
    // The last line may be cut by the limit.
    let whole = if lines.len() > 2 { &lines[..lines.len() - 1] } else { &lines[..] };
    whole.len() > 1
        && [',', ';', '\t', '|'].iter().any(|separator| {
            let counts: Vec<usize> = whole.iter().map(|line| line.matches(*separator).count()).collect();
            counts[0] > 0 && counts.iter().all(|count| *count == counts[0])
        })
}

/// Checks the syntax of the whole body, and keeps of its top level what is small enough to be an error.
///
/// Values are skipped, not built, so that half surrogate pairs and numbers beyond f64 pass: they are the concern of
/// the records that hold them.
fn read_json(bytes: &[u8]) -> (Media, Value) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let top = match serde_json::from_str::<&RawValue>(text) {
        Ok(top) => top.get(),
        Err(error) if error.is_eof() => return (Media::CutJson, Value::Null),
        Err(_) => return (after_first_value(text), Value::Null),
    };
    let value = if top.len() <= MEMBER_LIMIT {
        serde_json::from_str(top).unwrap_or_else(|_| shallow(top))
    } else {
        shallow(top)
    };
    (Media::Json, value)
}

/// The members of a top-level object, each read where it is small and well; `null` stands for the others.
fn shallow(top: &str) -> Value {
    let Ok(members) = serde_json::from_str::<std::collections::BTreeMap<Cow<'_, str>, &RawValue>>(top) else {
        return if top.starts_with('[') { Value::Array(Vec::new()) } else { Value::Null };
    };
    let mut object = Map::new();
    for (name, raw) in members.into_iter().take(256) {
        let small = (raw.get().len() <= MEMBER_LIMIT).then(|| serde_json::from_str(raw.get()).ok()).flatten();
        let placeholder = || match raw.get().as_bytes().first() {
            Some(b'[') => Value::Array(vec![Value::Null]),
            Some(b'{') => Value::Object(Map::from_iter([(String::new(), Value::Null)])),
            _ => Value::Null,
        };
        object.insert(name.into_owned(), small.unwrap_or_else(placeholder));
    }
    Value::Object(object)
}

/// Text that begins like JSON and is not one: several JSON texts, values separated by commas, or words.
fn after_first_value(text: &str) -> Media {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let first_is_container = text.trim_start().starts_with(['{', '[']);
    if first_is_container && matches!(values.next(), Some(Ok(_))) && matches!(values.next(), Some(Ok(_))) {
        return Media::JsonLines;
    }
    if is_csv(text) { Media::Csv } else { Media::Text }
}
