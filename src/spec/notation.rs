//! What two states of a description say in different notations, said in one.
//!
//! Only where the notations differ is anything rewritten, and then on both sides: a text diff shows what the vendor wrote,
//! and a judgement that knows one notation well keeps seeing it.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{
    contract::is_annotation,
    steps::{Step, place, put},
};

/// Keys whose value is data and no description.
const DATA: [&str; 6] = ["example", "examples", "default", "const", "enum", "value"];

/// Says what both states say in one notation: schemas, base addresses, and names whose case means nothing. A state in
/// which nothing is to be said otherwise is not copied.
pub(super) fn align(was: &mut Cow<'_, Value>, is: &mut Cow<'_, Value>) {
    shift_base(was, is);
    shift_base(is, was);
    let mut edits = Edits::default();
    edits.nodes(was, is, &mut Vec::new());
    edits.apply(was, is);
}

/// What is to stand at which place of each state.
#[derive(Default)]
struct Edits {
    was: Vec<(Vec<String>, Value)>,
    is: Vec<(Vec<String>, Value)>,
}

impl Edits {
    fn nodes<'a>(&mut self, was: &'a Value, is: &'a Value, at: &mut Vec<Step<'a>>) {
        match (was, is) {
            (Value::Object(old), Value::Object(new)) => {
                if Form::of(old) != Form::of(new) && (is_to_settle(old) || is_to_settle(new)) {
                    self.schemas((was, old), (is, new), at);
                } else {
                    self.members(old, new, at);
                }
            }
            (Value::Array(was), Value::Array(is)) => {
                for (index, (was, is)) in was.iter().zip(is).enumerate() {
                    at.push(Step::Index(index));
                    self.nodes(was, is, at);
                    at.pop();
                }
            }
            _ => {}
        }
    }

    /// What is within two objects.
    fn members<'a>(
        &mut self,
        was: &'a Map<String, Value>,
        is: &'a Map<String, Value>,
        at: &mut Vec<Step<'a>>,
    ) {
        for (key, value) in spelling(was, is) {
            at.push(Step::Name(key.into()));
            self.is.push((place(at), value));
            at.pop();
        }
        for (key, old) in was {
            let Some(new) = is.get(key) else { continue };
            at.push(Step::Name(key.into()));
            if key == "servers"
                && let Some(servers) = servers(old, new)
            {
                self.is.push((place(at), servers));
            } else if !DATA.contains(&key.as_str()) || new.is_object() {
                self.nodes(old, new, at);
            }
            at.pop();
        }
    }

    /// Two schemas that are written in different ways, and what is within them.
    fn schemas(
        &mut self,
        (was, old): (&Value, &Map<String, Value>),
        (is, new): (&Value, &Map<String, Value>),
        at: &[Step<'_>],
    ) {
        let (mut old, mut new) = (old.clone(), new.clone());
        settle(&mut old);
        settle(&mut new);
        let mut within = Self::default();
        within.members(&old, &new, &mut Vec::new());
        let (mut old, mut new) = (Cow::Owned(old.into()), Cow::Owned(new.into()));
        within.apply(&mut old, &mut new);
        for (edits, node, known) in [(&mut self.was, old, was), (&mut self.is, new, is)] {
            if *node != *known {
                edits.push((place(at), node.into_owned()));
            }
        }
    }

    fn apply(self, was: &mut Cow<'_, Value>, is: &mut Cow<'_, Value>) {
        self.was.into_iter().for_each(|(place, node)| {
            put(was.to_mut(), &place, node);
        });
        self.is.into_iter().for_each(|(place, node)| {
            put(is.to_mut(), &place, node);
        });
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

/// How it says that null is allowed; of several ways the last one here counts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Null {
    Not,
    /// One of several alternatives, in a `oneOf` or an `anyOf`.
    OneOf,
    AnyOf,
    /// `type: [string, null]`
    Type,
    /// `nullable: true`
    Flag,
}

impl Form {
    fn of(schema: &Map<String, Value>) -> Self {
        let mut form = Self { wrapped: false, null: Null::Not, flags: false };
        let has_null = |alternatives: &Value| list(Some(alternatives)).iter().any(is_null);
        // One walk over the members, since this is asked of every object of two documents.
        for (key, value) in schema {
            let null = match key.as_str() {
                "nullable" if *value == Value::Bool(true) => Null::Flag,
                "type" if list(Some(value)).iter().any(|word| word == "null") => Null::Type,
                "anyOf" if has_null(value) => Null::AnyOf,
                "oneOf" if has_null(value) => Null::OneOf,
                _ => Null::Not,
            };
            form.null = form.null.max(null);
            match key.as_str() {
                "allOf" => form.wrapped = only_part(schema).is_some(),
                "exclusiveMinimum" | "exclusiveMaximum" => form.flags |= value.is_boolean(),
                _ => {}
            }
        }
        form
    }
}

fn list(node: Option<&Value>) -> &[Value] {
    node.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a schema allows null alone.
fn is_null(node: &Value) -> bool {
    node.as_object().is_some_and(|object| {
        object.get("type").is_some_and(|word| word == "null")
            && object.keys().all(|key| key == "type" || is_annotation(key))
    })
}

/// The one schema that an `allOf` holds, where nothing beside it says more.
fn only_part(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let [part] = list(schema.get("allOf")) else { return None };
    let plain = schema.keys().all(|key| key == "allOf" || key == "nullable" || is_annotation(key));
    part.as_object().filter(|_| plain)
}

/// Whether a schema is written in another way than [`settle`] leaves it.
fn is_to_settle(schema: &Map<String, Value>) -> bool {
    let form = Form::of(schema);
    form.wrapped
        || form.flags
        || matches!(form.null, Null::Type | Null::AnyOf | Null::OneOf)
        || (form.null == Null::Flag && schema.contains_key("$ref"))
}

/// Rewrites a schema: no lone `allOf`, null as a flag (beside a `$ref` as an alternative), bounds as numbers.
fn settle(schema: &mut Map<String, Value>) {
    if let Some(part) = only_part(schema).cloned() {
        schema.shift_remove("allOf");
        unite(schema, part);
    }
    let mut nullable = schema.get("nullable").is_some_and(|flag| *flag == Value::Bool(true));
    schema.shift_remove("nullable");
    // Null alone is a type like any other.
    if let Some(Value::Array(words)) = schema.get_mut("type")
        && words.iter().any(|word| word != "null")
    {
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

/// Names whose case means nothing (RFC 9110, sections 5.1 and 11.1), and defaults that are the same in other quotes: the
/// members of the later object that are to be as in the earlier one.
fn spelling(was: &Map<String, Value>, is: &Map<String, Value>) -> Vec<(&'static str, Value)> {
    let of = |object: &Map<String, Value>, key: &str| -> Option<String> {
        object.get(key)?.as_str().map(str::to_ascii_lowercase)
    };
    let counts = |key: &str| match key {
        "name" => of(was, "type").as_deref() == Some("apikey") && of(was, "in").as_deref() == Some("header"),
        _ => of(was, "type").as_deref() == Some("http"),
    };
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let mut told = Vec::new();
    for (key, old) in was {
        let Some(key) = ["name", "scheme", "default"].into_iter().find(|known| key == known) else {
            continue;
        };
        let Some(new) = is.get(key) else { continue };
        let same = old != new
            && if key == "default" {
                was.get("type") == is.get("type") && plain(old).is_some() && plain(old) == plain(new)
            } else {
                of(was, key) == of(is, key) && old.is_string() && counts(key)
            };
        if same {
            told.push((key, old.clone()));
        }
    }
    told
}

/// The addresses of the later state, those that lead to the same place as one before written as before; `None` where
/// nothing is to be written otherwise.
fn servers(was: &Value, is: &Value) -> Option<Value> {
    let known: Vec<&str> = list(Some(was)).iter().filter_map(|server| server.get("url")?.as_str()).collect();
    let mut servers = is.clone();
    for server in servers.as_array_mut().into_iter().flatten() {
        let Some(Value::String(url)) = server.get_mut("url") else { continue };
        if let Some(same) = known.iter().find(|other| plain_address(other) == plain_address(url)) {
            (*same).clone_into(url);
        }
    }
    (servers != *is).then_some(servers)
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
fn shift_base(paths: &mut Cow<'_, Value>, base: &Value) {
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
    let Some(Value::Object(items)) = paths.get("paths") else { return };
    let rest = |path: &str| -> Option<String> {
        let rest = path.strip_prefix(prefix.as_str())?;
        (rest.is_empty() || rest.starts_with('/'))
            .then(|| if rest.is_empty() { "/".to_owned() } else { rest.to_owned() })
    };
    if items.is_empty() || !items.keys().all(|path| rest(path).is_some()) {
        return;
    }
    let Value::Object(root) = paths.to_mut() else { return };
    if let Some(Value::Object(items)) = root.get_mut("paths") {
        let shifted = std::mem::take(items).into_iter();
        *items = shifted.map(|(path, item)| (rest(&path).unwrap_or(path), item)).collect();
    }
    if let Some(servers) = base.get("servers") {
        root.insert("servers".to_owned(), servers.clone());
    }
}
