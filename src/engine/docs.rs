//! Documents that describe the APIs: fetched again by their own schedule, compared as models, judged like streams.
//!
//! A document is a stream of its own in lists and messages, named `docs:` and its place in the config.

pub(super) mod announced;
pub(super) mod contradicted;
mod evidence;
mod kept;
mod names;
mod watched;

use jiff::Timestamp;

use self::names::{PREFIX, named};
pub(super) use self::names::{place_of, subject_of};
use super::checked::{Checked, Committed, Outcome};
use super::{Engine, EngineError, deadlines, escalate};
use crate::compare::Comparison;
use crate::model::{
    Category, CompareKind, Compared, ErrorClass, FindingState, Fingerprint, Period, Report, Side, Subject,
    Unobserved, content_id,
};
use crate::observe::{self, DocSettings, DocState, Fetched, ObserveContext, Validators};
use crate::rules::{JudgeContext, diagnose_documents};
use crate::spec::{self, SpecError};
use crate::store::{CheckOutcome, CheckRecord, DocumentEntry, FindingFilter, NewDocument, StoredDocument};

impl Engine {
    /// The documents that are meant by `CONNECTOR` or `CONNECTOR/docs:NAME`; all where nothing is given. Connector and
    /// name of each.
    #[must_use]
    pub fn documents(&self, selection: &[String]) -> Vec<(String, String)> {
        let mut documents = Vec::new();
        for (connector, settings) in &self.config.config.connectors {
            for (name, _) in named(&settings.docs) {
                let is_meant = selection.is_empty()
                    || selection.iter().any(|chosen| {
                        chosen == connector || *chosen == subject_of(connector, &name).to_string()
                    });
                if is_meant {
                    documents.push((connector.clone(), name));
                }
            }
        }
        documents
    }

    /// The documents as subjects, for lists of findings.
    pub(super) fn document_subjects(&self, selection: &[String]) -> Vec<Subject> {
        self.documents(selection).iter().map(|(connector, name)| subject_of(connector, name)).collect()
    }

    /// The stream or the document that is meant.
    ///
    /// # Errors
    /// Where there is none.
    pub fn subject_or_document(&self, name: &str) -> Result<Subject, EngineError> {
        match self
            .document_subjects(&[name.to_owned()])
            .into_iter()
            .find(|subject| subject.to_string() == name)
        {
            Some(subject) => Ok(subject),
            None => self.subject(name),
        }
    }

    /// How often a document is fetched.
    pub(super) fn document_every(&self, subject: &Subject) -> Result<Period, EngineError> {
        let name = subject.stream.strip_prefix(PREFIX).unwrap_or(&subject.stream);
        Ok(self.document_settings(&subject.connector, name)?.every)
    }

