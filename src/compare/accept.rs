//! How a baseline moves when a decision accepts what was seen: there, and nowhere else.

use super::{Baseline, Window, variants};
use crate::model::{ChangeKind, FieldPath};
use crate::profile::Profile;

/// The next version of a baseline: what the window shows at the accepted places, and the old everywhere else.
///
/// An accepted enum change joins old and new values, so that neither is reported again; an accepted removal takes the
/// path out; everything else takes what the window shows in place of what was recorded. Sampled records are taken over
/// when `whole`: when nothing that the window shows is left unaccepted. The nearest window moves likewise.
#[must_use]
pub fn accept(
    baseline: &Baseline,
    window: &Window,
    accepted: &[(FieldPath, ChangeKind)],
    whole: bool,
) -> Baseline {
    let mut next = baseline.clone();
    next.version += 1;
    next.to = next.to.max(window.to);
    move_profile(&mut next.profile, window, accepted);
    if accepted.iter().any(|(_, kind)| is_behaviour(*kind)) {
        next.behaviour = window.behaviour.clone();
    }
    if whole {
        next.profile.entities = window.profile.entities.clone();
        next.latest = Some(window.profile.clone());
    } else {
        let mut latest = baseline.latest.clone().unwrap_or_else(|| baseline.profile.clone());
        move_profile(&mut latest, window, accepted);
        next.latest = Some(latest);
    }
    next
}

fn move_profile(profile: &mut Profile, window: &Window, accepted: &[(FieldPath, ChangeKind)]) {
    for (path, kind) in accepted {
        if !is_behaviour(*kind) {
            variants::follow(profile, &window.profile, path, *kind);
        }
        match kind {
            ChangeKind::EnumChanged => {
                for new in variants::brought(profile, &window.profile, path) {
                    take_over(profile, &window.profile, &new);
                }
                let seen = window.profile.fields.get(path);
                match (profile.fields.get_mut(path), seen) {
                    (Some(recorded), Some(seen)) => recorded.merge(seen),
                    (None, Some(seen)) => {
                        profile.fields.insert(path.clone(), seen.clone());
                    }
                    (_, None) => {}
                }
            }
            ChangeKind::FieldRemoved => drop_below(profile, path),
            ChangeKind::RecordsMalformed => profile.malformed = window.profile.malformed,
            kind => {
                if !is_behaviour(*kind) {
                    take_over(profile, &window.profile, path);
                }
            }
        }
    }
}

/// Whether a change is one of how the endpoint behaves, and not of what its records hold.
const fn is_behaviour(kind: ChangeKind) -> bool {
    match kind {
        ChangeKind::VolumeChanged
        | ChangeKind::EnvelopeChanged
        | ChangeKind::PagingChanged
        | ChangeKind::ResponseFailed
        | ChangeKind::NotObserved
        | ChangeKind::RecordsMalformed
        | ChangeKind::DocsChanged
        | ChangeKind::DocsContradicted
        | ChangeKind::EndAnnounced => true,
        ChangeKind::FieldAdded
        | ChangeKind::FieldRemoved
        | ChangeKind::PresenceChanged
        | ChangeKind::NullsChanged
        | ChangeKind::TypeChanged
        | ChangeKind::FormatChanged
        | ChangeKind::EnumChanged
        | ChangeKind::ScaleChanged
        | ChangeKind::CaseChanged
        | ChangeKind::EncodingChanged
        | ChangeKind::Truncated
        | ChangeKind::Stale
        | ChangeKind::CardinalityChanged
        | ChangeKind::DistributionShifted
        | ChangeKind::SignFlipped
        | ChangeKind::TimezoneShifted
        | ChangeKind::IdSchemeChanged
        | ChangeKind::Swapped => false,
    }
}

fn drop_below(profile: &mut Profile, path: &FieldPath) {
    profile.fields.retain(|other, _| !other.starts_with(path));
    profile.variants.retain(|other, _| !other.starts_with(path));
}

fn take_over(profile: &mut Profile, seen: &Profile, path: &FieldPath) {
    drop_below(profile, path);
    let taken = seen.fields.iter().filter(|(other, _)| other.starts_with(path));
    profile.fields.extend(taken.map(|(path, field)| (path.clone(), field.clone())));
    let taken = seen.variants.iter().filter(|(other, _)| other.starts_with(path));
    profile.variants.extend(taken.map(|(path, table)| (path.clone(), table.clone())));
}
