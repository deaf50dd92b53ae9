//! Where a page names its operations, and how far what it says of each reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::address::{self, Address};
use crate::spec::sections::{Row, Section, Sections};

/// Places that are looked at; a page that names operations more often lists something else.
const MAX_PLACES: usize = 5_000;

/// One place that names an operation.
struct Named {
    address: Address,
    section: usize,
    /// The line in the section; none where a heading names it.
    line: Option<usize>,
    /// How many headings are around all that is said of it.
    depth: usize,
    /// The sections below those headings.
    first: usize,
    last: usize,
    /// Whether it is one of a list of operations: what follows the list is about none of them.
    is_listed: bool,
}

/// The operations of a page.
pub(super) struct Outline {
    named: Vec<Named>,
    lines: BTreeSet<(usize, usize)>,
}

/// The operation that something belongs to.
pub(super) struct Owner {
    pub(super) address: Address,
    /// How many headings are around all that is said of it.
    depth: usize,
    is_in_text: bool,
}

impl Owner {
    /// The headings that say what of the operation stands below them: those below the ones that are around all of it. The
    /// one right around it may be as plain as `Fields`.
    pub(super) fn below<'a>(&self, trail: &'a [(u8, String)]) -> &'a [(u8, String)] {
        let around = self.depth.checked_sub(1).and_then(|at| trail.get(at));
        let is_plain = self.is_in_text && around.is_some_and(|(_, title)| title.split(' ').count() < 3);
        trail.get(self.depth - usize::from(is_plain)..).unwrap_or_default()
    }
}

impl Outline {
    pub(super) fn of(sections: &Sections) -> Self {
        let sections = &sections.sections;
        let mut outline = Self { named: Vec::new(), lines: BTreeSet::new() };
        for (at, section) in sections.iter().enumerate() {
            // What is dated tells of changes.
            if section.written.is_some() || outline.named.len() > MAX_PLACES {
                continue;
            }
            outline.headings(sections, at);
            outline.text(section, at);
        }
        for index in 0..outline.named.len() {
            outline.reach(sections, index);
        }
        outline.widen(sections);
        outline
    }

    /// Operations that headings name which no earlier section stands below.
    fn headings(&mut self, sections: &[Section], at: usize) {
        let trail = &sections[at].layout.trail;
        for (depth, (_, title)) in trail.iter().enumerate() {
            let around = &trail[..=depth];
            let is_known = at > 0 && sections[at - 1].layout.trail.starts_with(around);
            if let Some(address) = address::in_heading(title).filter(|_| !is_known) {
                self.add(address, at, None, depth + 1);
            }
        }
    }

    fn text(&mut self, section: &Section, at: usize) {
        let lines: Vec<&str> = section.text.split('\n').collect();
        let depth = section.layout.trail.len();
        // A heading that says what the line is stands below the one that the operation has.
        let is_label = section.layout.trail.last().is_some_and(|(_, title)| names_a_request(title));
        let depth = depth - usize::from(is_label && depth > 1);
        let rows = section.layout.rows.iter().rev().filter(|row| !row.lines.is_empty());
        let rows: BTreeMap<usize, &Row> = rows.map(|row| (row.lines.start, row)).collect();
        let code = section.layout.code.iter().filter(|block| !block.is_empty());
        let code: BTreeMap<usize, &Range<usize>> = code.map(|block| (block.start, block)).collect();
        let mut line = 0;
        while line < lines.len() && self.named.len() < MAX_PLACES {
            let row = rows.get(&line).copied();
            let block = code.range(..=line).next_back().map(|(_, block)| *block);
            let block = block.filter(|block| block.contains(&line));
            let (found, taken) = match (row, block) {
                (Some(row), _) => (in_row(&row.heads, &row.cells), row.lines.len()),
                // Only the first line of a sample names what it asks for.
                (None, Some(block)) if block.start < line => (None, 1),
                (None, _) => match (address::in_line(lines[line]), lines.get(line + 1)) {
                    (Some(address), _) => (Some(address), 1),
                    (None, Some(next)) => match address::of_two(lines[line], next) {
                        Some(address) => (Some(address), 2),
                        None => (None, 1),
                    },
                    (None, None) => (None, 1),
                },
            };
            if let Some(address) = found {
                self.add(address, at, Some(line), depth);
                let last = self.named.len().checked_sub(2).map(|index| &self.named[index]);
                // Two in a row are a list of operations.
                let follows = last.is_some_and(|last| {
                    let is_other = self.named.last().is_some_and(|named| named.address != last.address);
                    let between =
                        last.line.map(|last| last + 1..line).filter(|_| last.section == at && is_other);
                    between.is_some_and(|between| {
                        rows.range(between.clone()).next().is_none() && code.range(between).next().is_none()
                    })
                });
                if follows || row.is_some() {
                    let from = self.named.len() - if follows { 2 } else { 1 };
                    self.named[from..].iter_mut().for_each(|named| named.is_listed = true);
                }
                if row.is_none() {
                    self.lines.extend((line..line + taken).map(|line| (at, line)));
                }
            }
            line += taken.max(1);
        }
    }

