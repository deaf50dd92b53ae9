//! The hash of values and records: keyed, and fast enough to be taken of every value of every record.

use crate::model::HashKey;

/// Hashes values and records under the database's key.
///
/// Folded 64-by-64-bit multiplications over blocks of 16 bytes, as in wyhash, with all constants drawn from the key by
/// SipHash: equal values stay equal under one key, and without it nothing can be looked up in a table of guesses.
/// SipHash of every value would take longer than everything else in a profile together.
///
/// **Invariant:** the hash of given bytes under a given key never changes; stored profiles hold hashes. The test vectors
/// below hold that; another hash is another [`super::PROFILE_VERSION`].
#[derive(Debug, Clone, Copy)]
pub(super) struct ValueHash {
    secrets: [u64; 5],
}

/// Multiplies to 128 bits, and folds the halves.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + 8).and_then(<[u8]>::first_chunk) {
        Some(word) => u64::from_le_bytes(*word),
        None => 0,
    }
}

#[inline]
fn half_word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + 4).and_then(<[u8]>::first_chunk) {
        Some(word) => u64::from(u32::from_le_bytes(*word)),
        None => 0,
    }
}

impl ValueHash {
    pub(super) fn new(key: &HashKey) -> Self {
        // Odd, so that no multiplication loses all of its other side.
        let secret = |number: u8| key.hash(&[b'v', b'a', b'l', b'u', b'e', number]) | 1;
        Self { secrets: [secret(0), secret(1), secret(2), secret(3), secret(4)] }
    }

    /// The hash of some bytes.
    #[inline]
    pub(super) fn of(&self, bytes: &[u8]) -> u64 {
        let s0 = self.secrets[0];
        let len = bytes.len();
        let (a, b, seed) = match len {
            0 => (0, 0, s0),
            1..4 => {
                let ends =
                    u64::from(bytes[0]) << 16 | u64::from(bytes[len / 2]) << 8 | u64::from(bytes[len - 1]);
                (ends, 0, s0)
            }
            4..8 => (half_word(bytes, 0), half_word(bytes, len - 4), s0),
            8..=16 => (word(bytes, 0), word(bytes, len - 8), s0),
            _ => (word(bytes, len - 16), word(bytes, len - 8), self.blocks(bytes)),
        };
        self.end(a, b, seed, len)
    }

    #[inline]
    const fn end(&self, a: u64, b: u64, seed: u64, len: usize) -> u64 {
        let [_, s1, s2, s3, s4] = self.secrets;
        fold(fold(a ^ s1, b ^ seed) ^ s2 ^ len as u64, s3 ^ s4.rotate_left(17))
    }

    /// The hash of some bytes, all of whose blocks of 64 have gone into the lanes.
    pub(super) fn of_rest(&self, bytes: &[u8], lanes: &Lanes) -> u64 {
        match bytes.len() {
            0..=64 => self.of(bytes),
            len => {
                let seed = self.small_blocks(lanes.joined(), bytes.as_chunks::<64>().1);
                self.end(word(bytes, len - 16), word(bytes, len - 8), seed, len)
            }
        }
    }

    /// The hash of a number's bits.
    #[inline]
    pub(super) const fn of_bits(&self, bits: u64) -> u64 {
        let [s0, s1, s2, s3, _] = self.secrets;
        fold(fold(bits ^ s3, s1 ^ s0.rotate_left(17)) ^ s2, bits ^ s0)
    }

    /// The state after all blocks of a long text; the last 16 bytes are the caller's.
    fn blocks(&self, bytes: &[u8]) -> u64 {
        if bytes.len() <= 64 {
            return self.small_blocks(self.secrets[0], bytes);
        }
        let mut lanes = self.lanes();
        let (blocks, rest) = bytes.as_chunks();
        blocks.iter().for_each(|block| self.take(&mut lanes, block));
        self.small_blocks(lanes.joined(), rest)
    }

    #[inline]
    fn small_blocks(&self, mut seed: u64, bytes: &[u8]) -> u64 {
        for block in bytes.as_chunks::<16>().0 {
            seed = fold(word(block, 0) ^ self.secrets[1], word(block, 8) ^ seed);
        }
        seed
    }

    /// Lanes before the first block.
    pub(super) const fn lanes(&self) -> Lanes {
        let [s0, s1, s2, s3, _] = self.secrets;
        Lanes([s0, s1.rotate_left(32), s2.rotate_left(32), s3.rotate_left(32)])
    }

    /// Takes a block into the lanes.
    #[inline]
    pub(super) fn take(&self, Lanes(lanes): &mut Lanes, block: &[u8; 64]) {
        let [_, s1, s2, s3, s4] = self.secrets;
        lanes[0] = fold(word(block, 0) ^ s1, word(block, 8) ^ lanes[0]);
        lanes[1] = fold(word(block, 16) ^ s2, word(block, 24) ^ lanes[1]);
        lanes[2] = fold(word(block, 32) ^ s3, word(block, 40) ^ lanes[2]);
        lanes[3] = fold(word(block, 48) ^ s4, word(block, 56) ^ lanes[3]);
    }
}

/// The state of the hash of a long text: four lanes that do not wait for each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes([u64; 4]);

impl Lanes {
    const fn joined(&self) -> u64 {
        self.0[0] ^ self.0[1] ^ self.0[2] ^ self.0[3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        let hash = ValueHash::new(&HashKey::new([0; 16]));
        let long: Vec<u8> = (0..200).collect();
        let found = [&b""[..], b"1", b"13", b"active", b"2020-03-31", &long[..17], &long[..64], &long]
            .map(|bytes| format!("{:016x}", hash.of(bytes)));
        let expected = [
            "21d526f55df379f8",
            "087956a56c031d44",
            "c4577269cc917496",
            "d15cdcc8d2abeaad",
            "cfe597ad79d77b5e",
            "0c723a7a192ab23a",
            "c84917dec7c36b61",
            "122a0c5eb14c6e0c",
        ];
        assert_eq!(found, expected);
        assert_eq!(format!("{:016x}", hash.of_bits(13_f64.to_bits())), "6e827dcf0f7370c7");
    }

    #[test]
    fn every_byte_and_length_counts() {
        let hash = ValueHash::new(&HashKey::new([5; 16]));
        let text: Vec<u8> = (0..200).collect();
        let mut hashes: Vec<u64> = (0..200)
            .flat_map(|at| {
                let mut changed = text.clone();
                changed[at] ^= 0x80;
                [hash.of(&changed), hash.of(&text[..at]), hash.of(&vec![0; at + 2])]
            })
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 600);
        for len in 0..200 {
            let mut lanes = hash.lanes();
            text[..len].as_chunks().0.iter().for_each(|block| hash.take(&mut lanes, block));
            assert_eq!(hash.of_rest(&text[..len], &lanes), hash.of(&text[..len]), "{len}");
        }
        assert_ne!(ValueHash::new(&HashKey::new([6; 16])).of(&text), hash.of(&text));
    }

    #[test]
    fn hashes_are_spread_evenly() {
        let hash = ValueHash::new(&HashKey::new([5; 16]));
        let mut buckets = [0_u32; 64];
        (0..64_000).for_each(|i: u32| buckets[(hash.of(i.to_string().as_bytes()) >> 58) as usize] += 1);
        // Chi-square with 63 degrees of freedom: 103 is passed once in a thousand.
        let chi: f64 = buckets.iter().map(|count| (f64::from(*count) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi < 103.0, "{chi}");
    }
}
