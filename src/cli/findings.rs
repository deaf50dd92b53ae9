//! `drogue findings`, `drogue silence`, `drogue ignore`.

use super::args::{FindingsAction, Ignore, SilenceAction};
use super::output::{Exit, Output};
use super::render::{self, Cell, Tone};
use crate::engine::{Engine, FindingFilter, FindingView};
use crate::model::{Finding, ReportSet, Severity};

pub(super) async fn run(
    engine: &Engine,
    action: Option<FindingsAction>,
    out: &Output,
) -> anyhow::Result<Exit> {
    match action {
        None => list(engine, FindingFilter::default(), Severity::Info, out).await,
        Some(FindingsAction::List { all, selection, fail_on }) => {
            list(engine, FindingFilter { streams: selection.streams, all }, fail_on.fail_on, out).await
        }
        Some(FindingsAction::Show { fingerprint }) => {
            let view = engine.finding(&fingerprint).await?;
            out.result(&view, |style| render::finding_detail(&view.subject, &view.finding, style))?;
            Ok(Exit::Clean)
        }
        Some(FindingsAction::Ack { fingerprint, reason }) => {
            let view = engine.acknowledge(&fingerprint, &super::actor(None), reason.as_deref()).await?;
            out.result(&view, |_| {
                format!(
                    "acknowledged `{}`: it stays open, is told no more, and is listed with `--all`\n",
                    view.finding.fingerprint
                )
            })?;
            Ok(Exit::Clean)
        }
        Some(FindingsAction::Explain { fingerprint }) => {
            let view = engine.finding(&fingerprint).await?;
            out.result(&view, |style| explain(engine, &view, style))?;
            Ok(Exit::Clean)
        }
    }
}

async fn list(
    engine: &Engine,
    filter: FindingFilter,
    fail_on: Severity,
    out: &Output,
) -> anyhow::Result<Exit> {
    let set = engine.findings(&filter).await?;
    out.result(&set, |style| {
        if set.reports.is_empty() && set.unobserved.is_empty() {
            return if filter.all { "no findings\n" } else { "no open findings\n" }.to_owned();
        }
        let mut text = render::report_set(&set, style);
        text.push_str(&ways_on(&set, style));
        text
    })?;
    Ok(Exit::of(&set, fail_on))
}

/// How to name each thing that is listed: the id that `show`, `explain` and `ack` take.
fn ways_on(set: &ReportSet, style: &render::Style) -> String {
    let mut list = Vec::new();
    for report in &set.reports {
        // What was found in documentation is listed one by one, each with its own command.
        for one in report.diagnoses.iter().filter(|one| !render::is_listed(one)) {
            list.push((one.id.clone(), format!("{} {}", one.kind.word(), one.path)));
        }
        let claimed = |finding: &Finding| {
            report.diagnoses.iter().any(|diagnosis| diagnosis.explains.contains(&finding.fingerprint))
        };
        for one in report.findings.iter().filter(|finding| !claimed(finding)) {
            list.push((one.fingerprint.to_string(), format!("{} {}", one.rule, one.path)));
        }
    }
    if list.is_empty() {
        return String::new();
    }
    let list: Vec<(String, &str)> = list
        .iter()
        .map(|(id, what)| (format!("drogue findings show {}", render::clean(id)), what.as_str()))
        .collect();
    format!("\n{}", render::commands(&list, style))
}

fn explain(engine: &Engine, view: &FindingView, style: &render::Style) -> String {
    let mut text = render::finding_detail(&view.subject, &view.finding, style);
    text.push('\n');
    for because in &view.because {
        text.push_str(&format!("- {}\n", render::clean(because)));
    }
    if let Some(rule) = engine.rules().explain(&view.finding.rule) {
        text.push_str(&format!("\n{}\n", rule.explain.trim_end()));
    }
    text
}

pub(super) async fn silence(engine: &Engine, action: SilenceAction, out: &Output) -> anyhow::Result<Exit> {
    match action {
        SilenceAction::Add { stream, path, span, reason } => {
            let silence = engine.silence(&stream, path.as_ref(), span, &super::actor(None), &reason).await?;
            out.result(&silence, |_| {
                format!(
                    "silence `{}` until {:.0}; end it with `drogue silence expire {}`",
                    silence.id, silence.until, silence.id
                )
            })?;
        }
        SilenceAction::List => {
            let silences = engine.silences().await?;
            out.list("silences", &silences, |style| {
                if silences.is_empty() {
                    return "no silences are in force\n".to_owned();
                }
                let rows: Vec<Vec<Cell>> = silences
                    .iter()
                    .map(|s| {
                        let stream = [s.connector.as_deref(), s.stream.as_deref()];
                        let stream = stream.into_iter().flatten().collect::<Vec<_>>().join("/");
                        [
                            s.id.clone(),
                            [Some(stream.as_str()), s.path.as_deref()]
                                .into_iter()
                                .flatten()
                                .collect::<Vec<_>>()
                                .join(" "),
                            format!("{:.0}", s.until),
                            s.actor.clone(),
                            s.reason.clone().unwrap_or_default(),
                        ]
                        .map(|text| Cell::new(text, Tone::Plain))
                        .into()
                    })
                    .collect();
                render::table(&["silence", "mutes", "until", "by", "why"], &rows, style)
            })?;
        }
        SilenceAction::Expire { id } => {
            engine.expire_silence(&id, &super::actor(None)).await?;
            out.result(&serde_json::json!({"expired": id}), |_| format!("silence `{id}` is over\n"))?;
        }
    }
    Ok(Exit::Clean)
}

/// `ignore` is a rule override in the config: it is shown, and a person puts it there, because Drogue does not write
/// its own config.
pub(super) fn ignore(engine: &Engine, args: &Ignore, out: &Output) -> anyhow::Result<Exit> {
    let subject = engine.subject(&args.stream)?;
    let quote = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let mut yaml = format!(
        "rules:\n  overrides:\n    - connector: {}\n      stream: {}\n      path: {}\n      ignore: true\n",
        quote(&subject.connector),
        quote(&subject.stream),
        quote(&args.path.to_string()),
    );
    if let Some(reason) = &args.reason {
        yaml.push_str(&format!("      reason: {}\n", quote(reason)));
    }
    if out.is_json() {
        let mut value = serde_json::json!({
            "connector": subject.connector, "stream": subject.stream, "path": args.path, "ignore": true,
        });
        if let Some(reason) = &args.reason {
            value["reason"] = reason.as_str().into();
        }
        out.result(&serde_json::json!({"rules": {"overrides": [value]}}), |_| String::new())?;
        return Ok(Exit::Clean);
    }
    out.say(&format!(
        "add this to {}; a running daemon takes it on SIGHUP:\n",
        engine.config().path.display()
    ));
    let value = serde_json::json!({
        "config": engine.config().path,
        "override": {
            "connector": subject.connector,
            "stream": subject.stream,
            "path": args.path.to_string(),
            "ignore": true,
            "reason": args.reason,
        },
    });
    out.result(&value, |_| yaml)?;
    Ok(Exit::Clean)
}
