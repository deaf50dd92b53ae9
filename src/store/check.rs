//! One check is one transaction, and storing it twice changes nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::audit::{self, AuditEntry};
use super::baselines::NewBaseline;
use super::documents::{self, NewDocument};
use super::findings;
use super::sql::sql;
use super::streams::{self, StreamState, lock_stream};
use super::{Retry, Store, StoreError, TRIES, baselines, diagnoses, outbox, patches, windows};
use crate::compare::Window;
use crate::diagnose::{self, FindingRecord, Look, Moved, Step};
use crate::model::{
    Category, Compared, Diagnosis, ErrorClass, FieldPath, Finding, Fingerprint, Inconclusive, Message, Patch,
    PatchState, Subject,
};

/// What came of looking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum CheckOutcome {
    /// A window, or a document, was seen.
    Observed,
    /// An answer that says nothing: an empty list, nothing new since the last time.
    NoEvidence {
        /// Why it says nothing.
        why: String,
    },
    /// It could not be observed.
    Failed {
        /// What the failure means.
        class: ErrorClass,
        /// The words for it, redacted.
        message: String,
        /// Attempts that were made.
        attempts: u32,
    },
}

/// Everything that one check came to.
#[derive(Debug, Clone)]
pub struct CheckRecord {
    /// The check; storing the same one twice changes nothing.
    pub id: String,
    /// Whom it is about.
    pub subject: Subject,
    /// When it ended: the time of all that it writes.
    pub at: Timestamp,
    /// What came of looking.
    pub outcome: CheckOutcome,
    /// Whether the source was asked: else the stream's failures, and when and how it was last asked, stay as they are.
    pub is_attempt: bool,
    /// The window, where one was seen.
    pub window: Option<Window>,
    /// Whether the window showed nothing new.
    pub is_clean: bool,
    /// What stood against what.
    pub compared: Option<Compared>,
    /// What was seen.
    pub findings: Vec<Finding>,
    /// Which kinds of findings this check could have shown: a known finding of these that is not shown counts as
    /// missed, and is resolved after [`crate::diagnose::RESOLVE_AFTER`] misses. Empty for a failed or partial look.
    pub judges: Vec<Category>,
    /// What could not be judged; known findings at these paths do not count as missed.
    pub inconclusive: Vec<Inconclusive>,
    /// Where values were too few to be judged: known findings on values there, or below, do not count as missed.
    pub unjudged: BTreeSet<FieldPath>,
    /// What happened.
    pub diagnoses: Vec<Diagnosis>,
    /// What is proposed.
    pub patches: Vec<Patch>,
    /// Documents that were fetched.
    pub documents: Vec<NewDocument>,
    /// A baseline that is recorded with this check: learning, and nothing else.
    pub baseline: Option<NewBaseline>,
    /// When the stream is due next, where that is known.
    pub next_due: Option<Timestamp>,
    /// Until when the stream is learning; `None` leaves it as it is.
    pub learning_until: Option<Timestamp>,
}

impl CheckRecord {
    /// A check that came to nothing but this outcome.
    #[must_use]
    pub fn new(id: impl Into<String>, subject: Subject, at: Timestamp, outcome: CheckOutcome) -> Self {
        Self {
            id: id.into(),
            subject,
            at,
            outcome,
            is_attempt: true,
            window: None,
            is_clean: false,
            compared: None,
            findings: Vec::new(),
            judges: Vec::new(),
            inconclusive: Vec::new(),
            unjudged: BTreeSet::new(),
            diagnoses: Vec::new(),
            patches: Vec::new(),
            documents: Vec::new(),
            baseline: None,
            next_due: None,
            learning_until: None,
        }
    }
}

/// What a check changed; messages are made from it.
#[derive(Debug, Clone, Default)]
pub struct CommitOutcome {
    /// Whether it was stored: `false` where this check was stored before, and then all else is empty.
    pub stored: bool,
    /// The stream after it.
    pub state: StreamState,
    /// Findings that were never there before.
    pub new: Vec<FindingRecord>,
    /// Findings that were resolved, and are back.
    pub reopened: Vec<FindingRecord>,
    /// Findings that came back once too often: the last word on them until they settle.
    pub flapping: Vec<FindingRecord>,
    /// Findings that were there before and are not resolved.
    pub still_open: Vec<FindingRecord>,
    /// Those of them that are more severe than they were.
    pub worse: Vec<Fingerprint>,
    /// Findings that are resolved now.
    pub resolved: Vec<FindingRecord>,
    /// Diagnoses of this check that were not current before, by id.
    pub new_diagnoses: Vec<String>,
    /// Diagnoses that ended, by id.
    pub ended_diagnoses: Vec<String>,
    /// Patches that wait for a decision and did not before.
    pub new_patches: Vec<Patch>,
    /// Patches whose place others took, by id.
    pub superseded_patches: Vec<String>,
    /// Patches whose reason is gone before anybody decided, by id.
    pub expired_patches: Vec<String>,
    /// Versions of documents that are new: name and version.
    pub new_documents: Vec<(String, u64)>,
    /// Messages that went to the outbox, by id; not there while messages are made.
    pub messages: Vec<String>,
}

