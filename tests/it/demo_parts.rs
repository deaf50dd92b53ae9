//! The parts of the demo: the replayed feed, the connector that loads it, and the count of what its table lost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
};

use drogue::{
    clock::DrivenClock,
    demo::{Sequence, columns, embedded, first_mapping, server::replay, tally},
};

/// The example. `cargo test` builds it beside the tests, `cargo test --test it` does not: then it is built here.
fn connector() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().unwrap().parent().unwrap().join("examples/connector");
    if !path.is_file() {
        let status = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "connector", "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .status();
        assert!(status.unwrap().success());
    }
    assert!(path.is_file(), "build the connector first: cargo build --example connector");
    path
}

async fn run(arguments: &[&str]) -> Output {
    tokio::process::Command::new(connector()).args(arguments).output().await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Loads each day, and gives back the days that failed and the table.
async fn load_all(sequence: &Sequence, folder: &Path) -> (Vec<String>, String) {
    let clock = Arc::new(DrivenClock::new(sequence.steps[0].at));
    let server = replay(Arc::new(sequence.clone()), clock.clone()).await.unwrap();
    let map = folder.join("map.yaml");
    std::fs::write(&map, first_mapping("feed", &sequence.first_records(), &[])).unwrap();
    let (map, db) = (map.to_str().unwrap().to_owned(), folder.join("table.db").to_str().unwrap().to_owned());
    let mut failed = Vec::new();
    for step in &sequence.steps {
        clock.advance_to(step.at);
        let day = step.day();
        let output = run(&[
            "load",
            "--url",
            &server.url,
            "--mapping",
            &map,
            "--stream",
            "feed",
            "--db",
            &db,
            "--table",
            "feed",
            "--day",
            &day,
        ])
        .await;
        match output.status.code() {
            Some(0) => {}
            Some(1) => failed.push(format!("{day}: {}", text(&output.stderr).trim())),
            other => panic!("{other:?}: {}", text(&output.stderr)),
        }
    }
    let dump = run(&["dump", "--db", &db, "--table", "feed"]).await;
    (failed, text(&dump.stdout).to_owned())
}

#[tokio::test]
async fn a_connector_that_is_left_alone_loses_what_was_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let regions = embedded().unwrap().remove(0);
    let (failed, dump) = load_all(&regions, folder.path()).await;
    assert!(failed.is_empty(), "{failed:?}");
    let counted = tally(&regions, &columns(&regions.first_records()), &dump).unwrap();
    assert_eq!((counted.rows, counted.wrong()), (39 * 21, 0));
    assert_eq!(counted.holes(), 2 * 27 * 21, "two columns, from 2020-03-31 on");

    let db = folder.path().join("table.db");
    let holes = run(&["holes", "--db", db.to_str().unwrap(), "--table", "feed"]).await;
    let holes: serde_json::Value = serde_json::from_slice(&holes.stdout).unwrap();
    assert_eq!(holes["totale_attualmente_positivi"]["2020-03-31"], 21);
    assert_eq!(holes["totale_attualmente_positivi"].as_object().unwrap().len(), 27);
    assert!(holes.get("deceduti").is_none());
}

#[tokio::test]
async fn a_feed_that_does_not_parse_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let provinces = embedded().unwrap().remove(1);
    let (failed, dump) = load_all(&provinces, folder.path()).await;
    assert_eq!(failed.len(), 3, "{failed:?}");
    assert!(failed[0].contains("did not send JSON; nothing was loaded for"), "{failed:?}");
    let counted = tally(&provinces, &columns(&provinces.first_records()), &dump).unwrap();
    assert!(counted.missing_days.is_empty());
    assert!(counted.columns["lat"].holes.len() > 2);
    assert!(counted.columns["codice_provincia"].holes.values().all(|&count| count == 149));
    assert_eq!(counted.wrong(), 0);
}

#[tokio::test]
async fn the_feed_is_real_http() {
    let sequence = embedded().unwrap().remove(0);
    let clock = Arc::new(DrivenClock::new(sequence.steps[0].at));
    let server = replay(Arc::new(sequence.clone()), clock.clone()).await.unwrap();
    let client = drogue::net::HttpClient::new(&drogue::net::HttpSettings {
        allow_private: vec!["127.0.0.0/8".parse().unwrap()],
        ..Default::default()
    })
    .unwrap();
    let get = |etag: Option<&str>| {
        let mut request = drogue::net::Request::get(server.url.parse().unwrap());
        if let Some(etag) = etag {
            request.headers.insert("if-none-match", etag.parse().unwrap());
        }
        client.send(request)
    };
    let first = get(None).await.unwrap();
    assert_eq!((first.status, &first.body), (200, &sequence.steps[0].body));
    let etag = first.headers["etag"].to_str().unwrap();
    assert_eq!(get(Some(etag)).await.unwrap().status, 304);
    clock.advance_to(sequence.steps[12].at);
    assert_eq!(get(Some(etag)).await.unwrap().body, sequence.steps[12].body);
}
