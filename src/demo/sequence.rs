//! Sequences: what a publisher put out, step by step, from a folder or from the binary itself.

use std::{
    fs::File,
    io::Read as _,
    path::{Component, Path, PathBuf},
};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{FieldPath, sha256_hex};

use super::archive;

const MAX_INDEX: u64 = 16 << 20;
const MAX_FILE: u64 = 64 << 20;
const MAX_TOTAL: u64 = 512 << 20;
const MAX_STEPS: usize = 10_000;

/// A step is shown at its own date where that is at most so many days after the step before.
const MAX_GAP_DAYS: i32 = 3;

/// Why a folder is no sequence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// A file cannot be read.
    #[error("cannot read `{}`; a sequence is a folder with a seq.json and the files that it names", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is too big.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooBig {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// `seq.json` is not what it should be.
    #[error("`{}` is not the index of a sequence", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The index breaks a rule.
    #[error("`{}`: {why}", path.display())]
    Rule {
        /// The file.
        path: PathBuf,
        /// What it breaks.
        why: String,
    },
    /// What the binary carries is damaged.
    #[error("the embedded sequence `{0}` is damaged; build again")]
    Embedded(&'static str),
}

/// One publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number, as the labels count.
    pub step: u64,
    /// What the publisher calls it: a date, a tag, a commit.
    pub version: String,
    /// When it is published in the replay: midnight (UTC) of its date, and later than the step before.
    pub at: Timestamp,
    /// What is served.
    pub body: Vec<u8>,
    /// Of the body, quoted as an `ETag` is.
    pub etag: String,
    /// Whether the index says that it does not parse.
    pub is_invalid: bool,
}

/// What the labels of a sequence say of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruthEvent {
    /// The step that shows it first.
    pub step: u64,
    /// What happened: `renamed`, `moved`, `removed`, `added`, `retyped` ….
    pub kind: String,
    /// Where.
    #[serde(default)]
    pub path: Option<FieldPath>,
    /// The new place of what was renamed or moved.
    #[serde(default)]
    pub to: Option<FieldPath>,
}

/// What a publisher put out, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its name, as it stands in addresses: letters, digits, `_`, `-` and `.`.
    pub id: String,
    /// Whose data it is.
    pub source: String,
    /// Under which licence.
    pub licence: String,
    /// The publications, in order.
    pub steps: Vec<Step>,
    /// What really changed, where somebody has written it down.
    pub truth: Option<Vec<TruthEvent>>,
}

#[derive(Deserialize)]
struct Index {
    seq_id: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    licence: String,
    steps: Vec<IndexStep>,
    #[serde(default)]
    truth: Option<Vec<TruthEvent>>,
}

#[derive(Deserialize)]
struct IndexStep {
    #[serde(default)]
    step: Option<u64>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    date: Option<String>,
    file: String,
    #[serde(default)]
    invalid: bool,
}

impl Step {
    /// Its day in the replay, `2020-03-31`; no two steps have the same.
    #[must_use]
    pub fn day(&self) -> String {
        self.at.strftime("%Y-%m-%d").to_string()
    }

    /// Its records; none where the body is no JSON array.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Sequence {
    /// Reads a folder: `seq.json` and the files that it names, relative to the folder or to its parent.
    ///
    /// Steps come in the order of the index. A step comes at its date where that is one to three days after the step
    /// before, and otherwise (no date, the same date again, a gap of months) one day after the step before: so a
    /// replay runs day by day, and the days of a daily feed are the real ones.
    ///
    /// # Errors
    /// Where something is missing, too big, or not what it should be.
    pub fn load(folder: &Path) -> Result<Self, SequenceError> {
        // `.` and `..` have parents too, once they are spelled out.
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let index_path = folder.join("seq.json");
        let index = read(&index_path, MAX_INDEX)?;
        let mut total = 0;
        Self::assemble(&index_path, &index, |name| {
            let relative = Path::new(name);
            let mut places = vec![folder.join(relative)];
            places.extend(folder.parent().map(|parent| parent.join(relative)));
            places.extend(relative.file_name().map(|file| folder.join(file)));
            let place = places.iter().find(|place| place.is_file()).unwrap_or(&places[0]);
            let content = read(place, MAX_FILE)?;
            total += content.len() as u64;
            if total > MAX_TOTAL {
                return Err(SequenceError::TooBig { path: folder.clone(), limit: MAX_TOTAL });
            }
            Ok(content)
        })
    }

