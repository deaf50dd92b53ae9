//! What documents are called.

use std::path::Path;

use crate::model::Subject;
use crate::net::redact;
use crate::observe::DocSettings;

/// What stands before the name of a document where a stream's would stand.
pub(super) const PREFIX: &str = "docs:";

/// A document as a subject, for lists and messages.
pub(in crate::engine) fn subject_of(connector: &str, name: &str) -> Subject {
    Subject { connector: connector.to_owned(), stream: format!("{PREFIX}{name}") }
}

/// The documents of a connector, each with its name. The first of several that a person would call the same keeps that
/// name; the others go by their whole place.
pub(super) fn named(docs: &[DocSettings]) -> Vec<(String, &DocSettings)> {
    let mut named: Vec<(String, &DocSettings)> = Vec::with_capacity(docs.len());
    for doc in docs {
        let is_free = |name: &String| named.iter().all(|(taken, _)| taken != name);
        let place = whole_place(doc);
        let name = [short_name(doc), place.clone()].into_iter().find(is_free);
        let name = name.or_else(|| (2..).map(|n| format!("{place}.{n}")).find(is_free)).unwrap_or(place);
        named.push((name, doc));
    }
    named
}

/// The address or the file of a document, as it may be shown.
pub(in crate::engine) fn place_of(settings: &DocSettings) -> String {
    let file = || settings.file.as_ref().map(|file| file.display().to_string());
    redact::text(&settings.url.clone().or_else(file).unwrap_or_else(|| short_name(settings)))
}

/// The file, or the address without its query, that a person would call it by.
fn short_name(doc: &DocSettings) -> String {
    if let Some(file) = &doc.file {
        return file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    }
    if let Some(program) = command(doc).first() {
        return Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    as_name(url(doc).split(['?', '#']).next().unwrap_or_default())
}

/// The whole path, command or address: what tells documents of one short name apart. Secrets in it are masked.
fn whole_place(doc: &DocSettings) -> String {
    if let Some(file) = &doc.file {
        return as_name(&file.to_string_lossy());
    }
    let command = command(doc);
    as_name(&redact::text(&if command.is_empty() { url(doc).to_owned() } else { command.join(".") }))
}

fn command(doc: &DocSettings) -> &[String] {
    doc.mcp.as_ref().and_then(|server| server.command.as_deref()).unwrap_or_default()
}

fn url(doc: &DocSettings) -> &str {
    let of_server = doc.mcp.as_ref().and_then(|server| server.url.as_deref());
    doc.url.as_deref().or(of_server).unwrap_or_default()
}

fn as_name(place: &str) -> String {
    let plain = place.split_once("://").map_or(place, |(_, rest)| rest);
    plain.trim_matches('/').replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_one_name_are_told_apart() {
        let docs: Vec<DocSettings> = serde_json::from_str(
            r#"[{"file": "v1/openapi.yaml"}, {"file": "v2/openapi.yaml"}, {"file": "v2/openapi.yaml"},
                {"url": "https://api.example/doc?version=1"}, {"url": "https://api.example/doc?version=2"},
                {"mcp": {"command": ["npx", "crm-server"]}}, {"mcp": {"command": ["/usr/bin/npx", "erp-server"]}}]"#,
        )
        .unwrap();
        let names: Vec<String> = named(&docs).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "openapi.yaml",
                "v2.openapi.yaml",
                "v2.openapi.yaml.2",
                "api.example.doc",
                "api.example.doc?version=2",
                "npx",
                "usr.bin.npx.erp-server",
            ]
        );
    }
}
