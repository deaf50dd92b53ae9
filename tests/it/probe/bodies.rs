//! Bodies: what is read, what is refused by name, what costs no more than its limit.

use std::time::{Duration, Instant};

use drogue::model::{Action, ByteSize, ErrorClass, TransportError};
use serde_json::json;

use super::{Probe, complete, failed, page};
use crate::support::api::{Api, Reply, brotli, gzip, gzip_bomb};

async fn serve(content_type: &'static str, body: impl Into<Vec<u8>>) -> Api {
    let body = body.into();
    Api::start(move |_| Reply::bytes(content_type, body.clone())).await
}

#[tokio::test]
async fn html_with_status_200_is_never_learned_from() {
    for body in [
        "<!DOCTYPE html><html><form><input type=password></form></html>",
        "<html><body>Just a moment...</body></html>",
    ] {
        let api = serve("text/html", body).await;
        let failure = failed(Probe::of(&api).run().await);
        assert_ne!(failure.action, Action::Continue);
        assert!(failure.class != ErrorClass::OkWithError, "{failure:?}");
    }
}

#[tokio::test]
async fn other_formats_are_refused_by_name() {
    for (content_type, body, name) in [
        ("application/xml", &b"<?xml version='1.0'?><a/>"[..], "XML"),
        ("text/csv", b"id,name\n1,a\n", "CSV"),
        ("application/x-protobuf", b"\x0a\x03abc", "Protocol Buffers"),
        ("application/pdf", b"%PDF-1.7", "PDF"),
    ] {
        let api = serve(content_type, body).await;
        let failure = failed(Probe::of(&api).run().await);
        assert_eq!(failure.class, ErrorClass::NotJson, "{failure:?}");
        assert!(failure.detail.contains(name), "{}", failure.detail);
    }
}

#[tokio::test]
async fn one_bad_record_costs_no_other() {
    let body = br#"{"data": [{"id": 1}, {"id": 1e999}, {"id": "\ud800"}, {"id": 2}, {"id": 3, "id": 4}], "x": 1e999}"#;
    let api = serve("application/json", &body[..]).await;
    let profile = complete(Probe::of(&api).run().await).window.profile;
    assert_eq!(profile.malformed.number_out_of_range, 1);
    assert_eq!(profile.malformed.lone_surrogate, 1);
    assert_eq!(profile.malformed.duplicate_keys, 1);
}

#[tokio::test]
async fn bytes_that_are_no_utf8_cost_their_record_alone() {
    let api = serve("application/json", &b"{\"data\": [{\"n\": \"\xff\xfe\"}, {\"n\": \"a\"}]}"[..]).await;
    let profile = complete(Probe::of(&api).run().await).window.profile;
    assert_eq!((profile.malformed.encoding, profile.records), (1, 1));
}

#[tokio::test]
async fn latin1_is_read_where_it_is_declared() {
    let api = serve("application/json; charset=ISO-8859-1", &b"{\"data\": [{\"n\": \"caf\xe9\"}]}"[..]).await;
    let profile = complete(Probe::of(&api).run().await).window.profile;
    assert_eq!((profile.malformed.encoding, profile.records), (0, 1));
}

#[tokio::test]
async fn a_byte_order_mark_does_no_harm() {
    let api = serve("application/json", format!("\u{feff}{}", page(0, 2))).await;
    assert_eq!(complete(Probe::of(&api).run().await).window.profile.records, 2);
}

#[tokio::test]
async fn nothing_is_no_evidence_and_no_failure() {
    for body in [r#"{"data": []}"#, r#"{"data": null}"#, "null"] {
        let api = serve("application/json", body).await;
        let complete = complete(Probe::of(&api).run().await);
        assert_eq!(complete.window.profile.records, 0, "{body}");
        assert!(complete.window.profile.fields.is_empty() && complete.moved_from.is_none(), "{body}");
    }
    let api = Api::start(|_| Reply::text("application/json", "").status(204)).await;
    assert_eq!(complete(Probe::of(&api).run().await).window.profile.records, 0);
    let api = serve("application/json", "").await;
    assert!(matches!(failed(Probe::of(&api).run().await).class, ErrorClass::NotJson | ErrorClass::Truncated));
}

