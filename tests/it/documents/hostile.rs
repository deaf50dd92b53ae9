//! Documents that mean harm: each is refused or bounded in time and memory, with an error that names the place.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use drogue::engine::compare_documents;
use drogue::rules::{RuleSet, diff_documents};
use drogue::spec::{Document, SpecError, read};
use serde_json::{Value, json};

/// What a test may take; what is guarded against takes minutes or never ends.
const LIMIT: Duration = Duration::from_secs(20);

/// Gives what `act` gives, and fails where it takes too long: on the processor, where that is known, since a busy
/// machine says nothing.
fn in_time<T>(act: impl FnOnce() -> T) -> T {
    let (began, busy) = (Instant::now(), on_processor());
    let result = act();
    let spent = on_processor().zip(busy).map_or_else(|| began.elapsed(), |(now, then)| now - then);
    assert!(spent < LIMIT, "{spent:?}");
    result
}

/// How long this thread was on a processor (Linux).
fn on_processor() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(told.split(' ').next()?.parse().ok()?))
}

fn refused(name: &str, text: &str) -> String {
    in_time(|| read(name, None, text.as_bytes()).unwrap_err().to_string())
}

fn with_schemas(schemas: &Value) -> String {
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}});
    json!({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {"content": content}}}}}, "components": {"schemas": schemas}})
        .to_string()
}

#[test]
fn deep_nesting_is_refused() {
    let levels = 100_000;
    let all_of =
        format!("{{\"openapi\":\"3.0.0\",\"x\":{}{}}}", "{\"allOf\":[".repeat(levels), "]}".repeat(levels));
    assert!(refused("api.json", &all_of).contains("broken at line 1"), "recursion");
    let yaml = format!("openapi: 3.0.0\nx: {}{}\n", "[".repeat(levels), "]".repeat(levels));
    assert!(refused("api.yaml", &yaml).contains("broken"));
    let braces = format!("type Query {{ a(x: X = {}{}): Int }}", "{a:".repeat(levels), "}".repeat(levels));
    assert!(refused("s.graphql", &braces).contains("broken at line 1"));
    let only = format!("type Query {}{}", "{".repeat(levels), "}".repeat(levels));
    assert!(refused("s.graphql", &only).contains("broken"));
    let lists = format!("type Query {{ a: {}Int{} }}", "[".repeat(levels), "]".repeat(levels));
    assert!(refused("s.graphql", &lists).contains("broken"));
}

#[test]
fn chains_and_circles_of_references_end() {
    // A circle of schemas, each `allOf` the next: flat in the text, deep when it is followed.
    let levels = 20_000;
    let mut chain = serde_json::Map::new();
    for level in 0..levels {
        let next = json!({"allOf": [{"$ref": format!("#/components/schemas/S{}", (level + 1) % levels)}], "properties": {format!("p{level}"): {"type": "string"}}});
        chain.insert(format!("S{level}"), next);
    }
    let text = with_schemas(&Value::Object(chain));
    let report = in_time(|| {
        diff_documents("a.json", text.as_bytes(), "b.json", text.as_bytes(), &RuleSet::builtin()).unwrap()
    });
    assert!(report.findings.is_empty());
    // Each schema refers twice to the next one: two to the power of the number when it is written out.
    let mut doubling = serde_json::Map::new();
    for level in 0..200 {
        let below = json!({"$ref": format!("#/components/schemas/S{}", level + 1)});
        doubling.insert(
            format!("S{level}"),
            json!({"allOf": [below, below], "properties": {"a": below, "b": below}}),
        );
    }
    doubling.insert("S200".to_owned(), json!({"type": "string"}));
    let text = with_schemas(&Value::Object(doubling));
    let changed = text.replace("\"type\":\"string\"", "\"type\":\"integer\"");
    in_time(|| {
        diff_documents("a.json", text.as_bytes(), "b.json", changed.as_bytes(), &RuleSet::builtin()).unwrap()
    });
}

#[test]
fn bombs_of_aliases_are_refused() {
    let mut bomb = String::from("openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{aliases}]");
    }
    assert!(refused("api.yaml", &bomb).contains("broken"));
    let merges =
        (0..200_000).fold(String::from("openapi: 3.0.0\nb: &b {x: 1}\nl:\n"), |text, _| text + "- *b\n");
    assert!(refused("api.yaml", &merges).contains("broken"));
}

#[test]
fn size_is_bounded_before_anything_is_read() {
    let large = vec![b' '; (64 << 20) + 1];
    let error = in_time(|| read("api.json", None, &large).unwrap_err());
    assert!(matches!(error, SpecError::TooLarge { .. }), "{error}");
}

