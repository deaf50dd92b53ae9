//! Escalation: mail through a real SMTP server, webhooks to a real HTTP server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use drogue::{
    clock::DrivenClock,
    model::{Escalation, Message, Period, Secret, SecretSource},
    net::{HttpClient, HttpSettings},
    notify::{Draft, ReceiverSettings, Retry, SendError, Sender, SmtpSettings, SmtpTls, messages, sign},
};
use serde_json::Value;

use crate::support::{
    python::{need_python_package, python},
    smtp::{SinkTls, SmtpSink, header, parts},
};

/// Of the test vector of the Standard Webhooks specification.
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn escalation() -> Escalation {
    serde_json::from_str(include_str!("../fixtures/escalation/renamed.json")).unwrap()
}

fn draft() -> Draft {
    let Escalation {
        subject,
        reason,
        since,
        baseline,
        live,
        diagnoses,
        findings,
        patches,
        docs,
        commands,
        ..
    } = escalation();
    Draft { subject, reason, since, baseline, live, diagnoses, findings, patches, docs, commands }
}

fn message_to(address: &str) -> Message {
    Message {
        id: "4fd1a2b3c4d5e6f7".to_owned(),
        receiver: "team".to_owned(),
        address: Some(address.to_owned()),
        escalation: escalation(),
        attempts: 0,
        next_at: escalation().at,
    }
}

fn mail(sink: &SmtpSink, tls: SmtpTls) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".to_owned(),
        port: Some(sink.port),
        tls,
        ca_file: (tls != SmtpTls::None).then(|| sink.ca_file.clone()),
        username: None,
        password: None,
        password_file: None,
    }
}

fn email_receiver(smtp: SmtpSettings) -> ReceiverSettings {
    ReceiverSettings::Email {
        to: vec!["data@example.org".to_owned()],
        from: "Drogue <drogue@example.org>".to_owned(),
        smtp,
    }
}

fn secret(text: &str) -> SecretSource {
    SecretSource::Env { name: "SECRET".to_owned(), value: Some(Secret::new(text)) }
}

fn clock() -> DrivenClock {
    DrivenClock::new("2026-01-01T00:00:00Z".parse().unwrap())
}

fn sender() -> Sender {
    let settings = HttpSettings {
        allow_private: vec!["127.0.0.0/8".parse().unwrap()],
        timeout: Period::from_secs(2),
        ..HttpSettings::default()
    };
    Sender::new(HttpClient::new(&settings).unwrap())
}

async fn deliver(message: &Message, receiver: &ReceiverSettings) -> Result<(), SendError> {
    sender().deliver(message, receiver, &clock()).await
}

#[tokio::test]
async fn a_mail_says_it_all_in_both_parts() {
    let sink = SmtpSink::start();
    deliver(&message_to("data@example.org"), &email_receiver(mail(&sink, SmtpTls::None))).await.unwrap();
    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];

    assert_eq!(mail["mail_from"], "drogue@example.org");
    assert_eq!(mail["rcpt_tos"], serde_json::json!(["data@example.org"]));
    assert_eq!(mail["defects"], serde_json::json!([]));
    assert!(mail["longest_line"].as_u64().unwrap() <= 998);
    assert_eq!(header(mail, "Subject"), "[drogue] civil-protection/regioni: drift since 2020-03-31");
    assert_eq!(header(mail, "Message-ID"), "<drogue-4fd1a2b3c4d5e6f7@example.org>");
    assert_eq!(header(mail, "In-Reply-To"), "<drogue-9a8b7c6d5e4f3021@example.org>");
    assert_eq!(header(mail, "References"), "<drogue-9a8b7c6d5e4f3021@example.org>");
    assert_eq!(header(mail, "Date"), "Tue, 31 Mar 2020 00:00:05 +0000");
    assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(mail, "X-Auto-Response-Suppress"), "All");
    assert_eq!(header(mail, "List-Id"), "<drogue.example.org>");
    assert_eq!(header(mail, "X-Drogue-Severity"), "breaking");
    assert_eq!(header(mail, "X-Drogue-Connector"), "civil-protection");

    let types: Vec<&str> =
        mail["parts"].as_array().unwrap().iter().map(|p| p["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/x-diff"]);
    let [text, html] = ["text/plain", "text/html"].map(|content_type| {
        let part = parts(mail, content_type)[0];
        assert_eq!(part["charset"], "utf-8");
        assert_eq!(part["encoding"], "quoted-printable");
        part["text"].as_str().unwrap().to_owned()
    });
    let diff = escalation().patches[0].diff();
    assert!(text.contains(&diff), "{text}");
    for line in diff.lines() {
        assert!(html.contains(line), "{line}");
    }
    for part in [&text, &html] {
        assert!(part.contains("drogue approve aa11bb22cc33dd44"));
        assert!(part.contains("drogue reject aa11bb22cc33dd44"));
        assert!(part.contains("since 2020-03-31"));
        assert!(part.contains("paired 21"));
        assert!(part.contains("è così"));
    }
    let patch = parts(mail, "text/x-diff")[0];
    assert_eq!(patch["filename"], "drogue-4fd1a2b3c4d5e6f7.patch");
    assert_eq!(patch["text"].as_str().unwrap(), diff);
}

