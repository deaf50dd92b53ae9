//! Strings: notation, encoding, case, separators and length; content is the business of other lanes.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Lane, MIN_SUPPORT};
use crate::model::{Change, ChangeKind, Facts, FieldPath};
use crate::profile::{Format, Profile, SampleValue, StringProfile, TopValues};

/// The first reading that fits, the most specific first: one string field changes in one way.
pub(super) fn strings(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (lane.base.strings.as_deref()?, lane.live.strings.as_deref()?);
    if base.count == 0 || live.count == 0 {
        return None;
    }
    if base.count < MIN_SUPPORT.min(lane.ctx.base.records)
        || live.count < MIN_SUPPORT.min(lane.ctx.live.records)
    {
        return None;
    }
    instants(lane, base, live)
        .or_else(|| cut_words(lane, base, live))
        .or_else(|| truncated(lane, base, live).filter(|_| cut_shows(lane, base, live)))
        .or_else(|| encodings(lane, base, live))
        .or_else(|| empties(lane, base, live))
        .or_else(|| formats(lane, base, live))
        .or_else(|| hosts(lane, base, live))
        .or_else(|| case(lane, base, live))
        .or_else(|| separators(lane, base, live))
        .or_else(|| truncated(lane, base, live))
        .or_else(|| width(lane, base, live))
        .or_else(|| longer(lane, base, live))
        .or_else(|| patterns(lane, base, live))
}

/// Shares of both sides, how far they are apart, and whether an exact test sees it.
struct Shares {
    was: f64,
    is: f64,
    sure: bool,
}

fn shares(lane: &Lane<'_>, (a, n): (u64, u64), (b, m): (u64, u64)) -> Shares {
    let p_value = lane.fisher_by(lane.form_spread(), (a, n), (b, m));
    Shares {
        was: a as f64 / n.max(1) as f64,
        is: b as f64 / m.max(1) as f64,
        sure: p_value < lane.ctx.alpha && !lane.pairs_say_unchanged(),
    }
}

impl Lane<'_> {
    /// Whether nearly every entity seen on both sides kept its value here.
    pub(super) fn pairs_say_unchanged(&self) -> bool {
        let mut all = 0_usize;
        let mut equal = 0_usize;
        for (before, after) in self.ctx.pairs.values(self.path, self.path) {
            all += 1;
            equal += usize::from(super::pairs::equal(before, after));
        }
        all >= super::pairs::MIN_PAIRS && equal * 20 >= all * 19
    }
}

