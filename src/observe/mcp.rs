//! The tools that an MCP server offers (Model Context Protocol, version 2025-06-18), asked for by HTTP or from a program.
//!
//! One look is a conversation: `initialize`, `notifications/initialized`, then `tools/list` page by page. No tool is ever
//! called. What comes back is written down as one list of tools, sorted by name, so that an order that means nothing
//! changes nothing.

use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use serde_json::{Value, json};
use url::Url;

use super::{Failure, McpSettings};
use crate::model::{Action, ErrorClass};
use crate::net::{HttpClient, Request};
use crate::proc::Dialogue;

const VERSION: &str = "2025-06-18";
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// Servers offer some hundred tools; pages hold some dozen.
const MAX_PAGES: u64 = 100;
/// The most tools in all.
const MAX_TOOLS: usize = 10_000;
/// What a server may say before it answers: notifications, messages of its log.
const MAX_ASIDES: usize = 1_000;
/// The whole conversation; a server that installs itself first takes its time.
const TIME: Duration = Duration::from_secs(120);

/// The tools of a server, as a JSON document; `url` is the address in the settings, made absolute.
pub(super) async fn tools(
    settings: &McpSettings,
    url: Option<Url>,
    http: &HttpClient,
) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| {
        Failure::new(ErrorClass::Outage, Action::Wait, format!("the MCP server gives no tools: {why}"))
    };
    let mut talk = match (url, &settings.command) {
        (Some(url), None) => Talk::Http { http, url, session: None },
        (None, Some(command)) => {
            Talk::Program(Box::new(Dialogue::start(command).map_err(|error| failed(error.to_string()))?))
        }
        (Some(_), Some(_)) | (None, None) => {
            let why = "an MCP server has `url` or `command`, one of them";
            return Err(Failure::new(ErrorClass::RequestInvalid, Action::Stop, why));
        }
    };
    let listed = tokio::time::timeout(TIME, list(&mut talk)).await;
    let listed = listed.unwrap_or_else(|_| Err(format!("it did not finish within {} s", TIME.as_secs())));
    listed.map_err(failed)
}

async fn list(talk: &mut Talk<'_>) -> Result<Vec<u8>, String> {
    let about = json!({"name": "drogue", "version": env!("CARGO_PKG_VERSION")});
    let hello = json!({"protocolVersion": VERSION, "capabilities": {}, "clientInfo": about});
    let welcome = talk.ask(1, "initialize", hello).await?;
    talk.tell(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await?;
    let mut tools: Vec<Value> = Vec::new();
    let mut asked = json!({});
    for page in 0.. {
        let mut answer = talk.ask(page + 2, "tools/list", asked.clone()).await?;
        match answer.get_mut("tools").map(Value::take) {
            Some(Value::Array(listed)) => tools.extend(listed),
            Some(_) | None => return Err("its answer lists no tools".to_owned()),
        }
        let Some(cursor) = answer.get("nextCursor").and_then(Value::as_str).filter(|c| !c.is_empty()) else {
            break;
        };
        let next = json!({"cursor": cursor});
        // Half a list would look as if the other half were gone.
        if next == asked || page >= MAX_PAGES || tools.len() > MAX_TOOLS {
            return Err("its list of tools does not end".to_owned());
        }
        asked = next;
    }
    tools.sort_by_key(|tool| tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned());
    let server = welcome.get("serverInfo").cloned().unwrap_or_default();
    serde_json::to_vec(&json!({"serverInfo": server, "tools": tools})).map_err(|error| error.to_string())
}

/// The two ways to talk.
enum Talk<'a> {
    Http { http: &'a HttpClient, url: Url, session: Option<HeaderValue> },
    Program(Box<Dialogue>),
}

impl Talk<'_> {
    /// Asks, and gives the result.
    async fn ask(&mut self, id: u64, method: &str, params: Value) -> Result<Value, String> {
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let body = self.tell(&message).await?;
        let answer = match self {
            Talk::Http { .. } => answer_in(&body, id).ok_or_else(|| format!("`{method}` has no answer"))?,
            Talk::Program(dialogue) => {
                heard(dialogue, id).await.map_err(|why| format!("`{method}`: {why}"))?
            }
        };
        match (answer.get("error"), answer.get("result")) {
            (None, Some(result)) => Ok(result.clone()),
            (error, _) => {
                let said = error.and_then(|error| error.get("message")).and_then(Value::as_str);
                let said: String = said.unwrap_or("no reason given").chars().take(200).collect();
                Err(format!("`{method}` is refused: {said}"))
            }
        }
    }

    /// Sends a message, and gives the body that comes back at once: nothing, where a program answers in its own time.
    async fn tell(&mut self, message: &Value) -> Result<String, String> {
        let (http, url, session) = match self {
            Talk::Program(dialogue) => {
                dialogue.say(&message.to_string()).await.map_err(|error| error.to_string())?;
                return Ok(String::new());
            }
            Talk::Http { http, url, session } => (http, url, session),
        };
        let mut request = Request::post(url.clone(), message.to_string().into_bytes());
        let headers = &mut request.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(HeaderName::from_static("mcp-protocol-version"), HeaderValue::from_static(VERSION));
        if let Some(session) = session {
            headers.insert(SESSION, session.clone());
        }
        let response = http.send(request).await.map_err(|failed| failed.message)?;
        if !matches!(response.status, 200..=299) {
            return Err(format!("status {}", response.status));
        }
        if let Some(mut given) = response.headers.get(SESSION).cloned() {
            given.set_sensitive(true);
            *session = Some(given);
        }
        Ok(String::from_utf8_lossy(&response.body).into_owned())
    }
}

/// The answer of a number: the body itself, or one of the events in it (`text/event-stream`).
fn answer_in(body: &str, id: u64) -> Option<Value> {
    let is_answer = |message: &Value| message.get("id").and_then(Value::as_u64) == Some(id);
    if let Ok(message) = serde_json::from_str::<Value>(body) {
        return Some(message).filter(is_answer);
    }
    let mut event = String::new();
    for line in body.lines().chain([""]) {
        if let Some(data) = line.strip_prefix("data:") {
            event.push_str(data.strip_prefix(' ').unwrap_or(data));
            event.push('\n');
        } else if line.is_empty() {
            let message = serde_json::from_str::<Value>(&event).ok();
            event.clear();
            if let Some(message) = message.filter(is_answer) {
                return Some(message);
            }
        }
    }
    None
}

async fn heard(dialogue: &mut Dialogue, id: u64) -> Result<Value, String> {
    for _ in 0..MAX_ASIDES {
        let Some(line) = dialogue.hear().await.map_err(|error| error.to_string())? else {
            return Err("the program ended without an answer".to_owned());
        };
        // Programs print greetings where they should not.
        if let Some(answer) = answer_in(&line, id) {
            return Ok(answer);
        }
    }
    Err("the program says much and answers nothing".to_owned())
}
