//! What responses say of a change of documentation: whether they show the new state, still the old one, or neither.

use crate::model::{Change, FieldPath, JsonType};
use crate::profile::{FieldProfile, Profile};

/// What a window shows of a documented change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// `seen`: as documented now; `not-seen`: as documented before; `contradicted`: neither.
    pub live: &'static str,
    /// Values, or objects without the field, that say so.
    pub responses: u64,
}

/// Holds a change of documentation against what a window shows; `None` where responses cannot tell.
#[must_use]
pub fn shown(change: &Change, profile: &Profile) -> Option<Shown> {
    let field = |path: &FieldPath| profile.fields.get(path).filter(|field| field.present > 0);
    let parents = |path: &FieldPath| {
        let parent = path.parent().and_then(|above| profile.fields.get(&above));
        parent.map_or(0, |parent| parent.types.get(JsonType::Object))
    };
    if change.path.is_root() {
        return None;
    }
    let here = field(&change.path);
    match change.facts.text("what")? {
        "field-removed" => match (here, parents(&change.path)) {
            (Some(field), _) => Some(Shown { live: "not-seen", responses: field.present }),
            (None, 0) => None,
            (None, parents) => Some(Shown { live: "seen", responses: parents }),
        },
        "field-renamed" | "field-moved" => match (change.to.first().and_then(field), here) {
            (Some(new), _) => Some(Shown { live: "seen", responses: new.present }),
            (None, Some(old)) => Some(Shown { live: "not-seen", responses: old.present }),
            (None, None) => match parents(&change.path) {
                0 => None,
                parents => Some(Shown { live: "contradicted", responses: parents }),
            },
        },
        "field-added" => here.map(|field| Shown { live: "seen", responses: field.present }),
        "type-changed" => {
            let (from, to) = (change.facts.text("from")?, change.facts.text("to")?);
            let field = here.filter(|field| field.types.non_null() > 0)?;
            let live = match (all_of(field, to), all_of(field, from)) {
                (true, _) => "seen",
                (false, true) => "not-seen",
                (false, false) => "contradicted",
            };
            Some(Shown { live, responses: field.types.non_null() })
        }
        "became-nullable" => {
            let field = here?;
            let nulls = field.types.get(JsonType::Null);
            Some(match nulls {
                0 => Shown { live: "not-seen", responses: field.present },
                nulls => Shown { live: "seen", responses: nulls },
            })
        }
        _ => None,
    }
}

/// Whether all values are of the types that `words` names, as in `integer or string`.
fn all_of(field: &FieldProfile, words: &str) -> bool {
    let has = |word: &str| words.split(" or ").any(|other| other == word);
    field.types.seen().all(|kind| has(kind.word()) || (kind == JsonType::Integer && has("number")))
}
