//! What was recorded and may not be in the database yet, in a file: a process that is killed loses
//! none of it, however long the database is away.
//!
//! Each line is handed to the system before its message is sent to the writer. That takes
//! microseconds, and it is safe from a `kill -9`; what a machine that loses its power may lose is
//! what the system had not put on its disk yet. Once everything is in the database and no call is
//! open the file is emptied. Under a load that never lets that happen a new file is begun from time
//! to time, and the old one removed when what it holds is in the database. Calls that are open then
//! are told of again: whoever finds the files knows which open calls were this process's.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tollgate_domain::Timestamp;

use super::opening::OpenRow;
use super::slot::{Message, Reading};
use super::spool::{Line, Spool};

/// The size at which a new file is begun.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// The age at which one is: far less than the time for which entries are kept at least, because one
/// that was removed would be written, and counted, again.
const FILE_AGE_MAX: Duration = Duration::from_secs(60 * 60);

/// The messages that were sent to the writer, numbered from 1, and the lines that tell of them.
#[derive(Debug, Default)]
pub(super) struct Journal {
    spool: Option<Spool>,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    /// The number of the last message.
    sent: u64,
    current: Option<Page>,
    /// Earlier files, each with the number of the last message that it tells of.
    full: VecDeque<(Page, u64)>,
    /// The line under way, kept for its memory.
    line: Vec<u8>,
    /// What the system said when the last line could not be written.
    broken: Option<io::ErrorKind>,
}

/// A file that is locked, so that no other process takes it for an abandoned one.
#[derive(Debug)]
struct Page {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// When it was first seen with something in it.
    began_at: Option<Timestamp>,
}

impl Journal {
    pub(super) fn new(spool: Option<Spool>) -> Self {
        Self { spool, ..Self::default() }
    }

    /// Writes the line of a message and sends the message, so that the numbers of messages are in
    /// the order in which the writer meets them. A line that cannot be written does not keep the
    /// message back. A call that is abandoned has its opening's line.
    pub(super) fn record(&self, message: Message, send: impl FnOnce(Message)) {
        let opening = match &message {
            Message::Open(entry, _) if self.spool.is_some() => {
                Some(OpenRow::new(entry, &Reading::BEGINNING))
            }
            Message::Open(..) | Message::Close(..) | Message::Abandon(_) => None,
        };
        let line = match &message {
            Message::Close(_, row) => Some(Line::Entry(row)),
            Message::Open(..) | Message::Abandon(_) => opening.as_ref().map(Line::Opening),
        };
        let mut written = self.written();
        if let (Some(spool), Some(line)) = (&self.spool, line) {
            written.write(spool, &line);
        }
        written.sent += 1;
        send(message);
    }

    /// How many messages were sent.
    pub(super) fn sent(&self) -> u64 {
        self.written().sent
    }

    /// Why the last line could not be written, if it could not.
    pub(super) fn broken(&self) -> Option<io::ErrorKind> {
        self.written().broken
    }

    /// Everything up to this message is in the database. `idle` says that no call is open; the
    /// openings of those that are, are asked for when a file goes.
    pub(super) fn durable(
        &self,
        message: u64,
        now: Timestamp,
        idle: bool,
        open: impl FnOnce() -> Vec<OpenRow>,
    ) {
        let mut written = self.written();
        written.retire_old(now);
        let gone = written.full.iter().take_while(|(_, last)| *last <= message).count();
        if written.sent == message && idle {
            written.empty();
        } else if let (Some(spool), true) = (&self.spool, gone > 0) {
            open().iter().for_each(|row| written.write(spool, &Line::Opening(row)));
        }
        let old: Vec<_> = written.full.drain(..gone).collect();
        drop(written);
        old.into_iter().for_each(|(page, _)| page.remove());
    }

    /// Removes every file, once what they hold is in the database or in the spool.
    pub(super) fn remove(&self) {
        let (current, full) = {
            let mut written = self.written();
            (written.current.take(), std::mem::take(&mut written.full))
        };
        for page in full.into_iter().map(|(page, _)| page).chain(current) {
            page.remove();
        }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    fn write(&mut self, spool: &Spool, line: &Line<'_>) {
        let failure = self.try_write(spool, line).err();
        if let (Some(failure), None) = (&failure, self.broken) {
            let path = spool.path().display().to_string();
            tracing::error!(%failure, path, "the spool cannot be written; a crash loses calls");
        } else if failure.is_none() && self.broken.is_some() {
            tracing::info!("the spool is written again");
        }
        self.broken = failure.map(|failure| failure.kind());
    }

    fn try_write(&mut self, spool: &Spool, line: &Line<'_>) -> io::Result<()> {
        if self.current.as_ref().is_some_and(|page| page.bytes >= FILE_BYTES_MAX) {
            self.full.extend(self.current.take().map(|page| (page, self.sent)));
        }
        let page = match &mut self.current {
            Some(page) => page,
            none => none.insert(Page::create(spool)?),
        };
        // The line's end stands before it: one that was cut short does not swallow the next.
        self.line.clear();
        self.line.push(b'\n');
        line.append_to(&mut self.line)?;
        page.file.write_all(&self.line)?;
        page.bytes += self.line.len() as u64;
        Ok(())
    }

    /// Begins a new file when the present one is too old.
    fn retire_old(&mut self, now: Timestamp) {
        let Some(page) = self.current.as_mut().filter(|page| page.bytes > 0) else { return };
        if page.began_at.get_or_insert(now).plus(FILE_AGE_MAX) <= now {
            self.full.extend(self.current.take().map(|page| (page, self.sent)));
        }
    }

    /// Empties the present file. What remains of one that cannot be emptied is read again at the
    /// next start, and changes nothing.
    fn empty(&mut self) {
        let Some(page) = &mut self.current else { return };
        if page.bytes > 0 && page.file.set_len(0).is_ok() {
            (page.bytes, page.began_at) = (0, None);
        }
    }
}

impl Page {
    fn create(spool: &Spool) -> io::Result<Self> {
        let (path, file) = spool.create_own()?;
        Ok(Self { path, file, bytes: 0, began_at: None })
    }

    fn remove(self) {
        remove(&self.path);
    }
}

/// Removes a file that nobody needs. One that stays is read again, and changes nothing.
fn remove(path: &Path) {
    if let Err(failure) = fs::remove_file(path) {
        tracing::warn!(%failure, path = %path.display(), "an old spool file cannot be removed");
    }
}

#[cfg(test)]
mod tests;
