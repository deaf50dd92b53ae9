//! What texts announce is told with its sentence and its day, wherever it stands; and texts that differ are shown.

use drogue::model::{Finding, Report, Severity};
use drogue::rules::{RuleSet, diff_documents};
use drogue::spec::{WatchedEndpoint, compare_documents, read};
use serde_json::{Value, json};

fn diff(name: &str, before: &str, after: &str) -> Report {
    diff_documents(name, before.as_bytes(), name, after.as_bytes(), &RuleSet::builtin()).unwrap()
}

fn api() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "shop", "description": "Orders and customers."},
        "tags": [{"name": "orders", "description": "All of orders."}],
        "security": [{"key": []}],
        "paths": {
            "/orders": {"get": {
                "tags": ["orders"],
                "description": "Returns orders, newest first.",
                "parameters": [
                    {"name": "limit", "in": "query", "description": "How many.", "schema": {"type": "integer"}},
                    {"$ref": "#/components/parameters/Cursor"}],
                "responses": {"200": {"description": "OK", "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/Order"}}}}}
            }},
            "/refunds": {"get": {"description": "Returns refunds.", "responses": {"200": {"description": "OK"}}}}
        },
        "components": {
            "schemas": {"Order": {"type": "object", "properties": {
                "note": {"type": "string", "description": "A note."}, "total": {"type": "number"}}}},
            "parameters": {"Cursor": {"name": "cursor", "in": "query", "description": "Where to go on.",
                "schema": {"type": "string"}}},
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key", "description": "A key."}}
        }
    })
}

/// The findings after one text was put in the place of another.
fn edited(pointer: &str, text: &str) -> Vec<Finding> {
    let mut after = api();
    *after.pointer_mut(pointer).unwrap() = json!(text);
    diff("api.json", &api().to_string(), &after.to_string()).findings
}

fn fact<'a>(finding: &'a Finding, name: &str) -> &'a str {
    finding.evidence.text(name).unwrap_or_default()
}

#[test]
fn a_description_announces_wherever_people_write() {
    let says = "It was nice. The v1 API will be shut down on 2027-02-01.";
    let places = [
        ("/info/description", "the API as a whole"),
        ("/tags/0/description", "tag orders"),
        ("/paths/~1orders/get/description", "GET /orders"),
        ("/paths/~1orders/get/parameters/0/description", "parameter `limit`"),
        ("/paths/~1orders/get/responses/200/description", "GET /orders"),
        ("/components/parameters/Cursor/description", "parameter `cursor`"),
        ("/components/securitySchemes/key/description", "security scheme key"),
        ("/components/schemas/Order/properties/note/description", "note"),
    ];
    for (pointer, place) in places {
        let findings = edited(pointer, says);
        assert_eq!(findings.len(), 1, "{pointer}: {findings:#?}");
        let finding = &findings[0];
        assert_eq!(finding.rule, "docs-deprecated-in-prose", "{pointer}");
        assert_eq!(finding.severity, Severity::Warning, "{pointer}");
        assert_eq!(fact(finding, "ends"), "2027-02-01", "{pointer}");
        assert_eq!(fact(finding, "sentence"), "The v1 API will be shut down on 2027-02-01.", "{pointer}");
        assert!(
            finding.message.contains(place) && finding.message.contains("2027-02-01"),
            "{}",
            finding.message
        );
    }
}

#[test]
fn extensions_and_reasons_date_what_is_marked_as_deprecated() {
    let mut after = api();
    after["paths"]["/orders"]["get"]["deprecated"] = json!(true);
    after["paths"]["/orders"]["get"]["x-sunset"] = json!("2027-01-15");
    let report = diff("api.json", &api().to_string(), &after.to_string());
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert_eq!(report.findings[0].rule, "docs-operation-deprecated");
    assert_eq!(fact(&report.findings[0], "ends"), "2027-01-15");
    let schema = |mark: &str| {
        format!("type Query {{ orders: [Order] }}\ntype Order {{ id: ID total: Float{mark} }}\n")
    };
    let marked = schema(" @deprecated(reason: \"Use totalCents; removed on 2027-02-01.\")");
    let report = diff("shop.graphql", &schema(""), &marked);
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert_eq!(report.findings[0].rule, "docs-field-deprecated");
    assert_eq!(fact(&report.findings[0], "ends"), "2027-02-01");
    assert!(report.findings[0].message.contains("Use totalCents"), "{}", report.findings[0].message);
}

