//! Operations that moved in one way, told as one change: a new version in the path, a renamed resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Operation;
use super::about::About;
use crate::model::{Change, Facts};

/// How many operations that are gone are asked where they went: a way that all took shows at the first ones.
const MAX_ASKED: usize = 8;
/// How many ways are held against all operations.
const MAX_CANDIDATES: usize = 16;
/// How many tools that are gone and new are held against each other.
const MAX_TOOLS: usize = 200;

/// A beginning of paths that gave way to another one, or to none: `/v1` to `/v2`, nothing to `/api/v2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix {
    from: String,
    to: String,
}

impl Prefix {
    /// The beginning that changed for most of the operations that are `gone`, as those that are `fresh` show.
    ///
    /// One operation is enough where what came or went is a version; otherwise at least three, and four in five of all,
    /// must have gone the same way, from or to no beginning at all.
    pub(super) fn between<'a>(gone: &[Operation<'a>], fresh: &[Operation<'a>]) -> Option<Self> {
        let shapes: BTreeSet<(&str, String)> =
            fresh.iter().map(|operation| (operation.method, operation.shape())).collect();
        let mut votes: BTreeMap<(String, String), usize> = BTreeMap::new();
        for operation in gone.iter().take(MAX_ASKED) {
            let shape = operation.shape();
            let ways: BTreeSet<(String, String)> = shapes
                .iter()
                .filter(|(method, other)| *method == operation.method && last(other) == last(&shape))
                .map(|(_, other)| without_common_end(&shape, other))
                .collect();
            for way in ways {
                *votes.entry(way).or_default() += 1;
            }
        }
        let mut best: Option<(usize, Self)> = None;
        let mut candidates: Vec<(usize, Self)> =
            votes.into_iter().map(|((from, to), votes)| (votes, Self { from, to })).collect();
        candidates.retain(|(_, prefix)| prefix.is_version() || prefix.is_bare());
        candidates.sort_by(|a, b| (b.0, &a.1.from, &a.1.to).cmp(&(a.0, &b.1.from, &b.1.to)));
        for (_, prefix) in candidates.into_iter().take(MAX_CANDIDATES) {
            let moved = gone.iter().filter(|operation| {
                prefix
                    .moved(&operation.shape())
                    .is_some_and(|path| shapes.contains(&(operation.method, path)))
            });
            let moved = moved.count();
            let enough = (prefix.is_version() && moved * 2 >= gone.len())
                || (prefix.is_bare() && moved >= 3 && moved * 5 >= gone.len() * 4);
            if enough && best.as_ref().is_none_or(|(most, _)| moved > *most) {
                best = Some((moved, prefix));
            }
        }
        best.map(|(_, prefix)| prefix)
    }

    fn is_version(&self) -> bool {
        is_structural(&self.from) && is_structural(&self.to)
    }

    /// Whether there was no beginning, or is none.
    fn is_bare(&self) -> bool {
        self.from.is_empty() || self.to.is_empty()
    }

    /// Where a path went; `None` where it does not begin so.
    pub(super) fn moved(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(self.from.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{}{rest}", self.to))
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether all segments are such as paths have for their own order, not for what they lead to: versions, `api`.
fn is_structural(prefix: &str) -> bool {
    prefix.split('/').filter(|segment| !segment.is_empty()).all(|segment| {
        let word = segment.to_ascii_lowercase();
        let number = word.strip_prefix('v').unwrap_or(&word);
        number.starts_with(|c: char| c.is_ascii_digit())
            || matches!(word.as_str(), "api" | "rest" | "public" | "latest" | "stable" | "beta")
    })
}

/// Two paths without the segments at the end that both have.
fn without_common_end(from: &str, to: &str) -> (String, String) {
    let (mut from, mut to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    while let (Some(a), Some(b)) = (from.last(), to.last()) {
        let same = a == b || (a.starts_with('{') && b.starts_with('{'));
        if !same || from.len() == 1 || to.len() == 1 {
            break;
        }
        from.pop();
        to.pop();
    }
    (from.join("/"), to.join("/"))
}

/// The tool that one which is gone became: the only one that takes just the same.
pub(super) fn tool<'s, 'a>(gone: &Operation<'a>, fresh: &'s [Operation<'a>]) -> Option<&'s Operation<'a>> {
    let takes = |operation: &Operation<'a>| {
        operation.request_body().map(|(schema, _)| operation.model.resolve(schema))
    };
    let was = takes(gone).filter(|schema| schema.get("properties").is_some_and(has_members))?;
    if gone.method != "TOOL" || fresh.len() > MAX_TOOLS {
        return None;
    }
    let mut same = fresh.iter().filter(|other| {
        other.method == gone.method && takes(other) == Some(was) && says_the_same(gone, other)
    });
    same.next().filter(|_| same.next().is_none())
}

/// Whether two tools are described in the same words, or, without a description, share a word of their names.
fn says_the_same(a: &Operation<'_>, b: &Operation<'_>) -> bool {
    let (said, says) = (a.prose(), b.prose());
    if !said.trim().is_empty() || !says.trim().is_empty() {
        return said == says;
    }
    let words = |operation: &Operation<'_>| -> BTreeSet<String> {
        let words = operation.path.split(|c: char| !c.is_alphanumeric());
        words.filter(|word| word.len() > 2).map(str::to_lowercase).collect()
    };
    !words(a).is_disjoint(&words(b))
}

fn has_members(node: &Value) -> bool {
    node.as_object().is_some_and(|object| !object.is_empty())
}

/// Joins the operations that moved from below one path to below another, where there are several.
///
/// The joined change stands where the first of them stood, and says how many they are.
/// What it is about is what each of them was about.
pub(super) fn join(changes: &mut Vec<Change>, about: &mut Vec<About>) {
    let mut groups: BTreeMap<(String, String), usize> = BTreeMap::new();
    for way in changes.iter().filter_map(way) {
        *groups.entry(way).or_default() += 1;
    }
    groups.retain(|_, operations| *operations > 1);
    let mut told: BTreeMap<(String, String), usize> = BTreeMap::new();
    let old = std::mem::take(changes).into_iter().zip(std::mem::take(about));
    for (mut change, subject) in old {
        if let Some(way) = way(&change)
            && let Some(operations) = groups.get(&way)
        {
            if let Some(place) = told.get(&way) {
                about[*place].join(subject);
                continue;
            }
            change.facts = Facts::new()
                .with("what", "paths-moved")
                .with("from", shown(&way.0))
                .with("to", shown(&way.1))
                .with("operations", *operations);
            told.insert(way, changes.len());
        }
        changes.push(change);
        about.push(subject);
    }
}

/// The top of all paths has a name.
fn shown(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// The paths that an operation moved from and to, without the segments at the end that both have.
fn way(change: &Change) -> Option<(String, String)> {
    if change.facts.text("what") != Some("operation-moved") {
        return None;
    }
    let (method, from) = change.facts.text("operation")?.split_once(' ')?;
    let (other, to) = change.facts.text("to")?.split_once(' ')?;
    let (from, to) = without_common_end(from, to);
    (method == other).then_some((from, to))
}
