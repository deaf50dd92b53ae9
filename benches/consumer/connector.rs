//! A connector that reads some operations of a description, made up at random.

use std::collections::{BTreeMap, BTreeSet};

use drogue::model::FieldPath;
use drogue::spec::{Sent, SignInScheme, WatchedEndpoint};
use serde_json::Value;

use super::{
    Random,
    walk::{Site, below, escaped, fields, resolve},
};

/// One stream of it.
pub(crate) struct Stream {
    /// The pointer of the operation, and its path and name.
    pub(crate) operation: String,
    pub(crate) path: String,
    /// `get`, or `post` where an API reads by it.
    pub(crate) method: &'static str,
    pub(crate) name: String,
    /// The pointer of the response's media type or of its Swagger response: where the schema stands.
    pub(crate) response: String,
    /// Fields that are read, from the top of the response.
    pub(crate) read: Vec<(FieldPath, Vec<Site>)>,
    /// Other fields of the response.
    pub(crate) unread: Vec<(FieldPath, Vec<Site>)>,
    /// Pointers of parameters: those that are sent, and others.
    pub(crate) sent: Vec<String>,
    pub(crate) unsent: Vec<String>,
}

/// A connector, and what it uses.
pub(crate) struct Connector {
    pub(crate) watched: Vec<WatchedEndpoint>,
    pub(crate) streams: Vec<Stream>,
    /// Pointers of all that is on the way to what is read.
    pub(crate) used: BTreeSet<String>,
    /// Pointers of what is read or sent whole, with all below it.
    whole: BTreeSet<String>,
    /// The pointer of the scheme by which it signs in.
    pub(crate) scheme: Option<String>,
}

impl Connector {
    pub(crate) fn make_up(root: &Value, random: &mut Random) -> Option<Self> {
        let paths: Vec<&String> = root.get("paths")?.as_object()?.keys().collect();
        let scheme = scheme(root);
        let mut made = Self {
            watched: Vec::new(),
            streams: Vec::new(),
            used: BTreeSet::new(),
            whole: BTreeSet::new(),
            scheme: scheme.as_ref().map(|(pointer, _)| pointer.clone()),
        };
        for _ in 0..200 {
            if made.streams.len() == 3 {
                break;
            }
            let path = (*random.pick(&paths)?).clone();
            if made.streams.iter().any(|stream| stream.path == path) {
                continue;
            }
            let Some((stream, endpoint)) = stream(root, &path, scheme.as_ref().map(|(_, s)| s), random)
            else {
                continue;
            };
            made.used
                .extend(stream.read.iter().flat_map(|(_, sites)| sites).flat_map(|site| site.trail.clone()));
            for site in stream.read.iter().flat_map(|(_, sites)| sites) {
                made.whole.extend(below(root, &property(site)));
            }
            // What is sent is not modelled field by field: its whole schema counts as used.
            made.whole.extend(below(root, &format!("{}/requestBody", stream.operation)));
            for parameter in &stream.sent {
                made.whole.extend(below(root, parameter));
            }
            made.used.extend(stream.sent.iter().cloned());
            made.streams.push(stream);
            made.watched.push(endpoint);
        }
        // What one stream does not read another may.
        let used = made.used.clone();
        for stream in &mut made.streams {
            stream.unread.retain(|(_, sites)| sites.iter().all(|site| !used.contains(&property(site))));
            stream.unsent.retain(|pointer| !used.contains(pointer));
        }
        (!made.streams.is_empty()).then_some(made)
    }

    /// Whether a place is on the way to something that is read or sent, or below it.
    pub(crate) fn uses(&self, place: &str) -> bool {
        self.used.contains(place) || self.has_whole(place)
    }

