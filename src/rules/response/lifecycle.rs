//! What headers say of an endpoint's end: `Deprecation` (RFC 9745 and the drafts before it), `Sunset` (RFC 8594), and the
//! relations of `Link` that go with them.

use jiff::Timestamp;
use jiff::civil::Date;

use super::retry::http_date;
use crate::model::ResponseHead;

/// What headers say of an endpoint's end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lifecycle {
    /// From when on it is, or will be, deprecated.
    pub deprecated: Option<Timestamp>,
    /// When it stops to answer.
    pub sunset: Option<Timestamp>,
    /// Where people read about it: `rel="deprecation"`, or else `rel="sunset"`.
    pub about: Option<String>,
    /// What took its place: `rel="successor-version"`.
    pub successor: Option<String>,
}

impl Lifecycle {
    /// The same with every address passed through `clean`.
    #[must_use]
    pub fn map(self, clean: impl Fn(&str) -> String) -> Self {
        Self {
            about: self.about.map(|url| clean(&url)),
            successor: self.successor.map(|url| clean(&url)),
            ..self
        }
    }
}

/// Addresses longer than this are none that people follow.
const MAX_URL: usize = 500;

/// Reads the headers; what is not understood is not there.
///
/// `Deprecation` is a date as a structured field (`@1688169599`), or, as drafts had it, an HTTP date, or `true`, which
/// dates nothing. Where `Sunset` comes several times the first date counts.
#[must_use]
pub fn lifecycle(head: &ResponseHead) -> Lifecycle {
    let values = |name: &'static str| {
        head.headers.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    };
    let link =
        |wanted: &str| values("link").flat_map(links).find(|(rel, _)| rel == wanted).map(|(_, url)| url);
    Lifecycle {
        deprecated: values("deprecation").filter_map(moment).min(),
        sunset: values("sunset").filter_map(moment).min(),
        about: link("deprecation").or_else(|| link("sunset")),
        successor: link("successor-version"),
    }
}

/// `@1688169599`, an HTTP date, or a date alone, as several vendors write it.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_matches('"');
    if let Some(seconds) = text.strip_prefix('@') {
        // Parameters of a structured field may follow.
        return Timestamp::from_second(seconds.split(';').next()?.trim().parse().ok()?).ok();
    }
    let day = || text.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|day| day.timestamp());
    http_date(text).or_else(|| text.parse().ok()).or_else(day)
}

/// The links of one header, each relation with its address.
fn links(value: &str) -> impl Iterator<Item = (String, String)> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((url, parameters)) = after.split_once('>') else { break };
        let end = parameters.find('<').unwrap_or(parameters.len());
        for parameter in parameters[..end].split([';', ',']) {
            let Some((name, rels)) = parameter.split_once('=') else { continue };
            if name.trim().eq_ignore_ascii_case("rel") && url.len() <= MAX_URL && found.len() < 64 {
                let rels = rels.trim().trim_matches('"').to_ascii_lowercase();
                found.extend(rels.split_whitespace().map(|rel| (rel.to_owned(), url.trim().to_owned())));
            }
        }
        rest = &parameters[end..];
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Lifecycle {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        lifecycle(&ResponseHead { status: 200, headers })
    }

    #[test]
    fn dates_are_read_in_every_notation() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for (text, expected) in [
            ("@1688169599", at("2023-06-30T23:59:59Z")),
            ("@1688169599;x=1", at("2023-06-30T23:59:59Z")),
            ("Fri, 30 Jun 2023 23:59:59 GMT", at("2023-06-30T23:59:59Z")),
            ("2023-06-30", at("2023-06-30T00:00:00Z")),
            ("2023-06-30T23:59:59Z", at("2023-06-30T23:59:59Z")),
            ("true", None),
            ("@", None),
            ("@99999999999999999999", None),
            ("soon", None),
        ] {
            assert_eq!(read(&[("deprecation", text)]).deprecated, expected, "{text}");
            assert_eq!(read(&[("sunset", text)]).sunset, expected, "{text}");
        }
    }

    #[test]
    fn links_are_read_by_their_relation() {
        let seen = read(&[
            (
                "link",
                "<https://api.example.com/v1?page=2>; rel=\"next\", <https://docs.example.com/a,b>; rel=\"sunset alternate\"",
            ),
            ("link", "</v2/orders>;rel=successor-version"),
        ]);
        assert_eq!(seen.about.as_deref(), Some("https://docs.example.com/a,b"));
        assert_eq!(seen.successor.as_deref(), Some("/v2/orders"));
        assert_eq!(read(&[("link", "<<>>; rel=, ;;<x")]), Lifecycle::default());
    }
}