    fn add(&mut self, address: Address, section: usize, line: Option<usize>, depth: usize) {
        self.named.push(Named {
            address,
            section,
            line,
            depth,
            first: section,
            last: section,
            is_listed: false,
        });
    }

    /// Finds the sections below the headings of a place.
    fn reach(&mut self, sections: &[Section], index: usize) {
        let named = &mut self.named[index];
        let Some(around) = sections[named.section].layout.trail.get(..named.depth) else { return };
        let is_below =
            |at: usize| sections.get(at).is_some_and(|section| section.layout.trail.starts_with(around));
        while named.first > 0 && is_below(named.first - 1) {
            named.first -= 1;
        }
        while is_below(named.last + 1) {
            named.last += 1;
        }
    }

    /// A heading that is nothing but the address of the only operation below the heading above it stands for that.
    fn widen(&mut self, sections: &[Section]) {
        for index in 0..self.named.len() {
            let named = &self.named[index];
            let trail = &sections[named.section].layout.trail;
            let is_bare = named.line.is_none()
                && trail.get(named.depth - 1).is_some_and(|(_, title)| address::exact(title).is_some());
            if !is_bare || named.depth < 3 {
                continue;
            }
            let before = (named.depth, named.first, named.last);
            self.named[index].depth -= 1;
            self.reach(sections, index);
            let named = &self.named[index];
            let is_other = |other: &Named| {
                other.address != named.address && (named.first..=named.last).contains(&other.section)
            };
            if self.named.iter().any(is_other) {
                let named = &mut self.named[index];
                (named.depth, named.first, named.last) = before;
            }
        }
    }

    /// Every operation, in the order of the page.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.named.iter().map(|named| &named.address)
    }

    /// The lines that do nothing but name operations.
    pub(super) fn lines(&self) -> BTreeSet<(usize, usize)> {
        self.lines.clone()
    }

    /// The operation that a line belongs to: the last one above it that reaches so far, or the only one below it.
    pub(super) fn owner(&self, section: usize, line: usize) -> Option<Owner> {
        let reaches = |named: &&Named| (named.first..=named.last).contains(&section);
        let is_above = |named: &&Named| (named.section, named.line) <= (section, Some(line));
        let above = self.named.iter().filter(reaches).rfind(is_above);
        let found = match above {
            Some(named) => Some(named),
            None => {
                let mut below = self.named.iter().filter(reaches);
                let first = below.next();
                first.filter(|first| below.all(|other| other.address == first.address))
            }
        };
        let named = found.filter(|named| !named.is_listed)?;
        Some(Owner { address: named.address.clone(), depth: named.depth, is_in_text: named.line.is_some() })
    }
}

/// Whether a heading only says that the address of the operation follows.
fn names_a_request(title: &str) -> bool {
    let title = title.trim().trim_end_matches(':').to_lowercase();
    [
        "http request",
        "request",
        "endpoint",
        "url",
        "definition",
        "method",
        "resource url",
        "uri",
        "path",
        "route",
        "request url",
        "http method",
        "http endpoint",
        "api endpoint",
        "example request",
    ]
    .contains(&title.as_str())
}

/// The operation that a row of a table of operations is.
fn in_row(heads: &[String], cells: &[String]) -> Option<Address> {
    let is_head = |head: &String| {
        let head = head.trim().to_lowercase();
        [
            "method",
            "verb",
            "http method",
            "http verb",
            "endpoint",
            "path",
            "route",
            "operation",
            "url",
            "uri",
            "request",
        ]
        .contains(&head.as_str())
    };
    let said: Vec<&str> =
        heads.iter().zip(cells).filter(|(head, _)| is_head(head)).map(|(_, cell)| cell.as_str()).collect();
    match said.as_slice() {
        [only] => address::exact(only),
        [first, second, ..] => address::of_two(first, second)
            .or_else(|| address::of_two(second, first))
            .or_else(|| address::exact(second)),
        [] => None,
    }
}
