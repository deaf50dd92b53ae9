//! The program as a user types it: from an empty folder to an applied patch, and every command on the way.

use std::os::unix::fs::PermissionsExt as _;

use drogue::config::LearningSettings;
use drogue::engine::{Accepting, EventKind, ReplayOptions};
use drogue::model::Period;
use serde_json::{Value, json};

use crate::support::api::{Api, Reply};
use crate::support::project::{
    Feed, HOOK_SECRET, MAPPING, Project, Receivers, TOKEN, customers, page, renamed,
};
use crate::support::smtp::{SmtpSink, header, parts};

/// A project that has learnt its stream, whose vendor has then renamed `email`.
async fn drifted() -> (Feed, Api, Project) {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    project.learn();
    feed.renames("email", "email_address");
    (feed, api, project)
}

/// The one patch of a report set.
fn patch_of(set: &Value) -> String {
    let diagnosis = &set["reports"][0]["diagnoses"][0];
    diagnosis["patch"].as_str().unwrap_or_else(|| panic!("no patch: {set:#}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_from_the_first_look_to_the_undo() {
    let (_feed, _api, project) = drifted().await;
    project.run(&["config", "check"]).ended(0);
    std::fs::set_permissions(project.path("map.yaml"), std::fs::Permissions::from_mode(0o640)).unwrap();

    let (code, set) = project.json(&["check"]);
    assert_eq!(code, 11, "{set:#}");
    assert_report_set(&set);
    let report = &set["reports"][0];
    assert_eq!(report["subject"], json!({"connector": "crm", "stream": "customers"}));
    assert_eq!(
        (&report["compared"]["kind"], &report["compared"]["live"]["records"]),
        (&json!("records"), &json!(60))
    );
    let diagnosis = &report["diagnoses"][0];
    assert_eq!((&diagnosis["kind"], &diagnosis["path"]), (&json!("renamed"), &json!("$.email")));
    assert_eq!(diagnosis["to"], json!(["$.email_address"]));
    assert_eq!(diagnosis["severity"], "breaking");
    let id = patch_of(&set);

    let (code, patches) = project.json(&["patches", "list"]);
    assert_eq!((code, patches["patches"].as_array().unwrap().len()), (0, 1), "{patches:#}");
    assert_eq!(patches["version"], 1, "{patches:#}");
    let patches = &patches["patches"];
    assert_eq!((&patches[0]["id"], &patches[0]["state"]), (&json!(id), &json!("verified")));
    let shown = project.run(&["patches", "show", &id[..8]]).ended(0).stdout;
    assert!(shown.contains("$.email_address"), "{shown}");
    assert!(shown.contains(&format!("drogue approve {id}")), "{shown}");
    project.run(&["patches", "verify", &id]).ended(0);

    let said = project.run(&["approve", &id, "--reason", "seen in the changelog"]).ended(0).stdout;
    assert!(said.contains(&format!("drogue rollback {id}")), "{said}");
    let patched = project.read("map.yaml");
    assert_eq!(
        patched,
        MAPPING.replace("mail: $.email #", "mail: [$.email_address, $.email] #"),
        "every other byte stays"
    );
    let mode = std::fs::metadata(project.path("map.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let (code, set) = project.json(&["check"]);
    assert_eq!((code, &set["reports"][0]["findings"]), (0, &json!([])), "{set:#}");
    project.run(&["findings"]).ended(0);
    assert_eq!(project.json(&["patches", "list"]).1["patches"], json!([]));
    assert_eq!(project.json(&["patches", "list", "--all"]).1["patches"][0]["state"], "confirmed");
    let again = project.run(&["approve", &id]).ended(1);
    assert!(again.stderr.contains("cannot be approved"), "{again:?}");

    project.run(&["rollback", &id, "--reason", "too early"]).ended(0);
    assert_eq!(project.read("map.yaml"), MAPPING, "byte for byte");
    let (code, set) = project.json(&["check"]);
    assert_eq!(code, 11, "the old mapping does not read the new name: {set:#}");

    let history = project.json(&["baseline", "history", "crm/customers"]).1["versions"].take();
    assert!(history.as_array().unwrap().len() >= 3, "{history:#}");
    project.run(&["audit", "verify"]).ended(0);
    let audit = project.json(&["audit", "list"]).1.to_string();
    for word in ["seen in the changelog", "too early", "tester"] {
        assert!(audit.contains(word), "{audit}");
    }
    project.run(&["doctor"]);
    assert_eq!(
        project.json(&["doctor"]).1["health"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["ok"] == false)
            .count(),
        1
    );
}

/// The fields that the contract names, each of its type.
fn assert_report_set(set: &Value) {
    assert_eq!((&set["version"], &set["drogue"]), (&json!(1), &json!(env!("CARGO_PKG_VERSION"))));
    assert!(set["unobserved"].is_array());
    for report in set["reports"].as_array().unwrap() {
        assert_eq!(report["version"], 1);
        for side in ["baseline", "live"] {
            let side = &report["compared"][side];
            assert!(side["records"].is_u64() && side["from"].is_string() && side["to"].is_string(), "{side}");
        }
        assert!(report["compared"]["baseline"]["version"].is_u64());
        for diagnosis in report["diagnoses"].as_array().unwrap() {
            for text in ["id", "kind", "severity", "path", "summary"] {
                assert!(diagnosis[text].is_string(), "{text}: {diagnosis:#}");
            }
            assert!(diagnosis["to"].is_array() && diagnosis["explains"].is_array());
            assert!(diagnosis["confidence"].is_number());
            assert!(diagnosis["detail"].is_object() && diagnosis["evidence"].is_object());
            assert!(diagnosis.get("patch").is_some(), "an id or null: {diagnosis:#}");
        }
        for finding in report["findings"].as_array().unwrap() {
            for text in
                ["fingerprint", "rule", "severity", "path", "message", "state", "first_seen", "last_seen"]
            {
                assert!(finding[text].is_string(), "{text}: {finding:#}");
            }
            assert!(finding["evidence"].is_object());
            assert!(finding.get("explained_by").is_some(), "an id or null: {finding:#}");
        }
        for open in report["inconclusive"].as_array().unwrap() {
            assert!(open["path"].is_string() && open["why"].is_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_turned_a_patch_down_may_think_better_of_it() {
    let (_feed, _api, project) = drifted().await;
    let id = patch_of(&project.json(&["check"]).1);
    project.run(&["reject", &id]).ended(0);
    for _ in 0..2 {
        project.run(&["approve", &id]).ended(0);
        assert!(project.read("map.yaml").contains("email_address"));
        project.run(&["approve", &id]).ended(1);
        project.run(&["rollback", &id]).ended(0);
        assert_eq!(project.read("map.yaml"), MAPPING);
    }
    project.run(&["audit", "verify"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_keeps_what_was_accepted_after_the_patch() {
    let (feed, _api, project) = drifted().await;
    let id = patch_of(&project.json(&["check"]).1);
    project.run(&["approve", &id]).ended(0);
    project.run(&["check"]).ended(0);

    // Something else changes, and is fine.
    feed.answers(|turn| {
        page(&renamed(renamed(customers(turn), "email", "email_address"), "created_at", "created_on"))
    });
    project.run(&["check"]).ended(11);
    project.run(&["baseline", "accept", "crm/customers"]).ended(0);
    project.run(&["check"]).ended(0);

    project.run(&["rollback", &id]).ended(0);
    let set = project.json(&["check"]).1;
    let told: Vec<&Value> =
        set["reports"][0]["diagnoses"].as_array().unwrap().iter().map(|d| &d["path"]).collect();
    assert_eq!(told, [&json!("$.email")], "what was accepted since stays accepted: {set:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_turned_down_or_gets_stale() {
    let (feed, _api, project) = drifted().await;
    let id = patch_of(&project.json(&["check"]).1);
    project.run(&["reject", &id, "--reason", "we ask the vendor first"]).ended(0);
    assert_eq!(project.read("map.yaml"), MAPPING);
    assert_eq!(project.json(&["patches", "show", &id]).1["state"], "rejected");
    assert_eq!(project.json(&["check"]).0, 11, "what is turned down stays a finding");
    assert_eq!(project.json(&["patches"]).1["patches"], json!([]), "and is not proposed again");

    feed.answers(|turn| {
        page(&renamed(renamed(customers(turn), "email", "email_address"), "created_at", "created_on"))
    });
    let set = project.json(&["check"]).1;
    let pending = project.json(&["patches"]).1["patches"].take();
    let other = pending[0]["id"].as_str().unwrap_or_else(|| panic!("{set:#}")).to_owned();
    let edited = MAPPING.replace("# The key.", "# The primary key.");
    project.write("map.yaml", &edited);
    let refused = project.run(&["approve", &other]).ended(1);
    assert!(refused.stderr.contains("no longer the file"), "{refused:?}");
    assert_eq!(project.read("map.yaml"), edited);
    assert_eq!(project.json(&["patches", "show", &other]).1["state"], "stale");

    // The next check makes one for the file as it is now.
    project.run(&["check"]).ended(11);
    let next = project.json(&["patches"]).1["patches"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(next, other);
    project.run(&["approve", &next]).ended(0);
    assert!(project.read("map.yaml").contains("# The primary key."));
    // And an edit after that makes its undo a refusal, not a loss.
    let mended = project.read("map.yaml") + "# mine\n";
    project.write("map.yaml", &mended);
    project.run(&["rollback", &next]).ended(1);
    assert_eq!(project.read("map.yaml"), mended);
}

#[tokio::test(flavor = "multi_thread")]
async fn four_verbs_for_a_finding() {
    let (_feed, _api, project) = drifted().await;
    let set = project.json(&["check"]).1;
    let breaking = set["reports"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["severity"] == "breaking")
        .unwrap_or_else(|| panic!("{set:#}"));
    let (fingerprint, path) = (breaking["fingerprint"].as_str().unwrap(), breaking["path"].as_str().unwrap());
    let (code, listed) = project.json(&["findings", "list"]);
    assert_eq!(code, 11);
    assert_report_set(&listed);
    assert_eq!(project.json(&["findings", "list", "crm/customers"]).0, 11);
    assert_eq!(
        project.json(&["findings", "show", &fingerprint[..8]]).1["finding"]["fingerprint"],
        fingerprint
    );
    let explained = project.run(&["findings", "explain", fingerprint]).ended(0).stdout;
    assert!(explained.contains("drogue baseline accept crm/customers"), "{explained}");
    assert!(explained.contains("nobody is told"), "{explained}");

    // Silence: muted, and back again.
    let (_, silence) =
        project.json(&["silence", "add", "crm/customers", "--for", "2h", "--reason", "vendor is told"]);
    let silence = silence["id"].as_str().unwrap();
    assert_eq!(project.json(&["silence", "list"]).1["silences"][0]["id"], silence);
    assert_eq!(project.json(&["findings"]).0, 0, "a silenced finding does not count");
    assert_eq!(project.json(&["check"]).0, 0, "nor when it is seen again");
    assert!(project.json(&["findings", "show", fingerprint]).1["silenced_until"].is_string());
    project.run(&["silence", "expire", silence]).ended(0);
    project.run(&["silence", "expire", silence]).ended(1);
    assert_eq!(project.json(&["silence", "list"]).1["silences"], json!([]));
    assert_eq!(project.json(&["findings"]).0, 11);

    // Acknowledge: known, and not counted again. All of them, so that the exit code shows it.
    for finding in project.json(&["findings"]).1["reports"][0]["findings"].as_array().unwrap() {
        project
            .run(&["findings", "ack", finding["fingerprint"].as_str().unwrap(), "--reason", "on it"])
            .ended(0);
    }
    assert_eq!(project.json(&["findings"]).0, 0);
    let (code, set) = project.json(&["check"]);
    assert_eq!(code, 0, "an acknowledged finding is told no more: {set:#}");
    let same = |finding: &&Value| finding["fingerprint"] == fingerprint;
    let again = set["reports"][0]["findings"].as_array().unwrap().iter().find(same).unwrap();
    assert_eq!((&again["state"], &again["first_seen"]), (&json!("acknowledged"), &breaking["first_seen"]));
    assert_eq!(project.json(&["findings", "show", fingerprint]).1["finding"]["state"], "acknowledged");
    project.run(&["findings", "ack", fingerprint]).ended(1);

    // Ignore: what it prints goes into the config as it stands.
    let yaml =
        project.run(&["ignore", "crm/customers", path, "--reason", "ours to \"ignore\""]).ended(0).stdout;
    let config = project.read("drogue.yaml");
    project.write("drogue.yaml", &format!("{config}{yaml}"));
    project.run(&["config", "check"]).ended(0);
    let set = project.json(&["check"]).1;
    let paths = set["reports"][0]["findings"].as_array().unwrap();
    assert!(paths.iter().all(|finding| finding["path"] != path), "{set:#}");
    project.write("drogue.yaml", &config);

    // Accept: the new normal.
    project.run(&["check"]);
    let (code, resolved) = project.json(&["baseline", "accept", "crm/customers", "--reason", "as announced"]);
    assert_eq!(
        (code, resolved["resolved"].as_array().is_some_and(|all| !all.is_empty())),
        (0, true),
        "{resolved}"
    );
    assert_eq!(project.json(&["check"]).0, 0);
    project.run(&["findings", "show", "nothing"]).ended(1);
}

/// Customers with a plan; some of those of this share have a new one.
fn with_plan(turn: u64, new: u64) -> Vec<Value> {
    let mut records = customers(turn);
    for (i, record) in records.iter_mut().enumerate() {
        record["plan"] = json!(if (i as u64) < new { "team" } else { ["free", "plus", "business"][i % 3] });
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_was_accepted_is_never_told_again() {
    let feed = Feed::new();
    feed.answers(|turn| page(&with_plan(turn, 0)));
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    project.learn();
    project.run(&["check"]).ended(0);

    feed.answers(|turn| page(&with_plan(turn, 9)));
    let (code, set) = project.json(&["check"]);
    assert!(matches!(code, 10 | 11), "{set:#}");
    let finding = &set["reports"][0]["findings"][0];
    assert_eq!((&finding["kind"], &finding["path"]), (&json!("enum-changed"), &json!("$.plan")), "{set:#}");
    project.run(&["baseline", "accept", "crm/customers", "--reason", "a new plan"]).ended(0);

    // It stays, goes, and comes back: nobody is asked again. That a word went is told as such.
    for new in [9, 9, 0, 0, 0, 8] {
        feed.answers(move |turn| page(&with_plan(turn, new)));
        let (code, set) = project.json(&["check"]);
        let told: Vec<&Value> =
            set["reports"][0]["findings"].as_array().unwrap().iter().map(|f| &f["rule"]).collect();
        let expected: &[&str] = if new == 0 { &["enum-value-lost"] } else { &[] };
        assert_eq!(told, expected, "{new} of them: {set:#}");
        assert_eq!(code, if new == 0 { 10 } else { 0 }, "{set:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn baselines_travel() {
    let (_feed, _api, project) = drifted().await;
    project.run(&["check"]).ended(11);
    let shown = project.run(&["baseline", "show", "crm/customers"]).ended(0).stdout;
    assert!(shown.contains("$.email") && shown.contains("2 windows"), "{shown}");
    assert!(shown.contains("learning is over"), "{shown}");
    let exported = project.run(&["baseline", "export", "crm/customers"]).ended(0).stdout;
    assert!(!exported.contains("person3@"), "an export holds no values");
    project.write("baseline.json", &exported);

    project
        .run(&["baseline", "accept", "crm/customers", "--path", "$.email", "--path", "$.email_address"])
        .ended(0);
    project.run(&["check"]).ended(0);
    project.run(&["baseline", "import", "crm/customers", "baseline.json"]).ended(0);
    project.run(&["check"]).ended(11);
    let history = project.json(&["baseline", "history", "crm/customers"]).1["versions"].take();
    assert_eq!(history.as_array().unwrap().len(), 4, "{history:#}");

    project.write("baseline.json", "{\"version\": \"what\"}");
    let refused = project.run(&["baseline", "import", "crm/customers", "baseline.json"]).ended(1);
    assert!(refused.stderr.contains("baseline.json"), "{refused:?}");
    let unknown = project.run(&["baseline", "show", "crm/costumers"]).ended(1);
    assert!(unknown.stderr.contains("did you mean `crm/customers`?"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_cannot_be_observed() {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    project.learn();
    for answer in [
        Reply::text("text/html", "<html><body>Sign in</body></html>"),
        Reply::json(&json!({"error": "token expired"})).status(401),
    ] {
        feed.answers(move |_| answer.clone());
        let (code, set) = project.json(&["check"]);
        assert_eq!(code, 12, "{set:#}");
        let unobserved = &set["unobserved"][0];
        assert_eq!((&unobserved["connector"], &unobserved["stream"]), (&json!("crm"), &json!("customers")));
        assert!(unobserved["outcome"].is_string() && unobserved["retry_at"].is_string(), "{unobserved}");
        feed.answers(|turn| page(&customers(turn)));
        project.run(&["check"]).ended(0);
    }
    // An empty list is no evidence of anything.
    feed.answers(|_| page(&[]));
    let ran = project.run(&["check"]).ended(0);
    assert!(ran.stderr.contains("no records came"), "{ran:?}");
    // What lasts is a finding.
    feed.answers(|_| Reply::text("text/html", "<html><body>Moved</body></html>"));
    project.run(&["check"]).ended(12);
    let (code, set) = project.json(&["check"]);
    assert_eq!((code, &set["reports"][0]["diagnoses"][0]["kind"]), (11, &json!("not-json")), "{set:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_place_of_an_api() {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    let text = |records: &[Value]| json!({"data": records}).to_string();
    let lines = |records: &[Value]| records.iter().map(|record| format!("{record}\n")).collect::<String>();
    let har = |records: &[Value]| {
        json!({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": [{
            "startedDateTime": "2026-01-01T00:00:00Z", "time": 1,
            "request": {"method": "GET", "url": api.url("/customers"), "httpVersion": "HTTP/1.1", "headers": [],
                        "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0},
            "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [],
                         "headers": [{"name": "content-type", "value": "application/json"}], "redirectURL": "",
                         "content": {"size": 1, "mimeType": "application/json", "text": text(records)},
                         "headersSize": -1, "bodySize": -1},
            "cache": {}, "timings": {"send": 0, "wait": 0, "receive": 0}}]}})
        .to_string()
    };
    let drifted = renamed(customers(3), "email", "email_address");
    project.write("1.json", &text(&customers(1)));
    project.write("2.jsonl", &lines(&customers(2)));
    project.write("3.har", &har(&drifted));
    project.run(&["import", "-c", "crm", "1.json", "2.jsonl"]).ended(0);
    let (code, set) = project.json(&["import", "-c", "crm/customers", "3.har"]);
    assert_eq!((code, &set["reports"][0]["diagnoses"][0]["kind"]), (11, &json!("renamed")), "{set:#}");
    assert!(api.seen().is_empty(), "nobody was asked");
    project.write("4.json", "{\"data\": [");
    project.write("5.csv", "id,email\n1,a\n");
    for file in ["4.json", "5.csv", "nothing.json"] {
        let ran = project.run(&["import", "-c", "crm", file]);
        assert!(matches!(ran.code, Some(1 | 12)), "{ran:?}");
        assert!(ran.stderr.contains(file) || ran.stdout.contains(file), "{ran:?}");
    }

    // The same without config and database.
    let bare = project.path("windows");
    std::fs::create_dir(&bare).unwrap();
    for (name, records) in [("a.json", customers(1)), ("b.json", customers(2)), ("c.json", drifted)] {
        std::fs::write(bare.join(name), text(&records)).unwrap();
    }
    std::fs::remove_file(project.path("drogue.yaml")).unwrap();
    let (code, windows) = project.json(&["replay", "windows"]);
    assert_eq!((code, windows["windows"].as_array().unwrap().len()), (11, 3), "{windows:#}");
    project.run(&["replay", "windows"]).ended(11);
    let (code, report) = project.json(&["diff", "windows/a.json", "windows/c.json"]);
    assert_eq!((code, &report["diagnoses"][0]["kind"]), (11, &json!("renamed")), "{report:#}");
    project.run(&["diff", "windows/a.json", "windows/c.json"]).ended(11);
    assert_eq!(project.json(&["diff", "windows/a.json", "windows/b.json"]).0, 0);
    let more: Vec<Value> = customers(2)
        .into_iter()
        .map(|mut record| {
            record["vip"] = json!(true);
            record
        })
        .collect();
    std::fs::write(bare.join("d.json"), text(&more)).unwrap();
    assert_eq!(project.json(&["diff", "windows/a.json", "windows/d.json"]).0, 10);
    let args = ["diff", "windows/a.json", "windows/d.json", "--fail-on", "breaking"];
    assert_eq!(project.json(&args).0, 0);
    project.run(&["diff", "windows/a.json", "windows/nothing.json"]).ended(1);
    project.run(&["diff", "windows/a.json"]).ended(2);
    let url = api.url("/customers");
    let refused = project.run(&["diff", "windows/a.json", &url]).ended(1);
    assert!(refused.stderr.contains("--allow-private"), "it says what lets it: {refused:?}");
    project.run(&["diff", "windows/a.json", &url, "--allow-private", "127.0.0.0/8"]).ended(0);
    let missing = project.run(&["check"]).ended(1);
    assert!(missing.stderr.contains("drogue init"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_speaks_json() {
    let (_feed, _api, project) = drifted().await;
    let set = project.json(&["check"]).1;
    let id = patch_of(&set);
    let fingerprint = set["reports"][0]["findings"][0]["fingerprint"].as_str().unwrap();
    let exported = project.json(&["baseline", "export", "crm/customers"]).1;
    project.write("baseline.json", &exported.to_string());
    project.write("one.json", &json!(customers(1)).to_string());
    std::fs::create_dir(project.path("fresh")).unwrap();
    let silence = project.json(&["silence", "add", "crm", "--for", "1h", "--reason", "r"]).1["id"].clone();
    for args in [
        vec!["config", "check"],
        vec!["doctor"],
        vec!["probe", "crm/customers", "--dry-run"],
        vec!["record"],
        vec!["import", "-c", "crm", "one.json"],
        vec!["findings"],
        vec!["findings", "list", "--all"],
        vec!["findings", "show", fingerprint],
        vec!["findings", "explain", fingerprint],
        vec!["silence", "list"],
        vec!["silence", "expire", silence.as_str().unwrap()],
        vec!["ignore", "crm/customers", "$.name"],
        vec!["patches"],
        vec!["patches", "show", &id],
        vec!["baseline", "show", "crm/customers"],
        vec!["baseline", "history", "crm/customers"],
        vec!["baseline", "import", "crm/customers", "baseline.json"],
        vec!["diff", "one.json", "one.json"],
        vec!["replay", "fresh"],
        vec!["rules"],
        vec!["rules", "explain", "field-removed"],
        vec!["rules", "explain", "--kinds"],
        vec!["rules", "test"],
        vec!["audit", "verify"],
        vec!["audit", "list"],
        vec!["init", "fresh", "--output", "fresh/drogue.yaml"],
    ] {
        if args[0] == "replay" {
            std::fs::write(project.path("fresh/1.json"), json!(customers(1)).to_string()).unwrap();
        }
        let ran = project.run(&[&args[..], &["--format", "json"]].concat());
        assert!(serde_json::from_str::<Value>(&ran.stdout).is_ok(), "{args:?}: {ran:?}");
        assert!(!ran.stdout.contains(TOKEN), "{args:?}");
    }
    project.run(&["rules", "test"]).ended(0);
    project.run(&["rules", "explain", "no-such-rule"]).ended(1);
    project.run(&["no-such-command"]).ended(2);
    project.edit_config("learning:", "leraning:");
    let wrong = project.run(&["config", "check", "--format", "json"]).ended(1);
    assert!(wrong.json().to_string().contains("learning"), "{wrong:?}");
    let text = project.run(&["check"]).ended(1).stderr;
    assert!(text.contains("leraning") && text.contains("learning"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_found_nowhere() {
    let sink = SmtpSink::start();
    let hooks = Api::start(|_| Reply::text("text/plain", "ok")).await;
    let feed = Feed::new();
    let api = feed.serve().await;
    let receivers = Receivers { smtp_port: Some(sink.port), webhook: Some(hooks.url("/hook")) };
    let project = Project::new(&api, &receivers);
    let mut said = String::new();
    let mut run = |args: &[&str]| {
        let ran = project.run(&[args, &["-vv"]].concat());
        said.push_str(&ran.stdout);
        said.push_str(&ran.stderr);
        ran
    };
    run(&["record"]).ended(0);
    run(&["record"]).ended(0);
    run(&["probe", "crm/customers", "--dry-run"]).ended(0);
    // A server that repeats what it was sent, in an error and in its data.
    feed.answers(|_| {
        let echo = format!("bad token Bearer {TOKEN}");
        Reply::json(&json!({"error": echo})).status(401).header("x-echo", TOKEN)
    });
    run(&["check"]).ended(12);
    run(&["check"]).ended(11);
    feed.answers(|turn| page(&renamed(customers(turn), "email", "email_address")));
    run(&["check"]).ended(11);
    run(&["findings", "list", "--all", "--format", "json"]);
    run(&["patches", "show", project.json(&["patches"]).1["patches"][0]["id"].as_str().unwrap()]);
    run(&["doctor", "--format", "json"]);
    run(&["audit", "list", "--format", "json"]);
    feed.answers(|_| Reply::redirect(302, &format!("http://10.0.0.1/{TOKEN}")));
    run(&["check"]);
    project.write("map.yaml", "not: [a map");
    run(&["check"]);
    project.edit_config("base_url:", "base_urll:");
    run(&["check"]).ended(1);

    assert!(api.seen().iter().all(|seen| seen.header("authorization") == Some(&format!("Bearer {TOKEN}"))));
    let mails = sink.mails();
    assert!(!mails.is_empty());
    for (place, text) in [("output", said), ("mails", json!(mails).to_string())] {
        assert_clean(place, text.as_bytes());
    }
    let seen = hooks.seen();
    assert!(!seen.is_empty());
    for hook in &seen {
        assert_clean("webhook", format!("{:?} {}", hook.headers, hook.body).as_bytes());
    }
    for entry in std::fs::read_dir(project.folder()).unwrap() {
        let path = entry.unwrap().path();
        assert_clean(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
}

/// Neither secret is there, as it is or in base64.
#[track_caller]
fn assert_clean(place: &str, bytes: &[u8]) {
    use base64::Engine as _;
    let secret = HOOK_SECRET.strip_prefix("whsec_").unwrap();
    let encoded = base64::engine::general_purpose::STANDARD.encode(TOKEN);
    for canary in [TOKEN, secret, &encoded[..20]] {
        let at = bytes.windows(canary.len()).position(|part| part == canary.as_bytes());
        let around = at.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..at]).into_owned());
        assert_eq!(around, None, "a secret in {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receivers_hear_of_it() {
    let sink = SmtpSink::start();
    let hooks = Api::start(|_| Reply::text("text/plain", "ok")).await;
    let feed = Feed::new();
    let api = feed.serve().await;
    let receivers = Receivers { smtp_port: Some(sink.port), webhook: Some(hooks.url("/hook")) };
    let project = Project::new(&api, &receivers);
    project.learn();
    project.run(&["doctor"]).ended(0);
    feed.renames("email", "email_address");
    let ran = project.run(&["check", "-v", "--format", "json"]);
    let id = patch_of(&ran.json());
    assert_eq!(sink.mails().len(), 1, "{}", ran.stderr);
    project.run(&["check"]).ended(11);
    let mails = sink.mails();
    assert_eq!((mails.len(), hooks.seen().len()), (1, 1), "one incident is told once");
    let text = parts(&mails[0], "text/plain")[0]["text"].as_str().unwrap();
    for word in [format!("drogue approve {id}"), "$.email_address".to_owned(), "+      mail:".to_owned()] {
        assert!(text.contains(&word), "{text}");
    }
    project.run(&["approve", &id]).ended(0);
    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(header(&mails[0], "References"), header(&mails[1], "References"), "one thread");
    project.run(&["rollback", &id]).ended(0);
    assert_eq!((sink.mails().len(), hooks.seen().len()), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgres() {
    use crate::support::database::TestDatabase;
    use drogue::store::StoreTarget;
    let Some(database) = TestDatabase::postgres() else { return };
    let StoreTarget::Postgres(url) = &database.target else { panic!("it is PostgreSQL") };
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default()).with("DATABASE", url.expose());
    project.edit_config("connectors:", "store: {postgres: '${DATABASE}'}\nconnectors:");
    project.learn();
    feed.renames("email", "email_address");
    let (code, set) = project.json(&["check"]);
    assert_eq!(code, 11, "{set:#}");
    let id = patch_of(&set);
    project.run(&["approve", &id]).ended(0);
    assert!(project.read("map.yaml").contains("[$.email_address, $.email]"));
    project.run(&["check"]).ended(0);
    project.run(&["rollback", &id]).ended(0);
    assert_eq!(project.read("map.yaml"), MAPPING);
    project.run(&["audit", "verify"]).ended(0);
    assert!(!project.path("drogue.db").exists());
}

/// Customers whose amounts are in cents.
fn in_cents(turn: u64) -> Vec<Value> {
    let mut records = customers(turn);
    for record in &mut records {
        record["amount"] = json!(record["amount"].as_u64().unwrap() * 100);
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_too_small_to_judge_by_resolves_nothing() {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    project.learn();
    feed.answers(|turn| page(&in_cents(turn)));
    let (code, set) = project.json(&["check"]);
    assert_eq!(code, 11, "{set:#}");
    let open = || {
        let set = project.json(&["findings"]).1;
        let reports = set["reports"].as_array().unwrap();
        reports.iter().map(|report| report["findings"].as_array().unwrap().len()).sum::<usize>()
    };
    assert_eq!(open(), 1);

    // Five records, back in the old unit or not: who could say?
    feed.answers(|turn| page(&customers(turn)[..5]));
    for _ in 0..3 {
        project.run(&["check"]);
        assert_eq!(open(), 1, "nothing was seen, and nothing is over");
    }
    feed.answers(|turn| page(&customers(turn)));
    for _ in 0..2 {
        project.run(&["check"]);
    }
    assert_eq!(open(), 0, "sixty records in the old unit are a word");
}

#[test]
fn a_small_window_does_not_hide_what_changed_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, records: &[Value]| {
        std::fs::write(folder.path().join(name), json!(records).to_string()).unwrap();
    };
    write("1.json", &customers(1));
    write("2.json", &customers(2));
    write("3.json", &customers(3)[..6]);
    write("4.json", &in_cents(4));
    write("5.json", &in_cents(5));
    let options = ReplayOptions {
        accept: Accepting::Everything,
        learning: LearningSettings { windows: 2, span: Period::from_secs(0) },
        ..ReplayOptions::default()
    };
    let windows = drogue::engine::replay(folder.path(), &options).unwrap().windows;
    let told: Vec<Vec<String>> = windows
        .iter()
        .map(|window| {
            let opened = window.events.iter().filter(|event| event.event == EventKind::Opened);
            opened.map(|event| format!("{} {}", event.kind, event.path)).collect()
        })
        .collect();
    let nothing: Vec<String> = Vec::new();
    assert_eq!(told[..3], [nothing.clone(), nothing.clone(), nothing.clone()]);
    assert_eq!(told[3], ["rescaled $.amount"], "it is seen beyond the six records before it");
    assert_eq!(told[4], nothing, "and told once");
}
