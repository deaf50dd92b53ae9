//! API descriptions as they are written, and a look at them that is the same for OpenAPI 3.x and Swagger 2.0.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::wellformed::{self, Fault};

/// How many `$ref`s in a row are followed.
const MAX_HOPS: usize = 32;

/// An API description.
#[derive(Debug, Clone)]
pub struct ApiModel {
    root: Value,
    swagger2: bool,
    notes: Vec<String>,
    /// What of it is not written as the standard says, and what stands there twice.
    faults: Vec<Fault>,
    /// How the text ends.
    ending: Ending,
}

/// How the text of a description ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ending {
    /// With a sign that closes all of it: one that was cut is broken.
    #[default]
    Closed,
    /// With a whole line of YAML, which may be the last one or not.
    Line,
    /// In the middle of a line of YAML.
    Open,
}

/// One operation of an API description.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// The method, in upper case.
    pub method: &'static str,
    /// The path template, as written.
    pub path: &'a str,
    pub(super) node: &'a Value,
    pub(super) item: &'a Value,
    pub(super) model: &'a ApiModel,
}

/// One parameter, resolved.
#[derive(Debug, Clone)]
pub(super) struct Parameter<'a> {
    /// Its name, in lower case for headers; for path parameters the position in the template, counted from its end, since
    /// their names mean nothing and paths grow at the front.
    pub(super) key: String,
    pub(super) name: &'a str,
    pub(super) place: &'a str,
    pub(super) required: bool,
    pub(super) deprecated: bool,
    /// How a list is written, in words; nothing where it holds none.
    pub(super) notation: Option<&'static str>,
    /// Where its type stands: a schema, or in Swagger 2.0 the parameter itself.
    pub(super) schema: &'a Value,
}

/// The member that names what is described where that is no HTTP API.
pub(super) const FAMILY: &str = "x-drogue-family";

/// The family of GraphQL schemas.
pub(super) const GRAPHQL: &str = "a GraphQL schema";

