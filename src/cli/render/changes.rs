//! What `diff` found, as rows that each way of printing shows in its own dress: one row a change.

use std::collections::BTreeMap;

use super::siblings;
use crate::model::{CompareKind, Finding, Fingerprint, Report, Severity};
use crate::rules::{ContractEntry, ContractValue, Level};
use crate::spec::{Affected, Side};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) severity: Severity,
    /// What it means for the contract, where that was compared as well.
    pub(super) level: Option<Level>,
    /// The rule, or the kind of diagnosis.
    pub(super) id: String,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
}

/// One change of the contract that no other row tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContractRow {
    pub(super) level: Level,
    pub(super) id: String,
    pub(super) message: String,
    /// `GET /orders + 37 more`; empty where it is about no operation.
    pub(super) operations: String,
}

/// All that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changes {
    /// Worst first.
    pub(super) rows: Vec<Row>,
    /// Worst first; `None` where no contracts were compared.
    pub(super) contract: Option<Vec<ContractRow>>,
    /// What could not be compared.
    pub(super) inconclusive: Vec<String>,
}

pub(super) const SEVERITIES: [Severity; 3] = [Severity::Breaking, Severity::Warning, Severity::Info];
pub(super) const LEVELS: [Level; 3] = [Level::Err, Level::Warn, Level::Info];

impl Changes {
    /// `most` is how many names one row lists; the rest is counted.
    pub(super) fn of(report: &Report, contract: Option<&[ContractEntry]>, most: usize) -> Self {
        let rows = match report.compared.kind {
            CompareKind::Docs => of_documents(report, contract.unwrap_or_default(), most),
            CompareKind::Records => of_records(report),
        };
        let contract = contract.map(|entries| {
            let untold = entries.iter().filter(|entry| entry.told_by.is_none());
            let mut rows: Vec<ContractRow> = untold.map(|entry| of_contract(entry, most)).collect();
            rows.sort_by_key(|row| std::cmp::Reverse(row.level));
            rows
        });
        let inconclusive =
            report.inconclusive.iter().map(|one| format!("{}: {}", one.path, one.why)).collect();
        Self { rows, contract, inconclusive }
    }

    pub(super) fn of_severity(&self, severity: Severity) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.severity == severity)
    }

    pub(super) fn of_level(&self, level: Level) -> impl Iterator<Item = &ContractRow> {
        self.contract.iter().flatten().filter(move |row| row.level == level)
    }

    /// `3 breaking, 1 warning · contract besides: 7 INFO`.
    pub(super) fn sum(&self) -> String {
        let counts = SEVERITIES.map(|severity| (self.of_severity(severity).count(), severity.word()));
        let sum = Some(in_words(&counts))
            .filter(|sum| !sum.is_empty())
            .unwrap_or_else(|| "nothing to act on".to_owned());
        let further = in_words(&LEVELS.map(|level| (self.of_level(level).count(), level.word())));
        let told = self.rows.iter().any(|row| row.level.is_some());
        match (&self.contract, further.is_empty(), told) {
            (None, _, _) | (Some(_), true, true) => sum,
            (Some(_), true, false) => format!("{sum} · contract unchanged"),
            (Some(_), false, true) => format!("{sum} · contract besides: {further}"),
            (Some(_), false, false) => format!("{sum} · contract: {further}"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.contract.as_ref().is_none_or(Vec::is_empty)
    }
}

fn in_words(counts: &[(usize, &str)]) -> String {
    let words: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    words.join(", ")
}

/// One row a change: the same change of a parameter at several operations is one, and so are siblings.
fn of_documents(report: &Report, contract: &[ContractEntry], most: usize) -> Vec<Row> {
    let mut levels: BTreeMap<&Fingerprint, Level> = BTreeMap::new();
    for entry in contract {
        if let Some(by) = &entry.told_by {
            let level = levels.entry(by).or_insert(entry.level);
            *level = (*level).max(entry.level);
        }
    }
    let level = |finding: &Finding| levels.get(&finding.fingerprint).copied();
    let groups = siblings::grouped(&report.findings, level);
    let row = |group: &siblings::Group<'_>| Row {
        severity: group.first.severity,
        level: level(group.first),
        id: group.first.rule.clone(),
        message: group.message(most),
        remedy: group.first.remedy.clone(),
    };
    groups.iter().map(row).collect()
}

