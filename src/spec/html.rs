//! HTML pages, by heading: what people read of them, without what surrounds it.

mod tree;

use std::sync::Arc;

use scraper::{ElementRef, Html, Node, Selector};

use super::announcements::announcing;
use super::cut;
use super::readers::reference;
use super::sections::{Builder, Row, Sections, row};

/// Nodes that are looked at; a page of documentation has some ten thousand.
const MAX_NODES: usize = 2_000_000;
/// Nodes of one row of a table of data; a row of more lays out a page.
const MAX_ROW: usize = 400;
/// Spaces by which the text of a cell is set in, at most.
const MAX_SET_IN: usize = 64;
/// Less text than this is no page of documentation.
const LEAST_TEXT: usize = 120;

/// The sections of a page, or why it says nothing.
pub(super) fn read(content: &str) -> Result<Sections, String> {
    let page = tree::page(content)?;
    let title = first(&page, "title").map(|element| element.text().collect::<String>()).unwrap_or_default();
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let places = ["main", "[role=main]", "article", "#content", ".content"]
        .iter()
        .filter_map(|place| first(&page, place));
    let reader = places
        .map(Reader::of)
        .find(|reader| reader.text >= LEAST_TEXT)
        .unwrap_or_else(|| Reader::of(first(&page, "body").unwrap_or_else(|| page.root_element())));
    let text = reader.text;
    if let Some(why) = says_nothing(&page, &title, text, content) {
        return Err(why);
    }
    Ok(Sections { is_cut: cut::breaks_off(content), ..reader.builder.finish() })
}

/// A piece of HTML as text on one line, as the title of a feed's item is.
pub(super) fn plain(content: &str) -> String {
    let marked = content.contains(['<', '&']).then(|| tree::fragment(content).ok()).flatten();
    let text = marked.map_or_else(|| content.to_owned(), |tree| visible_text(tree.root_element()));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds a piece of HTML below the present heading, as the text of a feed's item is; what nests too deep is left out.
pub(super) fn fragment(builder: &mut Builder, content: &str) {
    let Ok(tree) = tree::fragment(content) else { return };
    let mut reader = Reader { builder: std::mem::take(builder), below: 1, ..Reader::default() };
    reader.walk(tree.root_element());
    *builder = reader.builder;
}

fn first<'a>(page: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    page.select(&Selector::parse(selector).ok()?).next()
}

/// Why a page is none of documentation.
fn says_nothing(page: &Html, title: &str, text: usize, content: &str) -> Option<String> {
    let lower_title = title.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower_title.contains(word));
    if text < 4_000 {
        let asks = first(page, "input[type=password]").is_some();
        if asks || says(&["sign in", "log in", "login", "sign-in", "single sign-on"]) {
            return Some("it is a page that asks to sign in".to_owned());
        }
        if says(&["just a moment", "attention required", "access denied", "captcha", "are you a robot"]) {
            return Some("it is a challenge page for browsers".to_owned());
        }
        if says(&[
            "404",
            "not found",
            "500",
            "502",
            "503",
            "bad gateway",
            "service unavailable",
            "error",
            "maintenance",
        ]) && text < 1_500
        {
            return Some("it is an error page".to_owned());
        }
    }
    if text < LEAST_TEXT {
        let scripted =
            content.contains("<script") || content.contains("id=\"root\"") || content.contains("id=\"app\"");
        return Some(if scripted {
            "scripts make its content in the browser; watch the API description or a text version in its place".to_owned()
        } else {
            "next to nothing is in it".to_owned()
        });
    }
    let lower: String = content.chars().take(20_000).collect::<String>().to_lowercase();
    let needs_scripts =
        ["enable javascript", "requires javascript", "javascript is required", "turn on javascript"];
    if text < 800 && needs_scripts.iter().any(|words| lower.contains(words)) {
        return Some(
            "scripts make its content in the browser; watch the API description or a text version in its place".to_owned(),
        );
    }
    None
}

/// Elements that are no content.
const SKIPPED: [&str; 24] = [
    "script", "style", "noscript", "template", "nav", "header", "footer", "aside", "svg", "iframe", "object",
    "canvas", "video", "audio", "button", "select", "input", "textarea", "dialog", "menu", "form", "head",
    "picture", "img",
];

