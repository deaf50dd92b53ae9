//! From text to [`Config`], reporting as many mistakes as there are.
//!
//! serde stops at the first mistake. So the part that is wrong is hidden and the rest is read again, until it reads:
//! each round reports one mistake, and what is right stays.

use serde::Deserialize;

use super::Config;
use super::check::check;
use super::de::{At, De, DeError, What};
use super::errors::{ConfigError, ConfigErrors, nearest};
use super::tree::{Hidden, NodeId, Seg, Tree, Value};

/// Mistakes beyond this are not looked for: the file is something else.
const MAX_ERRORS: usize = 50;

/// A config with what is needed to tell where a part of it stands.
#[derive(Debug)]
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    pub(super) file: &'t str,
    pub(super) tree: Tree,
}

impl Source<'_> {
    /// A mistake at a value, or as near to it as the file has a place.
    pub(super) fn error(&self, path: &[Seg], message: impl Into<String>) -> ConfigError {
        let found = self.tree.find(path);
        ConfigError::new(self.file, message).at(self.text, found.value, path)
    }

    /// A mistake that the key of an entry stands for.
    pub(super) fn error_at_key(&self, path: &[Seg], message: impl Into<String>) -> ConfigError {
        let found = self.tree.find(path);
        let span = found.key.unwrap_or(found.value);
        ConfigError::new(self.file, message).at(self.text, span, path)
    }
}

/// Reads and checks a text. Everything that is wrong is in the error; warnings come with the config.
pub(super) fn read<'t>(
    text: &'t str,
    file: &'t str,
) -> Result<(Config, Source<'t>, ConfigErrors), ConfigErrors> {
    let tree = Tree::read(text).map_err(|broken| {
        let error = ConfigError::new(file, broken.why).at(text, broken.span, &[]);
        let line = text.lines().nth(broken.span.line.saturating_sub(1)).unwrap_or("");
        let bare = line.contains("${") && line.contains('{') && !line.contains(['"', '\'']);
        ConfigErrors::one(if bare {
            error.help("inside of `{…}`, write `\"${NAME}\"` in quotes")
        } else {
            error
        })
    })?;
    let source = Source { text, file, tree };
    let mut found = ConfigErrors::default();
    for (key, span, first) in &source.tree.duplicates {
        found.errors.push(
            ConfigError::new(file, format!("`{key}` is given twice"))
                .at(text, *span, &[Seg::Key(key.clone())])
                .help(format!("the first one is in line {first}; keep one of them")),
        );
    }
    if let Value::Scalar { .. } | Value::List(_) = source.tree.value(source.tree.root()) {
        let span = source.tree.span(source.tree.root());
        found.errors.push(ConfigError::new(file, "a config is a map: `version: 1` and more").at(
            text,
            span,
            &[],
        ));
        return Err(found);
    }
    let mut hidden = Hidden::new();
    let config = loop {
        match attempt(&source.tree, &hidden) {
            Ok(config) => break Some(config),
            Err(error) => {
                let (at, report) = locate(&source.tree, &hidden, error);
                let done = found.errors.len() >= MAX_ERRORS;
                if let Some((node, what)) = report {
                    found.errors.push(describe(&source, node, &what));
                }
                // The root cannot be hidden: what it lacks ends the search.
                if done || at == source.tree.root() || !hidden.insert(at) {
                    break None;
                }
            }
        }
    };
    if let Some(config) = &config {
        check(config, &source, &mut found);
    }
    found.sort();
    match config {
        Some(config) if found.errors.is_empty() => Ok((config, source, found)),
        _ => Err(found),
    }
}

fn attempt(tree: &Tree, hidden: &Hidden) -> Result<Config, DeError> {
    Config::deserialize(De { tree, hidden, node: tree.root() })
}

/// What to hide, and what to report of it; nothing where it follows from what was reported before.
fn locate(tree: &Tree, hidden: &Hidden, error: DeError) -> (NodeId, Option<(NodeId, What)>) {
    let node = match error.at {
        At::Node(node) => node,
        At::Nowhere => tree.root(),
        At::Buffered(map) => unbuffer(tree, hidden, map, &error),
    };
    // A key that was hidden is missing now, and so is the one that a misspelt key meant: that was said.
    if let (What::Missing { key }, Value::Map(entries)) = (&error.what, tree.value(node))
        && entries.iter().any(|entry| {
            entry.key == *key
                || hidden.contains(&entry.value) && nearest(&entry.key, std::slice::from_ref(key)).is_some()
        })
    {
        return (node, None);
    }
    (node, Some((node, error.what)))
}

/// Finds the part of a map that an error is about, where serde read the map into a buffer and lost the places.
fn unbuffer(tree: &Tree, hidden: &Hidden, map: NodeId, error: &DeError) -> NodeId {
    match &error.what {
        What::UnknownKey { key, valid } => {
            unknown_key(tree, hidden, map, key, valid).map_or(map, |(_, node)| node)
        }
        What::Missing { .. } => {
            // Hiding the map that lacks the key makes the error another one.
            let inner = visible(tree, hidden, map).into_iter().find(|node| {
                matches!(tree.value(*node), Value::Map(_)) && {
                    let mut hidden = hidden.clone();
                    hidden.insert(*node);
                    attempt(tree, &hidden).err().is_none_or(|other| other.what != error.what)
                }
            });
            inner.unwrap_or(map)
        }
        What::Type { .. } | What::UnknownWord { .. } | What::Other(_) => culprit(tree, hidden, map, error),
    }
}

