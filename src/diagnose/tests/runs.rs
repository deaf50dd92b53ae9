//! Records sorted by region: each window holds the next regions, and a change is told all the same where it shows in
//! what no region brings about.

use serde_json::json;

use super::{diff, noise};
use crate::model::DiagnosisKind;

/// The code of the region of a record: runs of 25 records, in alphabetical order.
fn region(i: u64) -> String {
    let code = (i + 10) / 25;
    [b'A' + (code / 26) as u8, b'A' + (code % 26) as u8].map(char::from).iter().collect()
}

fn lines(range: std::ops::Range<u64>, region: impl Fn(u64) -> String) -> Vec<String> {
    let line = |i| json!({"id": i, "size": noise(i) % 500, "region": region(i)}).to_string();
    range.map(line).collect()
}

/// What is said of windows of 400 records when those of the second are written so.
fn said(second: impl Fn(u64) -> String) -> Vec<(DiagnosisKind, String)> {
    let report = diff(&lines(0..400, region), &lines(400..800, second));
    report.diagnoses.iter().map(|d| (d.kind, d.path.to_string())).collect()
}

fn told(kind: DiagnosisKind) -> Vec<(DiagnosisKind, String)> {
    vec![(kind, "$.region".to_owned())]
}

#[test]
fn the_next_regions_are_no_news() {
    assert_eq!(said(region), []);
}

#[test]
fn a_region_that_goes_on_by_a_longer_name_is_told() {
    // Regions that come again and again, a few records at a time.
    let names = |i: u64| ["AU", "BE", "CH", "DE", "ES"][(noise(i / 3) % 5) as usize].to_owned();
    let longer = |i: u64| if names(i) == "CH" { "CH (v2)".to_owned() } else { names(i) };
    let report = diff(&lines(0..400, names), &lines(400..800, longer));
    let told: Vec<_> = report.diagnoses.iter().map(|d| (d.kind, d.path.to_string())).collect();
    assert_eq!(told, self::told(DiagnosisKind::EnumChanged));
    // A run of a sorted list that goes on by a longer name is the next thing of the list.
    let next = |i: u64| if region(i) == region(400) { format!("{} (v2)", region(i)) } else { region(i) };
    assert_eq!(said(next), []);
    // Two regions whose names resemble each other are two regions.
    let beside = |i: u64| if region(i) == "AZ" { "AZBA".to_owned() } else { region(i) };
    assert_eq!(said(beside), []);
}

#[test]
fn a_word_that_breaks_into_the_runs_is_told_and_a_run_of_its_own_is_not() {
    let strewn = |i: u64| if noise(i).is_multiple_of(10) { "ZZ".to_owned() } else { region(i) };
    assert_eq!(said(strewn), told(DiagnosisKind::EnumChanged));
    let run = |i: u64| if (600..640).contains(&i) { "ZZ".to_owned() } else { region(i) };
    assert_eq!(said(run), []);
}

#[test]
fn other_letters_are_told_whatever_the_regions_are() {
    let lower = |i: u64| if i < 520 { region(i) } else { region(i).to_lowercase() };
    assert_eq!(said(lower), told(DiagnosisKind::CaseChanged));
}

#[test]
fn standing_on_two_regions_that_alternate_is_told() {
    let two = |i: u64| ["BA", "BB"][(noise(i) % 2) as usize].to_owned();
    let told = said(|i| if i < 440 { region(i) } else { two(i) });
    assert_eq!(told, self::told(DiagnosisKind::CardinalityChanged));
    // One region that goes on is the course of things.
    assert_eq!(said(|i| if i < 600 { region(i) } else { "BA".to_owned() }), []);
}

#[test]
fn the_codes_of_the_next_maker_are_built_as_they_like() {
    // Three values, however often they come, do not show how all codes are built.
    let makers = |i: u64| match i {
        0..400 => ["AA", "AB", "AC"][(i / 150) as usize].to_owned(),
        _ => (i / 25).to_string(),
    };
    let report = diff(&lines(0..400, makers), &lines(400..800, makers));
    assert!(report.diagnoses.is_empty(), "{:?}", report.diagnoses);
}
