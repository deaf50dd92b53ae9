//! What speaks for a new path holding what an old one held, as log-odds and as facts.

use super::names::{self, NameChange};
use crate::compare::{self, Pairs, Variation};
use crate::model::{Change, ChangeKind, Facts, FieldPath, JsonType};
use crate::profile::{FieldProfile, Profile, SampleValue};

/// The profiles that a pair of paths is looked up in.
pub(super) struct Sides<'a> {
    pub base: &'a Profile,
    pub live: &'a Profile,
    pub pairs: &'a Pairs<'a>,
    /// How the fields of the baseline vary by themselves.
    pub variation: &'a Variation,
}

/// A pair of an old and a new path, weighed.
#[derive(Debug, Clone)]
pub(super) struct Weighed {
    /// The log-odds that the new path holds what the old one held, before any is compared with its rivals.
    pub odds: f64,
    /// What they are made of.
    pub facts: Facts,
    /// What happened to the name.
    pub name: NameChange,
    /// The share of the records seen on both sides that kept their values, where it speaks for the pair.
    pub kept: Option<f64>,
    /// What happened to the values on the way, where it is more than the name.
    pub transform: Option<Change>,
}

/// What equal values of nearly all records seen on both sides weigh.
const EQUAL: f64 = 7.0;

/// Before any evidence an old and a new path of one window belong together once in thirty pairs.
const PRIOR: f64 = -3.5;

impl Weighed {
    /// The probability that the odds stand for, and no more than the share of values that were kept: where one in ten
    /// is another, so may be the field.
    pub(super) fn score(&self) -> f64 {
        let score = 1.0 / (1.0 + (-self.odds).exp());
        // A relation between columns that holds to the digit proves more than values that move with time.
        match self.kept {
            Some(share) if self.facts.get("relations").is_none() => score.min(share),
            _ => score,
        }
    }

    /// The log-odds without what equal values weigh: name, place, presence, relations.
    pub(super) fn beside_values(&self) -> f64 {
        self.odds - self.kept.map_or(0.0, |share| (3.0 + (EQUAL - 3.0) * (share - 0.5) / 0.4).min(EQUAL))
    }

    /// Adds a piece of evidence.
    pub(super) fn add(&mut self, name: &str, fact: impl Into<crate::model::Fact>, odds: f64) {
        self.facts.set(name, fact);
        self.odds += odds;
    }
}

/// Weighs one pair.
pub(super) fn weigh(sides: &Sides<'_>, old: &FieldPath, new: &FieldPath) -> Option<Weighed> {
    let (was, is) = (sides.base.fields.get(old)?, sides.live.fields.get(new)?);
    let mut weighed =
        Weighed { odds: PRIOR, facts: Facts::new(), name: NameChange::None, kept: None, transform: None };
    let is_object = |f: &FieldProfile| f.types.get(JsonType::Object) > 0;
    if is_object(was) != is_object(is) {
        return None;
    }
    names_and_place(&mut weighed, was, is, old, new);
    position(&mut weighed, sides, old, new);
    presence(&mut weighed, sides, (old, was), (new, is));
    if is_object(was) {
        inside(&mut weighed, sides, old, new);
    } else {
        let before = weighed.odds;
        values(&mut weighed, sides, (old, was), (new, is));
        // Values that move by themselves from one part of the baseline to the next speak against little.
        let moving = |v: &compare::FieldVariation| !v.exchangeable;
        if weighed.odds < before - 0.5 && sides.variation.field(old).is_some_and(moving) {
            weighed.odds = before - 0.5;
            weighed.transform = None;
        }
    }
    Some(weighed)
}

fn names_and_place(
    weighed: &mut Weighed,
    was: &FieldProfile,
    is: &FieldProfile,
    old: &FieldPath,
    new: &FieldPath,
) {
    let _ = (was, is);
    let (old_name, new_name) = (old.name().unwrap_or_default(), new.name().unwrap_or_default());
    let (likeness, change) = names::compare(old_name, new_name);
    weighed.name = change;
    let odds = match likeness {
        l if l >= 0.95 => 3.5,
        l if l >= 0.7 => 2.5,
        l if l >= 0.45 => 1.5,
        l if l >= 0.3 => 0.5,
        _ => -0.5,
    };
    weighed.add("name_similarity", likeness, odds);
    let same_parent = old.parent() == new.parent();
    // A field that goes elsewhere keeps its name as a rule; one that changes both needs its values to speak.
    let odds = if same_parent {
        1.0
    } else if likeness >= 0.95 {
        0.5
    } else {
        -2.0
    };
    weighed.add("same_parent", same_parent, odds);
}

