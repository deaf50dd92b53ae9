//! Reading a field map, strictly: an unknown key is an error with its place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::document::{Document, Route, below, item, lookup};
use super::{AdapterError, Convert, FieldMap, FieldRule, FieldType, StreamMap};
use crate::model::{DeclaredType, FieldPath, Framework, JsonType, MappedField, MappedStream, Mapping};

/// Whether a text is a field map: a mapping with `version` and `streams` by name.
pub(in super::super) fn recognise(text: &str) -> bool {
    let Ok(document) = Document::parse(text) else { return false };
    document.value().get("version").is_some_and(Value::is_u64)
        && document.value().get("streams").and_then(Value::as_object).is_some_and(|streams| {
            !streams.is_empty() && streams.values().all(|stream| stream.get("fields").is_some())
        })
}

/// The field map of a text.
pub(super) fn parse(text: &str) -> Result<FieldMap, AdapterError> {
    parse_document(&Document::parse(text)?)
}

pub(super) fn parse_document(document: &Document) -> Result<FieldMap, AdapterError> {
    let reader = Reader { document };
    let root = Route::new();
    let top = reader.mapping(&root, &["version", "streams"])?;
    match top.get("version") {
        Some(Value::Number(version)) if version.as_u64() == Some(1) => {}
        Some(_) => return Err(document.error(&below(&root, "version"), "`version` must be 1")),
        None => return Err(document.error(&root, "`version: 1` is missing")),
    }
    let at = below(&root, "streams");
    let Some(Value::Object(streams)) = top.get("streams") else {
        return Err(document.error(&at, "`streams` must be a mapping of streams by name"));
    };
    let streams =
        streams.keys().map(|name| reader.stream(&below(&at, name), name)).collect::<Result<_, _>>()?;
    Ok(FieldMap { streams })
}

struct Reader<'d> {
    document: &'d Document,
}

