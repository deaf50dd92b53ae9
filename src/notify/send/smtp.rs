//! Mail by SMTP: one connection a message, protected as the settings ask, or not at all.

use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, AsyncSmtpTransport, PoolConfig};
use lettre::{AsyncTransport as _, Tokio1Executor};

use crate::model::{Message, Secret};

use super::super::{SmtpSettings, SmtpTls, render};
use super::{Retry, SendError, SetupError};

/// For each command. RFC 5321 (4.5.3.2) allows a server minutes; one that hangs is left earlier and tried again.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// For the whole of it, so that a server that answers one byte at a time holds nothing up.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(90);
/// Authorities of a site are a few kilobytes.
const MAX_CA_FILE: usize = 1_000_000;

/// Whether the settings make sense.
pub(super) fn check(settings: &SmtpSettings) -> Result<(), SetupError> {
    let has_password = settings.password.is_some() || settings.password_file.is_some();
    if settings.username.is_some() != has_password {
        return Err(SetupError::HalfCredentials);
    }
    if has_password && settings.tls == SmtpTls::None && !is_this_machine(&settings.host) {
        return Err(SetupError::PlainPassword);
    }
    Ok(())
}

/// Hands one mail over.
pub(super) async fn deliver(message: &Message, from: &str, settings: &SmtpSettings) -> Result<(), SendError> {
    let mail =
        render::email(message, from).map_err(|error| SendError::new(Retry::Never, error.to_string()))?;
    let transport = transport(settings).await?;
    let sent = tokio::time::timeout(TOTAL_TIMEOUT, transport.send(mail)).await;
    // Says goodbye; whatever comes of it, the mail was taken or was not.
    let _ = tokio::time::timeout(Duration::from_secs(5), transport.shutdown()).await;
    match sent {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(classify(&error)),
        Err(_) => Err(SendError::new(Retry::Backoff, "the mail server did not finish in time")),
    }
}

async fn transport(settings: &SmtpSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendError> {
    let (tls, port) = match settings.tls {
        SmtpTls::Required => (Tls::Required(tls_parameters(settings).await?), 587),
        SmtpTls::Implicit => (Tls::Wrapper(tls_parameters(settings).await?), 465),
        SmtpTls::None => (Tls::None, 25),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
        .port(settings.port.unwrap_or(port))
        .tls(tls)
        .timeout(Some(COMMAND_TIMEOUT))
        .pool_config(PoolConfig::new().max_size(1));
    if let Some(username) = &settings.username {
        let password = settings
            .password
            .as_ref()
            .or(settings.password_file.as_ref())
            .and_then(|source| source.value())
            .map(Secret::expose)
            .ok_or_else(|| SendError::new(Retry::Backoff, "the password of the mail server was not read"))?;
        builder = builder.credentials(Credentials::new(username.clone(), password.to_owned()));
    }
    Ok(builder.build())
}

async fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, SendError> {
    let fail = |detail: String| SendError::new(Retry::Backoff, detail);
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let pem = tokio::fs::read(path)
            .await
            .map_err(|error| fail(format!("cannot read `ca_file` {}: {error}", path.display())))?;
        if pem.len() > MAX_CA_FILE {
            return Err(fail(format!("`ca_file` {} is too big to be one", path.display())));
        }
        let certificates = pem_certificates(&pem);
        if certificates.is_empty() {
            return Err(fail(format!("`ca_file` {} holds no PEM certificate", path.display())));
        }
        for certificate in certificates {
            let certificate = Certificate::from_pem(certificate.as_bytes())
                .map_err(|_| fail(format!("`ca_file` {} holds a broken certificate", path.display())))?;
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build_rustls().map_err(|error| fail(format!("cannot set up TLS: {}", chain(&error))))
}

/// The certificates of a PEM file, each with its own frame.
fn pem_certificates(pem: &[u8]) -> Vec<String> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(pem);
    text.split_inclusive(END)
        .filter_map(|part| part.find("-----BEGIN CERTIFICATE-----").map(|at| format!("{}\n", &part[at..])))
        .collect()
}

/// What an error of the library means: 5xx is final, all else may pass.
fn classify(error: &smtp::Error) -> SendError {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        // 535: a password that is being rotated is mended by a reload, not by dropping mail.
        let retry = if error.is_permanent() && !matches!(code, 530 | 534 | 535 | 538) {
            Retry::Never
        } else {
            Retry::Backoff
        };
        return SendError::new(retry, format!("the mail server answered {code}"));
    }
    let detail = if error.is_tls() {
        format!("no protected connection to the mail server, nothing was sent: {}", chain(error))
    } else if error.is_timeout() {
        "the mail server did not answer in time".to_owned()
    } else if error.is_client() {
        // Not what the server sent but what the library makes of it: no STARTTLS, no common way to sign in.
        format!("the mail server cannot be used as set: {}", chain(error))
    } else {
        format!("no connection to the mail server: {}", chain(error))
    };
    SendError::new(Retry::Backoff, detail)
}

/// An error and its causes, shortened and safe to print.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    render::visible(&text, 300)
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
