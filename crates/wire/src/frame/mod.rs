//! Framing: how a stream of bytes is cut into records, without a byte lost.

pub mod sse;
