//! The open loop: requests fall due at a fixed rate, whether or not the answers keep up.

use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::window::{self, Phase, Window};
use super::{Load, Run, Timings, supervise};
use crate::connection::Connection;
use crate::pace::Pace;
use crate::request::Request;

/// A request that is due.
struct Due {
    at: Instant,
    measured: bool,
}

type Queue = Arc<Mutex<mpsc::Receiver<Due>>>;

/// Runs a load at this many requests per second. Each answer is measured from the moment its
/// request was due: a target that stops for a while delays all that fall due meanwhile, and every
/// one of those delays counts.
///
/// # Errors
/// When a connection breaks, an answer is not as it should be, or the target falls too far behind.
pub(crate) async fn fixed_rate(load: &Load, per_second: u32) -> anyhow::Result<Run> {
    let phase = Phase::default();
    let (due, queue) = mpsc::channel(BACKLOG_MAX);
    let queue = Arc::new(Mutex::new(queue));
    let mut connections = JoinSet::new();
    for _ in 0..load.connections {
        let connection = Connection::open(load.address, 0).await?;
        connections.spawn(take_turns(connection, load.request.clone(), Arc::clone(&queue)));
    }
    let pace = Pace::start(per_second)?;
    supervise(connections, paced(load, &phase, pace, due)).await
}

/// Measures while the beat goes on. Dropping the sender at the end lets the connections end too.
async fn paced(
    load: &Load,
    phase: &Phase,
    mut pace: Pace,
    due: mpsc::Sender<Due>,
) -> anyhow::Result<Window> {
    let beats = async {
        while let Some(measured) = phase.measured() {
            let at = pace.next().await?;
            if due.try_send(Due { at, measured }).is_err() {
                bail!("the target falls behind: {BACKLOG_MAX} requests are due and not sent");
            }
        }
        // The window is over in the same moment.
        std::future::pending().await
    };
    tokio::select! {
        window = window::measure(load, phase) => window,
        ended = beats => ended,
    }
}

async fn take_turns(
    mut connection: Connection,
    request: Request,
    queue: Queue,
) -> anyhow::Result<Timings> {
    let mut timings = Timings::default();
    loop {
        let next = queue.lock().await.recv().await;
        let Some(Due { at, measured }) = next else { return Ok(timings) };
        let arrival = connection.exchange(&request).await?;
        timings.note(arrival, measured.then_some(at))?;
    }
}

/// Most requests that are due and wait for a connection.
const BACKLOG_MAX: usize = 16_384;
