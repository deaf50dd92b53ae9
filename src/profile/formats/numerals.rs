//! Strings without letters: numbers in their notations, and dates and addresses in digits.

use super::{
    Format,
    classes::{
        APOSTROPHE, ByteClasses, COLON, COMMA, DIGIT, DOLLAR, DOT, HASH, HYPHEN, PERCENT, PLUS, SLASH, SPACE,
        only,
    },
    dates, words,
};

/// Instants in seconds between 2001-09-09 (10 digits) and 2100.
const EPOCH_SECONDS: std::ops::Range<u64> = 1_000_000_000..4_102_444_800;

/// The class of a string that has no letters; `None` where it is no numeral.
pub(super) fn without_letters(text: &str, found: ByteClasses) -> Option<Format> {
    if found == DIGIT {
        return Some(digits(text));
    }
    if found & DIGIT == 0 {
        return None;
    }
    if only(found, DIGIT | HYPHEN | PLUS) && is_integer(text) {
        let magnitude = text.trim_start_matches(['-', '+']);
        let padded = magnitude.len() > 1 && magnitude.starts_with('0');
        return Some(if padded { Format::ZeroPaddedText } else { Format::IntegerText });
    }
    if found == DIGIT | DOT && words::is_ip_v4(text) {
        return Some(Format::IpAddress);
    }
    if only(found, DIGIT | DOT | HYPHEN | PLUS) && is_decimal(text) {
        return Some(Format::DecimalText);
    }
    if found & (HYPHEN | COLON | SLASH | DOT) != 0 {
        let date = match found & (COLON | HYPHEN) {
            COLON => dates::time(text),
            0 => None,
            _ => dates::iso(text).map(|(format, _)| format),
        };
        if let Some(date) = date.or_else(|| dates::numeric(text)) {
            return Some(date);
        }
    }
    if found & PERCENT != 0 {
        let number = text.strip_suffix('%')?.trim_ascii_end();
        return is_number(number).then_some(Format::PercentText);
    }
    if found & DOLLAR != 0 {
        return currency(text);
    }
    if only(found, DIGIT | DOT | COMMA | SPACE | APOSTROPHE | HYPHEN | PLUS) && locale_number(text).is_some()
    {
        return Some(Format::LocaleNumber);
    }
    if only(found, DIGIT | DOT) && words::is_version(text) {
        return Some(Format::Version);
    }
    if found & HASH != 0 && words::is_color(text) {
        return Some(Format::Color);
    }
    if found & COLON != 0 && words::is_ip_v6(text) {
        return Some(Format::IpAddress);
    }
    None
}

/// The class of digits alone.
fn digits(text: &str) -> Format {
    if text.starts_with('0') && text.len() > 1 {
        return Format::ZeroPaddedText;
    }
    match text.len() {
        8 => dates::compact(text).unwrap_or(Format::IntegerText),
        10 if text.parse().is_ok_and(|seconds| EPOCH_SECONDS.contains(&seconds)) => Format::EpochSeconds,
        13 if text.parse().is_ok_and(|millis: u64| EPOCH_SECONDS.contains(&(millis / 1000))) => {
            Format::EpochMillis
        }
        _ => Format::IntegerText,
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits, a point, digits; the digits before the point may be left out; an exponent may follow.
pub(super) fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((whole, rest)) = unsigned.split_once('.') else { return false };
    let (fraction, exponent) = match rest.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (rest, None),
    };
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole) && !fraction.is_empty() && are_digits(fraction) && exponent.is_none_or(is_integer)
}

fn is_number(text: &str) -> bool {
    is_integer(text) || is_decimal(text) || locale_number(text).is_some()
}

/// The value of a number with thousands separators or a decimal comma, as Rust writes it.
pub(super) fn locale_number(text: &str) -> Option<String> {
    const GROUPERS: [char; 6] = [',', '.', ' ', '\'', '\u{a0}', '\u{202f}'];
    if text.len() > 64 {
        return None;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit())
        || !unsigned.ends_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    // The last separator is the decimal one if it is a point or comma that comes once and either differs from those
    // before it or leaves a group of other than three digits.
    let last = unsigned.rfind(GROUPERS)?;
    let last_char = unsigned[last..].chars().next()?;
    let (before, after) = (&unsigned[..last], &unsigned[last + last_char.len_utf8()..]);
    let is_decimal = matches!(last_char, ',' | '.')
        && !before.contains(last_char)
        && (after.len() != 3 || before.contains(GROUPERS) || before == "0");
    let (whole, fraction) = if is_decimal { (before, Some(after)) } else { (unsigned, None) };
    let mut groups = whole.split(GROUPERS);
    let head = groups.next()?;
    let mut separators = whole.chars().filter(|c| GROUPERS.contains(c));
    let first_separator = separators.next();
    let same = separators.all(|c| Some(c) == first_separator);
    let head_fits = first_separator.is_none() || (1..=3).contains(&head.len());
    let digits_alone = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let groups_fit = groups.clone().all(|group| group.len() == 3 && digits_alone(group));
    if !same || !head_fits || !digits_alone(head) || !groups_fit || !fraction.is_none_or(digits_alone) {
        return None;
    }
    // A point alone is plain decimal text, and no separator at all plain digits.
    if first_separator.is_none() && (fraction.is_none() || last_char == '.') {
        return None;
    }
    let mut number = if text.starts_with('-') { "-".to_owned() } else { String::new() };
    number.push_str(head);
    groups.for_each(|group| number.push_str(group));
    if let Some(fraction) = fraction {
        number.push('.');
        number.push_str(fraction);
    }
    Some(number)
}

const SIGNS: [char; 8] = ['$', '€', '£', '¥', '₹', '₽', '₩', '₺'];

/// The number in a text with a currency sign or code.
fn amount(text: &str) -> Option<&str> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let without_sign = unsigned.strip_prefix(SIGNS).or_else(|| unsigned.strip_suffix(SIGNS));
    if let Some(number) = without_sign {
        return Some(number.trim_matches([' ', '\u{a0}']));
    }
    if sign {
        return None;
    }
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let (first, last) = text.split_once([' ', '\u{a0}'])?;
    if is_code(first) {
        return Some(last);
    }
    let (number, code) = text.rsplit_once([' ', '\u{a0}'])?;
    is_code(code).then_some(number)
}

/// The class of a number with a currency sign or code.
pub(super) fn currency(text: &str) -> Option<Format> {
    amount(text).is_some_and(is_number).then_some(Format::CurrencyText)
}

/// The value of a number in a locale's notation, with a currency or with `%`.
pub(super) fn value(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%').map(str::trim_ascii_end).or_else(|| amount(text)).unwrap_or(text);
    let sign = if text.starts_with('-') && !number.starts_with('-') { -1.0 } else { 1.0 };
    let value: f64 = match locale_number(number) {
        Some(plain) => plain.parse().ok()?,
        None => number.parse().ok()?,
    };
    value.is_finite().then_some(sign * value)
}
