//! A table, or a list of definitions, as fields: a column of names, and what the others say of each.

use std::collections::BTreeSet;

use super::{
    Field,
    words::{self, Words},
};
use crate::spec::sections::Row;

/// Rows of one table that are read.
const MAX_ROWS: usize = 2_000;
/// Steps of one name: `a.b[].c` has four.
const MAX_STEPS: usize = 12;
/// A name is no sentence.
const MAX_NAME: usize = 160;

/// The steps to a field; those into the elements of a list are `[]`.
pub(super) type Path = Vec<String>;
/// The step into the elements of a list.
pub(super) const EACH: &str = "[]";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name(Naming),
    Type,
    Required,
    /// The same said the other way round.
    Optional,
    Nullable,
    Default,
    Format,
    Values,
    Place,
    /// Text for people.
    About,
}

/// What the heading of the column of names says that they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Fields,
    Parameters,
    Headers,
    Anything,
}

/// One field of a table.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) path: Path,
    pub(super) name: String,
    pub(super) field: Field,
    /// Where a parameter goes, where the table says so.
    pub(super) place: Option<&'static str>,
    /// What is said for people.
    pub(super) text: String,
    /// Its row among those that were given.
    pub(super) row: usize,
}

/// A table as fields.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) naming: Naming,
    /// Whether the types of half of them are told.
    pub(super) is_typed: bool,
    /// Whether a column says which of them must be given.
    pub(super) asks: bool,
    pub(super) entries: Vec<Entry>,
}

fn column(head: &str) -> Column {
    let words = head.to_lowercase().replace(['`', '*', '?', ':'], "");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = words.strip_suffix(" name").unwrap_or(&words);
    let last = bare.rsplit(' ').next().unwrap_or(bare);
    match words.as_str() {
        "type" | "data type" | "datatype" | "value type" | "field type" | "json type" | "schema" => {
            return Column::Type;
        }
        "required" | "mandatory" | "is required" | "required/optional" => return Column::Required,
        "optional" => return Column::Optional,
        "nullable" | "null" | "can be null" => return Column::Nullable,
        "default" | "default value" => return Column::Default,
        "format" => return Column::Format,
        "values" | "enum" | "allowed values" | "possible values" | "options" => return Column::Values,
        "in" | "location" | "located in" | "parameter type" | "param type" => return Column::Place,
        "name" => return Column::Name(Naming::Anything),
        _ => {}
    }
    // What a column is about is its last word: `Response field`.
    match last {
        _ if bare.split(' ').count() > 2 => Column::About,
        "field" | "fields" | "attribute" | "attributes" | "property" | "properties" | "column" => {
            Column::Name(Naming::Fields)
        }
        "key" if bare == "key" => Column::Name(Naming::Anything),
        "parameter" | "parameters" | "param" | "argument" | "arguments" => Column::Name(Naming::Parameters),
        "header" => Column::Name(Naming::Headers),
        _ => Column::About,
    }
}

/// The heads of a table that stand on a line of text, parted by nothing but space, as in a PDF; `None` where the line is
/// none of heads, names first and types second.
pub(in crate::spec) fn plain_heads(line: &str) -> Option<Vec<String>> {
    let heads: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let is_known = |head: &String| column(head) != Column::About || head.eq_ignore_ascii_case("description");
    let begins = matches!(heads.first().map(|head| column(head)), Some(Column::Name(_)))
        && heads.get(1).is_some_and(|head| column(head) == Column::Type);
    (begins && heads.len() <= 3 && heads.iter().all(is_known)).then_some(heads)
}

/// The cells of a line below such heads: a name, words of its type, and the rest; `None` where it is none.
pub(in crate::spec) fn plain_row(line: &str, heads: &[String]) -> Option<Vec<String>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (name, rest) = words.split_first()?;
    steps(name)?;
    // As many words as make a type.
    let is_type = |count: &usize| Words::of(&rest[..*count].join(" ")).are_all_known();
    let count = (1..=rest.len().min(6)).take_while(is_type).last()?;
    let mut cells = vec![(*name).to_owned(), rest[..count].join(" ")];
    if heads.len() > 2 {
        cells.push(rest[count..].join(" "));
    } else if count < rest.len() {
        return None;
    }
    Some(cells)
}

