//! Two operations against each other, and which of them belong together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Here, Place, Run, Side, Words, api, lifecycle,
    lifecycle::Sunset,
    locals::{entries, names},
    pairs::{self, Root},
    parameters,
    types::Notation,
};
use crate::spec::{ApiModel, Operation, api::is_json};

/// Compares all operations and webhooks.
pub(super) fn compare_all(run: &mut Run<'_>) {
    let (was, is) = (run.before.operations(), run.after.operations());
    compare_lists(run, &was, &is, "");
    webhooks(run);
}

fn compare_lists<'a>(run: &mut Run<'a>, was: &[Operation<'a>], is: &[Operation<'a>], kind: &'static str) {
    let index: BTreeMap<(&str, String), &Operation<'a>> =
        is.iter().rev().map(|operation| ((operation.method, operation.shape()), operation)).collect();
    let paths: BTreeSet<String> = is.iter().map(Operation::shape).collect();
    let old_paths: BTreeMap<String, &str> = was.iter().rev().map(|old| (old.shape(), old.path)).collect();
    let mut known = BTreeSet::new();
    for old in was {
        let (key, here) = ((old.method, old.shape()), Here { method: old.method, path: old.path, kind });
        match index.get(&key) {
            Some(new) => {
                run.found.operation += 1;
                compare(run, here, old, new);
            }
            None => removed(run, here, old, !paths.contains(&key.1)),
        }
        known.insert(key);
    }
    for new in is.iter().filter(|new| !known.contains(&(new.method, new.shape()))) {
        // A path that was there is called as it was.
        let path = old_paths.get(&new.shape()).copied().unwrap_or(new.path);
        let here = Here { method: new.method, path, kind };
        run.found.note(here, Side::Neither, Place::Operation, "endpoint-added", Words::NONE);
    }
}

fn removed(run: &mut Run<'_>, here: Here<'_>, old: &Operation<'_>, with_path: bool) {
    // What is a draft was never promised.
    if lifecycle::stability(old.node).is_some_and(|level| level < 2) {
        return;
    }
    let end = Sunset::of(old.node);
    let change = match (lifecycle::is_deprecated(old.node), end, with_path) {
        (false, _, true) => "api-path-removed-without-deprecation",
        (false, _, false) => "api-removed-without-deprecation",
        (true, Sunset::Unreadable, _) => "api-path-sunset-parse",
        (true, Sunset::On(date), _) if run.today.is_none_or(|today| today < date) => match with_path {
            true => "api-path-removed-before-sunset",
            false => "api-removed-before-sunset",
        },
        // Its end was announced, and has passed.
        (true, Sunset::On(_), _) => return,
        (true, _, true) => "api-path-removed-with-deprecation",
        (true, _, false) => "api-removed-with-deprecation",
    };
    run.found.note(here, Side::Neither, Place::Operation, change, Words::NONE);
}

fn compare<'a>(run: &mut Run<'a>, here: Here<'_>, old: &Operation<'a>, new: &Operation<'a>) {
    let note = |run: &mut Run<'a>, change, words| {
        run.found.note(here, Side::Neither, Place::Operation, change, words)
    };
    let (Some(was), Some(is)) = (lifecycle::stability(old.node), lifecycle::stability(new.node)) else {
        return note(run, "api-invalid-stability-level", Words::NONE);
    };
    if was < 2 && is < 2 {
        return;
    }
    if is < was {
        note(run, "api-stability-decreased", Words::NONE);
    } else if is > was {
        note(run, "api-stability-increased", Words::NONE);
    }
    let change = match lifecycle::deprecation(old.node, new.node) {
        Some("reactivated") => Some("endpoint-reactivated"),
        Some("deprecated") => Some("endpoint-deprecated"),
        Some("deprecated-with-sunset") => Some("endpoint-deprecated-with-sunset"),
        Some("deprecated-sunset-parse") => Some("api-deprecated-sunset-parse"),
        Some("sunset-deleted") => Some("endpoint-sunset-deleted"),
        Some("sunset-date-changed-too-small") => Some("api-sunset-date-changed-too-small"),
        Some(_) | None => None,
    };
    if let Some(change) = change {
        note(run, change, Words::NONE);
    }
    match (old.id(), new.id()) {
        (None, Some(id)) => note(run, "api-operation-id-added", Words::name(id)),
        (Some(was), is) if Some(was) != is => {
            note(run, "api-operation-id-removed", Words::change(was, is.unwrap_or_default()));
        }
        _ => {}
    }
    let tags = |operation: &Operation<'a>| names(operation.node.get("tags"));
    for tag in tags(old).difference(&tags(new)) {
        note(run, "api-tag-removed", Words::name(tag));
    }
    for tag in tags(new).difference(&tags(old)) {
        note(run, "api-tag-added", Words::name(tag));
    }
    api::security(run, here, old.node.get("security"), new.node.get("security"));
    parameters::compare(run, here, old, new);
    request_body(run, here, old, new);
    responses(run, here, old, new);
    callbacks(run, here, old, new);
}

