//! Wire formats: one folder each, all with the same files.

pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod client_fields;
pub mod gemini;
pub mod openai_chat;
pub mod openai_responses;
pub mod translation;
