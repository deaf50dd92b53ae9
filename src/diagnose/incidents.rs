//! What becomes of findings from window to window: they open, persist, are resolved, come back and flap.
//!
//! Pure: what is known and one look at a subject give what is known after it. The store does this inside of a
//! transaction, and `drogue replay` does it in memory, so that both say the same.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{Category, FieldPath, Finding, FindingState, Fingerprint, Inconclusive, Subject};

/// After how many checks in a row that could have shown it a finding that was not shown is resolved.
pub const RESOLVE_AFTER: u64 = 2;

/// How often a finding may come back within [`FLAP_WINDOWS`] before it is flapping.
pub const FLAP_LIMIT: usize = 3;

/// Over how many checks comebacks are counted; a flapping finding is resolved when it was away for as long.
pub const FLAP_WINDOWS: u64 = 10;

/// A finding as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRecord {
    /// Whom it is about.
    pub subject: Subject,
    /// The finding, its state and times filled in.
    pub finding: Finding,
    /// When this incident began: the first window, or the one that brought it back.
    pub opened_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// When it was last in a message.
    pub told_at: Option<Timestamp>,
    /// Checks in a row that could have shown it and did not.
    pub misses: u64,
    /// What was said with the last acknowledgement or acceptance.
    pub note: Option<String>,
    /// Checks that could have shown it.
    pub judged: u64,
    /// Which of them brought it back, the last few.
    pub flaps: Vec<u64>,
}

/// What a check does to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It was never there before.
    New,
    /// It was resolved, and is back.
    Reopened,
    /// It came back once too often.
    BecameFlapping,
    /// It is there still, and more severe than it was.
    Worse,
    /// It is there still, or away for too short a time to say.
    Still,
    /// It has been away long enough.
    Resolved,
    /// It was resolved and still is.
    Gone,
}

impl FindingRecord {
    /// A finding that was never there before.
    fn first(subject: &Subject, finding: Finding, at: Timestamp) -> Self {
        let finding =
            Finding { state: FindingState::Open, first_seen: Some(at), last_seen: Some(at), ..finding };
        Self {
            subject: subject.clone(),
            finding,
            opened_at: at,
            resolved_at: None,
            told_at: None,
            misses: 0,
            note: None,
            judged: 1,
            flaps: Vec::new(),
        }
    }

    /// A check shows it.
    fn seen(&mut self, shown: Finding, at: Timestamp) -> Step {
        self.judged += 1;
        let was = self.finding.state;
        let is_worse = shown.severity > self.finding.severity;
        let away = self.misses;
        self.misses = 0;
        self.finding =
            Finding { state: was, first_seen: self.finding.first_seen, last_seen: Some(at), ..shown };
        // A flapping finding is not resolved by a short absence, but its comebacks count on.
        if was == FindingState::Resolved || (was == FindingState::Flapping && away >= RESOLVE_AFTER) {
            self.flaps.push(self.judged);
        }
        self.forget_flaps();
        let flapping = self.flaps.len() >= FLAP_LIMIT;
        match was {
            FindingState::Resolved => {
                self.opened_at = at;
                self.resolved_at = None;
                self.note = None;
                if flapping {
                    self.finding.state = FindingState::Flapping;
                    Step::BecameFlapping
                } else {
                    self.finding.state = FindingState::Open;
                    Step::Reopened
                }
            }
            FindingState::Flapping if !flapping => {
                self.finding.state = FindingState::Open;
                Step::Still
            }
            // Whoever has seen the lesser one has not seen this.
            FindingState::Open | FindingState::Acknowledged if is_worse => {
                self.finding.state = FindingState::Open;
                Step::Worse
            }
            FindingState::Open | FindingState::Acknowledged | FindingState::Flapping => Step::Still,
        }
    }

    /// A check could have shown it, and did not.
    fn missed(&mut self, at: Timestamp) -> Step {
        self.judged += 1;
        self.forget_flaps();
        if self.finding.state == FindingState::Resolved {
            return Step::Gone;
        }
        self.misses += 1;
        let enough = if self.finding.state == FindingState::Flapping { FLAP_WINDOWS } else { RESOLVE_AFTER };
        if self.misses < enough {
            return Step::Still;
        }
        self.resolve(at);
        Step::Resolved
    }

    /// Whether comebacks are being counted.
    const fn has_flaps(&self) -> bool {
        !self.flaps.is_empty()
    }

    /// It is over: a person says so, or it was away long enough.
    pub fn resolve(&mut self, at: Timestamp) {
        self.finding.state = FindingState::Resolved;
        self.resolved_at = Some(at);
    }

    fn forget_flaps(&mut self) {
        let judged = self.judged;
        self.flaps.retain(|at| judged - at < FLAP_WINDOWS);
    }
}

/// One look at a subject, as findings are judged by it.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Whom it is about.
    pub subject: &'a Subject,
    /// When it ended.
    pub at: Timestamp,
    /// What it shows.
    pub findings: &'a [Finding],
    /// Which kinds of findings it could have shown: a known finding of these that is not shown counts as missed.
    pub judges: &'a [Category],
    /// What could not be judged; known findings at these paths do not count as missed.
    pub inconclusive: &'a [Inconclusive],
    /// Where values were too few to be judged: known findings on values there, or below, do not count as missed.
    pub unjudged: &'a BTreeSet<FieldPath>,
}

/// A finding after a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// What the look did to it.
    pub step: Step,
    /// The finding as it is now.
    pub record: FindingRecord,
    /// Whether it is other than it was.
    pub is_changed: bool,
}

