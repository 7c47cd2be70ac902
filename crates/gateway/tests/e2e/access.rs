//! Who may call what, and what it may cost them.

mod budgets;
mod keys;
mod matrix;
mod models;
mod refusals;
mod several_nodes;
