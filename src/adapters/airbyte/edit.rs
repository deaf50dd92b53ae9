//! Edits of a manifest: transformations at the end of the stream's list, the extractor's path, the request's path.
//!
//! A definition that other streams share is never changed under them: a list of transformations is continued in the
//! stream itself, anything else is refused by name.

use serde_json::{Value, json};

use super::super::document::{Op, below, item, object};
use super::super::{Case, Edit, Refusal};
use super::evaluate::notation_of;
use super::jinja::Form;
use super::manifest::{Component, Manifest};
use super::read::{Transformation, custom_parts, read, records, transformations};
use crate::model::{FieldPath, JsonType, MappedStream, Step};
use crate::profile::Format;

/// The text after an edit of one stream.
pub(in super::super) fn edit(text: &str, stream: &str, edit: &Edit) -> Result<String, Refusal> {
    let manifest = Manifest::parse(text)?;
    let mapping = read(text)?;
    let (Some(component), Some(mapped)) = (manifest.stream(stream), mapping.stream(stream)) else {
        return Err(Refusal::cannot(format!("the manifest has no stream `{stream}`")));
    };
    let editor = Editor { manifest: &manifest, component: &component, mapped };
    editor.refuse_custom(edit)?;
    match edit {
        Edit::Records { from, to } => {
            let ops = [editor.records(from, to)?];
            editor.commit(&ops, stream)
        }
        Edit::Endpoint { from, to } => {
            let ops = [editor.endpoint(from, to)?];
            editor.commit(&ops, stream)
        }
        Edit::Reroute { from, to, types } => editor.add(editor.reroute(from, to, types)?, stream),
        Edit::Recast { path, types } => {
            let form = |target: &FieldPath| {
                if editor
                    .shaped_in_place(target)
                    .iter()
                    .any(|form| matches!(form, Form::Copy | Form::Boolean))
                {
                    return Err(handled(target));
                }
                let types = editor.types(target, types);
                let boolean = types == [JsonType::Boolean];
                let form = if boolean { Form::Boolean } else { Form::Copy };
                if types.iter().any(|t| matches!(t, JsonType::Array | JsonType::Object)) {
                    return Err(Refusal::cannot(format!("no expression gives `{path}` its old type back")));
                }
                Ok((form, value_type(&types, path)?))
            };
            editor.add(editor.in_place(path, form)?, stream)
        }
        Edit::Reformat { path, old, new, types } => {
            let form = |target: &FieldPath| {
                // What a patch of before made of the field is what it is to be, whatever the vendor sent meanwhile.
                let made = editor.shaped_in_place(target).into_iter().find_map(|form| match form {
                    Form::FromEpoch { notation, .. } | Form::Notation(notation) => format_of(&notation),
                    Form::ToEpoch { millis: false } => Some(Format::EpochSeconds),
                    Form::ToEpoch { millis: true } => Some(Format::EpochMillis),
                    _ => None,
                });
                match made {
                    Some(made) if made == *new => Err(handled(target)),
                    made => reformat(path, made.unwrap_or(*old), *new, &editor.types(target, types)),
                }
            };
            editor.add(editor.in_place(path, form)?, stream)
        }
        Edit::Rescale { path, factor, types } => {
            let form = |target: &FieldPath| {
                let whole = !editor.types(target, types).contains(&JsonType::Number);
                Ok((Form::Scale { factor: *factor, whole }, whole.then_some("integer")))
            };
            editor.add(editor.in_place(path, form)?, stream)
        }
        Edit::Recase { path, case } => {
            let form = if *case == Case::Lower { Form::Lower } else { Form::Upper };
            let form = |target: &FieldPath| {
                if editor.shaped_in_place(target).iter().any(|form| matches!(form, Form::Lower | Form::Upper))
                {
                    return Err(handled(target));
                }
                Ok((form.clone(), Some("string")))
            };
            editor.add(editor.in_place(path, form)?, stream)
        }
        Edit::Reword { path, words } => {
            editor.add(editor.in_place(path, |_| Ok((Form::Words(words.clone()), Some("string"))))?, stream)
        }
    }
}

struct Editor<'m> {
    manifest: &'m Manifest,
    component: &'m Component,
    mapped: &'m MappedStream,
}

/// New transformations.
type Items = Vec<Value>;

