//! Mail: headers, parts, attachment.

use lettre::message::header::{
    ContentTransferEncoding, ContentType, Date, HeaderName, HeaderValue, InReplyTo, MessageId, References,
    Subject,
};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use crate::model::{Escalation, Message};

use super::{page::page, plain::plain, story::Story, visible::visible};

/// The most that a mail carries as an attached `.patch`.
const MAX_ATTACHMENT: usize = 100_000;

/// Why no mail can be made. Addresses are not repeated: errors reach logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmailError {
    /// `from` of the receiver.
    #[error(
        "`from` of receiver `{0}` is not a mail address; write `name@example.org` or `Name <name@example.org>`"
    )]
    From(String),
    /// `to` of the receiver.
    #[error("an address in `to` of receiver `{0}` is not a mail address")]
    To(String),
    /// The library refused it.
    #[error("cannot build the mail")]
    Build(#[source] lettre::error::Error),
}

/// The subject, the same for all mails of an incident: mail programs split a thread where it changes.
#[must_use]
pub fn subject_line(escalation: &Escalation) -> String {
    format!(
        "[drogue] {}/{}: drift since {}",
        visible(&escalation.subject.connector, 60),
        visible(&escalation.subject.stream, 60),
        escalation.since.strftime("%Y-%m-%d")
    )
}

/// The identity of a mail, or the root of a thread, which no mail needs to have.
pub(super) fn message_id(id: &str, host: &str) -> String {
    format!("<drogue-{id}@{host}>")
}

/// Whether these are addresses.
pub(in crate::notify) fn check_addresses(
    receiver: &str,
    from: &str,
    to: &[String],
) -> Result<(), EmailError> {
    from.parse::<Mailbox>().map_err(|_| EmailError::From(receiver.to_owned()))?;
    for address in to {
        address.parse::<Mailbox>().map_err(|_| EmailError::To(receiver.to_owned()))?;
    }
    Ok(())
}

/// The mail that tells `message` to its address.
///
/// # Errors
/// Where an address of the receiver is none.
pub fn email(message: &Message, from: &str) -> Result<lettre::Message, EmailError> {
    let escalation = &message.escalation;
    let from: Mailbox = from.parse().map_err(|_| EmailError::From(message.receiver.clone()))?;
    let to: Mailbox = message
        .address
        .as_deref()
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| EmailError::To(message.receiver.clone()))?;
    // Punycode for a host outside of ASCII: identifiers are ASCII.
    let host = url::Host::parse(from.email.domain())
        .map_or_else(|_| "drogue.invalid".to_owned(), |host| host.to_string());
    let root = message_id(&escalation.thread, &host);
    let story = Story::of(escalation);

    let mut builder = lettre::Message::builder()
        .from(from)
        .to(to)
        .header(Subject::from(subject_line(escalation)))
        .header(Date::new(escalation.at.into()))
        .header(MessageId::from(message_id(&message.id, &host)))
        .header(InReplyTo::from(root.clone()))
        .header(References::from(root));
    let severity = story.severity.map_or("resolved", |severity| severity.word());
    for (name, value) in [
        ("List-Id", format!("<drogue.{host}>")),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "All".to_owned()),
        ("X-Drogue-Severity", severity.to_owned()),
        ("X-Drogue-Connector", visible(&escalation.subject.connector, 60)),
    ] {
        builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
    }

    // Boundaries made of the id, so that a retry is the same mail to the byte.
    let bodies = MultiPart::alternative()
        .boundary(format!("drogue-{}-text", message.id))
        .singlepart(part(ContentType::TEXT_PLAIN, plain(&story)))
        .singlepart(part(ContentType::TEXT_HTML, page(&story)));
    let diff: String = escalation.patches.iter().map(crate::model::Patch::diff).collect();
    let whole = if diff.is_empty() || diff.len() > MAX_ATTACHMENT {
        bodies
    } else {
        let name = format!("drogue-{}.patch", message.id);
        let patch = Attachment::new(name).body(
            diff,
            ContentType::parse("text/x-diff; charset=utf-8")
                .expect("a content type that is literal and valid"),
        );
        MultiPart::mixed().boundary(format!("drogue-{}-all", message.id)).multipart(bodies).singlepart(patch)
    };
    builder.multipart(whole).map_err(EmailError::Build)
}

fn part(content_type: ContentType, text: String) -> SinglePart {
    SinglePart::builder().header(content_type).header(ContentTransferEncoding::QuotedPrintable).body(text)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    fn sent(message: &Message) -> String {
        String::from_utf8(email(message, "Drogue <drogue@example.org>").unwrap().formatted()).unwrap()
    }

    #[test]
    fn text_part() {
        insta::assert_snapshot!(plain(&Story::of(&fixtures::escalation())));
    }

    #[test]
    fn html_part() {
        insta::assert_snapshot!(page(&Story::of(&fixtures::escalation())));
    }

    #[test]
    fn the_same_to_the_byte_on_each_attempt() {
        assert_eq!(sent(&fixtures::message()), sent(&fixtures::message()));
    }

    #[test]
    fn names_cannot_write_headers_or_markup() {
        let hostile =
            "x\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>\u{202e}\u{1b}[31m\u{0}{{7*7}}";
        let mut message = fixtures::message();
        let escalation = &mut message.escalation;
        escalation.subject.connector = hostile.to_owned();
        escalation.subject.stream = "é".repeat(10_000);
        escalation.diagnoses[0].summary = hostile.to_owned();
        escalation.diagnoses[0].path = crate::model::FieldPath::of_keys([hostile]);
        escalation.findings[0].message = hostile.to_owned();
        escalation.patches[0].summary = hostile.to_owned();
        escalation.patches[0].files[0].diff = format!("+{hostile}\n");
        escalation.commands[0].0 = hostile.to_owned();
        let mail = sent(&message);
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        for line in head.split("\r\n") {
            assert!(line.len() <= 998, "{} octets", line.len());
            assert!(!line.starts_with("Bcc"), "{line}");
            assert!(line.is_ascii(), "{line}");
        }
        let story = Story::of(&message.escalation);
        assert!(!page(&story).contains("<script"));
        for text in [plain(&story), page(&story)] {
            assert!(!text.contains(['\u{202e}', '\u{1b}', '\u{0}', '\r']), "{text}");
        }
    }

    #[test]
    fn a_storm_is_counted_and_bounded() {
        let mut message = fixtures::message();
        let finding = message.escalation.findings[0].clone();
        message.escalation.findings = (0..10_000)
            .map(|n| {
                let mut finding = finding.clone();
                finding.fingerprint = crate::model::Fingerprint(format!("{n:016x}"));
                finding.path = crate::model::FieldPath::of_keys([format!("field_{n}").as_str()]);
                finding
            })
            .collect();
        message.escalation.patches[0].files[0].diff = "+line\n".repeat(50_000);
        let mail = sent(&message);
        assert!(mail.len() < 200_000, "{}", mail.len());
        assert!(mail.contains("9960 more items"));
        assert!(mail.contains("(49600 more lines)"));
        assert!(!mail.contains(".patch"), "too big to be attached");
    }

    #[test]
    fn errors_do_not_repeat_addresses() {
        let mut message = fixtures::message();
        message.address = Some("nobody\r\nRCPT TO:<x@example.org>".to_owned());
        let error = email(&message, "drogue@example.org").unwrap_err().to_string();
        assert_eq!(error, "an address in `to` of receiver `team` is not a mail address");
    }
}