/// The entries of a map or the items of a list that are not hidden.
fn visible(tree: &Tree, hidden: &Hidden, node: NodeId) -> Vec<NodeId> {
    let all: Vec<NodeId> = match tree.value(node) {
        Value::Scalar { .. } => Vec::new(),
        Value::List(items) => items.clone(),
        Value::Map(entries) => entries.iter().map(|entry| entry.value).collect(),
    };
    all.into_iter().filter(|node| !hidden.contains(node)).collect()
}

/// The entry of that key in the map whose other keys fit the valid ones best.
fn unknown_key(
    tree: &Tree,
    hidden: &Hidden,
    at: NodeId,
    key: &str,
    valid: &[String],
) -> Option<(usize, NodeId)> {
    let mut best = None;
    if let Value::Map(entries) = tree.value(at) {
        let fitting = entries.iter().filter(|entry| valid.contains(&entry.key)).count();
        let here = entries.iter().find(|entry| entry.key == key && !hidden.contains(&entry.value));
        best = here.map(|entry| (fitting, entry.value));
    }
    for child in visible(tree, hidden, at) {
        let other = unknown_key(tree, hidden, child, key, valid);
        if other.is_some_and(|(fits, _)| best.is_none_or(|(best, _)| fits > best)) {
            best = other;
        }
    }
    best
}

/// serde reads in order: the first entry with which the error shows, when all later ones are hidden, has it.
fn culprit(tree: &Tree, hidden: &Hidden, node: NodeId, error: &DeError) -> NodeId {
    let children = visible(tree, hidden, node);
    let shows = |upto: usize| {
        let mut hidden = hidden.clone();
        hidden.extend(&children[upto..]);
        attempt(tree, &hidden).err().is_some_and(|other| other.what == error.what)
    };
    if shows(0) {
        return node;
    }
    match (1..=children.len()).find(|upto| shows(*upto)) {
        Some(upto) => culprit(tree, hidden, children[upto - 1], error),
        None => node,
    }
}

fn describe(source: &Source<'_>, node: NodeId, what: &What) -> ConfigError {
    let path = source.tree.path_to(node);
    let name = super::errors::dotted(&path);
    match what {
        What::UnknownKey { key, valid } => {
            source.error_at_key(&path, format!("unknown key `{key}`")).nearest(key, valid.clone())
        }
        What::UnknownWord { word, valid } => {
            // A word that stands where a secret may is not repeated.
            let message = match path.last() {
                Some(Seg::Key(key)) => format!("`{word}` is no value of `{key}`"),
                _ => format!("unknown word `{word}`"),
            };
            source.error(&path, message).nearest(word, valid.clone())
        }
        What::Missing { key } if path.is_empty() => {
            let error = ConfigError::new(source.file, format!("`{key}` is missing"));
            if key == "version" { error.help("begin the file with `version: 1`") } else { error }
        }
        What::Missing { key } => source.error_at_key(&path, format!("`{key}` is missing in `{name}`")),
        What::Type { expected, found } => {
            let error = source.error(&path, format!("`{name}` is {found}; {expected} is expected"));
            match expected.as_str() {
                "a text" if found.starts_with("the number") => error.help("put it in quotes"),
                "a list" if !found.starts_with("a map") => error.help("put it in brackets: `[…]`"),
                _ => error,
            }
        }
        What::Other(why) => source.error(&path, format!("`{name}`: {}", plain_reason(why))),
    }
}

/// Reasons of foreign types, in the words of those who write configs.
fn plain_reason(why: &str) -> &str {
    match why {
        "invalid socket address syntax" => "an address with its port is expected, such as `127.0.0.1:8787`",
        "invalid IP address syntax" => "a network is expected, such as `10.2.0.0/16`",
        _ => why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        read(text, "f").map(|_| String::new()).unwrap_or_else(|errors| errors.to_text(false))
    }

    #[test]
    fn the_caret_stands_under_wide_text() {
        let text = told("version: 1\nrules: {overrides: [{reason: '数据', ignore: 5, severity: info}]}\n");
        let lines: Vec<&str> = text.lines().collect();
        // Two characters of two columns each stand before the caret.
        assert_eq!(lines[3].chars().position(|c| c == '5').map(|at| at + 2), lines[4].find('^'), "{text}");
    }

    #[test]
    fn sizes_say_what_they_want() {
        assert!(told("version: 1\nhttp: {max_body: [1]}\n").contains("a size is expected, such as `64kB`"));
    }

    #[test]
    fn equal_mistakes_in_one_buffered_map_are_both_told() {
        let text = told(
            "version: 1\nreceivers:\n  r: {type: email, to: [a@b.c], from: [1], smtp: {host: [1], tls: often, port: 5}}\n",
        );
        assert!(text.contains("receivers.r.from") && text.contains("receivers.r.smtp.host"), "{text}");
        assert!(text.contains("`often` is no value of `tls`"), "{text}");
    }

    #[test]
    fn mistakes_behind_an_alias_are_told_where_they_are_mended() {
        let text = told("version: 1\nhttp: &h {timeout: soon}\nconnectors:\n  a: {http: *h, streams: {}}\n");
        assert_eq!(text.matches("is not a span of time").count(), 2, "{text}");
        assert_eq!(text.matches("--> f:2:").count(), 2, "{text}");
    }
}
