//! The management API, LiteLLM's routes with their fields, bodies and statuses.
//!
//! It never decides who calls: it asks the [`Gatekeeper`] that the binary lends it. Every change
//! takes effect on the next request of this node.

mod account;
mod activity;
mod asked;
mod budgets;
mod entities;
mod fields;
mod gatekeeper;
mod keys;
mod limits;
mod logs;
mod problem;
mod query;
mod routes;

pub use gatekeeper::{Actor, Gatekeeper, Identifying};
pub use routes::{Access, Admin, router, routes};
