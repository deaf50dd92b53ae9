//! What a profile says of given records, and its laws.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::{FieldPath, HashKey, JsonType, Step};

fn options() -> ProfileOptions {
    ProfileOptions::new(HashKey::new([9; 16]))
}

fn profile_with<R: AsRef<[u8]>>(options: ProfileOptions, records: impl IntoIterator<Item = R>) -> Profile {
    let mut profiler = Profiler::new(options);
    for record in records {
        profiler.record(record.as_ref());
    }
    profiler.finish()
}

fn profile<R: AsRef<[u8]>>(records: impl IntoIterator<Item = R>) -> Profile {
    profile_with(options(), records)
}

fn field<'p>(profile: &'p Profile, path: &str) -> &'p FieldProfile {
    profile.fields.get(&path.parse().unwrap()).unwrap_or_else(|| panic!("no field `{path}`"))
}

fn bytes(profile: &Profile) -> String {
    serde_json::to_string(profile).unwrap()
}

#[test]
fn counts_by_path() {
    let profile = profile([
        r#"{"id": 1, "user": {"name": "Ann", "admin": true}, "tags": ["a", "b"], "items": [{"n": 1}, {"n": null}]}"#,
        r#" { "id" : 2.50 , "user" : null , "tags" : [ ] , "items" : [ { } ] } "#,
        r#"{"tags": ["c"], "id": "3", "user": {"name": "Caf\u00e9"}}"#,
    ]);
    assert_eq!(profile.records, 3);
    assert_eq!(profile.malformed, Malformed::default());
    let id = field(&profile, "$.id");
    assert_eq!((id.parents, id.present, id.position_sum), (3, 3, 1));
    assert_eq!(id.types.get(JsonType::Integer), 1);
    assert_eq!(id.types.get(JsonType::Number), 1);
    assert_eq!(id.numbers.as_ref().unwrap().decimals[..3], [1, 0, 1]);
    let user = field(&profile, "$.user");
    assert!((user.null_rate() - 1.0 / 3.0).abs() < 1e-9 && user.is_container());
    let name = field(&profile, "$.user.name");
    assert_eq!((name.parents, name.present), (2, 2));
    assert_eq!(name.strings.as_ref().unwrap().max_length, 4, "an escape is one character");
    assert_eq!((field(&profile, "$.user.admin").trues, field(&profile, "$.user.admin").presence()), (1, 0.5));
    let tags = field(&profile, "$.tags").arrays.as_ref().unwrap();
    assert_eq!((tags.count, tags.empty, tags.lengths.quantile(1.0)), (3, 1, Some(2.0)));
    assert_eq!(field(&profile, "$.tags[*]").present, 3);
    let n = field(&profile, "$.items[*].n");
    assert_eq!((n.parents, n.present, n.null_rate()), (3, 2, 0.5));
    assert_eq!(field(&profile, "$").presence(), 1.0);
}

