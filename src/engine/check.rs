//! The path of one window: observe, compare, classify, diagnose, propose, verify, commit, and then apply or escalate.
//! What becomes of a look that failed is in [`super::failed`].

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::checked::{Checked, Committed, Outcome};
use super::docs::contradicted::Disagreement;
use super::open::{MappingFile, Stream};
use super::window::{self, ALL_OF_A_WINDOW, HISTORY, Judged, Size, VOLUME_HISTORY, extend, redacted};
use super::{Approval, Engine, EngineError, deadlines, escalate};
use crate::compare::{Baseline, Window};
use crate::config::AutoApply;
use crate::diagnose::compared;
use crate::model::{
    Category, Change, ChangeKind, Disposition, Facts, FieldPath, PatchState, Report, Subject, Unobserved,
    content_id,
};
use crate::observe::{self, Complete, Observation};
use crate::repair::{self, ProposeInput};
use crate::rules::{JudgeContext, Judgement};
use crate::store::{CheckOutcome, CheckRecord, NewBaseline, StreamState};

/// What is known of a stream before a check.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) state: StreamState,
    pub(super) baseline: Option<Baseline>,
}

/// Whether a window is compared or recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Check,
    Record,
}

/// Who records while a stream is learning: nobody decided anything.
const RECORDER: &str = "drogue";
impl Engine {
    /// Looks once at a stream, and does all that follows from what is seen.
    ///
    /// # Errors
    /// Where the store fails or a mapping cannot be read. A source that cannot be observed is an [`Outcome`].
    pub async fn check(&self, subject: &Subject) -> Result<Checked, EngineError> {
        self.look(subject, Purpose::Check).await
    }

    /// Looks once at a stream, and takes what is seen into its baseline: by a person's word, this is normal.
    ///
    /// # Errors
    /// As [`Engine::check`].
    pub async fn record(&self, subject: &Subject) -> Result<Checked, EngineError> {
        self.look(subject, Purpose::Record).await
    }

    async fn look(&self, subject: &Subject, purpose: Purpose) -> Result<Checked, EngineError> {
        let stream = self.stream(subject)?;
        let known = self.recall(subject).await?;
        let observation = self.observe(&stream, &known, purpose).await?;
        self.settle(&stream, known, observation, purpose).await
    }

    /// What follows from an observation, whether a probe or an import made it.
    pub(super) async fn settle(
        &self,
        stream: &Stream<'_>,
        known: Known,
        observation: Observation,
        purpose: Purpose,
    ) -> Result<Checked, EngineError> {
        let subject = &stream.subject;
        match observation.outcome {
            observe::Outcome::Complete(complete) => self.take_in(stream, known, *complete, purpose).await,
            observe::Outcome::Unchanged => {
                let why = "nothing new since the last check";
                self.no_evidence(stream, known, Outcome::Unchanged, why, None).await
            }
            observe::Outcome::Deferred { detail, until } => {
                let unobserved = Unobserved {
                    connector: subject.connector.clone(),
                    stream: subject.stream.clone(),
                    outcome: format!("deferred: {detail}"),
                    retry_at: Some(until),
                };
                self.no_evidence(stream, known, Outcome::Failed(unobserved), &detail, Some(until)).await
            }
            observe::Outcome::Failed(failure) => self.failed(stream, known, failure).await,
        }
    }

    /// What is known of a stream; the baseline with the nearest clean window beside it.
    pub(super) async fn recall(&self, subject: &Subject) -> Result<Known, EngineError> {
        let state = self.store.stream_state(subject).await?.unwrap_or_default();
        let mut baseline = self.store.baseline(subject).await?.map(|stored| stored.baseline);
        if let Some(baseline) = &mut baseline {
            self.follow(subject, baseline).await?;
        }
        Ok(Known { state, baseline })
    }

    /// Lets a baseline follow the last quiet windows of the stream, as [`window::follow`] says.
    pub(super) async fn follow(&self, subject: &Subject, baseline: &mut Baseline) -> Result<(), EngineError> {
        let history = self.store.baseline_history(subject).await?;
        let decided = history.iter().filter(|entry| entry.actor != RECORDER).map(|entry| entry.to).max();
        let mut past = self.store.quiet_windows(subject, HISTORY).await?;
        past.reverse();
        // Windows that were cut short say nothing of numbers, however many of them come.
        let entries = match self.store.last_usual_window(subject).await? {
            Some(last) => {
                let since = last.saturating_sub(VOLUME_HISTORY).unwrap_or(Timestamp::MIN);
                self.store.windows(subject, since).await?
            }
            None => Vec::new(),
        };
        let sizes = entries.into_iter().map(|entry| Size {
            to: entry.to,
            records: entry.records,
            counts: entry.is_clean && !entry.is_partial,
        });
        window::follow(baseline, decided, past, sizes);
        Ok(())
    }

