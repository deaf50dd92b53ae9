//! A sample of whole records: the same entities in every window that sees them.
//!
//! Entities are kept by the smallest keyed hashes of their primary key (bottom-k, coordinated sampling), so that two
//! windows made with the same key hold the same entities wherever both saw them. Values are kept as numbers in clear
//! and strings by keyed hash; see [`SampleMode`].

use std::collections::BTreeMap;

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
    Number(f64, String),
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
        number: Option<f64>,
        /// The string itself, with [`SampleMode::Clear`] alone (at most 256 characters).
        clear: Option<String>,
    },
    /// An array or object that is there, with its number of elements or members.
    Container(JsonType, u64),
}

/// One sampled record: its values outside of arrays, by path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampledRecord(pub BTreeMap<FieldPath, SampleValue>);

/// The sampled records of a profile.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Entities {
    /// The key that pairs them; without one they are keyed by the whole record and pair only where nothing changed.
    pub key: Option<KeySpec>,
    /// What was kept.
    pub mode: SampleMode,
    /// The records by the keyed hash of their key, the smallest hashes alone.
    pub records: BTreeMap<u64, SampledRecord>,
    /// Keys (by hash) that came more than once in this profile; such a key tells no entity.
    pub repeated: u64,
}

impl Entities {
    /// The most records that are kept.
    pub const CAP: usize = 256;
}