/// Parts of class names and ids of what surrounds content.
const SURROUNDINGS: [&str; 22] = [
    "sidebar",
    "side-nav",
    "sidenav",
    "navbar",
    "breadcrumb",
    "toc",
    "table-of-contents",
    "cookie",
    "consent",
    "banner",
    "feedback",
    "pagination",
    "prev-next",
    "edit-page",
    "last-updated",
    "lastupdated",
    "related",
    "share",
    "social",
    "skip-link",
    "footer",
    "announcement",
];

/// Elements whose text stands on lines of its own.
const BLOCKS: [&str; 26] = [
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "table",
    "thead",
    "tbody",
    "tr",
    "section",
    "article",
    "main",
    "blockquote",
    "figure",
    "figcaption",
    "details",
    "summary",
    "hr",
    "br",
    "address",
    "fieldset",
    "caption",
    "body",
];

#[derive(Default)]
struct Reader {
    builder: Builder,
    /// The line that is being put together.
    line: String,
    /// Whether the next words stand in an element right beside another one.
    is_beside: bool,
    /// Letters seen.
    text: usize,
    /// How many levels of headings there are above.
    below: u8,
    /// The headings of the columns of the table that is read.
    heads: Arc<[String]>,
    /// Tables and lists of definitions so far, and those that are open.
    tables: usize,
    lists: Vec<Definitions>,
    /// Rows that are read cell by cell and line by line, each with the line that it begins at.
    open_rows: Vec<(usize, Row)>,
}

/// A list of definitions that is read.
struct Definitions {
    table: usize,
    /// The term, and the line that it begins at.
    term: Option<(usize, String)>,
    /// The place of the last entry among the rows.
    row: Option<usize>,
}

