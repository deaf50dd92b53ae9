//! Format classes of strings.
//!
//! One pass gives the set of [byte classes](classes) in a string; the set decides which few recognisers are tried.

mod dates;
mod numerals;
mod words;

use serde::{Deserialize, Serialize};

use classes::{ByteClasses, COLON, HYPHEN, LETTERS, NOT_ASCII, SPACE};

/// What notation a string is in; the most specific one that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Nothing in it.
    Empty,
    /// RFC 3339 with `Z`, no fraction.
    DateTimeZ,
    /// RFC 3339 with `Z` and a fraction of a second.
    DateTimeFractionZ,
    /// RFC 3339 with a numeric offset.
    DateTimeOffset,
    /// ISO 8601 date and time with `T`, without a zone.
    DateTimeLocal,
    /// Date and time with a space between.
    DateTimeSpace,
    /// `2020-03-31`.
    Date,
    /// A date in another notation: `31/03/2020`, `03/31/2020`, `31.03.2020`, `20200331`, `Mar 31, 2020`.
    DateOther,
    /// RFC 2822 / HTTP date.
    DateRfc2822,
    /// `17:00:00`.
    Time,
    /// ISO 8601 duration.
    Duration,
    /// 10 digits in the range of Unix seconds.
    EpochSeconds,
    /// 13 digits in the range of Unix milliseconds.
    EpochMillis,
    /// Digits alone, perhaps with a sign.
    IntegerText,
    /// Digits with leading zeros.
    ZeroPaddedText,
    /// A decimal number with a point.
    DecimalText,
    /// A number in a locale's notation: decimal comma or thousands separators.
    LocaleNumber,
    /// A number with a currency sign or code.
    CurrencyText,
    /// A number with `%`.
    PercentText,
    /// `true`, `false`, `yes`, `no`, `on`, `off` in any case.
    BooleanWord,
    /// RFC 9562.
    Uuid,
    /// 26 characters of Crockford base 32.
    Ulid,
    /// At least 16 hexadecimal digits.
    Hex,
    /// Base64 of at least 16 characters that is not plain words.
    Base64,
    /// An e-mail address.
    Email,
    /// An absolute address with a scheme.
    Url,
    /// IPv4 or IPv6.
    IpAddress,
    /// A host name.
    Hostname,
    /// `1.2.3` with an optional suffix.
    Version,
    /// `#rrggbb`.
    Color,
    /// A lower-case prefix, `_`, and an opaque rest: `cus_9s6XKzkNRiz8i3`.
    PrefixedId,
    /// JSON in a string.
    JsonText,
    /// HTML or XML.
    Markup,
    /// One word in upper case with `_`, `-` or digits: `PENDING`, `USD`.
    UpperWord,
    /// One word in lower case with `_`, `-`, `.` or digits.
    LowerWord,
    /// One word in mixed case, or with other signs.
    Word,
    /// Anything else: several words.
    Text,
}

