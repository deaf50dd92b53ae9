//! Pairs of schemas, each compared once for all operations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Affected, ContractChange, MAX_AFFECTED};
use super::{
    Found, Here, Nodes, Place, Run, Side,
    locals::{self, Local, Way},
    types::Notation,
};
use crate::model::{FieldPath, Step};
use crate::spec::{ApiModel, api::reference};

/// How many pairs are compared at most.
const MAX_PAIRS: usize = 200_000;
/// How many places of one body are visited at most; a body with more is visited each pair once.
const MAX_PLACES: usize = 300;
/// How deep one body is followed.
const MAX_DEPTH: usize = 64;

/// Two schemas, and what differs between them.
struct Pair<'a> {
    nodes: Nodes,
    locals: Vec<Local>,
    /// The pairs below, each with the way there.
    below: Vec<(Way<'a>, usize)>,
    /// Whether it or anything below differs.
    differs: bool,
    read_only: bool,
    write_only: bool,
}

/// All pairs that were looked at.
pub(super) struct Pairs<'a> {
    before: &'a ApiModel,
    after: &'a ApiModel,
    /// Nodes of a document stay where they are, so that their addresses tell them apart. Only ever looked up: the order of
    /// addresses is no order.
    index: BTreeMap<(usize, usize, Notation), usize>,
    pairs: Vec<Pair<'a>>,
    /// In which walk each pair was seen last, and the number of the present one.
    seen: Vec<u32>,
    walk: u32,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(before: &'a ApiModel, after: &'a ApiModel) -> Self {
        Self { before, after, index: BTreeMap::new(), pairs: Vec::new(), seen: Vec::new(), walk: 0 }
    }

    /// The pair of two schemas, everything below compared as well; `None` where there are too many.
    pub(super) fn pair(&mut self, before: &'a Value, after: &'a Value, notation: Notation) -> Option<usize> {
        let known = self.pairs.len();
        let mut work = Vec::new();
        let root = self.intern(before, after, notation, &mut work)?;
        while let Some((index, before, after)) = work.pop() {
            let (locals, below) = locals::compare(self.before, self.after, before, after, notation);
            let below = below
                .into_iter()
                .filter_map(|(way, was, is)| Some((way, self.intern(was, is, notation, &mut work)?)))
                .collect();
            let pair = &mut self.pairs[index];
            pair.differs = !locals.is_empty();
            pair.locals = locals;
            pair.below = below;
        }
        self.spread(known);
        Some(root)
    }

    fn intern(
        &mut self,
        before: &'a Value,
        after: &'a Value,
        notation: Notation,
        work: &mut Vec<(usize, &'a Value, &'a Value)>,
    ) -> Option<usize> {
        let (mut before, mut after) = (before, after);
        // What stands beside a `$ref` is compared first where both have one, then what they refer to.
        let both_refer = reference(before).is_some() && reference(after).is_some();
        if !both_refer || !(has_siblings(before) || has_siblings(after)) {
            (before, after) = (self.before.resolve(before), self.after.resolve(after));
        }
        let key = (std::ptr::from_ref(before) as usize, std::ptr::from_ref(after) as usize, notation);
        if let Some(index) = self.index.get(&key) {
            return Some(*index);
        }
        if self.pairs.len() >= MAX_PAIRS {
            return None;
        }
        let index = self.pairs.len();
        let flag = |key: &str| {
            let set = |node: &Value| node.get(key).and_then(Value::as_bool).unwrap_or(false);
            // What it says now: who reads the new description may leave it out.
            set(after)
        };
        let (read_only, write_only) = (flag("readOnly"), flag("writeOnly"));
        self.pairs.push(Pair {
            nodes: (key.0, key.1),
            locals: Vec::new(),
            below: Vec::new(),
            differs: false,
            read_only,
            write_only,
        });
        self.index.insert(key, index);
        work.push((index, before, after));
        Some(index)
    }

    /// Marks the pairs from `known` on that lead to a difference: backwards from each difference, once.
    fn spread(&mut self, known: usize) {
        let mut above: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut work = Vec::new();
        for (index, pair) in self.pairs.iter().enumerate().skip(known) {
            for (_, to) in &pair.below {
                above.entry(*to).or_default().push(index);
                if *to < known && self.pairs[*to].differs {
                    work.push(*to);
                }
            }
            if pair.differs {
                work.push(index);
            }
        }
        while let Some(index) = work.pop() {
            for parent in above.remove(&index).unwrap_or_default() {
                self.pairs[parent].differs = true;
                work.push(parent);
            }
        }
    }

    /// Every place below `root` where a pair differs; a circle is followed once.
    fn places(&mut self, root: usize) -> Vec<Visit> {
        self.seen.resize(self.pairs.len(), 0);
        let mut places = Vec::new();
        let top = Visit { pair: root, from: None };
        self.walk += 1;
        if self.follow(top, 0, &mut places) {
            return places;
        }
        // Too many ways lead to the same pairs: each pair once.
        self.walk += 1;
        self.seen[root] = self.walk;
        places.clear();
        places.push(top);
        let mut next = 0;
        while let Some(visit) = places.get(next).copied() {
            for (number, (_, to)) in self.pairs[visit.pair].below.iter().enumerate() {
                if self.pairs[*to].differs && self.seen[*to] != self.walk {
                    self.seen[*to] = self.walk;
                    places.push(Visit { pair: *to, from: Some((next, number)) });
                }
            }
            next += 1;
        }
        places
    }

    /// Follows every way; false where there are too many. What is above of the place is marked with the present walk.
    fn follow(&mut self, at: Visit, depth: usize, places: &mut Vec<Visit>) -> bool {
        let index = at.pair;
        if !self.pairs[index].differs || self.seen[index] == self.walk {
            return true;
        }
        if places.len() >= MAX_PLACES || depth >= MAX_DEPTH {
            return false;
        }
        let here = places.len();
        places.push(at);
        self.seen[index] = self.walk;
        for number in 0..self.pairs[index].below.len() {
            let to = self.pairs[index].below[number].1;
            if !self.follow(Visit { pair: to, from: Some((here, number)) }, depth + 1, places) {
                return false;
            }
        }
        self.seen[index] = 0;
        true
    }

    /// The ways that lead to a place, from the top.
    fn ways(&self, places: &[Visit], place: usize) -> Vec<&Way<'a>> {
        let mut ways = Vec::new();
        let mut from = places[place].from;
        while let Some((above, number)) = from {
            ways.push(&self.pairs[places[above].pair].below[number].0);
            from = places[above].from;
        }
        ways.reverse();
        ways
    }
}

