//! Understanding a streamed answer of ConverseStream.
//!
//! Text and reasoning begin with their first piece; only calls of tools are announced. The answer
//! is complete with `messageStop`; `metadata`, which holds the usage, comes behind it and is the
//! end. A record is an event, by its `:event-type`, or an exception, by its `:exception-type` or
//! `:error-code`.

use tollgate_domain::{Quantity, Usage};

use super::answer_in::{citation, provenance, text};
use super::error::{exception, is_exception};
use super::stop::read_stop;
use super::usage::{read_usage, thinking_tokens};
use crate::capability::{Capability, ReasoningField};
use crate::conversation::Provenance;
use crate::delta::{Close, Delta, Interpreter};
use crate::formats::anthropic_messages::Wording;
use crate::formats::anthropic_messages::interpreter::{Piece, Speaker};
use crate::formats::openai_chat::ErrorBody;
use crate::json::{Object, Raw};

/// Understands one streamed answer.
#[derive(Debug)]
pub struct BedrockConverseInterpreter {
    begun: bool,
    finished: bool,
    over: bool,
    speaker: Speaker,
    /// Whose readable reasoning is: that of a model that signs it, or nobody's.
    provenance: Provenance,
    thinking: Option<Quantity>,
    /// What `metadata` told, which is the last word but one.
    usage: Option<Usage>,
    metadata_seen: bool,
    /// Why there is no answer, where the model broke it before it said anything.
    failure: Option<ErrorBody>,
}

impl BedrockConverseInterpreter {
    /// An interpreter at the start of a stream of a model that signs its reasoning.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One for a model of this record, that gives tool calls in the client's words: see
    /// [`wording`](super::wording).
    #[must_use]
    pub fn with(wording: Wording, capability: &Capability) -> Self {
        let signs = match capability.converse.reasoning {
            ReasoningField::Thinking => true,
            // Nothing is known of it: it is for the seal to come.
            ReasoningField::None => *capability == Capability::UNKNOWN,
            ReasoningField::Levels | ReasoningField::Effort | ReasoningField::Object => false,
        };
        let speaker = Speaker::with(wording);
        Self { speaker, provenance: provenance(signs), ..Self::default() }
    }

    fn start_block(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let index = index(object)?;
        let start = object.value("start").ok_or("`start` is missing")?;
        self.speaker.close(index, out);
        if let Some(call) = start.find("toolUse") {
            let member = |name| call.find(name).and_then(text).unwrap_or_default();
            self.speaker.open_call(index, (member("toolUseId"), &member("name")), "", out);
        }
        Ok(())
    }

