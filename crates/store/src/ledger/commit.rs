//! The transaction that writes a group: entries, their sums, and the openings they end.

use std::collections::HashSet;

use tollgate_domain::Timestamp;

use super::entry::EntryRow;
use super::opening::OpenRow;
use crate::batch::{Statement, Value, chunks};
use crate::kinds::Kinds;
use crate::transaction::Transaction;
use crate::{Db, StoreError, spend};

/// What stands before the call ids of the statement that ends openings; each is a row of one
/// column.
const END_OPENINGS: &str = "DELETE FROM open_calls WHERE call_id IN (VALUES";

/// What one transaction writes.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    /// Entries of calls that settled.
    pub(super) entries: Vec<&'a EntryRow>,
    /// Calls whose openings are to go.
    pub(super) ended: Vec<&'a str>,
    /// Calls that opened, or whose progress changed.
    pub(super) openings: Vec<OpenRow>,
    /// Quantities that statements name in any case, so that they are the same ones each time.
    pub(super) kinds: Kinds,
}

/// Writes a batch wholly or not at all. Writing it twice is the same as writing it once.
pub(super) async fn write(db: &Db, batch: &Batch<'_>, now: Timestamp) -> Result<(), StoreError> {
    let mut transaction = Transaction::begin(db).await?;
    let insert = Insert::of(&batch.entries, batch.kinds);
    if insert.all_new(&mut transaction, &batch.entries).await? {
        let kinds = batch.kinds;
        spend::add(&mut transaction, batch.entries.iter().copied(), kinds, now).await?;
    } else {
        // A batch whose first writing was in doubt: which of its entries are new has to be asked
        // from the beginning.
        transaction.roll_back().await?;
        transaction = Transaction::begin(db).await?;
        insert_entries(&mut transaction, &batch.entries, now).await?;
    }
    end_openings(&mut transaction, &batch.ended).await?;
    write_openings(&mut transaction, &batch.openings).await?;
    transaction.commit().await
}

/// Inserts entries and adds those that were not there yet to the sums, which it gives.
pub(super) async fn insert_entries<'a>(
    transaction: &mut Transaction,
    entries: &[&'a EntryRow],
    now: Timestamp,
) -> Result<Vec<&'a EntryRow>, StoreError> {
    let insert = Insert::of(entries, Kinds::default());
    let mut inserted = Vec::with_capacity(entries.len());
    for chunk in chunks(entries) {
        let statement = insert.statement(chunk, EntryRow::INSERTED);
        let new = transaction.fetch(statement, |row| row.text("call_id")).await?;
        let mut new: HashSet<String> = new.into_iter().collect();
        // Taken out as they are met: a call that stands twice in the chunk was inserted once.
        inserted.extend(chunk.iter().copied().filter(|entry| new.remove(&entry.call_id)));
    }
    spend::add(transaction, inserted.iter().copied(), Kinds::default(), now).await?;
    Ok(inserted)
}

/// The statement that inserts entries.
struct Insert {
    kinds: Kinds,
    head: String,
}

impl Insert {
    /// One that writes every quantity of these entries, and these kinds in any case.
    fn of(entries: &[&EntryRow], kinds: Kinds) -> Self {
        let kinds = kinds.with(Kinds::known(entries.iter().map(|entry| &entry.usage)));
        Self { kinds, head: EntryRow::insert(kinds) }
    }

    fn statement<'a>(&'a self, entries: &[&'a EntryRow], tail: &'a str) -> Statement<'a> {
        let columns = EntryRow::OWN_COLUMNS + self.kinds.each().count();
        let mut values = Vec::with_capacity(entries.len() * columns);
        entries.iter().for_each(|entry| entry.append_values(self.kinds, &mut values));
        Statement::rows(&self.head, columns, tail, values)
    }

    /// Inserts those that are new, and says whether all were. To count them is much cheaper than to
    /// have each told.
    async fn all_new(
        &self,
        transaction: &mut Transaction,
        entries: &[&EntryRow],
    ) -> Result<bool, StoreError> {
        for chunk in chunks(entries) {
            let statement = self.statement(chunk, EntryRow::NEW_ONLY);
            if transaction.execute(statement).await? != chunk.len() as u64 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

pub(super) async fn end_openings(
    transaction: &mut Transaction,
    calls: &[&str],
) -> Result<(), StoreError> {
    for chunk in chunks(calls) {
        let values = chunk.iter().map(|call| Value::from(*call)).collect();
        transaction.execute(Statement::rows(END_OPENINGS, 1, ")", values)).await?;
    }
    Ok(())
}

async fn write_openings(
    transaction: &mut Transaction,
    openings: &[OpenRow],
) -> Result<(), StoreError> {
    for chunk in chunks(openings) {
        let mut values = Vec::with_capacity(chunk.len() * OpenRow::COLUMNS);
        chunk.iter().for_each(|opening| opening.append_values(&mut values));
        let (head, tail) = (OpenRow::INSERT, OpenRow::UPDATED);
        transaction.execute(Statement::rows(head, OpenRow::COLUMNS, tail, values)).await?;
    }
    Ok(())
}
