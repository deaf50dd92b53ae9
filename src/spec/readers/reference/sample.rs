//! Samples of responses: the fields that they show, and where in them the records of a table stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;

use super::{
    Field, MAX_FIELDS,
    table::{EACH, Path, tops},
};
use crate::spec::readers::inferred;

/// Text of one sample; more is a dump.
const MAX_BYTES: usize = 256 * 1024;
/// Samples of one operation.
const MAX_SAMPLES: usize = 20;
/// Steps of a path that are followed.
const MAX_DEPTH: usize = 12;

/// The samples of one operation, put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sample {
    values: Vec<Value>,
    pub(super) fields: BTreeMap<Path, Field>,
    /// Where they stand: section and lines.
    pub(super) blocks: Vec<(usize, Range<usize>)>,
    /// Where the records stand, where another state of the page shows it.
    pub(super) place: Option<Path>,
}

/// Adds a sample, where the text is one.
pub(super) fn add(sample: &mut Option<Sample>, text: &str, section: usize, block: &Range<usize>) {
    let Some(value) = json(text) else { return };
    let known = sample.get_or_insert_default();
    if known.values.len() >= MAX_SAMPLES {
        return;
    }
    known.values.push(value);
    known.blocks.push((section, block.clone()));
    known.fields = fields(&inferred::schema(&known.values));
}

/// The JSON of a sample: below the head of a response, where it has one.
fn json(text: &str) -> Option<Value> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let text = text.trim_start();
    let text = match text
        .split_once("\n\n")
        .or_else(|| text.split_once("\n{").map(|(head, _)| (head, &text[head.len()..])))
    {
        Some((head, body)) if head.starts_with("HTTP/") => body,
        _ => text,
    };
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let whole = serde_json::from_str::<Value>(text).ok();
    // `...` stands for more of the same.
    let value = whole.or_else(|| {
        let lines = text.lines().filter(|line| !matches!(line.trim().trim_end_matches(','), "..." | "…"));
        let text = lines.collect::<Vec<_>>().join("\n");
        let text =
            text.replace(", ...]", "]").replace(", ...}", "}").replace("{...}", "{}").replace("[...]", "[]");
        serde_json::from_str::<Value>(&text).ok()
    })?;
    let is_error =
        |value: &Value| value.as_object().is_some_and(|o| o.keys().all(|k| k == "error" || k == "errors"));
    (!is_error(&value) && (value.is_object() || value.is_array())).then_some(value)
}

/// The fields of a schema that was inferred; those of no type hold anything.
fn fields(schema: &Value) -> BTreeMap<Path, Field> {
    let mut found = BTreeMap::new();
    let mut work = vec![(Path::new(), schema)];
    while let Some((path, node)) = work.pop() {
        if found.len() >= MAX_FIELDS || path.len() > MAX_DEPTH {
            continue;
        }
        for (name, below) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
            work.push(([path.clone(), vec![name.clone()]].concat(), below));
        }
        if let Some(items) = node.get("items") {
            work.push(([path.clone(), vec![EACH.to_owned()]].concat(), items));
        }
        found.insert(path, field(node));
    }
    found
}

fn field(node: &Value) -> Field {
    // Numbers of a sample may be whole by chance, and null says that something else may be there.
    let word = |word: &str| match word {
        "integer" | "number" => Some("number"),
        "boolean" => Some("boolean"),
        "string" => Some("string"),
        "array" => Some("array"),
        "object" => Some("object"),
        _ => None,
    };
    let types: BTreeSet<&'static str> = match node.get("type") {
        Some(Value::String(only)) => word(only).into_iter().collect(),
        Some(Value::Array(several)) => several.iter().filter_map(|one| word(one.as_str()?)).collect(),
        _ => BTreeSet::new(),
    };
    Field { types, ..Field::default() }
}

impl Sample {
    /// Where the records of a table stand: the place that has the most of their names, the top where none has half.
    pub(super) fn mount<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Path {
        if let Some(place) = &self.place {
            return place.clone();
        }
        let names = tops(paths);
        let mut counts: BTreeMap<&[String], usize> = BTreeMap::new();
        for path in self.fields.keys() {
            if let Some((_, above)) = path.split_last().filter(|(last, _)| names.contains(last.as_str())) {
                *counts.entry(above).or_default() += 1;
            }
        }
        let best = counts.iter().max_by_key(|(place, count)| (**count, std::cmp::Reverse(place.len())));
        best.filter(|(_, count)| **count * 2 >= names.len())
            .map(|(place, _)| place.to_vec())
            .unwrap_or_default()
    }
}
