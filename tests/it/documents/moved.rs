//! What is elsewhere, or under another name, is one change; and what breaks a connector without a field being gone.

use serde_json::{Value, json};

use super::{LIST, ORDER, description, diff, edited, pointer, remove};
use drogue::rules::{RuleSet, diff_documents};

fn rules(before: &Value, after: &Value) -> Vec<String> {
    diff(before, after).findings.iter().map(|finding| finding.rule.clone()).collect()
}

fn messages(before: &Value, after: &Value) -> Vec<String> {
    diff(before, after).findings.iter().map(|finding| finding.message.clone()).collect()
}

#[test]
fn a_version_before_every_path_is_one_change() {
    let v2 = |prefix: &str| {
        edited(|v| {
            let paths = v["paths"].as_object().unwrap().clone();
            v["paths"] = paths.into_iter().map(|(path, item)| (format!("{prefix}{path}"), item)).collect();
        })
    };
    assert_eq!(messages(&description(), &v2("/v2")), ["3 operations at / are at /v2 now"]);
    assert_eq!(messages(&v2("/v1"), &v2("/api/v2")), ["3 operations at /v1 are at /api/v2 now"]);
    let renamed = {
        let mut after = v2("/v2");
        let email = remove(&mut after, ORDER, "customer_email");
        pointer(&mut after, ORDER)["customer_mail"] = email;
        after
    };
    assert_eq!(rules(&description(), &renamed), ["docs-paths-moved", "docs-field-renamed"]);
}

#[test]
fn fields_that_moved_are_one_change_each() {
    let nested = edited(|v| {
        let email = remove(v, ORDER, "customer_email");
        pointer(v, ORDER)["contact"] = json!({"type": "object", "properties": {"customer_email": email}});
    });
    let told = messages(&description(), &nested);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]
            .starts_with("`$.data[*].customer_email` is described at `$.data[*].contact.customer_email` now")
    );
    assert_eq!(rules(&nested, &description()), ["docs-field-moved"]);

    let flat = edited(|v| {
        remove(v, ORDER, "shipping");
        pointer(v, ORDER)["shipping_city"] = json!({"type": "string"});
        pointer(v, ORDER)["shipping_zip"] = json!({"type": "string"});
    });
    assert_eq!(rules(&description(), &flat), ["docs-field-moved", "docs-field-moved"]);

    let beside = edited(|v| {
        let top = format!("{LIST}/responses/200/content/application~1json/schema/properties");
        let cursor = remove(v, &top, "next_cursor");
        pointer(v, &top)["meta"] = json!({"type": "object", "properties": {"next_cursor": cursor}});
    });
    assert_eq!(rules(&description(), &beside), ["docs-field-moved"]);
}

#[test]
fn a_field_that_may_be_at_two_places_is_not_guessed() {
    let after = edited(|v| {
        let email = remove(v, ORDER, "customer_email");
        for name in ["payer", "receiver"] {
            pointer(v, ORDER)[name] = json!({"type": "object", "properties": {"customer_email": email}});
        }
    });
    let report = diff(&description(), &after);
    let found = report.findings.iter().find(|f| f.rule == "docs-field-moved-somewhere").unwrap();
    assert!(found.message.contains("$.data[*].payer.customer_email or $.data[*].receiver.customer_email"));
}

#[test]
fn a_common_name_elsewhere_is_no_move() {
    let after = edited(|v| {
        remove(v, ORDER, "state");
        pointer(v, ORDER)["shop"] =
            json!({"type": "object", "properties": {"state": {"type": "string", "enum": ["open", "paid"]}}});
    });
    assert!(rules(&description(), &after).contains(&"docs-field-removed".to_owned()));
}

#[test]
fn parameters_that_ask_for_the_same_are_renamed() {
    let after = edited(|v| *pointer(v, &format!("{LIST}/parameters/1/name")) = json!("limit"));
    assert_eq!(rules(&description(), &after), ["docs-parameter-renamed"]);
}

