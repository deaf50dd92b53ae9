//! Closed sets of values: new, lost and renamed members, and how often each comes.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{FAMILY_ALPHA, Lane, MIN_SUPPORT, name_words};
use super::stats;
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::{FieldProfile, Format, Profile, SampleValue, StringProfile, TopValues};

/// The exact counts of a field's values, where they are few: of its strings, or of its whole numbers.
pub(super) fn counts(field: &FieldProfile) -> Option<BTreeMap<u64, u64>> {
    let top = top(field)?;
    (!top.overflown).then(|| top.counts.iter().map(|(value, (count, _))| (*value, *count)).collect())
}

fn top(field: &FieldProfile) -> Option<&TopValues> {
    if let Some(strings) = field.strings.as_deref() {
        let format = strings.main_format();
        // Moments and numbers are measured, not enumerated.
        return (!format.is_instant()).then_some(&strings.top);
    }
    field.numbers.as_deref().filter(|n| n.whole == n.count).map(|n| &n.top)
}

fn text_of(field: &FieldProfile, value: u64) -> Option<String> {
    top(field)?.counts.get(&value).and_then(|(_, text)| text.clone())
}

/// New and lost members of a closed set.
pub(super) fn enums(lane: &Lane<'_>) -> Option<Change> {
    lane.base.strings.as_deref().filter(|s| !s.main_format().is_instant())?;
    let (base, live) = (counts(lane.base)?, counts(lane.live)?);
    let (n, m): (u64, u64) = (base.values().sum(), live.values().sum());
    if n < MIN_SUPPORT || m < MIN_SUPPORT || base.is_empty() {
        return None;
    }
    if lane.ctx.pairs.same_population() {
        return paired_enums(lane, &base, &live);
    }
    if lane.pairs_say_unchanged() {
        return None;
    }
    if let Some(change) = respelled(lane, &base, &live).or_else(|| extended(lane, &base, &live)) {
        return Some(change);
    }
    // Closed: what was seen is nearly all there is. Good (1953): the chance of a value never seen is the share of
    // values seen once. One more singleton is added for the set's own uncertainty.
    let singles = base.values().filter(|count| **count == 1).count() as f64;
    let unseen = (singles + 1.0) / (n as f64 + 1.0);
    let distinct = base.len() as f64;
    let open = !lane.is_exchangeable();
    let new: Vec<(u64, u64)> =
        live.iter().filter(|(v, _)| !base.contains_key(v)).map(|(v, c)| (*v, *c)).collect();
    let lost: Vec<(u64, u64)> =
        base.iter().filter(|(v, _)| !live.contains_key(v)).map(|(v, c)| (*v, *c)).collect();
    let fresh: u64 = new.iter().map(|(_, c)| c).sum();
    let missing: u64 = lost.iter().map(|(_, c)| c).sum();
    let share = fresh as f64 / m as f64;
    let gone = missing as f64 / n as f64;

    // Everything is other: the vocabulary was replaced, unless the field is no vocabulary at all.
    let words = live.len() - new.len();
    // One value alone is a collapse, and a handful out of many another segment.
    let all_new = share >= 0.95 && live.len() <= base.len() + 2 && live.len() * 2 >= base.len();
    // The later part of a window alone: old words and as many new ones beside each other.
    let doubled = share >= 0.5 && new.len() >= 2 && new.len() <= base.len() && words <= base.len();
    let replaced = (all_new || doubled) && distinct <= 0.25 * n as f64;
    // A set that opens may be exchanged as a whole by time alone, unless its members came again and again.
    // What comes in runs is exchanged by the next of them.
    // Runs less than twice as long as by chance still mix.
    let replaced = replaced && !(lane.is_in_runs() && lane.spread() >= 2.0);
    if replaced && (!open || gone >= 0.95 && distinct <= 0.2 * n as f64) && (gone >= 0.95 || doubled) {
        return Some(in_turn(lane, &new, change(lane, &new, &lost, share, gone, "all-values")));
    }
    if let Some((old, fresh)) = exchanged(lane, &base) {
        let of = |side: &BTreeMap<u64, u64>, value| (value, side.get(&value).copied().unwrap_or(0));
        let ((old, was), (fresh, is)) = (of(&base, old), of(&live, fresh));
        let (share, gone) = (is as f64 / m as f64, was as f64 / n as f64);
        return Some(change(lane, &[(fresh, is)], &[(old, was)], share, gone, "one-value"));
    }
    if !is_vocabulary(lane) {
        return None;
    }
    if let Some(change) = broken_in(lane, &new, (n, m)) {
        return Some(change);
    }
    if unseen > 0.25 || open {
        return None;
    }
    // One new value in place of one old: its share is what the other lost.
    let largest = new.iter().max_by_key(|(v, c)| (*c, *v)).copied();
    let p_value = stats::binomial_at_least(fresh, m, unseen);
    let one = largest.map_or(0, |(_, c)| c);
    // A closed set is a promise: one in two hundred suffices for what breaks it, and four records at least.
    // A word as frequent as the new one is missed by the baseline by chance as often as its records all fall behind
    // the cut. Any word of the set could be the missed one: one in twenty for all of them together, since only those
    // of just this frequency are.
    // Where records come in an order that tells, words come and go with it (seasons, teams, months of a campaign),
    // and it takes the chance of an alarm that a whole comparison may have.
    let by_order = stats::all_among_last(one, n, m) * (base.len() + new.len()) as f64;
    let ordered = !lane.ctx.course.is_unordered();
    let least = if ordered { FAMILY_ALPHA } else { 0.05 };
    if one < 4 || p_value > 0.005 || by_order > least {
        return closed_loss(lane, &lost, &base, m);
    }
    // So do the things of a long list, unless all but one of them stayed.
    let several = new.len() > 1 || lost.len() > 1;
    if ordered && base.len() > VOCABULARY && several {
        return None;
    }
    // In a long list that is not yet complete, one that comes when another goes is no new name for it.
    let transform = if let Some((_, count)) = largest
        && count * 10 >= fresh * 8
        && (base.len() <= VOCABULARY || stats::unseen_at_least(&base) < 1.0)
        && renamed_from(&base, &live, n, m, count).is_some()
    {
        "one-value"
    } else if base.len() <= VOCABULARY {
        "new-value"
    } else {
        return None;
    };
    Some(in_turn(lane, &new, change(lane, &new, &lost, share, gone, transform)))
}

