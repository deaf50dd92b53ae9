//! Whether values that come after each other resemble each other: records sorted by a field, or by what goes with it,
//! hold its values in runs, and the next window holds the next runs. What comes and goes there is no news.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, DiscreteCDF, Normal, Poisson};

use super::pairs::as_number;
use crate::model::FieldPath;
use crate::profile::{Order, Profile, SampleValue};

/// By chance one field in two thousand is taken for one in runs: a stream of twenty fields once in a hundred.
const CHANCE: f64 = 0.0005;
/// Fewer records in order show no runs.
const MIN_RECORDS: usize = 20;

/// What the runs of a field are like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Runs {
    /// The mean length of a run over the one that chance would give.
    pub length: f64,
    /// How many there are.
    pub count: u32,
}

/// The fields whose values come in runs, each with what its runs are like.
pub(super) fn in_runs(profile: &Profile, order: &Order) -> BTreeMap<FieldPath, Runs> {
    let rows = super::context::in_order(profile, order);
    if rows.len() < MIN_RECORDS {
        return BTreeMap::new();
    }
    let of = |path: &FieldPath| {
        let values: Vec<Option<&SampleValue>> = rows.iter().map(|(_, record)| record.0.get(path)).collect();
        let (alike, length) = runs(&values);
        let told: Vec<Told> = values.iter().map(|value| told(*value)).collect();
        let count = told.chunk_by(|a, b| a == b).count() as u32;
        let numbers: Vec<f64> = values.iter().filter_map(|value| as_number((*value)?)).collect();
        let p_value = alike.min(if numbers.len() >= MIN_RECORDS { neighbours(&numbers) } else { 1.0 });
        (p_value < CHANCE).then_some(Runs { length, count })
    };
    profile
        .fields
        .keys()
        .filter(|path| !path.is_repeated())
        .filter_map(|path| Some((path.clone(), of(path)?)))
        .collect()
}

/// The chance of so many equal values next to each other in records of no order, and the mean length of a run of equal
/// values over the expected one (the runs test of A. Wald and J. Wolfowitz 1940, for several kinds as of A. Mood 1940;
/// where equal neighbours are rare, their number is that of S. Poisson).
pub(super) fn runs(values: &[Option<&SampleValue>]) -> (f64, f64) {
    let told: Vec<Told> = values.iter().map(|value| told(*value)).collect();
    equal_neighbours(&told)
}

/// [`runs`] of anything.
pub(super) fn equal_neighbours<T: Ord + Copy>(told: &[T]) -> (f64, f64) {
    let mut counts: BTreeMap<T, f64> = BTreeMap::new();
    for value in told {
        *counts.entry(*value).or_default() += 1.0;
    }
    let n = told.len() as f64;
    let equal = told.windows(2).filter(|two| two[0] == two[1]).count() as f64;
    let squares: f64 = counts.values().map(|count| count * count).sum();
    let cubes: f64 = counts.values().map(|count| count.powi(3)).sum();
    let expected = squares / n - 1.0;
    let longer = (n - expected) / (n - equal);
    if equal <= expected {
        return (1.0, 1.0);
    }
    let variance = (squares * (squares + n * (n + 1.0)) - 2.0 * n * cubes - n.powi(3)) / (n * n * (n - 1.0));
    // Beyond ten expected ones the normal law holds well enough.
    let p_value = if expected >= 10.0 && variance > 0.0 {
        Normal::standard().sf((equal - expected - 0.5) / variance.sqrt())
    } else if equal >= 1.0 && expected > 0.0 {
        Poisson::new(expected).map_or(1.0, |law| law.sf(equal as u64 - 1))
    } else {
        1.0
    };
    (p_value, longer)
}

/// What tells equal values.
pub(super) type Told = (u8, u64);

/// What tells a value from others, the lack of one among them.
pub(super) fn told(value: Option<&SampleValue>) -> Told {
    match value {
        None => (0, 0),
        Some(SampleValue::Null) => (1, 0),
        Some(SampleValue::Bool(is)) => (2, u64::from(*is)),
        Some(SampleValue::Number(number, _)) => (3, number.to_bits()),
        Some(SampleValue::Text { hash, .. }) => (4, *hash),
        Some(SampleValue::Container(_, count)) => (5, *count),
    }
}

/// The chance of numbers so near to their neighbours in records of no order (the rank form of J. von Neumann's ratio,
/// R. Bartels 1982).
fn neighbours(numbers: &[f64]) -> f64 {
    let ranks = ranks(numbers);
    let n = ranks.len() as f64;
    let mean = ranks.iter().sum::<f64>() / n;
    let spread: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    if spread <= 0.0 {
        return 1.0;
    }
    let steps: f64 = ranks.windows(2).map(|two| (two[1] - two[0]).powi(2)).sum();
    Normal::standard().sf((2.0 - steps / spread) / (4.0 / n).sqrt())
}

/// The place of each number among all, equal ones at their common middle.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = |number: &f64| {
        let below = sorted.partition_point(|other| other < number);
        let up_to = sorted.partition_point(|other| other <= number);
        (below + up_to) as f64 / 2.0
    };
    numbers.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: u64) -> SampleValue {
        SampleValue::Number(n as f64, n.to_string())
    }

    #[test]
    fn runs_show_and_noise_does_not() {
        let noise = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let of = |value: &dyn Fn(u64) -> u64| {
            let values: Vec<SampleValue> = (0..60).map(|i| number(value(i))).collect();
            runs(&values.iter().map(Some).collect::<Vec<_>>())
        };
        let (p_value, length) = of(&|i| i / 10);
        assert!(p_value < 1e-6 && length > 4.0, "{p_value} {length}");
        for kinds in [2, 5, 1_000_000] {
            let (p_value, _) = of(&|i| noise(i) % kinds);
            assert!(p_value > CHANCE, "{kinds}: {p_value}");
        }
        // Turns are taken, as in a table of seasons: the opposite of runs.
        assert_eq!(of(&|i| i % 3).0, 1.0);
    }

    #[test]
    fn what_grows_is_near_its_neighbours() {
        let noise = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64;
        assert!(neighbours(&(0..40).map(f64::from).collect::<Vec<_>>()) < 1e-6);
        assert!(neighbours(&(0..40).map(noise).collect::<Vec<_>>()) > CHANCE);
        assert_eq!(neighbours(&[1.0; 30]), 1.0);
    }
}
