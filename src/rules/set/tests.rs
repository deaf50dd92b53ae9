//! The audit of the rule set as a whole.

use std::collections::BTreeSet;

use super::*;
use crate::model::{Category, Severity};
use crate::rules::{ExampleOutcome, Expect, facts::CHANGE_KINDS};

#[test]
fn every_builtin_rule_parses() {
    RuleSet::embedded().unwrap_or_else(|error| panic!("{error}"));
    assert!(RuleSet::builtin().rules().count() >= 40);
}

#[test]
fn every_kind_of_change_has_a_rule_without_conditions() {
    let set = RuleSet::builtin();
    for kind in CHANGE_KINDS {
        let rules = set.of_kind(kind);
        assert!(rules.iter().any(|rule| rule.when.is_empty()), "{kind:?} can be lost");
        // More than one would make the choice depend on names.
        assert_eq!(rules.iter().filter(|rule| rule.when.is_empty()).count(), 1, "{kind:?}");
    }
}

#[test]
fn every_rule_has_examples_of_both_sorts_and_they_hold() {
    let set = RuleSet::builtin();
    for rule in set.rules() {
        for wanted in [Expect::Match, Expect::NoMatch] {
            let has = rule.examples.iter().any(|example| example.expect == wanted);
            assert!(has, "{} has no example of {wanted:?}", rule.id);
        }
        if !rule.needs.is_empty() {
            let has = rule.examples.iter().any(|example| example.expect == Expect::Inconclusive);
            assert!(has, "{} has no inconclusive example", rule.id);
        }
    }
    let failed: Vec<String> = set
        .test_examples()
        .into_iter()
        .filter_map(|result| match result.outcome {
            ExampleOutcome::Passed => None,
            ExampleOutcome::Failed(why) => Some(format!("{}: {}: {why}", result.rule, result.example)),
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn files_lie_in_the_folder_of_their_category() {
    for rule in RuleSet::builtin().rules() {
        let folders: &[&str] = match rule.category {
            Category::Schema => &["rules/schema/"],
            Category::Values => &["rules/values/"],
            Category::Behaviour => &["rules/behaviour/"],
            Category::Docs => &["rules/docs/", "rules/contradictions/"],
            Category::Lifecycle => &["rules/lifecycle/"],
        };
        let fits = folders.iter().any(|folder| rule.source.starts_with(folder));
        assert!(fits, "{} lies in {}", rule.id, rule.source);
        // What nobody reads can never be worse than what somebody reads.
        assert!(rule.severity_for(Some(false)) <= rule.severity_for(Some(true)), "{}", rule.id);
        assert!(
            rule.severity != Severity::Breaking || rule.remedy.is_some(),
            "{} breaks, and advises nothing",
            rule.id
        );
    }
}

#[test]
fn kinds_are_listed_once() {
    let kinds: Vec<String> = crate::rules::kinds().iter().map(|(kind, _)| kind.word()).collect();
    assert_eq!(kinds.iter().collect::<BTreeSet<_>>().len(), kinds.len());
    assert_eq!(kinds.len(), 39);
    assert!(kinds.iter().all(|word| !word.is_empty()));
}

#[test]
fn a_bad_rule_is_refused_with_its_place() {
    let good = "id: our-rule\ntitle: t\nkind: field-added\ncategory: schema\nseverity: info\nmessage: '{path} is new'\nexplain: e\n";
    let read = |path: &str, text: &str| RuleSet::with_dirs(vec![(path.to_owned(), text.to_owned())]);
    let set = read("site/our-rule.yaml", good).unwrap();
    assert!(set.explain("our-rule").is_some());
    assert!(set.explain("field-added").is_some());
    for (path, text, line, words) in [
        ("a.yaml", good.to_owned(), 1, "the id is `our-rule`, but the file is called `a`"),
        ("our-rule.yaml", good.replace("severity: info", "severity: bad"), 5, "bad"),
        ("our-rule.yaml", good.replace("title: t", "titel: t"), 2, "titel"),
        ("our-rule.yaml", good.replace("{path}", "{share}"), 6, "`share` is no fact of field-added"),
        ("our-rule.yaml", format!("{good}when: {{share: 1}}\n"), 8, "`share` is no fact of field-added"),
        ("our-rule.yaml", good.replace("{path}", "{path"), 6, "never closed"),
        ("field-added.yaml", good.replace("our-rule", "field-added"), 1, "is a rule already"),
        ("our-rule.yaml", "id: [".to_owned(), 1, ""),
    ] {
        let error = read(path, &text).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), (path, line), "{error}");
        assert!(error.reason.contains(words), "{error}");
    }
}

#[test]
fn an_unknown_override_names_the_nearest_rule() {
    let change = RuleOverride { rule: Some("field-remved".to_owned()), ..RuleOverride::default() };
    let set = RuleSet::builtin().with_overrides(vec![change]);
    assert_eq!(set.unknown_overrides(), [("field-remved".to_owned(), Some("field-removed".to_owned()))]);
}
