//! Sketches with merge laws: log-linear bins and sets of smallest hashes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Counts in log-linear bins over the whole range of f64: quantiles with a bounded relative error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bins(pub(super) BTreeMap<i32, u64>);

/// The k smallest keyed hashes of the values seen (KMV): distinct counts and overlaps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MinHashes(pub(super) BTreeSet<u64>);

impl MinHashes {
    /// How many are kept; the standard error of a distinct count is about 1/sqrt(K).
    pub const K: usize = 256;
}
