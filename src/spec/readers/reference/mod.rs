//! Pages of reference, in HTML, Markdown or the text of a PDF: their operations, and the fields that their tables, lists of
//! definitions and samples describe.
//!
//! A page is written for people, so only what can be read without a guess is: a table with a row that is none of a field
//! stays text, and what a page does not say of a field is not known, which is no statement. What is read of two states is
//! put on one level ([`align()`]) before it is lowered into the shape of OpenAPI ([`lower()`]) and compared as a description.

mod address;
mod align;
mod lower;
mod outline;
mod sample;
mod table;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

pub(in crate::spec) use self::align::{Aligned, align};
pub(in crate::spec) use self::lower::lower;
pub(in crate::spec) use self::table::{SPACE, plain_heads, plain_row};

use self::{
    address::Address,
    outline::Outline,
    sample::Sample,
    table::{EACH, Entry, Fields, Naming, Path},
};
use crate::spec::sections::{Row, Section, Sections};

/// The family of what is read of pages.
pub(in crate::spec) const PAGE: &str = "a reference page";
/// The method that an object which is described by itself has.
const OBJECT: &str = "x-schema";
/// Operations and objects of one page, and fields of one part of them.
const MAX_OPERATIONS: usize = 2_000;
const MAX_FIELDS: usize = 2_000;
/// Fields of one page; the tables behind them stay text.
const MAX_IN_ALL: usize = 20_000;

/// What a page says of one field. What it does not say is `None`, or no type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::spec) struct Field {
    types: BTreeSet<&'static str>,
    format: Option<&'static str>,
    /// The types of the elements of an array.
    items: BTreeSet<&'static str>,
    values: Option<BTreeSet<String>>,
    nullable: Option<bool>,
    required: Option<bool>,
    deprecated: Option<bool>,
    /// Empty where the page says that there is none.
    default: Option<String>,
    /// What is said of it for people, where only one of two states has it: by that a field is found under another name.
    about: String,
}

/// Where a field is described, and what is said of it for people.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spot {
    section: usize,
    lines: Range<usize>,
    text: String,
}

/// What is sent, or what is answered: fields by their paths. Those of parameters are their place and their name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    fields: BTreeMap<Path, Field>,
    rows: BTreeMap<Path, Spot>,
}

/// One operation of a page, or an object that it describes by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::spec) struct Operation {
    method: String,
    path: String,
    server: Option<String>,
    parameters: Part,
    body: Part,
    response: Part,
    sample: Option<Sample>,
    /// What table and samples say of the answer together, once it is on one level with that of another state.
    answer: BTreeMap<Path, Field>,
}

/// What could be read of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::spec) struct Page {
    operations: Vec<Operation>,
    /// The lines that name operations and columns, by section.
    names: BTreeSet<(usize, usize)>,
    /// How many fields were read so far.
    fields: usize,
}

/// Reads a page; `None` where it describes no fields.
pub(in crate::spec) fn read(sections: &Sections) -> Option<Page> {
    if sections.is_rolling {
        return None;
    }
    let outline = Outline::of(sections);
    let mut page = Page { names: outline.lines(), ..Page::default() };
    for address in outline.addresses() {
        page.operation(address);
    }
    for (at, section) in sections.sections.iter().enumerate().filter(|(_, section)| section.written.is_none())
    {
        let lines: Vec<&str> = section.text.split('\n').collect();
        let taken = taken(section, lines.len());
        let text = Text { section, lines: &lines, taken: &taken };
        for rows in tables(&text) {
            page.table(&outline, at, &text, &rows);
        }
        for block in &section.layout.code {
            page.sample(&outline, at, &text, block);
        }
    }
    page.operations.retain(|operation| operation.method != OBJECT || !operation.response.fields.is_empty());
    page.operations.iter().any(Operation::says_something).then_some(page)
}

/// Whether a page names operations, of which fields could be expected.
pub(in crate::spec) fn names_operations(sections: &Sections) -> bool {
    !sections.is_rolling && Outline::of(sections).addresses().next().is_some()
}

/// Whether a line does nothing but name an operation.
pub(in crate::spec) fn names_operation(line: &str) -> bool {
    address::in_line(line).is_some()
}

