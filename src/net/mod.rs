//! The only HTTP client: resolver guard, limits, redirects, proxy, certificates.
//!
//! Every request that leaves Drogue goes through [`HttpClient::send`]: probes, documents, token endpoints, webhooks
//! and heartbeats. It holds these promises, whatever a server does:
//! - Addresses are checked where the name is resolved, so a name that later points inward is refused as well (DNS
//!   rebinding); private, loopback and link-local ones are refused unless `http.allow_private` names their network.
//! - Redirects are followed by our own loop, each hop checked anew, never from `https` to `http`, and secrets stay
//!   with the host that they are meant for.
//! - A body is counted after decompression and given up at the limit; a request ends at its time limit.
//! - No error says a secret.
//!
//! **With a proxy** the guard sees less: it checks addresses that are written as numbers, and with `socks5://` the
//! resolved ones too, but with `http://`, `https://` and `socks5h://` the proxy resolves names, out of our sight.
//! There, the proxy's own rules must keep it from reaching inward. The proxy's own address is not checked, as the
//! operator named it.

mod client;
mod error;
mod guard;
pub mod redact;
mod redirect;
mod settings;
mod tls;

pub use client::{HttpClient, Redirects, Request, Response};
pub use error::{NetError, SendError};
pub use redirect::Hop;
pub use settings::HttpSettings;
pub use tls::install_tls;
