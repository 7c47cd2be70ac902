//! Messages. What tools gave back becomes parts of a user's message.

use std::collections::{HashMap, HashSet};

use bytestring::ByteString;

use super::super::super::request::RequestProblem;
use super::super::content_in::seal_of;
use super::super::reasoning::{Thought, thinking_part, thoughts};
use super::super::spot::{Fields, Spot};
use super::media;
use crate::conversation::{
    Arguments, CacheHint, Message, Part, PartBody, ReasoningBlock, Role, Source, ToolCall,
    ToolResult,
};
use crate::json::{Kind, Raw};

/// `messages` in order. Results that follow each other become one message.
pub(super) fn read_messages(spot: &Spot<'_, '_>) -> Result<Vec<Message>, RequestProblem> {
    let mut reader = Reader::default();
    spot.each("an array of messages", |message| reader.read(&message))?;
    Ok(reader.messages)
}

#[derive(Default)]
struct Reader {
    messages: Vec<Message>,
    /// The ids of the calls so far.
    calls: HashSet<ByteString>,
    /// The last call of each function in the old form, which gives calls no ids.
    functions: HashMap<ByteString, ByteString>,
    /// Whether the last message holds nothing but results.
    results_last: bool,
}

impl Reader {
    fn read(&mut self, spot: &Spot<'_, '_>) -> Result<(), RequestProblem> {
        let message = spot.fields()?;
        let role = message.required("role", "a string")?;
        let role = match &*role.text()? {
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" => return self.tool_result(&message),
            "function" => return self.function_result(&message),
            _ => {
                let known = "one of `system`, `developer`, `user`, `assistant`, `tool`";
                return Err(role.out_of_range(known));
            }
        };
        let mut parts = match role {
            Role::Assistant => self.assistant(&message)?,
            Role::System | Role::Developer | Role::User => {
                content(&message.required("content", CONTENT)?)?
            }
        };
        cache_last(&mut parts, &message)?;
        self.results_last = false;
        self.messages.push(Message { role, parts, name: message.text_member("name")? });
        Ok(())
    }

    fn assistant(&mut self, message: &Fields<'_, '_>) -> Result<Vec<Part>, RequestProblem> {
        let spot = message.spot();
        let mut parts = match message.member("content") {
            Some(text) => content(&text)?,
            None => Vec::new(),
        };
        parts.retain(|part| !matches!(&part.body, PartBody::Text { text, .. } if text.is_empty()));
        if !parts.iter().any(|part| matches!(part.body, PartBody::Reasoning(_))) {
            let blocks = thoughts(spot.raw()).into_iter().map(|it| reasoning(&spot, it));
            parts.splice(0..0, blocks);
        }
        if let Some(text) = message.text_member("refusal")?.filter(|text| !text.is_empty()) {
            parts.push(Part::new(PartBody::Refusal { text }));
        }
        if let Some(audio) = message.member("audio") {
            let source = Source::File(audio.fields()?.required_text("id")?);
            parts.push(Part::new(PartBody::Audio { source }));
        }
        if let Some(calls) = message.member("tool_calls") {
            let mut ids = HashSet::new();
            let calls = calls.each("an array of tool calls", |call| {
                let read = self.call(&call)?;
                match ids.insert(read.id.clone()) {
                    true => Ok(read),
                    false => Err(call
                        .fields()?
                        .required("id", "a string")?
                        .out_of_range("an id that no other call of the message has")),
                }
            })?;
            parts.extend(calls.into_iter().map(|call| Part::new(PartBody::ToolCall(call))));
        }
        if let Some(call) = message.member("function_call") {
            let id = ByteString::from(format!("call_function_{}", self.calls.len()));
            let call = function(id, &call.fields()?)?;
            self.calls.insert(call.id.clone());
            self.functions.insert(call.name.clone(), call.id.clone());
            parts.push(Part::new(PartBody::ToolCall(call)));
        }
        Ok(parts)
    }

    fn call(&mut self, spot: &Spot<'_, '_>) -> Result<ToolCall, RequestProblem> {
        let call = spot.fields()?;
        let id = call.required_text("id")?;
        let seal = seal_of(spot.raw()).and_then(Raw::text).map(|seal| spot.keep(seal));
        self.calls.insert(id.clone());
        if let Some(custom) = call.member("custom") {
            let custom = custom.fields()?;
            let name = custom.required_text("name")?;
            let arguments = Arguments::Text(custom.required_text("input")?);
            return Ok(ToolCall { id, name, arguments, seal });
        }
        let function = function(id, &call.required("function", "an object")?.fields()?)?;
        Ok(ToolCall { seal, ..function })
    }

