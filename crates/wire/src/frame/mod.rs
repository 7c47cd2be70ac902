//! Framing: how a stream of bytes is cut into records, without a byte lost.

pub mod aws_events;
pub mod json_lines;
pub mod sse;
