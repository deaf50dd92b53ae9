//! How the fields of a baseline vary by themselves, from its own sub-windows in their natural order.
//!
//! Records next to each other in time resemble each other: a window of one morning holds other airports than the next.
//! Tests for random samples would take each such window for drift. What the sub-windows of the baseline already do to
//! each other is what the next window may do as well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{cdf::Points, pairs::Pairs, stats, ties, ties::Tie, volume::Volumes};
use crate::model::FieldPath;
use crate::profile::{Entities, FieldProfile, Format, Profile, SampledRecord, StringProfile};

/// The natural variation of every field.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Variation {
    /// By path; a field that is not listed never had two sub-windows with values.
    fields: BTreeMap<FieldPath, FieldVariation>,
    /// How many sub-windows there were.
    #[serde(default)]
    parts: usize,
    /// How many records whole windows held, where they were counted.
    #[serde(default)]
    volumes: Option<Volumes>,
    /// Which numbers of one record hang together.
    #[serde(default)]
    ties: Vec<Tie>,
}

/// The natural variation of one field.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FieldVariation {
    /// Variance of values between sub-windows over what chance alone would give (the design effect of L. Kish 1965):
    /// 1 where the sub-windows are exchangeable.
    pub dispersion: f64,
    /// The same of presence and nulls.
    pub shares: f64,
    /// The same of how strings are written: their formats, letters and lengths; 1 where chance explains them.
    #[serde(default = "one")]
    pub forms: f64,
    /// How far the first half of the sub-windows is from the second, less what chance explains: what goes in one
    /// direction goes as far again in the next window.
    #[serde(default)]
    pub halves: f64,
    /// The largest distance of one sub-window to all others together, less what chance explains.
    pub distance: f64,
    /// Whether values come and go: some that are frequent in one half are unknown to the other.
    pub open: bool,
    /// Whether the sub-windows are samples of one population, as far as tests of homogeneity tell.
    pub exchangeable: bool,
    /// Whether the values only grow, or only fall, from sub-window to sub-window.
    pub trending: bool,
    /// Whether the sub-windows take turns along the range of the values: the records are sorted by the field, or by
    /// what goes with it.
    #[serde(default)]
    pub ordered: bool,
    /// Which share of the entities that two neighbouring sub-windows have in common changed their value here, in all
    /// such neighbours together; 0 where none are in common.
    #[serde(default)]
    pub restless: f64,
    /// Whether the values come in runs, in the order of the records.
    #[serde(default)]
    pub in_runs: bool,
    /// How many runs the window had whose order is known; 0 where it is not.
    #[serde(default)]
    pub runs: u32,
}

/// A sub-window that lies elsewhere by three in ten values more than chance explains is one of an order that tells.
const FAR: f64 = 0.3;

/// What chance alone gives a dispersion, where a stored one says nothing.
const fn one() -> f64 {
    1.0
}

impl FieldVariation {
    /// How far the next window may well be: as far as one sub-window is from the others, or one half from the other.
    #[must_use]
    pub const fn reach(&self) -> f64 {
        self.distance.max(self.halves)
    }

    /// What chance alone brings about.
    const NONE: Self = Self {
        dispersion: 1.0,
        shares: 1.0,
        forms: 1.0,
        halves: 0.0,
        distance: 0.0,
        open: false,
        exchangeable: true,
        trending: false,
        ordered: false,
        restless: 0.0,
        in_runs: false,
        runs: 0,
    };
}

impl Variation {
    /// The variation between sub-windows in their natural order.
    #[must_use]
    pub fn of(parts: &[Profile]) -> Self {
        let mut paths: Vec<&FieldPath> = parts.iter().flat_map(|part| part.fields.keys()).collect();
        paths.sort_unstable();
        paths.dedup();
        let neighbours: Vec<Pairs<'_>> = parts.windows(2).map(|two| Pairs::of(&two[0], &two[1])).collect();
        let fields = paths
            .into_iter()
            .filter_map(|path| {
                let parts: Vec<&FieldProfile> = parts.iter().filter_map(|p| p.fields.get(path)).collect();
                let variation = field_variation(&parts)?;
                Some((path.clone(), FieldVariation { restless: restless(&neighbours, path), ..variation }))
            })
            .collect();
        let mut variation = Self { fields, parts: parts.len(), volumes: None, ties: Vec::new() };
        if let Some(last) = parts.last() {
            // As many records as one sample has, the same share of each.
            let some = Entities::CAP / parts.len();
            let blocks: Vec<Vec<&SampledRecord>> =
                parts.iter().map(|part| part.entities.records.values().take(some).collect()).collect();
            variation.ties = variation.ties_of(last, &blocks);
        }
        variation
    }

