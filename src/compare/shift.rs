//! Values that stand still, come in fewer kinds, or are distributed otherwise, where no simpler reading fits.

use super::cdf::{Points, numbers_of};
use super::context::{Lane, MIN_SUPPORT};
use super::sequence::Sequence;
use super::{course, enums, ranks, scale, serial, stats};
use crate::model::{Change, ChangeKind, Facts, JsonType};
use crate::profile::{FieldProfile, MinHashes, SampleValue};

/// One value for most of the window.
pub(super) fn constant(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (distinct(lane.base)?, distinct(lane.live)?);
    let (n, m) = (scalars(lane.base), scalars(lane.live));
    if n < MIN_SUPPORT || m < MIN_SUPPORT || lane.pairs_say_unchanged() {
        return None;
    }
    // Texts of which none is as long as the shortest was are cut, alike or not.
    if let (Some(base), Some(live)) = (lane.base.strings.as_deref(), lane.live.strings.as_deref())
        && live.max_length < base.min_length
    {
        return None;
    }
    let (was, is) = (base.estimate_distinct(), live.estimate_distinct());
    let (top_was, top_is) = (top_share(lane, Of::Base), top_share(lane, Of::Live));
    // A value so frequent before would be no news, nor is a rise of a frequent one.
    let hits = |share: f64, all: u64| ((share * all as f64).round() as u64, all);
    let sure = lane.fisher(hits(top_was, n), hits(top_is, m)) < lane.ctx.alpha;
    let natural = lane.ctx.variation.field(lane.path).map_or(0.0, |v| v.distance);
    let outlasts = lane.is_in_runs() && outlasts_runs(lane);
    let run = lane.is_in_runs() && !outlasts;
    // That values move on by themselves is no reason why they should stop.
    let natural = if outlasts { 0.0 } else { natural };
    // Others of equal standing beside it: fewer values, not one.
    let (heads_was, heads_is) = (head_share(lane.base, 2), head_share(lane.live, 2));
    let two = matches!((heads_was, heads_is), (Some(was), Some(is))
        if is >= 0.95 && top_is < 0.95 && (is - top_is) - (was - top_was) >= 0.1);
    // Nine in ten, or all from some record on; in between others came as before, and one value only comes more often.
    let stands = top_is >= 0.9
        || top_is >= 0.5 && Sequence::of(lane).map_or(top_is >= 0.6, |values| values.stand_still() >= 0.5);
    if sure
        && !run
        && !two
        && (stands || top_is >= 0.6)
        && top_is - top_was >= (0.35_f64).max(2.0 * natural)
        && was >= 3.0
    {
        let facts = Facts::new()
            .with("distinct", is.round() as u64)
            .with("baseline_distinct", was.round() as u64)
            .with("share", top_is)
            .with("baseline_share", top_was);
        // What stands still does so from one record on; what comes now and then, and more often, is another mix.
        if !is_moment(lane.base) && !stands {
            let facts = facts.with("effect", top_is - top_was).with("statistic", top_is - top_was);
            return Some(lane.change(ChangeKind::DistributionShifted, facts.with("transform", "mix")));
        }
        let facts = facts.with("transform", if is_moment(lane.base) { "moment" } else { "constant" });
        return Some(lane.change(ChangeKind::Stale, facts));
    }
    None
}

/// A few values over and over in the same order, where there were many: what was recorded once is played back.
pub(super) fn replay(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (distinct(lane.base)?, distinct(lane.live)?);
    if scalars(lane.base) < MIN_SUPPORT || lane.pairs_say_unchanged() {
        return None;
    }
    let (was, is) = (base.estimate_distinct(), live.estimate_distinct());
    let round = Sequence::of(lane)?.round()?;
    // Weekdays and the like come round by themselves.
    if was < 2.0 * round as f64 + 3.0 {
        return None;
    }
    let facts = Facts::new()
        .with("baseline_distinct", was.round() as u64)
        .with("live_distinct", is.round() as u64)
        .with("distinct", round)
        .with("transform", "replay");
    Some(lane.change(ChangeKind::Stale, facts))
}

