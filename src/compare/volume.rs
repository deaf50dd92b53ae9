//! How many records a window holds, next to what whole windows held before.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use statrs::distribution::{DiscreteCDF, Poisson};

use super::context::FAMILY_ALPHA;
use super::{Baseline, Window};
use crate::model::Facts;

/// The fewest and the most records of whole windows that showed nothing new, and the time that they cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volumes {
    /// The fewest records of one window.
    pub least: u64,
    /// The most records of one window.
    pub most: u64,
    /// How many windows were counted.
    pub windows: u64,
    /// From the first of them to the last.
    pub span: SignedDuration,
}

impl Volumes {
    /// Over windows in any order: when each ended, and its records.
    #[must_use]
    pub fn of(windows: impl IntoIterator<Item = (Timestamp, u64)>) -> Self {
        let mut volumes = Self { least: u64::MAX, most: 0, windows: 0, span: SignedDuration::ZERO };
        let (mut first, mut last) = (Timestamp::MAX, Timestamp::MIN);
        for (at, records) in windows {
            (first, last) = (first.min(at), last.max(at));
            volumes.least = volumes.least.min(records);
            volumes.most = volumes.most.max(records);
            volumes.windows += 1;
        }
        if volumes.windows == 0 {
            volumes.least = 0;
        } else {
            volumes.span = last.duration_since(first);
        }
        volumes
    }
}

/// Nights are quieter than days: before a day is known, less one hour for windows that come by the hour, nothing is.
const A_DAY: SignedDuration = SignedDuration::from_hours(23);
/// Weekends are quieter than weeks.
const A_WEEK: SignedDuration = SignedDuration::from_hours(7 * 24 - 1);

/// What the number of records comes to.
#[derive(Debug, PartialEq)]
pub(super) enum Volume {
    Usual,
    /// Far from the mean, and too little is known of what is usual; why.
    Unknown(String),
    Changed(Facts),
}

/// Judges the number of records, for whole windows alone and only where windows before say what is usual.
pub(super) fn volume(baseline: &Baseline, window: &Window) -> Volume {
    let volumes = baseline.variation.volumes();
    // Four windows: fewer tell nothing of how much they vary. Those that were learned from may be fewer than those that
    // were counted since.
    let windows = volumes.map_or(baseline.windows, |known| known.windows.max(baseline.windows));
    if window.partial || windows < 4 || baseline.profile.records == 0 {
        return Volume::Usual;
    }
    let mean = baseline.profile.records as f64 / baseline.windows as f64;
    let seen = window.profile.records;
    // Where nobody counted the windows one by one a factor of the mean must do: nothing where a hundred are usual, a
    // fifth, or five times as many. Small streams vary more than that by themselves.
    let far =
        mean >= 20.0 && (seen as f64 * 5.0 <= mean || seen as f64 >= mean * 5.0) || mean >= 5.0 && seen == 0;
    let changed = || {
        Volume::Changed(
            Facts::new().with("expected", mean.round()).with("seen", seen).with("what", "records"),
        )
    };
    match volumes {
        None if far => changed(),
        Some(known) if known.windows < 4 || known.span < A_DAY => {
            if far {
                Volume::Unknown(format!(
                    "{seen} records where {mean:.0} are the mean; how their number varies takes a day to know"
                ))
            } else {
                Volume::Usual
            }
        }
        Some(known) if is_beyond(known, seen) => changed(),
        None | Some(_) => Volume::Usual,
    }
}

/// Whether a count is clearly beyond the known range: by a factor, for the days that were not seen, and by more than a
/// window as busy as the one at that end differs by chance (a Poisson variable). The factor is two where a week is
/// known, and five where no weekend is.
fn is_beyond(known: &Volumes, seen: u64) -> bool {
    let factor = if known.span >= A_WEEK { 2 } else { 5 };
    let (least, most) = (known.least as f64, known.most as f64);
    // An empty window is no evidence, so the most is one at least wherever anything was counted.
    let below = || Poisson::new(least).map_or(1.0, |usual| usual.cdf(seen));
    let above = || Poisson::new(most).map_or(1.0, |usual| usual.sf(seen.saturating_sub(1)));
    seen.saturating_mul(factor) <= known.least && below() < FAMILY_ALPHA
        || seen >= known.most.saturating_mul(factor) && above() < FAMILY_ALPHA
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(least: u64, most: u64, hours: i64) -> Volumes {
        let at = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        Volumes::of([(at(hours), most), (at(0), least)])
    }

    #[test]
    fn the_night_is_no_news_and_what_is_below_every_night_is() {
        let day = known(40, 130, 24);
        for usual in [9, 40, 130, 600] {
            assert!(!is_beyond(&day, usual), "{usual}");
        }
        assert!(is_beyond(&day, 8) && is_beyond(&day, 650));
        // A weekend is known.
        let week = known(40, 130, 8 * 24);
        assert!(is_beyond(&week, 20) && is_beyond(&week, 260));
        // Five may be one by chance.
        assert!(!is_beyond(&known(5, 130, 8 * 24), 1));
    }

    #[test]
    fn nothing_counted_is_nothing_known() {
        let none = Volumes::of([]);
        assert_eq!((none.least, none.most, none.span), (0, 0, SignedDuration::ZERO));
    }
}
