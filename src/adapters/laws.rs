//! The laws that hold for every adapter, and each form of edit.

use serde_json::json;

use super::*;

const CRM: &str = include_str!("../../tests/fixtures/airbyte/crm.yaml");
const REGIONS: &str = include_str!("../../tests/fixtures/field_map/regions.yaml");

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

/// The lines that an edit takes out and puts in.
fn lines(before: &str, after: &str) -> Vec<String> {
    similar::TextDiff::from_lines(before, after)
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end_matches(['\r', '\n'])))
        .collect()
}

fn reroute(from: &str, to: &str) -> Edit {
    Edit::Reroute { from: path(from), to: path(to), types: Vec::new() }
}

#[test]
fn recognises_each() {
    assert_eq!(recognise("manifest.yaml", CRM), Some(Framework::AirbyteLowCode));
    assert_eq!(recognise("map.yml", REGIONS), Some(Framework::FieldMap));
    assert_eq!(recognise("map.txt", REGIONS), None);
    assert_eq!(recognise("x.yaml", "streams: [a, b]\n"), None);
    assert_eq!(recognise("x.yaml", "streams: {a: [b"), None);
}

#[test]
fn reads_a_manifest() {
    let mapping = read(Framework::AirbyteLowCode, CRM).unwrap();
    let names: Vec<&str> = mapping.streams.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["customers", "orders", "refunds", "audit"]);
    let customers = &mapping.streams[0];
    assert_eq!(customers.endpoint.as_deref(), Some("/v1/customers"));
    assert_eq!(customers.records, Some(path("$.data[*]")));
    assert_eq!(customers.primary_key, [path("$.id")]);
    let targets: Vec<&str> = customers.fields.iter().map(|f| f.target.as_str()).collect();
    assert_eq!(
        targets,
        ["id", "email", "created_at", "balance", "rating", "status", "address.city", "address.zip"]
    );
    assert_eq!(customers.fields[2].declared.as_ref().unwrap().format.as_deref(), Some("date-time"));
    let orders = &mapping.streams[1];
    assert_eq!(orders.endpoint.as_deref(), Some("/v1/orders"));
    assert_eq!(orders.primary_key, [path("$.id")]);
    assert_eq!(mapping.skipped.len(), 1);
    assert!(mapping.skipped[0].contains("AuditRetriever"), "{:?}", mapping.skipped);
}

#[test]
fn a_rename_in_a_manifest_is_the_proven_form() {
    let after =
        edit(Framework::AirbyteLowCode, CRM, "customers", &reroute("$.email", "$.email_address")).unwrap();
    assert_eq!(
        lines(CRM, &after),
        [
            "+    transformations:",
            "+      - type: AddFields",
            "+        condition: \"{{ record.get('email_address') is not none }}\"",
            "+        fields:",
            "+          - path: [email]",
            "+            value: \"{{ record['email_address'] }}\"",
            "+            value_type: string",
            "+      - type: RemoveFields",
            "+        field_pointers:",
            "+          - [email_address]",
        ]
    );
    // It stands behind the retriever, before the comment of what follows.
    assert!(after.contains("          field_path: [data]\n    transformations:\n"), "{after}");
    let mapping = read(Framework::AirbyteLowCode, &after).unwrap();
    let field = mapping.streams[0].fields.iter().find(|f| f.target == "email").unwrap();
    assert_eq!(field.sources, [path("$.email_address"), path("$.email")]);

    // A second rename goes behind the first, and the way back needs nothing.
    let again =
        edit(Framework::AirbyteLowCode, &after, "customers", &reroute("$.email_address", "$.mail")).unwrap();
    let mapping = read(Framework::AirbyteLowCode, &again).unwrap();
    let field = mapping.streams[0].fields.iter().find(|f| f.target == "email").unwrap();
    assert_eq!(field.sources, [path("$.mail"), path("$.email_address"), path("$.email")]);
    let back = edit(Framework::AirbyteLowCode, &again, "customers", &reroute("$.email_address", "$.email"));
    assert!(matches!(back, Err(Refusal::AlreadyHandled(_))), "{back:?}");
}

