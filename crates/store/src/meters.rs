//! The counters of every limit in this process, and the one step that claims of many at once.
//!
//! The decision is `policy`'s; this keeps its counters, each behind a lock that is held for a few
//! instructions and never across an `await`. A claim locks all its counters in one order, so that
//! no two claims wait for each other. Where many nodes share counters, a meter shows what the store
//! of the counters said last.

mod by_subject;
mod labels;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tollgate_domain::{Money, Timestamp};
use tollgate_policy::{Claim, Counter, Held, Measure, Over, Tally, Used, Window, take};

use crate::shared::Hold;
pub(crate) use by_subject::Meters;
use labels::Label;

/// The counter of one limit.
#[derive(Debug)]
pub struct Meter {
    label: Arc<Label>,
    counter: Mutex<Counter>,
}

/// What a call wants of one meter.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    pub(crate) meter: &'a Arc<Meter>,
    pub(crate) measure: Measure,
    pub(crate) claim: Claim,
}

/// Everything one call holds: settled once, or given back when dropped.
#[derive(Debug, Default)]
#[must_use = "what is dropped is given back"]
pub struct Claims {
    held: Vec<(Arc<Meter>, Measure, Held)>,
    /// What is held of shared counters; empty where there are none.
    shared: Vec<Hold>,
    standing: Standing,
}

/// How near a call came to its rate limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The tightest limit of requests.
    pub requests: Option<Left>,
    /// The tightest limit of tokens.
    pub tokens: Option<Left>,
}

/// What a limit leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// The cap.
    pub limit: i64,
    /// What is neither used nor held.
    pub remaining: i64,
    /// When the window ends.
    pub resets_at: Option<Timestamp>,
}

impl Meter {
    /// A panic cannot leave a counter half changed: a claim is checked before it is counted.
    fn counter(&self) -> MutexGuard<'_, Counter> {
        self.counter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    const fn new(label: Arc<Label>, counter: Counter) -> Self {
        Self { label, counter: Mutex::new(counter) }
    }

    /// Another that counts the same under the same name, and has counted nothing.
    pub(crate) fn another(&self) -> Self {
        Self::new(Arc::clone(&self.label), Counter::default())
    }

    /// What it counts.
    pub(crate) fn tally(&self) -> &Tally {
        &self.label.tally
    }

    /// What it is called where counters are shared; empty where they are not.
    pub(crate) fn name(&self) -> &str {
        &self.label.name
    }

    /// Shows what the store of shared counters says.
    pub(crate) fn show(&self, counter: Counter) {
        *self.counter() = counter;
    }

    /// Everything known of the window.
    pub(crate) fn known(&self, window: &Window) -> Counter {
        let mut counter = self.counter();
        counter.roll(window);
        *counter
    }

    /// Replaces what was held by what was used.
    pub(crate) fn settle(&self, held: Held, used: i64) {
        self.counter().settle(held, used);
    }

    /// Counts so much less of the window that began at `start`, if that is still the present one.
    pub(crate) fn waive(&self, start: i64, amount: i64) {
        let mut counter = self.counter();
        if counter.start == start {
            counter.used = counter.used.saturating_sub(amount).max(0);
        }
    }

    /// What settled calls used in the window that contains an instant.
    #[must_use]
    pub fn used(&self, window: &Window) -> i64 {
        self.known(window).used
    }

    /// What calls in flight hold in the present window.
    #[must_use]
    pub fn held(&self) -> i64 {
        self.counter().held
    }
}

impl Wanted<'_> {
    /// The refusal of this claim, the one at `index`, by a counter.
    pub(crate) fn over(&self, index: usize, counter: &Counter) -> Over {
        let Claim { amount, cap, window } = self.claim;
        Over {
            index,
            cap: cap.unwrap_or(i64::MAX),
            used: counter.used,
            held: counter.held,
            asked: amount,
            resets_at: counter.ends_at(&window),
        }
    }
}

impl Claims {
    /// What a call holds of shared counters.
    pub(crate) fn shared(hold: Hold, standing: Standing) -> Self {
        Self { held: Vec::new(), shared: vec![hold], standing }
    }

