//! What one window means, in memory: how a baseline follows the quiet windows before it, what it is judged to show, what
//! that says of known findings, and what is learned from it.
//!
//! `check` takes these steps between reading the store and writing to it, `replay` from file to file.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::EngineError;
use crate::compare::{Baseline, Variation, Volumes, Window};
use crate::config::LearningSettings;
use crate::diagnose::{Assessed, assess};
use crate::model::{Category, Change, ChangeKind, FieldPath, Finding, Report, Subject};
use crate::profile::Profile;
use crate::rules::{JudgeContext, RuleSet};

/// The last quiet windows, so many, say how a stream varies by itself, however long ago they came: a change that stays
/// does not become the ordinary course of things by staying.
pub(super) const HISTORY: u64 = 8;
/// How far back from the last usual one windows are counted: a week has its weekend, and a day more the same hour a week ago.
pub(super) const VOLUME_HISTORY: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What a whole window can show.
pub(super) const ALL_OF_A_WINDOW: [Category; 4] =
    [Category::Schema, Category::Values, Category::Behaviour, Category::Lifecycle];

/// The size of a window that was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) to: Timestamp,
    pub(super) records: u64,
    /// Whether it was whole and showed nothing new.
    pub(super) counts: bool,
}

/// Lets a baseline follow the last windows that were quiet (`past`, the oldest first): how values move from one to the
/// next, how they grow, and how many records come. That is worked out anew for each check; what was accepted stays as it
/// is.
///
/// Windows from before the last decision show a shape that is gone: the decision left the nearest one in the new shape
/// behind, and those after it count.
pub(super) fn follow(
    baseline: &mut Baseline,
    decided: Option<Timestamp>,
    past: impl IntoIterator<Item = Window>,
    sizes: impl IntoIterator<Item = Size>,
) {
    let holds = |to: Timestamp| decided.is_none_or(|at| to > at);
    if decided.is_none() {
        baseline.latest = None;
    }
    let mut profiles: Vec<Profile> = Vec::new();
    for window in past {
        if holds(window.to) {
            baseline.follow(&window);
            profiles.push(window.profile);
        }
    }
    let sizes: Vec<Size> = sizes.into_iter().filter(|size| size.counts && holds(size.to)).collect();
    // A number of records that stays does not become usual by staying: the days before the last usual window count.
    let last = sizes.iter().map(|size| size.to).max();
    let since = last.and_then(|last| last.saturating_sub(VOLUME_HISTORY).ok()).unwrap_or(Timestamp::MIN);
    let sizes = sizes.iter().filter(|size| size.to >= since);
    let volumes = Volumes::of(sizes.map(|size| (size.to, size.records)));
    baseline.variation = Variation::of(&profiles).with_volumes(volumes);
}

/// What a window was judged to show.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) report: Report,
    /// Whether it shows nothing that disturbs a comparison with it.
    pub(super) is_clean: bool,
    /// Which kinds of findings it could have shown.
    pub(super) judges: Vec<Category>,
    /// Where values were too few to be judged.
    pub(super) unjudged: BTreeSet<FieldPath>,
}

/// Judges a window, with the changes around its records.
pub(super) fn judge(
    subject: &Subject,
    baseline: &Baseline,
    window: &Window,
    around: Vec<Change>,
    rules: &RuleSet,
    context: &JudgeContext<'_>,
) -> Judged {
    let Assessed { report, unjudged, incomparable } =
        assess(subject, baseline, window, around, rules, context);
    let judges = ALL_OF_A_WINDOW.into_iter().filter(|category| match category {
        Category::Schema | Category::Values => !incomparable,
        Category::Behaviour => !window.partial,
        Category::Lifecycle | Category::Docs => true,
    });
    Judged { is_clean: is_quiet(&report.findings), judges: judges.collect(), report, unjudged }
}

/// Whether a window shows nothing but fields that are new, which disturb no comparison of the others, and what the vendor
/// says will come, which disturbs none yet.
fn is_quiet(findings: &[Finding]) -> bool {
    findings
        .iter()
        .all(|finding| finding.kind == ChangeKind::FieldAdded || finding.category == Category::Lifecycle)
}

/// The baseline of a first window.
pub(super) fn first(window: &Window) -> Baseline {
    Baseline { latest: None, ..Baseline::start(window) }
}

/// Whether too little has been seen for soft facts to alert.
pub(super) fn is_learning(learning: &LearningSettings, baseline: &Baseline) -> bool {
    baseline.windows < learning.windows || baseline.to.duration_since(baseline.from) < learning.span.signed()
}

/// Records one more window.
///
/// # Errors
/// Where the window was profiled in another way, so that the two cannot be joined.
pub(super) fn extend(baseline: &mut Baseline, window: &Window) -> Result<(), EngineError> {
    baseline
        .profile
        .merge(&window.profile.clone().redacted())
        .map_err(|failed| EngineError::Refused(format!("the window cannot join the baseline: {failed}")))?;
    baseline.version += 1;
    baseline.windows += 1;
    baseline.from = baseline.from.min(window.from);
    baseline.to = baseline.to.max(window.to);
    baseline.behaviour = window.behaviour.clone();
    Ok(())
}

/// A window as it is kept: without what is rare in it.
pub(super) fn redacted(window: Window) -> Window {
    Window { profile: window.profile.redacted(), ..window }
}