    fn block_delta(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let index = index(object)?;
        let delta = object.value("delta").ok_or("`delta` is missing")?;
        for (kind, value) in delta.members() {
            match &*kind {
                "text" => self.more(index, Piece::Text, value, out),
                "toolUse" => {
                    let input = value.find("input").and_then(text).unwrap_or_default();
                    self.speaker.more(index, Piece::Arguments, input, out);
                }
                "reasoningContent" => self.reasoning(index, value, out),
                "citation" => {
                    if self.speaker.text_part(index).is_none() {
                        self.speaker.open_text(index, out);
                    }
                    let part = self.speaker.text_part(index);
                    out.extend(part.map(|part| Delta::Cite { part, citation: citation(value) }));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn reasoning(&mut self, index: u64, value: Raw<'_>, out: &mut Vec<Delta>) {
        for (kind, value) in value.members() {
            match &*kind {
                "text" => self.more(index, Piece::Thinking, value, out),
                "signature" => self.more(index, Piece::Seal, value, out),
                "redactedContent" => {
                    if let Some(data) = text(value).filter(|data| !data.is_empty()) {
                        let provenance = Provenance::AnthropicMessages;
                        self.speaker.open_redacted(index, data, provenance, out);
                    }
                }
                _ => {}
            }
        }
    }

    /// More of a block, which this opens where nothing of its kind is open.
    fn more(&mut self, index: u64, piece: Piece, value: Raw<'_>, out: &mut Vec<Delta>) {
        let Some(text) = text(value).filter(|text| !text.is_empty()) else { return };
        if !self.speaker.takes(index, piece) {
            match piece {
                Piece::Text => self.speaker.open_text(index, out),
                Piece::Thinking | Piece::Seal => {
                    self.speaker.open_thinking(index, self.provenance, out);
                }
                Piece::Arguments => {}
            }
        }
        self.speaker.more(index, piece, text, out);
    }

    fn stop(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let fields = object.value("additionalModelResponseFields");
        let stop = read_stop(object.value("stopReason"), fields);
        let stop = stop.ok_or("`stopReason` is missing or no string")?;
        if self.finished || self.failure.is_some() {
            return Ok(());
        }
        self.thinking = thinking_tokens(fields);
        self.failure = stop.failure.filter(|_| !self.speaker.has_spoken());
        if self.failure.is_none() {
            self.finished = true;
            self.speaker.finish(stop.reason, None, stop.stop_sequence, out);
        }
        if self.metadata_seen {
            self.end(true, out);
        }
        Ok(())
    }

    /// The usage; behind the reason why the answer ended it is the end.
    fn metadata(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) {
        if self.metadata_seen {
            return;
        }
        self.metadata_seen = true;
        self.usage = object.value("usage").and_then(|usage| read_usage(usage, self.thinking));
        if self.finished || self.failure.is_some() {
            self.end(true, out);
        }
    }

    /// Nothing follows. Says [`Delta::End`] where the stream was `whole` and the answer complete.
    fn end(&mut self, whole: bool, out: &mut Vec<Delta>) {
        self.over = true;
        self.speaker.close_all(out);
        out.extend(self.usage.take().map(Delta::Usage));
        match self.failure.take() {
            Some(failure) => out.push(Delta::Failed(failure)),
            None if whole && self.finished => out.push(Delta::End),
            None => {}
        }
    }
}

impl Default for BedrockConverseInterpreter {
    fn default() -> Self {
        Self {
            begun: false,
            finished: false,
            over: false,
            speaker: Speaker::default(),
            provenance: provenance(true),
            thinking: None,
            usage: None,
            metadata_seen: false,
            failure: None,
        }
    }
}

impl Interpreter for BedrockConverseInterpreter {
    fn record(
        &mut self,
        event: Option<&str>,
        data: &[u8],
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        let Some(event) = event.filter(|_| !self.over) else { return Ok(()) };
        if is_exception(event) {
            self.failure = Some(exception(event, data));
            self.end(false, out);
            return Ok(());
        }
        if !EVENTS.contains(&event) {
            return Ok(());
        }
        let object = Object::scan(data).map_err(|malformed| malformed.to_string())?;
        if !self.begun && event != "messageStart" {
            return Err(format!("`{event}` came before `messageStart`"));
        }
        match event {
            "messageStart" if !self.begun => {
                self.begun = true;
                out.push(Delta::Begin { id: None, model: None, created: None });
            }
            "contentBlockStart" if !self.finished => self.start_block(&object, out)?,
            "contentBlockDelta" if !self.finished => self.block_delta(&object, out)?,
            "contentBlockStop" => self.speaker.close(index(&object)?, out),
            "messageStop" => self.stop(&object, out)?,
            "metadata" => self.metadata(&object, out),
            _ => {}
        }
        Ok(())
    }

    /// The reason why the answer ended says that it is complete, even if the usage is lost.
    fn close(&mut self, how: Close, out: &mut Vec<Delta>) {
        if !self.over {
            self.end(how == Close::Clean, out);
        }
    }
}

/// Events that this interpreter knows; records of other names are passed over unread.
const EVENTS: [&str; 6] = [
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
];

fn index(object: &Object<'_>) -> Result<u64, String> {
    let index = object.value("contentBlockIndex").and_then(Raw::whole);
    index.ok_or_else(|| "`contentBlockIndex` is missing or no whole number".to_owned())
}

#[cfg(test)]
mod tests;