#[test]
fn a_move_in_a_manifest_guards_the_value() {
    let after =
        edit(Framework::AirbyteLowCode, CRM, "customers", &reroute("$.email", "$.contact.email")).unwrap();
    assert!(after.contains("value: \"{{ (record.get('contact') or {}).get('email') }}\""), "{after}");
    assert!(after.contains("- [contact, email]"));
}

#[test]
fn a_shared_definition_is_never_changed_under_others() {
    let typed = |from, to| Edit::Reroute { from: path(from), to: path(to), types: vec![JsonType::String] };
    let after = edit(Framework::AirbyteLowCode, CRM, "orders", &typed("$.note", "$.remark")).unwrap();
    let changed = lines(CRM, &after);
    assert_eq!(
        changed[..2],
        ["+    transformations:", "+      - \"#/definitions/tagged_stream/transformations/0\""]
    );
    let refused = edit(
        Framework::AirbyteLowCode,
        CRM,
        "orders",
        &Edit::Records { from: path("$.data[*]"), to: path("$.results[*]") },
    );
    assert!(matches!(&refused, Err(Refusal::Cannot(why)) if why.contains("`refunds`")), "{refused:?}");
    // Without a type, texts would change: not done.
    let untyped = edit(Framework::AirbyteLowCode, CRM, "orders", &reroute("$.note", "$.remark"));
    assert!(matches!(untyped, Err(Refusal::Cannot(_))));
}

#[test]
fn custom_parts_and_unreachable_places_are_refused() {
    for (stream, edit_of) in [
        ("audit", reroute("$.a", "$.b")),
        ("nobody", reroute("$.a", "$.b")),
        ("customers", reroute("$.email", "$.emails[*].value")),
        ("customers", Edit::Records { from: path("$.rows[*]"), to: path("$.results[*]") }),
        ("customers", Edit::Endpoint { from: "/v9/x".into(), to: "/v2/customers".into() }),
    ] {
        let refused = edit(Framework::AirbyteLowCode, CRM, stream, &edit_of);
        assert!(refused.is_err(), "{stream} {edit_of:?}");
    }
}

#[test]
fn envelope_and_endpoint() {
    let records = Edit::Records { from: path("$.data[*]"), to: path("$.result.items[*]") };
    let after = edit(Framework::AirbyteLowCode, CRM, "customers", &records).unwrap();
    assert_eq!(
        lines(CRM, &after),
        ["-          field_path: [data]", "+          field_path: [result, items]"]
    );
    let endpoint = Edit::Endpoint {
        from: "https://api.example.com/v1/customers".into(),
        to: "https://api.example.com/v2/customers".into(),
    };
    let after = edit(Framework::AirbyteLowCode, CRM, "customers", &endpoint).unwrap();
    assert_eq!(
        lines(CRM, &after),
        [
            "-        path: /v1/customers   # v1 is the last one with e-mail",
            "+        path: /v2/customers   # v1 is the last one with e-mail",
        ]
    );
}

#[test]
fn line_ends_marks_and_missing_ends_stay() {
    for (framework, text, stream, edit_of) in [
        (Framework::AirbyteLowCode, CRM, "customers", reroute("$.email", "$.email_address")),
        (Framework::FieldMap, REGIONS, "regions", reroute("$.stato", "$.paese")),
        (Framework::FieldMap, REGIONS, "regions", reroute("$.long", "$.longitudine")),
    ] {
        let plain = edit(framework, text, stream, &edit_of).unwrap();
        let crlf = |text: &str| text.replace('\n', "\r\n");
        assert_eq!(edit(framework, &crlf(text), stream, &edit_of).unwrap(), crlf(&plain));
        let bom = format!("\u{feff}{text}");
        assert_eq!(edit(framework, &bom, stream, &edit_of).unwrap(), format!("\u{feff}{plain}"));
        let open = text.trim_end();
        assert_eq!(edit(framework, open, stream, &edit_of).unwrap(), plain.trim_end());
    }
}

