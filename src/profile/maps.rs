//! Objects that are really maps: their keys are data (ids, dates, locales), so a new key is no new field.
//!
//! What is stored is decided by a rule that more data can only confirm (so many keys, or so many that look like data),
//! and so in the same way whatever the partition of the data. What is compared is decided by [`align`] from what both
//! sides saw, with rules that more data may refute, and alike for both.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{FieldProfile, Format, Profile, variants};
use crate::model::{FieldPath, JsonType, Step};

/// No object has more fields than this; with more distinct keys it is a map. The widest tables in the wild (surveys,
/// customer systems) have some 800 columns.
pub(super) const MAX_KEYS: usize = 1024;
/// With so many distinct keys that look like data, it is a map. Fewer may be chosen by a designer: image sizes,
/// versions, years of a report.
const MANY_DATA_KEYS: usize = 16;

/// With so many distinct keys that no designer would choose (days, UUIDs, addresses), it is a map.
const MANY_SURE_KEYS: usize = 4;

/// How many distinct keys an object has, and what they look like.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeyCounts {
    all: usize,
    data: usize,
    sure: usize,
}

impl KeyCounts {
    /// Counts one more key.
    pub(super) fn add(&mut self, key: &str) {
        let kind = KeyKind::of(key);
        self.all += 1;
        self.data += usize::from(kind != KeyKind::Name);
        self.sure += usize::from(kind == KeyKind::SurelyData);
    }

    /// Takes a key back.
    pub(super) fn remove(&mut self, key: &str) {
        let kind = KeyKind::of(key);
        self.all -= 1;
        self.data -= usize::from(kind != KeyKind::Name);
        self.sure -= usize::from(kind == KeyKind::SurelyData);
    }

    /// Whether an object with such keys is a map, whatever else is seen of it.
    pub(super) const fn are_data(&self) -> bool {
        self.all > MAX_KEYS || self.data >= MANY_DATA_KEYS || self.sure >= MANY_SURE_KEYS
    }
}

/// What a key looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    /// The name of a field.
    Name,
    /// Data, or a name that a designer may choose: a year, a size, a version.
    Data,
    /// Data.
    SurelyData,
}

