//! `drogue demo`: runs the demo and shows it, day by day.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::args::Demo;
use super::output::{Exit, Output};
use super::render::{self, Cell, Style, Tone};
use crate::demo::{self, Day, Decided, Ending, Event, Sequence, Settings, Tally, embedded};
use crate::engine::Outcome;
use crate::model::{Diagnosis, Patch};
use crate::notify::render_preview;

pub(super) async fn run(args: &Demo, out: &Output) -> anyhow::Result<Exit> {
    let sequences = match &args.sequence {
        Some(folder) => vec![Sequence::load(folder)?],
        None => embedded()?,
    };
    let folder = std::env::temp_dir().join(format!("drogue-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let kept = Kept { folder: folder.clone(), keep: args.keep };
    let connector =
        demo::find_connector(|| out.say("building the demo's connector, `examples/connector.rs`, once …"))
            .await?;
    let settings = Settings { folder, smtp: args.smtp.as_deref().map(host_and_port).transpose()?, connector };

    let mut show =
        Show { out, quiet: None, mail_shown: false, json: Vec::new(), holes: (0, 0), wrong: (0, 0) };
    let step = args.step;
    for sequence in sequences {
        let sequence = Arc::new(sequence);
        let mut ask = |patch: &Patch| if step { ask_for(patch, out) } else { Ok(true) };
        demo::run(&sequence, &settings, &mut ask, &mut |event| show.event(&event)).await?;
    }
    show.close();
    if args.keep {
        out.say(&format!("config, mappings and databases are in {}", kept.folder.display()));
    }
    Ok(Exit::Clean)
}

/// The folder of the run, removed at the end unless it is to be kept.
struct Kept {
    folder: PathBuf,
    keep: bool,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn host_and_port(text: &str) -> anyhow::Result<(String, u16)> {
    let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port)) if !host.is_empty() => Ok((host.trim_matches(['[', ']']).to_owned(), port)),
        _ => bail!("`--smtp {text}`: HOST:PORT is expected, such as 127.0.0.1:1025"),
    }
}

fn ask_for(patch: &Patch, out: &Output) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("`--step` asks, and there is nobody to answer: run it in a terminal");
    }
    out.text(&render::patch(patch, &out.style));
    let mut asked = std::io::stderr().lock();
    write!(asked, "approve patch {}? [y/N] ", patch.id)?;
    asked.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Shows events as they come.
struct Show<'a> {
    out: &'a Output,
    /// Days with nothing to show, first and last, and how many.
    quiet: Option<(String, String, usize)>,
    mail_shown: bool,
    json: Vec<Value>,
    /// With Drogue, without it.
    holes: (u64, u64),
    wrong: (u64, u64),
}

