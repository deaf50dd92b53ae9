//! The comparison of one pair of schemas: what differs at the schemas themselves, and which pairs lie below.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ApiModel, graph::Graph, parameters::same_role, schema::View, volatile};
use crate::model::Step;

/// Which way the data of a schema goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// Sent to the API.
    Request,
    /// Sent by the API.
    Response,
}

/// One difference at a pair of schemas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Local {
    pub(super) what: &'static str,
    /// The property it is about; the schema itself otherwise.
    pub(super) name: Option<String>,
    /// What the property is called now.
    pub(super) renamed_to: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
}

/// The comparison of two looks.
pub(super) struct Comparing<'g, 'a> {
    pub(super) graph: &'g Graph<'a>,
    pub(super) direction: Direction,
}

/// What is to be compared below: the step that leads there, and both sides.
type Below<'a> = Vec<(Option<Step>, &'a Value, &'a Value)>;

impl<'a> Comparing<'_, 'a> {
    pub(super) fn compare(&self, before: &View<'a>, after: &View<'a>) -> (Vec<Local>, Below<'a>) {
        let mut locals = Vec::new();
        let mut below = Below::new();
        self.scalars(before, after, &mut locals);
        // What is something else altogether is told as that; what was within it is implied.
        if is_another(before, after) {
            return (locals, below);
        }
        self.properties(before, after, &mut locals, &mut below);
        if let (Some(was), Some(is)) = (before.items, after.items) {
            below.push((Some(Step::Each), was, is));
        }
        if let (Some(was), Some(is)) = (before.map_values, after.map_values) {
            below.push((Some(Step::Each), was, is));
        }
        self.variants(before, after, &mut locals, &mut below);
        (locals, below)
    }

    fn scalars(&self, before: &View<'a>, after: &View<'a>, locals: &mut Vec<Local>) {
        let mut note = |what: &'static str, from: String, to: String| {
            locals.push(Local { what, name: None, renamed_to: None, from, to });
        };
        let response = self.direction == Direction::Response;
        let typed = !before.types.is_empty() && !after.types.is_empty();
        if typed && before.types != after.types {
            // What came before still comes (a response), or is still taken (a request).
            let covers = |wide: &BTreeSet<&str>, narrow: &BTreeSet<&str>| {
                narrow
                    .iter()
                    .all(|word| wide.contains(word) || (*word == "integer" && wide.contains("number")))
            };
            let harmless = if response {
                covers(&before.types, &after.types)
            } else {
                covers(&after.types, &before.types)
            };
            let what = if harmless { "type-narrowed" } else { "type-changed" };
            note(what, before.type_words(), after.type_words());
        } else if before.format != after.format && typed {
            let what = format_change(before.format, after.format);
            let word = |format: Option<&str>| format.unwrap_or("none").to_owned();
            note(what, word(before.format), word(after.format));
        }
        match (before.nullable, after.nullable) {
            (false, true) if response => note("became-nullable", String::new(), String::new()),
            (true, false) if !response => {
                note("request-narrowed", "null allowed".to_owned(), "not null".to_owned())
            }
            _ => {}
        }
        match (&before.values, &after.values) {
            _ if is_another(before, after) => {}
            (Some(was), Some(is)) => {
                let list = |values: Vec<&String>| {
                    values.into_iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ")
                };
                let fresh: Vec<&String> = is.difference(was).collect();
                let lost: Vec<&String> = was.difference(is).collect();
                if response && !fresh.is_empty() {
                    let all = !was.is_empty() && lost.len() == was.len();
                    let what = if all { "enum-values-replaced" } else { "enum-value-added" };
                    note(what, list(lost), list(fresh));
                } else if !lost.is_empty() {
                    let what = if response { "enum-value-removed" } else { "request-narrowed" };
                    note(what, list(lost), String::new());
                }
            }
            (Some(_), None) if response && typed => {
                note("enum-opened", "a list of values".to_owned(), "any value".to_owned());
            }
            (None, Some(_)) if !response => {
                note("request-narrowed", "any value".to_owned(), "a list".to_owned())
            }
            _ => {}
        }
        if let Some(word) = after.contradiction().filter(|_| before.contradiction().is_none()) {
            note("example-contradicts", after.type_words(), word.to_owned());
        }
        if after.deprecated && !before.deprecated {
            note("field-deprecated", String::new(), String::new());
        } else if volatile::newly_speaks_of_an_end(before.description, after.description) {
            note("deprecated-in-prose", String::new(), String::new());
        } else if volatile::differs(before.description, after.description) {
            note("description-changed", String::new(), String::new());
        }
    }

    fn properties(
        &self,
        before: &View<'a>,
        after: &View<'a>,
        locals: &mut Vec<Local>,
        below: &mut Below<'a>,
    ) {
        let response = self.direction == Direction::Response;
        let mut removed: Vec<(&str, &'a Value)> = Vec::new();
        let mut note = |what: &'static str, name: &str, from: &str, to: &str| {
            locals.push(Local {
                what,
                name: Some(name.to_owned()),
                renamed_to: None,
                from: from.to_owned(),
                to: to.to_owned(),
            });
        };
        for (name, was) in &before.properties {
            let required = before.required.contains(name);
            // What cannot be seen on this side was never promised there.
            if self.is_hidden(self.graph.before, was) {
                continue;
            }
            if let Some(is) = after.properties.get(name) {
                if self.is_hidden(self.graph.after, is) {
                    note(if response { "field-write-only" } else { "body-field-read-only" }, name, "", "");
                    continue;
                }
                below.push((Some(Step::Key((*name).into())), was, is));
                match (required, after.required.contains(name)) {
                    (true, false) if response => note("became-optional", name, "required", "optional"),
                    (false, true) if !response => note("body-field-required", name, "optional", "required"),
                    _ => {}
                }
                continue;
            }
            // An object that became one of several is no removal of what the alternatives have.
            let alternatives: Vec<View<'a>> =
                after.variants.iter().map(|(_, node)| View::of(self.graph.after, node)).collect();
            let having: Vec<&View<'a>> =
                alternatives.iter().filter(|v| v.properties.contains_key(name)).collect();
            match having.first().and_then(|view| view.properties.get(name)) {
                Some(is) => {
                    below.push((Some(Step::Key((*name).into())), was, is));
                    // Beside a lone value an object has all it had.
                    let objects = alternatives.iter().filter(|v| v.is_object()).count();
                    if response && required && having.len() < objects {
                        note("became-optional", name, "required", "in some alternatives");
                    }
                }
                // A map whose keys were listed may still have it.
                None if after.map_values.is_some() && after.properties.is_empty() => {}
                None => removed.push((name, was)),
            }
        }
        let in_alternatives: BTreeSet<&str> = before
            .variants
            .iter()
            .flat_map(|(_, node)| View::of(self.graph.before, node).properties.into_keys())
            .collect();
        let mut added: Vec<(&str, &'a Value)> = Vec::new();
        for (name, is) in &after.properties {
            let was = before.properties.get(name);
            let had = was.is_some_and(|was| !self.is_hidden(self.graph.before, was));
            if !had && !in_alternatives.contains(name) && !self.is_hidden(self.graph.after, is) {
                added.push((name, is));
            }
        }
        for (was, is) in self.renames(before, after, &removed, &added) {
            removed.retain(|(name, _)| *name != was);
            added.retain(|(name, _)| *name != is);
            locals.push(Local {
                what: if response { "field-renamed" } else { "body-field-renamed" },
                name: Some(was.to_owned()),
                renamed_to: Some(is.to_owned()),
                from: was.to_owned(),
                to: is.to_owned(),
            });
            if let (Some(from), Some(to)) = (before.properties.get(was), after.properties.get(is)) {
                below.push((Some(Step::Key(was.into())), from, to));
            }
        }
        let mut note = |what: &'static str, name: &str, from: String, to: String| {
            locals.push(Local { what, name: Some(name.to_owned()), renamed_to: None, from, to });
        };
        for (name, was) in removed {
            let what = if response { "field-removed" } else { "body-field-removed" };
            note(what, name, View::of(self.graph.before, was).type_words(), String::new());
        }
        for (name, is) in added {
            let what = match (response, after.required.contains(name)) {
                (true, _) => "field-added",
                (false, true) => "body-field-required",
                (false, false) => "body-field-added",
            };
            note(what, name, String::new(), View::of(self.graph.after, is).type_words());
        }
    }

    /// Whether a property goes the other way alone.
    fn is_hidden(&self, model: &'a ApiModel, node: &'a Value) -> bool {
        let key = if self.direction == Direction::Response { "writeOnly" } else { "readOnly" };
        let flag = |node: &Value| node.get(key).and_then(Value::as_bool).unwrap_or(false);
        flag(node) || flag(model.resolve(node))
    }

    /// Pairs of a property that vanished and one that appeared which are the same thing under another name.
    ///
    /// Both must have the same type, format, values and properties below, and be each other's best match; a bare
    /// scalar needs names that are alike, since any string looks like any other.
    fn renames(
        &self,
        before: &View<'a>,
        after: &View<'a>,
        removed: &[(&'a str, &'a Value)],
        added: &[(&'a str, &'a Value)],
    ) -> Vec<(&'a str, &'a str)> {
        // Many of both is another schema, not renamed fields.
        if removed.is_empty() || added.is_empty() || removed.len() * added.len() > 400 {
            return Vec::new();
        }
        let mut scored: Vec<(u32, &'a str, &'a str)> = Vec::new();
        for (was, from) in removed {
            let from = View::of(self.graph.before, from);
            for (is, to) in added {
                let to = View::of(self.graph.after, to);
                if from.signature(self.graph.before) != to.signature(self.graph.after)
                    || before.required.contains(was) != after.required.contains(is)
                {
                    continue;
                }
                let same_words = !from.description.is_empty() && from.description == to.description;
                let telling =
                    from.properties.len() > 1 || from.values.is_some() || from.items.is_some() || same_words;
                let alike = name_likeness(was, is);
                let asks_same = self.direction == Direction::Request && same_role(was, is);
                let needed = if same_words || asks_same {
                    0.0
                } else if telling {
                    0.5
                } else {
                    0.8
                };
                if alike >= needed {
                    // Thousandths, so that ties break the same way everywhere.
                    let score = (alike * 1000.0) as u32 + if telling { 500 } else { 0 };
                    scored.push((score, was, is));
                }
            }
        }
        scored.sort_by(|a, b| (b.0, a.1, a.2).cmp(&(a.0, b.1, b.2)));
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (score, was, is) in &scored {
            let taken = pairs.iter().any(|(w, i)| w == was || i == is);
            // Two candidates that are as good as each other: nobody knows, so nothing is said.
            let rivals = scored.iter().filter(|(s, w, i)| s == score && (w == was) != (i == is)).count();
            if !taken && rivals == 0 {
                pairs.push((was, is));
            }
        }
        pairs
    }

    fn variants(&self, before: &View<'a>, after: &View<'a>, locals: &mut Vec<Local>, below: &mut Below<'a>) {
        let response = self.direction == Direction::Response;
        // Of several with one key each has its own partner: one that is the same, else the next in order.
        let mut free: Vec<&(String, &'a Value)> = after.variants.iter().collect();
        let mut partners: Vec<Option<&'a Value>> = vec![None; before.variants.len()];
        for is_same in [true, false] {
            for (partner, (key, was)) in partners.iter_mut().zip(&before.variants) {
                let fits = |other: &&(String, &'a Value)| other.0 == *key && (!is_same || other.1 == *was);
                if partner.is_none()
                    && let Some(index) = free.iter().position(&fits)
                {
                    *partner = Some(free.remove(index).1);
                }
            }
        }
        let mut note = |what: &'static str, from: String, to: String| {
            locals.push(Local { what, name: None, renamed_to: None, from, to });
        };
        let mut lost: BTreeMap<&str, String> = BTreeMap::new();
        for ((key, was), partner) in before.variants.iter().zip(partners) {
            if response && partner.is_none() {
                let view = View::of(self.graph.before, was);
                let words = |node: &'a Value| View::of(self.graph.before, node).type_words();
                lost.extend(view.properties.iter().map(|(name, node)| (*name, words(node))));
            }
            match partner {
                Some(is) => below.push((None, was, is)),
                None if after.variants.is_empty() => {}
                None if response => note("alternative-removed", key.clone(), String::new()),
                None => note("request-narrowed", key.clone(), String::new()),
            }
        }
        self.lost_with_alternatives(before, after, lost, locals);
        let mut note = |what: &'static str, from: String, to: String| {
            locals.push(Local { what, name: None, renamed_to: None, from, to });
        };
        if response && !before.variants.is_empty() {
            for (key, _) in free {
                note("alternative-added", String::new(), key.clone());
            }
        } else if response
            && before.variants.is_empty()
            && !after.variants.is_empty()
            && !before.types.is_empty()
        {
            let keys: Vec<&str> = after.variants.iter().take(8).map(|(key, _)| key.as_str()).collect();
            note("alternative-added", before.type_words(), keys.join(", "));
        }
    }

    /// Fields that only alternatives had which are no longer there.
    fn lost_with_alternatives(
        &self,
        before: &View<'a>,
        after: &View<'a>,
        mut lost: BTreeMap<&str, String>,
        locals: &mut Vec<Local>,
    ) {
        // Whatever is there now may have them.
        if lost.is_empty() || (after.variants.is_empty() && after.properties.is_empty()) {
            return;
        }
        lost.retain(|name, _| !after.properties.contains_key(name) && !before.properties.contains_key(name));
        for (_, node) in &after.variants {
            let view = View::of(self.graph.after, node);
            lost.retain(|name, _| !view.properties.contains_key(name));
        }
        for (name, from) in lost {
            let name = Some(name.to_owned());
            locals.push(Local { what: "field-removed", name, renamed_to: None, from, to: String::new() });
        }
    }
}