/// Dates and times in another notation.
fn instants(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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

/// The same text, wrapped otherwise: padding, HTML escapes, UTF-8 read as Latin-1.
fn encodings(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    for (name, was, is) in [
        ("padding", base.padded, live.padded),
        ("html-escape", base.html_escaped, live.html_escaped),
        ("mojibake", base.mojibake, live.mojibake),
    ] {
        let share = shares(lane, (was, base.count), (is, live.count));
        // Rare characters carry these: only the share that could show it does. None before and several now, or a
        // clear step, speak for it.
        let fresh = was == 0 && is >= 3;
        if (share.sure && (share.is - share.was).abs() >= 0.1) || (fresh && share.is >= share.was + 0.005) {
            let facts = Facts::new()
                .with("encoding", name)
                .with("share", share.is)
                .with("baseline_share", share.was)
                .with("transform", name);
            return Some(lane.change(ChangeKind::EncodingChanged, facts));
        }
    }
    None
}

/// Empty strings where there were none, or fewer.
fn empties(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
    let share = shares(lane, (base.empty, lane.base.present), (live.empty, lane.live.present));
    let fresh = base.empty == 0 && live.empty >= 4 && share.is >= 0.05;
    let step = share.is - share.was;
    let (was, is) = ((base.empty, lane.base.present), (live.empty, lane.live.present));
    let sure = lane.fisher_by(lane.form_spread(), was, is) < 0.06;
    if (fresh && sure) || (share.sure && step >= 0.1) {
        let facts = Facts::new()
            .with("baseline_null_rate", share.was)
            .with("live_null_rate", share.is)
            .with("transform", "empty-strings");
        return Some(lane.change(ChangeKind::NullsChanged, facts));
    }
    None
}

/// Notations with a grammar: identifiers, numbers in text, addresses.
fn formats(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
/// that brings the same values again and again: the codes of one maker are no sample of all codes.
fn values_say(lane: &Lane<'_>, format: Format) -> bool {
    if lane.ctx.course.is_unordered() || lane.ctx.pairs.same_population() || lane.path.is_repeated() {
        return true;
    }
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
    super::stats::fisher(was.0, was.1, is.0, is.1) < lane.ctx.alpha
}

/// Addresses that nearly all pointed to one host, and most of them to one that none pointed to.
fn hosts(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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

/// Upper and lower case.
fn case(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
        && base.top.counts.len() <= super::enums::VOCABULARY
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
        && super::stats::fisher(0, k, j, is.len() as u64) < 0.01
}

/// Words of one side of a vocabulary that the other does not have in any case, although chance alone would have shown
/// them.
fn unmatched(one: &StringProfile, other: &StringProfile) -> Vec<String> {
    let few = |s: &StringProfile| !s.top.overflown && s.top.counts.len() <= super::enums::VOCABULARY;
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
                && super::stats::fisher(*count, one.count, 0, other.count) < 0.01
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

/// A pattern without case and lengths: `Aaaa-99` is `a-9`.
fn shape(pattern: &str) -> String {
    let mut text: String = pattern.to_lowercase();
    let mut last = None;
    text.retain(|c| {
        let keep = last != Some(c) || !c.is_alphanumeric();
        last = Some(c);
        keep
    });
    text
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

/// The patterns of the sampled texts of a field, of their first 64 characters each.
fn sampled_patterns<'a>(profile: &'a Profile, path: &'a FieldPath) -> Vec<&'a str> {
    Lane::sample(profile, path)
        .filter_map(|value| match value {
            SampleValue::Text { pattern, length, .. } if *length == 0 || !pattern.is_empty() => {
                Some(pattern.as_str())
            }
            _ => None,
        })
        .collect()
}

/// The beginning of a pattern, of as many characters as `length`; what is longer than the patterns of a profile has
/// none.
fn head(pattern: &str, length: usize) -> String {
    let head: String = pattern.chars().take(length).collect();
    if head.chars().count() <= LONGEST_HEAD { head } else { String::new() }
}

/// The longest beginning that is compared by its pattern: longer ones of prose are all different.
const LONGEST_HEAD: usize = 32;

/// One separator in place of another.
fn separators(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
    // Entities seen on both sides must show it themselves: the same letters and digits under other signs. Those that
    // moved on to other letters tell nothing.
    let mut paired = (0_usize, 0_usize);
    for values in lane.ctx.pairs.values(lane.path, lane.path) {
        if let (SampleValue::Text { folded: a, hash: x, .. }, SampleValue::Text { folded: b, hash: y, .. }) =
            values
        {
            paired = (paired.0 + usize::from(a == b), paired.1 + usize::from(a == b && x != y));
        }
    }
    if paired.0 >= super::pairs::MIN_PAIRS && paired.1 * 10 < paired.0 {
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
    if !(exchanged && balanced && (same || plain < 0.5)
        || same && (exchanged || won.1 >= 0.1 && won.2 < 0.01))
    {
        return None;
    }
    let facts = Facts::new()
        .with("encoding", "separator")
        .with("from_separator", lost.0.to_string())
        .with("to_separator", won.0.to_string())
        .with("share", won.1)
        .with("transform", "separator");
    Some(lane.change(ChangeKind::EncodingChanged, facts))
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

/// Strings cut at a length: they pile up where they used to go on.
fn truncated(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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

/// The words of a vocabulary with their counts, as far as they are kept in clear; `None` where there are too many.
fn words_of(s: &StringProfile) -> Option<BTreeMap<&str, u64>> {
    (!s.top.overflown)
        .then(|| s.top.counts.values().filter_map(|(count, text)| Some((text.as_deref()?, *count))).collect())
}

/// Words never seen that are beginnings of known longer ones, all of one length, which none now exceeds as often.
fn cut_words(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
fn cut_shows(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> bool {
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
    if all >= super::pairs::MIN_PAIRS {
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

/// Codes that all had one length and now have others: who cuts them out of a text, or keeps them in a column, finds
/// parts of them. Entities that kept theirs say nothing of what new ones look like.
fn width(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
fn longer(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
fn patterns(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
    let fresh =
        super::stats::binomial_at_least((new as f64 / by) as u64, (m as f64 / by) as u64, unseen.min(1.0));
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
pub(super) fn signs(pattern: &str) -> String {
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
