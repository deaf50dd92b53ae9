//! API descriptions from the side of one connector: what touches it, what responses contradict, and `drogue diff`.

use drogue::compare::{Comparison, contradictions};
use drogue::model::{Change, Finding, HashKey, Severity, Subject};
use drogue::profile::{ProfileOptions, Profiler};
use drogue::rules::{JudgeContext, RuleSet};
use drogue::spec::{
    ApiModel, DescribedRecords, Document, Sent, SignInScheme, WatchedEndpoint, compare_documents,
};
use serde_json::{Value, json};

use crate::support::{
    api::{Api, Reply},
    project::{Feed, Project, Receivers, customers, page, renamed},
    smtp::{SmtpSink, parts},
};

fn shop() -> Value {
    json!({
        "openapi": "3.0.3", "info": {"title": "shop", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}, {"url": "https://eu.example.com/v1"}],
        "security": [{"key": []}, {"token": []}],
        "paths": {
            "/orders": {"get": {
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100, "default": 20}},
                    {"name": "state", "in": "query", "schema": {"type": "string", "enum": ["open", "paid"]}},
                    {"name": "sort", "in": "query", "schema": {"type": "string"}}
                ],
                "responses": {"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {
                    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}},
                    "next": {"type": "string"},
                    "took": {"type": "integer"}
                }}}}}}
            }},
            "/refunds": {"get": {"responses": {"200": {"content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Refund"}}}}}}}
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                "token": {"type": "http", "scheme": "bearer"}
            },
            "schemas": {
                "Order": {"type": "object", "required": ["id"], "properties": {
                    "id": {"type": "integer"},
                    "note": {"type": "string"},
                    "payer": {"oneOf": [{"$ref": "#/components/schemas/Person"}, {"$ref": "#/components/schemas/Firm"}]}
                }},
                "Person": {"allOf": [{"$ref": "#/components/schemas/Party"}, {"type": "object", "properties": {"born": {"type": "string", "format": "date"}}}]},
                "Firm": {"type": "object", "properties": {"vat": {"type": "string"}, "city": {"type": "string"}}},
                "Party": {"type": "object", "properties": {"name": {"type": "string"}, "city": {"type": "string"}}},
                "Refund": {"type": "object", "properties": {"id": {"type": "integer"}, "why": {"type": "string"}}}
            }
        }
    })
}

fn reader() -> WatchedEndpoint {
    WatchedEndpoint {
        method: "GET".to_owned(),
        path: "https://api.example.com/v1/orders".to_owned(),
        records: Some("$.data[*]".parse().unwrap()),
        fields: ["$.id", "$.payer.city", "$.payer.name"].map(|path| path.parse().unwrap()).to_vec(),
        beside: vec!["$.next".parse().unwrap()],
        sent: Some(Sent {
            parameters: [
                ("limit".to_owned(), Some("50".to_owned())),
                ("state".to_owned(), Some("paid".to_owned())),
            ]
            .into(),
            ..Sent::default()
        }),
        sign_in: Some(SignInScheme::Bearer),
        passes_others: false,
    }
}

/// What is told about an edit of the description.
fn told(reader: &WatchedEndpoint, edit: impl FnOnce(&mut Value)) -> Vec<Finding> {
    let document = |value: Value| Document::Api(Box::new(ApiModel::new(value).unwrap()));
    let mut after = shop();
    edit(&mut after);
    let compared = compare_documents(&document(shop()), &document(after), std::slice::from_ref(reader));
    let comparison = Comparison {
        changes: compared.changes,
        inconclusive: compared.inconclusive,
        ..Comparison::default()
    };
    let subject = Subject { connector: "shop".to_owned(), stream: "docs".to_owned() };
    let context = JudgeContext { mapping: None, learning: false, at: jiff::Timestamp::UNIX_EPOCH };
    RuleSet::builtin().judge(&subject, &comparison, &context).findings
}

fn at<'v>(value: &'v mut Value, pointer: &str) -> &'v mut Value {
    value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"))
}

