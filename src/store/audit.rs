//! The audit log: append-only, each row bound to the one before it by its hash.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::sql::{Row, sql, to_json};
use super::{Store, StoreError};
use crate::model::{Decision, DecisionKind, Fact, Facts, Subject, sha256_hex};

/// What was done, by whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What was done: `approve`, `finding-acknowledged`, `silence-added` …
    pub action: String,
    /// By whom: a user name, `policy`, `demo`, `drogue`.
    pub actor: String,
    /// The object, by id.
    pub about: String,
    /// The connector, where it is about one.
    pub connector: Option<String>,
    /// The stream, where it is about one.
    pub stream: Option<String>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// More about it.
    pub detail: Facts,
}

/// One row of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRow {
    /// Counts up by one, without a gap.
    pub seq: u64,
    /// What was done.
    pub entry: AuditEntry,
    /// The hash of the row before it; empty for the first.
    pub prev_hash: String,
    /// SHA-256 over number, previous hash and entry.
    pub hash: String,
}

/// Where the log was tampered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditBreak {
    /// The first row that does not fit.
    pub seq: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} of the audit log {}", self.seq, self.why)
    }
}

impl AuditEntry {
    /// An entry that is about nothing but this object.
    #[must_use]
    pub fn new(action: &str, actor: &str, at: Timestamp, about: impl Into<String>) -> Self {
        Self {
            at,
            action: action.to_owned(),
            actor: actor.to_owned(),
            about: about.into(),
            connector: None,
            stream: None,
            reason: None,
            detail: Facts::new(),
        }
    }

    /// The entry of a decision.
    #[must_use]
    pub fn of_decision(decision: &Decision) -> Self {
        let action = match decision.kind {
            DecisionKind::Approve => "approve",
            DecisionKind::Reject => "reject",
            DecisionKind::RollBack => "roll-back",
            DecisionKind::Accept => "accept",
        };
        Self::new(action, &decision.actor, decision.at, &*decision.about).because(decision.reason.as_deref())
    }

    /// About this stream.
    #[must_use]
    pub fn of(mut self, subject: &Subject) -> Self {
        self.connector = Some(subject.connector.clone());
        self.stream = Some(subject.stream.clone());
        self
    }

    /// For this reason.
    #[must_use]
    pub fn because(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.map(str::to_owned);
        self
    }

    /// With one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<Fact>) -> Self {
        self.detail.set(name, fact);
        self
    }
}

impl Store {
    /// Writes an entry of its own; what changes a state writes its entry itself.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn record_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        append(&mut tx, entry).await?;
        Ok(tx.commit().await?)
    }

    /// The last rows of the log, the newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit(&self, limit: u64) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sql("SELECT * FROM audit ORDER BY seq DESC LIMIT $1")
            .count(limit)
            .all(&mut *self.pool.acquire().await?)
            .await?;
        rows.iter().map(row_of).collect()
    }

    /// What was done to an object, the oldest first: the decisions about a patch, for example.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit_about(&self, about: &str) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sql("SELECT * FROM audit WHERE about = $1 ORDER BY seq")
            .text(about)
            .all(&mut *self.pool.acquire().await?)
            .await?;
        rows.iter().map(row_of).collect()
    }

    /// Follows the chain of hashes from the oldest row to the newest; the first broken row where there is one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn verify_audit(&self) -> Result<Result<(), AuditBreak>, StoreError> {
        const PAGE: u64 = 1_000;
        let mut tx = self.read().await?;
        let ends = sql("SELECT * FROM audit_ends WHERE id = 1").one(&mut tx).await?;
        let (mut seq, mut hash) = (ends.count("pruned_seq")?, ends.text("pruned_hash")?);
        loop {
            let rows = sql("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
                .count(seq)
                .count(PAGE)
                .all(&mut tx)
                .await?;
            for row in &rows {
                let found = row.count("seq")?;
                let body = row.text("body")?;
                if found != seq + 1 {
                    return Ok(Err(AuditBreak { seq: seq + 1, why: "is missing" }));
                }
                if row.text("prev_hash")? != hash {
                    return Ok(Err(AuditBreak { seq: found, why: "does not follow the row before it" }));
                }
                // The columns beside the body are for searching; they have to agree with it.
                let agrees = serde_json::from_str::<AuditEntry>(&body).is_ok_and(|entry| {
                    row.text("about").is_ok_and(|about| about == super::sql::storable(&entry.about))
                        && row.int("at").is_ok_and(|at| at == entry.at.as_microsecond())
                });
                hash = hash_of(found, &hash, &body);
                if row.text("hash")? != hash || !agrees {
                    return Ok(Err(AuditBreak { seq: found, why: "was changed" }));
                }
                seq = found;
            }
            if (rows.len() as u64) < PAGE {
                break;
            }
        }
        if seq != ends.count("last_seq")? || hash != ends.text("last_hash")? {
            return Ok(Err(AuditBreak { seq: seq + 1, why: "is missing: the log was cut off" }));
        }
        Ok(Ok(()))
    }
}

