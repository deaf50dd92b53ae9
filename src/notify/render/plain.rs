//! The text part of a mail.

use std::fmt::Write as _;

use super::story::{Diff, Item, Story};

/// The story as text; writing to a string cannot fail.
pub(super) fn plain(story: &Story) -> String {
    let mut out = String::new();
    let severity = story.severity.map_or("", |severity| severity.word());
    let _ = writeln!(out, "{} {} · {}", severity.to_uppercase(), story.reason.to_uppercase(), story.subject);
    out = out.trim_start().to_owned();
    let _ = writeln!(out, "{}", story.opening);

    items(&mut out, "WHAT HAPPENED", &story.diagnoses);
    items(&mut out, if story.diagnoses.is_empty() { "WHAT WAS SEEN" } else { "ALSO SEEN" }, &story.findings);

    for patch in &story.patches {
        let _ = writeln!(out, "\nPATCH {} ({})\n\n  {}", patch.id, patch.state, patch.summary);
        notes(&mut out, "  ", &patch.notes);
        for (passed, what) in &patch.checks {
            let _ = writeln!(out, "  [{}] {what}", if *passed { "ok" } else { "failed" });
        }
        diff(&mut out, &patch.diff);
    }
    for (title, text) in &story.docs {
        let _ = writeln!(out, "\nDOCUMENTATION: {title}");
        diff(&mut out, text);
    }
    if !story.commands.is_empty() {
        out.push_str("\nWHAT YOU CAN DO\n\n");
        for (command, what) in &story.commands {
            let _ = writeln!(out, "  {command}\n      {what}");
        }
    }
    out.push_str("\n-- \n");
    for (label, text) in &story.footer {
        let _ = writeln!(out, "{label}: {text}");
    }
    out
}

fn items(out: &mut String, title: &str, items: &[Item]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for item in items {
        let _ = writeln!(
            out,
            "\n* {} ({}): {}\n  {}",
            item.what,
            item.severity.word(),
            item.place,
            item.sentence
        );
        notes(out, "  ", &item.notes);
    }
}

fn notes(out: &mut String, indent: &str, notes: &[(&'static str, String)]) {
    for (label, text) in notes {
        let _ = writeln!(out, "{indent}{label}: {text}");
    }
}

fn diff(out: &mut String, diff: &Diff) {
    out.push('\n');
    for line in &diff.lines {
        out.push_str(line);
        out.push('\n');
    }
    if diff.left_out > 0 {
        let _ = writeln!(out, "({} more lines)", diff.left_out);
    }
}
