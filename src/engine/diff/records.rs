//! Two files of records: where each has them, which of them cannot be read, and what differs.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;

use super::super::EngineError;
use super::super::failed::change_of;
use super::super::lines::LineFile;
use super::super::paths::near;
use super::DiffOptions;
use crate::diagnose::{Records, assess_outcome, diff_records, window_of};
use crate::model::{
    Change, ChangeKind, CompareKind, Compared, Facts, FieldPath, HashKey, Inconclusive, Report, Side, Subject,
};
use crate::observe::{self, Failure, JsonFault};
use crate::profile::{KeySpec, SplitError, record_lists, split_lines, split_records};
use crate::rules::{JudgeContext, RuleSet};

/// Nesting beyond this is not read.
const MAX_DEPTH: u16 = 128;
/// Other lists that are named.
const MAX_OTHERS: usize = 20;

/// A file by its name, and its bytes as they came.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: Vec<u8>,
}

/// Compares the records of two files.
///
/// # Errors
/// Where one of them holds none that could be compared, or what was asked for is not there.
pub(super) fn compare(
    before: Named<'_>,
    after: Named<'_>,
    rules: &RuleSet,
    options: &DiffOptions,
) -> Result<Report, EngineError> {
    if let Some(error) = observe::error_in_place_of_records(rules, &before.bytes) {
        return Err(EngineError::Refused(format!(
            "`{}` holds an error in place of records ({}: {}), and nothing to compare with",
            before.name,
            error.class.word(),
            error.detail
        )));
    }
    let was = Lists::of(&before)?;
    if let Some(error) = observe::error_in_place_of_records(rules, &after.bytes) {
        let place = options.records.clone().unwrap_or_else(|| was.first());
        let count = Read::new(&before, &place)?.spans.len();
        return Ok(error_report(&error, count as u64, rules));
    }
    let is = Lists::of(&after)?;
    let places = match &options.records {
        Some(told) => Places::told(told, [(&before, &was), (&after, &is)])?,
        None => Places::found(&was, &is),
    };
    let (one, other) = (Read::new(&before, &places.before)?, Read::new(&after, &places.after)?);
    // An empty list is no evidence: neither of what was, nor of what is gone.
    for (named, read) in [(&before, &one), (&after, &other)] {
        if read.spans.is_empty() {
            return Err(EngineError::Refused(format!(
                "`{}` holds no records, which is no evidence of anything",
                named.name
            )));
        }
    }
    let mut report = compare_each([(before.name, &one), (after.name, &other)], rules, options)?;
    if let Some(moved) = places.moved() {
        let context = JudgeContext { mapping: None, learning: false, at: Timestamp::UNIX_EPOCH };
        let told = assess_outcome(&subject(), moved, report.compared.clone(), rules, &context);
        report.findings.splice(0..0, told.findings);
        report.diagnoses.splice(0..0, told.diagnoses);
    }
    if options.records.is_none() {
        report.inconclusive.extend(places.others(&was, &is));
    }
    Ok(report)
}

/// Compares two files of JSON lines.
///
/// # Errors
/// Where none of the lines of one can be read.
pub(super) fn compare_lines(
    before: (&str, &LineFile),
    after: (&str, &LineFile),
    rules: &RuleSet,
    options: &DiffOptions,
) -> Result<Report, EngineError> {
    compare_each([before, after], rules, options)
}

/// Records that know where each of them stands in its file.
pub(in crate::engine) trait Located: Records {
    /// Line and column, counted from 1, at which the record begins; columns are bytes.
    fn place_of(&self, record: usize) -> (usize, usize);
}

