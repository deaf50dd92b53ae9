//! Records sorted by one field: what the order brings about is silent, and what happens to a field that the order does
//! not reach is told.

use serde_json::{Value, json};

use super::{diff, noise};
use crate::model::DiagnosisKind;

/// What is said of two windows of records, by path and kind.
fn said(base: &[Value], live: &[Value]) -> Vec<(String, DiagnosisKind)> {
    let texts = |records: &[Value]| records.iter().map(Value::to_string).collect::<Vec<_>>();
    let report = diff(&texts(base), &texts(live));
    report.diagnoses.iter().map(|d| (d.path.to_string(), d.kind)).collect()
}

/// One window, and the next of as many records.
fn windows(n: u64, before: impl Fn(u64) -> Value, now: impl Fn(u64) -> Value) -> (Vec<Value>, Vec<Value>) {
    ((0..n).map(before).collect(), (n..2 * n).map(now).collect())
}

/// A record of a region, of which each has so many records after the other.
fn record(i: u64, of_region: u64, more: Value) -> Value {
    let mut record = json!({"id": i, "region": format!("R{:02}", i / of_region), "size": noise(i) % 900});
    let fields = more.as_object().cloned().unwrap_or_default();
    record.as_object_mut().unwrap().extend(fields);
    record
}

fn pick(i: u64, kinds: u64) -> u64 {
    noise(i * 31 + 17) % kinds
}

