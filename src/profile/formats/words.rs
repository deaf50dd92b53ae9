//! Strings with letters: identifiers, addresses, markup, words.

use super::{
    Format,
    classes::{
        ANGLE, AT, BRACKET, ByteClasses, COLON, COMMA, DIGIT, DOT, EQUALS, HASH, HEX_LOWER, HEX_UPPER,
        HYPHEN, LETTERS, LOWER, NOT_ASCII, PLUS, SLASH, SPACE, UNDERSCORE, UPPER, only,
    },
    dates, numerals,
};

/// The class of a string by its notation; `None` where it is words.
pub(super) fn with_letters(text: &str, found: ByteClasses) -> Option<Format> {
    if found & (COLON | SLASH | SPACE) == COLON | SLASH && is_url(text) {
        return Some(Format::Url);
    }
    if found & ANGLE != 0 && is_markup(text) {
        return Some(Format::Markup);
    }
    if found & BRACKET != 0 && is_json(text) {
        return Some(Format::JsonText);
    }
    if found & NOT_ASCII != 0 {
        return not_ascii(text, found);
    }
    if found & DIGIT != 0
        && let Some(format) = with_digits(text, found)
    {
        return Some(format);
    }
    if found & SPACE != 0 {
        return None;
    }
    if found & AT != 0 {
        return is_email(text).then_some(Format::Email);
    }
    if found & DOT != 0 {
        let may_be = only(found, LOWER | DIGIT | DOT | HYPHEN);
        return (may_be && is_hostname(text)).then_some(Format::Hostname);
    }
    if found & HASH != 0 {
        return is_color(text).then_some(Format::Color);
    }
    if only(found, LETTERS) && is_boolean_word(text) {
        return Some(Format::BooleanWord);
    }
    let may_be =
        text.len() >= 16 && only(found, LETTERS | DIGIT | PLUS | SLASH | EQUALS | HYPHEN | UNDERSCORE);
    (may_be && is_base64(text, found)).then_some(Format::Base64)
}

/// Numbers may hold a currency sign or a space beyond ASCII.
fn not_ascii(text: &str, found: ByteClasses) -> Option<Format> {
    if found & DIGIT == 0 || text.len() > 64 {
        return None;
    }
    if found & LETTERS == 0 && numerals::locale_number(text).is_some() {
        return Some(Format::LocaleNumber);
    }
    numerals::currency(text)
}

/// The class of a string of letters and digits.
fn with_digits(text: &str, found: ByteClasses) -> Option<Format> {
    let bytes = text.as_bytes();
    let first_is_digit = bytes[0].is_ascii_digit();
    if first_is_digit
        && bytes.get(4) == Some(&b'-')
        && let Some((format, _)) = dates::iso(text)
    {
        return Some(format);
    }
    if found & SPACE != 0 {
        let may_be_date = bytes.len() <= 48 && found & (HASH | AT | ANGLE) == 0;
        return if may_be_date {
            dates::spelled(text).or_else(|| dates::numeric(text)).or_else(|| numerals::currency(text))
        } else {
            None
        };
    }
    if bytes.len() == 36 && is_uuid(bytes) {
        return Some(Format::Uuid);
    }
    let is_hex = only(found, DIGIT | HEX_LOWER) || only(found, DIGIT | HEX_UPPER);
    if is_hex && bytes.len() >= 16 {
        return Some(Format::Hex);
    }
    if bytes.len() == 26 && only(found, DIGIT | UPPER) && is_ulid(bytes) {
        return Some(Format::Ulid);
    }
    if found & UNDERSCORE != 0 && only(found, LETTERS | DIGIT | UNDERSCORE) && is_prefixed_id(text) {
        return Some(Format::PrefixedId);
    }
    if found & DOT != 0 && (first_is_digit || matches!(bytes[0], b'v' | b'V' | b'-' | b'+' | b'.')) {
        if is_version(text) {
            return Some(Format::Version);
        }
        if numerals::is_decimal(text) {
            return Some(Format::DecimalText);
        }
    }
    if bytes[0] == b'P'
        && only(found, DIGIT | UPPER | DOT | COMMA)
        && let Some(format) = dates::duration(text)
    {
        return Some(format);
    }
    if found & HYPHEN != 0
        && first_is_digit
        && let Some(format) = dates::spelled(text)
    {
        return Some(format);
    }
    if found & COLON != 0 && only(found, DIGIT | HEX_LOWER | HEX_UPPER | COLON) && is_ip_v6(text) {
        return Some(Format::IpAddress);
    }
    None
}

