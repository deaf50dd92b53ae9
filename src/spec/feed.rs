//! Feeds of changes, RSS 2.0 and Atom: each item a section with its date.
//!
//! The reader of XML is small on purpose: it knows elements, text, CDATA and the entities of XML itself. It declares
//! none and so expands none, and goes neither deeper nor further than its bounds.

use jiff::Timestamp;
use jiff::civil::Date;

use super::html;
use super::sections::{Builder, Sections};

/// Items that are read; feeds hold some ten.
const MAX_ITEMS: usize = 1_000;
/// Nothing in a feed nests this deep.
const MAX_DEPTH: usize = 64;
/// How far the root element may be from the beginning: a declaration and comments.
const HEAD: usize = 4_096;

/// Whether a text is a feed, by its root element.
pub(super) fn is_feed(content: &str) -> bool {
    let end = (0..=content.len().min(HEAD)).rev().find(|end| content.is_char_boundary(*end)).unwrap_or(0);
    let root = Tokens { rest: &content[..end] }.find_map(|token| match token {
        Token::Open { name, .. } => Some(name),
        Token::Close(_) | Token::Text(_) => None,
    });
    // Atom's root says so by its namespace, too, but nothing else that is called `feed` is served as documentation.
    root.is_some_and(|name| matches!(local(name), "rss" | "feed" | "RDF"))
}

/// One entry as it is put together.
#[derive(Default)]
struct Item {
    title: String,
    text: String,
    written: Option<Date>,
}

/// The items of a feed, in its order.
pub(super) fn read(content: &str) -> Result<Sections, String> {
    let mut builder = Builder::default();
    let mut open: Vec<&str> = Vec::new();
    let mut item: Option<Item> = None;
    let mut text = String::new();
    let mut items = 0;
    for token in (Tokens { rest: content }) {
        match token {
            Token::Open { name, is_empty } => {
                if is_empty {
                    continue;
                }
                if open.len() >= MAX_DEPTH {
                    return Err(format!("its elements nest deeper than {MAX_DEPTH}"));
                }
                open.push(name);
                if matches!(local(name), "item" | "entry") {
                    item = Some(Item::default());
                }
                // Markup within a text, as in Atom's XHTML, is part of it.
                if !open.iter().any(|name| is_text(local(name))) || is_text(local(name)) {
                    text.clear();
                } else {
                    text.push(' ');
                }
            }
            Token::Text(part) => text.push_str(&part),
            Token::Close(name) => {
                let Some(at) = open.iter().rposition(|other| *other == name) else { continue };
                open.truncate(at);
                match (local(name), &mut item) {
                    ("item" | "entry", Some(done)) => {
                        add(&mut builder, done);
                        item = None;
                        items += 1;
                        if items >= MAX_ITEMS {
                            break;
                        }
                    }
                    ("title", Some(item)) => item.title = html::plain(&text),
                    // The longer of summary and content holds the shorter.
                    ("description" | "summary" | "encoded" | "content", Some(item))
                        if text.len() > item.text.len() =>
                    {
                        item.text = std::mem::take(&mut text);
                    }
                    // When it was published counts, and not when a word of it was mended.
                    ("pubDate" | "published" | "date", Some(item)) => {
                        item.written = day(&text).or(item.written);
                    }
                    ("updated", Some(item)) if item.written.is_none() => item.written = day(&text),
                    _ => {}
                }
            }
        }
    }
    if items == 0 {
        return Err("it is a feed without items".to_owned());
    }
    let mut sections = builder.finish();
    sections.is_rolling = true;
    Ok(sections)
}

fn add(builder: &mut Builder, item: &Item) {
    let title = if item.title.is_empty() { "(without a title)" } else { &item.title };
    builder.heading(1, title);
    builder.written_on(item.written);
    // The title says what the text may leave out.
    builder.line(title);
    html::fragment(builder, &item.text);
}

fn is_text(name: &str) -> bool {
    matches!(
        name,
        "title"
            | "description"
            | "summary"
            | "encoded"
            | "content"
            | "pubDate"
            | "published"
            | "updated"
            | "date"
    )
}

/// The name without its prefix: `content:encoded`.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// `Tue, 03 Mar 2026 10:00:00 +0000` or `2026-03-03T10:00:00Z`.
fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok();
    let moment = parsed.or_else(|| text.parse::<Timestamp>().ok());
    moment.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date()).or_else(|| text.get(..10)?.parse().ok())
}

