//! What a person sees, at 80 and at 200 columns.

use std::path::PathBuf;

use super::*;
use crate::model::{
    Candidate, Category, ChangeKind, CompareKind, Compared, Diagnosis, DiagnosisKind, Disposition, Facts,
    FieldPath, FilePatch, Finding, FindingState, Fingerprint, Inconclusive, Patch, PatchState, Report,
    ReportSet, Severity, Side, Subject, Unobserved, Verification, VerifiedCheck,
};

const NARROW: Style = Style { width: 80, color: false, unicode: true };
const WIDE: Style = Style { width: 200, color: false, unicode: true };

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn sample_finding(rule: &str, severity: Severity, at: &str, message: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint::of("covid", "regions", rule, &path(at)),
        rule: rule.to_owned(),
        category: Category::Schema,
        severity,
        path: path(at),
        message: message.to_owned(),
        remedy: (severity == Severity::Warning)
            .then(|| "widen the list in the mapping, or accept".to_owned()),
        kind: ChangeKind::EnumChanged,
        to: Vec::new(),
        evidence: Facts::new()
            .with("baseline_records", 63_u64)
            .with("live_records", 21_u64)
            .with("share", 0.0476)
            .with("new_values", vec!["P.A. Bolzano".to_owned(), "P.A. \u{1b}[31mTrento".to_owned()]),
        explained_by: None,
        state: FindingState::Open,
        first_seen: Some("2020-03-31T17:00:00Z".parse().unwrap()),
        last_seen: Some("2020-04-01T17:00:00Z".parse().unwrap()),
    }
}

fn sample_diagnosis() -> Diagnosis {
    Diagnosis {
        id: "a1b2c3d4e5f60718".to_owned(),
        kind: DiagnosisKind::Renamed,
        severity: Severity::Breaking,
        path: path("$.totale_attualmente_positivi"),
        to: vec![path("$.totale_positivi")],
        summary: "`totale_attualmente_positivi` is called `totale_positivi` now: the same 21 regions have \
                  values that go on from where the old ones ended."
            .to_owned(),
        confidence: 0.9983,
        ambiguous: false,
        candidates: Vec::new(),
        detail: Facts::new().with("name_similarity", 0.8125),
        evidence: Facts::new()
            .with("baseline_records", 63_u64)
            .with("live_records", 21_u64)
            .with("paired", 21_u64)
            .with("agreeing", 21_u64)
            .with("live_presence", 1.0),
        explains: vec![Fingerprint::of(
            "covid",
            "regions",
            "field-removed",
            &path("$.totale_attualmente_positivi"),
        )],
        patch: Some("8c1f0a22d3e4b5f6".to_owned()),
    }
}

fn sample_report() -> Report {
    let ambiguous = Diagnosis {
        id: "b2".to_owned(),
        path: path("$.nuovi_attualmente_positivi"),
        to: vec![path("$.variazione_totale_positivi")],
        summary: "`nuovi_attualmente_positivi` is gone, and two new fields could have taken over from it."
            .to_owned(),
        confidence: 0.61,
        ambiguous: true,
        candidates: vec![
            Candidate {
                path: path("$.variazione_totale_positivi"),
                score: 0.61,
                facts: Facts::new().with("paired", 21_u64),
            },
            Candidate { path: path("$.nuovi_positivi"), score: 0.58, facts: Facts::new() },
        ],
        detail: Facts::new(),
        explains: Vec::new(),
        patch: None,
        ..sample_diagnosis()
    };
    let info = Diagnosis {
        id: "c3".to_owned(),
        kind: DiagnosisKind::Added,
        severity: Severity::Info,
        path: path("$.note_it"),
        to: Vec::new(),
        summary: "`note_it` is new.".to_owned(),
        confidence: 1.0,
        explains: Vec::new(),
        patch: None,
        ..sample_diagnosis()
    };
    Report {
        version: 1,
        subject: Subject { connector: "covid".to_owned(), stream: "regions".to_owned() },
        compared: Compared {
            kind: CompareKind::Records,
            baseline: Side { records: 63, version: Some(3), from: None, to: None },
            live: Side { records: 21, version: None, from: None, to: None },
        },
        diagnoses: vec![sample_diagnosis(), ambiguous, info],
        findings: vec![
            sample_finding(
                "field-removed",
                Severity::Breaking,
                "$.totale_attualmente_positivi",
                "the field is gone",
            ),
            sample_finding(
                "enum-changed",
                Severity::Warning,
                "$.denominazione_regione",
                "2 values that were never seen before make 4.8 % of the records",
            ),
        ],
        inconclusive: vec![
            Inconclusive { path: path("$.lat"), why: "12 records; 20 needed".to_owned() },
            Inconclusive { path: path("$.casi_testati"), why: "21 nulls".to_owned() },
        ],
    }
}

