//! Results as text for a terminal: pure functions from what was found to what is printed.
//!
//! Nothing here prints, asks the terminal or reads a clock. All text that comes from an API, a document or a file is
//! made harmless first (`text::clean`): no escape sequence and no bidirectional override of theirs reaches a terminal.

mod card;
mod changes;
mod docs;
mod documents;
mod html;
mod markdown;
mod patch;
mod replay;
mod report;
mod siblings;
mod table;
mod text;

#[cfg(test)]
mod tests;

use anstyle::{AnsiColor, Style as Paint};

use crate::config::ConfigErrors;

pub(in crate::cli) use card::commands;
pub(in crate::cli) use text::count;

pub use card::{diagnosis, finding, finding_detail};
pub(in crate::cli) use docs::gathers as is_listed;
pub use documents::documents;
pub use html::html;
pub use markdown::markdown;
pub use patch::patch;
pub use replay::replay;
pub use report::{report, report_set, unobserved};
pub use table::{Cell, table};
pub use text::clean;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colours are wanted.
    pub color: bool,
    /// Whether signs beyond ASCII are wanted.
    pub unicode: bool,
}

impl Default for Style {
    /// For a file or a pipe: 80 columns, no colours.
    fn default() -> Self {
        Self { width: 80, color: false, unicode: true }
    }
}

/// What a piece of text means, and so how it is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Less important.
    Dim,
    /// More important.
    Bold,
    /// It is as it should be.
    Good,
    /// It is not as it should be, or goes away.
    Bad,
    /// Worth knowing.
    Info,
    /// Data may be wrong.
    Warning,
    /// Data is wrong.
    Breaking,
}

impl Tone {
    const fn paint(self) -> Paint {
        match self {
            Self::Plain => Paint::new(),
            Self::Dim => Paint::new().dimmed(),
            Self::Bold => Paint::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Info => AnsiColor::Cyan.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default().bold(),
            Self::Breaking => AnsiColor::Red.on_default().bold(),
        }
    }
}

impl Style {
    /// Paints text that is already harmless.
    fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color || tone == Tone::Plain || text.is_empty() {
            return text.to_owned();
        }
        let paint = tone.paint();
        format!("{paint}{text}{paint:#}")
    }

    /// One sign or the other.
    const fn sign(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// Between facts on one line.
    const fn dot(&self) -> &'static str {
        self.sign(" · ", " - ")
    }

    const fn arrow(&self) -> &'static str {
        self.sign(" → ", " -> ")
    }

    const fn ellipsis(&self) -> &'static str {
        self.sign("…", "...")
    }

    /// Columns for sentences: lines of more than 120 are hard to read back from.
    const fn measure(&self) -> usize {
        let width = if self.width < 40 { 40 } else { self.width };
        if width > 120 { 120 } else { width }
    }
}

/// Paints text that is already harmless.
#[must_use]
pub fn paint(style: &Style, tone: Tone, text: &str) -> String {
    style.paint(tone, text)
}

/// What is wrong with a config, as compilers print it.
#[must_use]
pub fn config_errors(errors: &ConfigErrors, style: &Style) -> String {
    errors.to_text(style.color)
}
