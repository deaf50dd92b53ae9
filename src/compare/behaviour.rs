//! Behaviour: volume, paging, limits, malformed records.

use super::{Baseline, Window};
use crate::model::{Change, ChangeKind, Facts, FieldPath};

/// What the exchanges of the window say, the records apart.
pub(super) fn behaviour(baseline: &Baseline, window: &Window) -> Vec<Change> {
    let mut changes = Vec::new();
    let base = Facts::new()
        .with("baseline_records", baseline.profile.records)
        .with("live_records", window.profile.records);
    let mut push = |kind, facts: Facts| {
        let mut all = base.clone();
        all.extend(facts);
        changes.push(Change { kind, path: FieldPath::root(), to: Vec::new(), facts: all });
    };
    if window.behaviour.repeated_page && !baseline.behaviour.repeated_page {
        push(
            ChangeKind::PagingChanged,
            Facts::new().with("pages", window.behaviour.pages).with("repeated", true),
        );
    }
    volume(baseline, window, &mut push);
    if let (Some(was), Some(is)) = (baseline.behaviour.rate_limit, window.behaviour.rate_limit)
        && was != is
    {
        let facts = Facts::new().with("expected", was).with("seen", is).with("what", "rate-limit");
        push(ChangeKind::VolumeChanged, facts);
    }
    let bad = |p: &crate::profile::Profile| {
        let m = p.malformed;
        [
            ("syntax", m.syntax),
            ("encoding", m.encoding),
            ("number-out-of-range", m.number_out_of_range),
            ("lone-surrogate", m.lone_surrogate),
            ("too-deep", m.too_deep),
            ("too-many-fields", m.too_many_fields),
            ("duplicate-keys", m.duplicate_keys),
        ]
    };
    let (was, is) = (bad(&baseline.profile), bad(&window.profile));
    let fresh = is.iter().zip(was).filter(|(now, then)| now.1 > 0 && then.1 == 0).map(|(now, _)| *now);
    if let Some((reason, records)) = fresh.max_by_key(|(_, n)| *n) {
        push(ChangeKind::RecordsMalformed, Facts::new().with("records", records).with("reason", reason));
    }
    changes
}

/// The number of records, for whole windows alone and only where a history of windows says what is usual.
fn volume(baseline: &Baseline, window: &Window, push: &mut impl FnMut(ChangeKind, Facts)) {
    // Four windows: fewer tell nothing of how much they vary.
    if window.partial || baseline.windows < 4 || baseline.profile.records == 0 {
        return;
    }
    let expected = baseline.profile.records as f64 / baseline.windows as f64;
    let seen = window.profile.records as f64;
    // Without the spread of each window's count a factor must do: nothing where a hundred are usual, a fifth, or five
    // times as many. Small streams vary more than that by themselves.
    let clear = expected >= 20.0 && (seen * 5.0 <= expected || seen >= expected * 5.0)
        || expected >= 5.0 && seen == 0.0;
    if clear {
        let facts = Facts::new()
            .with("expected", expected)
            .with("seen", window.profile.records)
            .with("what", "records");
        push(ChangeKind::VolumeChanged, facts);
    }
}
