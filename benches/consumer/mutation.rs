//! Changes of descriptions, of the sorts that vendors make.

use std::fmt;

use drogue::model::FieldPath;
use serde_json::{Value, json};

use super::{
    Random,
    connector::{Connector, property},
    walk::{Site, escaped, resolve},
};

/// What was done.
pub(crate) struct Mutation {
    pub(crate) sort: &'static str,
    /// The operation that it is about, where it is about one.
    pub(crate) operation: Option<String>,
    /// The field that it is about, from the top of the response.
    pub(crate) field: Option<FieldPath>,
    place: String,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.as_ref().map(ToString::to_string).unwrap_or_default();
        write!(
            f,
            "{} {} {field} at {}",
            self.sort,
            self.operation.as_deref().unwrap_or("the API"),
            self.place
        )
    }
}

const FIELD_SORTS: [&str; 9] = [
    "field removed",
    "field renamed",
    "field retyped",
    "enum widened",
    "enum narrowed",
    "nullable",
    "date-time to date",
    "became optional",
    "became an alternative",
];

const PARAMETER_SORTS: [&str; 4] =
    ["parameter removed", "parameter renamed", "parameter retyped", "parameter narrowed"];

/// A break of something that the connector uses; `None` where the one drawn does not fit the document.
pub(crate) fn of_what_is_used(
    root: &mut Value,
    connector: &Connector,
    random: &mut Random,
) -> Option<Mutation> {
    let stream = random.pick(&connector.streams)?;
    let about = |sort, place: &str| Mutation {
        sort,
        operation: Some(stream.name.clone()),
        field: None,
        place: place.to_owned(),
    };
    let item = format!("/paths/{}", escaped(&stream.path));
    match random.below(20) {
        0..=9 => {
            let (path, sites) = random.pick(&stream.read)?;
            let sort = *random.pick(&FIELD_SORTS)?;
            field(root, sort, sites, random)?;
            Some(Mutation { field: Some(path.clone()), ..about(sort, &sites[0].owner) })
        }
        // The same to an object around a field that is read.
        10 => {
            let (path, sites) = random.pick(&stream.read)?;
            let site = sites.first().filter(|_| sites.len() == 1)?;
            let around = site.trail.iter().rev().skip(1).find(|pointer| is_property(pointer))?.clone();
            replace_property(root, &around, random)?;
            Some(Mutation { field: Some(path.clone()), ..about("object around it", &around) })
        }
        11 => {
            object(root, &item)?.remove(stream.method)?;
            Some(about("operation removed", &item))
        }
        12 => {
            let node = object(root, "/paths")?.remove(&stream.path)?;
            object(root, "/paths")?.insert(format!("/renamed{}", stream.path), node);
            Some(about("operation renamed", &item))
        }
        13 => {
            *server(root)? = json!("https://moved.example.com/v9");
            Some(Mutation { operation: None, ..about("server changed", "/servers") })
        }
        14 => {
            let scheme = connector.scheme.as_ref()?;
            *root.pointer_mut(scheme)? = json!({"type": "apiKey", "in": "header", "name": "X-Another-Key"});
            Some(Mutation { operation: None, ..about("auth changed", scheme) })
        }
        15 => {
            let list = object(root, &stream.operation)?.entry("parameters").or_insert_with(|| json!([]));
            list.as_array_mut()?.push(parameter("must_be_given", true));
            Some(about("required parameter added", &stream.operation))
        }
        16..=17 => {
            let pointer = random.pick(&stream.sent)?.clone();
            let sort = *random.pick(&PARAMETER_SORTS)?;
            change_parameter(root, sort, &pointer)?;
            Some(about(sort, &pointer))
        }
        18 => {
            let schema = root.pointer_mut(&format!("{}/schema", stream.response))?;
            let old = schema.take();
            *schema =
                json!({"type": "object", "properties": {"payload": old, "request_id": {"type": "string"}}});
            Some(about("envelope changed", &stream.response))
        }
        _ => {
            let (content, _) =
                stream.response.rsplit_once('/').filter(|(above, _)| above.ends_with("/content"))?;
            let content = object(root, content)?;
            let media = content.remove("application/json")?;
            content.clear();
            content.insert("text/csv".to_owned(), media);
            Some(about("no longer JSON", &stream.response))
        }
    }
}

