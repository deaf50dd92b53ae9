//! One model, many formats: each is read, recognised by its content, and compared with sensible findings.

use std::path::{Path, PathBuf};

use drogue::model::{Report, Severity};
use drogue::observe::read_document_file;
use drogue::rules::{RuleSet, diff_documents};
use drogue::spec::{Document, discover, looks_like_document, read};
use serde_json::{Value, json};

const LIMIT: u64 = 10_000_000;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).unwrap()
}

fn diff(name: &str, before: &str, after: &str) -> Report {
    diff_documents(name, before.as_bytes(), name, after.as_bytes(), &RuleSet::builtin()).unwrap()
}

/// `severity rule: message` of each finding.
fn told(report: &Report) -> Vec<String> {
    report.findings.iter().map(|f| format!("{} {}: {}", f.severity.word(), f.rule, f.message)).collect()
}

/// One edit of a text, and the one finding that it must give: rule, severity, and what its message names.
type Case<'a> = (&'a str, &'a str, &'a str, Severity, &'a str);

fn each_edit_is_told(name: &str, cases: &[Case<'_>]) {
    let before = text(name);
    assert_eq!(told(&diff(name, &before, &before)), Vec::<String>::new());
    for (from, to, rule, severity, names) in cases {
        let after = before.replacen(from, to, 1);
        assert_ne!(before, after, "{from}");
        let report = diff(name, &before, &after);
        let all = told(&report);
        let found = report.findings.iter().any(|finding| {
            finding.rule.as_str() == *rule && finding.severity == *severity && finding.message.contains(names)
        });
        assert!(found, "{from} -> {to}: {rule} {names} is not in {all:#?}");
    }
}

/// A copy of the description in several files, to be edited.
fn split() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["openapi.yaml", "paths/orders.yaml", "schemas/order.yaml", "schemas/people.json"] {
        let to = folder.path().join(part);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(fixture("split").join(part), to).unwrap();
    }
    folder
}

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let before = std::fs::read_to_string(&path).unwrap();
    assert!(before.contains(from), "{from}");
    std::fs::write(path, before.replace(from, to)).unwrap();
}

fn diff_folders(before: &Path, after: &Path) -> Report {
    let read = |folder: &Path| read_document_file(&folder.join("openapi.yaml"), LIMIT).unwrap();
    diff_documents("a.yaml", &read(before), "b.yaml", &read(after), &RuleSet::builtin()).unwrap()
}

#[test]
fn a_description_in_several_files_is_one() {
    let (before, after) = (split(), split());
    let whole = read_document_file(&before.path().join("openapi.yaml"), LIMIT).unwrap();
    let Document::Api(model) = read("openapi.yaml", None, &whole).unwrap() else { panic!() };
    assert_eq!(model.notes(), &[] as &[String]);
    let fields: Vec<String> = discover(&model)[0].fields.iter().map(|field| field.path.to_string()).collect();
    assert!(fields.contains(&"$.customer.address.city".to_owned()), "{fields:?}");
    assert_eq!(told(&diff_folders(before.path(), after.path())), Vec::<String>::new());
    edit(
        after.path(),
        "schemas/people.json",
        "\"city\": {\"type\": \"string\"}",
        "\"town\": {\"type\": \"number\"}",
    );
    let report = diff_folders(before.path(), after.path());
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.rule.as_str() == "docs-field-removed" && f.path.to_string().ends_with("address.city")),
        "{:#?}",
        told(&report)
    );
}

