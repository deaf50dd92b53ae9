//! The probe: asks a stream's endpoint for its records, page by page, and gives what they look like as a window.

use super::exchange::content_type;
use super::paging::{Next, Page, Pager};
use super::session::{End, Session};
use super::window::{Reading, Told};
use super::{Failure, Method, Observation, Outcome, PagingSettings, Source, Validators, request};
use crate::model::{Action, Clock, ErrorClass, HashKey};
use crate::profile::KeySpec;
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
    let mut reading = Reading::new(
        context,
        source.samples,
        source.connection.max_depth,
        source.request.records.as_ref(),
        source.guessed_records.as_ref(),
    );
    let mut params = pager.first();
    let mut address = None;
    loop {
        let expected = reading.expected().cloned();
        let page = session.page(&params, address.as_deref(), expected.as_ref(), conditional).await;
        let page = match page {
            Ok(page) => page,
            Err(end) if reading.behaviour.pages == 0 => return ended(end),
            Err(end) => {
                cut_short(&mut reading, end, session);
                break;
            }
        };
        if !reading.take(&page.records, page.bytes, content_type(&page.headers), page.rate_limit) {
            reading.behaviour.repeated_page = true;
            reading.partial = true;
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
                cut_short(&mut reading, End::Failed(Box::new(failure)), session);
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
    finish(reading, context, session)
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

/// Why the window ends here and not at the last page.
fn cut_short(reading: &mut Reading, end: End, session: &mut Session<'_>) {
    reading.partial = true;
    match end {
        End::Failed(failure) => reading.cut_short = Some(*failure),
        End::Deferred(_) => session
            .warn("the requests of the day were used up on the way; see `http.requests_per_day`".to_owned()),
        End::Unchanged => {}
    }
}

fn finish(reading: Reading, context: &ObserveContext<'_>, session: &mut Session<'_>) -> Outcome {
    let told = Told {
        statuses: std::mem::take(&mut session.statuses),
        max_latency_ms: session.max_latency_ms,
        notices: std::mem::take(&mut session.notices),
        warnings: std::mem::take(&mut session.warnings),
    };
    let mut complete = reading.finish(told, session.began, context.clock.now());
    let media = complete.window.behaviour.content_type.take();
    complete.window.behaviour.content_type = media.map(|media| session.redactor.text(&media));
    Outcome::Complete(Box::new(complete))
}
