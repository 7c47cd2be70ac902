//! The ledger: an opening for every call admitted, an entry for every call settled.
//!
//! A call takes its places in the writer's queue when it is admitted, so that recording it later
//! neither waits nor fails, not even from a `Drop` in an aborted task. One task writes what waits,
//! in groups: one transaction for many calls. An entry's key is its call, so writing it again
//! changes nothing, and its sums are added in the same transaction only when it was really new.
//!
//! Both are in the spool before the call goes on, so that a `kill -9` takes nothing: what the
//! writer had not committed is written, and what was open is settled, at the next start by
//! [`recover`].

mod commit;
mod correction;
mod entry;
mod group;
mod journal;
mod log;
mod opening;
mod recovery;
mod retention;
mod slot;
mod spool;
mod usage_by_name;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tollgate_domain::{Clock, Timestamp};

use crate::Db;
pub use correction::{CorrectedEntry, Correction, EntryPage};
pub use entry::{Charged, EntryRow};
use journal::Journal;
pub use log::{EntryFilter, LOG_DEPTH_MAX, LOG_ROWS_MAX, LogPage, Logged, LoggedEntry};
pub use recovery::{Recovered, recover};
pub use retention::{EntryRetention, Keeping};
use slot::Message;
pub use slot::{Dispatched, LedgerSlot, OutputSoFar};
pub use spool::Spool;
pub use writer::LedgerTask;

/// How long recorded calls wait for others to share their transaction.
const COMMIT_INTERVAL: Duration = Duration::from_millis(5);
/// How often the progress of open calls is written, at most.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// How many unwritten entries are kept in memory while the database is away.
const BACKLOG_ENTRIES_MAX: usize = 20_000;

/// How a ledger works.
#[derive(Debug, Clone)]
pub struct LedgerOptions {
    /// How many messages the queue takes: two for every call in flight.
    pub queue: usize,
    /// How long the first of a group waits for others.
    pub commit_interval: Duration,
    /// How often the progress of open calls is written.
    pub progress_interval: Duration,
    /// How many unwritten rows are kept while the database is away; beyond it calls are refused.
    pub backlog: usize,
    /// Where everything is that is not in the database yet, so that a process that is killed, or
    /// ends while the database is away, loses none of it.
    pub spool: Option<Spool>,
}

impl LedgerOptions {
    /// The usual options for this many calls in flight.
    #[must_use]
    pub const fn for_calls_in_flight(calls: usize) -> Self {
        Self {
            queue: calls.saturating_mul(2),
            commit_interval: COMMIT_INTERVAL,
            progress_interval: PROGRESS_INTERVAL,
            backlog: BACKLOG_ENTRIES_MAX,
            spool: None,
        }
    }
}

/// How the ledger fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerHealth {
    /// Since when writing fails, or `None` when it does not.
    pub failing_since: Option<Timestamp>,
    /// What the database said last, while writing fails.
    pub failure: Option<Arc<str>>,
    /// Rows that wait to be written, while writing fails.
    pub backlog: usize,
    /// Whether no more can be kept: calls are refused until the database takes some.
    pub full: bool,
    /// Messages that are durable, for [`Ledger::flush`].
    durable: u64,
}

/// The ledger's handle. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Ledger {
    queue: mpsc::Sender<Message>,
    journal: Arc<Journal>,
    stop: Arc<Notify>,
    health: watch::Receiver<LedgerHealth>,
}

impl Ledger {
    /// A ledger and the task that writes it, which the caller spawns. The task ends after
    /// [`Ledger::stop`], or when the last handle and the last slot are gone, and not before
    /// everything recorded is written or spooled.
    pub fn start(db: Db, options: LedgerOptions, clock: Arc<dyn Clock>) -> (Self, LedgerTask) {
        let (queue, messages) = mpsc::channel(options.queue.max(2));
        let (report, health) = watch::channel(LedgerHealth::default());
        let stop = Arc::new(Notify::new());
        let journal = Arc::new(Journal::new(options.spool.clone()));
        let signals = (Arc::clone(&stop), report);
        let task = LedgerTask::new((db, Arc::clone(&journal)), options, clock, messages, signals);
        (Self { queue, journal, stop, health }, task)
    }

    /// Takes a call's places in the queue, for its opening and its entry. `None` when the queue is
    /// full, because too many calls are in flight or the database is away for too long, or when the
    /// ledger was stopped: the call is to be refused.
    #[must_use]
    pub fn reserve(&self) -> Option<LedgerSlot> {
        let opening = self.queue.clone().try_reserve_owned().ok()?;
        let closing = self.queue.clone().try_reserve_owned().ok()?;
        Some(LedgerSlot::new(opening, closing, Arc::clone(&self.journal)))
    }

    /// The same, waiting for places for up to this long: the writer may just be behind.
    ///
    /// Whoever waits may hold one place already. Places come free by being written, not by others
    /// giving them up, so waiters do not hold each other up.
    pub async fn reserve_within(&self, wait: Duration) -> Option<LedgerSlot> {
        let places = async {
            let opening = self.queue.clone().reserve_owned().await.ok()?;
            let closing = self.queue.clone().reserve_owned().await.ok()?;
            Some(LedgerSlot::new(opening, closing, Arc::clone(&self.journal)))
        };
        tokio::time::timeout(wait, places).await.ok().flatten()
    }

    /// Waits until everything recorded before is in the database, or the task has ended.
    pub async fn flush(&self) {
        let target = self.journal.sent();
        // An error means that the task has ended: nothing more will become durable.
        let _ = self.health.clone().wait_for(|health| health.durable >= target).await;
    }

    /// How the ledger fares.
    #[must_use]
    pub fn health(&self) -> LedgerHealth {
        self.health.borrow().clone()
    }

    /// Why the spool cannot be written, if it cannot: what is recorded then is only in memory until
    /// the database has it.
    #[must_use]
    pub fn spool_failure(&self) -> Option<std::io::ErrorKind> {
        self.journal.broken()
    }

    /// A receiver that sees every change of the ledger's health.
    #[must_use]
    pub fn watch_health(&self) -> watch::Receiver<LedgerHealth> {
        self.health.clone()
    }

    /// Takes no more calls. The task ends once those that have places settled or gave them back.
    pub fn stop(&self) {
        self.stop.notify_one();
    }
}
