//! The comparison of two states of one document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use similar::TextDiff;

use super::{
    ApiModel, Document, Operation, WatchedEndpoint,
    about::About,
    announcements,
    consumer::{self, Touch},
    cut,
    graph::Graph,
    level::{Levelled, Side, level},
    listed::{Fresh, Listed, find, records_in, without_query},
    moves,
    operations::{self, Compared, DocChange, Told},
    readers::reference::PAGE,
    reference as page, sections,
    tally::Tally,
};
use crate::model::{Change, ChangeKind, Facts, FieldPath, Inconclusive};

/// What a comparison of documents came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DocsComparison {
    /// Every difference, of kind `docs-changed`: first what concerns the whole API, then by operation or section.
    pub changes: Vec<Change>,
    /// Text diffs to be shown beside, each with a title.
    pub diffs: Vec<(String, String)>,
    /// What could not be compared.
    pub inconclusive: Vec<Inconclusive>,
    /// Whether the later state was read less fully than the earlier one, or could not be compared: what is not seen in
    /// it may be there all the same.
    pub incomplete: bool,
}

/// More changes than this are not listed one by one.
const MAX_CHANGES: usize = 5_000;
/// Text diffs that are made at most, and how much text of each side.
const MAX_DIFFS: usize = 40;
const MAX_DIFF_BYTES: usize = 64 * 1024;
/// Lines of both sides between the first and the last ones that they have in common, at most: the time of a line diff
/// grows with their square.
const MAX_DIFF_LINES: usize = 5_000;

/// What differs between two states of a document, as far as the watched endpoints are concerned; what else differs is
/// one summary.
///
/// Without watched endpoints every section of prose is compared; of an API description, every endpoint is.
#[must_use]
pub fn compare_documents(before: &Document, after: &Document, watched: &[WatchedEndpoint]) -> DocsComparison {
    match (before, after) {
        (Document::Api(before), Document::Api(after)) if before.family() != after.family() => {
            let why =
                format!("the document described {} and describes {} now", before.family(), after.family());
            let inconclusive = vec![Inconclusive { path: FieldPath::root(), why }];
            DocsComparison { inconclusive, incomplete: true, ..DocsComparison::default() }
        }
        (Document::Api(before), Document::Api(after)) => {
            let level = level(before, after);
            let mut compared = if watched.is_empty() {
                compare_descriptions(&level.before, &level.after)
            } else {
                compare_watched(&level.before, &level.after, watched)
            };
            tell_the_rest(before, after, watched, &level, &mut compared);
            compared
        }
        (Document::Sections(was), Document::Sections(is)) => {
            let mut compared = sections::compare(was, is, watched);
            cut::settle(was, is, &mut compared);
            compared.inconclusive.extend(page::as_text(was, is, &compared));
            compared
        }
        (Document::Reference(was), Document::Reference(is)) => {
            let mut compared = page::compare(was, is, watched);
            cut::settle(was.sections(), is.sections(), &mut compared);
            compared
        }
        (Document::Reference(was), Document::Sections(is)) => {
            let mut compared = page::compare_half(before, after, watched).unwrap_or_default();
            cut::settle(was.sections(), is, &mut compared);
            compared
        }
        (Document::Sections(was), Document::Reference(is)) => {
            let mut compared = page::compare_half(before, after, watched).unwrap_or_default();
            cut::settle(was, is.sections(), &mut compared);
            compared
        }
        (Document::Api(_), Document::Sections(_) | Document::Reference(_))
        | (Document::Sections(_) | Document::Reference(_), Document::Api(_)) => {
            let why = "the document was an API description and is prose now, or the other way round; look at its address";
            let inconclusive = vec![Inconclusive { path: FieldPath::root(), why: why.to_owned() }];
            DocsComparison { inconclusive, incomplete: true, ..DocsComparison::default() }
        }
    }
}

