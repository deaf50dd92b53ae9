//! How a stream is asked: what the config says, and what earlier looks have taught, as a source to observe.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use serde::Serialize;

use super::check::{Known, Purpose};
use super::checked::Checked;
use super::open::Stream;
use super::{Engine, EngineError};
use crate::model::{FieldPath, Subject};
use crate::observe::{self, HarFilter, ImportOptions, Observation, ObserveContext, Source, Validators};
use crate::profile::KeySpec;

/// What earlier looks of this process have taught about a stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Hints {
    pub(super) guessed_records: Option<FieldPath>,
    pub(super) validators: Validators,
}

/// One exchange as `probe --dry-run` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Probed {
    /// The stream.
    pub subject: Subject,
    /// Request, headers, status and the shape of the body; no secret and no value.
    pub text: String,
}

impl Engine {
    /// Looks at a stream by its request.
    pub(super) async fn observe(
        &self,
        stream: &Stream<'_>,
        known: &Known,
        purpose: Purpose,
    ) -> Result<Observation, EngineError> {
        let mut source = self.source(stream)?;
        if purpose == Purpose::Record || known.baseline.is_none() || known.state.failures > 0 {
            // A look that must see records asks without conditions.
            source.validators = Validators::default();
        }
        let limit = u64::from(self.http(&stream.subject.connector).requests_per_day);
        let used = self.store.requests_used(&stream.subject.connector, self.now()).await?;
        let left = u32::try_from(limit.saturating_sub(used)).unwrap_or(u32::MAX);
        source.connection.budget.refill(left);
        let key = self.key_of(stream, known);
        let context = ObserveContext {
            clock: self.clock(),
            hash_key: self.hash_key(),
            key: key.as_ref(),
            rules: &self.rules,
        };
        let observation = observe::observe(&source, &context).await;
        for _ in 0..observation.requests {
            self.store.take_request(&stream.subject.connector, self.now(), limit).await?;
        }
        if let observe::Outcome::Complete(complete) = &observation.outcome {
            let mut hints = self.hints.lock().unwrap_or_else(PoisonError::into_inner);
            let hint = hints.entry(stream.subject.clone()).or_default();
            hint.validators = complete.validators.clone();
            hint.guessed_records = complete.guessed.then(|| complete.records.clone());
        }
        Ok(observation)
    }

    /// The primary key of a stream: as told, else as its baseline was sampled.
    fn key_of(&self, stream: &Stream<'_>, known: &Known) -> Option<KeySpec> {
        if !stream.settings.key.is_empty() {
            return Some(KeySpec { paths: stream.settings.key.clone() });
        }
        known.baseline.as_ref().and_then(|baseline| baseline.profile.entities.key.clone())
    }

    fn source(&self, stream: &Stream<'_>) -> Result<Source, EngineError> {
        let Some(request) = &stream.settings.request else {
            return Err(EngineError::Refused(format!(
                "stream `{}` has no `request` in the config; its records come by `drogue import`",
                stream.subject
            )));
        };
        let hints = {
            let hints = self.hints.lock().unwrap_or_else(PoisonError::into_inner);
            hints.get(&stream.subject).cloned().unwrap_or_default()
        };
        Ok(Source {
            subject: stream.subject.clone(),
            connection: Arc::clone(self.connection(&stream.subject.connector)?),
            request: request.clone(),
            samples: stream.connector.samples,
            guessed_records: hints.guessed_records,
            validators: hints.validators,
        })
    }

    /// Asks a stream's endpoint once and shows the exchange; nothing is stored and nothing is learnt.
    ///
    /// # Errors
    /// Where the stream has no request.
    pub async fn probe(&self, subject: &Subject) -> Result<Probed, EngineError> {
        let stream = self.stream(subject)?;
        let mut source = self.source(&stream)?;
        source.validators = Validators::default();
        source.connection.budget.refill(u32::MAX);
        let shown = observe::dry_run(&source, self.clock()).await;
        Ok(Probed { subject: subject.clone(), text: shown.text() })
    }

    /// Takes files as observations of a stream, each as if a probe had seen it, in the order given.
    ///
    /// # Errors
    /// Where a file cannot be read as records of this stream; the files before it are taken in.
    pub async fn import(&self, subject: &Subject, files: &[PathBuf]) -> Result<Vec<Checked>, EngineError> {
        let stream = self.stream(subject)?;
        let request = stream.settings.request.as_ref();
        let options = ImportOptions {
            records: request.and_then(|request| request.records.clone()),
            filter: request
                .and_then(|request| HarFilter::of_request(stream.connector.base_url.as_deref(), request)),
            samples: stream.connector.samples,
            at: None,
        };
        let mut all = Vec::with_capacity(files.len());
        for file in files {
            let known = self.recall(subject).await?;
            let key = self.key_of(&stream, &known);
            let context = ObserveContext {
                clock: self.clock(),
                hash_key: self.hash_key(),
                key: key.as_ref(),
                rules: &self.rules,
            };
            let observation = observe::import_file(file, &options, &context)?;
            all.push(self.settle(&stream, known, observation, Purpose::Check).await?);
        }
        Ok(all)
    }
}
