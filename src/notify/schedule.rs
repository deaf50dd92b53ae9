//! When a message that failed is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Retry, SendError};

/// The delays of the Standard Webhooks specification, used for mail as well: 75.5 hours in all, so that a receiver
/// that breaks on a Friday evening is still served on Monday.
const DELAYS_S: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The longest `Retry-After` that is honoured: a receiver cannot postpone a message for ever.
const MAX_WAIT_S: u64 = 86_400;

/// How long to wait after `attempts` failed attempts; `None` once the message is dead.
///
/// `jitter`, between 0 and 1, adds up to a tenth, so that a receiver that comes back is not met by all at once.
#[must_use]
pub fn retry_delay(attempts: u32, jitter: f64) -> Option<Duration> {
    let index = usize::try_from(attempts.max(1) - 1).ok()?;
    let delay = Duration::from_secs(*DELAYS_S.get(index)?);
    Some(delay.mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 10.0))
}

/// When to try again after `attempts` failed attempts, the last of which ended with `error`; `None` gives it up.
#[must_use]
pub fn next_attempt(error: &SendError, attempts: u32, jitter: f64, now: Timestamp) -> Option<Timestamp> {
    let delay = match error.retry {
        Retry::Never => return None,
        Retry::Backoff => retry_delay(attempts, jitter)?,
        Retry::After(wait) => retry_delay(attempts, jitter)?.max(wait.min(Duration::from_secs(MAX_WAIT_S))),
    };
    now.checked_add(SignedDuration::try_from(delay).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(retry: Retry) -> SendError {
        SendError { retry, detail: String::new() }
    }

    #[test]
    fn ten_attempts_within_three_days_and_a_half() {
        let total: u64 = (1..).map_while(|n| retry_delay(n, 0.0)).map(|d| d.as_secs()).sum();
        assert_eq!(total, 272_105);
        assert_eq!(retry_delay(10, 0.5), None);
        assert_eq!(retry_delay(1, 1.0), Some(Duration::from_millis(5_500)));
    }

    #[test]
    fn the_receiver_may_ask_for_more_time_but_not_for_ever() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |retry| next_attempt(&error(retry), 1, 0.0, now).map(Timestamp::as_second);
        assert_eq!(at(Retry::Backoff), Some(5));
        assert_eq!(at(Retry::After(Duration::from_secs(120))), Some(120));
        assert_eq!(at(Retry::After(Duration::from_secs(1))), Some(5));
        assert_eq!(at(Retry::After(Duration::MAX)), Some(86_400));
        assert_eq!(at(Retry::Never), None);
        assert_eq!(next_attempt(&error(Retry::After(Duration::ZERO)), 10, 0.0, now), None);
    }
}
