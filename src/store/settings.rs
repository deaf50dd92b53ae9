//! What a user can set about the store.

use serde::{Deserialize, Serialize};

use crate::model::{Period, SecretSource, secret_file};

/// Where things are kept, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub struct StoreSettings {
    /// A SQLite file, below the folder of the config unless absolute; not with `postgres`.
    pub sqlite: Option<std::path::PathBuf>,
    /// A PostgreSQL address with its password, as `${NAME}`.
    pub postgres: Option<SecretSource>,
    /// A file that holds the PostgreSQL address.
    #[serde(deserialize_with = "secret_file")]
    pub postgres_file: Option<SecretSource>,
    /// For how long things are kept.
    pub retention: RetentionSettings,
}

/// For how long things are kept; open findings, pending patches and the present baseline are kept in any case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSettings {
    /// Windows with their profiles and samples.
    pub windows: Period,
    /// Resolved findings, their diagnoses, and decided patches.
    pub findings: Period,
    /// Sent messages.
    pub messages: Period,
    /// Earlier versions of documents.
    pub documents: Period,
    /// The audit log.
    pub audit: Period,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            windows: Period::from_secs(30 * DAY),
            findings: Period::from_secs(180 * DAY),
            messages: Period::from_secs(30 * DAY),
            documents: Period::from_secs(180 * DAY),
            audit: Period::from_secs(730 * DAY),
        }
    }
}
