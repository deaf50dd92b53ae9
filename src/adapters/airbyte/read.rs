//! Reading a manifest: streams, endpoints, keys, declared fields, and where transformations take them from.

use serde_json::Value;

use super::super::AdapterError;
use super::super::document::Document;
use super::jinja::{self, Form};
use super::manifest::{Component, Manifest};
use crate::model::{DeclaredType, FieldPath, Framework, JsonType, MappedField, MappedStream, Mapping, Step};

/// Declared fields beyond this number are not read; no schema that people write comes near.
const MAX_FIELDS: usize = 20_000;

/// Whether a text is a low-code manifest: a list of streams beside `version` and `check`.
pub(in super::super) fn recognise(text: &str) -> bool {
    let Ok(document) = Document::parse(text) else { return false };
    let top = document.value();
    let is_source = top.get("type").and_then(Value::as_str) == Some("DeclarativeSource");
    let has_streams = top.get("streams").is_some_and(Value::is_array);
    has_streams
        && (is_source || top.get("check").is_some() && top.get("version").is_some_and(Value::is_string))
}

/// What a manifest says.
pub(in super::super) fn read(text: &str) -> Result<Mapping, AdapterError> {
    let manifest = Manifest::parse(text)?;
    let top = manifest.document.value();
    if !top.get("streams").is_some_and(|v| v.is_array() || v.is_string())
        && top.get("dynamic_streams").is_none()
    {
        return Err(AdapterError::at(1, 1, "the manifest has no list of `streams`"));
    }
    let mut streams = Vec::new();
    let mut skipped = Vec::new();
    if top.get("dynamic_streams").is_some() {
        skipped.push("`dynamic_streams`: these streams are made while the connector runs".to_owned());
    }
    for (i, (name, component)) in manifest.streams().into_iter().enumerate() {
        let Some(name) = name else {
            skipped.push(format!("`streams[{i}]`: its name is not literal, or missing"));
            continue;
        };
        for (part, class) in custom_parts(&manifest, &component) {
            skipped.push(format!("stream `{name}`: `{part}` is the custom class `{class}`"));
        }
        streams.push(read_stream(&manifest, &component, name));
    }
    Ok(Mapping { framework: Framework::AirbyteLowCode, streams, skipped })
}

/// The parts of a stream that are custom classes.
pub(super) fn custom_parts(manifest: &Manifest, stream: &Component) -> Vec<(&'static str, String)> {
    let mut parts = Vec::new();
    let mut look = |part, component: Option<Component>| {
        let class = component.as_ref().and_then(|component| manifest.custom(component));
        parts.extend(class.map(|class| (part, class)));
        component
    };
    look("stream", Some(stream.clone()));
    if let Some(retriever) = look("retriever", manifest.child(stream, "retriever")) {
        if let Some(selector) = look("record_selector", manifest.child(&retriever, "record_selector")) {
            look("extractor", manifest.child(&selector, "extractor"));
            look("record_filter", manifest.child(&selector, "record_filter"));
        }
        look("requester", manifest.child(&retriever, "requester"));
        look("paginator", manifest.child(&retriever, "paginator"));
    }
    for item in manifest.items(stream, "transformations") {
        look("transformations", Some(item));
    }
    look("schema_loader", manifest.child(stream, "schema_loader"));
    parts
}

fn read_stream(manifest: &Manifest, stream: &Component, name: String) -> MappedStream {
    let requester = manifest.child(stream, "retriever").and_then(|r| manifest.child(&r, "requester"));
    let method =
        requester.as_ref().and_then(|r| manifest.text(r, "http_method")).unwrap_or_else(|| "GET".to_owned());
    let cursor = manifest
        .child(stream, "incremental_sync")
        .and_then(|sync| manifest.text(&sync, "cursor_field"))
        .filter(|field| !field.is_empty());
    let additions = additions(manifest, stream);
    let cursor = cursor.map(|field| source(&additions, &FieldPath::root().child(&field)));
    let primary_key = primary_key(manifest, stream).iter().map(|path| source(&additions, path)).collect();
    MappedStream {
        name,
        endpoint: requester.as_ref().and_then(|r| endpoint(manifest, r)),
        method: method.to_uppercase(),
        records: records(manifest, stream).map(|(path, _)| path),
        primary_key,
        cursor,
        fields: fields(manifest, stream, &additions),
        passes_others: true,
    }
}

/// The address of a request, as far as it is literal.
fn endpoint(manifest: &Manifest, requester: &Component) -> Option<String> {
    if let Some(url) = manifest.text(requester, "url") {
        return Some(url);
    }
    let path = manifest.text(requester, "path")?;
    Some(match manifest.text(requester, "url_base") {
        Some(base) => format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/')),
        None => path,
    })
}