/// The class of a single word that has no notation of its own.
pub(super) const fn word(found: ByteClasses) -> Format {
    if found & UPPER != 0 && only(found, UPPER | DIGIT | UNDERSCORE | HYPHEN) {
        Format::UpperWord
    } else if found & LOWER != 0 && only(found, LOWER | DIGIT | UNDERSCORE | HYPHEN | DOT) {
        Format::LowerWord
    } else {
        Format::Word
    }
}

/// The class of a string too long for most notations.
pub(super) fn long_text(text: &str, found: ByteClasses) -> Format {
    if found & (COLON | SLASH | SPACE) == COLON | SLASH && is_url(text) {
        Format::Url
    } else if found & ANGLE != 0 && is_markup(text) {
        Format::Markup
    } else if is_json(text) {
        Format::JsonText
    } else if found & SPACE != 0 {
        Format::Text
    } else if only(found, DIGIT | HEX_LOWER) || only(found, DIGIT | HEX_UPPER) {
        Format::Hex
    } else if only(found, LETTERS | DIGIT | PLUS | SLASH | EQUALS | HYPHEN | UNDERSCORE) {
        Format::Base64
    } else {
        Format::Word
    }
}

/// Whether there is a tag in it: `<`, a name or `/`, and a `>` somewhere behind.
fn is_markup(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes).any(|at| {
        bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?'))
            && memchr::memchr(b'>', &bytes[at..bytes.len().min(at + 256)]).is_some()
    })
}

/// Whether its ends are those of a JSON object or array.
fn is_json(text: &str) -> bool {
    let inner = match (text.as_bytes().first(), text.as_bytes().last()) {
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) if text.len() >= 2 => &text[1..text.len() - 1],
        _ => return false,
    };
    match (text.as_bytes()[0], inner.trim_ascii_start().as_bytes().first()) {
        (_, None) => true,
        (b'{', Some(first)) => *first == b'"' && text.contains(':'),
        (_, Some(first)) => {
            matches!(first, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9') || is_list_of_words(inner)
        }
    }
}

fn is_list_of_words(inner: &str) -> bool {
    inner.len() < 256 && inner.split(',').all(|item| matches!(item.trim_ascii(), "true" | "false" | "null"))
}

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// Crockford base 32 of 128 bits: the first character holds three of them.
fn is_ulid(text: &[u8]) -> bool {
    matches!(text[0], b'0'..=b'7') && !text.iter().any(|byte| matches!(byte, b'I' | b'L' | b'O' | b'U'))
}

/// A prefix of lower-case words, `_`, and at least eight letters and digits that no person would choose.
fn is_prefixed_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(at) = bytes.iter().rposition(|byte| *byte == b'_') else { return false };
    let (prefix, rest) = (&bytes[..at], &bytes[at + 1..]);
    let prefix_fits =
        (1..=24).contains(&prefix.len()) && prefix.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
    if !prefix_fits || rest.len() < 8 {
        return false;
    }
    let (mut digits, mut uppers, mut lowers) = (0_u8, 0_u8, 0_u8);
    // Notations are no longer than 128 bytes.
    for byte in rest {
        digits += u8::from(byte.is_ascii_digit());
        uppers += u8::from(byte.is_ascii_uppercase());
        lowers += u8::from(byte.is_ascii_lowercase());
    }
    usize::from(digits + uppers + lowers) == rest.len()
        && uppers + lowers > 0
        && (digits >= 3 || (digits >= 1 && uppers >= 1 && lowers >= 1))
}

