//! Pairs of schemas, each compared once, however many operations and paths lead there.
//!
//! Descriptions share schemas through `$ref`, often in circles. Expanding them would repeat one change thousands of
//! times; here a pair of schemas is a node, what differs at the pair itself is stored there, and edges lead to the
//! pairs below. Paths come from walking the graph, each node once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::iter;

use serde_json::Value;

use super::{
    ApiModel,
    api::reference,
    pair::{Comparing, Direction, Local},
    schema::View,
};
use crate::model::{FieldPath, Step};

/// How many pairs are compared at most; what is beyond is reported as not compared.
const MAX_PAIRS: usize = 200_000;

/// The way to a pair below.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) step: Option<Step>,
    pub(super) to: usize,
}

/// Two schemas, and what differs between them.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) before: &'a Value,
    pub(super) after: &'a Value,
    /// The name under which both are shared, where they are.
    pub(super) shared: Option<&'a str>,
    pub(super) locals: Vec<Local>,
    pub(super) edges: Vec<Edge>,
    /// Whether it or anything below differs.
    differs: bool,
}

/// Pairs that differ or lead to some that do, each once by one of the shortest ways, in a fixed order.
#[derive(Debug)]
pub(super) struct Reach {
    visits: Vec<Visit>,
}

/// A pair, and from which visit by which edge it was reached; the first one is where the way begins.
#[derive(Debug, Clone, Copy)]
struct Visit {
    pair: usize,
    from: Option<(usize, usize)>,
}

impl Reach {
    /// The pairs, each with the number of its visit.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.visits.iter().enumerate().map(|(visit, reached)| (visit, reached.pair))
    }
}

/// All pairs that were looked at.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) before: &'a ApiModel,
    pub(super) after: &'a ApiModel,
    /// Nodes of a document stay where they are, so that their addresses tell them apart. Only ever looked up.
    index: BTreeMap<(usize, usize, Direction), usize>,
    pub(super) pairs: Vec<Pair<'a>>,
    /// How many are compared at most.
    limit: usize,
    /// Whether there were more pairs than are compared.
    pub(super) full: bool,
    /// In which walk each pair was seen last, and the number of the present one.
    seen: Vec<u32>,
    walk: u32,
}

impl<'a> Graph<'a> {
    pub(super) const fn new(before: &'a ApiModel, after: &'a ApiModel) -> Self {
        Self {
            before,
            after,
            index: BTreeMap::new(),
            pairs: Vec::new(),
            limit: MAX_PAIRS,
            full: false,
            seen: Vec::new(),
            walk: 0,
        }
    }

    /// The pair of two schemas, everything below compared as well; `None` where there are too many.
    pub(super) fn pair(
        &mut self,
        before: &'a Value,
        after: &'a Value,
        direction: Direction,
    ) -> Option<usize> {
        let known = self.pairs.len();
        let mut work = Vec::new();
        let root = self.intern(before, after, direction, &mut work);
        while let Some(index) = work.pop() {
            let (before, after) = (self.pairs[index].before, self.pairs[index].after);
            let views = (View::of(self.before, before), View::of(self.after, after));
            let (locals, below) = Comparing { graph: self, direction }.compare(&views.0, &views.1);
            let edges = below
                .into_iter()
                .filter_map(|(step, before, after)| {
                    Some(Edge { step, to: self.intern(before, after, direction, &mut work)? })
                })
                .collect();
            let pair = &mut self.pairs[index];
            pair.differs = !locals.is_empty();
            pair.locals = locals;
            pair.edges = edges;
        }
        self.spread(known);
        root
    }