fn quiet_report() -> Report {
    Report {
        subject: Subject { connector: "covid".to_owned(), stream: "provinces".to_owned() },
        diagnoses: Vec::new(),
        findings: Vec::new(),
        inconclusive: Vec::new(),
        ..sample_report()
    }
}

fn sample_set() -> ReportSet {
    ReportSet {
        version: 1,
        drogue: "0.1.0".to_owned(),
        reports: vec![quiet_report(), sample_report()],
        unobserved: vec![Unobserved {
            connector: "crm".to_owned(),
            stream: "customers".to_owned(),
            outcome: "auth-expired: 401 with `WWW-Authenticate: Bearer error=\"invalid_token\"`; renew the token in CRM_TOKEN".to_owned(),
            retry_at: Some("2020-04-01T18:00:00Z".parse().unwrap()),
        }],
    }
}

fn sample_patch(state: PatchState) -> Patch {
    let before = "streams:\n  regions:\n    fields:\n      region: denominazione_regione  # the name\n      \
                  positives: totale_attualmente_positivi\n      deaths: deceduti\n";
    let after =
        before.replace("totale_attualmente_positivi", "[totale_positivi, totale_attualmente_positivi]");
    Patch {
        id: "8c1f0a22d3e4b5f6".to_owned(),
        connector: "covid".to_owned(),
        stream: "regions".to_owned(),
        diagnoses: vec!["a1b2c3d4e5f60718".to_owned()],
        summary: "Reads `totale_positivi`, and `totale_attualmente_positivi` where that is not there."
            .to_owned(),
        files: vec![FilePatch::new(PathBuf::from("/x/mapping.yaml"), "mapping.yaml", before, after)],
        confidence: 0.9983,
        disposition: Disposition::Review,
        caution: Some("the connector's checkpoint was written under the old name".to_owned()),
        state,
        verification: Some(Verification {
            passed: true,
            samples: 21,
            checks: vec![
                VerifiedCheck {
                    what: "`positives` is filled in 21 of 21 recorded samples (0 before)".to_owned(),
                    passed: true,
                },
                VerifiedCheck { what: "every other column is as it was".to_owned(), passed: true },
            ],
        }),
        created: "2020-03-31T17:05:00Z".parse().unwrap(),
    }
}

fn fits(text: &str, columns: usize) {
    for line in text.lines() {
        assert!(text::width(line) <= columns, "{columns}: {line}");
    }
}

#[test]
fn one_report() {
    let text = report(&sample_report(), &NARROW);
    fits(&text, 80);
    insta::assert_snapshot!("report_80", text);
    insta::assert_snapshot!("report_200", report(&sample_report(), &WIDE));
}

#[test]
fn several_reports() {
    let text = report_set(&sample_set(), &NARROW);
    fits(&text, 80);
    insta::assert_snapshot!("set_80", text);
    insta::assert_snapshot!("set_200", report_set(&sample_set(), &WIDE));
}

