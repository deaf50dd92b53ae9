//! Every `$ref` of a document, wherever one may stand, and where it leads.

use std::collections::BTreeMap;

use serde_json::Value;

/// Keys whose value is data and no description: a `$ref` in there is an example of something.
const DATA: [&str; 5] = ["example", "default", "const", "enum", "value"];
/// Keys whose members are named by the author, so that a member called `example` is no example.
const NAMED: [&str; 17] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
    "schemas",
    "parameters",
    "responses",
    "requestBodies",
    "headers",
    "securitySchemes",
    "securityDefinitions",
    "links",
    "callbacks",
    "pathItems",
    "paths",
    "webhooks",
];

/// Calls `found` with every reference of a document and the pointer of the schema resource that it stands in: what
/// `#` means there. `$id` begins a resource of its own (JSON Schema 2020-12, section 8.2.1).
pub(super) fn each_mut(document: &mut Value, found: &mut impl FnMut(&mut String, &str)) {
    walk_mut(document, "", "", false, found);
}

fn walk_mut(
    node: &mut Value,
    at: &str,
    resource: &str,
    names: bool,
    found: &mut impl FnMut(&mut String, &str),
) {
    match node {
        Value::Object(object) => {
            let begins = !names && is_resource(object.get("$id"));
            let resource = if begins { at } else { resource };
            for (key, value) in object.iter_mut() {
                if !names {
                    if let ("$ref" | "$dynamicRef", Value::String(reference)) = (key.as_str(), &mut *value) {
                        found(reference, resource);
                        continue;
                    }
                    if DATA.contains(&key.as_str()) {
                        continue;
                    }
                }
                let below = !names && NAMED.contains(&key.as_str());
                if value.is_object() || value.is_array() {
                    walk_mut(value, &format!("{at}/{}", escaped(key)), resource, below, found);
                }
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter_mut().enumerate() {
                if value.is_object() || value.is_array() {
                    walk_mut(value, &format!("{at}/{index}"), resource, false, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Calls `found` with every reference of a document.
pub(super) fn each<'a>(document: &'a Value, found: &mut impl FnMut(&'a str)) {
    let mut work = vec![(document, false)];
    while let Some((node, names)) = work.pop() {
        match node {
            Value::Object(object) => {
                for (key, value) in object {
                    if !names {
                        if let ("$ref", Value::String(reference)) = (key.as_str(), value) {
                            found(reference);
                            continue;
                        }
                        if DATA.contains(&key.as_str()) {
                            continue;
                        }
                    }
                    work.push((value, !names && NAMED.contains(&key.as_str())));
                }
            }
            Value::Array(values) => work.extend(values.iter().map(|value| (value, false))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// The names that parts of a document give themselves, with the pointers to them: `$id` as it is written, `$anchor`
/// and `$dynamicAnchor` (`id` in draft 4) with a `#` before them.
pub(super) fn names(document: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut work = vec![(document, String::new(), false)];
    while let Some((node, at, named)) = work.pop() {
        match node {
            Value::Object(object) => {
                let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|_| !named);
                let mut keep = |name: String| {
                    found.entry(name).or_insert_with(|| at.clone());
                };
                if let Some(id) = text("$id") {
                    keep(id.trim_end_matches('#').to_owned());
                }
                if let Some(id) = text("id").filter(|id| id.starts_with('#') && id.len() > 1) {
                    keep(id.to_owned());
                }
                for anchor in ["$anchor", "$dynamicAnchor"] {
                    if let Some(anchor) = text(anchor) {
                        keep(format!("#{anchor}"));
                    }
                }
                for (key, value) in object {
                    let is_data = !named && DATA.contains(&key.as_str());
                    if !is_data && (value.is_object() || value.is_array()) {
                        let below = !named && NAMED.contains(&key.as_str());
                        work.push((value, format!("{at}/{}", escaped(key)), below));
                    }
                }
            }
            Value::Array(values) => {
                let values = values.iter().enumerate().filter(|(_, v)| v.is_object() || v.is_array());
                work.extend(values.map(|(index, value)| (value, format!("{at}/{index}"), false)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

fn is_resource(id: Option<&Value>) -> bool {
    id.and_then(Value::as_str).is_some_and(|id| !id.starts_with('#') && !id.is_empty())
}

/// A member name as one step of a JSON pointer in a URI fragment (RFC 6901, section 6).
pub(super) fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace('~', "~0").replace('/', "~1")
}
