//! Documents: API descriptions and pages, read and compared as `drogue diff` and `drogue watch` do.

mod announced;
mod determinism;
mod formats;
mod half_read;
mod hostile;
mod listed;
mod moved;
mod mutated;
mod probes;
mod refactored;
mod reference;
mod rows;

use drogue::model::{ChangeKind, FieldPath, Report, Severity};
use drogue::rules::{RuleSet, diff_documents};
use drogue::spec::{
    DocsComparison, Document, SpecError, WatchedEndpoint, compare_documents, discover,
    looks_like_api_description, read,
};
use serde_json::{Value, json};

/// A description with most of what connectors meet: paging, an envelope, a shared schema, a circle.
fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "shop", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "security": [{"key": []}],
        "paths": {
            "/orders": {"get": {
                "operationId": "listOrders",
                "description": "Lists orders.",
                "parameters": [
                    {"name": "page", "in": "query", "schema": {"type": "integer"}},
                    {"name": "per_page", "in": "query", "schema": {"type": "integer", "maximum": 100, "default": 30}},
                    {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}}
                ],
                "responses": {"200": {
                    "headers": {"Link": {"schema": {"type": "string"}}},
                    "content": {"application/json": {
                        "schema": {"type": "object", "properties": {
                            "data": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}},
                            "next_cursor": {"type": "string"}
                        }},
                        "example": {"data": [{"id": 1, "total": 12.5}]}
                    }}
                }}
            }},
            "/orders/{id}": {"get": {
                "operationId": "getOrder",
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}}
            }},
            "/health": {"get": {"responses": {"200": {"description": "ok"}}}}
        },
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
            "schemas": {
                "Order": {"type": "object", "required": ["id", "total"], "properties": {
                    "id": {"type": "integer", "format": "int32"},
                    "total": {"type": "number"},
                    "state": {"type": "string", "enum": ["open", "paid"]},
                    "created_at": {"type": "string", "format": "date-time"},
                    "customer_email": {"type": "string"},
                    "shipping": {"$ref": "#/components/schemas/Address"},
                    "billing": {"$ref": "#/components/schemas/Address"},
                    "replaces": {"$ref": "#/components/schemas/Order"}
                }},
                "Address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}}
            }
        }
    })
}

fn edited(edit: impl FnOnce(&mut Value)) -> Value {
    let mut value = description();
    edit(&mut value);
    value
}

fn diff(before: &Value, after: &Value) -> Report {
    let (before, after) = (before.to_string(), after.to_string());
    diff_documents("before.json", before.as_bytes(), "after.json", after.as_bytes(), &RuleSet::builtin())
        .unwrap()
}

fn watch(before: &Value, after: &Value, fields: &[&str]) -> DocsComparison {
    let document = |value: &Value| read("api.json", None, value.to_string().as_bytes()).unwrap();
    let watched = WatchedEndpoint {
        method: "GET".to_owned(),
        path: "https://api.example.com/v1/orders?since={{ now }}".to_owned(),
        records: Some("$.data[*]".parse().unwrap()),
        fields: fields.iter().map(|path| path.parse().unwrap()).collect(),
        ..WatchedEndpoint::default()
    };
    compare_documents(&document(before), &document(after), &[watched])
}

fn pointer<'v>(value: &'v mut Value, path: &str) -> &'v mut Value {
    value.pointer_mut(path).unwrap_or_else(|| panic!("{path}"))
}

fn remove(value: &mut Value, object: &str, key: &str) -> Value {
    pointer(value, object).as_object_mut().unwrap().remove(key).unwrap()
}

const ORDER: &str = "/components/schemas/Order/properties";
const LIST: &str = "/paths/~1orders/get";

