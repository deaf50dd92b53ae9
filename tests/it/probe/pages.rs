//! Paging: every kind, its end, its bounds, and what happens when a page fails.

use drogue::model::ErrorClass;
use serde_json::json;

use super::{Probe, complete, failed, page};
use crate::support::api::{Api, Reply};

fn number(seen: &crate::support::api::Seen, name: &str) -> usize {
    seen.param(name).map_or(0, |text| text.parse().unwrap())
}

#[tokio::test]
async fn page_numbers_end_at_a_short_page() {
    let api = Api::start(|seen| {
        let n = number(seen, "p");
        Reply::json(&page(n * 10, if n < 3 { 10 } else { 4 }))
    })
    .await;
    let probe = Probe::of(&api)
        .with("paging", json!({ "type": "page", "param": "p", "size_param": "per_page", "size": 10 }))
        .with("query", json!({ "q": "a b" }));
    let window = complete(probe.run().await).window;
    assert_eq!((window.behaviour.pages, window.profile.records, window.partial), (3, 24, false));
    let seen = api.seen();
    assert_eq!(seen[1].param("p").as_deref(), Some("2"));
    assert_eq!(seen[1].param("per_page").as_deref(), Some("10"));
    assert_eq!(seen[1].param("q").as_deref(), Some("a b"));
}

#[tokio::test]
async fn page_numbers_without_a_size_end_at_an_empty_page() {
    let api =
        Api::start(|seen| Reply::json(&page(number(seen, "page") * 10, 3 - number(seen, "page")))).await;
    let window = complete(Probe::of(&api).with("paging", json!({ "type": "page" })).run().await).window;
    assert_eq!((window.profile.records, window.partial), (3, false));
}

#[tokio::test]
async fn offsets() {
    let api = Api::start(|seen| {
        let offset = number(seen, "offset");
        Reply::json(&page(offset, 25usize.saturating_sub(offset).min(10)))
    })
    .await;
    let window =
        complete(Probe::of(&api).with("paging", json!({ "type": "offset", "size": 10 })).run().await).window;
    assert_eq!((window.behaviour.pages, window.profile.records), (3, 25));
}

#[tokio::test]
async fn cursors_as_a_parameter() {
    let api = Api::start(|seen| {
        let n = number(seen, "after");
        let mut body = page(n * 10, 10);
        body["meta"] = if n < 2 { json!({ "next": (n + 1).to_string() }) } else { json!({ "next": null }) };
        Reply::json(&body)
    })
    .await;
    let probe =
        Probe::of(&api).with("paging", json!({ "type": "cursor", "path": "$.meta.next", "param": "after" }));
    let window = complete(probe.run().await).window;
    assert_eq!((window.behaviour.pages, window.profile.records, window.partial), (3, 30, false));
}

#[tokio::test]
async fn cursors_in_a_graphql_body() {
    let api = Api::start(|seen| {
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!(body["query"], "query($after: String) { x }");
        let after = body["variables"]["after"].as_str().unwrap_or("");
        let next = if after.is_empty() { json!("c1") } else { json!(null) };
        let first = if after.is_empty() { 0 } else { 10 };
        Reply::json(&json!({ "data": page(first, 5)["data"], "next": next }))
    })
    .await;
    let probe = Probe::of(&api)
        .with("method", json!("POST"))
        .with("body", json!({ "graphql": { "query": "query($after: String) { x }", "variables": { "since": "{{ now | date }}" } } }))
        .with("paging", json!({ "type": "cursor", "path": "$.next", "param": "after" }));
    let window = complete(probe.run().await).window;
    assert_eq!((window.behaviour.pages, window.profile.records), (2, 10));
    let seen = api.seen();
    assert_eq!(seen[0].method, "POST");
    assert!(seen[0].body.contains(r#""since":"2026-03-01""#), "{}", seen[0].body);
    assert!(seen[1].body.contains(r#""after":"c1""#), "{}", seen[1].body);
}

#[tokio::test]
async fn cursors_and_links_as_addresses() {
    let api = Api::start(|seen| {
        let n = number(seen, "n");
        let mut body = page(n * 10, 2);
        if n == 0 {
            body["next"] = json!("/items?n=1");
        }
        let reply = Reply::json(&body);
        if n == 0 { reply.header("link", r#"<?n=1>; rel="next", <?n=9>; rel="last""#) } else { reply }
    })
    .await;
    for paging in [json!({ "type": "cursor", "path": "$.next" }), json!({ "type": "link" })] {
        let window = complete(Probe::of(&api).with("paging", paging).run().await).window;
        assert_eq!((window.behaviour.pages, window.profile.records, window.partial), (2, 4, false));
    }
}

#[tokio::test]
async fn a_next_page_on_another_host_is_never_asked_for() {
    let other = Api::start(|_| Reply::json(&page(0, 1))).await;
    let link = format!("<{}>; rel=next", other.url("/items"));
    let api = Api::start(move |_| Reply::json(&page(0, 2)).header("link", &link)).await;
    let complete = complete(Probe::of(&api).with("paging", json!({ "type": "link" })).run().await);
    assert!(complete.window.partial && other.seen().is_empty());
    assert!(complete.cut_short.unwrap().detail.contains("another host"));
}

#[tokio::test]
async fn pages_are_bounded_and_the_window_partial() {
    let api = Api::start(|seen| Reply::json(&page(number(seen, "page") * 10, 10))).await;
    let probe = Probe::of(&api).with("paging", json!({ "type": "page" })).with("max_pages", json!(3));
    let window = complete(probe.run().await).window;
    assert_eq!((window.behaviour.pages, api.seen().len(), window.partial), (3, 3, true));
}

#[tokio::test]
async fn a_page_that_comes_again_ends_the_paging() {
    let api = Api::start(|seen| {
        let mut body = page(0, 10);
        body["served_at"] = json!(seen.number);
        Reply::json(&body)
    })
    .await;
    let window = complete(Probe::of(&api).with("paging", json!({ "type": "page" })).run().await).window;
    assert!(window.behaviour.repeated_page && window.partial);
    assert_eq!((window.profile.records, api.seen().len()), (10, 2), "what came twice counts once");

    let api = Api::start(|_| Reply::json(&json!({ "data": [], "next": "same" }))).await;
    let paging = json!({ "type": "cursor", "path": "$.next", "param": "after" });
    let window = complete(Probe::of(&api).with("paging", paging).run().await).window;
    assert!(window.behaviour.repeated_page && api.seen().len() == 2);
}

#[tokio::test]
async fn a_later_page_that_fails_leaves_a_partial_window_and_the_reason() {
    let api = Api::start(|seen| match number(seen, "page") {
        1 => Reply::json(&page(0, 10)),
        _ => Reply::json(&json!({})).status(403),
    })
    .await;
    let complete = complete(Probe::of(&api).with("paging", json!({ "type": "page" })).run().await);
    assert!(complete.window.partial);
    assert_eq!(complete.window.profile.records, 10);
    assert_eq!(complete.cut_short.unwrap().class, ErrorClass::PermissionLost);
}

#[tokio::test]
async fn a_first_page_that_fails_leaves_no_window() {
    let api = Api::start(|_| Reply::json(&json!({})).status(403)).await;
    failed(Probe::of(&api).with("paging", json!({ "type": "page" })).run().await);
}
