//! `openai_responses`: OpenAI's Responses API.
//!
//! What the provider keeps between calls (`previous_response_id`, `conversation`, items by
//! reference) is not understood here: it stays among the unmapped fields of a conversation.

mod answer_in;
mod answer_out;
mod client_tools;
mod content_in;
mod content_out;
mod ended;
mod error;
mod events;
mod fields;
mod interpreter;
mod items_in;
mod items_out;
mod kept;
mod output;
mod parts;
mod portable;
mod renderer;
mod report;
mod request_in;
mod request_out;
mod response;
mod seal;
mod sse_out;
mod state;
mod tools_in;
mod tools_out;
mod usage;

pub use answer_in::to_answer;
pub use answer_out::{from_answer, from_answer_with};
pub use client_tools::ClientTools;
pub use ended::{Ended, ResponseFinder, ended_response};
pub use error::{error_event, next_number, read_error};
pub use interpreter::ResponsesInterpreter;
pub use portable::{Portable, make_portable};
pub use renderer::ResponsesRenderer;
pub use request_in::to_conversation;
pub use request_out::from_conversation;
pub use state::{
    KEPT_BYTES_MAX, KEPT_ITEMS_MAX, continue_from, input_items, item_array, item_id,
    items_of_array, output_items, previous_response_id, wants_store,
};

#[cfg(test)]
mod tests;
