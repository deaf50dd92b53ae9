//! Descriptions that were rewritten and say the same: silence, in both judgements.

use drogue::rules::{RuleSet, diff_documents};
use drogue::spec::{Document, compare_contracts, read};
use serde_json::{Value, json};

use super::{LIST, ORDER, description, edited, pointer};

/// Findings and changes of the contract, in words.
fn said(before: &str, after: &str, ending: &str) -> Vec<String> {
    let names = (format!("a.{ending}"), format!("b.{ending}"));
    let report =
        diff_documents(&names.0, before.as_bytes(), &names.1, after.as_bytes(), &RuleSet::builtin()).unwrap();
    let model = |name: &str, text: &str| match read(name, None, text.as_bytes()).unwrap() {
        Document::Api(model) => model,
        Document::Sections(_) | Document::Reference(_) => panic!("no description"),
    };
    let contract = compare_contracts(&model(&names.0, before), &model(&names.1, after), None);
    let findings = report.findings.iter().map(|finding| finding.message.clone());
    let unread = report.inconclusive.iter().map(|one| one.why.clone());
    findings.chain(unread).chain(contract.iter().map(|change| change.change.to_owned())).collect()
}

fn silent(before: &Value, after: &Value) {
    let (before, after) = (before.to_string(), after.to_string());
    assert_eq!(said(&before, &after, "json"), Vec::<String>::new(), "{after}");
    assert_eq!(said(&after, &before, "json"), Vec::<String>::new(), "{before}");
}

#[test]
fn schemas_in_other_notations_are_the_same() {
    let nullable = |node: Value| edited(|v| *pointer(v, &format!("{ORDER}/customer_email")) = node);
    let of_string = [
        json!({"type": "string", "nullable": true}),
        json!({"type": ["string", "null"]}),
        json!({"oneOf": [{"type": "null"}, {"type": "string"}]}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ];
    let address = "#/components/schemas/Address";
    let of_reference = [
        json!({"allOf": [{"$ref": address}], "nullable": true}),
        json!({"anyOf": [{"$ref": address}, {"type": "null"}]}),
        json!({"oneOf": [{"type": "null"}, {"$ref": address}]}),
    ];
    let plain = [json!({"$ref": address}), json!({"allOf": [{"$ref": address}]})];
    let bounds = [
        json!({"type": "number", "minimum": 0, "exclusiveMinimum": true}),
        json!({"type": "number", "exclusiveMinimum": 0}),
    ];
    let defaults = [json!({"type": "integer", "default": 50}), json!({"type": "integer", "default": "50"})];
    for group in [&of_string[..], &of_reference, &plain, &bounds, &defaults] {
        for (a, b) in group.iter().flat_map(|a| group.iter().map(move |b| (a, b))) {
            silent(&nullable(a.clone()), &nullable(b.clone()));
        }
    }
}

#[test]
fn null_alone_is_a_type_like_any_other() {
    let of = |node: Value| edited(|v| *pointer(v, &format!("{ORDER}/customer_email")) = node).to_string();
    let (was, is) = (json!({"type": ["string", "null"]}), json!({"type": ["null"]}));
    let told = said(&of(was.clone()), &of(is.clone()), "json");
    assert!(told[0].contains("customer_email` is null; it was string"), "{told:?}");
    silent(
        &edited(|v| *pointer(v, &format!("{ORDER}/customer_email")) = is),
        &edited(|v| {
            *pointer(v, &format!("{ORDER}/customer_email")) = json!({"type": "null"});
        }),
    );
}

#[test]
fn a_reference_that_may_be_null_now_is_one_change() {
    let address = "#/components/schemas/Address";
    for now in [
        json!({"allOf": [{"$ref": address}], "nullable": true}),
        json!({"anyOf": [{"$ref": address}, {"type": "null"}]}),
    ] {
        let after = edited(|v| *pointer(v, &format!("{ORDER}/shipping")) = now);
        let said = said(&description().to_string(), &after.to_string(), "json");
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("may be null now"));
        assert_eq!(said[1], "became-nullable");
    }
}

#[test]
fn spelling_is_no_change() {
    silent(&description(), &edited(|v| *pointer(v, "/components/securitySchemes/key/name") = json!("x-key")));
    silent(
        &description(),
        &edited(|v| *pointer(v, "/servers/0/url") = json!("HTTPS://API.example.com:443/v1/")),
    );
    silent(
        &description(),
        &edited(|v| v["paths"]["/orders"]["get"]["servers"] = json!([{"url": "https://api.example.com/v1"}])),
    );
    let bearer = |word: &str| {
        edited(|v| v["components"]["securitySchemes"]["key"] = json!({"type": "http", "scheme": word}))
    };
    silent(&bearer("bearer"), &bearer("Bearer"));
    let header = |name: &str| {
        edited(|v| {
            *pointer(v, &format!("{LIST}/parameters/2")) =
                json!({"name": name, "in": "header", "schema": {"type": "string"}})
        })
    };
    silent(&header("X-Since"), &header("x-since"));
}