#[test]
fn parts_stay_within_the_folder_and_what_is_not_read_is_told() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(outside.path(), "type: object\nproperties: {secret: {type: string}}\n").unwrap();
    let outside_name = outside.path().display().to_string();
    for (reference, why) in [
        ("../../../../etc/passwd", "outside of the document's folder"),
        (outside_name.as_str(), "outside of the document's folder"),
        ("file:///etc/passwd", "outside of the document's folder"),
        ("%2e%2e/%2e%2e/etc/passwd", "outside of the document's folder"),
        ("http://169.254.169.254/latest/meta-data", "not from the web"),
        ("schemas/none.yaml", "No such file"),
        ("schemas", "it is no file"),
        ("linked.yaml", "outside of the document's folder"),
    ] {
        let folder = split();
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path(), folder.path().join("linked.yaml")).unwrap();
        edit(folder.path(), "openapi.yaml", "./schemas/order.yaml", &format!("'{reference}'"));
        let whole = read_document_file(&folder.path().join("openapi.yaml"), LIMIT).unwrap();
        assert!(!String::from_utf8_lossy(&whole).contains("secret"));
        let report = diff_folders(folder.path(), folder.path());
        let notes: Vec<&str> = report.inconclusive.iter().map(|note| note.why.as_str()).collect();
        assert!(notes.iter().any(|note| note.contains(why)), "{reference}: {notes:?}");
    }
    // A document whose parts nobody fetched is half read, and says so.
    let alone =
        diff("api.json", &one("other.yaml#/X").to_string(), &one("#/components/schemas/None").to_string());
    let notes: Vec<&str> = alone.inconclusive.iter().map(|note| note.why.as_str()).collect();
    assert!(notes.iter().any(|n| n.contains("before: `$ref: other.yaml#/X`")), "{notes:?}");
    assert!(notes.iter().any(|n| n.contains("now: `$ref: #/components/schemas/None`")), "{notes:?}");
}

fn one(reference: &str) -> Value {
    let content =
        json!({"application/json": {"schema": {"$ref": reference}, "example": {"$ref": "#/no/place"}}});
    json!({"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": {"200": {"content": content}}}}}})
}

#[test]
fn openapi_3_2_is_read() {
    let before = json!({"openapi": "3.2.0", "paths": {"/orders": {
        "query": {"responses": {"200": {"content": {"application/jsonl": {"itemSchema": {"type": "object", "properties": {"id": {"type": "integer"}}}}}}}},
        "additionalOperations": {"COPY": {"responses": {}}}
    }}});
    let mut after = before.clone();
    *after
        .pointer_mut(
            "/paths/~1orders/query/responses/200/content/application~1jsonl/itemSchema/properties/id/type",
        )
        .unwrap() = json!("string");
    after["paths"]["/orders"].as_object_mut().unwrap().remove("additionalOperations");
    let all = told(&diff("api.json", &before.to_string(), &after.to_string()));
    assert!(all.iter().any(|t| t.contains("docs-type-changed") && t.contains("$[*].id")), "{all:?}");
    assert!(all.iter().any(|t| t.contains("docs-operation-removed: COPY /orders")), "{all:?}");
}

#[test]
fn graphql_schemas_are_compared() {
    each_edit_is_told(
        "shop.graphql",
        &[
            ("  total: Float!\n", "", "docs-field-removed", Severity::Breaking, "total"),
            ("total: Float!", "total: String!", "docs-type-changed", Severity::Breaking, "total"),
            ("created: DateTime", "created: String", "docs-type-changed", Severity::Breaking, "created"),
            ("total: Float!", "total: Float", "docs-became-nullable", Severity::Warning, "total"),
            ("OPEN PAID VOID", "OPEN PAID", "docs-enum-value-removed", Severity::Info, "VOID"),
            ("OPEN PAID VOID", "OPEN PAID VOID LATE", "docs-enum-value-added", Severity::Warning, "LATE"),
            ("after: String,", "after: String!,", "docs-parameter-required", Severity::Breaking, "after"),
            (
                "items(first: Int)",
                "items(first: Int!)",
                "docs-parameter-required",
                Severity::Breaking,
                "first",
            ),
            ("first: Int = 20", "first: Int = 10", "docs-parameter-default-changed", Severity::Warning, "10"),
            (
                "  search(text: String): [Hit!]!\n",
                "",
                "docs-operation-removed",
                Severity::Breaking,
                "QUERY search",
            ),
            (
                "amount: Float,",
                "amount: Float!,",
                "docs-parameter-field-required",
                Severity::Breaking,
                "$.amount",
            ),
            (
                "union Hit = Order | Customer",
                "union Hit = Order | Customer | Item",
                "docs-alternative-added",
                Severity::Warning,
                "Item",
            ),
            (
                "customer: Customer",
                "customer: Customer @deprecated",
                "docs-field-deprecated",
                Severity::Warning,
                "customer",
            ),
            (
                "order(id: ID!): Order",
                "order(id: ID!): Order @deprecated",
                "docs-operation-deprecated",
                Severity::Warning,
                "QUERY order",
            ),
        ],
    );
    // A type that many operations share is told once.
    let before = text("shop.graphql");
    let report = diff("shop.graphql", &before, &before.replace("  total: Float!\n", ""));
    assert_eq!(told(&report).len(), 1, "{:#?}", told(&report));
}

