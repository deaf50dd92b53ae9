//! Ratios and offsets that have a name, from `rules/data/units.yaml`.

use std::sync::OnceLock;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    from: String,
    to: String,
    ratio: f64,
    #[serde(default)]
    offset: f64,
    words: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Table {
    units: Vec<Row>,
}

/// A known way from one unit to another: `live = baseline * ratio + offset`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The row of the table, with `-inverse` where it is read from right to left.
    pub id: String,
    /// In words: `cents to dollars`.
    pub name: String,
    /// The factor.
    pub ratio: f64,
    /// What is added after it.
    pub offset: f64,
    words: Vec<String>,
}

/// Every known way, in the order of the table, each followed by its inverse.
pub fn units() -> &'static [Unit] {
    static UNITS: OnceLock<Vec<Unit>> = OnceLock::new();
    UNITS.get_or_init(|| {
        let text = include_str!("../../rules/data/units.yaml");
        // A test reads the embedded table, so that it is never broken in a build that passed.
        let table: Table = serde_saphyr::from_str(text).unwrap_or(Table { units: Vec::new() });
        let both = |row: Row| {
            let inverse = Unit {
                id: format!("{}-inverse", row.id),
                name: format!("{} to {}", row.to, row.from),
                ratio: 1.0 / row.ratio,
                offset: -row.offset / row.ratio,
                words: row.words.clone(),
            };
            let name = format!("{} to {}", row.from, row.to);
            [Unit { id: row.id, name, ratio: row.ratio, offset: row.offset, words: row.words }, inverse]
        };
        table.units.into_iter().flat_map(both).collect()
    })
}

/// The row that names a ratio and offset, the words of the field's name deciding among several.
#[must_use]
pub fn named(ratio: f64, offset: f64, name_words: &[String]) -> Option<&'static Unit> {
    // Two parts in a thousand: below the distance between neighbouring rows, above what rounding does to a fit.
    let fits = |unit: &&Unit| {
        (unit.ratio / ratio - 1.0).abs() < 0.002
            && (unit.offset - offset).abs() <= 0.01 * offset.abs().max(0.5)
    };
    let mut rows = units().iter().filter(fits);
    let first = rows.clone().next();
    rows.find(|unit| unit.speaks(name_words)).or(first)
}

/// Whether a field of such a name is in some unit of the table, whatever its ratio.
pub(super) fn any_speaks(name_words: &[String]) -> bool {
    units().iter().any(|unit| unit.speaks(name_words))
}

impl Unit {
    /// Whether a part of the field's name speaks for this row.
    #[must_use]
    pub fn speaks(&self, name_words: &[String]) -> bool {
        let near = |word: &String, other: &String| word == other || *word == format!("{other}s");
        self.words.iter().any(|word| name_words.iter().any(|name| near(name, word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_names() {
        assert!(units().len() > 40);
        assert_eq!(named(0.01, 0.0, &["amount".into()]).unwrap().name, "cents to dollars");
        assert_eq!(named(0.01, 0.0, &["pct".into()]).unwrap().name, "percent to fraction");
        assert_eq!(named(1.8, 32.0, &[]).unwrap().name, "degrees Celsius to degrees Fahrenheit");
        assert_eq!(named(1.0 / 1.8, -32.0 / 1.8, &[]).unwrap().name, "degrees Fahrenheit to degrees Celsius");
        assert!(named(1.37, 0.0, &[]).is_none());
    }
}
