//! One client and one upstream: the request from the one to the other, and how the answer is read
//! and written on the way back.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use super::asked::ClientRequest;
use super::structured::Form;
use super::{ClientFormat, take_over, write_request};
use crate::WireFormat;
use crate::capability::Capability;
use crate::conversation::{Answer, Conversation};
use crate::delta::{Interpreter, Renderer};
use crate::formats::anthropic_messages::{Envelope, Wording, uses_json_tool};
use crate::formats::openai_chat::{RequestProblem, ToolNames};
use crate::formats::openai_responses::{ClientTools, make_portable};
use crate::formats::translation::{AnswerIn, Reply, Target, Unsupported, Written};
use crate::formats::{
    anthropic_messages, bedrock_converse, cohere, gemini, ollama, openai_chat, openai_responses,
};
use crate::json::{Layout, Malformed};

/// A client and an upstream, and what reading the answer needs to know of the request.
#[derive(Debug, Clone)]
pub struct Pairing {
    /// What the client speaks.
    pub client: ClientFormat,
    /// What the upstream speaks.
    pub upstream: WireFormat,
    /// How the upstream wraps its format.
    pub envelope: Envelope,
    /// Whether bytes pass from the one to the other as they are.
    passes: bool,
    /// Whether the client reads a stream as one JSON array.
    array: bool,
    capability: Capability,
    wording: Wording,
    names: ToolNames,
    tools: Arc<ClientTools>,
    /// The form of the answer, where it was asked for by means that do not enforce it.
    form: Option<Arc<Form>>,
    /// Whether what the model thinks is noted.
    noting: bool,
}

/// What writers report as adjusted where they asked for the form of the answer by means that do not
/// enforce it.
const EMULATED: &str = "response_format";

/// A request in the upstream's format.
#[derive(Debug)]
pub struct Prepared {
    /// The body, without the deployment's own edits.
    pub body: Bytes,
    /// Where its members stand.
    pub layout: Layout,
    /// The deployment's parameters that the conversation had no word for.
    pub defaults: Vec<(Box<str>, Box<str>)>,
    /// Fields that were left out, by the name the client used where it has one.
    pub dropped: Vec<Box<str>>,
    /// Fields that were changed to what the target understands.
    pub adjusted: Vec<Box<str>>,
    /// How its answer is read and written.
    pub pairing: Pairing,
}

/// Why a request cannot be written for an upstream.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unprepared {
    /// The client's request cannot be read.
    #[error("{0}")]
    Unreadable(RequestProblem),
    /// The target cannot express it.
    #[error("{0}")]
    Unsupported(Unsupported),
}

/// Writes a request for an upstream of another format. The deployment's parameters count where the
/// client said nothing.
///
/// # Errors
/// [`Unprepared`]: whose fault it is, and where.
pub fn prepare(
    request: &ClientRequest,
    conversation: &Conversation,
    (upstream, envelope): (WireFormat, Envelope),
    target: &Target<'_>,
    defaults: &[(Box<str>, Box<str>)],
) -> Result<Prepared, Unprepared> {
    let mut conversation = Cow::Borrowed(conversation);
    let mut pairing = Pairing::passing(request, upstream, envelope).translating();
    let mut dropped = Vec::new();
    if request.format == ClientFormat::OpenAiResponses && upstream != WireFormat::OpenAiResponses {
        let portable = make_portable(conversation.to_mut(), &request.body);
        let portable = portable.map_err(Unprepared::Unreadable)?;
        pairing.tools = Arc::new(portable.tools);
        dropped = portable.dropped;
    }
    let defaults = match defaults {
        [] => Vec::new(),
        some => take_over(conversation.to_mut(), some),
    };
    let written =
        write_request(upstream, &conversation, target).map_err(Unprepared::Unsupported)?;
    let Written { body, layout, dropped: left_out, adjusted } = written;
    dropped.extend(left_out);
    if adjusted.iter().any(|field| **field == *EMULATED) {
        pairing.form = Form::of(&conversation.response_format).map(Arc::new);
    }
    pairing.understand(&conversation, target);
    Ok(Prepared { body, layout, defaults, dropped, adjusted, pairing })
}

impl Pairing {
    /// A client and an upstream of the same format, whose bytes pass.
    #[must_use]
    pub fn passing(request: &ClientRequest, upstream: WireFormat, envelope: Envelope) -> Self {
        Self {
            client: request.format,
            upstream,
            envelope,
            passes: !request.array,
            array: request.array,
            capability: Capability::UNKNOWN,
            wording: Wording::default(),
            names: ToolNames::default(),
            tools: Arc::default(),
            form: None,
            noting: false,
        }
    }

    /// The same client and upstream, whose bytes do not pass.
    #[must_use]
    pub(super) fn translating(mut self) -> Self {
        self.passes = false;
        self
    }