impl Show<'_> {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Begin { sequence, .. } => self.begin(sequence),
            Event::Day(day) => self.day(day),
            Event::End(ending) => self.end(ending),
        }
    }

    fn text(&self, text: &str) {
        if !self.out.is_json() {
            self.out.text(text);
        }
    }

    fn begin(&mut self, sequence: &Sequence) {
        let bold = |text: &str| paint(&self.out.style, Tone::Bold, text);
        let days = sequence.steps.len();
        self.text(&format!(
            "\n{}\n{}, {days} publications from {}\nlicence: {}\n",
            bold(&render::clean(&sequence.id)),
            render::clean(&sequence.source),
            sequence.steps.first().map(demo::Step::day).unwrap_or_default(),
            render::clean(&sequence.licence),
        ));
    }

    fn day(&mut self, day: &Day) {
        if self.out.is_json() {
            self.json.push(day_json(day));
            return;
        }
        if is_quiet(day) {
            let (_, last, count) = self.quiet.get_or_insert_with(|| (day.day.clone(), String::new(), 0));
            last.clone_from(&day.day);
            *count += 1;
            return;
        }
        self.flush_quiet();
        let style = &self.out.style;
        self.out.text(&format!("{}  {}", paint(style, Tone::Bold, &day.day), seen(day, style)));
        for diagnosis in told(day) {
            self.out.text(&indent(&short_card(diagnosis, style), 12));
        }
        for (at, message) in day.messages.iter().enumerate() {
            let preview = render_preview(message);
            let subject = preview.lines().find(|line| line.starts_with("Subject:")).unwrap_or_default();
            let why = message.escalation.reason.word();
            if self.mail_shown || at > 0 {
                self.out.text(&indent(&format!("mail ({why})  {}", render::clean(subject)), 12));
            } else {
                self.mail_shown = true;
                let clean: String =
                    preview.lines().map(|line| format!("  │ {}\n", render::clean(line))).collect();
                self.out.text(&indent(&format!("the mail as the team gets it:\n{clean}"), 12));
            }
        }
        for decided in &day.decisions {
            self.decided(decided);
        }
        if let (Err(why), _) = &day.loaded {
            self.out.text(&indent(&format!("the connector loaded nothing: {}", first_line(why)), 12));
        }
    }

    fn flush_quiet(&mut self) {
        let Some((first, last, count)) = self.quiet.take() else { return };
        let days = if count == 1 { first } else { format!("{first} to {last}") };
        let what = if count == 1 {
            "nothing to say".to_owned()
        } else {
            format!("{count} publications, nothing to say")
        };
        self.out.text(&paint(&self.out.style, Tone::Dim, &format!("{days}  {what}")));
    }

    fn decided(&self, decided: &Decided) {
        let style = &self.out.style;
        match decided {
            Decided::Approved(patch) => {
                for file in &patch.files {
                    self.out.text(&indent(&diff(&file.diff, style), 12));
                }
                for check in patch.verification.iter().flat_map(|verification| &verification.checks) {
                    let (sign, tone) = if check.passed { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
                    let sign = if style.unicode { sign } else { "-" };
                    self.out.text(&indent(
                        &format!("{} {}", paint(style, tone, sign), render::clean(&check.what)),
                        12,
                    ));
                }
                let done = format!("approved by `{}`, applied: patch {}", demo::ACTOR, patch.id);
                self.out.text(&indent(&paint(style, Tone::Good, &done), 12));
            }
            Decided::Left(patch, why) => {
                self.out.text(&indent(
                    &format!("patch {} is left to a person: {}", patch.id, render::clean(why)),
                    12,
                ));
            }
            Decided::Accepted(diagnoses) => {
                let names: Vec<String> = diagnoses
                    .iter()
                    .map(|diagnosis| {
                        format!("{} {}", diagnosis.kind.word(), render::clean(&diagnosis.path.to_string()))
                    })
                    .collect();
                let done = format!("accepted by `{}` as the new normal: {}", demo::ACTOR, names.join(", "));
                self.out.text(&indent(&paint(style, Tone::Dim, &done), 12));
            }
        }
    }

    fn end(&mut self, ending: &Ending) {
        self.holes.0 += ending.with.holes();
        self.holes.1 += ending.without.holes();
        self.wrong.0 += ending.with.wrong();
        self.wrong.1 += ending.without.wrong();
        if self.out.is_json() {
            self.json.push(ending_json(ending));
            return;
        }
        self.flush_quiet();
        let style = &self.out.style;
        let counted = if ending.labelled {
            "by the publisher's own history"
        } else {
            "by what each column held before"
        };
        self.out.text(&format!(
            "\nThe connector's two tables, {} rows each, counted {counted}:\n",
            ending.with.rows
        ));
        let names: std::collections::BTreeSet<&String> =
            ending.with.columns.keys().chain(ending.without.columns.keys()).collect();
        let mut rows: Vec<Vec<Cell>> = names
            .into_iter()
            .map(|name| {
                let mut row = vec![Cell::new(name, Tone::Plain)];
                row.extend(fault_cells(&ending.with, Some(name)));
                row.extend(fault_cells(&ending.without, Some(name)));
                row
            })
            .collect();
        let mut sum = vec![Cell::new("all columns", Tone::Bold)];
        sum.extend(fault_cells(&ending.with, None));
        sum.extend(fault_cells(&ending.without, None));
        rows.push(sum);
        let headers = ["column", "holes with Drogue", "wrong with Drogue", "holes without", "wrong without"];
        self.out.text(&render::table(&headers, &rows, style));
        if !ending.with.missing_days.is_empty() {
            self.out.text(&format!("days that could not be loaded: {}", ending.with.missing_days.join(", ")));
        }
    }

    fn close(&self) {
        if self.out.is_json() {
            let value = json!({"version": 1, "events": self.json});
            self.out.text(&serde_json::to_string_pretty(&value).unwrap_or_default());
            return;
        }
        let sentence = format!(
            "\nWith Drogue: {} holes, {} wrong values. Without: {} holes, {} wrong values.\n",
            self.holes.0, self.wrong.0, self.holes.1, self.wrong.1
        );
        self.out.text(&paint(&self.out.style, Tone::Bold, &sentence));
    }
}

/// Whether a day shows nothing but that all is well.
fn is_quiet(day: &Day) -> bool {
    let is_fine = |outcome: &Outcome| match outcome {
        Outcome::Compared | Outcome::Unchanged => true,
        Outcome::Recorded { .. } | Outcome::Learning { .. } | Outcome::Empty | Outcome::Failed(_) => false,
    };
    day.messages.is_empty()
        && day.decisions.is_empty()
        && day.loaded.0.is_ok()
        && told(day).next().is_none()
        && day.checks.iter().all(|checked| is_fine(&checked.outcome))
}

