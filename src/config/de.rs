//! A serde deserializer over a [`Tree`], whose errors say at which node they arose.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use super::tree::{Entry, Hidden, NodeId, Tree, Value};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A key that nothing reads.
    UnknownKey { key: String, valid: Vec<String> },
    /// A word that is not on the list.
    UnknownWord { word: String, valid: Vec<String> },
    /// A key that has to be there.
    Missing { key: String },
    /// Another kind of value.
    Type { expected: String, found: String },
    /// What the type itself says.
    Other(String),
}

/// Where it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Not known yet.
    Nowhere,
    /// At a value.
    Node(NodeId),
    /// Somewhere in a map that serde read into a buffer first (an enum tagged by `type`), where places are lost.
    Buffered(NodeId),
}

/// A mistake and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeError {
    pub(super) at: At,
    pub(super) what: What,
}

impl DeError {
    const fn new(what: What) -> Self {
        Self { at: At::Nowhere, what }
    }

    /// The innermost place wins.
    fn or_at(mut self, at: At) -> Self {
        if self.at == At::Nowhere {
            self.at = at;
        }
        self
    }
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for DeError {}

fn owned(words: &'static [&'static str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl de::Error for DeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(What::Other(message.to_string()))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(What::Type { expected: plain_words(&expected.to_string()), found: kind_of(unexpected) })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(word: &str, valid: &'static [&'static str]) -> Self {
        Self::new(What::UnknownWord { word: word.to_owned(), valid: owned(valid) })
    }

    fn unknown_field(key: &str, valid: &'static [&'static str]) -> Self {
        Self::new(What::UnknownKey { key: key.to_owned(), valid: owned(valid) })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(What::Missing { key: key.to_owned() })
    }
}

/// What was found, without the text itself: it may be a secret.
fn kind_of(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(flag) => format!("`{flag}`"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a text".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// serde's words for types, as somebody who writes YAML knows them.
fn plain_words(expected: &str) -> String {
    match expected {
        "a string" | "string" | "path string" | "a borrowed string" => "a text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        "u8" => "a whole number up to 255".to_owned(),
        "u16" => "a whole number up to 65535".to_owned(),
        "u32" | "u64" | "usize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        _ if expected.starts_with("internally tagged enum") => "a map with the key `type`".to_owned(),
        _ if expected.starts_with("struct ") => "a map".to_owned(),
        _ => expected.to_owned(),
    }
}

/// Reads one node.
#[derive(Clone, Copy)]
pub(super) struct De<'t> {
    pub(super) tree: &'t Tree,
    pub(super) hidden: &'t Hidden,
    pub(super) node: NodeId,
}

impl<'t> De<'t> {
    fn child(self, node: NodeId) -> Self {
        Self { node, ..self }
    }

    fn place<T>(self, result: Result<T, DeError>) -> Result<T, DeError> {
        result.map_err(|error| error.or_at(At::Node(self.node)))
    }

    /// Reads this node. An error that no visitor of the map itself made came from a buffer of it.
    fn read<T: DeserializeSeed<'t>>(self, seed: T) -> Result<T::Value, DeError> {
        seed.deserialize(self).map_err(|error| {
            error.or_at(match self.tree.value(self.node) {
                Value::Map(_) => At::Buffered(self.node),
                Value::Scalar { .. } | Value::List(_) => At::Node(self.node),
            })
        })
    }

    fn is_null(self) -> bool {
        matches!(self.tree.value(self.node), Value::Scalar { text, plain: true } if is_null(text))
    }

    fn mismatch<T>(self, expected: &str) -> Result<T, DeError> {
        let found = match self.tree.value(self.node) {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        };
        self.place(Err(DeError::new(What::Type { expected: expected.to_owned(), found: found.to_owned() })))
    }

    /// Any scalar but null is a text where one is wanted: `page: 1` and `version: 1.10` stay as written.
    fn text<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.tree.value(self.node) {
            Value::Scalar { text, .. } if !self.is_null() => self.place(visitor.visit_borrowed_str(text)),
            _ => self.mismatch("a text"),
        }
    }

    fn map<V: Visitor<'t>>(self, visitor: V, entries: &'t [Entry]) -> Result<V::Value, DeError> {
        visitor.visit_map(Entries { de: self, entries: entries.iter(), value: None })
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A plain scalar by the core schema of YAML 1.2, where `yes` and `off` are words.
fn visit_plain<'t, V: Visitor<'t>>(visitor: V, text: &'t str) -> Result<V::Value, DeError> {
    let radix = |prefix, radix| text.strip_prefix(prefix).and_then(|d| u64::from_str_radix(d, radix).ok());
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    match text {
        "true" | "True" | "TRUE" => visitor.visit_bool(true),
        "false" | "False" | "FALSE" => visitor.visit_bool(false),
        _ if is_null(text) => visitor.visit_unit(),
        _ if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            visitor.visit_borrowed_str(text)
        }
        _ => {
            if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
                return visitor.visit_u64(number);
            }
            if let Ok(number) = text.parse::<u64>() {
                return visitor.visit_u64(number);
            }
            if let Ok(number) = text.parse::<i64>() {
                return visitor.visit_i64(number);
            }
            match text.parse::<f64>() {
                Ok(number) if number.is_finite() => visitor.visit_f64(number),
                _ => visitor.visit_borrowed_str(text),
            }
        }
    }
}

