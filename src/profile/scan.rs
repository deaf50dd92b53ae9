//! The tokens of JSON (RFC 8259), found and checked in place: where strings and numbers end, and whether they may.
//!
//! serde's visitors give numbers without their notation and one error for a whole document; a profile needs both
//! (`12.50` has two decimals; half a surrogate pair is no syntax error), so the tokens are read here.
//! What is accepted is what `serde_json` accepts: the tests hold that on mutated documents.
//!
//! The text is known to be UTF-8. Every function takes the place of a token and returns the place behind it.

use wide::u8x16;

use super::{Malformed, stops::Stops};

/// Why a record cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// No JSON.
    Syntax,
    /// Bytes that are no UTF-8.
    Encoding,
    /// A number beyond the range of f64.
    NumberOutOfRange,
    /// Half a surrogate pair.
    LoneSurrogate,
    /// Nested deeper than the limit.
    TooDeep,
}

impl Broken {
    /// The count of such records.
    pub(super) const fn count(self, malformed: &mut Malformed) -> &mut u64 {
        match self {
            Self::Syntax => &mut malformed.syntax,
            Self::Encoding => &mut malformed.encoding,
            Self::NumberOutOfRange => &mut malformed.number_out_of_range,
            Self::LoneSurrogate => &mut malformed.lone_surrogate,
            Self::TooDeep => &mut malformed.too_deep,
        }
    }
}

/// Skips white space.
#[inline]
pub(super) fn skip_space(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(..=b' ') => skip_more_space(text, at),
        Some(_) | None => at,
    }
}

fn skip_more_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// A string token without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct StringToken {
    /// Where the closing quote stands.
    pub(super) end: usize,
    /// Whether there is an escape in it.
    pub(super) escaped: bool,
}

/// Reads a string from behind its opening quote; the stops are those of the text.
#[inline]
pub(super) fn string(text: &[u8], at: usize, stops: &Stops) -> Result<StringToken, Broken> {
    let end = stops.next(at);
    match text.get(end) {
        Some(b'"') => Ok(StringToken { end, escaped: false }),
        Some(b'\\') => escaped_string(text, end, stops),
        _ => Err(Broken::Syntax),
    }
}

/// Reads the rest of a string from its first backslash.
#[cold]
fn escaped_string(text: &[u8], mut at: usize, stops: &Stops) -> Result<StringToken, Broken> {
    loop {
        match text.get(at) {
            Some(b'"') => return Ok(StringToken { end: at, escaped: true }),
            Some(b'\\') => at = escape(text, at)?,
            _ => return Err(Broken::Syntax),
        }
        at = stops.next(at);
    }
}

/// Reads one escape, a surrogate pair being one.
fn escape(text: &[u8], at: usize) -> Result<usize, Broken> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match hex4(text, at + 2)? {
            0xdc00..=0xdfff => Err(Broken::LoneSurrogate),
            0xd800..=0xdbff => {
                if text.get(at + 6..at + 8) != Some(b"\\u") {
                    return Err(Broken::LoneSurrogate);
                }
                match hex4(text, at + 8)? {
                    0xdc00..=0xdfff => Ok(at + 12),
                    _ => Err(Broken::LoneSurrogate),
                }
            }
            _ => Ok(at + 6),
        },
        _ => Err(Broken::Syntax),
    }
}

fn hex4(text: &[u8], at: usize) -> Result<u16, Broken> {
    let digits = text.get(at..at + 4).ok_or(Broken::Syntax)?;
    digits.iter().try_fold(0, |value: u16, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Broken::Syntax)?;
        Ok(value << 4 | digit as u16)
    })
}

/// Takes the escapes out of a string that [`string`] has read.
#[cold]
pub(super) fn unescape(raw: &str) -> String {
    let mut plain = String::with_capacity(raw.len());
    unescape_onto(&mut plain, raw);
    plain
}

/// Writes a string that [`string`] has read behind what is there, without its escapes.
pub(super) fn unescape_onto(plain: &mut String, raw: &str) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        plain.push_str(&rest[..at]);
        let (c, len) = unescape_one(&rest.as_bytes()[at..]);
        plain.push(c);
        rest = &rest[at + len..];
    }
    plain.push_str(rest);
}

/// The character that an escape stands for, and how long the escape is.
fn unescape_one(escape: &[u8]) -> (char, usize) {
    let code = |at| hex4(escape, at).map_or(0xfffd, u32::from);
    match escape.get(1) {
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'n') => ('\n', 2),
        Some(b'r') => ('\r', 2),
        Some(b't') => ('\t', 2),
        Some(b'u') => match code(2) {
            high @ 0xd800..=0xdbff => {
                let low = code(8) & 0x3ff;
                (char::from_u32(0x1_0000 + ((high & 0x3ff) << 10 | low)).unwrap_or('\u{fffd}'), 12)
            }
            code => (char::from_u32(code).unwrap_or('\u{fffd}'), 6),
        },
        Some(other) => (char::from(*other), 2),
        None => ('\u{fffd}', 1),
    }
}

/// A number token.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberToken {
    /// The place behind it.
    pub(super) end: usize,
    /// Whether it has neither fraction nor exponent.
    pub(super) integer: bool,
}

/// The most characters that a number without an exponent can have and surely be in the range of f64.
const SURELY_IN_RANGE: usize = 300;

