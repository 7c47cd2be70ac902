//! The next deployment to try: the one at which it is the call's turn and whose limits allow it.

use std::sync::Arc;
use std::time::Duration;

use tollgate_config::{Deployment, Settings};
use tollgate_faults::Refusal;
use tollgate_store::Claims;

use crate::attempt::outgoing;
use crate::gate::Gate;
use crate::ingress::Call;
use crate::outlets;
use crate::queue::{Asking, Door, Slot, Standing};
use crate::ticket::Ticket;

/// Everything that a call holds of the deployment it is sent to.
pub(super) struct Turn<'p> {
    pub(super) deployment: &'p Arc<Deployment>,
    pub(super) slot: Slot,
    pub(super) claims: Claims,
}

/// Who asks for a call's turns.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) gate: &'a Gate,
    pub(super) settings: &'a Settings,
    /// What the caller is granted in the queues.
    pub(super) standing: Standing,
}

impl Asker<'_> {
    /// The next turn, at one of the deployments that are `left`, which loses it; none when no
    /// deployment is left, or none takes the call. Why it was not taken counts as a failure if it
    /// is the first.
    pub(super) async fn next<'p>(
        &self,
        call: &Call,
        ticket: &Ticket,
        left: &mut Vec<&'p Arc<Deployment>>,
        first: &mut Option<Refusal>,
    ) -> Option<Turn<'p>> {
        while !left.is_empty() {
            let (index, slot) = match self.enter(call, ticket, left).await {
                Ok(entered) => entered,
                Err(refusal) => {
                    first.get_or_insert(refusal);
                    return None;
                }
            };
            let deployment = left.remove(index);
            let demand = ticket.demand();
            match outlets::enter(self.gate, self.settings, deployment, demand).await {
                Ok(claims) => return Some(Turn { deployment, slot, claims }),
                Err(refusal) => drop(first.get_or_insert(refusal)),
            }
        }
        None
    }

    /// A slot at one of the deployments, once it is the call's turn, and which one.
    async fn enter(
        &self,
        call: &Call,
        ticket: &Ticket,
        left: &[&Arc<Deployment>],
    ) -> Result<(usize, Slot), Refusal> {
        let deadline = left.first().and_then(|first| outgoing::timeouts(call, first).total);
        let asking = Asking {
            settings: &self.settings.fair_queue,
            who: ticket.attribution(),
            address: None,
            standing: self.standing,
            priority: call.request.asked.priority,
            tokens: ticket.tokens(),
            left: deadline.unwrap_or(Duration::MAX),
        };
        let doors = left.iter().map(|deployment| Door {
            deployment: &deployment.id,
            calls_at_once_max: deployment.calls_at_once_max,
        });
        self.gate.queues().enter(doors, &asking).await
    }
}
