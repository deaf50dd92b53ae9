//! Writes to users' files: a row before the first byte, ended after the last, and a copy of each file before it. What
//! is unfinished at the start of a process was cut off by its end.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::{self, AuditEntry};
use super::baselines::NewBaseline;
use super::patches::{lock_stream_of, swap_state};
use super::sql::{Row, sql};
use super::{Store, StoreError, baselines, diagnoses, findings, outbox};
use crate::model::{Decision, Fingerprint, Message, PatchState, Subject};

/// Which way files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteKind {
    /// A patch is applied.
    Apply,
    /// A patch is undone.
    RollBack,
}

/// One file that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWrite {
    /// The file, absolute.
    pub path: PathBuf,
    /// SHA-256 of it before, hexadecimal.
    pub before_sha256: String,
    /// SHA-256 of it after.
    pub after_sha256: String,
}

/// Files that are being written for one patch, all or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteRecord {
    /// The write; beginning one twice changes nothing.
    pub id: String,
    /// The patch, by id.
    pub patch: String,
    /// Which way.
    pub kind: WriteKind,
    /// The files.
    pub files: Vec<FileWrite>,
    /// When it began.
    pub started: Timestamp,
    /// The decision that it carries out: whoever finishes the write does so in that name.
    #[serde(default)]
    pub decision: Option<Decision>,
}

/// A file as it was before a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoCopy {
    /// The file, absolute.
    pub path: PathBuf,
    /// SHA-256 of it before, hexadecimal.
    pub before_sha256: String,
    /// SHA-256 of it after the patch: it is only put back where the file is still that.
    pub after_sha256: String,
    /// Its bytes before.
    pub before: Vec<u8>,
}

/// How a write ended, with all that moves with it.
#[derive(Debug, Clone)]
pub struct WriteEnd {
    /// When.
    pub at: Timestamp,
    /// Where the patch stands now.
    pub patch_state: PatchState,
    /// The decision that it carried out, for the audit log.
    pub decision: Option<Decision>,
    /// The baseline that the mended mapping goes with.
    pub baseline: Option<NewBaseline>,
    /// Findings that it settles.
    pub resolved: Vec<Fingerprint>,
    /// Messages about it.
    pub messages: Vec<Message>,
}

impl Store {
    /// Begins a write: the patch moves from one of `from` to `applying`, the journal row and the undo copies are kept,
    /// all in one transaction before any file is touched. `false`, and nothing changed, where the patch is not in one
    /// of `from` (any more).
    ///
    /// # Errors
    /// Where the database fails, or a path is not UTF-8.
    pub async fn begin_write(
        &self,
        write: &WriteRecord,
        from: &[PatchState],
        undo: &[UndoCopy],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let moved = swap_state(&mut tx, &write.patch, from, PatchState::Applying, write.started).await?;
        let Some(subject) = moved else { return Ok(false) };
        sql("INSERT INTO writes (id, patch, started, ended, body) VALUES ($1, $2, $3, NULL, $4)")
            .text(&write.id)
            .text(&write.patch)
            .time(write.started)
            .json("a write", write)?
            .run(&mut tx)
            .await?;
        for copy in undo {
            sql("INSERT INTO undo_copies (patch, path, before_sha256, after_sha256, saved_at, body) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (patch, path) DO UPDATE SET \
                 before_sha256 = $3, after_sha256 = $4, saved_at = $5, body = $6")
            .text(&write.patch)
            .text(utf8(&copy.path)?)
            .text(&copy.before_sha256)
            .text(&copy.after_sha256)
            .time(write.started)
            .deflated(&copy.before)?
            .run(&mut tx)
            .await?;
        }
        let action = match write.kind {
            WriteKind::Apply => "patch-applying",
            WriteKind::RollBack => "patch-rolling-back",
        };
        let entry = AuditEntry::new(action, "drogue", write.started, &*write.patch).of(&subject);
        audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends a write with all that moves with it, in one transaction. `false`, and nothing changed, where it has ended.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the baseline moved meanwhile; or the database fails.
    pub async fn end_write(&self, id: &str, end: &WriteEnd) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let row = sql("SELECT patch FROM writes WHERE id = $1").text(id).optional(&mut tx).await?;
        let Some(patch) = row.map(|row| row.text("patch")).transpose()? else { return Ok(false) };
        let Some(subject) = lock_stream_of(&mut tx, &patch).await? else { return Ok(false) };
        let ended = sql("UPDATE writes SET ended = $2 WHERE id = $1 AND ended IS NULL")
            .text(id)
            .time(end.at)
            .run(&mut tx)
            .await?;
        if ended == 0 {
            return Ok(false);
        }
        swap_state(&mut tx, &patch, &[PatchState::Applying], end.patch_state, end.at).await?;
        if !end.resolved.is_empty() {
            findings::resolve_in(&mut tx, &subject, Some(&end.resolved), None, end.at).await?;
            diagnoses::close_explained(&mut tx, &subject).await?;
        }
        let moved = match &end.baseline {
            Some(new) => Some(baselines::save(&mut tx, &subject, new).await?),
            None => None,
        };
        outbox::enqueue(&mut tx, &end.messages, end.at).await?;
        let action = format!("patch-{}", end.patch_state.word());
        let entry = match &end.decision {
            Some(decision) => AuditEntry::of_decision(decision).with("state", end.patch_state.word()),
            None => AuditEntry::new(&action, "drogue", end.at, &*patch),
        };
        audit::append(&mut tx, &entry.of(&subject)).await?;
        if let Some(entry) = moved {
            audit::append(&mut tx, &entry).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Writes that were begun and not ended, the oldest first: at the start of a process, those that its end cut off.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn unfinished_writes(&self) -> Result<Vec<WriteRecord>, StoreError> {
        let rows =
            sql("SELECT body FROM writes WHERE ended IS NULL").all(&mut *self.pool.acquire().await?).await?;
        let mut writes =
            rows.iter().map(|row| row.json("a write", "body")).collect::<Result<Vec<WriteRecord>, _>>()?;
        writes.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.id.cmp(&b.id)));
        Ok(writes)
    }

    /// The files of a patch as they were before it, by path.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn undo_copies(&self, patch: &str) -> Result<Vec<UndoCopy>, StoreError> {
        let rows = sql("SELECT * FROM undo_copies WHERE patch = $1")
            .text(patch)
            .all(&mut *self.pool.acquire().await?)
            .await?;
        let mut copies = rows.iter().map(copy_of).collect::<Result<Vec<_>, _>>()?;
        copies.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(copies)
    }

    /// The stream that a patch is about.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn subject_of_patch(&self, patch: &str) -> Result<Option<Subject>, StoreError> {
        sql("SELECT connector, stream FROM patches WHERE id = $1")
            .text(patch)
            .optional(&mut *self.pool.acquire().await?)
            .await?
            .as_ref()
            .map(super::streams::subject_of)
            .transpose()
    }
}

fn copy_of(row: &Row) -> Result<UndoCopy, StoreError> {
    Ok(UndoCopy {
        path: PathBuf::from(row.text("path")?),
        before_sha256: row.text("before_sha256")?,
        after_sha256: row.text("after_sha256")?,
        before: row.inflated("body")?,
    })
}

fn utf8(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::Unstorable {
        what: format!("the undo copy of `{}`", path.display()),
        why: "its path is not UTF-8".to_owned(),
    })
}
