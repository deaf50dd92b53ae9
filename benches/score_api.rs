//! `cargo bench --bench score_api -- CASES.jsonl OUT.jsonl`: what Drogue makes of each pair of a corpus of descriptions.
//!
//! A row names two files beside the corpus (`base_file`, `revision_file`) or holds two documents (`base`, `revision`).
//! What comes out is `{id, findings: [{level, operation, path, id}]}`: each finding once for every place that it
//! affects. Nothing here judges, and nothing looks at what the row expects.

use std::{error::Error, fs, io::Write, path::Path};

use drogue::rules::{ContractFinding, diff_contracts};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let [input, output] = files.as_slice() else {
        return Err("usage: cargo bench --bench score_api -- CASES.jsonl OUT.jsonl".into());
    };
    let folder = Path::new(input).parent().unwrap_or(Path::new("."));
    let today = jiff::Zoned::now().date();
    let mut out = fs::File::create(output)?;
    for line in fs::read_to_string(input)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let (before_name, before) = document(&row, "base", folder)?;
        let (after_name, after) = document(&row, "revision", folder)?;
        let line = match diff_contracts(&before_name, &before, &after_name, &after, Some(today)) {
            Ok(findings) => json!({"id": row["id"], "findings": expanded(&findings)}),
            Err(error) => json!({"id": row["id"], "findings": [], "error": error.to_string()}),
        };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The name and the bytes of one side.
fn document(row: &Value, side: &str, folder: &Path) -> Result<(String, Vec<u8>), Box<dyn Error>> {
    if let Some(name) = row[format!("{side}_file")].as_str() {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok((path.to_string_lossy().into_owned(), bytes));
    }
    match &row[side] {
        Value::String(text) => Ok((side.to_owned(), text.clone().into_bytes())),
        document @ Value::Object(_) => Ok((format!("{side}.json"), serde_json::to_vec(document)?)),
        _ => Err(format!("row {} has neither `{side}_file` nor `{side}`", row["id"]).into()),
    }
}

fn expanded(findings: &[ContractFinding]) -> Vec<Value> {
    let every = |finding: &ContractFinding| -> Vec<Value> {
        let (level, id) = (finding.level.word(), &finding.id);
        let places = finding.change.affects.iter();
        places
            .map(|place| json!({"level": level, "operation": place.method, "path": place.path, "id": id}))
            .collect()
    };
    findings.iter().flat_map(every).collect()
}
