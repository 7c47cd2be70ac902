//! How much money the calls under way hold together, for `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tollgate_domain::Money;

/// The sum over all calls under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reservations(Arc<AtomicI64>);

/// One call's part of the sum, for as long as it exists.
#[derive(Debug)]
pub(crate) struct Reserved {
    sum: Arc<AtomicI64>,
    nanos: i64,
}

impl Reservations {
    /// Adds what one call holds.
    pub(crate) fn add(&self, money: Money) -> Reserved {
        self.0.fetch_add(money.nanos(), Ordering::Relaxed);
        Reserved { sum: Arc::clone(&self.0), nanos: money.nanos() }
    }

    /// What all of them hold.
    pub(crate) fn sum(&self) -> Money {
        Money::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.nanos, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_calls_that_exist() {
        let reservations = Reservations::default();
        let first = reservations.add(Money::from_nanos(7));
        let second = reservations.add(Money::from_nanos(5));
        assert_eq!(reservations.sum(), Money::from_nanos(12));
        drop(first);
        assert_eq!(reservations.sum(), Money::from_nanos(5));
        drop(second);
        assert_eq!(reservations.sum(), Money::ZERO);
    }
}
