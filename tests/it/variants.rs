//! Events of several kinds in one stream, through `drogue diff`: what befalls one kind is told of that kind.

use std::process::Command;

use serde_json::{Value, json};

/// Events as payment services send them: of ten so many are charges, one is a dispute, and the rest are payouts.
fn events(first: u64, charges: u64, change: impl Fn(&mut Value)) -> String {
    let event = |i: u64| {
        let mut event = match i * 7 % 10 {
            n if n < charges => {
                json!({"event_type": "charge.succeeded", "card": format!("{:04}", i * 37 % 10_000), "receipt": format!("r_{i}")})
            }
            9 => {
                json!({"event_type": "charge.disputed", "reason": format!("case {i}"), "card": format!("{:04}", i * 37 % 10_000)})
            }
            _ => {
                json!({"event_type": "payout.paid", "iban": format!("DE{:018}", i * 7919), "receipt": format!("r_{i}")})
            }
        };
        event["id"] = json!(format!("evt_{i}"));
        event["amount"] = json!(i * 31 % 997 + 5);
        change(&mut event);
        event.to_string() + "\n"
    };
    (first..first + 300).map(event).collect()
}

/// The exit code and the diagnoses, each with its kind, path and summary.
fn diff(before: &str, after: &str) -> (Option<i32>, Vec<(String, String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["before.jsonl", "after.jsonl"].map(|name| folder.path().join(name));
    std::fs::write(&one, before).unwrap();
    std::fs::write(&other, after).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_drogue"));
    let ran = command.arg("diff").args([&one, &other]).args(["--format", "json"]).output().unwrap();
    let report: Value =
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|wrong| panic!("{wrong}: {ran:?}"));
    let text = |diagnosis: &Value, name: &str| diagnosis[name].as_str().unwrap_or_default().to_owned();
    let diagnoses = report["diagnoses"].as_array().unwrap_or_else(|| panic!("{report:#}")).iter();
    let told = diagnoses.map(|d| (text(d, "kind"), text(d, "path"), text(d, "summary"))).collect();
    (ran.status.code(), told)
}

fn is_of(event: &Value, kind: &str) -> bool {
    event["event_type"] == kind
}

#[test]
fn another_mixture_is_not_told_of_the_fields() {
    let (_, told) = diff(&events(0, 6, |_| ()), &events(9_000, 3, |_| ()));
    assert!(told.iter().all(|(_, path, _)| path == "$.event_type"), "{told:#?}");
}

#[test]
fn a_field_that_one_kind_of_events_lost_is_told_with_it() {
    let live = events(9_000, 6, |event| {
        if is_of(event, "charge.disputed") {
            event.as_object_mut().unwrap().remove("card");
        }
    });
    let (code, told) = diff(&events(0, 6, |_| ()), &live);
    let [(_, path, summary)] = &told[..] else { panic!("{told:#?}") };
    assert_eq!((code, path.as_str()), (Some(11), "$.card"));
    assert_eq!(
        summary,
        "`$.card` is gone from objects whose `event_type` is `charge.disputed` (30 of 30 had it, 0 of 30 have it)"
    );
}

#[test]
fn a_new_kind_of_events_is_one_finding() {
    let live = events(9_000, 6, |event| {
        if is_of(event, "payout.paid") && event["amount"].as_u64().is_some_and(|amount| amount % 2 == 0) {
            *event = json!({"event_type": "payout.failed", "id": event["id"], "amount": event["amount"], "failure": "no such account", "retries": 2});
        }
    });
    let (code, told) = diff(&events(0, 6, |_| ()), &live);
    let [(kind, path, summary)] = &told[..] else { panic!("{told:#?}") };
    assert_eq!((code, kind.as_str(), path.as_str()), (Some(10), "enum-changed", "$.event_type"));
    assert!(summary.ends_with("`payout.failed`; with it came `$.failure`, `$.retries`"), "{summary}");
}
