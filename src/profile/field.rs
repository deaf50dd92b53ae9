//! The profile of one field path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Bins, Format, NumberProfile, StringProfile};
use crate::model::{JsonType, TypeCounts};

/// What was seen at one path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FieldProfile {
    /// How many objects could have held the field: the denominator of presence. For array elements and values of
    /// maps, and for the record itself, it is `present`.
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

impl FieldProfile {
    /// The share of parents that have the field, null included; 1 where it has no parent.
    #[must_use]
    pub fn presence(&self) -> f64 {
        share(self.present, self.parents, 1.0)
    }

    /// The share of nulls among the values that are there.
    #[must_use]
    pub fn null_rate(&self) -> f64 {
        share(self.types.get(JsonType::Null), self.present, 0.0)
    }

    /// The mean 0-based position among the members of its object.
    #[must_use]
    pub fn mean_position(&self) -> f64 {
        share(self.position_sum, self.present, 0.0)
    }

    /// Whether objects or arrays were seen here.
    #[must_use]
    pub const fn is_container(&self) -> bool {
        self.types.get(JsonType::Object) + self.types.get(JsonType::Array) > 0
    }

    /// How many scalars but nulls were seen here.
    #[must_use]
    pub fn scalars(&self) -> u64 {
        self.types.non_null() - self.types.get(JsonType::Object) - self.types.get(JsonType::Array)
    }

    /// The most frequent type but null; of equals the first in the order of [`JsonType::ALL`].
    #[must_use]
    pub fn dominant_type(&self) -> Option<JsonType> {
        self.types.seen().reduce(|a, b| if self.types.get(b) > self.types.get(a) { b } else { a })
    }

    /// The most frequent format of its strings, with its share of them.
    #[must_use]
    pub fn dominant_format(&self) -> Option<(Format, f64)> {
        self.strings.as_ref()?.dominant_format()
    }

    /// Estimated number of distinct scalars.
    #[must_use]
    pub fn distinct(&self) -> f64 {
        let numbers = self.numbers.as_ref().map_or(0.0, |numbers| numbers.distinct.estimate_distinct());
        let strings = self.strings.as_ref().map_or(0.0, |strings| strings.distinct.estimate_distinct());
        numbers + strings
    }

    /// Adds what `other` saw; both must be made with the same hash key.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.present += other.present;
        self.types.merge(&other.types);
        self.trues += other.trues;
        self.position_sum += other.position_sum;
        merge_parts(&mut self.numbers, &other.numbers, |mine, other| mine.merge(other));
        merge_parts(&mut self.strings, &other.strings, |mine, other| mine.merge(other));
        merge_parts(&mut self.arrays, &other.arrays, ArrayProfile::merge);
        self.is_map |= other.is_map;
    }
}

/// Adds one optional part to another.
pub(super) fn merge_parts<T: Clone>(mine: &mut Option<T>, other: &Option<T>, merge: impl Fn(&mut T, &T)) {
    match (mine, other) {
        (Some(mine), Some(other)) => merge(mine, other),
        (mine @ None, Some(other)) => *mine = Some(other.clone()),
        (_, None) => {}
    }
}

fn share(part: u64, whole: u64, of_nothing: f64) -> f64 {
    if whole == 0 { of_nothing } else { part as f64 / whole as f64 }
}

impl ArrayProfile {
    /// Counts an array of that many elements.
    pub(super) fn add(&mut self, len: u64) {
        self.count += 1;
        self.empty += u64::from(len == 0);
        self.lengths.add(len as f64, 1);
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.empty += other.empty;
        self.lengths.merge(&other.lengths);
    }
}

impl TopValues {
    /// The most distinct values that are kept apart.
    pub const CAP: usize = 50;
    /// The longest text that is kept with its count, in bytes.
    const LONGEST_TEXT: usize = 64;

    /// Counts `weight` times the value of that hash.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, text: impl FnOnce() -> String, weight: u64) {
        if self.overflown {
            return;
        }
        let text = || Some(text()).filter(|text| text.len() <= Self::LONGEST_TEXT);
        self.counts.entry(hash).or_insert_with(|| (0, text())).0 += weight;
        self.give_up_beyond_cap();
    }

    /// Adds the counts of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.overflown |= other.overflown;
        for (hash, (count, text)) in &other.counts {
            let (mine, my_text) = self.counts.entry(*hash).or_insert_with(|| (0, text.clone()));
            *mine += count;
            // A text that was taken out on one side stays out.
            if text.is_none() {
                *my_text = None;
            }
        }
        self.give_up_beyond_cap();
    }

    fn give_up_beyond_cap(&mut self) {
        if self.overflown || self.counts.len() > Self::CAP {
            self.overflown = true;
            self.counts.clear();
        }
    }

    /// Takes out every text of a value seen fewer than `least` times.
    pub(super) fn redact(&mut self, least: u64) {
        for (count, text) in self.counts.values_mut() {
            if *count < least {
                *text = None;
            }
        }
    }
}
