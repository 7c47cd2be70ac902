//! Who may call what, and what it may cost them.

mod budgets;
mod keys;
mod matrix;
mod models;
mod rates;
mod refusals;
mod several_nodes;
mod tokens;
