//! What is said of small streams made here: the laws and traps of the whole path from records to diagnoses.

mod ordered;
mod peers;
mod runs;
mod same;
mod variants;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{ReportContext, common_key, diff_records, report, variation_of, window_of};
use crate::compare::{Baseline, Window};
use crate::model::{DiagnosisKind, HashKey, Report, Subject};
use crate::profile::{KeySpec, ProfileOptions, Profiler};
use crate::rules::RuleSet;

const KEY: HashKey = HashKey::new([3; 16]);

/// Numbers that look random and are the same in every run.
pub(super) fn noise(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn order(i: u64) -> Value {
    json!({
        "id": 1000 + i,
        "amount": (noise(i) % 90_000 + 500) as f64 / 100.0,
        "currency": (["EUR", "USD", "GBP"][(noise(i + 7) % 3) as usize]),
        "status": (["open", "paid", "shipped", "closed"][(noise(i + 13) % 4) as usize]),
        "created_at": format!("2026-03-{:02}T{:02}:15:00Z", 1 + noise(i + 1) % 28, noise(i + 2) % 24),
        "customer": {"name": format!("Customer {}", noise(i + 3) % 1000), "vip": noise(i + 4).is_multiple_of(5)},
    })
}

pub(super) fn lines(range: std::ops::Range<u64>, change: impl Fn(&mut Map<String, Value>)) -> Vec<String> {
    let record = |i| {
        let mut value = order(i);
        change(value.as_object_mut().unwrap());
        value.to_string()
    };
    range.map(record).collect()
}

pub(super) fn diff(baseline: &[String], live: &[String]) -> Report {
    diff_records(&texts(baseline), &texts(live), &RuleSet::builtin(), KEY, None)
}

fn texts(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| &**line).collect()
}

/// What is said of a change to other orders than those of the baseline.
fn said(change: impl Fn(&mut Map<String, Value>)) -> Vec<(DiagnosisKind, String, Vec<String>)> {
    let report = diff(&lines(0..200, |_| ()), &lines(1000..1200, change));
    assert!(report.findings.iter().all(|f| f.explained_by.is_some()), "every finding is explained");
    let texts = |paths: &[crate::model::FieldPath]| paths.iter().map(ToString::to_string).collect();
    report.diagnoses.iter().map(|d| (d.kind, d.path.to_string(), texts(&d.to))).collect()
}

#[test]
fn the_same_and_more_of_the_same_are_silent() {
    let baseline = lines(0..200, |_| ());
    for live in [baseline.clone(), lines(1000..1200, |_| ()), lines(5..60, |_| ())] {
        let report = diff(&baseline, &live);
        assert!(report.diagnoses.is_empty(), "{:?}", report.diagnoses);
    }
}

/// Records of one hour after the other.
fn hourly(record: &mut Map<String, Value>) {
    let hour = record["id"].as_u64().unwrap() - 1000;
    let (month, day) = (1 + hour / 672, 1 + hour / 24 % 28);
    record.insert("created_at".into(), json!(format!("2026-{month:02}-{day:02}T{:02}:15:00Z", hour % 24)));
}

#[test]
fn words_of_another_build_are_told_where_records_come_in_order() {
    let renamed = |record: &mut Map<String, Value>| {
        hourly(record);
        let word = record["status"].as_str().unwrap().len();
        record.insert("status".into(), json!(format!("KIND_{word}")));
    };
    let baseline = lines(0..200, hourly);
    assert!(diff(&baseline, &lines(200..400, hourly)).diagnoses.is_empty());
    let report = diff(&baseline, &lines(200..400, renamed));
    let told: Vec<_> = report.diagnoses.iter().map(|d| (d.kind, d.path.to_string())).collect();
    assert_eq!(told, [(DiagnosisKind::EnumChanged, "$.status".to_owned())]);
}

#[test]
fn elements_of_one_list_are_no_samples_of_their_own() {
    // One list of many empty texts is one record, not many.
    let tagged = |odd: u64| {
        move |record: &mut Map<String, Value>| {
            let id = record["id"].as_u64().unwrap();
            let tag =
                |i: u64| if id % 200 < odd { String::new() } else { format!("t{}", noise(id * 9 + i) % 50) };
            record.insert("tags".into(), json!((0..20).map(tag).collect::<Vec<_>>()));
        }
    };
    let told = |odd| diff(&lines(0..200, tagged(0)), &lines(200..400, tagged(odd))).diagnoses.len();
    assert_eq!((told(2), told(80)), (0, 1));
}