#[test]
fn a_graphql_schema_is_the_same_in_both_notations() {
    let field = |name: &str, of: Value| json!({"name": name, "args": [], "type": of, "isDeprecated": false});
    let named = |kind: &str, name: &str| json!({"kind": kind, "name": name});
    let always = |of: Value| json!({"kind": "NON_NULL", "name": null, "ofType": of});
    let list = |of: Value| json!({"kind": "LIST", "name": null, "ofType": of});
    let mut users = field("users", list(always(named("OBJECT", "User"))));
    users["args"] = json!([{"name": "first", "type": named("SCALAR", "Int"), "defaultValue": "5"}]);
    let told_by_server = json!({"data": {"__schema": {
        "queryType": {"name": "Root"}, "mutationType": null,
        "types": [
            {"kind": "OBJECT", "name": "Root", "fields": [users]},
            {"kind": "OBJECT", "name": "User", "interfaces": [], "fields": [field("id", always(named("SCALAR", "ID"))), field("role", named("ENUM", "Role"))]},
            {"kind": "ENUM", "name": "Role", "enumValues": [{"name": "ADMIN"}, {"name": "GUEST"}]},
            {"kind": "OBJECT", "name": "__Schema", "fields": []},
            {"kind": "SCALAR", "name": "ID"}
        ]
    }}});
    let written = "schema { query: Root }\ntype Root { users(first: Int = 5): [User!] }\ntype User { id: ID! role: Role }\nenum Role { ADMIN GUEST }\n";
    let both = |after: &str| {
        diff_documents(
            "a.json",
            told_by_server.to_string().as_bytes(),
            "b.graphql",
            after.as_bytes(),
            &RuleSet::builtin(),
        )
        .unwrap()
    };
    assert_eq!(told(&both(written)), Vec::<String>::new());
    assert_eq!(told(&both(&written.replace("id: ID!", "id: Int!"))).len(), 1);
}

