//! GraphQL schemas, however they are written down: each field of `Query`, `Mutation` and `Subscription` is an operation.
//!
//! What is sent are the arguments. What comes back is `{"data": {"field": …}}`, so that paths in findings are those of
//! real answers. A field elsewhere that takes arguments is an operation of its own, `FIELD User.posts`, for its
//! arguments alone; what it returns belongs to its type.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Draft, answers, sdl};
use crate::spec::api::GRAPHQL;

/// A schema.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) types: BTreeMap<String, Type>,
    /// The types that operations start at: query, mutation, subscription.
    pub(super) roots: [Option<String>; 3],
    /// What was left out.
    pub(super) unread: Vec<String>,
}

/// A named type.
#[derive(Debug, Default)]
pub(super) struct Type {
    pub(super) kind: Kind,
    pub(super) description: String,
    pub(super) fields: Vec<Field>,
    /// Values of an enum, members of a union, interfaces of an object.
    pub(super) names: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Scalar,
    Object,
    Interface,
    Input,
    Enum,
    Union,
}

/// A field or an argument.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) of: Of,
    pub(super) arguments: Vec<Self>,
    pub(super) default: Option<String>,
    pub(super) deprecated: bool,
    /// Why, and until when, where the schema says so.
    pub(super) reason: Option<String>,
}

/// The type of a field.
#[derive(Debug)]
pub(super) enum Of {
    Named(String),
    List(Box<Self>),
    Always(Box<Self>),
}

const ROOTS: [(&str, &str); 3] =
    [("Query", "x-query"), ("Mutation", "x-mutation"), ("Subscription", "x-subscription")];

/// Whether a text begins as a schema in SDL does; comments and descriptions may come first.
pub(in crate::spec) fn looks_like(text: &str) -> bool {
    const WORDS: [&str; 9] =
        ["schema", "type", "interface", "union", "enum", "input", "scalar", "directive", "extend"];
    let mut quoted = false;
    for line in text.lines().take(200).map(str::trim) {
        let quotes = line.matches("\"\"\"").count();
        if quoted || quotes > 0 {
            quoted ^= quotes % 2 == 1;
            continue;
        }
        if line.is_empty() || line.starts_with(['#', '"']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(first) = words.next().filter(|first| WORDS.contains(&first.trim_end_matches('{'))) else {
            return false;
        };
        // Prose may begin with one of these words; a definition goes on with a name and a sign.
        let rest = line[first.len()..].trim_start();
        let name = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let after = rest[name..].trim_start();
        return match first.trim_end_matches('{') {
            "schema" => first.ends_with('{') || rest.starts_with(['{', '@']),
            "directive" => rest.starts_with('@'),
            "extend" => words.next().is_some_and(|next| WORDS.contains(&next)) && words.next().is_some(),
            "scalar" => name > 0 && (after.is_empty() || after.starts_with(['@', '#'])),
            _ => {
                name > 0
                    && (after.is_empty()
                        || after.starts_with(['{', '@', '=', '&', '#'])
                        || after.starts_with("implements "))
            }
        };
    }
    false
}

/// A schema in SDL as a description; the line and the reason where it is broken.
pub(in crate::spec) fn read(text: &str) -> Result<Value, (u64, String)> {
    describe(sdl::read(text)?).map_err(|why| (0, why))
}

/// A schema as a description.
pub(super) fn describe(schema: Schema) -> Result<Value, String> {
    let mut draft = Draft { family: Some(GRAPHQL), ..Draft::default() };
    draft.unread = schema.unread.clone();
    let root_names: Vec<String> = ROOTS
        .iter()
        .zip(&schema.roots)
        .map(|((word, _), root)| root.clone().unwrap_or_else(|| (*word).to_owned()))
        .collect();
    for (name, (_, method)) in root_names.iter().zip(ROOTS) {
        for field in schema.types.get(name).map_or(&[][..], |root| &root.fields) {
            let mut operation = schema.operation(field);
            let answer = schema.nullable(&field.of);
            let object = |name: &str, schema: Value| json!({"type": "object", "properties": {name: schema}, "required": [name]});
            operation["responses"] = answers(&object("data", object(&field.name, answer)));
            draft.operation(&field.name, method, operation);
        }
    }
    let is_bare = draft.paths.is_empty();
    let mut implementers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, kind) in schema.types.iter().filter(|(_, t)| t.kind == Kind::Object) {
        kind.names.iter().for_each(|interface| implementers.entry(interface).or_default().push(name));
    }
    for (name, kind) in &schema.types {
        if kind.kind == Kind::Scalar || root_names.contains(name) {
            continue;
        }
        let possible = implementers.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        draft.schemas.insert(name.clone(), schema.of_type(kind, possible));
        for field in kind.fields.iter().filter(|field| !field.arguments.is_empty()) {
            draft.operation(&format!("{name}.{}", field.name), "x-field", schema.operation(field));
        }
        // A part of a schema that others put together has types alone.
        if is_bare && kind.kind == Kind::Object {
            let place = json!({"$ref": format!("#/components/schemas/{name}")});
            draft.operation(name, "x-schema", json!({"responses": answers(&place)}));
        }
    }
    if draft.paths.is_empty() {
        return Err("it is a GraphQL document that defines no fields of any type".to_owned());
    }
    Ok(draft.finish())
}

