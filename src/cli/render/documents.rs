//! Two API descriptions against each other, as text: one line a change, by severity.

use super::changes::{Changes, LEVELS, SEVERITIES};
use super::text::{clean, wrap};
use super::{Style, Tone};
use crate::model::{Report, Severity};
use crate::rules::{ContractEntry, Level};

/// Changes of one severity that are listed; the rest is counted.
const MOST_ROWS: usize = 40;
/// The same for those of the contract, which beside the others are a second opinion.
const MOST_CONTRACT_ROWS: usize = 15;
/// Names of fields, values and operations in one row.
const MOST_NAMES: usize = 12;
/// Places that could not be read and are listed.
const MOST_UNREAD_ROWS: usize = 20;

/// The report on two documents, with what the comparison of contracts says beside it.
#[must_use]
pub fn documents(report: &Report, contract: &[ContractEntry], style: &Style) -> String {
    let changes = Changes::of(report, Some(contract), MOST_NAMES);
    let mut out = String::new();
    if changes.is_empty() && changes.inconclusive.is_empty() {
        return format!("{} nothing changed\n", style.paint(Tone::Good, style.sign("✔", "ok")));
    }
    let cut = |out: &mut String, left: usize| {
        let hint = format!("  {} {left} more; --format json or html lists all\n", style.ellipsis());
        out.push_str(&style.paint(Tone::Dim, &hint));
    };
    for severity in SEVERITIES {
        let rows: Vec<_> = changes.of_severity(severity).collect();
        if rows.is_empty() {
            continue;
        }
        let tone = tone(severity);
        out.push_str(&style.paint(tone, &format!("{} ({})", severity.word(), rows.len())));
        out.push('\n');
        for row in rows.iter().take(MOST_ROWS) {
            let level = row.level.map_or("-", Level::word);
            let text = format!("{} [{}]", clean(&row.message), clean(&row.id));
            lines(&mut out, style, tone, &format!("{level:<5}"), &text);
        }
        if rows.len() > MOST_ROWS {
            cut(&mut out, rows.len() - MOST_ROWS);
        }
        out.push('\n');
    }
    for level in LEVELS {
        let rows: Vec<_> = changes.of_level(level).collect();
        if rows.is_empty() {
            continue;
        }
        let title = format!("contract besides: {} ({})", level.word(), rows.len());
        out.push_str(&style.paint(Tone::Bold, &title));
        out.push('\n');
        for row in rows.iter().take(MOST_CONTRACT_ROWS) {
            let whom =
                if row.operations.is_empty() { String::new() } else { format!(", {}", row.operations) };
            let text = format!("{}{} [{}]", clean(&row.message), clean(&whom), clean(&row.id));
            lines(&mut out, style, Tone::Plain, "", text.trim_start_matches(", "));
        }
        if rows.len() > MOST_CONTRACT_ROWS {
            cut(&mut out, rows.len() - MOST_CONTRACT_ROWS);
        }
        out.push('\n');
    }
    for why in changes.inconclusive.iter().take(MOST_UNREAD_ROWS) {
        lines(&mut out, style, Tone::Dim, "", &format!("not compared: {}", clean(why)));
    }
    if changes.inconclusive.len() > MOST_UNREAD_ROWS {
        cut(&mut out, changes.inconclusive.len() - MOST_UNREAD_ROWS);
    }
    let half_read = match changes.inconclusive.is_empty() {
        true => String::new(),
        false => format!("{}not fully compared", style.dot()),
    };
    out.push_str(&format!("{}{half_read}\n", changes.sum().replace(" · ", style.dot())));
    out
}

/// One change, its further lines set in.
fn lines(out: &mut String, style: &Style, tone: Tone, before: &str, text: &str) {
    let mark = style.paint(tone, style.sign("•", "*"));
    for (index, line) in wrap(text, style.measure().saturating_sub(4 + before.len())).into_iter().enumerate()
    {
        if index == 0 {
            out.push_str(&format!("  {mark} {before}{line}\n"));
        } else {
            out.push_str(&format!("    {:width$}{line}\n", "", width = before.len()));
        }
    }
}

const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Breaking => Tone::Breaking,
        Severity::Warning => Tone::Warning,
        Severity::Info => Tone::Info,
    }
}
