//! The check of a patch on recorded samples: the mapping before and after it, on records of before and after.

use std::collections::{BTreeMap, BTreeSet};

use crate::adapters::{self, Cell, Columns, Evaluator, Likeness};
use crate::model::{Disposition, Framework, JsonType, Patch, Verification, VerifiedCheck};
use crate::profile::{Entities, Format, SampleMode};

/// Samples of each side that are needed to say anything, unless they are all that there is.
pub const MIN_SAMPLES: usize = 5;

/// How much less a column may be filled after the change: windows differ by chance.
const FILL_SLACK: f64 = 0.1;

/// Numbers of one entity that are this near are the same quantity some time later.
const NEAR: f64 = 0.25;

/// Numbers that are all together this many times larger or smaller are another quantity; daily counts double, but do
/// not grow fivefold between two windows.
const FAR: f64 = 5.0;

/// What a patch is tried on.
#[derive(Debug, Clone, Copy)]
pub struct VerifyInput<'a> {
    /// The patch.
    pub patch: &'a Patch,
    /// What the connector is written in.
    pub framework: Framework,
    /// The text of the mapping file that the patch was made for.
    pub before: &'a str,
    /// The stream's name in the file.
    pub stream: &'a str,
    /// Samples under the old shape.
    pub recorded: &'a Entities,
    /// Samples under the new shape.
    pub live: &'a Entities,
    /// Records of both sides that were seen, sampled or not: where all of a small stream is sampled, that is enough.
    pub records: (u64, u64),
}

/// Tries a patch on recorded samples. It passes only where every check holds and there was something to check.
#[must_use]
pub fn verify(input: &VerifyInput<'_>) -> Verification {
    let samples = (input.recorded.records.len() + input.live.records.len()) as u64;
    let mut checks = Vec::new();
    let tried = attempt(input, &mut checks);
    if let Err(why) = tried {
        checks.push(failed(why));
    }
    let passed = !checks.is_empty() && checks.iter().all(|check| check.passed);
    Verification { passed, samples, checks }
}

fn held(what: String, passed: bool) -> VerifiedCheck {
    VerifiedCheck { what, passed }
}

fn failed(what: String) -> VerifiedCheck {
    VerifiedCheck { what, passed: false }
}

fn attempt(input: &VerifyInput<'_>, checks: &mut Vec<VerifiedCheck>) -> Result<(), String> {
    let [file] = input.patch.files.as_slice() else {
        return Err("the patch edits several files, which cannot be tried on samples".to_owned());
    };
    if crate::model::sha256_hex(input.before.as_bytes()) != file.before_sha256 {
        return Err("the mapping file is no longer the one that the patch was made for".to_owned());
    }
    let (framework, stream) = (input.framework, input.stream);
    let old_mapping = adapters::read(framework, input.before).map_err(|e| format!("the file before: {e}"))?;
    let new_mapping = adapters::read(framework, &file.after).map_err(|e| format!("the file after: {e}"))?;
    let others = |mapping: &crate::model::Mapping| -> Vec<_> {
        mapping.streams.iter().filter(|other| other.name != stream).cloned().collect()
    };
    let (added, removed) = lines(&file.diff);
    checks.push(held(
        format!(
            "the file parses with {added} lines more and {removed} less; no other stream is mapped otherwise"
        ),
        others(&old_mapping) == others(&new_mapping),
    ));
    if input.recorded.mode == SampleMode::Off || input.live.mode == SampleMode::Off {
        return Err("samples are off for this connector: there is nothing to try the patch on".to_owned());
    }
    let touched =
        adapters::touched(framework, input.before, &file.after, stream).map_err(|e| e.to_string())?;
    if touched.is_empty() {
        return Err("the samples are of records alone and cannot show what this edit does".to_owned());
    }
    let (recorded, live) = (input.recorded.records.len(), input.live.records.len());
    let (all_recorded, all_live) = input.records;
    let is_enough =
        |samples: usize, all: u64| samples >= MIN_SAMPLES || (samples > 0 && samples as u64 >= all);
    if !is_enough(recorded, all_recorded) || !is_enough(live, all_live) {
        return Err(format!(
            "{recorded} samples of before and {live} of after the change; {MIN_SAMPLES} of each are needed, or all \
             records of a smaller stream"
        ));
    }
    let old = Evaluator::new(framework, input.before, stream).map_err(|e| e.to_string())?;
    let new = Evaluator::new(framework, &file.after, stream).map_err(|e| e.to_string())?;
    let of = |evaluator: &Evaluator, entities: &Entities| -> BTreeMap<u64, Columns> {
        entities.records.iter().map(|(key, record)| (*key, evaluator.columns(record))).collect()
    };
    let tables = Tables {
        old_on_recorded: of(&old, input.recorded),
        new_on_recorded: of(&new, input.recorded),
        old_on_live: of(&old, input.live),
        new_on_live: of(&new, input.live),
    };
    // A raw field that is taken out because a column now reads it is no column that could break.
    let is_column = |name: &&String| {
        tables.old_on_recorded.values().any(|columns| columns.get(*name).is_some_and(Cell::is_filled))
    };
    let columns: Vec<&String> = touched.iter().filter(is_column).collect();
    if columns.is_empty() {
        return Err("none of the columns that it is about was filled before the change".to_owned());
    }
    let mapped = new_mapping.stream(stream);
    for column in columns {
        let field = mapped.and_then(|stream| stream.fields.iter().find(|field| field.target == *column));
        let format =
            field.and_then(|field| field.declared.as_ref()).and_then(|declared| declared.format.as_deref());
        let review = input.patch.disposition == Disposition::Review;
        let is_datetime = format == Some("date-time");
        tables.roll_back(column, is_datetime, review, checks);
        tables.filled(column, checks);
        tables.shaped(column, is_datetime, checks);
        tables.paired(column, checks);
    }
    tables.untouched(&touched, checks);
    Ok(())
}

