//! The same entities in both windows: what befell some of them, and what befell all.

use serde_json::{Value, json};

use super::{diff, noise};
use crate::model::{DiagnosisKind, Report};

/// What is said of the same three hundred entities, before and after.
fn said(before: impl Fn(u64) -> Value, now: impl Fn(u64) -> Value) -> Vec<(String, DiagnosisKind)> {
    report(before, now).diagnoses.iter().map(|d| (d.path.to_string(), d.kind)).collect()
}

fn report(before: impl Fn(u64) -> Value, now: impl Fn(u64) -> Value) -> Report {
    let texts = |record: &dyn Fn(u64) -> Value| (0..300).map(|i| record(i).to_string()).collect::<Vec<_>>();
    diff(&texts(&before), &texts(&now))
}

fn order(i: u64, factor: u64, paid: bool) -> Value {
    json!({"id": i, "amount": (500 + noise(i) % 90_000) * factor, "paid": noise(i + 7).is_multiple_of(2) == paid})
}

#[test]
fn a_unit_that_changed_midway_is_told_by_the_entities_that_moved() {
    for first in [30, 150, 270] {
        let told = said(|i| order(i, 1, true), |i| order(i, if i < first { 1 } else { 100 }, true));
        assert_eq!(told, [("$.amount".to_owned(), DiagnosisKind::Rescaled)], "from record {first} on");
    }
}

#[test]
fn what_moved_by_steps_of_its_own_is_in_no_other_unit() {
    let grown = |i: u64| {
        let mut record = order(i, 1, true);
        record["amount"] = json!(record["amount"].as_u64().unwrap() * (1 + noise(i + 3) % 3));
        record
    };
    assert_eq!(said(|i| order(i, 1, true), grown), []);
}

#[test]
fn a_flag_turned_round_is_told_though_half_of_the_values_are_true() {
    let told = said(|i| order(i, 1, true), |i| order(i, 1, false));
    assert_eq!(told, [("$.paid".to_owned(), DiagnosisKind::DistributionShifted)]);
    let news = |seen: bool| move |i: u64| json!({"id": i, "is_new": !seen && noise(i).is_multiple_of(2)});
    assert_eq!(said(news(false), news(true)), [], "flags that time alone turns");
}

#[test]
fn what_befell_all_entities_did_not_begin_in_the_midst_of_the_window() {
    let onset = |first: u64| {
        let report = report(|i| order(i, 1, true), |i| order(i, if i < first { 1 } else { 100 }, true));
        report.diagnoses[0].evidence.number("since_record")
    };
    assert_eq!(onset(0), None);
    assert!(onset(150).is_some_and(|record| (140.0..=160.0).contains(&record)));
}