/// Newcomers to a vocabulary that show by how they are built that they are none of its words; `None` where the field
/// has no vocabulary.
pub(super) fn words(lane: &Lane<'_>, built_otherwise: &BTreeSet<u64>) -> Option<Change> {
    let (base, live) = (counts(lane.base)?, counts(lane.live)?);
    let (n, m): (u64, u64) = (base.values().sum(), live.values().sum());
    if base.len() * 4 > n as usize || live.len() * 4 > m as usize {
        return None;
    }
    let new: Vec<(u64, u64)> =
        live.iter().filter(|(v, _)| built_otherwise.contains(v)).map(|(v, c)| (*v, *c)).collect();
    let lost: Vec<(u64, u64)> =
        base.iter().filter(|(v, _)| !live.contains_key(v)).map(|(v, c)| (*v, *c)).collect();
    let sum = |words: &[(u64, u64)]| words.iter().map(|(_, count)| count).sum::<u64>();
    let (share, gone) = (sum(&new) as f64 / m as f64, sum(&lost) as f64 / n as f64);
    let transform = match new.as_slice() {
        [(_, count)] if renamed_from(&base, &live, n, m, *count).is_some() => "one-value",
        [_] => "new-value",
        _ if share >= 0.5 => "all-values",
        _ => "new-value",
    };
    let change = change(lane, &new, &lost, share, gone, transform);
    // Another segment has other words, of whatever build.
    Some(if lane.ctx.course.is_other_segment(lane.path) { change } else { spelled(change) })
}

/// Marks a change whose newcomers come in their turn: no news by itself, and a witness that these are other records.
fn in_turn(lane: &Lane<'_>, new: &[(u64, u64)], mut change: Change) -> Change {
    if takes_turns(lane, new) {
        change.facts.set("follows", true);
    }
    change
}

