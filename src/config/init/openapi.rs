//! What an OpenAPI description says of requests: which operations list things, from where, and with which sign-in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    FoundAuth, FoundConnector, FoundStream, Obstacle, is_header, is_usable_address, parse, unique, valid_name,
};
use crate::model::FieldPath;
use crate::observe::{Method, PagingSettings};

/// Streams that are written down; a large API has hundreds of lists, and nobody watches all.
const MAX_STREAMS: usize = 12;
/// References below references.
const MAX_HOPS: usize = 16;

/// Reads a description; nothing where the text is something else. The name is the title, or empty.
pub(super) fn read(text: &str) -> Option<FoundConnector> {
    let head = text.get(..4_000).unwrap_or(text);
    if !head.contains("openapi") && !head.contains("swagger") {
        return None;
    }
    let root = parse(text)?;
    if root.get("openapi").or_else(|| root.get("swagger")).is_none_or(|version| !version.is_string()) {
        return None;
    }
    let paths = root.get("paths")?.as_object()?;
    let base_url = base_url(&root);
    let mut taken = BTreeSet::new();
    let mut streams = Vec::new();
    for (path, item) in paths {
        if streams.len() >= MAX_STREAMS {
            break;
        }
        // A path with parameters needs values that nobody told.
        let Some(operation) = item.get("get").filter(|_| !path.contains('{')) else { continue };
        let both = [item, operation].into_iter().filter_map(|at| at.get("parameters")?.as_array()).flatten();
        let parameters: Vec<&Value> = both.map(|parameter| resolve(&root, parameter)).collect();
        let required = |parameter: &&Value| parameter.get("required").and_then(Value::as_bool) == Some(true);
        if parameters.iter().any(required) {
            continue;
        }
        let Some(records) = records(&root, operation) else { continue };
        let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("root");
        streams.push(FoundStream {
            name: unique(&valid_name(last), &mut taken),
            mapped_as: None,
            url: path.trim_start_matches('/').to_owned(),
            method: Method::Get,
            query: BTreeMap::new(),
            records: Some(records),
            key: Vec::new(),
            paging: PagingSettings::None,
            obstacle: base_url.is_none().then_some(Obstacle::Base),
        });
    }
    let title = root.pointer("/info/title").and_then(Value::as_str).unwrap_or("");
    Some(FoundConnector {
        name: title.to_owned(),
        auth: auth(&root),
        base_url,
        streams,
        ..FoundConnector::default()
    })
}

fn resolve<'v>(root: &'v Value, mut value: &'v Value) -> &'v Value {
    for _ in 0..MAX_HOPS {
        let target =
            value.get("$ref").and_then(Value::as_str).and_then(|at| root.pointer(at.strip_prefix('#')?));
        match target {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}

fn base_url(root: &Value) -> Option<String> {
    if let Some(host) = root.get("host").and_then(Value::as_str) {
        let schemes = root.get("schemes").and_then(Value::as_array);
        let plain = schemes.is_some_and(|all| !all.iter().any(|scheme| scheme == "https"));
        let scheme = if plain { "http" } else { "https" };
        let path = root.get("basePath").and_then(Value::as_str).unwrap_or("");
        return Some(format!("{scheme}://{host}{path}")).filter(|url| is_usable_address(url));
    }
    let server = root.get("servers")?.as_array()?.first()?;
    let mut url = server.get("url")?.as_str()?.to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        let default = variable.get("default").and_then(Value::as_str).unwrap_or("");
        url = url.replace(&format!("{{{name}}}"), default);
    }
    Some(url).filter(|url| !url.contains('{') && is_usable_address(url))
}

/// Where the records sit in the JSON of a good answer: the body itself, or its only list of objects.
fn records(root: &Value, operation: &Value) -> Option<FieldPath> {
    let responses = operation.get("responses")?.as_object()?;
    let good = ["200", "2XX", "default"].iter().find_map(|status| responses.get(*status))?;
    let good = resolve(root, good);
    let content = good.get("content").and_then(Value::as_object);
    let json = content.and_then(|types| {
        types.iter().find(|(name, _)| name.contains("json")).and_then(|(_, media)| media.get("schema"))
    });
    let schema = resolve(root, json.or_else(|| good.get("schema"))?);
    if is_list(root, schema) {
        return Some(FieldPath::root().each());
    }
    let mut lists = members(root, schema).into_iter().filter(|(_, member)| is_list(root, member));
    let (name, _) = lists.next()?;
    lists.next().is_none().then(|| FieldPath::root().child(name).each())
}

/// The members of an object, those of its parts included.
fn members<'v>(root: &'v Value, schema: &'v Value) -> BTreeMap<&'v str, &'v Value> {
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let all = std::iter::once(schema).chain(parts.map(|part| resolve(root, part)));
    all.filter_map(|part| part.get("properties")?.as_object())
        .flatten()
        .map(|(name, member)| (name.as_str(), resolve(root, member)))
        .collect()
}

fn is_list(root: &Value, schema: &Value) -> bool {
    let is = |schema: &Value, kind: &str| match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(many)) => many.iter().any(|one| one == kind),
        _ => false,
    };
    let Some(items) = schema.get("items").filter(|_| is(schema, "array")) else { return false };
    let items = resolve(root, items);
    is(items, "object") || items.get("properties").is_some() || items.get("allOf").is_some()
}

fn auth(root: &Value) -> FoundAuth {
    let schemes = root.pointer("/components/securitySchemes").or_else(|| root.get("securityDefinitions"));
    let Some(schemes) = schemes.and_then(Value::as_object) else { return FoundAuth::None };
    // The first that the whole API asks for, else the first that there is.
    let asked = root
        .get("security")
        .and_then(Value::as_array)
        .and_then(|all| all.iter().find_map(|one| one.as_object()?.keys().next()));
    let scheme = asked.and_then(|name| schemes.get(name)).or_else(|| schemes.values().next());
    let Some(scheme) = scheme.map(|scheme| resolve(root, scheme)) else { return FoundAuth::None };
    let text = |key: &str| scheme.get(key).and_then(Value::as_str);
    match (text("type"), text("scheme").map(str::to_ascii_lowercase).as_deref(), text("in"), text("name")) {
        (Some("http"), Some("bearer"), ..) => FoundAuth::Bearer,
        (Some("http"), Some("basic"), ..) | (Some("basic"), ..) => FoundAuth::Basic,
        (Some("apiKey"), _, Some("header"), Some(name)) if is_header(name) => {
            FoundAuth::Header(name.to_owned())
        }
        (Some("apiKey"), _, Some("query"), Some(name)) => FoundAuth::Query(name.to_owned()),
        (Some("oauth2"), ..) => {
            match scheme.pointer("/flows/clientCredentials/tokenUrl").and_then(Value::as_str) {
                Some(url) if url.starts_with("https") && is_usable_address(url) => {
                    FoundAuth::ClientCredentials(url.to_owned())
                }
                _ => FoundAuth::Other("OAuth 2.0".to_owned()),
            }
        }
        (Some(other), ..) => FoundAuth::Other(other.to_owned()),
        (None, ..) => FoundAuth::None,
    }
}