#[test]
fn edits_of_a_field_map() {
    let recast = |p: &str| Edit::Recast { path: path(p), types: vec![JsonType::Number] };
    for (edit_of, expected) in [
        (
            reroute("$.totale_attualmente_positivi", "$.totale_positivi"),
            vec![
                "-      total: $.totale_attualmente_positivi   # people",
                "+      total: [$.totale_positivi, $.totale_attualmente_positivi]   # people",
            ],
        ),
        (
            reroute("$.lat", "$.latitudine"),
            vec![
                "-      lat: {from: [$.lat], type: number}",
                "+      lat: {from: [$.latitudine, $.lat], type: number}",
            ],
        ),
        (reroute("$.long", "$.longitudine"), vec!["+          - $.longitudine"]),
        (
            reroute("$.data", "$.meta.data"),
            vec!["-        from: $.data", "+        from: [$.meta.data, $.data]"],
        ),
        (
            reroute("$.stato", "$['lo stato']"),
            vec!["-      state: '$.stato'", "+      state: ['$[''lo stato'']', '$.stato']"],
        ),
        (
            recast("$.lat"),
            vec![
                "-      lat: {from: [$.lat], type: number}",
                "+      lat: {from: [$.lat], type: number, convert: to-number}",
            ],
        ),
        (recast("$.long"), vec!["+          - to-number"]),
        (
            recast("$.totale_attualmente_positivi"),
            vec![
                "-      total: $.totale_attualmente_positivi   # people",
                "+      total: {from: $.totale_attualmente_positivi, convert: to-number}   # people",
            ],
        ),
        (
            Edit::Reformat {
                path: path("$.data"),
                old: Format::DateTimeLocal,
                new: Format::DateTimeSpace,
                types: Vec::new(),
            },
            vec!["+        convert: to-datetime"],
        ),
        (
            Edit::Rescale { path: path("$.long"), factor: 0.01, types: Vec::new() },
            vec!["+          - multiply: 0.01"],
        ),
        (
            Edit::Records { from: path("$[*]"), to: path("$.data[*]") },
            vec!["-    records: $[*]", "+    records: $.data[*]"],
        ),
    ] {
        let after = edit(Framework::FieldMap, REGIONS, "regions", &edit_of).unwrap();
        assert_eq!(lines(REGIONS, &after), expected, "{edit_of:?}");
        field_map::FieldMap::parse(&after).unwrap();
    }
    let handled = edit(Framework::FieldMap, REGIONS, "regions", &reroute("$.nothing", "$.stato"));
    assert_eq!(handled, Err(Refusal::NotMapped(path("$.nothing"))));
}

#[test]
fn a_field_map_in_json() {
    let text = "{\n  \"version\": 1,\n  \"streams\": {\"s\": {\"fields\": {\n    \"a\": \"$.a\",\n    \"b\": {\"from\": [\"$.b\"]}\n  }}}\n}\n";
    assert_eq!(recognise("m.json", text), Some(Framework::FieldMap));
    let after = edit(Framework::FieldMap, text, "s", &reroute("$.a", "$.alpha")).unwrap();
    assert!(after.contains("    \"a\": [\"$.alpha\", \"$.a\"],\n"), "{after}");
    let recast = Edit::Recast { path: path("$.b"), types: vec![JsonType::String] };
    let after = edit(Framework::FieldMap, &after, "s", &recast).unwrap();
    assert!(after.contains("{\"from\": [\"$.b\"], \"convert\": \"to-string\"}"), "{after}");
    serde_json::from_str::<serde_json::Value>(&after).unwrap();
}

#[test]
fn what_cannot_be_edited_in_place_is_refused() {
    let edit_of = reroute("$.a", "$.b");
    for text in [
        // An anchor: the alias would change as well.
        "version: 1\nstreams:\n  s:\n    fields: &f\n      x: $.a\n  t:\n    fields: *f\n",
        // Twice the same key.
        "version: 1\nstreams:\n  s:\n    fields:\n      x: $.a\n      x: $.a\n",
        // Two documents.
        "version: 1\nstreams:\n  s:\n    fields:\n      x: $.a\n---\nversion: 1\n",
        // A tab for indentation.
        "version: 1\nstreams:\n\ts:\n\t\tfields:\n\t\t\tx: $.a\n",
    ] {
        assert!(edit(Framework::FieldMap, text, "s", &edit_of).is_err(), "{text}");
    }
}

