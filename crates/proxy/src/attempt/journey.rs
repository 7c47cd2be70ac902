//! The way of one call: a shell around [`tollgate_policy::Journey`], which says where to go next
//! and hears how it went.

use std::sync::Arc;

use tokio::time::sleep;
use tollgate_config::{Deployment, Resolved, Snapshot};
use tollgate_domain::{FailureClass, ModelName, Ticks};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{AttemptFailure, Cause, Chain, ChainKind, Journey, Moment, Step, Used};

use super::failed::Failed;
use super::turn::{Asker, NotTaken, Turn};
use super::{Answer, Begun, answer, attempt_facts, dispatch, outgoing, record};
use crate::admit;
use crate::authenticate::Caller;
use crate::credential::brought;
use crate::explain;
use crate::gate::Gate;
use crate::grants;
use crate::ingress::Call;
use crate::memory::Memory;
use crate::queue::Standing;
use crate::route::{Group, Router};
use crate::ticket::Ticket;
use crate::timing::Phase;

/// Who sends the call, and what that goes by.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) gate: &'a Gate,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) caller: &'a Caller,
    pub(crate) standing: Standing,
}

/// A call on its way.
struct Way<'a> {
    sender: Sender<'a>,
    journey: Journey,
    /// When the call has to be over.
    deadline: Option<Ticks>,
    /// The groups that it was at, the one that was asked for first; never empty.
    groups: Vec<Group>,
    /// Whether the client wants to know why the call goes where it goes, and may.
    explains: bool,
    /// Why each attempt failed.
    failures: Vec<Refusal>,
    /// Why the call was not sent for the first time.
    not_taken: Option<Refusal>,
}

/// Sends the call from one deployment to the next until one begins to answer.
///
/// # Errors
/// The first true cause, with every attempt listed.
pub(crate) async fn attempt(
    sender: Sender<'_>,
    call: &mut Call,
    resolved: &Resolved,
    mut ticket: Ticket,
) -> Result<Answer, Refusal> {
    let mut way = Way::begin(sender, call, resolved, &mut ticket).await?;
    loop {
        let now = sender.gate.ticks();
        match way.next(now) {
            Step::Dispatch { retry, .. } => match way.dispatch(call, &mut ticket, retry).await {
                Some(Ok((deployment, begun))) => return Ok(answer(ticket, &deployment, begun)),
                Some(Err(refusal)) => return Err(refusal),
                None => {}
            },
            Step::Wait { until } => sleep(until.since(now)).await,
            Step::Fallback { group, why } => {
                way.fall_back(call, &mut ticket, (&group, why)).await;
            }
            Step::End(cause) => {
                ticket.failed();
                let refusal = way.told(cause, call).with_attempts(attempt_facts(&ticket));
                return Err(match way.explained(&ticket) {
                    Some(explained) => refusal.with_explained(explained),
                    None => refusal,
                });
            }
        }
    }
}

impl<'a> Way<'a> {
    async fn begin(
        sender: Sender<'a>,
        call: &mut Call,
        resolved: &Resolved,
        ticket: &mut Ticket,
    ) -> Result<Self, Refusal> {
        let Sender { gate, snapshot, .. } = sender;
        bring(sender, call, resolved).await.inspect_err(|_| ticket.failed())?;
        call.timing.mark(Phase::Admit, gate.ticks());
        let router = Router { gate, snapshot, call, ticket };
        let (group, leg) = router.route(&call.request.asked.model, resolved);
        let deadline = deadline(call, resolved, gate.ticks());
        let mut journey = journey(snapshot, call, deadline);
        journey.enter(leg);
        Ok(Self {
            sender,
            journey,
            deadline,
            groups: vec![group],
            explains: explain::is_asked(&call.headers, sender.caller),
            failures: Vec::new(),
            not_taken: None,
        })
    }

    fn next(&mut self, now: Ticks) -> Step {
        let Self { sender, journey, groups, .. } = self;
        let Some(group) = groups.last() else { return Step::End(Cause::Empty) };
        journey.next(&Moment {
            now,
            readiness: &|at| group.readiness(at, now),
            may_retry: &|at| group.may_retry(at, now),
            chain: &|kind| chain(*sender, group, kind),
        })
    }

