//! Prose by section, and what differs between two states of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use similar::{ChangeTag, TextDiff};

use super::announcements::{self, Announcement, AnnouncementKind, day_of, has_word};
use super::{
    DocsComparison, WatchedEndpoint,
    compare::{is_diffable, unified},
    differences,
    readers::reference::SPACE,
    volatile,
};
use crate::model::{Change, ChangeKind, Facts, FieldPath};

/// A part of a document below one heading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// The headings above it, joined by ` › `; told apart by a number where they repeat.
    pub title: String,
    /// Its text, line by line, without what changes by itself.
    pub text: String,
    /// The day that it was written on, where it says so: of an item of a feed, or of a dated heading in a changelog.
    pub written: Option<Date>,
    /// What of the text is laid out as a table, a list of definitions or code.
    pub(super) layout: Layout,
}

/// How a section is laid out, for whoever reads more than prose of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Layout {
    /// The headings above it and its own, each with its level.
    pub(super) trail: Vec<(u8, String)>,
    /// Rows of tables and entries of lists of definitions, in their order.
    pub(super) rows: Vec<Row>,
    /// Blocks of code: their lines.
    pub(super) code: Vec<Range<usize>>,
}

/// A row of a table, or an entry of a list of definitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Row {
    /// Which table of the document it stands in.
    pub(super) table: usize,
    /// The headings of its columns; none where the table has none.
    pub(super) heads: Arc<[String]>,
    /// Its cells, code marked by back quotes; none where the row holds what no cell of data does.
    pub(super) cells: Vec<String>,
    /// How deep its list is in others.
    pub(super) depth: usize,
    /// Its lines in the text of the section.
    pub(super) lines: Range<usize>,
}

/// A document as sections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sections {
    /// In the order of the document.
    pub sections: Vec<Section>,
    /// Whether the last ones fall off as new ones come, as in a feed: what is gone says nothing then.
    pub is_rolling: bool,
    /// Whether the text breaks off, so that what is missing from it need not be gone.
    pub is_cut: bool,
}

/// More sections than this are put together.
const MAX_SECTIONS: usize = 5_000;
/// Announcements that are told of one section; beyond that it is a list of everything.
const MOST_NEWS: usize = 40;

/// A row of a table as one line: each cell with the heading of its column, so that it says by itself what it is about.
pub(super) fn row(heads: &[String], cells: &[String]) -> String {
    let words = cells.iter().map(|cell| cell.trim_start_matches(SPACE));
    let cell = |(at, cell): (usize, &str)| match heads.get(at).map(|head| head.trim_end_matches(':')) {
        Some(head) if !head.is_empty() && !cell.is_empty() => format!("{head}: {cell}"),
        Some(_) | None => cell.to_owned(),
    };
    words.enumerate().map(cell).collect::<Vec<_>>().join(" | ")
}

impl Sections {
    /// Only the sections under one of these headings (upper and lower case alike); all where none is given.
    #[must_use]
    pub fn only(mut self, headings: &[String]) -> Self {
        if !headings.is_empty() {
            let wanted: Vec<String> = headings.iter().map(|heading| heading.trim().to_lowercase()).collect();
            self.sections.retain(|section| {
                section.title.to_lowercase().split(" › ").any(|part| wanted.iter().any(|w| part == w))
            });
        }
        self
    }

    /// The first section of each title.
    fn by_title(&self) -> BTreeMap<&str, &Section> {
        self.sections.iter().rev().map(|section| (section.title.as_str(), section)).collect()
    }
}

/// Puts sections together from headings and lines as they come.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// Headings above the present place, by level, each with the day that it gives.
    above: Vec<(u8, String, Option<Date>)>,
    sections: Vec<Section>,
    /// How often each title came.
    titles: BTreeMap<String, usize>,
    lines: Vec<String>,
    rows: Vec<Row>,
    code: Vec<Range<usize>>,
}

impl Builder {
    pub(super) fn heading(&mut self, level: u8, title: &str) {
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let title = title.trim_end_matches(['#', '¶', '§', ' ']).to_owned();
        if title.is_empty() || self.sections.len() >= MAX_SECTIONS {
            return;
        }
        self.close();
        self.above.retain(|(other, _, _)| *other < level);
        let day = day_of(&title);
        self.above.push((level, title, day));
    }

