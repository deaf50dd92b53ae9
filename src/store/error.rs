//! What can go wrong with the store, and whether trying again helps.

use std::path::PathBuf;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be opened.
    #[error("cannot open the database `{database}`: {why}")]
    Open {
        /// The file, or the address without its password.
        database: String,
        /// The reason, with the next step where there is one.
        why: String,
    },
    /// The server cannot be reached, or refuses the user.
    #[error("cannot connect to the database `{database}`")]
    Connect {
        /// The file, or the address without its password.
        database: String,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// The tables cannot be brought to this version.
    #[error("cannot migrate the database `{database}`")]
    Migrate {
        /// The file, or the address without its password.
        database: String,
        /// What the driver says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer Drogue wrote the database.
    #[error(
        "the database `{database}` is of a newer Drogue (its migration {found} is unknown here): install that version; a database is never migrated back"
    )]
    Newer {
        /// The file, or the address without its password.
        database: String,
        /// The migration that is not known.
        found: i64,
    },
    /// Another `drogue watch` has the database.
    #[error(
        "another `drogue watch` (pid {pid}) is running on the database `{}`: stop it first, or use PostgreSQL for several",
        database.display()
    )]
    Locked {
        /// The database file.
        database: PathBuf,
        /// The process that has it, as far as it said.
        pid: String,
    },
    /// An id that starts several.
    #[error("`{prefix}` starts several {what}: {}", found.join(", "))]
    Ambiguous {
        /// Findings, diagnoses or patches.
        what: &'static str,
        /// What was asked for.
        prefix: String,
        /// Some of the ids that start so.
        found: Vec<String>,
    },
    /// Somebody else was faster.
    #[error("{what} was changed meanwhile: look at it again, then decide")]
    Conflict {
        /// The object.
        what: String,
    },
    /// A row that this version cannot read.
    #[error("cannot read {what} out of the database: run `drogue doctor`")]
    Unreadable {
        /// The table and column.
        what: String,
        /// What was wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A value that cannot be stored.
    #[error("cannot store {what}: {why}")]
    Unstorable {
        /// The object.
        what: String,
        /// The reason.
        why: String,
    },
    /// The file is damaged.
    #[error(
        "the database is damaged: stop Drogue, keep a copy, and restore a backup; `drogue doctor` says where"
    )]
    Damaged {
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// The database could not do it.
    #[error("the database failed")]
    Database {
        /// What the driver says.
        #[source]
        source: sqlx::Error,
        /// Whether trying again makes sense.
        retry: Retry,
    },
}

/// Whether trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It fails again.
    Never,
    /// The disk is full, the server restarts, the connection broke: later.
    Later,
    /// Two transactions stood in each other's way: at once.
    Now,
}

impl StoreError {
    /// Whether trying again makes sense.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Database { retry, .. } => *retry,
            Self::Connect { source, .. } => super::dialect::judge(source).unwrap_or(Retry::Never),
            Self::Open { .. }
            | Self::Migrate { .. }
            | Self::Newer { .. }
            | Self::Locked { .. }
            | Self::Ambiguous { .. }
            | Self::Conflict { .. }
            | Self::Unreadable { .. }
            | Self::Unstorable { .. }
            | Self::Damaged { .. } => Retry::Never,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.retry() != Retry::Never
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        match super::dialect::judge(&source) {
            Some(retry) => Self::Database { source, retry },
            None => Self::Damaged { source },
        }
    }
}
