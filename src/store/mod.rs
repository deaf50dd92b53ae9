//! The only module with SQL: everything that Drogue remembers, in SQLite or PostgreSQL.
//!
//! [`Store`] has one file an aggregate: streams, checks, windows, baselines, findings, silences, diagnoses, patches,
//! writes (what is being written to users' files, and undo copies), audit log, outbox, documents, request budget,
//! retention. `sql.rs` is the boundary for values, `dialect.rs` holds all in which the two databases differ.
//!
//! **Invariants.** [`Store::commit_check`] is one transaction, and storing a check twice changes nothing. Messages are
//! written in the transaction of what they tell. A state moves by compare-and-swap. Nothing here reads a clock or
//! draws a random number: both come in as arguments. Whatever is stored was redacted by the caller.

mod audit;
mod baselines;
mod budget;
mod check;
mod diagnoses;
mod dialect;
mod documents;
mod error;
mod findings;
mod lock;
mod migrate;
mod outbox;
mod patches;
mod retention;
mod settings;
mod silences;
mod sql;
mod streams;
mod windows;
mod writes;

use std::path::PathBuf;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, ConnectOptions as _, Executor as _};

pub use audit::{AuditBreak, AuditEntry, AuditRow};
pub use baselines::{BaselineEntry, NewBaseline, StoredBaseline};
pub use check::{CheckOutcome, CheckRecord, CheckSummary, CommitOutcome};
pub use diagnoses::StoredDiagnosis;
use dialect::Dialect;
pub use documents::{DocumentEntry, NewDocument, StoredDocument};
pub use error::{Retry, StoreError};
pub use findings::FindingFilter;
pub use lock::{DaemonLock, DeliveryLock};
pub use outbox::{MessageState, OutboxCounts, StoredMessage};
pub use patches::{PatchFilter, StoredPatch};
pub use retention::PruneCounts;
pub use settings::*;
pub use silences::Silence;
use sql::sql;
pub use streams::StreamState;
pub use windows::{StoredWindow, WindowEntry};
pub use writes::{FileWrite, UndoCopy, WriteEnd, WriteKind, WriteRecord};

use crate::model::{HashKey, Secret};

/// Where the database is.
#[derive(Debug, Clone)]
pub enum StoreTarget {
    /// A SQLite file; made where it is not there.
    Sqlite(PathBuf),
    /// A PostgreSQL address, `postgres://user:password@host/database`.
    Postgres(Secret),
    /// A SQLite database of its own in memory, gone when the store is closed.
    Memory,
}

/// Everything that Drogue remembers. Cheap to clone; all clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    key: HashKey,
    file: Option<PathBuf>,
}

/// How often a transaction is tried when another one stands in its way.
const TRIES: u32 = 4;

/// A transaction; dropped before `commit`, it leaves nothing.
type Transaction = sqlx::Transaction<'static, Any>;

