//! The only module that takes in live data: probes, imports, documents.

mod settings;

pub use settings::*;

pub use crate::net::HttpSettings;
