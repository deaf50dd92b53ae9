//! The request budget: how many requests a connector made on a day (UTC).

use jiff::Timestamp;

use super::sql::sql;
use super::{Store, StoreError};

const SECONDS_A_DAY: i64 = 86_400;

impl Store {
    /// Takes one request out of the day's budget; `false` where it is used up. Exactly `limit` are granted a day,
    /// however many processes ask.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn take_request(
        &self,
        connector: &str,
        now: Timestamp,
        limit: u64,
    ) -> Result<bool, StoreError> {
        if limit == 0 {
            return Ok(false);
        }
        let mut tx = self.write().await?;
        let taken = sql("INSERT INTO request_budget (connector, day, used) VALUES ($1, $2, 1) \
             ON CONFLICT (connector, day) DO UPDATE SET used = request_budget.used + 1 \
             WHERE request_budget.used < $3 RETURNING used")
        .text(connector)
        .int(day_of(now))
        .count(limit)
        .optional(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(taken.is_some())
    }

    /// Requests that a connector made on the day of `now`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn requests_used(&self, connector: &str, now: Timestamp) -> Result<u64, StoreError> {
        let row = sql("SELECT used FROM request_budget WHERE connector = $1 AND day = $2")
            .text(connector)
            .int(day_of(now))
            .optional(&mut *self.pool.acquire().await?)
            .await?;
        row.map_or(Ok(0), |row| row.count("used"))
    }
}

/// Days since 1970 (UTC).
pub(super) fn day_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(SECONDS_A_DAY)
}
