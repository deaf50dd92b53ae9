//! HAR 1.2: what browsers and debugging proxies save of their traffic. It is full of cookies and tokens; nothing of it
//! but the shape of the records leaves this file.

use std::{collections::BTreeSet, path::Path};

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{ImportError, ImportOptions, MAX_DEPTH, MAX_WARNINGS};
use crate::model::{Exchange, FieldPath, RequestHead, ResponseHead, TransportError};
use crate::net::redact::{self, Redactor};
use crate::observe::judge::{Verdict, judge};
use crate::observe::window::{Reading, Told};
use crate::observe::{
    ExchangeSummary, Failure, Observation, ObserveContext, Outcome, RequestSettings, body, json::value_at,
    request,
};
use crate::rules::rate_limit;

/// Which entries are the stream's.
#[derive(Debug, Clone)]
pub struct HarFilter(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// The same host, and a path of the same parts; `None` stands for a part with a template in it.
    Endpoint { host: String, path: Vec<Option<String>> },
    /// This text in the address.
    Part(String),
}

/// A part that no address has by itself.
const ANY: &str = "drogue-any-part";

impl HarFilter {
    /// The entries of a stream's own request; `None` where its address cannot be read.
    #[must_use]
    pub fn of_request(base_url: Option<&str>, settings: &RequestSettings) -> Option<Self> {
        let url =
            request::join(base_url.map(without_templates).as_deref(), &without_templates(&settings.url))?;
        let path = parts(&url).map(|part| (!part.contains(ANY)).then(|| part.to_owned())).collect();
        Some(Self(Kind::Endpoint { host: url.host_str()?.to_owned(), path }))
    }

    /// The entries whose address holds this text.
    #[must_use]
    pub fn containing(part: &str) -> Self {
        Self(Kind::Part(part.to_owned()))
    }

    fn matches(&self, url: &Url) -> bool {
        match &self.0 {
            Kind::Part(part) => url.as_str().contains(part.as_str()),
            Kind::Endpoint { host, path } => {
                let found: Vec<&str> = parts(url).collect();
                let is_host = host.contains(ANY) || url.host_str() == Some(host);
                is_host
                    && found.len() == path.len()
                    && path
                        .iter()
                        .zip(found)
                        .all(|(part, found)| part.as_deref().is_none_or(|part| part == found))
            }
        }
    }

    fn shown(&self) -> String {
        match &self.0 {
            Kind::Part(part) => format!("with `{part}` in its address"),
            Kind::Endpoint { host, path } => {
                let path: Vec<&str> = path.iter().map(|part| part.as_deref().unwrap_or("*")).collect();
                format!("of `{host}/{}`", path.join("/"))
            }
        }
    }
}

fn parts(url: &Url) -> impl Iterator<Item = &str> {
    url.path().split('/').filter(|part| !part.is_empty())
}

fn without_templates(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        out.push_str(ANY);
        rest = after.split_once("}}").map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Option<String>,
    time: Option<f64>,
    request: EntryRequest,
    response: EntryResponse,
}

#[derive(Deserialize)]
struct EntryRequest {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
}

