//! Swagger 2.0 in the terms of OpenAPI 3.0, so that a description that was rewritten for the new version says the same.
//!
//! What the two versions say in other places: bodies and forms, media types, ways to sign in, how lists are sent, and
//! where shared parts stand (OpenAPI 3.0.3, appendix A, and Swagger 2.0, "Parameter Object").

use serde_json::{Map, Value, json};

/// Keys of a parameter or header that are those of its schema in OpenAPI.
const OF_SCHEMA: [&str; 17] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "x-nullable",
];

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// A Swagger 2.0 description as OpenAPI 3.0, with the base addresses that were put together from it.
pub(super) fn lift(root: &Value, servers: &[String]) -> Value {
    let lifting = Lifting { root };
    let mut out = Map::new();
    out.insert("openapi".to_owned(), "3.0.3".into());
    for (key, value) in root.as_object().into_iter().flatten() {
        match key.as_str() {
            "swagger" | "host" | "basePath" | "schemes" | "consumes" | "produces" => {}
            "definitions" | "parameters" | "responses" | "securityDefinitions" => {}
            "paths" => {
                let paths = value.as_object().into_iter().flatten();
                let lifted: Map<String, Value> =
                    paths.map(|(path, item)| (path.clone(), lifting.item(item))).collect();
                out.insert(key.clone(), Value::Object(lifted));
            }
            _ => drop(out.insert(key.clone(), value.clone())),
        }
    }
    if !servers.is_empty() {
        let servers: Vec<Value> = servers.iter().map(|url| json!({"url": url})).collect();
        out.insert("servers".to_owned(), servers.into());
    }
    let entries = |key: &str| root.get(key).and_then(Value::as_object).into_iter().flatten();
    let mut components = Map::new();
    let mut part = |name: &str, members: Map<String, Value>| {
        if !members.is_empty() {
            components.insert(name.to_owned(), Value::Object(members));
        }
    };
    part("schemas", entries("definitions").map(|(name, node)| (name.clone(), node.clone())).collect());
    part(
        "responses",
        entries("responses").map(|(n, node)| (n.clone(), lifting.response(node, root))).collect(),
    );
    part(
        "parameters",
        entries("parameters")
            .filter(|(_, node)| !is_body(node))
            .map(|(name, node)| (name.clone(), parameter(node)))
            .collect(),
    );
    part(
        "securitySchemes",
        entries("securityDefinitions").map(|(n, node)| (n.clone(), scheme(node))).collect(),
    );
    if !components.is_empty() {
        out.insert("components".to_owned(), Value::Object(components));
    }
    let mut lifted = Value::Object(out);
    settle(&mut lifted);
    lifted
}

struct Lifting<'a> {
    root: &'a Value,
}

impl<'a> Lifting<'a> {
    fn item(&self, item: &'a Value) -> Value {
        let Value::Object(object) = item else { return item.clone() };
        // What a form or body of all operations of a path asks for is asked for by each.
        let (bodies, shared): (Vec<_>, Vec<_>) = self.parameters(item).into_iter().partition(|p| is_body(p));
        let mut out = Map::new();
        for (key, value) in object {
            if key == "parameters" {
                let lifted: Vec<Value> = shared.iter().map(|node| parameter(node)).collect();
                out.insert(key.clone(), lifted.into());
            } else if METHODS.contains(&key.as_str()) && value.is_object() {
                out.insert(key.clone(), self.operation(value, &bodies));
            } else {
                out.insert(key.clone(), value.clone());
            }
        }
        Value::Object(out)
    }

    /// The parameters of an item or operation, references to the list of all followed.
    fn parameters(&self, node: &'a Value) -> Vec<&'a Value> {
        let list = node.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let followed = |node: &'a Value| {
            let target = node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            target.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(node)
        };
        list.map(followed).collect()
    }

