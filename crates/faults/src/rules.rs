//! How upstreams' error answers are recognised, as data. The first rule that applies decides.
//!
//! Facts: the unified error taxonomy of the providers' documentation (errors.md §3 and §4). A rule
//! with words names the one status it refines; there is none that works on words alone.

use std::ops::RangeInclusive;

use self::Sign::{Any, Begins, Code, CodeHolds, Says, SaysWithoutWait};
use crate::{Reason, Reason as R};

/// One way to recognise an error answer.
pub(crate) struct Rule {
    /// The HTTP statuses it applies to.
    pub(crate) statuses: RangeInclusive<u16>,
    /// What the answer must carry.
    pub(crate) sign: Sign,
    /// What it then means.
    pub(crate) reason: Reason,
}

/// What an error answer must carry for a rule to apply. Phrases are in lower case.
pub(crate) enum Sign {
    /// Nothing more than the status.
    Any,
    /// One of these as its code or type.
    Code(&'static [&'static str]),
    /// A code with one of these words in it: vendors that name a quota by what it counts.
    CodeHolds(&'static [&'static str]),
    /// A message with one of these phrases in it.
    Says(&'static [&'static str]),
    /// A message that begins with one of these phrases: for what must not be mistaken for a
    /// client's own words repeated.
    Begins(&'static [&'static str]),
    /// As [`Sign::Says`], when the upstream named no time to wait: what frees by itself is a rate
    /// limit, even where the vendor calls it a quota (Gemini does).
    SaysWithoutWait(&'static [&'static str]),
}

const fn rule(statuses: RangeInclusive<u16>, sign: Sign, reason: Reason) -> Rule {
    Rule { statuses, sign, reason }
}

/// Exactly one status.
const fn only(status: u16) -> RangeInclusive<u16> {
    status..=status
}

/// The rules, by status and from the precise to the general.
pub(crate) static RULES: &[Rule] = &[
    // Any status: what a vendor names so is so, whatever status carries it.
    rule(400..=599, Code(&["overloaded_error", "engine_overloaded_error"]), R::UpstreamOverloaded),
    // 400 and 422: codes first, so that a repeated prompt cannot speak for the vendor.
    rule(400..=422, Code(CONTEXT_CODES), R::ContextWindowExceeded),
    rule(only(400), Code(CONTENT_CODES), R::ContentRefused),
    rule(only(400), Code(CREDENTIAL_CODES), R::UpstreamCredentialsRejected),
    rule(
        400..=404,
        Code(&["model_not_found", "invalid_model", "model_decommissioned"]),
        R::ModelUnknown,
    ),
    rule(only(400), Code(PARAMETER_CODES), R::ParameterUnsupported),
    rule(only(400), Code(REJECTION_CODES), R::UpstreamRejectedRequest),
    rule(only(400), Code(&["ServiceQuotaExceededException"]), R::UpstreamQuotaExhausted),
    rule(only(400), Begins(CREDENTIAL_WORDS), R::UpstreamCredentialsRejected),
    rule(only(400), Begins(&["your credit balance is too low"]), R::UpstreamAccountOutOfCredits),
    rule(only(400), Begins(&["request payload size exceeds"]), R::UpstreamRequestTooLarge),
    rule(only(400), Begins(MODEL_WORDS), R::ModelUnknown),
    rule(only(400), Says(&["is not a valid model id"]), R::ModelUnknown),
    rule(only(400), Says(NOT_CONTEXT_WORDS), R::UpstreamRejectedRequest),
    rule(only(400), Says(CONTEXT_WORDS), R::ContextWindowExceeded),
    rule(only(400), Says(CONTENT_WORDS), R::ContentRefused),
    rule(only(400), Any, R::UpstreamRejectedRequest),
    // 401 to 403: the gateway's credential, never the client's.
    rule(only(401), Says(&["lacks the required data action"]), R::AzureRoleMissing),
    rule(only(401), Any, R::UpstreamCredentialsRejected),
    rule(only(402), Any, R::UpstreamAccountOutOfCredits),
    rule(only(403), Says(&["key based authentication is disabled"]), R::AzureKeyAuthDisabled),
    rule(only(403), Says(&["lacks the required data action"]), R::AzureRoleMissing),
    rule(only(403), Code(QUOTA_CODES), R::UpstreamAccountOutOfCredits),
    rule(only(403), Code(CONTENT_CODES), R::ContentRefused),
    rule(only(403), Says(&["usage guidelines", "safety_check"]), R::ContentRefused),
    rule(
        only(403),
        Says(&["spending limit", "used all available credits"]),
        R::UpstreamAccountOutOfCredits,
    ),
    rule(only(403), Any, R::UpstreamCredentialsRejected),
    // 404: a model, or an address.
    rule(only(404), Begins(&["no endpoints found that support"]), R::NoEndpointWithRequiredFeature),
    rule(
        only(404),
        Says(&["guardrail restrictions and data policy", "matching your data policy"]),
        R::ExcludedByOpenrouterPrivacySettings,
    ),
    rule(only(404), Begins(&["no endpoints found"]), R::ModelUnknown),
    rule(only(404), Code(MODEL_CODES), R::ModelUnknown),
    rule(only(404), Code(REJECTION_CODES), R::UpstreamRejectedRequest),
    rule(only(404), Says(&["model", "deployment"]), R::ModelUnknown),
    rule(404..=405, Any, R::UpstreamRouteUnknown),
    rule(only(408), Any, R::UpstreamReportedTimeout),
    rule(only(409), Any, R::UpstreamError),
    rule(only(413), Says(CONTEXT_WORDS), R::ContextWindowExceeded),
    rule(only(413), Any, R::UpstreamRequestTooLarge),
    rule(only(422), Says(CONTEXT_WORDS), R::ContextWindowExceeded),
    rule(424..=425, Any, R::UpstreamError),
    // 429: a rate frees by itself, a quota does not, and a call larger than the rate never fits.
    rule(only(429), Code(QUOTA_CODES), R::UpstreamQuotaExhausted),
    rule(only(429), CodeHolds(&["perday"]), R::UpstreamQuotaExhausted),
    rule(only(429), Code(&["queue_exceeded", "ModelNotReadyException"]), R::UpstreamOverloaded),
    rule(only(429), Begins(&["request too large"]), R::UpstreamRequestTooLarge),
    rule(only(429), SaysWithoutWait(QUOTA_WORDS), R::UpstreamQuotaExhausted),
    rule(only(429), Any, R::UpstreamRateLimited),
    // 498 is capacity at Groq and a stopped content at Cohere.
    rule(only(498), Says(&["capacity"]), R::UpstreamOverloaded),
    rule(only(498), Any, R::ContentRefused),
    rule(only(499), Any, R::UpstreamUnreachable),
    rule(400..=499, Any, R::UpstreamRejectedRequest),
    // 5xx: whose side gave up, and whether it was for load. 520 to 527 are Cloudflare's.
    rule(500..=502, Any, R::UpstreamError),
    rule(only(503), Any, R::UpstreamOverloaded),
    rule(only(504), Any, R::UpstreamReportedTimeout),
    rule(only(524), Any, R::UpstreamReportedTimeout),
    rule(520..=527, Any, R::UpstreamUnreachable),
    rule(only(529), Any, R::UpstreamOverloaded),
];

