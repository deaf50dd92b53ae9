//! Notations with a grammar: dates and times, identifiers, numbers in text, addresses.

use std::collections::BTreeMap;

use super::{Shares, shares};
use crate::compare::{context::Lane, stats};
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::{Format, SampleValue, StringProfile, TopValues};

/// Dates and times in another notation.
pub(super) fn instants(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let was = base.main_format();
    if !was.is_instant() || base.of_format(was) * 20 < base.count * 19 {
        return None;
    }
    // The newcomer: the most frequent other format.
    let (is, count) = live
        .formats
        .iter()
        .filter(|(f, _)| **f != was && **f != Format::Empty && base.of_format(**f) == 0)
        .map(|(f, n)| (*f, *n))
        .max_by_key(|(f, n)| (*n, std::cmp::Reverse(*f)))?;
    let share = shares(lane, (0, base.count), (count, live.count));
    // Notation is a promise of the vendor: three of another one are no accident, whatever the window's size. What is no
    // date at all breaks a reader at each of them.
    let least = if is.is_instant() { 0.05 } else { 0.01 };
    if count < 3 || share.is < least || !(share.sure || share.is > 0.99) {
        return None;
    }
    let transform = match (was, is) {
        (_, Format::EpochSeconds) => "date-time-to-epoch-seconds",
        (_, Format::EpochMillis) => "date-time-to-epoch-milliseconds",
        (Format::DateTimeZ, Format::DateTimeFractionZ) => "fraction-of-second",
        (Format::DateTimeZ | Format::DateTimeFractionZ, Format::DateTimeOffset | Format::DateTimeLocal)
        | (Format::DateTimeOffset, Format::DateTimeZ | Format::DateTimeLocal)
        | (Format::DateTimeLocal, Format::DateTimeZ | Format::DateTimeOffset) => "zone-notation",
        (_, is) if is.is_instant() => "date-notation",
        _ => "no-date",
    };
    Some(format_change(lane, was, is, share.is, transform))
}

fn format_change(lane: &Lane<'_>, was: Format, is: Format, share: f64, transform: &str) -> Change {
    let facts = Facts::new()
        .with("from_format", was.word())
        .with("to_format", is.word())
        .with("share", share)
        .with("transform", transform);
    lane.change(ChangeKind::FormatChanged, facts)
}

/// Notations with a grammar: identifiers, numbers in text, addresses.
pub(super) fn formats(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let full_base = base.count - base.empty;
    let full_live = live.count - live.empty;
    if full_base == 0 || full_live == 0 {
        return None;
    }
    // Either what nearly all strings were is lost, or what none was is gained.
    for (format, count) in &base.formats {
        if format.is_soft() || count * 10 < full_base * 9 {
            continue;
        }
        let share = shares(lane, (*count, full_base), (live.of_format(*format), full_live));
        let share = Shares { sure: share.sure && values_say(lane, *format), ..share };
        // Numbers that stand for words may be exchanged for words: that is the business of closed sets.
        let few =
            |s: &StringProfile| !s.top.overflown && s.distinct.estimate_distinct() <= 0.5 * s.count as f64;
        if format.is_number() && live.main_format().is_soft() && few(base) && few(live) {
            continue;
        }
        if share.sure && share.was - share.is >= 0.25 {
            let to = newcomer(base, live).unwrap_or_else(|| live.main_format());
            return Some(reading(lane, *format, to, 1.0 - share.is));
        }
    }
    for (format, count) in &live.formats {
        if format.is_soft() || base.of_format(*format) > 0 {
            continue;
        }
        let share = shares(lane, (0, full_base), (*count, full_live));
        if share.sure && share.is >= 0.25 && values_say(lane, *format) {
            return Some(reading(lane, base.main_format(), *format, share.is));
        }
    }
    None
}

/// Whether a move from or to a notation shows by the values alone, each counted once, where records come in an order
/// that brings the same values one after the other: the codes of one maker are no sample of all codes. Values that came
/// again and again, mixed all along, should have come once more; there each record tells.
fn values_say(lane: &Lane<'_>, format: Format) -> bool {
    if lane.ctx.course.is_unordered() || lane.ctx.pairs.same_population() || lane.path.is_repeated() {
        return true;
    }
    let records = Lane::sample(lane.ctx.base, lane.path).count();
    let mixed = !lane.is_in_runs() && lane.spread() < 2.0;
    let values = |profile| -> BTreeMap<u64, bool> {
        Lane::sample(profile, lane.path)
            .filter_map(|value| match value {
                SampleValue::Text { hash, format: is, length, .. } if *length > 0 => {
                    Some((*hash, *is == format))
                }
                _ => None,
            })
            .collect()
    };
    let counts =
        |values: BTreeMap<u64, bool>| (values.values().filter(|is| **is).count() as u64, values.len() as u64);
    let (was, is) = (counts(values(lane.ctx.base)), counts(values(lane.ctx.live)));
    mixed && was.1 as usize * 4 <= records || stats::fisher(was.0, was.1, is.0, is.1) < lane.ctx.alpha
}

/// Addresses that nearly all pointed to one host, and most of them to one that none pointed to.
pub(super) fn hosts(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let (was, is) = (base.hosts.as_deref()?, live.hosts.as_deref()?);
    if was.overflown || is.overflown {
        return None;
    }
    let all = |hosts: &TopValues| hosts.counts.values().map(|(count, _)| count).sum::<u64>();
    let most = |(hash, (count, text)): (&u64, &(u64, Option<String>))| (*count, *hash, text.clone());
    let (count, old, from) = was.counts.iter().map(most).max()?;
    let new = is.counts.iter().filter(|(hash, _)| !was.counts.contains_key(*hash));
    let (fresh, _, to) = new.map(most).max()?;
    let left = is.counts.get(&old).map_or(0, |(count, _)| *count);
    let (n, m) = (all(was), all(is));
    let (lost, won) = (shares(lane, (count, n), (left, m)), shares(lane, (0, n), (fresh, m)));
    // A field of one host is the vendor's own; one of several is other people's, who move as they like.
    if count * 10 < n * 9 || won.is < 0.5 || !lost.sure || !won.sure {
        return None;
    }
    let name = |text: Option<String>, unknown: &str| text.unwrap_or_else(|| unknown.to_owned());
    let facts = Facts::new()
        .with("from_format", name(from, "a host"))
        .with("to_format", name(to, "a host never seen before"))
        .with("share", won.is)
        .with("transform", "host");
    Some(lane.change(ChangeKind::FormatChanged, facts))
}

fn newcomer(base: &StringProfile, live: &StringProfile) -> Option<Format> {
    let fresh = live.formats.iter().filter(|(f, _)| base.of_format(**f) == 0 && **f != Format::Empty);
    fresh.max_by_key(|(f, n)| (**n, std::cmp::Reverse(**f))).map(|(f, _)| *f)
}

fn reading(lane: &Lane<'_>, was: Format, is: Format, share: f64) -> Change {
    let transform = match (was, is) {
        (_, Format::LocaleNumber) => "locale-number",
        (was, is) if was.is_number() && is.is_number() => "number-notation",
        (_, Format::Uuid | Format::Ulid | Format::Hex | Format::PrefixedId) => "id-scheme",
        _ => "notation",
    };
    let kind = if transform == "id-scheme" { ChangeKind::IdSchemeChanged } else { ChangeKind::FormatChanged };
    let mut change = format_change(lane, was, is, share, transform);
    change.kind = kind;
    change
}
