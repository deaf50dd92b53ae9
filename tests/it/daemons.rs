//! The schedule of the daemon on a driven clock, against a real HTTP API and both databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use drogue::clock::DrivenClock;
use drogue::config::Config;
use drogue::engine::{Approval, Checked, Engine, FindingFilter, Run};
use drogue::model::{Message, NotifyReason};
use drogue::store::StoreTarget;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::support::api::Api;
use crate::support::database::TestDatabase;
use crate::support::project::{Feed, MAPPING, Project, Receivers, customers, page, renamed};

/// A user's folder, its API, a database and a clock.
struct Site {
    feed: Feed,
    api: Api,
    project: Project,
    database: TestDatabase,
    clock: Arc<DrivenClock>,
}

impl Site {
    async fn new(database: TestDatabase) -> Self {
        let feed = Feed::new();
        let api = feed.serve().await;
        let told = Receivers { webhook: Some(api.url("/hook")), ..Receivers::default() };
        let project = Project::new(&api, &told);
        project.edit_config("every: 10s", "every: 1h");
        match &database.target {
            StoreTarget::Sqlite(path) => {
                project.edit_config(
                    "version: 1",
                    &format!("version: 1\nstore: {{sqlite: '{}'}}", path.display()),
                );
            }
            StoreTarget::Postgres(_) => {
                project.edit_config("version: 1", "version: 1\nstore: {postgres: '${DATABASE}'}");
            }
            other => panic!("{other:?}"),
        }
        let clock = Arc::new(DrivenClock::new("2026-03-01T00:00:00Z".parse().unwrap()));
        Self { feed, api, project, database, clock }
    }

    /// One more process on the same database; its messages stay in the outbox.
    async fn engine(&self) -> Arc<Engine> {
        let config =
            Config::load(&self.project.path("drogue.yaml"), &|name| match (name, &self.database.target) {
                ("DATABASE", StoreTarget::Postgres(address)) => Some(address.expose().to_owned()),
                ("CRM_TOKEN", _) => Some("t".to_owned()),
                ("HOOK_SECRET", _) => Some(crate::support::project::HOOK_SECRET.to_owned()),
                _ => None,
            });
        let clock: Arc<DrivenClock> = Arc::clone(&self.clock);
        let engine = Engine::open(config.unwrap(), clock).await.unwrap();
        Arc::new(engine.holding_messages())
    }

