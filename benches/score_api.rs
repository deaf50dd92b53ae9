//! `cargo bench --bench score_api -- CASES.jsonl OUT.jsonl`: what Drogue makes of each pair of a corpus of descriptions.
//!
//! A row names two files beside the corpus (`base_file`, `revision_file`) or holds two documents (`base`, `revision`).
//! What comes out is `{id, findings: [{level, operation, path, id}]}`: each entry once for every value and every place. Nothing here judges, and nothing looks at what the row expects.

use std::{error::Error, fs, io::Write, path::Path};

use drogue::engine::compare_documents;
use drogue::observe::read_document_file;
use drogue::rules::{ContractEntry, RuleSet};
use drogue::spec::{Document, read};
use serde_json::{Value, json};

/// The most that one file may hold.
const MAX_BYTES: u64 = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let [input, output] = files.as_slice() else {
        return Err("usage: cargo bench --bench score_api -- CASES.jsonl OUT.jsonl".into());
    };
    let folder = Path::new(input).parent().unwrap_or(Path::new("."));
    let rules = RuleSet::builtin();
    let today = jiff::Zoned::now().date();
    let mut out = fs::File::create(output)?;
    for line in fs::read_to_string(input)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let (before, after) = (document(&row, "base", folder)?, document(&row, "revision", folder)?);
        let line = match (before, after) {
            (Ok(before), Ok(after)) => {
                let diff = compare_documents(&before, &after, &rules, Some(today));
                json!({"id": row["id"], "findings": expanded(&diff.contract.unwrap_or_default())})
            }
            (Err(error), _) | (_, Err(error)) => {
                json!({"id": row["id"], "findings": [], "error": error.to_string()})
            }
        };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// One side, with all its parts; or why it cannot be read.
fn document(
    row: &Value,
    side: &str,
    folder: &Path,
) -> Result<Result<Document, Box<dyn Error>>, Box<dyn Error>> {
    if let Some(name) = row[format!("{side}_file")].as_str() {
        let path = folder.join(name);
        let bytes =
            read_document_file(&path, MAX_BYTES).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(read(&path.to_string_lossy(), None, &bytes).map_err(Into::into));
    }
    let (name, bytes) = match &row[side] {
        Value::String(text) => (side.to_owned(), text.clone().into_bytes()),
        document @ Value::Object(_) => (format!("{side}.json"), serde_json::to_vec(document)?),
        _ => return Err(format!("row {} has neither `{side}_file` nor `{side}`", row["id"]).into()),
    };
    Ok(read(&name, None, &bytes).map_err(Into::into))
}

fn expanded(entries: &[ContractEntry]) -> Vec<Value> {
    let every = |entry: &ContractEntry| -> Vec<Value> {
        let (level, id) = (entry.level.word(), &entry.id);
        let places = entry.values.iter().flat_map(|_| &entry.affects);
        places
            .map(|place| json!({"level": level, "operation": place.method, "path": place.path, "id": id}))
            .collect()
    };
    entries.iter().flat_map(every).collect()
}
