//! What can go wrong on the way, with the next step.

use crate::adapters::AdapterError;
use crate::apply::ApplyError;
use crate::config::ConfigErrors;
use crate::observe::{ConnectionError, ImportError, next_step};
use crate::rules::RuleError;
use crate::spec::SpecError;
use crate::store::StoreError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The config is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A rule file is wrong.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// The client or the sign-in of a connector could not be made.
    #[error("connector `{connector}`: {source}")]
    Connection {
        /// The connector.
        connector: String,
        /// Why.
        source: ConnectionError,
    },
    /// A mapping file could not be read as what it is.
    #[error("mapping `{file}`: {source}")]
    Mapping {
        /// The file.
        file: String,
        /// Why.
        source: AdapterError,
    },
    /// A patch could not be applied or undone.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Files could not be taken as an observation.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A document could not be read.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file could not be read.
    #[error("cannot read `{file}`")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A name that nothing has.
    #[error("there is no {what} `{name}`{hint}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// The name that was given.
        name: String,
        /// The nearest name, or where to look.
        hint: String,
    },
    /// A file in a format that `diff` does not read.
    #[error("`{file}` is {format}; `diff` reads JSON and JSONL files of records: {}", next_step(format))]
    Foreign {
        /// The file.
        file: String,
        /// What it is.
        format: &'static str,
    },
    /// What was asked for does not fit what there is.
    #[error("{0}")]
    Usage(String),
    /// Something that cannot be done as things stand.
    #[error("{0}")]
    Refused(String),
}
