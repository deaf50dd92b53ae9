//! Statuses and broken connections: each a classified outcome, never a window.

use std::time::Duration;

use drogue::model::{Action, ErrorClass, Period, TransportError};
use serde_json::json;

use super::{Probe, complete, failed, page};
use crate::support::api::{Api, Manner, Reply};

#[tokio::test]
async fn statuses_have_their_class() {
    let long = json!({ "message": "no" });
    for (status, class, action, asked) in [
        (401, ErrorClass::AuthExpired, Action::Stop, 1),
        (403, ErrorClass::PermissionLost, Action::Stop, 1),
        (410, ErrorClass::EndpointGone, Action::Stop, 1),
        (429, ErrorClass::RateLimited, Action::Wait, 1),
        (500, ErrorClass::Outage, Action::Wait, 3),
        (502, ErrorClass::Outage, Action::Wait, 3),
        (503, ErrorClass::Outage, Action::Wait, 3),
    ] {
        let body = long.clone();
        let api = Api::start(move |_| Reply::json(&body).status(status)).await;
        let probe = Probe::of(&api);
        let observation = probe.run().await;
        assert_eq!(observation.requests, asked, "{status}");
        let failure = failed(observation);
        assert_eq!((failure.class, failure.status), (class, Some(status)), "{failure:?}");
        assert_eq!((failure.action, failure.attempts), (action, asked), "{failure:?}");
        assert!(failure.rule.is_some() && failure.detail.contains(&status.to_string()), "{failure:?}");
        assert_eq!(api.seen().len(), asked as usize);
        // One second and three, and up to half as much again.
        assert_eq!(asked > 1, (4.0..6.1).contains(&probe.waited()), "{}", probe.waited());
    }
    let api = Api::start(|_| Reply::json(&json!({})).status(404)).await;
    let failure = failed(Probe::of(&api).run().await);
    assert!(matches!(failure.class, ErrorClass::NotFound | ErrorClass::EndpointGone), "{failure:?}");
}

#[tokio::test]
async fn a_hiccup_is_overcome_and_counted() {
    let api = Api::start(|seen| match seen.number {
        0 => Reply::json(&page(0, 3)).manner(Manner::ResetAfter(5)),
        1 => Reply::json(&json!({})).status(500),
        _ => Reply::json(&page(0, 3)),
    })
    .await;
    let observation = Probe::of(&api).run().await;
    assert_eq!(observation.requests, 3);
    let window = complete(observation).window;
    assert_eq!(window.behaviour.statuses.get(&200), Some(&1));
    assert_eq!(window.profile.records, 3);
    assert!(!window.partial);
}

#[tokio::test]
async fn retry_after_is_waited_for_when_it_is_short() {
    let api = Api::start(|seen| match seen.number {
        0 => Reply::json(&json!({})).status(429).header("retry-after", "7"),
        _ => Reply::json(&page(0, 1)),
    })
    .await;
    let probe = Probe::of(&api);
    complete(probe.run().await);
    assert_eq!(probe.waited(), 7.0);
}

#[tokio::test]
async fn a_long_retry_after_is_the_schedulers() {
    for (value, at) in
        [("3600", "2026-03-01T13:00:00Z"), ("Sun, 01 Mar 2026 18:30:00 GMT", "2026-03-01T18:30:00Z")]
    {
        let api = Api::start(move |_| Reply::json(&json!({})).status(429).header("retry-after", value)).await;
        let probe = Probe::of(&api);
        let failure = failed(probe.run().await);
        assert_eq!((failure.class, failure.action), (ErrorClass::RateLimited, Action::Wait));
        assert_eq!(failure.retry_at.unwrap().to_string(), at);
        assert_eq!((api.seen().len(), probe.waited()), (1, 0.0));
    }
}

#[tokio::test]
async fn nobody_listens() {
    let api = Api::start(|_| Reply::text("text/plain", "")).await;
    let url = api.url("/items");
    let addr = api.addr;
    drop(api);
    tokio::task::yield_now().await;
    let observation = Probe::new(&url).run().await;
    assert!(observation.exchanges.iter().all(|exchange| exchange.status == Err(TransportError::Refused)));
    let failure = failed(observation);
    assert_eq!(failure.class, ErrorClass::Outage);
    assert_eq!(failure.detail, format!("`{addr}` refused the connection"));
}

#[tokio::test]
async fn no_such_host() {
    let failure = failed(Probe::new("http://drogue-test.invalid/items").run().await);
    assert_eq!(failure.class, ErrorClass::Outage);
    assert!(failure.detail.starts_with("no address for `drogue-test.invalid`"), "{}", failure.detail);
}

#[tokio::test]
async fn silence_and_dripping_end_at_the_time_limit() {
    for manner in [Manner::Silent, Manner::Drip(Duration::from_millis(300))] {
        let api = Api::start(move |_| Reply::json(&page(0, 50)).manner(manner)).await;
        let mut probe = Probe::of(&api);
        probe.http.timeout = Period::from_secs(1);
        probe.budget = 1;
        let began = std::time::Instant::now();
        let observation = probe.run().await;
        assert_eq!(observation.exchanges[0].status, Err(TransportError::Timeout));
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn bodies_that_end_early_are_truncated() {
    let whole = page(0, 50).to_string();
    let half = whole[..whole.len() / 2].to_owned();
    let manners = [Manner::ResetAfter(100), Manner::DeclaredLength(whole.len() + 10), Manner::ChunkedCut];
    for manner in manners {
        let body = whole.clone();
        let api = Api::start(move |_| Reply::text("application/json", &body).manner(manner)).await;
        let observation = Probe::of(&api).run().await;
        assert_eq!(observation.exchanges[0].status, Err(TransportError::Broken));
        let failure = failed(observation);
        assert!(matches!(failure.class, ErrorClass::Truncated | ErrorClass::Outage), "{failure:?}");
        assert_eq!(failure.attempts, 3);
    }
    // The length that is declared cuts the JSON, or the JSON was cut before it was sent.
    for (body, manner) in [(whole, Manner::DeclaredLength(100)), (half, Manner::Whole)] {
        let api = Api::start(move |_| Reply::text("application/json", &body).manner(manner)).await;
        let failure = failed(Probe::of(&api).run().await);
        assert_eq!((failure.class, failure.status), (ErrorClass::Truncated, Some(200)), "{failure:?}");
    }
}

#[tokio::test]
async fn a_used_up_budget_asks_nothing() {
    let api = Api::start(|_| Reply::json(&page(0, 1))).await;
    let mut probe = Probe::of(&api);
    probe.budget = 0;
    let observation = probe.run().await;
    assert_eq!(observation.requests, 0);
    let drogue::observe::Outcome::Deferred { until, .. } = observation.outcome else {
        panic!("{observation:?}")
    };
    assert_eq!(until.to_string(), "2026-03-02T00:00:00Z");
    assert!(api.seen().is_empty());
}
