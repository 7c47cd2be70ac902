//! The management API as operators and their programs meet it: its description, the commands that
//! are made of it, and LiteLLM's own client.

mod commands;
mod described;
mod fuzzed;
mod guide;
mod litellm_client;
