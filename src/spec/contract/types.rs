//! Types of a schema, and which of two allows more.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::spec::{ApiModel, schema::is_null_alone};

/// How values are written: JSON knows types, while in a path, a query or plain text everything is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Notation {
    /// JSON, or another notation with types.
    Typed,
    /// Text.
    Text,
    /// Text that may be given several times: a list with one entry is written as the entry.
    Repeated,
}

/// The types of one schema.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Types<'a> {
    /// JSON types, without null unless it stands alone; empty where any will do.
    pub(super) words: BTreeSet<&'a str>,
    pub(super) nullable: bool,
    pub(super) format: &'a str,
    /// Whether they come from alternatives that say nothing but a type.
    pub(super) from_branches: bool,
    pattern: Option<&'a str>,
    /// The types of the entries of an array.
    entries: Option<Box<Self>>,
}

/// How the types of one schema relate to those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// More is allowed now.
    Generalized,
    /// More is allowed now, since everything can be written as text.
    BecameText,
    /// Less is allowed now.
    Specialized,
    /// A list of types that grew.
    ListWidened,
    /// A list of types that shrank.
    ListNarrowed,
    /// Neither allows what the other does.
    Changed,
}

impl<'a> Types<'a> {
    pub(super) fn of(model: &'a ApiModel, node: &'a Value) -> Self {
        let mut types = Self::scalar(node);
        let flag = |key: &str| node.get(key).and_then(Value::as_bool).unwrap_or(false);
        types.nullable |= flag("nullable") || flag("x-nullable");
        if types.words.is_empty() && !types.nullable {
            types.add_branches(model, node);
        }
        types.entries = node.get("items").map(|items| Box::new(Self::scalar(model.resolve(items))));
        types
    }

    /// The types of a schema on their own.
    fn scalar(node: &'a Value) -> Self {
        let mut types = Self::default();
        match node.get("type") {
            Some(Value::String(word)) => types.add(word),
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).for_each(|w| types.add(w)),
            _ => {}
        }
        if node.get("type").is_some_and(is_null_alone) {
            types.words.insert("null");
        }
        types.format = node.get("format").and_then(Value::as_str).unwrap_or_default();
        types.pattern = node.get("pattern").and_then(Value::as_str);
        types
    }

    fn add(&mut self, word: &'a str) {
        if word == "null" {
            self.nullable = true;
        } else {
            self.words.insert(word);
        }
    }

    /// Alternatives that each name one simple type are a list of types by another notation.
    fn add_branches(&mut self, model: &'a ApiModel, node: &'a Value) {
        for key in ["oneOf", "anyOf"] {
            let Some(branches) = node.get(key).and_then(Value::as_array).filter(|b| !b.is_empty()) else {
                continue;
            };
            let simple = |branch: &'a Value| {
                let branch = model.resolve(branch);
                let word = branch.get("type")?.as_str()?;
                let only = branch.as_object()?.keys().all(|key| {
                    matches!(key.as_str(), "type" | "description" | "title") || is_annotation(key)
                });
                only.then_some(word)
            };
            let words: Option<Vec<&str>> = branches.iter().map(simple).collect();
            if let Some(words) = words {
                words.into_iter().for_each(|word| self.add(word));
                self.from_branches = true;
                return;
            }
        }
    }

    /// The types in words: `integer/int32`, `any`.
    pub(super) fn in_words(&self) -> String {
        let mut words = match self.words.len() {
            0 => "any".to_owned(),
            _ => self.words.iter().copied().collect::<Vec<_>>().join(" or "),
        };
        if !self.format.is_empty() {
            words = format!("{words}/{}", self.format);
        }
        words
    }

    /// How these types relate to later ones, null apart.
    pub(super) fn relation(&self, after: &Self, notation: Notation) -> Relation {
        if self.words == after.words && self.format == after.format {
            return Relation::Same;
        }
        // As alternatives; a list of types by itself is one type that is wide.
        let is_list = |types: &Self| types.from_branches;
        if notation == Notation::Repeated && after.lists(self) {
            return Relation::Generalized;
        }
        if (is_list(self) || is_list(after)) && !self.words.is_empty() && !after.words.is_empty() {
            let (lost, fresh) =
                (self.words.difference(&after.words).count(), after.words.difference(&self.words).count());
            match (lost, fresh) {
                (0, 0) => {}
                (0, _) => return Relation::ListWidened,
                (_, 0) => return Relation::ListNarrowed,
                _ if after.contains(self, notation) => return Relation::Generalized,
                _ if self.contains(after, notation) => return Relation::Specialized,
                _ => return Relation::Changed,
            }
        }
        match (after.contains(self, notation), self.contains(after, notation)) {
            (true, _) if !after.contains(self, Notation::Typed) => Relation::BecameText,
            (true, _) => Relation::Generalized,
            (false, true) => Relation::Specialized,
            (false, false) => Relation::Changed,
        }
    }

    /// Whether these are lists of `other`.
    fn lists(&self, other: &Self) -> bool {
        let Some(entries) = self.entries.as_deref().filter(|_| self.words.iter().eq(["array"].iter())) else {
            return false;
        };
        !other.words.contains("array")
            && entries.contains(other, Notation::Text)
            && (entries.pattern.is_none() || entries.pattern == other.pattern)
    }

    /// Whether every value of `other` is allowed here.
    fn contains(&self, other: &Self, notation: Notation) -> bool {
        if self.words.is_empty() {
            return self.format.is_empty() || self.format == other.format;
        }
        let text = notation != Notation::Typed && self.words.contains("string") && self.format.is_empty();
        let wide = |word: &str| {
            self.words.contains(word)
                || (word == "integer" && self.words.contains("number"))
                // Text holds whatever is written as text; a list in a path or query is another thing.
                || (text && (word != "array" || notation == Notation::Text))
        };
        if other.words.is_empty() || !other.words.iter().all(|word| wide(word)) {
            return false;
        }
        self.format.is_empty()
            || self.format == other.format
            || (self.words == other.words && holds(self.format, other.format))
    }
}

/// Whether every value of one format is one of another.
fn holds(wide: &str, narrow: &str) -> bool {
    matches!(
        (wide, narrow),
        ("double", "float")
            | ("int64" | "bigint", "int32")
            | ("bigint", "int64")
            | ("date-time", "date" | "time")
    )
}

/// Keywords that describe a schema and restrict nothing.
pub(in crate::spec) fn is_annotation(key: &str) -> bool {
    matches!(
        key,
        "title"
            | "description"
            | "example"
            | "examples"
            | "deprecated"
            | "externalDocs"
            | "$comment"
            | "xml"
            | "default"
            | "readOnly"
            | "writeOnly"
    ) || key.starts_with("x-")
}
