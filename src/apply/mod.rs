//! The only module that writes users' files: locked, checked by hash, replaced atomically, undone from copies.
//!
//! The order of steps keeps a kill at any moment harmless. The caller keeps undo copies and a journal row first
//! ([`prepare`] gives what they need); then [`replace`] locks each file, checks its hash again, writes and syncs a
//! temporary file beside it, and only when all are staged renames them one after the other. After a crash
//! [`state_of`] tells from the hashes whether a file is the old one, the new one, or somebody else's; a temporary
//! file that the crash left is removed by the next [`replace`] of its target.

mod files;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use files::{Staged, check_kind, lock, read, stage, sync_folder};

use crate::model::sha256_hex;

/// Why a file was not written. Whatever it says, every file is as it was, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The config names no such mapping file.
    #[error("`{0}` is not a mapping file of the config; only those are written")]
    NotDeclared(PathBuf),
    /// Not a plain file of its own.
    #[error("`{path}` is {what}; only plain files are written: name the real file in the config")]
    NotPlain {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Somebody edited it.
    #[error("`{path}` is no longer the file that this was made for; check the stream again for a new patch")]
    Stale {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds its lock.
    #[error("`{path}` is locked by another program; try again when it is done")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than any mapping.
    #[error("`{path}` has more than {most} bytes, too many for a mapping")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        most: u64,
    },
    /// Reading or writing failed.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Some files were replaced, one was not, and putting the others back failed as well.
    #[error(
        "{failed}; and `{path}` could not be put back ({source}): its old text is kept, see `drogue doctor`"
    )]
    Half {
        /// Why the replacement failed.
        failed: Box<Self>,
        /// The file that is new now.
        path: PathBuf,
        /// Why it could not be put back.
        source: std::io::Error,
    },
}

/// One file and what is to become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The file, absolute.
    pub path: PathBuf,
    /// SHA-256 that it must have now, hexadecimal.
    pub expected_sha256: String,
    /// Its bytes afterwards.
    pub bytes: Vec<u8>,
}

/// Which of the two texts a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// The one before.
    Before,
    /// The one after.
    After,
    /// Neither: somebody else wrote it, or it is gone.
    Neither,
}

/// Folders that are held: no other process begins or finishes a write there meanwhile.
#[derive(Debug)]
#[must_use = "the folders are free again when this is dropped"]
pub struct Held {
    _folders: Vec<File>,
}

/// Holds the folders of files from the journal's first row to its last, so that nobody takes a write that is under way
/// for one that was cut off. The lock ends with the process, however that ends.
///
/// # Errors
/// Where another process holds one of them, or a folder cannot be opened.
pub fn hold<'a>(files: impl Iterator<Item = &'a Path>) -> Result<Held, ApplyError> {
    let folders: BTreeSet<&Path> = files.filter_map(Path::parent).collect();
    Ok(Held { _folders: folders.into_iter().map(lock).collect::<Result<_, _>>()? })
}

/// The bytes of each file as they are now: what an undo needs. Checks all that [`replace`] will check, and writes
/// nothing.
///
/// # Errors
/// Where a file may not be written, or is no longer the expected one.
pub fn prepare(replacements: &[Replacement], declared: &[PathBuf]) -> Result<Vec<Vec<u8>>, ApplyError> {
    replacements.iter().map(|replacement| check(replacement, declared)).collect()
}

/// Replaces the files, all or none.
///
/// Mode and owner stay; the text after is exactly the given bytes.
///
/// # Errors
/// Where any of them cannot be replaced; those that were are put back.
pub fn replace(replacements: &[Replacement], declared: &[PathBuf]) -> Result<(), ApplyError> {
    let mut locks = Vec::with_capacity(replacements.len());
    let mut staged: Vec<(Staged, Vec<u8>)> = Vec::with_capacity(replacements.len());
    for replacement in replacements {
        // The lock comes before the look, so that nobody who takes it too can write in between.
        check_kind(&replacement.path)?;
        locks.push(lock(&replacement.path)?);
        let before = check(replacement, declared)?;
        staged.push((stage(&replacement.path, &replacement.bytes)?, before));
    }
    let mut done: Vec<(PathBuf, Vec<u8>)> = Vec::with_capacity(staged.len());
    for (file, before) in staged {
        let path = file.target().to_owned();
        if let Err(failed) = file.put_in_place() {
            return Err(put_back(failed, &done));
        }
        done.push((path, before));
    }
    // A rename that may not survive a power cut is none: nothing is called written that is not.
    for (path, _) in &done {
        if let Err(failed) = sync_folder(path) {
            return Err(put_back(failed, &done));
        }
    }
    drop(locks);
    Ok(())
}

/// Which text a file holds, by its hash.
#[must_use]
pub fn state_of(path: &Path, before_sha256: &str, after_sha256: &str) -> FileState {
    match read(path) {
        Ok(bytes) => {
            let hash = sha256_hex(&bytes);
            if hash == before_sha256 {
                FileState::Before
            } else if hash == after_sha256 {
                FileState::After
            } else {
                FileState::Neither
            }
        }
        Err(_) => FileState::Neither,
    }
}

