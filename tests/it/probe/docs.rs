//! Documents: what is new, what is the same, and what stands in a document's place.

use std::sync::Arc;

use drogue::model::{ByteSize, ErrorClass, HashKey};
use drogue::observe::{DocSettings, DocState, Document, Failure, Fetched, ObserveContext, fetch_document};
use drogue::rules::RuleSet;
use serde_json::json;

use super::Probe;
use crate::support::api::{Api, Reply};

pub(super) struct Docs {
    probe: Probe,
    settings: DocSettings,
}

impl Docs {
    pub(super) fn at(url: &str) -> Self {
        Self::of(&json!({ "url": url }))
    }

    pub(super) fn of(settings: &serde_json::Value) -> Self {
        let settings = serde_json::from_value(settings.clone()).unwrap();
        Self { probe: Probe::new("http://unused.invalid/"), settings }
    }

    fn file(path: &std::path::Path) -> Self {
        let settings = serde_json::from_value(json!({ "file": path })).unwrap();
        Self { probe: Probe::new("http://unused.invalid/"), settings }
    }

    pub(super) async fn look(&self, before: &DocState) -> Fetched {
        let rules = RuleSet::builtin();
        let clock = &self.probe.clock;
        let context = ObserveContext { clock, hash_key: HashKey::new([7; 16]), key: None, rules: &rules };
        let source = self.probe.source();
        fetch_document(&self.settings, before, &Arc::clone(&source.connection), &context).await
    }
}

#[track_caller]
pub(super) fn new(fetched: Fetched) -> Document {
    match fetched {
        Fetched::New(document) => *document,
        other => panic!("no document: {other:?}"),
    }
}

#[track_caller]
pub(super) fn failed(fetched: Fetched) -> Failure {
    match fetched {
        Fetched::Failed(failure) => failure,
        other => panic!("no failure: {other:?}"),
    }
}

const SPEC: &str = r#"{"openapi": "3.1.0"}"#;

#[tokio::test]
async fn the_same_document_is_unchanged_by_etag_or_by_bytes() {
    let api = Api::start(|seen| {
        if seen.path() == "/plain" {
            return Reply::text("application/json", SPEC);
        }
        match seen.header("if-none-match") {
            Some("\"v1\"") => Reply::text("application/json", "").status(304),
            _ => Reply::text("application/json", SPEC).header("etag", "\"v1\""),
        }
    })
    .await;
    for path in ["/etag", "/plain"] {
        let docs = Docs::at(&api.url(path));
        let document = new(docs.look(&DocState::default()).await);
        assert_eq!((document.bytes.as_slice(), document.moved_to), (SPEC.as_bytes(), None));
        assert_eq!(document.state.content_type.as_deref(), Some("application/json"));
        assert_eq!(docs.look(&document.state).await, Fetched::Unchanged, "{path}");
    }
    assert!(api.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn a_document_that_moved_is_read_and_told() {
    let api = Api::start(|seen| match seen.path() {
        "/old" => Reply::redirect(301, "/new"),
        _ => Reply::text("application/json", SPEC),
    })
    .await;
    let document = new(Docs::at(&api.url("/old")).look(&DocState::default()).await);
    assert_eq!(document.moved_to.unwrap(), api.url("/new"));
}

#[tokio::test]
async fn what_stands_in_its_place_is_no_change() {
    let before = DocState {
        sha256: Some("0".repeat(64)),
        content_type: Some("application/json".to_owned()),
        ..DocState::default()
    };
    let login = "<title>Log in</title><form action=/session><input type=password></form>";
    for (reply, class) in [
        (Reply::text("text/html", login), ErrorClass::AuthInvalid),
        (Reply::text("text/html", "<title>Just a moment...</title>"), ErrorClass::BlockedByFirewall),
        (Reply::text("text/html", "<html><h1>All our docs have a new home</h1></html>"), ErrorClass::NotJson),
        (Reply::text("application/pdf", "%PDF-1.7"), ErrorClass::NotJson),
        (Reply::text("application/json", " "), ErrorClass::NotJson),
        (Reply::text("text/html", "oops").status(503), ErrorClass::Outage),
    ] {
        let api = Api::start(move |_| reply.clone()).await;
        let failure = failed(Docs::at(&api.url("/openapi.json")).look(&before).await);
        assert_eq!(failure.class, class, "{failure:?}");
        assert_eq!(api.seen().len(), if class == ErrorClass::Outage { 3 } else { 1 });
    }
    // A page that is all about errors and signing in is a document.
    let page = "<title>Errors</title><h1>503 maintenance</h1><h1>Sign in</h1><input type=password>";
    let api = Api::start(move |_| Reply::text("text/html", page)).await;
    new(Docs::at(&api.url("/docs")).look(&DocState::default()).await);
}

#[tokio::test]
async fn size_is_bounded_by_address_and_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, " ".repeat(2_000)).unwrap();
    let api = Api::start(|_| Reply::text("application/json", &" ".repeat(2_000))).await;
    for mut docs in [Docs::at(&api.url("/")), Docs::file(&path)] {
        docs.probe.http.max_body = ByteSize(1_000);
        assert!(failed(docs.look(&DocState::default()).await).detail.contains("`http.max_body`"));
    }
}

#[tokio::test]
async fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, SPEC).unwrap();
    let docs = Docs::file(&path);
    let document = new(docs.look(&DocState::default()).await);
    assert_eq!(docs.look(&document.state).await, Fetched::Unchanged);
    std::fs::write(&path, "{}").unwrap();
    assert_eq!(new(docs.look(&document.state).await).bytes, b"{}");
    std::fs::remove_file(&path).unwrap();
    assert!(failed(docs.look(&document.state).await).detail.contains("cannot read document"));
}
