//! From findings to diagnoses: one real change, one explanation, with its evidence.
//!
//! Renames, moves, splits and merges are found by weighing every pair of an old and a new path and assigning all of
//! them at once; whatever no such reading claims becomes a plain diagnosis of its kind, one for each path.

mod assign;
mod compose;
mod evidence;
mod incidents;
mod lookup;
mod names;
mod onset;
mod plain;
#[cfg(test)]
mod readings;
mod renames;
mod report;
mod summary;
#[cfg(test)]
mod tests;

pub use incidents::{
    FLAP_LIMIT, FLAP_WINDOWS, FindingRecord, Look, Moved, RESOLVE_AFTER, Step, move_findings,
};
pub use report::{
    Assessed, Records, ReportContext, assess, assess_outcome, baseline_of, baseline_side, common_key,
    compared, diff_records, report, variation_of, window_of,
};
pub use summary::NOTHING_NEW;

use crate::compare::{Baseline, Window};
use crate::model::{
    Candidate, Diagnosis, DiagnosisKind, Facts, FieldPath, Finding, MappedStream, Subject, content_id,
};

/// What a diagnosis is made from.
pub struct DiagnoseInput<'a> {
    /// Whom it is about.
    pub subject: &'a Subject,
    /// What was recorded.
    pub baseline: &'a Baseline,
    /// What is seen now.
    pub window: &'a Window,
    /// The findings; those that a diagnosis claims get its id.
    pub findings: &'a mut [Finding],
    /// What the connector reads of the stream, where its mapping is known.
    pub mapping: Option<&'a MappedStream>,
}

/// Joins findings into diagnoses, worst first; every finding is claimed by exactly one.
#[must_use]
pub fn diagnose(input: DiagnoseInput<'_>) -> Vec<Diagnosis> {
    let DiagnoseInput { subject, baseline, window, findings, mapping } = input;
    let mut drafts = renames::renames(baseline, window, findings);
    compose::compose(baseline, window, findings, &mut drafts);
    plain::plain(findings, &mut drafts);
    onset::locate(baseline, window, &mut drafts);
    finish(drafts, subject, findings, mapping)
}

/// Diagnoses of findings that no window stands behind: failed responses, streams that were not observed, documents.
#[must_use]
pub fn diagnose_outcomes(
    subject: &Subject,
    findings: &mut [Finding],
    mapping: Option<&MappedStream>,
) -> Vec<Diagnosis> {
    let mut drafts = Vec::new();
    plain::plain(findings, &mut drafts);
    finish(drafts, subject, findings, mapping)
}

fn finish(
    drafts: Vec<Draft>,
    subject: &Subject,
    findings: &mut [Finding],
    mapping: Option<&MappedStream>,
) -> Vec<Diagnosis> {
    let mut diagnoses: Vec<Diagnosis> =
        drafts.into_iter().map(|draft| draft.finish(subject, findings, mapping)).collect();
    diagnoses.sort_by(|a, b| (b.severity, &a.path, a.kind, &a.id).cmp(&(a.severity, &b.path, b.kind, &b.id)));
    diagnoses
}

/// A diagnosis before it has its id, severity and words.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub kind: DiagnosisKind,
    pub path: FieldPath,
    pub to: Vec<FieldPath>,
    pub confidence: f64,
    pub ambiguous: bool,
    pub candidates: Vec<Candidate>,
    pub detail: Facts,
    pub evidence: Facts,
    /// Positions of the findings that it claims, the one that it is named after first.
    pub claims: Vec<usize>,
}

impl Draft {
    pub(crate) fn new(kind: DiagnosisKind, path: FieldPath) -> Self {
        Self {
            kind,
            path,
            to: Vec::new(),
            confidence: 1.0,
            ambiguous: false,
            candidates: Vec::new(),
            detail: Facts::new(),
            evidence: Facts::new(),
            claims: Vec::new(),
        }
    }

    fn finish(
        self,
        subject: &Subject,
        findings: &mut [Finding],
        mapping: Option<&MappedStream>,
    ) -> Diagnosis {
        let mut parts = vec![
            "diagnosis/1".to_owned(),
            subject.connector.clone(),
            subject.stream.clone(),
            self.kind.word(),
        ];
        parts.push(self.path.to_string());
        parts.extend(self.to.iter().map(ToString::to_string));
        let id = content_id(&parts.iter().map(String::as_str).collect::<Vec<_>>());
        let mut severity = crate::model::Severity::Info;
        let mut explains = Vec::new();
        for at in &self.claims {
            let finding = &mut findings[*at];
            finding.explained_by = Some(id.clone());
            severity = severity.max(finding.severity);
            explains.push(finding.fingerprint.clone());
        }
        let mut evidence = self.evidence;
        if let Some(mapping) = mapping {
            evidence.set("mapped", mapping.reads(&self.path));
        }
        let mut diagnosis = Diagnosis {
            id,
            kind: self.kind,
            severity,
            path: self.path,
            to: self.to,
            summary: String::new(),
            confidence: self.confidence.clamp(0.0, 1.0),
            ambiguous: self.ambiguous,
            candidates: self.candidates,
            detail: self.detail,
            evidence,
            explains,
            patch: None,
        };
        diagnosis.summary = summary::sentence(&diagnosis) + &onset::words(&diagnosis);
        diagnosis
    }
}
