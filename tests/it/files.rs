//! Files as users have them: an error in place of records, records that cannot be read, lists that sit elsewhere, names
//! that nothing has. What `drogue diff` and `drogue replay` say of them.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::project::{Project, Ran, customers};

/// Files in a folder, and the program that is run on them.
struct Files {
    folder: TempDir,
    project: Project,
}

impl Files {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), project: Project::bare() }
    }

    /// Writes a file; its place.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// One window a day from 2026-03-02 on, in a folder of that name; its place.
    fn days(&self, folder: &str, windows: impl IntoIterator<Item = Value>) -> String {
        for (day, window) in windows.into_iter().enumerate() {
            self.write(&format!("{folder}/2026-03-{:02}.json", day + 2), window.to_string());
        }
        self.folder.path().join(folder).display().to_string()
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.project.run(args)
    }

    fn json(&self, args: &[&str]) -> (i32, Value) {
        self.project.json(args)
    }
}

/// The rules of the findings of a report.
fn rules(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    findings.iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn an_error_in_place_of_records_is_one_finding() {
    let files = Files::new();
    let before = files.write("before.json", json!(customers(0)).to_string());
    for (body, rule) in [
        (json!({"error": {"code": 401, "message": "invalid token"}}), "sign-in-failed"),
        (json!({"errors": [{"message": "a field is missing"}]}), "ok-with-error"),
        (json!({"code": 401, "message": "token expired"}), "sign-in-failed"),
        (json!({"success": false, "message": "no such thing"}), "ok-with-error"),
    ] {
        let error = files.write("error.json", body.to_string());
        let (code, report) = files.json(&["diff", &before, &error]);
        assert_eq!((code, rules(&report)), (11, vec![rule]), "{body}");
        let ran = files.run(&["diff", &error, &before]);
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        assert!(ran.stderr.contains("error.json` holds an error in place of records ("), "{}", ran.stderr);
    }
    let empty = files.write("empty.json", "{}");
    assert_eq!(files.run(&["diff", &before, &empty]).code, Some(1), "nothing is no evidence");

    // A pattern of them is told, as of answers of the endpoint itself, and no field is gone.
    let error = || json!({"error": {"code": 401, "message": "invalid token"}});
    let days = (0..8).map(|day| if (4..7).contains(&day) { error() } else { json!(customers(day)) });
    let folder = files.days("days", days);
    let (code, replay) = files.json(&["replay", &folder]);
    assert_eq!(
        (code, &replay["summary"]["failed"], &replay["summary"]["windows"]),
        (11, &json!(3), &json!(5))
    );
    let outcomes: Vec<&str> = replay["windows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["outcome"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes[3..], ["compared", "failed", "failed", "failed", "compared"]);
    let text = files.run(&["replay", &folder]).stdout;
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("credential")).collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert!(lines[0].starts_with("2026-03-06 00:00  an error in place of records, auth-expired: "), "{text}");
    assert!(lines[2].starts_with("2026-03-07 00:00  OPENED breaking  "), "{text}");
    assert!(lines[4].starts_with("2026-03-08 00:00  still open (2nd window)  "), "{text}");
    assert!(lines[5].starts_with("2026-03-09 00:00  still open, 1 quiet window  "), "{text}");
    assert!(!text.contains(" is gone"), "{text}");
}

#[test]
fn a_list_beside_a_code_is_data() {
    let files = Files::new();
    let errors: Vec<Value> =
        (0..60).map(|i| json!({"id": i, "status": 500, "title": format!("title {i}")})).collect();
    for body in [
        json!({"errors": errors, "next": null}),
        json!({"code": 401, "message": "ok", "items": customers(0)}),
        json!({"status": 404, "title": "List", "items": customers(0)}),
    ] {
        let one = files.write("one.json", body.to_string());
        files.run(&["diff", &one, &one]).ended(0);
        let folder = files.days("same", (0..2).map(|_| body.clone()));
        let (code, replay) = files.json(&["replay", &folder]);
        assert_eq!((code, &replay["summary"]["failed"]), (0, &json!(0)), "{replay}");
    }
}

#[test]
fn a_range_of_times_in_a_name_is_no_offset() {
    let files = Files::new();
    let at = |folder: &str, names: [&str; 2]| {
        for name in names {
            files.write(&format!("{folder}/{name}"), json!(customers(0)).to_string());
        }
        let folder = files.folder.path().join(folder).display().to_string();
        files.json(&["replay", &folder]).1
    };
    let ranges = at("ranges", ["20261103_0815-0915.json", "20261103_0915-1015.json"]);
    assert_eq!(ranges["windows"][1]["at"], json!("2026-11-03T09:15:00Z"), "{ranges}");
    assert_eq!(ranges["notes"], json!([]));
    let offsets = at("offsets", ["20261103T081500-0500.json", "20261103T091500-0500.json"]);
    assert_eq!(offsets["windows"][1]["at"], json!("2026-11-03T14:15:00Z"), "{offsets}");
    let note = offsets["notes"][0].as_str().unwrap();
    assert!(note.starts_with("2 of 2 names have an offset from UTC "), "{note}");
}

#[test]
fn records_that_cannot_be_read_are_told_with_their_place() {
    let files = Files::new();
    let record = |i: u64, value: &str| format!("{{\"id\": {i},\n \"a\": {value}}}");
    let list = |value: &dyn Fn(u64) -> &'static str| {
        let all: Vec<String> = (0..40).map(|i| record(i, value(i))).collect();
        format!("[{}]", all.join(",\n"))
    };
    let good = files.write("good.json", list(&|i| if i % 2 == 0 { "1" } else { "2" }));
    let none = files.write("none.json", list(&|_| "1e999"));
    for (one, other) in [(&none, &none), (&none, &good), (&good, &none)] {
        let ran = files.run(&["diff", one, other]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        let wanted =
            "none.json` holds no record that can be read, of 40; the first fault is at line 2, column";
        assert!(ran.stderr.contains(wanted) && ran.stderr.contains("number out of range"), "{}", ran.stderr);
    }
    // Some of them cannot be read, in both: that is no difference, and yet it is said.
    let some = files.write("some.json", list(&|i| if i == 3 { "1e999" } else { "1" }));
    let (code, report) = files.json(&["diff", &some, &some]);
    let why = |at: usize| report["inconclusive"][at]["why"].as_str().unwrap().to_owned();
    assert_eq!((code, rules(&report)), (0, vec![]));
    assert!(
        why(0).starts_with(
            "before: 1 of 40 records cannot be read and are not compared, the first at line 8, "
        )
    );
    assert!(why(1).starts_with("now: 1 of 40 "), "{}", why(1));

    // The same of lines, of which one is broken.
    let lines = |broken: u64| -> String {
        (0..40)
            .map(|i| if i == broken { "\n{\"id\": 1,}\n".to_owned() } else { format!("{{\"id\": {i}}}\n") })
            .collect()
    };
    let (one, other) = (files.write("one.jsonl", lines(7)), files.write("other.jsonl", lines(99)));
    let report = files.json(&["diff", &one, &other]).1;
    let why = report["inconclusive"][0]["why"].as_str().unwrap();
    assert_eq!(
        why,
        "before: 1 of 40 records cannot be read and are not compared, the first at line 9, column 10: no JSON: trailing comma"
    );
}

#[test]
fn what_names_nothing_is_wrong_use() {
    let files = Files::new();
    let one = files.write("one.json", json!({"data": customers(0)}).to_string());
    let days = files.days("days", (0..4).map(|day| json!({"data": customers(day)})));
    for (args, said) in [
        (
            &["diff", &one, &one, "--key", "$.idd"][..],
            "`--key $.idd`: no record has it; the nearest are `$.id`, ",
        ),
        (
            &["diff", &one, &one, "--records", "$.dat"],
            "`--records $.dat`: no file has records there; there is `$.data[*]`",
        ),
        (&["diff", "-", "-"], "`-` stands for both sides, and standard input can be read once"),
        (&["replay", &days, "--learning-windows", "0"], "'--learning-windows <COUNT>'"),
        (
            &["replay", &one],
            "is a file: `replay` runs the windows in a folder, `drogue diff BEFORE AFTER` compares two files",
        ),
        (&["diff", &days, &one], "is a folder: `drogue replay "),
    ] {
        let ran = files.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
    }
    // Whether no window has it is known at the end, and what was replayed until then is not lost.
    for (args, said) in [
        (["--records", "$.nope"], "`--records $.nope`: no window has records there; there is `$.data[*]`"),
        (
            ["--key", "$.email_address"],
            "`--key $.email_address`: no window has it; the nearest are `$.email`, ",
        ),
    ] {
        let ran = files.run(&[&["replay", days.as_str()][..], &args[..]].concat()).ended(2);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
        assert!(ran.stdout.contains("4 windows; "), "{args:?}: {}", ran.stdout);
    }
    for args in [["--key", "$.id"], ["--records", "$.data[*]"], ["--records", "$.data"]] {
        files.run(&[&["replay", days.as_str()][..], &args[..]].concat()).ended(0);
        files.run(&[&["diff", one.as_str(), one.as_str()][..], &args[..]].concat()).ended(0);
    }
    let text = files.run(&["replay", &days, "--accept", "$.nope"]).ended(0).stdout;
    assert!(text.ends_with("`--accept $.nope` accepted nothing: nothing was told at all\n"), "{text}");
}

#[test]
fn records_that_sit_elsewhere_are_told_with_both_places() {
    let files = Files::new();
    let wrapped = |name: &str, body: Value| files.write(name, body.to_string());
    let data = wrapped("data.json", json!({"data": customers(0), "total": 60}));
    let items = wrapped("items.json", json!({"items": customers(0), "total": 60}));
    let bare = wrapped("bare.json", json!(customers(0)));
    let result = wrapped("result.json", json!({"result": {"items": customers(0)}}));
    for (before, after, from, to) in [
        (&data, &items, "$.data[*]", "$.items[*]"),
        (&bare, &result, "$[*]", "$.result.items[*]"),
        (&data, &bare, "$.data[*]", "$[*]"),
    ] {
        let (code, report) = files.json(&["diff", before, after]);
        assert_eq!((code, rules(&report)), (11, vec!["envelope-changed"]), "{from} to {to}");
        let evidence = &report["findings"][0]["evidence"];
        assert_eq!([&evidence["from"], &evidence["to"]], [from, to]);
        assert_eq!(report["compared"]["live"]["records"], 60);
    }
    // What is asked for by name, and what has moved from there.
    assert_eq!(files.json(&["diff", &data, &items, "--records", "$.data[*]"]).0, 11);

    // Of several lists the same one is read on both sides, and the others are named.
    let two = |orders: usize, customers_name: &str| {
        let orders = &customers(0)[..orders];
        let renamed = crate::support::project::renamed(customers(1), "name", customers_name);
        json!({"orders": orders, "customers": &renamed[..50]})
    };
    let (more, less) = (wrapped("more.json", two(60, "name")), wrapped("less.json", two(40, "title")));
    let (code, report) = files.json(&["diff", &more, &less]);
    assert_eq!((code, rules(&report)), (0, vec![]), "{report:#}");
    let why = "another list; `$.orders[*]` is read, and `--records '$.customers[*]'` chooses this one";
    assert_eq!(report["inconclusive"], json!([{"path": "$.customers[*]", "why": why}]));
    let (code, report) = files.json(&["diff", &more, &less, "--records", "$.customers[*]"]);
    assert_eq!((code, report["diagnoses"][0]["kind"].as_str()), (11, Some("renamed")), "{report:#}");

    // In a row of windows, too, and once it is accepted, not any more.
    let days = (0..7).map(|day| match day {
        0..4 => json!(customers(day)),
        _ => json!({"result": {"items": customers(day)}}),
    });
    let folder = files.days("days", days);
    let text = files.run(&["replay", &folder]).ended(11).stdout;
    let moved = "the records moved in the response: from `$[*]` to `$.result.items[*]` (envelope-changed)";
    assert!(text.contains(&format!("2026-03-06 00:00  OPENED breaking  {moved}")), "{text}");
    assert!(text.contains("still open: 1 breaking"), "{text}");
    let text = files.run(&["replay", &folder, "--accept", "all"]).ended(11).stdout;
    assert!(
        text.contains("2026-03-07 00:00  quiet until 2026-03-08 00:00, 2 windows, 60 records each"),
        "{text}"
    );
}

#[test]
fn formats_that_are_not_read_are_refused_by_name() {
    let files = Files::new();
    let good = files.write("good.json", json!(customers(0)).to_string());
    let utf16: Vec<u8> = "\u{feff}[{}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let csv = "id,name,city\n1,a,b\n2,c,d\n3,e,f\n";
    let lines = "turn its records into JSON, one object a line (.jsonl)";
    for (name, content, format, next) in [
        ("records.csv", csv.as_bytes(), "CSV", lines),
        ("table.json", csv.as_bytes(), "CSV", lines),
        ("records.xml", b"<?xml version='1.0'?><rows><row><id>1</id></row></rows>", "XML", lines),
        ("packed.json", b"\x1f\x8b\x08\0\0\0\0\0", "gzip data", "unpack it first"),
        ("wide.json", &utf16, "UTF-16 text", "save it as UTF-8"),
    ] {
        let other = files.write(name, content);
        let said = format!("{name}` is {format}; `diff` reads JSON and JSONL files of records: {next}");
        let ran = files.run(&["diff", &good, &other]).ended(1);
        assert!(ran.stderr.contains(&said), "{name}: {}", ran.stderr);
        if name.ends_with(".json") {
            let folder = format!("of-{name}");
            files.write(&format!("{folder}/1.json"), content);
            let folder = files.folder.path().join(folder).display().to_string();
            let ran = files.run(&["replay", &folder]);
            let said = format!("1.json` is {format}; JSON, JSONL and HAR files are read: {next}");
            assert!(ran.stdout.contains(&said), "{name}: {}", ran.stdout);
        }
    }
    // Broken JSON is told with line and column, by both in the same words.
    let broken = "[{\"id\": 1},\n {\"id\": 2}}]";
    let other = files.write("broken.json", broken);
    files.write("broken/1.json", broken);
    let folder = files.folder.path().join("broken").display().to_string();
    let (diff, replay) = (files.run(&["diff", &good, &other]), files.run(&["replay", &folder]));
    for said in [&diff.stderr, &replay.stdout] {
        assert!(said.contains(".json`, line 2, column 11: no JSON: expected `,` or `]`"), "{said}");
    }
    let next = files.write("next.json", json!({"openapi": "4.0.0", "info": {}, "paths": {}}).to_string());
    let ran = files.run(&["diff", &next, &next]).ended(1);
    assert!(
        ran.stderr.contains("next.json` is OpenAPI 4.0.0, a version other than 3.x, which is not understood"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_replay_makes_of_names_is_said() {
    let files = Files::new();
    let of = |folder: &str, names: &[&str]| {
        for (turn, name) in names.iter().enumerate() {
            files.write(&format!("{folder}/{name}.json"), json!(customers(turn as u64)).to_string());
        }
        let folder = files.folder.path().join(folder).display().to_string();
        files.run(&["replay", &folder]).ended(0).stdout
    };
    let text = of("mixed", &["a-13-03-2026", "b-14-03-2026", "c-2026-03-17", "d-18-03-2026"]);
    let said = "1 of 4 names have a date that is read (2026-03-14, 20260314T0815); all are taken in the order of their names";
    assert!(text.starts_with(said), "{text}");
    // Windows of one time are no history, whatever their number.
    let text = of("same", &["2026-03-01a", "2026-03-01b", "2026-03-01c", "2026-03-01d"]);
    assert!(text.contains("2026-03-01 00:00  learning: window 4, 60 records; they span 0s of 1d"), "{text}");
}

#[test]
fn what_changed_of_the_contract_alone_is_listed() {
    let files = Files::new();
    let api = |media: &str| {
        let schema = json!({"type": "object", "properties": {"id": {"type": "string"}}});
        json!({"openapi": "3.0.3", "info": {"title": "Shop", "version": "1"}, "paths": {"/orders": {"get": {
            "responses": {"200": {"description": "ok", "content": {media: {"schema": schema}}}}}}}})
    };
    let (one, other) = (
        files.write("one.json", api("application/json").to_string()),
        files.write("other.json", api("application/vnd.api+json").to_string()),
    );
    let text = files.run(&["diff", &one, &other]).ended(0).stdout;
    assert!(text.contains("contract besides: INFO (1)"), "{text}");
    assert!(text.contains("application/json → application/vnd.api+json"), "{text}");
    let text = files.run(&["diff", &one, &other, "--format", "markdown"]).ended(0).stdout;
    assert!(text.contains("contract besides: INFO (1)"), "{text}");
}
