//! Where the labels of a sequence say that a column of the first day is to be read. For counting at the end only:
//! the agent never sees labels.

use crate::model::FieldPath;

use super::{Column, Sequence, TruthEvent};

/// Where each of `columns` is to be read at the step with that number, by the labels; `None` where it is gone.
///
/// Renames and moves are followed from step to step. What was removed comes back where a field is added again under
/// the same path. Without labels, everything stays where it was.
#[must_use]
pub fn oracle_mapping(sequence: &Sequence, columns: &[Column], step: u64) -> Vec<Option<FieldPath>> {
    sources(sequence, columns, step).into_iter().map(|source| source.path).collect()
}

/// Where a column is to be read, and whether its values can still be held against those of the first day.
pub(super) struct Source {
    pub(super) path: Option<FieldPath>,
    /// Another notation, unit, meaning or set of words came since: a mapping may rightly turn values back.
    pub(super) is_recast: bool,
}

pub(super) fn sources(sequence: &Sequence, columns: &[Column], step: u64) -> Vec<Source> {
    let truth = sequence.truth.as_deref().unwrap_or_default();
    columns
        .iter()
        .map(|column| {
            let (mut path, mut is_there, mut is_recast) = (column.path.clone(), true, false);
            for number in sequence.steps.iter().map(|s| s.step).filter(|number| *number <= step) {
                let events = || truth.iter().filter(move |event| event.step == number);
                is_recast |= events().any(|event| {
                    let keeps_values =
                        matches!(event.kind.as_str(), "renamed" | "moved" | "removed" | "added" | "retyped");
                    !keeps_values && event.path.as_ref().is_some_and(|above| path.starts_with(above))
                });
                (path, is_there) = follow(events(), path, is_there);
            }
            Source { path: is_there.then_some(path), is_recast }
        })
        .collect()
}

/// One step: the event nearest to the path moves it, once, so that two fields may exchange their names.
fn follow<'a>(
    events: impl Iterator<Item = &'a TruthEvent>,
    path: FieldPath,
    is_there: bool,
) -> (FieldPath, bool) {
    let mut nearest: Option<(&FieldPath, &TruthEvent)> = None;
    for event in events {
        let Some(above) = event.path.as_ref().filter(|above| path.starts_with(above)) else { continue };
        let matters = match event.kind.as_str() {
            "renamed" | "moved" => is_there && event.to.is_some(),
            "removed" => is_there,
            "added" => !is_there,
            _ => false,
        };
        if matters && nearest.is_none_or(|(known, _)| above.steps().len() > known.steps().len()) {
            nearest = Some((above, event));
        }
    }
    match nearest {
        None => (path, is_there),
        Some((above, event)) => match &event.to {
            Some(to) if event.kind != "removed" && event.kind != "added" => {
                let rest = path.steps()[above.steps().len()..].iter().cloned();
                (rest.fold(to.clone(), |path, step| path.with(step)), true)
            }
            _ => (path, event.kind == "added"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{columns, embedded};
    use super::*;

    fn path_of(sequence: &Sequence, name: &str, step: u64) -> Option<String> {
        let columns = columns(&sequence.first_records());
        let index = columns.iter().position(|column| column.name == name).unwrap();
        oracle_mapping(sequence, &columns, step)[index].as_ref().map(ToString::to_string)
    }

    #[test]
    fn renames_are_followed_there_and_back() {
        let sequences = embedded().unwrap();
        let (regions, provinces) = (&sequences[0], &sequences[1]);
        let path = |step| path_of(regions, "totale_attualmente_positivi", step).unwrap();
        assert_eq!(
            (path(11).as_str(), path(12).as_str()),
            ("$.totale_attualmente_positivi", "$.totale_positivi")
        );
        let lat: Vec<_> = (10..=15).map(|step| path_of(provinces, "lat", step).unwrap()).collect();
        assert_eq!(lat, ["$.lat", "$.latitudine", "$.lat", "$.latitudine", "$.lat", "$.lat"]);
        assert_eq!(path_of(provinces, "note_it", 17), None);
    }

    #[test]
    fn parents_exchanges_and_returns() {
        let event = |kind: &str, path: &str, to: Option<&str>| TruthEvent {
            step: 1,
            kind: kind.to_owned(),
            path: Some(path.parse().unwrap()),
            to: to.map(|to| to.parse().unwrap()),
        };
        let after = |events: &[TruthEvent], path: &str, is_there| {
            let (path, is_there) = follow(events.iter(), path.parse().unwrap(), is_there);
            (path.to_string(), is_there)
        };
        let exchange = [event("renamed", "$.a", Some("$.b")), event("renamed", "$.b", Some("$.a"))];
        assert_eq!(after(&exchange, "$.a", true), ("$.b".to_owned(), true));
        let parent =
            [event("moved", "$.geo", Some("$.place.geo")), event("renamed", "$.geo.lat", Some("$.y"))];
        assert_eq!(after(&parent, "$.geo.lon", true), ("$.place.geo.lon".to_owned(), true));
        assert_eq!(after(&parent, "$.geo.lat", true), ("$.y".to_owned(), true));
        assert!(!after(&[event("removed", "$.geo", None)], "$.geo.lat", true).1);
        assert!(after(&[event("added", "$.geo", None)], "$.geo.lat", false).1);
    }
}
