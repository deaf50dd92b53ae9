//! Pages that break off: what they do not say any more is not gone.

use std::collections::BTreeMap;

use super::{DocsComparison, Sections};
use crate::model::{Change, FieldPath, Inconclusive};

/// Elements that only their end tag ends, and whose content stands in lines of its own.
const CLOSED: [&str; 11] =
    ["table", "dl", "ul", "ol", "pre", "code", "section", "article", "main", "div", "blockquote"];

/// Whether the text of a page breaks off: it ends within a tag, or it opened the page, ends it nowhere, and has parts open
/// that only an end tag ends. A page may leave out its own end tags, and a sloppy one those of a part.
pub(super) fn breaks_off(content: &str) -> bool {
    let mut open: BTreeMap<&str, i64> = BTreeMap::new();
    let (mut begins, mut ends) = (false, false);
    let mut rest = content;
    while let Some(at) = memchr::memchr(b'<', rest.as_bytes()) {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            let Some(end) = memchr::memmem::find(comment.as_bytes(), b"-->") else { return true };
            rest = &comment[end + 3..];
            continue;
        }
        let is_end = rest.starts_with('/');
        let start = usize::from(is_end);
        let length = rest[start..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        if length == 0 {
            // A sign in a text, or a doctype.
            continue;
        }
        let name = &rest[start..start + length];
        let Some(close) = memchr::memchr(b'>', rest.as_bytes()) else { return true };
        rest = &rest[close + 1..];
        if ["script", "style"].iter().any(|raw| name.eq_ignore_ascii_case(raw)) && !is_end {
            let end = format!("</{}", name.to_ascii_lowercase());
            let Some(at) = find_ignoring_case(rest, &end) else { return true };
            rest = &rest[at..];
        } else if ["html", "body"].iter().any(|page| name.eq_ignore_ascii_case(page)) {
            begins |= !is_end;
            ends |= is_end;
        } else if let Some(known) = CLOSED.iter().find(|known| name.eq_ignore_ascii_case(known)) {
            *open.entry(known).or_default() += if is_end { -1 } else { 1 };
        }
    }
    begins && !ends && open.values().any(|open| *open > 0)
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    memchr::memchr_iter(b'<', text.as_bytes()).find(|at| {
        text.as_bytes()[*at..]
            .get(..wanted.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(wanted.as_bytes()))
    })
}

/// Takes out what a comparison says only because the later state breaks off, and tells that it does. Where both do, it is
/// how the page is written.
pub(super) fn settle(before: &Sections, after: &Sections, compared: &mut DocsComparison) {
    if before.is_cut == after.is_cut {
        return;
    }
    let why = if after.is_cut {
        let last = after.sections.last().map(|section| section.title.as_str());
        let is_loss = |change: &Change| {
            let what = change.facts.text("what").unwrap_or_default();
            what.ends_with("-removed")
                || what == "field-no-longer-named"
                || (change.facts.text("section").is_some() && change.facts.text("section") == last)
        };
        let (lost, mut kept): (Vec<Change>, Vec<Change>) = compared.changes.drain(..).partition(is_loss);
        let gone = lost.iter().filter(|change| change.facts.text("what") == Some("operation-removed"));
        let gone: Vec<String> = gone.filter_map(operation).collect();
        kept.retain(|change| !is_begun(change, "operation-added", &gone));
        compared.changes = kept;
        compared.incomplete = true;
        "now: the page ends in the middle, as if it were cut off; what is missing from it is not compared"
    } else {
        let added =
            compared.changes.iter().filter(|change| change.facts.text("what") == Some("operation-added"));
        let added: Vec<String> = added.filter_map(operation).collect();
        compared.changes.retain(|change| !is_begun(change, "operation-removed", &added));
        "before: the page ended in the middle, as if it had been cut off; what was missing from it is not compared"
    };
    compared.inconclusive.push(Inconclusive { path: FieldPath::root(), why: why.to_owned() });
}

fn operation(change: &Change) -> Option<String> {
    change.facts.text("operation").map(str::to_owned)
}

/// Whether a change is about an operation whose name is the beginning of one of these: a page may end within a name.
fn is_begun(change: &Change, what: &str, names: &[String]) -> bool {
    change.facts.text("what") == Some(what)
        && operation(change).is_some_and(|begun| names.iter().any(|name| name.starts_with(&begun)))
}

#[cfg(test)]
mod tests {
    use super::breaks_off;

    #[test]
    fn pages_end_or_break_off() {
        let page = "<!doctype html><html><body><!-- a > b --><script>if (a < b) '<table>'</SCRIPT>\
                    <div><table><tr><td>1 < 2</td></tr></table></div>";
        for whole in [page.to_owned(), format!("{page}</body></html>"), format!("{page}<div></html>")] {
            assert!(!breaks_off(&whole), "{whole}");
        }
        let cuts = [
            "<table><tr><td>a",
            "<ul><li>a",
            "<p>text <b",
            "<a href='x",
            "<!-- never",
            "<script>x",
            "<dl><dt>",
        ];
        for cut in cuts {
            assert!(breaks_off(&format!("{page}{cut}")), "{cut}");
        }
        assert!(!breaks_off("<div><p>a piece of a page"), "nobody said that it is a page");
    }
}
