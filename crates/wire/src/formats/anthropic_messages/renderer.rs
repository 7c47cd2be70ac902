//! Writing a streamed answer for a client that speaks the Messages API.
//!
//! Its blocks stand one behind the other, while parts may come side by side: what belongs to a
//! later block waits until the one before it is closed.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytestring::ByteString;
use tollgate_domain::Usage;

use super::answer_out::write_head;
use super::blocks_out::{citation_json, escaped};
use super::error::fill_event;
use super::stop::reason_name;
use super::usage::write_usage;
use crate::conversation::FinishReason;
use crate::delta::{Delta, PartKind, Renderer};
use crate::formats::seal::Sealing;
use crate::formats::translation::Reply;
use crate::json::write::{JsonWriter, object};

/// Writes one streamed answer. Only the first choice is written: the API knows no other.
///
/// [`Delta::Failed`] writes nothing: how an error is put is not the answer's business, see
/// [`error_event`](super::error_event).
#[derive(Debug)]
pub struct MessagesRenderer {
    reply: Reply,
    blocks: u64,
    /// The block that is being written, and behind it those that wait. Each is a part.
    queue: VecDeque<Block>,
    calls_tools: bool,
    finish: Option<(FinishReason, Option<ByteString>)>,
    usage: Usage,
}

/// A part on its way to the client.
#[derive(Debug)]
struct Block {
    part: u32,
    kind: PartKind,
    /// Deltas that wait for the block's turn, neighbouring texts joined.
    waiting: Vec<Piece<'static>>,
    /// The gateway's signature of reasoning that has brought none so far.
    sealing: Option<Sealing>,
    closed: bool,
}

#[derive(Debug)]
enum Piece<'a> {
    Text(Cow<'a, str>),
    Seal(Cow<'a, str>),
    Citation(String),
}

impl Piece<'_> {
    fn into_owned(self) -> Piece<'static> {
        match self {
            Self::Text(text) => Piece::Text(text.into_owned().into()),
            Self::Seal(seal) => Piece::Seal(seal.into_owned().into()),
            Self::Citation(json) => Piece::Citation(json),
        }
    }
}

impl MessagesRenderer {
    /// A renderer at the start of an answer.
    #[must_use]
    pub const fn new(reply: Reply) -> Self {
        Self {
            reply,
            blocks: 0,
            queue: VecDeque::new(),
            calls_tools: false,
            finish: None,
            usage: Usage::UNKNOWN,
        }
    }

    fn open(&mut self, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        self.calls_tools |= matches!(kind, PartKind::ToolCall { .. });
        let seal = self.reply.seal.as_ref().filter(|_| matches!(kind, PartKind::Reasoning { .. }));
        let sealing = seal.map(|seal| seal.sealer.begin(&seal.origin));
        let kind = kind.clone();
        let block = Block { part, kind, waiting: Vec::new(), sealing, closed: false };
        self.queue.push_back(block);
        if self.queue.len() == 1 {
            self.start_front(out);
        }
    }

    /// Writes the beginning of the block whose turn it is.
    fn start_front(&self, out: &mut Vec<u8>) {
        let Some(block) = self.queue.front() else { return };
        write(out, "content_block_start", |o| {
            o.number("index", self.blocks).object("content_block", |o| write_start(o, &block.kind));
        });
        if matches!(block.kind, PartKind::ToolCall { custom: true, .. }) {
            let beginning = Piece::Text(Cow::Borrowed("{\"input\":\""));
            write_piece(out, self.blocks, &block.kind, &beginning);
        }
    }

    fn add(&mut self, part: u32, piece: Piece<'_>, out: &mut Vec<u8>) {
        let Some(at) = self.queue.iter().position(|block| block.part == part) else { return };
        let Some(block) = self.queue.get_mut(at) else { return };
        match (&piece, &mut block.sealing) {
            (Piece::Text(text), Some(sealing)) => sealing.add(text),
            (Piece::Seal(_), sealing) => *sealing = None,
            (Piece::Text(_) | Piece::Citation(_), _) => {}
        }
        let piece = match (piece, &block.kind) {
            (Piece::Text(text), PartKind::ToolCall { custom: true, .. }) => {
                Piece::Text(escaped(&text).into())
            }
            (piece, _) => piece,
        };
        if at == 0 {
            return write_piece(out, self.blocks, &block.kind, &piece);
        }
        match (block.waiting.last_mut(), piece) {
            (Some(Piece::Text(waiting)), Piece::Text(text)) => waiting.to_mut().push_str(&text),
            (_, piece) => block.waiting.push(piece.into_owned()),
        }
    }

