//! What would have been said of a stream, window by window, as an engine that watched it would have.
//!
//! The steps are those of the engine, on memory instead of the store: [`window::follow`], [`window::judge`],
//! [`move_findings`], learning, accepting.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::super::EngineError;
use super::super::baselines::places;
use super::super::failed::{FailedLooks, pattern};
use super::super::window::{self, HISTORY, Judged, Size, VOLUME_HISTORY};
use super::told::{Accepting, Event, EventKind, Summary, Told, WindowOutcome};
use crate::compare::{Baseline, Window, accept};
use crate::config::LearningSettings;
use crate::diagnose::{FindingRecord, Look, Moved, Step, move_findings};
use crate::model::{
    Category, Change, Diagnosis, FieldPath, Finding, FindingState, Fingerprint, Inconclusive, Report,
    Severity, Subject,
};
use crate::observe::Failure;
use crate::profile::KeySpec;
use crate::rules::{JudgeContext, RuleSet};

/// A stream in memory.
#[derive(Debug)]
pub(super) struct Timeline {
    subject: Subject,
    rules: RuleSet,
    learning: LearningSettings,
    accepting: Accepting,
    baseline: Option<Baseline>,
    /// Until when the last decision holds.
    decided: Option<Timestamp>,
    /// The last quiet windows, the oldest first.
    past: VecDeque<Window>,
    /// The last window, whatever it showed.
    last: Option<Window>,
    sizes: VecDeque<Size>,
    known: Vec<FindingRecord>,
    /// The last reading of each diagnosis.
    read: BTreeMap<String, Diagnosis>,
    /// The windows so far that hold an error, in a row up to the last one.
    failing: FailedLooks,
    /// How many windows showed each finding since it was opened.
    shown: BTreeMap<Fingerprint, u64>,
    /// Whether the last window that was compared while learning was not learned from.
    is_held_up: bool,
    /// Paths of [`Accepting::At`] at which something was accepted.
    taken: BTreeSet<FieldPath>,
    summary: Summary,
}

impl Timeline {
    /// Nothing seen yet.
    #[must_use]
    pub(super) fn new(
        subject: Subject,
        rules: RuleSet,
        learning: LearningSettings,
        accepting: Accepting,
    ) -> Self {
        Self {
            subject,
            rules,
            learning,
            accepting,
            baseline: None,
            decided: None,
            past: VecDeque::new(),
            last: None,
            sizes: VecDeque::new(),
            known: Vec::new(),
            read: BTreeMap::new(),
            failing: FailedLooks { failures: 0, since: None },
            shown: BTreeMap::new(),
            is_held_up: false,
            taken: BTreeSet::new(),
            summary: Summary { learning: true, ..Summary::default() },
        }
    }

    /// The rules that judge.
    #[must_use]
    pub(super) const fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The primary key that the baseline is sampled by.
    #[must_use]
    pub(super) fn key(&self) -> Option<KeySpec> {
        self.baseline.as_ref().and_then(|baseline| baseline.profile.entities.key.clone())
    }

    /// One more file could not be read as a window: failing to look is no drift.
    pub(super) const fn unreadable(&mut self) {
        self.summary.unreadable += 1;
    }

    /// A window that holds an error in place of records, seen at `at`; without a date of its own, `is_dated` is false.
    pub(super) fn fail(&mut self, failure: Failure, at: Timestamp, is_dated: bool) -> Told {
        self.summary.failed += 1;
        self.failing.failures += 1;
        self.failing.since = self.failing.since.or(is_dated.then_some(at));
        let context = JudgeContext { mapping: None, learning: self.baseline.is_none(), at };
        let baseline = self.baseline.as_ref();
        let report = pattern(&self.subject, &failure, &self.failing, baseline, &self.rules, &context);
        let (events, report) = match report {
            Some(report) => {
                let (events, report) = self.settle(report, &[], &BTreeSet::new(), at);
                (events, Some(report))
            }
            None => (Vec::new(), None),
        };
        let outcome = WindowOutcome::Failed { class: failure.class, why: failure.detail };
        Told { records: 0, outcome, events, report }
    }

    /// What all windows so far came to.
    #[must_use]
    pub(super) fn summary(&self) -> Summary {
        let mut summary = self.summary.clone();
        let mut open: BTreeMap<&str, Severity> = BTreeMap::new();
        for record in self.unresolved() {
            let worst = open.entry(id_of(&record.finding)).or_insert(record.finding.severity);
            *worst = record.finding.severity.max(*worst);
        }
        open.into_values().for_each(|severity| summary.open.add(severity));
        if summary.learning && self.is_held_up {
            let paths: BTreeSet<&FieldPath> = self.unresolved().map(|record| &record.finding.path).collect();
            summary.holding_up = paths.into_iter().cloned().collect();
        }
        if let Accepting::At(places) = &self.accepting {
            summary.accepted_nothing =
                places.iter().filter(|place| !self.taken.contains(place)).cloned().collect();
        }
        summary
    }

