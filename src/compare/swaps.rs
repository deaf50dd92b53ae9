//! Two fields that exchanged their contents.
//!
//! Every pair of fields may be such a pair, and a wide stream has a million of them. So the values of the entities
//! seen on both sides are looked up once for each field, and a field is weighed against few others: against those
//! that changed in the same entities, and against the nearest of those that no longer look like themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::cdf::{Points, numbers_of};
use super::context::{Context, MIN_SUPPORT};
use super::pairs::{self, MIN_PAIRS};
use super::stats;
use crate::model::{Change, ChangeKind, FieldPath};
use crate::profile::{FieldProfile, NumberProfile, Profile, SampleValue, SampledRecord};

/// Fields whose values changed in entities seen on both sides, at most; each is held against each of them.
const MAX_CHANGED: usize = 1_000;
/// Where no entities pair, this many others are weighed on each side of a field: those whose numbers lie nearest to
/// what it held, and twice as many that have the most of its words. The true partner is the first of them but for
/// chance.
const NEAREST: usize = 16;
/// A word that more fields hold than this tells none of them.
const COMMON: usize = 64;
/// Of two fields that exchanged their contents each is far from what it was itself. As distances go, what it held is
/// no further from what the other one held than by the two steps between them; so a partner that moved by less than
/// four tenths of what sets both apart, which is a quarter at least, is none.
const UNMOVED: f64 = 0.1;

/// Finds swaps among fields whose values changed, and puts one change in place of the two.
pub(super) fn swaps(ctx: &Context<'_>, changes: &mut Vec<Change>) {
    let columns = columns(ctx);
    let moved: Vec<usize> = {
        let told: BTreeSet<&FieldPath> =
            changes.iter().filter(|c| is_about_values(c)).map(|c| &c.path).collect();
        // A swap in a small window is plain by the two fields together where neither is by itself.
        let is_moved = |c: &Column<'_>| told.contains(c.path) || looks_other(ctx, c);
        (0..columns.len()).filter(|at| is_moved(&columns[*at])).collect()
    };
    let mut taken = vec![false; columns.len()];
    let mut found: Vec<(&FieldPath, &FieldPath, Option<Paired>)> = Vec::new();
    let crossed = crossed(ctx, &columns, |value| match value {
        SampleValue::Text { hash, .. } => Some(*hash),
        _ => None,
    });
    let rewritten = self::crossed(ctx, &columns, |value| match value {
        SampleValue::Text { pattern, .. } => Some(pattern.as_str()),
        _ => None,
    });
    for (one, other) in turned(ctx, &columns).into_iter().chain(crossed).chain(rewritten) {
        if !taken[one] && !taken[other] {
            (taken[one], taken[other]) = (true, true);
            found.push((columns[one].path, columns[other].path, None));
        }
    }
    if moved.is_empty() && found.is_empty() {
        return;
    }
    let partners = Partners::of(ctx, &columns);
    for one in moved {
        if taken[one] {
            continue;
        }
        let of = partners.of_column(&columns, one);
        let swapped = of
            .into_iter()
            .filter(|other| *other != one && !taken[*other])
            .find_map(|other| Some((other, swapped(ctx, &columns[one], &columns[other])?)));
        if let Some((other, evidence)) = swapped {
            (taken[one], taken[other]) = (true, true);
            found.push((columns[one].path, columns[other].path, evidence));
        }
    }
    for (one, other, evidence) in found {
        changes.retain(|c| !(is_about_values(c) && (c.path == *one || c.path == *other)));
        let mut facts = ctx
            .facts(ctx.base.fields.get(one), ctx.live.fields.get(one))
            .with("other", other.to_string())
            .with("transform", "swap");
        if let Some(Paired { all, agreeing }) = evidence {
            facts.set("paired", all);
            facts.set("agreeing", agreeing);
        }
        changes.push(Change { kind: ChangeKind::Swapped, path: one.clone(), to: vec![other.clone()], facts });
    }
}

/// A field that both sides have.
struct Column<'a> {
    path: &'a FieldPath,
    was: &'a FieldProfile,
    is: &'a FieldProfile,
    /// Its values before and after, by entity seen on both sides; empty where too few are.
    values: Vec<(Option<&'a SampleValue>, Option<&'a SampleValue>)>,
    /// How many of those entities have another value now.
    changed: usize,
    /// How far it is from what it was itself; `None` for another type.
    apart: Option<f64>,
}

