//! `drogue.yaml`: assembles the settings that each module defines, strictly.
//!
//! A text becomes a [`tree`] that knows its places, the tree becomes a [`Config`] with every mistake told ([`read`],
//! [`check`]), and [`load`] reads what it names: secrets and files. Nothing here writes.

mod check;
mod de;
mod errors;
pub mod find;
pub mod init;
mod load;
mod read;
mod tree;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{FieldPath, Framework, Period, SecretSource, secret_file};
use crate::notify::{ReceiverSettings, RouteSettings};
use crate::observe::{AuthSettings, DocSettings, HttpSettings, RequestSettings};
use crate::profile::SampleMode;
use crate::rules::RulesSettings;
use crate::store::StoreSettings;

pub use errors::{ConfigError, ConfigErrors};
pub use load::{LoadedConfig, read_rule_files};

/// The whole of `drogue.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of this format: 1.
    pub version: u32,
    /// Where things are kept, and for how long.
    #[serde(default)]
    pub store: StoreSettings,
    /// How requests are made, unless a connector says otherwise.
    #[serde(default)]
    pub http: HttpSettings,
    /// The daemon.
    #[serde(default)]
    pub watch: WatchSettings,
    /// When a stream has been seen enough.
    #[serde(default)]
    pub learning: LearningSettings,
    /// Which patches apply by themselves, unless a connector says otherwise.
    #[serde(default)]
    pub policy: PolicySettings,
    /// Rules of the site.
    #[serde(default)]
    pub rules: RulesSettings,
    /// The connectors, by name.
    #[serde(default)]
    pub connectors: BTreeMap<String, ConnectorSettings>,
    /// Who is told, by name.
    #[serde(default)]
    pub receivers: BTreeMap<String, ReceiverSettings>,
    /// Which findings go to which receivers; the first route that matches decides.
    #[serde(default)]
    pub routes: Vec<RouteSettings>,
}

/// The daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchSettings {
    /// Where `/healthz` listens.
    pub listen: std::net::SocketAddr,
    /// Streams that are checked at the same time.
    pub concurrency: usize,
    /// An address that is asked for after each round: a dead man's switch. It often holds a token, so it is a secret.
    pub heartbeat: Option<SecretSource>,
    /// A file that holds that address.
    #[serde(deserialize_with = "secret_file")]
    pub heartbeat_file: Option<SecretSource>,
    /// How often the heartbeat is sent.
    pub heartbeat_every: Period,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], 8787)),
            concurrency: 8,
            heartbeat: None,
            heartbeat_file: None,
            heartbeat_every: Period::from_secs(60),
        }
    }
}

/// When a stream has been seen enough for soft facts to alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LearningSettings {
    /// Windows that were seen.
    pub windows: u64,
    /// Time from the first to the last of them.
    pub span: Period,
}

impl Default for LearningSettings {
    /// Three windows, a day apart at the most: daily habits show after a day.
    fn default() -> Self {
        Self { windows: 3, span: Period::from_secs(86_400) }
    }
}

/// Which patches apply by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySettings {
    /// Whether verified patches that are `safe` apply without a person.
    pub auto_apply: AutoApply,
}

/// Whether patches apply without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoApply {
    /// A person decides each.
    #[default]
    Never,
    /// Verified patches of disposition `safe` apply by themselves.
    Safe,
}

/// One integration under watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorSettings {
    /// What the streams' addresses are relative to.
    #[serde(default)]
    pub base_url: Option<String>,
    /// How to sign in.
    #[serde(default)]
    pub auth: AuthSettings,
    /// Headers of all requests; values may hold templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How requests are made, in place of the top-level `http`.
    #[serde(default)]
    pub http: Option<HttpSettings>,
    /// The connector's own files that map fields.
    #[serde(default)]
    pub mapping: Option<MappingSettings>,
    /// What is kept of sampled values.
    #[serde(default)]
    pub samples: SampleMode,
    /// Which patches apply by themselves, in place of the top-level `policy`.
    #[serde(default)]
    pub policy: Option<PolicySettings>,
    /// Documents that describe the API.
    #[serde(default)]
    pub docs: Vec<DocSettings>,
    /// The streams, by name.
    pub streams: BTreeMap<String, StreamSettings>,
}

/// The files that map fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingSettings {
    /// What the connector is written in; recognised from the file by default.
    #[serde(default)]
    pub framework: Option<Framework>,
    /// The file that holds the mapping.
    pub file: PathBuf,
}

/// One endpoint and its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSettings {
    /// How to ask for its records; without one, records come by `drogue import` alone.
    #[serde(default)]
    pub request: Option<RequestSettings>,
    /// How often.
    #[serde(default = "default_every")]
    pub every: Period,
    /// The primary key; found by itself where it is not told.
    #[serde(default)]
    pub key: Vec<FieldPath>,
    /// The stream's name in the mapping file, where it differs.
    #[serde(default)]
    pub mapped_as: Option<String>,
}

const fn default_every() -> Period {
    Period::from_secs(3_600)
}
