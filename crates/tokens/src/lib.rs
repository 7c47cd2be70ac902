//! How many tokens a text is, exactly, for the models whose tokenizer is public.
//!
//! This crate is pure. It performs no IO, reads no clock and writes no log; counting never panics,
//! and takes time in proportion to the text, up to a limit beyond which a bound stands in.
//!
//! - [`Encoding`] names the tokenizers, and `models.toml` the models of each.
//! - [`Tokenizers`] holds their tables, each loaded once it is wanted.
//! - [`Tally`] counts the texts of one prompt.
//! - [`prompt`] has what a chat template adds to them.

mod encoding;
pub mod prompt;
mod segments;
mod tally;
mod tokenizers;

pub use encoding::Encoding;
pub use segments::SEGMENT_BYTES_MAX;
pub use tally::{COUNTED_BYTES_MAX, Tally};
pub use tokenizers::{Table, Tokenizers};
