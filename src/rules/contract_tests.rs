//! The table of contract changes as a whole: each row against its example, and rows against their mirrors.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Level, Row, Verdict, judge_contracts, rows};
use crate::spec::{ApiModel, Place, Side};

/// The example of a row as two descriptions.
fn descriptions(row: &Row) -> [ApiModel; 2] {
    let whole = |operation: &Value| json!({"/a": {"post": operation}});
    let document = |paths: Value| json!({"openapi": "3.1.0", "info": {"version": "1.0.0"}, "paths": paths});
    let with_schema = |schema: &Value| {
        let content = json!({"application/json": {"schema": schema}});
        let response = json!({"content": content, "headers": {"X-A": {"schema": schema}}});
        document(whole(&json!({
            "parameters": [{"name": "q", "in": "query", "schema": schema}, {"name": "h", "in": "header", "schema": schema}],
            "requestBody": {"content": content},
            "responses": {"200": response},
        })))
    };
    let merged = |example: &Value| {
        let mut whole = document(json!({}));
        for (key, value) in example.as_object().into_iter().flatten() {
            whole[key.as_str()] = value.clone();
        }
        whole
    };
    let of_path = |path: &Value| {
        let mut path = path.clone();
        path["post"] = json!({});
        document(json!({ "/a": path }))
    };
    let examples = [&row.schema, &row.operation, &row.path, &row.document];
    let built: Vec<[Value; 2]> = examples
        .into_iter()
        .enumerate()
        .filter_map(|(kind, example)| {
            let [before, after] = example.as_ref()?;
            let build = |example: &Value| match kind {
                0 => with_schema(example),
                1 => document(whole(example)),
                2 => of_path(example),
                _ => merged(example),
            };
            Some([build(before), build(after)])
        })
        .collect();
    assert_eq!(built.len(), 1, "`{}` has one example", row.change);
    built[0].clone().map(|value| ApiModel::new(value).unwrap())
}

#[test]
fn every_row_judges_its_example() {
    for row in rows().unwrap().iter().filter(|row| row.change != "enum-value-listed") {
        let [before, after] = descriptions(row);
        let findings = judge_contracts(&before, &after, None);
        let of_row = || findings.iter().filter(|finding| finding.change.change == row.change);
        assert!(of_row().next().is_some(), "`{}` is not found in its example: {findings:#?}", row.change);
        let found = |side: Side, places: &[Place]| {
            of_row().any(|finding| finding.change.side == side && places.contains(&finding.change.place))
        };
        let of_body = [Place::Body, Place::Property];
        if row.schema.is_some() {
            assert_eq!(row.level.request.is_some(), found(Side::Request, &of_body), "`{}`", row.change);
            assert_eq!(row.level.response.is_some(), found(Side::Response, &of_body), "`{}`", row.change);
        }
        // The other way round is another change.
        let back = judge_contracts(&after, &before, None);
        let symmetric = ["-changed", "-type"].iter().any(|end| row.change.ends_with(end));
        assert!(
            symmetric || !back.iter().any(|finding| finding.change.change == row.change),
            "`{}` is found in its mirror",
            row.change
        );
    }
}

#[test]
fn every_level_of_the_table_is_a_level() {
    for row in rows().unwrap() {
        let levels = &row.level;
        let all = [&levels.request, &levels.response, &levels.parameter, &levels.within_parameter];
        let rest = [&levels.header_property, &levels.header, &levels.operation, &levels.api];
        for verdict in all.into_iter().chain(rest).flatten() {
            assert!(!matches!(verdict, Verdict::Unjudged(word) if word != "none"), "`{}`", row.change);
        }
    }
}

/// Rows without a mirror, each with its reason.
const WITHOUT_MIRROR: [(&str, &str); 17] = [
    ("x-extensible-enum-value-removed", "values may be added to it at any time: that is what it is for"),
    ("default-value-added", "both directions are judged alike: what is left out means another thing"),
    ("default-value-removed", "both directions are judged alike: what is left out means another thing"),
    ("pattern-added", "a response that is promised less is still text"),
    ("pattern-removed", "a response that is promised less is still text"),
    ("pattern-generalized", "which of two patterns is wider is only known where one takes everything"),
    ("all-of-added", "what a part of an intersection did may be said by another part as well"),
    ("all-of-removed", "what a part of an intersection did may be said by another part as well"),
    ("any-of-added", "alternatives of a response may overlap with what was there"),
    ("any-of-removed", "alternatives of a response may overlap with what was there"),
    ("discriminator-added", "it tells which alternative it is, and allows no other values"),
    ("discriminator-removed", "it tells which alternative it is, and allows no other values"),
    ("discriminator-mapping-added", "it tells which alternative it is, and allows no other values"),
    ("became-required-with-default", "it becomes optional again as any other"),
    ("all-of-added-annotation-only", "a note restricts nothing"),
    ("deprecated", "an announcement changes nothing yet"),
    ("sunset-deleted", "an end that is announced for the first time is an announcement"),
];

/// What undoes a change, and what is lost on one side is gained on the other.
#[test]
fn rows_mirror_each_other() {
    let rows = rows().unwrap();
    let by_change: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.change.as_str(), row)).collect();
    const PAIRS: [(&str, &str); 6] = [
        ("increased", "decreased"),
        ("-set", "-unset"),
        ("added", "removed"),
        ("generalized", "specialized"),
        ("widened", "narrowed"),
        ("became-nullable", "became-not-nullable"),
    ];
    let level = |verdict: &Option<Verdict>| match verdict {
        Some(Verdict::Level(level) | Verdict::Named(level, _)) => Some(*level),
        Some(Verdict::Unjudged(_)) | None => None,
    };
    // A warning stands for a break that is not certain.
    let breaks = |verdict: &Option<Verdict>| level(verdict).is_some_and(|level| level > Level::Info);
    let mut needed = Vec::new();
    for row in &rows {
        for (one, other) in PAIRS {
            for (from, to) in [(one, other), (other, one)] {
                let Some(stem) = row.change.strip_suffix(from) else { continue };
                let Some(mirror) = by_change.get(format!("{stem}{to}").as_str()) else {
                    needed.push(row.change.as_str());
                    continue;
                };
                if row.schema.is_some() && breaks(&row.level.request) != breaks(&mirror.level.response) {
                    needed.push(row.change.as_str());
                }
            }
        }
    }
    for change in &needed {
        assert!(WITHOUT_MIRROR.iter().any(|(waived, _)| waived == change), "`{change}` has no mirror");
    }
}
