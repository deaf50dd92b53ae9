//! Numbers under a transform: another unit, another sign, fewer digits, another way of writing them.

use super::cdf::{Points, TOLERANCE, numbers_of};
use super::context::{Lane, MIN_SUPPORT, name_words};
use super::pairs::{MIN_PAIRS, as_number};
use super::{stats, units};
use crate::model::{Change, ChangeKind, Facts, JsonType};
use crate::profile::{FieldProfile, NumberProfile};

/// Shares of the window that may still be as they were, when the change came in its midst.
const OLD_SHARES: [f64; 9] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/// How numbers are written: the unit of an epoch, a fraction that means nothing, fewer digits.
pub(super) fn notation(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (numbers_of(lane.base)?, numbers_of(lane.live)?);
    if base.count < MIN_SUPPORT || live.count < MIN_SUPPORT {
        return None;
    }
    epochs(lane, base, live).or_else(|| written(lane, base, live)).or_else(|| precision(lane, base, live))
}

/// Another unit or sign, entities seen on both sides first.
pub(super) fn scales(lane: &Lane<'_>) -> Option<Change> {
    let (base, live) = (numbers_of(lane.base)?, numbers_of(lane.live)?);
    // Moments have no size that another unit would change; their own notations were looked at before.
    if super::shift::is_moment(lane.base) {
        return None;
    }
    let paired = lane.ctx.pairs.numbers(lane.path, lane.path);
    if paired.len() >= MIN_PAIRS {
        if let Some(change) = paired_scale(lane, &paired) {
            return Some(change);
        }
        if !moved_far(&paired) {
            return None;
        }
    }
    if base.count < MIN_SUPPORT || live.count < MIN_SUPPORT {
        return None;
    }
    scale(lane, base, live)
}

/// A factor of five: what moved by less may have moved by itself.
const FAR: f64 = 1.61;

/// Whether nearly all entities moved far in one direction, each to a value of its own: what is counted anew for each
/// window, such as the sales of a shop, has no ratio that pairs agree on, and the distributions tell.
fn moved_far(paired: &[(f64, f64)]) -> bool {
    let logs = || paired.iter().filter(|(b, l)| b * l > 0.0).map(|(b, l)| (l / b).ln());
    let most = |count: usize| count * 10 >= paired.len() * 9;
    most(logs().filter(|log| *log >= FAR).count()) || most(logs().filter(|log| *log <= -FAR).count())
}

/// One ratio, or one straight line, for nearly all entities seen on both sides.
fn paired_scale(lane: &Lane<'_>, paired: &[(f64, f64)]) -> Option<Change> {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
    let equal = paired.iter().filter(|(b, l)| close(*b, *l)).count();
    // Nine of ten agree: the tenth may have changed by itself.
    let most = |count: usize| count * 10 >= paired.len() * 9;
    if let Some(change) = paired_in_part(lane, paired) {
        return Some(change);
    }
    if most(equal) {
        return None;
    }
    let (ratio, offset, agreeing) = fit(paired)?;
    if !most(agreeing) {
        return paired_about(lane, paired);
    }
    if is_one(ratio, offset) || units::named(ratio, offset, &[]).is_none() && is_shift(paired, agreeing) {
        return None;
    }
    Some(scale_change(lane, ratio, offset, Some((paired.len(), agreeing)), 0.0))
}

/// One known ratio for all entities that moved, while others stayed as they were: the change came in the midst of the
/// window. What moves by itself does not move by one and the same factor, from several values.
fn paired_in_part(lane: &Lane<'_>, paired: &[(f64, f64)]) -> Option<Change> {
    let moved: Vec<(f64, f64)> =
        paired.iter().filter(|(b, l)| !agrees((*b, *l), 1.0, 0.0)).copied().collect();
    if moved.len() < MIN_PAIRS || moved.len() == paired.len() {
        return None;
    }
    let mut values: Vec<f64> = moved.iter().map(|(b, _)| *b).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let (ratio, offset, agreeing) = fit(&moved)?;
    let is_known = units::named(ratio, offset, &[]).is_some() || (ratio, offset) == (-1.0, 0.0);
    let is_it = is_known && agreeing * 10 >= moved.len() * 9 && values.len() >= MIN_PAIRS;
    if !is_it || is_one(ratio, offset) || is_shift(&moved, agreeing) {
        return None;
    }
    let mut change = scale_change(lane, ratio, offset, Some((moved.len(), agreeing)), 0.0);
    change.facts.set("share", moved.len() as f64 / paired.len() as f64);
    Some(change)
}

