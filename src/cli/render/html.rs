//! A diff as one page: no other file, no request, light and dark, with filters.

use super::changes::{Changes, LEVELS, SEVERITIES};
use super::text::clean;
use crate::model::Report;
use crate::rules::{ContractEntry, Level};

const STYLE: &str = include_str!("diff.css");
const SCRIPT: &str = include_str!("diff.js");

/// The report as a page. Text from documents is escaped, and the page may load nothing.
#[must_use]
pub fn html(report: &Report, contract: Option<&[ContractEntry]>, names: (&str, &str)) -> String {
    let changes = Changes::of(report, contract, usize::MAX);
    let mut body = String::new();
    let sum = changes.sum();
    for severity in SEVERITIES {
        let rows: Vec<_> = changes.of_severity(severity).collect();
        if rows.is_empty() {
            continue;
        }
        let word = severity.word();
        body.push_str(&format!(
            "<details open class=\"group\" data-group=\"{word}\"><summary><b class=\"{word}\">{word}</b> {}</summary>\n<table>",
            rows.len()
        ));
        for row in rows {
            let level = row.level.map_or("–", Level::word);
            let remedy = row
                .remedy
                .as_deref()
                .map_or_else(String::new, |text| format!("<div class=\"remedy\">{}</div>", marked(text)));
            body.push_str(&format!(
                "<tr><td class=\"level {level}\">{level}</td><td>{}{remedy}</td><td class=\"id\">{}</td></tr>\n",
                marked(&row.message),
                escaped(&row.id)
            ));
        }
        body.push_str("</table></details>\n");
    }
    for level in LEVELS {
        let rows: Vec<_> = changes.of_level(level).collect();
        if rows.is_empty() {
            continue;
        }
        let word = level.word();
        body.push_str(&format!(
            "<details class=\"group\" data-group=\"contract\"><summary><b class=\"{word}\">contract besides: {word}</b> {}</summary>\n<table>",
            rows.len()
        ));
        for row in rows {
            body.push_str(&format!(
                "<tr><td class=\"id\">{}</td><td>{}</td><td class=\"operations\">{}</td></tr>\n",
                escaped(&row.id),
                marked(&row.message),
                escaped(&row.operations)
            ));
        }
        body.push_str("</table></details>\n");
    }
    if changes.is_empty() {
        body.push_str("<p>Nothing changed.</p>\n");
    }
    for why in &changes.inconclusive {
        body.push_str(&format!("<p class=\"note\">not compared: {}</p>\n", escaped(why)));
    }
    let mut filters: Vec<&str> = SEVERITIES.iter().map(|severity| severity.word()).collect();
    if changes.contract.is_some() {
        filters.push("contract");
    }
    let filters: String = filters
        .iter()
        .map(|word| format!("<label><input type=\"checkbox\" checked value=\"{word}\"> {word}</label>"))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Drogue: {before} → {after}</title>\n\
         <style>\n{STYLE}</style></head>\n<body><header><h1>{before} <span class=\"dim\">→</span> {after}</h1>\
         <p class=\"sum\">{sum}</p>\
         <p class=\"filters\" hidden>{filters}<input type=\"search\" placeholder=\"filter by text\" aria-label=\"filter by text\"></p>\
         </header>\n<main>\n{body}</main>\n<script>\n{SCRIPT}</script></body></html>\n",
        before = escaped(names.0),
        after = escaped(names.1),
    )
}

/// Text of a message as text of a page; what stands between backticks is set as code.
fn marked(text: &str) -> String {
    let text = escaped(text);
    let parts: Vec<&str> = text.split('`').collect();
    // Names from outside may hold a sign themselves: then nobody knows which belong together.
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let set = |(at, part): (usize, &&str)| {
        if at % 2 == 1 { format!("<code>{part}</code>") } else { (*part).to_owned() }
    };
    parts.iter().enumerate().map(set).collect()
}

/// Text from outside as text of a page.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
