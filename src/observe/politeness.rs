//! How much one host is asked: the time between requests, requests at once, requests a day.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::Clock;

/// Requests to one host at the same time; browsers take six, a watcher is to be noticed less than a user.
const AT_ONCE: usize = 2;

/// Keeps requests to each host apart; one for the whole process, shared by all streams.
#[derive(Debug, Default)]
pub struct Politeness {
    hosts: Mutex<BTreeMap<String, Arc<Host>>>,
}

#[derive(Debug)]
struct Host {
    slots: Arc<Semaphore>,
    /// When the next request may begin.
    next: Mutex<Timestamp>,
}

impl Politeness {
    /// Nobody has been asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for a turn at `host`; the turn ends when the permit is dropped.
    pub(super) async fn turn(
        &self,
        host: &str,
        min_interval: Duration,
        clock: &dyn Clock,
    ) -> Option<OwnedSemaphorePermit> {
        let host = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(hosts.entry(host.to_ascii_lowercase()).or_insert_with(|| {
                Arc::new(Host {
                    slots: Arc::new(Semaphore::new(AT_ONCE)),
                    next: Mutex::new(Timestamp::UNIX_EPOCH),
                })
            }))
        };
        // The semaphore is never closed, so this is always a permit.
        let permit = Arc::clone(&host.slots).acquire_owned().await.ok();
        if !min_interval.is_zero() {
            let at = {
                let mut next = host.next.lock().unwrap_or_else(PoisonError::into_inner);
                let interval = SignedDuration::try_from(min_interval).unwrap_or(SignedDuration::ZERO);
                let now = clock.now();
                // A clock that was set back must not make us wait for it to catch up.
                let is_astray = next.duration_since(now) > SignedDuration::from_hours(24);
                let at = if is_astray { now } else { (*next).max(now) };
                *next = at.checked_add(interval).unwrap_or(at);
                at
            };
            clock.sleep_until(at).await;
        }
        permit
    }
}

/// What is left of a connector's requests for today; shared by its streams, kept by the store.
#[derive(Debug)]
pub struct Budget {
    left: AtomicU32,
    used: AtomicU32,
}

impl Budget {
    /// A budget of so many requests.
    #[must_use]
    pub const fn new(left: u32) -> Self {
        Self { left: AtomicU32::new(left), used: AtomicU32::new(0) }
    }

    /// Takes one request; `false` where none is left.
    pub(super) fn take(&self) -> bool {
        let taken =
            self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok();
        if taken {
            self.used.fetch_add(1, Ordering::AcqRel);
        }
        taken
    }

    /// How many were taken since the budget was made, for the store.
    #[must_use]
    pub fn used(&self) -> u32 {
        self.used.load(Ordering::Acquire)
    }

    /// Sets what is left, on the next day.
    pub fn refill(&self, left: u32) {
        self.left.store(left, Ordering::Release);
    }
}

/// When the next day begins (UTC), and with it the next budget.
pub(super) fn next_day(now: Timestamp) -> Timestamp {
    let day = 86_400;
    let next = (now.as_second().div_euclid(day) + 1) * day;
    Timestamp::from_second(next).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::DrivenClock;

    #[tokio::test]
    async fn requests_to_one_host_stay_apart() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = DrivenClock::new(start);
        let politeness = Politeness::new();
        for _ in 0..3 {
            politeness.turn("A.example", Duration::from_secs(5), &clock).await;
            politeness.turn("b.example", Duration::ZERO, &clock).await;
        }
        assert_eq!(clock.now().duration_since(start), SignedDuration::from_secs(10));
    }

    #[tokio::test]
    async fn two_at_once_and_no_more() {
        let clock = DrivenClock::new(Timestamp::UNIX_EPOCH);
        let politeness = Politeness::new();
        let first = politeness.turn("a.example", Duration::ZERO, &clock).await;
        let _second = politeness.turn("a.example", Duration::ZERO, &clock).await;
        let third = politeness.turn("a.example", Duration::ZERO, &clock);
        tokio::pin!(third);
        assert!(matches!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(third.as_mut().poll(cx))).await,
            std::task::Poll::Pending
        ));
        drop(first);
        assert!(third.await.is_some());
    }

    #[test]
    fn a_day_ends_at_midnight() {
        let at: Timestamp = "2026-02-28T23:59:59.9Z".parse().unwrap();
        assert_eq!(next_day(at).to_string(), "2026-03-01T00:00:00Z");
        let budget = Budget::new(1);
        assert!(budget.take() && !budget.take());
        assert_eq!(budget.used(), 1);
    }
}
