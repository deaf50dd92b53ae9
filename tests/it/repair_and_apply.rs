//! From a diagnosis to a patch on disk: mapping files read, edited, verified, applied and undone.

mod cdk;

use std::path::{Path, PathBuf};

use drogue::adapters;
use drogue::apply::{self, FileState, Replacement};
use drogue::model::{
    Candidate, Diagnosis, DiagnosisKind, Disposition, Facts, FieldPath, Framework, HashKey, Patch, Severity,
    Subject, Verification, content_id, sha256_hex,
};
use drogue::profile::{Entities, KeySpec, ProfileOptions, Profiler, SampleMode};
use drogue::repair::{self, ChooseInput, Proposal, ProposeInput, VerifyInput};
use serde_json::{Value, json};

const REGIONS: &str = include_str!("../fixtures/field_map/regions.yaml");
const CRM: &str = include_str!("../fixtures/airbyte/crm.yaml");

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn diagnosis(kind: DiagnosisKind, from: &str, to: &[&str]) -> Diagnosis {
    Diagnosis {
        id: content_id(&[&kind.word(), from]),
        kind,
        severity: Severity::Breaking,
        path: path(from),
        to: to.iter().map(|to| path(to)).collect(),
        summary: String::new(),
        confidence: 0.99,
        ambiguous: false,
        candidates: Vec::new(),
        detail: Facts::new(),
        evidence: Facts::new(),
        explains: Vec::new(),
        patch: None,
    }
}

fn subject() -> Subject {
    Subject { connector: "c".into(), stream: "s".into() }
}

fn propose(framework: Framework, text: &str, stream: &str, diagnoses: &[Diagnosis]) -> Proposal {
    repair::propose(&ProposeInput {
        subject: &subject(),
        diagnoses,
        framework,
        path: Path::new("/srv/map.yaml"),
        label: "map.yaml",
        text,
        stream,
        created: jiff::Timestamp::UNIX_EPOCH,
    })
}

/// The sample of these records, strings kept by hash.
fn sample(key: &str, mode: SampleMode, records: &[Value]) -> Entities {
    let mut options = ProfileOptions::new(HashKey::new([7; 16]));
    options.key = Some(KeySpec { paths: vec![path(key)] });
    options.samples = mode;
    let mut profiler = Profiler::new(options);
    for record in records {
        profiler.record(record.to_string().as_bytes());
    }
    profiler.finish().entities
}

fn verify(
    framework: Framework,
    text: &str,
    stream: &str,
    patch: &Patch,
    key: &str,
    old: &[Value],
    new: &[Value],
) -> Verification {
    repair::verify(&VerifyInput {
        patch,
        framework,
        before: text,
        stream,
        recorded: &sample(key, SampleMode::Keyed, old),
        live: &sample(key, SampleMode::Keyed, new),
        // A stream of some size, of which this is a sample.
        records: (1_000, 1_000),
    })
}

/// Regions as they were, day `day`.
fn regions(day: u32) -> Vec<Value> {
    (0..20)
        .map(|i| {
            json!({"codice_regione": i, "data": format!("2020-03-{day:02}T17:00:00"), "stato": "ITA",
                   "totale_attualmente_positivi": 100 * i + 7 * day, "lat": 40.5 + f64::from(i), "long": 8.25 + f64::from(i)})
        })
        .collect()
}

fn renamed(records: &[Value], from: &str, to: &str) -> Vec<Value> {
    let change = |record: &Value| {
        let mut record = record.clone();
        let value = record.as_object_mut().unwrap().remove(from).unwrap();
        record[to] = value;
        record
    };
    records.iter().map(change).collect()
}

