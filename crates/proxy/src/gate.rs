//! Everything the data path needs, put together once at start.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use tollgate_config::Snapshot;
use tollgate_domain::{Clock, KeyHash, Random, Ticks, Timestamp};
use tollgate_store::{KeyDirectory, Ledger, Responses, WhileAway};
use tollgate_upstream::Dispatcher;
use tollgate_wire::formats::seal::Sealer;

use crate::health::HealthBook;
use crate::keep::Keeper;
use crate::memory::Thoughts;
use crate::queue::Queues;
use crate::reserved::Reservations;
use crate::tokenizers::TokenizerShelf;

/// The gateway as its steps see it.
pub struct Gate {
    snapshots: ArcSwap<Snapshot>,
    keys: Arc<KeyDirectory>,
    master: Option<KeyHash>,
    /// Signs reasoning that no provider vouches for; every node with this master key knows it.
    sealer: Option<Arc<Sealer>>,
    ledger: Ledger,
    keeper: Arc<Keeper>,
    queues: Queues,
    health: HealthBook,
    reservations: Reservations,
    thoughts: Arc<Thoughts>,
    upstream: Dispatcher,
    tokenizers: Arc<TokenizerShelf>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    draining: AtomicBool,
    /// What the operator should know of the configuration.
    noted: ArcSwap<Vec<String>>,
}

/// Whether calls can be served, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// What keeps calls from being served; empty when they can be.
    pub reasons: Vec<String>,
    /// What the operator should know although calls are served.
    pub notes: Vec<String>,
    /// How many nodes share their counters, where they do; 0 until they know of one another.
    pub nodes: Option<u32>,
}

impl Gate {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        snapshot: Arc<Snapshot>,
        (keys, master): (Arc<KeyDirectory>, Option<KeyHash>),
        (ledger, responses): (Ledger, Responses),
        upstream: Dispatcher,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Self {
        Self {
            snapshots: ArcSwap::new(snapshot),
            keys,
            sealer: master.map(|hash| Arc::new(Sealer::new(hash.derive("reasoning seal")))),
            master,
            ledger,
            keeper: Arc::new(Keeper::new(responses, Arc::clone(&clock))),
            queues: Queues::new(Arc::clone(&clock)),
            health: HealthBook::default(),
            reservations: Reservations::default(),
            thoughts: Arc::new(Thoughts::new(Arc::clone(&clock))),
            upstream,
            tokenizers: Arc::new(TokenizerShelf::new()),
            clock,
            random,
            draining: AtomicBool::new(false),
            noted: ArcSwap::default(),
        }
    }

    /// The configuration as it is now. A call takes it once and keeps it to its end.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.load_full()
    }

    /// Replaces the configuration whole. Calls under way keep theirs.
    pub fn swap_snapshot(&self, snapshot: Arc<Snapshot>) {
        let known = snapshot.deployments().map(|deployment| deployment.id.clone());
        let configured: HashSet<_> = known.collect();
        self.queues.retain(|id| configured.contains(id));
        self.health.heed(&snapshot);
        self.snapshots.store(snapshot);
    }

    /// Replaces what `/health/readiness` notes about the configuration.
    pub fn note(&self, notes: Vec<String>) {
        self.noted.store(Arc::new(notes));
    }

    /// Turns readiness off: the process is about to end and takes no new connections.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Waits until every answer that is to be kept is kept. No call may be under way.
    pub async fn finish_keeping(&self) {
        self.keeper.finish().await;
    }

    /// Whether calls can be served now.
    #[must_use]
    pub async fn readiness(&self) -> Readiness {
        let mut reasons = Vec::new();
        if !self.keys.database_answers().await {
            reasons.push("the database does not answer".to_owned());
        }
        if self.draining.load(Ordering::Relaxed) {
            reasons.push("the gateway is shutting down".to_owned());
        }
        let mut notes = self.noted.load().to_vec();
        let ledger = self.ledger.health();
        if let Some(since) = ledger.failing_since {
            reasons.push(format!("the database cannot be written to since {since}"));
            notes.push(format!("{} rows wait in the spool", ledger.backlog));
        }
        if ledger.full {
            reasons.push("the spool is full: calls are refused".to_owned());
        }
        if let Some(failure) = self.ledger.spool_failure() {
            notes
                .push(format!("the spool cannot be written ({failure}): a crash would lose calls"));
        }
        let counters = self.keys.shared();
        if let Some(counters) = counters
            && let health = counters.health()
            && let Some(since) = health.failing_since
        {
            match (counters.while_away(), health.nodes) {
                (WhileAway::Refuse, _) | (WhileAway::Share, 0) => reasons
                    .push(format!("Redis is away since {since}: calls under a budget are refused")),
                (WhileAway::Share, nodes) => notes.push(format!(
                    "Redis is away since {since}: each of {nodes} nodes grants its share of every \
                     limit"
                )),
            }
        }
        let nodes = counters.map(|counters| counters.health().nodes);
        Readiness { reasons, notes, nodes }
    }

    /// Loads tokenizers as calls come that need them, for as long as it is polled. Without it every
    /// prompt is bounded by its length.
    pub fn supply_tokenizers(&self) -> impl Future<Output = ()> + Send + use<> {
        Arc::clone(&self.tokenizers).supply()
    }

    /// The known virtual keys.
    #[must_use]
    pub fn keys(&self) -> &KeyDirectory {
        &self.keys
    }

    pub(crate) fn is_master(&self, hash: &KeyHash) -> bool {
        self.master.is_some_and(|master| master.matches(hash))
    }

    pub(crate) const fn sealer(&self) -> Option<&Arc<Sealer>> {
        self.sealer.as_ref()
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) const fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }

    /// Where calls wait for a deployment.
    #[must_use]
    pub const fn queues(&self) -> &Queues {
        &self.queues
    }

    /// How deployments fare.
    pub(crate) const fn health(&self) -> &HealthBook {
        &self.health
    }

    /// What calls under way hold of budgets together.
    pub(crate) const fn reservations(&self) -> &Reservations {
        &self.reservations
    }

    pub(crate) const fn thoughts(&self) -> &Arc<Thoughts> {
        &self.thoughts
    }

    pub(crate) fn tokenizers(&self) -> &TokenizerShelf {
        &self.tokenizers
    }

    pub(crate) const fn upstream(&self) -> &Dispatcher {
        &self.upstream
    }

    pub(crate) const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.random
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn ticks(&self) -> Ticks {
        self.clock.ticks()
    }
}
