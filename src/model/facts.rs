//! Facts: named counts, ratios and words that carry the evidence of a change.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize, Serializer};

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    /// A yes or no.
    Flag(bool),
    /// A count, printed without a fraction.
    Count(u64),
    /// A ratio, a share or a statistic. What is not finite, such as a ratio to nothing, is written as a word: JSON has
    /// no number for it, and a `null` could not be read back.
    #[serde(serialize_with = "finite_or_word")]
    Number(f64),
    /// A word such as a type or a format; never a raw value out of a record unless it is a frequent one.
    Text(String),
    /// Several words.
    Words(Vec<String>),
}

/// Evidence by name, in the order of the names so that output is deterministic.
///
/// Rules state conditions on these names; the names that each [`super::ChangeKind`] carries are listed there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, Fact>);

impl Facts {
    /// No facts yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// These facts and one more.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<Fact>) -> Self {
        self.set(name, fact);
        self
    }

    /// States a fact, in place of an earlier one of the same name.
    pub fn set(&mut self, name: &str, fact: impl Into<Fact>) {
        self.0.insert(name.to_owned(), fact.into());
    }

    /// The fact of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// The fact of that name as a number, where it is one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Fact::Count(n) => Some(*n as f64),
            Fact::Number(n) => Some(*n),
            Fact::Flag(_) | Fact::Text(_) | Fact::Words(_) => None,
        }
    }

    /// The fact of that name as a word, where it is one.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Fact::Text(text) => Some(text),
            Fact::Flag(_) | Fact::Count(_) | Fact::Number(_) | Fact::Words(_) => None,
        }
    }

    /// The fact of that name as a list of words, where it is one.
    #[must_use]
    pub fn words(&self, name: &str) -> Option<&[String]> {
        match self.0.get(name)? {
            Fact::Words(words) => Some(words),
            Fact::Flag(_) | Fact::Count(_) | Fact::Number(_) | Fact::Text(_) => None,
        }
    }

    /// Every fact, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(name, fact)| (name.as_str(), fact))
    }

    /// Whether nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over every fact of `other`, in place of earlier ones of the same name.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

fn finite_or_word<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.is_finite() { serializer.serialize_f64(*number) } else { serializer.collect_str(number) }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{}", if *flag { "yes" } else { "no" }),
            Self::Count(count) => write!(f, "{count}"),
            Self::Number(number) if *number == 0.0 => f.write_str("0"),
            Self::Number(number) if number.abs() >= 1e6 || number.abs() < 1e-4 => write!(f, "{number:.3e}"),
            Self::Number(number) => {
                let text = format!("{number:.4}");
                f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
            }
            Self::Text(text) => f.write_str(text),
            Self::Words(words) => f.write_str(&words.join(", ")),
        }
    }
}

impl From<bool> for Fact {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
impl From<u64> for Fact {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}
impl From<usize> for Fact {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}
impl From<f64> for Fact {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}
impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<Vec<String>> for Fact {
    fn from(words: Vec<String>) -> Self {
        Self::Words(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_can_be_read_back() {
        for (number, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
            let facts = Facts::new().with("ratio", number);
            let written = serde_json::to_string(&facts).unwrap();
            let read: Facts = serde_json::from_str(&written).unwrap();
            assert_eq!(read.text("ratio"), Some(text));
        }
    }
}