fn compare_each(
    sides: [(&str, &impl Located); 2],
    rules: &RuleSet,
    options: &DiffOptions,
) -> Result<Report, EngineError> {
    let [(_, before), (_, after)] = sides;
    // Nothing is kept, so any key does, and a fixed one makes two runs alike.
    let hash_key = HashKey::new(*b"drogue diff 0001");
    if !options.key.is_empty() {
        check_key(&options.key, before, after, hash_key)?;
    }
    let key = (!options.key.is_empty()).then(|| KeySpec { paths: options.key.clone() });
    let mut report = diff_records(before, after, rules, hash_key, key);
    forget_times(&mut report);
    let read = [report.compared.baseline.records, report.compared.live.records];
    for ((name, records), (read, when)) in sides.into_iter().zip(read.into_iter().zip(["before", "now"])) {
        let count = records.count() as u64;
        let Some(fault) = (read < count).then(|| first_fault(records)) else { continue };
        if read == 0 {
            return Err(EngineError::Refused(format!(
                "`{name}` holds no record that can be read, of {count}; the first fault is at {fault}"
            )));
        }
        report.inconclusive.push(Inconclusive {
            path: FieldPath::root(),
            why: format!(
                "{when}: {} of {count} records cannot be read and are not compared, the first at {fault}",
                count - read
            ),
        });
    }
    Ok(report)
}

/// Refuses a key that no record has.
fn check_key(
    key: &[FieldPath],
    before: &impl Located,
    after: &impl Located,
    hash_key: HashKey,
) -> Result<(), EngineError> {
    // A key that is there is there in the first records most often, which spares a look at all of them.
    let first = window_of(&First(before), None, hash_key).profile.fields;
    if key.iter().all(|path| first.contains_key(path)) {
        return Ok(());
    }
    let mut fields = window_of(before, None, hash_key).profile.fields;
    fields.extend(window_of(after, None, hash_key).profile.fields);
    match key.iter().find(|path| !fields.contains_key(path)) {
        Some(path) => {
            Err(EngineError::Usage(format!("`--key {path}`: no record has it{}", near(path, fields.keys()))))
        }
        None => Ok(()),
    }
}

/// The first of some records, as many as fields that are now and then missing come up in.
struct First<'a, R>(&'a R);

impl<R> First<'_, R> {
    const COUNT: usize = 1000;
}

impl<R: Records> Records for First<'_, R> {
    fn count(&self) -> usize {
        self.0.count().min(Self::COUNT)
    }

    fn each(&self, take: &mut dyn FnMut(&[u8])) {
        let mut left = Self::COUNT;
        self.0.each(&mut |record| {
            if left > 0 {
                left -= 1;
                take(record);
            }
        });
    }
}

/// What is wrong with the first record that cannot be read, and where.
fn first_fault(records: &impl Located) -> String {
    let (mut at, mut found) = (0, None);
    records.each(&mut |record| {
        if found.is_none() {
            found = observe::fault_of_record(record).map(|fault| (at, fault));
        }
        at += 1;
    });
    let Some((record, fault)) = found else { return "a place that is not known".to_owned() };
    let (line, column) = records.place_of(record);
    let (line, column) = match fault.line {
        1 => (line, column + fault.column.saturating_sub(1)),
        further => (line + further - 1, fault.column),
    };
    JsonFault { line, column, ..fault }.to_string()
}

fn subject() -> Subject {
    Subject { connector: "diff".to_owned(), stream: "records".to_owned() }
}

/// What is said of an error in place of the records of now: one finding, and nothing of fields.
fn error_report(error: &Failure, before: u64, rules: &RuleSet) -> Report {
    let compared = Compared {
        kind: CompareKind::Records,
        baseline: Side { records: before, ..Side::default() },
        live: Side::default(),
    };
    let context = JudgeContext { mapping: None, learning: false, at: Timestamp::UNIX_EPOCH };
    assess_outcome(&subject(), change_of(error), compared, rules, &context)
}

/// Files say nothing of when they were seen.
fn forget_times(report: &mut Report) {
    for finding in &mut report.findings {
        (finding.first_seen, finding.last_seen) = (None, None);
    }
}

