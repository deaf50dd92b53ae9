//! The real clock, and one that is driven.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::model::{Clock, Sleep};

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// The clock of the machine; [`Clock::monotonic`] counts from here.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    /// In microseconds, as databases keep them: what is printed before it is stored is what is read back.
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits in steps of at most a minute, so that a clock that is set, or a machine that slept, is noticed.
    fn sleep_until(&self, at: Timestamp) -> Sleep<'_> {
        Box::pin(async move {
            loop {
                let left = at.duration_since(self.now());
                if left.is_negative() || left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.unsigned_abs().min(Duration::from_secs(60))).await;
            }
        })
    }
}

/// A clock that jumps to whatever is waited for: tests, replays and the demo run months in seconds.
#[derive(Debug)]
pub struct DrivenClock {
    now: Mutex<Timestamp>,
    start: Timestamp,
}

impl DrivenClock {
    /// A clock that shows `start` until something sleeps.
    #[must_use]
    pub const fn new(start: Timestamp) -> Self {
        Self { now: Mutex::new(start), start }
    }

    /// Moves on to `at`; a clock never goes back.
    pub fn advance_to(&self, at: Timestamp) {
        let mut now = self.lock();
        *now = (*now).max(at);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for DrivenClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }

    fn monotonic(&self) -> Duration {
        self.now().duration_since(self.start).unsigned_abs()
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep<'_> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.advance_to(at);
        })
    }

    fn is_driven(&self) -> bool {
        true
    }
}