/// Whether records that come in an order bring the newcomers in stretches, as the next season, batch or page does: their
/// turn has come. A vendor's new word comes among the others.
fn takes_turns(lane: &Lane<'_>, new: &[(u64, u64)]) -> bool {
    let newcomers = new.iter().map(|(value, _)| *value).collect();
    !lane.ctx.course.is_unordered()
        && super::sequence::Sequence::of(lane).is_some_and(|values| values.in_turn(&newcomers))
}

/// One value that from some record on stands where another one stood: the old one never comes after the first of the
/// new one, and both are as frequent as each other. Both by chance together is rare where either alone is not.
fn exchanged(lane: &Lane<'_>, base: &BTreeMap<u64, u64>) -> Option<(u64, u64)> {
    if !lane.ctx.course.is_unordered() || !lane.is_exchangeable() {
        return None;
    }
    let hash = |value: Option<&SampleValue>| match value {
        Some(SampleValue::Text { hash, .. }) => Some(*hash),
        _ => None,
    };
    let rows: Vec<u64> = lane.values_in_order().filter_map(hash).collect();
    let n: u64 = base.values().sum();
    let mut fresh: BTreeMap<u64, (usize, u64)> = BTreeMap::new();
    for (at, value) in rows.iter().enumerate().filter(|(_, value)| !base.contains_key(value)) {
        fresh.entry(*value).or_insert((at, 0)).1 += 1;
    }
    let newcomers: u64 = fresh.values().map(|(_, count)| count).sum();
    let mut best: Option<(f64, u64, u64)> = None;
    for (new, (first, count)) in &fresh {
        let (before, after) = (n + *first as u64, (rows.len() - first) as u64);
        // Where the first of them stands is given; that the others come behind it is not.
        let p_new = stats::all_among_last(count - 1, before + 1, after - 1);
        for (old, recorded) in base {
            let places = || rows.iter().enumerate().filter(|(_, value)| *value == old).map(|(at, _)| at);
            if places().any(|at| at >= *first) {
                continue;
            }
            let was = recorded + places().count() as u64;
            let p_old = stats::all_among_last(was, after, before);
            let p_value = p_new * p_old * (fresh.len() * base.len()) as f64;
            // One new name for one value; of several new ones none is it.
            let alone = count * 10 >= newcomers * 8;
            let alike = alone && stats::fisher(was, before, *count, after) >= 0.05;
            if *count >= 3 && alike && best.is_none_or(|best| p_value < best.0) {
                best = Some((p_value, *old, *new));
            }
        }
    }
    // The chance that a whole comparison may have, among the four vocabularies that a stream has.
    best.filter(|(p_value, ..)| *p_value < FAMILY_ALPHA / 4.0).map(|(_, old, new)| (old, new))
}

/// Beyond a dozen values a set is a list of things (teams, carriers, stations), which come and go, and no vocabulary
/// that a vendor decides on.
pub(super) const VOCABULARY: usize = 12;

/// Whether the values are words: versions, numbers, addresses and the like move on by themselves.
fn is_vocabulary(lane: &Lane<'_>) -> bool {
    let words = |field: &FieldProfile| field.strings.as_deref().is_some_and(|s| s.main_format().is_soft());
    words(lane.base) && words(lane.live)
}

/// Whether nearly all values are one word each, as what programs compare is, and names of people and things are not.
fn are_identifiers(lane: &Lane<'_>) -> bool {
    let one_word = |field: &FieldProfile| {
        field.strings.as_deref().is_some_and(|s| s.of_format(Format::Text) * 20 <= s.count)
    };
    one_word(lane.base) && one_word(lane.live)
}

