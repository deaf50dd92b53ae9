//! Retention: what is old and decided goes, in small transactions; what is present or undecided stays.

use jiff::Timestamp;

use super::budget::day_of;
use super::sql::sql;
use super::{RetentionSettings, Store, StoreError, audit};
use crate::model::Period;

/// Rows a transaction: small enough that nobody waits for it.
const BATCH: u64 = 500;

/// How much went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PruneCounts {
    /// Windows.
    pub windows: u64,
    /// Rows of checks.
    pub checks: u64,
    /// Earlier versions of baselines.
    pub baselines: u64,
    /// Resolved findings.
    pub findings: u64,
    /// Diagnoses that ended.
    pub diagnoses: u64,
    /// Decided patches, with their undo copies.
    pub patches: u64,
    /// Messages that were sent or given up.
    pub messages: u64,
    /// Earlier versions of documents.
    pub documents: u64,
    /// Silences that ended.
    pub silences: u64,
    /// Rows of the audit log.
    pub audit: u64,
}

impl PruneCounts {
    /// All together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.windows
            + self.checks
            + self.baselines
            + self.findings
            + self.diagnoses
            + self.patches
            + self.messages
            + self.documents
            + self.silences
            + self.audit
    }
}

// Each statement deletes at most `$2` rows from before `$1`.
// What is kept whatever its age: the last window, the last clean window and the last check of each stream.
const WINDOWS: &str = "DELETE FROM windows WHERE id IN (SELECT w.id FROM windows w WHERE w.to_at < $1 \
     AND EXISTS (SELECT 1 FROM windows n WHERE n.connector = w.connector AND n.stream = w.stream \
         AND n.to_at > w.to_at) \
     AND (w.is_clean = 0 OR EXISTS (SELECT 1 FROM windows c WHERE c.connector = w.connector \
         AND c.stream = w.stream AND c.is_clean = 1 AND c.to_at > w.to_at)) LIMIT $2)";
const CHECKS: &str = "DELETE FROM checks WHERE id IN (SELECT c.id FROM checks c WHERE c.at < $1 \
     AND EXISTS (SELECT 1 FROM checks n WHERE n.connector = c.connector AND n.stream = c.stream AND n.at > c.at) \
     LIMIT $2)";
// The present baseline, and every version as old as the audit log that tells of it.
const BASELINES: &str = "DELETE FROM baselines WHERE (connector, stream, version) IN \
     (SELECT b.connector, b.stream, b.version FROM baselines b WHERE b.at < $1 AND EXISTS (SELECT 1 FROM baselines n \
         WHERE n.connector = b.connector AND n.stream = b.stream AND n.version > b.version) LIMIT $2)";
// A resolved finding keeps count of its comebacks for as long as it is here.
const FINDINGS: &str = "DELETE FROM findings WHERE (connector, stream, fingerprint) IN \
     (SELECT connector, stream, fingerprint FROM findings WHERE state = 'resolved' AND resolved_at < $1 LIMIT $2)";
const DIAGNOSES: &str = "DELETE FROM diagnoses WHERE (connector, stream, id) IN \
     (SELECT connector, stream, id FROM diagnoses WHERE is_current = 0 AND last_seen < $1 LIMIT $2)";
// An applied patch may still be rolled back, an approved one still be applied.
const PATCHES: &str = "DELETE FROM patches WHERE id IN (SELECT id FROM patches WHERE state IN \
     ('confirmed', 'rolled-back', 'rejected', 'superseded', 'stale', 'expired') AND updated < $1 \
     AND NOT EXISTS (SELECT 1 FROM writes w WHERE w.patch = patches.id AND w.ended IS NULL) LIMIT $2)";
const UNDO_COPIES: &str = "DELETE FROM undo_copies WHERE (patch, path) IN (SELECT u.patch, u.path FROM undo_copies u \
     WHERE u.saved_at < $1 AND NOT EXISTS (SELECT 1 FROM patches p WHERE p.id = u.patch) LIMIT $2)";
const WRITES: &str = "DELETE FROM writes WHERE id IN (SELECT w.id FROM writes w WHERE w.ended < $1 \
     AND NOT EXISTS (SELECT 1 FROM patches p WHERE p.id = w.patch) LIMIT $2)";
const MESSAGES: &str = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state <> 'pending' \
     AND ended_at < $1 LIMIT $2)";
const DOCUMENTS: &str = "DELETE FROM documents WHERE (connector, name, version) IN \
     (SELECT d.connector, d.name, d.version FROM documents d WHERE d.checked_at < $1 AND d.is_accepted = 0 \
     AND EXISTS (SELECT 1 FROM documents n WHERE n.connector = d.connector AND n.name = d.name \
         AND n.version > d.version) LIMIT $2)";
const SILENCES: &str =
    "DELETE FROM silences WHERE id IN (SELECT id FROM silences WHERE until_at < $1 LIMIT $2)";
const BUDGET: &str = "DELETE FROM request_budget WHERE day < $1";

impl Store {
    /// Deletes what is older than its retention. Open findings, patches that wait, messages that wait, the present
    /// baseline and the last window of each stream stay whatever their age.
    ///
    /// # Errors
    /// Where the database fails; what was deleted before stays deleted.
    pub async fn prune(&self, now: Timestamp, keep: &RetentionSettings) -> Result<PruneCounts, StoreError> {
        let findings = before(now, keep.findings);
        let windows = before(now, keep.windows);
        let counts = PruneCounts {
            windows: self.delete(WINDOWS, windows).await?,
            checks: self.delete(CHECKS, windows).await?,
            baselines: self.delete(BASELINES, before(now, keep.audit)).await?,
            findings: self.delete(FINDINGS, findings).await?,
            diagnoses: self.delete(DIAGNOSES, findings).await?,
            patches: self.delete(PATCHES, findings).await?,
            messages: self.delete(MESSAGES, before(now, keep.messages)).await?,
            documents: self.delete(DOCUMENTS, before(now, keep.documents)).await?,
            silences: self.delete(SILENCES, findings).await?,
            audit: self.prune_audit(before(now, keep.audit)).await?,
        };
        self.delete(UNDO_COPIES, findings).await?;
        self.delete(WRITES, findings).await?;
        let mut tx = self.write().await?;
        sql(BUDGET).int(day_of(now) - 7).run(&mut tx).await?;
        tx.commit().await?;
        Ok(counts)
    }

    async fn delete(&self, statement: &'static str, before: Timestamp) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let mut tx = self.write().await?;
            let count = sql(statement).time(before).count(BATCH).run(&mut tx).await?;
            tx.commit().await?;
            total += count;
            if count < BATCH {
                return Ok(total);
            }
        }
    }

    async fn prune_audit(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let mut tx = self.write().await?;
            let count = audit::prune(&mut tx, before, BATCH).await?;
            tx.commit().await?;
            total += count;
            if count < BATCH {
                return Ok(total);
            }
        }
    }
}

fn before(now: Timestamp, keep: Period) -> Timestamp {
    now.saturating_sub(keep.signed()).unwrap_or(Timestamp::MIN)
}
