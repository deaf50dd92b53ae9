//! Parameters of an operation, paired and compared.

use serde_json::Value;

use super::{
    Operation,
    api::{GRAPHQL, Parameter},
    graph::Graph,
    operations::{DocChange, change},
    pair::Direction,
    schema::View,
};

/// Names of parameters and headers by which pages are asked for.
pub(super) fn is_paging(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    const NAMES: [&str; 24] = [
        "page",
        "pagenumber",
        "pageno",
        "pagesize",
        "perpage",
        "limit",
        "offset",
        "cursor",
        "after",
        "before",
        "startingafter",
        "endingbefore",
        "startafter",
        "nextpage",
        "pagetoken",
        "nexttoken",
        "continuationtoken",
        "skip",
        "top",
        "count",
        "link",
        "xnextpage",
        "xtotalcount",
        "xtotalpages",
    ];
    NAMES.contains(&name.as_str())
}

/// What a paging parameter asks for: how many, from which page, from which entry, from which mark on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Size,
    Page,
    Offset,
    Mark,
}

fn role(name: &str) -> Option<Role> {
    Some(match folded(name).as_str() {
        "limit" | "pagesize" | "perpage" | "count" | "top" | "first" | "size" | "maxresults"
        | "resultsperpage" => Role::Size,
        "page" | "pagenumber" | "pageno" | "pageindex" => Role::Page,
        "offset" | "skip" | "start" | "startat" | "startindex" => Role::Offset,
        "cursor" | "after" | "startingafter" | "startafter" | "pagetoken" | "nexttoken" | "nextpage"
        | "nextpagetoken" | "continuationtoken" | "nextcursor" | "marker" => Role::Mark,
        _ => return None,
    })
}

/// Whether two names are of parameters that ask for the same of a list of pages.
pub(super) fn same_role(a: &str, b: &str) -> bool {
    role(a).is_some() && role(a) == role(b)
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What differs between the parameters of two states of an operation.
pub(super) fn compare<'a>(
    graph: &mut Graph<'a>,
    before: &Operation<'a>,
    after: &Operation<'a>,
    changes: &mut Vec<DocChange>,
) {
    let (was, is) = (before.parameters(), after.parameters());
    let same = |a: &Parameter<'_>, b: &Parameter<'_>| a.key == b.key && a.place == b.place;
    let mut removed: Vec<&Parameter<'a>> =
        was.iter().filter(|p| !is.iter().any(|other| same(p, other))).collect();
    let mut added: Vec<&Parameter<'a>> =
        is.iter().filter(|p| !was.iter().any(|other| same(p, other))).collect();
    let about = |what: &'static str, parameter: &Parameter<'_>| DocChange {
        parameter: Some(parameter.name.to_owned()),
        part: Some("request"),
        ..change(what)
    };
    for old in removed.clone() {
        let signature = |graph: &Graph<'a>, p: &Parameter<'a>, new: bool| {
            let model = if new { graph.after } else { graph.before };
            View::of(model, p.schema).signature(model)
        };
        let fold = folded;
        let types = |graph: &Graph<'a>, p: &Parameter<'a>, new: bool| {
            let model = if new { graph.after } else { graph.before };
            View::of(model, p.schema).types
        };
        // What asks for the same by another name, and is asked for in the same form.
        let same_role = |new: &Parameter<'a>| {
            new.place == old.place
                && self::same_role(old.name, new.name)
                && types(graph, old, false) == types(graph, new, true)
        };
        let candidates: Vec<&&Parameter<'a>> = added
            .iter()
            .filter(|new| new.place == old.place || fold(new.name) == fold(old.name))
            .filter(|new| {
                let alike = fold(new.name) == fold(old.name)
                    || strsim::jaro_winkler(&fold(new.name), &fold(old.name)) >= 0.85;
                same_role(new) || (alike && signature(graph, old, false) == signature(graph, new, true))
            })
            .collect();
        if let [new] = candidates.as_slice() {
            let new: &Parameter<'a> = new;
            let place = |p: &Parameter<'_>| format!("{} ({})", p.name, p.place);
            changes.push(DocChange { from: place(old), to: place(new), ..about("parameter-renamed", old) });
            removed.retain(|p| !same(p, old));
            let (key, at) = (new.key.clone(), new.place);
            added.retain(|p| !(p.key == key && p.place == at));
        }
    }
    // Where the path is another one, its parameters are told by that.
    if before.shape() != after.shape() {
        removed.retain(|parameter| parameter.place != "path");
        added.retain(|parameter| parameter.place != "path");
    }
    for old in removed {
        let what = match is_paging(old.name) {
            true => "paging-removed",
            // GraphQL refuses a query with an argument that it does not know.
            false if graph.before.family() == GRAPHQL => "argument-removed",
            false => "parameter-removed",
        };
        changes.push(about(what, old));
    }
    for new in added {
        changes.push(about(if new.required { "parameter-required" } else { "parameter-added" }, new));
    }
    for old in &was {
        let Some(new) = is.iter().find(|other| same(old, other)) else { continue };
        if new.required && !old.required {
            changes.push(about("parameter-required", old));
        }
        if new.deprecated && !old.deprecated {
            changes.push(about("parameter-deprecated", old));
        }
        if let (Some(was), Some(is)) = (old.notation, new.notation)
            && was != is
        {
            let (from, to) = (was.to_owned(), is.to_owned());
            changes.push(DocChange { from, to, ..about("parameter-notation-changed", old) });
        }
        bounds(graph, old, new, &about, changes);
        let Some(root) = graph.pair(old.schema, new.schema, Direction::Request) else { continue };
        let reach = graph.reach(root);
        for (visit, index) in reach.pairs() {
            for local in &graph.pairs[index].locals {
                let what = match local.what {
                    "type-changed" | "format-changed" => "parameter-type-changed",
                    "request-narrowed" | "body-field-removed" => "parameter-narrowed",
                    "body-field-required" => "parameter-field-required",
                    "field-deprecated" => "parameter-deprecated",
                    "deprecated-in-prose" => "deprecated-in-prose",
                    _ => continue,
                };
                let path = graph.path(&reach, visit);
                let at = local.name.as_ref().map_or_else(|| path.clone(), |name| path.child(name));
                let field = Some(at).filter(|path| !path.is_root());
                changes.push(DocChange {
                    field,
                    from: local.from.clone(),
                    to: local.to.clone(),
                    ..about(what, old)
                });
            }
        }
    }
}

