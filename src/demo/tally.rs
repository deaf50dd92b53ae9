//! Counts holes and wrong values in the table that the connector filled, from the table itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::{FieldPath, Step as PathStep};

use super::{Column, ColumnType, Sequence, Step, columns::guess_key, oracle};

/// Days that make a habit.
const HABIT_DAYS: u32 = 3;

/// Why a dump cannot be counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TallyError {
    /// A line is no row.
    #[error("line {0} of the dump is no JSON object with a `_day`")]
    Row(usize),
}

/// What came of one column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnTally {
    /// NULLs where a value was published, by day.
    pub holes: BTreeMap<String, u64>,
    /// Values other than the published one, by day; only labels can tell.
    pub wrong: BTreeMap<String, u64>,
}

/// What came of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows that are there.
    pub rows: u64,
    /// Days that were published and have no rows at all, or not all.
    pub missing_days: Vec<String>,
    /// By column, those without a fault left out.
    pub columns: BTreeMap<String, ColumnTally>,
}

impl Tally {
    /// All holes together.
    #[must_use]
    pub fn holes(&self) -> u64 {
        self.columns.values().flat_map(|column| column.holes.values()).sum()
    }

    /// All wrong values together.
    #[must_use]
    pub fn wrong(&self) -> u64 {
        self.columns.values().flat_map(|column| column.wrong.values()).sum()
    }
}

/// Counts a table, given as JSON lines in the order in which its rows were inserted, each with its `_day`.
///
/// With labels, every row is held against the record that was published: a hole is NULL where the labelled field has
/// a value, and anything else than that value is wrong. Of a field that the publisher put into another notation, unit
/// or set of words, only holes are counted from then on, as a mapping may rightly turn its values back.
///
/// Without labels, a hole is a NULL where the same entity (by a key guessed from the first day) had a value on all
/// days before, three at least, and where the publisher did not write null. Days that never parsed count as nothing.
///
/// # Errors
/// Where the dump is none.
pub fn tally(sequence: &Sequence, columns: &[Column], dump: &str) -> Result<Tally, TallyError> {
    let mut days: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
    let mut result = Tally::default();
    for (number, line) in dump.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row: Map<String, Value> = serde_json::from_str(line).map_err(|_| TallyError::Row(number + 1))?;
        let day = row.get("_day").and_then(Value::as_str).ok_or(TallyError::Row(number + 1))?.to_owned();
        days.entry(day).or_default().push(row);
        result.rows += 1;
    }
    let first_records = sequence.first_records();
    let key: Vec<&str> =
        guess_key(columns, &first_records).iter().map(|column| column.name.as_str()).collect();
    let mut habits = Habits::new();
    for step in &sequence.steps {
        let records = step.records();
        if records.is_empty() {
            continue;
        }
        let rows = days.get(&step.day()).map_or(&[][..], Vec::as_slice);
        if rows.len() < records.len() {
            result.missing_days.push(step.day());
        }
        if sequence.truth.is_some() {
            with_labels(sequence, columns, step, &records, rows, &mut result);
        } else if !rows.is_empty() {
            by_habit(columns, &key, step, &records, rows, &mut habits, &mut result);
        }
    }
    Ok(result)
}

fn with_labels(
    sequence: &Sequence,
    columns: &[Column],
    step: &Step,
    records: &[Value],
    rows: &[Map<String, Value>],
    result: &mut Tally,
) {
    let sources = oracle::sources(sequence, columns, step.step);
    for (column, source) in columns.iter().zip(sources) {
        let (mut holes, mut wrong) = (0, 0);
        for (index, record) in records.iter().enumerate() {
            let published =
                source.path.as_ref().and_then(|path| at(record, path)).filter(|value| !value.is_null());
            // A row that is missing is a row of holes.
            let stored =
                rows.get(index).and_then(|row| row.get(&column.name)).filter(|value| !value.is_null());
            match (published, stored) {
                (Some(published), None) if !is_blank_number(column, published) => holes += 1,
                (Some(published), Some(stored)) if !source.is_recast && !same(published, stored) => {
                    wrong += 1
                }
                (None, Some(_)) => wrong += 1,
                _ => {}
            }
        }
        count(result, column, step, holes, wrong);
    }
}

