//! What becomes of a look that failed: it is an outcome, never drift, and only a pattern of them becomes a finding.

use jiff::{SignedDuration, Timestamp};

use super::check::Known;
use super::checked::{Checked, Outcome};
use super::open::Stream;
use super::{Engine, EngineError};
use crate::compare::Baseline;
use crate::diagnose::{assess_outcome, baseline_side};
use crate::model::{
    Change, ChangeKind, CompareKind, Compared, ErrorClass, Facts, FieldPath, Report, Side, Subject,
    Unobserved,
};
use crate::observe::Failure;
use crate::rules::{JudgeContext, RuleSet};
use crate::store::CheckOutcome;

/// Failed checks in a row that make a pattern, where the answer is definite: the second one confirms it.
const CONFIRMED_AFTER: u64 = 2;
/// The same, where answers like this pass by themselves.
const LASTING_AFTER: u64 = 3;
/// A failure is looked at again this soon, and then at intervals that double, up to the stream's own.
const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_secs(60);

impl Engine {
    /// A look that failed is an outcome, never drift; only a pattern of them becomes a finding.
    pub(super) async fn failed(
        &self,
        stream: &Stream<'_>,
        known: Known,
        failure: Failure,
    ) -> Result<Checked, EngineError> {
        let now = self.now();
        let failures = known.state.failures + 1;
        let outcome = CheckOutcome::Failed {
            class: failure.class,
            message: failure.detail.clone(),
            attempts: failure.attempts,
        };
        let mut record = self.check_record(stream, &known, outcome);
        let every = self.every(&stream.subject);
        let doubled =
            CONFIRM_WITHIN * 2_i32.saturating_pow(u32::try_from(failures - 1).unwrap_or(u32::MAX).min(16));
        // A server that says when to come back is heard; a failure is looked at again soon, then ever less, and in any
        // case when the stream is due.
        let soon = (now + doubled.min(every)).min(record.next_due.unwrap_or(Timestamp::MAX));
        let retry_at = failure.retry_at.map_or(soon, |at| at.max(now));
        record.next_due = Some(retry_at);

        let mut checked = Checked::new(
            stream,
            Outcome::Failed(Unobserved {
                connector: stream.subject.connector.clone(),
                stream: stream.subject.stream.clone(),
                outcome: format!("{}: {}", failure.class.word(), failure.detail),
                retry_at: Some(retry_at),
            }),
        );
        let mapping = self.mapping(stream).ok().flatten();
        let mapped = mapping.as_ref().map(|mapping| &mapping.stream);
        let context = JudgeContext { mapping: mapped, learning: known.baseline.is_none(), at: now };
        let run = FailedLooks { failures, since: Some(known.state.failing_since.unwrap_or(now)) };
        let report = pattern(&stream.subject, &failure, &run, known.baseline.as_ref(), &self.rules, &context);
        if let Some(report) = &report {
            record.findings.clone_from(&report.findings);
            record.diagnoses.clone_from(&report.diagnoses);
            record.compared = Some(report.compared.clone());
        }
        let committed = self.commit(stream, &record, report.as_ref()).await?;
        if let Some(report) = report {
            checked.settle_report(report, &committed, record.at);
        }
        checked.note_earlier(&committed);
        Ok(checked)
    }
}

/// Failed looks in a row.
#[derive(Debug)]
pub(super) struct FailedLooks {
    /// How many, the last one counted.
    pub(super) failures: u64,
    /// When the first of them was, where anybody knows.
    pub(super) since: Option<Timestamp>,
}

/// The report of failed looks in a row; `None` for so few that they are no pattern.
pub(super) fn pattern(
    subject: &Subject,
    failure: &Failure,
    run: &FailedLooks,
    baseline: Option<&Baseline>,
    rules: &RuleSet,
    context: &JudgeContext<'_>,
) -> Option<Report> {
    let needed = if passes_by_itself(failure.class) { LASTING_AFTER } else { CONFIRMED_AFTER };
    if run.failures < needed {
        return None;
    }
    let compared = Compared {
        kind: CompareKind::Records,
        baseline: baseline.map(baseline_side).unwrap_or_default(),
        live: Side { records: 0, version: None, from: run.since, to: run.since.map(|_| context.at) },
    };
    let mut change = change_of(failure);
    change.facts.set("attempts", run.failures);
    if let Some(since) = run.since {
        change.facts.set("since", since.to_string());
    }
    Some(assess_outcome(subject, change, compared, rules, context))
}

/// Whether answers of this class come and go, so that two in a row say little.
const fn passes_by_itself(class: ErrorClass) -> bool {
    match class {
        ErrorClass::RateLimited | ErrorClass::Outage | ErrorClass::Truncated | ErrorClass::QuotaExhausted => {
            true
        }
        ErrorClass::AuthExpired
        | ErrorClass::AuthInvalid
        | ErrorClass::AuthChanged
        | ErrorClass::PermissionLost
        | ErrorClass::AccountBlocked
        | ErrorClass::EndpointGone
        | ErrorClass::EndpointMoved
        | ErrorClass::NotFound
        | ErrorClass::RequestInvalid
        | ErrorClass::PageTooBig
        | ErrorClass::NotJson
        | ErrorClass::OkWithError
        | ErrorClass::Deprecated
        | ErrorClass::BlockedByFirewall => false,
    }
}

/// A failure as a change: of the envelope where the answer was fine but for its records, of the endpoint else.
pub(super) fn change_of(failure: &Failure) -> Change {
    let mut facts = Facts::new().with("class", failure.class.word()).with("detail", failure.detail.clone());
    if let Some(status) = failure.status {
        facts.set("status", u64::from(status));
    }
    let kind = match &failure.missing_records {
        Some(path) => {
            facts.set("from", path.to_string());
            ChangeKind::EnvelopeChanged
        }
        None => ChangeKind::ResponseFailed,
    };
    Change { kind, path: FieldPath::root(), to: Vec::new(), facts }
}