#[tokio::test]
async fn records_that_moved_are_found_and_told() {
    let api = serve("application/json", json!({ "results": [{ "id": 1 }, { "id": 2 }] }).to_string()).await;
    let moved = complete(Probe::of(&api).run().await);
    assert_eq!(moved.moved_from.unwrap().to_string(), "$.data[*]");
    assert_eq!((moved.records.to_string(), moved.window.profile.records), ("$.results[*]".to_owned(), 2));

    let api = serve("application/json", r#"{"greeting": "hello"}"#).await;
    let failure = failed(Probe::of(&api).run().await);
    assert_eq!(failure.missing_records.unwrap().to_string(), "$.data[*]");
}

#[tokio::test]
async fn the_place_of_records_is_guessed_once_and_told() {
    let api = serve("application/json", json!({ "total": 1, "items": [{ "id": 1 }] }).to_string()).await;
    let mut probe = Probe::of(&api);
    probe.request.as_object_mut().unwrap().remove("records");
    let found = complete(probe.run().await);
    assert!(found.guessed);
    assert_eq!(found.records.to_string(), "$.items[*]");
    assert!(found.warnings[0].contains("set `records: $.items[*]`"), "{:?}", found.warnings);
}

#[tokio::test]
async fn depth_is_bounded() {
    let deep = format!("{{\"data\": [{}1{}]}}", "[".repeat(100_000), "]".repeat(100_000));
    let api = serve("application/json", deep).await;
    let observation = Probe::of(&api).run().await;
    // Too deep as a whole, or one record that is: either way bounded and told.
    match observation.outcome {
        drogue::observe::Outcome::Failed(failure) => assert!(failure.detail.contains("deep"), "{failure:?}"),
        drogue::observe::Outcome::Complete(complete) => assert_eq!(complete.window.profile.records, 0),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn gzip_and_brotli_are_read() {
    let body = page(0, 4).to_string();
    for (encoding, bytes) in [("gzip", gzip(body.as_bytes())), ("br", brotli(body.as_bytes()))] {
        let api = Api::start(move |_| {
            Reply::bytes("application/json", bytes.clone()).header("content-encoding", encoding)
        })
        .await;
        let window = complete(Probe::of(&api).run().await).window;
        assert_eq!(window.profile.records, 4, "{encoding}");
        assert_eq!(window.behaviour.bytes, body.len() as u64, "bytes are counted after decompression");
        assert!(api.seen()[0].header("accept-encoding").unwrap().contains(encoding));
    }
    let api =
        Api::start(|_| Reply::bytes("application/json", vec![1, 2]).header("content-encoding", "zstd")).await;
    let failure = failed(Probe::of(&api).run().await);
    assert_eq!(failure.class, ErrorClass::NotJson, "{failure:?}");
}

#[tokio::test]
async fn a_compressed_bomb_stops_at_the_limit() {
    let bomb = gzip_bomb(10_000);
    assert!(bomb.len() < 16_000_000, "{}", bomb.len());
    let api = Api::start(move |_| {
        Reply::bytes("application/json", bomb.clone()).header("content-encoding", "gzip")
    })
    .await;
    let mut probe = Probe::of(&api);
    probe.http.max_body = ByteSize(8_000_000);
    let began = Instant::now();
    let observation = probe.run().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(observation.exchanges[0].status, Err(TransportError::TooLarge));
    let failure = failed(observation);
    assert_eq!((failure.class, failure.attempts), (ErrorClass::PageTooBig, 1), "{failure:?}");
    assert!(failure.detail.contains("`http.max_body`"));
}

#[tokio::test]
async fn a_broken_compression_is_a_broken_body() {
    let mut bytes = gzip(page(0, 500).to_string().as_bytes());
    bytes.truncate(bytes.len() / 2);
    let api = Api::start(move |_| {
        Reply::bytes("application/json", bytes.clone()).header("content-encoding", "gzip")
    })
    .await;
    assert_eq!(Probe::of(&api).run().await.exchanges[0].status, Err(TransportError::Broken));
}

#[tokio::test]
async fn headers_are_bounded() {
    let api = Api::start(|_| Reply::json(&page(0, 1)).header("x-long", &"a".repeat(100_000))).await;
    assert_eq!(Probe::of(&api).run().await.exchanges[0].status, Err(TransportError::TooLarge));
}

#[tokio::test]
async fn json_is_read_whatever_it_is_called() {
    for content_type in
        ["text/html; charset=utf-8", "text/plain", "application/vnd.api+json", "application/octet-stream"]
    {
        let api = serve(content_type, page(0, 2).to_string()).await;
        assert_eq!(complete(Probe::of(&api).run().await).window.profile.records, 2, "{content_type}");
    }
}
