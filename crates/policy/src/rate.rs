//! A rate limit: how many requests or tokens are taken within a minute.
//!
//! The window is LiteLLM's: of fixed length, opened by the first claim, not sliding. Within one
//! window no more is granted than the limit; over any stretch of time as long as a window, which
//! may lie across two of them, no more than twice the limit.

use std::num::NonZeroU32;
use std::time::Duration;

use thiserror::Error;
use tollgate_domain::Timestamp;

/// The counter of one rate limit. A claim that is refused counts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateWindow {
    length: Duration,
    opened_at: Option<Timestamp>,
    used: u64,
}

/// What was taken from a rate limit. It is given back or settled in the window it was taken in,
/// and nowhere once that has passed. It cannot be copied, so that it settles once at most.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct RateClaim {
    opened_at: Timestamp,
    amount: u64,
}

/// A claim that the limit does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the call needs `{asked}`, and of a rate limit of `{limit}` `{used}` are used until \
     `{resets_at}`"
)]
pub struct RateOver {
    /// The most that one window grants.
    pub limit: u64,
    /// What is taken in the window.
    pub used: u64,
    /// What was asked for.
    pub asked: u64,
    /// When the window has passed and all of the limit is free again.
    pub resets_at: Timestamp,
}

impl RateOver {
    /// Whether an empty window would refuse it too, so that waiting does not help.
    #[must_use]
    pub const fn never_fits(&self) -> bool {
        self.asked > self.limit
    }
}

impl Default for RateWindow {
    /// A window of a minute.
    fn default() -> Self {
        Self { length: RATE_WINDOW, opened_at: None, used: 0 }
    }
}

impl RateWindow {
    /// A window of this many seconds in which nothing is taken.
    #[must_use]
    pub const fn of_seconds(seconds: NonZeroU32) -> Self {
        Self { length: Duration::from_secs(seconds.get() as u64), opened_at: None, used: 0 }
    }

    /// Whether [`claim`](Self::claim) would grant this, so that claims on several limits can be
    /// taken all or none.
    ///
    /// # Errors
    /// [`RateOver`] when it would not.
    pub fn check(&self, now: Timestamp, amount: u64, limit: Option<u64>) -> Result<(), RateOver> {
        let (used, Some(limit)) = (self.used(now), limit) else { return Ok(()) };
        if amount == 0 || used.checked_add(amount).is_some_and(|sum| sum <= limit) {
            return Ok(());
        }
        Err(RateOver { limit, used, asked: amount, resets_at: self.resets_at(now) })
    }

    /// Takes `amount` from the window that is open at `now`, or opens one. Without a limit the
    /// amount is counted, so that a limit set later finds it. Claiming nothing always succeeds.
    ///
    /// # Errors
    /// [`RateOver`] when the window would grant more than `limit`; nothing is taken then.
    pub fn claim(
        &mut self,
        now: Timestamp,
        amount: u64,
        limit: Option<u64>,
    ) -> Result<RateClaim, RateOver> {
        self.check(now, amount, limit)?;
        let (opened_at, used) = self.open(now).map_or((now, 0), |opened_at| (opened_at, self.used));
        self.opened_at = Some(opened_at);
        self.used = used.saturating_add(amount);
        Ok(RateClaim { opened_at, amount })
    }

    /// Replaces a claim by what the call really took. More than was claimed counts wholly, even
    /// above the limit: what was used is used. In a window that has passed nothing changes, and the
    /// present one is left as it is.
    #[expect(clippy::needless_pass_by_value, reason = "a claim is used up: it settles once")]
    pub fn settle(&mut self, now: Timestamp, claim: RateClaim, actual: u64) {
        if self.open(now) == Some(claim.opened_at) {
            self.used = self.used.saturating_sub(claim.amount).saturating_add(actual);
        }
    }

    /// Gives a claim back, if its window has not passed.
    pub fn release(&mut self, now: Timestamp, claim: RateClaim) {
        self.settle(now, claim, 0);
    }

    /// What is taken in the window that is open at `now`.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> u64 {
        self.open(now).map_or(0, |_| self.used)
    }

    /// What is left of the limit at `now`.
    #[must_use]
    pub fn remaining(&self, now: Timestamp, limit: u64) -> u64 {
        limit.saturating_sub(self.used(now))
    }

    /// When the window that is open at `now` has passed; with none open, when one opened now would.
    #[must_use]
    pub fn resets_at(&self, now: Timestamp) -> Timestamp {
        self.open(now).unwrap_or(now).plus(self.length)
    }

    /// When the window that is open at `now` was opened. A clock that is set back a little keeps
    /// the window; a window that opens more than its length in the future is none, so that nobody
    /// waits longer than two lengths.
    fn open(&self, now: Timestamp) -> Option<Timestamp> {
        let passed = |opened_at: &Timestamp| now.since(*opened_at) >= self.length;
        let trusted = |opened_at: &Timestamp| opened_at.since(now) <= self.length;
        self.opened_at.filter(|opened_at| !passed(opened_at) && trusted(opened_at))
    }
}

/// How long a rate window lasts unless `LITELLM_RATE_LIMIT_WINDOW_SIZE` (seconds) says otherwise.
pub const RATE_WINDOW: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
