//! What a change of the documents is about, and which changes of the contract it tells already.
//!
//! The two comparisons look at the same documents with other questions. A reader wants one entry a change, so each change
//! of the contract that is told as a change of the documents is found again: by the schemas that both are about, or by
//! the operation and the parameter.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{
    ApiModel, ContractChange, DocsComparison, Place, Side, compare,
    contract::{self, Nodes},
    graph::Graph,
    level::level,
    operations::DocChange,
};
use crate::model::FieldPath;

/// Two API descriptions, compared as documents and as contracts.
#[derive(Debug, Clone, PartialEq)]
pub struct BothComparisons {
    /// What a data connector would notice.
    pub documents: DocsComparison,
    /// What the description promised and no longer promises.
    pub contract: Vec<ContractChange>,
    /// For each change of the contract the change of the documents that tells it, by its place in the list.
    pub told_by: Vec<Option<usize>>,
}

/// Compares two API descriptions as documents, every endpoint looked at, and as contracts; `None` where they describe
/// things that cannot be compared, such as an HTTP API and a GraphQL schema.
///
/// `today` decides whether what was removed had passed its announced end; without it, it had not.
#[must_use]
pub fn compare_both(before: &ApiModel, after: &ApiModel, today: Option<Date>) -> Option<BothComparisons> {
    if before.family() != after.family() {
        return None;
    }
    let level = level(before, after);
    let (mut documents, about) = compare::compare_with_subjects(&level.before, &level.after);
    compare::tell_the_rest(before, after, &[], &level, &mut documents);
    let (contract, nodes) = contract::compare_with_nodes(&level.before, &level.after, today);
    let told_by = told_by(&contract, &nodes, &about);
    Some(BothComparisons { documents, contract, told_by })
}

/// What one change of the documents is about.
#[derive(Debug, Clone)]
pub(super) struct About {
    /// One, or several where changes were joined.
    subjects: Vec<Subject>,
}

#[derive(Debug, Clone)]
struct Subject {
    what: &'static str,
    side: Option<Side>,
    operation: Option<String>,
    parameter: Option<String>,
    /// The addresses of the schemas.
    nodes: Vec<usize>,
    /// The property of those, with the name that it has now.
    property: Option<String>,
    renamed_to: Option<String>,
    from: String,
    to: String,
}

impl About {
    pub(super) fn of(graph: &Graph<'_>, change: &DocChange) -> Self {
        let name = |path: &FieldPath| path.name().map(str::to_owned);
        let subject = Subject {
            what: change.what,
            side: change.part.map(|part| if part == "request" { Side::Request } else { Side::Response }),
            operation: change.operation.clone(),
            parameter: change.parameter.clone(),
            nodes: change.pair.map(|pair| graph.nodes(pair)).unwrap_or_default(),
            property: change.field.as_ref().filter(|_| change.of_property).and_then(name),
            renamed_to: change.renamed_to.as_ref().and_then(name),
            from: change.from.clone(),
            to: change.to.clone(),
        };
        Self { subjects: vec![subject] }
    }

    /// Makes it about what another one is about, too.
    pub(super) fn join(&mut self, other: Self) {
        self.subjects.extend(other.subjects);
    }
}

/// For each change of the contract the change of the documents that tells it, by its place in the list.
///
/// `nodes` are the addresses of the two schemas that a change of the contract is about, where it is about some.
fn told_by(contract: &[ContractChange], nodes: &[Option<Nodes>], about: &[About]) -> Vec<Option<usize>> {
    let mut by_node: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut by_operation: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut of_signing_in = Vec::new();
    for (index, one) in about.iter().enumerate() {
        for subject in &one.subjects {
            subject.nodes.iter().for_each(|node| by_node.entry(*node).or_default().push(index));
            let operations =
                subject.operation.iter().chain((subject.what == "operation-moved").then_some(&subject.to));
            operations.for_each(|name| by_operation.entry(name).or_default().push(index));
            if subject.what.starts_with("auth-") {
                of_signing_in.push(index);
            }
        }
    }
    let one = |(change, nodes): (&ContractChange, &Option<Nodes>)| {
        let mut candidates: BTreeSet<usize> = BTreeSet::new();
        if let Some((was, is)) = nodes {
            candidates.extend([was, is].into_iter().filter_map(|node| by_node.get(node)).flatten());
        }
        if change.change.starts_with("security-") {
            candidates.extend(&of_signing_in);
        }
        let operations: BTreeSet<(&str, &str)> =
            change.affects.iter().map(|at| (at.method.as_str(), at.path.as_str())).collect();
        for (method, path) in operations {
            candidates.extend(by_operation.get(format!("{method} {path}").as_str()).into_iter().flatten());
        }
        candidates
            .into_iter()
            .find(|index| about[*index].subjects.iter().any(|subject| subject.tells(change, nodes)))
    };
    contract.iter().zip(nodes).map(one).collect()
}

impl Subject {
    fn tells(&self, change: &ContractChange, nodes: &Option<Nodes>) -> bool {
        if !self.nodes.is_empty() {
            let same = nodes.is_some_and(|(was, is)| {
                self.nodes.binary_search(&was).is_ok() || self.nodes.binary_search(&is).is_ok()
            });
            return same && self.side == Some(change.side) && self.tells_of_schema(change);
        }
        if self.parameter.is_some() {
            return self.tells_of_parameter(change) || self.tells_of_header(change);
        }
        match self.what {
            "operation-removed" => is_removal(change.change),
            "operation-moved" => is_removal(change.change) || change.change == "endpoint-added",
            "operation-added" => change.change == "endpoint-added",
            "operation-deprecated" => {
                change.change.starts_with("endpoint-deprecated")
                    || change.change == "api-deprecated-sunset-parse"
            }
            "operation-id-changed" => change.change == "api-operation-id-removed",
            "body-required" => matches!(change.change, "body-became-required" | "added-required"),
            "response-removed" => change.change == "success-status-removed",
            "status-changed" => {
                matches!(change.change, "success-status-removed" | "success-status-added")
                    && (change.name == self.from || change.name == self.to)
            }
            "media-type-changed" => change.side == Side::Response && change.change.starts_with("media-type-"),
            "auth-changed" | "auth-option-added" | "auth-option-removed" => self.tells_of_signing_in(change),
            _ => false,
        }
    }

