//! What an MCP server offers (Model Context Protocol, `tools/list`): each tool is an operation, its `inputSchema` what is
//! sent and its `outputSchema` what comes back.

use serde_json::{Map, Value, json};

use super::{Draft, answers, json_schema::mount};
use crate::spec::references::escaped;

/// More tools than this are not read; servers offer some hundred at most.
const MAX_TOOLS: usize = 10_000;

/// The list of tools: the result itself, or the JSON-RPC message around it.
pub(in crate::spec) fn list_of(root: &Value) -> Option<&Vec<Value>> {
    let tools = root.get("result").unwrap_or(root).get("tools")?.as_array()?;
    let is_tool = |tool: &Value| {
        tool.get("name").is_some_and(Value::is_string)
            && tool.get("inputSchema").is_some_and(Value::is_object)
    };
    let is_answer = root.get("jsonrpc").is_some();
    (tools.iter().any(is_tool) || (is_answer && tools.is_empty())).then_some(tools)
}

/// The tools as operations.
pub(in crate::spec) fn read(mut root: Value) -> Result<Value, String> {
    let mut draft = Draft { family: Some("a list of MCP tools"), ..Draft::default() };
    // As `drogue` writes it down when it asks a server by itself.
    let server = root.get("serverInfo").cloned().unwrap_or_default();
    let text = |key: &str| server.get(key).and_then(Value::as_str).map(str::to_owned);
    (draft.title, draft.version) = (text("name"), text("version"));
    let list = match root.get_mut("result") {
        Some(result) => result.get_mut("tools"),
        None => root.get_mut("tools"),
    };
    let Some(Value::Array(tools)) = list.map(Value::take) else { return Err("it lists no tools".to_owned()) };
    if tools.is_empty() {
        return Err("the list of tools is empty".to_owned());
    }
    if tools.len() > MAX_TOOLS {
        draft.unread.push(format!("{} tools are beyond the first {MAX_TOOLS}", tools.len() - MAX_TOOLS));
    }
    for (index, tool) in tools.into_iter().take(MAX_TOOLS).enumerate() {
        let Value::Object(mut tool) = tool else {
            draft.unread.push(format!("`$.tools[{index}]` is no object"));
            continue;
        };
        let Some(Value::String(name)) = tool.remove("name") else {
            draft.unread.push(format!("`$.tools[{index}]` has no name"));
            continue;
        };
        let mut schema = |tool: &mut Map<String, Value>, key: &str, kind: &str| {
            let mut schema = tool.remove(key).filter(Value::is_object)?;
            let shared = format!("{name} {kind}");
            mount(&mut schema, &format!("/components/schemas/{}", escaped(&shared)));
            let place = json!({"$ref": format!("#/components/schemas/{}", escaped(&shared))});
            draft.schemas.insert(shared, schema);
            Some(place)
        };
        let input = schema(&mut tool, "inputSchema", "input");
        let output = schema(&mut tool, "outputSchema", "output");
        let mut operation = Map::new();
        for key in ["title", "description", "annotations"] {
            let key_there = if key == "title" { "summary" } else { key };
            operation.extend(tool.remove(key).map(|value| (key_there.to_owned(), value)));
        }
        if let Some(input) = input {
            let body = json!({"required": true, "content": {"application/json": {"schema": input}}});
            operation.insert("requestBody".to_owned(), body);
        }
        if let Some(output) = output {
            operation.insert("responses".to_owned(), answers(&output));
        }
        draft.operation(&name, "x-tool", Value::Object(operation));
    }
    Ok(draft.finish())
}
