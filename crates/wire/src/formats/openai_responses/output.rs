//! Output items: what parts of an answer become for a client of this format.

use bytestring::ByteString;

use super::client_tools::{Called, ClientTools, unwrapped};
use super::content_out::annotation;
use super::items_out::write_reasoning;
use crate::conversation::{Arguments, Citation, Part, PartBody, Provenance};
use crate::json::JsonWriter;
use crate::json::write::Array;

/// An output item.
#[derive(Debug)]
pub(super) enum Item {
    /// What the model said: texts and refusals that follow each other.
    Message(Vec<Content>),
    /// What it thought.
    Reasoning { text: String, sealed: Option<Sealed> },
    /// A tool that it called.
    Call {
        id: ByteString,
        called: Called,
        arguments: String,
        /// Whether the arguments are a function's that stands in for a custom tool.
        wrapped: bool,
    },
}

/// A seal, and whose it is.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) provenance: Provenance,
    pub(super) redacted: bool,
    pub(super) seal: ByteString,
}

/// A part of a message.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) refusal: bool,
    pub(super) text: String,
    pub(super) citations: Vec<Citation>,
}

/// Ids of an answer and its items, made from the gateway's id of the call.
#[derive(Debug)]
pub(super) struct Ids(String);

impl Ids {
    /// Ids from the call's, whose own prefix is taken off.
    pub(super) fn new(call: &str) -> Self {
        let bare = call.strip_prefix("resp_").or_else(|| call.strip_prefix("chatcmpl-"));
        Self(bare.unwrap_or(call).to_owned())
    }

    /// The answer's id.
    pub(super) fn response(&self) -> String {
        format!("resp_{}", self.0)
    }

    /// The id of the item at this index.
    pub(super) fn item(&self, item: &Item, index: usize) -> String {
        let prefix = match item {
            Item::Message(_) => "msg",
            Item::Reasoning { .. } => "rs",
            Item::Call { called: Called { custom: false, .. }, .. } => "fc",
            Item::Call { called: Called { custom: true, .. }, .. } => "ctc",
        };
        format!("{prefix}_{}_{index}", self.0)
    }
}

impl Item {
    /// A call of the tool that the upstream knows under this name.
    pub(super) fn call(
        id: &ByteString,
        name: &ByteString,
        custom: bool,
        tools: &ClientTools,
    ) -> Self {
        let own = || Called { name: name.clone(), namespace: None, custom };
        let called = tools.called(name).cloned().unwrap_or_else(own);
        let wrapped = called.custom && !custom;
        Self::Call { id: id.clone(), called, arguments: String::new(), wrapped }
    }

    /// Takes the arguments of a call that is whole out of what they came in.
    pub(super) fn unpack(&mut self) {
        if let Self::Call { arguments, wrapped, .. } = self
            && std::mem::take(wrapped)
        {
            *arguments = unwrapped(arguments);
        }
    }

    /// The items of a whole answer. Parts that no answer holds are passed over.
    pub(super) fn all(parts: &[Part], tools: &ClientTools) -> Vec<Self> {
        let mut items = Vec::new();
        for part in parts {
            match &part.body {
                PartBody::Text { text, citations } => {
                    let (text, citations) = (text.to_string(), citations.clone());
                    say(Content { refusal: false, text, citations }, &mut items);
                }
                PartBody::Refusal { text } => {
                    let (text, citations) = (text.to_string(), Vec::new());
                    say(Content { refusal: true, text, citations }, &mut items);
                }
                PartBody::Reasoning(block) => {
                    let (provenance, redacted) = (block.provenance, block.redacted);
                    let sealed = block.seal.clone();
                    let sealed = sealed.map(|seal| Sealed { provenance, redacted, seal });
                    items.push(Self::Reasoning { text: block.text.to_string(), sealed });
                }
                PartBody::ToolCall(call) => {
                    let (custom, given) = match &call.arguments {
                        Arguments::Json(json) => (false, json),
                        Arguments::Text(text) => (true, text),
                    };
                    let mut item = Self::call(&call.id, &call.name, custom, tools);
                    if let Self::Call { arguments, .. } = &mut item {
                        arguments.push_str(given);
                    }
                    item.unpack();
                    items.push(item);
                }
                _ => {}
            }
        }
        items
    }

    /// Writes the item's members.
    pub(super) fn write(&self, id: &str, status: &str, o: &mut JsonWriter<'_>) {
        o.string("id", id);
        match self {
            Self::Message(contents) => {
                o.string("type", "message").string("status", status).string("role", "assistant");
                o.array("content", |out| {
                    for content in contents {
                        out.object(|o| content.write(o));
                    }
                });
            }
            Self::Reasoning { text, sealed } => {
                let sealed = sealed
                    .as_ref()
                    .map(|sealed| (sealed.provenance, sealed.redacted, &*sealed.seal));
                o.string("type", "reasoning");
                write_reasoning(text, sealed, o);
            }
            Self::Call { id, called, arguments, .. } => {
                let (kind, given) = match called.custom {
                    false => ("function_call", "arguments"),
                    true => ("custom_tool_call", "input"),
                };
                o.string("type", kind).string("status", status);
                o.string("call_id", id).string("name", &called.name);
                if let Some(namespace) = &called.namespace {
                    o.string("namespace", namespace);
                }
                o.string(given, arguments);
            }
        }
    }
}

fn say(content: Content, items: &mut Vec<Item>) {
    match items.last_mut() {
        Some(Item::Message(contents)) => contents.push(content),
        _ => items.push(Item::Message(vec![content])),
    }
}

impl Content {
    /// Writes the part's members.
    pub(super) fn write(&self, o: &mut JsonWriter<'_>) {
        if self.refusal {
            o.string("type", "refusal").string("refusal", &self.text);
            return;
        }
        o.string("type", "output_text").string("text", &self.text);
        o.array("annotations", |out| self.write_annotations(out)).array("logprobs", |_| {});
    }

    fn write_annotations(&self, out: &mut Array<'_>) {
        for citation in &self.citations {
            out.raw(&annotation(citation, &self.text));
        }
    }
}
