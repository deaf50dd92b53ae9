//! Connectors: addresses, sign-in, requests, documents.

use std::collections::BTreeMap;

use super::{Checker, LEAST_INTERVAL, below, is_loopback};
use crate::config::errors::sounds_secret;
use crate::config::tree::Seg;
use crate::config::{ConnectorSettings, StreamSettings};
use crate::model::Period;
use crate::observe::{AuthSettings, BodySettings, HttpSettings, Method, PagingSettings, RequestSettings};

/// Checks one connector.
pub(super) fn check(checker: &mut Checker<'_, '_>, name: &str, connector: &ConnectorSettings) {
    let at: Vec<Seg> = vec!["connectors".into(), name.into()];
    checker.name(&at, "connector", name);
    if let Some(base) = &connector.base_url {
        let base_at = below(&at, "base_url");
        address(checker, &base_at, base);
        checker.template(&base_at, base);
    }
    auth(checker, &below(&at, "auth"), &connector.auth);
    headers(checker, &below(&at, "headers"), &connector.headers);
    if let Some(settings) = &connector.http {
        http(checker, &below(&at, "http"), settings);
    }
    for (index, doc) in connector.docs.iter().enumerate() {
        let doc_at = below(&below(&at, "docs"), index);
        match (&doc.url, &doc.file, &doc.mcp) {
            (Some(_), Some(_), _) => {
                checker.error_at_key(&below(&doc_at, "file"), "`url` and `file` are both given; keep one");
            }
            (Some(_), None, Some(_)) | (None, Some(_), Some(_)) => {
                checker.error_at_key(&below(&doc_at, "mcp"), "`mcp` stands beside another place; keep one");
            }
            (None, None, None)
                if !["url", "file", "mcp"].into_iter().any(|key| checker.given(&below(&doc_at, key))) =>
            {
                checker.error(&doc_at, "a document has `url`, `file` or `mcp`; this one has none");
            }
            (Some(url), None, None) => {
                relative(checker, &below(&doc_at, "url"), url, connector.base_url.is_some());
            }
            (None, None, Some(server)) => {
                let at = below(&doc_at, "mcp");
                match (&server.url, server.command.as_deref()) {
                    (Some(url), None) => {
                        relative(checker, &below(&at, "url"), url, connector.base_url.is_some());
                    }
                    (None, Some([_, ..])) => {}
                    _ => checker.error(&at, "an MCP server has `url` or `command`, one of them"),
                }
            }
            (None, _, None) => {}
        }
        checker.at_least(&below(&doc_at, "every"), "every", doc.every, Period::from_secs(60));
    }
    if connector.streams.is_empty() && checker.source.tree.keys(&below(&at, "streams")).is_empty() {
        checker.warning(
            &at,
            format!("connector `{name}` has no stream, so nothing of it is watched"),
            "add one below `streams`",
        );
    }
    for (stream_name, settings) in &connector.streams {
        stream(checker, &below(&below(&at, "streams"), stream_name), stream_name, settings, connector);
    }
}

fn stream(
    checker: &mut Checker<'_, '_>,
    at: &[Seg],
    name: &str,
    settings: &StreamSettings,
    connector: &ConnectorSettings,
) {
    checker.name(at, "stream", name);
    checker.at_least(&below(at, "every"), "every", settings.every, LEAST_INTERVAL);
    let has_mapping =
        connector.mapping.is_some() || checker.given(&["connectors".into(), at[1].clone(), "mapping".into()]);
    if settings.mapped_as.is_some() && !has_mapping {
        checker.error_at_key(
            &below(at, "mapped_as"),
            "`mapped_as` names a stream of the mapping file, and the connector has no `mapping`",
        );
    }
    if let Some(settings) = &settings.request {
        request(checker, &below(at, "request"), settings, connector.base_url.is_some());
    }
}

