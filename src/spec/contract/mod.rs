//! What changed of the contract: every difference between two descriptions that some client could depend on.
//!
//! The other comparison of this module asks what a data connector would notice. This one asks what the description
//! promised and no longer promises, keyword by keyword, for requests and responses alike. It only names changes
//! ([`ContractChange`]); how bad each is stands in the table of rules (`rules/docs/contract.yaml`).
//!
//! A pair of schemas is compared once, however many operations lead there (`pairs`); `locals` holds the comparison of
//! two schemas, `types` that of their types, `operation` that of two operations, `api` what concerns all of them.

mod api;
mod branches;
mod lifecycle;
mod locals;
mod operation;
mod pairs;
mod parameters;
mod types;

pub(in crate::spec) use types::is_annotation;

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{ApiModel, level::level};
use crate::model::FieldPath;
use pairs::Pairs;

/// Which way the data goes that a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Sent to the API.
    Request,
    /// Sent by the API.
    Response,
    /// Neither: the operation or the API as such.
    Neither,
}

/// What part of an operation a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The description as a whole.
    Api,
    /// An operation.
    Operation,
    /// The body itself.
    Body,
    /// Something within a body.
    Property,
    /// A parameter.
    Parameter,
    /// A parameter that is written at the path, for all its operations, or something within one.
    CommonParameter,
    /// Something within a parameter.
    ParameterProperty,
    /// Something within a header of the request.
    HeaderProperty,
    /// A header of the response.
    Header,
    /// Something within a header of the response.
    ResponseHeaderProperty,
}

/// Where a change takes effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Affected {
    /// The method in upper case; empty for the API as a whole.
    pub method: String,
    /// The path template as written before, or now where it is new; empty for the API as a whole.
    pub path: String,
    /// Where in the operation: the status and media type, the parameter, the property; with every keyword on the way.
    pub at: String,
    /// The place in what is sent: `$.items[*].name`, keywords left out; nothing where it is about no schema.
    pub field: Option<FieldPath>,
}

/// One difference, told once, with all that it affects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractChange {
    /// Keyword and comparison in one word: `max-length-decreased`.
    pub change: &'static str,
    /// Which way the data goes.
    pub side: Side,
    /// What part it is about.
    pub place: Place,
    /// Whether it cannot be seen on this side: a read-only property of a request, a write-only one of a response.
    pub hidden: bool,
    /// The property, value, tag or name that the change is about; empty where the place says all.
    pub name: String,
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
    /// What it affects, in the order of the description: never empty, and no more than the first hundred places.
    pub affects: Vec<Affected>,
    /// How many operations it affects, listed or not; 0 for the API as a whole.
    pub operations: usize,
}

/// How many places of one change are listed: a schema that all share is reached from everywhere, and whoever reads a
/// list of a hundred knows.
const MAX_AFFECTED: usize = 100;

/// Compares two descriptions as contracts.
///
/// `today` decides whether what was removed had passed its announced end; without it, it had not. The changes come in
/// the order of the descriptions, each once, and the same from run to run.
#[must_use]
pub fn compare_contracts(before: &ApiModel, after: &ApiModel, today: Option<Date>) -> Vec<ContractChange> {
    let level = level(before, after);
    compare_with_nodes(&level.before, &level.after, today).0
}

/// The addresses of two schemas that differ.
pub(in crate::spec) type Nodes = (usize, usize);

/// The same, with the schemas that each change is about, where it is about some.
pub(in crate::spec) fn compare_with_nodes(
    before: &ApiModel,
    after: &ApiModel,
    today: Option<Date>,
) -> (Vec<ContractChange>, Vec<Option<Nodes>>) {
    let mut run = Run { before, after, today, pairs: Pairs::new(before, after), found: Found::default() };
    api::compare(&mut run);
    operation::compare_all(&mut run);
    (run.found.changes, run.found.nodes)
}

/// One comparison under way.
struct Run<'a> {
    before: &'a ApiModel,
    after: &'a ApiModel,
    today: Option<Date>,
    pairs: Pairs<'a>,
    found: Found,
}

/// A change of a schema: its pair, its place in it, side, place, and whether it is hidden.
type OfPair = (usize, usize, Side, Place, bool);

/// What was found so far. A change of a pair of schemas is found again wherever the pair is reached, and joined.
#[derive(Default)]
struct Found {
    changes: Vec<ContractChange>,
    /// The schemas that each of them is about.
    nodes: Vec<Option<Nodes>>,
    /// Where the change of a schema stands, and the operation that it was found in last.
    of_pairs: BTreeMap<OfPair, (usize, usize)>,
    /// The number of the operation that is compared at the moment.
    operation: usize,
}

/// The operation that is compared at the moment.
#[derive(Clone, Copy)]
struct Here<'a> {
    method: &'a str,
    path: &'a str,
    /// `webhook:` where the path is the name of one.
    kind: &'static str,
}

impl Here<'_> {
    /// The API as a whole.
    const API: Here<'static> = Here { method: "", path: "", kind: "" };

    fn affected(self, at: impl Into<String>) -> Affected {
        Affected {
            method: self.method.to_owned(),
            path: format!("{}{}", self.kind, self.path),
            at: at.into(),
            field: None,
        }
    }
}

impl Found {
    /// Notes a change that only this operation has.
    fn note(&mut self, here: Here<'_>, side: Side, place: Place, change: &'static str, words: Words<'_>) {
        self.nodes.push(None);
        self.changes.push(ContractChange {
            change,
            side,
            place,
            hidden: false,
            name: words.name.to_owned(),
            from: words.from.to_owned(),
            to: words.to.to_owned(),
            affects: vec![here.affected(words.at)],
            operations: usize::from(!here.path.is_empty()),
        });
    }
}

/// What a change says beside its name.
#[derive(Clone, Copy, Default)]
struct Words<'a> {
    name: &'a str,
    from: &'a str,
    to: &'a str,
    at: &'a str,
}

impl<'a> Words<'a> {
    const NONE: Words<'static> = Words { name: "", from: "", to: "", at: "" };

    const fn name(name: &'a str) -> Self {
        Words { name, from: "", to: "", at: "" }
    }

    const fn change(from: &'a str, to: &'a str) -> Self {
        Words { name: "", from, to, at: "" }
    }
}
