//! What two states of a description say in different notations, said in one.
//!
//! Only where the notations differ is anything rewritten, and then on both sides: a text diff shows what the vendor wrote,
//! and a judgement that knows one notation well keeps seeing it.

use serde_json::{Map, Value, json};

/// Keys whose value is data and no description.
const DATA: [&str; 6] = ["example", "examples", "default", "const", "enum", "value"];

/// Says what both states say in one notation: schemas, base addresses, and names whose case means nothing.
pub(super) fn align(was: &mut Value, is: &mut Value) {
    shift_base(was, is);
    shift_base(is, was);
    pairs(was, is);
}

fn pairs(was: &mut Value, is: &mut Value) {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            if Form::of(was) != Form::of(is) {
                settle(was);
                settle(is);
            }
            spelling(was, is);
            for (key, old) in was.iter_mut() {
                match is.get_mut(key) {
                    Some(new) if key == "servers" => servers(old, new),
                    Some(new) if !DATA.contains(&key.as_str()) || new.is_object() => pairs(old, new),
                    Some(_) | None => {}
                }
            }
        }
        (Value::Array(was), Value::Array(is)) => was.iter_mut().zip(is).for_each(|(was, is)| pairs(was, is)),
        _ => {}
    }
}

/// How a schema is written where the standard knows several ways.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Form {
    /// One schema and nothing else in an `allOf`.
    wrapped: bool,
    null: Null,
    /// Whether a bound is left out by a flag beside it (OpenAPI 3.0) or by a keyword with a number (3.1).
    flags: bool,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Null {
    Not,
    /// `nullable: true`
    Flag,
    /// `type: [string, null]`
    Type,
    /// One of several alternatives, in an `anyOf` or a `oneOf`.
    AnyOf,
    OneOf,
}

impl Form {
    fn of(schema: &Map<String, Value>) -> Self {
        let has_null = |key: &str| list(schema.get(key)).iter().any(is_null);
        let null = if schema.get("nullable").is_some_and(|flag| *flag == Value::Bool(true)) {
            Null::Flag
        } else if list(schema.get("type")).iter().any(|word| word == "null") {
            Null::Type
        } else if has_null("anyOf") {
            Null::AnyOf
        } else if has_null("oneOf") {
            Null::OneOf
        } else {
            Null::Not
        };
        let is_flag = |key: &str| schema.get(key).is_some_and(Value::is_boolean);
        let flags = is_flag("exclusiveMinimum") || is_flag("exclusiveMaximum");
        Self { wrapped: only_part(schema).is_some(), null, flags }
    }
}

fn list(node: Option<&Value>) -> &[Value] {
    node.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a schema allows null alone.
fn is_null(node: &Value) -> bool {
    node.as_object().is_some_and(|object| {
        object.get("type").is_some_and(|word| word == "null")
            && object.keys().all(|key| key == "type" || is_note(key))
    })
}

/// Keywords that may stand beside a lone part without narrowing it.
fn is_note(key: &str) -> bool {
    matches!(
        key,
        "title"
            | "description"
            | "example"
            | "examples"
            | "deprecated"
            | "readOnly"
            | "writeOnly"
            | "default"
    ) || key.starts_with("x-")
}

/// The one schema that an `allOf` holds, where nothing beside it says more.
fn only_part(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let [part] = list(schema.get("allOf")) else { return None };
    let plain = schema.keys().all(|key| key == "allOf" || key == "nullable" || is_note(key));
    part.as_object().filter(|_| plain)
}

/// Rewrites a schema: no lone `allOf`, null as a flag (beside a `$ref` as an alternative), bounds as numbers.
fn settle(schema: &mut Map<String, Value>) {
    if let Some(part) = only_part(schema).cloned() {
        schema.shift_remove("allOf");
        unite(schema, part);
    }
    let mut nullable = schema.get("nullable").is_some_and(|flag| *flag == Value::Bool(true));
    schema.shift_remove("nullable");
    if let Some(Value::Array(words)) = schema.get_mut("type") {
        let known = words.len();
        words.retain(|word| word != "null");
        nullable |= words.len() < known;
        if let [only] = words.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(alternatives)) = schema.get_mut(key) else { continue };
        let known = alternatives.len();
        alternatives.retain(|node| !is_null(node));
        nullable |= alternatives.len() < known;
        if alternatives.len() < known
            && let [Value::Object(only)] = alternatives.as_slice()
        {
            let only = only.clone();
            schema.shift_remove(key);
            unite(schema, only);
        }
    }
    if nullable {
        match schema.shift_remove("$ref") {
            Some(target) => {
                drop(schema.insert("oneOf".to_owned(), json!([{"$ref": target}, {"type": "null"}])));
            }
            None => drop(schema.insert("nullable".to_owned(), true.into())),
        }
    }
    for (bound, keyword) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        match schema.get(keyword).and_then(Value::as_bool) {
            Some(true) => {
                schema.shift_remove(keyword);
                if let Some(number) = schema.shift_remove(bound) {
                    schema.insert(keyword.to_owned(), number);
                }
            }
            Some(false) => drop(schema.shift_remove(keyword)),
            None => {}
        }
    }
}

