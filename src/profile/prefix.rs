//! Whether a text starts as expected: told by two comparisons of 16 bytes, without a call.
//!
//! Nearly every key of a record, and every host of its addresses, is the one that is expected there.

/// A text that others are expected to start with.
#[derive(Debug, Clone, Default)]
pub(super) struct Prefix {
    text: Box<str>,
    /// Its first bytes, and which of them there are.
    front: u128,
    mask: u128,
    /// The last bytes of a longer one.
    back: u128,
}

/// How many bytes are compared at once.
const WIDTH: usize = size_of::<u128>();

impl Prefix {
    pub(super) fn new(text: &str) -> Self {
        let (mut front, mut mask) = ([0; WIDTH], [0; WIDTH]);
        for ((byte, front), mask) in text.bytes().zip(&mut front).zip(&mut mask) {
            (*front, *mask) = (byte, 0xff);
        }
        let back = text.as_bytes().last_chunk().map_or(0, |back| u128::from_le_bytes(*back));
        let (front, mask) = (u128::from_le_bytes(front), u128::from_le_bytes(mask));
        Self { text: text.into(), front, mask, back }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.text.len()
    }

    #[inline]
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a text starts with it.
    #[inline]
    pub(super) fn is_at_front_of(&self, text: &[u8]) -> bool {
        let len = self.text.len();
        match text.first_chunk() {
            Some(front) if (u128::from_le_bytes(*front) ^ self.front) & self.mask != 0 => false,
            Some(_) if len <= WIDTH => true,
            Some(_) if len <= 2 * WIDTH => {
                let back = text.get(len - WIDTH..).and_then(<[u8]>::first_chunk);
                back.is_some_and(|back| u128::from_le_bytes(*back) == self.back)
            }
            Some(_) | None => text.starts_with(self.text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_as_slices_do() {
        let text: String = ('a'..='z').chain('A'..='Z').collect();
        for len in 0..text.len() {
            let prefix = Prefix::new(&text[..len]);
            assert_eq!(prefix.as_str(), &text[..len]);
            for other in 0..=text.len() {
                assert_eq!(prefix.is_at_front_of(&text.as_bytes()[..other]), other >= len, "{len} {other}");
            }
            for changed in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[changed] = b'-';
                assert_eq!(prefix.is_at_front_of(&bytes), changed >= len, "{len} {changed}");
            }
        }
    }
}
