//! Renames and moves: every old path against every new one, all assigned at once, with a reject option.

use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use super::assign::assign;
use super::evidence::{NO_GAIN, Old, Open, Weighed, complete, weigh};
use super::lookup::{Known, Neighbours, Side, below};
use super::names::NameChange;
use crate::compare::{Baseline, Pairs, Relation, Variation, Window, relations_between, relations_within};
use crate::model::{Candidate, ChangeKind, DiagnosisKind, FieldPath, Finding, JsonType};
use crate::profile::Profile;

/// Candidates beyond this number on one side are not weighed: the matrix grows with the square.
const MAX_CANDIDATES: usize = 200;
/// Pairs of an old and a new path whose values are compared in full, at most; each may take a millisecond.
const MAX_COMPARED: usize = 2_000;
/// Readings below this are neither taken nor shown as rivals.
const LEAST: f64 = -1.0;
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
        let inside =
            below(live, &finding.path).filter(|(p, f)| f.present > 0 && p.name() != finding.path.name());
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
    let mut matrix = Matrix::of(baseline, (base, live), &pairs, (&old, &new));
    related(baseline, base, live, &old, &new, &mut matrix);
    let gains = matrix.gains();
    let chosen = assign(&gains);
    let taken: BTreeMap<usize, usize> =
        chosen.iter().enumerate().filter_map(|(row, column)| Some(((*column)?, row))).collect();
    for (row, column) in chosen.iter().enumerate() {
        if let Some(column) = column {
            matrix.complete(row, *column);
        }
    }
    let weighed = matrix.cells;
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
        let near = |gain: f64| gain > best.odds - CLOSE && gain > LEAST;
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
        let own = live.fields.get_key_value(&finding.path).into_iter();
        let leaves = own
            .chain(below(live, &finding.path))
            .filter(|(_, f)| f.present > 0 && f.types.get(JsonType::Object) == 0);
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
    matrix: &mut Matrix<'_>,
) {
    let mut before: Vec<Relation> = baseline.relations.clone();
    before.extend(relations_within(base));
    before.sort();
    before.dedup();
    // First by what is plain without growth; then growth, which needs the names of the levels.
    let mut names: BTreeMap<FieldPath, FieldPath> = BTreeMap::new();
    let within = relations_within(live);
    for round in 0..2 {
        let mut now = within.clone();
        if round == 1 {
            let backwards: BTreeMap<FieldPath, FieldPath> =
                names.iter().map(|(o, n)| (n.clone(), o.clone())).collect();
            now.extend(relations_between(base, live, &backwards));
            now.sort();
            now.dedup();
        }
        for (column, n) in new.iter().enumerate() {
            if !now.iter().any(|relation| is_about(relation, &n.path)) {
                continue;
            }
            for (row, o) in old.iter().enumerate() {
                if matrix.cells[row][column].is_none() {
                    continue;
                }
                let (holding, against) = compare_relations(&before, &now, &o.path, &n.path, &names, round);
                if holding > 0 {
                    // Now it may win.
                    matrix.complete(row, column);
                }
                let Some(cell) = &mut matrix.cells[row][column] else { continue };
                if holding > 0 {
                    // One relation of ten digits on many entities is no accident; a second adds little.
                    cell.add("relations", holding, 6.0);
                } else if against > 0 {
                    cell.add("other_relation", against, -6.0);
                }
            }
        }
        if round == 0 {
            let gains = matrix.gains();
            for (row, column) in assign(&gains).into_iter().enumerate() {
                // 2: about nine in ten, enough to read a level by.
                if let Some(column) = column.filter(|c| gains[row][*c] >= 2.0) {
                    names.insert(old[row].path.clone(), new[column].path.clone());
                }
            }
        }
    }
}

/// Every old path against every new one.
struct Matrix<'a> {
    variation: &'a Variation,
    old: Vec<Old<'a>>,
    new: Vec<Known<'a>>,
    cells: Vec<Vec<Option<Weighed>>>,
}

