//! Who may call what, and what it may cost them.

mod activity;
mod budgets;
mod delegation;
mod keys;
mod logs;
mod matrix;
mod models;
mod rates;
mod refusals;
mod renewal;
mod several_nodes;
mod tokens;
