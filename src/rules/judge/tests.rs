use super::*;
use crate::model::{Category, ChangeKind, FieldPath, MappedField};

fn subject() -> Subject {
    Subject { connector: "crm".to_owned(), stream: "customers".to_owned() }
}

fn change(kind: ChangeKind, path: &str, facts: Facts) -> Change {
    Change { kind, path: path.parse().unwrap(), to: Vec::new(), facts }
}

fn removed(path: &str) -> Change {
    change(
        ChangeKind::FieldRemoved,
        path,
        Facts::new().with("presence", 1.0).with("baseline_records", 500_u64).with("live_records", 480_u64),
    )
}

fn mapping(paths: &[&str], passes_others: bool) -> MappedStream {
    let field = |path: &&str| MappedField {
        sources: vec![path.parse().unwrap()],
        target: (*path).to_owned(),
        declared: None,
    };
    MappedStream {
        name: "customers".to_owned(),
        endpoint: None,
        method: "GET".to_owned(),
        records: None,
        primary_key: Vec::new(),
        cursor: None,
        fields: paths.iter().map(field).collect(),
        passes_others,
    }
}

fn judge(set: &RuleSet, changes: Vec<Change>, mapping: Option<&MappedStream>, learning: bool) -> Judgement {
    let comparison = Comparison { changes, ..Comparison::default() };
    set.judge(&subject(), &comparison, &JudgeContext { mapping, learning, at: Timestamp::UNIX_EPOCH })
}

#[test]
fn severity_follows_what_the_connector_reads() {
    let set = RuleSet::builtin();
    let severity = |mapping: Option<&MappedStream>| {
        judge(&set, vec![removed("$.name")], mapping, false).findings[0].severity
    };
    assert_eq!(severity(None), Severity::Breaking);
    assert_eq!(severity(Some(&mapping(&["$.name"], false))), Severity::Breaking);
    assert_eq!(severity(Some(&mapping(&["$.name.first"], false))), Severity::Breaking);
    assert_eq!(severity(Some(&mapping(&["$.id"], false))), Severity::Warning);
    // What is passed on unnamed may matter to somebody.
    assert_eq!(severity(Some(&mapping(&["$.id"], true))), Severity::Breaking);
}

#[test]
fn findings_say_what_was_seen_worst_first_and_keep_their_fingerprint() {
    let set = RuleSet::builtin();
    let added = change(
        ChangeKind::FieldAdded,
        "$.a",
        Facts::new().with("presence", 1.0).with("types", vec!["string".to_owned()]),
    );
    let one = judge(&set, vec![added.clone(), removed("$.name")], None, false);
    let rules: Vec<&str> = one.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["field-removed", "field-added"]);
    assert_eq!(
        one.findings[0].message,
        "`$.name` is gone: it was in 100 % of 500 records, and is in none of 480"
    );
    assert_eq!(one.findings[0].category, Category::Schema);
    // Other counts, another order: the same findings.
    let mut later = removed("$.name");
    later.facts.set("live_records", 12_u64);
    let two = judge(&set, vec![later, added], None, false);
    assert_eq!(one.findings[0].fingerprint, two.findings[0].fingerprint);
    let again = judge(&set, vec![removed("$.name"), one_added()], None, false);
    assert_eq!(one.findings, again.findings);
    // Which finding speaks for which change is told in the order of the changes.
    let of_findings: Vec<_> = one.findings.iter().map(|finding| Some(finding.fingerprint.clone())).collect();
    assert_eq!(again.speakers, of_findings);
    assert!(one.speakers.iter().eq(of_findings.iter().rev()));
}

fn one_added() -> Change {
    change(
        ChangeKind::FieldAdded,
        "$.a",
        Facts::new().with("presence", 1.0).with("types", vec!["string".to_owned()]),
    )
}

#[test]
fn overrides_have_the_last_word_and_the_later_one_wins() {
    let path: FieldPath = "$.address".parse().unwrap();
    let ignore = RuleOverride { path: Some(path.clone()), ignore: true, ..RuleOverride::default() };
    let set = RuleSet::builtin().with_overrides(vec![ignore.clone()]);
    let judged = judge(&set, vec![removed("$.address.zip"), removed("$.addressee")], None, false);
    assert_eq!((judged.findings.len(), judged.ignored), (1, 1));
    let milder = RuleOverride {
        rule: Some("field-removed".to_owned()),
        connector: Some("crm".to_owned()),
        severity: Some(Severity::Info),
        ..RuleOverride::default()
    };
    let other = RuleOverride { stream: Some("orders".to_owned()), ignore: true, ..RuleOverride::default() };
    let set = RuleSet::builtin().with_overrides(vec![ignore, milder, other]);
    let judged = judge(&set, vec![removed("$.address.zip")], None, false);
    assert_eq!((judged.findings[0].severity, judged.ignored), (Severity::Info, 0));
}

#[test]
fn while_learning_only_hard_facts_alert_and_nothing_is_lost() {
    let shifted = change(
        ChangeKind::DistributionShifted,
        "$.price",
        Facts::new().with("baseline_records", 500_u64).with("live_records", 500_u64),
    );
    let judged = judge(&RuleSet::builtin(), vec![removed("$.name"), shifted.clone()], None, true);
    assert_eq!(judged.findings.len(), 1);
    assert_eq!(judged.inconclusive.len(), 1);
    assert!(judged.inconclusive[0].why.contains("still learning"));
    let mut few = shifted;
    few.facts.set("live_records", 12_u64);
    let judged = judge(&RuleSet::builtin(), vec![few], None, false);
    assert_eq!(judged.inconclusive[0].why, "12 live records; 20 needed");
}

#[test]
fn findings_on_documents_are_told_apart_by_operation() {
    let docs = |operation: &str| {
        change(
            ChangeKind::DocsChanged,
            "$",
            Facts::new().with("what", "operation-removed").with("operation", operation),
        )
    };
    let judged =
        judge(&RuleSet::builtin(), vec![docs("GET /a"), docs("GET /b"), docs("GET /a")], None, false);
    assert_eq!(judged.findings.len(), 2);
}

#[test]
fn every_change_of_every_kind_ends_somewhere() {
    for kind in crate::rules::CHANGE_KINDS {
        for learning in [false, true] {
            let judged = judge(&RuleSet::builtin(), vec![change(kind, "$.x", Facts::new())], None, learning);
            assert_eq!(judged.findings.len() + judged.inconclusive.len(), 1, "{kind:?}");
        }
    }
}
