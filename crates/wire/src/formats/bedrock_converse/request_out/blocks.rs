//! Writing what is said: the blocks of messages.

use super::media::{Names, write_media};
use super::points::{Points, hint};
use super::{IDS, names};
use crate::capability::{Capability, Converse};
use crate::conversation::{Part, PartBody, ReasoningBlock, Role, ToolCall, ToolResult};
use crate::formats::anthropic_messages::blocks_out::input_json;
use crate::formats::anthropic_messages::request_out::messages::{Arranged, Block, MISSING_RESULT};
use crate::json::write::{Array, JsonWriter};

/// What a tool gave that gave nothing: a result without a text is refused.
const EMPTY_RESULT: &str = "(nothing)";

/// `messages`.
pub(super) fn write_messages(
    o: &mut JsonWriter<'_>,
    arranged: &Arranged<'_>,
    capability: &Capability,
    points: Points,
) {
    let mut writing = Writing { converse: &capability.converse, documents: Names::default() };
    let mut points = points;
    o.array("messages", |a| {
        for turn in &arranged.turns {
            a.object(|o| {
                let assistant = turn.role == Role::Assistant;
                o.string("role", if assistant { "assistant" } else { "user" });
                o.array("content", |a| {
                    for block in &turn.blocks {
                        writing.block(a, block);
                        points.write(a, hint(block));
                    }
                });
            });
        }
    });
}

/// The text of a part that is one.
pub(super) fn text_of(part: &Part) -> Option<&str> {
    match &part.body {
        PartBody::Text { text, .. } | PartBody::Refusal { text } => Some(text),
        _ => None,
    }
}

struct Writing<'a> {
    converse: &'a Converse,
    documents: Names,
}

impl Writing<'_> {
    fn block(&mut self, blocks: &mut Array<'_>, block: &Block<'_>) {
        blocks.object(|o| match block {
            Block::Part(part) => self.part(o, part),
            Block::Text(text) => _ = o.string("text", text),
            Block::MissingResult(call) => {
                o.object("toolResult", |o| {
                    o.string("toolUseId", &IDS.fit(call));
                    o.array("content", |a| {
                        a.object(|o| _ = o.string("text", MISSING_RESULT));
                    });
                    self.status(o, true);
                });
            }
        });
    }

    fn part(&mut self, o: &mut JsonWriter<'_>, part: &Part) {
        match &part.body {
            PartBody::Text { text, .. } | PartBody::Refusal { text } => _ = o.string("text", text),
            PartBody::Image { source, .. } => write_media(o, source, None, &mut self.documents),
            PartBody::Document { source, name } => {
                write_media(o, source, name.as_deref(), &mut self.documents);
            }
            PartBody::ToolCall(call) => self.call(o, call),
            PartBody::ToolResult(result) => self.result(o, result),
            PartBody::Reasoning(block) => write_reasoning(o, block),
            // A request that holds sound is refused before it is written.
            PartBody::Audio { .. } => {}
        }
    }

    fn call(&self, o: &mut JsonWriter<'_>, call: &ToolCall) {
        o.object("toolUse", |o| {
            o.string("toolUseId", &IDS.fit(&call.id));
            o.string("name", &names(self.converse).fit(&call.name));
            o.raw("input", &input_json(&call.arguments));
        });
    }

    fn result(&mut self, o: &mut JsonWriter<'_>, result: &ToolResult) {
        let says = |part: &&Part| match &part.body {
            PartBody::Text { text, .. } => !text.trim().is_empty(),
            PartBody::Image { .. } | PartBody::Document { .. } => true,
            _ => false,
        };
        let parts: Vec<&Part> = result.parts.iter().filter(says).collect();
        o.object("toolResult", |o| {
            o.string("toolUseId", &IDS.fit(&result.call));
            o.array("content", |a| {
                if parts.is_empty() {
                    a.object(|o| _ = o.string("text", EMPTY_RESULT));
                }
                for part in parts {
                    a.object(|o| self.part(o, part));
                }
            });
            self.status(o, result.failed);
        });
    }

    fn status(&self, o: &mut JsonWriter<'_>, failed: bool) {
        if failed && self.converse.result_status {
            o.string("status", "error");
        }
    }
}

fn write_reasoning(o: &mut JsonWriter<'_>, block: &ReasoningBlock) {
    let seal = block.seal.as_deref().unwrap_or_default();
    o.object("reasoningContent", |o| {
        if block.redacted {
            o.string("redactedContent", seal);
        } else {
            o.object("reasoningText", |o| {
                o.string("text", &block.text).string("signature", seal);
            });
        }
    });
}
