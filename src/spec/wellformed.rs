//! What of an OpenAPI or Swagger description is not written as the standard says, place by place.
//!
//! A reader that takes a malformed part for "anything goes" turns a slip of the vendor into fields that are gone. So
//! every place that matters to a comparison (paths, operations, parameters, bodies, schemas, servers, ways to sign in)
//! is held against a small grammar of the standard. What people often write and mean (`"true"`, a version as number) passes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    api::percent_decoded,
    assembly::PARTS,
    references,
    steps::{Step, of_pointer, place},
};

/// One place that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The steps from the top of the document.
    pub(super) place: Vec<String>,
    /// What stands there, in words.
    pub(super) why: String,
    /// Where a `$ref` leads that leads nowhere.
    pub(super) target: Option<String>,
    /// Whether nothing at all stands there, which many write for an empty object: a fault only where the other state of
    /// the document has something.
    pub(super) empty: bool,
}

impl Fault {
    /// The place as a JSON pointer in a URI fragment (RFC 6901, section 6), without percent signs.
    pub(super) fn pointer(&self) -> String {
        pointer(&self.place)
    }
}

/// Steps as a JSON pointer in a URI fragment; of a further file with its name before it.
pub(super) fn pointer(place: &[String]) -> String {
    if let [first, part, rest @ ..] = place
        && first == PARTS
    {
        return format!("{part}{}", pointer(rest));
    }
    let steps = place.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
    format!("#{}", steps.collect::<String>())
}

/// Faults that are listed at most: a document with more is not half read, it is no description.
const MAX_FAULTS: usize = 10_000;
/// How many `$ref`s in a row are followed before it is a circle.
const MAX_HOPS: usize = 32;

/// What may stand at a place.
#[derive(Debug, Clone, Copy)]
enum Is {
    Text,
    Flag,
    Number,
    /// A number, or in OpenAPI 3.0 whether the bound beside it counts.
    Bound,
    /// The name of a type, or several.
    Types,
    /// A list of names, or in a property of drafts before 4 a flag.
    Required,
    Node(Kind),
    /// A node, or a list of them.
    Nodes(Kind),
    List(Kind),
    Map(Kind),
    Texts,
    /// Texts by name.
    Names,
    Values,
    /// Ways to sign in.
    Ways,
}

/// Objects of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    Components,
    Item,
    Operation,
    Parameter,
    Body,
    Response,
    Header,
    Media,
    Schema,
    Scheme,
    Flow,
    Server,
    Info,
}