/// Reads a number from its first character.
#[inline]
pub(super) fn number(text: &[u8], start: usize) -> Result<NumberToken, Broken> {
    match text.get(start..).and_then(<[u8]>::first_chunk).and_then(short_number) {
        Some((len, integer)) => Ok(NumberToken { end: start + len, integer }),
        None => any_number(text, start),
    }
}

/// The length of a number without exponent that ends within a block, as nearly all do, and whether it is an integer.
/// How many digits there are is read off at once, since it cannot be foretold.
#[inline]
fn short_number(block: &[u8; 16]) -> Option<(usize, bool)> {
    let bytes = u8x16::new(*block);
    let values = bytes - u8x16::splat(b'0');
    let digits = values.min(u8x16::splat(9)).simd_eq(values).to_bitmask();
    let sign = u32::from(block[0] == b'-');
    let others = !(digits | sign);
    let point = others.trailing_zeros();
    let has_leading_zero = block[sign as usize] == b'0' && point > sign + 1;
    if point == sign || has_leading_zero {
        return None;
    }
    match block.get(point as usize)? {
        b'e' | b'E' => None,
        b'.' => {
            let end = (others & (others - 1)).trailing_zeros();
            let is_end = |behind: &u8| !matches!(behind, b'e' | b'E');
            (end > point + 1 && block.get(end as usize).is_some_and(is_end)).then_some((end as usize, false))
        }
        _ => Some((point as usize, true)),
    }
}

fn any_number(text: &[u8], start: usize) -> Result<NumberToken, Broken> {
    let mut at = start + usize::from(text.get(start) == Some(&b'-'));
    match text.get(at) {
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at = digits(text, at + 1),
        _ => return Err(Broken::Syntax),
    }
    let mut integer = true;
    if text.get(at) == Some(&b'.') {
        integer = false;
        at = some_digits(text, at + 1)?;
    }
    let mut may_overflow = at - start > SURELY_IN_RANGE;
    if let Some(b'e' | b'E') = text.get(at) {
        (integer, may_overflow) = (false, true);
        at += 1;
        at = some_digits(text, at + usize::from(matches!(text.get(at), Some(b'+' | b'-'))))?;
    }
    if may_overflow && !in_range(&text[start..at]) {
        return Err(Broken::NumberOutOfRange);
    }
    Ok(NumberToken { end: at, integer })
}

/// The place behind the digits; eight are looked at together, since how many there are cannot be foretold.
#[inline]
fn digits(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let others = not_digits(u64::from_le_bytes(*word));
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// The highest bit of each byte that is no digit.
#[inline]
pub(super) const fn not_digits(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Digits become 0 to 9. Without their highest bits, bytes cannot carry into each other.
    let values = word ^ (ONES * 0x30);
    (((values & (ONES * 0x7f)) + ONES * (0x80 - 10)) | values) & (ONES * 0x80)
}

fn some_digits(text: &[u8], at: usize) -> Result<usize, Broken> {
    let end = digits(text, at);
    if end > at { Ok(end) } else { Err(Broken::Syntax) }
}

#[cold]
fn in_range(number: &[u8]) -> bool {
    str::from_utf8(number).ok().and_then(|text| text.parse::<f64>().ok()).is_some_and(f64::is_finite)
}

/// Reads `true`, `false` or `null`.
#[inline]
pub(super) fn literal(text: &[u8], at: usize, word: &[u8]) -> Result<usize, Broken> {
    if text[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Broken::Syntax) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(token: &str) -> Result<(), Broken> {
        match token.as_bytes().first() {
            Some(b'"') => {
                let string = string(token.as_bytes(), 1, &Stops::of(token.as_bytes()))?;
                if string.end + 1 == token.len() { Ok(()) } else { Err(Broken::Syntax) }
            }
            _ => {
                let number = number(token.as_bytes(), 0)?;
                if number.end == token.len() { Ok(()) } else { Err(Broken::Syntax) }
            }
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (token, expected) in [
            (r#""plain""#, Ok(())),
            (r#""a long one with \"escapes\" \u00e9 and \ud83d\ude00""#, Ok(())),
            ("\"control \u{1}\"", Err(Broken::Syntax)),
            (r#""\ud83d""#, Err(Broken::LoneSurrogate)),
            (r#""\ude00""#, Err(Broken::LoneSurrogate)),
            (r#""\ud83d\u0041""#, Err(Broken::LoneSurrogate)),
            (r#""\x""#, Err(Broken::Syntax)),
            (r#""open"#, Err(Broken::Syntax)),
            ("0", Ok(())),
            ("-0.50e+10", Ok(())),
            ("01", Err(Broken::Syntax)),
            ("1.", Err(Broken::Syntax)),
            (".5", Err(Broken::Syntax)),
            ("-", Err(Broken::Syntax)),
            ("1e", Err(Broken::Syntax)),
            ("1e999", Err(Broken::NumberOutOfRange)),
            ("1e-999", Ok(())),
            (&"9".repeat(400), Err(Broken::NumberOutOfRange)),
            (&"9".repeat(300), Ok(())),
        ] {
            assert_eq!(reads(token), expected, "{token}");
        }
    }

    #[test]
    fn escapes_come_out() {
        assert_eq!(unescape(r#"a\n\"\/\u00e9\ud83d\ude00z"#), "a\n\"/é😀z");
    }
}
