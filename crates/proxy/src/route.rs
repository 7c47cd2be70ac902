//! Who may serve the call, in order. A shell around one pure function.

use std::sync::Arc;

use tollgate_config::{Deployment, Resolved, Snapshot};
use tollgate_domain::{ModelName, Ticks, UsageKind};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{
    Abilities, Ability, Contender, Leg, Load, Needs, PassedOver, Readiness, RetryRules, TagAsk,
    plan_for,
};
use tollgate_wire::WireFormat;

use crate::continue_from::not_found;
use crate::gate::Gate;
use crate::health::Record;
use crate::ingress::Call;
use crate::ticket::Ticket;

/// A model group that a call passes through.
pub(crate) struct Group {
    /// Its deployments, as they are numbered in the plan.
    pub(crate) deployments: Arc<[Arc<Deployment>]>,
    /// How each of them fares.
    pub(crate) records: Vec<Arc<Record>>,
    /// The name that it was asked for by.
    pub(crate) name: ModelName,
    /// Its name in the configuration.
    pub(crate) configured: ModelName,
}

/// What a plan is made with.
#[derive(Clone, Copy)]
pub(crate) struct Router<'a> {
    pub(crate) gate: &'a Gate,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) call: &'a Call,
    pub(crate) ticket: &'a Ticket,
}

impl Router<'_> {
    /// Plans the call at a model group.
    pub(crate) fn route(&self, name: &ModelName, resolved: &Resolved) -> (Group, Leg) {
        let Self { gate, snapshot, call, ticket } = *self;
        let (routing, now) = (&snapshot.settings.routing, gate.ticks());
        let deployments = &resolved.deployments;
        let records: Vec<Arc<Record>> =
            deployments.iter().map(|one| gate.health().of(one)).collect();
        let alone = records.len() == 1;
        let contenders: Vec<Contender<'_>> = deployments
            .iter()
            .zip(&records)
            .map(|(deployment, record)| self.contender(deployment, record, (alone, now)))
            .collect();
        let tags: Vec<&str> = ticket.attribution().tags.iter().map(|tag| tag.as_str()).collect();
        let needs = Needs {
            abilities: needed(call),
            input_tokens: ticket.prompt_tokens().filter(|_| routing.checks_first),
            tags: routing.tags.map(|matching| TagAsk { tags: &tags, matching }),
            rates: routing.checks_first,
            rate_tokens: ticket.tokens(),
            region: None,
        };
        let draw = &mut || gate.random().draw();
        let plan = plan_for(&contenders, &needs, routing.strategy, None, draw);
        // What a chain calls it: a name that a pattern stands for is itself.
        let called = if resolved.group.is_pattern() { name } else { &resolved.group };
        let leg = Leg::new(called.shared(), &contenders, plan, self.retries(resolved));
        let (deployments, configured) = (Arc::clone(deployments), resolved.group.clone());
        (Group { deployments, records, name: name.clone(), configured }, leg)
    }

    fn retries(&self, resolved: &Resolved) -> RetryRules {
        let routing = &self.snapshot.settings.routing;
        let of_group = routing.retries_of.get(&resolved.group);
        let policy = of_group.copied().unwrap_or(routing.retries.policy);
        RetryRules {
            policy,
            of_call: self.call.request.asked.wishes.num_retries,
            ..routing.retries
        }
    }

    fn contender<'d>(
        &self,
        deployment: &'d Deployment,
        record: &Record,
        (alone, now): (bool, Ticks),
    ) -> Contender<'d> {
        let routing = &self.snapshot.settings.routing;
        let strategy = routing.strategy;
        let mut load = Load::default();
        if strategy.keeps_rates() || strategy.measures_latency() || routing.checks_first {
            load = record.load(now);
        }
        if strategy.counts_in_flight() {
            load.in_flight = self.gate.queues().in_flight(&deployment.id);
        }
        Contender {
            candidate: deployment.candidate,
            num_retries: deployment.num_retries,
            abilities: abilities(deployment),
            input_max: deployment.limits.max_input,
            region: None,
            tags: &deployment.tags,
            fits_client: false,
            price_picos: price(deployment),
            load,
            readiness: record.readiness(alone, now),
        }
    }
}

