//! Hashes: the keyed one for values, the plain one for content.

use std::hash::Hasher;

use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher13;

/// The key of the value hash, made once per database and passed in.
///
/// Values out of records are kept and compared as SipHash-1-3 under this key, so that equal values stay equal and
/// nothing can be looked up in a table of guesses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// A key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the store alone.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// A name for the key which does not give it away; profiles carry it, and two of different keys are never compared.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.hash(b"drogue hash key id")
    }

    /// The hash of some bytes.
    #[must_use]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(bytes);
        hasher.finish()
    }
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HashKey(id {:016x})", self.id())
    }
}

/// SHA-256 of some bytes as 64 hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A short id that depends on nothing but these parts: 16 hexadecimal digits of SHA-256 over the parts, each
/// preceded by its length.
#[must_use]
pub fn content_id(parts: &[&str]) -> String {
    let mut text = Vec::new();
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    let mut id = sha256_hex(&text);
    id.truncate(16);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_where_parts_end() {
        assert_ne!(content_id(&["ab", "c"]), content_id(&["a", "bc"]));
    }
}
