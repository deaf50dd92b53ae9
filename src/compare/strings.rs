//! Strings: notation, encoding, case, separators and length; content is the business of other lanes.

mod case;
mod codes;
mod cuts;
mod encoding;
mod notation;
mod separators;

use std::collections::BTreeMap;

use case::case;
pub(super) use codes::signs;
use codes::{longer, patterns, width};
use cuts::{cut_shows, cut_words, truncated};
use encoding::{empties, encodings};
use notation::{formats, hosts, instants};
use separators::separators;

use super::context::{Lane, MIN_SUPPORT};
use crate::model::{Change, FieldPath};
use crate::profile::{Profile, SampleValue, StringProfile};

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

/// The words of a vocabulary with their counts, as far as they are kept in clear; `None` where there are too many.
fn words_of(s: &StringProfile) -> Option<BTreeMap<&str, u64>> {
    (!s.top.overflown)
        .then(|| s.top.counts.values().filter_map(|(count, text)| Some((text.as_deref()?, *count))).collect())
}
