//! What is news of one field, and what it is called, beside the ordinary course of the same field.

use serde_json::{Map, Value, json};

use super::tests::{diff, lines, noise, said_of};
use crate::model::DiagnosisKind as Kind;

/// What is said of the field, and of it alone.
fn said(size: u64, was: impl Fn(u64) -> Value, is: impl Fn(u64) -> Value) -> Vec<Kind> {
    said_of(size, was, is)
        .into_iter()
        .map(|(kind, path)| {
            assert_eq!(path, "$.field", "{kind:?}");
            kind
        })
        .collect()
}

const WEEK: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn day(i: u64) -> &'static str {
    WEEK[(noise(i) % 7) as usize]
}

#[test]
fn addresses_with_more_labels_are_addresses_all_the_same() {
    let mail = |host: &'static str| move |i: u64| json!(format!("user{}@{host}", noise(i) % 100_000));
    assert_eq!(said(60, mail("example.org"), mail("mail-2.example.org")), []);
    let page = |host: &'static str| move |i: u64| json!(format!("https://h{}.{host}/", noise(i) % 100_000));
    assert_eq!(said(60, page("example.org"), page("my-pages.example.org")), []);
}

#[test]
fn a_boolean_goes_on_as_it_went_and_is_told_once_it_leaves_its_range() {
    // In blocks of a fifth of the window it is true for one in ten or for six in ten.
    let blocks = |i: u64| json!(noise(i) % 10 < if (i / 100).is_multiple_of(2) { 1 } else { 6 });
    let more = |i: u64| json!(noise(i) % 10 < if (i / 100).is_multiple_of(4) { 1 } else { 6 });
    assert_eq!(said(500, blocks, more), []);
    assert_eq!(
        said(500, |i| json!(noise(i) % 10 < 1), |i| json!(noise(i) % 10 >= 1)),
        [Kind::DistributionShifted]
    );
}

#[test]
fn two_values_that_are_left_are_no_standstill() {
    let of_two = |i: u64| json!(WEEK[usize::from(noise(i) % 10 < 3)]);
    assert_eq!(said(60, |i| json!(day(i)), of_two), [Kind::CardinalityChanged]);
    assert_eq!(said(60, |i| json!(day(i)), |_| json!(day(0))), [Kind::Stale]);
    // From the twentieth record on.
    assert_eq!(said(60, |i| json!(day(i)), |i| json!(day(if i < 20 { i } else { 0 }))), [Kind::Stale]);
}

#[test]
fn values_that_come_round_and_round_are_played_back() {
    let name = |i: u64| json!(format!("name{}", noise(i) % 100_000));
    assert_eq!(said(200, name, |i| name(i % 5)), [Kind::Stale]);
    // Weekdays do so by themselves.
    assert_eq!(said(70, |i| json!(WEEK[(i % 7) as usize]), |i| json!(WEEK[(i % 7) as usize])), []);
}

#[test]
fn words_cut_short_are_cut_and_shorter_words_are_not() {
    let cut = |i: u64| json!(day(i).chars().take(6).collect::<String>());
    assert_eq!(said(60, |i| json!(day(i)), cut), [Kind::Truncated]);
    // A cut at a space leaves one: it is not padding.
    let long = |i: u64| json!(format!("Street {} of town {}", noise(i) % 1000, noise(i + 5) % 100));
    let short = |i: u64| json!(long(i).as_str().unwrap().chars().take(12).collect::<String>());
    assert_eq!(said(200, long, short), [Kind::Truncated]);
}

#[test]
fn capitals_alone_are_no_change_of_case() {
    let channel = |i: u64| json!(["web", "mail", "phone"][(noise(i) % 3) as usize]);
    let other = |i: u64| if noise(i + 1) % 10 < 4 { json!("OTHER") } else { channel(i) };
    assert_eq!(said(200, channel, other), [Kind::EnumChanged]);
    let upper = |i: u64| json!(channel(i).as_str().unwrap().to_uppercase());
    assert_eq!(said(200, channel, upper), [Kind::CaseChanged]);
}

#[test]
fn nulls_that_go_with_the_kind_of_a_record_are_no_news() {
    // Of ten records so many are of a kind that has no old version, and so many others lack one as well.
    let with = |created: u64, lost: u64| {
        move |r: &mut Map<String, Value>| {
            let id = r["id"].as_u64().unwrap();
            let (create, lose) = (noise(id + 70) % 10 < created, noise(id + 71) % 10 < lost);
            r.insert("event".into(), json!(if create { "create" } else { "update" }));
            let version = if create || lose { Value::Null } else { json!(format!("v{}", noise(id) % 50)) };
            r.insert("old_version".into(), version);
        }
    };
    let nulls_of = |created, lost| {
        let report = diff(&lines(0..300, with(3, 0)), &lines(1000..1300, with(created, lost)));
        report.diagnoses.iter().any(|d| d.kind == Kind::NullsChanged && d.path.to_string() == "$.old_version")
    };
    assert!(!nulls_of(7, 0));
    assert!(nulls_of(3, 6));
}

#[test]
fn parts_are_known_by_the_name_of_the_whole_and_by_their_length() {
    let mail = |r: &Map<String, Value>| {
        let id = r["id"].as_u64().unwrap();
        (format!("user{}", noise(id) % 100_000), format!("host{}.example", noise(id + 5) % 100))
    };
    let whole = |r: &mut Map<String, Value>| {
        let (user, host) = mail(r);
        r.insert("email".into(), json!(format!("{user}@{host}")));
    };
    let parts = |r: &mut Map<String, Value>| {
        let (user, host) = mail(r);
        r.insert("email_first".into(), json!(user));
        r.insert("email_rest".into(), json!(host));
    };
    let report = diff(&lines(0..60, whole), &lines(1000..1060, parts));
    let told: Vec<(Kind, usize)> = report.diagnoses.iter().map(|d| (d.kind, d.to.len())).collect();
    assert_eq!(told, [(Kind::Split, 2)]);
}

#[test]
fn the_factor_is_told_with_the_new_name() {
    let renamed = |r: &mut Map<String, Value>| {
        let amount = r.remove("amount").and_then(|v| v.as_f64()).unwrap();
        r.insert("amount_converted".into(), json!(amount * 1000.0));
    };
    let report = diff(&lines(0..60, |_| ()), &lines(1000..1060, renamed));
    let told: Vec<_> = report.diagnoses.iter().map(|d| (d.kind, d.detail.number("ratio"))).collect();
    assert_eq!(told, [(Kind::Renamed, Some(1000.0))]);
}

#[test]
fn what_each_shop_sells_anew_is_in_another_unit_all_the_same() {
    let day = |from: u64, unit: u64| -> Vec<String> {
        let shop = |i: u64| json!({"id": i, "name": format!("Shop {i}"), "sales": (100 + noise(from + i) % 400) * unit});
        (0..60).map(|i| shop(i).to_string()).collect()
    };
    let told = |unit: u64| -> Vec<_> {
        let report = diff(&day(0, 1), &day(1000, unit));
        report.diagnoses.iter().map(|d| (d.kind, d.path.to_string(), d.detail.number("ratio"))).collect()
    };
    assert_eq!(told(100), [(Kind::Rescaled, "$.sales".to_owned(), Some(100.0))]);
    // A good day is none.
    assert_eq!(told(2), []);
    assert_eq!(told(1), []);
}
