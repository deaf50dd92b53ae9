//! A YAML or JSON text that can be edited in place: every byte outside of an edit stays.
//!
//! The parsed tree says what the text means, the spans of `yamlpath` say where it stands. After each edit the text
//! is parsed again, and the tree must be exactly the intended one; whatever the splice cannot express (anchors,
//! merge keys, several documents, tabs) thus ends as a refusal and never as a silent change elsewhere.

mod render;

use render::{
    Quoting, Style, block_entry, is_plain_in_block, render_block, render_flow, render_item, render_string,
};
use serde_json::{Map, Value};
use yamlpath::{Component, Route as YamlRoute};

use super::{AdapterError, Refusal};

/// Larger files are refused: a mapping is written by people.
const MAX_BYTES: usize = 5 << 20;

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seg {
    /// A member of a mapping.
    Key(String),
    /// An item of a sequence.
    Index(usize),
}

/// Where a value stands in a document.
pub(super) type Route = Vec<Seg>;

/// The route of these keys.
pub(super) fn keys_route(keys: &[&str]) -> Route {
    keys.iter().map(|key| Seg::Key((*key).to_owned())).collect()
}

/// That route with one more key.
pub(super) fn below(route: &[Seg], key: &str) -> Route {
    let mut longer = route.to_vec();
    longer.push(Seg::Key(key.to_owned()));
    longer
}

/// That route with one more index.
pub(super) fn item(route: &[Seg], index: usize) -> Route {
    let mut longer = route.to_vec();
    longer.push(Seg::Index(index));
    longer
}

/// One edit of a document.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Another value in place of the one that is there.
    Replace { at: Route, value: Value },
    /// A new member of a mapping, behind the member `after` where that is there, else at the end.
    Insert { map: Route, key: String, value: Value, after: Option<String> },
    /// A new item at the beginning of a sequence.
    Prepend { list: Route, item: Value },
    /// New items at the end of a sequence.
    Append { list: Route, items: Vec<Value> },
}

/// A text and its meaning.
#[derive(Debug, Clone)]
pub(super) struct Document {
    bom: bool,
    text: String,
    value: Value,
}

