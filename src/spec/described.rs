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
    /// Whether something on the way, or the field itself, leaves open what is there: a free map, a reference to
    /// elsewhere, a schema without content.
    pub open: bool,
}

/// What `schema` says of the field at `path`; `None` where no alternative has it.
pub(super) fn described<'a>(model: &'a ApiModel, schema: &'a Value, path: &FieldPath) -> Option<Described> {
    let mut result = Described::default();
    let nodes = nodes_at(model, schema, path, &mut result);
    if nodes.is_empty() {
        return result.open.then_some(result);
    }
    // Whether something around it may be null is not said of the field itself.
    result.nullable = false;
    result.put_together(model, &nodes);
    Some(result)
}

/// What stands right below `path`, each field with the step that leads to it.
pub(super) fn fields_below<'a>(
    model: &'a ApiModel,
    schema: &'a Value,
    path: &FieldPath,
) -> Vec<(Step, Described)> {
    let mut around = Described::default();
    let nodes = nodes_at(model, schema, path, &mut around);
    let all = views(model, &nodes, &mut around);
    let mut steps: BTreeSet<Step> = BTreeSet::new();
    for view in &all {
        steps.extend(view.properties.keys().map(|name| Step::Key((*name).into())));
        steps.extend(view.items.or(view.map_values).map(|_| Step::Each));
    }
    let mut found = Vec::new();
    for step in steps {
        let mut result = Described::default();
        let below = step_down(&all, &step, &mut result);
        result.open = false;
        result.put_together(model, &below);
        found.push((step, result));
    }
    found
}

/// The schemas at a path, one for each alternative that has it. What is said on the way is noted.
fn nodes_at<'a>(
    model: &'a ApiModel,
    schema: &'a Value,
    path: &FieldPath,
    result: &mut Described,
) -> Vec<&'a Value> {
    let mut nodes = vec![schema];
    for step in path.steps() {
        let all = views(model, &nodes, result);
        nodes = step_down(&all, step, result);
        if nodes.len() > MAX_SCHEMAS {
            result.open = true;
            return Vec::new();
        }
    }
    nodes
}

fn step_down<'a>(all: &[View<'a>], step: &Step, result: &mut Described) -> Vec<&'a Value> {
    let mut below: Vec<&'a Value> = Vec::new();
    result.optional = false;
    for view in all {
        if view.says_nothing() {
            result.open = true;
            continue;
        }
        match step {
            Step::Key(key) => match view.properties.get(&**key) {
                Some(node) => {
                    result.optional |= !view.required.contains(&**key);
                    below.push(node);
                }
                None => {
                    result.optional = true;
                    below.extend(view.map_values);
                    // An object that lists no properties holds whatever it likes.
                    result.open |= view.map_values.is_none() && view.is_free();
                }
            },
            Step::Each | Step::Index(_) => {
                below.extend(view.items.or(view.map_values));
                result.open |= view.items.is_none() && view.types.contains("array");
            }
        }
    }
    below
}

impl Described {
    fn put_together<'a>(&mut self, model: &'a ApiModel, nodes: &[&'a Value]) {
        let ends = views(model, nodes, self);
        let mut values = Some(BTreeSet::new());
        let mut any_type = false;
        for view in &ends {
            any_type |= view.types.is_empty();
            self.nullable |= view.nullable;
            self.types.extend(view.types.iter().map(|word| (*word).to_owned()));
            self.formats.insert(view.format.map(str::to_owned));
            values = match (values, &view.values) {
                (Some(all), Some(more)) => Some(&all | more),
                _ => None,
            };
            self.open |= view.says_nothing() || view.is_free();
        }
        if any_type {
            self.types.clear();
            self.nullable = true;
        }
        self.values = values.filter(|values| !values.is_empty());
        // What is for requests alone is never in a response.
        let for_requests = |node: &&Value| {
            let flag = |node: &Value| node.get("writeOnly").and_then(Value::as_bool).unwrap_or(false);
            flag(node) || flag(model.resolve(node))
        };
        self.optional |= nodes.iter().any(for_requests);
    }
}

impl View<'_> {
    /// Whether further properties than those listed are said to be there, or none is listed.
    fn is_free(&self) -> bool {
        self.free
            || (self.properties.is_empty() && self.map_values.is_none() && self.types.contains("object"))
    }

    /// Whether anything goes.
    fn says_nothing(&self) -> bool {
        !self.outside.is_empty()
            || (self.types.is_empty()
                && self.properties.is_empty()
                && self.variants.is_empty()
                && self.values.is_none())
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
        self.free |= beside.free;
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