/// Whether one step up or down fits as many entities as a ratio does: counters that grew, all of them near each other
/// next to their size.
fn is_shift(paired: &[(f64, f64)], agreeing: usize) -> bool {
    let mut steps: Vec<f64> = paired.iter().map(|(b, l)| l - b).collect();
    steps.sort_by(f64::total_cmp);
    let middle = steps[steps.len() / 2];
    let near = |(b, l): &&(f64, f64)| (b + middle - l).abs() <= AGREEMENT * l.abs().max(b.abs());
    paired.iter().filter(near).count() >= agreeing
}

/// A known ratio that nearly all entities come near, where each also moved by itself: prices and balances in another
/// unit. It is so far from 1 that movement is no rival, the middle entity is within a tenth of it, and the others lie
/// around that one as closely as half of the way back to 1, most within a quarter of their size.
fn paired_about(lane: &Lane<'_>, paired: &[(f64, f64)]) -> Option<Change> {
    let logs = paired.iter().filter(|(b, l)| b * l > 0.0).map(|(b, l)| (l / b).ln());
    let mut logs: Vec<f64> = logs.collect();
    if logs.len() < MIN_PAIRS || logs.len() * 10 < paired.len() * 9 {
        return None;
    }
    logs.sort_by(f64::total_cmp);
    let middle = logs[logs.len() / 2];
    let plain = units::units().iter().filter(|unit| unit.offset == 0.0 && unit.ratio > 0.0);
    let off = |ratio: f64| (ratio.ln() - middle).abs();
    let ratio = plain.map(|unit| unit.ratio).min_by(|a, b| off(*a).total_cmp(&off(*b)))?;
    let mut distances: Vec<f64> = logs.iter().map(|log| (log - ratio.ln()).abs()).collect();
    distances.sort_by(f64::total_cmp);
    let near = distances.partition_point(|distance| *distance < ratio.ln().abs() / 2.0);
    let is_it = ratio.ln().abs() >= FAR
        && off(ratio) <= 0.1
        && near * 10 >= paired.len() * 9
        && distances[distances.len() / 2] <= 0.25;
    is_it.then(|| scale_change(lane, ratio, 0.0, Some((paired.len(), near)), 0.0))
}

/// Whether a ratio is 1 as far as a fit tells: large numbers that all moved by a little (moments by an hour) did not
/// change their unit.
pub(crate) fn is_one(ratio: f64, offset: f64) -> bool {
    (ratio - 1.0).abs() < AGREEMENT && offset == 0.0
}

/// Two parts in a thousand: values this close agree.
const AGREEMENT: f64 = 0.002;

/// The ratio that most pairs share, or the line through them, with how many agree to within rounding.
#[must_use]
pub(crate) fn fit(paired: &[(f64, f64)]) -> Option<(f64, f64, usize)> {
    let mut ratios: Vec<f64> = paired.iter().filter(|(b, _)| *b != 0.0).map(|(b, l)| l / b).collect();
    if ratios.len() < MIN_PAIRS {
        return None;
    }
    ratios.sort_by(f64::total_cmp);
    let middle = ratios[ratios.len() / 2];
    let agree = |ratio: f64, offset: f64| paired.iter().filter(|pair| agrees(**pair, ratio, offset)).count();
    // A named ratio next to the middle one is taken exactly; its image then agrees where rounding had its way.
    let ratio = units::named(middle, 0.0, &[]).map_or(middle, |unit| unit.ratio);
    // What does next to nothing to the values explains nothing: numbers far above an offset hardly feel it.
    let still = agree(1.0, 0.0);
    let by_ratio = agree(ratio, 0.0);
    let named = units::units().iter().filter(|unit| unit.offset != 0.0);
    let by_line = named.map(|unit| (unit.ratio, unit.offset, agree(unit.ratio, unit.offset)));
    let line = by_line.max_by_key(|(_, _, agreeing)| *agreeing);
    // A few distinct values fit many lines; a ratio is told by two, a line by five.
    let mut values: Vec<f64> = paired.iter().map(|(b, _)| *b).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    match line {
        Some(line) if line.2 > by_ratio && values.len() >= 5 && still * 2 < line.2 => Some(line),
        _ if ratio != 0.0 && values.len() >= 2 => Some((ratio, 0.0, by_ratio)),
        _ => None,
    }
}