fn drop_key(value: &mut Value, pointer: &str, key: &str) {
    at(value, pointer).as_object_mut().unwrap().remove(key).unwrap();
}

const LIST: &str = "/paths/~1orders/get";
const BODY: &str = "/paths/~1orders/get/responses/200/content/application~1json/schema/properties";
const SCHEMAS: &str = "/components/schemas";

#[test]
fn what_touches_the_connector_alerts() {
    type Edit = Box<dyn FnOnce(&mut Value)>;
    let edits: Vec<(&str, Edit)> = vec![
        ("docs-field-removed", Box::new(|v| drop_key(v, &format!("{SCHEMAS}/Party/properties"), "city"))),
        // One alternative of two no longer has it.
        ("docs-field-removed", Box::new(|v| drop_key(v, &format!("{SCHEMAS}/Firm/properties"), "city"))),
        ("docs-field-removed", Box::new(|v| drop_key(v, BODY, "next"))),
        ("docs-type-changed", Box::new(|v| *at(v, &format!("{BODY}/data/type")) = json!("object"))),
        ("docs-became-optional", Box::new(|v| *at(v, &format!("{SCHEMAS}/Order/required")) = json!([]))),
        (
            "docs-page-size-limited",
            Box::new(|v| *at(v, &format!("{LIST}/parameters/0/schema/maximum")) = json!(25)),
        ),
        (
            "docs-parameter-narrowed",
            Box::new(|v| *at(v, &format!("{LIST}/parameters/1/schema/enum")) = json!(["open"])),
        ),
        ("docs-auth-option-removed", Box::new(|v| *at(v, "/security") = json!([{"key": []}]))),
        ("docs-server-changed", Box::new(|v| *at(v, "/servers/0/url") = json!("https://api.example.com/v2"))),
    ];
    for (rule, edit) in edits {
        let findings = told(&reader(), edit);
        let alarms: Vec<&Finding> = findings.iter().filter(|f| f.severity > Severity::Info).collect();
        assert!(alarms.iter().any(|finding| finding.rule == rule), "{rule}: {findings:#?}");
    }
}

#[test]
fn what_does_not_is_one_line() {
    type Edit = Box<dyn FnOnce(&mut Value)>;
    let edits: Vec<(&str, Edit)> = vec![
        ("1 field", Box::new(|v| drop_key(v, &format!("{SCHEMAS}/Order/properties"), "note"))),
        ("1 field", Box::new(|v| *at(v, &format!("{BODY}/took/type")) = json!("string"))),
        ("1 field", Box::new(|v| drop_key(v, &format!("{SCHEMAS}/Refund/properties"), "why"))),
        ("1 operation", Box::new(|v| drop_key(v, "/paths", "/refunds"))),
        (
            "1 parameter",
            Box::new(|v| drop(at(v, &format!("{LIST}/parameters")).as_array_mut().unwrap().pop())),
        ),
        // A limit that what is sent keeps, a value that is not sent, and a default that does not matter.
        ("1 parameter", Box::new(|v| *at(v, &format!("{LIST}/parameters/0/schema/maximum")) = json!(60))),
        ("1 parameter", Box::new(|v| *at(v, &format!("{LIST}/parameters/1/schema/enum")) = json!(["paid"]))),
        ("1 parameter", Box::new(|v| *at(v, &format!("{LIST}/parameters/0/schema/default")) = json!(10))),
        // Another way to sign in, and another server.
        ("1 way to sign in", Box::new(|v| *at(v, "/security") = json!([{"token": []}]))),
        (
            "1 other",
            Box::new(|v| {
                let servers = at(v, "/servers").as_array_mut().unwrap();
                servers.push(json!({"url": "https://us.example.com/v1"}));
            }),
        ),
    ];
    for (words, edit) in edits {
        let findings = told(&reader(), edit);
        let told: Vec<String> =
            findings.iter().map(|f| format!("{} {}", f.severity.word(), f.message)).collect();
        assert_eq!(findings.len(), 1, "{words}: {told:#?}");
        assert_eq!(findings[0].severity, Severity::Info, "{told:?}");
        assert_eq!(findings[0].evidence.text("details"), Some(words), "{told:?}");
    }
}

