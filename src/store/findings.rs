//! Findings: by subject and fingerprint, with the hysteresis that keeps an incident from opening and closing at each
//! window.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::audit::{self, AuditEntry};
use super::sql::{Row, sql, to_json};
use super::streams::{lock_stream, subject_of};
use super::{Store, StoreError, only_one};
use crate::model::{Finding, FindingState, Fingerprint, Severity, Subject};

/// After how many checks in a row that could have shown it a finding that was not shown is resolved.
pub const RESOLVE_AFTER: u64 = 2;

/// How often a finding may come back within [`FLAP_WINDOWS`] before it is flapping.
pub const FLAP_LIMIT: usize = 3;

/// Over how many checks comebacks are counted; a flapping finding is resolved when it was away for as long.
pub const FLAP_WINDOWS: u64 = 10;

/// A finding as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRecord {
    /// Whom it is about.
    pub subject: Subject,
    /// The finding, its state and times filled in.
    pub finding: Finding,
    /// When this incident began: the first window, or the one that brought it back.
    pub opened_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// When it was last in a message.
    pub told_at: Option<Timestamp>,
    /// Checks in a row that could have shown it and did not.
    pub misses: u64,
    /// What was said with the last acknowledgement or acceptance.
    pub note: Option<String>,
    /// Checks that could have shown it.
    pub(super) judged: u64,
    /// Which of them brought it back, the last few.
    pub(super) flaps: Vec<u64>,
}

/// What a check does to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It was never there before.
    New,
    /// It was resolved, and is back.
    Reopened,
    /// It came back once too often.
    BecameFlapping,
    /// It is there still, or away for too short a time to say.
    Still,
    /// It is there still, and is worse than it was: to be told again.
    Worse,
    /// It has been away long enough.
    Resolved,
    /// It was resolved and still is.
    Gone,
}

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

impl FindingRecord {
    /// A finding that was never there before.
    pub(super) fn first(subject: &Subject, finding: Finding, at: Timestamp) -> Self {
        let finding =
            Finding { state: FindingState::Open, first_seen: Some(at), last_seen: Some(at), ..finding };
        Self {
            subject: subject.clone(),
            finding,
            opened_at: at,
            resolved_at: None,
            told_at: None,
            misses: 0,
            note: None,
            judged: 1,
            flaps: Vec::new(),
        }
    }

    /// A check shows it.
    pub(super) fn seen(&mut self, shown: Finding, at: Timestamp) -> Step {
        self.judged += 1;
        let was = self.finding.state;
        let is_worse = shown.severity > self.finding.severity;
        let away = self.misses;
        self.misses = 0;
        self.finding =
            Finding { state: was, first_seen: self.finding.first_seen, last_seen: Some(at), ..shown };
        // A flapping finding is not resolved by a short absence, but its comebacks count on.
        if was == FindingState::Resolved || (was == FindingState::Flapping && away >= RESOLVE_AFTER) {
            self.flaps.push(self.judged);
        }
        self.forget_flaps();
        let flapping = self.flaps.len() >= FLAP_LIMIT;
        match was {
            FindingState::Resolved => {
                self.opened_at = at;
                self.resolved_at = None;
                self.note = None;
                if flapping {
                    self.finding.state = FindingState::Flapping;
                    Step::BecameFlapping
                } else {
                    self.finding.state = FindingState::Open;
                    Step::Reopened
                }
            }
            FindingState::Flapping if !flapping => {
                self.finding.state = FindingState::Open;
                Step::Still
            }
            // Who has seen it has seen something milder.
            FindingState::Open | FindingState::Acknowledged if is_worse => {
                self.finding.state = FindingState::Open;
                Step::Worse
            }
            FindingState::Open | FindingState::Acknowledged | FindingState::Flapping => Step::Still,
        }
    }

    /// A check could have shown it, and did not.
    pub(super) fn missed(&mut self, at: Timestamp) -> Step {
        self.judged += 1;
        self.forget_flaps();
        if self.finding.state == FindingState::Resolved {
            return Step::Gone;
        }
        self.misses += 1;
        let enough = if self.finding.state == FindingState::Flapping { FLAP_WINDOWS } else { RESOLVE_AFTER };
        if self.misses < enough {
            return Step::Still;
        }
        self.resolve(at);
        Step::Resolved
    }

    /// Whether comebacks are being counted.
    pub(super) const fn has_flaps(&self) -> bool {
        !self.flaps.is_empty()
    }

    fn resolve(&mut self, at: Timestamp) {
        self.finding.state = FindingState::Resolved;
        self.resolved_at = Some(at);
    }

    fn forget_flaps(&mut self) {
        let judged = self.judged;
        self.flaps.retain(|at| judged - at < FLAP_WINDOWS);
    }
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

    /// Resolves one finding by hand. `false` where it is resolved already.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn resolve_finding(
        &self,
        fingerprint: &Fingerprint,
        actor: &str,
        reason: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let from = [FindingState::Open, FindingState::Acknowledged, FindingState::Flapping];
        self.move_finding(fingerprint, &from, FindingState::Resolved, actor, reason, at).await
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
