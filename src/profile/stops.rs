//! Where the strings of a record may end: found for all of its bytes in one pass.
//!
//! A search of its own for each of a hundred strings costs more than this pass, 64 bytes at a time without a branch.
//! It also sees control characters, so that no string needs a look for them.

use wide::u8x16;

/// The bytes that no string simply passes over: quotes, backslashes, control characters.
#[derive(Debug, Default)]
pub(super) struct Stops {
    /// One bit for each byte; beyond the end of the text, bits are set.
    words: Vec<u64>,
}

impl Stops {
    /// Those of a text.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut stops = Self::default();
        stops.find(text, |_| {});
        stops
    }

    /// Finds those of another text, in the room of the last one. What else is to be done with each whole block of it is
    /// done while the next ones are on their way from memory.
    #[inline]
    pub(super) fn find(&mut self, text: &[u8], mut also: impl FnMut(&[u8; 64])) {
        let (blocks, rest) = text.as_chunks();
        self.words.clear();
        self.words.extend(blocks.iter().map(|block| {
            also(block);
            in_block(block)
        }));
        // Only now, when the end of the text has come from memory. Zeros behind it are control characters, so that each
        // search ends.
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        self.words.extend([in_block(&last), u64::MAX]);
    }

    /// The first at or after a place in the text, or some place behind the text.
    #[inline]
    pub(super) fn next(&self, at: usize) -> usize {
        // The next 64 bytes lie in two words. Both are taken, since where they meet cannot be foretold.
        let first = at / 64;
        match self.words.get(first + 1) {
            Some(after) => match self.words[first] >> (at % 64) | after << 1 << (63 - at % 64) {
                0 => self.next_from_word(first + 1),
                near => at + near.trailing_zeros() as usize,
            },
            None => at,
        }
    }

    /// The first in or behind a word.
    fn next_from_word(&self, first: usize) -> usize {
        let place = self.words[first..].iter().position(|word| *word != 0).map_or(first, |at| first + at);
        place * 64 + self.words[place].trailing_zeros() as usize
    }
}

#[inline]
fn in_block(block: &[u8; 64]) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    let bits = |part: &[u8; 16]| {
        let bytes = u8x16::new(*part);
        // With this bit turned round, quotes come right behind the control characters.
        let turned = bytes ^ u8x16::splat(0x02);
        let stops = turned.min(u8x16::splat(0x20)).simd_eq(turned) | bytes.simd_eq(u8x16::splat(b'\\'));
        u64::from(stops.to_bitmask())
    };
    parts.iter().rev().fold(0, |word, part| word << 16 | bits(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_told() {
        for len in [0, 1, 63, 64, 65, 200] {
            for byte in 0..=u8::MAX {
                let mut text = vec![b' '; len];
                if let Some(at) = len.checked_sub(len / 3 + 1) {
                    text[at] = byte;
                }
                let stops = Stops::of(&text);
                for from in 0..=len {
                    let stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
                    let expected = text[from..].iter().position(stop).map(|at| from + at);
                    assert_eq!(
                        Some(stops.next(from)).filter(|at| *at < len),
                        expected,
                        "{byte} {len} {from}"
                    );
                }
            }
        }
    }
}