    fn tool_result(&mut self, message: &Fields<'_, '_>) -> Result<(), RequestProblem> {
        let id = message.required("tool_call_id", "a string")?;
        let call = id.text()?;
        if !self.calls.contains(&call) {
            return Err(id.out_of_range("the id of a tool call in a message before it"));
        }
        self.result(call, message)
    }

    /// The old form names the function instead of the call: its last call is meant.
    fn function_result(&mut self, message: &Fields<'_, '_>) -> Result<(), RequestProblem> {
        let name = message.required("name", "a string")?;
        let Some(call) = self.functions.get(&name.text()?).cloned() else {
            return Err(name.out_of_range("the name of a function called in a message before it"));
        };
        self.result(call, message)
    }

    fn result(&mut self, call: ByteString, fields: &Fields<'_, '_>) -> Result<(), RequestProblem> {
        let parts = match fields.member("content") {
            Some(text) => content(&text)?,
            None => Vec::new(),
        };
        let mut part = Part::new(PartBody::ToolResult(ToolResult { call, parts, failed: false }));
        part.cache = cache_hint(fields)?;
        match self.messages.last_mut().filter(|_| self.results_last) {
            Some(message) => message.parts.push(part),
            None => {
                let parts = vec![part];
                self.messages.push(Message { role: Role::User, parts, name: None });
            }
        }
        self.results_last = true;
        Ok(())
    }
}

fn function(id: ByteString, function: &Fields<'_, '_>) -> Result<ToolCall, RequestProblem> {
    let arguments = match function.member("arguments") {
        None => ByteString::new(),
        // Some clients keep the object that the text stands for.
        Some(object) if object.raw().kind() == Kind::Object => object.written(),
        Some(text) => text.text()?,
    };
    let name = function.required_text("name")?;
    Ok(ToolCall { id, name, arguments: Arguments::Json(arguments), seal: None })
}

/// Content: a text, or a list of parts.
fn content(spot: &Spot<'_, '_>) -> Result<Vec<Part>, RequestProblem> {
    match spot.raw().kind() {
        Kind::String => Ok(vec![Part::text(spot.text()?)]),
        _ => spot.each(CONTENT, |part| read_part(&part)),
    }
}

fn read_part(spot: &Spot<'_, '_>) -> Result<Part, RequestProblem> {
    let part = spot.fields()?;
    let kind = part.required("type", "a string")?;
    let body = match &*kind.text()? {
        "text" => PartBody::Text { text: part.required_text("text")?, citations: Vec::new() },
        "image_url" => media::image(&part)?,
        "input_audio" => media::audio(&part)?,
        "file" => media::file(&part)?,
        "refusal" => PartBody::Refusal { text: part.required_text("refusal")? },
        "thinking" | "redacted_thinking" => match thinking_part(spot.raw()) {
            Some(thought) => return Ok(reasoning(spot, thought)),
            None => return Err(spot.out_of_range("a whole thinking block")),
        },
        _ => {
            let known = "one of `text`, `image_url`, `input_audio`, `file`, `refusal`";
            return Err(kind.out_of_range(known));
        }
    };
    Ok(Part { body, cache: cache_hint(&part)? })
}

fn reasoning<'b>(spot: &Spot<'b, '_>, thought: Thought<'b>) -> Part {
    Part::new(PartBody::Reasoning(ReasoningBlock {
        text: spot.keep(thought.text),
        seal: thought.seal.map(|seal| spot.keep(seal)),
        redacted: thought.redacted,
        provenance: thought.provenance,
    }))
}

/// A hint at the message itself, for clients whose content is a text, counts for its last part.
fn cache_last(parts: &mut [Part], message: &Fields<'_, '_>) -> Result<(), RequestProblem> {
    if let (Some(last), Some(hint)) = (parts.last_mut(), cache_hint(message)?) {
        last.cache = Some(hint);
    }
    Ok(())
}

/// `cache_control`, Anthropic's word, which many systems take here too, or OpenAI's
/// `prompt_cache_breakpoint`.
pub(super) fn cache_hint(fields: &Fields<'_, '_>) -> Result<Option<CacheHint>, RequestProblem> {
    for name in ["cache_control", "prompt_cache_breakpoint"] {
        let Some(hint) = fields.member(name) else { continue };
        let ttl = hint.fields()?.text_member("ttl")?;
        let long = matches!(ttl.as_deref(), Some("1h" | "12h"));
        return Ok(Some(if long { CacheHint::Hour } else { CacheHint::Short }));
    }
    Ok(None)
}

const CONTENT: &str = "a string or an array of parts";
