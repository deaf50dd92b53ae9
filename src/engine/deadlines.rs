//! Deadlines: what documents and headers say about ends, told when it is announced and again as the day comes near.
//!
//! A deadline is one finding from the day of its announcement on; the rules of `rules/lifecycle` make it worse in steps,
//! and what became worse is told anew. Days are counted at each look at the document, whether it changed or not.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Engine, EngineError, docs};
use crate::compare::Comparison;
use crate::model::{
    Category, Change, ChangeKind, CompareKind, Compared, Diagnosis, DiagnosisKind, Facts, FieldPath, Finding,
    Report, Side, Subject, content_id,
};
use crate::observe::{DocSettings, Notice};
use crate::rules::{JudgeContext, Lifecycle};
use crate::spec::{self, AnnouncementKind, Span, deadline_facts};
use crate::store::{CheckOutcome, CheckRecord, StoredDocument};

/// A document that sets a deadline is looked at as often as this, however rarely it is fetched otherwise: steps are days.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(24);

impl Engine {
    /// The deadlines that a document sets for its connector; `since` is when it was accepted.
    pub(super) fn deadlines(
        &self,
        settings: &DocSettings,
        since: Option<Timestamp>,
        document: &spec::Document,
        record: &mut CheckRecord,
    ) -> Result<Vec<Change>, EngineError> {
        let source = docs::place_of(settings);
        let (today, since) = (day_of(record.at), day_of(since.unwrap_or(record.at)));
        let watched = self.watched(&record.subject.connector)?;
        let changes = spec::deadlines(document, &watched, since, today, &source);
        if !changes.is_empty() {
            let soon = record.at.saturating_add(LOOK_EVERY).unwrap_or(Timestamp::MAX);
            record.next_due = record.next_due.map(|due| due.min(soon));
        }
        Ok(changes)
    }

    /// Judges the deadlines of the version that was fetched last, where there is nothing to compare: the day comes near
    /// while a document stays as it is, and while it cannot be read.
    pub(super) fn deadlines_of_last(
        &self,
        settings: &DocSettings,
        accepted: Option<&StoredDocument>,
        last: Option<&StoredDocument>,
        record: &mut CheckRecord,
    ) -> Result<Option<Report>, EngineError> {
        let new = record.documents.first().map(|new| (new.content_type.clone(), new.content.as_slice()));
        let last = last.map(|last| (last.entry.content_type.clone(), last.content.as_slice()));
        let Some((content_type, content)) = new.or(last) else { return Ok(None) };
        // It was read when it was fetched; a later version of this program may refuse it.
        let Ok(document) = docs::read(settings, content_type.as_deref(), content) else { return Ok(None) };
        let since = accepted.map(|accepted| accepted.entry.fetched_at);
        let changes = self.deadlines(settings, since, &document, record)?;
        // A look that failed cannot say that an announcement is gone.
        if !matches!(record.outcome, CheckOutcome::Failed { .. }) {
            record.judges.push(Category::Lifecycle);
        }
        if changes.is_empty() {
            return Ok(None);
        }
        let comparison = Comparison { changes, ..Comparison::default() };
        let context = JudgeContext { mapping: None, learning: false, at: record.at };
        let mut judgement = self.rules.judge(&record.subject, &comparison, &context);
        let diagnoses = diagnose(&record.subject, &mut judgement.findings);
        let compared = Compared {
            kind: CompareKind::Docs,
            baseline: Side { from: since, ..Side::default() },
            live: Side { from: Some(record.at), ..Side::default() },
        };
        let report = judgement.report(&record.subject, compared, diagnoses);
        record.findings.clone_from(&report.findings);
        record.diagnoses.clone_from(&report.diagnoses);
        Ok(Some(report))
    }
}

/// Puts deadlines beside the changes of a document: a text that newly announces an end is told as a deadline, and not as
/// a changed text as well.
pub(super) fn told_once(changes: &mut Vec<Change>, ends: Vec<Change>, before: &spec::Document) {
    let known = spec::announcements(before);
    let is_new =
        |end: &&Change| !known.iter().any(|k| Some(k.sentence.as_str()) == end.facts.text("sentence"));
    let new: Vec<Change> = ends.iter().filter(is_new).cloned().collect();
    changes.retain(|change| {
        let what = change.facts.text("what").unwrap_or_default();
        // Sections are told from each other by the sentence; operations have one text.
        let is_told = |end: &Change| match change.facts.text("sentence") {
            Some(sentence) => end.facts.text("sentence") == Some(sentence),
            None => {
                let operation = change.facts.text("operation");
                operation.is_some() && end.facts.text("section") == operation
            }
        };
        !(what.ends_with("-in-prose") && new.iter().any(is_told))
    });
    changes.extend(ends);
}

/// One diagnosis for each deadline: what ends, when, and the sentence that says so.
pub(super) fn diagnose(subject: &Subject, findings: &mut [Finding]) -> Vec<Diagnosis> {
    let ends = findings.iter_mut().filter(|finding| finding.kind == ChangeKind::EndAnnounced);
    ends.map(|finding| {
        let id = content_id(&["deadline/1", &subject.connector, &subject.stream, &finding.fingerprint.0]);
        finding.explained_by = Some(id.clone());
        Diagnosis {
            id,
            kind: DiagnosisKind::Deprecated,
            severity: finding.severity,
            path: finding.path.clone(),
            to: Vec::new(),
            summary: finding.message.clone(),
            confidence: 1.0,
            ambiguous: false,
            candidates: Vec::new(),
            detail: finding.evidence.clone(),
            evidence: Facts::new(),
            explains: vec![finding.fingerprint.clone()],
            patch: None,
        }
    })
    .collect()
}

/// What responses that were read all the same say of the endpoint: a deadline where their headers date it.
pub(super) fn of_notice(notice: &Notice, at: Timestamp) -> Change {
    let Notice { class, rule, note, lifecycle } = notice;
    let Lifecycle { deprecated, sunset, about, successor } = lifecycle;
    let ahead = deprecated.filter(|from| *from > at).map(|from| (AnnouncementKind::Deprecated, from));
    let end = sunset.map(|sunset| (AnnouncementKind::Ends, sunset)).or(ahead);
    let (kind, mut facts) = match end {
        Some((kind, day)) => {
            let when = Span::day(day_of(day));
            let facts = deadline_facts(kind, when, day_of(at), "the headers of its responses");
            (ChangeKind::EndAnnounced, facts)
        }
        None => {
            (ChangeKind::ResponseFailed, Facts::new().with("class", class.word()).with("attempts", 1_u64))
        }
    };
    facts.set("rule", rule.clone());
    facts.set("detail", note.clone());
    if let Some(from) = deprecated {
        facts.set("since", day_of(*from).to_string());
    }
    for (name, address) in [("about", about), ("successor", successor)] {
        if let Some(address) = address {
            facts.set(name, address.clone());
        }
    }
    Change { kind, path: FieldPath::root(), to: Vec::new(), facts }
}

/// The day in UTC.
fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}
