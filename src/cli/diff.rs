//! `drogue diff BASELINE LIVE`.

use serde::Serialize;

use super::args::{Diff, Format};
use super::output::{Exit, Output};
use super::render;
use crate::engine::{self, DiffOptions};
use crate::model::{Report, ReportSet};
use crate::rules::ContractFinding;
use crate::spec::Affected;

/// The report, and of API descriptions what a comparison of contracts says.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<Vec<Line<'a>>>,
}

/// One change of the contract: the level is `ERR`, `WARN` or `INFO`.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    level: &'static str,
    name: &'a str,
    from: &'a str,
    to: &'a str,
    /// How many operations it affects.
    operations: usize,
    /// Where it takes effect, the first hundred places: the operation, and the place in it.
    affects: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    method: &'a str,
    path: &'a str,
    at: &'a str,
}

pub(super) async fn run(args: &Diff, out: &Output) -> anyhow::Result<Exit> {
    let options = DiffOptions {
        records: args.records.clone(),
        key: args.key.clone(),
        allow_private: args.allow_private.clone(),
    };
    let diff = engine::diff(&args.baseline, &args.live, &options).await?;
    let (report, contract) = (&diff.report, diff.contract.as_deref());
    let names = (args.baseline.as_str(), args.live.as_str());
    match (out.format, contract) {
        (Format::Markdown, _) => out.text(&render::markdown(report, contract, names)),
        (Format::Html, _) => out.text(&render::html(report, contract, names)),
        (Format::Json | Format::Text, _) => {
            let printed = Printed { report, contract: contract.map(|all| all.iter().map(line).collect()) };
            out.result(&printed, |style| match contract {
                Some(_) => render::documents(report, contract, style),
                None => render::report(report, style),
            })?;
        }
    }
    // What was not compared may have changed: that is no "nothing to do".
    let half_read = contract.is_some() && !report.inconclusive.is_empty();
    let set =
        ReportSet { version: 1, drogue: String::new(), reports: vec![diff.report], unobserved: Vec::new() };
    Ok(match Exit::of(&set, args.fail_on.fail_on) {
        Exit::Clean if half_read => Exit::Unobserved,
        exit => exit,
    })
}

fn line(finding: &ContractFinding) -> Line<'_> {
    let change = &finding.change;
    Line {
        id: &finding.id,
        level: finding.level.word(),
        name: &change.name,
        from: &change.from,
        to: &change.to,
        operations: change.operations,
        affects: change.affects.iter().map(place).collect(),
    }
}

fn place(affected: &Affected) -> Place<'_> {
    Place { method: &affected.method, path: &affected.path, at: &affected.at }
}