    /// What the client is told of the way that the call went, if it may know.
    fn explained(&self, ticket: &Ticket) -> Option<String> {
        self.explains.then(|| explain::explained(&self.groups, &self.journey, ticket))
    }

    /// Sends the call to one deployment. Gives how the call ends, if it does.
    async fn dispatch(
        &mut self,
        call: &mut Call,
        ticket: &mut Ticket,
        retry: bool,
    ) -> Option<Result<(Arc<Deployment>, Begun), Refusal>> {
        let Sender { gate, snapshot, standing, .. } = self.sender;
        let settings = &snapshot.settings;
        self.hurry(call, gate.ticks());
        let call = &*call;
        let asker = Asker { gate, settings, standing };
        let (group, doors) = (self.groups.last()?, self.journey.doors());
        let turn = asker.turn((call, ticket), group, doors, retry).await;
        let Turn { at, mut slot, claims, sent } = match turn {
            Ok(turn) => turn,
            Err(not_taken) => {
                self.pass_over(not_taken);
                return None;
            }
        };
        let deployment = Arc::clone(self.groups.last()?.deployments.get(at)?);
        let attempt = self.journey.dispatched(at);
        ticket.dispatched(&deployment);
        let started = gate.ticks();
        let result = dispatch(gate, settings, call, &deployment).await;
        ticket.attempted(record(&deployment, &result, gate.ticks().since(started)));
        match result {
            Ok(begun) => {
                slot.attempted(None);
                sent.answered();
                self.journey.answered(attempt);
                ticket.join(claims, slot);
                ticket.travelled(self.journey.attempts(), self.journey.fallbacks());
                ticket.explain(self.explained(ticket));
                Some(Ok((deployment, begun)))
            }
            Err(Failed { refusal, consumed: Some(consumed), .. }) => {
                let (usage, output_bytes) = *consumed;
                slot.attempted(None);
                sent.answered();
                // An answer that nobody gets is charged all the same: it was produced.
                ticket.join(claims, slot);
                ticket.consumed(usage, output_bytes);
                Some(Err(refusal.with_attempts(attempt_facts(ticket))))
            }
            Err(failed) => {
                slot.attempted(Some(failed.refusal.reason));
                // The request was made, though it used nothing else.
                claims.settle(&Used::default());
                let failure = failure(&failed);
                sent.failed(failed.refusal.reason, failure.class, failure.wait);
                let (now, draw) = (gate.ticks(), gate.random().draw());
                self.journey.failed(attempt, failure, now, draw);
                self.failures.push(failed.refusal);
                None
            }
        }
    }

    /// An attempt has no more time than what is left of the call's.
    fn hurry(&self, call: &mut Call, now: Ticks) {
        if let Some(left) = self.deadline.map(|deadline| deadline.since(now)) {
            call.timeout = Some(call.timeout.map_or(left, |wish| wish.min(left)));
        }
    }

    /// The call is not sent to a deployment, or to none of those that are ready.
    fn pass_over(&mut self, not_taken: NotTaken) {
        let NotTaken { at, why, refusal } = not_taken;
        let doors = match at {
            Some(at) => vec![at],
            None => self.journey.doors().to_vec(),
        };
        for at in doors {
            self.journey.pass_over(at, why);
        }
        if let Some(refusal) = refusal {
            self.not_taken.get_or_insert(refusal);
        }
    }

    /// Goes on at another model group, if the caller may use it and affords it.
    async fn fall_back(
        &mut self,
        call: &mut Call,
        ticket: &mut Ticket,
        (name, why): (&str, FailureClass),
    ) {
        // Names of chains were read as such; those that a call brings may be anything.
        let Ok(name) = ModelName::new(name) else { return };
        let Sender { gate, snapshot, caller, .. } = self.sender;
        let entered = match admit::again(gate, snapshot, (caller, call), ticket, &name).await {
            Ok(resolved) => bring(self.sender, call, &resolved).await.map(|()| resolved),
            Err(refusal) => Err(refusal),
        };
        match entered {
            Ok(resolved) => {
                call.memory = Memory::of(gate, &snapshot.settings, caller, &resolved);
                let router = Router { gate, snapshot, call, ticket };
                let (group, leg) = router.route(&name, &resolved);
                tracing::info!(call = %call.id, group = %name, %why, "falls back");
                self.groups.push(group);
                self.journey.enter(leg);
            }
            Err(refusal) => {
                let reason = refusal.reason.slug();
                tracing::info!(call = %call.id, group = %name, reason, "does not fall back");
            }
        }
    }

