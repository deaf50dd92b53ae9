//! Operations that moved in one way, told as one change: a new version in the path, a renamed resource.

use std::collections::BTreeMap;

use super::about::About;
use crate::model::{Change, Facts};

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
                .with("from", way.0.as_str())
                .with("to", way.1.as_str())
                .with("operations", *operations);
            told.insert(way, changes.len());
        }
        changes.push(change);
        about.push(subject);
    }
}

/// The paths that an operation moved from and to, without the segments at the end that both have.
fn way(change: &Change) -> Option<(String, String)> {
    if change.facts.text("what") != Some("operation-moved") {
        return None;
    }
    let (method, from) = change.facts.text("operation")?.split_once(' ')?;
    let (other, to) = change.facts.text("to")?.split_once(' ')?;
    let (mut from, mut to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    while let (Some(a), Some(b)) = (from.last(), to.last()) {
        let same = a == b || (a.starts_with('{') && b.starts_with('{'));
        if !same || from.len() == 1 || to.len() == 1 {
            break;
        }
        from.pop();
        to.pop();
    }
    (method == other).then(|| (from.join("/"), to.join("/")))
}