#[test]
fn a_rename_is_one_safe_verified_patch() {
    let rename = diagnosis(DiagnosisKind::Renamed, "$.totale_attualmente_positivi", &["$.totale_positivi"]);
    let proposal = propose(Framework::FieldMap, REGIONS, "regions", std::slice::from_ref(&rename));
    assert_eq!(proposal.refused, []);
    let patch = proposal.patch.unwrap();
    assert_eq!((patch.disposition, patch.caution.as_deref()), (Disposition::Safe, None));
    insta::assert_snapshot!(patch.diff(), @r"
    --- a/map.yaml
    +++ b/map.yaml
    @@ -11,7 +11,7 @@
           day:
             from: $.data
             type: datetime
    -      total: $.totale_attualmente_positivi   # people
    +      total: [$.totale_positivi, $.totale_attualmente_positivi]   # people
           lat: {from: [$.lat], type: number}
           long:
             from:
    ");
    let live = renamed(&regions(31), "totale_attualmente_positivi", "totale_positivi");
    let verification =
        verify(Framework::FieldMap, REGIONS, "regions", &patch, "$.codice_regione", &regions(30), &live);
    assert!(verification.passed, "{verification:#?}");
    let checks: Vec<&str> = verification.checks.iter().map(|check| check.what.as_str()).collect();
    insta::assert_debug_snapshot!(checks, @r#"
    [
        "the file parses with 1 lines more and 1 less; no other stream is mapped otherwise",
        "`total` stays as it was in 20 of 20 samples of before: the vendor may take it back",
        "`total` is filled in 20 of 20 samples of after the change (0 without the patch; 20 of 20 before the change)",
        "`total` holds number as before the change (number)",
        "`total` of the 20 entities seen before and after: 0 equal, 20 within 25 %, all together 1.01 times as much",
        "5 other columns stay as they are",
    ]
    "#);

    // The same again: the same patch, to the byte. Once it is applied, nothing is left to do.
    let again =
        propose(Framework::FieldMap, REGIONS, "regions", std::slice::from_ref(&rename)).patch.unwrap();
    assert_eq!(again, patch);
    let after = propose(Framework::FieldMap, &patch.files[0].after, "regions", std::slice::from_ref(&rename));
    assert_eq!((after.patch, after.handled), (None, vec![rename.id]));
}

#[test]
fn a_wrong_rename_does_not_pass() {
    let rename = diagnosis(DiagnosisKind::Renamed, "$.totale_attualmente_positivi", &["$.variazione"]);
    let patch = propose(Framework::FieldMap, REGIONS, "regions", &[rename]).patch.unwrap();
    let mut live = renamed(&regions(31), "totale_attualmente_positivi", "totale_positivi");
    for record in &mut live {
        record["variazione"] = json!(3);
    }
    let verification =
        verify(Framework::FieldMap, REGIONS, "regions", &patch, "$.codice_regione", &regions(30), &live);
    assert!(!verification.passed);
    let failed: Vec<_> = verification.checks.iter().filter(|check| !check.passed).collect();
    assert_eq!(failed.len(), 1, "{failed:#?}");
}

#[test]
fn ambiguous_ones_wait_for_a_person() {
    let mut rename =
        diagnosis(DiagnosisKind::Renamed, "$.totale_attualmente_positivi", &["$.totale_positivi"]);
    rename.ambiguous = true;
    rename.candidates = ["$.totale_positivi", "$.variazione"]
        .map(|to| Candidate { path: path(to), score: 0.6, facts: Facts::new() })
        .to_vec();
    let proposal = propose(Framework::FieldMap, REGIONS, "regions", std::slice::from_ref(&rename));
    assert_eq!(proposal.patch, None);
    assert!(proposal.refused[0].1.contains("`$.variazione` (0.60)"), "{:?}", proposal.refused);
    let choose = |candidate: &str| {
        repair::propose_with_choice(&ChooseInput {
            subject: &subject(),
            diagnosis: &rename,
            candidate: &path(candidate),
            framework: Framework::FieldMap,
            path: Path::new("/srv/map.yaml"),
            label: "map.yaml",
            text: REGIONS,
            stream: "regions",
            created: jiff::Timestamp::UNIX_EPOCH,
        })
    };
    let patch = choose("$.variazione").unwrap();
    assert_eq!(patch.disposition, Disposition::Review);
    assert!(patch.files[0].after.contains("[$.variazione, $.totale_attualmente_positivi]"));
    assert!(choose("$.deceduti").is_err());
}

#[test]
fn several_diagnoses_are_one_patch_and_one_that_fails_costs_no_other() {
    let mut retyped = diagnosis(DiagnosisKind::Retyped, "$.lat", &[]);
    retyped.detail = Facts::new()
        .with("from_types", vec!["number".to_owned()])
        .with("to_types", vec!["string".to_owned()]);
    let diagnoses = [
        retyped,
        diagnosis(DiagnosisKind::Renamed, "$.stato", &["$.paese"]),
        diagnosis(DiagnosisKind::Renamed, "$.long", &["$.punti[*].long"]),
        diagnosis(DiagnosisKind::Removed, "$.note", &[]),
        diagnosis(DiagnosisKind::Added, "$.casi", &[]),
        diagnosis(DiagnosisKind::Renamed, "$.codice_regione", &["$.codice"]),
    ];
    let proposal = propose(Framework::FieldMap, REGIONS, "regions", &diagnoses);
    let patch = proposal.patch.unwrap();
    assert_eq!(patch.diagnoses.len(), 3);
    assert_eq!(proposal.refused.len(), 2, "{:?}", proposal.refused);
    // The primary key is among them.
    assert_eq!(patch.disposition, Disposition::Review);
    assert!(patch.caution.as_deref().unwrap().contains("primary key"), "{:?}", patch.caution);

    let mut live = renamed(&regions(31), "stato", "paese");
    for record in &mut live {
        record["lat"] = json!(record["lat"].to_string());
    }
    let alone = propose(Framework::FieldMap, REGIONS, "regions", &diagnoses[..2]).patch.unwrap();
    let verification =
        verify(Framework::FieldMap, REGIONS, "regions", &alone, "$.codice_regione", &regions(30), &live);
    assert!(verification.passed, "{verification:#?}");
}

#[test]
fn another_unit_is_always_for_review() {
    let mut rescaled = diagnosis(DiagnosisKind::Rescaled, "$.balance", &[]);
    rescaled.detail = Facts::new().with("ratio", 0.01).with("unit", "cents to dollars");
    let patch = propose(Framework::AirbyteLowCode, CRM, "customers", &[rescaled]).patch.unwrap();
    assert_eq!(patch.disposition, Disposition::Review);
    let added =
        patch.files[0].after.lines().find(|line| line.contains("value: \"{{ (record")).unwrap().trim();
    assert_eq!(
        added,
        "value: \"{{ (record['balance'] * 100) | round | int if record.get('balance') is number else '' }}\""
    );
    let customers = |factor: f64| -> Vec<Value> {
        (1..30).map(|i| json!({"id": format!("c{i}"), "balance": f64::from(i * 1_050) * factor})).collect()
    };
    let verification = verify(
        Framework::AirbyteLowCode,
        CRM,
        "customers",
        &patch,
        "$.id",
        &customers(1.0),
        &customers(0.01),
    );
    assert!(verification.passed, "{verification:#?}");
    let unchanged =
        verify(Framework::AirbyteLowCode, CRM, "customers", &patch, "$.id", &customers(1.0), &customers(1.0));
    assert!(!unchanged.passed, "{unchanged:#?}");
}

#[test]
fn a_manifest_is_patched_and_verified() {
    let customers = || -> Vec<Value> {
        (0..30)
            .map(|i| {
                json!({"id": format!("c{i}"), "email": (i % 5 > 0).then(|| format!("u{i}@example.com")),
                       "created_at": format!("2024-03-{:02}T08:00:00Z", i % 28 + 1), "address": {"zip": format!("{:05}", i)}})
            })
            .collect()
    };
    let mut live = renamed(&customers(), "email", "email_address");
    for record in &mut live {
        let zip = record["address"]["zip"].take();
        record["address"] = json!({"postcode": zip});
        let at: jiff::Timestamp = record["created_at"].as_str().unwrap().parse().unwrap();
        record["created_at"] = json!(at.as_second());
    }
    let mut reformatted = diagnosis(DiagnosisKind::Reformatted, "$.created_at", &[]);
    reformatted.detail = Facts::new().with("from_format", "date-time-z").with("to_format", "epoch-seconds");
    let diagnoses = [
        diagnosis(DiagnosisKind::Renamed, "$.email", &["$.email_address"]),
        diagnosis(DiagnosisKind::Renamed, "$.address.zip", &["$.address.postcode"]),
        reformatted,
    ];
    let patch = propose(Framework::AirbyteLowCode, CRM, "customers", &diagnoses).patch.unwrap();
    let verification =
        verify(Framework::AirbyteLowCode, CRM, "customers", &patch, "$.id", &customers(), &live);
    assert!(verification.passed, "{verification:#?}");
    assert_eq!(patch.diagnoses.len(), 3);

    // Without its condition the same edit corrupts: null would be "None", and a roll-back "".
    let naive = patch.files[0]
        .after
        .replace("condition: \"{{ record.get('email_address') is not none }}\"", "condition: \"\"");
    let naive = Patch {
        files: vec![drogue::model::FilePatch::new("/srv/map.yaml".into(), "map.yaml", CRM, naive)],
        ..patch
    };
    let verification =
        verify(Framework::AirbyteLowCode, CRM, "customers", &naive, "$.id", &customers(), &live);
    assert!(!verification.passed);
}

#[test]
fn nothing_to_verify_on_is_never_passed() {
    let rename = diagnosis(DiagnosisKind::Renamed, "$.stato", &["$.paese"]);
    let patch = propose(Framework::FieldMap, REGIONS, "regions", &[rename]).patch.unwrap();
    let few =
        verify(Framework::FieldMap, REGIONS, "regions", &patch, "$.codice_regione", &regions(30)[..3], &[]);
    assert!(!few.passed);
    assert_eq!(
        few.checks.last().unwrap().what,
        "3 samples of before and 0 of after the change; 5 of each are needed, or all records of a smaller stream"
    );
    let off = sample("$.codice_regione", SampleMode::Off, &regions(30));
    let verification = repair::verify(&VerifyInput {
        patch: &patch,
        framework: Framework::FieldMap,
        before: REGIONS,
        stream: "regions",
        recorded: &off,
        live: &off,
        records: (1_000, 1_000),
    });
    assert!(!verification.passed);
    let mut envelope = diagnosis(DiagnosisKind::EnvelopeChanged, "$", &[]);
    envelope.detail = Facts::new().with("from", "$[*]").with("to", "$.data[*]");
    let patch = propose(Framework::FieldMap, REGIONS, "regions", &[envelope]).patch.unwrap();
    let records = regions(30);
    let verification =
        verify(Framework::FieldMap, REGIONS, "regions", &patch, "$.codice_regione", &records, &records);
    assert!(!verification.passed);
}

#[test]
fn applied_then_undone_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("map.yaml");
    std::fs::write(&file, REGIONS).unwrap();
    let rename = diagnosis(DiagnosisKind::Renamed, "$.stato", &["$.paese"]);
    let patch = propose(Framework::FieldMap, REGIONS, "regions", &[rename]).patch.unwrap();
    let edit = &patch.files[0];
    let forward = [Replacement {
        path: file.clone(),
        expected_sha256: edit.before_sha256.clone(),
        bytes: edit.after.clone().into_bytes(),
    }];
    let declared = [file.clone()];
    let undo = apply::prepare(&forward, &declared).unwrap();
    apply::replace(&forward, &declared).unwrap();
    assert_eq!(apply::state_of(&file, &edit.before_sha256, &edit.after_sha256), FileState::After);
    let backward = [Replacement {
        path: file.clone(),
        expected_sha256: edit.after_sha256.clone(),
        bytes: undo[0].clone(),
    }];
    apply::replace(&backward, &declared).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), REGIONS);
    // Somebody edits it after the patch was applied again: it is not undone.
    apply::replace(&forward, &declared).unwrap();
    std::fs::write(&file, format!("{}# mine\n", edit.after)).unwrap();
    assert!(apply::replace(&backward, &declared).is_err());
}

