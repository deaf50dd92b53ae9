//! Webhooks by the Standard Webhooks specification: signed, not redirected, the same id on each attempt.

use std::{future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;

use crate::model::{Clock, Message, ResponseHead, Secret, TransportError};

use super::super::render;
use super::{Retry, SendError, sign};

/// What [`Post::post`] gives back.
pub type Posted<'a> = Pin<Box<dyn Future<Output = Result<ResponseHead, TransportError>> + Send + 'a>>;

/// The door that webhooks go through: one `POST` that follows no redirect and keeps no body.
pub trait Post: Send + Sync + std::fmt::Debug {
    /// Sends `body` with these headers.
    fn post<'a>(&'a self, url: &'a str, headers: &'a [(&'static str, String)], body: Vec<u8>) -> Posted<'a>;
}

/// Hands one message over.
pub(super) async fn deliver(
    http: &dyn Post,
    message: &Message,
    url: &str,
    secret: Option<&Secret>,
    clock: &dyn Clock,
) -> Result<(), SendError> {
    let body = render::webhook_body(message);
    let now = clock.now();
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", message.id.clone()),
        ("webhook-timestamp", now.as_second().to_string()),
    ];
    if let Some(secret) = secret {
        let signature = sign(secret, &message.id, now.as_second(), &body)
            .ok_or_else(|| SendError::new(Retry::Backoff, "the signing secret of the webhook is none"))?;
        headers.push(("webhook-signature", signature));
    }
    match http.post(url, &headers, body).await {
        Ok(head) => judge(&head, now),
        Err(error) => {
            Err(SendError::new(Retry::Backoff, format!("no answer from the webhook: {}", words(error))))
        }
    }
}

/// 2xx is success. Redirects are not followed: a signed message goes where the config says, or nowhere.
fn judge(head: &ResponseHead, now: Timestamp) -> Result<(), SendError> {
    let fail = |retry, what: &str| {
        let colon = if what.is_empty() { "" } else { ": " };
        Err(SendError::new(retry, format!("the webhook answered {}{colon}{what}", head.status)))
    };
    match head.status {
        200..=299 => Ok(()),
        300..=399 => fail(Retry::Backoff, "redirects are not followed; set `url` to where it leads"),
        410 => fail(Retry::Never, "the receiver is gone; remove it from the routes"),
        429 | 503 => {
            let wait = head.header("retry-after").and_then(|value| retry_after(value, now));
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

const fn words(error: TransportError) -> &'static str {
    match error {
        TransportError::Dns => "its name has no address",
        TransportError::Forbidden => {
            "its address is private; list it in `http.allow_private` if that is meant"
        }
        TransportError::Refused => "nobody listens there",
        TransportError::Tls => "its certificate or the handshake failed",
        TransportError::Timeout => "it took too long",
        TransportError::Broken => "the connection broke",
        TransportError::TooLarge => "what it sent is too large",
        TransportError::Redirect => "it redirects",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(status: u16, retry_after: Option<&str>) -> Option<Retry> {
        let headers = retry_after.map(|v| ("retry-after".to_owned(), v.to_owned())).into_iter().collect();
        judge(&ResponseHead { status, headers }, "2026-01-01T00:00:00Z".parse().unwrap())
            .err()
            .map(|e| e.retry)
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
