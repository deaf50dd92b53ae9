//! How long strings are, while they come in.

use super::StringProfile;
use crate::profile::Bins;

/// Lengths in characters; of short strings, plain counts.
#[derive(Debug)]
pub(super) struct LengthTally {
    short: [u64; 128],
    long: Lengths,
}

/// The part of a [`StringProfile`] that tells lengths.
#[derive(Debug)]
struct Lengths {
    count: u64,
    least: u64,
    most: u64,
    bins: Bins,
}

impl Lengths {
    fn add(&mut self, length: u64, weight: u64) {
        self.count += weight;
        self.least = self.least.min(length);
        self.most = self.most.max(length);
        self.bins.add(length as f64, weight);
    }
}

impl Default for LengthTally {
    fn default() -> Self {
        Self { short: [0; 128], long: Lengths { count: 0, least: u64::MAX, most: 0, bins: Bins::default() } }
    }
}

impl LengthTally {
    #[inline]
    pub(super) fn add(&mut self, length: u64, weight: u64) {
        match self.short.get_mut(length as usize) {
            Some(count) => *count += weight,
            None => self.long.add(length, weight),
        }
    }

    pub(super) fn finish(self, profile: &mut StringProfile) {
        let mut all = self.long;
        let seen = self.short.into_iter().zip(0..).filter(|(count, _)| *count > 0);
        seen.for_each(|(count, length)| all.add(length, count));
        profile.empty = self.short[0];
        (profile.count, profile.min_length, profile.max_length) = (all.count, all.least, all.most);
        profile.lengths = all.bins;
    }
}
