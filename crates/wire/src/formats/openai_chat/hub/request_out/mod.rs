//! Writing a conversation for an upstream.
//!
//! The order of members is fixed, and tools and messages keep the conversation's, so that the same
//! conversation gives the same bytes and prompt caches hold.

mod media;
mod messages;
mod report;
mod tools;

use crate::conversation::{Conversation, Effort, Number, Reasoning, ReasoningMode, ResponseFormat};
use crate::formats::translation::{Target, Unsupported, Written};
use crate::json::write::{JsonWriter, object};
use report::Report;

/// Most stop texts that one request may name (OpenAI API reference, chat completions).
const STOPS_MAX: usize = 4;

/// Longest `user` that OpenAI takes, in bytes.
const USER_BYTES_MAX: usize = 64;

/// The name of a schema that came without one; OpenAI requires a name.
const SCHEMA_NAME: &str = "answer";

/// Fields that the hub has no word for and that mean the same here, whoever wrote them down.
const KEPT_FIELDS: [&str; 15] = [
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "metadata",
    "modalities",
    "audio",
    "prediction",
    "verbosity",
    "web_search_options",
    "store",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "safety_identifier",
    "moderation",
];

/// Writes a request. A stream is always asked for its usage: the gateway accounts with it.
///
/// # Errors
/// [`Unsupported`] for what the target cannot express and the deployment does not drop.
pub fn from_conversation(
    conversation: &Conversation,
    target: &Target<'_>,
) -> Result<Written, Unsupported> {
    let mut report = Report::new(target);
    let mut body = Vec::new();
    let mut outcome = Ok(());
    object(&mut body, |members| outcome = write_members(members, conversation, &mut report));
    outcome?;
    let Report { dropped, adjusted, .. } = report;
    Ok(Written { body: body.into(), dropped, adjusted })
}

fn write_members(
    body: &mut JsonWriter<'_>,
    conversation: &Conversation,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    body.string("model", report.target.model);
    messages::write_messages(body, &conversation.messages, report)?;
    tools::write_tools(body, conversation, report)?;
    write_format(body, &conversation.response_format, report)?;
    write_sampling(body, conversation, report)?;
    write_reasoning(body, &conversation.reasoning, report);
    write_limits(body, conversation, report);
    if conversation.stream {
        body.boolean("stream", true);
        body.object("stream_options", |options| _ = options.boolean("include_usage", true));
    }
    write_rest(body, conversation, report);
    Ok(())
}

fn write_format(
    body: &mut JsonWriter<'_>,
    format: &ResponseFormat,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    match format {
        ResponseFormat::Text => {}
        ResponseFormat::JsonObject => {
            body.object("response_format", |format| _ = format.string("type", "json_object"));
        }
        ResponseFormat::JsonSchema { .. } if !report.target.capability.native_structured_output => {
            report.cannot("response_format", "the model cannot be held to a JSON schema")?;
        }
        ResponseFormat::JsonSchema { name, description, schema, strict } => {
            body.object("response_format", |format| {
                format.string("type", "json_schema").object("json_schema", |object| {
                    object.string("name", name.as_deref().unwrap_or(SCHEMA_NAME));
                    if let Some(description) = description {
                        object.string("description", description);
                    }
                    object.raw("schema", schema);
                    if let Some(strict) = strict {
                        object.boolean("strict", *strict);
                    }
                });
            });
        }
    }
    Ok(())
}

fn write_sampling(
    body: &mut JsonWriter<'_>,
    conversation: &Conversation,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    let sampling = &conversation.sampling;
    let taken = report.target.capability.sampling;
    let mut write = |name: &str, number: &Option<Number>, taken: bool| {
        let Some(Number(text)) = number else { return Ok(()) };
        let passed = report.target.leniency.passes.iter().any(|passed| **passed == *name);
        if !taken && !passed {
            return report.cannot(name, "the model does not take it");
        }
        body.raw(name, text);
        Ok(())
    };
    write("temperature", &sampling.temperature, taken)?;
    write("top_p", &sampling.top_p, taken)?;
    // Not OpenAI's; servers that take it are told so by `allowed_openai_params`.
    write("top_k", &sampling.top_k, false)?;
    write("presence_penalty", &sampling.presence_penalty, true)?;
    write("frequency_penalty", &sampling.frequency_penalty, true)?;
    write("seed", &sampling.seed, true)?;
    let stops = sampling.stop.get(..STOPS_MAX).unwrap_or(&sampling.stop);
    if stops.len() < sampling.stop.len() {
        report.permit_drop("stop", "at most 4 stop texts can be named", false)?;
        report.adjust("stop");
    }
    if !stops.is_empty() {
        body.strings("stop", stops);
    }
    Ok(())
}

/// Reasoning that is switched off is said only to models that would think otherwise: the others
/// refuse the field.
fn write_reasoning(body: &mut JsonWriter<'_>, reasoning: &Reasoning, report: &mut Report<'_>) {
    let capability = report.target.capability;
    let effort = match (reasoning.effort, reasoning.mode) {
        (_, Some(ReasoningMode::Disabled)) => {
            let said = capability.thinks_by_default && capability.thinking_disabled;
            said.then_some(Effort::None)
        }
        (Some(effort), _) => Some(effort),
        (None, Some(ReasoningMode::Budget(tokens))) => {
            report.adjust("thinking");
            Some(effort_of(tokens))
        }
        (None, Some(ReasoningMode::Adaptive) | None) => None,
    };
    if let Some(effort) = effort {
        body.string("reasoning_effort", effort_name(effort));
    }
}

const fn effort_of(budget_tokens: u64) -> Effort {
    match budget_tokens {
        0..1024 => Effort::Minimal,
        1024..2048 => Effort::Low,
        2048..4096 => Effort::Medium,
        4096.. => Effort::High,
    }
}

const fn effort_name(effort: Effort) -> &'static str {
    match effort {
        Effort::None => "none",
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
        Effort::Max => "max",
    }
}

/// The limit goes out under OpenAI's present name, which its reasoning models insist on; a provider
/// that knows only `max_tokens` has a quirk for that.
fn write_limits(body: &mut JsonWriter<'_>, conversation: &Conversation, report: &mut Report<'_>) {
    if let Some(wanted) = conversation.output_tokens_max {
        let most = report.target.capability.output_tokens_max.unwrap_or(u64::MAX);
        if wanted > most {
            report.adjust("max_completion_tokens");
        }
        body.number("max_completion_tokens", wanted.min(most));
    }
    if conversation.choices > 1 {
        body.number("n", conversation.choices);
    }
}

fn write_rest(body: &mut JsonWriter<'_>, conversation: &Conversation, report: &mut Report<'_>) {
    match &conversation.user {
        Some(user) if user.len() <= USER_BYTES_MAX => _ = body.string("user", user),
        Some(_) => report.leave_out("user"),
        None => {}
    }
    for (name, value) in &conversation.unmapped {
        let passes = report.target.leniency.passes;
        let passed = KEPT_FIELDS.contains(&&**name) || passes.contains(name);
        match passed {
            true => _ = body.raw(name, value),
            // Names of fields are unique, and there may be many.
            false => report.dropped.push(name.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
