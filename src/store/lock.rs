//! One `drogue watch` per SQLite database; and who hands over its messages.
//!
//! The lock is an advisory lock of the operating system on a file beside the database: it ends with the process,
//! however that ends, so a restart after `kill -9` waits for nothing. PostgreSQL takes several daemons; checks and
//! messages are leased there.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Store, StoreError};

/// Held as long as the daemon runs.
#[derive(Debug)]
#[must_use = "the lock ends when this is dropped"]
pub struct DaemonLock {
    file: Option<File>,
}

impl DaemonLock {
    /// Whether it keeps every other daemon away.
    pub(super) const fn is_exclusive(&self) -> bool {
        self.file.is_some()
    }
}

/// Held as long as messages are handed over.
#[derive(Debug)]
#[must_use = "the lock ends when this is dropped"]
pub struct DeliveryLock {
    _file: Option<File>,
}

impl Store {
    /// Joins those who hand over messages. Where nobody else does, leases are of processes that have ended, and are
    /// released: a restart after `kill -9` does not wait for them to run out. On PostgreSQL, whose processes may be on
    /// several machines, they do run out.
    ///
    /// # Errors
    /// Where the lock file or the database fails.
    pub async fn begin_delivery(&self) -> Result<DeliveryLock, StoreError> {
        let Some(database) = &self.file else { return Ok(DeliveryLock { _file: None }) };
        let (file, path) = lock_file(database, ".outbox")?;
        let fail = |error: std::io::Error| cannot_lock(database, &path, &error);
        match file.try_lock() {
            Ok(()) => {
                self.release_leases().await?;
                // Others may hand over as well from here on; nobody releases leases meanwhile.
                file.lock_shared().map_err(fail)?;
                Ok(DeliveryLock { _file: Some(file) })
            }
            // Somebody hands over, or has just begun to: shared locks wait for no more than the release above.
            Err(TryLockError::WouldBlock) => {
                let shared = tokio::task::spawn_blocking(move || file.lock_shared().map(|()| file)).await;
                match shared {
                    Ok(locked) => Ok(DeliveryLock { _file: Some(locked.map_err(fail)?) }),
                    Err(stopped) => Err(fail(std::io::Error::other(stopped))),
                }
            }
            Err(TryLockError::Error(error)) => Err(fail(error)),
        }
    }

    /// Takes the database for this daemon; always granted on PostgreSQL and in memory.
    ///
    /// # Errors
    /// [`StoreError::Locked`], with its pid, where another daemon has it.
    pub fn lock_daemon(&self) -> Result<DaemonLock, StoreError> {
        let Some(database) = &self.file else { return Ok(DaemonLock { file: None }) };
        let (mut file, path) = lock_file(database, ".watch")?;
        let fail = |error: std::io::Error| cannot_lock(database, &path, &error);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // What cannot be read is not needed: the lock itself says that somebody is there.
                let _ = (&mut file).take(20).read_to_string(&mut pid);
                let pid = pid.trim();
                let pid = if pid.is_empty() { "unknown".to_owned() } else { pid.to_owned() };
                return Err(StoreError::Locked { database: database.clone(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(fail)?;
        writeln!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(DaemonLock { file: Some(file) })
    }
}

/// Opens a file beside the database that is there to be locked, and nothing else.
fn lock_file(database: &Path, suffix: &str) -> Result<(File, PathBuf), StoreError> {
    let mut path = database.to_owned().into_os_string();
    path.push(suffix);
    let path = PathBuf::from(path);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|error| cannot_lock(database, &path, &error))?;
    Ok((file, path))
}

fn cannot_lock(database: &Path, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Open {
        database: database.display().to_string(),
        why: format!("its lock file `{}`: {error}", path.display()),
    }
}
