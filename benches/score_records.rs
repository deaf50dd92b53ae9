//! Scores `drogue diff` on a folder in the format of the drift corpus:
//! `cargo bench --bench score_records -- CASES.jsonl OUT.jsonl [--keyed]`; `--keyed` keeps no sampled value in clear, as
//! `watch` does.
//!
//! Only words are translated here, by a table; what is found comes from the library, and labels are never read.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
};

use drogue::{
    compare::Window,
    diagnose::{ReportContext, baseline_of, common_key, diff_records, report, window_of},
    model::{Diagnosis, DiagnosisKind, FieldPath, HashKey, Report, Step, Subject},
    profile::{KeySpec, ProfileOptions, Profiler},
    rules::RuleSet,
};
use serde_json::{Value, json};

/// Our kind; a name and a word of the diagnosis' detail (`*` for any, a name alone for its presence); the corpus'
/// family and kind. The first row that fits speaks.
const KINDS: &[(&str, &str, &str, &str, &str)] = &[
    ("renamed", "object", "yes", "rename", "rename_object"),
    ("renamed", "content", "scale-changed", "rename", "rename_unit"),
    ("renamed", "name_change", "case", "rename", "rename_case"),
    ("renamed", "name_change", "abbreviation", "rename", "rename_abbrev"),
    ("renamed", "name_change", "opaque", "rename", "rename_unrelated"),
    ("renamed", "", "", "rename", "rename_synonym"),
    ("moved", "", "", "rename", "rename_nested"),
    ("split", "", "", "rename", "field_split"),
    ("merged", "", "", "rename", "field_merge"),
    ("swapped", "", "", "swap", "field_swap"),
    ("removed", "weighed", "*", "schema", "removed_plus_unrelated_added"),
    ("removed", "", "", "schema", "field_removed"),
    ("added", "", "", "schema", "field_added"),
    ("retyped", "transform", "number-to-text", "encoding", "num_to_string"),
    ("retyped", "transform", "boolean-to-word", "bool", "bool_to_string"),
    ("retyped", "transform", "boolean-to-number", "bool", "bool_to_int"),
    ("retyped", "transform", "scalar-to-array", "shape", "scalar_to_array"),
    ("retyped", "transform", "scalar-to-object", "shape", "scalar_to_object"),
    ("reformatted", "transform", "date-time-to-epoch-seconds", "timestamp", "iso_to_unix_s"),
    ("reformatted", "transform", "date-time-to-epoch-milliseconds", "timestamp", "iso_to_unix_ms"),
    ("reformatted", "transform", "epoch-seconds-to-epoch-millis", "timestamp", "unix_s_to_ms"),
    ("reformatted", "transform", "epoch-seconds-to-date-time", "timestamp", "unix_s_to_iso"),
    ("reformatted", "transform", "zone-notation", "timestamp", "tz_suffix_change"),
    ("reformatted", "transform", "fraction-of-second", "timestamp", "ts_fraction_added"),
    ("reformatted", "transform", "date-notation", "timestamp", "date_format"),
    ("reformatted", "transform", "number-to-locale-text", "encoding", "locale_number"),
    ("reformatted", "transform", "locale-number", "encoding", "locale_number"),
    ("reformatted", "", "", "id", "code_format"),
    ("timezone-shifted", "", "", "timestamp", "tz_offset_shift"),
    ("rescaled", "transform", "hundredths", "unit", "cents_to_dollars"),
    ("rescaled", "transform", "hundredths-inverse", "unit", "dollars_to_cents"),
    ("rescaled", "transform", "percent", "unit", "percent_ratio"),
    ("rescaled", "transform", "percent-inverse", "unit", "percent_ratio"),
    ("rescaled", "transform", "sixty", "unit", "minutes_to_seconds"),
    ("rescaled", "transform", "fahrenheit", "unit", "temp_c_f"),
    ("rescaled", "transform", "fahrenheit-inverse", "unit", "temp_c_f"),
    ("rescaled", "", "", "unit", "unit_convert"),
    ("sign-flipped", "", "", "unit", "sign_flip"),
    ("re-encoded", "transform", "integer-to-decimal", "encoding", "int_to_float"),
    ("re-encoded", "transform", "padding", "encoding", "whitespace_pad"),
    ("re-encoded", "transform", "html-escape", "encoding", "html_escape"),
    ("re-encoded", "transform", "mojibake", "encoding", "mojibake"),
    ("re-encoded", "transform", "separator", "enum", "separator_change"),
    ("id-scheme-changed", "transform", "integer-to-uuid", "id", "id_int_to_uuid"),
    ("id-scheme-changed", "transform", "integer-to-prefixed", "id", "id_prefixed"),
    ("id-scheme-changed", "transform", "integer-id-to-text", "id", "id_int_to_string"),
    ("id-scheme-changed", "", "", "id", "code_format"),
    ("enum-changed", "transform", "one-value", "enum", "enum_rename_one"),
    ("enum-changed", "transform", "all-values", "enum", "enum_rename_all"),
    ("enum-changed", "transform", "words-to-codes", "enum", "enum_to_int_code"),
    ("enum-changed", "", "", "enum", "enum_new_value"),
    ("case-changed", "", "", "enum", "case_change"),
    ("nulls-changed", "transform", "missing", "null", "missing_jump"),
    ("nulls-changed", "transform", "null-to-sentinel", "null", "null_to_sentinel"),
    ("nulls-changed", "transform", "empty-strings", "null", "empty_string"),
    ("nulls-changed", "", "", "null", "null_jump"),
    ("truncated", "transform", "digits", "truncation", "precision_loss"),
    ("truncated", "", "", "truncation", "truncate_string"),
    ("stale", "transform", "moment", "stale", "ts_frozen"),
    ("stale", "transform", "constant", "stale", "constant"),
    ("stale", "transform", "replay", "stale", "stale_replay"),
    ("cardinality-changed", "", "", "cardinality", "cardinality_collapse"),
    ("distribution-shifted", "transform", "inverted", "bool", "bool_invert"),
    ("distribution-shifted", "transform", "mix", "distribution", "category_mix"),
    ("distribution-shifted", "transform", "spread", "distribution", "dist_spread"),
    ("distribution-shifted", "", "", "distribution", "dist_shift"),
];

