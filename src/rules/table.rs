//! The table of rules for documents: `rules/docs/table.yaml`, one row a rule.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Condition, Example, Expect, Rule, RuleError, rule::read_yaml};
use crate::model::{Category, ChangeKind, Disposition, Facts, FieldPath, Severity};

/// One row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    title: String,
    #[serde(default)]
    what: Option<String>,
    #[serde(default)]
    when: BTreeMap<String, Condition>,
    severity: Severity,
    #[serde(default)]
    severity_when_mapped: Option<Severity>,
    #[serde(default)]
    severity_when_unmapped: Option<Severity>,
    message: String,
    #[serde(default)]
    remedy: Option<String>,
    #[serde(default)]
    explain: Option<String>,
    examples: Vec<Facts>,
}

/// The rules of a table.
///
/// An example of one row is an example of what the next row does not match: rows stand apart by what they are about.
pub(super) fn parse(path: &str, text: &str) -> Result<Vec<Rule>, RuleError> {
    let rows: Vec<Row> = read_yaml(path, text)?;
    let of_previous = rows.iter().cycle().skip(rows.len().saturating_sub(1));
    let others: Vec<Option<Facts>> =
        of_previous.take(rows.len()).map(|row| row.examples.first().cloned()).collect();
    let mut rules = Vec::with_capacity(rows.len());
    for (row, other) in rows.into_iter().zip(others) {
        let mut when = row.when;
        if let Some(what) = row.what {
            when.insert("what".to_owned(), Condition::Text(what));
        }
        let matching = row.examples.into_iter().map(|facts| (facts, Expect::Match));
        let examples = matching.chain(other.map(|facts| (facts, Expect::NoMatch)));
        let rule = Rule {
            kind: ChangeKind::DocsChanged,
            category: Category::Docs,
            step_of: None,
            when,
            severity: row.severity,
            severity_when_mapped: row.severity_when_mapped,
            severity_when_unmapped: row.severity_when_unmapped,
            needs: BTreeMap::new(),
            // Documents are as they are from the first day on; there is nothing to learn.
            hard: true,
            explain: row.explain.unwrap_or_else(|| format!("In the documentation: {}.", row.title)),
            title: row.title,
            message: row.message,
            remedy: row.remedy,
            disposition: Disposition::Review,
            examples: examples
                .enumerate()
                .map(|(index, (facts, expect))| example(index, facts, expect))
                .collect(),
            id: row.id,
            source: path.to_owned(),
        };
        rule.check(text)?;
        rules.push(rule);
    }
    Ok(rules)
}

fn example(index: usize, facts: Facts, expect: Expect) -> Example {
    Example {
        name: format!("row example {}", index + 1),
        before: Vec::new(),
        after: Vec::new(),
        records: None,
        facts: Some(facts),
        path: FieldPath::root(),
        mapped: None,
        learning: false,
        expect,
        severity: None,
    }
}