enum Visit<'a> {
    Enter(ElementRef<'a>),
    Text(&'a str),
    Leave(ElementRef<'a>),
}

impl Reader {
    fn of(root: ElementRef<'_>) -> Self {
        let mut reader = Self::default();
        reader.walk(root);
        reader
    }

    /// Walks without recursion: pages may nest as deep as they like.
    fn walk(&mut self, root: ElementRef<'_>) {
        let mut work = vec![Visit::Enter(root)];
        let mut visited = 0;
        while let Some(visit) = work.pop() {
            visited += 1;
            if visited > MAX_NODES {
                break;
            }
            match visit {
                Visit::Text(text) => {
                    part_words(&mut self.line, text, &mut self.is_beside);
                    self.line.push_str(text);
                }
                Visit::Leave(element) => self.leave(element.value().name()),
                Visit::Enter(element) => {
                    let name = element.value().name();
                    if is_surrounding(element) {
                        self.line.push(' ');
                        self.announced(element);
                        continue;
                    }
                    if let Some(level) = heading_level(name) {
                        self.flush();
                        let title: String = visible_text(element);
                        self.text += title.len();
                        self.builder.heading(level + self.below, &title);
                        continue;
                    }
                    if name == "pre" {
                        self.flush();
                        self.builder.block();
                        for line in visible_text(element).lines() {
                            self.text += line.trim().len();
                            self.builder.code(line);
                        }
                        continue;
                    }
                    match name {
                        "table" => {
                            self.heads = Arc::default();
                            self.tables += 1;
                        }
                        "tr" if self.row(element) => continue,
                        "dl" | "dt" | "dd" => self.definition(element),
                        _ => {}
                    }
                    if BLOCKS.contains(&name) {
                        self.flush();
                    } else if is_code(name) {
                        self.is_beside |= stands_beside_another(element);
                        part_words(&mut self.line, "`", &mut self.is_beside);
                        self.line.push('`');
                    } else if stands_beside_another(element) {
                        self.is_beside = true;
                    } else if matches!(name, "td" | "th") && !self.line.trim().is_empty() {
                        self.line.push_str(" | ");
                    }
                    work.push(Visit::Leave(element));
                    for child in element.children().rev() {
                        match child.value() {
                            Node::Text(text) => work.push(Visit::Text(text)),
                            Node::Element(_) => work.extend(ElementRef::wrap(child).map(Visit::Enter)),
                            Node::Document
                            | Node::Fragment
                            | Node::Doctype(_)
                            | Node::Comment(_)
                            | Node::ProcessingInstruction(_) => {}
                        }
                    }
                }
            }
        }
        self.flush();
    }

    /// Reads a row of a table of data as one line; whether it is one. A row that holds headings, lists, samples or
    /// tables lays out a page, and is read as such; so are lists within the cells of one.
    fn row(&mut self, element: ElementRef<'_>) -> bool {
        self.flush();
        let inner = || element.descendants().skip(1).take(MAX_ROW + 1);
        let has = |is_it: fn(&str) -> bool| {
            inner().filter_map(ElementRef::wrap).any(|element| is_it(element.value().name()))
        };
        let is_long = inner().count() > MAX_ROW;
        let lays_out = is_long
            || has(|name| {
                heading_level(name).is_some() || matches!(name, "table" | "pre" | "dl" | "section")
            });
        let row_of = |cells: Vec<String>, heads: &Arc<[String]>, table: usize| Row {
            table,
            heads: Arc::clone(heads),
            cells,
            ..Row::default()
        };
        if lays_out || has(|name| matches!(name, "ul" | "ol")) {
            let words = if lays_out {
                Vec::new()
            } else {
                cells_of(element).into_iter().map(|(_, words)| words).collect()
            };
            self.open_rows.push((self.builder.here(), row_of(words, &self.heads, self.tables)));
            return false;
        }
        let cells = cells_of(element);
        let is_head = |name: &str| name == "th";
        let in_head =
            element.parent().and_then(ElementRef::wrap).is_some_and(|above| above.value().name() == "thead");
        let are_heads = !cells.is_empty() && (in_head || cells.iter().all(|(name, _)| is_head(name)));
        let words: Vec<String> = cells.into_iter().map(|(_, words)| words).collect();
        if are_heads {
            self.line = row(&[], &words);
            self.flush();
            self.heads = words.into();
            return true;
        }
        self.line = row(&self.heads, &words);
        let start = self.builder.here();
        self.flush();
        self.builder.row_since(start, row_of(words, &self.heads, self.tables));
        true
    }

    /// Takes a term of a list of definitions, or what is said of it; its lines are read as those of any other element.
    fn definition(&mut self, element: ElementRef<'_>) {
        self.flush();
        let here = self.builder.here();
        match element.value().name() {
            "dl" => {
                self.tables += 1;
                self.lists.push(Definitions { table: self.tables, term: None, row: None });
            }
            "dt" => {
                let words = cell(element);
                if let Some(list) = self.lists.last_mut() {
                    list.term = Some((here, words));
                }
            }
            _ => {
                let depth = self.lists.len().saturating_sub(1);
                let Some(list) = self.lists.last_mut() else { return };
                let Some((start, term)) = list.term.take() else { return };
                let row =
                    Row { table: list.table, cells: vec![term, cell(element)], depth, ..Row::default() };
                // The entry comes before those of the lists in it; it ends where its element does.
                list.row = Some(self.builder.row_since(start, row));
            }
        }
    }

    fn leave(&mut self, name: &str) {
        if BLOCKS.contains(&name) {
            self.flush();
        } else if is_code(name) {
            self.line.push('`');
        }
        match name {
            "tr" => {
                if let Some((start, row)) = self.open_rows.pop() {
                    self.builder.row_since(start, row);
                }
            }
            "dd" => {
                if let Some((table, row)) = self.lists.last().and_then(|list| Some((list.table, list.row?))) {
                    self.builder.row_ends(table, row);
                }
            }
            "dl" => drop(self.lists.pop()),
            _ => {}
        }
    }

    /// Of what surrounds the content, the sentences that announce something: an end is often told in a banner.
    fn announced(&mut self, element: ElementRef<'_>) {
        let value = element.value();
        let may = !SKIPPED.contains(&value.name()) || matches!(value.name(), "aside" | "header");
        if !may
            || is_hidden(element)
            || matches!(value.attr("role"), Some("navigation" | "search" | "dialog"))
        {
            return;
        }
        let mut text = String::new();
        each_text(element, |_| false, false, &mut text);
        let sentences = announcing(&text);
        if !sentences.is_empty() {
            self.flush();
            sentences.into_iter().for_each(|sentence| self.builder.line(sentence));
        }
    }

    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if !line.is_empty() {
            self.text += line.len();
            self.builder.line(line);
        }
    }
}

/// The cells of a row, each with the name of its element.
fn cells_of(row: ElementRef<'_>) -> Vec<(&str, String)> {
    let cells = row.children().filter_map(ElementRef::wrap);
    let cells = cells.filter(|cell| matches!(cell.value().name(), "td" | "th") && !is_hidden(*cell));
    cells.map(|element| (element.value().name(), cell(element))).collect()
}

/// The text of a cell on one line, code marked, and how far it is set in; lists of definitions in it are entries of their
/// own.
fn cell(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    each_text(element, |inner| is_surrounding(inner) || inner.value().name() == "dl", true, &mut text);
    let begin = text.trim_start_matches([' ', '\t', '\r', '\n']);
    let set_in = begin.chars().take_while(|c| *c == reference::SPACE).count().min(MAX_SET_IN);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() { words } else { format!("{}{words}", reference::SPACE.to_string().repeat(set_in)) }
}

/// The text of an element whose children need no order of their own, scripts left out.
fn visible_text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    each_text(element, is_surrounding, false, &mut text);
    text
}

