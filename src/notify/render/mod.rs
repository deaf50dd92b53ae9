//! What receivers read: mail as text and HTML, webhooks as JSON.
//!
//! Everything that comes from an API, a document or a file is untrusted here: `visible` shows what must not be
//! obeyed, HTML is escaped in one place, and everything is bounded.

mod email;
mod page;
mod plain;
mod story;
mod visible;
mod webhook;

pub use email::{EmailError, email, subject_line};
pub use webhook::webhook_body;

pub(super) use email::check_addresses;
pub(super) use visible::visible;

use crate::model::Message;

/// The mail as it would be sent, without its HTML part and with no server asked: for `--dry-run` and the demo.
#[must_use]
pub fn render_preview(message: &Message) -> String {
    let escalation = &message.escalation;
    let to = message.address.as_deref().unwrap_or(&message.receiver);
    format!(
        "To: {}\nSubject: {}\nDate: {}\nMessage-ID: {}\nReferences: {}\n\n{}",
        visible(to, 200),
        subject_line(escalation),
        escalation.at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        email::message_id(&message.id, "host"),
        email::message_id(&escalation.thread, "host"),
        plain::plain(&story::Story::of(escalation)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_the_mail_without_a_server() {
        let preview = render_preview(&fixtures::message());
        let head = "To: data@example.org\nSubject: [drogue] civil-protection/regioni: drift since 2020-03-31\n\
                    Date: Tue, 31 Mar 2020 00:00:05 +0000\n";
        assert!(preview.starts_with(head), "{preview}");
        assert!(preview.contains("+      totale_attualmente_positivi: [$.totale_positivi,"), "{preview}");
    }
}

#[cfg(test)]
pub(super) mod fixtures {
    use super::super::Draft;
    use crate::model::{Escalation, Message};

    /// The rename of 2020-03-31 in the Italian regional feed, as an escalation.
    pub(crate) fn escalation() -> Escalation {
        serde_json::from_str(include_str!("../../../tests/fixtures/escalation/renamed.json")).unwrap()
    }

    pub(crate) fn message() -> Message {
        let escalation = escalation();
        Message {
            id: escalation.id.clone(),
            receiver: "team".to_owned(),
            address: Some("data@example.org".to_owned()),
            attempts: 0,
            next_at: escalation.at,
            escalation,
        }
    }

    pub(crate) fn draft() -> Draft {
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
}