impl Editor<'_> {
    /// What a custom class does to a record is not known, so nothing is built on it.
    fn refuse_custom(&self, edit: &Edit) -> Result<(), Refusal> {
        let mut parts = custom_parts(self.manifest, self.component).into_iter();
        let concerns = |part: &str| match edit {
            Edit::Endpoint { .. } => matches!(part, "stream" | "retriever" | "requester"),
            Edit::Records { .. } => matches!(part, "stream" | "retriever" | "record_selector" | "extractor"),
            _ => !matches!(part, "requester" | "paginator" | "schema_loader"),
        };
        match parts.find(|(part, _)| concerns(part)) {
            Some((part, class)) => {
                Err(Refusal::cannot(format!("`{part}` is the custom class `{class}`, whose code decides")))
            }
            None => Ok(()),
        }
    }

    /// The declared types of a column, else those that were seen, null apart.
    fn types(&self, target: &FieldPath, seen: &[JsonType]) -> Vec<JsonType> {
        let column = super::read::column(target);
        let field = self.mapped.fields.iter().find(|field| field.target == column);
        let declared = field.and_then(|field| field.declared.as_ref());
        let mut types = declared.map_or_else(|| seen.to_vec(), |declared| declared.types.clone());
        types.retain(|json_type| *json_type != JsonType::Null);
        types
    }

    /// The columns that read a path, as paths of the record. A manifest passes on what it does not list.
    fn targets(&self, path: &FieldPath) -> Vec<FieldPath> {
        let mut targets: Vec<FieldPath> = self
            .mapped
            .fields
            .iter()
            .filter(|field| field.sources.contains(path))
            .filter_map(|field| field.target.parse::<FieldPath>().ok())
            .collect();
        if targets.is_empty() {
            targets.push(path.clone());
        }
        targets
    }

    fn reroute(&self, from: &FieldPath, to: &FieldPath, seen: &[JsonType]) -> Result<Items, Refusal> {
        let to_keys = keys(to)?;
        self.refuse_filtered(from)?;
        let mut fields = Vec::new();
        let mut handled = None;
        for target in self.targets(from) {
            let column = super::read::column(&target);
            let sources = self
                .mapped
                .fields
                .iter()
                .find(|field| field.target == column)
                .map(|field| field.sources.as_slice());
            if target == *to || sources.unwrap_or_default().contains(to) {
                handled = Some(format!("`{column}` reads `{to}` already"));
                continue;
            }
            let types = self.types(&target, seen);
            if types.is_empty() {
                return Err(Refusal::cannot(format!(
                    "the type of `{from}` is neither declared nor known, and without it texts such as `007` would change"
                )));
            }
            fields.push((target, Form::Copy, value_type(&types, from)?));
        }
        if fields.is_empty() {
            return Err(match handled {
                Some(why) => Refusal::AlreadyHandled(why),
                None => Refusal::NotMapped(from.clone()),
            });
        }
        let mut items = Vec::new();
        for (target, form, value_type) in fields {
            items.push(addition(&target, &to_keys, &form, value_type)?);
        }
        // The new field is not left beside the old one, unless something else is made of it.
        let used = self.mapped.fields.iter().any(|field| {
            field
                .target
                .parse::<FieldPath>()
                .is_ok_and(|target| target.starts_with(to) || to.starts_with(&target))
        });
        let is_key = self.mapped.primary_key.contains(to) || self.mapped.cursor.as_ref() == Some(to);
        if !used && !is_key {
            items.push(object([("type", json!("RemoveFields")), ("field_pointers", json!([to_keys]))]));
        }
        Ok(items)
    }

    /// Additions that put each column of a path back into its old shape, where it stands.
    fn in_place(
        &self,
        path: &FieldPath,
        form: impl Fn(&FieldPath) -> Result<(Form, Option<&'static str>), Refusal>,
    ) -> Result<Items, Refusal> {
        self.refuse_filtered(path)?;
        let mut items = Vec::new();
        for target in self.targets(path) {
            let (form, value_type) = form(&target)?;
            items.push(addition(&target, &keys(&target)?, &form, value_type)?);
        }
        Ok(items)
    }

    /// What transformations make of a field where it stands.
    fn shaped_in_place(&self, target: &FieldPath) -> Vec<Form> {
        let steps = transformations(self.manifest, self.component).into_iter();
        steps
            .filter_map(|step| match step {
                Transformation::Add(addition) if addition.target == *target => addition.from,
                _ => None,
            })
            .filter(|(from, _)| from == target)
            .map(|(_, form)| form)
            .collect()
    }

    /// A record filter runs before any transformation: one that names the field goes wrong whatever comes after.
    fn refuse_filtered(&self, path: &FieldPath) -> Result<(), Refusal> {
        let filter = self
            .manifest
            .child(self.component, "retriever")
            .and_then(|retriever| self.manifest.child(&retriever, "record_selector"))
            .and_then(|selector| self.manifest.child(&selector, "record_filter"));
        let condition = filter.and_then(|filter| self.manifest.value(&filter, "condition").cloned());
        match (condition.as_ref().and_then(Value::as_str), path.name()) {
            (Some(condition), Some(name)) if condition.contains(name) => Err(Refusal::cannot(format!(
                "the record filter reads `{name}` before any transformation: `record_filter.condition` must change as well"
            ))),
            _ => Ok(()),
        }
    }

    fn records(&self, from: &FieldPath, to: &FieldPath) -> Result<Op, Refusal> {
        let Some((current, at)) = records(self.manifest, self.component) else {
            return Err(Refusal::cannot("the manifest does not say where records are, or not literally"));
        };
        let each = |path: &FieldPath| match path.steps().last() {
            Some(Step::Each) => path.clone(),
            _ => path.each(),
        };
        let (from, to) = (each(from), each(to));
        if current == to {
            return Err(Refusal::AlreadyHandled(format!("records are read at `{to}`")));
        }
        if current != from {
            return Err(Refusal::cannot(format!(
                "the manifest reads its records at `{current}`, not at `{from}`"
            )));
        }
        let inner: Vec<Step> = to.steps()[..to.steps().len() - 1].to_vec();
        let path = inner
            .iter()
            .map(|step| match step {
                Step::Key(key) => Some(key.to_string()),
                Step::Each => Some("*".to_owned()),
                Step::Index(_) => None,
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Refusal::cannot(format!("`{to}` cannot be written as a `field_path`")))?;
        Ok(Op::Replace { at, value: json!(path) })
    }

    fn endpoint(&self, from: &str, to: &str) -> Result<Op, Refusal> {
        let manifest = self.manifest;
        let requester = manifest
            .child(self.component, "retriever")
            .and_then(|retriever| manifest.child(&retriever, "requester"));
        for key in ["url", "path"] {
            let found = requester.as_ref().and_then(|requester| manifest.text_at(requester, key));
            let Some((current, at)) = found.filter(|(text, _)| !text.is_empty() && !text.contains("{{"))
            else {
                continue;
            };
            if current == to {
                return Err(Refusal::AlreadyHandled(format!("the endpoint is `{to}`")));
            }
            // Only the part behind the base moves; a move to another host is a decision.
            let bare = current.trim_start_matches('/');
            if let Some(base) = from.strip_suffix(bare)
                && let Some(rest) = to.strip_prefix(base)
                && (base.is_empty() || base.ends_with('/'))
            {
                let slash = if current.starts_with('/') { "/" } else { "" };
                return Ok(Op::Replace { at, value: json!(format!("{slash}{rest}")) });
            }
        }
        Err(Refusal::cannot(format!("no literal `path` or `url` of the stream leads to `{from}`")))
    }

    /// Puts transformations behind those of the stream.
    fn add(&self, items: Items, stream: &str) -> Result<String, Refusal> {
        let own =
            self.component.layers.first().ok_or_else(|| Refusal::cannot("the stream is not in the file"))?;
        let Some(list) = self.manifest.route(self.component, "transformations") else {
            let after = Some("retriever".to_owned());
            let insert = Op::Insert {
                map: own.clone(),
                key: "transformations".into(),
                value: Value::Array(items),
                after,
            };
            return self.commit(&[insert], stream);
        };
        if self.manifest.document.get(&list) == Some(&json!([])) {
            return self.commit(&[Op::Replace { at: list, value: Value::Array(items) }], stream);
        }
        let there = self.commit(&[Op::Append { list: list.clone(), items: items.clone() }], stream);
        let in_own = self.manifest.document.get(&below(own, "transformations")).is_some();
        match there {
            Err(Refusal::Cannot(_)) if !in_own => {
                // The list belongs to others too: the stream gets one of its own, which begins with theirs.
                let len = self.manifest.document.get(&list).and_then(Value::as_array).map_or(0, Vec::len);
                let mut all: Vec<Value> =
                    (0..len).map(|i| Value::String(reference(&item(&list, i)))).collect();
                all.extend(items);
                let value = Value::Array(all);
                let after = Some("retriever".to_owned());
                self.commit(
                    &[Op::Insert { map: own.clone(), key: "transformations".into(), value, after }],
                    stream,
                )
            }
            other => other,
        }
    }

    /// The text after these edits, provided that they change this stream and no other.
    fn commit(&self, ops: &[Op], stream: &str) -> Result<String, Refusal> {
        let text = self.manifest.document.edit(ops)?;
        let before = self.manifest.spelled_out()?;
        let after = Manifest::parse(&text)?.spelled_out()?;
        let touched: Vec<&str> = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| before != after)
            .map(|((name, _), _)| name.as_str())
            .collect();
        match touched.as_slice() {
            [one] if *one == stream && before.len() == after.len() => Ok(text),
            [] => Err(Refusal::cannot(format!("the edit would not reach stream `{stream}`"))),
            several => {
                let others: Vec<String> =
                    several.iter().filter(|name| **name != stream).map(|name| format!("`{name}`")).collect();
                Err(Refusal::cannot(format!(
                    "the definition also serves {}: give `{stream}` one of its own first",
                    others.join(", ")
                )))
            }
        }
    }
}

