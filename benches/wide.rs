//! How the time of a comparison grows with the number of fields: `cargo bench --bench wide -- [FIELDS …]` (100, 200, 400
//! and 1,000 where none is given).
//!
//! Prints one row for each way in which two sets of 300 records differ, with the milliseconds that reading and comparing
//! them takes, the best of three.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    time::Instant,
};

use drogue::{diagnose::diff_records, model::HashKey, rules::RuleSet};

/// Records of each side.
const RECORDS: u64 = 300;
/// Fields that are renamed at once, where some are.
const RENAMED: u64 = 200;

/// What sets the live records apart.
struct Case {
    name: &'static str,
    /// The first id: with 0 the same entities are seen again.
    first: u64,
    /// Whether the values are other ones.
    fresh: bool,
    /// How many fields have another name.
    renamed: u64,
}

const CASES: [Case; 6] = [
    Case { name: "the same again", first: 0, fresh: false, renamed: 0 },
    Case { name: "other entities", first: 1_000, fresh: true, renamed: 0 },
    Case { name: "the same entities, other values", first: 0, fresh: true, renamed: 0 },
    Case { name: "200 renamed", first: 0, fresh: false, renamed: RENAMED },
    Case { name: "200 renamed, other entities", first: 1_000, fresh: true, renamed: RENAMED },
    Case { name: "200 renamed, other values", first: 0, fresh: true, renamed: RENAMED },
];

/// SplitMix64 of a place: the same record has the same values in each run.
fn noise(seed: u64, record: u64, field: u64) -> u64 {
    let mut x = seed ^ record.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ field.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Records with an id and so many fields: words, amounts, a handful of states, and texts without end, in turn.
fn records(fields: u64, case: Option<&Case>) -> Vec<String> {
    let (first, seed) = case.map_or((0, 1), |case| (case.first, if case.fresh { 2 } else { 1 }));
    let record = |row: u64| {
        let mut text = format!("{{\"id\":{}", first + row);
        for field in 0..fields {
            let renamed = case.is_some_and(|case| field < case.renamed);
            let name = if renamed { format!("column_{field}_label") } else { format!("field_{field}_name") };
            let value = noise(seed, row, field);
            let _ = match field % 4 {
                0 => write!(text, ",\"{name}\":\"w{}\"", value % 10_000),
                1 => write!(text, ",\"{name}\":{}.{:02}", value % 1_000 * (field + 1), value % 100),
                2 => write!(text, ",\"{name}\":\"{}\"", ["open", "paid", "sent", "lost"][value as usize % 4]),
                _ => write!(text, ",\"{name}\":\"{value:016x}\""),
            };
        }
        text + "}"
    };
    (0..RECORDS).map(record).collect()
}

fn milliseconds(baseline: &[String], live: &[String], rules: &RuleSet) -> f64 {
    let [baseline, live] = [baseline, live].map(|lines| lines.iter().map(|l| &**l).collect::<Vec<_>>());
    let run = || {
        let start = Instant::now();
        std::hint::black_box(diff_records(&baseline, &live, rules, HashKey::new([7; 16]), None));
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..3).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn main() -> io::Result<()> {
    let asked: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![100, 200, 400, 1_000] } else { asked };
    let rules = RuleSet::builtin();
    let mut out = io::stdout().lock();
    let title = |out: &mut dyn io::Write, name: &str| write!(out, "{name:34}");
    title(&mut out, "ms at so many fields")?;
    sizes.iter().try_for_each(|size| write!(out, "{size:>9}"))?;
    writeln!(out)?;
    for case in &CASES {
        title(&mut out, case.name)?;
        for size in &sizes {
            let time = milliseconds(&records(*size, None), &records(*size, Some(case)), &rules);
            write!(out, "{time:>9.0}")?;
            out.flush()?;
        }
        writeln!(out)?;
    }
    Ok(())
}
