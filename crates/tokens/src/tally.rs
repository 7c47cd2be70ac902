//! Counting the texts of one prompt, within a limit on the work.

use crate::Table;

/// The most bytes of one prompt that are tokenized. What comes after them is bounded, so that a
/// prompt of any size costs a known time.
pub const COUNTED_BYTES_MAX: usize = 256 * 1024;

/// Bytes of text per token where nothing better is known: English has about four, digits and CJK
/// about two. The same bound holds for models without a public tokenizer.
const BYTES_PER_TOKEN: u64 = 2;

/// The tokens of a prompt so far.
pub struct Tally<'t> {
    table: &'t Table,
    left: usize,
    tokens: u64,
}

impl<'t> Tally<'t> {
    /// Nothing counted yet.
    #[must_use]
    pub const fn new(table: &'t Table) -> Self {
        Self { table, left: COUNTED_BYTES_MAX, tokens: 0 }
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        let (counted, rest) = text.split_at(text.floor_char_boundary(self.left));
        self.left -= counted.len();
        self.tokens(self.table.count(counted));
        self.bytes(rest.len());
    }

    /// Adds what is no text, such as a picture, by its size.
    pub const fn bytes(&mut self, bytes: usize) {
        self.tokens((bytes as u64).div_ceil(BYTES_PER_TOKEN));
    }

    /// Adds so many tokens.
    pub const fn tokens(&mut self, tokens: u64) {
        self.tokens = self.tokens.saturating_add(tokens);
    }

    /// The tokens of everything that was added.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.tokens
    }
}
