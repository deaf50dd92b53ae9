//! One rule, as its file states it.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Condition, facts, facts_of, template};
use crate::model::{Category, ChangeKind, Disposition, Facts, FieldPath, Severity};

/// A rule that judges changes of one kind.
///
/// Among the rules of a kind whose conditions hold, the one with the most conditions judges (the first by id among
/// equals): one change, one finding.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, kebab-case, that of its file; never used for anything else again.
    pub id: String,
    /// What it sees, in a few words.
    pub title: String,
    /// The kind of change that it judges.
    pub kind: ChangeKind,
    /// The part of the world it looks at.
    pub category: Category,
    /// The rule whose finding this one carries on: what it sees is the same finding, a step further.
    #[serde(default)]
    pub step_of: Option<String>,
    /// Conditions on facts, all of which must hold; `mapped` and `learning` are facts of the context.
    #[serde(default)]
    pub when: BTreeMap<String, Condition>,
    /// How bad it is where nobody knows what the connector reads, or where nothing below says otherwise.
    pub severity: Severity,
    /// How bad it is where the connector's mapping reads the path.
    #[serde(default)]
    pub severity_when_mapped: Option<Severity>,
    /// How bad it is where the connector's mapping does not read the path.
    #[serde(default)]
    pub severity_when_unmapped: Option<Severity>,
    /// The least evidence, by fact; below it the outcome is inconclusive.
    #[serde(default)]
    pub needs: BTreeMap<String, f64>,
    /// Whether it alerts while a stream is still learning: for facts that no natural variation brings about.
    #[serde(default)]
    pub hard: bool,
    /// One sentence with `{fact}` placeholders; `[…]` is left out where one of its facts is not stated.
    pub message: String,
    /// What to do about it.
    #[serde(default)]
    pub remedy: Option<String>,
    /// Whether a patch for it may be applied without a person.
    #[serde(default = "review")]
    pub disposition: Disposition,
    /// The longer text of `drogue rules explain`.
    pub explain: String,
    /// What it matches and what not; run by the tests and by `drogue rules test`.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// The file it was read from.
    #[serde(skip)]
    pub source: String,
}

const fn review() -> Disposition {
    Disposition::Review
}

/// What an example shows: either two windows of records, or the facts of a change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows, in a few words.
    pub name: String,
    /// Records of the baseline; `{n}` in a string is the number of the record, and the list repeats until `records`.
    #[serde(default)]
    pub before: Vec<Value>,
    /// Records of the window, in the same way.
    #[serde(default)]
    pub after: Vec<Value>,
    /// How many records each side has; by default those that are written down.
    #[serde(default)]
    pub records: Option<usize>,
    /// The facts of a change of the rule's kind, in place of records.
    #[serde(default)]
    pub facts: Option<Facts>,
    /// The path of that change, `$` by default.
    #[serde(default)]
    pub path: FieldPath,
    /// Whether the mapping reads the path; nobody knows by default.
    #[serde(default)]
    pub mapped: Option<bool>,
    /// Whether the stream is still learning.
    #[serde(default)]
    pub learning: bool,
    /// What must come of it.
    pub expect: Expect,
    /// The severity that must come of it, where that matters.
    #[serde(default)]
    pub severity: Option<Severity>,
}

/// What must come of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// A finding by the rule.
    Match,
    /// No finding by the rule.
    NoMatch,
    /// No finding by the rule, and a reason why nothing can be said.
    Inconclusive,
}

/// Why a rule file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
#[non_exhaustive]
pub struct RuleError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong there.
    pub reason: String,
}

impl Rule {
    /// Reads one rule file; `path` is where it lies, for messages and for the id.
    ///
    /// # Errors
    /// [`RuleError`] where the text is no rule, the id is not the name of the file, or a fact is spoken of that
    /// changes of the kind never carry.
    pub fn parse(path: &str, text: &str) -> Result<Self, RuleError> {
        let mut rule: Self = read_yaml(path, text)?;
        rule.source = path.to_owned();
        rule.check(text)?;
        let stem = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let stem = stem.strip_suffix(".yaml").or_else(|| stem.strip_suffix(".yml")).unwrap_or(stem);
        if stem != rule.id {
            let reason =
                format!("the id is `{}`, but the file is called `{stem}`; they must be the same", rule.id);
            return Err(error_at(path, text, &rule.id, reason));
        }
        Ok(rule)
    }

    /// Checks what the types cannot: the id, and that messages and conditions speak of facts that exist.
    pub(super) fn check(&self, text: &str) -> Result<(), RuleError> {
        let fail = |near: &str, reason: String| Err(error_at(&self.source, text, near, reason));
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || !self.id.chars().all(kebab) {
            return fail(&self.id, format!("`{}` is not kebab-case", self.id));
        }
        let known = |name: &str| facts_of(self.kind).contains(&name) || facts::COMMON.contains(&name);
        let explained = |name: &str| {
            let kind = serde_json::to_value(self.kind).unwrap_or_default();
            format!(
                "`{name}` is no fact of {}; its facts are {}, {}",
                kind.as_str().unwrap_or_default(),
                facts_of(self.kind).join(", "),
                facts::COMMON.join(", ")
            )
        };
        match template::slots(&self.message) {
            Ok(names) => {
                for name in names {
                    if !known(name) {
                        return fail(&format!("{{{name}"), explained(name));
                    }
                }
            }
            Err(reason) => return fail("message:", format!("message: {reason}")),
        }
        for name in self.when.keys() {
            if !known(name) && !facts::CONTEXT.contains(&name.as_str()) {
                return fail(&format!("{name}:"), explained(name));
            }
        }
        for name in self.needs.keys() {
            if !known(name) {
                return fail(&format!("{name}:"), explained(name));
            }
        }
        for example in &self.examples {
            if example.facts.is_some() != (example.before.is_empty() && example.after.is_empty()) {
                let reason =
                    format!("example `{}` needs either `before` and `after`, or `facts`", example.name);
                return fail(&example.name, reason);
            }
        }
        Ok(())
    }

    /// The severity, given whether the mapping reads the path (`None`: nobody knows).
    #[must_use]
    pub fn severity_for(&self, mapped: Option<bool>) -> Severity {
        match mapped {
            Some(true) => self.severity_when_mapped.unwrap_or(self.severity),
            Some(false) => self.severity_when_unmapped.unwrap_or(self.severity),
            None => self.severity,
        }
    }
}

/// Reads a YAML file of rules, strictly.
pub(super) fn read_yaml<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, RuleError> {
    serde_saphyr::from_str(text).map_err(|error| RuleError {
        file: path.to_owned(),
        line: error.location().map_or(1, |location| location.line()),
        reason: error.without_snippet().to_string(),
    })
}

/// An error at the first line that holds `near`.
pub(super) fn error_at(path: &str, text: &str, near: &str, reason: String) -> RuleError {
    let line = text.lines().position(|line| line.contains(near)).map_or(1, |index| index as u64 + 1);
    RuleError { file: path.to_owned(), line, reason }
}