/// Whether a field whose values come in runs ends in one that runs as long as those of the baseline hardly do: a field
/// that stands still does so up to the end of the window.
fn outlasts_runs(lane: &Lane<'_>) -> bool {
    let values: Vec<Option<&SampleValue>> = lane.values_in_order().collect();
    let last = values.iter().rev().take_while(|value| **value == values[values.len() - 1]).count();
    let runs = lane.ctx.variation.field(lane.path).map_or(0, |v| v.runs);
    // Runs that end at any record alike last so long with a chance of exp(-length / mean length); a baseline of k runs
    // has a mean length of one in k of its records.
    let share = last as f64 / values.len().max(1) as f64;
    share >= 0.6 && (-share * f64::from(runs)).exp() < lane.ctx.alpha
}

/// Whether numbers come from far fewer distinct values than before: a replay, which fits any unit by chance.
pub(super) fn is_replay(lane: &Lane<'_>) -> bool {
    collapse(lane)
        .is_some_and(|change| change.facts.number("distinct").is_some_and(|distinct| distinct <= 12.0))
}

/// Far fewer distinct values.
pub(super) fn collapse(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (distinct(lane.base)?, distinct(lane.live)?);
    let (n, m) = (scalars(lane.base), scalars(lane.live));
    // Moments come in bursts: how many distinct ones a window holds is the traffic's business.
    if n < MIN_SUPPORT || m < MIN_SUPPORT || lane.pairs_say_unchanged() || is_moment(lane.base) {
        return None;
    }
    let (was, is) = (base.estimate_distinct(), live.estimate_distinct());
    // Distinct values grow no faster than records.
    let expected = was * (m as f64 / n as f64).min(1.0);
    let strewn = is_strewn(lane, is, expected);
    let stands_on_few = few_from_some_record_on(lane);
    // How many runs a window holds varies as the runs do; next to nothing of many is news even so, and so are a few
    // values that come in no runs any more.
    if lane.is_in_runs() && is > 0.1 * was && !strewn && !stands_on_few {
        return None;
    }
    let hits = |share: f64, all: u64| ((share * all as f64).round() as u64, all);
    let natural = lane.ctx.variation.field(lane.path).map_or(0.0, |v| v.distance);
    // Fewer distinct values than even a window of this size must show.
    let same = live.containment(base);
    // Half of them, less what the field's own parts have that the others have not.
    let most = if strewn { 0.5 } else { 0.5 - natural.clamp(0.0, 0.25) };
    let fewer = is <= most * expected;
    let collapsed = fewer && expected - is >= 3.0 && (natural < 0.25 || strewn);
    if !collapsed && !stands_on_few {
        return None;
    }
    let (heads_was, heads_is) = (head_share(lane.base, 5), head_share(lane.live, 5));
    // More distinct values before than can be kept, or half of forty gone: no test is needed.
    let plain = strewn
        || stands_on_few
        || !collapsed
        || heads_was.is_none() && heads_is.is_some()
        || (heads_was.is_none() || heads_is.is_none()) && expected >= 40.0;
    let p_value = (!plain).then(|| match (heads_was, heads_is) {
        // The few that were frequent may be those that are left; then the others are missed.
        (Some(was), Some(is)) => lane.fisher(hits(was, n), hits(is, m)).min(missed(lane)),
        _ => missed(lane),
    });
    if p_value.is_some_and(|p| p >= lane.ctx.alpha) {
        return None;
    }
    // A handful of values over and over is a replay; two or three out of a vocabulary are a collapse. Of values that were
    // nearly all different several come again and again: they are sent anew.
    let one = is < 1.5;
    let numeric = lane.live.numbers.is_some() || frequent(lane) >= 4;
    let kind = if numeric || one { ChangeKind::Stale } else { ChangeKind::CardinalityChanged };
    let mut facts = Facts::new()
        .with("baseline_distinct", was.round() as u64)
        .with("live_distinct", is.round() as u64)
        .with("distinct", is.round() as u64)
        .with("share", heads_is.unwrap_or(0.0))
        .with("containment", same)
        .with("strewn", strewn)
        .with(
            "transform",
            if one {
                "constant"
            } else if numeric {
                "replay"
            } else {
                "fewer"
            },
        );
    if let Some(p_value) = p_value {
        facts.set("p_value", p_value);
    }
    Some(lane.change(kind, facts))
}