/// A pair at one place: from which place above it was reached, by which of its ways.
#[derive(Clone, Copy)]
struct Visit {
    pair: usize,
    from: Option<(usize, usize)>,
}

/// Whether a reference says something of its own.
fn has_siblings(node: &Value) -> bool {
    reference(node).is_some() && node.as_object().is_some_and(|object| object.len() > 1)
}

/// Where a schema stands.
#[derive(Clone, Copy)]
pub(super) struct Root<'h> {
    pub(super) side: Side,
    /// The place of the schema itself, and of what is within it.
    pub(super) place: Place,
    pub(super) within: Place,
    pub(super) notation: Notation,
    /// Whether a value is always given, so that a default says nothing.
    pub(super) always_given: bool,
    /// Status and media type, or the parameter.
    pub(super) at: &'h str,
}

/// Compares two schemas at one place of one operation.
pub(super) fn schemas<'a>(
    run: &mut Run<'a>,
    here: Here<'_>,
    root: Root<'_>,
    before: &'a Value,
    after: &'a Value,
) {
    let Some(top) = run.pairs.pair(before, after, root.notation) else { return };
    let places = run.pairs.places(top);
    let (pairs, found) = (&run.pairs, &mut run.found);
    // A `$ref` with something beside it and what it refers to are one place.
    let mut is_top = vec![true; places.len()];
    for (number, visit) in places.iter().enumerate() {
        is_top[number] = visit.from.is_none_or(|(above, way)| {
            is_top[above] && matches!(pairs.pairs[places[above].pair].below[way].0, Way::Same)
        });
        let is_top = is_top[number];
        let place = if is_top { root.place } else { root.within };
        let index = visit.pair;
        let pair = &pairs.pairs[index];
        let hidden = match root.side {
            Side::Request => pair.read_only,
            Side::Response => pair.write_only,
            Side::Neither => false,
        };
        for (at, local) in pair.locals.iter().enumerate() {
            if root.always_given && is_top && local.change.starts_with("default-value-") {
                continue;
            }
            let hidden = hidden || local.hidden_on(root.side);
            // What is said of a property is said within its object.
            let place = if local.of_property { root.within } else { place };
            let affected = || {
                let ways = pairs.ways(&places, number);
                let words = [root.at].into_iter().chain(ways.iter().map(|way| way.word()));
                let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
                let steps: Vec<Step> = ways.iter().filter_map(|way| way.step()).collect();
                Affected { field: Some(FieldPath::new(steps)), ..here.affected(words.join("/")) }
            };
            found.note_of_pair((index, at, root.side, place, hidden), local, pair.nodes, affected);
        }
    }
}

impl Found {
    fn note_of_pair(
        &mut self,
        key: (usize, usize, Side, Place, bool),
        local: &Local,
        nodes: Nodes,
        affected: impl FnOnce() -> Affected,
    ) {
        let operation = self.operation;
        if let Some((index, last)) = self.of_pairs.get_mut(&key) {
            let change = &mut self.changes[*index];
            change.operations += usize::from(*last != operation);
            *last = operation;
            if change.affects.len() < MAX_AFFECTED {
                change.affects.push(affected());
            }
            return;
        }
        let (_, _, side, place, hidden) = key;
        self.of_pairs.insert(key, (self.changes.len(), operation));
        self.nodes.push(Some(nodes));
        self.changes.push(ContractChange {
            change: local.change,
            side,
            place,
            hidden,
            name: local.name.clone(),
            from: local.from.clone(),
            to: local.to.clone(),
            affects: vec![affected()],
            operations: 1,
        });
    }
}
