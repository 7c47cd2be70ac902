//! Admission: the model is allowed, every limit is claimed of and the ledger has room, or the call
//! goes no further.

mod asking;
mod clamp;
pub(crate) mod exceeded;
mod soft;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use tollgate_config::{Resolved, Settings, Snapshot, StoreFailure, UnboundedCalls, UnpricedModels};
use tollgate_domain::{
    Attribution, Level, ModelName, Money, OpenEntry, Subject, TagName, Timestamp, Usage, UsageKind,
};
use tollgate_faults::{Reason, Refusal};
use tollgate_policy::{Limits, nearest};
use tollgate_store::{Claims, LedgerSlot, LevelRecord};

use crate::authenticate::{self, Caller};
use crate::gate::Gate;
use crate::grants;
use crate::ingress::Call;
use crate::outlets;
use crate::ticket::{Admission, Holding, Ticket};
pub(crate) use asking::speaks;
use asking::{Asking, Beside, Claimant, NoPrice};

/// How many model names a refusal suggests.
const SUGGESTIONS_MAX: usize = 3;
/// Longest wait for a place in the ledger.
const LEDGER_WAIT_MAX: Duration = Duration::from_secs(2);

/// Admits the call. Either everything it claims is taken or nothing is. Where the operator wants
/// that, a call that a budget does not afford may be admitted with a lower output limit.
///
/// # Errors
/// Refused when the model is unknown or not granted, has no price under a budget, when a budget has
/// not enough left for the most the call can cost, when a rate or concurrency limit is reached, and
/// when as many calls are under way as the ledger has room for.
pub(crate) async fn admit(
    gate: &Gate,
    snapshot: &Snapshot,
    caller: &Caller,
    call: &mut Call,
) -> Result<(Ticket, Resolved), Refusal> {
    let name = call.request.asked.model.clone();
    let resolved = granted(snapshot, caller, name.as_str(), &*call)?;
    let levels = levels(gate, &snapshot.settings, caller, call).await?;
    let alias = call.alias.as_ref().map(|alias| alias.name.clone());
    let mut names = grants::names_of(snapshot, name.as_str());
    names.extend(alias.as_ref().map(ModelName::as_str)); // what it was asked by is limited too
    let place = Place { gate, settings: &snapshot.settings, levels: &levels, names: &names };
    let (beside, estimated) = place.checked(call, &resolved)?;
    let mut slot = slot(gate).await?;
    let admitted_at = gate.now();
    soft::tell(gate, &levels, admitted_at);
    let (claims, asking) = place.claimed(call, &resolved, estimated, admitted_at).await?;
    let attribution = attribution(caller, call);
    slot.open(opening(call, &resolved, &attribution, (admitted_at, &asking)));
    let ticket = Ticket::new(
        Admission {
            call: call.id,
            admitted_at,
            attribution,
            streamed: call.request.asked.stream,
            prompt_bytes: call.request.asked.prompt_bytes,
            unreported_searches: beside.unreported_searches(),
            client: call.request.format.wire(),
            holding: place.holding((call, &name), &resolved, (&asking, &claims)),
        },
        slot,
        claims,
        Arc::clone(gate.clock()),
    );
    Ok((ticket, resolved))
}

/// Admits the call to another model group: what it holds for the one before is given back, and what
/// it may need there is claimed by the same checks.
///
/// # Errors
/// As [`admit`]; the call holds nothing then, and may still be admitted to a third.
pub(crate) async fn again(
    gate: &Gate,
    snapshot: &Snapshot,
    (caller, call): (&Caller, &mut Call),
    ticket: &mut Ticket,
    name: &ModelName,
) -> Result<Resolved, Refusal> {
    let resolved = granted(snapshot, caller, name.as_str(), name.as_str())?;
    let levels = levels(gate, &snapshot.settings, caller, call).await?;
    let names = grants::names_of(snapshot, name.as_str());
    let place = Place { gate, settings: &snapshot.settings, levels: &levels, names: &names };
    let (_, estimated) = place.checked(call, &resolved)?;
    ticket.give_back();
    let (claims, asking) = place.claimed(call, &resolved, estimated, ticket.admitted_at()).await?;
    let holding = place.holding((call, name), &resolved, (&asking, &claims));
    ticket.hold(holding, claims);
    Ok(resolved)
}