#[test]
fn each_change_is_told_once_and_by_name() {
    type Edit = Box<dyn FnOnce(&mut Value)>;
    let edits: Vec<(&str, Severity, &str, Edit)> = vec![
        (
            "docs-server-changed",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                *pointer(v, "/servers/0/url") = json!("https://api.example.com/v2");
            }),
        ),
        (
            "docs-auth-changed",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                *pointer(v, "/components/securitySchemes/key") = json!({"type": "http", "scheme": "bearer"});
            }),
        ),
        (
            "docs-operation-removed",
            Severity::Breaking,
            "$",
            Box::new(|v| drop(remove(v, "/paths", "/health"))),
        ),
        (
            "docs-operation-moved",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                let item = remove(v, "/paths", "/orders");
                pointer(v, "/paths")["/purchases"] = item;
            }),
        ),
        (
            "docs-operation-added",
            Severity::Info,
            "$",
            Box::new(|v| {
                pointer(v, "/paths")["/refunds"] = json!({"get": {"responses": {}}});
            }),
        ),
        (
            "docs-field-removed",
            Severity::Breaking,
            "$.created_at",
            Box::new(|v| drop(remove(v, ORDER, "created_at"))),
        ),
        (
            "docs-field-renamed",
            Severity::Breaking,
            "$.customer_email",
            Box::new(|v| {
                let field = remove(v, ORDER, "customer_email");
                pointer(v, ORDER)["email"] = field;
            }),
        ),
        (
            "docs-field-added",
            Severity::Info,
            "$.currency",
            Box::new(|v| {
                pointer(v, ORDER)["currency"] = json!({"type": "string"});
            }),
        ),
        (
            "docs-type-changed",
            Severity::Breaking,
            "$.total",
            Box::new(|v| {
                *pointer(v, &format!("{ORDER}/total/type")) = json!("string");
            }),
        ),
        (
            "docs-format-changed",
            Severity::Breaking,
            "$.created_at",
            Box::new(|v| {
                *pointer(v, &format!("{ORDER}/created_at/format")) = json!("date");
            }),
        ),
        (
            "docs-format-widened",
            Severity::Warning,
            "$.id",
            Box::new(|v| {
                *pointer(v, &format!("{ORDER}/id/format")) = json!("int64");
            }),
        ),
        (
            "docs-enum-value-added",
            Severity::Warning,
            "$.state",
            Box::new(|v| {
                *pointer(v, &format!("{ORDER}/state/enum")) = json!(["open", "paid", "void"]);
            }),
        ),
        (
            "docs-became-nullable",
            Severity::Warning,
            "$.total",
            Box::new(|v| {
                pointer(v, &format!("{ORDER}/total"))["nullable"] = json!(true);
            }),
        ),
        (
            "docs-became-optional",
            Severity::Warning,
            "$.total",
            Box::new(|v| {
                *pointer(v, "/components/schemas/Order/required") = json!(["id"]);
            }),
        ),
        (
            "docs-field-deprecated",
            Severity::Warning,
            "$.state",
            Box::new(|v| {
                pointer(v, &format!("{ORDER}/state"))["deprecated"] = json!(true);
            }),
        ),
        (
            "docs-records-moved",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                let schema = format!("{LIST}/responses/200/content/application~1json/schema/properties");
                let list = remove(v, &schema, "data");
                pointer(v, &schema)["result"] = json!({"type": "object", "properties": {"orders": list}});
                remove(v, &format!("{LIST}/responses/200/content/application~1json"), "example");
            }),
        ),
        (
            "docs-paging-removed",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                remove(v, &format!("{LIST}/responses/200"), "headers");
            }),
        ),
        (
            "docs-page-size-limited",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                *pointer(v, &format!("{LIST}/parameters/1/schema/maximum")) = json!(50);
            }),
        ),
        (
            "docs-parameter-default-changed",
            Severity::Warning,
            "$",
            Box::new(|v| {
                *pointer(v, &format!("{LIST}/parameters/1/schema/default")) = json!(10);
            }),
        ),
        (
            "docs-parameter-renamed",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                *pointer(v, &format!("{LIST}/parameters/2/name")) = json!("since_date");
            }),
        ),
        (
            "docs-parameter-required",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                pointer(v, &format!("{LIST}/parameters/2"))["required"] = json!(true);
            }),
        ),
        (
            "docs-deprecated-in-prose",
            Severity::Warning,
            "$",
            Box::new(|v| {
                *pointer(v, &format!("{LIST}/description")) =
                    json!("Lists orders. Will be removed on 2027-01-01; use /v2/orders.");
            }),
        ),
        (
            "docs-limit-in-prose",
            Severity::Warning,
            "$",
            Box::new(|v| {
                *pointer(v, &format!("{LIST}/description")) = json!("Lists orders. Rate limit: 10/min.");
            }),
        ),
        (
            "docs-example-contradicts",
            Severity::Warning,
            "$.id",
            Box::new(|v| {
                *pointer(v, &format!("{LIST}/responses/200/content/application~1json/example")) =
                    json!({"data": [{"id": "o_1"}]});
            }),
        ),
        (
            "docs-media-type-changed",
            Severity::Breaking,
            "$",
            Box::new(|v| {
                let content = remove(v, &format!("{LIST}/responses/200/content"), "application/json");
                pointer(v, &format!("{LIST}/responses/200/content"))["text/csv"] = content;
            }),
        ),
    ];
    for (rule, severity, path, edit) in edits {
        let report = diff(&description(), &edited(edit));
        let told: Vec<String> = report
            .findings
            .iter()
            .map(|f| format!("{} {} {}: {}", f.severity.word(), f.rule, f.path, f.message))
            .collect();
        assert_eq!(told.len(), 1, "{rule}: {told:#?}");
        let finding = &report.findings[0];
        assert_eq!(
            (finding.rule.as_str(), finding.severity, finding.path.to_string().as_str()),
            (rule, severity, path),
            "{told:?}"
        );
        assert!(!finding.message.contains("unknown"), "{}", finding.message);
        assert_eq!(report.diagnoses.len(), 1);
        assert_eq!(finding.explained_by.as_ref(), Some(&report.diagnoses[0].id));
    }
}

