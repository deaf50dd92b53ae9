//! The HTML part of a mail: inline styles only, nothing fetched, one column of at most 600 pixels.
//!
//! Mail programs in dark mode turn colours around as they see fit. So text keeps the reader's own colours, and where
//! a colour carries meaning, foreground and background are given together.

use std::fmt::Write as _;

use crate::model::Severity;

use super::story::{Diff, Item, PatchView, Story};
use super::visible::{html, prose};

const MONO: &str = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px";
const HEADING: &str = "font-size:13px;letter-spacing:.06em;text-transform:uppercase;margin:28px 0 8px";

/// The story as an HTML page; writing to a string cannot fail.
pub(super) fn page(story: &Story) -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\" style=\"color-scheme:light dark\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n",
    );
    let _ = writeln!(out, "<title>{}</title>\n</head>", html(&story.subject));
    out.push_str(
        "<body style=\"margin:0;padding:16px\">\n<div style=\"max-width:600px;margin:0 auto;\
         font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:15px;\
         line-height:1.5\">\n",
    );
    let _ = write!(out, "<p style=\"margin:0 0 4px\">");
    if let Some(severity) = story.severity {
        out.push_str(&badge(severity));
        out.push(' ');
    }
    let _ = writeln!(out, "{}</p>", html(story.reason));
    let _ = writeln!(
        out,
        "<h1 style=\"font-size:20px;line-height:1.3;margin:0 0 4px;overflow-wrap:anywhere\">{}</h1>\n<p style=\"margin:0\">{}</p>",
        html(&story.subject),
        html(&story.opening)
    );
    items(&mut out, "What happened", &story.diagnoses);
    items(&mut out, if story.diagnoses.is_empty() { "What was seen" } else { "Also seen" }, &story.findings);
    for patch in &story.patches {
        patch_section(&mut out, patch);
    }
    for (title, text) in &story.docs {
        let _ = writeln!(out, "<h2 style=\"{HEADING}\">Documentation: {}</h2>", html(title));
        diff(&mut out, text);
    }
    commands(&mut out, &story.commands);
    out.push_str("<hr style=\"border:0;border-top:1px solid #8c959f;margin:28px 0 8px\">\n");
    for (label, text) in &story.footer {
        let _ = writeln!(out, "<p style=\"margin:0;font-size:12px\">{label}: {}</p>", html(text));
    }
    out.push_str("</div>\n</body>\n</html>\n");
    out
}

fn badge(severity: Severity) -> String {
    // Contrast of each pair is above 4.5 : 1.
    let colours = match severity {
        Severity::Breaking => "background:#b3261e;color:#ffffff",
        Severity::Warning => "background:#7a4d00;color:#ffffff",
        Severity::Info => "background:#0b5394;color:#ffffff",
    };
    format!(
        "<span style=\"{colours};border-radius:4px;padding:1px 7px;font-size:12px;font-weight:600\">{}</span>",
        severity.word()
    )
}

fn items(out: &mut String, title: &str, items: &[Item]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2 style=\"{HEADING}\">{title}</h2>");
    for item in items {
        let _ = writeln!(
            out,
            "<div style=\"margin:0 0 16px;overflow-wrap:anywhere\">{} <b>{}</b> <span style=\"{MONO}\">{}</span><br>\n{}",
            badge(item.severity),
            html(&item.what),
            html(&item.place),
            prose(&item.sentence)
        );
        notes(out, &item.notes);
        out.push_str("</div>\n");
    }
}

fn notes(out: &mut String, notes: &[(&'static str, String)]) {
    for (label, text) in notes {
        let _ = writeln!(out, "<br><span style=\"font-size:13px\"><i>{label}</i>: {}</span>", prose(text));
    }
}

fn patch_section(out: &mut String, patch: &PatchView) {
    let _ = writeln!(
        out,
        "<h2 style=\"{HEADING}\">Patch <span style=\"{MONO};text-transform:none;letter-spacing:0\">{}</span> ({})</h2>",
        html(&patch.id),
        patch.state
    );
    let _ = write!(out, "<div style=\"margin:0 0 8px\">{}", prose(&patch.summary));
    notes(out, &patch.notes);
    for (passed, what) in &patch.checks {
        let mark = if *passed { "✓" } else { "✗ not passed:" };
        let _ = writeln!(out, "<br><span style=\"font-size:13px\">{mark} {}</span>", prose(what));
    }
    out.push_str("</div>\n");
    diff(out, &patch.diff);
}

fn diff(out: &mut String, diff: &Diff) {
    // `tabindex` lets a keyboard scroll it; long lines scroll instead of widening the page.
    let _ = write!(
        out,
        "<pre tabindex=\"0\" style=\"{MONO};line-height:1.45;margin:0;padding:8px 0;overflow-x:auto;\
         border:1px solid #8c959f;border-radius:6px\">"
    );
    for line in &diff.lines {
        let colours = if line.starts_with("+++") || line.starts_with("---") {
            "font-weight:600"
        } else if line.starts_with('+') {
            "background:#d7f5dd;color:#0b3d17"
        } else if line.starts_with('-') {
            "background:#ffdfdc;color:#5f0f0a"
        } else if line.starts_with("@@") {
            "background:#dbe9ff;color:#0a2f66"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "<span style=\"display:inline-block;min-width:100%;padding:0 8px;box-sizing:border-box;{colours}\">{}</span>",
            html(line)
        );
    }
    if diff.left_out > 0 {
        let _ = writeln!(out, "({} more lines)", diff.left_out);
    }
    out.push_str("</pre>\n");
}

fn commands(out: &mut String, commands: &[(String, String)]) {
    if commands.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2 style=\"{HEADING}\">What you can do</h2>");
    for (command, what) in commands {
        let _ = writeln!(
            out,
            "<p style=\"margin:0 0 10px\"><code style=\"{MONO};background:#24292f;color:#f6f8fa;padding:4px 8px;\
             border-radius:4px;display:inline-block;overflow-wrap:anywhere\">{}</code><br>{}</p>",
            html(command),
            html(what)
        );
    }
}