#[test]
fn an_empty_list_removes_nothing() {
    assert!(diff(&lines(0..50, |_| ()), &[]).diagnoses.is_empty());
}

#[test]
fn profiles_under_other_hash_keys_are_not_compared() {
    let texts = lines(0..50, |_| ());
    let texts = self::texts(&texts);
    let baseline = Baseline::start(&window_of(&texts, None, KEY));
    let comparison = crate::compare::compare(&baseline, &window_of(&texts, None, HashKey::new([4; 16])));
    assert!(comparison.changes.is_empty());
    assert!(comparison.inconclusive[0].why.contains("hash key"));
}

#[test]
fn a_rename_is_told_from_a_loss_beside_something_new() {
    let renamed = said(|r| {
        let status = r.remove("status").unwrap();
        r.insert("state".into(), status);
        r.insert("request_id".into(), json!(format!("{:016x}", noise(r["id"].as_u64().unwrap()))));
    });
    assert!(
        renamed.contains(&(DiagnosisKind::Renamed, "$.status".into(), vec!["$.state".into()])),
        "{renamed:?}"
    );
    assert!(renamed.contains(&(DiagnosisKind::Added, "$.request_id".into(), vec![])), "{renamed:?}");
    assert_eq!(renamed.len(), 2);

    let lost = said(|r| {
        r.remove("status");
        r.insert("schema_revision".into(), json!(3));
    });
    assert!(lost.contains(&(DiagnosisKind::Removed, "$.status".into(), vec![])), "{lost:?}");
    assert!(lost.contains(&(DiagnosisKind::Added, "$.schema_revision".into(), vec![])), "{lost:?}");
}

#[test]
fn a_move_out_of_an_object_is_one_diagnosis() {
    let moved = said(|r| {
        let name = r["customer"].as_object_mut().unwrap().remove("name").unwrap();
        r.insert("name".into(), name);
    });
    assert_eq!(moved, [(DiagnosisKind::Moved, "$.customer.name".into(), vec!["$.name".into()])]);
}

#[test]
fn a_unit_is_named_with_and_without_entities_seen_in_both() {
    let cents = |r: &mut Map<String, Value>| {
        let cents = (r["amount"].as_f64().unwrap() * 100.0).round() as u64;
        r.insert("amount".into(), json!(cents));
    };
    for range in [0..200, 1000..1200] {
        let report = diff(&lines(0..200, |_| ()), &lines(range.clone(), cents));
        let [diagnosis] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
        assert_eq!(diagnosis.kind, DiagnosisKind::Rescaled);
        assert_eq!(diagnosis.detail.text("unit"), Some("dollars to cents"));
        let paired = if range.start == 0 { " (ratio 100.00 on 200 of 200 records seen in both)" } else { "" };
        assert_eq!(
            diagnosis.summary,
            format!("`$.amount` is 100 times larger: dollars became cents{paired}")
        );
    }
}

#[test]
fn notation_type_and_nulls_are_told_apart() {
    use DiagnosisKind as K;
    let epoch = said(|r| {
        let at: jiff::Timestamp = r["created_at"].as_str().unwrap().parse().unwrap();
        r.insert("created_at".into(), json!(at.as_second()));
    });
    assert_eq!(epoch, [(K::Reformatted, "$.created_at".into(), vec![])]);
    let text = said(|r| {
        let amount = r["amount"].to_string();
        r.insert("amount".into(), json!(amount));
    });
    assert_eq!(text, [(K::Retyped, "$.amount".into(), vec![])]);
    let nulls = said(|r| {
        if noise(r["id"].as_u64().unwrap() + 99).is_multiple_of(4) {
            r.insert("currency".into(), Value::Null);
        }
    });
    assert_eq!(nulls, [(K::NullsChanged, "$.currency".into(), vec![])]);
    let words = said(|r| {
        if r["status"] == "open" {
            r.insert("status".into(), json!("pending"));
        }
    });
    assert_eq!(words, [(K::EnumChanged, "$.status".into(), vec![])]);
}

