//! Documents of every format with some bytes changed: read or refused, and compared with what they were, without a
//! panic and within bounds.

use drogue::engine::compare_documents as diff;
use drogue::rules::RuleSet;
use drogue::spec::{Document, WatchedEndpoint, compare_documents, read};
use proptest::prelude::*;
use serde_json::json;

/// A small document of each format that is read, with its name.
fn documents() -> Vec<(&'static str, String)> {
    let open_api = super::description();
    let swagger = json!({"swagger": "2.0", "host": "api.example.com", "basePath": "/v1", "paths": {"/orders": {"get":
        {"responses": {"200": {"schema": {"type": "array", "items": {"$ref": "#/definitions/Order"}}}}}}},
        "definitions": {"Order": {"properties": {"id": {"type": "integer"}, "next": {"$ref": "#/definitions/Order"}}}}});
    let postman = json!({
        "info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "variable": [{"key": "base", "value": "https://example.com"}],
        "item": [{"name": "a", "request": {"method": "GET", "url": "{{base}}/a?x=1"}, "response": [
            {"code": 200, "body": "{\"items\": [{\"id\": 1, \"b\": null}]}"}]}]});
    let tools = json!({"tools": [{"name": "orders", "description": "Lists.", "inputSchema":
        {"type": "object", "properties": {"since": {"type": "string"}}, "required": ["since"]}}]});
    let schema = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Order",
        "properties": {"id": {"type": "integer"}, "state": {"enum": ["a", "b"]}, "of": {"$ref": "#"}}});
    let introspection = json!({"data": {"__schema": {"queryType": {"name": "Query"}, "types": [{"kind": "OBJECT",
        "name": "Query", "fields": [{"name": "a", "args": [], "type": {"kind": "SCALAR", "name": "Int"}}]}]}}});
    let yaml = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /orders:\n    get:\n      responses:\n        '200':\n          content:\n            application/json:\n              schema: &order\n                type: object\n                properties:\n                  id: {type: integer}\n  /order:\n    get:\n      responses: {'200': {content: {application/json: {schema: *order}}}}\n";
    let graphql = "type Query { orders(first: Int = 3): [Order!]! @deprecated(reason: \"gone\") }\ntype Order { id: ID! of: Order state: State }\nenum State { OPEN PAID }\n";
    let page = "<html><head><title>Orders</title></head><body><nav>Home</nav><main><h1>Orders</h1><p>Lists the orders of a shop, newest first, a hundred on a page, each with an id and a total in cents.</p><h2>Fields</h2><table><tr><td><code>total</code><td>A number &amp; more</table><p>The field <code>total_price</code> will be removed on 2026-12-31.</main></body></html>";
    let markdown = "# Orders\n\nReturns orders, newest first.\n\n```\nGET /orders\n```\n\n## Fields\n\n- `id`: a number\n- `total_price` is deprecated and will be removed on 2026-12-31.\n";
    let feed = "<?xml version=\"1.0\"?><rss><channel><title>News</title><item><title>v2</title><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate><description><![CDATA[<p>The v1 API ends on 2026-12-31.</p>]]></description></item></channel></rss>";
    vec![
        ("open.json", open_api.to_string()),
        ("swagger.json", swagger.to_string()),
        ("postman.json", postman.to_string()),
        ("tools.json", tools.to_string()),
        ("schema.json", schema.to_string()),
        ("introspection.json", introspection.to_string()),
        ("open.yaml", yaml.to_owned()),
        ("schema.graphql", graphql.to_owned()),
        ("page.html", page.to_owned()),
        ("page.md", markdown.to_owned()),
        ("feed.xml", feed.to_owned()),
    ]
}

/// What happens to some bytes.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    /// Bytes from one place put in at another: references that lead elsewhere, members twice, levels in levels.
    Copy(prop::sample::Index, prop::sample::Index, usize),
    /// What formats give a meaning to.
    Insert(prop::sample::Index, &'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<prop::sample::Index>;
    let words = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "true",
        "-1e999",
        "\"$ref\":\"#\",",
        "\"type\":[],",
        "\"allOf\":[{}],",
        "\"\":0,",
        "<",
        ">",
        "</",
        "<!--",
        "]]>",
        "<script>",
        "&amp",
        "#",
        "```",
        "\n",
        "\n  ",
        "*order",
        "&a ",
        "- ",
        "\u{0}",
        "\u{feff}",
        "é",
        "\u{10ffff}",
    ]);
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        (place(), 1..40_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (place(), place(), 1..200_usize).prop_map(|(from, to, length)| Mutation::Copy(from, to, length)),
        (place(), words).prop_map(|(at, word)| Mutation::Insert(at, word)),
    ]
}

fn mutated(text: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for mutation in mutations {
        if bytes.is_empty() {
            break;
        }
        match mutation {
            Mutation::Replace(at, byte) => *at.get_mut(&mut bytes[..]) = *byte,
            Mutation::Remove(at, length) => {
                let at = at.index(bytes.len());
                let end = (at + length).min(bytes.len());
                bytes.drain(at..end);
            }
            Mutation::Copy(from, to, length) => {
                let from = from.index(bytes.len());
                let copied = bytes[from..(from + length).min(bytes.len())].to_vec();
                let to = to.index(bytes.len());
                bytes.splice(to..to, copied);
            }
            Mutation::Insert(at, word) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    bytes
}

fn sections(document: &Document) -> usize {
    match document {
        Document::Api(model) => model.operations().len(),
        Document::Sections(sections) => sections.sections.len(),
        Document::Reference(page) => page.sections().sections.len(),
    }
}

proptest! {
    // Each case reads two documents and compares them in four ways.
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn documents_with_changed_bytes_are_read_and_compared(
        chosen in any::<prop::sample::Index>(),
        mutations in prop::collection::vec(mutation(), 1..8),
    ) {
        let documents = documents();
        let (name, text) = chosen.get(&documents);
        let whole = read(name, None, text.as_bytes()).unwrap();
        let bytes = mutated(text, &mutations);
        let other = match super::hostile::in_time(|| read(name, None, &bytes)) {
            Ok(other) => other,
            Err(error) => {
                prop_assert!(error.to_string().contains(name), "{error}");
                return Ok(());
            }
        };
        let endpoint = WatchedEndpoint {
            method: "GET".to_owned(),
            path: "https://api.example.com/v1/orders?page=1".to_owned(),
            fields: vec!["$.total".parse().unwrap(), "$.id".parse().unwrap()],
            ..WatchedEndpoint::default()
        };
        let watched = std::slice::from_ref(&endpoint);
        super::hostile::in_time(|| -> Result<(), TestCaseError> {
            for (before, after) in [(&whole, &other), (&other, &whole)] {
                let once = compare_documents(before, after, watched);
                prop_assert_eq!(&once, &compare_documents(before, after, watched), "the same twice");
                // A change is of something that one side has: no document says more than it is long.
                let most = 100 * (bytes.len() + text.len());
                prop_assert!(once.changes.len() <= most && sections(after) <= most);
                drop(diff(before, after, &RuleSet::builtin(), None));
            }
            // What is compared with itself is silent, whatever it holds.
            let itself = compare_documents(&other, &other, &[]);
            prop_assert!(itself.changes.is_empty(), "{:?}", itself.changes);
            Ok(())
        })?;
    }
}
