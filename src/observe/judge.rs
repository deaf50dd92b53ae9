//! What an exchange means: the rules first, then what is plain from the status or the transport.

use super::exchange::{Got, content_type};
use super::foreign::foreign_format;
use super::{Failure, Notice};
use crate::model::{Action, ErrorClass, TransportError};
use crate::net::{SendError, redact::Redactor};
use crate::rules::RuleSet;

/// What an exchange means.
pub(super) enum Verdict {
    /// It may hold records; perhaps with a word of a rule.
    Read(Option<Notice>),
    /// It holds none.
    Failed(Failure),
}

/// Judges one exchange. No record is ever read out of a response that a rule calls an error.
pub(super) fn judge(rules: &RuleSet, got: &Got, redactor: &Redactor) -> Verdict {
    if let Err(error) = &got.raw
        && is_ours(error.kind)
    {
        return Verdict::Failed(transport(error));
    }
    let word = rules.classify(&got.exchange);
    if let Some(word) = word {
        let note = word.note.map(|note| redactor.text(&note));
        let is_success = got.raw.is_ok() && matches!(got.status(), Some(200..300));
        if word.action == Action::Continue && is_success {
            let note = note.unwrap_or_else(|| format!("the response is `{}`", word.class.word()));
            return Verdict::Read(Some(Notice { class: word.class, rule: word.rule, note }));
        }
        let detail = match (&got.raw, got.status(), note) {
            (Err(error), ..) => error.message.clone(),
            (Ok((headers, ..)), Some(status), note) if word.class == ErrorClass::NotJson => {
                match foreign_format(content_type(headers), &got.exchange.body) {
                    Some(name) => format!("status {status}: the body is {name}; only JSON is read"),
                    None => format!("status {status}: {}", note.as_deref().unwrap_or("the body is no JSON")),
                }
            }
            (Ok(_), Some(status), Some(note)) => format!("status {status}: {note}"),
            (Ok(_), Some(status), None) => format!("status {status}"),
            (Ok(_), None, note) => note.unwrap_or_default(),
        };
        // "Go on" is for whoever follows redirects; what is left here leads where we do not go.
        let action = if word.action == Action::Continue { Action::Stop } else { word.action };
        return Verdict::Failed(Failure {
            rule: Some(word.rule),
            status: got.status(),
            retry_at: word.retry_at,
            ..Failure::new(word.class, action, detail)
        });
    }
    if let Err(error) = &got.raw {
        return Verdict::Failed(transport(error));
    }
    match got.status() {
        Some(200..300) | None => Verdict::Read(None),
        Some(status) => {
            let (class, action) = by_status(status);
            let detail = format!("the response has status {status}");
            Verdict::Failed(Failure { status: Some(status), ..Failure::new(class, action, detail) })
        }
    }
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
