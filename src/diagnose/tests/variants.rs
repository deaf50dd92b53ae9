//! What is said of objects whose kinds a field of theirs tells apart.

use serde_json::{Map, Value, json};

use super::{KEY, diff, noise, texts};
use crate::compare::{accept, compare};
use crate::diagnose::{baseline_of, window_of};
use crate::model::{DiagnosisKind, Report};

/// How many cards there are among ten payments; a tenth are vouchers, and the rest are transfers.
fn payments(
    first: u64,
    count: u64,
    cards: u64,
    change: impl Fn(&str, &mut Map<String, Value>),
) -> Vec<String> {
    let payment = |i: u64| {
        let kind = match noise(i) % 10 {
            n if n < cards => "card",
            9 => "voucher",
            _ => "bank",
        };
        let mut value = json!({
            "id": 1000 + i,
            "amount": (noise(i + 1) % 90_000) as f64 / 100.0,
            "type": kind,
            "method": {"object": kind, "token": format!("tok_{:x}", noise(i + 2))},
        });
        let own = value.as_object_mut().unwrap();
        match kind {
            "card" => {
                own.insert("last4".to_owned(), json!(format!("{:04}", noise(i + 3) % 10_000)));
                own.insert("brand".to_owned(), json!(["visa", "amex", "jcb"][(noise(i + 4) % 3) as usize]));
                own.insert("holder".to_owned(), json!(format!("Holder {}", noise(i + 5) % 1_000)));
            }
            "bank" => {
                own.insert("iban".to_owned(), json!(format!("DE{:020}", noise(i + 6))));
                own.insert("holder".to_owned(), json!(format!("Holder {}", noise(i + 5) % 1_000)));
                own.insert("last4".to_owned(), json!(format!("{:04}", noise(i + 3) % 10_000)));
            }
            _ => {
                own.insert("code".to_owned(), json!(format!("V-{}", noise(i + 7) % 100_000)));
            }
        }
        change(kind, own);
        value.to_string()
    };
    (first..first + count).map(payment).collect()
}

fn said(report: &Report) -> Vec<(DiagnosisKind, &str)> {
    assert!(report.findings.iter().all(|f| f.explained_by.is_some()), "every finding is explained");
    report.diagnoses.iter().map(|d| (d.kind, d.summary.as_str())).collect()
}

/// What is said of a change to other payments than those of the baseline.
fn changed(change: impl Fn(&str, &mut Map<String, Value>)) -> Report {
    diff(&payments(0, 400, 5, |_, _| ()), &payments(5_000, 400, 5, change))
}

#[test]
fn another_mixture_is_no_loss() {
    let base = payments(0, 400, 6, |_, _| ());
    for cards in [2, 4, 8, 9] {
        let report = diff(&base, &payments(5_000, 400, cards, |_, _| ()));
        let of_fields: Vec<_> = report.findings.iter().filter(|f| f.path.to_string() != "$.type").collect();
        assert!(of_fields.iter().all(|f| f.path.to_string() == "$.method.object"), "{cards}: {of_fields:#?}");
    }
}

#[test]
fn a_field_that_one_variant_lost_is_told_with_it() {
    let report = changed(|kind, own| {
        if kind == "card" {
            own.remove("last4");
        }
    });
    let [(DiagnosisKind::NullsChanged, summary)] = said(&report)[..] else { panic!("{:#?}", said(&report)) };
    assert!(summary.starts_with("`$.last4` is gone from objects whose `type` is `card` ("), "{summary}");
    let finding = &report.findings[0];
    assert_eq!(finding.rule, "field-missing-from-variant");
    assert_eq!(finding.evidence.words("variant"), Some(&["card".to_owned()][..]));
    assert_eq!(finding.evidence.text("variant_field"), Some("$.type"));
    assert_eq!(finding.evidence.number("variant_before"), finding.evidence.number("variant_before_of"));
    assert_eq!(finding.evidence.number("variant_now"), Some(0.0));
}

#[test]
fn a_variant_that_is_rare_loses_a_field() {
    let only_few = |cards: usize| move |i: &String| !i.contains("voucher") || i.len().is_multiple_of(cards);
    let base: Vec<String> = payments(0, 400, 5, |_, _| ()).into_iter().filter(only_few(2)).collect();
    let live = payments(5_000, 120, 5, |kind, own| {
        if kind == "voucher" {
            own.remove("code");
        }
    });
    let report = diff(&base, &live);
    let [(DiagnosisKind::Removed, summary)] = said(&report)[..] else { panic!("{:#?}", said(&report)) };
    assert!(summary.starts_with("`$.code` is gone from objects whose `type` is `voucher` ("), "{summary}");
}