enum Token<'a> {
    Open { name: &'a str, is_empty: bool },
    Close(&'a str),
    Text(String),
}

/// The tokens of an XML text; what is broken ends them.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest;
            let Some(markup) = rest.strip_prefix('<') else {
                let end = rest.find('<').unwrap_or(rest.len());
                self.rest = &rest[end..];
                return (end > 0).then(|| Token::Text(unescaped(&rest[..end])));
            };
            for (start, end) in [("!--", "-->"), ("?", "?>")] {
                if let Some(inner) = markup.strip_prefix(start) {
                    self.rest = inner.split_once(end)?.1;
                }
            }
            if let Some(data) = markup.strip_prefix("![CDATA[") {
                let (text, rest) = data.split_once("]]>")?;
                self.rest = rest;
                return Some(Token::Text(text.to_owned()));
            }
            if self.rest.len() < rest.len() {
                continue;
            }
            let end = tag_end(markup)?;
            let tag = &markup[..end];
            self.rest = &markup[end + 1..];
            if tag.starts_with('!') {
                // A document type; a subset within it could declare entities, which nobody reads here.
                if tag.contains('[') {
                    self.rest = self.rest.split_once("]>").map_or(self.rest, |(_, rest)| rest);
                }
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                return Some(Token::Close(name.trim()));
            }
            let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
            return Some(Token::Open { name, is_empty: tag.ends_with('/') });
        }
    }
}

/// Where a tag ends; a `>` within quotes does not end it.
fn tag_end(markup: &str) -> Option<usize> {
    let mut quote = None;
    markup.bytes().position(|byte| match (quote, byte) {
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (None, b'>') => true,
        (Some(open), _) if open == byte => {
            quote = None;
            false
        }
        _ => false,
    })
}

/// The five entities of XML and references by number; others stay as they are written.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let decoded = end.and_then(|end| match &rest[1..end] {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            number => {
                let number = number.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (decoded, end) {
            (Some(c), Some(end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSS: &str = r#"<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaa">]>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>API changes</title>
<item><title>Orders &amp; refunds</title><pubDate>Fri, 10 Apr 2026 10:00:00 +0000</pubDate>
<description>&lt;p&gt;The &lt;code&gt;total&lt;/code&gt; field ends &a; in 90 days.&lt;/p&gt;</description></item>
<item><title>New</title><content:encoded><![CDATA[<p>A new <b>endpoint</b>.</p><script>x</script>]]></content:encoded></item>
</channel></rss>"#;
    const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>Changes</title>
<entry><title type="html">v1 &lt;b&gt;ends&lt;/b&gt;</title><updated>2026-05-01T00:00:00Z</updated><published>2026-04-10T00:00:00Z</published>
<link href="x"/><content type="xhtml"><div>It <i>will be</i> shut down.</div></content></entry></feed>"#;

    fn rows(content: &str) -> Vec<(String, String, Option<String>)> {
        assert!(is_feed(content));
        let sections = read(content).unwrap();
        assert!(sections.is_rolling);
        let row = |s: super::super::Section| (s.title, s.text, s.written.map(|day| day.to_string()));
        sections.sections.into_iter().map(row).collect()
    }

    #[test]
    fn items_are_dated_sections() {
        let row = |title: &str, text: &str, day: Option<&str>| {
            (title.to_owned(), text.to_owned(), day.map(str::to_owned))
        };
        assert_eq!(
            rows(RSS),
            [
                row(
                    "Orders & refunds",
                    "Orders & refunds\nThe `total` field ends &a; in 90 days.",
                    Some("2026-04-10")
                ),
                row("New", "New\nA new endpoint.", None),
            ]
        );
        assert_eq!(rows(ATOM), [row("v1 ends", "v1 ends\nIt will be shut down.", Some("2026-04-10"))]);
    }

    #[test]
    fn what_is_no_feed_is_none_and_hostile_ones_are_bounded() {
        for text in
            ["<html><body>rss feed</body></html>", "<?xml version='1.0'?><note/>", "<", "<!--", "text"]
        {
            assert!(!is_feed(text), "{text}");
        }
        assert!(read(&format!("<rss>{}", "<a>".repeat(100_000))).unwrap_err().contains("nest deeper"));
        assert!(read("<rss><channel></channel></rss>").is_err());
        for cut in 0..RSS.len() {
            if let Some(part) = RSS.get(..cut) {
                let _ = read(part);
            }
        }
    }
}
