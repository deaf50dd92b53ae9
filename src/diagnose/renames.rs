//! Renames and moves: every old path against every new one, all assigned at once, with a reject option.

use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use super::assign::assign;
use super::evidence::{Sides, Weighed, weigh};
use super::names::NameChange;
use crate::compare::{Baseline, Pairs, Relation, Window, relations_between, relations_within};
use crate::model::{Candidate, ChangeKind, DiagnosisKind, FieldPath, Finding, JsonType};
use crate::profile::Profile;

/// Candidates beyond this number on one side are not weighed: the matrix grows with the square.
const MAX_CANDIDATES: usize = 200;
/// A runner-up this close in log-odds (a factor of seven) is another reading that must be shown.
const CLOSE: f64 = 2.0;
/// Where the values do not tell two readings apart, names and places must do so by a factor of twenty.
const TOLD_BY_NAME: f64 = 3.0;

/// An old or a new path, and the finding that speaks of it or of what is above it.
pub(super) struct Endpoint {
    pub path: FieldPath,
    pub finding: usize,
}

/// Old paths: gone, or going as a new one comes.
pub(super) fn old_paths(findings: &[Finding]) -> Vec<Endpoint> {
    let mut paths: Vec<Endpoint> = findings
        .iter()
        .enumerate()
        .filter(|(_, f)| match f.kind {
            ChangeKind::FieldRemoved => true,
            ChangeKind::PresenceChanged => f.evidence.text("transform") == Some("missing"),
            _ => false,
        })
        .map(|(i, f)| Endpoint { path: f.path.clone(), finding: i })
        .collect();
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    paths.truncate(MAX_CANDIDATES);
    paths
}

/// New paths, and what is inside of new objects: a field may have moved there.
pub(super) fn new_paths(findings: &[Finding], live: &Profile) -> Vec<Endpoint> {
    let mut paths = Vec::new();
    for (i, finding) in findings.iter().enumerate() {
        if finding.kind != ChangeKind::FieldAdded {
            continue;
        }
        paths.push(Endpoint { path: finding.path.clone(), finding: i });
        let inside = live.fields.iter().filter(|(p, f)| {
            p.starts_with(&finding.path)
                && **p != finding.path
                && f.present > 0
                && p.name() != finding.path.name()
        });
        let leaves = inside.filter(|(_, f)| f.types.get(JsonType::Object) == 0);
        paths.extend(leaves.map(|(p, _)| Endpoint { path: p.clone(), finding: i }));
    }
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    paths.truncate(MAX_CANDIDATES);
    paths
}

/// Drafts of renames and moves.
pub(super) fn renames(baseline: &Baseline, window: &Window, findings: &[Finding]) -> Vec<Draft> {
    let base = baseline.latest.as_ref().filter(|l| l.records > 0).unwrap_or(&baseline.profile);
    let live = &window.profile;
    let old = old_paths(findings);
    let new = new_paths(findings, live);
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    let pairs = Pairs::of(base, live);
    let sides = Sides { base, live, pairs: &pairs, variation: &baseline.variation };
    let weigh_in = |old: &FieldPath, new: &FieldPath| {
        // The nearest window may have lost the path already; then the whole baseline still knows it.
        let base = if base.fields.contains_key(old) { base } else { &baseline.profile };
        weigh(&Sides { base, ..sides }, old, new)
    };
    let mut weighed: Vec<Vec<Option<Weighed>>> =
        old.iter().map(|o| new.iter().map(|n| weigh_in(&o.path, &n.path)).collect()).collect();
    related(baseline, base, live, &old, &new, &mut weighed);
    let gains: Vec<Vec<f64>> =
        weighed.iter().map(|row| row.iter().map(|w| w.as_ref().map_or(-1e3, |w| w.odds)).collect()).collect();
    let chosen = assign(&gains);
    let taken: BTreeMap<usize, usize> =
        chosen.iter().enumerate().filter_map(|(row, column)| Some(((*column)?, row))).collect();
    let mut drafts = Vec::new();
    for (row, column) in chosen.iter().enumerate() {
        let Some(column) = *column else { continue };
        let Some(best) = weighed[row][column].clone() else { continue };
        // Inside of an object that is itself renamed, its members come along.
        let carried = chosen.iter().enumerate().any(|(r, c)| {
            c.is_some_and(|c| {
                r != row
                    && old[row].path.starts_with(&old[r].path)
                    && new[column].path.starts_with(&new[c].path)
            })
        });
        if carried {
            continue;
        }
        // Rivals that are spoken for by a better match of their own are none.
        let rivals_of_new = (0..old.len()).filter(|r| *r != row && chosen[*r].is_none());
        let rivals_of_old = (0..new.len()).filter(|c| {
            *c != column
                && !new[*c].path.starts_with(&new[column].path)
                && !new[column].path.starts_with(&new[*c].path)
                && taken.get(c).is_none_or(|r| gains[row][*c] > gains[*r][*c] - CLOSE)
        });
        let near = |gain: f64| gain > best.odds - CLOSE && gain > -1.0;
        let way = |row: usize, column: usize| (&old[row].path, &new[column].path);
        // Where both readings keep values, how often they do decides: clearly less often is no rival, clearly more
        // often always is one, and a tie leaves it to the names and places.
        let rivals = |r: usize, c: usize| match (best.kept, weighed[r][c].as_ref().and_then(|w| w.kept)) {
            (Some(mine), Some(other)) if !pairs.tied(way(row, column), way(r, c)) => other > mine,
            (Some(_), Some(_)) => {
                let rival = weighed[r][c].as_ref().map_or(f64::NEG_INFINITY, Weighed::beside_values);
                best.beside_values() - rival < TOLD_BY_NAME
            }
            _ => near(gains[r][c]),
        };
        let close: Vec<usize> = rivals_of_old.filter(|c| rivals(row, *c)).collect();
        let contested: Vec<usize> = rivals_of_new.filter(|r| rivals(*r, column)).collect();
        let gains_of =
            close.iter().map(|c| gains[row][*c]).chain(contested.iter().map(|r| gains[*r][column]));
        // The share of the best among all readings that come close.
        let share = 1.0 / (1.0 + gains_of.map(|gain| (gain - best.odds).exp()).sum::<f64>());
        let mut draft = draft(
            findings,
            &old[row],
            &new[column],
            &best,
            &close,
            &new,
            &weighed[row],
            !contested.is_empty(),
        );
        draft.confidence *= share;
        drafts.push(draft);
    }
    claim_parents(findings, &mut drafts, live);
    drafts
}

