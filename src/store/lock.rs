//! One `drogue watch` per SQLite database.
//!
//! The lock is an advisory lock of the operating system on a file beside the database: it ends with the process,
//! however that ends, so a restart after `kill -9` waits for nothing. PostgreSQL takes several daemons; checks and
//! messages are leased there.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};

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

impl Store {
    /// Takes the database for this daemon; always granted on PostgreSQL and in memory.
    ///
    /// # Errors
    /// [`StoreError::Locked`], with its pid, where another daemon has it.
    pub fn lock_daemon(&self) -> Result<DaemonLock, StoreError> {
        let Some(database) = &self.file else { return Ok(DaemonLock { file: None }) };
        let mut path = database.clone().into_os_string();
        path.push(".watch");
        let fail = |error: std::io::Error| StoreError::Open {
            database: database.display().to_string(),
            why: format!("its lock file `{}`: {error}", std::path::Path::new(&path).display()),
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(fail)?;
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