    /// Marks the pairs from `known` on that lead to a difference: backwards from each difference, once.
    fn spread(&mut self, known: usize) {
        let mut above: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut work = Vec::new();
        for (index, pair) in self.pairs.iter().enumerate().skip(known) {
            for edge in &pair.edges {
                above.entry(edge.to).or_default().push(index);
                if edge.to < known && self.pairs[edge.to].differs {
                    work.push(edge.to);
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

    fn intern(
        &mut self,
        before: &'a Value,
        after: &'a Value,
        direction: Direction,
        work: &mut Vec<usize>,
    ) -> Option<usize> {
        // What may be null on both sides is compared as what it is otherwise, so that a shared schema stays shared.
        let (before, after) = match (beside_null(before), beside_null(after)) {
            (Some(was), Some(is)) => (was, is),
            (Some(_) | None, _) => (before, after),
        };
        let name = |node: &'a Value| reference(node).map(|r| r.rsplit('/').next().unwrap_or(r));
        let shared = name(before).filter(|_| name(before) == name(after));
        // A `$ref` with nothing beside it is its target.
        let plain = |model: &'a ApiModel, node: &'a Value| {
            if node.as_object().is_some_and(|object| object.len() == 1) { model.resolve(node) } else { node }
        };
        let (before, after) = (plain(self.before, before), plain(self.after, after));
        let key = (std::ptr::from_ref(before) as usize, std::ptr::from_ref(after) as usize, direction);
        if let Some(index) = self.index.get(&key) {
            return Some(*index);
        }
        if self.pairs.len() >= self.limit {
            self.full = true;
            return None;
        }
        let index = self.pairs.len();
        self.pairs.push(Pair {
            before,
            after,
            shared,
            locals: Vec::new(),
            edges: Vec::new(),
            differs: false,
        });
        self.index.insert(key, index);
        work.push(index);
        Some(index)
    }

    /// Every pair below `root` that differs or leads to one that does. Where nothing differs nothing is walked: most of a
    /// description is as it was.
    pub(super) fn reach(&mut self, root: usize) -> Reach {
        self.walk += 1;
        self.seen.resize(self.pairs.len(), 0);
        let mut visits = Vec::new();
        if self.pairs[root].differs {
            self.seen[root] = self.walk;
            visits.push(Visit { pair: root, from: None });
        }
        let mut next = 0;
        while let Some(visit) = visits.get(next).copied() {
            for (number, edge) in self.pairs[visit.pair].edges.iter().enumerate() {
                if self.pairs[edge.to].differs && self.seen[edge.to] != self.walk {
                    self.seen[edge.to] = self.walk;
                    visits.push(Visit { pair: edge.to, from: Some((next, number)) });
                }
            }
            next += 1;
        }
        Reach { visits }
    }

    /// The steps that lead to a visit, the last first.
    fn steps_back<'r>(&'r self, reach: &'r Reach, visit: usize) -> impl Iterator<Item = &'r Step> {
        let before = |visit: &usize| reach.visits[*visit].from.map(|(above, _)| above);
        iter::successors(Some(visit), before).filter_map(|visit| {
            let (above, edge) = reach.visits[visit].from?;
            self.pairs[reach.visits[above].pair].edges[edge].step.as_ref()
        })
    }

    /// The path to a visit.
    pub(super) fn path(&self, reach: &Reach, visit: usize) -> FieldPath {
        let mut steps: Vec<Step> = self.steps_back(reach, visit).cloned().collect();
        steps.reverse();
        FieldPath::new(steps)
    }

    /// The last key of the path to a visit.
    pub(super) fn last_key<'r>(&'r self, reach: &'r Reach, visit: usize) -> Option<&'r str> {
        self.steps_back(reach, visit).find_map(|step| match step {
            Step::Key(key) => Some(&**key),
            Step::Each | Step::Index(_) => None,
        })
    }

    /// The addresses of all schemas that a pair puts together, in order.
    pub(super) fn nodes(&self, pair: usize) -> Vec<usize> {
        let pair = &self.pairs[pair];
        let (was, is) = (View::of(self.before, pair.before), View::of(self.after, pair.after));
        was.nodes().union(is.nodes()).copied().collect()
    }

    /// The pairs along a path, each with how many steps lead to it; alternatives are all followed.
    pub(super) fn along(&self, root: usize, path: &FieldPath) -> Vec<(usize, usize)> {
        let steps = path.steps();
        let mut seen = BTreeSet::from([(root, 0)]);
        let mut queue = VecDeque::from([(root, 0)]);
        let mut found = Vec::new();
        while let Some((index, depth)) = queue.pop_front() {
            found.push((index, depth));
            for edge in &self.pairs[index].edges {
                let next = match (&edge.step, steps.get(depth)) {
                    (None, _) => (edge.to, depth),
                    (Some(step), Some(wanted)) if fits(step, wanted) => (edge.to, depth + 1),
                    (Some(_), _) => continue,
                };
                if seen.insert(next) {
                    queue.push_back(next);
                }
            }
        }
        found
    }
}

/// The reference that stands beside null, and nothing else with it.
fn beside_null(node: &Value) -> Option<&Value> {
    let object = node.as_object().filter(|object| object.len() == 1)?;
    let alternatives = object.get("anyOf").or_else(|| object.get("oneOf"))?.as_array()?;
    let is_null = |node: &Value| node.get("type").is_some_and(|word| word == "null");
    match alternatives.as_slice() {
        [one, null] | [null, one] if is_null(null) && reference(one).is_some() => Some(one),
        _ => None,
    }
}

/// Whether a step of a description leads where a step of a mapping wants to go.
pub(super) fn fits(step: &Step, wanted: &Step) -> bool {
    match (step, wanted) {
        (Step::Each, Step::Each | Step::Index(_) | Step::Key(_)) => true,
        (Step::Key(_) | Step::Index(_), _) => step == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is beyond the limit is left out, and not taken for what was compared first.
    #[test]
    fn pairs_beyond_the_limit_are_left_out() {
        let model = |id: &str| {
            ApiModel::new(json!({"openapi": "3.0.0", "paths": {}, "components": {"schemas": {
                "A": {"properties": {"id": {"type": id}, "other": {"type": "string"}}},
                "B": {"properties": {"id": {"type": "string"}}}
            }}}))
            .unwrap()
        };
        let (before, after) = (model("integer"), model("boolean"));
        let schema = |model: &'static ApiModel, name: &str| &model.root()["components"]["schemas"][name];
        let (before, after): (&'static ApiModel, &'static ApiModel) =
            (Box::leak(Box::new(before)), Box::leak(Box::new(after)));
        let mut graph = Graph::new(before, after);
        graph.limit = 2;
        let a = graph.pair(schema(before, "A"), schema(after, "A"), Direction::Response).unwrap();
        let reach = graph.reach(a);
        let paths: Vec<String> =
            reach.pairs().map(|(visit, _)| graph.path(&reach, visit).to_string()).collect();
        assert_eq!(paths, ["$", "$.id"]);
        assert_eq!(graph.pair(schema(before, "B"), schema(after, "B"), Direction::Response), None);
        assert!(graph.full);
    }
}
