//! What one check has to tell about one stream, frozen into one message an address.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    Diagnosis, Escalation, Finding, Message, NotifyReason, Patch, Side, Subject, content_id, sha256_hex,
};

use super::ReceiverSettings;

/// What is to be told of one stream after one check: an [`Escalation`] that has no receiver yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Whom it is about.
    pub subject: Subject,
    /// Why it is told.
    pub reason: NotifyReason,
    /// When the incident began: the first window that showed it. Mails of one incident share a thread.
    pub since: Timestamp,
    /// What was recorded.
    pub baseline: Side,
    /// What is seen now.
    pub live: Side,
    /// What happened, worst first.
    pub diagnoses: Vec<Diagnosis>,
    /// What was seen, worst first.
    pub findings: Vec<Finding>,
    /// Patches that wait for a decision, or were decided.
    pub patches: Vec<Patch>,
    /// Text differences of documents: title and unified diff.
    pub docs: Vec<(String, String)>,
    /// Commands that a person may run next, with what each does.
    pub commands: Vec<(String, String)>,
}

/// One message for each mail address and each webhook among `receivers`, due at once.
///
/// The ids are hashes of what is told, to whom, and of which window: told again by the same check they are the same,
/// so that the outbox takes each message once. A receiver that the config does not know is passed over; loading the
/// config refuses such a route.
#[must_use]
pub fn messages(
    draft: &Draft,
    receivers: &[String],
    settings: &BTreeMap<String, ReceiverSettings>,
    now: Timestamp,
) -> Vec<Message> {
    let mut told: Vec<(&String, Option<&String>)> = Vec::new();
    for name in receivers {
        match settings.get(name) {
            Some(ReceiverSettings::Email { to, .. }) => told.extend(to.iter().map(|to| (name, Some(to)))),
            Some(ReceiverSettings::Webhook { .. }) => told.push((name, None)),
            None => {}
        }
    }
    let content = content_of(draft, now);
    let mut messages: Vec<Message> = Vec::with_capacity(told.len());
    for (receiver, address) in told {
        let id = content_id(&["message/1", receiver, address.map_or("", String::as_str), &content]);
        // The same address twice in a list, or a receiver twice in a route, is told once.
        if messages.iter().any(|message| message.id == id) {
            continue;
        }
        messages.push(Message {
            escalation: escalation(draft, id.clone(), now),
            id,
            receiver: receiver.clone(),
            address: address.cloned(),
            attempts: 0,
            next_at: now,
        });
    }
    messages
}

/// The incident that mails are threaded by: a hash of the subject and of when it began.
#[must_use]
pub fn thread_id(subject: &Subject, since: Timestamp) -> String {
    content_id(&["thread/1", &subject.connector, &subject.stream, &since.as_microsecond().to_string()])
}

fn escalation(draft: &Draft, id: String, now: Timestamp) -> Escalation {
    Escalation {
        id,
        thread: thread_id(&draft.subject, draft.since),
        subject: draft.subject.clone(),
        reason: draft.reason,
        since: draft.since,
        at: now,
        baseline: draft.baseline.clone(),
        live: draft.live.clone(),
        diagnoses: draft.diagnoses.clone(),
        findings: draft.findings.clone(),
        patches: draft.patches.clone(),
        docs: draft.docs.clone(),
        commands: draft.commands.clone(),
    }
}

/// A hash of what is told; message texts are no part of it, so that a better wording does not tell things twice.
fn content_of(draft: &Draft, now: Timestamp) -> String {
    let micros = |at: Option<Timestamp>| at.map(|at| at.as_microsecond().to_string()).unwrap_or_default();
    let mut parts = vec![
        thread_id(&draft.subject, draft.since),
        draft.reason.word().to_owned(),
        micros(draft.live.from),
        micros(draft.live.to),
    ];
    // A reminder says the same again; only the time tells it from the one before.
    if draft.reason == NotifyReason::Reminder {
        parts.push(micros(Some(now)));
    }
    let mut lists = [
        draft.findings.iter().map(|f| format!("{} {}", f.fingerprint, f.state.word())).collect::<Vec<_>>(),
        draft.diagnoses.iter().map(|d| d.id.clone()).collect(),
        draft.patches.iter().map(|p| format!("{} {}", p.id, p.state.word())).collect(),
        draft.docs.iter().map(|(title, diff)| sha256_hex(format!("{title}\n{diff}").as_bytes())).collect(),
    ];
    for list in &mut lists {
        list.sort_unstable();
        parts.push(list.len().to_string());
        parts.append(list);
    }
    sha256_hex(parts.join("\u{1f}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::render::fixtures;
    use super::*;

    fn settings() -> BTreeMap<String, ReceiverSettings> {
        let text = r#"{
            "team": {"type": "email", "to": ["a@example.org", "b@example.org", "a@example.org"],
                     "from": "drogue@example.org", "smtp": {"host": "localhost"}},
            "hook": {"type": "webhook", "url": "https://example.org/hook"}}"#;
        serde_json::from_str(text).unwrap()
    }

    fn ids(draft: &Draft, now: Timestamp) -> Vec<String> {
        let receivers = ["team".to_owned(), "hook".to_owned(), "gone".to_owned()];
        messages(draft, &receivers, &settings(), now).into_iter().map(|message| message.id).collect()
    }

    #[test]
    fn one_message_an_address_with_ids_that_stay() {
        let draft = fixtures::draft();
        let now = draft.since;
        let first = ids(&draft, now);
        assert_eq!(first.len(), 3, "two addresses and one webhook");
        let later = now.checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
        assert_eq!(first, ids(&draft, later), "the same check tells the same, whenever it is written");
        assert!(first.iter().all(|id| !id.contains('.')));

        let mut reworded = draft.clone();
        reworded.findings[0].message = "other words".to_owned();
        assert_eq!(first, ids(&reworded, now));

        let mut resolved = draft.clone();
        resolved.findings[0].state = crate::model::FindingState::Resolved;
        assert!(ids(&resolved, now).iter().all(|id| !first.contains(id)));
    }

    #[test]
    fn each_reminder_is_a_message_of_its_own() {
        let mut draft = fixtures::draft();
        draft.reason = NotifyReason::Reminder;
        let later = draft.since.checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
        assert_ne!(ids(&draft, draft.since), ids(&draft, later));
    }
}