#[test]
fn what_means_nothing_is_not_told() {
    let same = [
        edited(|_| {}),
        // Names of path parameters mean nothing, nor does the order of members, nor the name of a schema.
        edited(|v| {
            let mut item = remove(v, "/paths", "/orders/{id}");
            item["get"]["parameters"][0]["name"] = json!("order_id");
            pointer(v, "/paths")["/orders/{order_id}"] = item;
        }),
        edited(|v| {
            let order = remove(v, "/components/schemas", "Order");
            pointer(v, "/components/schemas")["Order"] = order;
        }),
        serde_json::from_str(
            &description()
                .to_string()
                .replace("schemas/Address", "schemas/Place")
                .replace("\"Address\":", "\"Place\":"),
        )
        .unwrap(),
        // The base path moved into the paths.
        edited(|v| {
            *pointer(v, "/servers/0/url") = json!("https://api.example.com/v1/");
        }),
    ];
    for after in same {
        let report = diff(&description(), &after);
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

#[test]
fn a_shared_schema_is_told_once_with_the_number_of_operations() {
    let report =
        diff(&description(), &edited(|v| drop(remove(v, "/components/schemas/Address/properties", "zip"))));
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert_eq!(report.findings[0].evidence.number("operations"), Some(2.0));
}

#[test]
fn watched_fields_are_followed_wherever_a_schema_is_shared() {
    let after = edited(|v| drop(remove(v, "/components/schemas/Address/properties", "zip")));
    let compared = watch(&description(), &after, &["$.billing.zip", "$.replaces.shipping.zip"]);
    let paths: Vec<String> = compared.changes.iter().map(|change| change.path.to_string()).collect();
    for path in ["$.billing.zip", "$.replaces.shipping.zip"] {
        assert!(paths.iter().any(|p| p == path), "{paths:?}");
    }
    assert!(
        compared.diffs.iter().any(|(title, diff)| title == "schema Address" && diff.contains("-    \"zip\""))
    );
}

#[test]
fn severity_follows_what_is_read() {
    let after = edited(|v| {
        remove(v, ORDER, "created_at");
        remove(v, ORDER, "customer_email");
    });
    let compared = watch(&description(), &after, &["$.created_at"]);
    let comparison = drogue::compare::Comparison {
        changes: compared.changes,
        inconclusive: compared.inconclusive,
        ..Default::default()
    };
    let subject = drogue::model::Subject { connector: "shop".to_owned(), stream: "docs".to_owned() };
    let context =
        drogue::rules::JudgeContext { mapping: None, learning: false, at: jiff::Timestamp::UNIX_EPOCH };
    let judged = RuleSet::builtin().judge(&subject, &comparison, &context);
    let told: Vec<(String, Severity)> =
        judged.findings.iter().map(|f| (f.path.to_string(), f.severity)).collect();
    assert_eq!(told, [("$.created_at".to_owned(), Severity::Breaking), ("$".to_owned(), Severity::Info)]);
}

#[test]
fn what_nobody_watches_is_one_summary() {
    let after = edited(|v| {
        remove(v, "/paths", "/health");
        pointer(v, "/paths")["/refunds"] = json!({"get": {"responses": {}}});
    });
    let compared = watch(&description(), &after, &["$.id"]);
    let what: Vec<Option<&str>> = compared.changes.iter().map(|change| change.facts.text("what")).collect();
    assert_eq!(what, [Some("other-operations-changed")]);
    assert_eq!(compared.changes[0].kind, ChangeKind::DocsChanged);
    assert_eq!(watch(&description(), &description(), &["$.id"]), DocsComparison::default());
}

#[test]
fn swagger_and_openapi_speak_the_same_language() {
    let swagger = json!({
        "swagger": "2.0", "host": "api.example.com", "basePath": "/v1", "schemes": ["https"],
        "paths": {"/users": {"get": {"responses": {"200": {"schema": {"type": "array", "items": {"$ref": "#/definitions/User"}}}}}}},
        "definitions": {"User": {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}}
    });
    let mut after = swagger.clone();
    after["definitions"]["User"] =
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}});
    let report = diff(&swagger, &after);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(
        (report.findings[0].rule.as_str(), report.findings[0].path.to_string().as_str()),
        ("docs-field-removed", "$.b")
    );
    let Document::Api(model) = read("s.json", None, swagger.to_string().as_bytes()).unwrap() else {
        panic!()
    };
    let endpoints = discover(&model);
    assert_eq!(endpoints[0].records.to_string(), "$[*]");
    assert_eq!(endpoints[0].server.as_deref(), Some("https://api.example.com/v1"));
}

