//! One check is one transaction, and idempotent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use drogue::model::{ErrorClass, Inconclusive, PatchState};
use drogue::store::{CheckOutcome, CheckRecord, FindingFilter, NewDocument, PatchFilter, Store};

use super::fixtures::*;
use crate::support::database::{TestDatabase, for_each_database};

/// Everything that a check may hold.
fn whole_check(n: i64) -> CheckRecord {
    let gone = finding("$.a");
    let mut record = check(n, vec![gone.clone(), finding("$.c")]);
    record.diagnoses = vec![diagnosis(&format!("d{n}"), &[&gone])];
    record.patches = vec![patch(&format!("b: {n}\n"), &[&format!("d{n}")])];
    record.documents = vec![NewDocument {
        name: "openapi.yaml".to_owned(),
        fetched_at: minute(n),
        content: b"openapi: 3.1.0".to_vec(),
        etag: None,
        last_modified: None,
        content_type: None,
    }];
    record.inconclusive =
        vec![Inconclusive { path: "$.x".parse().unwrap(), why: "12 records; 20 needed".to_owned() }];
    record.baseline = Some(baseline(1));
    record.next_due = Some(minute(n + 60));
    record.learning_until = Some(minute(n + 1440));
    record
}

/// Everything of a database that a reader can see, as text.
async fn whole_store(store: &Store) -> String {
    format!(
        "{:#?}",
        (
            store.stream_state(&subject()).await.unwrap(),
            store.last_check(&subject()).await.unwrap(),
            store.window_profiles(&subject(), 100).await.unwrap(),
            store.findings(&FindingFilter::default()).await.unwrap(),
            store.current_diagnoses(&subject()).await.unwrap(),
            store.patches(&PatchFilter::default()).await.unwrap(),
            store.baseline_history(&subject()).await.unwrap(),
            store.document_history("crm", "openapi.yaml").await.unwrap(),
            store.messages(100).await.unwrap(),
            store.audit(100).await.unwrap(),
        )
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn comes_back_as_it_was() {
    for_each_database(|store| async move {
        let record = whole_check(1);
        let outcome = store.commit_check(&record, tell).await.unwrap();
        assert!(outcome.stored);
        assert_eq!(outcome.new.len(), 2);
        assert_eq!(outcome.new_diagnoses, ["d1"]);
        assert_eq!(outcome.new_patches, record.patches);
        assert_eq!(outcome.new_documents, [("openapi.yaml".to_owned(), 1)]);
        assert_eq!(outcome.messages, ["m1-2"]);

        assert_eq!(store.window("check-1").await.unwrap(), record.window);
        assert_eq!(store.quiet_windows(&subject(), 1).await.unwrap(), []);
        assert_eq!(store.baseline(&subject()).await.unwrap().unwrap().baseline, baseline(1).baseline);
        let last = store.last_check(&subject()).await.unwrap().unwrap();
        assert_eq!((last.outcome, last.inconclusive), (CheckOutcome::Observed, record.inconclusive.clone()));
        let state = store.stream_state(&subject()).await.unwrap().unwrap();
        assert_eq!((state.windows, state.next_due), (1, record.next_due));
        assert_eq!(state, outcome.state);
        let told = store.finding(&finding("$.a").fingerprint.0[..6]).await.unwrap().unwrap();
        assert_eq!(told.told_at, Some(minute(1)));
        assert_eq!(store.messages(9).await.unwrap()[0].message.escalation.findings.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_twice_changes_nothing() {
    for_each_database(|store| async move {
        store.commit_check(&whole_check(1), tell).await.unwrap();
        let before = whole_store(&store).await;
        // Even where the second try says other things: a check is what was stored first.
        let mut again = whole_check(1);
        again.findings.push(finding("$.z"));
        let outcome = store.commit_check(&again, |_| panic!("no messages are made")).await.unwrap();
        assert!(!outcome.stored);
        assert!(store.has_check("check-1").await.unwrap());
        assert_eq!(whole_store(&store).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn is_stored_once_however_many_try() {
    for_each_database(|store| async move {
        let calls = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (store, calls) = (store.clone(), Arc::clone(&calls));
            tasks.spawn(async move {
                let record = whole_check(1);
                let made = |outcome: &drogue::store::CommitOutcome| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    tell(outcome)
                };
                store.commit_check(&record, made).await.unwrap().stored
            });
        }
        let stored = tasks.join_all().await.into_iter().filter(|stored| *stored).count();
        assert_eq!((stored, calls.load(Ordering::Relaxed)), (1, 1));
        assert_eq!(store.outbox_counts().await.unwrap().pending, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn loses_no_window_of_many_at_once() {
    for_each_database(|store| async move {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8 {
            let store = store.clone();
            tasks.spawn(async move {
                for n in 0..5 {
                    store.commit_check(&check(task * 5 + n, vec![finding("$.a")]), tell).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        let state = store.stream_state(&subject()).await.unwrap().unwrap();
        assert_eq!((state.windows, state.version), (40, 40));
        assert_eq!(store.windows(&subject(), minute(0)).await.unwrap().len(), 40);
        // The first told it; the other thirty-nine saw that it was there.
        assert_eq!(store.outbox_counts().await.unwrap().pending, 1);
        assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_in_the_middle_leaves_nothing() {
    for_each_database(|store| async move {
        store.commit_check(&check(0, vec![]), silent).await.unwrap();
        let before = whole_store(&store).await;
        let other = store.clone();
        let cut = tokio::spawn(async move {
            // All is written by now, and nothing committed.
            other.commit_check(&whole_check(1), |_| panic!("the process ends here")).await
        });
        assert!(cut.await.is_err());
        assert_eq!(whole_store(&store).await, before);
        assert!(store.commit_check(&whole_check(1), tell).await.unwrap().stored);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_at_any_point_is_all_or_nothing() {
    for_each_database(|store| async move {
        for n in 0..30_u32 {
            let other = store.clone();
            let mut record = whole_check(i64::from(n) + 1);
            record.baseline = None;
            let id = record.id.clone();
            let windows = store.stream_state(&subject()).await.unwrap().map_or(0, |state| state.windows);
            // Yielding n times lets it come n steps further; on two threads that is about as good as random.
            let task = tokio::spawn(async move { other.commit_check(&record, tell).await.map(|_| ()) });
            for _ in 0..n * 7 {
                tokio::task::yield_now().await;
            }
            task.abort();
            let _ = task.await;
            // A commit may be on its way: whoever takes the stream's row next waits for it.
            store.set_next_due(&subject(), minute(0)).await.unwrap();
            let is_there = store.has_check(&id).await.unwrap();
            let state = store.stream_state(&subject()).await.unwrap().unwrap_or_default();
            assert_eq!(state.windows, windows + u64::from(is_there));
            assert_eq!(store.window(&id).await.unwrap().is_some(), is_there);
        }
        assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
        assert_eq!(store.integrity().await.unwrap(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_counted_until_it_answers() {
    for_each_database(|store| async move {
        let failed = |n| {
            let outcome = CheckOutcome::Failed {
                class: ErrorClass::Outage,
                message: "status 503".to_owned(),
                attempts: 3,
            };
            CheckRecord::new(format!("check-{n}"), subject(), minute(n), outcome)
        };
        store.commit_check(&check(0, vec![finding("$.a")]), silent).await.unwrap();
        for n in 1..=5 {
            let outcome = store.commit_check(&failed(n), silent).await.unwrap();
            // Failing to look is not drift: what was open is open.
            assert_eq!((outcome.still_open.len(), outcome.resolved.len()), (1, 0));
        }
        let state = store.stream_state(&subject()).await.unwrap().unwrap();
        assert_eq!((state.failures, state.failing_since, state.windows), (5, Some(minute(1)), 1));
        assert!(matches!(state.last_outcome, Some(CheckOutcome::Failed { class: ErrorClass::Outage, .. })));
        let outcome = store.commit_check(&check(6, vec![]), silent).await.unwrap();
        assert_eq!((outcome.state.failures, outcome.state.failing_since), (0, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_reading_takes_the_place_of_an_older_one() {
    for_each_database(|store| async move {
        let gone = finding("$.a");
        let mut first = check(1, vec![gone.clone()]);
        first.diagnoses = vec![diagnosis("removed", &[&gone])];
        first.patches = vec![patch("b: 1\n", &["removed"])];
        store.commit_check(&first, silent).await.unwrap();

        let mut second = check(2, vec![gone.clone()]);
        second.diagnoses = vec![diagnosis("renamed", &[&gone])];
        second.patches = vec![patch("b: 2\n", &["removed", "renamed"])];
        let outcome = store.commit_check(&second, silent).await.unwrap();
        assert_eq!(outcome.ended_diagnoses, ["removed"]);
        assert_eq!(outcome.superseded_patches, [first.patches[0].id.clone()]);
        assert_eq!(
            store.patch(&first.patches[0].id).await.unwrap().unwrap().patch.state,
            PatchState::Superseded
        );

        // The drift is gone before anybody decided: so is the reason of its patch.
        store.commit_check(&check(3, vec![]), silent).await.unwrap();
        let outcome = store.commit_check(&check(4, vec![]), silent).await.unwrap();
        assert_eq!(outcome.ended_diagnoses, ["renamed"]);
        assert_eq!(outcome.expired_patches, [second.patches[0].id.clone()]);
        assert!(store.diagnosis("renamed").await.unwrap().is_some_and(|stored| !stored.is_current));

        // It is back: the same patch waits again.
        second.id = "check-5".to_owned();
        let outcome = store.commit_check(&second, silent).await.unwrap();
        assert_eq!(outcome.new_patches.len(), 1);
        assert_eq!(store.patches(&PatchFilter::pending()).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_see_one_database() {
    for database in [Some(TestDatabase::sqlite()), TestDatabase::postgres()].into_iter().flatten() {
        let (one, two) = (database.open().await, database.open().await);
        assert_eq!(one.hash_key(), two.hash_key());
        let (a, b) =
            tokio::join!(async { one.commit_check(&whole_check(1), tell).await.unwrap().stored }, async {
                two.commit_check(&whole_check(1), tell).await.unwrap().stored
            },);
        assert!(a ^ b, "{}", database.name);
        assert_eq!(whole_store(&one).await, whole_store(&two).await);
    }
}
