//! Onset: since which record of a window, and since when, a change is there.
//!
//! Each sampled record says something of a field: whether it is there, null, of the usual type, a known value, as large
//! as before. In the order in which the records came, the place is looked for that best cuts what they say in two: the
//! one change point of least squares (binary segmentation, Scott and Knott 1974). On one side of it the records must
//! look like the baseline; that tells an onset from a window that merely has a trend.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::pairs::{as_number, equal};
use super::{Baseline, Window};
use crate::model::{FieldPath, JsonType};
use crate::profile::{Format, Profile, SampleValue, SampledRecord};

/// Where a change begins inside of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Onset {
    /// The first record of the new shape, counted from 1; where the newest come first, the last one.
    pub record: u64,
    /// How many records it may be off: those that were not sampled on both sides of the cut, halved.
    pub within: u64,
    /// Records of the window.
    pub of: u64,
    /// Whether the records up to it are the new ones, as where the newest come first.
    pub newest_first: bool,
    /// What the first record of the new shape says about its time, where the records come in the order of a field.
    pub since: Option<Timestamp>,
    /// Whether all records of the new shape, three of them at least, lack the field.
    pub is_gone: bool,
}

/// Twice the log-likelihood that a cut must gain. The greatest of some hundred cuts of pure noise is above 20 about
/// once in a thousand times (the tail of chi-squared with one degree, times the number of cuts that differ).
const GAIN: f64 = 20.0;
/// What is counted as noise beside what is seen, in squares: half a record that says the opposite. Without it a cut
/// between three records and five would be infinitely sure.
const NOISE: f64 = 0.5;
/// Records on each side of a cut, at least: of fewer nobody can say what they look like.
const MIN_SIDE: usize = 3;
/// The side that looks like the baseline may be off by a third of what the other one is.
const LIKE: f64 = 1.0 / 3.0;
/// Values that a baseline must have for its rank or its words to mean something.
const MIN_VALUES: usize = 8;

/// Since when a change at these paths is there; `None` where all of the window shows it, or the cut cannot be told.
/// Values inside of arrays are not sampled, so that nothing is said of them.
#[must_use]
pub fn onset(baseline: &Baseline, window: &Window, paths: &[&FieldPath]) -> Option<Onset> {
    let base = baseline.latest.as_ref().unwrap_or(&baseline.profile);
    if base.key_id != window.profile.key_id {
        return None;
    }
    let mut rows: Vec<Row<'_>> = window
        .profile
        .entities
        .records
        .iter()
        .filter_map(|(key, record)| Some(Row { place: *window.order.0.get(key)?, key: *key, record }))
        .collect();
    rows.sort_by_key(|row| row.place);
    let (cut, path) = paths
        .iter()
        .filter_map(|path| Some((best_cut(base, &window.profile, &rows, path)?, *path)))
        .max_by(|(one, _), (other, _)| one.gain.total_cmp(&other.gain))?;
    let (before, after) = (&rows[..cut.at], &rows[cut.at..]);
    let (last, first) = (before.last()?.place, after.first()?.place);
    // Somewhere between the two: the middle is wrong by the least.
    let gap = first - last - 1;
    let is_gone = {
        let new = if cut.newest_first { before } else { after };
        new.len() >= MIN_SIDE && new.iter().all(|row| !row.record.0.contains_key(path))
    };
    Some(Onset {
        record: if cut.newest_first { last + 1 + gap / 2 } else { first + 1 - gap / 2 },
        within: gap.div_ceil(2),
        of: window.profile.records,
        newest_first: cut.newest_first,
        since: time_of(&rows, cut),
        is_gone,
    })
}

/// A sampled record at its place.
struct Row<'a> {
    place: u64,
    key: u64,
    record: &'a SampledRecord,
}

/// A cut before the row of this number.
#[derive(Debug, Clone, Copy)]
struct Cut {
    at: usize,
    gain: f64,
    newest_first: bool,
}

/// What one record says, between 0 and 1, by its key and what it has at the path; `None` where it has no say.
type Says<'a> = Box<dyn Fn(u64, Option<&SampleValue>) -> Option<f64> + 'a>;

