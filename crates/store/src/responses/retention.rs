//! The task that removes kept answers once they expired.

use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::Clock;

use super::Responses;
use crate::StoreError;

/// How many answers are removed before other writers get their turn.
const BATCH_ROWS: u32 = 64;

/// Removes what expired, now and then, for as long as it runs.
#[must_use = "answers expire by `run`"]
pub struct Retention {
    responses: Responses,
    clock: Arc<dyn Clock>,
    interval: Duration,
}

impl Retention {
    /// A task that sweeps at its start and after each interval.
    pub const fn new(responses: Responses, clock: Arc<dyn Clock>, interval: Duration) -> Self {
        Self { responses, clock, interval }
    }

    /// Sweeps until it is dropped. A failure leaves the rest to the next sweep. Dropping it in the
    /// middle of one changes nothing by halves.
    pub async fn run(self) {
        loop {
            match self.sweep().await {
                Ok(0) => {}
                Ok(removed) => tracing::debug!(removed, "kept answers expired"),
                Err(failure) => {
                    tracing::warn!(%failure, "kept answers that expired could not be removed");
                }
            }
            tokio::time::sleep(self.interval).await;
        }
    }

    /// Removes everything that expired by now, in batches, and gives how many answers that were.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; the batches before stay removed.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let mut removed = 0;
        loop {
            let found = self.responses.prune(now, BATCH_ROWS).await?;
            removed += found;
            if found < BATCH_ROWS as usize {
                return Ok(removed);
            }
        }
    }
}
