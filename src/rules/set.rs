//! The rules in force: those of this program, those of the site, and what the config changes of them.

use std::sync::{Arc, LazyLock};

use include_dir::{Dir, include_dir};

use super::{Rule, RuleError, RuleOverride, rule::error_at, table};
use crate::model::ChangeKind;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rules");

static BUILTIN: LazyLock<RuleSet> =
    LazyLock::new(|| RuleSet::embedded().expect("the test `every_builtin_rule_parses` read the same files"));

const PACKS: [&str; 5] = ["schema", "values", "behaviour", "contradictions", "lifecycle"];

/// Files below `rules/docs` that hold rules; the others hold phrases and other judgements.
const TABLES: [&str; 2] = ["/table.yaml", "/announcements.yaml"];

/// The texts of the embedded files of one folder below `rules/`, by path, in order.
pub(super) fn texts_below(folder: &str) -> Vec<(String, String)> {
    let files = FILES.get_dir(folder).into_iter().flat_map(Dir::files);
    let mut texts: Vec<(String, String)> = files
        .map(|file| {
            let path = format!("rules/{}", file.path().to_string_lossy());
            (path, String::from_utf8_lossy(file.contents()).into_owned())
        })
        .collect();
    texts.sort();
    texts
}

/// The rules in force. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// Sorted by kind, then the number of conditions (most first), then id: the first that matches judges.
    rules: Arc<Vec<Rule>>,
    overrides: Arc<Vec<RuleOverride>>,
}

impl RuleSet {
    /// The rules of this program.
    #[must_use]
    pub fn builtin() -> Self {
        BUILTIN.clone()
    }

    /// The rules of this program and further ones, each file by path and text.
    ///
    /// # Errors
    /// [`RuleError`] with file, line and reason for the first file that is refused.
    pub fn with_dirs(texts: Vec<(String, String)>) -> Result<Self, RuleError> {
        let builtin = Self::builtin();
        let mut rules = (*builtin.rules).clone();
        for (path, text) in &texts {
            add(&mut rules, path, text)?;
        }
        Ok(Self { rules: sorted(rules), ..builtin })
    }

    fn embedded() -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for (path, text) in PACKS.iter().flat_map(|pack| texts_below(pack)) {
            add(&mut rules, &path, &text)?;
        }
        let is_table = |path: &str| TABLES.iter().any(|table| path.ends_with(table));
        for (path, text) in texts_below("docs").into_iter().filter(|(path, _)| is_table(path)) {
            rules.extend(table::parse(&path, &text)?);
        }
        Ok(Self { rules: sorted(rules), overrides: Arc::default() })
    }

    /// These rules with the changes that the config makes to them, in place of earlier changes.
    #[must_use]
    pub fn with_overrides(self, overrides: Vec<RuleOverride>) -> Self {
        Self { overrides: Arc::new(overrides), ..self }
    }

    /// The changes that the config makes.
    #[must_use]
    pub fn overrides(&self) -> &[RuleOverride] {
        &self.overrides
    }

    /// Overrides that name a rule which does not exist, with the nearest name that does: for `config check`.
    #[must_use]
    pub fn unknown_overrides(&self) -> Vec<(String, Option<String>)> {
        let named = self.overrides.iter().filter_map(|o| o.rule.as_deref());
        named
            .filter(|name| self.explain(name).is_none())
            .map(|name| {
                let near =
                    self.rules.iter().map(|rule| (strsim::damerau_levenshtein(name, &rule.id), &rule.id));
                let nearest = near.filter(|(distance, _)| *distance <= 4).min();
                (name.to_owned(), nearest.map(|(_, id)| id.clone()))
            })
            .collect()
    }

    /// Every rule, by category and id.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let mut rules: Vec<&Rule> = self.rules.iter().collect();
        rules.sort_by(|a, b| (a.category, &a.id).cmp(&(b.category, &b.id)));
        rules.into_iter()
    }

    /// The rule of that id.
    #[must_use]
    pub fn explain(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The rules of that kind, in the order in which they are tried.
    pub(super) fn of_kind(&self, kind: ChangeKind) -> &[Rule] {
        let from = self.rules.partition_point(|rule| rule.kind < kind);
        let to = self.rules.partition_point(|rule| rule.kind <= kind);
        &self.rules[from..to]
    }
}

fn add(rules: &mut Vec<Rule>, path: &str, text: &str) -> Result<(), RuleError> {
    let rule = Rule::parse(path, text)?;
    if let Some(other) = rules.iter().find(|other| other.id == rule.id) {
        let reason = format!(
            "`{}` is a rule already, in {}; choose another id, or change that rule by an override in the config",
            rule.id, other.source
        );
        return Err(error_at(path, text, &rule.id, reason));
    }
    rules.push(rule);
    Ok(())
}

fn sorted(mut rules: Vec<Rule>) -> Arc<Vec<Rule>> {
    rules.sort_by(|a, b| (a.kind, b.when.len(), &a.id).cmp(&(b.kind, a.when.len(), &b.id)));
    Arc::new(rules)
}

#[cfg(test)]
mod tests;