/// New words for the same entities. New entities with new words are the ordinary growth of the data.
fn paired_enums(lane: &Lane<'_>, base: &BTreeMap<u64, u64>, live: &BTreeMap<u64, u64>) -> Option<Change> {
    if base.len() * 4 > lane.base.present as usize {
        return None;
    }
    let new: Vec<(u64, u64)> =
        live.iter().filter(|(v, _)| !base.contains_key(v)).map(|(v, c)| (*v, *c)).collect();
    let lost: Vec<(u64, u64)> =
        base.iter().filter(|(v, _)| !live.contains_key(v)).map(|(v, c)| (*v, *c)).collect();
    let (mut all, mut moved, mut left) = (0_usize, 0_usize, 0_usize);
    for (before, after) in lane.ctx.pairs.values(lane.path, lane.path) {
        if let (SampleValue::Text { hash: before, .. }, SampleValue::Text { hash: after, .. }) =
            (before, after)
        {
            all += 1;
            moved += usize::from(before != after && !base.contains_key(after));
            left += usize::from(before != after && !live.contains_key(before));
        }
    }
    let total = |side: &BTreeMap<u64, u64>| side.values().sum::<u64>();
    // Three entities are no accident of one record, as for types, however many kept their words.
    if all < super::pairs::MIN_PAIRS || moved.max(left) < 3 {
        // Of new entities a word counts that is one of a program, and too frequent to have been missed.
        let missed = |count: u64| stats::fisher(0, total(base), count, total(live)) < lane.ctx.alpha;
        let words: Vec<(u64, u64)> = new.iter().filter(|(_, count)| missed(*count)).copied().collect();
        let share = words.iter().map(|(_, c)| c).sum::<u64>() as f64 / total(live).max(1) as f64;
        let told = all >= super::pairs::MIN_PAIRS
            && !words.is_empty()
            && is_vocabulary(lane)
            && are_identifiers(lane);
        return told.then(|| change(lane, &words, &[], share, 0.0, "new-value"));
    }
    // Entities that pass from word to word, as orders do, leave one of them empty now and then; there only the count
    // of a word says that it is missed.
    if moved < 3 && lane.ctx.variation.field(lane.path).is_some_and(|v| v.restless >= 0.01) {
        return closed_loss(lane, &lost, base, live.values().sum());
    }
    let share = new.iter().map(|(_, c)| c).sum::<u64>() as f64 / live.values().sum::<u64>().max(1) as f64;
    let gone = lost.iter().map(|(_, c)| c).sum::<u64>() as f64 / base.values().sum::<u64>().max(1) as f64;
    // Versions, numbers and the like move on by themselves, and so do names of people and things in a long list. That
    // most of several moved for most entities at once is the doing of who writes them.
    let numeral = |field: &FieldProfile| {
        let format = field.strings.as_deref().map(StringProfile::main_format);
        format.is_some_and(|f| f.is_number() || f == Format::Version)
    };
    let several = numeral(lane.base)
        && (base.len() >= 3 && live.len() >= 3)
        && (share >= 0.6 && gone >= 0.6 && moved * 10 >= all * 6);
    if !(several || is_vocabulary(lane) && (base.len() <= VOCABULARY || are_identifiers(lane))) {
        return None;
    }
    let transform = match (new.len(), lost.len()) {
        (0, _) => "lost-value",
        (1, 1) => "one-value",
        _ if share >= 0.6 && gone >= 0.6 => "all-values",
        _ => "new-value",
    };
    let mut change = change(lane, &new, &lost, share, gone, transform);
    change.facts.set("paired", all);
    change.facts.set("agreeing", all - moved);
    Some(change)
}

