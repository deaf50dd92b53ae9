//! `drogue diff BASELINE LIVE`.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::args::{Diff, Format};
use super::output::{Exit, Output};
use super::render;
use crate::clock::SystemClock;
use crate::engine::{self, DiffOptions};
use crate::model::{
    Clock as _, CompareKind, Compared, Diagnosis, Finding, Inconclusive, Report, ReportSet, Subject,
};
use crate::rules::{ContractEntry, ContractValue};
use crate::spec::Affected;

/// The report on two API descriptions, with what a comparison of contracts says: of each finding what it tells already,
/// and then whatever else changed.
#[derive(Serialize)]
struct Described<'a> {
    version: u32,
    subject: &'a Subject,
    compared: &'a Compared,
    diagnoses: &'a [Diagnosis],
    findings: Vec<Told<'a>>,
    inconclusive: &'a [Inconclusive],
    contract: Vec<Entry<'a>>,
    /// How many entries there are by level, those of the findings counted as well.
    contract_levels: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    contract: Vec<Entry<'a>>,
}

/// One change of the contract: the level is `ERR`, `WARN` or `INFO`.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    level: &'static str,
    /// What changed, each of it at every place.
    values: Vec<Value<'a>>,
    /// How many operations it affects.
    operations: usize,
    /// Where it takes effect; of one schema the first hundred places.
    affects: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Value<'a> {
    name: &'a str,
    from: &'a str,
    to: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    method: &'a str,
    path: &'a str,
    /// The place in the description: the status and media type, the parameter, and every keyword on the way.
    at: &'a str,
    /// The place in what is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

pub(super) async fn run(args: &Diff, out: &Output) -> anyhow::Result<Exit> {
    let options = DiffOptions {
        records: args.records.clone(),
        key: args.key.clone(),
        allow_private: args.allow_private.clone(),
        today: Some(SystemClock::new().now().to_zoned(TimeZone::UTC).date()),
    };
    let diff = engine::diff(&args.baseline, &args.live, &options).await?;
    let (report, contract) = (&diff.report, diff.contract.as_deref());
    let names = (args.baseline.as_str(), args.live.as_str());
    match (out.format, contract) {
        (Format::Markdown, _) => out.text(&render::markdown(report, contract, names)),
        (Format::Html, _) => out.text(&render::html(report, contract, names)),
        (Format::Json | Format::Text, Some(contract)) => {
            out.result(&described(report, contract), |style| render::documents(report, contract, style))?;
        }
        (Format::Json | Format::Text, None) => out.result(report, |style| render::report(report, style))?,
    }
    // What was not compared may have changed: that is no "nothing to do".
    let half_read = report.compared.kind == CompareKind::Docs && !report.inconclusive.is_empty();
    let set =
        ReportSet { version: 1, drogue: String::new(), reports: vec![diff.report], unobserved: Vec::new() };
    Ok(match Exit::of(&set, args.fail_on.fail_on) {
        Exit::Clean if half_read => Exit::Unobserved,
        exit => exit,
    })
}

fn described<'a>(report: &'a Report, contract: &'a [ContractEntry]) -> Described<'a> {
    let mut told: BTreeMap<&str, Vec<Entry<'a>>> = BTreeMap::new();
    let mut rest = Vec::new();
    let mut levels = BTreeMap::new();
    for one in contract {
        *levels.entry(one.level.word()).or_default() += 1;
        match &one.told_by {
            Some(by) => told.entry(&by.0).or_default().push(entry(one)),
            None => rest.push(entry(one)),
        }
    }
    let Report { version, subject, compared, diagnoses, findings, inconclusive } = report;
    let findings = findings.iter().map(|finding| Told {
        finding,
        contract: told.remove(finding.fingerprint.0.as_str()).unwrap_or_default(),
    });
    Described {
        version: *version,
        subject,
        compared,
        diagnoses,
        findings: findings.collect(),
        inconclusive,
        contract: rest,
        contract_levels: levels,
    }
}

fn entry(entry: &ContractEntry) -> Entry<'_> {
    Entry {
        id: &entry.id,
        level: entry.level.word(),
        values: entry.values.iter().map(value).collect(),
        operations: entry.operations,
        affects: entry.affects.iter().map(place).collect(),
    }
}

fn value(value: &ContractValue) -> Value<'_> {
    Value { name: &value.name, from: &value.from, to: &value.to }
}

fn place(affected: &Affected) -> Place<'_> {
    let field = affected.field.as_ref().map(ToString::to_string);
    Place { method: &affected.method, path: &affected.path, at: &affected.at, field }
}