#[test]
fn tools_that_take_the_same_are_renamed() {
    let tools = |name: &str, field: &str| {
        json!({"tools": [
            {"name": name, "inputSchema": {"type": "object", "properties": {"id": {"type": "string"}}}},
            {"name": "list_orders", "inputSchema": {"type": "object", "properties": {field: {"type": "integer"}}}}
        ]})
    };
    assert_eq!(rules(&tools("get_order", "limit"), &tools("fetch_order", "limit")), ["docs-operation-moved"]);
    assert_eq!(rules(&tools("get", "limit"), &tools("get", "page_size")), ["docs-body-field-renamed"]);
}

#[test]
fn another_type_implies_what_was_within() {
    let scalar = edited(|v| *pointer(v, &format!("{ORDER}/shipping")) = json!({"type": "string"}));
    assert_eq!(rules(&description(), &scalar), ["docs-type-changed"]);
    assert_eq!(rules(&scalar, &description()), ["docs-type-changed"]);
    let listed = edited(|v| {
        *pointer(v, &format!("{ORDER}/state")) =
            json!({"type": "object", "properties": {"code": {"type": "string"}}})
    });
    assert_eq!(rules(&description(), &listed), ["docs-type-changed"]);
    let either = edited(|v| {
        *pointer(v, &format!("{ORDER}/shipping")) =
            json!({"oneOf": [{"$ref": "#/components/schemas/Address"}, {"type": "string"}]});
    });
    assert_eq!(rules(&description(), &either), ["docs-alternative-added"]);
}

#[test]
fn what_breaks_a_connector_is_told() {
    let other_words = edited(|v| *pointer(v, &format!("{ORDER}/state/enum")) = json!(["OPEN", "PAID"]));
    let told = messages(&description(), &other_words);
    assert!(
        told[0].starts_with("`$.data[*].state` has other values: OPEN, PAID; it had open, paid"),
        "{told:?}"
    );

    let hidden = edited(|v| pointer(v, &format!("{ORDER}/total"))["writeOnly"] = json!(true));
    assert_eq!(rules(&description(), &hidden), ["docs-field-write-only"]);
    assert_eq!(rules(&hidden, &description()), ["docs-field-added"]);

    let paid_by = |ways: Value| edited(|v| pointer(v, ORDER)["payment"] = json!({"oneOf": ways}));
    let card = json!({"title": "Card", "type": "object", "properties": {"last4": {"type": "string"}}});
    let bank = json!({"title": "Bank", "type": "object", "properties": {"iban": {"type": "string"}}});
    let cash = json!({"title": "Cash", "type": "object", "properties": {"till": {"type": "string"}}});
    let told = messages(&paid_by(json!([card, bank, cash])), &paid_by(json!([card, cash])));
    assert!(
        told.iter().any(|m| m.starts_with("`$.data[*].payment.iban` is no longer described")),
        "{told:?}"
    );

    let scoped = |scopes: Value| {
        edited(|v| {
            v["components"]["securitySchemes"]["key"] = json!({"type": "oauth2", "flows": {}});
            v["security"] = json!([{"key": scopes}]);
        })
    };
    let told = messages(&scoped(json!(["a"])), &scoped(json!(["a", "b"])));
    assert_eq!(told.len(), 1);
    assert!(told[0].ends_with("needs the scope b now"), "{told:?}");
    assert!(messages(&scoped(json!(["a", "b"])), &scoped(json!(["a"]))).is_empty());

    let wrong = edited(|v| pointer(v, &format!("{ORDER}/total"))["example"] = json!("12.50"));
    assert_eq!(rules(&description(), &wrong), ["docs-example-contradicts"]);

    let (was, is) =
        ("type Query { orders(state: String, limit: Int): Int }", "type Query { orders(limit: Int): Int }");
    let report =
        diff_documents("a.graphql", was.as_bytes(), "b.graphql", is.as_bytes(), &RuleSet::builtin()).unwrap();
    assert_eq!(report.findings[0].rule, "docs-argument-removed");
}