    /// The versions of a document that are kept, the newest first; `None` where the subject is none.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn document_history(
        &self,
        subject: &Subject,
    ) -> Result<Option<Vec<DocumentEntry>>, EngineError> {
        match subject.stream.strip_prefix(PREFIX) {
            Some(name) => Ok(Some(self.store.document_history(&subject.connector, name).await?)),
            None => Ok(None),
        }
    }

    /// Whether a version of the document is kept.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn has_document(&self, connector: &str, name: &str) -> Result<bool, EngineError> {
        Ok(!self.store.document_history(connector, name).await?.is_empty())
    }

    /// When each document is due: connector, name, time.
    pub(super) async fn documents_due(&self) -> Result<Vec<(String, String, Timestamp)>, EngineError> {
        let mut due = Vec::new();
        for (connector, name) in self.documents(&[]) {
            let at = self.next_due(&subject_of(&connector, &name)).await?.unwrap_or_else(|| self.now());
            due.push((connector, name, at));
        }
        Ok(due)
    }

    /// Fetches a document again and compares it with the version that was accepted.
    ///
    /// # Errors
    /// Where the store fails, or the config has no such document. A document that cannot be read is an outcome.
    pub async fn check_document(&self, connector: &str, name: &str) -> Result<Checked, EngineError> {
        let settings = self.document_settings(connector, name)?;
        let subject = subject_of(connector, name);
        let accepted = self.store.accepted_document(connector, name).await?;
        let last = self.store.document(connector, name).await?;
        let state = last.as_ref().map(state_of).unwrap_or_default();
        let context =
            ObserveContext { clock: self.clock(), hash_key: self.hash_key(), key: None, rules: &self.rules };
        let fetched = observe::fetch_document(settings, &state, self.connection(connector)?, &context).await;
        let now = self.now();
        let mut record = self.document_record(&subject, settings, now);
        let outcome = match fetched {
            Fetched::Unchanged => {
                self.store.document_checked(connector, name, now).await?;
                record.outcome = CheckOutcome::NoEvidence { why: "the document is as it was".to_owned() };
                record.judges.push(Category::Behaviour);
                Outcome::Unchanged
            }
            Fetched::Failed(failure) => {
                let retry_at = failure.retry_at.or(record.next_due);
                record.next_due = retry_at;
                record.outcome = CheckOutcome::Failed {
                    class: failure.class,
                    message: failure.detail.clone(),
                    attempts: failure.attempts,
                };
                Outcome::Failed(unobserved(
                    &subject,
                    format!("{}: {}", failure.class.word(), failure.detail),
                    retry_at,
                ))
            }
            Fetched::New(document) => {
                let content_type = document.state.content_type.as_deref();
                match read(settings, content_type, &document.bytes) {
                    Err(unreadable) => {
                        let why = unreadable.to_string();
                        record.outcome = CheckOutcome::Failed {
                            class: ErrorClass::NotJson,
                            message: why.clone(),
                            attempts: 1,
                        };
                        Outcome::Failed(unobserved(&subject, format!("unreadable: {why}"), record.next_due))
                    }
                    Ok(after) => {
                        record.documents.push(NewDocument {
                            name: name.to_owned(),
                            fetched_at: now,
                            content: document.bytes,
                            etag: document.state.validators.etag.clone(),
                            last_modified: document.state.validators.last_modified.clone(),
                            content_type: document.state.content_type.clone(),
                        });
                        match &accepted {
                            None => {
                                record.judges.push(Category::Behaviour);
                                Outcome::Recorded { records: 0 }
                            }
                            Some(before) => {
                                return self
                                    .compare_documents(connector, settings, before, &after, record)
                                    .await;
                            }
                        }
                    }
                }
            }
        };
        let report = self.deadlines_of_last(settings, accepted.as_ref(), last.as_ref(), &mut record)?;
        let committed = self.commit_document(&record, report.as_ref(), &[]).await?;
        let mut checked = Checked::of(subject, outcome, None);
        if let Some(report) = report {
            checked.settle_report(report, &committed, record.at);
        }
        Ok(checked)
    }

    async fn compare_documents(
        &self,
        connector: &str,
        settings: &DocSettings,
        before: &StoredDocument,
        after: &spec::Document,
        mut record: CheckRecord,
    ) -> Result<Checked, EngineError> {
        let before_model = read(settings, before.entry.content_type.as_deref(), &before.content)?;
        let mut compared = spec::compare_documents(&before_model, after, &self.watched(connector)?);
        self.join_responses(connector, &before_model, &mut compared.changes).await?;
        let since = Some(before.entry.fetched_at);
        let ends = self.deadlines(settings, since, after, &mut record)?;
        deadlines::told_once(&mut compared.changes, ends, &before_model);
        let comparison = Comparison {
            changes: compared.changes,
            inconclusive: compared.inconclusive,
            ..Comparison::default()
        };
        let context = JudgeContext { mapping: None, learning: false, at: record.at };
        let mut judgement = self.rules.judge(&record.subject, &comparison, &context);
        let mut diagnoses = diagnose_documents(&record.subject, &mut judgement.findings);
        diagnoses.extend(deadlines::diagnose(&record.subject, &mut judgement.findings));
        let sides = Compared {
            kind: CompareKind::Docs,
            baseline: Side {
                version: Some(before.entry.version),
                from: Some(before.entry.fetched_at),
                ..Side::default()
            },
            live: Side { from: Some(record.at), ..Side::default() },
        };
        let report = judgement.report(&record.subject, sides, diagnoses);
        record.judges = vec![Category::Behaviour, Category::Lifecycle];
        // What is read less fully than before, or not at all, is not gone.
        record.judges.extend((!compared.incomplete).then_some(Category::Docs));
        record.inconclusive.clone_from(&report.inconclusive);
        record.findings.clone_from(&report.findings);
        record.diagnoses.clone_from(&report.diagnoses);
        record.compared = Some(report.compared.clone());
        let committed = self.commit_document(&record, Some(&report), &compared.diffs).await?;
        let mut checked = Checked::of(record.subject, Outcome::Compared, None);
        checked.settle_report(report, &committed, record.at);
        Ok(checked)
    }

    async fn commit_document(
        &self,
        record: &CheckRecord,
        report: Option<&Report>,
        diffs: &[(String, String)],
    ) -> Result<Committed, EngineError> {
        let silences = self.store.active_silences(record.at).await?;
        let outcome = self
            .store
            .commit_check(record, |outcome| {
                escalate::messages(&self.config.config, record, report, outcome, &silences, diffs)
            })
            .await?;
        Ok(Committed { outcome, silences })
    }

    fn document_record(&self, subject: &Subject, settings: &DocSettings, now: Timestamp) -> CheckRecord {
        let at = now.as_microsecond().to_string();
        let id = content_id(&["check/1", &subject.connector, &subject.stream, &at]);
        let mut record = CheckRecord::new(id, subject.clone(), now, CheckOutcome::Observed);
        record.next_due = now.checked_add(settings.every.signed()).ok();
        record
    }

    fn document_settings(&self, connector: &str, name: &str) -> Result<&DocSettings, EngineError> {
        let settings = self.config.config.connectors.get(connector);
        let mut docs = named(settings.map_or(&[], |settings| &settings.docs)).into_iter();
        docs.find(|(known, _)| known == name).map(|(_, settings)| settings).ok_or_else(|| {
            EngineError::Unknown {
                what: "document",
                name: format!("{connector}/{PREFIX}{name}"),
                hint: String::new(),
            }
        })
    }

    /// `accept` for a document: the last version is the one that newer ones are compared with, and what changed is
    /// resolved. Deadlines stay: to agree with a text ends none that it sets. `None` where the subject is no document.
    pub(super) async fn accept_document(
        &self,
        subject: &Subject,
        actor: &str,
        reason: Option<&str>,
    ) -> Result<Option<Vec<Fingerprint>>, EngineError> {
        let Some(name) = subject.stream.strip_prefix(PREFIX) else { return Ok(None) };
        let Some(last) = self.store.document(&subject.connector, name).await? else {
            return Err(EngineError::Refused(format!(
                "`{subject}` was never fetched; there is nothing to accept"
            )));
        };
        let now = self.now();
        self.store.accept_document(&subject.connector, name, last.entry.version, actor, reason, now).await?;
        let open = FindingFilter {
            connector: Some(subject.connector.clone()),
            stream: Some(subject.stream.clone()),
            states: vec![FindingState::Open, FindingState::Acknowledged, FindingState::Flapping],
            ..FindingFilter::default()
        };
        let known = self.store.findings(&open).await?.into_iter().map(|known| known.finding);
        let changes: Vec<Fingerprint> = known
            .filter(|finding| finding.category != Category::Lifecycle)
            .map(|finding| finding.fingerprint)
            .collect();
        Ok(Some(self.store.accept(subject, None, &changes, actor, reason, now).await?))
    }
}

