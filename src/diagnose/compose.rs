//! Splits and merges: one field that became several, several that became one.

use std::collections::BTreeSet;

use super::Draft;
use super::names;
use super::renames::{Endpoint, new_paths, old_paths};
use crate::compare::{Baseline, Window, name_words};
use crate::model::{DiagnosisKind, FieldPath, Finding, JsonType};
use crate::profile::{Format, Halves, Profile, SampleValue};

/// Adds drafts of splits and merges over findings that no rename has claimed with certainty.
pub(super) fn compose(baseline: &Baseline, window: &Window, findings: &[Finding], drafts: &mut Vec<Draft>) {
    let (base, live) = (&baseline.profile, &window.profile);
    // In the order of the records, which breaks ties between parts that look alike.
    let mut old: Vec<Endpoint> = old_paths(findings);
    old.sort_by_key(|e| base.fields.get(&e.path).map_or(0, |f| f.position_sum / f.present.max(1)));
    let new: Vec<Endpoint> =
        new_paths(findings, live).into_iter().filter(|e| findings[e.finding].path == e.path).collect();
    for whole in &old {
        let best = best_parts(base, live, &whole.path, &new, false)
            .or_else(|| named_parts(base, live, &whole.path, &new));
        take(drafts, findings, best, |parts| {
            let mut draft = Draft::new(DiagnosisKind::Split, whole.path.clone());
            draft.to = parts.iter().map(|i| new[*i].path.clone()).collect();
            draft.claims =
                std::iter::once(whole.finding).chain(parts.iter().map(|i| new[*i].finding)).collect();
            draft
        });
    }
    for whole in &new {
        if drafts.iter().any(|d| d.kind == DiagnosisKind::Split && d.to.contains(&whole.path)) {
            continue;
        }
        let best = best_parts(live, base, &whole.path, &old, true)
            .or_else(|| only_parts(live, base, (&whole.path, new.len()), &old));
        take(drafts, findings, best, |parts| {
            let mut paths: Vec<&Endpoint> = parts.iter().map(|i| &old[*i]).collect();
            // Named after the part that came first in the text.
            let first = paths.remove(0);
            let mut draft = Draft::new(DiagnosisKind::Merged, first.path.clone());
            draft.to = vec![whole.path.clone()];
            let others: Vec<String> = paths.iter().map(|e| e.path.to_string()).collect();
            draft.detail.set("with", others);
            draft.claims = vec![first.finding, whole.finding];
            draft.claims.extend(paths.iter().map(|e| e.finding));
            draft
        });
    }
}

struct Parts {
    /// In the order of the text.
    indices: [usize; 2],
    joint: char,
    share: f64,
}

fn take(
    drafts: &mut Vec<Draft>,
    findings: &[Finding],
    best: Option<Parts>,
    make: impl Fn(&[usize]) -> Draft,
) {
    let Some(parts) = best else { return };
    let mut draft = make(&parts.indices);
    draft.confidence = parts.share;
    draft.detail.set("separator", parts.joint.to_string());
    draft.evidence.set("agreeing_share", parts.share);
    draft.evidence.extend(findings[draft.claims[0]].evidence.clone());
    // A rename that is sure by its values stands; one that a part only resembles gives way.
    let sure = |d: &Draft| {
        let equal = d.evidence.number("equal_values").is_some_and(|share| share >= 0.9);
        d.claims.iter().any(|c| draft.claims.contains(c)) && (equal || d.confidence > parts.share.max(0.97))
    };
    if drafts.iter().any(sure) {
        return;
    }
    drafts.retain(|d| !d.claims.iter().any(|c| draft.claims.contains(c)));
    drafts.push(draft);
}

/// The sampled values of a part: the hashes of its texts, and the patterns of its texts and numbers.
struct Side {
    hashes: BTreeSet<u64>,
    patterns: BTreeSet<String>,
}

impl Side {
    fn of(profile: &Profile, path: &FieldPath) -> Self {
        let mut side = Self { hashes: BTreeSet::new(), patterns: BTreeSet::new() };
        for value in profile.entities.records.values().filter_map(|record| record.0.get(path)) {
            side.hashes.extend(hash_of(value));
            side.patterns.extend(pattern_of(value));
        }
        side
    }

    /// How well one half of a text fits: it is a value of the part, or looks like one where values seldom come twice.
    fn fits(&self, half: &Half<'_>) -> f64 {
        if self.hashes.contains(&half.hash) {
            1.0
        } else if half.patterns.iter().any(|pattern| self.patterns.contains(*pattern)) {
            LOOKS_ALIKE
        } else {
            0.0
        }
    }
}

/// What a half is worth that looks like the values of a part, and is none of them.
const LOOKS_ALIKE: f64 = 0.6;
/// Fewer texts show nothing.
const MIN_TEXTS: usize = 8;

fn hash_of(value: &SampleValue) -> Option<u64> {
    match value {
        SampleValue::Text { hash, .. } => Some(*hash),
        _ => None,
    }
}

