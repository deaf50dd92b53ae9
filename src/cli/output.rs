//! Where results go: text or JSON on standard output, talk on standard error, and the exit code.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use super::args::{Colour, Common, Format};
use super::render::Style;
use crate::engine::EngineError;
use crate::model::{FindingState, ReportSet, Severity};

/// How this run prints.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Text or JSON.
    pub(super) format: Format,
    /// Width and colour of text.
    pub(super) style: Style,
    quiet: bool,
    verbose: bool,
}

/// How the program ends; the documented table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing to do.
    Clean,
    /// It could not run.
    Failed,
    /// Wrong use.
    Usage,
    /// Findings, none of them breaking.
    Findings,
    /// Some streams could not be observed.
    Unobserved,
    /// Breaking findings.
    Breaking,
}

impl Exit {
    /// The code: 0, 1, 2, 10, 12 or 11.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Findings => 10,
            Self::Breaking => 11,
            Self::Unobserved => 12,
        }
    }

    /// The exit of a command that came to no end: wrong use where what was typed does not fit what there is.
    #[must_use]
    pub fn of_error(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<EngineError>() {
            Some(EngineError::Usage(_)) => Self::Usage,
            Some(_) | None => Self::Failed,
        }
    }

    /// The exit that a set of reports asks for: findings at or above `fail_on` that are open count; those that a
    /// person has acknowledged do not.
    pub(super) fn of(set: &ReportSet, fail_on: Severity) -> Self {
        let worst = set
            .reports
            .iter()
            .flat_map(|report| &report.findings)
            .filter(|finding| matches!(finding.state, FindingState::Open | FindingState::Flapping))
            .map(|finding| finding.severity)
            .filter(|severity| *severity >= fail_on)
            .max();
        match worst {
            Some(Severity::Breaking) => Self::Breaking,
            _ if !set.unobserved.is_empty() => Self::Unobserved,
            Some(Severity::Info | Severity::Warning) => Self::Findings,
            None => Self::Clean,
        }
    }
}

impl Output {
    pub(super) fn new(common: &Common) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let color = match common.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
        let width = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(width);
        let unicode = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .is_none_or(|locale| !matches!(locale.as_str(), "C" | "POSIX"));
        Self {
            format: common.format,
            style: Style { width: width.clamp(40, 200), color, unicode },
            quiet: common.quiet,
            verbose: common.verbose > 0,
        }
    }

    /// Whether results are printed for programs.
    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints a result: as JSON, or as the text that `text` makes of it.
    pub(super) fn result<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&Style) -> String,
    ) -> anyhow::Result<()> {
        match self.format {
            // `run` lets the others through to `diff` alone, which prints them itself.
            Format::Text | Format::Markdown | Format::Html => self.text(&text(&self.style)),
            Format::Json => self.text(&serde_json::to_string_pretty(value)?),
        }
        Ok(())
    }

    /// Prints a list: as JSON inside of an object that names it and has a version, so that more can be said beside it.
    pub(super) fn list<T: Serialize>(
        &self,
        name: &str,
        items: &[T],
        text: impl FnOnce(&Style) -> String,
    ) -> anyhow::Result<()> {
        let value = serde_json::json!({"version": 1, "drogue": env!("CARGO_PKG_VERSION"), name: items});
        self.result(&value, text)
    }

    /// Prints a result that is text in any case. A reader that has gone (`| head`) is no error.
    pub(super) fn text(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
    }

    /// Whether more is to be said.
    pub(super) const fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether progress may be drawn: on a terminal alone, and not in between of what programs read.
    pub(super) fn shows_progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal() && std::env::var_os("CI").is_none()
    }

    /// Says something that is no result.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}