/// Codes and types of prompts that are too long.
const CONTEXT_CODES: &[&str] =
    &["context_length_exceeded", "exceed_context_size_error", "tokens_limit_reached"];
/// Codes and types of stopped content.
const CONTENT_CODES: &[&str] = &[
    "content_policy_violation",
    "content_filter",
    "ResponsibleAIPolicyViolation",
    "invalid_prompt",
    "bio_policy",
    "moderation_blocked",
    "data_inspection_failed",
    "DataInspectionFailed",
];
/// Codes and types of credentials that vendors reject with a 400.
const CREDENTIAL_CODES: &[&str] = &[
    "invalid_api_key",
    "API_KEY_INVALID",
    "API_KEY_EXPIRED",
    "InvalidApiKey",
    "authentication_error",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
];
/// Codes of parameters the model does not take.
const PARAMETER_CODES: &[&str] =
    &["unsupported_parameter", "unsupported_value", "unknown_parameter"];
/// Codes that say precisely what is wrong, so that no phrase needs to be looked for.
const REJECTION_CODES: &[&str] = &[
    "invalid_encrypted_content",
    "invalid_type",
    "invalid_value",
    "missing_required_parameter",
    "previous_response_not_found",
    "string_above_max_length",
];
/// Codes and types of quotas that do not free within minutes.
const QUOTA_CODES: &[&str] = &[
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "exceeded_current_quota_error",
    "token_quota_exceeded",
    "Arrearage",
    "AllocationQuota.FreeTierOnly",
    "AccountOverdueError",
    "contract_spend_limit_reached",
    "enforced_spend_limit_reached",
    "ramp_limit_exceeded",
];
/// Codes and types of models and deployments that do not exist.
const MODEL_CODES: &[&str] =
    &["DeploymentNotFound", "RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND", "unknown_model"];

/// How messages about the gateway's key begin, or about a place that the key may not be used from.
const CREDENTIAL_WORDS: &[&str] = &[
    "incorrect api key",
    "invalid api key",
    "api key not valid",
    "api key expired",
    "user location is not supported",
];
/// How messages about models that do not exist, or not by this name, begin.
const MODEL_WORDS: &[&str] =
    &["the provided model identifier is invalid", "invocation of model id"];
/// What looks like a prompt that is too long and is not.
const NOT_CONTEXT_WORDS: &[&str] = &["string_above_max_length", "invalid 'user'"];
/// What vendors say of prompts that are too long.
const CONTEXT_WORDS: &[&str] = &[
    "maximum context length",
    "prompt is too long",
    "prompt: length",
    "exceed context limit",
    "input is too long",
    "too many input tokens",
    "expected maxlength",
    "too many tokens: total",
    "exceeds the maximum number of tokens",
    "input token count",
    "is longer than the model's context length",
    "input tokens exceed the configured limit",
    "exceeds the available context size",
    "longer than the maximum model length",
    "reduce the length of the messages",
    "too large for model with",
    "exceeded model token limit",
    "range of input length should be",
    "`inputs` tokens + `max_new_tokens`",
    "prompt has too many tokens",
    "length limit exceeded",
];
/// What vendors say of stopped content.
const CONTENT_WORDS: &[&str] = &[
    "content management policy",
    "content filtering policy",
    "violating our usage policy",
    "result of our safety system",
    "result of the safety system",
    "content exists risk",
    "blocked input or output",
    "the response was blocked",
];
/// What vendors say of quotas that do not free within minutes.
const QUOTA_WORDS: &[&str] = &[
    "exceeded your current quota",
    "credit balance is too low",
    "insufficient balance",
    "insufficient credits",
    "billing hard limit",
    "more credits",
    "account overdue",
    "payment required",
    "calls / month",
    "spending limit",
    "spend limit",
    "usage limits",
];

#[cfg(test)]
mod tests;
