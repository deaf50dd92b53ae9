//! Why a client could not be made, and why a request got no whole response.

use std::{error::Error, io, path::PathBuf};

use super::guard::GuardError;
use crate::model::TransportError;

/// Why no client could be made of the settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// A file is missing or not readable.
    #[error("cannot read `http.{key}` `{}`", path.display())]
    Read {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("`http.{key}` `{}` does not hold {what}", path.display())]
    Pem {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// One setting needs another.
    #[error("`http.{given}` needs `http.{missing}` as well")]
    Pair {
        /// The setting that is there.
        given: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
    /// The proxy's address.
    #[error("`http.proxy` is not an address that can be used: {0}")]
    Proxy(&'static str),
    /// Something else in the settings.
    #[error("cannot set up the HTTP client: {0}")]
    Build(String),
}

/// Why a request got no whole response. Its message names the host and the next step, and never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// The kind.
    pub kind: TransportError,
    /// One sentence, safe to show.
    pub message: String,
    /// The status, where the response had begun.
    pub status: Option<u16>,
}

impl SendError {
    pub(super) fn new(kind: TransportError, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), status: None }
    }

    pub(super) const fn at(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Whether asking again may help.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self.kind {
            TransportError::Dns
            | TransportError::Refused
            | TransportError::Timeout
            | TransportError::Broken => true,
            TransportError::Forbidden
            | TransportError::Tls
            | TransportError::TooLarge
            | TransportError::Redirect => false,
        }
    }
}

/// Reads the kind out of an error of the HTTP library. Of its text nothing is taken over but what is known to be
/// harmless: such texts quote addresses, and addresses carry keys.
pub(super) fn explain(error: &reqwest::Error, host: &str) -> SendError {
    use TransportError as T;
    let mut causes = Causes::default();
    causes.walk(error);
    if let Some(message) = causes.forbidden {
        return SendError::new(T::Forbidden, message);
    }
    if let Some(message) = causes.no_address {
        return SendError::new(T::Dns, message);
    }
    if let Some(why) = causes.tls {
        return SendError::new(T::Tls, format!("no safe connection to `{host}`: {why}"));
    }
    if error.is_timeout() || causes.io == Some(io::ErrorKind::TimedOut) {
        let what = if error.is_connect() { "no connection to" } else { "no answer from" };
        return SendError::new(T::Timeout, format!("{what} `{host}` in time"));
    }
    if causes.head_too_large {
        return SendError::new(T::TooLarge, format!("the headers from `{host}` are over the limit"));
    }
    match causes.io {
        Some(io::ErrorKind::ConnectionRefused) => {
            SendError::new(T::Refused, format!("`{host}` refused the connection"))
        }
        Some(
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown,
        ) => SendError::new(T::Refused, format!("no route to `{host}`")),
        Some(io::ErrorKind::ConnectionReset) if !error.is_connect() => {
            SendError::new(T::Broken, format!("`{host}` reset the connection"))
        }
        Some(_) | None if error.is_connect() => {
            SendError::new(T::Refused, format!("no connection to `{host}`"))
        }
        Some(_) | None if error.is_decode() => {
            SendError::new(T::Broken, format!("the compressed body from `{host}` is broken or ends early"))
        }
        Some(_) | None => SendError::new(
            T::Broken,
            format!("the connection to `{host}` broke before the response was whole"),
        ),
    }
}

#[derive(Default)]
struct Causes {
    forbidden: Option<String>,
    no_address: Option<String>,
    tls: Option<String>,
    io: Option<io::ErrorKind>,
    head_too_large: bool,
}

impl Causes {
    fn walk(&mut self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(guard) = error.downcast_ref::<GuardError>() {
                let slot = match guard {
                    GuardError::Forbidden { .. } => &mut self.forbidden,
                    GuardError::NotFound { .. } => &mut self.no_address,
                };
                *slot = Some(guard.to_string());
            }
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                self.tls = Some(explain_tls(tls));
            }
            if let Some(io) = error.downcast_ref::<io::Error>() {
                self.io.get_or_insert(io.kind());
                // `source` passes over the error inside of an I/O error.
                if let Some(inner) = io.get_ref() {
                    self.walk(inner);
                }
            }
            self.head_too_large |= error.to_string().contains("message head is too large");
            next = error.source();
        }
    }
}

fn explain_tls(error: &rustls::Error) -> String {
    use rustls::{AlertDescription, CertificateError as C, Error as E};
    match error {
        E::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "its certificate has expired".to_owned()
        }
        E::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "its certificate is not valid yet; is this machine's clock right?".to_owned()
        }
        E::InvalidCertificate(C::UnknownIssuer) => {
            "its certificate is signed by nobody that is trusted here; name that authority in `http.ca_file`"
                .to_owned()
        }
        E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "its certificate is for another name".to_owned()
        }
        E::InvalidCertificate(C::Revoked) => "its certificate was revoked".to_owned(),
        E::InvalidCertificate(C::Other(other)) if other.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is self-signed as an authority; have one issued for the server".to_owned()
        }
        E::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::HandshakeFailure
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown,
        ) => "it refused the handshake; does it ask for a client certificate (`http.client_cert_file`)?"
            .to_owned(),
        E::AlertReceived(AlertDescription::ProtocolVersion) | E::PeerIncompatible(_) => {
            "it speaks no TLS version or cipher that is safe (1.2 or 1.3 is needed)".to_owned()
        }
        E::InvalidMessage(_) => "it does not speak TLS on this port".to_owned(),
        // The library's own words name fields of the protocol, never data of the request.
        other => other.to_string(),
    }
}
