//! What a user can set about rules.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{FieldPath, Severity};

/// Rules of the site: folders of further rules, and changes to rules.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesSettings {
    /// Folders of further rule files.
    pub dirs: Vec<PathBuf>,
    /// Changes to rules, in order; a later one wins.
    pub overrides: Vec<RuleOverride>,
}

/// A change to a rule, or to all of them, for some connectors, streams and paths.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleOverride {
    /// The rule, by id; all by default.
    pub rule: Option<String>,
    /// The connector; all by default.
    pub connector: Option<String>,
    /// The stream; all by default.
    pub stream: Option<String>,
    /// The path and all below it; all by default.
    pub path: Option<FieldPath>,
    /// The severity in place of the rule's.
    pub severity: Option<Severity>,
    /// Whether to say nothing: the verb `ignore`.
    pub ignore: bool,
    /// Why, for those who read the config after you.
    pub reason: Option<String>,
}
