//! How many retries a deployment takes, so that retries never multiply an outage.

use std::time::Duration;

use tollgate_domain::Ticks;

/// The share of a deployment's calls that may be retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryShare {
    /// Retries for a thousand calls.
    pub per_mille: u32,
    /// Retries in a second however few calls there are.
    pub per_second: u32,
}

impl Default for RetryShare {
    fn default() -> Self {
        Self { per_mille: PER_MILLE, per_second: PER_SECOND }
    }
}

/// The retries that a deployment still takes: a bucket that first attempts fill by a share, and
/// time by a little, and that each retry takes one from.
///
/// In any stretch of time the retries are at most [`RETRY_BURST`], and the share of the calls, and
/// what the seconds bring.
#[derive(Debug, Clone, Copy)]
pub struct RetryBudget {
    /// Thousandths of a retry.
    left_mille: u64,
    filled_at: Option<Ticks>,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { left_mille: FULL_MILLE, filled_at: None }
    }
}

impl RetryBudget {
    /// Takes note of a call's first attempt at the deployment.
    pub fn called(&mut self, share: RetryShare, now: Ticks) {
        self.fill(share, now);
        self.add(u64::from(share.per_mille));
    }

    /// Whether a retry is left.
    #[must_use]
    pub fn may_retry(&self, share: RetryShare, now: Ticks) -> bool {
        let mut then = *self;
        then.fill(share, now);
        then.left_mille >= MILLE
    }

    /// Takes a retry, if one is left.
    #[must_use = "without one there is no retry"]
    pub fn retry(&mut self, share: RetryShare, now: Ticks) -> bool {
        self.fill(share, now);
        let left = self.left_mille.checked_sub(MILLE);
        self.left_mille = left.unwrap_or(self.left_mille);
        left.is_some()
    }

    fn fill(&mut self, share: RetryShare, now: Ticks) {
        let filled_at = self.filled_at.get_or_insert(now);
        let passed = now.since(*filled_at);
        // Time too short for a thousandth of a retry is kept for the next step.
        let each = passed.as_nanos().saturating_mul(u128::from(share.per_second)) / NANOS_PER_MILLE;
        if each > 0 {
            *filled_at = now.max(*filled_at);
            self.add(u64::try_from(each).unwrap_or(u64::MAX));
        }
    }

    fn add(&mut self, mille: u64) {
        self.left_mille = self.left_mille.saturating_add(mille).min(FULL_MILLE);
    }
}

const MILLE: u64 = 1000;
/// A retry per second is a thousandth in every millisecond.
const NANOS_PER_MILLE: u128 = Duration::from_millis(1).as_nanos();
/// Most retries at one time, after a quiet while.
pub const RETRY_BURST: u64 = 10;
const FULL_MILLE: u64 = RETRY_BURST * MILLE;
/// One retry for five calls.
const PER_MILLE: u32 = 200;
/// So that the rare call may be tried again too.
const PER_SECOND: u32 = 1;
