//! The time machine: past windows through today's rules, and what would have been said when.
//!
//! Each file of a folder is one window, read as `import` reads it and judged as `check` judges it: the same learning, the
//! same baseline that follows quiet windows, the same hysteresis of findings ([`timeline`]). Nothing is stored.

mod files;
mod timeline;
mod told;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::timeline::Timeline;
use self::told::Told;
pub use self::told::{Accepting, Counts, Event, EventKind, Summary, WindowOutcome};
use super::{EngineError, paths::near};
use crate::clock::DrivenClock;
use crate::config::LearningSettings;
use crate::model::{ChangeKind, Clock, FieldPath, HashKey, Report, Subject};
use crate::observe::{self, Complete, Failure, ImportOptions, ObserveContext};
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
    /// What a person should know of the order of the files.
    pub notes: Vec<String>,
    /// What it all came to.
    pub summary: Summary,
    /// What was named and is in no window: wrong use, of which the rest of the replay knows nothing.
    #[serde(skip)]
    pub nowhere: Option<String>,
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

/// Fields that are remembered to tell which are near to what was typed. Where there are more, nobody can say that a name
/// is in no window.
const MAX_SEEN: usize = 100_000;

/// Runs the windows of a folder through the rules.
///
/// # Errors
/// Where the folder cannot be read, or holds no windows.
pub fn replay(dir: &Path, options: &ReplayOptions) -> Result<Replay, EngineError> {
    if dir.is_file() {
        return Err(EngineError::Usage(format!(
            "`{}` is a file: `replay` runs the windows in a folder, `drogue diff BEFORE AFTER` compares two files",
            dir.display()
        )));
    }
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
        notes: folder.notes,
        summary: course.timeline.summary(),
        nowhere: course.nowhere(),
    })
}

/// Files as windows, one after the other.
#[derive(Debug)]
pub struct Course {
    timeline: Timeline,
    hash_key: HashKey,
    key: Option<KeySpec>,
    /// Where the records sit, as told.
    told: Option<FieldPath>,
    /// Where the first file had them, where nobody told; moved by accepting.
    found: Option<FieldPath>,
    seen: Seen,
    last: Timestamp,
}

/// What of the things that were named any window has.
#[derive(Debug, Default)]
struct Seen {
    windows: u64,
    /// Places of records.
    places: BTreeSet<FieldPath>,
    /// Fields of records.
    fields: BTreeSet<FieldPath>,
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
            told: options.records.clone(),
            found: None,
            seen: Seen::default(),
            last: Timestamp::UNIX_EPOCH,
        }
    }

    /// What was named and is in no window, in a sentence.
    fn nowhere(&self) -> Option<String> {
        if self.seen.windows == 0 {
            return None;
        }
        let is_list = |path: &FieldPath| path.is_root() && self.seen.places.contains(&path.each());
        if let Some(told) = &self.told
            && !self.seen.places.contains(told)
            && !is_list(told)
        {
            let hint = near(told, &self.seen.places);
            return Some(format!("`--records {told}`: no window has records there{hint}"));
        }
        if self.seen.fields.len() >= MAX_SEEN {
            return None;
        }
        let mut key = self.key.iter().flat_map(|key| &key.paths);
        let path = key.find(|path| !self.seen.fields.contains(path))?;
        Some(format!("`--key {path}`: no window has it{}", near(path, &self.seen.fields)))
    }

    /// One more window. Without a date it is a day after the last one: what matters is which comes first.
    pub fn take(&mut self, name: String, path: &Path, seen: Option<Timestamp>) -> Replayed {
        let day = self.last.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
        // Two files of one time come one after the other all the same.
        let next = self.last.saturating_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::MAX);
        let at = seen.map_or(day, |at| at.max(next));
        let told = self.read(path, at).and_then(|read| {
            self.last = at;
            match read {
                Read::Window(complete) => {
                    let place = complete.records.clone();
                    let around = super::check::changes_around(&complete);
                    let told = self.timeline.take(complete.window, around)?;
                    // Whoever accepts that the records sit elsewhere expects them there from then on.
                    if told.accepted(ChangeKind::EnvelopeChanged) {
                        (self.told, self.found) = (None, Some(place));
                    }
                    Ok(told)
                }
                Read::Error(failure) => Ok(self.timeline.fail(failure, at, seen.is_some())),
            }
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
    fn read(&mut self, path: &Path, at: Timestamp) -> Result<Read, EngineError> {
        let records = self.told.clone().or_else(|| self.found.clone());
        let options = ImportOptions { records, at: Some(at), ..ImportOptions::default() };
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
            observe::Outcome::Failed(failure) => return Ok(Read::Error(failure)),
        };
        (complete.window.from, complete.window.to) = (at, at);
        self.seen.windows += 1;
        self.seen.places.insert(complete.records.clone());
        let room = MAX_SEEN.saturating_sub(self.seen.fields.len());
        self.seen.fields.extend(complete.window.profile.fields.keys().take(room).cloned());
        // A record alone, and a file of lines, have nothing around them that could have changed.
        if self.told.is_none() && !complete.records.is_root() {
            let before = self.found.get_or_insert_with(|| complete.records.clone());
            // A bare list is read wherever records were expected: it may be what somebody took out of an envelope. In a
            // row of windows it is another answer.
            if *before != complete.records && complete.moved_from.is_none() {
                complete.moved_from = Some(before.clone());
            }
        }
        Ok(Read::Window(Box::new(complete)))
    }
}

/// What a file holds.
enum Read {
    Window(Box<Complete>),
    /// An error in place of records.
    Error(Failure),
}
