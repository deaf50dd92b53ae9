//! What strings look like.

mod blemishes;
mod folding;
mod hosts;
mod lengths;
mod notations;
mod patterns;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::{
    folding::LONGEST_FOLDED, hosts::HostTally, lengths::LengthTally, notations::FormatTally,
    patterns::PatternTally,
};
use super::{
    Bins, Format, MinHashes, NumberProfile, TopValues,
    field::merge_parts,
    formats::classes::{self, AMPERSAND, DIGIT, LOWER, NOT_ASCII, SPACE},
    hashing::ValueHash,
    numbers::{Number, NumberTally},
    sketch::MinHashesTally,
    tokens::Token,
};

pub use self::patterns::pattern;
pub(super) use self::{folding::folded_hash, patterns::pattern_of_head};

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
    /// Character patterns, such as `AA-999` (see [`pattern`]): every one seen while there are at most 32; beyond that
    /// they are given up for good, and everything is counted under the empty pattern, as are strings that are too
    /// long to have one.
    pub patterns: BTreeMap<String, u64>,
    /// Whether there were more patterns than are kept.
    pub patterns_overflown: bool,
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
    /// Distinct values with case and separators taken out, to see that only notation moved; of strings up to 32 bytes
    /// that are neither numbers nor instants, whose notations `as_numbers` sees through.
    pub folded: MinHashes,
    /// Frequent values.
    pub top: TopValues,
    /// For strings that are numbers or instants: what they look like as numbers (an instant as Unix seconds).
    pub as_numbers: Option<Box<NumberProfile>>,
    /// For addresses: where they point to, as scheme and host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Box<TopValues>>,
}

impl Default for StringProfile {
    fn default() -> Self {
        Self {
            count: 0,
            empty: 0,
            min_length: u64::MAX,
            max_length: 0,
            lengths: Bins::default(),
            formats: BTreeMap::new(),
            patterns: BTreeMap::new(),
            patterns_overflown: false,
            padded: 0,
            html_escaped: 0,
            mojibake: 0,
            lower: 0,
            upper: 0,
            distinct: MinHashes::default(),
            folded: MinHashes::default(),
            top: TopValues::default(),
            as_numbers: None,
            hosts: None,
        }
    }
}

impl StringProfile {
    /// The most frequent format, with its share; of equals the first in the order of [`Format`].
    #[must_use]
    pub fn dominant_format(&self) -> Option<(Format, f64)> {
        let most = |a: (Format, u64), b: (Format, u64)| if b.1 > a.1 { b } else { a };
        let (format, count) = self.formats.iter().map(|(format, count)| (*format, *count)).reduce(most)?;
        Some((format, count as f64 / self.count as f64))
    }

    /// The share of strings of a format.
    #[must_use]
    pub fn format_share(&self, format: Format) -> f64 {
        let count = self.formats.get(&format).copied().unwrap_or(0);
        if self.count == 0 { 0.0 } else { count as f64 / self.count as f64 }
    }

    fn bound_patterns(&mut self) {
        let kept = self.patterns.len() - usize::from(self.patterns.contains_key(""));
        if kept > patterns::MAX_PATTERNS || (self.patterns_overflown && kept > 0) {
            let total = self.patterns.values().sum();
            self.patterns = BTreeMap::from([(String::new(), total)]);
            self.patterns_overflown = true;
        }
    }

    /// Adds what `other` saw.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.empty += other.empty;
        self.min_length = self.min_length.min(other.min_length);
        self.max_length = self.max_length.max(other.max_length);
        self.lengths.merge(&other.lengths);
        for (format, count) in &other.formats {
            *self.formats.entry(*format).or_default() += count;
        }
        for (pattern, count) in &other.patterns {
            *self.patterns.entry(pattern.clone()).or_default() += count;
        }
        self.patterns_overflown |= other.patterns_overflown;
        self.bound_patterns();
        self.padded += other.padded;
        self.html_escaped += other.html_escaped;
        self.mojibake += other.mojibake;
        self.lower += other.lower;
        self.upper += other.upper;
        self.distinct.merge(&other.distinct);
        self.folded.merge(&other.folded);
        self.top.merge(&other.top);
        merge_parts(&mut self.as_numbers, &other.as_numbers, |mine, other| mine.merge(other));
        merge_parts(&mut self.hosts, &other.hosts, |mine, other| mine.merge(other));
    }
}

/// A [`StringProfile`] while strings come in: what is looked up by each string is kept at hand.
#[derive(Debug, Default)]
pub(super) struct StringTally {
    profile: StringProfile,
    lengths: LengthTally,
    formats: FormatTally,
    patterns: PatternTally,
    distinct: MinHashesTally,
    folded: MinHashesTally,
    as_numbers: Option<Box<NumberTally>>,
    hosts: HostTally,
}

impl StringTally {
    /// Counts `weight` times a string.
    pub(super) fn add(&mut self, token: Token<'_>, weight: u64, key: &ValueHash) {
        let profile = &mut self.profile;
        let text = token.text();
        let (found, format, value) = match classes::of_plain_address(text) {
            Some(found) => (found, Format::Url, None),
            None => {
                let found = classes::of(text);
                let (format, value) = Format::read(text, found);
                (found, format, value)
            }
        };
        self.lengths.add(classes::count_characters(text, found), weight);
        self.patterns.add(token, found, weight);
        match blemishes::case(text, found) {
            (true, false) => profile.lower += weight,
            (false, true) => profile.upper += weight,
            _ => {}
        }
        if found & (SPACE | NOT_ASCII | AMPERSAND) != 0 {
            profile.add_blemishes(text, found, weight);
        }

        self.formats.add(format, weight);
        if format == Format::Url {
            self.hosts.add(text, weight, key);
        }
        let hash = key.of(text.as_bytes());
        self.distinct.add(hash);
        profile.top.add(hash, || text.to_owned(), weight);
        if let Some(value) = value {
            let number = Number::of_value(value, text, found);
            self.as_numbers.get_or_insert_with(Box::default).add_value(&number, weight, key);
        } else if text.len() <= LONGEST_FOLDED {
            self.folded.add(match found {
                found if classes::only(found, LOWER | DIGIT) => hash,
                found if found & NOT_ASCII == 0 => folding::folded_block_hash(token, found, key),
                _ => folding::folded_hash(text, key),
            });
        }
    }

    /// The profile of the strings that came in.
    pub(super) fn finish(mut self, key: &ValueHash) -> StringProfile {
        self.profile.hosts = self.hosts.finish(key);
        self.lengths.finish(&mut self.profile);
        self.profile.formats = self.formats.finish();
        (self.profile.patterns, self.profile.patterns_overflown) = self.patterns.finish();
        self.profile.distinct = self.distinct.finish();
        self.profile.folded = self.folded.finish();
        self.profile.as_numbers = self.as_numbers.map(|numbers| Box::new(numbers.finish()));
        self.profile
    }
}