    /// The ties between numbers of one record, in blocks of records in their order.
    fn ties_of(&self, profile: &Profile, blocks: &[Vec<&SampledRecord>]) -> Vec<Tie> {
        let moves = |path: &FieldPath| {
            self.field(path).is_some_and(|f| f.in_runs || f.ordered || f.trending || f.distance >= FAR)
        };
        ties::ties(profile, blocks, self.is_ordered(), moves)
    }

    /// Which numbers of one record hang together.
    pub(super) fn ties(&self) -> &[Tie] {
        &self.ties
    }

    /// Knows how many records whole windows held as well.
    #[must_use]
    pub fn with_volumes(self, volumes: Volumes) -> Self {
        Self { volumes: Some(volumes), ..self }
    }

    /// Knows as well which fields come in runs in one window, whose records are at hand in their order. A run counts
    /// as one value, and such a field as none that chance alone moves.
    #[must_use]
    pub fn with_order(mut self, window: &super::Window) -> Self {
        for (path, runs) in super::serial::in_runs(&window.profile, &window.order) {
            // Where some are null or missing, they are what comes in runs as well.
            let lacks = window.profile.fields.get(&path).is_some_and(|f| {
                let nulls = f.types.get(crate::model::JsonType::Null);
                nulls > 0 && nulls < f.present || f.present < f.parents
            });
            let field = self.fields.entry(path).or_insert(FieldVariation::NONE);
            field.in_runs = true;
            field.runs = runs.count;
            field.exchangeable = false;
            field.dispersion = field.dispersion.max(runs.length);
            if lacks {
                field.shares = field.shares.max(runs.length);
            }
        }
        let rows = super::context::in_order(&window.profile, &window.order);
        // Parts of twenty records at least, eight at most, as sub-windows are.
        let parts = (rows.len() / 20).clamp(1, 8);
        let blocks: Vec<Vec<&SampledRecord>> = rows
            .chunks(rows.len().div_ceil(parts).max(1))
            .map(|block| block.iter().map(|(_, record)| *record).collect())
            .collect();
        self.ties = self.ties_of(&window.profile, &blocks);
        self
    }

    /// How many records whole windows held, where they were counted.
    #[must_use]
    pub const fn volumes(&self) -> Option<&Volumes> {
        self.volumes.as_ref()
    }

    /// Whether the records stand in an order that tells, as those sorted by a date, a counter or a name do: some field
    /// grows, or lies elsewhere in one sub-window by three in ten values more than chance explains.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.fields.values().any(|f| f.in_runs || f.ordered || f.trending || f.distance >= FAR)
    }

    /// Whether two sub-windows at least show no order.
    #[must_use]
    pub fn is_unordered(&self) -> bool {
        self.parts >= 2 && !self.is_ordered()
    }

    /// Whether it is known how far values move: records of no order move by chance alone, those in order as far as five
    /// sub-windows or more show (two or three are alike by chance too often).
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.parts >= 5 || self.is_unordered()
    }

    /// The variation of one field, where there is any to go by.
    #[must_use]
    pub fn field(&self, path: &FieldPath) -> Option<&FieldVariation> {
        self.fields.get(path)
    }
}

