//! `drogue init`, the pure part: from files that were found to the text of a config that runs as it is.
//!
//! What a manifest leaves to its user (a domain, a parent's id) cannot be known here: such a stream is written without
//! a request, with the reason beside it, and its records come by `drogue import`. Secrets are named, never looked for.

mod airbyte;
mod draft;
mod openapi;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use draft::{Draft, draft};

use super::find::FoundFile;
use crate::adapters;
use crate::model::{FieldPath, Framework, MappedStream};
use crate::observe::{Method, PagingSettings};

/// What is known of the files below a folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// Connectors, in the order of their files.
    pub connectors: Vec<FoundConnector>,
    /// Documents that no connector claims.
    pub documents: Vec<PathBuf>,
}

/// A connector, or an API that is described and could be one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FoundConnector {
    /// Its name in the config; unique.
    pub name: String,
    /// Where its mapping is, and what it is written in; none for an API that is only described.
    pub mapping: Option<(PathBuf, Framework)>,
    /// What addresses are relative to, where it is known.
    pub base_url: Option<String>,
    /// The same as the connector has it, where a part of it is the user's own: `https://{{ config['domain'] }}/api`.
    pub base_hint: Option<String>,
    /// How it signs in.
    pub auth: FoundAuth,
    /// Its streams.
    pub streams: Vec<FoundStream>,
    /// Descriptions of its API.
    pub docs: Vec<PathBuf>,
}

/// How a connector signs in, by the means that Drogue has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FoundAuth {
    /// Nothing is said of it.
    #[default]
    None,
    /// HTTP Basic.
    Basic,
    /// A bearer token.
    Bearer,
    /// A key in a header.
    Header(String),
    /// A key in a query parameter.
    Query(String),
    /// OAuth 2.0 client credentials with this token endpoint.
    ClientCredentials(String),
    /// Something else; said in a comment.
    Other(String),
}

/// A stream.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundStream {
    /// Its name in the config; unique in the connector.
    pub name: String,
    /// Its name in the mapping file, where that differs.
    pub mapped_as: Option<String>,
    /// The address, relative to the base or whole.
    pub url: String,
    /// The method.
    pub method: Method,
    /// Query parameters whose values are known.
    pub query: BTreeMap<String, String>,
    /// Where the records sit.
    pub records: Option<FieldPath>,
    /// The primary key.
    pub key: Vec<FieldPath>,
    /// How to get from one page to the next.
    pub paging: PagingSettings,
    /// Why it cannot be asked for as it is.
    pub obstacle: Option<Obstacle>,
}

/// Why a stream cannot be asked for as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// All but the base of its address is known.
    Base,
    /// Something else, as a clause.
    Other(String),
}

/// Reads what was found. Files that are neither a connector nor a description are left out.
#[must_use]
pub fn recognise(files: &[FoundFile]) -> Found {
    let mut found = Found::default();
    let mut apis = Vec::new();
    let mut taken = BTreeSet::new();
    for file in files {
        if let Some(mut connector) = airbyte::read(&file.text) {
            connector.name = unique(&connector_name(&file.path), &mut taken);
            connector.mapping = Some((file.path.clone(), Framework::AirbyteLowCode));
            found.connectors.push(connector);
        } else if let Some(api) = openapi::read(&file.text) {
            apis.push((file.path.clone(), api));
        } else if let Some(streams) = field_map(file) {
            found.connectors.push(FoundConnector {
                name: unique(&connector_name(&file.path), &mut taken),
                mapping: Some((file.path.clone(), Framework::FieldMap)),
                streams,
                ..FoundConnector::default()
            });
        }
    }
    for (path, mut api) in apis {
        match nearest_connector(&found.connectors, &path) {
            Some(at) => found.connectors[at].docs.push(path),
            None if api.streams.is_empty() => found.documents.push(path),
            None => {
                let name = if api.name.is_empty() { connector_name(&path) } else { valid_name(&api.name) };
                api.name = unique(&name, &mut taken);
                api.docs.push(path);
                found.connectors.push(api);
            }
        }
    }
    found
}

