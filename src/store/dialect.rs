//! All in which SQLite and PostgreSQL differ; every other file here is the same SQL for both.

use std::path::{Path, PathBuf};

use super::{Retry, StoreError};
use crate::model::Secret;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One file, or memory.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    /// Begins a transaction that writes.
    ///
    /// SQLite takes the write lock at once: a transaction that reads first and writes then fails as "locked" whatever
    /// the busy timeout. PostgreSQL takes row locks as it goes; `locked_stream` says which row comes first.
    pub(super) const fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Begins a transaction that sees one state throughout.
    pub(super) const fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// What every connection is told first. WAL with `FULL` keeps a commit through a power cut; the size limit keeps
    /// one large write from leaving a large WAL file behind.
    pub(super) const fn on_connect(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                "PRAGMA busy_timeout = 30000",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                "PRAGMA trusted_schema = OFF",
                "PRAGMA journal_size_limit = 67108864",
            ],
            Self::Postgres => &[
                "SET lock_timeout = '30s'",
                "SET statement_timeout = '120s'",
                "SET idle_in_transaction_session_timeout = '120s'",
            ],
        }
    }

    /// What comes before the migrations, in their transaction: on PostgreSQL one migrates while others wait (no longer
    /// than `lock_timeout`), and `BLOB` gets a meaning.
    pub(super) const fn before_migrations(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[],
            Self::Postgres => &[
                "SELECT pg_advisory_xact_lock(7238249523061)",
                "DO $$ BEGIN \
                 IF NOT EXISTS (SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
                 WHERE t.typname = 'blob' AND n.nspname = current_schema()) \
                 THEN CREATE DOMAIN blob AS bytea; END IF; END $$",
            ],
        }
    }

    /// Statements whose every row but `ok` is a complaint.
    pub(super) const fn integrity(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["PRAGMA integrity_check"],
            // PostgreSQL finds damaged pages when it reads them; its own tools check more.
            Self::Postgres => &["SELECT CAST('ok' AS TEXT) FROM (SELECT COUNT(*) FROM windows) AS w"],
        }
    }
}

/// Whether a failed statement may succeed when it is tried again; `None` for a damaged database.
pub(super) fn judge(error: &sqlx::Error) -> Option<Retry> {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => Some(Retry::Later),
        sqlx::Error::Database(inner) => {
            let code = inner.code().unwrap_or_default();
            // PostgreSQL has five characters (SQLSTATE); SQLite has a number below 10000, its low byte the primary code.
            if code.len() == 5 {
                judge_sqlstate(&code)
            } else {
                judge_sqlite(code.parse::<u32>().unwrap_or(0))
            }
        }
        _ => Some(Retry::Never),
    }
}

fn judge_sqlstate(code: &str) -> Option<Retry> {
    match code {
        // Serialization failure, deadlock.
        "40001" | "40P01" => Some(Retry::Now),
        // Lock not available, cancelled, shutting down.
        "55P03" | "57014" | "57P01" | "57P02" | "57P03" => Some(Retry::Later),
        // Damaged data, damaged index.
        "XX001" | "XX002" => None,
        // Connections, resources (disk, memory, connections).
        _ if code.starts_with("08") || code.starts_with("53") => Some(Retry::Later),
        _ => Some(Retry::Never),
    }
}

const fn judge_sqlite(code: u32) -> Option<Retry> {
    match code & 0xff {
        // Busy, locked.
        5 | 6 => Some(Retry::Now),
        // Disk full, cannot open (too many files).
        13 | 14 => Some(Retry::Later),
        // Malformed, not a database.
        11 | 26 => None,
        _ => Some(Retry::Never),
    }
}

/// A SQLite file, made with mode 0600 where it is not there, as an address for the driver.
///
/// SQLite gives its WAL and index files the mode of the database file.
pub(super) fn sqlite_url(path: &Path) -> Result<(String, PathBuf), StoreError> {
    let fail = |why: String| StoreError::Open { database: path.display().to_string(), why };
    let name = path.file_name().ok_or_else(|| fail("it is not the name of a file".to_owned()))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let folder = folder.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => fail(format!(
            "there is no folder `{0}`: make it (`mkdir -p {0}`), or set `store.sqlite`",
            folder.display()
        )),
        _ => fail(format!("the folder `{}`: {error}", folder.display())),
    })?;
    let file = folder.join(name);
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&file).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => fail(format!(
            "it cannot be written ({error}): give this user the right to write to it and to `{}`, or set `store.sqlite`",
            folder.display()
        )),
        std::io::ErrorKind::IsADirectory => fail("it is a folder: `store.sqlite` names a file".to_owned()),
        _ => fail(error.to_string()),
    })?;
    let text = file.to_str().ok_or_else(|| fail("its path is not UTF-8".to_owned()))?;
    Ok((format!("sqlite://{}?mode=rw", percent_encoded(text)), file))
}

/// A path with everything but letters, digits and `/-._~` written as `%xx`.
fn percent_encoded(path: &str) -> String {
    use std::fmt::Write as _;
    path.bytes().fold(String::with_capacity(path.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// A PostgreSQL address and the same without user, password and options, for people.
pub(super) fn postgres_url(secret: &Secret) -> Result<(String, String), StoreError> {
    let fail = |why: &str| StoreError::Open { database: "PostgreSQL".to_owned(), why: why.to_owned() };
    // The parser's own message is not repeated: the text may hold the password.
    let url = url::Url::parse(secret.expose())
        .map_err(|_| fail("its address is not a URL such as `postgres://user:password@host/database`"))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(fail("its address does not begin with `postgres://`"));
    }
    let shown = format!("postgres://{}{}", url.host_str().unwrap_or_default(), url.path());
    Ok((secret.expose().to_owned(), shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_survives_the_address() {
        assert_eq!(percent_encoded("/a b/ü?#%.db"), "/a%20b/%C3%BC%3F%23%25.db");
    }

    #[test]
    fn what_passes_by_itself_is_worth_another_try() {
        assert_eq!(judge_sqlstate("40P01"), Some(Retry::Now));
        assert_eq!(judge_sqlstate("53100"), Some(Retry::Later));
        assert_eq!(judge_sqlstate("57P01"), Some(Retry::Later));
        assert_eq!(judge_sqlstate("23505"), Some(Retry::Never));
        assert_eq!(judge_sqlstate("XX001"), None);
        // SQLITE_BUSY_SNAPSHOT, SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_CORRUPT.
        assert_eq!(judge_sqlite(517), Some(Retry::Now));
        assert_eq!(judge_sqlite(13), Some(Retry::Later));
        assert_eq!(judge_sqlite(1034), Some(Retry::Never));
        assert_eq!(judge_sqlite(11), None);
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let (_, shown) =
            postgres_url(&Secret::new("postgres://me:hunter2@db.example/drogue?password=hunter2")).unwrap();
        assert_eq!(shown, "postgres://db.example/drogue");
        let error = postgres_url(&Secret::new("hunter2")).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
