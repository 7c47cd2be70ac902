//! The counter behind every limit: what is used, what is held, and a cap they never pass together.
//!
//! Money, requests, tokens and calls at one time are counted alike. A call holds the most it can
//! use of each; when it is over, what it really used takes the place of what it held: its cost, its
//! tokens, one request, no call at all. A counter covers one window at a time. A call belongs
//! wholly to the window in which it was admitted, so what settles after its window has passed
//! changes nothing in the next.

use std::time::Duration;

use tollgate_domain::Timestamp;

/// What is used and held in the present window. Amounts are nano-dollars, requests, tokens or
/// calls, as the limit that the counter belongs to says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counter {
    /// When the present window began, in microseconds since 1970.
    pub start: i64,
    /// What settled calls of the window used.
    pub used: i64,
    /// What calls in flight hold.
    pub held: i64,
}

/// The window that a claim falls into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// All time.
    Forever,
    /// Between two instants, the first of which belongs to it.
    Between(Timestamp, Timestamp),
    /// Opened by the first claim after the last such window ended.
    Opened {
        /// When the claim is made.
        now: Timestamp,
        /// How long the window lasts.
        length: Duration,
    },
}

/// What a call wants of one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The most it can use. Never negative; a claim of nothing always succeeds.
    pub amount: i64,
    /// The most that all calls of the window may use together, or `None` when they are only
    /// counted.
    pub cap: Option<i64>,
    /// The window.
    pub window: Window,
}

/// A claim that was granted, to be settled exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "what is held is held until it settles"]
pub struct Held {
    /// When the window began that holds it, in microseconds since 1970.
    pub start: i64,
    /// How much is held.
    pub amount: i64,
}

/// A claim that its cap does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// Which of the claims, by its place.
    pub index: usize,
    /// The cap.
    pub cap: i64,
    /// What settled calls of the window used.
    pub used: i64,
    /// What calls in flight hold.
    pub held: i64,
    /// What was asked for.
    pub asked: i64,
    /// When the window ends, if it does.
    pub resets_at: Option<Timestamp>,
}

impl Over {
    /// Whether the claim would fit if no other call were in flight, so that waiting may help.
    #[must_use]
    pub fn by_held(&self) -> bool {
        self.held > 0 && fits(self.cap, self.used, 0, self.asked)
    }

    /// What the cap still leaves to others, never below zero.
    #[must_use]
    pub fn free(&self) -> i64 {
        self.cap.saturating_sub(self.used.saturating_add(self.held)).max(0)
    }
}

impl Counter {
    /// A counter of the window that began at `start`, of which `used` is gone.
    #[must_use]
    pub const fn new(start: i64, used: i64) -> Self {
        Self { start, used, held: 0 }
    }

    /// Goes on to the claim's window if that is a later one. A claim from a clock that is behind
    /// belongs to the window that has begun.
    pub fn roll(&mut self, window: &Window) {
        if let Some(start) = window.next_start(self.start) {
            *self = Self { start, used: 0, held: 0 };
        }
    }

    /// Replaces what was held by what was used, if its window is still the present one.
    pub fn settle(&mut self, held: Held, used: i64) {
        if held.start == self.start {
            self.held = self.held.saturating_sub(held.amount).max(0);
            self.used = self.used.saturating_add(used.max(0));
        }
    }

    /// When the present window of `window`'s kind ends, if it does.
    #[must_use]
    pub fn ends_at(&self, window: &Window) -> Option<Timestamp> {
        match window {
            Window::Forever => None,
            Window::Between(_, end) => Some(*end),
            Window::Opened { length, .. } => Some(Timestamp::from_micros(self.start).plus(*length)),
        }
    }

    fn allows(&self, claim: &Claim) -> bool {
        let Some(cap) = claim.cap else { return true };
        claim.amount == 0 || fits(cap, self.used, self.held, claim.amount)
    }
}

impl Window {
    /// Where this window begins, if it comes after the one that began at `present`.
    fn next_start(&self, present: i64) -> Option<i64> {
        match self {
            Self::Forever => None,
            Self::Between(start, _) => (start.micros() > present).then_some(start.micros()),
            Self::Opened { now, length } => {
                let over = Timestamp::from_micros(present).plus(*length) <= *now;
                over.then_some(now.micros())
            }
        }
    }
}

/// Takes every claim from its counter, or none of them: one that is refused leaves every counter
/// as it was, but for windows that have passed.
///
/// # Errors
/// [`Over`] for the first claim that its cap does not allow.
///
/// # Panics
/// When there are not as many counters as claims, or an amount is negative, which would free what
/// others hold.
pub fn take(counters: &mut [&mut Counter], claims: &[Claim]) -> Result<Vec<Held>, Over> {
    assert_eq!(counters.len(), claims.len(), "each claim has its counter");
    for (index, (counter, claim)) in counters.iter_mut().zip(claims).enumerate() {
        assert!(claim.amount >= 0, "a claim is never negative");
        counter.roll(&claim.window);
        if !counter.allows(claim) {
            return Err(Over {
                index,
                cap: claim.cap.unwrap_or(i64::MAX),
                used: counter.used,
                held: counter.held,
                asked: claim.amount,
                resets_at: counter.ends_at(&claim.window),
            });
        }
    }
    let hold = |(counter, claim): (&mut &mut Counter, &Claim)| {
        counter.held = counter.held.saturating_add(claim.amount);
        Held { start: counter.start, amount: claim.amount }
    };
    Ok(counters.iter_mut().zip(claims).map(hold).collect())
}

/// Whether the sum stays within the cap, computed wide so that nothing can wrap.
fn fits(cap: i64, used: i64, held: i64, amount: i64) -> bool {
    i128::from(used) + i128::from(held) + i128::from(amount) <= i128::from(cap)
}

#[cfg(test)]
mod tests;