/// The fields of a table; `None` where it is none of fields, or where one of its rows cannot be read: no guess is made.
pub(super) fn read(rows: &[&Row]) -> Option<Fields> {
    let first = rows.first()?;
    if rows.len() > MAX_ROWS {
        return None;
    }
    let in_heads = |cells: &[String]| cells.iter().map(|head| column(head)).collect::<Vec<_>>();
    let (columns, skip) = if !first.heads.is_empty() {
        (in_heads(&first.heads), 0)
    } else {
        let columns = in_heads(&first.cells);
        match columns.first() {
            Some(Column::Name(_)) if columns.len() > 1 => (columns, 1),
            _ => (vec![Column::Name(Naming::Anything), Column::About], 0),
        }
    };
    let at = columns.iter().position(|column| matches!(column, Column::Name(_)))?;
    let Some(Column::Name(naming)) = columns.get(at).copied() else { return None };
    let mut entries: Vec<Entry> = Vec::new();
    // The fields above, each with whether it may hold others, and how far their names are set in.
    let mut above: Vec<(Path, bool)> = Vec::new();
    let mut widths: Vec<usize> = Vec::new();
    for (number, row) in rows.iter().enumerate().skip(skip) {
        let filled = row.cells.iter().filter(|cell| !cell.is_empty()).count();
        if filled == 0 {
            return None;
        }
        // A line across the table names a group.
        if filled == 1 && columns.len() > 1 && row.cells.len() < columns.len() {
            continue;
        }
        let columns = if row.heads.is_empty() && row.depth > 0 {
            &[Column::Name(Naming::Anything), Column::About][..]
        } else {
            &columns
        };
        let at = columns.iter().position(|column| matches!(column, Column::Name(_)))?;
        let mut entry = entry(&row.cells, columns, at)?;
        let cell = row.cells.get(at)?;
        let width = cell.chars().take_while(|c| *c == SPACE).count();
        widths.retain(|other| *other < width);
        // Names may be set in for their looks: only what can hold fields has them.
        let set_in = if above.get(widths.len().saturating_sub(1)).is_some_and(|(_, holds)| *holds) {
            widths.len()
        } else {
            0
        };
        widths.push(width);
        let depth = row.depth + indent(cell) + set_in;
        above.truncate(depth);
        if depth > 0 {
            let (parent, _) = above.last()?;
            entry.path = parent.iter().cloned().chain(entry.path).collect();
        }
        let types = &entry.field.types;
        let holds = types.is_empty() || types.contains("object") || types.contains("array");
        above.push((entry.path.clone(), holds));
        if entry.path.len() > MAX_STEPS {
            return None;
        }
        entry.row = number;
        entries.push(entry);
    }
    let typed = entries.iter().filter(|entry| !entry.field.types.is_empty()).count();
    let is_typed = typed * 2 >= entries.len() && typed > 0;
    let asks = columns.iter().any(|column| matches!(column, Column::Required | Column::Optional));
    (!entries.is_empty()).then_some(Fields { naming, is_typed, asks, entries })
}

/// The space by which names are set in below the one above them; other space at the beginning of a cell means nothing.
pub(in crate::spec) const SPACE: char = '\u{a0}';
/// Signs that put a name below the one above it.
const BELOW: [char; 6] = ['»', '↳', '└', '›', '∟', '→'];

/// How deep a name is put below others.
fn indent(cell: &str) -> usize {
    cell.chars()
        .take_while(|c| BELOW.contains(c) || matches!(c, ' ' | '─' | '`'))
        .filter(|c| BELOW.contains(c))
        .count()
}

