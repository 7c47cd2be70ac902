//! Plans: which deployments of a model group can serve a call, and the order to try them in.
//!
//! [`plan_for`] passes over the [`Contender`]s that lack what the call [`Needs`], saying for each
//! [why](PassedOver), and orders the others: tiers first, then those that are ready before those
//! that rest, then by the [`Strategy`]. [`plan`] orders by tier and share alone.

mod ability;
mod contender;
mod filter;
mod latency;
mod order;
mod passed_over;
mod plan;
mod shuffle;
mod strategy;
mod tags;

pub use ability::{Abilities, Ability};
pub use contender::{Candidate, Contender, Load, Needs};
pub use latency::{LATENCY_HALF_LIFE, Latency};
pub use passed_over::PassedOver;
pub use plan::{Plan, plan_for};
pub use shuffle::plan;
pub use strategy::Strategy;
pub use tags::{TagAsk, TagMatch};
