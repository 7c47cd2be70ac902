//! One run of load against one target: so many connections, for so long, closed-loop or at a fixed
//! rate.

mod closed;
mod fixed_rate;
mod streams;
mod window;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

pub(crate) use closed::closed_loop;
pub(crate) use fixed_rate::fixed_rate;
pub(crate) use streams::{StreamsRun, streams_at_once};
pub(crate) use window::Window;

use crate::connection::Arrival;
use crate::request::Request;
use crate::samples::Samples;

/// What a run does.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) request: Request,
    pub(crate) connections: usize,
    /// The process whose use of the machine is read.
    pub(crate) watched: Option<u32>,
    /// Load before the measuring begins.
    pub(crate) warm_up: Duration,
    /// How long is measured.
    pub(crate) length: Duration,
}

/// What a run found.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) timings: Timings,
    pub(crate) window: Window,
}

/// How long answers took, and how many there were.
#[derive(Debug, Default)]
pub(crate) struct Timings {
    /// To the first byte of the body; measured calls only.
    pub(crate) first_byte: Samples,
    /// To the end of the answer; measured calls only.
    pub(crate) last_byte: Samples,
    /// Every call that was answered, those of the warm-up included.
    pub(crate) answered: u64,
    /// Every call that was refused for too much load.
    pub(crate) refused: u64,
}

impl Timings {
    /// Counts an answer, and with `since` measures it from then.
    fn note(&mut self, arrival: Arrival, since: Option<std::time::Instant>) -> anyhow::Result<()> {
        if arrival.refused {
            self.refused += 1;
            return Ok(());
        }
        self.answered += 1;
        let Some(since) = since else { return Ok(()) };
        ensure!(
            self.last_byte.count() < SAMPLES_MAX,
            "more than {SAMPLES_MAX} answers on one connection; measure for a shorter time"
        );
        self.first_byte.push(arrival.first_byte_at.saturating_duration_since(since));
        self.last_byte.push(arrival.last_byte_at.saturating_duration_since(since));
        Ok(())
    }

    /// Adds what another connection, or another run, found.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.first_byte.merge(&other.first_byte);
        self.last_byte.merge(&other.last_byte);
        self.answered += other.answered;
        self.refused += other.refused;
    }
}

/// Runs the connections until the measuring is over and each has its last answer. The first error
/// ends the run.
async fn supervise(
    mut connections: JoinSet<anyhow::Result<Timings>>,
    measuring: impl Future<Output = anyhow::Result<Window>>,
) -> anyhow::Result<Run> {
    let mut timings = Timings::default();
    tokio::pin!(measuring);
    let window = loop {
        tokio::select! {
            window = &mut measuring => break window?,
            Some(ended) = connections.join_next() => timings.merge(&ended??),
        }
    };
    let draining = async {
        while let Some(ended) = connections.join_next().await {
            timings.merge(&ended??);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(DRAIN_MAX, draining)
        .await
        .with_context(|| format!("answers are missing {DRAIN_MAX:?} after the last request"))??;
    Ok(Run { timings, window })
}

/// Most answers measured on one connection in one run, so that memory has a limit.
const SAMPLES_MAX: usize = 4_000_000;
/// Longest wait for the last answers of a run.
const DRAIN_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