/// The members around a field, by mean position in their object.
fn neighbours(profile: &Profile, path: &FieldPath) -> (Option<FieldPath>, Option<FieldPath>) {
    let Some(parent) = path.parent() else { return (None, None) };
    let mean = |f: &FieldProfile| f.position_sum as f64 / f.present.max(1) as f64;
    let depth = path.steps().len();
    let mut siblings: Vec<(f64, &FieldPath)> = profile
        .fields
        .iter()
        .filter(|(p, f)| f.present > 0 && p.steps().len() == depth && p.starts_with(&parent))
        .map(|(p, f)| (mean(f), p))
        .collect();
    siblings.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
    let Some(at) = siblings.iter().position(|(_, p)| *p == path) else { return (None, None) };
    let of = |i: Option<usize>| i.and_then(|i| siblings.get(i)).map(|(_, p)| (*p).clone());
    (of(at.checked_sub(1)), of(Some(at + 1)))
}

fn position(weighed: &mut Weighed, sides: &Sides<'_>, old: &FieldPath, new: &FieldPath) {
    if old.parent() != new.parent() {
        return;
    }
    let (before, after) = neighbours(sides.base, old);
    let (before_new, after_new) = neighbours(sides.live, new);
    // While a window holds both names they may be neighbours themselves.
    let skip = |found: Option<FieldPath>, side: usize| match found {
        Some(path) if path == *old => {
            let (b, a) = neighbours(sides.live, old);
            if side == 0 { b } else { a }
        }
        other => other,
    };
    let same = u64::from(before == skip(before_new, 0)) + u64::from(after == skip(after_new, 1));
    // Members keep their order when one is renamed in the code that writes them; what is new is often put last.
    weighed.add("same_neighbours", same, [-0.5, 0.75, 2.0][same as usize]);
}

fn presence(
    weighed: &mut Weighed,
    sides: &Sides<'_>,
    old: (&FieldPath, &FieldProfile),
    new: (&FieldPath, &FieldProfile),
) {
    let share = |f: &FieldProfile| f.present as f64 / f.parents.max(1) as f64;
    let left = sides.live.fields.get(old.0).map_or(0, |f| f.present);
    let was = old.1.present as f64 / sides.base.records.max(1) as f64;
    let is = new.1.present as f64 / sides.live.records.max(1) as f64;
    let rest = left as f64 / sides.live.records.max(1) as f64;
    let gap = if old.0.parent() == new.0.parent() && left == 0 {
        (share(old.1) - share(new.1)).abs()
    } else {
        (was - is - rest).abs()
    };
    let odds = if gap <= 0.05 {
        if left > 0 { 2.0 } else { 0.5 }
    } else if gap <= 0.2 {
        0.0
    } else {
        -2.5
    };
    weighed.add("presence_gap", gap, odds);
    let null_rate = |f: &FieldProfile| f.types.get(JsonType::Null) as f64 / f.present.max(1) as f64;
    let (was, is) = (null_rate(old.1), null_rate(new.1));
    if (was - is).abs() > 0.3 {
        weighed.add("null_rate_gap", (was - is).abs(), -1.5);
    } else if was > 0.05 && was < 0.95 && (was - is).abs() < 0.1 {
        weighed.add("null_rate_gap", (was - is).abs(), 1.0);
    }
}

/// Objects: the same members inside.
fn inside(weighed: &mut Weighed, sides: &Sides<'_>, old: &FieldPath, new: &FieldPath) {
    let members =
        |profile: &Profile, of: &FieldPath| -> std::collections::BTreeSet<Vec<crate::model::Step>> {
            let depth = of.steps().len();
            let below = profile.fields.iter().filter(|(p, f)| f.present > 0 && p.starts_with(of) && *p != of);
            below.map(|(p, _)| p.steps()[depth..].to_vec()).collect()
        };
    let (was, is) = (members(sides.base, old), members(sides.live, new));
    let both = was.intersection(&is).count() as f64;
    let all = was.union(&is).count().max(1) as f64;
    let share = both / all;
    weighed.add(
        "same_members",
        share,
        if share >= 0.8 {
            4.0
        } else if share >= 0.5 {
            2.0
        } else {
            -3.0
        },
    );
}

