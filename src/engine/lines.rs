//! A file of JSON lines that is read anew for each pass over it: memory does not grow with the file.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use serde::de::IgnoredAny;

use super::diff::Located;
use crate::diagnose::Records;

/// How much is read at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// A file of JSON lines: more than one line, and the first of them a whole object.
#[derive(Debug)]
pub(super) struct LineFile {
    path: PathBuf,
    count: usize,
    /// The first two lines, by which it is told from a description of an API.
    pub(super) head: String,
    /// Why a later pass broke off.
    failed: RefCell<Option<io::Error>>,
}

impl LineFile {
    /// Counts the records of a file; `None` where it is something else.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        if !path.is_file() {
            return Ok(None);
        }
        let (mut count, mut head) = (0, String::new());
        let is_whole = pass(path, &mut |line| {
            if count < 2 {
                head.push_str(&String::from_utf8_lossy(line));
                head.push('\n');
            }
            count += 1;
            count > 1 || (line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok())
        })?;
        let file = Self { path: path.to_owned(), count, head, failed: RefCell::new(None) };
        // One line alone is JSON as well: an envelope around the records, most often.
        Ok((is_whole && count > 1).then_some(file))
    }

    /// Whether every pass so far came to the end.
    ///
    /// # Errors
    /// Where one did not.
    pub(super) fn check(&self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

impl Records for LineFile {
    fn count(&self) -> usize {
        self.count
    }

    fn each(&self, take: &mut dyn FnMut(&[u8])) {
        let read = pass(&self.path, &mut |line| {
            take(line);
            true
        });
        if let Err(failed) = read {
            self.failed.borrow_mut().get_or_insert(failed);
        }
    }
}

impl Located for LineFile {
    fn place_of(&self, record: usize) -> (usize, usize) {
        let (mut line, mut held) = (0, 0);
        let _ = each_line(&self.path, &mut |text| {
            line += 1;
            held += usize::from(!text.is_empty());
            held <= record
        });
        (line, 1)
    }
}

/// Hands the lines that hold something to `take`, without byte order mark and line ends, until it says `false`; whether
/// it never did.
fn pass(path: &Path, take: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<bool> {
    each_line(path, &mut |text| text.is_empty() || take(text))
}

/// The same with the lines that hold nothing.
fn each_line(path: &Path, take: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<bool> {
    let mut reader = BufReader::with_capacity(BUFFER, File::open(path)?);
    let (mut line, mut is_first) = (Vec::new(), true);
    while reader.read_until(b'\n', &mut line)? > 0 {
        let mark: &[u8] = if is_first { b"\xef\xbb\xbf" } else { b"" };
        let text = trimmed(line.strip_prefix(mark).unwrap_or(&line));
        if !take(text) {
            return Ok(false);
        }
        is_first = false;
        line.clear();
    }
    Ok(true)
}

/// Without the white space of JSON around it.
fn trimmed(line: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let Some(start) = line.iter().position(is_text) else { return &[] };
    let end = line.iter().rposition(is_text).map_or(start, |last| last + 1);
    &line[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::split_lines;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn gives_the_lines_that_a_text_has() {
        let bytes = b"\xef\xbb\xbf{\"a\": 1}\r\n\n \t \n{\"a\": \"\xff\"}\nbroken\n\n{\"a\": 3}";
        let (_folder, path) = file(bytes);
        let lines = LineFile::open(&path).unwrap().unwrap();
        let text = String::from_utf8_lossy(bytes);
        let expected: Vec<&str> = split_lines(&text).collect();
        for _ in 0..2 {
            let mut found = Vec::new();
            lines.each(&mut |line| found.push(String::from_utf8_lossy(line).into_owned()));
            assert_eq!(found, expected);
        }
        assert_eq!((lines.count(), expected.len()), (4, 4));
        lines.check().unwrap();
        assert_eq!([0, 1, 2, 3].map(|record| lines.place_of(record).0), [1, 4, 5, 7]);
    }

    #[test]
    fn tells_what_is_no_json_lines() {
        for bytes in
            [&b"[{\"a\": 1},\n{\"a\": 2}]"[..], b"{\n\"a\": 1}", b"{\"a\": 1}\n", b"", b"openapi: 3.1.0\n"]
        {
            let (_folder, path) = file(bytes);
            assert!(LineFile::open(&path).unwrap().is_none());
        }
        assert!(LineFile::open(Path::new("/nowhere")).unwrap().is_none());
    }

    #[test]
    fn a_file_that_vanishes_is_told() {
        let (folder, path) = file(b"{}\n{}\n");
        let lines = LineFile::open(&path).unwrap().unwrap();
        drop(folder);
        lines.each(&mut |_| {});
        assert!(lines.check().is_err());
    }
}
