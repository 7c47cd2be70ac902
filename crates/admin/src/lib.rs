//! The management API, LiteLLM's routes with their fields, bodies and statuses.
//!
//! It never decides who calls: it asks the [`Gatekeeper`] that the binary lends it. Every change
//! takes effect on the next request of this node.

mod account;
mod activity;
mod answer;
mod asked;
mod audit;
mod authority;
mod budgets;
mod catalogue;
mod configuration;
mod desk;
mod entities;
mod fields;
mod gatekeeper;
mod health;
mod invitations;
mod keys;
mod limits;
mod logs;
mod models;
mod open;
pub mod openapi;
mod pages;
mod problem;
mod promised;
mod query;
mod route;
mod routes;
mod running;
mod settings;
mod shape;
mod spend;

pub use answer::{Answer, Part, Told};
pub use configuration::{Configuration, Examined, Later};
pub use gatekeeper::{Actor, Gatekeeper, Identifying};
pub use pages::Pages;
pub use route::Described;
pub use routes::{Admin, Lent, router, routes};
pub use running::{Doing, Running};
pub use shape::{Field, Kind, Shape};
