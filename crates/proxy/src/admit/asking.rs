//! What a call can use at most, and the claim of it: by the length of its prompt, else by its
//! count, else with a shorter answer.

use std::sync::Arc;

use tollgate_config::{Deployment, Resolved, Settings, UnboundedCalls};
use tollgate_domain::{Money, Quantity, Timestamp, UsageKind};
use tollgate_policy::{Bound, Demand, Extras, ModelLimits, PriceSheet, Unpriced, bound};
use tollgate_store::{ClaimError, Claims, LevelRecord};
use tollgate_wire::WireFormat;
use tollgate_wire::translate::Besides;

use super::clamp::{self, Most};
use super::tokens;
use crate::gate::Gate;
use crate::ingress::Call;

/// What a call can use at most.
pub(super) struct Asking {
    /// The prompt's tokens, where they were counted.
    pub(super) prompt_tokens: Option<u64>,
    /// The most tokens that its text comes to: a part of `bound`.
    pub(super) text: Quantity,
    pub(super) bound: Bound,
    pub(super) beside: Beside,
    /// What that can cost, where every deployment has a price for it.
    pub(super) most: Result<Money, NoPrice>,
}

/// Why nobody knows what a call can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoPrice(Option<Unpriced>);

impl NoPrice {
    /// What has no price, behind the model's name.
    pub(super) const fn in_words(self) -> &'static str {
        match self.0 {
            Some(Unpriced::Kind(UsageKind::Searches)) => " for the searches that the call allows",
            Some(Unpriced::OutOfRange) => " that money can express for so long a call",
            Some(Unpriced::Kind(_)) | None => "",
        }
    }
}

/// What a call may consume beside the tokens of its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    client: WireFormat,
    besides: Besides,
    /// Whether the length of its prompt is known to its provider alone.
    endless: bool,
    reserve: Money,
}

impl Beside {
    pub(super) fn of(call: &Call, deployments: &[Arc<Deployment>], settings: &Settings) -> Self {
        let besides = call.request.besides();
        let reserve = match settings.unbounded_calls {
            UnboundedCalls::Block => Money::ZERO,
            UnboundedCalls::Reserve(reserve) => reserve,
        };
        let endless = besides.elsewhere && widest(deployments).max_input.is_none();
        Self { client: call.request.format.wire(), besides, endless, reserve }
    }

    /// What a deployment may be asked for. The tools that one provider runs mean nothing to
    /// another format: translations leave them out or refuse them.
    fn at(&self, deployment: &Deployment) -> Extras {
        let plain = Extras { unmeasured: self.endless, reserve: self.reserve, ..Extras::NONE };
        if !speaks(deployment, self.client) {
            return plain;
        }
        let Besides { searches, billed_tools, .. } = self.besides;
        Extras { searches, unmeasured: self.endless || billed_tools, ..plain }
    }

    /// Each deployment's prices, with what it may be asked for; `None` when one has no price.
    pub(super) fn sheets<'d>(
        &self,
        deployments: &'d [Arc<Deployment>],
    ) -> Option<Vec<(&'d PriceSheet, Extras)>> {
        let sheet = |deployment: &'d Arc<Deployment>| {
            Some((deployment.prices.as_deref()?, self.at(deployment)))
        };
        deployments.iter().map(sheet).collect()
    }

    /// Whether nothing bounds what the call may cost at one of the deployments.
    pub(super) fn is_open(&self, deployments: &[Arc<Deployment>]) -> bool {
        let sheets = self.sheets(deployments);
        sheets.is_some_and(|sheets| sheets.iter().any(|(sheet, extras)| sheet.is_open(extras)))
    }

    /// The searches of an answer in a format whose reports leave them out.
    pub(super) fn unreported_searches(&self) -> u64 {
        match self.client {
            WireFormat::OpenAiChat => self.besides.searches.unwrap_or(0),
            _ => 0,
        }
    }
}

/// Whether a deployment is called in a client's own format.
pub(crate) fn speaks(deployment: &Deployment, client: WireFormat) -> bool {
    deployment.endpoint(client).is_some_and(|endpoint| endpoint.format == client)
}

impl Asking {
    pub(super) fn of(
        call: &Call,
        resolved: &Resolved,
        prompt_tokens: Option<u64>,
        beside: Beside,
    ) -> Self {
        let asked = &call.request.asked;
        let limits = widest(&resolved.deployments);
        let bound = bound(asked.prompt_bytes, asked.output_tokens_max, asked.choices, &limits);
        let bound = prompt_tokens.map_or(bound, |tokens| bound.with_prompt(tokens));
        let text = bound.prompt;
        let bound = bound.with_pictures(beside.besides.pictures);
        let elsewhere = limits.max_input.filter(|_| beside.besides.elsewhere);
        let bound = elsewhere.map_or(bound, |most| bound.with_prompt_from(most));
        let most = worst_case(&resolved.deployments, &bound, &beside);
        Self { prompt_tokens, text, bound, beside, most }
    }

    /// The tokens it may come to, prompt and answer together.
    pub(super) fn tokens(&self) -> u64 {
        let completion = self.bound.completion;
        (self.text.milli() / 1000).saturating_add(completion.milli() / 1000)
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
            let least =
                Asking::of(call, resolved, Some(0), asking.beside).demand(call, self.levels);
            let table = table.filter(|_| tokens::may_fit(&least, exceeded));
            if let Some(counted) = table.and_then(|table| tokens::counted(self.gate, call, table)) {
                asking = Asking::of(call, resolved, Some(counted), asking.beside);
                claimed = self.claim(&asking.demand(call, self.levels)).await;
            }
        }
        let refused = match claimed {
            Ok(claims) => return Ok((claims, asking)),
            Err(refused) if clamps => refused,
            Err(refused) => return Err(refused),
        };
        let mut most = Most {
            bound: asking.bound,
            beside: asking.beside,
            demand: asking.demand(call, self.levels),
        };
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
        max_input: over(|limits| limits.max_input),
        max_output: over(|limits| limits.max_output),
        reserve_output: over(|limits| limits.reserve_output),
    }
}

/// The most the call can cost at any deployment that may serve it.
///
/// # Errors
/// What has no price at one of them.
pub(super) fn worst_case(
    deployments: &[Arc<Deployment>],
    bound: &Bound,
    beside: &Beside,
) -> Result<Money, NoPrice> {
    let sheets = beside.sheets(deployments).ok_or(NoPrice(None))?;
    sheets.iter().try_fold(Money::ZERO, |most, (sheet, extras)| {
        let cost = sheet.upper_bound(bound, extras);
        Ok(most.max(cost.map_err(|unpriced| NoPrice(Some(unpriced)))?))
    })
}
