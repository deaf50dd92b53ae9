//! YAML text as a tree that knows where each node stands, so that every error can show its line.
//!
//! Bounded in size, depth and number of nodes, aliases included. Documents, tags and merge keys that a config has no
//! use for are refused by name.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span as Range};

/// A config is written by hand; this is far beyond any.
const MAX_BYTES: usize = 4_000_000;
/// Nodes after aliases are expanded.
const MAX_NODES: usize = 200_000;
/// Nested maps and lists. The deepest setting sits at 8; JSON bodies may go deeper.
const MAX_DEPTH: usize = 64;
/// A file full of duplicate keys is not worth more than this.
const MAX_DUPLICATES: usize = 100;

/// Number of a node in its [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeId(usize);

/// Where a text stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Span {
    /// The line, from 1.
    pub(super) line: usize,
    /// The column, from 1, in characters.
    pub(super) column: usize,
    /// Characters on that line, at least 1.
    pub(super) width: usize,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A scalar: its text, and whether it is plain, so that `5` and `"5"` differ.
    Scalar { text: String, plain: bool },
    /// A list.
    List(Vec<NodeId>),
    /// A map.
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) value: NodeId,
}

#[derive(Debug, Clone)]
struct Node {
    span: Span,
    value: Value,
}

/// A parsed file.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    root: NodeId,
    /// Keys that came twice: where, and the line of the first. The first is kept.
    pub(super) duplicates: Vec<(String, Span, usize)>,
}

/// Why a text is no tree.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) span: Span,
    pub(super) why: String,
}

/// One step from a node down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seg {
    Key(String),
    Index(usize),
}

impl From<&str> for Seg {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}
impl From<&String> for Seg {
    fn from(key: &String) -> Self {
        Self::Key(key.clone())
    }
}
impl From<usize> for Seg {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Where a path leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The key of the entry, where it is one of a map.
    pub(super) key: Option<Span>,
    /// The value.
    pub(super) value: Span,
    /// Whether the whole path is there; else this is the last part that is.
    pub(super) whole: bool,
}

impl Tree {
    /// The whole document.
    pub(super) const fn root(&self) -> NodeId {
        self.root
    }

    pub(super) fn value(&self, id: NodeId) -> &Value {
        &self.nodes[id.0].value
    }

    pub(super) fn span(&self, id: NodeId) -> Span {
        self.nodes[id.0].span
    }

    /// Follows a path as far as it goes.
    pub(super) fn find(&self, path: &[Seg]) -> Found {
        let mut found = Found { key: None, value: self.span(self.root), whole: true };
        let mut at = self.root;
        for seg in path {
            let next = match (self.value(at), seg) {
                (Value::Map(entries), Seg::Key(key)) => entries
                    .iter()
                    .find(|entry| entry.key == *key)
                    .map(|entry| (Some(entry.key_span), entry.value)),
                (Value::List(items), Seg::Index(index)) => items.get(*index).map(|id| (None, *id)),
                _ => None,
            };
            let Some((key, id)) = next else {
                found.whole = false;
                return found;
            };
            at = id;
            found = Found { key, value: self.span(id), whole: true };
        }
        found
    }