fn entry(cells: &[String], columns: &[Column], at: usize) -> Option<Entry> {
    let cell = cells
        .get(at)?
        .trim_start_matches(SPACE)
        .trim_start_matches(BELOW)
        .trim_start_matches(['─', ' '])
        .trim();
    let (name, beside) = cell.split_once(' ').unwrap_or((cell, ""));
    let bare = name.trim_matches(['`', '*', ',', ':', '"']);
    let path = steps(bare)?;
    let mut field = Field::default();
    let mut place = None;
    let mut text: Vec<String> = Vec::new();
    // `id *` and `id (required)`: what stands beside a name is about its type, or the cell is no name.
    let starred = name.ends_with('*') && !name.starts_with('*') || beside.trim() == "*";
    if starred {
        field.required = Some(true);
    }
    let beside = beside.trim_matches(['*', ' ']);
    if !beside.is_empty() {
        let words = Words::of(beside);
        if !words.are_all_known() {
            return None;
        }
        place = words.place;
        field.take(words);
    }
    let is_typed = columns.contains(&Column::Type);
    for (cell, column) in cells.iter().zip(columns).filter(|(cell, _)| !cell.is_empty()) {
        match column {
            Column::Name(_) => {}
            Column::Type => {
                let words = Words::of(cell);
                text.extend((!words.rest.is_empty()).then(|| words.rest.join(" ")));
                place = words.place.or(place);
                field.take(words);
            }
            Column::Required => field.required = flag(cell).or(field.required),
            Column::Optional => field.required = flag(cell).map(|flag| !flag).or(field.required),
            Column::Nullable => field.nullable = flag(cell).or(field.nullable),
            Column::Default => {
                let default = cell.trim_matches(['`', '"', ' ']);
                let says_none =
                    matches!(default.to_lowercase().as_str(), "" | "-" | "–" | "—" | "none" | "n/a");
                field.default = Some(if says_none { String::new() } else { default.to_owned() });
            }
            Column::Format => {
                let words = Words::of(cell);
                field.format = words.format.or(field.format);
                text.extend(words.format.is_none().then(|| cell.clone()));
            }
            Column::Values => match words::listed(cell) {
                Some(values) => field.values = Some(values),
                None => text.push(cell.clone()),
            },
            Column::Place => {
                place = Words::of(cell).place.or(place);
                if place.is_none() && Words::of(cell).types.len() == 1 {
                    field.take(Words::of(cell));
                }
            }
            Column::About => text.push(about(cell, !is_typed && field.types.is_empty(), &mut field)),
        }
    }
    let text = text.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" | ");
    Some(Entry { path, name: bare.to_owned(), field, place, text, row: 0 })
}

/// Takes the words about the type off the beginning of a description: `Required. The id.`, `string, optional – A name`.
fn about(cell: &str, may_tell_type: bool, field: &mut Field) -> String {
    let mut rest = cell.trim();
    for _ in 0..3 {
        let signs = [". ", " – ", " — ", " - ", ": ", "; ", ", "];
        let cut = signs.iter().filter_map(|sign| Some((rest.find(sign)?, sign.len()))).min();
        let (head, tail) = match cut {
            Some((at, length)) => (&rest[..at], &rest[at + length..]),
            None => (rest.trim_end_matches('.'), ""),
        };
        let words = Words::of(head.trim_matches(['*', '(', ')', '_', ' ']));
        let tells_type = !words.types.is_empty() || words.place.is_some();
        if head.len() > 40
            || !words.are_all_known()
            || words.deprecated.is_some()
            || (tells_type && !may_tell_type)
        {
            break;
        }
        field.take(words);
        rest = tail.trim_start();
    }
    rest.to_owned()
}

/// What a cell of `Required` says.
fn flag(cell: &str) -> Option<bool> {
    match cell.trim_matches(['`', '*', '.', ' ']).to_lowercase().as_str() {
        "yes" | "true" | "required" | "y" | "✓" | "✔" | "✅" | "mandatory" | "always" | "x" => {
            Some(true)
        }
        "no" | "false" | "optional" | "n" | "-" | "–" | "—" | "✗" | "❌" | "not required" => {
            Some(false)
        }
        _ => None,
    }
}

