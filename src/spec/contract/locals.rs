//! Two schemas against each other, keyword by keyword. What is below them is for other pairs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Side, branches, lifecycle,
    types::{Notation, Relation, Types},
};
use crate::model::Step;
use crate::spec::{ApiModel, api::reference};

/// One difference at a pair of schemas; the same for requests and responses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Local {
    pub(super) change: &'static str,
    /// The property, value or branch that it is about.
    pub(super) name: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Whether it is about a property of the object, and not about the object.
    pub(super) of_property: bool,
    /// Whether that property is for responses or for requests alone.
    pub(super) read_only: bool,
    pub(super) write_only: bool,
}

impl Local {
    pub(super) fn new(change: &'static str) -> Self {
        Self { change, ..Self::default() }
    }

    pub(super) fn named(change: &'static str, name: impl Into<String>) -> Self {
        Self { change, name: name.into(), ..Self::default() }
    }

    pub(super) fn values(change: &'static str, from: Option<&Value>, to: Option<&Value>) -> Self {
        Self { change, from: word(from), to: word(to), ..Self::default() }
    }

    pub(super) fn hidden_on(&self, side: Side) -> bool {
        match side {
            Side::Request => self.read_only,
            Side::Response => self.write_only,
            Side::Neither => false,
        }
    }
}

/// The way from a schema to one below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way<'a> {
    /// None: the same place.
    Same,
    /// A property of an object.
    Property(&'a str),
    /// The entries of a list, or the values of a map: by which keyword.
    Each(&'static str),
    /// Another keyword, with the branch or name that tells it from others: the same value is looked at.
    Keyword(String),
    /// The same for entries and values.
    EachKeyword(String),
}

impl Way<'_> {
    /// The way in a document: `items`, a name, `oneOf[Cat]`.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Same => "",
            Self::Property(name) => name,
            Self::Each(keyword) => keyword,
            Self::Keyword(word) | Self::EachKeyword(word) => word,
        }
    }

    /// The step in a value.
    pub(super) fn step(&self) -> Option<Step> {
        match self {
            Self::Property(name) => Some(Step::Key((*name).into())),
            Self::Each(_) | Self::EachKeyword(_) => Some(Step::Each),
            Self::Same | Self::Keyword(_) => None,
        }
    }
}

/// The pairs below, each with the way there.
pub(super) type Below<'a> = Vec<(Way<'a>, &'a Value, &'a Value)>;

/// Two schemas with the descriptions that they stand in, `$ref` followed.
#[derive(Clone, Copy)]
pub(super) struct Both<'a> {
    pub(super) models: (&'a ApiModel, &'a ApiModel),
    pub(super) before: &'a Value,
    pub(super) after: &'a Value,
}

impl<'a> Both<'a> {
    pub(super) fn get(&self, key: &str) -> (Option<&'a Value>, Option<&'a Value>) {
        (self.before.get(key), self.after.get(key))
    }

    fn flags(&self, key: &str) -> (bool, bool) {
        let flag = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(false);
        let (was, is) = self.get(key);
        (flag(was), flag(is))
    }
}

