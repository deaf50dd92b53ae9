//! The whole way of two documents: read, compare, judge, join. What `drogue diff` does with API descriptions.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{ContractFinding, JudgeContext, RuleSet, contract};
use crate::compare::Comparison;
use crate::model::{
    ChangeKind, CompareKind, Compared, Diagnosis, DiagnosisKind, Facts, FieldPath, Finding, Fingerprint,
    Report, Severity, Side, Subject, content_id,
};
use crate::spec::{ApiModel, DocsComparison, Document, SpecError, compare_both, compare_documents, read};

/// Compares two documents that describe an API, every endpoint and section looked at: each name is a file name or an
/// address.
///
/// # Errors
/// [`SpecError`] where one of the two cannot be read; that is never "no changes".
pub fn diff_documents(
    before_name: &str,
    before: &[u8],
    after_name: &str,
    after: &[u8],
    rules: &RuleSet,
) -> Result<Report, SpecError> {
    let before = read(before_name, None, before)?;
    let after = read(after_name, None, after)?;
    Ok(diff_read_documents(&before, &after, rules))
}

/// Compares two documents that were read.
#[must_use]
pub fn diff_read_documents(before: &Document, after: &Document, rules: &RuleSet) -> Report {
    report(compare_documents(before, after, &[]), rules).0
}

/// Compares two API descriptions as documents and as contracts: the report, and what changed of the contract, each
/// change with the finding that tells it already. `None` where the two cannot be compared.
///
/// `today` tells whether announced ends have passed; without it, none has.
#[must_use]
pub fn diff_descriptions(
    before: &ApiModel,
    after: &ApiModel,
    rules: &RuleSet,
    today: Option<Date>,
) -> Option<(Report, Vec<ContractFinding>)> {
    let both = compare_both(before, after, today)?;
    let (report, speakers) = report(both.documents, rules);
    let told_by = both.told_by.into_iter().map(|index| speakers.get(index?).cloned().flatten());
    let findings = contract::judge(both.contract.into_iter().zip(told_by), before, after);
    Some((report, findings))
}

/// The report of a comparison of documents, and for each change the finding that speaks for it.
fn report(compared: DocsComparison, rules: &RuleSet) -> (Report, Vec<Option<Fingerprint>>) {
    let subject = Subject { connector: "diff".to_owned(), stream: "documents".to_owned() };
    let context = JudgeContext { mapping: None, learning: false, at: Timestamp::UNIX_EPOCH };
    let comparison = Comparison {
        changes: compared.changes,
        inconclusive: compared.inconclusive,
        ..Comparison::default()
    };
    let mut judgement = rules.judge(&subject, &comparison, &context);
    // Files say nothing of when they were seen.
    for finding in &mut judgement.findings {
        (finding.first_seen, finding.last_seen) = (None, None);
    }
    let diagnoses = diagnose_documents(&subject, &mut judgement.findings);
    let speakers = std::mem::take(&mut judgement.speakers);
    let compared = Compared { kind: CompareKind::Docs, baseline: Side::default(), live: Side::default() };
    (judgement.report(&subject, compared, diagnoses), speakers)
}

/// What responses say of a change of documentation, in words; `None` where they say nothing.
#[must_use]
pub fn responses_in_words(facts: &Facts) -> Option<String> {
    let count = facts.number("live_responses").unwrap_or_default();
    Some(match (facts.text("live")?, facts.text("recorded")) {
        ("seen", Some("seen")) => {
            format!("responses were always so ({count} of the last window), so only the text was put right")
        }
        ("seen", _) => format!("{count} responses of the last window show it"),
        ("not-seen", _) => format!("{count} responses of the last window are still as before"),
        ("contradicted", _) => format!("{count} responses of the last window show neither"),
        _ => return None,
    })
}

/// What a finding says, with what responses say of it.
fn told(finding: &Finding) -> String {
    match responses_in_words(&finding.evidence) {
        Some(said) => format!("{}; {said}", finding.message),
        None => finding.message.clone(),
    }
}

/// Changes of one place that its summary names; the rest is counted, and none of them is breaking where it can be helped.
const MOST_NAMED: usize = 4;

/// Joins findings on documents into one diagnosis for each operation or section, worst first, and marks them as
/// explained: what changed there, and what responses contradict, each for itself.
///
/// Findings on other things are left alone. The summary names the worst findings; the others are counted.
pub fn diagnose_documents(subject: &Subject, findings: &mut [Finding]) -> Vec<Diagnosis> {
    let mut places: Vec<(DiagnosisKind, String)> = Vec::new();
    let mut diagnoses: Vec<Diagnosis> = Vec::new();
    let mut messages: Vec<Vec<(Severity, String)>> = Vec::new();
    for finding in findings.iter_mut() {
        let (kind, word) = match finding.kind {
            ChangeKind::DocsChanged => (DiagnosisKind::DocsChanged, "docs-changed/1"),
            ChangeKind::DocsContradicted => (DiagnosisKind::DocsContradicted, "docs-contradicted/1"),
            _ => continue,
        };
        let named = ["operation", "section", "place"].iter().find_map(|name| finding.evidence.text(name));
        let place = named.unwrap_or("the API as a whole").to_owned();
        let known = (kind, place.clone());
        if let Some(index) = places.iter().position(|other| *other == known) {
            let diagnosis = &mut diagnoses[index];
            diagnosis.severity = diagnosis.severity.max(finding.severity);
            diagnosis.explains.push(finding.fingerprint.clone());
            messages[index].push((finding.severity, told(finding)));
            finding.explained_by = Some(diagnosis.id.clone());
            continue;
        }
        let id = content_id(&[word, &subject.connector, &subject.stream, &place]);
        finding.explained_by = Some(id.clone());
        diagnoses.push(Diagnosis {
            id,
            kind,
            severity: finding.severity,
            path: finding.path.clone(),
            to: finding.to.clone(),
            summary: String::new(),
            confidence: 1.0,
            ambiguous: false,
            candidates: Vec::new(),
            detail: finding.evidence.clone(),
            evidence: Facts::new(),
            explains: vec![finding.fingerprint.clone()],
            patch: None,
        });
        places.push(known);
        messages.push(vec![(finding.severity, told(finding))]);
    }
    for (diagnosis, mut messages) in diagnoses.iter_mut().zip(messages) {
        let changes = diagnosis.explains.len();
        diagnosis.evidence.set("changes", changes);
        messages.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
        let mut named: Vec<String> = messages.into_iter().map(|(_, message)| message).collect();
        if changes > MOST_NAMED {
            named.truncate(MOST_NAMED);
            named.push(match changes - MOST_NAMED {
                1 => "and 1 more change".to_owned(),
                more => format!("and {more} more changes"),
            });
        }
        diagnosis.summary = format!("documentation: {}", named.join("; "));
        if changes > 1 {
            // Several changes are about the stream, not about the field of the first.
            diagnosis.path = FieldPath::root();
            diagnosis.to = Vec::new();
        }
    }
    diagnoses.sort_by(|a, b| (b.severity, &a.summary, &a.id).cmp(&(a.severity, &b.summary, &b.id)));
    diagnoses
}
