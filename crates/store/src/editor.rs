//! Changing what the management API manages: every change says who makes it, and is recorded in
//! the same transaction.
//!
//! A row is replaced only as long as it is the one that was read. Of two who change it at once, one
//! is told to read again, so that neither undoes what the other did.

use tollgate_domain::Timestamp;

use crate::Db;
use crate::audit::By;

/// Whoever changes something, at the database.
#[derive(Debug, Clone, Copy)]
pub struct Editor<'a> {
    pub(crate) db: &'a Db,
    pub(crate) by: &'a By,
}

/// What became of a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a row that changed in the meantime was not replaced"]
pub enum Replaced {
    /// It is done.
    Done,
    /// There is nothing with this identity.
    Absent,
    /// It changed after it was read; nothing was replaced.
    ChangedMeanwhile,
}

impl Db {
    /// The database, for changes that somebody makes.
    #[must_use]
    pub const fn edit<'a>(&'a self, by: &'a By) -> Editor<'a> {
        Editor { db: self, by }
    }
}

impl Editor<'_> {
    /// Who changes something, and when.
    #[must_use]
    pub fn made(&self) -> (&str, Timestamp) {
        (&self.by.name, self.by.at)
    }

    /// When a row that was last changed at `before` is changed now: always later, so that no two
    /// versions of a row have the same instant.
    pub(crate) fn later_than(&self, before: Timestamp) -> Timestamp {
        let next = Timestamp::from_micros(before.micros().saturating_add(1));
        self.by.at.max(next)
    }
}