#[test]
fn a_rename_within_one_variant_is_a_rename() {
    let report = changed(|kind, own| {
        if kind == "card" {
            let value = own.remove("last4").unwrap();
            own.insert("last_four".to_owned(), value);
        }
    });
    let [(DiagnosisKind::Renamed, summary)] = said(&report)[..] else { panic!("{:#?}", said(&report)) };
    assert!(summary.contains("`$.last4`") && summary.contains("`$.last_four`"), "{summary}");
    assert!(summary.contains("in objects whose `type` is `card`"), "{summary}");
}

#[test]
fn nulls_and_types_are_told_within_a_variant() {
    let report = changed(|kind, own| {
        if kind == "voucher" {
            own.insert("amount".to_owned(), Value::Null);
        }
    });
    let [(DiagnosisKind::NullsChanged, summary)] = said(&report)[..] else { panic!("{:#?}", said(&report)) };
    assert!(
        summary.starts_with("`$.amount` is null in 100 % of its values in objects whose `type` is `voucher`")
    );

    let mixed = |kind: &str, own: &mut Map<String, Value>| {
        let detail = if kind == "bank" { json!({"n": 1}) } else { json!("text") };
        own.insert("detail".to_owned(), detail);
    };
    let base = payments(0, 400, 5, mixed);
    let live = payments(5_000, 400, 5, |kind, own| mixed(if kind == "card" { "bank" } else { kind }, own));
    let report = diff(&base, &live);
    let [(DiagnosisKind::Retyped, summary)] = said(&report)[..] else { panic!("{:#?}", said(&report)) };
    assert!(
        summary.starts_with("`$.detail` has another type in objects whose `type` is `card`"),
        "{summary}"
    );
}

#[test]
fn a_new_variant_is_one_finding_with_its_fields() {
    let wallet = |own: &mut Map<String, Value>| {
        for name in ["last4", "brand", "holder", "iban"] {
            own.remove(name);
        }
        own.insert("type".to_owned(), json!("wallet"));
        own.insert("wallet_id".to_owned(), json!("w1"));
        own.insert("provider".to_owned(), json!("p"));
        own.insert("region".to_owned(), json!("eu"));
    };
    let report = changed(|kind, own| {
        if kind == "card" && own["last4"].as_str().is_some_and(|last4| last4 < "4000") {
            wallet(own);
        }
    });
    let [(DiagnosisKind::EnumChanged, summary)] = said(&report)[..] else { panic!("{:#?}", said(&report)) };
    assert_eq!(
        summary,
        "`$.type` has a new value: `wallet`; with it came `$.provider`, `$.region`, `$.wallet_id`"
    );
}

#[test]
fn a_loss_in_all_variants_is_told_of_the_field() {
    let report = changed(|_, own| {
        own.remove("holder");
    });
    let [(DiagnosisKind::Removed, summary)] = said(&report)[..] else { panic!("{:#?}", said(&report)) };
    assert!(summary.starts_with("`$.holder` is gone"), "{summary}");
    let report = changed(|_, own| {
        own.remove("amount");
    });
    assert_eq!(said(&report).len(), 1);
    assert!(report.findings[0].evidence.get("variant").is_none());
}

#[test]
fn what_was_accepted_of_a_variant_is_not_told_again() {
    let base = payments(0, 400, 5, |_, _| ());
    let lost = |kind: &str, own: &mut Map<String, Value>| {
        if kind == "card" {
            own.remove("last4");
        }
    };
    let arrived = |kind: &str, own: &mut Map<String, Value>| {
        if kind == "voucher" && own["amount"].as_f64().is_some_and(|amount| amount < 500.0) {
            own.insert("type".to_owned(), json!("coupon"));
            own.insert("shop".to_owned(), json!("s"));
        }
    };
    let windows = [payments(5_000, 400, 5, lost), payments(5_000, 400, 5, arrived)];
    let later = [payments(9_000, 400, 5, lost), payments(9_000, 400, 5, arrived)];
    for (window, later) in windows.iter().zip(&later) {
        let mut baseline = baseline_of(&texts(&base), None, KEY);
        let [window, later] = [window, later].map(|lines| window_of(&texts(lines), None, KEY));
        let changes = compare(&baseline, &window).changes;
        assert!(!changes.is_empty());
        let accepted: Vec<_> = changes.into_iter().map(|change| (change.path, change.kind)).collect();
        baseline = accept(&baseline, &window, &accepted, false);
        let again = compare(&baseline, &later).changes;
        assert!(
            again.iter().all(|change| !accepted.contains(&(change.path.clone(), change.kind))),
            "{again:#?}"
        );
    }
}
