//! Numbers of one record that hang together: prices of one day, gross and net, a wage and its logarithm, distance and
//! time in the air. However much a stream moves, they move together; a change at the source moves one and leaves the
//! others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cdf::numbers_of;
use super::context::MIN_SUPPORT;
use super::pairs::as_number;
use crate::model::FieldPath;
use crate::profile::{FieldProfile, NumberProfile, Profile, SampledRecord};

/// More numeric fields than this are not held against each other: the cost grows with their square.
const MAX_FIELDS: usize = 32;
/// Fields whose ranks hang together by less than this are no peers: what one says of the other leaves seven tenths of
/// its width and more (the root of 1 - r²), and its own distribution tells as much.
const LEAST_RANK: f64 = 0.6;
/// What is left of a field's own width once its peer is known, at most: half of its variance.
const LOOSEST: f64 = 0.7;
/// The same where records come in an order that tells and the values move on from what was seen.
const LOOSEST_IN_ORDER: f64 = 0.4;

/// On which scale a field hangs together with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Measure {
    /// As it is: differences count.
    Plain,
    /// By its logarithm: ratios count. For fields without zero and without negative values.
    Log,
}

impl Measure {
    /// A value on this scale; one that has no logarithm is as far down as a field can be.
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Log => value.max(1e-300).ln(),
        }
    }

    /// The value of a place on this scale.
    pub(super) fn value(self, place: f64) -> f64 {
        match self {
            Self::Plain => place,
            Self::Log => place.exp(),
        }
    }
}

/// What one field says of another one of the same record: `of = offset + slope * by`, each on its scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tie {
    /// The field that is told.
    pub of: FieldPath,
    /// The one that tells it.
    pub by: FieldPath,
    pub of_scale: Measure,
    pub by_scale: Measure,
    pub slope: f64,
    pub offset: f64,
    /// The width of the field itself on its scale: from its first tenth to its last.
    pub width: f64,
    /// Which part of that width is left once the other field is known.
    pub loose: f64,
    /// How far what is left moves or widens from one part of the baseline to the rest, in widths of the field.
    pub reach: f64,
}

impl Tie {
    /// What the tie leads one to expect of a record.
    pub(super) fn expected(&self, by: f64) -> f64 {
        self.of_scale.value(self.offset + self.slope * self.by_scale.of(by))
    }

    /// How far a record is from what is expected, in widths of the field.
    pub(super) fn off(&self, of: f64, by: f64) -> f64 {
        (self.of_scale.of(of) - self.offset - self.slope * self.by_scale.of(by)) / self.width
    }

    /// The same of all records that have both.
    pub(super) fn all_off<'a>(&self, records: impl Iterator<Item = &'a SampledRecord>) -> Vec<f64> {
        let off = |record: &SampledRecord| {
            Some(self.off(as_number(record.0.get(&self.of)?)?, as_number(record.0.get(&self.by)?)?))
        };
        records.filter_map(off).collect()
    }
}

/// How far the middle of some numbers lies from that of others, or how much wider or narrower they are.
pub(super) fn moved(one: &[f64], other: &[f64]) -> f64 {
    let of = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        (at(&sorted, 0.5), at(&sorted, 0.9) - at(&sorted, 0.1))
    };
    let ((a, v), (b, w)) = (of(one), of(other));
    (a - b).abs().max((v - w).abs())
}

