//! Small things to store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use drogue::compare::{Baseline, Behaviour, Window};
use drogue::model::{
    Category, ChangeKind, Diagnosis, DiagnosisKind, Disposition, Escalation, Facts, FieldPath, FilePatch,
    Finding, FindingState, Fingerprint, HashKey, Message, NotifyReason, Patch, PatchState, Severity, Side,
    Subject,
};
use drogue::profile::{Order, Profile, ProfileOptions, Profiler};
use drogue::store::{CheckOutcome, CheckRecord, CommitOutcome, NewBaseline};
use jiff::Timestamp;

use crate::support::database::KEY;

/// The minute `n` of the test's time.
pub(super) fn minute(n: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + 60 * n).unwrap()
}

pub(super) fn subject() -> Subject {
    Subject { connector: "crm".to_owned(), stream: "orders".to_owned() }
}

/// A profile of a few records with numbers that are hard to print: they come back to the last bit or the test fails.
pub(super) fn profile(n: i64) -> Profile {
    let mut profiler = Profiler::new(ProfileOptions::new(HashKey::new(KEY)));
    for number in ["31.245270191439438", "0.30000000000000004", "-0.0", "5e-324", "1.7976931348623157e308"] {
        let record = format!(r#"{{"größe": {{"the.key": {number}}}, "n": {n}, "text": "a\u0000b"}}"#);
        profiler.record(record.as_bytes());
    }
    profiler.finish()
}

pub(super) fn window(n: i64) -> Window {
    Window {
        profile: profile(n),
        behaviour: Behaviour { statuses: BTreeMap::from([(200, 3)]), pages: 3, ..Behaviour::default() },
        from: minute(n),
        to: minute(n + 1),
        partial: false,
        order: Order::default(),
    }
}

pub(super) fn baseline(version: u64) -> NewBaseline {
    NewBaseline {
        baseline: Baseline {
            version,
            profile: profile(500),
            latest: Some(profile(7)),
            behaviour: Behaviour::default(),
            windows: version,
            from: minute(0),
            to: minute(5),
            variation: Default::default(),
            relations: Vec::new(),
        },
        actor: "ada".to_owned(),
        reason: Some("the new normal".to_owned()),
        at: minute(6),
    }
}

pub(super) fn finding(path: &str) -> Finding {
    let path: FieldPath = path.parse().unwrap();
    let subject = subject();
    Finding {
        fingerprint: Fingerprint::of(&subject.connector, &subject.stream, "field-removed", &path),
        rule: "field-removed".to_owned(),
        category: Category::Schema,
        severity: Severity::Breaking,
        path,
        message: "it is gone".to_owned(),
        remedy: None,
        kind: ChangeKind::FieldRemoved,
        to: Vec::new(),
        evidence: Facts::new().with("baseline_records", 500_u64),
        explained_by: None,
        state: FindingState::Open,
        first_seen: None,
        last_seen: None,
    }
}

pub(super) fn diagnosis(id: &str, explains: &[&Finding]) -> Diagnosis {
    Diagnosis {
        id: id.to_owned(),
        kind: DiagnosisKind::Renamed,
        severity: Severity::Breaking,
        path: FieldPath::of_keys(["a"]),
        to: vec![FieldPath::of_keys(["b"])],
        summary: "`$.a` is now `$.b`".to_owned(),
        confidence: 0.998,
        ambiguous: false,
        candidates: Vec::new(),
        detail: Facts::new(),
        evidence: Facts::new(),
        explains: explains.iter().map(|finding| finding.fingerprint.clone()).collect(),
        patch: None,
    }
}

pub(super) fn patch(after: &str, diagnoses: &[&str]) -> Patch {
    let files =
        vec![FilePatch::new(PathBuf::from("/etc/orders.yaml"), "orders.yaml", "a: 1\n", after.to_owned())];
    let subject = subject();
    Patch {
        id: Patch::id_of(&subject.connector, &subject.stream, &files),
        connector: subject.connector,
        stream: subject.stream,
        diagnoses: diagnoses.iter().map(|&id| id.to_owned()).collect(),
        summary: "reads `$.b`".to_owned(),
        files,
        confidence: 0.998,
        disposition: Disposition::Review,
        caution: None,
        state: PatchState::Proposed,
        verification: None,
        created: minute(1),
    }
}

pub(super) fn message(id: &str, findings: Vec<Finding>) -> Message {
    Message {
        id: id.to_owned(),
        receiver: "ops".to_owned(),
        address: Some("ops@example.org".to_owned()),
        escalation: Escalation {
            id: id.to_owned(),
            thread: "t".to_owned(),
            subject: subject(),
            reason: NotifyReason::New,
            since: minute(1),
            at: minute(1),
            baseline: Side::default(),
            live: Side::default(),
            diagnoses: Vec::new(),
            findings,
            patches: Vec::new(),
            docs: Vec::new(),
            commands: Vec::new(),
        },
        attempts: 0,
        next_at: minute(1),
    }
}

/// The check of minute `n`: a whole window that shows these findings.
pub(super) fn check(n: i64, findings: Vec<Finding>) -> CheckRecord {
    let mut record = CheckRecord::new(format!("check-{n}"), subject(), minute(n), CheckOutcome::Observed);
    record.window = Some(window(n));
    record.is_clean = findings.is_empty();
    record.findings = findings;
    record.judges = vec![Category::Schema, Category::Values, Category::Behaviour];
    record
}

/// Nobody is told.
pub(super) fn silent(_: &CommitOutcome) -> Vec<Message> {
    Vec::new()
}

/// One message of everything that is new or back.
pub(super) fn tell(outcome: &CommitOutcome) -> Vec<Message> {
    let news: Vec<_> = outcome.new.iter().chain(&outcome.reopened).collect();
    if news.is_empty() {
        return Vec::new();
    }
    let id = format!("m{}-{}", outcome.state.windows, news.len());
    vec![message(&id, news.into_iter().map(|record| record.finding.clone()).collect())]
}