impl KeyKind {
    fn of(key: &str) -> Self {
        match Format::of(key) {
            Format::DateTimeZ
            | Format::DateTimeFractionZ
            | Format::DateTimeOffset
            | Format::DateTimeLocal
            | Format::DateTimeSpace
            | Format::Date
            | Format::DateOther
            | Format::EpochSeconds
            | Format::EpochMillis
            | Format::Uuid
            | Format::Ulid
            | Format::Email
            | Format::Url
            | Format::IpAddress => Self::SurelyData,
            Format::Time
            | Format::IntegerText
            | Format::ZeroPaddedText
            | Format::DecimalText
            | Format::Hex
            | Format::Version
            | Format::PrefixedId => Self::Data,
            Format::LowerWord | Format::UpperWord | Format::Word if is_locale(key) || is_numbered(key) => {
                Self::Data
            }
            _ => Self::Name,
        }
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
    let mut keys: BTreeMap<&[Step], KeyCounts> = BTreeMap::new();
    for path in fields.keys() {
        if let Some((Step::Key(key), parent)) = path.steps().split_last() {
            keys.entry(parent).or_default().add(key);
        }
    }
    keys.into_iter().map(|(parent, counts)| (FieldPath::new(parent.to_vec()), counts)).find_map(
        |(path, counts)| {
            let is_known = fields.get(&path).is_some_and(|field| field.is_map);
            (is_known || counts.are_data()).then_some(path)
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
    variants::join(&mut profile.variants, path);
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

/// Two profiles in which the same objects are maps, for comparison: an object whose keys are data is joined in both,
/// also where one of them alone, or only both together, can tell.
#[must_use]
pub fn align<'a>(one: &'a Profile, other: &'a Profile) -> (Cow<'a, Profile>, Cow<'a, Profile>) {
    let (mut one, mut other) = (Cow::Borrowed(one), Cow::Borrowed(other));
    // A join may make maps further down, so the search starts again after each.
    while let Some(path) = first_map_of_both(&one, &other) {
        for profile in [&mut one, &mut other] {
            if is_unjoined(profile, &path) {
                let profile = profile.to_mut();
                join(profile, &path);
                normalise(profile);
            }
        }
    }
    (one, other)
}

/// Whether values of a path are profiled by their keys.
fn is_unjoined(profile: &Profile, path: &FieldPath) -> bool {
    members(profile, path).next().is_some()
}

/// The members of an object, by key.
fn members<'a>(
    profile: &'a Profile,
    path: &'a FieldPath,
) -> impl Iterator<Item = (&'a str, &'a FieldPath, &'a FieldProfile)> {
    let depth = path.steps().len();
    below(&profile.fields, path).filter(move |found| found.steps().len() == depth + 1).filter_map(|found| {
        match found.steps().last() {
            Some(Step::Key(key)) => Some((&**key, found, profile.fields.get(found)?)),
            Some(Step::Each | Step::Index(_)) | None => None,
        }
    })
}

/// The uppermost object that has its values apart on some side and is a map by what both sides saw.
fn first_map_of_both(one: &Profile, other: &Profile) -> Option<FieldPath> {
    let paths: BTreeSet<&FieldPath> = one.fields.keys().chain(other.fields.keys()).collect();
    let is_map_to_join = |path: &&&FieldPath| {
        let sides = [one, other];
        let is_map = sides.iter().any(|side| side.fields.get(**path).is_some_and(|field| field.is_map));
        sides.iter().any(|side| is_unjoined(side, path)) && (is_map || Members::of(sides, path).are_data())
    };
    paths.iter().find(is_map_to_join).map(|path| (**path).clone())
}

/// What two profiles tell of the members of one object.
#[derive(Default)]
struct Members<'a> {
    /// By key: how often it was there on each side.
    present: BTreeMap<&'a str, [u64; 2]>,
    keys: KeyCounts,
    /// How many objects were seen on each side.
    objects: [u64; 2],
    /// The types of the values, nulls apart, integers and other numbers as one.
    types: BTreeSet<JsonType>,
    /// For values that are objects: how many were found under the keys, and the names of their fields.
    inner_fields: usize,
    inner_names: BTreeSet<&'a str>,
    inner_objects: usize,
}

impl<'a> Members<'a> {
    fn of(sides: [&'a Profile; 2], path: &'a FieldPath) -> Self {
        let mut all = Self::default();
        for (side, profile) in sides.into_iter().enumerate() {
            all.objects[side] = profile.fields.get(path).map_or(0, |field| field.types.get(JsonType::Object));
            for (key, path, field) in members(profile, path) {
                if !all.present.contains_key(key) {
                    all.keys.add(key);
                }
                all.present.entry(key).or_default()[side] = field.present;
                let one_number = |t| if t == JsonType::Integer { JsonType::Number } else { t };
                all.types.extend(field.types.seen().map(one_number));
                if field.types.get(JsonType::Object) > 0 {
                    all.inner_objects += 1;
                    for (name, ..) in members(profile, path) {
                        all.inner_fields += 1;
                        all.inner_names.insert(name);
                    }
                }
            }
        }
        all
    }

    /// Whether the keys are data.
    fn are_data(&self) -> bool {
        let count = self.present.len();
        if count < 2 {
            return false;
        }
        // Days and UUIDs alone: nothing else is asked.
        if self.keys.sure == count {
            return true;
        }
        if !self.are_alike() {
            return false;
        }
        let mostly_data = count >= 8 && self.keys.data * 5 >= count * 4;
        (mostly_data && (self.mean_presence() <= 0.5 || self.churn() >= 0.25)) || self.keep_coming()
    }

    /// Whether all values are of one type, and objects mostly have the same fields.
    fn are_alike(&self) -> bool {
        let same_fields = self.inner_fields * 2 >= self.inner_names.len() * self.inner_objects;
        self.types.len() == 1 && same_fields
    }

    /// In which share of the objects a key is, on average.
    fn mean_presence(&self) -> f64 {
        let present: u64 = self.present.values().flatten().sum();
        let places = self.objects.iter().sum::<u64>() * self.present.len() as u64;
        present as f64 / places.max(1) as f64
    }

    /// The share of keys that are on one side alone, where both sides have objects.
    fn churn(&self) -> f64 {
        if self.objects.contains(&0) {
            return 0.0;
        }
        let on_one_side = self.present.values().filter(|present| present.contains(&0)).count();
        on_one_side as f64 / self.present.len() as f64
    }

    /// Whether names come from an open set (users, packages, tags): many, none in nearly every object, and at least a
    /// third of them seen only once. By Good and Turing, the share of values seen once is how likely the next is new; in
    /// an object with many optional fields it goes to zero.
    fn keep_coming(&self) -> bool {
        let objects: u64 = self.objects.iter().sum();
        let counts = || self.present.values().map(|present| present.iter().sum::<u64>());
        let once = counts().filter(|count| *count == 1).count();
        self.present.len() >= 16
            && objects >= 8
            && once * 3 >= self.present.len()
            && counts().all(|count| count * 10 <= objects * 9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::HashKey,
        profile::{ProfileOptions, Profiler},
    };

    #[test]
    fn keys_that_are_data() {
        for key in ["2020-03-31", "10023", "en-US", "123e4567-e89b-12d3-a456-426614174000", "Q4115189"] {
            assert_ne!(KeyKind::of(key), KeyKind::Name, "{key}");
        }
        for key in ["id", "created_at", "address2", "utf8", "en", "US", "total_1h", "field_12"] {
            assert_eq!(KeyKind::of(key), KeyKind::Name, "{key}");
        }
    }

    fn profile(records: impl IntoIterator<Item = String>) -> Profile {
        let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new([3; 16])));
        records.into_iter().for_each(|record| profiler.record(record.as_bytes()));
        profiler.finish()
    }

