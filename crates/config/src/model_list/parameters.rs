//! The parameters of one deployment: `litellm_params` and `model_info` at a known provider.

use std::num::NonZeroU32;
use std::sync::Arc;

use tollgate_domain::{DeploymentId, ModelName};
use tollgate_policy::{Bounds, Candidate, HealthRules, MoneyBound, nearest};
use tollgate_wire::capability::Capability;
use tollgate_wire::{Calling, Provider};

use super::access::{self, Access};
use super::body::{self, Fields};
use super::credential::{self, Needed, Subject};
use super::provider::Inferred;
use super::{Context, forward, price};
use crate::budgets;
use crate::deployment::Deployment;
use crate::diagnostic::{Finding, code};
use crate::price::field::is_price;
use crate::schema::{KnownKeys, Reader, Section};
use crate::settings::{RETRIES_MAX, Shared, calls_at_once, routing};
use crate::snapshot::listed;
use crate::timeouts::{OwnTimeouts, Timeouts};
use crate::yaml::Span;

/// Most tokens or requests a minute that may be configured.
const PER_MINUTE_MAX: u64 = 1_000_000_000_000;
/// Calls that a thousand tokens a minute stand for (config.md, `max_parallel_requests`).
const CALLS_PER_KILOTOKEN: u64 = 6;
/// Most tiers of deployments in a group.
const ORDER_MAX: u64 = 1_000_000;

/// What a deployment is, apart from its provider and parameters.
pub(super) struct Common {
    pub(super) id: DeploymentId,
    pub(super) group: ModelName,
    /// `model_info.base_model` and where it stands.
    pub(super) base_model: Option<(String, Span)>,
    /// The names under which lists of models grant it together with others: those in
    /// `model_info.access_groups` (management-api §2).
    pub(super) access_groups: Arc<[Box<str>]>,
    /// `model_info.blocked`.
    pub(super) blocked: bool,
}

impl Common {
    /// The same at one of several providers.
    pub(super) fn at(&self, provider: &Provider) -> Option<Self> {
        Some(Self {
            id: DeploymentId::new(&format!("{}/{}", self.id, provider.name)).ok()?,
            group: self.group.clone(),
            base_model: self.base_model.clone(),
            access_groups: Arc::clone(&self.access_groups),
            blocked: self.blocked,
        })
    }
}

/// One deployment while its parameters are read.
pub(super) struct Part<'s> {
    pub(super) subject: Subject<'s>,
    /// `None` when a finding says why there will be no deployment; the rest is read all the same,
    /// so that every problem is found.
    pub(super) common: Option<Common>,
}

/// The parameters that mean the same at every provider.
pub(super) struct Plain {
    extra_body: Fields,
    candidate: Candidate,
    budget: Option<MoneyBound>,
    calls_at_once_max: Option<NonZeroU32>,
    timeouts: OwnTimeouts,
    num_retries: Option<u32>,
    tags: Arc<[Box<str>]>,
    health: HealthRules,
    own_prices: price::Own,
}

impl Plain {
    /// Reads them. An entry whose provider is not known is read this far too, so that every
    /// problem is found at once.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        (params, info): (&mut Section<'_>, &mut Section<'_>),
        shared: &HealthRules,
    ) -> Self {
        let tags = params.take("tags").map(|entry| reader.texts(entry)).unwrap_or_default();
        Self {
            tags: tags.into_iter().map(String::into_boxed_str).collect(),
            health: routing::of_deployment(reader, (params, info), shared),
            extra_body: body::extra(reader, params),
            candidate: candidate(reader, params),
            budget: budgets::of_deployment(reader, params),
            calls_at_once_max: params
                .take("max_parallel_requests")
                .and_then(|entry| calls_at_once(reader, entry)),
            timeouts: own_timeouts(reader, params),
            num_retries: retries(reader, params),
            own_prices: price::own(reader, params, info),
        }
    }

    /// Says what its prices leave open.
    fn warn(&self, reader: &mut Reader<'_>) {
        if let Some((prices, span)) = &self.own_prices {
            price::warn_partial(reader, prices, span);
        }
    }

    /// The most calls at once (config.md, `max_parallel_requests`).
    fn calls_at_once_max(&self, shared: Option<NonZeroU32>) -> Option<NonZeroU32> {
        let Candidate { rpm, tpm, .. } = self.candidate;
        let of_tpm = tpm.map(|tpm| (tpm.saturating_mul(CALLS_PER_KILOTOKEN) / 1000).max(1));
        let of_rate = rpm.or(of_tpm).map(|calls| u32::try_from(calls).unwrap_or(u32::MAX));
        self.calls_at_once_max.or_else(|| of_rate.and_then(NonZeroU32::new)).or(shared)
    }
}

