//! Runs the examples that rules carry.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Example, Expect, JudgeContext, Rule, RuleSet};
use crate::compare::{self, Baseline, Behaviour, Comparison, Window};
use crate::model::{Change, FieldPath, HashKey, MappedField, MappedStream, Severity, Subject};
use crate::profile::{ProfileOptions, Profiler, SampleMode};
use crate::spec::test_phrases;

/// How one example went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExampleResult {
    /// The rule, by id.
    pub rule: String,
    /// The example, by name.
    pub example: String,
    /// What came of it.
    pub outcome: ExampleOutcome,
}

/// What came of an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExampleOutcome {
    /// What the example says.
    Passed,
    /// Something else, in words.
    Failed(String),
}

impl RuleSet {
    /// Runs every example of every rule, and those of the phrases with which documentation announces things.
    #[must_use]
    pub fn test_examples(&self) -> Vec<ExampleResult> {
        let examples = self.rules().flat_map(|rule| rule.examples.iter().map(move |example| (rule, example)));
        let phrases = test_phrases().into_iter().map(|example| ExampleResult {
            rule: format!("prose/{}", example.phrase),
            example: example.text,
            outcome: example.wrong.map_or(ExampleOutcome::Passed, ExampleOutcome::Failed),
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
            .chain(phrases)
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
                Comparison { changes: vec![change], ..Comparison::default() }
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

/// The comparison of the records that an example writes down.
fn compare_records(example: &Example) -> Comparison {
    let window = |written: &[Value]| {
        // A fixed key: the outcome of an example is the same everywhere.
        let mut options = ProfileOptions::new(HashKey::new(*b"examples of rule"));
        options.samples = SampleMode::Clear;
        let mut profiler = Profiler::new(options);
        let count = example.records.unwrap_or(written.len()).min(MAX_RECORDS);
        for (number, record) in
            written.iter().cycle().take(if written.is_empty() { 0 } else { count }).enumerate()
        {
            profiler.record(filled(record, number).to_string().as_bytes());
        }
        let (profile, order) = profiler.finish_in_order();
        Window {
            profile,
            order,
            behaviour: Behaviour::default(),
            from: Timestamp::UNIX_EPOCH,
            to: Timestamp::UNIX_EPOCH,
            partial: true,
        }
    };
    let baseline = Baseline::start(&window(&example.before));
    compare::compare(&baseline, &window(&example.after))
}

/// Examples are small; a site's own must not run for hours.
const MAX_RECORDS: usize = 10_000;

/// A written record as the one of that number: `{n}` alone becomes the number, within other text its digits.
fn filled(written: &Value, number: usize) -> Value {
    match written {
        Value::String(text) if text == "{n}" => Value::from(number),
        Value::String(text) => Value::from(text.replace("{n}", &number.to_string())),
        Value::Array(values) => values.iter().map(|value| filled(value, number)).collect(),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(name, value)| (name.clone(), filled(value, number))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => written.clone(),
    }
}
