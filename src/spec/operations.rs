//! The comparison of one operation with its successor: signing in, parameters, body, responses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Operation, api,
    consumer::joined,
    discover::records_at,
    envelope::moved_records,
    examples, field_moves,
    graph::{Direction, Graph, fits},
    parameters::{self, is_paging},
    volatile,
};
use crate::model::{FieldPath, Step};

/// One difference between two descriptions.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct DocChange {
    pub(super) what: &'static str,
    pub(super) operation: Option<String>,
    /// `request`, `response`, or nothing.
    pub(super) part: Option<&'static str>,
    /// The path in the document, from the top of the body.
    pub(super) field: Option<FieldPath>,
    /// The path in a record, where the field is in one.
    pub(super) record: Option<FieldPath>,
    /// What the field is called now, as a path in a record where it is in one.
    pub(super) renamed_to: Option<FieldPath>,
    /// The same as a path in the document.
    pub(super) target: Option<FieldPath>,
    pub(super) parameter: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
    /// Whether it touches what is read, where that is known.
    pub(super) read: Option<bool>,
    /// How many operations the change reaches, where it is told once for all.
    pub(super) operations: usize,
}

/// Two states of one operation, and where its records sit.
pub(super) struct Compared<'a, 'f> {
    pub(super) before: Operation<'a>,
    pub(super) after: Operation<'a>,
    /// The place of the records in the response of before, where somebody knows it.
    pub(super) records: Option<FieldPath>,
    /// Fields that are followed wherever else the same schema is used.
    pub(super) fields: &'f [FieldPath],
}

/// What of an operation is found: the changes, and the pairs of schemas that hold some of them.
pub(super) struct Found {
    pub(super) changes: Vec<DocChange>,
    /// Changes that belong to a pair of schemas, by pair.
    pub(super) in_schemas: Vec<(usize, DocChange)>,
    /// Prose that differs without meaning anything that is known.
    pub(super) prose: usize,
}

/// Compares one operation.
pub(super) fn compare<'a>(graph: &mut Graph<'a>, pair: &Compared<'a, '_>) -> Found {
    let (before, after) = (&pair.before, &pair.after);
    let mut found = Found { changes: Vec::new(), in_schemas: Vec::new(), prose: 0 };
    lifecycle(before, after, &mut found);
    signing_in(before, after, &mut found.changes);
    parameters::compare(graph, before, after, &mut found.changes);
    if let (Some((was, _)), Some((is, required))) = (before.request_body(), after.request_body()) {
        let root = graph.pair(was, is, Direction::Request);
        schemas(graph, root, Direction::Request, &FieldPath::root(), None, &mut found);
        let was_required = before.request_body().is_some_and(|(_, required)| required);
        if required && !was_required {
            found.changes.push(change("body-required"));
        }
    } else if after.request_body().is_some_and(|(_, required)| required) {
        found.changes.push(change("body-required"));
    }
    response(graph, pair, &mut found);
    let name = before.name();
    let all = found.changes.iter_mut().chain(found.in_schemas.iter_mut().map(|(_, change)| change));
    all.for_each(|change| change.operation = Some(name.clone()));
    found
}

/// A change with nothing but its name.
pub(super) fn change(what: &'static str) -> DocChange {
    DocChange { what, operations: 1, ..DocChange::default() }
}

fn lifecycle(before: &Operation<'_>, after: &Operation<'_>, found: &mut Found) {
    if after.is_deprecated() && !before.is_deprecated() {
        found.changes.push(change("operation-deprecated"));
    }
    let (was, is) = (before.prose(), after.prose());
    if volatile::newly_speaks_of_an_end(&was, &is) {
        if !after.is_deprecated() {
            found.changes.push(change("deprecated-in-prose"));
        }
    } else if volatile::newly_speaks_of_limits(&was, &is) {
        found.changes.push(change("limit-in-prose"));
    } else if volatile::differs(&was, &is) {
        found.prose += 1;
    }
    if before.id() != after.id()
        && let (Some(was), Some(is)) = (before.id(), after.id())
    {
        found.changes.push(DocChange {
            from: was.to_owned(),
            to: is.to_owned(),
            ..change("operation-id-changed")
        });
    }
    // An operation with addresses of its own that are those of all answers where it did.
    let own = !before.own_servers().is_empty() || !after.own_servers().is_empty();
    let (was, is) = (before.all_servers(), after.all_servers());
    if own && was != is {
        found.changes.push(DocChange { from: was.join(", "), to: is.join(", "), ..change("server-changed") });
    }
}

