//! Nulls that became a value: an empty string, `N/A`, -1.

use std::collections::BTreeMap;

use super::context::Lane;
use crate::model::{Change, ChangeKind};
use crate::profile::{Profile, SampleValue};

/// Joins fewer nulls and a value that took their place into one change.
pub(super) fn sentinel(lane: &Lane<'_>, found: &mut Vec<Change>) {
    let fewer = |c: &Change| {
        let rate = |name| c.facts.number(name).unwrap_or(0.0);
        c.kind == ChangeKind::NullsChanged && rate("baseline_null_rate") > rate("live_null_rate")
    };
    let Some(at) = found.iter().position(fewer) else { return };
    let rate = |name: &str| found[at].facts.number(name).unwrap_or(0.0);
    let missing = rate("baseline_null_rate") - rate("live_null_rate");
    let (was, is) = (frequencies(lane.ctx.base, lane), frequencies(lane.ctx.live, lane));
    let rise = is
        .iter()
        .map(|(value, share)| (share - was.get(value).copied().unwrap_or(0.0), value))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    // One value won at least half of what null lost; sampling accounts for the rest.
    let Some((rise, value)) = rise.filter(|(rise, _)| *rise >= 0.5 * missing) else { return };
    let mut change = found[at].clone();
    let what = if value.0 == 1 {
        "a number"
    } else if value.2 == 0 {
        "the empty string"
    } else {
        "a word"
    };
    change.facts.set("transform", "null-to-sentinel");
    change.facts.set("sentinel", what);
    change.facts.set("share", rise);
    // Whatever else was seen of the field is this.
    found.retain(|c| c.kind == ChangeKind::PresenceChanged);
    found.push(change);
}

type Key = (u8, u64, u64);

fn frequencies(profile: &Profile, lane: &Lane<'_>) -> BTreeMap<Key, f64> {
    let mut counts: BTreeMap<Key, f64> = BTreeMap::new();
    let mut all = 0.0;
    for record in profile.entities.records.values() {
        let Some(value) = record.0.get(lane.path) else { continue };
        all += 1.0;
        let key = match value {
            SampleValue::Number(number, _) => (1, number.to_bits(), 1),
            SampleValue::Text { hash, length, .. } => (2, *hash, *length),
            SampleValue::Null | SampleValue::Bool(_) | SampleValue::Container(..) => continue,
        };
        *counts.entry(key).or_default() += 1.0;
    }
    counts.values_mut().for_each(|count| *count /= all);
    counts
}