impl Format {
    /// The word for it, as reports print it.
    #[must_use]
    pub fn word(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(word)) => word,
            _ => String::new(),
        }
    }

    /// The class of a string. White space at its ends is passed over: it is counted apart.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::with_classes(text, classes::of(text))
    }

    /// The class of a string whose byte classes are known, with what it is as a number or an instant.
    #[inline]
    pub(super) fn read(text: &str, found: ByteClasses) -> (Self, Option<f64>) {
        // Instants are the commonest of all notations, and one look tells both.
        if found & (HYPHEN | COLON | SPACE) == HYPHEN | COLON
            && let Some((format, instant)) = dates::iso(text)
        {
            return (format, Some(instant));
        }
        let format = Self::with_classes(text, found);
        (format, format.number_of(text))
    }

    /// The class of a string whose byte classes are known.
    #[inline]
    pub(super) fn with_classes(text: &str, mut found: ByteClasses) -> Self {
        if text.is_empty() {
            return Self::Empty;
        }
        let mut trimmed = text;
        if found & SPACE != 0 {
            trimmed = text.trim_ascii();
            if trimmed.is_empty() {
                return Self::Text;
            }
            if trimmed.len() != text.len() {
                found = classes::of(trimmed);
            }
        }
        if trimmed.len() > LONGEST_NOTATION {
            return words::long_text(trimmed, found);
        }
        let numeral =
            if found & (LETTERS | NOT_ASCII) == 0 { numerals::without_letters(trimmed, found) } else { None };
        numeral.or_else(|| words::with_letters(trimmed, found)).unwrap_or(match found & SPACE {
            0 => words::word(found),
            _ => Self::Text,
        })
    }

    /// What a string of this class is as a number, or as an instant in Unix seconds; `None` where it is neither, or
    /// where its notation leaves that open (`03/04/2020`). A date is its midnight; without a zone, UTC is assumed.
    #[must_use]
    pub fn number_of(self, text: &str) -> Option<f64> {
        match self {
            Self::IntegerText | Self::ZeroPaddedText | Self::DecimalText | Self::EpochSeconds => {
                text.trim_ascii().parse().ok().filter(|number: &f64| number.is_finite())
            }
            Self::EpochMillis => text.trim_ascii().parse::<f64>().ok().map(|millis| millis / 1e3),
            Self::LocaleNumber | Self::CurrencyText | Self::PercentText => numerals::value(text.trim_ascii()),
            Self::DateTimeZ
            | Self::DateTimeFractionZ
            | Self::DateTimeOffset
            | Self::DateTimeLocal
            | Self::DateTimeSpace
            | Self::Date
            | Self::DateOther
            | Self::DateRfc2822 => dates::instant(text.trim_ascii()),
            Self::Empty
            | Self::Time
            | Self::Duration
            | Self::BooleanWord
            | Self::Uuid
            | Self::Ulid
            | Self::Hex
            | Self::Base64
            | Self::Email
            | Self::Url
            | Self::IpAddress
            | Self::Hostname
            | Self::Version
            | Self::Color
            | Self::PrefixedId
            | Self::JsonText
            | Self::Markup
            | Self::UpperWord
            | Self::LowerWord
            | Self::Word
            | Self::Text => None,
        }
    }

    /// Whether it tells a day or an instant.
    #[must_use]
    pub const fn is_instant(self) -> bool {
        matches!(
            self,
            Self::DateTimeZ
                | Self::DateTimeFractionZ
                | Self::DateTimeOffset
                | Self::DateTimeLocal
                | Self::DateTimeSpace
                | Self::Date
                | Self::DateOther
                | Self::DateRfc2822
                | Self::EpochSeconds
                | Self::EpochMillis
        )
    }

    /// Whether it is a number in some notation.
    #[must_use]
    pub const fn is_numeral(self) -> bool {
        matches!(
            self,
            Self::IntegerText
                | Self::ZeroPaddedText
                | Self::DecimalText
                | Self::LocaleNumber
                | Self::CurrencyText
                | Self::PercentText
                | Self::EpochSeconds
                | Self::EpochMillis
        )
    }
}

/// The instant that a string of a class tells, in Unix seconds; see [`Format::number_of`].
#[must_use]
pub fn instant_of(text: &str, format: Format) -> Option<f64> {
    if format.is_instant() { format.number_of(text) } else { None }
}

/// Longer strings are looked at by their ends alone: no notation but addresses, markup, JSON and Base64 is that long.
const LONGEST_NOTATION: usize = classes::HEAD;

/// Which classes of bytes a string holds, found in one pass.
pub(super) mod classes {
    use wide::u8x16;

    /// A set of byte classes.
    pub(in crate::profile) type ByteClasses = u32;

    pub(in crate::profile) const DIGIT: ByteClasses = 1;
    pub(in crate::profile) const HEX_LOWER: ByteClasses = 1 << 1;
    pub(in crate::profile) const OTHER_LOWER: ByteClasses = 1 << 2;
    pub(in crate::profile) const HEX_UPPER: ByteClasses = 1 << 3;
    pub(in crate::profile) const OTHER_UPPER: ByteClasses = 1 << 4;
    pub(in crate::profile) const SPACE: ByteClasses = 1 << 5;
    pub(in crate::profile) const HYPHEN: ByteClasses = 1 << 6;
    pub(in crate::profile) const DOT: ByteClasses = 1 << 7;
    pub(in crate::profile) const COLON: ByteClasses = 1 << 8;
    pub(in crate::profile) const UNDERSCORE: ByteClasses = 1 << 9;
    pub(in crate::profile) const SLASH: ByteClasses = 1 << 10;
    pub(in crate::profile) const PLUS: ByteClasses = 1 << 11;
    pub(in crate::profile) const COMMA: ByteClasses = 1 << 12;
    pub(in crate::profile) const AT: ByteClasses = 1 << 13;
    pub(in crate::profile) const EQUALS: ByteClasses = 1 << 14;
    pub(in crate::profile) const ANGLE: ByteClasses = 1 << 15;
    pub(in crate::profile) const PERCENT: ByteClasses = 1 << 16;
    pub(in crate::profile) const AMPERSAND: ByteClasses = 1 << 17;
    pub(in crate::profile) const DOLLAR: ByteClasses = 1 << 18;
    pub(in crate::profile) const HASH: ByteClasses = 1 << 19;
    pub(in crate::profile) const BRACKET: ByteClasses = 1 << 20;
    pub(in crate::profile) const APOSTROPHE: ByteClasses = 1 << 21;
    pub(in crate::profile) const OTHER: ByteClasses = 1 << 22;
    /// The lead bytes of U+00C0 to U+00FF: UTF-8 read as Latin-1 is full of them.
    pub(in crate::profile) const LATIN_LEAD: ByteClasses = 1 << 23;
    pub(in crate::profile) const OTHER_HIGH: ByteClasses = 1 << 24;

