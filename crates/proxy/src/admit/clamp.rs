//! A shorter answer in place of a refusal, where a budget's remainder does not afford the whole
//! one and the operator wants that (`general_settings.budget.clamp_max_tokens`).

use std::sync::Arc;

use tollgate_config::Deployment;
use tollgate_domain::{Money, Quantity};
use tollgate_policy::{Bound, Demand, Measure, affordable};
use tollgate_store::{ClaimError, Claims, Exceeded};
use tollgate_wire::WireFormat;
use tollgate_wire::capability::NeedsResponses;

use super::asking::{Beside, Claimant, worst_case};
use crate::ingress::Call;

/// Most budgets that an answer is shortened for, one after the other.
const BUDGETS_MAX: usize = 8;
/// The least output limit that OpenAI's Responses takes (API reference, `max_output_tokens`).
const RESPONSES_TOKENS_MIN: u64 = 16;
/// Where the formats have their output limits.
const LIMITS: [&str; 5] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "generationConfig",
    "generation_config",
];

/// The most that a call is admitted with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) bound: Bound,
    pub(super) beside: Beside,
    pub(super) demand: Demand,
}

/// Claims less than a call wants after a budget refused it. What is claimed then bounds the call:
/// its request gets the lower output limit.
///
/// # Errors
/// The first refusal, when no answer is short enough; another limit's, when that refuses as well.
pub(super) async fn claim_less(
    claimant: &Claimant<'_>,
    refused: ClaimError,
    (call, deployments): (&mut Call, &[Arc<Deployment>]),
    most: &mut Most,
) -> Result<Claims, ClaimError> {
    let ClaimError::Exceeded(exceeded) = &refused else { return Err(refused) };
    let Some(least) = least(call, deployments) else { return Err(refused) };
    let choices = call.request.asked.choices.max(1);
    let mut free = left(exceeded);
    for _ in 0..BUDGETS_MAX {
        let less = free.and_then(|free| lower(most, deployments, choices, free));
        let Some((each, less)) = less.filter(|(each, _)| *each >= least) else { break };
        match claimant.claim(&less.demand).await {
            Ok(claims) if call.limit_output(each).is_ok() => {
                *most = less;
                return Ok(claims);
            }
            Ok(_) => break,
            Err(ClaimError::Exceeded(again)) if again.tally.measure == Measure::Money => {
                free = left(&again);
            }
            Err(again) => return Err(again),
        }
    }
    Err(refused)
}

/// What an exceeded budget leaves; `None` of a limit that is no budget.
fn left(exceeded: &Exceeded) -> Option<Money> {
    let money = exceeded.tally.measure == Measure::Money;
    money.then(|| Money::from_nanos(exceeded.over.free()))
}

/// The longest answer that the rest affords, and what the call can use then.
fn lower(
    most: &Most,
    deployments: &[Arc<Deployment>],
    choices: u64,
    free: Money,
) -> Option<(u64, Most)> {
    let sheets = most.beside.sheets(deployments)?;
    let each = affordable(&sheets, &most.bound, choices, free)?;
    let completion = Quantity::whole(each.saturating_mul(choices));
    let bound = Bound { completion, ..most.bound };
    let money = worst_case(deployments, &bound, &most.beside).ok()?;
    Some((each, Most { bound, demand: Demand { money, ..most.demand }, ..*most }))
}

/// The least output limit that everyone takes who may serve the call; `None` where it does not
/// reach one of them.
fn least(call: &Call, deployments: &[Arc<Deployment>]) -> Option<u64> {
    let own = call.request.output_tokens_min();
    deployments.iter().try_fold(own, |least, deployment| {
        let client = call.request.format.wire();
        let usual = deployment.endpoint(client)?.format;
        let responses = usual == WireFormat::OpenAiResponses
            || deployment.capability.needs_responses != NeedsResponses::Never;
        let theirs = if responses { RESPONSES_TOKENS_MIN } else { 1 };
        hands_on(deployment).then_some(least.max(theirs))
    })
}

/// Whether a client's output limit goes to a deployment as it is.
fn hands_on(deployment: &Deployment) -> bool {
    let limit = |name: &str| LIMITS.iter().any(|limit| name.starts_with(limit));
    let dropped = deployment.drop_paths.iter().any(|path| limit(path.as_written()));
    let never = deployment.provider.quirks.drop_fields.iter().any(|name| limit(name));
    !dropped && !never && !deployment.extra_body.iter().any(|(name, _)| limit(name))
}
