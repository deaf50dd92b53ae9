//! Changes of a contract as entries for a reader: one entry a change.
//!
//! A promise is often changed in several words (nine new values of one field) or at several places (one value of a schema
//! that was copied to thirty). Each entry says every one of its values of every one of its places, so that nothing is lost:
//! values times places are the findings that it was made of.

use std::collections::BTreeMap;

use super::{ContractFinding, Level};
use crate::model::{FieldPath, Fingerprint};
use crate::spec::{Affected, Place, Side};

/// What an entry says of each of its places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContractValue {
    /// The property, value, tag or name; empty where the place says all.
    pub name: String,
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
}

/// Findings of one rule that are one change to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractEntry {
    /// The rule: `request-property-max-length-decreased`.
    pub id: String,
    /// How bad it is.
    pub level: Level,
    /// Keyword and comparison in one word: `max-length-decreased`.
    pub change: &'static str,
    /// Which way the data goes.
    pub side: Side,
    /// What part it is about.
    pub place: Place,
    /// What changed, each of it at every place: never empty.
    pub values: Vec<ContractValue>,
    /// Where: never empty; of one schema no more than the first hundred places.
    pub affects: Vec<Affected>,
    /// How many operations are affected, listed or not; 0 for the API as a whole.
    pub operations: usize,
    /// The finding of the same comparison that tells the same change.
    pub told_by: Option<Fingerprint>,
}

/// What entries must have in common to be joined: all but values and places.
type Kind<'a> = (&'a str, Level, Side, Place, Option<&'a Fingerprint>);

impl ContractEntry {
    fn of(finding: &ContractFinding) -> Self {
        let change = &finding.change;
        Self {
            id: finding.id.clone(),
            level: finding.level,
            change: change.change,
            side: change.side,
            place: change.place,
            values: vec![ContractValue {
                name: change.name.clone(),
                from: change.from.clone(),
                to: change.to.clone(),
            }],
            affects: change.affects.clone(),
            operations: change.operations,
            told_by: finding.told_by.clone(),
        }
    }

    fn kind(&self) -> Kind<'_> {
        (&self.id, self.level, self.side, self.place, self.told_by.as_ref())
    }

    /// The fields that it is about, where its values do not say what it is: two things that became null are two changes.
    fn fields(&self) -> Vec<Option<&FieldPath>> {
        let says =
            |value: &ContractValue| !(value.name.is_empty() && value.from.is_empty() && value.to.is_empty());
        if self.values.iter().any(says) {
            return Vec::new();
        }
        let mut fields: Vec<Option<&FieldPath>> = self.affects.iter().map(|at| at.field.as_ref()).collect();
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    fn join_places(&mut self, other: Self) {
        self.affects.extend(other.affects);
        let mut operations: Vec<(&str, &str)> = self
            .affects
            .iter()
            .filter(|at| !at.path.is_empty())
            .map(|at| (at.method.as_str(), at.path.as_str()))
            .collect();
        operations.sort_unstable();
        operations.dedup();
        // Of one schema not every place is listed.
        self.operations = operations.len().max(self.operations).max(other.operations);
    }
}

/// Puts findings together that are one change to a reader, in the order in which they first came: first what one rule
/// says of the same places, then where it says the same.
#[must_use]
pub fn contract_entries(findings: &[ContractFinding]) -> Vec<ContractEntry> {
    let entries: Vec<ContractEntry> = findings.iter().map(ContractEntry::of).collect();
    let groups = numbered(entries.iter().map(|entry| (entry.kind(), &entry.affects)));
    let entries = joined(entries, groups, |entry, other| entry.values.extend(other.values));
    let groups = numbered(entries.iter().map(|entry| (entry.kind(), &entry.values, entry.fields())));
    joined(entries, groups, ContractEntry::join_places)
}

/// For each key the number of the first that is equal.
fn numbered<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<usize> {
    let mut first = BTreeMap::new();
    keys.enumerate().map(|(index, key)| *first.entry(key).or_insert(index)).collect()
}

