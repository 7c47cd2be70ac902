//! Writing a streamed answer for a client that speaks the Responses API: the full order of its
//! events, numbered.

use std::sync::Arc;

use bytestring::ByteString;
use tollgate_domain::Usage;

use super::client_tools::ClientTools;
use super::content_out::annotation;
use super::events::{CUSTOM, Events, FUNCTION, OpenPart, SUMMARY, place};
use super::output::{Content, Ids, Item, Sealed};
use super::response::{Finished, Response, Status};
use crate::conversation::{Citation, FinishReason, Provenance};
use crate::delta::{Delta, PartKind, Renderer};
use crate::formats::translation::Reply;

/// Writes one streamed answer. Only the first choice is written: the API knows no other.
///
/// [`Delta::Failed`] writes nothing: how an error is put is not the answer's business, see
/// [`error_event`](super::error_event).
#[derive(Debug)]
pub struct ResponsesRenderer {
    reply: Reply,
    tools: Arc<ClientTools>,
    ids: Ids,
    created: u64,
    events: Events,
    items: Vec<Finished>,
    /// The parts that are open.
    parts: Vec<OpenPart>,
    /// Parts whose end waits for what follows it. The parts of an answer that broke off end too,
    /// and then nothing follows: a client must not be told that a call is whole, and run it.
    closed: Vec<OpenPart>,
    /// The message that the next text joins.
    message: Option<usize>,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

impl ResponsesRenderer {
    /// A renderer at the start of an answer.
    #[must_use]
    pub fn new(reply: Reply) -> Self {
        Self {
            ids: Ids::new(&reply.id),
            created: reply.created,
            reply,
            tools: Arc::default(),
            events: Events::default(),
            items: Vec::new(),
            parts: Vec::new(),
            closed: Vec::new(),
            message: None,
            finish: None,
            usage: None,
        }
    }

    /// Calls tools what the client calls them, for a request that was made portable.
    #[must_use]
    pub fn with_tools(mut self, tools: Arc<ClientTools>) -> Self {
        self.tools = tools;
        self
    }

    /// An event that holds the response as it stands.
    fn response(&mut self, name: &str, status: Status, out: &mut Vec<u8>) {
        let response = Response {
            ids: &self.ids,
            reply: &self.reply,
            created: self.created,
            status,
            items: &self.items,
            usage: self.usage.as_ref().filter(|_| status != Status::InProgress),
        };
        self.events.write(out, name, |o| _ = o.object("response", |o| response.write(o)));
    }

    fn open(&mut self, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        let (item, provenance) = match kind {
            PartKind::Text | PartKind::Refusal => {
                return self.open_content(part, matches!(kind, PartKind::Refusal), out);
            }
            PartKind::Reasoning { provenance } => {
                (Item::Reasoning { text: String::new(), sealed: None }, *provenance)
            }
            PartKind::Redacted { data, provenance } => {
                let (provenance, seal) = (*provenance, data.clone());
                let sealed = Some(Sealed { provenance, redacted: true, seal });
                (Item::Reasoning { text: String::new(), sealed }, provenance)
            }
            PartKind::ToolCall { id, name, custom } => {
                (Item::call(id, name, *custom, &self.tools), Provenance::Plain)
            }
        };
        self.leave_message(Status::Completed, out);
        let item = self.add(item, out);
        self.parts.push(OpenPart { part, item, content: 0, provenance });
    }

    /// Texts that follow each other are parts of one message.
    fn open_content(&mut self, part: u32, refusal: bool, out: &mut Vec<u8>) {
        let item = match self.message {
            Some(item) => item,
            None => self.add(Item::Message(Vec::new()), out),
        };
        self.message = Some(item);
        let Some(finished) = self.items.get_mut(item) else { return };
        let Item::Message(contents) = &mut finished.item else { return };
        let (content, added) = (contents.len(), Content { refusal, ..Content::default() });
        self.parts.push(OpenPart { part, item, content, provenance: Provenance::Plain });
        let within = Some(("content_index", content));
        contents.push(Content { refusal, ..Content::default() });
        let finished = &*finished;
        self.events.write(out, "response.content_part.added", |o| {
            place(finished, item, within, o).object("part", |o| added.write(o));
        });
    }

    fn add(&mut self, item: Item, out: &mut Vec<u8>) -> usize {
        let index = self.items.len();
        let finished =
            Finished { id: self.ids.item(&item, index), item, status: Status::InProgress };
        self.events.write(out, "response.output_item.added", |o| {
            o.number("output_index", index as u64);
            o.object("item", |o| finished.item.write(&finished.id, finished.status.word(), o));
        });
        self.items.push(finished);
        index
    }

    /// Nothing more joins the message. It is done unless a part of it is still open.
    fn leave_message(&mut self, status: Status, out: &mut Vec<u8>) {
        let Some(item) = self.message.take() else { return };
        if !self.parts.iter().any(|part| part.item == item) {
            self.done(item, status, out);
        }
    }

    fn done(&mut self, index: usize, status: Status, out: &mut Vec<u8>) {
        let Some(finished) = self.items.get_mut(index) else { return };
        finished.status = status;
        let finished = &*finished;
        self.events.write(out, "response.output_item.done", |o| {
            o.number("output_index", index as u64);
            o.object("item", |o| finished.item.write(&finished.id, finished.status.word(), o));
        });
    }

