//! The store: every test runs on SQLite and on PostgreSQL.

mod audit;
mod checks;
mod documents;
mod findings;
mod fixtures;
mod opening;
mod outbox;
mod patches;
mod retention;
mod streams;
