//! The same two documents give the same report, wherever in memory they come to lie.

use serde_json::{Map, Value, json};

use drogue::engine::compare_documents;
use drogue::rules::RuleSet;
use drogue::spec::{Document, read};

/// Schemas that share each other and lead in circles, read by several operations; `turn` is the state of the document.
fn described(turn: usize) -> String {
    const SCHEMAS: usize = 12;
    let refer = |number: usize| json!({"$ref": format!("#/components/schemas/S{}", number % SCHEMAS)});
    let schema = |number: usize| {
        let mut properties = Map::new();
        for step in [1, 7, 11] {
            properties.insert(format!("to{step}"), refer(number + step));
            properties.insert(format!("list{step}"), json!({"type": "array", "items": refer(number * step)}));
        }
        properties
            .insert("either".to_owned(), json!({"oneOf": [refer(number + 2), refer(number + 3 + turn)]}));
        properties
            .insert("state".to_owned(), json!({"type": "string", "enum": ["a", "b", format!("c{turn}")]}));
        properties.insert(format!("new{}", number % 3 * turn), json!({"type": "string"}));
        properties
            .insert("kind".to_owned(), json!({"type": if number % 4 < turn { "string" } else { "integer" }}));
        json!({"type": "object", "required": ["kind"], "properties": properties})
    };
    let operation = |number: usize| {
        let content = json!({"application/json": {"schema": refer(number)}});
        json!({"post": {
            "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer", "maximum": 100 - turn}}],
            "requestBody": {"content": content},
            "responses": {"200": {"content": content}, "400": {"content": {"application/json": {"schema": refer(0)}}}},
        }})
    };
    let schemas: Map<String, Value> =
        (0..SCHEMAS).map(|number| (format!("S{number}"), schema(number))).collect();
    let paths: Map<String, Value> =
        (turn..6 + turn).map(|number| (format!("/things{number}"), operation(number))).collect();
    json!({"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}}).to_string()
}

#[test]
fn fifty_comparisons_are_one() {
    let rules = RuleSet::builtin();
    let read = |turn| read("a.json", None, described(turn).as_bytes()).unwrap();
    // Documents stay, so that the next ones lie elsewhere.
    let mut kept: Vec<[Document; 2]> = Vec::new();
    let mut first: Option<String> = None;
    for _ in 0..50 {
        let pair = [read(0), read(1)];
        let diff = compare_documents(&pair[0], &pair[1], &rules, None);
        assert!(diff.report.findings.len() > 10 && diff.contract.as_ref().is_some_and(|all| all.len() > 10));
        let text = format!("{diff:?}");
        assert_eq!(*first.get_or_insert_with(|| text.clone()), text);
        kept.push(pair);
    }
}
