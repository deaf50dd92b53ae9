//! One file a format: each reads what is written into the shape of an OpenAPI description, which is what is compared.
//!
//! A reader takes a document as people publish it. What breaks the standard and means something anyhow is read; what
//! means nothing is left out and noted below [`UNREAD`](super::assembly::UNREAD).

pub(super) mod graphql;
mod inferred;
pub(super) mod introspection;
pub(super) mod json_schema;
pub(super) mod openapi;
pub(super) mod pdf;
pub(super) mod postman;
pub(super) mod reference;
mod sdl;
pub(super) mod tools;

use serde_json::{Map, Value, json};

use super::api::FAMILY;

/// A description in the making: operations by path, and the schemas that they share.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) family: Option<&'static str>,
    pub(super) title: Option<String>,
    pub(super) version: Option<String>,
    pub(super) servers: Vec<String>,
    pub(super) paths: Map<String, Value>,
    pub(super) schemas: Map<String, Value>,
    /// Further members at the top.
    pub(super) others: Map<String, Value>,
    /// What was left out, place and reason.
    pub(super) unread: Vec<String>,
}

impl Draft {
    /// Adds an operation; the first one of a path and method stays.
    pub(super) fn operation(&mut self, path: &str, method: &str, operation: Value) {
        let item = self.paths.entry(path).or_insert_with(|| json!({}));
        if let Value::Object(item) = item
            && !item.contains_key(method)
        {
            item.insert(method.to_owned(), operation);
        }
    }

    /// The description in the shape of OpenAPI.
    pub(super) fn finish(self) -> Value {
        let mut root = json!({
            "openapi": "3.1.0",
            "info": {"title": self.title.unwrap_or_default(), "version": self.version.unwrap_or_default()},
            "paths": self.paths,
            "components": {"schemas": self.schemas},
        });
        if let Value::Object(object) = &mut root {
            if let Some(family) = self.family {
                object.insert(FAMILY.to_owned(), family.into());
            }
            if !self.servers.is_empty() {
                let servers = self.servers.into_iter().map(|url| json!({"url": url}));
                object.insert("servers".to_owned(), servers.collect());
            }
            for (key, value) in self.others {
                match object.get_mut(&key) {
                    // `components` has more than schemas.
                    Some(Value::Object(there)) => {
                        if let Value::Object(more) = value {
                            there.extend(more);
                        }
                    }
                    Some(_) | None => drop(object.insert(key, value)),
                }
            }
            if !self.unread.is_empty() {
                object.insert(super::assembly::UNREAD.to_owned(), self.unread.into());
            }
        }
        root
    }
}

/// The response of success with a JSON body of this schema.
pub(super) fn answers(schema: &Value) -> Value {
    json!({"200": {"description": "", "content": {"application/json": {"schema": schema}}}})
}
