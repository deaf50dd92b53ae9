//! Imports: files of records (JSON, JSONL) and of exchanges (HAR 1.2) as observations.

mod har;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::de::IgnoredAny;

pub use har::HarFilter;

use super::body;
use super::foreign::{by_ending, foreign_file, foreign_format, next_step};
use super::json::{JsonFault, ailment, fault_of, fault_of_json, value_at};
use super::judge::error_in_place_of_records;
use super::window::{Reading, Told};
use super::{Failure, Observation, ObserveContext, Outcome};
use crate::model::FieldPath;
use crate::profile::SampleMode;

/// JSON and HAR files are read whole; what is larger is better given as JSONL, which is read line by line.
const MAX_WHOLE: u64 = 256_000_000;
/// One line of JSONL, as one body of a response.
const MAX_LINE: u64 = 32_000_000;
/// Nesting beyond this is not read.
const MAX_DEPTH: u16 = 128;
/// Warnings of one kind, so that a file of a million bad lines does not become a million sentences.
const MAX_WARNINGS: u64 = 3;

/// How to read a file.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Where the records sit in a response, as the config has it.
    pub records: Option<FieldPath>,
    /// Which entries of a HAR file are the stream's.
    pub filter: Option<HarFilter>,
    /// What is kept of sampled values.
    pub samples: SampleMode,
    /// When the records of a JSON or JSONL file were seen; now by default. HAR entries have their own times.
    pub at: Option<Timestamp>,
}

/// Why a file gives no observation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is too large.
    #[error("`{}` is over {} MB; split it, or give its records line by line as `.jsonl`", path.display(), limit / 1_000_000)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// It is something else.
    #[error("`{}` is {name}; JSON, JSONL and HAR files are read: {}", path.display(), next_step(name))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        name: &'static str,
    },
    /// It is no JSON.
    #[error("`{}`, {fault}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        fault: JsonFault,
    },
    /// It is JSON, and holds no records.
    #[error("`{}`: {why}", path.display())]
    NoRecords {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Several endpoints, and nobody said which.
    #[error("`{}` holds several endpoints ({}); say which one: give the stream a `request.url`, or name part of the address", path.display(), endpoints.join(", "))]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// Some of them.
        endpoints: Vec<String>,
    },
}

/// Reads a file as one observation.
///
/// The kind is told from the content: a HAR file by its `log`, JSONL by a first line that stands on its own. Entries of
/// a HAR file are judged by the rules as live responses are; one that is an error page gives no record.
///
/// # Errors
/// Where the file cannot be read, is too large, is no JSON, or holds nothing of the stream.
pub fn import_file(
    path: &Path,
    options: &ImportOptions,
    context: &ObserveContext<'_>,
) -> Result<Observation, ImportError> {
    let read_error = |source| ImportError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read_error)?;
    let meta = file.metadata().map_err(read_error)?;
    if !meta.is_file() {
        return Err(read_error(io::Error::other("it is no file")));
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let extension = extension.to_ascii_lowercase();
    if let Some(name) = by_ending(&path.to_string_lossy()) {
        return Err(ImportError::Foreign { path: path.to_owned(), name });
    }
    let mut reader = BufReader::with_capacity(1 << 16, file);
    if let Some(name) = foreign_format(None, reader.fill_buf().map_err(read_error)?) {
        return Err(ImportError::Foreign { path: path.to_owned(), name });
    }
    if matches!(extension.as_str(), "jsonl" | "ndjson") {
        return lines(path, reader, options, context);
    }
    if meta.len() > MAX_WHOLE {
        return Err(ImportError::TooLarge { path: path.to_owned(), limit: MAX_WHOLE });
    }
    let mut bytes = Vec::new();
    reader.take(MAX_WHOLE).read_to_end(&mut bytes).map_err(read_error)?;
    whole(path, bytes, options, context)
}