impl Schema {
    /// The operation that asks for a field.
    fn operation(&self, field: &Field) -> Value {
        let parameters = field.arguments.iter().map(|argument| {
            let mut schema = self.nullable(&argument.of);
            if let (Some(default), Value::Object(schema)) = (&argument.default, &mut schema) {
                schema.insert("default".to_owned(), default.as_str().into());
            }
            json!({
                "name": argument.name,
                "in": "query",
                "required": matches!(argument.of, Of::Always(_)) && argument.default.is_none(),
                "deprecated": argument.deprecated,
                "x-deprecation-message": argument.reason,
                "description": argument.description,
                "schema": schema,
            })
        });
        json!({
            "operationId": field.name,
            "description": field.description,
            "deprecated": field.deprecated,
            "x-deprecation-message": field.reason,
            "parameters": parameters.collect::<Vec<_>>(),
        })
    }

    fn of_type(&self, kind: &Type, possible: &[&str]) -> Value {
        let references =
            |names: &mut dyn Iterator<Item = &str>| -> Value { names.map(|name| self.named(name)).collect() };
        let mut schema = match kind.kind {
            Kind::Scalar => json!({}),
            Kind::Enum => json!({"type": "string", "enum": kind.names}),
            Kind::Union => json!({"oneOf": references(&mut kind.names.iter().map(String::as_str))}),
            Kind::Object | Kind::Interface | Kind::Input => {
                let is_input = kind.kind == Kind::Input;
                let mut properties = Map::new();
                let mut required = BTreeSet::new();
                for field in &kind.fields {
                    let always = matches!(field.of, Of::Always(_));
                    // What is asked for always comes; what is sent may be left out where it may be null.
                    if !is_input || (always && field.default.is_none()) {
                        required.insert(field.name.as_str());
                    }
                    let mut below = self.nullable(&field.of);
                    if let Value::Object(object) = &mut below
                        && !object.contains_key("$ref")
                    {
                        if !field.description.is_empty() {
                            object.insert("description".to_owned(), field.description.as_str().into());
                        }
                        if let Some(default) = &field.default {
                            object.insert("default".to_owned(), default.as_str().into());
                        }
                        if field.deprecated {
                            object.insert("deprecated".to_owned(), true.into());
                            object.insert("x-deprecation-message".to_owned(), field.reason.clone().into());
                        }
                    } else if field.deprecated {
                        below = json!({
                            "allOf": [below], "deprecated": true, "x-deprecation-message": field.reason,
                        });
                    }
                    properties.insert(field.name.clone(), below);
                }
                json!({"type": "object", "properties": properties, "required": required})
            }
        };
        if let Value::Object(object) = &mut schema {
            if !kind.description.is_empty() {
                object.insert("description".to_owned(), kind.description.as_str().into());
            }
            if !possible.is_empty() && kind.kind == Kind::Interface {
                object.insert("oneOf".to_owned(), references(&mut possible.iter().copied()));
            }
        }
        schema
    }

    /// The schema of what may be null unless it is said that it is not.
    fn nullable(&self, of: &Of) -> Value {
        let plain = match of {
            Of::Always(inner) => return self.plain(inner),
            Of::List(_) | Of::Named(_) => self.plain(of),
        };
        match plain {
            Value::Object(object) if object.contains_key("$ref") => {
                json!({"anyOf": [object, {"type": "null"}]})
            }
            Value::Object(mut object) => {
                object.insert("nullable".to_owned(), true.into());
                Value::Object(object)
            }
            other => other,
        }
    }

    fn plain(&self, of: &Of) -> Value {
        match of {
            Of::Always(inner) => self.plain(inner),
            Of::List(inner) => json!({"type": "array", "items": self.nullable(inner)}),
            Of::Named(name) => self.named(name),
        }
    }

    /// A type by name; a scalar of the schema's own keeps its name, since nobody knows what it is made of.
    fn named(&self, name: &str) -> Value {
        match name {
            "Int" => json!({"type": "integer", "format": "int32"}),
            "Float" => json!({"type": "number", "format": "double"}),
            "String" => json!({"type": "string"}),
            "ID" => json!({"type": "string", "format": "id"}),
            "Boolean" => json!({"type": "boolean"}),
            _ => match self.types.get(name) {
                Some(kind) if kind.kind == Kind::Scalar => json!({"type": name}),
                // One that is not defined leads nowhere, which is told.
                Some(_) | None => json!({"$ref": format!("#/components/schemas/{name}")}),
            },
        }
    }
}
