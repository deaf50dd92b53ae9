//! The operations of a description, and which of them another operation or an endpoint is: by path, by the shape of the
//! path, and where they moved by what they have in common.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ApiModel, Operation, WatchedEndpoint, described::described, discover::records_at,
    readers::reference::PAGE,
};
use crate::model::FieldPath;

/// The operations of a description, to be found again by what they answer to.
pub(super) struct Listed<'a> {
    pub(super) operations: Vec<Operation<'a>>,
    /// By method and path, exact first, then with open parameters, then with the base path.
    by_path: BTreeMap<(&'static str, String), usize>,
}

impl<'a> Listed<'a> {
    pub(super) fn of(model: &'a ApiModel) -> Self {
        let operations = model.operations();
        let mut by_path = BTreeMap::new();
        let forms: [fn(&Operation<'_>) -> String; 3] = [|o| o.path.to_owned(), |o| o.shape(), whole_shape];
        for form in forms {
            for (index, operation) in operations.iter().enumerate() {
                by_path.entry((operation.method, form(operation))).or_insert(index);
            }
        }
        Self { operations, by_path }
    }

    /// The operation of that method at a path, or at one of that shape.
    pub(super) fn at(&self, method: &'static str, shape: String) -> Option<&Operation<'a>> {
        self.by_path.get(&(method, shape)).map(|index| &self.operations[*index])
    }

    /// The operation that answers to the same requests.
    pub(super) fn same(&self, other: &Operation<'_>) -> Option<&Operation<'a>> {
        let find = |path: String| self.by_path.get(&(other.method, path));
        find(other.path.to_owned())
            .or_else(|| find(other.shape()))
            .or_else(|| find(whole_shape(other)))
            .map(|index| &self.operations[*index])
    }
}

/// The shape of the path below the host, base path included: a base path that moved into the paths is no change.
fn whole_shape(operation: &Operation<'_>) -> String {
    let servers = operation.own_servers();
    let server = servers.into_iter().next().or_else(|| operation.model.servers().into_iter().next());
    let base = server.as_deref().map(base_path).unwrap_or_default();
    format!("{base}{}", operation.shape())
}

fn base_path(server: &str) -> String {
    let below =
        server.split_once("://").map_or(server, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    below.trim_end_matches('/').to_owned()
}

/// The operations that only the later state has, to be found by what a successor has in common with one that is gone.
#[derive(Default)]
pub(super) struct Fresh<'a> {
    pub(super) operations: Vec<Operation<'a>>,
    /// By id, by the schema of the response, and by the shape of the path: places in the list of operations.
    by_id: BTreeMap<String, Vec<usize>>,
    by_response: BTreeMap<String, Vec<usize>>,
    by_shape: BTreeMap<String, Vec<usize>>,
    /// The shape of each.
    shapes: BTreeMap<usize, String>,
}

impl<'a> Fresh<'a> {
    pub(super) fn of(was: &Listed<'a>, is: &Listed<'a>) -> Self {
        let mut fresh = Self::default();
        for (at, operation) in is.operations.iter().enumerate() {
            if was.same(operation).is_some() {
                continue;
            }
            if let Some(id) = operation.id() {
                fresh.by_id.entry(id.to_owned()).or_default().push(at);
            }
            if let Some(response) = answers_with(operation) {
                fresh.by_response.entry(response.to_owned()).or_default().push(at);
            }
            fresh.operations.push(*operation);
            fresh.by_shape.entry(operation.shape()).or_default().push(at);
            fresh.shapes.insert(at, operation.shape());
        }
        fresh
    }

    /// The operation that took the place of one that is gone: the one with its id, or the only one that answers with
    /// the same schema at nearly the same path.
    pub(super) fn successor<'s>(
        &self,
        gone: &Operation<'a>,
        is: &'s Listed<'a>,
    ) -> Option<&'s Operation<'a>> {
        let shape = gone.shape();
        let segments: Vec<&str> = shape.split('/').collect();
        let with = |index: &BTreeMap<String, Vec<usize>>, key: Option<&str>| -> BTreeSet<usize> {
            key.and_then(|key| index.get(key)).into_iter().flatten().copied().collect()
        };
        let with_id = with(&self.by_id, gone.id());
        let with_response = with(&self.by_response, answers_with(gone));
        let with_shape = with(&self.by_shape, Some(&shape));
        let score = |at: &usize| {
            let operation = &is.operations[*at];
            let others = self.shapes.get(at).into_iter().flat_map(|shape| shape.split('/'));
            let is_near = others.clone().count() == segments.len()
                && others.zip(&segments).filter(|(a, b)| a != *b).count() == 1;
            4 * u32::from(with_id.contains(at))
                + 3 * u32::from(with_shape.contains(at))
                + 2 * u32::from(with_response.contains(at))
                + u32::from(operation.method == gone.method)
                + u32::from(is_near)
        };
        // What has none of the three in common stays below four.
        let candidates: BTreeSet<usize> =
            [&with_id, &with_response, &with_shape].into_iter().flatten().copied().collect();
        let mut scored: Vec<(u32, &'s Operation<'a>)> = candidates
            .iter()
            .map(|at| (score(at), &is.operations[*at]))
            .filter(|(score, _)| *score >= 4)
            .collect();
        scored.sort_by(|a, b| (b.0, a.1.path, a.1.method).cmp(&(a.0, b.1.path, b.1.method)));
        match scored.as_slice() {
            [(_, only)] => Some(*only),
            [(best, first), (second, _), ..] if best > second => Some(*first),
            _ => None,
        }
    }
}

/// The name of the schema that an operation answers with, as one or as a list.
fn answers_with<'a>(operation: &Operation<'a>) -> Option<&'a str> {
    let (_, schema) = operation.response_schema()?;
    super::api::reference(schema).or_else(|| schema.get("items").and_then(super::api::reference))
}

/// Where the records of an endpoint sit in its response. A page may describe one record and leave out what is around it.
pub(super) fn records_in(endpoint: &WatchedEndpoint, operation: &Operation<'_>) -> FieldPath {
    let is_there = |records: &FieldPath| {
        let schema = operation.response_schema().map(|(_, schema)| schema);
        operation.model.family() != PAGE
            || schema.is_none_or(|schema| described(operation.model, schema, records).is_some())
    };
    endpoint.records.clone().filter(is_there).unwrap_or_else(|| records_of(operation))
}

/// Where the records of an operation seem to sit.
pub(super) fn records_of(operation: &Operation<'_>) -> FieldPath {
    operation.response_schema().map(|(_, schema)| records_at(operation, schema)).unwrap_or_default()
}

pub(super) fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

/// The operation of an endpoint: the same method, the path segment by segment, the base path left out or not.
pub(super) fn find<'s, 'a>(
    operations: &'s [Operation<'a>],
    model: &ApiModel,
    endpoint: &WatchedEndpoint,
) -> Option<&'s Operation<'a>> {
    let (address, asked) = endpoint.path.split_once('?').unwrap_or((&endpoint.path, ""));
    let below_host =
        address.split_once("://").map_or(address, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let segments = |path: &str| -> Vec<String> {
        path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
    };
    let wanted = segments(below_host);
    let sends = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let sent = endpoint.sent.as_ref().and_then(|sent| sent.parameters.get(name));
        sent.is_some_and(|sent| sent.as_deref().is_none_or(|sent| sent == value))
    };
    let mut bases: Vec<Vec<String>> = vec![Vec::new()];
    // A page writes the path below its base address, which it names elsewhere.
    if model.family() == PAGE && model.servers().is_empty() {
        bases.extend((1..wanted.len().min(4)).map(|count| wanted[..count].to_vec()));
    }
    bases.extend(model.servers().iter().map(|server| segments(&base_path(server))));
    let is_open = |segment: &str| segment.contains(['{', '<', '$']) || segment.starts_with(':');
    let mut best: Option<(usize, &Operation<'a>)> = None;
    for operation in
        operations.iter().filter(|operation| operation.method.eq_ignore_ascii_case(&endpoint.method))
    {
        // Some write fixed parts of a query into their paths.
        let (path, fixed) = operation.path.split_once('?').unwrap_or((operation.path, ""));
        let mut fixed = fixed.split('&').filter(|part| !part.is_empty());
        let asks = fixed.clone().count();
        if !fixed.all(|part| asked.split('&').any(|other| other == part) || sends(part)) {
            continue;
        }
        for base in &bases {
            let mut template = base.clone();
            template.extend(segments(path));
            if template.len() != wanted.len() {
                continue;
            }
            let matches = template.iter().zip(&wanted).all(|(t, w)| {
                // A file ending is a matter of taste: `/orders` and `/orders.json`.
                is_open(t)
                    || is_open(w)
                    || t == w
                    || t.strip_suffix(".json").unwrap_or(t) == w.strip_suffix(".json").unwrap_or(w)
            });
            // The template with the most words of its own fits best.
            let words = template.iter().zip(&wanted).filter(|(t, w)| t == w).count() + asks;
            if matches && best.is_none_or(|(most, _)| words > most) {
                best = Some((words, operation));
            }
        }
    }
    best.map(|(_, operation)| operation)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Some vendors write a fixed part of the query into the path, beside an operation without it.
    #[test]
    fn a_query_in_a_path_tells_operations_apart() {
        let model = ApiModel::new(json!({"openapi": "3.0.0", "paths": {
            "/users/{id}/expire": {"post": {"operationId": "expire"}},
            "/users/{id}/expire?temporary=true": {"post": {"operationId": "replace"}},
        }}))
        .unwrap();
        let operations = model.operations();
        let id = |path: &str| {
            let endpoint = WatchedEndpoint {
                method: "POST".to_owned(),
                path: path.to_owned(),
                ..WatchedEndpoint::default()
            };
            find(&operations, &model, &endpoint).and_then(Operation::id)
        };
        assert_eq!(id("/users/7/expire"), Some("expire"));
        assert_eq!(id("/users/7/expire?limit=3"), Some("expire"));
        assert_eq!(id("/users/7/expire?limit=3&temporary=true"), Some("replace"));
    }
}