/// A check as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckSummary {
    /// The check.
    pub id: String,
    /// When it ended.
    pub at: Timestamp,
    /// What came of looking.
    pub outcome: CheckOutcome,
    /// What stood against what.
    pub compared: Option<Compared>,
    /// What could not be judged.
    pub inconclusive: Vec<Inconclusive>,
}

impl Store {
    /// Stores a check in one transaction: documents, window, findings, diagnoses, patches, baseline, stream state,
    /// messages, audit rows. Storing a check twice changes nothing.
    ///
    /// `messages` is called inside of the transaction, after the findings have moved and before it is committed; it may
    /// be called again when the transaction has to be tried again, so it only makes messages.
    ///
    /// # Errors
    /// Where the database fails; then nothing was stored.
    pub async fn commit_check(
        &self,
        record: &CheckRecord,
        messages: impl Fn(&CommitOutcome) -> Vec<Message> + Send + Sync,
    ) -> Result<CommitOutcome, StoreError> {
        let mut tries = 1;
        loop {
            match self.try_commit(record, &messages).await {
                Err(error) if error.retry() == Retry::Now && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn try_commit(
        &self,
        record: &CheckRecord,
        messages: &(impl Fn(&CommitOutcome) -> Vec<Message> + Send + Sync),
    ) -> Result<CommitOutcome, StoreError> {
        let subject = &record.subject;
        let mut outcome = CommitOutcome::default();
        let mut tx = self.write().await?;
        lock_stream(&mut tx, subject).await?;
        if !insert_check(&mut tx, record).await? {
            return Ok(outcome);
        }
        outcome.stored = true;
        for document in &record.documents {
            if let Some(version) = documents::save(&mut tx, &subject.connector, document).await? {
                outcome.new_documents.push((document.name.clone(), version));
            }
        }
        if let Some(window) = &record.window {
            windows::save(&mut tx, subject, &record.id, window, record.is_clean).await?;
        }
        move_findings(&mut tx, record, &mut outcome).await?;
        move_diagnoses(&mut tx, record, &mut outcome).await?;
        let mut entries = move_patches(&mut tx, record, &mut outcome).await?;
        if let Some(new) = &record.baseline {
            entries.push(baselines::save(&mut tx, subject, new).await?);
        }
        outcome.state = moved_state(&mut tx, record).await?;
        let messages = messages(&outcome);
        outcome.messages = outbox::enqueue(&mut tx, &messages, record.at).await?;
        for entry in &entries {
            audit::append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(outcome)
    }

    /// The last check of a stream.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_check(&self, subject: &Subject) -> Result<Option<CheckSummary>, StoreError> {
        sql("SELECT body FROM checks WHERE connector = $1 AND stream = $2 ORDER BY at DESC, id DESC LIMIT 1")
            .text(&subject.connector)
            .text(&subject.stream)
            .optional(&mut *self.pool.acquire().await?)
            .await?
            .map(|row| row.json("a check", "body"))
            .transpose()
    }

    /// Whether this check is stored.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn has_check(&self, id: &str) -> Result<bool, StoreError> {
        let mut conn = self.pool.acquire().await?;
        Ok(sql("SELECT id FROM checks WHERE id = $1").text(id).optional(&mut conn).await?.is_some())
    }
}

/// Writes the row of the check; `false` where it is there.
async fn insert_check(conn: &mut AnyConnection, record: &CheckRecord) -> Result<bool, StoreError> {
    let summary = CheckSummary {
        id: record.id.clone(),
        at: record.at,
        outcome: record.outcome.clone(),
        compared: record.compared.clone(),
        inconclusive: record.inconclusive.clone(),
    };
    let written = sql("INSERT INTO checks (id, connector, stream, at, body) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO NOTHING")
    .text(&record.id)
    .text(&record.subject.connector)
    .text(&record.subject.stream)
    .time(record.at)
    .json("a check", &summary)?
    .run(conn)
    .await?;
    Ok(written == 1)
}

async fn move_findings(
    conn: &mut AnyConnection,
    record: &CheckRecord,
    outcome: &mut CommitOutcome,
) -> Result<(), StoreError> {
    let look = Look {
        subject: &record.subject,
        at: record.at,
        findings: &record.findings,
        judges: &record.judges,
        inconclusive: &record.inconclusive,
        unjudged: &record.unjudged,
    };
    let known = findings::of_stream(conn, &record.subject).await?;
    for Moved { step, record, is_changed } in diagnose::move_findings(known, &look) {
        if is_changed {
            findings::save(conn, &record).await?;
        }
        sort_in(outcome, step, record);
    }
    Ok(())
}

fn sort_in(outcome: &mut CommitOutcome, step: Step, finding: FindingRecord) {
    match step {
        Step::New => outcome.new.push(finding),
        Step::Reopened => outcome.reopened.push(finding),
        Step::BecameFlapping => outcome.flapping.push(finding),
        Step::Worse => {
            outcome.worse.push(finding.finding.fingerprint.clone());
            outcome.still_open.push(finding);
        }
        Step::Still => outcome.still_open.push(finding),
        Step::Resolved => outcome.resolved.push(finding),
        Step::Gone => {}
    }
}

async fn move_diagnoses(
    conn: &mut AnyConnection,
    record: &CheckRecord,
    outcome: &mut CommitOutcome,
) -> Result<(), StoreError> {
    let before = diagnoses::current(conn, &record.subject).await?;
    let drawn = |id: &str| record.diagnoses.iter().any(|diagnosis| diagnosis.id == id);
    for known in before.iter().map(|stored| &stored.diagnosis).filter(|known| !drawn(&known.id)) {
        // A finding has one explanation: a newer reading ends the older one.
        let is_taken = known
            .explains
            .iter()
            .any(|fingerprint| record.diagnoses.iter().any(|d| d.explains.contains(fingerprint)));
        let is_over = known.explains.is_empty() && !record.judges.is_empty();
        if is_taken || is_over {
            diagnoses::close(conn, &record.subject, &known.id).await?;
            outcome.ended_diagnoses.push(known.id.clone());
        }
    }
    for diagnosis in &record.diagnoses {
        diagnoses::save(conn, &record.subject, diagnosis, record.at).await?;
        if !before.iter().any(|known| known.diagnosis.id == diagnosis.id) {
            outcome.new_diagnoses.push(diagnosis.id.clone());
        }
    }
    outcome.ended_diagnoses.extend(diagnoses::close_explained(conn, &record.subject).await?);
    outcome.ended_diagnoses.sort();
    Ok(())
}

async fn move_patches(
    conn: &mut AnyConnection,
    record: &CheckRecord,
    outcome: &mut CommitOutcome,
) -> Result<Vec<AuditEntry>, StoreError> {
    let subject = &record.subject;
    let entry = |action: &str, patch: &str| AuditEntry::new(action, "drogue", record.at, patch).of(subject);
    let mut entries = Vec::new();
    for patch in &record.patches {
        if let Some(patch) = patches::propose(conn, patch, record.at).await? {
            entries.push(entry("patch-proposed", &patch.id));
            outcome.new_patches.push(patch);
        }
    }
    let current: Vec<_> =
        diagnoses::current(conn, subject).await?.into_iter().map(|stored| stored.diagnosis.id).collect();
    for old in patches::pending_of(conn, subject).await? {
        if record.patches.iter().any(|patch| patch.id == old.id) {
            continue;
        }
        let is_replaced = record
            .patches
            .iter()
            .any(|patch| patch.diagnoses.iter().any(|diagnosis| old.diagnoses.contains(diagnosis)));
        let is_pointless =
            !old.diagnoses.is_empty() && old.diagnoses.iter().all(|diagnosis| !current.contains(diagnosis));
        if is_replaced {
            patches::set_state(conn, &old.id, PatchState::Superseded, record.at).await?;
            entries.push(entry("patch-superseded", &old.id));
            outcome.superseded_patches.push(old.id);
        } else if is_pointless {
            patches::set_state(conn, &old.id, PatchState::Expired, record.at).await?;
            entries.push(entry("patch-expired", &old.id));
            outcome.expired_patches.push(old.id);
        }
    }
    Ok(entries)
}

async fn moved_state(conn: &mut AnyConnection, record: &CheckRecord) -> Result<StreamState, StoreError> {
    let mut state = streams::state(conn, &record.subject).await?.unwrap_or_default();
    if let Some(window) = &record.window {
        state.first_window = Some(state.first_window.map_or(window.from, |first| first.min(window.from)));
        state.last_window = Some(state.last_window.map_or(window.to, |last| last.max(window.to)));
        state.windows += 1;
    }
    if record.is_attempt {
        match &record.outcome {
            CheckOutcome::Observed | CheckOutcome::NoEvidence { .. } => {
                state.failures = 0;
                state.failing_since = None;
            }
            CheckOutcome::Failed { .. } => {
                state.failures += 1;
                state.failing_since = state.failing_since.or(Some(record.at));
            }
        }
        state.last_attempt = Some(state.last_attempt.map_or(record.at, |last| last.max(record.at)));
        state.last_outcome = Some(record.outcome.clone());
    }
    state.next_due = record.next_due.or(state.next_due);
    state.learning_until = record.learning_until.or(state.learning_until);
    streams::save_state(conn, &record.subject, &state).await?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::super::sql::to_json;
    use super::*;

    #[test]
    fn outcomes_have_stable_words() {
        let failed =
            CheckOutcome::Failed { class: ErrorClass::Outage, message: "503".to_owned(), attempts: 3 };
        let text = to_json("it", &failed).unwrap();
        assert_eq!(text, r#"{"type":"failed","class":"outage","message":"503","attempts":3}"#);
        assert_eq!(to_json("it", &CheckOutcome::Observed).unwrap(), r#"{"type":"observed"}"#);
    }
}
