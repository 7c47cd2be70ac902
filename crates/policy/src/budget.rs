//! A budget window: what was spent, what is held, and a cap they never pass together.

use thiserror::Error;
use tollgate_domain::Money;

/// The counters of one budget window. A hold is taken only when `spent + held` stays within the
/// cap; whatever a call then really cost is recorded in full, even above its hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    cap: Option<Money>,
    spent: Money,
    held: Money,
}

/// A hold that the cap does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the call may cost up to `{asked}` dollars, and of a budget of `{cap}` dollars `{spent}` are \
     spent and `{held}` are held for calls in flight"
)]
pub struct OverBudget {
    /// The cap.
    pub cap: Money,
    /// What settled calls cost.
    pub spent: Money,
    /// What is held for calls in flight.
    pub held: Money,
    /// What was asked for.
    pub asked: Money,
}

impl OverBudget {
    /// Whether the hold would fit if no other call were in flight, so that waiting may help.
    #[must_use]
    pub fn by_reservation(&self) -> bool {
        fits(self.cap, self.spent, Money::ZERO, self.asked)
    }
}

impl Window {
    /// A window with nothing held. Without a cap only the range of money limits it.
    #[must_use]
    pub const fn new(cap: Option<Money>, spent: Money) -> Self {
        Self { cap, spent, held: Money::ZERO }
    }

    /// Holds `amount` until it is settled or released. Holding nothing always succeeds: a call
    /// that is known to be free passes no cap.
    ///
    /// # Errors
    /// [`OverBudget`] when `spent + held + amount` would pass the cap; nothing is held then.
    ///
    /// # Panics
    /// When `amount` is negative, which would free what others hold.
    pub fn hold(&mut self, amount: Money) -> Result<(), OverBudget> {
        assert!(!amount.is_negative(), "a hold is never negative");
        if amount == Money::ZERO {
            return Ok(());
        }
        let cap = self.cap.unwrap_or(Money::MAX);
        if !fits(cap, self.spent, self.held, amount) {
            let (spent, held) = (self.spent, self.held);
            return Err(OverBudget { cap, spent, held, asked: amount });
        }
        self.held = self.held.saturating_add(amount);
        Ok(())
    }

    /// Replaces a hold by what the call cost. The cost is recorded wholly, even where it is larger
    /// than the hold: money that was spent is spent.
    ///
    /// # Panics
    /// When more is settled than is held, or the cost is negative: a hold settles exactly once.
    pub fn settle(&mut self, held: Money, cost: Money) {
        assert!(!cost.is_negative(), "a cost is never negative");
        self.release(held);
        self.spent = self.spent.saturating_add(cost);
    }

    /// Gives a hold back.
    ///
    /// # Panics
    /// When more is given back than is held: a hold is released exactly once.
    pub fn release(&mut self, held: Money) {
        assert!(!held.is_negative() && held <= self.held, "a hold is given back exactly once");
        self.held = self.held.saturating_sub(held);
    }

    /// Changes the cap. Holds that were taken stay; a cap below them stops further ones.
    pub const fn set_cap(&mut self, cap: Option<Money>) {
        self.cap = cap;
    }

    /// The cap, or `None` when the window is unlimited.
    #[must_use]
    pub const fn cap(&self) -> Option<Money> {
        self.cap
    }

    /// What settled calls cost.
    #[must_use]
    pub const fn spent(&self) -> Money {
        self.spent
    }

    /// What is held for calls in flight.
    #[must_use]
    pub const fn held(&self) -> Money {
        self.held
    }

    /// What can still be held, never below zero, or `None` when the window is unlimited.
    #[must_use]
    pub fn free(&self) -> Option<Money> {
        let free = self.cap?.saturating_sub(self.spent.saturating_add(self.held));
        Some(free.max(Money::ZERO))
    }
}

/// Whether the sum stays within the cap, computed wide so that nothing can wrap.
fn fits(cap: Money, spent: Money, held: Money, amount: Money) -> bool {
    let wide = |money: Money| i128::from(money.nanos());
    wide(spent) + wide(held) + wide(amount) <= wide(cap)
}

#[cfg(test)]
mod tests;
