//! Gathers the records of pages, or of entries of a file, into one window.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::body::Records;
use super::foreign::media_type;
use super::{Complete, Failure, Notice, ObserveContext, Validators};
use crate::compare::{Behaviour, Window};
use crate::model::{FieldPath, HashKey};
use crate::profile::{Order, Profile, ProfileOptions, Profiler, SampleMode, find_keys};

/// Records up to this size, in bytes, are kept to be profiled again by the key that the whole window has; the key of a
/// larger one is that of its first records: some thousand of them tell it, and memory stays as it is.
const MAX_KEPT: usize = 8 << 20;

/// What has been read so far.
pub(super) struct Reading {
    profiler: Profiler,
    options: ProfileOptions,
    /// The records so far, as long as their key is not known: to profile them again by it.
    kept: Option<Vec<Vec<u8>>>,
    kept_bytes: usize,
    pub(super) behaviour: Behaviour,
    /// Hashes of the records of each page: an envelope with a time in it must not hide a page that came again.
    seen: BTreeSet<u64>,
    hash_key: HashKey,
    records: Option<FieldPath>,
    is_configured: bool,
    is_known: bool,
    moved_from: Option<FieldPath>,
    pub(super) partial: bool,
    pub(super) cut_short: Option<Failure>,
    pub(super) validators: Validators,
}

/// What was taken down beside the records.
pub(super) struct Told {
    pub(super) statuses: BTreeMap<u16, u64>,
    pub(super) max_latency_ms: u64,
    pub(super) notices: Vec<Notice>,
    pub(super) warnings: Vec<String>,
}

impl Reading {
    /// Nothing yet. The records are where the config has them, else where an earlier look guessed them.
    pub(super) fn new(
        context: &ObserveContext<'_>,
        samples: SampleMode,
        max_depth: u16,
        configured: Option<&FieldPath>,
        guessed: Option<&FieldPath>,
    ) -> Self {
        let options = ProfileOptions {
            key: context.key.cloned(),
            samples,
            max_depth,
            ..ProfileOptions::new(context.hash_key)
        };
        Self {
            profiler: Profiler::new(options.clone()),
            kept: options.key.is_none().then(Vec::new),
            kept_bytes: 0,
            options,
            behaviour: Behaviour::default(),
            seen: BTreeSet::new(),
            hash_key: context.hash_key,
            records: configured.or(guessed).cloned(),
            is_configured: configured.is_some(),
            is_known: configured.is_some() || guessed.is_some(),
            moved_from: None,
            partial: false,
            cut_short: None,
            validators: Validators::default(),
        }
    }

    /// Where the records of the next page should be.
    pub(super) const fn expected(&self) -> Option<&FieldPath> {
        self.records.as_ref()
    }

    /// One record that came on its own, such as a line.
    pub(super) fn record(&mut self, record: &[u8]) {
        self.profiler.record(record);
        if let Some(kept) = &mut self.kept {
            kept.push(record.to_vec());
            self.kept_bytes += record.len();
            if self.kept_bytes > MAX_KEPT {
                self.settle_key();
            }
        }
    }

    /// Samples by the key that the records so far have, from here on.
    fn settle_key(&mut self) {
        let kept = self.kept.take().unwrap_or_default();
        let so_far = std::mem::replace(&mut self.profiler, Profiler::new(self.options.clone())).finish();
        self.options.key = find_keys(&so_far).into_iter().next();
        self.profiler = Profiler::new(self.options.clone());
        kept.iter().for_each(|record| self.profiler.record(record));
    }

    /// The profile of all that was taken. Where nobody knew the key, the window itself says which fields tell its
    /// records apart; sampled by them, it pairs with the next ones.
    fn profile(&mut self) -> (Profile, Order) {
        let all = std::mem::replace(&mut self.profiler, Profiler::new(self.options.clone()));
        let (profile, order) = all.finish_in_order();
        let (Some(kept), Some(key)) = (self.kept.take(), find_keys(&profile).into_iter().next()) else {
            return (profile, order);
        };
        let mut again = Profiler::new(ProfileOptions { key: Some(key), ..self.options.clone() });
        for record in &kept {
            again.record(record);
        }
        again.finish_in_order()
    }

    /// Takes the records of a page; `false` where the same ones came before, and are not counted again.
    pub(super) fn take(
        &mut self,
        records: &Records,
        bytes: u64,
        content_type: Option<&str>,
        rate_limit: Option<u64>,
    ) -> bool {
        if records.len() > 0 {
            let mut all = Vec::with_capacity(records.len() * 8);
            records
                .iter()
                .for_each(|record| all.extend_from_slice(&self.hash_key.hash(record).to_le_bytes()));
            if !self.seen.insert(self.hash_key.hash(&all)) {
                return false;
            }
        }
        records.iter().for_each(|record| self.record(record));
        self.records = Some(records.path.clone());
        if self.moved_from.is_none() {
            self.moved_from.clone_from(&records.moved_from);
        }
        let behaviour = &mut self.behaviour;
        behaviour.pages += 1;
        behaviour.bytes += bytes;
        behaviour.content_type = content_type.map(media_type).or(behaviour.content_type.take());
        behaviour.rate_limit = rate_limit.or(behaviour.rate_limit);
        true
    }

    /// The window of all that was taken.
    pub(super) fn finish(mut self, told: Told, from: Timestamp, to: Timestamp) -> Complete {
        let (profile, order) = self.profile();
        let records = self.records.unwrap_or_default();
        let mut warnings = told.warnings;
        if !self.is_known {
            warnings.push(format!(
                "the config does not say where the records are; `{records}` is a guess: set `records: {records}`"
            ));
        }
        if let Some(from) = &self.moved_from {
            warnings.push(format!("the records were expected at `{from}` and found at `{records}`"));
        }
        let behaviour =
            Behaviour { statuses: told.statuses, max_latency_ms: told.max_latency_ms, ..self.behaviour };
        Complete {
            window: Window { profile, behaviour, from, to, partial: self.partial, order },
            records,
            guessed: !self.is_configured,
            moved_from: self.moved_from,
            cut_short: self.cut_short,
            notices: told.notices,
            warnings,
            validators: self.validators,
        }
    }
}