/// The keys of operations, and what they are called. Other methods than those of OpenAPI 3.1 are those of 3.2 (`query`
/// and `additionalOperations`); the last ones are what readers of other formats write down.
const METHODS: [(&str, &str); 23] = [
    ("get", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
    ("trace", "TRACE"),
    ("query", "QUERY"),
    ("copy", "COPY"),
    ("link", "LINK"),
    ("lock", "LOCK"),
    ("move", "MOVE"),
    ("propfind", "PROPFIND"),
    ("purge", "PURGE"),
    ("report", "REPORT"),
    ("search", "SEARCH"),
    ("x-query", "QUERY"),
    ("x-mutation", "MUTATION"),
    ("x-subscription", "SUBSCRIPTION"),
    ("x-field", "FIELD"),
    ("x-tool", "TOOL"),
    ("x-schema", "SCHEMA"),
];

/// Whether a key of a path is a method.
pub(super) fn is_method(key: &str) -> bool {
    METHODS.iter().any(|(known, _)| *known == key)
}

pub(super) static NOTHING: Value = Value::Null;

impl ApiModel {
    /// The description in a JSON value; `None` where it is none.
    #[must_use]
    pub fn new(root: Value) -> Option<Self> {
        let version = |key: &str| match root.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let swagger2 = version("swagger").starts_with('2');
        (swagger2 || version("openapi").starts_with('3')).then(|| Self {
            faults: wellformed::faults(&root),
            root,
            swagger2,
            notes: Vec::new(),
            ending: Ending::default(),
        })
    }

    /// The same with what of it could not be read.
    pub(super) fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// The same with how it is written down: places that stand there twice, of which only the last one is read, and how
    /// the text ends.
    pub(super) fn written(mut self, twice: Vec<Vec<String>>, ending: Ending) -> Self {
        self.faults.extend(twice.into_iter().map(|place| Fault {
            place,
            why: String::new(),
            target: None,
            empty: false,
        }));
        self.ending = ending;
        self
    }

    /// The same description written in another way, as it is to be compared.
    pub(super) fn with_root(&self, root: Value) -> Self {
        let (notes, faults) = (self.notes.clone(), Vec::new());
        Self { swagger2: root.get("swagger").is_some(), root, notes, faults, ending: self.ending }
    }

    /// The places that are not written as the standard says, or that stand there twice.
    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How the text ends.
    pub(super) const fn ending(&self) -> Ending {
        self.ending
    }

    /// What of the description could not be read, place and reason each; whatever hangs on that is not compared.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What speaks this description: two of one family can be compared.
    pub(super) fn family(&self) -> &str {
        self.root.get(FAMILY).and_then(Value::as_str).unwrap_or("an HTTP API")
    }

    /// The description as it is written.
    pub(super) const fn root(&self) -> &Value {
        &self.root
    }

    /// The title that the description gives itself.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.root.get("info")?.get("title")?.as_str()
    }

    /// The version that the description gives itself.
    #[must_use]
    pub fn version(&self) -> Option<Cow<'_, str>> {
        match self.root.get("info")?.get("version")? {
            Value::String(text) => Some(Cow::Borrowed(text)),
            other => Some(Cow::Owned(other.to_string())),
        }
    }

    /// Whether it is Swagger 2.0.
    #[must_use]
    pub const fn is_swagger2(&self) -> bool {
        self.swagger2
    }

    /// Every operation, in the order of the description, methods in a fixed order.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.root.get("paths").and_then(Value::as_object).into_iter().flatten();
        paths.flat_map(|(path, item)| self.operations_of(path, item)).collect()
    }

    /// Whether it describes anything: an operation, a webhook, or, where it introduces itself, no paths in so many words.
    pub(super) fn describes_something(&self) -> bool {
        let is_empty =
            |key: &str| self.root.get(key).and_then(Value::as_object).map(serde_json::Map::is_empty);
        !self.operations().is_empty()
            || is_empty("webhooks") == Some(false)
            || (is_empty("info") == Some(false) && is_empty("paths") == Some(true))
    }

    /// The operations of one path, webhook or callback.
    pub(super) fn operations_of<'a>(&'a self, path: &'a str, item: &'a Value) -> Vec<Operation<'a>> {
        let item = self.resolve(item);
        let described = METHODS.iter().filter_map(|(key, method)| {
            let node = item.get(key).filter(|node| node.is_object())?;
            Some(Operation { method, path, node, item, model: self })
        });
        described.collect()
    }

    /// The base addresses, as written; Swagger's host, base path and schemes put together.
    #[must_use]
    pub fn servers(&self) -> Vec<String> {
        if !self.swagger2 {
            return servers_in(&self.root);
        }
        let text = |key: &str| self.root.get(key).and_then(Value::as_str).unwrap_or_default();
        let (host, base) = (text("host"), text("basePath").trim_end_matches('/'));
        if host.is_empty() {
            return if base.is_empty() { Vec::new() } else { vec![base.to_owned()] };
        }
        let schemes: Vec<&str> = self
            .root
            .get("schemes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let scheme = if schemes.is_empty() || schemes.contains(&"https") { "https" } else { schemes[0] };
        vec![format!("{scheme}://{host}{base}")]
    }

    /// Follows `$ref` within the document; what cannot be followed is given back as it is.
    pub(super) fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        let mut node = node;
        for _ in 0..MAX_HOPS {
            let Some(target) = reference(node).and_then(|reference| self.target(reference)) else { break };
            node = target;
        }
        node
    }

    fn target(&self, reference: &str) -> Option<&Value> {
        let pointer = reference.strip_prefix('#')?;
        if pointer.contains('%') {
            let decoded = percent_decoded(pointer)?;
            return self.root.pointer(&decoded);
        }
        self.root.pointer(pointer)
    }

    /// The ways to sign in that suffice, each as a sorted list of schemes in words; an empty list is "none needed".
    pub(super) fn security(&self, requirements: &Value) -> Vec<Vec<String>> {
        let defined = if self.swagger2 {
            self.root.get("securityDefinitions")
        } else {
            self.root.get("components").and_then(|components| components.get("securitySchemes"))
        };
        let mut ways: Vec<Vec<String>> = Vec::new();
        for way in requirements.as_array().into_iter().flatten() {
            let names = way.as_object().into_iter().flatten();
            let mut schemes: Vec<String> = names
                .map(|(name, _)| {
                    let scheme = defined.and_then(|schemes| schemes.get(name));
                    scheme.map_or_else(|| format!("`{name}`"), |scheme| self.scheme_in_words(scheme))
                })
                .collect();
            schemes.sort();
            if !ways.contains(&schemes) {
                ways.push(schemes);
            }
        }
        ways
    }

    fn scheme_in_words(&self, scheme: &Value) -> String {
        let scheme = self.resolve(scheme);
        let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "apiKey" => format!("API key in {} `{}`", text("in"), text("name")),
            "http" => format!("HTTP {}", text("scheme").to_ascii_lowercase()),
            "basic" => "HTTP basic".to_owned(),
            "oauth2" => {
                let flows = scheme.get("flows").and_then(Value::as_object);
                let mut flows: Vec<String> = flows
                    .into_iter()
                    .flatten()
                    .map(|(name, flow)| {
                        let url =
                            ["tokenUrl", "authorizationUrl"].iter().find_map(|key| flow.get(key)?.as_str());
                        format!("{name} {}", url.unwrap_or_default()).trim_end().to_owned()
                    })
                    .collect();
                if flows.is_empty() {
                    let url =
                        if text("tokenUrl").is_empty() { text("authorizationUrl") } else { text("tokenUrl") };
                    flows.push(format!("{} {url}", text("flow")).trim().to_owned());
                }
                flows.sort();
                format!("OAuth 2.0 ({})", flows.join(", "))
            }
            "openIdConnect" => format!("OpenID Connect {}", text("openIdConnectUrl")),
            other => other.to_owned(),
        }
    }
}