fn field_variation(parts: &[&FieldProfile]) -> Option<FieldVariation> {
    if parts.len() < 2 {
        return None;
    }
    let mut result = FieldVariation { ordered: takes_turns(parts), ..FieldVariation::NONE };
    let mut worst = |dispersion: f64| result.shares = result.shares.max(dispersion);

    // Presence and nulls as shares.
    let present: Vec<_> = parts.iter().map(|p| (p.present, p.parents)).collect();
    worst(share_dispersion(&present));
    let nulls: Vec<_> =
        parts.iter().map(|p| (p.types.get(crate::model::JsonType::Null), p.present)).collect();
    worst(share_dispersion(&nulls));
    result.forms = form_dispersion(parts);

    let points: Vec<Points> = parts.iter().filter_map(|p| Points::of(p)).collect();
    if points.len() >= 2 {
        let mut squares = 0.0;
        let mut rarest = 1.0_f64;
        for (i, one) in points.iter().enumerate() {
            let others = Points::merged(points.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| p));
            let (n, m) = (one.count(), others.count());
            let root = (n * m / (n + m)).sqrt();
            let distance = one.distance(&others, 0.0);
            squares += (distance * root).powi(2);
            rarest = rarest.min(stats::ks_p_value(distance, n, m));
            // 1.22 is the 90 % point of the Kolmogorov distribution.
            result.distance = result.distance.max(distance - 1.22 / root);
        }
        let (first, second) = points.split_at(points.len() / 2);
        let (first, second) = (Points::merged(first.iter()), Points::merged(second.iter()));
        let (n, m) = (first.count(), second.count());
        result.halves = (first.distance(&second, 0.0) - 1.22 * ((n + m) / (n * m)).sqrt()).max(0.0);
        // The mean square of a Kolmogorov variable is pi^2/12.
        let mean = squares / points.len() as f64 / (std::f64::consts::PI.powi(2) / 12.0);
        result.dispersion = result.dispersion.max(mean);
        // Two in a hundred for the rarest of the parts, or for all of them together half as much again as chance.
        if rarest * (points.len() as f64) < 0.02 || points.len() >= 5 && mean >= 1.6 {
            result.exchangeable = false;
        }
        let medians: Vec<f64> = points.iter().map(|p| p.quantile(0.5)).collect();
        let steps: Vec<f64> = medians.windows(2).map(|w| w[1] - w[0]).collect();
        let up = steps.iter().filter(|s| **s > 0.0).count();
        let down = steps.iter().filter(|s| **s < 0.0).count();
        // Three parts are in order by chance once in three, eight once in 20,160 (two of all orders are). What tells a
        // trend in few of them is the distance beside it.
        result.trending =
            steps.len() >= 2 && (up == steps.len() || down == steps.len()) && result.distance > 0.15;
    }

    // Sets of values: what is new in each later part, counted by record.
    let tops: Vec<BTreeMap<u64, u64>> =
        parts.iter().map(|p| sides(p).or_else(|| super::enums::counts(p)).unwrap_or_default()).collect();
    if tops.iter().filter(|t| !t.is_empty()).count() >= 2 {
        let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
        let mut early: BTreeMap<u64, u64> = BTreeMap::new();
        for (i, top) in tops.iter().enumerate() {
            for (value, count) in top {
                *seen.entry(*value).or_default() += count;
                if i < tops.len() / 2 {
                    *early.entry(*value).or_default() += count;
                }
            }
        }
        // A value of c records falls into one half alone by chance once in 2^(c-1); with k values to look at, k times
        // as often. One in a hundred is taken for a set that opens.
        result.open = seen.iter().any(|(value, count)| {
            let first = early.get(value).copied().unwrap_or(0);
            let one_half = first == 0 || first == *count;
            one_half && seen.len() as f64 * 0.5_f64.powf(*count as f64 - 1.0) < 0.01
        });
        let (mut late, all): (BTreeMap<u64, u64>, u64) = (BTreeMap::new(), seen.values().sum());
        seen.iter().for_each(|(value, count)| {
            late.insert(*value, count - early.get(value).copied().unwrap_or(0));
        });
        let (n, m) = (early.values().sum::<u64>() as f64, late.values().sum::<u64>() as f64);
        if n > 0.0 && m > 0.0 {
            let share = |half: &BTreeMap<u64, u64>, value: &u64| half.get(value).copied().unwrap_or(0) as f64;
            let apart = |value: &u64| (share(&early, value) / n - share(&late, value) / m).abs();
            let tv = seen.keys().map(apart).sum::<f64>() / 2.0;
            // The mean total variation of two samples is about sqrt(k (1/n + 1/m) / (2 pi)).
            let chance = (seen.len() as f64 * all as f64 / (n * m) / std::f64::consts::TAU).sqrt();
            result.halves = result.halves.max(tv - 1.5 * chance);
        }
        let mut ratio = 0.0;
        for one in &tops {
            let cells: Vec<(f64, f64)> = seen
                .iter()
                .map(|(value, total)| {
                    let here = one.get(value).copied().unwrap_or(0);
                    (here as f64, (total - here) as f64)
                })
                .collect();
            let (p_value, of_chance) = stats::g_test(&cells);
            ratio += of_chance;
            if p_value * (tops.len() as f64) < 0.02 {
                result.exchangeable = false;
            }
            let n = one.values().sum::<u64>() as f64;
            let total = seen.values().sum::<u64>() as f64;
            if n > 0.0 && total > n {
                let tv: f64 = cells.iter().map(|(a, b)| (a / n - b / (total - n)).abs()).sum::<f64>() / 2.0;
                // The mean total variation of two equal samples is about sqrt(k / (2 pi n)).
                let chance = (seen.len() as f64 / (std::f64::consts::TAU * n)).sqrt();
                result.distance = result.distance.max(tv - 1.5 * chance);
            }
        }
        result.dispersion = result.dispersion.max(ratio / tops.len() as f64);
        if tops.len() >= 5 && ratio / tops.len() as f64 >= 1.6 {
            result.exchangeable = false;
        }
    }
    result.exchangeable &= !result.trending && !result.open;
    Some(result)
}

