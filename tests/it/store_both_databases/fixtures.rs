//! Small things to store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use drogue::compare::{Baseline, Behaviour, Window};
use drogue::model::{
    Category, ChangeKind, Diagnosis, DiagnosisKind, Disposition, Escalation, Facts, FieldPath, FilePatch,
    Finding, FindingState, Fingerprint, Message, NotifyReason, Patch, PatchState, Severity, Side, Subject,
};
use drogue::profile::{Entities, FieldProfile, Malformed, NumberProfile, PROFILE_VERSION, Profile};
use drogue::store::{CheckOutcome, CheckRecord, CommitOutcome, NewBaseline};
use jiff::Timestamp;

/// The minute `n` of the test's time.
pub(super) fn minute(n: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + 60 * n).unwrap()
}

pub(super) fn subject() -> Subject {
    Subject { connector: "crm".to_owned(), stream: "orders".to_owned() }
}

/// A profile with numbers that are hard to print: they come back to the last bit or the test fails.
pub(super) fn profile(records: u64) -> Profile {
    let numbers = NumberProfile {
        count: records,
        min: 31.245_270_191_439_438,
        max: 0.1 + 0.2,
        negative: 0,
        zero: 0,
        whole: 0,
        decimals: [1, 2, 3, 4, 5, 6, 7, 8],
        sum_micros: i128::MAX,
        quantiles: serde_json::from_str("{\"-7\":1,\"12\":3}").unwrap(),
        epochs: [0; 4],
        distinct: serde_json::from_str("[1,18446744073709551615]").unwrap(),
        top: Default::default(),
    };
    let field = FieldProfile {
        parents: records,
        present: records,
        numbers: Some(Box::new(numbers)),
        ..Default::default()
    };
    Profile {
        version: PROFILE_VERSION,
        key_id: u64::MAX,
        records,
        malformed: Malformed::default(),
        fields: BTreeMap::from([
            (FieldPath::root(), FieldProfile::default()),
            (FieldPath::of_keys(["größe", "the.key\0"]), field),
        ]),
        entities: Entities::default(),
    }
}

pub(super) fn window(n: i64) -> Window {
    Window {
        profile: profile(100 + n.unsigned_abs()),
        behaviour: Behaviour { statuses: BTreeMap::from([(200, 3)]), pages: 3, ..Behaviour::default() },
        from: minute(n),
        to: minute(n + 1),
        partial: false,
    }
}

pub(super) fn baseline(version: u64) -> NewBaseline {
    NewBaseline {
        baseline: Baseline {
            version,
            profile: profile(500),
            latest: Some(profile(7)),
            behaviour: Behaviour::default(),
            variation: drogue::compare::Variation::default(),
            relations: Vec::new(),
            windows: version,
            from: minute(0),
            to: minute(5),
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
