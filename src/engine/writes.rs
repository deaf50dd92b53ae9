//! The writing of mapping files for a decision, and what a crash in the middle of it leaves to finish.

use jiff::Timestamp;
use tracing::{info, warn};

use super::baselines::places;
use super::{Engine, EngineError, escalate};
use crate::apply::{self, ApplyError, FileState, Replacement};
use crate::compare::{Baseline, Window, accept};
use crate::model::{
    ChangeKind, Decision, FieldPath, Finding, Fingerprint, Patch, PatchState, Subject, content_id,
};
use crate::profile::Order;
use crate::store::{FileWrite, NewBaseline, UndoCopy, WriteEnd, WriteKind, WriteRecord};

impl Engine {
    /// Finishes writes that the end of a process cut off: by hash, each file is the old text or the new one. All new
    /// is applied; all old, or a mixture put back, is as before; somebody else's text is left alone. What another
    /// process is at work on is not touched, nor are files that this config does not name.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn recover(&self) -> Result<(), EngineError> {
        let declared = self.declared_files();
        for write in self.store.unfinished_writes().await? {
            if !write.files.iter().all(|file| declared.contains(&file.path)) {
                warn!(patch = %write.patch, "the write of patch `{}` was cut off; its files are not of this config", write.patch);
                continue;
            }
            let _held = match apply::hold(write.files.iter().map(|file| file.path.as_path())) {
                Ok(held) => Some(held),
                Err(ApplyError::Locked { .. }) => continue,
                // A folder that is gone: there is nobody at work in it.
                Err(_) => None,
            };
            // Whoever held it may have ended it.
            if !self.store.unfinished_writes().await?.iter().any(|other| other.id == write.id) {
                continue;
            }
            let patch = self.patch(&write.patch).await?;
            let states: Vec<FileState> = write
                .files
                .iter()
                .map(|file| apply::state_of(&file.path, &file.before_sha256, &file.after_sha256))
                .collect();
            let (done, undone) = match write.kind {
                WriteKind::Apply => (PatchState::Applied, pending_state(&patch)),
                WriteKind::RollBack => (PatchState::RolledBack, PatchState::Applied),
            };
            let state = if states.iter().all(|state| *state == FileState::After) {
                done
            } else if states.contains(&FileState::Neither) {
                warn!(patch = %patch.id, "a file of patch `{}` was edited while it was written; it is left as it is", patch.id);
                PatchState::Stale
            } else {
                self.put_back(&write).await?;
                undone
            };
            info!(patch = %patch.id, "finished what was cut off: patch `{}` is {}", patch.id, state.word());
            self.end(&write, &patch, state).await?;
        }
        Ok(())
    }

    async fn put_back(&self, write: &WriteRecord) -> Result<(), EngineError> {
        let patch = self.patch(&write.patch).await?;
        let copies = self.store.undo_copies(&write.patch).await?;
        let all = match write.kind {
            WriteKind::Apply => backward(&copies),
            WriteKind::RollBack => forward(&patch),
        };
        let mixed: Vec<Replacement> = all
            .into_iter()
            .filter(|change| {
                write.files.iter().any(|file| {
                    file.path == change.path
                        && apply::state_of(&file.path, &file.before_sha256, &file.after_sha256)
                            == FileState::After
                })
            })
            .collect();
        Ok(apply::replace(&mixed, &self.declared_files())?)
    }

    /// Ends a write in one transaction: state, decision, baseline, findings that it settles, message.
    pub(super) async fn end(
        &self,
        write: &WriteRecord,
        patch: &Patch,
        state: PatchState,
    ) -> Result<(), EngineError> {
        let subject = subject_of(patch);
        let now = self.now();
        let carried_out = match write.kind {
            WriteKind::Apply => state == PatchState::Applied,
            WriteKind::RollBack => state == PatchState::RolledBack,
        };
        // A decision that came to nothing is none.
        let decision = write.decision.clone().filter(|_| carried_out);
        let (mut baseline, mut resolved) = (None, Vec::new());
        match state {
            PatchState::Applied if write.kind == WriteKind::Apply => {
                let settled = self.settled_by(patch).await?;
                let open = self.unresolved(&subject).await?.len();
                let accepted = places(settled.iter());
                let actor = decision.as_ref().map_or("recovery", |decision| &decision.actor);
                let reason = applied_reason(patch);
                baseline = self
                    .moved_baseline(&subject, &accepted, settled.len() == open, actor, Some(&reason))
                    .await?;
                resolved = settled.into_iter().map(|finding| finding.fingerprint).collect();
            }
            // A patch that was rolled back before, and could not be applied again, leaves the baseline as it is.
            PatchState::RolledBack if carried_out => {
                // A person's word, also where a crash kept it from being told to the end.
                let actor = decision.as_ref().map_or("recovery", |decision| &decision.actor);
                baseline = self.baseline_before(&subject, patch, actor).await?;
            }
            _ => {}
        }
        let told = carried_out || state == PatchState::Stale;
        let shown = with_state(patch, state);
        let messages = if told {
            escalate::decided(&self.config.config, &shown, self.incident_of(patch).await?, now)
        } else {
            Vec::new()
        };
        let end = WriteEnd { at: now, patch_state: state, decision, baseline, resolved, messages };
        self.store.end_write(&write.id, &end).await?;
        Ok(())
    }

    /// The unresolved findings that a patch's diagnoses explain.
    async fn settled_by(&self, patch: &Patch) -> Result<Vec<Finding>, EngineError> {
        let subject = subject_of(patch);
        let explained = self.explained_by(patch).await?;
        let mut open = self.unresolved(&subject).await?;
        open.retain(|finding| explained.contains(&finding.fingerprint));
        Ok(open)
    }

    /// The findings that a patch's diagnoses explain, whatever became of them.
    async fn explained_by(&self, patch: &Patch) -> Result<Vec<Fingerprint>, EngineError> {
        let mut explained = Vec::new();
        for id in &patch.diagnoses {
            if let Some(stored) = self.store.diagnosis(id).await? {
                explained.extend(stored.diagnosis.explains);
            }
        }
        Ok(explained)
    }

    /// When the incident began that a patch is for, so that mails about the decision join its thread.
    pub(super) async fn incident_of(&self, patch: &Patch) -> Result<Timestamp, EngineError> {
        let mut fingerprints = self.explained_by(patch).await?;
        let open = self.unresolved(&subject_of(patch)).await?;
        fingerprints.extend(open.into_iter().map(|finding| finding.fingerprint));
        let mut since = None;
        for fingerprint in fingerprints {
            let known = self.store.finding(&fingerprint.0).await?;
            since = [since, escalate::told_since(&known)].into_iter().flatten().min();
        }
        Ok(since.unwrap_or(patch.created))
    }

    /// The baseline from before a patch was applied, as the next version: a decision of its own, so that no window of the
    /// time in between counts any more. What was accepted since then stays: then only the fields that the patch is
    /// about go back.
    async fn baseline_before(
        &self,
        subject: &Subject,
        patch: &Patch,
        actor: &str,
    ) -> Result<Option<NewBaseline>, EngineError> {
        let reason = applied_reason(patch);
        let history = self.store.baseline_history(subject).await?;
        let Some(moved) = history.iter().find(|entry| entry.reason.as_deref() == Some(&reason)) else {
            return Ok(None);
        };
        let before = self.store.baseline_version(subject, moved.version.saturating_sub(1)).await?;
        let (Some(before), Some(present)) = (before, self.store.baseline(subject).await?) else {
            return Ok(None);
        };
        let mut baseline = if present.baseline.version == moved.version {
            Baseline { version: moved.version + 1, ..before.baseline }
        } else {
            let shape = window_of(&before.baseline);
            let fields = self.fields_of(patch).await?;
            // Each field as it was, or not there at all.
            let back: Vec<(FieldPath, ChangeKind)> =
                fields.into_iter().map(|path| (path, ChangeKind::FieldAdded)).collect();
            accept(&present.baseline, &shape, &back, false)
        };
        // It holds from now on: windows that were quiet under the patched mapping say nothing about it.
        baseline.to = self.now();
        Ok(Some(NewBaseline {
            baseline,
            actor: actor.to_owned(),
            reason: Some(format!("patch {} was rolled back", patch.id)),
            at: self.now(),
        }))
    }

    /// The fields that a patch is about, old and new.
    async fn fields_of(&self, patch: &Patch) -> Result<Vec<FieldPath>, EngineError> {
        let mut fields = Vec::new();
        for id in &patch.diagnoses {
            if let Some(stored) = self.store.diagnosis(id).await? {
                fields.push(stored.diagnosis.path);
                fields.extend(stored.diagnosis.to);
            }
        }
        Ok(fields)
    }
}