impl Document {
    /// Reads a text.
    pub(super) fn parse(text: &str) -> Result<Self, AdapterError> {
        if text.len() > MAX_BYTES {
            return Err(AdapterError::at(1, 1, format!("the file is larger than {} MiB", MAX_BYTES >> 20)));
        }
        let (bom, text) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // Words such as `y` and `on` are texts, as in YAML 1.2 and in what the editor writes.
        let mut options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        // People who use anchors use them a few times; more is an attack on memory.
        options.alias_limits.max_total_replayed_events = 20_000;
        let value: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let place = error.location().map_or((1, 1), |l| (l.line(), l.column()));
            let reason = error.to_string();
            let place_in_words = format!("line {} column {}: ", place.0, place.1);
            AdapterError::at(place.0, place.1, reason.trim_start_matches(&place_in_words))
        })?;
        Ok(Self { bom, text: text.to_owned(), value })
    }

    /// What the text means.
    pub(super) const fn value(&self) -> &Value {
        &self.value
    }

    /// The value at a route, where there is one.
    pub(super) fn get(&self, route: &[Seg]) -> Option<&Value> {
        lookup(&self.value, route)
    }

    /// An error about the value at a route, with its place in the text.
    pub(super) fn error(&self, route: &[Seg], reason: impl Into<String>) -> AdapterError {
        let (line, column) = self.place(route);
        AdapterError::at(line, column, reason)
    }

    /// Line and column of a route, from 1; of its nearest ancestor where it has no place of its own.
    fn place(&self, route: &[Seg]) -> (u64, u64) {
        let Ok(tree) = yamlpath::Document::new(self.text.as_str()) else { return (1, 1) };
        for len in (0..=route.len()).rev() {
            let route = &route[..len];
            let found = match route.last() {
                None => tree.top_feature(),
                Some(Seg::Key(_)) => tree.query_key_only(&yaml_route(route)),
                Some(Seg::Index(_)) => tree.query_pretty(&yaml_route(route)),
            };
            if let Ok(feature) = found {
                let (line, column) = feature.location.point_span.0;
                return (line as u64 + 1, column as u64 + 1);
            }
        }
        (1, 1)
    }

    /// The text after these edits, each byte outside of them as it was.
    pub(super) fn edit(&self, ops: &[Op]) -> Result<String, Refusal> {
        let mut document = self.clone();
        for op in ops {
            let mut meant = document.value.clone();
            change(&mut meant, op)?;
            let text = document.splice(op)?;
            let next = Self::parse(&text)
                .map_err(|error| Refusal::cannot(format!("the edit breaks the file: {error}")))?;
            if next.value != meant {
                return Err(Refusal::cannot("the edit would change more of the file than it should"));
            }
            document = Self { bom: document.bom, ..next };
        }
        Ok(if document.bom { format!("\u{feff}{}", document.text) } else { document.text })
    }

    fn splice(&self, op: &Op) -> Result<String, Refusal> {
        let tree = yamlpath::Document::new(self.text.as_str())
            .map_err(|_| Refusal::cannot("the file is in a style that cannot be edited in place"))?;
        let spans = Spans { tree: &tree, text: &self.text };
        let style = Style::of(&self.text);
        match op {
            Op::Replace { at, value } => {
                let span = spans.value(at)?;
                let old = &self.text[span.start..span.end];
                let new = if value.is_array() && old.starts_with('-') {
                    let block = render_block(value, span.column, &style).join(style.newline);
                    block.trim_start().to_owned()
                } else {
                    match value {
                        Value::String(new)
                            if is_plain_in_block(new) && is_plain_in_block(old) && !spans.in_flow(at) =>
                        {
                            new.clone()
                        }
                        _ => render_flow(value, Quoting::like(old, &style)),
                    }
                };
                Ok(format!("{}{new}{}", &self.text[..span.start], &self.text[span.end..]))
            }
            Op::Insert { map, key, value, after } => {
                let span = spans.value(map)?;
                let old = &self.text[span.start..span.end];
                let members = match lookup(&self.value, map) {
                    Some(Value::Object(members)) => members,
                    _ => return Err(Refusal::cannot(format!("there is no mapping to add `{key}` to"))),
                };
                let neighbour = after
                    .as_ref()
                    .filter(|name| members.contains_key(*name))
                    .or_else(|| members.keys().next_back());
                if old.starts_with('{') {
                    let quoting = Quoting::like(old, &style);
                    let entry = format!("{}: {}", render_string(key, quoting), render_flow(value, quoting));
                    return self.splice_flow(
                        &spans,
                        map,
                        neighbour.map(|name| Seg::Key(name.clone())),
                        &entry,
                    );
                }
                let Some(neighbour) = neighbour else {
                    return Err(Refusal::cannot(format!("there is no mapping to add `{key}` to")));
                };
                let mut lines = Vec::new();
                block_entry(key, value, span.column, &style, &mut lines);
                let end = spans.entry(&below(map, neighbour))?.end;
                Ok(self.insert_lines(end, &lines, &style))
            }
            Op::Prepend { list, item } => {
                let span = spans.value(list)?;
                let old = &self.text[span.start..span.end];
                let (at, new) = if let Some(inner) = old.strip_prefix('[') {
                    let gap = if inner.trim_start().starts_with(']') { "" } else { ", " };
                    (span.start + 1, render_flow(item, Quoting::like(old, &style)) + gap)
                } else if old.starts_with('-') {
                    let block = render_item(item, span.column, &style).join(style.newline);
                    (span.start, format!("{}{}{:3$}", block.trim_start(), style.newline, "", span.column))
                } else {
                    return Err(Refusal::cannot("there is no list to add to"));
                };
                Ok(format!("{}{new}{}", &self.text[..at], &self.text[at..]))
            }
            Op::Append { list, items } => {
                let span = spans.value(list)?;
                let old = &self.text[span.start..span.end];
                let len = match lookup(&self.value, list) {
                    Some(Value::Array(present)) => present.len(),
                    _ => return Err(Refusal::cannot("there is no list to add to")),
                };
                if old.starts_with('[') {
                    let quoting = Quoting::like(old, &style);
                    let entry: Vec<String> = items.iter().map(|value| render_flow(value, quoting)).collect();
                    return self.splice_flow(
                        &spans,
                        list,
                        len.checked_sub(1).map(Seg::Index),
                        &entry.join(", "),
                    );
                }
                if len == 0 || !old.starts_with('-') {
                    return Err(Refusal::cannot("there is no list to add to"));
                }
                let mut lines = Vec::new();
                for value in items {
                    lines.extend(render_item(value, span.column, &style));
                }
                let end = spans.entry(&item(list, len - 1))?.end;
                Ok(self.insert_lines(end, &lines, &style))
            }
        }
    }

    /// Puts an entry behind `last` in a flow collection, or as its first where it is empty. Where the last entry
    /// stands on a line of its own, so does the new one.
    fn splice_flow(
        &self,
        spans: &Spans<'_>,
        at: &[Seg],
        last: Option<Seg>,
        entry: &str,
    ) -> Result<String, Refusal> {
        let Some(last) = last else {
            let start = spans.value(at)?.start + 1;
            return Ok(format!("{}{entry}{}", &self.text[..start], &self.text[start..]));
        };
        let mut route = at.to_vec();
        route.push(last);
        let span = spans.entry(&route)?;
        let line_start = self.text[..span.start].rfind('\n').map_or(0, |i| i + 1);
        let indent = &self.text[line_start..span.start];
        let newline = Style::of(&self.text).newline;
        let gap = if line_start > 0 && indent.trim().is_empty() {
            format!(",{newline}{indent}")
        } else {
            ", ".into()
        };
        Ok(format!("{}{gap}{entry}{}", &self.text[..span.end], &self.text[span.end..]))
    }

    /// Puts whole lines behind the line in which `end` stands.
    fn insert_lines(&self, end: usize, lines: &[String], style: &Style) -> String {
        let rest = &self.text[end..];
        let mut line_end = end + rest.find('\n').unwrap_or(rest.len());
        if self.text[..line_end].ends_with('\r') {
            line_end -= 1;
        }
        let mut new = self.text[..line_end].to_owned();
        for line in lines {
            new.push_str(style.newline);
            new.push_str(line);
        }
        new.push_str(&self.text[line_end..]);
        new
    }
}

