//! Documents: a version for each other content, compared with the accepted one.

use drogue::store::NewDocument;

use super::fixtures::*;
use crate::support::database::for_each_database;

fn document(n: i64, content: &[u8]) -> NewDocument {
    NewDocument {
        name: "https://example.org/openapi.yaml".to_owned(),
        fetched_at: minute(n),
        content: content.to_vec(),
        etag: Some(format!("\"{n}\"")),
        last_modified: None,
        content_type: Some("application/yaml".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_other_contents() {
    for_each_database(|store| async move {
        let name = &*document(0, b"").name;
        assert_eq!(store.document("crm", name).await.unwrap(), None);
        assert_eq!(store.save_document("crm", &document(0, b"one")).await.unwrap(), Some(1));
        assert_eq!(store.save_document("crm", &document(1, b"one")).await.unwrap(), None);
        assert_eq!(store.save_document("crm", &document(2, b"two\0\xff")).await.unwrap(), Some(2));
        assert_eq!(store.save_document("shop", &document(2, b"other")).await.unwrap(), Some(1));
        store.document_checked("crm", name, minute(3)).await.unwrap();

        let last = store.document("crm", name).await.unwrap().unwrap();
        assert_eq!((last.entry.version, &*last.content), (2, &b"two\0\xff"[..]));
        assert_eq!((last.entry.fetched_at, last.entry.checked_at), (minute(2), minute(3)));
        let accepted = store.accepted_document("crm", name).await.unwrap().unwrap();
        assert_eq!((accepted.entry.version, accepted.entry.etag.as_deref()), (1, Some("\"1\"")));
        assert!(store.accept_document("crm", name, 2, "ada", None, minute(4)).await.unwrap());
        assert!(!store.accept_document("crm", name, 9, "ada", None, minute(4)).await.unwrap());
        assert_eq!(store.accepted_document("crm", name).await.unwrap().unwrap().entry.version, 2);
        let history = store.document_history("crm", name).await.unwrap();
        assert_eq!(
            history.iter().map(|d| (d.version, d.is_accepted)).collect::<Vec<_>>(),
            [(2, true), (1, false)]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_fetch_at_once_keep_one() {
    for_each_database(|store| async move {
        for n in 0..5_u8 {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let store = store.clone();
                tasks.spawn(async move { store.save_document("crm", &document(0, &[n])).await.unwrap() });
            }
            assert_eq!(tasks.join_all().await.into_iter().flatten().collect::<Vec<_>>(), [u64::from(n) + 1]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_never_the_same_twice_is_bounded() {
    for_each_database(|store| async move {
        let name = &*document(0, b"").name;
        for n in 0..70_u8 {
            assert_eq!(store.save_document("crm", &document(0, &[n])).await.unwrap(), Some(u64::from(n) + 1));
        }
        let history = store.document_history("crm", name).await.unwrap();
        // The fifty last ones, and the one that was accepted.
        let versions: Vec<u64> = history.iter().map(|entry| entry.version).collect();
        assert_eq!(versions, (21..=70).rev().chain([1]).collect::<Vec<_>>());
        assert_eq!(store.accepted_document("crm", name).await.unwrap().unwrap().entry.version, 1);
    })
    .await;
}