fn signing_in(before: &Operation<'_>, after: &Operation<'_>, changes: &mut Vec<DocChange>) {
    let (was, is) = (before.security(), after.security());
    if was == is {
        return scopes(before, after, changes);
    }
    let words = |ways: &[Vec<String>]| {
        let ways: Vec<String> = ways
            .iter()
            .map(|way| if way.is_empty() { "none".to_owned() } else { way.join(" with ") })
            .collect();
        if ways.is_empty() { "none".to_owned() } else { ways.join(", or ") }
    };
    // Nobody has to sign in where nothing is asked, or where nothing is one of the ways.
    let open = |ways: &[Vec<String>]| ways.is_empty() || ways.iter().any(Vec::is_empty);
    let kept = was.iter().filter(|way| is.contains(way)).count();
    let what = if (open(&is) && !open(&was)) || (kept == was.len() && !was.is_empty()) {
        "auth-option-added"
    } else if kept == 0 {
        "auth-changed"
    } else {
        "auth-option-removed"
    };
    changes.push(DocChange { from: words(&was), to: words(&is), ..change(what) });
}

/// Scopes that a token must have now, in every way that was enough before.
fn scopes(before: &Operation<'_>, after: &Operation<'_>, changes: &mut Vec<DocChange>) {
    let (was, is) = (before.scopes(), after.scopes());
    let mut fewest: Option<(BTreeSet<&str>, BTreeSet<&str>)> = None;
    for (schemes, had) in &was {
        for (_, has) in is.iter().filter(|(other, _)| other == schemes) {
            let fresh: BTreeSet<&str> = has.difference(had).copied().collect();
            if fewest.as_ref().is_none_or(|(least, _)| fresh.len() < least.len()) {
                fewest = Some((fresh, had.difference(has).copied().collect()));
            }
        }
    }
    let words = |scopes: &BTreeSet<&str>| scopes.iter().copied().collect::<Vec<_>>().join(", ");
    if let Some((fresh, gone)) = fewest.filter(|(fresh, _)| !fresh.is_empty()) {
        changes.push(DocChange { from: words(&gone), to: words(&fresh), ..change("auth-scope-required") });
    }
}

fn response<'a>(graph: &mut Graph<'a>, pair: &Compared<'a, '_>, found: &mut Found) {
    let (before, after) = (&pair.before, &pair.after);
    let Some((status, was_response)) = before.success() else { return };
    let in_response = |what: &'static str| DocChange { part: Some("response"), ..change(what) };
    let Some((new_status, is_response)) = after.success() else {
        found.changes.push(DocChange { from: status.to_owned(), ..in_response("response-removed") });
        return;
    };
    if status != new_status && status != "default" && new_status != "default" {
        let (from, to) = (status.to_owned(), new_status.to_owned());
        found.changes.push(DocChange { from, to, ..in_response("status-changed") });
    }
    headers(graph, was_response, is_response, found);
    let (was_media, is_media) = (before.media_types(), after.media_types());
    if was_media.iter().any(|media| api::is_json(media)) && !is_media.iter().any(|media| api::is_json(media))
    {
        let (from, to) = (was_media.join(", "), is_media.join(", "));
        found.changes.push(DocChange { from, to, ..in_response("media-type-changed") });
        return;
    }
    let (Some((_, was)), Some((_, is))) = (before.response_schema(), after.response_schema()) else {
        if before.response_schema().is_some() {
            found.changes.push(in_response("response-removed"));
        }
        return;
    };
    let records = pair.records.clone().unwrap_or_else(|| records_at(before, was));
    if let Some((from, to, inner_was, inner_is)) = moved_records(graph, was, is, &records) {
        found.changes.push(DocChange {
            field: Some(from.clone()),
            from: from.to_string(),
            to: to.to_string(),
            ..in_response("records-moved")
        });
        let root = graph.pair(inner_was, inner_is, Direction::Response);
        schemas(graph, root, Direction::Response, &from, Some(&records), found);
        followed(graph, root, &from, &records, pair.fields, found);
        return;
    }
    let root = graph.pair(was, is, Direction::Response);
    schemas(graph, root, Direction::Response, &FieldPath::root(), Some(&records), found);
    followed(graph, root, &FieldPath::root(), &records, pair.fields, found);
    field_moves::join(graph, (was, is), &records, &mut found.in_schemas);
    contradictions(graph, pair, &records, found);
}

/// Examples that contradict the schema and did not before, unless the schema itself changed there: then the example
/// is what was forgotten.
fn contradictions<'a>(graph: &Graph<'a>, pair: &Compared<'a, '_>, records: &FieldPath, found: &mut Found) {
    let of = |operation: &Operation<'a>, model: &'a api::ApiModel| {
        let response = operation.success().map(|(_, response)| response);
        let schema = operation.response_schema().map(|(_, schema)| schema);
        response
            .zip(schema)
            .map_or_else(Vec::new, |(response, schema)| examples::contradictions(model, response, schema))
    };
    let now = of(&pair.after, graph.after);
    if now.is_empty() {
        return;
    }
    let known = of(&pair.before, graph.before);
    for (field, from, to) in now {
        let was_there = known.iter().any(|(other, _, _)| *other == field);
        let changed = found.in_schemas.iter().any(|(_, change)| change.field.as_ref() == Some(&field));
        if !was_there && !changed {
            let record = in_record(&field, records);
            let part = Some("response");
            found.changes.push(DocChange {
                field: Some(field),
                record,
                part,
                from,
                to,
                ..change("example-contradicts")
            });
        }
    }
}

