//! The only module that sends: e-mail and webhooks, from the outbox.
//!
//! [`route()`] says which receivers are told, [`messages`] freezes what they are told (one message an address, written
//! to the outbox in the transaction of the finding), and [`Sender`] hands one message over. A message is sent at
//! least once: a retry carries the same Message-ID or webhook-id. Nothing here decides what is worth telling.

mod group;
pub mod render;
mod route;
mod schedule;
mod send;
mod settings;

pub use group::{Draft, messages, thread_id};
pub use render::render_preview;
pub use route::{glob_matches, route};
pub use schedule::{next_attempt, retry_delay};
pub use send::{Retry, SendError, Sender, SetupError, check_receiver, sign};
pub use settings::*;
