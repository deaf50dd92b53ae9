//! Fields of a response that are described at another place now: into an object, out of one, or into another.
//!
//! A description that moves a field says that one is gone and that one is new. The two are one change where name, type
//! and what is below agree, nothing else fits as well, and the name is one that tells something.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    ApiModel,
    envelope::node_at,
    graph::Graph,
    operations::{DocChange, in_record},
    schema::View,
};
use crate::model::{FieldPath, Step};

/// How deep below a field that is gone or new others are looked for, and how many there may be in all: beyond that it is
/// another response.
const MAX_DEPTH: usize = 3;
const MAX_FIELDS: usize = 400;

/// Names that any object may have: the same name elsewhere is no sign of a move by itself.
const COMMON: [&str; 15] = [
    "id",
    "name",
    "type",
    "status",
    "state",
    "value",
    "code",
    "key",
    "url",
    "href",
    "label",
    "title",
    "description",
    "kind",
    "object",
];

/// A field that is gone or new.
struct Field {
    path: FieldPath,
    /// The entry of the list of changes that tells it, or tells what it is in.
    told_by: usize,
    /// What it is: types, format, values, and the names below.
    signature: String,
    words: String,
}

impl Field {
    /// The names from the top, in lower case without signs, plurals as one.
    fn names(&self) -> Vec<String> {
        let keys = self.path.steps().iter().filter_map(|step| match step {
            Step::Key(key) => Some(folded(key)),
            Step::Each | Step::Index(_) => None,
        });
        keys.collect()
    }
}

fn folded(name: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    name.strip_suffix('s').filter(|rest| rest.len() > 2).map(str::to_owned).unwrap_or(name)
}

/// Joins fields that are gone with those that are new into moves.
pub(super) fn join<'a>(
    graph: &Graph<'a>,
    (was, is): (&'a Value, &'a Value),
    records: &FieldPath,
    changes: &mut Vec<(usize, DocChange)>,
) {
    let gone = fields(graph.before, was, changes, "field-removed");
    let fresh = fields(graph.after, is, changes, "field-added");
    if gone.is_empty() || fresh.is_empty() || gone.len() + fresh.len() > MAX_FIELDS {
        return;
    }
    let fits: Vec<(usize, usize)> = (0..gone.len())
        .flat_map(|old| (0..fresh.len()).map(move |new| (old, new)))
        .filter(|(old, new)| is_moved(&gone[*old], &fresh[*new]))
        .collect();
    let mut moves = chosen(&gone, &fits);
    // A common name counts where something else went the same way.
    let way = |old: &Field, new: &Field| (old.path.parent(), new.path.parent());
    let ways: Vec<_> = moves
        .iter()
        .filter(|(old, _)| !is_common(&gone[**old]))
        .map(|(old, new)| way(&gone[*old], &fresh[new[0]]))
        .collect();
    moves.retain(|old, new| !is_common(&gone[*old]) || ways.contains(&way(&gone[*old], &fresh[new[0]])));
    if moves.is_empty() {
        return;
    }
    tell(&gone, &fresh, &moves, records, changes);
}

fn is_common(field: &Field) -> bool {
    field.names().last().is_none_or(|name| COMMON.iter().any(|common| folded(common) == *name))
}

/// The fields that the changes of one kind tell, with what is below them, those above first.
fn fields<'a>(
    model: &'a ApiModel,
    root: &'a Value,
    changes: &[(usize, DocChange)],
    what: &str,
) -> Vec<Field> {
    let mut found = Vec::new();
    for (told_by, (_, change)) in changes.iter().enumerate() {
        let Some(top) = change.field.as_ref().filter(|_| change.what == what) else { continue };
        let mut work = vec![(top.clone(), 0)];
        let mut next = 0;
        while let Some((path, depth)) = work.get(next).cloned() {
            next += 1;
            if found.len() > MAX_FIELDS {
                return found;
            }
            let Some(node) = node_at(model, root, &path) else { continue };
            let view = View::of(model, node);
            if depth < MAX_DEPTH {
                work.extend(view.properties.keys().map(|name| (path.child(name), depth + 1)));
                work.extend(view.items.map(|_| (path.each(), depth + 1)));
            }
            found.push(Field { path, told_by, signature: view.signature(model), words: view.type_words() });
        }
    }
    found
}