/// The text of a section, line by line.
struct Text<'a> {
    section: &'a Section,
    lines: &'a [&'a str],
    /// Which lines belong to a table or a block of code.
    taken: &'a [bool],
}

/// Which of so many lines of a section belong to a table or a block of code.
fn taken(section: &Section, lines: usize) -> Vec<bool> {
    let mut steps = vec![0_i64; lines + 1];
    let rows = section.layout.rows.iter().map(|row| &row.lines);
    for range in rows.chain(&section.layout.code).filter(|range| !range.is_empty()) {
        steps[range.start.min(lines)] += 1;
        steps[range.end.min(lines)] -= 1;
    }
    let mut open = 0;
    let within = steps.iter().take(lines).map(|step| {
        open += step;
        open > 0
    });
    within.collect()
}

/// The rows of each table of a section, in their order; items of lists that are fields are rows of one, too.
fn tables(text: &Text<'_>) -> Vec<Vec<Row>> {
    let Text { section, lines, taken } = *text;
    let mut tables: Vec<(usize, Vec<Row>)> = Vec::new();
    for row in &section.layout.rows {
        match tables.last_mut() {
            // A list within an entry of another belongs to that entry.
            Some((table, rows)) if *table == row.table || row.depth > 0 => rows.push(row.clone()),
            _ => tables.push((row.table, vec![row.clone()])),
        }
    }
    let mut tables: Vec<Vec<Row>> = tables.into_iter().map(|(_, rows)| rows).collect();
    let is_taken = |line: usize| taken.get(line).copied().unwrap_or(false);
    let mut items: Vec<Row> = Vec::new();
    let heads: Arc<[String]> = ["Name", "Type", "Description"].map(str::to_owned).into();
    for (at, line) in lines.iter().enumerate().chain([(lines.len(), &"")]) {
        match table::item(line).filter(|_| !is_taken(at)) {
            Some(cells) => {
                items.push(Row { heads: Arc::clone(&heads), cells, lines: at..at + 1, ..Row::default() });
            }
            // One item alone may be a sentence that begins with a name.
            None if items.len() > 1 => tables.push(std::mem::take(&mut items)),
            None => items.clear(),
        }
    }
    tables
}

/// What a table, or a sample, is about, by the words around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Response,
    Query,
    Path,
    Header,
    Body,
    Parameters,
    Object,
    /// Something else, which is not read.
    Other,
}

fn about(text: &str) -> Option<About> {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Some(match () {
        () if says(&["error", "status code", "webhook", "rate limit", "changelog", "event type"]) => {
            About::Other
        }
        () if says(&["response header"]) => About::Other,
        () if says(&["response", "returns", "returned", "return value", "output"]) => About::Response,
        () if says(&["query"]) => About::Query,
        () if says(&["path param", "url param", "uri param", "route param", "path arg", "path variable"]) => {
            About::Path
        }
        () if says(&["header"]) => About::Header,
        () if says(&["body", "payload", "form data"]) => About::Body,
        () if says(&["param", "argument", "request", "input", "filter"]) => About::Parameters,
        () if says(&["attribute", "field", "propert", "object", "schema", "model", "column"]) => {
            About::Object
        }
        () => return None,
    })
}

impl Page {
    /// The operation at an address, which is made where it is new.
    fn operation(&mut self, address: &Address) -> Option<&mut Operation> {
        let is_it = |known: &Operation| known.method == address.method && known.path == address.path;
        let at = match self.operations.iter().position(is_it) {
            Some(at) => at,
            None if self.operations.len() >= MAX_OPERATIONS => return None,
            None => {
                self.operations.push(Operation {
                    method: address.method.clone(),
                    path: address.path.clone(),
                    ..Operation::default()
                });
                self.operations.len() - 1
            }
        };
        let operation = self.operations.get_mut(at)?;
        operation.server = operation.server.take().or_else(|| address.server.clone());
        Some(operation)
    }

