//! Strings with case and separators taken out.

use wide::u8x16;

use crate::profile::{
    formats::classes::{self, ByteClasses, DIGIT, LETTERS},
    hashing::ValueHash,
    tokens::Token,
};

/// Longer strings, in bytes, are not counted folded.
pub(super) const LONGEST_FOLDED: usize = 32;
/// Folding looks at this much of a string, in bytes.
const FOLDED_HEAD: usize = 256;

/// The keyed hash of a string with case and everything but letters and digits taken out.
pub(in crate::profile) fn folded_hash(text: &str, key: &ValueHash) -> u64 {
    let text = &text[..text.floor_char_boundary(FOLDED_HEAD)];
    if !text.is_ascii() {
        let folded: String =
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        return key.of(folded.as_bytes());
    }
    if text.len() <= LONGEST_FOLDED {
        fold_ascii::<LONGEST_FOLDED>(text, key)
    } else {
        fold_ascii::<FOLDED_HEAD>(text, key)
    }
}

/// The same, of an ASCII string of at most 32 bytes.
#[inline]
pub(super) fn folded_block_hash(token: Token<'_>, found: ByteClasses, key: &ValueHash) -> u64 {
    let len = token.len();
    if classes::only(found, LETTERS | DIGIT) {
        // Nothing is taken out.
        let lower = token.front::<LONGEST_FOLDED>().map(|byte| byte.to_ascii_lowercase());
        return key.of(&lower[..len]);
    }
    if len > size_of::<u128>() {
        return fold_ascii::<LONGEST_FOLDED>(token.text(), key);
    }
    // Of a short one, as many steps as it has signs: from the last to the first, what comes behind moves up.
    let bytes: [u8; size_of::<u128>()] = token.front();
    let is_sign = u8x16::new(bytes.map(|byte| if byte.is_ascii_alphanumeric() { 0 } else { 0xff }));
    let mut signs = is_sign.to_bitmask() & ((1 << len) - 1);
    let mut folded = u128::from_le_bytes(bytes.map(|byte| byte.to_ascii_lowercase()));
    let kept = len - signs.count_ones() as usize;
    while signs != 0 {
        let at = signs.ilog2();
        let before = (1_u128 << (8 * at)) - 1;
        folded = folded & before | folded >> 8 & !before;
        signs ^= 1 << at;
    }
    key.of(&folded.to_le_bytes()[..kept])
}

fn fold_ascii<const N: usize>(text: &str, key: &ValueHash) -> u64 {
    // Filled without branches: each byte is written, and passed over unless it counts.
    let mut folded = [0; N];
    let mut len = 0;
    for byte in text.bytes() {
        let plain = FOLDED[usize::from(byte)];
        // The text is no longer than N, a power of two.
        folded[len % N] = plain;
        len += usize::from(plain != 0);
    }
    key.of(&folded[..len])
}

/// ASCII letters and digits in lower case; zero for anything else.
static FOLDED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HashKey;

    #[test]
    fn notation_folds_away() {
        let key = ValueHash::new(&HashKey::new([1; 16]));
        assert_eq!(folded_hash("AB-12 É", &key), folded_hash("ab_12é", &key));
        assert_ne!(folded_hash("AB-12", &key), folded_hash("AB-13", &key));
        for text in
            ["a", "-", "--", "A-b_C", "-Ab:12/x-", "I_kwDOA7ab.cdEF-", "0123456789abcdeF", "-a-b-c-d-e-f-g-h"]
        {
            for around in ["", "-AND MORE BEHIND IT, SO THAT THERE IS A BLOCK"] {
                let all = format!("{text}{around}");
                let token = Token::new(&all, 0, text.len() as u32);
                let found = classes::of(text);
                assert_eq!(folded_block_hash(token, found, &key), folded_hash(text, &key), "{text}");
            }
        }
    }
}