/// How often a boolean is false, and how often true.
fn sides(field: &FieldProfile) -> Option<BTreeMap<u64, u64>> {
    let all = field.types.get(crate::model::JsonType::Boolean);
    let counts = [(0, all - field.trues), (1, field.trues)];
    (all > 0).then(|| counts.into_iter().filter(|(_, count)| *count > 0).collect())
}

/// The share of entities with another value in the next sub-window.
fn restless(neighbours: &[Pairs<'_>], path: &FieldPath) -> f64 {
    let (mut seen, mut moved) = (0_u32, 0_u32);
    for (before, after) in neighbours.iter().flat_map(|pairs| pairs.values(path, path)) {
        seen += 1;
        moved += u32::from(!super::pairs::equal(before, after));
    }
    f64::from(moved) / f64::from(seen.max(1))
}

/// Whether the mean of a sub-window is a quarter of the whole range away from that of the others. Means of twenty values
/// or more vary by a twelfth of it at most where chance alone is at work (the deviation of a uniform sample; others are
/// narrower): three standard deviations. Moments lie too near each other, next to their size, for binned quantiles.
fn takes_turns(parts: &[&FieldProfile]) -> bool {
    let numbers: Vec<_> =
        parts.iter().filter_map(|p| super::cdf::numbers_of(p)).filter(|n| n.count >= 20).collect();
    let (low, high) = numbers
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| (low.min(n.min), high.max(n.max)));
    let all = numbers.iter().map(|n| n.count as f64).sum::<f64>();
    let sum = numbers.iter().filter_map(|n| Some(n.mean()? * n.count as f64)).sum::<f64>();
    numbers.len() >= 2
        && numbers.iter().any(|n| {
            let (count, mean) = (n.count as f64, n.mean().unwrap_or(0.0));
            let others = (sum - mean * count) / (all - count);
            (mean - others).abs() >= 0.25 * (high - low) && high > low
        })
}

/// The largest dispersion of how strings are written that chance does not explain.
fn form_dispersion(parts: &[&FieldProfile]) -> f64 {
    let strings: Vec<&StringProfile> = parts.iter().filter_map(|part| part.strings.as_deref()).collect();
    let shares = |count: &dyn Fn(&StringProfile) -> u64| -> Vec<(u64, u64)> {
        strings.iter().map(|s| (count(s).min(s.count), s.count)).collect()
    };
    let mut formats: Vec<Format> = strings.iter().flat_map(|s| s.formats.keys().copied()).collect();
    formats.sort_unstable();
    formats.dedup();
    let mut forms: Vec<Vec<(u64, u64)>> = formats.iter().map(|f| shares(&|s| s.of_format(*f))).collect();
    forms.extend([shares(&|s| s.lower), shares(&|s| s.upper), shares(&|s| s.empty)]);
    let longest = strings.iter().map(|s| s.max_length).max().unwrap_or(0).min(64);
    let shorter =
        |s: &StringProfile, length: u64| (s.lengths.cdf(length as f64) * s.count as f64).round() as u64;
    forms.extend((1..longest).map(|length| shares(&|s| shorter(s, length))));
    // One in a hundred for all forms together.
    let least = 0.01 / forms.len().max(1) as f64;
    let beyond = |form: &Vec<(u64, u64)>| {
        let freedom = form.iter().filter(|(_, n)| *n > 0).count() as f64 - 1.0;
        let dispersion = share_dispersion(form);
        let told = freedom > 0.0 && stats::chi_squared_above(dispersion * freedom, freedom) < least;
        told.then_some(dispersion)
    };
    forms.iter().filter_map(beyond).fold(1.0, f64::max)
}

/// Chi-squared of shares over its degrees of freedom.
fn share_dispersion(parts: &[(u64, u64)]) -> f64 {
    let (hits, all) = parts.iter().fold((0, 0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
    // Parts without any say nothing.
    let freedom = parts.iter().filter(|(_, n)| *n > 0).count().saturating_sub(1);
    if hits == 0 || hits == all || freedom == 0 {
        return 1.0;
    }
    let share = hits as f64 / all as f64;
    let chi: f64 = parts
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(k, n)| (*k as f64 - share * *n as f64).powi(2) / (*n as f64 * share * (1.0 - share)))
        .sum();
    chi / freedom as f64
}