/// The content of a body or response: media types with what they hold.
fn contents<'a>(
    model: &'a ApiModel,
    operation: &Operation<'a>,
    node: &'a Value,
    key: &str,
) -> Vec<(&'a str, Option<&'a Value>)> {
    if !model.is_swagger2() {
        return entries(node.get("content")).map(|(name, media)| (name, media.get("schema"))).collect();
    }
    let listed = operation.node.get(key).or_else(|| model.root().get(key)).and_then(Value::as_array);
    let mut media: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
    if media.is_empty() {
        media.push("application/json");
    }
    let schema = node.get("schema");
    media.into_iter().filter(|_| schema.is_some()).map(|media| (media, schema)).collect()
}

fn notation(media: &str) -> Notation {
    if is_json(media) { Notation::Typed } else { Notation::Text }
}

fn request_body<'a>(run: &mut Run<'a>, here: Here<'_>, old: &Operation<'a>, new: &Operation<'a>) {
    let (was, is) = (body(old), body(new));
    let required = |node: &Value| node.get("required").and_then(Value::as_bool).unwrap_or(false);
    let mut note = |change, words| run.found.note(here, Side::Request, Place::Body, change, words);
    let (was, is) = match (was, is) {
        (None, None) => return,
        (None, Some(is)) if required(is) => return note("added-required", Words::NONE),
        (None, Some(_)) => return note("added-optional", Words::NONE),
        (Some(_), None) => return note("removed", Words::NONE),
        (Some(was), Some(is)) => (was, is),
    };
    match (required(was), required(is)) {
        (false, true) => note("body-became-required", Words::NONE),
        (true, false) => note("body-became-optional", Words::NONE),
        (true, true) | (false, false) => {}
    }
    let (was, is) = (contents(run.before, old, was, "consumes"), contents(run.after, new, is, "consumes"));
    media_types(run, here, Side::Request, "", &was, &is);
}

fn body<'a>(operation: &Operation<'a>) -> Option<&'a Value> {
    let model = operation.model;
    if model.is_swagger2() {
        let parameters = operation.node.get("parameters").and_then(Value::as_array)?;
        return parameters
            .iter()
            .map(|p| model.resolve(p))
            .find(|p| p.get("in").is_some_and(|i| i == "body"));
    }
    Some(model.resolve(operation.node.get("requestBody")?))
}

/// Media types of one body, each with its schema.
type Contents<'a> = [(&'a str, Option<&'a Value>)];

fn media_types<'a>(
    run: &mut Run<'a>,
    here: Here<'_>,
    side: Side,
    status: &str,
    was: &Contents<'a>,
    is: &Contents<'a>,
) {
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    let mut common = Vec::new();
    for (media, schema) in was {
        match is.iter().find(|(other, _)| essence(other) == essence(media)) {
            Some((_, now)) => common.push((*media, *schema, *now)),
            None => removed.push((*media, *schema)),
        }
    }
    for (media, schema) in is {
        if !was.iter().any(|(other, _)| essence(other) == essence(media)) {
            added.push((*media, *schema));
        }
    }
    let words = |from, to| Words { name: from, from, to, at: status };
    // One that gave way to a narrower or wider name of the same notation.
    if let ([(old, schema)], [(new, now)]) = (removed.as_slice(), added.as_slice())
        && side == Side::Response
        && let Some(change) = renamed(old, new)
    {
        run.found.note(here, side, Place::Body, change, words(old, new));
        common.push((*old, *schema, *now));
        (removed, added) = (Vec::new(), Vec::new());
    }
    for (media, _) in removed {
        run.found.note(here, side, Place::Body, "media-type-removed", words(media, ""));
    }
    for (media, _) in added {
        run.found.note(here, side, Place::Body, "media-type-added", words(media, ""));
    }
    for (media, was, is) in common {
        let at = format!("{status} {media}");
        match (was, is) {
            (Some(was), Some(is)) => {
                let root = Root {
                    side,
                    place: Place::Body,
                    within: Place::Property,
                    notation: notation(media),
                    always_given: false,
                    at: at.trim(),
                };
                pairs::schemas(run, here, root, was, is);
            }
            (None, Some(_)) => {
                run.found.note(here, side, Place::Body, "media-type-schema-added", words(media, ""))
            }
            (Some(_), None) => {
                run.found.note(here, side, Place::Body, "media-type-schema-removed", words(media, ""))
            }
            (None, None) => {}
        }
    }
}