/// The cut that any of the things that a record can say of a field shows best.
fn best_cut(base: &Profile, live: &Profile, rows: &[Row<'_>], path: &FieldPath) -> Option<Cut> {
    let mut best: Option<Cut> = None;
    // Looked up once: records of wide streams have hundreds of values.
    let values: Vec<(u64, Option<&SampleValue>)> =
        rows.iter().map(|row| (row.key, row.record.0.get(path))).collect();
    for (expected, says) in sayings(base, live, path) {
        let said: Vec<(usize, f64)> = values
            .iter()
            .enumerate()
            .filter_map(|(at, (key, value))| Some((at, says(*key, *value)?)))
            .collect();
        if let Some(cut) = cut_of(&said, expected)
            && best.is_none_or(|best| cut.gain > best.gain)
        {
            best = Some(cut);
        }
    }
    best
}

/// All that a record can say of a field, each with what the records of the baseline say on average.
fn sayings<'a>(base: &'a Profile, live: &'a Profile, path: &'a FieldPath) -> Vec<(f64, Says<'a>)> {
    let mut says: Vec<Says<'a>> = vec![
        Box::new(|_, value| Some(yes(value.is_some()))),
        Box::new(|_, value| Some(yes(matches!(value?, SampleValue::Null)))),
    ];
    let telling = |value: &&SampleValue| !matches!(value, SampleValue::Null);
    // In the order of their keys.
    let before: Vec<(u64, Option<&SampleValue>)> =
        base.entities.records.iter().map(|(key, record)| (*key, record.0.get(path))).collect();
    let known: Vec<&SampleValue> = before.iter().filter_map(|(_, value)| *value).filter(telling).collect();
    if known.len() >= MIN_VALUES {
        if let Some(usual) = most(known.iter().map(|value| class(value))) {
            says.push(Box::new(move |_, value| Some(yes(class(value?) == usual))));
        }
        if let Some(words) = words(base, path) {
            says.push(Box::new(move |_, value| match value? {
                SampleValue::Text { hash, .. } => Some(yes(words.contains(hash))),
                _ => None,
            }));
        }
        for measure in [as_measure, length, digits] {
            let mut sorted: Vec<f64> = known.iter().filter_map(|value| measure(value)).collect();
            sorted.sort_by(f64::total_cmp);
            if sorted.len() >= MIN_VALUES {
                says.push(Box::new(move |_, value| Some(rank(&sorted, measure(value?)?))));
            }
        }
    }
    // One value that comes again and again: of a field that stands still, or whose nulls became a word.
    let now = live.entities.records.values().filter_map(|record| record.0.get(path));
    if let Some(usual) = most(now.filter(telling).map(same)) {
        says.push(Box::new(move |_, value| Some(yes(same(value?) == usual))));
    }
    let mut all: Vec<(f64, Says<'a>)> = says
        .into_iter()
        .filter_map(|says| {
            let said: Vec<f64> = before.iter().filter_map(|(key, value)| says(*key, *value)).collect();
            (!said.is_empty()).then(|| (mean(&said), says))
        })
        .collect();
    // The same entity had the same value.
    all.push((
        1.0,
        Box::new(move |key, value| {
            let at = before.binary_search_by_key(&key, |(key, _)| *key).ok()?;
            Some(yes(equal(before[at].1?, value?)))
        }),
    ));
    all
}

/// The cut that gains the most, where one side of it says what is expected and the other one something else.
fn cut_of(said: &[(usize, f64)], expected: f64) -> Option<Cut> {
    let n = said.len();
    if n < 2 * MIN_SIDE {
        return None;
    }
    let sum: f64 = said.iter().map(|(_, x)| x).sum();
    let total: f64 = said.iter().map(|(_, x)| (x - sum / n as f64).powi(2)).sum();
    let mut best: Option<(usize, f64, f64)> = None;
    let mut left = 0.0;
    for at in 1..n {
        left += said[at - 1].1;
        if at < MIN_SIDE || n - at < MIN_SIDE {
            continue;
        }
        let (a, b) = (left / at as f64, (sum - left) / (n - at) as f64);
        // The squares between the two sides; what is left of the total is inside of them.
        let between = (a - b).powi(2) * (at * (n - at)) as f64 / n as f64;
        if best.is_none_or(|(_, most, _)| between > most) {
            best = Some((at, between, left));
        }
    }
    let (at, between, left) = best?;
    let gain = n as f64 * ((total + NOISE) / ((total - between).max(0.0) + NOISE)).ln();
    let (a, b) = (left / at as f64 - expected, (sum - left) / (n - at) as f64 - expected);
    let newest_first = a.abs() > b.abs();
    let (near, far) = if newest_first { (b.abs(), a.abs()) } else { (a.abs(), b.abs()) };
    (gain >= GAIN && near <= far * LIKE).then(|| Cut { at: said[at].0, gain, newest_first })
}

