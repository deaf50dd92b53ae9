//! `drogue probe STREAM --dry-run`.

use super::args::Probe;
use super::output::{Exit, Output};
use super::render;
use crate::engine::Engine;

pub(super) async fn run(engine: &Engine, args: &Probe, out: &Output) -> anyhow::Result<Exit> {
    debug_assert!(args.dry_run, "clap requires it");
    let exchange = engine.probe(&engine.subject(&args.stream)?).await?;
    out.result(&exchange, |_| exchange.text.lines().map(|line| render::clean(line) + "\n").collect())?;
    Ok(Exit::Clean)
}
