//! `ollama`: Ollama's own chat API (`POST /api/chat`), one JSON object on each line of a stream.
//! Upstreams only.

mod answer_in;
mod error;
mod finish;
mod interpreter;
mod request_out;
mod said;
mod usage;

pub use answer_in::{to_answer, to_answer_of};
pub use error::read_error;
pub use interpreter::OllamaInterpreter;
pub use request_out::from_conversation;

#[cfg(test)]
mod tests;