/// Where records sit in a response, and where that is written.
pub(super) fn records(
    manifest: &Manifest,
    stream: &Component,
) -> Option<(FieldPath, super::super::document::Route)> {
    let retriever = manifest.child(stream, "retriever")?;
    let selector = manifest.child(&retriever, "record_selector")?;
    let extractor = manifest.child(&selector, "extractor")?;
    if manifest.custom(&extractor).is_some() {
        return None;
    }
    let at = manifest.route(&extractor, "field_path")?;
    let keys = match manifest.document.get(&at)? {
        Value::Array(keys) => keys.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?,
        Value::String(key) => vec![key.as_str()],
        _ => return None,
    };
    let keys = keys.into_iter().map(|key| manifest.spoken(&extractor, key)).collect::<Option<Vec<_>>>()?;
    let mut steps: Vec<Step> =
        keys.iter().map(|key| if key == "*" { Step::Each } else { Step::Key(key.as_str().into()) }).collect();
    if steps.last() != Some(&Step::Each) {
        steps.push(Step::Each);
    }
    Some((FieldPath::new(steps), at))
}

fn primary_key(manifest: &Manifest, stream: &Component) -> Vec<FieldPath> {
    let key = |value: &Value| match value {
        Value::String(key) if !key.is_empty() && !key.contains("{{") => Some(FieldPath::root().child(key)),
        Value::Array(keys) => {
            keys.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(FieldPath::of_keys)
        }
        _ => None,
    };
    match manifest.value(stream, "primary_key") {
        Some(Value::Array(keys)) => keys.iter().filter_map(key).collect(),
        Some(Value::String(text)) if !text.contains("{{") => {
            key(&Value::String(text.clone())).into_iter().collect()
        }
        _ => manifest
            .text(stream, "primary_key")
            .map(Value::String)
            .as_ref()
            .and_then(key)
            .into_iter()
            .collect(),
    }
}

/// One field that transformations write.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Addition {
    /// Where it is written.
    pub(super) target: FieldPath,
    /// Where its value comes from and what becomes of it; `None` where that is not understood.
    pub(super) from: Option<(FieldPath, Form)>,
    /// Whether what was there stays where the source has nothing.
    pub(super) keeps_old: bool,
    /// The `value_type` that is stated.
    pub(super) value_type: Option<String>,
}

/// One step of the transformations.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Transformation {
    /// A field is written.
    Add(Addition),
    /// A field is taken out.
    Remove(FieldPath),
    /// Something else is done, to any field.
    Other,
}

/// The transformations of a stream, in order.
pub(super) fn transformations(manifest: &Manifest, stream: &Component) -> Vec<Transformation> {
    let mut steps = Vec::new();
    for item in manifest.items(stream, "transformations") {
        let condition =
            manifest.value(&item, "condition").and_then(Value::as_str).unwrap_or_default().to_owned();
        match manifest.value(&item, "type").and_then(Value::as_str) {
            Some("AddFields") if manifest.custom(&item).is_none() => {
                for field in manifest.items(&item, "fields") {
                    let Some(path) = manifest.value(&field, "path").and_then(keys_of) else {
                        steps.push(Transformation::Other);
                        continue;
                    };
                    let value = manifest.value(&field, "value").and_then(Value::as_str).unwrap_or_default();
                    let read = jinja::read(value);
                    let guarded =
                        read.as_ref().is_some_and(|(path, form)| jinja::is_guard(&condition, path, form));
                    let understood = read.filter(|_| condition.is_empty() || guarded);
                    steps.push(Transformation::Add(Addition {
                        target: FieldPath::of_keys(path.iter().map(String::as_str)),
                        from: understood
                            .map(|(path, form)| (FieldPath::of_keys(path.iter().map(String::as_str)), form)),
                        keeps_old: guarded,
                        value_type: manifest
                            .value(&field, "value_type")
                            .and_then(Value::as_str)
                            .map(str::to_owned),
                    }));
                }
            }
            Some("RemoveFields") if condition.is_empty() => {
                let pointers = manifest.value(&item, "field_pointers").and_then(Value::as_array);
                for pointer in pointers.into_iter().flatten() {
                    steps.push(match keys_of(pointer) {
                        Some(path) => {
                            Transformation::Remove(FieldPath::of_keys(path.iter().map(String::as_str)))
                        }
                        None => Transformation::Other,
                    });
                }
            }
            _ => steps.push(Transformation::Other),
        }
    }
    steps
}

