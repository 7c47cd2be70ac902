//! The formats that clients speak: what they ask, and how they read what they get.

mod anthropic_messages;
mod gemini;
mod openai_chat;
mod openai_responses;

use serde_json::Value;

use super::check::Verdict;
use super::scene::{Scene, Usage};
use super::sse::Event;

/// A format that a client speaks.
pub(crate) trait Client: Sync {
    /// The format.
    fn name(&self) -> &'static str;

    /// The header that carries the key, and what stands before the key in it.
    fn key(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    /// The route of a call for this model.
    fn path(&self, model: &str, stream: bool) -> String;

    /// What the client sends.
    fn request(&self, model: &str, scene: Scene, stream: bool) -> Value;

    /// The word for how an answer of this scene ends.
    fn finish(&self, scene: Scene) -> &'static str;

    /// Reads a buffered answer.
    ///
    /// # Errors
    /// Where it is not what the format's definition says.
    fn answer(&self, model: &str, body: &Value) -> Verdict<Seen>;

    /// Reads a stream from its first event to its end mark.
    ///
    /// # Errors
    /// Where it is not what the format's definition says, or not complete.
    fn stream(&self, model: &str, events: &[Event]) -> Verdict<Seen>;

    /// Reads a stream that was broken off, which must say so and must not look complete.
    ///
    /// # Errors
    /// Where it does.
    fn broken(&self, events: &[Event]) -> Verdict<Broken>;
}

/// What a client made of an answer, in no format.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) text: String,
    pub(crate) thought: String,
    /// Tools and what they were called with.
    pub(crate) calls: Vec<(String, Value)>,
    /// Why the answer ended, in the format's own word.
    pub(crate) finish: String,
    pub(crate) usage: Usage,
}

/// What a client made of a stream that was broken off.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Broken {
    /// The text that had come.
    pub(crate) text: String,
    /// What the error said.
    pub(crate) message: String,
}

/// Every format that clients speak.
pub(crate) static CLIENTS: [&dyn Client; 4] = [
    &openai_chat::OpenAiChat,
    &openai_responses::OpenAiResponses,
    &anthropic_messages::AnthropicMessages,
    &gemini::Gemini,
];
