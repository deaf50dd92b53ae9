//! What a replay tells: of each window, of what became of each diagnosis, and of it all.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{ChangeKind, ErrorClass, FieldPath, Fingerprint, Report, Severity};

/// What a person would have accepted, as soon as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Accepting {
    /// Nothing: what is found stays open as long as windows show it.
    #[default]
    Nothing,
    /// Everything, so that each change is told once.
    Everything,
    /// What is at these paths, or below.
    At(Vec<FieldPath>),
}

/// What became of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum WindowOutcome {
    /// Seen while too little was known: hard facts alone are told.
    Learning {
        /// Windows that were learned from, with this one.
        seen: u64,
        /// Windows that are needed.
        needed: u64,
        /// Whether this one was learned from: one that shows hard facts is not.
        joined: bool,
        /// The time that they span, in seconds.
        span_s: u64,
        /// The time that they should span, in seconds.
        needed_s: u64,
    },
    /// The last window of learning: from the next one on, all is told.
    Learned {
        /// Windows that were learned from.
        windows: u64,
        /// Their records.
        records: u64,
        /// When the last of them was seen; `None` where the windows have no dates.
        until: Option<Timestamp>,
    },
    /// Compared in full.
    Compared,
    /// No records: no evidence of anything.
    Empty,
    /// An error in place of records: a look that failed, of which only a pattern is a finding.
    Failed {
        /// What it means.
        class: ErrorClass,
        /// One sentence.
        why: String,
    },
    /// It could not be read as a window.
    Unreadable {
        /// Why not.
        why: String,
    },
}

/// What a window did to what was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// It is there for the first time.
    Opened,
    /// It came back too often: the last word on it until it settles.
    Flapping,
    /// It was resolved, and is back.
    Reopened,
    /// It is there still, and more severe than it was.
    Worse,
    /// It is there still.
    Persists,
    /// It is not there, for too short a time to say that it is over; or nobody could say.
    Quiet,
    /// It has been away long enough.
    Resolved,
    /// It is the new normal.
    Accepted,
}

/// What a window did to one diagnosis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// What it did.
    pub event: EventKind,
    /// How bad it is.
    pub severity: Severity,
    /// The word for what happened: `renamed`.
    pub kind: String,
    /// Where.
    pub path: FieldPath,
    /// What happened, in a sentence.
    pub summary: String,
    /// The rules that say so.
    pub rules: Vec<String>,
    /// The findings that the diagnosis explains.
    pub findings: Vec<Fingerprint>,
    /// Windows that showed it since it was opened.
    pub windows: u64,
    /// Windows in a row that could have shown it and did not.
    pub quiet: u64,
}

/// How many, by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Breaking ones.
    pub breaking: u64,
    /// Warnings.
    pub warning: u64,
    /// The others.
    pub info: u64,
}

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Windows that were read, with those that hold nothing.
    pub windows: u64,
    /// Windows that hold an error in place of records; they are not among [`Self::windows`].
    pub failed: u64,
    /// Windows that were learned from.
    pub learned_from: u64,
    /// Whether too little was seen to the end for soft changes to be told.
    pub learning: bool,
    /// Files that could not be read.
    pub unreadable: u64,
    /// What was told for the first time.
    pub opened: Counts,
    /// What came back.
    pub reopened: Counts,
    /// What flapped.
    pub flapping: Counts,
    /// What was over.
    pub resolved: Counts,
    /// What was accepted.
    pub accepted: Counts,
    /// What is open at the end.
    pub open: Counts,
    /// While learning: what is open at the end, and keeps windows from being learned from.
    pub holding_up: Vec<FieldPath>,
    /// Paths that were to be accepted, and at which nothing was told.
    pub accepted_nothing: Vec<FieldPath>,
}

/// What one window came to.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// Records that were read.
    pub records: u64,
    /// What became of it.
    pub outcome: WindowOutcome,
    /// What became of findings, worst first.
    pub events: Vec<Event>,
    /// What it showed.
    pub report: Option<Report>,
}

impl Accepting {
    pub(super) fn takes(&self, path: &FieldPath) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::At(places) => places.iter().any(|place| path.starts_with(place)),
        }
    }
}

impl Counts {
    pub(super) const fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Breaking => self.breaking += 1,
            Severity::Warning => self.warning += 1,
            Severity::Info => self.info += 1,
        }
    }

    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.breaking + self.warning + self.info
    }
}

impl Summary {
    pub(super) const fn count(&mut self, event: &Event) {
        match event.event {
            EventKind::Opened => self.opened.add(event.severity),
            EventKind::Reopened => self.reopened.add(event.severity),
            EventKind::Flapping => self.flapping.add(event.severity),
            EventKind::Resolved => self.resolved.add(event.severity),
            EventKind::Accepted => self.accepted.add(event.severity),
            EventKind::Worse | EventKind::Persists | EventKind::Quiet => {}
        }
    }
}

impl Told {
    /// A window that told nothing.
    pub(super) const fn of(records: u64, outcome: WindowOutcome) -> Self {
        Self { records, outcome, events: Vec::new(), report: None }
    }

    /// Whether a change of this kind was accepted.
    pub(super) fn accepted(&self, kind: ChangeKind) -> bool {
        let accepted = self.events.iter().filter(|event| event.event == EventKind::Accepted);
        let fingerprints: BTreeSet<&Fingerprint> = accepted.flat_map(|event| &event.findings).collect();
        let findings = self.report.iter().flat_map(|report| &report.findings);
        findings.into_iter().any(|one| one.kind == kind && fingerprints.contains(&one.fingerprint))
    }

    /// Takes out the times of windows that have none of their own.
    pub(super) fn forget_times(&mut self) {
        if let WindowOutcome::Learned { until, .. } = &mut self.outcome {
            *until = None;
        }
        if let Some(report) = &mut self.report {
            for side in [&mut report.compared.baseline, &mut report.compared.live] {
                (side.from, side.to) = (None, None);
            }
            for finding in &mut report.findings {
                (finding.first_seen, finding.last_seen) = (None, None);
            }
        }
    }
}
