//! Splitting messages into input items: a turn of the model becomes its reasoning, its message and
//! its calls, each an item of its own and in the order they were said.

use std::collections::HashSet;

use super::content_out::{inexpressible, write_content};
use super::kept::KeptItems;
use super::report::Report;
use super::seal;
use crate::conversation::{
    Arguments, Message, Part, PartBody, Provenance, ReasoningBlock, Role, ToolCall, ToolResult,
};
use crate::json::JsonWriter;
use crate::json::write::Array;

/// Writes the items of a conversation.
#[derive(Debug)]
pub(super) struct ItemsOut<'a, 'r> {
    kept: &'a KeptItems<'a>,
    report: &'a mut Report<'r>,
    /// Calls of custom tools, whose outputs are items of their own kind.
    custom: HashSet<&'a str>,
    /// The number of the next item, those of the client that are written back included.
    number: usize,
}

impl<'a, 'r> ItemsOut<'a, 'r> {
    /// No item written yet.
    pub(super) fn new(kept: &'a KeptItems<'a>, report: &'a mut Report<'r>) -> Self {
        Self { kept, report, custom: HashSet::new(), number: 0 }
    }

    /// Writes every message from the one at `first` on, and the client's own items between them.
    pub(super) fn write(&mut self, messages: &'a [Message], first: usize, out: &mut Array<'_>) {
        for (index, message) in messages.iter().enumerate().skip(first) {
            self.message(index, message, out);
        }
        for raw in self.kept.from(self.number) {
            out.raw(raw);
        }
    }

    fn message(&mut self, index: usize, message: &'a Message, out: &mut Array<'_>) {
        if message.name.is_some() {
            self.report.leave_out("messages.name");
        }
        let by_model = message.role == Role::Assistant;
        let parts = self.expressible(index, &message.parts, by_model);
        for group in parts.chunk_by(|one, next| is_content(one) && is_content(next)) {
            match group.first().map(|part| &part.body) {
                Some(PartBody::ToolCall(call)) => self.call(call, out),
                Some(PartBody::ToolResult(result)) => self.result(index, result, out),
                Some(PartBody::Reasoning(block)) => self.reasoning(block, out),
                Some(_) => self.item(out, |o| {
                    o.string("type", "message").string("role", role(message.role));
                    o.array("content", |content| write_content(group, by_model, content));
                }),
                None => {}
            }
        }
    }

    /// The parts that this format can say.
    fn expressible<'p>(
        &mut self,
        index: usize,
        parts: &'p [Part],
        by_model: bool,
    ) -> Vec<&'p Part> {
        let mut kept = Vec::with_capacity(parts.len());
        for part in parts {
            if part.cache.is_some() {
                self.report.leave_out("cache_control");
            }
            match inexpressible(&part.body, by_model) {
                Some(why) => self.report.cannot_say(&format!("messages[{index}]"), why),
                None => kept.push(part),
            }
        }
        kept
    }

    fn call(&mut self, call: &'a ToolCall, out: &mut Array<'_>) {
        if matches!(call.arguments, Arguments::Text(_)) {
            self.custom.insert(&call.id);
        }
        self.item(out, |o| match &call.arguments {
            Arguments::Json(json) => {
                o.string("type", "function_call").string("call_id", &call.id);
                o.string("name", &call.name);
                // A call without arguments is an empty object; the provider parses what it gets.
                o.string("arguments", if json.is_empty() { "{}" } else { json });
            }
            Arguments::Text(text) => {
                o.string("type", "custom_tool_call").string("call_id", &call.id);
                o.string("name", &call.name).string("input", text);
            }
        });
    }

    fn result(&mut self, index: usize, result: &ToolResult, out: &mut Array<'_>) {
        let parts = self.expressible(index, &result.parts, false);
        let kind = match self.custom.contains(&*result.call) {
            true => "custom_tool_call_output",
            false => "function_call_output",
        };
        self.item(out, |o| {
            o.string("type", kind).string("call_id", &result.call);
            match parts.as_slice() {
                [] => _ = o.string("output", ""),
                [Part { body: PartBody::Text { text, .. }, .. }] => _ = o.string("output", text),
                several => _ = o.array("output", |parts| write_content(several, false, parts)),
            }
        });
    }

    /// Only sealed reasoning of this format goes back: the provider takes no other.
    fn reasoning(&mut self, block: &ReasoningBlock, out: &mut Array<'_>) {
        match (&block.seal, block.provenance) {
            (Some(sealed), Provenance::OpenAiResponses) => self.item(out, |o| {
                o.string("type", "reasoning");
                write_reasoning(&block.text, Some((block.provenance, block.redacted, sealed)), o);
            }),
            _ => {
                self.report.leave_out("reasoning_content");
                self.kept_before(out);
                self.number += 1;
            }
        }
    }

    /// The client's own items that stood before the next one, which it may be an answer to.
    fn kept_before(&mut self, out: &mut Array<'_>) {
        while let Some(raw) = self.kept.whole(self.number) {
            out.raw(raw);
            self.number += 1;
        }
    }

    /// An item, behind those of the client that stood before it, with what the client's own item
    /// at its place held besides.
    fn item(&mut self, out: &mut Array<'_>, fill: impl FnOnce(&mut JsonWriter<'_>)) {
        self.kept_before(out);
        let members = self.kept.members(self.number);
        out.object(|o| {
            fill(o);
            for (name, raw) in members {
                o.raw(name, raw);
            }
        });
        self.number += 1;
    }
}

/// Appends what a reasoning item holds besides its type and its id.
pub(super) fn write_reasoning(
    text: &str,
    sealed: Option<(Provenance, bool, &str)>,
    o: &mut JsonWriter<'_>,
) {
    o.array("summary", |summary| {
        if !text.is_empty() {
            summary.object(|o| _ = o.string("type", "summary_text").string("text", text));
        }
    });
    match sealed {
        Some((provenance, redacted, sealed)) => {
            o.joined("encrypted_content", &seal::pieces(provenance, redacted, sealed))
        }
        None => o.null("encrypted_content"),
    };
}

const fn is_content(part: &Part) -> bool {
    !matches!(part.body, PartBody::ToolCall(_) | PartBody::ToolResult(_) | PartBody::Reasoning(_))
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}
