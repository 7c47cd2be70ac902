//! Admission: the model is allowed, the money is held and the ledger has room, or the call goes no
//! further.

use std::sync::Arc;
use std::time::Duration;

use tollgate_config::{Deployment, Resolved, Settings, Snapshot, UnpricedModels};
use tollgate_domain::{
    Attribution, ModelName, Money, OpenEntry, Quantity, Timestamp, Usage, UsageKind,
};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Bound, ModelLimits, OverBudget, bound, nearest};
use tollgate_store::{Hold, LedgerSlot};

use crate::authenticate::Caller;
use crate::gate::Gate;
use crate::grants;
use crate::ingress::Call;
use crate::ticket::{Admission, Ticket};

/// How many model names a refusal suggests.
const SUGGESTIONS_MAX: usize = 3;
/// Longest wait for a place in the ledger.
const LEDGER_WAIT_MAX: Duration = Duration::from_secs(2);

/// Admits the call. Either everything it claims is taken or nothing is.
///
/// # Errors
/// Refused when the model is unknown or not granted, has no price under a budget, when the budget
/// has not enough left for the most the call can cost, and when as many calls are under way as the
/// ledger has room for.
pub(crate) async fn admit(
    gate: &Gate,
    snapshot: &Snapshot,
    caller: &Caller,
    call: &Call,
) -> Result<(Ticket, Resolved), Refusal> {
    let resolved = granted(snapshot, caller, call)?;
    let bound = bound(
        call.request.asked.prompt_bytes,
        call.request.asked.output_tokens_max,
        call.request.asked.choices,
        &widest(&resolved.deployments),
    );
    let most = worst_case(&resolved.deployments, &bound);
    let hold = hold(caller, &snapshot.settings, &resolved, most)?;
    let mut slot = slot(gate).await?;
    let admitted_at = gate.now();
    let attribution = attribution(caller, call);
    slot.open(opening(call, &resolved, &attribution, (admitted_at, most, bound.prompt)));
    let ticket = Ticket::new(
        Admission {
            call: call.id,
            admitted_at,
            attribution,
            model_group: group(call, &resolved),
            streamed: call.request.asked.stream,
            prompt_bytes: call.request.asked.prompt_bytes,
        },
        slot,
        hold,
        Arc::clone(gate.clock()),
    );
    Ok((ticket, resolved))
}

/// A place in the ledger. The writer may be behind for a moment; longer than that, calls are
/// refused rather than collected.
async fn slot(gate: &Gate) -> Result<LedgerSlot, Refusal> {
    if let Some(slot) = gate.ledger().reserve() {
        return Ok(slot);
    }
    gate.ledger().reserve_within(LEDGER_WAIT_MAX).await.ok_or_else(|| {
        let message = "as many calls are under way as the gateway takes on at once";
        Refusal::new(Reason::GatewayBusy, message).with_retry_after(LEDGER_WAIT_MAX)
    })
}

/// The model group the call names, if it exists and the caller may use it. What a caller may not
/// use is not suggested to them either.
fn granted(snapshot: &Snapshot, caller: &Caller, call: &Call) -> Result<Resolved, Refusal> {
    let name = call.request.asked.model.as_str();
    let grant = caller.grant();
    match snapshot.resolve(name) {
        Some(resolved) if grants::may_use(snapshot, grant, name) => Ok(resolved),
        Some(_) => Err(Refusal::new(
            Reason::ModelNotGranted,
            format!("this key may not use the model `{name}`"),
        )
        .with_param("model")),
        None => Err(unknown(snapshot, caller, name)),
    }
}

fn unknown(snapshot: &Snapshot, caller: &Caller, name: &str) -> Refusal {
    let visible = grants::visible(snapshot, caller.grant()).map(ModelName::as_str);
    let close = nearest(name, visible, SUGGESTIONS_MAX);
    let refusal = Refusal::new(Reason::ModelUnknown, format!("there is no model `{name}`"))
        .with_param("model");
    if close.is_empty() {
        return refusal;
    }
    let names: Vec<String> = close.iter().map(|model| format!("`{model}`")).collect();
    refusal.with_fix(format!(
        "did you mean {}? GET /v1/models lists every model of this key",
        names.join(" or ")
    ))
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
fn worst_case(deployments: &[Arc<Deployment>], bound: &Bound) -> Option<Money> {
    deployments.iter().try_fold(Money::ZERO, |most, deployment| {
        let sheet = deployment.prices.as_ref()?;
        let cost = sheet.upper_bound(bound.prompt, bound.completion).ok()?;
        Some(most.max(cost))
    })
}

fn hold(
    caller: &Caller,
    settings: &Settings,
    resolved: &Resolved,
    most: Option<Money>,
) -> Result<Option<Hold>, Refusal> {
    let Some(budget) = caller.budget() else { return Ok(None) };
    let amount = match most {
        Some(amount) => amount,
        None if budget.cap().is_none() => Money::ZERO,
        None => match settings.unpriced_models {
            UnpricedModels::Allow => Money::ZERO,
            UnpricedModels::Block | UnpricedModels::Assume(_) => return Err(unpriced(resolved)),
        },
    };
    budget.hold(amount).map(Some).map_err(over_budget)
}

fn unpriced(resolved: &Resolved) -> Refusal {
    let message = format!(
        "the model `{}` has no known price and this key has a money budget",
        resolved.group
    );
    Refusal::new(Reason::PriceUnknown, message).with_param("model")
}

fn over_budget(over: OverBudget) -> Refusal {
    let OverBudget { cap, spent, held, asked } = over;
    let message = format!(
        "this call can cost up to ${asked}; the key has spent ${spent} of its ${cap} budget and \
         ${held} more is held for calls under way"
    );
    if over.by_reservation() {
        Refusal::new(Reason::BudgetReservedByOtherRequests, message)
    } else {
        Refusal::new(Reason::BudgetExceeded, message)
    }
}

/// The name in records: the group's own, or for a wildcard the model that the client named.
fn group(call: &Call, resolved: &Resolved) -> ModelName {
    if resolved.group.is_pattern() {
        call.request.asked.model.clone()
    } else {
        resolved.group.clone()
    }
}

fn attribution(caller: &Caller, call: &Call) -> Arc<Attribution> {
    let attribution = caller.attribution();
    match &call.customer {
        None => attribution,
        Some(customer) => Arc::new(Attribution {
            customer: Some(customer.clone()),
            ..Attribution::clone(&attribution)
        }),
    }
}

fn opening(
    call: &Call,
    resolved: &Resolved,
    attribution: &Arc<Attribution>,
    (admitted_at, held, prompt): (Timestamp, Option<Money>, Quantity),
) -> OpenEntry {
    let sheet = resolved.deployments.first().and_then(|deployment| deployment.prices.as_ref());
    let prompt_usage = Usage::UNKNOWN.with(UsageKind::Input, prompt);
    OpenEntry {
        call: call.id,
        admitted_at,
        attribution: Arc::clone(attribution),
        model_group: group(call, resolved),
        streamed: call.request.asked.stream,
        held,
        input_estimate: prompt,
        input_cost: sheet.and_then(|sheet| sheet.cost(&prompt_usage).ok()),
        price_sheet: sheet.map(|sheet| sheet.id.clone()),
    }
}