#[test]
fn lists_read_by_post_are_discovered() {
    let list = json!({"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {
        "data": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}},
        "meta": {"type": "object", "properties": {"next_cursor": {"type": "string"}}}
    }}}}}});
    let body = json!({"content": {"application/json": {"schema": {"type": "object", "properties": {
        "filter": {"type": "string"}, "cursor": {"type": "string"}, "limit": {"type": "integer"}
    }}}}});
    let post = |id: &str| json!({"post": {"operationId": id, "requestBody": body, "responses": list}});
    let api = json!({"openapi": "3.2.0", "paths": {
        "/orders/search": post("a"), "/orders": post("createOrders"), "/customers:query": post("b"),
        "/items": post("listItems"), "/research": post("c"),
        "/logs": {"query": {"responses": list}}
    }});
    let Document::Api(model) = read("api.json", None, api.to_string().as_bytes()).unwrap() else { panic!() };
    let found = discover(&model);
    let names: Vec<String> = found.iter().map(|e| format!("{} {}", e.method, e.path)).collect();
    assert_eq!(names, ["POST /orders/search", "POST /customers:query", "POST /items", "QUERY /logs"]);
    assert_eq!(found[0].paging_parameters, ["cursor", "limit"]);
    assert_eq!(found[0].cursors[0].to_string(), "$.meta.next_cursor");
    // A GraphQL query is one, too: its connections, lists, and the way to the next page.
    let Document::Api(model) = read("s.graphql", None, text("shop.graphql").as_bytes()).unwrap() else {
        panic!()
    };
    let found = discover(&model);
    let places: Vec<String> =
        found.iter().map(|e| format!("{} {} {}", e.method, e.path, e.records)).collect();
    assert_eq!(places, ["POST orders $.data.orders.nodes[*]", "POST search $.data.search[*]"]);
    assert_eq!(found[0].paging_parameters, ["first", "after"]);
    assert_eq!(found[0].cursors[0].to_string(), "$.data.orders.pageInfo.endCursor");
    assert!(found[0].fields.iter().any(|field| field.path.to_string() == "$.customer.email"));
}

#[test]
fn postman_collections_are_compared() {
    each_edit_is_told(
        "collection.postman.json",
        &[
            ("api.example.com/v1", "api.example.com/v2", "docs-server-changed", Severity::Breaking, "/v2"),
            ("\"X-Key\"", "\"X-Api-Key\"", "docs-auth-changed", Severity::Breaking, "X-Api-Key"),
            (
                "\\\"total\\\": 12.5",
                "\\\"total\\\": \\\"12.5\\\"",
                "docs-type-changed",
                Severity::Breaking,
                "total",
            ),
            (
                "{\"key\": \"page\", \"value\": \"1\"}, ",
                "",
                "docs-paging-removed",
                Severity::Breaking,
                "page",
            ),
            (
                "{\"key\": \"Link\", \"value\": \"<…>; rel=next\"}, ",
                "",
                "docs-paging-removed",
                Severity::Breaking,
                "Link",
            ),
            (
                "{{base}}/orders/:id",
                "{{base}}/receipts/:id",
                "docs-operation-moved",
                Severity::Breaking,
                "GET /receipts/{id}",
            ),
            (
                "\"method\": \"POST\"",
                "\"method\": \"PUT\"",
                "docs-operation-moved",
                Severity::Breaking,
                "PUT /orders",
            ),
        ],
    );
    // What `total` was in one example alone decides its type: whole numbers beside it are numbers, too.
    let Document::Api(model) = read("c.json", None, text("collection.postman.json").as_bytes()).unwrap()
    else {
        panic!()
    };
    let lists = discover(&model);
    assert_eq!(lists[0].path, "/orders");
    assert_eq!(lists[0].records.to_string(), "$.data[*]");
    assert_eq!(lists[0].auth, ["API key in header `X-Key`"]);
    assert_eq!(lists[0].server.as_deref(), Some("https://api.example.com/v1"));
    // The description of the same API in another format can be held against it.
    let api = json!({"openapi": "3.0.0", "paths": {"/orders/{x}": {"get": {"responses": {}}}}});
    let report = diff_documents(
        "a.json",
        text("collection.postman.json").as_bytes(),
        "b.json",
        api.to_string().as_bytes(),
        &RuleSet::builtin(),
    )
    .unwrap();
    assert!(
        told(&report).iter().any(|t| t.contains("GET /orders is no longer described")),
        "{:?}",
        told(&report)
    );
}

