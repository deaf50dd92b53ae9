//! A schema as one flat look: `$ref` followed, `allOf` put together, the two ways to write "or null" made one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ApiModel, api::reference};

/// How deep `allOf` and `$ref` are followed for one look.
const MAX_DEPTH: usize = 16;
/// How many properties one object may have; more are not looked at.
const MAX_PROPERTIES: usize = 10_000;

/// What one schema says, its children left as they are written.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    /// JSON types, null apart unless it stands alone.
    pub(super) types: BTreeSet<&'a str>,
    pub(super) nullable: bool,
    pub(super) format: Option<&'a str>,
    pub(super) values: Option<BTreeSet<String>>,
    pub(super) properties: BTreeMap<&'a str, &'a Value>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) items: Option<&'a Value>,
    /// What the values of a map look like.
    pub(super) map_values: Option<&'a Value>,
    /// Whether it says that there are further properties, of whatever kind.
    pub(super) free: bool,
    /// Alternatives, each with a key to find it again by.
    pub(super) variants: Vec<(String, &'a Value)>,
    pub(super) deprecated: bool,
    pub(super) description: &'a str,
    pub(super) example: Option<&'a Value>,
    /// References that lead nowhere in this document.
    pub(super) outside: Vec<&'a str>,
    /// What has been added already: two ways to one schema say it twice, and 200 forks in a row say it 2^200 times.
    added: BTreeSet<usize>,
}

/// Whether a `type` allows null and nothing else.
pub(super) fn is_null_alone(word: &Value) -> bool {
    match word {
        Value::String(word) => word == "null",
        Value::Array(words) => !words.is_empty() && words.iter().all(|word| word == "null"),
        _ => false,
    }
}

impl<'a> View<'a> {
    /// The look at a schema.
    pub(super) fn of(model: &'a ApiModel, node: &'a Value) -> Self {
        let mut view = Self::default();
        view.add(model, node, 0);
        if view.types.is_empty() {
            if !view.properties.is_empty() || view.map_values.is_some() {
                view.types.insert("object");
            } else if view.items.is_some() {
                view.types.insert("array");
            }
        }
        view
    }

    /// The addresses of what was put together.
    pub(super) const fn nodes(&self) -> &BTreeSet<usize> {
        &self.added
    }