/// Where a call is to be admitted: by whom it is bound, and the names of the model group.
#[derive(Clone, Copy)]
struct Place<'a> {
    gate: &'a Gate,
    settings: &'a Settings,
    levels: &'a [Arc<LevelRecord>],
    names: &'a [&'a str],
}

impl Place<'_> {
    /// What the call may consume beside its text and in all, once nothing forbids to claim for it.
    fn checked(&self, call: &Call, resolved: &Resolved) -> Result<(Beside, Asking), Refusal> {
        let Self { gate, settings, levels, names } = *self;
        let beside = Beside::of(call, &resolved.deployments, settings);
        let estimated = Asking::of(call, resolved, None, beside);
        priced(settings, levels, names, &estimated.most)?;
        bounded(settings, levels, names, || beside.is_open(&resolved.deployments))?;
        countable(gate, settings, levels, names)?;
        Ok((beside, estimated))
    }

    async fn claimed(
        &self,
        call: &mut Call,
        resolved: &Resolved,
        estimated: Asking,
        at: Timestamp,
    ) -> Result<(Claims, Asking), Refusal> {
        let Self { gate, settings, levels, names } = *self;
        let claimant = Claimant { gate, levels, names, at };
        let claimed = claimant.most(call, resolved, estimated, settings.clamp_max_tokens).await;
        claimed.map_err(|error| exceeded::not_claimed(&error, at))
    }

    fn holding(
        &self,
        (call, name): (&Call, &ModelName),
        resolved: &Resolved,
        (asking, claims): (&Asking, &Claims),
    ) -> Holding {
        Holding {
            model_group: group(name, resolved),
            prompt_tokens: asking.prompt_tokens,
            demand: asking.demand(call, self.levels),
            tokens: asking.tokens(),
            reserved: self.gate.reservations().add(claims.money()),
        }
    }
}

/// Refused when spend cannot be recorded and a budget binds the call, unless the operator lets each
/// node count on in memory. What is spent meanwhile is recorded later, but no other node sees it.
fn countable(
    gate: &Gate,
    settings: &Settings,
    levels: &[Arc<LevelRecord>],
    names: &[&str],
) -> Result<(), Refusal> {
    let closed = settings.on_store_failure == StoreFailure::Closed;
    let capped = || levels.iter().find(|level| level.caps_money(names));
    let Some(binding) = closed.then(capped).flatten() else { return Ok(()) };
    if gate.ledger().health().failing_since.is_none() {
        return Ok(());
    }
    let message = format!(
        "{} has a money budget, and the store that counts spend cannot be written to",
        exceeded::whose(binding)
    );
    Err(Refusal::new(Reason::BudgetStoreUnavailable, message).with_retry_after(LEDGER_WAIT_MAX))
}

/// A place in the ledger. The writer may be behind for a moment; longer than that, calls are
/// refused rather than collected. While the database is away they are taken for as long as the
/// spool has room.
async fn slot(gate: &Gate) -> Result<LedgerSlot, Refusal> {
    if gate.ledger().health().full {
        let message =
            "the database cannot be written to, and the spool of what waits for it is full";
        let refusal = Refusal::new(Reason::StoreUnavailable, message);
        return Err(refusal.with_retry_after(LEDGER_WAIT_MAX));
    }
    if let Some(slot) = gate.ledger().reserve() {
        return Ok(slot);
    }
    gate.ledger().reserve_within(LEDGER_WAIT_MAX).await.ok_or_else(|| {
        let message = "as many calls are under way as the gateway takes on at once";
        Refusal::new(Reason::GatewayBusy, message).with_retry_after(LEDGER_WAIT_MAX)
    })
}

/// The model group of this name, if it exists and the caller may use it. What a caller may not
/// use is not suggested to them either.
fn granted<'n>(
    snapshot: &Snapshot,
    caller: &Caller,
    name: &str,
    asked: impl Into<grants::Asked<'n>>,
) -> Result<Resolved, Refusal> {
    let resolved = snapshot.resolve(name).ok_or_else(|| unknown(snapshot, caller, name))?;
    grants::must_be_granted(snapshot, caller, asked)?;
    Ok(resolved)
}

