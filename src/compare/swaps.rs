//! Two fields that exchanged their contents.

use std::collections::BTreeMap;

use super::cdf::{Points, numbers_of};
use super::context::Context;
use super::pairs::{self, MIN_PAIRS};
use crate::model::{Change, ChangeKind, FieldPath};
use crate::profile::FieldProfile;

/// Finds swaps among fields whose values changed, and puts one change in place of the two.
pub(super) fn swaps(ctx: &Context<'_>, changes: &mut Vec<Change>) {
    let moved: Vec<FieldPath> = {
        let mut paths: Vec<FieldPath> =
            changes.iter().filter(|c| is_about_values(c)).map(|c| c.path.clone()).collect();
        // A swap in a small window is plain by the two fields together where neither is by itself.
        paths.extend(ctx.base.fields.iter().filter(|(p, f)| looks_other(ctx, p, f)).map(|(p, _)| p.clone()));
        paths.sort();
        paths.dedup();
        paths
    };
    let mut found: BTreeMap<FieldPath, (FieldPath, Option<(usize, usize)>)> = BTreeMap::new();
    if !ctx.pairs.same_population() {
        found.extend(turned(ctx).into_iter().map(|(one, other)| (one, (other, None))));
    }
    // The partner need not have been noticed by itself.
    let all: Vec<FieldPath> =
        ctx.base.fields.keys().filter(|p| ctx.live.fields.contains_key(*p)).cloned().collect();
    for one in &moved {
        for other in &all {
            if one == other
                || found.contains_key(one)
                || found.contains_key(other)
                || found.values().any(|(o, _)| o == one || o == other)
            {
                continue;
            }
            if let Some(evidence) = swapped(ctx, one, other) {
                found.insert(one.clone(), (other.clone(), evidence));
            }
        }
    }
    for (one, (other, evidence)) in found {
        changes.retain(|c| !(is_about_values(c) && (c.path == one || c.path == other)));
        let mut facts = ctx
            .facts(ctx.base.fields.get(&one), ctx.live.fields.get(&one))
            .with("other", other.to_string())
            .with("transform", "swap");
        if let Some((paired, agreeing)) = evidence {
            facts.set("paired", paired);
            facts.set("agreeing", agreeing);
        }
        changes.push(Change { kind: ChangeKind::Swapped, path: one, to: vec![other], facts });
    }
}

/// More numeric fields than this are not held against each other: the cost grows with their square.
const MAX_FIELDS: usize = 40;

/// Pairs of numeric fields of which one was the greater in most records that tell, and the other one is now, while
/// each came nearer to what the other was: goals at home and away, runs and hits.
fn turned(ctx: &Context<'_>) -> Vec<(FieldPath, FieldPath)> {
    let is_number = |f: &FieldProfile| numbers_of(f).is_some_and(|n| n.count >= super::context::MIN_SUPPORT);
    // In the order of time one total overtakes the other, and nothing was exchanged.
    let on_its_way = |path: &FieldPath| {
        !ctx.course.is_unordered() && ctx.variation.field(path).is_some_and(|v| v.in_runs || v.trending)
    };
    let here = |path: &FieldPath| {
        let (was, is) = (ctx.base.fields.get(path)?, ctx.live.fields.get(path)?);
        (is_number(was)
            && is_number(is)
            && !on_its_way(path)
            && !super::shift::is_moment(was)
            && !path.is_repeated())
        .then_some((was, is))
    };
    let fields: Vec<(&FieldPath, (&FieldProfile, &FieldProfile))> =
        ctx.base.fields.keys().filter_map(|path| Some((path, here(path)?))).take(MAX_FIELDS).collect();
    let mut found = Vec::new();
    for (i, (one, (was_one, is_one))) in fields.iter().enumerate() {
        for (other, (was_other, is_other)) in &fields[i + 1..] {
            let (above, below) = greater(ctx.base, one, other);
            let (now_above, now_below) = greater(ctx.live, one, other);
            let (n, m) = (above + below, now_above + now_below);
            if n < super::context::MIN_SUPPORT || m < super::context::MIN_SUPPORT {
                continue;
            }
            let (was, is) = (above as f64 / n as f64 - 0.5, now_above as f64 / m as f64 - 0.5);
            // On the other side of one half, and for the later part of a window too much nearer to the mirror image.
            let turned = was * is < 0.0 && (was - is).abs() >= was.abs();
            let chance = super::stats::fisher(above, n, now_above, m) * (fields.len() - 1) as f64;
            let mean =
                |f: &FieldProfile| numbers_of(f).and_then(crate::profile::NumberProfile::mean).unwrap_or(0.0);
            // Most of the way to the other one, and not beyond all of its values: neither a shift nor another unit.
            let nearer = |was: &FieldProfile, is: &FieldProfile, other: &FieldProfile| {
                let most = (mean(is) - mean(other)).abs() <= 0.6 * (mean(was) - mean(other)).abs();
                most && numbers_of(is).zip(numbers_of(other)).is_some_and(|(is, other)| {
                    let reach = 0.5 * (other.max - other.min);
                    is.min >= other.min - reach && is.max <= other.max + reach
                })
            };
            if turned
                && chance < ctx.alpha
                && nearer(was_one, is_one, was_other)
                && nearer(was_other, is_other, was_one)
            {
                found.push(((*one).clone(), (*other).clone()));
            }
        }
    }
    found
}

