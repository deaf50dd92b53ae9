use proptest::strategy::Strategy as _;

use super::*;
use crate::spec::read;

fn of(text: &str) -> Vec<Announcement> {
    announcements(&read("notes.md", None, text.as_bytes()).unwrap())
}

const NOTES: &str = "# Orders\n\nThe `name` field was replaced by `full_name`. Please update your integration.\n\n\
     ## Money\n\n`amount` is now returned in cents. The state of an order is one of open, paid.\n\n\
     ## Old\n\nThe legacy_code property will be removed on March 3, 2026. It is deprecated since 2024.\n";

#[test]
fn a_diagnosis_quotes_the_sentence_that_speaks_of_its_field() {
    let notes = of(NOTES);
    let quote = |field: &str, kinds: &[AnnouncementKind]| {
        mentioning(&notes, &[field.parse().unwrap()], kinds, &[]).map(|quote| (quote.sentence, quote.section))
    };
    let said = |sentence: &str, section: &str| Some((sentence.to_owned(), section.to_owned()));
    let renamed = said("The `name` field was replaced by `full_name`.", "Orders");
    assert_eq!(quote("$.customer.name", &[]), renamed);
    assert_eq!(quote("$.full_name", &[AnnouncementKind::Renamed]), renamed);
    assert_eq!(quote("$.amount", &[]), said("`amount` is now returned in cents.", "Orders › Money"));
    assert_eq!(quote("$.name", &[AnnouncementKind::Ends]), None);
    assert_eq!(quote("$.state", &[]), None, "a word of everyday is no name");
    let quote = mentioning(&notes, &["$.legacy_code".parse().unwrap()], &[], &[]).unwrap();
    assert_eq!(quote.when.unwrap().to_string(), "2026-03-03");
}

#[test]
fn an_api_description_announces_in_its_texts_and_extensions() {
    let description = serde_json::json!({
        "openapi": "3.1.0",
        "info": {"title": "shop", "description": "Version 1 will be shut down on 2027-01-31."},
        "paths": {"/v1/orders": {"get": {
            "description": "Lists orders.", "x-sunset": "2026-12-31",
            "parameters": [{"name": "page", "in": "query", "description": "Deprecated; use `cursor` from 2026-09-01 on."}],
            "responses": {"200": {"description": "Will be removed on 1 May 2026", "content": {"application/json": {
                "example": {"description": "This endpoint will be removed on 2026-01-01."}}}}}
        }}},
        "components": {"schemas": {"Order": {"properties": {"state": {"description": "Deprecated. Use `status`."}}}}}
    });
    let found = announcements(&read("api.json", None, description.to_string().as_bytes()).unwrap());
    let told: Vec<String> = found
        .iter()
        .map(|a| {
            let when = a.when.map(|when| when.to_string()).unwrap_or_default();
            format!("{} {} {:?} {:?} {when}", a.section, a.kind.word(), a.operations, a.fields)
        })
        .collect();
    assert_eq!(
        told,
        [
            "the API as a whole ends [\"/v1\"] [] 2027-01-31",
            "GET /v1/orders ends [\"GET /v1/orders\"] [] 2026-12-31",
            "GET /v1/orders deprecated [\"GET /v1/orders\"] [\"page\"] 2026-09-01",
            "GET /v1/orders ends [\"GET /v1/orders\"] [] 2026-05-01",
            "schema Order deprecated [] [\"state\"] ",
        ]
    );
}

#[test]
fn a_dated_heading_dates_what_counts_from_it() {
    let found = of("# Changelog\n\n## 2026-04-10\n\nThe orders endpoint will be removed in 90 days.\n");
    assert_eq!(found[0].when.unwrap().to_string(), "2026-07-09");
    assert_eq!(found[0].written.unwrap().to_string(), "2026-04-10");
}

#[test]
fn only_what_is_new_is_newly_said() {
    let kinds = [AnnouncementKind::Ends, AnnouncementKind::Deprecated];
    let (before, after) = ("Deprecated. Use b.", "Use b, please.\nDeprecated.\nThe v1 API was retired.");
    assert_eq!(newly(before, after, &kinds).as_deref(), Some("The v1 API was retired."));
    assert_eq!(newly(after, before, &kinds), None);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever a text holds, it is read without a panic, and a second time to the same.
    #[test]
    fn any_text_is_read(
        words in proptest::collection::vec(
            proptest::prop_oneof![
                "\\PC{0,12}",
                proptest::sample::select(vec![
                    "v1", "`name`", " will be removed on ", "2026-03-04", "03/04/2026", "/v1/é/{id}", "deprecated", ". ", "\n",
                    "\u{a0}", " replaced by ", "100 requests per minute", "GET ", "https://x.y/", "Q3 2026", "in 90 days", "…",
                ]).prop_map(str::to_owned),
            ],
            0..24,
        )
    ) {
        let section = Section { title: words.join(" "), text: words.concat(), written: Some(Date::constant(2026, 4, 10)), ..Section::default() };
        let document = Document::Sections(crate::spec::Sections { sections: vec![section], ..Default::default() });
        proptest::prop_assert_eq!(announcements(&document), announcements(&document));
    }
}
