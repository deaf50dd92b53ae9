//! From the tape of a record to its key and its sampled values.

use std::borrow::Cow;

use super::{
    Format, Halves, SampleMode, SampleValue, SampledRecord,
    formats::classes::{self, ByteClasses},
    hashing::ValueHash,
    numbers::Number,
    scan, strings,
    tape::{Event, EventKind},
    tokens::Token,
    trie::NodeId,
};
use crate::model::{FieldPath, JsonType};

/// The most values that are kept of one record.
const MAX_VALUES: usize = 512;
/// The longest number text that is kept, in bytes.
const LONGEST_NUMBER: usize = 32;
/// The longest string that is kept in clear, in characters, or taken apart, in bytes.
const LONGEST_CLEAR: usize = 256;
/// The longest beginning of a string whose pattern is kept, in characters.
const LONGEST_PATTERN: usize = 64;
/// The most places at which a string is taken apart.
const MAX_HALVES: usize = 4;
/// Signs that parts are joined by, the likeliest first; a `T` joins the parts of an instant alone.
const JOINTS: [u8; 10] = *b" T/-_,:|.;";
/// What stands for nothing, in the words of many vendors.
const NOTHING: [&str; 12] =
    ["n/a", "na", "nan", "nil", "none", "null", "undefined", "unknown", "missing", "empty", "-", "?"];
/// The longest of them, in bytes.
const LONGEST_NOTHING: usize = 9;

/// A string's text without escapes.
fn plain<'a>(event: &Event, text: &'a str) -> Cow<'a, str> {
    let raw = &text[event.start as usize..event.end as usize];
    if event.kind == EventKind::EscapedString { Cow::Owned(scan::unescape(raw)) } else { Cow::Borrowed(raw) }
}

/// The text that stands for a scalar in a key: `13` and `"13"` are one.
fn key_text<'a>(event: &Event, text: &'a str) -> Option<Cow<'a, str>> {
    match event.kind {
        EventKind::String | EventKind::EscapedString => Some(plain(event, text)),
        EventKind::Integer | EventKind::Number => {
            let written = &text[event.start as usize..event.end as usize];
            let is_plain = event.kind == EventKind::Integer && written != "-0";
            Some(if is_plain {
                Cow::Borrowed(written)
            } else {
                Cow::Owned(Number::of(Token::whole(written)).canonical())
            })
        }
        EventKind::False => Some(Cow::Borrowed("false")),
        EventKind::True => Some(Cow::Borrowed("true")),
        EventKind::Null | EventKind::Array | EventKind::Object => None,
    }
}

/// The hash of the record's key, its parts at these nodes; `None` where one is missing or no scalar.
pub(super) fn key_hash(nodes: &[NodeId], events: &[Event], text: &str, key: &ValueHash) -> Option<u64> {
    let part = |node: &NodeId| key_text(events.iter().find(|event| event.node == *node)?, text);
    if let [node] = nodes {
        return Some(key.of(part(node)?.as_bytes()));
    }
    let mut parts = Vec::new();
    for node in nodes {
        let part = part(node)?;
        parts.extend_from_slice(&(part.len() as u64).to_le_bytes());
        parts.extend_from_slice(part.as_bytes());
    }
    Some(key.of(&parts))
}

/// The fields whose values are sampled: those outside of arrays and maps.
struct Columns<'p> {
    /// By the number of the column.
    ordered: Vec<&'p FieldPath>,
    /// The column of each node.
    by_node: Vec<Option<usize>>,
}

impl<'p> Columns<'p> {
    /// The columns of a trie whose nodes have these paths.
    fn new(paths: &'p [FieldPath]) -> Self {
        let mut ordered: Vec<&FieldPath> = paths.iter().collect();
        ordered.sort_unstable();
        let column = |path: &FieldPath| {
            let is_single = !path.is_repeated() && !path.is_root();
            is_single.then(|| ordered.binary_search(&path).unwrap_or_default())
        };
        let by_node = paths.iter().map(column).collect();
        Self { ordered, by_node }
    }

    fn of(&self, event: &Event) -> Option<usize> {
        *self.by_node.get(event.node as usize)?
    }
}

/// Makes sampled records, one like the other where they have the same fields.
pub(super) struct Sampler<'p> {
    columns: Columns<'p>,
    mode: SampleMode,
    key: ValueHash,
    /// The values of the record at hand: their columns, and the places of their events. The list is kept for its room.
    kept: Vec<(usize, usize)>,
    /// The columns of the last record, and a record with these that holds nothing yet: a copy of it is made without a
    /// comparison of paths.
    last: Vec<usize>,
    blank: SampledRecord,
}