fn headers(graph: &Graph<'_>, was: &Value, is: &Value, found: &mut Found) {
    let names = |response: &Value| -> BTreeSet<String> {
        let headers = response.get("headers").and_then(Value::as_object);
        headers.into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let (was, is) = (names(graph.before.resolve(was)), names(graph.after.resolve(is)));
    for name in was.iter().filter(|name| !is.iter().any(|other| other.eq_ignore_ascii_case(name))) {
        let what = if is_paging(name) { "paging-removed" } else { "header-removed" };
        found.changes.push(DocChange {
            parameter: Some(name.clone()),
            part: Some("response"),
            ..change(what)
        });
    }
}

/// The changes of every pair of schemas below `root`, each once.
fn schemas(
    graph: &Graph<'_>,
    root: usize,
    direction: Direction,
    above: &FieldPath,
    records: Option<&FieldPath>,
    found: &mut Found,
) {
    for (index, path) in graph.reach(root) {
        for local in &graph.pairs[index].locals {
            if local.what == "description-changed" {
                found.prose += 1;
                continue;
            }
            let at = joined(above, &path);
            found.in_schemas.push((index, in_schema(local, &at, direction, records)));
        }
    }
}

/// The same changes where a watched field is reached by another way than the shortest.
fn followed(
    graph: &Graph<'_>,
    root: usize,
    above: &FieldPath,
    records: &FieldPath,
    fields: &[FieldPath],
    found: &mut Found,
) {
    for field in fields {
        let whole = joined(records, field);
        let Some(rest) = whole.steps().strip_prefix(above.steps()) else { continue };
        let rest = FieldPath::new(rest.to_vec());
        for (index, depth) in graph.along(root, &rest) {
            // What is read whole is read with all below it.
            if depth == rest.steps().len() {
                below(graph, index, &whole, records, found);
            }
            let at = joined(above, &FieldPath::new(rest.steps()[..depth].to_vec()));
            let next = rest.steps().get(depth);
            for local in &graph.pairs[index].locals {
                let concerns = match (&local.name, next) {
                    (Some(name), Some(next)) => fits(&Step::Key(name.as_str().into()), next),
                    (Some(_), None) => false,
                    (None, _) => true,
                };
                let news = !matches!(local.what, "field-added" | "description-changed");
                if !concerns || !news {
                    continue;
                }
                let change = in_schema(local, &at, Direction::Response, Some(records));
                let known = |(_, other): &(usize, DocChange)| {
                    other.what == change.what && other.field == change.field
                };
                if !found.in_schemas.iter().any(known) {
                    found.in_schemas.push((index, change));
                }
            }
        }
    }
}

/// The changes of every pair of schemas below a field that is read whole.
fn below(graph: &Graph<'_>, root: usize, field: &FieldPath, records: &FieldPath, found: &mut Found) {
    for (index, path) in graph.reach(root).into_iter().skip(1) {
        for local in graph.pairs[index].locals.iter().filter(|local| local.what != "description-changed") {
            let change = in_schema(local, &joined(field, &path), Direction::Response, Some(records));
            let known =
                |(_, other): &(usize, DocChange)| other.what == change.what && other.field == change.field;
            if !found.in_schemas.iter().any(known) {
                found.in_schemas.push((index, change));
            }
        }
    }
}

fn in_schema(
    local: &super::graph::Local,
    at: &FieldPath,
    direction: Direction,
    records: Option<&FieldPath>,
) -> DocChange {
    let field = local.name.as_ref().map_or_else(|| at.clone(), |name| at.child(name));
    let record = |field: &FieldPath| records.and_then(|records| in_record(field, records));
    let renamed_to = local.renamed_to.as_ref().map(|name| at.child(name));
    DocChange {
        part: Some(match direction {
            Direction::Request => "request",
            Direction::Response => "response",
        }),
        record: record(&field),
        target: renamed_to.clone(),
        renamed_to: renamed_to.map(|to| record(&to).unwrap_or(to)),
        field: Some(field),
        from: local.from.clone(),
        to: local.to.clone(),
        ..change(local.what)
    }
}

/// The path within a record, for paths below the place of the records.
pub(super) fn in_record(field: &FieldPath, records: &FieldPath) -> Option<FieldPath> {
    field.steps().strip_prefix(records.steps()).map(|rest| FieldPath::new(rest.to_vec()))
}
