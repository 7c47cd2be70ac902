//! Who may call what, and what it may cost them.

mod activity;
mod aliases;
mod audit;
mod budgets;
mod bulk;
mod delegation;
mod granted;
mod keys;
mod logs;
mod matrix;
mod models;
mod newcomers;
mod organizations;
mod projects;
mod rates;
mod refusals;
mod renewal;
mod several_nodes;
mod spend;
mod surface;
mod teams;
mod tokens;
mod told;
