//! Certificates: the provider, further authorities, the client's own.

use std::{path::Path, sync::Once};

use super::{HttpSettings, NetError};

/// Makes ring the provider of all TLS in this process; may be called any number of times.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that another provider is there already, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Authorities trusted besides the system's.
pub(super) fn authorities(settings: &HttpSettings) -> Result<Vec<reqwest::Certificate>, NetError> {
    let Some(path) = &settings.ca_file else { return Ok(Vec::new()) };
    let pem = read("ca_file", path)?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => {
            Err(NetError::Pem { key: "ca_file", path: path.clone(), what: "a PEM certificate" })
        }
    }
}

/// The client's own certificate, where one is set.
pub(super) fn identity(settings: &HttpSettings) -> Result<Option<reqwest::Identity>, NetError> {
    let (cert, key) = match (&settings.client_cert_file, &settings.client_key_file) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        (Some(_), None) => {
            return Err(NetError::Pair { given: "client_cert_file", missing: "client_key_file" });
        }
        (None, Some(_)) => {
            return Err(NetError::Pair { given: "client_key_file", missing: "client_cert_file" });
        }
    };
    let mut pem = read("client_cert_file", cert)?;
    let key_pem = read("client_key_file", key)?;
    if !contains(&pem, b"-----BEGIN CERTIFICATE") {
        return Err(NetError::Pem {
            key: "client_cert_file",
            path: cert.clone(),
            what: "a PEM certificate chain",
        });
    }
    pem.push(b'\n');
    pem.extend_from_slice(&key_pem);
    // The cause is left out: a parser's message may quote the key.
    reqwest::Identity::from_pem(&pem).map(Some).map_err(|_| NetError::Pem {
        key: "client_key_file",
        path: key.clone(),
        what: "the PEM private key of `http.client_cert_file`, without a passphrase",
    })
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, NetError> {
    std::fs::read(path).map_err(|source| NetError::Read { key, path: path.to_owned(), source })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}