/// Whether a handful of values is all that comes of dozens, in no order: where a run of the order holds few values, it
/// holds them one after the other.
fn is_strewn(lane: &Lane<'_>, is: f64, expected: f64) -> bool {
    let few = (2.0..=5.0).contains(&is) && expected >= 24.0;
    let values: Vec<_> = lane.values_in_order().collect();
    few && values.len() as u64 >= MIN_SUPPORT && serial::runs(&values).0 >= 0.05
}

/// The chance that a window holds none of the values that it lacks, where all are counted and none is new.
fn missed(lane: &Lane<'_>) -> f64 {
    let (Some(base), Some(live)) = (enums::counts(lane.base), enums::counts(lane.live)) else { return 1.0 };
    if live.keys().any(|value| !base.contains_key(value)) {
        return 1.0;
    }
    let lost: u64 = base.iter().filter(|(value, _)| !live.contains_key(*value)).map(|(_, count)| count).sum();
    let less = |count: u64| (count as f64 / lane.spread().max(1.0)) as u64;
    stats::fisher(less(lost), less(base.values().sum()), 0, less(live.values().sum()))
}

/// Whether two or three values are all that comes for half of the window at one of its ends, although all others came
/// among them before.
fn few_from_some_record_on(lane: &Lane<'_>) -> bool {
    const FEW: usize = 3;
    let Some(sequence) = Sequence::of(lane) else { return false };
    let (values, length, all) = sequence.stretch_of(FEW);
    // Whichever they are, their share was that of the most frequent ones at most, in each draw; a run is one draw, by
    // its length before and by how many there are now.
    let draws = (length as f64 / lane.spread().max(1.0)).min(sequence.runs_of(&values) as f64);
    let any = || values.len() >= 2 && head(lane, FEW).powf(draws) < lane.ctx.alpha;
    let many = distinct(lane.base).is_some_and(|base| base.estimate_distinct() >= 2.0 * FEW as f64);
    if many && lane.ctx.variation.is_known() && length * 2 >= all && any() {
        return true;
    }
    let (Some(counts), true) = (enums::counts(lane.base), lane.is_exchangeable()) else { return false };
    let known = values.iter().map(|value| counts.get(value).copied().unwrap_or(0)).sum::<u64>();
    let share = known as f64 / counts.values().sum::<u64>().max(1) as f64;
    // Any set of so few values might be the one: as many chances as there are sets.
    let sets = (counts.len() as f64).powi(FEW as i32);
    counts.len() >= 2 * FEW
        && length * 2 >= all
        && values.iter().all(|value| counts.contains_key(value))
        && sets * share.powf(length as f64 / lane.spread().max(1.0)) < lane.ctx.alpha
}

/// The share of the `k` most frequent values of the baseline: exact where all are counted, else out of sampled records.
fn head(lane: &Lane<'_>, k: usize) -> f64 {
    head_share(lane.base, k).unwrap_or_else(|| {
        let mut counts = std::collections::BTreeMap::<serial::Told, u64>::new();
        for value in
            Lane::sample(lane.ctx.base, lane.path).filter(|value| !matches!(value, SampleValue::Null))
        {
            *counts.entry(serial::told(Some(value))).or_default() += 1;
        }
        let all = counts.values().sum::<u64>().max(1) as f64;
        let mut counts: Vec<u64> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.iter().take(k).sum::<u64>() as f64 / all
    })
}

