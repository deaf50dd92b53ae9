//! Changes of a contract judged by `rules/docs/contract.yaml`: what other comparers of descriptions call breaking.
//!
//! The table gives each change an id and a level by where it stands. What no row judges is not reported.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{RuleError, rule::read_yaml, set::texts_below};
use crate::model::Fingerprint;
use crate::spec::{
    Affected, ApiModel, ContractChange, Document, Place, Side, SpecError, compare_contracts, read,
};

/// How bad a change is for clients of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// No client should notice.
    Info,
    /// Some clients may break.
    Warn,
    /// Clients that keep to the old description break.
    Err,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Err => "ERR",
        }
    }
}

/// A change of the contract with its judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractFinding {
    /// The rule: `request-property-max-length-decreased`.
    pub id: String,
    /// How bad it is.
    pub level: Level,
    /// What changed, and all that it affects.
    pub change: ContractChange,
    /// The finding of the same comparison that tells the same change.
    pub told_by: Option<Fingerprint>,
}

/// Compares two API descriptions as contracts: each name is a file name or an address.
///
/// `today` tells whether announced ends have passed.
///
/// # Errors
/// [`SpecError`] where one of the two cannot be read, or is no API description.
pub fn diff_contracts(
    before_name: &str,
    before: &[u8],
    after_name: &str,
    after: &[u8],
    today: Option<Date>,
) -> Result<Vec<ContractFinding>, SpecError> {
    let api = |name: &str, bytes: &[u8]| match read(name, None, bytes)? {
        Document::Api(model) => Ok(model),
        Document::Sections(_) | Document::Reference(_) => {
            Err(SpecError::Unsupported { name: name.to_owned(), what: "prose".to_owned() })
        }
    };
    Ok(judge_contracts(&*api(before_name, before)?, &*api(after_name, after)?, today))
}

/// Compares two API descriptions as contracts.
#[must_use]
pub fn judge_contracts(before: &ApiModel, after: &ApiModel, today: Option<Date>) -> Vec<ContractFinding> {
    judge(compare_contracts(before, after, today).into_iter().map(|change| (change, None)), before, after)
}

/// Judges changes of a contract, each with the finding that tells it already.
pub(super) fn judge(
    changes: impl Iterator<Item = (ContractChange, Option<Fingerprint>)>,
    before: &ApiModel,
    after: &ApiModel,
) -> Vec<ContractFinding> {
    let mut findings: Vec<ContractFinding> = changes.filter_map(|(change, by)| judged(change, by)).collect();
    if findings.iter().any(|finding| finding.level == Level::Err) {
        findings.extend(version(before, after).and_then(|change| judged(change, None)));
    }
    findings
}

fn judged(change: ContractChange, told_by: Option<Fingerprint>) -> Option<ContractFinding> {
    let row = TABLE.get(change.change)?;
    let (level, id) = row.judge(&change)?;
    Some(ContractFinding { id, level, change, told_by })
}

/// What the version says of a change that breaks clients, where it says the wrong thing.
fn version(before: &ApiModel, after: &ApiModel) -> Option<ContractChange> {
    let (from, to) = (before.version()?, after.version()?);
    let (was, is) = (semantic(&from)?, semantic(&to)?);
    let change = match was.cmp(&is) {
        std::cmp::Ordering::Equal => "api-version-not-bumped",
        std::cmp::Ordering::Greater => "api-version-decreased",
        // Below 1.0 the minor version has the part of the major one.
        std::cmp::Ordering::Less if was[0] == is[0] && (was[0] > 0 || was[1] == is[1]) => {
            "api-major-version-not-bumped"
        }
        std::cmp::Ordering::Less => return None,
    };
    Some(ContractChange {
        change,
        side: Side::Neither,
        place: Place::Api,
        hidden: false,
        name: String::new(),
        from: from.into_owned(),
        to: to.into_owned(),
        affects: vec![Affected::default()],
        operations: 0,
    })
}

