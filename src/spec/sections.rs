//! Prose by section, and what differs between two states of it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use similar::{ChangeTag, TextDiff};

use super::{DocsComparison, WatchedEndpoint, compare::unified, volatile};
use crate::model::{Change, ChangeKind, Facts, FieldPath};

/// A part of a document below one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The headings above it, joined by ` › `; told apart by a number where they repeat.
    pub title: String,
    /// Its text, line by line, without what changes by itself.
    pub text: String,
    /// The day that it was written on, where it says so: of an item of a feed, or of a dated heading in a changelog.
    pub written: Option<Date>,
}

/// A document as sections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sections {
    /// In the order of the document.
    pub sections: Vec<Section>,
}

/// More sections than this are put together.
const MAX_SECTIONS: usize = 5_000;

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
}

/// Puts sections together from headings and lines as they come.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// Headings above the present place, by level.
    above: Vec<(u8, String)>,
    sections: Vec<Section>,
    /// How often each title came.
    titles: BTreeMap<String, usize>,
    lines: Vec<String>,
}

impl Builder {
    pub(super) fn heading(&mut self, level: u8, title: &str) {
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let title = title.trim_end_matches(['#', '¶', '§', ' ']).to_owned();
        if title.is_empty() || self.sections.len() >= MAX_SECTIONS {
            return;
        }
        self.close();
        self.above.retain(|(other, _)| *other < level);
        self.above.push((level, title));
    }

    pub(super) fn line(&mut self, line: &str) {
        self.lines.extend(volatile::settled(line));
    }

    /// A line whose inner space matters, as in code.
    pub(super) fn code(&mut self, line: &str) {
        if volatile::settled(line).is_some() {
            self.lines.push(line.trim_end().to_owned());
        }
    }

    fn close(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines.is_empty() && self.above.is_empty() {
            return;
        }
        // A heading with nothing below but further headings is not a section of its own.
        if lines.is_empty() {
            return;
        }
        let words: Vec<&str> = self.above.iter().map(|(_, title)| title.as_str()).collect();
        let plain = if words.is_empty() { "(beginning)".to_owned() } else { words.join(" › ") };
        let number = self.titles.entry(plain.clone()).and_modify(|number| *number += 1).or_insert(1);
        let title = if *number == 1 { plain } else { format!("{plain} ({number})") };
        self.sections.push(Section { title, text: lines.join("\n"), written: None });
    }

    pub(super) fn finish(mut self) -> Sections {
        self.close();
        Sections { sections: self.sections }
    }
}

