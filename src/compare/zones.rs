//! Instants that moved by a time zone: the same moments by a whole number of quarter hours.

use super::context::Lane;
use super::pairs::MIN_PAIRS;
use super::stats;
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::SampleValue;

const DAY: i64 = 86_400;

/// A shift by a time zone, of entities seen on both sides or, without any, of the hours of the day.
pub(super) fn zones(lane: &Lane<'_>) -> Option<Change> {
    if !super::shift::is_moment(lane.base) || !super::shift::is_moment(lane.live) {
        return None;
    }
    let paired: Vec<(i64, i64)> = lane
        .ctx
        .pairs
        .values(lane.path, lane.path)
        .filter_map(|(b, l)| Some((instant(b)?, instant(l)?)))
        .collect();
    if paired.len() >= MIN_PAIRS {
        // A moment that moves with the clock, as "last seen" does, moves by the time between two looks, and that is a
        // whole number of quarter hours wherever the schedule is one.
        return if lane.moves_by_itself() { None } else { paired_shift(lane, &paired) };
    }
    let hours = |profile| -> Vec<i64> { Lane::sample(profile, lane.path).filter_map(instant).collect() };
    let (was, is) = (hours(lane.ctx.base), hours(lane.ctx.live));
    // A window within a few days has the hours of its own traffic; only many days show the clock of the source.
    let days = |of: &[i64]| {
        let mut days: Vec<i64> = of.iter().map(|t| t.div_euclid(DAY)).collect();
        days.sort_unstable();
        days.dedup();
        days.len()
    };
    if days(&was) < 10 || days(&is) < 10 || was.len() < 20 || is.len() < 20 {
        return None;
    }
    let by = lane.spread().max(1.0);
    let slots = |of: &[i64], shift: i64| -> Vec<f64> {
        let mut slots = vec![0.0; 24];
        for t in of {
            slots[((t + shift).rem_euclid(DAY) / 3600) as usize] += 1.0 / by;
        }
        slots
    };
    let p_of = |minutes: i64| {
        let cells: Vec<(f64, f64)> = slots(&was, minutes * 60).into_iter().zip(slots(&is, 0)).collect();
        let effect: f64 =
            cells.iter().map(|(a, b)| (a * by / was.len() as f64 - b * by / is.len() as f64).abs()).sum();
        (stats::g_test(&cells).0, effect / 2.0)
    };
    let (before, effect) = p_of(0);
    if before >= lane.ctx.alpha || effect < 0.3 {
        return None;
    }
    // The zones of the world lie between -12:00 and +14:00.
    let shifts = (-56..=56).map(|q| q * 15).filter(|m| is_offset(*m)).map(|m| (m, p_of(m)));
    let (minutes, (after, left)) = shifts.min_by(|a, b| {
        (a.1.1, a.0.abs()).partial_cmp(&(b.1.1, b.0.abs())).unwrap_or(std::cmp::Ordering::Equal)
    })?;
    // The later part of the window alone may have moved; then no one shift fits all, but most of the way is made.
    (left <= 0.5 * effect && (after > 0.001 || left <= 0.35)).then(|| change(lane, minutes, None))
}

/// Whether clocks somewhere in the world go by so many minutes before or behind UTC: whole hours, and the halves and
/// quarters in use (IANA time zone database). What lies between them is other traffic.
fn is_offset(minutes: i64) -> bool {
    const BETWEEN: [i64; 9] = [210, 270, 330, 345, 390, 525, 570, 630, 765];
    minutes != 0 && (minutes % 60 == 0 || BETWEEN.contains(&minutes.abs()))
}

fn instant(value: &SampleValue) -> Option<i64> {
    let seconds = super::pairs::as_number(value)?;
    // Milliseconds and finer are brought to seconds by their size.
    let seconds = [1e17, 1e14, 1e11]
        .iter()
        .zip([1e9, 1e6, 1e3])
        .find(|(limit, _)| seconds.abs() >= **limit)
        .map_or(seconds, |(_, by)| seconds / by);
    (seconds.abs() < 1e11).then_some(seconds as i64)
}

fn paired_shift(lane: &Lane<'_>, paired: &[(i64, i64)]) -> Option<Change> {
    let mut shifts: Vec<i64> = paired.iter().map(|(b, l)| l - b).collect();
    shifts.sort_unstable();
    let middle = shifts[shifts.len() / 2];
    let agreeing = shifts.iter().filter(|s| **s == middle).count();
    let zone = middle != 0 && middle % 900 == 0 && middle.abs() <= 14 * 3600;
    (zone && agreeing * 10 >= paired.len() * 9)
        .then(|| change(lane, middle / 60, Some((paired.len(), agreeing))))
}

fn change(lane: &Lane<'_>, minutes: i64, paired: Option<(usize, usize)>) -> Change {
    let mut facts = Facts::new().with("offset_minutes", minutes as f64).with("transform", "zone");
    if let Some((paired, agreeing)) = paired {
        facts.set("paired", paired);
        facts.set("agreeing", agreeing);
    }
    lane.change(ChangeKind::TimezoneShifted, facts)
}
