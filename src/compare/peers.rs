//! A field that left its peers: numbers of the same records that used to hang together with it ([`super::ties`]).
//!
//! Other records move all of them together; one that broke with every peer, while these still hang together with each
//! other, was changed at the source. What its peers lead one to expect of each record stands beside what is there, as
//! if the record were seen on both sides.

use std::collections::{BTreeMap, BTreeSet};

use super::cdf::Points;
use super::context::{Context, FAMILY_ALPHA, Lane, MIN_SUPPORT};
use super::pairs::as_number;
use super::ties::{self, Tie, middle};
use super::{course, scale, swaps, units};
use crate::model::{Change, ChangeKind, Facts, FieldPath};
use crate::profile::{Profile, SampledRecord};

/// The least move of what a tie leaves, in widths of the field: a tenth of the way from its first tenth to its last is a
/// quarter of a standard deviation, half of the smallest effect that is called medium (J. Cohen 1988).
const LEAST_MOVE: f64 = 0.1;
/// A tie of a baseline varies by itself; a window may go as far again, and as far as two windows add up to.
const BEYOND: f64 = 2.0;
/// Where the order of the records tells, they also go on: as [`Lane::dwarfs`].
const BEYOND_IN_ORDER: f64 = 4.0;
/// What a tie leaves at most where it is not known how far it varies by itself, or where it goes on with the order of the
/// records: a sixth of the variance. A looser one holds for some kinds of records and not for the next.
const LOOSEST_UNKNOWN: f64 = 0.4;
/// More fields than this that left their peers at once are other records.
const MAX_BROKEN: usize = 2;

/// Pairs of fields that hang together: whether they broke, and how close they were.
type State<'a> = BTreeMap<(&'a FieldPath, &'a FieldPath), (bool, f64)>;

/// The fields that left their peers, each with the peer that tells it best.
#[derive(Debug, Default)]
pub(super) struct Peers {
    left: BTreeMap<FieldPath, Tie>,
    /// Fields whose ties all hold: whatever moved them moved their peers as well.
    held: BTreeSet<FieldPath>,
}

impl Peers {
    /// Which ties of the baseline the window broke, and who broke them. The tests of all ties share one chance of a false
    /// alarm (C. Bonferroni).
    pub(super) fn of(base: &Profile, live: &Profile, variation: &super::Variation, unordered: bool) -> Self {
        let mut state: State<'_> = BTreeMap::new();
        let mut loose: BTreeSet<&FieldPath> = BTreeSet::new();
        let alpha = FAMILY_ALPHA / variation.ties().len().max(1) as f64;
        let closest = if unordered && variation.is_known() { 1.0 } else { LOOSEST_UNKNOWN };
        for tie in variation.ties().iter().filter(|tie| tie.loose <= closest) {
            let records = |profile: &Profile| tie.all_off(profile.entities.records.values());
            let (was, is) = (records(base), records(live));
            if was.len() < MIN_SUPPORT as usize || is.len() < MIN_SUPPORT as usize {
                continue;
            }
            let broke = is_broken(tie, (&was, &is), alpha, (unordered, variation.is_known()));
            // Not broken is not yet the same as before.
            if ties::moved(&was, &is) > LEAST_MOVE.max(tie.reach) {
                loose.extend([&tie.of, &tie.by]);
            }
            let pair = if tie.of < tie.by { (&tie.of, &tie.by) } else { (&tie.by, &tie.of) };
            let entry = state.entry(pair).or_insert((false, 0.0));
            *entry = (entry.0 || broke, entry.1.max(1.0 - tie.loose));
        }
        let mut peers = Self::named(base, live, variation, &state);
        peers.held.retain(|path| !loose.contains(path));
        peers
    }