impl Part<'_> {
    /// The deployment, unless a finding says why there is none.
    pub(super) fn deployment(
        self,
        cx: &mut Context<'_, '_>,
        (mut params, mut info): (Section<'_>, Section<'_>),
        inferred: Inferred,
    ) -> Option<Deployment> {
        let Inferred { provider, mut upstream_model, pinned } = inferred;
        let reader = &mut *cx.reader;
        let forwards = forward::read(reader, &mut params, cx.shared, self.group());
        let brought = forwards.keys || forwards.tokens && !provider.client_tokens.is_empty();
        let called = (&*provider, &mut upstream_model);
        let access = access::read(reader, &mut params, called, (self.subject, brought));
        let version = credential::api_version(reader, params.take("api_version"), &provider);
        let headers = body::headers(reader, &mut params, &provider);
        let edits = body::edits(reader, &mut params, cx.shared);
        let plain = Plain::read(reader, (&mut params, &mut info), &cx.shared.health);
        let (bounds, calls_at_once_max) = plain.binds(cx.shared);
        let defaults = body::defaults(reader, &params);
        let limits = price::limits(reader, &mut info, output_limit(&defaults));
        let mode = last_of_info(reader, &mut info);
        plain.warn(reader);
        let pinned = pinned.or_else(|| provider.responses_only(mode.as_deref()));
        let (common, Access { base_url, variables, key, identity }) = self.ready(access)?;
        let Common { id, group, base_model, access_groups, blocked } = common;
        let template = Deployment {
            prices: plain.own_prices.and_then(|(prices, _)| price::sheet(prices, &id)),
            id,
            group,
            access_groups,
            blocked,
            upstream_model: upstream_model.into(),
            base_url: base_url.url.into(),
            calling: Calling { pinned, own_base_url: base_url.own },
            base_model: base_model.as_ref().map(|(model, _)| Arc::from(model.as_str())),
            capability: &Capability::UNKNOWN,
            variables: variables.into(),
            drop_params: edits.drops,
            modify_params: edits.repairs,
            allowed_params: edits.allowed.into(),
            key,
            identity: identity.map(Arc::new),
            api_version: version.map(Arc::from),
            headers: headers.into(),
            forwards,
            candidate: Candidate { available: !blocked, ..plain.candidate },
            bounds: Arc::new(bounds),
            tags: plain.tags,
            health: plain.health,
            calls_at_once_max,
            limits,
            timeouts: Timeouts::resolve(&plain.timeouts, &cx.shared.timeouts),
            num_retries: plain.num_retries,
            defaults: defaults.into(),
            extra_body: plain.extra_body.into(),
            drop_paths: edits.drop_paths.into(),
            mode: mode.map(Arc::from),
            provider,
        };
        Some(priced(cx, template, base_model.as_ref()))
    }

    /// The name of its group; empty when it has none.
    fn group(&self) -> &str {
        self.common.as_ref().map_or("", |common| common.group.as_str())
    }

    /// What a deployment cannot do without, when all of it is there.
    fn ready(self, access: Needed<Access>) -> Option<(Common, Access)> {
        match (self.common, access) {
            (Some(common), Needed::Found(access)) => Some((common, access)),
            _ => None,
        }
    }
}

