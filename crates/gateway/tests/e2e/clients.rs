//! Unmodified clients of others, and upstreams of others, on both sides of the gateway.

mod answers;
mod bedrock;
mod dialects;
mod errors;
mod messages;
mod sdk;
mod upstreams;

pub(crate) use sdk::{must_be_installed, python, root};
