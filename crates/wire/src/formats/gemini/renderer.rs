//! Writing a streamed answer for a client of this format, as events (`alt=sse`) or as the elements
//! of one JSON array, which the API writes for everybody else.
//!
//! Text goes out as it comes. A function call waits until it is whole, because the format has no
//! pieces of one; the reasons why candidates ended wait for the end, because clients look for the
//! usage beside them.

use bytestring::ByteString;
use tollgate_domain::Usage;

use super::answer_out::{write_call, write_grounding, write_names, write_text, write_thought};
use super::error::{write_element, write_event};
use super::{finish, usage};
use crate::conversation::{Arguments, Citation, FinishReason, Provenance};
use crate::delta::{Delta, PartKind, Renderer};
use crate::formats::translation::Reply;
use crate::json::write::{Array, JsonWriter, object};

/// Writes one streamed answer. An error in band ([`Delta::Failed`]) writes nothing here: the driver
/// words it and sends it with [`error_event`](super::error_event).
#[derive(Debug)]
pub struct GeminiRenderer {
    reply: Reply,
    framing: Framing,
    id: Option<ByteString>,
    open: Vec<Open>,
    finished: Vec<(u32, FinishReason)>,
    cited: Vec<(u32, Citation)>,
    usage: Option<Usage>,
}

/// How one piece of the answer is told from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// As server-sent events.
    Events,
    /// As elements of an array; `begun` after the first.
    Array { begun: bool },
}

/// A part that has begun.
#[derive(Debug)]
struct Open {
    part: u32,
    choice: u32,
    kind: PartKind,
    /// The arguments of a call so far.
    arguments: String,
    seal: Option<ByteString>,
}

impl GeminiRenderer {
    /// At the start of an answer that goes out as events.
    #[must_use]
    pub const fn new(reply: Reply) -> Self {
        Self {
            reply,
            framing: Framing::Events,
            id: None,
            open: Vec::new(),
            finished: Vec::new(),
            cited: Vec::new(),
            usage: None,
        }
    }

    /// Writes the answer as one JSON array, for a client that did not say `alt=sse`. The array is
    /// closed with the answer; where one breaks off,
    /// [`error_element`](super::error_element) closes it.
    #[must_use]
    pub const fn as_array(mut self) -> Self {
        self.framing = Framing::Array { begun: false };
        self
    }

    fn opened(&mut self, choice: u32, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        if let PartKind::Redacted { data, provenance: Provenance::Gemini } = kind {
            self.chunk(choice, out, |a| write_text(a, "", Some(data)));
        }
        let arguments = String::new();
        self.open.push(Open { part, choice, kind: kind.clone(), arguments, seal: None });
    }

    fn more(&mut self, part: u32, text: &ByteString, out: &mut Vec<u8>) {
        let Some(open) = self.open.iter_mut().find(|open| open.part == part) else { return };
        let choice = open.choice;
        match open.kind {
            PartKind::ToolCall { .. } => open.arguments.push_str(text),
            PartKind::Text | PartKind::Refusal => {
                self.chunk(choice, out, |a| write_text(a, text, None));
            }
            PartKind::Reasoning { .. } => {
                self.chunk(choice, out, |a| write_thought(a, text, None));
            }
            PartKind::Redacted { .. } => {}
        }
    }

    /// A seal of another provider means nothing to a client of this format.
    fn sealed(&mut self, part: u32, seal: &ByteString, out: &mut Vec<u8>) {
        let Some(open) = self.open.iter_mut().find(|open| open.part == part) else { return };
        let choice = open.choice;
        match open.kind {
            PartKind::ToolCall { .. } => open.seal = Some(seal.clone()),
            PartKind::Reasoning { provenance: Provenance::Gemini } => {
                self.chunk(choice, out, |a| write_thought(a, "", Some(seal)));
            }
            PartKind::Reasoning { .. }
            | PartKind::Redacted { .. }
            | PartKind::Text
            | PartKind::Refusal => {}
        }
    }

    fn closed(&mut self, part: u32, out: &mut Vec<u8>) {
        let Some(at) = self.open.iter().position(|open| open.part == part) else { return };
        let open = self.open.remove(at);
        let PartKind::ToolCall { id, name, custom } = open.kind else { return };
        let text = ByteString::from(open.arguments);
        let arguments = if custom { Arguments::Text(text) } else { Arguments::Json(text) };
        let seal = open.seal.as_deref();
        self.chunk(open.choice, out, |a| {
            a.object(|o| write_call(o, &id, &name, &arguments, seal));
        });
    }

    /// One event with parts of one candidate.
    fn chunk(&mut self, choice: u32, out: &mut Vec<u8>, parts: impl FnOnce(&mut Array<'_>)) {
        let json = self.json(|o| {
            o.array("candidates", |a| {
                a.object(|o| {
                    write_content(o, parts);
                    o.number("index", choice.into());
                });
            });
        });
        self.frame(&json, out);
    }

    /// The last event: why each candidate ended, what it cites, and the usage.
    fn end(&mut self, out: &mut Vec<u8>) {
        let json = self.json(|o| {
            o.array("candidates", |a| {
                for (choice, reason) in &self.finished {
                    a.object(|o| {
                        write_content(o, |a| write_text(a, "", None));
                        o.string("finishReason", finish::write(*reason));
                        o.number("index", (*choice).into());
                        let cited = self.cited.iter().filter(|(of, _)| of == choice);
                        write_grounding(o, &cited.map(|(_, cited)| cited).collect::<Vec<_>>());
                    });
                }
            });
            if let Some(known) = &self.usage {
                usage::write(o, known);
            }
        });
        self.frame(&json, out);
        if self.framing != Framing::Events {
            out.extend_from_slice(b"\r\n]");
        }
    }

    fn json(&self, fill: impl FnOnce(&mut JsonWriter<'_>)) -> Vec<u8> {
        let mut json = Vec::new();
        object(&mut json, |o| {
            fill(o);
            write_names(o, self.id.as_deref(), &self.reply);
        });
        json
    }

    fn frame(&mut self, json: &[u8], out: &mut Vec<u8>) {
        match &mut self.framing {
            Framing::Events => write_event(out, json),
            Framing::Array { begun } => write_element(out, json, !std::mem::replace(begun, true)),
        }
    }
}

fn write_content(o: &mut JsonWriter<'_>, parts: impl FnOnce(&mut Array<'_>)) {
    o.object("content", |o| {
        o.array("parts", parts);
        o.string("role", "model");
    });
}

impl Renderer for GeminiRenderer {
    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Begin { id, .. } => self.id.clone_from(id),
            Delta::Open { choice, part, kind } => self.opened(*choice, *part, kind, out),
            Delta::More { part, text } => self.more(*part, text, out),
            Delta::Seal { part, seal } => self.sealed(*part, seal, out),
            Delta::Cite { part, citation } => {
                let choice = self.open.iter().find(|open| open.part == *part);
                self.cited.extend(choice.map(|open| (open.choice, citation.clone())));
            }
            Delta::Close { part } => self.closed(*part, out),
            Delta::Finish { choice, reason, .. } => self.finished.push((*choice, *reason)),
            Delta::Usage(usage) => self.usage = Some(usage.clone()),
            Delta::End => self.end(out),
            Delta::Failed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
