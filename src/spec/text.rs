//! Markdown and plain text, by heading.

use std::sync::Arc;

use super::readers::reference;
use super::sections::{Builder, Row, Sections, row};

/// The sections of a text.
pub(super) fn read(content: &str) -> Result<Sections, String> {
    let mut builder = Builder::default();
    let mut fence: Option<&str> = None;
    let mut lines = without_front_matter(content).lines().peekable();
    let mut seen = 0;
    // The headings of the columns of the table that is read.
    let mut heads: Arc<[String]> = Arc::default();
    let mut table = 0;
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        seen += start.len();
        if let Some(mark) = fence {
            if start.starts_with(mark) {
                fence = None;
            } else {
                builder.code(line);
            }
            continue;
        }
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark)) {
            fence = Some(mark);
            builder.block();
            continue;
        }
        let level = start.bytes().take_while(|b| *b == b'#').count();
        if (1..=6).contains(&level) && start[level..].starts_with([' ', '\t']) {
            builder.heading(level as u8, &start[level..]);
            continue;
        }
        // A line underlined by `===` or `---` is a heading.
        let underline = lines.peek().map(|next| next.trim()).filter(|next| next.len() >= 3);
        let underlined = |mark: char| underline.is_some_and(|next| next.chars().all(|c| c == mark));
        if !start.is_empty() && (underlined('=') || underlined('-')) && !start.starts_with(['|', '-', '>']) {
            builder.heading(if underlined('=') { 1 } else { 2 }, start);
            lines.next();
            continue;
        }
        if start.starts_with('|') {
            let cells = cells(start);
            if lines.peek().is_some_and(|next| is_ruler(next)) {
                lines.next();
                builder.line(&row(&[], &cells));
                heads = cells.into();
                table += 1;
            } else {
                let start = builder.here();
                builder.line(&row(&heads, &cells));
                builder.row_since(start, Row { table, heads: Arc::clone(&heads), cells, ..Row::default() });
            }
            continue;
        }
        heads = Arc::default();
        // What is left of a table in the text of a PDF: its heads on one line, its rows on others.
        if let Some(columns) = reference::plain_heads(start) {
            builder.line(&row(&[], &columns));
            table += 1;
            let columns: Arc<[String]> = columns.into();
            while let Some(cells) = lines.peek().and_then(|next| reference::plain_row(next, &columns)) {
                lines.next();
                let start = builder.here();
                builder.line(&row(&columns, &cells));
                let heads = Arc::clone(&columns);
                builder.row_since(start, Row { table, heads, cells, ..Row::default() });
            }
            continue;
        }
        // How a paragraph is broken into lines means nothing: it is one line, whatever the width of its source.
        let mut paragraph = line.to_owned();
        while continues(line, lines.peek().copied()) {
            let next = lines.next().unwrap_or_default();
            seen += next.trim().len();
            paragraph.push(' ');
            paragraph.push_str(next.trim());
        }
        builder.line(&paragraph);
    }
    if seen < 40 {
        return Err("next to nothing is in it".to_owned());
    }
    Ok(builder.finish())
}

/// The cells of a row between bars; a bar behind a backslash is text.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_matches('|').replace("\\|", "\u{0}");
    line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

/// Whether a line is the one between the headings of a table and its rows.
fn is_ruler(line: &str) -> bool {
    let line = line.trim();
    line.contains('-') && line.starts_with(['|', '-', ':']) && line.chars().all(|c| "|-: ".contains(c))
}

/// Whether the next line goes on with the paragraph or the item that began with this one.
fn continues(first: &str, next: Option<&str>) -> bool {
    let (first, next) = (first.trim(), next.unwrap_or_default().trim());
    let number = next.trim_start_matches(|c: char| c.is_ascii_digit());
    let begins_anew = next.starts_with(['#', '|', '>', '<', '~', '[', ':', '!'])
        || ["- ", "* ", "+ ", "--", "==", "**", "__", "```"].iter().any(|mark| next.starts_with(mark))
        || (number.len() < next.len() && number.starts_with(['.', ')']))
        || (next.contains(": ") && !next.contains(". "))
        || reference::plain_heads(next).is_some()
        || reference::names_operation(next);
    let stands_alone = reference::names_operation(first)
        || first.is_empty()
        || first.starts_with(['|', '<', '['])
        || first.ends_with(['|', ':']);
    !next.is_empty() && !begins_anew && !stands_alone && !first.ends_with("  ")
}

fn without_front_matter(content: &str) -> &str {
    let Some(rest) = content.strip_prefix("---\n") else { return content };
    rest.split_once("\n---\n").map_or(content, |(_, body)| body)
}
