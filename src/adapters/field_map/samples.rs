//! What a field map makes of a sampled record: [`StreamMap::apply`] on values whose texts are not known.

use std::collections::BTreeSet;

use super::super::{Cell, Columns};
use super::convert::{datetime, epoch, scaled};
use super::{Convert, FieldRule, FieldType, StreamMap};
use crate::model::Step;
use crate::profile::{Format, SampleValue, SampledRecord};

/// The columns of a sampled record.
pub(in super::super) fn columns(map: &StreamMap, record: &SampledRecord) -> Columns {
    map.fields.iter().map(|field| (field.target.clone(), column(field, record))).collect()
}

/// The columns that two maps fill in different ways.
pub(in super::super) fn touched(before: &StreamMap, after: &StreamMap) -> BTreeSet<String> {
    let differ = |one: &FieldRule, other: &StreamMap| !other.fields.contains(one);
    let gone = before.fields.iter().filter(|field| differ(field, after));
    let new = after.fields.iter().filter(|field| differ(field, before));
    gone.chain(new).map(|field| field.target.clone()).collect()
}

fn column(field: &FieldRule, record: &SampledRecord) -> Cell {
    // Samples hold nothing of what is inside of arrays.
    if field.from.iter().any(|path| path.steps().iter().any(|step| matches!(step, Step::Index(_)))) {
        return Cell::Opaque;
    }
    let found =
        field.from.iter().filter_map(|path| record.0.get(path)).find(|v| !matches!(v, SampleValue::Null));
    let mut cell = found.map_or(Cell::Null, Cell::of);
    for convert in &field.convert {
        cell = apply(convert, cell);
    }
    match field.kind {
        Some(kind) if !fits(kind, &cell) => Cell::Null,
        _ => cell,
    }
}

fn apply(convert: &Convert, cell: Cell) -> Cell {
    if matches!(cell, Cell::Null | Cell::Opaque) {
        return cell;
    }
    match convert {
        Convert::ToNumber | Convert::ToInteger => {
            let number = match &cell {
                Cell::Number(number, _) => Some(*number),
                Cell::Text { clear: Some(text), .. } => text.trim().parse().ok(),
                Cell::Text { format: Some(format), number, .. } if is_number(*format) => *number,
                Cell::Text { format: None, .. } => return Cell::Opaque,
                _ => None,
            };
            match number {
                Some(number) if *convert == Convert::ToNumber || number.fract() == 0.0 => match cell {
                    Cell::Number(..) => cell,
                    _ => Cell::Number(number, None),
                },
                _ => Cell::Null,
            }
        }
        Convert::ToString => match cell {
            Cell::Number(number, written) => {
                let text = written.unwrap_or_else(|| number.to_string());
                Cell::text(text)
            }
            Cell::Bool(flag) => Cell::text(flag.to_string()),
            Cell::Container(..) => Cell::Opaque,
            other => other,
        },
        Convert::ToBoolean => match cell {
            Cell::Number(0.0, _) => Cell::Bool(false),
            Cell::Number(1.0, _) => Cell::Bool(true),
            Cell::Bool(_) => cell,
            Cell::Text { clear: Some(text), .. } => match Convert::ToBoolean.apply(text.into()) {
                serde_json::Value::Bool(flag) => Cell::Bool(flag),
                _ => Cell::Null,
            },
            Cell::Text { .. } => Cell::Opaque,
            _ => Cell::Null,
        },
        Convert::ToDatetime => to_datetime(cell),
        Convert::Lower | Convert::Upper | Convert::Trim => match cell {
            Cell::Text { folded, format, number, clear, .. } => match clear {
                Some(text) => match convert.apply(text.into()) {
                    serde_json::Value::String(text) => Cell::text(text),
                    _ => Cell::Opaque,
                },
                None => Cell::Text { hash: None, folded, format, number, clear: None },
            },
            other => other,
        },
        Convert::Multiply(factor) => match cell {
            Cell::Number(number, _) => match scaled(number, *factor).and_then(|n| n.as_f64()) {
                Some(number) => Cell::Number(number, None),
                None => Cell::Null,
            },
            _ => Cell::Null,
        },
        Convert::Map(words) => match &cell {
            Cell::Text { clear: Some(text), .. } => {
                words.get(text).map_or_else(|| cell.clone(), |w| Cell::text(w.clone()))
            }
            // Which word it is, a hash does not tell.
            Cell::Text { .. } => Cell::Opaque,
            _ => cell,
        },
    }
}

fn to_datetime(cell: Cell) -> Cell {
    match cell {
        Cell::Number(number, _) => match epoch(number) {
            Some(text) => Cell::Text {
                hash: None,
                folded: None,
                format: Some(Format::DateTimeZ),
                number: Some(if number.abs() >= 1e11 { number / 1_000.0 } else { number }),
                clear: Some(text),
            },
            None => Cell::Null,
        },
        Cell::Text { hash, folded, format, number, clear } => {
            let target = match format {
                Some(Format::DateTimeZ | Format::DateTimeFractionZ | Format::DateTimeLocal) => {
                    return Cell::Text { hash, folded, format, number, clear };
                }
                Some(Format::DateTimeOffset | Format::EpochSeconds | Format::EpochMillis) => {
                    Format::DateTimeZ
                }
                Some(Format::DateTimeSpace | Format::Date) => Format::DateTimeLocal,
                None => return Cell::Opaque,
                Some(_) => return Cell::Null,
            };
            let clear = clear.as_deref().and_then(datetime);
            Cell::Text { hash: None, folded: None, format: Some(target), number, clear }
        }
        _ => Cell::Null,
    }
}

const fn is_number(format: Format) -> bool {
    matches!(
        format,
        Format::IntegerText | Format::DecimalText | Format::ZeroPaddedText | Format::EpochSeconds
    )
}

pub(in super::super) const fn is_datetime(format: Format) -> bool {
    matches!(
        format,
        Format::DateTimeZ
            | Format::DateTimeFractionZ
            | Format::DateTimeOffset
            | Format::DateTimeLocal
            | Format::DateTimeSpace
            | Format::Date
            | Format::EpochSeconds
            | Format::EpochMillis
    )
}

fn fits(kind: FieldType, cell: &Cell) -> bool {
    match (kind, cell) {
        (_, Cell::Null | Cell::Opaque) | (FieldType::Json, _) => true,
        (FieldType::String, Cell::Text { .. }) | (FieldType::Boolean, Cell::Bool(_)) => true,
        (FieldType::Number, Cell::Number(..)) => true,
        (FieldType::Integer, Cell::Number(number, _)) => number.fract() == 0.0,
        (FieldType::Datetime, Cell::Text { format, .. }) => format.is_none_or(is_datetime),
        _ => false,
    }
}