/// The fields of both sides in the order of their paths, the sampled values of all looked up in one pass.
fn columns<'a>(ctx: &Context<'a>) -> Vec<Column<'a>> {
    let (base, live): (&'a Profile, &'a Profile) = (ctx.base, ctx.live);
    let mut columns: Vec<Column<'a>> = base
        .fields
        .iter()
        .filter_map(|(path, was)| {
            let is = live.fields.get(path)?;
            Some(Column { path, was, is, values: Vec::new(), changed: 0, apart: resemblance(was, is) })
        })
        .collect();
    let records = &ctx.pairs.records;
    if records.len() < MIN_PAIRS {
        return columns;
    }
    for column in &mut columns {
        column.values = vec![(None, None); records.len()];
    }
    for (row, (before, after)) in records.iter().enumerate() {
        // Both are in the order of their paths.
        let (mut before, mut after) = (before.0.iter().peekable(), after.0.iter().peekable());
        for column in &mut columns {
            while before.next_if(|(path, _)| *path < column.path).is_some() {}
            while after.next_if(|(path, _)| *path < column.path).is_some() {}
            let was = before.next_if(|(path, _)| *path == column.path).map(|(_, value)| value);
            let is = after.next_if(|(path, _)| *path == column.path).map(|(_, value)| value);
            column.values[row] = (was, is);
            column.changed +=
                usize::from(matches!((was, is), (Some(was), Some(is)) if !pairs::equal(was, is)));
        }
    }
    columns
}

fn looks_other(ctx: &Context<'_>, column: &Column<'_>) -> bool {
    let enough = |f: &FieldProfile| f.scalars() >= MIN_SUPPORT;
    let steady = ctx.variation.field(column.path).is_none_or(|v| v.exchangeable);
    steady && enough(column.was) && enough(column.is) && column.apart.is_some_and(|apart| apart >= 0.35)
}

/// Which fields may hold now what another one held.
struct Partners {
    /// Those that changed in the entities seen on both sides, in their order.
    changed: Vec<usize>,
    /// The middle of the numbers of now, ascending; of fields that moved.
    numbers: Vec<(f64, usize)>,
    /// The hashes of the words of now, ascending; of fields that moved.
    words: Vec<(u64, usize)>,
}

impl Partners {
    fn of(ctx: &Context<'_>, columns: &[Column<'_>]) -> Self {
        // Of eight entities that tell two fields apart nine in ten must agree, and each of these changed both fields.
        let changed = (0..columns.len()).filter(|at| columns[*at].changed >= MIN_PAIRS);
        let mut partners =
            Self { changed: changed.take(MAX_CHANGED).collect(), numbers: Vec::new(), words: Vec::new() };
        // Of the same entities the pairs alone decide.
        if ctx.pairs.same_population() {
            return partners;
        }
        for (at, column) in columns.iter().enumerate() {
            if column.apart.is_none_or(|apart| apart <= UNMOVED) {
                continue;
            }
            partners.numbers.extend(middle(column.is).map(|middle| (middle, at)));
            let words = column.is.strings.iter().flat_map(|s| s.distinct.hashes());
            partners.words.extend(words.map(|hash| (*hash, at)));
        }
        partners.numbers.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        partners.words.sort_unstable();
        partners
    }

    /// The fields that one is to be held against, in their order.
    fn of_column(&self, columns: &[Column<'_>], one: usize) -> BTreeSet<usize> {
        let column = &columns[one];
        let mut partners = BTreeSet::new();
        if column.changed >= MIN_PAIRS {
            partners.extend(self.changed.iter().copied());
        }
        if let Some(middle) = middle(column.was) {
            let at = self.numbers.partition_point(|(other, _)| *other < middle);
            let near = at.saturating_sub(NEAREST)..(at + NEAREST).min(self.numbers.len());
            partners.extend(self.numbers[near].iter().map(|(_, at)| *at));
        }
        let mut shared: Vec<usize> = Vec::new();
        for hash in column.was.strings.iter().flat_map(|s| s.distinct.hashes()) {
            let from = self.words.partition_point(|(other, _)| other < hash);
            let holding = self.words[from..].iter().take_while(|(other, _)| other == hash);
            if holding.clone().nth(COMMON).is_none() {
                shared.extend(holding.map(|(_, at)| *at));
            }
        }
        shared.sort_unstable();
        let mut by_words: Vec<(usize, usize)> =
            shared.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
        by_words.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
        partners.extend(by_words.into_iter().take(2 * NEAREST).map(|(_, at)| at));
        partners
    }
}

/// Pairs of fields of texts of which each holds now what only the other one held, record by record: words (places and
/// regions), or ways of writing (codes of two and of three letters). In a list each window has its own words; that
/// those of two fields come back in each other's place is no course of things.
fn crossed<'a, K: Ord + Copy>(
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

/// The value that half of the numbers of a field stay below.
fn middle(field: &FieldProfile) -> Option<f64> {
    numbers_of(field)?.quantiles.quantile(0.5)
}

/// More numeric fields than this are not held against each other, each with each: those that moved farthest are.
const MAX_NUMERIC: usize = 40;

