//! Explanation: every way a call can fail, whose fault it is, whether to try again, and the fix.
//!
//! One table, [`row`], feeds error bodies, articles and the classification of what upstreams say.
//! This crate is pure. It performs no IO, reads no clock and writes no log, and it never puts a
//! credential into a text: what it renders is what it was given.

mod catalogue;
mod classify;
mod limit;
mod reason;
mod refusal;
mod render;
mod rendered;
mod row;
mod rules;
mod vendor;
mod wait;

pub use classify::{Failure, Retry, UpstreamError, classify};
pub use limit::{LimitFacts, LimitKind};
pub use reason::Reason;
pub use refusal::{AttemptFacts, Explanation, Refusal, UpstreamFacts};
pub use render::{ATTEMPTS_MAX, Dialect, MESSAGE_BYTES_MAX, body};
pub use rendered::{Rendered, render};
pub use row::{Article, Origin, Row, article, row};
pub use wait::{WAIT_MAX, wait_hint};
