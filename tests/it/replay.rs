//! `drogue replay`: what would have been said, by window; and that it is what the engine says.

use std::path::Path;

use drogue::config::LearningSettings;
use drogue::engine::{Accepting, EventKind, Replay, ReplayOptions, Replayed, WindowOutcome, replay};
use drogue::model::Period;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::project::{Project, Receivers, customers, renamed};

/// A folder of windows, one a day from 2026-03-02 on.
struct Days(TempDir);

/// What each customer is at the moment, beside the amounts that move.
fn with_status(turn: u64, statuses: &[&str]) -> Vec<Value> {
    let mut records = customers(turn);
    for (at, record) in records.iter_mut().enumerate() {
        record["status"] = json!(statuses[at % statuses.len()]);
    }
    records
}

const KNOWN: &[&str] = &["open", "paid"];
const GROWN: &[&str] = &["open", "paid", "paused"];

impl Days {
    fn of(windows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        let folder = TempDir::new().unwrap();
        for (day, records) in windows.into_iter().enumerate() {
            let name = format!("2026-03-{:02}.json", day + 2);
            std::fs::write(folder.path().join(name), json!(records).to_string()).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn replayed(&self, accept: Accepting) -> Replay {
        replay(self.path(), &ReplayOptions { accept, ..ReplayOptions::default() }).unwrap()
    }

    /// What the command prints, without the sentences of the summary.
    fn printed(&self, args: &[&str]) -> (Option<i32>, Vec<String>) {
        let project = Project::bare();
        let folder = self.path().display().to_string();
        let ran = project.run(&[&["replay", folder.as_str()], args].concat());
        let lines = ran.stdout.lines().map(str::to_owned).collect();
        (ran.code, lines)
    }
}

fn words(window: &Replayed) -> Vec<(EventKind, &str, u64)> {
    window.events.iter().map(|event| (event.event, event.kind.as_str(), event.windows)).collect()
}

#[test]
fn learning_is_stated_and_ends() {
    let days = Days::of((0..5).map(|day| with_status(day, KNOWN)));
    let (code, lines) = days.printed(&[]);
    assert_eq!(
        lines,
        [
            "2026-03-02 00:00  learning: window 1 of 3, 60 records",
            "2026-03-03 00:00  learning: window 2 of 3, 60 records",
            "2026-03-04 00:00  learned from 3 windows, 180 records, until 2026-03-04 00:00; from here on all changes are told",
            "2026-03-05 00:00  quiet until 2026-03-06 00:00, 2 windows, 60 records each",
            "",
            "5 windows; learned from 3",
            "opened: 0",
            "still open: 0",
        ]
    );
    assert_eq!(code, Some(0));

    // A soft change is learned, a hard one is told and not learned from; and time counts as much as windows.
    let early = Days::of([
        with_status(0, KNOWN),
        with_status(1, GROWN),
        renamed(with_status(2, GROWN), "email", "mail"),
        with_status(3, GROWN),
    ]);
    let told = early.replayed(Accepting::Nothing);
    let day = 86_400;
    let learning =
        |joined, span_s| WindowOutcome::Learning { seen: 2, needed: 3, joined, span_s, needed_s: day };
    assert_eq!(told.windows[1].outcome, learning(true, day));
    assert_eq!(told.windows[1].events, []);
    assert_eq!(told.windows[2].outcome, learning(false, day));
    // What is new is no news yet, but it tells what took the place of what is gone.
    assert_eq!(words(&told.windows[2]), [(EventKind::Opened, "renamed", 1)]);
    assert!(matches!(told.windows[3].outcome, WindowOutcome::Learned { windows: 3, records: 180, .. }));
    let week = LearningSettings { windows: 3, span: Period::from_secs(7 * 86_400) };
    let options = ReplayOptions { learning: week, ..ReplayOptions::default() };
    let told = replay(days.path(), &options).unwrap();
    assert!(told.summary.learning, "five days are no week");
}

#[test]
fn findings_open_persist_and_are_resolved() {
    // Amounts that stay, so that a factor between two days is one.
    let quiet = |_| with_status(0, KNOWN);
    let cents = |day| {
        let mut records = quiet(day);
        records.iter_mut().for_each(|one| one["amount"] = json!(one["amount"].as_u64().unwrap() * 100));
        records
    };
    let mut windows: Vec<_> = (0..4).map(quiet).collect();
    windows.extend((4..7).map(cents));
    windows.extend((7..10).map(quiet));
    let days = Days::of(windows);
    let (code, lines) = days.printed(&[]);
    assert_eq!(code, Some(11), "{lines:#?}");
    let begins = [
        "2026-03-05 00:00  quiet, 60 records",
        "2026-03-06 00:00  OPENED breaking  `$.amount` ",
        "2026-03-07 00:00  still open (2nd window)  `$.amount` ",
        "2026-03-08 00:00  still open (3rd window)  `$.amount` ",
        "2026-03-09 00:00  still open, 1 quiet window  `$.amount` ",
        "2026-03-10 00:00  RESOLVED after 2 quiet windows  `$.amount` ",
        "2026-03-11 00:00  quiet, 60 records",
        "",
        "10 windows; learned from 3",
        "opened: 1 breaking",
        "resolved: 1 breaking",
        "still open: 0",
    ];
    assert_eq!(lines.len(), 3 + begins.len(), "{lines:#?}");
    for (line, begin) in lines[3..].iter().zip(begins) {
        assert!(line.starts_with(begin), "{line:?} begins with {begin:?}");
    }
    assert!(lines[4].contains("100") && lines[4].ends_with(')'), "the sentence and the rules: {}", lines[4]);
}

#[test]
fn what_comes_and_goes_flaps() {
    let quiet = |day| with_status(day, KNOWN);
    let gone = |day| {
        let mut records = quiet(day);
        records.iter_mut().for_each(|one| {
            one.as_object_mut().unwrap().remove("name");
        });
        records
    };
    // Three days to learn, then gone on one day of three.
    let mut windows: Vec<_> = (0..3).map(quiet).collect();
    windows.extend((3..14).map(|day| if day % 3 == 0 { gone(day) } else { quiet(day) }));
    let told = Days::of(windows).replayed(Accepting::Nothing);
    let kinds: Vec<Vec<EventKind>> =
        told.windows[3..].iter().map(|one| one.events.iter().map(|event| event.event).collect()).collect();
    use EventKind::{Flapping, Opened, Quiet, Reopened, Resolved};
    let expected =
        [Opened, Quiet, Resolved, Reopened, Quiet, Resolved, Reopened, Quiet, Resolved, Flapping, Quiet];
    assert_eq!(kinds, expected.map(|kind| vec![kind]));
    let summary = &told.summary;
    assert_eq!(
        [summary.opened, summary.reopened, summary.flapping, summary.open].map(|counts| counts.total()),
        [1, 2, 1, 1]
    );
}

#[test]
fn what_was_accepted_is_not_told_again() {
    let mut windows: Vec<_> = (0..4).map(|day| with_status(day, KNOWN)).collect();
    windows.extend((4..8).map(|day| with_status(day, if day == 6 { KNOWN } else { GROWN })));
    let days = Days::of(windows);

    let told = days.replayed(Accepting::Nothing);
    assert_eq!(words(&told.windows[4]), [(EventKind::Opened, "enum-changed", 1)]);
    assert_eq!(words(&told.windows[5]), [(EventKind::Persists, "enum-changed", 2)]);
    assert_eq!(told.summary.open.total(), 1);

    for accept in [Accepting::Everything, Accepting::At(vec!["$.status".parse().unwrap()])] {
        let told = days.replayed(accept);
        assert_eq!(
            words(&told.windows[4]),
            [(EventKind::Opened, "enum-changed", 1), (EventKind::Accepted, "enum-changed", 1)]
        );
        assert_eq!(told.windows[5].events, []);
        // That nobody has it any more is another change; that it is back is none.
        let summaries = told.windows[6].events.iter().map(|event| event.summary.as_str());
        assert_eq!(summaries.collect::<Vec<_>>(), ["`$.status` no longer has the value `paused`"; 2]);
        assert_eq!(told.windows[7].events, []);
        assert_eq!((told.summary.accepted.total(), told.summary.open.total()), (2, 0));
    }
    let other = days.replayed(Accepting::At(vec!["$.name".parse().unwrap()]));
    assert_eq!(other.summary.accepted.total(), 0);

    let (code, lines) = days.printed(&["--accept", "all"]);
    assert!(
        lines.iter().any(|line| line.starts_with("2026-03-06 00:00  ACCEPTED, the baseline moves  ")),
        "{lines:#?}"
    );
    assert!(matches!(code, Some(10 | 11)), "it was told once: {lines:#?}");
    assert_eq!(days.printed(&["--accept", "$.items["]).0, Some(1));
}

#[test]
fn files_that_are_no_windows_are_named_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    for day in 0..4 {
        write(&format!("{day}.json"), &json!(customers(day)).to_string());
    }
    let steps: Vec<Value> =
        (0..4).map(|day| json!({"step": day, "file": format!("all/{day}.json")})).collect();
    write("index.json", &json!({"steps": steps}).to_string());
    write("notes.txt", "what we saw");
    write("4.json", "{\"data\": [");
    write("5.json", "[]");
    let told = replay(folder.path(), &ReplayOptions::default()).unwrap();
    let names: Vec<&str> = told.windows.iter().map(|window| window.name.as_str()).collect();
    assert_eq!(names, ["0.json", "1.json", "2.json", "3.json", "4.json", "5.json"]);
    let skipped: Vec<(&str, &str)> =
        told.skipped.iter().map(|skipped| (skipped.name.as_str(), skipped.why)).collect();
    assert_eq!(
        skipped,
        [("index.json", "a list of the other files"), ("notes.txt", "not .json, .jsonl, .ndjson or .har")]
    );
    assert!(matches!(&told.windows[4].outcome, WindowOutcome::Unreadable { why } if why.contains("4.json")));
    assert_eq!(told.windows[5].outcome, WindowOutcome::Empty);
    assert_eq!((told.summary.windows, told.summary.unreadable, told.summary.open.total()), (5, 1, 0));

    // Where the others have dates, one without has no place among them.
    let days = Days::of((0..3).map(customers));
    std::fs::write(days.path().join("latest.json"), json!(customers(9)).to_string()).unwrap();
    let told = days.replayed(Accepting::Nothing);
    assert_eq!((told.windows.len(), told.skipped[0].why), (3, "no date in its name, as the others have"));
}

/// The same windows by `import` on a database and by `replay` in memory: the same findings in the same states.
#[tokio::test(flavor = "multi_thread")]
async fn replay_says_what_the_engine_says() {
    let api =
        crate::support::api::Api::start(|_| crate::support::api::Reply::json(&json!({"data": []}))).await;
    let project = Project::new(&api, &Receivers::default());
    let mut windows: Vec<Vec<Value>> = (0..4).map(|day| with_status(day, KNOWN)).collect();
    windows.push(with_status(4, GROWN));
    windows.push(renamed(with_status(5, GROWN), "email", "mail"));
    windows.extend((6..10).map(|day| with_status(day, KNOWN)));
    windows.push(renamed(with_status(10, KNOWN), "email", "mail"));
    let days = Days::of(windows.clone());
    // The connector of the project has a mapping, which replay does not know: a stream without one is compared.
    project.edit_config("    mapping: {framework: field-map, file: map.yaml}\n", "");
    project.edit_config("windows: 2", "windows: 3");
    let options = ReplayOptions {
        learning: LearningSettings { windows: 3, span: Period::from_secs(0) },
        key: vec!["$.id".parse().unwrap()],
        ..ReplayOptions::default()
    };
    let told = replay(days.path(), &options).unwrap();
    for (at, records) in windows.iter().enumerate() {
        let file = format!("{at}.json");
        project.write(&file, &json!(records).to_string());
        project.run(&["import", "-c", "crm/customers", &file]);
        let set = project.json(&["findings", "list"]).1;
        let mut stored: Vec<String> = Vec::new();
        for finding in
            set["reports"].as_array().unwrap().iter().flat_map(|one| one["findings"].as_array().unwrap())
        {
            stored.push(format!("{} {} {}", finding["rule"], finding["path"], finding["state"]));
        }
        stored.sort();
        assert_eq!(stored, state(&told.windows[..=at]), "after window {at}");
    }
}

/// The states of the findings that are open after these windows, as the reports and events tell.
fn state(windows: &[Replayed]) -> Vec<String> {
    let mut states = std::collections::BTreeMap::new();
    for window in windows {
        for finding in window.report.iter().flat_map(|report| &report.findings) {
            let state = serde_json::to_value(finding.state).unwrap();
            let name = format!("{} {}", json!(finding.rule), json!(finding.path));
            states.insert(finding.fingerprint.clone(), (name, state));
        }
        for event in window.events.iter().filter(|event| event.event == EventKind::Resolved) {
            for fingerprint in &event.findings {
                states.remove(fingerprint);
            }
        }
    }
    let mut lines: Vec<String> =
        states.into_values().map(|(name, state)| format!("{name} {state}")).collect();
    lines.sort();
    lines
}

#[test]
fn learning_that_stands_still_says_what_holds_it_up() {
    let days = |day: u64| if day == 0 { customers(0) } else { renamed(customers(day), "email", "mail") };
    let folder = Days::of((0..6).map(days));
    let (code, lines) = folder.printed(&[]);
    assert_eq!(code, Some(11));
    let text = lines.join("\n");
    assert!(text.contains("learning stands still at 1 window: this one shows hard changes"), "{text}");
    assert!(text.contains("OPENED breaking  `$.email` was renamed to `$.mail`"), "{text}");
    assert!(
        text.contains("learning stands still: what is open keeps windows from being learned from"),
        "{text}"
    );
    assert!(text.contains("`--accept '$.email' --accept '$.mail'`, or `--accept all`, goes on"), "{text}");
    let (_, lines) = folder.printed(&["--accept", "$.email", "--accept", "$.mail"]);
    assert!(
        lines.iter().any(|line| line.starts_with("2026-03-05 00:00  learned from 3 windows")),
        "{lines:#?}"
    );
}

#[test]
fn a_fall_of_the_number_of_records_is_told_and_stays_open() {
    let days = Days::of((0..20).map(|day| {
        let mut records = customers(day);
        records.truncate(if day < 7 { 60 - (day as usize % 3) } else { 6 });
        records
    }));
    let (code, lines) = days.printed(&[]);
    assert_eq!(code, Some(10), "{lines:#?}");
    assert_eq!(lines[3], "2026-03-05 00:00  quiet until 2026-03-08 00:00, 4 windows, 58 to 60 records each");
    assert!(
        lines[4].starts_with("2026-03-09 00:00  OPENED warning  6 records came, where about 59 are usual"),
        "{lines:#?}"
    );
    assert!(lines.iter().all(|line| !line.contains("RESOLVED")), "{lines:#?}");
    assert!(lines.contains(&"still open: 1 warning".to_owned()), "{lines:#?}");
}
