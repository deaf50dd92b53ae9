//! Rank tests of two samples: whether one lies higher, and whether one lies wider.
//!
//! They need no shape of the distributions, are exact in level under exchangeability but for the normal approximation,
//! and see a shift of one standard deviation in half as many values as the test of Kolmogorov and Smirnov does.

use statrs::distribution::{ContinuousCDF, Normal};

use super::cdf::Points;

/// What a rank test came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RankTest {
    /// The chance that a value of the second sample exceeds one of the first, ties counted half: 0.5 for equal ones.
    pub superiority: f64,
    /// Two-sided.
    pub p_value: f64,
}

impl RankTest {
    /// What says nothing.
    const NONE: Self = Self { superiority: 0.5, p_value: 1.0 };

    /// How far the superiority is from equal, from 0 to 0.5: 0.14 is a medium effect, half a standard deviation of
    /// two normal samples (J. Cohen 1988, by the conversion of K. McGraw and S. Wong 1992).
    pub(super) fn effect(&self) -> f64 {
        (self.superiority - 0.5).abs()
    }
}

/// The rank-sum test (F. Wilcoxon 1945, H. Mann and D. Whitney 1947) with mid-ranks, the variance corrected for ties
/// and the normal approximation with its continuity correction (E. Lehmann, Nonparametrics, 1975, 1.4). The sizes are
/// divided by `dispersion`, the design effect of samples whose values hang together.
pub(super) fn location(a: &Points, b: &Points, dispersion: f64) -> RankTest {
    rank_sum(a.beside(b), dispersion)
}

/// The same test of the distances from the common median: values of the second sample lie wider where their distances
/// rank higher (a rank test of scale as of S. Siegel and J. Tukey 1960, with distances in place of their order). With
/// a centre that both share it is as exact as the test of location, and blind to skewness.
pub(super) fn scale(a: &Points, b: &Points, dispersion: f64) -> RankTest {
    let centre = Points::merged([a, b].into_iter()).quantile(0.5);
    let apart = |(value, x, y): (f64, f64, f64)| ((value - centre).abs(), x, y);
    rank_sum(a.beside(b).into_iter().map(apart).collect(), dispersion)
}

/// The values farthest from the common median, as long as all of them are of one sample: how surprising so many are,
/// two-sided (a run of extremes, as of J. Tukey's quick test, Technometrics 1959). It sees wider and narrower values
/// in few of them, where ranks are blind to how far away the last ones lie.
pub(super) fn tails(a: &Points, b: &Points, dispersion: f64) -> f64 {
    let centre = Points::merged([a, b].into_iter()).quantile(0.5);
    let mut all = a.beside(b);
    all.sort_by(|x, y| (y.0 - centre).abs().total_cmp(&(x.0 - centre).abs()));
    let by = dispersion.max(1.0);
    let run = |of_a: bool| {
        let sides = all.iter().map(|(_, x, y)| if of_a { (x, y) } else { (y, x) });
        sides.take_while(|(_, other)| **other == 0.0).map(|(own, _)| own).sum::<f64>()
    };
    let (of_a, of_b) = (run(true), run(false));
    let whole = |count: f64| (count / by).floor() as u64;
    let (n, m) = (whole(a.count()), whole(b.count()));
    let p_value =
        super::stats::all_among_last(whole(of_a), m, n).min(super::stats::all_among_last(whole(of_b), n, m));
    (2.0 * p_value).min(1.0)
}

/// Values with their weights in both samples.
fn rank_sum(mut all: Vec<(f64, f64, f64)>, dispersion: f64) -> RankTest {
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (n, m) = all.iter().fold((0.0, 0.0), |sum, (_, x, y)| (sum.0 + x, sum.1 + y));
    if n < 1.0 || m < 1.0 {
        return RankTest::NONE;
    }
    // Pairs in which the second is the larger, and the tie term of the variance.
    let (mut wins, mut ties, mut below) = (0.0, 0.0, 0.0);
    for tied in all.chunk_by(|x, y| x.0 == y.0) {
        let (x, y) = tied.iter().fold((0.0, 0.0), |sum, (_, x, y)| (sum.0 + x, sum.1 + y));
        wins += y * (below + x / 2.0);
        below += x;
        ties += (x + y).powi(3) - (x + y);
    }
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0).max(1.0)));
    if variance <= 0.0 {
        return RankTest::NONE;
    }
    let deviation = ((wins - n * m / 2.0).abs() - 0.5).max(0.0) / (variance * dispersion.max(1.0)).sqrt();
    RankTest { superiority: wins / (n * m), p_value: 2.0 * Normal::standard().sf(deviation) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &[f64], b: &[f64]) -> RankTest {
        let (a, b) = (a.iter().map(|v| (*v, 1.0, 0.0)), b.iter().map(|v| (*v, 0.0, 1.0)));
        rank_sum(a.chain(b).collect(), 1.0)
    }

    #[test]
    fn agrees_with_the_formula_by_hand() {
        // U = 33 with two ties of two: variance 3 * (13 - 12 / 132) = 38.73, z = (15 - 0.5) / 6.223 = 2.330.
        let test = sum(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[4.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
        assert!((test.p_value - 0.0198).abs() < 0.0002, "{test:?}");
        assert!((test.superiority - 33.0 / 36.0).abs() < 1e-9, "{test:?}");
    }

    #[test]
    fn many_extremes_of_one_sample_are_no_chance() {
        let points = |of: std::ops::RangeInclusive<i32>, by: i32| {
            let mut numbers = Points::default();
            for value in of {
                numbers.push(f64::from(value * by));
            }
            numbers
        };
        assert!(tails(&points(-20..=20, 3), &points(-20..=20, 8), 1.0) < 1e-5);
        assert!(tails(&points(-20..=20, 3), &points(-20..=20, 3), 1.0) >= 1.0);
        assert_eq!(tails(&Points::default(), &points(1..=5, 1), 1.0), 1.0);
    }

    #[test]
    fn equal_and_empty_samples_say_nothing() {
        assert_eq!(sum(&[1.0, 1.0], &[1.0, 1.0]), RankTest::NONE);
        assert_eq!(sum(&[], &[1.0]), RankTest::NONE);
        assert!(sum(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).p_value > 0.99);
    }
}