/// The lists of objects that a file holds, the largest first.
enum Lists {
    /// One record a line: there is nothing around them.
    Lines,
    /// One JSON text; without a list it is a record itself.
    At(Vec<FieldPath>),
}

impl Lists {
    fn of(named: &Named<'_>) -> Result<Self, EngineError> {
        let text = masked(&named.bytes);
        if lines(&text).is_some() {
            return Ok(Self::Lines);
        }
        match record_lists(&text) {
            Ok(lists) => Ok(Self::At(lists)),
            Err(SplitError::Syntax(_)) => Err(no_json(named.name, &named.bytes, &text)),
            Err(SplitError::TooDeep(_)) => Err(unreadable(named.name, &SplitError::TooDeep(MAX_DEPTH))),
            Err(wrong) => Err(unreadable(named.name, &wrong)),
        }
    }

    /// Where the records are most likely.
    fn first(&self) -> FieldPath {
        match self {
            Self::Lines => FieldPath::root(),
            Self::At(lists) => lists.first().cloned().unwrap_or_default(),
        }
    }

    fn has(&self, place: &FieldPath) -> bool {
        matches!(self, Self::At(lists) if lists.contains(place))
    }

    fn all(&self) -> &[FieldPath] {
        match self {
            Self::Lines => &[],
            Self::At(lists) => lists,
        }
    }
}

/// Where the records of two files are.
struct Places {
    before: FieldPath,
    after: FieldPath,
    /// Where they were and, if anybody knows, where they are.
    moved: Option<(FieldPath, Option<FieldPath>)>,
}

impl Places {
    /// The same place in both, wherever there is one; else the largest list of each.
    fn found(was: &Lists, is: &Lists) -> Self {
        let (before, after) = (was.first(), is.first());
        let same = |place: FieldPath, moved| Self { before: place.clone(), after: place, moved };
        // A record that stands alone, and a file of lines, have nothing around them that could have changed.
        if before.is_root() || after.is_root() {
            return Self { before, after, moved: None };
        }
        if is.has(&before) {
            same(before, None)
        } else if was.has(&after) {
            same(after, Some((before, None)))
        } else {
            Self { moved: Some((before.clone(), Some(after.clone()))), before, after }
        }
    }

