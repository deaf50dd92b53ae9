//! From one page to the next.

use http::{HeaderMap, header};
use url::Url;

use super::PagingSettings;
use super::json::scalar_at;
use crate::net::redact;

/// Where a run through the pages stands.
#[derive(Debug)]
pub(super) struct Pager<'a> {
    settings: &'a PagingSettings,
    /// The host that all pages are on.
    first: Url,
    number: u64,
    cursor: Option<String>,
}

/// How the next page is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It was the last.
    End,
    /// With these parameters.
    Params(Vec<(String, String)>),
    /// At this address.
    Address(Box<Url>),
    /// It leads in a circle.
    Circle,
    /// It leads where we do not go.
    Refused(String),
}

/// What a page says about the next.
pub(super) struct Page<'a> {
    pub(super) body: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) url: &'a Url,
    pub(super) records: usize,
}

impl<'a> Pager<'a> {
    pub(super) const fn new(settings: &'a PagingSettings, first: Url) -> Self {
        let number = match settings {
            PagingSettings::Page { start, .. } => *start,
            PagingSettings::None
            | PagingSettings::Offset { .. }
            | PagingSettings::Cursor { .. }
            | PagingSettings::Link => 0,
        };
        Self { settings, first, number, cursor: None }
    }

    /// The parameters of the first page.
    pub(super) fn first(&self) -> Vec<(String, String)> {
        self.params()
    }

    fn params(&self) -> Vec<(String, String)> {
        match self.settings {
            PagingSettings::None | PagingSettings::Link => Vec::new(),
            PagingSettings::Page { param, size_param, size, .. } => {
                let mut params = vec![(param.clone(), self.number.to_string())];
                if let (Some(size_param), Some(size)) = (size_param, size) {
                    params.push((size_param.clone(), size.to_string()));
                }
                params
            }
            PagingSettings::Offset { param, size_param, size } => {
                vec![(param.clone(), self.number.to_string()), (size_param.clone(), size.to_string())]
            }
            PagingSettings::Cursor { param, .. } => match (param, &self.cursor) {
                (Some(param), Some(cursor)) => vec![(param.clone(), cursor.clone())],
                (Some(_), None) | (None, _) => Vec::new(),
            },
        }
    }

    /// Reads what a page says about the next.
    pub(super) fn next(&mut self, page: &Page<'_>) -> Next {
        match self.settings {
            PagingSettings::None => Next::End,
            PagingSettings::Page { size, .. } => {
                if page.records == 0 || size.is_some_and(|size| (page.records as u64) < size) {
                    return Next::End;
                }
                self.number = self.number.saturating_add(1);
                Next::Params(self.params())
            }
            PagingSettings::Offset { size, .. } => {
                if page.records == 0 || (page.records as u64) < *size {
                    return Next::End;
                }
                self.number = self.number.saturating_add(*size);
                Next::Params(self.params())
            }
            PagingSettings::Cursor { path, param } => {
                let Some(cursor) = scalar_at(page.body, path) else { return Next::End };
                if self.cursor.as_ref() == Some(&cursor) {
                    return Next::Circle;
                }
                self.cursor = Some(cursor.clone());
                match param {
                    Some(_) => Next::Params(self.params()),
                    None => self.address(&cursor, page.url),
                }
            }
            PagingSettings::Link => match next_link(page.headers) {
                Some(target) => self.address(&target, page.url),
                None => Next::End,
            },
        }
    }

    fn address(&self, target: &str, current: &Url) -> Next {
        let Ok(mut to) = current.join(target) else {
            return Next::Refused("the address of the next page cannot be read".to_owned());
        };
        to.set_fragment(None);
        // Servers behind a proxy that ends TLS often write http by mistake; the safe scheme is kept.
        if (self.first.scheme(), to.scheme()) == ("https", "http") && self.first.host() == to.host() {
            let _ = to.set_port(self.first.port());
            let _ = to.set_scheme("https");
        }
        if to.origin() != self.first.origin() || !to.username().is_empty() || to.password().is_some() {
            let shown = redact::text(to.host_str().unwrap_or("?"));
            return Next::Refused(format!(
                "the next page is on another host, `{shown}`, where nothing is sent"
            ));
        }
        if to == *current {
            return Next::Circle;
        }
        Next::Address(Box::new(to))
    }
}

/// The target of `rel="next"` among the `Link` headers (RFC 8288).
fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok()).find_map(|text| {
        let mut rest = text;
        // Targets stand between angle brackets, so commas inside of an address part nothing.
        while let Some(start) = rest.find('<') {
            let (target, after) = rest[start + 1..].split_once('>')?;
            let end = end_of_params(after);
            let is_next =
                after[..end].split(';').filter_map(|param| param.split_once('=')).any(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value
                            .trim()
                            .trim_matches('"')
                            .split_ascii_whitespace()
                            .any(|rel| rel.eq_ignore_ascii_case("next"))
                });
            if is_next {
                return Some(target.to_owned());
            }
            rest = &after[end..];
        }
        None
    })
}

/// Where the parameters of one link end: at a comma outside of quotes.
fn end_of_params(text: &str) -> usize {
    let mut quoted = false;
    for (at, sign) in text.char_indices() {
        match sign {
            '"' => quoted = !quoted,
            ',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::LINK, text.parse().unwrap());
        next_link(&headers)
    }

    #[test]
    fn reads_link_headers() {
        assert_eq!(
            link(r#"</a?x=1,2>; rel="prev", </b>; title="a, b"; rel="next last""#).as_deref(),
            Some("/b")
        );
        assert_eq!(link("</b>;REL=next").as_deref(), Some("/b"));
        assert_eq!(link(r#"</b>; rel="last""#), None);
        assert_eq!(link("nonsense"), None);
        assert_eq!(link("<never closed"), None);
    }

    #[test]
    fn the_next_page_stays_on_the_host() {
        let first = Url::parse("https://api.example/v1/items").unwrap();
        let settings = PagingSettings::Link;
        let pager = Pager::new(&settings, first.clone());
        assert_eq!(
            pager.address("http://api.example/v1/items?p=2", &first),
            Next::Address(Box::new(Url::parse("https://api.example/v1/items?p=2").unwrap()))
        );
        assert!(matches!(pager.address("https://evil.example/?p=2", &first), Next::Refused(_)));
        assert!(matches!(pager.address("//evil.example/", &first), Next::Refused(_)));
        assert!(matches!(pager.address("javascript:x", &first), Next::Refused(_)));
        assert_eq!(pager.address("/v1/items", &first), Next::Circle);
    }
}
