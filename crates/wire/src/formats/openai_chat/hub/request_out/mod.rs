//! Writing a conversation for an upstream.
//!
//! The order of members is fixed, and tools and messages keep the conversation's, so that the same
//! conversation gives the same bytes and prompt caches hold.

mod media;
mod messages;
mod reasoning;
mod report;
mod tools;

use sha2::{Digest as _, Sha256};

use crate::conversation::{Conversation, Number, ResponseFormat};
use crate::formats::openai_chat::fit::asks_nothing;
use crate::formats::translation::{Target, Unsupported, Written};
use crate::json::Raw;
use crate::json::write::{self, JsonWriter};
pub(crate) use reasoning::{lacks_reasoning, wants_past};
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
    let mut report = Report::new(target, target.capability.thinks(&conversation.reasoning));
    let mut body = conversation.buffer();
    let mut outcome = Ok(());
    let layout = write::body(&mut body, |members| {
        outcome = write_members(members, conversation, &mut report)
    });
    outcome?;
    let Report { dropped, adjusted, .. } = report;
    Ok(Written { body: body.into(), layout, dropped, adjusted })
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
    reasoning::write_reasoning(body, conversation, report);
    write_limits(body, conversation, report);
    if conversation.stream {
        body.boolean("stream", true);
        body.object("stream_options", |options| _ = options.boolean("include_usage", true));
    }
    write_rest(body, conversation, report)
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
    let capability = report.target.capability;
    let numbers = [
        ("temperature", &sampling.temperature, capability.sampling),
        ("top_p", &sampling.top_p, capability.sampling),
        // Not OpenAI's; servers that take it are told so by `allowed_openai_params`.
        ("top_k", &sampling.top_k, false),
        ("presence_penalty", &sampling.presence_penalty, true),
        ("frequency_penalty", &sampling.frequency_penalty, true),
        ("seed", &sampling.seed, true),
    ];
    for (name, number, known) in numbers {
        let Some(Number(text)) = number else { continue };
        if (known && report.takes(name)) || report.passes(name) {
            body.raw(name, text);
        } else if !asks_nothing(name, Raw::scanned(text)) {
            report.cannot(name, "the model does not take it")?;
        }
    }
    let stops = sampling.stop.get(..STOPS_MAX).unwrap_or(&sampling.stop);
    if stops.len() < sampling.stop.len() {
        report.permit_drop("stop", "at most 4 stop texts can be named", false)?;
        report.adjust("stop");
    }
    if stops.is_empty() {
        return Ok(());
    }
    if !report.takes("stop") && !report.passes("stop") {
        return report.cannot("stop", "the model does not take it");
    }
    body.strings("stop", stops);
    Ok(())
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

fn write_rest(
    body: &mut JsonWriter<'_>,
    conversation: &Conversation,
    report: &mut Report<'_>,
) -> Result<(), Unsupported> {
    match &conversation.user {
        Some(user) if user.len() <= USER_BYTES_MAX => _ = body.string("user", user),
        // Its hash is the same for the same user, and just fits.
        Some(user) => {
            report.adjust("user");
            body.string("user", &hashed(user));
        }
        None => {}
    }
    for (name, value) in &conversation.unmapped {
        let kept = KEPT_FIELDS.contains(&&**name);
        if report.passes(name) || (kept && report.takes(name)) {
            body.raw(name, value);
        } else if !kept {
            // Names of fields are unique, and there may be many.
            report.dropped.push(name.clone());
        } else if !asks_nothing(name, Raw::scanned(value)) {
            report.cannot(name, "the model does not take it")?;
        }
    }
    Ok(())
}

fn hashed(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
