//! `drogue record`, `drogue check`, `drogue import`.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::{Check, Import, Selection};
use super::output::{Exit, Output};
use super::render;
use crate::engine::{Checked, Engine, Outcome};
use crate::model::{Report, ReportSet, Subject, Unobserved};

pub(super) async fn record(engine: &Engine, args: &Selection, out: &Output) -> anyhow::Result<Exit> {
    let mut all = Vec::new();
    // What is documented comes first, so that the responses can be held against it.
    for (connector, name) in engine.documents(&args.streams) {
        if !engine.has_document(&connector, &name).await? {
            all.push(engine.check_document(&connector, &name).await?);
        }
    }
    for subject in engine.subjects(&args.streams)? {
        let bar = progress(out, &subject);
        let checked = engine.record(&subject).await?;
        bar.finish_and_clear();
        all.push(checked);
    }
    // What `record` writes is told at once where it runs alone; a daemon does it by itself.
    engine.deliver_due().await?;
    print(&all, out, crate::model::Severity::Breaking)
}

pub(super) async fn check(engine: &Engine, args: &Check, out: &Output) -> anyhow::Result<Exit> {
    let mut all = Vec::new();
    for subject in engine.subjects(&args.selection.streams)? {
        let bar = progress(out, &subject);
        let checked = engine.check(&subject).await?;
        bar.finish_and_clear();
        all.push(checked);
    }
    for (connector, name) in engine.documents(&args.selection.streams) {
        all.push(engine.check_document(&connector, &name).await?);
    }
    engine.deliver_due().await?;
    print(&all, out, args.fail_on.fail_on)
}

pub(super) async fn import(engine: &Engine, args: &Import, out: &Output) -> anyhow::Result<Exit> {
    let subject = engine.subject(&args.connector)?;
    let all = engine.import(&subject, &args.files).await?;
    engine.deliver_due().await?;
    print(&all, out, args.fail_on.fail_on)
}

fn progress(out: &Output, subject: &Subject) -> ProgressBar {
    if !out.shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(format!("looking at {subject}"));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// One line a stream on what the check came to, on standard error; the reports on standard output.
fn print(all: &[Checked], out: &Output, fail_on: crate::model::Severity) -> anyhow::Result<Exit> {
    for checked in all {
        for line in lines(checked) {
            out.say(&line);
        }
    }
    let reports: Vec<Report> = all.iter().filter_map(|checked| checked.report.clone()).collect();
    let unobserved: Vec<Unobserved> = all
        .iter()
        .filter_map(|checked| match &checked.outcome {
            Outcome::Failed(unobserved) => Some(unobserved.clone()),
            Outcome::Recorded { .. }
            | Outcome::Learning { .. }
            | Outcome::Compared
            | Outcome::Unchanged
            | Outcome::Empty => None,
        })
        .collect();
    let set = ReportSet { version: 1, drogue: env!("CARGO_PKG_VERSION").to_owned(), reports, unobserved };
    // A stream that was only recorded has no report; what became of it has been said.
    if !out.is_json() && set.reports.is_empty() && set.unobserved.is_empty() && !all.is_empty() {
        return Ok(Exit::Clean);
    }
    out.result(&set, |style| {
        let mut text = render::report_set(&set, style);
        for patch in all.iter().flat_map(|checked| &checked.patches) {
            text.push('\n');
            text.push_str(&render::patch(patch, style));
        }
        text
    })?;
    // What a silence mutes is shown, and counts for nothing.
    let mut counted = set;
    for report in &mut counted.reports {
        let silenced = all.iter().filter(|checked| checked.subject == report.subject);
        let silenced: Vec<_> = silenced.flat_map(|checked| &checked.silenced).collect();
        report.findings.retain(|finding| !silenced.contains(&&finding.fingerprint));
    }
    Ok(Exit::of(&counted, fail_on))
}

fn lines(checked: &Checked) -> Vec<String> {
    let subject = &checked.subject;
    let mut lines = Vec::new();
    match &checked.outcome {
        Outcome::Recorded { .. } if subject.stream.starts_with("docs:") => {
            lines.push(format!("{subject}: recorded the document"));
        }
        Outcome::Recorded { records } => lines.push(format!("{subject}: recorded {records} records in the baseline")),
        Outcome::Learning { seen, joined: false, .. } => lines.push(format!(
            "{subject}: learning stands still at {seen} {}: this one shows hard changes and is not learned from; where \
             they are the new normal, `drogue baseline accept {subject}` goes on",
            if *seen == 1 { "window" } else { "windows" }
        )),
        Outcome::Learning { seen, needed, until, .. } => lines.push(format!(
            "{subject}: learning, {seen} of {needed} windows; only hard facts alert until {until:.0} at the earliest"
        )),
        Outcome::Unchanged => lines.push(format!("{subject}: the source says that nothing changed")),
        Outcome::Empty => lines.push(format!("{subject}: no records came, which is no evidence of anything")),
        Outcome::Compared | Outcome::Failed(_) => {}
    }
    if let Some(worst) = checked.earlier.iter().map(|finding| finding.severity).max() {
        lines.push(format!(
            "{subject}: {} from before, the worst {}, not shown by this check; see `drogue findings list {subject}`",
            match checked.earlier.len() {
                1 => "1 finding is open".to_owned(),
                n => format!("{n} findings are open"),
            },
            worst.word()
        ));
    }
    match checked.silenced.len() {
        0 => {}
        1 => lines.push(format!("{subject}: 1 finding is silenced; see `drogue silence list`")),
        n => lines.push(format!("{subject}: {n} findings are silenced; see `drogue silence list`")),
    }
    lines.extend(checked.notes.iter().map(|note| format!("{subject}: {note}")));
    let summary_of = |id: &String| {
        let found =
            checked.report.iter().flat_map(|report| &report.diagnoses).find(|diagnosis| diagnosis.id == *id);
        found.map_or_else(
            || id.clone(),
            |diagnosis| format!("{} at {}", diagnosis.kind.word(), diagnosis.path),
        )
    };
    for id in &checked.handled {
        lines.push(format!(
            "{subject}: the mapping copes already ({}); `drogue baseline accept {subject}` when you agree",
            summary_of(id)
        ));
    }
    for (id, why) in &checked.refused {
        lines.push(format!("{subject}: no patch ({}): {why}", summary_of(id)));
    }
    lines
}
