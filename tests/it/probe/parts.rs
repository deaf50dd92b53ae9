//! Documents that are more than one fetch: descriptions in several files, MCP servers, PDFs.

use drogue::model::ErrorClass;
use drogue::observe::{DocState, read_document_file};
use drogue::spec::{Document, read};
use serde_json::{Value, json};

use super::docs::{Docs, failed, new};
use crate::support::api::{Api, Reply};

#[tokio::test]
async fn parts_are_fetched_from_the_same_origin_alone() {
    let api = Api::start(|seen| match seen.path() {
        "/docs/api.yaml" => Reply::text(
            "application/yaml",
            "openapi: 3.0.0\npaths:\n  /a: {$ref: parts/a.json}\n  /b: {$ref: 'http://169.254.169.254/b.json'}\n  /c: {$ref: parts/away.json}\n  /d: {$ref: /none.json}\n",
        )
        .header("etag", "\"v1\""),
        "/docs/parts/a.json" => {
            Reply::text("application/json", r#"{"get": {"responses": {"200": {"$ref": "more.json#/ok"}}}}"#)
        }
        "/docs/parts/more.json" => Reply::text("application/json", r#"{"ok": {"description": "fine"}}"#),
        "/docs/parts/away.json" => Reply::text("text/plain", "").status(302).header("location", "/docs/parts/a.json"),
        _ => Reply::text("text/plain", "no").status(404),
    })
    .await;
    let docs = Docs::at(&api.url("/docs/api.yaml"));
    let document = new(docs.look(&DocState::default()).await);
    // The server vouches for the first file alone.
    assert!(document.state.validators.is_empty());
    let Document::Api(model) = read("api.json", None, &document.bytes).unwrap() else { panic!() };
    assert_eq!(model.operations().len(), 1);
    let notes = model.notes().join("\n");
    for note in [
        "`http://169.254.169.254/b.json` is not read: it is elsewhere",
        "away.json` is not read: status 302",
        "/none.json` is not read: status 404",
    ] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    assert_eq!(api.seen().len(), 5);
}

/// What an MCP server says to each message, as HTTP or line by line.
fn mcp_answer(message: &Value) -> Option<Value> {
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    let result = match message["method"].as_str()? {
        "initialize" => {
            json!({"protocolVersion": "2025-06-18", "serverInfo": {"name": "shop", "version": "7"}})
        }
        "tools/list" if message["params"]["cursor"] == "2" => json!({"tools": [tool("a")]}),
        "tools/list" => json!({"tools": [tool("b")], "nextCursor": "2"}),
        _ => return None,
    };
    Some(json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
}

#[tokio::test]
async fn the_tools_of_an_mcp_server_are_a_document() {
    let api = Api::start(|seen| {
        let message: Value = serde_json::from_str(&seen.body).unwrap();
        if message["method"] != "initialize" && seen.header("mcp-session-id") != Some("s1") {
            return Reply::text("text/plain", "no session").status(400);
        }
        match mcp_answer(&message) {
            None => Reply::text("text/plain", "").status(202),
            // One page comes as events, with something else before it.
            Some(answer) if message["params"]["cursor"] == "2" => Reply::text(
                "text/event-stream",
                &format!(
                    "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"log\"}}\n\ndata: {answer}\n\n"
                ),
            ),
            Some(answer) => {
                Reply::text("application/json", &answer.to_string()).header("mcp-session-id", "s1")
            }
        }
    })
    .await;
    let docs = Docs::of(&json!({"mcp": {"url": api.url("/mcp")}}));
    let document = new(docs.look(&DocState::default()).await);
    let Document::Api(model) = read("tools.json", None, &document.bytes).unwrap() else { panic!() };
    let names: Vec<String> = model.operations().iter().map(drogue::spec::Operation::name).collect();
    assert_eq!(names, ["TOOL a", "TOOL b"]);
    assert_eq!((model.title(), model.version().as_deref()), (Some("shop"), Some("7")));
    assert_eq!(docs.look(&document.state).await, drogue::observe::Fetched::Unchanged);
    assert!(api.seen().iter().all(|seen| !seen.body.contains("tools/call")));
}

#[cfg(unix)]
#[tokio::test]
async fn an_mcp_server_that_is_a_program_is_asked_line_by_line() {
    let script = |said: &[String]| {
        let lines: String = said.iter().map(|line| format!("read line; printf '%s\\n' '{line}'\n")).collect();
        Docs::of(
            &json!({"mcp": {"command": ["/bin/sh", "-c", format!("echo hello\n{lines}cat > /dev/null")]}}),
        )
    };
    let answer = |id: u64, method: &str, params: Value| {
        mcp_answer(&json!({"id": id, "method": method, "params": params})).unwrap().to_string()
    };
    let docs = script(&[
        answer(1, "initialize", json!({})),
        // After the notification, which has no answer.
        "{\"jsonrpc\": \"2.0\", \"method\": \"notifications/progress\"}".to_owned(),
        answer(2, "tools/list", json!({})),
        answer(3, "tools/list", json!({"cursor": "2"})),
    ]);
    let document = new(docs.look(&DocState::default()).await);
    assert!(String::from_utf8_lossy(&document.bytes).contains("\"name\":\"b\""));
    for (docs, why) in [
        (Docs::of(&json!({"mcp": {"command": ["/bin/true"]}})), "gives no tools"),
        (Docs::of(&json!({"mcp": {"command": ["/no/such/program"]}})), "cannot start"),
        (script(&[json!({"id": 1, "error": {"message": "not today"}}).to_string()]), "not today"),
        (Docs::of(&json!({"mcp": {"command": ["/bin/sh", "-c", "yes"]}})), "answers nothing"),
    ] {
        let failure = failed(docs.look(&DocState::default()).await);
        assert!(failure.detail.contains(why), "{}", failure.detail);
        assert_eq!(failure.class, ErrorClass::Outage);
    }
}

#[test]
fn a_file_is_read_up_to_the_limit_and_never_beyond() {
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    // 500 MB that take no room on the disk.
    file.as_file().set_len(500_000_000).unwrap();
    let error = read_document_file(file.path(), 32_000_000).unwrap_err();
    assert!(error.to_string().contains("over 32000000 bytes"), "{error}");
}

/// A PDF of one page with this text, put together by hand.
fn pdf(text: &str) -> Vec<u8> {
    let stream = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).into_bytes());
    }
    let table = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).into_bytes());
    for place in places {
        bytes.extend(format!("{place:010} 00000 n \n").into_bytes());
    }
    bytes.extend(
        format!("trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1)
            .into_bytes(),
    );
    bytes
}

