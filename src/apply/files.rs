//! One file at a time: look, lock, stage beside it, put in place.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::ApplyError;

/// A mapping is written by hand, or by a builder in a browser; the largest public ones have 600 kB.
const MAX_BYTES: u64 = 16_000_000;

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ApplyError {
    let path = path.to_owned();
    move |source| ApplyError::Io { doing, path, source }
}

/// Refuses what is not a plain file of its own: writing through a link, or to a name of several, surprises.
pub(super) fn check_kind(path: &Path) -> Result<(), ApplyError> {
    let kind = fs::symlink_metadata(path).map_err(io("look at", path))?;
    let what = if kind.file_type().is_symlink() {
        "a symbolic link"
    } else if !kind.file_type().is_file() {
        "no file"
    } else if kind.nlink() > 1 {
        "a file with several names (hard links)"
    } else {
        return Ok(());
    };
    Err(ApplyError::NotPlain { path: path.to_owned(), what })
}

/// The whole of a file, bounded.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ApplyError> {
    let file = File::open(path).map_err(io("read", path))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io("read", path))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ApplyError::TooLarge { path: path.to_owned(), most: MAX_BYTES });
    }
    Ok(bytes)
}

/// Takes the advisory lock of a file; it is given back when the handle is dropped.
pub(super) fn lock(path: &Path) -> Result<File, ApplyError> {
    let file = File::open(path).map_err(io("lock", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ApplyError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io("lock", path)(source)),
    }
}

/// A temporary file with the new text, synced, beside the one that it will replace; removed when it is dropped.
#[derive(Debug)]
pub(super) struct Staged {
    target: PathBuf,
    temporary: Option<PathBuf>,
}

impl Staged {
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// The rename: readers see the old text or the new one, never a mixture.
    pub(super) fn put_in_place(mut self) -> Result<(), ApplyError> {
        if let Some(temporary) = self.temporary.take()
            && let Err(source) = fs::rename(&temporary, &self.target)
        {
            self.temporary = Some(temporary);
            return Err(io("replace", &self.target)(source));
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nothing is lost where this fails: a hidden file stays beside the mapping.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Writes and syncs the new text beside the file, with the file's mode and owner.
pub(super) fn stage(target: &Path, bytes: &[u8]) -> Result<Staged, ApplyError> {
    let old = fs::metadata(target).map_err(io("look at", target))?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temporary = target.with_file_name(format!(".{name}.drogue-{}", std::process::id()));
    remove_leftovers(target, &name);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(io("write beside", target))?;
    let staged = Staged { target: target.to_owned(), temporary: Some(temporary) };
    file.write_all(bytes).map_err(io("write beside", target))?;
    // Only root may give files away; for everybody else the owner is the same already, or stays the writer.
    let _ = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
    file.set_permissions(old.permissions()).map_err(io("keep the mode of", target))?;
    file.sync_all().map_err(io("sync", target))?;
    Ok(staged)
}

/// Removes what processes that were killed left beside a file. Its lock is held, so nobody is at work on it.
fn remove_leftovers(target: &Path, name: &str) {
    let prefix = format!(".{name}.drogue-");
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix(&prefix))
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
        if is_ours {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes the rename itself survive a power cut.
pub(super) fn sync_folder(path: &Path) -> Result<(), ApplyError> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("sync the folder of", path))
}
