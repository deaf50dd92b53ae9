//! Counts false alarms of `drogue diff` on many unchanged pairs of windows, drawn anew from a folder in the format of the
//! drift corpus: `cargo bench --bench controls -- CASES.jsonl [PAIRS]`, 1,000 pairs of each kind by default.
//!
//! `random`: the records of both windows of an unchanged case, shuffled and cut again. `time`: two adjacent windows of
//! random place and sizes out of records in their natural order. Draws are seeded: the same command prints the same.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::Path,
};

use drogue::{diagnose::diff_records, model::HashKey, rules::RuleSet};
use serde_json::Value;
use statrs::distribution::{Beta, ContinuousCDF};

/// Records of one unchanged case: baseline and live window, one after the other.
struct Pool {
    name: String,
    records: Vec<String>,
    /// Where the live window begins.
    cut: usize,
}

/// SplitMix64 (G. Steele, D. Lea and C. Flood 2014).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to `below`, exclusive; the bias of the remainder is below one in 2^40 for our sizes.
    fn below(&mut self, below: usize) -> usize {
        (self.next() % below.max(1) as u64) as usize
    }
}

/// The pool in another order, cut in the same place.
fn shuffled<'a>(pool: &'a Pool, draws: &mut Draws) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut records: Vec<&str> = pool.records.iter().map(String::as_str).collect();
    for i in (1..records.len()).rev() {
        records.swap(i, draws.below(i + 1));
    }
    let live = records.split_off(pool.cut);
    (records, live)
}

/// Two windows next to each other, each between half and all of a recorded one.
fn adjacent<'a>(pool: &'a Pool, draws: &mut Draws) -> (Vec<&'a str>, Vec<&'a str>) {
    let most = pool.cut.min(pool.records.len() - pool.cut);
    let mut size = || most - draws.below(most / 2 + 1);
    let (base, live) = (size(), size());
    let at = draws.below(pool.records.len() - base - live + 1);
    let window =
        |from: usize, size: usize| pool.records[from..from + size].iter().map(String::as_str).collect();
    (window(at, base), window(at + base, live))
}

/// The pools of one kind of unchanged case; recorded windows that several cases share are drawn from once.
fn pools(cases: &[Value], folder: &Path, split: &str) -> Result<Vec<Pool>, Box<dyn Error>> {
    let mut pools = Vec::new();
    let mut seen = BTreeSet::new();
    for case in cases.iter().filter(|case| case["control"] == true && case["split"] == split) {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        if !seen.insert((text("baseline"), text("live"))) {
            continue;
        }
        let read = |key: &str| fs::read_to_string(folder.join(text(key)));
        let mut records: Vec<String> = read("baseline")?.lines().map(str::to_owned).collect();
        let cut = records.len();
        records.extend(read("live")?.lines().map(str::to_owned));
        pools.push(Pool { name: format!("{} {}", text("dataset"), case["size"]), records, cut });
    }
    Ok(pools)
}

/// The paths of scalars and lists in a record.
fn leaves(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, member)| leaves(member, &format!("{path}.{name}"), into));
        }
        _ => {
            into.insert(path.to_owned());
        }
    }
}

/// The 95 % interval of a share (C. Clopper and E. Pearson 1934): never shorter than it promises.
fn interval(hits: u64, of: u64) -> (f64, f64) {
    let (k, n) = (hits as f64, of as f64);
    let bound = |a: f64, b: f64, q: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(q));
    let low = if hits == 0 { 0.0 } else { bound(k, n - k + 1.0, 0.025) };
    let high = if hits == of { 1.0 } else { bound(k + 1.0, n - k, 0.975) };
    (low, high)
}

fn share(what: &str, hits: u64, of: u64) -> String {
    let (low, high) = interval(hits, of);
    let percent = |share: f64| share * 100.0;
    format!(
        "{what} {:.3} % ({hits} of {of}; 95 % between {:.3} and {:.3})",
        percent(hits as f64 / of.max(1) as f64),
        percent(low),
        percent(high)
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let (cases, wanted) = match args.as_slice() {
        [cases] => (cases, 1000),
        [cases, pairs] => (cases, pairs.parse()?),
        _ => return Err("usage: controls -- CASES.jsonl [PAIRS]".into()),
    };
    let folder = Path::new(cases).parent().unwrap_or(Path::new("."));
    let cases: Vec<Value> =
        fs::read_to_string(cases)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let rules = RuleSet::builtin();
    for split in ["random", "time"] {
        let pools = pools(&cases, folder, split)?;
        // Few cases are large, and those take long: each is drawn from as often as any other.
        let mut draws = Draws(20_260_101);
        let (mut pairs, mut alarmed, mut fields, mut alarms) = (0, 0, 0, 0);
        let mut what: BTreeMap<String, u64> = BTreeMap::new();
        for pool in pools.iter().cycle().take(if pools.is_empty() { 0 } else { wanted }) {
            let (base, live) =
                if split == "random" { shuffled(pool, &mut draws) } else { adjacent(pool, &mut draws) };
            let report = diff_records(&base, &live, &rules, HashKey::new([7; 16]), None);
            let mut paths = BTreeSet::new();
            for record in &base {
                leaves(&serde_json::from_str(record)?, "$", &mut paths);
            }
            let told: BTreeSet<String> = report.diagnoses.iter().map(|d| d.path.to_string()).collect();
            for diagnosis in &report.diagnoses {
                *what.entry(format!("{}: {}", pool.name, diagnosis.summary)).or_default() += 1;
            }
            pairs += 1;
            alarmed += u64::from(!told.is_empty());
            fields += paths.len() as u64;
            alarms += told.len() as u64;
        }
        println!("{split}: {}", share("alarms per pair", alarmed, pairs));
        println!("{split}: {}", share("alarms per field", alarms, fields));
        for (what, count) in what {
            println!("  {count} x {what}");
        }
    }
    Ok(())
}