/// A name as the steps to its field: `customer.email`, `lines[].sku`, `lines[0].sku`; `None` where it is no name.
pub(super) fn steps(name: &str) -> Option<Path> {
    let is_sign = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@');
    if name.is_empty() || name.len() > MAX_NAME || name.chars().all(|c| c.is_ascii_digit() || c == '-') {
        return None;
    }
    let mut path = Path::new();
    for part in name.trim_start_matches("$.").split('.') {
        let (key, lists) = part.split_once('[').map_or((part, ""), |(key, _)| (key, &part[key.len()..]));
        if key.is_empty()
            || !key.chars().all(is_sign)
            || !key.starts_with(|c: char| !c.is_ascii_digit() && c != '-')
        {
            return None;
        }
        path.push(key.to_owned());
        let mut lists = lists;
        while let Some(rest) = lists.strip_prefix('[') {
            let (index, rest) = rest.split_once(']')?;
            if matches!(index, "" | "*" | "n" | "i" | "N") || index.chars().all(|c| c.is_ascii_digit()) {
                path.push(EACH.to_owned());
            } else if index.chars().all(is_sign) {
                path.push(index.to_owned());
            } else {
                return None;
            }
            lists = rest;
        }
        if !lists.is_empty() {
            return None;
        }
    }
    (path.len() <= MAX_STEPS).then_some(path)
}

/// An item of a list that is a field: `` `total` (number, required) – What it costs. ``; as the cells of a row.
pub(super) fn item(line: &str) -> Option<Vec<String>> {
    let line = line.trim_start().trim_start_matches(['-', '*', '+', ' ']);
    let (mark, rest) = match line.strip_prefix('`') {
        Some(rest) => ("`", rest),
        None => ("**", line.strip_prefix("**")?),
    };
    let (name, rest) = rest.split_once(mark)?;
    steps(name)?;
    let rest = rest.trim_start();
    let (kind, about) = if let Some(inner) = rest.strip_prefix('(') {
        let end = end_of_brackets(inner)?;
        (&inner[..end], &inner[end + 1..])
    } else {
        let rest = rest.trim_start_matches([':', '-', '–', '—', '*', '_', ' ']);
        let signs = [" – ", " — ", " - ", ": ", ". ", "_ ", "* "];
        let cut = signs.iter().filter_map(|sign| Some((rest.find(sign)?, sign.len()))).min();
        cut.map_or((rest, ""), |(at, length)| (&rest[..at], &rest[at + length..]))
    };
    let words = Words::of(kind.trim_matches(['*', '_', '`', '.', ' ']));
    let is_type = words.are_all_known() && (!words.types.is_empty() || words.required.is_some());
    let about = about.trim_start_matches([':', '-', '–', '—', '.', ' ']);
    is_type
        .then(|| vec![name.to_owned(), kind.trim_matches(['*', '_', '.', ' ']).to_owned(), about.to_owned()])
}

/// Where the bracket closes that was opened before a text, with those in it.
fn end_of_brackets(text: &str) -> Option<usize> {
    let mut open = 1;
    let signs = text.char_indices().filter(|(_, c)| matches!(c, '(' | ')'));
    for (at, sign) in signs {
        open += if sign == '(' { 1 } else { -1 };
        if open == 0 {
            return Some(at);
        }
    }
    None
}

impl Field {
    /// Takes over what words of a type say.
    pub(super) fn take(&mut self, words: Words) {
        if !words.types.is_empty() && self.types.is_empty() {
            self.types = words.types;
        }
        if !words.items.is_empty() {
            self.items = words.items;
        }
        self.format = words.format.or(self.format);
        self.values = words.values.or_else(|| self.values.take());
        self.nullable = words.nullable.or(self.nullable);
        self.required = words.required.or(self.required);
        self.deprecated = words.deprecated.or(self.deprecated);
    }
}

/// The first names of paths.
pub(super) fn tops<'a>(paths: impl Iterator<Item = &'a Path>) -> BTreeSet<&'a str> {
    paths.filter_map(|path| path.first().map(String::as_str)).collect()
}