    fn table(&mut self, outline: &Outline, at: usize, text: &Text<'_>, rows: &[Row]) {
        let Text { section, lines, .. } = *text;
        let Some(fields) = table::read(&rows.iter().collect::<Vec<_>>()) else { return };
        self.fields += fields.entries.len();
        if self.fields > MAX_IN_ALL {
            return;
        }
        let start = rows.first().map_or(0, |row| row.lines.start);
        let heads = rows.first().map(|row| row.heads.join(" | ")).filter(|heads| !heads.is_empty());
        let has_heads = start > 0 && lines.get(start - 1).copied() == heads.as_deref();
        let caption = text.caption(start - usize::from(has_heads));
        let owner = outline.owner(at, start);
        let found =
            owner.as_ref().map_or(&section.layout.trail[..], |owner| owner.below(&section.layout.trail));
        let words = found.iter().rev().map(|(_, title)| title.as_str());
        let said = caption.into_iter().chain(words).find_map(about).or(match fields.naming {
            Naming::Fields => Some(About::Object),
            Naming::Parameters => Some(About::Parameters),
            Naming::Headers => Some(About::Header),
            Naming::Anything if owner.is_none() && fields.is_typed => Some(About::Object),
            Naming::Anything => None,
        });
        let Some(said) = said.filter(|said| *said != About::Other) else { return };
        if has_heads {
            self.names.insert((at, start - 1));
        }
        let address = match &owner {
            Some(owner) => owner.address.clone(),
            None if matches!(said, About::Response | About::Object)
                && (fields.is_typed || fields.naming == Naming::Fields) =>
            {
                Address { method: OBJECT.to_owned(), path: title(&section.layout.trail), server: None }
            }
            None => return,
        };
        if let Some(operation) = self.operation(&address) {
            operation.add(said, fields, at, rows);
        }
    }

    fn sample(&mut self, outline: &Outline, at: usize, text: &Text<'_>, block: &Range<usize>) {
        let Some(owner) = outline.owner(at, block.start) else { return };
        let address = &owner.address;
        let headings = owner.below(&text.section.layout.trail).iter().rev();
        let caption = text.caption(block.start);
        let said = caption.into_iter().chain(headings.map(|(_, title)| title.as_str())).find_map(about);
        let reads = matches!(address.method.as_str(), "get" | "head");
        let is_answer =
            matches!(said, Some(About::Response)) || (reads && matches!(said, None | Some(About::Object)));
        let text = text.lines.get(block.clone()).unwrap_or_default().join("\n");
        if let Some(operation) = self.operation(address).filter(|_| is_answer) {
            sample::add(&mut operation.sample, &text, at, block);
        }
    }
}

impl<'a> Text<'a> {
    /// The line above a table or a sample, where it is a title of it.
    fn caption(&self, start: usize) -> Option<&'a str> {
        let above = start.checked_sub(1)?;
        let is_taken = self.taken.get(above).copied().unwrap_or(false);
        let line = self.lines.get(above).copied()?;
        (!is_taken && line.len() <= if line.ends_with(':') { 200 } else { 80 }).then_some(line)
    }
}

/// What an object is called: the nearest heading that says more than that there is one.
fn title(trail: &[(u8, String)]) -> String {
    const PLAIN: [&str; 30] = [
        "the",
        "a",
        "an",
        "of",
        "object",
        "objects",
        "resource",
        "attribute",
        "attributes",
        "field",
        "fields",
        "property",
        "properties",
        "schema",
        "model",
        "response",
        "body",
        "data",
        "table",
        "list",
        "columns",
        "details",
        "json",
        "structure",
        "definition",
        "entity",
        "type",
        "types",
        "reference",
        "returns",
    ];
    let own = |title: &str| {
        let words = title.split_whitespace().map(|word| word.trim_matches(['`', '*', ':', '(', ')', ',']));
        words.filter(|word| !PLAIN.contains(&word.to_lowercase().as_str())).collect::<Vec<_>>().join(" ")
    };
    let named = trail.iter().rev().map(|(_, title)| own(title)).find(|title| !title.is_empty());
    named.unwrap_or_else(|| "object".to_owned())
}

impl Operation {
    /// Whether more is said than that there is one.
    fn says_something(&self) -> bool {
        [&self.parameters, &self.body, &self.response].iter().any(|part| !part.fields.is_empty())
    }

