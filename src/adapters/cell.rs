//! What a mapping makes of one sampled value, as far as a sample without texts can tell.

use crate::model::JsonType;
use crate::profile::{Format, SampleValue};

/// A value of a column. Samples keep no texts, so a converted string is known by what it stands for alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing there.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as f64 and as it was written, where it was.
    Number(f64, Option<String>),
    /// A string.
    Text {
        /// The keyed hash of its bytes, where they are those of the sample.
        hash: Option<u64>,
        /// The keyed hash of its letters and digits without case, where they are those of the sample.
        folded: Option<u64>,
        /// Its notation, where it is known.
        format: Option<Format>,
        /// What it is as a number or as an instant, where it is one.
        number: Option<f64>,
        /// The string itself, where the sample kept it.
        clear: Option<String>,
    },
    /// An array or object with its number of parts.
    Container(JsonType, u64),
    /// Something that the samples cannot tell.
    Opaque,
}

/// How two cells compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The same value.
    Equal,
    /// The same number, instant or letters in another notation.
    Alike,
    /// Another value.
    Different,
    /// The samples cannot tell.
    Unknown,
}

impl Cell {
    /// The cell that passes a sampled value on.
    #[must_use]
    pub fn of(value: &SampleValue) -> Self {
        match value {
            SampleValue::Null => Self::Null,
            SampleValue::Bool(flag) => Self::Bool(*flag),
            SampleValue::Number(number, written) => Self::Number(*number, Some(written.clone())),
            SampleValue::Text { hash, folded, format, number, clear, .. } => Self::Text {
                hash: Some(*hash),
                folded: Some(*folded),
                format: Some(*format),
                number: *number,
                clear: clear.clone(),
            },
            SampleValue::Container(json_type, count) => Self::Container(*json_type, *count),
        }
    }

    /// A text that a mapping makes; samples that keep texts by hash cannot be compared with its bytes.
    pub(super) fn text(text: String) -> Self {
        let format = Format::of(&text);
        let number = format.number_of(&text);
        Self::Text { hash: None, folded: None, format: Some(format), number, clear: Some(text) }
    }

    /// Whether there is a value.
    #[must_use]
    pub const fn is_filled(&self) -> bool {
        !matches!(self, Self::Null)
    }

    /// The JSON type, integers counted as numbers; `None` where it is null or unknown.
    #[must_use]
    pub const fn json_type(&self) -> Option<JsonType> {
        match self {
            Self::Null | Self::Opaque => None,
            Self::Bool(_) => Some(JsonType::Boolean),
            Self::Number(..) => Some(JsonType::Number),
            Self::Text { .. } => Some(JsonType::String),
            Self::Container(json_type, _) => Some(*json_type),
        }
    }

    /// Whether two cells hold the same value.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Likeness {
        let verdict = |same| if same { Likeness::Equal } else { Likeness::Different };
        match (self, other) {
            (Self::Opaque, _) | (_, Self::Opaque) => Likeness::Unknown,
            (Self::Null, Self::Null) => Likeness::Equal,
            (Self::Bool(a), Self::Bool(b)) => verdict(a == b),
            (Self::Number(a, _), Self::Number(b, _)) => verdict(near(*a, *b)),
            (Self::Container(a, m), Self::Container(b, n)) => verdict(a == b && m == n),
            (Self::Text { clear: Some(a), .. }, Self::Text { clear: Some(b), .. }) if a == b => {
                Likeness::Equal
            }
            (
                Self::Text { hash: a, folded: f, number: m, .. },
                Self::Text { hash: b, folded: g, number: n, .. },
            ) => match (a, b) {
                (Some(a), Some(b)) if a == b => Likeness::Equal,
                (Some(_), Some(_)) if f != g && m.zip(*n).is_none_or(|(m, n)| !near(m, n)) => {
                    Likeness::Different
                }
                _ => match (m.zip(*n), f.zip(*g)) {
                    (Some((m, n)), _) if near(m, n) => Likeness::Alike,
                    (_, Some((f, g))) if f == g => Likeness::Alike,
                    (None, None) => Likeness::Unknown,
                    _ => Likeness::Different,
                },
            },
            _ => Likeness::Different,
        }
    }
}

/// Equal up to what an f64 loses in a conversion.
fn near(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}
