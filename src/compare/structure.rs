//! Structure: paths that came and went, and fields that are there more or less often.

use std::collections::BTreeSet;

use super::context::{Context, Lane};
use super::{Baseline, Window, onset};
use crate::model::{Change, ChangeKind, Facts, FieldPath, Inconclusive, JsonType, Step};
use crate::profile::{FieldProfile, Profile, SampleValue};

/// Paths of one side alone; the topmost of each subtree.
pub(super) fn structure(ctx: &Context<'_>, inconclusive: &mut Vec<Inconclusive>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut gone: BTreeSet<&FieldPath> = BTreeSet::new();
    for (path, base) in &ctx.base.fields {
        if ctx.live.fields.get(path).is_some_and(|live| live.present > 0)
            || below_any(path, &gone)
            || is_implied(path, base, ctx)
        {
            continue;
        }
        gone.insert(path);
        removed(ctx, path, base, &mut changes, inconclusive);
    }
    let mut new: BTreeSet<&FieldPath> = BTreeSet::new();
    for (path, live) in &ctx.live.fields {
        if live.present == 0
            || ctx.base.fields.get(path).is_some_and(|base| base.present > 0)
            || below_any(path, &new)
            || is_implied(path, live, ctx)
        {
            continue;
        }
        new.insert(path);
        added(ctx, path, live, &mut changes, inconclusive);
    }
    changes
}

fn below_any(path: &FieldPath, above: &BTreeSet<&FieldPath>) -> bool {
    let mut parent = path.parent();
    while let Some(up) = parent {
        if above.contains(&up) {
            return true;
        }
        parent = up.parent();
    }
    false
}

/// Paths that are no news of their own: elements (an empty list is no evidence), the inside of a container that only
/// one side has (a change of type says it), and the inside of maps (their keys are data).
fn is_implied(path: &FieldPath, field: &FieldProfile, ctx: &Context<'_>) -> bool {
    if field.present == 0 || matches!(path.steps().last(), None | Some(Step::Each | Step::Index(_))) {
        return true;
    }
    let Some(parent) = path.parent() else { return true };
    let container = |profile: &Profile| profile.fields.get(&parent).map(|p| p.types.get(JsonType::Object));
    let is_map = |profile: &Profile| profile.fields.get(&parent).is_some_and(|p| p.is_map);
    is_map(ctx.base)
        || is_map(ctx.live)
        || container(ctx.base).unwrap_or(0) == 0
        || container(ctx.live).unwrap_or(0) == 0
}

/// How often a parent was there to hold the field, on the other side.
fn parents_on(profile: &Profile, path: &FieldPath) -> u64 {
    let Some(parent) = path.parent() else { return 0 };
    profile.fields.get(&parent).map_or(0, |p| p.types.get(JsonType::Object))
}

pub(super) fn types_of(field: &FieldProfile) -> Vec<String> {
    JsonType::ALL.into_iter().filter(|t| field.types.get(*t) > 0).map(|t| t.word().to_owned()).collect()
}

/// Entities that had the field and still are there, and how many of them lost it.
fn paired_loss(ctx: &Context<'_>, path: &FieldPath) -> (u64, u64) {
    let mut had = 0;
    let mut lost = 0;
    for (before, after) in &ctx.pairs.records {
        if before.0.contains_key(path) {
            had += 1;
            lost += u64::from(!after.0.contains_key(path));
        }
    }
    (had, lost)
}

/// The chance of an absence by the draw of records alone, below which a field is gone.
const ABSENCE: f64 = 0.01;

