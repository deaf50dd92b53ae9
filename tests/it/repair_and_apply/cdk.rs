//! Patched manifests, run by the real Airbyte CDK.

use std::path::Path;

use drogue::model::{Diagnosis, DiagnosisKind, Facts, Framework};
use serde_json::{Value, json};

use super::{diagnosis, propose};
use crate::support::python::python;

/// The drifts of `tests/cdk/cases.py`, each with what is diagnosed of it, one patch after the other.
fn drifts() -> Vec<(&'static str, Vec<Diagnosis>)> {
    use DiagnosisKind as D;
    let with = |kind, from: &str, detail: Facts| Diagnosis { detail, ..diagnosis(kind, from, &[]) };
    let renamed = |from: &str, to: &str| vec![diagnosis(D::Renamed, from, &[to])];
    let formats = |to: &str| {
        with(
            D::Reformatted,
            "$.created_at",
            Facts::new().with("from_format", "date-time-z").with("to_format", to),
        )
    };
    let types = |path: &str, from: &str, to: &str| {
        let words = |word: &str| vec![word.to_owned()];
        vec![with(D::Retyped, path, Facts::new().with("from_types", words(from)).with("to_types", words(to)))]
    };
    let words = |new: &str, old: &str| {
        let detail =
            Facts::new().with("new_values", vec![new.to_owned()]).with("lost_values", vec![old.to_owned()]);
        vec![with(D::EnumChanged, "$.status", detail)]
    };
    vec![
        ("rename", renamed("$.email", "$.email_address")),
        ("rename-name", renamed("$.name", "$.full_name")),
        ("rename-rating", renamed("$.rating", "$.score")),
        ("rename-active", renamed("$.active", "$.enabled")),
        ("rename-tags", renamed("$.tags", "$.labels")),
        (
            "rename-again",
            [renamed("$.email", "$.email_address"), renamed("$.email_address", "$.mail")].concat(),
        ),
        ("zip", renamed("$.address.zip", "$.address.postcode")),
        ("move", vec![diagnosis(D::Moved, "$.email", &["$.contact.email"])]),
        ("epoch", vec![formats("epoch-seconds")]),
        ("epoch-millis", vec![formats("epoch-millis")]),
        ("space", vec![formats("date-time-space")]),
        ("dollars", vec![with(D::Rescaled, "$.balance", Facts::new().with("ratio", 0.01))]),
        (
            "upper",
            vec![with(
                D::CaseChanged,
                "$.status",
                Facts::new().with("from_case", "lower").with("to_case", "upper"),
            )],
        ),
        ("rating-text", types("$.rating", "number", "string")),
        ("balance-text", types("$.balance", "integer", "string")),
        ("active-text", types("$.active", "boolean", "string")),
        (
            "envelope",
            vec![with(
                D::EnvelopeChanged,
                "$",
                Facts::new().with("from", "$.data[*]").with("to", "$.results[*]"),
            )],
        ),
        (
            "path",
            vec![with(
                D::EndpointMoved,
                "$",
                Facts::new().with("from", "/v1/customers").with("to", "/v2/customers"),
            )],
        ),
        ("upper", words("PAUSED", "paused")),
    ]
}

/// A record without what is null or empty: to a loader, a column that is absent and one that is null are the same.
fn filled(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.clone(), filled(value)));
            Value::Object(
                members
                    .filter(|(_, v)| !v.is_null() && v.as_object().is_none_or(|o| !o.is_empty()))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// The real Airbyte CDK, run after each drift with the patched manifest, gives the records of before the drift; run
/// before the drift (or after the vendor took it back) with the patched manifest as well.
#[test]
fn patched_manifests_run_in_the_real_cdk() {
    const MANIFEST: &str = include_str!("../../cdk/manifest.yaml");
    let has_cdk = python().args(["-c", "import airbyte_cdk"]).output();
    if !has_cdk.is_ok_and(|output| output.status.success()) {
        // `tests/run` installs it: there, that it is missing is a failure.
        assert!(std::env::var_os("DROGUE_TEST_PYTHON").is_none(), "airbyte-cdk is missing");
        println!("skipped: no airbyte-cdk; tests/cdk/run.sh installs it");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().join("base.yaml");
    std::fs::write(&base, MANIFEST).unwrap();
    let mut cases = vec![json!({"name": "base", "manifest": base, "drift": []})];
    let mut expected = Vec::new();
    for (i, (drift, diagnoses)) in drifts().into_iter().enumerate() {
        let mut text = MANIFEST.to_owned();
        for diagnosis in &diagnoses {
            let proposal =
                propose(Framework::AirbyteLowCode, &text, "customers", std::slice::from_ref(diagnosis));
            let patch = proposal.patch.unwrap_or_else(|| panic!("{drift}: {:?}", proposal.refused));
            text.clone_from(&patch.files[0].after);
        }
        let file = dir.path().join(format!("{i}.yaml"));
        std::fs::write(&file, &text).unwrap();
        let only_paused = diagnoses[0].kind == DiagnosisKind::EnumChanged;
        if !only_paused {
            cases.push(json!({"name": format!("{i} {drift}"), "manifest": file, "drift": [drift]}));
            expected.push(format!("{i} {drift}"));
        }
        // A factor cannot be taken back, and an envelope or a path is looked for where it is now.
        if !matches!(drift, "dollars" | "envelope" | "path") {
            cases.push(json!({"name": format!("{i} before {drift}"), "manifest": file, "drift": []}));
            expected.push(format!("{i} before {drift}"));
        }
    }
    let [list, found] = ["cases.json", "results.json"].map(|name| dir.path().join(name));
    std::fs::write(&list, Value::Array(cases).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cdk/cases.py");
    let output = python().arg(script).arg(&list).arg(&found).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: Value = serde_json::from_slice(&std::fs::read(&found).unwrap()).unwrap();
    let records =
        |name: &str| -> Vec<Value> { results[name].as_array().unwrap().iter().map(filled).collect() };
    let before = records("base");
    assert_eq!(before.len(), 25, "{before:?}");
    let mut wrong = Vec::new();
    for name in &expected {
        let after = records(name);
        if after != before {
            let pair = before.iter().zip(&after).find(|(a, b)| a != b);
            wrong.push(format!("{name}: {} records, first difference {pair:?}", after.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} runs of the CDK gave the records of before the drift", expected.len());
}