/// Levels, their growth, and on the third day new names for both beside the growth of another level, which has the
/// name that resembles the old one.
fn day(day: u64, renamed: bool) -> Vec<String> {
    let level = |i: u64, day: u64| 300 + 40 * i + noise(i) % 50 + day * (10 + noise(i + 5) % 20);
    let cases = |i: u64, day: u64| 2 * level(i, day) + day * (3 + noise(i + 9) % 9);
    let record = |i: u64| {
        let growth = level(i, day) - level(i, day - 1);
        let (growth_name, level_name) = if renamed {
            ("variazione_totale", "totale_positivi")
        } else {
            ("nuovi_attuali", "totale_attuali")
        };
        let mut record = json!({"regione": format!("Regione {i}"), "totale_casi": cases(i, day)});
        let fields = record.as_object_mut().unwrap();
        fields.insert(level_name.into(), json!(level(i, day)));
        fields.insert(growth_name.into(), json!(growth));
        if renamed {
            fields.insert("nuovi_positivi".into(), json!(cases(i, day) - cases(i, day - 1)));
        }
        record.to_string()
    };
    (0..21).map(record).collect()
}

#[test]
fn values_win_over_names_where_columns_follow_from_others() {
    let days = [day(1, false), day(2, false), day(3, true)];
    let texts: Vec<Vec<&str>> = days.iter().map(|d| texts(d)).collect();
    let key = common_key(&texts[1], &texts[2], KEY);
    let mut baseline = Baseline::start(&window_of(&texts[0], key.as_ref(), KEY));
    baseline.follow(&window_of(&texts[1], key.as_ref(), KEY));
    let subject = Subject { connector: "dpc".into(), stream: "regioni".into() };
    let context = ReportContext { learning: false, at: jiff::Timestamp::UNIX_EPOCH };
    let window = window_of(&texts[2], key.as_ref(), KEY);
    let report = report(&subject, &baseline, &window, &RuleSet::builtin(), None, &context);
    let find = |path: &str| report.diagnoses.iter().find(|d| d.path.to_string() == path).unwrap();
    for (old, new) in [("$.nuovi_attuali", "$.variazione_totale"), ("$.totale_attuali", "$.totale_positivi")]
    {
        let diagnosis = find(old);
        assert_eq!(diagnosis.kind, DiagnosisKind::Renamed);
        assert_eq!(diagnosis.to[0].to_string(), new);
        assert!(!diagnosis.ambiguous, "{diagnosis:?}");
    }
    assert_eq!(find("$.nuovi_positivi").kind, DiagnosisKind::Added);
    assert_eq!(report.diagnoses.len(), 3);
}

#[test]
fn moments_moved_by_an_hour_are_in_another_zone() {
    let later = |r: &mut Map<String, Value>| {
        let at: jiff::Timestamp = r["created_at"].as_str().unwrap().parse().unwrap();
        r.insert("created_at".into(), json!((at + jiff::SignedDuration::from_hours(1)).to_string()));
    };
    let report = diff(&lines(0..200, |_| ()), &lines(0..200, later));
    let [diagnosis] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
    assert_eq!(diagnosis.kind, DiagnosisKind::TimezoneShifted);
    assert_eq!(diagnosis.detail.number("offset_minutes"), Some(60.0));

    let epoch = |hours: i64| {
        move |r: &mut Map<String, Value>| {
            let at: jiff::Timestamp = r["created_at"].as_str().unwrap().parse().unwrap();
            r.insert("created_at".into(), json!(at.as_millisecond() + hours * 3_600_000));
        }
    };
    let report = diff(&lines(0..200, epoch(0)), &lines(0..200, epoch(-2)));
    let [diagnosis] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
    assert_eq!(diagnosis.kind, DiagnosisKind::TimezoneShifted);
    assert_eq!(diagnosis.detail.number("offset_minutes"), Some(-120.0));
}

#[test]
fn files_have_no_times() {
    let report = diff(&lines(0..200, |_| ()), &lines(0..200, |r| drop(r.remove("status"))));
    assert!(!report.findings.is_empty());
    assert!(report.findings.iter().all(|f| f.first_seen.is_none() && f.last_seen.is_none()));
    assert!(report.compared.live.to.is_none());
}

