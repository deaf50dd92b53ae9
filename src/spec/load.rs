//! From bytes to a [`Document`], within bounds.

use serde_json::Value;

use super::{ApiModel, Document, feed, html, text};

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Over the limit.
    #[error("`{name}` has {bytes} bytes; documents of up to {limit} are read")]
    TooLarge {
        /// The document.
        name: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// No JSON and no YAML, or one that would grow beyond bounds.
    #[error("`{name}` is broken at line {line}: {why}")]
    Broken {
        /// The document.
        name: String,
        /// The line, counted from 1; 0 where it is not known.
        line: u64,
        /// What is wrong there.
        why: String,
    },
    /// It can be read, and says nothing about an API.
    #[error("`{name}` is unreadable: {why}")]
    Unreadable {
        /// The document.
        name: String,
        /// What it is instead, and the next step.
        why: String,
    },
    /// A kind of document that is not understood.
    #[error("`{name}` is {what}, which is not understood; OpenAPI, Swagger, HTML, Markdown and text are")]
    Unsupported {
        /// The document.
        name: String,
        /// What it is.
        what: String,
    },
}

/// The largest description: four times the largest that is known in the wild (GitHub's, 13 MB).
const MAX_BYTES: usize = 64 << 20;
/// The largest page; more text than that is no page.
const MAX_PAGE_BYTES: usize = 16 << 20;

/// Reads a document; `name` is its file name or address, for what its ending says and for messages.
///
/// # Errors
/// [`SpecError`] where it is too large, broken, of another kind, or says nothing: an empty page that scripts would fill,
/// a page that asks to sign in, an error page, a description without operations.
pub fn read(name: &str, content_type: Option<&str>, bytes: &[u8]) -> Result<Document, SpecError> {
    if bytes.len() > MAX_BYTES {
        return Err(SpecError::TooLarge { name: name.to_owned(), bytes: bytes.len(), limit: MAX_BYTES });
    }
    let unreadable = |why: &str| SpecError::Unreadable { name: name.to_owned(), why: why.to_owned() };
    if bytes.starts_with(b"%PDF-") {
        return Err(SpecError::Unsupported { name: name.to_owned(), what: "a PDF".to_owned() });
    }
    if memchr::memchr(0, &bytes[..bytes.len().min(8192)]).is_some() {
        return Err(SpecError::Unsupported { name: name.to_owned(), what: "binary data".to_owned() });
    }
    let content = String::from_utf8_lossy(bytes);
    let content = content.trim_start_matches('\u{feff}');
    if content.trim().is_empty() {
        return Err(unreadable("it is empty"));
    }
    match form(name, content_type, content) {
        Form::Json => api(name, json(name, content)?),
        Form::Yaml => api(name, yaml(name, content)?),
        Form::Page | Form::Text if bytes.len() > MAX_PAGE_BYTES => {
            Err(SpecError::TooLarge { name: name.to_owned(), bytes: bytes.len(), limit: MAX_PAGE_BYTES })
        }
        Form::Page if feed::is_feed(content) => {
            feed::read(content).map(Document::Sections).map_err(|why| unreadable(&why))
        }
        Form::Page => html::read(content).map(Document::Sections).map_err(|why| unreadable(&why)),
        Form::Text => text::read(content).map(Document::Sections).map_err(|why| unreadable(&why)),
    }
}

/// Whether a file is an API description, by a look at its beginning and its name: for `drogue diff` and `drogue init`.
#[must_use]
pub fn looks_like_api_description(name: &str, bytes: &[u8]) -> bool {
    // Long enough for a licence text above the first key.
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(64 * 1024)]);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let (Form::Json | Form::Yaml) = form(name, None, head) else { return false };
    if head.starts_with(['{', '[']) {
        // In JSON the key may stand anywhere, and often stands last.
        return head.starts_with('{')
            && ["\"openapi\"", "\"swagger\""].iter().any(|key| {
                memchr::memmem::find_iter(bytes, key.as_bytes()).any(|at| {
                    let rest = &bytes[at + key.len()..];
                    let rest = rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
                    rest.is_some_and(|rest| {
                        [&b"\"2."[..], b"\"3.", b"2.", b"3."].iter().any(|v| rest.starts_with(v))
                    })
                })
            })
            && (memchr::memmem::find(bytes, b"\"paths\"").is_some()
                || memchr::memmem::find(bytes, b"\"webhooks\"").is_some());
    }
    head.lines().any(|line| {
        ["openapi:", "swagger:", "\"openapi\":", "\"swagger\":", "'openapi':", "'swagger':"]
            .iter()
            .any(|key| line.starts_with(key))
    })
}