/// Appends an entry. The row of the ends is locked until the transaction is over, so this comes last in it.
pub(super) async fn append(conn: &mut AnyConnection, entry: &AuditEntry) -> Result<(), StoreError> {
    let ends =
        sql("UPDATE audit_ends SET last_seq = last_seq + 1 WHERE id = 1 RETURNING last_seq, last_hash")
            .one(conn)
            .await?;
    let (seq, prev_hash) = (ends.count("last_seq")?, ends.text("last_hash")?);
    let body = to_json("an audit entry", entry)?;
    let hash = hash_of(seq, &prev_hash, &body);
    sql("INSERT INTO audit (seq, at, about, prev_hash, hash, body) VALUES ($1, $2, $3, $4, $5, $6)")
        .count(seq)
        .time(entry.at)
        .text(&entry.about)
        .text(&prev_hash)
        .text(&hash)
        .text(&body)
        .run(conn)
        .await?;
    sql("UPDATE audit_ends SET last_hash = $1 WHERE id = 1").text(&hash).run(conn).await?;
    Ok(())
}

/// Cuts off rows before a time, at most `limit`, from the oldest on; how many.
pub(super) async fn prune(
    conn: &mut AnyConnection,
    before: Timestamp,
    limit: u64,
) -> Result<u64, StoreError> {
    let ends =
        sql("UPDATE audit_ends SET id = 1 WHERE id = 1 RETURNING last_seq, pruned_seq").one(conn).await?;
    // A time that is out of order must not tear a hole: rows go from the oldest on, up to the first that stays.
    let first_kept = sql("SELECT MIN(seq) AS seq FROM audit WHERE at >= $1").time(before).one(conn).await?;
    let first_kept = match first_kept.opt_int("seq")? {
        Some(seq) => u64::try_from(seq).unwrap_or(0),
        None => ends.count("last_seq")? + 1,
    };
    let pruned = ends.count("pruned_seq")?;
    let last_gone = first_kept.saturating_sub(1).min(pruned + limit);
    if last_gone <= pruned {
        return Ok(0);
    }
    let last = sql("SELECT hash FROM audit WHERE seq = $1").count(last_gone).optional(conn).await?;
    // A log that was tampered with is kept as it is.
    let Some(last) = last else { return Ok(0) };
    sql("UPDATE audit_ends SET pruned_seq = $1, pruned_hash = $2 WHERE id = 1")
        .count(last_gone)
        .text(&last.text("hash")?)
        .run(conn)
        .await?;
    sql("DELETE FROM audit WHERE seq <= $1").count(last_gone).run(conn).await
}

fn hash_of(seq: u64, prev_hash: &str, body: &str) -> String {
    sha256_hex(format!("audit/1\n{seq}\n{prev_hash}\n{body}").as_bytes())
}

fn row_of(row: &Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        seq: row.count("seq")?,
        entry: row.json("an audit entry", "body")?,
        prev_hash: row.text("prev_hash")?,
        hash: row.text("hash")?,
    })
}
