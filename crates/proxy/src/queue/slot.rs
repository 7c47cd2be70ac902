//! The right to have one call under way at a deployment.

use std::sync::Arc;

use tollgate_faults::Reason;
use tollgate_policy::Ended;

use crate::queue::fair_queue::FairQueue;

/// A slot at a deployment. Dropping it gives it back and lets the next call go ahead, whatever
/// ended this one: its last byte, its client leaving, an error or a panic.
#[must_use = "a slot that is dropped is given back"]
pub struct Slot {
    queue: Arc<FairQueue>,
    /// `None` once given back.
    slot: Option<tollgate_policy::Slot>,
    ended: Ended,
}

impl Slot {
    pub(super) const fn new(queue: Arc<FairQueue>, slot: tollgate_policy::Slot) -> Self {
        Self { queue, slot: Some(slot), ended: Ended::Otherwise }
    }

    /// Notes how the attempt went, once that is known: `None` when the upstream answers, else why
    /// it did not. The number of calls that go there at once is learned from it when the slot is
    /// given back.
    pub const fn attempted(&mut self, reason: Option<Reason>) {
        self.ended = match reason {
            None => Ended::Served,
            Some(Reason::UpstreamRateLimited | Reason::UpstreamOverloaded) => Ended::Congested,
            Some(_) => Ended::Otherwise,
        };
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.queue.release(slot, self.ended);
        }
    }
}
