//! Writing a conversation as a request of the Messages API.
//!
//! What is written depends on nothing but the conversation and the target's record, in an order
//! that never changes: caches and signatures are bound to the prompt's exact beginning.

pub(in crate::formats) mod messages;
mod schema;
pub(in crate::formats) mod settings;
pub(in crate::formats) mod thinking;
pub(in crate::formats) mod tools;

use bytestring::ByteString;

use self::messages::{Arranged, Rules, Turn, arrange};
use self::settings::{Sampled, sampling, user_id, write_unmapped};
use self::thinking::{effort_name, plan, write_thinking};
use self::tools::{Offering, offer, write_choice, write_tools};
use super::blocks_out::{write_block, write_part};
use crate::conversation::{Conversation, Effort, ReasoningMode, Role};
use crate::formats::report::{self, Report};
use crate::formats::translation::{Target, Unsupported, Written};
use crate::json::write::{self, JsonWriter};

pub(super) use self::messages::{Block, MISSING_RESULT, PDF};

/// The output limit for a model whose own is not known, in tokens.
const OUTPUT_TOKENS_UNKNOWN: u64 = 4096;

/// The default output limit of a buffered answer, in tokens: longer ones outlive connections.
const OUTPUT_TOKENS_BUFFERED: u64 = 8192;

/// The default output limit of a streamed answer, in tokens.
const OUTPUT_TOKENS_STREAMED: u64 = 32_768;

/// Room for the answer behind a thinking budget where the client gave no limit, in tokens.
const OUTPUT_TOKENS_BESIDE_BUDGET: u64 = 4096;

/// Writes the request that asks the target for an answer.
///
/// # Errors
/// [`Unsupported`] with the first field that the target cannot express and that no leniency allows
/// to be left out.
pub fn from_conversation(c: &Conversation, target: &Target<'_>) -> Result<Written, Unsupported> {
    let mut report = Report::new(target);
    let output_tokens_max = c.output_tokens_max.unwrap_or_else(|| default_output(c, target));
    let plan = plan(c, output_tokens_max, &mut report)?;
    let arranged = arrange(c, Rules::of(&report), &mut report)?;
    let offer = offer(c, &plan, Offering::of(&report), &mut report)?;
    let sampled = sampling(c, &plan, &mut report)?;
    let user = user_id(c, &mut report);
    let mut body = c.buffer();
    let mut unmapped = Ok(());
    let layout = write::body(&mut body, |o| {
        o.string("model", report.model()).number("max_tokens", output_tokens_max);
        write_messages(o, &arranged, offer.instruction.as_deref());
        write_tools(o, &offer);
        write_choice(o, &offer);
        write_thinking(o, &plan);
        write_output_config(o, plan.effort, offer.schema);
        write_sampling(o, &sampled);
        if let Some(user) = user {
            o.object("metadata", |o| _ = o.string("user_id", user));
        }
        if c.stream {
            o.boolean("stream", true);
        }
        unmapped = write_unmapped(o, c, &mut report);
    });
    unmapped?;
    Ok(report.written((body, layout)))
}

/// Whether a request was written with a tool in place of a JSON answer, so that its answer's text
/// is what the model calls that tool with.
#[must_use]
pub fn uses_json_tool(c: &Conversation, target: &Target<'_>) -> bool {
    let mut report = Report::new(target);
    let output_tokens_max = c.output_tokens_max.unwrap_or_else(|| default_output(c, target));
    let offering = Offering::of(&report);
    let offer = plan(c, output_tokens_max, &mut report)
        .and_then(|plan| offer(c, &plan, offering, &mut report));
    offer.is_ok_and(|offer| offer.json_tool.is_some())
}

/// The API wants a limit; this one leaves room for the model to think.
pub(in crate::formats) fn default_output(c: &Conversation, target: &Target<'_>) -> u64 {
    let usual = if c.stream { OUTPUT_TOKENS_STREAMED } else { OUTPUT_TOKENS_BUFFERED };
    let most = target.capability.output_tokens_max;
    let limit = most.map_or(OUTPUT_TOKENS_UNKNOWN, |most| most.min(usual));
    let Some(ReasoningMode::Budget(budget)) = c.reasoning.mode else { return limit };
    let roomy = limit.max(budget.saturating_add(OUTPUT_TOKENS_BESIDE_BUDGET));
    most.map_or(roomy, |most| roomy.min(most))
}

fn write_messages(o: &mut JsonWriter<'_>, arranged: &Arranged<'_>, instruction: Option<&str>) {
    if !arranged.system.is_empty() || instruction.is_some() {
        o.array("system", |a| {
            arranged.system.iter().for_each(|part| write_part(a, part));
            if let Some(text) = instruction {
                a.object(|o| _ = o.string("type", "text").string("text", text));
            }
        });
    }
    o.array("messages", |a| {
        for turn in &arranged.turns {
            a.object(|o| write_turn(o, turn));
        }
    });
}

fn write_turn(o: &mut JsonWriter<'_>, turn: &Turn<'_>) {
    o.string(
        "role",
        match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System | Role::Developer => "system",
        },
    );
    o.array("content", |a| turn.blocks.iter().for_each(|block| write_block(a, block)));
}

fn write_output_config(
    o: &mut JsonWriter<'_>,
    effort: Option<Effort>,
    schema: Option<&ByteString>,
) {
    if effort.is_none() && schema.is_none() {
        return;
    }
    o.object("output_config", |o| {
        if let Some(effort) = effort {
            o.string("effort", effort_name(effort));
        }
        if let Some(schema) = schema {
            o.object("format", |o| _ = o.string("type", "json_schema").raw("schema", schema));
        }
    });
}

fn write_sampling(o: &mut JsonWriter<'_>, sampled: &Sampled<'_>) {
    let numbers =
        [("temperature", sampled.temperature), ("top_p", sampled.top_p), ("top_k", sampled.top_k)];
    for (name, number) in numbers {
        if let Some(number) = number {
            o.raw(name, number);
        }
    }
    if !sampled.stop.is_empty() {
        o.strings("stop_sequences", &sampled.stop);
    }
}

#[cfg(test)]
mod tests;
