//! How many entries a second the ledger's writer takes on SQLite.

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::ledger::Written;
use crate::plan::Plan;
use crate::process::command;
use crate::samples::rounded;
use crate::site::Site;

/// Calls that begin while each one is open, where openings are written too.
const OPEN: usize = 1_000;
/// Runs of each kind; their best counts for what the writer can, since whatever else the machine
/// does only takes away.
const RUNS: u32 = 3;

/// What the writer takes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct LedgerPace {
    /// Entries of each run.
    pub(crate) entries: u64,
    /// Of calls that are over before they are written: an entry each.
    pub(crate) short: Pace,
    /// Of calls that stay open for longer: an opening, an entry and the opening's end each.
    pub(crate) open: Pace,
}

/// How fast entries were written.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Pace {
    /// Entries a second in the fastest run, from the first call to the last commit.
    pub(crate) per_second: f64,
    /// The same in the slowest run.
    pub(crate) per_second_min: f64,
    /// Processor time of one entry, that of making it included, in the run that took least.
    pub(crate) cpu_us: f64,
}

/// Writes through the store's own ledger, in a process that has the measured core.
///
/// # Errors
/// When it fails or books anything but what it was given.
pub(crate) async fn measure(site: &Site, plan: Plan) -> anyhow::Result<LedgerPace> {
    let entries = if plan.quick { 50_000 } else { 300_000 };
    let (mut short, mut open) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        short.push(write(site, &format!("ledger-short-{run}"), (entries, 0)).await?);
        open.push(write(site, &format!("ledger-open-{run}"), (entries, OPEN)).await?);
    }
    Ok(LedgerPace { entries, short: Pace::of(&short), open: Pace::of(&open) })
}

async fn write(site: &Site, name: &str, (entries, open): (u64, usize)) -> anyhow::Result<Written> {
    let this = std::env::current_exe().context("this program cannot find itself")?;
    let file = site.file(name);
    let mut command = command(site.cores().map(|cores| cores.measured), &this);
    command.arg("--write-ledger").arg(&file);
    command.args(["--entries", &entries.to_string(), "--open", &open.to_string()]);
    let ended = command.kill_on_drop(true).output().await.context("cannot run the ledger")?;
    let problem = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "the ledger failed: {}", problem.trim());
    std::fs::remove_file(&file).context("cannot remove a ledger")?;
    serde_json::from_slice(&ended.stdout).context("the ledger does not say how long it took")
}

impl Pace {
    fn of(runs: &[Written]) -> Self {
        let per_second = || runs.iter().map(|run| run.entries as f64 / run.seconds);
        let cpu_us = runs.iter().map(|run| run.cpu_seconds * 1e6 / run.entries as f64);
        Self {
            per_second: per_second().fold(0.0, f64::max).round(),
            per_second_min: per_second().fold(f64::INFINITY, f64::min).round(),
            cpu_us: rounded(cpu_us.fold(f64::INFINITY, f64::min)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_that_of_the_run_that_was_disturbed_least() {
        let run = |seconds, cpu_seconds| Written { entries: 1_000, seconds, cpu_seconds };
        let pace = Pace::of(&[run(0.5, 0.04), run(0.1, 0.05), run(0.2, 0.03)]);
        assert_eq!((pace.per_second, pace.per_second_min, pace.cpu_us), (10_000.0, 2_000.0, 30.0));
    }
}
