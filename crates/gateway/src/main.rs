//! `tollgate`: an LLM gateway in one binary.

mod banner;
mod cli;
mod clock;
mod configuration;
mod description;
mod environment;
mod gatekeeper;
mod in_force;
mod listener;
mod master_key;
mod random;
mod reload;
mod running;
mod salt_key;
mod serve;
mod sharing;
mod shutdown;
mod startup;
mod telemetry;
mod wiring;

use std::process::ExitCode;

/// The allocator: many small short-lived buffers from several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
