//! Sketches with merge laws: log-linear bins and sets of smallest hashes.

use serde::{Deserialize, Serialize};

/// How many bits of the mantissa choose the bin: 128 bins between a power of two and the next.
const FRACTION_BITS: u32 = 7;
/// How far a double's bits are shifted to leave exponent and [`FRACTION_BITS`].
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - FRACTION_BITS;
/// The bin of 1.0 before it is moved to 0.
const BIN_OF_ONE: i32 = 1023 << FRACTION_BITS;
/// The widest range of bins on one side of zero (16 octaves at full resolution, 16 kB); beyond it neighbours join.
const MAX_SPAN: i64 = 2048;

/// Counts in log-linear bins over the whole range of f64: quantiles with a bounded relative error.
///
/// A bin spans at most 1/128 of its value, and a quantile lies in the bin of the value at that rank, so it is off by
/// less than 0.8 % of it; integers up to 256 have bins of their own. Where values span more than 16 octaves (a factor of
/// 65,536), each further doubling of the number of octaves doubles the error. The resolution depends on the extremes
/// alone, so bins merge in any order to the same bytes.
///
/// The bins are those of HdrHistogram (linear inside of each octave), so that an index is a shift and no logarithm; the
/// relative error and the joining of neighbours are those of DDSketch (Masson, Rim and Lee, VLDB 2019) and UDDSketch
/// (Epicoco and others, IEEE Access 2020), where all bins are joined in pairs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bins {
    /// How often neighbouring bins were joined in pairs.
    level: u8,
    /// How many values are zero.
    zero: u64,
    /// Values below zero, by magnitude.
    negative: Side,
    /// Values above zero.
    positive: Side,
}

/// The bins on one side of zero, from the first to the last that holds something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Side {
    first: i32,
    counts: Vec<u64>,
}

impl Side {
    fn last(&self) -> i32 {
        self.first + self.counts.len() as i32 - 1
    }

    /// Counts `weight` values in a bin, unless that would need more bins than are allowed.
    #[inline]
    fn try_add(&mut self, bin: i32, weight: u64) -> bool {
        match usize::try_from(i64::from(bin) - i64::from(self.first)) {
            Ok(at) if at < self.counts.len() => self.counts[at] += weight,
            _ => return self.widen(bin, weight),
        }
        true
    }

    #[cold]
    fn widen(&mut self, bin: i32, weight: u64) -> bool {
        if self.counts.is_empty() {
            (self.first, self.counts) = (bin, vec![weight]);
            return true;
        }
        let (first, last) = (self.first.min(bin), self.last().max(bin));
        if i64::from(last) - i64::from(first) >= MAX_SPAN {
            return false;
        }
        let before = (self.first - first) as usize;
        self.counts.splice(0..0, std::iter::repeat_n(0, before));
        self.first = first;
        self.counts.resize((last - first) as usize + 1, 0);
        self.counts[(bin - first) as usize] += weight;
        true
    }

    /// Joins neighbouring bins in pairs.
    fn coarsen(&mut self) {
        let mut coarse = Self::default();
        for (bin, count) in self.iter() {
            // A coarser side is no wider, so there is always room.
            coarse.try_add(bin >> 1, count);
        }
        *self = coarse;
    }

    /// The bins that hold something, in order.
    fn iter(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> {
        let bins = self.counts.iter().enumerate();
        bins.filter(|(_, count)| **count > 0).map(|(at, count)| (self.first + at as i32, *count))
    }
}

impl Serialize for Side {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Side {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut side = Self::default();
        for (bin, count) in Vec::<(i32, u64)>::deserialize(deserializer)? {
            let in_range = (-(BIN_OF_ONE + 1)..=BIN_OF_ONE * 2).contains(&bin);
            if count == 0 || !in_range || !side.try_add(bin, count) {
                return Err(serde::de::Error::custom("bins out of range"));
            }
        }
        Ok(side)
    }
}

/// The bin of a magnitude above zero, at full resolution.
#[inline]
const fn bin_of(magnitude: f64) -> i32 {
    (magnitude.to_bits() >> SHIFT) as i32 - BIN_OF_ONE
}

/// The smallest magnitude of a bin at full resolution.
fn start_of(bin: i64) -> f64 {
    let bits = u64::try_from(bin + i64::from(BIN_OF_ONE)).unwrap_or(0) << SHIFT;
    f64::from_bits(bits).min(f64::MAX)
}

/// Some neighbouring values: from, to, and how many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
    /// How many values lie between.
    pub count: u64,
}