    /// Whether `$.m` is a map in both after aligning.
    fn aligned(before: impl IntoIterator<Item = String>, after: impl IntoIterator<Item = String>) -> bool {
        let (before, after) = (profile(before), profile(after));
        let (one, other) = align(&before, &after);
        let path = "$.m".parse().unwrap();
        let maps = [one, other].map(|profile| profile.fields[&path].is_map);
        assert_eq!(maps[0], maps[1]);
        maps[0]
    }

    #[test]
    fn both_sides_agree_on_what_is_a_map() {
        let day = |i: u64| format!(r#"{{"m": {{"2024-01-{:02}": {{"v": {i}}}}}}}"#, i % 28 + 1);
        assert!(aligned((0..1).map(day), (1..2).map(day)), "days are never fields");
        let name = |i: u64| {
            format!(r#"{{"m": {{"user{}": 1, "name{}": 2}}}}"#, (b'a' + i as u8 % 26) as char, i * 7 % 300)
        };
        assert!(aligned((0..100).map(name), (100..200).map(name)), "names keep coming");
        let size = |_| r#"{"m": {"16x16": "a", "24x24": "b", "32x32": "c"}}"#.to_owned();
        let fewer = |_| r#"{"m": {"16x16": "a", "24x24": "b"}}"#.to_owned();
        assert!(!aligned((0..50).map(size), (0..50).map(fewer)), "sizes are chosen by a designer");
        let optional = |i: u64| format!(r#"{{"m": {{"field_{}": 1, "size_{}": 2}}}}"#, i % 20, i * 3 % 17);
        assert!(
            !aligned((0..400).map(optional), (0..400).map(optional)),
            "optional fields do not keep coming"
        );
    }
}
