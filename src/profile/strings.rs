//! What strings look like.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wide::u8x16;

use super::{
    Bins, Format, MinHashes, NumberProfile, TopValues,
    field::merge_parts,
    formats::classes::{
        self, AMPERSAND, ByteClasses, DIGIT, LATIN_LEAD, LETTERS, LOWER, NOT_ASCII, OTHER, SPACE, UPPER,
    },
    hashing::ValueHash,
    numbers::{Number, NumberTally},
    prefix::Prefix,
    sketch::MinHashesTally,
    tokens::{self, Token},
};

/// What strings look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StringProfile {
    /// How many.
    pub count: u64,
    /// How many are empty.
    pub empty: u64,
    /// The shortest, in characters.
    pub min_length: u64,
    /// The longest, in characters.
    pub max_length: u64,
    /// Lengths in characters.
    pub lengths: Bins,
    /// How many of each format class; a string has one class, the most specific that fits.
    pub formats: BTreeMap<Format, u64>,
    /// Character patterns, such as `AA-999` (see [`pattern`]): every one seen while there are at most 32; beyond that
    /// they are given up for good, and everything is counted under the empty pattern, as are strings that are too
    /// long to have one.
    pub patterns: BTreeMap<String, u64>,
    /// Whether there were more patterns than are kept.
    pub patterns_overflown: bool,
    /// How many begin or end with white space.
    pub padded: u64,
    /// How many hold an HTML escape such as `&amp;`.
    pub html_escaped: u64,
    /// How many look like UTF-8 read as Latin-1 (`Ã©`).
    pub mojibake: u64,
    /// How many have letters, all of them lower case.
    pub lower: u64,
    /// How many have letters, all of them upper case.
    pub upper: u64,
    /// Distinct values.
    pub distinct: MinHashes,
    /// Distinct values with case and separators taken out, to see that only notation moved; of strings up to 32 bytes
    /// that are neither numbers nor instants, whose notations `as_numbers` sees through.
    pub folded: MinHashes,
    /// Frequent values.
    pub top: TopValues,
    /// For strings that are numbers or instants: what they look like as numbers (an instant as Unix seconds).
    pub as_numbers: Option<Box<NumberProfile>>,
    /// For addresses: where they point to, as scheme and host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Box<TopValues>>,
}

/// The most patterns that are kept.
const MAX_PATTERNS: usize = 32;
/// Longer strings, in bytes, have no pattern.
const LONGEST_WITH_PATTERN: usize = tokens::BLOCK;
/// Longer strings, in bytes, are not counted folded.
const LONGEST_FOLDED: usize = 32;
/// Folding looks at this much of a string, in bytes.
const FOLDED_HEAD: usize = 256;

impl Default for StringProfile {
    fn default() -> Self {
        Self {
            count: 0,
            empty: 0,
            min_length: u64::MAX,
            max_length: 0,
            lengths: Bins::default(),
            formats: BTreeMap::new(),
            patterns: BTreeMap::new(),
            patterns_overflown: false,
            padded: 0,
            html_escaped: 0,
            mojibake: 0,
            lower: 0,
            upper: 0,
            distinct: MinHashes::default(),
            folded: MinHashes::default(),
            top: TopValues::default(),
            as_numbers: None,
            hosts: None,
        }
    }
}

impl StringProfile {
    /// The most frequent format, with its share; of equals the first in the order of [`Format`].
    #[must_use]
    pub fn dominant_format(&self) -> Option<(Format, f64)> {
        let most = |a: (Format, u64), b: (Format, u64)| if b.1 > a.1 { b } else { a };
        let (format, count) = self.formats.iter().map(|(format, count)| (*format, *count)).reduce(most)?;
        Some((format, count as f64 / self.count as f64))
    }

    /// The share of strings of a format.
    #[must_use]
    pub fn format_share(&self, format: Format) -> f64 {
        let count = self.formats.get(&format).copied().unwrap_or(0);
        if self.count == 0 { 0.0 } else { count as f64 / self.count as f64 }
    }

    fn bound_patterns(&mut self) {
        let kept = self.patterns.len() - usize::from(self.patterns.contains_key(""));
        if kept > MAX_PATTERNS || (self.patterns_overflown && kept > 0) {
            let total = self.patterns.values().sum();
            self.patterns = BTreeMap::from([(String::new(), total)]);
            self.patterns_overflown = true;
        }
    }

