//! How the variants of a baseline follow a decision.

use super::share;
use crate::model::{ChangeKind, FieldPath, JsonType, TypeCounts};
use crate::profile::Profile;

/// Moves what is recorded of a field by variants to what the window shows, and of nothing else.
pub(in crate::compare) fn follow(profile: &mut Profile, seen: &Profile, path: &FieldPath, kind: ChangeKind) {
    let Some(name) = path.name() else { return };
    for (discriminator, table) in &mut profile.variants {
        if discriminator == path || discriminator.parent() != path.parent() {
            continue;
        }
        for (value, variant) in &mut table.by_value {
            let shown = seen.variants.get(discriminator).and_then(|table| table.by_value.get(value));
            let types = match shown {
                _ if kind == ChangeKind::FieldRemoved => TypeCounts::default(),
                None => continue,
                // As many objects as were recorded, of which as large a share has it as in the window.
                Some(shown) => {
                    let types = shown.members.get(name).copied().unwrap_or_default();
                    types.scaled(share((variant.objects, shown.objects)))
                }
            };
            if types.non_null() + types.get(JsonType::Null) > 0 {
                variant.members.insert(name.to_owned(), types);
            } else {
                variant.members.remove(name);
            }
        }
    }
}

/// The fields that new variants bring, once the new values of the discriminator at `path` are accepted; their counts
/// are taken over.
pub(in crate::compare) fn brought(profile: &mut Profile, seen: &Profile, path: &FieldPath) -> Vec<FieldPath> {
    let (Some(table), Some(object)) = (seen.variants.get(path), path.parent()) else { return Vec::new() };
    let recorded = profile.variants.entry(path.clone()).or_default();
    let mut new = table.clone();
    new.by_value.retain(|value, _| !recorded.by_value.contains_key(value));
    let members = new.by_value.values().flat_map(|variant| variant.members.keys());
    let members = members.map(|name| object.child(name));
    let brought = members.filter(|path| !profile.fields.contains_key(path)).collect();
    recorded.merge(&new);
    brought
}
