//! Strings cut at a length.

use super::{sampled_patterns, shape, shares, words_of};
use crate::compare::{context::Lane, pairs};
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::{Format, Profile, SampleValue, StringProfile};

/// Strings cut at a length: they pile up where they used to go on.
pub(super) fn truncated(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let lengths = |s: &StringProfile| -> Vec<(u64, u64)> {
        s.lengths.iter().map(|bin| (bin.low.round() as u64, bin.count)).collect()
    };
    let (was, is) = (lengths(base), lengths(live));
    let at = |of: &[(u64, u64)], length: u64| {
        of.iter().filter(|(l, _)| *l == length).map(|(_, n)| *n).sum::<u64>()
    };
    let beyond =
        |of: &[(u64, u64)], length: u64| of.iter().filter(|(l, _)| *l > length).map(|(_, n)| *n).sum::<u64>();
    for (length, count) in is.iter().rev() {
        if *length == 0 {
            continue;
        }
        let pile = shares(lane, (at(&was, *length), base.count), (*count, live.count));
        let tail = shares(lane, (beyond(&was, *length), base.count), (beyond(&is, *length), live.count));
        let rise = pile.is - pile.was;
        let fall = tail.was - tail.is;
        // What was longer now ends exactly there: the rise is the fall.
        if pile.sure && tail.sure && rise >= 0.25 && fall >= 0.25 && rise >= 0.7 * fall && tail.is <= 0.45 {
            // A cut keeps beginnings; another word of one length does not. Where the length was usual anyway, and the
            // set of values is small, it takes new values to call it a cut.
            if live.distinct.containment(&base.distinct) > 0.6 {
                return None;
            }
            // Beginnings are nearly as many as the texts were; a handful of texts over and over are no cut ones, unless
            // none is as long as the shortest was.
            let expected =
                base.distinct.estimate_distinct() * (live.count as f64 / base.count as f64).min(1.0);
            if live.distinct.estimate_distinct() <= 0.1 * expected && live.max_length >= base.min_length {
                return None;
            }
            if !cut_fits(lane, *length as usize) || !cut_from_known(base, live, *length) {
                return None;
            }
            // Where records come in an order, the next codes may be one character shorter by themselves.
            let ordered = !lane.ctx.course.is_unordered() && !lane.ctx.pairs.same_population();
            if ordered && base.max_length - length <= 1 && base.of_format(Format::Text) == 0 {
                return None;
            }
            let facts = Facts::new()
                .with("from_length", base.max_length)
                .with("to_length", *length)
                .with("share", rise)
                .with("transform", "text");
            return Some(lane.change(ChangeKind::Truncated, facts));
        }
    }
    None
}

/// Words never seen that are beginnings of known longer ones, all of one length, which none now exceeds as often.
pub(super) fn cut_words(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let (known, words) = (words_of(base)?, words_of(live)?);
    let fresh: Vec<(&str, u64)> = words.into_iter().filter(|(word, _)| !known.contains_key(word)).collect();
    let length = fresh.iter().map(|(word, _)| word.chars().count()).max()?;
    let is_cut = |word: &str| {
        word.chars().count() == length
            && known.keys().any(|long| long.len() > word.len() && long.starts_with(word))
    };
    let sum = |cut: bool| fresh.iter().filter(|(word, _)| is_cut(word) == cut).map(|(_, n)| n).sum::<u64>();
    let (cut, other) = (sum(true), sum(false));
    let share = shares(lane, (0, base.count), (cut, live.count));
    // One word may be another's beginning by itself (`open`, `opened`); two of one length are no accident.
    let kinds = fresh.iter().filter(|(word, _)| is_cut(word)).count();
    if kinds < 2 || length < 2 || other * 10 > cut || !share.sure || share.is < 0.1 {
        return None;
    }
    let facts = Facts::new()
        .with("from_length", base.max_length)
        .with("to_length", length as u64)
        .with("share", share.is)
        .with("transform", "text");
    Some(lane.change(ChangeKind::Truncated, facts))
}

