//! Understanding a streamed answer of the Messages API.

use bytestring::ByteString;

use super::answer_in::custom_text;
use super::error::read_error;
use super::names::Wording;
use super::request_in::citation;
use super::stop::{explanation, read_reason};
use super::usage::Reported;
use crate::conversation::{FinishReason, Provenance};
use crate::delta::{Close, Delta, Interpreter, PartKind};
use crate::formats::openai_chat::ErrorBody;
use crate::json::{Object, Raw};

/// Understands one streamed answer. Holds the blocks that are open, and of their text only what
/// has to be whole to be passed on: seals, free text of custom tools, and prose beside a JSON
/// answer.
#[derive(Debug, Default)]
pub struct MessagesInterpreter {
    wording: Wording,
    begun: bool,
    finished: bool,
    over: bool,
    parts: u32,
    open: Vec<OpenBlock>,
    reported: Reported,
    /// Text that is withheld while a JSON answer may still come.
    prose: String,
    json_seen: bool,
}

/// A content block that has begun.
#[derive(Debug)]
struct OpenBlock {
    index: u64,
    part: u32,
    role: BlockRole,
    /// Text that goes out whole when the block ends.
    held: String,
}

/// What a block's text becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockRole {
    /// Text of a text part.
    Text,
    /// Text of a reasoning part; its seal is held.
    Thinking,
    /// Arguments as they come. What a server put into the block's beginning instead is held.
    Call,
    /// Arguments that hold free text; held.
    CustomCall,
    /// Text of the JSON answer.
    Json,
    /// Withheld prose: belongs to no part.
    Prose,
    /// Complete in its beginning.
    Whole,
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
        Self { wording, ..Self::default() }
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
        if let Some(at) = self.open.iter().position(|open| open.index == index) {
            self.close_block(at, out);
        }
        let member = |name| block.find(name).and_then(text).unwrap_or_default();
        let provenance = Provenance::AnthropicMessages;
        let (kind, role, first) = match &*member("type") {
            "text" if self.wording.has_json_tool() => (None, BlockRole::Prose, member("text")),
            "text" => (Some(PartKind::Text), BlockRole::Text, member("text")),
            "thinking" => {
                let kind = PartKind::Reasoning { provenance };
                (Some(kind), BlockRole::Thinking, member("thinking"))
            }
            "redacted_thinking" => {
                let kind = PartKind::Redacted { data: member("data"), provenance };
                (Some(kind), BlockRole::Whole, ByteString::new())
            }
            "tool_use" => {
                let (kind, role) = self.call(member("id"), &member("name"));
                (Some(kind), role, ByteString::new())
            }
            _ => return Ok(()),
        };
        let mut open = OpenBlock { index, part: self.parts, role, held: String::new() };
        if let Some(kind) = kind {
            self.parts += 1;
            out.push(Delta::Open { choice: 0, part: open.part, kind });
        }
        if matches!(role, BlockRole::Call | BlockRole::CustomCall | BlockRole::Json) {
            let input = block.find("input").filter(|input| input.holds_something());
            open.held.push_str(input.map_or("", Raw::as_written));
        }
        if role == BlockRole::Thinking {
            open.held.push_str(&member("signature"));
        }
        self.more(&mut open, first, out);
        self.open.push(open);
        Ok(())
    }

    fn call(&mut self, id: ByteString, theirs: &str) -> (PartKind, BlockRole) {
        if self.wording.is_json_tool(theirs) {
            self.json_seen = true;
            self.prose.clear();
            return (PartKind::Text, BlockRole::Json);
        }
        let name = self.wording.name(theirs);
        let custom = self.wording.is_custom(&name);
        let role = if custom { BlockRole::CustomCall } else { BlockRole::Call };
        (PartKind::ToolCall { id, name, custom }, role)
    }

    fn more(&mut self, open: &mut OpenBlock, text: ByteString, out: &mut Vec<Delta>) {
        match open.role {
            _ if text.is_empty() => {}
            BlockRole::Prose if self.json_seen => {}
            BlockRole::Prose => self.prose.push_str(&text),
            BlockRole::CustomCall => {
                open.held.push_str(&text);
            }
            BlockRole::Text | BlockRole::Thinking | BlockRole::Call | BlockRole::Json => {
                out.push(Delta::More { part: open.part, text });
            }
            BlockRole::Whole => {}
        }
    }

    fn block_delta(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let index = index(object)?;
        let delta = object.value("delta").ok_or("`delta` is missing")?;
        let Some(at) = self.open.iter().position(|open| open.index == index) else {
            return Ok(());
        };
        let mut open = self.open.swap_remove(at);
        let member = |name| delta.find(name).and_then(text).unwrap_or_default();
        let kind = member("type");
        match (&*kind, open.role) {
            ("text_delta", BlockRole::Text | BlockRole::Prose) => {
                self.more(&mut open, member("text"), out);
            }
            ("thinking_delta", BlockRole::Thinking) => {
                self.more(&mut open, member("thinking"), out);
            }
            ("signature_delta", BlockRole::Thinking) => open.held.push_str(&member("signature")),
            ("input_json_delta", BlockRole::Call | BlockRole::CustomCall | BlockRole::Json) => {
                let text = member("partial_json");
                if !text.is_empty() && open.role != BlockRole::CustomCall {
                    // The fragments are the arguments; what stood in the beginning repeats them.
                    open.held.clear();
                }
                self.more(&mut open, text, out);
            }
            ("citations_delta", BlockRole::Text) => out.extend(
                delta
                    .find("citation")
                    .map(|raw| Delta::Cite { part: open.part, citation: citation(raw) }),
            ),
            _ => {}
        }
        self.open.push(open);
        Ok(())
    }

    fn stop_block(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) -> Result<(), String> {
        let index = index(object)?;
        if let Some(at) = self.open.iter().position(|open| open.index == index) {
            self.close_block(at, out);
        }
        Ok(())
    }

    /// Closes one open block; what it held goes out before.
    fn close_block(&mut self, at: usize, out: &mut Vec<Delta>) {
        let OpenBlock { part, role, held, .. } = self.open.remove(at);
        if role == BlockRole::Prose {
            return;
        }
        if !held.is_empty() {
            out.push(match role {
                BlockRole::Thinking => Delta::Seal { part, seal: held.into() },
                BlockRole::CustomCall => {
                    let text = custom_text(&held).unwrap_or_else(|| held.into());
                    Delta::More { part, text }
                }
                _ => Delta::More { part, text: held.into() },
            });
            if matches!(out.last(), Some(Delta::More { text, .. }) if text.is_empty()) {
                out.pop();
            }
        }
        out.push(Delta::Close { part });
    }

    fn close_all(&mut self, out: &mut Vec<Delta>) {
        self.open.sort_by_key(|open| open.part);
        while !self.open.is_empty() {
            self.close_block(0, out);
        }
    }

    /// A part that comes and goes at once.
    fn say(&mut self, kind: PartKind, text: ByteString, out: &mut Vec<Delta>) {
        let part = self.parts;
        self.parts += 1;
        out.push(Delta::Open { choice: 0, part, kind });
        out.push(Delta::More { part, text });
        out.push(Delta::Close { part });
    }

    fn message_delta(&mut self, object: &Object<'_>, out: &mut Vec<Delta>) {
        let delta = object.value("delta");
        let member = |name| delta.and_then(|delta| delta.find(name));
        if let Some(reason) = read_reason(member("stop_reason")).filter(|_| !self.finished) {
            self.finished = true;
            self.close_all(out);
            let prose = std::mem::take(&mut self.prose);
            if !prose.is_empty() {
                self.say(PartKind::Text, prose.into(), out);
            }
            if let Some(text) = explanation(member("stop_details")) {
                self.say(PartKind::Refusal, text.into(), out);
            }
            let reason = match reason {
                FinishReason::ToolCalls if self.json_seen => FinishReason::Stop,
                other => other,
            };
            let stop_sequence = member("stop_sequence").and_then(text);
            out.push(Delta::Finish { choice: 0, reason, stop_sequence });
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
            "content_block_stop" => self.stop_block(&object, out)?,
            "message_delta" => self.message_delta(&object, out),
            "message_stop" => {
                self.close_all(out);
                self.over = true;
                out.push(Delta::End);
            }
            "error" => {
                self.close_all(out);
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
        self.close_all(out);
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