/// A media type without its parameters.
fn essence(media: &str) -> String {
    media.split(';').map(str::trim).collect::<Vec<_>>().join(";").to_ascii_lowercase()
}

/// `application/problem+json` is `application/json` of a narrower kind.
fn renamed(old: &str, new: &str) -> Option<&'static str> {
    let base = |media: &str| media.split(';').next().unwrap_or(media).trim().to_owned();
    let is_kind_of = |narrow: &str, wide: &str| {
        let (narrow, wide) = (base(narrow), base(wide));
        let Some((top, suffix)) =
            narrow.rsplit_once('+').map(|(head, suffix)| (head.split('/').next().unwrap_or(head), suffix))
        else {
            return false;
        };
        wide == format!("{top}/{suffix}")
    };
    if base(old).eq_ignore_ascii_case(&base(new)) {
        return Some("media-type-name-changed");
    }
    match (is_kind_of(new, old), is_kind_of(old, new)) {
        (true, _) => Some("media-type-name-specialized"),
        (_, true) => Some("media-type-name-generalized"),
        _ => None,
    }
}

fn responses<'a>(run: &mut Run<'a>, here: Here<'_>, old: &Operation<'a>, new: &Operation<'a>) {
    let (was, is) = (old.node.get("responses"), new.node.get("responses"));
    let is_success = |status: &str| status.starts_with('2');
    // What stands for all others says nothing of any.
    let is_told = |status: &str| status.starts_with(|c: char| c.is_ascii_digit());
    for (status, node) in entries(was) {
        let Some(now) = is.and_then(|is| is.get(status)) else {
            if !is_told(status) {
                continue;
            }
            let change =
                if is_success(status) { "success-status-removed" } else { "non-success-status-removed" };
            run.found.note(here, Side::Response, Place::Operation, change, Words::name(status));
            continue;
        };
        let (node, now) = (run.before.resolve(node), run.after.resolve(now));
        headers(run, here, status, node, now);
        let (was, is) =
            (contents(run.before, old, node, "produces"), contents(run.after, new, now, "produces"));
        media_types(run, here, Side::Response, status, &was, &is);
    }
    let is_new = |status: &str| is_told(status) && was.is_none_or(|was| was.get(status).is_none());
    for (status, _) in entries(is).filter(|(status, _)| is_new(status)) {
        let change = if is_success(status) { "success-status-added" } else { "non-success-status-added" };
        run.found.note(here, Side::Response, Place::Operation, change, Words::name(status));
    }
}

