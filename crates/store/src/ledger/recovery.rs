//! What a crash left: spooled entries are written, open calls are settled, each exactly once.

use tollgate_domain::{Money, Timestamp};

use super::commit::{self, Batch};
use super::opening::OpenRow;
use super::spool::Spool;
use crate::batch::Statement;
use crate::transaction::Transaction;
use crate::{Db, Presence, StoreError};

/// How many calls one transaction settles.
const BATCH_CALLS: usize = 500;

/// What was found and settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Entries that were read from the spool file.
    pub replayed: u64,
    /// Lines of the spool file that could not be read; they were moved beside it.
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
/// Open calls are settled only while no other gateway works on the database, because they may be
/// its own, under way. What stays open then is settled by the next start that is alone.
///
/// The spool comes first: a call that it settled is not also interrupted. Each batch is one
/// transaction, so a crash within recovery loses nothing and counts nothing twice.
///
/// # Errors
/// [`StoreError`] when the database or the spool file fails; run it again then.
pub async fn recover(
    db: &Db,
    presence: &Presence,
    spool: Option<&Spool>,
    now: Timestamp,
) -> Result<Recovered, StoreError> {
    let mut recovered = Recovered::default();
    if let Some(spool) = spool {
        replay(db, spool, &mut recovered).await?;
    }
    if presence.is_sole() {
        while settle_batch(db, now, &mut recovered).await? {}
    }
    Ok(recovered)
}

async fn replay(db: &Db, spool: &Spool, recovered: &mut Recovered) -> Result<(), StoreError> {
    let Some(contents) = spool.read()? else { return Ok(()) };
    for entries in contents.entries.chunks(BATCH_CALLS) {
        let ended = entries.iter().map(|entry| entry.call_id.as_str()).collect();
        let entries = entries.iter().collect();
        commit::write(db, &Batch { entries, ended, ..Batch::default() }).await?;
    }
    recovered.replayed += contents.entries.len() as u64;
    recovered.unreadable += contents.unreadable.len() as u64;
    spool.clear(&contents)
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
    let entries: Vec<_> = open.into_iter().map(|row| row.interrupted(now)).collect();
    let calls: Vec<&str> = entries.iter().map(|entry| entry.call_id.as_str()).collect();
    let rows: Vec<_> = entries.iter().collect();
    let settled = commit::insert_entries(&mut transaction, &rows).await?;
    commit::end_openings(&mut transaction, &calls).await?;
    transaction.commit().await?;
    for entry in settled {
        recovered.settled += 1;
        match entry.cost() {
            Some(cost) => recovered.cost = recovered.cost.saturating_add(cost),
            None => recovered.unpriced += 1,
        }
    }
    Ok(full)
}
