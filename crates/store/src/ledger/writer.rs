//! The one task that writes the ledger.
//!
//! It sleeps without a timer while nothing waits and no call is open. While the database is away it
//! keeps what it was told, tries again with growing pauses, and stops listening when its memory is
//! full: the queue then fills and calls are refused, but nothing that happened is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tollgate_domain::Clock;

use super::commit;
use super::group::{Group, Staged};
use super::journal::Journal;
use super::slot::Message;
use super::{LedgerHealth, LedgerOptions};
use crate::Db;

/// How many messages are taken from the queue at once: what comes in while a large transaction is
/// written shares the next one, whose sums are then fewer for each entry.
const RECEIVE_MAX: usize = 16_384;
/// How many waiting rows are written at once, without waiting for more.
const GROUP_ROWS_MAX: usize = 1024;
/// How many entries, and how many openings, one transaction writes.
const TRANSACTION_ROWS_MAX: usize = 8_192;
/// How long one transaction may take before it counts as failed.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one may take before the database counts as away, though it is waited for.
const STALL_MAX: Duration = Duration::from_secs(5);
/// The pause after the first failure; it doubles with each further one.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause between tries.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5);

/// The writer, to be spawned by whoever started the ledger.
#[must_use = "the ledger is written by `run`"]
pub struct LedgerTask {
    db: Db,
    options: LedgerOptions,
    clock: Arc<dyn Clock>,
    messages: mpsc::Receiver<Message>,
    journal: Arc<Journal>,
    stop: Arc<Notify>,
    report: watch::Sender<LedgerHealth>,
    group: Group,
    received: Vec<Message>,
    /// How many messages were ever taken from the queue.
    absorbed: u64,
    commit_at: Option<Instant>,
    progress_at: Option<Instant>,
    /// The next pause; set while writing fails.
    retry_pause: Option<Duration>,
    stopping: bool,
}

enum Wake {
    Messages,
    Due,
    Stop,
    Ended,
}

impl LedgerTask {
    pub(super) fn new(
        (db, journal): (Db, Arc<Journal>),
        options: LedgerOptions,
        clock: Arc<dyn Clock>,
        messages: mpsc::Receiver<Message>,
        signals: (Arc<Notify>, watch::Sender<LedgerHealth>),
    ) -> Self {
        let (stop, report) = signals;
        Self {
            db,
            options,
            clock,
            messages,
            journal,
            stop,
            report,
            group: Group::default(),
            received: Vec::new(),
            absorbed: 0,
            commit_at: None,
            progress_at: None,
            retry_pause: None,
            stopping: false,
        }
    }

    /// Writes until the ledger was stopped, or all its handles dropped, and every slot is gone.
    /// What cannot be written then goes to the spool.
    pub async fn run(mut self) {
        loop {
            match self.wait().await {
                Wake::Messages => self.absorb(),
                Wake::Due => {}
                Wake::Stop => {
                    self.stopping = true;
                    self.messages.close();
                }
                Wake::Ended => break,
            }
            self.write_what_is_due().await;
        }
        self.write().await;
        // What came in during that; by now nothing more can.
        if self.retry_pause.is_none() {
            self.write().await;
        }
        self.spool().await;
    }

    async fn wait(&mut self) -> Wake {
        // Memory is bounded, except on the way out: what the queue still holds is bounded itself.
        let room = self.room(self.group.backlog());
        let most = RECEIVE_MAX.min(room);
        let due = self.commit_at.into_iter().chain(self.progress_at).min();
        tokio::select! {
            count = self.messages.recv_many(&mut self.received, most), if most > 0 => {
                if count == 0 { Wake::Ended } else { Wake::Messages }
            }
            () = self.stop.notified(), if !self.stopping => Wake::Stop,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => Wake::Due,
        }
    }

    fn absorb(&mut self) {
        if self.received.is_empty() {
            return;
        }
        let now = self.clock.now();
        self.absorbed += self.received.len() as u64;
        for message in self.received.drain(..) {
            self.group.absorb(message, now);
        }
        if self.retry_pause.is_some() {
            let failure = self.report.borrow().failure.clone().unwrap_or_default();
            self.report_failing(&failure, self.group.backlog());
        } else if self.group.backlog() >= GROUP_ROWS_MAX {
            self.commit_at = Some(Instant::now());
        } else {
            self.commit_at.get_or_insert_with(|| Instant::now() + self.options.commit_interval);
        }
        if self.group.has_live_calls() {
            self.progress_at.get_or_insert_with(|| Instant::now() + self.options.progress_interval);
        }
    }