#[test]
fn json_schemas_are_compared() {
    each_edit_is_told(
        "order.schema.json",
        &[
            ("\"total\": {\"type\": \"number\"},", "", "docs-field-removed", Severity::Breaking, "total"),
            ("[\"id\", \"total\"]", "[\"id\"]", "docs-became-optional", Severity::Warning, "total"),
            (
                "[\"open\", \"paid\"]",
                "[\"open\", \"paid\", \"void\"]",
                "docs-enum-value-added",
                Severity::Warning,
                "void",
            ),
            (
                "{\"sku\": {\"type\": \"string\"}}",
                "{\"sku\": {\"type\": \"integer\"}}",
                "docs-type-changed",
                Severity::Breaking,
                "$.lines[*].sku",
            ),
        ],
    );
    // Nothing but definitions: each is looked at.
    let bare = |kind: &str| {
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"A": {"properties": {"b": {"$ref": "#/definitions/B"}}}, "B": {"type": kind}}}).to_string()
    };
    assert!(!diff("s.json", &bare("string"), &bare("integer")).findings.is_empty());
}

#[test]
fn lists_of_mcp_tools_are_compared() {
    each_edit_is_told(
        "tools.json",
        &[
            (
                "\"cancel_order\"",
                "\"drop_everything\"",
                "docs-operation-moved",
                Severity::Breaking,
                "TOOL cancel_order",
            ),
            (
                "\"required\": [\"id\"]",
                "\"required\": [\"id\", \"reason\"]",
                "docs-body-field-required",
                Severity::Breaking,
                "reason",
            ),
            (
                "\"id\": {\"type\": \"integer\"}, \"reason\"",
                "\"reason\"",
                "docs-body-field-removed",
                Severity::Warning,
                "id",
            ),
            (
                "\"total\": {\"type\": \"number\"}",
                "\"sum\": {\"type\": \"string\"}",
                "docs-field-removed",
                Severity::Breaking,
                "total",
            ),
            (
                "\"open\", \"paid\", \"void\"",
                "\"open\", \"paid\"",
                "docs-request-narrowed",
                Severity::Warning,
                "void",
            ),
        ],
    );
    // The result without the message around it is the same list.
    let whole: Value = serde_json::from_str(&text("tools.json")).unwrap();
    assert_eq!(
        told(&diff("tools.json", &whole.to_string(), &whole["result"].to_string())),
        Vec::<String>::new()
    );
}

#[test]
fn each_format_is_recognised_by_its_content() {
    for name in
        ["shop.graphql", "collection.postman.json", "order.schema.json", "tools.json", "split/openapi.yaml"]
    {
        assert!(looks_like_document("document", text(name).as_bytes()), "{name}");
        assert!(
            looks_like_document(&format!("https://example.com/{name}?v=1"), text(name).as_bytes()),
            "{name}"
        );
    }
    for page in ["<!doctype html><html><h1>Docs</h1>", "<html>", "%PDF-1.7"] {
        assert!(looks_like_document("page", page.as_bytes()));
    }
    assert!(looks_like_document("README.md", b"# Orders\n"));
    assert!(looks_like_document("CHANGES", b"# Orders\n"));
    assert!(!looks_like_document("orders.csv", b"id,name\n1,a\n"));
    for records in [
        r#"[{"id": 1}]"#,
        r#"{"data": [{"schema": "https://schema.getpostman.com/x"}]}"#,
        r#"{"tools": [{"id": 1, "name": "hammer"}]}"#,
        "{\"id\": 1}\n{\"id\": 2, \"$schema\": \"x\"}\n",
        r#"{"type": "list", "items": [{"openapi": "3.0.0"}]}"#,
    ] {
        assert!(!looks_like_document("records.json", records.as_bytes()), "{records}");
        assert!(!looks_like_document("records", records.as_bytes()), "{records}");
    }
    // Two of different kinds say nothing about each other.
    let report = diff_documents(
        "a",
        text("shop.graphql").as_bytes(),
        "b",
        text("tools.json").as_bytes(),
        &RuleSet::builtin(),
    )
    .unwrap();
    assert!(report.findings.is_empty());
    assert!(report.inconclusive[0].why.contains("GraphQL"), "{:?}", report.inconclusive);
}
