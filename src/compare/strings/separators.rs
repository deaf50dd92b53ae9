//! One separator in place of another.

use std::collections::BTreeSet;

use super::{sampled_patterns, signs};
use crate::compare::{
    context::{Lane, MIN_SUPPORT},
    pairs,
};
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::{Format, SampleValue, StringProfile};

/// One separator in place of another.
pub(super) fn separators(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    const SEPARATORS: [char; 8] = ['-', '_', ' ', '.', '/', ':', ',', '|'];
    // Both ways of seeing it: values that are equal once separators are out, and characters that change places.
    let folded = live.folded.containment(&base.folded);
    let plain = live.distinct.containment(&base.distinct);
    let (texts_was, texts_is) =
        (sampled_patterns(lane.ctx.base, lane.path), sampled_patterns(lane.ctx.live, lane.path));
    let move_of = |c: char| {
        let (a, n) = holding(base, &texts_was, c);
        let (b, m) = holding(live, &texts_is, c);
        (b as f64 / m.max(1) as f64 - a as f64 / n.max(1) as f64, lane.fisher((a, n), (b, m)))
    };
    let moves: Vec<(char, f64, f64)> = SEPARATORS
        .into_iter()
        .map(|c| {
            let (by, p_value) = move_of(c);
            (c, by, p_value)
        })
        .collect();
    let lost = moves.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let won = moves.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    // The sign that comes is the news; that another one goes by as much says which it stands for. One in a hundred.
    let exchanged = lost.1 <= -0.1 && won.1 >= 0.1 && lost.2 < 0.01 && won.2 < lane.ctx.alpha;
    let balanced = (lost.1 + won.1).abs() <= 0.5 * won.1;
    let same = folded >= 0.6 && folded - plain >= 0.15 || same_letters(lane);
    // Entities seen on both sides must show it themselves: the same letters and digits under other signs. Where most
    // move on by themselves, those that moved on to other letters tell nothing.
    let moves = lane.moves_by_itself();
    let mut paired = (0_usize, 0_usize);
    for values in lane.ctx.pairs.values(lane.path, lane.path) {
        if let (SampleValue::Text { folded: a, hash: x, .. }, SampleValue::Text { folded: b, hash: y, .. }) =
            values
        {
            paired = (paired.0 + usize::from(a == b || !moves), paired.1 + usize::from(a == b && x != y));
        }
    }
    if paired.0 >= pairs::MIN_PAIRS && paired.1 * 10 < paired.0 {
        return None;
    }
    // Few words, all of them other: a vocabulary was replaced, whatever its signs. Versions and the like have a grammar.
    let few = |s: &StringProfile| {
        !s.top.overflown
            && s.distinct.estimate_distinct() <= 0.5 * s.count as f64
            && s.main_format().is_soft()
    };
    if !same && few(base) && few(live) {
        return None;
    }
    // Values that are all other may still be built as those before them, but for the sign.
    let built_alike = || plain < 0.5 && same_build((&texts_was, lost.0), (&texts_is, won.0));
    let told =
        if same { exchanged || won.1 >= 0.1 && won.2 < 0.01 } else { exchanged && balanced && built_alike() };
    if !told {
        return None;
    }
    // Another sign between day, month and year may go with another order of them: no mere sign is put for another.
    if !same && [base, live].iter().all(|s| s.main_format() == Format::DateOther) {
        let facts = Facts::new()
            .with("from_format", main_pattern(base))
            .with("to_format", main_pattern(live))
            .with("share", won.1)
            .with("transform", "date-notation");
        return Some(lane.change(ChangeKind::FormatChanged, facts));
    }
    let facts = Facts::new()
        .with("encoding", "separator")
        .with("from_separator", lost.0.to_string())
        .with("to_separator", won.0.to_string())
        .with("share", won.1)
        .with("transform", "separator");
    Some(lane.change(ChangeKind::EncodingChanged, facts))
}

/// The character pattern that most strings have, of equals the first; empty where none was kept.
fn main_pattern(s: &StringProfile) -> &str {
    let most = s.patterns.iter().rev().max_by_key(|(_, count)| **count);
    most.map_or("", |(pattern, _)| pattern)
}

/// The share of strings that hold a character: by their patterns, or, where those are given up, by those of sampled
/// texts.
fn holding(s: &StringProfile, sampled: &[&str], c: char) -> (u64, u64) {
    let known = s.patterns.iter().filter(|(p, _)| !p.is_empty());
    let (hits, all) =
        known.fold((0, 0), |(hits, all), (p, n)| (hits + if p.contains(c) { *n } else { 0 }, all + n));
    if all * 2 > s.count || sampled.is_empty() {
        return (hits, all);
    }
    (sampled.iter().filter(|text| text.contains(c)).count() as u64, sampled.len() as u64)
}

/// Whether most texts that hold the sign that came are built as texts were that held the one that went: the same signs
/// in the same order and the same classes of characters, once the one is put for the other.
fn same_build((were, lost): (&[&str], char), (are, won): (&[&str], char)) -> bool {
    let known: BTreeSet<String> =
        were.iter().filter(|text| text.contains(lost)).map(|text| signs(text)).collect();
    let fresh: Vec<&&str> = are.iter().filter(|text| text.contains(won)).collect();
    let alike =
        fresh.iter().filter(|text| known.contains(&signs(&text.replace(won, &lost.to_string())))).count();
    !fresh.is_empty() && alike * 10 >= fresh.len() * 6
}

/// Whether the sampled values are known by their letters and digits, and many of them not as they stand: of long texts
/// only samples tell, and records weigh where values are few.
fn same_letters(lane: &Lane<'_>) -> bool {
    let sampled = |profile| {
        Lane::sample(profile, lane.path).filter_map(|value| match value {
            SampleValue::Text { hash, folded, length, .. } if *length > 0 => Some((*hash, *folded)),
            _ => None,
        })
    };
    let (hashes, letters): (BTreeSet<u64>, BTreeSet<u64>) = sampled(lane.ctx.base).unzip();
    let (mut all, mut known, mut as_it_stands) = (0_usize, 0_usize, 0_usize);
    for (hash, folded) in sampled(lane.ctx.live) {
        all += 1;
        known += usize::from(letters.contains(&folded));
        as_it_stands += usize::from(hashes.contains(&hash));
    }
    all as u64 >= MIN_SUPPORT && known * 10 >= all * 6 && (known - as_it_stands) * 100 >= all * 15
}
