//! The same text, wrapped otherwise, and texts without anything in them.

use super::shares;
use crate::compare::context::Lane;
use crate::model::{Change, ChangeKind, Facts};
use crate::profile::StringProfile;

/// The same text, wrapped otherwise: padding, HTML escapes, UTF-8 read as Latin-1.
pub(super) fn encodings(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
pub(super) fn empties(lane: &Lane<'_>, base: &StringProfile, live: &StringProfile) -> Option<Change> {
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