/// Major, minor and patch of a semantic version.
fn semantic(text: &str) -> Option<[u64; 3]> {
    let text = text.strip_prefix('v').unwrap_or(text).split(['-', '+']).next()?;
    let numbers: Vec<u64> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// One row of the table; the examples are for its test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "examples are read by the test of the table"))]
struct Row {
    change: String,
    level: Levels,
    #[serde(default)]
    schema: Option<[serde_json::Value; 2]>,
    #[serde(default)]
    operation: Option<[serde_json::Value; 2]>,
    #[serde(default)]
    path: Option<[serde_json::Value; 2]>,
    #[serde(default)]
    document: Option<[serde_json::Value; 2]>,
}

/// Levels by place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Levels {
    request: Option<Verdict>,
    request_body: Option<Verdict>,
    response: Option<Verdict>,
    response_body: Option<Verdict>,
    parameter: Option<Verdict>,
    within_parameter: Option<Verdict>,
    header_property: Option<Verdict>,
    header: Option<Verdict>,
    operation: Option<Verdict>,
    api: Option<Verdict>,
    /// Judged where the place before is not: parameters that are written once for all operations of a path.
    common_parameter: Option<Verdict>,
    #[serde(default)]
    hidden: Hidden,
}

/// Levels where nobody can see the change; a side without one is not judged, and a row without any is judged as if it
/// could be seen.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hidden {
    request: Option<Level>,
    response: Option<Level>,
}

/// A level, with an id where the usual one does not do.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Verdict {
    Level(Level),
    Named(Level, String),
    /// `none`: not judged here, although it is where it would be taken from.
    Unjudged(#[cfg_attr(not(test), expect(dead_code, reason = "read by the test of the table"))] String),
}

impl Row {
    fn judge(&self, change: &ContractChange) -> Option<(Level, String)> {
        let levels = &self.level;
        let verdict = match (change.place, change.side) {
            (Place::Api, _) => levels.api.as_ref(),
            (Place::Operation, Side::Neither) => levels.operation.as_ref(),
            (Place::Body, Side::Request | Side::Neither) => {
                levels.request_body.as_ref().or(levels.request.as_ref())
            }
            (Place::Body, Side::Response) => levels.response_body.as_ref().or(levels.response.as_ref()),
            (Place::Property | Place::Operation, Side::Request) => levels.request.as_ref(),
            (Place::Property, Side::Neither) => None,
            (Place::Property | Place::Operation, Side::Response) => levels.response.as_ref(),
            (Place::Parameter, _) => levels.parameter.as_ref().or(levels.request.as_ref()),
            (Place::CommonParameter, _) => levels.common_parameter.as_ref(),
            (Place::ParameterProperty, _) => {
                let levels = [&levels.within_parameter, &levels.parameter, &levels.request];
                levels.into_iter().find_map(Option::as_ref)
            }
            (Place::HeaderProperty, _) => {
                let header = &levels.header_property;
                let levels = [header, &levels.within_parameter, &levels.parameter, &levels.request];
                levels.into_iter().find_map(Option::as_ref)
            }
            (Place::Header, _) => levels.header.as_ref(),
            (Place::ResponseHeaderProperty, _) => None,
        }?;
        let (level, template) = match verdict {
            Verdict::Level(level) => (*level, "{side}-{hidden}{place}-{change}"),
            Verdict::Named(level, template) => (*level, template.as_str()),
            Verdict::Unjudged(_) => return None,
        };
        let knows_hidden = levels.hidden.request.is_some() || levels.hidden.response.is_some();
        let (level, word) = match change.side {
            _ if !(change.hidden && knows_hidden) => (level, ""),
            Side::Response => (levels.hidden.response?, "write-only-"),
            Side::Request | Side::Neither => (levels.hidden.request?, "read-only-"),
        };
        let id = template
            .replace("{side}", if change.side == Side::Response { "response" } else { "request" })
            .replace("{hidden}", word)
            .replace("{place}", place_word(change.place))
            .replace("{change}", change.change);
        Some((level, id))
    }
}

const fn place_word(place: Place) -> &'static str {
    match place {
        Place::Api => "api",
        Place::Operation => "operation",
        Place::Body => "body",
        Place::Property => "property",
        Place::Parameter | Place::CommonParameter => "parameter",
        Place::ParameterProperty => "parameter-property",
        Place::HeaderProperty => "header-property",
        Place::Header => "header",
        Place::ResponseHeaderProperty => "header-property",
    }
}

static TABLE: LazyLock<BTreeMap<String, Row>> = LazyLock::new(|| {
    let rows = rows().expect("the test `every_row_judges_its_example` read the same file");
    rows.into_iter().map(|row| (row.change.clone(), row)).collect()
});

fn rows() -> Result<Vec<Row>, RuleError> {
    let files = texts_below("docs").into_iter().filter(|(path, _)| path.ends_with("/contract.yaml"));
    let mut rows = Vec::new();
    for (path, text) in files {
        rows.extend(read_yaml::<Vec<Row>>(&path, &text)?);
    }
    Ok(rows)
}

#[cfg(test)]
#[path = "contract_tests.rs"]
mod tests;