    pub(in crate::profile) const LOWER: ByteClasses = HEX_LOWER | OTHER_LOWER;
    pub(in crate::profile) const UPPER: ByteClasses = HEX_UPPER | OTHER_UPPER;
    pub(in crate::profile) const LETTERS: ByteClasses = LOWER | UPPER;
    pub(in crate::profile) const NOT_ASCII: ByteClasses = LATIN_LEAD | OTHER_HIGH;

    static TABLE: [ByteClasses; 256] = table();

    const fn table() -> [ByteClasses; 256] {
        let mut table = [OTHER; 256];
        let mut byte: u8 = 0;
        loop {
            table[byte as usize] = match byte {
                b'0'..=b'9' => DIGIT,
                b'a'..=b'f' => HEX_LOWER,
                b'g'..=b'z' => OTHER_LOWER,
                b'A'..=b'F' => HEX_UPPER,
                b'G'..=b'Z' => OTHER_UPPER,
                b' ' | b'\t' | b'\n' | b'\r' | 0xc => SPACE,
                b'-' => HYPHEN,
                b'.' => DOT,
                b':' => COLON,
                b'_' => UNDERSCORE,
                b'/' => SLASH,
                b'+' => PLUS,
                b',' => COMMA,
                b'@' => AT,
                b'=' => EQUALS,
                b'<' => ANGLE,
                b'%' => PERCENT,
                b'&' => AMPERSAND,
                b'$' => DOLLAR,
                b'#' => HASH,
                b'{' | b'[' => BRACKET,
                b'\'' => APOSTROPHE,
                0xc3 => LATIN_LEAD,
                0x80..=0xff => OTHER_HIGH,
                _ => OTHER,
            };
            if byte == u8::MAX {
                return table;
            }
            byte += 1;
        }
    }

    /// Of long texts, this much is looked at byte by byte.
    pub(in crate::profile) const HEAD: usize = 128;

    /// The classes of all bytes of a string. Of a text with white space near its start, what follows the first 128
    /// bytes is only searched for what is counted of texts: bytes beyond ASCII, `&` and `<`.
    #[inline]
    pub(in crate::profile) fn of(text: &str) -> ByteClasses {
        let bytes = text.as_bytes();
        match bytes.split_at_checked(HEAD) {
            None => of_all(bytes),
            Some((head, rest)) => of_long(head, rest),
        }
    }

    #[inline]
    fn of_all(bytes: &[u8]) -> ByteClasses {
        let all = |bytes: &[u8]| bytes.iter().fold(0, |found, byte| found | TABLE[usize::from(*byte)]);
        // Eight at a time, the last eight perhaps twice, so that few branches depend on the length.
        match bytes.last_chunk::<8>() {
            None => all(bytes),
            Some(last) => bytes.as_chunks::<8>().0.iter().fold(all(last), |found, word| found | all(word)),
        }
    }

    /// The classes of a long text; see [`of`].
    fn of_long(head: &[u8], rest: &[u8]) -> ByteClasses {
        let found = of_all(head);
        if found & SPACE == 0 {
            return found | of_all(rest);
        }
        let zero = u8x16::splat(0);
        let (blocks, behind) = rest.as_chunks::<16>();
        let mut last = [0; 16];
        last[..behind.len()].copy_from_slice(behind);
        let (high, ampersand, angle) =
            blocks.iter().chain([&last]).fold((zero, zero, zero), |(high, ampersand, angle), block| {
                let bytes = u8x16::new(*block);
                let is = |byte| bytes.simd_eq(u8x16::splat(byte));
                (high | bytes, ampersand | is(b'&'), angle | is(b'<'))
            });
        if high.to_bitmask() != 0 {
            return found | of_all(rest);
        }
        let class = |mask: u8x16, class: ByteClasses| if mask.to_bitmask() == 0 { 0 } else { class };
        found | class(ampersand, AMPERSAND) | class(angle, ANGLE)
    }

