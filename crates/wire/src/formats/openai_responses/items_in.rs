//! Folding a request's input items into messages.
//!
//! What the model said in one turn is several items here and one message in the hub: reasoning, a
//! message and the calls behind it fold into one assistant message, and the outputs of several
//! calls into one user message.

use std::collections::HashSet;

use bytestring::ByteString;

use super::content_in::{content, reasoning_text};
use super::fields::{At, Body, Unmapped, array, object};
use super::seal;
use crate::conversation::{Arguments, Message, Part, PartBody, Role, ToolCall, ToolResult};
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Raw};

/// Members of items that are read, or that only name the item and say that it is whole: clients
/// give items ids of their own making, which mean nothing to an upstream.
const ITEM_MEMBERS: [&str; 13] = [
    "type",
    "role",
    "content",
    "id",
    "status",
    "call_id",
    "name",
    "arguments",
    "input",
    "output",
    "summary",
    "encrypted_content",
    "object",
];

/// The messages of a request, while its items are read.
#[derive(Debug)]
pub(super) struct Items<'a> {
    body: &'a Body,
    unmapped: &'a mut Unmapped,
    messages: Vec<Message>,
    /// What the last message may still take.
    open: Turn,
    called: HashSet<ByteString>,
    /// Whether calls may stand where only the provider sees them.
    calls_elsewhere: bool,
}

/// What kind of turn the last message is, as far as further items fold into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing folds into it.
    Closed,
    /// The model's, without a message item so far: everything of the model's folds into it.
    Thinking,
    /// The model's, with its message item or calls: more calls fold into it.
    Calling,
    /// Outputs of calls.
    Results,
}

impl<'a> Items<'a> {
    /// No items yet. `calls_elsewhere` tells that the request continues a state which the provider
    /// keeps, so that outputs may answer calls that are not among the items.
    pub(super) fn new(body: &'a Body, unmapped: &'a mut Unmapped, calls_elsewhere: bool) -> Self {
        Self {
            body,
            unmapped,
            messages: Vec::new(),
            open: Turn::Closed,
            called: HashSet::new(),
            calls_elsewhere,
        }
    }

    /// Takes `instructions`.
    pub(super) fn instructions(&mut self, text: ByteString) {
        let parts = vec![Part::text(text)];
        self.messages.push(Message { role: Role::System, parts, name: None });
    }

    /// Takes `input`, a string or an array of items.
    pub(super) fn input(&mut self, input: Raw<'_>) -> Result<(), RequestProblem> {
        let at = At::top("input");
        let expected = "a string or an array of items";
        match input.kind() {
            Kind::String => {
                let parts = vec![Part::text(self.body.text(Some(input), &at)?)];
                self.messages.push(Message { role: Role::User, parts, name: None });
                Ok(())
            }
            Kind::Array => {
                let items = array(Some(input), &at)?.elements().enumerate();
                items.into_iter().try_for_each(|(index, item)| self.item(item, &at.element(index)))
            }
            _ => Err(at.wrong(expected, input)),
        }
    }

    /// The messages of all items taken.
    pub(super) fn into_messages(self) -> Vec<Message> {
        self.messages
    }

    fn item(&mut self, item: Raw<'_>, at: &At<'_>) -> Result<(), RequestProblem> {
        let item = object(Some(item), at)?;
        let kind_at = at.member("type");
        // The easy form of a message may leave its type out.
        let kind = match (item.find("type"), item.find("role")) {
            (None, Some(_)) => ByteString::from_static("message"),
            (kind, _) => self.body.text(kind, &kind_at)?,
        };
        match &*kind {
            "message" => self.message(item, at)?,
            "reasoning" => self.reasoning(item, at)?,
            "function_call" => self.call(item, at, "arguments")?,
            "custom_tool_call" => self.call(item, at, "input")?,
            "function_call_output" | "custom_tool_call_output" => self.output(item, at)?,
            // Items of the provider's own tools, of its kept state and of kinds yet to come.
            _ => {
                self.unmapped.keep(at, self.body.raw(item));
                self.calls_elsewhere = true;
                return Ok(());
            }
        }
        self.unmapped.keep_others(item, &ITEM_MEMBERS, at, self.body);
        Ok(())
    }

