//! The slots of one deployment and the places before them.

use std::num::NonZeroU32;
use std::time::Duration;

use tollgate_domain::Ticks;

use crate::fair::ask::{Ask, COST_TOKENS_MAX, COST_TOKENS_MIN, Priority};
use crate::fair::concurrency::{Concurrency, Ended, Seen};
use crate::fair::drain::Drain;
use crate::fair::flow::Flow;
use crate::fair::line::{Line, PlaceId, Waiter};
use crate::fair::round::{Places, Round};

/// Who calls a deployment and who waits for it. Every change keeps that nobody waits while a slot
/// is free. A deployment for which nobody waits holds no memory but this.
#[derive(Debug)]
pub struct Slots {
    queueing: Queueing,
    concurrency: Concurrency,
    tenants: Round<Round<Line>>,
    in_flight: u32,
    waiting: usize,
    /// How many places were ever given.
    places: u64,
    /// No place ends before this.
    earliest: Option<Ticks>,
    drain: Drain,
}

/// How calls may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queueing {
    /// The most places of one flow. With zero no call waits, and no limit is learned: it would
    /// refuse calls that the upstream may take.
    pub places_per_flow_max: usize,
    /// The longest wait.
    pub wait_max: Duration,
}

/// The right to have one call under way. Given back by [`Slots::release`], once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a slot that is not released is lost"]
pub struct Slot {
    granted_at: Ticks,
}

/// A place in the queue.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a place that is not cancelled is served"]
pub struct Place {
    id: PlaceId,
    priority: Priority,
    flow: Flow,
}

/// What becomes of a call that asks for a slot.
#[derive(Debug, PartialEq, Eq)]
pub enum Acquired {
    /// It goes ahead.
    Granted(Slot),
    /// It waits, until a [`Turn`] names its place.
    Waiting(Place),
    /// It may not even wait.
    Refused(QueueFull),
}

/// A call finds no place to wait in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueFull {
    /// Whose places are all taken.
    pub full: Full,
    /// When to try again, measured.
    pub retry_after: Duration,
}

/// Whose places are all taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Those of the call's own flow.
    Flow,
    /// Those of the deployment that the call's tenant may take.
    Deployment,
}

/// What became of those who waited.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use = "those who wait must be told"]
pub struct Turn {
    /// Places whose calls go ahead, in the order in which they were granted.
    pub granted: Vec<(PlaceId, Slot)>,
    /// Places whose time was over.
    pub expired: Vec<PlaceId>,
}

impl Place {
    /// The place's name.
    #[must_use]
    pub const fn id(&self) -> PlaceId {
        self.id
    }

    /// Whom it waits as.
    #[must_use]
    pub const fn flow(&self) -> &Flow {
        &self.flow
    }
}

impl Slots {
    /// All slots free.
    #[must_use]
    pub fn new(queueing: Queueing, concurrency: Concurrency) -> Self {
        Self {
            queueing,
            concurrency,
            tenants: Round::default(),
            in_flight: 0,
            waiting: 0,
            places: 0,
            earliest: None,
            drain: Drain::default(),
        }
    }

