//! `bedrock_converse`: Amazon Bedrock's Converse and ConverseStream, as an upstream.
//!
//! The model and whether the answer streams stand in the address. A model family's own fields, such
//! as those for reasoning, stand in `additionalModelRequestFields`; which family has which is data
//! ([`Converse`](crate::capability::Converse)).

mod answer_in;
mod error;
mod interpreter;
mod request_out;
mod stop;
mod usage;

pub use answer_in::{to_answer, to_answer_in};
pub use error::{named_error, read_error};
pub use interpreter::BedrockConverseInterpreter;
pub use request_out::{from_conversation, wording};

#[cfg(test)]
mod tests;
