//! What a diagnosis asks of a mapping, in no framework's words.

use std::collections::BTreeMap;

use crate::adapters::{Case, Edit};
use crate::model::{Diagnosis, DiagnosisKind, Facts, FieldPath, JsonType};
use crate::profile::Format;

/// What is to be done about a diagnosis.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Remedy {
    /// The edits that mend it, to be made together, and why a person should look, where one should.
    Edits(Vec<Edit>, Option<String>),
    /// Nothing to edit, and no need to.
    Nothing,
    /// No edit mends it.
    Refused(String),
}

/// The remedy of a diagnosis that names its reading.
pub(super) fn remedy(diagnosis: &Diagnosis) -> Remedy {
    use DiagnosisKind as D;
    let refused = |why: &str| Remedy::Refused(why.to_owned());
    let path = &diagnosis.path;
    match diagnosis.kind {
        D::Renamed | D::Moved => {
            let Some(to) = diagnosis.to.first() else { return refused("the new path is not known") };
            let reroute = Edit::Reroute { from: path.clone(), to: to.clone(), types: types(diagnosis) };
            match content(diagnosis, diagnosis.detail.text("content"), to) {
                Remedy::Edits(more, caution) => {
                    Remedy::Edits(std::iter::once(reroute).chain(more).collect(), caution)
                }
                Remedy::Nothing => Remedy::Edits(vec![reroute], None),
                refused => refused,
            }
        }
        D::Retyped => content(diagnosis, Some("type-changed"), path),
        D::Reformatted => content(diagnosis, Some("format-changed"), path),
        D::Rescaled => content(diagnosis, Some("scale-changed"), path),
        D::SignFlipped => content(diagnosis, Some("sign-flipped"), path),
        D::CaseChanged => content(diagnosis, Some("case-changed"), path),
        D::EnumChanged => content(diagnosis, Some("enum-changed"), path),
        D::EnvelopeChanged => match (parsed(diagnosis, "from"), parsed(diagnosis, "to")) {
            (Some(from), Some(to)) => Remedy::Edits(
                vec![Edit::Records { from, to }],
                Some("records are looked for elsewhere, which samples of records cannot prove".to_owned()),
            ),
            _ => refused("it is not known where records sit now"),
        },
        D::EndpointMoved => match (diagnosis.detail.text("from"), diagnosis.detail.text("to")) {
            (Some(from), Some(to)) => Remedy::Edits(
                vec![Edit::Endpoint { from: from.to_owned(), to: to.to_owned() }],
                Some("another endpoint may mean another contract".to_owned()),
            ),
            _ => refused("it is not known where the endpoint is now"),
        },
        D::Removed => refused("nothing took the field's place: whether it can go is a decision"),
        D::Split | D::Merged => {
            refused("one field became several, or several one: how to put them together is a decision")
        }
        D::Swapped => refused("two fields exchanged their contents: an edit could not be taken back safely"),
        D::IdSchemeChanged => {
            refused("identifiers of two schemes do not join: what to do about the old rows is a decision")
        }
        D::Added
        | D::ReEncoded
        | D::NullsChanged
        | D::Truncated
        | D::Stale
        | D::CardinalityChanged
        | D::DistributionShifted
        | D::TimezoneShifted
        | D::VolumeChanged
        | D::AuthChanged
        | D::AuthExpired
        | D::PermissionLost
        | D::RateLimited
        | D::RateLimitChanged
        | D::QuotaExhausted
        | D::Outage
        | D::EndpointGone
        | D::PagingChanged
        | D::PagingLoop
        | D::NotJson
        | D::OkWithError
        | D::Deprecated
        | D::DocsChanged
        | D::DocsContradicted => Remedy::Nothing,
    }
}

