//! How a baseline moves when a decision accepts what was seen: there, and nowhere else.

use super::{Baseline, Window};
use crate::model::{ChangeKind, FieldPath};
use crate::profile::Profile;

/// The next version of a baseline: what the window shows at the accepted places, and the old everywhere else.
///
/// An accepted enum change joins old and new values, so that neither is reported again; an accepted removal takes the
/// path out; everything else takes what the window shows in place of what was recorded. Sampled records are taken over
/// when `whole`: when nothing that the window shows is left unaccepted.
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
    for (path, kind) in accepted {
        match kind {
            ChangeKind::EnumChanged => {
                let seen = window.profile.fields.get(path);
                match (next.profile.fields.get_mut(path), seen) {
                    (Some(recorded), Some(seen)) => recorded.merge(seen),
                    (None, Some(seen)) => {
                        next.profile.fields.insert(path.clone(), seen.clone());
                    }
                    (_, None) => {}
                }
            }
            ChangeKind::FieldRemoved => drop_below(&mut next.profile, path),
            ChangeKind::FieldAdded
            | ChangeKind::PresenceChanged
            | ChangeKind::NullsChanged
            | ChangeKind::TypeChanged
            | ChangeKind::FormatChanged
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
            | ChangeKind::Swapped => take_over(&mut next.profile, &window.profile, path),
            ChangeKind::VolumeChanged
            | ChangeKind::EnvelopeChanged
            | ChangeKind::PagingChanged
            | ChangeKind::ResponseFailed
            | ChangeKind::NotObserved
            | ChangeKind::RecordsMalformed
            | ChangeKind::DocsChanged => next.behaviour = window.behaviour.clone(),
        }
    }
    if whole {
        next.profile.entities = window.profile.entities.clone();
    }
    next
}

fn drop_below(profile: &mut Profile, path: &FieldPath) {
    profile.fields.retain(|other, _| !other.starts_with(path));
}

fn take_over(profile: &mut Profile, seen: &Profile, path: &FieldPath) {
    drop_below(profile, path);
    let taken = seen.fields.iter().filter(|(other, _)| other.starts_with(path));
    profile.fields.extend(taken.map(|(path, field)| (path.clone(), field.clone())));
}
