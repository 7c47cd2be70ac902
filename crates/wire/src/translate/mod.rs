//! The only place that pairs formats: what a client speaks with what an upstream speaks.
//!
//! Each format reads and writes the hub; a pair is one reader and one writer. A client and an
//! upstream of the same format are no pair: their bytes pass through.

mod answer;
mod asked;
mod besides;
mod count;
mod course;
mod defaults;
mod edits;
mod framing;
mod lowered;
mod media;
mod observed;
mod pairing;
mod pass;
mod recall;
mod structured;

use bytes::Bytes;

use crate::WireFormat;
use crate::conversation::Conversation;
use crate::formats::openai_chat::{ErrorBody, RequestProblem};
use crate::formats::seal::Sealer;
use crate::formats::translation::{Target, Unsupported, Written};
use crate::formats::{
    anthropic_messages, bedrock_converse, cohere, gemini, ollama, openai_chat, openai_responses,
};

pub use answer::{WholeAnswer, whole_answer};
pub use asked::{Asked, ClientRequest, PathSays, Sent, StreamForm};
pub use besides::Besides;
pub use count::{count_body, read_count};
pub use course::{Course, Fault};
pub use defaults::{spelled, take_over};
pub use edits::ClientEdits;
pub use media::{Remote, remote_media, wants_bytes, with_media};
pub use pairing::{Pairing, Prepared, Unprepared, prepare};
pub use pass::{BodyPatch, NotSent, patched};
pub use recall::{THOUGHT_BYTES_MAX, Thought, TurnMark, lacks_past, recalled};
pub use structured::STRUCTURED_BYTES_MAX;

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

    /// An error in the middle of a stream, around a JSON body in this dialect. `number` is that of
    /// the stream's next event, where events have numbers.
    #[must_use]
    pub fn error_event(self, json: &str, number: u64) -> Bytes {
        match self {
            Self::OpenAiChat => openai_chat::error_event(json),
            Self::OpenAiResponses => openai_responses::error_event(json, number),
            Self::AnthropicMessages => anthropic_messages::error_event(json),
            Self::Gemini => gemini::error_event(json),
        }
    }
}

/// Reads a client's whole request. With a sealer, reasoning that the gateway signed is known again.
///
/// # Errors
/// [`RequestProblem`] with the place in the body.
pub fn read_request(
    client: ClientFormat,
    body: &Bytes,
    path: PathSays<'_>,
    sealer: Option<&Sealer>,
) -> Result<Conversation, RequestProblem> {
    match client {
        ClientFormat::OpenAiChat => openai_chat::to_conversation(body, path.model),
        ClientFormat::OpenAiResponses => openai_responses::to_conversation(body, path.model),
        ClientFormat::AnthropicMessages => {
            anthropic_messages::to_sealed_conversation(body, path.model, sealer)
        }
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
        WireFormat::BedrockConverse => bedrock_converse::from_conversation(conversation, target),
        WireFormat::Cohere => cohere::from_conversation(conversation, target),
        WireFormat::Ollama => ollama::from_conversation(conversation, target),
    }
}

/// The header in which AWS names an error, often nowhere else.
pub const EXCEPTION_HEADER: &str = "x-amzn-errortype";

/// Reads the body of an upstream's answer whose status says that it is an error. `exception` is
/// what [`EXCEPTION_HEADER`] says.
#[must_use]
pub fn read_error(upstream: WireFormat, exception: Option<&str>, body: &[u8]) -> Option<ErrorBody> {
    let read = match upstream {
        WireFormat::OpenAiChat => openai_chat::read_error(body),
        WireFormat::OpenAiResponses => openai_responses::read_error(body),
        WireFormat::AnthropicMessages => anthropic_messages::read_error(body),
        WireFormat::Gemini => gemini::read_error(body),
        WireFormat::BedrockConverse => bedrock_converse::read_error(body),
        WireFormat::Cohere => cohere::read_error(body),
        WireFormat::Ollama => ollama::read_error(body),
    };
    match exception {
        Some(name) => Some(bedrock_converse::named_error(name, read)),
        None => read,
    }
}
