//! The tables of the public tokenizers, loaded when whoever starts the gateway says so.

use std::sync::OnceLock;

use tiktoken_rs::CoreBPE;

use crate::Encoding;
use crate::segments::{Segment, segments};

/// The tables. They are empty until they are loaded: each takes tens of megabytes and up to a
/// second of work, which no call waits for.
#[derive(Default)]
pub struct Tokenizers {
    o200k: OnceLock<Table>,
    cl100k: OnceLock<Table>,
}

/// The table of one encoding.
pub struct Table(CoreBPE);

impl Tokenizers {
    /// No table.
    #[must_use]
    pub const fn new() -> Self {
        Self { o200k: OnceLock::new(), cl100k: OnceLock::new() }
    }

    /// Loads a table, unless it is there. This is up to a second of work; other threads that load
    /// the same table wait for it, those that count do not.
    ///
    /// # Errors
    /// When the table that is built in cannot be read; in words.
    pub fn load(&self, encoding: Encoding) -> Result<(), String> {
        let slot = self.slot(encoding);
        if slot.get().is_some() {
            return Ok(());
        }
        let read = match encoding {
            Encoding::O200k => tiktoken_rs::o200k_base(),
            Encoding::Cl100k => tiktoken_rs::cl100k_base(),
        };
        let table = read.map_err(|problem| problem.to_string())?;
        // Whoever came first has put the same table there.
        let _ = slot.set(Table(table));
        Ok(())
    }

    /// The table of an encoding, once it is loaded.
    #[must_use]
    pub fn table(&self, encoding: Encoding) -> Option<&Table> {
        self.slot(encoding).get()
    }

    const fn slot(&self, encoding: Encoding) -> &OnceLock<Table> {
        match encoding {
            Encoding::O200k => &self.o200k,
            Encoding::Cl100k => &self.cl100k,
        }
    }
}

impl Table {
    /// The tokens of a text. What looks like a special token is text like any other. Where a single
    /// word is longer than [`SEGMENT_BYTES_MAX`](crate::SEGMENT_BYTES_MAX), each cut through it
    /// counts one token more.
    #[must_use]
    pub fn count(&self, text: &str) -> u64 {
        segments(text).map(|segment| self.count_segment(segment)).sum()
    }

    fn count_segment(&self, segment: Segment<'_>) -> u64 {
        self.0.encode_ordinary(segment.text).len() as u64 + u64::from(segment.forced)
    }
}

#[cfg(test)]
mod tests;
