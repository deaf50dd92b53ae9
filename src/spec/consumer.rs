//! What one connector uses of an API, and whether a change of the description touches that.
//!
//! A description of hundreds of operations changes every week; a connector reads a handful of fields of a few of them.
//! Only what touches those alerts. Where something is not known of the connector, everything of that sort touches it.

use std::collections::BTreeMap;

use super::{
    Operation,
    described::{Described, described},
    operations::{DocChange, change},
};
use crate::model::FieldPath;

/// An endpoint whose description is watched, since a stream reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WatchedEndpoint {
    /// `GET` or `POST`.
    pub method: String,
    /// The path or the whole address, with or without a query; templates of any kind (`{id}`, `{{ … }}`, `:id`) and
    /// real values stand for parameters.
    pub path: String,
    /// Where the records sit in the response, where it is known; a guess from the description otherwise.
    pub records: Option<FieldPath>,
    /// The fields of a record that are read; none where the mapping is not known, and then all count.
    pub fields: Vec<FieldPath>,
    /// Whether fields that are not listed are passed on as well.
    pub passes_others: bool,
    /// What is read beside the records, from the top of the response: the cursor of the next page.
    pub beside: Vec<FieldPath>,
    /// What is sent, where it is known.
    pub sent: Option<Sent>,
    /// How the connector signs in, where it is known.
    pub sign_in: Option<SignInScheme>,
}

/// What a connector sends to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sent {
    /// Parameters of query and header by name, with the value where it is always the same.
    pub parameters: BTreeMap<String, Option<String>>,
    /// Fields of the body.
    pub body: Vec<FieldPath>,
    /// Whether pages are followed by the `Link` header.
    pub link_header: bool,
}

/// How a connector signs in, in the terms of OpenAPI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInScheme {
    /// User and password (RFC 7617).
    Basic,
    /// A bearer token, of whatever origin.
    Bearer,
    /// A key in a header.
    HeaderKey(String),
    /// A key in the query.
    QueryKey(String),
    /// OAuth 2.0, with the address that gives tokens.
    OAuth(String),
}

/// Whether a change touches what a connector uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// It uses just that.
    Read,
    /// It passes it on, or nobody knows.
    Perhaps,
    /// It does not.
    No,
}

impl WatchedEndpoint {
    /// Whether a change of the operation touches what the connector uses; `records` is where the records sit.
    pub(super) fn touched(
        &self,
        change: &DocChange,
        before: &Operation<'_>,
        after: Option<&Operation<'_>>,
        records: &FieldPath,
    ) -> Touch {
        if change.what == "auth-scope-required" {
            // Which scopes its token has, nobody knows.
            let has_scopes = |scheme: &SignInScheme| {
                matches!(scheme, SignInScheme::OAuth(_) | SignInScheme::Bearer | SignInScheme::HeaderKey(_))
            };
            return if self.sign_in.as_ref().is_none_or(has_scopes) { Touch::Perhaps } else { Touch::No };
        }
        if change.what.starts_with("auth-") {
            return self.sign_in_touched(before, after);
        }
        if change.what == "server-changed" {
            return self.server_touched(after);
        }
        // A further address takes nothing away.
        if change.what == "server-added" {
            return Touch::No;
        }
        match (change.part, &change.parameter, &change.field) {
            (Some("response"), Some(header), _) => self.header_touched(header),
            (Some("response"), None, Some(field)) if change.what != "records-moved" => {
                self.field_touched(change, field, records)
            }
            (Some("request"), Some(parameter), _) => self.parameter_touched(change, parameter),
            (Some("request"), None, Some(field)) => self.body_touched(change, field),
            _ => Touch::Read,
        }
    }

    fn field_touched(&self, change: &DocChange, field: &FieldPath, records: &FieldPath) -> Touch {
        if self.fields.is_empty() {
            return Touch::Perhaps;
        }
        let touches = |read: &FieldPath| overlap(read, field);
        let mut read =
            self.fields.iter().map(|field| joined(records, field)).chain(self.beside.iter().cloned());
        // A new name beside what is read is no change of what is read; below a field that is read whole it is.
        let is_new = matches!(change.what, "field-added");
        if read.any(|read| if is_new { starts_with(field, &read) } else { touches(&read) }) {
            return Touch::Read;
        }
        // What is around the records is around every field that is read.
        let around = starts_with(records, field) && field.steps().len() <= records.steps().len();
        match (around && !is_new, self.passes_others && starts_with(field, records)) {
            (true, _) => Touch::Read,
            (false, true) => Touch::Perhaps,
            (false, false) => Touch::No,
        }
    }

