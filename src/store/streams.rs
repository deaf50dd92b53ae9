//! Streams: how far observing has come, and who is at it.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::check::CheckOutcome;
use super::sql::{Row, sql, to_json};
use super::{DaemonLock, Store, StoreError};
use crate::model::Subject;

/// How far observing a stream has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamState {
    /// Counts up with each write about the stream.
    pub version: u64,
    /// When the first window began.
    pub first_window: Option<Timestamp>,
    /// When the last window ended.
    pub last_window: Option<Timestamp>,
    /// Windows so far.
    pub windows: u64,
    /// Until when it is learning, as far as that is known; past or `None` once it is learnt.
    pub learning_until: Option<Timestamp>,
    /// When it was last looked at, with whatever outcome.
    pub last_attempt: Option<Timestamp>,
    /// What came of it.
    pub last_outcome: Option<CheckOutcome>,
    /// When it is due next.
    pub next_due: Option<Timestamp>,
    /// Failed checks in a row.
    pub failures: u64,
    /// When the first of them failed.
    pub failing_since: Option<Timestamp>,
}

impl Store {
    /// How far observing a stream has come; `None` where it was never looked at.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn stream_state(&self, subject: &Subject) -> Result<Option<StreamState>, StoreError> {
        state(&mut *self.pool.acquire().await?, subject).await
    }

    /// Every stream that was ever checked, by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn streams(&self) -> Result<Vec<(Subject, StreamState)>, StoreError> {
        let rows = sql("SELECT * FROM streams").all(&mut *self.pool.acquire().await?).await?;
        let mut streams = rows
            .iter()
            .map(|row| Ok((subject_of(row)?, state_of(row)?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        streams.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(streams)
    }

    /// Sets when a stream is due next, apart from a check.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_next_due(&self, subject: &Subject, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        lock_stream(&mut tx, subject).await?;
        sql("UPDATE streams SET next_due = $1 WHERE connector = $2 AND stream = $3")
            .time(at)
            .text(&subject.connector)
            .text(&subject.stream)
            .run(&mut tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Takes a due stream for one check: `true` for exactly one of several daemons, until `lease` is over or the check
    /// is stored.
    ///
    /// A stream is due where its `next_due` is not after `now`, or unknown.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn lease_stream(
        &self,
        subject: &Subject,
        holder: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        sql(
            "INSERT INTO streams (connector, stream, version, windows, failures, lease_holder, lease_until) \
             VALUES ($1, $2, 0, 0, 0, '', 0) ON CONFLICT (connector, stream) DO NOTHING",
        )
        .text(&subject.connector)
        .text(&subject.stream)
        .run(&mut tx)
        .await?;
        let taken = sql(
            "UPDATE streams SET lease_holder = $3, lease_until = $5 WHERE connector = $1 AND stream = $2 \
             AND (next_due IS NULL OR next_due <= $4) AND (lease_until <= $4 OR lease_holder = $3)",
        )
        .text(&subject.connector)
        .text(&subject.stream)
        .text(holder)
        .time(now)
        .time(now.saturating_add(lease).unwrap_or(Timestamp::MAX))
        .run(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(taken == 1)
    }

    /// Gives a stream back without a check.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn release_stream(&self, subject: &Subject, holder: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sql("UPDATE streams SET lease_holder = '', lease_until = 0 \
             WHERE connector = $1 AND stream = $2 AND lease_holder = $3")
        .text(&subject.connector)
        .text(&subject.stream)
        .text(holder)
        .run(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Ends the leases on streams that a killed daemon left behind. Only where the lock proves that there is no other
    /// daemon: on PostgreSQL a lease ends by its time.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn end_stale_leases(&self, lock: &DaemonLock) -> Result<(), StoreError> {
        if !lock.is_exclusive() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        sql("UPDATE streams SET lease_holder = '', lease_until = 0 WHERE lease_until > 0")
            .run(&mut tx)
            .await?;
        Ok(tx.commit().await?)
    }
}

/// Takes the row of the stream, making it where it is not there; every transaction that writes about a stream begins
/// with it, so that none overwrites what another has just read.
pub(super) async fn lock_stream(conn: &mut AnyConnection, subject: &Subject) -> Result<(), StoreError> {
    sql("INSERT INTO streams (connector, stream, version, windows, failures, lease_holder, lease_until) \
         VALUES ($1, $2, 1, 0, 0, '', 0) \
         ON CONFLICT (connector, stream) DO UPDATE SET version = streams.version + 1")
    .text(&subject.connector)
    .text(&subject.stream)
    .run(conn)
    .await?;
    Ok(())
}

/// How far observing a stream has come.
pub(super) async fn state(
    conn: &mut AnyConnection,
    subject: &Subject,
) -> Result<Option<StreamState>, StoreError> {
    sql("SELECT * FROM streams WHERE connector = $1 AND stream = $2")
        .text(&subject.connector)
        .text(&subject.stream)
        .optional(conn)
        .await?
        .as_ref()
        .map(state_of)
        .transpose()
}

/// Writes all but the version, and ends a lease.
pub(super) async fn save_state(
    conn: &mut AnyConnection,
    subject: &Subject,
    state: &StreamState,
) -> Result<(), StoreError> {
    let outcome = state.last_outcome.as_ref().map(|o| to_json("the outcome of a check", o)).transpose()?;
    sql("UPDATE streams SET first_window = $3, last_window = $4, windows = $5, learning_until = $6, last_attempt = $7, \
         last_outcome = $8, next_due = $9, failures = $10, failing_since = $11, lease_holder = '', lease_until = 0 \
         WHERE connector = $1 AND stream = $2")
    .text(&subject.connector)
    .text(&subject.stream)
    .opt_time(state.first_window)
    .opt_time(state.last_window)
    .count(state.windows)
    .opt_time(state.learning_until)
    .opt_time(state.last_attempt)
    .opt_text(outcome.as_deref())
    .opt_time(state.next_due)
    .count(state.failures)
    .opt_time(state.failing_since)
    .run(conn)
    .await?;
    Ok(())
}

/// The subject of a row with columns `connector` and `stream`.
pub(super) fn subject_of(row: &Row) -> Result<Subject, StoreError> {
    Ok(Subject { connector: row.text("connector")?, stream: row.text("stream")? })
}

fn state_of(row: &Row) -> Result<StreamState, StoreError> {
    let last_outcome = match row.opt_text("last_outcome")? {
        Some(_) => Some(row.json("the outcome of a check", "last_outcome")?),
        None => None,
    };
    Ok(StreamState {
        version: row.count("version")?,
        first_window: row.opt_time("first_window")?,
        last_window: row.opt_time("last_window")?,
        windows: row.count("windows")?,
        learning_until: row.opt_time("learning_until")?,
        last_attempt: row.opt_time("last_attempt")?,
        last_outcome,
        next_due: row.opt_time("next_due")?,
        failures: row.count("failures")?,
        failing_since: row.opt_time("failing_since")?,
    })
}
