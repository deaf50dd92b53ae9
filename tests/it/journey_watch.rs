//! The daemon as it is run: it sees the drift, tells of it, takes a new config, and stops when it is told to.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use hmac::{KeyInit as _, Mac as _};
use serde_json::{Value, json};

use crate::support::api::{Api, Reply, Seen};
use crate::support::project::{Feed, HOOK_SECRET, Project, Receivers};
use crate::support::smtp::{SmtpSink, header};

/// A running `drogue watch`; killed with this value.
pub(crate) struct Daemon {
    child: Child,
    said: mpsc::Receiver<String>,
    health: String,
}

impl Daemon {
    /// Starts it, and waits for it to say where its health page is.
    pub(crate) fn start(project: &Project) -> Self {
        let mut child = project.command(&["watch", "-v"]).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| tell.send(line).is_ok()));
        let mut daemon = Self { child, said, health: String::new() };
        let line = daemon.says("health on ");
        daemon.health =
            line.split(' ').find(|word| word.starts_with("http")).unwrap().trim_matches(';').to_owned();
        daemon
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line with these words.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        let mut all = String::new();
        while let Ok(line) = self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(words) {
                return line;
            }
            all.push_str(&line);
            all.push('\n');
        }
        panic!("it never said `{words}`:\n{all}");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status =
            std::process::Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// SIGTERM; its exit code, and how long it took.
    pub(crate) fn stop(mut self) -> (Option<i32>, Duration) {
        let begun = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        (status.code(), begun.elapsed())
    }

    async fn healthz(&self) -> Value {
        let client = drogue::net::HttpClient::new(&drogue::net::HttpSettings {
            allow_private: vec!["127.0.0.0/8".parse().unwrap()],
            ..Default::default()
        })
        .unwrap();
        let response = client.send(drogue::net::Request::get(self.health.parse().unwrap())).await.unwrap();
        assert_eq!(response.status, 200);
        serde_json::from_slice(&response.body).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it never came: {what}");
}

/// The signature of a request by the Standard Webhooks specification, worked out anew.
fn assert_signed(hook: &Seen) {
    let secret = HOOK_SECRET.strip_prefix("whsec_").unwrap();
    let key = base64::engine::general_purpose::STANDARD.decode(secret).unwrap();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    let [id, at] = ["webhook-id", "webhook-timestamp"].map(|name| hook.header(name).unwrap());
    mac.update(format!("{id}.{at}.{}", hook.body).as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(hook.header("webhook-signature").unwrap(), format!("v1,{expected}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_the_daemon() {
    let sink = SmtpSink::start();
    let hooks = Api::start(|_| Reply::text("text/plain", "ok")).await;
    let feed = Feed::new();
    let api = feed.serve().await;
    let receivers = Receivers { smtp_port: Some(sink.port), webhook: Some(hooks.url("/hook")) };
    let project = Project::new(&api, &receivers);
    project.learn();
    let daemon = Daemon::start(&project);
    let health = daemon.healthz().await;
    assert_eq!((&health["status"], &health["streams"]), (&json!("ok"), &json!(1)));
    assert_eq!(health["reload_refused"], Value::Null);

    // A second one on the same database is refused, and says whose it is.
    let second = project.run(&["watch"]).ended(1);
    assert!(second.stderr.contains(&daemon.pid().to_string()), "{second:?}");

    // The API drifts while it runs, and a command beside it does no harm.
    feed.renames("email", "email_address");
    project.run(&["doctor"]).ended(0);
    let mails = wait_for("a mail", || Some(sink.mails()).filter(|mails| !mails.is_empty()));
    assert_eq!(header(&mails[0], "X-Drogue-Severity"), "breaking");
    let hook = wait_for("a webhook", || hooks.seen().pop());
    assert_signed(&hook);
    let body: Value = serde_json::from_str(&hook.body).unwrap();
    assert_eq!(body["data"]["reports"][0]["diagnoses"][0]["kind"], "renamed", "{body:#}");
    assert_eq!(hook.headers.iter().filter(|(name, _)| name == "webhook-id").count(), 1);

    // A broken config is refused, the old one goes on.
    let config = project.read("drogue.yaml");
    project.write("drogue.yaml", &config.replace("records:", "recrods:"));
    daemon.signal("HUP");
    daemon.says("refused");
    let health = daemon.healthz().await;
    assert_eq!(health["status"], "ok");
    assert!(health["reload_refused"].as_str().unwrap().contains("recrods"), "{health}");

    // A good one is taken.
    let more = "      customers_too:\n        every: 1h\n        request: {url: customers, records: '$.data[*]'}\nreceivers:\n";
    project.write("drogue.yaml", &config.replace("receivers:\n", more));
    daemon.signal("HUP");
    daemon.says("reloaded the config");
    let health = daemon.healthz().await;
    assert_eq!((&health["reload_refused"], &health["streams"]), (&Value::Null, &json!(2)));
    daemon.says("recorded `crm/customers_too`");

    let (code, took) = daemon.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
    project.run(&["doctor"]).ended(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_while_an_answer_is_awaited() {
    let feed = Feed::new();
    feed.answers(|_| Reply::text("text/plain", "").manner(crate::support::api::Manner::Silent));
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    let daemon = Daemon::start(&project);
    wait_for("a request", || api.seen().pop());
    let (code, took) = daemon.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
}
