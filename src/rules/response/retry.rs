//! When a vendor wants to be asked again: `Retry-After`, rate-limit headers in all their variants, hints in bodies.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::body::Body;
use crate::model::{FieldPath, ResponseHead};

/// Nobody waits longer than this.
const MOST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What headers say about the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimit {
    /// Requests allowed a period.
    pub limit: Option<u64>,
    /// Requests left in this one.
    pub remaining: Option<u64>,
    /// When the next one begins.
    pub reset_at: Option<Timestamp>,
}

/// What the headers of a response, received at `at`, say about the rate limit.
///
/// Understood are `RateLimit` and `RateLimit-Policy` (structured fields of the IETF draft), `RateLimit-*`,
/// `X-RateLimit-*`, `X-Rate-Limit-*` (reset as epoch seconds or milliseconds, as seconds from now, or as a date), and
/// `X-Shopify-Shop-Api-Call-Limit`.
#[must_use]
pub fn rate_limit(head: &ResponseHead, at: Timestamp) -> RateLimit {
    let mut limit = RateLimit::default();
    if let Some(value) = head.header("ratelimit-policy") {
        limit.limit = parameter(value, "q").and_then(|q| q.parse().ok());
    }
    if let Some(value) = head.header("ratelimit") {
        limit.remaining = parameter(value, "r").and_then(|r| r.parse().ok());
        limit.reset_at = parameter(value, "t").and_then(|t| after(at, t));
        // The older draft: `limit=100, remaining=50, reset=5`.
        limit.limit = limit.limit.or_else(|| parameter(value, "limit").and_then(|q| q.parse().ok()));
        limit.remaining =
            limit.remaining.or_else(|| parameter(value, "remaining").and_then(|r| r.parse().ok()));
        limit.reset_at = limit.reset_at.or_else(|| parameter(value, "reset").and_then(|t| after(at, t)));
    }
    if let Some((used, of)) = head.header("x-shopify-shop-api-call-limit").and_then(|v| v.split_once('/')) {
        let (used, of): (Option<u64>, Option<u64>) = (used.trim().parse().ok(), of.trim().parse().ok());
        limit.limit = limit.limit.or(of);
        limit.remaining = limit.remaining.or_else(|| Some(of?.saturating_sub(used?)));
    }
    for prefix in ["ratelimit-", "x-ratelimit-", "x-rate-limit-", "x-ratelimit-requests-"] {
        let number = |name: &str| {
            let value = head.header(&format!("{prefix}{name}"))?;
            value.split([',', ';', ' ']).next()?.trim().parse().ok()
        };
        limit.limit = limit.limit.or_else(|| number("limit"));
        limit.remaining = limit.remaining.or_else(|| number("remaining"));
        limit.reset_at = limit.reset_at.or_else(|| moment(head.header(&format!("{prefix}reset"))?, at));
        let reset_after = || after(at, head.header(&format!("{prefix}reset-after"))?);
        limit.reset_at = limit.reset_at.or_else(reset_after);
    }
    limit.reset_at = limit.reset_at.map(|reset| bounded(reset, at));
    limit
}

/// When to ask again, where the response says so.
pub(super) fn retry_at(head: &ResponseHead, body: &Body<'_>, at: Timestamp) -> Option<Timestamp> {
    let by_header = || {
        if let Some(text) = head.header("retry-after") {
            let moment = after(at, text).or_else(|| relative_to_sender(text, head, at));
            if moment.is_some() {
                return moment;
            }
        }
        let millis = ["retry-after-ms", "x-ms-retry-after-ms"].into_iter().find_map(|name| head.header(name));
        if let Some(millis) = millis.and_then(|text| text.trim().parse::<f64>().ok()) {
            return after_seconds(at, millis / 1000.0);
        }
        let limit = rate_limit(head, at);
        // A limit with something left is not what stops us.
        if limit.remaining.is_none_or(|left| left == 0) { limit.reset_at } else { None }
    };
    by_header().or_else(|| by_body(body, at)).map(|moment| bounded(moment, at))
}

/// Members of bodies that name seconds to wait.
fn by_body(body: &Body<'_>, at: Timestamp) -> Option<Timestamp> {
    const NAMES: [&str; 4] = ["retry_after", "retryAfter", "retry_after_seconds", "retry_in_seconds"];
    let root = FieldPath::root();
    let places = [root.clone(), root.child("error"), root.child("errors").each().child("extensions")];
    places.iter().flat_map(|place| NAMES.map(|name| place.child(name))).find_map(|path| {
        body.values(&path).into_iter().find_map(|value| match value {
            Value::Number(seconds) => after_seconds(at, seconds.as_f64()?),
            Value::String(text) => after(at, text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
    })
}

/// A parameter of a structured field, such as `t` in `"burst";r=0;t=17`, or of a list such as `limit=100, reset=5`.
fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split([';', ',']).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"'))
    })
}

/// That many seconds later; fractions count up.
fn after(at: Timestamp, seconds: &str) -> Option<Timestamp> {
    after_seconds(at, seconds.trim().parse().ok()?)
}

fn after_seconds(at: Timestamp, seconds: f64) -> Option<Timestamp> {
    if !(0.0..=1e9).contains(&seconds) {
        return None;
    }
    // In range by the line above.
    at.checked_add(SignedDuration::from_secs(seconds.ceil() as i64)).ok()
}

/// A date in a header, moved by what the sender's clock (its `Date`) differs from ours.
fn relative_to_sender(text: &str, head: &ResponseHead, at: Timestamp) -> Option<Timestamp> {
    let wanted = http_date(text).or_else(|| text.trim().parse().ok())?;
    match head.header("date").and_then(http_date) {
        Some(sent) => at.checked_add(wanted.duration_since(sent)).ok(),
        None => Some(wanted),
    }
}

/// The moment of a reset header: epoch seconds or milliseconds, seconds from now, or a date.
fn moment(text: &str, at: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    let Ok(number) = text.parse::<f64>() else {
        return http_date(text).or_else(|| text.parse().ok()).or_else(|| minutes_only(text));
    };
    // Beyond 1e11 seconds only milliseconds make sense; below 1e8 (1973) only a span does.
    if number >= 1e11 {
        Timestamp::from_millisecond(number as i64).ok()
    } else if number >= 1e8 {
        Timestamp::from_second(number as i64).ok()
    } else {
        after_seconds(at, number)
    }
}

/// `2026-11-21T01:00Z`: a date without seconds, as Jira writes it.
fn minutes_only(text: &str) -> Option<Timestamp> {
    let (minutes, zone) = text.split_at_checked(16)?;
    format!("{minutes}:00{zone}").parse().ok()
}

/// An HTTP date (RFC 9110, section 5.6.7), in any of its three forms.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text.trim()).ok()?;
    Timestamp::try_from(time).ok()
}

fn bounded(moment: Timestamp, at: Timestamp) -> Timestamp {
    let latest = at.checked_add(MOST).unwrap_or(Timestamp::MAX);
    moment.clamp(at, latest)
}