fn headers<'a>(run: &mut Run<'a>, here: Here<'_>, status: &str, was: &'a Value, is: &'a Value) {
    let find = |node: &'a Value, name: &str| {
        entries(node.get("headers"))
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, header)| header)
    };
    let required = |node: &Value| node.get("required").and_then(Value::as_bool).unwrap_or(false);
    for (name, old) in entries(was.get("headers")) {
        let old = run.before.resolve(old);
        let words = Words { at: status, ..Words::name(name) };
        let Some(new) = find(is, name) else {
            let change = if required(old) { "required-header-removed" } else { "optional-header-removed" };
            run.found.note(here, Side::Response, Place::Header, change, words);
            continue;
        };
        let new = run.after.resolve(new);
        match (required(old), required(new)) {
            (true, false) => run.found.note(here, Side::Response, Place::Header, "became-optional", words),
            (false, true) => run.found.note(here, Side::Response, Place::Header, "became-required", words),
            (true, true) | (false, false) => {}
        }
        if let (Some(was), Some(is)) =
            (parameters::schema_of(run.before, old), parameters::schema_of(run.after, new))
        {
            let at = format!("{status} header {name}");
            let within = Place::ResponseHeaderProperty;
            let root = Root {
                side: Side::Response,
                place: Place::Header,
                within,
                notation: Notation::Text,
                always_given: false,
                at: &at,
            };
            pairs::schemas(run, here, root, was, is);
        }
    }
    for (name, _) in entries(is.get("headers")).filter(|(name, _)| find(was, name).is_none()) {
        run.found.note(
            here,
            Side::Response,
            Place::Header,
            "header-added",
            Words { at: status, ..Words::name(name) },
        );
    }
}

fn webhooks(run: &mut Run<'_>) {
    let (was, is) = (run.before.root().get("webhooks"), run.after.root().get("webhooks"));
    for (name, item) in entries(was) {
        match is.and_then(|is| is.get(name)) {
            None => {
                run.found.note(Here::API, Side::Neither, Place::Api, "webhook-removed", Words::name(name))
            }
            Some(now) => {
                let (was, is) = (run.before.operations_of(name, item), run.after.operations_of(name, now));
                compare_lists(run, &was, &is, "webhook:");
            }
        }
    }
    for (name, _) in entries(is).filter(|(name, _)| was.is_none_or(|was| was.get(name).is_none())) {
        run.found.note(Here::API, Side::Neither, Place::Api, "webhook-added", Words::name(name));
    }
}

/// Requests that the API itself sends: told as they come and go, and what they carry is a response to whoever gets it.
fn callbacks<'a>(run: &mut Run<'a>, here: Here<'_>, old: &Operation<'a>, new: &Operation<'a>) {
    let (was, is) = (old.node.get("callbacks"), new.node.get("callbacks"));
    let absent = |other: Option<&Value>, name: &str| other.is_none_or(|other| other.get(name).is_none());
    let mut note =
        |change, name: &str| run.found.note(here, Side::Neither, Place::Operation, change, Words::name(name));
    for (name, _) in entries(was).filter(|(name, _)| absent(is, name)) {
        note("callback-removed", name);
    }
    for (name, _) in entries(is).filter(|(name, _)| absent(was, name)) {
        note("callback-added", name);
    }
    for (name, was) in entries(was) {
        let Some(is) = is.and_then(|is| is.get(name)) else { continue };
        let (was, is) = (run.before.resolve(was), run.after.resolve(is));
        for (address, item) in entries(Some(was)) {
            let Some(now) = is.get(address) else {
                run.found.note(here, Side::Neither, Place::Operation, "callback-removed", Words::name(name));
                continue;
            };
            callback(run, here, name, (address, item, now));
        }
        for (_, _) in entries(Some(is)).filter(|(address, _)| was.get(address).is_none()) {
            run.found.note(here, Side::Neither, Place::Operation, "callback-added", Words::name(name));
        }
    }
}

/// One callback at one address: what it was and what it is. Callbacks of callbacks are left out, since they may lead in
/// a circle.
fn callback<'a>(
    run: &mut Run<'a>,
    here: Here<'_>,
    name: &str,
    (address, item, now): (&'a str, &'a Value, &'a Value),
) {
    let (was, is) = (run.before.operations_of(address, item), run.after.operations_of(address, now));
    let find =
        |list: &[Operation<'a>], method: &str| list.iter().copied().find(|other| other.method == method);
    let mut note = |change| run.found.note(here, Side::Neither, Place::Operation, change, Words::name(name));
    was.iter().filter(|old| find(&is, old.method).is_none()).for_each(|_| note("callback-removed"));
    is.iter().filter(|new| find(&was, new.method).is_none()).for_each(|_| note("callback-added"));
    for old in &was {
        let Some(new) = find(&is, old.method) else { continue };
        if let (Some(was), Some(is)) = (body(old), body(&new)) {
            let (was, is) =
                (contents(run.before, old, was, "consumes"), contents(run.after, &new, is, "consumes"));
            media_types(run, here, Side::Response, &format!("callback {name}"), &was, &is);
        }
    }
}