impl Group {
    /// Whether a deployment may be called now.
    pub(crate) fn readiness(&self, at: usize, now: Ticks) -> Readiness {
        let alone = self.is_alone();
        self.records.get(at).map_or(Readiness::Ready, |record| record.readiness(alone, now))
    }

    /// Whether a deployment takes a retry.
    pub(crate) fn may_retry(&self, at: usize, now: Ticks) -> bool {
        self.records.get(at).is_none_or(|record| record.may_retry(now))
    }

    /// Whether it has a single deployment.
    pub(crate) fn is_alone(&self) -> bool {
        self.records.len() == 1
    }

    /// What a client is told when no deployment of the group can be tried; this came nearest.
    pub(crate) fn nobody(&self, call: &Call, why: PassedOver, now: Ticks) -> Refusal {
        let name = call.request.asked.model.as_str();
        match why {
            PassedOver::Blocked => {
                let message = format!("every deployment of `{name}` is blocked");
                Refusal::new(Reason::ModelBlocked, message).with_param("model")
            }
            PassedOver::Lacks(Ability::NativeFormat) => {
                not_found(call.kept_elsewhere.as_deref().unwrap_or_default())
            }
            PassedOver::Lacks(ability) => {
                let what = ability.as_str();
                let message = format!("no deployment of `{name}` has what the call needs: {what}");
                Refusal::new(Reason::NoEndpointWithRequiredFeature, message)
            }
            PassedOver::WindowTooSmall { input_max, input_tokens } => {
                let message = format!(
                    "the prompt has {input_tokens} tokens, and no deployment of `{name}` takes \
                     more than {input_max}"
                );
                Refusal::new(Reason::ContextWindowExceeded, message)
            }
            PassedOver::OtherTags | PassedOver::OtherRegion => {
                let message = format!("no deployment of `{name}` is for calls with these tags");
                Refusal::new(Reason::ModelNotGranted, message).with_param("tags")
            }
            PassedOver::OverRequests | PassedOver::OverTokens => {
                let message = format!("every deployment of `{name}` has as many calls as it may");
                Refusal::new(Reason::RateLimited, message).with_retry_after(MINUTE)
            }
            PassedOver::Cooling { until, .. } => self.resting(name, until.since(now)),
            _ => self.all_failing(name),
        }
    }

    /// Every deployment rests. The client hears why the last of them failed, as the first of their
    /// callers did.
    fn resting(&self, name: &str, wait: std::time::Duration) -> Refusal {
        let last = self.records.iter().find_map(|record| record.last_failure());
        let reason = last.unwrap_or(Reason::AllDeploymentsFailing);
        let cause = last.map_or(String::new(), |reason| format!(", for `{reason}`"));
        let message = format!("every deployment of `{name}` rests after it failed{cause}");
        Refusal::new(reason, message).with_retry_after(wait)
    }

    fn all_failing(&self, name: &str) -> Refusal {
        let message = format!("no deployment of `{name}` can serve calls");
        Refusal::new(Reason::AllDeploymentsFailing, message)
    }
}

/// What a call that goes on from an answer which is not kept here needs: the provider that may keep
/// it.
fn needed(call: &Call) -> Abilities {
    let native = call.kept_elsewhere.is_some();
    if native { Abilities::UNKNOWN.with(Ability::NativeFormat, true) } else { Abilities::UNKNOWN }
}

fn abilities(deployment: &Deployment) -> Abilities {
    let format = WireFormat::OpenAiResponses;
    let native = deployment.endpoint(format).is_some_and(|at| at.format == format);
    Abilities::UNKNOWN.with(Ability::NativeFormat, native)
}

/// The price of a prompt token and an answer token together.
fn price(deployment: &Deployment) -> Option<u64> {
    let rates = &deployment.prices.as_ref()?.rates;
    let (input, output) = (rates.get(UsageKind::Input)?, rates.get(UsageKind::Output)?);
    Some(input.picos().saturating_add(output.picos()))
}

/// When a rate of a minute is worth another try.
const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);