impl Look<'_> {
    fn counts_as_missed(&self, finding: &Finding) -> bool {
        let is_unjudged = finding.category == Category::Values
            && self.unjudged.iter().any(|path| finding.path.starts_with(path));
        self.judges.contains(&finding.category)
            && !is_unjudged
            && !self.inconclusive.iter().any(|inconclusive| inconclusive.path == finding.path)
    }
}

/// The findings of a subject after one more look: those that were known, in their order, then the new ones, worst first.
///
/// A fingerprint is one finding, whatever the look says twice; the first wins.
#[must_use]
pub fn move_findings(known: Vec<FindingRecord>, look: &Look<'_>) -> Vec<Moved> {
    let mut told: BTreeSet<&Fingerprint> = BTreeSet::new();
    let mut shown: Vec<&Finding> =
        look.findings.iter().filter(|finding| told.insert(&finding.fingerprint)).collect();
    let mut moved = Vec::with_capacity(known.len() + shown.len());
    for mut record in known {
        let had_flaps = record.has_flaps();
        let at = shown.iter().position(|finding| finding.fingerprint == record.finding.fingerprint);
        let step = match at {
            Some(at) => record.seen(shown.swap_remove(at).clone(), look.at),
            None if look.counts_as_missed(&record.finding) => record.missed(look.at),
            None if record.finding.state == FindingState::Resolved => Step::Gone,
            None => Step::Still,
        };
        // What is resolved and has no comebacks to forget is as it was.
        moved.push(Moved { step, record, is_changed: step != Step::Gone || had_flaps });
    }
    shown.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then_with(|| a.path.cmp(&b.path)).then_with(|| a.rule.cmp(&b.rule))
    });
    moved.extend(shown.into_iter().map(|finding| Moved {
        step: Step::New,
        record: FindingRecord::first(look.subject, finding.clone(), look.at),
        is_changed: true,
    }));
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeKind, Facts, Severity};

    fn subject() -> Subject {
        Subject { connector: "crm".to_owned(), stream: "customers".to_owned() }
    }

    fn finding(path: &str, severity: Severity) -> Finding {
        Finding {
            fingerprint: Fingerprint(path.to_owned()),
            rule: "scale-changed".to_owned(),
            category: Category::Values,
            severity,
            path: path.parse().unwrap(),
            message: String::new(),
            remedy: None,
            kind: ChangeKind::ScaleChanged,
            to: Vec::new(),
            evidence: Facts::new(),
            explained_by: None,
            state: FindingState::Open,
            first_seen: None,
            last_seen: None,
        }
    }

    /// Looks one after the other, a second apart; the steps of each.
    struct Looks(Vec<FindingRecord>, i64);

    impl Looks {
        fn look(&mut self, findings: &[Finding], unjudged: &[&str]) -> Vec<Step> {
            self.1 += 1;
            let moved = move_findings(
                std::mem::take(&mut self.0),
                &Look {
                    subject: &subject(),
                    at: Timestamp::from_second(self.1).unwrap(),
                    findings,
                    judges: &[Category::Values],
                    inconclusive: &[],
                    unjudged: &unjudged.iter().map(|path| path.parse().unwrap()).collect(),
                },
            );
            let steps = moved.iter().map(|moved| moved.step).collect();
            self.0 = moved.into_iter().map(|moved| moved.record).collect();
            steps
        }
    }

    #[test]
    fn opens_persists_gets_worse_and_is_resolved_by_looks_that_could_show_it() {
        let mut looks = Looks(Vec::new(), 0);
        let (warning, breaking) = (finding("$.a", Severity::Warning), finding("$.a", Severity::Breaking));
        assert_eq!(looks.look(&[warning.clone(), breaking.clone()], &[]), [Step::New], "one, said twice");
        assert_eq!(looks.0[0].finding.severity, Severity::Warning, "the first wins");
        assert_eq!(looks.look(&[warning], &[]), [Step::Still]);
        assert_eq!(looks.look(&[breaking], &[]), [Step::Worse]);
        for _ in 0..5 {
            assert_eq!(looks.look(&[], &["$"]), [Step::Still], "nobody could say");
        }
        assert_eq!(looks.look(&[], &[]), [Step::Still]);
        assert_eq!(looks.look(&[], &[]), [Step::Resolved]);
        assert_eq!(looks.look(&[], &[]), [Step::Gone]);
        let record = &looks.0[0];
        assert_eq!(record.opened_at, Timestamp::from_second(1).unwrap());
        assert_eq!(record.resolved_at, Some(Timestamp::from_second(10).unwrap()));
    }

    #[test]
    fn flaps_once_and_settles_after_a_long_silence() {
        let mut looks = Looks(Vec::new(), 0);
        let shown = [finding("$.a", Severity::Warning)];
        let mut steps = Vec::new();
        for _ in 0..4 {
            for findings in [&shown[..], &[], &[]] {
                steps.extend(looks.look(findings, &[]));
            }
        }
        assert_eq!(steps.iter().filter(|step| **step == Step::Reopened).count(), FLAP_LIMIT - 1);
        assert_eq!(steps.iter().filter(|step| **step == Step::BecameFlapping).count(), 1);
        assert_eq!(looks.0[0].finding.state, FindingState::Flapping);
        // Two of the silent looks were counted above.
        for _ in 3..FLAP_WINDOWS {
            assert_eq!(looks.look(&[], &[]), [Step::Still]);
        }
        assert_eq!(looks.look(&[], &[]), [Step::Resolved]);
    }
}
