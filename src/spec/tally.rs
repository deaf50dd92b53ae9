//! What differs in a description and touches nobody who watches it: counted, and told in one line.

use std::collections::BTreeSet;

use super::operations::DocChange;
use crate::model::{Change, ChangeKind, Facts, FieldPath};

/// A change of a schema, however many operations show it.
pub(super) type Key = (usize, &'static str, Option<String>);

/// Counts of changes by what they are about.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Changes of schemas that were told since somebody reads them: they do not count here.
    pub(super) told: BTreeSet<Key>,
    in_schemas: BTreeSet<Key>,
    parameters: usize,
    auth: BTreeSet<(String, String)>,
    /// Operations that are new, gone or elsewhere.
    pub(super) operations: usize,
    /// Texts that differ without meaning anything that is known.
    pub(super) texts: usize,
    others: usize,
}

impl Tally {
    pub(super) fn key(index: Option<usize>, change: &DocChange) -> Option<Key> {
        let name = change.field.as_ref().and_then(FieldPath::name).map(str::to_owned);
        index.map(|index| (index, change.what, name))
    }

    pub(super) fn add(&mut self, index: Option<usize>, change: &DocChange) {
        match Self::key(index, change) {
            Some(key) => {
                self.in_schemas.insert(key);
            }
            // One change of how to sign in shows at each operation.
            None if change.what.starts_with("auth-") => {
                self.auth.insert((change.from.clone(), change.to.clone()));
            }
            None if change.parameter.is_some() => self.parameters += 1,
            None => self.others += 1,
        }
    }

    pub(super) fn add_all(&mut self, changes: impl Iterator<Item = (Option<usize>, DocChange)>) {
        changes.for_each(|(index, change)| self.add(index, &change));
    }

    /// One change for all of them; `None` where there are none.
    pub(super) fn summary(&self, from: String, to: String) -> Option<Change> {
        let fields = self.in_schemas.difference(&self.told).count();
        let parts = [
            (self.operations, "operation", "operations"),
            (fields, "field", "fields"),
            (self.parameters, "parameter", "parameters"),
            (self.auth.len(), "way to sign in", "ways to sign in"),
            (self.others, "other", "others"),
            (self.texts, "text", "texts"),
        ];
        let changes: usize = parts.iter().map(|(count, _, _)| count).sum();
        if changes == 0 {
            return None;
        }
        let words: Vec<String> = parts
            .iter()
            .filter(|(count, _, _)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        let mut facts = Facts::new().with("what", "other-operations-changed");
        facts.set("operations", changes);
        facts.set("details", words.join(", "));
        for (name, version) in [("from", from), ("to", to)] {
            if !version.is_empty() {
                facts.set(name, version);
            }
        }
        Some(Change { kind: ChangeKind::DocsChanged, path: FieldPath::root(), to: Vec::new(), facts })
    }
}