#[test]
fn pages_of_unclosed_tags_are_refused() {
    // These end by themselves, so a page may have as many as it likes.
    for tag in ["<li>", "<td>", "<p>"] {
        let page = format!("<html><body>{}text", tag.repeat(50_000));
        in_time(|| drop(read("docs.html", None, page.as_bytes())));
    }
    for tag in ["<b>", "<a href=x>", "<table>", "<svg>", "<p><i>", "<font><p>"] {
        let page = format!("<html><body>{}text", tag.repeat(1_000_000));
        assert!(refused("docs.html", &page).contains("nest deeper"), "{tag}");
    }
    assert!(
        refused("docs.html", &format!("<html><body>{}text", "<div>".repeat(1_000_000)))
            .contains("nest deeper")
    );
}

#[test]
fn a_collection_of_variables_in_variables_stays_small() {
    let mut variables = Vec::new();
    for index in 0..40 {
        let value = format!("{{{{v{}}}}}", index + 1).repeat(10);
        variables.push(json!({"key": format!("v{index}"), "value": value}));
    }
    let url = "https://example.com/{{v0}}";
    let collection = json!({
        "info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "variable": variables,
        "item": [{"name": "a", "request": {"method": "GET", "url": url}}]
    });
    let read = in_time(|| read("c.json", None, collection.to_string().as_bytes()));
    assert!(matches!(read, Ok(Document::Api(_))));
}

#[test]
fn broken_documents_of_each_format_name_the_place() {
    for (name, text, words) in [
        ("s.graphql", "type Query {\n  a: Int\n  b: [Int\n}\n", "line"),
        ("s.graphql", "enum Color { RED }\n", "defines no fields"),
        ("s.json", r#"{"__schema": {"types": 5}}"#, "lists no types"),
        ("t.json", r#"{"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}"#, "empty"),
        (
            "c.json",
            r#"{"info": {"schema": "https://schema.getpostman.com/json/collection/v1.0.0/"}}"#,
            "format 1",
        ),
        ("c.json", r#"{"info": {"_postman_id": "x"}, "item": []}"#, "no operations"),
        ("x.json", r#"{"discoveryVersion": "v1"}"#, "Google discovery"),
    ] {
        let told = refused(name, text);
        assert!(told.contains(words), "{text}: {told}");
        assert!(told.contains(name), "{told}");
    }
    // Half a list is read, and the other half is told.
    let half = json!({"tools": [{"name": "a", "inputSchema": {"type": "object"}}, {"title": "nameless"}, 7]})
        .to_string();
    let Document::Api(model) = read("t.json", None, half.as_bytes()).unwrap() else { panic!() };
    assert_eq!(model.notes(), ["`$.tools[1]` has no name", "`$.tools[2]` is no object"]);
}

/// Every schema refers to every other, as Stripe's nearly do: there are more ways through them than could be walked.
#[test]
fn schemas_that_all_refer_to_each_other_are_compared_each_once() {
    const SCHEMAS: usize = 150;
    const OPERATIONS: usize = 100;
    let described = |kind: &str| {
        let schemas: serde_json::Map<String, Value> = (0..SCHEMAS)
            .map(|number| {
                let mut properties: serde_json::Map<String, Value> = (0..SCHEMAS)
                    .map(|to| (format!("to{to}"), json!({"$ref": format!("#/components/schemas/S{to}")})))
                    .collect();
                properties.insert("own".to_owned(), json!({"type": kind}));
                (format!("S{number}"), json!({"type": "object", "properties": properties}))
            })
            .collect();
        let paths: serde_json::Map<String, Value> = (0..OPERATIONS)
            .map(|number| {
                let schema = json!({"$ref": format!("#/components/schemas/S{number}")});
                let responses = json!({"200": {"content": {"application/json": {"schema": schema}}}});
                (format!("/r{number}"), json!({"get": {"responses": responses}}))
            })
            .collect();
        let text =
            json!({"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}}).to_string();
        read("a.json", None, text.as_bytes()).unwrap()
    };
    let (before, after) = (described("string"), described("boolean"));
    let diff = in_time(|| compare_documents(&before, &after, &RuleSet::builtin(), None));
    let contract = diff.contract.unwrap();
    // Each schema as the body of one operation and as a property of all.
    assert!((SCHEMAS..=2 * SCHEMAS).contains(&contract.len()), "{}", contract.len());
    assert!(contract.iter().all(|one| one.affects.len() <= 100));
    let most = contract.iter().map(|one| one.operations).max();
    assert_eq!(most, Some(OPERATIONS));
}
