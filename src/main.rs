//! The `drogue` program: a thin door to the library.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use drogue::cli::{Cli, Exit, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    drogue::net::install_tls();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(failed) => return fail(&format!("cannot start: {failed}"), Exit::Failed),
    };
    let ended = runtime.block_on(run(cli));
    // What is still running has been told to stop; nothing waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failed) => fail(&format!("{failed:#}"), Exit::of_error(&failed)),
    }
}

fn fail(why: &str, exit: Exit) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "error: {why}");
    ExitCode::from(exit.code())
}