    fn add(&mut self, model: &'a ApiModel, node: &'a Value, depth: usize) {
        if depth > MAX_DEPTH || !self.added.insert(std::ptr::from_ref(node) as usize) {
            return;
        }
        if let Some(target) = reference(node) {
            let resolved = model.resolve(node);
            if std::ptr::eq(resolved, node) || reference(resolved).is_some() {
                self.outside.push(target);
            } else {
                self.add(model, resolved, depth + 1);
            }
        }
        let Value::Object(object) = node else { return };
        // What is put together comes first: what stands beside it counts more.
        for part in object.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.add(model, part, depth + 1);
        }
        let (mut fixed, mut listed, mut one_of, mut any_of) = (None, None, None, None);
        // One walk over the members: most schemas have few of the many keywords.
        for (key, value) in object {
            match (key.as_str(), value) {
                ("type", Value::String(word)) => self.add_type(word),
                ("type", Value::Array(words)) => {
                    words.iter().filter_map(Value::as_str).for_each(|word| self.add_type(word));
                }
                ("nullable" | "x-nullable", Value::Bool(flag)) => self.nullable |= flag,
                ("deprecated", Value::Bool(flag)) => self.deprecated |= flag,
                ("format", Value::String(format)) => self.format = Some(format),
                ("example", example) => self.example = Some(example),
                ("description", Value::String(text)) => self.description = text,
                ("enum", Value::Array(values)) => listed = Some(values.as_slice()),
                ("const", value) => fixed = Some(std::slice::from_ref(value)),
                ("properties", Value::Object(properties)) => {
                    let room = MAX_PROPERTIES.saturating_sub(self.properties.len());
                    self.properties.extend(properties.iter().take(room).map(|(name, s)| (name.as_str(), s)));
                }
                ("required", Value::Array(names)) => {
                    self.required.extend(names.iter().filter_map(Value::as_str));
                }
                ("items", items) => self.items = Some(items),
                ("additionalProperties", Value::Object(_)) => self.map_values = Some(value),
                ("additionalProperties", Value::Bool(further)) => self.free |= further,
                ("patternProperties", _) => self.free = true,
                ("oneOf", Value::Array(alternatives)) => one_of = Some(alternatives.as_slice()),
                ("anyOf", Value::Array(alternatives)) => any_of = Some(alternatives.as_slice()),
                _ => {}
            }
        }
        // Null alone is a type like any other.
        if object.get("type").is_some_and(is_null_alone) {
            self.types.insert("null");
        }
        if let Some(values) = listed.or(fixed) {
            self.nullable |= values.iter().any(Value::is_null);
            let words = values.iter().filter(|value| !value.is_null()).map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            self.values = Some(words.take(MAX_PROPERTIES).collect());
        }
        for alternatives in [one_of, any_of].into_iter().flatten() {
            self.add_variants(model, alternatives, depth);
        }
    }

    fn add_type(&mut self, word: &'a str) {
        if word == "null" {
            self.nullable = true;
        } else {
            self.types.insert(word);
        }
    }

    fn add_variants(&mut self, model: &'a ApiModel, alternatives: &'a [Value], depth: usize) {
        let is_null = |node: &&Value| model.resolve(node).get("type").is_some_and(|t| t == "null");
        self.nullable |= alternatives.iter().any(|node| is_null(&node));
        let others: Vec<&'a Value> = alternatives.iter().filter(|node| !is_null(node)).collect();
        // One alternative beside null is no alternative.
        if let [only] = others.as_slice() {
            self.add(model, only, depth + 1);
            return;
        }
        for (index, node) in others.into_iter().enumerate().take(256) {
            let resolved = model.resolve(node);
            let named = reference(node).or_else(|| resolved.get("title").and_then(Value::as_str));
            let key = named.map_or_else(
                || match resolved.get("type").and_then(Value::as_str) {
                    Some(word) if word != "object" => word.to_owned(),
                    _ => format!("alternative {}", index + 1),
                },
                |name| name.rsplit('/').next().unwrap_or(name).to_owned(),
            );
            self.variants.push((key, node));
        }
    }

    /// Whether it is an object, by its type or by what it lists.
    pub(super) fn is_object(&self) -> bool {
        self.types.contains("object")
    }

    /// The type of its own example, where that is none of its types.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let word = crate::model::JsonType::of(self.example?).word();
        let fits = self.types.is_empty()
            || !self.variants.is_empty()
            || self.types.contains(word)
            || (word == "integer" && self.types.contains("number"))
            // Nulls in examples say little: most descriptions forget `nullable`.
            || word == "null";
        (!fits).then_some(word)
    }

    /// The types in words.
    pub(super) fn type_words(&self) -> String {
        let types: Vec<&str> = self.types.iter().copied().collect();
        if types.is_empty() { "any".to_owned() } else { types.join(" or ") }
    }

    /// What tells one kind of field from another when fields are paired by content: types, format, values, and the
    /// names below.
    pub(super) fn signature(&self, model: &'a ApiModel) -> String {
        let items = self.items.map(|items| {
            let below = View::of(model, items);
            format!(
                "[{}:{}]",
                below.type_words(),
                below.properties.keys().copied().collect::<Vec<_>>().join(",")
            )
        });
        format!(
            "{}|{}|{}|{}|{}",
            self.type_words(),
            self.format.unwrap_or_default(),
            self.values
                .as_ref()
                .map(|v| v.iter().map(String::as_str).collect::<Vec<_>>().join(","))
                .unwrap_or_default(),
            self.properties.keys().copied().collect::<Vec<_>>().join(","),
            items.unwrap_or_default()
        )
    }
}