fn values(
    weighed: &mut Weighed,
    sides: &Sides<'_>,
    (old, was): (&FieldPath, &FieldProfile),
    (new, is): (&FieldPath, &FieldProfile),
) {
    let (mut all, mut equal) = (0_usize, 0_usize);
    let mut differ = std::collections::BTreeSet::new();
    for (before, after) in sides.pairs.values(old, new) {
        all += 1;
        equal += usize::from(compare::same_content(before, after));
        differ.insert(match before {
            SampleValue::Null => 0,
            SampleValue::Bool(b) => 1 + u64::from(*b),
            SampleValue::Number(n, _) => n.to_bits(),
            SampleValue::Text { hash, .. } => *hash,
            SampleValue::Container(_, n) => *n,
        });
    }
    if all >= compare::MIN_PAIRS {
        let share = equal as f64 / all as f64;
        weighed.facts.set("paired", all);
        // Equality of a few distinct values is common; of many it is proof.
        let telling = differ.len() >= 5;
        if share >= 0.9 {
            weighed.add("equal_values", share, if telling { EQUAL } else { 3.5 });
            weighed.kept = telling.then_some(share);
            return retyped(weighed, sides, (old, was), (new, is));
        }
        weighed.facts.set("equal_values", share);
        if telling && share >= 0.5 {
            // No step between 89 and 90 in a hundred: what a few records tell apart is hardly told apart.
            weighed.odds += 3.0 + (EQUAL - 3.0) * (share - 0.5) / 0.4;
            weighed.kept = Some(share);
            return;
        }
        if telling && trend(weighed, sides, old, new) {
            return;
        }
        if telling && share >= 0.3 {
            weighed.odds += 3.0;
            return;
        }
    }
    unpaired(weighed, sides, (old, was), (new, is));
}

/// Numbers of the same entities that move together: a ratio, or nearly the same values a little later.
fn trend(weighed: &mut Weighed, sides: &Sides<'_>, old: &FieldPath, new: &FieldPath) -> bool {
    let paired = sides.pairs.numbers(old, new);
    if paired.len() < compare::MIN_PAIRS {
        return false;
    }
    if let Some((ratio, offset, agreeing)) = compare::fit(&paired)
        && agreeing * 10 >= paired.len() * 9
        && !compare::is_one(ratio, offset)
    {
        weighed.add("agreeing", agreeing, 6.0);
        weighed.facts.set("ratio", ratio);
        weighed.facts.set("offset", offset);
        let facts = Facts::new()
            .with("ratio", ratio)
            .with("offset", offset)
            .with("paired", paired.len())
            .with("agreeing", agreeing);
        weighed.transform =
            Some(Change { kind: ChangeKind::ScaleChanged, path: new.clone(), to: Vec::new(), facts });
        return true;
    }
    // The share of the spread between entities that a day's change leaves explained.
    let n = paired.len() as f64;
    let mean = paired.iter().map(|(b, _)| b).sum::<f64>() / n;
    let spread: f64 = paired.iter().map(|(b, _)| (b - mean).powi(2)).sum();
    let moved: f64 = paired.iter().map(|(b, l)| (l - b).powi(2)).sum();
    if spread <= 0.0 {
        return false;
    }
    let explained = 1.0 - moved / spread;
    let odds = match explained {
        e if e >= 0.98 => 4.0,
        e if e >= 0.9 => 2.5,
        e if e >= 0.7 => 1.0,
        e if e >= 0.3 => 0.0,
        _ => -3.0,
    };
    weighed.add("explained_variance", explained, odds);
    true
}

fn retyped(
    weighed: &mut Weighed,
    sides: &Sides<'_>,
    (old, was): (&FieldPath, &FieldProfile),
    (new, is): (&FieldPath, &FieldProfile),
) {
    weighed.transform = as_one_field(sides, (old, was), (new, is));
}

