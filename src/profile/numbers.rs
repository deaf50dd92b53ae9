//! What numbers look like.

use serde::{Deserialize, Serialize};
use wide::u8x16;

use super::{
    Bins, MinHashes, TopValues,
    formats::classes::{ByteClasses, COMMA, DOT},
    hashing::ValueHash,
    sketch::MinHashesTally,
    tokens::Token,
};

/// What numbers look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberProfile {
    /// How many.
    pub count: u64,
    /// The smallest; positive infinity where there is none.
    #[serde(with = "exact")]
    pub min: f64,
    /// The largest; negative infinity where there is none.
    #[serde(with = "exact")]
    pub max: f64,
    /// How many are below zero.
    pub negative: u64,
    /// How many are zero.
    pub zero: u64,
    /// How many have no fraction (however they are written).
    pub whole: u64,
    /// How many digits stand after the decimal point as written: index 0 to 7, the last for 7 and more.
    pub decimals: [u64; 8],
    /// Exact sum of the values, each rounded to 1e-6 and counted in that unit; values beyond 1e22 count as 1e22.
    #[serde(with = "exact")]
    pub sum_micros: i128,
    /// Quantiles.
    pub quantiles: Bins,
    /// How many values, as instants, would be Unix seconds, milliseconds, microseconds, nanoseconds between 1990 and 2100.
    pub epochs: [u64; 4],
    /// Distinct values.
    pub distinct: MinHashes,
    /// Frequent values, by canonical text; not kept for numbers that stand in strings.
    pub top: TopValues,
}

/// Numbers that come back from JSON as they went, whatever reads it: as text.
pub(super) mod exact {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::profile) fn serialize<T: Display, S: Serializer>(
        number: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(in crate::profile) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("a number as text is expected"))
    }
}

/// 1990-01-01 and 2100-01-01 in Unix seconds.
const EPOCH_FROM: f64 = 631_152_000.0;
const EPOCH_TO: f64 = 4_102_444_800.0;
/// Seconds, milliseconds, microseconds, nanoseconds; the spans of time in these units do not overlap.
const EPOCH_UNITS: [f64; 4] = [1.0, 1e3, 1e6, 1e9];

/// A number as it is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number<'a> {
    /// Its value; zero has one sign.
    pub(super) value: f64,
    /// How many digits stand after the decimal point as written.
    pub(super) decimals: usize,
    /// The digits of an integer that a double cannot hold: identifiers go that far.
    beyond_double: Option<&'a str>,
}

/// Powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 20] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
];
/// Up to here a double holds every integer.
const EXACT_INTEGERS: u64 = 1 << 53;

impl<'a> Number<'a> {
    /// Reads a JSON number.
    #[inline]
    pub(super) fn of(token: Token<'a>) -> Self {
        Self::of_short(token).unwrap_or_else(|| Self::of_text(token.text()))
    }

    /// A number of at most 15 digits and no exponent. As many bytes are taken whatever their number is, since that
    /// cannot be foretold.
    #[inline]
    fn of_short(token: Token<'a>) -> Option<Self> {
        const LETTERS: u128 = u128::from_le_bytes([0x40; 16]);
        let is_negative = token.bytes().first() == Some(&b'-');
        let len = token.len() - usize::from(is_negative);
        if !(1..=16).contains(&len) {
            return None;
        }
        let text = u128::from_le_bytes(token.back()) & u128::MAX << (128 - 8 * len);
        let points = u8x16::new(text.to_le_bytes()).simd_eq(u8x16::splat(b'.')).to_bitmask();
        if text & LETTERS != 0 || (points == 0 && len == 16) {
            return None;
        }
        let signed = |value: f64| f64::from_bits(value.to_bits() | u64::from(is_negative) << 63) + 0.0;
        if points == 0 {
            let value = signed(sixteen_digits(text) as f64);
            return Some(Self { value, decimals: 0, beyond_double: None });
        }
        // What stands before the point moves up to what stands behind it.
        let point = points.trailing_zeros();
        let before = (1_u128 << (8 * point)) - 1;
        let digits = (text & before) << 8 | text & !(before << 8 | 0xff);
        let decimals = 15 - point as usize;
        // Quotients of exact doubles are rounded once, so correctly (Clinger).
        let value = signed(sixteen_digits(digits) as f64 / POWERS_OF_TEN[decimals]);
        Some(Self { value, decimals, beyond_double: None })
    }