fn pattern_of(value: &SampleValue) -> Option<String> {
    match value {
        SampleValue::Text { pattern, .. } => Some(pattern.clone()),
        SampleValue::Number(_, written) => Some(crate::profile::pattern(written)),
        _ => None,
    }
}

/// One half of a text.
struct Half<'a> {
    hash: u64,
    /// As it stands, without white space around it, and without the `Z` of an instant.
    patterns: [&'a str; 3],
}

/// A text taken apart at one sign.
struct Cut<'a> {
    joint: char,
    left: Half<'a>,
    right: Half<'a>,
}

fn half(text: &str, hash: u64, format: Format) -> Half<'_> {
    let trimmed = text.trim();
    let bare = if format.is_instant() { trimmed.trim_end_matches('A') } else { trimmed };
    Half { hash, patterns: [text, trimmed, bare] }
}

/// The ways to take a text apart.
fn cuts(value: &SampleValue) -> Vec<Cut<'_>> {
    let SampleValue::Text { pattern, halves, format, .. } = value else { return Vec::new() };
    let cut = |halves: &Halves| {
        // Patterns of characters are ASCII.
        let at = usize::try_from(halves.at).unwrap_or(usize::MAX);
        let (left, right) = (pattern.get(..at)?, pattern.get(at + 1..)?);
        Some(Cut {
            joint: halves.joint,
            left: half(left, halves.left, *format),
            right: half(right, halves.right, *format),
        })
    };
    halves.iter().filter_map(cut).collect()
}

/// Two of `parts` that together make up `whole`, joined by a sign, where the sampled values show it: of entities seen
/// on both sides their own, else all values together.
fn best_parts(
    whole_in: &Profile,
    parts_in: &Profile,
    whole: &FieldPath,
    parts: &[Endpoint],
    merging: bool,
) -> Option<Parts> {
    fitting_parts(whole_in, parts_in, whole, parts, merging, 0.75)
}

