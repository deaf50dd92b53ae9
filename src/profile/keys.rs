//! Finds the fields that tell one record from another, from a profile made without a key.

use std::collections::BTreeSet;

use super::{FieldProfile, Format, KeySpec, Profile, SampleValue, SampledRecord};
use crate::model::{FieldPath, JsonType};

/// The most keys that are proposed.
const MAX_KEYS: usize = 4;
/// One or two records are unique in everything.
const MIN_RECORDS: u64 = 3;
/// A distinct count is an estimate with a standard error of 6 %: three of them.
const DISTINCT_TOLERANCE: f64 = 0.2;
/// Longer strings on average, in characters, are texts.
const LONGEST_KEY: f64 = 64.0;
/// How many of the likeliest parts are tried in pairs.
const MAX_PARTS: usize = 8;

/// What a part of a pair must score: chance makes pairs of measures unique.
const LIKELY_PART: i32 = 8;

/// Words in a field's name that say that it tells things apart, the surest first.
const KEY_WORDS: [(&str, i32); 22] = [
    ("id", 40),
    ("uuid", 40),
    ("guid", 40),
    ("uid", 36),
    ("key", 32),
    ("pk", 32),
    ("sku", 30),
    ("slug", 28),
    ("code", 28),
    ("codice", 28),
    ("identifier", 28),
    ("number", 20),
    ("nr", 20),
    ("no", 20),
    ("num", 20),
    ("ref", 20),
    ("reference", 20),
    ("symbol", 20),
    ("iso", 18),
    ("isin", 28),
    ("url", 10),
    ("name", 14),
];

/// The score of a name that says that its values move.
const MOVING: i32 = -40;
/// Words in a field's name that say so.
const MOVING_WORDS: [&str; 13] = [
    "rank", "position", "index", "order", "row", "updated", "modified", "latest", "last", "hash", "etag",
    "cursor", "token",
];

/// The keys that may tell this stream's entities, the likeliest first, at most four; none where nothing fits.
///
/// A key is always there, never null, outside of arrays, unique as far as the profile can tell, and stable: a measure
/// or a rank is unique but tells no entity, an instant does so only in a series without any other key. Pairs of fields are proposed only where no single field fits;
/// whether they are unique is seen in the sampled records.
#[must_use]
pub fn find_keys(profile: &Profile) -> Vec<KeySpec> {
    if profile.records < MIN_RECORDS {
        return Vec::new();
    }
    let mut parts: Vec<Part<'_>> =
        profile.fields.iter().filter_map(|(path, field)| Part::of(path, field, profile.records)).collect();
    // Of equals, the one that comes first in the records; `sort_by_key` keeps the order of paths beyond that.
    parts.sort_by_key(|part| (-part.score, part.field.position_sum));
    let spec =
        |paths: Vec<&Part<'_>>| KeySpec { paths: paths.iter().map(|part| part.path.clone()).collect() };

    let singles = |wanted: fn(&Part<'_>) -> bool| -> Vec<KeySpec> {
        let fitting = parts.iter().filter(|part| part.is_unique && wanted(part));
        let unique = fitting.filter(|part| are_unique(profile, &[part.path]));
        unique.take(MAX_KEYS).map(|part| spec(vec![part])).collect()
    };
    let keys = singles(|part| !part.is_instant && part.score > 0);
    if !keys.is_empty() {
        return keys;
    }
    // A series has one record an instant, and nothing else tells them apart.
    let keys = singles(|part| part.is_instant && part.score > MOVING);
    if !keys.is_empty() {
        return keys;
    }
    parts.retain(|part| {
        !part.is_unique && (part.score >= LIKELY_PART || part.is_instant) && part.distinct >= 2.0
    });
    parts.truncate(MAX_PARTS);
    let pairs = parts.iter().enumerate().flat_map(|(at, a)| parts[at + 1..].iter().map(move |b| (a, b)));
    pairs
        .filter(|(a, b)| a.distinct * b.distinct >= profile.records as f64 * (1.0 - DISTINCT_TOLERANCE))
        .filter(|(a, b)| are_unique(profile, &[a.path, b.path]))
        .take(MAX_KEYS)
        .map(|(a, b)| spec(vec![a, b]))
        .collect()
}

/// A field that may be a key or a part of one.
struct Part<'a> {
    path: &'a FieldPath,
    field: &'a FieldProfile,
    distinct: f64,
    is_unique: bool,
    is_instant: bool,
    score: i32,
}

impl<'a> Part<'a> {
    fn of(path: &'a FieldPath, field: &'a FieldProfile, records: u64) -> Option<Self> {
        let strings = field.types.get(JsonType::String);
        let integers = field.types.get(JsonType::Integer);
        let always = field.present == records && (strings == records || integers == records);
        if path.is_root() || path.is_repeated() || !always {
            return None;
        }
        let name = score_of_name(path);
        let (kind, is_instant) =
            if integers == records { score_of_integers(field, name)? } else { score_of_strings(field)? };
        let distinct = field.distinct();
        let share = distinct / records as f64;
        let complete = match (&field.strings, &field.numbers) {
            (Some(strings), _) => strings.distinct.is_complete(),
            (None, Some(numbers)) => numbers.distinct.is_complete(),
            (None, None) => false,
        };
        let is_unique = if complete { distinct == records as f64 } else { share > 1.0 - DISTINCT_TOLERANCE };
        let depth = 6 * (path.steps().len() as i32 - 1);
        Some(Self { path, field, distinct, is_unique, is_instant, score: name + kind - depth })
    }
}

