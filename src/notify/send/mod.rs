//! Handing one message over: the outcome says whether, and when, it is worth trying again.

mod signature;
mod smtp;
mod webhook;

use std::time::Duration;

use crate::model::{Clock, Message};
use crate::net::HttpClient;

use super::ReceiverSettings;

pub use signature::sign;

/// Whether it is worth trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The receiver said when, at the earliest.
    After(Duration),
    /// On the schedule of [`super::retry_delay`].
    Backoff,
    /// It would end the same way; a person has to act.
    Never,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SendError {
    /// Whether it is worth trying again.
    pub retry: Retry,
    /// What happened, without mail addresses, secrets or anything that the other side
    /// sent beyond a status.
    pub detail: String,
}

impl SendError {
    fn new(retry: Retry, detail: impl Into<String>) -> Self {
        Self { retry, detail: detail.into() }
    }
}

/// What is wrong with the settings of a receiver.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// An address is none.
    #[error(transparent)]
    Address(#[from] super::render::EmailError),
    /// The address of a webhook is none.
    #[error("`url` of the webhook is not an `http://` or `https://` address")]
    Url,
    /// The signing secret is none.
    #[error(
        "the signing secret is not `whsec_` and 24 to 64 bytes in base64; make one with `openssl rand -base64 32`"
    )]
    Secret,
    /// A password would go over the wire in clear text.
    #[error(
        "a password is not sent without TLS to a mail server on another machine; set `tls: required` or `tls: implicit`"
    )]
    PlainPassword,
    /// A user name without a password, or the other way round.
    #[error("`username` and `password` (or `password_file`) go together")]
    HalfCredentials,
}

/// Sends messages; holds nothing but the doors.
#[derive(Debug, Clone)]
pub struct Sender {
    http: HttpClient,
}

impl Sender {
    /// A sender whose webhooks go through `http`.
    #[must_use]
    pub const fn new(http: HttpClient) -> Self {
        Self { http }
    }

    /// Hands `message` over to its receiver, once.
    ///
    /// # Errors
    /// Where the receiver did not take it, with whether to try again.
    pub async fn deliver(
        &self,
        message: &Message,
        receiver: &ReceiverSettings,
        clock: &dyn Clock,
    ) -> Result<(), SendError> {
        match receiver {
            ReceiverSettings::Email { from, smtp, .. } => {
                // Only what this message needs: another address of the receiver that is none stops no one else.
                smtp::check(smtp).map_err(|error| SendError::new(Retry::Backoff, error.to_string()))?;
                smtp::deliver(message, from, smtp).await
            }
            ReceiverSettings::Webhook { url, secret, secret_file } => {
                let secret = secret.as_ref().or(secret_file.as_ref()).and_then(|source| source.value());
                webhook::deliver(&self.http, message, url, secret, clock).await
            }
        }
    }
}

/// Whether the settings of a receiver make sense, before anything is sent; `config check` asks.
///
/// Secrets that are not resolved yet are taken to be good.
///
/// # Errors
/// With what is wrong, and without repeating an address or a secret.
pub fn check_receiver(name: &str, receiver: &ReceiverSettings) -> Result<(), SetupError> {
    match receiver {
        ReceiverSettings::Email { to, from, smtp } => {
            super::render::check_addresses(name, from, to)?;
            smtp::check(smtp)
        }
        ReceiverSettings::Webhook { url, secret, secret_file } => {
            let url = url::Url::parse(url).map_err(|_| SetupError::Url)?;
            if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
                return Err(SetupError::Url);
            }
            let secret = secret.as_ref().or(secret_file.as_ref()).and_then(|source| source.value());
            secret.map_or(Ok(()), |secret| signature::key_of(secret).map(drop).ok_or(SetupError::Secret))
        }
    }
}
