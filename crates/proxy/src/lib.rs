//! The data path: one call from its first byte in to its last byte out.
//!
//! [`pipeline`] tells the whole story; every other file is one of its steps, or what a step
//! returns. Nothing here reads the environment, the clock or randomness directly, and nothing here
//! knows a provider by name.

mod admit;
mod attempt;
mod authenticate;
mod continue_from;
mod credential;
mod explain;
mod gate;
mod grants;
mod headers;
mod health;
mod ingress;
mod keep;
mod memory;
mod outlets;
mod pipeline;
mod prompt_tokens;
mod queue;
mod refusal;
mod relay;
mod reserved;
mod route;
mod rules;
pub mod surface;
mod ticket;
mod timing;
mod tokenizers;

pub use attempt::probe;
pub use authenticate::{Caller, authenticate};
pub use gate::{Gate, Readiness};
pub use grants::permitted;
pub use queue::{Asking, Door, Gauges, Queues, Slot, Standing};
pub use refusal::{refuse, response_to};