#[test]
fn two_fields_that_both_keep_the_values_are_for_a_person_to_tell_apart() {
    // Each is what the old one was in about nine of ten records.
    let split = |net: u64, gross: u64| {
        move |r: &mut Map<String, Value>| {
            let (id, amount) = (r["id"].as_u64().unwrap(), r.remove("amount").unwrap());
            let part = |seed: u64, percent: u64| {
                let kept = noise(id * 31 + seed) % 100 < percent;
                if kept {
                    amount.clone()
                } else {
                    json!((amount.as_f64().unwrap() * 97.0).round() / 100.0 - 0.37)
                }
            };
            let (net, gross) = (part(1, net), part(2, gross));
            r.insert("amount_net".into(), net);
            r.insert("amount_gross".into(), gross);
        }
    };
    for (net, gross) in [(89, 92), (92, 89), (90, 90), (98, 100)] {
        let report = diff(&lines(0..200, |_| ()), &lines(0..200, split(net, gross)));
        let rename = report.diagnoses.iter().find(|d| d.path.to_string() == "$.amount").unwrap();
        assert_eq!(rename.kind, DiagnosisKind::Renamed);
        assert!(rename.ambiguous, "{net} {gross}: {rename:?}");
        assert_eq!(rename.candidates.len(), 2);
        assert!(rename.confidence < 0.9, "{}", rename.confidence);
    }
    // Where one keeps them all and the other does not, the values tell.
    let report = diff(&lines(0..200, |_| ()), &lines(0..200, split(80, 100)));
    let rename = report.diagnoses.iter().find(|d| d.path.to_string() == "$.amount").unwrap();
    assert_eq!(rename.to[0].to_string(), "$.amount_gross");
    assert!(!rename.ambiguous && rename.confidence > 0.97, "{rename:?}");
    // Alone, it is as sure as its values are equal.
    let alone = |r: &mut Map<String, Value>| {
        split(100, 92)(r);
        r.remove("amount_net");
    };
    let report = diff(&lines(0..200, |_| ()), &lines(0..200, alone));
    let [rename] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
    assert!(!rename.ambiguous && (0.85..0.97).contains(&rename.confidence), "{rename:?}");
}

#[test]
fn a_word_exchanged_beside_a_change_of_case_is_told() {
    let change = |r: &mut Map<String, Value>| {
        let word = match r["status"].as_str().unwrap() {
            "closed" => "CANCELLED".to_owned(),
            other => other.to_uppercase(),
        };
        r.insert("status".into(), json!(word));
    };
    for range in [0..200, 1000..1200] {
        let report = diff(&lines(0..200, |_| ()), &lines(range, change));
        let [diagnosis] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
        assert_eq!(diagnosis.kind, DiagnosisKind::CaseChanged);
        assert_eq!(diagnosis.detail.words("new_values"), Some(&["CANCELLED".to_owned()][..]));
        assert_eq!(diagnosis.detail.words("lost_values"), Some(&["closed".to_owned()][..]));
        assert!(diagnosis.summary.ends_with("besides, `CANCELLED` came in place of `closed`"));
    }
}

#[test]
fn addresses_cut_short_are_cut_and_not_another_notation() {
    let email = |length: usize| {
        move |r: &mut Map<String, Value>| {
            let seed = noise(r["id"].as_u64().unwrap());
            let first = ["anna", "bertram", "cem", "dorothea", "emil"][(seed % 5) as usize];
            let domain = ["example.com", "example.org", "mail.example.net"][(seed / 5 % 3) as usize];
            let email = format!("{first}.{}@{domain}", ["li", "moreau", "novak99"][(seed / 15 % 3) as usize]);
            let email = format!("{}{email}", (b'a' + (seed / 64 % 26) as u8) as char);
            r.insert("email".into(), json!(email.chars().take(length).collect::<String>()));
        }
    };
    for range in [0..200, 1000..1200] {
        let report = diff(&lines(0..200, email(99)), &lines(range, email(12)));
        let [diagnosis] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
        assert_eq!(diagnosis.kind, DiagnosisKind::Truncated, "{diagnosis:?}");
        assert_eq!(diagnosis.detail.number("to_length"), Some(12.0));
    }
}

