//! The time machine: past windows through today's rules, and what would have been said when.
//!
//! Each file is one window, in the order of their names or of a `seq.json`. What is said is taken as accepted, so that
//! each change is told once, by the window that shows it. Nothing is stored.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::EngineError;
use super::diff::{Read, read_records};
use crate::compare::{Baseline, Behaviour, Window, accept, compare};
use crate::diagnose::{DiagnoseInput, diagnose};
use crate::model::{FieldPath, HashKey, Report, Subject};
use crate::profile::{KeySpec, Order, Profile, ProfileOptions, Profiler, find_keys};
use crate::rules::{JudgeContext, RuleSet};

/// How to read the windows.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// Where the records sit, where it is not plain.
    pub records: Option<FieldPath>,
    /// The primary key, where it is not found.
    pub key: Vec<FieldPath>,
}

/// What one window came to.
#[derive(Debug, Clone, Serialize)]
pub struct Replayed {
    /// The file, or the step of the sequence.
    pub name: String,
    /// What became of it: recorded, compared, not readable.
    pub note: String,
    /// What would have been said; `None` where there was nothing to compare.
    pub report: Option<Report>,
}

/// Windows beyond this number are not read: a year of hours.
const MAX_WINDOWS: usize = 10_000;

/// Runs the windows of a folder through the rules that come with Drogue.
///
/// # Errors
/// Where the folder cannot be read, or holds no windows.
pub fn replay(dir: &Path, options: &ReplayOptions) -> Result<Vec<Replayed>, EngineError> {
    let files = windows_of(dir)?;
    if files.is_empty() {
        return Err(EngineError::Refused(format!(
            "`{}` holds no .json or .jsonl files; one file is one window",
            dir.display()
        )));
    }
    let rules = RuleSet::builtin();
    // Nothing is stored, so any key does, and a fixed one makes two runs alike.
    let hash_key = HashKey::new(*b"drogue replay 01");
    let subject = Subject {
        connector: "replay".to_owned(),
        stream: dir
            .file_name()
            .map_or_else(|| "windows".to_owned(), |name| name.to_string_lossy().into_owned()),
    };
    let mut at = Timestamp::UNIX_EPOCH;
    let mut baseline: Option<Baseline> = None;
    let mut key = (!options.key.is_empty()).then(|| KeySpec { paths: options.key.clone() });
    let mut replayed = Vec::new();
    for (name, path) in files {
        at += SignedDuration::from_hours(24);
        let read = match read_records(&path, options.records.as_ref()) {
            Ok(read) if !read.records().is_empty() => read,
            Ok(_) => {
                replayed.push(Replayed { name, note: "no records, no evidence".to_owned(), report: None });
                continue;
            }
            Err(wrong) => {
                replayed.push(Replayed { name, note: wrong.to_string(), report: None });
                continue;
            }
        };
        if key.is_none() {
            key = find_keys(&profile(&read, hash_key, None).0).into_iter().next();
        }
        let (profile, order) = profile(&read, hash_key, key.clone());
        let window = Window {
            profile,
            order,
            behaviour: Behaviour::default(),
            from: at,
            to: at,
            // A file may hold any part of a stream: its size says nothing.
            partial: true,
        };
        let records = window.profile.records;
        let Some(known) = &mut baseline else {
            baseline = Some(Baseline::start(&window));
            replayed.push(Replayed { name, note: format!("recorded {records} records"), report: None });
            continue;
        };
        let comparison = compare(known, &window);
        let context = JudgeContext { mapping: None, learning: false, at };
        let mut judgement = rules.judge(&subject, &comparison, &context);
        let findings = &mut judgement.findings;
        let diagnoses = diagnose(DiagnoseInput {
            subject: &subject,
            baseline: known,
            window: &window,
            findings,
            mapping: None,
        });
        let report = Report {
            version: 1,
            subject: subject.clone(),
            compared: super::check::compared(known, &window),
            diagnoses,
            findings: judgement.findings,
            inconclusive: judgement.inconclusive,
        };
        let note = match report.diagnoses.len() {
            0 => format!("{records} records, nothing to say"),
            1 => format!("{records} records, 1 diagnosis"),
            n => format!("{records} records, {n} diagnoses"),
        };
        let told: Vec<_> = report.findings.iter().map(|f| (f.path.clone(), f.kind)).collect();
        *known = accept(known, &window, &told, true);
        known.follow(&window);
        replayed.push(Replayed { name, note, report: Some(report) });
    }
    Ok(replayed)
}

fn profile(read: &Read, hash_key: HashKey, key: Option<KeySpec>) -> (Profile, Order) {
    let mut profiler = Profiler::new(ProfileOptions { key, ..ProfileOptions::new(hash_key) });
    for record in read.records() {
        profiler.record(record.as_bytes());
    }
    profiler.finish_in_order()
}

/// The windows of a folder: the steps of its `seq.json`, else its `.json` and `.jsonl` files by name.
fn windows_of(dir: &Path) -> Result<Vec<(String, PathBuf)>, EngineError> {
    let unreadable = |source| EngineError::Read { file: dir.display().to_string(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_window =
            path.extension().is_some_and(|ext| ext == "json" || ext == "jsonl" || ext == "ndjson");
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_window && name != "seq.json" {
            files.push((name, path));
        }
        if files.len() > MAX_WINDOWS {
            return Err(EngineError::Refused(format!(
                "`{}` holds more than {MAX_WINDOWS} windows",
                dir.display()
            )));
        }
    }
    files.sort();
    Ok(files)
}
