//! The profile of one field path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Bins, Format, MinHashes};
use crate::model::TypeCounts;

/// What was seen at one path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FieldProfile {
    /// How often the parent (object, or array element) was seen: the denominator of presence.
    pub parents: u64,
    /// How often the field was there, null included.
    pub present: u64,
    /// The JSON types seen.
    pub types: TypeCounts,
    /// How many of the booleans were `true`.
    pub trues: u64,
    /// Sum of the field's 0-based positions among the members of its object, over `present`.
    pub position_sum: u64,
    /// What its numbers look like, where it has any.
    pub numbers: Option<Box<NumberProfile>>,
    /// What its strings look like, where it has any.
    pub strings: Option<Box<StringProfile>>,
    /// What its arrays look like, where it has any.
    pub arrays: Option<ArrayProfile>,
    /// Whether an object here is really a map: its keys are data, and its values are profiled under `[*]`.
    pub is_map: bool,
}

/// What numbers look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberProfile {
    /// How many.
    pub count: u64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many are below zero.
    pub negative: u64,
    /// How many are zero.
    pub zero: u64,
    /// How many have no fraction (however they are written).
    pub whole: u64,
    /// How many digits stand after the decimal point as written: index 0 to 7, the last for 7 and more.
    pub decimals: [u64; 8],
    /// Exact sum of the values, in units of 1e-6, saturating; for means.
    pub sum_micros: i128,
    /// Quantiles.
    pub quantiles: Bins,
    /// How many values, as instants, would be Unix seconds, milliseconds, microseconds, nanoseconds between 1990 and 2100.
    pub epochs: [u64; 4],
    /// Distinct values.
    pub distinct: MinHashes,
    /// Frequent values, by canonical text.
    pub top: TopValues,
}

/// What strings look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StringProfile {
    /// How many.
    pub count: u64,
    /// How many are empty.
    pub empty: u64,
    /// The shortest, in characters.
    pub min_length: u64,
    /// The longest, in characters.
    pub max_length: u64,
    /// Lengths in characters.
    pub lengths: Bins,
    /// How many of each format class; a string has one class, the most specific that fits.
    pub formats: BTreeMap<Format, u64>,
    /// Character patterns, such as `AA-999`: runs of digits, upper and lower case letters by class and capped length;
    /// at most 32 are kept, the rest counted under the empty pattern.
    pub patterns: BTreeMap<String, u64>,
    /// How many begin or end with white space.
    pub padded: u64,
    /// How many hold an HTML escape such as `&amp;`.
    pub html_escaped: u64,
    /// How many look like UTF-8 read as Latin-1 (`Ã©`).
    pub mojibake: u64,
    /// How many have letters, all of them lower case.
    pub lower: u64,
    /// How many have letters, all of them upper case.
    pub upper: u64,
    /// Distinct values.
    pub distinct: MinHashes,
    /// Distinct values with case and separators taken out, to see that only notation moved.
    pub folded: MinHashes,
    /// Frequent values.
    pub top: TopValues,
    /// For strings that are numbers or instants: what they look like as numbers (an instant as Unix seconds).
    pub as_numbers: Option<Box<NumberProfile>>,
}

/// What arrays look like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArrayProfile {
    /// How many.
    pub count: u64,
    /// How many are empty.
    pub empty: u64,
    /// Lengths.
    pub lengths: Bins,
}

/// Frequent values while there are few: exact counts of at most [`TopValues::CAP`] distinct values.
///
/// When one more turns up, the set is given up for good (`overflown`), whatever the order of arrival, so that merging
/// keeps its laws.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TopValues {
    /// Whether there were more distinct values than the cap; `counts` is empty then.
    pub overflown: bool,
    /// The count of each value by its keyed hash, with the text as long as it may be shown.
    pub counts: BTreeMap<u64, (u64, Option<String>)>,
}

impl TopValues {
    /// The most distinct values that are kept apart.
    pub const CAP: usize = 50;
}