    fn of_text(raw: &'a str) -> Self {
        let (negative, unsigned) = match raw.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, raw),
        };
        let (mut mantissa, mut point) = (0_u64, unsigned.len());
        for (at, byte) in unsigned.bytes().enumerate() {
            match byte {
                b'0'..=b'9' => mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')),
                b'.' => point = at,
                _ => return Self::of_exponent(raw),
            }
        }
        let decimals = unsigned.len().saturating_sub(point + 1);
        // Quotients of exact doubles are rounded once, so correctly (Clinger); 19 digits fit into 64 bits.
        let value = match POWERS_OF_TEN.get(decimals) {
            Some(power) if unsigned.len() <= 19 && mantissa <= EXACT_INTEGERS => {
                let value = mantissa as f64 / power;
                if negative { -value } else { value }
            }
            _ => return Self::of_long(raw, decimals),
        };
        Self { value: value + 0.0, decimals, beyond_double: None }
    }

    #[cold]
    fn of_long(raw: &'a str, decimals: usize) -> Self {
        let value = raw.parse().unwrap_or(f64::NAN);
        let is_integer = raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        Self { value: value + 0.0, decimals, beyond_double: is_integer.then_some(raw) }
    }

    #[cold]
    fn of_exponent(raw: &'a str) -> Self {
        let value: f64 = raw.parse().unwrap_or(f64::NAN);
        let fraction = raw.split_once('.').map_or("", |(_, fraction)| fraction);
        let decimals = fraction.bytes().take_while(u8::is_ascii_digit).count();
        Self { value: value + 0.0, decimals, beyond_double: None }
    }

    /// A number that stands in a string, or the instant that a string tells.
    #[inline]
    pub(super) fn of_value(value: f64, text: &str, found: ByteClasses) -> Number<'static> {
        let decimals = if found & (DOT | COMMA) == 0 { 0 } else { decimals_of(text) };
        Number { value: value + 0.0, decimals, beyond_double: None }
    }

    /// The hash of the value, the same for all of its notations.
    #[inline]
    pub(super) fn hash(&self, key: &ValueHash) -> u64 {
        match self.beyond_double {
            Some(digits) => key.of(digits.as_bytes()),
            None => key.of_bits(self.value.to_bits()),
        }
    }

    /// The one text that stands for all notations of the value.
    pub(super) fn canonical(&self) -> String {
        match self.beyond_double {
            Some(digits) => digits.to_owned(),
            None => self.value.to_string(),
        }
    }
}

/// The value of sixteen digits, the first in the lowest byte; zeros may stand for leading digits.
#[inline]
const fn sixteen_digits(digits: u128) -> u64 {
    eight_digits(digits as u64) * 100_000_000 + eight_digits((digits >> 64) as u64)
}

/// The value of eight digits, the first in the lowest byte: pairs, then fours, then all of them (after Wojciech Muła,
/// "SIMD-ized ASCII to integer").
#[inline]
const fn eight_digits(digits: u64) -> u64 {
    let ones = digits & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

impl Default for NumberProfile {
    fn default() -> Self {
        Self {
            count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            negative: 0,
            zero: 0,
            whole: 0,
            decimals: [0; 8],
            sum_micros: 0,
            quantiles: Bins::default(),
            epochs: [0; 4],
            distinct: MinHashes::default(),
            top: TopValues::default(),
        }
    }
}

impl NumberProfile {
    /// The mean; `None` where there are no numbers.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_micros as f64 / 1e6 / self.count as f64)
    }

    /// The value below which a share `q` lies, within 0.8 % of a value (see [`Bins`]) and within the extremes.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if q <= 0.0 || q >= 1.0 {
            return (self.count > 0).then_some(if q <= 0.0 { self.min } else { self.max });
        }
        Some(self.quantiles.quantile(q)?.clamp(self.min, self.max))
    }

    /// The share of values at or below `value`.
    #[must_use]
    pub fn cdf(&self, value: f64) -> f64 {
        if value < self.min {
            0.0
        } else if value >= self.max {
            1.0
        } else {
            self.quantiles.cdf(value)
        }
    }

    /// The share that is written with that many decimals (7 stands for 7 and more).
    #[must_use]
    pub fn decimals_share(&self, decimals: usize) -> f64 {
        let count = self.decimals.get(decimals).copied().unwrap_or(0);
        if self.count == 0 { 0.0 } else { count as f64 / self.count as f64 }
    }

    /// Adds what `other` saw.
    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.negative += other.negative;
        self.zero += other.zero;
        self.whole += other.whole;
        self.decimals.iter_mut().zip(other.decimals).for_each(|(mine, more)| *mine += more);
        self.sum_micros = self.sum_micros.wrapping_add(other.sum_micros);
        self.quantiles.merge(&other.quantiles);
        self.epochs.iter_mut().zip(other.epochs).for_each(|(mine, more)| *mine += more);
        self.distinct.merge(&other.distinct);
        self.top.merge(&other.top);
    }
}

/// A [`NumberProfile`] while numbers come in.
#[derive(Debug, Default)]
pub(super) struct NumberTally {
    profile: NumberProfile,
    distinct: MinHashesTally,
}

impl NumberTally {
    /// Counts `weight` times a number that stands as such in JSON.
    pub(super) fn add(&mut self, number: &Number<'_>, weight: u64, key: &ValueHash) {
        let hash = self.add_value(number, weight, key);
        self.profile.top.add(hash, || number.canonical(), weight);
    }