/// Values that came several times each, and now once each: what told a group tells a record.
pub(super) fn unique(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (distinct(lane.base)?, distinct(lane.live)?);
    let (n, m) = (scalars(lane.base), scalars(lane.live));
    // Of fewer values than that many are distinct by chance, of moments as many as the traffic makes.
    if n < ENOUGH || m < ENOUGH || is_moment(lane.base) {
        return None;
    }
    let (was, is) = (base.estimate_distinct(), live.estimate_distinct());
    // The estimate beyond 256 distinct values is off by a sixteenth (one over the root of the sketch's size).
    let all = if live.is_complete() { is >= m as f64 } else { is >= 0.9 * m as f64 };
    (all && was <= 0.5 * (n.min(m)) as f64).then(|| {
        let facts = Facts::new()
            .with("baseline_distinct", was.round() as u64)
            .with("live_distinct", is.round() as u64)
            .with("distinct", is.round() as u64)
            .with("transform", "unique");
        lane.change(ChangeKind::CardinalityChanged, facts)
    })
}

/// How many values the window has each in one sampled record of twelve, and more: five in turn have a fifth each, and a
/// seventh where they began in its midst.
fn frequent(lane: &Lane<'_>) -> usize {
    let mut counts = std::collections::BTreeMap::<u64, usize>::new();
    let mut all = 0;
    for value in Lane::sample(lane.ctx.live, lane.path) {
        if let SampleValue::Text { hash, .. } = value {
            *counts.entry(*hash).or_default() += 1;
            all += 1;
        }
    }
    counts.values().filter(|count| **count * 12 >= all).count()
}

pub(super) fn is_moment(field: &FieldProfile) -> bool {
    field.strings.as_deref().is_some_and(|s| s.main_format().is_instant())
        || field.numbers.as_deref().is_some_and(|n| n.epoch().is_some())
}

fn scalars(field: &FieldProfile) -> u64 {
    field.strings.as_deref().map_or(0, |s| s.count) + field.numbers.as_deref().map_or(0, |n| n.count)
}

fn distinct(field: &FieldProfile) -> Option<&MinHashes> {
    match (field.strings.as_deref(), field.numbers.as_deref()) {
        (Some(strings), None) => Some(&strings.distinct),
        (None, Some(numbers)) => Some(&numbers.distinct),
        (Some(strings), Some(numbers)) => {
            Some(if strings.count >= numbers.count { &strings.distinct } else { &numbers.distinct })
        }
        (None, None) => None,
    }
}

#[derive(Clone, Copy)]
enum Of {
    Base,
    Live,
}

/// The share of the most frequent value: exact where all are counted, else out of the sampled records.
fn top_share(lane: &Lane<'_>, of: Of) -> f64 {
    let (field, profile) = match of {
        Of::Base => (lane.base, lane.ctx.base),
        Of::Live => (lane.live, lane.ctx.live),
    };
    let top = match (field.strings.as_deref(), field.numbers.as_deref()) {
        (Some(strings), _) => &strings.top,
        (None, Some(numbers)) => &numbers.top,
        (None, None) => return 0.0,
    };
    if !top.overflown {
        let most = top.counts.values().map(|(count, _)| *count).max().unwrap_or(0);
        return most as f64 / scalars(field).max(1) as f64;
    }
    let mut counts = std::collections::BTreeMap::<u64, u64>::new();
    let mut all = 0_u64;
    for value in Lane::sample(profile, lane.path) {
        let key = match value {
            SampleValue::Number(number, _) => number.to_bits(),
            SampleValue::Text { hash, .. } => *hash,
            SampleValue::Null | SampleValue::Bool(_) | SampleValue::Container(..) => continue,
        };
        *counts.entry(key).or_default() += 1;
        all += 1;
    }
    counts.values().max().map_or(0.0, |most| *most as f64 / all as f64)
}

/// The share of the `k` most frequent values, where all are counted.
fn head_share(field: &FieldProfile, k: usize) -> Option<f64> {
    let top = match (field.strings.as_deref(), field.numbers.as_deref()) {
        (Some(strings), _) => &strings.top,
        (None, Some(numbers)) => &numbers.top,
        (None, None) => return None,
    };
    if top.overflown {
        return None;
    }
    let mut counts: Vec<u64> = top.counts.values().map(|(count, _)| *count).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    Some(counts.iter().take(k).sum::<u64>() as f64 / scalars(field).max(1) as f64)
}