#[test]
fn a_description_has_no_change_against_itself() {
    // Alternatives without names are told apart by their places.
    let findings = told(&reader(), |v| {
        let two = json!({"oneOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}},
            {"type": "object", "properties": {"b": {"type": "integer"}}}
        ]});
        *at(v, &format!("{SCHEMAS}/Refund/properties/why")) = two;
    });
    assert_eq!(findings.len(), 1);
    let value = json!({"openapi": "3.1.0", "paths": {"/x": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {
        "oneOf": [
            {"title": "T", "type": "object", "properties": {"a": {"type": "string"}}},
            {"title": "T", "type": "object", "properties": {"b": {"type": "integer"}}}
        ]
    }}}}}}}}});
    let document = Document::Api(Box::new(ApiModel::new(value).unwrap()));
    assert_eq!(compare_documents(&document, &document.clone(), &[]), drogue::spec::DocsComparison::default());
}

/// What records contradict of a schema of their own, as words: what, path, how many.
fn contradicted(schema: &Value, components: &Value, records: &[Value]) -> Vec<(String, String, u64)> {
    let document = json!({"openapi": "3.0.3", "components": {"schemas": components}, "paths": {"/r": {"get": {"responses": {
        "200": {"content": {"application/json": {"schema": {"type": "array", "items": schema}}}}}}}}});
    let model = ApiModel::new(document).unwrap();
    let endpoint =
        WatchedEndpoint { method: "GET".to_owned(), path: "/r".to_owned(), ..WatchedEndpoint::default() };
    let described = DescribedRecords::of(&model, &endpoint).unwrap();
    let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new(*b"a key of a test!")));
    records.iter().for_each(|record| profiler.record(record.to_string().as_bytes()));
    let words = |change: Change| {
        let count = change.facts.number("contradicting").or_else(|| change.facts.number("fields"));
        let what = change.facts.text("what").unwrap_or_default().to_owned();
        (what, change.path.to_string(), count.unwrap_or_default() as u64)
    };
    contradictions(&described, &endpoint, &profiler.finish()).into_iter().map(words).collect()
}

#[test]
fn responses_that_are_not_as_documented_are_told_with_counts() {
    let schema = json!({"type": "object", "required": ["id", "gone", "secret"], "properties": {
        "id": {"type": "integer"},
        "gone": {"type": "string"},
        "secret": {"type": "string", "writeOnly": true},
        "total": {"type": "number"},
        "state": {"type": "string", "enum": ["open", "paid"]},
        "at": {"type": "string", "format": "date-time"},
        "name": {"type": "string"}
    }});
    let records: Vec<Value> = (0..20)
        .map(|i| {
            json!({"id": i, "total": "12.50", "state": if i < 5 { "void" } else { "paid" }, "at": format!("2026-01-{:02}", i + 1),
                   "name": if i == 0 { Value::Null } else { json!("n") }, "extra": 1, "further": {"a": 1}})
        })
        .collect();
    let told = contradicted(&schema, &json!({}), &records);
    let expected = [
        ("format", "$.at", 20),
        ("values", "$.state", 5),
        ("type", "$.total", 20),
        ("missing", "$.gone", 20),
        ("undocumented", "$", 2),
        ("null", "$", 1),
    ];
    assert_eq!(told, expected.map(|(what, path, count)| (what.to_owned(), path.to_owned(), count)));
}