/// The two texts between which [`a_kill_at_any_moment_leaves_the_old_text_or_the_new`] is killed.
fn texts() -> [Vec<u8>; 2] {
    [vec![b'a'; 200_000], vec![b'b'; 300_000]]
}

/// What the killed process does: it replaces two files again and again. Not a test of its own.
#[test]
#[ignore = "is started by another test"]
fn replace_for_ever() {
    let Some(folder) = std::env::var_os("DROGUE_TEST_REPLACE") else { return };
    let files = ["one", "two"].map(|name| PathBuf::from(&folder).join(name));
    let texts = texts();
    let mut now = 0;
    loop {
        let changes: Vec<Replacement> = files
            .iter()
            .map(|path| Replacement {
                path: path.clone(),
                expected_sha256: sha256_hex(&texts[now]),
                bytes: texts[1 - now].clone(),
            })
            .collect();
        apply::replace(&changes, &files).unwrap();
        now = 1 - now;
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_text_or_the_new() {
    let [old, new] = texts();
    let hashes = [sha256_hex(&old), sha256_hex(&new)];
    for round in 0..12_u64 {
        let dir = tempfile::tempdir().unwrap();
        let files = ["one", "two"].map(|name| dir.path().join(name));
        for file in &files {
            std::fs::write(file, &old).unwrap();
        }
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "repair_and_apply::replace_for_ever"])
            .env("DROGUE_TEST_REPLACE", dir.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // The kill comes at no moment in particular: after the first replacement, and a little more each round.
        while apply::state_of(&files[0], &hashes[0], &hashes[1]) == FileState::Before {
            assert_eq!(child.try_wait().unwrap(), None, "the child ended by itself");
            std::thread::yield_now();
        }
        for _ in 0..round * 2_000 {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let states = files.each_ref().map(|file| apply::state_of(file, &hashes[0], &hashes[1]));
        assert!(!states.contains(&FileState::Neither), "round {round}: {states:?}");
        // What the journal does at the next start: a mixture is put back, and nothing is left beside the files.
        let declared = files.clone();
        for (file, state) in files.iter().zip(states) {
            let now = if state == FileState::After { &hashes[1] } else { &hashes[0] };
            let back = Replacement { path: file.clone(), expected_sha256: now.clone(), bytes: old.clone() };
            apply::replace(&[back], &declared).unwrap();
        }
        assert!(files.iter().all(|file| std::fs::read(file).unwrap() == old));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "round {round}");
    }
}

/// Reads every real manifest where the corpus is at hand; it is not part of the project.
#[test]
fn real_manifests_are_read() {
    let folder = std::env::var_os("DROGUE_MANIFESTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora/connectors/airbyte-manifests"),
        Into::into,
    );
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!(
            "skipped: no real manifests at {}; set DROGUE_MANIFESTS to a folder of them",
            folder.display()
        );
        return;
    };
    let mut read = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(adapters::recognise(&name, &text), Some(Framework::AirbyteLowCode), "{name}");
        let mapping = adapters::read(Framework::AirbyteLowCode, &text).unwrap();
        assert!(!mapping.streams.is_empty(), "{name}: no streams");
        println!(
            "{name}: {} streams, {} with endpoint, {} with records, {} with key, {} fields, {} skipped parts",
            mapping.streams.len(),
            mapping.streams.iter().filter(|s| s.endpoint.is_some()).count(),
            mapping.streams.iter().filter(|s| s.records.is_some()).count(),
            mapping.streams.iter().filter(|s| !s.primary_key.is_empty()).count(),
            mapping.streams.iter().map(|s| s.fields.len()).sum::<usize>(),
            mapping.skipped.len()
        );
        // An edit of any stream changes that stream alone, or is refused.
        let few = mapping.streams.len().div_ceil(3);
        for stream in mapping.streams.iter().step_by(few) {
            let edit = adapters::Edit::Reroute {
                from: "$.drogue_old".parse().unwrap(),
                to: "$.drogue_new".parse().unwrap(),
                types: vec![drogue::model::JsonType::String],
            };
            match adapters::edit(Framework::AirbyteLowCode, &text, &stream.name, &edit) {
                Ok(after) => {
                    let diff = similar::TextDiff::from_lines(&text, &after);
                    let lost =
                        diff.iter_all_changes().filter(|c| c.tag() == similar::ChangeTag::Delete).count();
                    assert_eq!(lost, 0, "{name}: {}", stream.name);
                    let again = adapters::read(Framework::AirbyteLowCode, &after).unwrap();
                    let others = |m: &drogue::model::Mapping| {
                        m.streams.iter().filter(|s| s.name != stream.name).cloned().collect::<Vec<_>>()
                    };
                    assert_eq!(others(&again), others(&mapping), "{name}: {}", stream.name);
                }
                Err(refusal) => println!("  {}: {refusal}", stream.name),
            }
        }
        read += 1;
    }
    println!("{read} manifests");
}
