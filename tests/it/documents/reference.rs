//! Pages of reference, in the styles that people publish them in: what they describe is judged as in OpenAPI, however it is
//! laid out.

use drogue::model::{Report, Severity};
use drogue::rules::{RuleSet, diff_documents};
use drogue::spec::{Document, WatchedEndpoint, compare_documents, read};
use serde_json::{Map, Value, json};

use crate::support::project::{Feed, Project, Receivers};

/// A parameter, or a field: name, type, whether it is required, what it is.
type Line = (&'static str, &'static str, bool, &'static str);

/// What an API does, whatever its pages look like.
#[derive(Clone)]
struct Facts {
    parameters: Vec<Line>,
    fields: Vec<Line>,
}

fn facts() -> Facts {
    Facts {
        parameters: vec![
            ("limit", "integer", false, "Page size, at most 200."),
            ("cursor", "string", false, "Where the next page begins."),
            ("status", "string", false, "Only orders in this state."),
        ],
        fields: vec![
            ("id", "string", false, "What the order is known by."),
            ("total", "number", false, "Total in EUR."),
            ("currency", "string", false, "Three letters, as in ISO 4217."),
            ("customer.email", "string", false, "Where the customer is written to."),
            ("lines", "array of objects", false, "What was ordered."),
            ("lines[].sku", "string", false, "The article."),
            ("lines[].quantity", "integer", false, "How many."),
            ("created_at", "datetime", false, "When the order was made."),
        ],
    }
}

impl Facts {
    fn with(&self, edit: impl FnOnce(&mut Self)) -> Self {
        let mut facts = self.clone();
        edit(&mut facts);
        facts
    }

    /// A response as the page shows one.
    fn sample(&self) -> String {
        let value = |kind: &str| match kind {
            "number" => json!(12.5),
            "integer" => json!(3),
            _ => json!("x"),
        };
        let (mut record, mut line) = (Map::new(), Map::new());
        for (name, kind, ..) in &self.fields {
            match (name.strip_prefix("lines[]."), name.split_once('.')) {
                (Some(name), _) => drop(line.insert(name.to_owned(), value(kind))),
                (None, Some((object, name))) => {
                    record.insert(object.to_owned(), json!({name: value(kind)}));
                }
                (None, None) => drop(record.insert((*name).to_owned(), value(kind))),
            }
        }
        record.insert("lines".to_owned(), json!([line]));
        serde_json::to_string_pretty(&json!({"data": [record], "next": null})).unwrap()
    }
}

const INTRO: &str = "The orders API lets you read the orders of a shop. It returns them newest first, and needs a bearer \
                     token in the `Authorization` field of each request.";
const PATH: &str = "/v1/orders/{id}/items";

fn page(body: &str) -> String {
    format!(
        "<!doctype html><html><head><title>Orders</title></head><body><nav>All</nav><main>{body}</main></body></html>"
    )
}

fn each(lines: &[Line], line: impl Fn(&Line) -> String) -> String {
    lines.iter().map(line).collect()
}

const fn word(required: bool) -> &'static str {
    if required { "required" } else { "optional" }
}

/// Lists of definitions, as large vendors have them.
fn definitions(facts: &Facts) -> String {
    let parameters = each(&facts.parameters, |(name, kind, required, about)| {
        format!(
            "<dt><code>{name}</code> <span>{kind}</span> <span>{}</span></dt><dd><p>{about}</p></dd>",
            word(*required)
        )
    });
    let fields = each(&facts.fields, |(name, kind, _, about)| {
        format!("<dt><code>{name}</code> <span>{kind}</span></dt><dd><p>{about}</p></dd>")
    });
    page(&format!(
        "<h1>Orders</h1><p>{INTRO}</p><h2>List items</h2><pre><code>GET /v1/orders/:id/items</code></pre><p>Returns items.</p>\
         <h3>Parameters</h3><dl>{parameters}</dl><h3>Returns</h3><dl>{fields}</dl>"
    ))
}