    async fn take_in(
        &self,
        stream: &Stream<'_>,
        known: Known,
        complete: Complete,
        purpose: Purpose,
    ) -> Result<Checked, EngineError> {
        if complete.window.profile.records == 0 {
            let mut checked = self.no_evidence(stream, known, Outcome::Empty, "an empty list", None).await?;
            checked.notes = complete.warnings;
            return Ok(checked);
        }
        match (known.baseline.clone(), purpose) {
            (None, _) => self.first_window(stream, known, complete).await,
            (Some(baseline), Purpose::Record) => self.one_more(stream, known, baseline, complete).await,
            (Some(baseline), Purpose::Check) => self.compare(stream, known, baseline, complete).await,
        }
    }

    async fn first_window(
        &self,
        stream: &Stream<'_>,
        known: Known,
        complete: Complete,
    ) -> Result<Checked, EngineError> {
        let window = complete.window;
        let records = window.profile.records;
        let mapping = self.mapping(stream).ok().flatten();
        let mapped = mapping.as_ref().map(|mapping| &mapping.stream);
        let disagreement = self.contradicted(stream, mapped, &window.profile, window.to).await?;
        let window = redacted(window);
        let baseline = window::first(&window);
        let mut report =
            Judgement::default().report(&stream.subject, compared(&baseline, &window), Vec::new());
        let mut record = self.check_record(stream, &known, CheckOutcome::Observed);
        record.learning_until = Some(self.learning_until(stream, &baseline));
        record.judges = vec![Category::Behaviour];
        record.baseline = Some(self.recorded(baseline, "the first window"));
        record.is_clean = true;
        record.window = Some(window);
        record.judges.extend(disagreement.is_some().then_some(Category::Docs));
        add_disagreement(&mut report, disagreement);
        record.findings.clone_from(&report.findings);
        record.diagnoses.clone_from(&report.diagnoses);
        let mut checked = Checked::new(stream, Outcome::Recorded { records });
        checked.notes = complete.warnings;
        let is_told = !report.findings.is_empty();
        let committed = self.commit(stream, &record, is_told.then_some(&report)).await?;
        if is_told {
            checked.settle_report(report, &committed, record.at);
        }
        Ok(checked)
    }

    async fn one_more(
        &self,
        stream: &Stream<'_>,
        known: Known,
        mut baseline: Baseline,
        complete: Complete,
    ) -> Result<Checked, EngineError> {
        let window = complete.window;
        let records = window.profile.records;
        extend(&mut baseline, &window)?;
        let mut record = self.check_record(stream, &known, CheckOutcome::Observed);
        record.learning_until = Some(self.learning_until(stream, &baseline));
        record.judges = ALL_OF_A_WINDOW.to_vec();
        record.baseline = Some(self.recorded(baseline, "recorded by command"));
        record.is_clean = true;
        record.window = Some(redacted(window));
        self.commit(stream, &record, None).await?;
        Ok(Checked { notes: complete.warnings, ..Checked::new(stream, Outcome::Recorded { records }) })
    }

    /// The heart of it: one window against the baseline, in memory, then one transaction.
    async fn compare(
        &self,
        stream: &Stream<'_>,
        known: Known,
        baseline: Baseline,
        complete: Complete,
    ) -> Result<Checked, EngineError> {
        let mapping = self.mapping(stream)?;
        let mapped = mapping.as_ref().map(|mapping| &mapping.stream);
        let window = &complete.window;
        let learning = self.is_learning(&baseline);
        let context = JudgeContext { mapping: mapped, learning, at: window.to };
        let around = changes_around(&complete);
        let Judged { mut report, is_clean, mut judges, unjudged } =
            window::judge(&stream.subject, &baseline, window, around, &self.rules, &context);
        self.quote_announcements(stream, &mut report.diagnoses).await?;
        let disagreement = self.contradicted(stream, mapped, &window.profile, window.to).await?;

        let mut checked = Checked::new(stream, Outcome::Compared);
        checked.notes = complete.warnings.clone();
        if let Some(mapping) = &mapping {
            self.propose(stream, mapping, &baseline, window, &mut report, &mut checked);
        }
        judges.extend(disagreement.is_some().then_some(Category::Docs));
        add_disagreement(&mut report, disagreement);

        let mut record = self.check_record(stream, &known, CheckOutcome::Observed);
        record.is_clean = is_clean;
        record.compared = Some(report.compared.clone());
        record.findings.clone_from(&report.findings);
        record.diagnoses.clone_from(&report.diagnoses);
        record.inconclusive.clone_from(&report.inconclusive);
        record.unjudged = unjudged;
        record.patches.clone_from(&checked.patches);
        record.judges = judges;
        if learning {
            checked.outcome = self.still_learning(stream, &baseline, &mut record, window)?;
        }
        record.window = Some(redacted(window.clone()));
        let committed = self.commit(stream, &record, Some(&report)).await?;

        checked.settle_report(report, &committed, record.at);
        checked.note_earlier(&committed);
        self.after_window(stream, &record, &mut checked).await?;
        Ok(checked)
    }

