//! Chat completions and the hub: requests, answers and streams, in both directions.

mod answer_in;
mod answer_out;
mod citation;
mod content_in;
mod finish;
mod interpreter;
mod names;
mod reasoning;
mod renderer;
mod request_in;
mod request_out;
mod spot;
mod usage_out;

pub use answer_in::to_answer;
pub use answer_out::from_answer;
pub(in crate::formats) use citation::byte_offset;
pub use interpreter::OpenAiChatInterpreter;
pub use names::ToolNames;
pub use renderer::OpenAiChatRenderer;
pub use request_in::to_conversation;
pub use request_out::from_conversation;
pub(crate) use request_out::{lacks_reasoning, wants_past};

#[cfg(test)]
mod tests;