fn of_records(report: &Report) -> Vec<Row> {
    let diagnosed = report.diagnoses.iter().map(|one| Row {
        severity: one.severity,
        level: None,
        id: one.kind.word(),
        message: one.summary.clone(),
        remedy: None,
    });
    let is_explained =
        |finding: &&Finding| report.diagnoses.iter().any(|one| one.explains.contains(&finding.fingerprint));
    let others = report.findings.iter().filter(|finding| !is_explained(finding)).map(|one| Row {
        severity: one.severity,
        level: None,
        id: one.rule.clone(),
        message: one.message.clone(),
        remedy: one.remedy.clone(),
    });
    let mut rows: Vec<Row> = diagnosed.chain(others).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.severity));
    rows
}

fn of_contract(entry: &ContractEntry, most: usize) -> ContractRow {
    let first = entry.affects.iter().find(|affected| !affected.path.is_empty());
    let operations = first.map(|affected| {
        and_more(&format!("{} {}", affected.method, affected.path), entry.operations.saturating_sub(1))
    });
    let (place, values) = (place_of(entry), values_of(&entry.values, most));
    let between = if place.is_empty() || values.is_empty() { "" } else { ": " };
    ContractRow {
        level: entry.level,
        id: entry.id.clone(),
        message: format!("{place}{between}{values}"),
        operations: operations.unwrap_or_default(),
    }
}

/// Where an entry is, for a person: the side, the status, the field (`$.items[*].name`), and how many more places.
fn place_of(entry: &ContractEntry) -> String {
    let mut fields: Vec<_> = entry.affects.iter().filter_map(|at| at.field.as_ref()).collect();
    fields.sort_by_key(|field| (field.steps().len(), *field));
    fields.dedup();
    let Some(field) = fields.first() else {
        return entry.affects.first().map(|at| at.at.clone()).unwrap_or_default();
    };
    let mut words = part_of(entry.side, &entry.affects[0]);
    if !field.is_root() || words.is_empty() {
        words.push(format!("`{field}`"));
    }
    if fields.len() > 1 {
        words.push(format!("and {} more", fields.len() - 1));
    }
    words.join(" ")
}

/// What of an operation a place is in, where it is not the body of a response of success.
fn part_of(side: Side, at: &Affected) -> Vec<String> {
    let place = at.at.split('/').next().unwrap_or_default();
    for word in ["parameter", "header"] {
        if let Some((before, name)) = place.split_once(&format!("{word} ")) {
            let before = before.trim();
            return [before, word]
                .iter()
                .filter(|w| !w.is_empty())
                .map(|w| (*w).to_owned())
                .chain([format!("`{name}`")])
                .collect();
        }
    }
    let mut words = at.at.split(' ');
    let status = words.next().unwrap_or_default();
    match side {
        Side::Response if status == "callback" => {
            vec![format!("callback {}", words.next().unwrap_or_default())]
        }
        Side::Request => vec!["request".to_owned()],
        Side::Response if !status.starts_with('2') && !status.is_empty() => {
            vec![format!("response {status}")]
        }
        Side::Response | Side::Neither => Vec::new(),
    }
}

/// `a, b, c and 4 more`, or `string → integer`.
fn values_of(values: &[ContractValue], most: usize) -> String {
    let word = |value: &ContractValue| {
        let moved = match (value.from.is_empty(), value.to.is_empty()) {
            (true, true) => return value.name.clone(),
            (false, true) => format!("was {}", value.from),
            (true, false) => value.to.clone(),
            (false, false) => format!("{} → {}", value.from, value.to),
        };
        if value.name.is_empty() || value.name == value.from {
            moved
        } else {
            format!("{} {moved}", value.name)
        }
    };
    listed(&values.iter().map(word).filter(|word| !word.is_empty()).collect::<Vec<_>>(), most)
}

/// The first names, and how many more there are.
pub(super) fn listed(names: &[String], most: usize) -> String {
    match names.len().checked_sub(most) {
        Some(more) if more > 0 => format!("{} and {more} more", names[..most].join(", ")),
        _ => names.join(", "),
    }
}

pub(super) fn and_more(name: &str, others: usize) -> String {
    if others == 0 { name.to_owned() } else { format!("{name} + {others} more") }
}