    fn operation(&self, node: &'a Value, of_item: &[&'a Value]) -> Value {
        let Value::Object(object) = node else { return node.clone() };
        let own = self.parameters(node);
        let is_same = |a: &Value, b: &Value| a.get("name") == b.get("name") && a.get("in") == b.get("in");
        let inherited = of_item.iter().filter(|shared| !own.iter().any(|one| is_same(one, shared)));
        let (bodies, others): (Vec<&Value>, Vec<&Value>) =
            own.iter().chain(inherited).copied().partition(|node| is_body(node));
        let mut out = Map::new();
        for (key, value) in object {
            match key.as_str() {
                "parameters" if others.is_empty() => {}
                "parameters" => {
                    let lifted: Vec<Value> = others.iter().map(|node| parameter(node)).collect();
                    out.insert(key.clone(), lifted.into());
                }
                "responses" => {
                    let responses = value.as_object().into_iter().flatten();
                    let lifted: Map<String, Value> = responses
                        .map(|(status, response)| (status.clone(), self.response(response, node)))
                        .collect();
                    out.insert(key.clone(), Value::Object(lifted));
                }
                "consumes" | "produces" | "schemes" => {}
                _ => drop(out.insert(key.clone(), value.clone())),
            }
        }
        if let Some(body) = self.body(node, &bodies) {
            out.insert("requestBody".to_owned(), body);
        }
        Value::Object(out)
    }

    fn media(&self, node: &Value, key: &str, default: &str) -> Vec<String> {
        let listed = node.get(key).or_else(|| self.root.get(key)).and_then(Value::as_array);
        let found: Vec<String> =
            listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        if found.is_empty() { vec![default.to_owned()] } else { found }
    }

    fn body(&self, operation: &Value, bodies: &[&Value]) -> Option<Value> {
        let is_true = |node: &Value, key: &str| node.get(key).and_then(Value::as_bool).unwrap_or(false);
        let content = |media: Vec<String>, schema: &Value| -> Value {
            media.into_iter().map(|media| (media, json!({"schema": schema}))).collect::<Map<_, _>>().into()
        };
        if let Some(body) = bodies.iter().find(|node| node.get("in").is_some_and(|place| place == "body")) {
            let schema = body.get("schema").cloned().unwrap_or_else(|| json!({}));
            let content = content(self.media(operation, "consumes", "application/json"), &schema);
            return Some(json!({"required": is_true(body, "required"), "content": content}));
        }
        if bodies.is_empty() {
            return None;
        }
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in bodies {
            let Some(name) = field.get("name").and_then(Value::as_str) else { continue };
            let mut schema = schema_of(field);
            if let (Some(text), Value::Object(schema)) = (field.get("description"), &mut schema) {
                schema.insert("description".to_owned(), text.clone());
            }
            properties.insert(name.to_owned(), schema);
            if is_true(field, "required") {
                required.push(Value::from(name));
            }
        }
        let has_file = bodies.iter().any(|field| field.get("type").is_some_and(|word| word == "file"));
        let default = if has_file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
        let media = self.media(operation, "consumes", default);
        let forms: Vec<String> = media
            .into_iter()
            .filter(|media| {
                ["multipart/form-data", "application/x-www-form-urlencoded"].contains(&media.as_str())
            })
            .collect();
        let forms = if forms.is_empty() { vec![default.to_owned()] } else { forms };
        let is_required = !required.is_empty();
        let mut schema = json!({"type": "object", "properties": properties});
        if is_required {
            schema["required"] = required.into();
        }
        // A form with nothing that must be sent may be left out.
        Some(json!({"required": is_required, "content": content(forms, &schema)}))
    }

    fn response(&self, node: &Value, operation: &Value) -> Value {
        let Value::Object(object) = node else { return node.clone() };
        let mut out = object.clone();
        out.shift_remove("examples");
        if let Some(Value::Object(headers)) = out.get_mut("headers") {
            for header in headers.values_mut().filter(|header| header.get("$ref").is_none()) {
                let text = header.get("description").cloned();
                *header = json!({"schema": schema_of(header)});
                if let Some(text) = text {
                    header["description"] = text;
                }
            }
        }
        if let Some(schema) = out.shift_remove("schema") {
            let examples = object.get("examples");
            let media = self.media(operation, "produces", "application/json").into_iter().map(|media| {
                let mut content = json!({"schema": schema});
                if let Some(example) = examples.and_then(|examples| examples.get(&media)) {
                    content["example"] = example.clone();
                }
                (media, content)
            });
            out.insert("content".to_owned(), Value::Object(media.collect()));
        }
        Value::Object(out)
    }
}

