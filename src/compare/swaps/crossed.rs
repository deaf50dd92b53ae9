//! Texts of two fields that stand in each other's place.

use std::collections::BTreeMap;

use super::Column;
use crate::compare::{context::Context, pairs::MIN_PAIRS, stats};
use crate::profile::{Profile, SampleValue, SampledRecord};

/// Pairs of fields of texts of which each holds now what only the other one held, record by record: words (places and
/// regions), or ways of writing (codes of two and of three letters). In a list each window has its own words; that
/// those of two fields come back in each other's place is no course of things.
pub(super) fn crossed<'a, K: Ord + Copy>(
    ctx: &Context<'a>,
    columns: &[Column<'a>],
    tells: impl Fn(&'a SampleValue) -> Option<K>,
) -> Vec<(usize, usize)> {
    // Of the same entities the pairs alone decide.
    if ctx.pairs.same_population() {
        return Vec::new();
    }
    let is_text = |column: &Column<'_>| {
        column.was.strings.is_some() && column.is.strings.is_some() && !column.path.is_repeated()
    };
    let texts: Vec<usize> = (0..columns.len()).filter(|at| is_text(&columns[*at])).collect();
    // How often each field held what.
    let mut held: BTreeMap<K, BTreeMap<usize, u64>> = BTreeMap::new();
    for record in ctx.base.entities.records.values() {
        for at in &texts {
            if let Some(told) = record.0.get(columns[*at].path).and_then(&tells) {
                *held.entry(told).or_default().entry(*at).or_default() += 1;
            }
        }
    }
    // What many fields hold tells none of them.
    held.retain(|_, fields| fields.len() <= 4);
    // In how many records the first field of a pair has what only the second one had. A value that one record alone had
    // would have been new without it, so that those of the baseline itself are looked up without theirs.
    let across = |profile: &'a Profile, own: u64| {
        let mut counts: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for record in profile.entities.records.values() {
            for at in &texts {
                let told = record.0.get(columns[*at].path).and_then(&tells);
                let Some(fields) = told.and_then(|told| held.get(&told)) else { continue };
                if fields.get(at).copied().unwrap_or(0) <= own {
                    let others = fields.keys().filter(|other| *other != at);
                    others.for_each(|other| *counts.entry((*at, *other)).or_default() += 1);
                }
            }
        }
        counts
    };
    let mut now = across(ctx.live, 0);
    now.retain(|_, count| *count >= MIN_PAIRS as u64);
    if now.is_empty() {
        return Vec::new();
    }
    let before = across(ctx.base, 1);
    // In how many it has what only it had itself.
    let stayed = |(at, other): (usize, usize)| {
        let told = |record: &'a SampledRecord| record.0.get(columns[at].path).and_then(&tells);
        let values = ctx.live.entities.records.values().filter_map(told);
        let own = |fields: &BTreeMap<usize, u64>| fields.contains_key(&at) && !fields.contains_key(&other);
        values.filter(|value| held.get(value).is_some_and(own)).count() as u64
    };
    let records = |profile: &Profile, at: usize| {
        profile.entities.records.values().filter(|record| record.0.contains_key(columns[at].path)).count()
            as u64
    };
    // Two in ten records, eight at least, more than those that are as before by half, and far more than ever.
    let told = |pair: (usize, usize)| {
        let (n, m) = (records(ctx.base, pair.0), records(ctx.live, pair.0));
        now.get(&pair).is_some_and(|now| {
            let before = before.get(&pair).copied().unwrap_or(0);
            now * 5 >= m && now * 2 >= stayed(pair) * 3 && stats::fisher(before, n, *now, m) < ctx.alpha
        })
    };
    let pairs = now.keys().copied().filter(|(one, other)| one < other);
    pairs.filter(|(one, other)| told((*one, *other)) && told((*other, *one))).collect()
}
