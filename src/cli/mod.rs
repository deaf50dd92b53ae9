//! The command line: reads what was typed, calls the engine, prints what it gives back. Decides nothing.

mod args;
mod baseline;
mod check;
mod config;
mod decide;
mod demo;
mod diff;
mod findings;
mod init;
mod output;
mod probe;
mod read_pdf;
pub mod render;
mod replay;
mod rules;
mod watch;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
pub use args::{Cli, Command, Common};
pub use output::Exit;
use output::Output;

use crate::clock::SystemClock;
use crate::config::{Config, LoadedConfig};
use crate::engine::Engine;
use crate::telemetry;

/// Runs what was typed.
///
/// # Errors
/// Where the command could not run, with the chain of causes; [`Exit::of_error`] says how the program ends then.
pub async fn run(cli: Cli) -> anyhow::Result<Exit> {
    // A daemon tells what it does; the demo shows what matters by itself.
    match &cli.command {
        Command::Watch => telemetry::init(cli.common.verbose + 1, cli.common.format == args::Format::Json),
        Command::Demo(_) if cli.common.verbose == 0 => {}
        _ => telemetry::init(cli.common.verbose, false),
    }
    let out = Output::new(&cli.common);
    let common = &cli.common;
    if matches!(common.format, args::Format::Markdown | args::Format::Html)
        && !matches!(cli.command, Command::Diff(_))
    {
        out.say("error: only `diff` prints markdown and html; the others print text and json");
        return Ok(Exit::Usage);
    }
    match cli.command {
        Command::Demo(args) => demo::run(&args, &out).await,
        Command::Init(args) => init::run(&args, &out),
        Command::Record(args) => check::record(&open(common, &out).await?, &args, &out).await,
        Command::Check(args) => check::check(&open(common, &out).await?, &args, &out).await,
        Command::Watch => watch::run(common, &out).await,
        Command::Import(args) => check::import(&open(common, &out).await?, &args, &out).await,
        Command::Diff(args) => diff::run(&args, &out).await,
        Command::Findings(args) => findings::run(&open(common, &out).await?, args.action, &out).await,
        Command::Silence(args) => findings::silence(&open(common, &out).await?, args.action, &out).await,
        Command::Ignore(args) => findings::ignore(&open(common, &out).await?, &args, &out),
        Command::Patches(args) => decide::patches(&recovered(common, &out).await?, args.action, &out).await,
        Command::Approve(args) => decide::approve(&recovered(common, &out).await?, args, &out).await,
        Command::Reject(args) => decide::reject(&recovered(common, &out).await?, args, &out).await,
        Command::Rollback(args) => decide::roll_back(&recovered(common, &out).await?, args, &out).await,
        Command::Baseline(args) => baseline::run(&open(common, &out).await?, args.action, &out).await,
        Command::Rules(args) => rules::run(common, args.action, &out),
        Command::Config(_) => config::check(common, &out),
        Command::Probe(args) => probe::run(&open(common, &out).await?, &args, &out).await,
        Command::Replay(args) => replay::run(common, &args, &out),
        Command::Doctor => config::doctor(common, &out).await,
        Command::ReadPdf => read_pdf::run(),
        Command::Audit(args) => decide::audit(&open(common, &out).await?, args.action, &out).await,
    }
}

/// Loads the config that the options and the environment name.
fn load(common: &Common, out: &Output) -> anyhow::Result<LoadedConfig> {
    let path = Config::find(common.config.as_deref(), &|name| std::env::var(name).ok())?;
    load_from(&path, out)
}

/// The config where one is named or lies in this folder, for commands that need none.
fn load_if_any(common: &Common, out: &Output) -> anyhow::Result<Option<LoadedConfig>> {
    let is_there = common.config.is_some() || Path::new("drogue.yaml").is_file();
    is_there.then(|| load(common, out)).transpose()
}

fn load_from(path: &Path, out: &Output) -> anyhow::Result<LoadedConfig> {
    let loaded = Config::load(path, &|name| std::env::var(name).ok())?;
    // `config check`, `doctor` and the daemon tell them in any case; a command in a pipeline says them on request.
    if out.is_verbose() {
        warn_of(&loaded, out);
    }
    Ok(loaded)
}

fn warn_of(loaded: &LoadedConfig, out: &Output) {
    for warning in &loaded.warnings {
        out.say(&format!("warning: {warning}"));
    }
}

async fn open(common: &Common, out: &Output) -> anyhow::Result<Engine> {
    let config = load(common, out)?;
    Engine::open(config, Arc::new(SystemClock::new())).await.context("cannot start")
}

/// The same for commands about patches: a decision that the end of a process cut off is finished first.
async fn recovered(common: &Common, out: &Output) -> anyhow::Result<Engine> {
    let engine = open(common, out).await?;
    engine.recover().await.context("cannot finish what was cut off")?;
    Ok(engine)
}

/// The name that decisions are made in: what was given, else the user's name.
fn actor(given: Option<String>) -> String {
    given
        .or_else(|| std::env::var("USER").ok())
        .or_else(|| std::env::var("LOGNAME").ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