#[test]
fn several_announcements_of_one_text_are_all_told_and_a_limit_with_what_it_was() {
    let mut before = api();
    before["info"]["description"] = json!("You may send 600 requests per minute.");
    let mut after = api();
    after["info"]["description"] = json!(
        "You may send 60 requests per minute. API keys will no longer be accepted from 2027-01-15 on. \
         The base URL changes to https://api2.example.com on 2027-03-01."
    );
    let report = diff("api.json", &before.to_string(), &after.to_string());
    let mut rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["docs-address-in-prose", "docs-auth-in-prose", "docs-limit-in-prose"]);
    let limit = report.findings.iter().find(|finding| finding.rule == "docs-limit-in-prose").unwrap();
    assert_eq!(
        (fact(limit, "from"), fact(limit, "to")),
        ("600 requests per minute", "60 requests per minute")
    );
    assert_eq!(fact(limit, "before"), "You may send 600 requests per minute.");
}

#[test]
fn texts_that_differ_are_shown_and_never_nothing() {
    let findings = edited("/paths/~1orders/get/description", "Returns orders, oldest first.");
    let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "texts differ in 1 place: GET /orders: “Returns orders, newest first.” → “Returns orders, oldest first.”"
        ]
    );
    let findings = edited("/components/schemas/Order/properties/note/description", "A note in HTML.");
    assert!(
        findings[0].message.contains("schema Order › `note`: “A note.” → “A note in HTML.”"),
        "{findings:?}"
    );
    for pointer in ["/info/description", "/tags/0/description", "/components/securitySchemes/key/description"]
    {
        assert_eq!(edited(pointer, "Something else.").len(), 1, "{pointer}");
    }
    assert_eq!(edited("/info/description", "Orders and   customers."), [], "space is no text");
}

#[test]
fn a_text_that_only_stands_elsewhere_is_no_news() {
    let mut before = api();
    before["paths"]["/orders"]["get"]["description"] = json!("Deprecated. Will be removed on 2027-01-15.");
    let mut after = before.clone();
    let item = after["paths"].as_object_mut().unwrap().remove("/orders").unwrap();
    after["paths"]["/v2/orders"] = item;
    let report = diff("api.json", &before.to_string(), &after.to_string());
    assert!(
        report.findings.iter().all(|finding| fact(finding, "sentence").is_empty()),
        "{:#?}",
        report.findings
    );
}

#[test]
fn a_tag_that_is_described_first_announces() {
    let mut before = api();
    before.as_object_mut().unwrap().remove("tags");
    let mut after = api();
    after["tags"][0]["description"] = json!("The orders API will be shut down on 2027-02-01.");
    let report = diff("api.json", &before.to_string(), &after.to_string());
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert_eq!(fact(&report.findings[0], "ends"), "2027-02-01");
}

#[test]
fn how_a_new_operation_is_described_announces_nothing() {
    let mut after = api();
    after["paths"]["/invoices"] = json!({"get": {
        "description": "You may send 10 requests per minute.", "responses": {"200": {"description": "OK"}}}});
    after["components"]["schemas"]["Order"]["properties"]["old"] =
        json!({"type": "string", "description": "Deprecated. Use `note`."});
    let report = diff("api.json", &api().to_string(), &after.to_string());
    assert!(
        report.findings.iter().all(|finding| finding.severity == Severity::Info),
        "{:#?}",
        report.findings
    );
}

#[test]
fn what_is_announced_of_other_operations_is_one_line_and_no_alert() {
    let watched = WatchedEndpoint {
        method: "GET".to_owned(),
        path: "/orders".to_owned(),
        ..WatchedEndpoint::default()
    };
    let told = |after: &str| -> Vec<(String, String)> {
        let before = read("notes.md", None, NOTES.as_bytes()).unwrap();
        let after = read("notes.md", None, after.as_bytes()).unwrap();
        let changes = compare_documents(&before, &after, std::slice::from_ref(&watched)).changes;
        let fact = |change: &drogue::model::Change, name: &str| {
            change.facts.get(name).map(ToString::to_string).unwrap_or_default()
        };
        changes.iter().map(|change| (fact(change, "what"), fact(change, "mapped"))).collect()
    };
    let with = |line: &str| format!("{NOTES}\n## 2026-11-20\n\n{line}\n");
    let row = |what: &str, mapped: &str| [(what.to_owned(), mapped.to_owned())];
    assert_eq!(
        told(&with("`GET /customers` will be removed on 2026-12-20.")),
        row("deprecated-in-prose", "no")
    );
    assert_eq!(
        told(&with("`GET /customers` is old. It will be removed on 2026-12-20.")),
        row("deprecated-in-prose", "no")
    );
    assert_eq!(told(&with("`GET /orders` will be removed on 2026-12-20.")), row("deprecated-in-prose", ""));
}