impl Kind {
    /// What may stand at a member; `None` for one that says nothing to a comparison.
    fn member(self, key: &str) -> Option<Is> {
        Some(match (self, key) {
            (_, "description" | "summary" | "title" | "$ref") => Is::Text,
            (Self::Root, "info") => Is::Node(Self::Info),
            (Self::Root, "paths" | "webhooks") => Is::Map(Self::Item),
            (Self::Root, "components") => Is::Node(Self::Components),
            (Self::Root, "host" | "basePath") => Is::Text,
            (Self::Root, "schemes") | (Self::Root | Self::Operation, "consumes" | "produces") => Is::Texts,
            (Self::Root, "definitions") | (Self::Components, "schemas") => Is::Map(Self::Schema),
            (Self::Root, "securityDefinitions") | (Self::Components, "securitySchemes") => {
                Is::Map(Self::Scheme)
            }
            (Self::Root | Self::Components, "parameters") => Is::Map(Self::Parameter),
            (Self::Root | Self::Components | Self::Operation, "responses") => Is::Map(Self::Response),
            (Self::Components, "requestBodies") => Is::Map(Self::Body),
            (Self::Components | Self::Response, "headers") => Is::Map(Self::Header),
            (Self::Components, "pathItems") => Is::Map(Self::Item),
            (Self::Root | Self::Operation, "security") => Is::Ways,
            (Self::Root | Self::Item | Self::Operation, "servers") => Is::List(Self::Server),
            (Self::Item | Self::Operation, "parameters") => Is::List(Self::Parameter),
            // What readers of other formats write down.
            (Self::Item, key) if key.starts_with("x-") && super::api::is_method(key) => {
                Is::Node(Self::Operation)
            }
            (
                Self::Item,
                "get" | "put" | "post" | "delete" | "patch" | "head" | "options" | "trace" | "query",
            ) => Is::Node(Self::Operation),
            (Self::Operation, "requestBody") => Is::Node(Self::Body),
            (Self::Operation, "operationId") => Is::Text,
            (Self::Operation, "tags") => Is::Texts,
            (Self::Operation | Self::Parameter | Self::Header | Self::Schema, "deprecated") => Is::Flag,
            (Self::Parameter, "name" | "in" | "style" | "collectionFormat") => Is::Text,
            (Self::Parameter | Self::Header | Self::Body, "required") => Is::Flag,
            (Self::Parameter, "explode") => Is::Flag,
            (Self::Parameter | Self::Header | Self::Media | Self::Response, "schema") => {
                Is::Node(Self::Schema)
            }
            (Self::Parameter | Self::Header | Self::Body | Self::Response, "content") => Is::Map(Self::Media),
            (Self::Scheme, "type" | "in" | "name" | "scheme" | "flow" | "openIdConnectUrl") => Is::Text,
            (Self::Scheme | Self::Flow, "tokenUrl" | "authorizationUrl") => Is::Text,
            (Self::Scheme | Self::Flow, "scopes") => Is::Names,
            (Self::Scheme, "flows") => Is::Map(Self::Flow),
            (Self::Server, "url") | (Self::Info, "version") => Is::Text,
            (Self::Schema | Self::Parameter | Self::Header, key) => return schema_member(key),
            _ => return None,
        })
    }

    /// Members without which it says nothing.
    const fn needed(self) -> &'static [&'static str] {
        match self {
            Self::Parameter => &["name", "in"],
            Self::Server => &["url"],
            _ => &[],
        }
    }
}

fn schema_member(key: &str) -> Option<Is> {
    Some(match key {
        "type" => Is::Types,
        "format" | "pattern" => Is::Text,
        "nullable" | "readOnly" | "writeOnly" | "uniqueItems" => Is::Flag,
        "properties" | "patternProperties" | "definitions" | "$defs" | "dependentSchemas" => {
            Is::Map(Kind::Schema)
        }
        "items" => Is::Nodes(Kind::Schema),
        "additionalProperties" | "not" | "if" | "then" | "else" | "contains" | "propertyNames" => {
            Is::Node(Kind::Schema)
        }
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Is::List(Kind::Schema),
        "required" => Is::Required,
        "enum" => Is::Values,
        "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems" | "multipleOf" => {
            Is::Number
        }
        "exclusiveMinimum" | "exclusiveMaximum" => Is::Bound,
        _ => return None,
    })
}

/// Every place of a description that is not written as the standard says, in the order of the document.
pub(super) fn faults(root: &Value) -> Vec<Fault> {
    let mut walk = Walk {
        root,
        names: std::cell::OnceCell::new(),
        at: Vec::new(),
        found: Vec::new(),
        sound: BTreeSet::new(),
        parts: BTreeSet::new(),
        queue: Vec::new(),
    };
    walk.node(Kind::Root, root);
    // What stands in further files is there for those who refer to it.
    while let Some((kind, target)) = walk.queue.pop() {
        let steps = of_pointer(target.trim_start_matches("#/")).into_iter();
        walk.at = steps.map(|step| Step::Name(step.into())).collect();
        if let Ok(Some(node)) = walk.lookup(target) {
            walk.node(kind, node);
        }
    }
    walk.found
}

