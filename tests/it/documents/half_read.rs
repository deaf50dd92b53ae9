//! Descriptions that are half read: what lies behind a broken part is not judged, and the part is named.

use drogue::model::Report;
use drogue::rules::{RuleSet, diff_documents};
use drogue::spec::{Document, compare_contracts, read};
use serde_json::{Value, json};

use super::{LIST, ORDER, description, diff, edited, pointer, remove};

fn reasons(report: &Report) -> Vec<&str> {
    report.inconclusive.iter().map(|one| one.why.as_str()).collect()
}

fn contract(before: &Value, after: &Value) -> usize {
    let model = |value: &Value| match read("api.json", None, value.to_string().as_bytes()).unwrap() {
        Document::Api(model) => model,
        Document::Sections(_) | Document::Reference(_) => panic!("no description"),
    };
    compare_contracts(&model(before), &model(after), None).len()
}

/// Every place of a description: its steps.
fn places(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if !at.is_empty() {
        found.push(at.clone());
    }
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
        _ => return,
    };
    for (step, value) in members {
        at.push(step);
        places(value, at, found);
        at.pop();
    }
}

#[test]
fn a_value_of_the_wrong_type_is_named_and_nothing_behind_it_is_judged() {
    let whole = description();
    let mut all = Vec::new();
    places(&whole, &mut Vec::new(), &mut all);
    let mut told = 0;
    for place in all {
        let path: String =
            place.iter().map(|s| format!("/{}", s.replace('~', "~0").replace('/', "~1"))).collect();
        // Without the first there is no description, and examples and extensions may be anything.
        if path == "/openapi" || path == "/paths" || path.contains("/example") {
            continue;
        }
        let broken = edited(|v| {
            let there = pointer(v, &path);
            *there = if there.is_object() || there.is_array() { json!(42) } else { json!({"bad": 1}) };
        });
        for (before, after, when) in [(&whole, &broken, "now: "), (&broken, &whole, "before: ")] {
            let report = diff(before, after);
            let messages: Vec<&str> =
                report.findings.iter().map(|finding| finding.message.as_str()).collect();
            assert_eq!(messages, Vec::<&str>::new(), "{path} {when}");
            let named =
                reasons(&report).iter().any(|why| why.starts_with(when) && why.contains(&format!("#{path}")));
            assert!(named, "{path}: {:?}", reasons(&report));
            assert_eq!(contract(before, after), 0, "{path}");
        }
        told += 1;
    }
    assert!(told > 90, "{told}");
}

#[test]
fn beside_a_broken_part_changes_are_seen() {
    let after = edited(|v| {
        *pointer(v, &format!("{ORDER}/total/type")) = json!(42);
        *pointer(v, &format!("{ORDER}/state/type")) = json!("integer");
        let list = pointer(v, &format!("{LIST}/parameters")).as_array_mut().unwrap();
        list[2] = json!(7);
        list.remove(0);
    });
    let report = diff(&description(), &after);
    let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["docs-type-changed"], "the parameter that is gone may be the one that cannot be read");
    assert_eq!(report.inconclusive.len(), 2);
}

#[test]
fn what_a_reference_to_nowhere_held_is_not_gone() {
    let after = edited(|v| {
        remove(v, "/components/schemas", "Order");
    });
    let report = diff(&description(), &after);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let told = reasons(&report).join("\n");
    assert!(told.contains("`$ref: #/components/schemas/Order` is not followed: nothing is there"), "{told}");
    assert!(told.contains("and one more place"), "{told}");
    assert_eq!(contract(&description(), &after), 0);
}

#[test]
fn references_in_a_circle_are_told() {
    let after = edited(|v| {
        v["components"]["parameters"] =
            json!({"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}});
        *pointer(v, &format!("{LIST}/parameters/0")) = json!({"$ref": "#/components/parameters/A"});
    });
    let report = diff(&description(), &after);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(reasons(&report).iter().any(|why| why.contains("leads in a circle")), "{:?}", reasons(&report));
}

const YAML: &str = "\
openapi: 3.0.3
info: {title: shop, version: '1'}
paths:
  /orders:
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer}}
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Order'}
  /refunds:
    get:
      responses:
        '200':
          description: all of them
components:
  schemas:
    Order:
      type: object
      properties:
        id: {type: string}
        total: {type: number}
";

fn yaml(before: &str, after: &str) -> Result<Report, drogue::spec::SpecError> {
    diff_documents("a.yaml", before.as_bytes(), "b.yaml", after.as_bytes(), &RuleSet::builtin())
}

#[test]
fn a_text_that_was_cut_is_half_read() {
    let start = YAML.find("      parameters").unwrap();
    for end in start..YAML.len() - 1 {
        // Broken, or so short that it describes nothing: an error.
        let Ok(report) = yaml(YAML, &YAML[..end]) else { continue };
        let breaking: Vec<&str> = report
            .findings
            .iter()
            .filter(|finding| finding.severity == drogue::model::Severity::Breaking)
            .map(|finding| finding.message.as_str())
            .collect();
        // A cut between the members of the last schema leaves a whole document: nobody can tell.
        if end < YAML.find("      type: object").unwrap() {
            assert_eq!(breaking, Vec::<&str>::new(), "{:?}", &YAML[..end]);
            assert!(!report.inconclusive.is_empty(), "{:?}", &YAML[..end]);
        }
    }
}

#[test]
fn what_is_taken_out_at_the_end_is_gone() {
    let after = YAML.replace("        total: {type: number}\n", "");
    assert_eq!(yaml(YAML, &after).unwrap().findings[0].rule, "docs-field-removed");
}

#[test]
fn keys_that_stand_twice_are_told() {
    let text = description().to_string();
    let twice = text.replacen("\"paths\":", "\"paths\":{},\"paths\":", 1);
    let report =
        diff_documents("a.json", text.as_bytes(), "b.json", twice.as_bytes(), &RuleSet::builtin()).unwrap();
    assert!(report.findings.is_empty());
    assert_eq!(reasons(&report), ["now: `#/paths` stands there twice, and only the last one is read"]);
    let twice = format!("{YAML}info: {{title: other, version: '2'}}\n");
    assert!(reasons(&yaml(YAML, &twice).unwrap())[0].contains("`#/info` stands there twice"));
}

#[test]
fn types_that_are_not_defined_are_told() {
    let (before, after) = ("type Query { a: Foo }\ntype Foo { b: Int }", "type Query { a: Foo }");
    let report =
        diff_documents("a.graphql", before.as_bytes(), "b.graphql", after.as_bytes(), &RuleSet::builtin())
            .unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(reasons(&report)[0].contains("#/components/schemas/Foo"));
}
