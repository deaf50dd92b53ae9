//! Two numbers of which the other one is the greater now.

use super::Column;
use crate::compare::{
    cdf::numbers_of,
    context::{Context, MIN_SUPPORT},
    pairs, shift, stats, ties,
};
use crate::model::FieldPath;
use crate::profile::{NumberProfile, Profile};

/// More numeric fields than this are not held against each other, each with each: those that moved farthest are.
const MAX_NUMERIC: usize = 40;

/// A numeric field, with its value in each sampled record of the baseline and of the window.
struct Numeric<'a> {
    /// Its place among the columns.
    at: usize,
    was: &'a NumberProfile,
    is: &'a NumberProfile,
    before: Vec<Option<f64>>,
    now: Vec<Option<f64>>,
}

/// The numeric fields that may have been exchanged with another one, in their order.
fn numeric<'a>(ctx: &Context<'a>, columns: &[Column<'a>]) -> Vec<Numeric<'a>> {
    let here = |(at, column): (usize, &Column<'a>)| {
        let (was, is) = (numbers_of(column.was)?, numbers_of(column.is)?);
        let tells = was.count >= MIN_SUPPORT
            && is.count >= MIN_SUPPORT
            && !shift::is_moment(column.was)
            && !column.path.is_repeated();
        tells.then_some((at, was, is))
    };
    let mut fields: Vec<(usize, &NumberProfile, &NumberProfile)> =
        columns.iter().enumerate().filter_map(here).collect();
    if fields.len() > MAX_NUMERIC {
        let apart = |at: usize| columns[at].apart.unwrap_or(0.0);
        fields.sort_by(|a, b| apart(b.0).total_cmp(&apart(a.0)).then(a.0.cmp(&b.0)));
        fields.truncate(MAX_NUMERIC);
        fields.sort_by_key(|(at, ..)| *at);
    }
    let values = |profile: &Profile, path: &FieldPath| -> Vec<Option<f64>> {
        profile.entities.records.values().map(|record| pairs::as_number(record.0.get(path)?)).collect()
    };
    let numeric = |(at, was, is): (usize, &'a NumberProfile, &'a NumberProfile)| Numeric {
        at,
        was,
        is,
        before: values(ctx.base, columns[at].path),
        now: values(ctx.live, columns[at].path),
    };
    fields.into_iter().map(numeric).collect()
}

/// Pairs of numeric fields of which one was the greater in most records that tell, and the other one is now, while
/// each came nearer to what the other was: goals at home and away, runs and hits.
pub(super) fn turned(ctx: &Context<'_>, columns: &[Column<'_>]) -> Vec<(usize, usize)> {
    // Of the same entities the pairs alone decide.
    if ctx.pairs.same_population() {
        return Vec::new();
    }
    let fields = numeric(ctx, columns);
    // In the order of time one total overtakes the other, and nothing was exchanged.
    let on_its_way = |field: &Numeric<'_>| {
        let path = columns[field.at].path;
        !ctx.course.is_unordered() && ctx.variation.field(path).is_some_and(|v| v.in_runs || v.trending)
    };
    let steady = fields.iter().filter(|field| !on_its_way(field)).count();
    let mut found = Vec::new();
    for (i, one) in fields.iter().enumerate() {
        for other in &fields[i + 1..] {
            let (above, n) = greater(&one.before, &other.before);
            let (now_above, m) = greater(&one.now, &other.now);
            if n < MIN_SUPPORT || m < MIN_SUPPORT {
                continue;
            }
            let moves = on_its_way(one) || on_its_way(other);
            if moves && !far_apart(&one.before, &other.before) {
                continue;
            }
            let rivals = if moves { fields.len() } else { steady } as f64 - 1.0;
            let (was, is) = (above as f64 / n as f64 - 0.5, now_above as f64 / m as f64 - 0.5);
            // On the other side of one half, and for the later part of a window too much nearer to the mirror image.
            let turned = was * is < 0.0 && (was - is).abs() >= was.abs();
            if turned
                && stats::fisher(above, n, now_above, m) * rivals < ctx.alpha
                && came_to(one, other)
                && came_to(other, one)
            {
                found.push((one.at, other.at));
            }
        }
    }
    found
}

/// In how many records the first of two fields is the greater, and in how many one of them is.
fn greater(one: &[Option<f64>], other: &[Option<f64>]) -> (u64, u64) {
    let both = one.iter().zip(other).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
    both.filter(|(a, b)| a != b).fold((0, 0), |(above, all), (a, b)| (above + u64::from(a > b), all + 1))
}

/// Whether one of two fields is the greater in all records by a factor, and hardly ever by less than half of it (as a
/// logarithm): on its way one would have to come near the other first.
fn far_apart(one: &[Option<f64>], other: &[Option<f64>]) -> bool {
    let both = one.iter().zip(other).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
    let mut logs: Vec<f64> = both.map(|(a, b)| if a * b > 0.0 { (a / b).ln() } else { 0.0 }).collect();
    logs.sort_by(f64::total_cmp);
    let middle = ties::at(&logs, 0.5);
    let nearest = ties::at(&logs, if middle > 0.0 { 0.02 } else { 0.98 });
    nearest / middle >= 0.5
}

/// Whether a field came most of the way to what another one was, and not beyond all of its values: neither a shift nor
/// another unit.
fn came_to(one: &Numeric<'_>, other: &Numeric<'_>) -> bool {
    let mean = |numbers: &NumberProfile| numbers.mean().unwrap_or(0.0);
    let goal = mean(other.was);
    let reach = 0.5 * (other.was.max - other.was.min);
    (mean(one.is) - goal).abs() <= 0.6 * (mean(one.was) - goal).abs()
        && one.is.min >= other.was.min - reach
        && one.is.max <= other.was.max + reach
}
