//! Instants that moved by a time zone: the same moments by a whole number of quarter hours.

use std::collections::BTreeSet;

use super::context::Lane;
use super::pairs::MIN_PAIRS;
use super::stats;
use crate::model::{Change, ChangeKind, Facts, FieldPath};
use crate::profile::{FieldProfile, Format, Profile, SampleValue, SampledRecord};

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
    // A day has no zone.
    if lane.base.strings.as_deref().is_some_and(|s| s.main_format() == Format::Date) {
        return None;
    }
    if let Some(change) = beside_others(lane).or_else(|| by_the_clock(lane)).or_else(|| too_early(lane)) {
        return Some(change);
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
    // Where they come in the order of time, it takes a month of them: events come in swarms.
    let least = if lane.ctx.course.is_unordered() { 10 } else { 30 };
    if days(&was) < least || days(&is) < least || was.len() < 20 || is.len() < 20 {
        return None;
    }
    // Days follow each other whatever the order of the records: over that many of them the time of day is a sample.
    let (n, m) = (was.len() as f64, is.len() as f64);
    let apart = |minutes: i64| {
        let clock = |of: &[i64], shift: i64| -> Vec<f64> {
            of.iter().map(|t| (t + shift).rem_euclid(DAY) as f64).collect()
        };
        stats::kuiper(&clock(&was, minutes * 60), &clock(&is, 0))
    };
    let hours_of = |of: &[i64]| {
        let mut hours = std::collections::BTreeMap::<u64, u64>::new();
        of.iter().for_each(|t| *hours.entry((t.rem_euclid(DAY) / 3600) as u64).or_default() += 1);
        hours
    };
    // Full hours are categories as well: schedules keep to them.
    let by_hour = stats::g_test(&stats::cells(&hours_of(&was), &hours_of(&is), 1.0)).0;
    let before = apart(0);
    if 2.0 * stats::kuiper_p_value(before, n, m).min(by_hour) >= lane.ctx.alpha || before < 0.3 {
        return None;
    }
    let (minutes, left) = nearest(apart)?;
    // The later part of the window alone may have moved; then no one shift fits all, but most of the way is made.
    let fits = stats::kuiper_p_value(left, n, m) > 0.001 || left <= 0.35;
    (left <= 0.5 * before && fits).then(|| change(lane, minutes, None))
}

/// The shift by a zone, in minutes, that leaves the least apart; of equal ones the smallest.
fn nearest(apart: impl Fn(i64) -> f64) -> Option<(i64, f64)> {
    // The zones of the world lie between -12:00 and +14:00.
    let shifts = (-56..=56).map(|q| q * 15).filter(|m| is_offset(*m)).map(|m| (m, apart(m)));
    shifts.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.abs().cmp(&b.0.abs())))
}

/// A shift against the other moments of the same records: departures keep their distance from the schedule, whatever
/// the day.
fn beside_others(lane: &Lane<'_>) -> Option<Change> {
    // A count of seconds has no zone.
    lane.base.strings.as_deref()?;
    let others = lane.ctx.base.fields.iter().filter(|(path, field)| {
        *path != lane.path
            && super::shift::is_moment(field)
            && lane.ctx.live.fields.get(*path).is_some_and(super::shift::is_moment)
    });
    let shifts: Vec<(&FieldPath, Option<i64>)> =
        others.take(MAX_OTHERS).map(|(other, _)| (other, shift_from(lane, other))).collect();
    let (other, minutes) = shifts.iter().find_map(|(other, minutes)| Some((*other, (*minutes)?)))?;
    let agreeing = shifts.iter().filter(|(_, m)| *m == Some(minutes)).count();
    // Of three moments the one that left the two others; of two the one whose time of day is less what it was.
    let alone = match shifts.len() {
        _ if lane.ctx.base.fields.get(other).is_some_and(has_no_zone) => true,
        1 => left_its_course(lane, other, minutes),
        all => agreeing * 2 > all,
    };
    alone.then(|| change(lane, minutes, None))
}

/// A count of seconds, or a day.
fn has_no_zone(field: &FieldProfile) -> bool {
    field.strings.as_deref().is_none_or(|s| s.main_format() == Format::Date)
}

/// The few times of day at which all events happen (midnight, opening hours), and others now that are these moved by a
/// zone. No statistics are needed for what never happened before; a single hour is what summer time does.
fn by_the_clock(lane: &Lane<'_>) -> Option<Change> {
    const FEW: usize = 4;
    lane.base.strings.as_deref()?;
    let clock = |profile| -> Vec<i64> {
        Lane::sample(profile, lane.path).filter_map(instant).map(|t| t.rem_euclid(DAY)).collect()
    };
    let (was, is) = (clock(lane.ctx.base), clock(lane.ctx.live));
    let usual: BTreeSet<i64> = was.iter().copied().collect();
    let new: Vec<i64> = is.iter().copied().filter(|time| !usual.contains(time)).collect();
    // Three in ten, and more than chance: each other time would have been seen in one record of the baseline.
    if was.len() < 20 || is.len() < 20 || usual.len() > FEW || new.len() * 10 < is.len() * 3 {
        return None;
    }
    let fits = |minutes: i64| {
        let back = |time: &i64| usual.contains(&(time - minutes * 60).rem_euclid(DAY));
        f64::from(u8::from(!new.iter().all(back)))
    };
    let (minutes, left) = nearest(fits)?;
    (left == 0.0 && minutes.abs() > 60).then(|| change(lane, minutes, None))
}