fn dotted(path: &FieldPath) -> String {
    let mut text = String::new();
    for step in path.steps() {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                let _ = write!(text, ".{key}");
            }
            Step::Each => text.push_str("[]"),
            Step::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
        }
    }
    text
}

/// One finding, or for a swap one for each of the two fields that it affects.
fn findings(diagnosis: &Diagnosis) -> Vec<Value> {
    let mut findings = vec![finding(diagnosis)];
    if diagnosis.kind == DiagnosisKind::Swapped {
        let mut mirrored = diagnosis.clone();
        if let Some(other) = mirrored.to.first_mut() {
            std::mem::swap(&mut mirrored.path, other);
            findings.push(finding(&mirrored));
        }
    }
    findings
}

fn finding(diagnosis: &Diagnosis) -> Value {
    let word = diagnosis.kind.word();
    let fits = |row: &&(&str, &str, &str, &str, &str)| {
        row.0 == word
            && (row.1.is_empty()
                || diagnosis.detail.get(row.1).is_some_and(|fact| row.2 == "*" || fact.to_string() == row.2))
    };
    let (family, kind) = KINDS.iter().find(fits).map_or(("", word.as_str()), |row| (row.3, row.4));
    let to: Vec<String> = diagnosis.to.iter().map(dotted).collect();
    let since = diagnosis.evidence.get("since_record");
    json!({"path": dotted(&diagnosis.path), "kind": kind, "family": family, "to": to, "since_record": since,
           "summary": diagnosis.summary})
}

/// The comparison that `watch` makes: samples by keyed hash, and as stored.
fn keyed(baseline: &[&str], live: &[&str], rules: &RuleSet, hash_key: HashKey) -> Report {
    let key = common_key(baseline, live, hash_key);
    let window = |records: &[&str], key: Option<&KeySpec>| {
        let mut profiler =
            Profiler::new(ProfileOptions { key: key.cloned(), ..ProfileOptions::new(hash_key) });
        records.iter().for_each(|record| profiler.record(record.as_bytes()));
        Window { profile: profiler.finish(), ..window_of(&[], key, hash_key) }
    };
    let mut known = baseline_of(baseline, key.as_ref(), hash_key);
    known.profile = window(baseline, key.as_ref()).profile.redacted();
    let subject = Subject { connector: "watch".to_owned(), stream: "records".to_owned() };
    let context = ReportContext { learning: false, at: jiff::Timestamp::UNIX_EPOCH };
    report(&subject, &known, &window(live, key.as_ref()), rules, None, &context)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let is_keyed = args.iter().any(|arg| arg == "--keyed");
    args.retain(|arg| arg != "--keyed");
    let [cases, out] = args.as_slice() else {
        return Err("usage: score_records -- CASES.jsonl OUT.jsonl [--keyed]".into());
    };
    let hash_key = HashKey::new([7; 16]);
    let folder = Path::new(cases).parent().unwrap_or(Path::new("."));
    let rules = RuleSet::builtin();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = String::new();
    for line in fs::read_to_string(cases)?.lines() {
        let case: Value = serde_json::from_str(line)?;
        let name = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        for side in ["baseline", "live"] {
            if let Entry::Vacant(entry) = files.entry(name(side)) {
                entry.insert(fs::read_to_string(folder.join(name(side)))?);
            }
        }
        let records = |side| files[&name(side)].lines().collect::<Vec<_>>();
        let (baseline, live) = (records("baseline"), records("live"));
        let report = if is_keyed {
            keyed(&baseline, &live, &rules, hash_key)
        } else {
            diff_records(&baseline, &live, &rules, hash_key, None)
        };
        let findings: Vec<Value> = report.diagnoses.iter().flat_map(findings).collect();
        writeln!(lines, "{}", json!({"case_id": case["case_id"], "findings": findings}))?;
    }
    fs::write(out, lines)?;
    Ok(())
}