/// Whether one may have become the other: the same sort of thing under the same name, its object's name before it or not.
fn is_moved(old: &Field, new: &Field) -> bool {
    if old.signature != new.signature || old.path.parent() == new.path.parent() {
        return false;
    }
    // What was one in each entry of a list is so still; a list of entries may have become one of boxes with entries.
    let lists = |field: &Field| field.path.steps().iter().filter(|step| matches!(step, Step::Each)).count();
    if lists(old) != lists(new) {
        return false;
    }
    let (was, is) = (old.names(), new.names());
    let with_object = |names: &[String]| match names {
        [.., object, name] => Some(format!("{object}{name}")),
        _ => None,
    };
    match (was.last(), is.last()) {
        (Some(a), Some(b)) => {
            a == b || with_object(&was).as_ref() == Some(b) || with_object(&is).as_ref() == Some(a)
        }
        _ => false,
    }
}

/// Which moves there are: those above first, what is below goes with them. Where several fit, all are kept.
fn chosen(gone: &[Field], fits: &[(usize, usize)]) -> BTreeMap<usize, Vec<usize>> {
    let mut moves: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let below = |path: &FieldPath, above: &FieldPath| {
        path.steps().len() > above.steps().len() && path.steps().starts_with(above.steps())
    };
    for old in 0..gone.len() {
        if moves.keys().any(|above| below(&gone[old].path, &gone[*above].path)) {
            continue;
        }
        let found: Vec<usize> = fits.iter().filter(|(o, _)| *o == old).map(|(_, new)| *new).collect();
        if !found.is_empty() {
            moves.insert(old, found);
        }
    }
    // Of two that went to one place neither can be told.
    let mut claims: BTreeMap<usize, usize> = BTreeMap::new();
    moves.values().flatten().for_each(|new| *claims.entry(*new).or_default() += 1);
    moves.retain(|_, new| new.iter().all(|new| claims.get(new) == Some(&1)));
    moves
}

fn tell(
    gone: &[Field],
    fresh: &[Field],
    moves: &BTreeMap<usize, Vec<usize>>,
    records: &FieldPath,
    changes: &mut Vec<(usize, DocChange)>,
) {
    let is_below = |path: &FieldPath, above: &FieldPath| path.steps().starts_with(above.steps());
    // A field that is gone is told by its moves where it moved, or where all that it held did.
    let leaves = |fields: &[Field], told_by: usize| -> Vec<FieldPath> {
        let own: Vec<&Field> = fields.iter().filter(|field| field.told_by == told_by).collect();
        let is_leaf = |field: &&&Field| {
            !own.iter().any(|other| other.path != field.path && is_below(&other.path, &field.path))
        };
        own.iter().filter(is_leaf).map(|field| field.path.clone()).collect()
    };
    let moved_from: Vec<&FieldPath> = moves.keys().map(|old| &gone[*old].path).collect();
    let moved_to: Vec<&FieldPath> = moves.values().flatten().map(|new| &fresh[*new].path).collect();
    let mut silent: BTreeSet<usize> = BTreeSet::new();
    let mut told: Vec<(usize, DocChange)> = Vec::new();
    for (at, (index, change)) in changes.iter().enumerate() {
        let (fields, moved) = match change.what {
            "field-removed" => (gone, &moved_from),
            "field-added" => (fresh, &moved_to),
            _ => continue,
        };
        if !fields.iter().any(|field| field.told_by == at && moved.contains(&&field.path)) {
            continue;
        }
        let rest: Vec<FieldPath> = leaves(fields, at)
            .into_iter()
            .filter(|leaf| !moved.iter().any(|path| is_below(leaf, path)))
            .collect();
        silent.insert(at);
        // What of it did not move is told by itself.
        for path in rest {
            let words = fields.iter().find(|field| field.path == path).map(|field| field.words.clone());
            let words = words.unwrap_or_default();
            let (from, to) =
                if change.what == "field-removed" { (words, String::new()) } else { (String::new(), words) };
            let record = in_record(&path, records);
            told.push((*index, DocChange { field: Some(path), record, from, to, ..change.clone() }));
        }
    }
    for (old, new) in moves {
        let old = &gone[*old];
        let Some((index, change)) = changes.get(old.told_by) else { continue };
        let places: Vec<String> = new.iter().take(4).map(|new| fresh[*new].path.to_string()).collect();
        let target = match new.as_slice() {
            [only] => Some(fresh[*only].path.clone()),
            _ => None,
        };
        let renamed_to = target.as_ref().map(|path| in_record(path, records).unwrap_or_else(|| path.clone()));
        told.push((
            *index,
            DocChange {
                what: if target.is_some() { "field-moved" } else { "field-moved-somewhere" },
                field: Some(old.path.clone()),
                record: in_record(&old.path, records),
                renamed_to,
                target,
                from: String::new(),
                to: places.join(" or "),
                ..change.clone()
            },
        ));
    }
    let mut at = 0;
    changes.retain(|_| {
        at += 1;
        !silent.contains(&(at - 1))
    });
    changes.extend(told);
}
