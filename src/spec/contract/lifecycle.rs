//! Announced ends, and how finished something is said to be.

use jiff::civil::Date;
use serde_json::Value;

use super::locals::{Both, Local, text};

/// When something is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sunset {
    Never,
    On(Date),
    Unreadable,
}

impl Sunset {
    pub(super) fn of(node: &Value) -> Self {
        let Some(value) = node.get("x-sunset") else { return Self::Never };
        let Some(text) = value.as_str() else { return Self::Unreadable };
        let date = text.get(..10).filter(|_| text.len() == 10 || text.as_bytes().get(10) == Some(&b'T'));
        date.and_then(|date| date.parse().ok()).map_or(Self::Unreadable, Self::On)
    }
}

pub(super) fn is_deprecated(node: &Value) -> bool {
    node.get("deprecated").and_then(Value::as_bool).unwrap_or(false)
}

/// How finished something is: 0 draft, 1 alpha, 2 beta, 3 stable or nothing said; `None` for another word.
pub(super) fn stability(node: &Value) -> Option<u8> {
    match node.get("x-stability-level") {
        None => Some(3),
        Some(level) => match text(Some(level))? {
            "draft" => Some(0),
            "alpha" => Some(1),
            "beta" => Some(2),
            "stable" => Some(3),
            _ => None,
        },
    }
}

/// What became of the promise to keep something, as names of changes: deprecated or not, and until when.
pub(super) fn deprecation(before: &Value, after: &Value) -> Option<&'static str> {
    match (is_deprecated(before), is_deprecated(after)) {
        (true, false) => Some("reactivated"),
        (false, true) => Some(match Sunset::of(after) {
            Sunset::Never => "deprecated",
            Sunset::On(_) => "deprecated-with-sunset",
            Sunset::Unreadable => "deprecated-sunset-parse",
        }),
        (true, true) => match (Sunset::of(before), Sunset::of(after)) {
            (was, is) if was == is && is != Sunset::Unreadable => None,
            (Sunset::Unreadable, _) | (_, Sunset::Unreadable) => Some("deprecated-sunset-parse"),
            (Sunset::On(_), Sunset::Never) => Some("sunset-deleted"),
            (Sunset::On(was), Sunset::On(is)) if is < was => Some("sunset-date-changed-too-small"),
            _ => None,
        },
        (false, false) => None,
    }
}

/// The lifecycle of a schema.
pub(super) fn schema(both: &Both<'_>, locals: &mut Vec<Local>) {
    locals.extend(deprecation(both.before, both.after).map(Local::new));
    if let (Some(was), Some(is)) = (stability(both.before), stability(both.after)) {
        if is < was {
            locals.push(Local::new("stability-decreased"));
        } else if is > was {
            locals.push(Local::new("stability-increased"));
        }
    }
}