/// The edits that give content its old shape back, for a field that is now read at `path`.
fn content(diagnosis: &Diagnosis, change: Option<&str>, path: &FieldPath) -> Remedy {
    let detail = &diagnosis.detail;
    let path = path.clone();
    match change {
        None => Remedy::Nothing,
        Some("type-changed") => {
            // Numbers and texts of dates are another notation of the same instants.
            if let (Some(old), Some(new)) = (format(detail, "from_format"), format(detail, "to_format"))
                && old.is_instant()
                && new.is_instant()
            {
                return reformat(diagnosis, path, old, new);
            }
            let types = words(detail, "from_types");
            let types = if types.is_empty() { self::types(diagnosis) } else { types };
            if types.is_empty() {
                return Remedy::Refused("the type that it had is not known".to_owned());
            }
            Remedy::Edits(vec![Edit::Recast { path, types }], None)
        }
        Some("format-changed") => match (format(detail, "from_format"), format(detail, "to_format")) {
            (Some(old), Some(new)) => reformat(diagnosis, path, old, new),
            _ => Remedy::Refused("the notation that it had is not known".to_owned()),
        },
        Some(change @ ("scale-changed" | "sign-flipped")) => {
            let ratio = if change == "sign-flipped" { Some(-1.0) } else { detail.number("ratio") };
            let Some(ratio) = ratio.filter(|ratio| ratio.is_finite() && *ratio != 0.0) else {
                return Remedy::Refused("the ratio is not known".to_owned());
            };
            if detail.number("offset").is_some_and(|offset| offset != 0.0) {
                return Remedy::Refused("the change has an offset, which no factor takes back".to_owned());
            }
            let caution =
                "a factor also changes old values: if the vendor takes the change back, so must you";
            let edit = Edit::Rescale { path, factor: reciprocal(ratio), types: self::types(diagnosis) };
            Remedy::Edits(vec![edit], Some(caution.to_owned()))
        }
        Some("case-changed") => {
            let case = match detail.text("from_case") {
                Some("lower") => Case::Lower,
                Some("upper") => Case::Upper,
                _ => return Remedy::Refused("the letters were of no one case before".to_owned()),
            };
            Remedy::Edits(vec![Edit::Recase { path, case }], Some("texts are rewritten".to_owned()))
        }
        Some("enum-changed") => match replaced_words(detail) {
            Some(words) => Remedy::Edits(
                vec![Edit::Reword { path, words }],
                Some("words are replaced by others; whether they mean the same, you know best".to_owned()),
            ),
            None => Remedy::Refused("which new word stands for which old one is a decision".to_owned()),
        },
        Some(other) => {
            Remedy::Refused(format!("the content changed as well ({other}), which no edit takes back"))
        }
    }
}

fn reformat(diagnosis: &Diagnosis, path: FieldPath, old: Format, new: Format) -> Remedy {
    let local =
        |format: Format| matches!(format, Format::DateTimeLocal | Format::DateTimeSpace | Format::Date);
    let caution = if local(old) != local(new) {
        "a local time and an instant differ by a time zone that nobody states"
    } else {
        "dates and times are rewritten"
    };
    let types = types(diagnosis);
    Remedy::Edits(vec![Edit::Reformat { path, old, new, types }], Some(caution.to_owned()))
}

/// The inverse of a ratio, without the noise of a division where it is a decimal number.
fn reciprocal(ratio: f64) -> f64 {
    format!("{:.11e}", 1.0 / ratio).parse().unwrap_or(1.0 / ratio)
}

/// The types that the field had, as far as they are known.
fn types(diagnosis: &Diagnosis) -> Vec<JsonType> {
    let of = |name| [words(&diagnosis.detail, name), words(&diagnosis.evidence, name)].concat();
    let mut types = of("from_types");
    if types.is_empty() {
        types = of("types");
    }
    types.sort_unstable();
    types.dedup();
    types
}

fn words(facts: &Facts, name: &str) -> Vec<JsonType> {
    let one = facts.text(name).map(|word| vec![word.to_owned()]);
    let words = facts.words(name).map(<[String]>::to_vec).or(one).unwrap_or_default();
    words.iter().filter_map(|word| JsonType::ALL.into_iter().find(|t| t.word() == word)).collect()
}

fn format(facts: &Facts, name: &str) -> Option<Format> {
    let word = facts.text(name)?;
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

fn parsed(diagnosis: &Diagnosis, name: &str) -> Option<FieldPath> {
    diagnosis.detail.text(name)?.parse().ok()
}

/// The old word for each new one, where they differ in case and separators alone.
fn replaced_words(detail: &Facts) -> Option<BTreeMap<String, String>> {
    let (new, old) = (detail.words("new_values")?, detail.words("lost_values")?);
    let folded = |word: &str| -> String {
        word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    if new.is_empty() {
        return None;
    }
    new.iter()
        .map(|new| {
            let mut same = old.iter().filter(|old| !folded(old).is_empty() && folded(old) == folded(new));
            match (same.next(), same.next()) {
                (Some(old), None) => Some((new.clone(), old.clone())),
                _ => None,
            }
        })
        .collect()
}