/// The deployment with what the price list knows of its model: of `base_model`, else of its own
/// name. A template keeps its wildcard and is priced for each call, unless `base_model` is listed.
fn priced(
    cx: &mut Context<'_, '_>,
    template: Deployment,
    base: Option<&(String, Span)>,
) -> Deployment {
    let provider = template.provider.name.as_str().to_owned();
    let model = Arc::clone(&template.upstream_model);
    let of_base =
        base.and_then(|(base, _)| cx.prices.find(&[base.as_str(), &format!("{provider}/{base}")]));
    if let (Some((base, span)), None, None) = (base, &of_base, &template.prices) {
        let message = format!("the price list has no `{base}`");
        let finding = Finding::warning(code::PRICE_UNKNOWN, span.clone(), message);
        let near = nearest(base, cx.prices.names(), 2);
        cx.reader.findings.push(finding.with_nearest(&near));
    }
    if of_base.is_none() && model.contains('*') {
        return template;
    }
    let found = of_base.or_else(|| listed(cx.prices, &provider, &model));
    template.of_model(model, found, cx.assumed)
}

fn candidate(reader: &mut Reader<'_>, params: &mut Section<'_>) -> Candidate {
    let mut count = |name, most| params.take(name).and_then(|entry| reader.count(entry, most));
    let order = count("order", ORDER_MAX).and_then(|order| u32::try_from(order).ok());
    let (rpm, tpm) = (count("rpm", PER_MINUTE_MAX), count("tpm", PER_MINUTE_MAX));
    let weight = params.take("weight").and_then(|entry| reader.milli(entry));
    Candidate { order: order.unwrap_or(0), weight, rpm, tpm, available: true }
}

impl Plain {
    /// What may be spent and asked for at the deployment, and how many calls it takes at one time.
    fn binds(&self, shared: &Shared) -> (Bounds, Option<NonZeroU32>) {
        (bounds(self, shared), self.calls_at_once_max(shared.calls_at_once_max))
    }
}

/// Its own budget, and its rates where the operator wants them enforced instead of only weighed
/// (runtime-semantics §7.5, `enforce_model_rate_limits`).
fn bounds(plain: &Plain, shared: &Shared) -> Bounds {
    let rate = |rate: Option<u64>| rate.filter(|_| shared.enforce_model_rates);
    Bounds {
        money: plain.budget.clone().into_iter().collect(),
        requests: rate(plain.candidate.rpm),
        tokens: rate(plain.candidate.tpm),
        calls: None,
    }
}

fn own_timeouts(reader: &mut Reader<'_>, params: &mut Section<'_>) -> OwnTimeouts {
    let mut seconds = |name| params.take(name).and_then(|entry| reader.seconds(entry));
    let (timeout, request_timeout) = (seconds("timeout"), seconds("request_timeout"));
    OwnTimeouts {
        timeout: timeout.or(request_timeout),
        stream_timeout: seconds("stream_timeout"),
        idle_timeout: seconds("idle_timeout"),
    }
}

/// `num_retries`, else `max_retries`.
fn retries(reader: &mut Reader<'_>, params: &mut Section<'_>) -> Option<u32> {
    let mut count = |name| params.take(name).and_then(|entry| reader.count(entry, RETRIES_MAX));
    let (num, max) = (count("num_retries"), count("max_retries"));
    num.or(max).and_then(|count| u32::try_from(count).ok())
}

/// The limit on the answer that goes into the body where the client sends none.
fn output_limit(defaults: &Fields) -> Option<u64> {
    let limits = ["max_completion_tokens", "max_tokens"];
    let named = |name: &str| defaults.iter().find(|(field, _)| &**field == name);
    limits.into_iter().filter_map(named).filter_map(|(_, json)| json.parse().ok()).max()
}

/// The mode, which is read last. `model_info` holds descriptions of any sort: of the rest, only
/// what LiteLLM acts on, and what looks like a misspelling of something that is read, is worth a
/// warning.
fn last_of_info(reader: &mut Reader<'_>, info: &mut Section<'_>) -> Option<String> {
    let mode = info.take("mode").and_then(|entry| reader.text(entry));
    for entry in info.rest().filter(|entry| !entry.node.value.is_empty()) {
        let near = info.nearest(&entry.name);
        if KnownKeys::MODEL_INFO.contains(&entry.name) {
            reader.findings.push(info.without_effect(entry));
        } else if !near.is_empty() && !is_price(&entry.name) {
            let message = format!("`{}` in `model_info` is only a description", entry.name);
            let finding = Finding::warning(code::KEY_UNKNOWN, entry.name_span.clone(), message);
            reader.findings.push(finding.with_nearest(&near));
        }
    }
    mode
}