impl<'t> Deserializer<'t> for De<'t> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.tree.value(self.node) {
            Value::Scalar { text, plain: true } => self.place(visit_plain(visitor, text)),
            Value::Scalar { text, plain: false } => self.place(visitor.visit_borrowed_str(text)),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Map(entries) => self.place(self.map(visitor, entries)),
        }
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'t>>
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 unit bytes byte_buf
    }

    fn deserialize_str<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.text(visitor)
    }

    fn deserialize_char<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.text(visitor)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        if self.is_null() {
            return self.place(visitor.visit_none());
        }
        self.place(visitor.visit_some(self))
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.place(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        let items: &[NodeId] = match self.tree.value(self.node) {
            Value::List(items) => items,
            // A key whose items are all commented out.
            Value::Scalar { .. } if self.is_null() => &[],
            Value::Scalar { .. } | Value::Map(_) => return self.mismatch("a list"),
        };
        self.place(visitor.visit_seq(Items { de: self, items: items.iter() }))
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _len: usize, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        let entries: &[Entry] = match self.tree.value(self.node) {
            Value::Map(entries) => entries,
            Value::Scalar { .. } if self.is_null() => &[],
            Value::Scalar { .. } | Value::List(_) => return self.mismatch("a map"),
        };
        self.place(self.map(visitor, entries))
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match self.tree.value(self.node) {
            Value::Scalar { .. } => self.place(visitor.visit_enum(Variant { de: self, entry: None })),
            Value::Map(entries) => {
                let mut shown = entries.iter().filter(|entry| !self.hidden.contains(&entry.value));
                match (shown.next(), shown.next()) {
                    (Some(entry), None) => {
                        self.place(visitor.visit_enum(Variant { de: self, entry: Some(entry) }))
                    }
                    _ => self.mismatch(&format!("a map with one key out of {}", list(variants))),
                }
            }
            Value::List(_) => self.mismatch(&format!("one of {}", list(variants))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_unit()
    }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

struct Entries<'t> {
    de: De<'t>,
    entries: std::slice::Iter<'t, Entry>,
    value: Option<NodeId>,
}

impl<'t> MapAccess<'t> for Entries<'t> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, DeError> {
        let hidden = self.de.hidden;
        let Some(entry) = self.entries.find(|entry| !hidden.contains(&entry.value)) else {
            return Ok(None);
        };
        self.value = Some(entry.value);
        // A mistake in a key is told at the value's node: the reader of errors knows the kinds that mean the key.
        seed.deserialize(de::value::BorrowedStrDeserializer::new(&entry.key))
            .map(Some)
            .map_err(|error: DeError| error.or_at(At::Node(entry.value)))
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, DeError> {
        let Some(node) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        self.de.child(node).read(seed)
    }
}

struct Items<'t> {
    de: De<'t>,
    items: std::slice::Iter<'t, NodeId>,
}

impl<'t> SeqAccess<'t> for Items<'t> {
    type Error = DeError;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, DeError> {
        let hidden = self.de.hidden;
        let Some(node) = self.items.find(|node| !hidden.contains(node)) else {
            return Ok(None);
        };
        self.de.child(*node).read(seed).map(Some)
    }
}

struct Variant<'t> {
    de: De<'t>,
    entry: Option<&'t Entry>,
}

impl<'t> EnumAccess<'t> for Variant<'t> {
    type Error = DeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'t>>(self, seed: V) -> Result<(V::Value, Self), DeError> {
        let (word, node) = match (self.entry, self.de.tree.value(self.de.node)) {
            (Some(entry), _) => (entry.key.as_str(), entry.value),
            (None, Value::Scalar { text, .. }) => (text.as_str(), self.de.node),
            (None, _) => ("", self.de.node),
        };
        match seed.deserialize(word.into_deserializer()) {
            Ok(value) => Ok((value, self)),
            Err(error) => {
                let mut error: DeError = error;
                // The word of a map is its key.
                if let (Some(_), What::UnknownWord { word, valid }) = (self.entry, &error.what) {
                    error.what = What::UnknownKey { key: word.clone(), valid: valid.clone() };
                }
                Err(error.or_at(At::Node(node)))
            }
        }
    }
}

impl<'t> VariantAccess<'t> for Variant<'t> {
    type Error = DeError;

    fn unit_variant(self) -> Result<(), DeError> {
        match self.entry {
            None => Ok(()),
            Some(_) => self.de.mismatch("a word alone"),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, seed: T) -> Result<T::Value, DeError> {
        match self.entry {
            Some(entry) => self.de.child(entry.value).read(seed),
            None => self.de.mismatch("a map with one key"),
        }
    }

    fn tuple_variant<V: Visitor<'t>>(self, _len: usize, visitor: V) -> Result<V::Value, DeError> {
        match self.entry {
            Some(entry) => self.de.child(entry.value).deserialize_seq(visitor),
            None => self.de.mismatch("a map with one key"),
        }
    }

    fn struct_variant<V: Visitor<'t>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match self.entry {
            Some(entry) => self.de.child(entry.value).deserialize_map(visitor),
            None => self.de.mismatch("a map with one key"),
        }
    }
}
