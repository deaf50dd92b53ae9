//! Examples in a description that contradict its schema: a sign that one of the two is out of date.

use serde_json::Value;

use super::{ApiModel, api::is_json, schema::View};
use crate::model::{FieldPath, JsonType};

/// How many contradictions are told at most.
const MAX: usize = 20;

/// Where examples of a response have another type than its schema: the path, what the schema says, what the example is.
pub(super) fn contradictions<'a>(
    model: &'a ApiModel,
    response: &'a Value,
    schema: &'a Value,
) -> Vec<(FieldPath, String, String)> {
    let response = model.resolve(response);
    let content = response.get("content").or_else(|| response.get("examples")).and_then(Value::as_object);
    let mut found = Vec::new();
    for (_, media) in content.into_iter().flatten().filter(|(media, _)| is_json(media)) {
        // Swagger 2.0 has the example itself there.
        let single = if model.is_swagger2() { Some(media) } else { media.get("example") };
        let several = media.get("examples").and_then(Value::as_object).into_iter().flatten();
        let several = several.filter_map(|(_, example)| model.resolve(example).get("value"));
        for example in single.into_iter().chain(several).take(8) {
            check(model, schema, example, &FieldPath::root(), &mut found);
        }
    }
    found
}

fn check<'a>(
    model: &'a ApiModel,
    schema: &'a Value,
    example: &Value,
    at: &FieldPath,
    found: &mut Vec<(FieldPath, String, String)>,
) {
    if found.len() >= MAX || at.steps().len() > 16 {
        return;
    }
    let view = View::of(model, schema);
    // Alternatives may each allow something else; nothing is said there.
    if !view.variants.is_empty() || !view.outside.is_empty() {
        return;
    }
    let word = JsonType::of(example).word();
    let allowed = view.types.is_empty()
        || view.types.contains(word)
        || (word == "integer" && view.types.contains("number"))
        // Nulls in examples say little: most descriptions forget `nullable`.
        || word == "null";
    if !allowed {
        if !found.iter().any(|(path, _, _)| path == at) {
            found.push((at.clone(), view.type_words(), word.to_owned()));
        }
        return;
    }
    match example {
        Value::Object(object) => {
            for (name, value) in object {
                if let Some(schema) = view.properties.get(name.as_str()) {
                    check(model, schema, value, &at.child(name), found);
                }
            }
        }
        Value::Array(values) => {
            if let Some(items) = view.items {
                values.iter().take(3).for_each(|value| check(model, items, value, &at.each(), found));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