#[test]
fn a_broken_record_leaves_no_trace() {
    let good = [r#"{"a": 1, "b": {"c": "x"}}"#, r#"{"a": 2}"#];
    let broken: [&[u8]; 13] = [
        br#"{"a": 1, "new": {"x": 1}, "z": 1e999}"#,
        br#"{"a": 1, "new2": "\ud83d"}"#,
        br#"{"a": 1, "#,
        br#"{"a": 1,}"#,
        br#"{"a" 1}"#,
        br#"[1 2]"#,
        br#"[1,]"#,
        b"{\"a\": \"\xff\"}",
        b"",
        b"nul",
        b"{} {}",
        b"{\"a\": 1}\0",
        b"{\"a\": 01}",
    ];
    let mixed = profile(broken.iter().copied().chain(good.iter().map(|r| r.as_bytes())).chain(broken));
    let mut clean = profile(good);
    assert_eq!(mixed.malformed.number_out_of_range, 2);
    assert_eq!(mixed.malformed.lone_surrogate, 2);
    assert_eq!(mixed.malformed.encoding, 2);
    assert_eq!(mixed.malformed.syntax, 20);
    clean.malformed = mixed.malformed;
    assert_eq!(bytes(&mixed), bytes(&clean));
}

#[test]
fn of_equal_keys_the_last_counts() {
    let doubled = profile([r#"{"a": {"b": "x"}, "c": 1, "a": {"b": 5, "b": 6}}"#]);
    assert_eq!(doubled.malformed.duplicate_keys, 1);
    assert_eq!(field(&doubled, "$.a").present, 1);
    let b = field(&doubled, "$.a.b");
    assert_eq!((b.present, b.numbers.as_ref().unwrap().max), (1, 6.0));
    assert!(b.strings.is_none());
    let many = format!("{{{}\"a\": 1}}", "\"a\": [1, {}], ".repeat(100_000));
    assert_eq!(field(&profile([many]), "$.a").present, 1);
}

#[test]
fn keys_that_need_escapes_are_not_expected_without_them() {
    let written = [r#"{"a": 1, "b\"c": 1}"#, r#"{"a": 1, "d\\": 1}"#, r#"{"a": 1, "e\nf": 1}"#];
    let raw = ["{\"a\": 1, \"b\"c\": 1}", "{\"a\": 1, \"d\\\": 1}", "{\"a\": 1, \"e\nf\": 1}"];
    for (written, raw) in written.into_iter().zip(raw) {
        let profile = profile([written, written, raw]);
        assert_eq!((profile.records, profile.malformed.syntax), (2, 1), "{raw}");
    }
    let spellings = profile([r#"{"a": 1}"#, r#"{"\u0061": 1}"#, r#"{"a": 1}"#]);
    assert_eq!((field(&spellings, "$.a").present, spellings.fields.len()), (3, 2));
}

#[test]
fn hostile_records_are_bounded() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(profile([&deep]).malformed.too_deep, 1);
    let mut unbounded = options();
    unbounded.max_depth = u16::MAX;
    let nested = "[".repeat(50_000) + &"]".repeat(50_000);
    unbounded.max_fields = 10;
    let shallow = profile_with(unbounded, [&nested]);
    assert_eq!((shallow.records, shallow.malformed.too_many_fields, shallow.fields.len()), (1, 1, 10));

    let keys: Vec<String> = (0..1_000_000).map(|i| format!("\"k{i}x\":{i}")).collect();
    let wide = profile([format!("{{{}}}", keys.join(","))]);
    assert!(field(&wide, "$").is_map);
    assert_eq!(wide.fields.len(), 2);
    assert_eq!(field(&wide, "$[*]").present, 1_000_000);

    let long = profile([format!("\"{}\"", "Ab1 ".repeat(5_000_000))]);
    assert_eq!(field(&long, "$").strings.as_ref().unwrap().max_length, 20_000_000);
    assert_eq!(profile([b"\0\0\0".as_slice()]).malformed.syntax, 1);
}

#[test]
fn keys_that_are_data_are_one_field() {
    let record = |i: usize| {
        format!(r#"{{"rates": {{"2024-01-{:02}": {{"v": {i}, "w": null}}}}, "n": {i}}}"#, i % 28 + 1)
    };
    let all = profile((0..60).map(record));
    assert!(field(&all, "$.rates").is_map);
    assert_eq!(field(&all, "$.rates[*].v").present, 60);
    assert_eq!(all.fields.len(), 6);
    let mut parts = profile((0..3).map(record));
    assert!(!field(&parts, "$.rates").is_map, "three dates may be chosen by a designer");
    parts.merge(&profile((3..60).map(record))).unwrap();
    assert_eq!(bytes(&parts), bytes(&all));

    let optional = |i: usize| format!(r#"{{"field_{}": 1, "size_{}": "x"}}"#, i % 20, i % 7);
    assert!(!field(&profile((0..500).map(optional)), "$").is_map);
}

#[test]
fn entities_pair_across_windows_and_types() {
    let keyed =
        || ProfileOptions { key: Some(KeySpec { paths: vec!["$.id".parse().unwrap()] }), ..options() };
    let before =
        profile_with(keyed(), (0..2_000).map(|i| format!(r#"{{"id": {i}, "v": {}, "s": "x{i}"}}"#, i * 2)));
    let after = profile_with(keyed(), (0..2_000).map(|i| format!(r#"{{"v": {}, "id": "{i}"}}"#, i * 200)));
    assert_eq!(before.entities.records.len(), Entities::CAP);
    assert!(before.entities.records.keys().eq(after.entities.records.keys()), "a retyped id still pairs");
    let path: FieldPath = "$.v".parse().unwrap();
    for (key, record) in &before.entities.records {
        let (SampleValue::Number(old, _), SampleValue::Number(new, _)) =
            (&record.0[&path], &after.entities.records[key].0[&path])
        else {
            panic!("numbers are expected")
        };
        assert_eq!(*new, old * 100.0);
    }
    assert_eq!(before.entities.repeated, 0);

    let again =
        ["{\"id\": 1, \"v\": 1}", "{\"id\": 2, \"v\": 1}", "{\"id\": 1, \"v\": 1}", "{\"id\": 2, \"v\": 2}"];
    let polled = profile_with(keyed(), again);
    assert_eq!((polled.entities.records.len(), polled.entities.repeated), (1, 1));
    let off = profile_with(ProfileOptions { samples: SampleMode::Off, ..keyed() }, again);
    assert_eq!(off.entities.seen.len(), 0);
}

#[test]
fn only_what_is_frequent_is_stored_in_clear() {
    let record =
        |i: usize| format!(r#"{{"status": "{}", "n": {}}}"#, if i == 0 { "rare" } else { "often" }, i % 2);
    let stored = profile((0..30).map(record)).redacted();
    let text = bytes(&stored);
    assert!(text.contains("often") && !text.contains("rare"));
    assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), stored);
}

#[test]
fn sampled_sketches_leave_structure_exact() {
    let records: Vec<String> = (0..1_000).map(|i| format!(r#"{{"a": {i}, "b": [{i}]}}"#)).collect();
    let sampled = ProfileOptions { sketches: Sketches::Sampled { warm_up: 100, one_in: 10 }, ..options() };
    let profile = profile_with(sampled, &records);
    assert_eq!(field(&profile, "$.a").types.get(JsonType::Integer), 1_000);
    assert_eq!(field(&profile, "$.a").numbers.as_ref().unwrap().count, 190);
    assert_eq!(field(&profile, "$.b").arrays.as_ref().unwrap().count, 1_000);
}

#[test]
fn profiles_made_otherwise_do_not_merge() {
    let mut one = profile(["1"]);
    let other = profile_with(ProfileOptions::new(HashKey::new([8; 16])), ["1"]);
    assert_eq!(one.merge(&other), Err(MergeError::HashKey));
    let mut old = profile(["1"]);
    old.version = 0;
    assert_eq!(one.merge(&old), Err(MergeError::Version(PROFILE_VERSION, 0)));
    let off = profile_with(ProfileOptions { samples: SampleMode::Off, ..options() }, ["1"]);
    assert_eq!(one.merge(&off), Err(MergeError::Entities));
}

/// JSON as APIs send it, with keys and values that often come again.
fn json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6_f64..1e6).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c]{0,2}|[A-Z]{2}-[0-9]{1,3}|20[0-9]{2}-0[1-9]-1[0-9](T1[0-9]:00:00Z)?|[0-9.,]{1,6}"
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 48, 6, |inner| {
        let keys = "[a-d]|[a-z]{2}|20[0-9]{2}-01-1[0-9]|\\PC{0,3}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((keys, inner), 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// A record of up to sixteen of twenty keys in any order: objects that grow beyond what is scanned, and back.
fn wide() -> impl Strategy<Value = String> {
    let keys: Vec<char> = ('a'..'u').collect();
    prop::sample::subsequence(keys, 0..16).prop_shuffle().prop_map(|keys| {
        let members: Vec<String> = keys.iter().map(|key| format!("\"{key}\":1")).collect();
        format!("{{{}}}", members.join(","))
    })
}

/// A record whose fields, over some hundred seeds, outgrow every sketch or stay just below: more values than hashes or
/// top values are kept, more patterns, more octaves, keys that are data, entities that come again with other values.
fn crowded(seed: u64, spread: u32) -> String {
    let (low, high) = (seed % 1_000, seed >> 40);
    let id = match seed % 7 {
        0 => format!("\"{}\"", low % 40),
        1 => "null".to_owned(),
        _ => format!("{low}"),
    };
    let nested = match seed % 3 {
        0 => format!("[{low}, \"{high:x}\", [{{\"v\": {low}.5}}], []]"),
        1 => format!("{{\"2024-01-{:02}\": {{\"v\": {low}}}, \"n\": null}}", low % 28 + 1),
        _ => format!("\"{}\"", "aA9-".repeat(low as usize % 9)),
    };
    let unit = 10_f64.powi((seed % u64::from(spread)) as i32 - 9);
    format!(
        r#"{{"id": {id}, "few": "{}", "at": "2024-05-{:02}T00:00:{:02}Z", "text": " {seed:x} é\u00e9", "nested": {nested},
            "number": {}, "size_{}": true, "same": 1}}"#,
        low % 51,
        low % 31 + 1,
        high % 61,
        (high as f64 - 8e6) * unit,
        low % 5,
    )
}

/// What arbitrary bytes seldom are: tokens, half tokens, and what readers of JSON stumble over.
const PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"a\":",
    b"\"a\":",
    b"\"b\":1",
    b"\"b\":{}",
    b"\"",
    b"\\",
    b"\"\\ud83d\"",
    b"\"\\ud83d\\ude00\"",
    b"\"\\ude00",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xed\xa0\x80",
    b"\0",
    b"null",
    b"true",
    b"tru",
    b"NaN",
    b"-",
    b"0",
    b"-0",
    b"00",
    b"1e999",
    b"-1e-999",
    b"123456789012345678901234567890",
    b"1.",
    b" ",
    b"\n",
    "\"\u{2028}é\"".as_bytes(),
    b"\"2024-02-30T25:61:61Z\"",
    b"\"9999999999999\"",
    b"\"&#;&amp;\"",
    b"\"1.234.567,8-\"",
];

/// Whether a path of a profile leads to something in a value.
fn leads_somewhere(value: &Value, steps: &[Step]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    match (step, value) {
        (Step::Key(key), Value::Object(members)) => {
            members.get(&**key).is_some_and(|v| leads_somewhere(v, rest))
        }
        (Step::Each, Value::Array(elements)) => elements.iter().any(|v| leads_somewhere(v, rest)),
        (Step::Each, Value::Object(members)) => members.values().any(|v| leads_somewhere(v, rest)),
        _ => false,
    }
}

/// The first field in which two profiles differ, for a message that can be read.
fn first_difference(one: &Profile, other: &Profile) -> Option<String> {
    let fields = one.fields.keys().chain(other.fields.keys());
    let differs = |path: &&FieldPath| one.fields.get(*path) != other.fields.get(*path);
    let field = fields.into_iter().find(differs);
    Some(match field {
        Some(path) => format!("{path}: {:#?} and {:#?}", one.fields.get(path), other.fields.get(path)),
        None => format!("{:#?} and {:#?}", one.entities, other.entities),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merges_to_the_same_bytes_in_any_partition_and_order(
        records in prop::collection::vec(json(), 1..40),
        parts in prop::collection::vec(0..4_usize, 40),
        order in Just([0, 1, 2, 3_usize]).prop_shuffle(),
        group in any::<bool>(),
    ) {
        let texts: Vec<String> = records.iter().map(Value::to_string).collect();
        let whole = profile(&texts);
        let part = |number| profile(texts.iter().zip(&parts).filter(|(_, p)| **p == number).map(|(text, _)| text));
        let [a, b, c, d] = order.map(part);
        let merged = if group {
            let (mut left, mut right) = (a, c);
            left.merge(&b).unwrap();
            right.merge(&d).unwrap();
            left.merge(&right).unwrap();
            left
        } else {
            [b, c, d].iter().fold(a, |mut all, part| { all.merge(part).unwrap(); all })
        };
        prop_assert!(bytes(&merged) == bytes(&whole), "{:?}", first_difference(&merged, &whole));
        prop_assert_eq!(&serde_json::from_str::<Profile>(&bytes(&whole)).unwrap(), &whole);
    }

    #[test]
    fn records_that_cannot_be_read_leave_no_trace_among_others(
        records in prop::collection::vec((wide(), any::<bool>()), 1..24),
        parts in prop::collection::vec(any::<bool>(), 24),
    ) {
        let good: Vec<String> = records.iter().filter(|(_, is_good)| *is_good).map(|(text, _)| text.clone()).collect();
        let mixed: Vec<String> = records
            .into_iter()
            .map(|(text, is_good)| if is_good { text } else { text.replace('}', ",\"end\":-}") })
            .collect();
        let mut clean = profile(&good);
        let whole = profile(&mixed);
        clean.malformed = whole.malformed;
        prop_assert!(bytes(&clean) == bytes(&whole), "{:?}", first_difference(&clean, &whole));
        let part = |is_first: bool| profile(mixed.iter().zip(&parts).filter(|(_, p)| **p == is_first).map(|(text, _)| text));
        let mut merged = part(true);
        merged.merge(&part(false)).unwrap();
        prop_assert!(bytes(&merged) == bytes(&whole), "{:?}", first_difference(&merged, &whole));
    }

    #[test]
    fn reads_what_serde_json_reads(record in json(), at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<bool>()) {
        let mut text = record.to_string().into_bytes();
        let at = at.index(text.len());
        let with = b"{}[],:\"\\u0e19.-+ \n\0truenlfasd"[usize::from(with) % 29];
        if cut { text.remove(at); } else { text[at] = with; }
        let expected = serde_json::from_slice::<Value>(&text).is_ok();
        let profile = profile([&text]);
        prop_assert_eq!(profile.records == 1, expected, "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn takes_any_bytes(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..8)) {
        let count = records.len() as u64;
        let profile = profile(&records);
        prop_assert_eq!(profile.records + profile.malformed.unread(), count);
        if let Ok(text) = std::str::from_utf8(&records.concat()) {
            let _ = split_records(text, &FieldPath::root(), 8);
            let _ = guess_records_path(text);
            let _ = Format::of(text).number_of(text);
            let _ = pattern(text);
        }
    }

    #[test]
    fn takes_what_is_nearly_json(
        pieces in prop::collection::vec(prop::collection::vec(prop::sample::select(PIECES), 0..24), 1..12),
    ) {
        let records: Vec<Vec<u8>> = pieces.iter().map(|pieces| pieces.concat()).collect();
        let (odd, even) = (profile(records.iter().skip(1).step_by(2)), profile(records.iter().step_by(2)));
        let mut merged = odd.clone();
        merged.merge(&even).unwrap();
        prop_assert_eq!(merged.records + merged.malformed.unread(), records.len() as u64);
        prop_assert_eq!(bytes(&merged), bytes(&profile(&records)));
        for record in &records {
            let expected = serde_json::from_slice::<Value>(record).is_ok();
            prop_assert_eq!(profile([record]).records == 1, expected, "{}", String::from_utf8_lossy(record));
        }
        let (one, other) = align(&odd, &even);
        let _ = (find_keys(&one), find_keys(&other), merged.redacted());
    }

    #[test]
    fn every_path_exists_in_the_data(records in prop::collection::vec(json(), 1..20)) {
        let profile = profile(records.iter().map(Value::to_string));
        for (path, field) in &profile.fields {
            prop_assert!(records.iter().any(|record| leads_somewhere(record, path.steps())), "{}", path);
            prop_assert!(field.present > 0 && field.presence() <= 1.0, "{}", path);
        }
        for path in profile.entities.records.values().flat_map(|record| record.0.keys()) {
            prop_assert!(profile.fields.contains_key(path), "{}", path);
        }
    }

    #[test]
    fn splitting_gives_the_records_back(records in prop::collection::vec(json(), 0..10)) {
        let body = serde_json::json!({"meta": {"n": 1}, "data": {"items": records}}).to_string();
        let split = split_records(&body, &"$.data.items[*]".parse().unwrap(), 64).unwrap();
        let texts: Vec<String> = records.iter().map(Value::to_string).collect();
        prop_assert_eq!(split, texts);
    }
}

proptest! {
    // Each case profiles some hundred records twice.
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn merges_beyond_what_sketches_hold(
        seeds in prop::collection::vec(any::<u64>(), 300..700),
        spread in 1..40_u32,
        keyed in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 3),
        order in Just([0, 1, 2, 3_usize]).prop_shuffle(),
    ) {
        let options = || ProfileOptions {
            key: keyed.then(|| KeySpec { paths: vec!["$.id".parse().unwrap()] }),
            samples: SampleMode::Clear,
            ..options()
        };
        let texts: Vec<String> = seeds.iter().map(|seed| crowded(*seed, spread)).collect();
        let whole = profile_with(options(), &texts);
        prop_assert!(whole.entities.seen.len() == Entities::CAP || keyed);
        // Each part takes its records backwards.
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(texts.len())).collect();
        cuts.extend([0, texts.len()]);
        cuts.sort_unstable();
        let part = |at: usize| profile_with(options(), texts[cuts[at]..cuts[at + 1]].iter().rev());
        let merged = order.map(part).into_iter().reduce(|mut all, part| { all.merge(&part).unwrap(); all }).unwrap();
        prop_assert!(bytes(&merged) == bytes(&whole), "{:?}", first_difference(&merged, &whole));
        prop_assert_eq!(find_keys(&merged), find_keys(&whole));
        prop_assert_eq!(bytes(&merged.redacted()), bytes(&whole.redacted()));
    }
}

/// A key that has to be written with escapes is not found where another one stands, whatever was read and given up before.
#[test]
fn a_record_that_is_given_up_leaves_no_expectation() {
    let deep = format!("{{\"q\":1,\"z\":{}{}}}", "[".repeat(300), "]".repeat(300));
    let escaped = r#"{"x\":1,\"y":5}"#;
    let records = [deep.as_str(), escaped, r#"{"x":1,"y":2}"#, r#"{"x":1,"y":3}"#];
    let profile = profile_with(options(), records);
    let seen = |key: &str| profile.fields.get(&FieldPath::of_keys([key])).map_or(0, |field| field.present);
    assert_eq!([seen("x"), seen("y"), seen("x\":1,\"y")], [2, 2, 1]);
}