struct Walk<'a> {
    root: &'a Value,
    /// Names that parts of the document give themselves; looked for where somebody goes by one, which is seldom.
    names: std::cell::OnceCell<std::collections::BTreeMap<String, String>>,
    at: Vec<Step<'a>>,
    found: Vec<Fault>,
    /// References that were followed to their end: most are met many times.
    sound: BTreeSet<&'a str>,
    /// References into further files that were met, and those to be looked at.
    parts: BTreeSet<&'a str>,
    queue: Vec<(Kind, &'a str)>,
}

impl<'a> Walk<'a> {
    fn fault(&mut self, why: String) {
        self.note(why, None, false);
    }

    fn note(&mut self, why: String, target: Option<String>, empty: bool) {
        if self.found.len() < MAX_FAULTS {
            self.found.push(Fault { place: place(&self.at), why, target, empty });
        }
    }

    fn below(&mut self, name: &'a str, look: impl FnOnce(&mut Self)) {
        self.at.push(Step::Name(name.into()));
        look(self);
        self.at.pop();
    }

    fn at_index(&mut self, index: usize, look: impl FnOnce(&mut Self)) {
        self.at.push(Step::Index(index));
        look(self);
        self.at.pop();
    }

    fn wrong(&mut self, value: &Value, wanted: &str) {
        self.note(format!("is {}, where {wanted} is expected", shown(value)), None, value.is_null());
    }

    fn node(&mut self, kind: Kind, value: &'a Value) {
        // A schema may be `true` or `false`.
        if kind == Kind::Schema && value.is_boolean() {
            return;
        }
        let Value::Object(object) = value else { return self.wrong(value, "an object") };
        if let Some(Value::String(target)) = object.get("$ref") {
            self.reference(target);
            if target.strip_prefix("#/").is_some_and(|rest| rest.starts_with(PARTS))
                && self.parts.insert(target)
            {
                self.queue.push((kind, target));
            }
            if kind != Kind::Schema && kind != Kind::Item {
                return;
            }
        }
        for (key, value) in object {
            if let Some(is) = kind.member(key) {
                self.below(key, |walk| walk.value(is, value));
            }
        }
        self.plain_values(object);
        if !object.contains_key("$ref")
            && let Some(missing) = kind.needed().iter().find(|key| !object.contains_key(**key))
        {
            self.fault(format!("has no `{missing}`"));
        }
    }

    /// What is a text, a number or a flag has such values and such a default.
    fn plain_values(&mut self, schema: &'a Map<String, Value>) {
        let is_plain = |word: &Value| {
            word.as_str().is_some_and(|word| ["string", "number", "integer", "boolean"].contains(&word))
        };
        if !schema.get("type").is_some_and(is_plain) {
            return;
        }
        let is_container = |value: &Value| value.is_object() || value.is_array();
        if let Some(default) = schema.get("default").filter(|value| is_container(value)) {
            self.below("default", |walk| walk.wrong(default, "a plain value"));
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            for (index, value) in values.iter().enumerate().filter(|(_, value)| is_container(value)) {
                self.below("enum", |walk| {
                    walk.at_index(index, |walk| walk.wrong(value, "a plain value"));
                });
            }
        }
    }