#[test]
fn the_next_categories_of_a_sorted_catalogue_are_no_news() {
    const NAMES: &str = "Apparel,Arts,Arts & Crafts,Auto,Auto Parts,Baby,Baby Care,Books,Books & Media,Camera,\
        Computers,Computers/Tablets,Food,Food & Drink,Games,Garden,Health,Health & Wellness,Home,Home & Kitchen,\
        Home-Office,Jewelry,Music,Music (Digital),Office,Pet,Pet Supplies,Shoes,Sports,Sports/Outdoors,Tools,\
        Tools & Hardware,Toys,Toys & Games,Travel,Video,Video Games,Wine";
    let sizes = |at: u64| 15 + noise(at) % 75;
    let of = |(at, name): (u64, &'static str)| (0..sizes(at)).map(move |_| name);
    let all: Vec<Value> = (0..)
        .zip(NAMES.split(','))
        .flat_map(of)
        .zip(0..)
        .map(|(name, i)| json!({"id": i, "category": name, "price": noise(i) % 9000, "qty": pick(i, 8)}))
        .collect();
    for start in (0..all.len() - 600).step_by(30) {
        let told = said(&all[start..start + 300], &all[start + 300..start + 600]);
        assert_eq!(told, [], "window at {start}");
    }
}

#[test]
fn fewer_kinds_are_told_where_the_order_does_not_reach_them() {
    let host = |kinds: u64| move |i| record(i, 40, json!({"host": format!("h{:03}", pick(i, kinds))}));
    let (base, live) = windows(1000, host(60), host(20));
    assert_eq!(said(&base, &live), [("$.host".to_owned(), DiagnosisKind::CardinalityChanged)]);
    let (base, live) = windows(1000, host(60), host(60));
    assert_eq!(said(&base, &live), []);
}

#[test]
fn several_fields_that_stop_at_once_are_told() {
    let two = |a: u64, b: u64| json!({"a": format!("k{a}"), "b": format!("q{b}")});
    let goes_on = |i| record(i, 12, two(pick(i, 30), pick(i + 7, 30)));
    let both = ["$.a", "$.b"].map(|path| (path.to_owned(), DiagnosisKind::Stale));
    let (base, frozen) = windows(60, goes_on, |i| if i < 80 { goes_on(i) } else { record(i, 12, two(1, 1)) });
    assert_eq!(said(&base, &frozen), both);
    let (base, rounds) = windows(60, goes_on, |i| record(i, 12, two(i % 5, i % 5)));
    assert_eq!(said(&base, &rounds), both);
}

#[test]
fn sensors_that_stop_at_once_are_told() {
    let sensors = |i: u64, temperature: u64, humidity: u64| {
        let near = |at: u64, scale: f64, noise_at: u64| {
            let wave = (at as f64 / 12.0).sin() * scale + (noise(noise_at) % 60) as f64 / 100.0;
            (wave * 100.0).round() / 100.0
        };
        json!({
            "at": format!("2026-01-{:02}T{:02}:{:02}:00Z", 1 + i / 288, i / 12 % 24, i * 5 % 60),
            "temperature": 20.0 + near(temperature, 5.0, temperature),
            "humidity": 60.0 + near(humidity + 40, 10.0, humidity + 3000),
            "pressure": 1000.0 + near(i + 80, 2.0, i + 6000),
        })
    };
    let goes_on = |i| sensors(i, i, i);
    let both = ["$.humidity", "$.temperature"].map(|path| (path.to_owned(), DiagnosisKind::Stale));
    let (base, frozen) = windows(100, goes_on, |i| if i < 133 { goes_on(i) } else { sensors(i, 133, 133) });
    assert_eq!(said(&base, &frozen), both);
    let (base, rounds) = windows(100, goes_on, |i| sensors(i, 100 + i % 5, 100 + i % 5));
    assert_eq!(said(&base, &rounds), both);
}

#[test]
fn identifiers_of_few_owners_under_another_scheme_are_told_as_such() {
    let hex = |seed: u64| format!("{:016x}{:016x}", noise(seed), noise(seed + 99));
    let uuid = |seed| {
        let hex = hex(seed);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    };
    for owners in [2, 3, 6] {
        let old = |i| record(i, 40, json!({"owner": uuid(pick(i, owners))}));
        let new = |i| record(i, 40, json!({"owner": format!("usr_{}", &hex(pick(i, owners))[..24])}));
        let (base, live) = windows(400, old, new);
        assert_eq!(said(&base, &live), [("$.owner".to_owned(), DiagnosisKind::IdSchemeChanged)], "{owners}");
    }
}

#[test]
fn a_sign_is_flipped_from_some_record_on_and_a_market_turns() {
    // Cents, about evenly within a range.
    let change = |i: u64, from: i64, to: i64| {
        let cents = from + (noise(i + 5) % (to - from) as u64) as i64;
        json!({"id": i, "volume": noise(i) % 9000, "change": cents as f64 / 100.0})
    };
    let flipped = |i: u64| -change(i, 100, 900)["change"].as_f64().unwrap();
    let (base, live) = windows(
        150,
        |i| change(i, 100, 900),
        |i| {
            if i < 195 {
                change(i, 100, 900)
            } else {
                json!({"id": i, "volume": noise(i) % 9000, "change": flipped(i)})
            }
        },
    );
    assert_eq!(said(&base, &live), [("$.change".to_owned(), DiagnosisKind::SignFlipped)]);
    let (base, live) = windows(150, |i| change(i, 1, 500), |i| change(i, -500, 250));
    assert!(!said(&base, &live).contains(&("$.change".to_owned(), DiagnosisKind::SignFlipped)));
}

#[test]
fn two_words_that_break_into_runs_are_told_together() {
    let strewn = |i| match pick(i, 20) {
        0 => record(i, 25, json!({"region": "Z1"})),
        1 => record(i, 25, json!({"region": "Z2"})),
        _ => record(i, 25, json!({})),
    };
    let (base, live) = windows(400, |i| record(i, 25, json!({})), strewn);
    assert_eq!(said(&base, &live), [("$.region".to_owned(), DiagnosisKind::EnumChanged)]);
}

#[test]
fn pages_sorted_by_random_identifiers_are_no_news() {
    let uuid = |i: u64| {
        format!(
            "{:08x}-{:04x}-4abc-8abc-{:012x}",
            i * 10_000_000,
            noise(i) % 65_536,
            noise(i * 7) % 99_999_999
        )
    };
    let (before, now) = windows(
        200,
        |i| json!({"id": uuid(i), "n": pick(i, 90)}),
        |i| json!({"id": uuid(i), "n": pick(i, 90)}),
    );
    assert_eq!(said(&before, &now), []);
}

#[test]
fn dates_under_another_sign_are_another_notation_of_dates() {
    let day = |i: u64| (1 + pick(i, 27), 1 + pick(i + 5, 12), 2020 + i / 200);
    let before = |i: u64| {
        let (d, m, y) = day(i);
        json!({"id": i, "due": format!("{d:02}.{m:02}.{y}"), "n": pick(i, 90)})
    };
    let now = |i: u64| {
        let (d, m, y) = day(i);
        json!({"id": i, "due": format!("{m:02}/{d:02}/{y}"), "n": pick(i, 90)})
    };
    let (before, now) = windows(300, before, now);
    assert_eq!(said(&before, &now), [("$.due".to_owned(), DiagnosisKind::Reformatted)]);
}
