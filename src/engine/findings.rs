//! Findings as people handle them: list, show, explain, ack, silence, ignore. Four verbs, never mixed.

use jiff::Timestamp;
use serde::Serialize;

use super::{Engine, EngineError, escalate};
use crate::diagnose::{FindingRecord, RESOLVE_AFTER};
use crate::model::{
    CompareKind, Compared, Diagnosis, FieldPath, Finding, FindingState, Fingerprint, Period, Report,
    ReportSet, Severity, Side, Subject, Unobserved,
};
use crate::notify;
use crate::store::{self, CheckOutcome, Silence};

/// Which findings are meant.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    /// `CONNECTOR` or `CONNECTOR/STREAM`; all where empty.
    pub streams: Vec<String>,
    /// Acknowledged and resolved ones too.
    pub all: bool,
}

/// One finding with all that is known around it.
#[derive(Debug, Clone, Serialize)]
pub struct FindingView {
    /// Whose it is.
    pub subject: Subject,
    /// The finding.
    pub finding: Finding,
    /// The diagnosis that claims it.
    pub diagnosis: Option<Diagnosis>,
    /// What the one who acknowledged or resolved it said.
    pub note: Option<String>,
    /// Until when a silence mutes it.
    pub silenced_until: Option<Timestamp>,
    /// The receivers that its severity reaches.
    pub receivers: Vec<String>,
    /// Why it is reported, told or not told, and what ends it; one sentence each.
    pub because: Vec<String>,
}

impl Engine {
    /// The findings of streams, as reports; and the streams that could not be observed when last looked at.
    ///
    /// # Errors
    /// Where the store fails, or a name is in no config.
    pub async fn findings(&self, filter: &FindingFilter) -> Result<ReportSet, EngineError> {
        let mut subjects = self.subjects(&filter.streams)?;
        subjects.extend(self.document_subjects(&filter.streams));
        let (mut reports, mut unobserved) = (Vec::new(), Vec::new());
        for subject in subjects {
            let last = self.store.last_check(&subject).await?;
            if let Some(failed) = last.as_ref().and_then(|last| unobserved_of(&subject, &last.outcome)) {
                let state = self.store.stream_state(&subject).await?;
                unobserved.push(Unobserved { retry_at: state.and_then(|state| state.next_due), ..failed });
            }
            let findings: Vec<Finding> =
                self.known(&subject, filter.all).await?.into_iter().map(|known| known.finding).collect();
            if findings.is_empty() {
                continue;
            }
            let diagnoses = self.store.current_diagnoses(&subject).await?;
            let compared = last.as_ref().and_then(|last| last.compared.clone()).unwrap_or(Compared {
                kind: CompareKind::Records,
                baseline: Side::default(),
                live: Side::default(),
            });
            reports.push(Report {
                version: 1,
                subject,
                compared,
                diagnoses: diagnoses
                    .into_iter()
                    .map(|stored| stored.diagnosis)
                    .filter(|d| findings.iter().any(|finding| d.explains.contains(&finding.fingerprint)))
                    .collect(),
                findings,
                inconclusive: last.map(|last| last.inconclusive).unwrap_or_default(),
            });
        }
        Ok(report_set(reports, unobserved))
    }

    /// The findings of one stream that are shown: not silenced unless `all`.
    async fn known(&self, subject: &Subject, all: bool) -> Result<Vec<FindingRecord>, EngineError> {
        let filter = store::FindingFilter {
            connector: Some(subject.connector.clone()),
            stream: Some(subject.stream.clone()),
            ..store::FindingFilter::default()
        };
        let silences = self.store.active_silences(self.now()).await?;
        let now = self.now();
        let mut known = self.store.findings(&filter).await?;
        known.retain(|known| {
            all || (escalate::is_open(known.finding.state)
                && !silences.iter().any(|silence| silence.mutes(subject, &known.finding, now)))
        });
        Ok(known)
    }

    /// One finding, by the beginning of its fingerprint, with why it is reported and what ends it.
    ///
    /// # Errors
    /// Where there is none, or several begin so.
    pub async fn finding(&self, prefix: &str) -> Result<FindingView, EngineError> {
        let known = self.known_finding(prefix).await?;
        let now = self.now();
        let silences = self.store.active_silences(now).await?;
        let silenced_until = silences
            .iter()
            .filter(|silence| silence.mutes(&known.subject, &known.finding, now))
            .map(|silence| silence.until)
            .max();
        let diagnosis = self
            .store
            .current_diagnoses(&known.subject)
            .await?
            .into_iter()
            .map(|stored| stored.diagnosis)
            .find(|diagnosis| diagnosis.explains.contains(&known.finding.fingerprint));
        let route =
            notify::route(&self.config.config.routes, &known.subject.connector, known.finding.severity);
        let receivers = route.map(|route| route.receivers.clone()).unwrap_or_default();
        let because = because(&known, silenced_until, &receivers);
        Ok(FindingView {
            subject: known.subject,
            finding: known.finding,
            diagnosis,
            note: known.note,
            silenced_until,
            receivers,
            because,
        })
    }

