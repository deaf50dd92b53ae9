//! Deadlines by the driven clock: told when they are announced, told anew as the day comes near, over when withdrawn.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use drogue::clock::DrivenClock;
use drogue::config::Config;
use drogue::engine::{Engine, FindingFilter, Run};
use drogue::model::Finding;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use crate::support::api::{Api, Reply};
use crate::support::project::{HOOK_SECRET, Project, Receivers, customers, page};

/// A vendor with an API, a page about it, and a team that is told by webhook.
struct Site {
    api: Api,
    project: Project,
    clock: Arc<DrivenClock>,
    docs: Arc<Mutex<Reply>>,
    headers: Arc<Mutex<Vec<(&'static str, &'static str)>>>,
}

/// A page of documentation that says this, too.
fn docs(sentence: &str) -> Reply {
    let text = format!(
        "<html><head><title>Customers</title></head><body><nav>Home</nav><main><h1>Customers</h1><p>Lists the customers of \
         a shop, newest first, a hundred on a page. Every customer has an id, a name, an address to write to and the day on \
         which the account was opened.</p><h2>Changes</h2><p>Errors are told in JSON. {sentence}</p></main></body></html>"
    );
    Reply::text("text/html", &text)
}

const END: &str =
    "<code>GET /customers</code> will be removed on June 30, 2026; use <code>GET /v2/customers</code>.";

impl Site {
    async fn new(first: Reply) -> Self {
        let docs = Arc::new(Mutex::new(first));
        let headers: Arc<Mutex<Vec<(&str, &str)>>> = Arc::default();
        let (page_now, headers_now) = (Arc::clone(&docs), Arc::clone(&headers));
        let api = Api::start(move |seen| match seen.path() {
            "/docs.html" => page_now.lock().unwrap().clone(),
            "/hook" => Reply::text("text/plain", "ok"),
            _ => {
                let headers = headers_now.lock().unwrap();
                let reply = page(&customers(seen.number as u64));
                headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
            }
        })
        .await;
        let told = Receivers { webhook: Some(api.url("/hook")), ..Receivers::default() };
        let project = Project::new(&api, &told);
        let with_docs =
            format!("    docs: [{{url: '{}', every: 24h}}]\n    streams:\n", api.url("/docs.html"));
        project.edit_config("    streams:\n", &with_docs);
        project.edit_config("every: 10s", "every: 7d");
        project.edit_config("receivers: [hook]", "receivers: [hook]\n    min_severity: info");
        let clock = Arc::new(DrivenClock::new("2026-03-01T06:00:00Z".parse().unwrap()));
        Self { api, project, clock, docs, headers }
    }

    async fn engine(&self) -> Arc<Engine> {
        let config = Config::load(&self.project.path("drogue.yaml"), &|name| match name {
            "CRM_TOKEN" => Some("t".to_owned()),
            "HOOK_SECRET" => Some(HOOK_SECRET.to_owned()),
            _ => None,
        });
        let clock: Arc<DrivenClock> = Arc::clone(&self.clock);
        Arc::new(Engine::open(config.unwrap(), clock).await.unwrap())
    }

    fn publishes(&self, reply: Reply) {
        *self.docs.lock().unwrap() = reply;
    }

