//! `allOf`, `anyOf`, `oneOf`, `prefixItems` and what tells the branches apart.

use serde_json::Value;

use super::locals::{Below, Both, Local, Way, entries, text};
use super::types::{Types, is_annotation};
use crate::spec::{ApiModel, api::reference};

/// Lists of schemas with what an addition and a removal are called.
const LISTS: [(&str, &str, &str); 4] = [
    ("allOf", "all-of-added", "all-of-removed"),
    ("anyOf", "any-of-added", "any-of-removed"),
    ("oneOf", "one-of-added", "one-of-removed"),
    ("prefixItems", "prefix-items-added", "prefix-items-removed"),
];

/// A schema that was put beside null in a `oneOf`, or taken out of it; what else changed of it is for the pair.
pub(super) fn null_wrap<'a>(both: &Both<'a>) -> Option<(&'a Value, &'a Value, &'static str)> {
    let (before, after) = both.models;
    // An object may have become quite another one.
    let same = |a: &'a Value, b: &'a Value| {
        let (was, is) = (Types::of(before, a), Types::of(after, b));
        let alike = !was.words.is_empty() && was.words == is.words && !was.words.contains("object");
        (a == b || alike) && !was.nullable && !is.nullable
    };
    match (beside_null(before, both.before), beside_null(after, both.after)) {
        (None, Some(inner)) => {
            let inner = after.resolve(inner);
            same(both.before, inner).then_some((both.before, inner, "became-nullable"))
        }
        (Some(inner), None) => {
            let inner = before.resolve(inner);
            same(inner, both.after).then_some((inner, both.after, "became-not-nullable"))
        }
        _ => None,
    }
}

/// The one branch of a `oneOf` beside null.
fn beside_null<'a>(model: &'a ApiModel, node: &'a Value) -> Option<&'a Value> {
    let [first, second] = node.get("oneOf")?.as_array()?.as_slice() else { return None };
    let is_null = |branch: &Value| {
        model
            .resolve(branch)
            .as_object()
            .is_some_and(|o| o.len() == 1 && o.get("type").is_some_and(|t| t == "null"))
    };
    match (is_null(first), is_null(second)) {
        (true, false) => Some(second),
        (false, true) => Some(first),
        _ => None,
    }
}

/// Whether an object was written again as alternatives that each have all its properties.
pub(super) fn is_wrap(both: &Both<'_>) -> bool {
    let properties = |node: &Value| -> Vec<String> {
        entries(node.get("properties")).map(|(name, _)| name.to_owned()).collect()
    };
    let (was, branches) = (properties(both.before), list(both.after.get("oneOf")));
    let has_all = |branch: &Value| {
        let here = properties(both.models.1.resolve(branch));
        was.iter().all(|name| here.contains(name))
    };
    !was.is_empty()
        && !branches.is_empty()
        && both.before.get("oneOf").is_none()
        && both.after.get("properties").is_none()
        && branches.iter().all(has_all)
}

/// What differs between the branches of two schemas.
pub(super) fn compare<'a>(both: &Both<'a>, locals: &mut Vec<Local>, below: &mut Below<'a>) {
    // Alternatives that say nothing but a type were compared as types.
    let (was, is) = (Types::of(both.models.0, both.before), Types::of(both.models.1, both.after));
    let as_types = (was.from_branches || is.from_branches) && was.words != is.words;
    for (keyword, added, removed) in LISTS {
        if as_types && matches!(keyword, "oneOf" | "anyOf") {
            continue;
        }
        let (was, is) = both.get(keyword);
        let paired = pair(both, list(was), list(is));
        for (way, was, is) in paired.both {
            let word = format!("{keyword}[{way}]");
            let way = if keyword == "prefixItems" { Way::EachKeyword(word) } else { Way::Keyword(word) };
            below.push((way, was, is));
        }
        if !paired.removed.is_empty() {
            locals.push(Local::named(removed, words(&paired.removed)));
        }
        let plain = |(_, node): &&(String, &'a Value)| annotates(both.models.1, node);
        let (notes, rest): (Vec<_>, Vec<_>) = paired.added.iter().partition(|branch| plain(branch));
        if keyword == "allOf" && !notes.is_empty() {
            locals.push(Local::named("all-of-added-annotation-only", words_of(&notes)));
        }
        let fresh = if keyword == "allOf" { rest } else { paired.added.iter().collect() };
        if !fresh.is_empty() {
            locals.push(Local::named(added, words_of(&fresh)));
        }
    }
    discriminator(both, locals);
}

fn words(branches: &[(String, &Value)]) -> String {
    words_of(&branches.iter().collect::<Vec<_>>())
}

