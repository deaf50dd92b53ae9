//! The whole path of one comparison, pure: compare, judge, diagnose, report.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{DiagnoseInput, diagnose, diagnose_outcomes};
use crate::compare::{Baseline, Behaviour, Comparison, Variation, Window, compare};
use crate::model::{
    Change, CompareKind, Compared, Diagnosis, FieldPath, Fingerprint, HashKey, MappedStream, Report, Side,
    Subject,
};
use crate::profile::{KeySpec, Order, Profile, ProfileOptions, Profiler, SampleMode, find_keys};
use crate::rules::{JudgeContext, Judgement, RuleSet};

/// What is known around a report.
#[derive(Debug, Clone, Copy)]
pub struct ReportContext {
    /// Whether the stream is still learning: only hard rules alert.
    pub learning: bool,
    /// When the window ended.
    pub at: Timestamp,
}

/// What one window came to: changes judged and joined, worst first.
#[must_use]
pub fn report(
    subject: &Subject,
    baseline: &Baseline,
    window: &Window,
    rules: &RuleSet,
    mapping: Option<&MappedStream>,
    context: &ReportContext,
) -> Report {
    let judge = JudgeContext { mapping, learning: context.learning, at: context.at };
    assess(subject, baseline, window, Vec::new(), rules, &judge).report
}

/// A report, and what its window could not have shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessed {
    /// Changes judged and joined, worst first.
    pub report: Report,
    /// Where values were too few to be judged, with all below it.
    pub unjudged: BTreeSet<FieldPath>,
    /// Whether baseline and window cannot be compared at all.
    pub incomparable: bool,
}

/// The path of one comparison: compare, judge, diagnose, report. `around` are changes around the records: they sit
/// elsewhere, or the vendor says that the endpoint ends.
#[must_use]
pub fn assess(
    subject: &Subject,
    baseline: &Baseline,
    window: &Window,
    around: Vec<Change>,
    rules: &RuleSet,
    context: &JudgeContext<'_>,
) -> Assessed {
    let mut comparison = compare(baseline, window);
    comparison.changes.extend(around);
    let mut judgement = rules.judge(subject, &comparison, context);
    let mapping = context.mapping;
    let diagnoses = if context.learning && !judgement.findings.is_empty() {
        let known = JudgeContext { learning: false, ..*context };
        let mut all = rules.judge(subject, &comparison, &known);
        let findings = &mut all.findings;
        let read = diagnose(DiagnoseInput { subject, baseline, window, findings, mapping });
        with_hard_facts(&mut judgement, all, read)
    } else {
        let findings = &mut judgement.findings;
        diagnose(DiagnoseInput { subject, baseline, window, findings, mapping })
    };
    Assessed {
        report: judgement.report(subject, compared(baseline, window), diagnoses),
        unjudged: comparison.unjudged,
        incomparable: comparison.incomparable,
    }
}

/// While a stream is learning, what there is to say of the hard facts of a judgement: the readings of all findings that
/// explain one of them, and the other findings that these explain. What is new says nothing by itself then, but where a
/// field is gone, it may be what took its place.
fn with_hard_facts(judgement: &mut Judgement, all: Judgement, mut read: Vec<Diagnosis>) -> Vec<Diagnosis> {
    let hard: BTreeSet<Fingerprint> =
        judgement.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
    read.retain(|one| one.explains.iter().any(|fingerprint| hard.contains(fingerprint)));
    let told: BTreeSet<&Fingerprint> = read.iter().flat_map(|one| &one.explains).chain(&hard).collect();
    let mut findings = all.findings;
    findings.retain(|finding| told.contains(&finding.fingerprint));
    // What is told now waits no longer.
    let paths: BTreeSet<&FieldPath> = findings.iter().map(|finding| &finding.path).collect();
    judgement.inconclusive.retain(|one| !paths.contains(&one.path) || all.inconclusive.contains(one));
    judgement.findings = findings;
    read
}

/// The report of a change that no window stands behind: responses failed, a stream was not observed.
#[must_use]
pub fn assess_outcome(
    subject: &Subject,
    change: Change,
    compared: Compared,
    rules: &RuleSet,
    context: &JudgeContext<'_>,
) -> Report {
    let comparison = Comparison { changes: vec![change], ..Comparison::default() };
    let mut judgement = rules.judge(subject, &comparison, context);
    let diagnoses = diagnose_outcomes(subject, &mut judgement.findings, context.mapping);
    judgement.report(subject, compared, diagnoses)
}

/// What stands against what.
#[must_use]
pub fn compared(baseline: &Baseline, window: &Window) -> Compared {
    Compared {
        kind: CompareKind::Records,
        baseline: baseline_side(baseline),
        live: Side {
            records: window.profile.records,
            version: None,
            from: time_of(window.from),
            to: time_of(window.to),
        },
    }
}

/// A baseline as one side of a comparison.
#[must_use]
pub fn baseline_side(baseline: &Baseline) -> Side {
    Side {
        records: baseline.profile.records,
        version: Some(baseline.version),
        from: time_of(baseline.from),
        to: time_of(baseline.to),
    }
}

/// Files have no times; their windows say so by the epoch.
fn time_of(at: Timestamp) -> Option<Timestamp> {
    (at != Timestamp::UNIX_EPOCH).then_some(at)
}

/// Records that are gone through more than once, in one order: a list, or a file that is read anew each time.
pub trait Records {
    /// How many there are.
    fn count(&self) -> usize;
    /// Hands each record, its own JSON text as it came, to `take`; one that is no UTF-8 is counted as such.
    fn each(&self, take: &mut dyn FnMut(&[u8]));
}

