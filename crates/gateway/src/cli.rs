//! The command line, from one definition.

mod check;
mod grades;
mod import;
mod man;
mod manage;
mod openapi;
mod prices;
mod providers;
mod reprice;
mod salt_key;
mod simulate;
mod table;

use std::io::{ErrorKind, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

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
    /// Work with the key that secrets in the database are sealed with
    #[command(subcommand)]
    SaltKey(salt_key::SaltKey),
    /// Take over from another gateway
    #[command(subcommand)]
    Import(import::Import),
    /// List the providers that a configuration may name
    Providers(providers::Providers),
    /// Print the OpenAPI 3.1 document of every route
    #[command(name = "openapi")]
    OpenApi,
    /// Print the completions of a shell
    Completions(man::Completions),
    /// Print a page for `man`
    Man(man::Man),
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
/// Exit status: wrong use.
const WRONG_USE: u8 = 2;
/// Exit status: could not start, or nothing could be asked.
const NOT_STARTED: u8 = 3;

/// Every command: those of this file and those of the management API.
fn whole() -> clap::Command {
    Tollgate::command().subcommands(manage::families())
}

/// Runs the command that was asked for. Wrong use ends with status 2 before this returns.
pub(crate) fn run() -> ExitCode {
    let matches = whole().get_matches();
    if let Some(ended) = manage::run(&matches) {
        return ended;
    }
    match Tollgate::from_arg_matches(&matches).unwrap_or_else(|problem| problem.exit()).command {
        Command::Serve(args) => status(serve::run(&args)),
        Command::Check(args) => args.run(),
        Command::Simulate(args) => status(args.run()),
        Command::Prices(command) => status(command.run()),
        Command::Reprice(args) => status(args.run()),
        Command::SaltKey(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Providers(args) => status(args.run()),
        Command::OpenApi => status(openapi::run()),
        Command::Completions(args) => status(args.run(whole())),
        Command::Man(args) => status(args.run(whole())),
    }
}

/// Writes a command's output. Whoever reads it may stop early, as `head` does.
fn write(output: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(output).and_then(|()| out.flush()) {
        Err(problem) if problem.kind() != ErrorKind::BrokenPipe => Err(problem.into()),
        _ => Ok(()),
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
