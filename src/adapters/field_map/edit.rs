//! Edits of a field map.
//!
//! A new path goes to the front of a column's paths and the old ones stay behind it, so that the map works before and
//! after the change, and when the vendor takes it back. A conversion goes to the front too: what changed is the raw
//! value, and the steps behind it expect it as it was. Only a factor goes to the end, behind what makes a number.

use serde_json::{Value, json};

use super::super::document::{Document, Op, Route, below, keys_route};
use super::super::{Case, Edit, Refusal};
use super::samples::is_datetime;
use super::{Convert, FieldRule, FieldType, StreamMap, read};
use crate::model::{FieldPath, JsonType};
use crate::profile::Format;

/// The text after an edit of one stream.
pub(in super::super) fn edit(text: &str, stream: &str, edit: &Edit) -> Result<String, Refusal> {
    let document = Document::parse(text)?;
    let map = read::parse_document(&document)?;
    let Some(stream) = map.stream(stream) else {
        return Err(Refusal::cannot(format!("the mapping has no stream `{stream}`")));
    };
    let at = keys_route(&["streams", &stream.name]);
    let editor = Editor { document: &document, at, stream };
    let ops = editor.ops(edit)?;
    document.edit(&ops)
}

struct Editor<'d> {
    document: &'d Document,
    at: Route,
    stream: &'d StreamMap,
}