/// Words that came for words that went, where the words themselves show it: the same letters under other signs, or
/// for a whole vocabulary a telling part of each. Unlike counts this holds where members come and go by themselves.
fn respelled(lane: &Lane<'_>, base: &BTreeMap<u64, u64>, live: &BTreeMap<u64, u64>) -> Option<Change> {
    if !is_vocabulary(lane) || base.len() as f64 > 0.25 * base.values().sum::<u64>() as f64 {
        return None;
    }
    let only = |these: &BTreeMap<u64, u64>, others: &BTreeMap<u64, u64>| -> Vec<(u64, u64)> {
        let words = these.iter().filter(|(value, count)| **count >= 3 && !others.contains_key(value));
        words.map(|(value, count)| (*value, *count)).collect()
    };
    let (new, lost) = (only(live, base), only(base, live));
    if new.is_empty() || lost.is_empty() {
        return None;
    }
    let (n, m) = (base.values().sum::<u64>(), live.values().sum::<u64>());
    let sum = |words: &[(u64, u64)]| words.iter().map(|(_, count)| count).sum::<u64>();
    let (share, gone) = (sum(&new) as f64 / m as f64, sum(&lost) as f64 / n as f64);
    // One in a hundred, as for a path that is gone: the word was frequent enough to be missed, and to be seen before.
    let missed = |count: u64, of: u64, other: u64| (1.0 - count as f64 / of as f64).powf(other as f64) < 0.01;
    let same_letters = |(old, was): &(u64, u64), (fresh, is): &(u64, u64)| {
        let letters = (folded_of(lane.ctx.base, lane, *old), folded_of(lane.ctx.live, lane, *fresh));
        matches!(letters, (Some(a), Some(b)) if a == b) && missed(*was, n, m) && missed(*is, m, n)
    };
    let paired: Vec<((u64, u64), (u64, u64))> = lost
        .iter()
        .filter_map(|old| Some((*old, *new.iter().find(|fresh| same_letters(old, fresh))?)))
        .collect();
    // Case and separators of all words are the business of other lanes, which come before this one.
    if !paired.is_empty() && gone < 0.5 {
        let (old, fresh): (Vec<_>, Vec<_>) = paired.into_iter().unzip();
        let transform = if old.len() == 1 { "one-value" } else { "new-value" };
        let (share, gone) = (sum(&fresh) as f64 / m as f64, sum(&old) as f64 / n as f64);
        return Some(spelled(change(lane, &fresh, &old, share, gone, transform)));
    }
    let few = base.len() <= VOCABULARY && live.len() <= VOCABULARY;
    let frequent = |words: &[(u64, u64)], of: u64, other: u64| words.iter().all(|w| missed(w.1, of, other));
    if !few || !frequent(&lost, n, m) || !frequent(&new, m, n) {
        return None;
    }
    let text = |field: &FieldProfile, value: &u64| text_of(field, *value).map(|text| name_words(&text));
    let texts = |field: &FieldProfile, words: &[(u64, u64)]| -> Option<Vec<Vec<String>>> {
        words.iter().map(|(value, _)| text(field, value)).collect()
    };
    let (old, fresh) = (texts(lane.base, &lost)?, texts(lane.live, &new)?);
    let kept: Vec<String> =
        base.keys().filter(|v| live.contains_key(v)).filter_map(|v| text(lane.base, v)).flatten().collect();
    // A part tells where one word of each side has it and none of those that stayed.
    let partner = |of: &[String], others: &[Vec<String>], own: &[Vec<String>]| {
        of.iter().any(|part| {
            let with = |all: &[Vec<String>]| {
                all.iter().filter(|parts| parts.iter().any(|p| same_stem(p, part))).count()
            };
            with(others) == 1 && with(own) == 1 && !kept.iter().any(|k| same_stem(k, part))
        })
    };
    let covered = |words: &[(u64, u64)], own: &[Vec<String>], others: &[Vec<String>]| {
        let counts = words.iter().zip(own).filter(|(_, parts)| partner(parts, others, own));
        (counts.clone().count(), counts.map(|((_, count), _)| count).sum::<u64>() as f64)
    };
    let (partners, of_lost) = covered(&lost, &old, &fresh);
    let (_, of_new) = covered(&new, &fresh, &old);
    // Two words of a kind, and with them most of what went and of what came.
    let holds = partners >= 2 && of_lost >= 0.8 * sum(&lost) as f64 && of_new >= 0.6 * sum(&new) as f64;
    let transform = if share >= 0.6 && gone >= 0.6 { "all-values" } else { "new-value" };
    holds.then(|| spelled(change(lane, &new, &lost, share, gone, transform)))
}