/// The same, where names that do not speak for it need a fit as good as `unnamed`.
fn fitting_parts(
    whole_in: &Profile,
    parts_in: &Profile,
    whole: &FieldPath,
    parts: &[Endpoint],
    merging: bool,
    unnamed: f64,
) -> Option<Parts> {
    if parts.len() < 2 || whole_in.fields.get(whole).is_none_or(|f| f.types.get(JsonType::String) == 0) {
        return None;
    }
    let records = &whole_in.entities.records;
    let texts: Vec<(u64, Vec<Cut<'_>>)> =
        records.iter().filter_map(|(key, record)| Some((*key, cuts(record.0.get(whole)?)))).collect();
    if texts.len() < MIN_TEXTS {
        return None;
    }
    let sides: Vec<Side> = parts.iter().map(|e| Side::of(parts_in, &e.path)).collect();
    let mut joints: Vec<char> = texts.iter().flat_map(|(_, cuts)| cuts.iter().map(|cut| cut.joint)).collect();
    joints.sort_unstable();
    joints.dedup();
    let mut best: Option<(f64, Parts)> = None;
    for joint in joints {
        let at: Vec<(u64, Vec<&Cut<'_>>)> = texts
            .iter()
            .map(|(key, cuts)| (*key, cuts.iter().filter(|cut| cut.joint == joint).collect()))
            .collect();
        let joined = at.iter().filter(|(_, cuts)| !cuts.is_empty()).count();
        if joined * 10 < texts.len() * 9 {
            continue;
        }
        for first in 0..parts.len() {
            for second in 0..parts.len() {
                let empty = |side: usize| sides[side].patterns.is_empty();
                if first == second || empty(first) || empty(second) {
                    continue;
                }
                let paths = [&parts[first].path, &parts[second].path];
                // The sign may be part of a half as well: any place of it may be the joint.
                let of = |cuts: &Vec<&Cut<'_>>| {
                    let fits =
                        |cut: &&Cut<'_>| sides[first].fits(&cut.left).min(sides[second].fits(&cut.right));
                    cuts.iter().map(fits).fold(0.0, f64::max)
                };
                let fit = paired_fit(parts_in, &at, paths)
                    .unwrap_or_else(|| at.iter().map(|(_, cuts)| of(cuts)).sum::<f64>() / at.len() as f64);
                let speaks = names_speak(whole, paths, merging);
                let needed = if speaks { 0.5 } else { unnamed };
                let value = fit + if speaks { 0.3 } else { 0.0 };
                if fit >= needed && best.as_ref().is_none_or(|(b, _)| value > *b + 0.05) {
                    let share = value.min(0.99);
                    best = Some((value, Parts { indices: [first, second], joint, share }));
                }
            }
        }
    }
    best.map(|(_, parts)| parts)
}

/// Two new fields that are named after the old one and together as long as it was: its parts, though the sign between
/// them is none that texts are taken apart at, or stands in them more than once.
fn named_parts(base: &Profile, live: &Profile, whole: &FieldPath, new: &[Endpoint]) -> Option<Parts> {
    let stem = whole.name().map(name_words)?;
    let named: Vec<usize> = (0..new.len())
        .filter(|i| {
            let words = new[*i].path.name().map(name_words).unwrap_or_default();
            new[*i].path.parent() == whole.parent() && words.len() > stem.len() && words.starts_with(&stem)
        })
        .collect();
    let [first, second] = named.as_slice() else { return None };
    let parts = [&new[*first].path, &new[*second].path];
    let joint = joint_of(base, whole)?;
    adds_up(base, live, whole, parts).then_some(Parts { indices: [*first, *second], joint, share: BY_SHAPE })
}

/// The only two fields that are gone, where the only new one looks like both of them joined.
fn only_parts(
    live: &Profile,
    base: &Profile,
    (whole, among): (&FieldPath, usize),
    old: &[Endpoint],
) -> Option<Parts> {
    let [one, other] = old else { return None };
    if among != 1 || !adds_up(live, base, whole, [&one.path, &other.path]) {
        return None;
    }
    // What two halves of one look are worth is enough where nothing else is left that they could be.
    fitting_parts(live, base, whole, old, true, LOOKS_ALIKE - 0.1)
        .map(|parts| Parts { share: BY_SHAPE, ..parts })
}

/// How sure parts are that are told by their names and their shape alone.
const BY_SHAPE: f64 = 0.9;

/// The sign that nearly all texts of a field have, and that may join two parts.
fn joint_of(profile: &Profile, path: &FieldPath) -> Option<char> {
    let patterns: Vec<String> = profile
        .entities
        .records
        .values()
        .filter_map(|record| record.0.get(path))
        .filter(|value| hash_of(value).is_some())
        .filter_map(pattern_of)
        .collect();
    let sign = |c: &char| !c.is_alphanumeric();
    let mut signs: Vec<char> = patterns.iter().flat_map(|p| p.chars().filter(sign)).collect();
    signs.sort_unstable();
    signs.dedup();
    let share = |c: &char| patterns.iter().filter(|p| p.contains(*c)).count();
    signs.into_iter().find(|c| patterns.len() >= MIN_TEXTS && share(c) * 10 >= patterns.len() * 9)
}

/// Whether two parts are together as long as the whole, but for what joins them: a tenth more or a third less, since
/// other records are longer or shorter by themselves, and neither is as long alone.
fn adds_up(whole_in: &Profile, parts_in: &Profile, whole: &FieldPath, parts: [&FieldPath; 2]) -> bool {
    let length = |profile: &Profile, path: &FieldPath| {
        let strings = profile.fields.get(path)?.strings.as_deref()?;
        let (sum, count) = strings
            .lengths
            .iter()
            .fold((0.0, 0_u64), |(sum, count), bin| (sum + bin.low * bin.count as f64, count + bin.count));
        (count >= MIN_TEXTS as u64).then(|| sum / count as f64)
    };
    let [Some(all), Some(first), Some(second)] =
        [length(whole_in, whole), length(parts_in, parts[0]), length(parts_in, parts[1])]
    else {
        return false;
    };
    first.max(second) <= 0.95 * all && (0.67..=1.1).contains(&((first + second) / all))
}

/// The share of entities seen on both sides whose own text is made up of their own parts; `None` for too few.
fn paired_fit(parts_in: &Profile, texts: &[(u64, Vec<&Cut<'_>>)], paths: [&FieldPath; 2]) -> Option<f64> {
    let (mut all, mut fits) = (0_usize, 0_usize);
    for (key, cuts) in texts {
        let Some(record) = parts_in.entities.records.get(key) else { continue };
        let [Some(first), Some(second)] = paths.map(|path| record.0.get(path)) else { continue };
        let is = |half: &Half<'_>, part: &SampleValue| match part {
            SampleValue::Number(_, written) => {
                half.patterns.contains(&crate::profile::pattern(written).as_str())
            }
            part => hash_of(part) == Some(half.hash),
        };
        all += 1;
        fits += usize::from(cuts.iter().any(|cut| is(&cut.left, first) && is(&cut.right, second)));
    }
    (all >= MIN_TEXTS).then(|| fits as f64 / all as f64)
}

/// Whether the names of the parts have the name of the whole in them.
fn names_speak(whole: &FieldPath, parts: [&FieldPath; 2], merging: bool) -> bool {
    let words = |path: &FieldPath| path.name().map(name_words).unwrap_or_default();
    let whole_words = words(whole);
    if merging {
        let parents = parts.iter().any(|p| {
            p.steps().iter().any(|s| match s {
                crate::model::Step::Key(key) => name_words(key).iter().any(|w| whole_words.contains(w)),
                _ => false,
            })
        });
        return parents || parts.iter().any(|p| words(p).iter().any(|w| whole_words.contains(w)));
    }
    parts.iter().all(|part| {
        let part_words = words(part);
        whole_words.iter().all(|w| part_words.iter().any(|p| p == w || names::compare(w, p).0 > 0.8))
    })
}
