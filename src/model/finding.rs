//! Findings (changes judged by a rule) and diagnoses (the reading that joins them).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ChangeKind, Facts, FieldPath, content_id};

/// How bad it is for the connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Data may be wrong or soon will be.
    Warning,
    /// The connector loses or corrupts data, or stops.
    Breaking,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Breaking => "breaking",
        }
    }
}

/// What part of the world a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Paths and types.
    Schema,
    /// What the values say.
    Values,
    /// Statuses, paging, volume.
    Behaviour,
    /// The documentation.
    Docs,
    /// What the vendor says will come.
    Lifecycle,
}

/// The stable id of a finding: a hash of facts (subject, rule, path), never of message text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// The fingerprint of what `rule` says of `path` in a stream.
    #[must_use]
    pub fn of(connector: &str, stream: &str, rule: &str, path: &FieldPath) -> Self {
        Self(content_id(&["finding/1", connector, stream, rule, &path.to_string()]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// Seen in the last window.
    Open,
    /// Open, and a person has said so.
    Acknowledged,
    /// No longer seen, or accepted.
    Resolved,
    /// Opened and resolved again and again.
    Flapping,
}

impl FindingState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Flapping => "flapping",
        }
    }
}

/// One or more changes judged by a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The stable id.
    pub fingerprint: Fingerprint,
    /// The rule that judged it, by id.
    pub rule: String,
    /// The part of the world it is about.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// Where; `$` for the stream as a whole.
    pub path: FieldPath,
    /// One sentence: the rule's message with the facts filled in.
    pub message: String,
    /// What the rule advises, where it does.
    pub remedy: Option<String>,
    /// What was seen.
    pub kind: ChangeKind,
    /// Other paths that the change speaks of.
    pub to: Vec<FieldPath>,
    /// Counts, ratios and statistics; the facts of the change.
    pub evidence: Facts,
    /// The diagnosis that claims it.
    pub explained_by: Option<String>,
    /// Where it stands.
    pub state: FindingState,
    /// The first window that showed it.
    pub first_seen: Option<Timestamp>,
    /// The last window that showed it.
    pub last_seen: Option<Timestamp>,
}

/// What really happened; the documented list of `drogue rules explain --kinds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiagnosisKind {
    /// The same values under another name, beside the old place.
    Renamed,
    /// The same values under another parent.
    Moved,
    /// One field became several.
    Split,
    /// Several fields became one.
    Merged,
    /// Two fields exchanged their contents.
    Swapped,
    /// A field is gone, and nothing took its place.
    Removed,
    /// A field is new, and took nobody's place.
    Added,
    /// The same content as another JSON type.
    Retyped,
    /// The same content in another notation.
    Reformatted,
    /// The same quantity in another unit.
    Rescaled,
    /// The same text in another encoding.
    ReEncoded,
    /// Other words for a closed set of values.
    EnumChanged,
    /// Only upper and lower case moved.
    CaseChanged,
    /// Identifiers follow another scheme.
    IdSchemeChanged,
    /// More or fewer nulls or missing values.
    NullsChanged,
    /// Values are cut.
    Truncated,
    /// Values stand still.
    Stale,
    /// More or fewer distinct values.
    CardinalityChanged,
    /// Other values, with no simpler reading.
    DistributionShifted,
    /// Plus became minus.
    SignFlipped,
    /// Instants moved by a time zone.
    TimezoneShifted,
    /// More or fewer records.
    VolumeChanged,
    /// Another way to sign in.
    AuthChanged,
    /// The credential ran out.
    AuthExpired,
    /// The credential no longer suffices.
    PermissionLost,
    /// Too many requests.
    RateLimited,
    /// Another limit than before.
    RateLimitChanged,
    /// The period's allowance is used up.
    QuotaExhausted,
    /// The source is down.
    Outage,
    /// The endpoint is no more.
    EndpointGone,
    /// The endpoint is elsewhere.
    EndpointMoved,
    /// Pages work differently.
    PagingChanged,
    /// The same page comes again and again.
    PagingLoop,
    /// Records sit elsewhere in the response.
    EnvelopeChanged,
    /// The body is no JSON.
    NotJson,
    /// A status of success around an error.
    OkWithError,
    /// The vendor says that it ends.
    Deprecated,
    /// The documentation of something in use differs.
    DocsChanged,
    /// Documentation and responses disagree.
    DocsContradicted,
}

impl DiagnosisKind {
    /// The word for it, as reports print it.
    #[must_use]
    pub fn word(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(word)) => word,
            _ => String::new(),
        }
    }
}

/// A possible reading among several, with its score between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The path that may have taken over.
    pub path: FieldPath,
    /// How well the evidence fits.
    pub score: f64,
    /// What the score is made of.
    pub facts: Facts,
}

/// One real change with one explanation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The stable id: a hash of subject, kind, path and targets.
    pub id: String,
    /// What happened.
    pub kind: DiagnosisKind,
    /// The worst severity among the findings that it explains.
    pub severity: Severity,
    /// Where: for a rename the old path.
    pub path: FieldPath,
    /// New paths of a rename, move, split or swap.
    pub to: Vec<FieldPath>,
    /// One sentence that a person acts on.
    pub summary: String,
    /// How sure the reading is, between 0 and 1.
    pub confidence: f64,
    /// Whether other readings come close; such a diagnosis never applies by itself.
    pub ambiguous: bool,
    /// The readings that came close, best first, where there are several.
    pub candidates: Vec<Candidate>,
    /// What the kind is made of: ratio, unit, formats, types, values.
    pub detail: Facts,
    /// The counts and statistics behind it.
    pub evidence: Facts,
    /// Fingerprints of the findings that it explains.
    pub explains: Vec<Fingerprint>,
    /// The patch that mends it, where there is one.
    pub patch: Option<String>,
}