    /// What was told so far: the severity and the reason of each message.
    fn told(&self) -> Vec<(String, String)> {
        let hooks = self.api.seen().into_iter().filter(|seen| seen.path() == "/hook");
        hooks
            .map(|hook| {
                let body: Value = serde_json::from_str(&hook.body).unwrap();
                let reports = body["data"]["reports"].as_array().unwrap().clone();
                let findings = reports.iter().flat_map(|report| report["findings"].as_array().unwrap());
                let severities = findings.map(|finding| finding["severity"].as_str().unwrap().to_owned());
                (
                    severities
                        .max_by_key(|word| ["info", "warning", "breaking"].iter().position(|w| w == word))
                        .unwrap(),
                    body["type"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    }
}

async fn run(engine: &Arc<Engine>, day: &str) {
    let until: Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
    let (_stop, stop) = watch::channel(false);
    engine.run(Run { until: Some(until), stop, on_checked: Arc::new(|_| {}) }).await.unwrap();
}

async fn findings(engine: &Engine) -> Vec<Finding> {
    let reports = engine.findings(&FindingFilter::default()).await.unwrap().reports;
    reports.into_iter().flat_map(|report| report.findings).collect()
}

fn severities(told: &[(String, String)]) -> Vec<&str> {
    told.iter().map(|(severity, _)| severity.as_str()).collect()
}

#[tokio::test]
async fn a_deadline_is_told_anew_at_each_step_and_ends_when_it_is_withdrawn() {
    let site = Site::new(docs(END)).await;
    let engine = site.engine().await;
    run(&engine, "2026-03-10").await;
    assert_eq!(severities(&site.told()), ["info"], "{:?}", site.told());
    let first = findings(&engine).await;
    assert_eq!(first.len(), 1, "{first:#?}");
    assert_eq!(first[0].rule, "end-announced");
    assert!(
        first[0].message.contains("`GET /customers` will be removed on June 30, 2026"),
        "{}",
        first[0].message
    );
    assert_eq!(first[0].evidence.text("ends"), Some("2026-06-30"));

    // Sixty days before, once; who has seen the milder one is told all the same.
    engine.acknowledge(&first[0].fingerprint.0, "ann", None).await.unwrap();
    run(&engine, "2026-04-30").await;
    assert_eq!(severities(&site.told()), ["info"]);
    run(&engine, "2026-05-10").await;
    assert_eq!(severities(&site.told()), ["info", "warning"]);

    // A week before, and the source being down changes nothing; that nobody can read it any more is told once.
    site.publishes(Reply::text("text/html", "<h1>503</h1>").status(503));
    run(&engine, "2026-06-25").await;
    assert_eq!(severities(&site.told()), ["info", "warning", "warning", "breaking"]);
    let all = || async {
        let all = findings(&engine).await;
        all.into_iter().partition::<Vec<Finding>, _>(|finding| finding.rule.starts_with("end-"))
    };
    let (now, others) = all().await;
    assert_eq!(others.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>(), ["not-observed"]);
    assert_eq!((now.len(), now[0].rule.as_str()), (1, "end-due"), "{now:#?}");
    assert_eq!(now[0].fingerprint, first[0].fingerprint, "it is the same finding, a step further");
    assert_eq!(now[0].first_seen, first[0].first_seen);
    let login = "<html><title>Log in</title><form><input type=\"password\"></form></html>";
    site.publishes(Reply::text("text/html", login));
    run(&engine, "2026-07-05").await;
    assert_eq!(site.told().len(), 4, "past the day it is told no more by itself");
    assert!(all().await.0[0].message.contains("days ago"));

    site.publishes(docs("Nothing ends."));
    run(&engine, "2026-07-09").await;
    let left: Vec<String> = findings(&engine).await.into_iter().map(|finding| finding.rule).collect();
    assert!(!left.iter().any(|rule| rule.starts_with("end-") || rule == "not-observed"), "{left:?}");
    assert_eq!(site.told().last().unwrap().1, "drogue.finding.resolved", "{:?}", site.told());
    engine.close().await;
}

#[tokio::test]
async fn what_nobody_uses_what_is_over_and_what_is_denied_tells_nobody() {
    let silent = "<code>GET /refunds</code> will be removed on 2026-03-20. The XML format was retired on 2025-11-30. \
                  The endpoint is not deprecated. When a version is deprecated, it will be removed a year later.";
    let site = Site::new(docs(silent)).await;
    let engine = site.engine().await;
    run(&engine, "2026-03-25").await;
    assert_eq!((findings(&engine).await, site.told()), (Vec::new(), Vec::new()));
    engine.close().await;
}

#[tokio::test]
async fn a_new_announcement_is_one_finding_with_its_sentence() {
    let site = Site::new(docs("")).await;
    let engine = site.engine().await;
    run(&engine, "2026-03-03").await;
    assert_eq!(site.told(), Vec::new());
    site.publishes(docs("Support for this API ends on March 20, 2026."));
    run(&engine, "2026-03-04").await;
    let now = findings(&engine).await;
    assert_eq!(now.len(), 1, "{now:#?}");
    assert_eq!(now[0].rule, "end-near");
    assert_eq!(now[0].evidence.text("sentence"), Some("Support for this API ends on March 20, 2026."));
    run(&engine, "2026-03-21").await;
    assert_eq!(severities(&site.told()), ["warning", "breaking"]);
    engine.close().await;
}

#[tokio::test]
async fn accepting_a_document_leaves_its_deadlines() {
    let site = Site::new(docs("")).await;
    let engine = site.engine().await;
    run(&engine, "2026-03-03").await;
    site.publishes(docs(&format!(
        "{END}</p><h2>Fields</h2><p>The <code>name</code> of a customer was renamed to <code>full_name</code>."
    )));
    run(&engine, "2026-03-04").await;
    let before = findings(&engine).await;
    let ends =
        |all: &[Finding]| all.iter().filter(|f| f.rule.starts_with("end-")).cloned().collect::<Vec<_>>();
    let kept = ends(&before);
    assert!(kept.len() == 1 && before.len() > 1, "{before:#?}");
    let document = engine.documents(&[])[0].clone();
    let subject = engine.subject_or_document(&format!("{}/docs:{}", document.0, document.1)).unwrap();
    let resolved = engine.accept(&subject, &[], "ann", None).await.unwrap();
    assert_eq!(resolved.len(), before.len() - 1);
    assert!(!resolved.contains(&kept[0].fingerprint));
    assert_eq!(findings(&engine).await, kept);
    let told = site.told().len();
    run(&engine, "2026-03-08").await;
    let now = findings(&engine).await;
    assert_eq!((now.len(), now[0].first_seen, site.told().len()), (1, kept[0].first_seen, told), "{now:#?}");
    engine.close().await;
}

#[tokio::test]
async fn headers_set_deadlines_as_pages_do() {
    let site = Site::new(docs("")).await;
    let engine = site.engine().await;
    *site.headers.lock().unwrap() = vec![
        ("deprecation", "@1764547200"),
        ("sunset", "Tue, 30 Jun 2026 23:59:59 GMT"),
        ("link", "<https://docs.example.com/v2>; rel=\"successor-version\""),
    ];
    run(&engine, "2026-03-20").await;
    let now = findings(&engine).await;
    assert_eq!(now.len(), 1, "{now:#?}");
    assert_eq!((now[0].rule.as_str(), now[0].evidence.text("ends")), ("end-announced", Some("2026-06-30")));
    assert_eq!(now[0].evidence.text("since"), Some("2025-12-01"));
    assert_eq!(now[0].evidence.text("successor"), Some("https://docs.example.com/v2"));
    run(&engine, "2026-07-05").await;
    assert_eq!(severities(&site.told()), ["info", "warning", "breaking"]);
    engine.close().await;
}