fn whole(
    path: &Path,
    bytes: Vec<u8>,
    options: &ImportOptions,
    context: &ObserveContext<'_>,
) -> Result<Observation, ImportError> {
    let size = bytes.len() as u64;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if ailment(text).is_some() {
        let mut rows = text.lines().filter(|line| !line.trim().is_empty());
        let is_jsonl =
            rows.next().is_some_and(|first| first.trim_start().starts_with('{') && ailment(first).is_none());
        if is_jsonl && rows.next().is_some() {
            return lines(path, BufReader::new(bytes.as_slice()), options, context);
        }
        return Err(syntax(path, &bytes, text));
    }
    if value_at(text, &FieldPath::of_keys(["log", "entries"])).is_some_and(|entries| entries.starts_with('['))
    {
        return har::read(path, text, options, context);
    }
    if let Some(failure) = error_in_place_of_records(context.rules, text.as_bytes()) {
        return Ok(failed(failure));
    }
    // A bare list is a list of records, however the endpoint wraps them.
    let list = FieldPath::root().each();
    let expected = if text.trim_start().starts_with('[') { Some(&list) } else { options.records.as_ref() };
    let mut reading = Reading::new(context, options.samples, MAX_DEPTH, expected, None);
    let records = body::read(bytes, None, expected, MAX_DEPTH)
        .map_err(|failure| ImportError::NoRecords { path: path.to_owned(), why: failure.detail })?;
    reading.take(&records, size, None, None);
    Ok(finish(reading, Vec::new(), options, context))
}

/// Reads one record a line, in constant memory. A line that is no JSON is counted as such, and told.
fn lines(
    path: &Path,
    mut reader: impl io::BufRead,
    options: &ImportOptions,
    context: &ObserveContext<'_>,
) -> Result<Observation, ImportError> {
    let root = FieldPath::root();
    let mut reading = Reading::new(context, options.samples, MAX_DEPTH, Some(&root), None);
    let (mut number, mut good, mut bad) = (0usize, 0u64, 0u64);
    let (mut first_bad, mut error) = (None, None);
    let mut warnings = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader
            .by_ref()
            .take(MAX_LINE + 1)
            .read_until(b'\n', &mut line)
            .map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
        if read == 0 {
            break;
        }
        number += 1;
        if read as u64 > MAX_LINE {
            let why = format!("the line is over {} MB", MAX_LINE / 1_000_000);
            let fault = JsonFault { line: number, column: 1, why };
            return Err(ImportError::Syntax { path: path.to_owned(), fault });
        }
        reading.behaviour.bytes += read as u64;
        let record = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(&line).trim_ascii();
        if record.is_empty() {
            continue;
        }
        match serde_json::from_slice::<IgnoredAny>(record) {
            Ok(_) => {
                good += 1;
                // One line alone may be an error in place of records; of several, it is a record like the others.
                let is_alone = good + bad == 1;
                error = is_alone.then(|| error_in_place_of_records(context.rules, record)).flatten();
            }
            Err(error) => {
                bad += 1;
                let fault = JsonFault { line: number, ..fault_of(&error) };
                if bad <= MAX_WARNINGS {
                    warnings.push(format!("`{}`, line {number}: {}", path.display(), fault.why));
                }
                first_bad.get_or_insert(fault);
            }
        }
        reading.record(record);
    }
    if let (Some(failure), 1) = (error, good + bad) {
        return Ok(failed(failure));
    }
    if bad > MAX_WARNINGS {
        warnings.push(format!("`{}`: {} more lines are no JSON", path.display(), bad - MAX_WARNINGS));
    }
    if let (0, Some(fault)) = (good, first_bad) {
        return Err(ImportError::Syntax { path: path.to_owned(), fault });
    }
    Ok(finish(reading, warnings, options, context))
}

fn finish(
    reading: Reading,
    warnings: Vec<String>,
    options: &ImportOptions,
    context: &ObserveContext<'_>,
) -> Observation {
    let at = options.at.unwrap_or_else(|| context.clock.now());
    let told = Told { statuses: BTreeMap::new(), max_latency_ms: 0, notices: Vec::new(), warnings };
    let complete = reading.finish(told, at, at);
    Observation { outcome: Outcome::Complete(Box::new(complete)), exchanges: Vec::new(), requests: 0 }
}

/// A file that holds an error in place of records: a look that failed, as one at the endpoint would have.
const fn failed(failure: Failure) -> Observation {
    Observation { outcome: Outcome::Failed(failure), exchanges: Vec::new(), requests: 0 }
}

fn syntax(path: &Path, bytes: &[u8], text: &str) -> ImportError {
    if let Some(name) = foreign_file(&path.to_string_lossy(), bytes) {
        return ImportError::Foreign { path: path.to_owned(), name };
    }
    match fault_of_json(text) {
        Some(fault) => ImportError::Syntax { path: path.to_owned(), fault },
        None => ImportError::NoRecords { path: path.to_owned(), why: "it holds no records".to_owned() },
    }
}
