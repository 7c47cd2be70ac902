//! The one task that writes the ledger.
//!
//! It sleeps without a timer while nothing waits and no call is open. While the database is away it
//! keeps what it was told, tries again with growing pauses, and stops listening when its memory is
//! full: the queue then fills and calls are refused, but nothing that happened is lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tollgate_domain::Clock;

use super::commit;
use super::group::Group;
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
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(20);
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
        db: Db,
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
        self.spool().await;
    }

    async fn wait(&mut self) -> Wake {
        // Memory is bounded, except on the way out: what the queue still holds is bounded itself.
        let room = self.options.backlog.saturating_sub(self.group.backlog());
        let most = if self.stopping { RECEIVE_MAX } else { RECEIVE_MAX.min(room) };
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
        let now = self.clock.now();
        self.absorbed += self.received.len() as u64;
        for message in self.received.drain(..) {
            self.group.absorb(message, now);
        }
        if self.retry_pause.is_some() {
            let backlog = self.group.backlog();
            self.report.send_modify(|health| health.backlog = backlog);
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
            let written = {
                let batch = self.group.batch(&staged);
                timeout(TRANSACTION_TIMEOUT, commit::write(&self.db, &batch)).await
            };
            match written {
                Ok(Ok(())) => self.group.confirm(staged),
                Ok(Err(error)) => return self.fail(&error),
                Err(elapsed) => return self.fail(&elapsed),
            }
        }
        self.commit_at = None;
        if self.retry_pause.take().is_some() {
            tracing::info!("the ledger is written again");
        }
        let durable = self.absorbed;
        self.report.send_modify(|health| *health = LedgerHealth { durable, ..Default::default() });
    }

    fn fail(&mut self, error: &dyn std::error::Error) {
        let failure = chain(error);
        let backlog = self.group.backlog();
        if self.retry_pause.is_none() {
            tracing::error!(failure, backlog, "the ledger cannot be written; entries are kept");
        }
        let pause = self.retry_pause.unwrap_or(RETRY_PAUSE_MIN);
        self.commit_at = Some(Instant::now() + pause);
        self.retry_pause = Some((pause * 2).min(RETRY_PAUSE_MAX));
        let now = self.clock.now();
        self.report.send_modify(|health| {
            health.failing_since.get_or_insert(now);
            health.failure = Some(failure.into());
            health.backlog = backlog;
        });
    }

    /// Keeps on disk what the database did not take.
    async fn spool(self) {
        let entries = self.group.into_entries();
        let count = entries.len();
        if count == 0 {
            return;
        }
        let Some(spool) = self.options.spool else {
            tracing::error!(
                count,
                "ledger entries are lost: the database is away, without a spool"
            );
            return;
        };
        let path = spool.path().display().to_string();
        match tokio::task::spawn_blocking(move || spool.append(entries.iter())).await {
            Ok(Ok(())) => tracing::warn!(count, path, "ledger entries wait in the spool"),
            Ok(Err(error)) => tracing::error!(count, failure = chain(&error), "entries are lost"),
            Err(error) => tracing::error!(count, failure = chain(&error), "entries are lost"),
        }
    }
}

/// An error with what caused it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
