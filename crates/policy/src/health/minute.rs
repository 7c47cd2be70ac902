//! The calls of one minute and how many of them failed.

use std::time::Duration;

use tollgate_domain::Ticks;

/// Calls counted from the first on for a minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minute {
    began: Option<Ticks>,
    pub(super) calls: u32,
    pub(super) fails: u32,
}

impl Minute {
    pub(super) const fn new() -> Self {
        Self { began: None, calls: 0, fails: 0 }
    }

    pub(super) fn count(&mut self, failed: bool, now: Ticks) {
        let over = self.began.is_none_or(|began| now.since(began) >= LENGTH);
        if over {
            *self = Self { began: Some(now), calls: 0, fails: 0 };
        }
        self.calls = self.calls.saturating_add(1);
        self.fails = self.fails.saturating_add(u32::from(failed));
    }

    /// Whether so many failed that others should take the calls, or where there are no others,
    /// that nothing is gained by sending more (runtime-semantics §7.6).
    pub(super) fn is_failing(&self, alone: bool) -> bool {
        let most = u64::from(self.fails) * 2 > u64::from(self.calls);
        let all = self.fails == self.calls;
        (most && self.calls >= CALLS_MIN && !alone) || (all && self.calls >= CALLS_MIN_ALONE)
    }
}

const LENGTH: Duration = Duration::from_secs(60);
/// Fewest calls that a share of failures says something about.
const CALLS_MIN: u32 = 5;
/// Fewest calls, all failed, that cool the only deployment of a group.
const CALLS_MIN_ALONE: u32 = 1000;