    fn more(&mut self, at: OpenPart, more: &str, out: &mut Vec<u8>) {
        let Some(finished) = self.items.get_mut(at.item) else { return };
        let mut begins = false;
        let (name, within) = match &mut finished.item {
            Item::Message(contents) => {
                let Some(content) = contents.get_mut(at.content) else { return };
                content.text.push_str(more);
                let name = match content.refusal {
                    true => "response.refusal.delta",
                    false => "response.output_text.delta",
                };
                (name, Some(("content_index", at.content)))
            }
            Item::Reasoning { text, .. } => {
                begins = text.is_empty();
                text.push_str(more);
                ("response.reasoning_summary_text.delta", Some(SUMMARY))
            }
            Item::Call { arguments, called, wrapped, .. } => {
                arguments.push_str(more);
                // Its text shows when it is whole.
                if *wrapped {
                    return;
                }
                (if called.custom { CUSTOM.0 } else { FUNCTION.0 }, None)
            }
        };
        let finished = &*finished;
        if begins {
            self.events.write(out, "response.reasoning_summary_part.added", |o| {
                let o = place(finished, at.item, within, o);
                o.object("part", |o| _ = o.string("type", "summary_text").string("text", ""));
            });
        }
        self.events.write(out, name, |o| {
            let o = place(finished, at.item, within, o).string("delta", more);
            if name == "response.output_text.delta" {
                o.array("logprobs", |_| {});
            }
        });
    }

    fn cite(&mut self, at: OpenPart, citation: &Citation, out: &mut Vec<u8>) {
        let Some(finished) = self.items.get_mut(at.item) else { return };
        let Item::Message(contents) = &mut finished.item else { return };
        let Some(content) = contents.get_mut(at.content) else { return };
        let number = content.citations.len();
        let annotation = annotation(citation, &content.text);
        content.citations.push(citation.clone());
        let (finished, within) = (&*finished, Some(("content_index", at.content)));
        self.events.write(out, "response.output_text.annotation.added", |o| {
            let o = place(finished, at.item, within, o);
            o.number("annotation_index", number as u64).raw("annotation", &annotation);
        });
    }

    fn seal(&mut self, at: OpenPart, seal: &ByteString) {
        let item = self.items.get_mut(at.item).map(|finished| &mut finished.item);
        if let Some(Item::Reasoning { sealed, .. }) = item {
            let provenance = at.provenance;
            // Only this format seals the reasoning itself beside its readable text.
            let redacted = provenance == Provenance::OpenAiResponses;
            *sealed = Some(Sealed { provenance, redacted, seal: seal.clone() });
        }
    }

    /// Ends the parts that wait for it: more of the answer has come.
    fn settle(&mut self, status: Status, out: &mut Vec<u8>) {
        while !self.closed.is_empty() {
            let at = self.closed.remove(0);
            self.close(at, status, out);
        }
    }

    fn close(&mut self, at: OpenPart, status: Status, out: &mut Vec<u8>) {
        let Some(finished) = self.items.get_mut(at.item) else { return };
        let hidden = matches!(finished.item, Item::Call { wrapped: true, .. });
        finished.item.unpack();
        let finished = &*finished;
        match &finished.item {
            Item::Message(contents) => {
                let Some(content) = contents.get(at.content) else { return };
                self.events.close_content(finished, at, content, out);
                let belongs = |part: &OpenPart| part.item == at.item;
                let mut others = self.parts.iter().chain(&self.closed);
                if self.message != Some(at.item) && !others.any(belongs) {
                    self.done(at.item, status, out);
                }
                return;
            }
            Item::Reasoning { text, .. } if text.is_empty() => {}
            Item::Reasoning { text, .. } => {
                self.events.close_summary(finished, at.item, text, out);
            }
            Item::Call { arguments, called, .. } => {
                let (delta, name, member) = if called.custom { CUSTOM } else { FUNCTION };
                if hidden && !arguments.is_empty() {
                    self.events.write(out, delta, |o| {
                        place(finished, at.item, None, o).string("delta", arguments);
                    });
                }
                self.events.write(out, name, |o| {
                    place(finished, at.item, None, o).string(member, arguments);
                });
            }
        }
        self.done(at.item, status, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.leave_message(Status::Completed, out);
        let items = self.items.iter().map(|finished| &finished.item);
        let status = Status::ended(self.finish, items);
        let name = match status {
            Status::Incomplete(_) => "response.incomplete",
            Status::InProgress | Status::Completed => "response.completed",
        };
        self.response(name, status, out);
    }
}

impl Renderer for ResponsesRenderer {
    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        if !matches!(delta, Delta::Close { .. } | Delta::Finish { .. } | Delta::Failed(_)) {
            self.settle(Status::Completed, out);
        }
        let open = |part: &u32| self.parts.iter().copied().find(|open| open.part == *part);
        match delta {
            Delta::Begin { created, .. } => {
                self.created = created.unwrap_or(self.reply.created);
                self.response("response.created", Status::InProgress, out);
                self.response("response.in_progress", Status::InProgress, out);
            }
            Delta::Open { choice: 0, part, kind } => self.open(*part, kind, out),
            Delta::More { part, text } => {
                if let Some(at) = open(part) {
                    self.more(at, text, out);
                }
            }
            Delta::Seal { part, seal } => {
                if let Some(at) = open(part) {
                    self.seal(at, seal);
                }
            }
            Delta::Cite { part, citation } => {
                if let Some(at) = open(part) {
                    self.cite(at, citation, out);
                }
            }
            Delta::Close { part } => {
                if let Some(at) = open(part) {
                    self.parts.retain(|open| open.part != *part);
                    self.closed.push(at);
                }
            }
            Delta::Finish { choice: 0, reason, .. } => {
                self.finish = Some(*reason);
                let items = self.items.iter().map(|finished| &finished.item);
                let status = Status::ended(self.finish, items);
                self.settle(status, out);
                self.leave_message(status, out);
            }
            Delta::Usage(usage) => self.usage = Some(usage.clone()),
            Delta::End => self.end(out),
            Delta::Open { .. } | Delta::Finish { .. } | Delta::Failed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