/// Whether a pair lies on the line.
fn agrees((b, l): (f64, f64), ratio: f64, offset: f64) -> bool {
    let image = b * ratio + offset;
    // Two parts in a thousand, or a half in the third significant digit of small numbers that were rounded.
    (image - l).abs() <= AGREEMENT * l.abs().max(image.abs()) + 0.000_5 * ratio.abs().clamp(1.0, 10.0)
}

/// Whether nine in ten pairs may agree with what [`fit`] finds: the same lines, each left at the first tenth of the
/// pairs that does not agree, and nothing sorted.
#[must_use]
pub(crate) fn may_fit(paired: &[(f64, f64)]) -> bool {
    let mut ratios: Vec<f64> = paired.iter().filter(|(b, _)| *b != 0.0).map(|(b, l)| l / b).collect();
    if ratios.len() < MIN_PAIRS {
        return false;
    }
    let at = ratios.len() / 2;
    let middle = *ratios.select_nth_unstable_by(at, f64::total_cmp).1;
    let ratio = units::named(middle, 0.0, &[]).map_or(middle, |unit| unit.ratio);
    let most = |ratio: f64, offset: f64| {
        let against = paired.iter().filter(|pair| !agrees(**pair, ratio, offset));
        against.take(paired.len() / 10 + 1).count() * 10 <= paired.len()
    };
    most(ratio, 0.0) || units::units().iter().any(|unit| unit.offset != 0.0 && most(unit.ratio, unit.offset))
}

/// Whether the name of the field speaks for the unit of a change.
pub(super) fn is_spoken_for(change: &Change) -> bool {
    let words = change.path.name().map(name_words).unwrap_or_default();
    let (ratio, offset) =
        (change.facts.number("ratio").unwrap_or(1.0), change.facts.number("offset").unwrap_or(0.0));
    units::named(ratio, offset, &words).is_some_and(|unit| unit.speaks(&words))
}

pub(super) fn scale_change(
    lane: &Lane<'_>,
    ratio: f64,
    offset: f64,
    paired: Option<(usize, usize)>,
    distance: f64,
) -> Change {
    let words = lane.path.name().map(name_words).unwrap_or_default();
    let mut facts = Facts::new().with("ratio", ratio).with("offset", offset);
    if let Some((paired, agreeing)) = paired {
        facts.set("paired", paired);
        facts.set("agreeing", agreeing);
    } else {
        facts.set("statistic", distance);
    }
    if (ratio + 1.0).abs() < 1e-9 && offset == 0.0 {
        facts.set("transform", "sign");
        facts.set("share", 1.0);
        return lane.change(ChangeKind::SignFlipped, facts);
    }
    // A field that names another quantity is in no such unit: the factor alone is told.
    if let Some(unit) = units::named(ratio, offset, &words)
        && (unit.speaks(&words) || !units::any_speaks(&words))
    {
        facts.set("unit", unit.name.clone());
        facts.set("transform", unit.id.clone());
    } else {
        facts.set("transform", "ratio");
    }
    lane.change(ChangeKind::ScaleChanged, facts)
}