/// What is told beside the differences: what the texts announce, and what could not be read and so was not compared.
pub(super) fn tell_the_rest(
    before: &ApiModel,
    after: &ApiModel,
    watched: &[WatchedEndpoint],
    level: &Levelled<'_>,
    compared: &mut DocsComparison,
) {
    announcements::tell(before, after, watched, compared);
    compared.inconclusive.extend(half_read(before, after).chain(level.unread.iter().map(unread)));
    compared.incomplete = after.notes().iter().any(|note| !before.notes().contains(note))
        || level.unread.iter().any(|(side, _)| *side == Side::After);
}

/// What of the two was not read, and so is not compared: never "no changes".
pub(super) fn half_read<'a>(
    before: &'a ApiModel,
    after: &'a ApiModel,
) -> impl Iterator<Item = Inconclusive> + 'a {
    let note =
        |side: &str, note: &String| Inconclusive { path: FieldPath::root(), why: format!("{side}{note}") };
    let was = before.notes().iter().map(move |text| match after.notes().contains(text) {
        true => note("", text),
        false => note("before: ", text),
    });
    let is = after.notes().iter().filter(|text| !before.notes().contains(text));
    was.chain(is.map(move |text| note("now: ", text)))
}

fn unread((side, what): &(Side, String)) -> Inconclusive {
    let when = if *side == Side::Before { "before" } else { "now" };
    Inconclusive { path: FieldPath::root(), why: format!("{when}: {what}") }
}

fn compare_watched(before: &ApiModel, after: &ApiModel, watched: &[WatchedEndpoint]) -> DocsComparison {
    let mut run = Run::new(before, after);
    let (was, is) = (Listed::of(before), Listed::of(after));
    run.look_for_moves(&was, &is);
    let mut tally = Tally::default();
    let mut seen = BTreeSet::new();
    let mut servers = run.whole();
    for endpoint in watched {
        let read = before.objects_read(endpoint);
        for operation in &read {
            seen.insert(operation.name());
            run.watched(endpoint, operation, &is, &mut Vec::new(), &mut tally);
        }
        let Some(operation) = find(&was.operations, before, endpoint) else {
            // A page describes some of an API, and nobody expects all of it there.
            if before.family() == PAGE {
                continue;
            }
            run.result.inconclusive.push(Inconclusive {
                path: FieldPath::root(),
                why: format!("{} {} is not described", endpoint.method, without_query(&endpoint.path)),
            });
            continue;
        };
        seen.insert(operation.name());
        run.watched(endpoint, operation, &is, &mut servers, &mut tally);
    }
    moves::join(&mut run.result.changes, &mut run.about);
    tally.add_all(servers.into_iter().map(|change| (None, change)));
    run.others(&was, &is, &seen, &mut tally);
    run.finish().0
}

/// What differs between two API descriptions, every endpoint looked at.
///
/// A change of a schema that several operations share is told once, with the first of them and their number.
#[must_use]
pub fn compare_descriptions(before: &ApiModel, after: &ApiModel) -> DocsComparison {
    compare_with_subjects(before, after).0
}