/// The value at a route.
pub(super) fn lookup<'v>(value: &'v Value, route: &[Seg]) -> Option<&'v Value> {
    route.iter().try_fold(value, |value, seg| match seg {
        Seg::Key(key) => value.as_object()?.get(key),
        Seg::Index(index) => value.as_array()?.get(*index),
    })
}

fn lookup_mut<'v>(value: &'v mut Value, route: &[Seg]) -> Option<&'v mut Value> {
    route.iter().try_fold(value, |value, seg| match seg {
        Seg::Key(key) => value.as_object_mut()?.get_mut(key),
        Seg::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}

/// What an edit means for the parsed tree.
fn change(value: &mut Value, op: &Op) -> Result<(), Refusal> {
    let gone = || Refusal::cannot("the place of the edit is not in the file");
    match op {
        Op::Replace { at, value: new } => *lookup_mut(value, at).ok_or_else(gone)? = new.clone(),
        Op::Insert { map, key, value: new, .. } => {
            let map = lookup_mut(value, map).and_then(Value::as_object_mut).ok_or_else(gone)?;
            if map.insert(key.clone(), new.clone()).is_some() {
                return Err(Refusal::cannot(format!("`{key}` is there already")));
            }
        }
        Op::Prepend { list, item } => {
            let list = lookup_mut(value, list).and_then(Value::as_array_mut).ok_or_else(gone)?;
            list.insert(0, item.clone());
        }
        Op::Append { list, items } => {
            let list = lookup_mut(value, list).and_then(Value::as_array_mut).ok_or_else(gone)?;
            list.extend(items.iter().cloned());
        }
    }
    Ok(())
}

fn yaml_route(route: &[Seg]) -> YamlRoute<'_> {
    let components: Vec<Component<'_>> = route
        .iter()
        .map(|seg| match seg {
            Seg::Key(key) => Component::from(key.as_str()),
            Seg::Index(index) => Component::from(*index),
        })
        .collect();
    YamlRoute::from(components)
}

