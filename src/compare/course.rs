//! What the fields of one pair of windows do together: how far chance, or the course of things, moved all of them.
//!
//! A change at the source moves one field and leaves the others where they were. Other records (another hour, another
//! region) move many. So the other fields of the same two windows are the best control there is: they were sampled
//! with the very same records.

use std::collections::BTreeMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::cdf::{Points, numbers_of};
use super::{Variation, enums, ranks, stats};
use crate::model::{FieldPath, JsonType};
use crate::profile::{FieldProfile, Profile};

/// How far each field moved, as the p-value of the most general test that fits it.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    p_values: BTreeMap<FieldPath, f64>,
    /// Whether the baseline's own parts show no order: whatever differs between two windows then is chance, or news.
    unordered: bool,
    /// Fields of one value before, and of one other value now.
    other_constant: Vec<FieldPath>,
}

/// What the other fields say about a move of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Others {
    /// By how much the statistics of the others exceed chance at their median: the genomic control of B. Devlin and
    /// K. Roeder (Biometrics 1999), never below 1.
    pub inflation: f64,
    /// Whether none of them moved by more than chance allows.
    pub quiet: bool,
    /// Whether the records come in no order that tells.
    pub unordered: bool,
}

impl Course {
    pub(super) fn of(base: &Profile, live: &Profile, variation: &Variation) -> Self {
        let (mut p_values, mut other_constant) = (BTreeMap::new(), Vec::new());
        let (mut tested, mut moving) = (0.0, 0.0);
        for (path, was) in &base.fields {
            let Some(is) = live.fields.get(path) else { continue };
            if is_other_constant(was, is) {
                other_constant.push(path.clone());
                continue;
            }
            let Some(p_value) = moved(was, is) else { continue };
            tested += 1.0;
            if variation.field(path).is_none_or(|v| v.exchangeable) {
                p_values.insert(path.clone(), p_value);
            } else {
                moving += 1.0;
            }
        }
        // A fifth of the fields: more than chance finds to be uneven.
        let unordered = variation.is_unordered() && moving <= 0.2 * tested;
        Self { p_values, unordered, other_constant }
    }

    /// Of records whose order says nothing, and of no other field.
    pub(super) fn without_order() -> Self {
        Self { unordered: true, ..Self::default() }
    }

    /// Whether the records come in no order that tells.
    pub(super) const fn is_unordered(&self) -> bool {
        self.unordered
    }

    /// Whether another field than this went from one value to one other: the records are of another segment (another
    /// region, another customer), and differ in whatever goes with it.
    pub(super) fn is_other_segment(&self, path: &FieldPath) -> bool {
        self.other_constant.iter().any(|other| other != path)
    }

    /// The fields beside one.
    pub(super) fn beside(&self, path: &FieldPath) -> Others {
        let mut others: Vec<f64> =
            self.p_values.iter().filter(|(other, _)| *other != path).map(|(_, p)| *p).collect();
        others.sort_by(f64::total_cmp);
        // Three others: with fewer nobody stands witness.
        if others.len() < 3 {
            return Others { inflation: 1.0, quiet: false, unordered: self.unordered };
        }
        let rarest = others[0] * others.len() as f64;
        let middle = others[others.len() / 2];
        let inflation = ChiSquared::new(1.0).map_or(1.0, |chi| {
            // The median of chi-squared with one degree of freedom is 0.4549.
            chi.inverse_cdf(1.0 - middle.clamp(1e-12, 1.0)) / 0.4549
        });
        // One in twenty for the rarest of all others.
        Others { inflation: inflation.max(1.0), quiet: rarest >= 0.05, unordered: self.unordered }
    }
}

/// Whether all values were one, and none is now: all are one other, or, of numbers (a year, a batch), any others.
fn is_other_constant(was: &FieldProfile, is: &FieldProfile) -> bool {
    const FEW: u64 = super::context::MIN_SUPPORT;
    if let (Some(x), Some(y)) = (numbers_of(was), numbers_of(is))
        && x.count.min(y.count) >= FEW
        && x.whole == x.count
    {
        return x.min == x.max && (y.min > x.max || y.max < x.min);
    }
    let side = |f: &FieldProfile| {
        let all = f.types.get(JsonType::Boolean);
        (all >= FEW && (f.trues == 0 || f.trues == all)).then_some(f.trues > 0)
    };
    if let (Some(x), Some(y)) = (side(was), side(is)) {
        return x != y;
    }
    let only = |f: &FieldProfile| {
        let counts = enums::counts(f)?;
        let mut all = counts.iter();
        match (all.next(), all.next()) {
            (Some((value, count)), None) if *count >= FEW => Some(*value),
            _ => None,
        }
    };
    matches!((only(was), only(is)), (Some(a), Some(b)) if a != b)
}

/// The p-value of the most general test of two sides of a field, where one applies.
fn moved(was: &FieldProfile, is: &FieldProfile) -> Option<f64> {
    const FEW: u64 = super::context::MIN_SUPPORT;
    let nulls = |f: &FieldProfile| (f.types.get(JsonType::Null), f.present);
    let ((a, n), (b, m)) = (nulls(was), nulls(is));
    let share = (a + b > 0).then(|| stats::fisher(a, n, b, m));
    let values = if super::shift::is_moment(was) {
        None
    } else if was.types.get(JsonType::Boolean) >= FEW && is.types.get(JsonType::Boolean) >= FEW {
        let of = |f: &FieldProfile| (f.trues, f.types.get(JsonType::Boolean));
        Some(stats::fisher(of(was).0, of(was).1, of(is).0, of(is).1))
    } else if let (Some(x), Some(y)) = (numbers_of(was), numbers_of(is)) {
        let (x, y) = (Points::of_numbers(x), Points::of_numbers(y));
        let enough = x.count() >= FEW as f64 && y.count() >= FEW as f64;
        enough.then(|| measured(&x, &y, 1.0))
    } else if let (Some(x), Some(y)) = (enums::counts(was), enums::counts(is)) {
        let (n, m): (u64, u64) = (x.values().sum(), y.values().sum());
        (n >= FEW && m >= FEW && x.len() > 1).then(|| stats::g_test(&stats::cells(&x, &y, 1.0)).0)
    } else {
        None
    };
    match (share, values) {
        (Some(a), Some(b)) => Some((2.0 * a.min(b)).min(1.0)),
        (one, other) => one.or(other),
    }
}

/// The smallest of the tests of location, of scale, of Kolmogorov and Smirnov, and of tails, each times the inverse of
/// its weight (C. Bonferroni, with weights that sum to one): 4 of 13 for the first three, 1 of 13 for the tails, which
/// are far beyond chance where they tell anything.
pub(super) fn measured(was: &Points, is: &Points, dispersion: f64) -> f64 {
    let by = dispersion.max(1.0);
    let any = stats::ks_p_value(was.distance(is, 0.0), was.count() / by, is.count() / by);
    let rarest = any.min(ranks::location(was, is, by).p_value).min(ranks::scale(was, is, by).p_value);
    (3.25 * rarest).min(13.0 * ranks::tails(was, is, by)).min(1.0)
}
