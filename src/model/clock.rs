//! The clock as a seam, so that tests, replays and the demo drive the real scheduler.

use std::{future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;

/// What [`Clock::sleep_until`] gives back.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Where the time comes from. Nothing else in Drogue asks for it.
pub trait Clock: Send + Sync + std::fmt::Debug + 'static {
    /// The wall clock, UTC, for what is stored and shown.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, never going back, for intervals.
    fn monotonic(&self) -> Duration;

    /// Waits until the wall clock shows `at`; returns at once where it is past.
    fn sleep_until(&self, at: Timestamp) -> Sleep<'_>;

    /// Whether sleeping jumps ahead instead of waiting; a loop then lets running work end before it sleeps.
    fn is_driven(&self) -> bool {
        false
    }
}
