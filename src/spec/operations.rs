//! The comparison of one operation with its successor: signing in, parameters, body, responses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Operation, api,
    consumer::joined,
    discover::records_at,
    envelope::moved_records,
    examples, field_moves,
    graph::{Graph, fits},
    pair::{Direction, Local},
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
    /// The pair of schemas that differs, where it is a change of one.
    pub(super) pair: Option<usize>,
    /// Whether it is about a property of those, and not about themselves.
    pub(super) of_property: bool,
}

/// The changes of schemas that were told already, by pair of schemas.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<usize, Vec<ToldChange>>);

/// A change that was told: what it is, the last name of its path, and its place in the list of changes.
#[derive(Debug)]
struct ToldChange {
    what: &'static str,
    name: Option<String>,
    place: usize,
}

impl Told {
    /// Where a change of a pair was told.
    pub(super) fn find(&self, pair: usize, what: &str, name: Option<&str>) -> Option<usize> {
        let same = |told: &&ToldChange| told.what == what && told.name.as_deref() == name;
        self.0.get(&pair)?.iter().find(same).map(|told| told.place)
    }

    pub(super) fn add(&mut self, pair: usize, change: &DocChange, place: usize) {
        let name = change.field.as_ref().and_then(FieldPath::name).map(str::to_owned);
        self.0.entry(pair).or_default().push(ToldChange { what: change.what, name, place });
    }
}

/// Two states of one operation, and where its records sit.
pub(super) struct Compared<'a, 'f> {
    pub(super) before: Operation<'a>,
    pub(super) after: Operation<'a>,
    /// The place of the records in the response of before, where somebody knows it.
    pub(super) records: Option<FieldPath>,
    /// Fields that are followed wherever else the same schema is used.
    pub(super) fields: &'f [FieldPath],
    /// What other operations have told of the schemas that they share.
    pub(super) told: &'f Told,
}

/// What of an operation is found: the changes, and the pairs of schemas that hold some of them.
pub(super) struct Found {
    pub(super) changes: Vec<DocChange>,
    /// Changes that belong to a pair of schemas, by pair.
    pub(super) in_schemas: Vec<(usize, DocChange)>,
    /// Those of them that were told already, by their place in the list.
    pub(super) again: Vec<usize>,
    /// Prose that differs without meaning anything that is known.
    pub(super) prose: usize,
}

/// Compares one operation.
pub(super) fn compare<'a>(graph: &mut Graph<'a>, pair: &Compared<'a, '_>) -> Found {
    let (before, after) = (&pair.before, &pair.after);
    let mut found = Found { changes: Vec::new(), in_schemas: Vec::new(), again: Vec::new(), prose: 0 };
    lifecycle(before, after, &mut found);
    signing_in(before, after, &mut found.changes);
    parameters::compare(graph, before, after, &mut found.changes);
    if let (Some((was, _)), Some((is, required))) = (before.request_body(), after.request_body()) {
        if let Some(root) = graph.pair(was, is, Direction::Request) {
            let top = Top { at: &FieldPath::root(), records: None };
            schemas(graph, root, Direction::Request, &top, pair, &mut found);
        }
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
        let Some(root) = graph.pair(inner_was, inner_is, Direction::Response) else { return };
        schemas(graph, root, Direction::Response, &Top { at: &from, records: Some(&records) }, pair, found);
        followed(graph, root, &from, &records, pair.fields, found);
        return;
    }
    let Some(root) = graph.pair(was, is, Direction::Response) else { return };
    let top = FieldPath::root();
    schemas(graph, root, Direction::Response, &Top { at: &top, records: Some(&records) }, pair, found);
    followed(graph, root, &top, &records, pair.fields, found);
    field_moves::join(graph, (was, is), &records, &mut found.in_schemas);
    contradictions(graph, root, pair, &records, found);
}

/// Examples that contradict the schema and did not before, unless the schema itself changed there: then the example
/// is what was forgotten.
fn contradictions<'a>(
    graph: &mut Graph<'a>,
    root: usize,
    pair: &Compared<'a, '_>,
    records: &FieldPath,
    found: &mut Found,
) {
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
    let differing = differing(graph, root);
    for (field, from, to) in now {
        let was_there = known.iter().any(|(other, _, _)| *other == field);
        let changed = differing.contains(&field);
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

/// The fields of a body whose schema differs.
fn differing(graph: &mut Graph<'_>, root: usize) -> BTreeSet<FieldPath> {
    let reach = graph.reach(root);
    let of_pair = |(visit, pair): (usize, usize)| {
        let path = graph.path(&reach, visit);
        let told = graph.pairs[pair].locals.iter().filter(|local| local.what != "description-changed");
        told.map(move |local| local.name.as_ref().map_or_else(|| path.clone(), |name| path.child(name)))
    };
    reach.pairs().flat_map(of_pair).collect()
}

/// Where a body begins, and where the records in it sit.
struct Top<'t> {
    at: &'t FieldPath,
    records: Option<&'t FieldPath>,
}

/// The changes of every pair of schemas below `root`, each once.
fn schemas(
    graph: &mut Graph<'_>,
    root: usize,
    direction: Direction,
    top: &Top<'_>,
    compared: &Compared<'_, '_>,
    found: &mut Found,
) {
    let reach = graph.reach(root);
    for (visit, index) in reach.pairs() {
        for local in &graph.pairs[index].locals {
            if local.what == "description-changed" {
                found.prose += 1;
                continue;
            }
            let last = || graph.last_key(&reach, visit).or_else(|| top.at.name());
            let name = local.name.as_deref().or_else(last);
            if let Some(place) = compared.told.find(index, local.what, name) {
                found.again.push(place);
                continue;
            }
            let at = joined(top.at, &graph.path(&reach, visit));
            found.in_schemas.push((index, in_schema(index, local, &at, direction, top.records)));
        }
    }
}

/// The same changes where a watched field is reached by another way than the shortest.
fn followed(
    graph: &mut Graph<'_>,
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
                let change = in_schema(index, local, &at, Direction::Response, Some(records));
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
fn below(graph: &mut Graph<'_>, root: usize, field: &FieldPath, records: &FieldPath, found: &mut Found) {
    let reach = graph.reach(root);
    for (visit, index) in reach.pairs().filter(|(_, index)| *index != root) {
        for local in graph.pairs[index].locals.iter().filter(|local| local.what != "description-changed") {
            let at = joined(field, &graph.path(&reach, visit));
            let change = in_schema(index, local, &at, Direction::Response, Some(records));
            let known =
                |(_, other): &(usize, DocChange)| other.what == change.what && other.field == change.field;
            if !found.in_schemas.iter().any(known) {
                found.in_schemas.push((index, change));
            }
        }
    }
}

fn in_schema(
    pair: usize,
    local: &Local,
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
        pair: Some(pair),
        of_property: local.name.is_some(),
        ..change(local.what)
    }
}

/// The path within a record, for paths below the place of the records.
pub(super) fn in_record(field: &FieldPath, records: &FieldPath) -> Option<FieldPath> {
    field.steps().strip_prefix(records.steps()).map(|rest| FieldPath::new(rest.to_vec()))
}
