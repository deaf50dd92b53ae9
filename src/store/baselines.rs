//! Baselines: every version that was accepted, by whom and why. Only a decision, or learning, adds one.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::AnyConnection;

use super::audit::{self, AuditEntry};
use super::sql::{Row, sql};
use super::streams::lock_stream;
use super::{Store, StoreError};
use crate::compare::Baseline;
use crate::model::Subject;

/// A baseline that is to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBaseline {
    /// The baseline; its version is the last one plus one.
    pub baseline: Baseline,
    /// Who recorded or accepted it: a user name, `policy`, `drogue` (learning).
    pub actor: String,
    /// Why, in their words.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A baseline as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBaseline {
    /// The baseline.
    pub baseline: Baseline,
    /// By whom, when and why.
    pub entry: BaselineEntry,
}

/// A baseline as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BaselineEntry {
    /// Its version.
    pub version: u64,
    /// When it was recorded or accepted.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// Why, in their words.
    pub reason: Option<String>,
    /// Records that went into it.
    pub records: u64,
    /// Windows that went into it.
    pub windows: u64,
    /// When the first of them began.
    pub from: Timestamp,
    /// When the last of them ended.
    pub to: Timestamp,
}

impl Store {
    /// The present baseline of a stream.
    ///
    /// # Errors
    /// Where the database fails, or a baseline of another version cannot be read.
    pub async fn baseline(&self, subject: &Subject) -> Result<Option<StoredBaseline>, StoreError> {
        sql("SELECT * FROM baselines WHERE connector = $1 AND stream = $2 ORDER BY version DESC LIMIT 1")
            .text(&subject.connector)
            .text(&subject.stream)
            .optional(&mut *self.pool.acquire().await?)
            .await?
            .as_ref()
            .map(stored_of)
            .transpose()
    }

    /// One version of a baseline.
    ///
    /// # Errors
    /// Where the database fails, or a baseline of another version cannot be read.
    pub async fn baseline_version(
        &self,
        subject: &Subject,
        version: u64,
    ) -> Result<Option<StoredBaseline>, StoreError> {
        sql("SELECT * FROM baselines WHERE connector = $1 AND stream = $2 AND version = $3")
            .text(&subject.connector)
            .text(&subject.stream)
            .count(version)
            .optional(&mut *self.pool.acquire().await?)
            .await?
            .as_ref()
            .map(stored_of)
            .transpose()
    }

    /// Every version that is kept, the newest first, without profiles.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn baseline_history(&self, subject: &Subject) -> Result<Vec<BaselineEntry>, StoreError> {
        let rows = sql("SELECT version, at, actor, reason, records, windows, from_at, to_at FROM baselines \
             WHERE connector = $1 AND stream = $2 ORDER BY version DESC")
        .text(&subject.connector)
        .text(&subject.stream)
        .all(&mut *self.pool.acquire().await?)
        .await?;
        rows.iter().map(entry_of).collect()
    }

    /// Keeps the next version of a baseline, and says so in the audit log.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where its version is not the last one plus one: somebody was faster.
    pub async fn save_baseline(&self, subject: &Subject, new: &NewBaseline) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        lock_stream(&mut tx, subject).await?;
        let entry = save(&mut tx, subject, new).await?;
        audit::append(&mut tx, &entry).await?;
        Ok(tx.commit().await?)
    }
}

/// Keeps the next version; its entry for the audit log, which the caller appends last.
pub(super) async fn save(
    conn: &mut AnyConnection,
    subject: &Subject,
    new: &NewBaseline,
) -> Result<AuditEntry, StoreError> {
    let baseline = &new.baseline;
    let last = sql("SELECT MAX(version) AS version FROM baselines WHERE connector = $1 AND stream = $2")
        .text(&subject.connector)
        .text(&subject.stream)
        .one(conn)
        .await?
        .opt_int("version")?
        .unwrap_or(0);
    if i64::try_from(baseline.version) != Ok(last + 1) {
        return Err(StoreError::Conflict { what: format!("the baseline of `{subject}`") });
    }
    sql("INSERT INTO baselines (connector, stream, version, at, actor, reason, records, windows, from_at, to_at, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
    .text(&subject.connector)
    .text(&subject.stream)
    .count(baseline.version)
    .time(new.at)
    .text(&new.actor)
    .opt_text(new.reason.as_deref())
    .count(baseline.profile.records)
    .count(baseline.windows)
    .time(baseline.from)
    .time(baseline.to)
    .deflated_json("a baseline", baseline)?
    .run(conn)
    .await?;
    Ok(AuditEntry::new("baseline-moved", &new.actor, new.at, subject.to_string())
        .of(subject)
        .because(new.reason.as_deref())
        .with("version", baseline.version)
        .with("records", baseline.profile.records))
}

fn entry_of(row: &Row) -> Result<BaselineEntry, StoreError> {
    Ok(BaselineEntry {
        version: row.count("version")?,
        at: row.time("at")?,
        actor: row.text("actor")?,
        reason: row.opt_text("reason")?,
        records: row.count("records")?,
        windows: row.count("windows")?,
        from: row.time("from_at")?,
        to: row.time("to_at")?,
    })
}

fn stored_of(row: &Row) -> Result<StoredBaseline, StoreError> {
    Ok(StoredBaseline { baseline: row.inflated_json("a baseline", "body")?, entry: entry_of(row)? })
}
