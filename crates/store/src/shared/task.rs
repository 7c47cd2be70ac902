//! The task that keeps a node joined: it connects, says that the node lives, and settles.

mod join;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tollgate_domain::Clock;

use super::alone::Outage;
use super::hold::Live;
use super::options::SharedOptions;
use super::scripts::{Names, Place, Settled};
use super::{Link, SharedCounters, SharedHealth, State};

/// How many calls are settled, or told of, in one step.
const BATCH_MAX: usize = 64;
/// How many settlements are kept while Redis is away. With more, the counters are made anew from
/// the ledger, which has them all.
const PENDING_MAX: usize = 4_096;
/// After how many beats what Redis holds for this node is compared with what its calls hold.
const AUDIT_BEATS: u32 = 20;
/// After how many beats every other node has seen one that joined: each beats as often as it does.
const GROWN_BEATS: u32 = 3;
/// The first wait after Redis was found away; each later one is twice as long.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest of them.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(1);

/// The task behind [`SharedCounters`].
pub struct SharedTask {
    client: Client,
    names: Arc<Names>,
    options: SharedOptions,
    clock: Arc<dyn Clock>,
    state: Arc<watch::Sender<State>>,
    live: Live,
    poke: Arc<Notify>,
    stop: Arc<Notify>,
    settled: mpsc::Receiver<Settled>,
    /// What is to be settled next, kept until Redis has it.
    pending: Vec<Settled>,
    /// The epoch that what is pending was claimed in.
    epoch: Option<Arc<str>>,
    /// Whether the counters in Redis lack something, so that only a new epoch makes them right.
    renew: bool,
    beats: u32,
    /// How many more beats until every other node has seen this one. Until then it knows no share:
    /// one that has not seen it would grant this node's share as well.
    beats_to_grow: u32,
    /// Calls that Redis held something for at the last audit and that nobody here knew.
    suspects: HashSet<u64>,
    stopping: bool,
}

/// Why a node has to join again.
#[derive(Debug)]
enum Lost {
    /// Redis answers, but the epoch or the lease has ended.
    Place,
    /// Redis does not answer as it should.
    Server(RedisError),
}

/// Why the task goes on.
enum Wake {
    Settled,
    Beat,
    Poked,
    Stop,
    Ended,
}

impl From<RedisError> for Lost {
    fn from(error: RedisError) -> Self {
        Self::Server(error)
    }
}

impl std::fmt::Debug for SharedTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedTask").field("names", &self.names).finish_non_exhaustive()
    }
}

impl SharedTask {
    pub(super) fn new(
        counters: &SharedCounters,
        (client, options): (Client, SharedOptions),
        clock: Arc<dyn Clock>,
        settled: mpsc::Receiver<Settled>,
    ) -> Self {
        let names = Names { namespace: options.namespace.clone(), node: options.node.clone() };
        Self {
            client,
            names: Arc::new(names),
            renew: options.renew,
            options,
            clock,
            state: Arc::clone(&counters.state),
            live: Arc::clone(&counters.live),
            poke: Arc::clone(&counters.poke),
            stop: Arc::clone(&counters.stop),
            settled,
            pending: Vec::new(),
            epoch: None,
            beats: 0,
            beats_to_grow: 0,
            suspects: HashSet::new(),
            stopping: false,
        }
    }

    /// Keeps the node joined until it is told to stop, or every handle is gone, and every call has
    /// settled. Where Redis is away at the end, what is held ends with the lease.
    pub async fn run(mut self) {
        let mut pause = RETRY_PAUSE_MIN;
        loop {
            match self.joined().await {
                Ok(()) => return,
                Err(Lost::Place) => pause = RETRY_PAUSE_MIN,
                Err(Lost::Server(error)) => {
                    self.away(&error);
                    if self.wait(pause).await {
                        return;
                    }
                    pause = (pause * 2).min(RETRY_PAUSE_MAX);
                }
            }
        }
    }

