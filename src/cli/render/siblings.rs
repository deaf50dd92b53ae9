//! Findings on documents that are one change to a reader: fields that came together, new operations, one parameter of
//! many operations.

use std::collections::BTreeMap;

use super::changes::{and_more, listed};
use crate::model::{FieldPath, Finding, Severity};
use crate::rules::Level;

/// Rules whose findings on the fields of one object are told together, and how.
const OF_FIELDS: [(&str, &str); 7] = [
    ("docs-field-added", "`{parent}` has {n} new fields: {names}"),
    ("docs-field-removed", "`{parent}` has lost {n} fields: {names}"),
    ("docs-field-deprecated", "{n} fields of `{parent}` are marked as deprecated: {names}"),
    ("docs-became-optional", "{n} fields of `{parent}` may be missing now: {names}"),
    ("docs-became-nullable", "{n} fields of `{parent}` may be null now: {names}"),
    ("docs-body-field-added", "`{parent}` takes {n} new fields: {names}"),
    ("docs-body-field-removed", "`{parent}` no longer takes {n} fields: {names}"),
];

/// Findings that are told together.
pub(super) struct Group<'a> {
    pub(super) first: &'a Finding,
    members: Vec<&'a Finding>,
    by: By,
}

/// What the members of a group have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// Nothing: there is but one.
    Itself,
    /// The object that they are fields of.
    Parent(FieldPath),
    /// The parameter.
    Parameter,
    /// The rule: operations that are new.
    Rule,
}

/// Puts findings together, in the order of the first of each group.
pub(super) fn grouped<'a>(
    findings: &'a [Finding],
    level: impl Fn(&Finding) -> Option<Level>,
) -> Vec<Group<'a>> {
    type Key<'k> = (&'k str, Severity, Option<Level>, By, Vec<String>);
    let mut known: BTreeMap<Key<'a>, usize> = BTreeMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for finding in findings {
        let (by, same) = in_common(finding);
        let key = (finding.rule.as_str(), finding.severity, level(finding), by.clone(), same);
        let index = *known.entry(key).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) => group.members.push(finding),
            None => groups.push(Group { first: finding, members: vec![finding], by }),
        }
    }
    groups
}

/// By what a finding is put together with others, and what else must be the same.
fn in_common(finding: &Finding) -> (By, Vec<String>) {
    let fact = |name: &str| finding.evidence.get(name).map(ToString::to_string).unwrap_or_default();
    if finding.rule == "docs-operation-added" {
        return (By::Rule, Vec::new());
    }
    if finding.evidence.text("parameter").is_some() && finding.evidence.text("operation").is_some() {
        return (By::Parameter, ["parameter", "field", "from", "to", "sentence"].map(fact).into());
    }
    if OF_FIELDS.iter().any(|(rule, _)| *rule == finding.rule)
        && let Some(parent) = field_of(finding).and_then(|field| field.parent())
    {
        return (By::Parent(parent), ["in", "operation", "operations"].map(fact).into());
    }
    (By::Itself, vec![finding.fingerprint.0.clone()])
}

fn field_of(finding: &Finding) -> Option<FieldPath> {
    finding.evidence.text("field")?.parse().ok()
}

/// An operation by its path, then by its method.
fn by_path(operation: &str) -> (&str, &str) {
    operation.split_once(' ').map_or((operation, ""), |(method, path)| (path, method))
}

impl Group<'_> {
    /// The sentence about all of them; `most` names are listed.
    pub(super) fn message(&self, most: usize) -> String {
        let first = self.first;
        let others = self.members.len() - 1;
        if others == 0 {
            return first.message.clone();
        }
        let operation = first.evidence.text("operation").unwrap_or_default();
        match &self.by {
            By::Itself => first.message.clone(),
            By::Parameter => first.message.replacen(operation, &and_more(operation, others), 1),
            By::Rule => {
                let mut names: Vec<String> = self
                    .members
                    .iter()
                    .filter_map(|one| one.evidence.text("operation"))
                    .map(str::to_owned)
                    .collect();
                names.sort_by(|a, b| by_path(a).cmp(&by_path(b)));
                format!("{} operations are new: {}", names.len(), listed(&names, most))
            }
            By::Parent(parent) => {
                let template =
                    OF_FIELDS.iter().find(|(rule, _)| *rule == first.rule).map_or("", |(_, text)| text);
                let mut names: Vec<String> =
                    self.members.iter().filter_map(|one| field_of(one)?.name().map(str::to_owned)).collect();
                names.sort();
                let operations = match first.evidence.number("operations") {
                    Some(all) if all > 1.0 => format!(" ({all} operations in all)"),
                    Some(_) | None => String::new(),
                };
                // Names come from outside: they are put in last, so that none is taken for a place in the template.
                let text = template.replace("{n}", &names.len().to_string());
                let (before, rest) = text.split_once("{parent}").unwrap_or(("", &text));
                let rest = rest.replacen("{names}", &listed(&names, most), 1);
                format!("{before}{parent}{rest}, in {operation}{operations}")
            }
        }
    }
}
