//! What every lane of a comparison is given: the two sides of one field, and what is known around them.

use super::{course::Course, pairs::Pairs, peers::Peers, variation::Variation};
use crate::model::{Change, ChangeKind, Facts, FieldPath};
use crate::profile::{FieldProfile, Order, Profile, SampleValue, SampledRecord};

/// The chance of a false alarm that the tests of one comparison may have, shared out among its fields (C. Bonferroni):
/// one in five hundred. A stream compared every hour, 8,760 times a year, would be wrong 17 times by its p-values alone;
/// most lanes also ask for an effect that chance hardly has, and a finding must hold against the nearest window. A field
/// passes through several lanes, of which the first that fits speaks; those that ask for less than this say why.
pub(super) const FAMILY_ALPHA: f64 = 0.002;

/// Below this support a lane about values says nothing: with fewer values even a share of one half is uncertain by
/// more than a fifth.
pub(super) const MIN_SUPPORT: u64 = 20;

/// What is known around a field.
pub(super) struct Context<'a> {
    /// The recorded profile.
    pub base: &'a Profile,
    /// The profile of the window.
    pub live: &'a Profile,
    /// The sampled records of the window with their places, in the order in which they came, where it is known.
    pub rows: Vec<(u64, &'a SampledRecord)>,
    /// Entities seen in both.
    pub pairs: Pairs<'a>,
    /// How the fields of the baseline vary by themselves.
    pub variation: &'a Variation,
    /// How far all fields moved together.
    pub course: Course,
    /// The fields that left those that they used to hang together with.
    pub peers: Peers,
    /// The p-value that one test must stay below.
    pub alpha: f64,
}

/// One field that both sides have.
pub(super) struct Lane<'a> {
    pub ctx: &'a Context<'a>,
    pub path: &'a FieldPath,
    pub base: &'a FieldProfile,
    pub live: &'a FieldProfile,
}

/// The sampled records of a window with their places, in the order in which they came.
pub(super) fn in_order<'a>(profile: &'a Profile, order: &Order) -> Vec<(u64, &'a SampledRecord)> {
    let placed = profile.entities.records.iter();
    let mut rows: Vec<(u64, &SampledRecord)> =
        placed.filter_map(|(key, record)| Some((*order.0.get(key)?, record))).collect();
    rows.sort_by_key(|(place, _)| *place);
    rows
}

impl<'a> Context<'a> {
    /// The facts that every change of a field carries.
    pub(super) fn facts(&self, base: Option<&FieldProfile>, live: Option<&FieldProfile>) -> Facts {
        let mut facts =
            Facts::new().with("baseline_records", self.base.records).with("live_records", self.live.records);
        if let Some(base) = base {
            facts.set("baseline_support", base.parents);
        }
        if let Some(live) = live {
            facts.set("live_support", live.parents);
        }
        facts
    }
}

impl<'a> Lane<'a> {
    /// A change of this field.
    pub(super) fn change(&self, kind: ChangeKind, more: Facts) -> Change {
        let mut facts = self.ctx.facts(Some(self.base), Some(self.live));
        facts.extend(more);
        Change { kind, path: self.path.clone(), to: Vec::new(), facts }
    }

    /// How often the baseline's own sub-windows differ from each other, relative to chance: 1 for exchangeable ones.
    pub(super) fn spread(&self) -> f64 {
        self.ctx.variation.field(self.path).map_or(1.0, |field| field.dispersion)
    }

    /// Whether the baseline's own parts are samples of one population, as far as they tell: then chance is all that
    /// sets two windows apart.
    pub(super) fn is_exchangeable(&self) -> bool {
        self.ctx.variation.field(self.path).is_none_or(|v| v.exchangeable)
    }

    /// Whether the values come in runs, in the order of the records.
    pub(super) fn is_in_runs(&self) -> bool {
        self.ctx.variation.field(self.path).is_some_and(|v| v.in_runs)
    }

    /// Whether most entities had another value here from one quiet window to the next.
    pub(super) fn moves_by_itself(&self) -> bool {
        self.ctx.variation.field(self.path).is_some_and(|v| v.restless > 0.5)
    }

    /// The same of presence and nulls.
    pub(super) fn share_spread(&self) -> f64 {
        self.ctx.variation.field(self.path).map_or(1.0, |field| field.shares.max(1.0))
    }

    /// The same of how strings are written; elements of one list are no samples of their own, so that each list counts
    /// once (the design effect of clusters is their mean size at most).
    pub(super) fn form_spread(&self) -> f64 {
        let forms = self.ctx.variation.field(self.path).map_or(1.0, |field| field.forms.max(1.0));
        let lists = self.ctx.base.records.min(self.ctx.live.records).max(1) as f64;
        let size = if self.path.is_repeated() {
            self.base.present.min(self.live.present) as f64 / lists
        } else {
            1.0
        };
        forms.max(self.share_spread()) * size.max(1.0)
    }

    /// Whether a distance is a change of its own where the field varies by itself: four times as far as it goes, and a
    /// third of the values more. Twice is what a walk goes in four times as many steps; a window is twice a half.
    pub(super) fn dwarfs(&self, distance: f64) -> bool {
        let natural = self.ctx.variation.field(self.path).map_or(0.0, super::FieldVariation::reach);
        self.ctx.variation.is_known() && distance >= 4.0 * natural && distance >= 0.35
    }

    /// The p-value of two counts, the sizes reduced by the field's own dispersion (an effective sample size).
    pub(super) fn fisher(&self, base: (u64, u64), live: (u64, u64)) -> f64 {
        self.fisher_by(self.share_spread(), base, live)
    }

    /// The same for a dispersion.
    pub(super) fn fisher_by(&self, by: f64, base: (u64, u64), live: (u64, u64)) -> f64 {
        let less = |count: u64| (count as f64 / by).round() as u64;
        super::stats::fisher(less(base.0), less(base.1), less(live.0), less(live.1))
    }

    /// The values of this field in the sampled records of the window, in the order in which they came, where it is known.
    pub(super) fn values_in_order(&self) -> impl Iterator<Item = Option<&'a SampleValue>> {
        self.ctx.rows.iter().map(|(_, record)| record.0.get(self.path))
    }

    /// The values of this field in sampled records of one side, as a sample of records.
    pub(super) fn sample(profile: &'a Profile, path: &'a FieldPath) -> impl Iterator<Item = &'a SampleValue> {
        profile.entities.records.values().filter_map(move |record| record.0.get(path))
    }
}

/// The parts of a field's name in lower case: `repositoryID` and `repository_id` are both `repository`, `id`.
#[must_use]
pub fn name_words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|j| chars.get(j));
        let after = chars.get(i + 1);
        let starts = c.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
                || (before.is_some_and(|b| b.is_uppercase()) && after.is_some_and(|a| a.is_lowercase())));
        if (starts || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        for name in ["repository_id", "repositoryId", "RepositoryID", "repository-id"] {
            assert_eq!(name_words(name), ["repository", "id"], "{name}");
        }
        assert_eq!(name_words("HTTPServer2Go"), ["http", "server2", "go"]);
        assert!(name_words("").is_empty());
    }
}
