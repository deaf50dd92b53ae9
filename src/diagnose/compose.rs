//! Splits and merges: one field that became several, several that became one.

use super::Draft;
use super::names;
use super::renames::{Endpoint, new_paths, old_paths};
use crate::compare::{Baseline, Window, name_words};
use crate::model::{DiagnosisKind, FieldPath, Finding, JsonType};
use crate::profile::{Profile, SampleValue};

/// Signs that parts are joined by.
const JOINTS: [char; 10] = [' ', 'T', '/', '-', '_', ',', ':', '|', '.', ';'];

/// Adds drafts of splits and merges over findings that no rename has claimed with certainty.
pub(super) fn compose(baseline: &Baseline, window: &Window, findings: &[Finding], drafts: &mut Vec<Draft>) {
    let (base, live) = (&baseline.profile, &window.profile);
    // In the order of the records, which breaks ties between parts that look alike.
    let mut old: Vec<Endpoint> = old_paths(findings);
    old.sort_by_key(|e| base.fields.get(&e.path).map_or(0, |f| f.position_sum / f.present.max(1)));
    let new: Vec<Endpoint> =
        new_paths(findings, live).into_iter().filter(|e| findings[e.finding].path == e.path).collect();
    for whole in &old {
        let best = best_parts(base, live, &whole.path, &new, false);
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
        let best = best_parts(live, base, &whole.path, &old, true);
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

/// Two of `parts` that together make up `whole`, joined by a sign, where the sampled texts show it.
fn best_parts(
    whole_in: &Profile,
    parts_in: &Profile,
    whole: &FieldPath,
    parts: &[Endpoint],
    merging: bool,
) -> Option<Parts> {
    if parts.len() < 2 || whole_in.fields.get(whole).is_none_or(|f| f.types.get(JsonType::String) == 0) {
        return None;
    }
    let texts: Vec<String> = texts(whole_in, whole);
    if texts.len() < 8 {
        return None;
    }
    let sets: Vec<std::collections::BTreeSet<String>> =
        parts.iter().map(|e| self::texts(parts_in, &e.path).into_iter().collect()).collect();
    let looks: Vec<std::collections::BTreeSet<String>> =
        sets.iter().map(|set| set.iter().map(|t| look(t)).collect()).collect();
    let mut best: Option<(f64, Parts)> = None;
    for joint in JOINTS {
        let joined = texts.iter().filter(|t| t.contains(joint)).count();
        if joined * 10 < texts.len() * 9 {
            continue;
        }
        for first in 0..parts.len() {
            for second in 0..parts.len() {
                if first == second || sets[first].is_empty() || sets[second].is_empty() {
                    continue;
                }
                // The halves are values of the parts, or look like them where values seldom come twice.
                let fits = |set: usize, half: &str| {
                    if sets[set].contains(half) {
                        1.0
                    } else if looks[set].contains(&look(half)) {
                        0.6
                    } else {
                        0.0
                    }
                };
                let trim = |t: &str| t.trim().trim_end_matches('Z').to_owned();
                let either = |set: usize, half: &str| f64::max(fits(set, half), fits(set, &trim(half)));
                // The sign may be part of a half as well: any place of it may be the joint.
                let of = |text: &String| {
                    text.match_indices(joint)
                        .map(|(at, _)| {
                            let (left, right) = (&text[..at], &text[at + joint.len_utf8()..]);
                            either(first, left).min(either(second, right))
                        })
                        .fold(0.0, f64::max)
                };
                let fit = texts.iter().map(of).sum::<f64>() / texts.len() as f64;
                let speaks = names_speak(whole, [&parts[first].path, &parts[second].path], merging);
                let needed = if speaks { 0.5 } else { 0.75 };
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

fn texts(profile: &Profile, path: &FieldPath) -> Vec<String> {
    let records = profile.entities.records.values();
    records
        .filter_map(|record| match record.0.get(path)? {
            SampleValue::Text { clear, .. } => clear.clone(),
            SampleValue::Number(_, text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

/// What a text looks like: its pattern.
fn look(text: &str) -> String {
    crate::profile::pattern(text)
}