    fn at(&self, hours: i64) -> Timestamp {
        "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }
}

/// Runs the loop of the daemon up to a moment.
async fn run(engine: &Arc<Engine>, until: Timestamp) -> Vec<Checked> {
    let seen: Arc<Mutex<Vec<Checked>>> = Arc::default();
    let checks = Arc::clone(&seen);
    let (_stop, stop) = watch::channel(false);
    let on_checked = Arc::new(move |checked: &Checked| checks.lock().unwrap().push(checked.clone()));
    engine.run(Run { until: Some(until), stop, on_checked }).await.unwrap();
    std::mem::take(&mut *seen.lock().unwrap())
}

async fn told(engine: &Engine) -> Vec<Message> {
    engine.messages().await.unwrap()
}

fn databases() -> impl Iterator<Item = TestDatabase> {
    [Some(TestDatabase::sqlite()), TestDatabase::postgres()].into_iter().flatten()
}

#[tokio::test]
async fn several_daemons_on_one_database_check_each_slot_once() {
    for database in databases() {
        let site = Site::new(database).await;
        let (one, two) = (site.engine().await, site.engine().await);
        // The first window begins the schedule: while a second daemon waits for it, a driven clock would run on, and the
        // slots of a busy machine would begin minutes late.
        assert_eq!(run(&one, site.at(0) + SignedDuration::from_mins(5)).await.len(), 1);
        for hour in 1..6 {
            // Both find the stream due at once, and look for a while less than a lease.
            site.clock.advance_to(site.at(hour));
            let until = site.at(hour) + SignedDuration::from_mins(5);
            let (a, b) = tokio::join!(run(&one, until), run(&two, until));
            assert_eq!(a.len() + b.len(), 1, "{}: one check an hour, whoever makes it", site.database.name);
        }
        assert_eq!(site.api.seen().len(), 6);
        one.close().await;
        two.close().await;
    }
}

#[tokio::test]
async fn an_open_breaking_finding_is_told_again_until_somebody_has_seen_it() {
    for database in databases() {
        let site = Site::new(database).await;
        site.project.edit_config(
            "routes:\n  - receivers: [hook]",
            "routes:\n  - receivers: [hook]\n    remind_every: 4h",
        );
        let engine = site.engine().await;
        run(&engine, site.at(3)).await;
        site.feed.answers(|turn| page(&renamed(customers(turn), "email", "email_address")));
        run(&engine, site.at(13)).await;
        let messages = told(&engine).await;
        let reasons: Vec<NotifyReason> = messages.iter().map(|message| message.escalation.reason).collect();
        assert_eq!(reasons, [NotifyReason::New, NotifyReason::Reminder, NotifyReason::Reminder]);
        let (first, again) = (&messages[0].escalation, &messages[1].escalation);
        assert_eq!(first.thread, again.thread, "a reminder stands in the thread of its incident");
        assert_eq!(again.at, first.at + SignedDuration::from_hours(4));
        assert!(
            !again.diagnoses.is_empty() && !again.patches.is_empty(),
            "it says all that is needed to decide"
        );
        assert!(again.commands.iter().any(|(command, _)| command.starts_with("drogue approve ")));

        for finding in &again.findings {
            engine.acknowledge(&finding.fingerprint.0, "ann", None).await.unwrap();
        }
        run(&engine, site.at(40)).await;
        assert_eq!(told(&engine).await.len(), messages.len(), "who acknowledged is not reminded");
        engine.close().await;
    }
}

#[tokio::test]
async fn after_a_roll_back_the_old_shape_is_the_normal_one_again() {
    let site = Site::new(TestDatabase::sqlite()).await;
    let engine = site.engine().await;
    run(&engine, site.at(3)).await;
    site.feed.answers(|turn| page(&renamed(customers(turn), "email", "email_address")));
    run(&engine, site.at(4)).await;
    let patch = engine.patches(false).await.unwrap().remove(0);
    let word = Approval { actor: "ann".to_owned(), reason: None, unverified: false };
    engine.approve(&patch.id, &word).await.unwrap();
    // Quiet windows in the new shape.
    run(&engine, site.at(9)).await;
    engine.roll_back(&patch.id, "ann", None).await.unwrap();
    let checks = run(&engine, site.at(10)).await;
    let report = checks.last().unwrap().report.clone().unwrap();
    assert!(
        report.findings.iter().any(|finding| finding.path.to_string() == "$.email"),
        "{:#?}",
        report.findings
    );
    assert!(report.diagnoses.iter().any(|d| d.kind.word() == "renamed"), "{:#?}", report.diagnoses);

    let messages = told(&engine).await;
    let threads: Vec<&str> = messages.iter().map(|message| message.escalation.thread.as_str()).collect();
    assert_eq!(messages[1].escalation.reason, NotifyReason::Decided);
    assert_eq!(threads[0], threads[1], "the decision stands in the thread of its incident");
    let news = |message: &&Message| message.escalation.reason == NotifyReason::New;
    let again = messages.iter().rfind(news).unwrap();
    assert_eq!(again.escalation.since, again.escalation.at, "a new incident begins with its own window");
    assert_ne!(threads[0], again.escalation.thread);
    engine.close().await;
}

#[tokio::test]
async fn a_stream_that_nobody_may_ask_is_overdue_and_its_failures_are_not_forgotten() {
    let site = Site::new(TestDatabase::sqlite()).await;
    site.project
        .edit_config("allow_private: [127.0.0.0/8]", "allow_private: [127.0.0.0/8], requests_per_day: 3");
    let engine = site.engine().await;
    run(&engine, site.at(8)).await;
    assert_eq!(site.api.seen().len(), 3);
    let reports = engine.findings(&FindingFilter::default()).await.unwrap().reports;
    let rules: Vec<&str> =
        reports.iter().flat_map(|report| &report.findings).map(|f| f.rule.as_str()).collect();
    assert_eq!(
        rules,
        ["not-observed"],
        "no window for twice the interval is a finding, whatever kept it away"
    );
    engine.close().await;
}

#[tokio::test]
async fn a_patch_that_comes_after_its_finding_is_told_too() {
    let site = Site::new(TestDatabase::sqlite()).await;
    let engine = site.engine().await;
    run(&engine, site.at(3)).await;
    site.feed.answers(|turn| page(&renamed(customers(turn), "email", "email_address")));
    run(&engine, site.at(4)).await;
    // Somebody edits the mapping: the patch for it as it was is overtaken by another one.
    site.project.write("map.yaml", &format!("{MAPPING}# edited\n"));
    run(&engine, site.at(6)).await;
    let messages = told(&engine).await;
    let reasons: Vec<NotifyReason> = messages.iter().map(|message| message.escalation.reason).collect();
    assert_eq!(reasons, [NotifyReason::New, NotifyReason::Update]);
    let (first, second) = (&messages[0].escalation, &messages[1].escalation);
    assert_ne!(first.patches[0].id, second.patches[0].id);
    assert_eq!(first.thread, second.thread);
    engine.close().await;
}
