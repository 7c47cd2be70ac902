//! How calls find their deployments: strategy, retries, cooldowns, fallbacks, tags.

use std::collections::BTreeMap;

use tollgate_domain::ModelName;
use tollgate_policy::{
    Exception, Fallbacks, HealthRules, JourneyRules, NUM_RETRIES, PerException, RetryRules,
    Strategy, TagMatch, nearest,
};

use super::RETRIES_MAX;
use crate::diagnostic::{Finding, code};
use crate::schema::{KnownKeys, Reader, Section};
use crate::yaml::Entry;

/// How calls find their deployments (config.md, router_settings).
#[derive(Debug, Clone, Default)]
pub struct Routing {
    /// The order of a tier's deployments.
    pub strategy: Strategy,
    /// Retries, where neither the call nor the deployment says.
    pub retries: RetryRules,
    /// Retries by class for single model groups, which go before [`Routing::retries`].
    pub retries_of: BTreeMap<ModelName, PerException>,
    /// When deployments rest.
    pub health: HealthRules,
    /// The limits of a call's way.
    pub journey: JourneyRules,
    /// Which model groups follow which.
    pub fallbacks: Fallbacks,
    /// Whether tags take part in routing, and how: `enable_tag_filtering`.
    pub tags: Option<TagMatch>,
    /// Whether prompts are counted to leave out deployments whose window is too small, and those
    /// over their own rates: `enable_pre_call_checks`.
    pub checks_first: bool,
}

/// Reads everything but the fallbacks, which name models.
pub(super) fn read(
    reader: &mut Reader<'_>,
    (litellm, router): (&mut Section<'_>, &mut Section<'_>),
) -> Routing {
    let mut routing = Routing::default();
    if let Some(entry) = router.take("routing_strategy") {
        routing.strategy = strategy(reader, entry);
    }
    retries(reader, (litellm, router), &mut routing);
    health(reader, router, &mut routing.health);
    let mut flag = |section: &mut Section<'_>, name| {
        section.take(name).and_then(|entry| reader.flag(entry)).unwrap_or(false)
    };
    let filters = flag(router, "enable_tag_filtering");
    routing.checks_first = flag(router, "enable_pre_call_checks");
    routing.journey.failover |= flag(router, "enable_weighted_failover");
    let any = router.take("tag_filtering_match_any").and_then(|entry| reader.flag(entry));
    let matching = if any.unwrap_or(true) { TagMatch::Any } else { TagMatch::All };
    routing.tags = filters.then_some(matching);
    if let Some(entry) = router.take("max_fallbacks")
        && let Some(count) = reader.count(entry, FALLBACKS_MAX)
    {
        routing.journey.fallbacks_max = u32::try_from(count).unwrap_or(u32::MAX);
    }
    routing
}

/// `num_retries`, `retry_policy`, `model_group_retry_policy` and `retry_after`.
fn retries(
    reader: &mut Reader<'_>,
    (litellm, router): (&mut Section<'_>, &mut Section<'_>),
    routing: &mut Routing,
) {
    let mut count = |section: &mut Section<'_>| {
        let count = section.take("num_retries").and_then(|e| reader.count(e, RETRIES_MAX))?;
        u32::try_from(count).ok()
    };
    let (of_litellm, of_router) = (count(litellm), count(router));
    routing.retries.num_retries = of_router.or(of_litellm).unwrap_or(NUM_RETRIES);
    if let Some(entry) = router.take("retry_policy") {
        routing.retries.policy = per_exception(reader, entry, Exception::retries_key);
    }
    if let Some(entry) = router.take("model_group_retry_policy") {
        let groups = reader.mapping(entry).into_iter().flat_map(|mapping| &mapping.entries);
        for group in groups {
            let policy = per_exception(reader, group, Exception::retries_key);
            match ModelName::new(&group.name) {
                Ok(name) => {
                    routing.retries_of.insert(name, policy.or(routing.retries.policy));
                }
                Err(_) => no_model_name(reader, group),
            }
        }
    }
    if let Some(entry) = router.take("retry_after")
        && let Some(wait) = reader.seconds_or_zero(entry)
    {
        routing.retries.wait_min = wait;
    }
}

