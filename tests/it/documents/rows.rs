//! Each row of `rules/docs/table.yaml` has a pair of documents in `rules/docs/examples.yaml` that it judges, so that no
//! row waits for a change which no comparison ever makes.

use std::collections::BTreeSet;

use drogue::rules::{RuleSet, diff_documents};
use serde_json::Value;

/// Rows that two documents alone never meet, and why.
const WITHOUT_PAIR: &[(&str, &str)] = &[
    ("docs-changed", "judges what no other row does; no pair may end there"),
    ("docs-corrected", "needs responses that were always so"),
    ("docs-other-operations-changed", "needs a connector that reads some operations and not others"),
    ("docs-section-names-field", "needs a connector that reads the field"),
    ("docs-field-no-longer-named", "needs a connector that reads the field"),
];

fn yaml(name: &str) -> Value {
    let path = format!("{}/rules/docs/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    for (key, value) in members {
        let object = target.as_object_mut().unwrap();
        match value {
            Value::Null => {
                object.remove(key);
            }
            value => merge(object.entry(key.clone()).or_insert(Value::Null), value),
        }
    }
}

/// One side of a pair: its name, and its text.
fn side(api: &Value, side: &Value) -> (&'static str, String) {
    if let Some(text) = side["text"].as_str() {
        return ("docs.md", text.to_owned());
    }
    if let Some(text) = side["graphql"].as_str() {
        return ("api.graphql", text.to_owned());
    }
    let mut api = api.clone();
    for (name, place) in [
        ("api", ""),
        ("list", "/paths/~1orders/get"),
        ("create", "/paths/~1orders/post"),
        ("order", "/components/schemas/Order"),
    ] {
        if let Some(patch) = side.get(name) {
            merge(api.pointer_mut(place).unwrap(), patch);
        }
    }
    ("openapi.json", api.to_string())
}

/// The rules that judge the changes from one side to the other.
fn judged(api: &Value, pair: &Value) -> BTreeSet<String> {
    let ((name, before), (_, after)) = (side(api, &pair["before"]), side(api, &pair["after"]));
    let rules = RuleSet::builtin();
    let report = diff_documents(name, before.as_bytes(), name, after.as_bytes(), &rules).unwrap();
    report.findings.into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn each_row_judges_its_pair_and_each_pair_has_its_row() {
    let examples = yaml("examples.yaml");
    let mut shown = BTreeSet::new();
    for pair in examples["pairs"].as_array().unwrap() {
        let rule = pair["rule"].as_str().unwrap();
        let rules = judged(&examples["api"], pair);
        assert!(rules.contains(rule), "{rule}: {rules:?}");
        assert!(!rules.contains("docs-changed"), "{rule}: a change without a row: {rules:?}");
        let same = serde_json::json!({"before": pair["after"], "after": pair["after"]});
        assert_eq!(judged(&examples["api"], &same), BTreeSet::new(), "{rule}: the same document");
        shown.insert(rule.to_owned());
    }
    let rows = yaml("table.yaml");
    let rows: BTreeSet<String> =
        rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let waived: BTreeSet<String> = WITHOUT_PAIR.iter().map(|(rule, _)| (*rule).to_owned()).collect();
    assert_eq!(shown.intersection(&waived).count(), 0, "a waiver without need");
    assert_eq!(&shown | &waived, rows, "every row has a pair, or a reason to have none");
}
