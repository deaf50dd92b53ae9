//! Killed at any moment: nothing is lost, and nothing is said twice but what was being said.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use drogue::store::{Store, StoreTarget};
use serde_json::Value;

use crate::journey_watch::{Daemon, wait_for};
use crate::support::api::{Api, Manner, Reply, Seen};
use crate::support::project::{Feed, MAPPING, Project, Receivers, customers, page, renamed};
use crate::support::smtp::{SmtpSink, header};

/// How often each webhook came, by its id.
fn ids(seen: &[Seen]) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for hook in seen {
        *ids.entry(hook.header("webhook-id").unwrap().to_owned()).or_default() += 1;
    }
    ids
}

/// A receiver that holds every request open until it is told to answer.
async fn holding_hooks() -> (Api, Arc<AtomicBool>) {
    let open = Arc::new(AtomicBool::new(false));
    let answers = Arc::clone(&open);
    let hooks = Api::start(move |_| {
        let reply = Reply::text("text/plain", "ok");
        if answers.load(Ordering::SeqCst) { reply } else { reply.manner(Manner::Silent) }
    })
    .await;
    (hooks, open)
}

/// The ids in the outbox.
async fn messages_of(project: &Project) -> Vec<String> {
    let target = StoreTarget::Sqlite(project.path("drogue.db"));
    let store = Store::open(&target, [0; 16]).await.unwrap();
    let ids = store.messages(100).await.unwrap().into_iter().map(|stored| stored.message.id).collect();
    store.close().await;
    ids
}

