//! `cohere`: Cohere's chat API, version 2 (`POST /v2/chat`). Upstreams only.

mod answer_in;
mod citation;
mod error;
mod finish;
mod interpreter;
mod request_out;
mod usage;

pub use answer_in::to_answer;
pub use error::read_error;
pub use interpreter::CohereInterpreter;
pub use request_out::from_conversation;

#[cfg(test)]
mod tests;
