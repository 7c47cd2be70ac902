//! The next deployment to send the call to: the one at which it is the call's turn, whose limits
//! allow it and which does not rest.

use std::sync::Arc;
use std::time::Duration;

use tollgate_config::{Deployment, Settings};
use tollgate_faults::Refusal;
use tollgate_policy::PassedOver;
use tollgate_store::Claims;

use crate::attempt::outgoing;
use crate::gate::Gate;
use crate::health::Sent;
use crate::ingress::Call;
use crate::outlets;
use crate::queue::{Asking, Door, Slot, Standing};
use crate::route::Group;
use crate::ticket::Ticket;

/// Everything that a call holds of the deployment it is sent to.
pub(super) struct Turn {
    /// Its number in the group.
    pub(super) at: usize,
    pub(super) slot: Slot,
    pub(super) claims: Claims,
    pub(super) sent: Sent,
}

/// Why a deployment does not take the call, and what a client would be told of it.
pub(super) struct NotTaken {
    /// The deployment, or `None` for all of them.
    pub(super) at: Option<usize>,
    pub(super) why: PassedOver,
    pub(super) refusal: Option<Refusal>,
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
    /// A turn at one of the deployments at these `doors`, which are in the order of preference.
    ///
    /// # Errors
    /// [`NotTaken`] for the one at which it was the call's turn, or for all.
    pub(super) async fn turn(
        &self,
        (call, ticket): (&Call, &Ticket),
        group: &Group,
        doors: &[usize],
        retry: bool,
    ) -> Result<Turn, NotTaken> {
        let deployments: Vec<(usize, &Arc<Deployment>)> =
            doors.iter().filter_map(|at| Some((*at, group.deployments.get(*at)?))).collect();
        let entered = self.enter(call, ticket, &deployments).await;
        let (index, slot) = entered.map_err(|refusal| NotTaken {
            at: None,
            why: PassedOver::QueueFull,
            refusal: Some(refusal),
        })?;
        let Some((at, deployment)) = deployments.get(index).copied() else { return Err(nobody(0)) };
        let claims = outlets::enter(self.gate, self.settings, deployment, ticket.demand()).await;
        let claims = claims.map_err(|refusal| NotTaken {
            at: Some(at),
            why: PassedOver::LimitReached,
            refusal: Some(refusal),
        })?;
        let how = (&deployment.health, group.is_alone());
        let Some(record) = group.records.get(at) else { return Err(nobody(at)) };
        match record.send(how, (retry, ticket.tokens()), self.gate.clock()) {
            Ok(sent) => Ok(Turn { at, slot, claims, sent }),
            Err(readiness) => {
                let why = PassedOver::resting(readiness).unwrap_or(PassedOver::NoRetries);
                Err(NotTaken { at: Some(at), why, refusal: None })
            }
        }
    }

    /// A slot at one of the deployments, once it is the call's turn, and which one.
    async fn enter(
        &self,
        call: &Call,
        ticket: &Ticket,
        doors: &[(usize, &Arc<Deployment>)],
    ) -> Result<(usize, Slot), Refusal> {
        let first = doors.first().map(|(_, first)| outgoing::timeouts(call, first));
        let asking = Asking {
            settings: &self.settings.fair_queue,
            who: ticket.attribution(),
            address: None,
            standing: self.standing,
            priority: call.request.asked.wishes.priority,
            tokens: ticket.tokens(),
            left: first.and_then(|timeouts| timeouts.total).unwrap_or(Duration::MAX),
        };
        let doors = doors.iter().map(|(_, deployment)| Door {
            deployment: &deployment.id,
            calls_at_once_max: deployment.calls_at_once_max,
        });
        self.gate.queues().enter(doors, &asking).await
    }
}

/// There is no such deployment.
const fn nobody(at: usize) -> NotTaken {
    NotTaken { at: Some(at), why: PassedOver::NoRetries, refusal: None }
}