/// What differs between two schemas, and the pairs below them.
pub(super) fn compare<'a>(
    before_model: &'a ApiModel,
    after_model: &'a ApiModel,
    before: &'a Value,
    after: &'a Value,
    notation: Notation,
) -> (Vec<Local>, Below<'a>) {
    let both = Both { models: (before_model, after_model), before, after };
    let (mut locals, mut below) = (Vec::new(), Below::new());
    if before == after && !has_references(before) {
        return (locals, below);
    }
    if reference(before).is_some() && reference(after).is_some() {
        values(&both, &mut locals);
        bounds(&both, &mut locals);
        pattern(&both, &mut locals);
        lifecycle::schema(&both, &mut locals);
        below.push((Way::Same, before_model.resolve(before), after_model.resolve(after)));
        return (locals, below);
    }
    if let Some((was, is, change)) = branches::null_wrap(&both) {
        locals.push(Local::new(change));
        below.push((Way::Same, was, is));
        return (locals, below);
    }
    if branches::is_wrap(&both) {
        locals.push(Local::new("wrapped-in-one-of"));
        return (locals, below);
    }
    types(&both, notation, &mut locals);
    values(&both, &mut locals);
    bounds(&both, &mut locals);
    pattern(&both, &mut locals);
    for keyword in SUBSCHEMAS {
        subschema(&both, keyword, &mut locals, &mut below);
    }
    for keyword in MAPS {
        map(&both, keyword, &mut locals, &mut below);
    }
    contents(&both, &mut locals);
    dependent_required(&both, &mut locals);
    properties(&both, &mut locals, &mut below);
    branches::compare(&both, &mut locals, &mut below);
    lifecycle::schema(&both, &mut locals);
    (locals, below)
}

