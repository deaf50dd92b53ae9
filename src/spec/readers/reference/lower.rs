//! What was read of a page, in the shape of OpenAPI.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{EACH, Field, OBJECT, Operation, PAGE, Page, Part, address, table::Path};
use crate::spec::readers::{Draft, answers};

/// A page as a description.
pub(in crate::spec) fn lower(page: &Page) -> Value {
    let mut draft = Draft { family: Some(PAGE), ..Draft::default() };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for server in page.operations.iter().filter_map(|operation| operation.server.as_deref()) {
        *counts.entry(server).or_default() += 1;
    }
    let main = counts.iter().max_by_key(|(server, count)| (**count, std::cmp::Reverse(**server)));
    let main = main.map(|(server, _)| (*server).to_owned());
    draft.servers.extend(main.clone());
    for operation in &page.operations {
        let mut lowered = lowered(operation);
        let own = operation.server.as_ref().filter(|server| Some(*server) != main.as_ref());
        if let (Some(server), Value::Object(lowered)) = (own, &mut lowered) {
            lowered.insert("servers".to_owned(), json!([{"url": server}]));
        }
        draft.operation(&operation.path, &operation.method, lowered);
    }
    draft.finish()
}

fn lowered(operation: &Operation) -> Value {
    let mut lowered = Map::new();
    let responses = if operation.answer.is_empty() {
        json!({"200": {"description": ""}})
    } else {
        answers(&schema(&operation.answer))
    };
    lowered.insert("responses".to_owned(), responses);
    if operation.method == OBJECT {
        return Value::Object(lowered);
    }
    lowered.insert("parameters".to_owned(), parameters(operation));
    if !operation.body.fields.is_empty() {
        let schema = schema(&operation.body.fields);
        lowered
            .insert("requestBody".to_owned(), json!({"content": {"application/json": {"schema": schema}}}));
    }
    Value::Object(lowered)
}

fn parameters(operation: &Operation) -> Value {
    let Part { fields, .. } = &operation.parameters;
    let mut all: Vec<Value> = Vec::new();
    for (path, field) in fields {
        let [place, name] = path.as_slice() else { continue };
        let mut schema = own(field);
        if let Some(default) = field.default.as_ref().filter(|default| !default.is_empty()) {
            schema.insert("default".to_owned(), default.as_str().into());
        }
        all.push(json!({
            "name": name,
            "in": place,
            "required": place == "path" || field.required == Some(true),
            "deprecated": field.deprecated == Some(true),
            "schema": schema,
        }));
    }
    for name in address::variables(&operation.path) {
        if !fields.contains_key(&vec!["path".to_owned(), name.to_owned()]) {
            all.push(json!({"name": name, "in": "path", "required": true, "schema": {}}));
        }
    }
    Value::Array(all)
}

/// A field with those below it.
#[derive(Default)]
struct Node<'a> {
    field: Option<&'a Field>,
    below: BTreeMap<&'a str, Self>,
}

fn schema(fields: &BTreeMap<Path, Field>) -> Value {
    let mut root = Node::default();
    for (path, field) in fields {
        let mut node = &mut root;
        for step in path {
            node = node.below.entry(step).or_default();
        }
        node.field = Some(field);
    }
    root.schema()
}

impl Node<'_> {
    /// As deep as paths are long, which is bounded.
    fn schema(&self) -> Value {
        let mut schema = self.field.map(own).unwrap_or_default();
        let says_array = self.field.is_some_and(|field| field.types.contains("array"));
        let word = match self.below.get(EACH) {
            Some(each) => {
                schema.insert("items".to_owned(), each.schema());
                "array"
            }
            None if self.below.is_empty() => return Value::Object(schema),
            None => {
                let object = self.object();
                if says_array {
                    schema.insert("items".to_owned(), Value::Object(object));
                } else {
                    schema.extend(object.into_iter().filter(|(key, _)| key != "type"));
                }
                "object"
            }
        };
        if self.field.is_none_or(|field| field.types.is_empty()) {
            schema.insert("type".to_owned(), word.into());
        }
        Value::Object(schema)
    }

    fn object(&self) -> Map<String, Value> {
        let is_required = |node: &Node<'_>| node.field.is_some_and(|field| field.required == Some(true));
        let required: Value = self
            .below
            .iter()
            .filter(|(_, node)| is_required(node))
            .map(|(name, _)| Value::from(*name))
            .collect();
        let properties: Map<String, Value> =
            self.below.iter().map(|(name, node)| ((*name).to_owned(), node.schema())).collect();
        let mut object = Map::new();
        object.insert("type".to_owned(), "object".into());
        object.insert("properties".to_owned(), Value::Object(properties));
        if required.as_array().is_some_and(|required| !required.is_empty()) {
            object.insert("required".to_owned(), required);
        }
        object
    }
}

/// What a field says of itself.
fn own(field: &Field) -> Map<String, Value> {
    let mut schema = Map::new();
    let mut types: Vec<&str> = field.types.iter().copied().collect();
    if field.nullable == Some(true) && !types.is_empty() {
        types.push("null");
    }
    match types.as_slice() {
        [] => {}
        [only] => drop(schema.insert("type".to_owned(), (*only).into())),
        several => drop(schema.insert("type".to_owned(), json!(several))),
    }
    if let Some(format) = field.format {
        schema.insert("format".to_owned(), format.into());
    }
    if let Some(values) = &field.values {
        schema.insert("enum".to_owned(), values.iter().map(|value| Value::from(value.as_str())).collect());
    }
    if field.types.contains("array") && !field.items.is_empty() {
        let items: Vec<&str> = field.items.iter().copied().collect();
        schema.insert(
            "items".to_owned(),
            json!({"type": if items.len() == 1 { json!(items[0]) } else { json!(items) }}),
        );
    }
    if !field.about.is_empty() {
        schema.insert("description".to_owned(), field.about.as_str().into());
    }
    if field.deprecated == Some(true) {
        schema.insert("deprecated".to_owned(), true.into());
    }
    schema
}
