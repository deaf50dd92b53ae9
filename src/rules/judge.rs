//! Changes become findings: the rule that fits best judges, overrides have the last word.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Rule, RuleOverride, RuleSet, facts::identity_of, template};
use crate::compare::Comparison;
use crate::model::{
    Change, Compared, Diagnosis, Fact, Facts, Finding, FindingState, Fingerprint, Inconclusive, MappedStream,
    Report, Severity, Subject,
};

/// What is known around a comparison.
#[derive(Debug, Clone, Copy)]
pub struct JudgeContext<'a> {
    /// What the connector reads of the stream, where its mapping is known.
    pub mapping: Option<&'a MappedStream>,
    /// Whether the stream is still learning: only hard rules alert.
    pub learning: bool,
    /// When the window ended.
    pub at: Timestamp,
}

/// What the rules made of a comparison.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judgement {
    /// Findings, worst first, then by path and rule.
    pub findings: Vec<Finding>,
    /// What could not be judged, by path.
    pub inconclusive: Vec<Inconclusive>,
    /// Changes that an override says nothing about.
    pub ignored: usize,
    /// For each change, in the order of the comparison, the finding that speaks for it; `None` where there is none.
    pub speakers: Vec<Option<Fingerprint>>,
}

impl Judgement {
    /// The report of a judgement whose findings these diagnoses explain.
    #[must_use]
    pub fn report(self, subject: &Subject, compared: Compared, diagnoses: Vec<Diagnosis>) -> Report {
        Report {
            version: 1,
            subject: subject.clone(),
            compared,
            diagnoses,
            findings: self.findings,
            inconclusive: self.inconclusive,
        }
    }
}

impl RuleSet {
    /// Judges the changes of one comparison. Every change ends as a finding, as inconclusive, or as ignored.
    #[must_use]
    pub fn judge(&self, subject: &Subject, comparison: &Comparison, context: &JudgeContext<'_>) -> Judgement {
        let mut judgement =
            Judgement { inconclusive: comparison.inconclusive.clone(), ..Judgement::default() };
        let mut findings: BTreeMap<Fingerprint, Finding> = BTreeMap::new();
        for change in &comparison.changes {
            let mapped = match context.mapping {
                Some(mapping) => is_mapped(mapping, change),
                // Whoever compared may know: documents are watched for the fields of several streams at once.
                None => match change.facts.get("mapped") {
                    Some(Fact::Flag(mapped)) => Some(*mapped),
                    Some(_) | None => None,
                },
            };
            let mut speaker = None;
            match self.judge_one(subject, change, mapped, context) {
                Verdict::Finding(finding) => {
                    speaker = Some(finding.fingerprint.clone());
                    // Two changes that one rule sees at one place are one finding; the worse speaks for both.
                    let entry =
                        findings.entry(finding.fingerprint.clone()).or_insert_with(|| (*finding).clone());
                    if finding.severity > entry.severity {
                        *entry = *finding;
                    }
                }
                Verdict::Inconclusive(why) => {
                    judgement.inconclusive.push(Inconclusive { path: change.path.clone(), why });
                }
                Verdict::Ignored => judgement.ignored += 1,
            }
            judgement.speakers.push(speaker);
        }
        judgement.findings = findings.into_values().collect();
        judgement.findings.sort_by(|a, b| {
            (b.severity, &a.path, &a.rule, &a.fingerprint).cmp(&(
                a.severity,
                &b.path,
                &b.rule,
                &b.fingerprint,
            ))
        });
        judgement.inconclusive.sort_by(|a, b| (&a.path, &a.why).cmp(&(&b.path, &b.why)));
        judgement.inconclusive.dedup();
        judgement
    }

