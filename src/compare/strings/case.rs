//! Upper and lower case.

use std::collections::{BTreeMap, BTreeSet};

use super::{shape, shares, words_of};
use crate::compare::{context::Lane, enums, stats};
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::{SampleValue, StringProfile};

/// Upper and lower case.
pub(super) fn case(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let classes = |s: &StringProfile| [s.lower, s.upper, s.count - s.lower - s.upper];
    let (was, is) = (classes(base), classes(live));
    let (n, m) = (base.count as f64, live.count as f64);
    let moved = |i: usize| is[i] as f64 / m - was[i] as f64 / n;
    let lost = (0..3).min_by(|a, b| moved(*a).total_cmp(&moved(*b)))?;
    let won = (0..3).max_by(|a, b| moved(*a).total_cmp(&moved(*b)))?;
    let share = shares(lane, (was[won], base.count), (is[won], live.count));
    if !share.sure || moved(won) < 0.3 || moved(lost) > -0.3 {
        return None;
    }
    let turned = was[won] == 0 && turned(lane, base, won);
    if !turned && !same_but_for_case(lane, base, live) {
        return None;
    }
    // Capitals alone are no change of case: of a vocabulary, half of what came must be its words in other letters.
    if !turned
        && let (Some(known), Some(words)) = (words_of(base), words_of(live))
        && base.top.counts.len() <= enums::VOCABULARY
    {
        let folded: BTreeSet<String> = known.keys().map(|word| word.to_lowercase()).collect();
        let fresh = words.iter().filter(|(word, _)| !known.contains_key(*word));
        let (ours, theirs): (Vec<_>, Vec<_>) =
            fresh.partition(|(word, _)| folded.contains(&word.to_lowercase()));
        let sum = |of: &[(&&str, &u64)]| of.iter().map(|(_, count)| **count).sum::<u64>();
        if sum(&ours) < sum(&theirs) {
            return None;
        }
    }
    let word = |i: usize| ["lower", "upper", "mixed"][i];
    let mut facts = Facts::new()
        .with("from_case", word(lost))
        .with("to_case", word(won))
        .with("share", moved(won))
        .with("transform", "case");
    // Words that came or went besides are no matter of case.
    let (gone, fresh) =
        if turned { (Vec::new(), Vec::new()) } else { (unmatched(base, live), unmatched(live, base)) };
    if !gone.is_empty() || !fresh.is_empty() {
        facts = facts.with("new_values", fresh).with("lost_values", gone);
    }
    Some(lane.change(ChangeKind::CaseChanged, facts))
}

/// Whether the values of a vocabulary that comes and goes by itself are written in letters in which none was, whatever
/// they are: values that are built as the known ones were, but for their case. Each counts once.
fn turned(lane: &Lane<'_>, base: &StringProfile, won: usize) -> bool {
    let distinct = |profile| -> BTreeMap<u64, &str> {
        Lane::sample(profile, lane.path)
            .filter_map(|value| match value {
                SampleValue::Text { hash, pattern, .. } if !pattern.is_empty() => {
                    Some((*hash, pattern.as_str()))
                }
                _ => None,
            })
            .collect()
    };
    let case = |pattern: &str| match (pattern.contains('a'), pattern.contains('A')) {
        (true, false) => 0,
        (false, true) => 1,
        _ => 2,
    };
    let (was, is) = (distinct(lane.ctx.base), distinct(lane.ctx.live));
    let builds: BTreeSet<String> = was.values().map(|pattern| shape(pattern)).collect();
    let in_turn = |pattern: &&&str| case(pattern) == won;
    let fresh: Vec<&&str> = is.values().filter(in_turn).collect();
    let alike = |pattern: &&&&str| {
        let length = pattern.chars().count() as u64;
        builds.contains(&shape(pattern)) && (base.min_length..=base.max_length).contains(&length)
    };
    let (k, j) = (was.len() as u64, fresh.len() as u64);
    // Where records come in no order, the words themselves must come again. One in a hundred, as for a path that is gone.
    (lane.is_in_runs() || !lane.ctx.course.is_unordered())
        && was.values().all(|pattern| case(pattern) != won)
        && j >= 3
        && fresh.iter().filter(alike).count() * 10 >= fresh.len() * 9
        && stats::fisher(0, k, j, is.len() as u64) < 0.01
}

/// Words of one side of a vocabulary that the other does not have in any case, although chance alone would have shown
/// them.
fn unmatched(one: &StringProfile, other: &StringProfile) -> Vec<String> {
    let few = |s: &StringProfile| !s.top.overflown && s.top.counts.len() <= enums::VOCABULARY;
    if !few(one) || !few(other) {
        return Vec::new();
    }
    let words = |s: &StringProfile| -> Option<Vec<(String, u64)>> {
        s.top.counts.values().map(|(count, text)| Some((text.clone()?, *count))).collect()
    };
    let (Some(these), Some(those)) = (words(one), words(other)) else { return Vec::new() };
    let known: std::collections::BTreeSet<String> = those.iter().map(|(t, _)| t.to_lowercase()).collect();
    let mut found: Vec<String> = these
        .into_iter()
        .filter(|(text, count)| {
            !known.contains(&text.to_lowercase())
                && *count >= 3
                && stats::fisher(*count, one.count, 0, other.count) < 0.01
        })
        .map(|(text, _)| text)
        .collect();
    found.sort_unstable();
    found
}

/// Whether, case apart, the strings are what they were: the same values, or the same patterns.
fn same_but_for_case(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> bool {
    let folded = live.folded.containment(&base.folded);
    let plain = live.distinct.containment(&base.distinct);
    if folded >= 0.5 && folded - plain >= 0.2 {
        return true;
    }
    // A vocabulary is known by its words; what else is in another case is another word.
    let few = |s: &StringProfile| !s.top.overflown && s.distinct.estimate_distinct() <= 0.25 * s.count as f64;
    let is_folded = |s: &StringProfile| s.folded.estimate_distinct() >= 0.9 * s.distinct.estimate_distinct();
    if few(base) && few(live) && is_folded(base) && is_folded(live) && folded < 0.5 {
        return false;
    }
    // Unique strings of the same build and the same lengths.
    let share = |s: &StringProfile, length: f64| s.lengths.cdf(length);
    let apart =
        (0..=40).map(|l| (share(base, f64::from(l)) - share(live, f64::from(l))).abs()).fold(0.0, f64::max);
    let chance = 1.63 * (1.0 / base.count as f64 + 1.0 / live.count as f64).sqrt();
    if lane.is_exchangeable() && apart > chance {
        return false;
    }
    let caseless = |s: &StringProfile| {
        let mut by = std::collections::BTreeMap::<String, f64>::new();
        for (pattern, count) in &s.patterns {
            *by.entry(shape(pattern)).or_default() += *count as f64 / s.count as f64;
        }
        by
    };
    let (was, is) = (caseless(base), caseless(live));
    let overlap: f64 = was.iter().map(|(p, share)| share.min(is.get(p).copied().unwrap_or(0.0))).sum();
    overlap >= 0.5
}
