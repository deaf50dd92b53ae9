//! The probe: asks a stream's endpoint for its records, page by page, and gives what they look like as a window.

use std::collections::BTreeSet;

use super::exchange::content_type;
use super::paging::{Next, Page, Pager};
use super::session::{End, PageRead, Session};
use super::{
    Complete, Failure, Method, Observation, Outcome, PagingSettings, Source, Validators, foreign, request,
};
use crate::compare::{Behaviour, Window};
use crate::model::{Action, Clock, ErrorClass, FieldPath, HashKey};
use crate::profile::{KeySpec, ProfileOptions, Profiler};
use crate::rules::RuleSet;

/// What an observation needs besides its source.
#[derive(Debug, Clone, Copy)]
pub struct ObserveContext<'a> {
    /// The time, and all waiting.
    pub clock: &'a dyn Clock,
    /// The key of all value hashes.
    pub hash_key: HashKey,
    /// The primary key of the records, where it is known.
    pub key: Option<&'a KeySpec>,
    /// What responses mean.
    pub rules: &'a RuleSet,
}

/// Looks at a stream once.
///
/// A page that fails after others were read ends the window: what was read is kept, `partial`, never to be compared for
/// volume, and the failure stands beside it. A first page that fails is a failure and no window.
pub async fn observe(source: &Source, context: &ObserveContext<'_>) -> Observation {
    let mut session = Session::new(source, context);
    let outcome = run(source, context, &mut session).await;
    Observation { outcome, exchanges: session.exchanges, requests: session.requests }
}

async fn run(source: &Source, context: &ObserveContext<'_>, session: &mut Session<'_>) -> Outcome {
    let settings = &source.request;
    let first = match request::base_address(source, session.began) {
        Ok(url) => url,
        Err(error) => {
            let detail = session.redactor.text(&error.to_string());
            return Outcome::Failed(Failure::new(ErrorClass::RequestInvalid, Action::Stop, detail));
        }
    };
    // One page that did not change says nothing about the next ones.
    let is_single =
        settings.paging == PagingSettings::None && settings.method == Method::Get && settings.body.is_none();
    let conditional = is_single && !source.validators.is_empty();
    let mut pager = Pager::new(&settings.paging, first);
    let mut reading = Reading::new(source, context);
    let mut params = pager.first();
    let mut address = None;
    loop {
        let expected = reading.records.clone();
        let page = session.page(&params, address.as_deref(), expected.as_ref(), conditional).await;
        let page = match page {
            Ok(page) => page,
            Err(end) if reading.behaviour.pages == 0 => return ended(end),
            Err(end) => {
                reading.cut_short(end, session);
                break;
            }
        };
        if !reading.take(&page) {
            session.warn(
                "a page came twice; paging leads in a circle, or its parameter is not heard".to_owned(),
            );
            break;
        }
        if is_single {
            reading.validators = Validators::of(&page.headers);
        }
        let next = pager.next(&Page {
            body: page.records.text(),
            headers: &page.headers,
            url: &page.url,
            records: page.records.len(),
        });
        let has_room = reading.behaviour.pages < u64::from(settings.max_pages.max(1));
        match next {
            Next::End => break,
            Next::Circle => {
                reading.behaviour.repeated_page = true;
                reading.partial = true;
                session.warn("the next page is this page again; paging leads in a circle".to_owned());
                break;
            }
            Next::Refused(why) => {
                let failure = Failure::new(ErrorClass::EndpointMoved, Action::Stop, why);
                reading.cut_short(End::Failed(Box::new(failure)), session);
                break;
            }
            Next::Params(_) | Next::Address(_) if !has_room => {
                reading.partial = true;
                break;
            }
            Next::Params(next) => params = next,
            Next::Address(next) => address = Some(next),
        }
    }
    reading.finish(source, context, session)
}

