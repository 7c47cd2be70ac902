//! A key's money in this process: what it spent and what its calls in flight hold.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tollgate_domain::Money;
use tollgate_policy::{OverBudget, Window};

/// The budget of one key. The decision is `policy`'s; this keeps its counters behind a lock that is
/// held for a few instructions and never across an `await`.
///
/// The spend is loaded from the ledger's sums once, before the key's first call in this process is
/// admitted, and counted here from then on: no entry of the key can be under way to the database
/// while it is loaded. It therefore sees what this process spends, not what another one does.
#[derive(Debug)]
pub struct KeyBudget {
    window: Mutex<Window>,
}

impl KeyBudget {
    /// A budget of which `spent` is gone.
    #[must_use]
    pub const fn new(cap: Option<Money>, spent: Money) -> Self {
        Self { window: Mutex::new(Window::new(cap, spent)) }
    }

    /// Holds money for one call.
    ///
    /// # Errors
    /// [`OverBudget`] when `spent + held + amount` would pass the cap; nothing is held then.
    ///
    /// # Panics
    /// When `amount` is negative.
    pub fn hold(self: &Arc<Self>, amount: Money) -> Result<Hold, OverBudget> {
        self.window().hold(amount)?;
        Ok(Hold { budget: Arc::clone(self), amount: Some(amount) })
    }

    /// What settled calls cost.
    #[must_use]
    pub fn spent(&self) -> Money {
        self.window().spent()
    }

    /// What calls in flight hold.
    #[must_use]
    pub fn held(&self) -> Money {
        self.window().held()
    }

    /// The cap, or `None` when there is none.
    #[must_use]
    pub fn cap(&self) -> Option<Money> {
        self.window().cap()
    }

    /// Changes the cap for the next hold; what is held stays held.
    pub fn set_cap(&self, cap: Option<Money>) {
        self.window().set_cap(cap);
    }

    /// A panic cannot leave the window half changed: it refuses wrong amounts before it counts.
    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Money held for one call: settled once, or given back when dropped.
#[derive(Debug)]
#[must_use = "a hold that is dropped is given back"]
pub struct Hold {
    budget: Arc<KeyBudget>,
    /// `None` once settled.
    amount: Option<Money>,
}

impl Hold {
    /// How much is held.
    #[must_use]
    pub fn amount(&self) -> Money {
        self.amount.unwrap_or(Money::ZERO)
    }

    /// Replaces the hold by what the call cost.
    ///
    /// # Panics
    /// When `cost` is negative.
    pub fn settle(mut self, cost: Money) {
        if let Some(amount) = self.amount.take() {
            self.budget.window().settle(amount, cost);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(amount) = self.amount.take() {
            self.budget.window().release(amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn nanos(count: i64) -> Money {
        Money::from_nanos(count)
    }

    #[test]
    fn a_hold_settles_once_or_is_given_back() {
        let budget = Arc::new(KeyBudget::new(Some(nanos(100)), nanos(10)));
        let first = budget.hold(nanos(60)).expect("it fits");
        let refused = budget.hold(nanos(31)).expect_err("10 + 60 + 31 pass 100");
        assert!(refused.by_reservation());
        drop(budget.hold(nanos(30)).expect("it fits exactly"));
        first.settle(nanos(5));
        assert_eq!((budget.spent(), budget.held()), (nanos(15), Money::ZERO));
    }

    #[test]
    fn a_new_cap_binds_the_next_hold_and_keeps_what_is_held() {
        let budget = Arc::new(KeyBudget::new(None, Money::ZERO));
        let held = budget.hold(nanos(50)).expect("no cap");
        budget.set_cap(Some(nanos(49)));
        assert!(budget.hold(nanos(1)).is_err());
        assert_eq!((held.amount(), budget.held()), (nanos(50), nanos(50)));
        budget.set_cap(None);
        assert!(budget.hold(nanos(1)).is_ok());
    }

    #[test]
    fn sixty_four_threads_never_pass_the_cap_and_lose_no_money() {
        const ROUNDS: i64 = 400;
        let budget = Arc::new(KeyBudget::new(Some(nanos(1_000)), Money::ZERO));
        let worker = |seed: i64| {
            let budget = Arc::clone(&budget);
            move || (0..ROUNDS).map(|round| one_call(&budget, seed * ROUNDS + round)).sum::<i64>()
        };
        let spent: i64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..64).map(|seed| scope.spawn(worker(seed))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert!(spent > 0);
        assert_eq!((budget.spent(), budget.held()), (nanos(spent), Money::ZERO));
    }

    /// Holds up to 50, checks the law while holding, and settles at no more than was held.
    fn one_call(budget: &Arc<KeyBudget>, number: i64) -> i64 {
        let Ok(hold) = budget.hold(nanos(number * 7 % 50)) else { return 0 };
        let sum = {
            let window = budget.window();
            window.spent().nanos() + window.held().nanos()
        };
        assert!(sum <= 1_000, "{sum}");
        if number % 5 == 0 {
            return 0;
        }
        let cost = hold.amount().nanos() * (number % 3) / 40;
        hold.settle(nanos(cost));
        cost
    }
}
