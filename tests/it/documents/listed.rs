//! What a person reads of documents: every finding in a line of its own, and errors that say cause and place.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::project::{Feed, Project, Receivers, customers, page};

fn described(name: Value, email: &str) -> String {
    let mut properties =
        json!({"id": {"type": "integer"}, "email": {"type": email}, "amount": {"type": "integer"}});
    let (key, schema) = name.as_object().unwrap().iter().next().unwrap();
    properties[key] = schema.clone();
    json!({
        "openapi": "3.0.3", "info": {"title": "crm", "version": "1"},
        "paths": {"/customers": {"get": {"responses": {"200": {"description": "OK", "content": {"application/json": {
            "schema": {"type": "object", "properties": {"data": {"type": "array", "items": {
                "type": "object", "properties": properties}}}}}}}}}}},
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_and_a_list_show_each_finding_of_a_document() {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    project.write("openapi.json", &described(json!({"name": {"type": "string"}}), "string"));
    project.edit_config("    streams:\n", "    docs: [{file: openapi.json}]\n    streams:\n");
    project.learn();
    feed.answers(|turn| page(&customers(turn)));
    project.write(
        "openapi.json",
        &described(json!({"names": {"type": "array", "items": {"type": "string"}}}), "integer"),
    );
    let checked = project.run(&["check"]).ended(11);
    let listed = project.run(&["findings", "list"]).ended(11);
    let (_, all) = project.json(&["findings", "list"]);
    let findings = all["reports"].as_array().unwrap().iter().flat_map(|r| r["findings"].as_array().unwrap());
    let breaking: Vec<&Value> = findings.filter(|finding| finding["severity"] == json!("breaking")).collect();
    assert!(breaking.len() >= 2, "{all}");
    let words = checked.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for finding in breaking {
        let fingerprint = finding["fingerprint"].as_str().unwrap();
        for text in [&checked.stdout, &listed.stdout] {
            assert!(text.contains(fingerprint), "{fingerprint} is missing in\n{text}");
            assert!(!text.contains("more changes)"), "{text}");
        }
        let message = finding["message"].as_str().unwrap();
        assert!(words.contains(message), "{message} is missing in\n{}", checked.stdout);
    }
    assert!(words.contains("60 responses of the last window are still as before"), "{words}");
}

/// What `drogue diff good.json FILE` says where FILE holds this.
fn error(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.json");
    std::fs::write(&good, described(json!({"name": {"type": "string"}}), "string")).unwrap();
    let other = folder.path().join(name);
    std::fs::write(&other, content).unwrap();
    let run = |before: &Path, after: &Path| {
        let ran =
            Command::new(env!("CARGO_BIN_EXE_drogue")).arg("diff").args([before, after]).output().unwrap();
        assert_eq!(ran.status.code(), Some(1), "{name}: {ran:?}");
        String::from_utf8(ran.stderr).unwrap()
    };
    let (there, back) = (run(&good, &other), run(&other, &good));
    assert_eq!(there, back, "the order of the two changes nothing");
    there
}

#[test]
fn errors_of_diff_say_cause_and_place() {
    let good = described(json!({"name": {"type": "string"}}), "string");
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(good.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let deep = format!("{{\"openapi\": \"3.0.3\", \"x\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("cut.json", good.as_bytes()[..good.len() / 2].to_vec(), "broken at line 1: it ends in the middle"),
        ("empty.json", Vec::new(), "it is empty"),
        ("utf16.json", utf16, "UTF-16"),
        ("gz.json", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], "gzip"),
        ("deep.json", deep.into_bytes(), "it nests deeper than 128"),
        (
            "huge.json",
            good.replacen("\"1\"", "1e999999", 1).into_bytes(),
            "broken at line 1: number out of range",
        ),
        (
            "next.json",
            good.replacen("3.0.3", "4.0.0", 1).into_bytes(),
            "OpenAPI 4.0.0, a version other than 3.x",
        ),
        (
            "old.json",
            br#"{"swaggerVersion": "1.2", "apis": []}"#.to_vec(),
            "Swagger 1.2, a version other than 2.0",
        ),
        ("async.json", br#"{"asyncapi": "2.6.0", "channels": {}}"#.to_vec(), "AsyncAPI"),
        ("api.raml", b"#%RAML 1.0\ntitle: x\n".to_vec(), "RAML"),
        ("raml.yaml", b"#%RAML 1.0\ntitle: x\n".to_vec(), "a RAML description"),
        (
            "pm.json",
            br#"{"id": "x", "requests": [], "order": []}"#.to_vec(),
            "Postman collection in the format 1",
        ),
        (
            "gql.json",
            br#"{"errors": [{"message": "introspection is disabled"}]}"#.to_vec(),
            "introspection is disabled",
        ),
        (
            "two.yaml",
            b"openapi: 3.0.3\npaths: {}\n---\nopenapi: 3.0.3\n".to_vec(),
            "it holds several documents",
        ),
        ("self.yaml", b"openapi: 3.0.3\nx: &a [*a]\n".to_vec(), "an anchor refers to itself"),
        ("cut.graphql", b"type Query {\n  a: Int\n".to_vec(), "expected `}`, got the end of the file"),
        ("records.json", br#"[{"id": 1}, {"id": 2}]"#.to_vec(), "holds records: compare two of a kind"),
    ];
    for (name, content, cause) in cases {
        let said = error(name, &content);
        assert!(said.contains(cause) && said.contains(name), "{name}: {said}");
    }
}
