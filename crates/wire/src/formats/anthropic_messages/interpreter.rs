//! Understanding a streamed answer of the Messages API.

mod speaker;

use bytestring::ByteString;

use super::error::read_error;
use super::names::Wording;
use super::request_in::citation;
use super::stop::{explanation, read_reason};
use super::usage::Reported;
use crate::conversation::Provenance;
use crate::delta::{Close, Delta, Interpreter};
use crate::formats::openai_chat::ErrorBody;
use crate::json::{Object, Raw};

pub(in crate::formats) use self::speaker::{Piece, Speaker};

/// Understands one streamed answer.
#[derive(Debug, Default)]
pub struct MessagesInterpreter {
    begun: bool,
    finished: bool,
    over: bool,
    speaker: Speaker,
    reported: Reported,
}

impl MessagesInterpreter {
    /// An interpreter at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that gives tool calls in the client's words.
    #[must_use]
    pub fn with(wording: Wording) -> Self {
        Self { speaker: Speaker::with(wording), ..Self::default() }
    }

    fn begin(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) {
        if self.begun {
            return;
        }
        self.begun = true;
        let message = object.value("message");
        let member = |name| message.and_then(|message| message.find(name));
        out.push(Delta::Begin {
            id: member("id").and_then(text),
            model: member("model").and_then(text),
            created: None,
        });
        self.take_usage(member("usage"), out);
    }

    fn take_usage(&mut self, usage: Option<Raw<'_>>, out: &mut Vec<Delta>) {
        let Some(usage) = usage else { return };
        self.reported.take(usage);
        out.extend(self.reported.usage().map(Delta::Usage));
    }

    fn start_block(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let index = index(object)?;
        let block = object.value("content_block").ok_or("`content_block` is missing")?;
        if self.finished {
            // The reason why the answer ended has been told; nothing of it may follow.
            return Ok(());
        }
        let member = |name| block.find(name).and_then(text).unwrap_or_default();
        let provenance = Provenance::AnthropicMessages;
        self.speaker.close(index, out);
        match &*member("type") {
            "text" => {
                self.speaker.open_text(index, out);
                self.speaker.more(index, Piece::Text, member("text"), out);
            }
            "thinking" => {
                self.speaker.open_thinking(index, provenance, out);
                self.speaker.more(index, Piece::Seal, member("signature"), out);
                self.speaker.more(index, Piece::Thinking, member("thinking"), out);
            }
            "redacted_thinking" => {
                self.speaker.open_redacted(index, member("data"), provenance, out);
            }
            "tool_use" => {
                let input = block.find("input").filter(|input| input.holds_something());
                let called = (member("id"), &*member("name"));
                self.speaker.open_call(index, called, input.map_or("", Raw::as_written), out);
            }
            _ => {}
        }
        Ok(())
    }

    fn block_delta(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let index = index(object)?;
        let delta = object.value("delta").ok_or("`delta` is missing")?;
        let member = |name| delta.find(name).and_then(text).unwrap_or_default();
        let kind = member("type");
        let (piece, name) = match &*kind {
            "text_delta" => (Piece::Text, "text"),
            "thinking_delta" => (Piece::Thinking, "thinking"),
            "signature_delta" => (Piece::Seal, "signature"),
            "input_json_delta" => (Piece::Arguments, "partial_json"),
            "citations_delta" => {
                let cited = self.speaker.text_part(index).zip(delta.find("citation"));
                let cite = |(part, raw)| Delta::Cite { part, citation: citation(raw) };
                out.extend(cited.map(cite));
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.speaker.more(index, piece, member(name), out);
        Ok(())
    }

    fn message_delta(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) {
        let delta = object.value("delta");
        let member = |name| delta.and_then(|delta| delta.find(name));
        if let Some(reason) = read_reason(member("stop_reason")).filter(|_| !self.finished) {
            self.finished = true;
            let refusal = explanation(member("stop_details"));
            let stop_sequence = member("stop_sequence").and_then(text);
            self.speaker.finish(reason, refusal, stop_sequence, out);
        }
        self.take_usage(object.value("usage"), out);
    }
}

impl Interpreter for MessagesInterpreter {
    fn record(
        &mut self,
        event: Option<&str>,
        data: &[u8],
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        let known = event.is_none_or(|event| EVENTS.contains(&event));
        if self.over || !known || data.trim_ascii().is_empty() {
            return Ok(());
        }
        let object = Object::scan(data).map_err(|malformed| malformed.to_string())?;
        let named = object.value("type").and_then(Raw::text);
        let kind = named.as_deref().or(event).unwrap_or_default();
        if !self.begun && OF_A_MESSAGE.contains(&kind) {
            return Err(format!("`{kind}` came before `message_start`"));
        }
        match kind {
            "message_start" => self.begin(&object, out),
            "content_block_start" => self.start_block(&object, out)?,
            "content_block_delta" => self.block_delta(&object, out)?,
            "content_block_stop" => self.speaker.close(index(&object)?, out),
            "message_delta" => self.message_delta(&object, out),
            "message_stop" => {
                self.speaker.close_all(out);
                self.over = true;
                out.push(Delta::End);
            }
            "error" => {
                self.speaker.close_all(out);
                self.over = true;
                out.push(Delta::Failed(read_error(data).unwrap_or_else(unexplained)));
            }
            _ => {}
        }
        Ok(())
    }

    /// The reason why the answer ended says that it is complete: a server that leaves out
    /// `message_stop` behind it has said all there is to say.
    fn close(&mut self, how: Close, out: &mut Vec<Delta>) {
        if self.over {
            return;
        }
        self.over = true;
        self.speaker.close_all(out);
        if how == Close::Clean && self.finished {
            out.push(Delta::End);
        }
    }
}

/// Events that this interpreter knows; records of other names are passed over unread.
const EVENTS: [&str; 8] = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "error",
    "message",
];

/// Events that belong to a message which has begun.
const OF_A_MESSAGE: [&str; 5] = [
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
];

fn index(object: &Object<'_>) -> Result<u64, String> {
    let index = object.value("index").and_then(Raw::whole);
    index.ok_or_else(|| "`index` is missing or no whole number".to_owned())
}

fn text(value: Raw<'_>) -> Option<ByteString> {
    value.text().map(|text| ByteString::from(&*text))
}

fn unexplained() -> ErrorBody {
    let message = "the upstream sent an error event without an explanation".to_owned();
    ErrorBody { message, kind: None, code: None, param: None }
}

#[cfg(test)]
mod tests;