    /// The same, whose answers are handed on whatever their form.
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.form = None;
        self
    }

    /// The same, whose answers are searched for what the model thought before it called tools.
    #[must_use]
    pub fn noting_thoughts(mut self) -> Self {
        self.noting = true;
        self
    }

    /// Whether what the model thinks is noted.
    pub(super) const fn notes_thoughts(&self) -> bool {
        self.noting
    }

    /// The form that the answer must have and that its provider does not see to.
    pub(super) fn form(&self) -> Option<Arc<Form>> {
        self.form.clone()
    }

    /// Takes note of what the answer to a request is said in.
    fn understand(&mut self, conversation: &Conversation, target: &Target<'_>) {
        match self.upstream {
            WireFormat::AnthropicMessages => {
                let json_tool = uses_json_tool(conversation, target);
                self.wording = Wording::of(conversation, json_tool);
            }
            WireFormat::BedrockConverse => {
                self.wording = bedrock_converse::wording(conversation, target);
                self.capability = target.capability.clone();
            }
            WireFormat::OpenAiChat => self.names = ToolNames::of(conversation),
            WireFormat::OpenAiResponses
            | WireFormat::Gemini
            | WireFormat::Cohere
            | WireFormat::Ollama => {}
        }
    }

    /// Whether client and upstream speak the same format, so that bytes pass.
    #[must_use]
    pub const fn passes(&self) -> bool {
        self.passes
    }

    /// Whether both speak chat, and bytes pass.
    #[must_use]
    pub fn is_chat(&self) -> bool {
        self.passes && self.upstream == WireFormat::OpenAiChat
    }

    /// Gives the calls in a delta the client's names.
    pub(super) const fn names(&self) -> &ToolNames {
        &self.names
    }

    /// How the answer to the call of this id is understood.
    pub(super) fn interpreter(&self, call: &str) -> Box<dyn Interpreter> {
        match self.upstream {
            WireFormat::OpenAiChat => Box::new(openai_chat::OpenAiChatInterpreter::new()),
            WireFormat::OpenAiResponses => Box::new(openai_responses::ResponsesInterpreter::new()),
            WireFormat::AnthropicMessages => {
                Box::new(anthropic_messages::MessagesInterpreter::with(self.wording.clone()))
            }
            WireFormat::Gemini => Box::new(gemini::GeminiInterpreter::new()),
            WireFormat::BedrockConverse => {
                Box::new(bedrock_converse::BedrockConverseInterpreter::with(
                    self.wording.clone(),
                    &self.capability,
                ))
            }
            WireFormat::Cohere => Box::new(cohere::CohereInterpreter::new()),
            WireFormat::Ollama => Box::new(ollama::OllamaInterpreter::of_call(call)),
        }
    }

    pub(super) fn renderer(&self, reply: Reply) -> Box<dyn Renderer> {
        match self.client {
            ClientFormat::OpenAiChat => Box::new(openai_chat::OpenAiChatRenderer::new(reply)),
            ClientFormat::OpenAiResponses => {
                let renderer = openai_responses::ResponsesRenderer::new(reply);
                Box::new(renderer.with_tools(Arc::clone(&self.tools)))
            }
            ClientFormat::AnthropicMessages => {
                Box::new(anthropic_messages::MessagesRenderer::new(reply))
            }
            ClientFormat::Gemini => {
                let renderer = gemini::GeminiRenderer::new(reply);
                Box::new(if self.array { renderer.as_array() } else { renderer })
            }
        }
    }

    /// Reads the whole answer to the call of this id, its tool calls in the client's words.
    pub(super) fn read(&self, body: &[u8], call: &str) -> Result<AnswerIn, Malformed> {
        let mut read = match self.upstream {
            WireFormat::OpenAiChat => openai_chat::to_answer(body),
            WireFormat::OpenAiResponses => openai_responses::to_answer(body),
            WireFormat::AnthropicMessages => anthropic_messages::to_answer_in(body, &self.wording),
            WireFormat::Gemini => gemini::to_answer(body),
            WireFormat::BedrockConverse => bedrock_converse::to_answer_in(body, &self.wording),
            WireFormat::Cohere => cohere::to_answer(body),
            WireFormat::Ollama => ollama::to_answer_of(body, call),
        }?;
        if let AnswerIn::Answer(answer) = &mut read {
            self.names.restore_answer(answer);
        }
        Ok(read)
    }

    /// Writes a whole answer for the client.
    pub(super) fn write(&self, answer: &Answer, reply: &Reply) -> Vec<u8> {
        match self.client {
            ClientFormat::OpenAiChat => openai_chat::from_answer(answer, reply),
            ClientFormat::OpenAiResponses => {
                openai_responses::from_answer_with(answer, reply, &self.tools)
            }
            ClientFormat::AnthropicMessages => anthropic_messages::from_answer(answer, reply),
            ClientFormat::Gemini => gemini::from_answer(answer, reply),
        }
    }
}