/// A frequent value that goes on behind a sign (`MS` is `MS (v2)` now), or stands behind one, and no longer comes as it
/// was: it has a new name, whatever else comes and goes. Names hold other names by themselves (`Guinea-Bissau`); so a
/// sign or a class of characters is asked for that no value had. In a list sorted by name such names stand next to each
/// other, and the one goes where the other comes; so a run of values counts as one.
fn extended(lane: &Lane<'_>, base: &BTreeMap<u64, u64>, live: &BTreeMap<u64, u64>) -> Option<Change> {
    let (n, m) = (base.values().sum::<u64>(), live.values().sum::<u64>());
    if !is_vocabulary(lane) || base.len() as f64 > 0.25 * n as f64 {
        return None;
    }
    let known: BTreeSet<char> = Lane::sample(lane.ctx.base, lane.path).flat_map(signs_of).collect();
    // One in a hundred, as for a path that is gone: the old one is missed, and the new one was not there.
    let draws = |records: u64| records as f64 / lane.spread().max(1.0);
    let missed = |count: u64, of: u64, other: u64| (1.0 - count as f64 / of as f64).powf(draws(other)) < 0.01;
    let rows: Vec<Option<&SampleValue>> = lane.values_in_order().collect();
    let is = |value: &Option<&SampleValue>, wanted: u64| matches!(value, Some(SampleValue::Text { hash, .. }) if *hash == wanted);
    // Each newcomer that holds a known value, with the most frequent of those.
    let extended: BTreeMap<u64, u64> = Lane::sample(lane.ctx.live, lane.path)
        .filter_map(|value| match value {
            SampleValue::Text { hash, halves, .. } if !base.contains_key(hash) => {
                let parts = halves.iter().flat_map(|half| [half.left, half.right]);
                let old = parts.filter(|part| base.contains_key(part)).max_by_key(|part| base[part])?;
                signs_of(value).any(|sign| !known.contains(&sign)).then_some((*hash, old))
            }
            _ => None,
        })
        .collect();
    let count = |side: &BTreeMap<u64, u64>, value: &u64| side.get(value).copied().unwrap_or(0);
    // Gone, or never behind the first of the new ones.
    let replaced = |fresh: &u64, old: &u64| {
        let first = rows.iter().position(|value| is(value, *fresh));
        let ends = |first: usize| !rows[first..].iter().any(|value| is(value, *old));
        !live.contains_key(old) || first.is_some_and(ends)
    };
    let (fresh, old) = extended
        .iter()
        .filter(|(fresh, old)| missed(base[old], n, m) && missed(count(live, fresh), m, n))
        .filter(|(fresh, old)| replaced(fresh, old))
        .max_by_key(|(fresh, _)| count(live, fresh))?;
    if extended.len() == 1 {
        let (was, now) = (base[old], count(live, fresh));
        let (share, gone) = (now as f64 / m as f64, was as f64 / n as f64);
        return Some(spelled(change(lane, &[(*fresh, now)], &[(*old, was)], share, gone, "one-value")));
    }
    // Several of them: all words go by new names.
    let new: Vec<(u64, u64)> = extended.keys().map(|value| (*value, count(live, value))).collect();
    let olds: BTreeSet<u64> = extended.values().copied().collect();
    let lost: Vec<(u64, u64)> = olds.into_iter().map(|value| (value, base[&value])).collect();
    let sum = |words: &[(u64, u64)]| words.iter().map(|(_, count)| count).sum::<u64>() as f64;
    let (share, gone) = (sum(&new) / m as f64, sum(&lost) / n as f64);
    Some(spelled(change(lane, &new, &lost, share, gone, "all-values")))
}

/// The signs and classes of characters of a sampled text.
fn signs_of(value: &SampleValue) -> impl Iterator<Item = char> {
    let pattern = match value {
        SampleValue::Text { pattern, .. } => pattern.as_str(),
        _ => "",
    };
    pattern.chars()
}

/// Newcomers that come strewn over the window, in the midst of the runs in which all other values come: the records
/// bring those, and somebody else writes these.
fn broken_in(lane: &Lane<'_>, new: &[(u64, u64)], (n, m): (u64, u64)) -> Option<Change> {
    let values = super::sequence::Sequence::of(lane)?;
    // The place in which it comes is what tells it from the others, and four of them show that.
    let strewn = new.iter().filter(|(value, count)| *count >= 4 && values.breaks_in(*value));
    let strewn: Vec<(u64, u64)> = strewn.copied().collect();
    // One in fifty for all of them: as frequent a value is missed by all of the baseline by chance. They come in no
    // runs, so that each record is a draw.
    let missed = |count: u64| stats::all_among_last(count, n, m) * (strewn.len() as f64) < 0.02;
    let fresh: Vec<(u64, u64)> = strewn.iter().filter(|(_, count)| missed(*count)).copied().collect();
    if fresh.is_empty() {
        return None;
    }
    let share = fresh.iter().map(|(_, count)| count).sum::<u64>() as f64 / m as f64;
    let mut change = change(lane, &fresh, &[], share, 0.0, "new-value");
    change.facts.set("strewn", true);
    Some(change)
}