fn is_body(node: &Value) -> bool {
    node.get("in").is_some_and(|place| place == "body" || place == "formData")
}

fn schema_of(node: &Value) -> Value {
    let members = node.as_object().into_iter().flatten();
    members
        .filter(|(key, _)| OF_SCHEMA.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Map<_, _>>()
        .into()
}

fn parameter(node: &Value) -> Value {
    let Value::Object(object) = node else { return node.clone() };
    if object.contains_key("$ref") {
        return node.clone();
    }
    let members =
        object.iter().filter(|(key, _)| !OF_SCHEMA.contains(&key.as_str()) && *key != "collectionFormat");
    let mut out: Map<String, Value> = members.map(|(key, value)| (key.clone(), value.clone())).collect();
    if object.get("type").is_some_and(|word| word == "array") {
        let format = object.get("collectionFormat").and_then(Value::as_str).unwrap_or("csv");
        let in_query = object.get("in").is_some_and(|place| place == "query");
        let style = match (format, in_query) {
            ("ssv", _) => "spaceDelimited",
            ("tsv", _) => "tabDelimited",
            ("pipes", _) => "pipeDelimited",
            (_, true) => "form",
            (_, false) => "simple",
        };
        out.insert("style".to_owned(), style.into());
        out.insert("explode".to_owned(), (format == "multi").into());
    }
    out.insert("schema".to_owned(), schema_of(node));
    Value::Object(out)
}

fn scheme(node: &Value) -> Value {
    let Value::Object(object) = node else { return node.clone() };
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    match text("type") {
        Some("basic") => json!({"type": "http", "scheme": "basic"}),
        Some("oauth2") => {
            let flow = match text("flow").unwrap_or_default() {
                "application" => "clientCredentials",
                "accessCode" => "authorizationCode",
                other => other,
            };
            let mut members = Map::new();
            for key in ["authorizationUrl", "tokenUrl", "scopes"] {
                if let Some(value) = object.get(key) {
                    members.insert(key.to_owned(), value.clone());
                }
            }
            json!({"type": "oauth2", "flows": {flow: members}})
        }
        _ => node.clone(),
    }
}

/// References to shared parts, and what schemas say in other words.
fn settle(node: &mut Value) {
    match node {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get_mut("$ref") {
                for (old, new) in [
                    ("#/definitions/", "#/components/schemas/"),
                    ("#/parameters/", "#/components/parameters/"),
                    ("#/responses/", "#/components/responses/"),
                ] {
                    if let Some(rest) = target.strip_prefix(old) {
                        *target = format!("{new}{rest}");
                        break;
                    }
                }
            }
            if let Some(Value::String(name)) = object.get("discriminator") {
                let name = json!({"propertyName": name});
                object.insert("discriminator".to_owned(), name);
            }
            if let Some(nullable) = object.shift_remove("x-nullable") {
                object.insert("nullable".to_owned(), nullable);
            }
            if object.get("type").is_some_and(|word| word == "file") {
                object.insert("type".to_owned(), "string".into());
                object.insert("format".to_owned(), "binary".into());
            }
            object.values_mut().for_each(settle);
        }
        Value::Array(list) => list.iter_mut().for_each(settle),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
