//! What speaks for a new path holding what an old one held, as log-odds and as facts.

use super::lookup::{Around, Known};
use super::names::NameChange;
use crate::compare::{self, Variation};
use crate::model::{Change, ChangeKind, Fact, Facts, FieldPath, JsonType};
use crate::profile::{FieldProfile, SampleValue};

/// An old path, and what is left of it now.
pub(super) struct Old<'a> {
    pub known: Known<'a>,
    /// How often it is there still.
    pub left: u64,
    /// The members around it now, where a window holds both names.
    pub around_now: Around<'a>,
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
    /// What is not compared yet.
    pub open: Open,
}

/// How much of the values of a pair is left to be compared: running all lanes on two fields costs a thousand times
/// what the rest of the evidence does, so it is done where it can matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Open {
    /// Nothing.
    Nothing,
    /// What happened to values that are known to be the same: it says more of a pair, and does not weigh.
    Transform,
    /// The values, which no entities tell; they weigh this much at best.
    Values(f64),
}

/// The gain of a pair that is none.
pub(super) const NO_GAIN: f64 = -1e3;
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

    /// The log-odds at best, once all is compared.
    pub(super) fn outlook(&self) -> f64 {
        match self.open {
            Open::Values(best) => self.odds + best,
            Open::Nothing | Open::Transform => self.odds,
        }
    }

    /// The log-odds that count: none where values are still to be compared.
    pub(super) fn gain(&self) -> f64 {
        if matches!(self.open, Open::Values(_)) { NO_GAIN } else { self.odds }
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

/// Weighs one pair, but for what takes all lanes; [`complete`] does the rest.
pub(super) fn weigh(variation: &Variation, old: &Old<'_>, new: &Known<'_>) -> Option<Weighed> {
    let (was, is) = (old.known.field?, new.field?);
    let mut weighed = Weighed {
        odds: PRIOR,
        facts: Facts::new(),
        name: NameChange::None,
        kept: None,
        transform: None,
        open: Open::Nothing,
    };
    let is_object = |f: &FieldProfile| f.types.get(JsonType::Object) > 0;
    if is_object(was) != is_object(is) {
        return None;
    }
    names_and_place(&mut weighed, &old.known, new);
    position(&mut weighed, old, new);
    presence(&mut weighed, (old, was), (new, is));
    if is_object(was) {
        inside(&mut weighed, &old.known, new);
    } else {
        let before = weighed.odds;
        values(&mut weighed, (&old.known, was), (new, is));
        allow_for_movement(&mut weighed, variation, old.known.path, before);
    }
    Some(weighed)
}

/// Compares what is still open of a pair.
pub(super) fn complete(weighed: &mut Weighed, variation: &Variation, old: &Known<'_>, new: &Known<'_>) {
    let (Some(was), Some(is)) = (old.field, new.field) else { return };
    let before = weighed.odds;
    match std::mem::replace(&mut weighed.open, Open::Nothing) {
        Open::Nothing => {}
        Open::Transform => weighed.transform = as_one_field(old, new, was, is),
        Open::Values(_) => {
            unpaired(weighed, as_one_field(old, new, was, is), was, is);
            allow_for_movement(weighed, variation, old.path, before);
        }
    }
}

/// Values that move by themselves from one part of the baseline to the next speak against little.
fn allow_for_movement(weighed: &mut Weighed, variation: &Variation, old: &FieldPath, before: f64) {
    if weighed.odds < before - 0.5 && variation.field(old).is_some_and(|v| !v.exchangeable) {
        weighed.odds = before - 0.5;
        weighed.transform = None;
    }
}

fn names_and_place(weighed: &mut Weighed, old: &Known<'_>, new: &Known<'_>) {
    let (likeness, change) = old.name.compare(&new.name);
    weighed.name = change;
    let odds = match likeness {
        l if l >= 0.95 => 3.5,
        l if l >= 0.7 => 2.5,
        l if l >= 0.45 => 1.5,
        l if l >= 0.3 => 0.5,
        _ => -0.5,
    };
    weighed.add("name_similarity", likeness, odds);
    let same_parent = old.parent == new.parent;
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

fn position(weighed: &mut Weighed, old: &Old<'_>, new: &Known<'_>) {
    if old.known.parent != new.parent {
        return;
    }
    let (before, after) = old.known.around;
    let (mut before_new, mut after_new) = new.around;
    // While a window holds both names they may be neighbours themselves.
    if before_new == Some(old.known.path) {
        before_new = old.around_now.0;
    }
    if after_new == Some(old.known.path) {
        after_new = old.around_now.1;
    }
    let same = u64::from(before == before_new) + u64::from(after == after_new);
    // Members keep their order when one is renamed in the code that writes them; what is new is often put last.
    weighed.add("same_neighbours", same, [-0.5, 0.75, 2.0][same as usize]);
}

fn presence(
    weighed: &mut Weighed,
    (old, was): (&Old<'_>, &FieldProfile),
    (new, is): (&Known<'_>, &FieldProfile),
) {
    let share = |f: &FieldProfile| f.present as f64 / f.parents.max(1) as f64;
    let live = new.profile.records.max(1) as f64;
    let gap = if old.known.parent == new.parent && old.left == 0 {
        (share(was) - share(is)).abs()
    } else {
        let of_base = was.present as f64 / old.known.profile.records.max(1) as f64;
        (of_base - is.present as f64 / live - old.left as f64 / live).abs()
    };
    let odds = if gap <= 0.05 {
        if old.left > 0 { 2.0 } else { 0.5 }
    } else if gap <= 0.2 {
        0.0
    } else {
        -2.5
    };
    weighed.add("presence_gap", gap, odds);
    let null_rate = |f: &FieldProfile| f.types.get(JsonType::Null) as f64 / f.present.max(1) as f64;
    let (was, is) = (null_rate(was), null_rate(is));
    if (was - is).abs() > 0.3 {
        weighed.add("null_rate_gap", (was - is).abs(), -1.5);
    } else if was > 0.05 && was < 0.95 && (was - is).abs() < 0.1 {
        weighed.add("null_rate_gap", (was - is).abs(), 1.0);
    }
}

/// Objects: the same members inside.
fn inside(weighed: &mut Weighed, old: &Known<'_>, new: &Known<'_>) {
    let both = old.members.iter().filter(|member| new.members.binary_search(member).is_ok()).count();
    let all = (old.members.len() + new.members.len() - both).max(1) as f64;
    let both = both as f64;
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

/// Distinct values from which on equality is proof: equality of a few is common.
const TELLING: usize = 5;

fn values(
    weighed: &mut Weighed,
    (old, was): (&Known<'_>, &FieldProfile),
    (new, is): (&Known<'_>, &FieldProfile),
) {
    let (mut all, mut equal) = (0_usize, 0_usize);
    let mut differ: Vec<u64> = Vec::with_capacity(TELLING);
    for (before, after) in both(old, new) {
        all += 1;
        equal += usize::from(compare::same_content(before, after));
        if differ.len() < TELLING {
            let value = match before {
                SampleValue::Null => 0,
                SampleValue::Bool(b) => 1 + u64::from(*b),
                SampleValue::Number(n, _) => n.to_bits(),
                SampleValue::Text { hash, .. } => *hash,
                SampleValue::Container(_, n) => *n,
            };
            if !differ.contains(&value) {
                differ.push(value);
            }
        }
    }
    if all >= compare::MIN_PAIRS {
        let share = equal as f64 / all as f64;
        weighed.facts.set("paired", all);
        let telling = differ.len() >= TELLING;
        if share >= 0.9 {
            weighed.add("equal_values", share, if telling { EQUAL } else { 3.5 });
            weighed.kept = telling.then_some(share);
            weighed.open = Open::Transform;
            return;
        }
        weighed.facts.set("equal_values", share);
        if telling && share >= 0.5 {
            // No step between 89 and 90 in a hundred: what a few records tell apart is hardly told apart.
            weighed.odds += 3.0 + (EQUAL - 3.0) * (share - 0.5) / 0.4;
            weighed.kept = Some(share);
            return;
        }
        if telling && trend(weighed, old, new) {
            return;
        }
        if telling && share >= 0.3 {
            weighed.odds += 3.0;
            return;
        }
    }
    let best = distance(was, is).map_or(0.0, |(_, _, odds)| odds);
    weighed.open = Open::Values(best.max(LIKELY_COMPANION));
}

/// Both values, of entities that are seen on both sides and have them.
fn both<'a>(old: &Known<'a>, new: &Known<'a>) -> impl Iterator<Item = (&'a SampleValue, &'a SampleValue)> {
    old.values.iter().zip(&new.values).filter_map(|(before, after)| Some(((*before)?, (*after)?)))
}

/// Numbers of the same entities that move together: a ratio, or nearly the same values a little later.
fn trend(weighed: &mut Weighed, old: &Known<'_>, new: &Known<'_>) -> bool {
    let number = compare::as_number;
    let paired: Vec<(f64, f64)> =
        both(old, new).filter_map(|(before, after)| Some((number(before)?, number(after)?))).collect();
    if paired.len() < compare::MIN_PAIRS {
        return false;
    }
    if compare::may_fit(&paired)
        && let Some((ratio, offset, agreeing)) = compare::fit(&paired)
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
            Some(Change { kind: ChangeKind::ScaleChanged, path: new.path.clone(), to: Vec::new(), facts });
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

/// The change of content that a rename brings with it: both profiles compared as if they were one field.
fn as_one_field(old: &Known<'_>, new: &Known<'_>, was: &FieldProfile, is: &FieldProfile) -> Option<Change> {
    let change = compare::compare_fields(old.profile, new.profile, new.path, was, is);
    // Of fields whose names are alike, values that lie elsewhere by a power of ten are the same in another unit.
    let moved = change.as_ref().is_none_or(|c| {
        matches!(c.kind, ChangeKind::DistributionShifted | ChangeKind::Stale | ChangeKind::Truncated)
    });
    let alike = || old.name.compare(&new.name).0 >= ALIKE;
    if moved
        && alike()
        && let Some(ratio) = compare::power_of_ten(was, is)
    {
        let mut facts = Facts::new().with("ratio", ratio).with("offset", 0.0).with("transform", "ratio");
        let words = new.path.name().map(compare::name_words).unwrap_or_default();
        if let Some(unit) = compare::named(ratio, 0.0, &words).filter(|unit| unit.speaks(&words)) {
            facts.set("unit", unit.name.clone());
            facts.set("transform", unit.id.clone());
        }
        return Some(Change {
            kind: ChangeKind::ScaleChanged,
            path: new.path.clone(),
            to: Vec::new(),
            facts,
        });
    }
    change
}

/// Names from here on share a word or most letters, as those that [`names_and_place`] counts in favour of a pair.
const ALIKE: f64 = 0.45;

/// What a likely companion of a rename weighs.
const LIKELY_COMPANION: f64 = 1.0;

fn unpaired(weighed: &mut Weighed, transform: Option<Change>, was: &FieldProfile, is: &FieldProfile) {
    if let Some(change) = &transform {
        use ChangeKind as K;
        let (odds, keep) = match change.kind {
            // Another unit, notation or case of the same content is a likely companion of a rename.
            K::ScaleChanged | K::FormatChanged | K::CaseChanged | K::SignFlipped => (LIKELY_COMPANION, true),
            K::TypeChanged if change.facts.get("transform").is_some() => (-0.5, true),
            K::EncodingChanged | K::TimezoneShifted => (0.0, true),
            K::TypeChanged | K::IdSchemeChanged => (-3.0, false),
            _ => (-2.0, false),
        };
        weighed.add("content", Fact::Text(format!("{:?}", change.kind)), odds);
        if keep {
            weighed.transform = transform;
            return;
        }
    }
    if let Some((name, fact, odds)) = distance(was, is) {
        weighed.add(name, fact, odds);
    }
}

/// How far the values are apart where nothing pairs: the name of the fact, the fact, and its log-odds.
fn distance(was: &FieldProfile, is: &FieldProfile) -> Option<(&'static str, Fact, f64)> {
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
        return Some(("same_type", Fact::Flag(false), 0.0));
    };
    if a != b {
        return Some(("same_type", Fact::Flag(false), -2.5));
    }
    if a == 0 {
        let rate = |f: &FieldProfile| f.trues as f64 / f.types.get(JsonType::Boolean).max(1) as f64;
        let gap = (rate(was) - rate(is)).abs();
        return Some(("distance", Fact::Number(gap), if gap <= 0.15 { 1.0 } else { -2.0 }));
    }
    if a == 3 {
        return Some(("same_type", Fact::Flag(true), 0.5));
    }
    let distance = compare::resemblance(was, is)?;
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
    Some(("distance", Fact::Number(distance), odds))
}
