//! What a description says of the records of one endpoint, field by field: to be held against real responses.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::{
    ApiModel, Described, Operation, WatchedEndpoint,
    described::{described, fields_below},
    listed::{find, records_of},
    readers::reference::PAGE,
};
use crate::model::{FieldPath, Step};

/// How deep fields are listed, and how many; what is below is not known, which is never held against anybody.
const MAX_DEPTH: usize = 8;
const MAX_FIELDS: usize = 2_000;

/// What a description says of the records of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedRecords {
    /// The operation: `GET /orders`.
    pub operation: String,
    /// Every field by its path within a record; the record itself is `$`.
    pub fields: BTreeMap<FieldPath, Described>,
}

/// What a description knows of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// It says this.
    As(&'a Described),
    /// It leaves open what is there.
    Open,
    /// It describes what is around it, and not this.
    Not,
}

/// The names of what describes an endpoint: `GET /orders`, and of a page the objects that have most of what is read.
#[must_use]
pub fn operations_of(model: &ApiModel, endpoint: &WatchedEndpoint) -> Vec<String> {
    let operations = model.operations();
    let found = find(&operations, model, endpoint).copied();
    found.into_iter().chain(model.objects_read(endpoint)).map(|operation| operation.name()).collect()
}

impl ApiModel {
    /// The objects of a page that hold half or more of what is read of an endpoint's records.
    pub(super) fn objects_read(&self, endpoint: &WatchedEndpoint) -> Vec<Operation<'_>> {
        if self.family() != PAGE || endpoint.fields.is_empty() {
            return Vec::new();
        }
        let has_most = |operation: &Operation<'_>| {
            let Some((_, schema)) = operation.response_schema() else { return false };
            let has = |field: &&FieldPath| described(self, schema, field).is_some_and(|field| !field.open);
            endpoint.fields.iter().filter(has).count() * 2 >= endpoint.fields.len()
        };
        let objects = self.operations().into_iter().filter(|operation| operation.method == "SCHEMA");
        objects.filter(has_most).collect()
    }
}

impl DescribedRecords {
    /// What `model` says of the records of that endpoint; `None` where it does not describe it, or gives no schema.
    #[must_use]
    pub fn of(model: &ApiModel, endpoint: &WatchedEndpoint) -> Option<Self> {
        let operations = model.operations();
        let operation = find(&operations, model, endpoint)?;
        let (media, schema) = operation.response_schema()?;
        if !super::api::is_json(media) {
            return None;
        }
        let records = endpoint.records.clone().unwrap_or_else(|| records_of(operation));
        Some(Self { operation: operation.name(), fields: listed(model, schema, &records)? })
    }

    /// What is known of a path within a record. A key of a map is one of its `[*]`.
    #[must_use]
    pub fn field(&self, path: &FieldPath) -> Known<'_> {
        let mut at = FieldPath::root();
        for step in path.steps() {
            let Some(around) = self.fields.get(&at) else { return Known::Open };
            let exact = at.with(step.clone());
            let any = at.each();
            at = match step {
                _ if self.fields.contains_key(&exact) => exact,
                Step::Key(_) | Step::Index(_) if self.fields.contains_key(&any) => any,
                // A map by the look of its keys, and an object by its description: nothing can be told.
                Step::Each => return Known::Open,
                Step::Key(_) | Step::Index(_) => {
                    let cut = at.steps().len() + 1 >= MAX_DEPTH || self.fields.len() >= MAX_FIELDS;
                    return if around.open || cut { Known::Open } else { Known::Not };
                }
            };
        }
        self.fields.get(&at).map_or(Known::Open, Known::As)
    }
}

fn listed(model: &ApiModel, schema: &Value, records: &FieldPath) -> Option<BTreeMap<FieldPath, Described>> {
    let mut fields = BTreeMap::new();
    let root = described(model, schema, records)?;
    fields.insert(FieldPath::root(), root);
    let mut queue = VecDeque::from([FieldPath::root()]);
    while let Some(path) = queue.pop_front() {
        let whole = super::consumer::joined(records, &path);
        for (step, found) in fields_below(model, schema, &whole) {
            if fields.len() >= MAX_FIELDS {
                return Some(fields);
            }
            let below = path.with(step);
            if below.steps().len() < MAX_DEPTH {
                queue.push_back(below.clone());
            }
            fields.insert(below, found);
        }
    }
    Some(fields)
}