/// Whether the same text may still mean something else, since what it refers to may have changed.
fn has_references(node: &Value) -> bool {
    match node {
        Value::Object(object) => object.contains_key("$ref") || object.values().any(has_references),
        Value::Array(values) => values.iter().any(has_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn types(both: &Both<'_>, notation: Notation, locals: &mut Vec<Local>) {
    let was = Types::of(both.models.0, both.before);
    let is = Types::of(both.models.1, both.after);
    let change = match was.relation(&is, notation) {
        Relation::Same => None,
        Relation::Generalized => Some("type-generalized"),
        Relation::BecameText => Some("type-became-text"),
        Relation::Specialized => Some("type-specialized"),
        Relation::ListWidened => Some("list-of-types-widened"),
        Relation::ListNarrowed => Some("list-of-types-narrowed"),
        Relation::Changed => Some("type-changed"),
    };
    if let Some(change) = change {
        locals.push(Local { from: was.in_words(), to: is.in_words(), ..Local::new(change) });
    }
    // Where any type will do, null does as well.
    let any = |types: &Types<'_>| types.words.is_empty() && !types.nullable;
    match (was.nullable, is.nullable) {
        (false, true) if !any(&was) => locals.push(Local::new("became-nullable")),
        (true, false) if !any(&is) => locals.push(Local::new("became-not-nullable")),
        _ => {}
    }
}

fn values(both: &Both<'_>, locals: &mut Vec<Local>) {
    match both.get("enum") {
        (Some(Value::Array(was)), Some(Value::Array(is))) => {
            enum_values("enum-value-removed", was, is, locals);
            enum_values("enum-value-added", is, was, locals);
        }
        (None, Some(Value::Array(is))) => {
            locals.push(Local::new("became-enum"));
            enum_values("enum-value-listed", is, &[], locals);
        }
        (Some(Value::Array(was)), None) => enum_values("enum-value-unlisted", was, &[], locals),
        _ => {}
    }
    if let (Some(Value::Array(was)), Some(Value::Array(is))) = both.get("x-extensible-enum") {
        enum_values("x-extensible-enum-value-removed", was, is, locals);
    }
    let existence = |key: &str, changes: [&'static str; 3], locals: &mut Vec<Local>| match both.get(key) {
        (None, is @ Some(_)) => locals.push(Local::values(changes[0], None, is)),
        (was @ Some(_), None) => locals.push(Local::values(changes[1], was, None)),
        (was @ Some(_), is @ Some(_)) if !same(was, is) => locals.push(Local::values(changes[2], was, is)),
        _ => {}
    };
    existence("const", ["const-added", "const-removed", "const-changed"], locals);
    existence("default", ["default-value-added", "default-value-removed", "default-value-changed"], locals);
}

/// Equal, numbers by value: 1 and 1.0 are one number.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    a == b || matches!((a.and_then(Value::as_f64), b.and_then(Value::as_f64)), (Some(a), Some(b)) if a == b)
}

fn enum_values(change: &'static str, from: &[Value], without: &[Value], locals: &mut Vec<Local>) {
    let mut seen = BTreeSet::new();
    for value in
        from.iter().filter(|value| !value.is_null() && !without.iter().any(|v| same(Some(v), Some(value))))
    {
        let word = word(Some(value));
        if seen.insert(word.clone()) {
            locals.push(Local::named(change, word));
        }
    }
}

/// Keywords with a number, each with what an increase, a decrease, its appearance and its removal are called.
const BOUNDS: [(&str, [&str; 4]); 13] = [
    ("maximum", ["max-increased", "max-decreased", "max-set", "max-unset"]),
    ("minimum", ["min-increased", "min-decreased", "min-set", "min-unset"]),
    (
        "exclusiveMaximum",
        ["exclusive-max-increased", "exclusive-max-decreased", "exclusive-max-set", "exclusive-max-unset"],
    ),
    (
        "exclusiveMinimum",
        ["exclusive-min-increased", "exclusive-min-decreased", "exclusive-min-set", "exclusive-min-unset"],
    ),
    ("maxLength", ["max-length-increased", "max-length-decreased", "max-length-set", "max-length-unset"]),
    ("minLength", ["min-length-increased", "min-length-decreased", "min-length-set", "min-length-unset"]),
    ("maxItems", ["max-items-increased", "max-items-decreased", "max-items-set", "max-items-unset"]),
    ("minItems", ["min-items-increased", "min-items-decreased", "min-items-set", "min-items-unset"]),
    (
        "maxProperties",
        [
            "max-properties-increased",
            "max-properties-decreased",
            "max-properties-set",
            "max-properties-unset",
        ],
    ),
    (
        "minProperties",
        [
            "min-properties-increased",
            "min-properties-decreased",
            "min-properties-set",
            "min-properties-unset",
        ],
    ),
    (
        "maxContains",
        ["max-contains-increased", "max-contains-decreased", "max-contains-set", "max-contains-unset"],
    ),
    (
        "minContains",
        ["min-contains-increased", "min-contains-decreased", "min-contains-set", "min-contains-unset"],
    ),
    ("multipleOf", ["multiple-of-changed", "multiple-of-changed", "multiple-of-set", "multiple-of-unset"]),
];

fn bounds(both: &Both<'_>, locals: &mut Vec<Local>) {
    for (keyword, [increased, decreased, set, unset]) in BOUNDS {
        let (was, is) = both.get(keyword);
        let change = match (was.and_then(Value::as_f64), is.and_then(Value::as_f64)) {
            (Some(a), Some(b)) if b > a => increased,
            (Some(a), Some(b)) if b < a => decreased,
            // Nothing is shorter than nothing: a lower bound of 0 on a length or a number of things is none.
            (None, Some(b)) if b == 0.0 && is_count(keyword) => continue,
            (Some(a), None) if a == 0.0 && is_count(keyword) => continue,
            (None, Some(_)) => set,
            (Some(_), None) => unset,
            _ => continue,
        };
        locals.push(Local::values(change, was, is));
    }
    match both.flags("uniqueItems") {
        (false, true) => locals.push(Local::new("unique-items-set")),
        (true, false) => locals.push(Local::new("unique-items-unset")),
        _ => {}
    }
}

fn is_count(keyword: &str) -> bool {
    matches!(keyword, "minLength" | "minItems" | "minProperties")
}

fn pattern(both: &Both<'_>, locals: &mut Vec<Local>) {
    let (was, is) = both.get("pattern");
    // The empty pattern is none.
    let written =
        |node: Option<&'_ Value>| text(node).filter(|pattern| !pattern.is_empty()).map(str::to_owned);
    let (old, new) = (written(was), written(is));
    let change = match (old.as_deref(), new.as_deref()) {
        (None, Some(_)) => "pattern-added",
        (Some(_), None) => "pattern-removed",
        // Anything at all.
        (Some(a), Some(b)) if a != b && matches!(b, ".*" | "^.*$" | ".*$" | "^.*") => "pattern-generalized",
        (Some(a), Some(b)) if a != b => "pattern-changed",
        _ => return,
    };
    locals.push(Local::values(change, was, is));
}

/// Keywords whose value is one schema: the way to it, and what its appearance and its removal are called, where they
/// are a change of their own.
const SUBSCHEMAS: [(&str, Option<[&str; 2]>); 11] = [
    ("items", None),
    ("additionalProperties", None),
    ("not", Some(["not-added", "not-removed"])),
    ("if", Some(["if-added", "if-removed"])),
    ("then", Some(["then-added", "then-removed"])),
    ("else", Some(["else-added", "else-removed"])),
    ("contains", Some(["contains-added", "contains-removed"])),
    ("propertyNames", Some(["property-names-added", "property-names-removed"])),
    ("contentSchema", Some(["content-schema-added", "content-schema-removed"])),
    ("unevaluatedItems", Some(["unevaluated-items-added", "unevaluated-items-removed"])),
    ("unevaluatedProperties", Some(["unevaluated-properties-added", "unevaluated-properties-removed"])),
];

fn subschema<'a>(
    both: &Both<'a>,
    (keyword, changes): (&'static str, Option<[&'static str; 2]>),
    locals: &mut Vec<Local>,
    below: &mut Below<'a>,
) {
    match (both.get(keyword), changes) {
        ((Some(was), Some(is)), _) if was.is_object() && is.is_object() => {
            let way = match keyword {
                "items"
                | "additionalProperties"
                | "contains"
                | "unevaluatedItems"
                | "unevaluatedProperties" => Way::Each(keyword),
                _ => Way::Keyword(keyword.to_owned()),
            };
            below.push((way, was, is));
        }
        ((None, Some(_)), Some([added, _])) => locals.push(Local::new(added)),
        ((Some(_), None), Some([_, removed])) => locals.push(Local::new(removed)),
        _ => {}
    }
}