#[derive(Deserialize)]
struct EntryResponse {
    status: i64,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    content: Content,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Content {
    mime_type: Option<String>,
    text: Option<String>,
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

/// What reading the entries has come to so far.
struct Entries<'a> {
    reading: Reading,
    told: Told,
    redactor: Redactor,
    exchanges: Vec<ExchangeSummary>,
    failure: Option<Failure>,
    context: &'a ObserveContext<'a>,
    span: Option<(Timestamp, Timestamp)>,
    skipped: u64,
}

pub(super) fn read(
    path: &Path,
    text: &str,
    options: &ImportOptions,
    context: &ObserveContext<'_>,
) -> Result<Observation, ImportError> {
    let no_records = |why: String| ImportError::NoRecords { path: path.to_owned(), why };
    let raw = value_at(text, &FieldPath::of_keys(["log", "entries"])).unwrap_or("[]");
    let all: Vec<&RawValue> =
        serde_json::from_str(raw).map_err(|_| no_records("its `log.entries` is no list".to_owned()))?;
    let mut entries = Entries {
        reading: Reading::new(context, options.samples, MAX_DEPTH, options.records.as_ref(), None),
        told: Told {
            statuses: Default::default(),
            max_latency_ms: 0,
            notices: Vec::new(),
            warnings: Vec::new(),
        },
        redactor: Redactor::default(),
        exchanges: Vec::new(),
        failure: None,
        context,
        span: None,
        skipped: 0,
    };
    let mut endpoints = BTreeSet::new();
    let mut matched = 0u64;
    for (index, raw) in all.iter().enumerate() {
        let number = index + 1;
        let Ok(entry) = serde_json::from_str::<Entry>(raw.get()) else {
            entries.skip(number, "it is no entry of HAR 1.2");
            continue;
        };
        let Ok(url) = Url::parse(&entry.request.url) else {
            entries.skip(number, "its address cannot be read");
            continue;
        };
        match &options.filter {
            Some(filter) if !filter.matches(&url) => {
                endpoints.insert(endpoint(&url));
                continue;
            }
            Some(_) => {}
            // Pages, styles and pictures beside the one endpoint that speaks JSON do no harm.
            None if entry.is_json() => {
                endpoints.insert(endpoint(&url));
            }
            None => continue,
        }
        matched += 1;
        entries.take(number, entry, &url);
    }
    if options.filter.is_none() && endpoints.len() > 1 {
        let endpoints = endpoints.into_iter().take(5).collect();
        return Err(ImportError::Ambiguous { path: path.to_owned(), endpoints });
    }
    if matched == 0 {
        let wanted = options.filter.as_ref().map_or_else(|| "with JSON".to_owned(), HarFilter::shown);
        let seen: Vec<String> = endpoints.into_iter().take(5).collect();
        let seen = if seen.is_empty() { String::new() } else { format!("; it has {}", seen.join(", ")) };
        return Err(no_records(format!("none of its {} entries is one {wanted}{seen}", all.len())));
    }
    Ok(entries.finish())
}

/// Host and path, safe to show.
fn endpoint(url: &Url) -> String {
    redact::text(&format!("{}{}", url.host_str().unwrap_or_default(), url.path()))
}

impl Entry {
    fn is_json(&self) -> bool {
        let declared = self.response.content.mime_type.as_deref().unwrap_or_default();
        declared.to_ascii_lowercase().contains("json")
    }
}

impl Entries<'_> {
    fn skip(&mut self, number: usize, why: &str) {
        self.skipped += 1;
        if self.skipped <= MAX_WARNINGS {
            self.told.warnings.push(format!("entry {number}: {why}"));
        }
    }

