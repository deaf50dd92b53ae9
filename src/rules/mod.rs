//! Rules are data: parse packs, judge changes, classify responses.
//!
//! A rule is one YAML file below `rules/` (its name is its id), or one row of `rules/docs/table.yaml`; it names the
//! kind of change that it judges, states conditions on its facts, and says how bad that is. Files below
//! `rules/errors/` say what a response means, vendor by vendor. Nothing here does I/O: the files of this program are
//! embedded, those of a site come in as text.

mod condition;
mod contract;
mod documents;
mod entries;
mod examples;
mod facts;
mod judge;
mod response;
mod rule;
mod set;
mod settings;
mod table;
mod template;

pub use condition::{Condition, Operator};
pub use contract::{ContractFinding, Level, diff_contracts, judge_contracts};
pub use documents::{
    diagnose_documents, diff_descriptions, diff_documents, diff_read_documents, responses_in_words,
};
pub use entries::{ContractEntry, ContractValue, contract_entries};
pub use examples::{ExampleOutcome, ExampleResult};
pub use facts::{CHANGE_KINDS, facts_of, kinds};
pub use judge::{JudgeContext, Judgement};
pub use response::{Classified, Lifecycle, Media, RateLimit, lifecycle, media_of, rate_limit};
pub use rule::{Example, Expect, Rule, RuleError};
pub use set::RuleSet;
pub use settings::*;
