//! What the writer knows and has not written: openings, progress and entries.
//!
//! Plain state without IO. A call that opens and ends before it was written leaves only its entry.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tollgate_domain::{CallId, OpenEntry, Timestamp};

use super::commit::Batch;
use super::entry::EntryRow;
use super::opening::OpenRow;
use super::slot::{Message, Progress, Reading};
use crate::kinds::Kinds;

/// The calls in flight and the rows that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Group {
    live: HashMap<CallId, Live>,
    /// Calls whose opening or progress waits to be written; some may have ended since.
    openings: VecDeque<CallId>,
    entries: VecDeque<Settled>,
    /// Quantities that any entry had.
    kinds: Kinds,
}

/// A call in flight.
#[derive(Debug)]
struct Live {
    entry: Box<OpenEntry>,
    progress: Arc<Progress>,
    /// What is in the database, once the opening is.
    written: Option<Reading>,
    /// Whether a transaction tried to write the opening, so that it may be in the database.
    tried: bool,
    /// Whether the call stands in `openings`.
    waiting: bool,
}

/// A call that ended.
#[derive(Debug)]
struct Settled {
    row: EntryRow,
    /// Whether its opening may be in the database.
    opened: bool,
}

/// The part of a group that one transaction writes.
#[derive(Debug)]
pub(super) struct Staged {
    entries: usize,
    openings: usize,
    readings: Vec<(CallId, Reading)>,
}

impl Group {
    pub(super) fn absorb(&mut self, message: Message, now: Timestamp) {
        match message {
            Message::Open(entry, progress) => {
                let call = entry.call;
                let live = Live { entry, progress, written: None, tried: false, waiting: true };
                self.live.insert(call, live);
                self.openings.push_back(call);
            }
            Message::Close(call, row) => {
                let opened = self.live.remove(&call).is_some_and(|live| live.tried);
                self.settle(*row, opened);
            }
            Message::Abandon(call) => {
                if let Some(live) = self.live.remove(&call) {
                    let opening = OpenRow::new(&live.entry, &live.progress.read());
                    let row = opening.interrupted(now);
                    self.settle(row, live.tried);
                }
            }
        }
    }

    fn settle(&mut self, row: EntryRow, opened: bool) {
        self.kinds = self.kinds.with(Kinds::known(std::iter::once(&row.usage)));
        self.entries.push_back(Settled { row, opened });
    }

    /// Queues the openings of calls whose progress is not the one in the database.
    pub(super) fn note_progress(&mut self) {
        for (call, live) in &mut self.live {
            let changed =
                live.written.as_ref().is_some_and(|written| *written != live.progress.read());
            if changed && !live.waiting {
                live.waiting = true;
                self.openings.push_back(*call);
            }
        }
    }

    /// Rows that wait to be written.
    pub(super) fn backlog(&self) -> usize {
        self.entries.len() + self.openings.len()
    }

    /// The openings of the calls in flight, as they are now.
    pub(super) fn open_rows(&self) -> Vec<OpenRow> {
        self.live.values().map(|live| OpenRow::new(&live.entry, &live.progress.read())).collect()
    }

    pub(super) fn has_live_calls(&self) -> bool {
        !self.live.is_empty()
    }

    /// Takes up to `rows_max` entries and as many openings for one transaction.
    pub(super) fn stage(&mut self, rows_max: usize) -> Staged {
        let entries = self.entries.len().min(rows_max);
        let openings = self.openings.len().min(rows_max);
        let mut readings = Vec::with_capacity(openings);
        for call in self.openings.iter().take(openings) {
            if let Some(live) = self.live.get_mut(call) {
                live.tried = true;
                readings.push((*call, live.progress.read()));
            }
        }
        Staged { entries, openings, readings }
    }

    pub(super) fn batch(&self, staged: &Staged) -> Batch<'_> {
        let settled = || self.entries.iter().take(staged.entries);
        let opened = settled().filter(|settled| settled.opened);
        let live = |call| self.live.get(call).map(|live| &*live.entry);
        let openings = staged.readings.iter();
        Batch {
            entries: settled().map(|settled| &settled.row).collect(),
            ended: opened.map(|settled| settled.row.call_id.as_str()).collect(),
            openings: openings
                .filter_map(|(call, reading)| Some(OpenRow::new(live(call)?, reading)))
                .collect(),
            kinds: self.kinds,
        }
    }

    /// Forgets what was written.
    pub(super) fn confirm(&mut self, staged: Staged) {
        self.entries.drain(..staged.entries);
        self.openings.drain(..staged.openings);
        for (call, reading) in staged.readings {
            if let Some(live) = self.live.get_mut(&call) {
                live.written = Some(reading);
                live.waiting = false;
            }
        }
    }

    /// The entries that wait, for the spool.
    pub(super) fn into_entries(self) -> Vec<EntryRow> {
        self.entries.into_iter().map(|settled| settled.row).collect()
    }
}

#[cfg(test)]
mod tests;
