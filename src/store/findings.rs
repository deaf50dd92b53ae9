//! Findings: by subject and fingerprint. How they move from check to check is said in [`crate::diagnose`], and only kept
//! here.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::audit::{self, AuditEntry};
use super::baselines::NewBaseline;
use super::sql::{Row, sql, to_json};
use super::streams::{lock_stream, subject_of};
use super::{Store, StoreError, only_one};
use crate::diagnose::FindingRecord;
use crate::model::{Finding, FindingState, Fingerprint, Severity, Subject};

/// Which findings to list.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    /// Of one connector.
    pub connector: Option<String>,
    /// Of one stream.
    pub stream: Option<String>,
    /// In one of these states; all but resolved where it is empty.
    pub states: Vec<FindingState>,
    /// At least as bad as this.
    pub min_severity: Option<Severity>,
}

impl FindingFilter {
    fn lets(&self, record: &FindingRecord) -> bool {
        let finding = &record.finding;
        let state_fits = if self.states.is_empty() {
            finding.state != FindingState::Resolved
        } else {
            self.states.contains(&finding.state)
        };
        state_fits && self.min_severity.is_none_or(|least| finding.severity >= least)
    }
}

impl Store {
    /// Findings, by stream, worst first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn findings(&self, filter: &FindingFilter) -> Result<Vec<FindingRecord>, StoreError> {
        let rows =
            sql("SELECT * FROM findings WHERE (connector = $1 OR $1 = '') AND (stream = $2 OR $2 = '')")
                .text(filter.connector.as_deref().unwrap_or_default())
                .text(filter.stream.as_deref().unwrap_or_default())
                .all(&mut *self.pool.acquire().await?)
                .await?;
        let mut records = rows.iter().map(record_of).collect::<Result<Vec<_>, _>>()?;
        records.retain(|record| filter.lets(record));
        sort(&mut records);
        Ok(records)
    }

    /// The finding whose fingerprint starts so.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] where there are several.
    pub async fn finding(&self, prefix: &str) -> Result<Option<FindingRecord>, StoreError> {
        let mut tx = self.read().await?;
        let rows =
            sql("SELECT * FROM findings WHERE substr(fingerprint, 1, CAST($1 AS INTEGER)) = $2 LIMIT 1000")
                .count(prefix.chars().count() as u64)
                .text(prefix)
                .all(&mut tx)
                .await?;
        let records = rows.iter().map(record_of).collect::<Result<Vec<_>, _>>()?;
        let ids = records.iter().map(|record| record.finding.fingerprint.0.clone()).collect();
        let only = only_one("findings", prefix, ids)?;
        Ok(records.into_iter().find(|record| Some(&record.finding.fingerprint.0) == only.as_ref()))
    }

    /// Acknowledges a finding: a person has seen it. `false` where it is not open (any more).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn acknowledge(
        &self,
        fingerprint: &Fingerprint,
        actor: &str,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let from = [FindingState::Open, FindingState::Flapping];
        self.move_finding(fingerprint, &from, FindingState::Acknowledged, actor, reason, at).await
    }

    /// Resolves every finding of a stream, as accepting its window does; the fingerprints that were not resolved yet.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn resolve_all(
        &self,
        subject: &Subject,
        actor: &str,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<Vec<Fingerprint>, StoreError> {
        let mut tx = self.write().await?;
        lock_stream(&mut tx, subject).await?;
        let resolved = resolve_in(&mut tx, subject, None, reason, at).await?;
        super::diagnoses::close_explained(&mut tx, subject).await?;
        if !resolved.is_empty() {
            let entry = AuditEntry::new("findings-resolved", actor, at, subject.to_string())
                .of(subject)
                .because(reason)
                .with("findings", resolved.iter().map(|f| f.0.clone()).collect::<Vec<_>>());
            audit::append(&mut tx, &entry).await?;
        }
        tx.commit().await?;
        Ok(resolved)
    }

    /// `accept` in one transaction: the baseline moves, where there is one, and these findings are resolved; the
    /// fingerprints that were not resolved yet.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody else has just moved the baseline; then nothing was changed.
    pub async fn accept(
        &self,
        subject: &Subject,
        baseline: Option<&NewBaseline>,
        findings: &[Fingerprint],
        actor: &str,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<Vec<Fingerprint>, StoreError> {
        let mut tx = self.write().await?;
        lock_stream(&mut tx, subject).await?;
        let mut entries = Vec::new();
        if let Some(new) = baseline {
            entries.push(super::baselines::save(&mut tx, subject, new).await?);
        }
        let resolved = resolve_in(&mut tx, subject, Some(findings), reason, at).await?;
        super::diagnoses::close_explained(&mut tx, subject).await?;
        entries.push(
            AuditEntry::new("findings-accepted", actor, at, subject.to_string())
                .of(subject)
                .because(reason)
                .with("findings", resolved.iter().map(|f| f.0.clone()).collect::<Vec<_>>()),
        );
        for entry in &entries {
            audit::append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(resolved)
    }

    async fn move_finding(
        &self,
        fingerprint: &Fingerprint,
        from: &[FindingState],
        to: FindingState,
        actor: &str,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let row = sql("SELECT connector, stream FROM findings WHERE fingerprint = $1")
            .text(&fingerprint.0)
            .optional(&mut tx)
            .await?;
        let Some(subject) = row.as_ref().map(subject_of).transpose()? else { return Ok(false) };
        lock_stream(&mut tx, &subject).await?;
        let row = sql("SELECT * FROM findings WHERE connector = $1 AND stream = $2 AND fingerprint = $3")
            .text(&subject.connector)
            .text(&subject.stream)
            .text(&fingerprint.0)
            .optional(&mut tx)
            .await?;
        let Some(mut record) = row.as_ref().map(record_of).transpose()? else { return Ok(false) };
        if !from.contains(&record.finding.state) {
            return Ok(false);
        }
        if to == FindingState::Resolved {
            record.resolve(at);
        } else {
            record.finding.state = to;
        }
        record.note = reason.map(str::to_owned);
        save(&mut tx, &record).await?;
        super::diagnoses::close_explained(&mut tx, &subject).await?;
        let action = format!("finding-{}", to.word());
        let entry = AuditEntry::new(&action, actor, at, fingerprint.0.clone()).of(&subject).because(reason);
        audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Every finding of a stream, resolved ones too, worst first.
pub(super) async fn of_stream(
    conn: &mut AnyConnection,
    subject: &Subject,
) -> Result<Vec<FindingRecord>, StoreError> {
    let rows = sql("SELECT * FROM findings WHERE connector = $1 AND stream = $2")
        .text(&subject.connector)
        .text(&subject.stream)
        .all(conn)
        .await?;
    let mut records = rows.iter().map(record_of).collect::<Result<Vec<_>, _>>()?;
    sort(&mut records);
    Ok(records)
}

/// Resolves the findings of a stream, all or only some; those that were not resolved yet.
pub(super) async fn resolve_in(
    conn: &mut AnyConnection,
    subject: &Subject,
    only: Option<&[Fingerprint]>,
    note: Option<&str>,
    at: Timestamp,
) -> Result<Vec<Fingerprint>, StoreError> {
    let mut resolved = Vec::new();
    for mut record in of_stream(conn, subject).await? {
        let meant = only.is_none_or(|only| only.contains(&record.finding.fingerprint));
        if meant && record.finding.state != FindingState::Resolved {
            record.resolve(at);
            record.note = note.map(str::to_owned);
            save(conn, &record).await?;
            resolved.push(record.finding.fingerprint);
        }
    }
    Ok(resolved)
}

/// Writes a finding, new or known.
pub(super) async fn save(conn: &mut AnyConnection, record: &FindingRecord) -> Result<(), StoreError> {
    let finding = &record.finding;
    sql("INSERT INTO findings (connector, stream, fingerprint, state, severity, first_seen, last_seen, opened_at, \
         resolved_at, told_at, misses, judged, flaps, note, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT (connector, stream, fingerprint) DO UPDATE SET state = $4, severity = $5, first_seen = $6, \
         last_seen = $7, opened_at = $8, resolved_at = $9, told_at = $10, misses = $11, judged = $12, flaps = $13, \
         note = $14, body = $15")
    .text(&record.subject.connector)
    .text(&record.subject.stream)
    .text(&finding.fingerprint.0)
    .text(finding.state.word())
    .int(finding.severity as i64)
    .time(finding.first_seen.unwrap_or(record.opened_at))
    .time(finding.last_seen.unwrap_or(record.opened_at))
    .time(record.opened_at)
    .opt_time(record.resolved_at)
    .opt_time(record.told_at)
    .count(record.misses)
    .count(record.judged)
    .text(&to_json("flaps", &record.flaps)?)
    .opt_text(record.note.as_deref())
    .json("a finding", finding)?
    .run(conn)
    .await?;
    Ok(())
}

fn record_of(row: &Row) -> Result<FindingRecord, StoreError> {
    let mut finding: Finding = row.json("a finding", "body")?;
    finding.state = row.word("the state of a finding", "state")?;
    finding.first_seen = Some(row.time("first_seen")?);
    finding.last_seen = Some(row.time("last_seen")?);
    Ok(FindingRecord {
        subject: subject_of(row)?,
        finding,
        opened_at: row.time("opened_at")?,
        resolved_at: row.opt_time("resolved_at")?,
        told_at: row.opt_time("told_at")?,
        misses: row.count("misses")?,
        note: row.opt_text("note")?,
        judged: row.count("judged")?,
        flaps: row.json("flaps", "flaps")?,
    })
}

/// By stream, worst first, then by path and rule: the order does not depend on the database.
fn sort(records: &mut [FindingRecord]) {
    records.sort_by(|a, b| {
        let (x, y) = (&a.finding, &b.finding);
        a.subject
            .cmp(&b.subject)
            .then_with(|| y.severity.cmp(&x.severity))
            .then_with(|| x.path.cmp(&y.path))
            .then_with(|| x.rule.cmp(&y.rule))
            .then_with(|| x.fingerprint.cmp(&y.fingerprint))
    });
}
