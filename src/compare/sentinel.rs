//! Nulls that became a value: an empty string, `N/A`, -1.

use std::collections::BTreeMap;

use super::context::Lane;
use crate::model::{Change, ChangeKind, Facts, JsonType};
use crate::profile::{FieldProfile, Profile, SampleValue};

/// Joins nulls that are gone and a value that took their place into one change.
pub(super) fn sentinel(lane: &Lane<'_>, found: &mut Vec<Change>) {
    // Fewer nulls alone harm nobody who reads the field.
    let fewer =
        |c: &Change| c.kind == ChangeKind::NullsChanged && c.facts.text("transform") == Some("fewer-nulls");
    found.retain(|c| !fewer(c));
    let nulls = |field: &FieldProfile| field.types.get(JsonType::Null);
    let rate = |field: &FieldProfile| nulls(field) as f64 / field.present.max(1) as f64;
    let (null_rate, left) = (rate(lane.base), rate(lane.live));
    let missing = null_rate - left;
    // Five nulls are no accident, and where some are left most must be gone: the later part of a window.
    if nulls(lane.base) < 5 || lane.live.present < 20 {
        return;
    }
    // What happened to most of the values is the news, and the nulls are a part of it.
    let of_all = |c: &Change| match c.kind {
        ChangeKind::NullsChanged | ChangeKind::EnumChanged | ChangeKind::PresenceChanged => false,
        // A value out of place in many records is also a distribution that moved.
        ChangeKind::DistributionShifted => false,
        // A text that is no date, beside dates, may be that value.
        ChangeKind::FormatChanged if c.facts.text("transform") == Some("no-date") => false,
        _ => c.facts.number("share").is_none_or(|share| share > 2.0 * missing),
    };
    if found.iter().any(of_all) {
        return;
    }
    let (was, is) = (frequencies(lane.ctx.base, lane), frequencies(lane.ctx.live, lane));
    let newcomer = is
        .iter()
        .filter(|(value, (_, count))| {
            *count >= 3 && !was.contains_key(*value) && is_out_of_place(value, lane)
        })
        .max_by(|a, b| a.1.0.total_cmp(&b.1.0).then(b.0.cmp(a.0)));
    // A value never seen before comes as often as null no longer does, within what sampling does to small shares. Where
    // it says nothing, as null does, it may come as often as null would have by now.
    let fits = |value: &Key, share: f64| {
        let says_nothing = value.0 == 2 && says_nothing(value, lane);
        let ratio = share / missing;
        left <= 0.6 * null_rate && ((0.5..=2.0).contains(&ratio) || says_nothing && ratio >= 0.5)
    };
    let Some((value, (share, _))) = newcomer.filter(|(value, (share, _))| fits(value, *share)) else {
        return;
    };
    let what = if value.0 == 1 {
        "a number"
    } else if value.2 == 0 {
        "the empty string"
    } else {
        "a word"
    };
    let facts = Facts::new()
        .with("baseline_null_rate", null_rate)
        .with("live_null_rate", left)
        .with("transform", "null-to-sentinel")
        .with("sentinel", what)
        .with("share", *share);
    // Whatever else was seen of the field is this.
    found.retain(|c| c.kind == ChangeKind::PresenceChanged);
    found.push(lane.change(ChangeKind::NullsChanged, facts));
}

/// Whether a value is one that the field would not have by itself: a number outside of all numbers seen, a text
/// beside numbers, the empty string, a text in another notation than all others, or a word for nothing.
fn is_out_of_place(value: &Key, lane: &Lane<'_>) -> bool {
    if value.0 == 1 {
        let number = f64::from_bits(value.1);
        return lane.base.numbers.as_deref().is_none_or(|n| number < n.min || number > n.max);
    }
    let Some(strings) = lane.base.strings.as_deref().filter(|s| s.count > 0) else { return true };
    let text = Lane::sample(lane.ctx.live, lane.path).find_map(|v| match v {
        SampleValue::Text { hash, format, says_nothing, .. } if *hash == value.1 => {
            Some((*format, *says_nothing))
        }
        _ => None,
    });
    value.2 == 0
        || text.is_some_and(|(format, says_nothing)| {
            says_nothing || !strings.main_format().is_soft() && strings.of_format(format) == 0
        })
}

/// Whether a text stands for nothing: it is empty, or a word for it.
fn says_nothing(value: &Key, lane: &Lane<'_>) -> bool {
    value.2 == 0
        || Lane::sample(lane.ctx.live, lane.path)
            .any(|v| matches!(v, SampleValue::Text { hash, says_nothing: true, .. } if *hash == value.1))
}

type Key = (u8, u64, u64);

/// The share and the count of each value in the sampled records.
fn frequencies(profile: &Profile, lane: &Lane<'_>) -> BTreeMap<Key, (f64, u64)> {
    let mut counts: BTreeMap<Key, u64> = BTreeMap::new();
    let mut all = 0.0;
    for record in profile.entities.records.values() {
        let Some(value) = record.0.get(lane.path) else { continue };
        all += 1.0;
        let key = match value {
            SampleValue::Number(number, _) => (1, number.to_bits(), 1),
            SampleValue::Text { hash, length, .. } => (2, *hash, *length),
            SampleValue::Null | SampleValue::Bool(_) | SampleValue::Container(..) => continue,
        };
        *counts.entry(key).or_default() += 1;
    }
    counts.into_iter().map(|(key, count)| (key, (count as f64 / all, count))).collect()
}
