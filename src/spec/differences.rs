//! Texts that differ: the words of before and after, short enough to stand in a message.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::announcements::{DATA, PROSE, announces_more, own_name, parts, sentences};
use super::{ApiModel, WatchedEndpoint, volatile};
use crate::model::{Change, ChangeKind, Facts, FieldPath};

/// Pairs that are shown; the rest is counted.
const MOST_SHOWN: usize = 4;
/// Letters of one side that are shown.
const MOST_LETTERS: usize = 140;
/// Pairs of nodes whose texts are compared.
const MAX_NODES: usize = 5_000_000;
/// More text than this is compared line by line alone.
const MAX_TEXT: usize = 256 << 10;

/// What differs between two texts, sentence by sentence: `“Total in EUR.” → “Total in cents.”; “New.” is new`.
pub(super) fn in_short(before: &[String], after: &[String]) -> String {
    let (was, is) = (pieces(before), pieces(after));
    // A full stop that came or went is no other sentence.
    let has = |all: &[&str], piece: &str| all.iter().any(|other| bare(other) == bare(piece));
    let lost: Vec<&str> = was.iter().copied().filter(|piece| !has(&is, piece)).collect();
    let won: Vec<&str> = is.iter().copied().filter(|piece| !has(&was, piece)).collect();
    let mut shown: Vec<String> = Vec::new();
    if lost.len() == won.len() {
        shown.extend(lost.iter().zip(&won).take(MOST_SHOWN).map(|(old, new)| {
            let (old, new) = around_the_difference(old, new);
            format!("{old} → {new}")
        }));
    } else {
        shown.extend(lost.iter().map(|old| format!("{} is gone", quoted(old, 0))).take(MOST_SHOWN));
        shown.extend(won.iter().map(|new| format!("{} is new", quoted(new, 0))).take(MOST_SHOWN));
    }
    if shown.is_empty() {
        // Only signs differ, or words too short to be sentences.
        let (old, new) = around_the_difference(&before.join(" "), &after.join(" "));
        return format!("{old} → {new}");
    }
    let all = if lost.len() == won.len() { lost.len() } else { lost.len() + won.len() };
    if all > shown.len() {
        shown.push(format!("and {} more", all - shown.len()));
    }
    shown.join("; ")
}

/// The first lines of a text that is new.
pub(super) fn beginning(lines: &[String]) -> String {
    let mut shown: Vec<String> = lines.iter().take(MOST_SHOWN - 1).map(|line| quoted(line, 0)).collect();
    if lines.len() > shown.len() {
        shown.push(format!("and {} more", counted(lines.len() - shown.len(), "line")));
    }
    shown.join("; ")
}

fn bare(sentence: &str) -> &str {
    sentence.trim_end_matches(['.', '!', ';', ':', ' '])
}

/// Rows of tables as they are, other lines by sentence.
fn pieces(lines: &[String]) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    let is_long = lines.iter().map(String::len).sum::<usize>() > MAX_TEXT;
    for line in lines {
        // Beyond some hundred nobody reads them, and each is held against all others.
        if all.len() > 500 {
            break;
        }
        if is_long || line.contains(" | ") {
            all.push(line.trim());
        } else {
            all.extend(sentences(line));
        }
    }
    all
}

/// Two sides, quoted from shortly before the place where they begin to differ.
fn around_the_difference(old: &str, new: &str) -> (String, String) {
    let same: usize = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    // Whoever reads needs some words before it.
    let from = if old.chars().count().max(new.chars().count()) <= MOST_LETTERS {
        0
    } else {
        same.saturating_sub(40)
    };
    (quoted(old, from), quoted(new, from))
}

fn quoted(text: &str, from: usize) -> String {
    let all = text.chars().count();
    let begin = if from > 0 { "…" } else { "" };
    let part: String = text.chars().skip(from).take(MOST_LETTERS).collect();
    let end = if from + MOST_LETTERS < all { "…" } else { "" };
    format!("“{begin}{part}{end}”")
}

/// Adds one change for all texts of a description that differ, with the first of them; those that announce something new
/// are told elsewhere. Of what is watched, one summary counts the others already.
pub(super) fn tell(
    before: &ApiModel,
    after: &ApiModel,
    watched: &[WatchedEndpoint],
    changes: &mut Vec<Change>,
) {
    let what = |change: &Change| change.facts.text("what").unwrap_or_default().to_owned();
    changes.retain(|change| what(change) != "descriptions-changed");
    let summary = changes.iter().find(|change| what(change) == "other-operations-changed");
    let counts_texts = summary.and_then(|s| s.facts.text("details")).is_some_and(|d| d.contains("text"));
    if !watched.is_empty() && counts_texts {
        return;
    }
    let all = differing(before, after);
    if all.is_empty() {
        return;
    }
    let count = all.len();
    let mut details: Vec<String> = all
        .iter()
        .take(MOST_SHOWN - 1)
        .map(|text| {
            let lines = |text: &str| text.lines().filter_map(volatile::settled).collect::<Vec<_>>();
            format!("{}: {}", text.place, in_short(&lines(text.before), &lines(text.after)))
        })
        .collect();
    if count > details.len() {
        details.push(format!("and {} more", count - details.len()));
    }
    let mut facts = Facts::new().with("what", "descriptions-changed");
    facts.set("operations", count);
    facts.set("count", counted(count, "place"));
    facts.set("details", details.join("; "));
    changes.push(Change { kind: ChangeKind::DocsChanged, path: FieldPath::root(), to: Vec::new(), facts });
}

