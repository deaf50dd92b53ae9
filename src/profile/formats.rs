//! Format classes of strings.

use serde::{Deserialize, Serialize};

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

    /// The class of a string.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text }
    }
}
