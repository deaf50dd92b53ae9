//! What a check found in documentation: one line a finding, with what responses say of it and how to name it.

use super::card::{Card, severity_sign};
use super::text::{clean, count};
use super::{Style, Tone};
use crate::model::{Diagnosis, DiagnosisKind, FieldPath, Finding, Severity};
use crate::rules::responses_in_words;

/// Findings of one severity that are listed at one place; the rest is counted. Breaking ones are all listed.
const MOST: usize = 15;

/// Whether a diagnosis only gathers findings on one place of the documentation, each of which is a change of its own.
pub(in crate::cli) const fn gathers(diagnosis: &Diagnosis) -> bool {
    matches!(diagnosis.kind, DiagnosisKind::DocsChanged | DiagnosisKind::DocsContradicted)
}

/// The findings on one operation or section, worst first.
pub(super) fn documentation(diagnosis: &Diagnosis, findings: &[&Finding], style: &Style) -> String {
    let mut card = Card::new(style, diagnosis.severity, &diagnosis.kind.word(), &FieldPath::root(), &[], "");
    let mut findings = findings.to_vec();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut left = Vec::new();
    for severity in [Severity::Breaking, Severity::Warning, Severity::Info] {
        let of_severity: Vec<&&Finding> = findings.iter().filter(|one| one.severity == severity).collect();
        let most = if severity == Severity::Breaking { usize::MAX } else { MOST };
        let (sign, tone) = severity_sign(severity, style);
        for finding in of_severity.iter().take(most) {
            let mut text = format!("{sign} {}", finding.message);
            if let Some(said) = responses_in_words(&finding.evidence) {
                text.push_str(&format!("; {said}"));
            }
            card.sentence_in(&text, if severity == Severity::Breaking { tone } else { Tone::Plain });
            // What is kept can be asked for; a comparison of two files keeps nothing.
            if finding.first_seen.is_some() {
                card.aside(&format!("drogue findings show {}", clean(&finding.fingerprint.to_string())));
            }
        }
        if of_severity.len() > most {
            left.push(format!("{} {}", of_severity.len() - most, severity.word()));
        }
    }
    if !left.is_empty() {
        let all = count(findings.len() as u64, "finding");
        card.sentence(&format!(
            "{} and {} more; `--format json` lists all {all}",
            style.ellipsis(),
            left.join(", ")
        ));
    }
    card.out
}
