//! The texts of an API description that people read, each with the operation, the schema and the field it belongs to.

use serde_json::Value;

use super::Text;
use crate::spec::ApiModel;

/// Nodes that are looked at; GitHub's description has some million.
const MAX_NODES: usize = 5_000_000;
/// Keys whose text speaks to people.
const PROSE: [&str; 3] = ["description", "summary", "x-deprecation-message"];
/// Keys that date an end: an extension that several vendors write.
const SUNSETS: [&str; 4] = ["x-sunset", "x-sunset-date", "x-deprecated-at", "x-removal-date"];
/// What holds data, not prose.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// Where a node stands.
#[derive(Clone)]
struct Place<'a> {
    /// `GET /orders`, `schema Order`, or nothing for the API as a whole.
    of: Option<(bool, std::rc::Rc<str>)>,
    field: Option<&'a str>,
}

/// Calls with every text, in the order of the description.
pub(super) fn each_text(model: &ApiModel, call: &mut impl FnMut(Text<'_>)) {
    let mut work: Vec<(&Value, Place<'_>)> = Vec::new();
    let root = Place { of: None, field: None };
    let named =
        |is_operation: bool, name: String| Place { of: Some((is_operation, name.into())), field: None };
    let schemas = model.root().get("components").and_then(|components| components.get("schemas"));
    let schemas = schemas.or_else(|| model.root().get("definitions")).and_then(Value::as_object);
    for (name, schema) in schemas.into_iter().flatten().rev() {
        work.push((schema, named(false, format!("schema {name}"))));
    }
    for operation in model.operations().into_iter().rev() {
        work.push((operation.node, named(true, operation.name())));
    }
    if let Some(info) = model.root().get("info") {
        work.push((info, root));
    }
    let mut seen = 0;
    while let Some((node, place)) = work.pop() {
        seen += 1;
        if seen > MAX_NODES {
            break;
        }
        match node {
            Value::Object(object) => {
                say(object, &place, call);
                // A parameter has its name beside its text.
                let own = object.get("name").filter(|_| object.contains_key("in")).and_then(Value::as_str);
                for (key, child) in object.iter().rev() {
                    if DATA.contains(&key.as_str()) || !(child.is_object() || child.is_array()) {
                        continue;
                    }
                    let field = own.or(place.field);
                    if key == "properties" {
                        for (name, property) in child.as_object().into_iter().flatten().rev() {
                            work.push((property, Place { field: Some(name), ..place.clone() }));
                        }
                    } else {
                        work.push((child, Place { field, ..place.clone() }));
                    }
                }
            }
            Value::Array(items) => work.extend(items.iter().rev().map(|item| (item, place.clone()))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// The texts of one node: what it says, and when an extension says that it ends.
fn say(object: &serde_json::Map<String, Value>, place: &Place<'_>, call: &mut impl FnMut(Text<'_>)) {
    let own = object.get("name").filter(|_| object.contains_key("in")).and_then(Value::as_str);
    let field = own.or(place.field);
    let mut text = |text: &str| {
        let (title, operation) = match &place.of {
            Some((is_operation, name)) => (&**name, is_operation.then(|| name.to_string())),
            None => ("the API as a whole", None),
        };
        call(Text { place: title, text, operation, field: field.map(str::to_owned), written: None });
    };
    for key in PROSE {
        if let Some(prose) = object.get(key).and_then(Value::as_str) {
            text(prose);
        }
    }
    for key in SUNSETS {
        if let Some(date) = object.get(key).and_then(Value::as_str) {
            text(&format!("Sunset: {date}"));
        }
    }
}