pub(super) fn reference(node: &Value) -> Option<&str> {
    node.as_object()?.get("$ref")?.as_str()
}

fn servers_in(node: &Value) -> Vec<String> {
    let servers = node.get("servers").and_then(Value::as_array).into_iter().flatten();
    servers.filter_map(|server| Some(with_defaults(server.get("url")?.as_str()?, server))).collect()
}

/// The address with its variables filled in by their defaults.
fn with_defaults(url: &str, server: &Value) -> String {
    let mut url = url.trim_end_matches('/').to_owned();
    for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
        if let Some(default) = variable.get("default").and_then(Value::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    url
}

pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl<'a> Operation<'a> {
    /// `GET /users/{id}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The name that the description gives it.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.node.get("operationId")?.as_str()
    }

    /// Whether the description says that it ends.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.node.get("deprecated").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Summary and description.
    pub(super) fn prose(&self) -> String {
        let text =
            |node: &Value, key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        [text(self.item, "description"), text(self.node, "summary"), text(self.node, "description")]
            .join("\n")
    }

    /// The path with every parameter as `{}`: two templates that differ in names alone are the same.
    pub(super) fn shape(&self) -> String {
        let segments = self.path.trim_end_matches('/').split('/');
        segments.map(|s| if s.contains('{') { "{}" } else { s }).collect::<Vec<_>>().join("/")
    }

    pub(super) fn own_servers(&self) -> Vec<String> {
        let own = servers_in(self.node);
        if own.is_empty() { servers_in(self.item) } else { own }
    }

    pub(super) fn security(&self) -> Vec<Vec<String>> {
        let model = self.model;
        model.security(self.node.get("security").or_else(|| model.root.get("security")).unwrap_or(&NOTHING))
    }

    /// Parameters of path, query, header and cookie; those of the operation in place of those of the path.
    pub(super) fn parameters(&self) -> Vec<Parameter<'a>> {
        let mut parameters: Vec<Parameter<'a>> = Vec::new();
        for node in [self.item, self.node] {
            for parameter in node.get("parameters").and_then(Value::as_array).into_iter().flatten() {
                let Some(parameter) = self.parameter(self.model.resolve(parameter)) else { continue };
                let same =
                    |other: &Parameter<'a>| other.key == parameter.key && other.place == parameter.place;
                parameters.retain(|other| !same(other));
                parameters.push(parameter);
            }
        }
        parameters
    }

    fn parameter(&self, node: &'a Value) -> Option<Parameter<'a>> {
        let (name, place) = (node.get("name")?.as_str()?, node.get("in")?.as_str()?);
        if !matches!(place, "path" | "query" | "header" | "cookie" | "formData") {
            return None;
        }
        let flag = |key: &str| node.get(key).and_then(Value::as_bool).unwrap_or(false);
        let schema = node.get("schema").or_else(|| first_content(node).map(|(_, schema)| schema));
        let position = self.path.rsplit('/').position(|segment| segment.contains(&format!("{{{name}}}")));
        Some(Parameter {
            key: match position {
                Some(position) if place == "path" => format!("{{{position}}}"),
                _ if place == "header" => name.to_ascii_lowercase(),
                Some(_) | None => name.to_owned(),
            },
            name,
            place,
            required: flag("required")
                && node.get("default").is_none()
                && schema.is_none_or(|s| s.get("default").is_none()),
            deprecated: flag("deprecated"),
            notation: self.list_notation(node, place, schema.unwrap_or(node)),
            schema: schema.unwrap_or(node),
        })
    }

    /// How a list in a parameter is written (OpenAPI 3.1, "Style Values"); what Swagger 2.0 says is said in those terms
    /// before it is compared.
    fn list_notation(&self, node: &'a Value, place: &str, schema: &'a Value) -> Option<&'static str> {
        let is_list = self.model.resolve(schema).get("type").is_some_and(|word| word == "array");
        if !is_list || self.model.swagger2 || node.get("content").is_some() {
            return None;
        }
        let default = if matches!(place, "query" | "cookie") { "form" } else { "simple" };
        let style = node.get("style").and_then(Value::as_str).unwrap_or(default);
        let explode = node.get("explode").and_then(Value::as_bool).unwrap_or(style == "form");
        Some(match (style, explode) {
            ("form", true) => "once for each entry (`?ids=1&ids=2`)",
            ("form" | "simple", _) => "as one text with commas (`1,2`)",
            ("spaceDelimited", _) => "as one text with spaces",
            ("pipeDelimited", _) => "as one text with bars (`1|2`)",
            ("tabDelimited", _) => "as one text with tabs",
            ("deepObject", _) => "with brackets (`ids[]=1`)",
            _ => "in a way of its own",
        })
    }

    /// The addresses that it answers at: its own, or those of all.
    pub(super) fn all_servers(&self) -> Vec<String> {
        let own = self.own_servers();
        if own.is_empty() { self.model.servers() } else { own }
    }

    /// The ways to sign in with the scopes that each asks for.
    pub(super) fn scopes(&self) -> Vec<(Vec<String>, BTreeSet<&'a str>)> {
        let model = self.model;
        let ways = self.node.get("security").or_else(|| model.root.get("security")).and_then(Value::as_array);
        let of = |way: &'a Value| -> (Vec<String>, BTreeSet<&'a str>) {
            let alone = Value::Array(vec![way.clone()]);
            let schemes = model.security(&alone).into_iter().next().unwrap_or_default();
            let scopes = way.as_object().into_iter().flatten();
            let scopes = scopes.filter_map(|(_, scopes)| scopes.as_array()).flatten();
            (schemes, scopes.filter_map(Value::as_str).collect())
        };
        ways.into_iter().flatten().map(of).collect()
    }

    /// The schema of what is sent, and whether it must be.
    pub(super) fn request_body(&self) -> Option<(&'a Value, bool)> {
        let required = |node: &Value| node.get("required").and_then(Value::as_bool).unwrap_or(false);
        if self.model.swagger2 {
            let parameters = self.node.get("parameters").and_then(Value::as_array)?;
            let body = parameters
                .iter()
                .map(|p| self.model.resolve(p))
                .find(|p| p.get("in").is_some_and(|i| i == "body"))?;
            return Some((body.get("schema")?, required(body)));
        }
        let body = self.model.resolve(self.node.get("requestBody")?);
        let (_, schema) = first_content(body)?;
        Some((schema, required(body)))
    }

    /// The response of success: its status and itself, resolved.
    pub(super) fn success(&self) -> Option<(&'a str, &'a Value)> {
        let responses = self.node.get("responses")?.as_object()?;
        let with_status =
            |wanted: &str| responses.iter().find(|(status, _)| status.eq_ignore_ascii_case(wanted));
        let found = with_status("200")
            .or_else(|| responses.iter().find(|(status, _)| status.starts_with('2')))
            .or_else(|| with_status("default"))?;
        Some((found.0, self.model.resolve(found.1)))
    }

    /// The media type and schema of the response of success.
    pub(super) fn response_schema(&self) -> Option<(&'a str, &'a Value)> {
        let (_, response) = self.success()?;
        if self.model.swagger2 {
            return Some(("application/json", response.get("schema")?));
        }
        first_content(response)
    }

    /// The media types of the response of success.
    pub(super) fn media_types(&self) -> Vec<&'a str> {
        if self.model.swagger2 {
            let of = |node: &'a Value| node.get("produces").and_then(Value::as_array);
            let types = of(self.node).or_else(|| of(&self.model.root));
            return types.into_iter().flatten().filter_map(Value::as_str).collect();
        }
        let content =
            self.success().and_then(|(_, response)| response.get("content")).and_then(Value::as_object);
        content.into_iter().flatten().map(|(media, _)| media.as_str()).collect()
    }
}

/// Whether a media type is JSON.
pub(super) fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json") || essence == "*/*" || essence == "application/*"
}

/// The schema of JSON content, else of the first content there is.
fn first_content(node: &Value) -> Option<(&str, &Value)> {
    let content = node.get("content")?.as_object()?;
    let found = content.iter().find(|(media, _)| is_json(media)).or_else(|| content.iter().next())?;
    Some((found.0, found.1.get("schema")?))
}