/// The same, with what each change is about.
pub(super) fn compare_with_subjects(before: &ApiModel, after: &ApiModel) -> (DocsComparison, Vec<About>) {
    let mut run = Run::new(before, after);
    let servers = run.whole();
    run.push_all(servers);
    let (was, is) = (Listed::of(before), Listed::of(after));
    run.look_for_moves(&was, &is);
    let mut told = Told::default();
    let mut listed: Vec<DocChange> = Vec::new();
    let mut auth: BTreeMap<(&'static str, String, String), usize> = BTreeMap::new();
    let mut prose = 0;
    for operation in &was.operations {
        let Some(found) = run.operation(operation, &is, None, &[], &told) else { continue };
        prose += found.prose;
        for change in found.changes {
            // Signing in is said once for all operations.
            if change.what.starts_with("auth-") {
                let key = (change.what, change.from.clone(), change.to.clone());
                if let Some(index) = auth.get(&key) {
                    listed[*index].operations += 1;
                    continue;
                }
                auth.insert(key, listed.len());
            }
            listed.push(change);
        }
        // An operation counts once, however often the same change shows in it.
        for place in found.again.into_iter().collect::<BTreeSet<usize>>() {
            listed[place].operations += 1;
        }
        for (index, change) in found.in_schemas {
            run.touched.insert(index);
            let name = change.field.as_ref().and_then(FieldPath::name);
            if told.find(index, change.what, name).is_none() {
                told.add(index, &change, listed.len());
                listed.push(change);
            }
        }
    }
    run.push_all(listed);
    for operation in is.operations.iter().filter(|operation| was.same(operation).is_none()) {
        if !run.successors.contains(&operation.name()) {
            let change = DocChange {
                what: "operation-added",
                operation: Some(operation.name()),
                operations: 1,
                ..DocChange::default()
            };
            run.push_all(vec![change]);
        }
    }
    if prose > 0 {
        let change = DocChange { what: "descriptions-changed", operations: prose, ..DocChange::default() };
        run.push_all(vec![change]);
    }
    moves::join(&mut run.result.changes, &mut run.about);
    run.finish()
}

struct Run<'a> {
    graph: Graph<'a>,
    before: &'a ApiModel,
    after: &'a ApiModel,
    result: DocsComparison,
    /// What each of the changes is about.
    about: Vec<About>,
    /// The changes so far in words, so that none is told twice.
    told: BTreeSet<String>,
    /// Operations that only the later state has, to be found by what they have in common with one that is gone, and
    /// the beginning that paths lost or got.
    fresh: Fresh<'a>,
    prefix: Option<moves::Prefix>,
    /// Operations that took over from others, by name.
    successors: BTreeSet<String>,
    /// Operations whose own text is shown as a diff.
    diffs: Vec<(String, &'a Value, &'a Value)>,
    /// Pairs of schemas that differ.
    touched: BTreeSet<usize>,
    left_out: usize,
}

impl<'a> Run<'a> {
    fn new(before: &'a ApiModel, after: &'a ApiModel) -> Self {
        Self {
            graph: Graph::new(before, after),
            before,
            after,
            result: DocsComparison::default(),
            about: Vec::new(),
            told: BTreeSet::new(),
            fresh: Fresh::default(),
            prefix: None,
            successors: BTreeSet::new(),
            diffs: Vec::new(),
            touched: BTreeSet::new(),
            left_out: 0,
        }
    }

    /// Finds out whether paths as such moved.
    fn look_for_moves(&mut self, was: &Listed<'a>, is: &Listed<'a>) {
        let gone = was.operations.iter().filter(|operation| is.same(operation).is_none());
        let gone: Vec<Operation<'a>> = gone.copied().collect();
        self.fresh = Fresh::of(was, is);
        self.prefix = moves::Prefix::between(&gone, &self.fresh.operations);
    }