/// Where a value stands in the text.
struct Span {
    start: usize,
    end: usize,
    column: usize,
}

struct Spans<'d> {
    tree: &'d yamlpath::Document,
    text: &'d str,
}

impl Spans<'_> {
    /// The span of a value. Anchors, aliases and tags on the way to it are refused: an edit behind an alias would
    /// change every place that uses it.
    fn value(&self, route: &[Seg]) -> Result<Span, Refusal> {
        let mut outer = (0, self.text.len());
        for len in 0..=route.len() {
            let found = if len == 0 {
                self.tree.top_feature().map(Some)
            } else {
                self.tree.query_exact(&yaml_route(&route[..len]))
            };
            let feature = match found {
                Ok(Some(feature)) => feature,
                Ok(None) => return Err(Refusal::cannot("the place of the edit holds no value")),
                Err(_) => return Err(Refusal::cannot("the place of the edit cannot be found in the text")),
            };
            let (start, end) = feature.location.byte_span;
            let inside = outer.0 <= start && end <= outer.1;
            let text = self.text.get(start..end).unwrap_or_default();
            if !inside || text.starts_with(['&', '*', '!']) {
                return Err(Refusal::cannot("the place of the edit is behind an anchor, an alias or a tag"));
            }
            outer = (start, end);
            if len == route.len() {
                let end = start + without_comments(text).len();
                return Ok(Span { start, end, column: feature.location.point_span.0.1 });
            }
        }
        Err(Refusal::cannot("the place of the edit cannot be found in the text"))
    }

    /// Whether a value stands inside of braces or brackets.
    fn in_flow(&self, route: &[Seg]) -> bool {
        (0..route.len()).any(|len| {
            self.value(&route[..len]).is_ok_and(|span| self.text[span.start..].starts_with(['{', '[']))
        })
    }

    /// The span of a member, from its key to the end of its value, or of an item.
    fn entry(&self, route: &[Seg]) -> Result<Span, Refusal> {
        let lost = |_| Refusal::cannot("the place of the edit cannot be found in the text");
        if let Some(Seg::Index(_)) = route.last() {
            return self.value(route);
        }
        let key = self.tree.query_key_only(&yaml_route(route)).map_err(lost)?;
        let (start, key_end) = key.location.byte_span;
        // A key without a value ends with its colon.
        let end = match self.tree.query_exact(&yaml_route(route)).map_err(lost)? {
            Some(_) => self.value(route)?.end,
            None => key_end + self.text[key_end..].find(':').map_or(0, |at| at + 1),
        };
        Ok(Span { start, end, column: key.location.point_span.0.1 })
    }
}

/// The text of a block without the comments and empty lines that follow it: they belong to what comes next.
fn without_comments(text: &str) -> &str {
    let mut text = text.trim_end();
    while let Some((above, last)) = text.rsplit_once('\n') {
        if !last.trim_start().starts_with('#') {
            break;
        }
        text = above.trim_end();
    }
    text
}

/// A mapping of these members, in this order.
pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}
