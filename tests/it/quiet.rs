//! An API that does not change, watched day and night on a driven clock: nothing may be found.
//!
//! What moves by itself moves here: volume by hour and weekday, prices, clocks, balances, ids that grow, rare words of
//! an enum, nulls that come and go, lists of any length, pages. All is made from the time and a seed.

mod shop;

use std::sync::{Arc, Mutex};

use drogue::clock::DrivenClock;
use drogue::config::Config;
use drogue::engine::{Checked, Engine, Outcome, Run};
use drogue::model::Clock as _;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::api::Api;

/// A Monday.
const START: &str = "2026-03-02T00:00:00Z";

/// What a run came to.
struct Watched {
    checks: usize,
    compared: usize,
    /// When, where and what was found, or could not be seen.
    told: Vec<String>,
}

/// Watches some streams of the shop: each phase is how often, and for how many hours. Learning is as by default.
async fn watch(seed: u64, streams: &[&str], phases: &[(&str, i64)]) -> Watched {
    let clock = Arc::new(DrivenClock::new(START.parse().unwrap()));
    let time = Arc::clone(&clock);
    let api = Api::start(move |seen| shop::answer(seed, seen, time.now())).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("drogue.yaml");
    let mut watched = Watched { checks: 0, compared: 0, told: Vec::new() };
    let mut messages = Vec::new();
    for (every, hours) in phases {
        std::fs::write(&file, config(&api.url("/"), streams, every)).unwrap();
        let config = Config::load(&file, &|_| None).unwrap();
        let engine = Engine::open(config, Arc::<DrivenClock>::clone(&clock)).await.unwrap();
        let engine = Arc::new(engine.holding_messages());
        let seen: Arc<Mutex<Vec<(Timestamp, Checked)>>> = Arc::default();
        let (checks, at) = (Arc::clone(&seen), Arc::clone(&clock));
        let (_stop, stop) = watch::channel(false);
        let on_checked = Arc::new(move |checked: &Checked| {
            checks.lock().unwrap().push((at.now(), checked.clone()));
        });
        let until = Some(clock.now() + SignedDuration::from_hours(*hours));
        engine.run(Run { until, stop, on_checked }).await.unwrap();
        messages = engine.messages().await.unwrap();
        engine.close().await;
        for (at, checked) in std::mem::take(&mut *seen.lock().unwrap()) {
            watched.checks += 1;
            watched.compared += usize::from(checked.outcome == Outcome::Compared);
            watched.told.extend(what(at, &checked));
        }
    }
    watched
        .told
        .extend(messages.iter().map(|message| format!("a message about {}", message.escalation.subject)));
    watched
}

fn what(at: Timestamp, checked: &Checked) -> Vec<String> {
    let mut lines = Vec::new();
    if let Outcome::Failed(unobserved) = &checked.outcome {
        lines.push(format!("{at} {}: {}", checked.subject, unobserved.outcome));
    }
    for finding in checked.report.iter().flat_map(|report| &report.findings) {
        let facts = serde_json::to_string(&finding.evidence).unwrap();
        lines.push(format!("{at} {} {} {} {facts}", checked.subject, finding.rule, finding.message));
    }
    lines
}

fn config(base_url: &str, streams: &[&str], every: &str) -> String {
    let mut text = format!(
        "version: 1\nhttp: {{allow_private: [127.0.0.0/8], min_interval: 0s}}\nstore: {{sqlite: drogue.db}}\n\
         receivers:\n  hook: {{type: webhook, url: '{base_url}hook'}}\nroutes:\n  - receivers: [hook]\n\
         connectors:\n  shop:\n    base_url: {base_url}\n    streams:\n"
    );
    for name in streams {
        let paging = match *name {
            "products" => ", paging: {type: page, param: page, size_param: size, size: 50}",
            "tickets" => ", paging: {type: cursor, param: cursor, path: $.next}",
            // Endless: the page cap ends it.
            "events" => ", paging: {type: offset, param: offset, size_param: limit, size: 40}, max_pages: 3",
            _ => "",
        };
        let key = match *name {
            "customers" | "orders" => "key: [$.id], ",
            // The others are left to be found.
            _ => "",
        };
        text.push_str(&format!(
            "      {name}: {{every: {every}, {key}request: {{url: {name}, records: '$.data[*]'{paging}}}}}\n"
        ));
    }
    text
}

/// One day of learning by the hour, and one on which anything that is said is wrong.
async fn a_quiet_day(streams: &[&str], every: &str, checks_a_day: usize) {
    let watched = watch(1, streams, &[("1h", 24), (every, 24)]).await;
    assert!(watched.checks >= streams.len() * (23 + checks_a_day), "{} checks", watched.checks);
    assert!(watched.compared >= streams.len() * (checks_a_day - 2), "{} compared in full", watched.compared);
    assert!(watched.told.is_empty(), "{} times:\n{}", watched.told.len(), watched.told.join("\n"));
}

#[tokio::test]
async fn a_day_of_orders_and_events() {
    a_quiet_day(&["orders", "events"], "15m", 95).await;
}

#[tokio::test]
async fn a_day_of_customers_and_products() {
    a_quiet_day(&["customers", "products"], "15m", 95).await;
}

#[tokio::test]
async fn a_day_of_sensors_and_tickets() {
    a_quiet_day(&["sensors", "tickets"], "15m", 95).await;
}

#[tokio::test]
#[ignore = "1,900 checks: a minute with optimisation, many without; cargo test --release -- --ignored quiet"]
async fn a_day_every_five_minutes() {
    a_quiet_day(&shop::STREAMS, "5m", 287).await;
}

#[tokio::test]
#[ignore = "2,000 checks: a minute with optimisation, many without; cargo test --release -- --ignored quiet"]
async fn a_fortnight_by_the_hour() {
    let watched = watch(2, &shop::STREAMS, &[("1h", 14 * 24)]).await;
    assert!(watched.compared >= shop::STREAMS.len() * 24 * 12, "{} compared in full", watched.compared);
    assert!(watched.told.is_empty(), "{} times:\n{}", watched.told.len(), watched.told.join("\n"));
}
