//! Classification of responses: what a status, its headers and its body together mean to a connector.
//!
//! The knowledge is data: `rules/errors/<vendor>.yaml` for the hosts of one vendor, then `rules/errors/generic.yaml`;
//! the first rule that fits decides, in the order of the file. No text of a body ever gets into a note.

mod body;
mod lifecycle;
mod pattern;
mod retry;

use std::sync::LazyLock;

use jiff::Timestamp;
use url::Url;

use self::body::Body;
use self::pattern::{ErrorRule, VendorFile};
use super::{RuleError, RuleSet, rule::read_yaml, set::texts_below};
use crate::model::{Action, ErrorClass, Exchange, ResponseHead, TransportError};

pub use self::body::{Media, media_of};
pub use self::lifecycle::{Lifecycle, lifecycle};
pub use self::retry::{RateLimit, rate_limit};

/// What a response means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// The class of error.
    pub class: ErrorClass,
    /// What to do about it.
    pub action: Action,
    /// The rule that says so, by id.
    pub rule: String,
    /// When the vendor wants to be asked again, where it says so; never before the exchange, at most a year later.
    pub retry_at: Option<Timestamp>,
    /// A few words for people; never text of the body.
    pub note: Option<String>,
    /// From when on the endpoint is deprecated, and when it ends, as far as headers say.
    pub lifecycle: Lifecycle,
}

static VENDORS: LazyLock<Vec<VendorFile>> = LazyLock::new(|| {
    let files = texts_below("errors").into_iter().map(|(path, text)| read(&path, &text));
    let mut files: Vec<VendorFile> =
        files.collect::<Result<_, _>>().expect("the test `every_file_parses` read the same files");
    // Vendors by name, what holds for everybody last.
    files.sort_by(|a, b| (a.hosts.is_empty(), &a.vendor).cmp(&(b.hosts.is_empty(), &b.vendor)));
    files
});

fn read(path: &str, text: &str) -> Result<VendorFile, RuleError> {
    let file: VendorFile = read_yaml(path, text)?;
    file.check().map_err(|(near, reason)| super::rule::error_at(path, text, &near, reason))?;
    Ok(file)
}

impl RuleSet {
    /// What an exchange means; `None` for an ordinary success whose body is JSON.
    ///
    /// A response that says so and still holds data has class `deprecated` and action `continue`.
    #[must_use]
    pub fn classify(&self, exchange: &Exchange) -> Option<Classified> {
        Seen::of(exchange).classified()
    }

    /// What a body of success means whose sender and headers nobody knows, as that of a kept file; `None` for data.
    #[must_use]
    pub fn classify_body(&self, body: &[u8]) -> Option<Classified> {
        let head = ResponseHead { status: 200, headers: Vec::new() };
        let body = Body::of(body, None);
        Seen { url: None, head: Some(&head), failed: None, at: None, body }.classified()
    }

    /// The vendors whose responses have rules of their own, each with the hosts that its rules are for.
    pub fn vendors(&self) -> impl Iterator<Item = (&str, &[String])> {
        let named = VENDORS.iter().filter(|vendor| !vendor.hosts.is_empty());
        named.map(|vendor| (vendor.vendor.as_str(), vendor.hosts.as_slice()))
    }
}

/// One exchange as rules look at it.
struct Seen<'a> {
    url: Option<Url>,
    head: Option<&'a ResponseHead>,
    /// Why no whole response came.
    failed: Option<TransportError>,
    at: Option<Timestamp>,
    body: Body<'a>,
}

impl<'a> Seen<'a> {
    fn of(exchange: &'a Exchange) -> Self {
        let head = exchange.response.as_ref().ok();
        let content_type = head.and_then(|head| head.header("content-type"));
        Self {
            url: Url::parse(&exchange.request.url).ok(),
            head,
            failed: exchange.response.as_ref().err().copied(),
            at: Some(exchange.at),
            body: Body::of(&exchange.body, content_type),
        }
    }

    /// What the first rule that fits says of it.
    fn classified(&self) -> Option<Classified> {
        let host = self.url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let vendors = VENDORS.iter().filter(|vendor| vendor.hosts.is_empty() || vendor.is_at(host));
        let rule = vendors.flat_map(|vendor| &vendor.rules).find(|rule| rule.when.matches(self))?;
        Some(classified(rule, self))
    }

    /// Where a redirect leads, without its query, which may hold secrets.
    fn location(&self) -> Option<Url> {
        let mut target = self.url.as_ref()?.join(self.head?.header("location")?).ok()?;
        target.set_query(None);
        target.set_fragment(None);
        let _ = target.set_password(None);
        let _ = target.set_username("");
        Some(target)
    }
}

fn classified(rule: &ErrorRule, seen: &Seen<'_>) -> Classified {
    let waits = match rule.class {
        ErrorClass::RateLimited
        | ErrorClass::QuotaExhausted
        | ErrorClass::Outage
        | ErrorClass::BlockedByFirewall
        | ErrorClass::OkWithError => true,
        ErrorClass::AuthExpired
        | ErrorClass::AuthInvalid
        | ErrorClass::AuthChanged
        | ErrorClass::PermissionLost
        | ErrorClass::AccountBlocked
        | ErrorClass::EndpointGone
        | ErrorClass::EndpointMoved
        | ErrorClass::NotFound
        | ErrorClass::RequestInvalid
        | ErrorClass::PageTooBig
        | ErrorClass::NotJson
        | ErrorClass::Truncated
        | ErrorClass::Deprecated => false,
    };
    let answered = seen.head.filter(|_| waits).zip(seen.at);
    let retry_at = answered.and_then(|(head, at)| retry::retry_at(head, &seen.body, at));
    Classified {
        class: rule.class,
        action: rule.action,
        rule: rule.id.clone(),
        retry_at,
        note: rule.note.as_deref().and_then(|note| fill(note, seen)),
        lifecycle: seen.head.map(lifecycle).unwrap_or_default(),
    }
}

/// Fills `{media}`, `{location}` and `{sunset}` in; without the value the note says nothing of it.
fn fill(note: &str, seen: &Seen<'_>) -> Option<String> {
    let mut note = note.to_owned();
    if note.contains("{media}") {
        note =
            note.replace("{media}", &seen.body.name(seen.head.and_then(|head| head.header("content-type"))));
    }
    if note.contains("{location}") {
        note = note.replace("{location}", seen.location()?.as_str());
    }
    if note.contains("{sunset}") {
        let date = seen.head.and_then(|head| head.header("sunset")).and_then(retry::http_date);
        let text =
            date.map_or_else(|| "a date not given".to_owned(), |at| at.strftime("%Y-%m-%d").to_string());
        note = note.replace("{sunset}", &text);
    }
    Some(note)
}

#[cfg(test)]
mod tests;