/// Joins each entry into the first of its group.
fn joined(
    entries: Vec<ContractEntry>,
    groups: Vec<usize>,
    join: impl Fn(&mut ContractEntry, ContractEntry),
) -> Vec<ContractEntry> {
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    let mut all: Vec<ContractEntry> = Vec::new();
    for (entry, group) in entries.into_iter().zip(groups) {
        match places.get(&group) {
            Some(place) => join(&mut all[*place], entry),
            None => {
                places.insert(group, all.len());
                all.push(entry);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::{RuleSet, diff_descriptions};
    use crate::spec::ApiModel;

    /// A list of orders, described by `order`, and its errors, by `error`.
    fn api(order: Value, error: Value) -> ApiModel {
        let operation = json!({"get": {"responses": {
            "200": {"content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}}}}},
            "400": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
        }}});
        let root = json!({
            "openapi": "3.0.0", "info": {"version": "1"},
            "paths": {"/a": operation, "/b": operation, "/c": operation},
            "components": {"schemas": {"Order": order, "Error": error}},
        });
        ApiModel::new(root).unwrap()
    }

    fn entries(before: (Value, Value), after: (Value, Value)) -> Vec<ContractEntry> {
        let (was, is) = (api(before.0, before.1), api(after.0, after.1));
        let (report, findings) = diff_descriptions(&was, &is, &RuleSet::builtin(), None).unwrap();
        let known = |by: &Fingerprint| report.findings.iter().any(|finding| finding.fingerprint == *by);
        assert!(findings.iter().filter_map(|one| one.told_by.as_ref()).all(known));
        let entries = contract_entries(&findings);
        // Values times places are what they were made of.
        let mut expanded: Vec<(String, String, String)> = Vec::new();
        for entry in &entries {
            for (value, at) in entry.values.iter().flat_map(|v| entry.affects.iter().map(move |at| (v, at))) {
                expanded.push((entry.id.clone(), value.name.clone(), format!("{} {}", at.path, at.at)));
            }
        }
        let mut made_of: Vec<(String, String, String)> = findings
            .iter()
            .flat_map(|one| one.change.affects.iter().map(move |at| (one, at)))
            .map(|(one, at)| (one.id.clone(), one.change.name.clone(), format!("{} {}", at.path, at.at)))
            .collect();
        expanded.sort();
        made_of.sort();
        assert_eq!(expanded, made_of);
        entries
    }

    fn object(properties: Value) -> Value {
        json!({"type": "object", "properties": properties})
    }

    #[test]
    fn values_and_siblings_are_one_entry() {
        let was = object(json!({"state": {"type": "string", "enum": ["open"]}}));
        let is = object(json!({
            "state": {"type": "string", "enum": ["open", "held", "done"]},
            "a": {"type": "string"}, "b": {"type": "string"},
        }));
        let plain = object(json!({}));
        // In the errors, which no connector reads as records, nobody else tells it.
        let found = entries((plain.clone(), was), (plain, is));
        let names = |entry: &ContractEntry| entry.values.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
        let [fields, values] = found.as_slice() else { panic!("{found:#?}") };
        assert_eq!(
            (fields.id.as_str(), names(fields)),
            ("response-optional-property-added", vec!["a".into(), "b".into()])
        );
        assert_eq!(
            (values.id.as_str(), names(values)),
            ("response-property-enum-value-added", vec!["held".into(), "done".into()])
        );
        assert_eq!((fields.operations, values.operations), (3, 3));
        assert_eq!(values.affects[0].field.as_ref().unwrap().to_string(), "$.state");
        assert!(found.iter().all(|entry| entry.told_by.is_none()));
    }

    #[test]
    fn what_a_finding_tells_says_so() {
        let plain = object(json!({}));
        let was = object(
            json!({"id": {"type": "integer"}, "total": {"type": "number"}, "size": {"type": "string", "maxLength": 5}}),
        );
        let is =
            object(json!({"id": {"type": "string"}, "new": {"type": "string"}, "size": {"type": "string"}}));
        let found = entries((was, plain.clone()), (is, plain));
        let told: Vec<(&str, bool)> = found.iter().map(|e| (e.id.as_str(), e.told_by.is_some())).collect();
        assert_eq!(
            told,
            [
                ("response-optional-property-removed", true),
                ("response-optional-property-added", true),
                ("response-property-type-changed", true),
                // No connector notices how long a text may be.
                ("response-property-max-length-unset", false),
            ]
        );
    }

    #[test]
    fn operations_parameters_and_headers_are_told_once() {
        let document = |paths: Value| {
            ApiModel::new(json!({"openapi": "3.0.0", "info": {"version": "1.0.0"}, "paths": paths})).unwrap()
        };
        let operation = |parameters: Value, headers: Value| json!({"get": {"parameters": parameters, "responses": {"200": {"headers": headers}}}});
        let parameter = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
        let before = document(json!({
            "/a": operation(
                json!([parameter("gone", json!({"type": "string"})), parameter("size", json!({"type": "integer", "maximum": 100}))]),
                json!({"X-Total": {}}),
            ),
            "/b": operation(json!([]), json!({})),
        }));
        let after = document(json!({
            "/a": operation(json!([parameter("size", json!({"type": "integer", "maximum": 50}))]), json!({})),
            "/c/d": operation(json!([]), json!({})),
        }));
        let (_, findings) = diff_descriptions(&before, &after, &RuleSet::builtin(), None).unwrap();
        let untold: Vec<&str> =
            findings.iter().filter(|one| one.told_by.is_none()).map(|one| one.id.as_str()).collect();
        // Nobody else speaks of the version.
        assert_eq!(untold, ["api-version-not-bumped"], "{findings:#?}");
        assert_eq!(findings.len(), 6, "{findings:#?}");
    }

    #[test]
    fn two_fields_that_became_null_are_two_entries() {
        let of = |nullable: bool| {
            object(json!({
                "a": {"type": "string", "nullable": nullable}, "b": {"type": "string", "nullable": nullable},
            }))
        };
        let plain = object(json!({}));
        assert_eq!(entries((plain.clone(), of(false)), (plain, of(true))).len(), 2);
    }
}