#[test]
fn a_version_in_the_paths_or_in_the_base_address_is_the_same() {
    let in_paths = edited(|v| {
        v["servers"] = json!([{"url": "https://api.example.com"}]);
        let paths = v["paths"].as_object().unwrap().clone();
        v["paths"] = paths.into_iter().map(|(path, item)| (format!("/v1{path}"), item)).collect();
    });
    silent(&description(), &in_paths);
}

#[test]
fn norway_is_no_denial() {
    let yaml = |word: &str| {
        format!(
            "openapi: 3.0.3\npaths:\n  /a:\n    get:\n      deprecated: no\n      responses:\n        '200':\n          \
             content:\n            application/json:\n              schema:\n                type: string\n                \
             enum: [SE, {word}]\n"
        )
    };
    assert_eq!(said(&yaml("NO"), &yaml("'NO'"), "yaml"), Vec::<String>::new());
}

fn swagger() -> Value {
    json!({
        "swagger": "2.0", "info": {"title": "shop", "version": "1"},
        "host": "api.example.com", "basePath": "/v1", "schemes": ["https"],
        "consumes": ["application/json"], "produces": ["application/json"],
        "security": [{"oauth": ["read"]}],
        "paths": {"/orders": {
            "get": {
                "parameters": [
                    {"name": "ids", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"},
                    {"name": "limit", "in": "query", "type": "integer", "maximum": 100}
                ],
                "responses": {
                    "200": {"description": "ok", "schema": {"type": "array", "items": {"$ref": "#/definitions/Order"}}},
                    "404": {"description": "none"}
                }
            },
            "post": {
                "parameters": [{"name": "order", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Order"}}],
                "responses": {"204": {"description": "done"}}
            },
            "put": {
                "consumes": ["application/x-www-form-urlencoded"],
                "parameters": [{"name": "note", "in": "formData", "type": "string", "required": true}],
                "responses": {"204": {"description": "done"}}
            }
        }},
        "definitions": {"Order": {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string", "x-nullable": true}}}},
        "securityDefinitions": {"oauth": {
            "type": "oauth2", "flow": "accessCode", "scopes": {"read": "all"},
            "authorizationUrl": "https://a.example.com/authorize", "tokenUrl": "https://a.example.com/token"
        }}
    })
}

fn openapi() -> Value {
    let order = json!({"$ref": "#/components/schemas/Order"});
    json!({
        "openapi": "3.0.3", "info": {"title": "shop", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "security": [{"oauth": ["read"]}],
        "paths": {"/orders": {
            "get": {
                "parameters": [
                    {"name": "ids", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}
                ],
                "responses": {
                    "200": {"description": "ok", "content": {"application/json": {"schema": {"type": "array", "items": order}}}},
                    "404": {"description": "none"}
                }
            },
            "post": {
                "requestBody": {"required": true, "content": {"application/json": {"schema": order}}},
                "responses": {"204": {"description": "done"}}
            },
            "put": {
                "requestBody": {"required": true, "content": {"application/x-www-form-urlencoded": {"schema": {
                    "type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"]
                }}}},
                "responses": {"204": {"description": "done"}}
            }
        }},
        "components": {
            "schemas": {"Order": {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string", "nullable": true}}}},
            "securitySchemes": {"oauth": {"type": "oauth2", "flows": {"authorizationCode": {
                "scopes": {"read": "all"},
                "authorizationUrl": "https://a.example.com/authorize", "tokenUrl": "https://a.example.com/token"
            }}}}
        }
    })
}

#[test]
fn the_same_in_another_version_of_the_standard_is_the_same() {
    silent(&swagger(), &openapi());
}

#[test]
fn a_change_on_the_way_to_another_version_is_seen() {
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 4] = [
        ("docs-type-changed", |v| {
            *pointer(v, "/components/schemas/Order/properties/id/type") = json!("integer");
        }),
        ("docs-parameter-notation-changed", |v| {
            pointer(v, "/paths/~1orders/get/parameters/0")["explode"] = json!(false);
        }),
        ("docs-auth-scope-required", |v| v["security"] = json!([{"oauth": ["read", "all"]}])),
        ("docs-body-field-required", |v| {
            let schema = "/paths/~1orders/put/requestBody/content/application~1x-www-form-urlencoded/schema";
            pointer(v, schema)["required"] = json!(["note", "id"]);
            pointer(v, schema)["properties"]["id"] = json!({"type": "string"});
        }),
    ];
    for (rule, edit) in edits {
        let mut after = openapi();
        edit(&mut after);
        let (was, is) = (swagger().to_string(), after.to_string());
        let report =
            diff_documents("a.json", was.as_bytes(), "b.json", is.as_bytes(), &RuleSet::builtin()).unwrap();
        let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
        // A schema that is sent and received is told on both sides.
        assert!(!rules.is_empty() && rules.iter().all(|told| *told == rule), "{rule}: {rules:?}");
    }
}