fn reference(route: &[super::super::document::Seg]) -> String {
    use super::super::document::Seg;
    let parts: Vec<String> = route
        .iter()
        .map(|seg| match seg {
            Seg::Key(key) => key.clone(),
            Seg::Index(index) => index.to_string(),
        })
        .collect();
    format!("#/{}", parts.join("/"))
}

fn handled(target: &FieldPath) -> Refusal {
    Refusal::AlreadyHandled(format!("a transformation gives `{target}` its shape already"))
}

/// The format of a notation that patches write.
fn format_of(notation: &str) -> Option<Format> {
    [Format::DateTimeZ, Format::DateTimeLocal, Format::DateTimeSpace, Format::Date]
        .into_iter()
        .find(|format| notation_of(*format) == Some(notation))
}

/// The plain names of a path; transformations reach no further.
fn keys(path: &FieldPath) -> Result<Vec<String>, Refusal> {
    let names: Option<Vec<String>> = path
        .steps()
        .iter()
        .map(|step| match step {
            // In these paths, signs of globbing stand for several fields.
            Step::Key(key) if !key.contains(['*', '?', '[', '{', '}']) => Some(key.to_string()),
            Step::Key(_) | Step::Each | Step::Index(_) => None,
        })
        .collect();
    match names {
        Some(names) if !names.is_empty() => Ok(names),
        _ => Err(Refusal::cannot(format!(
            "`{path}` is inside of an array or has an unusual name: transformations cannot reach it"
        ))),
    }
}

