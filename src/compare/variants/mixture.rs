//! Shares that moved because the window holds the variants in another mixture.

use super::{Context, Counts, Measure, Row, Split, share};
use crate::model::{Change, ChangeKind};

/// The chance, shared out among the variants, below which a share moved within one of them.
const MOVED: f64 = 0.01;
/// Three objects of a variant show its share to within a quarter or so.
const SUPPORT: u64 = 3;

/// Takes out what the mixture of variants explains: fields that are missing, null or gone no more often than the
/// shares of the baseline within each variant lead one to expect of the variants that the window holds (the direct
/// standardisation of epidemiology, as in `explained`, but from exact counts of all objects).
pub(in crate::compare) fn without_explained(ctx: &Context<'_>, changes: &mut Vec<Change>) {
    let splits = Split::all(ctx);
    changes.retain(|change| {
        let measure: Measure = match change.kind {
            ChangeKind::PresenceChanged | ChangeKind::FieldRemoved => Counts::presence,
            ChangeKind::NullsChanged => Counts::null_rate,
            _ => return true,
        };
        if change.facts.get("variant").is_some() {
            return true;
        }
        let mut about = splits.iter().filter(|split| split.is_about(&change.path));
        !about.any(|split| is_explained(&split.rows(ctx, &change.path), measure))
    });
}

/// Whether the mixture explains most of what moved, and what is left is within chance.
fn is_explained(rows: &[Row<'_>], measure: Measure) -> bool {
    let known = || rows.iter().filter(|row| measure(&row.base).1 >= SUPPORT);
    let new = || rows.iter().filter(|row| row.value.is_some() && row.base.objects == 0);
    let sum = |counts: &mut dyn Iterator<Item = (u64, u64)>| {
        counts.fold((0, 0), |sum, (hits, all)| (sum.0 + hits, sum.1 + all))
    };
    let all = sum(&mut rows.iter().map(|row| measure(&row.live)));
    let told = sum(&mut known().map(|row| measure(&row.live)));
    let newcomers = sum(&mut new().map(|row| measure(&row.live)));
    // What is neither known nor new says nothing, and where most is new the variants tell nothing any more.
    let enough = (told.1 + newcomers.1) as f64 >= 0.9 * all.1 as f64 && told.1 * 2 >= all.1 && told.1 > 0;
    if known().count() < 2 || !enough {
        return false;
    }
    let shared = known().filter(|row| measure(&row.live).1 > 0);
    let tests = shared.clone().count().max(1) as f64;
    if shared.clone().any(|row| row.p_value(measure) < MOVED / tests) {
        return false;
    }
    let expected = shared.map(|row| share(measure(&row.base)) * measure(&row.live).1 as f64).sum::<f64>();
    let left = (told.0 as f64 - expected).abs() / told.1 as f64;
    // Two standard errors of a share.
    let error = 2.0 * (share(told) * (1.0 - share(told)) / told.1 as f64).sqrt();
    let was = share(sum(&mut rows.iter().map(|row| measure(&row.base))));
    // What was in all objects is no field of some kinds: a new kind without it is news to whoever reads it.
    if was == 1.0 && newcomers.0 < newcomers.1 {
        return false;
    }
    let (is, expected) = (share(all), (expected + newcomers.0 as f64) / (told.1 + newcomers.1) as f64);
    left <= error.max(0.05) && (is - was).abs() > 0.0 && (expected - was) / (is - was) >= 2.0 / 3.0
}