/// The time of the first record of the new shape, by a field in whose order the records come.
fn time_of(rows: &[Row<'_>], cut: Cut) -> Option<Timestamp> {
    let first = rows.first()?;
    let instant = |row: &Row<'_>, path: &FieldPath| match row.record.0.get(path)? {
        SampleValue::Text { format, number, .. } if format.is_instant() => *number,
        _ => None,
    };
    let in_order = |path: &&FieldPath| {
        let times: Option<Vec<f64>> = rows.iter().map(|row| instant(row, path)).collect();
        times.is_some_and(|times| {
            let forward = times.windows(2).filter(|pair| pair[0] <= pair[1]).count();
            let backward = times.windows(2).filter(|pair| pair[0] >= pair[1]).count();
            let in_order = if cut.newest_first { backward } else { forward };
            // One in twenty may be late, as events are; a field that stands still is in no order.
            in_order * 20 >= 19 * (times.len() - 1) && times.first() != times.last()
        })
    };
    let path = first.record.0.keys().find(in_order)?;
    let at = if cut.newest_first { rows.get(cut.at.checked_sub(1)?) } else { rows.get(cut.at) };
    Timestamp::from_second(instant(at?, path)? as i64).ok()
}

/// The words of the baseline, where all of them are known.
fn words(base: &Profile, path: &FieldPath) -> Option<BTreeSet<u64>> {
    let strings = base.fields.get(path)?.strings.as_deref()?;
    strings.distinct.is_complete().then(|| strings.distinct.hashes().iter().copied().collect())
}

fn class(value: &SampleValue) -> (JsonType, Option<Format>) {
    match value {
        SampleValue::Null => (JsonType::Null, None),
        SampleValue::Bool(_) => (JsonType::Boolean, None),
        SampleValue::Number(_, written) if written.contains(['.', 'e', 'E']) => (JsonType::Number, None),
        SampleValue::Number(..) => (JsonType::Integer, None),
        SampleValue::Text { format, .. } => (JsonType::String, Some(*format)),
        SampleValue::Container(kind, _) => (*kind, None),
    }
}

/// What tells equal values.
fn same(value: &SampleValue) -> (JsonType, u64) {
    let told = match value {
        SampleValue::Null => 0,
        SampleValue::Bool(is) => u64::from(*is),
        SampleValue::Number(number, _) => number.to_bits(),
        SampleValue::Text { hash, .. } => *hash,
        SampleValue::Container(_, count) => *count,
    };
    (class(value).0, told)
}

fn as_measure(value: &SampleValue) -> Option<f64> {
    match value {
        SampleValue::Bool(is) => Some(yes(*is)),
        other => as_number(other),
    }
}

fn length(value: &SampleValue) -> Option<f64> {
    match value {
        SampleValue::Text { length, .. } => Some(*length as f64),
        SampleValue::Container(_, count) => Some(*count as f64),
        SampleValue::Null | SampleValue::Bool(_) | SampleValue::Number(..) => None,
    }
}

/// The digits behind the point.
fn digits(value: &SampleValue) -> Option<f64> {
    match value {
        SampleValue::Number(_, written) => {
            Some(written.split_once('.').map_or(0, |(_, digits)| digits.len()) as f64)
        }
        _ => None,
    }
}

/// The share of these values that is smaller, equal ones by half.
fn rank(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|other| *other < value);
    let up_to = sorted.partition_point(|other| *other <= value);
    (below + up_to) as f64 / (2 * sorted.len()) as f64
}

fn most<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn yes(is: bool) -> f64 {
    f64::from(u8::from(is))
}