/// What differs between two states of prose.
pub(super) fn compare(before: &Sections, after: &Sections, watched: &[WatchedEndpoint]) -> DocsComparison {
    let mut result = DocsComparison::default();
    let find = |sections: &Sections, title: &str| {
        sections.sections.iter().position(|section| section.title == title)
    };
    let mut gone: Vec<&Section> =
        before.sections.iter().filter(|s| find(after, &s.title).is_none()).collect();
    let mut fresh: Vec<&Section> =
        after.sections.iter().filter(|s| find(before, &s.title).is_none()).collect();
    let mut pairs: Vec<(&Section, &Section)> = Vec::new();
    for section in &before.sections {
        if let Some(index) = find(after, &section.title) {
            pairs.push((section, &after.sections[index]));
        }
    }
    // A section whose text stays and whose heading differs was only named anew.
    gone.retain(|old| match fresh.iter().position(|new| new.text == old.text) {
        Some(index) => {
            let new = fresh.remove(index);
            result.changes.push(section_change("section-renamed", &old.title, &FieldPath::root(), |facts| {
                facts.set("from", old.title.clone());
                facts.set("to", new.title.clone());
            }));
            false
        }
        None => true,
    });
    let names = watched_names(watched);
    let whole_after: String = after.sections.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join("\n");
    for old in gone {
        pairs.push((old, &EMPTY));
    }
    for (old, new) in pairs {
        if old.text == new.text {
            continue;
        }
        let removed_section = std::ptr::eq(new, &raw const EMPTY);
        let (lost, won) = changed_lines(&old.text, &new.text);
        let what = if volatile::newly_speaks_of_an_end(&old.text, &new.text) {
            "deprecated-in-prose"
        } else if volatile::newly_speaks_of_limits(&old.text, &new.text) {
            "limit-in-prose"
        } else if removed_section {
            "section-removed"
        } else {
            "section-changed"
        };
        let mut named = false;
        for (name, path) in &names {
            let was_named = lost.iter().any(|line| has_word(line, name));
            let is_named = won.iter().any(|line| has_word(line, name));
            if !was_named && !is_named {
                continue;
            }
            named = true;
            let what = match what {
                "deprecated-in-prose" if is_named => "deprecated-in-prose",
                _ if was_named && !has_word(&whole_after, name) => "field-no-longer-named",
                _ => "section-names-field",
            };
            result.changes.push(section_change(what, &old.title, path, |facts| {
                facts.set("field", path.to_string());
                facts.set("lines", lost.len() + won.len());
            }));
        }
        let said = named && matches!(what, "section-changed" | "section-removed");
        let already = named
            && result
                .changes
                .iter()
                .any(|c| c.facts.text("section") == Some(&old.title) && c.facts.text("what") == Some(what));
        if !said && !already {
            result.changes.push(section_change(what, &old.title, &FieldPath::root(), |facts| {
                facts.set("lines", lost.len() + won.len());
            }));
        }
        if result.diffs.len() < 40
            && let Some(diff) = unified(&with_newline(&old.text), &with_newline(&new.text))
        {
            result.diffs.push((old.title.clone(), diff));
        }
    }
    for new in fresh {
        let what = if volatile::newly_speaks_of_an_end("", &new.text) {
            "deprecated-in-prose"
        } else {
            "section-added"
        };
        result.changes.push(section_change(what, &new.title, &FieldPath::root(), |facts| {
            facts.set("lines", new.text.lines().count());
        }));
        if result.diffs.len() < 40
            && let Some(diff) = unified("", &with_newline(&new.text))
        {
            result.diffs.push((new.title.clone(), diff));
        }
    }
    result
}

static EMPTY: Section = Section { title: String::new(), text: String::new(), written: None };

fn with_newline(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

fn section_change(what: &str, section: &str, path: &FieldPath, add: impl FnOnce(&mut Facts)) -> Change {
    let mut facts = Facts::new().with("what", what).with("section", section);
    add(&mut facts);
    Change { kind: ChangeKind::DocsChanged, path: path.clone(), to: Vec::new(), facts }
}

/// Lines that are gone and lines that are new.
fn changed_lines(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    // Beyond this a line diff takes too long, and all lines count as changed.
    if before.len() + after.len() > 1 << 20 {
        return (before.lines().map(str::to_owned).collect(), after.lines().map(str::to_owned).collect());
    }
    let diff = TextDiff::from_lines(before, after);
    let (mut lost, mut won) = (Vec::new(), Vec::new());
    for change in diff.iter_all_changes() {
        let line = change.value().trim_end().to_owned();
        match change.tag() {
            ChangeTag::Delete => lost.push(line),
            ChangeTag::Insert => won.push(line),
            ChangeTag::Equal => {}
        }
    }
    // The last line of a text differs by its line end alone.
    let same: Vec<String> = lost.iter().filter(|line| won.contains(line)).cloned().collect();
    lost.retain(|line| !same.contains(line));
    won.retain(|line| !same.contains(line));
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

/// Whether a name stands in a text as a word of its own.
fn has_word(text: &str, name: &str) -> bool {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(at, _)| {
        !part_of_word(text[..at].chars().next_back()) && !part_of_word(text[at + name.len()..].chars().next())
    })
}
