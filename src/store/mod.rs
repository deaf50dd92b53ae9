//! The only module with SQL.

mod settings;

pub use settings::*;
