//! A call's places in the ledger's queue, and what it says of itself meanwhile.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::OwnedPermit;
use tollgate_domain::{CallId, DeploymentId, Entry, Money, OpenEntry, PriceSheetId, ProviderName};

use super::entry::EntryRow;
use super::journal::Journal;

/// What a call tells the writer.
#[derive(Debug)]
pub(super) enum Message {
    Open(Box<OpenEntry>, Arc<Progress>),
    Close(CallId, Box<EntryRow>),
    /// The call's slot was dropped between its opening and its entry.
    Abandon(CallId),
}

/// A call's places in the queue: one for its opening, one for its entry. Dropped before `open`,
/// both are given back; dropped after it, the call is settled as interrupted.
#[derive(Debug)]
#[must_use = "a slot holds places in the ledger's queue"]
pub struct LedgerSlot {
    opening: Option<OwnedPermit<Message>>,
    closing: Option<OwnedPermit<Message>>,
    opened: Option<CallId>,
    progress: Arc<Progress>,
    journal: Arc<Journal>,
}

/// What a call has put out so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputSoFar {
    /// Deltas that carried content.
    pub deltas: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// What they cost as far as can be told, or `None` when no price is known.
    pub cost: Option<Money>,
}

/// Where a call was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatched {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Its provider.
    pub provider: ProviderName,
    /// The deployment's price sheet, when it has one; otherwise the opening's stands.
    pub price_sheet: Option<PriceSheetId>,
}

impl LedgerSlot {
    pub(super) fn new(
        opening: OwnedPermit<Message>,
        closing: OwnedPermit<Message>,
        journal: Arc<Journal>,
    ) -> Self {
        Self {
            opening: Some(opening),
            closing: Some(closing),
            opened: None,
            progress: Arc::default(),
            journal,
        }
    }

    /// Records that the call was admitted: what is sent upstream after this is in the ledger, even
    /// if the process is killed at once. Only the first opening counts.
    pub fn open(&mut self, entry: OpenEntry) {
        if let Some(place) = self.opening.take() {
            self.opened = Some(entry.call);
            let message = Message::Open(Box::new(entry), Arc::clone(&self.progress));
            self.journal.record(message, |message| drop(place.send(message)));
        }
    }

    /// Notes where the call was sent, in case it never settles. The last one counts.
    pub fn dispatched(&self, dispatched: Dispatched) {
        *self.progress.dispatched.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Arc::new(dispatched));
    }

    /// Notes what the call has put out so far, in case it never settles. A few stores to memory;
    /// the writer looks at them about once a second.
    pub fn progress(&self, output: OutputSoFar) {
        let nanos = output.cost.map_or(COST_UNKNOWN, Money::nanos);
        self.progress.deltas.store(output.deltas, Ordering::Relaxed);
        self.progress.bytes.store(output.bytes, Ordering::Relaxed);
        self.progress.cost_nanos.store(nanos, Ordering::Relaxed);
    }

    /// Records how the call ended.
    pub fn close(mut self, entry: &Entry) {
        if let Some(place) = self.closing.take() {
            let message = Message::Close(entry.call, Box::new(EntryRow::from(entry)));
            self.journal.record(message, |message| drop(place.send(message)));
        }
    }
}

impl Drop for LedgerSlot {
    fn drop(&mut self) {
        if let (Some(call), Some(place)) = (self.opened, self.closing.take()) {
            let message = Message::Abandon(call);
            self.journal.record(message, |message| drop(place.send(message)));
        }
    }
}

/// Stands for a cost that is not known; no cost is negative.
const COST_UNKNOWN: i64 = -1;

/// What a call in flight says of itself, shared with the writer.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) deltas: AtomicU64,
    bytes: AtomicU64,
    cost_nanos: AtomicI64,
    dispatched: Mutex<Option<Arc<Dispatched>>>,
}

/// One reading of a progress. Its numbers may be of two neighbouring moments; the next reading
/// corrects that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) deltas: u64,
    pub(super) bytes: u64,
    pub(super) cost_nanos: Option<i64>,
    pub(super) dispatched: Option<Arc<Dispatched>>,
}

impl Reading {
    /// Of a call that has put out nothing, which costs nothing.
    pub(super) const BEGINNING: Self =
        Self { deltas: 0, bytes: 0, cost_nanos: Some(0), dispatched: None };
}

impl Progress {
    pub(super) fn read(&self) -> Reading {
        let cost_nanos = self.cost_nanos.load(Ordering::Relaxed);
        Reading {
            deltas: self.deltas.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            cost_nanos: (cost_nanos >= 0).then_some(cost_nanos),
            dispatched: self.dispatched.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