/// Keywords whose value is a map of schemas.
const MAPS: [(&str, [&str; 2]); 2] = [
    ("dependentSchemas", ["dependent-schema-added", "dependent-schema-removed"]),
    ("patternProperties", ["pattern-property-added", "pattern-property-removed"]),
];

fn map<'a>(
    both: &Both<'a>,
    (keyword, [added, removed]): (&'static str, [&'static str; 2]),
    locals: &mut Vec<Local>,
    below: &mut Below<'a>,
) {
    let (was, is) = both.get(keyword);
    for (name, schema) in entries(was) {
        match is.and_then(|is| is.get(name)) {
            Some(now) => {
                let word = format!("{keyword}[{name}]");
                let way =
                    if keyword == "patternProperties" { Way::EachKeyword(word) } else { Way::Keyword(word) };
                below.push((way, schema, now));
            }
            None => locals.push(Local::named(removed, name)),
        }
    }
    for (name, _) in entries(is).filter(|(name, _)| was.is_none_or(|was| was.get(name).is_none())) {
        locals.push(Local::named(added, name));
    }
}

fn contents(both: &Both<'_>, locals: &mut Vec<Local>) {
    for (keyword, change) in
        [("contentEncoding", "content-encoding-changed"), ("contentMediaType", "content-media-type-changed")]
    {
        let (was, is) = both.get(keyword);
        if was != is {
            locals.push(Local::values(change, was, is));
        }
    }
}

fn dependent_required(both: &Both<'_>, locals: &mut Vec<Local>) {
    let (was, is) = both.get("dependentRequired");
    for (name, wanted) in entries(was) {
        match is.and_then(|is| is.get(name)) {
            None => locals.push(Local::named("dependent-required-removed", name)),
            Some(now) if names(Some(wanted)) != names(Some(now)) => locals.push(Local {
                name: name.to_owned(),
                ..Local::values("dependent-required-changed", Some(wanted), Some(now))
            }),
            Some(_) => {}
        }
    }
    for (name, _) in entries(is).filter(|(name, _)| was.is_none_or(|was| was.get(name).is_none())) {
        locals.push(Local::named("dependent-required-added", name));
    }
}