fn removed(
    ctx: &Context<'_>,
    path: &FieldPath,
    base: &FieldProfile,
    changes: &mut Vec<Change>,
    inconclusive: &mut Vec<Inconclusive>,
) {
    let parents = parents_on(ctx.live, path);
    let presence = base.present as f64 / base.parents.max(1) as f64;
    // The chance that a field of this presence misses every parent of the window; the presence is taken a little
    // lower than seen, as if one further parent had come without it.
    let careful = base.present as f64 / (base.parents + 1) as f64;
    let chance = (1.0 - careful).powf(parents as f64 / dispersion(ctx, path));
    let drawn = (1.0 - careful).powf(parents as f64);
    let (had, lost) = paired_loss(ctx, path);
    let always = base.present == base.parents;
    // One in a hundred suffices for a path that is wholly gone: nothing but chance in sampling rare fields works
    // against it, and `chance` allows for fields that come in bursts. Where the same records are seen again they need
    // not vary beyond a draw of them. Of the same entities three that lost the field suffice, and one that was never
    // missing is missed at once. Elements of lists are not kept with the sampled entities: there all of them together
    // must be nearly the same.
    let same_elements = path.is_repeated() && ctx.pairs.kept >= 0.9 && ctx.pairs.same_population();
    let sure = parents > 0
        && (chance < ABSENCE
            || (ctx.pairs.same_population() && drawn < ctx.alpha)
            || (always && (parents >= 3 || ctx.base.records <= 3 || base.parents >= 20))
            || (had >= 3 && had == lost)
            || (same_elements && base.present >= 3));
    if sure {
        let facts = ctx
            .facts(Some(base), None)
            .with("live_support", parents)
            .with("presence", presence)
            .with("types", types_of(base))
            .with("p_value", chance)
            .with("paired", had);
        changes.push(Change { kind: ChangeKind::FieldRemoved, path: path.clone(), to: Vec::new(), facts });
    } else if presence >= 0.05 && parents > 0 {
        let needed = (ABSENCE.ln() / (1.0 - careful).ln() * dispersion(ctx, path)).ceil();
        inconclusive.push(Inconclusive {
            path: path.clone(),
            why: format!("not seen among {parents}; {needed:.0} needed before its absence means something"),
        });
    }
}

fn added(
    ctx: &Context<'_>,
    path: &FieldPath,
    live: &FieldProfile,
    changes: &mut Vec<Change>,
    inconclusive: &mut Vec<Inconclusive>,
) {
    let parents = parents_on(ctx.base, path);
    let presence = live.present as f64 / live.parents.max(1) as f64;
    let p_value = super::stats::fisher(0, parents, live.present, live.parents);
    // A new path is a fact. Whether it is news depends on whether the baseline had its chance to show it.
    let sure = parents > 0
        && (p_value < 0.01
            || (live.present == live.parents && (live.present >= 3 || ctx.live.records <= 3))
            || (live.present >= 3 && presence >= 0.1)
            || ctx.pairs.same_population()
            || corroborated(ctx, path, live));
    if sure {
        let facts = ctx
            .facts(None, Some(live))
            .with("baseline_support", parents)
            .with("presence", presence)
            .with("types", types_of(live))
            .with("p_value", p_value);
        changes.push(Change { kind: ChangeKind::FieldAdded, path: path.clone(), to: Vec::new(), facts });
    } else if parents > 0 {
        inconclusive.push(Inconclusive {
            path: path.clone(),
            why: format!("new, but seen {} times only among {}", live.present, live.parents),
        });
    }
}

/// Whether other new members bear out one that is always there where its parent is, however seldom that is: several
/// came to the parent at once, or the same name came to other objects as well.
fn corroborated(ctx: &Context<'_>, path: &FieldPath, live: &FieldProfile) -> bool {
    if live.present < live.parents {
        return false;
    }
    let (parent, name) = (path.parent(), path.steps().last());
    let others = ctx.live.fields.iter().filter(|(other, field)| {
        let kin = other.parent() == parent || other.steps().last() == name;
        *other != path
            && kin
            && field.present == field.parents
            && !ctx.base.fields.contains_key(*other)
            && parents_on(ctx.base, other) > 0
    });
    others.count() > 0
}

pub(super) fn dispersion(ctx: &Context<'_>, path: &FieldPath) -> f64 {
    ctx.variation.field(path).map_or(1.0, |field| field.shares.max(1.0))
}