    fn assemble(
        index_path: &Path,
        index: &[u8],
        mut open: impl FnMut(&str) -> Result<Vec<u8>, SequenceError>,
    ) -> Result<Self, SequenceError> {
        let rule = |why: String| SequenceError::Rule { path: index_path.to_owned(), why };
        let index: Index = serde_json::from_slice(index)
            .map_err(|source| SequenceError::Index { path: index_path.to_owned(), source })?;
        if index.steps.is_empty() || index.steps.len() > MAX_STEPS {
            return Err(rule(format!("{} steps; 1 to {MAX_STEPS} can be replayed", index.steps.len())));
        }
        let id_is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if !index.seq_id.chars().all(id_is_plain) || index.seq_id.trim_matches('.').is_empty() {
            return Err(rule("`seq_id` is not made of letters, digits, `_`, `-` and `.`".to_owned()));
        }
        let mut steps: Vec<Step> = Vec::with_capacity(index.steps.len());
        let mut day: Option<Date> = None;
        for (number, step) in (0u64..).zip(index.steps) {
            let inside = Path::new(&step.file).components().all(|part| matches!(part, Component::Normal(_)));
            if !inside || step.file.is_empty() {
                return Err(rule(format!("`{}` leads out of the folder", step.file.escape_debug())));
            }
            let date = step.date.as_deref().and_then(|date| date.get(..10)?.parse::<Date>().ok());
            let at =
                next_day(day, date).ok_or_else(|| rule(format!("step {number} is beyond all calendars")))?;
            day = Some(at);
            let at = at.to_zoned(TimeZone::UTC).map_err(|error| rule(error.to_string()))?.timestamp();
            let content = open(&step.file)?;
            let is_lines = step.file.ends_with(".jsonl") || step.file.ends_with(".ndjson");
            let body = if is_lines { array_of_lines(&content) } else { content };
            steps.push(Step {
                step: step.step.unwrap_or(number),
                version: step.version.or(step.date).unwrap_or_else(|| number.to_string()),
                at,
                etag: format!("\"{}\"", sha256_hex(&body)),
                body,
                is_invalid: step.invalid || step.file.ends_with(".invalid.json"),
            });
        }
        Ok(Self { id: index.seq_id, source: index.source, licence: index.licence, steps, truth: index.truth })
    }

    /// The step that is public at `now`; before the first one, the first.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> &Step {
        let published = self.steps.partition_point(|step| step.at <= now);
        &self.steps[published.saturating_sub(1)]
    }

    /// The records of the first step that has any: what a team saw when it wrote its mapping.
    #[must_use]
    pub fn first_records(&self) -> Vec<Value> {
        self.steps.iter().map(Step::records).find(|records| !records.is_empty()).unwrap_or_default()
    }
}

/// The sequences that the binary carries; `data/LICENSE.md` says whose they are.
///
/// # Errors
/// Where the binary is damaged.
pub fn embedded() -> Result<Vec<Sequence>, SequenceError> {
    const ARCHIVES: [(&str, &[u8]); 2] = [
        ("seq_dpc_regioni_daily", include_bytes!("data/seq_dpc_regioni_daily.tar.gz")),
        ("seq_dpc_province_june2020", include_bytes!("data/seq_dpc_province_june2020.tar.gz")),
    ];
    ARCHIVES
        .into_iter()
        .map(|(id, archive)| {
            let mut files = archive::unpack(archive).ok_or(SequenceError::Embedded(id))?;
            let index_path = format!("{id}/seq.json");
            let index = files.remove(&index_path).ok_or(SequenceError::Embedded(id))?;
            Sequence::assemble(Path::new(&index_path), &index, |name| {
                files.remove(name).ok_or(SequenceError::Embedded(id))
            })
        })
        .collect()
}

/// The day of a step, by the rule of [`Sequence::load`]; `None` past the end of the calendar.
fn next_day(before: Option<Date>, date: Option<Date>) -> Option<Date> {
    let Some(before) = before else {
        return Some(date.unwrap_or(jiff::civil::date(2020, 1, 1)));
    };
    let tomorrow = before.checked_add(1.day()).ok()?;
    let latest = before.checked_add(MAX_GAP_DAYS.days()).ok()?;
    Some(date.filter(|date| (tomorrow..=latest).contains(date)).unwrap_or(tomorrow))
}

