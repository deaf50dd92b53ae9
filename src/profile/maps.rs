//! Objects that are really maps: their keys are data (ids, dates, locales), so a new key is no new field.
//!
//! What is stored is decided by a rule that more data can only confirm (so many keys, or so many that look like data),
//! and so in the same way whatever the partition of the data.

use std::collections::{BTreeMap, BTreeSet};

use super::{FieldProfile, Format, Profile};
use crate::model::{FieldPath, JsonType, Step};

/// No object has more fields than this; with more distinct keys it is a map. The widest tables in the wild (surveys,
/// customer systems) have some 800 columns.
pub(super) const MAX_KEYS: usize = 1024;
/// With so many distinct keys that look like data, it is a map. Fewer may be chosen by a designer: image sizes,
/// versions, years of a report.
const MANY_DATA_KEYS: usize = 16;

/// Whether an object with so many distinct keys, so many of which look like data, is a map.
pub(super) const fn is_map(keys: usize, data_keys: usize) -> bool {
    keys > MAX_KEYS || data_keys >= MANY_DATA_KEYS
}

/// Whether a key looks like data rather than like the name of a field.
pub(super) fn looks_like_data(key: &str) -> bool {
    match Format::of(key) {
        Format::DateTimeZ
        | Format::DateTimeFractionZ
        | Format::DateTimeOffset
        | Format::DateTimeLocal
        | Format::DateTimeSpace
        | Format::Date
        | Format::DateOther
        | Format::Time
        | Format::EpochSeconds
        | Format::EpochMillis
        | Format::IntegerText
        | Format::ZeroPaddedText
        | Format::DecimalText
        | Format::Uuid
        | Format::Ulid
        | Format::Hex
        | Format::Email
        | Format::Url
        | Format::IpAddress
        | Format::Version
        | Format::PrefixedId => true,
        Format::LowerWord | Format::UpperWord | Format::Word => is_locale(key) || is_numbered(key),
        _ => false,
    }
}

/// `en-US`, `pt_BR`.
fn is_locale(key: &str) -> bool {
    matches!(key.as_bytes(), [a, b, b'-' | b'_', c, d]
        if a.is_ascii_lowercase() && b.is_ascii_lowercase() && c.is_ascii_uppercase() && d.is_ascii_uppercase())
}

/// Most of it is digits, and at least four are: `Q4115189`, `user:10023`.
fn is_numbered(key: &str) -> bool {
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    digits >= 4 && digits * 2 > key.len()
}

/// Joins the values of every map under `[*]`, and works out the parents of every field.
///
/// From the top down, and again after each join: what was joined may have grown to a map itself.
pub(super) fn normalise(profile: &mut Profile) {
    while let Some(path) = first_unjoined_map(&profile.fields) {
        join(profile, &path);
    }
    find_parents(profile);
}

/// The first object in the order of paths, so the uppermost, that is a map and has its values apart.
fn first_unjoined_map(fields: &BTreeMap<FieldPath, FieldProfile>) -> Option<FieldPath> {
    let mut keys: BTreeMap<&[Step], (usize, usize)> = BTreeMap::new();
    for path in fields.keys() {
        if let Some((Step::Key(key), parent)) = path.steps().split_last() {
            let (all, data) = keys.entry(parent).or_default();
            *all += 1;
            *data += usize::from(looks_like_data(key));
        }
    }
    keys.into_iter().map(|(parent, counts)| (FieldPath::new(parent.to_vec()), counts)).find_map(
        |(path, (all, data))| {
            let is_known = fields.get(&path).is_some_and(|field| field.is_map);
            (is_known || is_map(all, data)).then_some(path)
        },
    )
}

/// Everything below a path, the path itself apart. The order of paths is that of their steps, so it is one range.
fn below<'a>(
    fields: &'a BTreeMap<FieldPath, FieldProfile>,
    path: &'a FieldPath,
) -> impl Iterator<Item = &'a FieldPath> {
    fields.range(path..).map(|(found, _)| found).skip(1).take_while(move |found| found.starts_with(path))
}

/// Joins all values of the object at `path` under `[*]`.
fn join(profile: &mut Profile, path: &FieldPath) {
    let depth = path.steps().len();
    let keyed: BTreeSet<FieldPath> = below(&profile.fields, path)
        .filter(|found| matches!(found.steps().get(depth), Some(Step::Key(_))))
        .cloned()
        .collect();
    for old in keyed {
        let Some(field) = profile.fields.remove(&old) else { continue };
        let mut steps = old.steps().to_vec();
        steps[depth] = Step::Each;
        profile.fields.entry(FieldPath::new(steps)).or_default().merge(&field);
    }
    if let Some(field) = profile.fields.get_mut(path) {
        field.is_map = true;
    }
    // One record may hold many of what is now one field.
    for record in profile.entities.records.values_mut() {
        record.0.retain(|found, _| found == path || !found.starts_with(path));
    }
}

/// A field's parents are the objects seen one step up. Elements, map values and records are their own, and have no
/// place among members.
fn find_parents(profile: &mut Profile) {
    let objects: BTreeMap<FieldPath, u64> = profile
        .fields
        .iter()
        .map(|(path, field)| (path.clone(), field.types.get(JsonType::Object)))
        .collect();
    for (path, field) in &mut profile.fields {
        field.parents = match path.steps().last() {
            Some(Step::Key(_)) => {
                path.parent().and_then(|parent| objects.get(&parent)).copied().unwrap_or(field.present)
            }
            Some(Step::Each | Step::Index(_)) | None => {
                field.position_sum = 0;
                field.present
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_data() {
        for key in ["2020-03-31", "10023", "en-US", "123e4567-e89b-12d3-a456-426614174000", "Q4115189"] {
            assert!(looks_like_data(key), "{key}");
        }
        for key in ["id", "created_at", "address2", "utf8", "en", "US", "total_1h", "field_12"] {
            assert!(!looks_like_data(key), "{key}");
        }
    }
}
