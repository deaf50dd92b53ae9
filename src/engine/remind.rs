//! Reminders: a breaking finding that stays open is told again, as often as its route says.

use jiff::{SignedDuration, Timestamp};

use super::{Engine, EngineError, escalate};
use crate::diagnose::FindingRecord;
use crate::model::{Diagnosis, Finding, NotifyReason, Patch, Severity, Subject};
use crate::notify::{self, Draft};
use crate::store::{FindingFilter, PatchFilter, Silence};

/// How often it is looked at where nothing is known to be due: a decision or another process may have moved things.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(15);

impl Engine {
    /// Whether any route reminds.
    pub(super) fn has_reminders(&self) -> bool {
        self.config.config.routes.iter().any(|route| route.remind_every.is_some())
    }

    /// Tells open breaking findings again where their time has come; when the next is due.
    pub(super) async fn remind(&self) -> Result<Timestamp, EngineError> {
        let now = self.now();
        let silences = self.store.active_silences(now).await?;
        let mut next = now.saturating_add(LOOK_EVERY).unwrap_or(Timestamp::MAX);
        let mut subjects = self.subjects(&[])?;
        subjects.extend(self.document_subjects(&[]));
        for subject in subjects {
            let Some(every) = self.reminds_of(&subject) else { continue };
            let filter = FindingFilter {
                connector: Some(subject.connector.clone()),
                stream: Some(subject.stream.clone()),
                min_severity: Some(Severity::Breaking),
                ..FindingFilter::default()
            };
            let known = self.store.findings(&filter).await?;
            let dues = known.iter().filter(|known| is_meant(known, &silences, now)).map(|k| due_at(k, every));
            match dues.min() {
                Some(due) if due <= now => {
                    self.remind_of(&subject, every, &silences).await?;
                    next = next.min(now.saturating_add(every).unwrap_or(Timestamp::MAX));
                }
                Some(due) => next = next.min(due),
                None => {}
            }
        }
        Ok(next)
    }

    fn reminds_of(&self, subject: &Subject) -> Option<SignedDuration> {
        let route = notify::route(&self.config.config.routes, &subject.connector, Severity::Breaking)?;
        route.remind_every.map(|every| every.signed())
    }

    async fn remind_of(
        &self,
        subject: &Subject,
        every: SignedDuration,
        silences: &[Silence],
    ) -> Result<(), EngineError> {
        let now = self.now();
        let current = self.store.current_diagnoses(subject).await?;
        let compared = self.store.last_check(subject).await?.and_then(|last| last.compared);
        let (baseline, live) = compared.map_or_else(Default::default, |c| (c.baseline, c.live));
        let filter = PatchFilter {
            connector: Some(subject.connector.clone()),
            stream: Some(subject.stream.clone()),
            ..PatchFilter::pending()
        };
        let pending: Vec<Patch> =
            self.store.patches(&filter).await?.into_iter().map(|stored| stored.patch).collect();
        self.store
            .remind(subject, now, |open| {
                let meant: Vec<&FindingRecord> = open
                    .iter()
                    .filter(|known| known.finding.severity == Severity::Breaking)
                    .filter(|known| is_meant(known, silences, now))
                    .collect();
                // Another process may have told them meanwhile.
                if !meant.iter().any(|known| due_at(known, every) <= now) {
                    return Vec::new();
                }
                let findings: Vec<Finding> = meant.iter().map(|known| known.finding.clone()).collect();
                let diagnoses: Vec<Diagnosis> = current
                    .iter()
                    .map(|stored| &stored.diagnosis)
                    .filter(|diagnosis| findings.iter().any(|f| diagnosis.explains.contains(&f.fingerprint)))
                    .cloned()
                    .collect();
                let draft = Draft {
                    subject: subject.clone(),
                    reason: NotifyReason::Reminder,
                    since: escalate::told_since(open)
                        .or_else(|| escalate::since(meant.iter().copied()))
                        .unwrap_or(now),
                    baseline: baseline.clone(),
                    live: live.clone(),
                    commands: escalate::commands(subject, &diagnoses, &pending),
                    diagnoses,
                    findings,
                    patches: pending.clone(),
                    docs: Vec::new(),
                };
                escalate::to_receivers(&self.config.config, &draft, Severity::Breaking, now)
            })
            .await?;
        Ok(())
    }
}

fn is_meant(known: &FindingRecord, silences: &[Silence], now: Timestamp) -> bool {
    escalate::is_open(known.finding.state)
        && !silences.iter().any(|silence| silence.mutes(&known.subject, &known.finding, now))
}

/// One that a silence muted when it opened was never told: its time is counted from there.
fn due_at(known: &FindingRecord, every: SignedDuration) -> Timestamp {
    known.told_at.unwrap_or(known.opened_at).saturating_add(every).unwrap_or(Timestamp::MAX)
}