/// What was seen of one column on the days before: of the column as a whole, or of one entity in it.
#[derive(Clone, Copy, Default)]
struct Habit {
    days: u32,
    is_broken: bool,
}

impl Habit {
    /// Takes in one more day; `true` where a NULL breaks the habit. A break does not change the habit.
    fn breaks(&mut self, cell: CellKind) -> bool {
        match cell {
            CellKind::Filled => self.days += 1,
            CellKind::Missing if !self.is_broken && self.days >= HABIT_DAYS => return true,
            CellKind::Missing | CellKind::PublishedNull => self.is_broken = true,
        }
        false
    }
}

/// What a cell of the table is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CellKind {
    Filled,
    /// NULL, and so it was published, in the place of the first day.
    PublishedNull,
    /// NULL, and nobody knows why.
    Missing,
}

type Habits = BTreeMap<(usize, Option<String>), Habit>;

fn by_habit(
    columns: &[Column],
    key: &[&str],
    step: &Step,
    records: &[Value],
    rows: &[Map<String, Value>],
    habits: &mut Habits,
    result: &mut Tally,
) {
    let filled = |row: &Map<String, Value>, name: &str| row.get(name).is_some_and(|value| !value.is_null());
    let entity = |row: &Map<String, Value>| {
        let is_known = !key.is_empty() && key.iter().all(|name| filled(row, name));
        is_known.then(|| key.iter().map(|name| format!("{}\u{1f}", row[*name])).collect::<String>())
    };
    let entities: Vec<Option<String>> = rows.iter().map(entity).collect();
    for (index, column) in columns.iter().enumerate() {
        let is_key = key.contains(&column.name.as_str());
        let cells: Vec<CellKind> = rows
            .iter()
            .enumerate()
            .map(|(number, row)| {
                let published = records.get(number).and_then(|record| at(record, &column.path));
                match published {
                    _ if filled(row, &column.name) => CellKind::Filled,
                    Some(Value::Null) => CellKind::PublishedNull,
                    _ => CellKind::Missing,
                }
            })
            .collect();
        let worst =
            [CellKind::Missing, CellKind::PublishedNull].into_iter().find(|kind| cells.contains(kind));
        let whole = habits.entry((index, None)).or_default().breaks(worst.unwrap_or(CellKind::Filled));
        let mut holes = 0;
        for (cell, entity) in cells.iter().zip(&entities) {
            let breaks = match entity {
                Some(entity) if !is_key => {
                    habits.entry((index, Some(entity.clone()))).or_default().breaks(*cell)
                }
                // Without its key nobody knows whose row it is: the column as a whole has to tell.
                _ => whole && *cell == CellKind::Missing,
            };
            holes += u64::from(breaks);
        }
        count(result, column, step, holes, 0);
    }
}

fn count(result: &mut Tally, column: &Column, step: &Step, holes: u64, wrong: u64) {
    if holes == 0 && wrong == 0 {
        return;
    }
    let tally = result.columns.entry(column.name.clone()).or_default();
    if holes > 0 {
        tally.holes.insert(step.day(), holes);
    }
    if wrong > 0 {
        tally.wrong.insert(step.day(), wrong);
    }
}

fn at<'a>(record: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.steps().iter().try_fold(record, |value, step| match step {
        PathStep::Key(key) => value.as_object()?.get(&**key),
        PathStep::Index(index) => value.as_array()?.get(usize::try_from(*index).ok()?),
        PathStep::Each => None,
    })
}

