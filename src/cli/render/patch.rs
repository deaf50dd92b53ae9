//! A patch as a person decides on it: what it does, the diff, how it was verified, and the commands.

use super::card::{commands, when};
use super::text::{clean, count, percent, wrap};
use super::{Style, Tone};
use crate::model::{Disposition, Patch, PatchState};

/// A patch with its diff, its verification and the exact commands that accept or reject it.
#[must_use]
pub fn patch(patch: &Patch, style: &Style) -> String {
    let id = clean(&patch.id);
    let tone = match patch.state {
        PatchState::Verified
        | PatchState::Approved
        | PatchState::Applying
        | PatchState::Applied
        | PatchState::Confirmed => Tone::Good,
        PatchState::Unverifiable | PatchState::Stale => Tone::Warning,
        PatchState::Proposed => Tone::Info,
        PatchState::RolledBack | PatchState::Rejected | PatchState::Superseded | PatchState::Expired => {
            Tone::Dim
        }
    };
    let mut out = format!(
        "{} {}  {}  {}\n",
        style.paint(Tone::Dim, "patch"),
        style.paint(Tone::Bold, &id),
        style.paint(tone, patch.state.word()),
        style.paint(Tone::Dim, &clean(&format!("{}/{}", patch.connector, patch.stream))),
    );
    for line in wrap(&clean(&patch.summary), style.measure()) {
        out.push_str(&line);
        out.push('\n');
    }
    let facts = [
        format!("{} sure", percent(patch.confidence)),
        match patch.disposition {
            Disposition::Safe => "safe: loses nothing".to_owned(),
            Disposition::Review => "a person decides".to_owned(),
        },
        format!("proposed {}", when(patch.created)),
    ];
    out.push_str(&style.paint(Tone::Dim, &facts.join(style.dot())));
    out.push('\n');
    if let Some(caution) = &patch.caution {
        let (sign, gap) = (style.sign("▲", "!"), "  ");
        for (at, line) in wrap(&clean(caution), style.measure() - 2).iter().enumerate() {
            let head = if at == 0 { format!("{sign} ") } else { gap.to_owned() };
            out.push_str(&format!("{}{line}\n", style.paint(Tone::Warning, &head)));
        }
    }
    out.push('\n');
    out.push_str(&diff(&patch.diff(), style));
    out.push('\n');
    out.push_str(&verification(patch, style));
    let next = next(patch, &id);
    if !next.is_empty() {
        out.push('\n');
        out.push_str(&commands(&next, style));
    }
    out
}

/// A unified diff in colours. Lines are never cut: what is decided on is seen whole.
pub(super) fn diff(text: &str, style: &Style) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let body = clean(&line.replace('\t', "    "));
        let tone = match line.as_bytes().first() {
            _ if line.starts_with("+++") || line.starts_with("---") => Tone::Bold,
            Some(b'+') => Tone::Good,
            Some(b'-') => Tone::Bad,
            Some(b'@') => Tone::Info,
            _ => Tone::Plain,
        };
        out.push_str(&format!("  {}\n", style.paint(tone, body.trim_end())));
    }
    out
}

fn verification(patch: &Patch, style: &Style) -> String {
    let Some(verification) = &patch.verification else {
        let text = match patch.state {
            PatchState::Unverifiable => "not verified: there is no recorded sample to try it on",
            _ => "not verified yet",
        };
        return format!("{}\n", style.paint(Tone::Warning, text));
    };
    let samples = count(verification.samples, "recorded sample");
    let (head, tone) = if verification.passed {
        (format!("verified on {samples}"), Tone::Good)
    } else {
        (format!("not verified: tried on {samples}"), Tone::Warning)
    };
    let mut out = format!("{}\n", style.paint(tone, &head));
    for check in &verification.checks {
        let (sign, tone) = if check.passed {
            (style.sign("✔", "ok"), Tone::Good)
        } else {
            (style.sign("✖", "x "), Tone::Bad)
        };
        let indent = 2 + sign.chars().count() + 1;
        for (at, line) in wrap(&clean(&check.what), style.measure() - indent).iter().enumerate() {
            let head = if at == 0 { format!("  {} ", style.paint(tone, sign)) } else { " ".repeat(indent) };
            out.push_str(&format!("{head}{line}\n"));
        }
    }
    out
}

/// The commands that make sense in the state that the patch is in.
fn next(patch: &Patch, id: &str) -> Vec<(String, &'static str)> {
    match patch.state {
        PatchState::Proposed => vec![
            (format!("drogue patches verify {id}"), "try it on recorded samples"),
            (format!("drogue reject {id}"), "do not propose it again"),
        ],
        PatchState::Verified | PatchState::Unverifiable => vec![
            (format!("drogue approve {id}"), "write it; an undo copy is kept"),
            (format!("drogue reject {id}"), "do not propose it again"),
        ],
        PatchState::Applied | PatchState::Confirmed => {
            vec![(format!("drogue rollback {id}"), "put the file back as it was")]
        }
        PatchState::Approved
        | PatchState::Applying
        | PatchState::RolledBack
        | PatchState::Rejected
        | PatchState::Superseded
        | PatchState::Stale
        | PatchState::Expired => Vec::new(),
    }
}
