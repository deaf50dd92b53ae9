//! Documents that describe the API: fetched again by address or file, within limits.
//!
//! What is fetched is compared elsewhere. Here it is only made sure that it *is* the document: an outage, a login page,
//! a challenge for browsers or another format in its place is a failure to look, never a change.

use std::{path::Path, sync::LazyLock};

use jiff::SignedDuration;
use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use super::exchange::{Got, Way, content_type};
use super::foreign::{foreign_format, media_type};
use super::judge::{Verdict, judge};
use super::parts::{assemble_from_web, read_document_file};
use super::pdf::{is_pdf, text_of_pdf};
use super::politeness::next_day;
use super::{Connection, DocSettings, Failure, McpSettings, ObserveContext, Validators, mcp, request};
use crate::model::{Action, ErrorClass, sha256_hex};
use crate::net::{Hop, HttpClient, Request, redact::Redactor};

/// What is remembered of a document between two looks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DocState {
    /// To ask "anything new?" with.
    pub validators: Validators,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// Its media type.
    pub content_type: Option<String>,
}

/// What one look at a document came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Fetched {
    /// It is the same, byte for byte.
    Unchanged,
    /// It is new or other than before.
    New(Box<Document>),
    /// It could not be read; an outcome, never a change.
    Failed(Failure),
}

/// A document as it was fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Its bytes, decompressed.
    pub bytes: Vec<u8>,
    /// What to remember of it.
    pub state: DocState,
    /// Where it was found at last, safe to show, if it has moved for good.
    pub moved_to: Option<String>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.bytes.len())
            .field("state", &self.state)
            .field("moved_to", &self.moved_to)
            .finish()
    }
}

/// Looks at a document once; `before` is what was remembered of the last look.
///
/// It is asked for without the connector's sign-in, as documents are public, and so that no credential goes to the host
/// of a documentation service.
pub async fn fetch_document(
    settings: &DocSettings,
    before: &DocState,
    connection: &Connection,
    context: &ObserveContext<'_>,
) -> Fetched {
    let read = match (&settings.url, &settings.file, &settings.mcp) {
        (Some(url), None, None) => from_address(url, before, connection, context).await,
        (None, Some(file), None) => from_file(file, &connection.http).await,
        (None, None, Some(server)) => from_server(server, connection).await,
        _ => Err(Failure::new(
            ErrorClass::RequestInvalid,
            Action::Stop,
            "a document needs `url`, `file` or `mcp`, one of them",
        )),
    };
    let read = match read {
        Ok(Some(document)) if is_pdf(&document.bytes) => in_words(document).await.map(Some),
        other => other,
    };
    match read {
        Ok(None) => Fetched::Unchanged,
        Ok(Some(document)) if document.state.sha256 == before.sha256 => Fetched::Unchanged,
        Ok(Some(document)) => match mistaken(&document, before) {
            Some(failure) => Fetched::Failed(failure),
            None => Fetched::New(Box::new(document)),
        },
        Err(failure) => Fetched::Failed(failure),
    }
}

/// A PDF as its text, which is what is kept and compared.
async fn in_words(mut document: Document) -> Result<Document, Failure> {
    let bytes = text_of_pdf(document.bytes)
        .await
        .map_err(|why| Failure::new(ErrorClass::NotJson, Action::Stop, why))?;
    document.state.sha256 = Some(sha256_hex(&bytes));
    document.state.content_type = Some("text/plain".to_owned());
    Ok(Document { bytes, ..document })
}

async fn from_server(settings: &McpSettings, connection: &Connection) -> Result<Option<Document>, Failure> {
    let url = match &settings.url {
        None => None,
        Some(address) => Some(request::join(connection.base_url.as_deref(), address).ok_or_else(|| {
            let detail = format!("`{}` is no address of a server", crate::net::redact::text(address));
            Failure::new(ErrorClass::RequestInvalid, Action::Stop, detail)
        })?),
    };
    let bytes = mcp::tools(settings, url, &connection.http).await?;
    let sha256 = Some(sha256_hex(&bytes));
    let content_type = Some("application/json".to_owned());
    let state = DocState { sha256, content_type, ..DocState::default() };
    Ok(Some(Document { bytes, state, moved_to: None }))
}