/// Unix times in another unit.
fn epochs(lane: &Lane<'_>, base: &NumberProfile, live: &NumberProfile) -> Option<Change> {
    const NAMES: [&str; 4] = ["epoch-seconds", "epoch-millis", "epoch-micros", "epoch-nanos"];
    let was = base.epoch()?;
    let (is, count) = (0..4).filter(|i| *i != was).map(|i| (i, live.epochs[i])).max_by_key(|(_, n)| *n)?;
    let share = count as f64 / live.count as f64;
    if base.epochs[is] > 0 || count < 3 || share < 0.05 {
        return None;
    }
    let facts = Facts::new()
        .with("from_format", NAMES[was])
        .with("to_format", NAMES[is])
        .with("share", share)
        .with("ratio", 1000_f64.powi(is as i32 - was as i32))
        .with("transform", format!("{}-to-{}", NAMES[was], NAMES[is]));
    Some(lane.change(ChangeKind::FormatChanged, facts))
}

/// Whole numbers written with a fraction (`5` as `5.0`), or the other way round.
fn written(lane: &Lane<'_>, base: &NumberProfile, live: &NumberProfile) -> Option<Change> {
    let (was, is) = (&lane.base.types, &lane.live.types);
    let fresh = is.get(JsonType::Number);
    let all_whole = base.whole == base.count && live.whole == live.count;
    let enough = |n: u64, of: u64| n * 10 >= of * 3 && n >= MIN_SUPPORT.min(of);
    if !all_whole {
        return None;
    }
    let (transform, share) = if was.get(JsonType::Number) == 0 && enough(fresh, live.count) {
        ("integer-to-decimal", fresh as f64 / live.count as f64)
    } else if was.get(JsonType::Integer) == 0 && enough(is.get(JsonType::Integer), live.count) {
        ("decimal-to-integer", is.get(JsonType::Integer) as f64 / live.count as f64)
    } else {
        return None;
    };
    // Another unit makes whole numbers whole as well; where the values moved, the lane of scales speaks.
    let (b, l) = (Points::of_numbers(base), Points::of_numbers(live));
    let distance = b.distance(&l, TOLERANCE);
    if stats::ks_p_value(distance, b.count(), l.count()) < 0.001
        && lane.ctx.variation.field(lane.path).is_none_or(|v| distance > v.distance + 0.15)
    {
        return None;
    }
    let facts =
        Facts::new().with("encoding", "number-notation").with("share", share).with("transform", transform);
    Some(lane.change(ChangeKind::EncodingChanged, facts))
}