    /// Adds what `other` saw.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.empty += other.empty;
        self.min_length = self.min_length.min(other.min_length);
        self.max_length = self.max_length.max(other.max_length);
        self.lengths.merge(&other.lengths);
        for (format, count) in &other.formats {
            *self.formats.entry(*format).or_default() += count;
        }
        for (pattern, count) in &other.patterns {
            *self.patterns.entry(pattern.clone()).or_default() += count;
        }
        self.patterns_overflown |= other.patterns_overflown;
        self.bound_patterns();
        self.padded += other.padded;
        self.html_escaped += other.html_escaped;
        self.mojibake += other.mojibake;
        self.lower += other.lower;
        self.upper += other.upper;
        self.distinct.merge(&other.distinct);
        self.folded.merge(&other.folded);
        self.top.merge(&other.top);
        merge_parts(&mut self.as_numbers, &other.as_numbers, |mine, other| mine.merge(other));
        merge_parts(&mut self.hosts, &other.hosts, |mine, other| mine.merge(other));
    }
}

/// A [`StringProfile`] while strings come in: what is looked up by each string is kept at hand.
#[derive(Debug, Default)]
pub(super) struct StringTally {
    profile: StringProfile,
    lengths: LengthTally,
    formats: FormatTally,
    patterns: PatternTally,
    distinct: MinHashesTally,
    folded: MinHashesTally,
    as_numbers: Option<Box<NumberTally>>,
    hosts: HostTally,
}

impl StringTally {
    /// Counts `weight` times a string.
    pub(super) fn add(&mut self, token: Token<'_>, weight: u64, key: &ValueHash) {
        let profile = &mut self.profile;
        let text = token.text();
        let (found, format, value) = match classes::of_plain_address(text) {
            Some(found) => (found, Format::Url, None),
            None => {
                let found = classes::of(text);
                let (format, value) = Format::read(text, found);
                (found, format, value)
            }
        };
        self.lengths.add(classes::count_characters(text, found), weight);
        self.patterns.add(token, found, weight);
        match case(text, found) {
            (true, false) => profile.lower += weight,
            (false, true) => profile.upper += weight,
            _ => {}
        }
        if found & (SPACE | NOT_ASCII | AMPERSAND) != 0 {
            profile.add_blemishes(text, found, weight);
        }

        self.formats.add(format, weight);
        if format == Format::Url {
            self.hosts.add(text, weight, key);
        }
        let hash = key.of(text.as_bytes());
        self.distinct.add(hash);
        profile.top.add(hash, || text.to_owned(), weight);
        if let Some(value) = value {
            let number = Number::of_value(value, text, found);
            self.as_numbers.get_or_insert_with(Box::default).add_value(&number, weight, key);
        } else if text.len() <= LONGEST_FOLDED {
            self.folded.add(match found {
                found if classes::only(found, LOWER | DIGIT) => hash,
                found if found & NOT_ASCII == 0 => folded_block_hash(token, found, key),
                _ => folded_hash(text, key),
            });
        }
    }

    /// The profile of the strings that came in.
    pub(super) fn finish(mut self, key: &ValueHash) -> StringProfile {
        self.profile.hosts = self.hosts.finish(key);
        self.lengths.finish(&mut self.profile);
        self.profile.formats = self.formats.finish();
        (self.profile.patterns, self.profile.patterns_overflown) = self.patterns.finish();
        self.profile.distinct = self.distinct.finish();
        self.profile.folded = self.folded.finish();
        self.profile.as_numbers = self.as_numbers.map(|numbers| Box::new(numbers.finish()));
        self.profile
    }
}

