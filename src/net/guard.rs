//! Which addresses may be reached: checked where names are resolved, and where an address is written as a number.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The resolver of all connections, which gives out permitted addresses alone.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// Private networks that may be reached.
    allow: Vec<IpNet>,
    /// The proxy's host: named by the operator, so not checked.
    proxy_host: Option<String>,
}

/// Why a name gave no address.
#[derive(Debug, thiserror::Error)]
pub(super) enum GuardError {
    /// An address that must not be reached.
    #[error(
        "`{host}` is at {address}, a private or special address; if it is meant, add `{address}` to `http.allow_private`"
    )]
    Forbidden {
        /// As it was written.
        host: String,
        /// Where it is.
        address: IpNet,
    },
    /// No address at all.
    #[error("no address for `{host}`: {why}")]
    NotFound {
        /// As it was written.
        host: String,
        /// What the system's resolver said.
        why: String,
    },
}

impl Guard {
    pub(super) const fn new(allow: Vec<IpNet>, proxy_host: Option<String>) -> Self {
        Self { allow, proxy_host }
    }

    /// Refuses an address that is written as a number: such a one never meets the resolver.
    pub(super) fn check(&self, url: &Url) -> Result<(), GuardError> {
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.permits(ip) { Ok(()) } else { Err(forbidden(url.host_str().unwrap_or_default(), ip)) }
    }

    fn permits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        !is_special(ip) || self.allow.iter().any(|net| net.contains(&ip))
    }

    fn choose(&self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, GuardError> {
        if self.proxy_host.as_deref().is_some_and(|proxy| proxy.eq_ignore_ascii_case(host)) {
            return Ok(found);
        }
        let first = found.first().map(SocketAddr::ip);
        let permitted: Vec<_> = found.into_iter().filter(|address| self.permits(address.ip())).collect();
        match first {
            Some(ip) if permitted.is_empty() => Err(forbidden(host, ip)),
            Some(_) => Ok(permitted),
            None => Err(GuardError::NotFound { host: host.to_owned(), why: "the list is empty".to_owned() }),
        }
    }
}

fn forbidden(host: &str, ip: IpAddr) -> GuardError {
    GuardError::Forbidden { host: host.to_owned(), address: IpNet::from(ip.to_canonical()) }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0))
                .await
                .map_err(|error| GuardError::NotFound { host: host.clone(), why: error.to_string() })?
                .collect();
            let addresses: Addrs = Box::new(guard.choose(&host, found)?.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether an address is anything but an ordinary one on the public internet (IANA special-purpose registries).
fn is_special(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_special_v4(ip),
        IpAddr::V6(ip) => is_special_v6(ip),
    }
}

fn is_special_v4(ip: Ipv4Addr) -> bool {
    match ip.octets() {
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] => true,
        [100, b, ..] => (64..128).contains(&b),
        [172, b, ..] => (16..32).contains(&b),
        // Protocol assignments, documentation, the retired 6to4 relay.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] => true,
        // Benchmarks, documentation.
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        // Multicast, reserved, broadcast.
        [a, ..] => a >= 224,
    }
}

fn is_special_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_special_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // Unspecified, loopback, and the retired IPv4-compatible ones; mapped ones are looked at as IPv4.
        [0, 0, 0, 0, 0, 0, ..] => true,
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        // NAT64 reaches the IPv4 address inside; its local-use prefix reaches anything.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 1, ..] => true,
        // 6to4 reaches the IPv4 address inside, Teredo a hidden one.
        [0x2002, ..] | [0x2001, 0, ..] => true,
        // Discard, documentation, benchmarks, ORCHID.
        [0x100, 0, 0, 0, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
        [0x2001, 2, 0, ..] | [0x2001, 0x10..=0x3f, ..] | [0x5f00, ..] => true,
        // Unique local, link-local, site-local, multicast.
        [a, ..] => (a & 0xfe00) == 0xfc00 || (a & 0xff80) == 0xfe80 || a >= 0xff00,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allow: &[&str]) -> Guard {
        Guard::new(allow.iter().map(|net| net.parse().unwrap()).collect(), None)
    }

    #[test]
    fn refuses_every_way_to_write_an_inner_address() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://0.0.0.0/",
            "http://10.1.2.3/",
            "http://172.31.0.1/",
            "http://192.168.1.1/",
            "http://169.254.169.254/",
            "http://100.64.0.1/",
            "http://192.0.0.8/",
            "http://198.19.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::]/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://[fec0::1]/",
            "http://[ff02::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[64:ff9b::a00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[::127.0.0.1]/",
        ] {
            let url = Url::parse(url).unwrap();
            assert!(guard(&[]).check(&url).is_err(), "{url}");
        }
        for url in [
            "http://1.1.1.1/",
            "http://172.32.0.1/",
            "http://[2606:4700::1111]/",
            "http://[64:ff9b::101:101]/",
        ] {
            let url = Url::parse(url).unwrap();
            assert!(guard(&[]).check(&url).is_ok(), "{url}");
        }
    }

    #[test]
    fn permits_what_the_operator_names_alone() {
        let guard = guard(&["10.2.0.0/16"]);
        assert!(guard.check(&Url::parse("http://10.2.3.4/").unwrap()).is_ok());
        assert!(guard.check(&Url::parse("http://[::ffff:10.2.3.4]/").unwrap()).is_ok());
        let error = guard.check(&Url::parse("http://10.3.3.4/").unwrap()).unwrap_err();
        assert!(error.to_string().contains("add `10.3.3.4/32` to `http.allow_private`"), "{error}");
    }

    #[test]
    fn a_name_keeps_its_permitted_addresses_alone() {
        let mixed = vec!["127.0.0.1:0".parse().unwrap(), "1.1.1.1:0".parse().unwrap()];
        assert_eq!(guard(&[]).choose("rebind.example", mixed).unwrap(), ["1.1.1.1:0".parse().unwrap()]);
        let inner = vec!["127.0.0.1:0".parse().unwrap()];
        assert!(matches!(guard(&[]).choose("rebind.example", inner), Err(GuardError::Forbidden { .. })));
    }
}