impl Bins {
    /// Counts `weight` times a value; NaN is passed over.
    #[inline]
    pub fn add(&mut self, value: f64, weight: u64) {
        if value == 0.0 {
            self.zero += weight;
            return;
        }
        if value.is_nan() || weight == 0 {
            return;
        }
        let bin = bin_of(value.abs().min(f64::MAX));
        let negative = value < 0.0;
        loop {
            let side = if negative { &mut self.negative } else { &mut self.positive };
            if side.try_add(bin >> self.level, weight) {
                return;
            }
            self.coarsen_to(self.level + 1);
        }
    }

    fn coarsen_to(&mut self, level: u8) {
        while self.level < level {
            self.negative.coarsen();
            self.positive.coarsen();
            self.level += 1;
        }
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.zero += other.zero;
        self.coarsen_to(other.level);
        for (negative, side) in [(true, &other.negative), (false, &other.positive)] {
            for (bin, count) in side.iter() {
                loop {
                    let shift = self.level - other.level;
                    let mine = if negative { &mut self.negative } else { &mut self.positive };
                    if mine.try_add(bin >> shift, count) {
                        break;
                    }
                    self.coarsen_to(self.level + 1);
                }
            }
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.zero + self.negative.counts.iter().sum::<u64>() + self.positive.counts.iter().sum::<u64>()
    }

    /// The bins that hold something, from the lowest value to the highest.
    pub fn iter(&self) -> impl Iterator<Item = Bin> {
        let bounds = |bin: i32| {
            let bin = i64::from(bin);
            (start_of(bin << self.level), start_of((bin + 1) << self.level))
        };
        let below = self.negative.iter().rev().map(move |(bin, count)| {
            let (low, high) = bounds(bin);
            Bin { low: -high, high: -low, count }
        });
        let zero = (self.zero > 0).then_some(Bin { low: 0.0, high: 0.0, count: self.zero });
        let above = self.positive.iter().map(move |(bin, count)| {
            let (low, high) = bounds(bin);
            Bin { low, high, count }
        });
        below.chain(zero).chain(above)
    }

    /// The value below which a share `q` of the values lies, interpolated inside its bin; `None` where there are none.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        // The rank of the value looked for, counted from 0.5 for the smallest.
        let rank = (q.clamp(0.0, 1.0) * total as f64).clamp(0.5, total as f64 - 0.5);
        let mut below = 0.0;
        for bin in self.iter() {
            let count = bin.count as f64;
            if below + count >= rank {
                // Values of a bin are taken as evenly spread; an integer that may be alone in its bin is taken as such.
                let (inner, outer) = if bin.low < 0.0 { (bin.high, bin.low) } else { (bin.low, bin.high) };
                if inner.fract() == 0.0 && (outer - inner).abs() <= 1.0 {
                    return Some(inner);
                }
                return Some(bin.low + ((rank - below) / count).clamp(0.0, 1.0) * (bin.high - bin.low));
            }
            below += count;
        }
        None
    }

    /// The share of values at or below `value`, interpolated inside its bin.
    #[must_use]
    pub fn cdf(&self, value: f64) -> f64 {
        let total = self.count();
        if total == 0 {
            return 0.0;
        }
        let mut below = 0.0;
        for bin in self.iter() {
            if bin.low > value {
                break;
            }
            let width = bin.high - bin.low;
            let share = if width > 0.0 { ((value - bin.low) / width).clamp(0.0, 1.0) } else { 1.0 };
            below += share * bin.count as f64;
        }
        below / total as f64
    }
}

/// The k smallest keyed hashes of the values seen (KMV): distinct counts and overlaps.
///
/// A distinct count is (k - 1) / U, U being the k-th smallest hash as a share of all hashes: unbiased, with a standard
/// error of 1/sqrt(k - 2) (Beyer and others, "On Synopses for Distinct-Value Estimation", SIGMOD 2007).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MinHashes(Vec<u64>);

impl MinHashes {
    /// How many are kept; the standard error of a distinct count is about 1/sqrt(K).
    pub const K: usize = 256;

    /// Takes the hash of a value.
    #[inline]
    pub fn add(&mut self, hash: u64) {
        if self.0.len() == Self::K && self.0.last().is_none_or(|largest| hash >= *largest) {
            return;
        }
        self.insert(hash);
    }

    #[cold]
    fn insert(&mut self, hash: u64) {
        if let Err(at) = self.0.binary_search(&hash) {
            self.0.insert(at, hash);
            self.0.truncate(Self::K);
        }
    }

    /// Takes the hashes of `other`.
    pub fn merge(&mut self, other: &Self) {
        for hash in &other.0 {
            self.add(*hash);
        }
    }

