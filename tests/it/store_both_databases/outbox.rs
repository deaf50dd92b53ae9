//! The outbox: each message is sent by one process, and none is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fixtures::*;
use crate::support::database::for_each_database;

const LEASE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn each_message_is_leased_once() {
    for_each_database(|store| async move {
        let messages: Vec<_> = (0..120).map(|n| message(&format!("m{n:03}"), vec![])).collect();
        assert_eq!(store.enqueue(&messages, minute(0)).await.unwrap().len(), 120);
        assert_eq!(store.enqueue(&messages, minute(0)).await.unwrap(), Vec::<String>::new());
        let mut tasks = tokio::task::JoinSet::new();
        for holder in 0..8 {
            let store = store.clone();
            tasks.spawn(async move {
                let mut taken = Vec::new();
                loop {
                    let due = store.due_messages(minute(1), &format!("p{holder}"), LEASE, 7).await.unwrap();
                    if due.is_empty() {
                        return taken;
                    }
                    for message in due {
                        store.message_sent(&message.id, minute(1)).await.unwrap();
                        taken.push(message.id);
                    }
                }
            });
        }
        let mut times = BTreeMap::new();
        for id in tasks.join_all().await.into_iter().flatten() {
            *times.entry(id).or_insert(0) += 1;
        }
        assert_eq!(times.len(), 120);
        assert!(times.values().all(|n| *n == 1), "{times:?}");
        assert_eq!(store.outbox_counts().await.unwrap().sent, 120);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_with_its_time() {
    for_each_database(|store| async move {
        store.enqueue(&[message("m", vec![])], minute(0)).await.unwrap();
        assert!(
            store.due_messages(minute(0), "a", LEASE, 9).await.unwrap().is_empty(),
            "it is due at minute 1"
        );
        assert_eq!(store.next_message_at().await.unwrap(), Some(minute(1)));
        assert_eq!(store.due_messages(minute(1), "a", LEASE, 9).await.unwrap().len(), 1);
        assert!(store.due_messages(minute(1), "b", LEASE, 9).await.unwrap().is_empty());
        assert_eq!(store.next_message_at().await.unwrap(), Some(minute(2)));
        // The process that had it was killed between sending and saying so: the same message once more.
        let again = store.due_messages(minute(2), "b", LEASE, 9).await.unwrap();
        assert_eq!((&*again[0].id, again[0].attempts), ("m", 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_comes_again_and_dead_does_not() {
    for_each_database(|store| async move {
        store.enqueue(&[message("a", vec![]), message("b", vec![])], minute(0)).await.unwrap();
        assert_eq!(store.due_messages(minute(1), "p", LEASE, 9).await.unwrap().len(), 2);
        store.message_failed("a", "status 500\0", minute(5)).await.unwrap();
        store.message_dead("b", "status 410", minute(1)).await.unwrap();
        assert!(store.due_messages(minute(4), "p", LEASE, 9).await.unwrap().is_empty());
        let again = store.due_messages(minute(5), "p", LEASE, 9).await.unwrap();
        assert_eq!((&*again[0].id, again[0].attempts, again[0].next_at), ("a", 1, minute(5)));
        store.message_sent("a", minute(5)).await.unwrap();
        store.message_dead("a", "too late", minute(6)).await.unwrap();

        let counts = store.outbox_counts().await.unwrap();
        assert_eq!((counts.pending, counts.sent, counts.dead, counts.oldest_pending), (0, 1, 1, None));
        let dead = store.messages(9).await.unwrap().into_iter().find(|kept| kept.message.id == "b").unwrap();
        assert_eq!(dead.last_error.as_deref(), Some("status 410"));
        assert_eq!(store.revive_messages(minute(9)).await.unwrap(), 1);
        assert_eq!(store.due_messages(minute(9), "p", LEASE, 9).await.unwrap()[0].id, "b");
    })
    .await;
}