async fn from_file(path: &Path, http: &HttpClient) -> Result<Option<Document>, Failure> {
    let limit = http.max_body();
    let (path, shown) = (path.to_owned(), path.display().to_string());
    let fail = |why: String| {
        Failure::new(ErrorClass::NotFound, Action::Stop, format!("cannot read document `{shown}`: {why}"))
    };
    let bytes = match tokio::task::spawn_blocking(move || read_document_file(&path, limit)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            return Err(fail(format!("{error}; see `http.max_body`")));
        }
        Ok(Err(error)) => return Err(fail(error.to_string())),
        Err(error) => return Err(fail(error.to_string())),
    };
    let state = DocState { sha256: Some(sha256_hex(&bytes)), ..DocState::default() };
    Ok(Some(Document { bytes, state, moved_to: None }))
}

async fn from_address(
    address: &str,
    before: &DocState,
    connection: &Connection,
    context: &ObserveContext<'_>,
) -> Result<Option<Document>, Failure> {
    let mut attempt = 1;
    loop {
        match ask(address, before, connection, context).await {
            // A hiccup must not cost a day, which is how long the next look may be off.
            Err(failure)
                if attempt < 3 && failure.class == ErrorClass::Outage && failure.retry_at.is_none() =>
            {
                let wait = SignedDuration::from_secs(if attempt == 1 { 1 } else { 3 });
                let clock = context.clock;
                clock.sleep_until(clock.now().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX)).await;
                attempt += 1;
            }
            Err(failure) => return Err(Failure { attempts: attempt, ..failure }),
            Ok(document) => return Ok(document),
        }
    }
}

async fn ask(
    address: &str,
    before: &DocState,
    connection: &Connection,
    context: &ObserveContext<'_>,
) -> Result<Option<Document>, Failure> {
    let url = request::join(connection.base_url.as_deref(), address).ok_or_else(|| {
        let detail = format!("`{}` is no address of a document", crate::net::redact::text(address));
        Failure::new(ErrorClass::RequestInvalid, Action::Stop, detail)
    })?;
    let mut request = Request::get(url);
    let accept = "application/json, application/yaml, text/html;q=0.9, text/plain;q=0.8, */*;q=0.5";
    request.headers.insert(http::header::ACCEPT, http::HeaderValue::from_static(accept));
    let conditional = before.sha256.is_some() && !before.validators.is_empty();
    if conditional {
        before.validators.apply(&mut request.headers);
    }
    let way = Way {
        http: &connection.http,
        politeness: &connection.politeness,
        budget: &connection.budget,
        min_interval: connection.min_interval,
        clock: context.clock,
    };
    // Neither sign-in nor headers of the connector go along, so there is nothing in use to take out.
    let redactor = Redactor::default();
    let Some(got) = way.send(request, &redactor).await else {
        let detail = "the requests of the day are used up; see `http.requests_per_day`";
        let mut failure = Failure::new(ErrorClass::QuotaExhausted, Action::Wait, detail);
        failure.retry_at = Some(next_day(context.clock.now()));
        return Err(failure);
    };
    if conditional && got.status() == Some(304) {
        return Ok(None);
    }
    if !matches!(got.status(), Some(200..300)) || got.raw.is_err() {
        return Err(match judge(context.rules, &got.exchange, got.raw.as_ref().err(), &redactor) {
            Verdict::Failed(failure) => failure,
            Verdict::Read(_) => {
                let status = got.status();
                Failure { status, ..Failure::new(ErrorClass::NotFound, Action::Stop, "there is no document") }
            }
        });
    }
    let Got { exchange, raw } = got;
    let (headers, url, hops) = match raw {
        Ok(raw) => raw,
        Err(error) => return Err(Failure::new(ErrorClass::Outage, Action::Wait, error.message)),
    };
    if let Some(failure) = stand_in(&exchange.body, &headers, &hops) {
        return Err(failure);
    }
    let moved = hops.iter().any(|hop| matches!(hop.status, 301 | 308));
    let declared = content_type(&headers).map(media_type);
    let mut state = DocState { validators: Validators::of(&headers), sha256: None, content_type: declared };
    let mut bytes = exchange.body;
    let whole = assemble_from_web(&url, state.content_type.as_deref(), &bytes, &connection.http).await;
    if let Some(whole) = whole {
        // The server vouches for the first file alone: a part may change while that stays as it is.
        state.validators = Validators::default();
        state.content_type = Some("application/json".to_owned());
        bytes = whole;
    }
    state.sha256 = Some(sha256_hex(&bytes));
    Ok(Some(Document { bytes, state, moved_to: moved.then(|| redactor.url(&url, &[])) }))
}

