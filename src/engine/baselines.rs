//! Baselines as people handle them: show, accept, export, import, history. Only here, in `decide`, and while learning
//! does a baseline move.

use jiff::Timestamp;

use super::{Engine, EngineError};
use crate::compare::{Baseline, accept};
use crate::model::{ChangeKind, FieldPath, Finding, Fingerprint, Subject};
use crate::profile::PROFILE_VERSION;
use crate::store::{BaselineEntry, FindingFilter, NewBaseline, StoredBaseline};

impl Engine {
    /// The baseline of a stream.
    ///
    /// # Errors
    /// Where there is none yet.
    pub async fn baseline(&self, subject: &Subject) -> Result<StoredBaseline, EngineError> {
        self.store.baseline(subject).await?.ok_or_else(|| {
            EngineError::Refused(format!(
                "`{subject}` has no baseline yet; take one with `drogue record {subject}`"
            ))
        })
    }

    /// When learning ends at the earliest; `None` once it is over.
    ///
    /// # Errors
    /// Where the config does not have the stream.
    pub fn learning(&self, subject: &Subject, baseline: &Baseline) -> Result<Option<Timestamp>, EngineError> {
        let stream = self.stream(subject)?;
        Ok(self.is_learning(baseline).then(|| self.learning_until(&stream, baseline)))
    }

    /// The versions of a stream's baseline, the newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn baseline_history(&self, subject: &Subject) -> Result<Vec<BaselineEntry>, EngineError> {
        Ok(self.store.baseline_history(subject).await?)
    }

    /// `accept`: what was seen last, at these paths or at all of them, is the new normal. The baseline moves, and the
    /// findings there are resolved. Gives back the fingerprints that were.
    ///
    /// # Errors
    /// Where there is nothing to accept.
    pub async fn accept(
        &self,
        subject: &Subject,
        paths: &[FieldPath],
        actor: &str,
        reason: Option<&str>,
    ) -> Result<Vec<Fingerprint>, EngineError> {
        if let Some(done) = self.accept_document(subject, actor, reason).await? {
            return Ok(done);
        }
        let open = self.unresolved(subject).await?;
        let meant: Vec<&Finding> = open
            .iter()
            .filter(|finding| paths.is_empty() || paths.iter().any(|under| finding.path.starts_with(under)))
            .collect();
        if meant.is_empty() {
            return Err(EngineError::Refused(format!(
                "`{subject}` has no open findings{}; there is nothing to accept",
                if paths.is_empty() { "" } else { " at these paths" }
            )));
        }
        let whole = meant.len() == open.len();
        let accepted = places(meant.iter().copied());
        let new = self.moved_baseline(subject, &accepted, whole, actor, reason).await?;
        let fingerprints: Vec<Fingerprint> =
            meant.into_iter().map(|finding| finding.fingerprint.clone()).collect();
        Ok(self.store.accept(subject, new.as_ref(), &fingerprints, actor, reason, self.now()).await?)
    }

    /// The baseline with these changes accepted, as the last window shows them; `None` where there is no window.
    pub(super) async fn moved_baseline(
        &self,
        subject: &Subject,
        accepted: &[(FieldPath, ChangeKind)],
        whole: bool,
        actor: &str,
        reason: Option<&str>,
    ) -> Result<Option<NewBaseline>, EngineError> {
        let Some(mut stored) = self.store.baseline(subject).await? else { return Ok(None) };
        self.follow(subject, &mut stored.baseline).await?;
        let Some(window) = self.last_window(subject).await? else { return Ok(None) };
        let baseline = accept(&stored.baseline, &window, accepted, whole);
        Ok(Some(NewBaseline {
            baseline,
            actor: actor.to_owned(),
            reason: reason.map(str::to_owned),
            at: self.now(),
        }))
    }

    /// Findings that are not resolved.
    pub(super) async fn unresolved(&self, subject: &Subject) -> Result<Vec<Finding>, EngineError> {
        use crate::model::FindingState::{Acknowledged, Flapping, Open};
        let filter = FindingFilter {
            connector: Some(subject.connector.clone()),
            stream: Some(subject.stream.clone()),
            states: vec![Open, Acknowledged, Flapping],
            ..FindingFilter::default()
        };
        let known = self.store.findings(&filter).await?;
        Ok(known.into_iter().map(|known| known.finding).collect())
    }

    /// Takes a baseline that `baseline export` printed, made with the same hash key.
    ///
    /// # Errors
    /// Where the text is no baseline, or one of another hash key or version: its hashes would mean nothing here.
    pub async fn import_baseline(
        &self,
        subject: &Subject,
        text: &str,
        actor: &str,
    ) -> Result<u64, EngineError> {
        self.stream(subject)?;
        let mut baseline: Baseline = serde_json::from_str(text)
            .map_err(|wrong| EngineError::Refused(format!("this is no exported baseline: {wrong}")))?;
        if baseline.profile.version != PROFILE_VERSION {
            return Err(EngineError::Refused(format!(
                "this baseline has profile version {}, this Drogue reads {PROFILE_VERSION}; record a new one",
                baseline.profile.version
            )));
        }
        if baseline.profile.key_id != self.hash_key().id() {
            return Err(EngineError::Refused(
                "this baseline was made with another database's hash key, so its values cannot be compared here; \
                 record a new one"
                    .to_owned(),
            ));
        }
        let present = self.store.baseline(subject).await?.map_or(0, |stored| stored.baseline.version);
        baseline.version = present + 1;
        baseline.latest = None;
        // It holds from now on: windows that were quiet under another baseline say nothing about it.
        baseline.to = self.now();
        let version = baseline.version;
        let new = NewBaseline {
            baseline,
            actor: actor.to_owned(),
            reason: Some("imported".to_owned()),
            at: self.now(),
        };
        self.store.save_baseline(subject, &new).await?;
        Ok(version)
    }
}

/// Where findings say that something changed, and how; an exchange of two fields is at both.
pub(super) fn places<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<(FieldPath, ChangeKind)> {
    findings
        .flat_map(|finding| {
            let partners = finding.to.iter().filter(|_| finding.kind == ChangeKind::Swapped);
            std::iter::once(&finding.path).chain(partners).map(|path| (path.clone(), finding.kind))
        })
        .collect()
}