    /// What stands below the last heading was written on that day.
    pub(super) fn written_on(&mut self, day: Option<Date>) {
        if let Some((_, _, written)) = self.above.last_mut() {
            *written = day.or(*written);
        }
    }

    pub(super) fn line(&mut self, line: &str) {
        self.lines.extend(volatile::settled(line));
    }

    /// A block of code begins.
    pub(super) fn block(&mut self) {
        self.code.push(self.lines.len()..self.lines.len());
    }

    /// A line of the present block, whose inner space matters.
    pub(super) fn code(&mut self, line: &str) {
        if volatile::settled(line).is_some() {
            self.lines.push(line.trim_end().to_owned());
            self.code.last_mut().into_iter().for_each(|block| block.end = self.lines.len());
        }
    }

    /// How many lines the present section has: where the next one will stand.
    pub(super) const fn here(&self) -> usize {
        self.lines.len()
    }

    /// The lines since `start` are that row; its place among the rows of the section.
    pub(super) fn row_since(&mut self, start: usize, row: Row) -> usize {
        let end = self.lines.len();
        self.rows.push(Row { lines: start.min(end)..end, ..row });
        self.rows.len() - 1
    }

    /// The entry of that list of definitions ends here.
    pub(super) fn row_ends(&mut self, table: usize, at: usize) {
        let end = self.lines.len();
        // A heading in between has begun a section of its own, with rows of its own.
        if let Some(row) = self.rows.get_mut(at).filter(|row| row.table == table) {
            row.lines.end = end.max(row.lines.start);
        }
    }

    fn close(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let (rows, code) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.code));
        if lines.is_empty() && self.above.is_empty() {
            return;
        }
        // A heading with nothing below but further headings is not a section of its own.
        if lines.is_empty() {
            return;
        }
        let words: Vec<&str> = self.above.iter().map(|(_, title, _)| title.as_str()).collect();
        let plain = if words.is_empty() { "(beginning)".to_owned() } else { words.join(" › ") };
        let number = self.titles.entry(plain.clone()).and_modify(|number| *number += 1).or_insert(1);
        let title = if *number == 1 { plain } else { format!("{plain} ({number})") };
        let written = self.above.iter().rev().find_map(|(_, _, day)| *day);
        let trail = self.above.iter().map(|(level, title, _)| (*level, title.clone())).collect();
        let layout = Layout { trail, rows, code };
        self.sections.push(Section { title, text: lines.join("\n"), written, layout });
    }

    pub(super) fn finish(mut self) -> Sections {
        self.close();
        Sections { sections: self.sections, ..Sections::default() }
    }
}

/// What differs between two states of prose.
pub(super) fn compare(before: &Sections, after: &Sections, watched: &[WatchedEndpoint]) -> DocsComparison {
    differing(before, after, watched, None)
}

/// The same of pages whose fields are compared apart: `told` are those of which that tells. Lines that stand elsewhere
/// now are no change, since pages of reference are laid out anew as a whole.
pub(super) fn compare_pages(
    before: &Sections,
    after: &Sections,
    watched: &[WatchedEndpoint],
    told: &BTreeSet<FieldPath>,
) -> DocsComparison {
    differing(before, after, watched, Some(told))
}