/// Tables, with a sample.
fn tables(facts: &Facts) -> String {
    let yes = |required: bool| if required { "Yes" } else { "No" };
    let parameters = each(&facts.parameters, |(name, kind, required, about)| {
        format!(
            "<tr><td><code>{name}</code></td><td>{kind}</td><td>{}</td><td>{about}</td></tr>",
            yes(*required)
        )
    });
    let fields = each(&facts.fields, |(name, kind, _, about)| {
        format!("<tr><td>{name}</td><td>{kind}</td><td>{about}</td></tr>")
    });
    page(&format!(
        "<h1>Orders</h1><p>{INTRO}</p><h2>List items</h2><p><code>GET</code> <code>{PATH}</code></p><p>Returns items.</p>\
         <h3>Query parameters</h3><table><thead><tr><th>Parameter</th><th>Type</th><th>Required</th><th>Description</th></tr></thead>\
         <tbody>{parameters}</tbody></table><h3>Response fields</h3><table><tr><th>Field</th><th>Type</th><th>Description</th></tr>\
         {fields}</table><pre><code>{}</code></pre>",
        facts.sample()
    ))
}

/// As generators of static pages write them: the sample above the request.
fn generated(facts: &Facts) -> String {
    let parameters = each(&facts.parameters, |(name, kind, required, about)| {
        format!("| {name} | {kind} | {required} | {about} |\n")
    });
    let fields = each(&facts.fields, |(name, kind, _, about)| format!("| {name} | {kind} | {about} |\n"));
    format!(
        "# Orders\n\n{INTRO}\n\n## List items\n\n> The above command returns JSON structured like this:\n\n```json\n{}\n```\n\n\
         Returns items.\n\n### HTTP Request\n\n`GET https://api.example.com{PATH}`\n\n### Query Parameters\n\n\
         | Parameter | Type | Required | Description |\n|---|---|---|---|\n{parameters}\n### Response Attributes\n\n\
         | Attribute | Type | Description |\n|---|---|---|\n{fields}",
        facts.sample()
    )
}

/// Lists, as in an `API.md` by hand.
fn by_hand(facts: &Facts) -> String {
    let parameters = each(&facts.parameters, |(name, kind, required, about)| {
        format!("- `{name}` ({kind}, {}): {about}\n", word(*required))
    });
    let fields = each(&facts.fields, |(name, kind, _, about)| format!("- `{name}` ({kind}): {about}\n"));
    format!(
        "# Orders\n\n{INTRO}\n\n## GET {PATH}\n\nReturns items.\n\n### Parameters\n\n{parameters}\n### Response\n\n{fields}"
    )
}

/// A page for one operation, its method a badge and what is required a star.
fn badges(facts: &Facts) -> String {
    let star = |required: bool| if required { "*" } else { "" };
    let parameters = each(&facts.parameters, |(name, kind, required, about)| {
        format!("<tr><td><strong>{name}</strong>{}</td><td>{kind}</td><td>{about}</td></tr>", star(*required))
    });
    let fields = each(&facts.fields, |(name, kind, _, about)| {
        format!("<tr><td>{}</td><td>{kind}</td><td>{about}</td></tr>", name.replace("[]", "[*]"))
    });
    let heads = "<tr><th>Name</th><th>Type</th><th>Description</th></tr>";
    page(&format!(
        "<h1>List items</h1><div><span>get</span><br><span>https://api.example.com{PATH}</span></div><p>{INTRO}</p>\
         <p>Returns items.</p><h2>Query Params</h2><table>{heads}{parameters}</table><h2>Response</h2><h3>200</h3>\
         <table>{heads}{fields}</table>"
    ))
}

/// The text of a PDF: cells parted by space.
fn printed(facts: &Facts) -> String {
    let parameters = each(&facts.parameters, |(name, kind, required, about)| {
        format!("{name} {kind}{} {about}\n", if *required { " required" } else { "" })
    });
    let fields = each(&facts.fields, |(name, kind, _, about)| format!("{name} {kind} {about}\n"));
    format!(
        "Orders\n\n{INTRO}\n\nGET {PATH}\n\nReturns items.\n\nParameters\nName Type Description\n{parameters}\n\
         Response\nField Type Description\n{fields}"
    )
}