    /// The classes of an address that starts with `https://`, signs apart, which nobody asks for there; `None` for
    /// another string, and for one with something that is looked at more closely: white space, control characters, `&`,
    /// bytes beyond ASCII. Half of the strings of many APIs are addresses, and 16 bytes at a time tell all of it.
    #[inline]
    pub(in crate::profile) fn of_plain_address(text: &str) -> Option<ByteClasses> {
        let bytes = text.as_bytes();
        let last = bytes.last_chunk::<16>().filter(|_| bytes.starts_with(b"https://"))?;
        let zero = u8x16::splat(0);
        let (odd, upper) =
            bytes.as_chunks().0.iter().chain([last]).fold((zero, zero), |(odd, upper), part| {
                let part = u8x16::new(*part);
                let letter = part - u8x16::splat(b'A');
                let is_control_or_space = part.min(u8x16::splat(b' ')).simd_eq(part);
                let is_upper = letter.min(u8x16::splat(25)).simd_eq(letter);
                // The highest bit of each byte is what counts in the end.
                (odd | part | is_control_or_space | part.simd_eq(u8x16::splat(b'&')), upper | is_upper)
            });
        let upper = if upper.to_bitmask() == 0 { 0 } else { UPPER };
        (odd.to_bitmask() == 0).then_some(LOWER | COLON | SLASH | upper)
    }

    /// How many characters a string of these classes has.
    #[inline]
    pub(in crate::profile) fn count_characters(text: &str, found: ByteClasses) -> u64 {
        (if found & NOT_ASCII == 0 { text.len() } else { text.chars().count() }) as u64
    }

    /// The class of a byte.
    pub(in crate::profile) const fn of_byte(byte: u8) -> ByteClasses {
        TABLE[byte as usize]
    }

    /// Whether a set holds nothing but these classes.
    #[inline]
    pub(in crate::profile) const fn only(found: ByteClasses, allowed: ByteClasses) -> bool {
        found & !allowed == 0
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn addresses_are_those_of_the_standard_library(text in "[0-3]?[0-9]{0,2}(\\.[0-2]?[0-9]{0,2}){2,4}[.0-9a]?") {
            prop_assert_eq!(words::is_ip_v4(&text), text.parse::<Ipv4Addr>().is_ok(), "{}", text);
        }
    }

