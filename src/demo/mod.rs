//! The demo: the real agent on the real history of an open data API.
//!
//! A [`Sequence`] is what a publisher put out, step by step. [`server::replay`] publishes it again over HTTP, by the
//! date of a driven clock. A small connector (`examples/connector.rs`) loads each day into a table of its own by a
//! mapping that [`first_mapping`] writes, as a team would have on the first day. At the end [`tally()`] counts holes and
//! wrong values in that table, by the labels of the sequence where it has any; nothing else looks at labels.

mod archive;
mod columns;
mod oracle;
mod run;
mod sequence;
pub mod server;
mod tally;

pub use columns::{Column, ColumnType, columns, first_mapping};
pub use oracle::oracle_mapping;
pub use run::{ACTOR, Ask, Day, Decided, Ending, Event, Settings, find_connector, run};
pub use sequence::{Sequence, SequenceError, Step, TruthEvent, embedded};
pub use tally::{ColumnTally, Tally, TallyError, tally};
