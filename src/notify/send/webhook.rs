//! Webhooks by the Standard Webhooks specification: signed, not redirected, the same id on each attempt.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use url::Url;

use crate::model::{Clock, Message, Secret};
use crate::net::{HttpClient, Request};

use super::super::render;
use super::{Retry, SendError, SetupError, sign};

/// Of the answer, only the status and `Retry-After` are read; the body is taken in for the sake of the connection.
const MAX_ANSWER: u64 = 64 * 1024;

/// Hands one message over.
pub(super) async fn deliver(
    http: &HttpClient,
    message: &Message,
    url: &str,
    secret: Option<&Secret>,
    clock: &dyn Clock,
) -> Result<(), SendError> {
    let url = Url::parse(url).map_err(|_| SendError::new(Retry::Backoff, SetupError::Url.to_string()))?;
    let body = render::webhook_body(message);
    let now = clock.now();
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", message.id.clone()),
        ("webhook-timestamp", now.as_second().to_string()),
    ];
    if let Some(secret) = secret {
        let signature = sign(secret, &message.id, now.as_second(), &body)
            .ok_or_else(|| SendError::new(Retry::Backoff, SetupError::Secret.to_string()))?;
        headers.push(("webhook-signature", signature));
    }
    let mut request = Request::post(url, body);
    request.max_body = Some(MAX_ANSWER);
    for (name, value) in headers {
        let value = HeaderValue::try_from(value)
            .map_err(|_| SendError::new(Retry::Never, format!("`{name}` cannot be a header")))?;
        request.headers.insert(name, value);
    }
    match http.send(request).await {
        Ok(response) => judge(response.status, &response.headers, now),
        // The answer had begun, and its status counts: that its body never ends is no reason to send again.
        Err(error) => match error.status {
            Some(status) => judge(status, &HeaderMap::new(), now),
            None => Err(SendError::new(Retry::Backoff, error.to_string())),
        },
    }
}

/// 2xx is success. Redirects are not followed: a signed message goes where the config says, or nowhere.
fn judge(status: u16, headers: &HeaderMap, now: Timestamp) -> Result<(), SendError> {
    let fail = |retry, what: &str| {
        let colon = if what.is_empty() { "" } else { ": " };
        Err(SendError::new(retry, format!("the webhook answered {status}{colon}{what}")))
    };
    match status {
        200..=299 => Ok(()),
        300..=399 => fail(Retry::Backoff, "redirects are not followed; set `url` to where it leads"),
        410 => fail(Retry::Never, "the receiver is gone; remove it from the routes"),
        429 | 503 => {
            let wait =
                headers.get(header::RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now));
            fail(wait.map_or(Retry::Backoff, Retry::After), "")
        }
        _ => fail(Retry::Backoff, ""),
    }
}

/// `Retry-After` in seconds or as an HTTP date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = Timestamp::try_from(httpdate::parse_http_date(value.trim()).ok()?).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(status: u16, retry_after: Option<&'static str>) -> Option<Retry> {
        let value = retry_after.map(HeaderValue::from_static);
        let headers = value.into_iter().map(|value| (header::RETRY_AFTER, value)).collect();
        judge(status, &headers, "2026-01-01T00:00:00Z".parse().unwrap()).err().map(|error| error.retry)
    }

    #[test]
    fn what_an_answer_means() {
        assert_eq!(retry(204, None), None);
        assert_eq!(retry(301, None), Some(Retry::Backoff));
        assert_eq!(retry(410, None), Some(Retry::Never));
        assert_eq!(retry(500, Some("60")), Some(Retry::Backoff));
        assert_eq!(retry(429, Some("60")), Some(Retry::After(Duration::from_secs(60))));
        assert_eq!(
            retry(503, Some("Thu, 01 Jan 2026 00:02:00 GMT")),
            Some(Retry::After(Duration::from_secs(120)))
        );
        assert_eq!(retry(503, Some("Wed, 01 Jan 2025 00:02:00 GMT")), Some(Retry::After(Duration::ZERO)));
        assert_eq!(retry(429, Some("soon")), Some(Retry::Backoff));
    }
}