    /// The hashes, the smallest first.
    #[must_use]
    pub fn hashes(&self) -> &[u64] {
        &self.0
    }

    /// Whether every distinct value seen is in here.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.0.len() < Self::K
    }

    /// How many distinct values were seen: exact below [`Self::K`], else within about 6 % (one standard error).
    #[must_use]
    pub fn estimate_distinct(&self) -> f64 {
        match self.0.last() {
            Some(largest) if !self.is_complete() => {
                (Self::K as f64 - 1.0) / ((*largest as f64 + 1.0) / (u64::MAX as f64 + 1.0))
            }
            _ => self.0.len() as f64,
        }
    }

    /// The share of distinct values that both saw among those that either saw, estimated.
    #[must_use]
    pub fn jaccard(&self, other: &Self) -> f64 {
        let (common, either) = self.overlap(other);
        if either == 0 { 0.0 } else { common as f64 / either as f64 }
    }

    /// The share of this one's distinct values that `other` saw too, estimated.
    ///
    /// Only hashes below the thresholds of both are looked at: there, both know everything they saw.
    #[must_use]
    pub fn containment(&self, other: &Self) -> f64 {
        let limit = self.limit().min(other.limit());
        let mine = &self.0[..self.0.partition_point(|hash| *hash <= limit)];
        if mine.is_empty() {
            return 0.0;
        }
        common(mine, &other.0) as f64 / mine.len() as f64
    }

    /// The largest hash up to which everything seen is known.
    fn limit(&self) -> u64 {
        if self.is_complete() { u64::MAX } else { self.0.last().copied().unwrap_or(u64::MAX) }
    }

    /// How many hashes both hold, and how many either holds, below the thresholds of both.
    fn overlap(&self, other: &Self) -> (usize, usize) {
        let limit = self.limit().min(other.limit());
        let known = |hashes: &[u64]| hashes.iter().take_while(|hash| **hash <= limit).count();
        let (mine, theirs) = (known(&self.0), known(&other.0));
        let common = self.0[..mine].iter().filter(|hash| other.0.binary_search(hash).is_ok()).count();
        (common, mine + theirs - common)
    }
}

/// How many hashes stand in both lists; both are ascending.
fn common(one: &[u64], other: &[u64]) -> usize {
    let (mut count, mut at) = (0, 0);
    for hash in one {
        while other.get(at).is_some_and(|smaller| smaller < hash) {
            at += 1;
        }
        count += usize::from(other.get(at) == Some(hash));
    }
    count
}

/// Sorts at most 512 hashes up to `limit`. They are spread evenly, so that their first bits nearly tell where each
/// belongs: a third of the time of a sort that knows nothing of them.
fn sort_spread(hashes: &mut [u64], limit: u64) {
    const SLOTS: usize = 2 * MinHashes::K;
    let shift = (u64::BITS - limit.leading_zeros()).saturating_sub(SLOTS.ilog2());
    let slot = |hash: u64| (hash >> shift) as usize % SLOTS;
    let mut ends = [0_u16; SLOTS];
    hashes.iter().for_each(|hash| ends[slot(*hash)] += 1);
    let mut end = 0;
    for place in &mut ends {
        end += *place;
        *place = end;
    }
    let mut spread = [0; SLOTS];
    for hash in hashes.iter() {
        let place = &mut ends[slot(*hash)];
        *place -= 1;
        spread[usize::from(*place) % SLOTS] = *hash;
    }
    // What shares a slot is put in order.
    for (at, hash) in spread.into_iter().take(hashes.len()).enumerate() {
        let mut to = at;
        while to > 0 && hashes[to - 1] > hash {
            hashes[to] = hashes[to - 1];
            to -= 1;
        }
        hashes[to] = hash;
    }
}

/// [`MinHashes`] while hashes come in: sorted a few hundred at a time.
#[derive(Debug)]
pub(super) struct MinHashesTally {
    /// The smallest so far, and what came since.
    hashes: Vec<u64>,
    /// Larger hashes are no longer among the smallest.
    limit: u64,
}

impl Default for MinHashesTally {
    fn default() -> Self {
        Self { hashes: Vec::new(), limit: u64::MAX }
    }
}