#[tokio::test]
async fn mails_of_one_incident_share_a_thread_and_a_subject() {
    let sink = SmtpSink::start();
    let receiver = email_receiver(mail(&sink, SmtpTls::None));
    let settings = BTreeMap::from([("team".to_owned(), receiver.clone())]);
    let mut told = draft();
    for (reason, later_s) in [
        (told.reason, 0),
        (drogue::model::NotifyReason::Update, 3_600),
        (drogue::model::NotifyReason::Resolved, 7_200),
    ] {
        told.reason = reason;
        let now = told.since + jiff::SignedDuration::from_secs(later_s);
        for message in messages(&told, &["team".to_owned()], &settings, now) {
            deliver(&message, &receiver).await.unwrap();
        }
    }
    let mails = sink.mails();
    let all =
        |name: &str| mails.iter().map(|mail| header(mail, name)).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(mails.len(), 3);
    assert_eq!(all("Message-ID").len(), 3);
    assert_eq!(all("Subject").len(), 1);
    assert_eq!(all("References").len(), 1);
    assert_eq!(header(&mails[2], "X-Drogue-Severity"), "resolved");
}

#[tokio::test]
async fn a_name_cannot_add_a_header() {
    let sink = SmtpSink::start();
    let mut message = message_to("data@example.org");
    let hostile = "crm\r\nBcc: victim@example.org\u{202e}\u{0}";
    message.escalation.subject.connector = hostile.to_owned();
    message.escalation.subject.stream = "ü".repeat(10_000);
    message.escalation.diagnoses[0].summary = format!("<img src=x onerror=alert(1)> {hostile}");
    deliver(&message, &email_receiver(mail(&sink, SmtpTls::None))).await.unwrap();
    let mail = &sink.mails()[0];
    assert_eq!(mail["defects"], serde_json::json!([]));
    assert!(mail["headers"].as_array().unwrap().iter().all(|header| header[0] != "Bcc"));
    assert!(
        header(mail, "Subject").starts_with("[drogue] crm\\r\\nBcc: victim@example.org\\u{202e}\\u{0}/üüü")
    );
    assert!(mail["longest_line"].as_u64().unwrap() <= 998);
    assert!(!parts(mail, "text/html")[0]["text"].as_str().unwrap().contains("<img"));
}

#[tokio::test]
async fn replies_decide_whether_to_try_again() {
    let sink = SmtpSink::start();
    let receiver = email_receiver(mail(&sink, SmtpTls::None));
    for (address, expected, detail) in [
        ("450@example.org", Retry::Backoff, "the mail server answered 450"),
        ("421@example.org", Retry::Backoff, "the mail server answered 421"),
        ("550@example.org", Retry::Never, "the mail server answered 550"),
        ("data-552@example.org", Retry::Never, "the mail server answered 552"),
        ("data-452@example.org", Retry::Backoff, "the mail server answered 452"),
    ] {
        let error = deliver(&message_to(address), &receiver).await.unwrap_err();
        assert_eq!((error.retry, error.detail.as_str()), (expected, detail), "{address}");
    }
    assert!(sink.mails().is_empty());
}