    /// The operation that took the place of one that is gone.
    fn successor<'s>(&'s self, gone: &Operation<'a>, is: &'s Listed<'a>) -> Option<&'s Operation<'a>> {
        let moved = |path: &str| is.at(gone.method, self.prefix.as_ref()?.moved(path)?);
        moved(gone.path)
            .or_else(|| moved(&gone.shape()))
            .or_else(|| moves::tool(gone, &self.fresh.operations))
            .or_else(|| self.fresh.successor(gone, is))
    }

    /// What concerns every endpoint: the base addresses.
    fn whole(&self) -> Vec<DocChange> {
        let (was, is) = (self.before.servers(), self.after.servers());
        let change = |what| DocChange {
            what,
            from: was.join(", "),
            to: is.join(", "),
            operations: 1,
            ..DocChange::default()
        };
        if was.first().is_some_and(|first| !is.contains(first)) {
            vec![change("server-changed")]
        } else if was != is && is.iter().any(|server| !was.contains(server)) {
            vec![change("server-added")]
        } else {
            Vec::new()
        }
    }

    /// Compares an operation that is watched, tells what touches its reader, and counts the rest. Changes of all
    /// `servers` that touch it are taken out of there and told.
    fn watched(
        &mut self,
        endpoint: &WatchedEndpoint,
        operation: &Operation<'a>,
        is: &Listed<'a>,
        servers: &mut Vec<DocChange>,
        tally: &mut Tally,
    ) {
        let after = is.same(operation).or_else(|| self.successor(operation, is)).copied();
        let after = after.as_ref();
        let records = records_in(endpoint, operation);
        let touch = |change: &DocChange| endpoint.touched(change, operation, after, &records);
        let (told, rest) = std::mem::take(servers).into_iter().partition(|change| touch(change) != Touch::No);
        *servers = rest;
        self.push_all(told);
        let found = self.operation(operation, is, Some(records.clone()), &endpoint.fields, &Told::default());
        let Some(found) = found else { return };
        let in_schemas = found.in_schemas.into_iter().map(|(index, change)| (Some(index), change));
        let mut told: Vec<DocChange> = Vec::new();
        for (index, mut change) in found.changes.into_iter().map(|change| (None, change)).chain(in_schemas) {
            match touch(&change) {
                Touch::No => {
                    tally.add(index, &change);
                    continue;
                }
                Touch::Read => change.read = Some(true),
                Touch::Perhaps => {}
            }
            self.touched.extend(index);
            tally.told.extend(Tally::key(index, &change));
            told.push(change);
        }
        if let Some(after) = after {
            told.extend(consumer::lost_on_the_way(endpoint, operation, after, &records, &told));
        }
        self.push_all(told);
    }

    /// Compares one operation with what became of it; `None` where it is gone, which is noted.
    fn operation(
        &mut self,
        operation: &Operation<'a>,
        is: &Listed<'a>,
        records: Option<FieldPath>,
        fields: &[FieldPath],
        told: &Told,
    ) -> Option<operations::Found> {
        let about = |what, to: String| DocChange {
            what,
            operation: Some(operation.name()),
            to,
            operations: 1,
            ..DocChange::default()
        };
        let after = match is.same(operation) {
            Some(after) => *after,
            None => match self.successor(operation, is).copied() {
                Some(after) => {
                    self.successors.insert(after.name());
                    self.push_all(vec![about("operation-moved", after.name())]);
                    after
                }
                None => {
                    self.push_all(vec![about("operation-removed", String::new())]);
                    return None;
                }
            },
        };
        let compared = Compared { before: *operation, after, records, fields, told };
        let found = operations::compare(&mut self.graph, &compared);
        if operation.node != after.node && !found.changes.is_empty() {
            self.diffs.push((operation.name(), operation.node, after.node));
        }
        Some(found)
    }

    /// One summary of what differs and touches nobody.
    fn others(&mut self, was: &Listed<'a>, is: &Listed<'a>, watched: &BTreeSet<String>, tally: &mut Tally) {
        for operation in was.operations.iter().filter(|operation| !watched.contains(&operation.name())) {
            let Some(after) = is.same(operation) else {
                if let Some(name) = self.successor(operation, is).map(Operation::name) {
                    self.successors.insert(name);
                }
                tally.operations += 1;
                continue;
            };
            let told = &Told::default();
            let compared = Compared { before: *operation, after: *after, records: None, fields: &[], told };
            let found = operations::compare(&mut self.graph, &compared);
            tally.texts += found.prose;
            tally.add_all(found.changes.into_iter().map(|change| (None, change)));
            tally.add_all(found.in_schemas.into_iter().map(|(index, change)| (Some(index), change)));
        }
        tally.operations += self
            .fresh
            .operations
            .iter()
            .filter(|operation| !self.successors.contains(&operation.name()))
            .count();
        let version = |model: &ApiModel| model.version().unwrap_or_default().into_owned();
        let (from, to) = (version(self.before), version(self.after));
        self.result.changes.extend(tally.summary(from, to));
    }

    fn push_all(&mut self, changes: Vec<DocChange>) {
        for change in changes {
            if self.result.changes.len() >= MAX_CHANGES {
                self.left_out += 1;
                continue;
            }
            let about = About::of(&self.graph, &change);
            let change = as_change(change);
            if self.told.insert(format!("{change:?}")) {
                self.result.changes.push(change);
                self.about.push(about);
            }
        }
    }

    fn finish(mut self) -> (DocsComparison, Vec<About>) {
        if self.graph.full {
            let why = "the description has more schemas than are compared; some were left out".to_owned();
            self.result.inconclusive.push(Inconclusive { path: FieldPath::root(), why });
        }
        if self.left_out > 0 {
            let why = format!("{} more changes are not listed", self.left_out);
            self.result.inconclusive.push(Inconclusive { path: FieldPath::root(), why });
        }
        for (title, before, after) in std::mem::take(&mut self.diffs) {
            self.diff(&title, before, after);
        }
        for index in std::mem::take(&mut self.touched) {
            let pair = &self.graph.pairs[index];
            if let Some(name) = pair.shared {
                let (title, before, after) = (format!("schema {name}"), pair.before, pair.after);
                self.diff(&title, before, after);
            }
        }
        (self.result, self.about)
    }

    fn diff(&mut self, title: &str, before: &Value, after: &Value) {
        if self.result.diffs.len() >= MAX_DIFFS || self.result.diffs.iter().any(|(other, _)| other == title) {
            return;
        }
        let text = |value: &Value| {
            let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
            text.push('\n');
            text
        };
        if let Some(diff) = unified(&text(before), &text(after)) {
            self.result.diffs.push((title.to_owned(), diff));
        }
    }
}