/// In how many sampled records the first of two fields is the greater, and in how many the second.
fn greater(profile: &crate::profile::Profile, one: &FieldPath, other: &FieldPath) -> (u64, u64) {
    let (mut above, mut below) = (0, 0);
    for record in profile.entities.records.values() {
        let number = |path| record.0.get(path).and_then(pairs::as_number);
        if let (Some(a), Some(b)) = (number(one), number(other)) {
            above += u64::from(a > b);
            below += u64::from(b > a);
        }
    }
    (above, below)
}

fn looks_other(ctx: &Context<'_>, path: &FieldPath, was: &FieldProfile) -> bool {
    let enough = |f: &FieldProfile| f.scalars() >= super::context::MIN_SUPPORT;
    let steady = ctx.variation.field(path).is_none_or(|v| v.exchangeable);
    ctx.live.fields.get(path).is_some_and(|is| {
        steady && enough(was) && enough(is) && resemblance(was, is).is_some_and(|apart| apart >= 0.35)
    })
}

fn is_about_values(change: &Change) -> bool {
    use ChangeKind as K;
    matches!(
        change.kind,
        K::ScaleChanged
            | K::DistributionShifted
            | K::EnumChanged
            | K::Truncated
            | K::IdSchemeChanged
            | K::FormatChanged
            | K::CardinalityChanged
            | K::CaseChanged
            | K::EncodingChanged
            | K::NullsChanged
            | K::TypeChanged
            | K::PresenceChanged
            | K::Stale
    ) && !change.path.is_root()
}

fn swapped(ctx: &Context<'_>, one: &FieldPath, other: &FieldPath) -> Option<Option<(usize, usize)>> {
    // Only entities whose two values differ tell a swap from fields that say the same.
    let (mut all, mut agreeing) = (0_usize, 0_usize);
    for (before, after) in &ctx.pairs.records {
        let (Some(b_one), Some(b_other), Some(a_one), Some(a_other)) =
            (before.0.get(one), before.0.get(other), after.0.get(one), after.0.get(other))
        else {
            continue;
        };
        if !pairs::equal(b_one, b_other) {
            all += 1;
            agreeing += usize::from(pairs::equal(b_one, a_other) && pairs::equal(b_other, a_one));
        }
    }
    if all >= MIN_PAIRS {
        return (agreeing * 10 >= all * 9).then_some(Some((all, agreeing)));
    }
    if ctx.pairs.same_population() {
        return None;
    }
    let of = |side: &crate::profile::Profile, path: &FieldPath| side.fields.get(path).cloned();
    let (was_one, was_other) = (of(ctx.base, one)?, of(ctx.base, other)?);
    let (is_one, is_other) = (of(ctx.live, one)?, of(ctx.live, other)?);
    let near = |a: &FieldProfile, b: &FieldProfile| resemblance(a, b);
    // Each must look like the other did, and nothing like itself: the gain is twice the loss, on both sides.
    let (across, across_back) = (near(&was_one, &is_other)?, near(&was_other, &is_one)?);
    let (same, same_back) = (near(&was_one, &is_one)?, near(&was_other, &is_other)?);
    let apart = near(&was_one, &was_other)?;
    (apart > 0.25
        && across < 0.5 * same_back.max(same)
        && across_back < 0.5 * same.max(same_back)
        && across.max(across_back) < 0.6 * apart)
        .then_some(None)
}

/// How far two fields are apart in what their values look like, between 0 and 1; `None` for different types.
pub(crate) fn resemblance(a: &FieldProfile, b: &FieldProfile) -> Option<f64> {
    if let (Some(x), Some(y)) = (numbers_of(a), numbers_of(b)) {
        return Some(Points::of_numbers(x).distance(&Points::of_numbers(y), 0.0));
    }
    let (x, y) = (a.strings.as_deref()?, b.strings.as_deref()?);
    let share = |s: &crate::profile::StringProfile, p: &String| {
        s.patterns.get(p).copied().unwrap_or(0) as f64 / s.count.max(1) as f64
    };
    let patterns: f64 = x.patterns.keys().map(|p| share(x, p).min(share(y, p))).sum();
    let values = x.distinct.containment(&y.distinct).min(y.distinct.containment(&x.distinct));
    let frequencies = if x.top.overflown || y.top.overflown {
        values
    } else {
        let of = |s: &crate::profile::StringProfile, v: &u64| {
            s.top.counts.get(v).map_or(0.0, |(n, _)| *n as f64 / s.count.max(1) as f64)
        };
        x.top.counts.keys().map(|v| of(x, v).min(of(y, v))).sum()
    };
    Some(1.0 - frequencies.max(0.5 * (patterns + values)))
}
