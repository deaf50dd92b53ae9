//! A replay as text: one line an event, runs of quiet windows as one, and what it all came to.

use std::collections::BTreeSet;

use super::text::{clean, count, thousands};
use super::{Style, Tone};
use crate::diagnose::RESOLVE_AFTER;
use crate::engine::{Counts, Event, EventKind, Replay, Replayed, Summary, WindowOutcome};
use crate::model::{FieldPath, Period, Severity};

/// What would have been said, window by window.
#[must_use]
pub fn replay(replay: &Replay, style: &Style) -> String {
    let mut text = String::new();
    for skipped in &replay.skipped {
        text.push_str(&format!("skipped `{}`: {}\n", clean(&skipped.name), skipped.why));
    }
    for note in &replay.notes {
        text.push_str(&format!("{}\n", clean(note)));
    }
    let mut quiet: Vec<&Replayed> = Vec::new();
    for window in &replay.windows {
        if window.outcome == WindowOutcome::Compared && window.events.is_empty() {
            quiet.push(window);
            continue;
        }
        text.push_str(&quiet_ones(&std::mem::take(&mut quiet)));
        text.push_str(&one(window, style));
    }
    text.push_str(&quiet_ones(&quiet));
    text.push('\n');
    text.push_str(&total(&replay.summary));
    for path in &replay.summary.accepted_nothing {
        text.push_str(&format!("`--accept {}` accepted nothing: ", clean(&path.to_string())));
        let events = replay.windows.iter().flat_map(|window| &window.events);
        let told: BTreeSet<&FieldPath> = events.map(|event| &event.path).collect();
        let told: Vec<String> =
            told.into_iter().take(3).map(|path| format!("`{}`", clean(&path.to_string()))).collect();
        text.push_str(&match told.as_slice() {
            [] => "nothing was told at all\n".to_owned(),
            told => format!("nothing was told there, but at {}\n", told.join(", ")),
        });
    }
    text
}

/// When a window was seen; where nothing tells, its name.
fn place(window: &Replayed) -> String {
    match window.at {
        Some(at) => minute(at),
        None => clean(&window.name),
    }
}

fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

fn quiet_ones(windows: &[&Replayed]) -> String {
    match windows {
        [] => String::new(),
        [one] => {
            format!("{}  quiet, {}{}\n", place(one), count(one.records, "record"), too_small(windows))
        }
        [first, .., last] => {
            let number = count(windows.len() as u64, "window");
            let sizes = || windows.iter().map(|window| window.records);
            let records = match (sizes().min().unwrap_or_default(), sizes().max().unwrap_or_default()) {
                (least, most) if least == most => format!("{} each", count(most, "record")),
                (least, most) => format!("{} to {} each", thousands(least), count(most, "record")),
            };
            let (first, last) = (place(first), place(last));
            format!("{first}  quiet until {last}, {number}, {records}{}\n", too_small(windows))
        }
    }
}

/// How many of some windows had too few records to show a change of values.
fn too_small(windows: &[&Replayed]) -> String {
    let is_small = |window: &&&Replayed| {
        window.report.iter().flat_map(|report| &report.inconclusive).any(|one| one.path.is_root())
    };
    match windows.iter().filter(is_small).count() {
        0 => String::new(),
        _ if windows.len() == 1 => "; not all of it could be judged".to_owned(),
        some => format!("; {some} of them could not be judged in full"),
    }
}

fn one(window: &Replayed, style: &Style) -> String {
    let place = place(window);
    let records = count(window.records, "record");
    let said = match &window.outcome {
        WindowOutcome::Learning { seen, needed, joined: true, .. } if seen < needed => {
            Some(format!("learning: window {seen} of {needed}, {records}"))
        }
        // As many windows as are needed, and more: too little time went by.
        WindowOutcome::Learning { seen, joined: true, span_s, needed_s, .. } => Some(format!(
            "learning: window {seen}, {records}; they span {} of {}",
            Period::from_secs(*span_s),
            Period::from_secs(*needed_s)
        )),
        WindowOutcome::Learning { seen, joined: false, .. } => Some(format!(
            "learning stands still at {}: this one shows hard changes and is not learned from",
            count(*seen, "window")
        )),
        WindowOutcome::Learned { windows, records, until } => {
            let until = until.map(|at| format!(", until {}", minute(at))).unwrap_or_default();
            let (windows, records) = (count(*windows, "window"), count(*records, "record"));
            Some(format!("learned from {windows}, {records}{until}; from here on all changes are told"))
        }
        WindowOutcome::Compared => None,
        WindowOutcome::Empty => Some("no records, no evidence".to_owned()),
        WindowOutcome::Failed { class, why } => {
            Some(format!("an error in place of records, {}: {}", class.word(), clean(why)))
        }
        WindowOutcome::Unreadable { why } => Some(format!("not read: {}", clean(why))),
    };
    let mut text = said.map(|said| format!("{place}  {said}\n")).unwrap_or_default();
    for event in &window.events {
        text.push_str(&format!("{place}  {}\n", line(event, style)));
    }
    text
}