#[test]
fn endpoints_with_lists_are_discovered() {
    let Document::Api(model) = read("api.json", None, description().to_string().as_bytes()).unwrap() else {
        panic!()
    };
    let endpoints = discover(&model);
    assert_eq!(endpoints.len(), 1);
    let orders = &endpoints[0];
    assert_eq!((orders.path.as_str(), orders.records.to_string().as_str()), ("/orders", "$.data[*]"));
    assert_eq!(orders.paging_parameters, ["page", "per_page"]);
    assert!(orders.link_header);
    assert_eq!(orders.cursors, ["$.next_cursor".parse::<FieldPath>().unwrap()]);
    assert_eq!(orders.auth, ["API key in header `X-Key`"]);
    assert!(orders.fields.iter().any(|field| field.path.to_string() == "$.shipping.city"));
}

#[test]
fn yaml_is_read_and_bombs_are_refused() {
    let yaml = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        200:\n          content:\n            application/json:\n              schema: {type: array, items: {type: [string, 'null']}}\n";
    assert!(looks_like_api_description("api.yaml", yaml.as_bytes()));
    assert!(matches!(read("api.yaml", None, yaml.as_bytes()), Ok(Document::Api(_))));
    let mut bomb = String::from("openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(matches!(read("api.yaml", None, bomb.as_bytes()), Err(SpecError::Broken { .. })));
    let deep = format!("{{\"openapi\":\"3.0.0\",\"paths\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(read("api.json", None, deep.as_bytes()), Err(SpecError::Broken { .. })));
}

#[test]
fn circles_and_references_to_nowhere_end() {
    let before = edited(|v| {
        pointer(v, "/components/schemas")["A"] = json!({"$ref": "#/components/schemas/B"});
        pointer(v, "/components/schemas")["B"] = json!({"$ref": "#/components/schemas/A"});
        pointer(v, "/components/schemas")["C"] =
            json!({"allOf": [{"$ref": "#/components/schemas/C"}, {"$ref": "other.yaml#/X"}]});
        pointer(v, ORDER)["a"] = json!({"$ref": "#/components/schemas/A"});
        pointer(v, ORDER)["c"] = json!({"$ref": "#/components/schemas/C"});
    });
    assert!(diff(&before, &before).findings.is_empty());
    let after = edited(|v| {
        pointer(v, ORDER)["a"] = json!({"$ref": "#/nowhere"});
        pointer(v, ORDER)["c"] = json!({"$ref": "#/components/schemas/%zz"});
    });
    let _ = diff(&before, &after);
}

#[test]
fn what_says_nothing_is_an_error_and_never_no_changes() {
    let page = |body: &str| {
        format!("<!doctype html><html><head><title>Docs</title></head><body>{body}</body></html>")
    };
    let long = "Orders are listed newest first, and every order has an id, a total and a state. ".repeat(4);
    assert!(read("docs.html", None, page(&format!("<h1>Orders</h1><p>{long}</p>")).as_bytes()).is_ok());
    for (name, text, words) in [
        ("docs.html", page("<div id=\"root\"></div><script src=\"/app.js\"></script>"), "scripts"),
        (
            "docs.html",
            page(
                "<p>You need to enable JavaScript to run this app, please do so now, and then come back to this page to read the documentation of this API in full.</p>",
            ),
            "scripts",
        ),
        (
            "docs.html",
            "<html><title>Sign in</title><form><input type=password></form></html>".to_owned(),
            "sign in",
        ),
        ("docs.html", "<html><title>404 Not Found</title><h1>Not Found</h1></html>".to_owned(), "error page"),
        ("api.json", "{\"openapi\":".to_owned(), "broken at line 1"),
        ("api.json", "{\"error\":\"not found\"}".to_owned(), "no API description"),
        ("api.json", "{\"openapi\":\"3.0.0\",\"paths\":{}}".to_owned(), "no operations"),
        ("api.yaml", "openapi: 3.0.0\npaths: [".to_owned(), "broken"),
        ("api.json", "{\"asyncapi\":\"2.0.0\"}".to_owned(), "AsyncAPI"),
        ("api.json", "  ".to_owned(), "empty"),
        ("notes.md", "soon".to_owned(), "next to nothing"),
        ("docs.pdf", "%PDF-1.7".to_owned(), "PDF"),
    ] {
        let error = read(name, None, text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(diff_documents(name, text.as_bytes(), name, text.as_bytes(), &RuleSet::builtin()).is_err());
    }
    assert!(!looks_like_api_description("records.json", br#"[{"id": 1}]"#));
    assert!(!looks_like_api_description("records.json", br#"{"data": [{"openapi": true}]}"#));
    assert!(!looks_like_api_description("records.jsonl", b"{\"id\": 1}\n{\"id\": 2}\n"));
}

fn page(updated: &str, body: &str, nonce: &str) -> String {
    format!(
        "<!doctype html><html><head><title>Shop API</title><script nonce=\"{nonce}\">var t = '{nonce}';</script>\
         <link href=\"/app-{nonce}.css\"></head><body class=\"has-sidebar\"><nav><a href=\"/x?v={nonce}\">All {nonce}</a></nav>\
         <main><h1>Orders</h1><p>Returns orders. See <a href=\"/img.png?v={nonce}\">the picture</a>.</p>\
         <form><input type=\"hidden\" name=\"csrf\" value=\"{nonce}\"></form>{body}\
         <h2>Paging</h2><p>Pages are asked for by <code>page</code>; a page has thirty orders, and the last one has fewer.</p>\
         <p>Last updated: {updated}</p></main><footer>© 2026 build {nonce}</footer></body></html>"
    )
}

const FIELDS: &str = "<h2>Fields</h2><table><tr><th>name</th><th>type</th></tr><tr><td>total_price</td><td>integer, in cents</td></tr>\
                      <tr><td>created_at</td><td>date and time</td></tr></table><pre>GET /orders?page=1\n  -H 'X-Key: …'</pre>";

fn pages(before: &str, after: &str) -> DocsComparison {
    let read =
        |text: &str| read("https://docs.example.com/orders", Some("text/html"), text.as_bytes()).unwrap();
    let watched = WatchedEndpoint {
        method: "GET".to_owned(),
        path: "/orders".to_owned(),
        records: None,
        fields: vec!["$.total_price".parse().unwrap(), "$.id".parse().unwrap()],
        ..WatchedEndpoint::default()
    };
    compare_documents(&read(before), &read(after), &[watched])
}

#[test]
fn marks_of_edits_nonces_and_surroundings_are_no_change() {
    let before = page("2026-01-01", FIELDS, "3f2a9c1b77d01e55");
    let after = page("March 3, 2026 by Jane", FIELDS, "99aa00bb11cc22dd");
    assert_eq!(pages(&before, &after), DocsComparison::default());
}

#[test]
fn prose_is_compared_by_section_and_by_the_fields_it_names() {
    let before = page("2026-01-01", FIELDS, "3f2a9c1b77d01e55");
    let told = |after: &str| -> Vec<(String, String, String)> {
        let compared = pages(&before, after);
        assert!(!compared.diffs.is_empty());
        let text = |change: &drogue::model::Change, name: &str| {
            change.facts.text(name).unwrap_or_default().to_owned()
        };
        compared.changes.iter().map(|c| (text(c, "what"), text(c, "section"), c.path.to_string())).collect()
    };
    let row = |what: &str, section: &str, path: &str| (what.to_owned(), section.to_owned(), path.to_owned());
    let unit = before.replace("in cents", "in dollars");
    assert_eq!(told(&unit), [row("section-names-field", "Orders › Fields", "$.total_price")]);
    // What stands in a table of fields is compared as a description is.
    let gone = before.replace("total_price", "amount");
    assert_eq!(told(&gone), [row("field-renamed", "", "$.total_price")]);
    let end = before.replace("has fewer.", "has fewer. Paging by number is deprecated.");
    assert_eq!(told(&end), [row("deprecated-in-prose", "Orders › Paging", "$")]);
    let other = before.replace("thirty", "fifty");
    assert_eq!(told(&other), [row("section-changed", "Orders › Paging", "$")]);
    let without = before.replace(FIELDS, "");
    let rows = told(&without);
    assert!(rows.contains(&row("field-no-longer-named", "Orders › Fields", "$.total_price")), "{rows:?}");
}

#[test]
fn markdown_is_split_by_heading_and_code_is_left_alone() {
    let text = "# Orders\n\nReturns orders, newest first, and nothing else.\n\n```\n# not a heading\nGET /orders\n```\n\nFields\n------\n\n- `id`: a number\n";
    let Document::Sections(document) = read("orders.md", None, text.as_bytes()).unwrap() else { panic!() };
    let titles: Vec<&str> = document.sections.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(titles, ["Orders", "Orders › Fields"]);
    assert!(document.sections[0].text.contains("# not a heading"));
    assert_eq!(document.only(&["fields".to_owned()]).sections.len(), 1);
}

#[test]
fn hostile_pages_are_bounded() {
    let deep = format!("<html><body>{}text{}</body></html>", "<div>".repeat(20_000), "</div>".repeat(20_000));
    assert!(read("docs.html", None, deep.as_bytes()).unwrap_err().to_string().contains("nest deeper"));
    // Ends of what is not open do not hide the depth.
    let hidden = format!("<html><body>{}</body></html>", "<div></b>text".repeat(20_000));
    assert!(read("docs.html", None, hidden.as_bytes()).is_err());
    let wide = format!("<html><body>{}</body></html>", "<h2>x</h2><p>y</p>".repeat(20_000));
    let _ = read("docs.html", None, wide.as_bytes());
    let _ = read("docs.html", None, b"<html><body>\xff\xfe\xfd</body>");
}

/// Three operations below a version.
fn versioned(version: &str) -> Value {
    let operation = |id: &str| {
        json!({"get": {"operationId": id, "responses": {"200": {"description": "OK", "content":
                {"application/json": {"schema": {"$ref": format!("#/components/schemas/{id}")}}}}}}})
    };
    json!({
        "openapi": "3.0.0", "info": {"title": "t", "version": "1"},
        "paths": {
            format!("/{version}/users"): operation("Users"),
            format!("/{version}/orders/{{id}}"): operation("Order"),
            format!("/{version}/refunds"): operation("Refunds"),
        },
        "components": {"schemas": {"Users": {"type": "object"}, "Order": {"type": "object"}, "Refunds": {"type": "object"}}},
    })
}

#[test]
fn a_new_version_in_all_paths_is_one_change_of_what_is_watched() {
    let [before, after] = ["v1", "v2"]
        .map(|version| read("api.json", None, versioned(version).to_string().as_bytes()).unwrap());
    let watched = ["/v1/users", "/v1/refunds"].map(|path| WatchedEndpoint {
        method: "GET".to_owned(),
        path: format!("https://api.example.com{path}"),
        ..WatchedEndpoint::default()
    });
    let told = |watched: &[WatchedEndpoint]| -> Vec<String> {
        let changes = compare_documents(&before, &after, watched).changes;
        changes.iter().map(|c| c.facts.text("what").unwrap_or_default().to_owned()).collect()
    };
    let compared = compare_documents(&before, &after, &watched);
    let moved = &compared.changes[0].facts;
    assert_eq!(told(&watched)[0], "paths-moved");
    assert_eq!(
        told(&watched).iter().filter(|what| what.ends_with("-moved")).count(),
        1,
        "{:?}",
        told(&watched)
    );
    assert_eq!((moved.text("from"), moved.text("to")), (Some("/v1"), Some("/v2")));
    assert_eq!(moved.number("operations"), Some(2.0));
    // One alone is told by its name.
    assert_eq!(told(&watched[..1])[0], "operation-moved");
}

#[test]
fn a_new_version_in_all_paths_is_one_change() {
    let report = diff_documents(
        "before.json",
        versioned("v1").to_string().as_bytes(),
        "after.json",
        versioned("v2").to_string().as_bytes(),
        &RuleSet::builtin(),
    )
    .unwrap();
    let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["docs-paths-moved"]);
    assert_eq!(report.diagnoses.len(), 1);
    assert!(report.findings[0].message.contains("3 operations at /v1 are at /v2"));
}

/// A feed with one item for each of these: title, day, text.
fn feed(items: &[(&str, &str, &str)]) -> String {
    let items: String = items
        .iter()
        .map(|(title, day, text)| {
            format!("<entry><title>{title}</title><updated>{day}T00:00:00Z</updated><content type=\"html\">{text}</content></entry>")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Changes</title>{items}</feed>"
    )
}

#[test]
fn a_feed_tells_of_new_items_and_not_of_old_ones_that_fall_off() {
    let old = feed(&[
        ("Refunds", "2026-03-01", "A new endpoint."),
        ("Old", "2025-01-01", "The XML format was retired."),
    ]);
    let new = feed(&[
        ("Paging", "2026-04-10", "Offset pagination is no longer supported."),
        ("Refunds", "2026-03-01", "A new endpoint."),
    ]);
    let rules = RuleSet::builtin();
    let report = diff_documents("a.xml", old.as_bytes(), "b.xml", new.as_bytes(), &rules).unwrap();
    let told: Vec<(&str, &str)> =
        report.findings.iter().map(|finding| (finding.rule.as_str(), finding.message.as_str())).collect();
    assert_eq!(
        told,
        [(
            "docs-paging-in-prose",
            "the text in section `Paging` announces that pages work differently: “Offset pagination is no longer supported.”"
        )]
    );
}

#[test]
fn sections_that_move_and_lines_that_break_elsewhere_are_no_change() {
    let before = "# Guide\n\n## Orders\n\nReturns the orders of a shop, newest first, and a hundred of them\non each page.\n\n\
                  # Reference\n\nEvery answer is JSON, and every time is given in UTC.\n";
    let after = "# Guide\n\nEvery page has a title.\n\n# Reference\n\nEvery answer is JSON,\nand every time is given in UTC.\n\n\
                 ## Orders\n\nReturns the orders of a shop, newest first,\nand a hundred of them on each page.\n";
    let rules = RuleSet::builtin();
    let report = diff_documents("a.md", before.as_bytes(), "b.md", after.as_bytes(), &rules).unwrap();
    let told: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(told, ["section `Guide` is new: “Every page has a title.”"]);
}

#[test]
fn banners_tell_of_ends_and_of_cookies_they_do_not() {
    let with = |banner: &str| {
        let page = page("2026-01-01", FIELDS, "3f2a9c1b77d01e55");
        page.replacen("<body>", &format!("<body><div class=\"banner\">{banner}</div>"), 1).replacen(
            "<main>",
            &format!("<main><div class=\"banner\">{banner}</div>"),
            1,
        )
    };
    let quiet = pages(&with("Welcome."), &with("We use cookies to keep you signed in. Accept all"));
    assert_eq!(quiet, DocsComparison::default());
    let told = pages(&with("Welcome."), &with("Version 1 of this API will be shut down on 2026-12-31."));
    assert_eq!(told.changes.len(), 1, "{:#?}", told.changes);
    assert_eq!(told.changes[0].facts.text("what"), Some("deprecated-in-prose"));
}

#[test]
fn what_a_callback_sends_is_compared() {
    let described = |properties: Value| {
        let body = json!({"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}});
        let callback =
            json!({"{$request.body#/url}": {"post": {"requestBody": body, "responses": {"200": {}}}}});
        let operation = json!({"post": {"callbacks": {"done": callback}, "responses": {"200": {}}}});
        let text = json!({"openapi": "3.0.0", "info": {}, "paths": {"/jobs": operation}}).to_string();
        drogue::spec::read("a.json", None, text.as_bytes()).unwrap()
    };
    let (before, after) = (
        described(json!({"id": {"type": "string"}, "state": {"type": "string"}})),
        described(json!({"id": {"type": "string"}})),
    );
    let diff = drogue::engine::compare_documents(&before, &after, &drogue::rules::RuleSet::builtin(), None);
    let entries = diff.contract.unwrap();
    let [lost] = entries.as_slice() else { panic!("{entries:#?}") };
    // Whoever gets it reads it: it is a response.
    assert_eq!(
        (lost.id.as_str(), lost.values[0].name.as_str()),
        ("response-optional-property-removed", "state")
    );
    assert_eq!(
        (lost.affects[0].path.as_str(), lost.affects[0].at.as_str()),
        ("/jobs", "callback done application/json")
    );
}