fn differing(
    before: &Sections,
    after: &Sections,
    watched: &[WatchedEndpoint],
    told: Option<&BTreeSet<FieldPath>>,
) -> DocsComparison {
    let mut result = DocsComparison::default();
    let (was, is) = (before.by_title(), after.by_title());
    let missing = |known: &BTreeMap<&str, &Section>, s: &&Section| !known.contains_key(s.title.as_str());
    let mut gone: Vec<&Section> = before.sections.iter().filter(|s| missing(&is, s)).collect();
    let mut fresh: Vec<&Section> = after.sections.iter().filter(|s| missing(&was, s)).collect();
    let mut pairs: Vec<(&Section, &Section)> =
        before.sections.iter().filter_map(|s| Some((s, *is.get(s.title.as_str())?))).collect();
    // A section whose text stays and whose heading differs was only named anew; one that stands elsewhere was moved,
    // and that is no change.
    gone.retain(|old| match fresh.iter().position(|new| new.text == old.text) {
        Some(index) => {
            let new = fresh.remove(index);
            if own_heading(&new.title) == own_heading(&old.title) {
                return false;
            }
            result.changes.push(section_change("section-renamed", &old.title, &FieldPath::root(), |facts| {
                facts.set("from", old.title.clone());
                facts.set("to", new.title.clone());
            }));
            false
        }
        None => true,
    });
    let mut names = watched_names(watched);
    names.retain(|(_, path)| told.is_none_or(|told| !told.contains(path)));
    let lines = |state: &Sections| -> BTreeSet<String> {
        let lines = state.sections.iter().flat_map(|section| section.text.lines());
        lines.filter(|_| told.is_some()).map(|line| line.trim_end().to_owned()).collect()
    };
    let (all_before, all_after) = (lines(before), lines(after));
    let whole_after: String = after.sections.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join("\n");
    // What falls off the end of a feed is not taken back.
    for old in gone.into_iter().filter(|_| !after.is_rolling) {
        pairs.push((old, &EMPTY));
    }
    // A sentence that stood elsewhere before is no news.
    let known = said(before);
    for (old, new) in pairs {
        if old.text == new.text {
            continue;
        }
        let title = if new.title.is_empty() { &old.title } else { &new.title };
        let (mut lost, mut won) = changed_lines(&old.text, &new.text);
        lost.retain(|line| !all_after.contains(line));
        won.retain(|line| !all_before.contains(line));
        if told.is_some() && lost.is_empty() && won.is_empty() {
            continue;
        }
        let news = news(&known, new);
        let mut before = withdrawn(old, new);
        let says_news = |line: &String| news.iter().any(|one| has_sentence(line, &one.sentence));
        for one in &news {
            let at = before.iter().position(|old| old.kind == one.kind);
            let old = at.map(|at| before.remove(at));
            result.changes.push(announced(one, old.as_ref(), watched, &names));
        }
        let lines = lost.len() + won.len();
        let mut named = false;
        for (name, path) in &names {
            let was_named = lost.iter().any(|line| has_word(line, name));
            let is_named = won.iter().any(|line| has_word(line, name) && !says_news(line));
            let what = match was_named {
                true if !has_word(&whole_after, name) => "field-no-longer-named",
                true if won.iter().any(|line| has_word(line, name) && says_news(line)) => continue,
                true => "section-names-field",
                false if is_named => "section-names-field",
                false => continue,
            };
            named = true;
            result.changes.push(section_change(what, &old.title, path, |facts| {
                facts.set("field", path.to_string());
                facts.set("lines", lines);
                facts.set("details", differences::in_short(&lost, &won));
            }));
        }
        let rest: Vec<String> = won.iter().filter(|line| !says_news(line)).cloned().collect();
        let is_told = named || (!news.is_empty() && rest.is_empty());
        if !is_told {
            let what =
                if std::ptr::eq(new, &raw const EMPTY) { "section-removed" } else { "section-changed" };
            let lost = if news.is_empty() { lost } else { Vec::new() };
            result.changes.push(section_change(what, title, &FieldPath::root(), |facts| {
                let lines = lost.len() + rest.len();
                facts.set("lines", lines);
                facts.set("count", differences::counted(lines, "line"));
                facts.set("details", differences::in_short(&lost, &rest));
            }));
        }
        if result.diffs.len() < 40
            && let Some(diff) = unified(&with_newline(&old.text), &with_newline(&new.text))
        {
            result.diffs.push((old.title.clone(), diff));
        }
    }
    for new in fresh {
        if told.is_some() && new.text.lines().all(|line| all_before.contains(line.trim_end())) {
            continue;
        }
        let news = news(&known, new);
        result.changes.extend(news.iter().map(|one| announced(one, None, watched, &names)));
        if news.is_empty() {
            result.changes.push(section_change("section-added", &new.title, &FieldPath::root(), |facts| {
                let lines: Vec<String> = new.text.lines().map(str::to_owned).collect();
                facts.set("lines", lines.len());
                facts.set("details", differences::beginning(&lines));
            }));
        }
        if result.diffs.len() < 40
            && let Some(diff) = unified("", &with_newline(&new.text))
        {
            result.diffs.push((new.title.clone(), diff));
        }
    }
    result
}

static EMPTY: Section = Section {
    title: String::new(),
    text: String::new(),
    written: None,
    layout: Layout { trail: Vec::new(), rows: Vec::new(), code: Vec::new() },
};

