//! What is counted of variants, and that it merges.

use proptest::prelude::*;

use super::*;
use crate::model::HashKey;
use crate::profile::{Profile, ProfileOptions, Profiler};

fn profile<R: AsRef<str>>(records: impl IntoIterator<Item = R>) -> Profile {
    let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new([5; 16])));
    records.into_iter().for_each(|record| profiler.record(record.as_ref().as_bytes()));
    profiler.finish()
}

fn table<'p>(profile: &'p Profile, path: &str) -> &'p Variants {
    profile.variants.get(&path.parse().unwrap()).unwrap_or_else(|| panic!("no variants by `{path}`"))
}

#[test]
fn fields_are_counted_by_variant_wherever_the_object_is() {
    let seen = profile([
        r#"{"type": "card", "last4": "4242", "items": [{"kind": "a\/b", "n": 1}, {"kind": "c", "n": null}]}"#,
        r#"{"last4": null, "type": "card", "items": []}"#,
        r#"{"type": "bank", "iban": {"type": "x", "no": [{"type": "y"}]}, "items": [{"n": 1}, {"kind": 7}]}"#,
        r#"{"type": null, "iban": 1}"#,
        r#"{"type": "two words", "iban": 1}"#,
    ]);
    let by_type = table(&seen, "$.type");
    assert!(by_type.by_value.keys().eq(["bank", "card"]));
    let card = &by_type.by_value["card"];
    assert_eq!(
        (card.objects, card.present("last4"), card.present("iban"), card.present("items")),
        (2, 2, 0, 2)
    );
    assert_eq!(card.members["last4"].get(JsonType::Null), 1);
    assert_eq!(card.present("type"), 0, "what a field says of itself is no news");
    assert_eq!(table(&seen, "$.items[*].kind").by_value["a/b"].present("n"), 1);
    assert_eq!(table(&seen, "$.iban.type").by_value["x"].members["no"].get(JsonType::Array), 1);
    assert_eq!(seen.variants.len(), 4);
}

#[test]
fn of_equal_keys_the_last_tells_the_variant() {
    let seen = profile([r#"{"type": "a", "x": 1, "type": "b", "x": null}"#]);
    assert!(table(&seen, "$.type").by_value.keys().eq(["b"]));
    assert_eq!(table(&seen, "$.type").by_value["b"].members["x"].get(JsonType::Null), 1);
    assert_eq!(table(&seen, "$.type").by_value["b"].present("x"), 1);
}

#[test]
fn many_values_are_no_variants_and_many_names_no_table_each() {
    let many = profile((0..=Variants::CAP).map(|i| format!(r#"{{"type": "t{i}", "x": 1}}"#)));
    assert_eq!(*table(&many, "$.type"), Variants { overflown: true, by_value: BTreeMap::new() });
    let names = ["a_type", "b_type", "c_type", "type", "kind", "__typename"];
    let members: Vec<String> = names.iter().map(|name| format!(r#""{name}": "v""#)).collect();
    let wide = profile([format!("{{{}}}", members.join(","))]);
    let kept: Vec<String> = wide.variants.keys().map(ToString::to_string).collect();
    assert_eq!(kept, ["$.__typename", "$.a_type", "$.kind", "$.type"]);
    let hostile: Vec<String> = (0..900).map(|i| format!(r#""f{}_type": "v""#, i + 1000)).collect();
    assert_eq!(profile([format!("{{{}}}", hostile.join(","))]).variants.len(), PER_OBJECT);
}

#[test]
fn what_is_seldom_or_no_identifier_is_not_stored() {
    let long = "x".repeat(LONGEST + 1);
    let odd = ["", "Ann Lee", "a@example.org", "täxt", long.as_str()];
    let texts = odd.iter().map(|value| format!(r#"{{"type": "{value}", "x": 1}}"#));
    assert!(profile(texts).variants.is_empty());
    let record = |i: usize| format!(r#"{{"type": "{}", "x": 1}}"#, if i < 9 { "rare" } else { "often" });
    let stored = profile((0..30).map(record)).redacted();
    assert!(table(&stored, "$.type").by_value.keys().eq(["often"]));
}

/// Objects with several discriminators, of which some have too many values and some become values of maps.
fn record(seed: u64) -> String {
    let values = seed % 23;
    let name = ["type", "kind", "a_type", "zType", "event", "@type"][(seed >> 8) as usize % 6];
    let other = ["type", "object", "b_type", "$type"][(seed >> 16) as usize % 4];
    let key = match (seed >> 24) % 4 {
        0 => format!("2024-01-{:02}", seed % 28 + 1),
        n => format!("m{n}"),
    };
    let inner = format!(r#"{{"{other}": "v{}", "f{}": null}}"#, (seed >> 32) % 19, (seed >> 40) % 5);
    format!(
        r#"{{"{name}": "v{values}", "{other}": {}, "x{}": {inner}, "map": {{"{key}": {inner}, "type": "w"}}, "list": [{inner}, {inner}, 1]}}"#,
        if seed.is_multiple_of(3) { "null" } else { r#""w""# },
        (seed >> 48) % 3,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merges_to_the_same_in_any_partition_and_order(
        seeds in prop::collection::vec(any::<u64>(), 1..90),
        parts in prop::collection::vec(0..4_usize, 90),
        order in Just([0, 1, 2, 3_usize]).prop_shuffle(),
    ) {
        let texts: Vec<String> = seeds.iter().map(|seed| record(*seed)).collect();
        let whole = profile(&texts);
        let part = |number| {
            profile(texts.iter().zip(&parts).rev().filter(|(_, part)| **part == number).map(|(text, _)| text))
        };
        let merged = order.map(part).into_iter().reduce(|mut all, part| { all.merge(&part).unwrap(); all });
        prop_assert_eq!(&merged.unwrap().variants, &whole.variants);
        for (path, table) in &whole.variants {
            prop_assert!(table.by_value.len() <= Variants::CAP && whole.fields.contains_key(path), "{}", path);
            let objects = &whole.fields[&path.parent().unwrap()];
            let counted: u64 = table.by_value.values().map(|variant| variant.objects).sum();
            prop_assert!(counted <= objects.types.get(JsonType::Object));
        }
    }
}
