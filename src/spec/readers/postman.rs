//! Postman collections, formats 2.0 and 2.1: each request is an operation; bodies and saved responses are examples, and
//! their schema is what the examples show.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Draft, inferred};

/// More requests than this are not read; the largest public collections have some thousand.
const MAX_REQUESTS: usize = 20_000;
/// Headers that the client sets by itself, or that belong to signing in.
const OWN_HEADERS: [&str; 7] =
    ["content-type", "accept", "authorization", "user-agent", "host", "content-length", "cookie"];

/// Whether a document is a collection; Postman's own API puts one more object around it.
pub(in crate::spec) fn is_collection(root: &Value) -> bool {
    let root = root.get("collection").unwrap_or(root);
    let info = root.get("info");
    let schema = info.and_then(|info| info.get("schema")).and_then(Value::as_str).unwrap_or_default();
    let is_named = info.is_some_and(|info| info.get("_postman_id").is_some());
    schema.contains("getpostman.com") || schema.contains("schema.postman.com") || is_named
}

/// A collection as a description.
pub(in crate::spec) fn read(root: &Value) -> Result<Value, String> {
    let root = root.get("collection").unwrap_or(root);
    let info = root.get("info").cloned().unwrap_or_default();
    if info.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.contains("/v1.")) {
        return Err("it is a Postman collection of format 1; export it again as 2.1".to_owned());
    }
    let mut reading = Reading { variables: variables(root), ..Reading::default() };
    reading.draft.title = info.get("name").and_then(Value::as_str).map(str::to_owned);
    reading.draft.version = info.get("version").and_then(Value::as_str).map(str::to_owned);
    let mut work = vec![(root, root.get("auth"), String::new())];
    while let Some((folder, auth, place)) = work.pop() {
        // The last one in is the first one out: this keeps the order of the collection.
        for (index, item) in list(folder, "item").iter().enumerate().rev() {
            let name = text(item, "name").map_or_else(|| format!("item {index}"), str::to_owned);
            let place = if place.is_empty() { name } else { format!("{place} › {name}") };
            work.push((item, item.get("auth").or(auth), place));
        }
        if let Some(request) = folder.get("request") {
            reading.request(folder, request, auth, &place);
        }
    }
    if reading.repeated > 0 {
        let why = format!(
            "{} requests repeat the method and path of another; the first of each is read",
            reading.repeated
        );
        reading.draft.unread.push(why);
    }
    if reading.requests > MAX_REQUESTS {
        let why = format!("{} requests are beyond the first {MAX_REQUESTS}", reading.requests - MAX_REQUESTS);
        reading.draft.unread.push(why);
    }
    let schemes = json!({"securitySchemes": reading.schemes});
    reading.draft.others.insert("components".to_owned(), schemes);
    Ok(reading.draft.finish())
}

#[derive(Default)]
struct Reading {
    draft: Draft,
    variables: BTreeMap<String, String>,
    schemes: Map<String, Value>,
    requests: usize,
    repeated: usize,
}

