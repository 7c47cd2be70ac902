//! What lookup, claim and settlement of a tree of five levels take in process.

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::claims::Took;
use crate::plan::Plan;
use crate::process::command;
use crate::site::Site;

/// Nanoseconds in a microsecond.
const MICRO: f64 = 1_000.0;

/// What finding everybody, claiming of every limit and settling take, in microseconds of processor
/// time per call. Nothing else of a call is in it: no HTTP, no ledger, no header.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Claims {
    /// Calls of each way.
    pub(crate) calls: u32,
    /// A key with nobody above it and no limit, whose spend is counted all the same.
    pub(crate) bare_us: f64,
    /// A key of a user in a team of an organization, called for a customer, with three budgets and
    /// two rate limits among the five levels.
    pub(crate) tree_us: f64,
    /// What the tree and its limits add.
    pub(crate) added_us: f64,
}

/// Claims through the store's own directory, in a process that has the measured core.
///
/// # Errors
/// When it fails, or does not count what was used.
pub(crate) async fn measure(site: &Site, plan: Plan) -> anyhow::Result<Claims> {
    let calls = if plan.quick { 200_000 } else { 2_000_000 };
    let this = std::env::current_exe().context("this program cannot find itself")?;
    let file = site.file("claims");
    let mut command = command(site.cores().map(|cores| cores.measured), &this);
    command.arg("--claim").arg(&file).args(["--calls", &calls.to_string()]);
    let ended = command.kill_on_drop(true).output().await.context("cannot run the claims")?;
    let problem = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "the claims failed: {}", problem.trim());
    std::fs::remove_file(&file).context("cannot remove the claims' database")?;
    let took = serde_json::from_slice(&ended.stdout);
    Ok(Claims::of(calls, took.context("the claims do not say how long they took")?))
}

impl Claims {
    fn of(calls: u32, Took { bare_ns, tree_ns }: Took) -> Self {
        let us = |ns: f64| (ns / MICRO * 100.0).round() / 100.0;
        Self { calls, bare_us: us(bare_ns), tree_us: us(tree_ns), added_us: us(tree_ns - bare_ns) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tree_adds_is_the_difference_in_microseconds() {
        let claims = Claims::of(1, Took { bare_ns: 512.0, tree_ns: 1_748.0 });
        assert_eq!((claims.bare_us, claims.tree_us, claims.added_us), (0.51, 1.75, 1.24));
    }
}
