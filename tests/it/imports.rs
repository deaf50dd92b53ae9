//! Imports: JSON, JSONL and HAR files as observations, and what is said of files that are none.

use std::path::PathBuf;

use drogue::clock::DrivenClock;
use drogue::model::{ErrorClass, HashKey};
use drogue::observe::{
    Complete, HarFilter, ImportError, ImportOptions, Observation, ObserveContext, Outcome, import_file,
};
use drogue::rules::RuleSet;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::project::{Feed, Project, Receivers, customers};

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn import(
        &self,
        name: &str,
        content: impl AsRef<[u8]>,
        options: &ImportOptions,
    ) -> Result<Observation, ImportError> {
        let path = self.write(name, content);
        let clock = DrivenClock::new("2026-03-01T12:00:00Z".parse().unwrap());
        let rules = RuleSet::builtin();
        let context =
            ObserveContext { clock: &clock, hash_key: HashKey::new([7; 16]), key: None, rules: &rules };
        import_file(&path, options, &context)
    }
}

#[track_caller]
fn complete(observation: Result<Observation, ImportError>) -> Complete {
    match observation.unwrap().outcome {
        Outcome::Complete(complete) => *complete,
        other => panic!("no window: {other:?}"),
    }
}

fn at(records: &str) -> ImportOptions {
    ImportOptions { records: Some(records.parse().unwrap()), ..ImportOptions::default() }
}

