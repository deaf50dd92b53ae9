//! Patches: of several who decide at once, one does; writes to files leave a journal.

use drogue::model::{Decision, DecisionKind, PatchState, Verification, VerifiedCheck};
use drogue::store::{
    FileWrite, FindingFilter, PatchFilter, Store, StoreError, UndoCopy, WriteEnd, WriteKind, WriteRecord,
};

use super::fixtures::*;
use crate::support::database::for_each_database;

const PENDING: [PatchState; 3] = [PatchState::Proposed, PatchState::Verified, PatchState::Unverifiable];

async fn propose(store: &Store) -> String {
    let mut record = check(0, vec![finding("$.a"), finding("$.b")]);
    record.diagnoses = vec![diagnosis("d", &[&finding("$.a")])];
    record.patches = vec![patch("b: 1\n", &["d"])];
    store.commit_check(&record, silent).await.unwrap();
    record.patches[0].id.clone()
}

fn decision(kind: DecisionKind, actor: &str, about: &str) -> Decision {
    Decision { kind, actor: actor.to_owned(), reason: None, about: about.to_owned(), at: minute(2) }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_who_decide_one_does() {
    for_each_database(|store| async move {
        let id = propose(&store).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8 {
            let (store, id) = (store.clone(), id.clone());
            tasks.spawn(async move {
                let (kind, to) = if n % 2 == 0 {
                    (DecisionKind::Approve, PatchState::Approved)
                } else {
                    (DecisionKind::Reject, PatchState::Rejected)
                };
                let decision = decision(kind, &format!("user-{n}"), &id);
                let told = [message(&format!("decided-{n}"), vec![])];
                store.set_patch_state(&id, &PENDING, to, Some(&decision), minute(2), &told).await.unwrap()
            });
        }
        let won = tasks.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1);
        let rows = store.audit_about(&id).await.unwrap();
        assert_eq!(rows.iter().filter(|row| row.entry.actor.starts_with("user-")).count(), 1);
        assert_eq!(store.outbox_counts().await.unwrap().pending, 1, "the losers' messages are not sent");
        assert!(store.patches(&PatchFilter::pending()).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_decisions_and_delivery_do_not_stand_in_each_others_way() {
    for_each_database(|store| async move {
        let id = propose(&store).await;
        let told = |n: i64| message(&format!("m{n}"), vec![finding("$.a"), finding("$.b")]);
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..6_i64 {
            let (store, id) = (store.clone(), id.clone());
            tasks.spawn(async move {
                for n in 0..10 {
                    let n = 100 + task * 10 + n;
                    match task % 3 {
                        0 => {
                            let mut record = check(n, vec![finding("$.b"), finding("$.a")]);
                            record.diagnoses = vec![diagnosis("d", &[&finding("$.a")])];
                            record.patches = vec![patch("b: 1\n", &["d"])];
                            store.commit_check(&record, |_| vec![told(n)]).await.unwrap();
                        }
                        1 => {
                            let told = [told(n)];
                            store
                                .set_patch_state(&id, &PENDING, PatchState::Verified, None, minute(n), &told)
                                .await
                                .unwrap();
                        }
                        _ => {
                            let lease = std::time::Duration::from_secs(1);
                            for due in store.due_messages(minute(n), &n.to_string(), lease, 5).await.unwrap()
                            {
                                store.message_sent(&due.id, minute(n)).await.unwrap();
                            }
                            store.enqueue(&[told(n)], minute(n)).await.unwrap();
                        }
                    }
                }
            });
        }
        tasks.join_all().await;
        assert_eq!(store.messages(100).await.unwrap().len(), 60);
        assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_is_kept_while_it_waits() {
    for_each_database(|store| async move {
        let id = propose(&store).await;
        let check = VerifiedCheck { what: "b is filled in 21 of 21".to_owned(), passed: true };
        let passed = Verification { passed: true, samples: 21, checks: vec![check] };
        assert!(store.set_verification(&id, &passed, minute(1)).await.unwrap());
        let kept = store.patch(&id[..5]).await.unwrap().unwrap().patch;
        assert_eq!((kept.state, kept.verification.as_ref()), (PatchState::Verified, Some(&passed)));
        assert!(
            store.set_patch_state(&id, &PENDING, PatchState::Rejected, None, minute(2), &[]).await.unwrap()
        );
        assert!(!store.set_verification(&id, &passed, minute(3)).await.unwrap());
        assert!(!store.set_verification("none", &passed, minute(3)).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proposed_again_it_stays_as_decided() {
    for_each_database(|store| async move {
        let id = propose(&store).await;
        store.set_patch_state(&id, &PENDING, PatchState::Rejected, None, minute(1), &[]).await.unwrap();
        let mut again = check(1, vec![finding("$.a")]);
        again.diagnoses = vec![diagnosis("d", &[&finding("$.a")])];
        again.patches = vec![patch("b: 1\n", &["d"])];
        assert!(store.commit_check(&again, silent).await.unwrap().new_patches.is_empty());
        assert_eq!(store.patch(&id).await.unwrap().unwrap().patch.state, PatchState::Rejected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_leaves_its_journal_until_it_ends() {
    for_each_database(|store| async move {
        let id = propose(&store).await;
        let file = &store.patch(&id).await.unwrap().unwrap().patch.files[0];
        let write = WriteRecord {
            decision: None,
            id: "w1".to_owned(),
            patch: id.clone(),
            kind: WriteKind::Apply,
            files: vec![FileWrite {
                path: file.path.clone(),
                before_sha256: file.before_sha256.clone(),
                after_sha256: file.after_sha256.clone(),
            }],
            started: minute(3),
        };
        let undo = [UndoCopy {
            path: file.path.clone(),
            before_sha256: file.before_sha256.clone(),
            after_sha256: file.after_sha256.clone(),
            before: b"\xef\xbb\xbfa: 1\r\n\0\xff".to_vec(),
        }];
        assert!(
            !store.begin_write(&write, &[PatchState::Approved], &undo).await.unwrap(),
            "nobody approved it"
        );
        assert!(store.unfinished_writes().await.unwrap().is_empty());
        store.set_patch_state(&id, &PENDING, PatchState::Approved, None, minute(2), &[]).await.unwrap();
        assert!(store.begin_write(&write, &[PatchState::Approved], &undo).await.unwrap());
        assert!(!store.begin_write(&write, &[PatchState::Approved], &undo).await.unwrap());
        assert_eq!(store.unfinished_writes().await.unwrap(), std::slice::from_ref(&write));
        assert_eq!(store.undo_copies(&id).await.unwrap(), undo);

        let mut end = WriteEnd {
            at: minute(4),
            patch_state: PatchState::Applied,
            decision: Some(decision(DecisionKind::Approve, "ada", &id)),
            baseline: Some(baseline(7)),
            resolved: vec![finding("$.a").fingerprint],
            messages: vec![message("applied", vec![])],
        };
        // The baseline moved meanwhile: nothing of it is kept.
        assert!(matches!(store.end_write("w1", &end).await, Err(StoreError::Conflict { .. })));
        assert_eq!(store.patch(&id).await.unwrap().unwrap().patch.state, PatchState::Applying);
        assert_eq!(store.outbox_counts().await.unwrap().pending, 0);
        end.baseline = Some(baseline(1));
        assert!(store.end_write("w1", &end).await.unwrap());
        assert!(!store.end_write("w1", &end).await.unwrap());
        assert!(store.unfinished_writes().await.unwrap().is_empty());
        assert_eq!(store.patch(&id).await.unwrap().unwrap().patch.state, PatchState::Applied);
        assert_eq!(store.baseline(&subject()).await.unwrap().unwrap().entry.version, 1);
        assert!(store.current_diagnoses(&subject()).await.unwrap().is_empty());
        let open = store.findings(&FindingFilter::default()).await.unwrap();
        assert_eq!(open.len(), 1);
        assert_eq!(store.subject_of_patch(&id).await.unwrap(), Some(subject()));
        assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
    })
    .await;
}
