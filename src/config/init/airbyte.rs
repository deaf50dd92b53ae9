//! What an Airbyte low-code manifest says of requests: base, sign-in, paging. Only what is literal is taken over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    FoundAuth, FoundConnector, FoundStream, Obstacle, is_header, is_usable_address, parse, unique, valid_name,
};
use crate::model::FieldPath;
use crate::observe::{Method, PagingSettings};

/// References below references; manifests of the wild have up to 6.
const MAX_HOPS: usize = 24;

/// Reads a manifest; nothing where the text is something else.
pub(super) fn read(text: &str) -> Option<FoundConnector> {
    if !text.contains("DeclarativeSource") {
        return None;
    }
    let root = parse(text)?;
    if root.get("type").and_then(Value::as_str) != Some("DeclarativeSource") {
        return None;
    }
    let manifest = Manifest { root: &root };
    let streams: Vec<Map<String, Value>> =
        root.get("streams")?.as_array()?.iter().filter_map(|stream| manifest.object(stream)).collect();
    let mut taken = BTreeSet::new();
    let mut connector = FoundConnector::default();
    for stream in &streams {
        let Some(retriever) = manifest.child(stream, "retriever") else { continue };
        let requester = manifest.child(&retriever, "requester").unwrap_or_default();
        if let (FoundAuth::None, Some(auth)) = (&connector.auth, manifest.child(&requester, "authenticator"))
        {
            connector.auth = manifest.auth(&auth);
        }
        let base = manifest.text(&requester, "url_base").or_else(|| manifest.text(&requester, "url"));
        let base = base.map(|base| base.split_whitespace().collect::<Vec<_>>().join(" "));
        if let (None, Some(hint)) = (&connector.base_hint, base.as_ref().filter(|base| !is_literal(base))) {
            connector.base_hint = Some(hint.clone());
        }
        let base = base.filter(|base| is_usable_address(base));
        if connector.base_url.is_none() {
            connector.base_url.clone_from(&base);
        }
        if let Some(stream) =
            manifest.stream(stream, &retriever, &requester, base, connector.base_url.as_deref(), &mut taken)
        {
            connector.streams.push(stream);
        }
    }
    Some(connector)
}

fn is_literal(text: &str) -> bool {
    !text.contains("{{") && !text.contains("{%")
}

struct Manifest<'v> {
    root: &'v Value,
}