/// A page that stands in the document's place: a login, a challenge.
///
/// The rules for responses are no help here: documentation speaks of errors, maintenance and signing in all the time.
fn stand_in(body: &[u8], headers: &http::HeaderMap, hops: &[Hop]) -> Option<Failure> {
    static LOGIN_PATH: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)[/._-](login|log-in|signin|sign-in|sso|saml|oauth2?/authorize)([/?._-]|$)")
            .expect("a constant")
    });
    static LOGIN_TITLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)<title[^>]{0,80}>[^<]{0,80}(sign[ -]?in|log[ -]?in|anmelde|connexion|accedi|iniciar sesi)",
        )
        .expect("a constant")
    });
    static PASSWORD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?i)type\s{0,3}=\s{0,3}["']?password"#).expect("a constant"));
    static CHALLENGE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)<title[^>]{0,80}>\s{0,9}(just a moment|attention required|access denied|ddos protection)",
        )
        .expect("a constant")
    });
    // Such pages say what they are at the top; a login form sits within the first part of its page.
    let head = &body[..body.len().min(200_000)];
    let led_to_login = hops.last().is_some_and(|hop| LOGIN_PATH.is_match(hop.to.as_bytes()));
    if led_to_login || (LOGIN_TITLE.is_match(head) && PASSWORD.is_match(head)) {
        let detail = "a login page stands in the document's place";
        return Some(Failure::new(ErrorClass::AuthInvalid, Action::Stop, detail));
    }
    if headers.contains_key("cf-mitigated") || CHALLENGE.is_match(head) {
        let detail = "a challenge for browsers stands in the document's place";
        return Some(Failure::new(ErrorClass::BlockedByFirewall, Action::Stop, detail));
    }
    None
}

/// Whether a document is no document that can be read, or another kind of thing than before.
fn mistaken(document: &Document, before: &DocState) -> Option<Failure> {
    let not_read = |detail: String| Some(Failure::new(ErrorClass::NotJson, Action::Stop, detail));
    if document.bytes.trim_ascii().is_empty() {
        return not_read("the document is empty".to_owned());
    }
    let declared = document.state.content_type.as_deref();
    let name = foreign_format(declared, &document.bytes);
    match name {
        None | Some("HTML" | "HTML or XML" | "YAML" | "XML") => {}
        Some(name) => {
            return not_read(format!("the document is {name}; JSON, YAML, HTML and text are read"));
        }
    }
    let was_data =
        before.content_type.as_deref().is_some_and(|media| media.contains("json") || media.contains("yaml"));
    if was_data && name == Some("HTML") {
        return not_read("the document was JSON or YAML, and a web page stands in its place".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_speaks_of_signing_in_is_no_login_page() {
        let none = http::HeaderMap::new();
        let page = b"<title>API reference</title><h1>Sign in</h1> 503 maintenance <input type=password>";
        assert_eq!(stand_in(page, &none, &[]), None);
        let page = b"<title>Log in - Docs</title><form action=/login><input type='password'></form>";
        assert!(stand_in(page, &none, &[]).is_some());
        let hop = |to: &str| Hop { status: 302, to: to.to_owned() };
        assert!(stand_in(b"<p>", &none, &[hop("https://id.example/login?next=x")]).is_some());
        assert!(stand_in(b"<p>", &none, &[hop("https://docs.example/guides/v2")]).is_none());
    }
}
