//! One look at one endpoint: signs in, asks, waits, asks again, within bounds.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::auth::{Grant, TokenAnswer, read_token};
use super::body::{self, Records};
use super::exchange::{Got, Way, content_type};
use super::judge::{Verdict, judge};
use super::politeness::next_day;
use super::{Connection, ExchangeSummary, Failure, Notice, ObserveContext, Source, request, rotate};
use crate::model::{Action, ErrorClass, FieldPath, Secret, TransportError};
use crate::net::{Request, redact::Redactor};
use crate::rules::rate_limit;

/// How often one page is asked for: at first, and twice more where that may help.
const MAX_ATTEMPTS: u32 = 3;
/// The longest single wait, and the longest waiting of a whole look: what is further off is the scheduler's.
const MAX_WAIT: SignedDuration = SignedDuration::from_secs(30);
const MAX_WAIT_TOTAL: SignedDuration = SignedDuration::from_secs(60);

/// Why a page was not read.
pub(super) enum End {
    /// It could not be.
    Failed(Box<Failure>),
    /// The requests of the day are used up.
    Deferred(Timestamp),
    /// Nothing is new.
    Unchanged,
}

/// One page that was read.
pub(super) struct PageRead {
    pub(super) records: Records,
    pub(super) headers: http::HeaderMap,
    pub(super) url: url::Url,
    pub(super) bytes: u64,
    /// Requests allowed a period, where a header says so.
    pub(super) rate_limit: Option<u64>,
}

/// One look, with all that it takes down on its way.
pub(super) struct Session<'a> {
    source: &'a Source,
    context: &'a ObserveContext<'a>,
    pub(super) redactor: Redactor,
    pub(super) exchanges: Vec<ExchangeSummary>,
    pub(super) requests: u32,
    pub(super) notices: Vec<Notice>,
    pub(super) warnings: Vec<String>,
    pub(super) statuses: BTreeMap<u16, u64>,
    pub(super) max_latency_ms: u64,
    /// One moment for all templates, so that pages belong together.
    pub(super) began: Timestamp,
    waited: SignedDuration,
}

impl<'a> Session<'a> {
    pub(super) fn new(source: &'a Source, context: &'a ObserveContext<'a>) -> Self {
        Self {
            source,
            context,
            redactor: source.connection.sign_in.redactor(),
            exchanges: Vec::new(),
            requests: 0,
            notices: Vec::new(),
            warnings: Vec::new(),
            statuses: BTreeMap::new(),
            max_latency_ms: 0,
            began: context.clock.now(),
            waited: SignedDuration::ZERO,
        }
    }