fn addition(
    target: &FieldPath,
    source: &[String],
    form: &Form,
    value_type: Option<&str>,
) -> Result<Value, Refusal> {
    let (value, condition) = form.write(source);
    let mut field = vec![("path", json!(keys(target)?)), ("value", json!(value))];
    field.extend(value_type.map(|value_type| ("value_type", json!(value_type))));
    Ok(object([
        ("type", json!("AddFields")),
        ("condition", json!(condition)),
        ("fields", json!([object(field)])),
    ]))
}

/// The `value_type` that keeps values of these types as they are; none where they type themselves best.
fn value_type(types: &[JsonType], path: &FieldPath) -> Result<Option<&'static str>, Refusal> {
    Ok(match types {
        [JsonType::String] => Some("string"),
        [JsonType::Integer] => Some("integer"),
        [JsonType::Boolean] => Some("boolean"),
        types if types.contains(&JsonType::String) => {
            return Err(Refusal::cannot(format!(
                "`{path}` holds texts and other types: no one type keeps both"
            )));
        }
        _ => None,
    })
}

/// The expression that gives a date and time its old notation back.
fn reformat(
    path: &FieldPath,
    old: Format,
    new: Format,
    types: &[JsonType],
) -> Result<(Form, Option<&'static str>), Refusal> {
    let cannot = || {
        Refusal::cannot(format!("no expression makes `{}` of `{path}` out of `{}`", old.word(), new.word()))
    };
    match (old, new) {
        (Format::LowerWord, Format::UpperWord) => return Ok((Form::Lower, Some("string"))),
        (Format::UpperWord, Format::LowerWord) => return Ok((Form::Upper, Some("string"))),
        _ => {}
    }
    let is_iso = matches!(
        new,
        Format::DateTimeZ
            | Format::DateTimeFractionZ
            | Format::DateTimeOffset
            | Format::DateTimeLocal
            | Format::DateTimeSpace
            | Format::Date
    );
    if matches!(old, Format::EpochSeconds | Format::EpochMillis) && is_iso {
        let value_type = value_type(types, path)?.unwrap_or("integer");
        return Ok((Form::ToEpoch { millis: old == Format::EpochMillis }, Some(value_type)));
    }
    let notation = notation_of(old).ok_or_else(cannot)?;
    let form = match new {
        Format::EpochSeconds => Form::FromEpoch { notation: notation.into(), millis: false },
        Format::EpochMillis => Form::FromEpoch { notation: notation.into(), millis: true },
        _ if is_iso => Form::Notation(notation.into()),
        _ => return Err(cannot()),
    };
    Ok((form, Some("string")))
}