    /// A window without hard facts, while learning, is recorded: that is what learning is. One with hard facts is not.
    fn still_learning(
        &self,
        stream: &Stream<'_>,
        baseline: &Baseline,
        record: &mut CheckRecord,
        window: &Window,
    ) -> Result<Outcome, EngineError> {
        let mut next = baseline.clone();
        if record.is_clean {
            extend(&mut next, window)?;
            record.baseline = Some(self.recorded(next.clone(), "learning"));
        }
        let until = self.learning_until(stream, &next);
        record.learning_until = Some(until);
        let needed = self.config.config.learning.windows;
        Ok(if self.is_learning(&next) {
            Outcome::Learning { seen: next.windows, needed, until, joined: record.is_clean }
        } else {
            Outcome::Compared
        })
    }

    /// Makes and verifies the patch for what was diagnosed, in memory.
    fn propose(
        &self,
        stream: &Stream<'_>,
        mapping: &MappingFile,
        baseline: &Baseline,
        window: &Window,
        report: &mut Report,
        checked: &mut Checked,
    ) {
        let proposal = repair::propose(&ProposeInput {
            subject: &stream.subject,
            diagnoses: &report.diagnoses,
            framework: mapping.framework,
            path: &mapping.path,
            label: &mapping.label,
            text: &mapping.text,
            stream: &mapping.name,
            created: self.now(),
        });
        checked.handled = proposal.handled;
        checked.refused = proposal.refused;
        let Some(mut patch) = proposal.patch else { return };
        // Yesterday's names and today's: the nearest sample of the old shape is the one to try the patch on.
        let old = baseline.latest.as_ref().unwrap_or(&baseline.profile);
        let verification = repair::verify(&repair::VerifyInput {
            patch: &patch,
            framework: mapping.framework,
            before: &mapping.text,
            stream: &mapping.name,
            recorded: &old.entities,
            live: &window.profile.entities,
            records: (old.records, window.profile.records),
        });
        if verification.samples < 2 * repair::MIN_SAMPLES as u64 && patch.disposition == Disposition::Safe {
            patch.disposition = Disposition::Review;
            patch.caution = Some("the stream has few records to try it on".to_owned());
        }
        patch.state = if verification.passed { PatchState::Verified } else { PatchState::Unverifiable };
        patch.verification = Some(verification);
        for diagnosis in &mut report.diagnoses {
            if patch.diagnoses.contains(&diagnosis.id) {
                diagnosis.patch = Some(patch.id.clone());
            }
        }
        checked.patches.push(patch);
    }

    /// What follows once a window is stored: patches that policy allows are applied, applied ones confirmed.
    async fn after_window(
        &self,
        stream: &Stream<'_>,
        record: &CheckRecord,
        checked: &mut Checked,
    ) -> Result<(), EngineError> {
        // Too few records confirm nothing.
        let is_judged =
            record.judges.contains(&Category::Values) && !record.unjudged.contains(&FieldPath::root());
        if record.is_clean && is_judged {
            self.confirm_applied(&stream.subject, record.at).await?;
        }
        if self.auto_apply(stream) == AutoApply::Never {
            return Ok(());
        }
        for patch in &mut checked.patches {
            if patch.state != PatchState::Verified || patch.disposition != Disposition::Safe {
                continue;
            }
            let approval = Approval {
                actor: "policy".to_owned(),
                reason: Some("safe and verified".to_owned()),
                unverified: false,
            };
            match self.approve(&patch.id, &approval).await {
                Ok(applied) => {
                    info!(stream = %stream.subject, patch = %applied.id, "policy applied the patch `{}`", applied.id);
                    *patch = applied;
                }
                Err(refused) => {
                    warn!(stream = %stream.subject, "policy could not apply the patch `{}`: {refused}", patch.id);
                }
            }
        }
        Ok(())
    }

    /// A check that says nothing of the records: unchanged, or an empty list.
    async fn no_evidence(
        &self,
        stream: &Stream<'_>,
        known: Known,
        outcome: Outcome,
        why: &str,
        next_due: Option<Timestamp>,
    ) -> Result<Checked, EngineError> {
        let mut record = self.check_record(stream, &known, CheckOutcome::NoEvidence { why: why.to_owned() });
        if outcome == Outcome::Unchanged {
            self.seen_again(stream, &known, &mut record);
        }
        match next_due {
            // Nobody was asked: what is known of failures, and of when the stream was last seen, stays.
            Some(at) => {
                record.next_due = Some(at);
                record.is_attempt = false;
            }
            // The endpoint answered: failures of it are over.
            None => record.judges = vec![Category::Behaviour],
        }
        let committed = self.commit(stream, &record, None).await?;
        let mut checked = Checked::new(stream, outcome);
        checked.note_earlier(&committed);
        Ok(checked)
    }