    /// Joins and works until everything has ended, or the place is lost.
    async fn joined(&mut self) -> Result<(), Lost> {
        let mut connection = self.connect().await?;
        self.unpublish();
        let place = self.join(&mut connection).await?;
        // Joining was the first beat.
        let mut beat = interval_at(Instant::now() + self.options.beat, self.options.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let room = BATCH_MAX.saturating_sub(self.pending.len());
            let wake = tokio::select! {
                count = self.settled.recv_many(&mut self.pending, room), if room > 0 => {
                    if count == 0 { Wake::Ended } else { Wake::Settled }
                }
                _ = beat.tick() => Wake::Beat,
                () = self.poke.notified() => Wake::Poked,
                () = self.stop.notified(), if !self.stopping => Wake::Stop,
            };
            match wake {
                Wake::Settled => self.settle(&place, &mut connection).await?,
                Wake::Beat => self.beat(&place, &mut connection).await?,
                Wake::Poked if self.state.borrow().link.is_none() => return Err(Lost::Place),
                Wake::Poked => {}
                Wake::Stop => self.end(),
                Wake::Ended => return Ok(self.names.leave(&mut connection).await?),
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options.answer_within))
            .set_response_timeout(Some(self.options.answer_within));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    async fn beat(
        &mut self,
        place: &Place,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), Lost> {
        let joined = self.say_hello(connection).await?;
        if joined.epoch != place.epoch || !joined.kept {
            return Err(Lost::Place);
        }
        self.beats_to_grow = self.beats_to_grow.saturating_sub(1);
        let nodes = self.known_nodes(joined.nodes);
        self.state.send_if_modified(|state| {
            let changed = state.health.nodes != nodes;
            state.health.nodes = nodes;
            changed
        });
        self.beats = self.beats.wrapping_add(1);
        if self.beats.is_multiple_of(AUDIT_BEATS) {
            self.audit(place, connection).await
        } else {
            Ok(())
        }
    }

    async fn settle(
        &mut self,
        place: &Place,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), Lost> {
        while !self.pending.is_empty() {
            let batch = &self.pending[..self.pending.len().min(BATCH_MAX)];
            if !place.settle(connection, batch).await? {
                return Err(Lost::Place);
            }
            let live = self.live.pin();
            for settled in batch {
                live.remove(&settled.call);
            }
            let done = batch.len();
            self.pending.drain(..done);
        }
        Ok(())
    }

    /// Of those that share, none before all of them know of this one.
    const fn known_nodes(&self, seen: u32) -> u32 {
        if self.beats_to_grow == 0 { seen } else { 0 }
    }

    fn publish(&self, place: &Place, connection: &MultiplexedConnection, nodes: u32) {
        let link = Link { connection: connection.clone(), place: place.clone() };
        self.state.send_modify(|state| {
            if state.health.failing_since.is_some() {
                tracing::info!(nodes, "the store of counters is back");
            }
            state.link = Some(Arc::new(link));
            state.outage = None;
            state.health = SharedHealth { nodes: self.known_nodes(nodes), ..Default::default() };
        });
    }

    /// Grants that arrive from here on start again: the node may not have told of them.
    fn unpublish(&self) {
        self.state.send_if_modified(|state| state.link.take().is_some());
    }

    /// Lets claims be decided alone, unless they are already.
    fn away(&self, error: &RedisError) {
        let failure: Arc<str> = error.to_string().into();
        let now = self.clock.now();
        let while_away = self.options.while_away;
        self.state.send_modify(|state| {
            if state.health.failing_since.is_none() {
                let nodes = state.health.nodes;
                tracing::error!(%failure, nodes, ?while_away, "the store of counters is away");
            }
            state.link = None;
            state.health.failing_since.get_or_insert(now);
            state.health.failure = Some(failure);
            let nodes = state.health.nodes;
            let outage = state.outage.get_or_insert_with(|| Arc::new(Outage::begin(nodes)));
            outage.door().open = true;
        });
    }

    /// From here on nothing is granted alone. Gives whether anything was.
    fn close_outage(&self) -> bool {
        let outage = self.state.borrow().outage.clone();
        outage.is_some_and(|outage| {
            let mut door = outage.door();
            door.open = false;
            door.used
        })
    }

    /// Waits before the next try, taking in what settles meanwhile. Gives whether all has ended.
    async fn wait(&mut self, pause: Duration) -> bool {
        let due = Instant::now() + pause;
        loop {
            if self.pending.len() >= PENDING_MAX {
                self.forget_pending();
                self.renew = true;
            }
            let room = PENDING_MAX - self.pending.len();
            tokio::select! {
                count = self.settled.recv_many(&mut self.pending, room) => {
                    if count == 0 { return true }
                }
                () = self.stop.notified(), if !self.stopping => self.end(),
                () = sleep_until(due) => return false,
            }
        }
    }

    /// No more claims; those that hold still settle.
    fn end(&mut self) {
        self.stopping = true;
        self.settled.close();
    }
}