/// A known ratio, a known line, or a change of sign, by the distributions of both sides.
fn scale(lane: &Lane<'_>, base: &NumberProfile, live: &NumberProfile) -> Option<Change> {
    let (was, is) = (Points::of_numbers(base), Points::of_numbers(live));
    let (n, m) = (was.count(), is.count());
    let before = was.distance(&is, TOLERANCE);
    let natural = lane.ctx.variation.field(lane.path).map_or(0.0, |v| v.distance.max(0.0));
    // What no other records bring about: decimals that none had, a sign that none had, or values beyond all seen.
    // Nearly all, or nearly all from some record on: what moves below zero by itself comes back above it.
    let below = live.negative > 0 && live.negative * 10 >= (live.count - live.zero) * 9;
    let turned = base.negative == 0 && below;
    let mirrored = turned || base.negative == 0 && turns_midway(lane);
    // Counters go beyond all seen by themselves.
    let counts_on = lane.ctx.variation.field(lane.path).is_some_and(|v| v.trending)
        || base.whole == base.count && super::types::says_identifier(lane.path);
    let hard = is_recomputed(base, live) || turned || !counts_on && lies_far(base, &is);
    let by = lane.spread().max(1.0);
    let sure = significant(lane, before, n, m)
        || (hard || mirrored) && stats::ks_p_value(before, n / by, m / by) < 0.01;
    if !sure || before < 0.2 {
        return None;
    }
    let words = lane.path.name().map(name_words).unwrap_or_default();
    let flip = was.quantile(0.02) < 0.0 || was.quantile(0.98) > 0.0 && is.quantile(0.5) < 0.0;
    let best_of = |ratio: f64, offset: f64| {
        let image = was.image(ratio, offset);
        // What does next to nothing explains nothing.
        if image.distance(&was, TOLERANCE) < 0.2 {
            return None;
        }
        // Of two that fit alike the one with less left as it was is simpler.
        let cost = |old: f64| (image.mixed(&was, old).distance(&is, TOLERANCE), old);
        OLD_SHARES.map(cost).into_iter().min_by(|a, b| (a.0 + 0.1 * a.1).total_cmp(&(b.0 + 0.1 * b.1)))
    };
    let mut best: Option<(f64, f64, f64, f64)> = None;
    let hypotheses =
        units::units().iter().map(|unit| (unit.ratio, unit.offset)).chain(flip.then_some((-1.0, 0.0)));
    for (ratio, offset) in hypotheses {
        let Some((after, old)) = best_of(ratio, offset) else { continue };
        // The name of the field speaks for its unit.
        let spoken = units::named(ratio, offset, &words).is_some_and(|unit| unit.speaks(&words));
        let cost = after + 0.1 * old
            - match (spoken, hard) {
                (true, true) => 0.1 + natural.min(0.2),
                (true, false) => 0.1,
                (false, _) => 0.0,
            };
        if best.is_none_or(|b| cost < b.3) {
            best = Some((ratio, offset, after, cost));
        }
    }
    let (ratio, offset, after, cost) = best?;
    // A sign that comes midway is as hard, and says nothing of any factor.
    let hard = hard || mirrored && ratio < 0.0;
    // What a plain shift or stretch would leave: values near each other compared with their size look scaled when
    // they only moved.
    let ((mean, deviation), (to, stretched)) = (was.moments(), is.moments());
    let factor = if deviation > 0.0 { stretched / deviation } else { 1.0 };
    let rivals = [(1.0, is.quantile(0.5) - was.quantile(0.5)), (factor, to - mean * factor)];
    let rival = rivals.into_iter().filter_map(|(r, o)| best_of(r, o)).map(|(a, old)| a + 0.1 * old);
    let rival = rival.fold(f64::INFINITY, f64::min);
    // The image must be as near as a second sample would be (1.36 is the 95 % point of Kolmogorov), or as near as
    // the baseline's own sub-windows are, and clearly nearer than doing nothing.
    let chance = 1.36 * ((n + m) / (n * m)).sqrt();
    let limit = (chance + natural).min(if hard { 0.45 } else { 0.35 });
    let fits = after <= limit && after <= before / 2.0;
    // Within a factor of five, or with an offset, plain movement is the likelier cause; and among forty factors one
    // fits any movement. Only those are believed unspoken that people use whatever is measured.
    let spoken = units::named(ratio, offset, &words).is_some_and(|unit| unit.speaks(&words));
    if !spoken && (offset != 0.0 || !(hard || is_common(ratio) && fits_all_along(&was, &is, ratio, after))) {
        return None;
    }
    // Whole numbers do not stay whole under a factor such as 1.94: counts that grew do.
    let all_whole = base.whole == base.count && live.whole == live.count;
    let keeps_whole = |factor: f64| (factor - factor.round()).abs() < 1e-9;
    if all_whole && !spoken && !keeps_whole(ratio) && !keeps_whole(1.0 / ratio) {
        return None;
    }
    let near_one = offset != 0.0 || ratio.abs().ln().abs() < FAR;
    // A unit that the name speaks for and a sign have nothing to fit; a shift has its size, and a stretch two numbers.
    // With hard evidence beside it the values may also have gone on as they do by themselves.
    let margin = match (spoken || ratio < 0.0, hard) {
        (true, true) => 0.05 + natural.min(0.25),
        (true, false) => 0.05,
        (false, _) => -0.05,
    };
    // That a plain shift just lands on the mirror image, beyond zero, would be a coincidence.
    let beats = mirrored && ratio < 0.0
        || cost <= rival + margin && (hard || lane.is_exchangeable() || lane.dwarfs(before))
        || cost < rival - 0.15;
    // A unit that nothing speaks for, in records whose own movement is not known, may be that movement.
    let known = lane.ctx.course.is_unordered() && lane.ctx.variation.is_known();
    if !spoken && !hard && !known && !lane.ctx.course.beside(lane.path).quiet {
        return None;
    }
    if !fits || (near_one && !beats) {
        return None;
    }
    // Without pairs a factor is known only to within what the values vary by: where a simpler one next to it fits as
    // well, to within one value in a hundred, the name of a unit would be a guess.
    let total = |factor: f64| best_of(factor, 0.0).map_or(f64::INFINITY, |(after, old)| after + 0.1 * old);
    let here = total(ratio);
    let simpler = ROUND.into_iter().flat_map(|factor| [factor, 1.0 / factor]).find(|factor| {
        let apart = (ratio / factor).ln().abs();
        offset == 0.0 && (AGREEMENT..NEAR).contains(&apart) && total(*factor) <= here + 0.01
    });
    Some(scale_change(lane, simpler.unwrap_or(ratio), offset, None, after))
}