    /// Nothing new while learning is the last window once more: it counts, or learning would never end where a source
    /// always says so.
    fn seen_again(&self, stream: &Stream<'_>, known: &Known, record: &mut CheckRecord) {
        let Some(baseline) = known.baseline.as_ref().filter(|baseline| self.is_learning(baseline)) else {
            return;
        };
        let mut next = baseline.clone();
        next.version += 1;
        next.windows += 1;
        next.to = next.to.max(record.at);
        record.learning_until = Some(self.learning_until(stream, &next));
        record.baseline = Some(self.recorded(next, "learning: nothing new at the source"));
    }

    /// One transaction: everything that the check came to, and the messages about it.
    pub(super) async fn commit(
        &self,
        stream: &Stream<'_>,
        record: &CheckRecord,
        report: Option<&Report>,
    ) -> Result<Committed, EngineError> {
        let silences = self.store.active_silences(record.at).await?;
        let outcome = self
            .store
            .commit_check(record, |outcome| {
                escalate::messages(&self.config.config, record, report, outcome, &silences, &[])
            })
            .await?;
        if !outcome.stored {
            info!(stream = %stream.subject, "check `{}` was stored before; nothing changed", record.id);
        }
        Ok(Committed { outcome, silences })
    }

    pub(super) fn check_record(
        &self,
        stream: &Stream<'_>,
        known: &Known,
        outcome: CheckOutcome,
    ) -> CheckRecord {
        let now = self.now();
        let id = content_id(&[
            "check/1",
            &stream.subject.connector,
            &stream.subject.stream,
            &now.as_microsecond().to_string(),
        ]);
        let mut record = CheckRecord::new(id, stream.subject.clone(), now, outcome);
        record.next_due = Some(next_slot(known.state.first_window, now, stream.settings.every.signed()));
        record
    }

    fn recorded(&self, baseline: Baseline, reason: &str) -> NewBaseline {
        NewBaseline { baseline, actor: RECORDER.to_owned(), reason: Some(reason.to_owned()), at: self.now() }
    }

    /// Whether too little has been seen for soft facts to alert.
    pub(super) fn is_learning(&self, baseline: &Baseline) -> bool {
        window::is_learning(&self.config.config.learning, baseline)
    }

    /// When learning ends at the earliest: once enough time has gone by, and enough windows can have been seen.
    pub(super) fn learning_until(&self, stream: &Stream<'_>, baseline: &Baseline) -> Timestamp {
        let learning = &self.config.config.learning;
        let missing = i32::try_from(learning.windows.saturating_sub(baseline.windows)).unwrap_or(i32::MAX);
        let by_span = baseline.from.saturating_add(learning.span.signed()).unwrap_or(Timestamp::MAX);
        let by_windows = stream.settings.every.signed().checked_mul(missing).unwrap_or(SignedDuration::MAX);
        by_span.max(baseline.to.saturating_add(by_windows).unwrap_or(Timestamp::MAX))
    }
}

/// Puts beside what changed what documentation and responses disagree about.
fn add_disagreement(report: &mut Report, disagreement: Option<Disagreement>) {
    let Some(Disagreement { findings, diagnoses }) = disagreement else { return };
    report.findings.extend(findings);
    report.diagnoses.extend(diagnoses);
}

/// The next slot of a schedule that began with the first window: looks in between move none, and where several were
/// missed there is one catch-up, never a storm of them.
fn next_slot(first: Option<Timestamp>, now: Timestamp, every: SignedDuration) -> Timestamp {
    let first = first.unwrap_or(now);
    let every_s = every.as_secs().max(1);
    let slots = now.duration_since(first).as_secs().div_euclid(every_s).saturating_add(1);
    let ahead = SignedDuration::from_secs(slots.saturating_mul(every_s));
    first.saturating_add(ahead).unwrap_or(Timestamp::MAX)
}

/// Changes around the records: they sit elsewhere, or the vendor says that the endpoint ends.
pub(super) fn changes_around(complete: &Complete) -> Vec<Change> {
    let moved = complete.moved_from.as_ref().map(|from| Change {
        kind: ChangeKind::EnvelopeChanged,
        path: FieldPath::root(),
        to: Vec::new(),
        facts: Facts::new().with("from", from.to_string()).with("to", complete.records.to_string()),
    });
    let notices = complete.notices.iter().map(|notice| deadlines::of_notice(notice, complete.window.to));
    moved.into_iter().chain(notices).collect()
}
