//! Makes a request out of settings: templates filled in, paging parameters in their place.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use super::template::{render, render_value};
use super::{BodySettings, Method, Source, TemplateError};
use crate::model::{FieldPath, Step};
use crate::net::{Request, redact};

/// Why no request can be made; the config is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The address.
    #[error("`{0}` is no address: give a whole one, or `base_url` on the connector")]
    Address(String),
    /// A header.
    #[error("header `{0}` cannot be sent: its name or its value holds a sign that no header may carry")]
    Header(String),
}

/// The request for a page. `page` has the paging parameters; `address` stands in place of that of the settings.
pub(super) fn build(
    source: &Source,
    now: Timestamp,
    page: &[(String, String)],
    address: Option<&Url>,
) -> Result<Request, RequestError> {
    let settings = &source.request;
    let mut url = match address {
        Some(address) => address.clone(),
        None => {
            let mut url = base_address(source, now)?;
            for (name, value) in &settings.query {
                set_param(&mut url, name, &render(value, now)?);
            }
            url
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let is_post = settings.method == Method::Post || settings.body.is_some();
    let body = match &settings.body {
        None => {
            page.iter().for_each(|(name, value)| set_param(&mut url, name, value));
            None
        }
        Some(BodySettings::Json(value)) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let mut value = render_value(value, now)?;
            page.iter().for_each(|(name, text)| set_member(&mut value, name, text));
            Some(value.to_string().into_bytes())
        }
        Some(BodySettings::Form(form)) => {
            headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in form.iter().filter(|(name, _)| !page.iter().any(|(other, _)| other == *name))
            {
                body.append_pair(name, &render(value, now)?);
            }
            body.extend_pairs(page);
            Some(body.finish().into_bytes())
        }
        Some(BodySettings::Graphql(graphql)) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let variables = graphql.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
            let mut variables = render_value(&Value::Object(variables.collect()), now)?;
            page.iter().for_each(|(name, text)| set_member(&mut variables, name, text));
            Some(
                serde_json::json!({ "query": graphql.query, "variables": variables })
                    .to_string()
                    .into_bytes(),
            )
        }
    };
    for (name, value) in source.connection.headers.iter().chain(&settings.headers) {
        let value = render(value, now)?;
        let fail = || RequestError::Header(name.clone());
        let key: HeaderName = name.parse().map_err(|_| fail())?;
        let mut value = HeaderValue::from_str(&value).map_err(|_| fail())?;
        value.set_sensitive(redact::is_secret_name(name));
        headers.insert(key, value);
    }
    let mut request = Request::get(url);
    if is_post {
        request.method = http::Method::POST;
        request.body = Some(body.unwrap_or_default());
    }
    request.headers = headers;
    Ok(request)
}

/// The address of the first page without its parameters.
pub(super) fn base_address(source: &Source, now: Timestamp) -> Result<Url, RequestError> {
    let text = render(&source.request.url, now)?;
    let base = source.connection.base_url.as_deref().map(|base| render(base, now)).transpose()?;
    join(base.as_deref(), &text).ok_or_else(|| RequestError::Address(redact::text(&text)))
}

/// A relative address goes below the whole path of the base, as people expect; `Url::join` would cut the last part.
pub(super) fn join(base: Option<&str>, text: &str) -> Option<Url> {
    let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    if let Ok(url) = Url::parse(text) {
        return Some(url).filter(usable);
    }
    let base = base?;
    let text = text.trim_start_matches('/');
    let whole = if text.is_empty() || text.starts_with('?') {
        format!("{base}{text}")
    } else {
        format!("{}/{text}", base.trim_end_matches('/'))
    };
    Url::parse(&whole).ok().filter(usable)
}

/// Sets a query parameter in place of an earlier one of that name.
pub(super) fn set_param(url: &mut Url, name: &str, value: &str) {
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(other, _)| other != name)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair(name, value);
}

/// Sets a member of a JSON body; a name such as `$.page.after` goes down into it. Digits alone become a number, as
/// page numbers and offsets are, unless the member was a string before.
fn set_member(body: &mut Value, name: &str, text: &str) {
    let path: FieldPath = if name.starts_with("$.") {
        name.parse().unwrap_or_else(|_| FieldPath::of_keys([name]))
    } else {
        FieldPath::of_keys([name])
    };
    let mut at = body;
    for step in path.steps() {
        let Step::Key(key) = step else { return };
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(members) = at else { return };
        at = members.entry(key.to_string()).or_insert(Value::Null);
    }
    let number = text.parse::<u64>().ok().filter(|number| !at.is_string() && number.to_string() == text);
    *at = number.map_or_else(|| Value::String(text.to_owned()), Value::from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_join_as_people_expect() {
        for (base, text, whole) in [
            (Some("https://h.example/v1"), "/orders", "https://h.example/v1/orders"),
            (Some("https://h.example/v1/"), "orders?a=b", "https://h.example/v1/orders?a=b"),
            (Some("https://h.example/graphql"), "", "https://h.example/graphql"),
            (None, "https://h.example/x", "https://h.example/x"),
        ] {
            assert_eq!(join(base, text).unwrap().as_str(), whole);
        }
        for (base, text) in [(None, "/orders"), (Some("nonsense"), "x"), (None, "file:///etc/passwd")] {
            assert!(join(base, text).is_none());
        }
    }

    #[test]
    fn parameters_are_replaced() {
        let mut url = Url::parse("https://h.example/?page=1&q=a%20b").unwrap();
        set_param(&mut url, "page", "2");
        assert_eq!(url.query(), Some("q=a+b&page=2"));
        let mut body = serde_json::json!({ "page": { "size": 10 }, "after": "1" });
        set_member(&mut body, "$.page.number", "2");
        set_member(&mut body, "after", "2");
        assert_eq!(body, serde_json::json!({ "page": { "size": 10, "number": 2 }, "after": "2" }));
    }
}