    /// At the place that was told; where only one file has records there, the other's largest list.
    fn told(told: &FieldPath, sides: [(&Named<'_>, &Lists); 2]) -> Result<Self, EngineError> {
        let has = |(named, lists): (&Named<'_>, &Lists)| match lists {
            Lists::Lines => told.is_root(),
            Lists::At(_) => split_records(&masked(&named.bytes), told, MAX_DEPTH).is_ok(),
        };
        let [(_, was), (_, is)] = sides;
        let (before, after) = (was.first(), is.first());
        Ok(match sides.map(has) {
            [true, true] => Self { before: told.clone(), after: told.clone(), moved: None },
            [true, false] => {
                let to = (!after.is_root()).then(|| after.clone());
                Self { before: told.clone(), after, moved: Some((told.clone(), to)) }
            }
            [false, true] => {
                Self { moved: Some((before.clone(), Some(told.clone()))), before, after: told.clone() }
            }
            [false, false] => {
                let lists: Vec<&FieldPath> = was.all().iter().chain(is.all()).collect();
                let hint = match (was, is) {
                    (Lists::Lines, Lists::Lines) => "; they hold one record a line".to_owned(),
                    _ => near(told, lists),
                };
                return Err(EngineError::Usage(format!(
                    "`--records {told}`: no file has records there{hint}"
                )));
            }
        })
    }

    /// That the records are no longer where they were, as a change.
    fn moved(&self) -> Option<Change> {
        let (from, to) = self.moved.as_ref()?;
        let mut facts = Facts::new().with("from", from.to_string());
        if let Some(to) = to {
            facts.set("to", to.to_string());
        }
        Some(Change { kind: ChangeKind::EnvelopeChanged, path: FieldPath::root(), to: Vec::new(), facts })
    }

    /// The lists that were not read.
    fn others(&self, was: &Lists, is: &Lists) -> Vec<Inconclusive> {
        let mut others: Vec<&FieldPath> = was.all().iter().chain(is.all()).collect();
        others.retain(|place| **place != self.before && **place != self.after);
        others.sort();
        others.dedup();
        let one = |place: &FieldPath| Inconclusive {
            path: place.clone(),
            why: format!(
                "another list; `{}` is read, and `--records '{place}'` chooses this one",
                self.after
            ),
        };
        others.into_iter().take(MAX_OTHERS).map(one).collect()
    }
}

/// The records of a file, each its own text as it came.
struct Read<'a> {
    bytes: &'a [u8],
    spans: Vec<Range<usize>>,
}

impl<'a> Read<'a> {
    /// Reads JSON (an array, or an envelope around one) or JSON lines. A record that is no UTF-8 or no JSON is counted
    /// as malformed; it costs no other.
    fn new(named: &'a Named<'_>, place: &FieldPath) -> Result<Self, EngineError> {
        let bytes = named.bytes.as_slice();
        let text = masked(bytes);
        let records: Vec<&str> = match lines(&text) {
            Some(lines) => lines,
            None => split_records(&text, place, MAX_DEPTH).map_err(|wrong| match wrong {
                SplitError::Syntax(_) => no_json(named.name, bytes, &text),
                wrong => unreadable(named.name, &wrong),
            })?,
        };
        // An object without members is "nothing", and no record that lost all its fields.
        let is_nothing = matches!(records.as_slice(), [one] if is_empty_object(one));
        let start = text.as_ptr() as usize;
        let spans = records.iter().filter(|_| !is_nothing).map(|record| {
            let at = record.as_ptr() as usize - start;
            at..at + record.len()
        });
        Ok(Self { spans: spans.collect(), bytes })
    }
}

impl Records for Read<'_> {
    fn count(&self) -> usize {
        self.spans.len()
    }

    fn each(&self, take: &mut dyn FnMut(&[u8])) {
        self.spans.iter().for_each(|span| take(&self.bytes[span.clone()]));
    }
}

impl Located for Read<'_> {
    fn place_of(&self, record: usize) -> (usize, usize) {
        let start = self.spans.get(record).map_or(0, |span| span.start);
        let before = &self.bytes[..start];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        (memchr::memchr_iter(b'\n', before).count() + 1, start - line_start + 1)
    }
}

fn unreadable(name: &str, wrong: &SplitError) -> EngineError {
    EngineError::Refused(format!("cannot read `{name}`: {wrong}"))
}

/// Why a text is no JSON: it is in another format, or broken at a place.
fn no_json(name: &str, bytes: &[u8], text: &str) -> EngineError {
    if let Some(format) = observe::foreign_file(name, bytes) {
        return EngineError::Foreign { file: name.to_owned(), format };
    }
    match observe::fault_of_json(text) {
        Some(fault) => EngineError::Refused(format!("`{name}`, {fault}")),
        None => EngineError::Refused(format!("`{name}` holds no records")),
    }
}

fn is_empty_object(record: &str) -> bool {
    let inner = record.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| inner.trim().is_empty())
}

/// The text with a `?` for every byte that is no UTF-8, so that places in it are places in the bytes.
fn masked(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Cow::Owned(text)
}

/// The lines of a text that is JSON lines: more than one line, and the first of them a whole object.
pub(super) fn lines(text: &str) -> Option<Vec<&str>> {
    let all: Vec<&str> = split_lines(text).collect();
    // One line alone is JSON as well: an envelope around the records, most often.
    let first = all.first().filter(|_| all.len() > 1)?;
    let is_object = first.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok();
    is_object.then_some(all)
}
