//! One file per framework: text in, text out.
//!
//! An adapter recognises a mapping file, reads what it maps, turns an [`Edit`] into a new text that differs in
//! nothing but that edit, and tells what the mapping makes of a sampled record. Shared laws hold for each: no edit,
//! same bytes; after an edit, reading shows exactly the asked change; an edit that does not fit is a [`Refusal`],
//! never a guess.

mod airbyte;
mod cell;
mod document;
pub mod field_map;
#[cfg(test)]
mod laws;

use std::collections::{BTreeMap, BTreeSet};

pub use cell::{Cell, Likeness};

pub use crate::model::Framework;
use crate::model::{FieldPath, JsonType, Mapping};
use crate::profile::{Format, SampledRecord};

/// Why a mapping file cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
#[non_exhaustive]
pub struct AdapterError {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong.
    pub reason: String,
}

impl AdapterError {
    fn at(line: u64, column: u64, reason: impl Into<String>) -> Self {
        Self { line, column, reason: reason.into() }
    }
}

/// Why an edit is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The mapping copes already: nothing to edit, the baseline can be accepted.
    #[error("the mapping handles it already: {0}")]
    AlreadyHandled(String),
    /// The mapping does not read this field.
    #[error("the mapping does not read `{0}`")]
    NotMapped(FieldPath),
    /// It cannot be done here, or not without a person.
    #[error("{0}")]
    Cannot(String),
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] AdapterError),
}

impl Refusal {
    fn cannot(reason: impl Into<String>) -> Self {
        Self::Cannot(reason.into())
    }
}

/// What is to become of a mapping, in no framework's words.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Edit {
    /// What stood at `from` stands at `to`.
    Reroute {
        /// The old path.
        from: FieldPath,
        /// The new path.
        to: FieldPath,
        /// The JSON types that it had, for mappings that do not declare one.
        types: Vec<JsonType>,
    },
    /// Values are to have these JSON types again.
    Recast {
        /// The field.
        path: FieldPath,
        /// The types that it had.
        types: Vec<JsonType>,
    },
    /// Values are to be in this notation again.
    Reformat {
        /// The field.
        path: FieldPath,
        /// The notation that it had.
        old: Format,
        /// The notation that it has.
        new: Format,
        /// The JSON types that it had.
        types: Vec<JsonType>,
    },
    /// Numbers are to be multiplied.
    Rescale {
        /// The field.
        path: FieldPath,
        /// What to multiply by.
        factor: f64,
        /// The JSON types that it had.
        types: Vec<JsonType>,
    },
    /// Letters are to be of this case again.
    Recase {
        /// The field.
        path: FieldPath,
        /// The case that they had.
        case: Case,
    },
    /// Words are to be replaced, new to old.
    Reword {
        /// The field.
        path: FieldPath,
        /// The old word for each new one.
        words: BTreeMap<String, String>,
    },
    /// Records sit elsewhere in the response.
    Records {
        /// The old place.
        from: FieldPath,
        /// The new place.
        to: FieldPath,
    },
    /// The endpoint has another path.
    Endpoint {
        /// The old path or address.
        from: String,
        /// The new one.
        to: String,
    },
}

impl Edit {
    /// The field that is edited; `$` for the stream as a whole.
    #[must_use]
    pub fn path(&self) -> FieldPath {
        match self {
            Self::Reroute { from, .. } => from.clone(),
            Self::Recast { path, .. }
            | Self::Reformat { path, .. }
            | Self::Rescale { path, .. }
            | Self::Recase { path, .. }
            | Self::Reword { path, .. } => path.clone(),
            Self::Records { .. } | Self::Endpoint { .. } => FieldPath::root(),
        }
    }
}

/// Upper or lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `pending`.
    Lower,
    /// `PENDING`.
    Upper,
}

/// What a mapping makes of one sampled record: its columns by name.
pub type Columns = BTreeMap<String, Cell>;

/// The framework of a mapping file, from its name and text.
#[must_use]
pub fn recognise(file_name: &str, text: &str) -> Option<Framework> {
    let name = file_name.to_ascii_lowercase();
    if ![".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    // The marks of each come first, so that a large file that is neither is not parsed for nothing.
    if text.contains("streams") {
        if airbyte::recognise(text) {
            return Some(Framework::AirbyteLowCode);
        }
        if field_map::recognise(text) {
            return Some(Framework::FieldMap);
        }
    }
    None
}

/// What a mapping file says.
///
/// # Errors
/// [`AdapterError`] with the place where it is not what the framework asks for.
pub fn read(framework: Framework, text: &str) -> Result<Mapping, AdapterError> {
    match framework {
        Framework::AirbyteLowCode => airbyte::read(text),
        Framework::FieldMap => field_map::read(text),
    }
}

/// The text of a mapping file after an edit of one stream; every byte that the edit is not about stays.
///
/// # Errors
/// [`Refusal`] where the edit does not fit.
pub fn edit(framework: Framework, text: &str, stream: &str, edit: &Edit) -> Result<String, Refusal> {
    match framework {
        Framework::AirbyteLowCode => airbyte::edit(text, stream, edit),
        Framework::FieldMap => field_map::edit(text, stream, edit),
    }
}

/// The columns of a stream that two versions of a mapping file fill in different ways.
///
/// # Errors
/// [`AdapterError`] where one of them cannot be read or has no such stream.
pub fn touched(
    framework: Framework,
    before: &str,
    after: &str,
    stream: &str,
) -> Result<BTreeSet<String>, AdapterError> {
    let (before, after) =
        (Evaluator::new(framework, before, stream)?, Evaluator::new(framework, after, stream)?);
    Ok(match (&before.0, &after.0) {
        (EvaluatorOf::Airbyte(before), EvaluatorOf::Airbyte(after)) => before.touched(after),
        (EvaluatorOf::FieldMap(before), EvaluatorOf::FieldMap(after)) => field_map::touched(before, after),
        (EvaluatorOf::Airbyte(_) | EvaluatorOf::FieldMap(_), _) => BTreeSet::new(),
    })
}

/// What a mapping makes of one stream's sampled records.
#[derive(Debug)]
pub struct Evaluator(EvaluatorOf);

#[derive(Debug)]
enum EvaluatorOf {
    Airbyte(airbyte::Evaluator),
    FieldMap(Box<field_map::StreamMap>),
}

impl Evaluator {
    /// For a stream of a mapping file.
    ///
    /// # Errors
    /// [`AdapterError`] where the file cannot be read or has no such stream.
    pub fn new(framework: Framework, text: &str, stream: &str) -> Result<Self, AdapterError> {
        let no_such = || AdapterError::at(1, 1, format!("there is no stream `{stream}`"));
        Ok(Self(match framework {
            Framework::AirbyteLowCode => {
                EvaluatorOf::Airbyte(airbyte::Evaluator::new(text, stream)?.ok_or_else(no_such)?)
            }
            Framework::FieldMap => {
                let map = field_map::FieldMap::parse(text)?;
                EvaluatorOf::FieldMap(Box::new(map.stream(stream).ok_or_else(no_such)?.clone()))
            }
        }))
    }

    /// The columns of a record.
    #[must_use]
    pub fn columns(&self, record: &SampledRecord) -> Columns {
        match &self.0 {
            EvaluatorOf::Airbyte(evaluator) => evaluator.columns(record),
            EvaluatorOf::FieldMap(map) => field_map::columns(map, record),
        }
    }
}
