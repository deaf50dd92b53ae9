//! Exact and asymptotic tests, each with its source; counts in, probabilities out.

use std::collections::{BTreeMap, BTreeSet};

use statrs::{
    distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF, Normal},
    function::gamma::ln_gamma,
};

/// Two-sided p-value of Fisher's exact test for `a` of `n` against `b` of `m` (R. A. Fisher 1922): the sum over all
/// tables with the same margins that are no likelier than the one seen. Beyond 20,000 the G-test takes over, which
/// does not sum long tails; for fewer than five expected hits it is too small by up to a factor of a few, far less than
/// what lanes ask for besides in windows of that size.
#[must_use]
pub(super) fn fisher(a: u64, n: u64, b: u64, m: u64) -> f64 {
    if n == 0 || m == 0 {
        return 1.0;
    }
    let (a, b) = (a.min(n), b.min(m));
    if n + m > 20_000 {
        return g_test(&[(a as f64, b as f64), ((n - a) as f64, (m - b) as f64)]).0;
    }
    let hits = a + b;
    let ln_choose =
        |n: u64, k: u64| ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0);
    let total = ln_choose(n + m, hits);
    let ln_p = |x: u64| ln_choose(n, x) + ln_choose(m, hits - x) - total;
    let seen = ln_p(a) + 1e-7;
    let low = hits.saturating_sub(m);
    let high = hits.min(n);
    (low..=high).map(ln_p).filter(|p| *p <= seen).map(f64::exp).sum::<f64>().min(1.0)
}

/// The probability of at least `k` hits in `n` trials of probability `p`.
#[must_use]
pub(super) fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    Binomial::new(p.clamp(0.0, 1.0), n).map_or(1.0, |dist| dist.sf(k - 1))
}

/// The chance that `k` given records out of `n + m` all fall among the last `m` when the order says nothing (the
/// hypergeometric law, R. A. Fisher 1935): how surprising it is that the first `n` hold none of them.
#[must_use]
pub(super) fn all_among_last(k: u64, n: u64, m: u64) -> f64 {
    if k > m {
        return 0.0;
    }
    let ln_falling = |from: u64| ln_gamma(from as f64 + 1.0) - ln_gamma((from - k) as f64 + 1.0);
    (ln_falling(m) - ln_falling(n + m)).exp().min(1.0)
}

/// How many values of a set are still unseen at least, given how many were seen once and twice (A. Chao 1984, in the
/// form without bias, which needs none seen twice).
#[must_use]
pub(super) fn unseen_at_least(counts: &BTreeMap<u64, u64>) -> f64 {
    let seen = |times: u64| counts.values().filter(|count| **count == times).count() as f64;
    seen(1) * (seen(1) - 1.0) / (2.0 * (seen(2) + 1.0))
}

/// The G-test of homogeneity over categories (Sokal and Rohlf, Biometry): the p-value and the statistic over its
/// degrees of freedom. Categories that both sides together saw fewer than 5 times are pooled.
#[must_use]
pub(super) fn g_test(cells: &[(f64, f64)]) -> (f64, f64) {
    let mut pooled = Vec::with_capacity(cells.len());
    let mut rare = (0.0, 0.0);
    for (a, b) in cells {
        if a + b < 5.0 {
            rare = (rare.0 + a, rare.1 + b);
        } else {
            pooled.push((*a, *b));
        }
    }
    if rare.0 + rare.1 > 0.0 {
        pooled.push(rare);
    }
    let (n, m) = pooled.iter().fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
    if pooled.len() < 2 || n == 0.0 || m == 0.0 {
        return (1.0, 0.0);
    }
    let term = |seen: f64, expected: f64| if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 };
    let g: f64 = pooled
        .iter()
        .map(|(a, b)| {
            let share = (a + b) / (n + m);
            2.0 * (term(*a, share * n) + term(*b, share * m))
        })
        .sum();
    let freedom = (pooled.len() - 1) as f64;
    (chi_squared_above(g, freedom), g / freedom)
}

/// The counts of both sides by value, each divided by `dispersion`: the cells of a [`g_test`].
#[must_use]
pub(super) fn cells(
    one: &BTreeMap<u64, u64>,
    other: &BTreeMap<u64, u64>,
    dispersion: f64,
) -> Vec<(f64, f64)> {
    let by = dispersion.max(1.0);
    let values: BTreeSet<&u64> = one.keys().chain(other.keys()).collect();
    let of = |side: &BTreeMap<u64, u64>, value: &u64| side.get(value).copied().unwrap_or(0) as f64 / by;
    values.into_iter().map(|value| (of(one, value), of(other, value))).collect()
}

/// The probability that a chi-squared variable of that freedom is above `x`.
#[must_use]
pub(super) fn chi_squared_above(x: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).map_or(1.0, |dist| dist.sf(x.max(0.0)))
}

/// A p-value whose chi-squared statistic of one degree of freedom is divided by `inflation`, as genomic control does
/// (B. Devlin and K. Roeder, Biometrics 1999).
#[must_use]
pub(super) fn deflated(p_value: f64, inflation: f64) -> f64 {
    // Below 1e-15 the quantile of the other tail is rounded to infinity; what is that rare is rare enough.
    let normal = Normal::standard();
    let z = -normal.inverse_cdf((p_value / 2.0).clamp(1e-300, 0.5));
    2.0 * normal.sf(z / inflation.max(1.0).sqrt())
}