#[test]
fn a_window_of_one_day_does_not_stand_still() {
    let lines = |days: std::ops::Range<u64>| -> Vec<String> {
        let record = |day: u64, i: u64| {
            json!({
                "region": format!("Region {i}"),
                "data": format!("2026-03-{:02}T17:00:00", 1 + day),
                "cases": noise(i) % 900 + day * (noise(i + 5) % 20),
            })
            .to_string()
        };
        days.flat_map(|day| (0..30).map(move |i| record(day, i))).collect()
    };
    let windows: Vec<_> = (0..4).map(|day| window_of(&texts(&lines(day..day + 1)), None, KEY)).collect();
    let mut learned = Baseline::start(&windows[0]);
    for window in &windows[1..] {
        learned.profile.merge(&window.profile).unwrap();
        learned.windows += 1;
        learned.follow(window);
    }
    let profiles: Vec<_> = windows.iter().map(|w| w.profile.clone()).collect();
    learned.variation = crate::compare::Variation::of(&profiles);
    let stale = |baseline: &Baseline, days| {
        let window = window_of(&texts(&lines(days)), None, KEY);
        let comparison = crate::compare::compare(baseline, &window);
        comparison.changes.iter().any(|c| c.kind == crate::model::ChangeKind::Stale)
    };
    // The day before had one date as well; where no window is left, nobody knows.
    assert!(!stale(&learned, 4..5), "with the day before");
    let imported =
        Baseline { latest: None, variation: crate::compare::Variation::default(), ..learned.clone() };
    assert!(!stale(&imported, 4..5), "without");
}

/// The sampled values of `watch`: by keyed hash.
fn keyed_window(lines: &[String]) -> Window {
    let key = KeySpec { paths: vec!["$.id".parse().unwrap()] };
    let mut profiler = Profiler::new(ProfileOptions { key: Some(key), ..ProfileOptions::new(KEY) });
    lines.iter().for_each(|line| profiler.record(line.as_bytes()));
    Window { profile: profiler.finish(), ..window_of(&[], None, KEY) }
}

fn keyed(baseline: &[String], live: &[String]) -> Report {
    let subject = Subject { connector: "shop".to_owned(), stream: "orders".to_owned() };
    let context = ReportContext { learning: false, at: jiff::Timestamp::UNIX_EPOCH };
    let mut known = Baseline::start(&keyed_window(baseline));
    known.profile = known.profile.redacted();
    known.latest = None;
    known.variation = variation_of(&texts(baseline), KEY);
    report(&subject, &known, &keyed_window(live), &RuleSet::builtin(), None, &context)
}

#[test]
fn splits_and_merges_are_seen_without_any_text_in_clear() {
    let names = |r: &mut Map<String, Value>, joined: bool| {
        let id = r["id"].as_u64().unwrap();
        let one = ["Ada", "Grace", "Alan", "Edsger"][(noise(id) % 4) as usize];
        let two = ["Byron", "Hopper", "Mathison", "Wybe"][(noise(id + 1) % 4) as usize];
        if joined {
            r.insert("full_name".into(), json!(format!("{one} {two}")));
        } else {
            r.insert("first_name".into(), json!(one));
            r.insert("last_name".into(), json!(two));
        }
    };
    for live in [0..200, 1000..1200] {
        let joined = lines(0..200, |r| names(r, true));
        let apart = lines(live.clone(), |r| names(r, false));
        let report = keyed(&joined, &apart);
        let [split] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
        assert_eq!((split.kind, split.to.len()), (DiagnosisKind::Split, 2), "{}", split.summary);
        let joined = lines(live, |r| names(r, true));
        let report = keyed(&lines(0..200, |r| names(r, false)), &joined);
        let [merged] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
        assert_eq!(merged.kind, DiagnosisKind::Merged, "{}", merged.summary);
    }
}

#[test]
fn a_vocabulary_that_changes_for_the_same_entities_is_one_diagnosis() {
    let live = lines(0..200, |r| {
        if r["status"] == "shipped" {
            r.insert("status".into(), json!("dispatched"));
        }
    });
    for report in [diff(&lines(0..200, |_| ()), &live), keyed(&lines(0..200, |_| ()), &live)] {
        let [diagnosis] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
        assert_eq!(diagnosis.kind, DiagnosisKind::EnumChanged);
        assert_eq!(diagnosis.summary, "`$.status` has another value: `dispatched` in place of `shipped`");
    }
}

#[test]
fn addresses_that_point_to_another_host_say_so() {
    let at = |host: &'static str| {
        move |r: &mut Map<String, Value>| {
            let url = format!("https://{host}/files/{}.zip", r["id"]);
            r.insert("url".into(), json!(url));
        }
    };
    let report = diff(&lines(0..60, at("old.example.com")), &lines(1000..1060, at("new.example.org")));
    let [diagnosis] = report.diagnoses.as_slice() else { panic!("{:?}", report.diagnoses) };
    assert_eq!(
        diagnosis.summary,
        "`$.url` points to another host: https://old.example.com became https://new.example.org"
    );
    let same = diff(&lines(0..60, at("old.example.com")), &lines(1000..1060, at("old.example.com")));
    assert!(same.diagnoses.is_empty(), "{:?}", same.diagnoses);
}

