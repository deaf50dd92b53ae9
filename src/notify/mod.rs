//! The only module that sends: e-mail and webhooks, from the outbox.

mod settings;

pub use settings::*;
