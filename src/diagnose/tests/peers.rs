//! Fields that hang together with others of the same record, and one that leaves them.

use serde_json::{Map, Value, json};

use super::{diff, noise};
use crate::model::{DiagnosisKind, Report};

/// A price of one day after the other, which wanders off: open, high, low and close.
fn prices(days: std::ops::Range<u64>, change: impl Fn(&mut Map<String, Value>)) -> Vec<String> {
    let step = |day: u64| (noise(day) % 2001) as f64 / 1000.0 - 1.0;
    let price = |day: u64| 100.0 * ((0..day).map(step).sum::<f64>() * 0.02).exp();
    let cents = |value: f64| (value * 100.0).round() / 100.0;
    let record = |day: u64| {
        let (open, close) = (price(day), price(day + 1));
        let far = |by: u64| 1.0 + (noise(day * 7 + by) % 100) as f64 / 10_000.0;
        let mut record = json!({
            "day": day,
            "open": cents(open),
            "high": cents(open.max(close) * far(1)),
            "low": cents(open.min(close) / far(2)),
            "close": cents(close),
        });
        change(record.as_object_mut().unwrap());
        record.to_string()
    };
    days.map(record).collect()
}

fn said(report: &Report) -> Vec<(DiagnosisKind, String)> {
    report.diagnoses.iter().map(|d| (d.kind, d.path.to_string())).collect()
}

fn number(record: &mut Map<String, Value>, field: &str, change: impl Fn(f64) -> f64) {
    record[field] = json!((change(record[field].as_f64().unwrap()) * 100.0).round() / 100.0);
}

#[test]
fn what_wanders_off_together_is_silent() {
    for from in [300, 450, 900] {
        let report = diff(&prices(0..300, |_| ()), &prices(from..from + 300, |_| ()));
        assert_eq!(said(&report), [], "{from}");
    }
}

#[test]
fn of_prices_that_wander_off_one_in_cents_is_named() {
    let cents = |record: &mut Map<String, Value>| number(record, "open", |open| open * 100.0);
    let report = diff(&prices(0..300, |_| ()), &prices(300..600, cents));
    assert_eq!(said(&report), [(DiagnosisKind::Rescaled, "$.open".to_owned())]);
    assert_eq!(report.diagnoses[0].detail.text("unit"), Some("dollars to cents"));
}

#[test]
fn of_prices_that_wander_off_one_pressed_together_is_named() {
    let live = prices(300..600, |_| ());
    let middle = live
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["low"].as_f64().unwrap())
        .sum::<f64>()
        / live.len() as f64;
    let pressed =
        |record: &mut Map<String, Value>| number(record, "low", |low| middle + (low - middle) * 0.3);
    let report = diff(&prices(0..300, |_| ()), &prices(300..600, pressed));
    assert_eq!(said(&report), [(DiagnosisKind::DistributionShifted, "$.low".to_owned())]);
}

#[test]
fn what_happens_at_one_time_of_day_and_then_at_another_is_in_another_zone() {
    let days = |from: i64, hour: i64| -> Vec<String> {
        let record = |day: i64| {
            let at = jiff::Timestamp::from_second(1_700_006_400 + day * 86_400 + hour * 3600).unwrap();
            json!({"count": noise(day as u64) % 500, "opens": at.to_string()}).to_string()
        };
        (from..from + 25).map(record).collect()
    };
    assert_eq!(said(&diff(&days(0, 9), &days(25, 9))), []);
    let report = diff(&days(0, 9), &days(25, 4));
    assert_eq!(said(&report), [(DiagnosisKind::TimezoneShifted, "$.opens".to_owned())]);
    assert_eq!(report.diagnoses[0].detail.number("offset_minutes"), Some(-300.0));
    // A single hour is what summer time does.
    assert_eq!(said(&diff(&days(0, 9), &days(25, 8))), []);
}

