//! The comparison as a whole: every field through its lanes, the most specific reading first.

use std::collections::BTreeSet;

use super::context::{Context, FAMILY_ALPHA, Lane, MIN_SUPPORT, in_order};
use super::course::Course;
use super::peers::{self, Peers};
use super::{Baseline, Comparison, Window, behaviour, enums, pairs::Pairs, scale, sentinel, serial, shapes};
use super::{shift, strings, structure, swaps, types, variants, zones};
use crate::model::{Change, ChangeKind, FieldPath, Inconclusive};
use crate::profile::{FieldProfile, Order, Profile, align};

/// What differs between a baseline and a window, with evidence.
#[must_use]
pub fn compare(baseline: &Baseline, window: &Window) -> Comparison {
    let mut comparison = Comparison::default();
    comparison.changes = behaviour::behaviour(baseline, window, &mut comparison.inconclusive);
    // What is a map to one side is a map to both.
    let (base, live) = align(&baseline.profile, &window.profile);
    let (base, live) = (&*base, &*live);
    if base.key_id != live.key_id || base.version != live.version {
        comparison.inconclusive.push(Inconclusive {
            path: FieldPath::root(),
            why: "baseline and window were profiled with different hash keys or versions; record the baseline anew"
                .to_owned(),
        });
        comparison.incomparable = true;
        return comparison;
    }
    // An empty list is no evidence: nothing is "removed" by it.
    if base.records == 0 || live.records == 0 {
        return comparison;
    }
    if live.records < MIN_SUPPORT {
        comparison.inconclusive.push(Inconclusive {
            path: FieldPath::root(),
            why: match live.records {
                1 => format!("1 record; {MIN_SUPPORT} are needed to judge values"),
                few => format!("{few} records; {MIN_SUPPORT} are needed to judge values"),
            },
        });
    }
    comparison.unjudged = unjudged(live);
    let mut changes = fields(baseline, base, (live, &window.order), &mut comparison.inconclusive);
    // The nearest window has the last word about values: what it already showed is no news, and what only it does
    // not show may be the ordinary course of things.
    if let Some(latest) = &baseline.latest
        && latest.key_id == live.key_id
        && latest.records >= MIN_SUPPORT
        && *latest != baseline.profile
    {
        let (latest, live) = align(latest, live);
        let (latest, live) = (&*latest, &*live);
        let near = fields(baseline, latest, (live, &window.order), &mut Vec::new());
        let too_few = unjudged(latest);
        changes.retain_mut(|change| {
            // One cause may look like two things: a day of one date, in another notation, has stood still to a
            // baseline of many days and not to the day before. The nearest says which.
            let here = || near.iter().filter(|c| c.path == change.path);
            let confirmed = here().find(|c| c.kind == change.kind).or_else(|| here().next());
            if let Some(confirmed) = confirmed {
                *change = confirmed.clone();
            }
            // Where it holds too few values to judge by, its silence about them says nothing; whether they are there
            // is told by how many records there are.
            let of_values = !matches!(
                change.kind,
                ChangeKind::FieldAdded
                    | ChangeKind::FieldRemoved
                    | ChangeKind::PresenceChanged
                    | ChangeKind::NullsChanged
            );
            confirmed.is_some() || of_values && too_few.contains(&change.path)
        });
    }
    // Several windows together hold the moments of all of them; whether one window moves less than each of those did
    // cannot be told once none of them is left.
    if baseline.windows > 1 && baseline.latest.is_none() {
        let moved_on = |change: &Change| {
            change.kind == ChangeKind::Stale
                && live.fields.get(&change.path).is_some_and(super::shift::is_moment)
        };
        let (merged, kept): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(moved_on);
        changes = kept;
        comparison.inconclusive.extend(merged.into_iter().map(|change| Inconclusive {
            path: change.path,
            why: "fewer moments than in all recorded windows together; no single window is left to compare with"
                .to_owned(),
        }));
    }
    structure::removed_midway(baseline, window, &mut changes);
    comparison.changes.extend(changes);
    comparison.changes.sort_by(|a, b| (&a.path, a.kind, &a.to).cmp(&(&b.path, b.kind, &b.to)));
    comparison.inconclusive.sort_by(|a, b| (&a.path, &a.why).cmp(&(&b.path, &b.why)));
    comparison
}

