//! Behaviour: volume, paging, limits, malformed records.

use super::volume::{Volume, volume};
use super::{Baseline, Window};
use crate::model::{Change, ChangeKind, Facts, FieldPath, Inconclusive};

/// What the exchanges of the window say, the records apart.
pub(super) fn behaviour(
    baseline: &Baseline,
    window: &Window,
    inconclusive: &mut Vec<Inconclusive>,
) -> Vec<Change> {
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
    match volume(baseline, window) {
        Volume::Usual => {}
        Volume::Unknown(why) => inconclusive.push(Inconclusive { path: FieldPath::root(), why }),
        Volume::Changed(facts) => push(ChangeKind::VolumeChanged, facts),
    }
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