    /// Hands over what is held to somebody who settles it.
    pub(crate) fn surrender(&mut self) -> Arc<[(Arc<Meter>, Measure, Held)]> {
        self.held.drain(..).collect()
    }

    /// Takes everything that is wanted, or nothing. A meter that is wanted twice is claimed once.
    ///
    /// # Errors
    /// [`Over`] for the first that its cap does not allow, by its place in `wanted`.
    pub(crate) fn take(wanted: &[Wanted<'_>]) -> Result<Self, Over> {
        let mut locked = lock(wanted);
        // From the order of locks back to the order of wishes: the first that fails is told.
        locked.sort_unstable_by_key(|(index, _)| *index);
        let claims: Vec<Claim> = locked.iter().map(|(at, _)| wanted[*at].claim).collect();
        let mut counters: Vec<&mut Counter> =
            locked.iter_mut().map(|(_, counter)| &mut **counter).collect();
        let taken = take(&mut counters, &claims);
        let taken = taken.map_err(|over| Over { index: locked[over.index].0, ..over })?;
        let mut standing = Standing::default();
        let held = locked.iter().zip(taken).map(|((at, counter), held)| {
            let wanted = &wanted[*at];
            standing.note(wanted, counter);
            (Arc::clone(wanted.meter), wanted.measure, held)
        });
        Ok(Self { held: held.collect(), shared: Vec::new(), standing })
    }

    /// Holds what another claim of the same call holds as well.
    pub fn join(&mut self, mut other: Self) {
        self.held.append(&mut other.held);
        self.shared.append(&mut other.shared);
        self.standing = self.standing.tighter(other.standing);
    }

    /// How near the call came to its rate limits when it was admitted.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// The money that is held of the meter that holds the most, for records.
    #[must_use]
    pub fn money(&self) -> Money {
        let held = self.held.iter().chain(self.shared.iter().flat_map(Hold::held));
        let money = held.filter(|(_, measure, _)| *measure == Measure::Money);
        Money::from_nanos(money.map(|(.., held)| held.amount).max().unwrap_or(0))
    }

    /// Replaces what is held by what the call used.
    pub fn settle(mut self, used: &Used) {
        for (meter, measure, held) in self.held.drain(..) {
            meter.settle(held, measure.used(used));
        }
        for hold in self.shared.drain(..) {
            hold.settle(used);
        }
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        for (meter, _, held) in self.held.drain(..) {
            meter.settle(held, 0);
        }
    }
}

/// Locks each meter once, in the order that everyone locks in, with the place of its wish.
fn lock<'a>(wanted: &[Wanted<'a>]) -> Vec<(usize, MutexGuard<'a, Counter>)> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    // The order is that of their addresses, which no two meters share.
    order.sort_by_key(|at| Arc::as_ptr(wanted[*at].meter));
    order.dedup_by_key(|at| Arc::as_ptr(wanted[*at].meter));
    order.into_iter().map(|at| (at, wanted[at].meter.counter())).collect()
}

impl Standing {
    pub(crate) fn note(&mut self, wanted: &Wanted<'_>, counter: &Counter) {
        let Some(limit) = wanted.claim.cap else { return };
        let remaining = limit.saturating_sub(counter.used.saturating_add(counter.held)).max(0);
        let left = Left { limit, remaining, resets_at: counter.ends_at(&wanted.claim.window) };
        let noted = match wanted.measure {
            Measure::Requests => Self { requests: Some(left), tokens: None },
            Measure::Tokens => Self { requests: None, tokens: Some(left) },
            Measure::Money | Measure::Calls => return,
        };
        *self = self.tighter(noted);
    }

    /// Of two, the limit that leaves less, for requests and for tokens.
    fn tighter(self, other: Self) -> Self {
        let tighter = |one: Option<Left>, other: Option<Left>| {
            one.into_iter().chain(other).min_by_key(|left| left.remaining)
        };
        Self {
            requests: tighter(self.requests, other.requests),
            tokens: tighter(self.tokens, other.tokens),
        }
    }
}

#[cfg(test)]
mod tests;