/// Splits a name into words (`customerId`, `customer_id`) and looks for the surest.
fn score_of_name(path: &FieldPath) -> i32 {
    let words = words_of(path.name().unwrap_or(""));
    if words.iter().any(|word| MOVING_WORDS.contains(&word.as_str())) {
        return MOVING;
    }
    let score =
        |word: &String| KEY_WORDS.iter().find(|(known, _)| known == word).map_or(0, |(_, score)| *score);
    let surest = words.iter().map(score).max().unwrap_or(0);
    // `id` is the record's own; `customer_id` may be another's.
    if words.len() == 1 && surest > 0 { surest + 10 } else { surest }
}

fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let is_new = !c.is_alphanumeric() || (c.is_uppercase() && was_lower);
        if is_new && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words
}

/// The score of a field of integers, and whether they are instants; `None` where they are measures.
fn score_of_integers(field: &FieldProfile, name: i32) -> Option<(i32, bool)> {
    let numbers = field.numbers.as_ref()?;
    let is_epoch = numbers.epochs.iter().any(|count| *count * 10 > numbers.count * 9);
    if is_epoch && name < 20 {
        return Some((-20, true));
    }
    // Without a name that says so, unique integers are measures, unless they simply count up.
    let is_sequence = numbers.min >= 0.0 && numbers.max - numbers.min < 2.0 * numbers.count as f64;
    match (name >= 14, is_sequence, numbers.negative) {
        (true, _, 0) => Some((10, false)),
        (false, true, 0) => Some((2, false)),
        _ => None,
    }
}

/// The score of a field of strings, and whether they are instants; `None` where they are texts or measures.
fn score_of_strings(field: &FieldProfile) -> Option<(i32, bool)> {
    let strings = field.strings.as_ref()?;
    let (format, share) = strings.dominant_format()?;
    if strings.empty > 0 || strings.lengths.quantile(0.5)? > LONGEST_KEY {
        return None;
    }
    if format.is_instant() && share > 0.5 {
        return Some((-20, true));
    }
    let score = match format {
        Format::Uuid | Format::Ulid | Format::PrefixedId => 24,
        Format::Hex | Format::IntegerText | Format::ZeroPaddedText => 14,
        Format::UpperWord | Format::LowerWord | Format::Word => 12,
        Format::Email | Format::Hostname | Format::Url | Format::IpAddress => 8,
        Format::Text | Format::Version | Format::DecimalText | Format::Color | Format::Base64 => 2,
        _ => return None,
    };
    Some((score, false))
}

/// Whether these fields tell all sampled records apart.
fn are_unique(profile: &Profile, paths: &[&FieldPath]) -> bool {
    let mut seen = BTreeSet::new();
    profile.entities.records.values().all(|record| match identity(record, paths) {
        Some(identity) => seen.insert(identity),
        None => false,
    })
}

fn identity(record: &SampledRecord, paths: &[&FieldPath]) -> Option<Vec<String>> {
    let part = |path: &&FieldPath| match record.0.get(*path)? {
        SampleValue::Number(_, written) => Some(written.clone()),
        SampleValue::Text { hash, .. } => Some(format!("{hash:016x}")),
        SampleValue::Null | SampleValue::Bool(_) | SampleValue::Container(..) => None,
    };
    paths.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::HashKey,
        profile::{ProfileOptions, Profiler},
    };

    fn keys(records: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new([3; 16])));
        records.into_iter().for_each(|record| profiler.record(record.as_bytes()));
        let name = |spec: KeySpec| spec.paths.iter().map(ToString::to_string).collect::<Vec<_>>().join("+");
        find_keys(&profiler.finish()).into_iter().map(name).collect()
    }

    #[test]
    fn an_id_is_found_before_what_is_merely_unique() {
        let record = |i: u64| {
            format!(
                r#"{{"created_at": "2024-01-01T00:{:02}:{:02}Z", "amount": {}, "email": "u{i}@example.org",
                    "id": {}, "rank": {i}, "status": "open", "score": {}.5, "tags": ["t{i}"]}}"#,
                i / 60,
                i % 60,
                i * 37 + 11,
                i * 1000 + 7,
                i
            )
        };
        assert_eq!(keys((0..600).map(record)), ["$.id", "$.email"]);
    }

    #[test]
    fn a_pair_where_no_single_field_fits() {
        let record = |i: u64| {
            format!(
                r#"{{"date": "2024-01-{:02}", "region_code": "R{}", "cases": {}}}"#,
                i / 20 + 1,
                i % 20,
                i * 7 % 13
            )
        };
        assert_eq!(keys((0..200).map(record)), ["$.region_code+$.date"]);
    }

    #[test]
    fn no_key_is_better_than_a_wrong_one() {
        let series = |i: u64| format!(r#"{{"temp": {i}.5, "at": {}}}"#, 1_700_000_000 + i);
        assert_eq!(keys((0..100).map(series)), ["$.at"], "a series has nothing else");
        let updated = |i: u64| format!(r#"{{"temp": {i}.5, "updated_at": {}}}"#, 1_700_000_000 + i);
        assert!(keys((0..100).map(updated)).is_empty());
        assert!(keys((0..100).map(|_| r#"{"id": 1}"#.to_owned())).is_empty());
    }
}
