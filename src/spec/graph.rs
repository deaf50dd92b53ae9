//! Pairs of schemas, each compared once, however many operations and paths lead there.
//!
//! Descriptions share schemas through `$ref`, often in circles. Expanding them would repeat one change thousands of
//! times; here a pair of schemas is a node, what differs at the pair itself is stored there, and edges lead to the
//! pairs below. Paths come from walking the graph, each node once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::iter;

use serde_json::Value;

use super::{ApiModel, api::reference, schema::View, volatile};
use crate::model::{FieldPath, Step};

/// How many pairs are compared at most; what is beyond is reported as not compared.
const MAX_PAIRS: usize = 200_000;

/// Which way the data of a schema goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// Sent to the API.
    Request,
    /// Sent by the API.
    Response,
}

/// One difference at a pair of schemas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Local {
    pub(super) what: &'static str,
    /// The property it is about; the schema itself otherwise.
    pub(super) name: Option<String>,
    /// What the property is called now.
    pub(super) renamed_to: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
}

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

/// The comparison of two looks.
struct Comparing<'g, 'a> {
    graph: &'g Graph<'a>,
    direction: Direction,
}

type Below<'a> = Vec<(Option<Step>, &'a Value, &'a Value)>;

impl<'a> Comparing<'_, 'a> {
    fn compare(&self, before: &View<'a>, after: &View<'a>) -> (Vec<Local>, Below<'a>) {
        let mut locals = Vec::new();
        let mut below = Below::new();
        self.scalars(before, after, &mut locals);
        self.properties(before, after, &mut locals, &mut below);
        if let (Some(was), Some(is)) = (before.items, after.items) {
            below.push((Some(Step::Each), was, is));
        }
        if let (Some(was), Some(is)) = (before.map_values, after.map_values) {
            below.push((Some(Step::Each), was, is));
        }
        self.variants(before, after, &mut locals, &mut below);
        (locals, below)
    }

    fn scalars(&self, before: &View<'a>, after: &View<'a>, locals: &mut Vec<Local>) {
        let mut note = |what: &'static str, from: String, to: String| {
            locals.push(Local { what, name: None, renamed_to: None, from, to });
        };
        let response = self.direction == Direction::Response;
        let typed = !before.types.is_empty() && !after.types.is_empty();
        if typed && before.types != after.types {
            // What came before still comes (a response), or is still taken (a request).
            let covers = |wide: &BTreeSet<&str>, narrow: &BTreeSet<&str>| {
                narrow
                    .iter()
                    .all(|word| wide.contains(word) || (*word == "integer" && wide.contains("number")))
            };
            let harmless = if response {
                covers(&before.types, &after.types)
            } else {
                covers(&after.types, &before.types)
            };
            let what = if harmless { "type-narrowed" } else { "type-changed" };
            note(what, before.type_words(), after.type_words());
        } else if before.format != after.format && typed {
            let what = format_change(before.format, after.format);
            let word = |format: Option<&str>| format.unwrap_or("none").to_owned();
            note(what, word(before.format), word(after.format));
        }
        match (before.nullable, after.nullable) {
            (false, true) if response => note("became-nullable", String::new(), String::new()),
            (true, false) if !response => {
                note("request-narrowed", "null allowed".to_owned(), "not null".to_owned())
            }
            _ => {}
        }
        match (&before.values, &after.values) {
            (Some(was), Some(is)) => {
                let list = |values: Vec<&String>| {
                    values.into_iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ")
                };
                let fresh: Vec<&String> = is.difference(was).collect();
                let lost: Vec<&String> = was.difference(is).collect();
                if response && !fresh.is_empty() {
                    note("enum-value-added", list(lost), list(fresh));
                } else if !lost.is_empty() {
                    let what = if response { "enum-value-removed" } else { "request-narrowed" };
                    note(what, list(lost), String::new());
                }
            }
            (Some(_), None) if response && typed => {
                note("enum-opened", "a list of values".to_owned(), "any value".to_owned());
            }
            (None, Some(_)) if !response => {
                note("request-narrowed", "any value".to_owned(), "a list".to_owned())
            }
            _ => {}
        }
        if after.deprecated && !before.deprecated {
            note("field-deprecated", String::new(), String::new());
        } else if volatile::newly_speaks_of_an_end(before.description, after.description) {
            note("deprecated-in-prose", String::new(), String::new());
        } else if volatile::differs(before.description, after.description) {
            note("description-changed", String::new(), String::new());
        }
    }

    fn properties(
        &self,
        before: &View<'a>,
        after: &View<'a>,
        locals: &mut Vec<Local>,
        below: &mut Below<'a>,
    ) {
        let response = self.direction == Direction::Response;
        let mut removed: Vec<(&str, &'a Value)> = Vec::new();
        let mut note = |what: &'static str, name: &str, from: &str, to: &str| {
            locals.push(Local {
                what,
                name: Some(name.to_owned()),
                renamed_to: None,
                from: from.to_owned(),
                to: to.to_owned(),
            });
        };
        for (name, was) in &before.properties {
            let required = before.required.contains(name);
            if let Some(is) = after.properties.get(name) {
                below.push((Some(Step::Key((*name).into())), was, is));
                match (required, after.required.contains(name)) {
                    (true, false) if response => note("became-optional", name, "required", "optional"),
                    (false, true) if !response => note("body-field-required", name, "optional", "required"),
                    _ => {}
                }
                continue;
            }
            // An object that became one of several is no removal of what the alternatives have.
            let alternatives: Vec<View<'a>> =
                after.variants.iter().map(|(_, node)| View::of(self.graph.after, node)).collect();
            let having: Vec<&View<'a>> =
                alternatives.iter().filter(|v| v.properties.contains_key(name)).collect();
            match having.first().and_then(|view| view.properties.get(name)) {
                Some(is) => {
                    below.push((Some(Step::Key((*name).into())), was, is));
                    if response && required && having.len() < alternatives.len() {
                        note("became-optional", name, "required", "in some alternatives");
                    }
                }
                // A map whose keys were listed may still have it.
                None if after.map_values.is_some() && after.properties.is_empty() => {}
                None => removed.push((name, was)),
            }
        }
        let in_alternatives: BTreeSet<&str> = before
            .variants
            .iter()
            .flat_map(|(_, node)| View::of(self.graph.before, node).properties.into_keys())
            .collect();
        let mut added: Vec<(&str, &'a Value)> = Vec::new();
        for (name, is) in &after.properties {
            if !before.properties.contains_key(name) && !in_alternatives.contains(name) {
                added.push((name, is));
            }
        }
        for (was, is) in self.renames(before, after, &removed, &added) {
            removed.retain(|(name, _)| *name != was);
            added.retain(|(name, _)| *name != is);
            locals.push(Local {
                what: if response { "field-renamed" } else { "body-field-renamed" },
                name: Some(was.to_owned()),
                renamed_to: Some(is.to_owned()),
                from: was.to_owned(),
                to: is.to_owned(),
            });
            if let (Some(from), Some(to)) = (before.properties.get(was), after.properties.get(is)) {
                below.push((Some(Step::Key(was.into())), from, to));
            }
        }
        let mut note = |what: &'static str, name: &str, from: String, to: String| {
            locals.push(Local { what, name: Some(name.to_owned()), renamed_to: None, from, to });
        };
        for (name, was) in removed {
            let what = if response { "field-removed" } else { "body-field-removed" };
            note(what, name, View::of(self.graph.before, was).type_words(), String::new());
        }
        for (name, is) in added {
            let what = match (response, after.required.contains(name)) {
                (true, _) => "field-added",
                (false, true) => "body-field-required",
                (false, false) => "body-field-added",
            };
            note(what, name, String::new(), View::of(self.graph.after, is).type_words());
        }
    }

    /// Pairs of a property that vanished and one that appeared which are the same thing under another name.
    ///
    /// Both must have the same type, format, values and properties below, and be each other's best match; a bare
    /// scalar needs names that are alike, since any string looks like any other.
    fn renames(
        &self,
        before: &View<'a>,
        after: &View<'a>,
        removed: &[(&'a str, &'a Value)],
        added: &[(&'a str, &'a Value)],
    ) -> Vec<(&'a str, &'a str)> {
        // Many of both is another schema, not renamed fields.
        if removed.is_empty() || added.is_empty() || removed.len() * added.len() > 400 {
            return Vec::new();
        }
        let mut scored: Vec<(u32, &'a str, &'a str)> = Vec::new();
        for (was, from) in removed {
            let from = View::of(self.graph.before, from);
            for (is, to) in added {
                let to = View::of(self.graph.after, to);
                if from.signature(self.graph.before) != to.signature(self.graph.after)
                    || before.required.contains(was) != after.required.contains(is)
                {
                    continue;
                }
                let same_words = !from.description.is_empty() && from.description == to.description;
                let telling =
                    from.properties.len() > 1 || from.values.is_some() || from.items.is_some() || same_words;
                let alike = name_likeness(was, is);
                let needed = if same_words {
                    0.0
                } else if telling {
                    0.5
                } else {
                    0.8
                };
                if alike >= needed {
                    // Thousandths, so that ties break the same way everywhere.
                    let score = (alike * 1000.0) as u32 + if telling { 500 } else { 0 };
                    scored.push((score, was, is));
                }
            }
        }
        scored.sort_by(|a, b| (b.0, a.1, a.2).cmp(&(a.0, b.1, b.2)));
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (score, was, is) in &scored {
            let taken = pairs.iter().any(|(w, i)| w == was || i == is);
            // Two candidates that are as good as each other: nobody knows, so nothing is said.
            let rivals = scored.iter().filter(|(s, w, i)| s == score && (w == was) != (i == is)).count();
            if !taken && rivals == 0 {
                pairs.push((was, is));
            }
        }
        pairs
    }

    fn variants(&self, before: &View<'a>, after: &View<'a>, locals: &mut Vec<Local>, below: &mut Below<'a>) {
        let response = self.direction == Direction::Response;
        // Of several with one key each has its own partner: one that is the same, else the next in order.
        let mut free: Vec<&(String, &'a Value)> = after.variants.iter().collect();
        let mut partners: Vec<Option<&'a Value>> = vec![None; before.variants.len()];
        for is_same in [true, false] {
            for (partner, (key, was)) in partners.iter_mut().zip(&before.variants) {
                let fits = |other: &&(String, &'a Value)| other.0 == *key && (!is_same || other.1 == *was);
                if partner.is_none()
                    && let Some(index) = free.iter().position(&fits)
                {
                    *partner = Some(free.remove(index).1);
                }
            }
        }
        let mut note = |what: &'static str, from: String, to: String| {
            locals.push(Local { what, name: None, renamed_to: None, from, to });
        };
        for ((key, was), partner) in before.variants.iter().zip(partners) {
            match partner {
                Some(is) => below.push((None, was, is)),
                None if after.variants.is_empty() => {}
                None if response => note("alternative-removed", key.clone(), String::new()),
                None => note("request-narrowed", key.clone(), String::new()),
            }
        }
        if response && !before.variants.is_empty() {
            for (key, _) in free {
                note("alternative-added", String::new(), key.clone());
            }
        } else if response
            && before.variants.is_empty()
            && !after.variants.is_empty()
            && !before.types.is_empty()
        {
            let keys: Vec<&str> = after.variants.iter().take(8).map(|(key, _)| key.as_str()).collect();
            note("alternative-added", before.type_words(), keys.join(", "));
        }
    }
}