#[test]
fn what_is_reported_before_it_happens_is_in_another_zone() {
    let quakes = |from: u64, by: i64| -> Vec<String> {
        let record = |i: u64| {
            let happened = 1_700_000_000 + i as i64 * 4000 + (noise(i) % 3000) as i64;
            // Minutes at least, and days for those that someone looks at.
            let later = if noise(i + 5).is_multiple_of(4) {
                120 + noise(i + 9) % 240
            } else {
                noise(i + 9) % 900_000
            };
            let at = jiff::Timestamp::from_second(happened + by * 3600).unwrap();
            json!({"at": at.to_string(), "size": noise(i + 2) % 70, "updated": happened + 120 + later as i64})
                .to_string()
        };
        (from..from + 200).map(record).collect()
    };
    assert_eq!(said(&diff(&quakes(0, 0), &quakes(200, 0))), []);
    let report = diff(&quakes(0, 0), &quakes(200, 2));
    assert_eq!(said(&report), [(DiagnosisKind::TimezoneShifted, "$.at".to_owned())]);
    assert_eq!(report.diagnoses[0].detail.number("offset_minutes"), Some(120.0));
}

#[test]
fn places_and_regions_in_each_others_place_are_a_swap() {
    let rows = |from: u64, names: [&str; 2]| -> Vec<String> {
        let record = |i: u64| {
            // A list by region: each window has others, and some of those before.
            let region = (i / 12) % 30;
            let (place, region) =
                (format!("Place {}", region * 9 + noise(i) % 9), format!("Region {region}"));
            json!({"row": noise(i), names[0]: place, names[1]: region}).to_string()
        };
        (from..from + 240).map(record).collect()
    };
    let base = rows(0, ["city", "region"]);
    assert_eq!(said(&diff(&base, &rows(200, ["city", "region"]))), []);
    let report = diff(&base, &rows(200, ["region", "city"]));
    assert_eq!(said(&report), [(DiagnosisKind::Swapped, "$.city".to_owned())]);
}

#[test]
fn codes_of_two_and_three_letters_in_each_others_place_are_a_swap() {
    let letters = |n: u64, count: u32| -> String {
        (0..count).map(|at| char::from(b'A' + (n / 26_u64.pow(at) % 26) as u8)).collect()
    };
    let rows = |from: u64, names: [&str; 2]| -> Vec<String> {
        let record = |i: u64| {
            json!({"area": noise(i) % 9000, names[0]: letters(i * 7, 2), names[1]: letters(noise(i), 3)})
                .to_string()
        };
        (from..from + 50).map(record).collect()
    };
    let base = rows(0, ["two", "three"]);
    assert_eq!(said(&diff(&base, &rows(45, ["two", "three"]))), []);
    let report = diff(&base, &rows(45, ["three", "two"]));
    assert_eq!(said(&report), [(DiagnosisKind::Swapped, "$.three".to_owned())]);
}

#[test]
fn a_field_that_names_another_quantity_is_in_no_such_unit() {
    let parcels = |factor: f64| -> Vec<String> {
        let record =
            |i: u64| json!({"id": i, "weight_kg": (noise(i) % 9_000 + 700) as f64 * factor}).to_string();
        (0..100).map(record).collect()
    };
    let report = diff(&parcels(1.0), &parcels(0.1));
    assert_eq!(said(&report), [(DiagnosisKind::Rescaled, "$.weight_kg".to_owned())]);
    assert_eq!(report.diagnoses[0].detail.text("unit"), None);
    assert_eq!(report.diagnoses[0].detail.number("ratio"), Some(0.1));
    let report = diff(&parcels(1.0), &parcels(2.2046226));
    assert_eq!(report.diagnoses[0].detail.text("unit"), Some("kilograms to pounds"));
}

#[test]
fn twice_as_heavy_is_not_pounds() {
    let parcels = |from: u64, factor: f64| -> Vec<String> {
        let weight = |i: u64| (((noise(i) % 1000) as f64 / 1000.0 - 0.5) * 0.4).exp() * 3.0;
        let record = |i: u64| json!({"row": noise(i), "weight_kg": weight(i) * factor}).to_string();
        (from..from + 300).map(record).collect()
    };
    let unit = |factor: f64| {
        let report = diff(&parcels(0, 1.0), &parcels(300, factor));
        assert_eq!(report.diagnoses.len(), 1, "{:?}", said(&report));
        report.diagnoses[0].detail.text("unit").map(str::to_owned)
    };
    assert_eq!(unit(2.0), None);
    assert_eq!(unit(2.2046226).as_deref(), Some("kilograms to pounds"));
}
