//! Splits and merges: one field that became several, several that became one.

use std::collections::{BTreeMap, BTreeSet};

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
    let parts = Parts::of(live, &new);
    for whole in &old {
        let best = best_parts(base, &parts, &whole.path, false)
            .or_else(|| named_parts(base, live, &whole.path, &new));
        take(drafts, findings, best, |parts| {
            let mut draft = Draft::new(DiagnosisKind::Split, whole.path.clone());
            draft.to = parts.iter().map(|i| new[*i].path.clone()).collect();
            draft.claims =
                std::iter::once(whole.finding).chain(parts.iter().map(|i| new[*i].finding)).collect();
            draft
        });
    }
    let parts = Parts::of(base, &old);
    for whole in &new {
        if drafts.iter().any(|d| d.kind == DiagnosisKind::Split && d.to.contains(&whole.path)) {
            continue;
        }
        let best = best_parts(live, &parts, &whole.path, true)
            .or_else(|| only_parts(live, &parts, (&whole.path, new.len())));
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

struct Composed {
    /// In the order of the text.
    indices: [usize; 2],
    joint: char,
    share: f64,
}

fn take(
    drafts: &mut Vec<Draft>,
    findings: &[Finding],
    best: Option<Composed>,
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

/// Fields that may be parts, and which of them hold a value or look like one: looked up once for all texts.
struct Parts<'a> {
    profile: &'a Profile,
    endpoints: &'a [Endpoint],
    sides: Vec<Side>,
    by_hash: BTreeMap<u64, Vec<usize>>,
    by_pattern: BTreeMap<String, Vec<usize>>,
}

impl<'a> Parts<'a> {
    fn of(profile: &'a Profile, endpoints: &'a [Endpoint]) -> Self {
        let sides: Vec<Side> = endpoints.iter().map(|e| Side::of(profile, &e.path)).collect();
        let (mut by_hash, mut by_pattern) = (BTreeMap::new(), BTreeMap::new());
        for (part, side) in sides.iter().enumerate() {
            for hash in &side.hashes {
                by_hash.entry(*hash).or_insert_with(Vec::new).push(part);
            }
            for pattern in &side.patterns {
                by_pattern.entry(pattern.clone()).or_insert_with(Vec::new).push(part);
            }
        }
        Self { profile, endpoints, sides, by_hash, by_pattern }
    }

    /// The parts that one side of the texts fits: half of all texts, or half of the entities that are seen on both
    /// sides. Of very many the best.
    fn that_fit<'c>(&self, texts: &Texts<'c>, half: impl Fn(&'c Cut<'c>) -> &'c Half<'c>) -> Vec<usize> {
        let mut sums = vec![0.0; self.sides.len()];
        let mut own = vec![0_usize; self.sides.len()];
        let mut best = vec![0.0_f64; self.sides.len()];
        for (key, cuts) in texts {
            best.fill(0.0);
            for half in cuts.iter().map(|cut| half(cut)) {
                let alike = half.patterns.iter().filter_map(|pattern| self.by_pattern.get(*pattern));
                alike.flatten().for_each(|part| best[*part] = best[*part].max(LOOKS_ALIKE));
                self.by_hash.get(&half.hash).into_iter().flatten().for_each(|part| best[*part] = 1.0);
            }
            let record = self.profile.entities.records.get(key);
            for (part, fit) in best.iter().enumerate().filter(|(_, fit)| **fit > 0.0) {
                sums[part] += fit;
                own[part] +=
                    usize::from(record.is_some_and(|r| r.0.contains_key(&self.endpoints[part].path)));
            }
        }
        let needed = LEAST_FIT * texts.len() as f64;
        let may = |part: &usize| sums[*part] >= needed || own[*part] * 2 >= MIN_TEXTS;
        let mut fitting: Vec<usize> = (0..self.sides.len()).filter(may).collect();
        if fitting.len() > MAX_FITTING {
            fitting.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]).then(a.cmp(b)));
            fitting.truncate(MAX_FITTING);
            fitting.sort_unstable();
        }
        fitting
    }
}

/// Texts taken apart at one sign, by the key of their entity.
type Texts<'a> = [(u64, Vec<&'a Cut<'a>>)];