/// Where a profile holds values, but too few to judge a change of them.
fn unjudged(profile: &Profile) -> BTreeSet<FieldPath> {
    if profile.records < MIN_SUPPORT {
        return BTreeSet::from([FieldPath::root()]);
    }
    let few = |field: &FieldProfile| (1..MIN_SUPPORT).contains(&field.scalars());
    profile.fields.iter().filter(|(_, field)| few(field)).map(|(path, _)| path.clone()).collect()
}

fn fields(
    baseline: &Baseline,
    base: &Profile,
    (live, order): (&Profile, &Order),
    inconclusive: &mut Vec<Inconclusive>,
) -> Vec<Change> {
    let shared = base.fields.keys().filter(|path| live.fields.contains_key(*path)).count();
    let course = Course::of(base, live, &baseline.variation);
    let ctx = Context {
        base,
        live,
        rows: in_order(live, order),
        pairs: Pairs::of(baseline.latest.as_ref().unwrap_or(base), live),
        variation: &baseline.variation,
        peers: Peers::of(base, live, &baseline.variation, course.is_unordered()),
        course,
        alpha: FAMILY_ALPHA / shared.max(1) as f64,
    };
    let mut changes = structure::structure(&ctx, inconclusive);
    for (path, was) in &base.fields {
        let Some(is) = live.fields.get(path) else { continue };
        if was.present == 0 || is.present == 0 {
            continue;
        }
        field(&Lane { ctx: &ctx, path, base: was, live: is }, &mut changes);
    }
    variants::within(&ctx, &mut changes, inconclusive);
    variants::without_explained(&ctx, &mut changes);
    // Below a container of another type everything is other; the container says so.
    let retyped: Vec<FieldPath> =
        changes.iter().filter(|c| c.kind == ChangeKind::TypeChanged).map(|c| c.path.clone()).collect();
    changes.retain(|c| !retyped.iter().any(|above| c.path != *above && c.path.starts_with(above)));
    swaps::swaps(&ctx, &mut changes);
    population(&ctx, &mut changes, inconclusive);
    variants::arrivals(&ctx, &mut changes);
    changes
}

/// Whether a change is one that other records bring about by themselves.
fn is_soft(change: &Change, other_segment: bool) -> bool {
    use crate::model::ChangeKind as K;
    let transform = change.facts.text("transform").unwrap_or_default();
    match change.kind {
        // Few values of many, in no order, are no other records.
        K::CardinalityChanged => {
            other_segment || change.facts.get("strewn") != Some(&crate::model::Fact::Flag(true))
        }
        K::DistributionShifted => true,
        // Another segment counts in other sizes, and its codes are built and cut otherwise.
        K::ScaleChanged
        | K::SignFlipped
        | K::Swapped
        | K::TimezoneShifted
        | K::IdSchemeChanged
        | K::Truncated
        | K::Stale => other_segment,
        K::EncodingChanged => other_segment && transform == "separator",
        K::FormatChanged => {
            other_segment && matches!(transform, "notation" | "number-notation" | "host" | "width")
        }
        // Another segment has other words; the same words spelled otherwise are no other segment.
        K::EnumChanged => {
            let flag = |name| change.facts.get(name).is_some();
            // Nor do its words come strewn among runs of others.
            !flag("respelled") && !flag("strewn") && (other_segment || transform != "all-values")
        }
        // Nulls where there were some before, or that leave some values: not a field that died.
        K::NullsChanged => {
            transform.ends_with("-nulls") && other_segment
                || transform.ends_with("-nulls")
                    && change.facts.number("baseline_null_rate") > Some(0.0)
                    && change.facts.number("live_null_rate") < Some(1.0)
        }
        _ => false,
    }
}

