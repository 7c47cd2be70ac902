//! The command line, from one definition.

mod check;
mod grades;
mod import;
mod prices;
mod providers;
mod reprice;
mod simulate;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::serve;

/// An LLM gateway: virtual keys, budgets, routing and exact cost for OpenAI, Anthropic and Gemini
/// clients.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about, arg_required_else_help = true)]
struct Tollgate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gateway
    Serve(Serve),
    /// Check a configuration file and say everything that is wrong with it
    Check(check::Check),
    /// Run the simulated provider on its own, for load tests and demonstrations
    Simulate(simulate::Simulate),
    /// Work with the price list
    #[command(subcommand)]
    Prices(prices::Prices),
    /// Price recorded calls again, by the prices that are known now
    Reprice(reprice::Reprice),
    /// Take over from another gateway
    #[command(subcommand)]
    Import(import::Import),
    /// List the providers that a configuration may name
    Providers(providers::Providers),
}

/// What `serve` takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Serve {
    /// The configuration file, LiteLLM's `config.yaml`
    #[arg(long, short, value_name = "FILE", env = "CONFIG_FILE_PATH")]
    pub(crate) config: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", env = "HOST")]
    pub(crate) host: IpAddr,
    /// The port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4000, env = "PORT")]
    pub(crate) port: u16,
    /// Where the gateway keeps its database and its spool
    #[arg(long, value_name = "DIR", default_value = "tollgate-data")]
    pub(crate) data_dir: PathBuf,
    /// Read the wall clock from this file at each use: an RFC 3339 instant
    #[arg(long, value_name = "FILE", hide = true)]
    pub(crate) clock_file: Option<PathBuf>,
}

/// Exit status: the answer is no.
const FINDINGS: u8 = 1;
/// Exit status: could not start.
const NOT_STARTED: u8 = 3;

/// Runs the command that was asked for. Wrong use ends with status 2 before this returns.
pub(crate) fn run() -> ExitCode {
    match Tollgate::parse().command {
        Command::Serve(args) => status(serve::run(&args)),
        Command::Check(args) => args.run(),
        Command::Simulate(args) => status(args.run()),
        Command::Prices(command) => status(command.run()),
        Command::Reprice(args) => status(args.run()),
        Command::Import(command) => command.run(),
        Command::Providers(args) => status(args.run()),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the reason why the program ends belongs on standard error"
)]
fn status(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tollgate: {error:#}");
            ExitCode::from(NOT_STARTED)
        }
    }
}
