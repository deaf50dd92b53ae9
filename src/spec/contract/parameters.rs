//! Parameters of a request.

use serde_json::Value;

use super::{
    Here, Place, Run, Side, Words, lifecycle,
    lifecycle::Sunset,
    locals::{entries, text},
    pairs::{self, Root},
    types::Notation,
};
use crate::spec::{ApiModel, Operation};

/// One parameter as it is written.
struct Parameter<'a> {
    /// What it is found again by: for one of the path its position, since its name means nothing.
    key: String,
    name: &'a str,
    place: &'a str,
    node: &'a Value,
    /// Whether it is written at the path, for all operations.
    of_path: bool,
}

impl Parameter<'_> {
    fn required(&self) -> bool {
        self.place == "path" || self.node.get("required").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whether a list is written as the same parameter several times, and an object as one parameter a property.
    fn repeats(&self) -> bool {
        let form = text(self.node.get("style")).is_none_or(|style| style == "form");
        matches!(self.place, "query" | "cookie")
            && form
            && self.node.get("explode").and_then(Value::as_bool).unwrap_or(true)
    }
}

/// Compares the parameters of two operations.
pub(super) fn compare<'a>(run: &mut Run<'a>, here: Here<'_>, old: &Operation<'a>, new: &Operation<'a>) {
    let (mut was, mut is) = (all(old), all(new));
    // An object whose properties are written as parameters is those parameters.
    explode(run.before, &mut was, &is);
    explode(run.after, &mut is, &was);
    let find = |list: &'_ [Parameter<'a>], wanted: &Parameter<'a>| {
        list.iter().position(|other| other.key == wanted.key && other.place == wanted.place)
    };
    for old in &was {
        match find(&is, old) {
            Some(at) => changed(run, here, old, &is[at]),
            None => removed(run, here, old),
        }
    }
    for new in is.iter().filter(|new| find(&was, new).is_none()) {
        let change = match (new.of_path, new.place == "path", new.required()) {
            (_, true, _) => "path-parameter-added",
            (true, false, true) => "required-default-parameter-added",
            (true, false, false) => "optional-default-parameter-added",
            (false, false, true) => "required-parameter-added",
            (false, false, false) => "optional-parameter-added",
        };
        run.found.note(here, Side::Request, Place::Parameter, change, words(new));
    }
}

fn words<'a>(parameter: &Parameter<'a>) -> Words<'a> {
    Words { at: parameter.place, ..Words::name(parameter.name) }
}

fn removed(run: &mut Run<'_>, here: Here<'_>, old: &Parameter<'_>) {
    let change = match (lifecycle::is_deprecated(old.node), Sunset::of(old.node)) {
        (false, _) => "parameter-removed",
        (true, Sunset::Unreadable) => "sunset-parse",
        (true, Sunset::On(date)) if run.today.is_none_or(|today| today < date) => "removed-before-sunset",
        // Its end was announced, and has passed.
        (true, Sunset::On(_)) => return,
        (true, Sunset::Never) => "removed-with-deprecation",
    };
    run.found.note(here, Side::Request, Place::Parameter, change, words(old));
}

fn changed<'a>(run: &mut Run<'a>, here: Here<'_>, old: &Parameter<'a>, new: &Parameter<'a>) {
    let mut note = |change| run.found.note(here, Side::Request, Place::Parameter, change, words(old));
    match (old.required(), new.required()) {
        (false, true) => note("became-required"),
        (true, false) => note("became-optional"),
        (true, true) | (false, false) => {}
    }
    match lifecycle::deprecation(old.node, new.node) {
        Some("deprecated-sunset-parse") => note("sunset-parse"),
        Some(change) => note(change),
        None => {}
    }
    let (was, is) = (schema_of(run.before, old.node), schema_of(run.after, new.node));
    if let (Some(was), Some(is)) = (was, is) {
        let at = format!("{} parameter {}", old.place, old.name);
        let within = if old.place == "header" { Place::HeaderProperty } else { Place::ParameterProperty };
        let notation = if new.repeats() { Notation::Repeated } else { Notation::Text };
        let root = Root { side: Side::Request, place: Place::Parameter, within, notation, at: &at };
        pairs::schemas(run, here, root, was, is);
    }
}

/// Takes objects apart whose properties the other side has as parameters of their own.
fn explode<'a>(model: &'a ApiModel, list: &mut Vec<Parameter<'a>>, other: &[Parameter<'_>]) {
    let has = |name: &str, place: &str| other.iter().any(|p| p.place == place && p.name == name);
    let mut parts = Vec::new();
    list.retain(|parameter| {
        let schema = schema_of(model, parameter.node).map(|schema| model.resolve(schema));
        let properties: Vec<(&str, &Value)> =
            entries(schema.and_then(|schema| schema.get("properties"))).collect();
        let apart = parameter.repeats()
            && !has(parameter.name, parameter.place)
            && !properties.is_empty()
            && properties.iter().all(|(name, _)| has(name, parameter.place));
        if apart {
            let one = |(name, node): (&'a str, &'a Value)| Parameter {
                key: name.to_owned(),
                name,
                node,
                ..*parameter
            };
            parts.extend(properties.into_iter().map(one));
        }
        !apart
    });
    list.extend(parts);
}

/// The schema of a parameter or header: its own, or that of its content. In Swagger 2.0 it is written in place.
pub(super) fn schema_of<'a>(model: &'a ApiModel, node: &'a Value) -> Option<&'a Value> {
    if model.is_swagger2() {
        return Some(node);
    }
    match node.get("in") {
        // A property that was taken out of an object is its own schema.
        None if node.get("schema").is_none() && node.get("content").is_none() => Some(node),
        _ => node.get("schema").or_else(|| entries(node.get("content")).next()?.1.get("schema")),
    }
}

/// The parameters of path and operation, those of the operation in place of those of the path.
fn all<'a>(operation: &Operation<'a>) -> Vec<Parameter<'a>> {
    let mut found: Vec<Parameter<'a>> = Vec::new();
    for (list, of_path) in [(operation.item, true), (operation.node, false)] {
        for node in list.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let node = operation.model.resolve(node);
            let (Some(name), Some(place)) = (text(node.get("name")), text(node.get("in"))) else { continue };
            if place == "body" {
                continue;
            }
            let written = format!("{{{name}}}");
            let position = operation.path.split('/').position(|segment| segment.contains(&written));
            let key = match position {
                Some(position) if place == "path" => format!("{{{position}}}"),
                _ if place == "header" => name.to_ascii_lowercase(),
                _ => name.to_owned(),
            };
            found.retain(|other| other.key != key || other.place != place);
            found.push(Parameter { key, name, place, node, of_path });
        }
    }
    found
}
