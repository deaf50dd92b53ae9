//! GraphQL schemas in their own language, SDL.

use apollo_parser::Parser;
use apollo_parser::cst::{self, CstNode as _, Definition};

use super::graphql::{Field, Kind, Of, Schema, Type};

/// How deep a text may nest; values of directives are all that nests in a schema.
const MAX_DEPTH: usize = 100;
/// The largest public schema (GitHub's) has half a million tokens.
const MAX_TOKENS: usize = 5_000_000;

/// The schema of a text, or the line and the reason why there is none.
pub(super) fn read(text: &str) -> Result<Schema, (u64, String)> {
    let tree = Parser::new(text).recursion_limit(MAX_DEPTH).token_limit(MAX_TOKENS).parse();
    if let Some(error) = tree.errors().next() {
        let before = text.as_bytes().get(..error.index()).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
        return Err((line, error.message().chars().take(200).collect()));
    }
    let mut schema = Schema::default();
    for definition in tree.document().definitions() {
        add(&mut schema, definition);
    }
    Ok(schema)
}

fn add(schema: &mut Schema, definition: Definition) {
    match definition {
        Definition::SchemaDefinition(d) => roots(schema, d.root_operation_type_definitions()),
        Definition::SchemaExtension(d) => roots(schema, d.root_operation_type_definitions()),
        Definition::ScalarTypeDefinition(d) => {
            kind(schema, d.name(), Kind::Scalar, d.description());
        }
        Definition::ObjectTypeDefinition(d) => {
            object(
                schema,
                d.name(),
                Kind::Object,
                d.description(),
                d.implements_interfaces(),
                d.fields_definition(),
            );
        }
        Definition::ObjectTypeExtension(d) => {
            object(schema, d.name(), Kind::Object, None, d.implements_interfaces(), d.fields_definition());
        }
        Definition::InterfaceTypeDefinition(d) => {
            object(schema, d.name(), Kind::Interface, d.description(), None, d.fields_definition());
        }
        Definition::InterfaceTypeExtension(d) => {
            object(schema, d.name(), Kind::Interface, None, None, d.fields_definition());
        }
        Definition::UnionTypeDefinition(d) => {
            union(schema, d.name(), d.description(), d.union_member_types());
        }
        Definition::UnionTypeExtension(d) => union(schema, d.name(), None, d.union_member_types()),
        Definition::EnumTypeDefinition(d) => {
            values(schema, d.name(), d.description(), d.enum_values_definition());
        }
        Definition::EnumTypeExtension(d) => values(schema, d.name(), None, d.enum_values_definition()),
        Definition::InputObjectTypeDefinition(d) => {
            input(schema, d.name(), d.description(), d.input_fields_definition());
        }
        Definition::InputObjectTypeExtension(d) => input(schema, d.name(), None, d.input_fields_definition()),
        Definition::DirectiveDefinition(_) | Definition::ScalarTypeExtension(_) => {}
        Definition::OperationDefinition(_) | Definition::FragmentDefinition(_) => {
            let what = "an operation stands among the definitions; it belongs to who asks, not to the schema";
            if !schema.unread.iter().any(|told| told == what) {
                schema.unread.push(what.to_owned());
            }
        }
    }
}

fn roots(schema: &mut Schema, definitions: impl Iterator<Item = cst::RootOperationTypeDefinition>) {
    for definition in definitions {
        let Some(kind) = definition.operation_type() else { continue };
        let index = match (kind.query_token(), kind.mutation_token()) {
            (Some(_), _) => 0,
            (None, Some(_)) => 1,
            (None, None) => 2,
        };
        let name = definition.named_type().and_then(|named| named.name());
        schema.roots[index] = name.map(|name| name.text().to_string());
    }
}

/// The type of a name, made where it is new; a definition tells what it is, also where an extension came first.
fn kind(
    schema: &mut Schema,
    name: Option<cst::Name>,
    kind: Kind,
    description: Option<cst::Description>,
) -> Option<&mut Type> {
    let entry = schema.types.entry(name?.text().to_string()).or_default();
    entry.kind = kind;
    if description.is_some() {
        entry.description = words(description);
    }
    Some(entry)
}