/// JSON lines as the array that was published; every record keeps its bytes.
fn array_of_lines(lines: &[u8]) -> Vec<u8> {
    let lines = lines.strip_prefix("\u{feff}".as_bytes()).unwrap_or(lines);
    let mut array = Vec::with_capacity(lines.len() + 8);
    array.push(b'[');
    for line in lines.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        array.extend_from_slice(if array.len() == 1 { b"\n" } else { b",\n" });
        array.extend_from_slice(line);
    }
    array.extend_from_slice(b"\n]\n");
    array
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, SequenceError> {
    let fail = |source| SequenceError::Read { path: path.to_owned(), source };
    let mut content = Vec::new();
    File::open(path).map_err(fail)?.take(limit + 1).read_to_end(&mut content).map_err(fail)?;
    if content.len() as u64 > limit {
        return Err(SequenceError::TooBig { path: path.to_owned(), limit });
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, index: &str, files: &[(&str, &str)]) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("seq.json"), index).unwrap();
        for (name, content) in files {
            std::fs::write(folder.join(name), content).unwrap();
        }
    }

    #[test]
    fn what_the_binary_carries() {
        let sequences = embedded().unwrap();
        let regions = &sequences[0];
        assert_eq!((regions.id.as_str(), regions.steps.len()), ("seq_dpc_regioni_daily", 39));
        let days: Vec<String> = regions.steps.iter().map(Step::day).collect();
        let versions: Vec<&str> = regions.steps.iter().map(|step| step.version.as_str()).collect();
        assert_eq!(days, versions, "the days of the replay are the real ones");
        assert!(regions.steps.iter().all(|step| step.records().len() == 21));
        assert!(regions.licence.contains("CC-BY-4.0"));

        let provinces = &sequences[1];
        assert_eq!(provinces.steps.len(), 33);
        let invalid: Vec<u64> =
            provinces.steps.iter().filter(|s| s.records().is_empty()).map(|s| s.step).collect();
        assert_eq!(invalid, [18, 19, 20]);
        assert!(provinces.steps.is_sorted_by(|a, b| a.at < b.at));
    }

    #[test]
    fn files_beside_the_index_or_below_the_parent_and_any_dates() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("renamed_folder");
        let index = r#"{"seq_id": "s", "surplus": 1, "steps": [
            {"file": "a.jsonl", "date": "2021-12-31"},
            {"file": "renamed_folder/b.jsonl", "date": "2021-12-31", "version": "v2", "step": 7},
            {"file": "s/c.invalid.json"},
            {"file": "a.jsonl", "date": "2025-01-01"},
            {"file": "a.jsonl", "date": "2022-01-05T10:00:00Z"}]}"#;
        let files = [
            ("a.jsonl", "{\"b\" : 1.50}\r\n\n{\"a\": 2}"),
            ("b.jsonl", ""),
            ("c.invalid.json", "[{\"a\": 1},\n"),
        ];
        write(&folder, index, &files);
        let sequence = Sequence::load(&folder).unwrap();
        let days: Vec<String> = sequence.steps.iter().map(Step::day).collect();
        assert_eq!(days, ["2021-12-31", "2022-01-01", "2022-01-02", "2022-01-03", "2022-01-05"]);
        assert_eq!(sequence.steps[0].body, b"[\n{\"b\" : 1.50},\n{\"a\": 2}\n]\n");
        assert_eq!((sequence.steps[1].step, sequence.steps[1].records().len()), (7, 0));
        assert_eq!(sequence.steps[2].body, files[2].1.as_bytes());
        assert!(sequence.steps[2].is_invalid);
        assert_eq!(sequence.truth, None);
        assert_eq!(sequence.at("2020-01-01T00:00:00Z".parse().unwrap()), &sequence.steps[0]);
        assert_eq!(sequence.at("2022-01-04T23:00:00Z".parse().unwrap()), &sequence.steps[3]);
    }

    #[test]
    fn what_is_no_sequence_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = |index: &str| {
            write(folder.path(), index, &[]);
            Sequence::load(folder.path()).unwrap_err().to_string()
        };
        assert!(error("[").contains("is not the index of a sequence"));
        assert!(error(r#"{"seq_id": "s", "steps": []}"#).contains("0 steps"));
        assert!(error(r#"{"seq_id": "../s", "steps": [{"file": "a"}]}"#).contains("`seq_id`"));
        assert!(error(r#"{"seq_id": "s", "steps": [{"file": "../../etc/passwd"}]}"#).contains("leads out"));
        assert!(error(r#"{"seq_id": "s", "steps": [{"file": "/etc/passwd"}]}"#).contains("leads out"));
        assert!(error(r#"{"seq_id": "s", "steps": [{"file": "gone.jsonl"}]}"#).contains("gone.jsonl"));
        let nowhere = Sequence::load(&folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(nowhere.contains("seq.json"), "{nowhere}");
    }
}
