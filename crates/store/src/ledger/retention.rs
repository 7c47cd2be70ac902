//! The task that removes entries once they are older than the operator keeps them.
//!
//! Sums stay: spend, budgets and usage by day do not change. What goes is what only entries tell:
//! the log, pricing them again, and the part of a quarter-hour in which a window begins. Windows
//! that begin at quarter-hours, as nearly all do, lose nothing.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::{Clock, Timestamp};

use crate::batch::{Statement, Value};
use crate::transaction::Transaction;
use crate::{Db, StoreError};

/// How many entries are removed before other writers get their turn.
const BATCH_ROWS: u32 = 512;

/// Says for how long entries are kept now; `None` for ever.
pub type Keeping = Arc<dyn Fn() -> Option<Duration> + Send + Sync>;

/// Removes old entries, now and then, for as long as it runs.
#[must_use = "entries are removed by `run`"]
pub struct EntryRetention {
    db: Db,
    clock: Arc<dyn Clock>,
    interval: Duration,
    keeping: Keeping,
}

impl EntryRetention {
    /// A task that sweeps at its start and after each interval.
    pub fn new(db: Db, clock: Arc<dyn Clock>, interval: Duration, keeping: Keeping) -> Self {
        Self { db, clock, interval, keeping }
    }

    /// Sweeps until it is dropped. A failure leaves the rest to the next sweep. Dropping it in the
    /// middle of one changes nothing by halves.
    pub async fn run(self) {
        loop {
            match self.sweep().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "old entries of the ledger were removed"),
                Err(failure) => {
                    tracing::warn!(%failure, "old entries of the ledger could not be removed");
                }
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// Removes every entry that is too old by now, in batches, and says how many that were.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; the batches before stay removed.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let Some(keep) = (self.keeping)() else { return Ok(0) };
        let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        let before = Timestamp::from_micros(self.clock.now().micros().saturating_sub(keep));
        let mut removed = 0;
        loop {
            let found = self.db.remove_entries(before, BATCH_ROWS).await?;
            removed += found;
            if found < u64::from(BATCH_ROWS) {
                return Ok(removed);
            }
        }
    }
}

impl Db {
    /// Removes up to `rows_max` entries that were admitted before an instant, the oldest first,
    /// together with their corrections, and says how many. The sums stay.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; then none of them is removed.
    pub async fn remove_entries(
        &self,
        before: Timestamp,
        rows_max: u32,
    ) -> Result<u64, StoreError> {
        let mut transaction = Transaction::begin(self).await?;
        let oldest = [Value::from(before.micros()), Value::from(i64::from(rows_max))];
        transaction.execute(Statement::new(REMOVE_CORRECTIONS, oldest)).await?;
        let removed = transaction.execute(Statement::new(REMOVE_ENTRIES, oldest)).await?;
        transaction.commit().await?;
        Ok(removed)
    }
}

macro_rules! remove_oldest {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE call_id IN (SELECT call_id FROM ledger_entries WHERE admitted_at < $1 \
             ORDER BY admitted_at, call_id LIMIT $2)"
        )
    };
}

const REMOVE_CORRECTIONS: &str = remove_oldest!("ledger_corrections");
const REMOVE_ENTRIES: &str = remove_oldest!("ledger_entries");
