//! The columns that a team would have made on the first day, and the mapping that it would have written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    model::{FieldPath, HashKey},
    profile::{ProfileOptions, Profiler, find_keys},
};

/// SQLite takes 2,000 columns; nobody writes that many by hand.
const MAX_COLUMNS: usize = 500;
const MAX_DEPTH: usize = 8;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// True or false.
    Boolean,
    /// Dates with a time.
    Datetime,
    /// Text, and whatever was never seen.
    String,
}

impl ColumnType {
    /// The word for it in a field map.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Datetime => "datetime",
            Self::String => "string",
        }
    }
}

/// One column and the field that fills it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name: the names on the path, joined by `_`.
    pub name: String,
    /// Where the value is on the first day.
    pub path: FieldPath,
    /// What it holds.
    pub column_type: ColumnType,
}

/// A column for every scalar field outside of arrays, in the order of their first appearance.
#[must_use]
pub fn columns(records: &[Value]) -> Vec<Column> {
    let mut order: Vec<FieldPath> = Vec::new();
    let mut seen: BTreeMap<FieldPath, Seen> = BTreeMap::new();
    for record in records {
        collect(record, &FieldPath::root(), &mut order, &mut seen);
    }
    // SQLite tells column names apart without regard to case, and the connector has a column `_day` of its own.
    let mut taken = BTreeSet::from(["_day".to_owned()]);
    order
        .into_iter()
        .filter_map(|path| {
            let column_type = seen.get(&path)?.column_type()?;
            let name = name_of(&path, &mut taken);
            Some(Column { name, path, column_type })
        })
        .take(MAX_COLUMNS)
        .collect()
}

/// What was seen at a path; several of them, because a field may be an object here and null there.
#[derive(Default, Clone, Copy)]
struct Seen {
    boolean: bool,
    integer: bool,
    number: bool,
    string: bool,
    datetime: bool,
    container: bool,
}

impl Seen {
    /// `None` for what no column can hold.
    const fn column_type(self) -> Option<ColumnType> {
        if self.container {
            return None;
        }
        let is_number = self.integer || self.number;
        Some(match (self.string, self.datetime, self.boolean, is_number) {
            (false, true, false, false) => ColumnType::Datetime,
            (false, false, true, false) => ColumnType::Boolean,
            (false, false, false, true) if self.number => ColumnType::Number,
            (false, false, false, true) => ColumnType::Integer,
            _ => ColumnType::String,
        })
    }
}

fn collect(
    value: &Value,
    path: &FieldPath,
    order: &mut Vec<FieldPath>,
    seen: &mut BTreeMap<FieldPath, Seen>,
) {
    if !path.is_root() {
        // Far more than will become columns: the rest of a hostile record costs nothing.
        if !seen.contains_key(path) {
            if seen.len() >= 8 * MAX_COLUMNS {
                return;
            }
            order.push(path.clone());
        }
        let seen = seen.entry(path.clone()).or_default();
        match value {
            Value::Null => {}
            Value::Bool(_) => seen.boolean = true,
            Value::Number(number) if number.is_f64() => seen.number = true,
            Value::Number(_) => seen.integer = true,
            Value::String(text) if is_datetime(text) => seen.datetime = true,
            Value::String(_) => seen.string = true,
            Value::Array(_) | Value::Object(_) => seen.container = true,
        }
    }
    if let Value::Object(members) = value
        && path.steps().len() < MAX_DEPTH
    {
        for (key, member) in members {
            collect(member, &path.child(key), order, seen);
        }
    }
}

fn is_datetime(text: &str) -> bool {
    let is_long = (16..=40).contains(&text.len()) && text.as_bytes()[10].is_ascii();
    is_long && (text.parse::<jiff::civil::DateTime>().is_ok() || text.parse::<jiff::Timestamp>().is_ok())
}

fn name_of(path: &FieldPath, taken: &mut BTreeSet<String>) -> String {
    let mut base = String::new();
    for step in path.steps() {
        if let crate::model::Step::Key(key) = step {
            if !base.is_empty() {
                base.push('_');
            }
            base.extend(key.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).take(60));
        }
    }
    if !base.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        base.insert(0, '_');
    }
    let mut name = base.clone();
    let mut number = 2;
    while !taken.insert(name.to_lowercase()) {
        name = format!("{base}_{number}");
        number += 1;
    }
    name
}

