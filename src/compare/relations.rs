//! Relations between fields: what holds between columns tells a column whatever its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pairs::{MIN_PAIRS, as_number};
use crate::model::FieldPath;
use crate::profile::{Profile, SampleValue, SampledRecord};

/// One field follows from others, entity by entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// `path` is what `of` grew by since the window before.
    Growth {
        /// The difference.
        path: FieldPath,
        /// The level.
        of: FieldPath,
    },
    /// `path` is the sum of two others of the same record.
    Sum {
        /// The sum.
        path: FieldPath,
        /// The parts.
        of: (FieldPath, FieldPath),
    },
}

/// More numeric fields than this are not searched: the cost grows with their cube.
const MAX_FIELDS: usize = 40;
/// Nine of ten entities must agree; publishers correct single figures.
const AGREEING: f64 = 0.9;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

/// The values of every numeric field by sampled record; fields that hardly vary prove nothing and are left out.
fn columns<'a>(records: impl Iterator<Item = &'a SampledRecord>) -> BTreeMap<FieldPath, Vec<Option<f64>>> {
    let mut columns: BTreeMap<FieldPath, Vec<Option<f64>>> = BTreeMap::new();
    let mut rows = 0;
    for record in records {
        for (path, value) in &record.0 {
            let SampleValue::Number(number, _) = value else { continue };
            if !columns.contains_key(path) {
                columns.insert(path.clone(), Vec::new());
            }
            if let Some(column) = columns.get_mut(path) {
                column.resize(rows, None);
                column.push(Some(*number));
            }
        }
        rows += 1;
    }
    columns.retain(|_, column| {
        column.resize(rows, None);
        let mut values: Vec<f64> = column.iter().flatten().copied().collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values.len() >= 5
    });
    columns
}

/// How many rows there are to judge by, and how many hold; rows of zeros alone prove nothing.
fn holds(rows: impl Iterator<Item = (f64, f64)>) -> bool {
    let (mut all, mut good) = (0_usize, 0_usize);
    for (seen, expected) in rows {
        if seen == 0.0 && expected == 0.0 {
            continue;
        }
        all += 1;
        good += usize::from(near(seen, expected));
    }
    all >= MIN_PAIRS && good as f64 >= AGREEING * all as f64
}

/// Fields of the later profile that are the growth of a field since the earlier one. `names` gives the path in the
/// earlier profile of a field of the later one, for fields that were renamed in between.
#[must_use]
pub fn relations_between(
    earlier: &Profile,
    later: &Profile,
    names: &BTreeMap<FieldPath, FieldPath>,
) -> Vec<Relation> {
    let pairs = super::Pairs::of(earlier, later);
    let before = columns(pairs.records.iter().map(|(b, _)| *b));
    let after = columns(pairs.records.iter().map(|(_, a)| *a));
    growths(&before, &after, names)
}

fn growths(
    before: &BTreeMap<FieldPath, Vec<Option<f64>>>,
    after: &BTreeMap<FieldPath, Vec<Option<f64>>>,
    names: &BTreeMap<FieldPath, FieldPath>,
) -> Vec<Relation> {
    let mut found = Vec::new();
    for (of, now) in after.iter().take(MAX_FIELDS) {
        let Some(then) = before.get(names.get(of).unwrap_or(of)) else { continue };
        for (path, growth) in after.iter().take(MAX_FIELDS) {
            let rows = growth
                .iter()
                .zip(now.iter().zip(then))
                .filter_map(|(g, (n, t))| Some(((*g)?, (*n)? - (*t)?)));
            if path != of && holds(rows) {
                found.push(Relation::Growth { path: path.clone(), of: of.clone() });
            }
        }
    }
    found
}

/// Relations inside of one profile: sums of two fields, and growth from one record of an entity to its next, where
/// the key holds an instant beside the entity.
#[must_use]
pub fn relations_within(profile: &Profile) -> Vec<Relation> {
    let all = columns(profile.entities.records.values());
    let mut found = Vec::new();
    let paths: Vec<&FieldPath> = all.keys().take(MAX_FIELDS).collect();
    for path in &paths {
        for (i, one) in paths.iter().enumerate() {
            for other in &paths[i + 1..] {
                if path == one || path == other {
                    continue;
                }
                let rows = all[*path]
                    .iter()
                    .zip(all[*one].iter().zip(&all[*other]))
                    .filter_map(|(s, (a, b))| Some(((*s)?, a.as_ref()?, b.as_ref()?)))
                    // A part of zero makes the sum equal to the other part, which proves nothing.
                    .filter(|(_, a, b)| **a != 0.0 && **b != 0.0)
                    .map(|(s, a, b)| (s, a + b));
                if holds(rows) {
                    found.push(Relation::Sum {
                        path: (*path).clone(),
                        of: ((*one).clone(), (*other).clone()),
                    });
                }
            }
        }
    }
    found.extend(growth_within(profile));
    found.sort();
    found
}

fn growth_within(profile: &Profile) -> Vec<Relation> {
    let is_instant = |path: &&FieldPath| {
        profile.entities.records.values().take(3).all(|record| match record.0.get(*path) {
            Some(SampleValue::Text { format, number, .. }) => format.is_instant() && number.is_some(),
            _ => false,
        })
    };
    // Without a key each record may be the next of one and the same entity, if an instant tells them apart.
    let key: Vec<FieldPath> = match &profile.entities.key {
        Some(key) => key.paths.clone(),
        None => {
            let unique = |path: &&FieldPath| {
                let instants: Vec<i64> = profile
                    .entities
                    .records
                    .values()
                    .filter_map(|r| r.0.get(*path).and_then(as_number))
                    .map(|at| at as i64)
                    .collect();
                let all: std::collections::BTreeSet<i64> = instants.iter().copied().collect();
                all.len() as u64 == profile.records
            };
            profile.fields.keys().filter(is_instant).find(unique).cloned().into_iter().collect()
        }
    };
    let Some(clock) = key.iter().find(is_instant).cloned() else { return Vec::new() };
    let mut by_entity: BTreeMap<Vec<u64>, Vec<(i64, &SampledRecord)>> = BTreeMap::new();
    for record in profile.entities.records.values() {
        let entity = key
            .iter()
            .filter(|path| **path != clock)
            .map(|path| match record.0.get(path) {
                Some(SampleValue::Text { hash, .. }) => *hash,
                Some(SampleValue::Number(number, _)) => number.to_bits(),
                _ => 0,
            })
            .collect();
        if let Some(at) = record.0.get(&clock).and_then(as_number) {
            by_entity.entry(entity).or_default().push((at as i64, record));
        }
    }
    let (mut earlier, mut later) = (Vec::new(), Vec::new());
    for records in by_entity.values_mut() {
        records.sort_by_key(|(at, _)| *at);
        for two in records.windows(2) {
            earlier.push(two[0].1);
            later.push(two[1].1);
        }
    }
    growths(&columns(earlier.into_iter()), &columns(later.into_iter()), &BTreeMap::new())
}