impl Records for [&str] {
    fn count(&self) -> usize {
        self.len()
    }

    fn each(&self, take: &mut dyn FnMut(&[u8])) {
        self.iter().for_each(|record| take(record.as_bytes()));
    }
}

impl<const N: usize> Records for [&str; N] {
    fn count(&self) -> usize {
        N
    }

    fn each(&self, take: &mut dyn FnMut(&[u8])) {
        self.as_slice().each(take);
    }
}

impl Records for Vec<&str> {
    fn count(&self) -> usize {
        self.len()
    }

    fn each(&self, take: &mut dyn FnMut(&[u8])) {
        self.as_slice().each(take);
    }
}

/// Records compared with records, each its own JSON text: what `drogue diff` prints. Nothing of it is kept, so that
/// samples are in clear.
#[must_use]
pub fn diff_records(
    baseline: &(impl Records + ?Sized),
    live: &(impl Records + ?Sized),
    rules: &RuleSet,
    hash_key: HashKey,
    key: Option<KeySpec>,
) -> Report {
    let key = key.or_else(|| common_key(baseline, live, hash_key));
    let (baseline, window) =
        (baseline_of(baseline, key.as_ref(), hash_key), window_of(live, key.as_ref(), hash_key));
    let subject = Subject { connector: "diff".to_owned(), stream: "records".to_owned() };
    let context = ReportContext { learning: false, at: Timestamp::UNIX_EPOCH };
    let mut report = report(&subject, &baseline, &window, rules, None, &context);
    report.compared.baseline = Side { records: baseline.profile.records, ..Side::default() };
    report.compared.live = Side { records: window.profile.records, ..Side::default() };
    report
}

/// A baseline of these records alone; parts of it in their order tell how its fields vary by themselves.
#[must_use]
pub fn baseline_of(records: &(impl Records + ?Sized), key: Option<&KeySpec>, hash_key: HashKey) -> Baseline {
    let window = window_of(records, key, hash_key);
    let mut baseline = Baseline::start(&window);
    baseline.latest = None;
    baseline.variation = variation_of(records, hash_key).with_order(&window);
    baseline
}

/// How the fields of some records vary between parts of them, in their natural order.
#[must_use]
pub fn variation_of(records: &(impl Records + ?Sized), hash_key: HashKey) -> Variation {
    // Parts of twenty records at least, eight parts at most: fewer records say nothing, more parts nothing new.
    let parts = (records.count() / 20).min(8);
    if parts < 2 {
        return Variation::default();
    }
    let size = records.count().div_ceil(parts);
    let profiler = || profiler(None, hash_key, SampleMode::Off);
    let (mut profiles, mut part, mut taken) = (Vec::with_capacity(parts), profiler(), 0);
    records.each(&mut |record| {
        if taken == size {
            profiles.push(std::mem::replace(&mut part, profiler()).finish());
            taken = 0;
        }
        part.record(record);
        taken += 1;
    });
    profiles.push(part.finish());
    Variation::of(&profiles)
}

/// A window of these records, whole, without any exchange around it.
#[must_use]
pub fn window_of(records: &(impl Records + ?Sized), key: Option<&KeySpec>, hash_key: HashKey) -> Window {
    let (profile, order) = profile_of(records, key, hash_key, SampleMode::Clear);
    Window {
        profile,
        order,
        behaviour: Behaviour::default(),
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::UNIX_EPOCH,
        // Two files need not be of one length.
        partial: true,
    }
}

fn profiler(key: Option<&KeySpec>, hash_key: HashKey, samples: SampleMode) -> Profiler {
    Profiler::new(ProfileOptions { key: key.cloned(), samples, ..ProfileOptions::new(hash_key) })
}

fn profile_of(
    records: &(impl Records + ?Sized),
    key: Option<&KeySpec>,
    hash_key: HashKey,
    samples: SampleMode,
) -> (Profile, Order) {
    let mut profiler = profiler(key, hash_key, samples);
    records.each(&mut |record| profiler.record(record));
    profiler.finish_in_order()
}

/// The key that tells the entities of both sides apart and that both share most of: only shared entities pair.
#[must_use]
pub fn common_key(
    baseline: &(impl Records + ?Sized),
    live: &(impl Records + ?Sized),
    hash_key: HashKey,
) -> Option<KeySpec> {
    let one = profile_of(baseline, None, hash_key, SampleMode::Clear).0;
    let other = profile_of(live, None, hash_key, SampleMode::Clear).0;
    let theirs = find_keys(&other);
    let mut keys = find_keys(&one);
    keys.retain(|key| theirs.contains(key));
    let shared = |key: &KeySpec| {
        // By the part that is shared least: a pair of fields is no more shared than each of them.
        key.paths.iter().map(|path| overlap(&one, &other, path)).fold(1.0, f64::min)
    };
    // The likeliest comes first and wins where others share as much.
    let mut best: Option<(f64, KeySpec)> = None;
    for key in keys {
        let share = shared(&key);
        if best.as_ref().is_none_or(|(most, _)| share > most + 0.05) {
            best = Some((share, key));
        }
    }
    best.map(|(_, key)| key)
}

fn overlap(one: &Profile, other: &Profile, path: &crate::model::FieldPath) -> f64 {
    let hashes = |profile: &Profile| {
        let field = profile.fields.get(path)?;
        field
            .strings
            .as_deref()
            .map(|s| s.distinct.clone())
            .or_else(|| field.numbers.as_deref().map(|n| n.distinct.clone()))
    };
    match (hashes(one), hashes(other)) {
        (Some(a), Some(b)) => a.containment(&b).max(b.containment(&a)),
        _ => 0.0,
    }
}