impl Store {
    /// Opens the database and brings its tables to this version.
    ///
    /// `fresh_key` becomes the key of the value hash if the database has none yet: 16 random bytes.
    ///
    /// # Errors
    /// Where the file or folder cannot be written, the server cannot be reached, or a newer Drogue wrote the database.
    pub async fn open(target: &StoreTarget, fresh_key: [u8; 16]) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (dialect, url, shown, file) = match target {
            StoreTarget::Sqlite(path) => {
                let (url, file) = dialect::sqlite_url(path)?;
                (Dialect::Sqlite, url, file.display().to_string(), Some(file))
            }
            StoreTarget::Postgres(secret) => {
                let (url, shown) = dialect::postgres_url(secret)?;
                (Dialect::Postgres, url, shown, None)
            }
            StoreTarget::Memory => {
                (Dialect::Sqlite, "sqlite::memory:".to_owned(), ":memory:".to_owned(), None)
            }
        };
        let options = url
            .parse::<AnyConnectOptions>()
            .map_err(|_| StoreError::Open {
                database: shown.clone(),
                why: "its address cannot be read".to_owned(),
            })?
            .disable_statement_logging();
        let is_memory = matches!(target, StoreTarget::Memory);
        if !is_memory {
            migrate::run_apart(dialect, &options, &shown).await?;
        }
        let pool = AnyPoolOptions::new()
            // A database in memory belongs to its connection: there is one, and it stays.
            .max_connections(if is_memory { 1 } else { 8 })
            .min_connections(u32::from(is_memory))
            .idle_timeout(if is_memory { None } else { Some(Duration::from_secs(600)) })
            .max_lifetime(if is_memory { None } else { Some(Duration::from_secs(3_600)) })
            .acquire_timeout(Duration::from_secs(60))
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    for statement in dialect.on_connect() {
                        conn.execute(*statement).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Connect { database: shown.clone(), source })?;
        if is_memory {
            migrate::run(dialect, &mut *pool.acquire().await?, &shown).await?;
        }
        let mut store = Self { pool, dialect, key: HashKey::new(fresh_key), file };
        store.key = store.kept_key(fresh_key).await?;
        Ok(store)
    }

    /// Ends all connections; a SQLite database then is one file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The key of the value hash: made at the first start of the database, the same ever after.
    #[must_use]
    pub const fn hash_key(&self) -> HashKey {
        self.key
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sql("SELECT 1 AS n").one(&mut *self.pool.acquire().await?).await?;
        Ok(())
    }

    /// Looks for damage: complaints of the database itself, and a broken audit log. Empty where all is well.
    ///
    /// # Errors
    /// Where the database cannot be asked.
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        let mut complaints = Vec::new();
        {
            let mut conn = self.pool.acquire().await?;
            for statement in self.dialect.integrity() {
                for row in sql(statement).all(&mut conn).await? {
                    let complaint = row.first_text()?;
                    if complaint != "ok" {
                        complaints.push(complaint);
                    }
                }
            }
        }
        if let Err(broken) = self.verify_audit().await? {
            complaints.push(broken.to_string());
        }
        Ok(complaints)
    }

    /// A transaction that writes.
    async fn write(&self) -> Result<Transaction, StoreError> {
        self.begin(self.dialect.begin_write()).await
    }

    /// A transaction that sees one state throughout.
    async fn read(&self) -> Result<Transaction, StoreError> {
        self.begin(self.dialect.begin_read()).await
    }

    /// Begins in a task of its own, which ends with its beginning whether or not anybody waits for it.
    ///
    /// The driver does not undo a `BEGIN` that is dropped half-way (sqlx 0.9.0): the connection would go back to the
    /// pool inside of a transaction, and whoever gets it next would fail.
    async fn begin(&self, statement: &'static str) -> Result<Transaction, StoreError> {
        let pool = self.pool.clone();
        match tokio::spawn(async move { pool.begin_with(statement).await }).await {
            Ok(transaction) => Ok(transaction?),
            Err(ended) => Err(sqlx::Error::Io(std::io::Error::other(ended)).into()),
        }
    }

    async fn kept_key(&self, fresh_key: [u8; 16]) -> Result<HashKey, StoreError> {
        let fresh = format!("{:032x}", u128::from_be_bytes(fresh_key));
        let mut tx = self.write().await?;
        sql("INSERT INTO meta (name, value) VALUES ('hash-key', $1) ON CONFLICT (name) DO NOTHING")
            .text(&fresh)
            .run(&mut tx)
            .await?;
        let kept = sql("SELECT value FROM meta WHERE name = 'hash-key'").one(&mut tx).await?.text("value")?;
        tx.commit().await?;
        let number = u128::from_str_radix(&kept, 16).map_err(|e| sql::unreadable("the hash key", e))?;
        Ok(HashKey::new(number.to_be_bytes()))
    }
}

/// Ids that start with a prefix, found or ambiguous; the one id, where there is exactly one.
fn only_one(what: &'static str, prefix: &str, mut ids: Vec<String>) -> Result<Option<String>, StoreError> {
    // The whole id of one may start the id of another.
    if ids.iter().any(|id| id == prefix) {
        return Ok(Some(prefix.to_owned()));
    }
    ids.sort();
    ids.dedup();
    if ids.len() > 1 {
        ids.truncate(5);
        return Err(StoreError::Ambiguous { what, prefix: prefix.to_owned(), found: ids });
    }
    Ok(ids.pop())
}