    fn tells_of_schema(&self, change: &ContractChange) -> bool {
        if let Some(property) = &self.property {
            let named = |name: &String| *name == change.name;
            return match self.what {
                "field-renamed" | "body-field-renamed" => {
                    is_loss(change.change) && named(property)
                        || is_gain(change.change) && self.renamed_to.as_ref().is_some_and(named)
                }
                "field-removed" | "body-field-removed" => is_loss(change.change) && named(property),
                "field-added" | "body-field-added" => is_gain(change.change) && named(property),
                "body-field-required" => {
                    (is_gain(change.change) || change.change.starts_with("became-required"))
                        && named(property)
                }
                "became-optional" => change.change == "became-optional" && named(property),
                _ => false,
            };
        }
        let is_one_of = |changes: &[&str]| changes.contains(&change.change);
        match self.what {
            "type-changed" | "type-narrowed" | "format-changed" | "format-widened" | "format-documented" => {
                is_of_type(change.change)
            }
            "became-nullable" => change.change == "became-nullable",
            "enum-value-added" => is_one_of(&["enum-value-added", "enum-value-removed"]),
            "enum-value-removed" => change.change == "enum-value-removed",
            "enum-opened" => change.change == "enum-value-unlisted",
            "request-narrowed" => is_narrower(change.change),
            // Another way to write the type, where there was one and there are several now.
            "alternative-added" => {
                is_one_of(&["one-of-added", "any-of-added", "wrapped-in-one-of"]) || is_of_type(change.change)
            }
            "alternative-removed" => is_one_of(&["one-of-removed", "any-of-removed"]),
            "field-deprecated" => is_deprecation(change.change),
            _ => false,
        }
    }

    fn tells_of_parameter(&self, change: &ContractChange) -> bool {
        let of_parameters =
            [Place::Parameter, Place::CommonParameter, Place::ParameterProperty, Place::HeaderProperty];
        if !of_parameters.contains(&change.place) {
            return false;
        }
        let about = |name: &str| {
            // What is noted of a parameter has its name; what differs in its schema has it in the place.
            change.name == name && !change.affects.iter().any(|at| at.at.contains(" parameter "))
                || change.affects.iter().any(|at| {
                    let rest = at.at.split_once(" parameter ").map_or("", |(_, rest)| rest);
                    rest.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
        };
        let bare =
            |text: &str| text.rsplit_once(" (").map_or_else(|| text.to_owned(), |(name, _)| name.to_owned());
        let word = change.change;
        let fits = match self.what {
            "parameter-renamed" => {
                return word.starts_with("parameter-removed") && about(&bare(&self.from))
                    || word.ends_with("parameter-added") && about(&bare(&self.to));
            }
            "parameter-removed" | "paging-removed" => word.starts_with("parameter-removed"),
            "parameter-added" => word.ends_with("parameter-added"),
            "parameter-required" => word.ends_with("parameter-added") || word.starts_with("became-required"),
            "parameter-deprecated" => word.starts_with("parameter-deprecated") || is_deprecation(word),
            "parameter-limited" | "page-size-limited" => word.starts_with("max-") || word.starts_with("min-"),
            "parameter-default-changed" => word.starts_with("default-value-"),
            "parameter-type-changed" => is_of_type(word),
            "parameter-narrowed" => is_narrower(word) || is_loss(word),
            _ => false,
        };
        fits && self.parameter.as_deref().is_some_and(about)
    }

    fn tells_of_header(&self, change: &ContractChange) -> bool {
        matches!(self.what, "header-removed" | "paging-removed")
            && matches!(change.change, "required-header-removed" | "optional-header-removed")
            && self.parameter.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&change.name))
    }

    /// Signing in is told for the first operation that asks for it, and in words; those name the addresses.
    fn tells_of_signing_in(&self, change: &ContractChange) -> bool {
        match change.change {
            "security-added" | "security-removed" => true,
            word if word.starts_with("security-component-") && word.ends_with("-changed") => {
                !change.from.is_empty() && self.from.contains(&change.from) && self.to.contains(&change.to)
            }
            _ => false,
        }
    }
}

fn is_removal(change: &str) -> bool {
    change == "api-path-sunset-parse"
        || change.starts_with("api-removed-")
        || change.starts_with("api-path-removed-")
}

fn is_loss(change: &str) -> bool {
    matches!(change, "required-property-removed" | "optional-property-removed")
}

fn is_gain(change: &str) -> bool {
    matches!(
        change,
        "required-property-added" | "required-property-with-default-added" | "optional-property-added"
    )
}

fn is_of_type(change: &str) -> bool {
    change.starts_with("type-") || change.starts_with("list-of-types-")
}

fn is_narrower(change: &str) -> bool {
    matches!(
        change,
        "enum-value-removed"
            | "became-enum"
            | "enum-value-listed"
            | "became-not-nullable"
            | "one-of-removed"
            | "any-of-removed"
    )
}

fn is_deprecation(change: &str) -> bool {
    matches!(change, "deprecated" | "deprecated-with-sunset" | "deprecated-sunset-parse")
}