impl Reader<'_> {
    fn value(&self, at: &Route) -> &Value {
        lookup(self.document.value(), at).unwrap_or(&Value::Null)
    }

    /// The mapping at a route, with no other keys than these.
    fn mapping(&self, at: &Route, known: &[&str]) -> Result<&Map<String, Value>, AdapterError> {
        let Value::Object(members) = self.value(at) else {
            return Err(self.document.error(at, format!("a mapping with {} is expected", list(known))));
        };
        if let Some(unknown) = members.keys().find(|key| !known.contains(&key.as_str())) {
            let reason = format!("unknown key `{unknown}`; known are {}", list(known));
            return Err(self.document.error(&below(at, unknown), reason));
        }
        Ok(members)
    }

    fn text(&self, at: &Route) -> Result<Option<String>, AdapterError> {
        match self.value(at) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(self.document.error(at, "a text is expected")),
        }
    }

    fn path(&self, at: &Route, repeated: bool) -> Result<FieldPath, AdapterError> {
        let Value::String(text) = self.value(at) else {
            return Err(self.document.error(at, "a path such as `$.name` is expected"));
        };
        let path: FieldPath = text.parse().map_err(|error| self.document.error(at, format!("{error}")))?;
        if path.is_repeated() && !repeated {
            return Err(self.document.error(at, "a column holds one value: `[*]` cannot be used here"));
        }
        Ok(path)
    }

    /// One path or a list of them.
    fn paths(&self, at: &Route) -> Result<Vec<FieldPath>, AdapterError> {
        match self.value(at) {
            Value::Array(items) if items.is_empty() => {
                Err(self.document.error(at, "at least one path is expected"))
            }
            Value::Array(items) => (0..items.len()).map(|i| self.path(&item(at, i), false)).collect(),
            _ => Ok(vec![self.path(at, false)?]),
        }
    }

    fn stream(&self, at: &Route, name: &str) -> Result<StreamMap, AdapterError> {
        let known = ["endpoint", "method", "records", "primary_key", "cursor", "fields"];
        let members = self.mapping(at, &known)?;
        let fields_at = below(at, "fields");
        let Some(Value::Object(fields)) = members.get("fields") else {
            return Err(self.document.error(at, "`fields` must be a mapping of columns to paths"));
        };
        let fields: Vec<FieldRule> = fields
            .keys()
            .map(|target| self.field(&below(&fields_at, target), target))
            .collect::<Result<_, _>>()?;
        let column = |at: &Route, name: String| {
            if fields.iter().any(|field| field.target == name) {
                Ok(name)
            } else {
                Err(self.document.error(at, format!("`{name}` is no column of this stream")))
            }
        };
        let key_at = below(at, "primary_key");
        let primary_key = match self.value(&key_at) {
            Value::Null => Vec::new(),
            Value::String(name) => vec![column(&key_at, name.clone())?],
            Value::Array(names) => (0..names.len())
                .map(|i| {
                    let at = item(&key_at, i);
                    let name = self.text(&at)?.unwrap_or_default();
                    column(&at, name)
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(self.document.error(&key_at, "a column or a list of columns is expected")),
        };
        let cursor_at = below(at, "cursor");
        let cursor = self.text(&cursor_at)?.map(|name| column(&cursor_at, name)).transpose()?;
        let records_at = below(at, "records");
        let records = members.get("records").map(|_| self.path(&records_at, true)).transpose()?;
        let method = self.text(&below(at, "method"))?.map_or_else(|| "GET".to_owned(), |m| m.to_uppercase());
        Ok(StreamMap {
            name: name.to_owned(),
            endpoint: self.text(&below(at, "endpoint"))?,
            method,
            records,
            primary_key,
            cursor,
            fields,
        })
    }

    fn field(&self, at: &Route, target: &str) -> Result<FieldRule, AdapterError> {
        let target = target.to_owned();
        if !self.value(at).is_object() {
            return Ok(FieldRule { target, from: self.paths(at)?, kind: None, convert: Vec::new() });
        }
        let members = self.mapping(at, &["from", "type", "convert"])?;
        if !members.contains_key("from") {
            return Err(self.document.error(at, "`from` is missing"));
        }
        let kind_at = below(at, "type");
        let kind = match self.text(&kind_at)? {
            None => None,
            Some(word) => match FieldType::ALL.iter().find(|(known, _)| *known == word) {
                Some((_, kind)) => Some(*kind),
                None => {
                    let known: Vec<&str> = FieldType::ALL.iter().map(|(word, _)| *word).collect();
                    return Err(self
                        .document
                        .error(&kind_at, format!("`{word}` is no type; known are {}", list(&known))));
                }
            },
        };
        let convert_at = below(at, "convert");
        let convert = match self.value(&convert_at) {
            Value::Null => Vec::new(),
            Value::Array(items) => {
                (0..items.len()).map(|i| self.convert(&item(&convert_at, i))).collect::<Result<_, _>>()?
            }
            _ => vec![self.convert(&convert_at)?],
        };
        Ok(FieldRule { target, from: self.paths(&below(at, "from"))?, kind, convert })
    }

    fn convert(&self, at: &Route) -> Result<Convert, AdapterError> {
        let wrong = || {
            let words: Vec<&str> = Convert::WORDS.iter().map(|(word, _)| *word).collect();
            let reason =
                format!("no such conversion; known are {}, {{multiply: N}}, {{map: {{…}}}}", list(&words));
            self.document.error(at, reason)
        };
        match self.value(at) {
            Value::String(word) => {
                let known = Convert::WORDS.into_iter().find(|(known, _)| known == word);
                known.map(|(_, convert)| convert).ok_or_else(wrong)
            }
            Value::Object(members) if members.len() == 1 => match members.iter().next() {
                Some((key, Value::Number(factor))) if key == "multiply" => {
                    Ok(Convert::Multiply(factor.as_f64().ok_or_else(wrong)?))
                }
                Some((key, Value::Object(words))) if key == "map" => {
                    let words: Option<BTreeMap<String, String>> = words
                        .iter()
                        .map(|(new, old)| Some((new.clone(), old.as_str()?.to_owned())))
                        .collect();
                    words
                        .map(Convert::Map)
                        .ok_or_else(|| self.document.error(at, "`map` maps words to words"))
                }
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// What a field map says, in the words of the model.
pub(in super::super) fn read(text: &str) -> Result<Mapping, AdapterError> {
    let map = parse(text)?;
    let streams = map.streams.iter().map(mapped).collect();
    Ok(Mapping { framework: Framework::FieldMap, streams, skipped: Vec::new() })
}

fn mapped(stream: &StreamMap) -> MappedStream {
    let sources = |column: &String| -> Vec<FieldPath> {
        stream
            .fields
            .iter()
            .filter(|field| field.target == *column)
            .flat_map(|field| field.from.clone())
            .collect()
    };
    MappedStream {
        name: stream.name.clone(),
        endpoint: stream.endpoint.clone(),
        method: stream.method.clone(),
        records: stream.records.clone(),
        // The key that is read first; the others stand in for it.
        primary_key: stream
            .primary_key
            .iter()
            .filter_map(|column| sources(column).into_iter().next())
            .collect(),
        cursor: stream.cursor.as_ref().and_then(|column| sources(column).into_iter().next()),
        fields: stream
            .fields
            .iter()
            .map(|field| MappedField {
                sources: field.from.clone(),
                target: field.target.clone(),
                declared: field.kind.and_then(declared),
            })
            .collect(),
        passes_others: false,
    }
}

fn declared(kind: FieldType) -> Option<DeclaredType> {
    let (json_type, format) = match kind {
        FieldType::String => (JsonType::String, None),
        FieldType::Integer => (JsonType::Integer, None),
        FieldType::Number => (JsonType::Number, None),
        FieldType::Boolean => (JsonType::Boolean, None),
        FieldType::Datetime => (JsonType::String, Some("date-time".to_owned())),
        FieldType::Json => return None,
    };
    Some(DeclaredType { types: vec![JsonType::Null, json_type], format })
}
