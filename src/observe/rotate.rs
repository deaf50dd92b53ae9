//! Keeps a rotated refresh token: the one kind of user file that observing writes.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::model::Secret;

/// A place for the next refresh token, made before the old one is spent: where it cannot be made, the grant is not
/// put at risk.
#[derive(Debug)]
pub(super) struct Slot {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<fs::File>,
    /// The lock on the folder: two processes that spend one refresh token lose the grant.
    _turn: Option<fs::File>,
}

fn read(path: &Path) -> io::Result<Secret> {
    let text = fs::read_to_string(path)?;
    let secret = Secret::new(text.trim());
    if secret.expose().is_empty() { Err(io::Error::other("it is empty")) } else { Ok(secret) }
}

/// Whether others than the owner may read a file of secrets; for a warning.
#[must_use]
pub fn is_readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

impl Slot {
    /// Waits for other Drogue processes, makes the place beside the file, so that a rename is atomic, and reads the
    /// refresh token as it stands there now: another process may have rotated it.
    pub(super) fn prepare(path: &Path) -> io::Result<(Self, Secret)> {
        // Through a link, as secrets are often mounted, the file itself is replaced and the link stays.
        let target = fs::canonicalize(path)?;
        let turn = lock_folder(&target)?;
        let token = read(&target)?;
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".drogue-{}", std::process::id()));
        let temporary = target.with_file_name(name);
        // A rest of a process that was killed.
        match fs::remove_file(&temporary) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = Some(options.open(&temporary)?);
        Ok((Self { target, temporary, file, _turn: turn }, token))
    }

    /// Puts the next token in place of the old one: whoever reads sees the one or the other, whole.
    pub(super) fn keep(mut self, token: &Secret) -> io::Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        writeln!(file, "{}", token.expose())?;
        file.sync_all()?;
        fs::rename(&self.temporary, &self.target)?;
        if let Some(folder) = self.target.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // After `keep` it has another name, and there is nothing to remove.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Locks the folder of a file until the lock is dropped; the file itself is replaced, so a lock on it would be lost.
fn lock_folder(target: &Path) -> io::Result<Option<fs::File>> {
    let Some(folder) = target.parent().filter(|_| cfg!(unix)) else { return Ok(None) };
    let folder = fs::File::open(folder)?;
    match folder.lock() {
        Ok(()) => Ok(Some(folder)),
        // Some network file systems have no locks; the token is then as safe as it was without one.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_atomically_and_for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refresh");
        fs::write(&path, "old\n").unwrap();
        let (slot, token) = Slot::prepare(&path).unwrap();
        assert_eq!(token.expose(), "old");
        slot.keep(&Secret::new("new")).unwrap();
        assert_eq!(read(&path).unwrap().expose(), "new");
        assert!(!is_readable_by_others(&path));
        drop(Slot::prepare(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left lying about");
    }

    #[cfg(unix)]
    #[test]
    fn keeps_a_link_and_replaces_what_it_points_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        Slot::prepare(&link).unwrap().0.keep(&Secret::new("new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&file).unwrap().expose(), "new");
    }
}
