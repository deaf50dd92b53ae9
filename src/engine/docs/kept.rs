//! What is made of documents once for each of their versions.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Entries that are kept; beyond that all are made anew.
const MAX_KEPT: usize = 1_000;

/// What is made of documents, by the document, its content and whatever else it depends on.
#[derive(Debug)]
pub(in crate::engine) struct PerVersion<T>(Mutex<BTreeMap<String, T>>);

impl<T> Default for PerVersion<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> PerVersion<T> {
    /// What was made of this version.
    pub(super) fn get(&self, version: &str) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(version).cloned()
    }

    /// Keeps what was made of this version, and gives it back.
    pub(super) fn keep(&self, version: String, made: T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_KEPT {
            all.clear();
        }
        all.insert(version, made.clone());
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_was_given_and_never_too_much() {
        let kept = PerVersion::default();
        assert_eq!(kept.get("a"), None);
        assert_eq!(kept.keep("a".to_owned(), 1), 1);
        assert_eq!(kept.get("a"), Some(1));
        for n in 0..MAX_KEPT {
            kept.keep(format!("version {n}"), n);
        }
        assert_eq!((kept.get("a"), kept.get("version 999")), (None, Some(999)));
        assert!(kept.0.lock().unwrap().len() <= MAX_KEPT);
    }
}
