//! From a diagnosis to a patch on disk: mapping files read, edited, verified, applied and undone.

use std::path::Path;

use drogue::adapters;
use drogue::model::Framework;

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
        for stream in &mapping.streams {
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
