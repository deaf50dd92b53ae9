//! What a manifest makes of a sampled record, for the transformations that are understood.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{AdapterError, Cell, Columns};
use super::jinja::Form;
use super::manifest::Manifest;
use super::read::{Addition, Transformation, column, transformations};
use crate::model::{FieldPath, JsonType};
use crate::profile::{Format, SampledRecord};

/// The transformations of one stream.
#[derive(Debug)]
pub(in super::super) struct Evaluator {
    steps: Vec<Transformation>,
}

impl Evaluator {
    /// For the stream of that name; `None` where there is none.
    pub(in super::super) fn new(text: &str, stream: &str) -> Result<Option<Self>, AdapterError> {
        let manifest = Manifest::parse(text)?;
        Ok(manifest.stream(stream).map(|stream| Self { steps: transformations(&manifest, &stream) }))
    }

    /// The columns that two lists of transformations fill in different ways.
    pub(in super::super) fn touched(&self, other: &Self) -> BTreeSet<String> {
        let common = self.steps.iter().zip(&other.steps).take_while(|(a, b)| a == b).count();
        self.steps[common..]
            .iter()
            .chain(&other.steps[common..])
            .filter_map(|step| match step {
                Transformation::Add(addition) => Some(column(&addition.target)),
                Transformation::Remove(path) => Some(column(path)),
                Transformation::Other => None,
            })
            .collect()
    }

    /// The columns of a record: its leaves, after the transformations.
    pub(in super::super) fn columns(&self, record: &SampledRecord) -> Columns {
        let mut cells: BTreeMap<FieldPath, Cell> =
            record.0.iter().map(|(path, value)| (path.clone(), Cell::of(value))).collect();
        for step in &self.steps {
            match step {
                Transformation::Add(addition) => add(&mut cells, addition),
                Transformation::Remove(path) => cells.retain(|known, _| !known.starts_with(path)),
                Transformation::Other => cells.values_mut().for_each(|cell| *cell = Cell::Opaque),
            }
        }
        let is_object = |cell: &Cell| matches!(cell, Cell::Container(JsonType::Object, _));
        cells
            .into_iter()
            .filter(|(path, cell)| !path.is_root() && !is_object(cell))
            .map(|(path, cell)| (column(&path), cell))
            .collect()
    }
}

fn add(cells: &mut BTreeMap<FieldPath, Cell>, addition: &Addition) {
    let Some((from, form)) = &addition.from else {
        cells.insert(addition.target.clone(), Cell::Opaque);
        return;
    };
    let found = cells.get(from).cloned();
    match found {
        None | Some(Cell::Null) if addition.keeps_old => {}
        // What an unguarded addition makes of nothing: `""` of a missing key, `"None"` of a null.
        None => {
            cells.insert(addition.target.clone(), Cell::text(String::new()));
        }
        Some(Cell::Null) => {
            cells.insert(addition.target.clone(), Cell::text("None".to_owned()));
        }
        Some(Cell::Container(..)) => {
            let parts: Vec<(FieldPath, Cell)> = cells
                .iter()
                .filter(|(path, _)| path.starts_with(from))
                .map(|(path, cell)| {
                    let mut steps = addition.target.steps().to_vec();
                    steps.extend_from_slice(&path.steps()[from.steps().len()..]);
                    (FieldPath::new(steps), cell.clone())
                })
                .collect();
            cells.retain(|path, _| !path.starts_with(&addition.target));
            cells.extend(parts);
        }
        Some(cell) => {
            if let Some(cell) = make(form, cell, addition.value_type.as_deref()) {
                cells.insert(addition.target.clone(), cell);
            }
        }
    }
}

