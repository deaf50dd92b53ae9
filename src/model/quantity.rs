//! Spans of time and sizes as people write them in a config.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span of time, written `90s`, `15m`, `2h`, `1d`, `1w` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(Duration);

/// A number of bytes, written `500`, `64kB`, `32MB` or `1GB` (powers of 1,000) or `32MiB` (powers of 1,024).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct QuantityError {
    text: String,
    what: &'static str,
}

const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

impl Period {
    /// A span of that many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// As the standard library has it.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// As jiff has it, to add to a timestamp.
    #[must_use]
    pub fn signed(self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_secs(i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX))
    }
}

impl FromStr for Period {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let fail = || QuantityError {
            text: text.to_owned(),
            what: "a span of time such as `90s`, `15m`, `2h`, `1d` or `1w`",
        };
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(fail());
        }
        let mut seconds: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let count: u64 = rest[..digits].parse().map_err(|_| fail())?;
            rest = rest[digits..].trim_start();
            let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..letters]).ok_or_else(fail)?;
            seconds = count.checked_mul(*unit).and_then(|s| seconds.checked_add(s)).ok_or_else(fail)?;
            rest = rest[letters..].trim_start();
        }
        // A hundred years: beyond it, adding to a timestamp could overflow.
        if seconds > 3_155_760_000 {
            return Err(fail());
        }
        Ok(Self::from_secs(seconds))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut seconds = self.0.as_secs();
        if seconds == 0 {
            return f.write_str("0s");
        }
        let mut space = "";
        for (name, unit) in UNITS {
            if seconds >= unit {
                write!(f, "{space}{}{name}", seconds / unit)?;
                seconds %= unit;
                space = " ";
            }
        }
        Ok(())
    }
}

impl FromStr for ByteSize {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let fail =
            || QuantityError { text: text.to_owned(), what: "a size such as `64kB`, `32MB` or `1GiB`" };
        let text_trimmed = text.trim();
        let digits = text_trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(text_trimmed.len());
        let count: u64 = text_trimmed[..digits].parse().map_err(|_| fail())?;
        let unit: u64 = match text_trimmed[digits..].trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            _ => return Err(fail()),
        };
        count.checked_mul(unit).map(Self).ok_or_else(fail)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, name) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")] {
            if self.0 >= unit && self.0.is_multiple_of(unit) {
                return write!(f, "{}{name}", self.0 / unit);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a size is expected, such as `64kB`, `32MB` or `1GiB`")]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(bytes) => Ok(Self(bytes)),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_what_they_read() {
        for text in ["90s", "15m", "1h 30m", "1d", "2w"] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }
        assert!("15".parse::<Period>().is_err());
        assert!("-1m".parse::<Period>().is_err());
        assert!("99999999999999w".parse::<Period>().is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!("32MB".parse::<ByteSize>().unwrap().0, 32_000_000);
        assert_eq!("1GiB".parse::<ByteSize>().unwrap().0, 1 << 30);
        assert_eq!(ByteSize(64_000).to_string(), "64kB");
        assert!("lots".parse::<ByteSize>().is_err());
    }
}