    fn add(&mut self, said: About, fields: Fields, section: usize, rows: &[Row]) {
        let reads = self.method == OBJECT || matches!(self.method.as_str(), "get" | "head");
        let sends_in_query = reads || self.method == "delete";
        let variables: BTreeSet<String> = address::variables(&self.path).map(str::to_owned).collect();
        // Attributes that must be given, or that the path has, are sent.
        let sends = fields.asks || fields.entries.iter().any(|entry| variables.contains(&entry.name));
        let said =
            if said == About::Object && self.method != OBJECT && sends { About::Parameters } else { said };
        for Entry { path, name, field, place, text, row } in fields.entries {
            let lines = rows.get(row).map(|row| row.lines.clone()).unwrap_or_default();
            let place = match (said, place) {
                (About::Response, _) => None,
                (About::Object, None) if reads => None,
                // What an operation that writes has as fields may be sent or answered.
                (About::Object | About::Other, None) => continue,
                (_, Some(place)) => Some(place),
                (About::Query, None) => Some("query"),
                (About::Header, None) => Some("header"),
                (About::Body, None) => Some("body"),
                (About::Path, None) if !variables.is_empty() && !variables.contains(&name) => Some("query"),
                (About::Path, None) => Some("path"),
                (About::Parameters, None) if variables.contains(&name) => Some("path"),
                (About::Parameters, None) => Some(if sends_in_query { "query" } else { "body" }),
            };
            let (part, path) = match place {
                None => (&mut self.response, path),
                Some("body") => (&mut self.body, path),
                Some(place) => (&mut self.parameters, vec![place.to_owned(), name]),
            };
            part.add(path, field, Spot { section, lines, text });
        }
    }
}

impl Part {
    /// Adds a field; the first one of a path stays.
    fn add(&mut self, path: Path, field: Field, row: Spot) {
        let path = self.settled(path);
        if self.fields.contains_key(&path) || self.fields.len() >= MAX_FIELDS {
            return;
        }
        let about = row.text.clone();
        self.rows.insert(path.clone(), row);
        self.fields.insert(path, Field { about, ..field });
    }

    /// A path with a step into the elements of each list on its way, as far as it is known for one.
    fn settled(&self, path: Path) -> Path {
        let mut settled = Path::new();
        for step in path {
            let is_list = self.fields.get(&settled).is_some_and(|field| field.types.contains("array"));
            if is_list && step != EACH {
                settled.push(EACH.to_owned());
            }
            settled.push(step);
        }
        settled
    }
}

/// Lines of a section.
pub(in crate::spec) type Lines = (usize, Range<usize>);

impl Aligned {
    /// The lines of both states that the comparison of models tells of, so that no text has to.
    pub(in crate::spec) fn told(&self) -> (Vec<Lines>, Vec<Lines>) {
        (self.before.told(), self.after.told())
    }

    /// What both states say of the same fields for people, part by part: the section that it stands in before, and for
    /// each state the lines, by the names of the fields.
    pub(in crate::spec) fn texts(&self) -> Vec<(usize, Vec<String>, Vec<String>)> {
        let mut texts = Vec::new();
        for (was, is) in &self.pairs {
            let (Some(was), Some(is)) = (self.before.operations.get(*was), self.after.operations.get(*is))
            else {
                continue;
            };
            for (was, is) in was.parts().into_iter().zip(is.parts()) {
                let Some(section) = was.rows.values().map(|spot| spot.section).min() else { continue };
                let lines = |part: &Part, other: &Part| -> Vec<String> {
                    let both = part.rows.iter().filter(|(path, _)| other.rows.contains_key(*path));
                    both.filter(|(_, spot)| !spot.text.is_empty())
                        .map(|(path, spot)| line(path, &spot.text))
                        .collect()
                };
                texts.push((section, lines(was, is), lines(is, was)));
            }
        }
        texts
    }
}

fn line(path: &[String], text: &str) -> String {
    format!("`{}`: {text}", path.join("."))
}

impl Page {
    /// The lines that name and describe operations, fields and samples.
    pub(in crate::spec) fn told(&self) -> Vec<Lines> {
        let mut told: Vec<Lines> =
            self.names.iter().map(|(section, line)| (*section, *line..*line + 1)).collect();
        for operation in &self.operations {
            let rows = operation.parts().into_iter().flat_map(|part| part.rows.values());
            told.extend(rows.map(|spot| (spot.section, spot.lines.clone())));
            told.extend(operation.sample.iter().flat_map(|sample| sample.blocks.iter().cloned()));
        }
        told
    }
}

impl Operation {
    const fn parts(&self) -> [&Part; 3] {
        [&self.parameters, &self.body, &self.response]
    }
}
