//! Conversions and types of columns.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil};
use serde_json::{Number, Value};

/// What a column holds; anything else becomes null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// A string.
    String,
    /// A number without a fraction.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A string that is a date, or a date and time.
    Datetime,
    /// Anything.
    Json,
}

impl FieldType {
    /// Every type, with its word.
    pub const ALL: [(&str, Self); 6] = [
        ("string", Self::String),
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("datetime", Self::Datetime),
        ("json", Self::Json),
    ];

    /// Whether a value is of this type; null is of each.
    #[must_use]
    pub fn fits(self, value: &Value) -> bool {
        value.is_null()
            || match self {
                Self::String => value.is_string(),
                Self::Integer => value.as_f64().is_some_and(|n| n.fract() == 0.0),
                Self::Number => value.is_number(),
                Self::Boolean => value.is_boolean(),
                Self::Datetime => value.as_str().is_some_and(|text| datetime(text).is_some()),
                Self::Json => true,
            }
    }
}

/// One step on the way from a value of the API to a value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Convert {
    /// A number from its text.
    ToNumber,
    /// A number without a fraction, from a number or its text.
    ToInteger,
    /// The text of a number or boolean; JSON text of anything larger.
    ToString,
    /// A boolean from its word.
    ToBoolean,
    /// One notation of dates and times.
    ToDatetime,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// White space at the ends taken off.
    Trim,
    /// Numbers times a factor.
    Multiply(f64),
    /// Other words for some; the rest stays.
    Map(BTreeMap<String, String>),
}

impl Convert {
    /// The conversions that are plain words.
    pub const WORDS: [(&str, Self); 8] = [
        ("to-number", Self::ToNumber),
        ("to-integer", Self::ToInteger),
        ("to-string", Self::ToString),
        ("to-boolean", Self::ToBoolean),
        ("to-datetime", Self::ToDatetime),
        ("lower", Self::Lower),
        ("upper", Self::Upper),
        ("trim", Self::Trim),
    ];

    /// Whether it decides the type of a column.
    #[must_use]
    pub const fn is_cast(&self) -> bool {
        matches!(self, Self::ToNumber | Self::ToInteger | Self::ToString | Self::ToBoolean | Self::ToDatetime)
    }

    /// The converted value; null where it cannot be.
    #[must_use]
    pub fn apply(&self, value: Value) -> Value {
        if value.is_null() {
            return value;
        }
        match self {
            Self::ToNumber => match value {
                Value::Number(_) => value,
                Value::String(text) => number(&text).map_or(Value::Null, Value::Number),
                _ => Value::Null,
            },
            Self::ToInteger => {
                let number = match value {
                    Value::Number(number) => Some(number),
                    Value::String(text) => number(&text),
                    _ => None,
                };
                number.and_then(|n| integer(&n)).map_or(Value::Null, Value::Number)
            }
            Self::ToString => match value {
                Value::String(_) => value,
                other => Value::String(other.to_string()),
            },
            Self::ToBoolean => to_boolean(&value).map_or(Value::Null, Value::Bool),
            Self::ToDatetime => match &value {
                Value::String(text) => datetime(text).map_or(Value::Null, Value::String),
                Value::Number(number) => number.as_f64().and_then(epoch).map_or(Value::Null, Value::String),
                _ => Value::Null,
            },
            Self::Lower => on_text(value, |text| text.to_lowercase()),
            Self::Upper => on_text(value, |text| text.to_uppercase()),
            Self::Trim => on_text(value, |text| text.trim().to_owned()),
            Self::Multiply(factor) => match value.as_f64() {
                Some(number) => scaled(number, *factor).map_or(Value::Null, Value::Number),
                None => Value::Null,
            },
            Self::Map(words) => on_text(value, |text| words.get(&text).cloned().unwrap_or(text)),
        }
    }
}

fn on_text(value: Value, change: impl FnOnce(String) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        other => other,
    }
}

