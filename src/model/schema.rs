//! JSON types and how often each was seen.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON type, with integers kept apart from other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JsonType {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number written without fraction and exponent.
    Integer,
    /// Any other number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl JsonType {
    /// Every type, in the order of [`TypeCounts`].
    pub const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object];

    /// The type of a value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// The word for it, as JSON Schema has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// How many values of each [`JsonType`] were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypeCounts([u64; 7]);

impl TypeCounts {
    /// Values of that type.
    #[must_use]
    pub const fn get(&self, json_type: JsonType) -> u64 {
        self.0[json_type as usize]
    }

    /// Counts one more value.
    pub const fn add(&mut self, json_type: JsonType) {
        self.0[json_type as usize] += 1;
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// These counts times a factor, rounded.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Self {
        for count in &mut self.0 {
            *count = (*count as f64 * by).round() as u64;
        }
        self
    }

    /// What is left of these counts without those of `other`, which are a part of them.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        for (count, part) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_sub(part);
        }
        self
    }

    /// Values of any type but null.
    #[must_use]
    pub fn non_null(&self) -> u64 {
        self.0[1..].iter().sum()
    }

    /// The types seen, null apart, integers counted as numbers where both occur.
    pub fn seen(&self) -> impl Iterator<Item = JsonType> {
        JsonType::ALL.into_iter().skip(1).filter(|t| self.get(*t) > 0)
    }
}
