//! `drogue rules`.

use anyhow::Context as _;

use super::args::{Common, RulesAction};
use super::output::{Exit, Output};
use super::render::{self, Cell, Tone};
use crate::config::read_rule_files;
use crate::model::Severity;
use crate::rules::{self, ExampleOutcome, Rule, RuleSet};

pub(super) fn run(common: &Common, action: Option<RulesAction>, out: &Output) -> anyhow::Result<Exit> {
    match action.unwrap_or(RulesAction::List) {
        RulesAction::List => {
            let set = rule_set(common, &[], out)?;
            let all: Vec<_> = set.rules().collect();
            let value: Vec<_> = all.iter().map(|rule| as_json(rule)).collect();
            out.list("rules", &value, |style| {
                let rows: Vec<Vec<Cell>> = all
                    .iter()
                    .map(|rule| {
                        let tone = match rule.severity {
                            Severity::Info => Tone::Info,
                            Severity::Warning => Tone::Warning,
                            Severity::Breaking => Tone::Breaking,
                        };
                        vec![
                            Cell::new(&rule.id, Tone::Bold),
                            Cell::new(rule.severity.word(), tone),
                            Cell::new(&rule.title, Tone::Plain),
                        ]
                    })
                    .collect();
                render::table(&["rule", "severity", "what it says"], &rows, style)
            })?;
            Ok(Exit::Clean)
        }
        RulesAction::Explain { kinds: true, .. } => {
            let kinds = rules::kinds();
            out.list("kinds", kinds, |style| {
                let rows: Vec<Vec<Cell>> = kinds
                    .iter()
                    .map(|(kind, text)| {
                        vec![Cell::new(kind.word(), Tone::Bold), Cell::new(*text, Tone::Plain)]
                    })
                    .collect();
                render::table(&["kind", "what happened"], &rows, style)
            })?;
            Ok(Exit::Clean)
        }
        RulesAction::Explain { rule, kinds: false } => {
            let set = rule_set(common, &[], out)?;
            let id = rule.unwrap_or_default();
            let rule = set
                .explain(&id)
                .with_context(|| format!("there is no rule `{id}`; see `drogue rules list`"))?;
            out.result(&as_json(rule), |_| {
                let mut text = format!(
                    "{} ({})\n{}\n\n{}\n",
                    rule.id,
                    rule.severity.word(),
                    rule.title,
                    rule.explain.trim_end()
                );
                if let Some(remedy) = &rule.remedy {
                    text.push_str(&format!("\nwhat to do: {remedy}\n"));
                }
                text
            })?;
            Ok(Exit::Clean)
        }
        RulesAction::Test { dirs } => {
            let set = rule_set(common, &dirs, out)?;
            let results = set.test_examples();
            let failures: Vec<(&str, &str, &str)> = results
                .iter()
                .filter_map(|result| match &result.outcome {
                    ExampleOutcome::Passed => None,
                    ExampleOutcome::Failed(why) => Some((&*result.rule, &*result.example, &**why)),
                })
                .collect();
            let failed = failures.len();
            out.list("examples", &results, |style| {
                let mut text = String::new();
                for (rule, example, why) in &failures {
                    text.push_str(&format!(
                        "{} {}: {}: {}\n",
                        if style.unicode { "✗" } else { "FAIL" },
                        render::clean(rule),
                        render::clean(example),
                        render::clean(why)
                    ));
                }
                text.push_str(&format!("{} examples, {failed} failed\n", results.len()));
                text
            })?;
            Ok(if failed == 0 { Exit::Clean } else { Exit::Failed })
        }
    }
}

/// What programs may know of a rule.
fn as_json(rule: &Rule) -> serde_json::Value {
    serde_json::json!({
        "id": rule.id, "title": rule.title, "kind": rule.kind, "category": rule.category, "severity": rule.severity,
        "severity_when_mapped": rule.severity_when_mapped, "hard": rule.hard, "message": rule.message,
        "remedy": rule.remedy, "disposition": rule.disposition, "explain": rule.explain,
    })
}

/// The rules of the config where there is one, else those that come with Drogue; and of further folders.
pub(super) fn rule_set(
    common: &Common,
    dirs: &[std::path::PathBuf],
    out: &Output,
) -> anyhow::Result<RuleSet> {
    let mut folders = dirs.to_vec();
    let mut overrides = Vec::new();
    if let Some(config) = super::load_if_any(common, out)? {
        folders.extend(config.config.rules.dirs.clone());
        overrides.clone_from(&config.config.rules.overrides);
    }
    Ok(RuleSet::with_dirs(read_rule_files(&folders)?)?.with_overrides(overrides))
}
