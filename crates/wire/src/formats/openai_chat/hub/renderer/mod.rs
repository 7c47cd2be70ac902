//! Writing a streamed answer for a client: OpenAI's sequence of chunks, exactly.
//!
//! A choice begins with a chunk that says its role, a tool call with a fragment that says its id
//! and name, and the usage, where the client asked for it, stands in a chunk of its own without
//! choices before `[DONE]`.

mod call;

use std::collections::BTreeMap;

use bytestring::ByteString;
use tollgate_domain::Usage;

use self::call::{begin_call, continue_call, seal_call};
use super::super::error::ErrorBody;
use super::super::stream::DONE_EVENT;
use super::reasoning::Fragment;
use super::usage_out::write_usage;
use super::{citation, finish};
use crate::conversation::{Citation, FinishReason, Provenance};
use crate::delta::{Delta, PartKind, Renderer};
use crate::formats::translation::Reply;
use crate::json::write::{JsonWriter, object};

/// Writes one streamed answer in this format.
#[derive(Debug)]
pub struct OpenAiChatRenderer {
    reply: Reply,
    id: Option<ByteString>,
    created: Option<u64>,
    /// The open parts by their number.
    parts: BTreeMap<u32, Open>,
    /// The choices that have begun, with the number of tool calls in each.
    choices: BTreeMap<u32, u64>,
    usage: Option<Usage>,
}

/// An open part.
#[derive(Debug, Clone, Copy)]
struct Open {
    choice: u32,
    kind: OpenKind,
}

#[derive(Debug, Clone, Copy)]
enum OpenKind {
    Text,
    Refusal,
    Reasoning(Provenance),
    Call { index: u64, custom: bool, said: bool },
    Whole,
}

impl OpenAiChatRenderer {
    /// A renderer at the start of a stream.
    #[must_use]
    pub const fn new(reply: Reply) -> Self {
        Self {
            reply,
            id: None,
            created: None,
            parts: BTreeMap::new(),
            choices: BTreeMap::new(),
            usage: None,
        }
    }

    fn open(&mut self, choice: u32, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        let calls = matches!(kind, PartKind::ToolCall { .. });
        self.begin_choice(choice, calls, out);
        let kind = match kind {
            PartKind::Text => OpenKind::Text,
            PartKind::Refusal => OpenKind::Refusal,
            PartKind::Reasoning { provenance } => OpenKind::Reasoning(*provenance),
            PartKind::Redacted { data, provenance } => {
                let fragment = Fragment { text: "", seal: Some(data), redacted: true };
                let write =
                    |delta: &mut JsonWriter<'_>| fragment.write(delta, *provenance, part.into());
                self.chunk(choice, None, write, out);
                OpenKind::Whole
            }
            PartKind::ToolCall { id, name, custom } => {
                let index = self.count_call(choice);
                let custom = *custom;
                let write = |call: &mut JsonWriter<'_>| begin_call(call, id, name, custom);
                self.call_chunk(choice, index, write, out);
                OpenKind::Call { index, custom, said: false }
            }
        };
        self.parts.insert(part, Open { choice, kind });
    }