/// Factors that people use without any unit.
const ROUND: [f64; 8] = [2.0, 3.0, 4.0, 5.0, 8.0, 10.0, 100.0, 1000.0];
/// Factors that lie next to each other, as logarithms: 2 and 2.2046, 1000 and 1024.
const NEAR: f64 = 0.12;

/// The power of ten that sets all of two sides' values apart, at each of five quantiles to within a factor of two: so
/// much other records may differ, and no more by far than a fifth of a power of ten. For fields that are known to be one.
#[must_use]
pub(crate) fn power_of_ten(was: &FieldProfile, is: &FieldProfile) -> Option<f64> {
    let (base, live) = (numbers_of(was)?, numbers_of(is)?);
    if base.count < MIN_SUPPORT || live.count < MIN_SUPPORT {
        return None;
    }
    let (was, is) = (Points::of_numbers(base), Points::of_numbers(live));
    // Zero is zero in any unit: only what lies beyond the larger share of zeros is compared.
    let zeros = |n: &NumberProfile| n.zero as f64 / n.count as f64;
    let least = zeros(base).max(zeros(live));
    if (zeros(base) - zeros(live)).abs() > 0.2 || least > 0.9 || base.negative + live.negative > 0 {
        return None;
    }
    let at = |share: f64| least + (1.0 - least) * share;
    let mut logs = [0.1, 0.3, 0.5, 0.7, 0.9].map(|q| (is.quantile(at(q)) / was.quantile(at(q))).log10());
    logs.sort_by(f64::total_cmp);
    let power = logs[2].round();
    let near = logs.iter().all(|log| (log - power).abs() <= 2_f64.log10());
    (near && power != 0.0 && power.abs() <= 9.0).then(|| 10_f64.powi(power as i32))
}

/// Whether a factor is one of every trade: a power of ten, or of minutes and seconds; or a sign.
pub(super) fn is_common(ratio: f64) -> bool {
    let power = ratio.abs().log10();
    let sixty = |factor: f64| (ratio / factor - 1.0).abs() < AGREEMENT;
    (power - power.round()).abs() < 0.001 || [60.0, 1.0 / 60.0, 3600.0, 1.0 / 3600.0].into_iter().any(sixty)
}

/// Whether the image is one that a second sample would be as far from in one case of ten at least, and the values
/// spread as widely around their middle as before: other records that lie elsewhere are also spread otherwise.
fn fits_all_along(was: &Points, is: &Points, ratio: f64, after: f64) -> bool {
    if stats::ks_p_value(after, was.count(), is.count()) < 0.1 {
        return false;
    }
    let width = |points: &Points| {
        let (low, high) = (points.quantile(0.25).abs(), points.quantile(0.75).abs());
        (low > 0.0 && high > 0.0).then(|| (high / low).ln().abs())
    };
    // A stretch of the logarithms by more than what the factor itself comes to is no factor.
    match (width(was), width(is)) {
        (Some(before), Some(now)) => (now - before).abs() <= ratio.abs().ln().abs().max(0.5),
        _ => true,
    }
}

