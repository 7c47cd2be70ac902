//! Understanding a streamed answer.
//!
//! Events name themselves twice, in the event's name and in the data's `type`; either will do. The
//! answer is complete with `message-end`.

use bytestring::ByteString;

use super::answer_in::owned;
use super::citation::{self, Place};
use super::error::{ended_with, error_within};
use super::finish::{self, Ending};
use super::usage;
use crate::conversation::Provenance;
use crate::delta::{Close, Delta, Interpreter, PartKind};
use crate::formats::call_ids::CallIds;
use crate::formats::openai_chat::ErrorBody;
use crate::json::{Kind, Object, Raw};

/// Most parts that may be open side by side.
pub(super) const OPEN_PARTS_MAX: usize = 128;

/// Longest text that is kept to find the places of its citations, in bytes; behind it citations
/// have no place.
pub(super) const CITED_TEXT_BYTES_MAX: usize = 1024 * 1024;

/// Events that mean something here.
const KNOWN: [&str; 10] = [
    "message-start",
    "content-start",
    "content-delta",
    "content-end",
    "tool-plan-delta",
    "tool-call-start",
    "tool-call-delta",
    "tool-call-end",
    "citation-start",
    "message-end",
];

/// Follows one streamed answer. Holds the text that is open, because citations count its
/// characters.
#[derive(Debug, Default)]
pub struct CohereInterpreter {
    begun: bool,
    over: bool,
    calls: bool,
    parts: u32,
    ids: CallIds,
    open: Vec<Open>,
}

/// A part that has begun.
#[derive(Debug)]
struct Open {
    slot: Slot,
    part: u32,
    role: Role,
    /// The provider has ended it; a text stays open for its citations until something follows it.
    ended: bool,
    /// What a text says so far.
    text: String,
    /// Whether `text` lacks its end.
    cut: bool,
    /// Whether anything came.
    said: bool,
}

/// What an event is about: contents and calls are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Content(u64),
    Plan,
    Call(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Text,
    Thought,
    Call,
}