fn request(checker: &mut Checker<'_, '_>, at: &[Seg], request: &RequestSettings, has_base: bool) {
    relative(checker, &below(at, "url"), &request.url, has_base);
    checker.template(&below(at, "url"), &request.url);
    for (key, value) in &request.query {
        checker.template(&below(&below(at, "query"), key), value);
    }
    headers(checker, &below(at, "headers"), &request.headers);
    if request.max_pages == 0 {
        checker.error(&below(at, "max_pages"), "with `max_pages: 0` nothing is ever read");
    }
    let body_at = below(at, "body");
    match (&request.body, request.method) {
        (Some(_), Method::Get) => {
            checker.found.errors.push(
                checker
                    .source
                    .error_at_key(&body_at, "a `GET` has no body")
                    .help("add `method: POST`, or take `query` for parameters"),
            );
        }
        (Some(BodySettings::Json(value)), Method::Post) => json(checker, &below(&body_at, "json"), value),
        (Some(BodySettings::Form(fields)), Method::Post) => {
            for (key, value) in fields {
                checker.template(&below(&below(&body_at, "form"), key), value);
            }
        }
        (Some(BodySettings::Graphql(body)), Method::Post) => {
            for (key, value) in &body.variables {
                json(checker, &below(&below(&below(&body_at, "graphql"), "variables"), key), value);
            }
        }
        (None, Method::Get | Method::Post) => {}
    }
    let paging_at = below(at, "paging");
    let size = match &request.paging {
        PagingSettings::Page { size, .. } => *size,
        PagingSettings::Offset { size, .. } => Some(*size),
        PagingSettings::None | PagingSettings::Cursor { .. } | PagingSettings::Link => None,
    };
    if size == Some(0) {
        checker.error(&below(&paging_at, "size"), "a page of 0 records never ends");
    }
}

/// Templates stand in strings at any depth of a body.
fn json(checker: &mut Checker<'_, '_>, at: &[Seg], value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => checker.template(at, text),
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                json(checker, &below(at, index), item);
            }
        }
        serde_json::Value::Object(members) => {
            for (key, member) in members {
                json(checker, &below(at, key), member);
            }
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn headers(checker: &mut Checker<'_, '_>, at: &[Seg], headers: &BTreeMap<String, String>) {
    for (name, value) in headers {
        let header_at = below(at, name);
        header_name(checker, &header_at, name);
        checker.template(&header_at, value);
        if value.contains(['\r', '\n', '\0']) {
            checker.error(&header_at, "a header's value is one line");
        }
        if sounds_secret(name) && !value.contains("{{") {
            checker.warning(
                &header_at,
                format!("`{name}` looks like a secret that is written down here"),
                "let `auth` send it, from `${NAME}` or a file",
            );
        }
    }
}

fn header_name(checker: &mut Checker<'_, '_>, at: &[Seg], name: &str) {
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        checker.error_at_key(at, format!("`{}` is not the name of a header", name.escape_debug()));
    }
}

/// An address that may be relative to `base_url`.
fn relative(checker: &mut Checker<'_, '_>, at: &[Seg], url: &str, has_base: bool) {
    let base_at: Vec<Seg> = at[..2.min(at.len())].iter().cloned().chain(["base_url".into()]).collect();
    let scheme = url.split_once("://").map(|(scheme, _)| scheme).filter(|s| !s.contains(['/', '?', '{']));
    if scheme.is_some() {
        address(checker, at, url);
    } else if url.trim().is_empty() {
        checker.error(at, "the address is empty");
    } else if !has_base && !url.starts_with("{{") && !checker.given(&base_at) {
        checker.error_help(
            at,
            "a relative address needs `base_url` at the connector",
            "write the whole address, with `https://`, or add `base_url`",
        );
    }
}

/// An absolute address of HTTP, templates aside.
fn address(checker: &mut Checker<'_, '_>, at: &[Seg], text: &str) {
    // A template may stand anywhere behind the scheme; what it becomes is seen when the request is made.
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        literal.push_str(before);
        literal.push('1');
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    literal.push_str(rest);
    let url = match url::Url::parse(&literal) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            checker.error(at, "a whole address is expected, with `https://`");
            return;
        }
        Err(error) => {
            checker.error(at, format!("this is no address: {error}"));
            return;
        }
    };
    if !matches!(url.scheme(), "http" | "https") {
        checker.error(
            at,
            format!("`{}` is not understood; addresses begin with `https://` or `http://`", url.scheme()),
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        checker.error_help(at, "an address holds no user name and no password", "put them below `auth`");
    }
}

