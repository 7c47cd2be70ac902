//! Who may call what, and what it may cost them.

mod activity;
mod aliases;
mod audit;
mod budgets;
mod bulk;
mod delegation;
mod keys;
mod logs;
mod matrix;
mod models;
mod newcomers;
mod organizations;
mod rates;
mod refusals;
mod renewal;
mod several_nodes;
mod spend;
mod teams;
mod tokens;
mod told;
