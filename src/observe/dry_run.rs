//! `probe --dry-run`: one exchange, shown without secrets and without values.

use std::fmt::{self, Write as _};

use serde_json::Value;

use super::session::{End, Session};
use super::{Failure, ObserveContext, Source, paging::Pager};
use crate::model::{Clock, Exchange, HashKey, JsonType};
use crate::net::redact;
use crate::rules::RuleSet;

/// Objects with more members than this are cut in what is shown.
const MAX_MEMBERS: usize = 60;
/// Nesting beyond this is shown as `…`.
const MAX_LEVELS: usize = 8;
/// Elements of an array that are looked at for its shape.
const MAX_ELEMENTS: usize = 100;

/// One exchange as it may be shown.
pub struct DryRun {
    /// The exchange, secrets taken out but for the body; `None` where nothing could be asked.
    pub exchange: Option<Exchange>,
    /// Why there is no exchange, or no whole response.
    pub problem: Option<String>,
}

impl fmt::Debug for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Asks for the first page once, stores nothing, and takes nothing as evidence.
///
/// It signs in for that, so a refresh token that rotates is renewed and kept.
pub async fn dry_run(source: &Source, clock: &dyn Clock) -> DryRun {
    let rules = RuleSet::builtin();
    // No value is kept, so its key does not matter.
    let context = ObserveContext { clock, hash_key: HashKey::new([0; 16]), key: None, rules: &rules };
    let mut session = Session::new(source, &context);
    let first = match super::request::base_address(source, session.began) {
        Ok(first) => first,
        Err(error) => {
            return DryRun { exchange: None, problem: Some(session.redactor.text(&error.to_string())) };
        }
    };
    let params = Pager::new(&source.request.paging, first).first();
    match session.ask(&params, None, false).await {
        Ok((got, _)) => {
            let problem = got.raw.err().map(|error| error.message);
            DryRun { exchange: Some(got.exchange), problem }
        }
        Err(end) => {
            let problem = match end {
                End::Failed(failure) => {
                    let Failure { detail, .. } = *failure;
                    detail
                }
                End::Deferred(until) => format!("the requests of the day are used up until {until}"),
                End::Unchanged => "nothing is new".to_owned(),
            };
            DryRun { exchange: None, problem: Some(problem) }
        }
    }
}

impl DryRun {
    /// The exchange as text: address, headers, status, and of the body its shape alone.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        if let Some(exchange) = &self.exchange {
            let request = &exchange.request;
            let _ = writeln!(out, "> {} {}", request.method, request.url);
            lines(&mut out, '>', &request.headers);
            if let Ok(response) = &exchange.response {
                let _ = writeln!(out, "\n< {}   {} bytes", response.status, exchange.body.len());
                lines(&mut out, '<', &response.headers);
                let _ = writeln!(out, "\n{}", body_shape(&exchange.body));
            }
        }
        if let Some(problem) = &self.problem {
            let _ = writeln!(out, "\n{problem}");
        }
        out
    }
}

fn lines(out: &mut String, sign: char, headers: &[(String, String)]) {
    for (name, value) in headers {
        let _ = writeln!(out, "{sign} {name}: {}", printable(value));
    }
}

/// What a body looks like: names and types, no values.
fn body_shape(body: &[u8]) -> String {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return "(no body)".to_owned();
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => {
            let mut out = String::new();
            write_shape(&mut out, &[&value], 0);
            out
        }
        Err(_) => match super::foreign::foreign_format(None, body) {
            Some(name) => format!("({name})"),
            None => "(no JSON, or JSON with a number or a text that cannot be read)".to_owned(),
        },
    }
}

/// Writes one shape for all `values`, which stand at the same place.
fn write_shape(out: &mut String, values: &[&Value], level: usize) {
    let mut kinds: Vec<&str> = values.iter().map(|value| JsonType::of(value).word()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if level >= MAX_LEVELS {
        out.push('…');
        return;
    }
    let plain: Vec<&str> =
        kinds.iter().copied().filter(|kind| !matches!(*kind, "object" | "array")).collect();
    out.push_str(&plain.join(" or "));
    let objects: Vec<_> = values.iter().filter_map(|value| value.as_object()).collect();
    if !objects.is_empty() {
        if !plain.is_empty() {
            out.push_str(" or ");
        }
        let mut names: Vec<&String> = Vec::new();
        let mut known = std::collections::BTreeSet::new();
        names.extend(objects.iter().flat_map(|object| object.keys()).filter(|name| known.insert(*name)));
        out.push_str("{\n");
        for name in names.iter().take(MAX_MEMBERS) {
            let inner: Vec<&Value> = objects.iter().filter_map(|object| object.get(*name)).collect();
            let optional = if inner.len() < objects.len() { "?" } else { "" };
            let shown = printable(&redact::text(name));
            let _ = write!(out, "{}{shown}{optional}: ", "  ".repeat(level + 1));
            write_shape(out, &inner, level + 1);
            out.push('\n');
        }
        if names.len() > MAX_MEMBERS {
            let _ = writeln!(out, "{}… {} more", "  ".repeat(level + 1), names.len() - MAX_MEMBERS);
        }
        let _ = write!(out, "{}}}", "  ".repeat(level));
    }
    let arrays: Vec<_> = values.iter().filter_map(|value| value.as_array()).collect();
    if !arrays.is_empty() {
        if !plain.is_empty() || !objects.is_empty() {
            out.push_str(" or ");
        }
        let longest = arrays.iter().map(|array| array.len()).max().unwrap_or(0);
        let elements: Vec<&Value> = arrays.iter().flat_map(|array| array.iter()).take(MAX_ELEMENTS).collect();
        if elements.is_empty() {
            out.push_str("[]");
        } else {
            let _ = write!(out, "[{longest} × ");
            write_shape(out, &elements, level);
            out.push(']');
        }
    }
}

/// A text from outside, safe for a terminal: control signs and signs that turn the direction of text are shown by
/// their code, and the length is bounded.
fn printable(text: &str) -> String {
    let mut out = String::new();
    for sign in text.chars().take(300) {
        let turns =
            matches!(sign, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if sign.is_control() || turns {
            let _ = write!(out, "\\u{:04x}", u32::from(sign));
        } else {
            out.push(sign);
        }
    }
    if text.chars().nth(300).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_shapes_and_no_values() {
        let body =
            br#"{"data": [{"id": 1, "name": "Joe", "tags": []}, {"id": "x2", "tags": ["a"]}], "next": null}"#;
        assert_eq!(
            body_shape(body),
            "{\n  data: [2 × {\n    id: integer or string\n    name?: string\n    tags: [1 × string]\n  }]\n  next: null\n}"
        );
        assert_eq!(body_shape(b"<html>"), "(HTML)");
        assert_eq!(body_shape(b" "), "(no body)");
        assert_eq!(printable("a\u{1b}[31m\u{202e}b\r\n"), "a\\u001b[31m\\u202eb\\u000d\\u000a");
    }
}