const NOTES: &str =
    "# Changes\n\nWhat changes in this API is told here, newest last, with the day it holds from.\n";

#[test]
fn tables_are_read_by_row() {
    let page = |table: &str| {
        format!(
            "<html><body><main><h1>Orders</h1><p>Every order has an id and a total, and says when it was made, by whom, and for \
             which shop it was made, so that nothing is left to guess.</p><table>{table}</table></main></body></html>"
        )
    };
    let fields = |of: &str| {
        page(&format!(
            "<tr><th>Field</th><th>Type</th></tr><tr><td><p><code>id</code></p></td><td><p>string</p></td></tr>\
             <tr><td><p><code>total</code></p></td><td><p>{of}</p></td></tr>"
        ))
    };
    let report = diff("ref.html", &fields("number"), &fields("string"));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].rule, "docs-type-changed");
    // A table of which nobody knows what its columns are is text.
    let plans =
        |of: &str| page(&format!("<tr><th>Plan</th><th>Price</th></tr><tr><td>large</td><td>{of}</td></tr>"));
    let report = diff("ref.html", &plans("10"), &plans("12"));
    assert_eq!(report.findings.len(), 1);
    let message = &report.findings[0].message;
    assert!(message.contains("“Plan: large | Price: 10” → “Plan: large | Price: 12”"), "{message}");
    let ends = |rows: &str| page(&format!("<tr><th>API</th><th>Sunset date</th></tr>{rows}"));
    let row = "<tr><td>GET /v1/orders</td><td>2027-01-15</td></tr>";
    let html = diff("ref.html", &ends(""), &ends(row));
    let text =
        |rows: &str| format!("# Ends\n\nWhat ends, and when.\n\n| API | Sunset date |\n|-----|---|\n{rows}");
    let markdown = diff("ref.md", &text(""), &text("| GET /v1/orders | 2027-01-15 |\n"));
    for report in [html, markdown] {
        assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
        let finding = &report.findings[0];
        assert_eq!(
            (finding.rule.as_str(), fact(finding, "ends")),
            ("docs-deprecated-in-prose", "2027-01-15")
        );
        assert_eq!(fact(finding, "sentence"), "API: GET /v1/orders | Sunset date: 2027-01-15");
    }
}

#[test]
fn every_announcement_of_a_section_is_told_and_a_title_gives_way_to_its_sentence() {
    let notes = |lines: &str| format!("{NOTES}\n## 3.0.0\n\nA new version.\n{lines}");
    let report =
        diff("notes.md", &notes(""), &notes("\n- `total` is now a string.\n- Removed `note` from orders.\n"));
    let mut rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["docs-changed-in-prose", "docs-deprecated-in-prose"]);
    let feed = |items: &str| {
        format!(
            "<rss><channel><title>News</title>{items}<item><title>Old</title><description>Old.</description></item></channel></rss>"
        )
    };
    let item = "<item><title>Sunset of v1</title><pubDate>Fri, 20 Nov 2026 00:00:00 GMT</pubDate>\
                <description>The v1 API will be shut down next year.</description></item>";
    let report = diff("feed.xml", &feed(""), &feed(item));
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert_eq!(fact(&report.findings[0], "sentence"), "The v1 API will be shut down next year.");
    assert_eq!(fact(&report.findings[0], "ends"), "2027-01-01 to 2027-12-31");
}

#[test]
fn what_ended_long_before_it_was_written_is_history() {
    let after = format!("{NOTES}\n## 2026-11-20\n\nThe v0 API was shut down on 2025-01-01.\n");
    let report = diff("notes.md", NOTES, &after);
    let told: Vec<(&str, Severity)> = report.findings.iter().map(|f| (f.rule.as_str(), f.severity)).collect();
    assert_eq!(told, [("docs-over-in-prose", Severity::Info)]);
}