fn unknown(snapshot: &Snapshot, caller: &Caller, name: &str) -> Refusal {
    let visible = grants::visible(snapshot, caller).into_iter();
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

/// Everybody whose limits bind the call: the caller's, and the customer's it names.
async fn levels(
    gate: &Gate,
    settings: &Settings,
    caller: &Caller,
    call: &Call,
) -> Result<Vec<Arc<LevelRecord>>, Refusal> {
    let mut levels = caller.levels().to_vec();
    if let Some(limits) = &settings.budgets.whole {
        levels.push(outlets::fixed(gate, &Subject::new(Level::All, ""), limits).await?);
    }
    let named = call.customer.iter().map(|id| Subject::new(Level::Customer, id.as_str()));
    let tags = caller.attribution();
    let tags = tags.tags.iter().chain(&call.tags);
    for subject in named.chain(tags.map(|tag| Subject::new(Level::Tag, tag.as_str()))) {
        if let Some(limits) = tag_in_file(settings, &subject) {
            levels.push(outlets::fixed(gate, &subject, limits).await?);
            continue;
        }
        let level = gate.keys().level(&subject).await;
        let level = level.map_err(|problem| authenticate::unreachable(&problem))?;
        authenticate::open(&level)?;
        levels.push(level);
    }
    Ok(levels)
}

/// The limits that the configuration sets for a tag.
fn tag_in_file<'a>(settings: &'a Settings, subject: &Subject) -> Option<&'a Limits> {
    let tag = || TagName::new(&subject.id).ok();
    let tags = &settings.budgets.tags;
    (subject.level == Level::Tag && !tags.is_empty()).then(tag)?.and_then(|tag| tags.get(&tag))
}

/// Checks that the most a call can cost is known where a budget binds it.
fn priced(
    settings: &Settings,
    levels: &[Arc<LevelRecord>],
    names: &[&str],
    most: &Result<Money, NoPrice>,
) -> Result<(), Refusal> {
    let Some(binding) = levels.iter().find(|level| level.caps_money(names)) else {
        return Ok(());
    };
    match (most, settings.unpriced_models) {
        (Ok(_), _) | (Err(_), UnpricedModels::Allow) => Ok(()),
        (Err(missing), UnpricedModels::Block | UnpricedModels::Assume(_)) => {
            let message = format!(
                "the model `{}` has no known price{} and {} has a money budget",
                names.first().copied().unwrap_or_default(),
                missing.in_words(),
                exceeded::whose(binding)
            );
            Err(Refusal::new(Reason::PriceUnknown, message).with_param("model"))
        }
    }
}

/// Checks that something bounds what a call may cost where a budget binds it, unless the operator
/// said what it holds then.
fn bounded(
    settings: &Settings,
    levels: &[Arc<LevelRecord>],
    names: &[&str],
    is_open: impl FnOnce() -> bool,
) -> Result<(), Refusal> {
    let blocks = settings.unbounded_calls == UnboundedCalls::Block;
    let capped = || levels.iter().find(|level| level.caps_money(names));
    let Some(binding) = blocks.then(capped).flatten().filter(|_| is_open()) else { return Ok(()) };
    let message = format!(
        "nothing limits what this call may cost beside its tokens, and {} has a money budget",
        exceeded::whose(binding)
    );
    Err(Refusal::new(Reason::CostUnbounded, message))
}

/// The name in records: the group's own, or for a wildcard the model that is asked of it.
fn group(name: &ModelName, resolved: &Resolved) -> ModelName {
    if resolved.group.is_pattern() { name.clone() } else { resolved.group.clone() }
}

fn attribution(caller: &Caller, call: &Call) -> Arc<Attribution> {
    let attribution = caller.attribution();
    if call.customer.is_none() && call.tags.is_empty() {
        return attribution;
    }
    let mut attribution = Arc::unwrap_or_clone(attribution);
    attribution.customer.clone_from(&call.customer);
    attribution.charge_to(&call.tags);
    Arc::new(attribution)
}

fn opening(
    call: &Call,
    resolved: &Resolved,
    attribution: &Arc<Attribution>,
    (admitted_at, asking): (Timestamp, &Asking),
) -> OpenEntry {
    let prompt = asking.text;
    let sheet = resolved.deployments.first().and_then(|deployment| deployment.prices.as_ref());
    let prompt_usage = Usage::UNKNOWN.with(UsageKind::Input, prompt);
    OpenEntry {
        call: call.id,
        admitted_at,
        attribution: Arc::clone(attribution),
        model_group: group(&call.request.asked.model, resolved),
        streamed: call.request.asked.stream,
        held: asking.most.ok(),
        input_estimate: prompt,
        input_cost: sheet.and_then(|sheet| sheet.cost(&prompt_usage).ok()),
        price_sheet: sheet.map(|sheet| sheet.id.clone()),
    }
}