enum Form {
    Json,
    Yaml,
    Page,
    Text,
}

/// What the document is written in: by its text first, then by what others say of it.
fn form(name: &str, content_type: Option<&str>, content: &str) -> Form {
    let start = content.trim_start();
    let ending = name
        .split(['?', '#'])
        .next()
        .unwrap_or(name)
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let declared = content_type.unwrap_or_default().to_ascii_lowercase();
    if start.starts_with('<') {
        return Form::Page;
    }
    // `{% include %}` and `{{ … }}` begin templates, `[text](link)` begins Markdown.
    let begins_json = start.starts_with('{') && !start.starts_with("{{") && !start.starts_with("{%");
    if begins_json || (start.starts_with('[') && (ending == "json" || declared.contains("json"))) {
        return if matches!(ending.as_str(), "yaml" | "yml") { Form::Yaml } else { Form::Json };
    }
    let has_key = start.lines().take(2000).any(|line| {
        ["openapi:", "swagger:", "\"openapi\":", "\"swagger\":", "'openapi':", "'swagger':"]
            .iter()
            .any(|key| line.starts_with(key))
    });
    if has_key || matches!(ending.as_str(), "yaml" | "yml") || declared.contains("yaml") {
        return Form::Yaml;
    }
    if ending == "json" || declared.contains("json") {
        return Form::Json;
    }
    Form::Text
}

fn json(name: &str, content: &str) -> Result<Value, SpecError> {
    serde_json::from_str(content).map_err(|error| SpecError::Broken {
        name: name.to_owned(),
        line: error.line() as u64,
        why: plain_reason(&error),
    })
}

/// The reason without its place, which is printed apart.
fn plain_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn yaml(name: &str, content: &str) -> Result<Value, SpecError> {
    // Room for the largest descriptions as YAML; aliases are for a handful of shared parts, not for bombs.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 20_000_000,
            max_nodes: 10_000_000,
            max_depth: 128,
            max_aliases: 10_000,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 500_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(content, options).map_err(|error| SpecError::Broken {
        name: name.to_owned(),
        line: error.location().map_or(0, |location| location.line()),
        why: error.without_snippet().to_string(),
    })
}

fn api(name: &str, root: Value) -> Result<Document, SpecError> {
    let unsupported = |what: &str| SpecError::Unsupported { name: name.to_owned(), what: what.to_owned() };
    let unreadable = |why: &str| SpecError::Unreadable { name: name.to_owned(), why: why.to_owned() };
    let Value::Object(object) = &root else {
        return Err(unreadable("it holds no object, so it is no API description"));
    };
    if object.contains_key("asyncapi") {
        return Err(unsupported("an AsyncAPI description"));
    }
    if object
        .get("info")
        .is_some_and(|info| info.get("_postman_id").is_some() || info.get("schema").is_some())
    {
        return Err(unsupported("a Postman collection"));
    }
    if object.get("data").is_some_and(|data| data.get("__schema").is_some())
        || object.contains_key("__schema")
    {
        return Err(unsupported("a GraphQL introspection result"));
    }
    if object.contains_key("discoveryVersion") {
        return Err(unsupported("a Google discovery document"));
    }
    let model = ApiModel::new(root).ok_or_else(|| {
        unreadable("it is no API description: neither `openapi: 3.…` nor `swagger: '2.0'` stands at its top")
    })?;
    if model.operations().is_empty() {
        return Err(unreadable(
            "it describes no operations; it may be one part of a description in several files",
        ));
    }
    Ok(Document::Api(Box::new(model)))
}