/// The share of texts that two parts must fit where their names speak for them; where they do not, half as many more.
const LEAST_FIT: f64 = 0.5;
/// Parts that are tried for each side of a text, at most.
const MAX_FITTING: usize = 20;
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
fn best_parts(whole_in: &Profile, parts: &Parts<'_>, whole: &FieldPath, merging: bool) -> Option<Composed> {
    fitting_parts(whole_in, parts, whole, merging, 1.5 * LEAST_FIT)
}

/// The same, where names that do not speak for it need a fit as good as `unnamed`.
fn fitting_parts(
    whole_in: &Profile,
    parts: &Parts<'_>,
    whole: &FieldPath,
    merging: bool,
    unnamed: f64,
) -> Option<Composed> {
    if parts.endpoints.len() < 2
        || whole_in.fields.get(whole).is_none_or(|f| f.types.get(JsonType::String) == 0)
    {
        return None;
    }
    let records = &whole_in.entities.records;
    let texts: Vec<(u64, Vec<Cut<'_>>)> =
        records.iter().filter_map(|(key, record)| Some((*key, cuts(record.0.get(whole)?)))).collect();
    if texts.len() < MIN_TEXTS {
        return None;
    }
    let mut joints: Vec<char> = texts.iter().flat_map(|(_, cuts)| cuts.iter().map(|cut| cut.joint)).collect();
    joints.sort_unstable();
    joints.dedup();
    let mut best: Option<(f64, Composed)> = None;
    for joint in joints {
        let at: Vec<(u64, Vec<&Cut<'_>>)> = texts
            .iter()
            .map(|(key, cuts)| (*key, cuts.iter().filter(|cut| cut.joint == joint).collect()))
            .collect();
        let joined = at.iter().filter(|(_, cuts)| !cuts.is_empty()).count();
        if joined * 10 < texts.len() * 9 {
            continue;
        }
        let seconds = parts.that_fit(&at, |cut| &cut.right);
        for first in parts.that_fit(&at, |cut| &cut.left) {
            for &second in &seconds {
                let empty = |side: usize| parts.sides[side].patterns.is_empty();
                if first == second || empty(first) || empty(second) {
                    continue;
                }
                let paths = [&parts.endpoints[first].path, &parts.endpoints[second].path];
                // The sign may be part of a half as well: any place of it may be the joint.
                let of = |cuts: &Vec<&Cut<'_>>| {
                    let (left, right) = (&parts.sides[first], &parts.sides[second]);
                    let fits = |cut: &&Cut<'_>| left.fits(&cut.left).min(right.fits(&cut.right));
                    cuts.iter().map(fits).fold(0.0, f64::max)
                };
                let fit = paired_fit(parts.profile, &at, paths)
                    .unwrap_or_else(|| at.iter().map(|(_, cuts)| of(cuts)).sum::<f64>() / at.len() as f64);
                let speaks = names_speak(whole, paths, merging);
                let needed = if speaks { LEAST_FIT } else { unnamed };
                let value = fit + if speaks { 0.3 } else { 0.0 };
                if fit >= needed && best.as_ref().is_none_or(|(b, _)| value > *b + 0.05) {
                    let share = value.min(0.99);
                    best = Some((value, Composed { indices: [first, second], joint, share }));
                }
            }
        }
    }
    best.map(|(_, composed)| composed)
}

/// Two new fields that are named after the old one and together as long as it was: its parts, though the sign between
/// them is none that texts are taken apart at, or stands in them more than once.
fn named_parts(base: &Profile, live: &Profile, whole: &FieldPath, new: &[Endpoint]) -> Option<Composed> {
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
    adds_up(base, live, whole, parts).then_some(Composed {
        indices: [*first, *second],
        joint,
        share: BY_SHAPE,
    })
}

/// The only two fields that are gone, where the only new one looks like both of them joined.
fn only_parts(live: &Profile, old: &Parts<'_>, (whole, among): (&FieldPath, usize)) -> Option<Composed> {
    let [one, other] = old.endpoints else { return None };
    if among != 1 || !adds_up(live, old.profile, whole, [&one.path, &other.path]) {
        return None;
    }
    // What two halves of one look are worth is enough where nothing else is left that they could be.
    fitting_parts(live, old, whole, true, LOOKS_ALIKE - 0.1)
        .map(|parts| Composed { share: BY_SHAPE, ..parts })
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
fn paired_fit(parts_in: &Profile, texts: &Texts<'_>, paths: [&FieldPath; 2]) -> Option<f64> {
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
