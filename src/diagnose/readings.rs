//! What is news of one field, and what it is called, beside the ordinary course of the same field.

use serde_json::{Value, json};

use super::tests::{noise, said_of};
use crate::model::DiagnosisKind as Kind;

/// What is said of the field, and of it alone.
fn said(size: u64, was: impl Fn(u64) -> Value, is: impl Fn(u64) -> Value) -> Vec<Kind> {
    said_of(size, was, is)
        .into_iter()
        .map(|(kind, path)| {
            assert_eq!(path, "$.field");
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