fn auth(checker: &mut Checker<'_, '_>, at: &[Seg], auth: &AuthSettings) {
    match auth {
        AuthSettings::None => {}
        AuthSettings::Basic { .. } => checker.one_secret(at, "password", true),
        AuthSettings::Bearer { .. } => checker.one_secret(at, "token", true),
        AuthSettings::ApiKey { header, .. } => {
            checker.one_secret(at, "key", true);
            match (checker.given(&below(at, "header")), checker.given(&below(at, "query"))) {
                (true, true) => {
                    checker.error_at_key(
                        &below(at, "query"),
                        "`header` and `query` are both given; the key is sent in one of them",
                    );
                }
                (false, false) => {
                    checker.error_at_key(
                        at,
                        "an API key needs the name of its `header` or of its `query` parameter",
                    );
                }
                (true, false) | (false, true) => {}
            }
            if let Some(header) = header {
                header_name(checker, &below(at, "header"), header);
            }
        }
        AuthSettings::Oauth2ClientCredentials { token_url, .. } => {
            token_endpoint(checker, at, token_url);
            checker.one_secret(at, "client_secret", true);
        }
        AuthSettings::Oauth2RefreshToken { token_url, .. } => {
            token_endpoint(checker, at, token_url);
            checker.one_secret(at, "client_secret", false);
            if checker.given(&below(at, "refresh_token")) {
                let error = checker
                    .source
                    .error_at_key(
                        &below(at, "refresh_token"),
                        "a refresh token from the environment is refused: many vendors replace it at each use, the \
                         next one could not be kept, and probing with the connector's own would break the connector",
                    )
                    .help("make a grant of Drogue's own and name its file: `refresh_token_file: refresh.token`");
                checker.found.errors.push(error);
            } else if !checker.given(&below(at, "refresh_token_file")) {
                checker.error_at_key(
                    at,
                    "`refresh_token_file` is missing: the file that holds the token and takes the next one",
                );
            }
        }
    }
}

fn token_endpoint(checker: &mut Checker<'_, '_>, at: &[Seg], url: &str) {
    let at = below(at, "token_url");
    address(checker, &at, url);
    let plain_http = url::Url::parse(url)
        .is_ok_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback));
    if plain_http {
        checker.error(&at, "a client secret is not sent without TLS: use `https://`");
    }
}

/// Checks how requests are made.
pub(super) fn http(checker: &mut Checker<'_, '_>, at: &[Seg], http: &HttpSettings) {
    for (one, other) in [("client_cert_file", "client_key_file"), ("client_key_file", "client_cert_file")] {
        if checker.given(&below(at, one)) && !checker.given(&below(at, other)) {
            checker.error_at_key(&below(at, one), format!("`{one}` needs `{other}` beside it"));
        }
    }
    if let Some(proxy) = &http.proxy {
        let proxy_at = below(at, "proxy");
        match url::Url::parse(proxy) {
            Ok(url) if matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") => {
                if url.password().is_some() {
                    checker.warning(
                        &proxy_at,
                        "the proxy's password is written down here",
                        "let the proxy know this machine by its address instead",
                    );
                }
            }
            Ok(_) | Err(_) => {
                checker
                    .error(&proxy_at, "a proxy's address begins with `http://`, `https://` or `socks5://`");
            }
        }
    }
    let zero = Period::from_secs(0);
    for (key, period) in [("timeout", http.timeout), ("connect_timeout", http.connect_timeout)] {
        if period == zero {
            checker.error(&below(at, key), format!("with `{key}: 0s` no request ever succeeds"));
        }
    }
    if http.max_body.0 == 0 {
        checker.error(&below(at, "max_body"), "with `max_body: 0` no response is ever read");
    }
    if !(1..=128).contains(&http.max_depth) {
        checker.error(&below(at, "max_depth"), "`max_depth` is between 1 and 128");
    }
    if http.requests_per_day == 0 {
        checker.error(&below(at, "requests_per_day"), "with `requests_per_day: 0` nothing is ever asked");
    }
    if http::HeaderValue::from_str(&http.user_agent).is_err() {
        checker.error(&below(at, "user_agent"), "`user_agent` is one line of plain text");
    }
}