    fn message(&mut self, item: Raw<'_>, at: &At<'_>) -> Result<(), RequestProblem> {
        let role_at = at.member("role");
        let role = match &*self.body.text(item.find("role"), &role_at)? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            "developer" => Role::Developer,
            _ => return Err(role_at.outside("`user`, `assistant`, `system` or `developer`")),
        };
        let content_at = at.member("content");
        let parts = content(item.find("content"), &content_at, self.body)?;
        if let Some(index) = parts.iter().position(|part| !may_say(role, &part.body)) {
            let kind_at = content_at.element(index);
            return Err(kind_at.member("type").outside("a part that this role can say"));
        }
        if role != Role::Assistant {
            self.open = Turn::Closed;
            self.messages.push(Message { role, parts, name: None });
            return Ok(());
        }
        let folds = self.open == Turn::Thinking;
        self.said(parts, folds);
        self.open = Turn::Calling;
        Ok(())
    }

    fn reasoning(&mut self, item: Raw<'_>, at: &At<'_>) -> Result<(), RequestProblem> {
        let text = reasoning_text(item, at, self.body)?;
        let sealed_at = at.member("encrypted_content");
        let sealed = self.body.text_if_any(item.find("encrypted_content"), &sealed_at)?;
        let part = Part::new(PartBody::Reasoning(seal::block(text, sealed)));
        let folds = self.open == Turn::Thinking;
        self.said(vec![part], folds);
        self.open = Turn::Thinking;
        Ok(())
    }

    fn call(&mut self, item: Raw<'_>, at: &At<'_>, given: &str) -> Result<(), RequestProblem> {
        let id = self.body.text(item.find("call_id"), &at.member("call_id"))?;
        let name = self.body.text(item.find("name"), &at.member("name"))?;
        let text = self.body.text(item.find(given), &at.member(given))?;
        let arguments = match given {
            "input" => Arguments::Text(text),
            _ => Arguments::Json(text),
        };
        if !self.called.insert(id.clone()) {
            return Err(at.member("call_id").outside("another one than that of a call before it"));
        }
        let call = ToolCall { id, name, arguments, seal: None };
        let folds = matches!(self.open, Turn::Thinking | Turn::Calling);
        self.said(vec![Part::new(PartBody::ToolCall(call))], folds);
        self.open = Turn::Calling;
        Ok(())
    }

    fn output(&mut self, item: Raw<'_>, at: &At<'_>) -> Result<(), RequestProblem> {
        let call_at = at.member("call_id");
        let call = self.body.text(item.find("call_id"), &call_at)?;
        if !self.calls_elsewhere && !self.called.contains(&call) {
            return Err(call_at.outside("the `call_id` of a call among the items before it"));
        }
        let output_at = at.member("output");
        let parts = content(item.find("output"), &output_at, self.body)?;
        if let Some(index) = parts.iter().position(|part| !may_result(&part.body)) {
            let expected = "one of `input_text`, `input_image` or `input_file`";
            return Err(output_at.element(index).member("type").outside(expected));
        }
        let result = ToolResult { call, parts, failed: false };
        let part = Part::new(PartBody::ToolResult(result));
        match self.messages.last_mut().filter(|_| self.open == Turn::Results) {
            Some(last) => last.parts.push(part),
            None => {
                let (role, parts) = (Role::User, vec![part]);
                self.messages.push(Message { role, parts, name: None });
            }
        }
        self.open = Turn::Results;
        Ok(())
    }

    /// The model's parts, as a part of its last message where they fold into it.
    fn said(&mut self, parts: Vec<Part>, folds: bool) {
        match self.messages.last_mut().filter(|_| folds) {
            Some(last) => last.parts.extend(parts),
            None => {
                let role = Role::Assistant;
                self.messages.push(Message { role, parts, name: None });
            }
        }
    }
}

const fn may_say(role: Role, part: &PartBody) -> bool {
    match part {
        PartBody::Text { .. } => true,
        PartBody::Refusal { .. } => matches!(role, Role::Assistant),
        PartBody::Image { .. } | PartBody::Document { .. } | PartBody::Audio { .. } => {
            !matches!(role, Role::Assistant)
        }
        PartBody::ToolCall(_) | PartBody::ToolResult(_) | PartBody::Reasoning(_) => false,
    }
}

const fn may_result(part: &PartBody) -> bool {
    matches!(part, PartBody::Text { .. } | PartBody::Image { .. } | PartBody::Document { .. })
}