/// A decimal number in a text.
fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    let digits = text.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Ok(number) = text.trim_start_matches('+').parse::<i64>() {
        return Some(number.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

fn integer(number: &Number) -> Option<Number> {
    if number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    // Beyond 2^53 an f64 no longer tells integers apart.
    number
        .as_f64()
        .filter(|n| n.fract() == 0.0 && n.abs() < 9_007_199_254_740_992.0)
        .map(|n| (n as i64).into())
}

/// A product without the noise of binary fractions: 12 significant digits are kept.
pub(super) fn scaled(number: f64, factor: f64) -> Option<Number> {
    let product: f64 = format!("{:.11e}", number * factor).parse().ok()?;
    let product = Number::from_f64(product)?;
    Some(integer(&product).unwrap_or(product))
}

fn to_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The one notation of a date and time: unchanged where it is `YYYY-MM-DDTHH:MM:SS`, with a fraction and `Z` or not.
pub(super) fn datetime(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) && matches!(text.len(), 10 | 13) {
        return text.parse().ok().and_then(epoch);
    }
    if let Ok(date) = text.parse::<civil::Date>()
        && text.len() == 10
    {
        return Some(format!("{date}T00:00:00"));
    }
    // A date and a time, with `T` or a space between them.
    if text.len() < 16 || !matches!(text.as_bytes()[10], b'T' | b't' | b' ') {
        return None;
    }
    let (date, time) = (&text[..10], &text[11..]);
    let zone = time.find(['Z', 'z', '+', '-']);
    let clock = zone.map_or(time, |at| &time[..at]);
    let iso = format!("{date}T{clock}");
    match zone.map(|at| &time[at..]) {
        None => iso.parse::<civil::DateTime>().ok().map(|_| with_seconds(iso)),
        Some("Z" | "z") => iso.parse::<civil::DateTime>().ok().map(|_| with_seconds(iso) + "Z"),
        Some(offset) => {
            let instant: Timestamp = format!("{iso}{offset}").parse().ok()?;
            Some(instant.to_string())
        }
    }
}

fn with_seconds(iso: String) -> String {
    if iso.len() == 16 { iso + ":00" } else { iso }
}

/// A date and time from Unix seconds or milliseconds: which of them, the size tells (milliseconds of any day after
/// 1973 are larger than the seconds of any year before 5138).
pub(super) fn epoch(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    let millis = if number.abs() >= 1e11 { number } else { number * 1_000.0 };
    if millis.abs() >= 1e14 {
        return None;
    }
    Some(Timestamp::from_millisecond(millis.round() as i64).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_of_any_notation_become_one() {
        let convert = Convert::ToDatetime;
        for (from, to) in [
            (json!("2020-03-31T17:00:00"), json!("2020-03-31T17:00:00")),
            (json!("2020-03-31 17:00:00"), json!("2020-03-31T17:00:00")),
            (json!("2020-03-31T17:00"), json!("2020-03-31T17:00:00")),
            (json!("2020-03-31T17:00:00Z"), json!("2020-03-31T17:00:00Z")),
            (json!("2020-03-31T17:00:00.120Z"), json!("2020-03-31T17:00:00.120Z")),
            (json!("2020-03-31T19:00:00+02:00"), json!("2020-03-31T17:00:00Z")),
            (json!("2020-03-31"), json!("2020-03-31T00:00:00")),
            (json!(1_585_674_000), json!("2020-03-31T17:00:00Z")),
            (json!(1_585_674_000_000_i64), json!("2020-03-31T17:00:00Z")),
            (json!("1585674000"), json!("2020-03-31T17:00:00Z")),
            (json!("yesterday"), Value::Null),
            (json!("2020-13-31T17:00:00"), Value::Null),
            (json!(1e300), Value::Null),
            (json!(true), Value::Null),
        ] {
            assert_eq!(convert.apply(from.clone()), to, "{from}");
        }
    }

    #[test]
    fn all_but_multiply_leave_the_wanted_shape_alone() {
        let map = Convert::Map(BTreeMap::from([("A".to_owned(), "active".to_owned())]));
        for (convert, value) in [
            (Convert::ToNumber, json!(1.5)),
            (Convert::ToInteger, json!(7)),
            (Convert::ToString, json!("007")),
            (Convert::ToBoolean, json!(false)),
            (Convert::ToDatetime, json!("2020-03-31T17:00:00.5")),
            (Convert::Lower, json!("pending")),
            (Convert::Trim, json!("x")),
            (map, json!("active")),
        ] {
            assert_eq!(convert.apply(value.clone()), value, "{convert:?}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(Convert::ToNumber.apply(json!(" 45.4642 ")), json!(45.4642));
        assert_eq!(Convert::ToNumber.apply(json!("1,5")), Value::Null);
        assert_eq!(Convert::ToNumber.apply(json!("inf")), Value::Null);
        assert_eq!(Convert::ToInteger.apply(json!("12.0")), json!(12));
        assert_eq!(Convert::ToInteger.apply(json!(12.5)), Value::Null);
        assert_eq!(Convert::Multiply(0.01).apply(json!(7)), json!(0.07));
        assert_eq!(Convert::Multiply(100.0).apply(json!(0.07)), json!(7));
    }
}