#[expect(clippy::too_many_arguments, reason = "one call, of what the loop above has at hand")]
fn draft(
    findings: &[Finding],
    old: &Endpoint,
    new: &Endpoint,
    best: &Weighed,
    close: &[usize],
    candidates: &[Endpoint],
    row: &[Option<Weighed>],
    contested: bool,
) -> Draft {
    let moved = old.path.parent() != new.path.parent();
    let kind = if moved { DiagnosisKind::Moved } else { DiagnosisKind::Renamed };
    let mut draft = Draft::new(kind, old.path.clone());
    draft.to = vec![new.path.clone()];
    draft.confidence = best.score();
    // Thin evidence is told as such: the best of what there is, to be decided by a person.
    draft.ambiguous = !close.is_empty() || contested || best.odds < 1.0;
    if draft.ambiguous {
        let mut listed: Vec<(usize, &Weighed)> = close
            .iter()
            .copied()
            .chain(candidates.iter().position(|c| c.path == new.path))
            .filter_map(|c| Some((c, row[c].as_ref()?)))
            .collect();
        listed.sort_by(|a, b| b.1.odds.total_cmp(&a.1.odds).then(a.0.cmp(&b.0)));
        draft.candidates = listed
            .into_iter()
            .map(|(c, w)| Candidate {
                path: candidates[c].path.clone(),
                score: w.score(),
                facts: w.facts.clone(),
            })
            .collect();
    }
    draft.evidence = best.facts.clone();
    draft.evidence.extend(findings[old.finding].evidence.clone());
    draft.detail.set("name_change", best.name.word());
    let object =
        findings[old.finding].evidence.words("types").is_some_and(|t| t.iter().any(|t| t == "object"));
    draft.detail.set("object", object || best.facts.get("same_members").is_some());
    if let Some(change) = &best.transform {
        for name in ["ratio", "offset", "unit", "from_format", "to_format", "from_types", "to_types"] {
            if let Some(fact) = change.facts.get(name) {
                draft.detail.set(name, fact.clone());
            }
        }
        draft.detail.set("content", crate::model::Fact::Text(kind_word(change.kind)));
        draft.detail.set("transform", change.facts.text("transform").unwrap_or("ratio").to_owned());
    }
    if best.name == NameChange::None && !moved {
        draft.detail.set("name_change", "none");
    }
    draft.claims = vec![old.finding];
    if findings[new.finding].path == new.path {
        draft.claims.push(new.finding);
    }
    // What else is said of the two paths is part of the rename.
    let others = findings.iter().enumerate().filter(|(_, f)| f.path == old.path || f.path == new.path);
    let more: Vec<usize> = others.map(|(i, _)| i).filter(|i| !draft.claims.contains(i)).collect();
    draft.claims.extend(more);
    draft
}