impl Reading {
    fn request(&mut self, item: &Value, request: &Value, auth: Option<&Value>, place: &str) {
        self.requests += 1;
        if self.requests > MAX_REQUESTS {
            return;
        }
        // A request may be its address alone.
        let url = if request.is_string() { Some(request) } else { request.get("url") };
        let Some(address) = url.and_then(|url| self.address(url)) else {
            self.draft.unread.push(format!("request `{place}` has no address"));
            return;
        };
        let method = text(request, "method").unwrap_or("GET").to_ascii_lowercase();
        let known = ["get", "post", "put", "patch", "delete", "head", "options"];
        if !known.contains(&method.as_str()) {
            self.draft.unread.push(format!("request `{place}` has the method `{method}`"));
            return;
        }
        let taken = self.draft.paths.get(&address.path).is_some_and(|item| item.get(&method).is_some());
        if taken {
            self.repeated += 1;
            return;
        }
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), text(item, "name").unwrap_or_default().into());
        operation.insert("description".to_owned(), description(request.get("description")).into());
        if !address.base.is_empty() {
            let first = self.draft.servers.first().cloned();
            match first {
                None => self.draft.servers.push(address.base.clone()),
                Some(first) if first != address.base => {
                    operation.insert("servers".to_owned(), json!([{"url": address.base}]));
                }
                Some(_) => {}
            }
        }
        let mut parameters = address.parameters;
        for header in list(request, "header").iter().filter(|header| is_on(header)) {
            if let Some(name) = text(header, "key")
                && !OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str())
                && !name.is_empty()
            {
                parameters.push(parameter(name, "header", header));
            }
        }
        operation.insert("parameters".to_owned(), Value::Array(parameters));
        if let Some(body) = request.get("body").and_then(|body| self.body(body, place)) {
            operation.insert("requestBody".to_owned(), body);
        }
        if let Some(security) = request.get("auth").or(auth).and_then(|auth| self.security(auth)) {
            operation.insert("security".to_owned(), security);
        }
        operation.insert("responses".to_owned(), responses(list(item, "response")));
        self.draft.operation(&address.path, &method, Value::Object(operation));
    }

    /// The address in its parts: base, path with templates in braces, parameters.
    fn address(&self, url: &Value) -> Option<Address> {
        let written = url.as_str().or_else(|| text(url, "raw")).unwrap_or_default().trim();
        let mut raw = self.filled(written);
        // Without the whole address, its parts are put together.
        if raw.is_empty() {
            let words = |key: &str, separator: &str| match url.get(key) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Array(words)) => {
                    words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(separator)
                }
                _ => String::new(),
            };
            let protocol = text(url, "protocol").unwrap_or("https");
            raw = self.filled(&format!("{protocol}://{}/{}", words("host", "."), words("path", "/")));
        }
        let whole = raw.split('#').next()?;
        let (address, query) = whole.split_once('?').unwrap_or((whole, ""));
        // `{{base}}/users`: the base is all that the variable stands for, a path with it.
        let variable = written.strip_prefix("{{").and_then(|rest| Some(&written[..rest.find("}}")? + 4]));
        let variable =
            variable.map(|variable| self.filled(variable)).filter(|base| address.starts_with(base));
        let (base, path) = match (variable, address.split_once("://")) {
            (Some(base), _) => {
                let path = &address[base.len()..];
                (base.trim_end_matches('/').to_owned(), path)
            }
            (None, Some((scheme, rest))) => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                (format!("{scheme}://{host}"), path)
            }
            (None, None) => match address.split_once('/') {
                Some((host, path)) => (host.to_owned(), path),
                None => (address.to_owned(), ""),
            },
        };
        if base.is_empty() && path.is_empty() {
            return None;
        }
        let mut parameters = Vec::new();
        let mut segments = Vec::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let name = segment.strip_prefix(':').or_else(|| segment.strip_prefix("{{")?.strip_suffix("}}"));
            match name {
                Some(name) => {
                    segments.push(format!("{{{name}}}"));
                    let schema = json!({"type": "string"});
                    parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
                }
                None => segments.push(segment.replace("{{", "{").replace("}}", "}")),
            }
        }
        let listed = list(url, "query");
        for query in listed.iter().filter(|query| is_on(query)) {
            if let Some(name) = text(query, "key").filter(|name| !name.is_empty()) {
                parameters.push(parameter(name, "query", query));
            }
        }
        if listed.is_empty() {
            for (name, _) in
                url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !name.is_empty())
            {
                parameters.push(parameter(&name, "query", &Value::Null));
            }
        }
        Some(Address { base, path: format!("/{}", segments.join("/")), parameters })
    }

    /// A text with the variables of the collection filled in; those of an environment stay.
    fn filled(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.variables {
            if filled.len() > 16_384 {
                break;
            }
            filled = filled.replace(&format!("{{{{{name}}}}}"), value);
        }
        filled
    }

    fn body(&mut self, body: &Value, place: &str) -> Option<Value> {
        let content = |media: &str, schema: Value| json!({"content": {media: {"schema": schema}}});
        let form = |key: &str| {
            let fields = list(body, key).iter().filter(|field| is_on(field));
            let fields = fields.filter_map(|field| {
                let schema = match text(field, "type") {
                    Some("file") => json!({"type": "string", "format": "binary"}),
                    _ => json!({"type": "string", "description": description(field.get("description"))}),
                };
                Some((text(field, "key")?.to_owned(), schema))
            });
            json!({"type": "object", "properties": fields.collect::<Map<String, Value>>()})
        };
        match text(body, "mode")? {
            "urlencoded" => Some(content("application/x-www-form-urlencoded", form("urlencoded"))),
            "formdata" => Some(content("multipart/form-data", form("formdata"))),
            "raw" => {
                let raw = text(body, "raw").filter(|raw| !raw.trim().is_empty())?;
                let language = body.pointer("/options/raw/language").and_then(Value::as_str);
                match data(raw) {
                    Some(value) => Some(content("application/json", inferred::schema([&value]))),
                    None => {
                        if language == Some("json") || raw.trim_start().starts_with(['{', '[']) {
                            self.draft.unread.push(format!("the body of request `{place}` is no JSON"));
                        }
                        Some(content("text/plain", json!({"type": "string"})))
                    }
                }
            }
            "graphql" => {
                let schema = json!({"type": "object", "properties": {
                    "query": {"type": "string"}, "variables": {"type": "object"}
                }});
                Some(content("application/json", schema))
            }
            "file" => {
                Some(content("application/octet-stream", json!({"type": "string", "format": "binary"})))
            }
            _ => None,
        }
    }

    fn security(&mut self, auth: &Value) -> Option<Value> {
        let kind = text(auth, "type")?;
        if kind == "noauth" {
            return Some(json!([]));
        }
        // In 2.1 a list of keys and values, in 2.0 an object.
        let setting = |name: &str| match auth.get(kind)? {
            Value::Array(settings) => {
                settings.iter().find(|setting| text(setting, "key") == Some(name))?.get("value")?.as_str()
            }
            object => text(object, name),
        };
        let scheme = match kind {
            "apikey" => {
                let (name, place) = (setting("key").unwrap_or_default(), setting("in").unwrap_or("header"));
                json!({"type": "apiKey", "name": self.filled(name), "in": place})
            }
            "oauth2" => {
                let url = self.filled(setting("accessTokenUrl").unwrap_or_default());
                let flow = setting("grant_type").unwrap_or("authorization_code");
                json!({"type": "oauth2", "flows": {flow: {"tokenUrl": url}}})
            }
            other => json!({"type": "http", "scheme": other}),
        };
        let known = self.schemes.iter().find(|(_, there)| **there == scheme).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| format!("{kind} {}", self.schemes.len() + 1));
        self.schemes.insert(name.clone(), scheme);
        Some(json!([{name: []}]))
    }
}