fn keys_of(value: &Value) -> Option<Vec<String>> {
    let keys =
        value.as_array()?.iter().map(|key| Some(key.as_str()?.to_owned())).collect::<Option<Vec<_>>>()?;
    (!keys.is_empty() && !keys.iter().any(|key| key.contains(['*', '{']))).then_some(keys)
}

/// The fields that transformations write from another field of the record.
fn additions(manifest: &Manifest, stream: &Component) -> Vec<Addition> {
    let steps = transformations(manifest, stream).into_iter();
    steps
        .filter_map(|step| if let Transformation::Add(addition) = step { Some(addition) } else { None })
        .collect()
}

/// Where a column is read first.
fn source(additions: &[Addition], target: &FieldPath) -> FieldPath {
    sources(additions, target).into_iter().next().unwrap_or_else(|| target.clone())
}

/// Where a column is read, first things first: the last addition wins, and what it leaves alone stays.
fn sources(additions: &[Addition], target: &FieldPath) -> Vec<FieldPath> {
    let mut sources = vec![target.clone()];
    for addition in additions.iter().filter(|addition| addition.target == *target) {
        let Some((from, _)) = &addition.from else { continue };
        if !addition.keeps_old {
            sources.clear();
        }
        if !sources.contains(from) {
            sources.insert(0, from.clone());
        }
    }
    sources
}

fn fields(manifest: &Manifest, stream: &Component, additions: &[Addition]) -> Vec<MappedField> {
    let mut declared = Vec::new();
    let loaders = match manifest.value(stream, "schema_loader") {
        Some(Value::Array(_)) => manifest.items(stream, "schema_loader"),
        _ => manifest.child(stream, "schema_loader").into_iter().collect(),
    };
    for loader in loaders {
        if let Some(schema) = manifest.child(&loader, "schema") {
            properties(manifest, &schema, &FieldPath::root(), 0, &mut declared);
        }
    }
    // What is added without being declared is passed on all the same.
    for addition in additions.iter().filter(|addition| addition.from.is_some()) {
        if !declared.iter().any(|(path, _)| *path == addition.target) {
            declared.push((addition.target.clone(), None));
        }
    }
    let field = |(path, declared): (FieldPath, Option<DeclaredType>)| MappedField {
        sources: sources(additions, &path),
        target: column(&path),
        declared,
    };
    declared.into_iter().map(field).collect()
}

/// The leaves of a schema's properties, nested objects by their own properties.
fn properties(
    manifest: &Manifest,
    schema: &Component,
    above: &FieldPath,
    depth: usize,
    found: &mut Vec<(FieldPath, Option<DeclaredType>)>,
) {
    let Some(members) = manifest.child(schema, "properties") else { return };
    let mut names: Vec<String> = Vec::new();
    for layer in &members.layers {
        if let Some(Value::Object(layer)) = manifest.document.get(layer) {
            names.extend(layer.keys().filter(|name| *name != "$ref").cloned());
        }
    }
    for name in names {
        let path = above.child(&name);
        if found.len() >= MAX_FIELDS || found.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let Some(property) = manifest.child(&members, &name) else { continue };
        let before = found.len();
        if depth < 16 {
            properties(manifest, &property, &path, depth + 1, found);
        }
        if found.len() == before {
            found.push((path, declared(manifest, &property)));
        }
    }
}

fn declared(manifest: &Manifest, property: &Component) -> Option<DeclaredType> {
    let word = |value: &Value| {
        let word = value.as_str()?;
        JsonType::ALL.into_iter().find(|json_type| json_type.word() == word)
    };
    let mut types = match manifest.value(property, "type") {
        Some(Value::Array(words)) => words.iter().map(word).collect::<Option<Vec<_>>>()?,
        Some(value) => vec![word(value)?],
        // `anyOf` and `oneOf` of plain types.
        None => manifest
            .items(property, "anyOf")
            .iter()
            .chain(&manifest.items(property, "oneOf"))
            .map(|option| manifest.value(option, "type").and_then(word))
            .collect::<Option<Vec<_>>>()?,
    };
    types.sort_unstable();
    types.dedup();
    let format = manifest.value(property, "format").and_then(Value::as_str).map(str::to_owned);
    (!types.is_empty()).then_some(DeclaredType { types, format })
}

/// The column that a path is known by: its names, joined by points.
pub(super) fn column(path: &FieldPath) -> String {
    let text = path.to_string();
    match text.strip_prefix("$.") {
        Some(rest) => rest.to_owned(),
        None => text.trim_start_matches('$').to_owned(),
    }
}