impl CohereInterpreter {
    /// At the start of an answer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn begin(&mut self, id: Option<ByteString>, out: &mut Vec<Delta>) {
        if !self.begun {
            self.begun = true;
            self.ids.learn(id.as_ref());
            out.push(Delta::Begin { id, model: None, created: None });
        }
    }

    fn event(
        &mut self,
        kind: &str,
        object: &Object<'_>,
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        self.begin(object.value("id").and_then(owned), out);
        let index = object.value("index").and_then(Raw::whole).unwrap_or(0);
        let delta = object.value("delta");
        let message = delta.and_then(|delta| delta.find("message"));
        let inside = |name: &str| message.and_then(|message| message.find(name));
        match kind {
            "content-start" => {
                self.end(Slot::Content(index), out);
                self.content(index, inside("content"), true, out)?;
            }
            "content-delta" => self.content(index, inside("content"), false, out)?,
            "content-end" => self.end(Slot::Content(index), out),
            "tool-plan-delta" => {
                if let Some(text) = inside("tool_plan").and_then(owned) {
                    self.open(Slot::Plan, Role::Thought, thought(), out)?;
                    self.more(Slot::Plan, text, out);
                }
            }
            "tool-call-start" => self.call(index, inside("tool_calls"), out)?,
            "tool-call-delta" => {
                if !self.is_open(Slot::Call(index)) {
                    return Err(format!("tool call {index} goes on and never began"));
                }
                if let Some(text) = inside("tool_calls").and_then(first).and_then(arguments) {
                    self.more(Slot::Call(index), text, out);
                }
            }
            "tool-call-end" => self.end(Slot::Call(index), out),
            "citation-start" => {
                let outer = message.and_then(|message| message.find("type")).and_then(Raw::text);
                if let Some(raw) = inside("citations").and_then(first)
                    && outer.is_none_or(|kind| kind == "TEXT_CONTENT")
                {
                    self.cite(raw, out);
                }
            }
            "message-end" => self.finish(delta, out),
            _ => {}
        }
        Ok(())
    }

    /// A content begins or goes on. One whose beginning says nothing of what it is waits for more.
    fn content(
        &mut self,
        index: u64,
        content: Option<Raw<'_>>,
        starts: bool,
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        let Some(content) = content.and_then(first) else { return Ok(()) };
        let slot = Slot::Content(index);
        let kind = content.find("type").and_then(Raw::text);
        let (role, text) = match (kind.as_deref(), content.find("thinking")) {
            (Some("thinking"), text) | (None, text @ Some(_)) => (Role::Thought, text),
            _ => (Role::Text, content.find("text")),
        };
        let text = text.and_then(owned);
        let kind = if role == Role::Thought { thought() } else { PartKind::Text };
        if text.is_some() || starts && content.find("type").is_some() {
            self.open(slot, role, kind, out)?;
        }
        if let Some(text) = text {
            self.more(slot, text, out);
        }
        Ok(())
    }

    fn call(
        &mut self,
        index: u64,
        call: Option<Raw<'_>>,
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        let slot = Slot::Call(index);
        self.end(slot, out);
        let call = call.and_then(first);
        let function = call.and_then(|call| call.find("function"));
        let name = function.and_then(|function| function.find("name")).and_then(owned);
        let (Some(call), Some(name)) = (call, name) else {
            return Err(format!("tool call {index} has no name"));
        };
        let id = self.ids.next(call.find("id").and_then(owned), &name, "");
        self.calls = true;
        self.open(slot, Role::Call, PartKind::ToolCall { id, name, custom: false }, out)?;
        if let Some(text) = arguments(call) {
            self.more(slot, text, out);
        }
        Ok(())
    }

    fn cite(&self, raw: Raw<'_>, out: &mut Vec<Delta>) {
        let Place::Text(index) = citation::place(raw) else { return };
        let is_meant = |open: &&Open| {
            open.role == Role::Text && index.is_none_or(|index| open.slot == Slot::Content(index))
        };
        let Some(open) = self.open.iter().rev().find(is_meant) else { return };
        let cited = citation::read(raw, Some(&open.text)).into_iter();
        out.extend(cited.map(|citation| Delta::Cite { part: open.part, citation }));
    }

    fn finish(&mut self, delta: Option<Raw<'_>>, out: &mut Vec<Delta>) {
        let member = |name: &str| delta.and_then(|delta| delta.find(name));
        self.close_all(out);
        out.extend(member("usage").and_then(usage::read).map(Delta::Usage));
        let told = member("error").and_then(Raw::text).filter(|text| !text.is_empty());
        let told = told.as_deref();
        let ending = match member("finish_reason").and_then(Raw::text) {
            Some(reason) => finish::read(&reason, self.calls, told),
            None if told.is_some() => Ending::Failed(ended_with("ERROR", told)),
            // An end that says nothing is no clean end.
            None => return,
        };
        self.over = true;
        match ending {
            Ending::Finished(reason) => {
                out.push(Delta::Finish { choice: 0, reason, stop_sequence: None });
                out.push(Delta::End);
            }
            Ending::Failed(error) => out.push(Delta::Failed(error)),
        }
    }

    fn fail(&mut self, error: ErrorBody, out: &mut Vec<Delta>) {
        self.close_all(out);
        self.over = true;
        out.push(Delta::Failed(error));
    }

    fn is_open(&self, slot: Slot) -> bool {
        self.open.iter().any(|open| open.slot == slot && !open.ended)
    }

    /// Opens a part unless it is open as what it is. What nothing more is expected of is closed.
    fn open(
        &mut self,
        slot: Slot,
        role: Role,
        kind: PartKind,
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        if self.open.iter().any(|open| open.slot == slot && open.role == role && !open.ended) {
            return Ok(());
        }
        self.close_where(|open| open.ended || open.slot == Slot::Plan || open.slot == slot, out);
        if self.open.len() >= OPEN_PARTS_MAX {
            return Err(format!("more than {OPEN_PARTS_MAX} parts are open"));
        }
        let part = self.parts;
        self.parts += 1;
        out.push(Delta::Open { choice: 0, part, kind });
        let (text, ended, cut, said) = (String::new(), false, false, false);
        self.open.push(Open { slot, part, role, ended, text, cut, said });
        Ok(())
    }

    fn more(&mut self, slot: Slot, text: ByteString, out: &mut Vec<Delta>) {
        let Some(open) = self.open.iter_mut().find(|open| open.slot == slot) else { return };
        open.said = true;
        open.cut |= open.text.len() + text.len() > CITED_TEXT_BYTES_MAX;
        if open.role == Role::Text && !open.cut {
            open.text.push_str(&text);
        }
        out.push(Delta::More { part: open.part, text });
    }

    fn end(&mut self, slot: Slot, out: &mut Vec<Delta>) {
        for open in self.open.iter_mut().filter(|open| open.slot == slot) {
            open.ended = true;
        }
        self.close_where(|open| open.ended && open.role != Role::Text, out);
    }

    fn close_all(&mut self, out: &mut Vec<Delta>) {
        self.close_where(|_| true, out);
    }

    fn close_where(&mut self, closes: impl Fn(&Open) -> bool, out: &mut Vec<Delta>) {
        self.open.retain(|open| {
            if !closes(open) {
                return true;
            }
            // A call without arguments takes none.
            if open.role == Role::Call && open.ended && !open.said {
                out.push(Delta::More { part: open.part, text: ByteString::from_static("{}") });
            }
            out.push(Delta::Close { part: open.part });
            false
        });
    }
}

impl Interpreter for CohereInterpreter {
    fn record(
        &mut self,
        event: Option<&str>,
        data: &[u8],
        out: &mut Vec<Delta>,
    ) -> Result<(), String> {
        let data = data.trim_ascii();
        let unknown = event.is_some_and(|event| !KNOWN.contains(&event) && event != "error");
        if self.over || data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        let object = match Object::scan(data) {
            Ok(object) => object,
            Err(_) if unknown => return Ok(()),
            Err(malformed) => return Err(malformed.to_string()),
        };
        let kind = object.value("type").and_then(Raw::text);
        let kind = kind.as_deref().or(event).unwrap_or_default();
        if KNOWN.contains(&kind) {
            self.event(kind, &object, out)?;
        } else if let Some(error) = error_within(&object) {
            self.fail(error, out);
        }
        Ok(())
    }

    fn close(&mut self, _how: Close, out: &mut Vec<Delta>) {
        self.close_all(out);
    }
}

const fn thought() -> PartKind {
    PartKind::Reasoning { provenance: Provenance::Plain }
}

/// What stands here: a value, or the only one of a list.
fn first(value: Raw<'_>) -> Option<Raw<'_>> {
    match value.kind() {
        Kind::Array => value.elements().next(),
        _ => Some(value),
    }
}

fn arguments(call: Raw<'_>) -> Option<ByteString> {
    call.find("function")?.find("arguments").and_then(owned)
}
