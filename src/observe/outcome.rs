//! What an observation came to.

use jiff::Timestamp;

use crate::compare::Window;
use crate::model::{Action, ErrorClass, FieldPath, TransportError};
use crate::rules::Lifecycle;

/// What one look at a stream came to. It holds no record value and no secret, and may be shown and stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What came out of it.
    pub outcome: Outcome,
    /// Every exchange, in order, sign-in included.
    pub exchanges: Vec<ExchangeSummary>,
    /// Requests that were made, for the budget.
    pub requests: u32,
}

/// What came out of a look.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Records were read, be it none. An empty list is no evidence of anything.
    Complete(Box<Complete>),
    /// The server says that nothing changed since [`Validators`] were given.
    Unchanged,
    /// No records could be read; an outcome, never drift.
    Failed(Failure),
    /// Nothing was asked, because the requests of the day are used up.
    Deferred {
        /// One sentence.
        detail: String,
        /// When there are requests again.
        until: Timestamp,
    },
}

/// Records were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Complete {
    /// What they look like, and how the endpoint behaved.
    pub window: Window,
    /// Where they sat.
    pub records: FieldPath,
    /// Whether that place was guessed, because the config does not name it. To be kept and passed in next time.
    pub guessed: bool,
    /// Where the config has them, if they were found elsewhere: the envelope changed.
    pub moved_from: Option<FieldPath>,
    /// Why the last page could not be read, where that cut the window short; it is partial then.
    pub cut_short: Option<Failure>,
    /// What rules said about responses that were read all the same: a deprecation.
    pub notices: Vec<Notice>,
    /// What a person should know, one sentence each.
    pub warnings: Vec<String>,
    /// For the next look, where the endpoint gives them and one page is all.
    pub validators: Validators,
}

/// A word of a rule about a response that was read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The class.
    pub class: ErrorClass,
    /// The rule that says so.
    pub rule: String,
    /// One sentence.
    pub note: String,
    /// From when on it is deprecated, and when it ends, as far as the headers say.
    pub lifecycle: Lifecycle,
}

/// Why no records could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What it means.
    pub class: ErrorClass,
    /// What to do about it.
    pub action: Action,
    /// The rule that says so; `None` where Drogue knows by itself.
    pub rule: Option<String>,
    /// One or two sentences, safe to show.
    pub detail: String,
    /// The status of the last response.
    pub status: Option<u16>,
    /// When to ask again, where the server says so.
    pub retry_at: Option<Timestamp>,
    /// How often the page was asked for.
    pub attempts: u32,
    /// Where records should be in a response that is fine but for that: the envelope changed.
    pub missing_records: Option<FieldPath>,
}

/// One exchange without its body.
#[derive(Debug, Clone, PartialEq)]
pub struct ExchangeSummary {
    /// `GET` or `POST`.
    pub method: String,
    /// The address, secret parameters as `<secret>`.
    pub url: String,
    /// The status code, or why there is none.
    pub status: Result<u16, TransportError>,
    /// Decompressed bytes of the body.
    pub bytes: u64,
    /// Until the last byte, in milliseconds.
    pub latency_ms: u64,
    /// When it was asked.
    pub at: Timestamp,
}

/// What a server gave to ask "anything new?" with.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Validators {
    /// `ETag`, for `If-None-Match`.
    pub etag: Option<String>,
    /// `Last-Modified`, for `If-Modified-Since`.
    pub last_modified: Option<String>,
}

impl Validators {
    /// The validators of a response.
    pub(super) fn of(headers: &http::HeaderMap) -> Self {
        let get = |name: http::HeaderName| {
            // A longer one is no validator but a burden on the database.
            headers.get(name)?.to_str().ok().filter(|text| text.len() <= 512).map(str::to_owned)
        };
        Self { etag: get(http::header::ETAG), last_modified: get(http::header::LAST_MODIFIED) }
    }

    /// Whether there is nothing to ask with.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    /// Adds the conditions to a request.
    pub(super) fn apply(&self, headers: &mut http::HeaderMap) {
        use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
        for (name, text) in [(IF_NONE_MATCH, &self.etag), (IF_MODIFIED_SINCE, &self.last_modified)] {
            if let Some(value) = text.as_deref().and_then(|text| text.parse().ok()) {
                headers.insert(name, value);
            }
        }
    }
}

impl Failure {
    /// A failure that Drogue knows by itself, seen at the first attempt.
    pub(super) fn new(class: ErrorClass, action: Action, detail: impl Into<String>) -> Self {
        Self {
            class,
            action,
            rule: None,
            detail: detail.into(),
            status: None,
            retry_at: None,
            attempts: 1,
            missing_records: None,
        }
    }
}