/// Limits and defaults of a parameter's values, which decide how large pages are.
fn bounds<'a>(
    graph: &Graph<'a>,
    old: &Parameter<'a>,
    new: &Parameter<'a>,
    about: &impl Fn(&'static str, &Parameter<'_>) -> DocChange,
    changes: &mut Vec<DocChange>,
) {
    let (was, is) = (graph.before.resolve(old.schema), graph.after.resolve(new.schema));
    let number = |node: &Value, key: &str| node.get(key).and_then(Value::as_f64);
    for (key, narrower) in [("maximum", -1.0), ("maxLength", -1.0), ("minimum", 1.0), ("minLength", 1.0)] {
        let narrowed = match (number(was, key), number(is, key)) {
            (Some(was), Some(is)) => (is - was) * narrower > 0.0,
            (None, Some(is)) => key == "maximum" || key == "maxLength" || is > 1.0,
            (Some(_) | None, None) => false,
        };
        if narrowed {
            let word = |node: &Value| node.get(key).map_or_else(|| "none".to_owned(), ToString::to_string);
            changes.push(DocChange {
                from: format!("{key} {}", word(was)),
                to: format!("{key} {}", word(is)),
                ..about(if is_paging(old.name) { "page-size-limited" } else { "parameter-limited" }, old)
            });
        }
    }
    // A default of another type is another parameter, which is told by its type.
    let same_type = was.get("type") == is.get("type");
    if same_type && was.get("default") != is.get("default") && was.get("default").is_some() {
        let word = |node: &Value| node.get("default").map_or_else(|| "none".to_owned(), ToString::to_string);
        changes.push(DocChange { from: word(was), to: word(is), ..about("parameter-default-changed", old) });
    }
}