/// Whether numbers lie below zero from some record on: nine in ten behind the first that does, ten at least, and three
/// in ten of the window, as for a change that begins in its midst.
fn turns_midway(lane: &Lane<'_>) -> bool {
    let numbers: Vec<f64> = lane
        .values_in_order()
        .filter_map(|value| as_number(value?))
        .filter(|number| *number != 0.0)
        .collect();
    let Some(first) = numbers.iter().position(|number| *number < 0.0) else { return false };
    let below = numbers.iter().filter(|number| **number < 0.0).count();
    below >= 10 && below * 10 >= (numbers.len() - first) * 9 && below * 10 >= numbers.len() * 3
}

/// Whether two in ten numbers, ten at least, lie more than three times as far out as any did.
fn lies_far(base: &NumberProfile, is: &Points) -> bool {
    let reach = 3.0 * base.min.abs().max(base.max.abs());
    let far = is.beyond(reach);
    reach > 0.0 && far >= 10.0 && far >= 0.2 * is.count()
}

/// Whether three in ten numbers, ten at least, are written with more decimals than any had.
pub(super) fn is_recomputed(base: &NumberProfile, live: &NumberProfile) -> bool {
    let most = base.decimals.iter().rposition(|count| *count > 0).unwrap_or(0);
    let finer: u64 = live.decimals[(most + 1).min(8)..].iter().sum();
    finer >= 10 && finer * 10 >= live.count * 3
}

/// Whether a distance is beyond chance, the baseline's own variation taken into account.
pub(super) fn significant(lane: &Lane<'_>, distance: f64, n: f64, m: f64) -> bool {
    let by = lane.spread().max(1.0);
    let natural = lane.ctx.variation.field(lane.path);
    stats::ks_p_value(distance, n / by, m / by) < lane.ctx.alpha
        && natural.is_none_or(|v| distance > 2.0 * v.distance)
}

/// Fewer digits than before while the values stay where they were.
fn precision(lane: &Lane<'_>, base: &NumberProfile, live: &NumberProfile) -> Option<Change> {
    let at_least = |n: &NumberProfile, digits: usize| n.decimals[digits..].iter().sum::<u64>();
    let meaningful = |n: &NumberProfile, digits: usize| {
        // `42.0` has one digit as written and none that means something.
        if digits == 1 { (n.count - n.whole).min(at_least(n, 1)) } else { at_least(n, digits) }
    };
    // Where values come in runs, a run is one value.
    let run = if lane.is_in_runs() { lane.spread() } else { 1.0 };
    for digits in 1..8 {
        let (was, is) = (meaningful(base, digits), meaningful(live, digits));
        let p_value = lane.fisher_by(lane.share_spread().max(run), (was, base.count), (is, live.count));
        let (a, b) = (was as f64 / base.count as f64, is as f64 / live.count as f64);
        if a - b < 0.2 || b > 0.5 * a || p_value >= lane.ctx.alpha {
            continue;
        }
        // Rounding moves a value by less than one in the last place that is left; more is another unit.
        let step = 10_f64.powi(1 - digits as i32);
        let (was_points, is_points) = (Points::of_numbers(base), Points::of_numbers(live));
        let moved = was_points.distance_rounded(&is_points, step);
        // Where values move by themselves, a loss of all digits that leaves them in their order of size suffices.
        // Where nearly all had decimals, whole numbers among them are of one who cut them; of those with one decimal a
        // tenth is whole by chance.
        let bare = (is == 0 && a >= 0.5 || digits == 1 && a >= 0.85)
            && !(lane.ctx.variation.is_known() && lane.is_exchangeable());
        let (middle, now) = (was_points.quantile(0.5), is_points.quantile(0.5));
        let same_size = bare && now * middle > 0.0 && (now / middle).ln().abs() < std::f64::consts::LN_2;
        if !same_size && moved > 0.1 && stats::ks_p_value(moved, was_points.count(), is_points.count()) < 0.01
        {
            return None;
        }
        let from = (digits..8).rev().find(|d| at_least(base, *d) * 10 >= base.count).unwrap_or(digits);
        let facts = Facts::new()
            .with("from_decimals", from)
            .with("to_decimals", digits - 1)
            .with("share", a - b)
            .with("p_value", p_value)
            .with("transform", "digits");
        return Some(lane.change(ChangeKind::Truncated, facts));
    }
    None
}