fn check(replacement: &Replacement, declared: &[PathBuf]) -> Result<Vec<u8>, ApplyError> {
    let path = &replacement.path;
    if !declared.contains(path) {
        return Err(ApplyError::NotDeclared(path.clone()));
    }
    check_kind(path)?;
    let bytes = read(path)?;
    if sha256_hex(&bytes) != replacement.expected_sha256 {
        return Err(ApplyError::Stale { path: path.clone() });
    }
    Ok(bytes)
}

fn put_back(failed: ApplyError, done: &[(PathBuf, Vec<u8>)]) -> ApplyError {
    for (path, before) in done {
        let restored = stage(path, before).and_then(Staged::put_in_place);
        if let Err(ApplyError::Io { source, .. }) = restored {
            return ApplyError::Half { failed: Box::new(failed), path: path.clone(), source };
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn replacement(path: &Path, before: &[u8], after: &[u8]) -> Replacement {
        Replacement { path: path.to_owned(), expected_sha256: sha256_hex(before), bytes: after.to_vec() }
    }

    #[test]
    fn replaces_and_keeps_the_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("map.yaml");
        std::fs::write(&path, "a\r\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let change = [replacement(&path, b"a\r\n", b"b\r\n")];
        let declared = [path.clone()];
        assert_eq!(prepare(&change, &declared).unwrap(), [b"a\r\n".to_vec()]);
        replace(&change, &declared).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"b\r\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
        assert_eq!(state_of(&path, &sha256_hex(b"a\r\n"), &sha256_hex(b"b\r\n")), FileState::After);
    }

    #[test]
    fn one_that_does_not_fit_leaves_all_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        std::fs::write(&one, "1").unwrap();
        std::fs::write(&two, "edited meanwhile").unwrap();
        let change = [replacement(&one, b"1", b"x"), replacement(&two, b"2", b"y")];
        let failed = replace(&change, &[one.clone(), two.clone()]).unwrap_err();
        assert!(matches!(failed, ApplyError::Stale { .. }), "{failed}");
        assert_eq!(std::fs::read(&one).unwrap(), b"1");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn only_declared_plain_files() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link, hard) = (dir.path().join("real"), dir.path().join("link"), dir.path().join("hard"));
        std::fs::write(&real, "1").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let change = [replacement(&real, b"1", b"x")];
        assert!(matches!(replace(&change, &[]), Err(ApplyError::NotDeclared(_))));
        let change = [replacement(&link, b"1", b"x")];
        assert!(matches!(replace(&change, std::slice::from_ref(&link)), Err(ApplyError::NotPlain { .. })));
        std::fs::hard_link(&real, &hard).unwrap();
        let change = [replacement(&real, b"1", b"x")];
        assert!(matches!(replace(&change, std::slice::from_ref(&real)), Err(ApplyError::NotPlain { .. })));
        assert_eq!(std::fs::read(&real).unwrap(), b"1");
    }

    #[test]
    fn what_a_crash_left_beside_the_file_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("map.yaml");
        std::fs::write(&path, "1").unwrap();
        std::fs::write(dir.path().join(".map.yaml.drogue-1"), "half").unwrap();
        std::fs::write(dir.path().join(".map.yaml.drogue-notes"), "somebody's").unwrap();
        replace(&[replacement(&path, b"1", b"2")], std::slice::from_ref(&path)).unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".map.yaml.drogue-notes", "map.yaml"]);
    }

    #[test]
    fn a_file_that_another_holds_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("map.yaml");
        std::fs::write(&path, "1").unwrap();
        let change = [replacement(&path, b"1", b"2")];
        let held = files::lock(&path).unwrap();
        assert!(matches!(replace(&change, std::slice::from_ref(&path)), Err(ApplyError::Locked { .. })));
        drop(held);
        // Twice the same file in one patch is refused as well: which of the two texts would be right?
        let twice = [change[0].clone(), change[0].clone()];
        assert!(matches!(replace(&twice, std::slice::from_ref(&path)), Err(ApplyError::Locked { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"1");
        replace(&change, std::slice::from_ref(&path)).unwrap();
        assert!(matches!(replace(&change, std::slice::from_ref(&path)), Err(ApplyError::Stale { .. })));
    }

    #[test]
    fn a_second_file_that_cannot_be_replaced_puts_the_first_back() {
        let dir = tempfile::tempdir().unwrap();
        let paths = [dir.path().join("one"), dir.path().join("two")];
        for path in &paths {
            std::fs::write(path, "old").unwrap();
        }
        let mut staged = paths.iter().map(|path| files::stage(path, b"new").unwrap());
        let (one, two) = (staged.next().unwrap(), staged.next().unwrap());
        one.put_in_place().unwrap();
        // What the second rename finds is a folder by now.
        std::fs::remove_file(&paths[1]).unwrap();
        std::fs::create_dir(&paths[1]).unwrap();
        let failed = two.put_in_place().unwrap_err();
        let failed = put_back(failed, &[(paths[0].clone(), b"old".to_vec())]);
        assert!(matches!(failed, ApplyError::Io { doing: "replace", .. }), "{failed}");
        assert_eq!(std::fs::read(&paths[0]).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside them");
    }

    #[test]
    fn a_folder_that_cannot_be_written_leaves_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gone").join("map.yaml");
        let change = [replacement(&path, b"1", b"x")];
        assert!(matches!(replace(&change, std::slice::from_ref(&path)), Err(ApplyError::Io { .. })));
    }
}
