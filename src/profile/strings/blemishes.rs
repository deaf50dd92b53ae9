//! What of strings went wrong on their way, and their case.

use super::StringProfile;
use crate::profile::formats::classes::{AMPERSAND, ByteClasses, LATIN_LEAD, LOWER, NOT_ASCII, UPPER};

impl StringProfile {
    /// Counts what a string has that it should not have.
    pub(super) fn add_blemishes(&mut self, text: &str, found: ByteClasses, weight: u64) {
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            self.padded += weight;
        }
        if found & AMPERSAND != 0 && has_html_escape(text) {
            self.html_escaped += weight;
        }
        if found & LATIN_LEAD != 0 && is_mojibake(text) {
            self.mojibake += weight;
        }
    }
}

/// Whether there are lower-case letters, and whether there are upper-case ones.
#[inline]
pub(super) fn case(text: &str, found: ByteClasses) -> (bool, bool) {
    let (lower, upper) = (found & LOWER != 0, found & UPPER != 0);
    if found & NOT_ASCII == 0 || (lower && upper) {
        return (lower, upper);
    }
    (lower || text.contains(char::is_lowercase), upper || text.contains(char::is_uppercase))
}

/// Whether there is `&name;`, `&#39;` or `&#x27;` in it.
fn has_html_escape(text: &str) -> bool {
    memchr::memchr_iter(b'&', text.as_bytes()).any(|at| {
        let window = &text.as_bytes()[at + 1..text.len().min(at + 12)];
        let Some(end) = window.iter().position(|byte| *byte == b';') else { return false };
        match &window[..end] {
            [b'#', b'x' | b'X', hex @ ..] => !hex.is_empty() && hex.iter().all(u8::is_ascii_hexdigit),
            [b'#', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
            name => name.len() >= 2 && name.iter().all(u8::is_ascii_alphanumeric),
        }
    })
}

/// Whether there is a pair or triple of characters that are UTF-8 of one letter or sign, read as Latin-1 or
/// Windows-1252: a lead byte of the Latin, Greek or Cyrillic blocks or of punctuation, then continuation bytes.
fn is_mojibake(text: &str) -> bool {
    let continues = |c: Option<char>| {
        c.is_some_and(|c| matches!(c, '\u{80}'..='\u{bf}') || "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ".contains(c))
    };
    // All leads are between U+00C0 and U+00FF, whose UTF-8 starts with 0xc3.
    memchr::memchr_iter(0xc3, text.as_bytes()).any(|at| {
        let mut after = text[at..].chars();
        let Some(lead) = after.next() else { return false };
        match lead {
            'Â' | 'Ã' | 'Ä' | 'Å' | 'Î' | 'Ï' | 'Ð' | 'Ñ' => continues(after.next()),
            'â' | 'ã' | 'ä' | 'å' | 'æ' | 'ç' | 'è' | 'é' | 'ï' => {
                continues(after.next()) && continues(after.next())
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_gone_wrong() {
        for text in ["CafÃ©", "donâ€™t", "Ð\u{9f}Ñ€Ð¸Ð²ÐµÑ‚", "Â°C"] {
            assert!(is_mojibake(text), "{text}");
        }
        for text in ["Café", "Àé", "naïve", "CAFÉ’s", "Größe", "Привет", "Ärzte", "São Paulo"]
        {
            assert!(!is_mojibake(text), "{text}");
        }
        assert!(has_html_escape("Fish &amp; chips") && has_html_escape("it&#39;s"));
        assert!(!has_html_escape("AT&T; sort of") && !has_html_escape("a & b;"));
    }
}
