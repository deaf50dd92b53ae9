//! What concerns a description as a whole: ways to sign in, and what it lists by name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Here, Place, Run, Side, Words,
    locals::{entries, names, word},
};
use crate::spec::ApiModel;

/// Compares what concerns all operations.
pub(super) fn compare(run: &mut Run<'_>) {
    let (was, is) = (run.before.root().get("security"), run.after.root().get("security"));
    security(run, Here::API, was, is);
    schemes(run);
    schemas(run);
}

/// What must be shown to be let in: the schemes asked for together, each with its scopes.
type Requirement<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn requirements(node: Option<&Value>) -> Vec<Requirement<'_>> {
    node.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|requirement| {
            entries(Some(requirement)).map(|(name, scopes)| (name, names(Some(scopes)))).collect()
        })
        .collect()
}

/// Compares what is asked for: of one operation, or of all.
pub(super) fn security(run: &mut Run<'_>, here: Here<'_>, was: Option<&Value>, is: Option<&Value>) {
    let (was, is) = (requirements(was), requirements(is));
    let place = if here.path.is_empty() { Place::Api } else { Place::Operation };
    let schemes =
        |requirement: &Requirement<'_>| requirement.keys().map(|k| (*k).to_owned()).collect::<Vec<_>>();
    let mut note = |change, name: &str| run.found.note(here, Side::Neither, place, change, Words::name(name));
    let mut taken = BTreeSet::new();
    for old in &was {
        let same =
            |(at, new): &(usize, &Requirement<'_>)| !taken.contains(at) && schemes(new) == schemes(old);
        let Some((at, new)) = is.iter().enumerate().find(same) else {
            note("security-removed", &schemes(old).join(" and "));
            continue;
        };
        taken.insert(at);
        for (name, scopes) in old {
            let now = new.get(name).cloned().unwrap_or_default();
            scopes.difference(&now).for_each(|scope| note("security-scope-removed", scope));
            now.difference(scopes).for_each(|scope| note("security-scope-added", scope));
        }
    }
    for (_, new) in is.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
        note("security-added", &schemes(new).join(" and "));
    }
}

fn scheme_list(model: &ApiModel) -> Option<&Value> {
    if model.is_swagger2() {
        return model.root().get("securityDefinitions");
    }
    model.root().get("components")?.get("securitySchemes")
}

fn schemes(run: &mut Run<'_>) {
    let (before, after) = (run.before, run.after);
    let (was, is) = (scheme_list(before), scheme_list(after));
    let mut note =
        |change, words: Words<'_>| run.found.note(Here::API, Side::Neither, Place::Api, change, words);
    for (name, old) in entries(was) {
        let Some(new) = is.and_then(|is| is.get(name)) else {
            note("security-component-removed", Words::name(name));
            continue;
        };
        let (old, new) = (before.resolve(old), after.resolve(new));
        for (keyword, change) in [
            ("type", "security-component-type-changed"),
            ("in", "security-component-place-changed"),
            ("name", "security-component-name-changed"),
            ("scheme", "security-component-scheme-changed"),
            ("openIdConnectUrl", "security-component-url-changed"),
        ] {
            let (from, to) = (word(old.get(keyword)), word(new.get(keyword)));
            if from != to && (keyword == "type" || old.get("type") == new.get("type")) {
                note(change, Words { name, ..Words::change(&from, &to) });
            }
        }
        for (flow, old) in entries(old.get("flows")) {
            let Some(new) = new.get("flows").and_then(|flows| flows.get(flow)) else { continue };
            for (keyword, change) in [
                ("authorizationUrl", "security-component-oauth-url-changed"),
                ("tokenUrl", "security-component-oauth-token-url-changed"),
                ("refreshUrl", "security-component-oauth-refresh-url-changed"),
            ] {
                let (from, to) = (word(old.get(keyword)), word(new.get(keyword)));
                if from != to {
                    note(change, Words { name, ..Words::change(&from, &to) });
                }
            }
            let (old, new) = (old.get("scopes"), new.get("scopes"));
            let missing = |other: Option<&Value>, scope: &str| other.is_none_or(|o| o.get(scope).is_none());
            for (scope, text) in entries(old) {
                if missing(new, scope) {
                    note(
                        "security-component-oauth-scope-removed",
                        Words { name, ..Words::change(scope, "") },
                    );
                } else if new.and_then(|new| new.get(scope)) != Some(text) {
                    note(
                        "security-component-oauth-scope-changed",
                        Words { name, ..Words::change(scope, scope) },
                    );
                }
            }
            for (scope, _) in entries(new).filter(|(scope, _)| missing(old, scope)) {
                note("security-component-oauth-scope-added", Words { name, ..Words::change("", scope) });
            }
        }
    }
    for (name, _) in entries(is).filter(|(name, _)| was.is_none_or(|was| was.get(name).is_none())) {
        note("security-component-added", Words::name(name));
    }
}

/// Schemas that are no longer listed: clients are generated from the list.
fn schemas(run: &mut Run<'_>) {
    let (was, is) = (listed(run.before), listed(run.after));
    for (name, _) in entries(was).filter(|(name, _)| is.is_none_or(|is| is.get(name).is_none())) {
        run.found.note(Here::API, Side::Neither, Place::Api, "api-schema-removed", Words::name(name));
    }
}

fn listed(model: &ApiModel) -> Option<&Value> {
    if model.is_swagger2() {
        return model.root().get("definitions");
    }
    model.root().get("components")?.get("schemas")
}
