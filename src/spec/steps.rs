//! Places in a JSON value, each by the steps that lead there from the top.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// One step down, as a walk notes it: it becomes text only where there is something to tell.
#[derive(Debug, Clone)]
pub(super) enum Step<'a> {
    /// The member of an object.
    Name(Cow<'a, str>),
    /// The member of a list.
    Index(usize),
}

impl Step<'_> {
    fn text(&self) -> String {
        match self {
            Self::Name(name) => name.clone().into_owned(),
            Self::Index(index) => index.to_string(),
        }
    }
}

/// The steps of a walk as text.
pub(super) fn place(steps: &[Step<'_>]) -> Vec<String> {
    steps.iter().map(Step::text).collect()
}

/// The steps that a JSON pointer without its first `/` names (RFC 6901).
pub(super) fn of_pointer(pointer: &str) -> Vec<String> {
    pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// The node at a place.
pub(super) fn at<'v>(root: &'v Value, place: &[String]) -> Option<&'v Value> {
    place.iter().try_fold(root, |node, step| match node {
        Value::Object(object) => object.get(step),
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The same, to be changed.
pub(super) fn at_mut<'v>(root: &'v mut Value, place: &[String]) -> Option<&'v mut Value> {
    place.iter().try_fold(root, |node, step| match node {
        Value::Object(object) => object.get_mut(step),
        Value::Array(list) => list.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Puts a node at a place, the objects above it where they are missing.
pub(super) fn put(root: &mut Value, place: &[String], value: Value) -> bool {
    let Some((last, above)) = place.split_last() else {
        *root = value;
        return true;
    };
    let mut node = root;
    for step in above {
        if node.is_null() {
            *node = Value::Object(Map::new());
        }
        let below = match node {
            Value::Object(object) => Some(object.entry(step).or_insert_with(|| Value::Object(Map::new()))),
            Value::Array(list) => step.parse::<usize>().ok().and_then(|index| list.get_mut(index)),
            _ => None,
        };
        let Some(below) = below else { return false };
        node = below;
    }
    match node {
        Value::Object(object) => drop(object.insert(last.clone(), value)),
        Value::Array(list) => match last.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
            Some(there) => *there = value,
            None => return false,
        },
        _ => return false,
    }
    true
}

/// Takes the member of an object out; whether it was there.
pub(super) fn take_out(into: &mut Value, above: &[String], name: &str) -> bool {
    match at_mut(into, above) {
        Some(Value::Object(object)) => object.shift_remove(name).is_some(),
        _ => false,
    }
}
