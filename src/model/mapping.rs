//! Mappings: what a connector reads, as its own files declare it.

use serde::{Deserialize, Serialize};

use super::{FieldPath, JsonType};

/// What a connector is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framework {
    /// An Airbyte low-code manifest.
    AirbyteLowCode,
    /// A plain YAML or JSON field map, for connectors written by hand.
    FieldMap,
}

/// What a mapping declares of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredType {
    /// JSON types, null included where it is allowed.
    pub types: Vec<JsonType>,
    /// A format, such as `date-time`, in the words of JSON Schema.
    pub format: Option<String>,
}

/// One field that a mapping fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedField {
    /// Where the value is read, in order: the first one present wins.
    pub sources: Vec<FieldPath>,
    /// The column or output name.
    pub target: String,
    /// What is declared of it.
    pub declared: Option<DeclaredType>,
}

/// One stream of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedStream {
    /// Its name in the file.
    pub name: String,
    /// The request's path or address, as far as it is literal.
    pub endpoint: Option<String>,
    /// `GET` or `POST`.
    pub method: String,
    /// Where the records sit in the response.
    pub records: Option<FieldPath>,
    /// The primary key, by source paths.
    pub primary_key: Vec<FieldPath>,
    /// The field that incremental reading goes by.
    pub cursor: Option<FieldPath>,
    /// The fields it fills.
    pub fields: Vec<MappedField>,
    /// Whether fields that are not listed are passed on as well.
    pub passes_others: bool,
}

impl MappedStream {
    /// Whether the mapping reads this path, a part of it, or what is around it.
    #[must_use]
    pub fn reads(&self, path: &FieldPath) -> bool {
        let touches = |other: &FieldPath| other.starts_with(path) || path.starts_with(other);
        self.fields.iter().flat_map(|field| &field.sources).any(touches)
            || self.primary_key.iter().any(touches)
            || self.cursor.iter().any(touches)
    }
}

/// What the mapping files of a connector say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// What the connector is written in.
    pub framework: Framework,
    /// Its streams.
    pub streams: Vec<MappedStream>,
    /// Parts that could not be read, each with its place and reason; nothing is patched there.
    pub skipped: Vec<String>,
}

impl Mapping {
    /// The stream of that name.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<&MappedStream> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}
