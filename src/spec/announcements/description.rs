//! The texts of an API description that people read, each with the operations, the schema and the field it belongs to.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::{About, Text};
use crate::spec::{ApiModel, Operation};

/// Nodes that are looked at; GitHub's description has some million.
const MAX_NODES: usize = 5_000_000;
/// Keys whose text speaks to people.
pub(in crate::spec) const PROSE: [&str; 3] = ["summary", "description", "x-deprecation-message"];
/// Keys that date something: extensions that several vendors write, each with what it dates.
const DATES: [(&str, &str); 10] = [
    ("x-sunset", "Sunset"),
    ("x-sunset-date", "Sunset"),
    ("x-sunset-at", "Sunset"),
    ("sunset", "Sunset"),
    ("x-removal-date", "Removal"),
    ("x-removed-on", "Removal"),
    ("x-end-of-life", "End of life"),
    ("x-deprecated-at", "Deprecation date"),
    ("x-deprecation-date", "Deprecation date"),
    ("x-deprecated", "Deprecation date"),
];
/// What holds data, not prose.
pub(in crate::spec) const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];
/// What more operations share than these concerns the API.
const MOST_SHARING: usize = 200;

/// Where a node stands.
#[derive(Clone)]
struct Place<'a> {
    /// `GET /orders`, `schema Order`, `the API as a whole`.
    title: Rc<str>,
    /// The operations that it belongs to, where it belongs to some.
    operations: Rc<[String]>,
    about: About<'a>,
}

impl Place<'_> {
    fn new(title: impl Into<Rc<str>>, operations: &[String]) -> Self {
        let operations = if operations.len() > MOST_SHARING { &[] } else { operations };
        Self { title: title.into(), operations: operations.into(), about: About::Whole }
    }
}

