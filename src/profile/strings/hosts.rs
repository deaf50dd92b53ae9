//! Where addresses point to, while they come in.

use crate::profile::{TopValues, hashing::ValueHash, prefix::Prefix};

/// Where addresses point to; the last host is counted by a comparison, since most fields have one.
#[derive(Debug, Default)]
pub(super) struct HostTally {
    counts: Option<Box<TopValues>>,
    last: Prefix,
    /// How often the last host came since it was handed on.
    repeats: u64,
}

impl HostTally {
    /// Counts `weight` times the host of an address.
    pub(super) fn add(&mut self, url: &str, weight: u64, key: &ValueHash) {
        let last = self.last.as_str();
        let ends_there = matches!(url.as_bytes().get(last.len()), None | Some(b'/' | b'?' | b'#'));
        let is_last = ends_there && self.last.is_at_front_of(url.as_bytes()) && !last.is_empty();
        if !is_last {
            let Some(host) = host_of(url) else { return };
            self.flush(key);
            self.last = Prefix::new(host);
        }
        self.repeats += weight;
    }

    fn flush(&mut self, key: &ValueHash) {
        let last = self.last.as_str();
        if !last.is_empty() {
            let counts = self.counts.get_or_insert_default();
            counts.add(key.of(last.as_bytes()), || last.to_owned(), self.repeats);
        }
        (self.repeats, self.last) = (0, Prefix::default());
    }

    pub(super) fn finish(mut self, key: &ValueHash) -> Option<Box<TopValues>> {
        self.flush(key);
        self.counts
    }
}

/// Scheme and host of an address, without whatever signs in.
fn host_of(url: &str) -> Option<&str> {
    let url = url.trim();
    let start = memchr::memchr(b':', url.as_bytes()).filter(|at| url[*at..].starts_with("://"))? + 3;
    let rest = &url.as_bytes()[start..];
    let end = memchr::memchr3(b'/', b'?', b'#', rest).map_or(url.len(), |at| start + at);
    let is_plain = end > start && memchr::memchr(b'@', &rest[..end - start]).is_none();
    is_plain.then(|| &url[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_hosts() {
        assert_eq!(host_of("https://example.org/a?b=c"), Some("https://example.org"));
        assert_eq!(host_of(" s3://bucket "), Some("s3://bucket"));
        assert_eq!(host_of("https://user:secret@example.org/"), None);
        assert_eq!(host_of("https:///a"), None);
    }
}
