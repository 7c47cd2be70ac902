//! Who may call what, and what it may cost them.

mod activity;
mod budgets;
mod keys;
mod logs;
mod matrix;
mod models;
mod refusals;
