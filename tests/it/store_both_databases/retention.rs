//! Retention: the old and decided goes, the present and undecided stays.

use drogue::model::{FindingState, PatchState, Period};
use drogue::store::{AuditEntry, FindingFilter, NewDocument, PatchFilter, RetentionSettings};

use super::fixtures::*;
use crate::support::database::for_each_database;

#[tokio::test(flavor = "multi_thread")]
async fn the_present_stays_whatever_its_age() {
    for_each_database(|store| async move {
        // Clean until 3, drifting from 4 on; nothing after that.
        for n in 0..8 {
            let mut record = check(n, if n < 4 { vec![] } else { vec![finding("$.a")] });
            record.diagnoses = if n < 4 { vec![] } else { vec![diagnosis("d", &[&finding("$.a")])] };
            record.patches = if n < 4 { vec![] } else { vec![patch("b: 1\n", &["d"])] };
            store.commit_check(&record, silent).await.unwrap();
        }
        for version in 1..=3 {
            store.save_baseline(&subject(), &baseline(version)).await.unwrap();
        }
        for n in 0..3 {
            let document = NewDocument {
                name: "docs".to_owned(),
                fetched_at: minute(n),
                content: vec![n as u8],
                etag: None,
                last_modified: None,
                content_type: None,
            };
            store.save_document("crm", &document).await.unwrap();
        }
        store
            .enqueue(&[message("waits", vec![]), message("sent", vec![]), message("dead", vec![])], minute(0))
            .await
            .unwrap();
        store.message_sent("sent", minute(1)).await.unwrap();
        store.message_dead("dead", "410", minute(1)).await.unwrap();

        let years_later = minute(60 * 24 * 365 * 5);
        let nothing = store.prune(minute(10), &RetentionSettings::default()).await.unwrap();
        assert_eq!(nothing.total(), 0);
        let counts = store.prune(years_later, &RetentionSettings::default()).await.unwrap();
        assert_eq!((counts.windows, counts.checks), (6, 7));
        assert_eq!((counts.baselines, counts.documents, counts.messages), (2, 1, 2));
        assert_eq!((counts.findings, counts.diagnoses, counts.patches), (0, 0, 0));
        assert!(counts.audit > 0);

        assert_eq!(store.quiet_windows(&subject(), 1).await.unwrap(), [window(3)]);
        assert_eq!(store.window_profiles(&subject(), 9).await.unwrap()[0].window, window(7));
        assert_eq!(store.baseline(&subject()).await.unwrap().unwrap().entry.version, 3);
        assert_eq!(store.findings(&FindingFilter::default()).await.unwrap().len(), 1);
        assert_eq!(store.patches(&PatchFilter::pending()).await.unwrap().len(), 1);
        assert_eq!(store.outbox_counts().await.unwrap().pending, 1);
        assert!(store.last_check(&subject()).await.unwrap().is_some());
        assert_eq!(store.document("crm", "docs").await.unwrap().unwrap().entry.version, 3);
        assert_eq!(store.accepted_document("crm", "docs").await.unwrap().unwrap().entry.version, 1);
        // The log was cut at its old end, and its chain holds.
        assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
        store.record_audit(&AuditEntry::new("test", "ada", years_later, "x")).await.unwrap();
        assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
        assert_eq!(store.prune(years_later, &RetentionSettings::default()).await.unwrap().total(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decided_goes_when_it_is_old() {
    for_each_database(|store| async move {
        let mut record = check(0, vec![finding("$.a")]);
        record.diagnoses = vec![diagnosis("d", &[&finding("$.a")])];
        record.patches = vec![patch("b: 1\n", &["d"])];
        store.commit_check(&record, silent).await.unwrap();
        store
            .set_patch_state(
                &record.patches[0].id,
                &[PatchState::Proposed],
                PatchState::Rejected,
                None,
                minute(1),
                &[],
            )
            .await
            .unwrap();
        store.resolve_all(&subject(), "ada", None, minute(2)).await.unwrap();
        let keep = RetentionSettings { findings: Period::from_secs(600), ..Default::default() };
        let counts = store.prune(minute(12), &keep).await.unwrap();
        assert_eq!(
            (counts.diagnoses, counts.patches, counts.findings),
            (1, 1, 0),
            "the finding was resolved last"
        );
        assert_eq!(store.prune(minute(13), &keep).await.unwrap().findings, 1);
        let all = FindingFilter { states: vec![FindingState::Resolved], ..Default::default() };
        assert!(store.findings(&all).await.unwrap().is_empty());
        assert!(store.patches(&PatchFilter::default()).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_batch_goes_at_once() {
    for_each_database(|store| async move {
        let messages: Vec<_> = (0..1_201).map(|n| message(&format!("m{n}"), vec![])).collect();
        store.enqueue(&messages, minute(0)).await.unwrap();
        for message in &messages {
            store.message_dead(&message.id, "410", minute(0)).await.unwrap();
        }
        let keep = RetentionSettings { messages: Period::from_secs(60), ..Default::default() };
        assert_eq!(store.prune(minute(2), &keep).await.unwrap().messages, 1_201);
    })
    .await;
}
