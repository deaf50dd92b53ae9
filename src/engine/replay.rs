//! The time machine: past windows through today's rules, and what would have been said when.
//!
//! Each file is one window, in the order of the dates in their names, or else of the names. What is said is taken as
//! accepted, so that each change is told once, by the window that shows it; how values vary by themselves is learned from
//! the quiet windows since, as `watch` does, but nothing waits for the end of a learning phase. Nothing is stored.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::EngineError;
use super::check::{HISTORY, is_quiet};
use super::diff::{Read, read_records};
use crate::compare::{Baseline, Behaviour, Variation, Window, accept, compare};
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
    /// The rules to replay under; those that come with Drogue by default.
    pub rules: Option<RuleSet>,
}

/// What one window came to.
#[derive(Debug, Clone, Serialize)]
pub struct Replayed {
    /// The file.
    pub name: String,
    /// When the window was seen, where the names of all files say so.
    pub at: Option<Timestamp>,
    /// What became of it: recorded, compared, not readable.
    pub note: String,
    /// What would have been said; `None` where there was nothing to compare.
    pub report: Option<Report>,
}

/// Windows beyond this number are not read: a year of hours.
const MAX_WINDOWS: usize = 10_000;

/// Runs the windows of a folder through the rules.
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
    let builtin;
    let rules = match &options.rules {
        Some(rules) => rules,
        None => {
            builtin = RuleSet::builtin();
            &builtin
        }
    };
    // Nothing is stored, so any key does, and a fixed one makes two runs alike.
    let hash_key = HashKey::new(*b"drogue replay 01");
    let subject = Subject {
        connector: "replay".to_owned(),
        stream: dir
            .file_name()
            .map_or_else(|| "windows".to_owned(), |name| name.to_string_lossy().into_owned()),
    };
    let mut day = Timestamp::UNIX_EPOCH;
    let mut baseline: Option<Baseline> = None;
    let mut key = (!options.key.is_empty()).then(|| KeySpec { paths: options.key.clone() });
    let mut replayed = Vec::new();
    // Windows since the last change, which say how values vary by themselves.
    let mut quiet: VecDeque<Profile> = VecDeque::new();
    for PastWindow { name, path, at } in files {
        let seen = at;
        // Without dates a day apart: what matters is which comes first.
        day = day.saturating_add(SignedDuration::from_hours(24)).unwrap_or(day);
        let at = at.unwrap_or(day);
        let read = match read_records(&path, options.records.as_ref()) {
            Ok(read) if !read.records().is_empty() => read,
            Ok(_) => {
                replayed.push(Replayed {
                    name,
                    at: seen,
                    note: "no records, no evidence".to_owned(),
                    report: None,
                });
                continue;
            }
            Err(wrong) => {
                replayed.push(Replayed { name, at: seen, note: wrong.to_string(), report: None });
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
            quiet.push_back(window.profile);
            replayed.push(Replayed {
                name,
                at: seen,
                note: format!("recorded {records} records"),
                report: None,
            });
            continue;
        };
        known.variation = Variation::of(quiet.make_contiguous());
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
        if !is_quiet(&report.findings) {
            quiet.clear();
        }
        quiet.push_back(window.profile);
        if quiet.len() > HISTORY as usize {
            quiet.pop_front();
        }
        replayed.push(Replayed { name, at: seen, note, report: Some(report) });
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

/// A file of a folder, and when it was seen where its name says so.
struct PastWindow {
    name: String,
    path: PathBuf,
    at: Option<Timestamp>,
}

/// The windows of a folder, its `.json`, `.jsonl` and `.ndjson` files: by the dates in their names where all have one,
/// else by name, with numbers in it as numbers.
fn windows_of(dir: &Path) -> Result<Vec<PastWindow>, EngineError> {
    let unreadable = |source| EngineError::Read { file: dir.display().to_string(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_window =
            path.extension().is_some_and(|ext| ext == "json" || ext == "jsonl" || ext == "ndjson");
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // The list of a sequence of the demo, which lies beside its windows.
        if is_window && name != "seq.json" {
            let at = time_in(&name);
            files.push(PastWindow { name, path, at });
        }
        if files.len() > MAX_WINDOWS {
            return Err(EngineError::Refused(format!(
                "`{}` holds more than {MAX_WINDOWS} windows",
                dir.display()
            )));
        }
    }
    if files.iter().any(|file| file.at.is_none()) {
        files.iter_mut().for_each(|file| file.at = None);
    }
    files.sort_by_cached_key(|file| (file.at, by_number(&file.name), file.name.clone()));
    Ok(files)
}

/// The date in a name, with the time behind it where there is one: `2026-11-03`, `crm-2026-11-03T08:15`, `20261103_0815`.
fn time_in(name: &str) -> Option<Timestamp> {
    let digits: Vec<(usize, char)> = name.char_indices().filter(|(_, c)| c.is_ascii_digit()).collect();
    (0..digits.len()).find_map(|from| {
        let number = |at: usize, count: usize| {
            let part = digits.get(from + at..from + at + count)?;
            part.iter().map(|(_, c)| *c).collect::<String>().parse::<i16>().ok()
        };
        // Eight digits with at most a sign between them, and no digit right before them.
        let place = |at: usize| digits.get(from + at).map(|(place, _)| *place);
        let is_close = |at: usize| Some(place(at)? - place(at - 1)? <= 2);
        let is_first = from == 0 || place(0)? - digits[from - 1].0 > 1;
        if !is_first || !(1..8).all(|at| is_close(at) == Some(true)) {
            return None;
        }
        let date = jiff::civil::Date::new(number(0, 4)?, number(4, 2)? as i8, number(6, 2)? as i8).ok()?;
        if !(1990..2100).contains(&date.year()) {
            return None;
        }
        let hour = number(8, 2).filter(|_| (8..10).all(|at| is_close(at) == Some(true)));
        let minute = number(10, 2).filter(|_| (10..12).all(|at| is_close(at) == Some(true)));
        let time =
            |hour: i16, minute: i16| date.at(0, 0, 0, 0).with().hour(hour as i8).minute(minute as i8).build();
        let when = time(hour.unwrap_or(0), minute.unwrap_or(0)).ok().unwrap_or_else(|| date.at(0, 0, 0, 0));
        when.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// A name as words and numbers, so that `2.json` comes before `10.json`.
fn by_number(name: &str) -> Vec<(u128, String)> {
    let mut parts: Vec<(u128, String)> = vec![(0, String::new())];
    let mut in_number = false;
    for c in name.chars() {
        let digit = c.to_digit(10);
        if digit.is_some() != in_number && digit.is_some() {
            parts.push((0, String::new()));
        }
        in_number = digit.is_some();
        if let Some((number, text)) = parts.last_mut() {
            match digit {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(u128::from(digit)),
                None => text.push(c),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_when() {
        let at = |name: &str| time_in(name).map(|at| at.to_string());
        for (name, time) in [
            ("2026-11-03.json", "2026-11-03T00:00:00Z"),
            ("crm_2026-11-03T08:15:00Z.jsonl", "2026-11-03T08:15:00Z"),
            ("20261103_0815.json", "2026-11-03T08:15:00Z"),
            ("v2-2026-11-03.json", "2026-11-03T00:00:00Z"),
        ] {
            assert_eq!(at(name).as_deref(), Some(time), "{name}");
        }
        for name in ["1.json", "20269999.json", "1234567890.json", "a.json", "2026-11.json"] {
            assert_eq!(at(name), None, "{name}");
        }
    }

    #[test]
    fn names_with_numbers_come_in_their_order() {
        let mut names = ["10.json", "9.json", "a2b1.json", "a2b10.json", "a10.json", "a2b9.json"];
        names.sort_by_cached_key(|name| by_number(name));
        assert_eq!(names, ["9.json", "10.json", "a2b1.json", "a2b9.json", "a2b10.json", "a10.json"]);
    }
}
