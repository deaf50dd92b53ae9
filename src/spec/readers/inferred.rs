//! The schema of example data: what formats without schemas have in place of one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// How many elements of a list are looked at.
const MAX_ELEMENTS: usize = 50;

/// The schema that all of these values fit; nothing is required, since an example promises nothing.
pub(super) fn schema<'v>(values: impl IntoIterator<Item = &'v Value>) -> Value {
    let values: Vec<&Value> = values.into_iter().take(MAX_ELEMENTS).collect();
    let mut types: Vec<&str> = Vec::new();
    let mut members: Map<String, Value> = Map::new();
    // In the order in which they first come.
    let mut below: Vec<(&str, Vec<&Value>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut elements: Vec<&Value> = Vec::new();
    for value in &values {
        let word = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(list) => {
                elements.extend(list);
                "array"
            }
            Value::Object(object) => {
                for (name, value) in object {
                    let place = *places.entry(name).or_insert(below.len());
                    match below.get_mut(place) {
                        Some((_, seen)) => seen.push(value),
                        None => below.push((name, vec![value])),
                    }
                }
                "object"
            }
        };
        if !types.contains(&word) {
            types.push(word);
        }
    }
    if types.contains(&"number") {
        types.retain(|word| *word != "integer");
    }
    types.sort_unstable();
    let mut schema = match types.as_slice() {
        // Null alone says nothing of what else may be there.
        [] | ["null"] => json!({}),
        [only] => json!({"type": only}),
        several => json!({"type": several}),
    };
    if let Value::Object(object) = &mut schema {
        if types.contains(&"object") {
            members.extend(below.into_iter().map(|(name, values)| (name.to_owned(), self::schema(values))));
            object.insert("properties".to_owned(), Value::Object(members));
        }
        if types.contains(&"array") {
            object.insert("items".to_owned(), self::schema(elements));
        }
    }
    schema
}