#[test]
fn errors_name_the_place() {
    for (text, place, word) in [
        ("version: 1\nstreams:\n  s:\n    fields:\n      x: $..a\n", (5, 7), "field path"),
        ("version: 1\nstreams:\n  s:\n    felds: {}\n", (4, 5), "unknown key `felds`"),
        ("version: 1\nstreams:\n  s:\n    primary_key: y\n    fields: {x: $.a}\n", (4, 5), "no column"),
        ("version: 2\nstreams: {}\n", (1, 1), "must be 1"),
        ("version: 1\nstreams:\n  s:\n    fields:\n      x: {from: $.a, type: text}\n", (5, 22), "no type"),
        ("version: 1\nstreams: {s: {fields: {x: [$.a}}}\n", (2, 0), ""),
    ] {
        let error = field_map::FieldMap::parse(text).unwrap_err();
        assert_eq!(error.line, place.0, "{error}");
        assert!(place.1 == 0 || error.column == place.1, "{error}");
        assert!(error.reason.contains(word), "{error}");
    }
}

#[test]
fn the_field_map_fills_columns() {
    let map = field_map::FieldMap::parse(REGIONS).unwrap();
    let record = json!({"codice_regione": 13, "data": "2020-03-31T17:00:00", "lat": "42.35", "long": 13.4, "stato": null});
    let columns = map.streams[0].apply(&record);
    assert_eq!(
        serde_json::Value::Object(columns),
        json!({"code": 13, "day": "2020-03-31T17:00:00", "total": null, "lat": null, "long": 13.4, "state": null})
    );
}

#[test]
fn hostile_texts_end_soon() {
    let bomb = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, i| {
        format!("{text}a{}: &a{} [*a{i}, *a{i}, *a{i}, *a{i}]\n", i + 1, i + 1)
    });
    let deep = format!("version: 1\nstreams: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    let circle = "version: \"1\"\ncheck: {}\nstreams:\n  - \"#/streams/0\"\n  - $ref: \"#/streams/1\"\n";
    for text in [bomb.as_str(), &deep, circle, "", "\u{0}", "- - - -", "streams: !!python/object x"] {
        for framework in [Framework::AirbyteLowCode, Framework::FieldMap] {
            let _ = read(framework, text);
            let _ = edit(framework, text, "s", &reroute("$.a", "$.b"));
        }
    }
}

#[test]
fn what_the_vendor_takes_back_is_handled_already() {
    let recast = |from: JsonType| Edit::Recast { path: path("$.rating"), types: vec![from] };
    let reformat = |old, new| Edit::Reformat { path: path("$.created_at"), old, new, types: Vec::new() };
    let recase = |case| Edit::Recase { path: path("$.status"), case };
    let reword = |new: &str, old: &str| Edit::Reword {
        path: path("$.status"),
        words: BTreeMap::from([(new.to_owned(), old.to_owned())]),
    };
    let map = "version: 1\nstreams:\n  customers:\n    fields:\n      rating: $.rating\n      status: $.status\n      \
               created_at: {from: $.created_at, type: datetime}\n";
    for (framework, text) in [(Framework::AirbyteLowCode, CRM), (Framework::FieldMap, map)] {
        for (forth, back) in [
            (recast(JsonType::Number), recast(JsonType::String)),
            (
                reformat(Format::DateTimeZ, Format::EpochSeconds),
                reformat(Format::EpochSeconds, Format::DateTimeZ),
            ),
            (recase(Case::Lower), recase(Case::Upper)),
        ] {
            let after = edit(framework, text, "customers", &forth).unwrap();
            let again = edit(framework, &after, "customers", &back);
            assert!(matches!(again, Err(Refusal::AlreadyHandled(_))), "{framework:?} {back:?}: {again:?}");
        }
    }
    let after = edit(Framework::FieldMap, map, "customers", &reword("Open", "open")).unwrap();
    let again = edit(Framework::FieldMap, &after, "customers", &reword("open", "Open"));
    assert!(matches!(again, Err(Refusal::AlreadyHandled(_))), "{again:?}");
    // A third notation: the column is to be what it was at first, not what the vendor sent in between.
    let first = reformat(Format::DateTimeZ, Format::EpochSeconds);
    let after = edit(Framework::AirbyteLowCode, CRM, "customers", &first).unwrap();
    let third = reformat(Format::EpochSeconds, Format::DateTimeSpace);
    let after = edit(Framework::AirbyteLowCode, &after, "customers", &third).unwrap();
    assert!(
        after.contains("format_datetime(record['created_at'], '%Y-%m-%dT%H:%M:%SZ') if (record"),
        "{after}"
    );
}
