//! The integration tests: one binary, one module a journey.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on has failed the test")]

mod config_errors;
mod consumer;
mod daemons;
mod deadlines;
mod demo_parts;
mod documents;
mod escalation;
mod files;
mod imports;
mod journey_check;
mod journey_demo;
mod journey_kill;
mod journey_watch;
mod probe;
mod quiet;
mod repair_and_apply;
mod replay;
mod store_both_databases;
mod support;
mod variants;
