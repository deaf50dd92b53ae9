//! What people are told: messages made from what a check changed, and the outbox that hands them over.

use jiff::Timestamp;
use tracing::{info, warn};

use super::{Engine, EngineError};
use crate::config::Config;
use crate::diagnose::FindingRecord;
use crate::model::{
    Diagnosis, DiagnosisKind, Disposition, Finding, FindingState, Message, NotifyReason, Patch, PatchState,
    Report, Severity, Side, Subject,
};
use crate::notify::{self, Draft};
use crate::store::{CheckRecord, CommitOutcome, Silence};

/// How long a message is leased to one process: longer than the hand-over of one takes, and messages are leased one
/// at a time.
const LEASE: std::time::Duration = std::time::Duration::from_secs(180);

/// The messages about one check. Pure: it runs inside of the transaction that stores the check.
pub(super) fn messages(
    config: &Config,
    record: &CheckRecord,
    report: Option<&Report>,
    outcome: &CommitOutcome,
    silences: &[Silence],
    docs: &[(String, String)],
) -> Vec<Message> {
    let subject = &record.subject;
    let muted = |finding: &Finding| silences.iter().any(|silence| silence.mutes(subject, finding, record.at));
    let told: Vec<&FindingRecord> = outcome
        .new
        .iter()
        .chain(&outcome.reopened)
        .chain(&outcome.flapping)
        .chain(outcome.still_open.iter().filter(|known| {
            has_new_patch(known, record, outcome) || outcome.worse.contains(&known.finding.fingerprint)
        }))
        .filter(|known| !muted(&known.finding))
        .collect();
    let worst = told.iter().map(|known| known.finding.severity).max();
    let (baseline, live) = sides(report);
    if let Some(severity) = worst {
        // When this incident began, and not when the finding was seen for the first time of all.
        let earlier = told_since(&outcome.still_open);
        let here = since(told.iter().copied());
        let findings: Vec<Finding> = told.iter().map(|known| known.finding.clone()).collect();
        let diagnoses: Vec<Diagnosis> = record
            .diagnoses
            .iter()
            .filter(|diagnosis| {
                findings.iter().any(|finding| diagnosis.explains.contains(&finding.fingerprint))
            })
            .cloned()
            .collect();
        let draft = Draft {
            subject: subject.clone(),
            reason: if earlier.is_some() { NotifyReason::Update } else { NotifyReason::New },
            since: earlier.into_iter().chain(here).min().unwrap_or(record.at),
            baseline,
            live,
            commands: commands(subject, &diagnoses, &outcome.new_patches),
            diagnoses,
            findings,
            patches: outcome.new_patches.clone(),
            docs: docs.to_vec(),
        };
        return to_receivers(config, &draft, severity, record.at);
    }
    // The end of an incident is told once, when nothing of it is left, to those who were told of its beginning.
    let over: Vec<&FindingRecord> =
        outcome.resolved.iter().filter(|known| known.told_at.is_some() && !muted(&known.finding)).collect();
    let nothing_left = outcome.still_open.iter().all(|known| known.finding.severity == Severity::Info);
    match over.iter().map(|known| known.finding.severity).max() {
        Some(severity) if nothing_left => {
            let draft = Draft {
                subject: subject.clone(),
                reason: NotifyReason::Resolved,
                since: since(over.iter().copied()).unwrap_or(record.at),
                baseline,
                live,
                diagnoses: Vec::new(),
                findings: over.into_iter().map(|known| known.finding.clone()).collect(),
                patches: Vec::new(),
                docs: Vec::new(),
                commands: Vec::new(),
            };
            to_receivers(config, &draft, severity, record.at)
        }
        _ => Vec::new(),
    }
}

/// Whether there is a patch now for what is open: its findings are told once more, with the patch.
fn has_new_patch(known: &FindingRecord, record: &CheckRecord, outcome: &CommitOutcome) -> bool {
    known.finding.state == FindingState::Open
        && record
            .diagnoses
            .iter()
            .filter(|diagnosis| diagnosis.explains.contains(&known.finding.fingerprint))
            .any(|diagnosis| outcome.new_patches.iter().any(|patch| patch.diagnoses.contains(&diagnosis.id)))
}

/// The same of those that somebody was told of in this incident: what nobody heard of began none.
pub(super) fn told_since<'a>(known: impl IntoIterator<Item = &'a FindingRecord>) -> Option<Timestamp> {
    since(known.into_iter().filter(|known| known.told_at.is_some_and(|told| told >= known.opened_at)))
}

/// When the incident of these findings began: the mails about it share a thread by that.
pub(super) fn since<'a>(known: impl IntoIterator<Item = &'a FindingRecord>) -> Option<Timestamp> {
    known.into_iter().map(|known| known.opened_at).min()
}

/// The message about a decision: a patch was applied, rolled back, or could not be.
pub(super) fn decided(config: &Config, patch: &Patch, since: Timestamp, at: Timestamp) -> Vec<Message> {
    let subject = Subject { connector: patch.connector.clone(), stream: patch.stream.clone() };
    let commands = match patch.state {
        PatchState::Applied => vec![(format!("drogue rollback {}", patch.id), "undo it".to_owned())],
        _ => Vec::new(),
    };
    let draft = Draft {
        subject,
        reason: NotifyReason::Decided,
        since,
        baseline: Side::default(),
        live: Side::default(),
        diagnoses: Vec::new(),
        findings: Vec::new(),
        patches: vec![patch.clone()],
        docs: Vec::new(),
        commands,
    };
    to_receivers(config, &draft, Severity::Warning, at)
}