    fn judge_one(
        &self,
        subject: &Subject,
        change: &Change,
        mapped: Option<bool>,
        context: &JudgeContext<'_>,
    ) -> Verdict {
        let mut facts = change.facts.clone();
        facts.set("learning", context.learning);
        if let Some(mapped) = mapped {
            facts.set("mapped", mapped);
        }
        let fits = |rule: &&Rule| rule.when.iter().all(|(name, condition)| condition.holds(name, &facts));
        let Some(rule) = self.of_kind(change.kind).iter().find(fits) else {
            return Verdict::Inconclusive(format!("no rule judges {:?}", change.kind));
        };
        let mut severity = rule.severity_for(mapped);
        let mut ignore = false;
        for change_to_rule in self.overrides() {
            if applies(change_to_rule, rule, subject, change) {
                ignore = change_to_rule.ignore;
                severity = change_to_rule.severity.unwrap_or(severity);
            }
        }
        if ignore {
            return Verdict::Ignored;
        }
        if let Some(why) = too_little(rule, &facts) {
            return Verdict::Inconclusive(why);
        }
        if context.learning && !rule.hard {
            return Verdict::Inconclusive(format!("`{}` waits: the stream is still learning", rule.id));
        }
        Verdict::Finding(Box::new(finding(rule, subject, change, severity, context.at)))
    }
}

enum Verdict {
    Finding(Box<Finding>),
    Inconclusive(String),
    Ignored,
}

/// Whether the mapping reads what the change is about; `None` where it passes on whatever else comes, so that a
/// field may matter although the mapping does not name it.
fn is_mapped(mapping: &MappedStream, change: &Change) -> Option<bool> {
    if mapping.reads(&change.path) || change.to.iter().any(|path| mapping.reads(path)) {
        Some(true)
    } else if mapping.passes_others {
        None
    } else {
        Some(false)
    }
}

fn applies(change_to_rule: &RuleOverride, rule: &Rule, subject: &Subject, change: &Change) -> bool {
    let RuleOverride { rule: id, connector, stream, path, severity: _, ignore: _, reason: _ } =
        change_to_rule;
    id.as_ref().is_none_or(|id| *id == rule.id)
        && connector.as_ref().is_none_or(|name| *name == subject.connector)
        && stream.as_ref().is_none_or(|name| *name == subject.stream)
        && path.as_ref().is_none_or(|above| change.path.starts_with(above))
}

fn too_little(rule: &Rule, facts: &Facts) -> Option<String> {
    rule.needs.iter().find_map(|(name, needed)| {
        let words = name.replace('_', " ");
        match facts.number(name) {
            Some(seen) if seen >= *needed => None,
            Some(seen) => Some(format!("{} {words}; {} needed", Fact::from(seen), Fact::from(*needed))),
            None => Some(format!("{words} unknown; {} needed", Fact::from(*needed))),
        }
    })
}

fn finding(rule: &Rule, subject: &Subject, change: &Change, severity: Severity, at: Timestamp) -> Finding {
    let mut identity = rule.step_of.as_ref().unwrap_or(&rule.id).clone();
    for name in identity_of(change.kind) {
        if let Some(fact) = change.facts.get(name) {
            identity.push('\0');
            identity.push_str(name);
            identity.push('=');
            identity.push_str(&fact.to_string());
        }
    }
    Finding {
        fingerprint: Fingerprint::of(&subject.connector, &subject.stream, &identity, &change.path),
        rule: rule.id.clone(),
        category: rule.category,
        severity,
        path: change.path.clone(),
        message: template::render(&rule.message, change),
        remedy: rule.remedy.clone(),
        kind: change.kind,
        to: change.to.clone(),
        evidence: change.facts.clone(),
        explained_by: None,
        state: FindingState::Open,
        first_seen: time_of(at),
        last_seen: time_of(at),
    }
}

/// Files have no times; what compares them says so by the epoch.
fn time_of(at: Timestamp) -> Option<Timestamp> {
    (at != Timestamp::UNIX_EPOCH).then_some(at)
}

#[cfg(test)]
mod tests;
