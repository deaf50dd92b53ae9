//! Decisions about patches: approve, reject, roll back; and what a crash in the middle of one leaves to finish.

use jiff::Timestamp;
use tracing::{info, warn};

use super::{Engine, EngineError, escalate};
use crate::apply::{self, ApplyError, FileState, Replacement};
use crate::compare::{Baseline, Window, accept};
use crate::model::{
    ChangeKind, Decision, DecisionKind, FieldPath, Fingerprint, Patch, PatchState, Subject, content_id,
};
use crate::profile::Order;
use crate::repair::{self, ChooseInput, VerifyInput};
use crate::store::{
    AuditBreak, AuditRow, FileWrite, NewBaseline, PatchFilter, UndoCopy, WriteEnd, WriteKind, WriteRecord,
};

/// A person's word on a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Whose word it is.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether a patch is taken that could not be verified.
    pub unverified: bool,
}

impl Engine {
    /// Patches, the newest first: those that wait for a decision, or all.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn patches(&self, all: bool) -> Result<Vec<Patch>, EngineError> {
        let filter = if all { PatchFilter::default() } else { PatchFilter::pending() };
        Ok(self.store.patches(&filter).await?.into_iter().map(|stored| stored.patch).collect())
    }

    /// One patch, by the beginning of its id.
    ///
    /// # Errors
    /// Where there is none, or several begin so.
    pub async fn patch(&self, prefix: &str) -> Result<Patch, EngineError> {
        let stored = self.store.patch(prefix).await?;
        stored.map(|stored| stored.patch).ok_or_else(|| EngineError::Unknown {
            what: "patch",
            name: prefix.to_owned(),
            hint: "; see `drogue patches list --all`".to_owned(),
        })
    }

    /// Applies a patch: the file is written if it is still the one that the patch was made for, an undo copy is kept,
    /// and the baseline moves to the shape that the mended mapping reads.
    ///
    /// # Errors
    /// Where the patch neither waits for a decision nor was decided against, was not verified (unless that is said to be fine), or the file
    /// changed since: then the patch is stale, and the next check makes a new one.
    pub async fn approve(&self, prefix: &str, approval: &Approval) -> Result<Patch, EngineError> {
        let patch = self.patch(prefix).await?;
        let from = match patch.state {
            PatchState::Verified => PatchState::Verified,
            // A person who turned it down, or took it back, may think better of it.
            PatchState::Rejected | PatchState::RolledBack
                if approval.unverified || pending_state(&patch) == PatchState::Verified =>
            {
                patch.state
            }
            PatchState::Unverifiable | PatchState::Proposed if approval.unverified => patch.state,
            PatchState::Unverifiable
            | PatchState::Proposed
            | PatchState::Rejected
            | PatchState::RolledBack => {
                return Err(EngineError::Refused(format!(
                    "patch `{0}` is not verified: look at it with `drogue patches show {0}`, and say \
                     `drogue approve {0} --unverified` if you know better",
                    patch.id
                )));
            }
            other => {
                return Err(EngineError::Refused(format!(
                    "patch `{}` is {} and cannot be approved",
                    patch.id,
                    other.word()
                )));
            }
        };
        let now = self.now();
        let decision =
            self.decision(DecisionKind::Approve, &patch.id, &approval.actor, approval.reason.as_deref());
        let replacements = forward(&patch);
        let before = match apply::prepare(&replacements, &self.declared_files()) {
            Ok(before) => before,
            Err(stale @ ApplyError::Stale { .. }) => {
                let since = self.incident_of(&patch).await?;
                let shown = with_state(&patch, PatchState::Stale);
                let messages = escalate::decided(&self.config.config, &shown, since, now);
                self.store
                    .set_patch_state(&patch.id, &[from], PatchState::Stale, None, now, &messages)
                    .await?;
                return Err(stale.into());
            }
            Err(other) => return Err(other.into()),
        };
        let undo: Vec<UndoCopy> = patch
            .files
            .iter()
            .zip(before)
            .map(|(file, before)| UndoCopy {
                path: file.path.clone(),
                before_sha256: file.before_sha256.clone(),
                after_sha256: file.after_sha256.clone(),
                before,
            })
            .collect();
        let write = write_record(&patch, WriteKind::Apply, &decision);
        let _held = apply::hold(write.files.iter().map(|file| file.path.as_path()))?;
        if !self.store.begin_write(&write, &[from], &undo).await? {
            return Err(decided_meanwhile(&patch.id));
        }
        // From here on the journal knows: whatever happens, `recover` finishes it.
        if let Err(failed) = apply::replace(&replacements, &self.declared_files()) {
            let state = if matches!(failed, ApplyError::Stale { .. }) { PatchState::Stale } else { from };
            self.end(&write, &patch, state).await?;
            return Err(failed.into());
        }
        self.end(&write, &patch, PatchState::Applied).await?;
        self.patch(&patch.id).await
    }

    /// Turns a patch down. Its findings stay open.
    ///
    /// # Errors
    /// Where it does not wait for a decision.
    pub async fn reject(
        &self,
        prefix: &str,
        actor: &str,
        reason: Option<&str>,
    ) -> Result<Patch, EngineError> {
        let patch = self.patch(prefix).await?;
        let from = [PatchState::Proposed, PatchState::Verified, PatchState::Unverifiable];
        let decision = self.decision(DecisionKind::Reject, &patch.id, actor, reason);
        let now = self.now();
        if !self
            .store
            .set_patch_state(&patch.id, &from, PatchState::Rejected, Some(&decision), now, &[])
            .await?
        {
            return Err(EngineError::Refused(format!(
                "patch `{}` is {} and cannot be rejected",
                patch.id,
                self.patch(&patch.id).await?.state.word()
            )));
        }
        self.patch(&patch.id).await
    }

    /// Undoes an applied patch: the file becomes what it was, if nobody edited it since, and the baseline goes back to
    /// the shape that this mapping reads.
    ///
    /// # Errors
    /// Where it is not applied, or the file was edited since.
    pub async fn roll_back(
        &self,
        prefix: &str,
        actor: &str,
        reason: Option<&str>,
    ) -> Result<Patch, EngineError> {
        let patch = self.patch(prefix).await?;
        if !matches!(patch.state, PatchState::Applied | PatchState::Confirmed) {
            return Err(EngineError::Refused(format!(
                "patch `{}` is {}: only applied ones are rolled back",
                patch.id,
                patch.state.word()
            )));
        }
        let copies = self.store.undo_copies(&patch.id).await?;
        let replacements = backward(&copies);
        let declared = self.declared_files();
        apply::prepare(&replacements, &declared)?;
        let decision = self.decision(DecisionKind::RollBack, &patch.id, actor, reason);
        let write = write_record(&patch, WriteKind::RollBack, &decision);
        let _held = apply::hold(write.files.iter().map(|file| file.path.as_path()))?;
        if !self.store.begin_write(&write, &[patch.state], &[]).await? {
            return Err(decided_meanwhile(&patch.id));
        }
        if let Err(failed) = apply::replace(&replacements, &declared) {
            self.end(&write, &patch, patch.state).await?;
            return Err(failed.into());
        }
        self.end(&write, &patch, PatchState::RolledBack).await?;
        self.patch(&patch.id).await
    }

    /// Tries a patch again, on the samples that are recorded now.
    ///
    /// # Errors
    /// Where it does not wait for a decision, or nothing is recorded to try it on.
    pub async fn verify(&self, prefix: &str) -> Result<Patch, EngineError> {
        let patch = self.patch(prefix).await?;
        let subject = subject_of(&patch);
        let stream = self.stream(&subject)?;
        let Some(mapping) = self.mapping(&stream)? else {
            return Err(EngineError::Refused(format!("`{subject}` has no mapping in the config any more")));
        };
        let known = self.recall(&subject).await?;
        let (Some(baseline), Some(window)) = (known.baseline, self.last_window(&subject).await?) else {
            return Err(EngineError::Refused(format!(
                "nothing is recorded of `{subject}`; run `drogue check {subject}`"
            )));
        };
        let old = baseline.latest.as_ref().unwrap_or(&baseline.profile);
        let verification = repair::verify(&VerifyInput {
            patch: &patch,
            framework: mapping.framework,
            before: &mapping.text,
            stream: &mapping.name,
            recorded: &old.entities,
            live: &window.profile.entities,
            records: (old.records, window.profile.records),
        });
        if !self.store.set_verification(&patch.id, &verification, self.now()).await? {
            return Err(EngineError::Refused(format!("patch `{}` is {}", patch.id, patch.state.word())));
        }
        self.patch(&patch.id).await
    }

    /// Makes the patch for one candidate of an ambiguous diagnosis: a person has said which reading is right.
    ///
    /// # Errors
    /// Where there is no such diagnosis or candidate, or no patch can be made.
    pub async fn choose(
        &self,
        prefix: &str,
        candidate: &FieldPath,
        actor: &str,
    ) -> Result<Patch, EngineError> {
        let Some(stored) = self.store.diagnosis(prefix).await? else {
            return Err(EngineError::Unknown {
                what: "diagnosis",
                name: prefix.to_owned(),
                hint: "; see `drogue findings list --format json`".to_owned(),
            });
        };
        let stream = self.stream(&stored.subject)?;
        let Some(mapping) = self.mapping(&stream)? else {
            return Err(EngineError::Refused(format!("`{}` has no mapping in the config", stored.subject)));
        };
        let now = self.now();
        let mut patch = repair::propose_with_choice(&ChooseInput {
            subject: &stored.subject,
            diagnosis: &stored.diagnosis,
            candidate,
            framework: mapping.framework,
            path: &mapping.path,
            label: &mapping.label,
            text: &mapping.text,
            stream: &mapping.name,
            created: now,
        })
        .map_err(|refused| EngineError::Refused(refused.to_string()))?;
        patch.caution = Some(format!("`{actor}` chose this reading among several"));
        let mut record = crate::store::CheckRecord::new(
            content_id(&["choice/1", &stored.diagnosis.id, &candidate.to_string(), &patch.id]),
            stored.subject.clone(),
            now,
            crate::store::CheckOutcome::NoEvidence { why: format!("`{actor}` chose a reading") },
        );
        record.is_attempt = false;
        record.patches = vec![patch.clone()];
        self.store.commit_check(&record, |_| Vec::new()).await?;
        match self.verify(&patch.id).await {
            Ok(verified) => Ok(verified),
            Err(_) => self.patch(&patch.id).await,
        }
    }

    /// Patches whose stream is quiet again are confirmed.
    pub(super) async fn confirm_applied(&self, subject: &Subject, at: Timestamp) -> Result<(), EngineError> {
        let filter = PatchFilter {
            connector: Some(subject.connector.clone()),
            stream: Some(subject.stream.clone()),
            states: vec![PatchState::Applied],
        };
        for stored in self.store.patches(&filter).await? {
            let from = [PatchState::Applied];
            self.store.set_patch_state(&stored.patch.id, &from, PatchState::Confirmed, None, at, &[]).await?;
        }
        Ok(())
    }

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
    async fn end(&self, write: &WriteRecord, patch: &Patch, state: PatchState) -> Result<(), EngineError> {
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
                let accepted: Vec<(FieldPath, ChangeKind)> =
                    settled.iter().map(|(_, path, kind)| (path.clone(), *kind)).collect();
                let actor = decision.as_ref().map_or("recovery", |decision| &decision.actor);
                let reason = applied_reason(patch);
                baseline = self
                    .moved_baseline(&subject, &accepted, settled.len() == open, actor, Some(&reason))
                    .await?;
                resolved = settled.into_iter().map(|(fingerprint, _, _)| fingerprint).collect();
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

    /// The findings that a patch's diagnoses explain: fingerprint, path, kind.
    async fn settled_by(
        &self,
        patch: &Patch,
    ) -> Result<Vec<(Fingerprint, FieldPath, ChangeKind)>, EngineError> {
        let subject = subject_of(patch);
        let explained = self.explained_by(patch).await?;
        let mut open = self.unresolved(&subject).await?;
        open.retain(|(fingerprint, _, _)| explained.contains(fingerprint));
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
    async fn incident_of(&self, patch: &Patch) -> Result<Timestamp, EngineError> {
        let mut fingerprints = self.explained_by(patch).await?;
        let open = self.unresolved(&subject_of(patch)).await?;
        fingerprints.extend(open.into_iter().map(|(fingerprint, _, _)| fingerprint));
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

    /// The newest entries of the audit log.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn audit(&self, limit: u64) -> Result<Vec<AuditRow>, EngineError> {
        Ok(self.store.audit(limit).await?)
    }

    /// The first row of the audit log that does not fit its chain of hashes; `None` where all do.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn verify_audit(&self) -> Result<Option<AuditBreak>, EngineError> {
        Ok(self.store.verify_audit().await?.err())
    }

    fn decision(&self, kind: DecisionKind, about: &str, actor: &str, reason: Option<&str>) -> Decision {
        Decision {
            kind,
            actor: actor.to_owned(),
            reason: reason.map(str::to_owned),
            about: about.to_owned(),
            at: self.now(),
        }
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

fn subject_of(patch: &Patch) -> Subject {
    Subject { connector: patch.connector.clone(), stream: patch.stream.clone() }
}

fn with_state(patch: &Patch, state: PatchState) -> Patch {
    Patch { state, ..patch.clone() }
}

/// Where a patch goes back to when its application is undone by a crash.
fn pending_state(patch: &Patch) -> PatchState {
    match &patch.verification {
        Some(verification) if verification.passed => PatchState::Verified,
        Some(_) | None => PatchState::Unverifiable,
    }
}

fn decided_meanwhile(id: &str) -> EngineError {
    EngineError::Refused(format!(
        "somebody else has just decided on patch `{id}`; see `drogue patches show {id}`"
    ))
}

fn forward(patch: &Patch) -> Vec<Replacement> {
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

fn backward(copies: &[UndoCopy]) -> Vec<Replacement> {
    copies
        .iter()
        .map(|copy| Replacement {
            path: copy.path.clone(),
            expected_sha256: copy.after_sha256.clone(),
            bytes: copy.before.clone(),
        })
        .collect()
}

fn write_record(patch: &Patch, kind: WriteKind, decision: &Decision) -> WriteRecord {
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
