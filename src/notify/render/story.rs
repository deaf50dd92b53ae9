//! What a mail says, in the order it is read, made safe and bounded once for both of its parts.

use crate::model::{
    Diagnosis, Disposition, Escalation, Facts, Finding, FindingState, NotifyReason, Patch, Severity, Side,
};

use super::visible::{visible, visible_line};

/// Names and paths are cut here: a field name may have 10,000 letters, a screen has not.
const NAME: usize = 160;
/// Sentences are cut here.
const SENTENCE: usize = 600;
/// Diagnoses, findings and patches that are told in full; the rest is counted.
const ITEMS: usize = 40;
/// Lines of a diff that are shown; the attachment has them all.
const DIFF_LINES: usize = 400;
const DIFF_COLUMNS: usize = 500;

/// What a mail says.
pub(super) struct Story {
    /// The worst of what is told; `None` where all of it is resolved.
    pub(super) severity: Option<Severity>,
    /// `NEW`, `RESOLVED` ….
    pub(super) reason: &'static str,
    /// `crm/customers`.
    pub(super) subject: String,
    /// One sentence: what, and since when.
    pub(super) opening: String,
    /// What happened.
    pub(super) diagnoses: Vec<Item>,
    /// What was seen and is explained by none of them.
    pub(super) findings: Vec<Item>,
    /// The patches.
    pub(super) patches: Vec<PatchView>,
    /// Differences of documents.
    pub(super) docs: Vec<(String, Diff)>,
    /// What to type next, and what it does.
    pub(super) commands: Vec<(String, String)>,
    /// What was compared.
    pub(super) footer: Vec<(&'static str, String)>,
}

/// One thing that happened or was seen.
pub(super) struct Item {
    pub(super) severity: Severity,
    /// The kind of diagnosis, or the rule.
    pub(super) what: String,
    /// `$.old → $.new`.
    pub(super) place: String,
    pub(super) sentence: String,
    /// Label and text: evidence, confidence, other readings, remedy.
    pub(super) notes: Vec<(&'static str, String)>,
}

/// One patch.
pub(super) struct PatchView {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) summary: String,
    pub(super) notes: Vec<(&'static str, String)>,
    /// What verification looked at, and whether it held.
    pub(super) checks: Vec<(bool, String)>,
    pub(super) diff: Diff,
}

/// A diff, ready to be shown line by line.
pub(super) struct Diff {
    pub(super) lines: Vec<String>,
    pub(super) left_out: usize,
}

impl Story {
    /// The story of an escalation.
    pub(super) fn of(escalation: &Escalation) -> Self {
        let unexplained: Vec<&Finding> = escalation
            .findings
            .iter()
            .filter(|finding| !escalation.diagnoses.iter().any(|d| d.explains.contains(&finding.fingerprint)))
            .collect();
        let resolved = escalation.reason == NotifyReason::Resolved;
        let severities = escalation
            .diagnoses
            .iter()
            .map(|diagnosis| diagnosis.severity)
            .chain(escalation.findings.iter().map(|finding| finding.severity));
        Self {
            severity: if resolved { None } else { severities.max() },
            reason: escalation.reason.word(),
            subject: visible(&escalation.subject.to_string(), NAME),
            opening: opening(escalation, unexplained.len()),
            diagnoses: bounded(&escalation.diagnoses, diagnosis_item),
            findings: bounded(&unexplained, |finding| finding_item(finding)),
            patches: bounded(&escalation.patches, patch_view),
            docs: bounded(&escalation.docs, |(title, diff)| (visible(title, NAME), Diff::of(diff))),
            commands: bounded(&escalation.commands, |(command, what)| {
                (visible(command, SENTENCE), visible(what, SENTENCE))
            }),
            footer: footer(escalation, unexplained.len()),
        }
    }
}

impl Diff {
    fn of(text: &str) -> Self {
        // A newline ends a line; anything else that could is shown.
        let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
        Self {
            left_out: lines.len().saturating_sub(DIFF_LINES),
            lines: lines.into_iter().take(DIFF_LINES).map(|line| visible_line(line, DIFF_COLUMNS)).collect(),
        }
    }
}

fn bounded<T, U>(list: &[T], view: impl Fn(&T) -> U) -> Vec<U> {
    list.iter().take(ITEMS).map(view).collect()
}

fn opening(escalation: &Escalation, unexplained: usize) -> String {
    let changes = escalation.diagnoses.len() + unexplained;
    let changes = if changes == 1 { "1 change".to_owned() } else { format!("{changes} changes") };
    let since = escalation.since.strftime("%Y-%m-%d %H:%M UTC");
    match escalation.reason {
        NotifyReason::New => format!("{changes} since {since}."),
        NotifyReason::Update => format!("{changes} more; the incident began {since}."),
        NotifyReason::Reminder => format!("{changes} still open since {since}."),
        NotifyReason::Resolved => format!("All of what began {since} is resolved."),
        NotifyReason::Decided => format!("A patch was decided; the incident began {since}."),
    }
}

fn diagnosis_item(diagnosis: &Diagnosis) -> Item {
    let mut notes = vec![("confidence", format!("{:.1} %", diagnosis.confidence * 100.0))];
    push_facts(&mut notes, "detail", &diagnosis.detail);
    push_facts(&mut notes, "evidence", &diagnosis.evidence);
    if diagnosis.ambiguous {
        let candidates: Vec<String> = diagnosis
            .candidates
            .iter()
            .take(5)
            .map(|candidate| format!("{} ({:.2})", candidate.path, candidate.score))
            .collect();
        notes.push(("ambiguous", visible(&candidates.join(", "), SENTENCE)));
    }
    Item {
        severity: diagnosis.severity,
        what: diagnosis.kind.word(),
        place: place(&diagnosis.path, &diagnosis.to),
        sentence: visible(&diagnosis.summary, SENTENCE),
        notes,
    }
}

fn finding_item(finding: &Finding) -> Item {
    let mut notes = Vec::new();
    if finding.state != FindingState::Open {
        notes.push(("state", finding.state.word().to_owned()));
    }
    push_facts(&mut notes, "evidence", &finding.evidence);
    if let Some(remedy) = &finding.remedy {
        notes.push(("remedy", visible(remedy, SENTENCE)));
    }
    Item {
        severity: finding.severity,
        what: visible(&finding.rule, NAME),
        place: place(&finding.path, &finding.to),
        sentence: visible(&finding.message, SENTENCE),
        notes,
    }
}

fn patch_view(patch: &Patch) -> PatchView {
    let mut notes = vec![("confidence", format!("{:.1} %", patch.confidence * 100.0))];
    let disposition = match patch.disposition {
        Disposition::Safe => "safe to apply by itself",
        Disposition::Review => "a person decides",
    };
    notes.push(("disposition", disposition.to_owned()));
    if let Some(caution) = &patch.caution {
        notes.push(("caution", visible(caution, SENTENCE)));
    }
    let mut checks = Vec::new();
    match &patch.verification {
        Some(verification) => {
            let verdict = if verification.passed { "passed" } else { "not passed" };
            notes.push(("verification", format!("{verdict}, on {} recorded samples", verification.samples)));
            checks = bounded(&verification.checks, |check| (check.passed, visible(&check.what, SENTENCE)));
        }
        None => notes.push(("verification", "not tried".to_owned())),
    }
    PatchView {
        id: visible(&patch.id, NAME),
        state: patch.state.word(),
        summary: visible(&patch.summary, SENTENCE),
        notes,
        checks,
        diff: Diff::of(&patch.diff()),
    }
}

fn footer(escalation: &Escalation, unexplained: usize) -> Vec<(&'static str, String)> {
    let mut footer = Vec::new();
    for (label, side) in [("recorded", &escalation.baseline), ("seen now", &escalation.live)] {
        if *side != Side::default() {
            footer.push((label, side_text(side)));
        }
    }
    let left_out: usize = [
        escalation.diagnoses.len(),
        unexplained,
        escalation.patches.len(),
        escalation.docs.len(),
        escalation.commands.len(),
    ]
    .iter()
    .map(|count| count.saturating_sub(ITEMS))
    .sum();
    if left_out > 0 {
        footer.push(("left out", format!("{left_out} more items; `drogue findings list` has them all")));
    }
    footer.push(("incident", escalation.thread.clone()));
    footer
}

fn side_text(side: &Side) -> String {
    let mut text = format!("{} records", side.records);
    if let Some(version) = side.version {
        text.push_str(&format!(", baseline version {version}"));
    }
    match (side.from, side.to) {
        (Some(from), Some(to)) if from != to => text.push_str(&format!(", from {from} to {to}")),
        (Some(at), _) | (None, Some(at)) => text.push_str(&format!(", at {at}")),
        (None, None) => {}
    }
    text
}

fn place(path: &crate::model::FieldPath, to: &[crate::model::FieldPath]) -> String {
    let from = visible(&path.to_string(), NAME);
    if to.is_empty() {
        return from;
    }
    let to: Vec<String> = to.iter().take(8).map(|path| visible(&path.to_string(), NAME)).collect();
    format!("{from} → {}", to.join(", "))
}

fn push_facts(notes: &mut Vec<(&'static str, String)>, label: &'static str, facts: &Facts) {
    if !facts.is_empty() {
        let facts: Vec<String> =
            facts.iter().map(|(name, fact)| format!("{} {fact}", name.replace('_', " "))).collect();
        notes.push((label, visible(&facts.join(" · "), SENTENCE)));
    }
}
