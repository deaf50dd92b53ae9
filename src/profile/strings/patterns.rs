//! Character patterns.

use std::collections::BTreeMap;

use wide::u8x16;

use crate::profile::{
    formats::classes::{ByteClasses, NOT_ASCII, OTHER},
    tokens::{self, Token},
};

/// The most patterns that are kept.
pub(super) const MAX_PATTERNS: usize = 32;
/// Longer strings, in bytes, have no pattern.
const LONGEST_WITH_PATTERN: usize = tokens::BLOCK;

/// A pattern, filled up with zeros.
type Pattern = [u8; LONGEST_WITH_PATTERN];

/// Patterns, the frequent ones near the front.
#[derive(Debug, Default)]
pub(super) struct PatternTally {
    seen: Vec<(Pattern, u64)>,
    /// Strings without a pattern, and all once there were too many.
    without: u64,
    overflown: bool,
}

impl PatternTally {
    #[inline]
    pub(super) fn add(&mut self, token: Token<'_>, found: ByteClasses, weight: u64) {
        if self.overflown || !(1..=LONGEST_WITH_PATTERN).contains(&token.len()) {
            self.without += weight;
            return;
        }
        let pattern = pattern_of(token, found & (NOT_ASCII | OTHER) == 0);
        match self.seen.iter().position(|(known, _)| *known == pattern) {
            Some(at) => {
                self.seen[at].1 += weight;
                if at > 0 {
                    self.seen.swap(at, at - 1);
                }
            }
            None => self.insert(pattern, weight),
        }
    }

    #[cold]
    fn insert(&mut self, pattern: Pattern, weight: u64) {
        self.seen.push((pattern, weight));
        if self.seen.len() > MAX_PATTERNS {
            self.without += self.seen.drain(..).map(|(_, count)| count).sum::<u64>();
            self.overflown = true;
        }
    }

    pub(super) fn finish(self) -> (BTreeMap<String, u64>, bool) {
        let mut patterns: BTreeMap<String, u64> = self
            .seen
            .into_iter()
            .map(|(pattern, count)| (pattern_text(&pattern).to_owned(), count))
            .collect();
        if self.without > 0 {
            patterns.insert(String::new(), self.without);
        }
        (patterns, self.overflown)
    }
}

/// The character pattern of a string: `9` for a digit, `A` for an upper-case letter, `a` for any other, white space
/// and ASCII signs as they are, `?` for the rest. Empty for strings of more than 32 bytes.
#[must_use]
pub fn pattern(text: &str) -> String {
    match text.len() {
        0..=LONGEST_WITH_PATTERN => pattern_text(&pattern_of(Token::whole(text), false)).to_owned(),
        _ => String::new(),
    }
}

/// The character pattern of the beginning of a string, of as many characters as `longest`.
pub(in crate::profile) fn pattern_of_head(text: &str, found: ByteClasses, longest: usize) -> String {
    let head = &text.as_bytes()[..text.len().min(longest)];
    let classes: Vec<u8> = if found & (NOT_ASCII | OTHER) == 0 {
        let mut classes = head.to_vec();
        let (blocks, rest) = classes.as_chunks_mut::<16>();
        blocks.iter_mut().for_each(|block| *block = plain_classes(*block));
        rest.iter_mut().for_each(|byte| *byte = ascii_class(*byte));
        classes
    } else if head.is_ascii() {
        head.iter().map(|byte| ascii_class(*byte)).collect()
    } else {
        text.chars().take(longest).map(class_of).collect()
    };
    String::from_utf8(classes).unwrap_or_default()
}

fn pattern_text(pattern: &Pattern) -> &str {
    let len = pattern.iter().position(|byte| *byte == 0).unwrap_or(LONGEST_WITH_PATTERN);
    str::from_utf8(&pattern[..len]).unwrap_or_default()
}

/// The pattern of a string of at most 32 bytes; a plain one is ASCII without control characters.
#[inline]
fn pattern_of(token: Token<'_>, is_plain: bool) -> Pattern {
    if is_plain {
        let mut pattern: Pattern = token.front();
        for half in pattern.as_chunks_mut::<16>().0 {
            *half = plain_classes(*half);
        }
        return pattern;
    }
    let mut pattern = [0; LONGEST_WITH_PATTERN];
    for (place, c) in pattern.iter_mut().zip(token.text().chars()) {
        *place = class_of(c);
    }
    pattern
}

/// What stands for each of some ASCII characters in a pattern; zero stays zero.
#[inline]
fn plain_classes(bytes: [u8; 16]) -> [u8; 16] {
    let bytes = u8x16::new(bytes);
    let is_among = |bytes: u8x16, first: u8, count: u8| {
        let place = bytes - u8x16::splat(first);
        place.min(u8x16::splat(count - 1)).simd_eq(place)
    };
    // The bit that tells lower case from upper case stays.
    let case = u8x16::splat(b'a' ^ b'A');
    let letters = is_among(bytes | case, b'a', 26).bitselect(bytes & case | u8x16::splat(b'A'), bytes);
    is_among(bytes, b'0', 10).bitselect(u8x16::splat(b'9'), letters).to_array()
}

/// What stands for an ASCII character in a pattern.
#[inline]
const fn ascii_class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => b'9',
        b'a'..=b'z' => b'a',
        b'A'..=b'Z' => b'A',
        0 => b'?',
        other => other,
    }
}

fn class_of(c: char) -> u8 {
    match c {
        c if c.is_ascii() => ascii_class(c as u8),
        c if c.is_uppercase() => b'A',
        c if c.is_alphabetic() => b'a',
        c if c.is_whitespace() => b' ',
        _ => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, expected) in [
            ("AB-123", "AA-999"),
            ("Überfall 7", "Aaaaaaaa 9"),
            ("Ⅷ·x", "A?a"),
            ("123456789012", "999999999999"),
            ("12345678", "99999999"),
            ("x@y.z", "a@a.a"),
            ("→", "?"),
            ("a\0b", "a?a"),
            ("", ""),
        ] {
            assert_eq!(pattern(text), expected, "{text}");
        }
        assert_eq!(pattern(&"x".repeat(33)), "");
    }
}