    /// The first chunk of a choice. Its content is `null` where the choice begins with a call.
    fn begin_choice(&mut self, choice: u32, calls: bool, out: &mut Vec<u8>) {
        if self.choices.contains_key(&choice) {
            return;
        }
        self.choices.insert(choice, 0);
        let write = |delta: &mut JsonWriter<'_>| {
            delta.string("role", "assistant");
            match calls {
                true => delta.null("content"),
                false => delta.string("content", ""),
            };
            delta.null("refusal");
        };
        self.chunk(choice, None, write, out);
    }

    fn count_call(&mut self, choice: u32) -> u64 {
        let calls = self.choices.entry(choice).or_default();
        *calls += 1;
        *calls - 1
    }

    fn more(&mut self, part: u32, text: &str, out: &mut Vec<u8>) {
        let Some(open) = self.parts.get_mut(&part) else { return };
        if let OpenKind::Call { said, .. } = &mut open.kind {
            *said = true;
        }
        let Open { choice, kind } = *open;
        match kind {
            OpenKind::Text => {
                self.chunk(choice, None, |delta| _ = delta.string("content", text), out)
            }
            OpenKind::Refusal => {
                self.chunk(choice, None, |delta| _ = delta.string("refusal", text), out);
            }
            OpenKind::Reasoning(provenance) => {
                let fragment = Fragment { text, seal: None, redacted: false };
                self.chunk(choice, None, |d| fragment.write(d, provenance, part.into()), out);
            }
            OpenKind::Call { index, custom, .. } => {
                self.call_chunk(choice, index, |call| continue_call(call, text, custom), out);
            }
            OpenKind::Whole => {}
        }
    }

    fn seal(&self, part: u32, seal: &str, out: &mut Vec<u8>) {
        let Some(Open { choice, kind }) = self.parts.get(&part).copied() else { return };
        match kind {
            OpenKind::Reasoning(provenance) => {
                let fragment = Fragment { text: "", seal: Some(seal), redacted: false };
                self.chunk(choice, None, |d| fragment.write(d, provenance, part.into()), out);
            }
            OpenKind::Call { index, custom, .. } => {
                self.call_chunk(choice, index, |call| seal_call(call, seal, custom), out);
            }
            OpenKind::Text | OpenKind::Refusal | OpenKind::Whole => {}
        }
    }

    fn cite(&self, part: u32, citation: &Citation, out: &mut Vec<u8>) {
        let Some(open) = self.parts.get(&part).filter(|_| citation::is_writable(citation)) else {
            return;
        };
        let write = |delta: &mut JsonWriter<'_>| {
            delta.array("annotations", |list| citation::write(list, citation, "", 0));
        };
        self.chunk(open.choice, None, write, out);
    }

    /// No arguments at all are an empty object, because clients parse them.
    fn close(&mut self, part: u32, out: &mut Vec<u8>) {
        let Some(Open { choice, kind }) = self.parts.remove(&part) else { return };
        if let OpenKind::Call { index, custom: false, said: false } = kind {
            self.call_chunk(choice, index, |call| continue_call(call, "{}", false), out);
        }
    }

    fn finish(&mut self, choice: u32, reason: FinishReason, out: &mut Vec<u8>) {
        self.begin_choice(choice, false, out);
        self.chunk(choice, Some(reason), |_| {}, out);
    }

    fn end(&self, out: &mut Vec<u8>) {
        if let Some(usage) = self.usage.as_ref().filter(|_| self.reply.include_usage) {
            event(out, |chunk| {
                self.write_head(chunk);
                chunk.array("choices", |_| {});
                chunk.object("usage", |object| write_usage(usage, object));
            });
        }
        out.extend_from_slice(DONE_EVENT);
    }

    fn call_chunk(
        &self,
        choice: u32,
        index: u64,
        write: impl FnOnce(&mut JsonWriter<'_>),
        out: &mut Vec<u8>,
    ) {
        let write = |delta: &mut JsonWriter<'_>| {
            delta.array("tool_calls", |calls| {
                calls.object(|call| {
                    call.number("index", index);
                    write(call);
                });
            });
        };
        self.chunk(choice, None, write, out);
    }

    fn chunk(
        &self,
        choice: u32,
        finish: Option<FinishReason>,
        write: impl FnOnce(&mut JsonWriter<'_>),
        out: &mut Vec<u8>,
    ) {
        event(out, |chunk| {
            self.write_head(chunk);
            chunk.array("choices", |choices| {
                choices.object(|object| {
                    object.number("index", choice.into()).object("delta", write);
                    object.null("logprobs");
                    match finish {
                        Some(reason) => object.string("finish_reason", finish::write(reason)),
                        None => object.null("finish_reason"),
                    };
                });
            });
            if self.reply.include_usage {
                chunk.null("usage");
            }
        });
    }

    /// What is the same in every chunk.
    fn write_head(&self, chunk: &mut JsonWriter<'_>) {
        chunk.string("id", self.id.as_deref().unwrap_or(&self.reply.id));
        chunk.string("object", "chat.completion.chunk");
        chunk.number("created", self.created.unwrap_or(self.reply.created));
        chunk.string("model", &self.reply.model);
    }
}

impl Renderer for OpenAiChatRenderer {
    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Begin { id, created, model: _ } => {
                self.id.clone_from(id);
                self.created = *created;
            }
            Delta::Open { choice, part, kind } => self.open(*choice, *part, kind, out),
            Delta::More { part, text } => self.more(*part, text, out),
            Delta::Seal { part, seal } => self.seal(*part, seal, out),
            Delta::Cite { part, citation } => self.cite(*part, citation, out),
            Delta::Close { part } => self.close(*part, out),
            Delta::Finish { choice, reason, stop_sequence: _ } => {
                self.finish(*choice, *reason, out);
            }
            Delta::Usage(usage) => self.usage = Some(usage.clone()),
            Delta::Failed(error) => write_error(error, out),
            Delta::End => self.end(out),
        }
    }
}

fn event(out: &mut Vec<u8>, fill: impl FnOnce(&mut JsonWriter<'_>)) {
    out.extend_from_slice(b"data: ");
    object(out, fill);
    out.extend_from_slice(b"\n\n");
}

fn write_error(error: &ErrorBody, out: &mut Vec<u8>) {
    event(out, |body| {
        body.object("error", |object| {
            object.string("message", &error.message);
            let members = [("type", &error.kind), ("param", &error.param), ("code", &error.code)];
            for (name, text) in members {
                match text {
                    Some(text) => object.string(name, text),
                    None => object.null(name),
                };
            }
        });
    });
}

#[cfg(test)]
mod tests;
