//! `drogue replay DIR`.

use super::args::{Common, Replay};
use super::output::{Exit, Output};
use super::render::{self, Style};
use crate::engine::{self, ReplayOptions, Replayed};
use crate::model::ReportSet;

pub(super) fn run(common: &Common, args: &Replay, out: &Output) -> anyhow::Result<Exit> {
    let rules = Some(super::rules::rule_set(common, &[], out)?);
    let options = ReplayOptions { records: args.records.clone(), key: args.key.clone(), rules };
    let windows = engine::replay(&args.dir, &options)?;
    out.list("windows", &windows, |style| windows.iter().map(|window| line(window, style)).collect())?;
    let reports = windows.into_iter().filter_map(|window| window.report).collect();
    let set = ReportSet { version: 1, drogue: String::new(), reports, unobserved: Vec::new() };
    Ok(Exit::of(&set, args.fail_on.fail_on))
}

fn line(window: &Replayed, style: &Style) -> String {
    let when = window.at.map(|at| format!("{at:.0}  ")).unwrap_or_default();
    let mut text = format!("{when}{}  {}\n", render::clean(&window.name), render::clean(&window.note));
    for diagnosis in window.report.iter().flat_map(|report| &report.diagnoses) {
        let card =
            render::diagnosis(diagnosis, &[], &Style { width: style.width.saturating_sub(4), ..*style });
        for line in card.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text
}