/// Booleans that changed sides.
pub(super) fn booleans(lane: &Lane<'_>) -> Option<Change> {
    let (n, m) = (lane.base.types.get(JsonType::Boolean), lane.live.types.get(JsonType::Boolean));
    if n < MIN_SUPPORT || m < MIN_SUPPORT {
        return None;
    }
    let paired: Vec<(bool, bool)> = lane
        .ctx
        .pairs
        .values(lane.path, lane.path)
        .filter_map(|(b, l)| match (b, l) {
            (SampleValue::Bool(b), SampleValue::Bool(l)) => Some((*b, *l)),
            _ => None,
        })
        .collect();
    if paired.is_empty() && lane.ctx.pairs.same_population() {
        return None;
    }
    let turned = paired.iter().filter(|(b, l)| b != l).count();
    if paired.len() >= super::pairs::MIN_PAIRS && turned * 10 < paired.len() * 9 {
        return None;
    }
    let (was, is) = (lane.base.trues as f64 / n as f64, lane.live.trues as f64 / m as f64);
    if exchanged(&paired) {
        let facts = Facts::new()
            .with("effect", (is - was).abs())
            .with("baseline_share", was)
            .with("live_share", is)
            .with("paired", paired.len())
            .with("agreeing", turned)
            .with("transform", "inverted");
        return Some(lane.change(ChangeKind::DistributionShifted, facts));
    }
    // Records of no order move by chance alone; what their blocks seem to move beside is chance as well.
    let still = lane.ctx.course.is_unordered() && lane.is_exchangeable();
    let by = if still { 1.0 } else { lane.spread().max(lane.share_spread()) };
    let less = |count: u64| (count as f64 / by).round() as u64;
    let p_value = stats::fisher(less(lane.base.trues), less(n), less(lane.live.trues), less(m));
    let natural = lane.ctx.variation.field(lane.path).map_or(0.0, |v| v.distance);
    // A rate that goes up and down within the baseline must leave its range clearly: that its blocks differ at all
    // says that the next may differ as much again. Half of the records elsewhere is news even there.
    // A rate that lies at the mirror image of what it was, as near as the blocks lie to each other, was turned round: if
    // it had a side, which the blocks left no more than they leave each other.
    let mirrors = (1.0 - was - is).abs() <= natural.max(0.1) && (was - 0.5).abs() > natural;
    let least = if lane.is_exchangeable() {
        (0.15_f64).max(2.0 * natural)
    } else if mirrors {
        (2.0 * natural).clamp(0.3, 0.5)
    } else {
        (3.0 * natural).clamp(0.3, 0.5)
    };
    if p_value >= lane.ctx.alpha || (was - is).abs() < least {
        return None;
    }
    // Of few records in order nothing is known but what the other fields of the same records did.
    if !lane.ctx.variation.is_known() && !lane.ctx.course.beside(lane.path).quiet {
        return None;
    }
    // Turned round, wholly or for the later part of the window: the rate went towards its mirror image.
    let mirror = 1.0 - was;
    let part = if (mirror - was).abs() > 0.1 { (is - was) / (mirror - was) } else { 0.0 };
    // Less than half of the way is another mix, which small windows do not tell from the course of things.
    let transform = if (0.55..=1.2).contains(&part) { "inverted" } else { "mix" };
    // Records in order move together: there it takes half of the values in another place, or a rate that was not near
    // its mirror image anyway.
    let ordinary =
        !lane.ctx.course.is_unordered() && (was - is).abs() < if transform == "mix" { 0.5 } else { 0.3 };
    if ordinary || transform == "mix" && n.min(m) < ENOUGH && !stands_out(lane, p_value) {
        return None;
    }
    let facts = Facts::new()
        .with("statistic", is - was)
        .with("effect", (is - was).abs())
        .with("p_value", p_value)
        .with("baseline_share", was)
        .with("live_share", is)
        .with("transform", transform);
    Some(lane.change(ChangeKind::DistributionShifted, facts))
}

/// Whether nine in ten entities seen on both sides have the other value, of those that were true as of those that were
/// false: flags that time alone turns, such as `is_new`, turn in one direction.
fn exchanged(paired: &[(bool, bool)]) -> bool {
    let all = |side: bool| {
        let (of, turned) = paired
            .iter()
            .filter(|(b, _)| *b == side)
            .fold((0, 0), |(of, turned), (b, l)| (of + 1, turned + usize::from(b != l)));
        of * 2 >= super::pairs::MIN_PAIRS && turned * 10 >= of * 9
    };
    all(true) && all(false)
}