    /// The keys of the map at a path; none where there is no map.
    pub(super) fn keys(&self, path: &[Seg]) -> Vec<String> {
        let mut at = self.root;
        for seg in path {
            let next = match (self.value(at), seg) {
                (Value::Map(entries), Seg::Key(key)) => {
                    entries.iter().find(|entry| entry.key == *key).map(|entry| entry.value)
                }
                (Value::List(items), Seg::Index(index)) => items.get(*index).copied(),
                _ => None,
            };
            let Some(next) = next else { return Vec::new() };
            at = next;
        }
        match self.value(at) {
            Value::Map(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
            Value::Scalar { .. } | Value::List(_) => Vec::new(),
        }
    }

    /// The path to a node, for errors that are found by node.
    pub(super) fn path_to(&self, wanted: NodeId) -> Vec<Seg> {
        fn walk(tree: &Tree, at: NodeId, wanted: NodeId, path: &mut Vec<Seg>) -> bool {
            if at == wanted {
                return true;
            }
            let children: Vec<(Seg, NodeId)> = match tree.value(at) {
                Value::Scalar { .. } => return false,
                Value::List(items) => items.iter().enumerate().map(|(i, id)| (i.into(), *id)).collect(),
                Value::Map(entries) => entries.iter().map(|e| ((&e.key).into(), e.value)).collect(),
            };
            for (seg, id) in children {
                path.push(seg);
                if walk(tree, id, wanted, path) {
                    return true;
                }
                path.pop();
            }
            false
        }
        let mut path = Vec::new();
        walk(self, self.root, wanted, &mut path);
        path
    }

    /// Reads a text.
    pub(super) fn read(text: &str) -> Result<Self, Broken> {
        if text.len() > MAX_BYTES {
            return Err(Broken { span: Span::default(), why: format!("it has more than {MAX_BYTES} bytes") });
        }
        // A byte order mark would count as a character of the first line.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let options = serde_saphyr::granit_parser::options! {
            emit_comments: false,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let mut builder = Builder {
            text,
            events: Parser::new_from_str_with_options(text, options),
            nodes: Vec::new(),
            anchors: BTreeMap::new(),
            duplicates: Vec::new(),
        };
        let root = builder.document()?;
        Ok(Self { nodes: builder.nodes, root, duplicates: builder.duplicates })
    }
}

struct Builder<'t, I> {
    text: &'t str,
    events: I,
    nodes: Vec<Node>,
    anchors: BTreeMap<usize, NodeId>,
    duplicates: Vec<(String, Span, usize)>,
}

impl<'t, I: Iterator<Item = Result<(Event<'t>, Range), ScanError>>> Builder<'t, I> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Broken> {
        match self.events.next() {
            Some(Ok((event, range))) => Ok((event, self.span(range))),
            Some(Err(error)) => {
                let mark = error.marker();
                let span = Span { line: mark.line().max(1), column: mark.col() + 1, width: 1 };
                Err(Broken { span, why: format!("this is not YAML: {}", error.info()) })
            }
            None => Err(Broken { span: Span::default(), why: "the file ends early".to_owned() }),
        }
    }

    fn span(&self, range: Range) -> Span {
        let slice = range.slice(self.text).unwrap_or("");
        let first_line = slice.lines().next().unwrap_or("").trim_end();
        Span {
            line: range.start.line().max(1),
            column: range.start.col() + 1,
            width: first_line.chars().count().max(1),
        }
    }

    fn document(&mut self) -> Result<NodeId, Broken> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(Broken {
                        span,
                        why: "a second document starts here; a config is one document".to_owned(),
                    });
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                Event::StreamEnd => break,
                _ => return Err(unexpected(span)),
            }
        }
        match root {
            Some(root) => Ok(root),
            // An empty file is an empty map: what is missing is told by name.
            None => self.push(Span { line: 1, column: 1, width: 1 }, Value::Map(Vec::new())),
        }
    }

    fn push(&mut self, span: Span, value: Value) -> Result<NodeId, Broken> {
        if self.nodes.len() >= MAX_NODES {
            return Err(Broken { span, why: format!("more than {MAX_NODES} values, aliases expanded") });
        }
        self.nodes.push(Node { span, value });
        Ok(NodeId(self.nodes.len() - 1))
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<NodeId, Broken> {
        if depth > MAX_DEPTH {
            return Err(Broken { span, why: format!("nested deeper than {MAX_DEPTH} levels") });
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                no_tag(tag.is_some(), span)?;
                let plain = matches!(style, ScalarStyle::Plain);
                (anchor, Value::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(_, anchor, tag) => {
                no_tag(tag.is_some(), span)?;
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event, span, depth + 1)?);
                }
                (anchor, Value::List(items))
            }
            Event::MappingStart(_, anchor, tag) => {
                no_tag(tag.is_some(), span)?;
                (anchor, Value::Map(self.entries(depth)?))
            }
            Event::Alias(anchor) => {
                let Some(id) = self.anchors.get(&anchor).copied() else {
                    return Err(Broken { span, why: "this alias stands inside of what it names".to_owned() });
                };
                return self.copy(id, span);
            }
            _ => return Err(unexpected(span)),
        };
        let id = self.push(span, value)?;
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        Ok(id)
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Broken> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let (event, key_span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    return Err(Broken { span: key_span, why: "a key is a plain word, here".to_owned() });
                }
            };
            if key == "<<" {
                return Err(Broken {
                    span: key_span,
                    why:
                        "merge keys are not understood; repeat the keys, or use an alias for the whole value"
                            .to_owned(),
                });
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            match lines.get(&key) {
                Some(first) if self.duplicates.len() < MAX_DUPLICATES => {
                    self.duplicates.push((key, key_span, *first));
                }
                Some(_) => {}
                None => {
                    lines.insert(key.clone(), key_span.line);
                    entries.push(Entry { key, key_span, value });
                }
            }
        }
    }

    /// A copy of what an alias names, so that each use stands for itself. What is copied keeps its place: that is
    /// where a mistake in it is mended.
    fn copy(&mut self, id: NodeId, alias: Span) -> Result<NodeId, Broken> {
        let Node { span, value } = self.nodes[id.0].clone();
        let value = match value {
            Value::Scalar { .. } => value,
            Value::List(items) => {
                Value::List(items.into_iter().map(|id| self.copy(id, alias)).collect::<Result<_, _>>()?)
            }
            Value::Map(entries) => {
                let mut copies = Vec::with_capacity(entries.len());
                for entry in entries {
                    copies.push(Entry { value: self.copy(entry.value, alias)?, ..entry });
                }
                Value::Map(copies)
            }
        };
        self.push(span, value).map_err(|broken| Broken { span: alias, ..broken })
    }
}