/// A unified diff of two texts; `None` where nothing differs, or where they are too large to be read anyhow.
pub(super) fn unified(before: &str, after: &str) -> Option<String> {
    let is_short = |text: &str| text.len() <= MAX_DIFF_BYTES;
    if before == after || !is_short(before) || !is_short(after) || !is_diffable(before, after) {
        return None;
    }
    let diff = TextDiff::from_lines(before, after);
    Some(diff.unified_diff().context_radius(3).header("before", "after").to_string())
}

/// Whether a line diff of two texts is soon made.
pub(super) fn is_diffable(before: &str, after: &str) -> bool {
    let (was, is): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = was.iter().zip(&is).take_while(|(a, b)| a == b).count();
    let (was, is) = (&was[head..], &is[head..]);
    let tail = was.iter().rev().zip(is.iter().rev()).take_while(|(a, b)| a == b).count();
    was.len() + is.len() - 2 * tail <= MAX_DIFF_LINES
}

fn as_change(change: DocChange) -> Change {
    let mut facts = Facts::new().with("what", change.what);
    let mut state = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.set(name, clipped(value));
        }
    };
    state("operation", change.operation);
    state("in", change.part.map(str::to_owned));
    state("field", change.field.as_ref().map(ToString::to_string));
    state("target", change.target.as_ref().map(ToString::to_string));
    state("parameter", change.parameter);
    state("from", Some(change.from));
    state("to", Some(change.to));
    if let Some(read) = change.read {
        facts.set("mapped", read);
    }
    if change.operations > 1 {
        facts.set("operations", change.operations);
    }
    Change {
        kind: ChangeKind::DocsChanged,
        path: change.record.unwrap_or_default(),
        to: change.renamed_to.into_iter().collect(),
        facts,
    }
}

/// Texts of documents are bounded before they get into findings.
fn clipped(text: String) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