/// `allowed_fails`, `allowed_fails_policy`, `cooldown_time` and `disable_cooldowns`.
fn health(reader: &mut Reader<'_>, router: &mut Section<'_>, rules: &mut HealthRules) {
    let fails = router.take("allowed_fails").and_then(|entry| reader.count(entry, FAILS_MAX));
    // LiteLLM takes its own default for nothing said (runtime-semantics §7.6).
    rules.allowed_fails =
        fails.and_then(|count| u32::try_from(count).ok()).filter(|count| *count != FAILS_USUAL);
    if let Some(entry) = router.take("allowed_fails_policy") {
        rules.allowed_fails_policy = per_exception(reader, entry, Exception::allowed_fails_key);
    }
    if let Some(entry) = router.take("cooldown_time")
        && let Some(cooldown) = reader.seconds_or_zero(entry)
    {
        rules.cooldown = cooldown;
    }
    let off = router.take("disable_cooldowns").and_then(|entry| reader.flag(entry));
    rules.cools = !off.unwrap_or(false);
}

/// When a deployment rests: what its entry says, and where that says nothing, the router.
pub(crate) fn of_deployment(
    reader: &mut Reader<'_>,
    (params, info): (&mut Section<'_>, &mut Section<'_>),
    shared: &HealthRules,
) -> HealthRules {
    let mut rules = *shared;
    let mut take = |name| {
        let (of_params, of_info) = (params.take(name), info.take(name));
        of_params.or(of_info)
    };
    let (cooldown, fails) = (take("cooldown_time"), take("allowed_fails"));
    let policy = take("allowed_fails_policy");
    if let Some(cooldown) = cooldown.and_then(|entry| reader.seconds_or_zero(entry)) {
        rules.cooldown = cooldown;
    }
    if let Some(fails) = fails.and_then(|entry| reader.count(entry, FAILS_MAX)) {
        rules.allowed_fails = u32::try_from(fails).ok();
    }
    if let Some(entry) = policy {
        let own = per_exception(reader, entry, Exception::allowed_fails_key);
        rules.allowed_fails_policy = own.or(shared.allowed_fails_policy);
    }
    rules
}

/// Counts by LiteLLM's exception classes.
fn per_exception(
    reader: &mut Reader<'_>,
    entry: &Entry,
    key: fn(Exception) -> &'static str,
) -> PerException {
    let mut policy = PerException::default();
    let Some(mapping) = reader.mapping(entry) else { return policy };
    let mut section = Section::new("a policy by exception", mapping);
    for exception in Exception::ALL {
        if let Some(entry) = section.take(key(exception))
            && let Some(count) = reader.count(entry, RETRIES_MAX)
        {
            policy.set(exception, u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
    policy
}

fn strategy(reader: &mut Reader<'_>, entry: &Entry) -> Strategy {
    let Some(name) = reader.text(entry) else { return Strategy::default() };
    if let Some(strategy) = Strategy::parse(&name) {
        return strategy;
    }
    let span = entry.node.span.clone();
    reader.findings.push(if name == "lar1" {
        let message = format!("the strategy `{name}` is not there; `simple-shuffle` is used");
        Finding::warning(code::NO_EFFECT, span, message)
    } else {
        let near = nearest(&name, Strategy::ALL.into_iter().map(Strategy::as_str), 2);
        Finding::error(code::OUT_OF_RANGE, span, format!("there is no strategy `{name}`"))
            .with_nearest(&near)
    });
    Strategy::default()
}

fn no_model_name(reader: &mut Reader<'_>, entry: &Entry) {
    let message = format!("`{}` is not a model name", entry.name);
    reader.findings.push(Finding::error(code::MALFORMED, entry.name_span.clone(), message));
}

/// Most groups after the first that may be asked for.
const FALLBACKS_MAX: u64 = 32;
/// What LiteLLM allows when nobody says.
const FAILS_USUAL: u32 = 3;
/// Most failures in a minute that may be allowed.
const FAILS_MAX: u64 = 1_000_000;

#[cfg(test)]
mod tests;
