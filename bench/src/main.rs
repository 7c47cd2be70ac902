//! `tollgate-bench`: what the gateway adds to a call, and whether it keeps its bars.

mod answer;
mod bars;
mod charged;
mod claims;
mod clock;
mod connection;
mod control;
mod cores;
mod gauge;
mod hop;
mod ledger;
mod load;
mod machine;
mod measure;
mod others;
mod pace;
mod plan;
mod process;
mod report;
mod request;
mod samples;
mod session;
mod site;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::cores::Cores;
use crate::plan::Plan;
use crate::session::Results;
use crate::site::Site;

/// Measure what the gateway adds to a call, and check that it keeps its bars.
///
/// Exit status: 0 all bars kept, 1 a bar missed, 2 wrong use, 3 could not be measured.
#[derive(Debug, Parser)]
#[command(name = "tollgate-bench", version)]
struct Arguments {
    /// Short runs: whether everything works, with rough figures
    #[arg(long)]
    quick: bool,
    /// The gateway to measure
    #[arg(long, value_name = "FILE", default_value = "target/release/tollgate")]
    binary: PathBuf,
    /// The folder for `latest.json`, and for databases while they are measured
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    results: PathBuf,
    /// Be the bare hop of the comparison: copy bytes between whoever connects and this address
    #[arg(long, value_name = "ADDRESS", hide = true)]
    forward_to: Option<SocketAddr>,
    /// Write a ledger to this new SQLite file, and say how long it took
    #[arg(long, value_name = "FILE", hide = true, requires_all = ["entries", "open"])]
    write_ledger: Option<PathBuf>,
    /// How many entries the ledger gets
    #[arg(long, value_name = "NUMBER", hide = true)]
    entries: Option<u64>,
    /// How many other calls begin while each of them is open
    #[arg(long, value_name = "NUMBER", hide = true)]
    open: Option<usize>,
    /// Claim and settle as for calls, over this new SQLite file, and say how long that took
    #[arg(long, value_name = "FILE", hide = true, requires = "calls")]
    claim: Option<PathBuf>,
    /// How many calls that is for
    #[arg(long, value_name = "NUMBER", hide = true)]
    calls: Option<u32>,
}

/// The allocator of the gateway, for what runs here as it runs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status: a bar was missed.
const MISSED: u8 = 1;
/// Exit status: nothing can be said.
const NOT_MEASURED: u8 = 3;

#[expect(clippy::print_stderr, reason = "the reason why a program fails belongs there")]
fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(MISSED),
        Err(error) => {
            eprintln!("tollgate-bench: {error:#}");
            ExitCode::from(NOT_MEASURED)
        }
    }
}

/// Measures, reports, and returns whether every bar was kept.
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let Some(upstream) = arguments.forward_to {
        runtime()?.block_on(hop::forward(upstream))?;
        return Ok(true);
    }
    if let Some((file, (entries, open))) =
        arguments.write_ledger.as_ref().zip(arguments.entries.zip(arguments.open))
    {
        let written = runtime()?.block_on(ledger::write(file, entries, open))?;
        println!("{}", serde_json::to_string(&written)?);
        return Ok(true);
    }
    if let Some((file, calls)) = arguments.claim.as_ref().zip(arguments.calls) {
        let took = runtime()?.block_on(claims::claim(file, calls))?;
        println!("{}", serde_json::to_string(&took)?);
        return Ok(true);
    }
    let cores = Cores::choose()?;
    if let Some(cores) = cores {
        cores.take_load()?;
    }
    let site = Site::prepare(&arguments.binary, &arguments.results, cores)?;
    let plan = Plan::new(arguments.quick);
    let results = runtime()?.block_on(unless_interrupted(&site, plan))?;
    let bars = bars::check(&results);
    println!("{}", report::table(&results, &bars));
    let file = arguments.results.join("latest.json");
    std::fs::write(&file, report::json(&results, &bars)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("all figures: {}", file.display());
    Ok(bars.iter().all(|bar| bar.kept))
}

/// Being asked to end drops the session, and with it every process it started.
async fn unless_interrupted(site: &Site, plan: Plan) -> anyhow::Result<Results> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        results = session::measure(site, plan) => results,
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("asked to end"),
    }
}
