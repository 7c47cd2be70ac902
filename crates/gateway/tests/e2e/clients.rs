//! Unmodified clients of others, and upstreams of others, on both sides of the gateway.

mod answers;
mod errors;
mod messages;

mod sdk;
mod upstreams;
