//! Counters that many nodes share, kept in Redis.
//!
//! A claim is one round trip: a script takes of all counters or of none, by the rules of
//! `policy::take`. What a call used follows in the background, in batches. Redis is no truth: a
//! counter that it does not know is seeded from the ledger, and what calls hold is known to the
//! nodes they run on, so that all of it can be lost.
//!
//! Time is cut into epochs. A new one begins when Redis lost its memory or may have an older one,
//! and when a node granted claims without it; every counter is then made anew. What a node holds is
//! a lease: when the node is silent for too long, others give it back.

mod alone;
mod claim;
mod hold;
mod options;
mod scripts;
mod task;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use papaya::HashMap;
use redis::aio::MultiplexedConnection;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::timeout;
use tollgate_domain::{Clock, Timestamp};
use tollgate_policy::Over;

use crate::StoreError;
use alone::Outage;
pub(crate) use hold::Hold;
use hold::Live;
pub use options::{SharedOptions, WhileAway};
use scripts::{Place, Settled};
pub use task::SharedTask;

/// The shared counters' handle. Cloning shares it.
#[derive(Debug, Clone)]
pub struct SharedCounters {
    queue: mpsc::Sender<Settled>,
    state: Arc<watch::Sender<State>>,
    live: Live,
    calls: Arc<AtomicU64>,
    poke: Arc<Notify>,
    stop: Arc<Notify>,
    while_away: WhileAway,
    patience: Duration,
}

/// How the shared counters fare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedHealth {
    /// Since when Redis is away, or `None` when it is not.
    pub failing_since: Option<Timestamp>,
    /// What went wrong last, while Redis is away.
    pub failure: Option<Arc<str>>,
    /// How many nodes were seen last, this one included; 0 for one that the others may not have
    /// seen yet, which knows no share.
    pub nodes: u32,
}

/// Why a claim was not granted.
#[derive(Debug)]
pub(crate) enum Refused {
    /// A limit does not allow it.
    Over(Over),
    /// Redis is away, and a cap on money binds.
    Away,
    /// The ledger that knows what was spent cannot be asked.
    Ledger(StoreError),
}

/// What claims go by: either a link to Redis, or being alone, or neither for a moment while the
/// node joins.
#[derive(Debug, Default)]
struct State {
    link: Option<Arc<Link>>,
    outage: Option<Arc<Outage>>,
    health: SharedHealth,
}

/// A connection and the epoch that was joined through it.
#[derive(Debug)]
struct Link {
    connection: MultiplexedConnection,
    place: Place,
}

impl State {
    /// Of a node that knows of so many nodes before it has joined.
    fn of(nodes: u32) -> Self {
        let health = SharedHealth { nodes, ..SharedHealth::default() };
        Self { health, ..Self::default() }
    }
}

impl SharedCounters {
    /// Shared counters and the task that keeps this node joined and settles, which the caller
    /// spawns. The task ends after [`SharedCounters::stop`], once every call has settled.
    ///
    /// # Errors
    /// [`StoreError::Address`] when the URL is none.
    pub fn start(
        options: SharedOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, SharedTask), StoreError> {
        // Errors of this crate may hold the URL, and with it a password.
        let client = redis::Client::open(options.url.expose())
            .map_err(|_| StoreError::Address("it names no Redis server".to_owned()))?;
        let (queue, settled) = mpsc::channel(options.queue.max(1));
        let counters = Self {
            queue,
            state: Arc::new(watch::Sender::new(State::of(u32::from(options.sole)))),
            live: Arc::new(HashMap::new()),
            calls: Arc::default(),
            poke: Arc::default(),
            stop: Arc::default(),
            while_away: options.while_away,
            patience: options.rebuild.saturating_add(options.answer_within),
        };
        let task = SharedTask::new(&counters, (client, options), clock, settled);
        Ok((counters, task))
    }

    /// How the shared counters fare.
    #[must_use]
    pub fn health(&self) -> SharedHealth {
        self.state.borrow().health.clone()
    }

    /// What happens to claims while Redis is away.
    #[must_use]
    pub const fn while_away(&self) -> WhileAway {
        self.while_away
    }

    /// Waits until this node has joined, or Redis turned out to be away.
    pub async fn settled_in(&self) {
        let mut state = self.state.subscribe();
        // It only fails when the task is gone, and with it the reason to wait.
        let _ = state.wait_for(|state| state.link.is_some() || state.outage.is_some()).await;
    }

    /// Ends the task, once every call has settled.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// The link, waiting for a node that joins; `None` when Redis is away.
    async fn link(&self) -> Option<Arc<Link>> {
        let now = |state: &State| (state.link.clone(), state.outage.is_some());
        let (link, away) = now(&self.state.borrow());
        if link.is_some() || away {
            return link;
        }
        let mut state = self.state.subscribe();
        let joined = state.wait_for(|state| state.link.is_some() || state.outage.is_some());
        match timeout(self.patience, joined).await {
            Ok(Ok(state)) => state.link.clone(),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// This link leads nowhere any more: the task has to join again.
    fn lose(&self, link: &Arc<Link>) {
        let lost = self.state.send_if_modified(|state| {
            let same = state.link.as_ref().is_some_and(|present| Arc::ptr_eq(present, link));
            if same {
                state.link = None;
            }
            same
        });
        if lost {
            self.poke.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