/// A numeric field, with its value in each sampled record of the baseline and of the window.
struct Numeric<'a> {
    /// Its place among the columns.
    at: usize,
    was: &'a NumberProfile,
    is: &'a NumberProfile,
    before: Vec<Option<f64>>,
    now: Vec<Option<f64>>,
}

/// The numeric fields that may have been exchanged with another one, in their order.
fn numeric<'a>(ctx: &Context<'a>, columns: &[Column<'a>]) -> Vec<Numeric<'a>> {
    let here = |(at, column): (usize, &Column<'a>)| {
        let (was, is) = (numbers_of(column.was)?, numbers_of(column.is)?);
        let tells = was.count >= MIN_SUPPORT
            && is.count >= MIN_SUPPORT
            && !super::shift::is_moment(column.was)
            && !column.path.is_repeated();
        tells.then_some((at, was, is))
    };
    let mut fields: Vec<(usize, &NumberProfile, &NumberProfile)> =
        columns.iter().enumerate().filter_map(here).collect();
    if fields.len() > MAX_NUMERIC {
        let apart = |at: usize| columns[at].apart.unwrap_or(0.0);
        fields.sort_by(|a, b| apart(b.0).total_cmp(&apart(a.0)).then(a.0.cmp(&b.0)));
        fields.truncate(MAX_NUMERIC);
        fields.sort_by_key(|(at, ..)| *at);
    }
    let values = |profile: &Profile, path: &FieldPath| -> Vec<Option<f64>> {
        profile.entities.records.values().map(|record| pairs::as_number(record.0.get(path)?)).collect()
    };
    let numeric = |(at, was, is): (usize, &'a NumberProfile, &'a NumberProfile)| Numeric {
        at,
        was,
        is,
        before: values(ctx.base, columns[at].path),
        now: values(ctx.live, columns[at].path),
    };
    fields.into_iter().map(numeric).collect()
}

/// Pairs of numeric fields of which one was the greater in most records that tell, and the other one is now, while
/// each came nearer to what the other was: goals at home and away, runs and hits.
fn turned(ctx: &Context<'_>, columns: &[Column<'_>]) -> Vec<(usize, usize)> {
    // Of the same entities the pairs alone decide.
    if ctx.pairs.same_population() {
        return Vec::new();
    }
    let fields = numeric(ctx, columns);
    // In the order of time one total overtakes the other, and nothing was exchanged.
    let on_its_way = |field: &Numeric<'_>| {
        let path = columns[field.at].path;
        !ctx.course.is_unordered() && ctx.variation.field(path).is_some_and(|v| v.in_runs || v.trending)
    };
    let steady = fields.iter().filter(|field| !on_its_way(field)).count();
    let mut found = Vec::new();
    for (i, one) in fields.iter().enumerate() {
        for other in &fields[i + 1..] {
            let (above, n) = greater(&one.before, &other.before);
            let (now_above, m) = greater(&one.now, &other.now);
            if n < MIN_SUPPORT || m < MIN_SUPPORT {
                continue;
            }
            let moves = on_its_way(one) || on_its_way(other);
            if moves && !far_apart(&one.before, &other.before) {
                continue;
            }
            let rivals = if moves { fields.len() } else { steady } as f64 - 1.0;
            let (was, is) = (above as f64 / n as f64 - 0.5, now_above as f64 / m as f64 - 0.5);
            // On the other side of one half, and for the later part of a window too much nearer to the mirror image.
            let turned = was * is < 0.0 && (was - is).abs() >= was.abs();
            if turned
                && stats::fisher(above, n, now_above, m) * rivals < ctx.alpha
                && came_to(one, other)
                && came_to(other, one)
            {
                found.push((one.at, other.at));
            }
        }
    }
    found
}

/// In how many records the first of two fields is the greater, and in how many one of them is.
fn greater(one: &[Option<f64>], other: &[Option<f64>]) -> (u64, u64) {
    let both = one.iter().zip(other).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
    both.filter(|(a, b)| a != b).fold((0, 0), |(above, all), (a, b)| (above + u64::from(a > b), all + 1))
}

/// Whether one of two fields is the greater in all records by a factor, and hardly ever by less than half of it (as a
/// logarithm): on its way one would have to come near the other first.
fn far_apart(one: &[Option<f64>], other: &[Option<f64>]) -> bool {
    let both = one.iter().zip(other).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
    let mut logs: Vec<f64> = both.map(|(a, b)| if a * b > 0.0 { (a / b).ln() } else { 0.0 }).collect();
    logs.sort_by(f64::total_cmp);
    let middle = super::ties::at(&logs, 0.5);
    let nearest = super::ties::at(&logs, if middle > 0.0 { 0.02 } else { 0.98 });
    nearest / middle >= 0.5
}

