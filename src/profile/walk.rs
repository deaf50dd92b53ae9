//! The walk over one record's bytes.

use super::{KeySpec, Profile, SampleMode};
use crate::model::HashKey;

/// How to profile.
#[derive(Debug, Clone)]
pub struct ProfileOptions {
    /// The key of all value hashes.
    pub hash_key: HashKey,
    /// The primary key of the records, where it is known.
    pub key: Option<KeySpec>,
    /// What is kept of sampled values.
    pub samples: SampleMode,
    /// Nesting beyond this is not read.
    pub max_depth: u16,
    /// Paths beyond this number are not profiled.
    pub max_fields: usize,
}

/// Takes records one by one and gives their [`Profile`].
#[derive(Debug)]
pub struct Profiler {
    options: ProfileOptions,
}

impl Profiler {
    /// A profiler that has seen nothing.
    #[must_use]
    pub const fn new(options: ProfileOptions) -> Self {
        Self { options }
    }

    /// Takes one record: JSON text. What cannot be read is counted, never an error.
    pub fn record(&mut self, _record: &[u8]) {}

    /// The profile of all records taken.
    #[must_use]
    pub fn finish(self) -> Profile {
        Profile {
            version: super::PROFILE_VERSION,
            key_id: self.options.hash_key.id(),
            records: 0,
            malformed: super::Malformed::default(),
            fields: std::collections::BTreeMap::new(),
            entities: super::Entities::default(),
        }
    }
}
