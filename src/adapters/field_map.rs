//! The field map: Drogue's own mapping file for connectors that are written by hand.
//!
//! YAML or JSON. Each stream lists its columns and where their values are read:
//!
//! ```yaml
//! version: 1
//! streams:
//!   regions:
//!     endpoint: /v1/regions            # optional, as are `method`, `records`, `primary_key` and `cursor`
//!     method: GET
//!     records: $[*]                    # where the records sit in a response
//!     primary_key: [region_code]       # columns
//!     cursor: day                      # a column
//!     fields:
//!       region_code: $.codice_regione  # column: path
//!       day: [$.date, $.data]          # the first path that is there and not null wins
//!       lat:                           # the long form
//!         from: [$.lat, $.latitudine]
//!         type: number                 # string | integer | number | boolean | datetime | json
//!         convert: to-number           # one conversion, or a list of them in order
//! ```
//!
//! Paths are JSONPath of names and indices, from the record down. Conversions, in the order in which they are
//! listed: `to-number`, `to-integer`, `to-string`, `to-boolean`, `to-datetime`, `lower`, `upper`, `trim`,
//! `{multiply: 0.01}`, `{map: {new: old}}`. All but `multiply` leave a value alone that is in the wanted shape
//! already, so that nothing breaks when a vendor takes a change back. A value that cannot be converted, or that does
//! not have the column's `type`, becomes null, as in a loader.
//!
//! - `to-datetime` reads RFC 3339, ISO 8601 without a zone, `YYYY-MM-DD HH:MM:SS`, `YYYY-MM-DD` and Unix seconds or
//!   milliseconds, and writes `YYYY-MM-DDTHH:MM:SS` with the fraction that was there, and `Z` where there was a zone;
//!   a local time stays local.
//! - `to-integer` and `to-number` read decimal numbers with a point; a fraction is no integer.
//! - `to-boolean` reads `true`, `yes`, `on`, `1` and their opposites.
//!
//! [`StreamMap::apply`] is the one definition of what a map means; connectors may call it or do the same.

mod convert;
mod edit;
mod read;
mod samples;

pub use convert::{Convert, FieldType};
pub(super) use edit::edit;
pub(super) use read::{read, recognise};
pub(super) use samples::{columns, touched};
use serde_json::{Map, Value};

use super::AdapterError;
use crate::model::{FieldPath, Step};

/// A whole field map.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldMap {
    /// The streams, in the order of the file.
    pub streams: Vec<StreamMap>,
}

/// How one stream's records become columns.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamMap {
    /// The stream's name.
    pub name: String,
    /// The request's path or address.
    pub endpoint: Option<String>,
    /// The request's method.
    pub method: String,
    /// Where the records sit in a response.
    pub records: Option<FieldPath>,
    /// The columns that tell records apart.
    pub primary_key: Vec<String>,
    /// The column that incremental reading goes by.
    pub cursor: Option<String>,
    /// The columns, in the order of the file.
    pub fields: Vec<FieldRule>,
}

/// How one column is filled.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldRule {
    /// The column.
    pub target: String,
    /// Where its value is read: the first one that is there and not null.
    pub from: Vec<FieldPath>,
    /// The type that it must have.
    pub kind: Option<FieldType>,
    /// What is done to it, in order.
    pub convert: Vec<Convert>,
}

impl FieldMap {
    /// Reads a field map.
    ///
    /// # Errors
    /// [`AdapterError`] with the place of what is wrong.
    pub fn parse(text: &str) -> Result<Self, AdapterError> {
        read::parse(text)
    }

    /// The stream of that name.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<&StreamMap> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}

impl StreamMap {
    /// The columns of a record, in the order of the file, each there even where it is null.
    #[must_use]
    pub fn apply(&self, record: &Value) -> Map<String, Value> {
        self.fields.iter().map(|field| (field.target.clone(), field.apply(record))).collect()
    }
}

impl FieldRule {
    /// The value of this column for a record.
    #[must_use]
    pub fn apply(&self, record: &Value) -> Value {
        let found = self.from.iter().filter_map(|path| at(record, path)).find(|value| !value.is_null());
        let mut value = found.cloned().unwrap_or(Value::Null);
        for convert in &self.convert {
            value = convert.apply(value);
        }
        match self.kind {
            Some(kind) if !kind.fits(&value) => Value::Null,
            _ => value,
        }
    }
}

/// The value at a path of names and indices.
fn at<'v>(record: &'v Value, path: &FieldPath) -> Option<&'v Value> {
    path.steps().iter().try_fold(record, |value, step| match step {
        Step::Key(key) => value.as_object()?.get(&**key),
        Step::Index(index) => value.as_array()?.get(usize::try_from(*index).ok()?),
        Step::Each => None,
    })
}