    fn parameter_touched(&self, change: &DocChange, parameter: &str) -> Touch {
        let Some(sent) = &self.sent else { return Touch::Perhaps };
        let value =
            sent.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(parameter)).map(|(_, v)| v);
        let touches = match (change.what, value) {
            // A new duty touches whoever does not fulfil it, and a default whoever leaves it to that.
            ("parameter-required" | "parameter-default-changed", sent) => sent.is_none(),
            ("parameter-added", _) => false,
            ("page-size-limited" | "parameter-limited", Some(Some(value))) => !within(value, &change.to),
            // Which values are gone is listed; another one stays good.
            ("parameter-narrowed", Some(Some(value))) => {
                change.from.is_empty()
                    || change.from.split(", ").any(|gone| gone == value)
                    || !change.to.is_empty()
            }
            // Parameters of the path are always sent.
            (_, None) => self.path_sends(parameter),
            (_, Some(_)) => true,
        };
        if touches { Touch::Read } else { Touch::No }
    }

    /// Whether a parameter of the path has that name, by the words of the description.
    fn path_sends(&self, parameter: &str) -> bool {
        self.path.contains(&format!("{{{parameter}}}")) || self.path.contains(&format!(":{parameter}"))
    }

    fn header_touched(&self, header: &str) -> Touch {
        match &self.sent {
            None => Touch::Perhaps,
            Some(sent) if sent.link_header && header.eq_ignore_ascii_case("link") => Touch::Read,
            Some(_) => Touch::No,
        }
    }

    fn body_touched(&self, change: &DocChange, field: &FieldPath) -> Touch {
        let Some(sent) = &self.sent else { return Touch::Perhaps };
        let is_sent = sent.body.iter().any(|sent| overlap(sent, field));
        let touches = match change.what {
            // What must be sent now is missing where its object is sent without it.
            "body-field-required" => {
                let object = field.parent().unwrap_or_default();
                let object_is_sent =
                    object.is_root() || sent.body.iter().any(|sent| starts_with(sent, &object));
                object_is_sent && !sent.body.iter().any(|sent| starts_with(sent, field))
            }
            "body-field-added" => false,
            _ => is_sent,
        };
        if touches { Touch::Read } else { Touch::No }
    }

    /// Signing in is touched where the connector's way sufficed and does so no longer, or where nobody knows its way.
    fn sign_in_touched(&self, before: &Operation<'_>, after: Option<&Operation<'_>>) -> Touch {
        let (Some(scheme), Some(after)) = (&self.sign_in, after) else { return Touch::Perhaps };
        let suffices = |ways: &[Vec<String>]| {
            ways.is_empty()
                || ways.iter().any(|way| match way.as_slice() {
                    [] => true,
                    [only] => scheme.is_meant_by(only),
                    _ => false,
                })
        };
        match (suffices(&before.security()), suffices(&after.security())) {
            (_, true) => Touch::No,
            (true, false) => Touch::Read,
            // It signs in by a way that is not described; what that changes nobody knows.
            (false, false) => Touch::Perhaps,
        }
    }

    /// The base address is touched unless the connector's own is still among those described.
    fn server_touched(&self, after: Option<&Operation<'_>>) -> Touch {
        let Some(after) = after.filter(|_| self.path.contains("://")) else { return Touch::Read };
        let own = after.own_servers();
        let servers = if own.is_empty() { after.model.servers() } else { own };
        let still = servers.iter().any(|server| {
            let rest = self.path.strip_prefix(server.as_str());
            server.contains("://") && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        });
        if still { Touch::No } else { Touch::Read }
    }
}

impl SignInScheme {
    /// Whether a scheme of the description, in words, is this one.
    fn is_meant_by(&self, words: &str) -> bool {
        let bearer =
            words == "HTTP bearer" || words.starts_with("OAuth 2.0") || words.starts_with("OpenID Connect");
        match self {
            Self::Basic => words == "HTTP basic",
            Self::Bearer => bearer || names_key(words, "header", "Authorization"),
            Self::HeaderKey(name) => {
                names_key(words, "header", name) || (name.eq_ignore_ascii_case("authorization") && bearer)
            }
            Self::QueryKey(name) => names_key(words, "query", name),
            // A token address that is named must be the one that is used.
            Self::OAuth(url) => {
                words == "HTTP bearer"
                    || (bearer
                        && (words.contains(url.as_str())
                            || !words.contains("://")
                            || !words.contains("oken")))
            }
        }
    }
}