    /// One more window, with the changes around its records.
    ///
    /// # Errors
    /// Where it was profiled in another way than those before it.
    pub(super) fn take(&mut self, window: Window, around: Vec<Change>) -> Result<Told, EngineError> {
        self.summary.windows += 1;
        self.failing = FailedLooks { failures: 0, since: None };
        let records = window.profile.records;
        if records == 0 {
            // The endpoint answered, and that is all it says.
            let nothing = BTreeSet::new();
            let moved = self.look(&[], &[Category::Behaviour], &[], &nothing, window.to);
            let events = self.events(&[], &moved);
            self.known = moved.into_iter().map(|moved| moved.record).collect();
            return Ok(Told { events, ..Told::of(records, WindowOutcome::Empty) });
        }
        let Some(mut baseline) = self.baseline.clone() else {
            let window = window::redacted(window);
            let first = window::first(&window);
            let outcome = self.learned(first, true);
            self.remember(window, true);
            return Ok(Told::of(records, outcome));
        };
        self.follow(&mut baseline);
        let learning = window::is_learning(&self.learning, &baseline);
        let context = JudgeContext { mapping: None, learning, at: window.to };
        let judged = window::judge(&self.subject, &baseline, &window, around, &self.rules, &context);
        self.is_held_up = learning && !judged.is_clean;
        let outcome = if learning {
            if judged.is_clean {
                window::extend(&mut baseline, &window)?;
            }
            self.learned(baseline, judged.is_clean)
        } else {
            WindowOutcome::Compared
        };
        let at = window.to;
        let is_clean = judged.is_clean;
        let Judged { report, judges, unjudged, .. } = judged;
        let (mut events, report) = self.settle(report, &judges, &unjudged, at);
        self.remember(window::redacted(window), is_clean);
        events.extend(self.accept(at));
        Ok(Told { records, outcome, events, report: Some(report) })
    }

    /// Keeps a baseline while learning, and says how far learning is.
    fn learned(&mut self, baseline: Baseline, joined: bool) -> WindowOutcome {
        let outcome = if window::is_learning(&self.learning, &baseline) {
            let span = baseline.to.duration_since(baseline.from);
            WindowOutcome::Learning {
                seen: baseline.windows,
                needed: self.learning.windows,
                joined,
                span_s: u64::try_from(span.as_secs()).unwrap_or_default(),
                needed_s: self.learning.span.duration().as_secs(),
            }
        } else {
            self.summary.learning = false;
            WindowOutcome::Learned {
                windows: baseline.windows,
                records: baseline.profile.records,
                until: Some(baseline.to),
            }
        };
        if joined {
            self.summary.learned_from = baseline.windows;
            self.baseline = Some(baseline);
        }
        outcome
    }

    fn follow(&self, baseline: &mut Baseline) {
        let past = self.past.iter().cloned();
        window::follow(baseline, self.decided, past, self.sizes.iter().copied());
    }

    fn remember(&mut self, window: Window, is_clean: bool) {
        let (to, records) = (window.to, window.profile.records);
        if is_clean && !window.partial {
            self.sizes.push_back(Size { to, records, counts: true });
            let since = to.saturating_sub(VOLUME_HISTORY).unwrap_or(Timestamp::MIN);
            self.sizes.retain(|size| size.to >= since);
        }
        if is_clean {
            self.past.push_back(window.clone());
        }
        self.last = Some(window);
        while self.past.len() as u64 > HISTORY {
            self.past.pop_front();
        }
    }

    /// Moves the findings by what a window was judged to show.
    fn settle(
        &mut self,
        mut report: Report,
        judges: &[Category],
        unjudged: &BTreeSet<FieldPath>,
        at: Timestamp,
    ) -> (Vec<Event>, Report) {
        let moved = self.look(&report.findings, judges, &report.inconclusive, unjudged, at);
        let events = self.events(&report.diagnoses, &moved);
        for finding in &mut report.findings {
            let known = moved.iter().find(|moved| moved.record.finding.fingerprint == finding.fingerprint);
            if let Some(Moved { record, .. }) = known {
                finding.state = record.finding.state;
                finding.first_seen = record.finding.first_seen;
                finding.last_seen = record.finding.last_seen;
            }
        }
        self.known = moved.into_iter().map(|moved| moved.record).collect();
        (events, report)
    }

    /// The known findings after one more look.
    fn look(
        &mut self,
        findings: &[Finding],
        judges: &[Category],
        inconclusive: &[Inconclusive],
        unjudged: &BTreeSet<FieldPath>,
        at: Timestamp,
    ) -> Vec<Moved> {
        let known = std::mem::take(&mut self.known);
        let look = Look { subject: &self.subject, at, findings, judges, inconclusive, unjudged };
        let moved = move_findings(known, &look);
        for Moved { step, record, .. } in &moved {
            let fingerprint = &record.finding.fingerprint;
            if findings.iter().any(|finding| finding.fingerprint == *fingerprint) {
                let shown = self.shown.entry(fingerprint.clone()).or_default();
                let begins = matches!(step, Step::New | Step::Reopened | Step::BecameFlapping);
                *shown = if begins { 1 } else { *shown + 1 };
            }
        }
        moved
    }