/// When several fields seem to be in other units by different factors, and no name nor entity speaks for any of them,
/// then other records came: a vendor changes the unit of one field, or of all alike.
fn factors(changes: &mut Vec<Change>, inconclusive: &mut Vec<Inconclusive>) {
    let guessed = |c: &Change| {
        c.kind == ChangeKind::ScaleChanged
            && c.facts.get("paired").is_none()
            && c.facts.get("beside").is_none()
            && !super::scale::is_spoken_for(c)
    };
    let ratios: Vec<f64> =
        changes.iter().filter(|c| guessed(c)).filter_map(|c| c.facts.number("ratio")).collect();
    let same = |ratio: &f64| (ratio / ratios[0] - 1.0).abs() < 0.01;
    if ratios.iter().all(same) {
        return;
    }
    let (other, kept): (Vec<Change>, Vec<Change>) = changes.drain(..).partition(guessed);
    *changes = kept;
    inconclusive.extend(
        other.into_iter().map(|change| Inconclusive {
            path: change.path,
            why: "its values lie elsewhere, as those of other fields do by other factors: other records"
                .to_owned(),
        }),
    );
}

/// Whether a few values come round and round, in the same order: of those that merely come often their share is told.
fn comes_round(change: &Change) -> bool {
    change.facts.text("transform") == Some("replay") && change.facts.get("share").is_none()
}

/// Whether a field that stands still at one end of the window does so within one run of a field that comes in runs:
/// what the records are sorted by, or what goes with it. Where their order is not known, it may.
fn stands_in_a_run(ctx: &Context<'_>, path: &FieldPath) -> bool {
    let values = |path: &FieldPath| -> Vec<serial::Told> {
        ctx.rows.iter().map(|(_, record)| serial::told(record.0.get(path))).collect()
    };
    let own = values(path);
    let (Some(first), Some(last)) = (own.first(), own.last()) else { return true };
    let head = own.iter().take_while(|value| *value == first).count();
    let tail = own.iter().rev().take_while(|value| *value == last).count();
    let stretch = if tail >= head { own.len() - tail..own.len() } else { 0..head };
    let runs = ctx
        .base
        .fields
        .keys()
        .filter(|other| *other != path && ctx.variation.field(other).is_some_and(|v| v.in_runs));
    runs.map(values).any(|run| {
        let stretch = &run[stretch.clone()];
        stretch.iter().all(|value| *value == stretch[0])
    })
}

fn null_step(change: &Change) -> f64 {
    let rate = |name| change.facts.number(name).unwrap_or(0.0);
    (rate("live_null_rate") - rate("baseline_null_rate")).abs()
}

