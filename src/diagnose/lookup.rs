//! What is looked up once for each old and each new path, and then held against many of the other side.

use std::collections::BTreeMap;

use super::names::Name;
use crate::compare::Pairs;
use crate::model::{FieldPath, JsonType, Step};
use crate::profile::{FieldProfile, Profile, SampleValue};

/// A path of one side, and what its side knows of it.
pub(super) struct Known<'a> {
    pub path: &'a FieldPath,
    pub parent: Option<FieldPath>,
    pub name: Name,
    /// The profile that knows the field.
    pub profile: &'a Profile,
    /// The field; `None` where the profile does not know it.
    pub field: Option<&'a FieldProfile>,
    /// The members before and behind it in its object.
    pub around: Around<'a>,
    /// Its values by entity seen on both sides.
    pub values: Vec<Option<&'a SampleValue>>,
    /// The paths inside of it, from it on, in their order; of objects.
    pub members: Vec<&'a [Step]>,
}

/// Which side of the pairs a path is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Old,
    New,
}

impl<'a> Known<'a> {
    pub(super) fn of(
        path: &'a FieldPath,
        profile: &'a Profile,
        neighbours: &Neighbours<'a>,
        pairs: &Pairs<'a>,
        side: Side,
    ) -> Self {
        let field = profile.fields.get(path);
        let record = |pair: &(&'a _, &'a _)| if side == Side::Old { pair.0 } else { pair.1 };
        let values = pairs.records.iter().map(|pair| {
            let record: &'a crate::profile::SampledRecord = record(pair);
            record.0.get(path)
        });
        let is_object = field.is_some_and(|f| f.types.get(JsonType::Object) > 0);
        let depth = path.steps().len();
        let inside = below(profile, path).filter(|(_, f)| is_object && f.present > 0);
        Self {
            path,
            parent: path.parent(),
            name: Name::of(path.name().unwrap_or_default()),
            profile,
            field,
            around: neighbours.around(path),
            values: values.collect(),
            members: inside.map(|(p, _)| &p.steps()[depth..]).collect(),
        }
    }
}

/// The fields inside of one, in the order of their paths.
pub(super) fn below<'a>(
    profile: &'a Profile,
    path: &'a FieldPath,
) -> impl Iterator<Item = (&'a FieldPath, &'a FieldProfile)> + Clone {
    // What begins with a path comes right behind it.
    profile
        .fields
        .range(path..)
        .take_while(move |(p, _)| p.starts_with(path))
        .filter(move |(p, _)| *p != path)
}

/// The member before a field and the one behind it.
pub(super) type Around<'a> = (Option<&'a FieldPath>, Option<&'a FieldPath>);

/// The members around each field of a profile, by their mean position in their object.
pub(super) struct Neighbours<'a>(BTreeMap<&'a FieldPath, Around<'a>>);

impl<'a> Neighbours<'a> {
    pub(super) fn of(profile: &'a Profile) -> Self {
        let mut objects: BTreeMap<&[Step], Vec<(f64, &FieldPath)>> = BTreeMap::new();
        for (path, field) in profile.fields.iter().filter(|(_, field)| field.present > 0) {
            if let Some((_, parent)) = path.steps().split_last() {
                let mean = field.position_sum as f64 / field.present.max(1) as f64;
                objects.entry(parent).or_default().push((mean, path));
            }
        }
        let mut neighbours = BTreeMap::new();
        for mut members in objects.into_values() {
            members.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
            let at = |at: Option<usize>| at.and_then(|at| members.get(at)).map(|(_, path)| *path);
            for (i, (_, path)) in members.iter().enumerate() {
                neighbours.insert(*path, (at(i.checked_sub(1)), at(Some(i + 1))));
            }
        }
        Self(neighbours)
    }

    /// The members around a field; none where it is not there.
    pub(super) fn around(&self, path: &FieldPath) -> Around<'a> {
        self.0.get(path).copied().unwrap_or_default()
    }
}
