//! Which top-level fields a client may send, and how far each one goes.
//!
//! The lists follow the system taken over: what it refuses is refused, what it keeps for itself
//! never reaches a provider. A field that is on neither list belongs to the provider and passes
//! byte for byte.

use std::borrow::Cow;

use crate::json::{Kind, Object, Raw};

/// How far a field of a client's body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// To the provider, untouched.
    Upstream,
    /// To the gateway only: it is removed before the body goes upstream. The text says why.
    Gateway(&'static str),
    /// Nowhere: the call is refused. The text says why.
    Refused(&'static str),
}

/// How far a field of this name goes, its escapes already read.
#[must_use]
pub fn standing(name: &str) -> Standing {
    if name.contains('[') {
        return Standing::Refused(LIKE_A_PLACE);
    }
    if let Some(reason) = listed(name, REFUSED).or_else(|| begun(name, REFUSED_PREFIXES)) {
        return Standing::Refused(reason);
    }
    let gateway =
        listed(name, GATEWAY_ONLY).or_else(|| begun(name, GATEWAY_ONLY_PREFIXES)).or_else(|| {
            GATEWAY_ONLY_PARTS.iter().find(|(part, _)| name.contains(part)).map(|row| row.1)
        });
    gateway.map_or(Standing::Upstream, Standing::Gateway)
}

fn listed(name: &str, rows: &[(&[&str], &'static str)]) -> Option<&'static str> {
    rows.iter().find(|(names, _)| names.contains(&name)).map(|row| row.1)
}

fn begun(name: &str, rows: &[(&str, &'static str)]) -> Option<&'static str> {
    rows.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|row| row.1)
}

/// Why no name may be written like `input[0]`: so the hub names what stood within another field,
/// and a writer would put it there unread.
const LIKE_A_PLACE: &str = "it is written like a place within another field";

/// Names that a client must never decide, and why.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["api_base", "base_url", "deployment_url", "sagemaker_base_url", "s3_endpoint_url"],
        "it would send the operator's credential to an address of the client's choice",
    ),
    (
        &["user_config", "model_list", "custom_llm_provider"],
        "it would replace the deployments that the operator configured",
    ),
    (
        &["api_key", "azure_ad_token", "vertex_credentials", "vertex_ai_credentials"],
        "upstream credentials come from the operator's configuration",
    ),
    (&["bedrock_tags", "nvcf_function_id"], "it selects resources of the operator's account"),
    (&["use_ssl", "rust"], "it selects how the gateway connects and runs"),
    (
        &["user_api_key_auth_metadata", "turn_off_message_logging"],
        "it would change how the call is attributed and recorded",
    ),
    (
        &["slack_webhook_url", "gcs_bucket_name", "gcs_path_service_account"],
        "it would send records of the call to an address of the client's choice",
    ),
    (
        &["wandb_api_key", "weave_project_id", "dd_api_key", "dd_site"],
        "it would send records of the call to an account of the client's choice",
    ),
];

/// Beginnings of names that a client must never decide, and why.
const REFUSED_PREFIXES: &[(&str, &str)] = &[
    ("aws_", "cloud credentials and roles come from the operator's configuration"),
    ("langfuse_", "it would send records of the call to an account of the client's choice"),
    ("langsmith_", "it would send records of the call to an account of the client's choice"),
    ("arize_", "it would send records of the call to an account of the client's choice"),
    ("braintrust_", "it would send records of the call to an account of the client's choice"),
    ("dd_agent_", "it would send records of the call to an address of the client's choice"),
    ("humanloop_", "it would send records of the call to an account of the client's choice"),
    ("lunary_", "it would send records of the call to an account of the client's choice"),
    ("newrelic_", "it would send records of the call to an account of the client's choice"),
    ("posthog_", "it would send records of the call to an account of the client's choice"),
];

/// Names that concern the gateway alone, and why they go no further.
const GATEWAY_ONLY: &[(&[&str], &str)] = &[
    (
        &["mock_response", "mock_tool_calls", "mock_timeout"],
        "asks for an invented answer, which no provider understands",
    ),
    (
        &["fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "disable_fallbacks"],
        "names model groups, which only the gateway knows",
    ),
    (
        &["num_retries", "max_retries", "timeout", "request_timeout", "stream_timeout"],
        "governs attempts, which are the gateway's",
    ),
    (&["client_side_timeout", "keepalive_seconds"], "governs the connection to the client"),
    (&["priority"], "orders the calls in the gateway's queue"),
    (&["cache", "caching", "enable_prompt_caching"], "governs the gateway's cache"),
    (
        &["guardrails", "guardrail_config", "disable_global_guardrail"],
        "selects guardrails, which run in the gateway",
    ),
    (
        &["disable_global_guardrails", "opted_out_global_guardrails", "applied_guardrails"],
        "claims something about guardrails, which only the operator may",
    ),
    (
        &["guardrail_scan_ids", "applied_policies", "policies", "policy_sources"],
        "claims something about policies, which only the operator may",
    ),
    (&["tags", "spend"], "attributes and accounts the call"),
    (
        &["drop_params", "additional_drop_params", "allowed_openai_params", "modify_params"],
        "says how the gateway may edit the call",
    ),
    (
        &["proxy_server_request", "standard_logging_object", "secret_fields"],
        "is internal state of the system taken over",
    ),
    (
        &["routing_decision", "max_agentic_loops", "pillar_response_headers"],
        "is internal state of the system taken over",
    ),
    (&["callbacks", "service_callback", "logger_fn", "no-log"], "selects where calls are logged"),
    (&["tiered_pricing"], "claims a price, which only the operator sets"),
];

/// Beginnings of names that concern the gateway alone.
const GATEWAY_ONLY_PREFIXES: &[(&str, &str)] = &[
    ("litellm_", "is addressed to the system taken over"),
    ("user_api_key_", "claims who calls, which the key decides"),
];

/// Parts of names that concern the gateway alone.
const GATEWAY_ONLY_PARTS: &[(&str, &str)] = &[
    ("_cost_per_", "claims a price, which only the operator sets"),
    ("_token_cost", "claims a price, which only the operator sets"),
];

/// The tags that a body gives its call: `tags`, `metadata.tags` and `litellm_metadata.tags`, where
/// they are lists of texts (management-api of LiteLLM, tags).
pub(crate) fn tags(object: &Object<'_>) -> Vec<String> {
    let within = |field: &str| object.value(field).and_then(|value| value.find("tags"));
    let lists = [object.value("tags"), within("metadata"), within("litellm_metadata")];
    let texts = lists.into_iter().flatten().flat_map(Raw::elements).filter_map(Raw::text);
    texts.take(TAGS_READ_MAX).map(Cow::into_owned).collect()
}

/// What a body asks of the gateway itself, which no provider hears of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The priority among its caller's own calls (runtime-semantics of LiteLLM, scheduler).
    pub priority: Option<i64>,
    /// Attempts after the first: `num_retries`.
    pub num_retries: Option<u32>,
    /// The model groups to try when its own cannot serve the call, in place of those configured:
    /// `fallbacks`, names or objects that have a `model`.
    pub fallbacks: Option<Vec<String>>,
    /// Whether it wants no other model group: `disable_fallbacks`.
    pub disable_fallbacks: bool,
}

impl Wishes {
    /// Reads them; what is none of the right form asks for nothing.
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let whole = |name: &str| object.value(name).and_then(Raw::whole);
        Self {
            priority: whole("priority").and_then(|whole| i64::try_from(whole).ok()),
            num_retries: whole("num_retries").and_then(|whole| u32::try_from(whole).ok()),
            fallbacks: object.value("fallbacks").and_then(fallbacks),
            disable_fallbacks: object.value("disable_fallbacks").and_then(Raw::boolean)
                == Some(true),
        }
    }
}

/// The names in a list of model groups.
fn fallbacks(list: Raw<'_>) -> Option<Vec<String>> {
    let name = |item: Raw<'_>| {
        let name = item.text().or_else(|| item.find("model")?.text());
        name.map(Cow::into_owned)
    };
    let names = list.elements().take(FALLBACKS_READ_MAX).filter_map(name);
    (list.kind() == Kind::Array).then(|| names.collect())
}

/// Most model groups that are read of one body.
const FALLBACKS_READ_MAX: usize = 32;

/// Most tags that are read of one body; a call that carries so many is refused.
const TAGS_READ_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_redirect_a_call_or_its_records_is_refused() {
        for name in [
            "api_base",
            "base_url",
            "api_key",
            "model_list",
            "user_config",
            "custom_llm_provider",
            "aws_role_name",
            "aws_anything_new",
            "vertex_credentials",
            "azure_ad_token",
            "langfuse_host",
            "input[0]",
        ] {
            assert!(matches!(standing(name), Standing::Refused(_)), "{name}");
        }
    }

    #[test]
    fn what_concerns_the_gateway_stays_there() {
        for name in [
            "mock_response",
            "input_cost_per_token",
            "output_cost_per_token_above_200k_tokens",
            "cache_read_input_token_cost",
            "litellm_metadata",
            "litellm_anything_new",
            "fallbacks",
            "timeout",
            "tags",
        ] {
            assert!(matches!(standing(name), Standing::Gateway(_)), "{name}");
        }
    }

    #[test]
    fn everything_else_is_the_providers() {
        for name in ["model", "messages", "metadata", "user", "top_k", "prompt_cache_key", "x_new"]
        {
            assert_eq!(standing(name), Standing::Upstream, "{name}");
        }
    }
}