impl<'a> Matrix<'a> {
    fn of(
        baseline: &'a Baseline,
        (base, live): (&'a Profile, &'a Profile),
        pairs: &Pairs<'a>,
        (old, new): (&'a [Endpoint], &'a [Endpoint]),
    ) -> Self {
        let around = [base, &baseline.profile, live].map(Neighbours::of);
        let old: Vec<Old<'a>> = old
            .iter()
            .map(|Endpoint { path, .. }| {
                // The nearest window may have lost the path already; then the whole baseline still knows it.
                let known = if base.fields.contains_key(path) {
                    Known::of(path, base, &around[0], pairs, Side::Old)
                } else {
                    Known::of(path, &baseline.profile, &around[1], pairs, Side::Old)
                };
                let left = live.fields.get(path).map_or(0, |f| f.present);
                Old { known, left, around_now: around[2].around(path) }
            })
            .collect();
        let new: Vec<Known<'a>> =
            new.iter().map(|new| Known::of(&new.path, live, &around[2], pairs, Side::New)).collect();
        let variation = &baseline.variation;
        let row = |old| new.iter().map(|new| weigh(variation, old, new)).collect();
        let cells = old.iter().map(row).collect();
        let mut matrix = Self { variation, old, new, cells };
        for (row, column) in matrix.contenders() {
            matrix.complete(row, column);
        }
        matrix
    }

    /// The pairs that may win once their values are compared; of too many those of the best outlook for each path.
    fn contenders(&self) -> BTreeSet<(usize, usize)> {
        let mut open: Vec<(f64, usize, usize)> = Vec::new();
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let Some(cell) = cell.as_ref().filter(|cell| matches!(cell.open, Open::Values(_))) else {
                    continue;
                };
                if cell.outlook() > LEAST {
                    open.push((cell.outlook(), row, column));
                }
            }
        }
        let mut each = usize::MAX;
        if open.len() > MAX_COMPARED {
            each = (MAX_COMPARED / (self.old.len() + self.new.len())).max(1);
            open.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        }
        let (mut of_old, mut of_new) = (vec![0; self.old.len()], vec![0; self.new.len()]);
        let mut contenders = BTreeSet::new();
        for (_, row, column) in open {
            if of_old[row] < each || of_new[column] < each {
                of_old[row] += 1;
                of_new[column] += 1;
                contenders.insert((row, column));
            }
        }
        contenders
    }

    /// Compares what is still open of a pair.
    fn complete(&mut self, row: usize, column: usize) {
        if let Some(cell) = &mut self.cells[row][column] {
            complete(cell, self.variation, &self.old[row].known, &self.new[column]);
        }
    }

    /// The gain of each pair, as they are assigned by.
    fn gains(&self) -> Vec<Vec<f64>> {
        let gain = |cell: &Option<Weighed>| cell.as_ref().map_or(NO_GAIN, Weighed::gain);
        self.cells.iter().map(|row| row.iter().map(gain).collect()).collect()
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

fn is_about(relation: &Relation, path: &FieldPath) -> bool {
    match relation {
        Relation::Growth { path: p, .. } => p == path,
        Relation::Sum { path: p, of } => p == path || of.0 == *path || of.1 == *path,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::diagnose::{baseline_of, window_of};
    use crate::model::HashKey;

    const FIELDS: usize = 120;

    fn lines(name: &str, first: u64) -> Vec<String> {
        let record = |id: u64| {
            let value = |field: u64| {
                json!(["open", "paid", "sent"][((id * 7 + field * 3 + id * field) % 3) as usize])
            };
            let fields = (0..FIELDS as u64).map(|field| (format!("{name}_{field}"), value(field)));
            Value::Object(std::iter::once(("id".to_owned(), json!(id))).chain(fields).collect::<Map<_, _>>())
        };
        (first..first + 40).map(|id| record(id).to_string()).collect()
    }

    fn endpoints(name: &str) -> Vec<Endpoint> {
        let path = |field| FieldPath::of_keys([format!("{name}_{field}").as_str()]);
        (0..FIELDS).map(|field| Endpoint { path: path(field), finding: 0 }).collect()
    }

    /// A count, not a time: what a wide stream costs does not depend on how busy the machine is.
    #[test]
    fn of_very_many_renames_the_likeliest_alone_are_compared_in_full() {
        let (before, after) = (lines("old", 0), lines("new", 1_000));
        let [before, after] = [&before, &after].map(|l| l.iter().map(|l| &**l).collect::<Vec<_>>());
        let key = HashKey::new([3; 16]);
        let (baseline, window) = (baseline_of(&before, None, key), window_of(&after, None, key));
        let (old, new) = (endpoints("old"), endpoints("new"));
        let pairs = Pairs::default();
        let matrix = Matrix::of(&baseline, (&baseline.profile, &window.profile), &pairs, (&old, &new));
        let compared = |row: &Vec<Option<Weighed>>| {
            row.iter().flatten().filter(|cell| cell.open == Open::Nothing).count()
        };
        let by_old: Vec<usize> = matrix.cells.iter().map(compared).collect();
        assert!(by_old.iter().sum::<usize>() <= MAX_COMPARED, "{by_old:?}");
        assert!(by_old.iter().all(|count| *count >= MAX_COMPARED / (2 * FIELDS)), "{by_old:?}");
    }
}