/// Numbers that moved and came with more decimals than any had: someone computes them in another way, since other
/// records alone bring no decimals.
fn recomputed(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (numbers_of(lane.base)?, numbers_of(lane.live)?);
    if base.count < MIN_SUPPORT || live.count < MIN_SUPPORT || !scale::is_recomputed(base, live) {
        return None;
    }
    let (was, is) = (Points::of_numbers(base), Points::of_numbers(live));
    let by = lane.spread().max(1.0);
    let p_value = course::measured(&was, &is, by);
    let (location, scale) = (ranks::location(&was, &is, by), ranks::scale(&was, &is, by));
    let word = if scale.effect() > location.effect() { "spread" } else { "shift" };
    (p_value < lane.ctx.alpha && location.effect().max(scale.effect()) >= LEAST_EFFECT)
        .then(|| shifted(lane, word, was.distance(&is, 0.0), p_value))
}

/// Other frequencies of the same values, or other numbers.
pub(super) fn distribution(lane: &Lane<'_>) -> Option<Change> {
    // Where the same entities are seen again, each has its own reason to move; without a history of windows nothing
    // can be said about how far they may.
    if lane.ctx.pairs.same_population() || is_moment(lane.base) {
        return None;
    }
    // In the order of time all move together, and what still hangs together with its peers went with them.
    if !lane.ctx.course.is_unordered() && lane.ctx.peers.hold(lane.path) {
        return None;
    }
    let steady = |change: &Change| {
        let dwarfs = || change.facts.number("effect").is_some_and(|effect| lane.dwarfs(effect));
        // Kinds of records come in phases, of which the next may hold another mixture; then other fields show it.
        let mix = change.facts.text("transform") == Some("mix");
        let alone = || !mix || lane.ctx.course.is_unordered() || lane.ctx.course.beside(lane.path).quiet;
        lane.is_exchangeable() || dwarfs() && alone()
    };
    let moved = categories(lane).or_else(|| dominated(lane)).or_else(|| measures(lane));
    moved.filter(steady).or_else(|| recomputed(lane))
}

/// One word of a vocabulary that took over more than a third of the records from the others, and most of all: so much
/// is news in a window of any size, where the records come in no order.
fn dominated(lane: &Lane<'_>) -> Option<Change> {
    lane.base.strings.as_deref()?;
    let (base, live) = (enums::counts(lane.base)?, enums::counts(lane.live)?);
    let (n, m) = (scalars(lane.base), scalars(lane.live));
    let (was, is) = (top_share(lane, Of::Base), top_share(lane, Of::Live));
    if n.min(m) < MIN_SUPPORT || !(3..=enums::VOCABULARY).contains(&base.len()) || is < 0.6 || is - was < 0.35
    {
        return None;
    }
    let (n_all, m_all) = (n as f64, m as f64);
    let cells = stats::cells(&base, &live, 1.0);
    let effect = cells.iter().map(|(a, b)| (a / n_all - b / m_all).abs()).sum::<f64>() / 2.0;
    let p_value = stats::fisher((was * n_all).round() as u64, n, (is * m_all).round() as u64, m);
    (lane.ctx.variation.is_unordered() && p_value < lane.ctx.alpha)
        .then(|| shifted(lane, "mix", effect, p_value))
}

/// Plain movement is told from the ordinary course of things by how the parts of the baseline differ; parts of less
/// than a dozen records do not tell. Fewer records will do where the other fields stand witness ([`stands_out`]).
const ENOUGH: u64 = 100;

/// The least part of the values that must lie elsewhere, or the least superiority of one window's values over the
/// other's beyond a half: a tenth is what people see in a chart.
const LEAST_EFFECT: f64 = 0.1;

