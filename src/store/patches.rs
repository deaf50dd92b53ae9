//! Patches: proposed edits and where they stand. A state moves by compare-and-swap, so that of two people who decide at
//! once exactly one does.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::audit::{self, AuditEntry};
use super::sql::{Row, sql, to_json};
use super::streams::{lock_stream, subject_of};
use super::{Store, StoreError, only_one, outbox};
use crate::model::{Decision, Message, Patch, PatchState, Subject, Verification};

/// A patch as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPatch {
    /// The patch, its state and verification filled in.
    pub patch: Patch,
    /// When its state last moved.
    pub updated: Timestamp,
}

/// Which patches to list.
#[derive(Debug, Clone, Default)]
pub struct PatchFilter {
    /// Of one connector.
    pub connector: Option<String>,
    /// Of one stream.
    pub stream: Option<String>,
    /// In one of these states; all where it is empty.
    pub states: Vec<PatchState>,
}

impl PatchFilter {
    /// Patches that a person still has to decide.
    #[must_use]
    pub fn pending() -> Self {
        Self {
            states: vec![PatchState::Proposed, PatchState::Verified, PatchState::Unverifiable],
            ..Self::default()
        }
    }
}

impl Store {
    /// The patch whose id starts so.
    ///
    /// # Errors
    /// [`StoreError::Ambiguous`] where there are several.
    pub async fn patch(&self, prefix: &str) -> Result<Option<StoredPatch>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sql("SELECT id FROM patches WHERE substr(id, 1, CAST($1 AS INTEGER)) = $2 LIMIT 1000")
            .count(prefix.chars().count() as u64)
            .text(prefix)
            .all(&mut tx)
            .await?;
        let ids = rows.iter().map(|row| row.text("id")).collect::<Result<Vec<_>, _>>()?;
        let Some(id) = only_one("patches", prefix, ids)? else { return Ok(None) };
        let row = sql("SELECT * FROM patches WHERE id = $1").text(&id).one(&mut tx).await?;
        stored_of(&row).map(Some)
    }

    /// Patches, the newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn patches(&self, filter: &PatchFilter) -> Result<Vec<StoredPatch>, StoreError> {
        let rows =
            sql("SELECT * FROM patches WHERE (connector = $1 OR $1 = '') AND (stream = $2 OR $2 = '')")
                .text(filter.connector.as_deref().unwrap_or_default())
                .text(filter.stream.as_deref().unwrap_or_default())
                .all(&mut *self.pool.acquire().await?)
                .await?;
        let mut stored = rows.iter().map(stored_of).collect::<Result<Vec<_>, _>>()?;
        stored.retain(|s| filter.states.is_empty() || filter.states.contains(&s.patch.state));
        stored
            .sort_by(|a, b| b.patch.created.cmp(&a.patch.created).then_with(|| a.patch.id.cmp(&b.patch.id)));
        Ok(stored)
    }

    /// Moves a patch from one of `from` to `to`, with the decision and the messages about it, in one transaction.
    /// `false`, and nothing changed, where it is not in one of `from` (any more): of two who decide at once, one does.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_patch_state(
        &self,
        id: &str,
        from: &[PatchState],
        to: PatchState,
        decision: Option<&Decision>,
        at: Timestamp,
        messages: &[Message],
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        if lock_stream_of(&mut tx, id).await?.is_none() {
            return Ok(false);
        }
        let Some(subject) = swap_state(&mut tx, id, from, to, at).await? else { return Ok(false) };
        outbox::enqueue(&mut tx, messages, at).await?;
        let entry = match decision {
            Some(decision) => AuditEntry::of_decision(decision),
            None => AuditEntry::new(&format!("patch-{}", to.word()), "drogue", at, id),
        };
        audit::append(&mut tx, &entry.of(&subject)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Keeps what came of trying a proposed patch: it is `verified` where that passed, else `unverifiable`. `false`
    /// where it does not wait for a decision any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn set_verification(
        &self,
        id: &str,
        verification: &Verification,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let to = if verification.passed { PatchState::Verified } else { PatchState::Unverifiable };
        let mut tx = self.write().await?;
        let from = [PatchState::Proposed, PatchState::Verified, PatchState::Unverifiable];
        let Some(subject) = swap_state(&mut tx, id, &from, to, at).await? else { return Ok(false) };
        sql("UPDATE patches SET verification = $2 WHERE id = $1")
            .text(id)
            .json("a verification", verification)?
            .run(&mut tx)
            .await?;
        let entry = AuditEntry::new(&format!("patch-{}", to.word()), "drogue", at, id)
            .of(&subject)
            .with("samples", verification.samples);
        audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Keeps a proposed patch. One that was overtaken (superseded, stale, expired) and is proposed again waits again; one
/// that was decided stays decided, since a patch of the same id is the same patch of the same file.
pub(super) async fn propose(
    conn: &mut AnyConnection,
    patch: &Patch,
    at: Timestamp,
) -> Result<Option<Patch>, StoreError> {
    let mut patch = patch.clone();
    if !patch.confidence.is_finite() {
        patch.confidence = 0.0;
    }
    let verification = patch.verification.as_ref().map(|v| to_json("a verification", v)).transpose()?;
    let written =
        sql("INSERT INTO patches (id, connector, stream, state, created, updated, verification, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING")
        .text(&patch.id)
        .text(&patch.connector)
        .text(&patch.stream)
        .text(patch.state.word())
        .time(patch.created)
        .time(at)
        .opt_text(verification.as_deref())
        .json("a patch", &patch)?
        .run(conn)
        .await?;
    if written == 1 {
        return Ok(Some(patch));
    }
    let overtaken = [PatchState::Superseded, PatchState::Stale, PatchState::Expired];
    if swap_state(conn, &patch.id, &overtaken, patch.state, at).await?.is_none() {
        return Ok(None);
    }
    sql("UPDATE patches SET created = $2, verification = $3, body = $4 WHERE id = $1")
        .text(&patch.id)
        .time(patch.created)
        .opt_text(verification.as_deref())
        .json("a patch", &patch)?
        .run(conn)
        .await?;
    Ok(Some(patch))
}

/// Patches of a stream that a person still has to decide, the oldest first.
pub(super) async fn pending_of(
    conn: &mut AnyConnection,
    subject: &Subject,
) -> Result<Vec<Patch>, StoreError> {
    let rows = sql("SELECT * FROM patches WHERE connector = $1 AND stream = $2 \
         AND state IN ('proposed', 'verified', 'unverifiable')")
    .text(&subject.connector)
    .text(&subject.stream)
    .all(conn)
    .await?;
    let mut patches =
        rows.iter().map(|row| Ok(stored_of(row)?.patch)).collect::<Result<Vec<_>, StoreError>>()?;
    patches.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    Ok(patches)
}

/// Takes the row of the stream that a patch is about; which comes first in every transaction that writes about it.
pub(super) async fn lock_stream_of(
    conn: &mut AnyConnection,
    id: &str,
) -> Result<Option<Subject>, StoreError> {
    let row = sql("SELECT connector, stream FROM patches WHERE id = $1").text(id).optional(conn).await?;
    let Some(subject) = row.as_ref().map(subject_of).transpose()? else { return Ok(None) };
    lock_stream(conn, &subject).await?;
    Ok(Some(subject))
}

/// Moves a patch from one of `from` to `to`; whom it is about, or `None` where it is not in one of `from`.
pub(super) async fn swap_state(
    conn: &mut AnyConnection,
    id: &str,
    from: &[PatchState],
    to: PatchState,
    at: Timestamp,
) -> Result<Option<Subject>, StoreError> {
    // Writing the row takes it: what is read here stays so until the transaction is over.
    let row = sql("UPDATE patches SET updated = updated WHERE id = $1 RETURNING connector, stream, state")
        .text(id)
        .optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    if !from.contains(&row.word("the state of a patch", "state")?) {
        return Ok(None);
    }
    set_state(conn, id, to, at).await?;
    subject_of(&row).map(Some)
}

/// Moves a patch, whatever its state.
pub(super) async fn set_state(
    conn: &mut AnyConnection,
    id: &str,
    to: PatchState,
    at: Timestamp,
) -> Result<(), StoreError> {
    sql("UPDATE patches SET state = $2, updated = $3 WHERE id = $1")
        .text(id)
        .text(to.word())
        .time(at)
        .run(conn)
        .await?;
    Ok(())
}

fn stored_of(row: &Row) -> Result<StoredPatch, StoreError> {
    let mut patch: Patch = row.json("a patch", "body")?;
    patch.state = row.word("the state of a patch", "state")?;
    patch.verification = match row.opt_text("verification")? {
        Some(_) => Some(row.json("a verification", "verification")?),
        None => None,
    };
    Ok(StoredPatch { patch, updated: row.time("updated")? })
}