#[test]
fn json_and_jsonl() {
    let files = Files::new();
    for (name, content, options, count) in [
        ("list.json", r#"[{"id": 1}, {"id": 2}]"#, ImportOptions::default(), 2),
        ("bare.json", r#"[{"id": 1}]"#, at("$.data[*]"), 1),
        ("envelope.json", r#"{"data": [{"id": 1}], "other": [{"x": 1}, {"x": 2}]}"#, at("$.data[*]"), 1),
        ("guessed.json", r#"{"total": 2, "rows": [{"id": 1}, {"id": 2}]}"#, ImportOptions::default(), 2),
        ("lines.jsonl", "{\"id\": 1}\n\n{\"id\": 2}\r\n{\"id\": 3}", at("$.data[*]"), 3),
        ("lines.json", "{\"id\": 1}\n{\"id\": 2}\n", ImportOptions::default(), 2),
        ("marked.jsonl", "\u{feff}{\"id\": 1}\n", ImportOptions::default(), 1),
        ("empty.json", "[]", ImportOptions::default(), 0),
    ] {
        let complete = complete(files.import(name, content, &options));
        assert_eq!(complete.window.profile.records, count, "{name}");
        assert!(!complete.window.partial && complete.moved_from.is_none(), "{name}");
        assert_eq!(complete.window.from.to_string(), "2026-03-01T12:00:00Z");
    }
}

#[test]
fn a_bad_line_costs_no_other_and_is_told() {
    let files = Files::new();
    let lines = "{\"id\": 1}\n{\"id\": 1e999}\noops\n{\"id\": \"\\ud800\"}\n{\"id\": 2}\n{\"id\": \n";
    let found = complete(files.import("a.jsonl", lines, &ImportOptions::default()));
    assert_eq!(found.window.profile.malformed.syntax, 2);
    assert_eq!(found.window.profile.malformed.number_out_of_range, 1);
    assert_eq!(found.window.profile.malformed.lone_surrogate, 1);
    assert!(found.warnings[0].contains("a.jsonl`, line 3: no JSON"), "{:?}", found.warnings);
    assert_eq!(found.warnings.len(), 2);
}

#[test]
fn what_is_no_such_file_is_refused_by_place_and_name() {
    let files = Files::new();
    for (name, content, part) in [
        ("a.json", &b"{\"a\": 1,\n  oops}"[..], "a.json`, line 2, column 3: no JSON"),
        ("cut.json", b"[{\"a\": 1}, {\"a\"", "line 1, column"),
        ("a.csv", b"id,name\n", "is CSV; JSON, JSONL and HAR files are read"),
        ("b.json", b"<?xml version='1.0'?><a/>", "is XML"),
        ("c.json", b"\x1f\x8b\x08\x00", "is gzip data"),
        ("d.jsonl", b"one\ntwo\n", "d.jsonl`, line 1"),
        ("e.json", b"12", "holds no record"),
    ] {
        let error = files.import(name, content, &ImportOptions::default()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let error = files.import("f.json", r#"{"hello": "you"}"#, &at("$.data[*]")).unwrap_err().to_string();
    assert!(error.contains("no records at `$.data[*]`"), "{error}");
    std::fs::create_dir(files.0.path().join("folder")).unwrap();
    let clock = DrivenClock::new("2026-03-01T12:00:00Z".parse().unwrap());
    let rules = RuleSet::builtin();
    let context = ObserveContext { clock: &clock, hash_key: HashKey::new([7; 16]), key: None, rules: &rules };
    for path in ["folder", "absent"] {
        let error = import_file(&files.0.path().join(path), &ImportOptions::default(), &context).unwrap_err();
        assert!(matches!(error, ImportError::Read { .. }), "{error}");
    }
}

fn entry(url: &str, status: i64, content: &Value) -> Value {
    json!({
        "startedDateTime": "2026-02-01T10:00:00.000+01:00",
        "time": 120.5,
        "request": { "method": "GET", "url": url, "headers": [
            { "name": ":authority", "value": "x" },
            { "name": "Authorization", "value": "Bearer canary" },
            { "name": "Cookie", "value": "sid=canary" },
        ] },
        "response": { "status": status, "headers": [
            { "name": "Content-Type", "value": "application/json" },
            { "name": "Set-Cookie", "value": "sid=canary" },
        ], "content": content },
    })
}

fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": { "name": "x", "version": "1" }, "entries": entries } })
        .to_string()
}

fn text(body: &Value) -> Value {
    json!({ "mimeType": "application/json", "text": body.to_string() })
}

fn items() -> ImportOptions {
    let request = serde_json::from_value(json!({ "url": "https://api.example/items" })).unwrap();
    ImportOptions { filter: HarFilter::of_request(None, &request), ..at("$.data[*]") }
}

#[test]
fn har_entries_of_the_stream() {
    let files = Files::new();
    let page = |first: u32| text(&json!({ "data": [{ "id": first }, { "id": first + 1 }] }));
    let content = har(&[
        entry("https://api.example/items?page=1&token=canary", 200, &page(1)),
        entry("https://api.example/users", 200, &text(&json!([{ "name": "a" }]))),
        entry(
            "https://api.example/items?page=2",
            200,
            &json!({ "mimeType": "application/json", "encoding": "base64", "text": "eyJkYXRhIjogW3siaWQiOiA5fV19" }),
        ),
        entry("https://api.example/items?page=2", 200, &page(1)),
        entry("https://api.example/items?page=3", 200, &json!({ "mimeType": "application/json" })),
        entry("https://api.example/items?page=4", 401, &text(&json!({ "error": "invalid_token" }))),
        entry("https://api.example/items?page=5", 0, &json!({})),
        json!({ "request": 1 }),
    ]);
    let observation = files.import("a.har", &content, &items());
    let shown = format!("{observation:?}");
    assert!(!shown.contains("canary"), "{shown}");
    let found = complete(observation);
    assert_eq!(found.window.profile.records, 3);
    assert!(found.window.partial, "nobody knows how many pages there were");
    assert_eq!(found.window.from.to_string(), "2026-02-01T09:00:00Z");
    assert_eq!((found.window.behaviour.pages, found.window.behaviour.statuses.get(&401)), (2, Some(&1)));
    assert!(
        found.warnings.iter().any(|warning| warning.starts_with("entry 5: its body was not saved")),
        "{:?}",
        found.warnings
    );

    // The kind is told from the content, whatever the name; one endpoint needs no filter.
    let one = har(&[entry("https://api.example/items", 200, &page(1))]);
    assert_eq!(complete(files.import("b.json", one, &ImportOptions::default())).window.profile.records, 2);
}

#[test]
fn har_files_that_say_nothing_of_the_stream() {
    let files = Files::new();
    let list = text(&json!([{ "id": 1 }]));
    let two = har(&[entry("https://api.example/a", 200, &list), entry("https://api.example/b", 200, &list)]);
    let error = files.import("a.har", &two, &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("several endpoints (api.example/a, api.example/b)"), "{error}");
    let error = files.import("a.har", &two, &items()).unwrap_err().to_string();
    assert!(
        error.contains("none of its 2 entries is one of `api.example/items`; it has api.example/a"),
        "{error}"
    );
    let part = ImportOptions { filter: Some(HarFilter::containing("/b")), ..ImportOptions::default() };
    assert_eq!(complete(files.import("a.har", &two, &part)).window.profile.records, 1);

    let page = json!({ "mimeType": "text/html", "text": "<html><form><input type=password></form></html>" });
    let login = har(&[entry("https://api.example/items", 200, &page)]);
    match files.import("a.har", login, &items()).unwrap().outcome {
        Outcome::Failed(failure) => assert_ne!(failure.class, ErrorClass::OkWithError),
        other => panic!("{other:?}"),
    }
    let error = files.import("cut.har", &two[..two.len() - 10], &items()).unwrap_err().to_string();
    assert!(error.contains("line 1, column"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_in_another_encoding_are_counted_and_cost_no_other() {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    let lines = |turn| -> Vec<u8> {
        customers(turn).iter().flat_map(|record| format!("{record}\n").into_bytes()).collect()
    };
    let latin: Vec<u8> = lines(3)
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .flat_map(|(at, line)| {
            let text = String::from_utf8(line.to_vec()).unwrap();
            // `Pérson` as Latin-1 has it.
            let place = text.find("Person").unwrap() + 1;
            let mut bytes = text.into_bytes();
            if at % 20 == 0 {
                bytes[place] = 0xe9;
            }
            bytes
        })
        .collect();
    let list: Vec<u8> =
        [b"[".as_slice(), &latin.trim_ascii().split(|b| *b == b'\n').collect::<Vec<_>>().join(&b','), b"]"]
            .concat();
    std::fs::write(project.path("1.jsonl"), lines(1)).unwrap();
    std::fs::write(project.path("2.jsonl"), lines(2)).unwrap();
    std::fs::write(project.path("latin.jsonl"), &latin).unwrap();
    std::fs::write(project.path("latin.json"), &list).unwrap();
    std::fs::write(project.path("1.json"), json!(customers(1)).to_string()).unwrap();
    let said = "3 records could not be read in full: encoding";
    for (before, after) in [("1.jsonl", "latin.jsonl"), ("1.json", "latin.json"), ("1.jsonl", "latin.json")] {
        let report = project.json(&["diff", before, after]).1;
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|one| one["rule"] == "records-malformed");
        let found = found.unwrap_or_else(|| panic!("{before} {after}: {report:#}"));
        assert_eq!(found["message"], said, "{report:#}");
        assert_eq!(report["compared"]["live"]["records"], 57, "the others are read: {report:#}");
    }
    project.run(&["import", "-c", "crm", "1.jsonl", "2.jsonl"]).ended(0);
    let set = project.json(&["import", "-c", "crm", "latin.jsonl"]).1;
    assert!(set.to_string().contains(said), "{set:#}");
}

#[test]
fn an_error_in_place_of_records_is_a_look_that_failed() {
    let files = Files::new();
    for (name, content, class) in [
        ("a.json", r#"{"error": {"code": "rate_limited", "message": "slow down"}}"#, ErrorClass::RateLimited),
        ("b.jsonl", "{\"code\": 403, \"message\": \"no\"}\n", ErrorClass::PermissionLost),
        ("c.json", r#"{"success": false, "message": "oops"}"#, ErrorClass::OkWithError),
    ] {
        match files.import(name, content, &at("$.data[*]")).unwrap().outcome {
            Outcome::Failed(failure) => assert_eq!(failure.class, class, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    // Records may speak of errors.
    let of_jobs = r#"{"data": [{"id": 1, "error": {"code": 401, "message": "no"}}], "error": null}"#;
    assert_eq!(complete(files.import("jobs.json", of_jobs, &at("$.data[*]"))).window.profile.records, 1);
    let of_two = "{\"code\": 401, \"message\": \"no\"}\n{\"code\": 403, \"message\": \"no\"}\n";
    assert_eq!(
        complete(files.import("two.jsonl", of_two, &ImportOptions::default())).window.profile.records,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn learning_that_stands_still_is_said_with_the_way_out() {
    let api =
        crate::support::api::Api::start(|_| crate::support::api::Reply::json(&json!({"data": []}))).await;
    let project = Project::new(&api, &Receivers::default());
    project.edit_config("windows: 2", "windows: 3");
    let import = |name: &str, records: Vec<Value>| {
        project.write(name, &json!(records).to_string());
        project.run(&["import", "-c", "crm/customers", name])
    };
    import("one.json", customers(0)).ended(0);
    let ran = import("two.json", crate::support::project::renamed(customers(1), "email", "mail")).ended(11);
    let said = "crm/customers: learning stands still at 1 window: this one shows hard changes and is not learned from; \
                where they are the new normal, `drogue baseline accept crm/customers` goes on";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert!(ran.stdout.contains("renamed  $.email → $.mail"), "{}", ran.stdout);
}
