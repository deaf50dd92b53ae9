//! The files below `rules/errors/`, as they are written, and what they match.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Seen,
    body::{Holding, Media},
};
use crate::model::{Action, ErrorClass, FieldPath, TransportError};

/// The rules for one vendor's hosts, or for everybody.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VendorFile {
    /// Whom it is about, as in the name of the file.
    pub(super) vendor: String,
    /// Host names; `*.example.com` is every host below. None: for everybody.
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    /// In the order in which they are tried.
    pub(super) rules: Vec<ErrorRule>,
}

/// What one kind of response means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorRule {
    pub(super) id: String,
    pub(super) when: When,
    pub(super) class: ErrorClass,
    pub(super) action: Action,
    /// A few words; `{media}`, `{location}` and `{sunset}` are filled in.
    #[serde(default)]
    pub(super) note: Option<String>,
}

/// Conditions, all of which must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct When {
    /// `404`, `5xx`, `520-530`, or a list of such.
    status: Option<Statuses>,
    /// Why no whole response came.
    transport: Option<OneOrMany<TransportError>>,
    /// What the body looks like.
    media: Option<OneOrMany<Media>>,
    /// Headers by lower-case name; any of that name may match.
    header: BTreeMap<String, Test>,
    /// Values of the body by path; any value there may match.
    json: BTreeMap<FieldPath, Test>,
    /// What the body holds that could be records.
    holds: Option<OneOrMany<Holding>>,
    /// A pattern in the first kilobytes of the body, upper and lower case alike.
    text: Option<Pattern>,
    /// A pattern in the members in which bodies explain errors; of use in successes too.
    said: Option<Pattern>,
    /// Whether a redirect stays on the host that was asked.
    same_host: Option<bool>,
    /// One of these must hold as well.
    any: Vec<Self>,
    /// None of these may hold.
    none: Vec<Self>,
}

/// One value, or a list of values any of which will do.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T: PartialEq> OneOrMany<T> {
    fn contains(&self, value: &T) -> bool {
        match self {
            Self::One(one) => one == value,
            Self::Many(many) => many.contains(value),
        }
    }
}

/// Ranges of status codes.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
struct Statuses(Vec<(u16, u16)>);

impl TryFrom<Value> for Statuses {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let fail = || "a status is written `404`, `5xx`, `520-530`, or as a list of such".to_owned();
        let read = |value: &Value| -> Option<(u16, u16)> {
            if let Some(number) = value.as_u64() {
                let status = u16::try_from(number).ok()?;
                return Some((status, status));
            }
            let text = value.as_str()?;
            if let Some(hundred) = text.strip_suffix("xx") {
                let hundred: u16 = hundred.parse().ok().filter(|h| (1..=5).contains(h))?;
                return Some((hundred * 100, hundred * 100 + 99));
            }
            let (from, to) = text.split_once('-')?;
            Some((from.parse().ok()?, to.parse().ok()?))
        };
        match &value {
            Value::Array(values) => values.iter().map(|v| read(v).ok_or_else(fail)).collect::<Result<_, _>>(),
            one => read(one).map(|range| vec![range]).ok_or_else(fail),
        }
        .map(Self)
    }
}

/// A test of one value: equal to it, one of a list, or a named test.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
enum Test {
    /// Equal; numbers and their text are the same.
    Is(String),
    AnyOf(Vec<Self>),
    Matches(Pattern),
    /// A string, and no number, that the pattern matches.
    Text(Pattern),
    /// There, and not null.
    Present(bool),
    /// Neither null, nor false, nor zero, nor empty.
    Something(bool),
    Not(Box<Self>),
}

impl TryFrom<Value> for Test {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Array(values) => {
                values.into_iter().map(Self::try_from).collect::<Result<_, _>>().map(Self::AnyOf)
            }
            Value::Object(object) if object.len() == 1 => match object.into_iter().next() {
                Some((key, Value::String(text))) if key == "matches" => {
                    Pattern::try_from(text).map(Self::Matches)
                }
                Some((key, Value::String(text))) if key == "text" => Pattern::try_from(text).map(Self::Text),
                Some((key, Value::Bool(flag))) if key == "present" => Ok(Self::Present(flag)),
                Some((key, Value::Bool(flag))) if key == "something" => Ok(Self::Something(flag)),
                Some((key, inner)) if key == "not" => Ok(Self::Not(Box::new(inner.try_into()?))),
                _ => Err("a test is a value, a list, `matches`, `text`, `present`, `something` or `not`"
                    .to_owned()),
            },
            Value::Object(_) => Err("a test has one name".to_owned()),
            scalar => plain(&scalar).map(Self::Is).ok_or_else(|| "a test is missing".to_owned()),
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        let text = || value.and_then(plain);
        match self {
            Self::Is(wanted) => text().is_some_and(|text| text == *wanted),
            Self::AnyOf(tests) => tests.iter().any(|test| test.holds(value)),
            Self::Matches(pattern) => text().is_some_and(|text| pattern.0.is_match(&text)),
            Self::Text(pattern) => value.and_then(Value::as_str).is_some_and(|text| pattern.0.is_match(text)),
            Self::Present(present) => value.is_some_and(|value| !value.is_null()) == *present,
            Self::Something(something) => value.is_some_and(is_something) == *something,
            Self::Not(test) => !test.holds(value),
        }
    }

    /// Whether it may hold where there is no value at all.
    fn holds_without(&self) -> bool {
        self.holds(None)
    }
}

