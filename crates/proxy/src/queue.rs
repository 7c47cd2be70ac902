//! The fair queues: one for each deployment that is called, and the way into them.
//!
//! Who goes ahead is decided by [`tollgate_policy::Slots`]; here are the tasks that wait. A call
//! brings what holds for it by its configuration, so that a changed limit holds from the next call
//! on and calls under way keep their slots.

mod asking;
mod fair_queue;
mod slot;
mod standing;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tollgate_domain::{Clock, DeploymentId};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Full;

pub use asking::{Asking, Door, Standing};
pub use fair_queue::Gauges;
pub use slot::Slot;
pub(crate) use standing::standing;

use fair_queue::{Entered, FairQueue, NoPlace, Terms, Why};

/// The fair queues of all deployments, by the deployment's id. They outlive configurations, as the
/// calls under way do.
pub struct Queues {
    clock: Arc<dyn Clock>,
    queues: RwLock<HashMap<DeploymentId, Arc<FairQueue>>>,
}

impl Queues {
    /// No queue; each comes with the first call of its deployment.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, queues: RwLock::default() }
    }

    /// A slot at one of the deployments that may serve the call, which are in the order in which
    /// they are to be tried, and the index of that deployment: the first that has a slot free, else
    /// the first at which the call may wait, once its turn has come.
    ///
    /// The slot is to be kept with the answer until its last byte. A future that is dropped gives
    /// its place up. A deployment without a limit costs a call a lock and no allocation.
    ///
    /// # Errors
    /// `queue_full` when no deployment has a place left to wait in, `queue_timeout` when the turn
    /// did not come in time, both saying when to try again; `concurrency_limited` for either where
    /// calls do not wait.
    pub async fn enter<'a>(
        &self,
        doors: impl Iterator<Item = Door<'a>> + Clone,
        asking: &Asking<'_>,
    ) -> Result<(usize, Slot), Refusal> {
        let terms = |door: &Door<'_>| Terms::new(door.calls_at_once_max, asking.settings);
        for (index, door) in doors.clone().enumerate() {
            if let Some(slot) = self.of(&door).take_free(terms(&door)) {
                return Ok((index, slot));
            }
        }
        let ask = asking.ask();
        let mut soonest: Option<NoPlace> = None;
        for (index, door) in doors.enumerate() {
            match self.of(&door).enter(terms(&door), &ask) {
                Entered::Granted(slot) => return Ok((index, slot)),
                Entered::Waiting(waiting) => {
                    let outcome = waiting.turn(ask.patience).await;
                    return outcome.map(|slot| (index, slot)).map_err(|no| refusal(&no, asking));
                }
                Entered::Refused(no) => {
                    let sooner = soonest.is_none_or(|other| no.retry_after < other.retry_after);
                    soonest = if sooner { Some(no) } else { soonest };
                }
            }
        }
        Err(soonest.map_or_else(
            || Refusal::new(Reason::AllDeploymentsFailing, "no deployment could be tried"),
            |no| refusal(&no, asking),
        ))
    }

    /// The calls under way at a deployment.
    #[must_use]
    pub fn in_flight(&self, deployment: &DeploymentId) -> u32 {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.get(deployment).map_or(0, |queue| queue.gauges().in_flight)
    }

    /// What happens at each deployment that was called.
    #[must_use]
    pub fn gauges(&self) -> Vec<(DeploymentId, Gauges)> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.iter().map(|(id, queue)| (id.clone(), queue.gauges())).collect()
    }

    /// Forgets the queues of deployments that are not configured any more, once no call is there.
    pub fn retain(&self, configured: impl Fn(&DeploymentId) -> bool) {
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        // A call that has its queue and no slot yet holds the queue too.
        queues.retain(|id, queue| configured(id) || Arc::strong_count(queue) > 1);
    }

    fn of(&self, door: &Door<'_>) -> Arc<FairQueue> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(door.deployment) {
            return Arc::clone(queue);
        }
        drop(queues);
        let mut queues = self.queues.write().unwrap_or_else(PoisonError::into_inner);
        let queue = queues
            .entry(door.deployment.clone())
            .or_insert_with(|| Arc::new(FairQueue::new(Arc::clone(&self.clock))));
        Arc::clone(queue)
    }
}

/// What the client is told. Which deployment it would have been is not its concern.
fn refusal(no: &NoPlace, asking: &Asking<'_>) -> Refusal {
    let (reason, message) = match no.why {
        Why::Full(Full::Flow) => {
            let most = asking.settings.places_per_flow_max;
            let message =
                format!("the model is busy, and of this caller's calls {most} wait, the most");
            (Reason::QueueFull, message)
        }
        Why::Full(Full::Deployment) => {
            let message = "the model is busy, and as many calls of this caller's team wait as may";
            (Reason::QueueFull, message.to_owned())
        }
        Why::TimedOut => {
            let waited = asking.settings.wait_max.min(asking.left).as_secs_f64();
            let message =
                format!("the model is busy and this call's turn did not come within {waited:.1} s");
            (Reason::QueueTimeout, message)
        }
        Why::NoWaiting => {
            let message = "as many calls of the model are under way as it takes at once";
            (Reason::ConcurrencyLimited, message.to_owned())
        }
    };
    Refusal::new(reason, message).with_retry_after(no.retry_after)
}

#[cfg(test)]
mod tests;