    /// Counts `weight` times a number, frequent values apart; returns its hash.
    pub(super) fn add_value(&mut self, number: &Number<'_>, weight: u64, key: &ValueHash) -> u64 {
        let (profile, value) = (&mut self.profile, number.value);
        profile.count += weight;
        profile.min = profile.min.min(value);
        profile.max = profile.max.max(value);
        // Whether a value is one of these cannot be foretold, so each is counted without a branch.
        let count_if = |is_one: bool| weight * u64::from(is_one);
        profile.negative += count_if(value < 0.0);
        profile.zero += count_if(value == 0.0);
        // Beyond 2^53 a double has no fraction.
        let is_whole = (value.abs() >= 9_007_199_254_740_992.0) | ((value as i64) as f64 == value);
        profile.whole += count_if(is_whole);
        profile.decimals[number.decimals.min(7)] += weight;
        profile.sum_micros = profile.sum_micros.wrapping_add(micros(value) * i128::from(weight));
        profile.quantiles.add(value, weight);
        if value >= EPOCH_FROM
            && let Some(unit) = EPOCH_UNITS.iter().rposition(|unit| value >= EPOCH_FROM * unit)
            && value < EPOCH_TO * EPOCH_UNITS[unit]
        {
            profile.epochs[unit] += weight;
        }
        let hash = number.hash(key);
        self.distinct.add(hash);
        hash
    }

    /// The profile of the numbers that came in.
    pub(super) fn finish(mut self) -> NumberProfile {
        self.profile.distinct = self.distinct.finish();
        self.profile
    }
}

/// How many digits stand behind the last point or comma.
fn decimals_of(text: &str) -> usize {
    let point = text.bytes().rposition(|byte| matches!(byte, b'.' | b','));
    point.map_or(0, |point| text[point + 1..].bytes().take_while(u8::is_ascii_digit).count())
}

/// A value in units of 1e-6, halves away from zero; bounded so that sums of 10^10 values cannot overflow.
fn micros(value: f64) -> i128 {
    let scaled = value * 1e6;
    let rounded = scaled + 0.5_f64.copysign(scaled);
    if rounded.abs() < 9e18 { i128::from(rounded as i64) } else { rounded.clamp(-1e28, 1e28) as i128 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::HashKey;

    proptest! {
        /// Wherever in a text the number stands, since blocks of bytes around it are read.
        #[test]
        fn a_number_is_what_the_standard_library_reads(
            before in " {0,40}",
            raw in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?",
            behind in "[ ,}0-9.]{0,40}",
        ) {
            let text = format!("{before}{raw}{behind}");
            let end = before.len() + raw.len();
            let number = Number::of(Token::new(&text, before.len() as u32, end as u32));
            let value = raw.parse::<f64>().unwrap() + 0.0;
            prop_assert_eq!(number.value.to_bits(), value.to_bits(), "{}", raw);
            let fraction = raw.split(['e', 'E']).next().and_then(|mantissa| mantissa.split_once('.'));
            prop_assert_eq!(number.decimals, fraction.map_or(0, |(_, digits)| digits.len()), "{}", raw);
        }
    }

    #[test]
    fn one_value_has_one_text() {
        for (raw, text, decimals) in [
            ("13", "13", 0),
            ("7", "7", 0),
            ("12345678", "12345678", 0),
            ("123456789", "123456789", 0),
            ("999999999999999", "999999999999999", 0),
            ("9007199254740991", "9007199254740991", 0),
            ("-0", "0", 0),
            ("-0.0", "0", 1),
            ("0.00", "0", 2),
            ("100", "100", 0),
            ("100.0", "100", 1),
            ("12.50", "12.5", 2),
            ("1e2", "100", 0),
            ("1.5e-7", "0.00000015", 1),
            ("12345678901234567890123", "12345678901234567890123", 0),
            ("0.12345678901234567890", "0.12345678901234568", 20),
            ("-9007199254740993", "-9007199254740993", 0),
            ("1E-3", "0.001", 0),
        ] {
            let number = Number::of(Token::whole(raw));
            assert_eq!((number.canonical().as_str(), number.decimals), (text, decimals), "{raw}");
            assert_eq!(number.value, raw.parse::<f64>().unwrap(), "{raw}");
        }
    }

    #[test]
    fn counts_what_it_says() {
        let key = ValueHash::new(&HashKey::new([1; 16]));
        let mut tally = NumberTally::default();
        for raw in ["1585155600", "-2.50", "0", "0.1", "1585155600000"] {
            tally.add(&Number::of(Token::whole(raw)), 2, &key);
        }
        let profile = tally.finish();
        assert_eq!((profile.count, profile.negative, profile.zero, profile.whole), (10, 2, 2, 6));
        assert_eq!(profile.epochs, [2, 2, 0, 0]);
        assert_eq!(
            profile.sum_micros,
            2 * (1_585_155_600_000_000 - 2_500_000 + 100_000 + 1_585_155_600_000_000_000)
        );
        assert_eq!((profile.min, profile.max), (-2.5, 1_585_155_600_000.0));
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<NumberProfile>(&text).unwrap(), profile);
    }
}
