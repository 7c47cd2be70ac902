//! Writing a buffered answer for a client that speaks the Messages API.

use std::borrow::Cow;

use super::blocks_out::write_part;
use super::stop::reason_name;
use super::usage::write_usage;
use crate::conversation::{Answer, Part, PartBody, ReasoningBlock};
use crate::formats::translation::Reply;
use crate::json::write::{JsonWriter, object};
use tollgate_domain::Usage;

/// Writes an answer. The API knows one choice, so the first one is written.
///
/// Reasoning without a seal gets the gateway's own signature; without a key its signature is empty,
/// which vouches for nothing.
#[must_use]
pub fn from_answer(answer: &Answer, reply: &Reply) -> Vec<u8> {
    let first = answer.choices.first();
    let parts = first.map_or(&[][..], |choice| &choice.parts);
    let calls_tools = parts.iter().any(|part| matches!(part.body, PartBody::ToolCall(_)));
    let mut out = Vec::new();
    object(&mut out, |o| {
        write_head(o, answer.id.as_deref(), reply);
        o.array("content", |a| {
            for part in parts.iter().filter(|part| says(part)) {
                write_part(a, &signed(part, reply));
            }
        });
        match first.and_then(|choice| choice.finish) {
            Some(reason) => o.string("stop_reason", reason_name(reason, calls_tools)),
            None => o.null("stop_reason"),
        };
        match first.and_then(|choice| choice.stop_sequence.as_deref()) {
            Some(text) => o.string("stop_sequence", text),
            None => o.null("stop_sequence"),
        };
        write_usage(o, answer.usage.as_ref().unwrap_or(&Usage::UNKNOWN));
    });
    out
}

/// A part with the gateway's signature, where it is reasoning that has none.
fn signed<'p>(part: &'p Part, reply: &Reply) -> Cow<'p, Part> {
    match (&part.body, &reply.seal) {
        (PartBody::Reasoning(block), Some(seal)) if block.seal.is_none() => {
            let signature = seal.sealer.seal(&seal.origin, &block.text).into();
            let block = ReasoningBlock { seal: Some(signature), ..block.clone() };
            Cow::Owned(Part { body: PartBody::Reasoning(block), cache: part.cache })
        }
        _ => Cow::Borrowed(part),
    }
}

/// Writes what every message begins with. An id of another dialect is replaced by the gateway's.
pub(super) fn write_head(o: &mut JsonWriter<'_>, id: Option<&str>, reply: &Reply) {
    match id.filter(|id| id.starts_with(ID_PREFIX)) {
        Some(id) => o.string("id", id),
        None => o.joined("id", &[ID_PREFIX, &reply.id]),
    };
    o.string("type", "message").string("role", "assistant").string("model", &reply.model);
}

/// What the ids of messages begin with.
const ID_PREFIX: &str = "msg_";

/// Whether a part is anything that an answer of this API can hold.
fn says(part: &Part) -> bool {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => !text.is_empty(),
        PartBody::ToolCall(_) | PartBody::Reasoning(_) => true,
        PartBody::Image { .. }
        | PartBody::Document { .. }
        | PartBody::Audio { .. }
        | PartBody::ToolResult(_) => false,
    }
}

/// The answer to a request that only counts.
#[must_use]
pub fn from_count(input_tokens: u64) -> Vec<u8> {
    let mut out = Vec::new();
    object(&mut out, |o| _ = o.number("input_tokens", input_tokens));
    out
}
