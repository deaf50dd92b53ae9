//! The place of the records in a response, and where they went.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ApiModel, graph::Graph, schema::View};
use crate::model::{FieldPath, Step};

/// Where the records went, when the same schema sits elsewhere in the response.
pub(super) fn moved_records<'a>(
    graph: &Graph<'a>,
    was: &'a Value,
    is: &'a Value,
    records: &FieldPath,
) -> Option<(FieldPath, FieldPath, &'a Value, &'a Value)> {
    let old = node_at(graph.before, was, records)?;
    // Still there, whatever it looks like now: that is for the comparison of schemas.
    let shape = |model: &'a ApiModel, node: &'a Value| {
        let view = View::of(model, node);
        (
            view.properties.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>(),
            view.type_words(),
        )
    };
    let wanted = shape(graph.before, old);
    let alike = |other: &(BTreeSet<String>, String)| {
        if wanted.0.is_empty() || other.0.is_empty() {
            return wanted.0.is_empty() && other.0.is_empty() && wanted.1 == other.1;
        }
        let common = wanted.0.intersection(&other.0).count();
        // Three in five: records change a little when they move, envelopes share next to nothing with them.
        common * 5 >= wanted.0.union(&other.0).count() * 3
    };
    let stays = node_at(graph.after, is, records).map(|node| shape(graph.after, node));
    if stays.as_ref().is_some_and(|there| alike(there) || wanted.0.is_empty()) {
        return None;
    }
    if wanted.0.is_empty() {
        return None;
    }
    let mut places = vec![(FieldPath::root(), is)];
    let mut next = 0;
    while let Some((path, node)) = places.get(next).cloned() {
        next += 1;
        if next > 500 {
            return None;
        }
        if path != *records && alike(&shape(graph.after, node)) {
            return Some((records.clone(), path, old, node));
        }
        if path.steps().len() < 4 {
            let view = View::of(graph.after, node);
            places.extend(view.properties.iter().map(|(name, node)| (path.child(name), *node)));
            places.extend(view.items.map(|items| (path.each(), items)));
        }
    }
    None
}

/// The schema at a path.
pub(super) fn node_at<'a>(model: &'a ApiModel, root: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    let mut node = root;
    for step in path.steps() {
        let view = View::of(model, node);
        node = match step {
            Step::Key(key) => view.properties.get(&**key).copied()?,
            Step::Each | Step::Index(_) => view.items.or(view.map_values)?,
        };
    }
    Some(node)
}