struct Address {
    base: String,
    path: String,
    parameters: Vec<Value>,
}

/// The saved responses, by status: several of one status are examples of one schema.
fn responses(saved: &[Value]) -> Value {
    /// The bodies and headers of the responses of one status, and whether a body could not be read.
    type Saved = (Vec<Value>, Map<String, Value>, bool);
    let mut by_status: BTreeMap<String, Saved> = BTreeMap::new();
    for response in saved.iter().take(200) {
        let status =
            response.get("code").and_then(Value::as_u64).map_or("default".to_owned(), |c| c.to_string());
        let (bodies, headers, broken) = by_status.entry(status).or_default();
        let body = text(response, "body").map(str::trim).unwrap_or_default();
        match data(body) {
            Some(body) => bodies.push(body),
            // Meant to be JSON: what it says is not known.
            None if body.starts_with(['{', '[']) => *broken = true,
            None => {}
        }
        for header in list(response, "header") {
            // Only what says where the next page is: the others were those of one day.
            if let Some(name) = text(header, "key").filter(|name| super::super::parameters::is_paging(name)) {
                headers.insert(name.to_owned(), json!({"schema": {"type": "string"}}));
            }
        }
    }
    let described = by_status.into_iter().map(|(status, (bodies, headers, broken))| {
        let mut response = json!({"description": "", "headers": headers});
        if !bodies.is_empty() {
            response["content"] = json!({"application/json": {"schema": inferred::schema(&bodies)}});
        } else if broken {
            response["content"] = json!({"application/json": {"schema": null}});
        }
        (status, response)
    });
    Value::Object(described.collect())
}

/// JSON with variables: those in quotes are texts, others stand for something unknown.
fn data(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return (value.is_object() || value.is_array()).then_some(value);
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, variable) = rest.split_at(start);
        let Some(end) = variable.find("}}") else { break };
        filled.push_str(before);
        let is_quoted = before.matches('"').count() % 2 == 1;
        filled.push_str(if is_quoted { "x" } else { "null" });
        rest = &variable[end + 2..];
    }
    filled.push_str(rest);
    let value: Value = serde_json::from_str(&filled).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

fn parameter(name: &str, place: &str, node: &Value) -> Value {
    let about = description(node.get("description"));
    json!({"name": name, "in": place, "description": about, "schema": {"type": "string"}})
}

fn variables(root: &Value) -> BTreeMap<String, String> {
    let variables = list(root, "variable").iter().take(1_000);
    let pairs = variables.filter_map(|variable| {
        let name = text(variable, "key").or_else(|| text(variable, "id"))?;
        let value = text(variable, "value").filter(|value| !value.is_empty() && value.len() < 2_000)?;
        Some((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// A description is a text, or an object around one.
fn description(node: Option<&Value>) -> String {
    let Some(node) = node else { return String::new() };
    node.as_str().or_else(|| text(node, "content")).unwrap_or_default().to_owned()
}

fn is_on(node: &Value) -> bool {
    !node.get("disabled").and_then(Value::as_bool).unwrap_or(false)
}

fn text<'a>(node: &'a Value, key: &str) -> Option<&'a str> {
    node.get(key)?.as_str()
}

fn list<'a>(node: &'a Value, key: &str) -> &'a [Value] {
    node.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
