//! Scores `drogue diff` on a folder in the format of the corpus of real histories:
//! `cargo bench --bench score_real -- CASES.jsonl OUT.jsonl [--sequences SEQ.jsonl]`.
//!
//! Pairs are compared as `drogue diff` does; sequences step by step as `drogue replay --accept all` does, after one
//! window of learning. Only words are translated here, by a table; labels are never read.

use std::{error::Error, fmt::Write as _, fs, path::Path};

use drogue::{
    config::LearningSettings,
    diagnose::diff_records,
    engine::{Accepting, Course, ReplayOptions},
    model::{Diagnosis, FieldPath, HashKey, Period, Report, Step, Subject},
    rules::RuleSet,
};
use serde_json::{Value, json};

/// Our kind, a name and a word of the diagnosis' detail, and the corpus' word; any other kind is `value` there.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("added", "", "", "added"),
    ("removed", "", "", "removed"),
    ("renamed", "", "", "renamed"),
    ("moved", "", "", "moved"),
    ("retyped", "", "", "retyped"),
    ("reformatted", "from_types", "*", "retyped"),
    ("id-scheme-changed", "from_types", "*", "retyped"),
    ("enum-changed", "from_types", "*", "retyped"),
    ("reformatted", "", "", "format"),
    ("enum-changed", "transform", "lost-value", "enum_removed"),
    ("enum-changed", "", "", "enum_added"),
];

fn written(path: &FieldPath) -> String {
    let mut text = "$".to_owned();
    for step in path.steps() {
        let _ = match step {
            Step::Key(key) if is_plain(key) => write!(text, ".{key}"),
            Step::Key(key) => write!(text, "['{key}']"),
            Step::Each => write!(text, "[]"),
            Step::Index(index) => write!(text, "[{index}]"),
        };
    }
    text
}

/// The corpus quotes keys that hold a dot, a bracket or the like; hyphens stand as they are.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn finding(diagnosis: &Diagnosis) -> Value {
    let word = diagnosis.kind.word();
    let fits = |row: &&(&str, &str, &str, &str)| {
        row.0 == word
            && (row.1.is_empty()
                || diagnosis.detail.get(row.1).is_some_and(|fact| row.2 == "*" || fact.to_string() == row.2))
    };
    let kind = KINDS.iter().find(fits).map_or("value", |row| row.3);
    let to = diagnosis.to.first().map(written);
    json!({"path": written(&diagnosis.path), "kind": kind, "to": to, "ambiguous": diagnosis.ambiguous,
        "summary": diagnosis.summary})
}

fn findings(report: &Report) -> Vec<Value> {
    report.diagnoses.iter().map(finding).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let sequences = match args.iter().position(|arg| arg == "--sequences") {
        Some(at) if at + 1 < args.len() => {
            args.remove(at);
            Some(args.remove(at))
        }
        _ => None,
    };
    let [cases, out] = args.as_slice() else {
        return Err("usage: score_real -- CASES.jsonl OUT.jsonl [--sequences SEQ.jsonl]".into());
    };
    let rules = RuleSet::builtin();
    let key = HashKey::new([7; 16]);
    let folder = Path::new(cases).parent().unwrap_or(Path::new("."));
    let mut lines = String::new();
    for line in fs::read_to_string(cases)?.lines() {
        let case: Value = serde_json::from_str(line)?;
        let text = |side: &str| fs::read_to_string(folder.join(case[side].as_str().unwrap_or_default()));
        let (baseline, live) = (text("baseline")?, text("live")?);
        let records = |text| str::lines(text).collect::<Vec<_>>();
        let report = diff_records(&records(&baseline), &records(&live), &rules, key, None);
        writeln!(lines, "{}", json!({"case_id": case["case_id"], "findings": findings(&report)}))?;
    }
    if let Some(sequences) = sequences {
        let folder = Path::new(&sequences).parent().unwrap_or(Path::new("."));
        for line in fs::read_to_string(&sequences)?.lines() {
            sequence(&serde_json::from_str(line)?, folder, &rules, &mut lines)?;
        }
    }
    fs::write(out, lines)?;
    Ok(())
}

/// The steps of a sequence as `drogue replay --accept all` takes them, from the second one on: each change is told once,
/// by the step that shows it. A step that cannot be read says nothing.
fn sequence(
    sequence: &Value,
    folder: &Path,
    rules: &RuleSet,
    lines: &mut String,
) -> Result<(), Box<dyn Error>> {
    let subject = Subject { connector: "history".to_owned(), stream: "records".to_owned() };
    let options = ReplayOptions {
        rules: Some(rules.clone()),
        learning: LearningSettings { windows: 1, span: Period::from_secs(0) },
        accept: Accepting::Everything,
        ..ReplayOptions::default()
    };
    let mut course = Course::new(subject, &options);
    for step in sequence["steps"].as_array().into_iter().flatten() {
        let Some(file) = step["file"].as_str() else { continue };
        let replayed = course.take(file.to_owned(), &folder.join(file), None);
        if let Some(report) = &replayed.report {
            let line =
                json!({"seq_id": sequence["seq_id"], "step": step["step"], "findings": findings(report)});
            writeln!(lines, "{line}")?;
        }
    }
    Ok(())
}