    /// Calls under way.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Calls that wait.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// The most calls at once, or `None` where nothing limits them.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        self.concurrency.limit()
    }

    /// A slot, if one is free.
    pub fn take_free(&mut self, now: Ticks) -> Option<Slot> {
        self.has_free_slot().then(|| self.grant(now))
    }

    /// A slot, a place to wait for one in, or neither.
    pub fn acquire(&mut self, ask: &Ask, now: Ticks) -> Acquired {
        if let Some(slot) = self.take_free(now) {
            return Acquired::Granted(slot);
        }
        match self.full(&ask.flow) {
            Some(full) => {
                let retry_after = self.retry_after(&ask.flow, now);
                Acquired::Refused(QueueFull { full, retry_after })
            }
            None => Acquired::Waiting(self.join(ask, now)),
        }
    }

    /// Takes a slot back and says who is next. More than one may be where the limit has risen, and
    /// nobody where it has fallen.
    #[expect(clippy::needless_pass_by_value, reason = "a slot is given back once: it ends here")]
    pub fn release(&mut self, slot: Slot, ended: Ended, now: Ticks) -> Turn {
        let Slot { granted_at } = slot;
        let seen = Seen { granted_at, in_flight: self.in_flight };
        if self.queueing.places_per_flow_max > 0 {
            self.concurrency.learn(ended, seen, now);
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        self.drain.freed(now);
        self.advance(now)
    }

    /// Gives a place up. `false` when it is no more: a slot was granted to it, or its time was
    /// over.
    pub fn cancel(&mut self, place: &Place) -> bool {
        let key = (place.priority, place.id);
        let Flow { tenant, party } = &place.flow;
        let left = |flows: &mut Round<Line>| flows.edit(party, |line| line.leave(&key));
        let left = self.tenants.edit(tenant, left).flatten().unwrap_or(false);
        self.left(usize::from(left));
        left
    }

    /// Gives up the places whose time is over.
    pub fn expire(&mut self, now: Ticks) -> Vec<PlaceId> {
        let mut expired = Vec::new();
        if self.earliest.is_some_and(|earliest| earliest <= now) {
            self.earliest = self.tenants.expire(now, &mut expired);
            expired.sort_unstable();
            self.left(expired.len());
        }
        expired
    }

    /// Changes the configured limit and how calls may wait. Those who wait already keep their
    /// places.
    pub fn configure(&mut self, configured: Option<NonZeroU32>, how: Queueing, now: Ticks) -> Turn {
        self.queueing = how;
        self.concurrency.configure(configured);
        if how.places_per_flow_max == 0 {
            self.concurrency.forget();
        }
        self.advance(now)
    }

    /// When a call of this flow may try again: once as many slots have become free as calls would
    /// be served before it, at the measured rate; at least a second, at most the longest wait.
    #[must_use]
    pub fn retry_after(&self, flow: &Flow, now: Ticks) -> Duration {
        // Those before it are its own flow's, and as many of each other flow that waits.
        let own = self.line(flow).map_or(0, Places::len).max(1);
        let before = own.saturating_mul(self.tenants.flows().max(1)).min(self.waiting.max(1));
        let most = self.queueing.wait_max.max(RETRY_AFTER_MIN);
        self.drain.wait(before, now).clamp(RETRY_AFTER_MIN, most)
    }

    fn has_free_slot(&self) -> bool {
        self.concurrency.limit().is_none_or(|limit| self.in_flight < limit)
    }

    fn grant(&mut self, now: Ticks) -> Slot {
        self.in_flight = self.in_flight.saturating_add(1);
        Slot { granted_at: now }
    }

    fn line(&self, flow: &Flow) -> Option<&Line> {
        self.tenants.of(&flow.tenant)?.of(&flow.party)
    }

    /// A tenant gets a place only while it has fewer than are left, so that however many flows it
    /// has, there is one for a tenant that has none.
    fn full(&self, flow: &Flow) -> Option<Full> {
        if self.line(flow).map_or(0, Places::len) >= self.queueing.places_per_flow_max {
            return Some(Full::Flow);
        }
        let of_tenant = self.tenants.of(&flow.tenant).map_or(0, Places::len);
        let left = PLACES_MAX.saturating_sub(self.waiting);
        (of_tenant >= left).then_some(Full::Deployment)
    }

    fn join(&mut self, ask: &Ask, now: Ticks) -> Place {
        self.places += 1;
        let (id, priority) = (PlaceId(self.places), ask.priority);
        let cost = ask.cost.clamp(COST_TOKENS_MIN, COST_TOKENS_MAX);
        let expires_at = now.plus(ask.patience.min(self.queueing.wait_max));
        let flows = self.tenants.join(&ask.flow.tenant, ask.tenant_weight);
        let line = flows.join(&ask.flow.party, ask.flow_weight);
        line.join((priority, id), Waiter { cost, expires_at });
        self.waiting += 1;
        self.earliest = Some(self.earliest.map_or(expires_at, |at| at.min(expires_at)));
        self.drain.waiting(now);
        Place { id, priority, flow: ask.flow.clone() }
    }

    /// Gives out the slots that are free.
    fn advance(&mut self, now: Ticks) -> Turn {
        let mut turn = Turn { granted: Vec::new(), expired: self.expire(now) };
        while self.has_free_slot() {
            let Some(taken) = self.tenants.take() else { break };
            self.left(1);
            turn.granted.push((taken.place, self.grant(now)));
        }
        turn
    }

    fn left(&mut self, places: usize) {
        self.waiting = self.waiting.saturating_sub(places);
        if self.waiting == 0 {
            self.earliest = None;
            self.drain.idle();
        }
    }
}

/// Most places of one deployment. One tenant takes at most half of them.
pub const PLACES_MAX: usize = 4096;
/// Most places that one flow can be allowed.
pub const PLACES_PER_FLOW_MAX: usize = PLACES_MAX / 2;
/// The shortest wait that a caller is told.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod laws;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;