#[tokio::test]
async fn tls_is_kept_or_nothing_is_sent() {
    for (kind, tls) in [(SinkTls::StartTls, SmtpTls::Required), (SinkTls::Implicit, SmtpTls::Implicit)] {
        let sink = SmtpSink::start_with(kind, None);
        deliver(&message_to("data@example.org"), &email_receiver(mail(&sink, tls))).await.unwrap();
        assert_eq!(sink.mails()[0]["tls"], true);

        // Without its authority, the server is not trusted.
        let untrusted = SmtpSettings { ca_file: None, ..mail(&sink, tls) };
        let error = deliver(&message_to("data@example.org"), &email_receiver(untrusted)).await.unwrap_err();
        assert_eq!(error.retry, Retry::Backoff);
        assert!(error.detail.contains("certificate"), "{error}");
        assert_eq!(sink.mails().len(), 1);
    }
    // STARTTLS is not offered, as when somebody on the way strips it: not one command is given in clear text.
    let stripped = SmtpSink::start();
    let error = deliver(&message_to("data@example.org"), &email_receiver(mail(&stripped, SmtpTls::Required)))
        .await
        .unwrap_err();
    assert_eq!(error.retry, Retry::Backoff);
    assert!(error.detail.contains("STARTTLS"), "{error}");
    assert_eq!(stripped.commands(), "");
}

#[tokio::test]
async fn sign_in_and_its_failure() {
    let sink = SmtpSink::start_with(SinkTls::StartTls, Some("drogue:hunter2"));
    let settings = |password: &str| SmtpSettings {
        username: Some("drogue".to_owned()),
        password: Some(secret(password)),
        ..mail(&sink, SmtpTls::Required)
    };
    deliver(&message_to("data@example.org"), &email_receiver(settings("hunter2"))).await.unwrap();
    assert_eq!(sink.mails()[0]["authenticated"], true);
    let error =
        deliver(&message_to("data@example.org"), &email_receiver(settings("wrong"))).await.unwrap_err();
    assert_eq!(error.retry, Retry::Backoff, "a password that is being rotated loses no mail");
    assert!(!error.detail.contains("wrong"));

    let mut elsewhere = settings("hunter2");
    (elsewhere.tls, elsewhere.host) = (SmtpTls::None, "mail.example.org".to_owned());
    let error = deliver(&message_to("data@example.org"), &email_receiver(elsewhere)).await.unwrap_err();
    assert!(error.detail.contains("without TLS"), "{error}");
}

#[tokio::test]
async fn nobody_listens() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        tls: SmtpTls::None,
        ca_file: None,
        username: None,
        password: None,
        password_file: None,
    };
    let error = deliver(&message_to("data@example.org"), &email_receiver(settings)).await.unwrap_err();
    assert_eq!(error.retry, Retry::Backoff);
    assert!(error.detail.contains("refused"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_left() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port: Some(listener.local_addr().unwrap().port()),
        tls: SmtpTls::None,
        ca_file: None,
        username: None,
        password: None,
        password_file: None,
    };
    let silent = tokio::spawn(async move { (listener.accept().await, std::future::pending::<()>().await) });
    let error = deliver(&message_to("data@example.org"), &email_receiver(settings)).await.unwrap_err();
    assert_eq!(error.retry, Retry::Backoff);
    assert!(error.detail.contains("in time"), "{error}");
    silent.abort();
}

/// What a webhook receiver got, and what it is to answer.
#[derive(Default)]
struct Hook {
    got: Vec<(BTreeMap<String, String>, Vec<u8>)>,
    answer: Option<(u16, Option<(&'static str, &'static str)>)>,
}

async fn hook() -> (String, Arc<Mutex<Hook>>) {
    async fn take(
        State(hook): State<Arc<Mutex<Hook>>>,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, HeaderMap) {
        let mut hook = hook.lock().unwrap();
        let seen = headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        hook.got.push((seen, body.to_vec()));
        let (status, header) = hook.answer.unwrap_or((204, None));
        let headers = header.into_iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect();
        (StatusCode::from_u16(status).unwrap(), headers)
    }
    let state = Arc::new(Mutex::new(Hook::default()));
    let app = axum::Router::new().route("/hook", post(take)).with_state(Arc::clone(&state));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, state)
}

fn webhook_receiver(url: &str) -> ReceiverSettings {
    ReceiverSettings::Webhook { url: url.to_owned(), secret: Some(secret(WEBHOOK_SECRET)), secret_file: None }
}

