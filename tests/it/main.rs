//! The integration tests: one binary, one module a journey.

mod config_errors;
mod demo_parts;
mod documents;
mod escalation;
mod imports;
mod probe;
mod repair_and_apply;
mod store_both_databases;
mod support;
