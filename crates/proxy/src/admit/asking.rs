//! What a call can use at most, and the claim of it: by the length of its prompt, else by its
//! count, else with a shorter answer.

use std::sync::Arc;

use tollgate_config::{Deployment, Resolved};
use tollgate_domain::{Money, Timestamp};
use tollgate_policy::{Bound, Demand, ModelLimits, bound};
use tollgate_store::{ClaimError, Claims, LevelRecord};

use super::clamp::{self, Most};
use super::tokens;
use crate::gate::Gate;
use crate::ingress::Call;

/// What a call can use at most.
pub(super) struct Asking {
    /// The prompt's tokens, where they were counted.
    pub(super) prompt_tokens: Option<u64>,
    pub(super) bound: Bound,
    /// What that can cost; `None` where a deployment has no price.
    pub(super) most: Option<Money>,
}

impl Asking {
    pub(super) fn of(call: &Call, resolved: &Resolved, prompt_tokens: Option<u64>) -> Self {
        let asked = &call.request.asked;
        let limits = widest(&resolved.deployments);
        let bound = bound(asked.prompt_bytes, asked.output_tokens_max, asked.choices, &limits);
        let bound = prompt_tokens.map_or(bound, |tokens| bound.with_prompt(tokens));
        let most = worst_case(&resolved.deployments, &bound);
        Self { prompt_tokens, bound, most }
    }

    /// The tokens it may come to, prompt and answer together.
    pub(super) fn tokens(&self) -> u64 {
        let Bound { prompt, completion } = self.bound;
        (prompt.milli() / 1000).saturating_add(completion.milli() / 1000)
    }

    pub(super) fn demand(&self, call: &Call, levels: &[Arc<LevelRecord>]) -> Demand {
        let tokens = tokens::expected(&call.request.asked, self.prompt_tokens, levels);
        Demand { money: self.most.unwrap_or(Money::ZERO), tokens }
    }
}

/// Who claims: the levels that bind a call, and the names of its model group.
#[derive(Clone, Copy)]
pub(super) struct Claimant<'a> {
    pub(super) gate: &'a Gate,
    pub(super) levels: &'a [Arc<LevelRecord>],
    pub(super) names: &'a [&'a str],
    pub(super) at: Timestamp,
}

impl Claimant<'_> {
    /// Claims this much of every limit, or nothing of any.
    pub(super) async fn claim(&self, demand: &Demand) -> Result<Claims, ClaimError> {
        self.gate.keys().claim(self.levels, self.names, demand, self.at).await
    }

    /// Claims the most that a call can use. Where a limit refuses what its length suggests, its
    /// prompt is counted if that may help; where a budget still refuses and the operator `clamps`,
    /// less is claimed and the call's answer is shortened.
    pub(super) async fn most(
        &self,
        call: &mut Call,
        resolved: &Resolved,
        mut asking: Asking,
        clamps: bool,
    ) -> Result<(Claims, Asking), ClaimError> {
        let table = tokens::table(self.gate, &resolved.deployments, self.levels, self.names);
        let mut claimed = self.claim(&asking.demand(call, self.levels)).await;
        if let Err(ClaimError::Exceeded(exceeded)) = &claimed {
            let least = Asking::of(call, resolved, Some(0)).demand(call, self.levels);
            let table = table.filter(|_| tokens::may_fit(&least, exceeded));
            if let Some(counted) = table.and_then(|table| tokens::counted(self.gate, call, table)) {
                asking = Asking::of(call, resolved, Some(counted));
                claimed = self.claim(&asking.demand(call, self.levels)).await;
            }
        }
        let refused = match claimed {
            Ok(claims) => return Ok((claims, asking)),
            Err(refused) if clamps => refused,
            Err(refused) => return Err(refused),
        };
        let mut most = Most { bound: asking.bound, demand: asking.demand(call, self.levels) };
        let deployments = &*resolved.deployments;
        let claims = clamp::claim_less(self, refused, (call, deployments), &mut most).await?;
        (asking.bound, asking.most) = (most.bound, asking.most.map(|_| most.demand.money));
        Ok((claims, asking))
    }
}

/// Limits that are at least as wide as those of every deployment that may serve the call.
fn widest(deployments: &[Arc<Deployment>]) -> ModelLimits {
    let over = |pick: fn(&ModelLimits) -> Option<u64>| {
        // One deployment without a limit leaves the group without one.
        deployments
            .iter()
            .map(|deployment| pick(&deployment.limits))
            .try_fold(0, |most, limit| limit.map(|limit| std::cmp::max(most, limit)))
    };
    ModelLimits {
        max_output: over(|limits| limits.max_output),
        reserve_output: over(|limits| limits.reserve_output),
    }
}

/// The most the call can cost at any deployment that may serve it; `None` when one of them has no
/// price.
pub(super) fn worst_case(deployments: &[Arc<Deployment>], bound: &Bound) -> Option<Money> {
    deployments.iter().try_fold(Money::ZERO, |most, deployment| {
        let sheet = deployment.prices.as_ref()?;
        let cost = sheet.upper_bound(bound.prompt, bound.completion).ok()?;
        Some(most.max(cost))
    })
}