    fn connection(&self) -> &'a Connection {
        &self.source.connection
    }

    /// Reads one page, asking again where that may help.
    pub(super) async fn page(
        &mut self,
        params: &[(String, String)],
        address: Option<&url::Url>,
        expected: Option<&FieldPath>,
        conditional: bool,
    ) -> Result<PageRead, End> {
        let mut attempts = 0;
        let mut signed_in_again = false;
        loop {
            attempts += 1;
            let (got, token) = self.ask(params, address, conditional).await?;
            if conditional && got.status() == Some(304) {
                return Err(End::Unchanged);
            }
            self.take_down(&got);
            let timed_out = matches!(got.exchange.response, Err(TransportError::Timeout));
            let mut failure =
                match judge(self.context.rules, &got.exchange, got.raw.as_ref().err(), &self.redactor) {
                    Verdict::Failed(failure) => failure,
                    Verdict::Read(notice) => match self.read(got, expected) {
                        Ok(page) => {
                            if let Some(notice) = notice.filter(|notice| !self.notices.contains(notice)) {
                                self.notices.push(notice);
                            }
                            return Ok(page);
                        }
                        Err(failure) => failure,
                    },
                };
            failure.attempts = attempts;
            if attempts >= MAX_ATTEMPTS {
                return Err(End::Failed(Box::new(failure)));
            }
            // A token may end before its time, and not every server says so; a new one is tried once, never in a loop.
            let token_refused = failure.status == Some(401) || failure.action == Action::ReAuthenticate;
            if let Some(token) = token.filter(|_| token_refused && !signed_in_again) {
                signed_in_again = true;
                self.connection().sign_in.forget(&token).await;
                continue;
            }
            let wait = match self.wait_before_another(&failure, timed_out, attempts) {
                Some(wait) => wait,
                None => return Err(End::Failed(Box::new(failure))),
            };
            if !self.pause(wait).await {
                return Err(End::Failed(Box::new(failure)));
            }
        }
    }

    /// Sends the request for one page, signed.
    pub(super) async fn ask(
        &mut self,
        params: &[(String, String)],
        address: Option<&url::Url>,
        conditional: bool,
    ) -> Result<(Got, Option<Secret>), End> {
        let mut request = request::build(self.source, self.began, params, address).map_err(|error| {
            let detail = self.redactor.text(&error.to_string());
            End::Failed(Box::new(Failure::new(ErrorClass::RequestInvalid, Action::Stop, detail)))
        })?;
        let token = self.token().await?;
        self.connection().sign_in.apply(&mut request, token.as_ref());
        if conditional {
            self.source.validators.apply(&mut request.headers);
        }
        Ok((self.send(request).await?, token))
    }

    async fn send(&mut self, request: Request) -> Result<Got, End> {
        let connection = self.connection();
        let way = Way {
            http: &connection.http,
            politeness: &connection.politeness,
            budget: &connection.budget,
            min_interval: connection.min_interval,
            clock: self.context.clock,
        };
        let Some(mut got) = way.send(request, &self.redactor).await else {
            return Err(End::Deferred(next_day(self.context.clock.now())));
        };
        // A host name or a redirect may carry what should not be shown.
        if let Err(error) = &mut got.raw {
            error.message = self.redactor.text(&error.message);
        }
        self.requests += 1;
        self.exchanges.push(got.summary());
        Ok(got)
    }

    /// Takes down how the endpoint behaved.
    fn take_down(&mut self, got: &Got) {
        if let Ok((_, _, hops)) = &got.raw {
            for hop in hops {
                *self.statuses.entry(hop.status).or_default() += 1;
                if matches!(hop.status, 301 | 308) {
                    let to = self.redactor.text(&hop.to);
                    self.warn(format!("the address has moved for good ({}) to {to}", hop.status));
                }
            }
        }
        if let Ok(head) = &got.exchange.response {
            *self.statuses.entry(head.status).or_default() += 1;
        }
        self.max_latency_ms = self.max_latency_ms.max(got.exchange.latency_ms);
    }

    pub(super) fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn read(&self, got: Got, expected: Option<&FieldPath>) -> Result<PageRead, Failure> {
        let status = got.status();
        let bytes = got.exchange.body.len() as u64;
        let head = got.exchange.response.as_ref().ok();
        let rate_limit = head.and_then(|head| rate_limit(head, got.exchange.at).limit);
        let (headers, url, _) = got.raw.map_err(|error| {
            // Verdicts on broken exchanges are failures already; this holds it in the types.
            Failure::new(ErrorClass::Truncated, Action::RetryNow, error.message)
        })?;
        if let Some(encoding) =
            headers.get(http::header::CONTENT_ENCODING).and_then(|value| value.to_str().ok())
            && !encoding.eq_ignore_ascii_case("identity")
        {
            let encoding = self.redactor.text(encoding);
            let detail = format!("the body is encoded as `{encoding}`; only gzip and brotli are understood");
            return Err(Failure { status, ..Failure::new(ErrorClass::NotJson, Action::Stop, detail) });
        }
        // "No content" is how some endpoints say that there are no records.
        let body = if status == Some(204) { b"null".to_vec() } else { got.exchange.body };
        let records = body::read(body, content_type(&headers), expected, self.connection().max_depth)
            .map_err(|failure| Failure { status, ..failure })?;
        Ok(PageRead { records, headers, url, bytes, rate_limit })
    }

    /// How long to wait before the same request may fare better; `None` where it will not.
    fn wait_before_another(
        &self,
        failure: &Failure,
        timed_out: bool,
        attempts: u32,
    ) -> Option<SignedDuration> {
        match (failure.action, failure.class, failure.retry_at) {
            (Action::Wait, _, Some(at)) => Some(at.duration_since(self.context.clock.now())),
            // The same question gets the same answer: these want another one.
            (Action::RetryNow, ErrorClass::PageTooBig | ErrorClass::RequestInvalid, _) => None,
            // A time limit has taken long enough; a hiccup is over in a second.
            (Action::RetryNow, ..) | (Action::Wait, ErrorClass::Outage, None) if !timed_out => {
                Some(self.backoff(attempts))
            }
            (
                Action::RetryNow | Action::Wait | Action::ReAuthenticate | Action::Stop | Action::Continue,
                ..,
            ) => None,
        }
    }

    /// Waits, if the wait is short enough.
    async fn pause(&mut self, wait: SignedDuration) -> bool {
        let wait = wait.max(SignedDuration::ZERO);
        if wait > MAX_WAIT || self.waited + wait > MAX_WAIT_TOTAL {
            return false;
        }
        self.waited += wait;
        let clock = self.context.clock;
        clock.sleep_until(clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX)).await;
        true
    }

    /// One second, then three, and up to half as much again, so that streams that failed together do not come back
    /// together. The jitter is a hash and not drawn, so that a replay waits the same.
    fn backoff(&self, attempt: u32) -> SignedDuration {
        let base = SignedDuration::from_millis(if attempt <= 1 { 1_000 } else { 3_000 });
        let seed = format!("{}{attempt}{}", self.source.subject, self.began.as_microsecond());
        let share = (self.context.hash_key.hash(seed.as_bytes()) % 500) as i32;
        base + base * share / 1_000
    }

    /// The access token, where there is one: that in use while it is fresh, else a new one.
    async fn token(&mut self) -> Result<Option<Secret>, End> {
        let sign_in = &self.connection().sign_in;
        let Some(grant) = sign_in.grant() else { return Ok(None) };
        // Held across the request on purpose: a refresh token that rotates serves once, so one stream fetches for all.
        let mut state = sign_in.state.lock().await;
        if let Some(token) = state.token.as_ref().filter(|token| token.is_fresh(self.context.clock.now())) {
            self.redactor.add(&token.access);
            return Ok(Some(token.access.clone()));
        }
        let fail = |detail: String| {
            End::Failed(Box::new(Failure::new(ErrorClass::AuthInvalid, Action::Stop, detail)))
        };
        let (refresh, slot) = match grant.refresh_file().cloned() {
            None => (None, None),
            Some(path) => {
                if rotate::is_readable_by_others(&path) {
                    let path = path.display();
                    self.warn(format!(
                        "others may read `{path}`, which holds a refresh token; `chmod 600` it"
                    ));
                }
                let prepared = {
                    let path = path.clone();
                    tokio::task::spawn_blocking(move || rotate::Slot::prepare(&path))
                        .await
                        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
                };
                let (slot, read) = prepared.map_err(|error| {
                    let path = path.display();
                    fail(format!("cannot read `{path}` and keep the next refresh token beside it: {error}"))
                })?;
                // A token that could not be saved is newer than the file's.
                (Some(state.unsaved.clone().unwrap_or(read)), Some(slot))
            }
        };
        if let Some(refresh) = &refresh {
            self.redactor.add(refresh);
        }
        let (token, next) = self.fetch_token(grant, refresh.as_ref()).await?;
        self.redactor.add(&token.access);
        if let (Some(next), Some(slot)) = (next, slot) {
            self.redactor.add(&next);
            if refresh.as_ref() != Some(&next) || state.unsaved.is_some() {
                let saved = {
                    let next = next.clone();
                    tokio::task::spawn_blocking(move || slot.keep(&next))
                        .await
                        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
                };
                state.unsaved = match saved {
                    Ok(()) => None,
                    Err(error) => {
                        self.warn(format!(
                            "the next refresh token could not be saved and is lost when Drogue stops: {error}"
                        ));
                        Some(next)
                    }
                };
            }
        }
        let access = token.access.clone();
        state.token = Some(token);
        Ok(Some(access))
    }

    async fn fetch_token(
        &mut self,
        grant: &Grant,
        refresh: Option<&Secret>,
    ) -> Result<(super::auth::Token, Option<Secret>), End> {
        let mut basic = false;
        loop {
            let got = self.send(grant.request(refresh, basic)).await?;
            let status = got.status();
            let fail = |class, action, detail: String| {
                End::Failed(Box::new(Failure { status, ..Failure::new(class, action, detail) }))
            };
            if let Err(error) = &got.raw {
                let detail = format!("no answer from the token endpoint: {error}");
                let (class, action) = if error.may_pass() {
                    (ErrorClass::Outage, Action::Wait)
                } else {
                    (ErrorClass::AuthInvalid, Action::Stop)
                };
                return Err(fail(class, action, detail));
            }
            match read_token(status.unwrap_or_default(), &got.exchange.body, self.context.clock.now()) {
                TokenAnswer::Token(token, next) => return Ok((token, next)),
                TokenAnswer::InvalidClient if grant.has_client_secret() && !basic => basic = true,
                TokenAnswer::InvalidClient => {
                    let detail = "the token endpoint does not accept the client (`auth.client_id`, `auth.client_secret`)";
                    return Err(fail(ErrorClass::AuthInvalid, Action::Stop, detail.to_owned()));
                }
                TokenAnswer::Refused(class, action, detail) => return Err(fail(class, action, detail)),
            }
        }
    }
}
