//! `anthropic_messages`: Anthropic's Messages API.

pub(in crate::formats) mod answer_in;
mod answer_out;
pub(in crate::formats) mod blocks_out;
mod envelope;
mod error;
pub(in crate::formats) mod interpreter;
pub(in crate::formats) mod names;
mod renderer;
mod request_in;
pub(in crate::formats) mod request_out;
mod stop;
pub(in crate::formats) mod usage;

pub use answer_in::{to_answer, to_answer_in};
pub use answer_out::{from_answer, from_count};
pub use envelope::{Envelope, event_name, unwrap_chunk, unwrap_event};
pub use error::{PING_EVENT, error_event, read_error};
pub use interpreter::MessagesInterpreter;
pub use names::{JSON_TOOL, Wording};
pub use renderer::MessagesRenderer;
pub use request_in::{to_conversation, to_counted_conversation, to_sealed_conversation};
pub use request_out::{from_conversation, uses_json_tool};

#[cfg(test)]
mod tests;
