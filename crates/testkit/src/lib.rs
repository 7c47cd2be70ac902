//! What tests share: a gateway in a process of its own, scripted upstreams, clocks and databases.
//!
//! A test starts what it needs and ends it: everything here that is started ends when it is
//! dropped. Nothing sleeps; what takes time is waited for, with a limit.

pub mod aws_events;
pub mod cable;
pub mod clock_file;
pub mod config_text;
pub mod gateway;
pub mod http;
pub mod patience;
pub mod postgres;
pub mod program;
pub mod promised;
pub mod redis;

pub use tempfile::TempDir;