/// What is said of a field beside the others of an order, given its value on both sides by the record's number.
pub(super) fn said_of(
    size: u64,
    was: impl Fn(u64) -> Value,
    is: impl Fn(u64) -> Value,
) -> Vec<(DiagnosisKind, String)> {
    let with = |from: u64, value: &dyn Fn(u64) -> Value| -> Vec<String> {
        let record = |i| {
            let mut order = order(from + i);
            order["field"] = value(i);
            order.to_string()
        };
        (0..size).map(record).collect()
    };
    let report = diff(&with(0, &was), &with(10_000, &is));
    report.diagnoses.iter().map(|d| (d.kind, d.path.to_string())).collect()
}

#[test]
fn a_new_word_is_told_once_chance_would_not_have_kept_it_from_the_baseline() {
    let known = |i| json!(["card", "cash", "invoice"][(noise(i + 31) % 3) as usize]);
    let with_new = |every: u64| {
        let now = |i: u64| if i.is_multiple_of(every) { json!("voucher") } else { known(i + 500) };
        said_of(60, known, now)
    };
    // Five of 120 records lie all in the second half once in 34 draws, and the word may be any of four.
    assert_eq!(with_new(12), []);
    assert_eq!(with_new(5), [(DiagnosisKind::EnumChanged, "$.field".to_owned())]);
}

#[test]
fn one_for_another_is_told_in_a_whole_list_and_not_in_one_that_is_still_growing() {
    const NAMES: [&str; 14] = [
        "Adele", "Boris", "Clara", "Dario", "Elena", "Fritz", "Grete", "Henri", "Ilona", "Jonas", "Karla",
        "Linus", "Marta", "Nils",
    ];
    let enum_changed = |was: &dyn Fn(u64) -> usize| {
        let name = |i: u64, first: &str| match was(i) {
            0 => json!(first),
            other => json!(NAMES[other]),
        };
        let said = said_of(280, |i| name(i, "Adele"), |i| name(i, "Quentin"));
        said.iter().any(|(kind, _)| *kind == DiagnosisKind::EnumChanged)
    };
    assert!(enum_changed(&|i| (i % 14) as usize), "all names were seen often");
    // Eight names come once each, beside six that come often.
    let growing = |i: u64| if i.is_multiple_of(35) { 6 + (i / 35) as usize } else { (i % 6) as usize };
    assert!(!enum_changed(&growing), "the list has more names than were seen");
}

/// Some records of few members, of any type; members may be missing.
fn any_records() -> impl Strategy<Value = Vec<String>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-50_i64..50).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
        "[a-c]{0,2}|https://[a-c]\\.org/[a-z]{3}|[A-Z]{2}-[0-9]{3}|[A-Z][a-z]+ [A-Z][a-z]+"
            .prop_map(Value::from),
        "2026-0[1-9]-1[0-9]T0[0-9]:00:00Z".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[x-z]", inner, 0..3)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    });
    let record = prop::collection::btree_map("[a-e]|id", value, 0..5);
    let text = |members: std::collections::BTreeMap<String, Value>| {
        Value::Object(members.into_iter().collect::<Map<_, _>>()).to_string()
    };
    prop::collection::vec(record.prop_map(text), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_compared_with_themselves_are_silent(records in any_records()) {
        let report = diff(&records, &records);
        prop_assert!(report.diagnoses.is_empty(), "{:?}", report.diagnoses);
        prop_assert!(report.findings.is_empty());
    }

    #[test]
    fn every_path_that_is_named_is_there(baseline in any_records(), live in any_records()) {
        let sides = [window_of(&texts(&baseline), None, KEY), window_of(&texts(&live), None, KEY)];
        let is_there = |path: &crate::model::FieldPath| {
            path.is_root() || sides.iter().any(|side| side.profile.fields.contains_key(path))
        };
        for report in [diff(&baseline, &live), keyed(&baseline, &live)] {
            for diagnosis in &report.diagnoses {
                prop_assert!(is_there(&diagnosis.path), "{}", diagnosis.summary);
                prop_assert!(diagnosis.to.iter().all(is_there), "{}", diagnosis.summary);
                let mut candidates = diagnosis.candidates.iter();
                prop_assert!(candidates.all(|c| is_there(&c.path) && (0.0..=1.0).contains(&c.score)));
            }
        }
    }
}
