//! Where a description and real responses disagree, before anything changes.
//!
//! What is described is held against the profile of one window. Nothing is said where the description leaves something
//! open, where every alternative of a field would have to be told apart by another field, or where the request asks for
//! some of the fields only. Values are counted and never shown.

use crate::model::{Change, ChangeKind, Facts, FieldPath, JsonType, Step};
use crate::profile::{FieldProfile, Format, Profile, StringProfile};
use crate::spec::{Described, DescribedRecords, Known, WatchedEndpoint};

/// Objects that must be seen before a field counts as never there: a few may be odd by chance.
const MIN_OBJECTS: u64 = 5;
/// The share of strings in another notation from which the described format does not hold: less are slips of the data.
const MIN_SHARE: f64 = 0.05;
/// Names that are listed in one finding.
const MAX_NAMES: usize = 12;
/// Parameters by which APIs are asked for some of the fields, with case and signs taken out.
const FIELD_SELECTORS: [&str; 8] =
    ["fields", "select", "include", "attributes", "columns", "properties", "fieldmask", "onlyfields"];

/// Where the records of a window contradict what is described of them.
#[must_use]
pub fn contradictions(
    described: &DescribedRecords,
    endpoint: &WatchedEndpoint,
    profile: &Profile,
) -> Vec<Change> {
    let mut found = Found { operation: &described.operation, changes: Vec::new() };
    let (mut undocumented, mut null_at_times) = (Vec::new(), Vec::new());
    for (path, seen) in &profile.fields {
        match described.field(path) {
            Known::As(says) if !says.open || !says.types.is_empty() => {
                found.field(path, says, seen);
                if seen.types.get(JsonType::Null) > 0 && !says.nullable && !says.types.is_empty() {
                    null_at_times.push(path);
                }
            }
            Known::As(_) | Known::Open => {}
            // Only the topmost: what is below it is not described either.
            Known::Not if is_below_map(path, profile) => {}
            Known::Not if undocumented.iter().any(|above: &&FieldPath| path.starts_with(above)) => {}
            Known::Not => undocumented.push(path),
        }
    }
    if !asks_for_some(endpoint) {
        for (path, says) in &described.fields {
            found.never_there(path, says, described, profile);
        }
    }
    found.listed("undocumented", &undocumented, profile);
    found.listed("null", &null_at_times, profile);
    found.changes
}

struct Found<'a> {
    operation: &'a str,
    changes: Vec<Change>,
}

