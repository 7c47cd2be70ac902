//! What a crash left: spooled entries are written, open calls are settled, each exactly once.

use std::collections::{HashMap, HashSet};

use tollgate_domain::{Money, Timestamp};

use super::commit::{self, Batch};
use super::opening::OpenRow;
use super::spool::Spool;
use crate::batch::{Statement, Value, chunks};
use crate::transaction::Transaction;
use crate::{Db, Presence, StoreError};

/// How many calls one transaction settles.
const BATCH_CALLS: usize = 500;

/// What was found and settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Entries that were read from the spool.
    pub replayed: u64,
    /// Lines of the spool that could not be read; they were moved beside it.
    pub unreadable: u64,
    /// Open calls that were settled as interrupted.
    pub settled: u64,
    /// What those cost, as far as it is known.
    pub cost: Money,
    /// How many of them have no known cost.
    pub unpriced: u64,
}

/// Settles what an ended gateway left behind. To be run at start, before the ledger starts and
/// before any budget is loaded.
///
/// Open calls that the spool knows are those of a process that was killed, and are settled. Others
/// are settled only while no other gateway works on the database, because they may be its own,
/// under way. What stays open then is settled by the next start that is alone.
///
/// The spool comes first: a call that it settled is not also interrupted. Each batch is one
/// transaction, so a crash within recovery loses nothing and counts nothing twice.
///
/// # Errors
/// [`StoreError`] when the database or a spool file fails; run it again then.
pub async fn recover(
    db: &Db,
    presence: &Presence,
    spool: Option<&Spool>,
    now: Timestamp,
) -> Result<Recovered, StoreError> {
    let mut recovered = Recovered::default();
    if let Some(spool) = spool {
        replay(db, spool, now, &mut recovered).await?;
    }
    if presence.is_sole() {
        while settle_batch(db, now, &mut recovered).await? {}
    }
    Ok(recovered)
}

/// Writes what processes that ended left in the spool. Nobody else can settle their openings, and
/// they need not wait until this gateway is alone.
async fn replay(
    db: &Db,
    spool: &Spool,
    now: Timestamp,
    recovered: &mut Recovered,
) -> Result<(), StoreError> {
    let files = spool.abandoned()?;
    let mut settled = HashSet::new();
    for file in &files {
        for entries in file.entries.chunks(BATCH_CALLS) {
            let ended: Vec<&str> = entries.iter().map(|entry| entry.call_id.as_str()).collect();
            settled.extend(ended.iter().copied());
            let entries = entries.iter().collect();
            commit::write(db, &Batch { entries, ended, ..Batch::default() }, now).await?;
        }
        recovered.replayed += file.entries.len() as u64;
        recovered.unreadable += file.unreadable.len() as u64;
    }
    for file in &files {
        let openings = file.openings.iter();
        let open: Vec<_> = openings.filter(|row| !settled.contains(&*row.call_id)).collect();
        for openings in open.chunks(BATCH_CALLS) {
            settle_own(db, openings, now, recovered).await?;
        }
    }
    drop(settled);
    files.into_iter().try_for_each(|file| spool.clear(file))
}

/// Settles calls that the spool knows to be open, with the progress that the database knows.
async fn settle_own(
    db: &Db,
    openings: &[&OpenRow],
    now: Timestamp,
    recovered: &mut Recovered,
) -> Result<(), StoreError> {
    let mut transaction = Transaction::begin(db).await?;
    let calls: Vec<&str> = openings.iter().map(|row| row.call_id.as_str()).collect();
    let mut written = HashMap::new();
    for chunk in chunks(&calls) {
        let values = chunk.iter().map(|call| Value::from(*call)).collect();
        let select = Statement::rows(OpenRow::SELECT_SOME, 1, ")", values);
        let rows = transaction.fetch(select, OpenRow::read).await?;
        written.extend(rows.into_iter().map(|row| (row.call_id.clone(), row)));
    }
    let open = |row: &&OpenRow| written.remove(&row.call_id).unwrap_or_else(|| (*row).clone());
    let open = openings.iter().map(open).collect();
    settle(transaction, open, now, recovered).await
}

/// Settles some of the open calls. Gives whether there may be more.
async fn settle_batch(
    db: &Db,
    now: Timestamp,
    recovered: &mut Recovered,
) -> Result<bool, StoreError> {
    let mut transaction = Transaction::begin(db).await?;
    let select = Statement::new(OpenRow::SELECT, [(BATCH_CALLS as i64).into()]);
    let open = transaction.fetch(select, OpenRow::read).await?;
    let full = open.len() == BATCH_CALLS;
    settle(transaction, open, now, recovered).await?;
    Ok(full)
}

async fn settle(
    mut transaction: Transaction,
    open: Vec<OpenRow>,
    now: Timestamp,
    recovered: &mut Recovered,
) -> Result<(), StoreError> {
    let entries: Vec<_> = open.into_iter().map(|row| row.interrupted(now)).collect();
    let calls: Vec<&str> = entries.iter().map(|entry| entry.call_id.as_str()).collect();
    let rows: Vec<_> = entries.iter().collect();
    let settled = commit::insert_entries(&mut transaction, &rows, now).await?;
    commit::end_openings(&mut transaction, &calls).await?;
    transaction.commit().await?;
    for entry in settled {
        recovered.settled += 1;
        match entry.cost() {
            Some(cost) => recovered.cost = recovered.cost.saturating_add(cost),
            None => recovered.unpriced += 1,
        }
    }
    Ok(())
}