    /// What a look did, one event for each diagnosis: those that it draws, then those that it could have drawn.
    fn events(&mut self, drawn: &[Diagnosis], moved: &[Moved]) -> Vec<Event> {
        let mut of: BTreeMap<&str, Vec<&Moved>> = BTreeMap::new();
        for one in moved.iter().filter(|one| one.step != Step::Gone) {
            of.entry(id_of(&one.record.finding)).or_default().push(one);
        }
        let mut events = Vec::new();
        for diagnosis in drawn {
            self.read.insert(diagnosis.id.clone(), diagnosis.clone());
            let moved = of.remove(diagnosis.id.as_str()).unwrap_or_default();
            let shown: Vec<&Moved> = moved
                .into_iter()
                .filter(|one| diagnosis.explains.contains(&one.record.finding.fingerprint))
                .collect();
            // The first word is the strongest one.
            let word = shown.iter().filter_map(|one| word_of(one.step)).min();
            events.extend(word.and_then(|word| self.event(word, shown.iter().map(|one| &one.record))));
        }
        for moved in of.into_values() {
            let is_over = moved.iter().all(|one| one.step == Step::Resolved);
            let word = if is_over { EventKind::Resolved } else { EventKind::Quiet };
            events.extend(self.event(word, moved.iter().map(|one| &one.record)));
        }
        for event in &events {
            self.summary.count(event);
        }
        events
    }

    /// What a person does who accepts what was told: the baseline moves, and the findings are resolved.
    fn accept(&mut self, at: Timestamp) -> Vec<Event> {
        let accepting = std::mem::take(&mut self.accepting);
        let open = self.unresolved().count();
        let meant: Vec<FindingRecord> =
            self.unresolved().filter(|record| accepting.takes(&record.finding.path)).cloned().collect();
        self.accepting = accepting;
        let (Some(mut baseline), Some(last)) = (self.baseline.clone(), self.last.clone()) else {
            return Vec::new();
        };
        if meant.is_empty() {
            return Vec::new();
        }
        if let Accepting::At(places) = &self.accepting {
            let has = |place: &&FieldPath| meant.iter().any(|one| one.finding.path.starts_with(place));
            self.taken.extend(places.iter().filter(has).cloned());
        }
        self.is_held_up = false;
        let accepted = places(meant.iter().map(|record| &record.finding));
        self.follow(&mut baseline);
        let baseline = accept(&baseline, &last, &accepted, meant.len() == open);
        self.decided = Some(baseline.to);
        self.baseline = Some(baseline);
        for record in self
            .known
            .iter_mut()
            .filter(|known| meant.iter().any(|one| one.finding.fingerprint == known.finding.fingerprint))
        {
            record.resolve(at);
        }
        let mut of: BTreeMap<&str, Vec<&FindingRecord>> = BTreeMap::new();
        for record in &meant {
            of.entry(id_of(&record.finding)).or_default().push(record);
        }
        let records = of.into_values();
        let events: Vec<Event> =
            records.filter_map(|records| self.event(EventKind::Accepted, records.into_iter())).collect();
        for event in &events {
            self.summary.count(event);
        }
        events
    }

    fn unresolved(&self) -> impl Iterator<Item = &FindingRecord> {
        self.known.iter().filter(|record| record.finding.state != FindingState::Resolved)
    }

    /// One event about the findings of one diagnosis, in the words of its last reading.
    fn event<'a>(&self, event: EventKind, records: impl Iterator<Item = &'a FindingRecord>) -> Option<Event> {
        let records: Vec<&FindingRecord> = records.collect();
        let findings = || records.iter().map(|record| &record.finding);
        let first = findings().next()?;
        let (kind, path, summary) = match self.read.get(id_of(first)) {
            Some(read) => (read.kind.word(), read.path.clone(), read.summary.clone()),
            None => (first.rule.clone(), first.path.clone(), first.message.clone()),
        };
        let shown = findings().filter_map(|finding| self.shown.get(&finding.fingerprint)).max();
        let rules: BTreeSet<&String> = findings().map(|finding| &finding.rule).collect();
        Some(Event {
            event,
            severity: findings().map(|finding| finding.severity).max()?,
            kind,
            path,
            summary,
            rules: rules.into_iter().cloned().collect(),
            findings: findings().map(|finding| finding.fingerprint.clone()).collect(),
            windows: shown.copied().unwrap_or(1),
            quiet: records.iter().map(|record| record.misses).max()?,
        })
    }
}

/// The diagnosis that explains a finding, or the finding itself.
fn id_of(finding: &Finding) -> &str {
    finding.explained_by.as_deref().unwrap_or(&finding.fingerprint.0)
}

/// The word for a step of a finding that a window shows.
const fn word_of(step: Step) -> Option<EventKind> {
    match step {
        Step::New => Some(EventKind::Opened),
        Step::BecameFlapping => Some(EventKind::Flapping),
        Step::Reopened => Some(EventKind::Reopened),
        Step::Worse => Some(EventKind::Worse),
        Step::Still => Some(EventKind::Persists),
        Step::Resolved | Step::Gone => None,
    }
}