#[test]
fn correct_descriptions_are_not_contradicted() {
    let components = json!({
        "Cat": {"type": "object", "required": ["kind", "lives"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
        "Dog": {"allOf": [{"$ref": "#/components/schemas/Named"}, {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, "barks": {"type": "boolean"}}}]},
        "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        "Tree": {"type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}
    });
    let schema = json!({"type": "object", "required": ["id", "pet"], "properties": {
        "id": {"type": "integer", "format": "int64"},
        "pet": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]},
        "price": {"type": "string", "format": "decimal"},
        "rate": {"type": "number", "nullable": true},
        "whole": {"type": "integer"},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}, "additionalProperties": true},
        "open": {"type": "object"},
        "any": {},
        "tree": {"$ref": "#/components/schemas/Tree"},
        "at": {"type": "string", "format": "date-time"},
        "code": {"type": "string", "enum": ["a", "b", null], "nullable": true},
        "own": {"type": "string", "format": "our-own"}
    }});
    let records: Vec<Value> = (0..40)
        .map(|i| {
            let pet = if i % 2 == 0 { json!({"kind": "cat", "lives": 9}) } else { json!({"kind": "dog", "name": "Rex"}) };
            json!({
                "id": 9_007_199_254_740_993_i64 - i, "pet": pet, "price": "12.50", "rate": Value::Null, "whole": 12.0,
                "either": if i % 3 == 0 { json!("x") } else { json!(i) }, "tags": {format!("k{i}"): "v"},
                "free": {"a": 1, "more": [1, "x"]}, "open": {"x": i}, "any": [{"deep": {"er": 1}}],
                "tree": {"below": [{"below": [{"below": []}]}]}, "at": format!("2026-01-01T00:00:{i:02}.5+02:00"),
                "code": if i % 4 == 0 { Value::Null } else { json!("a") }, "own": "whatever"
            })
        })
        .collect();
    assert_eq!(contradicted(&schema, &components, &records), []);
}