/// Whether a field moved alone: all others of the same two windows are where chance leaves them, and this one is not,
/// though its statistic is brought down by whatever the others show.
fn stands_out(lane: &Lane<'_>, p_value: f64) -> bool {
    let others = lane.ctx.course.beside(lane.path);
    others.quiet && others.unordered && stats::deflated(p_value, others.inflation) < lane.ctx.alpha
}

fn categories(lane: &Lane<'_>) -> Option<Change> {
    lane.base.strings.as_deref()?;
    let (base, live) = (enums::counts(lane.base)?, enums::counts(lane.live)?);
    let (n, m) = (base.values().sum::<u64>() as f64, live.values().sum::<u64>() as f64);
    let least = n.min(m);
    if least < MIN_SUPPORT as f64 {
        return None;
    }
    let by = lane.spread().max(1.0);
    let cells = stats::cells(&base, &live, 1.0);
    let effect = cells.iter().map(|(a, b)| (a / n - b / m).abs()).sum::<f64>() / 2.0;
    // The most moved category alone, against all others: what a vendor does to one value.
    let one = cells
        .iter()
        .map(|(a, b)| stats::fisher((a / by) as u64, (n / by) as u64, (b / by) as u64, (m / by) as u64));
    let p_one = one.fold(1.0, f64::min) * cells.len() as f64;
    let p_value = (2.0 * stats::g_test(&stats::cells(&base, &live, by)).0.min(p_one)).min(1.0);
    let natural = lane.ctx.variation.field(lane.path).map_or(0.0, |v| v.distance);
    if p_value >= lane.ctx.alpha || effect < LEAST_EFFECT.max(2.0 * natural) {
        return None;
    }
    // Lists of things change their proportions with the things.
    let apart = lane.ctx.course.is_unordered() || effect >= 0.5;
    // The next run of an order is no other mix.
    let values: Vec<_> = lane.values_in_order().collect();
    if !lane.ctx.course.is_unordered() && serial::runs(&values).0 < 0.01 {
        return None;
    }
    let told =
        least >= ENOUGH as f64 && base.len() <= enums::VOCABULARY && apart && lane.ctx.variation.is_known();
    (told || stands_out(lane, p_value)).then(|| shifted(lane, "mix", effect, p_value))
}

fn measures(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (numbers_of(lane.base)?, numbers_of(lane.live)?);
    if base.count < MIN_SUPPORT || live.count < MIN_SUPPORT {
        return None;
    }
    // Where counters and numbers of things stand says nothing of the things.
    if base.whole == base.count && super::types::says_identifier(lane.path) {
        return None;
    }
    let (was, is) = (Points::of_numbers(base), Points::of_numbers(live));
    let by = lane.spread().max(1.0);
    let (location, scale) = (ranks::location(&was, &is, by), ranks::scale(&was, &is, by));
    let distance = was.distance(&is, 0.0);
    let p_value = course::measured(&was, &is, by);
    let natural = lane.ctx.variation.field(lane.path).map_or(0.0, |v| v.distance);
    if p_value >= lane.ctx.alpha || distance <= 2.0 * natural {
        return None;
    }
    // Three in ten values beyond where they would be: what one sees in a histogram without a test. Less is what a
    // week does to the next, unless the other fields of the same records stood still.
    // Records in order move together; half of the values elsewhere is news even there.
    let apart =
        lane.ctx.variation.is_unordered() || distance >= 0.5 || lane.ctx.course.beside(lane.path).quiet;
    let told = base.count.min(live.count) >= ENOUGH
        && apart
        && lane.ctx.variation.is_known()
        && distance >= 0.3
        && scale::significant(lane, distance, was.count(), is.count());
    let effect = location.effect().max(scale.effect());
    if !told && (effect.min(distance) < LEAST_EFFECT || !stands_out(lane, p_value)) {
        return None;
    }
    let word = if scale.effect() > location.effect() { "spread" } else { "shift" };
    Some(shifted(lane, word, distance, p_value))
}

fn shifted(lane: &Lane<'_>, transform: &str, effect: f64, p_value: f64) -> Change {
    let facts = Facts::new()
        .with("statistic", effect)
        .with("effect", effect)
        .with("p_value", p_value)
        .with("transform", transform);
    lane.change(ChangeKind::DistributionShifted, facts)
}
