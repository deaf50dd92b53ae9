//! What a connector's streams use of its API, from the config and the mapping: only that alerts.

use std::collections::BTreeMap;

use super::super::{Engine, EngineError, open::Stream};
use crate::model::{FieldPath, MappedStream};
use crate::observe::{AuthSettings, BodySettings, Method, PagingSettings, RequestSettings};
use crate::spec::{Sent, SignInScheme, WatchedEndpoint};

impl Engine {
    /// What each stream of the connector uses of the API.
    pub(in crate::engine) fn watched(&self, connector: &str) -> Result<Vec<WatchedEndpoint>, EngineError> {
        let mut watched = Vec::new();
        for subject in self.subjects(&[connector.to_owned()])? {
            watched.extend(self.endpoint_of(&self.stream(&subject)?));
        }
        Ok(watched)
    }

    /// What a stream uses of the API; `None` where nobody knows its address.
    pub(super) fn endpoint_of(&self, stream: &Stream<'_>) -> Option<WatchedEndpoint> {
        // A mapping that cannot be read narrows nothing: then every field of the endpoint counts.
        let mapped = self.mapping(stream).ok().flatten().map(|mapping| mapping.stream);
        let request = stream.settings.request.as_ref();
        let path = request
            .map(|request| absolute(stream.connector.base_url.as_deref(), &request.url))
            .or_else(|| mapped.as_ref().and_then(|mapped| mapped.endpoint.clone()))?;
        let method = match request.map(|request| request.method) {
            Some(Method::Post) => "POST",
            Some(Method::Get) | None => "GET",
        };
        let records = request
            .and_then(|request| request.records.clone())
            .or_else(|| mapped.as_ref().and_then(|mapped| mapped.records.clone()));
        Some(WatchedEndpoint {
            method: method.to_owned(),
            records,
            fields: mapped.as_ref().map(fields_read).unwrap_or_default(),
            passes_others: mapped.as_ref().is_some_and(|mapped| mapped.passes_others),
            beside: request.map(|request| beside_records(&request.paging)).unwrap_or_default(),
            sent: request
                .map(|request| sent(request, &path, &stream.connector.headers, &stream.connector.auth)),
            sign_in: sign_in(&stream.connector.auth),
            path,
        })
    }
}

/// Fields that fill columns, and those by which records are told apart and asked for.
fn fields_read(mapped: &MappedStream) -> Vec<FieldPath> {
    let sources = mapped.fields.iter().flat_map(|field| field.sources.clone());
    let mut fields: Vec<FieldPath> =
        sources.chain(mapped.primary_key.iter().cloned()).chain(mapped.cursor.clone()).collect();
    fields.sort();
    fields.dedup();
    fields
}

fn beside_records(paging: &PagingSettings) -> Vec<FieldPath> {
    match paging {
        PagingSettings::Cursor { path, .. } => vec![path.clone()],
        PagingSettings::None
        | PagingSettings::Page { .. }
        | PagingSettings::Offset { .. }
        | PagingSettings::Link => Vec::new(),
    }
}

/// What a stream sends; values that hold templates differ from one request to the next.
fn sent(
    request: &RequestSettings,
    address: &str,
    headers: &BTreeMap<String, String>,
    auth: &AuthSettings,
) -> Sent {
    let mut parameters: BTreeMap<String, Option<String>> = BTreeMap::new();
    let constant = |value: &str| Some(value.to_owned()).filter(|value| !value.contains("{{"));
    let query = address.split_once('?').map_or("", |(_, query)| query);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        parameters.insert(name.into_owned(), constant(&value));
    }
    for (name, value) in headers.iter().chain(&request.headers).chain(&request.query) {
        parameters.insert(name.clone(), constant(value));
    }
    let mut paging = |name: &String, value: Option<u64>| {
        parameters.insert(name.clone(), value.map(|value| value.to_string()));
    };
    match &request.paging {
        PagingSettings::None | PagingSettings::Link => {}
        PagingSettings::Page { param, start: _, size_param, size } => {
            paging(param, None);
            size_param.iter().for_each(|name| paging(name, *size));
        }
        PagingSettings::Offset { param, size_param, size } => {
            paging(param, None);
            paging(size_param, Some(*size));
        }
        PagingSettings::Cursor { path: _, param } => param.iter().for_each(|name| paging(name, None)),
    }
    if let AuthSettings::ApiKey { header, query, .. } = auth {
        parameters.extend(header.iter().chain(query).map(|name| (name.clone(), None)));
    }
    let body = match &request.body {
        Some(BodySettings::Json(value)) => leaves(value),
        Some(BodySettings::Form(form)) => {
            form.keys().map(|name| FieldPath::of_keys([name.as_str()])).collect()
        }
        Some(BodySettings::Graphql(_)) => {
            ["query", "variables"].map(|name| FieldPath::of_keys([name])).to_vec()
        }
        None => Vec::new(),
    };
    Sent { parameters, body, link_header: matches!(request.paging, PagingSettings::Link) }
}

/// The paths of a body that is sent; the config is small, so its depth is bounded by its parser.
fn leaves(value: &serde_json::Value) -> Vec<FieldPath> {
    let mut found = Vec::new();
    let mut places = vec![(FieldPath::root(), value)];
    while let Some((path, value)) = places.pop() {
        match value {
            serde_json::Value::Object(object) if !object.is_empty() => {
                places.extend(object.iter().map(|(name, value)| (path.child(name), value)));
            }
            serde_json::Value::Array(values) if !values.is_empty() => {
                places.extend(values.iter().map(|value| (path.each(), value)));
            }
            _ => found.push(path),
        }
    }
    found.sort();
    found.dedup();
    found
}

fn sign_in(auth: &AuthSettings) -> Option<SignInScheme> {
    Some(match auth {
        // Headers of the connector may sign in.
        AuthSettings::None => return None,
        AuthSettings::Basic { .. } => SignInScheme::Basic,
        AuthSettings::Bearer { .. } => SignInScheme::Bearer,
        AuthSettings::ApiKey { header, query, .. } => match (header, query) {
            (Some(name), _) => SignInScheme::HeaderKey(name.clone()),
            (None, Some(name)) => SignInScheme::QueryKey(name.clone()),
            (None, None) => return None,
        },
        AuthSettings::Oauth2ClientCredentials { token_url, .. }
        | AuthSettings::Oauth2RefreshToken { token_url, .. } => SignInScheme::OAuth(token_url.clone()),
    })
}

fn absolute(base: Option<&str>, address: &str) -> String {
    match base {
        Some(base) if !address.contains("://") => {
            format!("{}/{}", base.trim_end_matches('/'), address.trim_start_matches('/'))
        }
        Some(_) | None => address.to_owned(),
    }
}