    /// What the client is told of the end.
    fn told(&mut self, cause: Cause, call: &Call) -> Refusal {
        let now = self.sender.gate.ticks();
        match cause {
            Cause::Answered(at) | Cause::Attempt(at) if at < self.failures.len() => {
                self.failures.swap_remove(at)
            }
            Cause::AllRateLimited { frees_at } => {
                let wait = frees_at.map(|at| at.since(now));
                let first = (!self.failures.is_empty()).then(|| self.failures.swap_remove(0));
                let refusal = first.unwrap_or_else(|| {
                    let message = "every deployment of the model is rate limited";
                    Refusal::new(Reason::AllDeploymentsRateLimited, message)
                });
                match (wait, refusal.retry_after) {
                    (Some(wait), None) => refusal.with_retry_after(wait),
                    _ => refusal,
                }
            }
            Cause::NobodyAble(why) => {
                let told = self.groups.first().map(|group| group.nobody(call, why, now));
                self.not_taken.take().or(told).unwrap_or_else(nobody)
            }
            Cause::OutOfTime => {
                Refusal::new(Reason::UpstreamTimeout, "there was no time left for an attempt")
            }
            Cause::Answered(_) | Cause::Attempt(_) | Cause::Empty => {
                self.not_taken.take().unwrap_or_else(nobody)
            }
        }
    }
}

fn nobody() -> Refusal {
    Refusal::new(Reason::AllDeploymentsFailing, "no deployment could be tried")
}

/// Finds the credentials that the client brought, where a deployment lets them through.
async fn bring(sender: Sender<'_>, call: &mut Call, resolved: &Resolved) -> Result<(), Refusal> {
    let Sender { gate, snapshot, .. } = sender;
    let lets = |one: &Arc<Deployment>| one.forwards.keys || one.forwards.tokens;
    if call.brought.is_empty() && resolved.deployments.iter().any(lets) {
        call.brought = brought(gate, &call.headers, &snapshot.settings).await?;
    }
    Ok(())
}

/// The chain that follows a group, without the groups that the caller may not use: a wait is given
/// up for a fallback.
fn chain(sender: Sender<'_>, group: &Group, kind: ChainKind) -> Option<Chain> {
    let Sender { snapshot, caller, .. } = sender;
    let mut names = grants::names_of(snapshot, group.name.as_str());
    names.push(group.configured.as_str());
    let chain = snapshot.settings.routing.fallbacks.chain(kind, &names)?;
    let usable = |name: &&Arc<str>| grants::may_use(snapshot, caller, &***name);
    Some(chain.iter().filter(usable).map(Arc::clone).collect())
}

/// When a call has to be over: a whole answer in the time that its deployments have for it, a
/// stream where somebody asks for an end.
fn deadline(call: &Call, resolved: &Resolved, now: Ticks) -> Option<Ticks> {
    let timeouts = resolved.deployments.iter().map(|one| outgoing::timeouts(call, one));
    let total = timeouts.filter_map(|timeouts| timeouts.total).max();
    total.or(call.timeout).map(|total| now.plus(total))
}

/// The journey of a call that begins.
fn journey(snapshot: &Snapshot, call: &Call, deadline: Option<Ticks>) -> Journey {
    let mut rules = snapshot.settings.routing.journey;
    let wishes = &call.request.asked.wishes;
    // What goes on from an answer that only its provider keeps can go nowhere else.
    if wishes.disable_fallbacks || call.kept_elsewhere.is_some() {
        rules.fallbacks_max = 0;
    }
    let own = wishes.fallbacks.as_ref();
    let own = own.map(|own| own.iter().map(|name| Arc::from(&**name)).collect());
    Journey::new(rules, own, deadline)
}

/// A failed attempt as the journey sees it.
fn failure(failed: &Failed) -> AttemptFailure {
    let class = tollgate_faults::row(failed.refusal.reason).class;
    let failure = AttemptFailure::new(class);
    match failed.refusal.retry_after {
        Some(wait) => failure.after(wait),
        None => failure,
    }
}
