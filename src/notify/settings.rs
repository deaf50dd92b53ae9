//! What a user can set about escalation: receivers and routes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{Period, SecretSource, Severity, secret_file};

/// Who is told, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReceiverSettings {
    /// By mail.
    Email {
        /// Addresses, each told on its own.
        to: Vec<String>,
        /// The sender.
        from: String,
        /// The mail server.
        smtp: SmtpSettings,
    },
    /// By an HTTP `POST`, signed by the Standard Webhooks specification.
    Webhook {
        /// The address.
        url: String,
        /// The signing secret (`whsec_…`), as `${NAME}`.
        #[serde(default)]
        secret: Option<SecretSource>,
        /// A file that holds the signing secret.
        #[serde(default, deserialize_with = "secret_file")]
        secret_file: Option<SecretSource>,
    },
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Its name.
    pub host: String,
    /// Its port; by default 465, 587 or 25 for `tls: implicit`, `required` or `none`.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: SmtpTls,
    /// A PEM file of certificate authorities trusted besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The user name.
    #[serde(default)]
    pub username: Option<String>,
    /// The password, as `${NAME}`.
    #[serde(default)]
    pub password: Option<SecretSource>,
    /// A file that holds the password.
    #[serde(default, deserialize_with = "secret_file")]
    pub password_file: Option<SecretSource>,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmtpTls {
    /// STARTTLS, or the message is not sent.
    #[default]
    Required,
    /// TLS from the first byte.
    Implicit,
    /// None: for a relay on the same machine.
    None,
}

/// Which findings go to which receivers; the first route that matches decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSettings {
    /// Connectors, by name; all by default. `*` stands for any text.
    #[serde(default)]
    pub connectors: Vec<String>,
    /// The least severity.
    #[serde(default = "default_min_severity")]
    pub min_severity: Severity,
    /// Receivers, by name.
    pub receivers: Vec<String>,
    /// After how long an open breaking finding is told again; never by default.
    #[serde(default)]
    pub remind_every: Option<Period>,
}

const fn default_min_severity() -> Severity {
    Severity::Warning
}
