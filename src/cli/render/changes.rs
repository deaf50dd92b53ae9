//! What `diff` found, as rows that each way of printing shows in its own dress.

use std::collections::BTreeMap;

use crate::model::{CompareKind, Finding, Report, Severity};
use crate::rules::{ContractFinding, Level};

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
    /// `GET /orders + 37 more`; empty where it is about no operation.
    pub(super) operations: String,
}

/// One change of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContractRow {
    pub(super) level: Level,
    pub(super) id: String,
    pub(super) message: String,
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
    pub(super) fn of(report: &Report, contract: Option<&[ContractFinding]>) -> Self {
        let rows = match report.compared.kind {
            CompareKind::Docs => of_documents(report, contract),
            CompareKind::Records => of_records(report),
        };
        let contract = contract.map(|findings| {
            let mut rows: Vec<ContractRow> = findings.iter().map(of_contract).collect();
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

    /// `3 breaking, 1 warning`; nothing where nothing changed.
    pub(super) fn sum(&self) -> String {
        let counts = SEVERITIES.map(|severity| (self.of_severity(severity).count(), severity.word()));
        in_words(&counts)
    }

    /// `2 ERR, 7 INFO`.
    pub(super) fn contract_sum(&self) -> String {
        in_words(&LEVELS.map(|level| (self.of_level(level).count(), level.word())))
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

/// One row a change; the same change of a parameter at several operations is one row with their number.
fn of_documents(report: &Report, contract: Option<&[ContractFinding]>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut joined: BTreeMap<[&str; 5], (usize, &str, usize)> = BTreeMap::new();
    for finding in &report.findings {
        let fact = |name: &str| finding.evidence.text(name);
        if let (Some(parameter), Some(operation)) = (fact("parameter"), fact("operation")) {
            let told = ["from", "to", "sentence"].map(|name| fact(name).unwrap_or(""));
            let key = [&finding.rule, parameter, told[0], told[1], told[2]];
            let (_, _, others) = joined.entry(key).and_modify(|(_, _, others)| *others += 1).or_insert((
                rows.len(),
                operation,
                0,
            ));
            if *others > 0 {
                continue;
            }
        }
        rows.push(of_document(finding, contract));
    }
    for (index, operation, others) in joined.into_values().filter(|(_, _, others)| *others > 0) {
        let row = &mut rows[index];
        row.operations = and_more(operation, others);
        row.message = row.message.replacen(operation, &row.operations, 1);
    }
    rows
}

fn of_document(finding: &Finding, contract: Option<&[ContractFinding]>) -> Row {
    let operation = finding.evidence.text("operation");
    let others = finding.evidence.number("operations").map_or(0, |count| (count as usize).saturating_sub(1));
    Row {
        severity: finding.severity,
        level: contract.and_then(|contract| level_of(finding, contract)),
        id: finding.rule.clone(),
        message: finding.message.clone(),
        remedy: finding.remedy.clone(),
        operations: operation.map(|name| and_more(name, others)).unwrap_or_default(),
    }
}

/// The worst that the contract says of the same place: the same operation, and the same parameter or field.
fn level_of(finding: &Finding, contract: &[ContractFinding]) -> Option<Level> {
    let facts = &finding.evidence;
    let operation = facts.text("operation");
    let field = facts.text("field").and_then(|text| text.parse::<crate::model::FieldPath>().ok());
    let name = facts.text("parameter").or_else(|| field.as_ref().and_then(|field| field.name()));
    let is_named = |text: &str| {
        name.is_none_or(|name| text.split(['/', '.', '[', ']', '`', ' ']).any(|word| word == name))
    };
    let about = |one: &&ContractFinding| {
        let named = is_named(&one.change.name);
        one.change.affects.iter().any(|affected| {
            let same = match operation {
                Some(operation) => {
                    operation.split_once(' ') == Some((affected.method.as_str(), affected.path.as_str()))
                }
                None => affected.path.is_empty(),
            };
            same && (named || is_named(&affected.at))
        })
    };
    contract.iter().filter(about).map(|one| one.level).max()
}

fn of_records(report: &Report) -> Vec<Row> {
    let diagnosed = report.diagnoses.iter().map(|one| Row {
        severity: one.severity,
        level: None,
        id: one.kind.word(),
        message: one.summary.clone(),
        remedy: None,
        operations: String::new(),
    });
    let is_explained =
        |finding: &&Finding| report.diagnoses.iter().any(|one| one.explains.contains(&finding.fingerprint));
    let others = report.findings.iter().filter(|finding| !is_explained(finding)).map(|one| Row {
        severity: one.severity,
        level: None,
        id: one.rule.clone(),
        message: one.message.clone(),
        remedy: one.remedy.clone(),
        operations: String::new(),
    });
    let mut rows: Vec<Row> = diagnosed.chain(others).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.severity));
    rows
}

fn of_contract(finding: &ContractFinding) -> ContractRow {
    let change = &finding.change;
    let first = change.affects.iter().find(|affected| !affected.path.is_empty());
    let operations = first.map(|affected| {
        let name = format!("{} {}", affected.method, affected.path);
        and_more(&name, change.operations.saturating_sub(1))
    });
    let at = change.affects.first().map(|affected| affected.at.as_str()).unwrap_or_default();
    let place =
        [at, change.name.as_str()].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let moved = match (change.from.is_empty(), change.to.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(": was {}", change.from),
        (true, false) => format!(": {}", change.to),
        (false, false) => format!(": {} → {}", change.from, change.to),
    };
    ContractRow {
        level: finding.level,
        id: finding.id.clone(),
        message: format!("{place}{moved}"),
        operations: operations.unwrap_or_default(),
    }
}

fn and_more(name: &str, others: usize) -> String {
    if others == 0 { name.to_owned() } else { format!("{name} + {others} more") }
}