/// The asymptotic p-value of a two-sample Kolmogorov-Smirnov distance, with Stephens' correction for small samples
/// (M. A. Stephens 1970; Numerical Recipes 14.3). Ties make it conservative.
#[must_use]
pub(super) fn ks_p_value(distance: f64, n: f64, m: f64) -> f64 {
    let root = (n * m / (n + m)).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    if lambda < 0.2 {
        return 1.0;
    }
    let term = |k: f64| (-2.0 * k * k * lambda * lambda).exp();
    (1..=100)
        .map(|k| if k % 2 == 1 { term(f64::from(k)) } else { -term(f64::from(k)) })
        .sum::<f64>()
        .clamp(0.0, 0.5)
        * 2.0
}

/// The distance of Kolmogorov between a mixture of samples (each with its weight and what is added to its values) and
/// one more sample.
#[must_use]
pub(super) fn kolmogorov(mixture: &[(&[f64], f64, f64)], other: &[f64]) -> f64 {
    let (high, low) = extremes(mixture, other);
    high.max(low)
}

/// The statistic of N. Kuiper (1960) for values on a circle: the largest difference of the distribution functions
/// upwards and the largest downwards together, which no choice of the zero changes.
#[must_use]
pub(super) fn kuiper(one: &[f64], other: &[f64]) -> f64 {
    let (high, low) = extremes(&[(one, 1.0, 0.0)], other);
    high + low
}

/// The largest differences of two distribution functions, upwards and downwards.
fn extremes(mixture: &[(&[f64], f64, f64)], other: &[f64]) -> (f64, f64) {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (values, weight, by) in mixture {
        steps.extend(values.iter().map(|value| (value + by, weight / values.len() as f64)));
    }
    steps.extend(other.iter().map(|value| (*value, -1.0 / other.len() as f64)));
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut at, mut high, mut low) = (0.0, 0.0_f64, 0.0_f64);
    for tied in steps.chunk_by(|a, b| a.0 == b.0) {
        at += tied.iter().map(|(_, step)| step).sum::<f64>();
        high = high.max(at);
        low = low.max(-at);
    }
    (high, low)
}

/// The asymptotic p-value of [`kuiper`] (M. A. Stephens 1970; Numerical Recipes 14.3).
#[must_use]
pub(super) fn kuiper_p_value(distance: f64, n: f64, m: f64) -> f64 {
    let root = (n * m / (n + m)).sqrt();
    let lambda = (root + 0.155 + 0.24 / root) * distance;
    if lambda < 0.4 {
        return 1.0;
    }
    let term = |k: f64| (4.0 * (k * lambda).powi(2) - 1.0) * (-2.0 * (k * lambda).powi(2)).exp();
    (2.0 * (1..=100).map(|k| term(f64::from(k))).sum::<f64>()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fisher_agrees_with_the_tea_tasting() {
        // R: fisher.test(matrix(c(3,1,1,3),2))$p.value
        assert!((fisher(3, 4, 1, 4) - 0.485_714).abs() < 1e-5);
        assert!((fisher(0, 50, 5, 50) - 0.056_27).abs() < 1e-4);
        assert_eq!(fisher(0, 0, 1, 2), 1.0);
        assert!(fisher(100, 20_000, 900, 20_000) < 1e-50);
    }

    #[test]
    fn records_fall_on_one_side_as_often_as_counted() {
        // Of the six ways to choose two of four records one takes the last two.
        assert!((all_among_last(2, 2, 2) - 1.0 / 6.0).abs() < 1e-12);
        assert_eq!(all_among_last(0, 5, 5), 1.0);
        assert_eq!(all_among_last(6, 5, 5), 0.0);
        assert!((all_among_last(6, 50, 50) - 0.0133).abs() < 1e-4);
    }

    #[test]
    fn the_circle_has_no_beginning() {
        let (one, other) = ([1.0, 2.0, 3.0, 9.0], [2.5, 3.5, 4.0, 5.0]);
        let turned = |of: &[f64]| of.iter().map(|v| (v + 4.0) % 10.0).collect::<Vec<_>>();
        assert!((kuiper(&one, &other) - kuiper(&turned(&one), &turned(&other))).abs() < 1e-12);
        assert_eq!(kolmogorov(&[(&one, 1.0, 0.0)], &one), 0.0);
        // The 5 % point is 1.747.
        let far = 1.747 / (50.0_f64.sqrt() + 0.155 + 0.24 / 50.0_f64.sqrt());
        assert!((kuiper_p_value(far, 100.0, 100.0) - 0.05).abs() < 0.001);
        assert_eq!(kuiper_p_value(0.0, 10.0, 10.0), 1.0);
    }

    #[test]
    fn values_seen_once_tell_of_unseen_ones() {
        let counts = |of: &[u64]| (0..).zip(of.iter().copied()).collect::<BTreeMap<u64, u64>>();
        assert_eq!(unseen_at_least(&counts(&[90, 40, 1])), 0.0);
        assert_eq!(unseen_at_least(&counts(&[90, 2, 1, 1, 1])), 1.5);
        assert_eq!(unseen_at_least(&counts(&[])), 0.0);
    }

    #[test]
    fn ks_is_uniform_enough() {
        assert!((ks_p_value(0.1923, 100.0, 100.0) - 0.05).abs() < 0.02);
        assert!(ks_p_value(0.0, 10.0, 10.0) > 0.99);
    }
}
