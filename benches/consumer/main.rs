//! `cargo bench --bench consumer -- FOLDER [N]`: how well the consumer's view of API descriptions tells what touches a
//! connector from what does not.
//!
//! Takes each description of the folder (`.json`, `.yaml`, each also as `.gz`), makes up connectors that read some of
//! its operations, and injects N breaks (1,000 by default) into what they use, and N of the same sorts elsewhere. A
//! break is caught when a finding of its operation, or of the whole API, is at least a warning, and for fields names
//! that field; an alarm is any finding above info about a change elsewhere. Exits with 1 on a miss or an alarm.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its figures, and how far it is"
)]

mod connector;
mod mutation;
mod walk;

use std::{collections::BTreeMap, error::Error, fs, io::Read as _, path::Path};

use connector::Connector;
use drogue::compare::Comparison;
use drogue::model::{FieldPath, Finding, Severity, Subject};
use drogue::rules::{JudgeContext, RuleSet};
use drogue::spec::{ApiModel, Document, compare_documents};
use mutation::Mutation;
use serde_json::Value;

/// Numbers by SplitMix64: the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { Some(&all[self.below(all.len())]) }
    }
}

#[derive(Default)]
struct Score {
    cases: usize,
    wrong: usize,
    by_sort: BTreeMap<&'static str, (usize, usize)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let Some(folder) = arguments.first() else {
        return Err("usage: cargo bench --bench consumer -- FOLDER [N]".into());
    };
    let wanted: usize = arguments.get(1).map_or(Ok(1000), |text| text.parse())?;
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let mut random = Random(1);
    let (mut mapped, mut elsewhere) = (Score::default(), Score::default());
    for (index, file) in files.iter().enumerate() {
        let Some(root) = load(&file.path())? else { continue };
        let left = files.len() - index;
        let aims = [&mapped, &elsewhere].map(|score| (wanted.saturating_sub(score.cases)).div_ceil(left));
        let name = file.file_name().to_string_lossy().into_owned();
        run(&name, &root, aims, &mut random, (&mut mapped, &mut elsewhere));
        eprintln!("{name}: {} and {} in all", mapped.cases, elsewhere.cases);
    }
    for (title, verb, score) in [("mapped", "missed", &mapped), ("elsewhere", "alarmed", &elsewhere)] {
        for (sort, (cases, wrong)) in &score.by_sort {
            println!("{title:10} {sort:32} {cases:5} {verb} {wrong}");
        }
    }
    let caught = mapped.cases - mapped.wrong;
    println!("breaks of what is used: {caught} of {} caught", mapped.cases);
    println!("changes elsewhere: {} of {} alarmed above info", elsewhere.wrong, elsewhere.cases);
    std::process::exit(i32::from(mapped.wrong + elsewhere.wrong > 0));
}

fn load(path: &Path) -> Result<Option<Value>, Box<dyn Error>> {
    let name = path.to_string_lossy().into_owned();
    let mut bytes = fs::read(path)?;
    if name.ends_with(".gz") {
        let mut inner = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut inner)?;
        bytes = inner;
    }
    let plain = name.trim_end_matches(".gz");
    let value: Value = if plain.ends_with(".json") {
        serde_json::from_slice(&bytes)?
    } else if plain.ends_with(".yaml") || plain.ends_with(".yml") {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_events: 20_000_000, max_nodes: 10_000_000 },
        };
        serde_saphyr::from_str_with_options(&String::from_utf8(bytes)?, options)?
    } else {
        return Ok(None);
    };
    Ok(ApiModel::new(value.clone()).map(|_| value))
}

fn run(
    name: &str,
    root: &Value,
    aims: [usize; 2],
    random: &mut Random,
    (mapped, elsewhere): (&mut Score, &mut Score),
) {
    let Some(model) = ApiModel::new(root.clone()) else { return };
    let before = Document::Api(Box::new(model));
    let (mut connector, mut tries) = (Connector::make_up(root, random), 0);
    let mut done = [0, 0];
    while done[0] < aims[0] || done[1] < aims[1] {
        tries += 1;
        if tries > 40 * (aims[0] + aims[1]) {
            break;
        }
        // A connector serves for some changes; then there is another one.
        if tries % 8 == 0 {
            connector = Connector::make_up(root, random);
        }
        let Some(connector) = &connector else { continue };
        let hits = if done[0] < aims[0] { tries % 2 == 0 || done[1] >= aims[1] } else { false };
        let mut after = root.clone();
        let mutation = if hits {
            mutation::of_what_is_used(&mut after, connector, random)
        } else {
            mutation::elsewhere(&mut after, connector, random)
        };
        let Some(mutation) = mutation.filter(|_| after != *root) else { continue };
        let Some(model) = ApiModel::new(after) else { continue };
        let findings = findings(&before, &Document::Api(Box::new(model)), connector);
        let score = if hits { &mut *mapped } else { &mut *elsewhere };
        let wrong = if hits { !is_caught(&mutation, &findings) } else { alarms(&findings).next().is_some() };
        done[usize::from(!hits)] += 1;
        score.cases += 1;
        score.wrong += usize::from(wrong);
        let entry = score.by_sort.entry(mutation.sort).or_default();
        entry.0 += 1;
        entry.1 += usize::from(wrong);
        if wrong {
            println!("{name}: {} {}", if hits { "missed" } else { "alarmed by" }, mutation);
            for finding in findings.iter().take(4) {
                println!("    {} {}: {}", finding.severity.word(), finding.rule, finding.message);
            }
        }
    }
}

fn findings(before: &Document, after: &Document, connector: &Connector) -> Vec<Finding> {
    let compared = compare_documents(before, after, &connector.watched);
    let comparison = Comparison {
        changes: compared.changes,
        inconclusive: compared.inconclusive,
        ..Comparison::default()
    };
    let subject = Subject { connector: "bench".to_owned(), stream: "docs".to_owned() };
    let context = JudgeContext { mapping: None, learning: false, at: jiff::Timestamp::UNIX_EPOCH };
    RuleSet::builtin().judge(&subject, &comparison, &context).findings
}

fn alarms(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.severity > Severity::Info)
}

fn is_caught(mutation: &Mutation, findings: &[Finding]) -> bool {
    alarms(findings).any(|finding| {
        let operation = finding.evidence.text("operation");
        if mutation.operation.is_some() && operation.is_some() && operation != mutation.operation.as_deref() {
            return false;
        }
        let Some(field) = &mutation.field else { return true };
        // A finding about records or responses as a whole says it of each field.
        let Some(about) = finding.evidence.text("field").and_then(|text| text.parse::<FieldPath>().ok())
        else {
            return true;
        };
        about.starts_with(field) || field.starts_with(&about)
    })
}