/// The streams of a field map, with their addresses where the map has them.
fn field_map(file: &FoundFile) -> Option<Vec<FoundStream>> {
    let name = file.path.to_string_lossy();
    if adapters::recognise(&name, &file.text) != Some(Framework::FieldMap) {
        return None;
    }
    let mapping = adapters::read(Framework::FieldMap, &file.text).ok()?;
    let mut taken = BTreeSet::new();
    let stream = |stream: MappedStream| {
        let name = unique(&valid_name(&stream.name), &mut taken);
        let method = if stream.method == "POST" { Method::Post } else { Method::Get };
        let url = stream.endpoint.unwrap_or_default();
        let obstacle = if url.is_empty() {
            Some(Obstacle::Other("the map does not say where it is read".to_owned()))
        } else if method == Method::Post {
            Some(Obstacle::Other("the body of its `POST` is the connector's own".to_owned()))
        } else {
            (!is_usable_address(&url)).then_some(Obstacle::Base)
        };
        FoundStream {
            mapped_as: (stream.name != name).then_some(stream.name),
            name,
            url: if obstacle.is_none() { url } else { url.trim_start_matches('/').to_owned() },
            method,
            query: BTreeMap::new(),
            records: stream.records,
            key: stream.primary_key,
            paging: PagingSettings::None,
            obstacle,
        }
    };
    Some(mapping.streams.into_iter().map(stream).collect())
}

/// The connector that a description belongs to: one in the same folder or around it, or one of the same name.
fn nearest_connector(connectors: &[FoundConnector], doc: &Path) -> Option<usize> {
    let name = connector_name(doc);
    let near = |connector: &FoundConnector| {
        let (file, _) = connector.mapping.as_ref()?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let inside = folder.is_some_and(|folder| doc.starts_with(folder));
        (inside || connector.name == name).then(|| folder.map_or(0, |folder| folder.components().count()))
    };
    let scored = connectors.iter().enumerate().filter_map(|(at, connector)| Some((near(connector)?, at)));
    // The deepest folder around it; of two connectors in one folder neither is meant.
    let best = scored.clone().max_by_key(|(depth, _)| *depth)?;
    let rivals = scored.filter(|(depth, _)| *depth == best.0).count();
    let by_name =
        connectors.iter().position(|connector| connector.mapping.is_some() && connector.name == name);
    by_name.or((rivals == 1).then_some(best.1))
}

/// A name for what lies at a path: the file's, or the folder's where the file's says nothing.
fn connector_name(path: &Path) -> String {
    const SAYS_NOTHING: [&str; 12] = [
        "manifest",
        "source",
        "connector",
        "mapping",
        "map",
        "fields",
        "streams",
        "openapi",
        "swagger",
        "api",
        "spec",
        "index",
    ];
    let parts: Vec<String> = path
        .with_extension("")
        .components()
        .rev()
        .map(|part| part.as_os_str().to_string_lossy().to_lowercase())
        .collect();
    let telling = parts.iter().find(|part| !SAYS_NOTHING.contains(&part.as_str()));
    let name = telling.map_or("connector", String::as_str);
    let name =
        ["source-", "source_", "tap-"].iter().find_map(|start| name.strip_prefix(start)).unwrap_or(name);
    valid_name(name)
}

/// The name with what a name may not hold replaced.
fn valid_name(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c =
            if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') { c.to_ascii_lowercase() } else { '-' };
        if c != '-' || !out.is_empty() && !out.ends_with('-') {
            out.push(c);
        }
    }
    out.truncate(48);
    let out = out.trim_end_matches('-');
    if out.is_empty() { "connector".to_owned() } else { out.to_owned() }
}

fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut out = name.to_owned();
    let mut number = 2;
    while !taken.insert(out.clone()) {
        out = format!("{name}-{number}");
        number += 1;
    }
    out
}

/// Whether an address can stand in a config as it is.
fn is_usable_address(text: &str) -> bool {
    !text.contains("{{")
        && !text.contains("{%")
        && url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        })
}

/// Whether a text can be the name of a header.
fn is_header(name: &str) -> bool {
    http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// Parses YAML or JSON of others, bounded; nothing where it is neither.
fn parse(text: &str) -> Option<serde_json::Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    serde_saphyr::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_what_says_something() {
        for (path, name) in [
            ("connectors/source-crm/manifest.yaml", "crm"),
            ("Shop API.yaml", "shop-api"),
            ("manifest.yaml", "connector"),
            ("a/b/openapi.json", "b"),
        ] {
            assert_eq!(connector_name(Path::new(path)), name);
        }
    }
}