    fn close(&mut self, part: u32, out: &mut Vec<u8>) {
        let Some(block) = self.queue.iter_mut().find(|block| block.part == part) else { return };
        block.closed = true;
        if let Some(sealing) = block.sealing.take() {
            self.add(part, Piece::Seal(sealing.finish().into()), out);
        }
        while self.queue.front().is_some_and(|block| block.closed) {
            self.stop_front(out);
            self.start_front(out);
            let Some(next) = self.queue.front_mut() else { return };
            for piece in std::mem::take(&mut next.waiting) {
                write_piece(out, self.blocks, &next.kind, &piece);
            }
        }
    }

    /// Ends the block whose turn it was.
    fn stop_front(&mut self, out: &mut Vec<u8>) {
        let Some(block) = self.queue.pop_front() else { return };
        if matches!(block.kind, PartKind::ToolCall { custom: true, .. }) {
            write_piece(out, self.blocks, &block.kind, &Piece::Text(Cow::Borrowed("\"}")));
        }
        write(out, "content_block_stop", |o| _ = o.number("index", self.blocks));
        self.blocks += 1;
    }

    fn end(&self, out: &mut Vec<u8>) {
        write(out, "message_delta", |o| {
            o.object("delta", |o| {
                let (reason, stop) = match &self.finish {
                    Some((reason, stop)) => (*reason, stop.as_deref()),
                    None => (FinishReason::Stop, None),
                };
                o.string("stop_reason", reason_name(reason, self.calls_tools));
                match stop {
                    Some(text) => o.string("stop_sequence", text),
                    None => o.null("stop_sequence"),
                };
            });
            write_usage(o, &self.usage);
        });
        write(out, "message_stop", |_| {});
    }

    fn begin(&self, id: Option<&str>, out: &mut Vec<u8>) {
        write(out, "message_start", |o| {
            o.object("message", |o| {
                write_head(o, id, &self.reply);
                o.array("content", |_| {}).null("stop_reason").null("stop_sequence");
                write_usage(o, &self.usage);
            });
        });
    }
}

impl Renderer for MessagesRenderer {
    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match delta {
            Delta::Begin { id, .. } => self.begin(id.as_deref(), out),
            Delta::Open { choice: 0, part, kind } => self.open(*part, kind, out),
            Delta::More { part, text } => self.add(*part, Piece::Text((&**text).into()), out),
            Delta::Seal { part, seal } => self.add(*part, Piece::Seal((&**seal).into()), out),
            Delta::Cite { part, citation } => {
                self.add(*part, Piece::Citation(citation_json(citation)), out);
            }
            Delta::Close { part } => self.close(*part, out),
            Delta::Finish { choice: 0, reason, stop_sequence } => {
                self.finish = Some((*reason, stop_sequence.clone()));
            }
            Delta::Usage(usage) => self.usage = usage.clone(),
            Delta::End => self.end(out),
            Delta::Open { .. } | Delta::Finish { .. } | Delta::Failed(_) => {}
        }
    }
}

/// Writes the block that `content_block_start` holds.
fn write_start(o: &mut JsonWriter<'_>, kind: &PartKind) {
    match kind {
        PartKind::Text | PartKind::Refusal => {
            o.string("type", "text").string("text", "");
        }
        PartKind::Reasoning { .. } => {
            o.string("type", "thinking").string("thinking", "").string("signature", "");
        }
        PartKind::Redacted { data, .. } => {
            o.string("type", "redacted_thinking").string("data", data);
        }
        PartKind::ToolCall { id, name, .. } => {
            o.string("type", "tool_use").string("id", id).string("name", name);
            o.object("input", |_| {});
        }
    }
}

/// Writes one delta of a block; what the block's kind has no delta for is left out.
fn write_piece(out: &mut Vec<u8>, index: u64, kind: &PartKind, piece: &Piece<'_>) {
    let (name, member, text) = match (piece, kind) {
        (Piece::Text(text), PartKind::Text | PartKind::Refusal) => ("text_delta", "text", &**text),
        (Piece::Text(text), PartKind::Reasoning { .. }) => ("thinking_delta", "thinking", &**text),
        (Piece::Text(text), PartKind::ToolCall { .. }) => {
            ("input_json_delta", "partial_json", &**text)
        }
        (Piece::Seal(seal), PartKind::Reasoning { .. }) => {
            ("signature_delta", "signature", &**seal)
        }
        (Piece::Citation(json), PartKind::Text) => ("citations_delta", "citation", &**json),
        _ => return,
    };
    write(out, "content_block_delta", |o| {
        o.number("index", index).object("delta", |o| {
            o.string("type", name);
            match piece {
                Piece::Citation(_) => o.raw(member, text),
                Piece::Text(_) | Piece::Seal(_) => o.string(member, text),
            };
        });
    });
}

/// Writes an event whose data name its type as well.
fn write(out: &mut Vec<u8>, event: &str, fill: impl FnOnce(&mut JsonWriter<'_>)) {
    fill_event(out, event, |out| {
        object(out, |o| {
            o.string("type", event);
            fill(o);
        });
    });
}

#[cfg(test)]
mod tests;
