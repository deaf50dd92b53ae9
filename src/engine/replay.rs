//! The time machine: past windows through today's rules, and what would have been said when.
//!
//! Each file of a folder is one window, read as `import` reads it and judged as `check` judges it: the same learning, the
//! same baseline that follows quiet windows, the same hysteresis of findings ([`timeline`]). Nothing is stored.

mod files;
mod timeline;

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use self::timeline::{Accepting, Counts, Event, EventKind, Summary, WindowOutcome};
use self::timeline::{Timeline, Told};
use super::EngineError;
use crate::clock::DrivenClock;
use crate::config::LearningSettings;
use crate::model::{Clock, FieldPath, HashKey, Report, Subject};
use crate::observe::{self, Complete, ImportOptions, ObserveContext};
use crate::profile::KeySpec;
use crate::rules::RuleSet;

/// How to read the windows, and what to hold them against.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// Where the records sit, where it is not plain.
    pub records: Option<FieldPath>,
    /// The primary key, where it is not found.
    pub key: Vec<FieldPath>,
    /// The rules to replay under; those that come with Drogue by default.
    pub rules: Option<RuleSet>,
    /// When a stream has been seen enough.
    pub learning: LearningSettings,
    /// What is accepted as soon as it was told.
    pub accept: Accepting,
}

/// A folder of windows, replayed. Format version 1.
#[derive(Debug, Clone, Serialize)]
pub struct Replay {
    /// Version of this format: 1.
    pub version: u32,
    /// Version of Drogue.
    pub drogue: &'static str,
    /// The windows, in their order.
    pub windows: Vec<Replayed>,
    /// Files of the folder that are no windows, and why.
    pub skipped: Vec<Skipped>,
    /// What it all came to.
    pub summary: Summary,
}

/// A file that is no window.
#[derive(Debug, Clone, Serialize)]
pub struct Skipped {
    /// The file.
    pub name: String,
    /// Why it is none.
    pub why: &'static str,
}

/// What one window came to.
#[derive(Debug, Clone, Serialize)]
pub struct Replayed {
    /// The file.
    pub name: String,
    /// When the window was seen, where the names of the files say so.
    pub at: Option<Timestamp>,
    /// Records that were read.
    pub records: u64,
    /// What became of it.
    pub outcome: WindowOutcome,
    /// What became of findings, worst first.
    pub events: Vec<Event>,
    /// What it showed; `None` where there was nothing to compare.
    pub report: Option<Report>,
}

/// Runs the windows of a folder through the rules.
///
/// # Errors
/// Where the folder cannot be read, or holds no windows.
pub fn replay(dir: &Path, options: &ReplayOptions) -> Result<Replay, EngineError> {
    let folder = files::windows_of(dir)?;
    if folder.windows.is_empty() {
        return Err(EngineError::Refused(format!(
            "`{}` holds no .json, .jsonl, .ndjson or .har files; one file is one window",
            dir.display()
        )));
    }
    let stream =
        dir.file_name().map_or_else(|| "windows".to_owned(), |name| name.to_string_lossy().into_owned());
    let subject = Subject { connector: "replay".to_owned(), stream };
    let mut course = Course::new(subject, options);
    let windows =
        folder.windows.into_iter().map(|window| course.take(window.name, &window.path, window.at)).collect();
    let skipped = folder.skipped.into_iter().map(|(name, why)| Skipped { name, why });
    Ok(Replay {
        version: 1,
        drogue: env!("CARGO_PKG_VERSION"),
        windows,
        skipped: skipped.collect(),
        summary: course.timeline.summary(),
    })
}

/// Files as windows, one after the other.
#[derive(Debug)]
pub struct Course {
    timeline: Timeline,
    hash_key: HashKey,
    key: Option<KeySpec>,
    /// Where the records sit: as told, else where the first file had them.
    records: Option<FieldPath>,
    last: Timestamp,
}

impl Course {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(subject: Subject, options: &ReplayOptions) -> Self {
        let rules = options.rules.clone().unwrap_or_else(RuleSet::builtin);
        Self {
            timeline: Timeline::new(subject, rules, options.learning.clone(), options.accept.clone()),
            // Nothing is stored, so any key does, and a fixed one makes two runs alike.
            hash_key: HashKey::new(*b"drogue replay 01"),
            key: (!options.key.is_empty()).then(|| KeySpec { paths: options.key.clone() }),
            records: options.records.clone(),
            last: Timestamp::UNIX_EPOCH,
        }
    }

    /// One more window. Without a date it is a day after the last one: what matters is which comes first.
    pub fn take(&mut self, name: String, path: &Path, seen: Option<Timestamp>) -> Replayed {
        let day = self.last.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
        // Two files of one time come one after the other all the same.
        let next = self.last.saturating_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::MAX);
        let at = seen.map_or(day, |at| at.max(next));
        let told = self.read(path, at).and_then(|complete| {
            self.last = at;
            let around = super::check::changes_around(&complete);
            self.timeline.take(complete.window, around)
        });
        let mut told = told.unwrap_or_else(|wrong| {
            self.timeline.unreadable();
            Told::of(0, WindowOutcome::Unreadable { why: wrong.to_string() })
        });
        if seen.is_none() {
            told.forget_times();
        }
        let Told { records, outcome, events, report } = told;
        Replayed { name, at: seen, records, outcome, events, report }
    }

    /// Reads a file as one window that was seen at `at`.
    fn read(&mut self, path: &Path, at: Timestamp) -> Result<Complete, EngineError> {
        let options =
            ImportOptions { records: self.records.clone(), at: Some(at), ..ImportOptions::default() };
        let clock: Arc<dyn Clock> = Arc::new(DrivenClock::new(at));
        let key = self.key.clone().or_else(|| self.timeline.key());
        let context = ObserveContext {
            clock: &*clock,
            hash_key: self.hash_key,
            key: key.as_ref(),
            rules: self.timeline.rules(),
        };
        let mut complete = match observe::import_file(path, &options, &context)?.outcome {
            observe::Outcome::Complete(complete) => *complete,
            observe::Outcome::Unchanged => {
                return Err(EngineError::Refused("nothing new since the window before".to_owned()));
            }
            observe::Outcome::Deferred { detail, .. } => return Err(EngineError::Refused(detail)),
            observe::Outcome::Failed(failure) => return Err(EngineError::Refused(failure.detail)),
        };
        (complete.window.from, complete.window.to) = (at, at);
        if complete.guessed && !complete.records.is_root() {
            self.records.get_or_insert_with(|| complete.records.clone());
        }
        Ok(complete)
    }
}