impl Checked {
    pub(super) const fn of(subject: Subject, outcome: Outcome, report: Option<Report>) -> Self {
        Self {
            subject,
            outcome,
            report,
            patches: Vec::new(),
            handled: Vec::new(),
            refused: Vec::new(),
            notes: Vec::new(),
            silenced: Vec::new(),
            earlier: Vec::new(),
        }
    }
}

/// Reads a document; of prose, the sections that the config names.
pub(super) fn read(
    settings: &DocSettings,
    content_type: Option<&str>,
    bytes: &[u8],
) -> Result<spec::Document, SpecError> {
    // A file's name, or the end of an address, says what it is where no media type does.
    let place =
        settings.url.clone().or_else(|| settings.file.as_ref().map(|file| file.display().to_string()));
    let place = place.or_else(|| settings.mcp.as_ref().map(|_| "tools.json".to_owned()));
    Ok(match spec::read(&place.unwrap_or_default(), content_type, bytes)? {
        spec::Document::Api(model) => spec::Document::Api(model),
        spec::Document::Sections(sections) => spec::Document::Sections(sections.only(&settings.sections)),
        spec::Document::Reference(page) => page.only(&settings.sections),
    })
}

fn state_of(stored: &StoredDocument) -> DocState {
    DocState {
        validators: Validators {
            etag: stored.entry.etag.clone(),
            last_modified: stored.entry.last_modified.clone(),
        },
        sha256: Some(stored.entry.sha256.clone()),
        content_type: stored.entry.content_type.clone(),
    }
}

fn unobserved(subject: &Subject, outcome: String, retry_at: Option<Timestamp>) -> Unobserved {
    Unobserved { connector: subject.connector.clone(), stream: subject.stream.clone(), outcome, retry_at }
}