/// A quantile of sorted numbers.
pub(super) fn at(sorted: &[f64], q: f64) -> f64 {
    let place = q * sorted.len().saturating_sub(1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    match (sorted.get(low), sorted.get(high)) {
        (Some(a), Some(b)) => a + (b - a) * (place - place.floor()),
        _ => 0.0,
    }
}

/// The ties between the numeric fields of records, which came in these blocks, one after the other. `in_order` tells
/// whether that order tells; `moves` which fields go with it.
pub(super) fn ties(
    profile: &Profile,
    blocks: &[Vec<&SampledRecord>],
    in_order: bool,
    moves: impl Fn(&FieldPath) -> bool,
) -> Vec<Tie> {
    let rows: usize = blocks.iter().map(Vec::len).sum();
    if rows < MIN_SUPPORT as usize {
        return Vec::new();
    }
    let measured =
        profile.fields.iter().filter(|(path, field)| is_measure(path, field)).map(|(path, _)| path);
    let columns: Vec<Column<'_>> =
        measured.take(MAX_FIELDS).filter_map(|path| Column::of(path, blocks)).collect();
    let mut found = Vec::new();
    for of in &columns {
        for by in &columns {
            if of.path != by.path && hang_together(&of.ranks, &by.ranks) {
                let stands = !in_order || !moves(of.path) && !moves(by.path);
                found.extend(tie(of, by, blocks, in_order, stands));
            }
        }
    }
    found
}

/// Numbers of things: no moments, identifiers or serial numbers, which go with the order of the records alone.
fn is_measure(path: &FieldPath, field: &FieldProfile) -> bool {
    let serial = |n: &NumberProfile| {
        let all = n.count as f64;
        n.whole == n.count && n.distinct.estimate_distinct() >= 0.9 * all && n.max - n.min <= 10.0 * all
    };
    !path.is_repeated()
        && !super::shift::is_moment(field)
        && !super::types::says_identifier(path)
        && numbers_of(field).is_some_and(|n| n.count >= MIN_SUPPORT && !serial(n))
}

/// A field with its values by record.
struct Column<'a> {
    path: &'a FieldPath,
    values: Vec<Option<f64>>,
    /// The place of each value among all, around zero.
    ranks: Vec<Option<f64>>,
    is_positive: bool,
}

impl<'a> Column<'a> {
    fn of(path: &'a FieldPath, blocks: &[Vec<&SampledRecord>]) -> Option<Self> {
        let values: Vec<Option<f64>> =
            blocks.iter().flatten().map(|record| as_number(record.0.get(path)?)).collect();
        let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
        if sorted.len() < MIN_SUPPORT as usize || sorted.iter().any(|value| !value.is_finite()) {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() as f64 / 2.0;
        let rank = |value: f64| {
            let below = sorted.partition_point(|other| *other < value);
            let up_to = sorted.partition_point(|other| *other <= value);
            f64::midpoint(below as f64, up_to as f64) - middle
        };
        let ranks = values.iter().map(|value| value.map(rank)).collect();
        // Fewer values are kinds, not measures.
        let distinct = sorted.chunk_by(|a, b| a == b).count();
        (distinct >= 5).then(|| Self { path, values, ranks, is_positive: sorted[0] > 0.0 })
    }

    fn scales(&self) -> &'static [Measure] {
        if self.is_positive { &[Measure::Plain, Measure::Log] } else { &[Measure::Plain] }
    }
}

/// The rank correlation of C. Spearman (1904), of those records that have both.
fn hang_together(one: &[Option<f64>], other: &[Option<f64>]) -> bool {
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in one.iter().zip(other).filter_map(|(x, y)| Some(((*x)?, (*y)?))) {
        (xx, yy, xy) = (xx + x * x, yy + y * y, xy + x * y);
    }
    xy * xy >= LEAST_RANK * LEAST_RANK * xx * yy && xx > 0.0 && yy > 0.0
}