impl MinHashesTally {
    /// Takes the hash of a value.
    #[inline]
    pub(super) fn add(&mut self, hash: u64) {
        if hash <= self.limit {
            self.insert(hash);
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64) {
        self.hashes.push(hash);
        if self.hashes.len() == 2 * MinHashes::K {
            self.settle();
        }
    }

    fn settle(&mut self) {
        sort_spread(&mut self.hashes, self.limit);
        self.hashes.dedup();
        self.hashes.truncate(MinHashes::K);
        if let Some(largest) = self.hashes.get(MinHashes::K - 1) {
            self.limit = *largest;
        }
    }

    /// The smallest of all hashes taken.
    pub(super) fn finish(mut self) -> MinHashes {
        self.settle();
        self.hashes.shrink_to_fit();
        MinHashes(self.hashes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::HashKey;

    #[test]
    fn hashes_sorted_late_are_hashes_sorted_at_once() {
        let key = HashKey::new([3; 16]);
        for distinct in [0_u32, 1, 255, 256, 257, 600, 5_000] {
            let (mut late, mut at_once) = (MinHashesTally::default(), MinHashes::default());
            for i in 0..3 * distinct {
                let hash = key.hash(&(i % distinct).to_le_bytes());
                late.add(hash);
                at_once.add(hash);
            }
            assert_eq!(late.finish(), at_once, "{distinct}");
        }
    }

    #[test]
    fn quantiles_are_within_their_bound() {
        let mut bins = Bins::default();
        let values: Vec<f64> = (1..=10_000).map(|i| f64::from(i).powf(1.1) * 0.37).collect();
        for value in &values {
            bins.add(*value, 1);
        }
        for q in [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99] {
            let exact = values[(q * 10_000.0) as usize - 1];
            let found = bins.quantile(q).unwrap();
            assert!((found / exact - 1.0).abs() < 0.008, "{q}: {found} for {exact}");
            assert!((bins.cdf(exact) - q).abs() < 0.005);
        }
    }

    proptest! {
        #[test]
        fn hashes_are_sorted_however_they_are_spread(
            mut hashes in prop::collection::vec(prop_oneof![any::<u64>(), 0..99_u64, Just(u64::MAX)], 0..=2 * MinHashes::K),
            limit in any::<u64>(),
        ) {
            let mut expected = hashes.clone();
            expected.sort_unstable();
            sort_spread(&mut hashes, limit);
            prop_assert_eq!(hashes, expected);
        }

        #[test]
        fn quantiles_lie_in_the_bin_of_their_value(
            mut values in prop::collection::vec((0.0..15.9_f64).prop_map(f64::exp2), 1..200),
            scale in -1e6..1e6_f64,
            q in 0.0..1.0_f64,
        ) {
            let mut bins = Bins::default();
            values.iter_mut().for_each(|value| *value *= scale);
            values.iter().for_each(|value| bins.add(*value, 1));
            values.sort_by(f64::total_cmp);
            let count = values.len() as f64;
            let rank = (q * count).clamp(0.5, count - 0.5).ceil() as usize;
            let (found, exact) = (bins.quantile(q).unwrap(), values[rank - 1]);
            prop_assert!((found - exact).abs() <= exact.abs() / 128.0, "{found} for {exact}");
        }
    }

    #[test]
    fn small_integers_come_back_exactly() {
        let mut bins = Bins::default();
        for value in [-3.0, -3.0, 0.0, 7.0, 7.0, 7.0, 200.0] {
            bins.add(value, 1);
        }
        assert_eq!(bins.quantile(0.0), Some(-3.0));
        assert_eq!(bins.quantile(0.5), Some(7.0));
        assert_eq!(bins.quantile(1.0), Some(200.0));
    }

    #[test]
    fn extremes_cost_resolution_and_no_memory() {
        let mut bins = Bins::default();
        for value in [f64::MAX, f64::MIN_POSITIVE, 5e-324, -1e308, 1.0, f64::INFINITY, f64::NAN] {
            bins.add(value, 1);
        }
        assert!(bins.positive.counts.len() <= MAX_SPAN as usize);
        assert_eq!(bins.count(), 6);
        let text = serde_json::to_string(&bins).unwrap();
        assert_eq!(serde_json::from_str::<Bins>(&text).unwrap(), bins);
    }

    #[test]
    fn distinct_counts_and_overlaps() {
        let key = HashKey::new([7; 16]);
        let set = |range: std::ops::Range<u32>| {
            let mut hashes = MinHashes::default();
            range.for_each(|i| hashes.add(key.hash(&i.to_le_bytes())));
            hashes
        };
        assert_eq!(set(0..100).estimate_distinct(), 100.0);
        let many = set(0..100_000).estimate_distinct();
        assert!((many / 100_000.0 - 1.0).abs() < 0.2, "{many}");
        assert!((set(0..20_000).jaccard(&set(10_000..30_000)) - 1.0 / 3.0).abs() < 0.1);
        assert!((set(0..1_000).containment(&set(0..100_000)) - 1.0).abs() < 0.01);
        assert_eq!(set(0..50).containment(&set(50..90)), 0.0);
    }
}