#[test]
fn ascii_alone() {
    let style = Style { unicode: false, ..NARROW };
    let text = report_set(&sample_set(), &style) + &patch(&sample_patch(PatchState::Verified), &style);
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn a_quiet_stream_is_one_line() {
    insta::assert_snapshot!(report(&quiet_report(), &NARROW), @"✔ covid/provinces  nothing changed · 21 records against 63, baseline 3");
}

#[test]
fn patches() {
    insta::assert_snapshot!("patch_80", patch(&sample_patch(PatchState::Verified), &NARROW));
    insta::assert_snapshot!("patch_applied_80", patch(&sample_patch(PatchState::Applied), &NARROW));
    let colored = patch(&sample_patch(PatchState::Verified), &Style { color: true, ..NARROW });
    insta::assert_snapshot!("patch_colored", colored.replace('\u{1b}', "ESC"));
}

#[test]
fn details() {
    let subject = sample_report().subject;
    let text = finding_detail(&subject, &sample_report().findings[1], &NARROW);
    fits(&text, 80);
    insta::assert_snapshot!("detail_80", text);
}

#[test]
fn nothing_of_theirs_reaches_the_terminal() {
    let mut hostile = sample_report();
    hostile.subject.stream = "a\u{1b}]0;owned\u{7}".to_owned();
    hostile.diagnoses[0].summary = "x\u{202e}y\u{1b}[2J".to_owned();
    hostile.diagnoses[0].patch = Some("\u{1b}[31m".to_owned());
    hostile.inconclusive[0].why = "\u{9b}31m".to_owned();
    let mut broken = sample_patch(PatchState::Unverifiable);
    broken.summary = "\u{1b}c".to_owned();
    broken.files[0].diff.push_str("+\u{1b}[2J\u{202e}\n");
    let text = report(&hostile, &NARROW) + &patch(&broken, &NARROW);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']));
}

/// Two descriptions: eight fields come under one parent, values and a limit change, two operations are new.
fn described(turn: usize) -> crate::spec::ApiModel {
    use serde_json::{Value, json};
    let mut bound = json!({"kept": {"type": "string"}});
    for number in 0..8 * turn {
        bound[format!("new{number}")] = json!({"type": "string"});
    }
    let item = json!({"type": "object", "properties": {
        "bound": {"type": "object", "properties": bound},
        "size": {"type": "string", "maxLength": 10 + turn},
    }});
    let operation = |status: &str, item: &Value| {
        let list = json!({"type": "array", "items": {"allOf": [item]}});
        let body = json!({"type": "object", "properties": {"children": list}});
        json!({"get": {"responses": {status: {"content": {"application/json": {"schema": body}}}}}})
    };
    let error = json!({"type": "object", "properties": {"code": {"type": "string", "enum": &["a", "b", "c"][..=turn]}}});
    let mut paths = json!({"/files": operation("200", &item), "/errors": operation("400", &error)});
    if turn > 0 {
        paths["/x"] = operation("200", &json!({}));
        paths["/y/z"] = operation("200", &json!({}));
    }
    crate::spec::ApiModel::new(json!({"openapi": "3.0.0", "paths": paths})).unwrap()
}

#[test]
fn one_change_of_a_description_is_one_line() {
    let rules = crate::rules::RuleSet::builtin();
    let (report, findings) =
        crate::rules::diff_descriptions(&described(0), &described(1), &rules, None).unwrap();
    let entries = crate::rules::contract_entries(&findings);
    let text = documents(&report, &entries, &WIDE);
    for line in [
        "`$.children[*].bound` has 8 new fields: new0, new1, new2, new3, new4, new5, new6, new7, in GET /files",
        "2 operations are new: GET /x, GET /y/z [docs-operation-added]",
        "response 400 `$.children[*].code`: b, GET /errors [response-property-enum-value-added]",
        "`$.children[*].size`: 10 → 11, GET /files [response-property-max-length-increased]",
    ] {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(line), "{line}\n{text}");
    }
    // Whatever the schema is made of is no part of a path for people.
    assert!(!text.contains("allOf") && !text.contains("items"), "{text}");
    let narrow = documents(&report, &entries, &NARROW);
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    for text in [markdown(&report, Some(&entries), ("a", "b")), html(&report, Some(&entries), ("a", "b"))] {
        assert!(text.contains("8 new fields") && !text.contains("allOf"), "{text}");
    }
}