    fn take(&mut self, number: usize, entry: Entry, url: &Url) {
        let at = entry.started_date_time.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        let at = at.unwrap_or_else(|| self.context.clock.now());
        let latency_ms = entry.time.unwrap_or(0.0).clamp(0.0, 86_400_000.0) as u64;
        let headers = header_map(&entry.response.headers);
        let content = entry.response.content;
        let body = match (content.text, content.encoding.as_deref()) {
            (Some(text), Some(encoding)) if encoding.eq_ignore_ascii_case("base64") => {
                match base64::engine::general_purpose::STANDARD.decode(text.trim()) {
                    Ok(body) => body,
                    Err(_) => return self.skip(number, "its body is no base64"),
                }
            }
            (Some(text), _) => text.into_bytes(),
            (None, _) if entry.response.status == 204 => Vec::new(),
            (None, _) => return self.skip(number, "its body was not saved; export the HAR with content"),
        };
        // A status of 0 is how browsers write that no response came.
        let response = match u16::try_from(entry.response.status).ok().filter(|status| *status >= 100) {
            Some(status) => Ok(ResponseHead { status, headers: self.redactor.headers(&headers) }),
            None => Err(TransportError::Broken),
        };
        let exchange = Exchange {
            request: RequestHead {
                method: redact::text(&entry.request.method),
                url: self.redactor.url(url, &[]),
                headers: self.redactor.headers(&header_map(&entry.request.headers)),
            },
            response,
            body,
            at,
            latency_ms,
        };
        self.exchanges.push(ExchangeSummary {
            method: exchange.request.method.clone(),
            url: exchange.request.url.clone(),
            status: exchange.response.as_ref().map(|head| head.status).map_err(|error| *error),
            bytes: exchange.body.len() as u64,
            latency_ms,
            at,
        });
        if let Ok(head) = &exchange.response {
            *self.told.statuses.entry(head.status).or_default() += 1;
        }
        self.told.max_latency_ms = self.told.max_latency_ms.max(latency_ms);
        let end = at.saturating_add(jiff::SignedDuration::from_millis(latency_ms as i64)).unwrap_or(at);
        self.span = Some(self.span.map_or((at, end), |(from, to)| (from.min(at), to.max(end))));
        let failure = match judge(self.context.rules, &exchange, None, &self.redactor) {
            Verdict::Failed(failure) => failure,
            Verdict::Read(_) if exchange.response.is_err() => {
                return self.skip(number, "no response came");
            }
            Verdict::Read(notice) => {
                if let Some(notice) = notice.filter(|notice| !self.told.notices.contains(notice)) {
                    self.told.notices.push(notice);
                }
                match self.records(exchange) {
                    Ok(true) => return,
                    Ok(false) => return self.skip(number, "the same records as an entry before"),
                    Err(failure) => failure,
                }
            }
        };
        self.skip(number, &failure.detail);
        self.failure.get_or_insert(failure);
    }

    fn records(&mut self, exchange: Exchange) -> Result<bool, Failure> {
        let head = exchange.response.as_ref().ok();
        let limit = head.and_then(|head| rate_limit(head, exchange.at).limit);
        let content_type = head.and_then(|head| head.header("content-type")).map(str::to_owned);
        let bytes = exchange.body.len() as u64;
        let body = if head.is_some_and(|head| head.status == 204) { b"null".to_vec() } else { exchange.body };
        let records = body::read(body, content_type.as_deref(), self.reading.expected(), MAX_DEPTH)?;
        Ok(self.reading.take(&records, bytes, content_type.as_deref(), limit))
    }

    fn finish(mut self) -> Observation {
        if self.skipped > MAX_WARNINGS {
            let more = self.skipped - MAX_WARNINGS;
            self.told.warnings.push(format!("{more} more entries were passed over"));
        }
        let outcome = match self.failure {
            Some(failure) if self.reading.behaviour.pages == 0 => Outcome::Failed(failure),
            Some(_) | None => {
                // Nobody knows how many pages there would have been.
                self.reading.partial = true;
                let (from, to) = self.span.unwrap_or_else(|| {
                    let now = self.context.clock.now();
                    (now, now)
                });
                Outcome::Complete(Box::new(self.reading.finish(self.told, from, to)))
            }
        };
        Observation { outcome, exchanges: self.exchanges, requests: 0 }
    }
}

fn header_map(pairs: &[Pair]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for pair in pairs.iter().take(1_000) {
        // HTTP/2 pseudo-headers and the like are no headers.
        let name = pair.name.to_ascii_lowercase().parse::<HeaderName>();
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&pair.value)) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_matches_whatever_its_templates_say() {
        let settings = |url: &str| serde_json::from_value(serde_json::json!({ "url": url })).unwrap();
        let filter = HarFilter::of_request(
            Some("https://h.example/v1"),
            &settings("/days/{{ now | date }}/items?a=b"),
        )
        .unwrap();
        for (url, fits) in [
            ("https://h.example/v1/days/2026-01-01/items?page=2", true),
            ("https://h.example/v1/days/2026-01-01/items/", true),
            ("https://h.example/v1/days/2026-01-01/items/7", false),
            ("https://other.example/v1/days/2026-01-01/items", false),
        ] {
            assert_eq!(filter.matches(&Url::parse(url).unwrap()), fits, "{url}");
        }
        assert!(HarFilter::of_request(None, &settings("/relative")).is_none());
    }
}