/// The heading of a section itself, without those above it, nor the number that tells it from others.
fn own_heading(title: &str) -> &str {
    let own = title.rsplit(" › ").next().unwrap_or(title);
    own.rsplit_once(" (")
        .filter(|(_, n)| n.trim_end_matches(')').parse::<u32>().is_ok())
        .map_or(own, |(own, _)| own)
}

/// Every announcement of a document: kind and sentence.
fn said(sections: &Sections) -> BTreeSet<(AnnouncementKind, String)> {
    let all = sections.sections.iter().flat_map(announcements::of_section);
    all.map(|announcement| (announcement.kind, announcement.sentence)).collect()
}

/// What a section announces that the document did not announce before.
fn news(known: &BTreeSet<(AnnouncementKind, String)>, section: &Section) -> Vec<Announcement> {
    let mut all = announcements::of_section(section);
    all.retain(|one| !known.contains(&(one.kind, one.sentence.clone())));
    all.truncate(MOST_NEWS);
    all
}

/// What a section announced and its later state does not.
fn withdrawn(old: &Section, new: &Section) -> Vec<Announcement> {
    let still = announcements::of_section(new);
    let mut all = announcements::of_section(old);
    all.retain(|one| !still.iter().any(|other| other.kind == one.kind && other.sentence == one.sentence));
    all
}

/// An announcement as a change: about the watched field that it names, where it names one. What is about nothing that
/// is used says so.
fn announced(
    one: &Announcement,
    before: Option<&Announcement>,
    watched: &[WatchedEndpoint],
    names: &[(String, FieldPath)],
) -> Change {
    let field = names.iter().find(|(name, _)| has_word(&one.sentence, name)).map(|(_, path)| path);
    let read = one.is_read(watched).or_else(|| field.map(|_| true));
    section_change(one.in_prose(), &one.section, field.unwrap_or(&FieldPath::root()), |facts| {
        for (name, fact) in announcements::facts(one, before).iter() {
            facts.set(name, fact.clone());
        }
        if let Some(field) = field {
            facts.set("field", field.to_string());
        }
        if let Some(read) = read {
            facts.set("mapped", read);
        }
    })
}

/// Whether a line holds a sentence as it is shown: without its space, and cut where it is long.
fn has_sentence(line: &str, sentence: &str) -> bool {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    line.contains(sentence.trim_end_matches('…'))
}

fn with_newline(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

fn section_change(what: &str, section: &str, path: &FieldPath, add: impl FnOnce(&mut Facts)) -> Change {
    let mut facts = Facts::new().with("what", what).with("section", section);
    add(&mut facts);
    Change { kind: ChangeKind::DocsChanged, path: path.clone(), to: Vec::new(), facts }
}

/// Lines that are gone and lines that are new; of texts that are too long for a diff, those that the other side has
/// nowhere.
fn changed_lines(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let (mut lost, mut won): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    if is_diffable(before, after) {
        for change in TextDiff::from_lines(before, after).iter_all_changes() {
            let line = || change.value().trim_end().to_owned();
            match change.tag() {
                ChangeTag::Delete => lost.push(line()),
                ChangeTag::Insert => won.push(line()),
                ChangeTag::Equal => {}
            }
        }
    } else {
        let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect();
        (lost, won) = (lines(before), lines(after));
    }
    // The last line of a text differs by its line end alone.
    let (was, is): (BTreeSet<String>, BTreeSet<String>) =
        (lost.iter().cloned().collect(), won.iter().cloned().collect());
    lost.retain(|line| !is.contains(line));
    won.retain(|line| !was.contains(line));
    (lost, won)
}

/// The last names of watched fields, as far as they are long enough to mean something in prose.
fn watched_names(watched: &[WatchedEndpoint]) -> Vec<(String, FieldPath)> {
    let mut names: Vec<(String, FieldPath)> = Vec::new();
    for path in watched.iter().flat_map(|endpoint| &endpoint.fields) {
        let telling = |name: &&str| name.len() >= 3 && (name.contains(['_', '-']) || name.len() >= 5);
        if let Some(name) = path.name().filter(telling)
            && !names.iter().any(|(_, other)| other == path)
        {
            names.push((name.to_owned(), path.clone()));
        }
    }
    names
}