impl<'p> Sampler<'p> {
    pub(super) fn new(paths: &'p [FieldPath], mode: SampleMode, key: ValueHash) -> Self {
        let columns = Columns::new(paths);
        Self { columns, mode, key, kept: Vec::new(), last: Vec::new(), blank: SampledRecord::default() }
    }

    /// What is kept of a record.
    pub(super) fn record(&mut self, events: &[Event], text: &str) -> SampledRecord {
        let columns = events.iter().enumerate().filter_map(|(at, event)| Some((self.columns.of(event)?, at)));
        self.kept.clear();
        self.kept.extend(columns.take(MAX_VALUES));
        self.kept.sort_unstable();
        if !self.kept.iter().map(|(column, _)| column).eq(&self.last) {
            self.last = self.kept.iter().map(|(column, _)| *column).collect();
            let paths = self.last.iter().map(|column| self.columns.ordered[*column].clone());
            self.blank = SampledRecord(paths.map(|path| (path, SampleValue::Null)).collect());
        }
        let mut record = self.blank.clone();
        for (place, (_, at)) in record.0.values_mut().zip(&self.kept) {
            *place = value(&events[*at], text, self.mode, &self.key);
        }
        record
    }
}

fn value(event: &Event, text: &str, mode: SampleMode, key: &ValueHash) -> SampleValue {
    match event.kind {
        EventKind::Null => SampleValue::Null,
        EventKind::False => SampleValue::Bool(false),
        EventKind::True => SampleValue::Bool(true),
        EventKind::Integer | EventKind::Number => {
            let raw = &text[event.start as usize..event.end as usize];
            let written = raw[..raw.len().min(LONGEST_NUMBER)].to_owned();
            SampleValue::Number(raw.parse().unwrap_or(f64::NAN), written)
        }
        EventKind::String | EventKind::EscapedString => sampled_text(&plain(event, text), mode, key),
        EventKind::Array => SampleValue::Container(JsonType::Array, u64::from(event.start)),
        EventKind::Object => SampleValue::Container(JsonType::Object, u64::from(event.start)),
    }
}

/// A string as the sample keeps it.
fn sampled_text(text: &str, mode: SampleMode, key: &ValueHash) -> SampleValue {
    let found = classes::of(text);
    let (format, number) = Format::read(text, found);
    let clear = match mode {
        SampleMode::Clear => Some(text.chars().take(LONGEST_CLEAR).collect()),
        SampleMode::Keyed | SampleMode::Off => None,
    };
    SampleValue::Text {
        hash: key.of(text.as_bytes()),
        folded: strings::folded_hash(text, key),
        length: classes::count_characters(text, found),
        format,
        number,
        pattern: strings::pattern_of_head(text, found, LONGEST_PATTERN),
        halves: halves(text, found, format, key),
        says_nothing: says_nothing(text),
        clear,
    }
}

/// A string taken apart at the signs that may join two parts: at the first and the last of each.
fn halves(text: &str, found: ByteClasses, format: Format, key: &ValueHash) -> Vec<Halves> {
    // A text of hundreds of words has no two parts.
    if text.len() > LONGEST_CLEAR {
        return Vec::new();
    }
    let (bytes, is_ascii) = (text.as_bytes(), text.is_ascii());
    // Of longer texts, not every byte has told its class.
    let may_hold = |joint: u8| text.len() > classes::HEAD || found & classes::of_byte(joint) != 0;
    let mut halves = Vec::new();
    for joint in JOINTS {
        if !may_hold(joint) || (joint == b'T' && !format.is_instant()) {
            continue;
        }
        let Some(first) = memchr::memchr(joint, bytes) else { continue };
        let last = memchr::memrchr(joint, bytes).filter(|last| *last != first);
        for at in [Some(first), last].into_iter().flatten() {
            if halves.len() == MAX_HALVES {
                return halves;
            }
            let (left, right) = (trimmed(&text[..at]), trimmed(&text[at + 1..]));
            let right = if format.is_instant() { right.trim_end_matches('Z') } else { right };
            halves.push(Halves {
                joint: char::from(joint),
                at: if is_ascii { at } else { text[..at].chars().count() } as u64,
                left: key.of(left.as_bytes()),
                right: key.of(right.as_bytes()),
            });
        }
    }
    halves
}

/// A text without white space around; most have none.
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim(),
    }
}

/// Whether a string is a word for nothing.
fn says_nothing(text: &str) -> bool {
    let text = trimmed(text);
    text.len() <= LONGEST_NOTHING && NOTHING.iter().any(|word| word.eq_ignore_ascii_case(text))
}
