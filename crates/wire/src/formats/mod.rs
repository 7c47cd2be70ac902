//! Wire formats: one folder each, all with the same files.

pub mod anthropic_messages;
pub mod bedrock_converse;
mod call_ids;
pub mod client_fields;
pub mod cohere;
mod functions;
pub mod gemini;
#[cfg(test)]
mod golden;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;
mod report;
mod schemas;
pub mod seal;
pub mod translation;
mod turns;
mod values;
