//! What a user can set about requests: proxy, certificates, private networks, limits.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{ByteSize, Period};

/// How the only HTTP client behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// A proxy for all requests, `http://…`, `https://…` or `socks5://…`; environment proxies are not read.
    pub proxy: Option<String>,
    /// A PEM file of certificate authorities trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the client's certificate chain.
    pub client_cert_file: Option<PathBuf>,
    /// A PEM file with the client's private key.
    pub client_key_file: Option<PathBuf>,
    /// Private networks that may be reached, such as `10.2.0.0/16` or `127.0.0.0/8`; all others are refused.
    pub allow_private: Vec<ipnet::IpNet>,
    /// From the first byte sent to the last byte read.
    pub timeout: Period,
    /// Until the connection stands.
    pub connect_timeout: Period,
    /// Of a body, decompressed.
    pub max_body: ByteSize,
    /// Of nested objects and arrays in a body, up to 128.
    pub max_depth: u16,
    /// Redirects that are followed, each checked anew.
    pub max_redirects: u8,
    /// Requests a day and connector; what is over waits for the next day (UTC).
    pub requests_per_day: u32,
    /// The least time between two requests to one host.
    pub min_interval: Period,
    /// What the vendor sees.
    pub user_agent: String,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            proxy: None,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            allow_private: Vec::new(),
            timeout: Period::from_secs(60),
            connect_timeout: Period::from_secs(10),
            max_body: ByteSize(32_000_000),
            max_depth: 128,
            max_redirects: 5,
            requests_per_day: 2_000,
            min_interval: Period::from_secs(0),
            user_agent: concat!("drogue/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
