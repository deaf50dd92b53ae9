//! Since when: the onset of each change inside of its window, as evidence and in words.

use super::Draft;
use crate::compare::{Baseline, Onset, Window, onset};
use crate::model::{Diagnosis, FieldPath};

/// Writes into the evidence of each draft where in the window it begins, where that can be told: `since_record` (or
/// `until_record`, where the newest records come first) of `of_records`, `within` how many records, and `since` when.
pub(super) fn locate(baseline: &Baseline, window: &Window, drafts: &mut [Draft]) {
    // What all values show, or all entities seen on both sides, began before the window, in whatever order they come.
    let is_in_all = |draft: &Draft| {
        let fact = |name| draft.evidence.number(name);
        match (fact("share"), fact("paired"), fact("agreeing")) {
            (Some(share), ..) => share >= 1.0,
            (None, Some(paired), Some(agreeing)) => agreeing >= paired,
            _ => false,
        }
    };
    for draft in drafts.iter_mut().filter(|draft| !draft.path.is_root() && !is_in_all(draft)) {
        let paths: Vec<&FieldPath> = std::iter::once(&draft.path).chain(&draft.to).collect();
        if let Some(onset) = onset(baseline, window, &paths) {
            state(&onset, draft);
        }
    }
}

fn state(onset: &Onset, draft: &mut Draft) {
    let record = if onset.newest_first { "until_record" } else { "since_record" };
    draft.evidence.set(record, onset.record);
    draft.evidence.set("of_records", onset.of);
    if onset.within > 0 {
        draft.evidence.set("within", onset.within);
    }
    if let Some(since) = onset.since {
        draft.evidence.set("since", since.to_string());
    }
}

/// The end of the sentence; empty where the whole window shows the change.
pub(super) fn words(diagnosis: &Diagnosis) -> String {
    // The records of a failed look have no order; its `since` is the first failure.
    let facts = &diagnosis.evidence;
    let Some(of) = facts.number("of_records") else { return String::new() };
    let about = if facts.get("within").is_some() { "about " } else { "" };
    let time = facts.text("since").map(|since| format!(", since {since}")).unwrap_or_default();
    match (facts.number("since_record"), facts.number("until_record")) {
        (Some(record), _) => format!("; since {about}record {record} of {of}{time}"),
        (None, Some(record)) => format!("; up to {about}record {record} of {of}{time}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::diagnose::diff_records;
    use crate::model::{Diagnosis, HashKey};
    use crate::rules::RuleSet;

    fn record(i: u64) -> Value {
        let noise = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        json!({
            "id": i, "amount": 100 + noise % 9_000, "status": (["open", "paid", "sent"][(noise % 3) as usize]),
            "email": format!("p{noise}@example.org"),
            "at": format!("2026-11-03T{:02}:{:02}:00Z", i % 1_000 / 60, i % 1_000 % 60),
        })
    }

    /// What is said where the records of the window change from the one of this number on.
    fn since(n: u64, from: u64, change: impl Fn(&mut Value)) -> Diagnosis {
        let text = |i| {
            let mut value = record(i);
            if i >= 2_000 + from {
                change(&mut value);
            }
            value.to_string()
        };
        said(&(2_000..2_000 + n).map(text).collect::<Vec<_>>())
    }

    fn said(live: &[String]) -> Diagnosis {
        let baseline: Vec<String> = (1_000..1_240).map(|i| record(i).to_string()).collect();
        let [baseline, live] =
            [&baseline[..], live].map(|lines| lines.iter().map(|l| &**l).collect::<Vec<_>>());
        let report = diff_records(&baseline, &live, &RuleSet::builtin(), HashKey::new([3; 16]), None);
        assert_eq!(report.diagnoses.len(), 1, "{:#?}", report.diagnoses);
        report.diagnoses.into_iter().next().unwrap()
    }

    type Change = fn(&mut Value);

    fn rename(value: &mut Value) {
        let email = value.as_object_mut().unwrap().remove("email").unwrap();
        value["mail"] = email;
    }

    #[test]
    fn each_kind_of_change_tells_where_it_begins() {
        let changes: [(&str, Change); 5] = [
            ("renamed", rename),
            ("removed", |value| drop(value.as_object_mut().unwrap().remove("email"))),
            ("retyped", |value| value["amount"] = json!(value["amount"].to_string())),
            ("case-changed", |value| {
                value["status"] = json!(value["status"].as_str().unwrap().to_uppercase())
            }),
            ("nulls-changed", |value| value["status"] = Value::Null),
        ];
        for (kind, change) in changes {
            let diagnosis = since(200, 60, change);
            assert_eq!(diagnosis.kind.word(), kind);
            assert_eq!(diagnosis.evidence.number("since_record"), Some(61.0), "{}", diagnosis.summary);
            assert!(
                diagnosis.summary.ends_with("; since record 61 of 200, since 2026-11-03T01:00:00Z"),
                "{}",
                diagnosis.summary
            );
        }
    }

    #[test]
    fn a_change_of_all_records_began_before() {
        let diagnosis = since(200, 0, rename);
        assert_eq!(diagnosis.evidence.get("of_records"), None, "{}", diagnosis.summary);
    }

    #[test]
    fn records_in_the_order_of_their_values_do_not_mislead() {
        let mut values: Vec<Value> = (2_000..2_200).map(record).collect();
        values.sort_by_key(|value| value["amount"].as_u64());
        let live: Vec<String> = values
            .into_iter()
            .map(|mut value| {
                value["amount"] = json!(value["amount"].to_string());
                value.to_string()
            })
            .collect();
        let diagnosis = said(&live);
        assert_eq!(diagnosis.kind.word(), "retyped");
        assert_eq!(diagnosis.evidence.get("of_records"), None, "{}", diagnosis.summary);
    }

    #[test]
    fn where_the_newest_come_first_it_ends() {
        let text = |i| {
            let mut value = record(i);
            if i >= 2_100 {
                rename(&mut value);
            }
            value.to_string()
        };
        let diagnosis = said(&(2_000..2_150).rev().map(text).collect::<Vec<_>>());
        assert_eq!(diagnosis.evidence.number("until_record"), Some(50.0), "{}", diagnosis.summary);
        assert_eq!(diagnosis.evidence.text("since"), Some("2026-11-03T01:40:00Z"));
    }

    #[test]
    fn where_not_all_are_sampled_it_is_near() {
        let diagnosis = since(900, 300, rename);
        let (record, within) =
            (diagnosis.evidence.number("since_record").unwrap(), diagnosis.evidence.number("within"));
        assert!((record - 301.0).abs() <= within.unwrap(), "{}", diagnosis.summary);
        assert!(diagnosis.summary.contains("; since about record "), "{}", diagnosis.summary);
    }
}