impl Manifest<'_> {
    /// What a value stands for: itself, or what it refers to, with its own keys over those of the reference.
    fn object(&self, value: &Value) -> Option<Map<String, Value>> {
        self.object_within(value, MAX_HOPS)
    }

    fn object_within(&self, value: &Value, hops: usize) -> Option<Map<String, Value>> {
        let hops = hops.checked_sub(1)?;
        match value {
            Value::String(reference) => self.object_within(self.target(reference)?, hops),
            Value::Object(own) => {
                let Some(reference) = own.get("$ref").and_then(Value::as_str) else {
                    return Some(own.clone());
                };
                let mut merged = self.object_within(self.target(reference)?, hops)?;
                merged.extend(
                    own.iter().filter(|(key, _)| *key != "$ref").map(|(k, v)| (k.clone(), v.clone())),
                );
                Some(merged)
            }
            _ => None,
        }
    }

    fn target(&self, reference: &str) -> Option<&Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }

    fn child(&self, parent: &Map<String, Value>, key: &str) -> Option<Map<String, Value>> {
        self.object(parent.get(key)?)
    }

    /// A text, references followed; parameters of the component filled in where it is no more than one of them.
    fn text(&self, parent: &Map<String, Value>, key: &str) -> Option<String> {
        let mut value = parent.get(key)?;
        for _ in 0..MAX_HOPS {
            match value.as_str() {
                Some(text) if text.starts_with("#/") => value = self.target(text)?,
                Some(text) => return Some(text.to_owned()),
                None => return value.as_i64().map(|number| number.to_string()),
            }
        }
        None
    }

    fn auth(&self, auth: &Map<String, Value>) -> FoundAuth {
        let kind = self.text(auth, "type").unwrap_or_default();
        match kind.as_str() {
            "NoAuth" | "" => FoundAuth::None,
            "BearerAuthenticator" => FoundAuth::Bearer,
            "BasicHttpAuthenticator" => FoundAuth::Basic,
            "ApiKeyAuthenticator" => match self.child(auth, "inject_into") {
                Some(option) => {
                    let name = self.text(&option, "field_name").filter(|name| is_literal(name));
                    match (name, self.text(&option, "inject_into").as_deref()) {
                        (Some(name), Some("header")) if is_header(&name) => FoundAuth::Header(name),
                        (Some(name), Some("request_parameter")) => FoundAuth::Query(name),
                        _ => FoundAuth::Other(kind),
                    }
                }
                None => match self.text(auth, "header").filter(|name| is_header(name)) {
                    Some(name) => FoundAuth::Header(name),
                    None => FoundAuth::Other(kind),
                },
            },
            "OAuthAuthenticator" => {
                let endpoint = self
                    .text(auth, "token_refresh_endpoint")
                    .filter(|url| is_usable_address(url) && url.starts_with("https"));
                let grant = self.text(auth, "grant_type");
                match (endpoint, grant.as_deref()) {
                    (Some(url), Some("client_credentials")) => FoundAuth::ClientCredentials(url),
                    _ => FoundAuth::Other("OAuth 2.0 with a refresh token: make a grant of Drogue's own, and see `oauth2-refresh-token`".to_owned()),
                }
            }
            _ => FoundAuth::Other(kind),
        }
    }

    fn stream(
        &self,
        stream: &Map<String, Value>,
        retriever: &Map<String, Value>,
        requester: &Map<String, Value>,
        base: Option<String>,
        common: Option<&str>,
        taken: &mut BTreeSet<String>,
    ) -> Option<FoundStream> {
        let parameters = self.child(stream, "$parameters").unwrap_or_default();
        let own_name = self.text(stream, "name").or_else(|| self.text(&parameters, "name"))?;
        let name = unique(&valid_name(&own_name), taken);
        let path =
            self.text(requester, "path").or_else(|| self.text(&parameters, "path")).unwrap_or_default();
        let path = parameter(&path).and_then(|key| self.text(&parameters, key)).unwrap_or(path);
        let method = match self.text(requester, "http_method").as_deref() {
            Some("POST") => Method::Post,
            _ => Method::Get,
        };
        let obstacle = if retriever.contains_key("partition_router") {
            Some(Obstacle::Other("it is asked for once for each parent".to_owned()))
        } else if !is_literal(&path) {
            Some(Obstacle::Other("the path depends on the connector's own configuration".to_owned()))
        } else if method == Method::Post {
            Some(Obstacle::Other("the body of its `POST` is the connector's own".to_owned()))
        } else {
            base.is_none().then_some(Obstacle::Base)
        };
        let path = path.trim_start_matches('/').to_owned();
        let url = match base {
            Some(base) if common != Some(base.as_str()) => format!("{}/{path}", base.trim_end_matches('/')),
            // The base itself is the address.
            Some(base) if path.is_empty() => base,
            _ => path,
        };
        let mut query = BTreeMap::new();
        for (key, value) in self.child(requester, "request_parameters").unwrap_or_default() {
            let text = match &value {
                Value::String(text) if is_literal(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => continue,
            };
            query.insert(key, text);
        }
        let mapped_as = (own_name != name).then_some(own_name);
        Some(FoundStream {
            mapped_as,
            url,
            method,
            query,
            records: self.records(retriever),
            key: self.key(stream),
            paging: self
                .child(retriever, "paginator")
                .map(|paginator| self.paging(&paginator))
                .unwrap_or_default(),
            obstacle,
            name,
        })
    }

    /// `field_path: [data, items]` is `$.data.items[*]`; without one, Drogue finds the records by itself.
    fn records(&self, retriever: &Map<String, Value>) -> Option<FieldPath> {
        let selector = self.child(retriever, "record_selector")?;
        let extractor = self.child(&selector, "extractor")?;
        let mut path = FieldPath::root();
        let steps = extractor.get("field_path")?.as_array()?;
        for step in steps {
            let step = step.as_str().filter(|step| is_literal(step))?;
            path = if step == "*" { path.each() } else { path.child(step) };
        }
        if steps.is_empty() {
            return None;
        }
        Some(if steps.last().and_then(Value::as_str) == Some("*") { path } else { path.each() })
    }

    fn key(&self, stream: &Map<String, Value>) -> Vec<FieldPath> {
        let parameters = self.child(stream, "$parameters").unwrap_or_default();
        let Some(key) = stream.get("primary_key").or_else(|| parameters.get("primary_key")) else {
            return Vec::new();
        };
        let one = |value: &Value| match value {
            Value::String(name) if is_literal(name) && !name.starts_with("#/") && !name.is_empty() => {
                Some(FieldPath::root().child(name))
            }
            Value::Array(steps) => {
                let names: Option<Vec<&str>> = steps.iter().map(Value::as_str).collect();
                names.filter(|names| !names.is_empty()).map(FieldPath::of_keys)
            }
            _ => None,
        };
        match key {
            Value::Array(parts) => parts.iter().map(one).collect::<Option<Vec<_>>>().unwrap_or_default(),
            other => one(other).into_iter().collect(),
        }
    }

    fn paging(&self, paginator: &Map<String, Value>) -> PagingSettings {
        let Some(strategy) = self.child(paginator, "pagination_strategy") else {
            return PagingSettings::None;
        };
        let param = |key: &str| {
            let option = self.child(paginator, key)?;
            let in_query = self.text(&option, "inject_into").as_deref() == Some("request_parameter");
            self.text(&option, "field_name").filter(|name| in_query && is_literal(name))
        };
        let size = self
            .text(&strategy, "page_size")
            .and_then(|size| size.parse::<u64>().ok())
            .filter(|size| *size > 0);
        let kind = self.text(&strategy, "type").unwrap_or_default();
        match (kind.as_str(), param("page_token_option"), size) {
            ("PageIncrement", Some(param_name), size) => PagingSettings::Page {
                param: param_name,
                start: strategy.get("start_from_page").and_then(Value::as_u64).unwrap_or(0),
                size_param: param("page_size_option"),
                size,
            },
            ("OffsetIncrement", Some(param_name), Some(size)) => PagingSettings::Offset {
                param: param_name,
                size_param: param("page_size_option").unwrap_or_else(|| "limit".to_owned()),
                size,
            },
            ("CursorPagination", token, _) => {
                let cursor = self.text(&strategy, "cursor_value").unwrap_or_default();
                match (cursor_path(&cursor), token) {
                    (Some(path), param) => PagingSettings::Cursor { path, param },
                    (None, None) if cursor.contains("headers") && cursor.contains("link") => {
                        PagingSettings::Link
                    }
                    (None, _) => PagingSettings::None,
                }
            }
            _ => PagingSettings::None,
        }
    }
}

