//! Changes that matter to a data connector, each with the class that it deserves from the connector's side.

use drogue::model::Severity;
use drogue::rules::{RuleSet, diff_documents};
use serde_json::Value;

const PROBES: &str = include_str!("../../fixtures/documents/probes/probes.jsonl");

/// What a class stands for where nothing is known of the mapping, so that every field may be read; `None` where nobody
/// is to be disturbed.
fn severity_of(class: &str) -> Option<Severity> {
    match class {
        "breaking" | "breaking-if-mapped" => Some(Severity::Breaking),
        "risky" => Some(Severity::Warning),
        "additive" => Some(Severity::Info),
        "none" => None,
        other => panic!("no class `{other}`"),
    }
}

#[test]
fn every_probe_has_the_class_that_a_connector_gives_it() {
    let rules = RuleSet::builtin();
    let mut wrong = Vec::new();
    let mut probes = 0;
    for line in PROBES.lines() {
        let probe: Value = serde_json::from_str(line).unwrap();
        let [before, after] = ["before", "after"].map(|side| probe[side].to_string());
        let report = diff_documents("a.json", before.as_bytes(), "b.json", after.as_bytes(), &rules).unwrap();
        let found = report.findings.iter().map(|finding| finding.severity).max();
        let wanted = severity_of(probe["class"].as_str().unwrap());
        if found != wanted {
            let told: Vec<&str> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
            wrong.push(format!("{}: {found:?} for {wanted:?}, by {told:?}", probe["id"]));
        }
        probes += 1;
    }
    assert_eq!(probes, 22);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
