//! The gateway as its users see it: real processes, real sockets, and every byte on both sides.
//!
//! Each test is a story. It starts what it needs (a gateway in a home of its own, a scripted
//! upstream, a database) and all of it ends with the test. Where storage matters the story is told
//! twice, once on SQLite and once on Postgres.

mod access;
mod agents;
mod books;
mod calls;
mod clients;
mod clouds;
mod fairness;
mod guide;
mod lifecycle;
mod limits;
mod matrix;
mod models;
mod nodes;
mod operating;
mod outages;
mod serving;
mod stage;
mod takeover;