/// A change of something that the connector does not use.
pub(crate) fn elsewhere(root: &mut Value, connector: &Connector, random: &mut Random) -> Option<Mutation> {
    let stream = random.pick(&connector.streams)?;
    let about = |sort, place: &str| Mutation { sort, operation: None, field: None, place: place.to_owned() };
    let others: Vec<String> = root
        .get("paths")?
        .as_object()?
        .keys()
        .filter(|path| connector.streams.iter().all(|stream| stream.path != **path))
        .cloned()
        .collect();
    match random.below(20) {
        // Fields of the same responses.
        0..=5 => {
            let (_, sites) = random.pick(&stream.unread)?;
            let sort = *random.pick(&FIELD_SORTS)?;
            // The type behind a reference may be that of a field that is read.
            let shared = sites.iter().any(|site| {
                let (target, _) = resolve(root, &property(site));
                target != property(site) && connector.uses(&target)
            });
            if shared || sites.iter().any(|site| connector.has_whole(&site.owner)) {
                return None;
            }
            field(root, sort, sites, random)?;
            Some(about(sort, &property(&sites[0])))
        }
        // Shared schemas that are not on the way to anything that is read.
        6..=10 => {
            let schemas = if root.get("swagger").is_some() { "/definitions" } else { "/components/schemas" };
            let names: Vec<String> = root.pointer(schemas)?.as_object()?.keys().cloned().collect();
            let owner = format!("{schemas}/{}", escaped(random.pick(&names)?));
            let node = root.pointer(&owner)?;
            let keys: Vec<String> = node.get("properties")?.as_object()?.keys().cloned().collect();
            let key = random.pick(&keys)?.clone();
            let site = Site { owner: owner.clone(), key, trail: Vec::new(), through_parts: false };
            let (target, _) = resolve(root, &property(&site));
            if connector.uses(&property(&site)) || connector.uses(&target) || connector.uses(&owner) {
                return None;
            }
            let sort = *random.pick(&FIELD_SORTS)?;
            field(root, sort, &[site], random)?;
            Some(about(sort, &owner))
        }
        11 => {
            let path = random.pick(&others)?;
            object(root, "/paths")?.remove(path)?;
            Some(about("operation removed", path))
        }
        12 => {
            let path = random.pick(&others)?;
            let node = object(root, "/paths")?.remove(path)?;
            object(root, "/paths")?.insert(format!("/renamed{path}"), node);
            Some(about("operation renamed", path))
        }
        13 => {
            object(root, "/paths")?.insert("/brand-new".to_owned(), json!({"get": {"responses": {}}}));
            Some(about("operation added", "/paths"))
        }
        14..=16 => {
            let pointer = random.pick(&stream.unsent)?.clone();
            // A list of values may be that of a field that is read.
            if connector.uses(&resolve(root, &format!("{pointer}/schema")).0) {
                return None;
            }
            let sort = *random.pick(&PARAMETER_SORTS)?;
            change_parameter(root, sort, &pointer)?;
            Some(about(sort, &pointer))
        }
        17 => {
            let list = object(root, &stream.operation)?.entry("parameters").or_insert_with(|| json!([]));
            list.as_array_mut()?.push(parameter("may_be_given", false));
            Some(about("optional parameter added", &stream.operation))
        }
        18 => {
            let item = format!("/paths/{}", escaped(random.pick(&others)?));
            let method =
                ["get", "post"].into_iter().find(|m| root.pointer(&format!("{item}/{m}")).is_some())?;
            let path = format!("{item}/{method}");
            let operation = object(root, &path)?;
            let list = operation.entry("parameters").or_insert_with(|| json!([]));
            list.as_array_mut()?.push(parameter("must_be_given", true));
            operation.insert("security".to_owned(), json!([{"another": []}]));
            operation.insert("servers".to_owned(), json!([{"url": "https://other.example.com"}]));
            operation.insert("deprecated".to_owned(), json!(true));
            Some(about("another operation changed", &path))
        }
        _ => {
            let schemes = if root.get("swagger").is_some() {
                "/securityDefinitions"
            } else {
                "/components/securitySchemes"
            };
            let names: Vec<String> = root.pointer(schemes)?.as_object()?.keys().cloned().collect();
            let pointer = format!("{schemes}/{}", escaped(random.pick(&names)?));
            if connector.scheme.as_ref().is_none_or(|own| *own == pointer) {
                return None;
            }
            *root.pointer_mut(&pointer)? = json!({"type": "apiKey", "in": "header", "name": "X-Another-Key"});
            Some(about("another scheme changed", &pointer))
        }
    }
}

/// Changes a field at all its places, or at one that is enough.
fn field(root: &mut Value, sort: &str, sites: &[Site], random: &mut Random) -> Option<()> {
    let one = sites.iter().all(|site| !site.through_parts) && random.below(2) == 0;
    let chosen: Vec<&Site> = if one { vec![random.pick(sites)?] } else { sites.iter().collect() };
    let mut owners: Vec<String> = Vec::new();
    for site in chosen {
        if !owners.contains(&property(site)) {
            owners.push(property(site));
            at_site(root, sort, site)?;
        }
    }
    Some(())
}

