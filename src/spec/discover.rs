//! Endpoints of an API description that a connector could read: for `drogue init` and `drogue discover`.

use serde_json::Value;

use super::{ApiModel, Operation, api::GRAPHQL, schema::View};
use crate::model::{DeclaredType, FieldPath, JsonType};

/// An endpoint that returns records.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// `GET`, `POST`, or `QUERY` (OpenAPI 3.2).
    pub method: String,
    /// The path template; the field of `Query` in a GraphQL schema, whose address no schema tells.
    pub path: String,
    /// The first base address, as written.
    pub server: Option<String>,
    /// The name that the description gives the operation.
    pub operation_id: Option<String>,
    /// Where the records sit in the response: `$.data[*]`, `$[*]`.
    pub records: FieldPath,
    /// Parameters of the path, which somebody has to fill in.
    pub path_parameters: Vec<String>,
    /// Parameters of the query that must be given.
    pub required_query: Vec<String>,
    /// Parameters, and fields of a body that is sent, that ask for pages.
    pub paging_parameters: Vec<String>,
    /// Whether a `Link` header leads to the next page.
    pub link_header: bool,
    /// Members of the response, outside of the records, that look like the way to the next page.
    pub cursors: Vec<FieldPath>,
    /// The ways to sign in that suffice, in words.
    pub auth: Vec<String>,
    /// Whether the description says that it ends.
    pub deprecated: bool,
    /// The fields of a record.
    pub fields: Vec<EndpointField>,
}

/// A field of a record, as described.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointField {
    /// Its path within a record.
    pub path: FieldPath,
    /// Its types and format.
    pub declared: DeclaredType,
    /// Whether every record has it.
    pub required: bool,
}

/// How deep fields of records are listed, and how many.
const MAX_FIELD_DEPTH: usize = 6;
const MAX_FIELDS: usize = 500;

/// Every endpoint that reads a list, in the order of the description: by `GET`, by a `POST` that searches, by a GraphQL
/// query.
#[must_use]
pub fn discover(model: &ApiModel) -> Vec<Endpoint> {
    let server = model.servers().into_iter().next();
    let operations = model.operations().into_iter().filter(reads);
    operations.filter_map(|operation| endpoint(model, &operation, server.as_deref())).collect()
}

/// Whether an operation reads: by its method, or, since a long question does not fit into an address, by its name.
fn reads(operation: &Operation<'_>) -> bool {
    match operation.method {
        "GET" | "QUERY" | "SEARCH" => true,
        "POST" => {
            let segment = operation.path.rsplit('/').find(|part| !part.is_empty() && !part.starts_with('{'));
            let names = [segment.unwrap_or_default(), operation.id().unwrap_or_default()];
            names.into_iter().flat_map(words).any(|word| READING.contains(&word.as_str()))
        }
        _ => false,
    }
}

/// Words of paths and names of operations that read by `POST`; each is a verb of a question.
const READING: [&str; 9] =
    ["search", "query", "list", "filter", "find", "lookup", "scroll", "fetch", "retrieve"];

/// The words of a name: `searchOrders`, `orders:search`, `list_all`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars().take(200) {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words
}