#[test]
fn pdfs_are_compared_by_their_text_and_break_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let diff = |before: &std::path::Path, after: &std::path::Path| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_drogue"))
            .arg("diff")
            .args([before, after])
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let before =
        write("a.pdf", &pdf("Orders are listed newest first, thirty on a page, and each has an id."));
    let after =
        write("b.pdf", &pdf("Orders are listed newest first. Paging by number is deprecated, use cursors."));
    let (code, told) = diff(&before, &after);
    assert!(told.contains("announces an end"), "{code:?} {told}");
    // What breaks the parser breaks a program of its own.
    let whole = pdf("Orders are listed newest first, thirty on a page, and each has an id.");
    let wrong_font = String::from_utf8_lossy(&whole)
        .replace("/Type1 ", "/TypeX ")
        .replace("WinAnsiEncoding", "NoSuchEncodings");
    let circle = String::from_utf8_lossy(&whole).replace("/Kids [3 0 R]", "/Kids [2 0 R]");
    for (name, bytes) in [
        ("cut.pdf", &whole[..whole.len() / 2]),
        ("font.pdf", wrong_font.as_bytes()),
        ("circle.pdf", circle.as_bytes()),
        ("none.pdf", b"%PDF-1.7\n"),
    ] {
        let (code, told) = diff(&before, &write(name, bytes));
        assert!(matches!(code, Some(1)), "{name}: {code:?} {told}");
        assert!(told.contains(name) && told.contains("the PDF cannot be read"), "{name}: {told}");
    }
}
