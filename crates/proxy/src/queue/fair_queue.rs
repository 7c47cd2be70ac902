//! The queue of one deployment: its state behind a lock, and the tasks that wait for their turn.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tollgate_config::FairQueueSettings;
use tollgate_domain::{Clock, Ticks};
use tollgate_policy::{
    Acquired, Ask, Concurrency, Ended, Flow, Full, Place, PlaceId, QueueFull, Queueing, Slots, Turn,
};

use crate::queue::slot::Slot;

/// The slots of a deployment and who waits for them. The lock is held for one step of
/// [`Slots`] and never while a task is woken or a slot given back.
pub(super) struct FairQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    slots: Slots,
    terms: Terms,
    /// Where each call that waits is told that its turn has come.
    waiters: HashMap<PlaceId, oneshot::Sender<Slot>>,
}

/// What the configuration says about a deployment's slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    calls_at_once_max: Option<NonZeroU32>,
    queueing: Queueing,
}

/// What happens at a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauges {
    /// Calls under way.
    pub in_flight: u32,
    /// Calls that wait.
    pub depth: usize,
    /// The most calls at once, or `None` where nothing limits them.
    pub limit: Option<u32>,
}

/// A call has no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoPlace {
    pub(super) why: Why,
    /// When to try again.
    pub(super) retry_after: Duration,
}

/// Why a call has no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// There is no place left to wait in.
    Full(Full),
    /// Calls do not wait here.
    NoWaiting,
    /// Its turn did not come in time.
    TimedOut,
}

/// What becomes of a call that enters.
pub(super) enum Entered {
    Granted(Slot),
    Waiting(Waiting),
    Refused(NoPlace),
}

/// A call that waits. Dropping it gives its place up.
pub(super) struct Waiting {
    queue: Arc<FairQueue>,
    place: Place,
    turn: oneshot::Receiver<Slot>,
    /// Whether the turn has come.
    over: bool,
}

/// Those to be told what became of them, once the lock is free.
#[derive(Default)]
struct News {
    granted: Vec<(Option<oneshot::Sender<Slot>>, tollgate_policy::Slot)>,
    /// Dropping these tells their tasks that their time is over.
    expired: Vec<oneshot::Sender<Slot>>,
}

impl Terms {
    pub(super) fn new(calls_at_once_max: Option<NonZeroU32>, settings: &FairQueueSettings) -> Self {
        let places = if settings.enabled { settings.places_per_flow_max } else { 0 };
        let queueing = Queueing { places_per_flow_max: places, wait_max: settings.wait_max };
        Self { calls_at_once_max, queueing }
    }
}

impl FairQueue {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let terms = Terms::new(None, &FairQueueSettings::default());
        let slots = Slots::new(terms.queueing, Concurrency::default());
        let state = State { slots, terms, waiters: HashMap::new() };
        Self { clock, state: Mutex::new(state) }
    }

    /// A slot, if one is free.
    pub(super) fn take_free(self: &Arc<Self>, terms: Terms) -> Option<Slot> {
        let slot = self.step(|state, now| {
            let news = state.heed(terms, now);
            (state.slots.take_free(now), news)
        });
        slot.map(|slot| Slot::new(Arc::clone(self), slot))
    }

    /// A slot, a place to wait in, or neither.
    pub(super) fn enter(self: &Arc<Self>, terms: Terms, ask: &Ask) -> Entered {
        let (sender, turn) = oneshot::channel();
        let acquired = self.step(|state, now| {
            let news = state.heed(terms, now);
            let acquired = state.slots.acquire(ask, now);
            if let Acquired::Waiting(place) = &acquired {
                state.waiters.insert(place.id(), sender);
            }
            (acquired, news)
        });
        match acquired {
            Acquired::Granted(slot) => Entered::Granted(Slot::new(Arc::clone(self), slot)),
            Acquired::Waiting(place) => {
                let queue = Arc::clone(self);
                Entered::Waiting(Waiting { queue, place, turn, over: false })
            }
            Acquired::Refused(QueueFull { full, retry_after }) => {
                let waits = terms.queueing.places_per_flow_max > 0;
                let why = if waits { Why::Full(full) } else { Why::NoWaiting };
                Entered::Refused(NoPlace { why, retry_after })
            }
        }
    }

    /// Takes a slot back and lets those go ahead whose turn it is.
    pub(super) fn release(self: &Arc<Self>, slot: tollgate_policy::Slot, ended: Ended) {
        self.step(|state, now| {
            let turn = state.slots.release(slot, ended, now);
            ((), state.news(turn))
        });
    }

    pub(super) fn gauges(&self) -> Gauges {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = &state.slots;
        let (in_flight, depth) = (slots.in_flight(), slots.waiting());
        Gauges { in_flight, depth, limit: slots.limit() }
    }

    /// Gives a place up, unless it is no more.
    fn cancel(&self, place: &Place) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.slots.cancel(place) {
            let waiter = state.waiters.remove(&place.id());
            drop(state);
            drop(waiter);
        }
    }

    /// How many tasks are to be told something.
    #[cfg(test)]
    pub(super) fn waiters(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).waiters.len()
    }

    fn timed_out(&self, flow: &Flow) -> NoPlace {
        let now = self.clock.ticks();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let retry_after = state.slots.retry_after(flow, now);
        NoPlace { why: Why::TimedOut, retry_after }
    }

    /// One step of the state, and then the news that it made.
    fn step<R>(self: &Arc<Self>, step: impl FnOnce(&mut State, Ticks) -> (R, News)) -> R {
        let now = self.clock.ticks();
        let (result, News { granted, expired }) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            step(&mut state, now)
        };
        drop(expired);
        for (waiter, slot) in granted {
            let slot = Slot::new(Arc::clone(self), slot);
            // One that nobody takes any more is given back by being dropped.
            let _ = waiter.map(|waiter| waiter.send(slot));
        }
        result
    }
}

impl State {
    /// Takes over what the configuration says now, where that is new.
    fn heed(&mut self, terms: Terms, now: Ticks) -> News {
        if terms == self.terms {
            return News::default();
        }
        self.terms = terms;
        let turn = self.slots.configure(terms.calls_at_once_max, terms.queueing, now);
        self.news(turn)
    }

    fn news(&mut self, turn: Turn) -> News {
        let Turn { granted, expired } = turn;
        let granted =
            granted.into_iter().map(|(place, slot)| (self.waiters.remove(&place), slot)).collect();
        let expired = expired.iter().filter_map(|place| self.waiters.remove(place)).collect();
        News { granted, expired }
    }
}

impl Waiting {
    /// The slot, once the turn of the call has come.
    ///
    /// # Errors
    /// [`NoPlace`] when it did not come in time.
    pub(super) async fn turn(mut self, patience: Duration) -> Result<Slot, NoPlace> {
        match tokio::time::timeout(patience, &mut self.turn).await {
            Ok(Ok(slot)) => {
                self.over = true;
                Ok(slot)
            }
            Ok(Err(_)) | Err(_) => Err(self.queue.timed_out(self.place.flow())),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.over {
            self.queue.cancel(&self.place);
        }
        // A slot that came in the meantime is dropped with `turn`, and so given back.
    }
}