/// A port of loopback where nobody listens.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn between_commit_and_send() {
    let sink = SmtpSink::start();
    let feed = Feed::new();
    let api = feed.serve().await;
    // The webhook is held open and nobody takes mail: when the process is killed, neither is recorded as sent.
    let (hooks, open) = holding_hooks().await;
    let receivers = Receivers { smtp_port: Some(free_port()), webhook: Some(hooks.url("/hook")) };
    let project = Project::new(&api, &receivers);
    project.learn();
    feed.renames("email", "email_address");
    let mut check = project.command(&["check"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("a webhook", || hooks.seen().pop());
    check.kill().unwrap();
    check.wait().unwrap();
    assert!(sink.mails().is_empty());
    let findings = project.json(&["findings"]).1;
    assert_eq!(findings["reports"][0]["diagnoses"][0]["kind"], "renamed", "what was seen is stored");

    let outbox = messages_of(&project).await;
    assert_eq!(outbox.len(), 2, "one for each receiver, committed with the finding");

    // The mail server is up again, at its new port, and what the dead process had leased is free at once.
    let config = project.read("drogue.yaml");
    let at = config.find("port: ").unwrap();
    let end = at + config[at..].find(',').unwrap();
    project.write("drogue.yaml", &format!("{}port: {}{}", &config[..at], sink.port, &config[end..]));
    open.store(true, Ordering::SeqCst);
    let daemon = Daemon::start(&project);
    let mails = wait_for("the mail", || Some(sink.mails()).filter(|mails| !mails.is_empty()));
    wait_for("the webhook again", || Some(()).filter(|()| hooks.seen().len() > 1));
    // Two more checks see the same; nobody is told again.
    let before = api.seen().len();
    wait_for("another check", || Some(()).filter(|()| api.seen().len() > before));
    std::thread::sleep(Duration::from_millis(500));
    daemon.stop();
    assert_eq!((mails.len(), sink.mails().len()), (1, 1));
    assert_eq!(header(&mails[0], "X-Drogue-Severity"), "breaking");
    let mail_id = header(&mails[0], "Message-ID");
    assert!(outbox.iter().any(|id| mail_id == format!("<drogue-{id}@example.org>")), "{mail_id}: {outbox:?}");
    let ids = ids(&hooks.seen());
    assert!(ids.keys().all(|id| outbox.iter().any(|known| id.contains(known))), "{ids:?}: {outbox:?}");
    assert_eq!(
        ids.values().collect::<Vec<_>>(),
        [&2],
        "the one under way comes again, with the same id: {ids:?}"
    );
    project.run(&["doctor"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_random_moments_of_a_check() {
    let hooks = Api::start(|_| Reply::text("text/plain", "ok")).await;
    let feed = Feed::new();
    let api = feed.serve().await;
    let receivers = Receivers { webhook: Some(hooks.url("/hook")), ..Receivers::default() };
    let project = Project::new(&api, &receivers);
    project.learn();
    feed.answers(|turn| {
        page(&renamed(renamed(customers(turn), "email", "email_address"), "created_at", "created_on"))
    });
    let whole = std::time::Instant::now();
    project.run(&["baseline", "show", "crm/customers"]).ended(0);
    let start_ms = u64::try_from(whole.elapsed().as_millis()).unwrap();
    for round in 0..15_u64 {
        let mut check =
            project.command(&["check"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // From the opening of the database to a while after the request; a multiplier spreads the rounds.
        std::thread::sleep(Duration::from_millis(start_ms / 2 + (round * 7 % 15) * (start_ms / 5).max(10)));
        let _ = check.kill();
        check.wait().unwrap();
    }
    let set = project.json(&["check"]).1;
    project.run(&["doctor"]).ended(0);
    project.run(&["audit", "verify"]).ended(0);
    let listed = project.json(&["findings", "list", "--all"]).1;
    let fingerprints: Vec<&str> = listed["reports"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["fingerprint"].as_str().unwrap())
        .collect();
    assert_eq!(fingerprints.iter().collect::<BTreeSet<_>>().len(), fingerprints.len());
    assert_eq!(set["reports"][0]["findings"].as_array().unwrap().len(), fingerprints.len(), "{listed:#}");
    let ids = ids(&hooks.seen());
    assert_eq!(ids.len(), 1, "one incident, one message: {ids:?}");
    assert_eq!(project.json(&["patches"]).1["patches"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_random_moments_of_an_approval() {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    project.learn();
    feed.renames("email", "email_address");
    let set = project.json(&["check"]).1;
    let id =
        set["reports"][0]["diagnoses"][0]["patch"].as_str().unwrap_or_else(|| panic!("{set:#}")).to_owned();
    let patched = MAPPING.replace("mail: $.email #", "mail: [$.email_address, $.email] #");
    let begun = std::time::Instant::now();
    project.run(&["patches", "show", &id]).ended(0);
    let start_ms = u64::try_from(begun.elapsed().as_millis()).unwrap();
    // The project as it was before the decision, put back for each round.
    let saved = tempfile::tempdir().unwrap();
    copy_all(project.folder(), saved.path());
    let mut ends = BTreeMap::new();
    for round in 0..10_u64 {
        let mut approve =
            project.command(&["approve", &id]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(start_ms * (60 + 8 * round) / 100));
        let _ = approve.kill();
        approve.wait().unwrap();
        let text = project.read("map.yaml");
        assert!(text == MAPPING || text == patched, "a mixture: {text}");

        // Whoever comes next finds it settled: the file and the word agree.
        let args: &[&str] =
            if round % 2 == 0 { &["patches", "show", &id] } else { &["patches", "list", "--all"] };
        let shown = project.json(args).1;
        let state = if round % 2 == 0 { &shown["state"] } else { &shown["patches"][0]["state"] };
        let text = project.read("map.yaml");
        let word = if text == patched { "applied" } else { "verified" };
        assert_eq!(*state, *word, "round {round}");
        let health = project.run(&["doctor"]);
        assert!(!health.stdout.contains("cut off"), "{health:?}");
        if word == "verified" {
            project.run(&["approve", &id]).ended(0);
        }
        assert_eq!(project.read("map.yaml"), patched);
        assert_eq!(project.json(&["check"]).0, 0);
        let audit = project.json(&["audit", "list"]).1["entries"].take();
        let by_tester =
            |row: &&Value| row["entry"]["actor"] == "tester" && row["entry"]["action"] == "approve";
        assert_eq!(audit.as_array().unwrap().iter().filter(by_tester).count(), 1, "{audit:#}");
        project.run(&["rollback", &id]).ended(0);
        assert_eq!(project.read("map.yaml"), MAPPING);
        *ends.entry(word).or_insert(0) += 1;
        for entry in std::fs::read_dir(project.folder()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        copy_all(saved.path(), project.folder());
    }
    assert_eq!(ends.values().sum::<u32>(), 10);
}

fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
