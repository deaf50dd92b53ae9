//! One request and its response, taken down without secrets.

use std::sync::Arc;

use http::HeaderMap;
use url::Url;

use super::ExchangeSummary;
use super::politeness::{Budget, Politeness};
use crate::model::{Clock, Exchange, RequestHead, ResponseHead};
use crate::net::{Hop, HttpClient, Request, SendError, redact::Redactor};

/// What a request goes through.
pub(super) struct Way<'a> {
    pub(super) http: &'a HttpClient,
    pub(super) politeness: &'a Politeness,
    pub(super) budget: &'a Arc<Budget>,
    pub(super) min_interval: std::time::Duration,
    pub(super) clock: &'a dyn Clock,
}

/// One exchange, and what of it must not be shown.
pub(super) struct Got {
    /// Fit to be judged and shown, but for its body.
    pub(super) exchange: Exchange,
    /// The response's headers as they came, the address that answered, and the redirects that led there.
    pub(super) raw: Result<(HeaderMap, Url, Vec<Hop>), SendError>,
}

impl Got {
    /// The status, as far as one came.
    pub(super) fn status(&self) -> Option<u16> {
        match &self.exchange.response {
            Ok(head) => Some(head.status),
            Err(_) => self.raw.as_ref().err().and_then(|error| error.status),
        }
    }

    /// The exchange without its body.
    pub(super) fn summary(&self) -> ExchangeSummary {
        let Exchange { request, response, body, at, latency_ms } = &self.exchange;
        ExchangeSummary {
            method: request.method.clone(),
            url: request.url.clone(),
            status: response.as_ref().map(|head| head.status).map_err(|error| *error),
            bytes: body.len() as u64,
            latency_ms: *latency_ms,
            at: *at,
        }
    }
}

/// The `Content-Type` of a response.
pub(super) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(http::header::CONTENT_TYPE)?.to_str().ok()
}

impl Way<'_> {
    /// Sends a request when it is its turn; `None` where the requests of the day are used up.
    pub(super) async fn send(&self, request: Request, redactor: &Redactor) -> Option<Got> {
        if !self.budget.take() {
            return None;
        }
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let _turn = self.politeness.turn(&host, self.min_interval, self.clock).await;
        let head = RequestHead {
            method: request.method.to_string(),
            url: redactor.url(&request.url, &request.secret_params),
            headers: redactor.headers(&request.headers),
        };
        let (at, began) = (self.clock.now(), self.clock.monotonic());
        let result = self.http.send(request).await;
        let latency = self.clock.monotonic().saturating_sub(began);
        let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        let (response, body, raw) = match result {
            Ok(response) => {
                let head =
                    ResponseHead { status: response.status, headers: redactor.headers(&response.headers) };
                (Ok(head), response.body, Ok((response.headers, response.url, response.hops)))
            }
            Err(error) => (Err(error.kind), Vec::new(), Err(error)),
        };
        Some(Got { exchange: Exchange { request: head, response, body, at, latency_ms }, raw })
    }
}