/// The closest tie of one field to another one. A ratio or a difference that stays is preferred to a line that was
/// fitted; where the values move on with the order of the records, only such a one holds beyond what was seen.
fn tie(
    of: &Column<'_>,
    by: &Column<'_>,
    blocks: &[Vec<&SampledRecord>],
    in_order: bool,
    stands: bool,
) -> Option<Tie> {
    let pairs: Vec<(f64, f64)> =
        of.values.iter().zip(&by.values).filter_map(|(y, x)| Some(((*y)?, (*x)?))).collect();
    if pairs.len() < MIN_SUPPORT as usize {
        return None;
    }
    let loosest = if in_order { LOOSEST_IN_ORDER } else { LOOSEST };
    let mut best: Option<(f64, Tie)> = None;
    for of_scale in of.scales() {
        let ys: Vec<f64> = pairs.iter().map(|(y, _)| of_scale.of(*y)).collect();
        let width = width(&ys);
        if width <= 0.0 {
            continue;
        }
        for by_scale in by.scales() {
            let xs: Vec<f64> = pairs.iter().map(|(_, x)| by_scale.of(*x)).collect();
            let plain = Some((1.0, middle(ys.iter().zip(&xs).map(|(y, x)| y - x))));
            // A line that was fitted costs a little.
            for (line, cost) in [(plain, 1.0), (stands.then(|| line(&xs, &ys)).flatten(), 1.15)] {
                let Some((slope, offset)) = line else { continue };
                let left: Vec<f64> = ys.iter().zip(&xs).map(|(y, x)| y - offset - slope * x).collect();
                let loose = self::width(&left) / width;
                if loose <= loosest && best.as_ref().is_none_or(|(least, _)| loose * cost < *least) {
                    let (of, by) = (of.path.clone(), by.path.clone());
                    let (of_scale, by_scale) = (*of_scale, *by_scale);
                    let tie = Tie { of, by, of_scale, by_scale, slope, offset, width, loose, reach: 0.0 };
                    best = Some((loose * cost, tie));
                }
            }
        }
    }
    let (_, mut tie) = best?;
    tie.reach = reach(&tie, blocks);
    Some(tie)
}

/// The most that a block is from all others, or one half from the other.
fn reach(tie: &Tie, blocks: &[Vec<&SampledRecord>]) -> f64 {
    let parts: Vec<Vec<f64>> = blocks.iter().map(|block| tie.all_off(block.iter().copied())).collect();
    let away = |here: &dyn Fn(usize) -> bool| {
        let side = |is: bool| -> Vec<f64> {
            (0..parts.len()).filter(|i| here(*i) == is).flat_map(|i| parts[i].iter().copied()).collect()
        };
        let (one, other) = (side(true), side(false));
        // Of fewer records the tenths are the last ones.
        if one.len().min(other.len()) < 10 { 0.0 } else { moved(&one, &other) }
    };
    let half = parts.len() / 2;
    let halves = if parts.len() >= 2 { away(&|i| i < half) } else { 0.0 };
    (0..parts.len()).map(|block| away(&|i| i == block)).fold(halves, f64::max)
}

fn width(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    at(&sorted, 0.9) - at(&sorted, 0.1)
}

pub(super) fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    at(&sorted, 0.5)
}

/// The line of least squares, fitted again to the points that lie within three deviations of it (the median absolute
/// deviation, times 1.4826 as of a normal sample), until these stay the same or three times.
fn line(xs: &[f64], ys: &[f64]) -> Option<(f64, f64)> {
    let mut kept = vec![true; xs.len()];
    let mut found = None;
    for _ in 0..3 {
        let of = || xs.iter().zip(ys).zip(&kept).filter(|(_, kept)| **kept).map(|(point, _)| point);
        let n = of().count() as f64;
        let (x, y) = of().fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x / n, sum.1 + y / n));
        let (xx, xy) =
            of().fold((0.0, 0.0), |sum, (a, b)| (sum.0 + (a - x).powi(2), sum.1 + (a - x) * (b - y)));
        if xx <= 0.0 {
            break;
        }
        let (slope, offset) = (xy / xx, y - xy / xx * x);
        found = Some((slope, offset));
        let off: Vec<f64> = xs.iter().zip(ys).map(|(x, y)| y - offset - slope * x).collect();
        let centre = middle(off.iter().copied());
        let far = 3.0 * 1.4826 * middle(off.iter().map(|off| (off - centre).abs()));
        let near: Vec<bool> = off.iter().map(|off| (off - centre).abs() <= far).collect();
        if near == kept || near.iter().filter(|near| **near).count() * 2 < xs.len() {
            break;
        }
        kept = near;
    }
    found.filter(|(slope, offset)| slope.is_finite() && offset.is_finite())
}

/// Ties by the field that is told.
pub(super) fn by_field(ties: &[Tie]) -> BTreeMap<&FieldPath, Vec<&Tie>> {
    let mut by: BTreeMap<&FieldPath, Vec<&Tie>> = BTreeMap::new();
    ties.iter().for_each(|tie| by.entry(&tie.of).or_default().push(tie));
    by
}
