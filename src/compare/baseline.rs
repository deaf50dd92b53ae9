//! How a baseline begins and grows: only by what was accepted.

use std::collections::BTreeMap;

use super::context::MIN_SUPPORT;
use super::{Baseline, Relation, Variation, Window, relations_between, relations_within};
use crate::profile::Profile;

impl Baseline {
    /// A baseline of one window.
    #[must_use]
    pub fn start(window: &Window) -> Self {
        Self {
            version: 1,
            profile: window.profile.clone(),
            latest: Some(window.profile.clone()),
            behaviour: window.behaviour.clone(),
            windows: 1,
            from: window.from,
            to: window.to,
            variation: Variation::default(),
            relations: relations_within(&window.profile),
        }
    }

    /// Remembers what a window shows of relations between fields, and makes it the latest; for each window that was
    /// accepted or showed nothing new.
    pub fn follow(&mut self, window: &Window) {
        if let Some(latest) = &self.latest {
            // Too few records to judge by: the one before stays the nearest.
            if window.profile.records < MIN_SUPPORT && latest.records >= MIN_SUPPORT {
                return;
            }
            let mut relations = relations_between(latest, &window.profile, &BTreeMap::new());
            relations.append(&mut relations_within(&window.profile));
            relations.extend(self.relations.drain(..).filter(|r| still_there(r, &window.profile)));
            relations.sort();
            relations.dedup();
            self.relations = relations;
        }
        self.latest = Some(window.profile.clone());
    }
}

fn still_there(relation: &Relation, profile: &Profile) -> bool {
    let has = |path| profile.fields.contains_key(path);
    match relation {
        Relation::Growth { path, of } => has(path) && has(of),
        Relation::Sum { path, of } => has(path) && has(&of.0) && has(&of.1),
    }
}