/// `OPENED breaking  `$.email` is now … (field-removed)`.
fn line(event: &Event, style: &Style) -> String {
    let (severity, tone) = match event.severity {
        Severity::Breaking => ("breaking", Tone::Breaking),
        Severity::Warning => ("warning", Tone::Warning),
        Severity::Info => ("info", Tone::Info),
    };
    let quiet = || count(event.quiet, "quiet window");
    let (word, tone) = match event.event {
        EventKind::Opened => (format!("OPENED {severity}"), tone),
        EventKind::Reopened => (format!("CAME BACK {severity}"), tone),
        EventKind::Worse => (format!("WORSE {severity}"), tone),
        EventKind::Flapping => (format!("FLAPPING {severity}, told once until it settles"), tone),
        EventKind::Persists => (format!("still open ({} window)", ordinal(event.windows)), Tone::Dim),
        EventKind::Quiet if event.quiet == 0 => ("still open, could not be judged".to_owned(), Tone::Dim),
        EventKind::Quiet => (format!("still open, {}", quiet()), Tone::Dim),
        EventKind::Resolved => (format!("RESOLVED after {}", quiet()), Tone::Good),
        EventKind::Accepted => ("ACCEPTED, the baseline moves".to_owned(), Tone::Good),
    };
    format!("{}  {} ({})", style.paint(tone, &word), clean(&event.summary), event.rules.join(", "))
}

fn ordinal(number: u64) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

fn total(summary: &Summary) -> String {
    let mut text = count(summary.windows, "window");
    if summary.unreadable > 0 {
        text.push_str(&format!(", {} not read", count(summary.unreadable, "file")));
    }
    if summary.failed > 0 {
        text.push_str(&format!(", {} with an error in place of records", count(summary.failed, "file")));
    }
    text.push_str(&format!("; learned from {}", summary.learned_from));
    match summary.holding_up.as_slice() {
        _ if !summary.learning => {}
        [] => text.push_str(
            ", and learning did not end: only hard changes were told (`--learning-windows`, `--learning-span`)",
        ),
        open => text.push_str(&format!(
            ", and learning stands still: what is open keeps windows from being learned from, and only hard changes were \
             told; {}, or `--accept all`, goes on",
            accepting(open)
        )),
    }
    text.push('\n');
    let told = [
        ("opened", summary.opened),
        ("came back", summary.reopened),
        ("flapping", summary.flapping),
        ("resolved", summary.resolved),
        ("accepted", summary.accepted),
    ];
    for (word, counts) in told {
        if counts.total() > 0 || word == "opened" {
            text.push_str(&format!("{word}: {}\n", by_severity(&counts)));
        }
    }
    text.push_str(&format!("still open: {}\n", by_severity(&summary.open)));
    if summary.open.total() > 0 && summary.accepted.total() == 0 {
        text.push_str(&format!(
            "A change stays open until {RESOLVE_AFTER} windows no longer show it; `--accept all` (or JSONPATHs) shows \
             what is told when people accept it.\n"
        ));
    }
    text
}

/// The options that accept what is at these paths, the first few.
fn accepting(paths: &[FieldPath]) -> String {
    let options: Vec<String> =
        paths.iter().take(3).map(|path| format!("--accept '{}'", clean(&path.to_string()))).collect();
    format!("`{}`", options.join(" "))
}

fn by_severity(counts: &Counts) -> String {
    let parts = [("breaking", counts.breaking), ("warning", counts.warning), ("info", counts.info)];
    let parts: Vec<String> =
        parts.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect();
    if parts.is_empty() { "0".to_owned() } else { parts.join(", ") }
}