fn endpoint<'a>(model: &'a ApiModel, operation: &Operation<'a>, server: Option<&str>) -> Option<Endpoint> {
    let (media, schema) = operation.response_schema()?;
    if !super::api::is_json(media) {
        return None;
    }
    let records = records_at(operation, schema);
    if !records.is_repeated() {
        return None;
    }
    let parameters = operation.parameters();
    let named = |place: &str| parameters.iter().filter(|p| p.place == place).collect::<Vec<_>>();
    let paging = [
        "first",
        "page",
        "per_page",
        "limit",
        "offset",
        "cursor",
        "after",
        "page_size",
        "pageSize",
        "pageToken",
        "page_token",
        "starting_after",
        "start",
        "skip",
        "next",
    ];
    let asks_for_pages = |name: &str| paging.iter().any(|other| other.eq_ignore_ascii_case(name));
    // A question that is sent as a body asks for pages in there.
    let body = operation.request_body().map(|(body, _)| View::of(model, body).properties).unwrap_or_default();
    let in_body = body.keys().filter(|name| asks_for_pages(name)).map(|name| (*name).to_owned());
    let is_graphql = model.family() == GRAPHQL;
    let (above, envelope) =
        if is_graphql { answer_of(model, operation, schema) } else { (FieldPath::root(), schema) };
    let (_, response) = operation.success()?;
    let headers = response.get("headers").and_then(Value::as_object);
    Some(Endpoint {
        method: if is_graphql { "POST" } else { operation.method }.to_owned(),
        path: operation.path.to_owned(),
        server: operation.own_servers().into_iter().next().or_else(|| server.map(str::to_owned)),
        operation_id: operation.id().map(str::to_owned),
        path_parameters: named("path").iter().map(|p| p.name.to_owned()).collect(),
        required_query: named("query").iter().filter(|p| p.required).map(|p| p.name.to_owned()).collect(),
        paging_parameters: named("query")
            .iter()
            .filter(|p| asks_for_pages(p.name))
            .map(|p| p.name.to_owned())
            .chain(in_body)
            .collect(),
        link_header: headers.into_iter().flatten().any(|(name, _)| name.eq_ignore_ascii_case("link")),
        cursors: cursors(model, &above, envelope),
        auth: operation
            .security()
            .iter()
            .map(|way| way.join(" with "))
            .filter(|way| !way.is_empty())
            .collect(),
        deprecated: operation.is_deprecated(),
        fields: fields(model, schema, &records),
        records,
    })
}

/// Where the records sit in a response: a list at the top, else the list of objects that looks most like them, else
/// the response itself.
pub(super) fn records_at(operation: &Operation<'_>, schema: &Value) -> FieldPath {
    let model = operation.model;
    if model.family() == GRAPHQL {
        return records_of_query(operation, schema);
    }
    let view = View::of(model, schema);
    let root = FieldPath::root();
    if view.items.is_some() && view.properties.is_empty() {
        return root.each();
    }
    let last_segment =
        operation.path.rsplit('/').find(|segment| !segment.is_empty() && !segment.contains('{'));
    let known = [
        "data", "items", "results", "records", "values", "entries", "value", "list", "rows", "content",
        "elements", "objects", "hits", "nodes", "result", "edges",
    ];
    let rank = |name: &str| {
        let named_after_path =
            last_segment.is_some_and(|segment| segment.trim_end_matches(".json").eq_ignore_ascii_case(name));
        if named_after_path {
            0
        } else {
            known.iter().position(|k| k.eq_ignore_ascii_case(name)).map_or(UNKNOWN, |index| index + 1)
        }
    };
    let of_objects = |items: &Value| !View::of(model, items).properties.is_empty();
    let mut lists: Vec<(Likeness, usize, FieldPath)> = Vec::new();
    for (name, node) in &view.properties {
        let below = View::of(model, node);
        if let Some(items) = below.items {
            let likeness = if of_objects(items) { Likeness::Objects } else { Likeness::Scalars };
            lists.push((likeness, rank(name), root.child(name).each()));
        }
        // One level below, under a name that envelopes have: `$.data.items[*]`, `$._embedded.orders[*]`.
        if ["data", "result", "results", "response", "_embedded", "payload", "body", "d"].contains(name) {
            for (inner, node) in &below.properties {
                if View::of(model, node).items.is_some_and(of_objects) {
                    lists.push((Likeness::Nested, rank(inner), root.child(name).child(inner).each()));
                }
            }
        }
    }
    lists.sort();
    let of_unknown = lists.iter().filter(|(likeness, _, _)| *likeness == Likeness::Objects).count();
    let found = lists.iter().find(|(likeness, rank, _)| {
        // A list under an unknown name belongs to one record, such as its tags, unless next to nothing is beside it.
        let alone = *likeness == Likeness::Objects && of_unknown == 1 && view.properties.len() <= 6;
        *rank != UNKNOWN || alone || (*likeness == Likeness::Nested && lists.len() == 1)
    });
    found.map_or(root, |(_, _, path)| path.clone())
}

