//! Empirical distributions out of binned counts, their images under a transform, and the distance of two.

use crate::profile::{FieldProfile, NumberProfile};

/// Bins are about one part in sixty wide: images of values that land next door are the same value.
pub(super) const TOLERANCE: f64 = 1.0 / 48.0;

/// Values in ascending order, each known to lie between two bounds, with their (possibly fractional) counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Points(Vec<Point>);

#[derive(Debug, Clone, Copy)]
struct Point {
    low: f64,
    high: f64,
    weight: f64,
}

impl Point {
    /// The value that it most likely is: an integer that may be alone in its bin, else the middle.
    fn value(&self) -> f64 {
        let (inner, outer) = if self.low < 0.0 { (self.high, self.low) } else { (self.low, self.high) };
        if inner.fract() == 0.0 && (outer - inner).abs() <= 1.0 {
            inner
        } else {
            f64::midpoint(self.low, self.high)
        }
    }
}

impl Points {
    /// The numbers of a field, or what its strings say as numbers, where most values are such.
    pub(super) fn of(field: &FieldProfile) -> Option<Self> {
        let numbers = numbers_of(field)?;
        let points = Self::of_numbers(numbers);
        (!points.0.is_empty()).then_some(points)
    }

    /// The numbers of a profile.
    pub(super) fn of_numbers(numbers: &NumberProfile) -> Self {
        let bins = numbers.quantiles.iter();
        Self(bins.map(|bin| Point { low: bin.low, high: bin.high, weight: bin.count as f64 }).collect())
    }

    /// Values as they are.
    pub(super) fn of_values(values: &[f64]) -> Self {
        Self::sorted(values.iter().map(|value| Point { low: *value, high: *value, weight: 1.0 }).collect())
    }

    /// One more value.
    #[cfg(test)]
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(Point { low: value, high: value, weight: 1.0 });
    }

    /// Several together.
    pub(super) fn merged<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        Self::sorted(parts.flat_map(|p| p.0.iter().copied()).collect())
    }

    fn sorted(mut points: Vec<Point>) -> Self {
        points.retain(|p| p.low.is_finite() && p.high.is_finite() && p.weight > 0.0);
        points.sort_by(|a, b| a.low.total_cmp(&b.low).then(a.high.total_cmp(&b.high)));
        Self(points)
    }

    /// How many values.
    pub(super) fn count(&self) -> f64 {
        self.0.iter().map(|p| p.weight).sum()
    }

    /// The values of two sides in ascending order, each with its weight here and there. Bins of the two sides that
    /// overlap hold the same value: they may be of different widths.
    pub(super) fn beside(&self, other: &Self) -> Vec<(f64, f64, f64)> {
        let mut all: Vec<(&Point, f64, f64)> = self.0.iter().map(|p| (p, p.weight, 0.0)).collect();
        all.extend(other.0.iter().map(|p| (p, 0.0, p.weight)));
        all.sort_by(|a, b| a.0.low.total_cmp(&b.0.low).then(a.0.high.total_cmp(&b.0.high)));
        let mut values: Vec<(f64, f64, f64)> = Vec::with_capacity(all.len());
        let mut reach = (f64::NAN, f64::NAN);
        for (point, here, there) in all {
            match values.last_mut() {
                Some(last) if point.low == reach.0 || point.low < reach.1 => {
                    *last = (last.0, last.1 + here, last.2 + there);
                    reach.1 = reach.1.max(point.high);
                }
                _ => {
                    values.push((point.value(), here, there));
                    reach = (point.low, point.high);
                }
            }
        }
        values
    }

    /// How many values lie farther from zero than that.
    pub(super) fn beyond(&self, reach: f64) -> f64 {
        self.0.iter().filter(|p| p.value().abs() > reach).map(|p| p.weight).sum()
    }

    /// The value below which a share `q` lies.
    pub(super) fn quantile(&self, q: f64) -> f64 {
        let rank = q * self.count();
        let mut below = 0.0;
        for point in &self.0 {
            below += point.weight;
            if below >= rank {
                return point.value();
            }
        }
        self.0.last().map_or(0.0, Point::value)
    }

    /// Mean and standard deviation.
    pub(super) fn moments(&self) -> (f64, f64) {
        let n = self.count().max(1.0);
        let mean = self.0.iter().map(|p| p.value() * p.weight).sum::<f64>() / n;
        let variance = self.0.iter().map(|p| p.weight * (p.value() - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    /// The image under `value * ratio + offset`.
    pub(super) fn image(&self, ratio: f64, offset: f64) -> Self {
        let map = |p: &Point| {
            let (a, b) = (p.low * ratio + offset, p.high * ratio + offset);
            Point { low: a.min(b), high: a.max(b), weight: p.weight }
        };
        Self::sorted(self.0.iter().map(map).collect())
    }

    /// A mixture: this with weight `1 - share`, `other` with weight `share`.
    pub(super) fn mixed(&self, other: &Self, share: f64) -> Self {
        let (n, m) = (self.count().max(1.0), other.count().max(1.0));
        let mine = self.0.iter().map(|p| Point { weight: p.weight / n * (1.0 - share), ..*p });
        let theirs = other.0.iter().map(|p| Point { weight: p.weight / m * share, ..*p });
        Self::sorted(mine.chain(theirs).collect())
    }

    /// The largest difference of the two distribution functions, forgiving shifts of `tolerance` times the value (a
    /// Levy distance on a relative scale; with 0 the distance of Kolmogorov and Smirnov, to within a bin).
    pub(super) fn distance(&self, other: &Self, tolerance: f64) -> f64 {
        one_sided(&self.0, &other.0, tolerance, 0.0).max(one_sided(&other.0, &self.0, tolerance, 0.0))
    }

    /// The same, forgiving shifts of `step` whatever the value: what rounding does.
    pub(super) fn distance_rounded(&self, other: &Self, step: f64) -> f64 {
        one_sided(&self.0, &other.0, TOLERANCE, step).max(one_sided(&other.0, &self.0, TOLERANCE, step))
    }
}

/// The largest `F(x) - G(x + tolerance)`; it lies at an atom of F. Bins of the two sides that overlap count as equal:
/// they may be of different widths.
fn one_sided(f: &[Point], g: &[Point], tolerance: f64, step: f64) -> f64 {
    let (n, m): (f64, f64) = (f.iter().map(|p| p.weight).sum(), g.iter().map(|p| p.weight).sum());
    if n == 0.0 || m == 0.0 {
        return 0.0;
    }
    let (mut f_below, mut g_below, mut at, mut worst) = (0.0, 0.0, 0, 0.0_f64);
    let mut highest = f64::NEG_INFINITY;
    for point in f {
        f_below += point.weight;
        highest = highest.max(point.high + (tolerance + f64::EPSILON) * point.high.abs() + step);
        let touches =
            |p: &Point| p.low < highest || p.low == p.high && p.low <= highest || p.low <= point.low;
        while at < g.len() && touches(&g[at]) {
            g_below += g[at].weight;
            at += 1;
        }
        worst = worst.max(f_below / n - g_below / m);
    }
    worst
}

/// The numbers of a field, or what its strings say as numbers.
pub(super) fn numbers_of(field: &FieldProfile) -> Option<&NumberProfile> {
    field.numbers.as_deref().or_else(|| {
        let strings = field.strings.as_deref()?;
        let numbers = strings.as_numbers.as_deref()?;
        (numbers.count * 10 >= strings.count * 9).then_some(numbers)
    })
}