/// Calls with every text, in the order of the description, and with an empty one for every node that could have one.
pub(super) fn each_text(model: &ApiModel, call: &mut impl FnMut(Text<'_>)) {
    let operations = model.operations();
    let users = users(model, &operations);
    let of = |key: &str| users.get(key).map_or(&[][..], Vec::as_slice);
    let mut work: Vec<(&Value, Place<'_>)> = Vec::new();
    let parts = parts(model);
    for (kind, name, node) in parts.iter().rev() {
        let title = format!("{kind} {name}");
        let operations = of(&title);
        // What nothing refers to may still be meant for all.
        work.push((node, Place::new(title, operations)));
    }
    for operation in operations.iter().rev() {
        let name = operation.name();
        let place = Place::new(name.as_str(), std::slice::from_ref(&name));
        work.push((operation.node, place.clone()));
        work.extend(operation.item.get("parameters").map(|shared| (shared, place)));
    }
    for tag in model.root().get("tags").and_then(Value::as_array).into_iter().flatten().rev() {
        let title = format!("tag {}", tag.get("name").and_then(Value::as_str).unwrap_or_default());
        let operations = of(&title);
        work.push((tag, Place::new(title, operations)));
    }
    let whole = Place::new("the API as a whole", &[]);
    work.extend(model.root().get("info").map(|info| (info, whole.clone())));
    let top = model.root().as_object();
    top.into_iter().for_each(|root| dates(root, &whole, call));
    for operation in &operations {
        let name = operation.name();
        let place = Place::new(name.as_str(), std::slice::from_ref(&name));
        operation.item.as_object().into_iter().for_each(|item| say(item, &place, call));
    }
    let mut seen = 0;
    while let Some((node, place)) = work.pop() {
        seen += 1;
        if seen > MAX_NODES {
            break;
        }
        match node {
            Value::Object(object) => {
                let place = Place { about: own_name(object).unwrap_or(place.about), ..place };
                say(object, &place, call);
                for (key, child) in object.iter().rev() {
                    if DATA.contains(&key.as_str()) || !(child.is_object() || child.is_array()) {
                        continue;
                    }
                    if key == "properties" {
                        for (name, property) in child.as_object().into_iter().flatten().rev() {
                            work.push((property, Place { about: About::Field(name), ..place.clone() }));
                        }
                    } else {
                        work.push((child, place.clone()));
                    }
                }
            }
            Value::Array(items) => work.extend(items.iter().rev().map(|item| (item, place.clone()))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// A parameter has its name beside its text.
pub(in crate::spec) fn own_name(object: &Map<String, Value>) -> Option<About<'_>> {
    // A key that signs in has both, too.
    let is_scheme = object.get("type").and_then(Value::as_str) == Some("apiKey");
    let name = object.get("name").filter(|_| object.contains_key("in") && !is_scheme);
    name.and_then(Value::as_str).map(About::Parameter)
}

/// What several operations share: the word for its kind, its name, and the node.
pub(in crate::spec) fn parts(model: &ApiModel) -> Vec<(&'static str, &str, &Value)> {
    const KINDS: [(&str, &str); 6] = [
        ("schemas", "schema"),
        ("parameters", "parameter"),
        ("responses", "response"),
        ("requestBodies", "body"),
        ("headers", "header"),
        ("securitySchemes", "security scheme"),
    ];
    const SWAGGER: [(&str, &str); 4] = [
        ("definitions", "schema"),
        ("parameters", "parameter"),
        ("responses", "response"),
        ("securityDefinitions", "security scheme"),
    ];
    let root = model.root();
    let (holder, kinds) = match root.get("components") {
        Some(components) => (components, &KINDS[..]),
        None => (root, &SWAGGER[..]),
    };
    let named = kinds.iter().filter_map(|(key, word)| Some((*word, holder.get(key)?.as_object()?)));
    named.flat_map(|(word, all)| all.iter().map(move |(name, node)| (word, name.as_str(), node))).collect()
}

/// Which operations use a shared part or bear a tag, by its title.
fn users(model: &ApiModel, operations: &[Operation<'_>]) -> BTreeMap<String, Vec<String>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let default = model.root().get("security");
    for operation in operations {
        let name = operation.name();
        let mut add = |kind: &str, part: &str| {
            let all = users.entry(format!("{kind} {part}")).or_default();
            if all.last() != Some(&name) {
                all.push(name.clone());
            }
        };
        let items = |node: &'_ Value, key: &str| node.get(key).and_then(Value::as_array).cloned();
        for tag in items(operation.node, "tags").unwrap_or_default() {
            tag.as_str().into_iter().for_each(|tag| add("tag", tag));
        }
        let ways = operation.node.get("security").or(default).and_then(Value::as_array);
        for way in ways.into_iter().flatten().filter_map(Value::as_object) {
            way.keys().for_each(|scheme| add("security scheme", scheme));
        }
        let of_item = operation.item.get("parameters").and_then(Value::as_array);
        let own = operation.node.get("parameters").and_then(Value::as_array);
        let responses = operation.node.get("responses").and_then(Value::as_object);
        let body = operation.node.get("requestBody");
        let referring = of_item.into_iter().chain(own).flatten().map(|node| ("parameter", node));
        let referring =
            referring.chain(responses.into_iter().flat_map(Map::values).map(|node| ("response", node)));
        for (kind, node) in referring.chain(body.map(|node| ("body", node))) {
            let target = node.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next());
            target.into_iter().for_each(|part| add(kind, part));
        }
    }
    users
}

/// The texts of one node: what it says, and when an extension says that it ends.
fn say(object: &Map<String, Value>, place: &Place<'_>, call: &mut impl FnMut(Text<'_>)) {
    call(text(place, ""));
    // Most nodes have few members, so to walk over them is faster than to look for each key that would count.
    if object.keys().any(|key| PROSE.contains(&key.as_str())) {
        for key in PROSE {
            if let Some(prose) = object.get(key).and_then(Value::as_str) {
                call(text(place, prose));
            }
        }
    }
    if object.keys().any(|key| key.starts_with("x-") || key == "sunset") {
        dates(object, place, call);
    }
}

fn dates(object: &Map<String, Value>, place: &Place<'_>, call: &mut impl FnMut(Text<'_>)) {
    for (key, word) in DATES {
        let value = object.get(key);
        if let Some(date) = value.and_then(|value| value.get("date").unwrap_or(value).as_str()) {
            call(text(place, &format!("{word}: {date}")));
        }
    }
}

fn text<'a>(place: &'a Place<'_>, text: &'a str) -> Text<'a> {
    Text { place: &place.title, text, operations: &place.operations, about: place.about, written: None }
}