/// An empty text in a column of numbers: NULL is the right way to store it.
fn is_blank_number(column: &Column, published: &Value) -> bool {
    matches!(column.column_type, ColumnType::Integer | ColumnType::Number | ColumnType::Boolean)
        && published.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Whether a stored value is the published one, in whatever notation: `13` and `"13"`, an instant with `T` or a
/// space. What is no scalar any more has no notation in a column.
fn same(published: &Value, stored: &Value) -> bool {
    if published == stored || published.is_array() || published.is_object() {
        return true;
    }
    if let (Some(published), Some(stored)) = (flag(published), flag(stored)) {
        return published == stored;
    }
    let (published, stored) = (text_of(published), text_of(stored));
    if published == stored {
        return true;
    }
    match (published.trim().parse::<f64>(), stored.trim().parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => instant(&published).is_some_and(|a| Some(a) == instant(&stored)),
    }
}

/// A yes or no, in JSON, as a word, or as SQLite keeps it.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

fn instant(text: &str) -> Option<jiff::civil::DateTime> {
    let text = text.trim();
    let local = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    local.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{columns, embedded, oracle_mapping};
    use super::*;
    use serde_json::json;

    /// The table of a connector that reads every column where `source` says.
    fn dump(
        sequence: &Sequence,
        columns: &[Column],
        source: impl Fn(&Column, usize, &Step) -> Option<FieldPath>,
    ) -> String {
        let mut lines = String::new();
        for step in &sequence.steps {
            for record in step.records() {
                let mut row = Map::from_iter([("_day".to_owned(), json!(step.day()))]);
                for (index, column) in columns.iter().enumerate() {
                    let value = source(column, index, step).and_then(|path| at(&record, &path).cloned());
                    row.insert(column.name.clone(), value.unwrap_or_default());
                }
                lines.push_str(&Value::Object(row).to_string());
                lines.push('\n');
            }
        }
        lines
    }

    #[test]
    fn labels_tell_holes_and_wrong_values() {
        let regions = &embedded().unwrap()[0];
        let columns = columns(&regions.first_records());
        let right = dump(regions, &columns, |_, index, step| {
            oracle_mapping(regions, &columns, step.step)[index].clone()
        });
        let counted = tally(regions, &columns, &right).unwrap();
        assert_eq!((counted.holes(), counted.wrong(), counted.rows), (0, 0, 39 * 21));

        let left_alone = dump(regions, &columns, |column, _, _| Some(column.path.clone()));
        let counted = tally(regions, &columns, &left_alone).unwrap();
        assert_eq!(counted.holes(), 2 * 27 * 21, "two columns from 2020-03-31 on");
        assert_eq!(counted.columns.len(), 2);
        assert!(counted.missing_days.is_empty());

        // The field that looks like the renamed one is not it.
        let misled = dump(regions, &columns, |column, index, step| {
            let path = oracle_mapping(regions, &columns, step.step)[index].clone();
            let is_renamed = column.name == "nuovi_attualmente_positivi" && step.step >= 12;
            if is_renamed { Some("$.nuovi_positivi".parse().unwrap()) } else { path }
        });
        let counted = tally(regions, &columns, &misled).unwrap();
        assert_eq!(counted.holes(), 0);
        assert!(counted.wrong() > 27 * 15, "{}", counted.wrong());

        let empty = tally(regions, &columns, "").unwrap();
        assert_eq!((empty.missing_days.len(), empty.rows), (39, 0));
        assert!(matches!(tally(regions, &columns, "{}"), Err(TallyError::Row(1))));
    }

    #[test]
    fn without_labels_a_hole_breaks_a_habit() {
        let mut provinces = embedded().unwrap().remove(1);
        provinces.truth = None;
        let columns = columns(&provinces.first_records());
        let left_alone = dump(&provinces, &columns, |column, _, _| Some(column.path.clone()));
        let counted = tally(&provinces, &columns, &left_alone).unwrap();
        let days = |name: &str| counted.columns[name].holes.keys().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(days("lat"), ["2020-06-25", "2020-06-27"], "renamed, back, and renamed again");
        assert_eq!(counted.columns["lat"].holes["2020-06-25"], 149, "all rows of the day");
        assert_eq!(days("note_it").len(), 12, "of 13 days, as the key was text on one");
        assert_eq!(counted.wrong(), 0);
    }

    #[test]
    fn notations_of_one_value() {
        for (published, stored, expected) in [
            (json!(13), json!("13"), true),
            (json!("066"), json!(66), true),
            (json!("2020-03-25T17:00:00"), json!("2020-03-25 17:00:00"), true),
            (json!(true), json!(1), true),
            (json!(0.1), json!(0.1 + 1e-17), true),
            (json!("yes"), json!(1), true),
            (json!(1), json!("1"), true),
            (json!(false), json!(1), false),
            (json!("a"), json!("b"), false),
            (json!("12"), json!("13"), false),
        ] {
            assert_eq!(same(&published, &stored), expected, "{published} {stored}");
        }
    }
}
