//! How many calls a deployment takes at once: as configured, or as learned from its refusals.

use std::num::NonZeroU32;
use std::time::Duration;

use tollgate_domain::Ticks;

/// A limit on the calls that are under way. One that nobody configured is learned: an upstream that
/// refuses for its rate or its load halves it, at most once for all the calls that were under way
/// by then, and each time that as many calls as it allows were served with the limit reached, it
/// rises by one. It is never below one, never above the configured limit, and is forgotten after a
/// quiet time in which it did not bind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Concurrency {
    configured: Option<NonZeroU32>,
    learned: Option<Learned>,
}

#[derive(Debug, Clone, Copy)]
struct Learned {
    limit: u32,
    /// Calls served at the limit since it last changed.
    served: u32,
    lowered_at: Ticks,
    refused_at: Ticks,
}

/// How a call's use of its slot ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The upstream answered.
    Served,
    /// The upstream refused: too many calls for its rate limit or its load.
    Congested,
    /// Any other end; it says nothing about how many calls the upstream takes.
    Otherwise,
}

/// A call that ended, as far as the limit depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) granted_at: Ticks,
    /// Calls under way before it ended, itself among them.
    pub(super) in_flight: u32,
}

impl Concurrency {
    /// A limit as configured, or none, with nothing learned.
    #[must_use]
    pub const fn new(configured: Option<NonZeroU32>) -> Self {
        Self { configured, learned: None }
    }

    /// The most calls at once, or `None` where nothing limits them.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        let learned = self.learned.map(|learned| learned.limit);
        match self.configured.map(NonZeroU32::get) {
            Some(configured) => Some(learned.map_or(configured, |limit| limit.min(configured))),
            None => learned,
        }
    }

    /// Changes the configured limit. What was learned stays.
    pub const fn configure(&mut self, configured: Option<NonZeroU32>) {
        self.configured = configured;
    }

    /// Forgets what was learned.
    pub const fn forget(&mut self) {
        self.learned = None;
    }

    /// Learns from the end of a call.
    pub(super) fn learn(&mut self, ended: Ended, seen: Seen, now: Ticks) {
        match ended {
            Ended::Served => self.served(seen, now),
            Ended::Congested => self.congested(seen, now),
            Ended::Otherwise => {}
        }
    }

    fn congested(&mut self, seen: Seen, now: Ticks) {
        if let Some(learned) = &mut self.learned {
            learned.refused_at = now;
            if seen.granted_at <= learned.lowered_at {
                return;
            }
        }
        // A limit that was not reached is not what the upstream refused.
        let taken = self.limit().map_or(seen.in_flight, |limit| limit.min(seen.in_flight));
        let limit = (taken / DECREASE_DIVISOR).max(1);
        self.learned = Some(Learned { limit, served: 0, lowered_at: now, refused_at: now });
    }

    fn served(&mut self, seen: Seen, now: Ticks) {
        let Some(learned) = &mut self.learned else { return };
        if seen.in_flight >= learned.limit && seen.granted_at > learned.lowered_at {
            learned.served += 1;
            if learned.served >= learned.limit {
                learned.limit = learned.limit.saturating_add(1);
                learned.served = 0;
            }
        }
        let idle = seen.in_flight <= learned.limit / 2;
        let quiet = now.since(learned.refused_at) >= FORGET_AFTER;
        let over = self.configured.is_some_and(|most| learned.limit >= most.get());
        if over || (idle && quiet) {
            self.learned = None;
        }
    }
}

/// What a refusal divides the number of calls at once by.
const DECREASE_DIVISOR: u32 = 2;
/// How long after the last refusal a learned limit that does not bind is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