/// Puts the members of a part beside those that stood around it, which come first in what they say.
fn unite(schema: &mut Map<String, Value>, part: Map<String, Value>) {
    for (key, value) in part {
        schema.entry(key).or_insert(value);
    }
}

/// Names whose case means nothing (RFC 9110, sections 5.1 and 11.1), and defaults that are the same in other quotes.
fn spelling(was: &Map<String, Value>, is: &mut Map<String, Value>) {
    let of = |object: &Map<String, Value>, key: &str| -> Option<String> {
        object.get(key)?.as_str().map(str::to_ascii_lowercase)
    };
    let is_header_key =
        of(was, "type").as_deref() == Some("apikey") && of(was, "in").as_deref() == Some("header");
    let is_http = of(was, "type").as_deref() == Some("http");
    for (key, counts) in [("name", is_header_key), ("scheme", is_http)] {
        if counts
            && of(was, key) == of(is, key)
            && let Some(name) = was.get(key)
        {
            is.insert(key.to_owned(), name.clone());
        }
    }
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    if let (Some(old), Some(new)) = (was.get("default"), is.get("default"))
        && old != new
        && was.get("type") == is.get("type")
        && plain(old).is_some()
        && plain(old) == plain(new)
    {
        is.insert("default".to_owned(), old.clone());
    }
}

/// Addresses that lead to the same place are written as before.
fn servers(was: &mut Value, is: &mut Value) {
    let known: Vec<String> =
        list(Some(was)).iter().filter_map(|server| Some(server.get("url")?.as_str()?.to_owned())).collect();
    for server in is.as_array_mut().into_iter().flatten() {
        let Some(Value::String(url)) = server.get_mut("url") else { continue };
        let same = known.iter().find(|other| plain_address(other) == plain_address(url));
        if let Some(same) = same {
            *url = same.clone();
        }
    }
}

/// An address with scheme and host in lower case, and without the port that the scheme has anyhow (RFC 3986, section
/// 6.2).
pub(super) fn plain_address(address: &str) -> String {
    let address = address.trim_end_matches('/');
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (scheme, mut host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    if !port.is_empty() && host.ends_with(port) {
        host.truncate(host.len() - port.len());
    }
    format!("{scheme}://{host}{path}")
}

/// Where one state has at the front of each path what the other has at the end of its base address, moves it there: the
/// addresses are the same.
fn shift_base(paths: &mut Value, base: &Value) {
    let urls = |root: &Value| -> Vec<String> {
        let servers = list(root.get("servers")).iter();
        servers.filter_map(|server| Some(plain_address(server.get("url")?.as_str()?))).collect()
    };
    let (short, long) = (urls(paths), urls(base));
    let shortest = short.first().map(String::as_str).unwrap_or_default();
    let Some(prefix) = long.first().and_then(|long| long.strip_prefix(shortest)).map(str::to_owned) else {
        return;
    };
    let in_all =
        |url: &String| short.is_empty() || short.iter().any(|base| *url == format!("{base}{prefix}"));
    if !prefix.starts_with('/')
        || prefix.contains('{')
        || !long.iter().all(in_all)
        || long.len() < short.len()
    {
        return;
    }
    let Some(Value::Object(items)) = paths.get_mut("paths") else { return };
    let rest = |path: &str| -> Option<String> {
        let rest = path.strip_prefix(prefix.as_str())?;
        (rest.is_empty() || rest.starts_with('/'))
            .then(|| if rest.is_empty() { "/".to_owned() } else { rest.to_owned() })
    };
    if items.is_empty() || !items.keys().all(|path| rest(path).is_some()) {
        return;
    }
    *items =
        std::mem::take(items).into_iter().map(|(path, item)| (rest(&path).unwrap_or(path), item)).collect();
    if let (Value::Object(root), Some(servers)) = (paths, base.get("servers")) {
        root.insert("servers".to_owned(), servers.clone());
    }
}
