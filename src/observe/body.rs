//! From the bytes of a body to its records, or to the reason why there are none.

use std::ops::Range;

use super::Failure;
use super::foreign::foreign_format;
use super::json::{Ailment, ailment, guess_records_path};
use crate::model::{Action, ErrorClass, FieldPath};
use crate::profile::{SplitError, split_records};

/// The records of one body.
pub(super) struct Records {
    /// The body as text; bytes that are no UTF-8 stand as `?`.
    text: String,
    /// The body as it came, where it is no UTF-8: its records are counted as such, and the rest are read.
    original: Option<Vec<u8>>,
    ranges: Vec<Range<usize>>,
    /// Where they sit.
    pub(super) path: FieldPath,
    /// Where they were expected, if they sit elsewhere.
    pub(super) moved_from: Option<FieldPath>,
}

impl Records {
    /// The body as text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How many.
    pub(super) const fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Each record as it came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = self.original.as_deref().unwrap_or(self.text.as_bytes());
        self.ranges.iter().map(|range| &bytes[range.clone()])
    }
}

/// Splits a body into its records.
///
/// `expected` is where the config, or an earlier guess, has them. Where they are found elsewhere, the records are
/// read all the same and the move is told.
pub(super) fn read(
    body: Vec<u8>,
    content_type: Option<&str>,
    expected: Option<&FieldPath>,
    max_depth: u16,
) -> Result<Records, Failure> {
    if body.trim_ascii().is_empty() {
        return Err(Failure::new(ErrorClass::NotJson, Action::RetryNow, "the body is empty"));
    }
    let (text, original) = decode(body, content_type);
    let raw = || original.as_deref().unwrap_or(text.as_bytes());
    if text.trim() == "null" {
        let path = expected.cloned().unwrap_or_default();
        return Ok(Records { text, original, ranges: Vec::new(), path, moved_from: None });
    }
    let Some(path) = expected.cloned().or_else(|| guess_records_path(&text)) else {
        return Err(unreadable(&text, raw(), content_type));
    };
    let (ranges, path, moved_from) = match split_records(&text, &path, max_depth) {
        Ok(records) => (ranges_of(&text, &records), path, None),
        Err(SplitError::TooDeep(limit)) => {
            let detail = format!("the body is nested deeper than {limit}; see `http.max_depth`");
            return Err(Failure::new(ErrorClass::NotJson, Action::Stop, detail));
        }
        Err(SplitError::NotThere { path, why }) => {
            let elsewhere = guess_records_path(&text)
                // `$` would take the envelope for a record.
                .filter(|found| *found != path && !found.is_root())
                .and_then(|found| {
                    let records = split_records(&text, &found, max_depth).ok().filter(|r| !r.is_empty())?;
                    Some((ranges_of(&text, &records), found))
                });
            match elsewhere {
                Some((ranges, found)) => (ranges, found, Some(path)),
                None => {
                    let mut failure = Failure::new(
                        ErrorClass::OkWithError,
                        Action::Stop,
                        format!("a response of success holds no records at `{path}`: {why}"),
                    );
                    failure.missing_records = Some(path);
                    return Err(failure);
                }
            }
        }
        // Only a body that is no JSON at all is left; the list of errors may grow.
        Err(_) => return Err(unreadable(&text, raw(), content_type)),
    };
    // An object without members is "nothing", not a record that lost all its fields.
    let is_nothing = path.is_root() && ranges.len() == 1 && {
        let record = text[ranges[0].clone()].trim();
        record
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .is_some_and(|inner| inner.trim().is_empty())
    };
    let ranges = if is_nothing { Vec::new() } else { ranges };
    Ok(Records { text, original, ranges, path, moved_from })
}

/// Names what a body is that holds no JSON.
fn unreadable(text: &str, raw: &[u8], content_type: Option<&str>) -> Failure {
    match ailment(text) {
        Some(Ailment::Truncated) => {
            Failure::new(ErrorClass::Truncated, Action::RetryNow, "the body ends before its JSON does")
        }
        Some(Ailment::NotJson) => match foreign_format(content_type, raw) {
            Some(name) => Failure::new(
                ErrorClass::NotJson,
                // A page in place of data may be gone a second later; a file in another format stays one.
                if name == "HTML" { Action::RetryNow } else { Action::Stop },
                format!("the body is {name}; only JSON is read"),
            ),
            None => Failure::new(ErrorClass::NotJson, Action::RetryNow, "the body is no JSON"),
        },
        None => Failure::new(ErrorClass::OkWithError, Action::Stop, "the body is JSON, but holds no record"),
    }
}

/// The body as text, and as it came where that cannot be said in UTF-8.
fn decode(body: Vec<u8>, content_type: Option<&str>) -> (String, Option<Vec<u8>>) {
    const MARK: &str = "\u{feff}";
    match String::from_utf8(body) {
        Ok(mut text) => {
            if text.starts_with(MARK) {
                text.drain(..MARK.len());
            }
            (text, None)
        }
        Err(error) => {
            let mut bytes = error.into_bytes();
            if is_latin1(content_type) {
                return (bytes.iter().map(|byte| char::from(*byte)).collect(), None);
            }
            if bytes.starts_with(MARK.as_bytes()) {
                bytes.drain(..MARK.len());
            }
            (mask(&bytes), Some(bytes))
        }
    }
}

/// The text with a `?` for every byte that is no UTF-8, so that places in it are places in the bytes.
fn mask(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| text.push('?'));
    }
    text
}

fn is_latin1(content_type: Option<&str>) -> bool {
    let Some((_, parameters)) = content_type.and_then(|text| text.split_once(';')) else { return false };
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        name.trim().eq_ignore_ascii_case("charset")
            && matches!(value.as_str(), "iso-8859-1" | "latin1" | "windows-1252" | "us-ascii")
    })
}

/// Where slices of a text begin and end in it.
fn ranges_of(text: &str, slices: &[&str]) -> Vec<Range<usize>> {
    let base = text.as_ptr() as usize;
    slices
        .iter()
        .map(|slice| {
            let start = slice.as_ptr() as usize - base;
            start..start + slice.len()
        })
        .collect()
}
