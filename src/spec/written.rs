//! JSON and YAML as data, together with the keys that an object has twice.
//!
//! RFC 8259, section 4, leaves open what a repeated name means; readers take the last one, and whatever the first one
//! said is lost without a word.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How many repeated keys are told at most.
const MOST: usize = 100;

/// Data, and where an object has a key twice with another value.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) value: Value,
    /// The places, each as steps from the top.
    pub(super) twice: Vec<Vec<String>>,
}

impl Written {
    fn of(value: impl Into<Value>) -> Self {
        Self { value: value.into(), twice: Vec::new() }
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Written, E> {
        Ok(Written::of(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Written, E> {
        Ok(Written::of(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Written, E> {
        Ok(Written::of(value))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Written, E> {
        Ok(Written::of(Number::from_i128(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Written, E> {
        Ok(Written::of(Number::from_u128(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Written, E> {
        Ok(Written::of(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Written, E> {
        Ok(Written::of(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Written, E> {
        Ok(Written::of(value))
    }

    fn visit_none<E: Error>(self) -> Result<Written, E> {
        Ok(Written::default())
    }

    fn visit_unit<E: Error>(self) -> Result<Written, E> {
        Ok(Written::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Written, D::Error> {
        Written::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Written, D::Error> {
        Written::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Written, A::Error> {
        let (mut values, mut twice) = (Vec::new(), Vec::new());
        while let Some(one) = list.next_element::<Written>()? {
            below(&mut twice, &values.len().to_string(), one.twice);
            values.push(one.value);
        }
        Ok(Written { value: Value::Array(values), twice })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Written, A::Error> {
        let (mut object, mut twice) = (Map::new(), Vec::new());
        let mut repeated = BTreeSet::new();
        while let Some((key, one)) = members.next_entry::<String, Written>()? {
            below(&mut twice, &key, one.twice);
            if let Some(first) = object.insert(key.clone(), one.value)
                && object.get(&key) != Some(&first)
                && twice.len() < MOST
                && repeated.insert(key.clone())
            {
                twice.push(vec![key]);
            }
        }
        Ok(Written { value: Value::Object(object), twice })
    }
}

fn below(all: &mut Vec<Vec<String>>, step: &str, found: Vec<Vec<String>>) {
    for mut place in found.into_iter().take(MOST.saturating_sub(all.len())) {
        place.insert(0, step.to_owned());
        all.push(place);
    }
}
