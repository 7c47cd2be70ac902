//! Who may call what, and what it may cost them.

mod activity;
mod audit;
mod budgets;
mod delegation;
mod keys;
mod logs;
mod matrix;
mod models;
mod organizations;
mod rates;
mod refusals;
mod renewal;
mod several_nodes;
mod spend;
mod teams;
mod tokens;
mod told;