impl Found<'_> {
    /// What is there, and is not as described: the type first, and only where that holds values and notation.
    fn field(&mut self, path: &FieldPath, says: &Described, seen: &FieldProfile) {
        let total = seen.types.non_null();
        let others: Vec<JsonType> = seen.types.seen().filter(|kind| !is_allowed(*kind, says, seen)).collect();
        if !says.types.is_empty() && !others.is_empty() {
            let count = others.iter().map(|kind| seen.types.get(*kind)).sum();
            let words: Vec<&str> = others.iter().map(|kind| kind.word()).collect();
            self.push("type", path, &says.type_words(), words.join(" or "), (count, total));
            return;
        }
        // A field that may be an object or a list has formats and values of several sorts.
        if says.open || says.types.iter().any(|word| word == "object" || word == "array") {
            return;
        }
        if let Some(strings) = &seen.strings {
            self.values(path, says, strings);
            self.notation(path, says, strings);
        }
        if let (Some(numbers), Some(limit)) = (&seen.numbers, largest(says))
            && (numbers.max > limit || numbers.min < -limit - 1.0)
        {
            let name = if limit < 1e12 { "int32" } else { "int64" };
            self.push("format", path, name, "larger numbers".to_owned(), (1, numbers.count));
        }
    }

    fn values(&mut self, path: &FieldPath, says: &Described, strings: &StringProfile) {
        let Some(listed) = &says.values else { return };
        let documented = format!("{} values", listed.len());
        if strings.top.overflown {
            // More distinct values than are kept, and so more than are listed.
            if listed.len() <= crate::profile::TopValues::CAP {
                self.push("values", path, &documented, "more values".to_owned(), (1, strings.count));
            }
            return;
        }
        let unlisted = strings.top.counts.values().filter(|(_, text)| {
            // A text that is not kept may be any.
            text.as_ref().is_some_and(|text| !listed.contains(text))
        });
        let (kinds, count) = unlisted.fold((0_u64, 0), |(kinds, count), (n, _)| (kinds + 1, count + n));
        if kinds > 0 {
            let words = if kinds == 1 { "another value".to_owned() } else { format!("{kinds} other values") };
            self.push("values", path, &documented, words, (count, strings.count));
        }
    }

    fn notation(&mut self, path: &FieldPath, says: &Described, strings: &StringProfile) {
        let formats: Option<Vec<&str>> = says.formats.iter().map(Option::as_deref).collect();
        let Some(formats) = formats.filter(|formats| !formats.is_empty()) else { return };
        // A format whose notation is not known here allows anything.
        let Some(allowed) = formats.iter().map(|format| notations(format)).collect::<Option<Vec<_>>>() else {
            return;
        };
        let fits = |format: &Format| allowed.iter().any(|list| list.contains(format));
        let filled = strings.count - strings.empty;
        let others = strings.formats.iter().filter(|(format, _)| **format != Format::Empty && !fits(format));
        let count: u64 = others.clone().map(|(_, n)| n).sum();
        if filled > 0 && count as f64 >= MIN_SHARE * filled as f64 && count > 0 {
            let mut words: Vec<(u64, String)> = others.map(|(format, n)| (*n, format.word())).collect();
            words.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
            let words: Vec<String> = words.into_iter().take(3).map(|(_, word)| word).collect();
            self.push("format", path, &formats.join(" or "), words.join(", "), (count, filled));
        }
    }

    fn never_there(&mut self, path: &FieldPath, says: &Described, all: &DescribedRecords, profile: &Profile) {
        let (Some(Step::Key(_)), Some(above)) = (path.steps().last(), path.parent()) else { return };
        if says.optional || profile.fields.contains_key(path) {
            return;
        }
        // Whatever is around it must be described as an object, seen as one, and without keys that are data.
        let Known::As(around) = all.field(&above) else { return };
        let Some(parent) = profile.fields.get(&above) else { return };
        let objects = parent.types.get(JsonType::Object);
        let is_object = around.types.len() == 1 && around.types.contains("object") && !parent.is_map;
        if is_object && objects >= MIN_OBJECTS {
            self.push("missing", path, "required", "never there".to_owned(), (objects, objects));
        }
    }

    /// One line for several fields of one sort.
    fn listed(&mut self, what: &'static str, paths: &[&FieldPath], profile: &Profile) {
        if paths.is_empty() {
            return;
        }
        let mut names: Vec<String> = paths.iter().take(MAX_NAMES).map(ToString::to_string).collect();
        if paths.len() > MAX_NAMES {
            names.push(format!("{} more", paths.len() - MAX_NAMES));
        }
        let facts = Facts::new()
            .with("what", what)
            .with("operation", self.operation)
            .with("fields", paths.len())
            .with("details", names.join(", "))
            .with("live_records", profile.records);
        self.changes.push(Change {
            kind: ChangeKind::DocsContradicted,
            path: FieldPath::root(),
            to: Vec::new(),
            facts,
        });
    }

    fn push(
        &mut self,
        what: &str,
        path: &FieldPath,
        documented: &str,
        seen: String,
        (count, of): (u64, u64),
    ) {
        let facts = Facts::new()
            .with("what", what)
            .with("operation", self.operation)
            .with("documented", documented)
            .with("seen", seen)
            .with("contradicting", count)
            .with("live_support", of);
        self.changes.push(Change {
            kind: ChangeKind::DocsContradicted,
            path: path.clone(),
            to: Vec::new(),
            facts,
        });
    }
}

/// Whether values of that type are as described. A number without a fraction is an integer, however it is written.
fn is_allowed(kind: JsonType, says: &Described, seen: &FieldProfile) -> bool {
    let has = |word: &str| says.types.contains(word);
    match kind {
        JsonType::Integer => has("integer") || has("number"),
        JsonType::Number => {
            let whole = seen.numbers.as_ref().is_some_and(|numbers| numbers.whole == numbers.count);
            has("number") || (has("integer") && whole)
        }
        // An object whose keys are data is one in the description as well.
        JsonType::Null | JsonType::Boolean | JsonType::String | JsonType::Array | JsonType::Object => {
            has(kind.word())
        }
    }
}

/// The largest number of the described format, where it has one.
fn largest(says: &Described) -> Option<f64> {
    let formats: Option<Vec<&str>> = says.formats.iter().map(Option::as_deref).collect();
    match formats?.as_slice() {
        ["int32"] => Some(f64::from(i32::MAX)),
        _ => None,
    }
}

/// The notations that meet a format of JSON Schema; `None` where any may.
///
/// A fraction of digits alone may be a year or a UUID without hyphens, so only formats with one notation are listed.
fn notations(format: &str) -> Option<&'static [Format]> {
    Some(match format {
        "date-time" => &[Format::DateTimeZ, Format::DateTimeFractionZ, Format::DateTimeOffset],
        "date" => &[Format::Date],
        "uuid" => &[Format::Uuid],
        "email" => &[Format::Email],
        "ipv4" | "ipv6" => &[Format::IpAddress],
        _ => return None,
    })
}

fn asks_for_some(endpoint: &WatchedEndpoint) -> bool {
    let names = endpoint.sent.iter().flat_map(|sent| sent.parameters.keys());
    names.into_iter().any(|name| {
        let folded: String =
            name.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect();
        FIELD_SELECTORS.iter().any(|selector| folded.starts_with(selector))
    })
}

/// Whether the path leads through an object whose keys are data.
fn is_below_map(path: &FieldPath, profile: &Profile) -> bool {
    let mut above = path.parent();
    while let Some(path) = above {
        if profile.fields.get(&path).is_some_and(|field| field.is_map) {
            return true;
        }
        above = path.parent();
    }
    false
}