fn names_key(words: &str, place: &str, name: &str) -> bool {
    let wanted = format!("API key in {place} `{name}`");
    if place == "header" { words.eq_ignore_ascii_case(&wanted) } else { words == wanted }
}

/// Whether a value keeps a limit such as `maximum 50`; one that is no number is not known to.
fn within(value: &str, limit: &str) -> bool {
    let Some((keyword, limit)) = limit.split_once(' ') else { return false };
    let Ok(limit) = limit.parse::<f64>() else { return false };
    let length = value.chars().count() as f64;
    match keyword {
        "maximum" => value.parse::<f64>().is_ok_and(|value| value <= limit),
        "minimum" => value.parse::<f64>().is_ok_and(|value| value >= limit),
        "maxLength" => length <= limit,
        "minLength" => length >= limit,
        _ => false,
    }
}

/// Whether one of two paths leads through the other.
pub(super) fn overlap(a: &FieldPath, b: &FieldPath) -> bool {
    starts_with(a, b) || starts_with(b, a)
}

/// Whether `above` is the path or around it; an index, and the key of a map, is one of `[*]`.
fn starts_with(path: &FieldPath, above: &FieldPath) -> bool {
    use super::graph::fits;
    let (path, above) = (path.steps(), above.steps());
    path.len() >= above.len() && path.iter().zip(above).all(|(a, b)| fits(a, b) || fits(b, a))
}

pub(super) fn joined(above: &FieldPath, below: &FieldPath) -> FieldPath {
    FieldPath::new(above.steps().iter().chain(below.steps()).cloned().collect())
}

/// What became of the fields that are read and of which no change tells: a way through one alternative is gone while
/// others stay, or a name is reached by another way now. Each field is looked up in both descriptions by itself.
pub(super) fn lost_on_the_way<'a>(
    endpoint: &WatchedEndpoint,
    before: &Operation<'a>,
    after: &Operation<'a>,
    records: &FieldPath,
    told: &[DocChange],
) -> Vec<DocChange> {
    let (Some((_, was)), Some((_, is))) = (before.response_schema(), after.response_schema()) else {
        return Vec::new();
    };
    // Where everything below went elsewhere, that is what is told.
    if told
        .iter()
        .any(|change| matches!(change.what, "records-moved" | "media-type-changed" | "response-removed"))
    {
        return Vec::new();
    }
    let of_records = endpoint.fields.iter().map(|field| (joined(records, field), Some(field)));
    let beside = endpoint.beside.iter().map(|field| (field.clone(), None));
    let mut found = Vec::new();
    for (field, record) in of_records.chain(beside) {
        let Some(was) = described(before.model, was, &field) else { continue };
        let is_told = told.iter().any(|change| {
            let about = change.field.as_ref().filter(|_| change.part == Some("response"));
            about.is_some_and(|about| overlap(about, &field))
                && !matches!(change.what, "field-added" | "type-narrowed")
        });
        if is_told {
            continue;
        }
        let is = described(after.model, is, &field);
        let Some((what, from, to)) = difference(&was, is.as_ref()) else { continue };
        found.push(DocChange {
            operation: Some(before.name()),
            part: Some("response"),
            field: Some(field),
            record: record.cloned(),
            from,
            to,
            read: Some(true),
            ..change(what)
        });
    }
    found
}

/// The worst that became of one field.
fn difference(was: &Described, is: Option<&Described>) -> Option<(&'static str, String, String)> {
    let Some(is) = is else { return Some(("field-removed", was.type_words(), String::new())) };
    if was.open || is.open {
        return None;
    }
    let fresh = |word: &&String| {
        let had = |word: &str| was.types.contains(word);
        !had(word) && (*word != "integer" || !had("number"))
    };
    if !was.types.is_empty() && is.types.iter().any(|word| fresh(&word)) {
        return Some(("type-changed", was.type_words(), is.type_words()));
    }
    if is.nullable && !was.nullable {
        return Some(("became-nullable", String::new(), String::new()));
    }
    if is.optional && !was.optional {
        return Some(("became-optional", "required".to_owned(), "optional".to_owned()));
    }
    let (was, is) = (was.values.as_ref()?, is.values.as_ref()?);
    let fresh: Vec<&str> = is.difference(was).take(12).map(String::as_str).collect();
    (!fresh.is_empty()).then(|| ("enum-value-added", String::new(), fresh.join(", ")))
}
