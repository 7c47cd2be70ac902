//! Taking over from a running LiteLLM proxy: its database is read, everything in it is graded, and
//! what comes over is written here.
//!
//! - [`read`](source::read) reads at one instant and writes nothing at the source.
//! - [`map`](map::map) is pure: rows in, rows with their grades out.
//! - [`Plan`] is what is to be written; [`Plan::apply`] writes it, as often as one likes, and
//!   [`Plan::verify`] compares both sides.

pub mod daily;
pub mod dollars;
pub mod grade;
pub mod map;
pub mod opening;
pub mod secrets;
pub mod source;

mod apply;
mod plan;

pub use apply::{Applied, Tally};
pub use plan::{Check, Plan};