/// How often the field is there, and how often it is null.
pub(super) fn presence(lane: &Lane<'_>) -> Vec<Change> {
    let (base, live) = (lane.base, lane.live);
    let mut changes = Vec::new();
    if matches!(lane.path.steps().last(), None | Some(Step::Each)) || base.parents == 0 || live.parents == 0 {
        return changes;
    }
    let share = |hits: u64, all: u64| hits as f64 / all.max(1) as f64;
    let (was, is) = (share(base.present, base.parents), share(live.present, live.parents));
    let p_value = lane.fisher((base.present, base.parents), (live.present, live.parents));
    // More often than before harms nobody who reads it. Who reads a field that was missing at times copes with that:
    // it must fall by a fifth to be told.
    let told = was - is >= 0.2 || base.present == base.parents || is == 0.0;
    if is < was
        && told
        && moved(lane, (was, base.parents), (is, live.parents), p_value)
        && !kept_by_pairs(lane)
    {
        let facts = Facts::new()
            .with("baseline_presence", was)
            .with("live_presence", is)
            .with("p_value", p_value)
            .with("transform", "missing");
        changes.push(lane.change(ChangeKind::PresenceChanged, facts));
    }
    let nulls = |field: &FieldProfile| field.types.get(JsonType::Null);
    let (was, is) = (share(nulls(base), base.present), share(nulls(live), live.present));
    let p_value = lane.fisher((nulls(base), base.present), (nulls(live), live.present));
    if moved(lane, (was, base.present), (is, live.present), p_value) {
        let mut facts = Facts::new()
            .with("baseline_null_rate", was)
            .with("live_null_rate", is)
            .with("p_value", p_value)
            .with("transform", if is > was { "more-nulls" } else { "fewer-nulls" });
        if super::explained::nulls_follow(lane) || nulls_take_turns(lane) {
            facts.set("follows", true);
        }
        changes.push(lane.change(ChangeKind::NullsChanged, facts));
    }
    changes
}

/// Whether records that come in an order bring nulls in stretches, with values between them: other kinds of records,
/// whose turn it is. A field that a vendor empties is null here and there, or for good.
fn nulls_take_turns(lane: &Lane<'_>) -> bool {
    let is_null = |value: Option<&SampleValue>| value.map(|value| matches!(value, SampleValue::Null));
    let nulls: Vec<bool> = lane.values_in_order().filter_map(is_null).skip_while(|null| !null).collect();
    // One in a hundred by chance, as for a path that is gone; and runs less than twice as long as by chance still mix.
    let (p_value, length) = super::serial::equal_neighbours(&nulls);
    !lane.ctx.course.is_unordered() && p_value < 0.01 && length >= 2.0
}

/// A field that was always there, and that all records lack from some record on, is not missing now and then: it is
/// gone, and the window began before. A later window will show nothing else.
pub(super) fn removed_midway(baseline: &Baseline, window: &Window, changes: &mut [Change]) {
    for change in changes {
        if change.kind != ChangeKind::PresenceChanged || change.facts.number("baseline_presence") != Some(1.0)
        {
            continue;
        }
        let Some(onset) = onset(baseline, window, &[&change.path]).filter(|onset| onset.is_gone) else {
            continue;
        };
        let types = baseline.profile.fields.get(&change.path).map(types_of).unwrap_or_default();
        let record = if onset.newest_first { "until_record" } else { "since_record" };
        change.kind = ChangeKind::FieldRemoved;
        change.facts.set("types", types);
        change.facts.set(record, onset.record);
    }
}

/// Whether the entities seen on both sides kept the field: then other entities lack it, and nothing changed.
fn kept_by_pairs(lane: &Lane<'_>) -> bool {
    if lane.path.is_repeated() {
        return lane.ctx.pairs.same_population();
    }
    let (had, lost) = paired_loss(lane.ctx, lane.path);
    had as usize >= super::pairs::MIN_PAIRS && lost * 20 < had
}

/// Whether a share moved: in the eyes of an exact test, and by enough to matter.
fn moved(lane: &Lane<'_>, (was, n): (f64, u64), (is, m): (f64, u64), p_value: f64) -> bool {
    if n == 0 || m == 0 {
        return false;
    }
    let step = (was - is).abs();
    // A share that was exactly 0 or 1 is a promise: it takes four exceptions, one in twenty at least, and a chance
    // below one in sixteen, which five of fifty reach; other shares drift by themselves, and a tenth is the least that
    // counts, as a sign of other records at least (see `lanes::population`).
    let promise = (was == 0.0 || was == 1.0) && n >= super::context::MIN_SUPPORT;
    let exceptions = (step * m as f64).round();
    if promise {
        return exceptions >= 4.0 && step >= 0.05 && p_value < 0.06;
    }
    let sensible = step >= 0.1 || (is == 0.0 && was >= 0.02);
    sensible && p_value < lane.ctx.alpha
}
