//! `drogue diff BASELINE LIVE`.

use super::args::Diff;
use super::output::{Exit, Output};
use super::render;
use crate::engine::{self, DiffOptions};
use crate::model::ReportSet;

pub(super) async fn run(args: &Diff, out: &Output) -> anyhow::Result<Exit> {
    let options = DiffOptions {
        records: args.records.clone(),
        key: args.key.clone(),
        allow_private: args.allow_private.clone(),
    };
    let report = engine::diff(&args.baseline, &args.live, &options).await?;
    out.result(&report, |style| render::report(&report, style))?;
    let set = ReportSet { version: 1, drogue: String::new(), reports: vec![report], unobserved: Vec::new() };
    Ok(Exit::of(&set, args.fail_on.fail_on))
}