fn object(
    schema: &mut Schema,
    name: Option<cst::Name>,
    of: Kind,
    description: Option<cst::Description>,
    interfaces: Option<cst::ImplementsInterfaces>,
    fields: Option<cst::FieldsDefinition>,
) {
    let Some(entry) = kind(schema, name, of, description) else { return };
    let interfaces = interfaces.into_iter().flat_map(|list| list.named_types());
    entry.names.extend(interfaces.filter_map(|named| Some(named.name()?.text().to_string())));
    for field in fields.into_iter().flat_map(|list| list.field_definitions()) {
        let (Some(name), Some(of)) = (field.name(), field.ty().and_then(of_type)) else { continue };
        let arguments = field.arguments_definition();
        let arguments = arguments.into_iter().flat_map(|list| list.input_value_definitions());
        entry.fields.push(Field {
            name: name.text().to_string(),
            description: words(field.description()),
            of,
            arguments: arguments.filter_map(input_value).collect(),
            default: None,
            deprecated: deprecation(field.directives()).is_some(),
            reason: deprecation(field.directives()).and_then(reason),
        });
    }
}

fn input(
    schema: &mut Schema,
    name: Option<cst::Name>,
    description: Option<cst::Description>,
    fields: Option<cst::InputFieldsDefinition>,
) {
    let Some(entry) = kind(schema, name, Kind::Input, description) else { return };
    let fields = fields.into_iter().flat_map(|list| list.input_value_definitions());
    entry.fields.extend(fields.filter_map(input_value));
}

fn union(
    schema: &mut Schema,
    name: Option<cst::Name>,
    description: Option<cst::Description>,
    members: Option<cst::UnionMemberTypes>,
) {
    let Some(entry) = kind(schema, name, Kind::Union, description) else { return };
    let members = members.into_iter().flat_map(|list| list.named_types());
    entry.names.extend(members.filter_map(|named| Some(named.name()?.text().to_string())));
}

fn values(
    schema: &mut Schema,
    name: Option<cst::Name>,
    description: Option<cst::Description>,
    values: Option<cst::EnumValuesDefinition>,
) {
    let Some(entry) = kind(schema, name, Kind::Enum, description) else { return };
    let values = values.into_iter().flat_map(|list| list.enum_value_definitions());
    entry.names.extend(values.filter_map(|value| Some(value.enum_value()?.name()?.text().to_string())));
}

fn input_value(value: cst::InputValueDefinition) -> Option<Field> {
    let default = value.default_value().and_then(|default| default.value());
    Some(Field {
        name: value.name()?.text().to_string(),
        description: words(value.description()),
        of: of_type(value.ty()?)?,
        arguments: Vec::new(),
        default: default.map(|value| value.syntax().text().to_string().trim().to_owned()),
        deprecated: deprecation(value.directives()).is_some(),
        reason: deprecation(value.directives()).and_then(reason),
    })
}

/// The parser bounds how deep lists nest.
fn of_type(of: cst::Type) -> Option<Of> {
    let named = |named: cst::NamedType| Some(Of::Named(named.name()?.text().to_string()));
    let list = |list: cst::ListType| Some(Of::List(Box::new(of_type(list.ty()?)?)));
    match of {
        cst::Type::NamedType(inner) => named(inner),
        cst::Type::ListType(inner) => list(inner),
        cst::Type::NonNullType(inner) => {
            let inside = inner.named_type().and_then(named).or_else(|| inner.list_type().and_then(list));
            Some(Of::Always(Box::new(inside?)))
        }
    }
}

fn words(description: Option<cst::Description>) -> String {
    description.and_then(|text| text.string_value()).map(String::from).unwrap_or_default()
}

fn deprecation(directives: Option<cst::Directives>) -> Option<cst::Directive> {
    let mut directives = directives.into_iter().flat_map(|list| list.directives());
    directives.find(|directive| directive.name().is_some_and(|name| name.text() == "deprecated"))
}

/// The `reason` of `@deprecated(reason: "…")`.
fn reason(deprecation: cst::Directive) -> Option<String> {
    let mut given = deprecation.arguments()?.arguments();
    let reason = given.find(|argument| argument.name().is_some_and(|name| name.text() == "reason"))?;
    match reason.value()? {
        cst::Value::StringValue(text) => Some(String::from(text)),
        _ => None,
    }
}