fn ended(end: End) -> Outcome {
    match end {
        End::Failed(failure) => Outcome::Failed(*failure),
        End::Deferred(until) => Outcome::Deferred {
            detail: "the requests of the day are used up; see `http.requests_per_day`".to_owned(),
            until,
        },
        End::Unchanged => Outcome::Unchanged,
    }
}

/// What has been read so far.
struct Reading {
    profiler: Profiler,
    behaviour: Behaviour,
    /// Hashes of the records of each page: an envelope with a time in it must not hide a page that came again.
    seen: BTreeSet<u64>,
    hash_key: HashKey,
    records: Option<FieldPath>,
    guessed: bool,
    moved_from: Option<FieldPath>,
    partial: bool,
    failure: Option<Failure>,
    validators: Validators,
}

impl Reading {
    fn new(source: &Source, context: &ObserveContext<'_>) -> Self {
        let profiler = Profiler::new(ProfileOptions {
            key: context.key.cloned(),
            samples: source.samples,
            max_depth: source.connection.max_depth,
            ..ProfileOptions::new(context.hash_key)
        });
        Self {
            profiler,
            behaviour: Behaviour::default(),
            seen: BTreeSet::new(),
            hash_key: context.hash_key,
            records: source.request.records.clone().or_else(|| source.guessed_records.clone()),
            guessed: source.request.records.is_none(),
            moved_from: None,
            partial: false,
            failure: None,
            validators: Validators::default(),
        }
    }

    /// Takes the records of a page; `false` where they came before.
    fn take(&mut self, page: &PageRead) -> bool {
        if page.records.len() > 0 {
            let mut all = Vec::new();
            for record in page.records.iter() {
                all.extend_from_slice(&self.hash_key.hash(record).to_le_bytes());
            }
            if !self.seen.insert(self.hash_key.hash(&all)) {
                self.behaviour.repeated_page = true;
                self.partial = true;
                return false;
            }
        }
        for record in page.records.iter() {
            self.profiler.record(record);
        }
        self.records = Some(page.records.path.clone());
        if self.moved_from.is_none() {
            self.moved_from.clone_from(&page.records.moved_from);
        }
        self.behaviour.pages += 1;
        self.behaviour.bytes += page.bytes;
        self.behaviour.content_type =
            content_type(&page.headers).map(foreign::media_type).or(self.behaviour.content_type.take());
        self.behaviour.rate_limit = page.rate_limit.or(self.behaviour.rate_limit);
        true
    }

    fn cut_short(&mut self, end: End, session: &mut Session<'_>) {
        self.partial = true;
        match end {
            End::Failed(failure) => self.failure = Some(*failure),
            End::Deferred(_) => session.warn(
                "the requests of the day were used up on the way; see `http.requests_per_day`".to_owned(),
            ),
            End::Unchanged => {}
        }
    }

    fn finish(self, source: &Source, context: &ObserveContext<'_>, session: &mut Session<'_>) -> Outcome {
        let records = self.records.unwrap_or_default();
        if source.request.records.is_none() && source.guessed_records.is_none() {
            session.warn(format!(
                "the config does not say where the records are; `{records}` is a guess: set `records: {records}`"
            ));
        }
        if let Some(from) = &self.moved_from {
            session.warn(format!("the records were expected at `{from}` and found at `{records}`"));
        }
        let behaviour = Behaviour {
            statuses: session.statuses.clone(),
            max_latency_ms: session.max_latency_ms,
            content_type: self.behaviour.content_type.map(|media| session.redactor.text(&media)),
            ..self.behaviour
        };
        Outcome::Complete(Box::new(Complete {
            window: Window {
                profile: self.profiler.finish(),
                behaviour,
                from: session.began,
                to: context.clock.now(),
                partial: self.partial,
            },
            records,
            guessed: self.guessed,
            moved_from: self.moved_from,
            cut_short: self.failure,
            notices: std::mem::take(&mut session.notices),
            warnings: std::mem::take(&mut session.warnings),
            validators: self.validators,
        }))
    }
}