#[tokio::test]
async fn a_webhook_is_signed_and_keeps_its_id() {
    let (url, hook) = hook().await;
    let message = message_to("unused");
    let receiver = webhook_receiver(&url);
    let sender = sender();
    let clock = clock();
    hook.lock().unwrap().answer = Some((500, None));
    assert_eq!(sender.deliver(&message, &receiver, &clock).await.unwrap_err().retry, Retry::Backoff);
    hook.lock().unwrap().answer = None;
    clock.advance_to("2026-01-01T00:05:00Z".parse().unwrap());
    sender.deliver(&message, &receiver, &clock).await.unwrap();

    let got = std::mem::take(&mut hook.lock().unwrap().got);
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].1, got[1].1, "the same body");
    assert_eq!(got[0].0["webhook-id"], got[1].0["webhook-id"]);
    assert_eq!(got[0].0["webhook-timestamp"], "1767225600");
    assert_eq!(got[1].0["webhook-timestamp"], "1767225900", "of the attempt");
    for (headers, body) in &got {
        assert_eq!(headers["content-type"], "application/json");
        let timestamp = headers["webhook-timestamp"].parse().unwrap();
        let expected = sign(&Secret::new(WEBHOOK_SECRET), &headers["webhook-id"], timestamp, body).unwrap();
        assert_eq!(headers["webhook-signature"], expected);
    }
    let body: Value = serde_json::from_slice(&got[1].1).unwrap();
    assert_eq!(body["type"], "drogue.finding.new");
    assert_eq!(body["data"]["version"], 1);
    assert_eq!(body["data"]["reports"][0]["diagnoses"][0]["kind"], "renamed");
    assert_eq!(body["data"]["patches"][0]["diff"], escalation().patches[0].diff());
    assert_eq!(body["data"]["commands"][0]["command"], "drogue approve aa11bb22cc33dd44");
    verified_by_the_reference_library(&got[1].0, &got[1].1);
}

/// The library that the specification's authors publish takes the signature, and refuses it over another body.
fn verified_by_the_reference_library(headers: &BTreeMap<String, String>, body: &[u8]) {
    need_python_package("standardwebhooks");
    let script = "
import json, sys
from datetime import datetime, timezone
import standardwebhooks.webhooks as reference
given = json.load(sys.stdin)
sent = datetime.fromtimestamp(int(given['headers']['webhook-timestamp']), timezone.utc)
class Then(datetime):
    @classmethod
    def now(cls, tz=None):
        return sent
reference.datetime = Then
hook = reference.Webhook(given['secret'])
hook.verify(given['body'], given['headers'])
try:
    hook.verify(given['body'] + ' ', given['headers'])
except reference.WebhookVerificationError:
    print('verified')
";
    let mut process =
        python().args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let given = serde_json::json!({
        "secret": WEBHOOK_SECRET, "headers": headers, "body": String::from_utf8_lossy(body),
    });
    process.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "verified");
}

#[tokio::test]
async fn what_a_webhook_answers_decides() {
    let (url, hook) = hook().await;
    for (answer, expected) in [
        ((301, Some(("location", "http://127.0.0.1:1/elsewhere"))), Retry::Backoff),
        ((410, None), Retry::Never),
        ((429, Some(("retry-after", "120"))), Retry::After(Duration::from_secs(120))),
        (
            (503, Some(("retry-after", "Thu, 01 Jan 2026 00:01:00 GMT"))),
            Retry::After(Duration::from_secs(60)),
        ),
        ((404, None), Retry::Backoff),
    ] {
        hook.lock().unwrap().answer = Some(answer);
        let error = deliver(&message_to("unused"), &webhook_receiver(&url)).await.unwrap_err();
        assert_eq!(error.retry, expected, "{answer:?}");
        assert!(!error.detail.contains("127.0.0.1"), "{error}");
    }
    assert_eq!(hook.lock().unwrap().got.len(), 5, "no redirect was followed");
}

#[tokio::test]
async fn private_addresses_and_endless_answers() {
    let (url, hook) = hook().await;
    let guarded = Sender::new(HttpClient::new(&HttpSettings::default()).unwrap());
    let error = guarded.deliver(&message_to("unused"), &webhook_receiver(&url), &clock()).await.unwrap_err();
    assert_eq!(error.retry, Retry::Backoff);
    assert!(hook.lock().unwrap().got.is_empty(), "a private address is refused before anything is sent");

    // An answer that says 200 and never ends: the message was taken.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 65_536];
        let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n";
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, head).await;
        while tokio::io::AsyncWriteExt::write_all(&mut stream, &[b'x'; 4_096]).await.is_ok() {}
    });
    deliver(&message_to("unused"), &webhook_receiver(&url)).await.unwrap();
}