fn no_tag(tagged: bool, span: Span) -> Result<(), Broken> {
    if tagged {
        return Err(Broken { span, why: "tags such as `!name` are not understood here".to_owned() });
    }
    Ok(())
}

fn unexpected(span: Span) -> Broken {
    Broken { span, why: "a value is expected here".to_owned() }
}

/// What reading leaves out: entries and items that were reported already.
pub(super) type Hidden = BTreeSet<NodeId>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_things_stand() {
        let tree = Tree::read("a:\n  - b: 'x y'\n    c: [1, 2]\n").unwrap();
        let found = tree.find(&["a".into(), 0.into(), "b".into()]);
        assert_eq!(found.value, Span { line: 2, column: 8, width: 5 });
        assert_eq!(found.key, Some(Span { line: 2, column: 5, width: 1 }));
        let found = tree.find(&["a".into(), 0.into(), "c".into(), 1.into(), "z".into()]);
        assert!(!found.whole);
        assert_eq!((found.value.line, found.value.column), (3, 12));
    }

    #[test]
    fn refuses_bombs_documents_tags_and_merges() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..9 {
            let alias = format!("*a{}, ", n - 1).repeat(10);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", alias.trim_end_matches(", ")));
        }
        assert!(Tree::read(&bomb).unwrap_err().why.contains("aliases expanded"));
        assert!(Tree::read("a: 1\n---\nb: 2\n").unwrap_err().why.contains("second document"));
        assert!(Tree::read("a: !!str 1\n").unwrap_err().why.contains("tags"));
        assert!(Tree::read("a: &a {b: 1}\nc:\n  <<: *a\n").unwrap_err().why.contains("merge"));
        assert!(Tree::read("a: &a [*a]\n").is_err());
        assert!(Tree::read(&"[".repeat(5_000)).is_err());
        assert!(Tree::read(&"a:\n".repeat(3)).unwrap().duplicates.len() == 2);
    }

    #[test]
    fn long_comments_are_no_limit() {
        let text = "# a line\n".repeat(500) + "a: 1\n";
        assert!(Tree::read(&text).is_ok());
    }
}
