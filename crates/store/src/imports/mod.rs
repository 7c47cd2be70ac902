//! What is brought here from another gateway's database: rows, and sums of what was spent there.
//!
//! Everything can be written again: what is there already stays as it is, what changed at the
//! source follows, and what changed here since is left alone. Nothing is ever deleted. Each batch
//! is one transaction, so that an end in the middle leaves whole batches.
//!
//! Sums that stand on no entry of the ledger are told apart by their kind. What a source says was
//! spent in a quarter-hour is added to the sums that every page and every limit reads, and kept a
//! second time under `imported_…`: the difference between the two is the sum of the entries, and
//! the difference between two readings of the source is what the second one adds. What a budget's
//! window had used when it was taken over, beyond those sums, is `…_opening`, which limits count
//! and pages of usage do not.

mod rows;
mod sums;

use tollgate_domain::Level;

pub(crate) use rows::judged;
pub use rows::{ImportedRow, Written};
pub use sums::{ImportedSum, Openings, SumOf};

/// The kind of a level's opening balances.
pub(crate) fn opening_of(level: Level) -> String {
    format!("{}_opening", level.as_str())
}

/// The kind under which what was imported into another kind is kept.
fn imported(kind: &str) -> String {
    format!("imported_{kind}")
}

/// The number is `toll` in ASCII; only imports use it, so that one waits for the other.
pub(crate) const LOCK: i64 = 1_953_459_308;