/// Puts the text of an element together, without the parts that are left out; code is marked where `marks` says so.
fn each_text(
    element: ElementRef<'_>,
    is_left_out: fn(ElementRef<'_>) -> bool,
    marks: bool,
    text: &mut String,
) {
    let mut work: Vec<Visit<'_>> = vec![Visit::Enter(element)];
    let mut is_beside = false;
    while let Some(visit) = work.pop() {
        match visit {
            Visit::Text(part) => {
                part_words(text, part, &mut is_beside);
                text.push_str(part);
            }
            Visit::Leave(_) => text.push('`'),
            Visit::Enter(inner) => {
                let name = inner.value().name();
                if name == "br" || BLOCKS.contains(&name) {
                    text.push('\n');
                }
                let is_no_text = matches!(name, "script" | "style" | "noscript" | "template" | "svg");
                if inner != element && (is_no_text || is_left_out(inner)) {
                    continue;
                }
                is_beside |= marks && inner != element && stands_beside_another(inner);
                if marks && is_code(name) {
                    part_words(text, "`", &mut is_beside);
                    text.push('`');
                    work.push(Visit::Leave(inner));
                }
                for child in inner.children().rev() {
                    match child.value() {
                        Node::Text(part) => work.push(Visit::Text(part)),
                        Node::Element(_) => work.extend(ElementRef::wrap(child).map(Visit::Enter)),
                        Node::Document
                        | Node::Fragment
                        | Node::Doctype(_)
                        | Node::Comment(_)
                        | Node::ProcessingInstruction(_) => {}
                    }
                }
            }
        }
        if text.len() > 1 << 20 {
            break;
        }
    }
}

/// Whether an element of a line follows another one without a sign in between, as labels do that are set apart by their
/// style alone. Within code that is how words are coloured.
fn stands_beside_another(element: ElementRef<'_>) -> bool {
    let is_label = |element: &ElementRef<'_>| {
        matches!(element.value().name(), "span" | "em" | "strong" | "small" | "label")
    };
    let before = element.prev_sibling().and_then(ElementRef::wrap);
    (is_label(&element) || is_code(element.value().name()))
        && before.is_some_and(|before| is_label(&before) || is_code(before.value().name()))
        && !element.ancestors().filter_map(ElementRef::wrap).any(|above| is_code(above.value().name()))
}

/// Puts a space between the words of two elements that stand beside each other.
fn part_words(line: &mut String, next: &str, is_beside: &mut bool) {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '`' | '"' | '(');
    if std::mem::take(is_beside) && line.ends_with(is_word) && next.starts_with(is_word) {
        line.push(' ');
    }
}

/// Elements within a line whose text is a name, as back quotes mark it in Markdown.
fn is_code(name: &str) -> bool {
    matches!(name, "code" | "tt" | "kbd" | "samp" | "var")
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    let value = element.value();
    value.attr("hidden").is_some() || value.attr("aria-hidden") == Some("true")
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

fn is_surrounding(element: ElementRef<'_>) -> bool {
    let value = element.value();
    if SKIPPED.contains(&value.name()) {
        return true;
    }
    let role = value.attr("role").unwrap_or_default();
    if is_hidden(element)
        || matches!(
            role,
            "navigation" | "banner" | "contentinfo" | "search" | "complementary" | "dialog" | "alert"
        )
    {
        return true;
    }
    // The whole page may be called `has-sidebar`; what surrounds is smaller than that.
    if matches!(value.name(), "html" | "body" | "main" | "article") {
        return false;
    }
    let mut words = value.classes().chain(value.id());
    words.any(|word| {
        let word = word.to_ascii_lowercase();
        SURROUNDINGS.iter().any(|part| {
            word == *part
                || word.strip_prefix(part).is_some_and(|rest| rest.starts_with(['-', '_']))
                || word.strip_suffix(part).is_some_and(|rest| {
                    rest.ends_with(['-', '_']) && !rest.starts_with("has") && !rest.starts_with("with")
                })
        })
    })
}