/// How alike two names are, between 0 and 1, with case and separators taken out.
fn name_likeness(a: &str, b: &str) -> f64 {
    let fold = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let (a, b) = (fold(a), fold(b));
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let contained = short.len() >= 3 && (long.starts_with(short.as_str()) || long.ends_with(short.as_str()));
    strsim::jaro_winkler(&a, &b).max(if contained { 0.85 } else { 0.0 })
}

/// What a change of format means to one who parses the value.
fn format_change(before: Option<&str>, after: Option<&str>) -> &'static str {
    const NOTATIONS: [&str; 12] = [
        "date",
        "date-time",
        "time",
        "duration",
        "unix-time",
        "unixtime",
        "timestamp",
        "epoch",
        "byte",
        "base64",
        "binary",
        "decimal",
    ];
    let is_notation = |format: &str| NOTATIONS.contains(&format);
    match (before, after) {
        (Some("int32"), Some("int64")) | (Some("float"), Some("double")) => "format-widened",
        (Some("int32"), None) => "format-widened",
        (Some("int64"), Some("int32")) | (Some("double"), Some("float")) => "format-documented",
        (Some(was), Some(is)) if is_notation(was) || is_notation(is) => "format-changed",
        (None, Some(format)) | (Some(format), None) if is_notation(format) => "format-widened",
        _ => "format-documented",
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