/// Whether a field came most of the way to what another one was, and not beyond all of its values: neither a shift nor
/// another unit.
fn came_to(one: &Numeric<'_>, other: &Numeric<'_>) -> bool {
    let mean = |numbers: &NumberProfile| numbers.mean().unwrap_or(0.0);
    let goal = mean(other.was);
    let reach = 0.5 * (other.was.max - other.was.min);
    (mean(one.is) - goal).abs() <= 0.6 * (mean(one.was) - goal).abs()
        && one.is.min >= other.was.min - reach
        && one.is.max <= other.was.max + reach
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

/// Entities whose two values differ, and how many of them have them the other way round now.
struct Paired {
    all: usize,
    agreeing: usize,
}

/// Counts no further than to where it is decided that too few agree.
fn paired(one: &Column<'_>, other: &Column<'_>) -> Paired {
    let mut paired = Paired { all: 0, agreeing: 0 };
    for (mine, theirs) in one.values.iter().zip(&other.values) {
        let ((Some(was), Some(is)), (Some(was_other), Some(is_other))) = (mine, theirs) else { continue };
        // Only entities whose two values differ tell a swap from fields that say the same.
        if pairs::equal(was, was_other) {
            continue;
        }
        paired.all += 1;
        paired.agreeing += usize::from(pairs::equal(was, is_other) && pairs::equal(was_other, is));
        let against = paired.all - paired.agreeing;
        if against >= MIN_PAIRS && against * 10 > one.values.len() {
            break;
        }
    }
    paired
}

/// Whether two fields exchanged their contents, with the entities that show it where they are seen on both sides.
fn swapped(ctx: &Context<'_>, one: &Column<'_>, other: &Column<'_>) -> Option<Option<Paired>> {
    let paired = paired(one, other);
    if paired.all >= MIN_PAIRS {
        return (paired.agreeing * 10 >= paired.all * 9).then_some(Some(paired));
    }
    if ctx.pairs.same_population() {
        return None;
    }
    // Each must look like the other did, and nothing like itself: the gain is twice the loss, on both sides.
    let (across, across_back) = (resemblance(one.was, other.is)?, resemblance(other.was, one.is)?);
    let itself = one.apart?.max(other.apart?);
    let apart = resemblance(one.was, other.was)?;
    (apart > 0.25
        && across < 0.5 * itself
        && across_back < 0.5 * itself
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::compare::{Pairs, Variation, course::Course};
    use crate::model::HashKey;
    use crate::profile::{ProfileOptions, Profiler};

    const FIELDS: u64 = 300;

    /// Records whose texts and amounts are all others for another seed, and whose first two fields are exchanged on
    /// demand.
    fn profile(seed: u64, exchanged: bool) -> Profile {
        let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new([3; 16])));
        for row in 0..40_u64 {
            let mut text = format!("{{\"id\":{}", seed * 1_000 + row);
            for field in 0..FIELDS {
                let name = if exchanged && field < 2 { 1 - field } else { field };
                let place = (seed * 1_000 + row) * 1_000 + field;
                let noise = place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                let _ = match field {
                    0 => write!(text, ",\"f{name}\":\"red-{}\"", row % 5),
                    1 => write!(text, ",\"f{name}\":\"{}\"", 100 + row % 7),
                    _ if field % 2 == 0 => write!(text, ",\"f{name}\":\"w{noise}\""),
                    _ => write!(text, ",\"f{name}\":{}", noise * (field + 1)),
                };
            }
            profiler.record((text + "}").as_bytes());
        }
        profiler.finish()
    }

    /// A count, not a time: how many fields each one is held against does not grow with the width of the stream.
    #[test]
    fn a_field_is_held_against_few_others_and_its_partner_is_among_them() {
        let (base, live) = (profile(1, false), profile(2, true));
        let variation = Variation::default();
        let ctx = Context {
            base: &base,
            live: &live,
            rows: Vec::new(),
            pairs: Pairs::of(&base, &live),
            variation: &variation,
            course: Course::default(),
            peers: crate::compare::peers::Peers::default(),
            alpha: 0.001,
        };
        let columns = columns(&ctx);
        assert!(columns.len() as u64 > FIELDS);
        let partners = Partners::of(&ctx, &columns);
        for one in 0..columns.len() {
            let of = partners.of_column(&columns, one);
            assert!(of.len() <= 4 * NEAREST, "{}: {}", columns[one].path, of.len());
        }
        let mut changes = Vec::new();
        swaps(&ctx, &mut changes);
        let told: Vec<String> = changes.iter().map(|c| format!("{} {}", c.path, c.to[0])).collect();
        assert_eq!(told, ["$.f0 $.f1"]);
    }
}