fn at_site(root: &mut Value, sort: &str, site: &Site) -> Option<()> {
    let pointer = property(site);
    let (target, node) = resolve(root, &pointer);
    let node = node.clone();
    let word = node.get("type").and_then(Value::as_str);
    // A field of any type cannot get another one.
    let typed = word.is_some() || node.get("properties").is_some();
    match sort {
        "field removed" | "field renamed" => {
            let owner = object(root, &site.owner)?;
            let required = owner.get_mut("required").and_then(Value::as_array_mut);
            let was_required = required.is_some_and(|names| {
                let before = names.len();
                names.retain(|name| *name != site.key);
                names.len() < before
            });
            let old = owner.get_mut("properties")?.as_object_mut()?.remove(&site.key)?;
            if sort == "field renamed" {
                let name = format!("{}_v2", site.key);
                owner.get_mut("properties")?.as_object_mut()?.insert(name.clone(), old);
                if was_required {
                    owner.get_mut("required")?.as_array_mut()?.push(json!(name));
                }
            }
        }
        "field retyped" => {
            let other = if word == Some("boolean") { "string" } else { "boolean" };
            *root.pointer_mut(&pointer).filter(|_| typed)? = json!({"type": other});
        }
        "enum widened" => {
            let node = object(root, &target)?;
            node.get_mut("enum")?.as_array_mut()?.push(json!("something_else"));
        }
        "enum narrowed" => {
            let values = object(root, &target)?.get_mut("enum")?.as_array_mut()?;
            values.len().checked_sub(2)?;
            values.retain({
                let first = values.iter().find(|value| !value.is_null())?.clone();
                move |value| *value != first
            });
        }
        "nullable" => {
            let is_nullable = ["nullable", "x-nullable"].iter().any(|key| node.get(key).is_some());
            if word.is_none() || is_nullable || node.get("enum").is_some() {
                return None;
            }
            object(root, &target)?.insert("nullable".to_owned(), json!(true));
        }
        "date-time to date" => {
            node.get("format").filter(|format| *format == "date-time")?;
            object(root, &target)?.insert("format".to_owned(), json!("date"));
        }
        "became optional" => {
            let names = object(root, &site.owner)?.get_mut("required")?.as_array_mut()?;
            names.iter().position(|name| *name == site.key).map(|index| names.remove(index))?;
        }
        _ => {
            // A schema became one of two.
            if !typed || target == pointer {
                return None;
            }
            let old = root.pointer(&pointer)?.clone();
            *root.pointer_mut(&pointer)? = json!({"oneOf": [old, {"title": "Another", "type": "object", "properties": {"other": {"type": "string"}}}]});
        }
    }
    Some(())
}

/// Removes or retypes the property at a pointer.
fn replace_property(root: &mut Value, pointer: &str, random: &mut Random) -> Option<()> {
    let (_, node) = resolve(root, pointer);
    let word = node.get("type").and_then(Value::as_str)?.to_owned();
    if random.below(2) == 0 {
        let (owner, key) = pointer.rsplit_once('/')?;
        object(root, owner)?.remove(&key.replace("~1", "/").replace("~0", "~"))?;
    } else {
        *root.pointer_mut(pointer)? = json!({"type": if word == "string" { "integer" } else { "string" }});
    }
    Some(())
}

fn is_property(pointer: &str) -> bool {
    pointer.rsplit_once('/').is_some_and(|(above, _)| above.ends_with("/properties"))
}

fn change_parameter(root: &mut Value, sort: &str, pointer: &str) -> Option<()> {
    let swagger = root.get("swagger").is_some();
    match sort {
        // A shared parameter stays for others; whoever used it here has lost it all the same.
        "parameter removed" => *root.pointer_mut(pointer)? = json!({"name": "unrelated", "in": "cookie"}),
        "parameter renamed" => {
            let node = object(root, pointer)?;
            let name = format!("{}_new_name", node.get("name")?.as_str()?);
            node.insert("name".to_owned(), json!(name));
        }
        "parameter retyped" => {
            let at = if swagger { pointer.to_owned() } else { resolve(root, &format!("{pointer}/schema")).0 };
            let node = object(root, &at)?;
            let word = node.get("type")?.as_str()?.to_owned();
            node.insert("type".to_owned(), json!(if word == "boolean" { "string" } else { "boolean" }));
        }
        _ => {
            let at = if swagger { pointer.to_owned() } else { resolve(root, &format!("{pointer}/schema")).0 };
            let values = object(root, &at)?.get_mut("enum")?.as_array_mut()?;
            values.len().checked_sub(2)?;
            values.remove(0);
        }
    }
    Some(())
}

fn parameter(name: &str, required: bool) -> Value {
    json!({"name": name, "in": "query", "required": required, "schema": {"type": "string"}, "type": "string"})
}

fn server(root: &mut Value) -> Option<&mut Value> {
    if root.get("swagger").is_some() {
        return root.get_mut("host");
    }
    root.pointer_mut("/servers/0/url")
}

fn object<'a>(root: &'a mut Value, pointer: &str) -> Option<&'a mut serde_json::Map<String, Value>> {
    root.pointer_mut(pointer)?.as_object_mut()
}
