//! The tokenizers of this process: asked for by calls, loaded beside them.
//!
//! A table is a second of work and tens of megabytes, so it is loaded when the first call comes
//! that has a use for it, and never on that call's way: it goes on with a bound.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tollgate_tokens::{Encoding, Table, Tokenizers};

/// The longest that a request whose whole purpose is a count waits for the table.
const LOAD_WAIT_MAX: Duration = Duration::from_secs(30);

/// The tables, and which of them are asked for.
pub(crate) struct TokenizerShelf {
    tables: Tokenizers,
    /// Encodings that somebody has a use for.
    asked: watch::Sender<Encodings>,
    /// Encodings whose table was loaded or cannot be.
    done: watch::Sender<Encodings>,
}

/// A set of encodings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Encodings(u8);

impl Encodings {
    const fn has(self, encoding: Encoding) -> bool {
        self.0 & (1 << encoding as u8) != 0
    }

    /// Adds one; whether it was not there.
    const fn add(&mut self, encoding: Encoding) -> bool {
        let new = !self.has(encoding);
        self.0 |= 1 << encoding as u8;
        new
    }
}

impl TokenizerShelf {
    pub(crate) fn new() -> Self {
        Self {
            tables: Tokenizers::new(),
            asked: watch::Sender::default(),
            done: watch::Sender::default(),
        }
    }

    /// The table if it is loaded; else it is asked for.
    pub(crate) fn table(&self, encoding: Encoding) -> Option<&Table> {
        let table = self.tables.table(encoding);
        if table.is_none() {
            self.asked.send_if_modified(|asked| asked.add(encoding));
        }
        table
    }

    /// The table, waited for if it is not loaded yet. `None` where it cannot be loaded.
    pub(crate) async fn loaded(&self, encoding: Encoding) -> Option<&Table> {
        if let Some(table) = self.table(encoding) {
            return Some(table);
        }
        let mut done = self.done.subscribe();
        let loaded = done.wait_for(|done| done.has(encoding));
        let _ = tokio::time::timeout(LOAD_WAIT_MAX, loaded).await;
        self.tables.table(encoding)
    }

    /// Loads each table that is asked for, on a thread that may block, for as long as it is polled.
    pub(crate) async fn supply(self: Arc<Self>) {
        let mut asked = self.asked.subscribe();
        loop {
            let wanted = *asked.borrow_and_update();
            for encoding in Encoding::ALL {
                if wanted.has(encoding) && !self.done.borrow().has(encoding) {
                    self.load(encoding).await;
                }
            }
            if asked.changed().await.is_err() {
                return;
            }
        }
    }

    async fn load(self: &Arc<Self>, encoding: Encoding) {
        let shelf = Arc::clone(self);
        let loading = tokio::task::spawn_blocking(move || shelf.tables.load(encoding));
        let loaded = loading.await.unwrap_or_else(|panic| Err(panic.to_string()));
        match loaded {
            Ok(()) => tracing::info!(encoding = encoding.name(), "the tokenizer is loaded"),
            Err(problem) => {
                tracing::error!(encoding = encoding.name(), problem, "prompts are not counted");
            }
        }
        self.done.send_if_modified(|done| done.add(encoding));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_table_is_loaded_once_it_is_asked_for_and_no_other() {
        let shelf = Arc::new(TokenizerShelf::new());
        let supplying =
            tokio_util::task::AbortOnDropHandle::new(tokio::spawn(Arc::clone(&shelf).supply()));
        assert!(shelf.tables.table(Encoding::Cl100k).is_none());
        let table = shelf.loaded(Encoding::Cl100k).await.expect("it is built in");
        assert_eq!(table.count("hello world"), 2);
        assert!(shelf.table(Encoding::Cl100k).is_some());
        assert!(shelf.tables.table(Encoding::O200k).is_none());
        drop(supplying);
    }
}
