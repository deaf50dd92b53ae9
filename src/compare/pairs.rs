//! Entities that were sampled on both sides.

use crate::model::FieldPath;
use crate::profile::{Entities, Profile, SampleValue, SampledRecord};

/// The records of the same entities, before and after.
#[derive(Default)]
pub struct Pairs<'a> {
    /// Before and after, in the order of the key's hash.
    pub records: Vec<(&'a SampledRecord, &'a SampledRecord)>,
    /// Which share of the live sample has a partner.
    pub share: f64,
    /// Which share of the earlier sample has one, as far as the live sample reaches: whether they are all still there,
    /// however many came besides.
    pub kept: f64,
}

/// Fewer pairs than this prove nothing: a coincidence of two or three values is common, of eight is not.
pub const MIN_PAIRS: usize = 8;

impl<'a> Pairs<'a> {
    /// Pairs the samples of two profiles, where both have a key that tells entities apart.
    #[must_use]
    pub fn of(base: &'a Profile, live: &'a Profile) -> Self {
        let usable = |e: &Entities, records: u64| {
            // A key that comes twice in more than one record of twenty tells no entities.
            e.key.is_some() && e.repeated * 20 <= records.min(Entities::CAP as u64)
        };
        if base.entities.key != live.entities.key
            || !usable(&base.entities, base.records)
            || !usable(&live.entities, live.records)
        {
            return Self::default();
        }
        let records: Vec<_> = live
            .entities
            .records
            .iter()
            .filter_map(|(key, after)| base.entities.records.get(key).map(|before| (before, after)))
            .collect();
        let share = records.len() as f64 / live.entities.records.len().max(1) as f64;
        // The sample holds the smallest hashes: beyond the largest of a full one nothing is known.
        let reach = match live.entities.records.keys().next_back() {
            Some(last) if live.entities.records.len() >= Entities::CAP => *last,
            _ => u64::MAX,
        };
        let sought = base.entities.records.keys().take_while(|key| **key <= reach).count();
        let kept = records.len() as f64 / sought.max(1) as f64;
        Self { records, share, kept }
    }

    /// Whether both sides saw mostly the same entities: what differs then is the data, not the choice of records.
    #[must_use]
    pub fn same_population(&self) -> bool {
        let few_but_all = self.records.len() >= 4 && self.share >= 0.9;
        self.share >= 0.5 && self.records.len() >= MIN_PAIRS || few_but_all
    }

    /// Both values of a field (or of two), where both are there.
    pub fn values<'b>(
        &'b self,
        before: &'b FieldPath,
        after: &'b FieldPath,
    ) -> impl Iterator<Item = (&'a SampleValue, &'a SampleValue)> + 'b {
        self.records.iter().filter_map(move |(b, a)| Some((b.0.get(before)?, a.0.get(after)?)))
    }

    /// Whether the records seen on both sides do not tell which of two ways, each from a path before to a path after,
    /// keeps the values: of those that only one way keeps, neither has more than a toss of coins would give (the sign
    /// test of McNemar).
    #[must_use]
    pub fn tied(&self, one: (&FieldPath, &FieldPath), other: (&FieldPath, &FieldPath)) -> bool {
        let (mut ahead, mut behind) = (0_u64, 0_u64);
        for (before, after) in &self.records {
            let keeps = |(old, new): (&FieldPath, &FieldPath)| matches!((before.0.get(old), after.0.get(new)), (Some(b), Some(l)) if same_content(b, l));
            match (keeps(one), keeps(other)) {
                (true, false) => ahead += 1,
                (false, true) => behind += 1,
                _ => {}
            }
        }
        // One in twenty, on both sides: a wrong name for a field costs more than a question too many.
        2.0 * super::stats::binomial_at_least(ahead.max(behind), ahead + behind, 0.5) >= 0.05
    }

    /// Both values as numbers (or instants in Unix seconds).
    #[must_use]
    pub fn numbers(&self, before: &FieldPath, after: &FieldPath) -> Vec<(f64, f64)> {
        self.values(before, after).filter_map(|(b, a)| Some((as_number(b)?, as_number(a)?))).collect()
    }
}

/// A sampled value as a number, where it is one or says one.
#[must_use]
pub fn as_number(value: &SampleValue) -> Option<f64> {
    match value {
        SampleValue::Number(number, _) => Some(*number),
        SampleValue::Text { number, .. } => *number,
        SampleValue::Null | SampleValue::Bool(_) | SampleValue::Container(..) => None,
    }
}

/// Whether two sampled values are the same, numbers by value.
#[must_use]
pub fn equal(one: &SampleValue, other: &SampleValue) -> bool {
    match (one, other) {
        (SampleValue::Number(a, _), SampleValue::Number(b, _)) => {
            a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
        (SampleValue::Text { hash: a, .. }, SampleValue::Text { hash: b, .. }) => a == b,
        (SampleValue::Null, SampleValue::Null) => true,
        (SampleValue::Bool(a), SampleValue::Bool(b)) => a == b,
        (SampleValue::Container(a, n), SampleValue::Container(b, m)) => a == b && n == m,
        _ => false,
    }
}

/// Whether two sampled values say the same in perhaps another type or notation.
#[must_use]
pub fn same_content(one: &SampleValue, other: &SampleValue) -> bool {
    if equal(one, other) {
        return true;
    }
    if let (SampleValue::Text { folded: a, length: n, .. }, SampleValue::Text { folded: b, .. }) =
        (one, other)
        && a == b
        && *n > 0
    {
        return true;
    }
    match (as_number(one), as_number(other)) {
        (Some(a), Some(b)) => a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => false,
    }
}