impl StringProfile {
    /// Counts what a string has that it should not have.
    fn add_blemishes(&mut self, text: &str, found: ByteClasses, weight: u64) {
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

/// Lengths in characters; of short strings, plain counts.
#[derive(Debug)]
struct LengthTally {
    short: [u64; 128],
    long: Lengths,
}

/// The part of a [`StringProfile`] that tells lengths.
#[derive(Debug)]
struct Lengths {
    count: u64,
    least: u64,
    most: u64,
    bins: Bins,
}

impl Lengths {
    fn add(&mut self, length: u64, weight: u64) {
        self.count += weight;
        self.least = self.least.min(length);
        self.most = self.most.max(length);
        self.bins.add(length as f64, weight);
    }
}

impl Default for LengthTally {
    fn default() -> Self {
        Self { short: [0; 128], long: Lengths { count: 0, least: u64::MAX, most: 0, bins: Bins::default() } }
    }
}

impl LengthTally {
    #[inline]
    fn add(&mut self, length: u64, weight: u64) {
        match self.short.get_mut(length as usize) {
            Some(count) => *count += weight,
            None => self.long.add(length, weight),
        }
    }

    fn finish(self, profile: &mut StringProfile) {
        let mut all = self.long;
        let seen = self.short.into_iter().zip(0..).filter(|(count, _)| *count > 0);
        seen.for_each(|(count, length)| all.add(length, count));
        profile.empty = self.short[0];
        (profile.count, profile.min_length, profile.max_length) = (all.count, all.least, all.most);
        profile.lengths = all.bins;
    }
}

/// Formats; the last one is counted by a comparison, since most fields have one.
#[derive(Debug, Default)]
struct FormatTally {
    last: Option<Format>,
    /// How often the last one came since it was handed on.
    repeats: u64,
    counts: BTreeMap<Format, u64>,
}

impl FormatTally {
    #[inline]
    fn add(&mut self, format: Format, weight: u64) {
        if self.last != Some(format) {
            self.flush();
            self.last = Some(format);
        }
        self.repeats += weight;
    }

    fn flush(&mut self) {
        if let Some(last) = self.last {
            *self.counts.entry(last).or_default() += std::mem::take(&mut self.repeats);
        }
    }

    fn finish(mut self) -> BTreeMap<Format, u64> {
        self.flush();
        self.counts
    }
}

/// Where addresses point to; the last host is counted by a comparison, since most fields have one.
#[derive(Debug, Default)]
struct HostTally {
    counts: Option<Box<TopValues>>,
    last: Prefix,
    /// How often the last host came since it was handed on.
    repeats: u64,
}

impl HostTally {
    /// Counts `weight` times the host of an address.
    fn add(&mut self, url: &str, weight: u64, key: &ValueHash) {
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

    fn finish(mut self, key: &ValueHash) -> Option<Box<TopValues>> {
        self.flush(key);
        self.counts
    }
}

/// A pattern, filled up with zeros.
type Pattern = [u8; LONGEST_WITH_PATTERN];

/// Patterns, the frequent ones near the front.
#[derive(Debug, Default)]
struct PatternTally {
    seen: Vec<(Pattern, u64)>,
    /// Strings without a pattern, and all once there were too many.
    without: u64,
    overflown: bool,
}

impl PatternTally {
    #[inline]
    fn add(&mut self, token: Token<'_>, found: ByteClasses, weight: u64) {
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

    fn finish(self) -> (BTreeMap<String, u64>, bool) {
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
pub(super) fn pattern_of_head(text: &str, found: ByteClasses, longest: usize) -> String {
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

/// Whether there are lower-case letters, and whether there are upper-case ones.
fn case(text: &str, found: ByteClasses) -> (bool, bool) {
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

/// Scheme and host of an address, without whatever signs in.
fn host_of(url: &str) -> Option<&str> {
    let url = url.trim();
    let start = memchr::memchr(b':', url.as_bytes()).filter(|at| url[*at..].starts_with("://"))? + 3;
    let rest = &url.as_bytes()[start..];
    let end = memchr::memchr3(b'/', b'?', b'#', rest).map_or(url.len(), |at| start + at);
    let is_plain = end > start && memchr::memchr(b'@', &rest[..end - start]).is_none();
    is_plain.then(|| &url[..end])
}

/// The keyed hash of a string with case and everything but letters and digits taken out.
pub(super) fn folded_hash(text: &str, key: &ValueHash) -> u64 {
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
fn folded_block_hash(token: Token<'_>, found: ByteClasses, key: &ValueHash) -> u64 {
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

    #[test]
    fn addresses_have_hosts() {
        assert_eq!(host_of("https://example.org/a?b=c"), Some("https://example.org"));
        assert_eq!(host_of(" s3://bucket "), Some("s3://bucket"));
        assert_eq!(host_of("https://user:secret@example.org/"), None);
        assert_eq!(host_of("https:///a"), None);
    }

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
