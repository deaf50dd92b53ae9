//! The audit log says where it was tampered with.

use drogue::store::{AuditEntry, Store, StoreTarget};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

use super::fixtures::*;
use crate::support::database::{TestDatabase, for_each_database};

async fn fill(store: &Store, rows: i64) {
    for n in 0..rows {
        let entry = AuditEntry::new("test", "ada", minute(n), format!("object-{n}"))
            .of(&subject())
            .because(Some("ü\0"));
        store.record_audit(&entry).await.unwrap();
    }
}

/// Does what somebody with the database's own tools can do.
async fn tamper(database: &TestDatabase, statement: &str) {
    let url = match &database.target {
        StoreTarget::Sqlite(path) => format!("sqlite://{}", path.display()),
        StoreTarget::Postgres(url) => url.expose().to_owned(),
        StoreTarget::Memory => unreachable!("no test opens it from outside"),
    };
    let mut conn = AnyConnection::connect(&url).await.unwrap();
    conn.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    conn.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_broken_row_is_named() {
    let cases = [
        ("UPDATE audit SET body = replace(body, 'ada', 'eve') WHERE seq = 3", 3),
        ("UPDATE audit SET about = 'other' WHERE seq = 4", 4),
        ("UPDATE audit SET at = at + 1 WHERE seq = 2", 2),
        ("UPDATE audit SET hash = 'x' WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq IN (3, 4)", 3),
        ("DELETE FROM audit WHERE seq = 6", 6),
        (
            "INSERT INTO audit (seq, at, about, prev_hash, hash, body) SELECT 7, at, about, hash, hash, body \
          FROM audit WHERE seq = 6",
            7,
        ),
    ];
    for (statement, seq) in cases {
        for database in [Some(TestDatabase::sqlite()), TestDatabase::postgres()].into_iter().flatten() {
            let store = database.open().await;
            fill(&store, 6).await;
            assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
            tamper(&database, statement).await;
            let broken = store.verify_audit().await.unwrap().unwrap_err();
            assert_eq!(broken.seq, seq, "{}: {statement}: {broken}", database.name);
            assert_eq!(store.integrity().await.unwrap().len(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_make_one_chain() {
    for_each_database(|store| async move {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            tasks.spawn(async move { fill(&store, 10).await });
        }
        tasks.join_all().await;
        assert_eq!(store.verify_audit().await.unwrap(), Ok(()));
        let rows = store.audit(100).await.unwrap();
        assert_eq!(rows.len(), 80);
        assert_eq!((rows[0].seq, rows[79].seq), (80, 1));
        assert_eq!(rows[0].entry.reason.as_deref(), Some("ü\0"));
        assert_eq!(store.audit(3).await.unwrap(), rows[..3]);
    })
    .await;
}