/// Whether a value is of no type that it was of: an object became a text, or the other way round.
fn is_another(before: &View<'_>, after: &View<'_>) -> bool {
    let is_number = |view: &View<'_>| view.types.iter().all(|word| matches!(*word, "integer" | "number"));
    let is_known = !(before.types.is_empty() || after.types.is_empty());
    let both_numbers = is_number(before) && is_number(after);
    is_known && before.types.is_disjoint(&after.types) && !both_numbers
}

/// How alike two names are, between 0 and 1, with case and separators taken out.
fn name_likeness(a: &str, b: &str) -> f64 {
    let fold = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (a, b) = (fold(a), fold(b));
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let contained = short.len() >= 3 && (long.starts_with(short.as_str()) || long.ends_with(short.as_str()));
    strsim::jaro_winkler(&a, &b).max(if contained { 0.85 } else { 0.0 })
}

/// What a change of format means to one who parses the value.
fn format_change(before: Option<&str>, after: Option<&str>) -> &'static str {
    const NOTATIONS: [&str; 12] = [
        "date",
        "date-time",
        "time",
        "duration",
        "unix-time",
        "unixtime",
        "timestamp",
        "epoch",
        "byte",
        "base64",
        "binary",
        "decimal",
    ];
    let is_notation = |format: &str| NOTATIONS.contains(&format);
    match (before, after) {
        (Some("int32"), Some("int64")) | (Some("float"), Some("double")) => "format-widened",
        (Some("int32"), None) => "format-widened",
        (Some("int64"), Some("int32")) | (Some("double"), Some("float")) => "format-documented",
        (Some(was), Some(is)) if is_notation(was) || is_notation(is) => "format-changed",
        (None, Some(format)) | (Some(format), None) if is_notation(format) => "format-widened",
        _ => "format-documented",
    }
}
