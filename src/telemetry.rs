//! Logs: to standard error, quiet by default, in colours only on a terminal.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What libraries say is seldom about the user's data; their warnings are kept.
const QUIET: &str = "sqlx=warn,hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,h2=warn,tower=warn,html5ever=error,selectors=error,lettre=warn";

/// Starts logging to standard error. `verbosity` counts `-v`: none for warnings, one for what happens, two for details,
/// three for everything. `DROGUE_LOG`, else `RUST_LOG`, is a filter in the words of `tracing` and goes first.
///
/// A second call changes nothing: logging is set up once for a process.
pub fn init(verbosity: u8, json: bool) {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let filter = variable("DROGUE_LOG").or_else(|| variable("RUST_LOG"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter_for(verbosity, filter.as_deref()))
        .with_writer(std::io::stderr)
        .with_target(verbosity >= 2);
    // A logger that is there already, as in a test, stays.
    let _ = if json {
        builder.json().flatten_event(true).with_ansi(false).try_init()
    } else {
        let no_color = variable("NO_COLOR").is_some();
        builder.with_ansi(!no_color && std::io::stderr().is_terminal()).try_init()
    };
}

fn filter_for(verbosity: u8, variable: Option<&str>) -> EnvFilter {
    if let Some(text) = variable
        && let Ok(filter) = EnvFilter::try_new(text)
    {
        return filter;
    }
    EnvFilter::new(match verbosity {
        0 => format!("warn,{QUIET}"),
        1 => format!("warn,drogue=info,{QUIET}"),
        2 => format!("info,drogue=debug,{QUIET}"),
        _ => "debug,drogue=trace".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_filter_falls_back() {
        assert!(filter_for(1, None).to_string().contains("drogue=info"));
        assert!(filter_for(0, Some("drogue=trace")).to_string().contains("drogue=trace"));
        assert!(filter_for(1, Some("drogue=loud=very")).to_string().contains("drogue=info"));
    }
}