/// Whether most of what piles up at a length are beginnings of known words, as far as both sides' words are known:
/// shorter words of a vocabulary are cut from nothing.
fn cut_from_known(base: &StringProfile, live: &StringProfile, length: u64) -> bool {
    let (Some(known), Some(words)) = (words_of(base), words_of(live)) else { return true };
    let (mut all, mut cut) = (0, 0);
    for (word, count) in words.iter().filter(|(word, _)| word.chars().count() as u64 == length) {
        all += count;
        let begins = known.keys().any(|long| long.len() > word.len() && long.starts_with(word));
        cut += if begins && !known.contains_key(word) { *count } else { 0 };
    }
    // Of words that come once or twice each the beginnings need not be known.
    let rare = base.top.counts.len() as u64 * 2 > base.count;
    all == 0 || rare || cut * 2 >= all
}

/// Whether the values themselves show a cut, so that it is believed before another notation, which a part of an
/// address or a number has as well: nothing is longer now, and the texts (of entities seen on both sides their own,
/// else as patterns) begin as the old ones did.
pub(super) fn cut_shows(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> bool {
    let length = live.max_length;
    if length >= base.max_length {
        return false;
    }
    let (mut all, mut begins) = (0_usize, 0_usize);
    for values in lane.ctx.pairs.values(lane.path, lane.path) {
        if let (SampleValue::Text { pattern: long, .. }, SampleValue::Text { pattern: short, length, .. }) =
            values
            && (*length == 0 || !short.is_empty())
        {
            all += 1;
            begins += usize::from(long.starts_with(short.as_str()));
        }
    }
    if all >= pairs::MIN_PAIRS {
        return begins * 10 >= all * 9;
    }
    // Of short texts the beginnings are known as patterns, of others where sampled texts are kept.
    let cut = |profile: &Profile, s: &StringProfile| {
        let mut by = std::collections::BTreeMap::<String, f64>::new();
        for (pattern, count) in s.patterns.iter().filter(|(p, _)| !p.is_empty()) {
            *by.entry(shape(&head(pattern, length as usize))).or_default() += *count as f64;
        }
        if by.values().sum::<f64>() * 2.0 < s.count as f64 {
            by.clear();
            for pattern in sampled_patterns(profile, lane.path) {
                *by.entry(shape(&head(pattern, length as usize))).or_default() += 1.0;
            }
        }
        let all: f64 = by.values().sum();
        by.values_mut().for_each(|n| *n /= all);
        by
    };
    let (was, is) = (cut(lane.ctx.base, base), cut(lane.ctx.live, live));
    is.iter().map(|(p, share)| share.min(was.get(p).copied().unwrap_or(0.0))).sum::<f64>() >= 0.7
}

/// Whether the old texts, cut at that length, look like the new ones (or are not sampled).
fn cut_fits(lane: &Lane<'_>, length: usize) -> bool {
    let count = |texts: &[&str], at: usize| {
        let mut counts = std::collections::BTreeMap::<String, f64>::new();
        let each = 1.0 / texts.len().max(1) as f64;
        for text in texts {
            *counts.entry(head(text, at)).or_default() += each;
        }
        counts
    };
    let (was, is) = (sampled_patterns(lane.ctx.base, lane.path), sampled_patterns(lane.ctx.live, lane.path));
    if was.len() < 20 || is.len() < 20 {
        return true;
    }
    // The later part of the window alone may be cut: only what is new in it must look like a cut.
    let (cut, now, old) = (count(&was, length), count(&is, usize::MAX), count(&was, usize::MAX));
    let known = |p: &String| old.contains_key(p) || cut.contains_key(p);
    now.iter().filter(|(p, _)| known(p)).map(|(_, share)| share).sum::<f64>() >= 0.8
}

/// The beginning of a pattern, of as many characters as `length`; what is longer than the patterns of a profile has
/// none.
fn head(pattern: &str, length: usize) -> String {
    let head: String = pattern.chars().take(length).collect();
    if head.chars().count() <= LONGEST_HEAD { head } else { String::new() }
}

/// The longest beginning that is compared by its pattern: longer ones of prose are all different.
const LONGEST_HEAD: usize = 32;
