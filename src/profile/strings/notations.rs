//! Which formats strings have, while they come in.

use std::collections::BTreeMap;

use crate::profile::Format;

/// Formats; the last one is counted by a comparison, since most fields have one.
#[derive(Debug, Default)]
pub(super) struct FormatTally {
    last: Option<Format>,
    /// How often the last one came since it was handed on.
    repeats: u64,
    counts: BTreeMap<Format, u64>,
}

impl FormatTally {
    #[inline]
    pub(super) fn add(&mut self, format: Format, weight: u64) {
        if self.last != Some(format) {
            self.flush();
            self.last = Some(format);
        }
        self.repeats += weight;
    }

    fn flush(&mut self) {
        if let Some(last) = self.last {
            *self.counts.entry(last).or_default() += std::mem::take(&mut self.repeats);
        }
    }

    pub(super) fn finish(mut self) -> BTreeMap<Format, u64> {
        self.flush();
        self.counts
    }
}
