//! Decisions about patches: approve, reject, roll back, choose. The writing of files is in [`super::writes`].

use jiff::Timestamp;

use super::writes::{backward, forward, pending_state, subject_of, with_state, write_record};
use super::{Engine, EngineError, escalate};
use crate::apply::{self, ApplyError};
use crate::model::{Decision, DecisionKind, FieldPath, Patch, PatchState, Subject, content_id};
use crate::repair::{self, ChooseInput, VerifyInput};
use crate::store::{PatchFilter, UndoCopy, WriteKind};

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

fn decided_meanwhile(id: &str) -> EngineError {
    EngineError::Refused(format!(
        "somebody else has just decided on patch `{id}`; see `drogue patches show {id}`"
    ))
}
