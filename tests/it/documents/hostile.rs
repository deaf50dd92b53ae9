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
pub(super) fn in_time<T>(act: impl FnOnce() -> T) -> T {
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
    for tag in ["<li>", "<td>", "<p>", "<table>", "<p><i>", "<a href=x>"] {
        let page = format!("<html><body>{}text", tag.repeat(20_000));
        in_time(|| drop(read("docs.html", None, page.as_bytes())));
    }
    for tag in ["<b>", "<svg>", "<font><p>", "<div>", "<object>", "<template>", "<ruby><rt>"] {
        let page = format!("<html><body>{}text", tag.repeat(1_000_000));
        let told = refused("docs.html", &page);
        assert!(told.contains("nest deeper") || told.contains("more elements"), "{tag}: {told}");
    }
}

/// What looks like the begin of raw text and is none, or ends it in another way than a careless reader thinks.
#[test]
fn depth_is_refused_in_every_disguise() {
    for disguise in [
        "<script></SCRIPT>",
        "<script></script\n>",
        "<style></StYlE/>",
        "<!-- <script> -->",
        "<!--><script>",
        "<!-- <style> --!>",
        "<!doctype html [<script>]>",
        "<?php <script> ?>",
        "<textarea></TEXTAREA>",
        "<title></TITLE >",
        "<xmp></XMP>",
        "<iframe></IFRAME>",
        "<noframes></NOFRAMES>",
        "<noscript></NOSCRIPT>",
        "<a title='<script>'>",
        "<a title=<script>",
        "<svg><style></svg>",
        "<math><script></math>",
        "<select><script></select>",
        "<![CDATA[<script>]]>",
    ] {
        let page = format!("<html><body>{disguise}{}", "<div>".repeat(30_000));
        let told = refused("docs.html", &page);
        // Where the standard says that all of it is raw text, it is a page without any.
        let is_empty = told.contains("next to nothing") || told.contains("scripts make its content");
        assert!(told.contains("nest deeper") || is_empty, "{disguise}: {told}");
        let feed = format!(
            "<rss><channel><title>News</title><item><title>a</title><description><![CDATA[{}{}]]></description></item>\
             </channel></rss>",
            disguise.replace("]]>", ""),
            "<div>".repeat(30_000)
        );
        in_time(|| drop(read("feed.xml", None, feed.as_bytes())));
    }
}

/// The standard opens some elements again wherever text follows; a few kilobytes make millions of them.
#[test]
fn elements_that_open_themselves_again_are_bounded() {
    let bold = |n: usize| (0..n).fold(String::new(), |text, i| text + &format!("<b a={i}>"));
    let again = format!("<html><body><p>{}</p>{}", bold(450), "<p>x".repeat(30_000));
    assert!(refused("docs.html", &again).contains("more elements"));
    let crossed = (0..10_000).fold(String::new(), |text, i| text + &format!("<i><b a={i}></i>"));
    refused("docs.html", &format!("<html><body>{crossed}"));
}

#[test]
fn texts_of_which_every_line_differs_are_compared_in_time() {
    let text =
        |word: &str| (0..60_000).fold("# Orders\n\n".to_owned(), |text, i| text + &format!("{word} {i}\n\n"));
    let (before, after) = (text("old"), text("new"));
    let report = in_time(|| {
        diff_documents("a.md", before.as_bytes(), "b.md", after.as_bytes(), &RuleSet::builtin()).unwrap()
    });
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].evidence.number("lines"), Some(120_000.0));
}

#[test]
fn more_values_than_any_description_has_are_refused() {
    let lists = format!("{{\"openapi\":\"3.0.0\",\"x\":[{}0]}}", "[],".repeat(3_000_000));
    assert!(refused("api.json", &lists).contains("more than 4000000 values"));
}

#[test]
fn an_example_of_many_members_is_read_in_time() {
    let members: serde_json::Map<String, Value> = (0..30_000).map(|i| (format!("m{i}"), json!(i))).collect();
    let response = json!({"name": "ok", "code": 200, "header": [{"key": "Content-Type", "value": "application/json"}],
        "body": Value::Object(members).to_string()});
    let collection = json!({
        "info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item": [{"name": "a", "request": {"method": "GET", "url": "https://example.com/a"}, "response": [response]}]
    });
    let text = collection.to_string();
    let document = in_time(|| read("c.json", None, text.as_bytes()).unwrap());
    let Document::Api(model) = document else { panic!() };
    assert_eq!(model.operations().len(), 1);
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
