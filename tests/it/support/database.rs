//! Databases for tests: a SQLite file of its own, and a PostgreSQL database of its own.

use std::future::Future;

use drogue::store::{Store, StoreTarget};
use tempfile::TempDir;

use super::postgres;

/// The key of the value hash in tests.
pub(crate) const KEY: [u8; 16] = *b"0123456789abcdef";

/// A fresh database, gone with the test.
pub(crate) struct TestDatabase {
    /// `sqlite` or `postgres`, for the messages of assertions.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) target: StoreTarget,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A SQLite file.
    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let target = StoreTarget::Sqlite(folder.path().join("drogue.db"));
        Self { name: "sqlite", target, _folder: Some(folder) }
    }

    /// A PostgreSQL database; `None` where DROGUE_TEST_SKIP_POSTGRES=1 says so.
    pub(crate) fn postgres() -> Option<Self> {
        if std::env::var_os("DROGUE_TEST_SKIP_POSTGRES").is_some_and(|value| value == "1") {
            return None;
        }
        let url = postgres::fresh_database().unwrap_or_else(|why| panic!("{why}"));
        Some(Self { name: "postgres", target: StoreTarget::Postgres(url), _folder: None })
    }

    /// Opens it; may be called again, as another process would.
    pub(crate) async fn open(&self) -> Store {
        match Store::open(&self.target, KEY).await {
            Ok(store) => store,
            Err(error) => panic!("{}: {error:?}", self.name),
        }
    }
}

/// Runs a test on each database, a fresh one each.
#[expect(clippy::print_stderr, reason = "a test that fails says on which database")]
pub(crate) async fn for_each_database<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    for database in [Some(TestDatabase::sqlite()), TestDatabase::postgres()].into_iter().flatten() {
        let store = database.open().await;
        eprintln!("on {}", database.name);
        test(store.clone()).await;
        store.close().await;
    }
}
