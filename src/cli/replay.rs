//! `drogue replay DIR`.

use super::args::{Common, Replay};
use super::output::{Exit, Output};
use super::render;
use crate::config::LearningSettings;
use crate::engine::{self, Accepting, EngineError, ReplayOptions, WindowOutcome};
use crate::model::{ReportSet, Unobserved};

pub(super) fn run(common: &Common, args: &Replay, out: &Output) -> anyhow::Result<Exit> {
    let options = ReplayOptions {
        records: args.records.clone(),
        key: args.key.clone(),
        rules: Some(super::rules::rule_set(common, &[], out)?),
        learning: learning(common, args, out)?,
        accept: accepting(args)?,
    };
    let replay = engine::replay(&args.dir, &options)?;
    out.result(&replay, |style| render::replay(&replay, style))?;
    if let Some(wrong) = replay.nowhere {
        return Err(EngineError::Usage(wrong).into());
    }
    // A window that could not be read is one that nobody has judged.
    let unread = replay.windows.iter().filter_map(|window| match &window.outcome {
        WindowOutcome::Unreadable { why } | WindowOutcome::Failed { why, .. } => Some(Unobserved {
            connector: "replay".to_owned(),
            stream: window.name.clone(),
            outcome: why.clone(),
            retry_at: None,
        }),
        WindowOutcome::Learning { .. }
        | WindowOutcome::Learned { .. }
        | WindowOutcome::Compared
        | WindowOutcome::Empty => None,
    });
    let unobserved = unread.collect();
    let reports = replay.windows.into_iter().filter_map(|window| window.report).collect();
    let set = ReportSet { version: 1, drogue: String::new(), reports, unobserved };
    Ok(Exit::of(&set, args.fail_on))
}

/// As the config has it where there is one, and as the command line has it where it says so.
fn learning(common: &Common, args: &Replay, out: &Output) -> anyhow::Result<LearningSettings> {
    let known = super::load_if_any(common, out)?.map(|loaded| loaded.config.learning).unwrap_or_default();
    Ok(LearningSettings {
        windows: args.learning_windows.unwrap_or(known.windows),
        span: args.learning_span.unwrap_or(known.span),
    })
}

fn accepting(args: &Replay) -> anyhow::Result<Accepting> {
    match args.accept.as_slice() {
        [] => Ok(Accepting::Nothing),
        [word] if word == "none" => Ok(Accepting::Nothing),
        [word] if word == "all" => Ok(Accepting::Everything),
        paths => {
            let parsed = paths.iter().map(|path| {
                path.parse().map_err(|wrong| {
                    anyhow::anyhow!("`--accept {path}`: `all`, `none` or a JSONPATH is expected: {wrong}")
                })
            });
            Ok(Accepting::At(parsed.collect::<Result<_, _>>()?))
        }
    }
}