/// The columns of every sample, by entity.
struct Tables {
    old_on_recorded: BTreeMap<u64, Columns>,
    new_on_recorded: BTreeMap<u64, Columns>,
    old_on_live: BTreeMap<u64, Columns>,
    new_on_live: BTreeMap<u64, Columns>,
}

const EMPTY: Cell = Cell::Null;

fn cell<'c>(columns: &'c Columns, name: &str) -> &'c Cell {
    columns.get(name).unwrap_or(&EMPTY)
}

impl Tables {
    /// Values in the old shape come through the patch unharmed, so that the vendor may take the change back. Dates and
    /// times may change their notation where the column is declared to be one. A factor does harm them: that is said,
    /// and no failure where the patch is for a person to review.
    fn roll_back(&self, column: &str, is_datetime: bool, review: bool, checks: &mut Vec<VerifiedCheck>) {
        let (mut same, mut unknown, mut all) = (0, 0, 0);
        let mut factors: Vec<f64> = Vec::new();
        for (key, old) in &self.old_on_recorded {
            let Some(new) = self.new_on_recorded.get(key) else { continue };
            let (old, new) = (cell(old, column), cell(new, column));
            all += 1;
            match old.likeness(new) {
                Likeness::Equal => same += 1,
                Likeness::Alike => same += usize::from(is_datetime),
                Likeness::Different => {}
                Likeness::Unknown => unknown += 1,
            }
            if let (Cell::Number(old, _), Cell::Number(new, _)) = (old, new)
                && *old != 0.0
            {
                factors.push(new / old);
            }
        }
        if unknown > 0 {
            let what =
                format!("the samples cannot tell what becomes of `{column}` in {unknown} of {all} of before");
            checks.push(failed(what));
            return;
        }
        factors.sort_by(f64::total_cmp);
        let middle = factors.get(factors.len() / 2).copied().unwrap_or(1.0);
        // Rounding to whole numbers spoils some ratios, but not the middle one.
        if review && same < all && (middle - 1.0).abs() > 1e-6 {
            let what = format!(
                "`{column}` of before the change would be multiplied by {middle} as well: roll the patch back if the \
                 vendor takes the change back"
            );
            checks.push(held(what, true));
            return;
        }
        let what = format!(
            "`{column}` stays as it was in {same} of {all} samples of before: the vendor may take it back"
        );
        checks.push(held(what, same == all));
    }

    /// The column is filled as often as before the change.
    fn filled(&self, column: &str, checks: &mut Vec<VerifiedCheck>) {
        let count = |table: &BTreeMap<u64, Columns>| {
            let filled = table.values().filter(|columns| cell(columns, column).is_filled()).count();
            (filled, table.len())
        };
        let (was, of) = count(&self.old_on_recorded);
        let (now, live) = count(&self.new_on_live);
        let (without, _) = count(&self.old_on_live);
        let share = |(filled, all): (usize, usize)| filled as f64 / all.max(1) as f64;
        checks.push(held(
            format!(
                "`{column}` is filled in {now} of {live} samples of after the change ({without} without the patch; \
                 {was} of {of} before the change)"
            ),
            now > 0 && share((now, live)) + FILL_SLACK >= share((was, of)),
        ));
    }

