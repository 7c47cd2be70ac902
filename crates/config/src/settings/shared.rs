//! The settings that every deployment is compiled with, and what stands beside them.

use std::num::NonZeroU32;
use std::sync::Arc;

use tollgate_policy::HealthRules;

use super::{Sections, Settings, answers, calls_at_once, fair_queue, routing};
use crate::budgets;
use crate::calendar;
use crate::deployment::Forwards;
use crate::diagnostic::{Finding, code};
use crate::schema::{KnownKeys, Reader, Section};
use crate::timeouts::SharedTimeouts;

/// The settings that models are compiled with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared {
    pub(crate) timeouts: SharedTimeouts,
    pub(crate) drop_params: Option<bool>,
    pub(crate) modify_params: Option<bool>,
    /// Whether models can come from the database, so that the file may do without any.
    pub(crate) store_models: bool,
    /// Whether the rates of deployments are enforced.
    pub(crate) enforce_model_rates: bool,
    /// `router_settings.default_max_parallel_requests`.
    pub(crate) calls_at_once_max: Option<NonZeroU32>,
    pub(crate) forwards: Forwards,
    /// When deployments rest that say nothing about it.
    pub(crate) health: HealthRules,
    /// Model groups, with or without `*`, whose clients' headers go on.
    pub(crate) forwarding_groups: Vec<String>,
}

/// Reads what concerns every model, and the settings beside it.
pub(super) fn read(
    reader: &mut Reader<'_>,
    sections: &mut Sections<'_>,
    settings: &mut Settings,
) -> Shared {
    let Sections { general, litellm, router } = sections;
    let forwards = forwards(reader, general);
    let forwarding_groups = forwarding_groups(reader, litellm);
    settings.routing = Arc::new(routing::read(reader, (litellm, router)));
    let mut seconds = |section: &mut Section<'_>, name| {
        section.take(name).and_then(|entry| reader.seconds(entry))
    };
    let timeouts = SharedTimeouts {
        timeout: seconds(router, "timeout"),
        stream_timeout: seconds(router, "stream_timeout"),
        total_timeout: seconds(router, "total_timeout"),
        request_timeout: seconds(litellm, "request_timeout"),
    };
    if let Some(output) = litellm.take("structured_output").and_then(|e| reader.mapping(e)) {
        answers::structured_output(reader, output, &mut settings.on_structure_miss);
    }
    if let Some(entry) = router.take("fair_queue") {
        settings.fair_queue = fair_queue::read(reader, entry);
    }
    let metrics = litellm.take("require_auth_for_metrics_endpoint");
    settings.metrics_need_key = metrics.and_then(|entry| reader.flag(entry)).unwrap_or(true);
    settings.budgets = Arc::new(budgets::read(reader, litellm, router));
    settings.calendar = Arc::new(calendar::read(reader, litellm));
    let mut flag = |name, variable| {
        let own = litellm.take(name).and_then(|entry| reader.flag(entry));
        own.or_else(|| switched(reader.env.variable(variable)?.trim()))
    };
    let drop_params = flag("drop_params", "LITELLM_DROP_PARAMS");
    let modify_params = flag("modify_params", "LITELLM_MODIFY_PARAMS");
    let enforce_model_rates = enforces_model_rates(reader, router);
    let entry = router.take("default_max_parallel_requests");
    let calls_at_once_max = entry.and_then(|entry| calls_at_once(reader, entry));
    Shared {
        store_models: settings.store_models,
        timeouts,
        drop_params,
        modify_params,
        enforce_model_rates,
        calls_at_once_max,
        forwards,
        health: settings.routing.health,
        forwarding_groups,
    }
}

/// Whether `optional_pre_call_checks` lists the one that makes rates of deployments hard limits.
/// Budgets in the file are always enforced, so `router_budget_limiting` says nothing more.
fn enforces_model_rates(reader: &mut Reader<'_>, router: &mut Section<'_>) -> bool {
    let Some(entry) = router.take("optional_pre_call_checks") else { return false };
    let checks = reader.texts(entry);
    for check in &checks {
        if !PRE_CALL_CHECKS.contains(&&**check) {
            let message = format!("the check `{check}` is not there yet");
            let span = entry.node.span.clone();
            reader.findings.push(Finding::warning(code::NO_EFFECT, span, message));
        }
    }
    checks.iter().any(|check| check == PRE_CALL_CHECKS[0])
}

/// What a variable says that is a switch; nothing where it says neither.
fn switched(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// What of clients' own headers goes on, where neither an entry nor the list of groups says.
fn forwards(reader: &mut Reader<'_>, general: &mut Section<'_>) -> Forwards {
    let mut flag = |name| general.take(name).and_then(|entry| reader.flag(entry)).unwrap_or(false);
    let headers = flag("forward_client_headers_to_llm_api");
    let keys = flag("forward_llm_provider_auth_headers");
    let account = flag("forward_openai_org_id");
    Forwards { headers, account, keys, tokens: headers || keys }
}

/// `model_group_settings.forward_client_headers_to_llm_api`.
fn forwarding_groups(reader: &mut Reader<'_>, litellm: &mut Section<'_>) -> Vec<String> {
    let groups = litellm.take("model_group_settings").and_then(|entry| reader.mapping(entry));
    let Some(mapping) = groups else { return Vec::new() };
    let mut section = Section::new("litellm_settings.model_group_settings", mapping);
    let listed = section.take("forward_client_headers_to_llm_api");
    let listed = listed.map(|entry| reader.texts(entry)).unwrap_or_default();
    section.finish(&KnownKeys::ENTRY, &mut reader.findings);
    listed
}

/// The optional checks that are made (config.md, `optional_pre_call_checks`).
const PRE_CALL_CHECKS: [&str; 2] = ["enforce_model_rate_limits", "router_budget_limiting"];
