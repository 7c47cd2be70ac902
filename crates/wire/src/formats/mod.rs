//! Wire formats: one folder each, all with the same files.

pub mod client_fields;
pub mod openai_chat;
