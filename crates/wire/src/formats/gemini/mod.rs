//! `gemini`: Google's generateContent, as AI Studio and Vertex AI speak it.

mod answer_in;
mod answer_out;
mod count;
mod error;
mod fields;
mod finish;
mod interpreter;
mod media;
mod model;
mod renderer;
mod request_in;
mod request_out;
mod said;
mod schema;
mod sealed;
mod usage;

use super::report;

pub use answer_in::to_answer;
pub use answer_out::from_answer;
pub use count::{from_count, to_counted};
pub use error::{error_element, error_event, read_error};
pub use interpreter::GeminiInterpreter;
pub use renderer::GeminiRenderer;
pub use request_in::to_conversation;
pub use request_out::from_conversation;

#[cfg(test)]
mod tests;