/// The field map that a team would have written on the first day: a column for every scalar field outside of arrays.
///
/// The primary key is `key`, or, where that is empty or not among the columns, a guess. The paths in the map are
/// relative to one record; the records are the elements of the response.
#[must_use]
pub fn first_mapping(stream: &str, records: &[Value], key: &[FieldPath]) -> String {
    use std::fmt::Write as _;
    let columns = columns(records);
    let known: Vec<&Column> = columns.iter().filter(|column| key.contains(&column.path)).collect();
    let key = if known.is_empty() { guess_key(&columns, records) } else { known };
    let key: Vec<String> = key.iter().map(|column| scalar(&column.name)).collect();
    // Writing to a string cannot fail.
    let mut out = String::from(
        "# What the connector reads and where it puts it: `column: path in the record`, with a type\n\
         # where it is not text. Written on the first day.\nversion: 1\nstreams:\n",
    );
    let _ = writeln!(out, "  {}:\n    records: $[*]", scalar(stream));
    if !key.is_empty() {
        let _ = writeln!(
            out,
            "    # No two records of a day share these.\n    primary_key: [{}]",
            key.join(", ")
        );
    }
    out.push_str("    fields:\n");
    let mut group = None;
    for column in &columns {
        if group != Some(column.column_type) {
            let _ = writeln!(out, "      # {}", heading(column.column_type));
            group = Some(column.column_type);
        }
        let (name, path) = (scalar(&column.name), scalar(&column.path.to_string()));
        match column.column_type {
            ColumnType::String => {
                let _ = writeln!(out, "      {name}: {path}");
            }
            other => {
                let _ = writeln!(out, "      {name}:\n        from: {path}\n        type: {}", other.word());
            }
        }
    }
    out
}

const fn heading(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Integer => "whole numbers",
        ColumnType::Number => "numbers",
        ColumnType::Boolean => "yes or no",
        ColumnType::Datetime => "moments",
        ColumnType::String => "text",
    }
}

/// The columns that tell the records of a day apart, as far as one day can say.
pub(super) fn guess_key<'a>(columns: &'a [Column], records: &[Value]) -> Vec<&'a Column> {
    let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new([0; 16])));
    for record in records {
        profiler.record(record.to_string().as_bytes());
    }
    find_keys(&profiler.finish())
        .iter()
        .map(|key| columns.iter().filter(|column| key.paths.contains(&column.path)).collect::<Vec<_>>())
        .find(|key| !key.is_empty())
        .unwrap_or_default()
}

/// A text as a YAML scalar: as it is where that is safe in a list and as a key, in quotes everywhere else.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'));
    let is_reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if is_word && !is_reserved && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        // A JSON string is a YAML scalar in double quotes.
        Value::String(text.to_owned()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::embedded;
    use super::*;
    use serde_json::json;

    #[test]
    fn the_map_of_the_first_day() {
        let regions = &embedded().unwrap()[0];
        insta::assert_snapshot!(first_mapping("regioni", &regions.first_records(), &[]));
    }

    #[test]
    fn nested_odd_and_hostile_names() {
        let records = [
            json!({
                "id": 1, "ID": 2, "on": true, "_day": "x", "a b": {"c: #\n": null, "list": [1]}, "1st": 1.5,
                "when": "2020-03-19 17:00:00", "deep": {"er": {"est": "x"}}, "mixed": 1
            }),
            json!({"id": 2, "mixed": "x", "when": null}),
            json!({"id": 3}),
        ];
        let columns = columns(&records);
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(
            names,
            ["id", "ID_2", "on", "_day_2", "a_b_c____", "_1st", "when", "deep_er_est", "mixed"]
        );
        assert_eq!(columns[6].column_type, ColumnType::Datetime);
        assert_eq!(columns[8].column_type, ColumnType::String);
        let yaml = first_mapping("s t", &records, &[]);
        let read: Value = serde_saphyr::from_str(&yaml).unwrap();
        let stream = &read["streams"]["s t"];
        assert_eq!(stream["primary_key"], json!(["id"]));
        assert_eq!(stream["fields"]["a_b_c____"], json!("$['a b']['c: #\\u000a']"));
        assert_eq!(stream["fields"]["on"], json!({"from": "$.on", "type": "boolean"}));
        for column in &columns {
            assert!(stream["fields"].get(&column.name).is_some(), "{}", column.name);
        }
    }
}
