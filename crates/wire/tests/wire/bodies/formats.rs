//! The wire formats as the laws see them. A new format is a row here, and nothing else.

use bytes::Bytes;
use tollgate_wire::conversation::{Answer, Conversation};
use tollgate_wire::delta::{Interpreter, Renderer};
use tollgate_wire::formats::openai_chat::{ErrorBody, RequestProblem};
use tollgate_wire::formats::translation::{AnswerIn, Reply, Target, Unsupported, Written};
use tollgate_wire::formats::{
    anthropic_messages, bedrock_converse, cohere, gemini, ollama, openai_chat, openai_responses,
};
use tollgate_wire::json::Malformed;

use super::client_streams;

/// What a client of a format sends and gets.
pub(crate) struct Client {
    /// The format's name.
    pub(crate) name: &'static str,
    /// Its `to_conversation`, without a model in the path.
    pub(crate) read: fn(&Bytes) -> Result<Conversation, RequestProblem>,
    /// Its `from_answer`.
    pub(crate) answer: fn(&Answer, &Reply) -> Vec<u8>,
    /// Its renderer.
    pub(crate) renderer: fn(Reply) -> Box<dyn Renderer>,
    /// Its `error_event`.
    pub(crate) error_event: fn(&str) -> Bytes,
    /// What must hold for every stream that its renderer writes.
    pub(crate) check_stream: fn(&[u8], client_streams::Ended),
}

/// What an upstream of a format is sent and answers.
pub(crate) struct Upstream {
    /// The format's name.
    pub(crate) name: &'static str,
    /// How its streams are cut into records.
    pub(crate) framing: Framing,
    /// Its `from_conversation`.
    pub(crate) write: fn(&Conversation, &Target<'_>) -> Result<Written, Unsupported>,
    /// Its `to_answer`.
    pub(crate) answer: fn(&[u8]) -> Result<AnswerIn, Malformed>,
    /// Its `read_error`.
    pub(crate) error: fn(&[u8]) -> Option<ErrorBody>,
    /// Its interpreter.
    pub(crate) interpreter: fn() -> Box<dyn Interpreter>,
}

/// How a stream is cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse,
    /// Server-sent events, or the elements of one array of JSON.
    SseOrJson,
    /// JSON objects, one on each line.
    JsonLines,
    /// Messages of an AWS event stream.
    Aws,
}

/// The formats that clients speak.
pub(crate) const CLIENTS: [Client; 4] = [
    Client {
        name: "openai_chat",
        read: |body| openai_chat::to_conversation(body, None),
        answer: openai_chat::from_answer,
        renderer: |reply| Box::new(openai_chat::OpenAiChatRenderer::new(reply)),
        error_event: openai_chat::error_event,
        check_stream: client_streams::openai_chat,
    },
    Client {
        name: "openai_responses",
        read: |body| openai_responses::to_conversation(body, None),
        answer: openai_responses::from_answer,
        renderer: |reply| Box::new(openai_responses::ResponsesRenderer::new(reply)),
        error_event: |json| openai_responses::error_event(json, 0),
        check_stream: client_streams::openai_responses,
    },
    Client {
        name: "anthropic_messages",
        read: |body| anthropic_messages::to_conversation(body, None),
        answer: anthropic_messages::from_answer,
        renderer: |reply| Box::new(anthropic_messages::MessagesRenderer::new(reply)),
        error_event: anthropic_messages::error_event,
        check_stream: client_streams::anthropic_messages,
    },
    Client {
        name: "gemini",
        read: |body| gemini::to_conversation(body, Some("client-model"), true),
        answer: gemini::from_answer,
        renderer: |reply| Box::new(gemini::GeminiRenderer::new(reply)),
        error_event: gemini::error_event,
        check_stream: client_streams::gemini,
    },
];

/// The formats that upstreams speak.
pub(crate) const UPSTREAMS: [Upstream; 7] = [
    Upstream {
        name: "openai_chat",
        framing: Framing::Sse,
        write: openai_chat::from_conversation,
        answer: openai_chat::to_answer,
        error: openai_chat::read_error,
        interpreter: || Box::new(openai_chat::OpenAiChatInterpreter::new()),
    },
    Upstream {
        name: "openai_responses",
        framing: Framing::Sse,
        write: openai_responses::from_conversation,
        answer: openai_responses::to_answer,
        error: openai_responses::read_error,
        interpreter: || Box::new(openai_responses::ResponsesInterpreter::new()),
    },
    Upstream {
        name: "anthropic_messages",
        framing: Framing::Sse,
        write: anthropic_messages::from_conversation,
        answer: anthropic_messages::to_answer,
        error: anthropic_messages::read_error,
        interpreter: || Box::new(anthropic_messages::MessagesInterpreter::new()),
    },
    Upstream {
        name: "gemini",
        framing: Framing::SseOrJson,
        write: gemini::from_conversation,
        answer: gemini::to_answer,
        error: gemini::read_error,
        interpreter: || Box::new(gemini::GeminiInterpreter::new()),
    },
    Upstream {
        name: "bedrock_converse",
        framing: Framing::Aws,
        write: bedrock_converse::from_conversation,
        answer: bedrock_converse::to_answer,
        error: bedrock_converse::read_error,
        interpreter: || Box::new(bedrock_converse::BedrockConverseInterpreter::new()),
    },
    Upstream {
        name: "cohere",
        framing: Framing::Sse,
        write: cohere::from_conversation,
        answer: cohere::to_answer,
        error: cohere::read_error,
        interpreter: || Box::new(cohere::CohereInterpreter::new()),
    },
    Upstream {
        name: "ollama",
        framing: Framing::JsonLines,
        write: ollama::from_conversation,
        answer: ollama::to_answer,
        error: ollama::read_error,
        interpreter: || Box::new(ollama::OllamaInterpreter::new()),
    },
];

/// The client of this format, where there is one.
pub(crate) fn client(name: &str) -> Option<&'static Client> {
    const { &CLIENTS }.iter().find(|format| format.name == name)
}

/// The upstream of this format.
pub(crate) fn upstream(name: &str) -> Option<&'static Upstream> {
    const { &UPSTREAMS }.iter().find(|format| format.name == name)
}

/// What every answer is written with.
pub(crate) fn reply() -> Reply {
    let (model, id) = ("client-model".to_owned(), "call1".to_owned());
    Reply { model, id, created: 1, include_usage: true, seal: None }
}