    #[test]
    fn every_notation_has_its_class() {
        use Format::*;
        for (text, expected) in [
            ("", Empty),
            ("2020-03-25T17:00:00Z", DateTimeZ),
            ("2020-03-25T17:00Z", DateTimeZ),
            ("2020-03-25T17:00:00.123456Z", DateTimeFractionZ),
            ("2020-03-25T17:00:00+02:00", DateTimeOffset),
            ("2020-03-25T17:00:00.5-0500", DateTimeOffset),
            ("2020-03-25T17:00:00", DateTimeLocal),
            ("2020-03-25T17:00:00.000", DateTimeLocal),
            ("2020-03-23 17:00:00", DateTimeSpace),
            ("2020-03-23 17:00:00+00:00", DateTimeSpace),
            ("2020-03-23 17:00:00 UTC", DateTimeSpace),
            ("2020-03-31", Date),
            ("2020-02-30", Word),
            ("2020-13-01", Word),
            ("2020-03-25T25:00:00Z", Word),
            ("31/03/2020", DateOther),
            ("03/31/2020", DateOther),
            ("31.03.2020", DateOther),
            ("20200331", DateOther),
            ("2020/03/31", DateOther),
            ("Mar 31, 2020", DateOther),
            ("31 March 2020", DateOther),
            ("31-Mar-2020", DateOther),
            ("03/31/2020 17:00", DateOther),
            ("Tue, 31 Mar 2020 17:00:00 GMT", DateRfc2822),
            ("31 Mar 2020 17:00:00 +0200", DateRfc2822),
            ("17:00:00", Time),
            ("17:00", Time),
            ("25:00", Word),
            ("P1DT2H30M", Duration),
            ("PT0.5S", Duration),
            ("P", UpperWord),
            ("1585155600", EpochSeconds),
            ("1585155600123", EpochMillis),
            ("9999999999", IntegerText),
            ("13", IntegerText),
            ("-13", IntegerText),
            ("0", IntegerText),
            ("066", ZeroPaddedText),
            ("00", ZeroPaddedText),
            ("42.35122196", DecimalText),
            ("-0.5", DecimalText),
            ("1.5e-7", DecimalText),
            ("1.234,56", LocaleNumber),
            ("1,234.56", LocaleNumber),
            ("12,5", LocaleNumber),
            ("1 234,56", LocaleNumber),
            ("1\u{a0}234,56", LocaleNumber),
            ("1,234,567", LocaleNumber),
            ("$12.50", CurrencyText),
            ("€ 1.234,56", CurrencyText),
            ("12.50 USD", CurrencyText),
            ("EUR 12", CurrencyText),
            ("12.5%", PercentText),
            ("12,5 %", PercentText),
            ("true", BooleanWord),
            ("Yes", BooleanWord),
            ("OFF", BooleanWord),
            ("123e4567-e89b-12d3-a456-426614174000", Uuid),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", Ulid),
            ("d41d8cd98f00b204e9800998ecf8427e", Hex),
            ("aGVsbG8gd29ybGQhIQ==", Base64),
            ("someone@example.org", Email),
            ("https://example.org/a?b=c#d", Url),
            ("s3://bucket/key", Url),
            ("192.168.0.1", IpAddress),
            ("2001:db8::1", IpAddress),
            ("api.example.org", Hostname),
            ("1.2.3", Version),
            ("v1.2.3-rc.1", Version),
            ("#ff8800", Color),
            ("cus_9s6XKzkNRiz8i3", PrefixedId),
            ("{\"a\": 1}", JsonText),
            ("[1, 2]", JsonText),
            ("<p>Hello</p>", Markup),
            ("see <b>here</b>", Markup),
            ("PENDING", UpperWord),
            ("USD", UpperWord),
            ("IN_PROGRESS-2", UpperWord),
            ("pending", LowerWord),
            ("in_progress", LowerWord),
            ("GHCND:USW00024233", Word),
            ("Pending", Word),
            ("Ä", Word),
            ("two words", Text),
            ("a < b and c", Text),
            (&format!("{}<br>{}", "word ".repeat(40), "word ".repeat(40)), Markup),
            (&format!("https://example.org/{}", "a/".repeat(90)), Url),
            (&"0123456789abcdef".repeat(9), Hex),
            (" USD ", UpperWord),
            ("  ", Text),
        ] {
            assert_eq!(Format::of(text), expected, "{text}");
        }
    }

    #[test]
    fn notations_of_one_value_are_one_number() {
        let number = |text: &str| Format::of(text).number_of(text);
        for text in [
            "2020-03-25T17:00:00Z",
            "2020-03-25T17:00:00.000Z",
            "2020-03-25T19:00:00+02:00",
            "2020-03-25T17:00:00",
            "2020-03-25 17:00:00",
            "1585155600",
            "1585155600000",
            "Wed, 25 Mar 2020 17:00:00 GMT",
            "25 Mar 2020 12:00:00 -0500",
            "25.03.2020 17:00",
        ] {
            assert_eq!(number(text), Some(1_585_155_600.0), "{text}");
        }
        for text in
            ["1234.5", "1.234,5", "1,234.5", "1 234,5", "$1,234.50", "1234.5%", "€ 1.234,50", "1'234.5"]
        {
            assert_eq!(number(text), Some(1234.5), "{text}");
        }
        assert_eq!(number("066"), Some(66.0));
        assert_eq!(number("1970-01-01"), Some(0.0));
        assert_eq!(number("25/03/2020"), Some(1_585_094_400.0));
        assert_eq!(number("03/25/2020"), Some(1_585_094_400.0));
        assert_eq!(number("03/04/2020"), None, "which is the month?");
        assert_eq!(number("-12,5"), Some(-12.5));
        assert_eq!(number("hello"), None);
    }

    #[test]
    fn long_texts_cost_their_length() {
        let long = "word ".repeat(1_000_000);
        assert_eq!(Format::of(&long), Format::Text);
        assert_eq!(Format::of(&format!("<div>{long}</div>")), Format::Markup);
        assert_eq!(Format::of(&"QUJD".repeat(100_000)), Format::Base64);
    }
}