/// A diagnosis in a few lines: what happened, and the first line of its evidence.
fn short_card(diagnosis: &Diagnosis, style: &Style) -> String {
    let card = render::diagnosis(diagnosis, &[], &narrower(style));
    let is_label = |line: &str, label: &str| line.trim_start().starts_with(label);
    let mut lines: Vec<&str> = Vec::new();
    let mut is_kept = true;
    for line in card.lines() {
        let plain = anstream::adapter::strip_str(line).to_string();
        if ["detail ", "evidence ", "patch ", "since "].iter().any(|label| is_label(&plain, label)) {
            is_kept = is_label(&plain, "evidence ");
            if is_kept {
                lines.push(line);
                is_kept = false;
            }
        } else if is_kept || is_label(&plain, "candidate") {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// What the checks of a day saw, in a few words.
fn seen(day: &Day, style: &Style) -> String {
    let Some(first) = day.checks.first() else { return "no check was due".to_owned() };
    let last = day.checks.last().unwrap_or(first);
    let words = match &last.outcome {
        Outcome::Recorded { records } => format!("{records} records: the first baseline"),
        Outcome::Learning { seen, needed, .. } => format!("learning, window {seen} of {needed}"),
        Outcome::Compared => match told(day).count() {
            0 => "nothing to say".to_owned(),
            1 => "1 diagnosis".to_owned(),
            n => format!("{n} diagnoses"),
        },
        Outcome::Unchanged => "nothing new at the source".to_owned(),
        Outcome::Empty => "an empty list: no evidence of anything".to_owned(),
        Outcome::Failed(unobserved) => format!(
            "could not be observed, {} times looked: {}",
            day.checks.len(),
            render::clean(&unobserved.outcome)
        ),
    };
    let records = last.report.as_ref().map_or(0, |report| report.compared.live.records);
    let count = if records > 0 { format!("{records} records, ") } else { String::new() };
    let tone = if told(day).next().is_some() { Tone::Plain } else { Tone::Dim };
    paint(style, tone, &format!("{count}{words}"))
}

/// Diagnoses of a day, each once.
fn told(day: &Day) -> impl Iterator<Item = &Diagnosis> {
    let mut ids = std::collections::BTreeSet::new();
    day.checks
        .iter()
        .filter_map(|checked| checked.report.as_ref())
        .flat_map(|report| &report.diagnoses)
        .filter(move |diagnosis| ids.insert(diagnosis.id.clone()))
}

fn fault_cells(tally: &Tally, column: Option<&str>) -> [Cell; 2] {
    let (holes, wrong) = match column {
        Some(name) => tally.columns.get(name).map_or((0, 0), |column| {
            (column.holes.values().sum::<u64>(), column.wrong.values().sum::<u64>())
        }),
        None => (tally.holes(), tally.wrong()),
    };
    [holes, wrong].map(|n| Cell::new(n.to_string(), if n == 0 { Tone::Good } else { Tone::Bad }))
}

fn narrower(style: &Style) -> Style {
    Style { width: style.width.saturating_sub(12).max(40), ..*style }
}

fn indent(text: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    text.lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{pad}{line}\n") })
        .collect()
}

fn diff(text: &str, style: &Style) -> String {
    text.lines()
        .map(|line| {
            let tone = match line.as_bytes().first() {
                Some(b'+') => Tone::Good,
                Some(b'-') => Tone::Bad,
                Some(b'@') => Tone::Info,
                Some(_) | None => Tone::Dim,
            };
            paint(style, tone, &render::clean(line)) + "\n"
        })
        .collect()
}

fn paint(style: &Style, tone: Tone, text: &str) -> String {
    render::paint(style, tone, text)
}

fn first_line(text: &str) -> String {
    render::clean(text.lines().next().unwrap_or_default())
}

fn day_json(day: &Day) -> Value {
    let decisions: Vec<Value> = day
        .decisions
        .iter()
        .map(|decided| match decided {
            Decided::Approved(patch) => json!({"decision": "approved", "patch": patch}),
            Decided::Left(patch, why) => json!({"decision": "left", "patch": patch.id, "why": why}),
            Decided::Accepted(diagnoses) => {
                json!({"decision": "accepted", "diagnoses": diagnoses.iter().map(|d| &d.id).collect::<Vec<_>>()})
            }
        })
        .collect();
    let loaded = |result: &Result<u64, String>| match result {
        Ok(rows) => json!({"rows": rows}),
        Err(why) => json!({"failed": why}),
    };
    json!({
        "day": day.day,
        "publication": day.version,
        "reports": day.checks.iter().filter_map(|checked| checked.report.as_ref()).collect::<Vec<_>>(),
        "decisions": decisions,
        "messages": day.messages.iter().map(|message| &message.id).collect::<Vec<_>>(),
        "with_drogue": loaded(&day.loaded.0),
        "without_drogue": loaded(&day.loaded.1),
    })
}

fn ending_json(ending: &Ending) -> Value {
    let faults = |tally: &Tally| json!({"rows": tally.rows, "holes": tally.holes(), "wrong": tally.wrong(), "missing_days": tally.missing_days});
    json!({
        "sequence": ending.id,
        "labelled": ending.labelled,
        "with_drogue": faults(&ending.with),
        "without_drogue": faults(&ending.without),
    })
}