/// The change of content that a rename brings with it: both profiles compared as if they were one field.
fn as_one_field(
    sides: &Sides<'_>,
    (old, was): (&FieldPath, &FieldProfile),
    (new, is): (&FieldPath, &FieldProfile),
) -> Option<Change> {
    let change = compare::compare_fields(sides.base, sides.live, new, was, is);
    // Of fields whose names are alike, values that lie elsewhere by a power of ten are the same in another unit.
    let moved = change.as_ref().is_none_or(|c| {
        matches!(c.kind, ChangeKind::DistributionShifted | ChangeKind::Stale | ChangeKind::Truncated)
    });
    let alike = || match (old.name(), new.name()) {
        (Some(old), Some(new)) => names::compare(old, new).0 >= ALIKE,
        _ => false,
    };
    if moved
        && alike()
        && let Some(ratio) = compare::power_of_ten(was, is)
    {
        let mut facts = Facts::new().with("ratio", ratio).with("offset", 0.0).with("transform", "ratio");
        let words = new.name().map(compare::name_words).unwrap_or_default();
        if let Some(unit) = compare::named(ratio, 0.0, &words).filter(|unit| unit.speaks(&words)) {
            facts.set("unit", unit.name.clone());
            facts.set("transform", unit.id.clone());
        }
        return Some(Change { kind: ChangeKind::ScaleChanged, path: new.clone(), to: Vec::new(), facts });
    }
    change
}

/// Names from here on share a word or most letters, as those that [`names_and_place`] counts in favour of a pair.
const ALIKE: f64 = 0.45;

fn unpaired(
    weighed: &mut Weighed,
    sides: &Sides<'_>,
    (old, was): (&FieldPath, &FieldProfile),
    (new, is): (&FieldPath, &FieldProfile),
) {
    let transform = as_one_field(sides, (old, was), (new, is));
    if let Some(change) = &transform {
        use ChangeKind as K;
        let (odds, keep) = match change.kind {
            // Another unit, notation or case of the same content is a likely companion of a rename.
            K::ScaleChanged | K::FormatChanged | K::CaseChanged | K::SignFlipped => (1.0, true),
            K::TypeChanged if change.facts.get("transform").is_some() => (-0.5, true),
            K::EncodingChanged | K::TimezoneShifted => (0.0, true),
            K::TypeChanged | K::IdSchemeChanged => (-3.0, false),
            _ => (-2.0, false),
        };
        weighed.add("content", crate::model::Fact::Text(format!("{:?}", change.kind)), odds);
        if keep {
            weighed.transform = transform;
        } else {
            distance(weighed, was, is);
        }
        return;
    }
    distance(weighed, was, is);
}

/// How far the values are apart where nothing pairs.
fn distance(weighed: &mut Weighed, was: &FieldProfile, is: &FieldProfile) {
    let group = |f: &FieldProfile| {
        let t = &f.types;
        let numbers = t.get(JsonType::Integer) + t.get(JsonType::Number);
        [t.get(JsonType::Boolean), numbers, t.get(JsonType::String), t.get(JsonType::Array)]
    };
    let main = |f: &FieldProfile| {
        let counts = group(f);
        (0..4).max_by_key(|i| (counts[*i], 4 - i)).filter(|i| counts[*i] > 0)
    };
    let (Some(a), Some(b)) = (main(was), main(is)) else {
        return weighed.add("same_type", false, 0.0);
    };
    if a != b {
        return weighed.add("same_type", false, -2.5);
    }
    if a == 0 {
        let rate = |f: &FieldProfile| f.trues as f64 / f.types.get(JsonType::Boolean).max(1) as f64;
        let gap = (rate(was) - rate(is)).abs();
        return weighed.add("distance", gap, if gap <= 0.15 { 1.0 } else { -2.0 });
    }
    if a == 3 {
        return weighed.add("same_type", true, 0.5);
    }
    let Some(distance) = compare::resemblance(was, is) else { return };
    let n = was.present.min(is.present).max(1) as f64;
    // What two samples of one distribution differ by (the 95 % point of Kolmogorov for numbers; for sets of words
    // nearly the same order).
    let chance = (1.36 * (2.0 / n).sqrt()).min(0.4);
    let odds = if a == 1 {
        if distance <= chance {
            2.5
        } else if distance <= 2.0 * chance {
            0.5
        } else if distance > 0.6 {
            -3.5
        } else {
            -1.5
        }
    } else {
        let shared = 1.0 - distance;
        let formats = |f: &FieldProfile| f.strings.as_deref().map(|s| s.main_format());
        let same_format = formats(was) == formats(is);
        // Shared words prove more than shared numbers; unlike words of one format prove little either way.
        if shared >= 0.5 {
            4.0
        } else if shared >= 0.25 {
            2.0
        } else if same_format {
            -0.5
        } else {
            -3.0
        }
    };
    weighed.add("distance", distance, odds);
}
