//! Windows: profiles and behaviour of stretches of live traffic, and no response body.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::sql::{Row, sql};
use super::{Store, StoreError};
use crate::compare::Window;
use crate::model::Subject;

/// A window as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowEntry {
    /// The check that saw it.
    pub check: String,
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// Records that were read.
    pub records: u64,
    /// Whether it was cut short.
    pub is_partial: bool,
    /// Whether it showed nothing new.
    pub is_clean: bool,
}

/// A window as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredWindow {
    /// What is listed of it.
    pub entry: WindowEntry,
    /// The window.
    pub window: Window,
}

impl Store {
    /// The windows of a stream that ended at or after a time, the oldest first, without their profiles.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn windows(&self, subject: &Subject, since: Timestamp) -> Result<Vec<WindowEntry>, StoreError> {
        let rows = sql("SELECT id, from_at, to_at, records, is_partial, is_clean FROM windows \
             WHERE connector = $1 AND stream = $2 AND to_at >= $3")
        .text(&subject.connector)
        .text(&subject.stream)
        .time(since)
        .all(&mut *self.pool.acquire().await?)
        .await?;
        let mut entries = rows.iter().map(entry_of).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by(|a, b| a.to.cmp(&b.to).then_with(|| a.check.cmp(&b.check)));
        Ok(entries)
    }

    /// When the last window of a stream ended that was whole and showed nothing new, by which numbers of records are judged.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_usual_window(&self, subject: &Subject) -> Result<Option<Timestamp>, StoreError> {
        sql("SELECT to_at FROM windows WHERE connector = $1 AND stream = $2 AND is_clean = 1 AND is_partial = 0 \
             ORDER BY to_at DESC LIMIT 1")
            .text(&subject.connector)
            .text(&subject.stream)
            .optional(&mut *self.pool.acquire().await?)
            .await?
            .map(|row| row.time("to_at"))
            .transpose()
    }

    /// The last windows of a stream with their profiles, the newest first.
    ///
    /// # Errors
    /// Where the database fails, or a window of another version cannot be read.
    pub async fn window_profiles(
        &self,
        subject: &Subject,
        limit: u64,
    ) -> Result<Vec<StoredWindow>, StoreError> {
        let rows = sql("SELECT * FROM windows WHERE connector = $1 AND stream = $2 \
             ORDER BY to_at DESC, id DESC LIMIT $3")
        .text(&subject.connector)
        .text(&subject.stream)
        .count(limit)
        .all(&mut *self.pool.acquire().await?)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(StoredWindow { entry: entry_of(row)?, window: row.inflated_json("a window", "body")? })
            })
            .collect()
    }

    /// The last windows of a stream that showed nothing new, the newest first.
    ///
    /// # Errors
    /// Where the database fails, or a window of another version cannot be read.
    pub async fn quiet_windows(&self, subject: &Subject, limit: u64) -> Result<Vec<Window>, StoreError> {
        let rows = sql("SELECT body FROM windows WHERE connector = $1 AND stream = $2 AND is_clean = 1 \
             ORDER BY to_at DESC, id DESC LIMIT $3")
        .text(&subject.connector)
        .text(&subject.stream)
        .count(limit)
        .all(&mut *self.pool.acquire().await?)
        .await?;
        rows.iter().map(|row| row.inflated_json("a window", "body")).collect()
    }

    /// The window that a check saw.
    ///
    /// # Errors
    /// Where the database fails, or a window of another version cannot be read.
    pub async fn window(&self, check: &str) -> Result<Option<Window>, StoreError> {
        sql("SELECT body FROM windows WHERE id = $1")
            .text(check)
            .optional(&mut *self.pool.acquire().await?)
            .await?
            .map(|row| row.inflated_json("a window", "body"))
            .transpose()
    }
}

/// Writes the window of a check.
pub(super) async fn save(
    conn: &mut AnyConnection,
    subject: &Subject,
    check: &str,
    window: &Window,
    is_clean: bool,
) -> Result<(), StoreError> {
    sql("INSERT INTO windows (id, connector, stream, from_at, to_at, records, is_partial, is_clean, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .text(check)
    .text(&subject.connector)
    .text(&subject.stream)
    .time(window.from)
    .time(window.to)
    .count(window.profile.records)
    .flag(window.partial)
    .flag(is_clean)
    .deflated_json("a window", window)?
    .run(conn)
    .await?;
    Ok(())
}

fn entry_of(row: &Row) -> Result<WindowEntry, StoreError> {
    Ok(WindowEntry {
        check: row.text("id")?,
        from: row.time("from_at")?,
        to: row.time("to_at")?,
        records: row.count("records")?,
        is_partial: row.flag("is_partial")?,
        is_clean: row.flag("is_clean")?,
    })
}