    /// Names, by vote, which of two fields left the other: the one that broke with most of its peers.
    fn named(base: &Profile, live: &Profile, variation: &super::Variation, state: &State<'_>) -> Self {
        let mut fields: BTreeSet<&FieldPath> = BTreeSet::new();
        state.keys().for_each(|(one, other)| fields.extend([*one, *other]));
        let mut open = state.clone();
        let mut left: Vec<&FieldPath> = Vec::new();
        // By how much, in closeness, the ties of a field broke, and how many of all it has did.
        let votes = |open: &State<'_>, field: &FieldPath| {
            let ties = open.iter().filter(|((one, other), _)| *one == field || *other == field);
            let (mut broken, mut all) = (0.0, 0.0);
            for (_, (broke, weight)) in ties {
                all += weight;
                broken += if *broke { *weight } else { 0.0 };
            }
            (broken, if all > 0.0 { broken / all } else { 0.0 })
        };
        while open.values().any(|(broke, _)| *broke) {
            let most = fields
                .iter()
                .map(|field| (votes(&open, field), *field))
                .max_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let Some(((broken, share), field)) = most else { break };
            // The peer that broke with as many is as likely the one that moved, unless it is where it was.
            let rival = open
                .iter()
                .filter(|((one, other), (broke, _))| *broke && (*one == field || *other == field))
                .map(|((one, other), _)| if *one == field { *other } else { *one })
                .map(|other| (votes(&open, other), other))
                .max_by(|(a, _), (b, _)| a.0.total_cmp(&b.0));
            let told = match rival {
                Some(((against, _), other)) if against >= 0.8 * broken => {
                    let gone = |path: &FieldPath| marginal(base, live, variation, path);
                    let (mine, its) = (gone(field), gone(other));
                    // A tenth of the values more: less is what a sample does.
                    if mine >= its + 0.1 {
                        Some(field)
                    } else if its >= mine + 0.1 {
                        Some(other)
                    } else {
                        None
                    }
                }
                _ => Some(field),
            };
            // Where nobody can tell which of them it was, none is named.
            let Some(field) = told.filter(|_| share >= 0.6) else { return Self::default() };
            left.push(field);
            open.retain(|(one, other), _| *one != field && *other != field);
        }
        if left.len() > MAX_BROKEN {
            return Self::default();
        }
        let held = |field: &&FieldPath| votes(state, field).0 == 0.0;
        let held = fields.iter().copied().filter(held).cloned().collect();
        let closest = |field: &FieldPath| {
            let of = ties::by_field(variation.ties()).remove(field).unwrap_or_default();
            of.into_iter()
                .filter(|tie| !left.contains(&&tie.by))
                .min_by(|a, b| a.loose.total_cmp(&b.loose))
                .cloned()
        };
        let left = left.iter().filter_map(|field| Some(((*field).clone(), closest(field)?))).collect();
        Self { left, held }
    }

    /// Whether a field left its peers.
    pub(super) fn left(&self, path: &FieldPath) -> bool {
        self.left.contains_key(path)
    }

    /// Whether a field still hangs together with all of its peers.
    pub(super) fn hold(&self, path: &FieldPath) -> bool {
        self.held.contains(path)
    }
}

fn is_broken(tie: &Tie, (was, is): (&[f64], &[f64]), alpha: f64, (unordered, known): (bool, bool)) -> bool {
    let beyond = if unordered { BEYOND } else { BEYOND_IN_ORDER };
    if ties::moved(was, is) < LEAST_MOVE.max(beyond * tie.reach) {
        return false;
    }
    let (was, is) = (Points::of_values(was), Points::of_values(is));
    // A fifth of the values elsewhere: some records that are out of line are no change of the field. Of few records in
    // order, whose kinds come in turn, it takes half.
    let least = if unordered || known { 0.2 } else { 0.5 };
    was.distance(&is, 0.0) >= least && course::measured(&was, &is, 1.0) < alpha
}

/// How far a field itself is from where it was, less what its own parts are from each other.
fn marginal(base: &Profile, live: &Profile, variation: &super::Variation, path: &FieldPath) -> f64 {
    let natural = variation.field(path).map_or(0.0, super::FieldVariation::reach).max(0.0);
    let distance =
        base.fields.get(path).zip(live.fields.get(path)).and_then(|(was, is)| swaps::resemblance(was, is));
    distance.unwrap_or(1.0) - natural
}

/// A record of the window: what the peer leads one to expect, and what is there.
type Seen = (f64, f64);

/// What happened to a field that left its peers.
pub(super) fn peers(lane: &Lane<'_>) -> Option<Change> {
    let tie = lane.ctx.peers.left.get(lane.path)?;
    let of = |profile: &'_ Profile| -> Vec<Seen> {
        let seen = |record: &SampledRecord| {
            let value = as_number(record.0.get(&tie.of)?)?;
            Some((tie.expected(as_number(record.0.get(&tie.by)?)?), value))
        };
        profile
            .entities
            .records
            .values()
            .filter_map(seen)
            .filter(|(e, v)| e.is_finite() && v.is_finite())
            .collect()
    };
    let (was, is) = (of(lane.ctx.base), of(lane.ctx.live));
    // What lies where hardly any record did, or all where the tie is too loose to tell one from the other.
    let mut offs: Vec<f64> = was.iter().map(|(e, v)| v - e).collect();
    offs.sort_by(f64::total_cmp);
    let (low, high) = (ties::at(&offs, 0.02), ties::at(&offs, 0.98));
    let new: Vec<Seen> = is.iter().copied().filter(|(e, v)| v - e < low || v - e > high).collect();
    let new = if new.len() * 10 >= is.len() * 3 { new } else { is.clone() };
    let reading = Reading::of(lane, &was, &new)?;
    let share = new.len() as f64 / is.len() as f64;
    let facts = Facts::new().with("beside", tie.by.to_string());
    let mut change = match reading {
        Reading::Factor(ratio, offset) => scale::scale_change(lane, ratio, offset, None, 0.0),
        Reading::Moved(word) => {
            let points = |of: &[Seen]| Points::of_values(&of.iter().map(|(e, v)| v - e).collect::<Vec<_>>());
            let (was, is) = (points(&was), points(&is));
            let effect = was.distance(&is, 0.0);
            let facts = Facts::new()
                .with("statistic", effect)
                .with("effect", effect)
                .with("p_value", course::measured(&was, &is, 1.0))
                .with("transform", word);
            lane.change(ChangeKind::DistributionShifted, facts)
        }
    };
    change.facts.extend(facts);
    if change.kind != ChangeKind::DistributionShifted {
        change.facts.set("share", share);
    }
    Some(change)
}