/// One message for each address that the first matching route names.
pub(super) fn to_receivers(
    config: &Config,
    draft: &Draft,
    severity: Severity,
    at: Timestamp,
) -> Vec<Message> {
    match notify::route(&config.routes, &draft.subject.connector, severity) {
        Some(route) => notify::messages(draft, &route.receivers, &config.receivers, at),
        None => Vec::new(),
    }
}

/// The commands that a person may run next, exactly as they are typed.
pub(super) fn commands(
    subject: &Subject,
    diagnoses: &[Diagnosis],
    patches: &[Patch],
) -> Vec<(String, String)> {
    let mut commands = Vec::new();
    for patch in patches {
        let how = match (patch.state, patch.disposition) {
            (PatchState::Unverifiable, _) => " --unverified",
            (_, Disposition::Safe | Disposition::Review) => "",
        };
        commands.push((format!("drogue approve {}{how}", patch.id), "apply the patch".to_owned()));
        commands.push((format!("drogue reject {}", patch.id), "turn it down".to_owned()));
    }
    for diagnosis in diagnoses.iter().filter(|diagnosis| diagnosis.ambiguous) {
        for candidate in diagnosis.candidates.iter().take(3) {
            commands.push((
                format!("drogue patches choose {} '{}'", diagnosis.id, candidate.path),
                format!("make the patch for this reading (score {:.2})", candidate.score),
            ));
        }
    }
    commands.push((format!("drogue findings list {subject}"), "see all of it".to_owned()));
    // A source that fails shows nothing that could be normal from now on.
    if diagnoses.is_empty() || !diagnoses.iter().all(|diagnosis| is_failure(diagnosis.kind)) {
        commands.push((
            format!("drogue baseline accept {subject}"),
            "say that this is the new normal".to_owned(),
        ));
    }
    commands
}

/// Whether there was no window to look at: that is mended at the source, or at the credential.
const fn is_failure(kind: DiagnosisKind) -> bool {
    matches!(
        kind,
        DiagnosisKind::AuthChanged
            | DiagnosisKind::AuthExpired
            | DiagnosisKind::PermissionLost
            | DiagnosisKind::RateLimited
            | DiagnosisKind::QuotaExhausted
            | DiagnosisKind::Outage
            | DiagnosisKind::EndpointGone
            | DiagnosisKind::OkWithError
    )
}

fn sides(report: Option<&Report>) -> (Side, Side) {
    report.map_or_else(Default::default, |report| {
        (report.compared.baseline.clone(), report.compared.live.clone())
    })
}

impl Engine {
    /// Hands over what is due in the outbox; when the next message is due, where one waits.
    ///
    /// A message is marked as sent after the receiver took it: a kill in between repeats that message, and only that
    /// one, with the same Message-ID or webhook-id.
    ///
    /// # Errors
    /// Where the store fails. A receiver that fails is retried by schedule, and given up in the end.
    pub async fn deliver_due(&self) -> Result<Option<Timestamp>, EngineError> {
        if self.holds_messages {
            return Ok(None);
        }
        let _delivering = self.store.begin_delivery().await?;
        loop {
            let due = self.store.due_messages(self.now(), &self.holder, LEASE, 1).await?;
            if due.is_empty() {
                return Ok(self.store.next_message_at().await?);
            }
            for message in due {
                self.hand_over(&message).await?;
            }
        }
    }

    async fn hand_over(&self, message: &Message) -> Result<(), EngineError> {
        let Some(receiver) = self.config.config.receivers.get(&message.receiver) else {
            let reason = format!("the config has no receiver `{}` any more", message.receiver);
            warn!(message = %message.id, "cannot send: {reason}");
            return Ok(self.store.message_dead(&message.id, &reason, self.now()).await?);
        };
        match self.sender.deliver(message, receiver, self.clock()).await {
            Ok(()) => {
                self.store.message_sent(&message.id, self.now()).await?;
                info!(message = %message.id, receiver = %message.receiver, "told `{}`", message.receiver);
            }
            Err(failed) => {
                match notify::next_attempt(&failed, message.attempts, self.jitter(message), self.now()) {
                    Some(at) => {
                        warn!(message = %message.id, "`{}` did not take a message, trying again at {at}: {failed}", message.receiver);
                        self.store.message_failed(&message.id, &failed.to_string(), at).await?;
                    }
                    None => {
                        warn!(message = %message.id, "`{}` will not take a message: {failed}", message.receiver);
                        self.store.message_dead(&message.id, &failed.to_string(), self.now()).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A number in 0..1 that differs between messages and attempts, so that retries do not come all at once.
    fn jitter(&self, message: &Message) -> f64 {
        let seed = format!("{}/{}", message.id, message.attempts);
        (self.hash_key().hash(seed.as_bytes()) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Whether a finding is one that the exit code and the lists count as open.
pub(super) const fn is_open(state: FindingState) -> bool {
    match state {
        FindingState::Open | FindingState::Flapping => true,
        FindingState::Acknowledged | FindingState::Resolved => false,
    }
}