    /// Types and notations are those of before; those of a date or time that is declared as such may be others, as
    /// long as the patch makes one of all.
    fn shaped(&self, column: &str, is_datetime: bool, checks: &mut Vec<VerifiedCheck>) {
        let types = |table: &BTreeMap<u64, Columns>| -> BTreeSet<JsonType> {
            table.values().filter_map(|columns| cell(columns, column).json_type()).collect()
        };
        let words =
            |types: &BTreeSet<JsonType>| types.iter().map(|t| t.word()).collect::<Vec<_>>().join(", ");
        let (was, now) = (types(&self.old_on_recorded), types(&self.new_on_live));
        checks.push(held(
            format!("`{column}` holds {} as before the change ({})", words(&now), words(&was)),
            !now.is_empty() && now.is_subset(&was),
        ));
        let was = if is_datetime { &self.new_on_recorded } else { &self.old_on_recorded };
        let (Some(was), Some(now)) = (notation(was, column), notation(&self.new_on_live, column)) else {
            return;
        };
        checks.push(held(
            format!("`{column}` is written as {} (before: {})", now.word(), was.word()),
            was == now,
        ));
    }

    /// Entities that both sides saw have the same values, or nearly: evidence. Numbers that are far from what they
    /// were, in each entity and in all together, are another quantity.
    fn paired(&self, column: &str, checks: &mut Vec<VerifiedCheck>) {
        let (mut all, mut same, mut near, mut numbers) = (0, 0, 0, 0);
        let (mut size_before, mut size_after) = (0.0, 0.0);
        for (key, old) in &self.old_on_recorded {
            let Some(new) = self.new_on_live.get(key) else { continue };
            let (old, new) = (cell(old, column), cell(new, column));
            if !old.is_filled() || !new.is_filled() {
                continue;
            }
            all += 1;
            if matches!(old.likeness(new), Likeness::Equal | Likeness::Alike) {
                same += 1;
            }
            if let (Cell::Number(a, _), Cell::Number(b, _)) = (old, new) {
                numbers += 1;
                size_before += a.abs();
                size_after += b.abs();
                near += usize::from((a - b).abs() <= NEAR * a.abs().max(b.abs()));
            }
        }
        if all == 0 {
            return;
        }
        if numbers < all {
            checks.push(held(
                format!("`{column}` of the {all} entities seen before and after: {same} equal"),
                true,
            ));
            return;
        }
        let grown = if size_before == size_after { 1.0 } else { size_after / size_before };
        let what = format!(
            "`{column}` of the {all} entities seen before and after: {same} equal, {near} within {:.0} %, all together \
             {grown:.2} times as much",
            NEAR * 100.0
        );
        let same_size = (1.0 / FAR..=FAR).contains(&grown);
        checks.push(held(what, all < MIN_SAMPLES || near * 2 >= all || same_size));
    }

    /// No other column changes.
    fn untouched(&self, touched: &BTreeSet<String>, checks: &mut Vec<VerifiedCheck>) {
        let mut others: BTreeSet<&String> = BTreeSet::new();
        let mut changed: BTreeSet<&String> = BTreeSet::new();
        for (old, new) in
            [(&self.old_on_recorded, &self.new_on_recorded), (&self.old_on_live, &self.new_on_live)]
        {
            for (key, before) in old {
                let Some(after) = new.get(key) else { continue };
                for name in before.keys().chain(after.keys()) {
                    // A container that is taken out takes its parts along.
                    let inside = |touched: &String| {
                        name == touched
                            || name.strip_prefix(touched.as_str()).is_some_and(|rest| rest.starts_with('.'))
                    };
                    if touched.iter().any(inside) {
                        continue;
                    }
                    others.insert(name);
                    let same = match (cell(before, name), cell(after, name)) {
                        (Cell::Opaque, Cell::Opaque) => true,
                        (before, after) => before.likeness(after) == Likeness::Equal,
                    };
                    if !same {
                        changed.insert(name);
                    }
                }
            }
        }
        let what = match changed.first() {
            None => format!("{} other columns stay as they are", others.len()),
            Some(first) => {
                format!("{} of {} other columns change as well, `{first}` first", changed.len(), others.len())
            }
        };
        checks.push(held(what, changed.is_empty()));
    }
}

/// The notation that nearly all texts of a column share, where it is a telling one.
fn notation(table: &BTreeMap<u64, Columns>, column: &str) -> Option<Format> {
    let mut counts: BTreeMap<Format, usize> = BTreeMap::new();
    let mut all = 0;
    for columns in table.values() {
        if let Cell::Text { format: Some(format), .. } = cell(columns, column) {
            *counts.entry(*format).or_default() += 1;
            all += 1;
        }
    }
    let (format, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let telling = format.is_instant()
        || matches!(
            format,
            Format::Uuid
                | Format::Ulid
                | Format::Email
                | Format::Url
                | Format::IpAddress
                | Format::PrefixedId
        );
    (telling && count * 10 >= all * 9).then_some(format)
}

/// How many lines a diff puts in and takes out.
fn lines(diff: &str) -> (usize, usize) {
    let count = |sign: &str, header: &str| {
        diff.lines().filter(|l| l.starts_with(sign) && !l.starts_with(header)).count()
    };
    (count("+", "+++"), count("-", "---"))
}