impl Editor<'_> {
    fn ops(&self, edit: &Edit) -> Result<Vec<Op>, Refusal> {
        match edit {
            Edit::Reroute { from, to, .. } => self.reroute(from, to),
            Edit::Recast { path, types } => self.each(path, |field| {
                // A column that is cast already gets its type from there, whatever comes.
                if field.convert.iter().any(Convert::is_cast) {
                    return Err(handled(field));
                }
                let word = match field.kind {
                    Some(kind) => word_of(kind),
                    None => word_of_types(types),
                };
                let word = word.ok_or_else(|| {
                    Refusal::cannot(format!("no conversion gives `{path}` its old type back"))
                })?;
                Ok((json!(word), false))
            }),
            Edit::Reformat { path, old, new, .. } => self.each(path, |field| {
                if *old == Format::LowerWord && *new == Format::UpperWord {
                    return Ok((json!("lower"), false));
                }
                if *old == Format::UpperWord && *new == Format::LowerWord {
                    return Ok((json!("upper"), false));
                }
                let canonical = matches!(
                    old,
                    Format::DateTimeZ
                        | Format::DateTimeFractionZ
                        | Format::DateTimeLocal
                        | Format::DateTimeOffset
                );
                if is_datetime(*new) && (canonical || field.kind == Some(FieldType::Datetime)) {
                    return Ok((json!("to-datetime"), false));
                }
                Err(Refusal::cannot(format!("no conversion makes `{}` out of `{}`", old.word(), new.word())))
            }),
            Edit::Rescale { path, factor, .. } => {
                self.each(path, |_| Ok((json!({ "multiply": factor }), true)))
            }
            Edit::Recase { path, case } => self.each(path, |field| {
                if field.convert.iter().any(|step| matches!(step, Convert::Lower | Convert::Upper)) {
                    return Err(handled(field));
                }
                let word = match case {
                    Case::Lower => "lower",
                    Case::Upper => "upper",
                };
                Ok((json!(word), false))
            }),
            Edit::Reword { path, words } => self.each(path, |field| {
                let back = |step: &Convert| match step {
                    Convert::Map(map) => words.iter().all(|(new, old)| map.get(old) == Some(new)),
                    _ => false,
                };
                if field.convert.iter().any(back) {
                    return Err(handled(field));
                }
                Ok((json!({ "map": words }), false))
            }),
            Edit::Records { from, to } => {
                if self.stream.records.as_ref() == Some(to) {
                    return Err(Refusal::AlreadyHandled(format!("records are read at `{to}`")));
                }
                if self.stream.records.as_ref() != Some(from) {
                    return Err(Refusal::cannot(format!(
                        "the mapping does not read its records at `{from}`"
                    )));
                }
                Ok(vec![Op::Replace { at: below(&self.at, "records"), value: json!(to.to_string()) }])
            }
            Edit::Endpoint { from, to } => match &self.stream.endpoint {
                Some(endpoint) if endpoint == to => {
                    Err(Refusal::AlreadyHandled(format!("the endpoint is `{to}`")))
                }
                Some(endpoint) if endpoint == from => {
                    Ok(vec![Op::Replace { at: below(&self.at, "endpoint"), value: json!(to) }])
                }
                _ => Err(Refusal::cannot(format!("the mapping does not name the endpoint `{from}`"))),
            },
        }
    }

    fn reroute(&self, from: &FieldPath, to: &FieldPath) -> Result<Vec<Op>, Refusal> {
        if to.is_repeated() || from.is_repeated() {
            return Err(Refusal::cannot("a column holds one value, and the path goes through `[*]`"));
        }
        let mut ops = Vec::new();
        let mut handled = None;
        for field in &self.stream.fields {
            for old in field.from.iter().filter(|path| path.starts_with(from)) {
                let mut steps = to.steps().to_vec();
                steps.extend_from_slice(&old.steps()[from.steps().len()..]);
                let new = FieldPath::new(steps);
                if field.from.contains(&new) {
                    handled = Some(format!("`{}` reads `{new}` already", field.target));
                    continue;
                }
                ops.push(self.prepend_source(field, &new));
            }
        }
        match handled {
            _ if !ops.is_empty() => Ok(ops),
            Some(why) => Err(Refusal::AlreadyHandled(why)),
            None => Err(Refusal::NotMapped(from.clone())),
        }
    }

    fn prepend_source(&self, field: &FieldRule, new: &FieldPath) -> Op {
        let at = self.field_at(field);
        let at = if self.is_long(field) { below(&at, "from") } else { at };
        match self.document.get(&at) {
            Some(Value::Array(_)) => Op::Prepend { list: at, item: json!(new.to_string()) },
            Some(old) => Op::Replace { value: json!([new.to_string(), old]), at },
            None => Op::Replace { at, value: json!(new.to_string()) },
        }
    }

    /// Adds a conversion to each column that reads `path`; `last` says whether it goes to the end.
    fn each(
        &self,
        path: &FieldPath,
        conversion: impl Fn(&FieldRule) -> Result<(Value, bool), Refusal>,
    ) -> Result<Vec<Op>, Refusal> {
        let mut ops = Vec::new();
        let mut already = None;
        for field in self.stream.fields.iter().filter(|field| field.from.contains(path)) {
            let (convert, last) = match conversion(field) {
                Ok(conversion) => conversion,
                Err(Refusal::AlreadyHandled(why)) => {
                    already = Some(why);
                    continue;
                }
                Err(refusal) => return Err(refusal),
            };
            let at = self.field_at(field);
            let convert_at = below(&at, "convert");
            let present = self.document.get(&convert_at).cloned();
            let multiplies = convert.get("multiply").is_some();
            let there = match &present {
                Some(Value::Array(steps)) => steps.contains(&convert),
                Some(step) => *step == convert,
                None => false,
            };
            if there && !multiplies {
                already = Some(format!("`{}` is converted already", field.target));
                continue;
            }
            ops.push(match present {
                Some(Value::Array(_)) if last => Op::Append { list: convert_at, items: vec![convert] },
                Some(Value::Array(_)) => Op::Prepend { list: convert_at, item: convert },
                Some(step) if last => Op::Replace { at: convert_at, value: json!([step, convert]) },
                Some(step) => Op::Replace { at: convert_at, value: json!([convert, step]) },
                None if self.is_long(field) => {
                    let after = if field.kind.is_some() { "type" } else { "from" };
                    Op::Insert { map: at, key: "convert".into(), value: convert, after: Some(after.into()) }
                }
                None => {
                    let from = self.document.get(&at).cloned().unwrap_or(Value::Null);
                    Op::Replace { at, value: json!({ "from": from, "convert": convert }) }
                }
            });
        }
        match already {
            _ if !ops.is_empty() => Ok(ops),
            Some(why) => Err(Refusal::AlreadyHandled(why)),
            None => Err(Refusal::NotMapped(path.clone())),
        }
    }

    fn field_at(&self, field: &FieldRule) -> Route {
        below(&below(&self.at, "fields"), &field.target)
    }

    fn is_long(&self, field: &FieldRule) -> bool {
        self.document.get(&self.field_at(field)).is_some_and(Value::is_object)
    }
}

fn handled(field: &FieldRule) -> Refusal {
    Refusal::AlreadyHandled(format!("`{}` is converted already", field.target))
}

const fn word_of(kind: FieldType) -> Option<&'static str> {
    match kind {
        FieldType::String => Some("to-string"),
        FieldType::Integer => Some("to-integer"),
        FieldType::Number => Some("to-number"),
        FieldType::Boolean => Some("to-boolean"),
        FieldType::Datetime => Some("to-datetime"),
        FieldType::Json => None,
    }
}

/// The conversion to the one type that the field had, null apart.
fn word_of_types(types: &[JsonType]) -> Option<&'static str> {
    let mut types: Vec<JsonType> = types.iter().copied().filter(|t| *t != JsonType::Null).collect();
    if types.contains(&JsonType::Number) {
        types.retain(|t| *t != JsonType::Integer);
    }
    match types.as_slice() {
        [JsonType::String] => Some("to-string"),
        // Whole numbers alone may have been chance; `to-number` keeps them whole and loses no fraction.
        [JsonType::Integer | JsonType::Number] => Some("to-number"),
        [JsonType::Boolean] => Some("to-boolean"),
        _ => None,
    }
}
