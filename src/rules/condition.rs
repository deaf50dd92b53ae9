//! Conditions of a rule on the facts of a change.

use serde::Deserialize;
use serde_json::Value;

use crate::model::{Fact, Facts};

/// A condition on one fact. A fact that is not stated meets no condition but `not` and `present: false`.
///
/// Written as a plain value (`true`, `404`, `string`: is equal), a text that begins with an operator (`">= 0.05"`),
/// a list (is one of), or one of `{contains: WORD}`, `{not: CONDITION}`, `{all: [CONDITION, …]}`, `{present: true}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub enum Condition {
    /// The flag is that.
    Flag(bool),
    /// The number stands in that relation to another.
    Number(Operator, f64),
    /// The word is that.
    Text(String),
    /// One of these holds.
    AnyOf(Vec<Self>),
    /// All of these hold.
    All(Vec<Self>),
    /// The list of words has that one; a single word is a list of one.
    Contains(String),
    /// The other does not hold.
    Not(Box<Self>),
    /// The fact is stated, or is not.
    Present(bool),
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("!=", Operator::Unequal),
    ("==", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::More),
    ("=", Operator::Equal),
];

impl Operator {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::AtLeast => left >= right,
            Self::More => left > right,
        }
    }
}

impl Condition {
    /// Whether the facts meet the condition on the one of that name.
    #[must_use]
    pub fn holds(&self, name: &str, facts: &Facts) -> bool {
        match self {
            Self::Flag(flag) => facts.get(name) == Some(&Fact::Flag(*flag)),
            Self::Number(comparison, right) => {
                facts.number(name).is_some_and(|left| comparison.holds(left, *right))
            }
            Self::Text(text) => facts.text(name) == Some(text),
            Self::AnyOf(conditions) => conditions.iter().any(|condition| condition.holds(name, facts)),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(name, facts)),
            Self::Contains(word) => {
                facts.words(name).is_some_and(|words| words.contains(word)) || facts.text(name) == Some(word)
            }
            Self::Not(condition) => !condition.holds(name, facts),
            Self::Present(present) => facts.get(name).is_some() == *present,
        }
    }
}

impl TryFrom<Value> for Condition {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Bool(flag) => Ok(Self::Flag(flag)),
            Value::Number(number) => {
                Ok(Self::Number(Operator::Equal, number.as_f64().ok_or("a number out of range")?))
            }
            Value::String(text) => {
                let Some((rest, comparison)) =
                    OPERATORS.iter().find_map(|(sign, c)| Some((text.strip_prefix(sign)?, *c)))
                else {
                    return Ok(Self::Text(text));
                };
                let number = rest.trim().parse();
                number
                    .map(|number| Self::Number(comparison, number))
                    .map_err(|_| format!("`{text}`: a number is expected after the operator"))
            }
            Value::Array(values) => {
                values.into_iter().map(Self::try_from).collect::<Result<_, _>>().map(Self::AnyOf)
            }
            Value::Object(object) => {
                let mut members = object.into_iter();
                match (members.next(), members.next()) {
                    (Some((key, Value::String(word))), None) if key == "contains" => Ok(Self::Contains(word)),
                    (Some((key, Value::Bool(present))), None) if key == "present" => {
                        Ok(Self::Present(present))
                    }
                    (Some((key, Value::Array(inner))), None) if key == "all" => {
                        inner.into_iter().map(Self::try_from).collect::<Result<_, _>>().map(Self::All)
                    }
                    (Some((key, inner)), None) if key == "not" => Ok(Self::Not(Box::new(inner.try_into()?))),
                    _ => {
                        Err("a condition is a value, a list, or one of `contains: WORD`, `not: CONDITION`, \
                              `all: [CONDITION, …]`, `present: true`"
                            .to_owned())
                    }
                }
            }
            Value::Null => Err("a condition is missing".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_read_and_hold() {
        let facts = Facts::new()
            .with("share", 0.4)
            .with("class", "outage")
            .with("mapped", true)
            .with("to_types", vec!["string".to_owned(), "null".to_owned()]);
        for (name, condition, holds) in [
            ("share", json!(">= 0.4"), true),
            ("share", json!("< 0.4"), false),
            ("share", json!("!= 1"), true),
            ("class", json!("outage"), true),
            ("class", json!(["not-json", "outage"]), true),
            ("class", json!({"not": "outage"}), false),
            ("mapped", json!(true), true),
            ("mapped", json!(false), false),
            ("to_types", json!({"contains": "string"}), true),
            ("to_types", json!({"contains": "object"}), false),
            ("to_types", json!({"all": [{"contains": "null"}, {"not": {"contains": "object"}}]}), true),
            ("other", json!({"present": false}), true),
            ("other", json!("> 0"), false),
        ] {
            let read = Condition::try_from(condition.clone()).unwrap();
            assert_eq!(read.holds(name, &facts), holds, "{name}: {condition}");
        }
        for bad in [json!(">= many"), json!({"near": 1}), json!(null), json!({"not": "x", "contains": "y"})] {
            assert!(Condition::try_from(bad.clone()).is_err(), "{bad}");
        }
    }
}