/// What a form makes of a value; `None` where its condition does not hold.
fn make(form: &Form, cell: Cell, value_type: Option<&str>) -> Option<Cell> {
    let is_text = matches!(cell, Cell::Text { .. });
    let number = match &cell {
        Cell::Number(number, _) => Some(*number),
        _ => None,
    };
    match form {
        Form::Copy => Some(typed(cell, value_type)),
        Form::Lower | Form::Upper => is_text.then(|| match cell {
            Cell::Text { folded, number, clear, .. } => {
                let clear =
                    clear.map(|t| if *form == Form::Lower { t.to_lowercase() } else { t.to_uppercase() });
                match clear {
                    Some(clear) => Cell::text(clear),
                    None => Cell::Text { hash: None, folded, format: None, number, clear: None },
                }
            }
            other => other,
        }),
        Form::Boolean => match cell {
            Cell::Bool(_) => Some(cell),
            Cell::Number(n, _) if n == 0.0 || n == 1.0 => Some(Cell::Bool(n == 1.0)),
            Cell::Text { clear: Some(clear), .. } => match clear.to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(Cell::Bool(true)),
                "false" | "no" | "off" | "0" => Some(Cell::Bool(false)),
                _ => None,
            },
            Cell::Text { format: Some(Format::BooleanWord), .. } => Some(Cell::Opaque),
            _ => None,
        },
        Form::FromEpoch { notation, millis } => {
            let seconds = match &cell {
                Cell::Number(n, _) if n.fract() == 0.0 && *n >= 0.0 => {
                    Some(if *millis { n / 1_000.0 } else { *n })
                }
                Cell::Text { format: Some(Format::EpochSeconds | Format::EpochMillis), number, .. } => {
                    *number
                }
                _ => None,
            };
            seconds.map(|seconds| instant(seconds.floor(), notation))
        }
        Form::Notation(notation) => match &cell {
            Cell::Text { format: Some(format), .. } if notation_of(*format) == Some(notation) => Some(cell),
            Cell::Text { format: Some(format), number: Some(number), .. } if is_iso(*format) => {
                Some(instant(number.floor(), notation))
            }
            _ => None,
        },
        Form::ToEpoch { millis } => match &cell {
            Cell::Text { format: Some(format), number: Some(number), .. } if is_iso(*format) => {
                let number = if *millis { number * 1_000.0 } else { number.floor() };
                Some(typed(Cell::Number(number, Some(format!("{number:.0}"))), value_type))
            }
            _ => None,
        },
        Form::Scale { factor, whole } => number.map(|number| {
            let product = number * factor;
            let product = if *whole { product.round() } else { (product * 1e10).round() / 1e10 };
            Cell::Number(product, None)
        }),
        Form::Words(words) => is_text.then(|| match &cell {
            Cell::Text { clear: Some(clear), .. } => {
                words.get(clear).map_or_else(|| cell.clone(), |old| Cell::text(old.clone()))
            }
            // Which word it is, a hash does not tell.
            _ => Cell::Opaque,
        }),
    }
}

/// What the CDK makes of a rendered value: `value_type` keeps it a text unless it reads as that very type.
fn typed(cell: Cell, value_type: Option<&str>) -> Cell {
    match cell {
        Cell::Number(number, written) => {
            let written = written.unwrap_or_else(|| number.to_string());
            let whole = !written.contains(['.', 'e', 'E']);
            match value_type {
                None => Cell::Number(number, Some(written)),
                Some("integer") if whole => Cell::Number(number, Some(written)),
                Some("number") if !whole => Cell::Number(number, Some(written)),
                _ => Cell::text(written),
            }
        }
        Cell::Bool(flag) if !matches!(value_type, None | Some("boolean")) => {
            Cell::text(if flag { "True" } else { "False" }.to_owned())
        }
        Cell::Text { format: Some(format), number, .. } if value_type != Some("string") => {
            match (format, value_type) {
                (Format::IntegerText | Format::EpochSeconds, None | Some("integer")) => {
                    number.map_or(Cell::Opaque, |number| Cell::Number(number, Some(format!("{number}"))))
                }
                (Format::DecimalText, None | Some("number")) => {
                    number.map_or(Cell::Opaque, |number| Cell::Number(number, Some(format!("{number:?}"))))
                }
                (Format::EpochMillis | Format::JsonText | Format::BooleanWord, _) => Cell::Opaque,
                _ => cell,
            }
        }
        other => other,
    }
}

fn instant(seconds: f64, notation: &str) -> Cell {
    let format = match notation {
        "%Y-%m-%dT%H:%M:%SZ" => Some(Format::DateTimeZ),
        "%Y-%m-%dT%H:%M:%S" => Some(Format::DateTimeLocal),
        "%Y-%m-%d %H:%M:%S" => Some(Format::DateTimeSpace),
        "%Y-%m-%d" => Some(Format::Date),
        _ => None,
    };
    let number = if format == Some(Format::Date) { (seconds / 86_400.0).floor() * 86_400.0 } else { seconds };
    Cell::Text { hash: None, folded: None, format, number: Some(number), clear: None }
}

/// The notation of a format, in the words of `format_datetime`.
pub(super) const fn notation_of(format: Format) -> Option<&'static str> {
    Some(match format {
        Format::DateTimeZ => "%Y-%m-%dT%H:%M:%SZ",
        Format::DateTimeLocal => "%Y-%m-%dT%H:%M:%S",
        Format::DateTimeSpace => "%Y-%m-%d %H:%M:%S",
        Format::Date => "%Y-%m-%d",
        _ => return None,
    })
}

const fn is_iso(format: Format) -> bool {
    notation_of(format).is_some() || matches!(format, Format::DateTimeFractionZ | Format::DateTimeOffset)
}
