//! The only place that pairs formats: what a client speaks with what an upstream speaks.
//!
//! Each format reads and writes the hub; a pair is one reader and one writer. A client and an
//! upstream of the same format are no pair: their bytes pass through.

mod answer;
mod asked;
mod course;
mod defaults;
mod framing;
mod observed;
mod pass;

use bytes::Bytes;

use crate::WireFormat;
use crate::conversation::Conversation;
use crate::delta::{Interpreter, Renderer};
use crate::formats::openai_chat::{ErrorBody, RequestProblem};
use crate::formats::translation::{Reply, Target, Unsupported, Written};
use crate::formats::{anthropic_messages, gemini, openai_chat, openai_responses};

pub use answer::{WholeAnswer, whole_answer};
pub use asked::{Asked, ClientRequest, PathSays};
pub use course::{Course, Fault, Pairing};
pub use defaults::{spelled, take_over};
pub use pass::{BodyPatch, NotSent, patched};

/// A dialect that clients speak to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientFormat {
    /// OpenAI's chat completions.
    OpenAiChat,
    /// OpenAI's Responses.
    OpenAiResponses,
    /// Anthropic's Messages.
    AnthropicMessages,
    /// Google's generateContent.
    Gemini,
}

impl ClientFormat {
    /// The same dialect as upstreams speak it.
    #[must_use]
    pub const fn wire(self) -> WireFormat {
        match self {
            Self::OpenAiChat => WireFormat::OpenAiChat,
            Self::OpenAiResponses => WireFormat::OpenAiResponses,
            Self::AnthropicMessages => WireFormat::AnthropicMessages,
            Self::Gemini => WireFormat::Gemini,
        }
    }

    /// An error in the middle of a stream, around a JSON body in this dialect.
    #[must_use]
    pub fn error_event(self, json: &str) -> Bytes {
        match self {
            Self::OpenAiChat => openai_chat::error_event(json),
            Self::OpenAiResponses => openai_responses::error_event(json),
            Self::AnthropicMessages => anthropic_messages::error_event(json),
            Self::Gemini => gemini::error_event(json),
        }
    }

    fn renderer(self, reply: Reply) -> Box<dyn Renderer> {
        match self {
            Self::OpenAiChat => Box::new(openai_chat::OpenAiChatRenderer::new(reply)),
            Self::OpenAiResponses => Box::new(openai_responses::ResponsesRenderer::new(reply)),
            Self::AnthropicMessages => Box::new(anthropic_messages::MessagesRenderer::new(reply)),
            Self::Gemini => Box::new(gemini::GeminiRenderer::new(reply)),
        }
    }
}

/// Reads a client's whole request.
///
/// # Errors
/// [`RequestProblem`] with the place in the body.
pub fn read_request(
    client: ClientFormat,
    body: &Bytes,
    path: PathSays<'_>,
) -> Result<Conversation, RequestProblem> {
    match client {
        ClientFormat::OpenAiChat => openai_chat::to_conversation(body, path.model),
        ClientFormat::OpenAiResponses => openai_responses::to_conversation(body, path.model),
        ClientFormat::AnthropicMessages => anthropic_messages::to_conversation(body, path.model),
        ClientFormat::Gemini => gemini::to_conversation(body, path.model, path.stream),
    }
}

/// Writes a request for an upstream.
///
/// # Errors
/// [`Unsupported`] when the target cannot express the conversation and may not leave anything out.
pub fn write_request(
    upstream: WireFormat,
    conversation: &Conversation,
    target: &Target<'_>,
) -> Result<Written, Unsupported> {
    match upstream {
        WireFormat::OpenAiChat => openai_chat::from_conversation(conversation, target),
        WireFormat::OpenAiResponses => openai_responses::from_conversation(conversation, target),
        WireFormat::AnthropicMessages => {
            anthropic_messages::from_conversation(conversation, target)
        }
        WireFormat::Gemini => gemini::from_conversation(conversation, target),
        WireFormat::BedrockConverse | WireFormat::Cohere | WireFormat::Ollama => {
            openai_chat::from_conversation(conversation, target)
        }
    }
}

/// Reads the body of an upstream's answer whose status says that it is an error.
#[must_use]
pub fn read_error(upstream: WireFormat, body: &[u8]) -> Option<ErrorBody> {
    match upstream {
        WireFormat::OpenAiChat => openai_chat::read_error(body),
        WireFormat::OpenAiResponses => openai_responses::read_error(body),
        WireFormat::AnthropicMessages => anthropic_messages::read_error(body),
        WireFormat::Gemini => gemini::read_error(body),
        WireFormat::BedrockConverse | WireFormat::Cohere | WireFormat::Ollama => {
            openai_chat::read_error(body)
        }
    }
}

fn interpreter(upstream: WireFormat, wording: anthropic_messages::Wording) -> Box<dyn Interpreter> {
    match upstream {
        WireFormat::OpenAiChat => Box::new(openai_chat::OpenAiChatInterpreter::new()),
        WireFormat::OpenAiResponses => Box::new(openai_responses::ResponsesInterpreter::new()),
        WireFormat::AnthropicMessages => {
            Box::new(anthropic_messages::MessagesInterpreter::with(wording))
        }
        WireFormat::Gemini => Box::new(gemini::GeminiInterpreter::new()),
        WireFormat::BedrockConverse | WireFormat::Cohere | WireFormat::Ollama => {
            Box::new(openai_chat::OpenAiChatInterpreter::new())
        }
    }
}
