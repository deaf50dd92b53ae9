//! Merging and redacting profiles.

use super::{Malformed, PROFILE_VERSION, Profile, maps, variants};

/// Why two profiles cannot be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Made by versions that count differently.
    #[error("profiles of versions {0} and {1} cannot be merged; record the baseline anew")]
    Version(u16, u16),
    /// Values were hashed with different keys, so they cannot be told equal.
    #[error("profiles made with different hash keys cannot be merged; record the baseline anew")]
    HashKey,
    /// Entities were told apart by different keys, or kept in different modes.
    #[error("profiles that sample by different keys or modes cannot be merged; record the baseline anew")]
    Entities,
}

/// In clear stay only texts of values that came so often.
const OFTEN: u64 = 10;

impl Profile {
    /// Adds what `other` saw. Profiles of the parts of some data merge, in any order and grouping, to the bytes of the
    /// profile of the whole, as long as the limits on fields and on the length of a sampled record are not reached.
    ///
    /// # Errors
    /// [`MergeError`] where the two were not made alike; `self` is as it was then.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.version != other.version {
            return Err(MergeError::Version(self.version, other.version));
        }
        if self.key_id != other.key_id {
            return Err(MergeError::HashKey);
        }
        if self.entities.key != other.entities.key || self.entities.mode != other.entities.mode {
            return Err(MergeError::Entities);
        }
        self.records += other.records;
        self.malformed.merge(&other.malformed);
        for (path, field) in &other.fields {
            self.fields.entry(path.clone()).or_default().merge(field);
        }
        for (path, theirs) in &other.variants {
            self.variants.entry(path.clone()).or_default().merge(theirs);
        }
        variants::limit(&mut self.variants);
        self.entities.merge(&other.entities);
        maps::normalise(self);
        Ok(())
    }

    /// The profile as it may be stored: in clear only values that came often (10 times or more), at most 50 of a field,
    /// and beside them the names of the kinds of objects, at most 16 of a field that tells them apart.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        for field in self.fields.values_mut() {
            if let Some(numbers) = &mut field.numbers {
                numbers.top.redact(OFTEN);
            }
            if let Some(strings) = &mut field.strings {
                strings.top.redact(OFTEN);
                if let Some(hosts) = &mut strings.hosts {
                    hosts.redact(OFTEN);
                }
            }
        }
        for table in self.variants.values_mut() {
            table.redact(OFTEN);
        }
        self.variants.retain(|_, table| table.overflown || !table.by_value.is_empty());
        self
    }

    /// Whether this version can read it.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.version == PROFILE_VERSION
    }
}

impl Malformed {
    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.syntax += other.syntax;
        self.encoding += other.encoding;
        self.number_out_of_range += other.number_out_of_range;
        self.lone_surrogate += other.lone_surrogate;
        self.too_deep += other.too_deep;
        self.too_many_fields += other.too_many_fields;
        self.duplicate_keys += other.duplicate_keys;
    }

    /// How many records could not be read.
    #[must_use]
    pub const fn unread(&self) -> u64 {
        self.syntax + self.encoding + self.number_out_of_range + self.lone_surrogate + self.too_deep
    }
}
