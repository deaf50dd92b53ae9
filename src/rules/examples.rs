//! Runs the examples that rules carry.

use jiff::Timestamp;

use super::{Example, Expect, JudgeContext, Rule, RuleSet};
use crate::compare::Comparison;
use crate::model::{Change, FieldPath, MappedField, MappedStream, Severity, Subject};

/// How one example went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleResult {
    /// The rule, by id.
    pub rule: String,
    /// The example, by name.
    pub example: String,
    /// What came of it.
    pub outcome: ExampleOutcome,
}

/// What came of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExampleOutcome {
    /// What the example says.
    Passed,
    /// Something else, in words.
    Failed(String),
}

impl RuleSet {
    /// Runs every example of every rule.
    #[must_use]
    pub fn test_examples(&self) -> Vec<ExampleResult> {
        let examples = self.rules().flat_map(|rule| {
            rule.examples.iter().filter(|e| e.facts.is_some()).map(move |example| (rule, example))
        });
        examples
            .map(|(rule, example)| ExampleResult {
                rule: rule.id.clone(),
                example: example.name.clone(),
                outcome: match self.run(rule, example) {
                    Ok(()) => ExampleOutcome::Passed,
                    Err(why) => ExampleOutcome::Failed(why),
                },
            })
            .collect()
    }

    fn run(&self, rule: &Rule, example: &Example) -> Result<(), String> {
        let comparison = match &example.facts {
            Some(facts) => {
                let change = Change {
                    kind: rule.kind,
                    path: example.path.clone(),
                    to: Vec::new(),
                    facts: facts.clone(),
                };
                Comparison { changes: vec![change], inconclusive: Vec::new() }
            }
            None => compare_records(example),
        };
        let mapping = example.mapped.map(mapping_that);
        let context =
            JudgeContext { mapping: mapping.as_ref(), learning: example.learning, at: Timestamp::UNIX_EPOCH };
        let subject = Subject { connector: "example".to_owned(), stream: rule.id.clone() };
        // Overrides of the site are for its streams, not for what a rule means.
        let judgement = self.clone().with_overrides(Vec::new()).judge(&subject, &comparison, &context);
        let found = judgement.findings.iter().find(|finding| finding.rule == rule.id);
        match (example.expect, found) {
            (Expect::Match, Some(finding)) => same_severity(example.severity, finding.severity),
            (Expect::NoMatch, None) => Ok(()),
            (Expect::Inconclusive, None) if !judgement.inconclusive.is_empty() => Ok(()),
            (Expect::Inconclusive, None) => Err("nothing is inconclusive".to_owned()),
            (Expect::NoMatch | Expect::Inconclusive, Some(finding)) => {
                Err(format!("it says: {}", finding.message))
            }
            (Expect::Match, None) => {
                let others =
                    judgement.findings.iter().map(|other| format!("{} at {}", other.rule, other.path));
                let doubts = judgement.inconclusive.iter().map(|i| format!("{}: {}", i.path, i.why));
                Err(format!("no finding; instead: [{}]", others.chain(doubts).collect::<Vec<_>>().join("; ")))
            }
        }
    }
}

fn same_severity(expected: Option<Severity>, found: Severity) -> Result<(), String> {
    match expected {
        Some(severity) if severity != found => {
            Err(format!("severity is {}, {} expected", found.word(), severity.word()))
        }
        Some(_) | None => Ok(()),
    }
}

/// A mapping that reads everything, or nothing.
fn mapping_that(reads: bool) -> MappedStream {
    let field = MappedField { sources: vec![FieldPath::root()], target: "all".to_owned(), declared: None };
    MappedStream {
        name: "example".to_owned(),
        endpoint: None,
        method: "GET".to_owned(),
        records: None,
        primary_key: Vec::new(),
        cursor: None,
        fields: if reads { vec![field] } else { Vec::new() },
        passes_others: false,
    }
}

fn compare_records(_example: &Example) -> Comparison {
    Comparison::default()
}