/// Where the answer of a GraphQL query is in the response, `$.data.users`, and its schema.
fn answer_of<'a>(
    model: &'a ApiModel,
    operation: &Operation<'a>,
    schema: &'a Value,
) -> (FieldPath, &'a Value) {
    let below = |node: &'a Value, name: &str| View::of(model, node).properties.get(name).copied();
    let answer = below(schema, "data").and_then(|data| below(data, operation.path));
    (FieldPath::of_keys(["data", operation.path]), answer.unwrap_or(schema))
}

/// Where the records sit in the answer of a GraphQL query: a list, or a connection (`nodes`, or `edges` with a `node`
/// each, as the Cursor Connections Specification of Relay has it).
fn records_of_query(operation: &Operation<'_>, schema: &Value) -> FieldPath {
    let model = operation.model;
    let (path, answer) = answer_of(model, operation, schema);
    let view = View::of(model, answer);
    if view.items.is_some() {
        return path.each();
    }
    let items_of = |name: &str| view.properties.get(name).and_then(|node| View::of(model, node).items);
    if items_of("nodes").is_some() {
        return path.child("nodes").each();
    }
    match items_of("edges") {
        Some(edge) if View::of(model, edge).properties.contains_key("node") => {
            path.child("edges").each().child("node")
        }
        Some(_) => path.child("edges").each(),
        None => path,
    }
}

/// The rank of a name that says nothing.
const UNKNOWN: usize = usize::MAX;

/// How much a list looks like one of records, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Objects,
    Nested,
    Scalars,
}

/// Members beside the records that name the next page.
fn cursors(model: &ApiModel, above: &FieldPath, schema: &Value) -> Vec<FieldPath> {
    let mut found = Vec::new();
    let mut places = vec![(above.clone(), schema)];
    let mut index = 0;
    while let Some((path, node)) = places.get(index).cloned() {
        index += 1;
        if path.steps().len() > above.steps().len() + 2 || index > 200 {
            break;
        }
        for (name, node) in View::of(model, node).properties {
            let folded: String =
                name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            let is_next = [
                "next",
                "nextpage",
                "nextcursor",
                "nextpagetoken",
                "nexttoken",
                "nexturl",
                "nextlink",
                "cursor",
                "endcursor",
                "odatanextlink",
                "after",
            ]
            .contains(&folded.as_str());
            let view = View::of(model, node);
            if is_next && view.properties.is_empty() && view.items.is_none() {
                found.push(path.child(name));
            } else if [
                "meta",
                "metadata",
                "paging",
                "pagination",
                "links",
                "pageinfo",
                "responsemetadata",
                "cursors",
                "next",
            ]
            .contains(&folded.as_str())
            {
                places.push((path.child(name), node));
            }
        }
    }
    found
}

fn fields(model: &ApiModel, schema: &Value, records: &FieldPath) -> Vec<EndpointField> {
    let mut node = schema;
    for step in records.steps() {
        let view = View::of(model, node);
        let below = match step {
            crate::model::Step::Key(key) => view.properties.get(&**key).copied(),
            crate::model::Step::Each | crate::model::Step::Index(_) => view.items,
        };
        let Some(below) = below else { return Vec::new() };
        node = below;
    }
    let mut fields = Vec::new();
    let mut places = vec![(FieldPath::root(), node)];
    let mut index = 0;
    while let Some((path, node)) = places.get(index).cloned() {
        index += 1;
        let view = View::of(model, node);
        for (name, node) in &view.properties {
            if fields.len() >= MAX_FIELDS {
                return fields;
            }
            let below = View::of(model, node);
            let path = path.child(name);
            let mut types: Vec<JsonType> =
                JsonType::ALL.into_iter().filter(|t| below.types.contains(t.word())).collect();
            if below.nullable && !types.contains(&JsonType::Null) {
                types.insert(0, JsonType::Null);
            }
            fields.push(EndpointField {
                path: path.clone(),
                declared: DeclaredType { types, format: below.format.map(str::to_owned) },
                required: view.required.contains(name),
            });
            if !below.properties.is_empty() && path.steps().len() < MAX_FIELD_DEPTH {
                places.push((path, node));
            }
        }
    }
    fields
}
