//! What one check of one stream came to.

use jiff::Timestamp;

use super::escalate;
use super::open::Stream;
use crate::model::{Finding, Fingerprint, Patch, Report, Subject, Unobserved};
use crate::store::{CommitOutcome, Silence};

/// What one check of one stream came to.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The stream.
    pub subject: Subject,
    /// How far the check came.
    pub outcome: Outcome,
    /// What was seen, where there was something to compare.
    pub report: Option<Report>,
    /// Patches that wait for a decision.
    pub patches: Vec<Patch>,
    /// Diagnoses (by id) that the mapping copes with already.
    pub handled: Vec<String>,
    /// Diagnoses (by id) that get no patch, and why.
    pub refused: Vec<(String, String)>,
    /// Things worth knowing that are no drift, one sentence each.
    pub notes: Vec<String>,
    /// Findings of the report that a silence mutes: they count for nothing until it is over.
    pub silenced: Vec<Fingerprint>,
    /// Findings of earlier checks that are open still, though this one did not show them.
    pub earlier: Vec<Finding>,
}

/// How far a check came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The first window, or one more by `drogue record`: it is in the baseline now.
    Recorded {
        /// Records of this window.
        records: u64,
    },
    /// Compared, hard facts alone, because the stream is not known well enough yet.
    Learning {
        /// Windows that were seen.
        seen: u64,
        /// Windows that are needed.
        needed: u64,
        /// When learning ends at the earliest.
        until: Timestamp,
        /// Whether this one was learned from: one that shows hard facts is not.
        joined: bool,
    },
    /// Compared in full.
    Compared,
    /// The source says that nothing changed since the last check.
    Unchanged,
    /// No records came: no evidence of anything.
    Empty,
    /// The stream could not be observed.
    Failed(Unobserved),
}

impl Checked {
    pub(super) fn new(stream: &Stream<'_>, outcome: Outcome) -> Self {
        Self {
            subject: stream.subject.clone(),
            outcome,
            report: None,
            patches: Vec::new(),
            handled: Vec::new(),
            refused: Vec::new(),
            notes: Vec::new(),
            silenced: Vec::new(),
            earlier: Vec::new(),
        }
    }

    /// Notes what is open from before and was not shown now: that nothing was seen does not mean that all is well.
    pub(super) fn note_earlier(&mut self, committed: &Committed) {
        let shown = |fingerprint: &Fingerprint| {
            self.report.iter().flat_map(|report| &report.findings).any(|f| f.fingerprint == *fingerprint)
        };
        let still = committed.outcome.still_open.iter().map(|known| &known.finding);
        self.earlier = still
            .filter(|finding| escalate::is_open(finding.state) && !shown(&finding.fingerprint))
            .cloned()
            .collect();
    }

    /// Takes over what the store knows of the findings: since when, and what a person said of them.
    pub(super) fn settle_report(&mut self, report: Report, committed: &Committed, at: Timestamp) {
        let report = self.report.insert(report);
        let outcome = &committed.outcome;
        let known = [&outcome.new, &outcome.reopened, &outcome.flapping, &outcome.still_open];
        for finding in &mut report.findings {
            let stored =
                known.into_iter().flatten().find(|known| known.finding.fingerprint == finding.fingerprint);
            if let Some(stored) = stored {
                finding.state = stored.finding.state;
                finding.first_seen = stored.finding.first_seen;
                finding.last_seen = stored.finding.last_seen;
            }
            if committed.silences.iter().any(|silence| silence.mutes(&report.subject, finding, at)) {
                self.silenced.push(finding.fingerprint.clone());
            }
        }
    }
}

/// What the store made of a check.
pub(super) struct Committed {
    pub(super) outcome: CommitOutcome,
    pub(super) silences: Vec<Silence>,
}