#[test]
fn fields_that_were_not_asked_for_are_not_missed() {
    let document = json!({"openapi": "3.0.3", "paths": {"/r": {"get": {"responses": {"200": {"content": {"application/json": {"schema":
        {"type": "array", "items": {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}}}}}}}}}});
    let model = ApiModel::new(document).unwrap();
    let sent = Sent { parameters: [("fields[r]".to_owned(), None)].into(), ..Sent::default() };
    let mut endpoint =
        WatchedEndpoint { method: "GET".to_owned(), path: "/r".to_owned(), ..WatchedEndpoint::default() };
    let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new(*b"a key of a test!")));
    (0..10).for_each(|i| profiler.record(json!({"a": i}).to_string().as_bytes()));
    let profile = profiler.finish();
    let described = DescribedRecords::of(&model, &endpoint).unwrap();
    assert_eq!(contradictions(&described, &endpoint, &profile).len(), 1);
    endpoint.sent = Some(sent);
    assert_eq!(contradictions(&described, &endpoint, &profile).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_is_found_when_the_stream_is_recorded_and_told_once() {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    let record = json!({"type": "object", "required": ["id"], "properties": {
        "id": {"type": "string"}, "email": {"type": "string"}, "name": {"type": "string"},
        "amount": {"type": "integer"}, "created_at": {"type": "string", "format": "date-time"}}});
    let document = json!({"openapi": "3.0.3", "info": {"title": "crm", "version": "1"}, "paths": {"/customers": {"get": {"responses": {"200": {
        "content": {"application/json": {"schema": {"type": "object", "properties": {"data": {"type": "array", "items": record}}}}}}}}}}});
    project.write("openapi.json", &document.to_string());
    project.edit_config("    streams:\n", "    docs: [{file: openapi.json}]\n    streams:\n");
    let (code, recorded) = project.json(&["record"]);
    assert_eq!(code, 0, "{recorded}");
    let (code, list) = project.json(&["findings", "list"]);
    let findings = list["reports"][0]["findings"].as_array().unwrap();
    assert_eq!((code, findings.len()), (10, 1), "{list}");
    assert_eq!(
        (findings[0]["rule"].as_str(), findings[0]["path"].as_str()),
        (Some("docs-contradicted"), Some("$.id"))
    );
    assert_eq!(findings[0]["evidence"]["contradicting"], json!(60));
    assert_eq!(list["reports"][0]["diagnoses"][0]["kind"], json!("docs-contradicted"));
    // The next window says the same, and the finding is the same.
    let (code, checked) = project.json(&["check"]);
    assert_eq!(code, 10, "{checked}");
    let again = &checked["reports"][0]["findings"][0];
    assert_eq!(again["fingerprint"], findings[0]["fingerprint"]);
    assert_eq!(again["first_seen"], findings[0]["first_seen"]);
    // Once the responses are as documented, it is over after two looks.
    feed.answers(|turn| {
        let mut records = customers(turn);
        records.iter_mut().for_each(|record| record["id"] = json!(record["id"].to_string()));
        Reply::json(&json!({"data": records}))
    });
    for _ in 0..2 {
        project.run(&["check"]);
    }
    let (_, list) = project.json(&["findings", "list"]);
    let open = list["reports"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|report| report["findings"].as_array().unwrap().clone());
    assert!(open.into_iter().all(|finding| finding["rule"] != json!("docs-contradicted")), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_of_descriptions_is_printed_in_four_ways_and_never_as_markup() {
    let api = Feed::new().serve().await;
    let project = Project::new(&api, &Receivers::default());
    let mut after = shop();
    drop_key(&mut after, &format!("{SCHEMAS}/Order/properties"), "id");
    let name = "<script>alert(1)</script>|`x` [a](http://evil) @team";
    at(&mut after, &format!("{SCHEMAS}/Refund/properties"))[name] = json!({"type": "string"});
    project.write("a.json", &shop().to_string());
    project.write("b.json", &after.to_string());
    let text = project.run(&["diff", "a.json", "b.json"]).ended(11).stdout;
    assert!(text.starts_with("breaking (1)\n  • ERR  `$.data[*].id` is no longer described"), "{text}");
    assert!(text.ends_with("1 breaking, 1 info\n"), "{text}");
    let (code, printed) = project.json(&["diff", "a.json", "b.json"]);
    assert_eq!((code, &printed["version"]), (11, &json!(1)));
    // What a finding tells of the contract stands with it, and nowhere else.
    assert_eq!(printed["findings"][0]["contract"][0]["level"], json!("ERR"), "{printed}");
    assert_eq!(printed["contract"], json!([]), "{printed}");
    assert_eq!(printed["contract_levels"], json!({"ERR": 1, "INFO": 1}), "{printed}");
    let markdown = project.run(&["diff", "a.json", "b.json", "--format", "markdown"]).ended(11).stdout;
    assert!(
        !markdown.contains("<script") && !markdown.contains("[a](") && !markdown.contains("@team"),
        "{markdown}"
    );
    let html = project.run(&["diff", "a.json", "b.json", "--format", "html"]).ended(11).stdout;
    assert!(!html.contains("<script>alert") && html.contains("&lt;script&gt;"), "{html}");
    assert!(
        !html.contains("http://") || html.matches("http://").count() == html.matches("http://evil").count()
    );
    project.run(&["diff", "a.json", "a.json", "--format", "markdown"]).ended(0);
    project.run(&["findings", "list", "--format", "html"]).ended(2);
}

const CHANGES: &str = "# Changes\n\nThis page lists what changes in the API of customers, and when. Every change is \
    announced here some weeks before it happens.\n\n## 2026-09-01\n\nOn December 1, 2026, the field `name` is replaced by \
    `full_name`. In the response of `GET /invoices`, the field `created_at` will be renamed to `made_at`.\n";

#[tokio::test(flavor = "multi_thread")]
async fn drift_that_was_announced_quotes_the_announcement() {
    const QUOTE: &str = "On December 1, 2026, the field `name` is replaced by `full_name`.";
    let feed = Feed::new();
    let api = feed.serve().await;
    let hooks = Api::start(|_| Reply::text("text/plain", "ok")).await;
    let mail = SmtpSink::start();
    let told = Receivers { smtp_port: Some(mail.port), webhook: Some(hooks.url("/hook")) };
    let project = Project::new(&api, &told);
    project.write("changes.md", CHANGES);
    project.edit_config("    streams:\n", "    docs: [{file: changes.md}]\n    streams:\n");
    project.learn();
    // One field was announced, the other of another operation alone.
    feed.answers(|turn| {
        page(&renamed(renamed(customers(turn), "name", "full_name"), "created_at", "made_at"))
    });
    let (code, checked) = project.json(&["check"]);
    assert_eq!(code, 11, "{checked}");
    let all = checked["reports"].as_array().unwrap().iter().flat_map(|r| r["diagnoses"].as_array().unwrap());
    let all: Vec<&Value> = all.collect();
    let of = |path: &str| *all.iter().find(|one| one["path"] == json!(path)).unwrap();
    let announced = of("$.name");
    assert!(announced["summary"].as_str().unwrap().contains(QUOTE), "{announced}");
    let evidence = &announced["evidence"];
    assert_eq!(evidence["announced_in"], json!("Changes › 2026-09-01"), "{evidence}");
    assert!(evidence["source"].as_str().unwrap().ends_with("changes.md"), "{evidence}");
    assert_eq!(
        (&evidence["announced_for"], &evidence["written"]),
        (&json!("2026-12-01"), &json!("2026-09-01"))
    );
    assert!(!of("$.created_at")["summary"].as_str().unwrap().contains("documentation"), "{checked}");
    let hook = hooks.seen().into_iter().map(|seen| seen.body).collect::<String>();
    assert!(hook.contains(QUOTE), "{hook}");
    let mails = mail.mails();
    let text = parts(&mails[0], "text/plain")[0]["text"].as_str().unwrap();
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(QUOTE), "{text}");
    // A document, and the deadline that it sets, is looked at by its name; it is no stream.
    project.run(&["check", "crm/docs:changes.md"]).ended(10);
    let unknown = project.run(&["check", "crm/docs:other.md"]).ended(1).stderr;
    assert!(unknown.contains("crm/docs:changes.md"), "{unknown}");
    let refused = project.run(&["baseline", "show", "crm/docs:changes.md"]).ended(1).stderr;
    assert!(refused.contains("baseline history"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_documents_say_what_responses_show() {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    let describe = |types: [&str; 3]| {
        let record = json!({"type": "object", "properties": {
            "id": {"type": "integer"}, "email": {"type": "string"}, "name": {"type": types[0]},
            "amount": {"type": types[1]}, "created_at": {"type": types[2]}}});
        let document = json!({"openapi": "3.0.3", "info": {"title": "crm", "version": "1"}, "paths": {"/customers": {"get": {
            "responses": {"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {
                "data": {"type": "array", "items": record}}}}}}}}}}});
        project.write("openapi.json", &document.to_string());
    };
    describe(["string", "string", "integer"]);
    project.edit_config("    streams:\n", "    docs: [{file: openapi.json}]\n    streams:\n");
    project.run(&["record"]);
    project.run(&["record"]);
    // The documentation of `name` becomes wrong, that of `amount` right, and that of `created_at` stays wrong.
    describe(["integer", "integer", "boolean"]);
    let (_, checked) = project.json(&["check", "crm/docs:openapi.json"]);
    let findings = checked["reports"][0]["findings"].as_array().unwrap();
    let of = |path: &str| {
        let found =
            findings.iter().find(|one| one["path"] == json!(path) && one["evidence"]["live"].is_string());
        found.unwrap_or_else(|| panic!("{path}: {checked}"))
    };
    let (early, neither, right) = (of("$.name"), of("$.created_at"), of("$.amount"));
    assert_eq!(early["evidence"]["live"], json!("not-seen"), "{early}");
    assert_eq!(neither["evidence"]["live"], json!("contradicted"), "{neither}");
    assert_eq!(right["evidence"]["live"], json!("seen"), "{right}");
    assert_eq!(right["evidence"]["recorded"], json!("seen"), "{right}");
    assert_eq!(right["evidence"]["live_responses"], json!(60), "{right}");
    assert_eq!(right["rule"], json!("docs-corrected"), "{right}");
}
