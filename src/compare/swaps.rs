//! Two fields that exchanged their contents.
//!
//! Every pair of fields may be such a pair, and a wide stream has a million of them. So the values of the entities
//! seen on both sides are looked up once for each field, and a field is weighed against few others: against those
//! that changed in the same entities, and against the nearest of those that no longer look like themselves.

mod crossed;
mod turned;

use std::collections::BTreeSet;

use crossed::crossed;
use turned::turned;

use super::cdf::{Points, numbers_of};
use super::context::{Context, MIN_SUPPORT};
use super::pairs::{self, MIN_PAIRS};
use crate::model::{Change, ChangeKind, FieldPath};
use crate::profile::{FieldProfile, Profile, SampleValue};

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
    let words = crossed(ctx, &columns, |value| match value {
        SampleValue::Text { hash, .. } => Some(*hash),
        _ => None,
    });
    let rewritten = crossed(ctx, &columns, |value| match value {
        SampleValue::Text { pattern, .. } => Some(pattern.as_str()),
        _ => None,
    });
    for (one, other) in turned(ctx, &columns).into_iter().chain(words).chain(rewritten) {
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

/// The value that half of the numbers of a field stay below.
fn middle(field: &FieldProfile) -> Option<f64> {
    numbers_of(field)?.quantiles.quantile(0.5)
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
