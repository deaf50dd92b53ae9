//! OpenAPI 3.2 in the terms of 3.1: further methods, and bodies that are a stream of items.

use serde_json::{Value, json};

/// Methods beyond those with a key of their own that the model knows (the IANA registry of HTTP methods has more; no
/// description in the wild uses them).
const METHODS: [&str; 9] = ["QUERY", "COPY", "LINK", "LOCK", "MOVE", "PROPFIND", "PURGE", "REPORT", "SEARCH"];

/// Puts what 3.2 added where 3.1 has it.
pub(in crate::spec) fn settle(root: &mut Value) {
    flags(root);
    let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        if let Some(Value::Object(others)) = item.get("additionalOperations").cloned() {
            for (method, operation) in others {
                if METHODS.iter().any(|known| known.eq_ignore_ascii_case(&method)) {
                    item.entry(method.to_ascii_lowercase()).or_insert(operation);
                }
            }
        }
        for operation in item.values_mut() {
            let body = operation.get_mut("requestBody").into_iter();
            let responses = operation_bodies(body);
            responses.for_each(stream);
            if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
                operation_bodies(responses.values_mut()).for_each(stream);
            }
        }
    }
}

/// Flags that are written as words: YAML 1.1 and many who write JSON by hand know `yes` and `"true"`.
fn flags(node: &mut Value) {
    const FLAGS: [&str; 8] = [
        "required",
        "deprecated",
        "nullable",
        "readOnly",
        "writeOnly",
        "uniqueItems",
        "explode",
        "additionalProperties",
    ];
    const DATA: [&str; 6] = ["example", "examples", "default", "const", "enum", "value"];
    match node {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(word) if FLAGS.contains(&key.as_str()) => {
                        match word.to_ascii_lowercase().as_str() {
                            "true" | "yes" | "on" => *value = true.into(),
                            "false" | "no" | "off" => *value = false.into(),
                            _ => {}
                        }
                    }
                    Value::Object(_) | Value::Array(_) if !DATA.contains(&key.as_str()) => flags(value),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(flags),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn operation_bodies<'a>(nodes: impl Iterator<Item = &'a mut Value>) -> impl Iterator<Item = &'a mut Value> {
    nodes
        .filter_map(|node| node.get_mut("content").and_then(Value::as_object_mut))
        .flat_map(|content| content.iter_mut().map(|(_, media)| media))
}

/// A stream of items (`itemSchema`) is a list of them.
fn stream(media: &mut Value) {
    let Value::Object(media) = media else { return };
    if let Some(items) = media.get("itemSchema").cloned()
        && !media.contains_key("schema")
    {
        media.insert("schema".to_owned(), json!({"type": "array", "items": items}));
    }
}