/// Why a baseline moved with a patch; a roll-back finds the version by it.
fn applied_reason(patch: &Patch) -> String {
    format!("patch {} was applied", patch.id)
}

/// A baseline as if it had been seen just now.
fn window_of(baseline: &Baseline) -> Window {
    Window {
        profile: baseline.profile.clone(),
        behaviour: baseline.behaviour.clone(),
        from: baseline.from,
        to: baseline.to,
        partial: true,
        order: Order::default(),
    }
}

pub(super) fn subject_of(patch: &Patch) -> Subject {
    Subject { connector: patch.connector.clone(), stream: patch.stream.clone() }
}

pub(super) fn with_state(patch: &Patch, state: PatchState) -> Patch {
    Patch { state, ..patch.clone() }
}

/// Where a patch goes back to when its application is undone by a crash.
pub(super) fn pending_state(patch: &Patch) -> PatchState {
    match &patch.verification {
        Some(verification) if verification.passed => PatchState::Verified,
        Some(_) | None => PatchState::Unverifiable,
    }
}
pub(super) fn forward(patch: &Patch) -> Vec<Replacement> {
    patch
        .files
        .iter()
        .map(|file| Replacement {
            path: file.path.clone(),
            expected_sha256: file.before_sha256.clone(),
            bytes: file.after.clone().into_bytes(),
        })
        .collect()
}

pub(super) fn backward(copies: &[UndoCopy]) -> Vec<Replacement> {
    copies
        .iter()
        .map(|copy| Replacement {
            path: copy.path.clone(),
            expected_sha256: copy.after_sha256.clone(),
            bytes: copy.before.clone(),
        })
        .collect()
}

pub(super) fn write_record(patch: &Patch, kind: WriteKind, decision: &Decision) -> WriteRecord {
    let at = decision.at;
    let word = match kind {
        WriteKind::Apply => "apply",
        WriteKind::RollBack => "roll-back",
    };
    let files = patch
        .files
        .iter()
        .map(|file| {
            let (before, after) = match kind {
                WriteKind::Apply => (&file.before_sha256, &file.after_sha256),
                WriteKind::RollBack => (&file.after_sha256, &file.before_sha256),
            };
            FileWrite { path: file.path.clone(), before_sha256: before.clone(), after_sha256: after.clone() }
        })
        .collect();
    WriteRecord {
        id: content_id(&["write/1", &patch.id, word, &at.as_microsecond().to_string()]),
        patch: patch.id.clone(),
        kind,
        files,
        decision: Some(decision.clone()),
        started: at,
    }
}