/// Marks a change as one that the words show themselves, so that no other records explain it.
fn spelled(mut change: Change) -> Change {
    change.facts.set("respelled", true);
    change
}

/// Whether two words begin alike and are the same but for their ends: `foods` and `food`, `activity` and `activities`.
fn same_stem(one: &str, other: &str) -> bool {
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let longest = one.chars().count().max(other.chars().count());
    common >= 4 && common + 3 >= longest
}

/// The hash of a value without case and signs, from the sampled records.
fn folded_of(profile: &Profile, lane: &Lane<'_>, value: u64) -> Option<u64> {
    Lane::sample(profile, lane.path).find_map(|sampled| match sampled {
        SampleValue::Text { hash, folded, length, .. } if *hash == value && *length > 0 => Some(*folded),
        _ => None,
    })
}

/// A value that lost about what the new one won.
fn renamed_from(
    base: &BTreeMap<u64, u64>,
    live: &BTreeMap<u64, u64>,
    n: u64,
    m: u64,
    won: u64,
) -> Option<u64> {
    let (n, m, won) = (n as f64, m as f64, won as f64 / m as f64);
    let loss = |value: &u64, count: u64| count as f64 / n - live.get(value).copied().unwrap_or(0) as f64 / m;
    let (value, count) = base.iter().max_by(|a, b| loss(a.0, *a.1).total_cmp(&loss(b.0, *b.1)))?;
    let lost = loss(value, *count);
    let left = live.get(value).copied().unwrap_or(0) as f64 / m;
    // Two and a half standard errors of a share (one in eighty by chance), and mostly gone: nothing is left of it, or
    // what an earlier part of the window still had.
    let error = 2.5 * (won * (1.0 - won) * (1.0 / n + 1.0 / m)).sqrt();
    ((lost - won).abs() <= error.max(0.05) && left <= 0.5 * *count as f64 / n).then_some(*value)
}

/// Members of a closed set that are gone and were frequent: that the window holds none of them by chance is rarer than
/// one test may be wrong, shared out among the members.
fn closed_loss(lane: &Lane<'_>, lost: &[(u64, u64)], base: &BTreeMap<u64, u64>, m: u64) -> Option<Change> {
    if base.len() > VOCABULARY {
        return None;
    }
    let n: u64 = base.values().sum();
    let by = lane.spread().max(1.0);
    let gone: Vec<(u64, u64)> = lost
        .iter()
        .filter(|(_, count)| {
            let chance = (1.0 - *count as f64 / n as f64).powf(m as f64 / by);
            chance < lane.ctx.alpha / base.len() as f64
        })
        .copied()
        .collect();
    if gone.is_empty() {
        return None;
    }
    let share = gone.iter().map(|(_, c)| c).sum::<u64>() as f64 / n as f64;
    // When most of a vocabulary is gone at once it collapsed; the lane of cardinality says so.
    (share < 0.5).then(|| change(lane, &[], &gone, 0.0, share, "lost-value"))
}

fn change(
    lane: &Lane<'_>,
    new: &[(u64, u64)],
    lost: &[(u64, u64)],
    share: f64,
    gone: f64,
    transform: &str,
) -> Change {
    // Only frequent values are shown; a rare one may be somebody's own.
    let words = |field: &FieldProfile, values: &[(u64, u64)]| -> Vec<String> {
        values.iter().filter(|(_, c)| *c >= 3).filter_map(|(v, _)| text_of(field, *v)).take(12).collect()
    };
    let facts = Facts::new()
        .with("new_values", words(lane.live, new))
        .with("lost_values", words(lane.base, lost))
        .with("new_count", new.len())
        .with("lost_count", lost.len())
        .with("share", share)
        .with("lost_share", gone)
        .with("transform", transform);
    lane.change(ChangeKind::EnumChanged, facts)
}
