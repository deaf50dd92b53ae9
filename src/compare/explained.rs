//! A share that moves because the window holds other kinds of records.
//!
//! Where nulls go with the kind of a record (only updates have an old version), another mixture of kinds is another
//! share of nulls. The share that the window's own mixture leads one to expect is that of direct standardisation in
//! epidemiology: the rates of the baseline within each kind, weighed by how often the window holds it.

use std::collections::BTreeMap;

use super::context::{Lane, MIN_SUPPORT};
use super::enums::VOCABULARY;
use crate::model::FieldPath;
use crate::profile::{Profile, SampleValue};

/// Whether the kinds of records, by some other field of few values, bring about most of a move of the share of nulls,
/// and what is left is within chance.
pub(super) fn nulls_follow(lane: &Lane<'_>) -> bool {
    let Some((was, _)) = rate(lane.ctx.base, lane.path) else { return false };
    let Some((is, records)) = rate(lane.ctx.live, lane.path) else { return false };
    // Two standard errors of a share.
    let error = 2.0 * (is * (1.0 - is) / records).sqrt();
    let others = lane.ctx.base.fields.keys().filter(|other| {
        !other.starts_with(lane.path) && !lane.path.starts_with(other) && !other.is_repeated()
    });
    others.filter_map(|other| expected(lane, other)).any(|expected| {
        let explained = (expected - was) / (is - was);
        (is - expected).abs() <= error.max(0.05) && explained >= 2.0 / 3.0
    })
}

/// The share of nulls among the sampled records that have the field, and their number.
fn rate(profile: &Profile, path: &FieldPath) -> Option<(f64, f64)> {
    let (mut nulls, mut all) = (0.0, 0.0);
    for value in Lane::sample(profile, path) {
        all += 1.0;
        nulls += f64::from(u8::from(matches!(value, SampleValue::Null)));
    }
    (all >= MIN_SUPPORT as f64).then(|| (nulls / all, all))
}

/// The share of nulls that the window would have if each kind of record had the baseline's; `None` where the other
/// field tells no kinds, or the window has kinds that the baseline hardly shows.
fn expected(lane: &Lane<'_>, kinds: &FieldPath) -> Option<f64> {
    let mut known: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for record in lane.ctx.base.entities.records.values() {
        let (Some(kind), Some(value)) = (record.0.get(kinds).and_then(kind), record.0.get(lane.path)) else {
            continue;
        };
        let (nulls, all) = known.entry(kind).or_default();
        *all += 1.0;
        *nulls += f64::from(u8::from(matches!(value, SampleValue::Null)));
        if known.len() > VOCABULARY {
            return None;
        }
    }
    let (mut sum, mut told, mut records) = (0.0, 0.0, 0.0);
    for record in lane.ctx.live.entities.records.values().filter(|record| record.0.contains_key(lane.path)) {
        records += 1.0;
        // Three records of a kind show its rate to within a quarter or so.
        let rate =
            record.0.get(kinds).and_then(kind).and_then(|kind| known.get(&kind)).filter(|(_, n)| *n >= 3.0);
        if let Some((nulls, all)) = rate {
            told += 1.0;
            sum += nulls / all;
        }
    }
    (known.len() >= 2 && told >= 0.9 * records && told > 0.0).then(|| sum / told)
}

fn kind(value: &SampleValue) -> Option<u64> {
    match value {
        SampleValue::Bool(is) => Some(u64::from(*is)),
        SampleValue::Text { hash, .. } => Some(*hash),
        SampleValue::Null | SampleValue::Number(..) | SampleValue::Container(..) => None,
    }
}
