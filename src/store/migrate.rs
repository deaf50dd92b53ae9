//! Brings the tables to this version: all migrations in one transaction, on one connection of their own.

use std::borrow::Cow;

use sqlx::any::AnyConnectOptions;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _, Executor as _, SqlSafeStr as _};

use super::StoreError;
use super::dialect::Dialect;

/// Every file of `migrations/`, in order: number, name, text. Append only.
const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "start", include_str!("../../migrations/0001_start.sql"))];

/// Migrates on a connection of its own, ended in any case: a failed migration leaves no lock on a pooled session.
pub(super) async fn run_apart(
    dialect: Dialect,
    options: &AnyConnectOptions,
    database: &str,
) -> Result<(), StoreError> {
    let failed = |source| StoreError::Connect { database: database.to_owned(), source };
    let mut conn = AnyConnection::connect_with(options).await.map_err(failed)?;
    for statement in dialect.on_connect() {
        conn.execute(*statement).await.map_err(failed)?;
    }
    let outcome = run(dialect, &mut conn, database).await;
    let closed = conn.close().await;
    outcome?;
    closed.map_err(failed)
}

/// Migrates on this connection.
pub(super) async fn run(
    dialect: Dialect,
    conn: &mut AnyConnection,
    database: &str,
) -> Result<(), StoreError> {
    let failed = |source: MigrateError| match source {
        MigrateError::VersionMissing(found) => StoreError::Newer { database: database.to_owned(), found },
        source => StoreError::Migrate { database: database.to_owned(), source: source.into() },
    };
    let mut tx = conn.begin_with(dialect.begin_write()).await.map_err(|e| failed(e.into()))?;
    for statement in dialect.before_migrations() {
        tx.execute(*statement).await.map_err(|e| failed(e.into()))?;
    }
    migrator().run_direct(None, &mut *tx, false).await.map_err(failed)?;
    tx.commit().await.map_err(|e| failed(e.into()))
}

fn migrator() -> Migrator {
    let mut migrator = Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .map(|(version, name, text)| {
                Migration::new(
                    *version,
                    Cow::Borrowed(name),
                    MigrationType::Simple,
                    text.into_sql_str(),
                    false,
                )
            })
            .collect(),
    );
    // The transaction around all of them holds the lock; see `Dialect::before_migrations`.
    migrator.set_locking(false);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_migration() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let known: Vec<_> =
            MIGRATIONS.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(files, known);
    }

    #[test]
    fn tables_have_the_four_column_types_alone() {
        for (_, name, text) in MIGRATIONS {
            for line in text.lines().filter(|line| line.starts_with("    ") && !line.contains("KEY (")) {
                let of_a_kind = [" TEXT", " BIGINT", " DOUBLE PRECISION", " BLOB"];
                assert!(of_a_kind.iter().any(|t| line.contains(t)), "{name}: {line}");
            }
        }
    }
}