/// When several fields moved at once in ways that other records bring about, then other records came: a holiday, a
/// storm, another segment of customers. Which they are is not for one window to say.
fn population(ctx: &Context<'_>, changes: &mut Vec<Change>, inconclusive: &mut Vec<Inconclusive>) {
    // Nulls that go with the kinds of the records, and values whose turn has come, are no news by themselves, and
    // witness that these are other records.
    let follows = |c: &Change| c.facts.get("follows").is_some();
    if ctx.pairs.same_population() {
        changes.retain(|c| !follows(c));
        return;
    }
    factors(changes, inconclusive);
    // What comes in runs stands still for one of them, and with it whatever goes with it. Values that are merely near
    // those before them have no runs to stand in, and none come round and round.
    let next_run = |c: &Change| {
        let lacks = || c.facts.text("transform").is_some_and(|t| t.ends_with("-nulls"));
        let rows = ctx.base.entities.records.len();
        ctx.variation.field(&c.path).filter(|v| v.in_runs).is_some_and(|v| match c.kind {
            ChangeKind::Stale => !comes_round(c) && v.runs as usize * 2 <= rows,
            ChangeKind::NullsChanged => lacks(),
            _ => false,
        })
    };
    // Few records in an order stand still in several fields at once where the order holds one thing for a while; what
    // stands still across the things, or comes round and round, does so by itself.
    let unknown = !ctx.variation.is_known();
    let is_moment = |c: &Change| c.facts.text("transform") == Some("moment");
    let still = |c: &Change| c.kind == ChangeKind::Stale && !is_moment(c) && !comes_round(c);
    let stands = |c: &Change| unknown && still(c) && stands_in_a_run(ctx, &c.path);
    // Other records move what hangs together, and not one of it.
    let left = |c: &Change| peers::tell(ctx, c) && !ctx.course.is_other_segment(&c.path);
    let soft_here = |c: &Change| {
        !left(c)
            && (follows(c) || is_soft(c, ctx.course.is_other_segment(&c.path)) || next_run(c) || stands(c))
    };
    let soft: std::collections::BTreeSet<FieldPath> =
        changes.iter().filter(|c| soft_here(c)).map(|c| c.path.clone()).collect();
    let segment = soft.iter().any(|path| ctx.course.is_other_segment(path));
    if soft.len() < 2 && !segment {
        // A share of nulls that drifts alone must move by a fifth to be told.
        changes.retain(|c| !follows(c));
        changes.retain(|c| !soft_here(c) || c.kind != ChangeKind::NullsChanged || null_step(c) >= 0.2);
        return;
    }
    changes.retain(|c| !soft_here(c));
    inconclusive.extend(soft.into_iter().map(|path| {
        Inconclusive {
        path,
        why: "its values moved together with those of other fields: other records, rather than another field"
            .to_owned(),
    }
    }));
}

fn field(lane: &Lane<'_>, changes: &mut Vec<Change>) {
    let mut found = structure::presence(lane);
    if let Some(change) = types::types(lane) {
        found.push(change);
    } else if let Some(change) = shift::replay(lane)
        .or_else(|| shift::constant(lane))
        .or_else(|| strings::strings(lane))
        .or_else(|| scale::notation(lane))
        .or_else(|| scale::scales(lane).filter(|_| !shift::is_replay(lane)))
        .or_else(|| shift::collapse(lane))
        .or_else(|| peers::peers(lane))
        .or_else(|| shift::unique(lane))
        .or_else(|| words(lane))
        .or_else(|| shift::booleans(lane))
        .or_else(|| zones::zones(lane))
        .or_else(|| shift::distribution(lane))
    {
        found.push(change);
    }
    sentinel::sentinel(lane, &mut found);
    changes.append(&mut found);
}

/// Members of a set that came or went. That they came in their turn is said only where they are built as others were.
fn words(lane: &Lane<'_>) -> Option<Change> {
    match enums::enums(lane) {
        Some(change) if change.facts.get("follows").is_none() => Some(change),
        in_turn => shapes::shapes(lane).or(in_turn),
    }
}

/// What happened to the values between two fields of whatever names, as if they were one; entities are not paired.
#[must_use]
pub(crate) fn compare_fields(
    base: &Profile,
    live: &Profile,
    path: &FieldPath,
    was: &crate::profile::FieldProfile,
    is: &crate::profile::FieldProfile,
) -> Option<Change> {
    let variation = super::Variation::default();
    let ctx = Context {
        base,
        live,
        rows: Vec::new(),
        pairs: Pairs::default(),
        variation: &variation,
        course: Course::without_order(),
        peers: Peers::default(),
        alpha: FAMILY_ALPHA,
    };
    let mut changes = Vec::new();
    field(&Lane { ctx: &ctx, path, base: was, live: is }, &mut changes);
    changes.retain(|c| !matches!(c.kind, ChangeKind::PresenceChanged | ChangeKind::NullsChanged));
    changes.into_iter().next()
}
