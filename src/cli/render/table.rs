//! Tables: columns as wide as their content, the widest cut where the terminal is too narrow.

use super::text::{clean, cut, width};
use super::{Style, Tone};

/// One cell: text, made harmless when it is printed, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with a meaning.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// Columns that a cut column keeps at least.
const LEAST: usize = 6;

/// A table with a line of headers. Columns of numbers stand to the right.
#[must_use]
pub fn table(headers: &[&str], rows: &[Vec<Cell>], style: &Style) -> String {
    const GAP: &str = "  ";
    let texts: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| clean(&cell.text)).collect()).collect();
    let column = |at: usize| texts.iter().filter_map(move |row| row.get(at));
    let mut widths: Vec<usize> = headers
        .iter()
        .enumerate()
        .map(|(at, header)| column(at).map(|text| width(text)).max().unwrap_or(0).max(width(header)))
        .collect();
    let room = style.width.max(20).saturating_sub(GAP.len() * widths.len().saturating_sub(1));
    // The widest column gives until all fit, or nothing is left to give.
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > LEAST) else { break };
        *widest -= 1;
    }
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || ".,+-% ".contains(c));
    let numeric: Vec<bool> = (0..headers.len())
        .map(|at| column(at).all(|text| is_number(text)) && column(at).any(|text| !text.is_empty()))
        .collect();
    let line = |cells: Vec<(String, Tone)>| {
        let mut out = String::new();
        for (at, (text, tone)) in cells.iter().enumerate() {
            let Some(columns) = widths.get(at).copied() else { break };
            if at > 0 {
                out.push_str(GAP);
            }
            let text = cut(text, columns, style.ellipsis());
            let pad = " ".repeat(columns.saturating_sub(width(&text)));
            let painted = style.paint(*tone, &text);
            out.push_str(&if numeric[at] { pad + &painted } else { painted + &pad });
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    };
    let mut out = line(headers.iter().map(|header| ((*header).to_owned(), Tone::Dim)).collect());
    for (row, texts) in rows.iter().zip(texts) {
        out.push_str(&line(texts.into_iter().zip(row.iter().map(|cell| cell.tone)).collect()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Cell>> {
        vec![
            vec![
                "crm/customers".into(),
                Cell::new("breaking", Tone::Breaking),
                "$.address.lines[*].street".into(),
                "12".into(),
            ],
            vec!["shop/Bestellungen-数据".into(), "info".into(), "$.a\u{1b}[2J".into(), "1,200".into()],
        ]
    }

    #[test]
    fn fits_the_terminal() {
        let headers = ["stream", "severity", "path", "records"];
        insta::assert_snapshot!(table(&headers, &rows(), &Style::default()));
        for columns in [40, 60, 80] {
            let style = Style { width: columns, ..Style::default() };
            assert!(table(&headers, &rows(), &style).lines().all(|line| width(line) <= columns));
        }
        let colored = table(&headers, &rows(), &Style { width: 30, color: true, unicode: true });
        // Every escape sequence is whole: nothing is cut inside of one.
        let is_code = |text: &str| {
            text.strip_prefix('[')
                .and_then(|rest| rest.split_once('m'))
                .is_some_and(|(code, _)| code.bytes().all(|b| b.is_ascii_digit()))
        };
        assert!(colored.split('\u{1b}').skip(1).all(is_code), "{colored}");
        assert!(!colored.contains("\u{1b}[2J"));
    }
}