/// Where bodies say in words what went wrong.
static EXPLAINING: LazyLock<Vec<FieldPath>> = LazyLock::new(|| {
    let root = FieldPath::root();
    let names =
        ["message", "error", "msg", "error_message", "errorMessage", "error_description", "errmsg", "detail"];
    let below = [root.clone(), root.child("error"), root.child("errors").each(), root.each()];
    let mut paths: Vec<FieldPath> =
        below.iter().flat_map(|place| names.map(|name| place.child(name))).collect();
    paths.push(root.child("errors").each());
    paths
});

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty() && text != "0",
        Value::Array(array) => !array.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

/// A regular expression that takes linear time, upper and lower case alike.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Pattern(Regex);

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // A long pattern is folded over lines that begin with `|`; the fold leaves a space there.
        let text = text.replace(" |", "|");
        let regex = RegexBuilder::new(&text).case_insensitive(true).size_limit(1 << 20).build();
        regex.map(Self).map_err(|error| format!("`{text}` is no pattern: {error}"))
    }
}

impl VendorFile {
    /// Whether a host is one of this vendor.
    pub(super) fn is_at(&self, host: &str) -> bool {
        self.hosts.iter().any(|wanted| match wanted.strip_prefix("*.") {
            Some(domain) => {
                host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            None => wanted == host,
        })
    }

    /// What the types cannot check: the text to point at, and the reason.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        for (index, rule) in self.rules.iter().enumerate() {
            if self.rules[..index].iter().any(|other| other.id == rule.id) {
                return Err((rule.id.clone(), format!("`{}` is there twice", rule.id)));
            }
            if rule.when.reads_data() {
                let reason = format!(
                    "`{}` looks for text in successes, where it would find it in data; give a `status` or a `media`",
                    rule.id
                );
                return Err((rule.id.clone(), reason));
            }
            if rule.when.is_always() {
                return Err((rule.id.clone(), format!("`{}` matches everything", rule.id)));
            }
        }
        Ok(())
    }
}

impl When {
    /// Whether the exchange meets every condition.
    pub(super) fn matches(&self, seen: &Seen<'_>) -> bool {
        let Self { status, transport, media, header, json, holds, text, said, same_host, any, none } = self;
        status.as_ref().is_none_or(|wanted| {
            seen.head
                .is_some_and(|head| wanted.0.iter().any(|(from, to)| (*from..=*to).contains(&head.status)))
        }) && transport.as_ref().is_none_or(|wanted| seen.failed.is_some_and(|error| wanted.contains(&error)))
            && (transport.is_some() || seen.head.is_some())
            && media.as_ref().is_none_or(|wanted| wanted.contains(&seen.body.media))
            && header.iter().all(|(name, test)| header_holds(test, name, seen))
            && json.iter().all(|(path, test)| {
                let values = seen.body.values(path);
                values.iter().any(|value| test.holds(Some(value)))
                    || (values.is_empty() && test.holds_without())
            })
            && holds.as_ref().is_none_or(|wanted| wanted.contains(&seen.body.holding()))
            && text.as_ref().is_none_or(|pattern| pattern.0.is_match(&seen.body.text))
            && said.as_ref().is_none_or(|pattern| {
                EXPLAINING.iter().any(|path| {
                    seen.body.values(path).into_iter().filter_map(plain).any(|text| pattern.0.is_match(&text))
                })
            })
            && same_host.is_none_or(|same| {
                let target = seen.location();
                target.is_some_and(|target| {
                    seen.url.as_ref().is_some_and(|url| url.host_str() == target.host_str()) == same
                })
            })
            && (any.is_empty() || any.iter().any(|other| other.matches(seen)))
            && !none.iter().any(|other| other.matches(seen))
    }

    /// Whether it says nothing.
    fn is_always(&self) -> bool {
        self.status.is_none()
            && self.transport.is_none()
            && self.media.is_none()
            && self.header.is_empty()
            && self.json.is_empty()
            && self.holds.is_none()
            && self.text.is_none()
            && self.said.is_none()
            && self.same_host.is_none()
            && self.any.is_empty()
    }

    /// Whether it looks for text in JSON of status 2xx: a record may speak of rate limits and be none.
    fn reads_data(&self) -> bool {
        let failures = self.status.as_ref().is_some_and(|s| s.0.iter().all(|(from, _)| *from >= 300));
        let no_json = self.media.as_ref().is_some_and(|media| !media.contains(&Media::Json));
        !failures && !no_json && (self.text.is_some() || self.any.iter().any(Self::reads_data))
    }
}

fn header_holds(test: &Test, name: &str, seen: &Seen<'_>) -> bool {
    let headers = seen.head.into_iter().flat_map(|head| &head.headers);
    let mut named = headers.filter(|(other, _)| other.eq_ignore_ascii_case(name)).peekable();
    if named.peek().is_none() {
        return test.holds_without();
    }
    named.any(|(_, value)| test.holds(Some(&Value::String(value.clone()))))
}
