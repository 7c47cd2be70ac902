//! The task that sums days once they are closed.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::Clock;
use tollgate_policy::{Span, Zone};

use super::plan::Work;
use super::rows::From;
use super::{CLOSED_AFTER, DAYS_SUMMED_MAX, OLD_AFTER, before, marks, rows};
use crate::{Db, StoreError};

/// Sums closed days, now and then, for as long as it runs.
#[must_use = "days are summed by `run`"]
pub struct ClosedDays {
    db: Db,
    clock: Arc<dyn Clock>,
    interval: Duration,
    zone: Zone,
}

impl ClosedDays {
    /// A task that sums the days of a zone, at its start and after each interval.
    pub fn new(db: Db, clock: Arc<dyn Clock>, interval: Duration, zone: Zone) -> Self {
        Self { db, clock, interval, zone }
    }

    /// Sweeps until it is dropped. A failure leaves the rest to the next sweep. Dropping it in the
    /// middle of one leaves a day that is not summed.
    pub async fn run(self) {
        loop {
            match self.sweep().await {
                Ok(0) => {}
                Ok(days) => tracing::info!(days, "closed days were summed"),
                Err(failure) => tracing::warn!(%failure, "closed days could not be summed"),
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// Sums every closed day that is not summed, the newest first, and says how many that were. A
    /// day that something is written to meanwhile is left to the next sweep.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; the days before stay summed.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let (by, recent) = (before(now, CLOSED_AFTER), before(now, OLD_AFTER));
        let (marks, first) = marks::read(&self.db).await?;
        let closed = first.map(|first| self.zone.days_ended(by, first, DAYS_SUMMED_MAX));
        let work = Work::of(&marks, &closed.unwrap_or_default(), recent);
        if work.early {
            marks::reopen_after(&self.db, recent).await?;
        }
        for day in work.forget {
            self.forget(day).await?;
        }
        let mut summed = 0;
        for day in work.sum {
            summed += usize::from(self.sum(day).await?);
        }
        Ok(summed)
    }

    /// Sums a day. Gives whether it did, and nothing happened to the day meanwhile.
    async fn sum(&self, day: Span) -> Result<bool, StoreError> {
        let Some(turn) = marks::begin(&self.db, day).await? else { return Ok(false) };
        let mut from = Some(From::default());
        while let Some(next) = from {
            let (sums, more) = rows::read(&self.db, day, next).await?;
            if !rows::write(&self.db, turn, &sums).await? {
                return Ok(false);
            }
            from = more;
        }
        marks::finish(&self.db, turn).await
    }

    /// Removes the rows of a day, which is none of the zone's.
    async fn forget(&self, day: Span) -> Result<(), StoreError> {
        let Some(turn) = marks::withdraw(&self.db, day).await? else { return Ok(()) };
        let mut from = Some(From::default());
        while let Some(next) = from {
            let Some(more) = rows::remove(&self.db, turn, next).await? else { return Ok(()) };
            from = more;
        }
        marks::forget(&self.db, turn).await.map(drop)
    }
}
