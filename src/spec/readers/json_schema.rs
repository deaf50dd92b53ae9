//! A JSON Schema by itself: what somebody receives, under its title.

use serde_json::{Value, json};

use super::{Draft, answers};
use crate::spec::{assembly::PARTS, references};

/// Whether a document is a JSON Schema: it says so, or it defines something in the words of one.
pub(in crate::spec) fn is_schema(root: &Value) -> bool {
    let Some(object) = root.as_object() else { return false };
    if let Some(Value::String(dialect)) = object.get("$schema") {
        return dialect.contains("json-schema.org");
    }
    let is_map = |key: &str| object.get(key).is_some_and(Value::is_object);
    let has_type = object.get("type").is_some_and(|word| word.is_string() || word.is_array());
    (has_type && is_map("properties")) || (is_map("$defs") && object.contains_key("$ref"))
}

/// The schema as what one operation answers; definitions that it does not use are operations of their own, since a
/// document may hold nothing but definitions.
pub(in crate::spec) fn read(mut root: Value) -> Result<Value, String> {
    let text = |key: &str| root.get(key).and_then(Value::as_str).map(str::to_owned);
    let title = text("title").or_else(|| text("$id")).unwrap_or_else(|| "schema".to_owned());
    let mut draft = Draft { family: Some("a JSON Schema"), title: Some(title.clone()), ..Draft::default() };
    draft.version = text("version");
    // Parts of an assembled document stay where their references lead.
    if let Some(object) = root.as_object_mut()
        && let Some(parts) = object.remove(PARTS)
    {
        draft.others.insert(PARTS.to_owned(), parts);
    }
    mount(&mut root, "/components/schemas/schema");
    let says_something = ["properties", "type", "items", "$ref", "allOf", "anyOf", "oneOf", "enum", "const"]
        .iter()
        .any(|key| root.get(key).is_some());
    if says_something {
        let schema = json!({"$ref": "#/components/schemas/schema"});
        draft.operation(&title, "x-schema", json!({"responses": answers(&schema)}));
    } else {
        for key in ["$defs", "definitions"] {
            let names = root.get(key).and_then(Value::as_object).into_iter().flatten();
            for (name, _) in names {
                let place = format!("#/components/schemas/schema/{key}/{}", references::escaped(name));
                draft.operation(name, "x-schema", json!({"responses": answers(&json!({"$ref": place}))}));
            }
        }
    }
    draft.schemas.insert("schema".to_owned(), root);
    Ok(draft.finish())
}

/// Makes the references within a schema lead to where it will stand.
pub(super) fn mount(schema: &mut Value, place: &str) {
    let names = references::names(schema);
    references::each_mut(schema, &mut |reference, resource| {
        let (own, fragment) = reference.split_once('#').unwrap_or((reference.as_str(), ""));
        // What leads to parts of the assembled document stays.
        if fragment.strip_prefix('/').is_some_and(|rest| rest.starts_with(PARTS)) {
            return;
        }
        let resource = match own {
            "" => Some(resource),
            own => names.get(own).map(String::as_str),
        };
        let pointer = if fragment.is_empty() || fragment.starts_with('/') {
            resource.map(|resource| format!("{resource}{fragment}"))
        } else {
            names.get(&format!("#{fragment}")).cloned()
        };
        if let Some(pointer) = pointer {
            *reference = format!("#{place}{pointer}");
        }
    });
}
