//! Streams, baselines, the request budget: exactly one, exactly so many.

use std::time::Duration;

use drogue::model::HashKey;
use drogue::profile::{ProfileOptions, Profiler};
use drogue::store::StoreError;

use super::fixtures::*;
use crate::support::database::for_each_database;

#[tokio::test(flavor = "multi_thread")]
async fn a_due_stream_is_taken_once_a_slot() {
    for_each_database(|store| async move {
        let lease = Duration::from_secs(300);
        let mut tasks = tokio::task::JoinSet::new();
        for holder in 0..8 {
            let store = store.clone();
            tasks.spawn(async move {
                store.lease_stream(&subject(), &format!("p{holder}"), minute(0), lease).await.unwrap()
            });
        }
        assert_eq!(tasks.join_all().await.into_iter().filter(|taken| *taken).count(), 1);
        assert!(!store.lease_stream(&subject(), "other", minute(4), lease).await.unwrap());
        assert!(
            store.lease_stream(&subject(), "other", minute(5), lease).await.unwrap(),
            "the holder was killed"
        );
        let mut record = check(6, vec![]);
        record.next_due = Some(minute(60));
        store.commit_check(&record, silent).await.unwrap();
        assert!(
            !store.lease_stream(&subject(), "p1", minute(7), lease).await.unwrap(),
            "not due before minute 60"
        );
        assert!(store.lease_stream(&subject(), "p1", minute(60), lease).await.unwrap());
        store.release_stream(&subject(), "p2").await.unwrap();
        assert!(!store.lease_stream(&subject(), "p2", minute(60), lease).await.unwrap());
        store.release_stream(&subject(), "p1").await.unwrap();
        assert!(store.lease_stream(&subject(), "p2", minute(60), lease).await.unwrap());
        store.set_next_due(&subject(), minute(90)).await.unwrap();
        assert_eq!(store.stream_state(&subject()).await.unwrap().unwrap().next_due, Some(minute(90)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_moves_one_version_at_a_time() {
    for_each_database(|store| async move {
        assert_eq!(store.baseline(&subject()).await.unwrap(), None);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            tasks.spawn(async move { store.save_baseline(&subject(), &baseline(1)).await });
        }
        let results = tasks.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(
            results.iter().flat_map(|r| r.as_ref().err()).all(|e| matches!(e, StoreError::Conflict { .. }))
        );
        store.save_baseline(&subject(), &baseline(2)).await.unwrap();
        assert!(store.save_baseline(&subject(), &baseline(4)).await.is_err());
        let history = store.baseline_history(&subject()).await.unwrap();
        assert_eq!(history.iter().map(|entry| entry.version).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(history[0].actor, "ada");
        let first = store.baseline_version(&subject(), 1).await.unwrap().unwrap();
        assert_eq!(first.baseline, baseline(1).baseline);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_come_in_order_of_time() {
    for_each_database(|store| async move {
        for n in [3, 1, 2] {
            let shown = if n == 3 { vec![finding("$.a")] } else { vec![] };
            store.commit_check(&check(n, shown), silent).await.unwrap();
        }
        let ids = |entries: Vec<drogue::store::WindowEntry>| {
            entries.into_iter().map(|e| e.check).collect::<Vec<_>>()
        };
        assert_eq!(
            ids(store.windows(&subject(), minute(0)).await.unwrap()),
            ["check-1", "check-2", "check-3"]
        );
        assert_eq!(ids(store.windows(&subject(), minute(4)).await.unwrap()), ["check-3"]);
        assert_eq!(store.quiet_windows(&subject(), 1).await.unwrap(), [window(2)]);
        assert_eq!(store.last_usual_window(&subject()).await.unwrap(), Some(minute(3)));
        // However many are cut short after it, it stays the last one that was whole.
        let mut cut = check(4, vec![]);
        cut.window.as_mut().unwrap().partial = true;
        store.commit_check(&cut, silent).await.unwrap();
        assert_eq!(store.last_usual_window(&subject()).await.unwrap(), Some(minute(3)));
        let last = store.window_profiles(&subject(), 3).await.unwrap();
        assert_eq!(last.into_iter().map(|w| w.window).collect::<Vec<_>>()[1..], [window(3), window(2)]);
        let state = store.stream_state(&subject()).await.unwrap().unwrap();
        assert_eq!((state.first_window, state.last_window), (Some(minute(1)), Some(minute(5))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_of_hostile_records_come_back_as_they_were() {
    let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new(*b"0123456789abcdef")));
    let records: &[&str] = &[
        r#"{"a": "inf", "b": 1.7976931348623157e308, "c": 0.1, "k\u0000": "\u0000", "d": "2020-03-31T17:00:00Z"}"#,
        r#"{"a": "NaN", "b": 5e-324, "c": 31.245270191439438, "k\u0000": "\ud83d\ude00", "d": "999999999999999999"}"#,
        r#"{"a": "1e999", "b": -1e308, "c": -0.0, "d": "9999-12-31T23:59:59.999999999Z", "e": [[], [[1e300]]]}"#,
        r#"{"a": "-1e-999", "b": 1e999, "c": 18446744073709551616, "\u202e": {"$['x']": [null, true, {}]}}"#,
        r#"{"a": "١٢٣", "b": 1, "b": 2, "c": 9007199254740993, "d": "+infinity", "e": "0x1p-1074"}"#,
        "[1, 2",
        "\u{feff}{}",
    ];
    for record in records {
        profiler.record(record.as_bytes());
    }
    let hostile = profiler.finish();
    for_each_database(|store| {
        let hostile = hostile.clone();
        async move {
            let mut record = check(0, vec![]);
            record.window.as_mut().unwrap().profile = hostile.clone();
            let mut new = baseline(1);
            new.baseline.profile = hostile;
            record.baseline = Some(new.clone());
            store.commit_check(&record, silent).await.unwrap();
            assert_eq!(store.quiet_windows(&subject(), 1).await.unwrap().pop(), record.window);
            assert_eq!(store.baseline(&subject()).await.unwrap().unwrap().baseline, new.baseline);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_so_many_requests() {
    for_each_database(|store| async move {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            tasks.spawn(async move {
                let mut granted = 0;
                for _ in 0..10 {
                    granted += u64::from(store.take_request("crm", minute(0), 25).await.unwrap());
                }
                granted
            });
        }
        assert_eq!(tasks.join_all().await.into_iter().sum::<u64>(), 25);
        assert_eq!(store.requests_used("crm", minute(0)).await.unwrap(), 25);
        assert!(!store.take_request("crm", minute(1), 25).await.unwrap());
        assert!(store.take_request("crm", minute(1), 26).await.unwrap(), "the limit was raised");
        assert!(store.take_request("crm", minute(1440), 25).await.unwrap(), "another day");
        assert!(store.take_request("shop", minute(0), 25).await.unwrap(), "another connector");
        assert!(!store.take_request("none", minute(0), 0).await.unwrap());
    })
    .await;
}