/// `1 place`, `3 places`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A text that differs.
struct Differing<'a> {
    place: String,
    before: &'a str,
    after: &'a str,
}

/// Two nodes that stand at the same place.
struct Pair<'a> {
    place: Rc<str>,
    before: &'a Value,
    after: &'a Value,
    /// Whether it is the item of a path, whose operations stand for themselves.
    is_item: bool,
}

impl<'a> Pair<'a> {
    const fn of(place: Rc<str>, before: &'a Value, after: &'a Value) -> Self {
        Self { place, before, after, is_item: false }
    }
}

/// The texts that differ between two states, in the order of the description; what is new or gone as a whole is no text
/// that differs.
fn differing<'a>(before: &'a ApiModel, after: &'a ApiModel) -> Vec<Differing<'a>> {
    let mut found = Vec::new();
    let mut work = pairs(before, after);
    work.reverse();
    let mut seen = 0;
    while let Some(Pair { place, before, after, is_item }) = work.pop() {
        seen += 1;
        if seen > MAX_NODES {
            break;
        }
        match (before, after) {
            (Value::Object(was), Value::Object(is)) => {
                // What stands in place of a text and is none was not read, and is not gone.
                let text = |object: &'a serde_json::Map<String, Value>, key: &str| match object.get(key) {
                    None => Some(""),
                    Some(text) => text.as_str(),
                };
                let place = match own_name(is).and_then(|about| about.name().map(str::to_owned)) {
                    Some(name) => format!("{place} › `{name}`").into(),
                    None => place,
                };
                for key in PROSE {
                    let (Some(before), Some(after)) = (text(was, key), text(is, key)) else { continue };
                    if volatile::differs(before, after) && !announces_more(before, after) {
                        found.push(Differing { place: place.to_string(), before, after });
                    }
                }
                for (key, was) in was.iter().rev() {
                    let Some(is) = is.get(key).filter(|is| !DATA.contains(&key.as_str()) && *is != was)
                    else {
                        continue;
                    };
                    if is_item && key != "parameters" {
                        continue;
                    }
                    if key == "properties" {
                        let both = was.as_object().into_iter().flatten().rev();
                        work.extend(both.filter_map(|(name, was)| {
                            let is = is.get(name)?;
                            Some(Pair::of(format!("{place} › `{name}`").into(), was, is))
                        }));
                    } else if is.is_object() || is.is_array() {
                        work.push(Pair::of(Rc::clone(&place), was, is));
                    }
                }
            }
            (Value::Array(was), Value::Array(is)) => {
                let named =
                    |node: &Value| Some((node.get("name")?.as_str()?.to_owned(), node.get("in").cloned()));
                for (index, was) in was.iter().enumerate().rev() {
                    let is = match named(was) {
                        Some(name) => is.iter().find(|other| named(other).as_ref() == Some(&name)),
                        None => is.get(index),
                    };
                    work.extend(is.map(|is| Pair::of(Rc::clone(&place), was, is)));
                }
            }
            _ => {}
        }
    }
    found
}

/// What both states have: the whole, tags, operations, and shared parts.
fn pairs<'a>(before: &'a ApiModel, after: &'a ApiModel) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    let mut add = |place: &str, before: &'a Value, after: &'a Value| {
        pairs.push(Pair::of(place.into(), before, after));
    };
    let (was, is) = (before.root(), after.root());
    if let (Some(was), Some(is)) = (was.get("info"), is.get("info")) {
        add("the API as a whole", was, is);
    }
    let tags = |root: &'a Value| root.get("tags").and_then(Value::as_array).into_iter().flatten();
    for tag in tags(was) {
        let name = tag.get("name").and_then(Value::as_str).unwrap_or_default();
        if let Some(same) = tags(is).find(|other| other.get("name").and_then(Value::as_str) == Some(name)) {
            add(&format!("tag {name}"), tag, same);
        }
    }
    let later: BTreeMap<String, _> = after.operations().into_iter().map(|o| (o.name(), o)).collect();
    for operation in before.operations() {
        let name = operation.name();
        let Some(same) = later.get(&name) else { continue };
        pairs.push(Pair::of(name.as_str().into(), operation.node, same.node));
    }
    // What stands above all methods of a path is looked at once.
    let paths = |root: &'a Value| root.get("paths").and_then(Value::as_object);
    for (path, item) in paths(was).into_iter().flatten() {
        let Some(same) = paths(is).and_then(|paths| paths.get(path)) else { continue };
        pairs.push(Pair { is_item: true, ..Pair::of(path.as_str().into(), item, same) });
    }
    let later: BTreeMap<(&str, &str), &Value> =
        parts(after).into_iter().map(|(kind, name, node)| ((kind, name), node)).collect();
    for (kind, name, node) in parts(before) {
        if let Some(same) = later.get(&(kind, name)) {
            pairs.push(Pair::of(format!("{kind} {name}").into(), node, same));
        }
    }
    pairs
}
