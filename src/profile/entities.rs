//! A sample of whole records: the same entities in every window that sees them.
//!
//! Entities are kept by the smallest keyed hashes of their primary key (bottom-k, coordinated sampling), so that two
//! windows made with the same key hold the same entities wherever both saw them. Values are kept as numbers in clear
//! and strings by keyed hash; see [`SampleMode`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Format;
use crate::model::{FieldPath, JsonType};

/// What is kept of sampled values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleMode {
    /// Numbers and strings in clear.
    Clear,
    /// Numbers in clear, strings by keyed hash and format: equality survives, values do not.
    #[default]
    Keyed,
    /// Nothing; a patch is `unverifiable` then.
    Off,
}

/// Which fields together tell one entity from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeySpec {
    /// The fields, scalars outside of arrays.
    pub paths: Vec<FieldPath>,
}

/// One value of a sampled record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleValue {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as f64 and as it was written (at most 32 characters).
    Number(#[serde(with = "super::numbers::exact")] f64, String),
    /// A string.
    Text {
        /// The keyed hash of its bytes.
        hash: u64,
        /// The keyed hash of its bytes with case and everything but letters and digits taken out.
        folded: u64,
        /// Its length in characters.
        length: u64,
        /// Its format class.
        format: Format,
        /// What it is as a number or as an instant (Unix seconds), where it is one.
        #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
        number: Option<f64>,
        /// Its character pattern (see [`super::pattern`]), of at most the first 64 characters.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pattern: String,
        /// Where it may be made up of two parts (at most four places).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        halves: Vec<Halves>,
        /// Whether it is a word for nothing: `N/A`, `unknown`, `-`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        says_nothing: bool,
        /// The string itself, with [`SampleMode::Clear`] alone (at most 256 characters).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clear: Option<String>,
    },
    /// An array or object that is there, with its number of elements or members.
    Container(JsonType, u64),
}

/// A string taken apart at one sign, without white space around the parts; what a split or a merge is told by where
/// no value is kept in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halves {
    /// The sign.
    pub joint: char,
    /// How many characters come before it.
    pub at: u64,
    /// The keyed hash of what comes before it.
    pub left: u64,
    /// The keyed hash of what comes after it; of a time without its `Z`.
    pub right: u64,
}

/// An optional f64 that comes back from JSON as it went.
mod exact_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        number.map(|number| number.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse())
            .transpose()
            .map_err(|_| D::Error::custom("a number as text is expected"))
    }
}

/// One sampled record: its values outside of arrays, by path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampledRecord(pub BTreeMap<FieldPath, SampleValue>);

/// The sampled records of a profile.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "StoredEntities", try_from = "StoredEntities")]
pub struct Entities {
    /// The key that pairs them; without one they are keyed by the whole record and pair only where nothing changed.
    pub key: Option<KeySpec>,
    /// What was kept.
    pub mode: SampleMode,
    /// The records by the keyed hash of their key, the smallest hashes alone.
    pub records: BTreeMap<u64, SampledRecord>,
    /// How many of the keys with the smallest hashes came more than once with different records; such a key tells no
    /// entity, and its records are not kept. The same record seen again (the next poll) is no harm.
    pub repeated: u64,
    /// The smallest hashes of all keys seen, each with the hash of its record; `None` for a repeated one.
    pub seen: BTreeMap<u64, Option<u64>>,
}

/// In which order the sampled records of one reading came: their places among its records, counted from 0, by the
/// keyed hash of their key. It belongs to that reading alone: profiles that were merged have none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order(pub BTreeMap<u64, u64>);

/// The stored form of [`Entities`]: each path stands once, and records name it by its place.
#[derive(Serialize, Deserialize)]
struct StoredEntities {
    key: Option<KeySpec>,
    mode: SampleMode,
    repeated: u64,
    seen: BTreeMap<u64, Option<u64>>,
    paths: Vec<FieldPath>,
    records: BTreeMap<u64, Vec<(usize, SampleValue)>>,
}

impl From<Entities> for StoredEntities {
    fn from(entities: Entities) -> Self {
        let paths: BTreeSet<FieldPath> =
            entities.records.values().flat_map(|record| record.0.keys().cloned()).collect();
        let paths: Vec<FieldPath> = paths.into_iter().collect();
        let place = |path: &FieldPath| paths.binary_search(path).unwrap_or_default();
        let stored =
            |record: SampledRecord| record.0.into_iter().map(|(path, value)| (place(&path), value)).collect();
        let records = entities.records.into_iter().map(|(key, record)| (key, stored(record))).collect();
        let (repeated, seen) = (entities.repeated, entities.seen);
        Self { key: entities.key, mode: entities.mode, repeated, seen, paths, records }
    }
}

/// Why a stored form is none.
#[derive(Debug, thiserror::Error)]
#[error("a sampled record names a path that is not in the list")]
struct UnknownPath;

impl TryFrom<StoredEntities> for Entities {
    type Error = UnknownPath;

    fn try_from(stored: StoredEntities) -> Result<Self, UnknownPath> {
        let StoredEntities { key, mode, repeated, seen, paths, records } = stored;
        let value = |(place, value): (usize, SampleValue)| Some((paths.get(place)?.clone(), value));
        let records = records
            .into_iter()
            .map(|(key, values)| {
                let values: Option<BTreeMap<_, _>> = values.into_iter().map(value).collect();
                Ok((key, SampledRecord(values.ok_or(UnknownPath)?)))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { key, mode, records, repeated, seen })
    }
}

/// What to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// It is in the sample now: [`Entities::records`] wants it.
    Keep,
    /// It is not in the sample.
    Pass,
}

impl Entities {
    /// The most records that are kept.
    pub const CAP: usize = 256;

    /// The largest hash of a key that may be in the sample.
    pub(super) fn limit(&self) -> u64 {
        match self.seen.last_key_value() {
            Some((largest, _)) if self.seen.len() >= Self::CAP => *largest,
            _ => u64::MAX,
        }
    }

    /// Notes a key and its record by their hashes.
    pub(super) fn note(&mut self, key: u64, record: Option<u64>) -> Sampling {
        match self.seen.get_mut(&key) {
            Some(None) => return Sampling::Pass,
            Some(known) if *known == record => return Sampling::Pass,
            Some(known) => {
                *known = None;
                self.repeated += 1;
                self.records.remove(&key);
                return Sampling::Pass;
            }
            None => {}
        }
        self.seen.insert(key, record);
        self.repeated += u64::from(record.is_none());
        if self.seen.len() > Self::CAP
            && let Some((evicted, record)) = self.seen.pop_last()
        {
            self.records.remove(&evicted);
            self.repeated -= u64::from(record.is_none());
            if evicted == key {
                return Sampling::Pass;
            }
        }
        if record.is_some() { Sampling::Keep } else { Sampling::Pass }
    }

    /// Adds what `other` kept; both must have the same key and mode.
    pub(super) fn merge(&mut self, other: &Self) {
        for (key, record) in &other.seen {
            if self.note(*key, *record) == Sampling::Keep
                && let Some(sampled) = other.records.get(key)
            {
                self.records.insert(*key, sampled.clone());
            }
        }
    }
}
