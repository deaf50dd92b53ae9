//! Diagnoses: by subject and id; current as long as one of the findings that they explain is not resolved.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::sql::{Row, sql};
use super::streams::subject_of;
use super::{Store, StoreError, findings, only_one};
use crate::model::{Diagnosis, FindingState, Fingerprint, Subject};

/// A diagnosis as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDiagnosis {
    /// Whom it is about.
    pub subject: Subject,
    /// The diagnosis.
    pub diagnosis: Diagnosis,
    /// Whether a finding that it explains is not resolved.
    pub is_current: bool,
    /// The first check that came to it.
    pub first_seen: Timestamp,
    /// The last check that came to it.
    pub last_seen: Timestamp,
}

impl Store {
    /// The diagnosis whose id starts so.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] where there are several.
    pub async fn diagnosis(&self, prefix: &str) -> Result<Option<StoredDiagnosis>, StoreError> {
        let rows = sql("SELECT * FROM diagnoses WHERE substr(id, 1, CAST($1 AS INTEGER)) = $2 LIMIT 1000")
            .count(prefix.chars().count() as u64)
            .text(prefix)
            .all(&mut *self.pool.acquire().await?)
            .await?;
        let stored = rows.iter().map(stored_of).collect::<Result<Vec<_>, _>>()?;
        let only = only_one("diagnoses", prefix, stored.iter().map(|s| s.diagnosis.id.clone()).collect())?;
        Ok(stored.into_iter().find(|s| Some(&s.diagnosis.id) == only.as_ref()))
    }

    /// The current diagnoses of a stream, worst first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn current_diagnoses(&self, subject: &Subject) -> Result<Vec<StoredDiagnosis>, StoreError> {
        current(&mut *self.pool.acquire().await?, subject).await
    }
}

/// The current diagnoses of a stream, worst first.
pub(super) async fn current(
    conn: &mut AnyConnection,
    subject: &Subject,
) -> Result<Vec<StoredDiagnosis>, StoreError> {
    let rows = sql("SELECT * FROM diagnoses WHERE connector = $1 AND stream = $2 AND is_current = 1")
        .text(&subject.connector)
        .text(&subject.stream)
        .all(conn)
        .await?;
    let mut stored = rows.iter().map(stored_of).collect::<Result<Vec<_>, _>>()?;
    stored.sort_by(|a, b| {
        let (x, y) = (&a.diagnosis, &b.diagnosis);
        y.severity.cmp(&x.severity).then_with(|| x.path.cmp(&y.path)).then_with(|| x.id.cmp(&y.id))
    });
    Ok(stored)
}

/// Writes a diagnosis, new or known.
pub(super) async fn save(
    conn: &mut AnyConnection,
    subject: &Subject,
    diagnosis: &Diagnosis,
    at: Timestamp,
) -> Result<(), StoreError> {
    sql("INSERT INTO diagnoses (connector, stream, id, is_current, first_seen, last_seen, body) \
         VALUES ($1, $2, $3, 1, $4, $4, $5) \
         ON CONFLICT (connector, stream, id) DO UPDATE SET is_current = 1, last_seen = $4, body = $5")
    .text(&subject.connector)
    .text(&subject.stream)
    .text(&diagnosis.id)
    .time(at)
    .json("a diagnosis", &finite(diagnosis))?
    .run(conn)
    .await?;
    Ok(())
}

/// Ends the diagnoses all of whose findings are resolved; a diagnosis that explains none stays until it is not drawn
/// any more. The ids of those that ended.
pub(super) async fn close_explained(
    conn: &mut AnyConnection,
    subject: &Subject,
) -> Result<Vec<String>, StoreError> {
    let open: Vec<Fingerprint> = findings::of_stream(conn, subject)
        .await?
        .into_iter()
        .filter(|record| record.finding.state != FindingState::Resolved)
        .map(|record| record.finding.fingerprint)
        .collect();
    let mut ended = Vec::new();
    for stored in current(conn, subject).await? {
        let explains = &stored.diagnosis.explains;
        if !explains.is_empty() && !explains.iter().any(|fingerprint| open.contains(fingerprint)) {
            close(conn, subject, &stored.diagnosis.id).await?;
            ended.push(stored.diagnosis.id);
        }
    }
    Ok(ended)
}

/// Ends a diagnosis.
pub(super) async fn close(conn: &mut AnyConnection, subject: &Subject, id: &str) -> Result<(), StoreError> {
    sql("UPDATE diagnoses SET is_current = 0 WHERE connector = $1 AND stream = $2 AND id = $3")
        .text(&subject.connector)
        .text(&subject.stream)
        .text(id)
        .run(conn)
        .await?;
    Ok(())
}

/// JSON has no number for what is not finite: such a confidence is none.
fn finite(diagnosis: &Diagnosis) -> Diagnosis {
    let or_zero = |number: f64| if number.is_finite() { number } else { 0.0 };
    let mut diagnosis = diagnosis.clone();
    diagnosis.confidence = or_zero(diagnosis.confidence);
    for candidate in &mut diagnosis.candidates {
        candidate.score = or_zero(candidate.score);
    }
    diagnosis
}

fn stored_of(row: &Row) -> Result<StoredDiagnosis, StoreError> {
    Ok(StoredDiagnosis {
        subject: subject_of(row)?,
        diagnosis: row.json("a diagnosis", "body")?,
        is_current: row.flag("is_current")?,
        first_seen: row.time("first_seen")?,
        last_seen: row.time("last_seen")?,
    })
}
