//! The README's first command.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::project::Ran;
use crate::support::smtp::{SmtpSink, header};

/// Runs the demo beside its connector, which `cargo test --test it` does not build by itself.
fn demo(args: &[&str]) -> Ran {
    let program = Path::new(env!("CARGO_BIN_EXE_drogue"));
    if !program.with_file_name("examples").join("connector").is_file() {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "connector", "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .status();
        assert!(status.unwrap().success());
    }
    Command::new(program).arg("demo").args(args).env("LANG", "C.UTF-8").output().unwrap().into()
}

/// What the JSON says of the end of each sequence.
fn endings(shown: &Value) -> Vec<&Value> {
    let all = shown["events"].as_array().or(shown.as_array()).unwrap_or_else(|| panic!("{shown:#}"));
    all.iter().filter(|event| event.get("sequence").is_some() && event.get("with_drogue").is_some()).collect()
}

#[test]
fn the_recorded_history_leaves_no_hole() {
    let sink = SmtpSink::start();
    let ran = demo(&["--format", "json", "--smtp", &format!("127.0.0.1:{}", sink.port)]).ended(0);
    let shown = ran.json();
    let ends = endings(&shown);
    assert_eq!(ends.len(), 2, "{shown:#}");
    let sum = |side: &str, what: &str| ends.iter().map(|end| end[side][what].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("with_drogue", "holes"), sum("with_drogue", "wrong")), (0, 0));
    assert!(sum("without_drogue", "holes") > 2_000);

    let mails = sink.mails();
    assert!(mails.len() >= 4, "{}", mails.len());
    let ids: std::collections::BTreeSet<_> = mails.iter().map(|mail| header(mail, "Message-ID")).collect();
    assert_eq!(ids.len(), mails.len());
    assert!(mails.iter().any(|mail| mail.to_string().contains("totale_positivi")));
}

/// Stations of a made-up network on one day: a rename, then a removal without a successor, then numbers as strings.
fn stations(day: usize) -> Vec<Value> {
    (0..40_usize)
        .map(|i| {
            let level = 200 + (i * 37 + day * 13) % 150;
            let mut station =
                json!({"station": format!("S{i:03}"), "operator": format!("Operator {}", i % 7)});
            let name = if day < 6 { "water_level" } else { "water_level_cm" };
            station[name] = json!(level);
            if day < 10 {
                station["comment"] = json!(format!("reading {}", i * 31 + day * 7));
            }
            let height = 10 + (i * 17) % 90;
            station["height"] = if day < 14 { json!(height) } else { json!(height.to_string()) };
            station
        })
        .collect()
}

#[test]
fn another_history_shows_other_things() {
    let folder = tempfile::tempdir().unwrap();
    let steps: Vec<Value> = (0..18)
        .map(|day| {
            let file = format!("{day:02}.json");
            std::fs::write(folder.path().join(&file), json!(stations(day)).to_string()).unwrap();
            json!({"step": day, "date": format!("2024-05-{:02}", day + 1), "file": file})
        })
        .collect();
    let index = json!({"seq_id": "stations", "source": "made up", "licence": "CC0-1.0", "steps": steps});
    std::fs::write(folder.path().join("seq.json"), index.to_string()).unwrap();
    let place = folder.path().to_str().unwrap();
    let shown = demo(&["--sequence", place, "--format", "json"]).ended(0).json();
    let text = shown.to_string();
    for kind in ["renamed", "removed", "retyped"] {
        assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind}: {shown:#}");
    }
    assert!(text.contains("$.water_level_cm"));
    let end = endings(&shown)[0];
    // What is gone is gone: those holes nobody can fill, and all others are.
    let gone = 8 * 40;
    assert_eq!(end["with_drogue"]["wrong"], 0, "{end:#}");
    assert!(end["with_drogue"]["holes"].as_u64().unwrap() <= gone, "{end:#}");
    assert!(end["without_drogue"]["holes"].as_u64().unwrap() >= gone + 12 * 40, "{end:#}");

    let text = demo(&["--sequence", place]).ended(0).stdout;
    for word in ["renamed", "removed", "approved by `demo`", "2024-05-07", "2024-05-11", "2024-05-15"] {
        assert!(text.contains(word), "{word}:\n{text}");
    }
    let missing = demo(&["--sequence", "/nowhere/at/all"]).ended(1);
    assert!(missing.stderr.contains("seq.json"), "{missing:?}");
}
