//! Findings: hysteresis, flapping, acknowledgement, silences, hostile text.

use drogue::diagnose::{FLAP_WINDOWS, RESOLVE_AFTER};
use drogue::model::{Category, Fact, Finding, FindingState, Inconclusive, Severity, Subject};
use drogue::store::{CheckRecord, FindingFilter, Silence, Store, StoreError};

use super::fixtures::*;
use crate::support::database::for_each_database;

async fn state_of(store: &Store, path: &str) -> FindingState {
    store.finding(&finding(path).fingerprint.0).await.unwrap().unwrap().finding.state
}

#[tokio::test(flavor = "multi_thread")]
async fn one_miss_is_not_the_end() {
    for_each_database(|store| async move {
        assert_eq!(store.commit_check(&check(0, vec![finding("$.a")]), silent).await.unwrap().new.len(), 1);
        let outcome = store.commit_check(&check(1, vec![]), silent).await.unwrap();
        assert_eq!((outcome.still_open.len(), outcome.resolved.len()), (1, 0));
        let outcome = store.commit_check(&check(2, vec![finding("$.a")]), silent).await.unwrap();
        assert_eq!((outcome.still_open.len(), outcome.reopened.len()), (1, 0));
        for n in 3..3 + RESOLVE_AFTER as i64 - 1 {
            assert!(store.commit_check(&check(n, vec![]), silent).await.unwrap().resolved.is_empty());
        }
        let outcome = store.commit_check(&check(9, vec![]), silent).await.unwrap();
        assert_eq!(outcome.resolved[0].resolved_at, Some(minute(9)));
        assert_eq!(outcome.resolved[0].finding.first_seen, Some(minute(0)));
        assert_eq!(outcome.resolved[0].finding.last_seen, Some(minute(2)));

        let outcome = store.commit_check(&check(10, vec![finding("$.a")]), silent).await.unwrap();
        let back = &outcome.reopened[0];
        assert_eq!((back.opened_at, back.finding.first_seen), (minute(10), Some(minute(0))));
        assert_eq!(back.resolved_at, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_judged_is_not_missed() {
    for_each_database(|store| async move {
        let mut docs = finding("$.docs");
        docs.category = Category::Docs;
        store.commit_check(&check(0, vec![finding("$.a"), finding("$.b"), docs]), silent).await.unwrap();
        for n in 1..5 {
            let mut record = check(n, vec![]);
            record.inconclusive =
                vec![Inconclusive { path: "$.a".parse().unwrap(), why: "12 records; 20 needed".to_owned() }];
            store.commit_check(&record, silent).await.unwrap();
        }
        assert_eq!(state_of(&store, "$.a").await, FindingState::Open);
        assert_eq!(state_of(&store, "$.docs").await, FindingState::Open);
        assert_eq!(state_of(&store, "$.b").await, FindingState::Resolved);
        for n in 5..9 {
            let partial = CheckRecord { judges: Vec::new(), ..check(n, vec![]) };
            store.commit_check(&partial, silent).await.unwrap();
        }
        assert_eq!(state_of(&store, "$.a").await, FindingState::Open);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flapping_is_told_once() {
    for_each_database(|store| async move {
        // On for one window, off for two: each time long enough to be resolved.
        let (mut opened, mut resolved, mut flapping) = (0, 0, 0);
        for n in 0..60 {
            let shown = if n % 3 == 0 { vec![finding("$.a")] } else { vec![] };
            let outcome = store.commit_check(&check(n, shown), silent).await.unwrap();
            opened += outcome.new.len() + outcome.reopened.len();
            resolved += outcome.resolved.len();
            flapping += outcome.flapping.len();
        }
        assert_eq!((opened, resolved, flapping), (3, 3, 1));
        assert_eq!(state_of(&store, "$.a").await, FindingState::Flapping);

        // It settles: away for long, it is resolved.
        for n in 60..60 + FLAP_WINDOWS as i64 {
            resolved += store.commit_check(&check(n, vec![]), silent).await.unwrap().resolved.len();
        }
        assert_eq!(resolved, 4);
        // And after as long again its comeback is a plain one.
        for n in 70..80 {
            store.commit_check(&check(n, vec![]), silent).await.unwrap();
        }
        let outcome = store.commit_check(&check(80, vec![finding("$.a")]), silent).await.unwrap();
        assert_eq!((outcome.reopened.len(), outcome.flapping.len()), (1, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flapping_that_stays_is_open_again() {
    for_each_database(|store| async move {
        for n in 0..12 {
            let shown = if n % 3 == 0 { vec![finding("$.a")] } else { vec![] };
            store.commit_check(&check(n, shown), silent).await.unwrap();
        }
        assert_eq!(state_of(&store, "$.a").await, FindingState::Flapping);
        for n in 12..24 {
            let outcome = store.commit_check(&check(n, vec![finding("$.a")]), silent).await.unwrap();
            assert_eq!(outcome.still_open.len(), 1);
        }
        assert_eq!(state_of(&store, "$.a").await, FindingState::Open);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gets_worse_is_news() {
    for_each_database(|store| async move {
        let lesser = Finding { severity: Severity::Warning, ..finding("$.a") };
        store.commit_check(&check(0, vec![lesser.clone()]), silent).await.unwrap();
        assert!(store.acknowledge(&lesser.fingerprint, "ada", None, minute(1)).await.unwrap());
        let same = store.commit_check(&check(2, vec![lesser.clone()]), silent).await.unwrap();
        assert_eq!(same.worse, []);
        let worse = store.commit_check(&check(3, vec![finding("$.a")]), silent).await.unwrap();
        assert_eq!((&worse.worse, worse.still_open.len()), (&vec![lesser.fingerprint.clone()], 1));
        assert_eq!(state_of(&store, "$.a").await, FindingState::Open, "nobody has seen that");
        // Less again is no news, and neither is the same.
        for (n, shown) in [(4, finding("$.a")), (5, lesser.clone()), (6, lesser.clone())] {
            assert_eq!(store.commit_check(&check(n, vec![shown]), silent).await.unwrap().worse, []);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_is_all_or_nothing() {
    for_each_database(|store| async move {
        store.commit_check(&check(0, vec![finding("$.a"), finding("$.b")]), silent).await.unwrap();
        let meant = [finding("$.a").fingerprint];
        let accept = |version| {
            let (store, meant) = (store.clone(), meant.clone());
            async move { store.accept(&subject(), Some(&baseline(version)), &meant, "ada", None, minute(7)).await }
        };
        // Somebody else has moved the baseline: nothing is resolved either.
        assert!(matches!(accept(5).await, Err(StoreError::Conflict { .. })));
        assert_eq!(state_of(&store, "$.a").await, FindingState::Open);
        assert_eq!(accept(1).await.unwrap(), meant);
        assert_eq!(state_of(&store, "$.a").await, FindingState::Resolved);
        assert_eq!(state_of(&store, "$.b").await, FindingState::Open);
        assert_eq!(store.baseline(&subject()).await.unwrap().unwrap().entry.version, 1);
        assert!(store.verify_audit().await.unwrap().is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_until_it_is_resolved() {
    for_each_database(|store| async move {
        let seen = finding("$.a");
        store.commit_check(&check(0, vec![seen.clone()]), silent).await.unwrap();
        let ack = |at| store.acknowledge(&seen.fingerprint, "ada", Some("on it"), minute(at));
        assert!(ack(1).await.unwrap());
        assert!(!ack(1).await.unwrap(), "once is enough");
        store.commit_check(&check(2, vec![seen.clone()]), silent).await.unwrap();
        assert_eq!(state_of(&store, "$.a").await, FindingState::Acknowledged);
        for n in 3..5 {
            store.commit_check(&check(n, vec![]), silent).await.unwrap();
        }
        assert!(!ack(5).await.unwrap(), "it is resolved");
        store.commit_check(&check(6, vec![seen.clone()]), silent).await.unwrap();
        let back = store.finding(&seen.fingerprint.0).await.unwrap().unwrap();
        assert_eq!((back.finding.state, back.note), (FindingState::Open, None));
        let said = store.audit_about(&seen.fingerprint.0).await.unwrap();
        assert_eq!(said.len(), 1);
        assert_eq!((&*said[0].entry.actor, said[0].entry.reason.as_deref()), ("ada", Some("on it")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_resolves_all_of_the_stream() {
    for_each_database(|store| async move {
        let mut record = check(0, vec![finding("$.a"), finding("$.b")]);
        record.diagnoses = vec![diagnosis("d", &[&finding("$.a")])];
        store.commit_check(&record, silent).await.unwrap();
        let other = Subject { connector: "crm".to_owned(), stream: "customers".to_owned() };
        let mut elsewhere = CheckRecord { subject: other.clone(), ..check(1, vec![finding("$.a")]) };
        elsewhere.id = "elsewhere".to_owned();
        store.commit_check(&elsewhere, silent).await.unwrap();

        assert_eq!(
            store.resolve_all(&subject(), "ada", Some("new normal"), minute(2)).await.unwrap().len(),
            2
        );
        assert_eq!(store.resolve_all(&subject(), "ada", None, minute(2)).await.unwrap(), []);
        assert!(store.current_diagnoses(&subject()).await.unwrap().is_empty());
        let open = store.findings(&FindingFilter::default()).await.unwrap();
        assert_eq!(open.iter().map(|record| &record.subject).collect::<Vec<_>>(), [&other]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_what_is_asked_for() {
    for_each_database(|store| async move {
        let mut mild = finding("$.B");
        mild.severity = Severity::Info;
        store
            .commit_check(&check(0, vec![mild, finding("$.b"), finding("$.a"), finding("$.Z")]), silent)
            .await
            .unwrap();
        let paths = |filter: FindingFilter| {
            let store = store.clone();
            async move {
                let records = store.findings(&filter).await.unwrap();
                records.iter().map(|record| record.finding.path.to_string()).collect::<Vec<_>>()
            }
        };
        // Worst first, then by path, bytewise: no database's collation shows.
        assert_eq!(paths(FindingFilter::default()).await, ["$.Z", "$.a", "$.b", "$.B"]);
        let least = FindingFilter { min_severity: Some(Severity::Warning), ..Default::default() };
        assert_eq!(paths(least).await.len(), 3);
        let resolved = FindingFilter { states: vec![FindingState::Resolved], ..Default::default() };
        assert!(paths(resolved).await.is_empty());
        let of_stream = |stream: &str| FindingFilter {
            connector: Some("crm".to_owned()),
            stream: Some(stream.to_owned()),
            ..Default::default()
        };
        assert_eq!(paths(of_stream("orders")).await.len(), 4);
        assert!(paths(of_stream("Orders")).await.is_empty(), "names are case-sensitive");

        assert!(matches!(store.finding("").await, Err(StoreError::Ambiguous { .. })));
        assert_eq!(store.finding("no such").await.unwrap(), None);
        assert_eq!(store.finding("%").await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silences_hold_until_their_end() {
    for_each_database(|store| async move {
        let mut silence = Silence::new("ada", Some("known"), minute(0), minute(60));
        silence.path = Some("$.geo.*".to_owned());
        let added = store.add_silence(&silence).await.unwrap();
        assert_eq!(store.add_silence(&silence).await.unwrap().id, added.id);
        let active = store.active_silences(minute(1)).await.unwrap();
        assert_eq!(active, std::slice::from_ref(&added));
        assert!(active[0].mutes(&subject(), &finding("$.geo.lat"), minute(1)));
        assert!(!active[0].mutes(&subject(), &finding("$.lat"), minute(1)));
        assert!(!active[0].mutes(&subject(), &finding("$.geo.lat"), minute(60)));
        assert!(store.active_silences(minute(60)).await.unwrap().is_empty());

        let ended = store.expire_silence(&added.id[..4], "bob", minute(5)).await.unwrap().unwrap();
        assert_eq!(ended.until, minute(5));
        assert!(store.active_silences(minute(5)).await.unwrap().is_empty());
        assert_eq!(store.expire_silence(&added.id, "bob", minute(6)).await.unwrap(), None);
        assert_eq!(store.silences().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_and_numbers_come_back() {
    for_each_database(|store| async move {
        let hostile = "a\0b'; DROP TABLE findings; -- \u{202e}\u{1f4a5}\\u0000%_\"";
        let subject = Subject { connector: format!("crm{hostile}"), stream: hostile.to_owned() };
        let mut seen = finding("$.a");
        seen.message = hostile.to_owned();
        seen.evidence.set("ratio", f64::NAN);
        seen.evidence.set("other", Fact::Number(f64::INFINITY));
        seen.evidence.set("word", hostile);
        let mut drawn = diagnosis("d", &[&seen]);
        drawn.confidence = f64::NAN;
        drawn.detail.set("ratio", f64::NEG_INFINITY);
        let mut record = check(0, vec![seen.clone()]);
        record.subject = subject.clone();
        record.id = hostile.to_owned();
        record.diagnoses = vec![drawn];
        store.commit_check(&record, silent).await.unwrap();
        assert!(!store.commit_check(&record, silent).await.unwrap().stored);

        let back = store.finding(&seen.fingerprint.0).await.unwrap().unwrap();
        assert_eq!(back.finding.message, hostile);
        assert_eq!(back.finding.evidence.text("word"), Some(hostile));
        assert_eq!(back.finding.evidence.text("ratio"), Some("NaN"));
        assert_eq!(back.finding.evidence.text("other"), Some("inf"));
        assert!(store.acknowledge(&seen.fingerprint, hostile, Some(hostile), minute(1)).await.unwrap());
        let drawn = &store.current_diagnoses(&subject).await.unwrap()[0].diagnosis;
        assert_eq!((drawn.confidence, drawn.detail.text("ratio")), (0.0, Some("-inf")));
        assert_eq!(store.quiet_windows(&subject, 1).await.unwrap(), []);
        assert_eq!(store.window(hostile).await.unwrap(), record.window);
        // In a column of its own, NUL is the picture of NUL, on both databases.
        let (kept, _) = store.streams().await.unwrap().remove(0);
        assert_eq!(kept.stream, hostile.replace('\0', "\u{2400}"));
        assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
    })
    .await;
}
