//! The outbox: messages that wait to be sent, written in the transaction of what they tell.
//!
//! A message is leased by one process at a time. Killed between sending and saying so, it is sent once more, with the
//! same id: at least once, never lost.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::sql::{Row, sql};
use super::streams::lock_stream;
use super::{Retry, Store, StoreError, TRIES, findings};
use crate::diagnose::FindingRecord;
use crate::model::{FindingState, Message, Subject};

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageState {
    /// It waits to be sent.
    Pending,
    /// The receiver took it.
    Sent,
    /// It cannot be sent, or was tried often enough.
    Dead,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMessage {
    /// The message, its attempts and next time filled in.
    pub message: Message,
    /// Where it stands.
    pub state: MessageState,
    /// When it was written.
    pub created: Timestamp,
    /// When it was sent, or given up.
    pub ended_at: Option<Timestamp>,
    /// What went wrong the last time.
    pub last_error: Option<String>,
}

/// How many messages stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxCounts {
    /// Waiting.
    pub pending: u64,
    /// Sent, and still kept.
    pub sent: u64,
    /// Given up.
    pub dead: u64,
    /// When the oldest that waits was written.
    pub oldest_pending: Option<Timestamp>,
}

impl Store {
    /// Writes messages apart from a check or a decision. Those whose id is there already are left as they are; the ids
    /// of the others.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn enqueue(&self, messages: &[Message], at: Timestamp) -> Result<Vec<String>, StoreError> {
        let mut tx = self.write().await?;
        let subjects: BTreeSet<_> = messages.iter().map(|message| &message.escalation.subject).collect();
        for subject in subjects {
            lock_stream(&mut tx, subject).await?;
        }
        let ids = enqueue(&mut tx, messages, at).await?;
        tx.commit().await?;
        Ok(ids)
    }

    /// Writes reminders of what is still open. `remind` is given the findings of the stream that nobody has acknowledged,
    /// with when each was last told, and makes the messages; of several processes that remind at once one sees that
    /// the other has.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remind(
        &self,
        subject: &Subject,
        at: Timestamp,
        remind: impl Fn(&[FindingRecord]) -> Vec<Message> + Send + Sync,
    ) -> Result<Vec<String>, StoreError> {
        let mut tx = self.write().await?;
        lock_stream(&mut tx, subject).await?;
        let mut open = findings::of_stream(&mut tx, subject).await?;
        open.retain(|known| matches!(known.finding.state, FindingState::Open | FindingState::Flapping));
        let ids = enqueue(&mut tx, &remind(&open), at).await?;
        tx.commit().await?;
        Ok(ids)
    }

    /// Takes messages that are due, for as long as `lease`: no other process sees them until then. The longest due
    /// come first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn due_messages(
        &self,
        now: Timestamp,
        holder: &str,
        lease: Duration,
        limit: u64,
    ) -> Result<Vec<Message>, StoreError> {
        let mut tries = 1;
        loop {
            // Two processes may take the same rows in another order: one of them is sent back.
            match self.lease_messages(now, holder, lease, limit).await {
                Err(error) if error.retry() == Retry::Now && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn lease_messages(
        &self,
        now: Timestamp,
        holder: &str,
        lease: Duration,
        limit: u64,
    ) -> Result<Vec<Message>, StoreError> {
        let mut tx = self.write().await?;
        // The conditions stand twice: in PostgreSQL the outer ones are tested again once a row that another process
        // has just leased is free.
        let rows =
            sql("UPDATE outbox SET lease_holder = $1, lease_until = $2 WHERE id IN (SELECT id FROM outbox \
             WHERE state = 'pending' AND next_at <= $3 AND lease_until <= $3 ORDER BY next_at, id LIMIT $4) \
             AND state = 'pending' AND next_at <= $3 AND lease_until <= $3 RETURNING body, attempts, next_at")
            .text(holder)
            .time(now.saturating_add(lease).unwrap_or(Timestamp::MAX))
            .time(now)
            .count(limit)
            .all(&mut tx)
            .await?;
        tx.commit().await?;
        let mut messages = rows.iter().map(message_of).collect::<Result<Vec<_>, _>>()?;
        messages.sort_by(|a, b| a.next_at.cmp(&b.next_at).then_with(|| a.id.cmp(&b.id)));
        Ok(messages)
    }

    /// Releases all leases: their holders have ended.
    pub(super) async fn release_leases(&self) -> Result<(), StoreError> {
        let held = sql("SELECT COUNT(*) AS n FROM outbox WHERE state = 'pending' AND lease_holder <> ''")
            .one(&mut *self.pool.acquire().await?)
            .await?;
        if held.count("n")? == 0 {
            return Ok(());
        }
        let mut tx = self.write().await?;
        sql("UPDATE outbox SET lease_holder = '', lease_until = 0 WHERE state = 'pending'")
            .run(&mut tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// When the next message that waits is due; a leased one when its lease ends.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn next_message_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sql("SELECT MIN(CASE WHEN lease_until > next_at THEN lease_until ELSE next_at END) AS at \
             FROM outbox WHERE state = 'pending'")
        .one(&mut *self.pool.acquire().await?)
        .await?;
        row.opt_time("at")
    }

    /// The receiver took a message.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn message_sent(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.end_message(id, MessageState::Sent, None, at).await
    }

    /// A message cannot be sent, or was tried often enough.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn message_dead(&self, id: &str, reason: &str, at: Timestamp) -> Result<(), StoreError> {
        self.end_message(id, MessageState::Dead, Some(reason), at).await
    }

    /// An attempt failed; the next one is at `next_at`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn message_failed(&self, id: &str, error: &str, next_at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sql("UPDATE outbox SET attempts = attempts + 1, last_error = $2, next_at = $3, lease_holder = '', \
             lease_until = 0 WHERE id = $1 AND state = 'pending'")
        .text(id)
        .text(error)
        .time(next_at)
        .run(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Tries messages that were given up once more. How many.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn revive_messages(&self, at: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let count =
            sql("UPDATE outbox SET state = 'pending', attempts = 0, next_at = $1, lease_holder = '', \
             lease_until = 0, ended_at = NULL WHERE state = 'dead'")
            .time(at)
            .run(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(count)
    }

    /// How many messages stand where.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        let rows = sql("SELECT state, COUNT(*) AS n, MIN(created) AS oldest FROM outbox GROUP BY state")
            .all(&mut *self.pool.acquire().await?)
            .await?;
        let mut counts = OutboxCounts::default();
        for row in &rows {
            match row.word("the state of a message", "state")? {
                MessageState::Pending => {
                    counts.pending = row.count("n")?;
                    counts.oldest_pending = row.opt_time("oldest")?;
                }
                MessageState::Sent => counts.sent = row.count("n")?,
                MessageState::Dead => counts.dead = row.count("n")?,
            }
        }
        Ok(counts)
    }

    /// The last messages, the newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn messages(&self, limit: u64) -> Result<Vec<StoredMessage>, StoreError> {
        let rows = sql("SELECT * FROM outbox ORDER BY created DESC, id LIMIT $1")
            .count(limit)
            .all(&mut *self.pool.acquire().await?)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(StoredMessage {
                    message: message_of(row)?,
                    state: row.word("the state of a message", "state")?,
                    created: row.time("created")?,
                    ended_at: row.opt_time("ended_at")?,
                    last_error: row.opt_text("last_error")?,
                })
            })
            .collect()
    }

    async fn end_message(
        &self,
        id: &str,
        state: MessageState,
        error: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let word = match state {
            MessageState::Pending => "pending",
            MessageState::Sent => "sent",
            MessageState::Dead => "dead",
        };
        let mut tx = self.write().await?;
        // Whoever holds the lease by now: what was sent was sent, and what was sent stays so.
        sql("UPDATE outbox SET state = $2, attempts = attempts + 1, last_error = $3, ended_at = $4, \
             lease_holder = '', lease_until = 0 WHERE id = $1 AND state <> 'sent'")
        .text(id)
        .text(word)
        .opt_text(error)
        .time(at)
        .run(&mut tx)
        .await?;
        Ok(tx.commit().await?)
    }
}

