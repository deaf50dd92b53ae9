//! A diff as Markdown, for a comment on a pull request.

use super::changes::{Changes, LEVELS, SEVERITIES};
use super::text::clean;
use crate::model::{CompareKind, Report, Severity};
use crate::rules::{ContractEntry, Level};

/// Rows of one group; a comment on GitHub holds 65,536 characters in all.
const MOST_ROWS: usize = 50;
/// Names of fields, values and operations in one row.
const MOST_NAMES: usize = 12;
/// Characters of one cell.
const MOST_TEXT: usize = 300;

/// The report as Markdown. Text from documents is escaped: it makes no link, no mention, no markup and no row.
#[must_use]
pub fn markdown(report: &Report, contract: Option<&[ContractEntry]>, names: (&str, &str)) -> String {
    let changes = Changes::of(report, contract, MOST_NAMES);
    let mut out = format!("### Drogue: {} → {}\n\n", escaped(names.0), escaped(names.1));
    if changes.is_empty() && changes.inconclusive.is_empty() {
        out.push_str("Nothing changed.\n");
        return out;
    }
    let sum = changes.sum();
    let (sum, besides) = sum
        .split_once(" · ")
        .map_or((sum.as_str(), String::new()), |(sum, rest)| (sum, format!(" · {rest}")));
    out.push_str(&format!("**{sum}**{besides}\n\n"));
    let is_document = changes.contract.is_some();
    for severity in SEVERITIES {
        let rows: Vec<_> = changes.of_severity(severity).collect();
        if rows.is_empty() {
            continue;
        }
        let open = if severity == Severity::Info { "" } else { " open" };
        out.push_str(&format!("<details{open}><summary>{} ({})</summary>\n\n", severity.word(), rows.len()));
        out.push_str(if is_document {
            "| contract | change | rule |\n|---|---|---|\n"
        } else {
            match report.compared.kind {
                CompareKind::Docs => "| change | rule |\n|---|---|\n",
                CompareKind::Records => "| change | kind |\n|---|---|\n",
            }
        });
        for row in rows.iter().take(MOST_ROWS) {
            if is_document {
                out.push_str(&format!("| {} ", row.level.map_or("–", Level::word)));
            }
            out.push_str(&format!("| {} | {} |\n", marked(&row.message), escaped(&row.id)));
        }
        more(&mut out, rows.len());
        out.push_str("\n</details>\n\n");
    }
    for level in LEVELS {
        let rows: Vec<_> = changes.of_level(level).collect();
        if rows.is_empty() {
            continue;
        }
        out.push_str(&format!(
            "<details><summary>contract besides: {} ({})</summary>\n\n| id | where | operations |\n|---|---|---|\n",
            level.word(),
            rows.len()
        ));
        for row in rows.iter().take(MOST_ROWS) {
            let cells = [escaped(&row.id), marked(&row.message), escaped(&row.operations)];
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        more(&mut out, rows.len());
        out.push_str("\n</details>\n\n");
    }
    for why in changes.inconclusive.iter().take(5) {
        out.push_str(&format!("- not compared: {}\n", marked(why)));
    }
    out
}

fn more(out: &mut String, rows: usize) {
    if rows > MOST_ROWS {
        out.push_str(&format!("\n… {} more; `drogue diff --format json` lists all\n", rows - MOST_ROWS));
    }
}

/// A sentence as text of a cell: what stands between back quotes as code, the rest escaped.
fn marked(text: &str) -> String {
    let text = clean(text);
    let is_long = text.chars().nth(MOST_TEXT).is_some();
    let text: String = text.chars().take(MOST_TEXT).collect();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((plain, behind)) = rest.split_once('`') {
        out.push_str(&escaped(plain));
        let Some(end) = end_of_code(behind) else {
            out.push_str(&escaped("`"));
            rest = behind;
            continue;
        };
        out.push_str(&code(&behind[..end]));
        rest = &behind[end + 1..];
    }
    out.push_str(&escaped(rest));
    if is_long {
        out.push('…');
    }
    out
}

/// Where a text ends that began behind a back quote: at the next one that is in no name of a path (`$['a`b']`).
fn end_of_code(text: &str) -> Option<usize> {
    let mut from = 0;
    if text.starts_with('$') {
        while let Some(open) = text[from..].find("['").map(|at| from + at) {
            if text[from..open].contains('`') {
                break;
            }
            from = text[open..].find("']").map(|at| open + at + 2)?;
        }
    }
    text[from..].find('`').map(|at| from + at)
}

/// A span of code. Readers of Markdown differ in what ends one, so that a name with a sign that might is escaped instead.
fn code(text: &str) -> String {
    let quoted = format!("`{text}`");
    if text.contains(['`', '|', '\\', '<', '>', '&', '@', '(']) { escaped(&quoted) } else { quoted }
}

/// Text from outside, as text of a cell: every sign that Markdown or HTML reads is taken by its number.
fn escaped(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(MOST_TEXT) {
        match c {
            '&' | '<' | '>' | '|' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '!' | '~' | '@'
            | '\\' | '"' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            // An address becomes a link by itself.
            ':' => out.push_str("&#58;"),
            c => out.push(c),
        }
    }
    if text.chars().nth(MOST_TEXT).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::marked;

    #[test]
    fn what_stands_between_back_quotes_is_code() {
        for (text, expected) in [
            ("`$.a` became `$.b`", "`$.a` became `$.b`"),
            ("`$.a[*]['b c']` is gone", "`$.a[*]['b c']` is gone"),
            ("`$['x`y']` is gone", "&#96;$&#91;'x&#96;y'&#93;&#96; is gone"),
            ("`a|b` <b>", "&#96;a&#124;b&#96; &#60;b&#62;"),
            ("`a\\|b` `@you`", "&#96;a&#92;&#124;b&#96; &#96;&#64;you&#96;"),
            ("one ` alone, @you", "one &#96; alone, &#64;you"),
            ("`$.a` and a ` left", "`$.a` and a &#96; left"),
        ] {
            assert_eq!(marked(text), expected);
        }
    }
}
