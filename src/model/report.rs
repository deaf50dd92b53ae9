//! The report: what `diff` prints, and what `check`, `findings` and webhooks carry. Format version 1.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Diagnosis, FieldPath, Finding};

/// Whom a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// The connector, by its name in the config.
    pub connector: String,
    /// The stream.
    pub stream: String,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.connector, self.stream)
    }
}

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompareKind {
    /// Windows of records.
    Records,
    /// Documents that describe an API.
    Docs,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Side {
    /// Records that were read.
    pub records: u64,
    /// Version of the baseline, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// When the first record was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When the last record was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// What stands against what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Records or documents.
    pub kind: CompareKind,
    /// What was recorded.
    pub baseline: Side,
    /// What is seen now.
    pub live: Side,
}

/// Something that could not be judged, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inconclusive {
    /// Where.
    pub path: FieldPath,
    /// Why: `12 records; 20 needed`.
    pub why: String,
}

/// What one comparison came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this format: 1.
    pub version: u32,
    /// Whom it is about.
    pub subject: Subject,
    /// What stood against what.
    pub compared: Compared,
    /// What happened, worst first.
    pub diagnoses: Vec<Diagnosis>,
    /// What was seen, worst first.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub inconclusive: Vec<Inconclusive>,
}

/// A stream that could not be observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unobserved {
    /// The connector.
    pub connector: String,
    /// The stream.
    pub stream: String,
    /// What came instead: a class of error, and the words for it.
    pub outcome: String,
    /// When Drogue looks again.
    pub retry_at: Option<Timestamp>,
}

/// Several reports, as `check` and `findings list` print them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportSet {
    /// Version of this format: 1.
    pub version: u32,
    /// Version of Drogue.
    pub drogue: String,
    /// One report a stream.
    pub reports: Vec<Report>,
    /// Streams that could not be observed.
    pub unobserved: Vec<Unobserved>,
}