/// A moment that came after another one of the same record in several records, though it never did (an event that is
/// reported before it happens): the least time between the two moved by a zone.
fn too_early(lane: &Lane<'_>) -> Option<Change> {
    lane.base.strings.as_deref()?;
    let others = lane.ctx.base.fields.iter().filter(|(path, field)| {
        *path != lane.path && super::shift::is_moment(field) && field.strings.is_none()
    });
    let between = |profile: &Profile, other: &FieldPath| -> Vec<i64> {
        let apart = |record: &SampledRecord| {
            Some(instant(record.0.get(other)?)? - instant(record.0.get(lane.path)?)?)
        };
        let mut all: Vec<i64> = profile.entities.records.values().filter_map(apart).collect();
        all.sort_unstable();
        all
    };
    others.take(MAX_OTHERS).find_map(|(other, _)| {
        let (was, is) = (between(lane.ctx.base, other), between(lane.ctx.live, other));
        let first = *was.first().filter(|first| **first >= 0)?;
        let new = is.iter().filter(|apart| **apart < 0).count();
        let rare = stats::fisher(0, was.len() as u64, new as u64, is.len() as u64);
        if was.len() < 20 || is.len() < 20 || new < 5 || rare >= lane.ctx.alpha {
            return None;
        }
        // The shortest times lie close together, or they tell no zone.
        let minutes = |seconds: i64| (seconds as f64 / 900.0).round() as i64 * 15;
        let by = minutes(first - is[0]);
        let close = (first - is[0] - by * 60).abs() <= 600 && is[4] - is[0] <= 900;
        (close && is_offset(by) && by <= 14 * 60).then(|| change(lane, by, None))
    })
}

/// More moments in a record than these are not looked at.
const MAX_OTHERS: usize = 8;

/// By how many minutes a field moved against another one of the same records, all of them or the later ones.
fn shift_from(lane: &Lane<'_>, other: &FieldPath) -> Option<i64> {
    let apart = |profile: &Profile| -> Vec<f64> {
        let between = |record: &SampledRecord| {
            Some((instant(record.0.get(lane.path)?)? - instant(record.0.get(other)?)?) as f64)
        };
        profile.entities.records.values().filter_map(between).collect()
    };
    let (was, is) = (apart(lane.ctx.base), apart(lane.ctx.live));
    let (n, m) = (was.len() as f64, is.len() as f64);
    if was.len() < 20 || is.len() < 20 {
        return None;
    }
    let before = stats::kolmogorov(&[(&was, 1.0, 0.0)], &is);
    if before < 0.3 || stats::ks_p_value(before, n, m) >= lane.ctx.alpha {
        return None;
    }
    let left = |minutes: i64| {
        let by = (minutes * 60) as f64;
        let old =
            |share: f64| stats::kolmogorov(&[(&was, 1.0 - share, by), (&was, share, 0.0)], &is) + 0.1 * share;
        [0.0, 0.15, 0.3, 0.45].map(old).into_iter().fold(f64::INFINITY, f64::min)
    };
    let (minutes, after) = nearest(left)?;
    // 1.36 is the 95 % point of Kolmogorov; what is left as it was costs a little.
    let chance = 1.36 * ((n + m) / (n * m)).sqrt() + 0.05;
    // Of a few dozen distances that vary by themselves by more than the shift (how long an order takes, when a report
    // is revised) no zone is told: eight in ten must lie within a third of it.
    let mut sorted = was.clone();
    sorted.sort_by(f64::total_cmp);
    let width = sorted[sorted.len() * 9 / 10] - sorted[sorted.len() / 10];
    let told = n.min(m) >= 100.0 || width < (minutes * 60).abs() as f64 / 3.0;
    (after <= chance && after <= before / 2.0 && told).then_some(minutes)
}

/// Whether it is this field, of two, that moved: where records come in the order of time, the window of the other one
/// begins where the baseline ends; else the times of day of the other one are more what they were.
fn left_its_course(lane: &Lane<'_>, other: &FieldPath, minutes: i64) -> bool {
    let ends = |profile: &Profile, path: &FieldPath| -> Option<(i64, i64)> {
        let all = || profile.entities.records.values().filter_map(|record| instant(record.0.get(path)?));
        Some((all().min()?, all().max()?))
    };
    let gap = |path: &FieldPath| Some((ends(lane.ctx.live, path)?.0 - ends(lane.ctx.base, path)?.1).abs());
    if !lane.ctx.course.is_unordered()
        && let (Some(mine), Some(its)) = (gap(lane.path), gap(other))
        && (mine - its).abs() > minutes.abs() * 30
    {
        return mine > its;
    }
    moved_on_the_clock(lane.ctx, lane.path) > moved_on_the_clock(lane.ctx, other)
}

/// How far the times of day of a field are apart on both sides.
fn moved_on_the_clock(ctx: &super::context::Context<'_>, path: &FieldPath) -> f64 {
    let clock = |profile: &Profile| -> Vec<f64> {
        let values = profile.entities.records.values().filter_map(|record| instant(record.0.get(path)?));
        values.map(|t| t.rem_euclid(DAY) as f64).collect()
    };
    stats::kuiper(&clock(ctx.base), &clock(ctx.live))
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
