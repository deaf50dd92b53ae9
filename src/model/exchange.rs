//! One request and its response, and the classes that a response can mean.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was asked, with every secret already taken out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestHead {
    /// `GET` or `POST`.
    pub method: String,
    /// The address, with secret parameters as `<secret>`.
    pub url: String,
    /// Headers, names in lower case, secret ones as `<secret>`.
    pub headers: Vec<(String, String)>,
}

/// What came back, the body apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case, secret ones as `<secret>`.
    pub headers: Vec<(String, String)>,
}

impl ResponseHead {
    /// The first header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Why no whole response came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportError {
    /// No address for the name.
    Dns,
    /// An address that must not be reached.
    Forbidden,
    /// Nobody listens there.
    Refused,
    /// The certificate or the handshake failed.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke, or the body ended early.
    Broken,
    /// The body, a header or the decompressed size is over its limit.
    TooLarge,
    /// Redirects in a circle, to another scheme, or too many.
    Redirect,
}

/// One request and its response.
#[derive(Clone)]
pub struct Exchange {
    /// What was asked.
    pub request: RequestHead,
    /// What came back, or why nothing did.
    pub response: Result<ResponseHead, TransportError>,
    /// The decompressed body; never stored and never logged.
    pub body: Vec<u8>,
    /// When it was asked.
    pub at: Timestamp,
    /// Until the last byte, in milliseconds.
    pub latency_ms: u64,
}

impl std::fmt::Debug for Exchange {
    /// Shows how long the body is, and nothing of it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange")
            .field("request", &self.request)
            .field("response", &self.response)
            .field("body_bytes", &self.body.len())
            .field("at", &self.at)
            .field("latency_ms", &self.latency_ms)
            .finish()
    }
}

/// What a response means to a connector, whatever its status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// The credential ran out.
    AuthExpired,
    /// The credential is wrong or missing.
    AuthInvalid,
    /// Another way to sign in is asked for.
    AuthChanged,
    /// The credential does not suffice.
    PermissionLost,
    /// The account is suspended or unpaid.
    AccountBlocked,
    /// Too many requests.
    RateLimited,
    /// The period's allowance is used up.
    QuotaExhausted,
    /// The source is down, or cannot be reached.
    Outage,
    /// The endpoint is no more.
    EndpointGone,
    /// The endpoint is elsewhere.
    EndpointMoved,
    /// One thing is not there; not drift of the endpoint.
    NotFound,
    /// The request is not understood any more.
    RequestInvalid,
    /// The page asked for is too big.
    PageTooBig,
    /// The body is no JSON.
    NotJson,
    /// The body ended early.
    Truncated,
    /// A status of success around an error.
    OkWithError,
    /// It works, and the vendor says that it ends.
    Deprecated,
    /// A firewall or a challenge page answered.
    BlockedByFirewall,
}

impl ErrorClass {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(word)) => word,
            _ => String::new(),
        }
    }
}

/// What a client is to do about a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Ask again at once.
    RetryNow,
    /// Ask again later.
    Wait,
    /// Sign in again, once.
    ReAuthenticate,
    /// Give up; a person has to act.
    Stop,
    /// Go on; it is data, or only a warning.
    Continue,
}
