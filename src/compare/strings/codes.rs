//! Codes of another build: other lengths, a suffix, other signs.

use super::{sampled_patterns, shares};
use crate::compare::{
    context::{Lane, MIN_SUPPORT},
    stats,
};
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::{Format, Profile, SampleValue, StringProfile};

/// Codes that all had one length and now have others: who cuts them out of a text, or keeps them in a column, finds
/// parts of them. Entities that kept theirs say nothing of what new ones look like.
pub(super) fn width(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let width = base.min_length;
    let codes = |s: &StringProfile| {
        s.of_format(Format::Text) == 0 && s.distinct.estimate_distinct() >= 0.5 * s.count as f64
    };
    // One character and two are as good as words; digits alone count upwards.
    // The next stretch of records in order may hold the codes of another maker.
    if !lane.ctx.course.is_unordered() && !lane.ctx.pairs.same_population() {
        return None;
    }
    if width < 3 || base.max_length != width || !codes(base) || !codes(live) || base.number_share() > 0.5 {
        return None;
    }
    let others = live.count
        - live.lengths.iter().filter(|bin| bin.low.round() as u64 == width).map(|bin| bin.count).sum::<u64>();
    let share = others as f64 / live.count as f64;
    if share < 0.05 || lane.fisher((0, base.count), (others, live.count)) >= lane.ctx.alpha {
        return None;
    }
    let facts = Facts::new()
        .with("from_format", base.main_format().word())
        .with("to_format", live.main_format().word())
        .with("from_length", width)
        .with("to_length", if live.max_length > width { live.max_length } else { live.min_length })
        .with("share", share)
        .with("transform", "width");
    Some(lane.change(ChangeKind::FormatChanged, facts))
}

/// Values of the same entities that go on where they ended, or end where they went on, at a sign: a suffix came to the
/// notation, or went.
pub(super) fn longer(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let (mut all, mut other, mut extended) = (0_u64, 0_u64, 0_u64);
    for values in lane.ctx.pairs.values(lane.path, lane.path) {
        let (SampleValue::Text { pattern: was, hash: a, .. }, SampleValue::Text { pattern: is, hash: b, .. }) =
            values
        else {
            continue;
        };
        all += 1;
        if a == b {
            continue;
        }
        other += 1;
        let (short, long) = if was.len() < is.len() { (was, is) } else { (is, was) };
        let rest = long.strip_prefix(short.as_str()).filter(|_| !short.is_empty());
        extended +=
            u64::from(rest.and_then(|rest| rest.chars().next()).is_some_and(|c| !c.is_alphanumeric()));
    }
    // Three entities are no accident of one record; of less than one in twenty it is their own affair.
    if extended < 3
        || extended * 20 < all
        || extended * 10 < other * 9
        || base.of_format(Format::Text) * 2 > base.count
    {
        return None;
    }
    let facts = Facts::new()
        .with("from_format", base.main_format().word())
        .with("to_format", live.main_format().word())
        .with("share", extended as f64 / all as f64)
        .with("paired", all)
        .with("transform", "suffix");
    Some(lane.change(ChangeKind::FormatChanged, facts))
}

/// Codes of another build: their patterns have nothing in common.
pub(super) fn patterns(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    // Several words are prose, and few values are a vocabulary: neither is a code.
    let prose = |s: &StringProfile| s.of_format(Format::Text) * 2 > s.count;
    // The grammar of addresses leaves their signs free: one more label or hyphen is no other scheme.
    let (from, to) = (base.main_format(), live.main_format());
    if from == to && matches!(from, Format::Email | Format::Url | Format::Hostname) {
        return None;
    }
    let many = |s: &StringProfile| s.distinct.estimate_distinct() >= 0.3 * s.count as f64;
    if prose(base) || prose(live) || !many(base) || !many(live) {
        return None;
    }
    let by_shape = |profile: &Profile, s: &StringProfile| {
        let mut by = std::collections::BTreeMap::<String, u64>::new();
        for (pattern, count) in s.patterns.iter().filter(|(p, _)| !p.is_empty()) {
            *by.entry(signs(pattern)).or_default() += count;
        }
        // Of codes with too many patterns to count, those of the sampled ones.
        if by.values().sum::<u64>() * 2 < s.count {
            by.clear();
            for pattern in sampled_patterns(profile, lane.path) {
                *by.entry(signs(pattern)).or_default() += 1;
            }
        }
        by
    };
    let (was, is) = (by_shape(lane.ctx.base, base), by_shape(lane.ctx.live, live));
    let (n, m) = (was.values().sum::<u64>(), is.values().sum::<u64>());
    if n < MIN_SUPPORT || m < MIN_SUPPORT {
        return None;
    }
    let new: u64 = is.iter().filter(|(s, _)| !was.contains_key(*s)).map(|(_, c)| c).sum();
    let share = shares(lane, (0, n), (new, m));
    // How many of another window would be of a build never seen: as many as were seen once (I. J. Good 1953).
    let singles = was.values().filter(|count| **count == 1).count() as f64;
    let unseen = (singles + 1.0) / (n as f64 + 1.0);
    let by = lane.spread().max(1.0);
    let fresh = stats::binomial_at_least((new as f64 / by) as u64, (m as f64 / by) as u64, unseen.min(1.0));
    // Names of one class are built with and without hyphens, and other names otherwise, and where records come in
    // order, the names of one letter are built otherwise than those of the next: there nearly all must be new.
    let enough: f64 = if from == to || !lane.ctx.course.is_unordered() { 0.9 } else { 0.5 };
    if share.sure && fresh < lane.ctx.alpha && share.is >= enough.max((unseen + 0.3).min(1.0)) {
        let facts = Facts::new()
            .with("from_format", base.main_format().word())
            .with("to_format", live.main_format().word())
            .with("share", share.is)
            .with("transform", "code");
        return Some(lane.change(ChangeKind::IdSchemeChanged, facts));
    }
    None
}

/// The signs of a pattern in their order: what is neither letter nor digit; the class of its first character, and
/// which classes it has at all.
pub(in crate::compare) fn signs(pattern: &str) -> String {
    let mut signs: String = pattern.chars().filter(|c| !c.is_alphanumeric()).collect();
    signs.extend(['9', 'A', 'a'].into_iter().filter(|class| pattern.contains(*class)));
    if let Some(first) = pattern.chars().next() {
        signs.insert(
            0,
            if first.is_ascii_digit() {
                '9'
            } else if first.is_alphanumeric() {
                'a'
            } else {
                first
            },
        );
    }
    signs
}