/// `{{ parameters.path }}` or `{{ parameters['path'] }}` is one parameter.
fn parameter(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let inner = inner.strip_prefix("parameters")?;
    let inner = inner.strip_prefix('.').or_else(|| {
        inner
            .strip_prefix("['")
            .and_then(|rest| rest.strip_suffix("']"))
            .or_else(|| inner.strip_prefix("[\"").and_then(|rest| rest.strip_suffix("\"]")))
    })?;
    inner.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()).then_some(inner)
}

/// `{{ response.meta.next }}`, `{{ response['meta']['next'] }}` and `{{ response.get('next') }}`, with any default
/// behind, are paths into the body.
fn cursor_path(text: &str) -> Option<FieldPath> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let mut rest = inner.strip_prefix("response")?;
    let mut path = FieldPath::root();
    loop {
        let (name, after) = if let Some(tail) = rest.strip_prefix(".get(") {
            let (arguments, after) = tail.split_once(')')?;
            (arguments.split(',').next()?.trim().trim_matches(['"', '\'']), after)
        } else if let Some(tail) = rest.strip_prefix('[') {
            let (name, after) = tail.split_once(']')?;
            (name.trim().trim_matches(['"', '\'']), after)
        } else if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(tail.len());
            (&tail[..end], &tail[end..])
        } else {
            break;
        };
        if name.is_empty() {
            return None;
        }
        path = path.child(name);
        rest = after;
    }
    let rest = rest.trim();
    let plain = rest.is_empty() || rest.starts_with("or ") || rest.starts_with("| default");
    (plain && path != FieldPath::root()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cursors_and_parameters() {
        let path = |text| cursor_path(text).map(|path| path.to_string());
        assert_eq!(path("{{ response.meta.next }}").as_deref(), Some("$.meta.next"));
        assert_eq!(path("{{ response.get('next', {}).get(\"cursor\") }}").as_deref(), Some("$.next.cursor"));
        assert_eq!(path("{{ response['links']['next'] or '' }}").as_deref(), Some("$.links.next"));
        assert_eq!(path("{{ headers['link'] }}"), None);
        assert_eq!(path("{{ last_records[-1]['id'] }}"), None);
        assert_eq!(parameter("{{ parameters['path'] }}"), Some("path"));
        assert_eq!(parameter("{{ parameters.path ~ 'x' }}"), None);
    }
}
