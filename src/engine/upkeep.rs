//! What keeps the daemon honest: overdue streams, the heartbeat, retention.

use jiff::{SignedDuration, Timestamp};
use tracing::{debug, info, warn};

use super::{Engine, EngineError, escalate};
use crate::compare::Window;
use crate::diagnose::assess_outcome;
use crate::model::{Change, ChangeKind, CompareKind, Compared, Facts, FieldPath, Side, Subject, content_id};
use crate::net::{HttpClient, Request};
use crate::rules::JudgeContext;
use crate::store::{CheckOutcome, CheckRecord, StreamState};

impl Engine {
    /// When a stream, or a document, is due next, as the store remembers it.
    pub(super) async fn next_due(&self, subject: &Subject) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.store.stream_state(subject).await?.and_then(|state| state.next_due))
    }

    /// When a stream is due as the loop begins. An interval that became shorter in the config counts from the last
    /// window on; what a failure or the source itself asked to wait for is waited for.
    pub(super) async fn first_due_of(&self, subject: &Subject) -> Result<Option<Timestamp>, EngineError> {
        let Some(state) = self.store.stream_state(subject).await? else { return Ok(None) };
        let soon = match (&state.last_outcome, state.last_attempt) {
            (Some(CheckOutcome::Observed), Some(last)) => Some(last + self.every(subject)),
            _ => None,
        };
        Ok(state.next_due.map(|due| soon.map_or(due, |soon| due.min(soon))))
    }

    /// The last window of a stream, whatever it showed.
    pub(super) async fn last_window(&self, subject: &Subject) -> Result<Option<Window>, EngineError> {
        Ok(self.store.window_profiles(subject, 1).await?.pop().map(|stored| stored.window))
    }

    /// Streams without a completed window for twice their interval, and documents that were not read for so long, are
    /// findings; when to look again.
    pub(super) async fn report_overdue(&self) -> Result<Timestamp, EngineError> {
        let now = self.now();
        let mut next = now + SignedDuration::from_hours(1);
        let mut looked_at = self.subjects(&[])?;
        looked_at.retain(|subject| self.is_probed(subject));
        looked_at.extend(self.document_subjects(&[]));
        for subject in looked_at {
            let Some(state) = self.store.stream_state(&subject).await? else { continue };
            // Before the first window, the first attempt is what counts.
            let Some(last) = state.last_window.or(state.failing_since).or(state.last_attempt) else {
                continue;
            };
            // A source that says "nothing new" answers: that is as good as a window.
            let last = match state.last_outcome {
                Some(CheckOutcome::Observed | CheckOutcome::NoEvidence { .. }) => {
                    state.last_attempt.unwrap_or(last)
                }
                Some(CheckOutcome::Failed { .. }) | None => last,
            };
            let overdue_at = last.saturating_add(self.every(&subject) * 2).unwrap_or(Timestamp::MAX);
            if overdue_at <= now {
                self.overdue(&subject, &state, last).await?;
            } else {
                next = next.min(overdue_at);
            }
        }
        Ok(next)
    }

    async fn overdue(
        &self,
        subject: &Subject,
        state: &StreamState,
        last: Timestamp,
    ) -> Result<(), EngineError> {
        let now = self.now();
        // One check for each silence: looking again at the same one stores nothing.
        let silence = last.as_microsecond().to_string();
        let id = content_id(&["overdue/1", &subject.connector, &subject.stream, &silence]);
        if self.store.has_check(&id).await? {
            return Ok(());
        }
        let facts = Facts::new().with("last", format!("{last:.0}")).with(
            "interval",
            crate::model::Period::from_secs(self.every(subject).unsigned_abs().as_secs()).to_string(),
        );
        let change = Change { kind: ChangeKind::NotObserved, path: FieldPath::root(), to: Vec::new(), facts };
        let context = JudgeContext { mapping: None, learning: false, at: now };
        let compared =
            Compared { kind: CompareKind::Records, baseline: Side::default(), live: Side::default() };
        let report = assess_outcome(subject, change, compared, &self.rules, &context);
        // What came of the last attempt stays: this is not an attempt.
        let outcome = state
            .last_outcome
            .clone()
            .unwrap_or_else(|| CheckOutcome::NoEvidence { why: "never observed".to_owned() });
        let mut record = CheckRecord::new(id, subject.clone(), now, outcome);
        record.is_attempt = false;
        record.findings.clone_from(&report.findings);
        record.diagnoses.clone_from(&report.diagnoses);
        let silences = self.store.active_silences(now).await?;
        self.store
            .commit_check(&record, |outcome| {
                escalate::messages(&self.config.config, &record, Some(&report), outcome, &silences, &[])
            })
            .await?;
        warn!(stream = %subject, "`{subject}` has not been observed since {last:.0}");
        Ok(())
    }

    pub(super) fn has_heartbeat(&self) -> bool {
        let watch = &self.config.config.watch;
        watch.heartbeat.is_some() || watch.heartbeat_file.is_some()
    }

    /// Asks the heartbeat address, a dead man's switch; when to ask again. That it fails is logged, and nothing else:
    /// whoever waits for it notices.
    pub(super) async fn beat(&self) -> Timestamp {
        let watch = &self.config.config.watch;
        let again = self.now() + watch.heartbeat_every.signed();
        let address =
            watch.heartbeat.as_ref().or(watch.heartbeat_file.as_ref()).and_then(|source| source.value());
        let Some(url) = address.and_then(|address| address.expose().parse().ok()) else {
            warn!("the heartbeat is no address; mend `watch.heartbeat`");
            return again;
        };
        let sent = match HttpClient::new(&self.config.config.http) {
            Ok(client) => {
                client.send(Request::get(url)).await.map_err(|_| "it could not be reached".to_owned())
            }
            Err(wrong) => Err(wrong.to_string()),
        };
        match sent {
            Ok(response) if response.status < 400 => {}
            Ok(response) => warn!("the heartbeat was answered with status {}", response.status),
            Err(why) => warn!("the heartbeat was not sent: {why}"),
        }
        again
    }

    /// Forgets what the config's retention lets go.
    pub(super) async fn prune(&self) -> Result<(), EngineError> {
        let counts = self.store.prune(self.now(), &self.config.config.store.retention).await?;
        match counts.total() {
            0 => debug!("retention lets nothing go"),
            gone => info!("pruned {gone} rows that retention lets go"),
        }
        Ok(())
    }
}