fn kind_word(kind: ChangeKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A new object that holds nothing but what moved into it is explained by the moves.
fn claim_parents(findings: &[Finding], drafts: &mut [Draft], live: &Profile) {
    for (i, finding) in findings.iter().enumerate() {
        if finding.kind != ChangeKind::FieldAdded || drafts.iter().any(|d| d.claims.contains(&i)) {
            continue;
        }
        let into: BTreeSet<FieldPath> = drafts
            .iter()
            .flat_map(|d| d.to.iter())
            .filter(|to| to.starts_with(&finding.path))
            .cloned()
            .collect();
        let leaves = live.fields.iter().filter(|(p, f)| {
            p.starts_with(&finding.path) && f.present > 0 && f.types.get(JsonType::Object) == 0
        });
        let all_moved =
            leaves.clone().count() > 0 && leaves.clone().all(|(p, _)| into.iter().any(|t| p.starts_with(t)));
        if all_moved && let Some(draft) = drafts.iter_mut().find(|d| d.to.iter().any(|to| into.contains(to)))
        {
            draft.claims.push(i);
        }
    }
}

/// Relations between columns, which hold whatever the columns are called: they confirm a pair, or speak against it.
fn related(
    baseline: &Baseline,
    base: &Profile,
    live: &Profile,
    old: &[Endpoint],
    new: &[Endpoint],
    weighed: &mut [Vec<Option<Weighed>>],
) {
    let mut before: Vec<Relation> = baseline.relations.clone();
    before.extend(relations_within(base));
    before.sort();
    before.dedup();
    // First by what is plain without growth; then growth, which needs the names of the levels.
    let mut names: BTreeMap<FieldPath, FieldPath> = BTreeMap::new();
    for round in 0..2 {
        let mut now = relations_within(live);
        if round == 1 {
            let backwards: BTreeMap<FieldPath, FieldPath> =
                names.iter().map(|(o, n)| (n.clone(), o.clone())).collect();
            now.extend(relations_between(base, live, &backwards));
            now.sort();
            now.dedup();
        }
        for (o, row) in old.iter().zip(weighed.iter_mut()) {
            for (n, cell) in new.iter().zip(row.iter_mut()) {
                let Some(cell) = cell else { continue };
                let (holding, against) = compare_relations(&before, &now, &o.path, &n.path, &names, round);
                if holding > 0 {
                    // One relation of ten digits on many entities is no accident; a second adds little.
                    cell.add("relations", holding, 6.0);
                } else if against > 0 {
                    cell.add("other_relation", against, -6.0);
                }
            }
        }
        if round == 0 {
            let gains: Vec<Vec<f64>> = weighed
                .iter()
                .map(|row| row.iter().map(|w| w.as_ref().map_or(-1e3, |w| w.odds)).collect())
                .collect();
            for (row, column) in assign(&gains).into_iter().enumerate() {
                // 2: about nine in ten, enough to read a level by.
                if let Some(column) = column.filter(|c| gains[row][*c] >= 2.0) {
                    names.insert(old[row].path.clone(), new[column].path.clone());
                }
            }
        }
    }
}

/// How many relations of the old path the new one has as well; and how many it has that the old one did not have
/// although all other parts of them were there.
fn compare_relations(
    before: &[Relation],
    now: &[Relation],
    old: &FieldPath,
    new: &FieldPath,
    names: &BTreeMap<FieldPath, FieldPath>,
    round: usize,
) -> (usize, usize) {
    let renamed =
        |path: &FieldPath| if path == old { new.clone() } else { names.get(path).unwrap_or(path).clone() };
    let growth = |relation: &Relation| matches!(relation, Relation::Growth { .. });
    let is_about = |relation: &Relation, path: &FieldPath| match relation {
        Relation::Growth { path: p, .. } => p == path,
        Relation::Sum { path: p, of } => p == path || of.0 == *path || of.1 == *path,
    };
    let image = |relation: &Relation| match relation {
        Relation::Growth { path, of } => Relation::Growth { path: renamed(path), of: renamed(of) },
        Relation::Sum { path, of } => {
            let (a, b) = (renamed(&of.0), renamed(&of.1));
            Relation::Sum { path: renamed(path), of: if a <= b { (a, b) } else { (b, a) } }
        }
    };
    let right_round = |relation: &&Relation| growth(relation) == (round == 1);
    let mine: Vec<Relation> =
        before.iter().filter(right_round).filter(|r| is_about(r, old)).map(image).collect();
    let theirs: Vec<&Relation> = now.iter().filter(right_round).filter(|r| is_about(r, new)).collect();
    let holding = theirs.iter().filter(|r| mine.contains(r)).count();
    // A field that is the growth of one level is not the growth of another.
    let against =
        if round == 1 && !mine.is_empty() { theirs.iter().filter(|r| !mine.contains(r)).count() } else { 0 };
    (holding, against)
}
