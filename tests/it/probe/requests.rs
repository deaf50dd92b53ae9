//! What is asked: templates, bodies, conditions, politeness.

use drogue::model::{Action, ErrorClass, Period};
use drogue::observe::{Outcome, Validators};
use serde_json::json;

use super::{Probe, complete, failed, page};
use crate::support::api::{Api, Reply};

#[tokio::test]
async fn templates_are_filled_in_everywhere() {
    let api = Api::start(|_| Reply::json(&page(0, 1))).await;
    let mut probe = Probe::new(&api.url("/items/{{ now | date }}"))
        .with("query", json!({ "since": "{{ now - 1d }}" }))
        .with("headers", json!({ "X-Epoch": "{{ now | epoch }}" }));
    probe.headers.insert("X-Connector".to_owned(), "{{ now | format('%Y') }}".to_owned());
    complete(probe.run().await);
    let seen = &api.seen()[0];
    assert_eq!(seen.path(), "/items/2026-03-01");
    assert_eq!(seen.param("since").as_deref(), Some("2026-02-28T12:00:00Z"));
    assert_eq!(seen.header("x-epoch"), Some("1772366400"));
    assert_eq!(seen.header("x-connector"), Some("2026"));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert!(seen.header("user-agent").unwrap().starts_with("drogue/"));
}

#[tokio::test]
async fn json_and_form_bodies() {
    let api = Api::start(|_| Reply::json(&page(0, 1))).await;
    let body = json!({ "json": { "filter": { "from": "{{ now - 1h | date }}", "n": 5 } } });
    complete(Probe::of(&api).with("method", json!("POST")).with("body", body).run().await);
    let body = json!({ "form": { "from": "{{ now | date }}", "q": "a&b" } });
    complete(Probe::of(&api).with("method", json!("POST")).with("body", body).run().await);
    let seen = api.seen();
    assert_eq!(seen[0].body, r#"{"filter":{"from":"2026-03-01","n":5}}"#);
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!(seen[1].body, "from=2026-03-01&q=a%26b");
    assert_eq!(seen[1].header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn a_request_that_cannot_be_made_asks_nothing() {
    let failure = failed(Probe::new("/relative").run().await);
    assert_eq!((failure.class, failure.action), (ErrorClass::RequestInvalid, Action::Stop));
    assert!(failure.detail.contains("`base_url`"), "{}", failure.detail);
}

#[tokio::test]
async fn conditions_are_sent_and_304_is_unchanged() {
    let api = Api::start(|seen| {
        if seen.header("if-none-match") == Some("\"v1\"") {
            assert_eq!(seen.header("if-modified-since"), Some("Sun, 01 Mar 2026 00:00:00 GMT"));
            return Reply::text("application/json", "").status(304);
        }
        Reply::json(&page(0, 2))
            .header("etag", "\"v1\"")
            .header("last-modified", "Sun, 01 Mar 2026 00:00:00 GMT")
    })
    .await;
    let mut probe = Probe::of(&api);
    let first = complete(probe.run().await);
    assert_eq!(first.validators.etag.as_deref(), Some("\"v1\""));
    probe.validators = first.validators;
    assert_eq!(probe.run().await.outcome, Outcome::Unchanged);

    // A 304 that nobody asked for is no answer, and pages are never asked for with conditions.
    let api = Api::start(|_| Reply::text("application/json", "").status(304)).await;
    failed(Probe::of(&api).run().await);
    let api = Api::start(|_| Reply::json(&page(0, 2))).await;
    let mut probe = Probe::of(&api).with("paging", json!({ "type": "link" }));
    probe.validators = Validators { etag: Some("\"v1\"".to_owned()), last_modified: None };
    complete(probe.run().await);
    assert_eq!(api.seen()[0].header("if-none-match"), None);
}

#[tokio::test]
async fn pages_keep_their_distance() {
    let api = Api::start(|seen| {
        let n: usize = seen.param("page").unwrap().parse().unwrap();
        Reply::json(&page(n * 10, 10 - n))
    })
    .await;
    let mut probe = Probe::of(&api).with("paging", json!({ "type": "page" })).with("max_pages", json!(4));
    probe.http.min_interval = Period::from_secs(5);
    complete(probe.run().await);
    assert_eq!(probe.waited(), 15.0);
}

#[tokio::test]
async fn behaviour_is_taken_down() {
    let api = Api::start(|_| Reply::json(&page(0, 3)).header("x-ratelimit-limit", "5000")).await;
    let observation = Probe::of(&api).run().await;
    let exchange = &observation.exchanges[0];
    assert_eq!((exchange.method.as_str(), exchange.status), ("GET", Ok(200)));
    let behaviour = complete(observation).window.behaviour;
    assert_eq!(behaviour.rate_limit, Some(5000));
    assert_eq!(behaviour.content_type.as_deref(), Some("application/json"));
    assert_eq!(behaviour.statuses.get(&200), Some(&1));
    assert_eq!(behaviour.bytes, page(0, 3).to_string().len() as u64);
}

#[test]
fn looks_may_run_as_tasks() {
    const fn is_send<T: Send>(_: &T) {}
    let probe = Probe::new("http://unused.invalid/");
    let source = probe.source();
    is_send(&probe.look(&source));
    is_send(&drogue::observe::dry_run(&source, &probe.clock));
}