    /// Whether a schema is below a field that is read as it is, or a parameter that is sent.
    pub(crate) fn has_whole(&self, schema: &str) -> bool {
        let is_in = |place: &String| {
            schema.strip_prefix(place.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.whole.iter().any(is_in)
    }
}

pub(crate) fn property(site: &Site) -> String {
    format!("{}/properties/{}", site.owner, escaped(&site.key))
}

fn stream(
    root: &Value,
    path: &str,
    scheme: Option<&SignInScheme>,
    random: &mut Random,
) -> Option<(Stream, WatchedEndpoint)> {
    let of = |method: &&str| root.pointer(&format!("/paths/{}/{method}", escaped(path))).is_some();
    let method = ["get", "post"].into_iter().find(of)?;
    let operation = format!("/paths/{}/{method}", escaped(path));
    let node = root.pointer(&operation)?;
    node.as_object()?;
    let responses = node.get("responses")?.as_object()?;
    let status = if responses.contains_key("200") { "200" } else { return None };
    let (response, _) = resolve(root, &format!("{operation}/responses/{status}"));
    let response = if root.get("swagger").is_some() {
        response
    } else {
        format!("{response}/content/application~1json")
    };
    let schema = format!("{response}/schema");
    root.pointer(&schema)?;
    let top = FieldPath::root();
    let all = fields(root, &schema, &top);
    let (_, body) = resolve(root, &schema);
    let lists = |path: &FieldPath, sites: &[Site]| {
        path.steps().len() == 1
            && sites.iter().any(|site| {
                let (_, node) = resolve(root, &property(site));
                node.get("type").is_some_and(|word| word == "array")
                    && all.keys().any(|field| field.starts_with(&path.each()) && field != path)
            })
    };
    let records = if body.get("type").is_some_and(|word| word == "array") {
        top.each()
    } else {
        all.iter().find(|(path, sites)| lists(path, sites)).map_or(top, |(path, _)| path.each())
    };
    let within: Vec<(FieldPath, Vec<Site>)> = all
        .iter()
        .filter(|(path, _)| path.starts_with(&records))
        .map(|(p, s)| (p.clone(), s.clone()))
        .collect();
    if within.is_empty() {
        return None;
    }
    let mut read: BTreeMap<FieldPath, Vec<Site>> = BTreeMap::new();
    for _ in 0..2 + random.below(8) {
        let (path, sites) = random.pick(&within)?;
        read.insert(path.clone(), sites.clone());
    }
    let around = |path: &FieldPath| {
        records.starts_with(path)
            || read.keys().any(|field| field.starts_with(path) || path.starts_with(field))
    };
    let unread = all.iter().filter(|(path, _)| !around(path)).map(|(p, s)| (p.clone(), s.clone())).collect();
    let within_record = |path: &FieldPath| FieldPath::new(path.steps()[records.steps().len()..].to_vec());

    let (mut sent, mut unsent, mut values) = (Vec::new(), Vec::new(), BTreeMap::new());
    for owner in [format!("/paths/{}", escaped(path)), operation.clone()] {
        let list = format!("{owner}/parameters");
        for index in 0..root.pointer(&list).and_then(Value::as_array).map_or(0, Vec::len) {
            let (pointer, parameter) = resolve(root, &format!("{list}/{index}"));
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            if !matches!(text("in").as_str(), "query" | "header") {
                continue;
            }
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
            if required || random.below(2) == 0 {
                values.insert(text("name"), None);
                sent.push(pointer);
            } else {
                unsent.push(pointer);
            }
        }
    }
    let link_header = node.pointer(&format!("/responses/{status}/headers/Link")).is_some();
    let endpoint = WatchedEndpoint {
        method: method.to_uppercase(),
        path: path.to_owned(),
        records: Some(records.clone()),
        fields: read.keys().map(within_record).collect(),
        passes_others: false,
        beside: Vec::new(),
        sent: Some(Sent { parameters: values, body: Vec::new(), link_header }),
        sign_in: scheme.cloned(),
    };
    let stream = Stream {
        operation,
        path: path.to_owned(),
        method,
        name: format!("{} {path}", method.to_uppercase()),
        response,
        read: read.into_iter().collect(),
        unread,
        sent,
        unsent,
    };
    Some((stream, endpoint))
}

/// The first way to sign in of the whole API that is one scheme which connectors know.
fn scheme(root: &Value) -> Option<(String, SignInScheme)> {
    let defined =
        if root.get("swagger").is_some() { "/securityDefinitions" } else { "/components/securitySchemes" };
    let ways = root.get("security")?.as_array()?;
    let name = ways.iter().find_map(|way| way.as_object().filter(|way| way.len() == 1)?.keys().next())?;
    let (pointer, node) = resolve(root, &format!("{defined}/{}", escaped(name)));
    let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let scheme = match (text("type").as_str(), text("in").as_str(), text("scheme").as_str()) {
        ("apiKey", "header", _) => SignInScheme::HeaderKey(text("name")),
        ("apiKey", "query", _) => SignInScheme::QueryKey(text("name")),
        ("http", _, "bearer") => SignInScheme::Bearer,
        ("http", _, "basic") | ("basic", _, _) => SignInScheme::Basic,
        _ => return None,
    };
    Some((pointer, scheme))
}
