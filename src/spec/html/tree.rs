//! From HTML to a tree, in time and memory that grow with the length of the text alone.
//!
//! The parser that browsers follow takes time that grows with the number of open elements for each tag, and opens
//! some of them again on its own (the formatting elements of the standard's "adoption agency"). What a text opens can
//! only be told by parsing it: tags hide in comments, scripts, attributes and other raw text. So it is parsed piece by
//! piece, and given up at the first piece that opens too much.

use html5ever::{
    QualName, driver, local_name, ns,
    tendril::{StrTendril, TendrilSink},
};
use scraper::{Html, HtmlTreeSink};

/// Elements inside of each other; pages of people stay below a hundred.
const MAX_DEPTH: usize = 500;
/// Nodes of a tree; a page of documentation has some ten thousand.
const MAX_NODES: usize = 1_000_000;
/// Nodes beyond one for each byte that was read: a tag is three bytes at least, and few elements come by themselves.
const MAX_IMPLIED: usize = 1_000;
/// Bytes that are parsed before what came of them is looked at. A thousand hold three hundred tags.
const PIECE: usize = 1_000;

/// A whole page.
///
/// # Errors
/// Why it is not read: it opens more than a page of people does.
pub(super) fn page(content: &str) -> Result<Html, String> {
    let sink = HtmlTreeSink::new(Html::new_document());
    grow(driver::parse_document(sink, driver::ParseOpts::default()), content)
}

/// A piece of a page, as it stands in its body.
///
/// # Errors
/// As of [`page`].
pub(super) fn fragment(content: &str) -> Result<Html, String> {
    let sink = HtmlTreeSink::new(Html::new_fragment());
    let body = QualName::new(None, ns!(html), local_name!("body"));
    grow(driver::parse_fragment(sink, driver::ParseOpts::default(), body, Vec::new(), false), content)
}

fn grow(mut parser: driver::Parser<HtmlTreeSink>, content: &str) -> Result<Html, String> {
    let (mut read, mut known) = (0, 0);
    while read < content.len() {
        let end = content.floor_char_boundary(read + PIECE).max(read + 1);
        parser.process(StrTendril::from_slice(&content[read..end]));
        read = end;
        let page = parser.tokenizer.sink.sink.0.borrow();
        let nodes = page.tree.nodes().len();
        if nodes > MAX_NODES.min(read + MAX_IMPLIED) {
            return Err("it opens more elements than its text has".to_owned());
        }
        if page.tree.nodes().rev().take(nodes - known).any(|node| node.ancestors().nth(MAX_DEPTH).is_some()) {
            return Err(format!("its elements nest deeper than {MAX_DEPTH}"));
        }
        known = nodes;
    }
    Ok(parser.finish())
}
