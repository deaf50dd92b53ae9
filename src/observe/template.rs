//! Templates in requests: `{{ now - 1d | date }}`, and nothing more than that.
//!
//! A template is `now`, any number of `+` or `-` with a span of time, and at most one form after `|`. All of a check
//! is rendered with one `now`, so that pages belong together.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::{BodySettings, RequestSettings};
use crate::model::Period;

const KNOWN: &str = "known are `now`, `+` and `-` with a span such as `1d`, then `| date`, `| epoch`, `| epoch_ms` or \
                     `| format('%Y-%m-%d')`";

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot fill in `{template}`: {why}; {KNOWN}")]
pub struct TemplateError {
    /// As it is written, braces included.
    template: String,
    /// What is wrong with it.
    why: String,
}

/// Whether all templates in a text can be filled in; for `config check`.
///
/// # Errors
/// [`TemplateError`] for the first that cannot.
pub fn check_template(text: &str) -> Result<(), TemplateError> {
    render(text, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 50)).map(drop)
}

/// Whether all templates of a request can be filled in; for `config check`.
///
/// # Errors
/// [`TemplateError`] for the first that cannot.
pub fn check_request_templates(request: &RequestSettings) -> Result<(), TemplateError> {
    check_template(&request.url)?;
    for text in request.query.values().chain(request.headers.values()) {
        check_template(text)?;
    }
    match &request.body {
        None => Ok(()),
        Some(BodySettings::Json(value)) => check_value(value),
        Some(BodySettings::Form(form)) => form.values().try_for_each(|text| check_template(text)),
        Some(BodySettings::Graphql(graphql)) => graphql.variables.values().try_for_each(check_value),
    }
}

fn check_value(value: &Value) -> Result<(), TemplateError> {
    render_value(value, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 50)).map(drop)
}

/// The text with its templates filled in.
pub(super) fn render(text: &str, now: Timestamp) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        out.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        let Some(end) = inner.find("}}") else {
            return Err(TemplateError {
                template: rest[start..].chars().take(60).collect(),
                why: "it is never closed".to_owned(),
            });
        };
        let value = evaluate(&inner[..end], now)
            .map_err(|why| TemplateError { template: format!("{{{{{}}}}}", &inner[..end]), why })?;
        out.push_str(&value);
        rest = &inner[end + 2..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The value with the templates in its strings filled in.
pub(super) fn render_value(value: &Value, now: Timestamp) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::String(text) => Value::String(render(text, now)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| render_value(item, now)).collect::<Result<_, _>>()?)
        }
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, item)| Ok((key.clone(), render_value(item, now)?)))
                .collect::<Result<_, _>>()?,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

fn evaluate(inner: &str, now: Timestamp) -> Result<String, String> {
    let (expression, form) = match inner.split_once('|') {
        Some((expression, form)) => (expression, Some(form.trim())),
        None => (inner, None),
    };
    let mut rest = expression
        .trim()
        .strip_prefix("now")
        .filter(|rest| rest.is_empty() || rest.starts_with([' ', '+', '-']))
        .ok_or_else(|| format!("`{}` is unknown", expression.trim()))?
        .trim_start();
    let mut at = now;
    while let Some(sign) = rest.chars().next() {
        if !matches!(sign, '+' | '-') {
            return Err(format!("`+` or `-` is expected before `{rest}`"));
        }
        let after = rest[1..].trim_start();
        let end = after.find(['+', '-']).unwrap_or(after.len());
        let span = after[..end].trim().parse::<Period>().map_err(|error| error.to_string())?.signed();
        at = if sign == '+' { at.checked_add(span) } else { at.checked_sub(span) }
            .map_err(|_| "the time is out of range".to_owned())?;
        rest = &after[end..];
    }
    match form {
        None => Ok(format_time("%Y-%m-%dT%H:%M:%SZ", at)?),
        Some("date") => format_time("%Y-%m-%d", at),
        Some("epoch") => Ok(at.as_second().to_string()),
        Some("epoch_ms") => Ok(at.as_millisecond().to_string()),
        Some(form) => {
            let pattern = form
                .strip_prefix("format(")
                .and_then(|rest| rest.strip_suffix(')'))
                .map(str::trim)
                .and_then(|quoted| {
                    let quote = quoted.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
                    quoted.strip_prefix(quote)?.strip_suffix(quote)
                })
                .ok_or_else(|| format!("`| {form}` is unknown"))?;
            format_time(pattern, at)
        }
    }
}

fn format_time(pattern: &str, at: Timestamp) -> Result<String, String> {
    jiff::fmt::strtime::format(pattern, &at.to_zoned(TimeZone::UTC))
        .map_err(|error| format!("`{pattern}` is no format of a time: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in() {
        let now = "2026-03-01T12:30:00.5Z".parse().unwrap();
        for (text, expected) in [
            ("{{ now }}", "2026-03-01T12:30:00Z"),
            ("{{now}}", "2026-03-01T12:30:00Z"),
            ("since:{{ now - 1d }}!", "since:2026-02-28T12:30:00Z!"),
            ("{{ now - 1d | date }}/{{ now | date }}", "2026-02-28/2026-03-01"),
            ("{{ now-1h30m+30m|epoch }}", "1772364600"),
            ("{{ now | epoch_ms }}", "1772368200500"),
            ("{{ now | format('%d.%m.%Y') }}", "01.03.2026"),
            ("no template, { } }}", "no template, { } }}"),
        ] {
            assert_eq!(render(text, now).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_what_is_known() {
        for (text, part) in [
            ("{{ nwo }}", "cannot fill in `{{ nwo }}`: `nwo` is unknown; known are `now`"),
            ("{{ now - 1 }}", "`1` is not a span of time"),
            ("{{ now | iso }}", "`| iso` is unknown"),
            ("{{ now | format('%!') }}", "is no format of a time"),
            ("{{ now", "it is never closed"),
            ("{{ now * 2 }}", "`+` or `-` is expected"),
            ("{{ now + 100w + 99999999d }}", "span"),
            ("{{ nowhere }}", "`nowhere` is unknown"),
        ] {
            let error = check_template(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