/// Writes messages, and that their findings were told; the ids of those that were not there.
pub(super) async fn enqueue(
    conn: &mut AnyConnection,
    messages: &[Message],
    at: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut ids = Vec::new();
    for message in messages {
        let subject = &message.escalation.subject;
        let written = sql("INSERT INTO outbox (id, receiver, connector, stream, state, created, attempts, next_at, \
             lease_holder, lease_until, ended_at, last_error, body) \
             VALUES ($1, $2, $3, $4, 'pending', $5, 0, $6, '', 0, NULL, NULL, $7) ON CONFLICT (id) DO NOTHING")
        .text(&message.id)
        .text(&message.receiver)
        .text(&subject.connector)
        .text(&subject.stream)
        .time(at)
        .time(message.next_at)
        .json("a message", message)?
        .run(conn)
        .await?;
        if written == 0 {
            continue;
        }
        ids.push(message.id.clone());
        for finding in &message.escalation.findings {
            sql("UPDATE findings SET told_at = $4 WHERE connector = $1 AND stream = $2 AND fingerprint = $3")
                .text(&subject.connector)
                .text(&subject.stream)
                .text(&finding.fingerprint.0)
                .time(at)
                .run(conn)
                .await?;
        }
    }
    Ok(ids)
}

fn message_of(row: &Row) -> Result<Message, StoreError> {
    let mut message: Message = row.json("a message", "body")?;
    message.attempts = u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX);
    message.next_at = row.time("next_at")?;
    Ok(message)
}