    /// The findings that the diagnosis of an id explains; none where there is no such diagnosis.
    async fn explained_by_diagnosis(&self, prefix: &str) -> Result<Vec<Fingerprint>, EngineError> {
        let diagnosis = self.store.diagnosis(prefix).await?;
        Ok(diagnosis.map(|stored| stored.diagnosis.explains).unwrap_or_default())
    }

    /// `ack`: a person has seen it. It stays, and is told no more. The id of a diagnosis means all its findings.
    ///
    /// # Errors
    /// Where there is none, or it is not open.
    pub async fn acknowledge(
        &self,
        prefix: &str,
        actor: &str,
        reason: Option<&str>,
    ) -> Result<FindingView, EngineError> {
        let known = self.known_finding(prefix).await?;
        let fingerprint = &known.finding.fingerprint;
        if !self.store.acknowledge(fingerprint, actor, reason, self.now()).await? {
            return Err(EngineError::Refused(format!(
                "finding `{fingerprint}` is {}: only open ones are acknowledged",
                known.finding.state.word()
            )));
        }
        if self.store.finding(prefix).await?.is_none() {
            for other in
                self.explained_by_diagnosis(prefix).await?.iter().filter(|other| *other != fingerprint)
            {
                self.store.acknowledge(other, actor, reason, self.now()).await?;
            }
        }
        self.finding(&fingerprint.0).await
    }

    /// `silence`: mute a stream, or a path of it, for a while.
    ///
    /// # Errors
    /// Where the store fails, or a name is in no config.
    pub async fn silence(
        &self,
        stream: &str,
        path: Option<&FieldPath>,
        span: Period,
        actor: &str,
        reason: &str,
    ) -> Result<Silence, EngineError> {
        let subjects = self.subjects(&[stream.to_owned()])?;
        let now = self.now();
        let until = now.saturating_add(span.signed()).unwrap_or(Timestamp::MAX);
        let mut silence = Silence::new(actor, Some(reason), now, until);
        silence.connector = subjects.first().map(|subject| subject.connector.clone());
        if stream.contains('/') {
            silence.stream = subjects.first().map(|subject| subject.stream.clone());
        }
        silence.path = path.map(ToString::to_string);
        Ok(self.store.add_silence(&silence).await?)
    }

    /// The silences that are in force.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn silences(&self) -> Result<Vec<Silence>, EngineError> {
        Ok(self.store.active_silences(self.now()).await?)
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn expire_silence(&self, id: &str, actor: &str) -> Result<(), EngineError> {
        if self.store.expire_silence(id, actor, self.now()).await?.is_some() {
            return Ok(());
        }
        Err(EngineError::Unknown {
            what: "silence in force",
            name: id.to_owned(),
            hint: "; see `drogue silence list`".to_owned(),
        })
    }

    async fn known_finding(&self, prefix: &str) -> Result<FindingRecord, EngineError> {
        let mut known = self.store.finding(prefix).await?;
        if known.is_none()
            && let Some(first) = self.explained_by_diagnosis(prefix).await?.first()
        {
            known = self.store.finding(&first.0).await?;
        }
        known.ok_or_else(|| EngineError::Unknown {
            what: "finding",
            name: prefix.to_owned(),
            hint: "; see `drogue findings list --all`".to_owned(),
        })
    }
}

/// The set of reports as it is printed.
pub(super) fn report_set(reports: Vec<Report>, unobserved: Vec<Unobserved>) -> ReportSet {
    ReportSet { version: 1, drogue: env!("CARGO_PKG_VERSION").to_owned(), reports, unobserved }
}

fn unobserved_of(subject: &Subject, outcome: &CheckOutcome) -> Option<Unobserved> {
    match outcome {
        CheckOutcome::Failed { class, message, .. } => Some(Unobserved {
            connector: subject.connector.clone(),
            stream: subject.stream.clone(),
            outcome: format!("{}: {message}", class.word()),
            retry_at: None,
        }),
        CheckOutcome::Observed | CheckOutcome::NoEvidence { .. } => None,
    }
}

fn because(known: &FindingRecord, silenced_until: Option<Timestamp>, receivers: &[String]) -> Vec<String> {
    let finding = &known.finding;
    let mut because = vec![format!("rule `{}` judged it ({})", finding.rule, finding.severity.word())];
    match finding.state {
        FindingState::Open => because.push(format!("it has been open since {}", known.opened_at)),
        FindingState::Acknowledged => {
            because.push("somebody has acknowledged it, so it is told no more".to_owned())
        }
        FindingState::Flapping => {
            because.push("it comes and goes, so its coming back is told no more".to_owned())
        }
        FindingState::Resolved => because.push("it is resolved".to_owned()),
    }
    match (silenced_until, receivers) {
        (Some(until), _) => because.push(format!("a silence mutes it until {until}")),
        (None, []) => because.push(match finding.severity {
            Severity::Info => "nobody is told: no route takes `info`".to_owned(),
            Severity::Warning | Severity::Breaking => "nobody is told: no route matches".to_owned(),
        }),
        (None, receivers) => because.push(format!("told to {}", receivers.join(", "))),
    }
    because.push(format!(
        "it ends when {} windows in a row no longer show it, when a patch for it is applied, or by `drogue baseline accept {}`",
        RESOLVE_AFTER,
        known.subject
    ));
    because
}
