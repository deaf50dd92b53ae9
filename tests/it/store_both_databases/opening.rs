//! Opening: migrations, keys, locks, and clear refusals.

use std::os::unix::fs::PermissionsExt as _;

use drogue::model::Secret;
use drogue::store::{Store, StoreError, StoreTarget};
use sqlx::{AnyConnection, Connection as _, Executor as _};

use super::fixtures::*;
use crate::support::database::{KEY, TestDatabase};

fn both() -> impl Iterator<Item = TestDatabase> {
    [Some(TestDatabase::sqlite()), TestDatabase::postgres()].into_iter().flatten()
}

fn url(database: &TestDatabase) -> String {
    match &database.target {
        StoreTarget::Sqlite(path) => format!("sqlite://{}", path.display()),
        StoreTarget::Postgres(url) => url.expose().to_owned(),
        StoreTarget::Memory => unreachable!("no test opens it from outside"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_made_once() {
    for database in both() {
        let first = database.open().await;
        assert_eq!(first.hash_key().bytes(), &KEY);
        first.close().await;
        let again = Store::open(&database.target, [7; 16]).await.unwrap();
        assert_eq!(again.hash_key(), first.hash_key(), "{}", database.name);
        assert_eq!(again.integrity().await.unwrap(), Vec::<String>::new());
        again.ping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_that_start_at_once_migrate_once() {
    for database in both() {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8 {
            let target = database.target.clone();
            tasks.spawn(async move {
                let store = Store::open(&target, [n; 16]).await.unwrap();
                let key = *store.hash_key().bytes();
                store.close().await;
                key
            });
        }
        let keys = tasks.join_all().await;
        assert!(keys.iter().all(|key| *key == keys[0]), "{}", database.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused() {
    for database in both() {
        database.open().await.close().await;
        let mut conn = AnyConnection::connect(&url(&database)).await.unwrap();
        conn.execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await
        .unwrap();
        conn.close().await.unwrap();
        let error = Store::open(&database.target, KEY).await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{}: {error:?}", database.name);
        assert!(!error.is_retryable());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_holds_a_store_of_its_own() {
    let (one, two) = (
        Store::open(&StoreTarget::Memory, KEY).await.unwrap(),
        Store::open(&StoreTarget::Memory, KEY).await.unwrap(),
    );
    one.commit_check(&check(0, vec![finding("$.a")]), tell).await.unwrap();
    assert_eq!(one.streams().await.unwrap().len(), 1);
    assert!(two.streams().await.unwrap().is_empty());
    let _ = one.lock_daemon().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_for_its_owner_alone_and_says_why_not() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("a b%20?#ü.db");
    let store = Store::open(&StoreTarget::Sqlite(path.clone()), KEY).await.unwrap();
    store.commit_check(&check(0, vec![]), silent).await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
        seen += 1;
    }
    assert!(path.is_file() && seen >= 2, "the database and its WAL");
    store.close().await;

    let missing =
        Store::open(&StoreTarget::Sqlite(folder.path().join("no/such/x.db")), KEY).await.unwrap_err();
    let said = missing.to_string();
    assert!(said.contains("mkdir -p") && said.contains("no/such"), "{said}");
    let is_folder = Store::open(&StoreTarget::Sqlite(folder.path().to_owned()), KEY).await.unwrap_err();
    assert!(is_folder.to_string().contains("it is a folder"), "{is_folder}");

    let no_database = folder.path().join("text.db");
    std::fs::write(&no_database, "this is no database at all, it is a text ".repeat(50)).unwrap();
    let error = Store::open(&StoreTarget::Sqlite(no_database), KEY).await.unwrap_err();
    assert!(!error.is_retryable(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_said_to_be_damaged() {
    let database = TestDatabase::sqlite();
    let StoreTarget::Sqlite(path) = &database.target else { unreachable!("it is SQLite") };
    let store = database.open().await;
    for n in 0..50 {
        store.commit_check(&check(n, vec![finding("$.a")]), tell).await.unwrap();
    }
    store.close().await;
    let mut bytes = std::fs::read(path).unwrap();
    // Every page but those of the schema.
    let (start, end) = (4_096 * 12, bytes.len());
    for byte in bytes[start..end].iter_mut().step_by(97) {
        *byte ^= 0x5a;
    }
    std::fs::write(path, bytes).unwrap();
    let found = match Store::open(&database.target, KEY).await {
        Ok(store) => store.integrity().await.map(|complaints| complaints.len()),
        Err(error) => Err(error),
    };
    match found {
        Ok(complaints) => assert!(complaints > 0),
        Err(error) => assert!(!error.is_retryable(), "{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_worth_another_try() {
    let url = Secret::new("postgres://me:hunter2@127.0.0.1:1/none");
    let error = Store::open(&StoreTarget::Postgres(url), KEY).await.unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert!(matches!(error, StoreError::Connect { .. }) && error.is_retryable(), "{error:?}");
    assert!(!format!("{error} {error:?} {source:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_watch_per_sqlite_database() {
    let database = TestDatabase::sqlite();
    let (one, two) = (database.open().await, database.open().await);
    let held = one.lock_daemon().unwrap();
    let error = two.lock_daemon().unwrap_err();
    let StoreError::Locked { pid, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*pid, std::process::id().to_string());
    drop(held);
    let _held = two.lock_daemon().unwrap();
    if let Some(database) = TestDatabase::postgres() {
        let (one, two) = (database.open().await, database.open().await);
        let _both = (one.lock_daemon().unwrap(), two.lock_daemon().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_is_made_anew() {
    let Some(database) = TestDatabase::postgres() else { return };
    let store = database.open().await;
    store.commit_check(&check(0, vec![]), silent).await.unwrap();
    let mut conn = AnyConnection::connect(&url(&database)).await.unwrap();
    conn.execute(
        "SELECT CAST(pg_terminate_backend(pid) AS INTEGER) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await
    .unwrap();
    conn.close().await.unwrap();
    let mut stored = store.commit_check(&check(1, vec![]), silent).await;
    if let Err(error) = &stored {
        assert!(error.is_retryable(), "{error:?}");
        stored = store.commit_check(&check(1, vec![]), silent).await;
    }
    assert!(stored.unwrap().stored);
    assert_eq!(store.stream_state(&subject()).await.unwrap().unwrap().windows, 2);
}