    fn value(&mut self, is: Is, value: &'a Value) {
        let is_list = value.is_array();
        let fits = match is {
            Is::Node(kind) => return self.node(kind, value),
            Is::Nodes(kind) if !is_list => return self.node(kind, value),
            Is::Nodes(kind) | Is::List(kind) if is_list => {
                return self.each(value, |walk, value| walk.node(kind, value));
            }
            Is::Map(kind) => return self.members(value, kind),
            Is::Names if value.is_object() => {
                for (name, text) in value.as_object().into_iter().flatten() {
                    self.below(name, |walk| walk.value(Is::Text, text));
                }
                return;
            }
            Is::Required if is_list => {
                return self.each(value, |walk, value| {
                    if !value.is_string() {
                        walk.wrong(value, "a name");
                    }
                });
            }
            Is::Texts if is_list => return self.each(value, |walk, value| walk.value(Is::Text, value)),
            Is::Ways if is_list => {
                return self.each(value, |walk, value| match value.as_object() {
                    Some(way) => walk.schemes(way),
                    None => walk.wrong(value, "an object"),
                });
            }
            Is::Text => matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)),
            Is::Flag => value.is_boolean() || matches!(value.as_str(), Some("true" | "false")),
            Is::Number => is_number(value),
            Is::Bound => value.is_boolean() || is_number(value),
            Is::Types => {
                value.is_string() || value.as_array().is_some_and(|words| words.iter().all(Value::is_string))
            }
            Is::Required => value.is_boolean(),
            Is::Values => is_list,
            Is::Nodes(_) | Is::List(_) | Is::Texts | Is::Names | Is::Ways => false,
        };
        // A scalar that is left empty is one that is not given.
        let is_scalar = matches!(is, Is::Text | Is::Flag | Is::Number | Is::Bound);
        if !(fits || is_scalar && value.is_null()) {
            self.wrong(value, is.word());
        }
    }

    fn each(&mut self, list: &'a Value, mut look: impl FnMut(&mut Self, &'a Value)) {
        for (index, value) in list.as_array().into_iter().flatten().enumerate() {
            self.at_index(index, |walk| look(walk, value));
        }
    }

    fn members(&mut self, value: &'a Value, kind: Kind) {
        let Value::Object(object) = value else { return self.wrong(value, "an object") };
        for (name, value) in object {
            if !name.starts_with("x-") || value.is_object() {
                self.below(name, |walk| walk.node(kind, value));
            }
        }
    }

    /// The schemes of one way to sign in must be defined.
    fn schemes(&mut self, way: &'a Map<String, Value>) {
        for (name, scopes) in way {
            self.below(name, |walk| {
                walk.value(Is::Texts, scopes);
            });
        }
    }

    fn reference(&mut self, target: &'a str) {
        if self.sound.contains(target) {
            return;
        }
        let mut next = target;
        for _ in 0..MAX_HOPS {
            match self.lookup(next) {
                Ok(node) => match node.and_then(|node| node.get("$ref")).and_then(Value::as_str) {
                    Some(further) => next = further,
                    None => {
                        self.sound.insert(target);
                        return;
                    }
                },
                Err(why) => {
                    let why = format!("`$ref: {}` is not followed: {why}", clipped(target));
                    return self.note(why, Some(next.to_owned()), false);
                }
            }
        }
        self.note(format!("`$ref: {}` leads in a circle", clipped(target)), None, false);
    }

    /// What a reference leads to; nothing where it goes by a name that is there.
    fn lookup(&self, reference: &str) -> Result<Option<&'a Value>, &'static str> {
        let names = || self.names.get_or_init(|| references::names(self.root));
        let (place, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if !place.is_empty() {
            return if names().contains_key(place) { Ok(None) } else { Err("that part is not at hand") };
        }
        if fragment.is_empty() || fragment.starts_with('/') {
            let node = percent_decoded(fragment).and_then(|pointer| self.root.pointer(&pointer));
            return node.map(Some).ok_or("nothing is there");
        }
        if names().contains_key(&format!("#{fragment}")) { Ok(None) } else { Err("nothing is there") }
    }
}

impl Is {
    const fn word(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Flag => "`true` or `false`",
            Self::Number | Self::Bound => "a number",
            Self::Types => "the name of a type",
            Self::Node(_) | Self::Map(_) | Self::Names => "an object",
            Self::Required | Self::Nodes(_) | Self::List(_) | Self::Texts | Self::Values | Self::Ways => {
                "a list"
            }
        }
    }
}

fn is_number(value: &Value) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok())
}

fn clipped(text: &str) -> String {
    text.chars().take(200).collect()
}

/// A value in a few letters.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Null => "empty".to_owned(),
        Value::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
        other => other.to_string(),
    }
}