type Style = (&'static str, fn(&Facts) -> String);

const STYLES: [Style; 6] = [
    ("definitions.html", definitions),
    ("tables.html", tables),
    ("generated.md", generated),
    ("by-hand.md", by_hand),
    ("badges.html", badges),
    ("printed.txt", printed),
];

fn diff(before: (&str, &str), after: (&str, &str)) -> Report {
    let (was, is) = (before.1.as_bytes(), after.1.as_bytes());
    diff_documents(before.0, was, after.0, is, &RuleSet::builtin()).unwrap()
}

/// Rule and severity of each finding above `info`.
fn alarming(report: &Report) -> Vec<&str> {
    let findings = report.findings.iter().filter(|finding| finding.severity > Severity::Info);
    findings.map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn a_change_is_the_same_in_every_style() {
    type Edit = fn(&mut Facts);
    let edits: [(&str, Edit); 9] = [
        ("docs-field-renamed", |facts| facts.fields[1].0 = "grand_total"),
        ("docs-type-changed", |facts| facts.fields[1].1 = "string"),
        ("docs-field-removed", |facts| facts.fields.retain(|field| field.0 != "currency")),
        ("docs-type-changed", |facts| facts.fields[6].1 = "string"),
        ("docs-parameter-required", |facts| facts.parameters.push(("account", "string", true, "Whose."))),
        ("docs-parameter-required", |facts| facts.parameters[2].2 = true),
        ("docs-parameter-renamed", |facts| facts.parameters[1].0 = "page_token"),
        ("", |facts| facts.fields.push(("note", "string", false, "A note."))),
        ("", |facts| {
            facts.fields.reverse();
            facts.parameters.reverse();
        }),
    ];
    for (name, style) in STYLES {
        for (at, (rule, edit)) in edits.iter().enumerate() {
            let (before, after) = (style(&facts()), style(&facts().with(edit)));
            let report = diff((name, &before), (name, &after));
            let wanted: Vec<&str> = Some(*rule).filter(|rule| !rule.is_empty()).into_iter().collect();
            assert_eq!(alarming(&report), wanted, "{name}, edit {at}: {:#?}", report.findings);
            assert!(report.inconclusive.is_empty(), "{name}, edit {at}: {:?}", report.inconclusive);
            let twice = report.findings.iter().filter(|finding| finding.rule.contains("section")).count();
            assert_eq!(twice, 0, "{name}, edit {at}: a row is told once: {:#?}", report.findings);
        }
    }
}

#[test]
fn the_same_facts_in_another_style_alarm_nobody() {
    for (from, style) in STYLES {
        for (to, other) in STYLES {
            let report = diff((from, &style(&facts())), (to, &other(&facts())));
            assert_eq!(alarming(&report), [""; 0], "{from} to {to}: {:#?}", report.findings);
            assert!(report.inconclusive.is_empty(), "{from} to {to}: {:?}", report.inconclusive);
        }
    }
}

#[test]
fn a_page_that_loses_most_of_its_tables_is_inconclusive_and_no_flood() {
    for (name, style) in STYLES {
        let whole = style(&facts());
        let half = style(&facts().with(|facts| facts.fields.truncate(2)));
        let report = diff((name, &whole), (name, &half));
        assert_eq!(alarming(&report), [""; 0], "{name}: {:#?}", report.findings);
        assert!(!report.inconclusive.is_empty(), "{name}");
    }
    let prose = page(&format!("<h1>Orders</h1><p>{INTRO}</p><p>The list moved; ask us for it.</p>"));
    let report = diff(("a.html", &tables(&facts())), ("a.html", &prose));
    assert_eq!(alarming(&report), [""; 0], "{:#?}", report.findings);
    assert!(report.inconclusive[0].why.contains("no fields can be read"), "{:?}", report.inconclusive);
    let back = diff(("a.html", &prose), ("a.html", &tables(&facts())));
    assert!(back.inconclusive[0].why.contains("no fields could be read"), "{:?}", back.inconclusive);
}

const OBJECT: &str = "<h1>Orders</h1><p>Orders are what customers buy. Each has lines, a total and a customer, and is kept for \
    ten years after it was closed.</p><table><tr><th>Method</th><th>Path</th></tr><tr><td>GET</td><td>/v1/orders</td></tr>\
    <tr><td>GET</td><td>/v1/orders/{id}</td></tr></table><h2>The Order object</h2><h3>Attributes</h3><dl>\
    <dt>id <span>string</span></dt><dd>Unique.</dd><dt>total <span>integer</span></dt><dd>In cents.</dd>\
    <dt>note <span>nullable string</span></dt><dd>A note.</dd><dt>customer <span>object</span></dt><dd><p>Who buys.</p>\
    <dl><dt>email <span>string</span></dt><dd>Where to write to.</dd></dl></dd></dl><h2>Limits</h2>\
    <table><tr><th>Plan</th><th>Requests</th></tr><tr><td>free</td><td>10</td></tr></table>";

#[test]
fn an_object_that_is_described_by_itself_is_one() {
    let report =
        |from: &str, to: &str| diff(("o.html", &page(OBJECT)), ("o.html", &page(&OBJECT.replace(from, to))));
    let renamed = report("<dt>email ", "<dt>mail ");
    assert_eq!(alarming(&renamed), ["docs-field-renamed"], "{:#?}", renamed.findings);
    assert!(renamed.findings[0].message.contains("$.customer.email"), "{}", renamed.findings[0].message);
    assert_eq!(alarming(&report("total <span>integer", "total <span>string")), ["docs-type-changed"]);
    // Another title, the same object; a table of something else is text.
    assert_eq!(alarming(&report("The Order object", "Order attributes")), [""; 0]);
    assert_eq!(alarming(&report("<td>10</td>", "<td>20</td>")), [""; 0]);
    // A row that cannot be read makes the table text, and nothing of it is taken for gone.
    let odd = report("<dt>total <span>integer</span></dt>", "<dt>What you pay for it</dt>");
    assert_eq!(alarming(&odd), [""; 0], "{:#?}", odd.findings);
    assert!(!odd.inconclusive.is_empty());
    let gone = report("<tr><td>GET</td><td>/v1/orders/{id}</td></tr>", "");
    assert_eq!(alarming(&gone), ["docs-operation-removed"], "{:#?}", gone.findings);
}

#[test]
fn what_is_said_of_a_field_for_people_stays_prose() {
    let before = tables(&facts());
    let after = tables(&facts().with(|facts| {
        facts.fields[1].3 = "Total in cents.";
        facts.fields[2].3 = "Deprecated: will be removed on 2027-01-15.";
    }));
    let watched = |fields: &[&str]| WatchedEndpoint {
        method: "GET".to_owned(),
        path: format!("https://api.example.com{PATH}"),
        records: Some("$.data[*]".parse().unwrap()),
        fields: fields.iter().map(|field| field.parse().unwrap()).collect(),
        ..WatchedEndpoint::default()
    };
    let read = |text: &str| read("tables.html", None, text.as_bytes()).unwrap();
    assert!(matches!(read(&before), Document::Reference(_)));
    let told = |fields: &[&str]| -> Vec<(String, Option<String>)> {
        let compared = compare_documents(&read(&before), &read(&after), &[watched(fields)]);
        let fact = |change: &drogue::model::Change, name: &str| change.facts.text(name).map(str::to_owned);
        compared.changes.iter().map(|c| (fact(c, "what").unwrap(), fact(c, "ends"))).collect()
    };
    let names = |told: Vec<(String, Option<String>)>| -> Vec<String> {
        told.into_iter().map(|(what, _)| what).collect()
    };
    assert!(
        names(told(&["$.total"])).contains(&"section-names-field".to_owned()),
        "{:?}",
        told(&["$.total"])
    );
    let ends = ("deprecated-in-prose".to_owned(), Some("2027-01-15".to_owned()));
    assert!(told(&["$.currency"]).contains(&ends), "{:?}", told(&["$.currency"]));
}

/// The page of the connector that the tests run.
fn customers(fields: &[(&str, &str)]) -> String {
    let rows: String = fields
        .iter()
        .map(|(name, kind)| format!("<tr><td><code>{name}</code></td><td>{kind}</td></tr>"))
        .collect();
    page(&format!(
        "<h1>Customers</h1><p>Lists the customers of a shop, newest first, a hundred on a page. Every customer has an id, and an \
         address to write to.</p><h2>List customers</h2><pre>GET /customers</pre><h3>Response</h3>\
         <table><tr><th>Field</th><th>Type</th></tr>{rows}</table>"
    ))
}

const CUSTOMERS: [(&str, &str); 6] = [
    ("id", "integer"),
    ("email", "string"),
    ("name", "string"),
    ("amount", "integer"),
    ("created_at", "datetime"),
    ("remark", "string"),
];

/// The findings on the page after its table says this.
async fn checked(fields: &[(&str, &str)], edit: impl Fn(String) -> String) -> (Vec<Value>, String) {
    let feed = Feed::new();
    let api = feed.serve().await;
    let project = Project::new(&api, &Receivers::default());
    project.write("reference.html", &customers(&CUSTOMERS));
    project.edit_config("    streams:\n", "    docs: [{file: reference.html}]\n    streams:\n");
    project.learn();
    project.write("reference.html", &edit(customers(fields)));
    let out = project.run(&["check"]);
    let (_, all) = project.json(&["findings", "list"]);
    let findings = all["reports"].as_array().unwrap().iter().flat_map(|r| r["findings"].as_array().unwrap());
    (findings.cloned().collect(), out.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_field_alerts_with_what_responses_show_and_another_does_not() {
    let mut renamed = CUSTOMERS;
    renamed[1].0 = "email_address";
    let (findings, out) = checked(&renamed, |page| page).await;
    let [finding] = findings.as_slice() else { panic!("{findings:#?}\n{out}") };
    assert_eq!(finding["severity"], json!("breaking"), "{finding:#}");
    assert_eq!(finding["rule"], json!("docs-field-renamed"), "{finding:#}");
    assert_eq!(finding["evidence"]["mapped"], json!(true), "{finding:#}");
    assert_eq!(finding["evidence"]["live"], json!("not-seen"), "{finding:#}");

    let mut other = CUSTOMERS;
    other[5].0 = "comment";
    let (findings, out) = checked(&other, |page| page).await;
    assert!(findings.iter().all(|finding| finding["severity"] == json!("info")), "{findings:#?}\n{out}");
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0]["rule"], json!("docs-other-operations-changed"), "{findings:#?}");

    let redesigned = |page: String| {
        page.replace("<h3>Response</h3>", "<h4>Attributes</h4>").replace("Lists the", "It lists the")
    };
    let (findings, out) = checked(&CUSTOMERS, redesigned).await;
    assert!(findings.iter().all(|finding| finding["severity"] == json!("info")), "{findings:#?}\n{out}");
}

/// A page of two operations with tables, and what stands behind the first of them.
fn two_operations() -> String {
    let operation = |name: &str, path: &str, fields: &[&str]| {
        let row = |field: &&str| {
            format!("<tr><td><code>{field}</code></td><td>string</td><td>What {field} is.</td></tr>")
        };
        let rows: String = fields.iter().map(row).collect();
        format!(
            "<section><h2>{name}</h2><p><code>GET {path}</code></p><h3>Response fields</h3>\
             <table><tr><th>Field</th><th>Type</th><th>Description</th></tr>{rows}</table></section>"
        )
    };
    let orders = operation("List orders", "/v1/orders", &["id", "total", "currency", "note"]);
    let customers = operation("Get a customer", "/v1/customers/{id}", &["id", "email", "phone", "vip"]);
    let refunds = operation("List refunds", "/v1/refunds", &["id", "amount", "reason"]);
    page(&format!("<h1>Shop API</h1><p>{INTRO}</p>{orders}{customers}{refunds}"))
}

#[test]
fn what_a_page_that_breaks_off_does_not_say_is_not_gone() {
    let whole = two_operations();
    let why = "the page ends in the middle, as if it were cut off; what is missing from it is not compared";
    let first = whole.find("Response fields").unwrap();
    // Whatever place it breaks off at, behind the first of what it describes.
    for at in (first + 200..whole.len() - "</section></body></html>".len()).step_by(23) {
        let cut = &whole[..at];
        let report = diff(("page.html", &whole), ("page.html", cut));
        assert_eq!(alarming(&report), [""; 0], "{at}: {:#?}", report.findings);
        let added = report.findings.iter().filter(|finding| finding.rule == "docs-operation-added").count();
        assert_eq!(added, 0, "{at}: {:#?}", report.findings);
        assert!(
            report.inconclusive.iter().any(|one| one.why.ends_with(why)),
            "{at}: {:?}",
            report.inconclusive
        );
        // A page that is whole again is no news either.
        assert_eq!(alarming(&diff(("page.html", cut), ("page.html", &whole))), [""; 0], "{at}");
    }
    // What differs in what is still there is told.
    let retyped = whole.replacen("<td>string</td>", "<td>integer</td>", 2);
    let cut = &retyped[..retyped.find("List refunds").unwrap()];
    let report = diff(("page.html", &whole), ("page.html", cut));
    assert_eq!(alarming(&report), ["docs-type-changed", "docs-type-changed"], "{:#?}", report.findings);
}

#[test]
fn a_page_of_which_no_fields_can_be_read_says_so() {
    let param = |name: &str| {
        format!(
            "<div class='param'><span class='name'>{name}</span><span class='type'>string</span>\
             <div>What it is.</div></div>"
        )
    };
    let written = |name: &str| {
        page(&format!(
            "<h1>Shop API</h1><p>{INTRO}</p><h2>List orders</h2>\
             <div><span class='badge'>GET</span><code>/v1/orders</code></div>{}{}",
            param("id"),
            param(name)
        ))
    };
    let (before, after) = (written("customer_name"), written("client_name"));
    let report = diff(("page.html", &before), ("page.html", &after));
    let why: Vec<&str> = report.inconclusive.iter().map(|one| one.why.as_str()).collect();
    assert_eq!(why, ["no fields can be read from the page; it is compared as text"]);
    // The words of two elements are two words.
    assert!(
        report.findings[0].message.contains("“customer_name string” → “client_name string”"),
        "{report:#?}"
    );
    assert!(diff(("page.html", &before), ("page.html", &before)).inconclusive.is_empty());
}

#[test]
fn names_that_are_set_in_by_space_are_below_the_one_above_them() {
    let written = |zip: &str| {
        let rows = format!(
            "<tr><td>id</td><td>string</td></tr><tr><td>address</td><td>object</td></tr>\
             <tr><td>&nbsp;&nbsp;street</td><td>string</td></tr><tr><td>&nbsp;&nbsp;place</td><td>object</td></tr>\
             <tr><td>&nbsp;&nbsp;&nbsp;&nbsp;{zip}</td><td>string</td></tr><tr><td>total</td><td>number</td></tr>"
        );
        page(&format!(
            "<h1>Shop API</h1><p>{INTRO}</p><h2>Get an order</h2><p><code>GET /v1/orders/{{id}}</code></p>\
             <h3>Response</h3><table><tr><th>Field</th><th>Type</th></tr>{rows}</table>"
        ))
    };
    let report = diff(("page.html", &written("zip")), ("page.html", &written("postal_code")));
    let message = &report.findings[0].message;
    assert!(message.starts_with("`$.address.place.zip` is no longer described"), "{message}");
    assert_eq!(alarming(&report), ["docs-field-removed"]);

    // A type in brackets within brackets belongs to its field, and not to what is said of it.
    let items = |kind: &str| {
        format!(
            "# Shop\n\n{INTRO}\n\n## GET /v1/orders\n\n### Response\n\n- `at` (string {kind}): When.\n- `id` (string): Who.\n"
        )
    };
    let report = diff(("page.md", &items("(date-time)")), ("page.md", &items("(date)")));
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert!(!report.findings[0].message.contains("): When"), "{:#?}", report.findings);
}