fn words_of(branches: &[&(String, &Value)]) -> String {
    branches.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether a schema restricts nothing.
fn annotates(model: &ApiModel, node: &Value) -> bool {
    model.resolve(node).as_object().is_some_and(|object| object.keys().all(|key| is_annotation(key)))
}

fn list(node: Option<&Value>) -> &[Value] {
    node.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

struct Paired<'a> {
    both: Vec<(String, &'a Value, &'a Value)>,
    removed: Vec<(String, &'a Value)>,
    added: Vec<(String, &'a Value)>,
}

/// Finds each branch again: by what it refers to, then as it is written, then by title, then the only ones left.
fn pair<'a>(both: &Both<'a>, before: &'a [Value], after: &'a [Value]) -> Paired<'a> {
    let mut was: Vec<(String, &'a Value)> = before.iter().enumerate().map(named).collect();
    let mut is: Vec<(String, &'a Value)> = after.iter().enumerate().map(named).collect();
    let mut found = Vec::new();
    let (old_model, new_model) = both.models;
    let title = |node: &Value| text(node.get("title")).map(str::to_owned);
    let same: [&dyn Fn(&'a Value, &'a Value) -> bool; 4] = [
        &|a, b| reference(a).is_some() && reference(a) == reference(b),
        &|a, b| reference(a).is_none() && a == b,
        // What was given a name, or lost it, is still the same.
        &|a, b| {
            reference(a).is_some() != reference(b).is_some()
                && equivalent(old_model.resolve(a), new_model.resolve(b))
        },
        &|a, b| {
            reference(a).is_none() && reference(b).is_none() && title(a).is_some() && title(a) == title(b)
        },
    ];
    for same in same {
        was.retain(|(name, old)| {
            let Some(at) = is.iter().position(|(_, new)| same(old, new)) else { return true };
            found.push((name.clone(), *old, is.remove(at).1));
            false
        });
    }
    let inline = |list: &[(String, &Value)]| -> Vec<usize> {
        list.iter().enumerate().filter(|(_, (_, node))| reference(node).is_none()).map(|(at, _)| at).collect()
    };
    let titles_differ =
        |a: &Value, b: &Value| title(a).is_some() && title(b).is_some() && title(a) != title(b);
    if let ([old], [new]) = (inline(&was).as_slice(), inline(&is).as_slice())
        && !titles_differ(was[*old].1, is[*new].1)
    {
        let ((name, old), (_, new)) = (was.remove(*old), is.remove(*new));
        found.push((name, old, new));
    }
    Paired { both: found, removed: was, added: is }
}

/// Whether two schemas allow the same, by their text without notes.
fn equivalent(a: &Value, b: &Value) -> bool {
    let (Value::Object(a), Value::Object(b)) = (a, b) else { return a == b };
    let plain = |node: &serde_json::Map<String, Value>| node.keys().filter(|key| !is_annotation(key)).count();
    plain(a) == plain(b) && a.iter().all(|(key, value)| is_annotation(key) || b.get(key) == Some(value))
}

fn named((index, node): (usize, &Value)) -> (String, &Value) {
    let name = match (reference(node), text(node.get("title"))) {
        (Some(target), _) => target.rsplit('/').next().unwrap_or(target).to_owned(),
        (None, Some(title)) => title.to_owned(),
        (None, None) => format!("#{}", index + 1),
    };
    (name, node)
}

fn discriminator(both: &Both<'_>, locals: &mut Vec<Local>) {
    let (was, is) = match both.get("discriminator") {
        (None, None) => return,
        (None, Some(_)) => return locals.push(Local::new("discriminator-added")),
        (Some(_), None) => return locals.push(Local::new("discriminator-removed")),
        (Some(was), Some(is)) => (was, is),
    };
    let (old, new) = (was.get("propertyName"), is.get("propertyName"));
    if old != new {
        locals.push(Local::values("discriminator-property-name-changed", old, new));
    }
    let (old, new) = (was.get("mapping"), is.get("mapping"));
    let missing = |from: Option<&Value>, other: Option<&Value>| -> Vec<String> {
        let absent = |name: &str| other.is_none_or(|other| other.get(name).is_none());
        entries(from).filter(|(name, _)| absent(name)).map(|(name, _)| name.to_owned()).collect()
    };
    let (added, deleted) = (missing(new, old), missing(old, new));
    if !added.is_empty() {
        locals.push(Local::named("discriminator-mapping-added", added.join(", ")));
    }
    if !deleted.is_empty() {
        locals.push(Local::named("discriminator-mapping-deleted", deleted.join(", ")));
    }
    for (name, target) in entries(old) {
        if let Some(now) = new.and_then(|new| new.get(name)).filter(|now| *now != target) {
            locals.push(Local {
                name: name.to_owned(),
                ..Local::values("discriminator-mapping-changed", Some(target), Some(now))
            });
        }
    }
}