/// At least sixteen characters, with padding or with digits and letters of both cases mixed.
fn is_base64(text: &str, found: ByteClasses) -> bool {
    let unpadded = text.trim_end_matches('=');
    let padding = text.len() - unpadded.len();
    if text.len() < 16 || padding > 2 || unpadded.contains('=') {
        return false;
    }
    let standard = found & (HYPHEN | UNDERSCORE) == 0;
    let mixed = found & DIGIT != 0 && found & LOWER != 0 && found & UPPER != 0;
    if padding > 0 {
        text.len().is_multiple_of(4) && found & (LOWER | DIGIT) != 0
    } else {
        standard && mixed && text.len().is_multiple_of(4)
    }
}

fn is_boolean_word(text: &str) -> bool {
    text.len() <= 5
        && ["true", "false", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A scheme, `://`, and something.
fn is_url(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.starts_with(b"https://") && bytes.len() > 8 {
        return true;
    }
    let is_of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let scheme = bytes.iter().take(16).take_while(|byte| is_of_scheme(byte)).count();
    bytes[0].is_ascii_alphabetic() && bytes[scheme..].starts_with(b"://") && bytes.len() > scheme + 3
}

fn is_email(text: &str) -> bool {
    let Some(at) = memchr::memchr(b'@', text.as_bytes()) else { return false };
    at > 0 && is_hostname(&text[at + 1..])
}

/// Labels of letters, digits and hyphens with dots between, the last of at least two letters.
fn is_hostname(text: &str) -> bool {
    if text.len() > 253 {
        return false;
    }
    // What stood before: a dot and a hyphen may not follow a dot, nor a dot a hyphen.
    let (mut before, mut labels, mut last_len, mut last_is_letters) = (b'.', 1, 0, true);
    for byte in text.bytes() {
        match byte {
            b'.' if before == b'.' || before == b'-' => return false,
            b'.' => (labels, last_len, last_is_letters) = (labels + 1, 0, true),
            b'-' if before == b'.' => return false,
            b'-' | b'0'..=b'9' => (last_len, last_is_letters) = (last_len + 1, false),
            b'a'..=b'z' | b'A'..=b'Z' => last_len += 1,
            _ => return false,
        }
        before = byte;
    }
    labels >= 2 && (2..=24).contains(&last_len) && last_is_letters
}

/// Four numbers up to 255 without leading zeros.
pub(super) fn is_ip_v4(text: &str) -> bool {
    // How many numbers there are, and the digits and the value of the last one.
    let (mut numbers, mut digits, mut value) = (1, 0, 0);
    for byte in text.bytes() {
        match byte {
            b'.' if digits == 0 => return false,
            b'.' => (numbers, digits, value) = (numbers + 1, 0, 0),
            b'0'..=b'9' if digits == 0 || value != 0 => {
                (digits, value) = (digits + 1, value * 10 + u32::from(byte - b'0'));
                if value > 255 {
                    return false;
                }
            }
            _ => return false,
        }
    }
    numbers == 4 && digits > 0
}

/// Eight groups of hexadecimal digits, or fewer with one `::`.
pub(super) fn is_ip_v6(text: &str) -> bool {
    let is_group =
        |group: &str| (1..=4).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_hexdigit());
    let groups = |text: &str| match text {
        "" => Some(0),
        text if text.split(':').all(is_group) => Some(text.split(':').count()),
        _ => None,
    };
    match text.split_once("::") {
        Some((head, tail)) => groups(head).zip(groups(tail)).is_some_and(|(head, tail)| head + tail <= 7),
        None => groups(text) == Some(8),
    }
}

/// Three numbers with points between, perhaps a `v` before and a suffix behind.
pub(super) fn is_version(text: &str) -> bool {
    let numbers = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let core_len = numbers.find(['-', '+']).unwrap_or(numbers.len());
    let (core, suffix) = numbers.split_at(core_len);
    let is_part = |part: &str| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (3..=4).contains(&core.split('.').count())
        && core.split('.').all(is_part)
        && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'))
}

/// `#rgb`, `#rrggbb` or `#rrggbbaa`.
pub(super) fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| matches!(hex.len(), 3 | 6 | 8) && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