/// What was done to the values.
enum Reading {
    /// Another unit or sign: a factor, and what is added after it.
    Factor(f64, f64),
    /// A shift or a spread.
    Moved(&'static str),
}

impl Reading {
    /// The simplest of: another sign, another unit, a step, a stretch around the middle; whichever leaves the least
    /// between what is expected and what is there.
    fn of(lane: &Lane<'_>, was: &[Seen], new: &[Seen]) -> Option<Self> {
        if new.len() < 10 {
            return None;
        }
        let words = lane.path.name().map(super::context::name_words).unwrap_or_default();
        // What the tie left before, compared with the size of what it tells.
        let usual = nine_in_ten(was, |e| e);
        let step = middle(new.iter().map(|(e, v)| v - e));
        let centre = was.iter().map(|(_, v)| v).sum::<f64>() / was.len().max(1) as f64;
        let stretch = slope(new, centre);
        let ratio = middle(new.iter().filter(|(e, _)| *e != 0.0).map(|(e, v)| v / e));
        let shifted = nine_in_ten(new, |e| e + step);
        let spread = nine_in_ten(new, |e| centre + stretch * (e - centre));
        let moved = shifted.min(spread);
        // A unit also stretches what the tie leaves.
        let left = |r: f64, o: f64| nine_in_ten(new, |e| r * e + o) - usual * (r.abs() - 1.0).max(0.0);
        let known = units::units().iter().map(|unit| (unit.ratio, unit.offset)).chain([(-1.0, 0.0)]);
        // The middle of k ratios is known to 1.25 deviations over the root of k (the normal theory of the median).
        let error = {
            let logs: Vec<f64> = new.iter().filter(|(e, v)| e * v > 0.0).map(|(e, v)| (v / e).ln()).collect();
            let centre = middle(logs.iter().copied());
            let deviation = 1.4826 * middle(logs.iter().map(|log| (log - centre).abs()));
            1.25 * deviation / (logs.len().max(1) as f64).sqrt()
        };
        let spoken =
            |(r, o): &(f64, f64)| units::named(*r, *o, &words).is_some_and(|unit| unit.speaks(&words));
        // One of forty factors is near any stretch or step: what the name of the field does not speak for must be a
        // factor of every trade, or a sign, or be known to one in a hundred, and leave less by half.
        let fits = |(r, o): &(f64, f64)| {
            let about = *o != 0.0 || r * ratio > 0.0 && (ratio / r).ln().abs() <= 3.0 * error + 0.005;
            let told = spoken(&(*r, *o)) || *o == 0.0 && (*r < 0.0 || scale::is_common(*r) || error <= 0.003);
            let most = if spoken(&(*r, *o)) { moved.max(usual) * 1.1 } else { moved.max(2.0 * usual) / 2.0 };
            about && told && left(*r, *o) <= most
        };
        let best = known
            .filter(fits)
            .min_by(|a, b| (!spoken(a)).cmp(&!spoken(b)).then(left(a.0, a.1).total_cmp(&left(b.0, b.1))));
        if let Some((r, o)) = best {
            return Some(Self::Factor(r, o));
        }
        Some(Self::Moved(if spread < shifted { "spread" } else { "shift" }))
    }
}

/// How far nine in ten records are at most from what they would be.
fn nine_in_ten(records: &[Seen], would_be: impl Fn(f64) -> f64) -> f64 {
    let mut off: Vec<f64> = records.iter().map(|(e, v)| (v - would_be(*e)).abs()).collect();
    off.sort_by(f64::total_cmp);
    ties::at(&off, 0.9)
}

/// The stretch around a centre: the slope of least squares through it.
fn slope(records: &[Seen], centre: f64) -> f64 {
    let (mut xx, mut xy) = (0.0, 0.0);
    for (e, v) in records {
        (xx, xy) = (xx + (e - centre).powi(2), xy + (e - centre) * (v - centre));
    }
    if xx > 0.0 { xy / xx } else { 1.0 }
}

/// Whether a change is one that the peers of its field tell.
pub(super) fn tell(ctx: &Context<'_>, change: &Change) -> bool {
    ctx.peers.left(&change.path)
        && matches!(
            change.kind,
            ChangeKind::ScaleChanged | ChangeKind::SignFlipped | ChangeKind::DistributionShifted
        )
}