fn properties<'a>(both: &Both<'a>, locals: &mut Vec<Local>, below: &mut Below<'a>) {
    let (was, is) = both.get("properties");
    let (was_required, is_required) = (names(both.get("required").0), names(both.get("required").1));
    let look = |model: &'a ApiModel, schema: &'a Value| Look::of(model.resolve(schema));
    for (name, schema) in entries(was) {
        let (required, old) = (was_required.contains(name), look(both.models.0, schema));
        let Some(now) = is.and_then(|is| is.get(name)) else {
            let change = if required { "required-property-removed" } else { "optional-property-removed" };
            locals.push(old.local(change, name));
            continue;
        };
        let new = look(both.models.1, now);
        match (required, is_required.contains(name)) {
            (false, true) if new.default => locals.push(new.local("became-required-with-default", name)),
            (false, true) => locals.push(new.local("became-required", name)),
            (true, false) => locals.push(new.local("became-optional", name)),
            (true, true) | (false, false) => {}
        }
        let required = is_required.contains(name);
        visibility(required, (old.read_only, new.read_only), READ_ONLY, name, locals);
        visibility(required, (old.write_only, new.write_only), WRITE_ONLY, name, locals);
        below.push((Way::Property(name), schema, now));
    }
    for (name, schema) in entries(is).filter(|(name, _)| was.is_none_or(|was| was.get(name).is_none())) {
        let new = look(both.models.1, schema);
        let change = match (is_required.contains(name), new.default) {
            (true, true) => "required-property-with-default-added",
            (true, false) => "required-property-added",
            (false, _) => "optional-property-added",
        };
        locals.push(new.local(change, name));
    }
}

/// What matters of a property beside its type.
struct Look {
    read_only: bool,
    write_only: bool,
    default: bool,
}

impl Look {
    fn of(schema: &Value) -> Self {
        let flag = |key: &str| schema.get(key).and_then(Value::as_bool).unwrap_or(false);
        Self {
            read_only: flag("readOnly"),
            write_only: flag("writeOnly"),
            default: schema.get("default").is_some(),
        }
    }

    fn local(&self, change: &'static str, name: &str) -> Local {
        let (read_only, write_only) = (self.read_only, self.write_only);
        Local { of_property: true, read_only, write_only, ..Local::named(change, name) }
    }
}

/// What it is called when a property becomes visible on one side alone, or on both again: required first.
type Visibility = [[&'static str; 2]; 2];
const READ_ONLY: Visibility = [
    ["required-property-became-read-only", "required-property-became-not-read-only"],
    ["optional-property-became-read-only", "optional-property-became-not-read-only"],
];
const WRITE_ONLY: Visibility = [
    ["required-property-became-write-only", "required-property-became-not-write-only"],
    ["optional-property-became-write-only", "optional-property-became-not-write-only"],
];

fn visibility(required: bool, flags: (bool, bool), changes: Visibility, name: &str, locals: &mut Vec<Local>) {
    let [became, became_not] = changes[usize::from(!required)];
    let change = match flags {
        (false, true) => became,
        (true, false) => became_not,
        (true, true) | (false, false) => return,
    };
    locals.push(Local { of_property: true, ..Local::named(change, name) });
}

/// The entries of an object; none where it is no object.
pub(super) fn entries(node: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    node.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The strings of a list.
pub(super) fn names(node: Option<&Value>) -> BTreeSet<&str> {
    node.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(super) fn text(node: Option<&Value>) -> Option<&str> {
    node.and_then(Value::as_str)
}

/// A value as it is shown.
pub(super) fn word(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