    async fn write_what_is_due(&mut self) {
        let now = Instant::now();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let mut commit = is_due(self.commit_at);
        if is_due(self.progress_at) {
            let live = self.group.has_live_calls();
            self.progress_at = live.then(|| now + self.options.progress_interval);
            if self.retry_pause.is_none() {
                self.group.note_progress();
                commit |= self.group.backlog() > 0;
            }
        }
        if commit {
            self.write().await;
        }
    }

    /// Writes everything that waits, in as many transactions as it takes.
    async fn write(&mut self) {
        while self.group.backlog() > 0 {
            let staged = self.group.stage(TRANSACTION_ROWS_MAX);
            match self.transact(&staged).await {
                Ok(()) => self.group.confirm(staged),
                Err(error) => return self.fail(&*error),
            }
        }
        self.commit_at = None;
        self.retry_pause = None;
        self.report_written();
        self.absorb();
    }

    /// Writes a part of the group in one transaction, taking in what is recorded meanwhile: the
    /// database may be silent for as long as a transaction may take.
    async fn transact(&mut self, staged: &Staged) -> Result<(), Failure> {
        let batch = self.group.batch(staged);
        let now = self.clock.now();
        let written = timeout(TRANSACTION_TIMEOUT, commit::write(&self.db, &batch, now));
        let mut written = std::pin::pin!(written);
        let mut stalled = std::pin::pin!(sleep(STALL_MAX));
        let (mut listening, mut silent) = (true, false);
        loop {
            let waiting = self.group.backlog() + self.received.len();
            let room = self.room(waiting);
            if silent {
                self.report_silence(waiting);
            }
            tokio::select! {
                written = &mut written => return Ok(written??),
                () = &mut stalled, if !silent => silent = true,
                count = self.messages.recv_many(&mut self.received, RECEIVE_MAX.min(room)),
                    if listening && room > 0 => listening = count > 0,
            }
        }
    }

    /// How many more rows are kept. On the way out there is no limit: what the queue still holds is
    /// bounded itself.
    const fn room(&self, waiting: usize) -> usize {
        let limit = if self.stopping { usize::MAX } else { self.options.backlog };
        limit.saturating_sub(waiting)
    }

    /// The database has not said anything for so long that nobody should count on it.
    fn report_silence(&self, waiting: usize) {
        self.report_failing("the database does not answer", waiting);
    }

    /// Makes known that writing fails, how much waits, and whether there is room for more.
    fn report_failing(&self, failure: &str, waiting: usize) {
        let full = self.room(waiting) == 0 || self.journal.broken().is_some();
        let now = self.clock.now();
        self.report.send_modify(|health| {
            if health.failing_since.is_none() {
                let backlog = waiting;
                tracing::error!(failure, backlog, "the ledger cannot be written; entries are kept");
            }
            if full && !health.full {
                tracing::error!(backlog = waiting, "the spool is full; calls are refused");
            }
            health.failing_since.get_or_insert(now);
            health.failure = Some(failure.into());
            health.backlog = waiting;
            health.full = full;
        });
    }

    /// Makes known that everything up to now is in the database.
    fn report_written(&self) {
        let durable = self.absorbed;
        let (now, idle) = (self.clock.now(), !self.group.has_live_calls());
        self.journal.durable(durable, now, idle, || self.group.open_rows());
        self.report.send_modify(|health| {
            if health.failing_since.is_some() {
                tracing::info!("the ledger is written again");
            }
            if health.full {
                tracing::info!("the spool has room again; calls are taken");
            }
            *health = LedgerHealth { durable, ..Default::default() };
        });
    }

    fn fail(&mut self, error: &(dyn std::error::Error + 'static)) {
        self.absorb();
        let pause = self.retry_pause.unwrap_or(RETRY_PAUSE_MIN);
        self.commit_at = Some(Instant::now() + pause);
        self.retry_pause = Some((pause * 2).min(RETRY_PAUSE_MAX));
        self.report_failing(&chain(error), self.group.backlog());
    }

    /// Keeps on disk what the database did not take.
    async fn spool(self) {
        let Self { group, journal, options, .. } = self;
        let entries = group.into_entries();
        let count = entries.len();
        if count == 0 {
            return journal.remove();
        }
        let Some(spool) = options.spool else {
            tracing::error!(
                count,
                "ledger entries are lost: the database is away, without a spool"
            );
            return;
        };
        let path = spool.path().display().to_string();
        let failure = match spawn_blocking(move || spool.append(entries.iter())).await {
            Ok(Ok(())) => {
                tracing::warn!(count, path, "ledger entries wait in the spool");
                return journal.remove();
            }
            Ok(Err(error)) => chain(&error),
            Err(error) => chain(&error),
        };
        // The files of this process stay, and are found as those of one that was killed.
        let lost = journal.broken().is_some();
        tracing::error!(count, failure, lost, "the spool cannot be written");
    }
}

/// Why a transaction failed.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An error with what caused it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
