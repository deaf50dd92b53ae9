//! Profiles: what the records of one stretch of traffic look like, in constant memory per field.
//!
//! JSON bytes go in, a [`Profile`] comes out. Profiles merge in any partition and order to the same bytes: every
//! part is a count, an exact sum, an extreme, or a set of the k smallest keyed hashes.
//! Nothing here does I/O or reads a clock.
//!
//! The path of a record, top to bottom: `split` finds it in a body; `walk` takes it; `stops` looks at all of its bytes
//! once; `tape` reads it by the tokens of `scan` into events, finding each key's node in the `trie` by a `prefix` that is
//! expected there; if it was read in full, `tally` counts each event and looks at its value, at equal ones through the
//! cache of `tokens`; `numbers`, `strings` and `formats` say what values look like, in the terms of
//! `field` and `sketch`; `sample` keeps some records whole, as `entities`; `variants` counts
//! what objects hold by the field that tells their kinds apart. `maps`, `merge` and `keys` work on finished
//! profiles.
//!
//! What is done for each byte or value is done without branches that cannot be foretold, such as one on a length: such a
//! branch costs as much as thirty instructions.

mod entities;
mod field;
mod formats;
mod hashing;
mod keys;
mod maps;
mod merge;
mod numbers;
mod prefix;
mod sample;
mod scan;
mod sketch;
mod split;
mod stops;
mod strings;
mod tally;
mod tape;
#[cfg(test)]
mod tests;
mod tokens;
mod trie;
mod variants;
mod walk;

use std::collections::BTreeMap;

pub use entities::{Entities, Halves, KeySpec, Order, SampleMode, SampleValue, SampledRecord};
pub use field::{ArrayProfile, FieldProfile, TopValues};
pub use formats::{Format, instant_of};
pub use keys::find_keys;
pub use maps::align;
pub use merge::MergeError;
pub use numbers::NumberProfile;
use serde::{Deserialize, Serialize};
pub use sketch::{Bin, Bins, MinHashes};
pub use split::{SplitError, guess_records_path, record_lists, split_lines, split_records};
pub use strings::{StringProfile, pattern};
pub use variants::{Variant, Variants};
pub use walk::{ProfileOptions, Profiler, Sketches};

use crate::model::FieldPath;

/// The version of the stored form; a profile of another version is never compared.
pub const PROFILE_VERSION: u16 = 2;

/// What the records of one stretch of traffic look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The version of this form.
    pub version: u16,
    /// Which hash key it was made with ([`crate::model::HashKey::id`]); two of different keys are never compared.
    pub key_id: u64,
    /// Records that were read in full.
    pub records: u64,
    /// Records that could not be read in full, by reason.
    pub malformed: Malformed,
    /// Every path seen, containers and array elements included, the root `$` too.
    pub fields: BTreeMap<FieldPath, FieldProfile>,
    /// Objects whose kinds a field of theirs tells apart, by the path of that field.
    #[serde(default)]
    pub variants: BTreeMap<FieldPath, Variants>,
    /// A sample of whole records, the same entities in every window that sees them.
    pub entities: Entities,
}

/// Records that could not be read in full, by reason; each record counts once, under the first reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Malformed {
    /// No JSON.
    pub syntax: u64,
    /// Bytes that are no UTF-8.
    pub encoding: u64,
    /// A number beyond the range of f64.
    pub number_out_of_range: u64,
    /// A `\u` escape of half a surrogate pair.
    pub lone_surrogate: u64,
    /// Nested deeper than the limit.
    pub too_deep: u64,
    /// More fields than the limit; those beyond it are not profiled.
    pub too_many_fields: u64,
    /// Records with a key twice (counted beside the others: the record is profiled, the last value wins).
    pub duplicate_keys: u64,
}
