//! What a description says of one field, all ways to it put together: `$ref`, `allOf`, and every alternative.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ApiModel, schema::View};
use crate::model::{FieldPath, Step};

/// How many schemas are looked at for one step; a union of more says nothing that can be held against it.
const MAX_SCHEMAS: usize = 512;
/// How deep alternatives hold alternatives.
const MAX_NESTING: usize = 8;

/// What a description says of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Described {
    /// JSON types of any alternative, null apart; none where any is allowed.
    pub types: BTreeSet<String>,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether it may be missing where its object is there: not required, or not in every alternative.
    pub optional: bool,
    /// Formats of its alternatives; `None` is one without.
    pub formats: BTreeSet<Option<String>>,
    /// The values that are listed, where every alternative lists them.
    pub values: Option<BTreeSet<String>>,
    /// Whether something on the way leaves open what is there: a free map, a reference to elsewhere, a schema without
    /// content.
    pub open: bool,
}

/// What `schema` says of the field at `path`; `None` where no alternative has it.
pub(super) fn described<'a>(model: &'a ApiModel, schema: &'a Value, path: &FieldPath) -> Option<Described> {
    let mut result = Described::default();
    let mut nodes = vec![schema];
    for step in path.steps() {
        let mut below: Vec<&'a Value> = Vec::new();
        let mut missing = false;
        for view in views(model, &nodes, &mut result) {
            if view.says_nothing() {
                result.open = true;
                continue;
            }
            match step {
                Step::Key(key) => match view.properties.get(&**key) {
                    Some(node) => {
                        missing |= !view.required.contains(&**key);
                        below.push(node);
                    }
                    None => match view.map_values {
                        Some(values) => {
                            missing = true;
                            below.push(values);
                        }
                        // An object that lists no properties holds whatever it likes.
                        None if view.properties.is_empty() && view.types.contains("object") => result.open = true,
                        None => missing = true,
                    },
                },
                Step::Each | Step::Index(_) => {
                    below.extend(view.items.or(view.map_values));
                    result.open |= view.items.is_none() && view.types.contains("array");
                }
            }
        }
        result.optional = missing;
        nodes = below;
        if nodes.is_empty() || nodes.len() > MAX_SCHEMAS {
            result.open |= nodes.len() > MAX_SCHEMAS;
            return result.open.then_some(result);
        }
    }
    // Whether something around it may be null is not said of the field itself.
    result.nullable = false;
    let ends = views(model, &nodes, &mut result);
    let mut values = Some(BTreeSet::new());
    let mut any_type = false;
    for view in &ends {
        any_type |= view.types.is_empty();
        result.nullable |= view.nullable;
        result.types.extend(view.types.iter().map(|word| (*word).to_owned()));
        result.formats.insert(view.format.map(str::to_owned));
        values = match (values, &view.values) {
            (Some(all), Some(more)) => Some(&all | more),
            _ => None,
        };
        result.open |= view.says_nothing();
    }
    if any_type {
        result.types.clear();
        result.nullable = true;
    }
    result.values = values.filter(|values| !values.is_empty());
    Some(result)
}

impl View<'_> {
    /// Whether anything goes.
    fn says_nothing(&self) -> bool {
        !self.outside.is_empty()
            || (self.types.is_empty() && self.properties.is_empty() && self.variants.is_empty() && self.values.is_none())
    }
}

/// A look at each schema and at each of its alternatives, in place of itself where it has some.
fn views<'a>(model: &'a ApiModel, nodes: &[&'a Value], result: &mut Described) -> Vec<View<'a>> {
    let mut found = Vec::new();
    let mut work: Vec<(View<'a>, usize)> = nodes.iter().map(|node| (View::of(model, node), 0)).collect();
    work.reverse();
    while let Some((mut view, depth)) = work.pop() {
        let variants = std::mem::take(&mut view.variants);
        if variants.is_empty() || depth >= MAX_NESTING || found.len() + work.len() > MAX_SCHEMAS {
            result.open |= !variants.is_empty();
            found.push(view);
            continue;
        }
        for (_, node) in variants.into_iter().rev() {
            let mut alternative = View::of(model, node);
            alternative.take_in(&view);
            work.push((alternative, depth + 1));
        }
    }
    found
}

impl<'a> View<'a> {
    /// What stands beside a list of alternatives holds for each of them.
    fn take_in(&mut self, beside: &Self) {
        for (name, node) in &beside.properties {
            self.properties.entry(name).or_insert(node);
        }
        self.required.extend(&beside.required);
        if self.types.is_empty() {
            self.types.clone_from(&beside.types);
        }
        self.nullable |= beside.nullable;
        self.format = self.format.or(beside.format);
        self.items = self.items.or(beside.items);
        self.map_values = self.map_values.or(beside.map_values);
        if self.values.is_none() {
            self.values.clone_from(&beside.values);
        }
        self.outside.extend(&beside.outside);
    }
}

impl Described {
    /// The types in words.
    #[must_use]
    pub fn type_words(&self) -> String {
        let types: Vec<&str> = self.types.iter().map(String::as_str).collect();
        if types.is_empty() { "any".to_owned() } else { types.join(" or ") }
    }
}
