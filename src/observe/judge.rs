//! What an exchange means: the rules first, then what is plain from the status or the transport.

use super::foreign::foreign_format;
use super::{Failure, Notice};
use crate::model::{Action, ErrorClass, Exchange, TransportError};
use crate::net::{SendError, redact::Redactor};
use crate::rules::RuleSet;

/// What an exchange means.
pub(super) enum Verdict {
    /// It may hold records; perhaps with a word of a rule.
    Read(Option<Notice>),
    /// It holds none.
    Failed(Failure),
}

/// Judges one exchange, with the error where no whole response came. No record is ever read out of a response that a
/// rule calls an error.
pub(super) fn judge(
    rules: &RuleSet,
    exchange: &Exchange,
    error: Option<&SendError>,
    redactor: &Redactor,
) -> Verdict {
    if let Some(error) = error.filter(|error| is_ours(error.kind)) {
        return Verdict::Failed(transport(error));
    }
    let head = exchange.response.as_ref().ok();
    let status = head.map(|head| head.status).or_else(|| error.and_then(|error| error.status));
    let Some(word) = rules.classify(exchange) else {
        return match (error, status) {
            (Some(error), _) => Verdict::Failed(transport(error)),
            (None, Some(200..300) | None) => Verdict::Read(None),
            (None, Some(code)) => {
                let (class, action) = by_status(code);
                let detail = format!("the response has status {code}");
                Verdict::Failed(Failure { status, ..Failure::new(class, action, detail) })
            }
        };
    };
    let note = word.note.map(|note| redactor.text(&note));
    if word.action == Action::Continue && error.is_none() && matches!(status, Some(200..300)) {
        let note = note.unwrap_or_else(|| format!("the response is `{}`", word.class.word()));
        let lifecycle = word.lifecycle.map(|url| redactor.text(url));
        return Verdict::Read(Some(Notice { class: word.class, rule: word.rule, note, lifecycle }));
    }
    let content_type = head.and_then(|head| head.header("content-type"));
    let format = foreign_format(content_type, &exchange.body).filter(|_| word.class == ErrorClass::NotJson);
    let note = match (format, note) {
        (Some(name), _) => format!("the body is {name}; only JSON is read"),
        (None, Some(note)) => note,
        (None, None) => format!("the response is `{}`", word.class.word()),
    };
    let detail = match (error, status) {
        (Some(error), _) => error.message.clone(),
        (None, Some(code)) => format!("status {code}: {note}"),
        (None, None) => note,
    };
    // "Go on" is for whoever follows redirects; what is left here leads where we do not go.
    let action = if word.action == Action::Continue { Action::Stop } else { word.action };
    Verdict::Failed(Failure {
        rule: Some(word.rule),
        status,
        retry_at: word.retry_at,
        ..Failure::new(word.class, action, detail)
    })
}

/// The error that a kept body holds in place of records, by the rules for responses of success: a file says nothing of
/// its status, and errors are kept behind one most often. A list is taken for records, whatever they speak of.
#[must_use]
pub fn error_in_place_of_records(rules: &RuleSet, body: &[u8]) -> Option<Failure> {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if !text.starts_with(b"{") {
        return None;
    }
    let word = rules.classify_body(text)?;
    let is_error = match word.class {
        // What is no JSON, or ends early, is told with its place by whoever reads it.
        ErrorClass::NotJson | ErrorClass::Truncated | ErrorClass::Deprecated => false,
        _ => word.action != Action::Continue,
    };
    let note = word.note.unwrap_or_else(|| format!("the response is `{}`", word.class.word()));
    is_error.then(|| Failure { rule: Some(word.rule), ..Failure::new(word.class, word.action, note) })
}

/// Whether the exchange ended by a limit or a guard of ours: nothing that a rule could know better.
const fn is_ours(kind: TransportError) -> bool {
    match kind {
        TransportError::Forbidden | TransportError::TooLarge | TransportError::Redirect => true,
        TransportError::Dns
        | TransportError::Refused
        | TransportError::Tls
        | TransportError::Timeout
        | TransportError::Broken => false,
    }
}

fn transport(error: &SendError) -> Failure {
    let (class, action) = match error.kind {
        TransportError::Dns | TransportError::Refused | TransportError::Timeout => {
            (ErrorClass::Outage, Action::RetryNow)
        }
        TransportError::Broken => (ErrorClass::Truncated, Action::RetryNow),
        TransportError::Tls => (ErrorClass::Outage, Action::Stop),
        TransportError::Forbidden => (ErrorClass::RequestInvalid, Action::Stop),
        TransportError::TooLarge => (ErrorClass::PageTooBig, Action::Stop),
        TransportError::Redirect => (ErrorClass::EndpointMoved, Action::Stop),
    };
    let mut failure = Failure::new(class, action, error.message.clone());
    failure.status = error.status;
    failure
}

/// For the case that no rule speaks.
const fn by_status(status: u16) -> (ErrorClass, Action) {
    match status {
        300..400 => (ErrorClass::EndpointMoved, Action::Stop),
        401 => (ErrorClass::AuthInvalid, Action::ReAuthenticate),
        402 | 423 | 451 => (ErrorClass::AccountBlocked, Action::Stop),
        403 => (ErrorClass::PermissionLost, Action::Stop),
        404 => (ErrorClass::NotFound, Action::Stop),
        410 => (ErrorClass::EndpointGone, Action::Stop),
        413 => (ErrorClass::PageTooBig, Action::Stop),
        408 | 425 => (ErrorClass::Outage, Action::RetryNow),
        429 => (ErrorClass::RateLimited, Action::Wait),
        400..500 => (ErrorClass::RequestInvalid, Action::Stop),
        500..600 => (ErrorClass::Outage, Action::RetryNow),
        _ => (ErrorClass::RequestInvalid, Action::Stop),
    }
}
