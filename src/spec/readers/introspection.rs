//! GraphQL schemas as a server tells them: the answer to the introspection query.

use serde_json::Value;

use super::graphql::{Field, Kind, Of, Schema, Type, describe};

/// The schema in an answer, with or without the envelope.
pub(in crate::spec) fn schema_of(root: &Value) -> Option<&Value> {
    let schema = root.get("data").unwrap_or(root).get("__schema").or_else(|| root.get("__schema"))?;
    schema.is_object().then_some(schema)
}

/// An introspection result as a description.
pub(in crate::spec) fn read(root: &Value) -> Result<Value, String> {
    let told = schema_of(root).ok_or("it holds no `__schema`")?;
    let name = |key: &str| told.get(key)?.get("name")?.as_str().map(str::to_owned);
    let mut schema = Schema {
        roots: [name("queryType"), name("mutationType"), name("subscriptionType")],
        ..Schema::default()
    };
    let types = told.get("types").and_then(Value::as_array).ok_or("its `__schema` lists no types")?;
    for (index, node) in types.iter().enumerate() {
        let Some(name) = text(node, "name") else {
            schema.unread.push(format!("`$.__schema.types[{index}]` has no name"));
            continue;
        };
        // What every server has to say about itself.
        if name.starts_with("__") {
            continue;
        }
        let kind = match text(node, "kind") {
            Some("SCALAR") => Kind::Scalar,
            Some("OBJECT") => Kind::Object,
            Some("INTERFACE") => Kind::Interface,
            Some("INPUT_OBJECT") => Kind::Input,
            Some("ENUM") => Kind::Enum,
            Some("UNION") => Kind::Union,
            other => {
                schema.unread.push(format!("type `{name}` is of kind `{}`", other.unwrap_or("none")));
                continue;
            }
        };
        let mut fields = Vec::new();
        for field in list(node, if kind == Kind::Input { "inputFields" } else { "fields" }) {
            match read_field(field) {
                Some(field) => fields.push(field),
                None => {
                    let field = text(field, "name").unwrap_or("?");
                    schema.unread.push(format!("`{name}.{field}` has no type that is known"));
                }
            }
        }
        let names = match kind {
            Kind::Enum => list(node, "enumValues"),
            Kind::Union => list(node, "possibleTypes"),
            Kind::Object => list(node, "interfaces"),
            Kind::Scalar | Kind::Interface | Kind::Input => &[],
        };
        let entry = Type {
            kind,
            description: text(node, "description").unwrap_or_default().to_owned(),
            fields,
            names: names.iter().filter_map(|node| text(node, "name")).map(str::to_owned).collect(),
        };
        schema.types.insert(name.to_owned(), entry);
    }
    describe(schema)
}

fn read_field(node: &Value) -> Option<Field> {
    Some(Field {
        name: text(node, "name")?.to_owned(),
        description: text(node, "description").unwrap_or_default().to_owned(),
        of: of_type(node.get("type")?)?,
        arguments: list(node, "args").iter().filter_map(read_field).collect(),
        default: text(node, "defaultValue").map(str::to_owned),
        deprecated: node.get("isDeprecated").and_then(Value::as_bool).unwrap_or(false),
        reason: text(node, "deprecationReason").map(str::to_owned),
    })
}

/// The reader of JSON bounds how deep `ofType` nests.
fn of_type(node: &Value) -> Option<Of> {
    let inner = || node.get("ofType").and_then(of_type).map(Box::new);
    match text(node, "kind")? {
        "NON_NULL" => inner().map(Of::Always),
        "LIST" => inner().map(Of::List),
        _ => text(node, "name").map(|name| Of::Named(name.to_owned())),
    }
}

fn text<'a>(node: &'a Value, key: &str) -> Option<&'a str> {
    node.get(key)?.as_str()
}

fn list<'a>(node: &'a Value, key: &str) -> &'a [Value] {
    node.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
