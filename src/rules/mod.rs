//! Rules are data: parse packs, judge changes, classify responses.

mod settings;

pub use settings::*;
